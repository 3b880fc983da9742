"""Multipliers of sectors and of firms: ``make docs PAGE=multipliers ARGS='FLOWS SECTORS'``.

A network made from an input-output table is given its coefficients, sector by sector, and nothing else of how goods
travel. Leontief's output multipliers follow from whole paths through the network, so they were not used in making it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.streams import Streams, replicate_keys
from experiments import formatting as markdown
from experiments.figures import COLOURS, style
from experiments.figures.style import SINGLE, finish
from experiments.pages import EVIDENCE
from sim import InputOutput, NetworkError, SupplyNetwork
from sim.build.input_output import SectorEconomy, input_output, read_economy
from sim.network.fixed_points import fixed_point
from sim.sums import add_up

__all__ = ["compared", "figure", "firm_multipliers", "page", "sector_multipliers", "write"]

Floats = NDArray[np.float64]

#: How firms are weighted in the mean of a sector.
WEIGHTS = ("by output", "by sales to users", "firms alike")
SOURCE = "National Bureau of Statistics of China, input-output table 2007"


def firm_multipliers(network: SupplyNetwork) -> Floats:
    """Output of all firms that 1 CNY of final demand at each firm needs, shape (n,): column sums of ``(I - A)^-1``."""
    return fixed_point(network.by_customer, np.ones(network.n_firms))


def sector_multipliers(network: SupplyNetwork, weight: Floats) -> Floats:
    """Average firms' multipliers over each sector, by a weight, shape (n,): shape (k,)."""
    k = len(network.sectors)
    return add_up(network.sector, weight * firm_multipliers(network), k) / add_up(network.sector, weight, k)


def compared(economy: SectorEconomy, replicates: int, seed: int = 1) -> Floats:
    """Multipliers of sectors by networks of several replicates: weighted by output, by sales to users, and not at all.

    Returns
    -------
    array, shape (replicates, 3, k)
    """
    found = []
    for key in replicate_keys(seed, replicates):
        network = input_output(economy, Streams(key))
        weights = (network.steady_orders(), network.final_demand + 1e-300, np.ones(network.n_firms))
        found.append([sector_multipliers(network, weight) for weight in weights])
    return np.array(found)


def figure(table: Floats, firms: Floats) -> Figure:
    """Draw the multipliers of firms, shape (replicates, k), against those of the table, shape (k,)."""
    with rc_context(style()):
        drawn = Figure(figsize=(SINGLE, SINGLE))
        axes = drawn.subplots()
        low, high = min(table.min(), firms.min()) - 0.1, max(table.max(), firms.max()) + 0.1
        axes.plot([low, high], [low, high], color=COLOURS[0], linewidth=0.6)
        axes.vlines(table, firms.min(axis=0), firms.max(axis=0), color=COLOURS[1], linewidth=0.6)
        axes.plot(table, firms.mean(axis=0), "o", color=COLOURS[1], markersize=3)
        axes.set_xlabel("multiplier of the table")
        axes.set_ylabel("mean of firms, by output")
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
    return finish(drawn, ())


def page(economy: SectorEconomy, found: Floats, linked: Floats, source: str) -> str:
    """Return the page: how far multipliers of firms are from those of the table, by sector.

    Parameters
    ----------
    found, linked : float arrays, shape (replicates, 3, k)
        Multipliers by networks of the economy, and by such in which every pair of sectors that trade has a link.
    """
    table = economy.table
    lines = [
        "# Multipliers of sectors and of firms",
        "",
        f"Written by `make docs PAGE=multipliers`. Source of the table: {source}, {len(table.codes)} sectors; the figures "
        f"here are derived from it, the table itself is not part of the project. {len(found)} networks of {economy.firms:,} firms "
        "each were made from it (`network=input_output`, see [networks](../guide/networks.md)); every network has luck of its own.",
        "",
        "A multiplier is the output of all firms that 1 CNY of final demand needs: column sums of Leontief's inverse, of the table and "
        "of the network of firms, there averaged over the firms of a sector.",
        "",
        "![Multipliers of firms against those of the table](multipliers.png)",
        "",
        "*Points: mean over networks, firms weighted by output. Lines: from the lowest network to the highest.*",
        "",
    ]
    found_by = []
    rows = [*zip(WEIGHTS, found.transpose(1, 0, 2), strict=True), (f"{WEIGHTS[0]}, every pair linked", linked[:, 0])]
    for how, values in rows:
        far = values.mean(axis=0) - table.multipliers
        worst = int(np.abs(far).argmax())
        fit = np.corrcoef(table.multipliers, values.mean(axis=0))[0, 1]
        found_by.append([how, f"{fit:.4f}", f"{far[worst]:+.3f}", table.codes[worst], f"{far.mean():+.3f}"])
    head = ["mean over networks, firms weighted", "correlation with the table", "largest difference", "in sector", "mean difference"]
    lines += [*markdown.table(head, found_by, " rr r"), "", *_verdict(economy, found), "", *_by_sector(economy, found)]
    return "\n".join(lines) + "\n"


