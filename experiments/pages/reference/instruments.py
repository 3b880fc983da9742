"""The page of the instruments and of the practices that they stand for: ``make docs`` writes it to docs/."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.catalogue.practices import KINDS, NOT_MODELLED, Practice, of_instrument, practices
from experiments.catalogue.settings import Setting, levers, parts_of_docstring
from experiments.formatting import table
from experiments.pages import REFERENCE
from experiments.terminal import first_line
from sim import INSTRUMENTS, Instrument
from sim.instruments import TAKEN_ON

__all__ = ["ORDER", "anchor", "heading", "instruments_page", "write"]

#: The order in which they are told: what firms have and do, their chains, experts and laboratories, data, the state, the rest of policy.
ORDER = (
    "cqo", "one_stop_stations", "strong_chain_loans", "supplier_development", "supplier_qualification", "consortia", "quality_map",
    "training_bases", "stewards", "certification", "standards", "metrology", "testing_services", "digital_quality", "traceability",
    "recall", "supervision", "awards", "brands", "mutual_help", "service_manuals", "assessment",
)  # fmt: skip

INTRODUCTION = f"""\
# Instruments, and what becomes of each practice

Written by `make docs` from the code and from `experiments/catalogue/practices.csv`.

The first part tells of each instrument what it does in the model, what it costs and whom, what it counts, and what is left when it ends.
The second part goes through the {{count}} practices that were found in the documents, one by one, and tells what each became; the third
counts them. How instruments are combined into portfolios of places: [portfolios.md](portfolios.md).

How to read it:

- **An instrument is a mechanism under stated assumptions, not a finding.** Documents give scale (how many, how much a piece), by ids
  such as F033; none gives an effect that was measured against a control group. What is marked N is an assumption: vary it.
- **Dose**: the one lever that turns it up; at 0 the instrument is exactly off. Its default comes with its legal range, its confidence
  mark and its source.
- **Every instrument has the same levers of delivery**: in which month it begins (`start`), for how long (`length`), how fast it grows
  (`ramp`), the share of eligible firms it reaches (`reach`), how many a month (`monthly_capacity`), of which sizes (`sizes`), whom first
  (`targeting`), what a firm costs once (`unit_cost`), which share of that government bears (`government_share`), and what government may
  spend in all (`budget`). They are in the tables of [parameters.md](parameters.md) with unit, range, source and confidence.
- **Counts** say what was delivered, never what it did. Every programme also counts `{TAKEN_ON[0]}` and the CNY that government spent.
- **Practice fades**: whatever a firm learnt falls back towards its natural level when nobody keeps it up, slowly
  (`parameters.practice_decay`). "Stays" means: is not undone on the day the programme ends."""

MAPPING = """\
## What becomes of each practice

Names are those of the documents, shortened where they are long; the English names and all other words are ours. "Becomes" names a lever
(`consortia.projects`), one that every instrument has (`delivery.ramp`), or a setting that is there without any programme
(`region.stations`, `parameters.traceability`, the `network`, the list of `instruments`). To set a lever, put `instruments.` in front of
it. What is not modelled is said to be so, and why: no conclusion about such a practice can be drawn from this model, neither that it
works nor that it does not."""


def heading(cls: type[Instrument]) -> str:
    """Return the heading under which an instrument is told."""
    return f"{cls.practice} `{cls.key}`"


def anchor(title: str) -> str:
    """Return what a link within Markdown calls a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def in_order() -> list[type[Instrument]]:
    """Return all instruments, those that are not in `ORDER` last."""
    return sorted(INSTRUMENTS.values(), key=lambda cls: ORDER.index(cls.key) if cls.key in ORDER else len(ORDER))


def _code(text: str) -> str:
    """Mark names of settings as Markdown does; docstrings do so already."""
    return re.sub(r"(?<![`\w])(parameters\.\w+)(?!`)", r"`\1`", text)


def _value(s: Setting) -> str:
    unit = "" if s.unit == "1" else f" {s.unit}"
    return f"{s.default}{unit}"


