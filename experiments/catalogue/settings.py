"""What there is to set and to look up, as people read it: settings, regions, instruments, practices, outcomes, phases of the month."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields, replace
from functools import partial
from typing import Any

from experiments.catalogue.portfolios import Portfolio, portfolios
from experiments.configuration.declared import chosen_as_a_whole, declaring
from experiments.configuration.files import CONFIGS
from experiments.configuration.rules import Rule
from experiments.terminal import COLUMNS, about, paragraphs, shown, table, wrap

__all__ = ["MARKS", "Setting", "explained", "figures", "levers", "parts_of_docstring", "region_files", "setting", "settings"]

MARKS = {
    "S": "read in the source",
    "D": "arithmetic from the source",
    "R": "recalled, to be verified",
    "N": "an assumption",
}


@dataclass(frozen=True)
class Setting:
    """One setting as people read it."""

    path: str
    default: str
    legal: str
    unit: str
    mark: str
    source: str
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Last part of its path."""
        return self.path.split(".")[-1]


def attribute(cls: type, name: str) -> str:
    """Return what the docstring of a class says of an attribute."""
    entry = re.search(rf"^(?:\w+, )*{name}(?:, \w+)* : .*\n((?:    .*\n?)+)", inspect.getdoc(cls) or "", re.MULTILINE)
    return " ".join(entry[1].split()).replace("``", "`").removesuffix(".") if entry else ""


def setting(cls: type, f: Field[Any], prefix: str) -> Setting:
    """Read a setting off the field that declares it."""
    path = f"{prefix}.{f.name}".removeprefix(".")
    metadata = f.metadata
    default = f.default if f.default is not MISSING else f.default_factory() if f.default_factory is not MISSING else None
    if rule := metadata.get("rule"):
        return _ruled(path, default, rule)
    choices = tuple(metadata.get("choices", ("true", "false") if isinstance(default, bool) else ()))
    legal = "{} … {}".format(*map(shown, metadata["range"])) if "range" in metadata else ", ".join(choices)
    unit, mark, source = (str(metadata.get(key, "")) for key in ("unit", "confidence", "source"))
    meaning = metadata.get("meaning") or attribute(cls, f.name)
    return Setting(path, shown(default), legal, unit, mark, source, meaning, choices)


def _ruled(path: str, default: Any, rule: Rule) -> Setting:
    return Setting(path, rule.default_is or shown(default), rule.legal, rule.unit, "", "", rule.meaning, rule.choices)


def settings() -> list[Setting]:
    """Every setting there is: of the study, the model, the region, the instruments and the network.

    What several kinds of study or of network have alike is one setting; where they differ in it, each has a setting of its own.
    """
    kind_of = {cls: f"{group}={kind}" for group, kinds in chosen_as_a_whole().items() for kind, cls in kinds.items()}
    kinds: dict[Setting, list[str]] = {}
    for prefix, cls in declaring():
        for f in fields(cls):
            kinds.setdefault(setting(cls, f, prefix), []).extend([kind_of[cls]] if cls in kind_of else [])
    return [replace(s, meaning=f"{s.meaning} ({', '.join(of)})".lstrip() if of else s.meaning) for s, of in kinds.items()]


def region_files() -> Iterator[Any]:
    """Every region of configs/region, as the world takes it."""
    from omegaconf import OmegaConf

    from sim import Region

    for path in sorted((CONFIGS / "region").glob("*.yaml")):
        yield Region(**OmegaConf.to_container(OmegaConf.load(path)))  # type: ignore[arg-type]


def figures(region: Any) -> Iterator[tuple[str, str, str, str]]:
    """Each figure of a region: its name, value and unit, source, and of which kind that is."""
    for f in fields(region):
        if "range" not in f.metadata:
            continue
        value = getattr(region, f.name)
        source = region.sources.get(f.name) or (f.metadata["source"] if value == f.default else "none was given")
        kind = "fact" if re.search(r"\bF\d{3}\b", source) else "assumption" if source.startswith("assumption") else "other"
        yield f.name, f"{shown(value)} {f.metadata['unit']}", source, kind


# -- explaining one thing --


def explained() -> Iterator[tuple[tuple[str, ...], Callable[[], list[str]]]]:
    """Everything that can be explained: its names, and what explains it."""
    from experiments.catalogue.practices import practices
    from sim import INSTRUMENTS, MONTH, OUTCOMES

    for key, cls in INSTRUMENTS.items():
        yield tuple(dict.fromkeys((key, cls.practice, *cls.practice.split(", "), f"instruments.{key}"))), partial(of_instrument, cls)
    for region in region_files():
        yield tuple(dict.fromkeys((region.key, region.label, region.label_zh, f"region={region.key}"))), partial(of_region, region)
    for portfolio in portfolios():
        names = (portfolio.key, portfolio.label, portfolio.label_zh, f"policy={portfolio.key}", f"policy.{portfolio.key}")
        yield tuple(dict.fromkeys(names)), partial(of_portfolio, portfolio)
    for o in OUTCOMES.values():
        yield (o.key, o.label, o.label_zh), partial(of_outcome, o)
    for k, phase in enumerate(MONTH):
        yield (phase.__name__,), partial(of_phase, phase, f"phase {k + 1} of {len(MONTH)} of the month")
    for practice in practices():
        yield (practice.id, practice.practice, practice.english), partial(of_practice, practice)
    for s in settings():
        yield tuple(dict.fromkeys((s.path, s.name))), partial(of_setting, s)


