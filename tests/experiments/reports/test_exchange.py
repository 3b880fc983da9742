"""The sentences and lines of an exchange: what they say of cells, by their conclusions."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from experiments.analysis.verdicts import Conclusion
from experiments.languages.wording import lines, say, use_language
from experiments.reports.exchange import Cell, ExchangeFindings, _row
from experiments.reports.findings import Estimate
from experiments.reports.verdict import sentences
from experiments.terminal import pad, width

NAN = float("nan")
FEWER = Cell("A", "P", Estimate(-0.1, -0.15, -0.05), Conclusion.LOWER, Conclusion.LOWER, 2e6, Estimate(0.5, 0.2, 0.9))
NOT_SHOWN = Cell("A", "Q", Estimate(-0.2, -0.5, 0.1), Conclusion.NOT_SHOWN, Conclusion.NOT_SHOWN, 1e6, Estimate(0.8, -0.3, 1.4))
FREE = replace(NOT_SHOWN, region="辽宁", per_yuan=None)
MORE = Cell("B", "P", Estimate(0.1, 0.05, 0.15), Conclusion.HIGHER, Conclusion.HIGHER, 3e6, Estimate(-0.4, -0.6, -0.2))
AVOIDS = replace(FEWER, region="Hubei 湖北", policy="Liaoning 辽宁", conclusion=Conclusion.NOT_SHOWN)
ALONE = Cell("B", "Q", Estimate(-0.1, NAN, NAN), Conclusion.UNKNOWN, Conclusion.UNKNOWN, 1e6, None)


def _findings(*cells: Cell, replicates: int = 5) -> ExchangeFindings:
    names = (tuple(dict.fromkeys(getattr(cell, what) for cell in cells)) for what in ("region", "policy"))
    return ExchangeFindings(cells, *names, 12, 6, replicates, (), 7)


def test_the_answer_names_the_best_cells_among_those_that_are_shown_to_help_and_counts_harm():
    shown = _findings(FEWER, NOT_SHOWN, MORE)
    assert shown.lowest is FEWER and shown.cheapest is FEWER, "cells with better means are not shown to help"
    assert say("exchange.effect", shown) == (
        "In 1 of 3 cells, fewer defects are shown to reach users than with no programme in the same region; the lowest mean is that of "
        "P in A (−10.0 %, −15.0 to −5.0 %), chosen because it is the lowest; "
        "in 1 cell, more defects are shown to reach users, which is harm."
    )
    assert say("exchange.cost", shown).startswith(
        "Of 1 cell in which sales with a defect are shown to be avoided, one CNY of government avoids the most under P in A: "
        "0.500 CNY (95 % interval 0.200 to 0.900)."
    )
    assert say("exchange.limits", shown).startswith(
        "In 1 of 3 cells, no change of the defects per unit in the last 6 months is shown. The sizes"
    )


def test_an_answer_without_any_effect_shown_names_no_cell():
    shown = _findings(ALONE, replicates=1)
    assert shown.lowest is None and shown.cheapest is None
    assert say("exchange.effect", shown).startswith("In 0 of 1 cell, fewer defects are shown")
    assert "the lowest mean" not in say("exchange.effect", shown)
    assert say("exchange.cost", shown).startswith("No cell is shown to avoid")
    assert "In 1 of 1 cell, no change of the defects per unit in the last 6 months is shown. One replicate gives no interval." in say(
        "exchange.limits", shown
    )


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("cells", [(FEWER, NOT_SHOWN), (NOT_SHOWN, MORE), (NOT_SHOWN, FREE), (ALONE,), (AVOIDS, NOT_SHOWN)])
def test_a_pair_is_advised_only_where_it_is_shown_to_lower_defects(code, cells):
    shown = _findings(*cells, replicates=1 if ALONE in cells else 5)
    with use_language(code):
        verdict = sentences("exchange_verdict", shown)
    whole = "".join(verdict)
    assert ("Spend where" in whole or "建议投向" in whole) == (FEWER in cells) and len(verdict) == 3
    assert ("0.500" in whole) == (shown.cheapest is not None), "what is avoided over all months is said in any case"
    if code == "en":
        assert len(re.findall(r"[\w.,’-]*\w", " ".join(verdict))) <= 60, whole
    else:
        assert len(re.findall(r"[\u3400-\u9fff]", whole)) <= 120


def test_the_question_is_of_one_portfolio_or_of_several():
    assert say("exchange.question", _findings(FEWER)) == "What does the portfolio P change in A, and what does one CNY buy in each region?"
    assert say("exchange.question", _findings(FEWER, ALONE)).startswith("What do the portfolios P and Q change in A and B, and")


@pytest.mark.parametrize(
    ("cell", "row"),
    [
        (FEWER, ("A", "P", "−10.0", "−15.0 to −5.0", "fewer", "2.00", "0.500", "0.200 to 0.900", "2,000")),
        (FREE, ("辽宁", "Q", "−20.0", "−50.0 to +10.0", "not shown to differ from 0", "1.00", "not defined", "–", "not defined")),
        (ALONE, ("B", "Q", "−10.0", "–", "no interval", "1.00", "not defined", "–", "not defined")),
    ],
    ids=["fewer", "free", "one replicate"],
)
def test_a_cell_is_a_row_of_the_table(cell, row):
    assert _row(cell) == row


def test_lines_of_a_terminal_are_aligned_in_columns_whatever_the_names():
    *head, first, second = lines("exchange.summary", _findings(FEWER, FREE), pad).splitlines()
    assert head == [
        "Paired effects on defects reaching users against no programme in the same region (last 6 months), with 95 % intervals;",
        "and sales with a defect avoided per CNY of government over the whole run",
    ]
    assert first.endswith("−10.0 % [−15.0 to −5.0] fewer; 2.00 million CNY; per CNY 0.500 [0.200 to 0.900]")
    assert second.endswith("per CNY not defined")
    assert width(first.split(" %")[0]) == width(second.split(" %")[0])
    assert "interval" not in lines("exchange.summary", _findings(ALONE, replicates=1), pad).splitlines()[0]