def _lever(s: Setting) -> str:
    return f"`{s.name}` {_value(s)}" + (f" ({s.mark})" if s.mark else "")


def _instrument(cls: type[Instrument]) -> Iterator[str]:
    """Tell of an instrument."""
    text, notes = parts_of_docstring(cls)
    dose, *others = levers(cls)
    own = [s for s in others if s.name in cls.__dict__["__annotations__"]]
    home = Path(inspect.getfile(cls)).name
    yield from ("", f"### {heading(cls)}", "", f"**{first_line(inspect.getmodule(cls).__doc__)}** {' '.join(text.split())}", "")
    yield f"- **Dose**: `{dose.name}`, {dose.meaning}; {_value(dose)} by default ({dose.legal} is legal); {dose.mark}: {dose.source}"
    shared = "all of them with range, source and confidence"
    listed = ", ".join(map(_lever, own)) or "those of delivery"
    yield f"- **Levers of its own**: {listed}; [{shared}](parameters.md#{anchor(f'Instrument `{cls.key}`')})"
    yield from (f"- **{name}**: {_code(notes[label])}" for label, name in TITLES.items())
    yield f"- **Counts**: {'; '.join(f'`{name}` ({said})' for name, said in cls.counted.items())}"
    yield f"- **In practice**: {notes['Practice']}"
    yield f"- **Practices that become it**: {', '.join(f'{one.id} {one.practice}' for one in of_instrument(cls.key))}"
    yield f"- **Code**: [{home}](../../sim/instruments/{home})"


TITLES = {"Cost": "Who pays", "Ends": "Ends with the programme", "Stays": "Outlasts it"}


def _overview() -> list[str]:
    rows = []
    for cls in in_order():
        dose = levers(cls)[0]
        summary = first_line(cls.__doc__).split(" (")[0]
        rows.append([f"[{cls.practice}](#{anchor(heading(cls))})", f"`{cls.key}`", f"{summary}.", f"`{dose.name}` = {_value(dose)}"])
    return table(["practice", "instrument", "what it does", "dose by default"], rows)


def _mapping(every: Sequence[Practice]) -> list[str]:
    rows = []
    for one in every:
        becomes = NOT_MODELLED if one.kind == NOT_MODELLED else ", ".join(f"`{path}`" for path in one.becomes)
        rows.append([one.id, one.practice, one.english, becomes, _code(one.how)])
    return table(["", "practice", "in English", "becomes", "how, or why not"], rows)


def _summary(every: Sequence[Practice]) -> list[str]:
    kinds = Counter(one.kind for one in every)
    said = (
        "a lever of an instrument",
        "a setting of the world, or of which programmes there are and when, and no instrument of its own",
        "nothing: not modelled",
    )
    total = table(["practices that become", "number"], [*zip(said, (kinds[kind] for kind in KINDS), strict=True), ("all", len(every))])
    rows = [(f"[{cls.practice}](#{anchor(heading(cls))})", f"`{cls.key}`", len(of_instrument(cls.key))) for cls in in_order()]
    twice = sum(len({path.split(".")[0] for path in one.becomes if path.split(".")[0] in INSTRUMENTS}) > 1 for one in every)
    note = f"Of each instrument; {twice} practices become levers of two of them and are counted at both."
    return [*total, "", note, "", *table(["practice", "instrument", "practices that become it"], rows)]


def instruments_page() -> str:
    """Return the page: instrument by instrument, then practice by practice, then how many became what."""
    every = practices()
    lines = [*INTRODUCTION.format(count=len(every)).splitlines(), "", "## The instruments", "", *_overview()]
    lines += [line for cls in in_order() for line in _instrument(cls)]
    lines += ["", *MAPPING.splitlines(), "", *_mapping(every), "", "## How many became what", "", *_summary(every)]
    return "\n".join(lines) + "\n"


def write(folder: Path = REFERENCE) -> None:
    """Write the page into a folder."""
    (folder / "instruments.md").write_text(instruments_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
