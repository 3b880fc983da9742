"""Figures: each a function from a table to a Figure, in one style.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; every axis has a unit.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import matplotlib
import matplotlib.axes
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from experiments.results import Comparison
from experiments.measure import MapPicture
from sim.outcomes import HEADLINE, OUTCOMES
from sim.quality_map import CAUSES

__all__ = ["COLOURS", "effects_figure", "network_map", "origins_figure", "small_print", "style", "sweep_figure", "time_paths"]

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
_CAUSE_COLOURS = {"common": "#0072B2", "special": "#D55E00", "interface": "#009E73"}
_CAUSE_LABELS = {"common": "common causes", "special": "special causes (open problems)", "interface": "interfaces"}
#: Outcomes that the default figures show.
SHOWN = (HEADLINE, "nonconformity", "open_problems", "copq")


def style() -> Any:
    """Matplotlib settings of every figure."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    chinese = [
        name
        for name in ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")
        if name in installed
    ]
    return {
        "font.family": ["DejaVu Sans", *chinese],
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.unicode_minus": False,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "savefig.dpi": 160,
    }


INTERVALS = "bands and bars: 95 % confidence intervals of the mean"


def small_print(figure: Figure, manifests: Sequence[dict[str, Any]], what: str = INTERVALS) -> None:
    """Write under a figure which studies it shows (ids, regions, replicates and seeds), and what its marks are."""

    def place(configuration: dict[str, Any]) -> str:
        network = configuration["network"]
        return f"network {PurePath(network['path']).name}" if network.get("kind") == "file" else f"region {configuration['region']['key']}"

    def luck(configuration: dict[str, Any]) -> str:
        return f"{configuration['replicates']} replicates, seed {configuration['seed']}"

    if not manifests:
        return
    others = f" and {len(manifests) - 1} more" if len(manifests) > 1 else ""
    parts = [", ".join(dict.fromkeys(say(about["configuration"]) for about in manifests)) for say in (place, luck)]
    text = " · ".join([f"Strongchain {manifests[0]['id']}{others}", *parts, what, "effect sizes rest on assumptions"])
    letters = int(72 * figure.get_figwidth() / 3.3)  # as many as fit into a line
    figure.supxlabel(textwrap.fill(text, letters), fontsize=6, color="0.4", x=0.01, ha="left")


def _unit(key: str) -> tuple[str, float]:
    """Unit in which an outcome is drawn, and what its values are multiplied by: shares are drawn in %."""
    unit = OUTCOMES[key].unit
    return (unit.replace("share", "%", 1), 100.0) if unit.startswith("share") else (unit, 1.0)


def _difference(unit: str) -> str:
    """Unit of a difference of two values."""
    return unit.replace("%", "percentage points")


def time_paths(comparison: Comparison, outcomes: Sequence[str] = SHOWN) -> Figure:
    """Draw every arm's level over the months, and its paired effect below, with 95 % intervals."""
    series = comparison.series
    arms = list(series["arm"].unique())
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(2.6 * len(outcomes) + 0.6, 4.8))
        axes = figure.subplots(2, len(outcomes), sharex=True, squeeze=False)
        for column, key in enumerate(outcomes):
            unit, times = _unit(key)
            for row, what in enumerate(("level", "effect")):
                ax = axes[row, column]
                for colour, arm in zip(COLOURS * len(arms), arms, strict=False):
                    if what == "effect" and arm == comparison.reference:
                        ax.axhline(0.0, color=colour, lw=1)
                        continue
                    mine = series[(series["arm"] == arm) & (series["outcome"] == key)]
                    ax.fill_between(
                        mine["month"], times * mine[f"{what}_low"], times * mine[f"{what}_high"], color=colour, alpha=0.18, lw=0
                    )
                    base = arm == comparison.reference  # dashed and on top, so that an arm that changes nothing shows below it
                    ax.plot(
                        mine["month"],
                        times * mine[what],
                        color=colour,
                        lw=1.4,
                        ls="--" if base else "-",
                        zorder=3 if base else 2,
                        label=arm,
                    )
                ax.set_ylabel(unit if what == "level" else textwrap.fill(f"difference, {_difference(unit)}", 30), fontsize=8)
            axes[0, column].set_title(OUTCOMES[key].label)
            axes[1, column].set_title(f"against {comparison.reference}, same luck", fontsize=8)
            axes[1, column].set_xlabel("month")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(arms))
        small_print(figure, [comparison.manifest])
    return figure


