"""The page of the portfolios, lever by lever with its source: ``make docs`` writes docs/reference/portfolios.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from experiments.catalogue.portfolios import Portfolio, portfolios
from experiments.catalogue.settings import Setting, setting
from experiments.formatting import table
from experiments.pages import REFERENCE
from experiments.pages.reference.regions import read_source
from experiments.terminal import shown
from sim import INSTRUMENTS

__all__ = ["portfolios_page", "read_formula", "write"]

#: Signs of the overview: a figure of the documents sets a lever; the instrument is on, no figure sets any.
FIGURE, NAMED = "●", "○"


def read_formula(how: str) -> tuple[str, str]:
    """Take the formula, if there is one, from how a lever was read: ``"`F034 / F023`: chains covered"``."""
    found = re.fullmatch(r"`([^`]+)`: (.*)", how)
    return (found[1], found[2]) if found else ("", how)


def _sign(one: Portfolio, key: str) -> str:
    """How a portfolio stands to an instrument."""
    if key not in one.instruments:
        return ""
    levers = [path for path in one.levers if path.startswith(f"instruments.{key}.")]
    return FIGURE if any(read_source(one.sources[path])[0] for path in levers) else NAMED


def _overview(every: Sequence[Portfolio]) -> list[str]:
    rows = []
    for one in every:
        read = [path for path in one.levers if read_source(one.sources[path])[0]]
        name = f"[`{one.key}`](#{one.key})"
        rows.append([name, one.label, one.label_zh, len(one.instruments), len(read), len(one.levers) - len(read)])
    return table(["policy", "", "", "instruments", "levers from documents", "levers by assumption"], rows)


def _by_instrument(every: Sequence[Portfolio]) -> list[str]:
    rows = [[f"`{key}`", cls.label_zh, *(_sign(one, key) for one in every)] for key, cls in INSTRUMENTS.items()]
    return table(["instrument", "practice", *(f"`{one.key}`" for one in every)], rows)


def _rows(one: Portfolio) -> Iterator[list[str]]:
    """The lines of a portfolio: each instrument, then the levers that are set for it."""
    known = {
        found.path: found
        for key in one.instruments
        for found in (setting(INSTRUMENTS[key], f, f"instruments.{key}") for f in fields(INSTRUMENTS[key]))
    }
    for path in one.paths:
        facts, words, how = read_source(one.sources[path])
        formula, how = read_formula(how)
        name = path.removeprefix("instruments.")
        lever = known[path] if path in one.levers else None
        yield [
            *(
                [f"`{name}`", shown(one.levers[path]), lever.default, lever.unit.removesuffix("1")]
                if lever
                else [f"**`{name}`**", "on", "", ""]
            ),
            ", ".join(facts) or "—",
            f"`{formula}`" if formula else "—",
            "; ".join(words) or "—",
            how,
        ]


def _lever(name: str, value: Any, lever: Setting) -> list[str]:
    return [f"`{name}`", shown(value), lever.default, lever.unit.removesuffix("1")]


def portfolios_page() -> str:
    """Return the page of all portfolios: what was read where, in which words, and what is assumed."""
    every = portfolios()
    lines = [*INTRODUCTION.splitlines(), "", *_overview(every), "", "## Which portfolio has which instrument", "", *SIGNS.splitlines(), ""]
    lines += [*_by_instrument(every), "", *NOT_MADE.splitlines()]
    head = ["instrument or lever", "value", "default", "unit", "read from", "computed as", "original words", "how, or why assumed"]
    for one in every:
        lines += ["", f"## {one.key}", "", f"{one.label} {one.label_zh} (`policy={one.key}`). {one.about}", "", *table(head, _rows(one))]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write the page into a folder."""
    (folder / "portfolios.md").write_text(portfolios_page(), encoding="utf-8")


INTRODUCTION = """\
# The portfolios

Written by `make docs` from `configs/policy`. A portfolio switches instruments on and sets some of their
levers as a place reported them; any portfolio runs in any region:

```
strongchain region=liaoning policy=guangdong
strongchain region=liaoning 'study.arms={nothing: ["instruments=[]"], guangdong: ["policy=guangdong"], jiangsu: ["policy=jiangsu"]}'
strongchain policies; strongchain explain policy.guangdong
```

The first has the arms nothing, each of the nine instruments alone, and all of them together: as many runs as there are instruments,
and two more (23 arms for `national`). The second has whole portfolios alone, and is the one to compare places with. Levers can be typed
beside a portfolio (`instruments.cqo.reach=0.9`); a typed `instruments=[…]` decides which of its instruments are on.

- **Figures are what authorities say of themselves**, in reports of successes without a control group. They set scale (how many firms,
  stations, samples, projects; what a unit costs), never the size of an effect: what an officer or a visit changes is an assumption of
  the instrument and the same in every portfolio. So **portfolios must not be ranked as if places were**: a portfolio that does more
  here may only have been counted on another base, over fewer firms, or told at greater length.
- **Densities travel**, not counts: shares of firms, per 1,000 firms, per chain. The column "computed as" has the arithmetic, with facts by
  their ids (F019) and the chains and firms of the place's [region](regions.md) (`jiangsu.firms`). Where the region has its firms from
  an assumption (355 a chain), so has the density. Ids like I028 are practices that the documents name without a figure.
- **What no document says** is the instrument's default ([parameters](parameters.md)), or an assumption that says so.
- **A list of projects** is taken for that of a year; how many a chain has under way at a time is the instrument's default, and bounds it.
- **A centre** of testing or metrology is taken to work with 10 firms of the chains, a **steward or expert** with one firm at a time (as
  230 visits by 159 stewards suggest, F223 and F221), a **training base** with the firms of one chain: assumptions.
- **Stations** of a portfolio come on top of those that stand in the region in every arm. In its own region a place has its stations
  twice; `region.stations=0` takes the standing ones away, from every arm. They are counted over the whole place and serve firms off the
  chains too, so capacity is that of a standing station (2 cases a month) where no services are counted, and cost goes with it. The same
  holds for samples of the regulator: those that are reported come on top of the usual ones.
- **Budgets** are in no portfolio: money is reported for places of unknown extent, and an absolute sum does not travel. Where it is
  reported beside a number of projects or winners it sets what one of them costs.
- **A name is only a name**: two portfolios with the same levers share their runs."""

SIGNS = f"""\
{FIGURE}: a figure or word of the documents sets at least one of its levers. {NAMED}: documents speak of it, no figure sets a lever."""

NOT_MADE = """\
No portfolio was made of places and firms of which the documents tell only products, outcomes or a project of their own (Taizhou, Ankang,
Jinzhong, Xinghuacun; Chalco, Dayun, Jingwei, Yuci Hydraulics, Guangyuyuan, Geely, iFlytek, CREG, Yili)."""

if __name__ == "__main__":
    write(REFERENCE)
