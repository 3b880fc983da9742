"""Figures of effects: against the reference, between all arms, by group, and where field loss begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.effects import HEADLINES
from experiments.analysis.verdicts import Conclusion, Judgement
from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import (
    CAUSE_STYLES,
    JUDGEMENTS,
    SHOWN,
    SMALL,
    WIDE,
    Mark,
    arm_marks,
    cause_patches,
    difference,
    finish,
    handle,
    judged,
    label_of,
    legend,
    style,
    unit_of,
    window,
    wrapped,
)
from experiments.formatting import signed_percent
from experiments.languages.wording import say
from sim.attribution.quality_map import CAUSES
from sim.outcomes import HEADLINE

__all__ = ["effects_figure", "gains_figure", "origins_figure", "pairs_figure"]


def _shares(rows: pd.DataFrame, marks: Mapping[str, Mark]) -> list[Row]:
    """Effects in % of the reference's level, arm by arm."""
    lines = []
    columns = ["arm", "effect_share", "effect_share_low", "effect_share_high", "conclusion"]
    for arm, value, low, high, concluded in rows[columns].itertuples(index=False):
        mark = replace(marks[arm], filled=Conclusion(concluded).is_shown)
        lines.append(Row(arm, 100 * value, 100 * low, 100 * high, mark, signed_percent(100 * value), say("figures.not_defined")))
    return lines


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
    groups = {label_of(key): _shares(rows[rows["outcome"] == key], marks) for key in outcomes}
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.effects_axis", reference=reference, window=window(about)))
        return finish(figure, about, say("figures.hollow"))


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
    axis = say("figures.gains_axis", outcome=label_of(outcome), reference=reference, window=window(about))
    with matplotlib.rc_context(style()):
        return finish(draw_rows(groups, axis), about, say("figures.hollow"))


def _group(by: str, name: str) -> str:
    if by == "size":
        return say(f"sizes.{name}")
    return say("figures.tier", tier=name)


def pairs_figure(pairs: pd.DataFrame, about: Mapping[str, Any], outcome: str = HEADLINE) -> Figure:
    """Draw the paired difference between every two arms, with its 95 % interval, and what it shows.

    Parameters
    ----------
    pairs : DataFrame
        A row per arm, arm that it is compared with, and outcome: effect, its interval and share, and the conclusion.
    about : dict
        The study's manifest.
    outcome : str
    """
    unit, times = unit_of(outcome)
    rows = pairs[pairs["outcome"] == outcome]
    groups: dict[str, list[Row]] = {}
    used: set[Judgement] = set()
    for row in rows.to_dict("records"):
        value, low, high = (times * row[c] for c in ("effect", "effect_low", "effect_high"))
        meaning = judged(row["conclusion"], row["better"])
        used.add(meaning)
        text, note = signed_percent(100 * row["effect_share"]), say("figures.not_known")
        drawn = Row(row["arm"], value, low, high, JUDGEMENTS[meaning], text, note)
        groups.setdefault(say("figures.against", arm=row["against"]), []).append(drawn)
    axis = say("figures.pairs_axis", outcome=label_of(outcome), unit=difference(unit))
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, axis)
        legend(figure, [handle(say(f"judgements.{one}"), mark, line=False) for one, mark in JUDGEMENTS.items() if one in used])
        corrected = about["configuration"]["study"]["correction"] != "none" and outcome in HEADLINES
        return finish(figure, about, say("figures.pairs", window=window(about), corrected=corrected))


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
                colour, hatch = CAUSE_STYLES[cause]
                part = loss.loc[group].reindex(arms)[cause].fillna(0.0).to_numpy()
                ax.barh(place, part, 1.2, left=floor, color=colour, hatch=hatch, ec="white", lw=0.3)
                floor += part
            ax.set_title(wrapped(group, 14))
            ax.locator_params(axis="x", nbins=3)
        axes[0].set_yticks(place, names, fontsize=SMALL)
        axes[0].set_ylim(lines.sum(), 0.0)
        axes[len(axes) // 2].set_xlabel(say("figures.origins_axis"))
        legend(figure, cause_patches(), say("figures.origins_title"))
        return finish(figure, about, say("figures.origins"))


def _by_tier(origins: pd.DataFrame, least: float = 0.01) -> pd.DataFrame:
    """Field loss by name of tier and arm (rows) and cause (columns); the deepest tiers, less than `least` of it in any arm, are one."""
    by_arm = origins.groupby("arm")["loss"].transform("sum")
    share = origins["loss"] / by_arm.where(by_arm > 0, 1.0)
    depth = pd.to_numeric(origins["tier"], errors="coerce")  # not a number where no leader is reached
    deeper = [share[depth >= t].groupby(origins["arm"]).sum().max() for t in range(int(depth.max()) + 1)]
    cut = next((t for t, part in enumerate(deeper) if t > 0 and part < least), len(deeper))

    no_leader = say("figures.no_leader")

    def name(tier: float) -> str:
        if np.isnan(tier):
            return no_leader
        if tier < cut or cut == len(deeper) - 1:
            return say("figures.tier", tier=f"{tier:.0f}")
        return say("figures.deeper", tier=cut)

    named = origins.assign(tier=depth.map(name))
    loss = named.groupby(["tier", "arm", "cause"], sort=False)["loss"].sum().unstack("cause")
    return loss.drop(no_leader, level="tier", errors="ignore") if not share[depth.isna()].any() else loss
