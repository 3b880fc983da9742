"""Observed and simulated, of data that no parameter was tuned to: concentration, outcomes, and two official series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.figures.style import COLOURS, SMALL, WIDE, finish, style
from experiments.pages.evidence.held_out_runs import FAIL, FIRST_YEAR, MIDDLE, OUTCOMES, PASS, TOP, Incidents, Simulated

__all__ = ["held_out_figure"]


def _curves(axes: Axes, incidents: Incidents, replicates: Sequence[Simulated]) -> None:
    low, high = np.quantile([100.0 * run.curves["lots, all"] for run in replicates], MIDDLE, axis=0)
    axes.fill_between([0, *TOP], [0.0, *low], [0.0, *high], color=COLOURS[6], alpha=0.45, linewidth=0, label="simulated incidents")
    low, high = np.quantile([100.0 * run.curves["lots, leaders"] for run in replicates], MIDDLE, axis=0)
    axes.fill_between([0, *TOP], [0.0, *low], [0.0, *high], color=COLOURS[3], alpha=0.35, linewidth=0, label="simulated, at leaders")
    lines = (
        ("incidents", "incidents", COLOURS[0], "-"),
        ("quantity", "quantity", COLOURS[2], "--"),
        ("downtime", "downtime", COLOURS[4], ":"),
    )
    for name, label, colour, dash in lines:
        axes.plot([0, *TOP], [0.0, *incidents.curves[name]], color=colour, linestyle=dash, linewidth=1.1, label=f"observed {label}")
    axes.plot([10.0], [incidents.curves["incidents"][TOP.index(10)]], "o", color=COLOURS[0], markersize=4, label="known to calibration")
    axes.set_title("A small part of the vendors causes most incidents")
    axes.set_xlabel("top vendors, %")
    axes.set_ylabel("part of the whole, %")
    axes.set_xlim(0.0, 100.0)
    axes.set_ylim(0.0, 101.0)
    axes.legend(loc="lower right")


def _outcomes(axes: Axes, incidents: Incidents, replicates: Sequence[Simulated]) -> None:
    mixes = 100.0 * np.stack([run.mix for run in replicates])
    place = np.arange(len(OUTCOMES))
    for k, (label, colour) in enumerate((("simulated, all customers", COLOURS[6]), ("simulated, leaders", COLOURS[3]))):
        middle = np.median(mixes[:, k], axis=0)
        ends = np.quantile(mixes[:, k], MIDDLE, axis=0)
        where = place + 0.34 * (k - 0.5)
        axes.bar(where, middle, 0.32, color=colour, alpha=0.6, label=label)
        axes.errorbar(where, middle, np.abs(ends - middle), fmt="none", ecolor="0.2", elinewidth=0.8)
    axes.plot(place, incidents.outcomes, "o", color=COLOURS[0], markersize=5, label="observed, incidents")
    axes.plot(place, incidents.by_quantity, "o", color=COLOURS[0], mfc="white", markersize=5, label="observed, quantity")
    ticks = ("rejected:\ncaught at goods-in", "impact:\nseen on the line", "no impact:\npassed on unnoticed\n(not comparable)")
    axes.set_xticks(place, ticks, fontsize=SMALL)
    axes.set_title("Outcomes of incidents")
    axes.set_ylabel("%")
    axes.set_ylim(0.0, 1.5 * axes.get_ylim()[1])  # room for the legend above everything
    axes.legend(loc="upper right")


def _series(axes: Axes, official: NDArray[np.float64], replicates: Sequence[Simulated], name: str, title: str) -> None:
    year = FIRST_YEAR + np.arange(official.size)
    for which, alpha in (("counted", 0.2), ("official", 0.5)):
        low, high = np.nanquantile([run.years[f"{name} {which}"] for run in replicates], MIDDLE, axis=0)
        label = "simulated, official sample size" if which == "official" else "simulated, samples of the model"
        axes.fill_between(year, low, high, color=COLOURS[1], alpha=alpha, linewidth=0, label=label)
    known = np.isfinite(official)
    axes.plot(year[known], official[known], color=COLOURS[0], linewidth=0.6, linestyle=(0, (2, 2)))
    axes.plot(year, official, color=COLOURS[0], marker="o", markersize=3.5, linewidth=1.1, label="official")
    axes.set_title(title)
    axes.set_ylabel("%")
    axes.set_xlabel("year (official series)")
    axes.set_xticks(year)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.4 * (high - low))  # room for the legend above everything
    axes.legend(loc="upper left")


def held_out_figure(incidents: Incidents, replicates: Sequence[Simulated]) -> Figure:
    """Draw the curve of concentration, the mix of outcomes, the pass rate and the fail rate.

    Parameters
    ----------
    incidents : Incidents
    replicates : sequence of Simulated
        Replicates of as many years as the series have.
    """
    with rc_context(style()):
        drawn = Figure(figsize=(WIDE, 5.6))
        curves, outcomes, passes, fails = drawn.subplots(2, 2).flat
        _curves(curves, incidents, replicates)
        _outcomes(outcomes, incidents, replicates)
        _series(passes, PASS, replicates, "pass", "Pass rate of products")
        _series(fails, FAIL, replicates, "fail", "Fail rate of risk-targeted samples")
    return finish(drawn, ())