def effects_figure(comparison: Comparison, outcomes: Sequence[str] = SHOWN) -> Figure:
    """Draw each arm's paired effect as a share of the reference, with its 95 % interval, outcome by outcome."""
    table = comparison.effects[(comparison.effects["by"] == "total") & (comparison.effects["arm"] != comparison.reference)]
    arms = list(table["arm"].unique())
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(7.2, 1.2 + 0.28 * len(outcomes) * max(len(arms), 1)))
        ax = figure.subplots()
        for a, arm in enumerate(arms):
            mine = table[table["arm"] == arm].set_index("outcome").loc[list(outcomes)]
            y = np.arange(len(outcomes)) + (a - (len(arms) - 1) / 2) * 0.8 / max(len(arms), 1)
            centre = 100.0 * mine["effect_share"].to_numpy()
            ends = 100.0 * np.stack([mine["effect_share_low"], mine["effect_share_high"]])
            ax.hlines(y, ends[0], ends[1], color=COLOURS[(a + 1) % len(COLOURS)], lw=2)
            ax.plot(centre, y, "o", color=COLOURS[(a + 1) % len(COLOURS)], label=arm, ms=5)
        ax.axvline(0.0, color="black", lw=1)
        ax.set_yticks(range(len(outcomes)), [OUTCOMES[key].label for key in outcomes])
        ax.invert_yaxis()
        ax.set_xlabel(
            f"paired effect, % of {comparison.reference} (mean of the last {comparison.manifest['configuration']['window']} months)"
        )
        if arms:
            figure.legend(loc="outside upper center", ncols=len(arms))
        small_print(figure, [comparison.manifest])
    return figure


def origins_figure(comparison: Comparison) -> Figure:
    """Draw where the field loss begins, by tier and cause, for each arm; the deepest tiers, next to nothing of it, as one."""
    arms = list(comparison.origins["arm"].unique())
    loss = _by_tier(comparison.origins) / 1e6
    groups = list(dict.fromkeys(loss.index.get_level_values("tier")))
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(max(6.5, 1.2 + len(groups) * max(0.9, 0.3 * len(arms))), 4.2))
        axes = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
        for ax, group in zip(axes, groups, strict=True):
            floor = np.zeros(len(arms))
            for cause in CAUSES:
                part = loss.loc[group].loc[arms, cause].to_numpy()
                ax.bar(range(len(arms)), part, 0.85, bottom=floor, color=_CAUSE_COLOURS[cause], label=_CAUSE_LABELS[cause])
                floor += part
            ax.set_xticks(range(len(arms)), arms, rotation=90, fontsize=7)
            ax.set_title(group)
        axes[0].set_ylabel("field loss, million CNY/month")
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=3, title="Where the defects that reach users begin", title_fontsize=9.5)
        small_print(figure, [comparison.manifest], "bars: mean over replicates of the steady state that the last month leads to")
    return figure


def _by_tier(origins: pd.DataFrame, least: float = 0.01) -> pd.DataFrame:
    """Field loss by name of tier and arm (rows) and cause (columns); the deepest tiers, less than `least` of it in any arm, are one."""
    by_arm = origins.groupby("arm")["loss"].transform("sum")
    share = origins["loss"] / by_arm.where(by_arm > 0, 1.0)
    depth = pd.to_numeric(origins["tier"], errors="coerce")  # not a number where no leader is reached
    deeper = [share[depth >= t].groupby(origins["arm"]).sum().max() for t in range(int(depth.max()) + 1)]
    cut = next((t for t, part in enumerate(deeper) if t > 0 and part < least), len(deeper))

    def name(tier: float) -> str:
        if np.isnan(tier):
            return "no leader"
        if tier < cut or cut == len(deeper) - 1:
            return f"tier {tier:.0f}" if tier else "chain leaders"
        return f"tier {cut} and deeper"

    named = origins.assign(tier=depth.map(name))
    loss = named.groupby(["tier", "arm", "cause"], sort=False)["loss"].sum().unstack("cause")
    return loss.drop("no leader", level="tier") if not share[depth.isna()].any() else loss


