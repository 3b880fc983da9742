"""Heat maps: a value and its interval in every cell, blue where it is better and red where it is worse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from experiments.figures.style import SMALL, without_values, wrapped

__all__ = ["Cells", "draw_cells"]

#: Names along a side at most; of more every second, third, … is written.
MOST_NAMES = 24


@dataclass(frozen=True)
class Cells:
    """What the cells of a heat map show, each array of shape (rows, columns).

    Attributes
    ----------
    value, low, high : array
        Not a number where there is none.
    is_shown : array of bool
        Whether a value is shown to differ from 0: others are grey on white.
    better : float
        +1 where more is better, -1 where less is.
    write, write_end : callable
        Write a value, and an end of its interval.
    missing : str
        What stands in a cell without a value.
    mark : str
        What stands behind a value that is shown to differ from 0.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_shown: NDArray[np.bool_]
    better: float
    write: Callable[[float], str]
    write_end: Callable[[float], str]
    missing: str
    mark: str = ""

    @property
    def most(self) -> float:
        """Largest size of a value; 1 if all are 0, and 0 if there is no value."""
        return float(np.nanmax(np.abs(self.value))) or 1.0 if np.isfinite(self.value).any() else 0.0

    def text(self, y: int, x: int, interval: bool) -> str:
        """Return what stands in a cell."""
        text = self.write(float(self.value[y, x])) + (self.mark if self.is_shown[y, x] else "")
        if interval and np.isfinite(self.low[y, x]):
            text += f"\n[{self.write_end(float(self.low[y, x]))}, {self.write_end(float(self.high[y, x]))}]"
        return text


def draw_cells(
    ax: Axes, cells: Cells, rows: Sequence[str], columns: Sequence[str], most: float = 0.0, numbers: bool = True, intervals: bool = True
) -> None:
    """Draw a heat map.

    Parameters
    ----------
    ax : Axes
    cells : Cells
    rows, columns : sequence of str
        What they are called.
    most : float
        Value of the darkest colour, where several maps share one scale; that of this map by default.
    numbers, intervals : bool
        Whether there is room for a number in a cell, and for its interval.
    """
    most = most or cells.most
    if not most:
        without_values(ax)
        ax.set_xticks([])
        return
    known = np.isfinite(cells.value)
    tint = np.ma.masked_invalid(cells.better * np.where(known & ~cells.is_shown, 0.0, cells.value))
    ax.imshow(tint, aspect="auto", cmap="RdBu", norm=TwoSlopeNorm(0.0, -1.9 * most, 1.9 * most))  # never so dark that letters drown
    for y, x in np.argwhere(~known):
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fc="none", ec="0.75", hatch="////", lw=0))
        if numbers and cells.missing:
            note = {"fc": "white", "ec": "none", "pad": 0.5}
            ax.text(x, y, wrapped(cells.missing, 12), ha="center", va="center", fontsize=SMALL, bbox=note)
    for y, x in np.argwhere(known) if numbers else ():
        colour = "black" if cells.is_shown[y, x] else "0.4"
        ax.text(x, y, cells.text(y, x, intervals), ha="center", va="center", fontsize=SMALL, color=colour, linespacing=1.1)
    for names, letters, label in ((columns, 18, ax.set_xticks), (rows, 24, ax.set_yticks)):
        step = -(-len(names) // MOST_NAMES)
        label(range(0, len(names), step), [wrapped(name, letters) for name in names[::step]], fontsize=SMALL)
    if numbers:
        ax.set_xticks(np.arange(-0.5, len(columns)), minor=True)
        ax.set_yticks(np.arange(-0.5, len(rows)), minor=True)
        ax.grid(which="minor", color="white", lw=1.2)
    ax.tick_params(which="both", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
