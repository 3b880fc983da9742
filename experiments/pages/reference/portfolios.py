"""The page of the portfolios, lever by lever with its source: ``make docs`` writes docs/reference/portfolios.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from experiments.catalogue.portfolios import Portfolio, portfolios
from experiments.catalogue.settings import setting
from experiments.formatting import table, value
from experiments.pages import REFERENCE
from experiments.pages.reference.regions import read_source
from sim import INSTRUMENTS

__all__ = ["portfolios_page", "read_formula", "write"]

#: Signs of the overview: a figure of the documents sets a lever; the instrument is on, but no figure sets a lever.
FIGURE, NAMED = "●", "○"


def read_formula(how: str) -> tuple[str, str]:
    """Split the note on how a lever was read into its formula, if there is one, and the text: ``"`F034 / F023`: chains covered"``."""
    match = re.fullmatch(r"`([^`]+)`: (.*)", how)
    return (match[1], match[2]) if match else ("", how)


def _sign(one: Portfolio, key: str) -> str:
    """Return the sign of an instrument in a portfolio."""
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
    declared = {
        lever.path: lever
        for key in one.instruments
        for lever in (setting(INSTRUMENTS[key], f, f"instruments.{key}") for f in fields(INSTRUMENTS[key]))
    }
    for path in one.paths:
        facts, quotes, how = read_source(one.sources[path])
        formula, how = read_formula(how)
        name = path.removeprefix("instruments.")
        lever = declared[path] if path in one.levers else None
        yield [
            *(
                [f"`{name}`", value(one.levers[path]), lever.default, lever.unit.removesuffix("1")]
                if lever
                else [f"**`{name}`**", "on", "", ""]
            ),
            ", ".join(facts) or "—",
            f"`{formula}`" if formula else "—",
            "; ".join(quotes) or "—",
            how,
        ]


def portfolios_page() -> str:
    """Return the page of all portfolios: what was read in which document, with quotations, and what is assumed."""
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
strongchain region=liaoning "study.arms={nothing: [instruments=[]], guangdong: [policy=guangdong], jiangsu: [policy=jiangsu]}"
strongchain policies; strongchain explain policy.guangdong
```

The first command has an arm without programme, an arm for each of the nine instruments alone, and an arm with all of them together: two
arms more than instruments (23 arms for `national`). The second has whole portfolios only; use it to compare portfolios. Levers can be
typed together with a portfolio (`instruments.cqo.reach=0.9`); a typed `instruments=[…]` decides which of its instruments are on.

- **Figures are what authorities report about themselves**, in reports of successes without a control group. They set scale (how many
  firms, stations, samples, projects; what a unit costs), never the size of an effect: what an officer or a visit changes is an assumption
  of the instrument and the same in every portfolio. So **do not rank places by their portfolios**: a portfolio with a larger effect here
  may only have been counted on another base, over fewer firms, or reported at greater length.
- **Portfolios hold densities**, not counts: shares of firms, per 1,000 firms, per chain. The column "computed as" has the arithmetic, with
  facts by their ids (F019) and the chains and firms of the place's [region](regions.md) (`jiangsu.firms`). Where the number of
  firms of the region is an assumption (594 a chain), so is the density. Ids like I028 are practices that the documents name without a
  figure.
- **What no document says** is the instrument's default ([parameters](parameters.md)), or an assumption that says so.
- **A list of projects** is assumed to be that of one year; the number of projects that a chain has at the same time is the instrument's
  default, and limits it.
- **A centre** of testing or metrology is assumed to work with 10 firms of the chains, a **steward or expert** with one firm at a time, a
  **training base** with the firms of one chain.
- **Stations** of a portfolio are added to those that stand in the region in every arm. In its own region a portfolio brings the stations
  that the place reports, so none stand there in any arm. Stations are counted over the whole place and also serve firms outside the
  chains. Where no services are counted, their capacity is that of an existing station ([14.5 cases a month](regions.md)), and so is their
  cost. Reported samples of the regulator are added to the usual ones.
- **What a place reports to have delivered** is held against what its portfolio delivers in its own region:
  [delivered](../evidence/delivered.md).
- **Budgets** are in no portfolio: money is reported for places of unknown size, and an absolute sum fits no other place. Where it is
  reported together with a number of projects or winners, it sets the cost of one.
- **The name of a portfolio does not matter**: two portfolios with the same levers share their runs."""

SIGNS = f"""\
{FIGURE}: a figure or word of the documents sets at least one of its levers. {NAMED}: documents mention it, but no figure sets a lever."""

NOT_MADE = """\
There is no portfolio of places and firms for which the documents give only products, outcomes or one project of their own (Ankang,
Xinghuacun, Nanping, whose titles are for intellectual property; Chalco, Dayun, Guangyuyuan, Geely, iFlytek), or of these, of which they
give no figure that sets a lever:

- Foshan: champions of single products, and supervision with artificial intelligence and double random choice, without numbers;
- Lianyungang: tests of drugs, without numbers; Yuncheng: visits, without numbers;
- the alliance of the brewer Budweiser Sedrin, the alliance of Yuci's makers of hydraulics (three years of joint work, F181, are in
  `jinzhong`);
- Yili's chain, group and net, the concentric model of a maker of tunnelling machines (CREG): names of ways to manage, without numbers;
- institutes in Nanjing, Shenzhen and Zhejiang: they serve firms of the whole country, and the firms are not counted.

The platform of commercial-vehicle data (2,100 firms, F136) is in `shaanxi`, Jingwei's 146 suppliers in `jinzhong`."""

if __name__ == "__main__":
    write(REFERENCE)
