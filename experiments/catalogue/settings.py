"""What there is to set and to look up, as people read it: settings, regions, instruments, practices, outcomes, phases of the month."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from experiments.catalogue.chains import about_chain, chain_files
from experiments.catalogue.portfolios import Portfolio, portfolios
from experiments.configuration.declared import chosen_as_a_whole, declaring
from experiments.configuration.files import each_file
from experiments.configuration.rules import Rule
from experiments.formatting import value
from experiments.languages.wording import ENGLISH, label, say, spoken, written
from experiments.shells import typed
from experiments.terminal import COLUMNS, about, paragraphs, table, wrap

__all__ = [
    "MARKS",
    "Setting",
    "called",
    "described",
    "explained",
    "figures",
    "levers",
    "practice_of",
    "region_files",
    "setting",
    "settings",
]

#: Marks of confidence in a default: read in the source, arithmetic from it, recalled, an assumption.
MARKS = ("S", "D", "R", "N")


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
    legal = "{} … {}".format(*map(value, metadata["range"])) if "range" in metadata else ", ".join(choices)
    unit, mark, source = (str(metadata.get(key, "")) for key in ("unit", "confidence", "source"))
    meaning = metadata.get("meaning") or attribute(cls, f.name)
    return Setting(path, written(default), legal, unit, mark, source, meaning, choices)


def _ruled(path: str, default: Any, rule: Rule) -> Setting:
    return Setting(path, label(rule.default_is) or written(default), rule.legal, rule.unit, "", "", rule.meaning, rule.choices)


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


#: A symbol before a meaning.
SYMBOL = re.compile(r"^\w(?:: |：)")


def called(path: str, short: bool = False) -> str:
    """Return what a setting or a group of options is called where nobody types it: an instrument's lever with its instrument before it.

    A path that is not known stays as it is. Where there is little room, the dose of an instrument is called its dose.
    """
    if path in spoken().names_of("short_names"):
        return say(f"short_names.{path}")
    above, _, name = path.rpartition(".")
    declared = [(cls, f) for at, cls in declaring() if at == above for f in fields(cls) if f.name == name]
    one = setting(*declared[0], above) if declared else None
    if one is None or not one.meaning:
        return path
    meaning = SYMBOL.sub("", label(one.meaning))
    group, _, rest = path.partition(".")
    if group != "instruments":
        return meaning
    key = rest.split(".")[0]
    if short and _is_dose(key, name):
        return say("naming.dose", instrument=spoken().instrument(key))
    return say("things.lever", spoken().instrument(key), meaning)


def _is_dose(key: str, lever: str) -> bool:
    from sim import INSTRUMENTS

    return key in INSTRUMENTS and INSTRUMENTS[key].dose == lever


def region_files() -> Iterator[Any]:
    """Every region of configs/region, as the world takes it."""
    yield from each_file("region", _region)


def _region(path: Path) -> Any:
    from omegaconf import OmegaConf

    from experiments.configuration.schema import restore
    from sim import Region

    values = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    if not isinstance(values, dict):
        raise ValueError(say("explain.no_settings"))
    if "defaults" in values:  # it is made from another region
        from experiments.configuration.settings import compose_settings

        values = OmegaConf.to_container(compose_settings([f"region={path.stem}"]).region)
    region = restore(Region, cast(dict[str, Any], values))
    list(figures(region))  # what cannot be shown is not listed either
    return region


def figures(region: Any) -> Iterator[tuple[str, str, str, str]]:
    """Each figure of a region: its name, value and unit, source, and the kind of source."""
    for f in fields(region):
        if "range" not in f.metadata:
            continue
        number = getattr(region, f.name)
        source = region.sources.get(f.name) or (f.metadata["source"] if number == f.default else say("explain.no_source"))
        kind = "fact" if re.search(r"\bF\d{3}\b", source) else "assumption" if source.startswith("assumption") else "other"
        yield f.name, f"{written(number)} {label(f.metadata['unit'])}", source, kind


# -- explaining one thing --


def explained() -> Iterator[tuple[tuple[str, ...], Callable[[], list[str]]]]:
    """Everything that can be explained: the names it goes by, and what explains it."""
    from experiments.catalogue.practices import practices
    from sim import INSTRUMENTS, MONTH, OUTCOMES, SHOCKS

    for key, cls in INSTRUMENTS.items():
        yield tuple(dict.fromkeys((key, cls.label_zh, *cls.label_zh.split(", "), f"instruments.{key}"))), partial(of_instrument, cls)
    for key, of in SHOCKS.items():
        yield tuple(dict.fromkeys((key, of.label_zh, of.label, f"shocks.{key}"))), partial(of_shock, of)
    for region in region_files():
        yield tuple(dict.fromkeys((region.key, region.label, region.label_zh, f"region={region.key}"))), partial(of_region, region)
    for chain in chain_files():
        yield tuple(dict.fromkeys((chain.key, chain.label, chain.label_zh, f"chain={chain.key}"))), partial(about_chain, chain)
    for portfolio in portfolios():
        names = (portfolio.key, portfolio.label, portfolio.label_zh, f"policy={portfolio.key}", f"policy.{portfolio.key}")
        yield tuple(dict.fromkeys(names)), partial(of_portfolio, portfolio)
    for o in OUTCOMES.values():
        yield (o.key, o.label, o.label_zh), partial(of_outcome, o)
    for k, phase in enumerate(MONTH):
        yield (phase.__name__,), partial(of_phase, phase, k + 1, len(MONTH))
    for practice in practices():
        yield (practice.id, practice.practice, practice.english), partial(of_practice, practice)
    for s in settings():
        yield tuple(dict.fromkeys((s.path, s.name))), partial(of_setting, s)


def confidence(s: Setting) -> str:
    """Write a confidence mark with what it means."""
    return say("naming.confidence", mark=s.mark, meaning=say(f"marks.{s.mark}")) if s.mark else ""


def rows_of(**values: str) -> list[tuple[str, str]]:
    """Return rows of an explanation, each with its name from the table of phrases."""
    return [(say(f"explain.rows.{name}"), text) for name, text in values.items()]


def in_paragraphs(text: str) -> list[str]:
    """Wrap a docstring, each paragraph in the language that is spoken: a label stands for a whole paragraph, whatever its line breaks."""
    parts = (label(" ".join(part.split())) for part in inspect.cleandoc(text).split("\n\n"))
    return paragraphs("\n\n".join(parts))


def in_english(name: str) -> str:
    """Return an English name that stands beside a Chinese one, or nothing where English is not spoken: no reader needs it."""
    return name if spoken().code == ENGLISH else ""


def of_setting(s: Setting) -> list[str]:
    """Explain a setting."""
    rows = rows_of(meaning=label(s.meaning), default=s.default, range=label(s.legal), unit=label(s.unit), source=label(s.source))
    rows += rows_of(confidence=confidence(s), to_set=f"strongchain {s.path}=VALUE")
    return [say("explain.setting", path=s.path), *about(rows)]


#: Words with which lines of an instrument's docstring begin, each for one kind of statement.
NOTES = ("Cost", "Ends", "Stays", "Practice")


def practice_of(cls: Any) -> str:
    """Return the Chinese names of the practices that an instrument stands for, as its label lists them."""
    return say("naming.practices", names=cls.label_zh.split(", "))


def described(cls: Any) -> tuple[str, dict[str, str]]:
    """Take the docstring of an instrument apart: what it does, and each of its `NOTES`, the marks of code left out of these."""
    text, *notes = re.split(rf"^(?=(?:{'|'.join(NOTES)}): )", inspect.cleandoc(cls.__doc__ or ""), flags=re.MULTILINE)
    parts = (" ".join(note.split()).partition(": ") for note in notes)
    return text.strip(), {name: note for name, _, note in parts}


def levers(cls: Any) -> list[Setting]:
    """Levers of an instrument: its dose, those that it declares itself, those that every instrument has."""
    own = cls.__dict__.get("__annotations__", {})
    order = sorted(fields(cls), key=lambda f: (f.name != cls.dose, f.name not in own))
    return [setting(cls, f, f"instruments.{cls.key}") for f in order]


def of_instrument(cls: Any) -> list[str]:
    """Explain an instrument, the practices that become it, and its levers."""
    from experiments.catalogue.practices import of_instrument as mapped

    text, notes = described(cls)
    counts = say("things.counts", list(cls.counted.items()))
    practices = [": ".join(filter(None, (f"{one.id} {one.practice}", in_english(one.english)))) for one in mapped(cls.key)]
    lines = [say("explain.instrument", key=cls.key), "", *in_paragraphs(text), ""]
    rows = rows_of(practice=practice_of(cls)) + [(say(f"explain.notes.{name}"), label(note)) for name, note in notes.items()]
    rows += rows_of(counts=counts) + [("" if k else say("explain.rows.stands_for"), one) for k, one in enumerate(practices)]
    dose = rows_of(dose=say("explain.dose", dose=cls.dose), to_choose=typed(f"instruments=[{cls.key}]"))
    lines += [*about(rows), "", *about(dose)]
    for s in levers(cls):
        rows = rows_of(meaning=label(s.meaning), range=label(s.legal), unit=label(s.unit) if s.mark else "", source=label(s.source))
        title = say("explain.lever", path=s.path, default=s.default, is_dose=s.name == cls.dose)
        lines += ["", *wrap(title, COLUMNS), *about(rows + rows_of(confidence=confidence(s)))]
    return lines


def of_shock(cls: Any) -> list[str]:
    """Explain a shock, and its settings."""
    lines = [say("explain.shock", key=cls.key, english=cls.label, chinese=cls.label_zh), "", *in_paragraphs(cls.__doc__ or ""), ""]
    lines += about(rows_of(to_choose=typed(f"shocks=[{cls.key}]")))
    for f in fields(cls):
        s = setting(cls, f, f"shocks.{cls.key}")
        rows = rows_of(meaning=label(s.meaning), range=label(s.legal), unit=label(s.unit) if s.legal else "", source=label(s.source))
        title = say("explain.lever", path=s.path, default=s.default, is_dose=False)
        lines += ["", *wrap(title, COLUMNS), *about(rows + rows_of(confidence=confidence(s)))]
    return lines


def of_practice(one: Any) -> list[str]:
    """Explain a practice: what becomes of it in the model."""
    rows = rows_of(english=in_english(one.english), becomes="; ".join(map(label, one.becomes)), how=label(one.how))
    return [say("explain.practice", id=one.id, practice=one.practice), *about(rows)]


def of_outcome(o: Any) -> list[str]:
    """Explain an outcome."""
    rows = rows_of(english=in_english(o.label), chinese=o.label_zh, unit=label(o.unit), formula=label(o.formula))
    return [say("explain.outcome", key=o.key), *about(rows + rows_of(better=say(f"explain.better.{o.better or 'neither'}")))]


def of_region(region: Any) -> list[str]:
    """Explain a region: each figure with its source."""
    rows = [(name, text, label(source)) for name, text, source, _ in figures(region)]
    called = {"chains": region.chain_names, "counties": region.county_names}
    listed = {what: ", ".join(map(label, names)) for what, names in called.items() if names}
    names = ["", *about(rows_of(**listed))] if listed else []
    head = [say(f"heads.{name}") for name in ("figure", "value", "source")]
    return [say("explain.region", key=region.key, english=region.label, chinese=region.label_zh), "", *table(head, rows), *names]


def of_portfolio(one: Portfolio) -> list[str]:
    """Explain a portfolio: each instrument and each lever that it sets, with its source."""
    active, nowhere = say("explain.active"), say("explain.no_source")
    rows = [(path, written(one.levers.get(path, active)), label(one.sources.get(path, nowhere))) for path in one.paths]
    title = say("explain.portfolio", key=one.key, number=len(one.instruments), english=one.label, chinese=one.label_zh)
    lines = [title, "", *in_paragraphs(one.about)]
    head = [say(f"heads.{name}") for name in ("lever", "value", "source")]
    return [*lines, "", *table(head, rows)] if rows else lines


def of_phase(phase: Callable[..., Any], place: int, phases: int) -> list[str]:
    """Explain a phase: its docstring, and that of its file."""
    home, file = inspect.getmodule(phase), f"{phase.__module__.replace('.', '/')}.py"
    title = say("explain.phase", name=phase.__name__, place=place, phases=phases, file=file)
    lines = [title, "", *in_paragraphs(phase.__doc__ or "")]
    return [*lines, "", *in_paragraphs(home.__doc__ or "")] if home else lines
