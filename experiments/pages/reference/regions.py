"""The page of the regions, figure by figure with its source: a part of ``make docs``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median

import numpy as np

from agents.firm import SIZE_CLASSES
from agents.streams import Streams, replicate_keys
from experiments.catalogue.settings import region_files
from experiments.configuration.files import CONFIGS
from experiments.formatting import table
from sim import Parameters, Region
from sim.parameters import declared

__all__ = ["DEFAULT_RULES", "Figure", "figures_of", "read_source", "regions_page", "rules", "sales_of_a_chain", "size_mix"]

#: The rules by which a count is filled in where a document has none, as the presets use them: rounded.
DEFAULT_RULES = {"firms a chain": 594.0, "leaders a chain": 2.5, "stations a chain": 4.9, "chains": 21.0}
#: Cases a month of a station, as the two places that report them give it: Guangdong (175,000 services at 193 platforms, taken for those of
#: three years) and Jiaxing (1,694 firms served in a year at 17 platforms, one case each).
CASES_A_STATION = geometric_mean([175_000 / 193 / 36, 1_694 / 17 / 12])
#: CNY that a chain of Shanxi sells in a year: twice the half-year of 16 chains (F173).
SALES_OF_A_CHAIN = 2 * 329.18e9 / 16
#: The figures that make the structure of a place; the others are the same nearly everywhere.
STRUCTURE = ("chains", "leaders", "firms", "chain_heads", "counties", "sectors", "stations")
#: Presets from which the rules take nothing: cities, one industry, targets instead of counts.
NO_PROVINCE = ("jiaxing", "jinzhong", "nanping", "national", "sample")
#: Firms to which a region is brought for its size mix, and the replicates that it is the mean of.
MIX_FIRMS, MIX_REPLICATES = 2_000, 2
#: The form of a source line that was read in a document: ids, how they were read, quotations in 「」.
READ = re.compile(r"(?P<ids>[FI]\d{3}(?:[+/,][FI]\d{3})*): (?P<how>[^「]*?) ?(?P<quotes>(?:「[^」]*」)*)")


@dataclass(frozen=True)
class Figure:
    """One figure of a region.

    Attributes
    ----------
    name, value, unit : str
    facts : tuple of str
        Ids of the facts that it was read from; none if it is an assumption.
    quotes : tuple of str
        The original words of each.
    how : str
        How it was read, or why it is assumed.
    """

    name: str
    value: str
    unit: str
    facts: tuple[str, ...]
    quotes: tuple[str, ...]
    how: str


def read_source(source: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Split a line of `sources`: ids of facts (or of practices), quotations, and how they were read or why the figure is assumed."""
    match = READ.fullmatch(source)
    if not match:
        return (), (), source
    return tuple(re.findall(r"[FI]\d{3}", match["ids"])), tuple(re.findall("「([^」]*)」", match["quotes"])), match["how"]


def figures_of(region: Region) -> list[Figure]:
    """Return the figures of a region in the order of their declaration."""
    return [
        Figure(f.name, f"{getattr(region, f.name):,.10g}", f.metadata["unit"], *read_source(region.sources.get(f.name, "none was given")))
        for f in declared(region)
    ]


def _own(region: Region, *names: str) -> bool:
    """Whether figures of a region were read in a document."""
    return all(read_source(region.sources.get(name, ""))[0] for name in names)


def rules(regions: Sequence[Region]) -> dict[str, tuple[float, list[str]]]:
    """Return what each rule gives before it is rounded, and the places that it is computed from: those that report both counts.

    Ratios are geometric means, as places differ by factors; the number of chains is the median of provinces.
    """
    results = {}
    for name, above in (("firms a chain", "firms"), ("leaders a chain", "leaders"), ("stations a chain", "stations")):
        reporting = [one for one in regions if _own(one, above, "chains") and one.key not in NO_PROVINCE]
        ratios = [getattr(one, above) / one.chains for one in reporting]
        results[name] = geometric_mean(ratios), [one.label for one in reporting]
    reporting = [one for one in regions if _own(one, "chains") and one.key not in (*NO_PROVINCE, "hubei")]
    results["chains"] = float(median(one.chains for one in reporting)), [one.label for one in reporting]
    return results


def size_mix(region: Region, replicates: int = MIX_REPLICATES) -> list[float]:
    """Return the shares of small, medium and large firms in the region's generated network, at most about 2,000 firms of it."""
    limits, scaled = Parameters(), region.scaled(min(1.0, MIX_FIRMS / region.firms))
    counts = np.zeros(len(SIZE_CLASSES))
    for key in replicate_keys(1, replicates):
        revenue = 12.0 * scaled.network(Streams(key)).steady_orders()
        counts += np.bincount((revenue >= limits.medium_from).astype(int) + (revenue >= limits.large_from), minlength=len(SIZE_CLASSES))
    return [float(share) for share in counts / counts.sum()]


def sales_of_a_chain(region: Region, replicates: int = MIX_REPLICATES) -> float:
    """Return what the firms of a chain sell in a year, CNY, in the region's generated network: mean over chains and replicates."""
    sold = [12.0 * region.network(Streams(key)).steady_orders().sum() / region.chains for key in replicate_keys(1, replicates)]
    return float(np.mean(sold))


# -- the page -----------------------------------------------------------------------------------------


