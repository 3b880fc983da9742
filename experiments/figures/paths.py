"""Figures over the months, and over the points of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.analysis.arms import arms_in_words
from experiments.figures.style import (
    SHOWN,
    SINGLE,
    SMALL,
    WIDE,
    Mark,
    arm_marks,
    finish,
    handle,
    legend,
    name_months,
    scaled_unit,
    shortened,
    style,
    unit_of_difference,
    without_values,
    wrapped,
)
from experiments.languages.wording import label, say
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["queues_figure", "time_paths"]

#: Arms that have a colour of their own; of more, the others are grey.
MOST_COLOURS = 6
_OTHER = Mark("0.72", "")
#: Height of a line of a name at the end of a line, as a share of a panel's height.
LINE = 0.115
QUEUES = ("cases_filed", "cases_served", "cases_waiting", "waiting_time")


@arms_in_words
def time_paths(series: pd.DataFrame, about: Mapping[str, Any], outcomes: Sequence[str] = SHOWN) -> Figure:
    """Draw every arm's level over the months and, at its right, if there is another arm, the paired effects: a row per outcome.

    Of many arms, the main ones have colours and their names at the ends of their lines; the others are grey.

    Parameters
    ----------
    series : DataFrame
        A row per arm, outcome and month: level and effect with their intervals.
    about : dict
        The study's manifest.
    outcomes : sequence of str
    """
    reference = str(about["reference"])
    lines = _lines(series, reference)
    with matplotlib.rc_context(style()):
        columns = ("level", "effect") if set(lines.marks) - {reference} else ("level",)
        figure = Figure(figsize=(WIDE if len(columns) > 1 else SINGLE, 0.9 + 1.5 * len(outcomes) + lines.height))
        axes = figure.subplots(len(outcomes), len(columns), sharex=True, squeeze=False)
        clipped = False
        for row, key in enumerate(outcomes):
            for ax, what in zip(axes[row], columns, strict=True):
                clipped |= _path(ax, series[series["outcome"] == key], key, what, lines, reference, names=ax is axes[row, -1])
                title = label(OUTCOMES[key]) if what == "level" else say("figures.paths.title", reference=reference)
                ax.set_title(wrapped(title, 48))
        for ax in axes[-1]:
            name_months(ax, about)
        legend(figure, lines.handles)
        return finish(figure, about, _marks(series, clipped))


@arms_in_words
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
    lines = _lines(series, reference, "cases_waiting")
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 4.2 + lines.height))
        axes = figure.subplots(2, 2, sharex=True)
        clipped = False
        for ax, key in zip(axes.flat, QUEUES, strict=True):
            clipped |= _path(ax, series[series["outcome"] == key], key, "level", lines, reference, names=ax in axes[:, -1])
            ax.set_title(wrapped(label(OUTCOMES[key]), 48))
        for ax in axes[-1]:
            name_months(ax, about)
        legend(figure, lines.handles)
        return finish(figure, about, _marks(series, clipped))


@dataclass(frozen=True)
class _Lines:
    """How the arms are drawn: the mark of each, which have a colour of their own, and the reference."""

    marks: dict[str, Mark]
    main: tuple[str, ...]
    reference: str

    @property
    def many(self) -> bool:
        """Whether some arms are grey."""
        return len(self.main) < len(self.marks)

    @property
    def handles(self) -> list[Line2D]:
        """What the legend shows: every arm; of many only what has no name at its end, the reference and all others."""
        shown = [handle(arm, self.marks[arm]) for arm in self.main if arm == self.reference or not self.many]
        return [*shown, handle(say("path_lines.others", arms=len(self.marks) - len(self.main)), _OTHER)] if self.many else shown

    @property
    def height(self) -> float:
        """Height that the legend needs, inches."""
        return 0.12 * len(self.handles)


def _lines(series: pd.DataFrame, reference: str, outcome: str = HEADLINE) -> _Lines:
    """Choose how arms are drawn: of many, the reference, "all" and those with the lowest last values have colours."""
    arms = [str(arm) for arm in series["arm"].unique()]
    if len(arms) <= MOST_COLOURS:
        return _Lines(arm_marks(arms, reference), tuple(arms), reference)
    of = series[series["outcome"] == outcome]
    last = of[of["month"] == of["month"].max()].set_index("arm")["level"]
    best = sorted(arms, key=lambda arm: (arm != reference, arm != "all", float(last.get(arm, np.inf))))[:MOST_COLOURS]
    main = tuple(arm for arm in arms if arm in best)
    marks = arm_marks(main, reference)
    return _Lines({arm: marks.get(arm, _OTHER) for arm in arms}, main, reference)


def _marks(series: pd.DataFrame, clipped: bool) -> str:
    """Say what the bands are, whether any would go beyond what is possible, and that there are none with one replicate."""
    bands = bool(np.isfinite(series["level_low"].to_numpy(dtype=np.float64)).any())
    return say("path_lines.bands" if bands else "path_lines.no_bands") + (say("path_lines.clipped") if clipped else "")


def _path(ax: Axes, rows: pd.DataFrame, key: str, what: str, lines: _Lines, reference: str, names: bool) -> bool:
    """Draw the months of one outcome in one panel, and name its unit; return whether a band was cut at a bound of the outcome."""
    unit, times = scaled_unit(key)
    ax.set_ylabel(unit if what == "level" else wrapped(say("figures.difference", unit=unit_of_difference(key)), 24))
    drawn = rows if what == "level" else rows[rows["arm"] != reference]
    if not np.isfinite(drawn[what].to_numpy(dtype=np.float64)).any():
        without_values(ax)
        return False
    least, most = OUTCOMES[key].bounds
    if what == "effect":  # of two values that differ by no more than the whole range
        least, most = least - most, most - least
    months = int(rows["month"].max()) if len(rows) else 1
    step = max(1, months // 6)
    clipped = False
    ends = []
    for k, (arm, mark) in enumerate(lines.marks.items()):
        of_arm, base, main = rows[rows["arm"] == arm], arm == reference, arm in lines.main
        if base and what == "effect":
            ax.axhline(0.0, color=mark.colour, lw=0.8)
            continue
        month, middle, low, high = (of_arm[c].to_numpy(dtype=np.float64) for c in ("month", what, f"{what}_low", f"{what}_high"))
        if main:
            clipped |= bool((low < least).any() or (high > most).any())
            low, high = np.clip(low, least, most), np.clip(high, least, most)
            ax.fill_between(month, times * low, times * high, color=mark.colour, alpha=0.08 if lines.many else 0.15, lw=0)
        # The reference is on top, so that an arm that changes nothing shows below its dashes.
        ax.plot(
            month, times * middle, color=mark.colour, lw=1.2 if main else 0.6, ls=mark.dash, marker=mark.marker if main else "", ms=3.5,
            markevery=(k * step // max(1, len(lines.marks)) % max(1, len(month)), step), zorder=3 if base else 2 if main else 1, label=arm,
        )  # fmt: skip
        if main and not base and len(middle) and np.isfinite(middle[-1]):
            ends.append((arm, float(month[-1]), float(times * middle[-1])))
    if names and lines.many:
        _name_ends(ax, ends, lines)
    return clipped


def _name_ends(ax: Axes, ends: Sequence[tuple[str, float, float]], lines: _Lines) -> None:
    """Write the names of lines at their ends, one above the other where the ends lie together."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    texts = [(wrapped(shortened(arm, 36), 18), month, value) for arm, month, value in sorted(ends, key=lambda end: end[2])]
    heights = [LINE * (1 + text.count("\n")) for text, *_ in texts]
    line = {"arrowstyle": "-", "lw": 0.5, "shrinkB": 0, "relpos": (0, 0.5)}
    # From below, each at its own height or just above the one before it; then all are moved down as far as they stand out at the top.
    places: list[float] = []
    for (_, _, value), height in zip(texts, heights, strict=True):
        floor = places[-1] + (heights[len(places) - 1] + height) / 2 if places else height / 2
        places.append(max((value - low) / (high - low), floor))
    for k in range(len(places) - 1, -1, -1):
        above = places[k + 1] - (heights[k] + heights[k + 1]) / 2 if k + 1 < len(places) else 1.1
        places[k] = min(places[k], above)
    for (arm, *_), (text, month, value), place in zip(sorted(ends, key=lambda end: end[2]), texts, places, strict=True):
        ax.annotate(
            text, (month, value), xytext=(1.04, place), textcoords="axes fraction", va="center", fontsize=SMALL, linespacing=0.95,
            color=lines.marks[arm].colour, arrowprops=line | {"color": lines.marks[arm].colour},
        )  # fmt: skip
