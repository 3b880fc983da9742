"""Figures of replicates: whether they are enough, and what common luck saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import COLOURS, SHOWN, Mark, arm_marks, figures, finish, handle, label_of, legend, style

__all__ = ["enough_figure", "luck_figure"]

SUFFICIENCY = {
    True: ("enough", Mark(COLOURS[1], "o")),
    False: ("too few", Mark(COLOURS[2], "s")),
    None: ("no width asked for", Mark("#666666", "D", filled=False)),
}
WANTED = ("wanted", Mark(COLOURS[0], "|"))


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
    verdicts = []
    for row in rows.to_dict("records"):
        verdict = None if np.isnan(row["wanted"]) else bool(row["share"] <= row["wanted"])
        verdicts.append(verdict)
        share = 100.0 * row["share"]
        note = "0: the effect does not vary" if share == 0.0 else "not known"
        value = share if share > 0.0 else np.nan
        drawn = Row(
            label_of(row["outcome"]), value, mark=SUFFICIENCY[verdict][1], text=_needs(row), note=note, wanted=100.0 * row["wanted"]
        )
        groups.setdefault(row["arm"], []).append(drawn)
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, "half-width of the effect's 95 % interval, % of the reference's level", origin=None, log=True)
        used = [SUFFICIENCY[verdict] for verdict in SUFFICIENCY if verdict in verdicts] + [WANTED] * bool(rows["wanted"].notna().any())
        legend(figure, [handle(*entry, line=False) for entry in used])
        return finish(
            figure,
            about,
            "right: replicates that would be enough or, where no width is asked for, those of a new study that tells the effect from zero "
            "in four of five cases (80 %) if it is as large as was found; an estimate",
        )


def _needs(row: Mapping[str, Any]) -> str:
    """How many replicates would be enough or, in a new study, would tell the effect from zero, if more than there are."""
    asked = not np.isnan(row["wanted"])
    needed = row["needed"] if asked else row["needed_to_show"]
    if np.isnan(needed) or needed <= row["replicates"]:
        return ""
    return f"{'needs' if asked else '80 %:'} {needed:,.0f}" if np.isfinite(needed) else "no number"


def luck_figure(luck: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw by what factor common luck cuts the variance of effects: variance on independent seeds over that on common luck.

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
        text = figures(ratio) if sound else ""
        note = "the difference never varies" if np.isposinf(ratio) else "no interval"
        drawn = Row(arm, ratio if sound else np.nan, low, high, marks[arm], text, note)
        groups.setdefault(label_of(key), []).append(drawn)
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, "variance on independent seeds / on common luck (ratio)", origin=1.0, log=True)
        return finish(figure, about, "bars: 95 % bootstrap intervals; right of 1: common luck saves replicates")
