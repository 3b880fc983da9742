"""How rows are drawn: a value and its interval to a line, in groups under headings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from experiments.figures.style import COLOURS, SINGLE, SMALL, WIDE, Mark, without_values, wrapped

__all__ = ["Row", "draw_rows", "limits"]

#: Height of a line of text, inches.
LINE = 0.128
#: Lines that a figure holds in one column; more make two.
MOST_LINES = 34


@dataclass(frozen=True)
class Row:
    """One line: label, value, interval, mark; text at its right end; note in place of a value that is not known; value wanted."""

    label: str
    value: float
    low: float = np.nan
    high: float = np.nan
    mark: Mark = Mark(COLOURS[1])
    text: str = ""
    note: str = ""
    wanted: float = np.nan


@dataclass(frozen=True)
class _Line:
    """A row or a heading with its wrapped label."""

    label: str
    row: Row | None

    @property
    def height(self) -> float:
        """In lines of text; a heading has a little room above it."""
        return self.label.count("\n") + (1.0 if self.row else 1.4)


def draw_rows(
    groups: Mapping[str, Sequence[Row]], x_label: str, *, origin: float | None = 0.0, log: bool = False, wide: bool = False
) -> Figure:
    """Draw groups of rows, in one column or, where they are many, in two.

    Parameters
    ----------
    groups : dict of str to sequence of Row
        Rows under their heading; a heading "" is left out.
    x_label : str
        With the unit.
    origin : float, optional
        Where a line stands that means no difference.
    log : bool
        Whether the axis is logarithmic.
    wide : bool
        Whether one column of rows is as wide as two, for long labels.
    """
    blocks = _blocks(groups, 46 if wide else 24)
    parts = [blocks] if wide else _parts(blocks)
    height = max(sum(line.height for block in part for line in block) for part in parts)
    figure = Figure(figsize=(WIDE if wide or len(parts) > 1 else SINGLE, 1.25 + LINE * max(height, 4.0)))
    rows = [row for of_group in groups.values() for row in of_group]
    ends = limits(rows, origin, log)
    for ax, part in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        if ends:
            _scale(ax, ends, log, 6 if wide else 4)
            if origin is not None:
                ax.axvline(origin, color=COLOURS[0], lw=0.8, zorder=1)
        else:
            ax.set_xticks([])
        _draw_part(ax, [line for block in part for line in block], height)
        ax.set_xlabel(wrapped(x_label, 80 if wide else 36))
    return figure


def _scale(ax: Axes, limits: tuple[float, float], log: bool, ticks: int) -> None:
    """Set ends and ticks of the axis of values."""
    if log:
        ax.set_xscale("log")
        narrow, wide = limits[1] < 30.0 * limits[0], limits[1] > 1e4 * limits[0]
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if narrow else (1.0,), numticks=3 if wide else ticks + 2))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.9g}"))  # powers would be in tiny letters
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(ticks))
    ax.set_xlim(*limits)


def _blocks(groups: Mapping[str, Sequence[Row]], letters: int) -> list[list[_Line]]:
    blocks = []
    for heading, rows in groups.items():
        head = [_Line(wrapped(heading, letters), None)] if heading else []
        blocks.append([*head, *(_Line(wrapped(row.label, letters), row) for row in rows)])
    return [block for block in blocks if block]


def _parts(blocks: list[list[_Line]]) -> list[list[list[_Line]]]:
    """Put the groups into two columns of similar length, where one column would be too long; a group is never cut."""
    heights = np.cumsum([sum(line.height for line in block) for block in blocks])
    if len(blocks) < 2 or heights[-1] <= MOST_LINES:
        return [blocks]
    cut = 1 + int(np.argmin(np.maximum(heights[:-1], heights[-1] - heights[:-1])))
    return [blocks[:cut], blocks[cut:]]


def limits(rows: Sequence[Row], origin: float | None, log: bool) -> tuple[float, float] | None:
    """Ends of the axis: all values, and intervals as far as they do not dwarf them."""
    values = np.array([[row.low, row.value, row.high] for row in rows]).reshape(-1, 3)
    centre = np.concatenate([values[:, 1], [row.wanted for row in rows], [] if origin is None else [origin]])
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values, centre = np.log10(values), np.log10(centre)
    centre = centre[np.isfinite(centre)]
    if not np.isfinite(values[:, 1]).any():
        return None
    span = centre.max() - centre.min() or (1.0 if log else abs(centre.max()) or 1.0)
    inside = values[np.isfinite(values)]
    low = max(min(inside.min(), centre.min()), centre.min() - 1.5 * span)
    high = min(max(inside.max(), centre.max()), centre.max() + 1.5 * span)
    room = 0.06 * (high - low or span)
    return (10 ** (low - room), 10 ** (high + room)) if log else (low - room, high + room)


def _draw_part(ax: Axes, lines: Sequence[_Line], height: float) -> None:
    """Draw one column of rows; intervals that leave the axis end in an arrow."""
    ends = np.cumsum([line.height for line in lines])
    place = ends - 0.5 * np.array([line.label.count("\n") + 1 for line in lines]) if lines else ends
    left, right = ax.get_xlim()
    for y, line in zip(place, lines, strict=True):
        row = line.row
        if row is None:
            continue
        mark = row.mark
        if np.isfinite(row.low) and np.isfinite(row.high):
            ax.hlines(y, max(row.low, left), min(row.high, right), color=mark.colour, lw=1.3, zorder=2)
            for end, marker, out in ((left, "<", row.low < left), (right, ">", row.high > right)):
                if out:
                    ax.plot(end, y, marker, color=mark.colour, ms=3.5, clip_on=False)
        if np.isfinite(row.value):
            ax.plot(row.value, y, mark.marker or "o", color=mark.colour, mfc=mark.face, ms=4, zorder=3)
        elif row.note:
            ax.text(0.03, y, row.note, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL, style="italic", color="0.35",
                    bbox={"fc": "white", "ec": "none", "pad": 0.5}, zorder=4)  # fmt: skip
        if np.isfinite(row.wanted) and np.isfinite(row.value):
            ax.plot(row.wanted, y, "|", color=COLOURS[0], ms=7, mew=1.2, zorder=2)
        if row.text:
            ax.text(1.04, y, row.text, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL)
    ax.set_yticks(place, [line.label for line in lines], fontsize=SMALL)
    for tick, line in zip(ax.yaxis.get_major_ticks(), lines, strict=True):
        if line.row is None:
            tick.label1.set_fontweight("bold")
            tick.tick1line.set_visible(False)
    ax.set_ylim(height + 0.4, -0.1)
    ax.grid(axis="x", color="0.9", lw=0.5)
    ax.set_axisbelow(True)
    if not any(line.row and (np.isfinite(line.row.value) or line.row.note) for line in lines):
        without_values(ax)
