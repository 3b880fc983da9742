"""The report of a study: one HTML file that needs nothing beside it, read in two minutes and printed on A4."""

from __future__ import annotations

import inspect
import os
import re
import shlex
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from experiments.analysis.results import Comparison
from experiments.catalogue.settings import Setting, figures
from experiments.reports.conclusions import answer, failed_replicates
from experiments.reports.elements import Section, Table
from experiments.reports.sections import results
from experiments.reports.study import (
    active_in,
    assumptions,
    by_default,
    in_words,
    joined,
    leaves,
    other_world,
    pivotal,
    portfolio,
    practice,
    question,
    replicates,
    value_at,
    worlds_apart,
)
from experiments.terminal import shown
from sim import INSTRUMENTS, Instrument, Region

__all__ = ["WORDS", "again", "assumed", "page", "report", "write_report"]

#: Words of the report that not everybody uses.
WORDS = (
    ("defects reaching users", "defects per unit of final product that no inspection along the chain stopped; seen per 1,000 units"),
    ("true non-conformity", "share of a firm’s units that leave it with at least one defect, whether or not anybody finds it"),
    ("arm", "one policy that is compared; the reference is the arm that the others are compared with"),
    ("replicate", "one simulated history; all arms of a replicate share its random numbers"),
    ("95 % interval", "where the mean effect lies with 95 % confidence, if the model and its assumptions are right"),
    (
        "told from zero",
        "the interval leaves out 0 and, where a correction was asked for, the corrected p-value is below 0.05; "
        "otherwise the study does not show that anything changes",
    ),
    ("cost of poor quality", "what firms lose to scrap, rework, returns, warranty, recalls and claims"),
    ("Fieller interval", "95 % interval of a ratio of two uncertain amounts; not defined where the lower amount may be 0"),
    ("tier", "steps to the user: chain leaders are tier 0 and sell to users, firms of tier 1 supply them"),
)


def report(comparison: Comparison, folder: Path | None = None) -> str:
    """Return the report of a study as HTML that asks for nothing outside itself.

    Parameters
    ----------
    found : Comparison
        One loaded from disk has no quality maps: the figure of the network is left out, and said so.
    folder : Path, optional
        Where the study lies, for the command that runs it again and the figures that it has already; without it, as in a notebook,
        that command is left out.
    """
    return page(
        question=question(comparison),
        subtitle=_subtitle(comparison),
        answer=list(zip(("Effect", "Cost", "Not shown"), answer(comparison), strict=True)),
        arms=_arms(comparison),
        sections=results(comparison, folder),
        last=[again(comparison, folder), assumed(comparison)],
        words=[(word, _meaning(comparison, word, meaning)) for word, meaning in WORDS],
        about=comparison.manifest,
        failures=comparison.failures,
    )


