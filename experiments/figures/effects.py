"""Figures of effects: against the reference, between all arms, by group, and where field loss begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.arms import arms_in_words
from experiments.analysis.effects import HEADLINES
from experiments.analysis.verdicts import Conclusion
from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import (
    CAUSE_STYLES,
    MARKS,
    SHOWN,
    SMALL,
    WIDE,
    Mark,
    arm_marks,
    cause_patches,
    finish,
    handle,
    judged,
    legend,
    scaled_unit,
    style,
    unit_of_difference,
    window,
    wrapped,
)
from experiments.formatting import signed_percent
from experiments.languages.wording import label, say, spoken
from sim.attribution.quality_map import CAUSES
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["GROUPINGS_SHOWN", "effects_figure", "gains_figure", "groups_shown", "origins_figure", "pairs_figure"]

#: Groupings of firms of which effects are shown, and chains or counties at most.
GROUPINGS_SHOWN, MOST_GROUPS = ("tier", "size", "quantile", "chain", "county", "region"), 8
#: Tier of firms from which no chain leader is reached.
NO_LEADER = -1


def _shares(rows: pd.DataFrame, marks: Mapping[str, Mark]) -> list[Row]:
    """Effects in % of the reference's level, arm by arm; a mark is filled if its effect is shown to differ from 0."""
    drawn = []
    columns = ["arm", "effect_share", "effect_share_low", "effect_share_high", "conclusion"]
    for arm, value, low, high, conclusion in rows[columns].itertuples(index=False):
        mark = replace(marks[arm], filled=Conclusion(conclusion).is_shown)
        drawn.append(Row(arm, 100 * value, 100 * low, 100 * high, mark, signed_percent(100 * value), say("not_defined")))
    return drawn


@arms_in_words
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
    groups = {label(OUTCOMES[key]): _shares(rows[rows["outcome"] == key], marks) for key in outcomes}
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.effects.axis", reference=reference, period=window(about)))
        return finish(figure, about, say("figures.effects.marks"))


def groups_shown(rows: pd.DataFrame, by: str) -> list[str]:
    """Return the groups of a grouping that are shown: all in their order, and of many chains or counties those with the largest effects.

    Parameters
    ----------
    rows : DataFrame
        Effects of the groups, of any arms.
    by : str
        The grouping.
    """
    names = [str(name) for name in dict.fromkeys(rows["group"])]
    if by == "size":
        return sorted(names, key=lambda name: ("small", "medium", "large").index(name))
    if by not in ("chain", "county") or len(names) <= MOST_GROUPS:
        return names
    largest = rows["effect_share"].abs().groupby(rows["group"]).max().nlargest(MOST_GROUPS)
    return [name for name in names if name in largest.index]


@arms_in_words
def gains_figure(effects: pd.DataFrame, about: Mapping[str, Any], outcome: str = HEADLINE) -> Figure:
    """Draw who gains: each arm's effect by tier, size, fifth, chain and county of firms, in % of the same firms' level in the reference.

    Groups for which the outcome is not defined (only firms that sell to users have defects that reach users) are left out; of many chains
    or counties those with the largest effects are drawn.

    Parameters
    ----------
    effects, about
        As for `effects_figure`.
    outcome : str
    """
    reference = str(about["reference"])
    marks = arm_marks(list(effects["arm"].unique()), reference)
    rows = effects[(effects["outcome"] == outcome) & effects["by"].isin(GROUPINGS_SHOWN) & (effects["arm"] != reference)]
    rows = rows[rows["effect"].notna()]
    groups = {}
    for by in GROUPINGS_SHOWN:
        of_kind = rows[rows["by"] == by]
        for name in groups_shown(of_kind, by):
            groups[say("gains.group", by, name)] = _shares(of_kind[of_kind["group"] == name], marks)
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.gains_axis", outcome, reference, window(about)))
        return finish(figure, about, say("figures.effects.marks"))


