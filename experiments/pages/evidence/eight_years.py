"""Eight years without a programme: ``make docs PAGE=eight_years`` writes docs/evidence/eight_years.md and its figure.

Before any policy is tried, the world has to stay plausible without one: nothing grows without limit or dies out, capabilities do not
drift to 0 or 1, and firms neither pile up cash nor lose all of it. The page shows this with figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.firm import SIZE_CLASSES
from agents.streams import replicate_keys
from experiments.configuration.settings import compose_settings, read_settings
from experiments.configuration.study import Parallel
from experiments.figures import COLOURS, style
from experiments.figures.style import WIDE, finish, scaled_unit
from experiments.formatting import fixed, significant, table
from experiments.pages import EVIDENCE
from experiments.runs.runner import fan_out
from sim import StrongchainModel
from sim.outcomes import OUTCOMES

__all__ = ["PLAUSIBLE", "YEARS", "figure", "page", "years_without_programme"]

YEARS = 8

#: What must hold in every year of the mean over replicates: low, high, and why.
PLAUSIBLE: dict[str, tuple[float, float, str]] = {
    "field_dpu": (0.005, 0.06, "neither vanishing nor exploding"),
    "nonconformity": (0.03, 0.10, "official pass rates 93-94 %, equal weights, within a few points"),
    "management": (0.2, 0.8, "no drift of capability to 0 or 1"),
    "metrology": (0.2, 0.8, "no drift of capability to 0 or 1"),
    "standards": (0.2, 0.8, "no drift of capability to 0 or 1"),
    "testing": (0.2, 0.8, "no drift of capability to 0 or 1"),
    "open_problems": (0.5, 6.0, "problems are neither all solved nor piling up"),
    "copq": (0.01, 0.10, "surveys 2.5-5 % for all quality cost, textbooks up to 40 %"),
    "net_margin": (0.03, 0.08, "industry 5-6 %"),
    "cash": (0.8, 3.0, "assumption: one to three months of sales"),
    "debt": (0.1, 0.3, "working capital of 15-25 % of yearly sales is borrowed"),
    "bad_loans": (0.0, 0.03, "bad-loan ratio of small firms 2.2 % (2022)"),
    "investment": (1e3, 1e9, "firms go on investing"),
    "cqo_share": (0.02, 0.5, "voluntary adoption, never universal"),
    "certified_share": (0.1, 0.7, "voluntary adoption, never universal"),
    "relief": (0.005, 0.2, "relations help, and end"),
}

#: The same for rates of rare events, which one year leaves uncertain: over all years together.
EVENTS: dict[str, tuple[float, float, str]] = {
    "exits": (0.002, 0.08, "firms that give up in a year, as a share of all: a few per cent"),
    "recalls": (0.005, 0.5, "recalls of a leader in a year"),
}


def _years(key: tuple[int, int], overrides: Sequence[str], years: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Simulate one replicate: outcomes by year, shape (years, outcomes, groups), and exits per firm and recalls per leader in a year."""
    settings = read_settings(compose_settings([*overrides, "instruments=[]"]))
    model: StrongchainModel = settings.world.build(key, ("size",), False)
    outcomes, events = [], np.zeros(2)
    for _ in range(years):
        model.run(12)
        outcomes.append(model.record.mean(12))
        exits, recalls = (model.record.series(name)[-12:].sum() for name in ("exits", "recalls"))
        events += [exits / model.firms.alive.sum(), recalls / model.firms.is_leader.sum()]
    return np.stack(outcomes), events / years