def _verdict(economy: SectorEconomy, found: Floats) -> list[str]:
    """Say whether they agree, and why."""
    table = economy.table.multipliers
    single = [np.corrcoef(table, values)[0, 1] for values in found[:, 0]]
    farthest = np.abs(found[:, 0] - table).max()
    worst = 100.0 * float(np.abs(found[:, 0].mean(axis=0) / table - 1.0).max())
    return [
        f"Of single networks, firms weighted by output, correlations lie between {min(single):.4f} and {max(single):.4f}, and the largest "
        f"difference of any sector is {farthest:.3f}. The mean over networks is within {worst:.1f} % of the table in every sector.",
        "",
        "So they agree, and mostly by construction: added up to sectors, the flows of a network are the table's, and the inverse of the "
        "sums would give the table's multipliers. The comparison tests the program, and says little about the model. What is left of a "
        "difference has two reasons.",
        "",
        f"1. Supplying sectors of the last {100.0 * (1.0 - economy.settings.coverage):.2g} % of a sector's purchases have no link; these "
        "are bought outside, which lowers every multiplier. The last row of the first table shows what is left without that.",
        "2. Firms are not alike. A firm of few suppliers buys from few sectors, and from firms whose own purchases differ from the mean of "
        "theirs; a mean of inverses is not the inverse of a mean. That goes up or down by the luck of each network (last column below), "
        "and depends on how firms are weighted: a table is a mean by output.",
    ]


def _by_sector(economy: SectorEconomy, found: Floats) -> list[str]:
    """Return the table of all sectors."""
    table = economy.table
    rows = [
        [code, *(f"{value:.3f}" for value in (table.multipliers[k], *found[:, :, k].mean(axis=0), found[:, 0, k].std(ddof=1)))]
        for k, code in enumerate(table.codes)
    ]
    return markdown.table(["sector", "table", *WEIGHTS, "s.d. between networks"], rows, " rrrrr")


def _fully_linked(economy: SectorEconomy) -> SectorEconomy:
    """Return the same economy with a link, at least, for every flow of the table."""
    return replace(economy, settings=replace(economy.settings, coverage=1.0))


def write(folder: Path, flows: str, sectors: str = "", replicates: int = 20, source: str = SOURCE) -> None:
    """Make networks of a table, and write the page and its figure into a folder."""
    economy = read_economy(InputOutput(path=flows, sectors_path=sectors))
    found, linked = (compared(one, replicates) for one in (economy, _fully_linked(economy)))
    (folder / "multipliers.md").write_text(page(economy, found, linked, source), encoding="utf-8")
    figure(economy.table.multipliers, found[:, 0]).savefig(folder / "multipliers.png", dpi=160, metadata={"Software": None})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.pages multipliers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("flows", metavar="FLOWS", help="CSV file of flows between sectors")
    parser.add_argument("sectors", metavar="SECTORS", nargs="?", default="", help="CSV file of sectors; else the one beside it")
    parser.add_argument("--source", default=SOURCE, help="who published the table (%(default)s)")
    words = parser.parse_args()
    try:
        write(EVIDENCE, words.flows, words.sectors, source=words.source)
    except NetworkError as refused:
        parser.exit(2, f"{refused}\n")


if __name__ == "__main__":
    main()