def _about(key: str) -> str:
    """Return the comment at the head of a region's file."""
    lines = (CONFIGS / "region" / f"{key}.yaml").read_text(encoding="utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines[: next(k for k, line in enumerate(lines) if line[:1] != "#")])


def _rows(figures: Sequence[Figure]) -> list[str]:
    """The table of some figures."""
    head = ["figure", "value", "unit", "read from", "original words", "how it was read, or why it is assumed"]
    rows = [[f"`{f.name}`", f.value, f.unit, ", ".join(f.facts) or "—", "; ".join(f.quotes) or "—", f.how] for f in figures]
    return table(head, rows)


def _overview(regions: Sequence[Region]) -> list[str]:
    rows = []
    for one in regions:
        figures = figures_of(one)
        read = [f.name for f in figures if f.facts and f.name in STRUCTURE]
        scale = min(1.0, MIX_FIRMS / one.firms)
        mix = [f"{100 * share:.0f} %" for share in size_mix(one)]
        counts = [f"{getattr(one, name):,}" for name in ("chains", "leaders", "firms", "stations")]
        rows.append([f"`{one.key}`", f"{one.label}, {one.label_zh}", *counts, f"{len(read)} of {len(STRUCTURE)}", f"{scale:.2g}", *mix])
    return table(
        [
            "region",
            "",
            "chains",
            "leaders",
            "firms",
            "stations",
            "structural figures read in a document",
            "scale by default",
            *SIZE_CLASSES,
        ],
        rows,
    )


def _common(regions: Sequence[Region]) -> list[Figure]:
    """Figures that most regions share, value and source alike."""
    first = figures_of(regions[0])
    return [f for f in first if f.name not in STRUCTURE and sum(f in figures_of(one) for one in regions) > len(regions) / 2]


def _rules(regions: Sequence[Region]) -> list[str]:
    rows = []
    for name, (value, places) in rules(regions).items():
        how = "median" if name == "chains" else "geometric mean"
        rows.append([name, f"{DEFAULT_RULES[name]:g}", f"{value:.4g}", how, ", ".join(places)])
    return table(["rule", "used", "computed", "as", "of the places that report it"], rows)


def regions_page() -> str:
    """Return the page of all regions: what was read in which document, with quotations, and what is assumed."""
    regions = [one for one in region_files() if one.key != "sample"]
    common = _common(regions)
    lines = [
        *INTRODUCTION.splitlines(),
        "",
        *_overview(regions),
        "",
        *NOT_MADE.splitlines(),
        "",
        "## Rules where no document gives a figure",
        "",
    ]
    shanxi = next(one for one in regions if one.key == "shanxi")
    said = RULES.format(cases=CASES_A_STATION, told=SALES_OF_A_CHAIN / 1e9, sold=sales_of_a_chain(shanxi) / 1e9)
    lines += [*said.splitlines(), "", *_rules(regions), "", "## The same in every region", "", *_rows(common)]
    for one in regions:
        own = [f for f in figures_of(one) if f not in common]
        lines += ["", f"## {one.label} {one.label_zh} (`region={one.key}`)", "", _about(one.key), "", *_rows(own)]
    return "\n".join(lines) + "\n"


INTRODUCTION = f"""\
# The regions

Written by `make docs` from `configs/region`. Choose one with `strongchain region=guangdong`; each of its
figures can be set, too (`region.firms=5000`), and `scale` sets how much of it is simulated (by default about {MIX_FIRMS:,}
firms: [what that keeps](../evidence/scales.md)).

- **Figures are what authorities report about themselves**, in reports of successes without a control group. They set scale (how many
  chains, firms, stations), never the size of an effect. Places count differently (for one year or for all years, helped or linked firms): a
  difference between two regions may come from counting. Each id (F097) is that of a fact collected from the documents, which is quoted
  word for word.
- **Only structure differs between regions**: how many there are of what. No document shows how good the firms of a place
  are, so capabilities, problems and defects start in the same way everywhere. Do not rank regions by their field DPU.
- **Stations** that a place reports are assumed to stand in every arm, also without programme; a programme adds to them. But the portfolio
  of the place itself brings them: with it, they do not stand in any arm. What a programme planned or built in a year (Liaoning, the
  national targets) stands in no region.
- **Chief quality officers**: `officers` is the share of firms that have one without any programme. A reported count of officers is
  what a programme achieved, so it belongs to a policy and is in no region.
- **The size mix** is not a figure of a region. It follows from `median_revenue` and the statistics of generated networks (customers, tiers,
  demand), so it is nearly the same everywhere; the last columns show it (revenue limits of 20 and 400 million CNY a year;
  means of {MIX_REPLICATES} networks of the scale by default).
- **Links** are generated: no document shows who supplies whom. For observed links: [networks](../guide/networks.md)."""

NOT_MADE = """\
`sample` is invented, for classrooms. There is no region of places for which the documents give only projects, prizes or products
(Chongqing, Wuhan, Luohe, Taizhou, Xiamen, Langxi; in Dangtu, 2 chains and a loan to 4 firms), of specialised towns, whose firms
nobody counts, or of a single firm with its direct suppliers (146 at Jingwei, more than 40 at Dayun), which generated tiers would
contradict."""

RULES = """\
A count that no document gives is computed from the places that report it, and its source says "assumption". Places differ by a factor of
thirty in firms a chain, so these rules are very uncertain. One chain head and one home sector a chain
are conventions. The chains of Hubei are read from projects, cities are not provinces, and the national figures are targets: they
are in no rule. Existing stations serve {cases:.3g} cases a month, the geometric mean of what Guangdong (175,000 services at 193 platforms,
taken for those of three years) and Jiaxing (1,694 firms served in a year at 17 platforms) report.

One figure of the documents was not used and can judge: 16 chains of Shanxi sold 329 billion CNY in half a year (F173), {told:.0f} billion a
chain and year. Chains of the preset sell {sold:.0f} billion."""
