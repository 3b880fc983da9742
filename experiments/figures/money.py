"""Figures of money: which payments change, and what an avoided defect costs whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.arms import arms_in_words
from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import COLOURS, Mark, arm_marks, finish, handle, legend, style, window
from experiments.formatting import significant
from experiments.languages.wording import say, spoken

__all__ = ["books_figure", "costs_figure"]

#: Payments of one arm that are shown, and of all arms together.
MOST, MOST_IN_ALL = 10, 44
PAYERS = {
    "government": Mark(COLOURS[1], "o"),
    "firms": Mark(COLOURS[2], "s"),
    "society": Mark(COLOURS[0], "D"),
}


@arms_in_words
def books_figure(books: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw the payments that change most against the reference, arm by arm, with their 95 % intervals.

    Parameters
    ----------
    books : DataFrame
        A row per arm, purpose, payer and payee: effect with its interval, CNY a month.
    about : dict
        The study's manifest.
    """
    reference = str(about["reference"])
    marks = arm_marks(list(books["arm"].unique()), reference)
    rows = books[(books["arm"] != reference) & books["effect"].notna() & (books["effect"] != 0.0)]
    arms = list(rows["arm"].unique())
    most = int(np.clip(MOST_IN_ALL // max(1, len(arms)), 3, MOST))
    groups: dict[str, list[Row]] = {}
    unit = spoken().money_unit
    for arm in arms:
        of_arm = rows[rows["arm"] == arm]
        largest = of_arm.loc[of_arm["effect"].abs().sort_values(ascending=False, kind="stable").index[:most]]
        columns = ["payer", "payee", "purpose", "effect", "effect_low", "effect_high"]
        groups[arm] = [
            Row(
                say("figures.payment", payer, payee, purpose),
                effect / unit,
                low / unit,
                high / unit,
                marks[arm],
                significant(effect / unit, sign=True),
            )
            for payer, payee, purpose, effect, low, high in largest[columns].itertuples(index=False)
        ]
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.books.axis", reference=reference, period=window(about)), wide=True)
        return finish(figure, about, say("figures.books.marks", most=most))


@arms_in_words
def costs_figure(costs: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw the cost of an avoided defect to government, firms and society, with Fieller intervals, arm by arm.

    Parameters
    ----------
    costs : DataFrame
        A row per arm and payer: ratio of cost to defective sales avoided, its interval, and whether it is defined.
    about : dict
        The study's manifest.
    """
    rows = costs[costs["arm"] != str(about["reference"])]
    groups: dict[str, list[Row]] = {}
    for row in rows.to_dict("records"):
        value, low, high = (float(row[c]) if row["defined"] else np.nan for c in ("ratio", "ratio_low", "ratio_high"))
        note = say("figures.costs.more_defects") if row["avoided_high"] < 0.0 else say("not_defined")
        text = significant(value) if np.isfinite(value) else ""
        payer = say(f"figures.costs.payers.{row['payer']}")
        groups.setdefault(row["arm"], []).append(Row(payer, value, low, high, PAYERS[row["payer"]], text, note))
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.costs.axis"))
        payers = {payer: mark for payer, mark in PAYERS.items() if payer in set(rows["payer"])}
        legend(figure, [handle(say(f"figures.costs.payers.{payer}"), mark, line=False) for payer, mark in payers.items()])
        return finish(figure, about, say("figures.costs.marks"))
