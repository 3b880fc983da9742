"""The quality map as pictures: the flow of loss from tier to tier to users, and the firms in which most of it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from experiments.analysis.flows import Flows, flows_of
from experiments.figures.style import (
    CAUSE_STYLES,
    LETTERS,
    SMALL,
    WIDE,
    cause_patches,
    finish,
    legend,
    shortened,
    style,
    without_values,
    wrapped,
)
from experiments.formatting import fixed, rounded
from experiments.languages.wording import label, say, spoken
from experiments.runs.measure import MapPicture
from sim.attribution.quality_map import BY_CAUSE, CAUSES

__all__ = ["FIRMS", "firms_figure", "flows_figure"]

#: Firms that are named.
FIRMS = 15
#: Heights of the axes of the flow, inches: its size is known before it is drawn, and so is which node has room for a name.
HEIGHT = 2.7
#: Of chains, in their order: light enough for black letters; the last is that of all other chains.
TINTS = ("#b9cde4", "#e6cfae", "#c3dcc3", "#dcc6dd", "#e2dea8", "#bfe0e3", "#d4d4d4")
#: Share of the height that is left free between the nodes of a column, in all.
GAPS = 0.22
#: Widths, in columns: of a node, and of what begins in it.
BAR, STUB = 0.07, 0.1


@dataclass(frozen=True)
class _Node:
    """Where a node stands: its left edge, its upper end, and how high it is."""

    x: float
    top: float
    height: float


def flows_figure(picture: MapPicture, about: Mapping[str, Any] | None = None, title: str = "", height: float = HEIGHT) -> Figure:
    """Draw the flow of loss from tier to tier to users, by chain; at the left of each node what begins there, by cause.

    Widths are shares of the loss to users: what enters a node leaves it. What inspection stops is no loss to users, and is not drawn.

    Parameters
    ----------
    picture : MapPicture
    about : dict, optional
        The study's manifest; without it, of a world in a notebook, there is no small print.
    title : str
        Written in place of the loss of the whole map.
    height : float
        Of the axes, inches, which decides which nodes have room for a name.
    """
    flows = flows_of(picture, len(TINTS))
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, height + 1.1))
        ax = figure.subplots()
        ax.axis("off")
        total = float(flows.to_users.sum())
        if total > 0.0:
            _draw(ax, flows, total, height)
        else:
            without_values(ax)
        legend(figure, cause_patches(), wrapped(title or say("flows.title", loss=picture.map.total), 110))
        return finish(figure, about or (), say("flows_text.marks", flows.within / total if total > 0.0 else 0.0, flows.lumped))


def _draw(ax: Axes, flows: Flows, total: float, inches: float) -> None:
    deepest = int(flows.tier.max())
    columns = [*([-1] if flows.passes[flows.tier < 0].any() else []), *range(deepest, -1, -1)]
    flows = flows.without(flows.passes == 0.0)
    column = np.array([columns.index(tier if tier >= 0 else -1) for tier in flows.tier])
    gap = GAPS / max(1, max(int((column == at).sum()) for at in range(len(columns))) - 1)
    nodes, users = _placed(flows, column, len(columns), total, gap)
    ax.set(xlim=(-0.2, len(columns) + 0.62), ylim=(-1.0, 0.19))
    _draw_flows(ax, flows, nodes, users, total)
    _draw_nodes(ax, flows, nodes)
    ax.add_patch(Rectangle((users.x, users.top - users.height), BAR, users.height, fc="0.3", ec="none", zorder=2))
    letters = int(WIDE / (len(columns) + 0.82) * (0.96 - BAR) * LETTERS)
    halo = [withStroke(linewidth=1.8, foreground="white")]
    last = users.x + BAR + 0.05
    for k, node in enumerate(nodes):
        room = node.height + (gap if flows.tier[k] == 0 else 0.0)
        if room * inches > 0.11 * 1.19:  # a line of text is 0.11 inches high
            alone = flows.chain[k] < len(flows.names)
            name = shortened(label(flows.names[flows.chain[k]]), letters) if alone else say("flows.other_chains", chains=flows.lumped)
            ax.text(node.x + BAR + 0.03, node.top - node.height / 2, name, va="center", fontsize=SMALL, path_effects=halo)
    for at, tier in enumerate(columns):
        share = float(flows.begins[column == at].sum()) / total
        name = say("figures.tiers", tier, tier == deepest and flows.deeper)
        _head(ax, at + BAR / 2, name, say("flows.begins", share=share), letters + 2)
    _head(ax, users.x + BAR, say("flows.users"), say("flows.amount", loss=total), 16)
    ax.text(last, users.top - users.height / 2, "100 %", va="center", fontsize=SMALL)


def _head(ax: Axes, x: float, name: str, below: str, letters: int) -> None:
    text = f"{wrapped(name, letters)}\n{wrapped(below, letters)}"
    ax.text(x, 0.03, text, ha="center", va="bottom", fontsize=SMALL, linespacing=1.15)


def _placed(flows: Flows, column: NDArray[np.int64], columns: int, total: float, gap: float) -> tuple[list[_Node], _Node]:
    """Stack the nodes of every column, chains in the same order everywhere; the users stand in a column of their own."""
    through = flows.passes
    largest = max(total, *(float(through[column == at].sum()) for at in range(columns)))
    unit = (1.0 - GAPS) / largest
    nodes: dict[int, _Node] = {}
    for at in range(columns):
        top = 0.0
        for k in sorted(np.flatnonzero(column == at), key=lambda k: int(flows.chain[k])):
            height = unit * float(through[k])
            nodes[int(k)] = _Node(at, top, height)
            top -= height + gap
    return [nodes[k] for k in range(len(column))], _Node(columns, 0.0, unit * total)


def _draw_flows(ax: Axes, flows: Flows, nodes: Sequence[_Node], users: _Node, total: float) -> None:
    """Draw what goes from node to node, and to users: at each node in the order of the other ends, so that few flows cross."""
    unit = users.height / total
    from_, to = np.nonzero(flows.between > 0.0)
    ends = [(int(a), int(b), float(flows.between[a, b])) for a, b in zip(from_, to, strict=True)]
    ends += [(int(a), -1, float(flows.to_users[a])) for a in np.flatnonzero(flows.to_users > 0.0)]

    def place(k: int) -> _Node:
        return users if k < 0 else nodes[k]

    leaves, enters = {}, {}
    at = [node.top for node in nodes]
    for a, b, loss in sorted(ends, key=lambda one: (one[0], -place(one[1]).top, place(one[1]).x)):
        leaves[a, b] = at[a]
        at[a] -= unit * loss
    at = [node.top - unit * float(begun) for node, begun in zip(nodes, flows.begins.sum(axis=1), strict=True)]
    at.append(users.top)  # the last: place -1
    for a, b, loss in sorted(ends, key=lambda one: (one[1], -place(one[0]).top, place(one[0]).x)):
        enters[a, b] = at[b]
        at[b] -= unit * loss
    for a, b, loss in ends:
        tint = TINTS[flows.chain[a]] if flows.chain[a] < len(flows.names) else TINTS[-1]
        ax.add_patch(_ribbon(nodes[a].x + BAR, leaves[a, b], place(b).x, enters[a, b], unit * loss, tint))


def _ribbon(x0: float, y0: float, x1: float, y1: float, width: float, colour: str) -> PathPatch:
    """Return a flow of even width from one point to another; one that goes back leaves to the right and arrives from the left."""
    bend = (x1 - x0) / 2 if x1 > x0 else 0.3
    upper = [(x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)]
    lower = [(x, y - width) for x, y in reversed(upper)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path([*upper, *lower, upper[0]], codes), fc=colour, ec="none", alpha=0.75, lw=0, zorder=1)


def _draw_nodes(ax: Axes, flows: Flows, nodes: Sequence[_Node]) -> None:
    for k, node in enumerate(nodes):
        through = float(flows.begins[k].sum() + flows.between[:, k].sum())
        if through <= 0.0:
            continue
        top = node.top
        ax.add_patch(Rectangle((node.x, top - node.height), BAR, node.height, fc="0.3", ec="none", zorder=2))
        for cause, begun in zip(CAUSES, flows.begins[k], strict=True):
            height = node.height * float(begun) / through
            colour, hatch = CAUSE_STYLES[cause]
            ax.add_patch(Rectangle((node.x - STUB, top - height), STUB, height, fc=colour, hatch=hatch, ec="white", lw=0, zorder=2))
            top -= height


def firms_figure(picture: MapPicture, about: Mapping[str, Any] | None = None, title: str = "", most: int = FIRMS, arm: str = "") -> Figure:
    """Name the firms in which most loss to users begins: tier, chain, size, and the loss by cause with its share of all loss.

    Parameters
    ----------
    picture : MapPicture
    about : dict, optional
        As for `flows_figure`.
    title : str
        Written in place of the share of all loss that these firms cause.
    most : int
    arm : str
        What the arm is called whose map it is, for the title.
    """
    firms, total = picture.table.head(most), picture.map.total
    losses = firms[list(BY_CAUSE)].to_numpy(dtype=np.float64) / spoken().money_unit
    rows, height = np.arange(len(firms)), max(len(firms), 4)
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.2 + 0.165 * height))
        words, ax = figure.subplots(1, 2, sharey=True, width_ratios=(1.75, 1.0))
        words.axis("off")
        start = np.zeros(len(firms))
        for k, cause in enumerate(CAUSES):
            colour, hatch = CAUSE_STYLES[cause]
            ax.barh(rows, losses[:, k], 0.7, left=start, fc=colour, hatch=hatch, ec="white", lw=0)
            start += losses[:, k]
        for row, (loss, written) in enumerate(zip(start, rounded(start.tolist()), strict=True)):
            share = f"{fixed(100.0 * spoken().money_unit * loss / total if total else 0.0, 1)} %"
            ax.annotate(f"{written} · {share}", (loss, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=SMALL)
        ax.set(ylim=(height - 0.4, -0.6), xlim=(0.0, max(float(start.max(initial=0.0)), 1e-9) * 1.5), xlabel=wrapped(say("flows.axis"), 44))
        ax.tick_params(left=False, labelleft=False)
        _draw_words(words, firms)
        part = float(start.sum()) * spoken().money_unit / total if total else 0.0
        heading = title or say("flows.firms_title", arm=arm, firms=len(firms), all=picture.tier.size, share=part)
        legend(figure, cause_patches(), wrapped(heading, 110))
        return finish(figure, about or (), say("flows.firms_marks"))


def _draw_words(ax: Axes, firms: pd.DataFrame) -> None:
    """Write what is known of the firms, in columns under their heads."""
    places = ((0.0, 30), (0.36, 18), (0.57, 24), (0.86, 10))  # from the left, and letters that fit
    heads = [say(f"flows.heads.{name}") for name in ("firm", "tier", "chain", "size")]
    for (x, _), head in zip(places, heads, strict=True):
        ax.text(x, -0.75, head, transform=ax.get_yaxis_transform(), va="bottom", fontsize=SMALL, color="0.35")
    for row, (name, tier, chain, size) in enumerate(firms[["firm", "tier", "chain", "size"]].itertuples(index=False)):
        group = say("flows.no_leader") if tier < 0 else say("figures.group", "tier", str(tier))
        named = (shortened(label(str(name)), places[0][1]), group, shortened(label(str(chain)), places[2][1]), say(f"flows.sizes.{size}"))
        for (x, _), text in zip(places, named, strict=True):
            ax.text(x, row, text, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL)
