"""The figure of a sweep: lines over one setting, a heat map over two, and one for each value of further settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.analysis.sweeps import in_order, numeric
from experiments.analysis.verdicts import Conclusion
from experiments.catalogue.settings import called, settings
from experiments.figures.heat import Cells, draw_cells
from experiments.figures.style import (
    COLOURS,
    SINGLE,
    WIDE,
    arm_marks,
    finish,
    scaled_unit,
    style,
    unit_of_difference,
    wrapped,
)
from experiments.formatting import fixed, signed_percent
from experiments.languages.wording import label, say
from sim.outcomes import HEADLINE

__all__ = ["sweep_figure"]

#: Panels at most.
MOST_PANELS = 12
#: Widths of a cell, inches, from which there is room for a number, and for its interval; and room for what stands around the cells.
NUMBER, INTERVAL, AROUND = 0.46, 0.62, 0.75
#: Heights of a cell without a number, with one, and with its interval, inches; and of all cells without numbers at most.
LOW, MIDDLE, HIGH, MOST_HEIGHT = 0.06, 0.2, 0.3, 3.0
#: What marks a value that is shown to differ from 0.
SHOWN = " •"


def sweep_figure(
    table: pd.DataFrame,
    swept: Sequence[str],
    manifests: Sequence[Mapping[str, Any]] = (),
    untouched: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    outcome: str = HEADLINE,
) -> Figure:
    """Draw the effect of every point of a sweep, arm by arm.

    One swept setting makes lines with 95 % intervals, two a heat map in % of the reference; further ones make a panel for each of their
    values.

    Parameters
    ----------
    table : DataFrame
        Effects of all finished points, with one column per swept setting.
    swept : sequence of str
        These settings; the first is the axis.
    manifests : sequence of dict
        Where the points came from, for the small print.
    untouched : sequence of str
        Arms that no swept setting can touch: they are left out, and the small print says so.
    names : dict of str to str, optional
        What arms are called, by name.
    outcome : str
    """
    named = names or {}
    rows = table[
        (table["outcome"] == outcome) & (table["by"] == "total") & ~table["arm"].isin([*untouched, *_references(table, manifests)])
    ]
    left_out = say("sweep_text.left_out", [named.get(arm, arm) for arm in untouched]) if untouched else ""
    with matplotlib.rc_context(style()):
        if len(swept) == 1:
            return finish(_lines(rows, swept[0], named, outcome), manifests, say("figures.bars") + left_out)
        figure, notes = _heat_maps(rows, swept, named, outcome)
        return finish(figure, manifests, notes + left_out)


def _references(table: pd.DataFrame, manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the arms that others are compared with; where no manifest names them, those with no effect and no interval."""
    if references := {str(about["reference"]) for about in manifests if "reference" in about}:
        return list(references)
    none = (table[["effect", "effect_low", "effect_high"]] == 0.0).all(axis=1).groupby(table["arm"]).all()
    return [str(arm) for arm in none[none].index]


# -- one setting ----------------------------------------------------------------------------------------------


