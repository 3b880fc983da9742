"""The quality map as a picture: firms by tier, and the flows of defects between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from experiments.figures.style import CAUSE_STYLES, LETTERS, SMALL, TEXT, WIDE, cause_patches, finish, legend, style, wrapped
from experiments.formatting import fixed
from experiments.languages.wording import label, say
from sim.attribution.quality_map import CAUSES

if TYPE_CHECKING:
    from experiments.runs.measure import MapPicture

__all__ = ["network_map"]


def network_map(picture: MapPicture, about: Mapping[str, Any] | None = None, title: str = "", most: int = 14) -> Figure:
    """Draw the quality map: firms by tier, flows of defects as width and colour.

    Each tier shows the `most` firms in which most field loss begins; the rest of the tier is
    drawn as one. A node's area is the field loss that begins there, its slices the causes; a
    line's width and colour are the field loss that the link carries.

    Parameters
    ----------
    picture : MapPicture
    about : dict, optional
        The study's manifest; without it, of a world in a notebook, there is no small print.
    title : str
        Written in place of the field loss of the whole map.
    most : int
    """
    node, labels, tiers, lumped = _lump(picture, most)
    count = len(labels)
    loss = np.zeros((count, len(CAUSES)))
    np.add.at(loss, node, picture.map.loss)
    carried = np.zeros((count, count))
    np.add.at(carried, (node[picture.supplier], node[picture.customer]), picture.map.link_loss)
    xy = _layout(tiers, loss.sum(axis=1))
    total = picture.map.total or 1.0
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 5.0))
        ax = figure.subplots()
        _draw_flows(figure, ax, xy, carried / total)
        depth = int(tiers.max())
        ax.set(xlim=(-depth - 0.5, 0.5 + 0.14 * depth), ylim=(-0.06, 1.16))
        _draw_nodes(ax, xy, loss / total, labels, lumped, int(WIDE * 0.85 * LETTERS / (1.14 * depth + 1.0)) - 3)
        for tier in range(depth + 1):
            head = say("figures.group", "tier", "none" if tier > picture.tier.max() else str(tier))
            ax.text(-tier, 1.09, wrapped(head, 12), ha="center", va="center", fontsize=TEXT)
        ax.axis("off")
        legend(figure, cause_patches(), wrapped(title or say("figures.network.title", loss=picture.map.total), 110))
        return finish(figure, about or (), say("figures.network.marks"))


def _lump(picture: MapPicture, most: int) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64], NDArray[np.bool_]]:
    """Map firms to drawn nodes: in each tier the firms where most loss begins have their own node, the other firms share one.

    Returns
    -------
    node : array, shape (firms,)
        Drawn node of each firm.
    labels : list of str
    tiers : array, shape (nodes,)
    lumped : array of bool, shape (nodes,)
        Whether a node stands for several firms.
    """
    by_firm = picture.map.by_firm
    node = np.zeros(picture.tier.size, dtype=np.int64)
    labels: list[str] = []
    tiers: list[int] = []
    lumped: list[bool] = []
    depth = int(picture.tier.max(initial=0))
    tier_of = np.where(picture.tier < 0, depth + 1, picture.tier)
    for tier in np.unique(tier_of):
        rows = np.flatnonzero(tier_of == tier)
        rows = rows[np.argsort(-by_firm[rows], kind="stable")]
        alone = rows if rows.size <= most + 1 else rows[:most]
        for row in alone:
            node[row] = len(labels)
            labels.append(label(picture.names[row]))
            tiers.append(int(tier))
            lumped.append(False)
        if alone.size < rows.size:
            node[rows[most:]] = len(labels)
            labels.append(say("figures.network.other_firms", firms=rows.size - most))
            tiers.append(int(tier))
            lumped.append(True)
    return node, labels, np.asarray(tiers), np.asarray(lumped)


def _layout(tiers: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    xy = np.zeros((tiers.size, 2))
    for tier in np.unique(tiers):
        rows = np.flatnonzero(tiers == tier)
        xy[rows, 0] = -tier
        xy[rows, 1] = 1.0 - (np.arange(rows.size) + 0.5) / rows.size
    return xy


def _draw_flows(figure: Figure, ax: Axes, xy: NDArray[np.float64], share: NDArray[np.float64]) -> None:
    source, target = np.nonzero(share > 1e-5)
    strength = share[source, target]
    if not strength.size:
        return
    order = np.argsort(strength)
    source, target, strength = source[order], target[order], strength[order]
    t = np.linspace(0.0, 1.0, 24)[:, None]
    ease = 3 * t**2 - 2 * t**3
    bow = np.where(xy[source, 0] == xy[target, 0], 0.25, 0.0)  # links inside a tier bow out
    curves = [
        np.column_stack(
            [xy[a, 0] + (xy[b, 0] - xy[a, 0]) * t[:, 0] + side * np.sin(np.pi * t[:, 0]), xy[a, 1] + (xy[b, 1] - xy[a, 1]) * ease[:, 0]]
        )
        for a, b, side in zip(source, target, bow, strict=True)
    ]
    floor = max(strength.max() * 1e-3, 1e-5)
    lines = LineCollection(
        curves,
        linewidths=0.25 + 7.0 * np.sqrt(strength / strength.max()) * (strength > floor),
        cmap="YlOrBr",
        norm=LogNorm(100 * floor, 100 * strength.max()),
        array=100 * np.maximum(strength, floor),
        alpha=0.75,
        capstyle="round",
    )
    ax.add_collection(lines)
    bar = figure.colorbar(lines, ax=ax, shrink=0.6, pad=0.01, label=say("figures.network.scale"))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())  # it would write powers as formulas, and no text is read as one


def _draw_nodes(
    ax: Axes, xy: NDArray[np.float64], share: NDArray[np.float64], labels: Sequence[str], lumped: NDArray[np.bool_], letters: int
) -> None:
    area = share.sum(axis=1)
    ax.scatter(xy[area == 0, 0], xy[area == 0, 1], s=4, color="0.75", zorder=3, lw=0)  # firms in which no loss begins
    for k, name in enumerate(labels):
        size = 12 + 700 * area[k] / max(area.max(), 1e-12)
        start = 0.0
        for c, cause in enumerate(CAUSES):
            part = share[k, c] / area[k] if area[k] > 0 else 0.0
            if part > 0:
                angles = 2 * np.pi * np.linspace(start, start + part, max(3, int(40 * part)))
                wedge = np.concatenate([[[0.0, 0.0]], np.column_stack([np.cos(angles), np.sin(angles)])])
                x, y = xy[k]
                slice_size = size * np.abs(wedge).max() ** 2  # Matplotlib scales a marker by its longest side
                colour, hatch = CAUSE_STYLES[cause]
                ax.scatter(x, y, marker=Path(wedge), s=slice_size, color=colour, hatch=hatch, ec="white", zorder=3, lw=0)
                start += part
        if area[k] > 0.01 or lumped[k] or len(labels) <= 40:
            leads, alone = xy[k, 0] == 0, not lumped[k]
            radius = np.sqrt(size) / 2  # a marker's size is its area in points
            most = 22 if leads else letters
            short = name if len(name) <= most or not alone else name[: most - 1] + "…"
            percent = f"{fixed(100 * area[k], 1)} %"  # not of single firms between the tiers, where there is no room
            text = f"{short} {percent}" if leads else short if alone else f"{short}\n{percent}"
            at_right = leads or alone
            ax.annotate(text, xy[k], xytext=(radius + 3, 0) if at_right else (0, -radius - 2), textcoords="offset points",
                        ha="left" if at_right else "center", va="center" if at_right else "top", fontsize=SMALL, linespacing=0.95,
                        zorder=2.5, path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip
