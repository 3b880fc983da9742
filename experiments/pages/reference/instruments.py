"""The page of the instruments and of the practices that they stand for: ``make docs`` writes it to docs/."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.catalogue.practices import KINDS, NOT_MODELLED, Practice, of_instrument, practices
from experiments.catalogue.settings import Setting, described, levers
from experiments.formatting import table
from experiments.pages import REFERENCE
from experiments.terminal import first_line
from sim import INSTRUMENTS, Instrument
from sim.instruments import TAKEN_ON, Theme

__all__ = ["anchor", "heading", "in_order", "instruments_page", "write"]

INTRODUCTION = f"""\
# Instruments, and what becomes of each practice

Written by `make docs` from the code and from `experiments/catalogue/practices.csv`.

The first part describes each instrument: what it does in the model, what it costs and who pays, what it counts, and what remains when it
ends. The second part lists the {{count}} practices that the documents name, and says what each becomes in the model; the third part counts
them. For the portfolios that combine instruments see [portfolios.md](portfolios.md).

How to read it:

- **An instrument is a mechanism under stated assumptions, not a finding.** Documents give scale (how many, at
  what unit cost), by ids such as F033; none gives an effect that was measured against a control group. What is marked N is an assumption:
  vary it.
- **Dose**: the lever that sets the strength of the instrument; at 0 it is exactly off. Its default comes with its legal range, its
  confidence mark and its source.
- **Every instrument has the same levers of delivery**: in which month it begins (`start`), for how long (`length`), how fast it grows
  (`ramp`), the share of eligible firms it reaches (`reach`), how many firms a month (`monthly_capacity`), of which sizes (`sizes`), of
  which chains and counties (`chains`, `counties`), or which places in turn (`waves`), which firms first (`targeting`), how long a firm
  takes part (`tenure`, `until_done`), when all places are given anew (`rechoose`), the one-off cost per firm (`unit_cost`), the share of
  it that government bears (`government_share`), and the most that government may spend (`budget`). The tables of
  [parameters.md](parameters.md) give their unit, range, source and confidence.
- **Counts** say what was delivered, never its effect. Every programme also counts `{TAKEN_ON[0]}` and the CNY that government spent.
- **Practice fades**: what a firm learnt falls back slowly towards its natural level when nobody maintains it
  (`parameters.practice_decay`). "Outlasts it" means: does not stop on the day the programme ends."""

MAPPING = """\
## What becomes of each practice

Chinese names are those of the documents, shortened where they are long; the English names and all other text are the project's own.
"Becomes" names a lever of an instrument (`consortia.projects`), a lever of all instruments (`delivery.ramp`), or a setting that exists
without any programme (`region.stations`, `parameters.traceability`, the `network`, the list of `instruments`). To set a lever, put
`instruments.` in front of it. For a practice that is not modelled, the table gives the reason: this model cannot show whether it works."""


def heading(cls: type[Instrument]) -> str:
    """Return the heading of an instrument."""
    return f"{cls.label_zh} `{cls.key}`"


def anchor(title: str) -> str:
    """Return the anchor of a heading, for links within Markdown."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def in_order() -> list[type[Instrument]]:
    """Return all instruments, theme by theme, and by key within a theme."""
    return sorted(INSTRUMENTS.values(), key=lambda cls: (list(Theme).index(cls.theme), cls.key))


def _code(text: str) -> str:
    """Mark names of settings as Markdown does; docstrings do so already."""
    return re.sub(r"(?<![`\w])(parameters\.\w+)(?!`)", r"`\1`", text)


def _value(s: Setting) -> str:
    unit = "" if s.unit == "1" else f" {s.unit}"
    return f"{s.default}{unit}"


def _lever(s: Setting) -> str:
    return f"`{s.name}` {_value(s)}" + (f" ({s.mark})" if s.mark else "")


def _instrument(cls: type[Instrument]) -> Iterator[str]:
    """Describe an instrument."""
    text, notes = described(cls)
    dose, *others = levers(cls)
    own = [s for s in others if s.name in cls.__dict__["__annotations__"]]
    home = Path(inspect.getfile(cls)).name
    yield from ("", f"### {heading(cls)}", "", f"**{first_line(inspect.getmodule(cls).__doc__)}** {' '.join(text.split())}", "")
    yield f"- **Dose**: `{dose.name}`, {dose.meaning}; {_value(dose)} by default ({dose.legal} is legal); {dose.mark}: {dose.source}"
    shared = "all of them with range, source and confidence"
    listed = ", ".join(map(_lever, own)) or "those of delivery"
    yield f"- **Levers of its own**: {listed}; [{shared}](parameters.md#{anchor(f'Instrument `{cls.key}`')})"
    yield f"- **Its effect depends most on**: `{cls.hinges_on}`"
    yield from (f"- **{name}**: {_code(notes[label])}" for label, name in TITLES.items())
    yield f"- **Counts**: {'; '.join(f'`{name}` ({meaning})' for name, meaning in cls.counted.items())}"
    yield f"- **In practice**: {notes['Practice']}"
    yield f"- **Practices that become it**: {', '.join(f'{one.id} {one.practice}' for one in of_instrument(cls.key))}"
    yield f"- **Code**: [{home}](../../sim/instruments/{home})"


TITLES = {"Cost": "Who pays", "Ends": "Ends with the programme", "Stays": "Outlasts it"}


def _overview() -> list[str]:
    rows = []
    for cls in in_order():
        dose = levers(cls)[0]
        summary = first_line(cls.__doc__).split(" (")[0]
        link = f"[{cls.label_zh}](#{anchor(heading(cls))})"
        rows.append([cls.theme.value, link, cls.label, f"`{cls.key}`", f"{summary}.", f"`{dose.name}` = {_value(dose)}"])
    return table(["theme", "practice", "in English", "instrument", "what it does", "dose by default"], rows)


def _mapping(every: Sequence[Practice]) -> list[str]:
    rows = []
    for one in every:
        becomes = NOT_MODELLED if one.kind == NOT_MODELLED else ", ".join(f"`{path}`" for path in one.becomes)
        rows.append([one.id, one.practice, one.english, becomes, _code(one.how)])
    return table(["", "practice", "in English", "becomes", "how, or why not"], rows)


def _summary(every: Sequence[Practice]) -> list[str]:
    kinds = Counter(one.kind for one in every)
    meanings = (
        "a lever of an instrument",
        "a setting of the world or of the programmes, and no instrument of its own",
        "nothing: not modelled",
    )
    total = table(["practices that become", "number"], [*zip(meanings, (kinds[kind] for kind in KINDS), strict=True), ("all", len(every))])
    rows = [(f"[{cls.label_zh}](#{anchor(heading(cls))})", f"`{cls.key}`", len(of_instrument(cls.key))) for cls in in_order()]
    twice = sum(len({path.split(".")[0] for path in one.becomes if path.split(".")[0] in INSTRUMENTS}) > 1 for one in every)
    note = f"By instrument; {twice} practices become levers of two instruments and are counted for both."
    return [*total, "", note, "", *table(["practice", "instrument", "practices that become it"], rows)]


def instruments_page() -> str:
    """Return the page: all instruments, then all practices, then their counts."""
    every = practices()
    lines = [*INTRODUCTION.format(count=len(every)).splitlines(), "", "## The instruments", "", *_overview()]
    lines += [line for cls in in_order() for line in _instrument(cls)]
    lines += ["", *MAPPING.splitlines(), "", *_mapping(every), "", "## Number of practices by what they become", "", *_summary(every)]
    return "\n".join(lines) + "\n"


def write(folder: Path = REFERENCE) -> None:
    """Write the page into a folder."""
    (folder / "instruments.md").write_text(instruments_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
