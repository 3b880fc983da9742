"""Print every measurement as Markdown tables.

`simulator` (the default): firm-months a second; `studies`: what studies cost beyond simulation;
`luck`: how many replicates common random numbers save. ``--quick`` takes small worlds and few rounds.
"""

from __future__ import annotations

import argparse
from statistics import median

from benchmarks.common_random_numbers import COMPARED, gains
from benchmarks.firm_months import building, phases, race
from benchmarks.studies import LARGE, TINY, study
from experiments.analysis.statistics import Intervals

SMALL, LARGEST = 2_000, 100_000


def row(*cells: object) -> None:
    """Print one row of a table."""
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def header(*cells: str) -> None:
    """Print the head of a table, with a blank line before it."""
    print()
    row(*cells)
    row("---", *["---:"] * (len(cells) - 1))


def size(amount: float) -> str:
    """Write bytes per firm; a dash where it is unknown or too little to measure."""
    return f"{amount:,.0f}" if amount > 0 else "–"


def simulator(quick: bool) -> None:
    """The speed of the simulator and of plain agents, the time of every phase, and what building costs."""
    sizes = (SMALL,) if quick else (SMALL, LARGEST)

    # This comes first, because a new process starts with the peak memory of the process that starts it.
    built = [building(firms) for firms in sizes]

    header("firms", "links", "columns, firm-months/s", "with outcomes recorded", "Mesa agents, firm-months/s", "ratio", "in rounds")
    for firms in sizes:
        small = firms == SMALL
        result = race(firms, rounds=3 if quick else 7 if small else 5, months=30 if small else 4, agent_months=2 if small else 1)
        fast, recorded, slow = map(median, (result.columns, result.recorded, result.agents))
        low, high = result.range
        rates = (f"{rate:,.0f}" for rate in (fast, recorded, slow))
        row(f"{firms:,}", f"{result.links:,}", *rates, f"{result.ratio:.0f}", f"{low:.0f} … {high:.0f}")

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


def studies(quick: bool) -> None:
    """What a study of tiny runs takes beyond simulation, and what a large study takes."""
    tiny = study(TINY, 40 if quick else 400, rounds=1 if quick else 3)
    header(f"{tiny.runs:,} runs of 10 firms and 1 month", "s", "ms/run")
    for name, seconds in {
        "the study, with its runs saved and its tables written": tiny.kept + tiny.saved,
        "the same runs outside a study": tiny.simulated,
        "the study without its simulations (the difference)": tiny.overhead,
        "the study, no runs saved": tiny.loose,
        "the study again, with all runs on disk": tiny.again,
        "writing its tables": tiny.saved,
    }.items():
        row(name, f"{seconds:.1f}", f"{1e3 * seconds / tiny.runs:.2f}")
    large = study(LARGE, 20 if quick else 2_000, whole=False)
    header(f"{large.runs:,} runs of 300 firms and 36 months", "")
    row("the study, with its runs saved, s", f"{large.kept + large.saved:.0f}")
    row("the study again, with all runs on disk, s", f"{large.again:.0f}")
    row("runs on disk, MB", f"{large.size * large.runs / 1e6:.0f}")


def luck(quick: bool) -> None:
    """By what factor common random numbers lower the variance of effects."""
    overrides = ["region=sample", "burn_in=12", "months=24", "replicates=20"] if quick else ["region=liaoning", "replicates=60"]
    result = gains(overrides)

    def interval(of: Intervals, i: int, k: int, scale: float = 1.0) -> str:
        mean, low, high = (f"{float(f'{scale * values[i, k]:.3g}'):,g}" for values in of[:3])
        return f"{mean} ({low} … {high})"

    columns = ("effect, % of the reference", "variance ratio, as a study estimates it", "against independent seeds")
    header("instrument", "outcome", *columns)
    for i, instrument in enumerate(result.instruments):
        for k, outcome in enumerate(COMPARED):
            row(
                instrument, outcome, interval(result.effect, i, k, 100.0), interval(result.paired, i, k), interval(result.independent, i, k)
            )


MEASUREMENTS = {"simulator": simulator, "studies": studies, "luck": luck}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", nargs="?", choices=MEASUREMENTS, default="simulator", help="what is measured (default: simulator)")
    parser.add_argument("--quick", action="store_true", help="small worlds and few rounds only")
    typed = parser.parse_args()
    MEASUREMENTS[typed.what](typed.quick)


if __name__ == "__main__":
    main()