# -- the network by tier ----------------------------------------------------------------------------


def network_map(picture: MapPicture, title: str = "", most: int = 14) -> Figure:
    """Draw the quality map: firms by tier, flows of defects as width and colour.

    Each tier shows the `most` firms in which most field loss begins; the rest of the tier is
    drawn as one. A node's area is the field loss that begins there, its slices the causes; a
    line's width and colour are the field loss that the link carries.
    """
    node, labels, tiers = _lump(picture, most)
    count = len(labels)
    loss = np.zeros((count, len(CAUSES)))
    np.add.at(loss, node, picture.map.loss)
    carried = np.zeros((count, count))
    np.add.at(carried, (node[picture.supplier], node[picture.customer]), picture.map.link_loss)
    xy = _layout(tiers, loss.sum(axis=1))
    total = picture.map.total or 1.0
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(8.6, 5.4))
        ax = figure.subplots()
        _draw_flows(figure, ax, xy, carried / total)
        _draw_nodes(ax, xy, loss / total, labels)
        depth = int(tiers.max())
        for tier in range(depth + 1):
            head = "chain leaders" if tier == 0 else "reach no leader" if tier > picture.tier.max() else f"tier {tier}"
            ax.text(-tier, 1.09, head, ha="center", fontsize=9)
        for cause in CAUSES:
            ax.scatter([], [], color=_CAUSE_COLOURS[cause], label=_CAUSE_LABELS[cause])
        figure.legend(loc="outside lower center", ncols=3)
        ax.set(xlim=(-depth - 0.6, 0.95), ylim=(-0.06, 1.16))
        ax.axis("off")
        ax.set_title(
            title or f"Where the defects that reach users begin: {picture.map.total / 1e6:,.2f} million CNY a month in the steady state",
            pad=12,
        )
    return figure


