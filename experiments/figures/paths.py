"""Figures over the months, and over the points of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.catalogue.settings import settings
from experiments.figures.style import (
    COLOURS,
    SHOWN,
    SINGLE,
    WIDE,
    Mark,
    arm_marks,
    finish,
    handle,
    legend,
    scaled_unit,
    style,
    unit_of_difference,
    without_values,
    wrapped,
)
from experiments.languages.wording import label, say
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["queues_figure", "sweep_figure", "time_paths"]

QUEUES = ("cases_filed", "cases_served", "cases_waiting", "waiting_time")


def time_paths(series: pd.DataFrame, about: Mapping[str, Any], outcomes: Sequence[str] = SHOWN) -> Figure:
    """Draw every arm's level over the months and, at its right, if there is another arm, the paired effects: a row per outcome.

    Parameters
    ----------
    series : DataFrame
        A row per arm, outcome and month: level and effect with their intervals.
    about : dict
        The study's manifest.
    outcomes : sequence of str
    """
    reference = str(about["reference"])
    marks = arm_marks(list(series["arm"].unique()), reference)
    with matplotlib.rc_context(style()):
        columns = ("level", "effect") if set(marks) - {reference} else ("level",)
        figure = Figure(figsize=(WIDE if len(columns) > 1 else SINGLE, 0.9 + 1.5 * len(outcomes) + 0.12 * len(marks)))
        axes = figure.subplots(len(outcomes), len(columns), sharex=True, squeeze=False)
        for row, key in enumerate(outcomes):
            for ax, what in zip(axes[row], columns, strict=True):
                _path(ax, series[series["outcome"] == key], key, what, marks, reference)
                title = label(OUTCOMES[key]) if what == "level" else say("figures.paths.title", reference=reference)
                ax.set_title(wrapped(title, 48))
        for ax in axes[-1]:
            ax.set_xlabel(say("figures.month"))
        legend(figure, [handle(arm, mark) for arm, mark in marks.items()])
        return finish(figure, about, say("figures.paths.marks"))


def queues_figure(series: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw the queues of the stations over the months, arm by arm: cases filed, served and waiting, and the waiting time.

    Parameters
    ----------
    series : DataFrame
        As for `time_paths`.
    about : dict
        The study's manifest.
    """
    reference = str(about["reference"])
    marks = arm_marks(list(series["arm"].unique()), reference)
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 4.2 + 0.12 * len(marks)))
        axes = figure.subplots(2, 2, sharex=True)
        for ax, key in zip(axes.flat, QUEUES, strict=True):
            _path(ax, series[series["outcome"] == key], key, "level", marks, reference)
            ax.set_title(wrapped(label(OUTCOMES[key]), 48))
        for ax in axes[-1]:
            ax.set_xlabel(say("figures.month"))
        legend(figure, [handle(arm, mark) for arm, mark in marks.items()])
        return finish(figure, about, say("figures.paths.marks"))


