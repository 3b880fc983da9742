"""Simulated figures and the observed ranges of their patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from agents.firm import SIZE_CLASSES
from experiments.calibration.patterns import PROBES, Pattern
from experiments.catalogue.settings import called
from experiments.figures.style import COLOURS, SMALL, WIDE, finish, style, without_values, wrapped
from experiments.languages.wording import label, say

__all__ = ["influence_figure", "pattern_figure"]

#: Bins of a histogram.
BINS = 24
#: Inches of one panel, and panels in a row.
HIGH, ACROSS = 1.5, 3
#: Letters of a line of a label in the picture of influence, at most.
LABEL = 46


def pattern_figure(observed: pd.DataFrame, pattern: Pattern, about: Mapping[str, Any]) -> Figure:
    """Draw for every figure of a pattern what worlds of the ensemble show, and the range observed.

    Parameters
    ----------
    observed : DataFrame
        Columns figure and value: a row a replicate.
    pattern : Pattern
    about : dict
        The study's manifest.
    """
    count = len(pattern.probes)
    across = min(count, ACROSS)
    down = -(-count // across)
    with matplotlib.rc_context(style()):
        drawn = Figure(figsize=(WIDE * (across + 0.6) / (ACROSS + 0.6), 0.5 + HIGH * down))
        panels = drawn.subplots(down, across, squeeze=False).flat
        for ax, (key, probe) in zip(panels, pattern.probes.items(), strict=False):
            values = observed.loc[observed["figure"] == key, "value"].dropna().to_numpy(dtype=np.float64)
            ax.set_title(wrapped(label(probe), 34), fontsize=SMALL)
            ax.set_xlabel("" if probe.unit == "1" else label(probe.unit))
            if not values.size:
                without_values(ax)
                continue
            bounds = [bound for bound in (probe.low, probe.high) if np.isfinite(bound)]
            low, high = min([values.min(), *bounds]), max([values.max(), *bounds])
            room = 0.08 * (high - low) or 0.5
            low, high = low - room, high + room
            ax.axvspan(max(probe.low, low), min(probe.high, high), color=COLOURS[3], alpha=0.25, linewidth=0, zorder=0)
            ax.hist(values, bins=np.linspace(low, high, BINS + 1), color=COLOURS[1])
            ax.axvline(float(np.median(values)), color=COLOURS[0], linewidth=1.2)
            ax.set_xlim(low, high)
            ax.set_ylabel(say("figures.patterns.axis"))
        for ax in list(panels):
            ax.set_visible(False)
        return finish(drawn, about, say("figures.patterns.marks"))


def influence_figure(influence: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw how strongly every figure of the patterns moves with every parameter that a calibration searched.

    Parameters
    ----------
    influence : DataFrame
        A row a figure: column figure, and 1 over the emulator's length for each parameter, in ranges.
    about : dict
        The study's manifest.
    """
    table = influence.set_index("figure")
    with matplotlib.rc_context(style()):
        drawn = Figure(figsize=(WIDE, 3.2 + 0.2 * len(table.columns)))
        ax = drawn.subplots()
        image = ax.imshow(table.to_numpy().T, aspect="auto", cmap="cividis", norm=PowerNorm(0.5, vmin=0.0))
        figures = [label(PROBES[key]) if key in PROBES else key for key in map(str, table.index)]
        ax.set_xticks(range(len(table)), figures, rotation=60, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(len(table.columns)), [wrapped(_parameter(name), LABEL) for name in map(str, table.columns)])
        drawn.colorbar(image, ax=ax, label=say("figures.influence.scale"))
        return finish(drawn, about, say("figures.influence.marks"))


def _parameter(name: str) -> str:
    """What a parameter is called, that of a size of firms with the size."""
    key, _, rest = name.partition("[")
    at = called(f"parameters.{key}")
    if not rest:
        return at
    size = say(f"sizes.{SIZE_CLASSES[int(rest.rstrip(']'))]}")
    return say("figures.influence.of_size", parameter=at, size=size)
