"""Figures of replicates: whether they are enough, and what common random numbers save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.arms import arms_in_words
from experiments.analysis.verdicts import Judgement
from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import COLOURS, MARKS, SHOWN, Mark, arm_marks, finish, handle, label_of, legend, style
from experiments.formatting import significant
from experiments.languages.wording import say

__all__ = ["enough_figure", "luck_figure"]

#: Marks by whether the replicates are enough; a phrase has the same name.
SUFFICIENCY = {
    "enough": MARKS[Judgement.BETTER],
    "not_enough": MARKS[Judgement.WORSE],
    "not_asked": Mark("#666666", "D", filled=False),
}
WANTED = Mark(COLOURS[0], "|")


@arms_in_words
def enough_figure(enough: pd.DataFrame, about: Mapping[str, Any], outcomes: Sequence[str] | None = None) -> Figure:
    """Draw the half-width of each effect's 95 % interval in % of the reference's level, and how many replicates are needed.

    Parameters
    ----------
    enough : DataFrame
        A row per arm and outcome: half-width over the level of the reference, the one wanted, replicates needed.
    about : dict
        The study's manifest.
    outcomes : sequence of str, optional
        Without it those of the default figures, and all for which a half-width is wanted.
    """
    asked = list(dict.fromkeys(enough.loc[enough["wanted"].notna(), "outcome"]))
    keys = list(outcomes) if outcomes is not None else list(dict.fromkeys([*SHOWN, *asked]))
    rows = enough[(enough["arm"] != str(about["reference"])) & enough["outcome"].isin(keys)]
    groups: dict[str, list[Row]] = {}
    used = set()
    for row in rows.to_dict("records"):
        sufficiency = "not_asked" if np.isnan(row["wanted"]) else "enough" if row["share"] <= row["wanted"] else "not_enough"
        used.add(sufficiency)
        share = 100.0 * row["share"]
        note = say("figures.enough.does_not_vary") if share == 0.0 else say("figures.not_known")
        value = share if share > 0.0 else np.nan
        drawn = Row(
            label_of(row["outcome"]), value, mark=SUFFICIENCY[sufficiency], text=_needs(row), note=note, wanted=100.0 * row["wanted"]
        )
        groups.setdefault(row["arm"], []).append(drawn)
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.enough.axis"), origin=None, log=True)
        marks = {name: mark for name, mark in SUFFICIENCY.items() if name in used}
        if rows["wanted"].notna().any():
            marks["wanted"] = WANTED
        legend(figure, [handle(say(f"figures.enough.{name}"), mark, line=False) for name, mark in marks.items()])
        return finish(figure, about, say("figures.enough.marks"))


def _needs(row: Mapping[str, Any]) -> str:
    """How many replicates would be enough or, in a new study, would show the effect, if more than there are."""
    asked = not np.isnan(row["wanted"])
    needed = row["needed"] if asked else row["needed_to_show"]
    if np.isnan(needed) or needed <= row["replicates"]:
        return ""
    return say("figures.needs", float(needed), asked)


@arms_in_words
def luck_figure(luck: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw how many times as large the variance of an effect is with independent seeds as with common random numbers.

    Parameters
    ----------
    luck : DataFrame
        A row per arm and outcome: ratio and its interval.
    about : dict
        The study's manifest.
    """
    reference = str(about["reference"])
    marks = arm_marks(list(dict.fromkeys([reference, *luck["arm"]])), reference)
    groups: dict[str, list[Row]] = {}
    for arm, key, ratio, low, high in luck[["arm", "outcome", "ratio", "ratio_low", "ratio_high"]].itertuples(index=False):
        if arm == reference:
            continue
        sound = np.isfinite(ratio) and ratio > 0.0 and np.isfinite(low)  # few replicates give no interval, and then no ratio to go by
        text = significant(ratio) if sound else ""
        note = say("figures.luck.does_not_vary") if np.isposinf(ratio) else say("judgements.unknown")
        drawn = Row(arm, ratio if sound else np.nan, low, high, marks[arm], text, note)
        groups.setdefault(label_of(key), []).append(drawn)
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.luck.axis"), origin=1.0, log=True)
        return finish(figure, about, say("figures.luck.marks"))