def _path(ax: Axes, rows: pd.DataFrame, key: str, what: str, marks: Mapping[str, Mark], reference: str) -> None:
    """Draw the months of one outcome in one panel, and name its unit."""
    unit, times = scaled_unit(key)
    ax.set_ylabel(unit if what == "level" else wrapped(say("figures.difference", unit=unit_of_difference(key)), 24))
    drawn = rows if what == "level" else rows[rows["arm"] != reference]
    if not np.isfinite(drawn[what].to_numpy(dtype=np.float64)).any():
        without_values(ax)
        return
    months = int(rows["month"].max()) if len(rows) else 1
    step = max(1, months // 6)
    for k, (arm, mark) in enumerate(marks.items()):
        of_arm, base = rows[rows["arm"] == arm], arm == reference
        if base and what == "effect":
            ax.axhline(0.0, color=mark.colour, lw=0.8)
            continue
        month, middle, low, high = (of_arm[c].to_numpy(dtype=np.float64) for c in ("month", what, f"{what}_low", f"{what}_high"))
        ax.fill_between(month, times * low, times * high, color=mark.colour, alpha=0.15 if len(marks) <= 6 else 0.08, lw=0)
        # The reference is on top, so that an arm that changes nothing shows below its dashes.
        ax.plot(
            month, times * middle, color=mark.colour, lw=1.2, ls=mark.dash, marker=mark.marker, ms=3.5,
            markevery=(k * step // max(1, len(marks)) % max(1, len(month)), step), zorder=3 if base else 2, label=arm,
        )  # fmt: skip


def sweep_figure(table: pd.DataFrame, swept: Sequence[str], manifests: Sequence[Mapping[str, Any]] = (), outcome: str = HEADLINE) -> Figure:
    """Draw the effect of every point of a sweep, arm by arm, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Effects of all points, with one column per swept key.
    swept : sequence of str
        Its keys; the first is the axis, the others make lines.
    manifests : sequence of dict
        Where the points came from, for the small print.
    outcome : str
    """
    rows = table[(table["outcome"] == outcome) & (table["by"] == "total")]
    arms = [arm for arm in rows["arm"].unique() if (rows.loc[rows["arm"] == arm, "effect"] != 0.0).any()] or list(rows["arm"].unique())[-1:]
    others = list(dict.fromkeys(rows[list(swept[1:])].itertuples(index=False, name=None))) if len(swept) > 1 else [()]
    lines = dict(zip(others, arm_marks([str(k) for k in range(len(others))], "").values(), strict=True))
    names = list(rows[swept[0]].unique())
    _, times = scaled_unit(outcome)
    columns = min(len(arms), 2)
    height = -(-len(arms) // columns)
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(SINGLE if columns == 1 else WIDE, 0.8 + 2.1 * height + 0.12 * len(lines)))
        axes = figure.subplots(height, columns, sharey=True, squeeze=False)
        for ax in axes.flat[len(arms) :]:
            ax.remove()
        for ax, arm in zip(axes.flat, arms, strict=False):
            of_arm = rows[rows["arm"] == arm]
            for values, mark in lines.items():
                points = of_arm[(of_arm[list(swept[1:])] == list(values)).all(axis=1)] if values else of_arm
                _points(ax, points[swept[0]], times * points[["effect", "effect_low", "effect_high"]].to_numpy(), mark, names)
            ax.axhline(0.0, color=COLOURS[0], lw=0.8)
            ax.set_title(wrapped(arm, 48))
            ax.set_xlabel(wrapped(_with_unit(swept[0]), 44))
        for ax in axes[:, 0]:
            ax.set_ylabel(wrapped(say("figures.effect_axis", outcome, unit_of_difference(outcome)), 30))
        if len(swept) > 1:
            keys = [key.split(".")[-1] for key in swept[1:]]
            named = {values: say("figures.point", list(zip(keys, values, strict=True))) for values in lines}
            legend(figure, [handle(named[values], mark) for values, mark in lines.items()])
        return finish(figure, manifests, say("figures.bars"))


def _points(ax: Axes, values: pd.Series, effects: NDArray[np.float64], mark: Mark, names: Sequence[str]) -> None:
    """Draw one line of a sweep: over numbers, or over names in their order."""
    numeric = pd.to_numeric(pd.Series(names), errors="coerce").notna().all()
    x = pd.to_numeric(values).to_numpy() if numeric else np.array([names.index(value) for value in values])
    middle, low, high = effects.T
    ends = np.nan_to_num([middle - low, high - middle])
    ax.errorbar(x, middle, yerr=np.maximum(ends, 0.0), color=mark.colour, marker=mark.marker, ls=mark.dash, ms=4, lw=1.2, capsize=2)
    if not numeric:
        upright = sum(len(str(name)) for name in names) > 40
        ax.set_xticks(range(len(names)), [wrapped(str(name), 24) for name in names], rotation=90 if upright else 0)


def _with_unit(path: str) -> str:
    """Return a swept key and the unit it is in, where it has one."""
    unit = next((s.unit for s in settings() if s.path == path), "")
    return say("figures.with_unit", path=path, unit=label(unit)) if unit not in {"", "1"} else path
