"""Figures of programmes: what a budget bought, what lasts after their end, differences from a second reference, portfolios by region."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from experiments.analysis.arms import arms_in_words
from experiments.analysis.programmes import LEFT
from experiments.analysis.verdicts import Conclusion, Judgement
from experiments.figures.heat import Cells, draw_cells
from experiments.figures.rows import Row, draw_rows, limits
from experiments.figures.style import (
    COLOURS,
    MARKS,
    SMALL,
    TEXT,
    WIDE,
    finish,
    handle,
    judged,
    legend,
    name_months,
    scaled_unit,
    style,
    unit_of_difference,
    window,
    wrapped,
)
from experiments.formatting import fixed, signed_percent, significant
from experiments.languages.wording import say
from sim.outcomes import HEADLINE

__all__ = ["aftermath_figure", "exchange_figure", "second_reference_figure", "spending_figure"]

#: Height of a row of one line, inches, and letters that its label may have in a line.
LINE, LETTERS = 0.2, 26
#: Colours of bars by what became of the budget, as the table of spending has it.
BUDGET_COLOURS = {"spent": MARKS[Judgement.BETTER].colour, "cannot spend it": MARKS[Judgement.WORSE].colour, "not all spent": COLOURS[5]}


# -- what a budget bought -----------------------------------------------------------------------------------


@arms_in_words
def spending_figure(spending: pd.DataFrame, effects: pd.DataFrame, bought: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw for every arm what it spent of its budget, its effect, and the sales with a defect avoided per CNY of government.

    Parameters
    ----------
    spending, effects, bought : DataFrame
        Tables "spending", "effects" and "per_yuan" of the study.
    about : dict
        Its manifest.
    """
    reference = str(about["reference"])
    whole = spending[spending["instrument"] == "in all"].set_index("arm")
    total = effects[(effects["outcome"] == HEADLINE) & (effects["by"] == "total")].set_index("arm")
    gain = bought.set_index("arm")
    arms = sorted([arm for arm in whole.index if arm in gain.index], key=lambda arm: float(total.at[arm, "effect"]))
    names = [wrapped(arm, LETTERS) for arm in arms]
    lines = np.array([name.count("\n") * 0.62 + 1.0 for name in names])
    place = np.cumsum(lines) - lines / 2
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.45 + LINE * max(float(lines.sum()), 4.0)))
        first, second, third = figure.subplots(1, 3, sharey=True, gridspec_kw={"width_ratios": (0.7, 1.0, 1.0)})
        changes = [_values(total.loc[arm], "effect_share", 100.0) for arm in arms]
        gains = [_values(gain.loc[arm], "per_yuan", 1.0) for arm in arms]
        for ax, values in ((second, changes), (third, gains)):
            ax.set_xlim(*(limits([Row("", *of) for of in values], 0.0, False) or (-1.0, 1.0)))
        for y, arm, change, bought_by in zip(place, arms, changes, gains, strict=True):
            first.barh(y, 100.0 * whole.at[arm, "share"], 0.6, color=BUDGET_COLOURS[whole.at[arm, "verdict"]], lw=0)
            _bar(second, y, change, Conclusion(total.at[arm, "conclusion"]).is_shown)
            if gain.at[arm, "defined"]:
                _bar(third, y, bought_by, Conclusion(gain.at[arm, "conclusion"]).is_shown)
            else:
                third.text(0.03, y, say("not_defined"), transform=third.get_yaxis_transform(), va="center", fontsize=SMALL, style="italic")
        first.axvline(100.0, color=COLOURS[0], lw=0.8, ls=(0, (4, 2)))
        first.set_xlim(0.0, 105.0)
        for ax in (second, third):
            ax.axvline(0.0, color=COLOURS[0], lw=0.8, zorder=1)
        for ax, text in (
            (first, say("figures.spending.spent")),
            (second, say("figures.spending_effect", HEADLINE, reference, window(about))),
            (third, say("figures.spending.bought")),
        ):
            ax.set_xlabel(wrapped(text, 30))
            ax.xaxis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10)))
            ax.grid(axis="x", color="0.9", lw=0.5)
            ax.set_axisbelow(True)
        first.set_yticks(place, names, fontsize=SMALL)
        first.set_ylim(float(lines.sum()) + 0.2, -0.2)
        used = {verdict: colour for verdict, colour in BUDGET_COLOURS.items() if verdict in set(whole["verdict"])}
        bars = [Rectangle((0, 0), 1, 1, fc=colour, label=say(f"programmes.budget.{verdict}")) for verdict, colour in used.items()]
        legend(figure, bars, say("figures.spending.title", budget=about["configuration"]["study"]["budget"]))
        return finish(figure, about, say("figures.spending.marks"))


