"""A panel of a dose and its effect: as many as there are instruments make a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from experiments.figures.style import COLOURS, wrapped
from experiments.reports.findings import Estimate
from sim import INSTRUMENTS

__all__ = ["dose_panel"]

#: Letters to a line of a panel as wide as the page.
WIDEST = 200


def dose_panel(
    axes: Axes,
    key: str,
    doses: Sequence[float],
    effects: Sequence[Estimate],
    colour: str = COLOURS[1],
    marker: str = "o",
    width: int = WIDEST,
) -> None:
    """Draw the effects of an instrument's doses with their intervals; a dashed line stands at the default dose.

    Parameters
    ----------
    axes : Axes
    key : str
        The instrument.
    doses, effects : sequences
        Doses, and the mean effect of each with the ends of its interval.
    colour, marker : str
    width : int
        Letters to a line of the text around the panel.
    """
    cls = INSTRUMENTS[key]
    middle, low, high = np.array(effects).T
    axes.axhline(0.0, color=COLOURS[0], lw=0.8)
    axes.axvline(cls().level, color="0.6", lw=0.8, ls=(0, (2, 2)))
    axes.errorbar(doses, middle, [middle - low, high - middle], color=colour, marker=marker, ms=4, lw=1.2, capsize=2.5)
    first = cls.label_zh.split(",")[0]
    # Chinese cannot be wrapped at blanks: in a narrow panel it has a line of its own.
    axes.set_title(f"{key}\n{first}" if width < WIDEST else f"{key} ({cls.label_zh})")
    lever = cls.__dataclass_fields__[cls.dose]
    unit = lever.metadata["unit"]
    axes.set_xlabel(wrapped(lever.name if unit == "1" else f"{lever.name}, {unit}", width))
