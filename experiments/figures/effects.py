"""Figures of effects: against the reference, between all arms, by group, and where field loss begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from experiments.analysis.effects import HEADLINES
from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import (
    CAUSE_STYLES,
    COLOURS,
    SHOWN,
    SMALL,
    WIDE,
    Mark,
    arm_marks,
    difference,
    finish,
    handle,
    legend,
    signed,
    style,
    unit_of,
    window,
    wrapped,
)
from sim.attribution.quality_map import CAUSES
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["effects_figure", "gains_figure", "origins_figure", "pairs_figure"]

#: How a difference of two arms is drawn, by what is known of it.
VERDICTS = {
    "better": Mark(COLOURS[1], "o"),
    "worse": Mark(COLOURS[2], "s"),
    "different": Mark(COLOURS[3], "D"),
    "not told from zero": Mark("#666666", "o", filled=False),
}
#: Values of `told` that are findings, and what is said of the marks of others.
FOUND, HOLLOW = ("lower", "higher"), "hollow marks are not told from zero"


def _shares(rows: pd.DataFrame, marks: Mapping[str, Mark]) -> list[Row]:
    """Effects in % of the reference's level, arm by arm."""
    found = []
    columns = ["arm", "effect_share", "effect_share_low", "effect_share_high", "told"]
    for arm, value, low, high, told in rows[columns].itertuples(index=False):
        mark = replace(marks[arm], filled=told in FOUND)
        found.append(Row(arm, 100 * value, 100 * low, 100 * high, mark, signed(100 * value), "not defined"))
    return found


def effects_figure(effects: pd.DataFrame, about: Mapping[str, Any], outcomes: Sequence[str] = SHOWN) -> Figure:
    """Draw each arm's paired effect in % of the reference's level, with its 95 % interval, outcome by outcome.

    Parameters
    ----------
    effects : DataFrame
        A row per arm, outcome and group: effects with their intervals.
    about : dict
        The study's manifest.
    outcomes : sequence of str
    """
    reference = str(about["reference"])
    marks = arm_marks(list(effects["arm"].unique()), reference)
    rows = effects[(effects["by"] == "total") & (effects["arm"] != reference)]
    groups = {OUTCOMES[key].label: _shares(rows[rows["outcome"] == key], marks) for key in outcomes}
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, f"paired effect, % of {reference!r} ({window(about)})")
        return finish(figure, about, f"bars: 95 % confidence intervals of the mean; {HOLLOW}")


def gains_figure(effects: pd.DataFrame, about: Mapping[str, Any], outcome: str = HEADLINE) -> Figure:
    """Draw who gains: each arm's effect by tier and by size of firm, in % of the same firms' level in the reference.

    Groups for which the outcome is not defined (only firms that sell to users have defects that reach users) are left out.

    Parameters
    ----------
    effects, about
        As for `effects_figure`.
    outcome : str
    """
    reference = str(about["reference"])
    marks = arm_marks(list(effects["arm"].unique()), reference)
    rows = effects[(effects["outcome"] == outcome) & effects["by"].isin(["tier", "size"]) & (effects["arm"] != reference)]
    rows = rows[rows["effect"].notna()]
    groups: dict[str, list[Row]] = {}
    for by in ("tier", "size"):
        of = rows[rows["by"] == by]
        names = list(dict.fromkeys(of["group"]))
        if by == "size":
            names.sort(key=lambda name: ("small", "medium", "large").index(name))
        groups |= {_group(by, name): _shares(of[of["group"] == name], marks) for name in names}
    label = OUTCOMES[outcome].label.lower()
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, f"paired effect on {label}, % of the same firms in {reference!r} ({window(about)})")
        return finish(figure, about, f"bars: 95 % confidence intervals of the mean; {HOLLOW}")


def _group(by: str, name: str) -> str:
    if by == "size":
        return f"{name} firms"
    return {"0": "chain leaders", "none": "firms that reach no leader"}.get(name, f"tier {name}")


def pairs_figure(pairs: pd.DataFrame, about: Mapping[str, Any], outcome: str = HEADLINE) -> Figure:
    """Draw the paired difference between every two arms, with its 95 % interval, and what is told from zero.

    Parameters
    ----------
    pairs : DataFrame
        A row per arm, arm that it is compared with, and outcome: effect, its interval and share, and what is told of it.
    about : dict
        The study's manifest.
    outcome : str
    """
    unit, times = unit_of(outcome)
    rows = pairs[pairs["outcome"] == outcome]
    groups: dict[str, list[Row]] = {}
    for row in rows.to_dict("records"):
        value, low, high = (times * row[c] for c in ("effect", "effect_low", "effect_high"))
        drawn = Row(row["arm"], value, low, high, VERDICTS[_verdict(row)], signed(100 * row["effect_share"]), "not known")
        groups.setdefault(f"against {row['against']}", []).append(drawn)
    used = {_verdict(row) for row in rows.to_dict("records")}
    label = OUTCOMES[outcome].label.lower()
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, f"difference in {label}, {difference(unit)}; right: in % of the other arm")
        legend(figure, [handle(verdict, mark, line=False) for verdict, mark in VERDICTS.items() if verdict in used])
        corrected = about["configuration"]["study"]["correction"] != "none" and outcome in HEADLINES
        sure = " and the adjusted p-value is below 0.05" if corrected else ""
        return finish(figure, about, f"{window(about)}; bars: 95 % confidence intervals; filled if the interval leaves out 0{sure}")


def _verdict(row: Mapping[str, Any]) -> str:
    """What is told of a difference, and whether it is a good one."""
    if row["told"] not in FOUND:
        return "not told from zero"
    if row["better"] not in FOUND:
        return "different"
    return "better" if row["told"] == row["better"] else "worse"


# -- where field loss begins ----------------------------------------------------------------------------


def origins_figure(origins: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw where the field loss begins, by tier and cause, for each arm; the deepest tiers, next to nothing of it, as one.

    Parameters
    ----------
    origins : DataFrame
        A row per arm, tier and cause: field loss, CNY a month.
    about : dict
        The study's manifest.
    """
    arms = list(origins["arm"].unique())
    loss = _by_tier(origins) / 1e6
    groups = list(dict.fromkeys(loss.index.get_level_values("tier")))
    names = [wrapped(arm, 24) for arm in arms]
    lines = np.array([name.count("\n") + 1.6 for name in names])  # every arm has the room that its name needs
    place = np.cumsum(lines) - lines / 2
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.5 + 0.13 * max(lines.sum(), 4.0)))
        axes = figure.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
        for ax, group in zip(axes, groups, strict=True):
            floor = np.zeros(len(arms))
            for cause in CAUSES:
                colour, hatch, _ = CAUSE_STYLES[cause]
                part = loss.loc[group].reindex(arms)[cause].fillna(0.0).to_numpy()
                ax.barh(place, part, 1.2, left=floor, color=colour, hatch=hatch, ec="white", lw=0.3)
                floor += part
            ax.set_title(wrapped(group, 14))
            ax.locator_params(axis="x", nbins=3)
        axes[0].set_yticks(place, names, fontsize=SMALL)
        axes[0].set_ylim(lines.sum(), 0.0)
        axes[len(axes) // 2].set_xlabel("field loss, million CNY/month")
        patches = [Patch(fc=colour, hatch=hatch, ec="white", label=label) for colour, hatch, label in CAUSE_STYLES.values()]
        legend(figure, patches, "Where the defects that reach users begin")
        return finish(figure, about, "bars: mean over replicates of the steady state that the last month leads to")


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
    return loss.drop("no leader", level="tier", errors="ignore") if not share[depth.isna()].any() else loss