def _values(row: pd.Series, stem: str, times: float) -> tuple[float, float, float]:
    """Return a value with the ends of its interval."""
    value, low, high = (times * float(row[f"{stem}{end}"]) for end in ("", "_low", "_high"))
    return value, low, high


def _bar(ax: Axes, y: float, values: Sequence[float], is_shown: bool) -> None:
    """Draw one value and its interval, hollow where it is not shown to differ from 0; an interval that leaves the axis ends in an arrow."""
    value, low, high = values
    left, right = ax.get_xlim()
    if np.isfinite(low) and np.isfinite(high):
        ax.hlines(y, max(low, left), min(high, right), color=COLOURS[1], lw=1.3, zorder=2)
        for end, marker, out in ((left, "<", low < left), (right, ">", high > right)):
            if out:
                ax.plot(end, y, marker, color=COLOURS[1], ms=3.5, clip_on=False)
    if np.isfinite(value):
        ax.plot(value, y, "o", color=COLOURS[1], mfc=COLOURS[1] if is_shown else "white", ms=4, zorder=3)


# -- after the end -------------------------------------------------------------------------------------------


@arms_in_words
def aftermath_figure(aftermath: pd.DataFrame, series: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Draw every arm's paired effect on defects reaching users, month by month and year by year, with the end of its programmes.

    Parameters
    ----------
    aftermath, series : DataFrame
        Tables of those names of the study.
    about : dict
        Its manifest.
    """
    arms = list(aftermath["arm"].unique())
    across = min(3, len(arms))
    down = -(-len(arms) // across)
    rows = series[series["outcome"] == HEADLINE]
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.0 + 1.55 * down))
        axes = figure.subplots(down, across, sharex=True, squeeze=False)
        for ax in axes.flat[len(arms) :]:
            ax.remove()
        for k, (ax, arm) in enumerate(zip(axes.flat, arms, strict=False)):
            _after(ax, aftermath[aftermath["arm"] == arm], rows[rows["arm"] == arm])
            ax.set_title(f"{wrapped(arm, 34)}\n{wrapped(_left(aftermath[aftermath['arm'] == arm]), 34)}", fontsize=SMALL)
            if k + across >= len(arms):
                ax.tick_params(labelbottom=True)
                name_months(ax, about)
        figure.supylabel(wrapped(say("figures.aftermath_axis", HEADLINE), 20 * down), fontsize=TEXT)  # as high as the panels
        return finish(figure, about, say("figures.aftermath_marks", about["reference"], list(LEFT)))


def _after(ax: Axes, years: pd.DataFrame, months: pd.DataFrame) -> None:
    ax.axhline(0.0, color=COLOURS[0], lw=0.8)
    month, middle, low, high = (months[c].to_numpy(dtype=np.float64) for c in ("month", "effect", "effect_low", "effect_high"))
    ax.fill_between(month, 1000 * low, 1000 * high, color=COLOURS[6], alpha=0.3, lw=0)
    ax.plot(month, 1000 * middle, color=COLOURS[6], lw=0.8)
    x = (years["first_month"] + years["last_month"]).to_numpy() / 2.0
    value, low, high = (1000 * years[f"effect{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high"))
    ax.vlines(x, low, high, color=COLOURS[1], lw=1.3)
    ax.plot(x, value, "o", color=COLOURS[1], ms=3)
    ax.axvline(float(years["end"].iloc[0]) + 0.5, color=COLOURS[2], lw=1.0, ls=(0, (4, 2)))
    ends = limits([Row("", *of) for of in zip(value, low, high, strict=True)], 0.0, False)
    if ends:
        ax.set_ylim(*ends)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.margins(x=0.02)


def _left(years: pd.DataFrame) -> str:
    """Say in a line how much of the effect is left."""
    if not years["defined"].any():
        return say("figures.aftermath.no_effect")
    rows = years[years["year"].isin(LEFT)]
    if rows.empty:
        return say("figures.aftermath.too_short")
    return say("figures.left", [(row.year, row.left, row.left_low <= 0.0 <= row.left_high) for row in rows.itertuples()])


# -- against a second reference --------------------------------------------------------------------------------


@arms_in_words
def second_reference_figure(differences: pd.DataFrame, about: Mapping[str, Any], second_reference: str) -> Figure:
    """Draw the paired difference of every arm from a second reference, with its 95 % interval.

    Parameters
    ----------
    differences : DataFrame
        A row per arm and outcome: effect against the second reference with its interval, in % of it too, and the conclusion on it.
    about : dict
        The study's manifest.
    second_reference : str
        An arm.
    """
    _, times = scaled_unit(HEADLINE)
    rows = differences[differences["outcome"] == HEADLINE].to_dict("records")
    used = {judged(row) for row in rows}
    drawn = []
    for row in rows:
        value, low, high = (times * row[c] for c in ("effect", "effect_low", "effect_high"))
        share = signed_percent(100 * row["effect_share"])
        drawn.append(Row(row["arm"], value, low, high, MARKS[judged(row)], share, say("figures.not_known")))
    with matplotlib.rc_context(style()):
        axis = say("figures.second_reference_axis", HEADLINE, second_reference, unit_of_difference(HEADLINE))
        figure = draw_rows({say("figures.against", arm=second_reference): drawn}, axis, wide=True)
        legend(figure, [handle(say(f"judgements.{meaning}"), mark, line=False) for meaning, mark in MARKS.items() if meaning in used])
        return finish(figure, about, say("figures.second_reference.marks", period=window(about)))


# -- portfolios by region --------------------------------------------------------------------------------------


def exchange_figure(cells: pd.DataFrame, about: Mapping[str, Any], regions: Mapping[str, str], policies: Mapping[str, str]) -> Figure:
    """Draw two heat maps, regions by portfolios: sales with a defect avoided per CNY of government, and the effect in %.

    Parameters
    ----------
    cells : DataFrame
        A row per region and policy, as `experiments.studies.exchange.Exchange` has it.
    about : dict
        The study's manifest.
    regions, policies : dict of str to str
        How they are called, by their keys, in the order in which they are drawn.
    """
    table = cells.set_index(["region", "policy"])
    tall = 0.36 * len(regions) + 0.45
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(WIDE, 1.1 + 2 * tall + 0.35))
        top, below = figure.subplots(2, 1)
        _heat(top, table, "per_yuan", "avoided_conclusion", regions, policies)
        top.set_title(say("figures.exchange.per_yuan"))
        _heat(below, table, "effect_share", "conclusion", regions, policies)
        below.set_title(say("figures.exchange_effect", HEADLINE, window(about)))
        below.set_xlabel(say("figures.exchange.axis"))
        return finish(figure, about, say("figures.exchange.marks"), [say("things.region", *region) for region in regions.items()])


def _heat(ax: Axes, table: pd.DataFrame, stem: str, conclusion: str, regions: Mapping[str, str], policies: Mapping[str, str]) -> None:
    """Draw one heat map with value and interval in every cell.

    Parameters
    ----------
    stem : {"per_yuan", "effect_share"}
        Column of the value: what a CNY avoids (more is better), or a change of defects in % (less is better).
    conclusion : str
        Column of the conclusion on the value.
    """
    of_money = stem == "per_yuan"
    times, better = (1.0, 1.0) if of_money else (100.0, -1.0)
    names = [(region, policy) for region in regions for policy in policies]
    shape = len(regions), len(policies)
    value, low, high = (
        times
        * np.array([table.at[name, f"{stem}{end}"] if name in table.index else np.nan for name in names], dtype=np.float64).reshape(shape)
        for end in ("", "_low", "_high")
    )
    concluded = [name in table.index and Conclusion(table.at[name, conclusion]).is_shown for name in names]
    write: Callable[[float], str] = significant if of_money else signed_percent
    write_end: Callable[[float], str] = significant if of_money else lambda end: fixed(end, 1, True)
    cells = Cells(value, low, high, np.array(concluded).reshape(shape), better, write, write_end, say("not_defined"))
    draw_cells(ax, cells, list(regions.values()), list(policies.values()))
