"""Does each place deliver what it reports? ``make docs PAGE=delivered`` writes docs/evidence/delivered.md (some ten minutes).

Every portfolio is run in its own region, whole, and what its programmes count is held against what the place's document reports. This
tests how figures of documents became levers, not whether the programmes work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.streams import replicate_keys
from experiments.catalogue.portfolios import Portfolio, portfolios
from experiments.catalogue.settings import region_files
from experiments.configuration.settings import compose_settings, read_settings
from experiments.formatting import count, signed_percent, table
from experiments.pages import EVIDENCE
from experiments.pages.reference.regions import read_source
from sim.instruments.programme import Programme

__all__ = ["CLOSE", "REASONS", "Delivered", "measure", "own_portfolios", "page", "read_report", "write"]

#: Relative distance up to which a count is delivered as reported.
CLOSE = 0.1
#: Why a count is not delivered as reported, by place and count.
_FEW_PROJECTS = (
    "a project begins where the chain has a common cause of problems, and a chain has at most four of them and two projects at a time"
)
_MORE_JOIN = "{} let more firms join than the programme reaches by itself (their uptake is an assumption)"
REASONS: Mapping[str, str] = {
    "guangdong: consortia.projects": _FEW_PROJECTS,
    "hubei: consortia.projects": _FEW_PROJECTS,
    "jiangsu: consortia.projects": _FEW_PROJECTS,
    "jiaxing: consortia.projects": _FEW_PROJECTS,
    "liaoning: consortia.projects": _FEW_PROJECTS,
    "shaanxi: consortia.projects": _FEW_PROJECTS,
    "national: cqo.officers appointed": _MORE_JOIN.format("assessed counties"),
    "national: certification.certificates": _MORE_JOIN.format("assessed counties"),
    "shanxi: stewards.visits": _MORE_JOIN.format("manuals for firms"),
}


@dataclass(frozen=True)
class Delivered:
    """A count that a place reports, and what its portfolio delivers in its own region.

    Attributes
    ----------
    place, what : str
        Key of the region and the portfolio; instrument and count (``cqo.officers appointed``).
    fact, quotation : str
    reported, delivered : float
    months : int
        In which the place delivered it, and the model.
    """

    place: str
    what: str
    fact: str
    quotation: str
    reported: float
    delivered: float
    months: int

    @property
    def apart(self) -> float:
        """How much more is delivered than reported, as a share of what is reported."""
        return self.delivered / self.reported - 1.0

    @property
    def close(self) -> bool:
        """Whether it is delivered as reported."""
        return abs(self.apart) <= CLOSE


def own_portfolios() -> list[Portfolio]:
    """Return the portfolios of places that have a region, too, and report counts."""
    regions = {region.key for region in region_files()}
    return [one for one in portfolios() if one.key in regions and one.reported]


def read_report(line: str) -> tuple[str, str, float, int]:
    """Split a line of `reported` into the fact's id, the words, how many, and in how many months.

    Raises
    ------
    ValueError
        If it is written in another way.
    """
    (fact, *_), (quotation, *_), how = read_source(line) if read_source(line)[0] else (("",), ("",), line)
    match = re.fullmatch(r"([\d.e+]+) in (\d+) months", how)
    if not fact or not match:
        raise ValueError(f"{line!r} is not 'F000: NUMBER in NUMBER months 「words」'")
    return fact, quotation, float(match[1]), int(match[2])


def measure(one: Portfolio, scale: float = 1.0, burn_in: int = 60, seed: int = 1) -> list[Delivered]:
    """Run a place's portfolio in its own region, and return each count that it reports beside what was delivered."""
    settings = read_settings(compose_settings([f"region={one.key}", f"policy={one.key}", f"scale={scale}", f"burn_in={burn_in}"]))
    model = settings.world.build(replicate_keys(seed, 1)[0])
    model.adopt(settings.instruments)
    reports = {what: read_report(line) for what, line in one.reported.items()}
    rows = []
    for month in range(1, max(months for *_, months in reports.values()) + 1):
        model.step()
        for what, (fact, quotation, number, months) in reports.items():
            if month == months:
                key, name = what.split(".", 1)
                programme = model.programmes[key]
                assert isinstance(programme, Programme)
                rows.append(Delivered(one.key, what, fact, quotation, number, float(programme.delivered(model)[name]), months))
    return sorted(rows, key=lambda row: list(reports).index(row.what))


def page(rows: Sequence[Delivered]) -> str:
    """Return the page: every count that a place reports beside what its portfolio delivers, and why where they differ."""
    head = ["place", "what", "fact", "original words", "months", "reported", "delivered", "apart", "why they differ"]
    lines = []
    for row in rows:
        why = "" if row.close else REASONS.get(f"{row.place}: {row.what}", "")
        figures = [str(row.months), count(row.reported), count(row.delivered), signed_percent(100.0 * row.apart)]
        lines.append([f"`{row.place}`", row.what, row.fact, row.quotation, *figures, why])
    close = sum(row.close for row in rows)
    said = INTRODUCTION.format(places=len({row.place for row in rows}), counts=len(rows), close=close, other=len(rows) - close)
    return "\n".join([*said.splitlines(), "", *table(head, lines), ""])


def write(folder: Path = EVIDENCE) -> None:
    """Measure every place and write the page."""
    rows = [row for one in own_portfolios() for row in measure(one)]
    (folder / "delivered.md").write_text(page(rows), encoding="utf-8")


INTRODUCTION = """\
# Does each place deliver what it reports?

Written by `make docs PAGE=delivered`: each portfolio in its own region, whole (`strongchain region=X policy=X scale=1`), in one
replicate, for as many months as the place took. A place's own portfolio replaces what stands in its region: the stations that it reports
are not built twice.

This tests whether the figures of documents became the right levers. It says nothing about whether programmes work. Of {counts}
counts that {places} places report, {close} are delivered within 10 %; {other} are not, for the reason told."""

if __name__ == "__main__":
    write()
