"""The way of a bad batch: the map of the firms that it passes, month by month, and where its defects are in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.analysis.way import by_month, tiers_by_month
from experiments.figures.style import COLOURS, SMALL, WIDE, finish, legend, shortened, style, wrapped
from experiments.languages.wording import label, say

__all__ = ["way_figure"]

#: Shares of the batch's defects from which a firm or a link has the next colour and size, and these; below the first it is grey.
STEPS = (0.001, 0.01, 0.1)
SHADES, SIZES, WIDTHS = ("#f5b041", "#e0592a", "#8c1515"), (9.0, 24.0, 60.0), (0.6, 1.1, 2.0)
PALE, FEWER = "#c9c9c9", "#3b7fb8"
#: Firms that are drawn: those that carry most.
MOST_FIRMS = 80
#: Of so few firms, each has its name.
FEW_FIRMS = 8
#: Panels of the map side by side.
ACROSS = 3
#: How each end is drawn in the lower panel, from below.
ENDS = {
    "own_final": ("#0b4f7d", ""), "goods_in": ("#3b8fc4", "////"), "final": ("#9ccbe8", ""),
    "other": ("#bdbdbd", "...."), "on_way": ("#f0d9a8", ""), "users": ("#b3261e", ""),
}  # fmt: skip


def way_figure(
    way: pd.DataFrame, tiers: pd.DataFrame, firms: pd.DataFrame, links: pd.DataFrame, about: Mapping[str, Any], most: int = 6
) -> Figure:
    """Draw the map of the first replicate month by month, coloured by the excess; below, means of all replicates by tier and by end.

    Parameters
    ----------
    way, tiers, firms, links : DataFrame
        Tables of a `Following`.
    about : dict
        Its manifest.
    most : int
        Months of which the map is drawn.
    """
    first = way[way["replicate"] == way["replicate"].min()]
    months = [int(month) for month in sorted(first["month"])][:most]
    rows = -(-len(months) // ACROSS)
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.0 + 1.62 * rows + 2.2))
        grid = figure.add_gridspec(rows + 1, 2 * ACROSS, height_ratios=[*[1.0] * rows, 1.3])
        place = _placed(firms, links)
        made = float(first["made"].sum())
        for k, month in enumerate(months):
            at = k % ACROSS
            ax = figure.add_subplot(grid[k // ACROSS, 2 * at : 2 * at + 2])
            _draw_map(ax, first[first["month"] == month].iloc[0], made, firms, links, place)
        _draw_tiers(figure.add_subplot(grid[rows, :2]), tiers_by_month(way, tiers))
        ends = _draw_ends(figure.add_subplot(grid[rows, 2:4]), by_month(way))
        beside = figure.add_subplot(grid[rows, 4:])
        beside.axis("off")
        beside.legend(handles=ends, loc="center left", bbox_to_anchor=(-0.05, 0.5))
        title = say("follow.title", label(str(first["firm"].iloc[0])), float(first["users"].sum()) / made, int(first["reached"].iloc[0]))
        legend(figure, _handles(), wrapped(title, 105))
        return finish(figure, about, say("follow.marks", replicates=way["replicate"].nunique()))


# -- the map ------------------------------------------------------------------------------------------------


def _placed(firms: pd.DataFrame, links: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Place the firms that carry most: a column per tier, the deepest at the left; in it each firm near the firms that it supplies."""
    ways = firms.groupby("firm", sort=False).agg(tier=("tier", "first"), carries=("leaving", "max"))
    ways = ways.sort_values("carries", ascending=False, kind="stable").head(MOST_FIRMS)
    deepest = int(ways["tier"].max())
    columns = {name: deepest - tier if tier >= 0 else -1 for name, tier in zip(ways.index, ways["tier"], strict=True)}
    pairs = links[["supplier", "customer"]].drop_duplicates()
    customers: dict[str, list[str]] = {}
    for supplier, customer in zip(pairs["supplier"], pairs["customer"], strict=True):
        if supplier in columns and customer in columns:
            customers.setdefault(supplier, []).append(customer)
    height: dict[str, float] = {}
    for column in sorted(set(columns.values()), reverse=True):
        here = [name for name in ways.index if columns[name] == column]
        wanted = {name: float(np.mean([height.get(other, 0.5) for other in customers.get(name, [])] or [0.5])) for name in here}
        for k, name in enumerate(sorted(here, key=lambda name: wanted[name])):
            height[name] = (k + 0.5) / len(here)
    return {name: (float(columns[name]), height[name]) for name in ways.index}


def _step(share: float) -> int:
    """Return which of the shades a share has: -1 for none."""
    return int(np.searchsorted(STEPS, share, side="right")) - 1