def confidence(s: Setting) -> str:
    """Write a confidence mark with what it means."""
    return f"{s.mark}, {MARKS[s.mark]}" if s.mark else ""


def of_setting(s: Setting) -> list[str]:
    """Explain a setting."""
    rows = [("meaning", s.meaning), ("default", s.default), ("range", s.legal), ("unit", s.unit), ("source", s.source)]
    return [f"{s.path}: a setting", *about([*rows, ("confidence", confidence(s)), ("to set it", f"strongchain {s.path}=VALUE")])]


#: What the docstring of an instrument may say of it at the start of a line, and how that is called.
NOTES = {"Cost": "cost", "Ends": "ends with it", "Stays": "outlasts it", "Practice": "documents"}


def parts_of_docstring(cls: Any) -> tuple[str, dict[str, str]]:
    """Take the docstring of an instrument apart: what it does, and each of its `NOTES`, the marks of code left out of these."""
    text, *notes = re.split(rf"^(?=(?:{'|'.join(NOTES)}): )", inspect.cleandoc(cls.__doc__ or ""), flags=re.MULTILINE)
    parts = (" ".join(note.split()).partition(": ") for note in notes)
    return text.strip(), {label: text_of for label, _, text_of in parts}


def levers(cls: Any) -> list[Setting]:
    """Levers of an instrument: its dose, those that it declares itself, those that every instrument has."""
    own = cls.__dict__.get("__annotations__", {})
    order = sorted(fields(cls), key=lambda f: (f.name != cls.dose, f.name not in own))
    return [setting(cls, f, f"instruments.{cls.key}") for f in order]


def of_instrument(cls: Any) -> list[str]:
    """Explain an instrument, of the practices that become it, and of its levers."""
    from experiments.catalogue.practices import of_instrument as practices_of

    text, notes = parts_of_docstring(cls)
    counts = "; ".join(f"{name} ({text_of})" for name, text_of in cls.counted.items())
    practices = [f"{practice.id} {practice.practice}: {practice.english}" for practice in practices_of(cls.key)]
    lines = [f"{cls.key}: an instrument", "", *paragraphs(text), ""]
    lines += about(
        [("practice", cls.practice), *((NOTES[label], text_of) for label, text_of in notes.items()), ("counts", counts)]
        + [("" if k else "stands for", text_of) for k, text_of in enumerate(practices)]
    )
    lines += ["", *about([("dose", f"{cls.dose} (at 0 the instrument is off)"), ("to choose", f"'instruments=[{cls.key}]'")])]
    for s in levers(cls):
        rows = [("range", s.legal), ("unit", s.unit if s.mark else ""), ("source", s.source), ("confidence", confidence(s))]
        lines += [
            "",
            *wrap(f"{s.path} = {s.default}{' (the dose)' if s.name == cls.dose else ''}", COLUMNS),
            *about([("meaning", s.meaning), *rows]),
        ]
    return lines


def of_practice(practice: Any) -> list[str]:
    """Explain a practice: what becomes of it in the model."""
    rows = [("in English", practice.english), ("becomes", "; ".join(practice.becomes)), ("how", practice.how)]
    return [f"{practice.id} {practice.practice}: a practice", *about(rows)]


def of_outcome(o: Any) -> list[str]:
    """Explain an outcome."""
    rows = [("English", o.label), ("中文", o.label_zh), ("unit", o.unit), ("formula", o.formula), ("better", o.better or "neither")]
    return [f"{o.key}: an outcome", *about(rows)]


def of_region(region: Any) -> list[str]:
    """Explain a region: each figure with its source."""
    rows = [(name, value, source) for name, value, source, _ in figures(region)]
    names = ["", *about([("chains", ", ".join(region.chain_names))])] if region.chain_names else []
    return [f"{region.key}: a region, {region.label}, {region.label_zh}", "", *table(("figure", "value", "source"), rows), *names]


def of_portfolio(portfolio: Portfolio) -> list[str]:
    """Explain a portfolio: each instrument and each lever that it sets, with its source."""
    rows = [(path, shown(portfolio.levers.get(path, "active")), portfolio.sources.get(path, "none was given")) for path in portfolio.paths]
    lines = [
        f"{portfolio.key}: a portfolio of {len(portfolio.instruments)} instruments, {portfolio.label}, {portfolio.label_zh}",
        "",
        *paragraphs(portfolio.about),
    ]
    return [*lines, "", *table(("instrument or lever", "value", "source"), rows)] if rows else lines


def of_phase(phase: Callable[..., Any], place: str) -> list[str]:
    """Explain a phase: its docstring, and that of its file."""
    home = inspect.getmodule(phase)
    lines = [f"{phase.__name__}: {place}, in {phase.__module__.replace('.', '/')}.py", "", *paragraphs(phase.__doc__ or "")]
    return [*lines, "", *paragraphs(home.__doc__ or "")] if home else lines
