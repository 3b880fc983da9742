"""The report of a study: one HTML file that needs nothing beside it, read in two minutes and printed on A4."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from experiments.analysis.arms import active_in, names_of_arms, regions_of, shocks_in
from experiments.analysis.results import Comparison
from experiments.catalogue.settings import Setting, called, figures
from experiments.formatting import value
from experiments.languages.wording import label, say, spoken, written
from experiments.reports.elements import Section, Table, heads
from experiments.reports.findings import Findings, arm_of, findings
from experiments.reports.sections import results
from experiments.reports.study import Studied, assumptions, by_default, leaves, pivotal_paths, portfolio, value_at
from experiments.reports.verdict import verdict
from experiments.runs.files import update_sums, write_whole
from experiments.shells import command
from sim import INSTRUMENTS, SHOCKS, Instrument, Region, Shock

#: What of an arm is only a name, or is said elsewhere.
UNSAID = ("portfolio.", "policy_files", "shocks.")
__all__ = ["again", "answer", "assumed", "page", "report", "terms", "write_report"]

#: The terms of the report that not everybody uses, in the order in which they are explained.
TERMS = ("field_dpu", "nonconformity", "arm", "replicate", "interval", "shown", "copq", "fieller", "tier")


def report(comparison: Comparison, folder: Path | None = None) -> str:
    """Return the report of a study as HTML that asks for nothing outside itself.

    Parameters
    ----------
    comparison : Comparison
        One loaded from disk has no quality maps: the figure of the network is left out, and the report says so.
    folder : Path, optional
        Where the study lies, for the command that runs it again and the figures that it has already; without it, as in a notebook,
        that command is left out.
    """
    shown = findings(comparison)
    return page(
        question=say("question.study", shown),
        subtitle=_subtitle(comparison, shown),
        verdict=verdict(comparison, shown),
        answer=answer(shown),
        arms=_arms(comparison, shown),
        sections=results(comparison, shown, folder),
        last=[again(comparison, folder), assumed(comparison)],
        terms=terms(TERMS, other_worlds=bool(shown.other_worlds)),
        about=comparison.manifest,
        failures=say("report.failures", comparison.manifest.get("failed", [])),
    )


def answer(shown: Findings) -> list[tuple[str, str]]:
    """Return the answer of a study in three parts, each with its heading: the effect, what it costs whom, what is not shown.

    Nothing counts as an effect that the study does not show to differ from 0.
    """
    return [(say(f"answer.lead.{what}"), say(f"answer.{what}", shown)) for what in ("effect", "cost", "limits")]


def terms(names: Sequence[str], **values: Any) -> list[tuple[str, str]]:
    """Return terms with their meanings, by their names in the table of phrases."""
    return [(say(f"terms.{name}.term"), say(f"terms.{name}.meaning", **values)) for name in names]


def page(**parts: Any) -> str:
    """Return a report as HTML, made of its parts: question, subtitle, verdict, answer, arms, sections, last, terms, about and failures."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["tongues"] = _tongues
    return environment.get_template("report.html").render(say=say, language=spoken().code, **parts)


def write_report(comparison: Comparison, folder: Path) -> None:
    """Write the report of a study into its folder, as ``report.html``."""
    write_whole(folder / "report.html", report(comparison, folder).encode())
    update_sums(folder, "report.html")


def _tongues(text: str) -> Markup:
    """Mark the Chinese in a text, so that browsers show and read it as Chinese; allow line breaks inside long names of settings."""
    chinese = re.sub(r"([\u3400-\u9fff]+)", r'<span lang="zh">\1</span>', str(escape(text)))
    return Markup(re.sub(r"(?<=[a-z0-9])([_.])(?=[a-z])", r"\1<wbr>", chinese.replace(" %", "\u00a0%")))


# -- what was compared --------------------------------------------------------------------------------------


def _subtitle(comparison: Comparison, shown: Findings) -> str:
    about = comparison.manifest
    return say("report.subtitle", shown, len(about["arms"]), about["configuration"]["seed"], about["finished"][:10], about["id"])


def _arms(comparison: Comparison, shown: Findings) -> Table:
    """Every arm, and what is in it."""
    described = by_default(comparison)
    rows = [
        (arm, *([say("arms.name", arm_of(comparison, arm))] if described else []), _contents(comparison, arm))
        for arm in comparison.manifest["arms"]
    ]
    head = heads("arm", *(["in_words"] if described else []), "contents")
    return Table(say("report.arms_caption", bool(shown.other_worlds)), head, rows, text_columns=3)


def _contents(comparison: Comparison, arm: str) -> str:
    """Instruments of an arm with their doses, levers that are not at their defaults, and what else differs from the reference."""
    ours, base = (comparison.manifest["arms"][name] for name in (arm, comparison.reference))
    instruments = [(key, _levers(INSTRUMENTS.get(key), ours["instruments"][key])) for key in active_in(ours)]
    shocks = [
        (say("things.place", SHOCKS[key].label, SHOCKS[key].label_zh), _levers(SHOCKS[key], ours["shocks"][key]))
        for key in shocks_in(ours)
        if key in SHOCKS
    ]
    base_values = dict(leaves(base))
    differing = [(called(path), of) for path, of in leaves(ours) if of != base_values.get(path) and not path.startswith(UNSAID)]
    return say("report.contents", instruments, shocks, differing, arm == comparison.reference)


def _levers(cls: type[Instrument | Shock] | None, values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """The dose of an instrument, or size and time of a shock, and the levers that are not at their defaults: meaning, unit, value."""
    if cls is None:
        return []
    always = (cls.dose,) if issubclass(cls, Instrument) else ("size", "month", "months")
    declared = cls.__dataclass_fields__
    kept = [
        name
        for name, of in values.items()
        if name in always or (name in declared and name != "sizes" and value(of) != value(declared[name].default))
    ]
    about = {name: declared[name].metadata for name in kept}
    return [(str(about[name].get("meaning", name)), str(about[name].get("unit", "1")), values[name]) for name in kept]


# -- assumptions ----------------------------------------------------------------------------------------------


def assumed(comparison: Studied) -> Section:
    """Settings marked N: open those of the instruments compared, those on which most depends and those that were changed."""
    marked = assumptions(comparison)
    active = dict.fromkeys(key for arm in comparison.manifest["arms"].values() for key in active_in(arm))
    own = {f"instruments.{key}.{name}" for key in active if key in INSTRUMENTS for name in inspect.get_annotations(INSTRUMENTS[key])}
    own |= {one.path for one in marked if one.path.startswith("shocks.")}
    first = {*own, *pivotal_paths(comparison), *(f"instruments.{key}.{INSTRUMENTS[key].dose}" for key in active if key in INSTRUMENTS)}
    rows = [(one, _used(comparison, one)) for one in marked]
    near = [row for row in rows if row[0].path in first or row[1] != row[0].default]
    far = [row for row in rows if row not in near]
    tables = [
        _settings(say("report.near_assumptions"), near, False),
        _settings(say("report.far_assumptions"), far, True),
        *(_region(figures_of) for figures_of in regions_of(comparison.manifest["configuration"])),
    ]
    return Section(
        "assumptions",
        say("report.assumptions_heading"),
        say("report.assumptions", number=len(marked)),
        tables=[table for table in tables if table.rows],
    )


def _settings(caption: str, rows: list[tuple[Setting, str]], folded: bool) -> Table:
    """A table of settings; a folded table has only settings with default values, so it does not repeat the defaults."""
    names = ("setting", "what_it_is", "unit", "used_here", *(() if folded else ("default",)), "may_be")
    cells = [(s.path, label(s.meaning), label(s.unit), used, *(() if folded else (s.default,)), label(s.legal)) for s, used in rows]
    return Table(caption, heads(*names), cells, text_columns=3, folded=folded)


def _used(comparison: Studied, one: Setting) -> str:
    """The value of a setting in this study; where arms differ, each value with its arms."""
    group, _, rest = one.path.partition(".")
    by: dict[str, list[str]] = {}
    names = names_of_arms(comparison.manifest)
    for name, arm in comparison.manifest["arms"].items():
        if group == "instruments" and rest.split(".")[0] not in active_in(arm):
            continue
        if group == "shocks" and rest.split(".")[0] not in shocks_in(arm):
            continue
        if group == "network" and rest not in arm["network"]:  # of another kind
            continue
        by.setdefault(written(value_at(arm, one.path)), []).append(names.get(name, name))
    return next(iter(by)) if len(by) == 1 else say("report.used", list(by.items()))


def _region(values: Mapping[str, Any]) -> Table:
    """Figures of a region that are assumptions, and the others with their sources."""
    region = Region(**{**values, "sources": values.get("sources") or {}})
    rows = [(called(f"region.{name}"), text, label(source)) for name, text, source, _ in figures(region)]
    head = heads("figure", "value", "source")
    return Table(say("report.region_caption", region=label(region)), head, rows, text_columns=3, folded=True)


# -- how to get it again ----------------------------------------------------------------------------------------


def again(comparison: Studied, folder: Path | None) -> Section:
    """How to get a study again: its command, and where its figures come from."""
    about = comparison.manifest
    overrides = [word for word in about["overrides"] if not word.startswith("name=")]
    commands = [(say("report.command"), command(["strongchain", *overrides]))]
    if folder is not None:
        commands.append((say("report.rerun"), command(["strongchain", "rerun", _near(folder)])))
    rows = [
        ("study", about["id"]),
        *([("result", about["result"])] if "result" in about else []),
        ("code", say("report.commit", about["commit"], about["uncommitted_changes"])),
        *([("portfolio", name)] if (name := portfolio(comparison)) else []),
        ("seed", str(about["configuration"]["seed"])),
        ("versions", ", ".join(f"{name} {version}" for name, version in about["versions"].items())),
        ("platform", about["platform"]),
        ("finished", about["finished"]),
    ]
    table = [(say(f"report.provenance.{name}"), text) for name, text in rows]
    table += [(say("report.provenance.input", path=path), f"SHA-256 {content}") for path, content in about["input_files"].items()]
    for name, notes in (("note", about.get("notes", ())), ("network_note", about["network_notes"]), ("failure", about.get("failed", []))):
        table += [(say(f"report.provenance.{name}"), label(note) if name == "network_note" else note) for note in notes]
    head = heads("what", "which")
    provenance = Table(say("report.provenance_caption"), head, table, text_columns=2)
    return Section("again", say("report.again_heading"), say("report.again"), tables=[provenance], commands=commands)


def _near(folder: Path) -> str:
    """A folder as one would type it from where one stands."""
    from_here = os.path.relpath(folder)
    return str(folder) if from_here.startswith("..") else from_here