def _draw_map(
    ax: Axes, row: pd.Series, made: float, firms: pd.DataFrame, links: pd.DataFrame, place: Mapping[str, tuple[float, float]]
) -> None:
    """Draw one month: grey what carries nothing, coloured what carries a part of the batch."""
    month = int(row["month"])
    last = max(x for x, _ in place.values()) + 1.0
    ax.set(xlim=(min(x for x, _ in place.values()) - 0.4, last + 0.45), ylim=(-0.06, 1.06))
    here, ways = firms[firms["month"] == month], links[links["month"] == month]
    to_users = [
        ((*place[name],), (last, 0.5), users / made)
        for name, users, tier in zip(here["firm"], here["users"], here["tier"], strict=True)
        if name in place and tier == 0
    ]
    lines = [
        (place[supplier], place[customer], share / made)
        for supplier, customer, share in zip(ways["supplier"], ways["customer"], ways["arriving"], strict=True)
        if supplier in place and customer in place
    ]
    for step in range(-1, len(STEPS)):
        of_step = [[start, end] for start, end, share in (*lines, *to_users) if _step(share) == step]
        colour, width = (PALE, 0.25) if step < 0 else (SHADES[step], WIDTHS[step])
        ax.add_collection(LineCollection(of_step, colors=colour, linewidths=width, zorder=2 + step, alpha=0.5 if step < 0 else 0.85))
    for name, leaving in zip(here["firm"], here["leaving"], strict=True):
        if name in place:
            step, fewer = _step(leaving / made), leaving / made < -STEPS[0]
            colour = FEWER if fewer else PALE if step < 0 else SHADES[step]
            ax.scatter(*place[name], s=9.0 if fewer else 4.0 if step < 0 else SIZES[step], color=colour, lw=0, zorder=6 + step)
    for name, (x, y) in place.items() if len(place) <= FEW_FIRMS else ():
        ax.annotate(shortened(label(name), 14), (x, y), xytext=(0, 6), textcoords="offset points", ha="center", va="bottom", fontsize=SMALL)
    if (struck := str(row["firm"])) in place:
        ax.scatter(*place[struck], s=85.0, facecolors="none", edgecolors="black", lw=0.9, zorder=12)
    step = _step(float(row["users"]) / made)
    ax.plot([last, last], [0.28, 0.72], color=PALE if step < 0 else SHADES[step], lw=4.0, solid_capstyle="butt", zorder=5)
    deepest = int(max(x for x, _ in place.values()))
    ticks = [*range(deepest + 1), deepest + 1]
    ax.set_xticks(ticks, [*(str(deepest - x) for x in range(deepest + 1)), say("follow.users")])
    ax.set_yticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    ax.set_title(wrapped(say("follow.panel", month, int(row["passing_on"]), float(row["users"]) / made), 38), fontsize=SMALL)


def _handles() -> list[Artist]:
    """What the shades, the ring and the blue stand for."""
    bounds = [*STEPS, None]
    shades: list[Artist] = [
        Line2D([], [], color=SHADES[k], marker="o", ms=np.sqrt(SIZES[k]), lw=WIDTHS[k], label=say("follow.shade", bounds[k], bounds[k + 1]))
        for k in range(len(STEPS))
    ]
    ring = Line2D([], [], color="black", marker="o", mfc="none", ms=7, lw=0, label=say("follow.ring"))
    return [ring, *shades, Line2D([], [], color=FEWER, marker="o", ms=3, lw=0, label=say("follow.fewer"))]


# -- below the map ------------------------------------------------------------------------------------------


def _draw_tiers(ax: Axes, table: pd.DataFrame) -> None:
    """Draw the excess that leaves each tier over the months, in % of the batch's defects."""
    shown = [tier for tier in table.columns if float(table[tier].abs().max()) >= STEPS[0]]
    dashes: Sequence[Any] = ("-", (0, (6, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
    for k, tier in enumerate(sorted(shown, reverse=True)):
        name = say("follow.no_leader") if tier < 0 else say("follow.leaders") if tier == 0 else say("follow.tier", tier=tier)
        ax.plot(
            table.index, 100.0 * table[tier], color=COLOURS[k % 7], ls=dashes[k % 4], marker="o", ms=2.5, lw=1.1, label=name,
        )  # fmt: skip
    ax.axhline(0.0, color="0.6", lw=0.5, zorder=0)
    ax.set(xlabel=say("figures.month"), ylabel=wrapped(say("follow.of_batch"), 26))
    ax.set_title(wrapped(say("follow.tiers_title"), 40))
    ax.legend(loc="upper right")


def _draw_ends(ax: Axes, table: pd.DataFrame) -> list[Patch]:
    """Draw what has become of the batch's defects up to each month, stacked, in % of them; return what stands in the legend, from above."""
    so_far = {name: table[name].cumsum() for name in ("own_final", "goods_in", "final", "users")}
    so_far |= {"other": (table["prevented"] + table["elsewhere"]).cumsum(), "on_way": table["on_way"]}
    heights = [100.0 * so_far[name].clip(lower=0.0).to_numpy() for name in ENDS]
    parts = ax.stackplot(table["month"].to_numpy(), heights, colors=[colour for colour, _ in ENDS.values()], lw=0)
    for part, (_, hatch) in zip(parts, ENDS.values(), strict=True):
        part.set(hatch=hatch, edgecolor="white")
    handles = [
        Patch(fc=colour, hatch=hatch, ec="white", label=wrapped(say(f"follow.ends.{name}"), 30)) for name, (colour, hatch) in ENDS.items()
    ]
    ax.set(xlim=(table["month"].min(), max(table["month"].max(), table["month"].min() + 1)), ylim=(0.0, None))
    ax.set(xlabel=say("figures.month"))
    ax.set_title(wrapped(say("follow.ends_title", float(table["users"].sum())), 40))
    ax.axhline(100.0, color="0.2", lw=0.7, ls=(0, (3, 2)))
    return handles[::-1]