def _lump(picture: MapPicture, most: int) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Map firms to drawn nodes: the heaviest firms of each tier alone, the rest of the tier as one."""
    by_firm = picture.map.by_firm
    node = np.zeros(picture.tier.size, dtype=np.int64)
    labels: list[str] = []
    tiers: list[int] = []
    depth = int(picture.tier.max(initial=0))
    tier_of = np.where(picture.tier < 0, depth + 1, picture.tier)
    for tier in np.unique(tier_of):
        rows = np.flatnonzero(tier_of == tier)
        rows = rows[np.argsort(-by_firm[rows], kind="stable")]
        alone = rows if rows.size <= most + 1 else rows[:most]
        for row in alone:
            node[row] = len(labels)
            labels.append(str(picture.names[row]))
            tiers.append(int(tier))
        if alone.size < rows.size:
            node[rows[most:]] = len(labels)
            labels.append(f"{rows.size - most:,} more firms")
            tiers.append(int(tier))
    return node, labels, np.asarray(tiers)


def _layout(tiers: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    xy = np.zeros((tiers.size, 2))
    for tier in np.unique(tiers):
        rows = np.flatnonzero(tiers == tier)
        xy[rows, 0] = -tier
        xy[rows, 1] = 1.0 - (np.arange(rows.size) + 0.5) / rows.size
    return xy


def _draw_flows(figure: Figure, ax: matplotlib.axes.Axes, xy: NDArray[np.float64], share: NDArray[np.float64]) -> None:
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
    figure.colorbar(lines, ax=ax, shrink=0.6, pad=0.01, label="share of the field loss that the link carries, %")


def _draw_nodes(ax: matplotlib.axes.Axes, xy: NDArray[np.float64], share: NDArray[np.float64], labels: Sequence[str]) -> None:
    area = share.sum(axis=1)
    ax.scatter(xy[area == 0, 0], xy[area == 0, 1], s=4, color="0.75", zorder=3, lw=0)  # firms in which no loss begins
    for k, label in enumerate(labels):
        size = 12 + 900 * area[k] / max(area.max(), 1e-12)
        start = 0.0
        for c, cause in enumerate(CAUSES):
            part = share[k, c] / area[k] if area[k] > 0 else 0.0
            if part > 0:
                angles = 2 * np.pi * np.linspace(start, start + part, max(3, int(40 * part)))
                wedge = np.concatenate([[[0.0, 0.0]], np.column_stack([np.cos(angles), np.sin(angles)])])
                x, y = xy[k]
                slice_size = size * np.abs(wedge).max() ** 2  # Matplotlib scales a marker by its longest side
                ax.scatter(x, y, marker=Path(wedge), s=slice_size, color=_CAUSE_COLOURS[cause], zorder=3, lw=0)
                start += part
        if area[k] > 0.01 or "more firms" in label or len(labels) <= 40:
            short = label if len(label) <= 22 else label[:20] + "…"
            text = f"{short}  {100 * area[k]:.1f} %"
            radius = np.sqrt(size) / 2  # a marker's size is its area in points
            ax.annotate(text, xy[k], xytext=(radius + 3, 0) if xy[k, 0] == 0 else (0, -radius - 4), textcoords="offset points",
                        ha="left" if xy[k, 0] == 0 else "center", va="center", fontsize=5.5, zorder=4,
                        path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip


def sweep_figure(table: pd.DataFrame, swept: Sequence[str], outcome: str = HEADLINE, manifests: Sequence[dict[str, Any]] = ()) -> Figure:
    """Draw the effect of every point of a sweep, arm by arm, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Effects of all points, with one column per swept key.
    swept : sequence of str
        Its keys; the first is the axis, the others make lines.
    outcome : str
    manifests : sequence of dict
        Where the points came from, for the small print.
    """
    rows = table[(table["outcome"] == outcome) & (table["by"] == "total")]
    arms = [arm for arm in rows["arm"].unique() if (rows.loc[rows["arm"] == arm, "effect"] != 0.0).any()] or list(rows["arm"].unique())[-1:]
    unit, times = _unit(outcome)
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(3.4 * len(arms) + 0.4, 3.2))
        axes = figure.subplots(1, len(arms), sharey=True, squeeze=False)[0]
        for ax, arm in zip(axes, arms, strict=True):
            mine = rows[rows["arm"] == arm]
            lines = list(mine.groupby(list(swept[1:]), sort=False)) if len(swept) > 1 else [((), mine)]
            for colour, (others, points) in zip(COLOURS * 9, lines, strict=False):
                numbers = pd.to_numeric(points[swept[0]], errors="coerce")
                x = numbers.to_numpy() if numbers.notna().all() else np.arange(len(points))
                y = times * points[["effect", "effect_low", "effect_high"]].to_numpy()
                label = ", ".join(f"{key.split('.')[-1]} {value}" for key, value in zip(swept[1:], others, strict=True)) or None
                ax.errorbar(
                    x, y[:, 0], yerr=[y[:, 0] - y[:, 1], y[:, 2] - y[:, 0]], color=colour, marker="o", ms=4, lw=1.2, capsize=2, label=label
                )
                if not numbers.notna().all():
                    ax.set_xticks(x, points[swept[0]], rotation=20)
            ax.axhline(0.0, color="black", lw=0.8)
            ax.set_title(arm)
            ax.set_xlabel(swept[0])
            if len(swept) > 1:
                ax.legend(fontsize=7)
        axes[0].set_ylabel(f"effect on {OUTCOMES[outcome].label.lower()}, {_difference(unit)}", fontsize=8)
        small_print(figure, manifests, "bars: 95 % confidence intervals of the mean")
    return figure