def _lines(rows: pd.DataFrame, key: str, named: Mapping[str, str], outcome: str) -> Figure:
    """Draw a line per arm, each in its panel."""
    arms = list(rows["arm"].unique())[:MOST_PANELS]
    values = in_order([str(value) for value in rows[key]])
    mark = next(iter(arm_marks(["0"], "").values()))
    _, times = scaled_unit(outcome)
    columns = min(len(arms), 2)
    height = -(-len(arms) // columns)
    figure = Figure(figsize=(SINGLE if columns == 1 else WIDE, 0.8 + 2.1 * height))
    axes = figure.subplots(height, columns, sharey=True, squeeze=False)
    for ax in axes.flat[len(arms) :]:
        ax.remove()
    for ax, arm in zip(axes.flat, arms, strict=False):
        of_arm = rows[rows["arm"] == arm]
        place = dict(zip(values, map(float, values) if numeric(values) else range(len(values)), strict=True))
        of_arm = of_arm.assign(place=of_arm[key].astype(str).map(place)).sort_values("place")
        middle, low, high = times * of_arm[["effect", "effect_low", "effect_high"]].to_numpy(dtype=np.float64).T
        ends = np.maximum(np.nan_to_num([middle - low, high - middle]), 0.0)
        ax.errorbar(of_arm["place"], middle, yerr=ends, color=mark.colour, marker=mark.marker, ls=mark.dash, ms=4, lw=1.2, capsize=2)
        if not numeric(values):
            _name_values(ax, values)
        ax.axhline(0.0, color=COLOURS[0], lw=0.8)
        ax.set_title(wrapped(named.get(arm, arm), 48))
        ax.set_xlabel(wrapped(_with_unit(key), 44))
    for ax in axes[:, 0]:
        ax.set_ylabel(wrapped(say("figures.effect_axis", outcome, unit_of_difference(outcome)), 30))
    return figure


def _name_values(ax: Axes, values: Sequence[str]) -> None:
    """Name the places of an axis, upright where the names are long."""
    upright = sum(map(len, values)) > 40
    step = -(-len(values) // 24)
    ax.set_xticks(range(0, len(values), step), [wrapped(value, 24) for value in values[::step]], rotation=90 if upright else 0)


# -- several --------------------------------------------------------------------------------------------------


def _heat_maps(rows: pd.DataFrame, swept: Sequence[str], named: Mapping[str, str], outcome: str) -> tuple[Figure, str]:
    """Draw a heat map per arm and value of the third setting and further ones; return what its marks are, too."""
    first, second, *others = swept
    ordered = {key: in_order([str(value) for value in rows[key]]) for key in swept}
    panels = [(arm, values) for values in product(*(ordered[key] for key in others)) for arm in dict.fromkeys(rows["arm"])]
    drawn = panels[:MOST_PANELS]
    sides = {first: ordered[first], second: ordered[second]}
    cells = [_cells(rows[rows["arm"] == arm], dict(zip(others, values, strict=True)), sides) for arm, values in drawn]
    most = max(one.most for one in cells)
    across = 2 if len(drawn) > 1 and (WIDE / 2 - AROUND) / len(ordered[first]) >= INTERVAL else 1
    wide = WIDE if across == 2 or (SINGLE - AROUND) / len(ordered[first]) < INTERVAL else SINGLE
    room = (wide / across - AROUND) / len(ordered[first])
    down = -(-len(drawn) // across)
    cell = HIGH if room >= INTERVAL else MIDDLE
    numbers = room >= NUMBER and len(ordered[second]) * cell * down <= 40.0
    tall = len(ordered[second]) * cell if numbers else min(MOST_HEIGHT, max(0.8, len(ordered[second]) * LOW))
    figure = Figure(figsize=(wide, 0.9 + down * (tall + 0.62)))
    axes = figure.subplots(down, across, squeeze=False)
    for ax in axes.flat[len(drawn) :]:
        ax.remove()
    letters = int(60 * wide / across / WIDE) + 10
    for k, (ax, (arm, values), one) in enumerate(zip(axes.flat, drawn, cells, strict=False)):
        draw_cells(ax, one, ordered[second], ordered[first], most, numbers, room >= INTERVAL)
        if numeric(ordered[second]):
            ax.invert_yaxis()
        further = [(called(key, short=True), value) for key, value in zip(others, values, strict=True)]
        ax.set_title(wrapped(say("sweep_text.panel", named.get(arm, arm), further), letters))
        if k + across >= len(drawn):
            ax.set_xlabel(wrapped(_with_unit(first), letters))
        if k % across == 0:
            ax.set_ylabel(wrapped(_with_unit(second), max(16, int(24 * tall))))
    notes = say("sweep_text.marks", outcome, numbers, room >= INTERVAL, len(drawn), len(panels), str(SHOWN).strip())
    return figure, notes


def _cells(of_arm: pd.DataFrame, at: Mapping[str, str], sides: Mapping[str, Sequence[str]]) -> Cells:
    """Return what the heat map of an arm shows at some values of further settings; `sides` are the values across and down."""
    for key, value in at.items():
        of_arm = of_arm[of_arm[key].astype(str) == value]
    x, y = (of_arm[key].astype(str).map({value: k for k, value in enumerate(values)}).to_numpy() for key, values in sides.items())
    across, down = sides.values()
    shape = len(down), len(across)
    stems = ("effect_share", "effect_share_low", "effect_share_high")
    arrays, is_shown = np.full((3, *shape), np.nan), np.zeros(shape, dtype=bool)
    for array, stem in zip(arrays, stems, strict=True):
        array[y, x] = 100.0 * of_arm[stem].to_numpy(dtype=np.float64)
    is_shown[y, x] = [Conclusion(one).is_shown for one in of_arm["conclusion"]]
    return Cells(
        arrays[0], arrays[1], arrays[2], is_shown, -1.0, signed_percent, lambda end: fixed(end, 1, True), say("sweep_text.missing"), SHOWN
    )


def _with_unit(path: str) -> str:
    """Return what a swept setting is called, and the unit it is in, where it has one."""
    unit = next((s.unit for s in settings() if s.path == path), "")
    return say("figures.with_unit", path=called(path), unit=label(unit)) if unit not in {"", "1", "share"} else called(path)