@arms_in_words
def pairs_figure(pairs: pd.DataFrame, about: Mapping[str, Any], outcome: str = HEADLINE) -> Figure:
    """Draw the paired difference between every two arms, with its 95 % interval, and which differences are shown.

    Parameters
    ----------
    pairs : DataFrame
        A row per arm, arm that it is compared with, and outcome: effect, its interval and share, and the conclusion on it.
    about : dict
        The study's manifest.
    outcome : str
    """
    _, times = scaled_unit(outcome)
    rows = pairs[pairs["outcome"] == outcome]
    groups: dict[str, list[Row]] = {}
    for row in rows.to_dict("records"):
        value, low, high = (times * row[c] for c in ("effect", "effect_low", "effect_high"))
        share = signed_percent(100 * row["effect_share"])
        drawn = Row(row["arm"], value, low, high, MARKS[judged(row)], share, say("figures.not_known"))
        groups.setdefault(say("figures.against", arm=row["against"]), []).append(drawn)
    used = {judged(row) for row in rows.to_dict("records")}
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.pairs_axis", outcome, unit_of_difference(outcome)))
        legend(figure, [handle(say(f"judgements.{meaning}"), mark, line=False) for meaning, mark in MARKS.items() if meaning in used])
        corrected = about["configuration"]["study"]["correction"] != "none" and outcome in HEADLINES
        return finish(figure, about, say("figures.pairs_marks", window(about), corrected))


# -- where field loss begins ----------------------------------------------------------------------------


@arms_in_words
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
    loss, lumped = _by_tier(origins)
    tiers = list(dict.fromkeys(loss.index.get_level_values("tier")))
    names = [wrapped(arm, 24) for arm in arms]
    lines = np.array([name.count("\n") + 1.6 for name in names])  # every arm has the room that its name needs
    place = np.cumsum(lines) - lines / 2
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.5 + 0.13 * max(lines.sum(), 4.0)))
        axes = figure.subplots(1, len(tiers), sharex=True, sharey=True, squeeze=False)[0]
        for ax, tier in zip(axes, tiers, strict=True):
            floor = np.zeros(len(arms))
            for cause in CAUSES:
                colour, hatch = CAUSE_STYLES[cause]
                part = loss.loc[tier].reindex(arms)[cause].fillna(0.0).to_numpy() / spoken().money_unit
                ax.barh(place, part, 1.2, left=floor, color=colour, hatch=hatch, ec="white", lw=0.3)
                floor += part
            ax.set_title(wrapped(say("figures.tiers", tier, tier == lumped), 14))
            ax.locator_params(axis="x", nbins=3)
        axes[0].set_yticks(place, names, fontsize=SMALL)
        axes[0].set_ylim(lines.sum(), 0.0)
        axes[len(axes) // 2].set_xlabel(say("figures.origins.axis"))
        legend(figure, cause_patches(), say("figures.origins.title"))
        return finish(figure, about, say("figures.origins.marks"))


def _by_tier(origins: pd.DataFrame, least: float = 0.01) -> tuple[pd.DataFrame, int | None]:
    """Sum field loss by tier and arm (rows) and cause (columns); the deepest tiers, less than `least` of it in any arm, are one.

    Returns
    -------
    loss : DataFrame
    lumped : int or None
        The tier that stands for all deeper ones too; None if none does.
    """
    by_arm = origins.groupby("arm")["loss"].transform("sum")
    share = origins["loss"] / by_arm.where(by_arm > 0, 1.0)
    depth = pd.to_numeric(origins["tier"], errors="coerce")  # not a number where no leader is reached
    deeper = [share[depth >= t].groupby(origins["arm"]).sum().max() for t in range(int(depth.max()) + 1)]
    cut = next((t for t, part in enumerate(deeper) if t > 0 and part < least), len(deeper))

    tiers = depth.fillna(NO_LEADER).clip(upper=cut).astype(int)
    loss = origins.assign(tier=tiers).groupby(["tier", "arm", "cause"], sort=False)["loss"].sum().unstack("cause")
    if not share[depth.isna()].any():
        loss = loss.drop(NO_LEADER, level="tier", errors="ignore")
    return loss, cut if cut < len(deeper) - 1 else None
