"""Figures of money: which payments change, and what an avoided defect costs whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.rows import Row, draw_rows
from experiments.figures.style import COLOURS, Mark, arm_marks, finish, handle, legend, style, window
from experiments.formatting import significant
from experiments.languages.wording import label, say
from sim.instruments import INSTRUMENTS

__all__ = ["books_figure", "costs_figure", "sector"]

#: Payments of one arm that are shown, and of all arms together.
MOST, MOST_IN_ALL = 10, 44
PAYERS = {
    "government": Mark(COLOURS[1], "o"),
    "firms": Mark(COLOURS[2], "s"),
    "society": Mark(COLOURS[0], "D"),
}


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
    for arm in arms:
        of_arm = rows[rows["arm"] == arm]
        largest = of_arm.loc[of_arm["effect"].abs().sort_values(ascending=False, kind="stable").index[:most]]
        groups[arm] = [
            Row(
                f"{sector(payer)} → {sector(payee)}: {sector(purpose)}",
                effect / 1e6,
                low / 1e6,
                high / 1e6,
                marks[arm],
                f"{'+' * (effect > 0.0)}{significant(effect / 1e6)}",
            )
            for payer, payee, purpose, effect, low, high in largest[
                ["payer", "payee", "purpose", "effect", "effect_low", "effect_high"]
            ].itertuples(index=False)
        ]
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.books_axis", reference=reference, window=window(about)), wide=True)
        return finish(figure, about, say("figures.books", most=most))


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
        note = say("figures.more_defects") if row["avoided_high"] < 0.0 else say("figures.not_defined")
        text = significant(value) if np.isfinite(value) else ""
        groups.setdefault(row["arm"], []).append(
            Row(sector(row["payer"]), value, low, high, PAYERS.get(row["payer"], Mark(COLOURS[3])), text, note)
        )
    with matplotlib.rc_context(style()):
        figure = draw_rows(groups, say("figures.costs_axis"))
        legend(figure, [handle(sector(payer), mark, line=False) for payer, mark in PAYERS.items() if payer in set(rows["payer"])])
        return finish(figure, about, say("figures.costs"))


def sector(key: str) -> str:
    """Return what a sector or the purpose of a payment is called: an instrument by its label, others by their name."""
    return label(INSTRUMENTS[key]) if key in INSTRUMENTS else label(key.replace("_", " "))