def years_without_programme(
    overrides: Sequence[str] = ("region=liaoning",), replicates: int = 20, years: int = YEARS, seed: int = 1, workers: int = -1
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Simulate some years of a region without any programme.

    Parameters
    ----------
    overrides : sequence of str
        Settings, as typed after ``strongchain``.
    replicates, years, seed : int

    Returns
    -------
    outcomes : array, shape (replicates, years, outcomes, 1 + size classes)
        In the order of `OUTCOMES`; the first group is the total.
    events : array, shape (replicates, 2)
        Share of firms that give up in a year, and recalls of a leader in a year.
    """
    keys = replicate_keys(seed, replicates)
    runs = list(fan_out(_years, [(key, tuple(overrides), years) for key in keys], Parallel(workers=workers), ordered=True))
    return np.stack([outcomes for outcomes, _ in runs]), np.stack([events for _, events in runs])


def _range(low: float, high: float) -> str:
    return f"{significant(low)} … {significant(high)}"


def _named(key: str) -> list[str]:
    """Return an outcome's name and unit."""
    return [f"{OUTCOMES[key].label} (`{key}`)", OUTCOMES[key].unit]


def page(outcomes: NDArray[np.float64], events: NDArray[np.float64], overrides: Sequence[str]) -> str:
    """Return the page: what was run, a table of all that must stay plausible, and the same by size class."""
    keys = list(OUTCOMES)
    replicates, years = outcomes.shape[:2]
    lines = [
        "# Eight years without a programme",
        "",
        f"Written by `make docs PAGE=eight_years`: {' '.join(overrides)}, {replicates} replicates of {12 * years} months after the "
        "burn-in, no instrument. Baseline supervision, certification, recalls and voluntary chief quality officers go on. The table "
        "shows means over replicates in the first and the last year, the standard deviation between replicates in the last year, and the "
        "range that a test requires of every year. Parameters are the calibrated defaults; [validation](validation.md) shows which "
        "levels are those observed.",
        "",
        "![Eight years without a programme](eight_years.png)",
        "",
    ]
    rows = []
    for key, (low, high, why) in PLAUSIBLE.items():
        values = outcomes[:, :, keys.index(key), 0]
        first, last, spread = values[:, 0].mean(), values[:, -1].mean(), values[:, -1].std(ddof=1)
        rows.append([*_named(key), *map(significant, (first, last, spread)), _range(low, high), why])
    for k, (key, (low, high, why)) in enumerate(EVENTS.items()):
        mean, spread = events[:, k].mean(), events[:, k].std(ddof=1)
        rows.append([_named(key)[0], "1/year", significant(mean), "(all years)", significant(spread), _range(low, high), why])
    drift = 100.0 * (outcomes[:, -1, keys.index("nonconformity"), 0] - outcomes[:, 0, keys.index("nonconformity"), 0])
    error = drift.std(ddof=1) / np.sqrt(replicates)
    lines += [
        *table(["outcome", "unit", "year 1", "year 8", "s.d.", "must lie in", "because"], rows, "  rrrr"),
        "",
        f"The true conformity of firms changes by {fixed(-drift.mean(), 2, sign=True)} ± {1.96 * error:.2f} percentage points from the "
        "first year to the last (required: within ± 0.9 in eight years).",
        "",
        "## By size class, in the last year",
        "",
    ]
    rows = []
    for key in ("nonconformity", "targeted_fail_rate", "management", "copq", "net_margin", "cash", "debt", "bad_loans", "credit_bound"):
        cells = [significant(float(np.nanmean(outcomes[:, -1, keys.index(key), 1 + size]))) for size in range(len(SIZE_CLASSES))]
        rows.append([*_named(key), *cells])
    return "\n".join([*lines, *table(["outcome", "unit", *SIZE_CLASSES], rows, "  rrr")]) + "\n"


def figure(outcomes: NDArray[np.float64]) -> Figure:
    """Draw the yearly course of six outcomes: mean over replicates and a band of one standard deviation between them."""
    keys = list(OUTCOMES)
    drawn_outcomes = ("field_dpu", "nonconformity", "management", "net_margin", "cash", "bad_loans")
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 4.2))
        for axes, key in zip(drawn.subplots(2, 3).flat, drawn_outcomes, strict=True):
            unit, times = scaled_unit(key)
            values = times * outcomes[:, :, keys.index(key), 0]
            year, mean, spread = np.arange(1, values.shape[1] + 1), values.mean(axis=0), values.std(axis=0, ddof=1)
            axes.fill_between(year, mean - spread, mean + spread, color=COLOURS[1], alpha=0.2, linewidth=0)
            axes.plot(year, mean, color=COLOURS[1], marker="o", markersize=3)
            axes.set_title(OUTCOMES[key].label)
            axes.set_ylabel(unit)
            axes.set_xlabel("year")
            axes.set_xticks(year)
            axes.set_ylim(bottom=0.0)
    return finish(drawn, ())


def write(folder: Path, overrides: Sequence[str] = ("region=liaoning",), replicates: int = 20) -> None:
    """Simulate, and write the page and its figure into a folder."""
    outcomes, events = years_without_programme(overrides, replicates)
    (folder / "eight_years.md").write_text(page(outcomes, events, overrides), encoding="utf-8")
    figure(outcomes).savefig(folder / "eight_years.png", metadata={"Software": None})


if __name__ == "__main__":
    write(EVIDENCE)
