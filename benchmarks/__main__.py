"""Print every measurement as Markdown tables.

``--quick`` measures the small world only, in few rounds (about fifteen seconds).
"""

from __future__ import annotations

import argparse
from statistics import median

from benchmarks.firm_months import building, phases, race

SMALL, LARGE = 2_000, 100_000


def row(*cells: object) -> None:
    """Print one row of a table."""
    print("|", " | ".join(str(cell) for cell in cells), "|")


def header(*cells: str) -> None:
    """Print the head of a table, with a blank line before it."""
    print()
    row(*cells)
    row("---", *["---:"] * (len(cells) - 1))


def size(amount: float) -> str:
    """Write bytes per firm; a dash where unknown, or too little to be seen."""
    return f"{amount:,.0f}" if amount > 0 else "–"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="the small world only, in few rounds")
    quick = parser.parse_args().quick
    sizes = (SMALL,) if quick else (SMALL, LARGE)

    # First of all, because a new process starts with the peak of the one that starts it.
    built = [building(firms) for firms in sizes]

    header("firms", "links", "columns, firm-months/s", "with outcomes recorded", "Mesa agents, firm-months/s", "ratio", "in rounds")
    for firms in sizes:
        small = firms == SMALL
        found = race(firms, rounds=3 if quick else 7 if small else 5, months=30 if small else 4, agent_months=2 if small else 1)
        fast, recorded, slow = map(median, (found.columns, found.recorded, found.agents))
        low, high = found.range
        rates = (f"{rate:,.0f}" for rate in (fast, recorded, slow))
        row(f"{firms:,}", f"{found.links:,}", *rates, f"{found.ratio:.0f}", f"{low:.0f} … {high:.0f}")

    header("phase, ns per firm-month", *(f"{firms:,} firms" for firms in sizes))
    by_size = [phases(firms, months=21 if quick else 60 if firms == SMALL else 12) for firms in sizes]
    for name in by_size[0]:
        row(name, *(f"{costs[name]:,.0f}" for costs in by_size))
    row("together", *(f"{sum(costs.values()):,.0f}" for costs in by_size))

    header("building", *(f"{firms:,} firms" for firms in sizes))
    row("network, s", *(f"{b.network:.2f}" for b in built))
    row("state of the world, s", *(f"{b.state:.2f}" for b in built))
    row("Mesa agents on demand, s", *(f"{b.agents:.2f}" for b in built))
    row("columns, bytes per firm", *(size(b.state_bytes) for b in built))
    row("Mesa agents, bytes per firm", *(size(b.agent_bytes) for b in built))
    row("growth of the process at its peak, bytes per firm", *(size(b.peak_bytes) for b in built))


if __name__ == "__main__":
    main()
