"""Multipliers of sectors and of firms: ``make docs PAGE=multipliers ARGS='FLOWS SECTORS'``.

A network made from an input-output table gets the coefficients of the table, sector by sector, and nothing else about the flow of
goods. Leontief's output multipliers follow from whole paths through the network, so they were not used to make it.
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
from experiments.figures import COLOURS, style
from experiments.figures.style import SINGLE, finish
from experiments.formatting import fixed
from experiments.formatting import table as markdown_table
from experiments.pages import EVIDENCE
from sim import InputOutput, NetworkError, SupplyNetwork
from sim.build.input_output import SectorEconomy, input_output, read_economy
from sim.network.fixed_points import fixed_point
from sim.sums import add_up

__all__ = ["figure", "firm_multipliers", "page", "sector_multipliers", "simulated_multipliers", "write"]

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


def simulated_multipliers(economy: SectorEconomy, replicates: int, seed: int = 1) -> Floats:
    """Return the multipliers of sectors in networks of several replicates: weighted by output, by sales to users, and not at all.

    Returns
    -------
    array, shape (replicates, 3, k)
    """
    multipliers = []
    for key in replicate_keys(seed, replicates):
        network = input_output(economy, Streams(key))
        weights = (network.steady_orders(), network.final_demand + 1e-300, np.ones(network.n_firms))
        multipliers.append([sector_multipliers(network, weight) for weight in weights])
    return np.array(multipliers)


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


def page(economy: SectorEconomy, simulated: Floats, linked: Floats, source: str) -> str:
    """Return the page: how much the multipliers of firms differ from those of the table, by sector.

    Parameters
    ----------
    simulated, linked : float arrays, shape (replicates, 3, k)
        Multipliers in networks of the economy, and in networks in which every pair of sectors that trade has a link.
    """
    table = economy.table
    lines = [
        "# Multipliers of sectors and of firms",
        "",
        f"Written by `make docs PAGE=multipliers`. Source of the table: {source}, {len(table.codes)} sectors; the figures "
        f"here are derived from it, the table itself is not part of the project. {len(simulated)} networks of {economy.firms:,} firms "
        "each were made from it (`network=input_output`, see [networks](../guide/networks.md)); every network has its own random numbers.",
        "",
        "A multiplier is the output of all firms that 1 CNY of final demand needs: column sums of Leontief's inverse, of the table and "
        "of the network of firms. Multipliers of firms are averaged over the firms of a sector.",
        "",
        "![Multipliers of firms against those of the table](multipliers.png)",
        "",
        "*Points: mean over networks, firms weighted by output. Lines: from the lowest network to the highest.*",
        "",
    ]
    rows = []
    networks = [*zip(WEIGHTS, simulated.transpose(1, 0, 2), strict=True), (f"{WEIGHTS[0]}, every pair linked", linked[:, 0])]
    for weighting, values in networks:
        difference = values.mean(axis=0) - table.multipliers
        largest = int(np.abs(difference).argmax())
        correlation = np.corrcoef(table.multipliers, values.mean(axis=0))[0, 1]
        of_largest, mean = (fixed(number, 3, sign=True) for number in (difference[largest], difference.mean()))
        rows.append([weighting, fixed(correlation, 4), of_largest, table.codes[largest], mean])
    head = ["mean over networks, firms weighted", "correlation with the table", "largest difference", "in sector", "mean difference"]
    lines += [*markdown_table(head, rows, " rr r"), "", *_agreement(economy, simulated), "", *_by_sector(economy, simulated)]
    return "\n".join(lines) + "\n"


def _agreement(economy: SectorEconomy, simulated: Floats) -> list[str]:
    """Return how far they agree, and why."""
    table = economy.table.multipliers
    correlations = [np.corrcoef(table, values)[0, 1] for values in simulated[:, 0]]
    largest = np.abs(simulated[:, 0] - table).max()
    of_mean = 100.0 * float(np.abs(simulated[:, 0].mean(axis=0) / table - 1.0).max())
    return [
        f"Of single networks, firms weighted by output, correlations lie between {min(correlations):.4f} and {max(correlations):.4f}, and "
        f"the largest difference of any sector is {largest:.3f}. The mean over networks is within {of_mean:.1f} % of the table in every "
        "sector.",
        "",
        "So they agree, but mostly by construction: added up to sectors, the flows of a network are those of the table, and the inverse "
        "of the sums would give the table's multipliers. The comparison tests the program, and says little about the model. The "
        "remaining differences have two reasons.",
        "",
        f"1. The smallest {100.0 * (1.0 - economy.settings.coverage):.2g} % of a sector's purchases have no link; they are bought "
        "outside, which lowers every multiplier. The last row of the first table shows the differences without this.",
        "2. Firms differ. A firm with a small number of suppliers buys from a small number of sectors, and from firms whose own purchases "
        "differ from the mean of their sector; a mean of inverses is not the inverse of a mean. This differs at random between networks "
        "(last column below), and it depends on the weights of firms: a table is a mean by output.",
    ]


def _by_sector(economy: SectorEconomy, simulated: Floats) -> list[str]:
    """Return the table of all sectors."""
    table = economy.table
    rows = [
        [code, *(f"{value:.3f}" for value in (table.multipliers[k], *simulated[:, :, k].mean(axis=0), simulated[:, 0, k].std(ddof=1)))]
        for k, code in enumerate(table.codes)
    ]
    return markdown_table(["sector", "table", *WEIGHTS, "s.d. between networks"], rows, " rrrrr")


def _fully_linked(economy: SectorEconomy) -> SectorEconomy:
    """Return the same economy with a link, at least, for every flow of the table."""
    return replace(economy, settings=replace(economy.settings, coverage=1.0))


def write(folder: Path, flows: str, sectors: str = "", replicates: int = 20, source: str = SOURCE) -> None:
    """Make networks of a table, and write the page and its figure into a folder."""
    economy = read_economy(InputOutput(path=flows, sectors_path=sectors))
    simulated, linked = (simulated_multipliers(each, replicates) for each in (economy, _fully_linked(economy)))
    (folder / "multipliers.md").write_text(page(economy, simulated, linked, source), encoding="utf-8")
    figure(economy.table.multipliers, simulated[:, 0]).savefig(folder / "multipliers.png", dpi=160, metadata={"Software": None})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.pages multipliers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("flows", metavar="FLOWS", help="CSV file of flows between sectors")
    parser.add_argument("sectors", metavar="SECTORS", nargs="?", default="", help="CSV file of sectors; else the one in the same folder")
    parser.add_argument("--source", default=SOURCE, help="who published the table (%(default)s)")
    options = parser.parse_args()
    try:
        write(EVIDENCE, options.flows, options.sectors, source=options.source)
    except NetworkError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