def page(**parts: Any) -> str:
    """Return a report as HTML, made of its parts: question, subtitle, answer, arms, sections, last, words, about and failures."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["tongues"] = _tongues
    return environment.get_template("report.html").render(**parts)


def write_report(comparison: Comparison, folder: Path) -> None:
    """Write the report of a study into its folder, as ``report.html``."""
    (folder / "report.html").write_text(report(comparison, folder), encoding="utf-8")


def _tongues(text: str) -> Markup:
    """Mark the Chinese in a text, so that it is set and read aloud as such; let long names of settings break where they are joined."""
    chinese = re.sub(r"([\u3400-\u9fff]+)", r'<span lang="zh">\1</span>', str(escape(text)))
    return Markup(re.sub(r"(?<=[a-z0-9])([_.])(?=[a-z])", r"\1<wbr>", chinese.replace(" %", "\u00a0%")))


# -- what was compared --------------------------------------------------------------------------------------


def _subtitle(comparison: Comparison) -> str:
    about, count = comparison.manifest, replicates(comparison)
    told = f"{count} replicate{'s' * (count != 1)} of {about['configuration']['months']} months"
    parts = [told + (f" for each of {len(about['arms'])} arms" if len(about["arms"]) > 1 else "")]
    if which := failed_replicates(comparison):
        parts.append(f"{which} failed and {'are' if 'replicates' in which else 'is'} left out")
    parts += [f"{arm}: another world ({joined(other_world(comparison, arm))})" for arm in worlds_apart(comparison)]
    return " · ".join([*parts, f"seed {about['configuration']['seed']}", about["finished"][:10], f"study {about['id']}"])


def _meaning(comparison: Comparison, word: str, meaning: str) -> str:
    """Say of replicates what their shared random numbers mean: the same luck, unless worlds differ."""
    if word != "replicate":
        return meaning
    return meaning + (
        "; arms with other worlds have other firms" if worlds_apart(comparison) else ", so that they differ by what is compared alone"
    )


def _arms(comparison: Comparison) -> Table:
    """Every arm, and what is in it."""
    words = by_default(comparison)
    rows = [(arm, *([in_words(comparison, arm)] if words else []), _contents(comparison, arm)) for arm in comparison.manifest["arms"]]
    luck = "random numbers, some in other worlds" if worlds_apart(comparison) else "luck"
    return Table(f"What was compared, all on the same {luck}", ("arm", *(["in words"] if words else []), "what it is"), rows, words=3)


def _contents(comparison: Comparison, arm: str) -> str:
    """Instruments of an arm with their doses, levers that are not at their defaults, and what else differs from the reference."""
    mine, base = (comparison.manifest["arms"][name] for name in (arm, comparison.reference))
    active = active_in(mine)
    told = []
    for key in active:
        levers, cls = mine["instruments"][key], INSTRUMENTS.get(key)
        defaults = {} if cls is None else {f.name: shown(f.default) for f in cls.__dataclass_fields__.values()}
        told_of = [
            f"{_called(cls, name)} {shown(value)}"
            for name, value in levers.items()
            if cls and (name == cls.dose or (name in defaults and name != "sizes" and shown(value) != defaults[name]))
        ]
        told.append(practice(key, chinese=True) + (f": {', '.join(told_of)}" if told_of else ""))
    if not active:
        told.append("no programme: supervision, certification and recalls go on as usual")
    told += [f"{path} = {value}" for path, value in leaves(mine) if value != dict(leaves(base)).get(path)]
    return "; ".join(told) + (" (the reference)" if arm == comparison.reference else "")


def _called(cls: type[Instrument], name: str) -> str:
    """A lever as people say it: its meaning and unit."""
    said = cls.__dataclass_fields__[name].metadata
    unit = said.get("unit", "1")
    return f"{said.get('meaning', name)}{'' if unit in {'1', 'share'} else f' ({unit})'}"


# -- assumptions ----------------------------------------------------------------------------------------------


def assumed(comparison: Comparison) -> Section:
    """Settings marked N: open those of the instruments compared, those on which most hangs and those that were changed."""
    marked = assumptions(comparison)
    active = dict.fromkeys(key for arm in comparison.manifest["arms"].values() for key in active_in(arm))
    own = {f"instruments.{key}.{name}" for key in active if key in INSTRUMENTS for name in inspect.get_annotations(INSTRUMENTS[key])}
    first = {*own, *pivotal(comparison), *(f"instruments.{key}.{INSTRUMENTS[key].dose}" for key in active if key in INSTRUMENTS)}
    rows = [(one, _used(comparison, one)) for one in marked]
    near = [row for row in rows if row[0].path in first or row[1] != row[0].default]
    far = [row for row in rows if row not in near]
    tables = [
        _settings("Assumptions of the instruments compared, those on which most hangs, and those that were changed", near, False),
        _settings("All other assumptions of the model and of the delivery of instruments", far, True),
        _region(comparison),
    ]
    says = (
        f"{len(marked)} settings rest on no source (marked N: looked for and not found). An effect is only as good as they are: "
        "vary those in question and see whether the answer stays."
    )
    return Section("assumptions", "Which assumptions is this made of?", says, tables=[table for table in tables if table.rows])


def _settings(caption: str, rows: list[tuple[Setting, str]], folded: bool) -> Table:
    if folded:  # none of these was changed
        head: tuple[str, ...] = ("setting", "what it is", "unit", "used here", "may be")
        return Table(caption, head, [(s.path, s.meaning, s.unit, used, s.legal) for s, used in rows], words=3, folded=True)
    head = ("setting", "what it is", "unit", "used here", "default", "may be")
    return Table(caption, head, [(s.path, s.meaning, s.unit, used, s.default, s.legal) for s, used in rows], words=3)


def _used(comparison: Comparison, one: Setting) -> str:
    """The value of a setting in this study; where arms differ, each value with its arms."""
    group, _, rest = one.path.partition(".")
    by: dict[str, list[str]] = {}
    for name, arm in comparison.manifest["arms"].items():
        if group == "instruments" and rest.split(".")[0] not in active_in(arm):
            continue
        if group == "network" and rest not in arm["network"]:  # of another kind
            continue
        by.setdefault(shown(value_at(arm, one.path)), []).append(name)
    return next(iter(by)) if len(by) == 1 else "; ".join(f"{value} in {joined(arms)}" for value, arms in by.items())


def _region(comparison: Comparison) -> Table:
    """Figures of the region that are assumptions, and the others with their sources."""
    values = comparison.manifest["configuration"]["region"]
    region = Region(**{**values, "sources": values.get("sources") or {}})
    rows = [(name, value, source) for name, value, source, _ in figures(region)]
    return Table(f"Figures of the region {region.label}, each with its source", ("figure", "value", "source"), rows, words=3, folded=True)


# -- how to get it again ----------------------------------------------------------------------------------------


def again(comparison: Comparison, folder: Path | None) -> Section:
    """How to get a study again: its command, and where its figures come from."""
    about = comparison.manifest
    words = [word for word in about["overrides"] if not word.startswith("name=")]
    commands = [("The command that made this study", shlex.join(["strongchain", *words]))]
    if folder is not None:
        commands.append(("Every run of it anew, and whether the result is the same", shlex.join(["strongchain", "rerun", _near(folder)])))
    commit = (
        "unknown"
        if about["commit"] is None
        else about["commit"][:12] + (" with uncommitted changes" if about["uncommitted_changes"] else "")
    )
    rows = [
        ("study", about["id"]),
        ("result (SHA-256 of the table of runs)", about["result"]),
        ("code", f"commit {commit}"),
        *([("portfolio", label)] if (label := portfolio(comparison)) else []),
        ("seed", str(about["configuration"]["seed"])),
        ("versions", ", ".join(f"{name} {version}" for name, version in about["versions"].items())),
        ("platform", about["platform"]),
        ("finished", about["finished"]),
        *((f"input file {path}", f"SHA-256 {content}") for path, content in about["input_files"].items()),
        *(("note", note) for note in about.get("notes", ())),
        *(("note on the network", note) for note in about["network_notes"]),
        *(("run that failed", failure) for failure in about.get("failed", [])),
    ]
    table = Table("Where the figures come from", ("what", "which"), rows, words=2)
    says = "The same command gives the same figures with the same code, input files and versions."
    return Section("again", "How to get it again", says, tables=[table], commands=commands)


def _near(folder: Path) -> str:
    """A folder as one would type it from where one stands."""
    there = os.path.relpath(folder)
    return str(folder) if there.startswith("..") else there
