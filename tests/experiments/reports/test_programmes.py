"""Sentences about programmes: budgets that are not spent, effects that last, differences from a second reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.analysis.results import TABLES, Comparison
from experiments.languages.wording import say
from experiments.reports.findings import Arm, Estimate
from experiments.reports.programmes import differences_from

OFFICERS, BOTH = Arm("cqo", False, ("cqo",), True), Arm("all", False, ("cqo", "stewards"), False)


def test_arms_that_do_not_spend_their_budget_are_named_with_the_reason():
    text = say("programmes.spending", 1e6, [("spent", BOTH, 0.99), ("cannot spend it", OFFICERS, 0.314), ("not all spent", BOTH, 0.97)])
    assert text.startswith("For every arm, government has 1,000,000 CNY per 1,000 firms and year")
    assert "the budget cannot be spent by chief quality officers alone (31 % of it)." in text
    assert text.endswith("Less than 98 % is spent by both together (97 % of it).")
    assert "Less than 98 %" not in say("programmes.spending", 1e6, [("spent", BOTH, 0.99)])


@pytest.mark.parametrize(
    ("spent", "budget", "text"), [(5000.0, 7500.0, "0.00500 of 0.00750"), (1.2e6, 3.4567e6, "1.20 of 3.46"), (3e8, 4e8, "300 of 400")]
)
def test_what_is_spent_of_a_budget_has_three_figures_at_any_size(spent, budget, text):
    assert say("programmes.spent", spent=spent, budget=budget) == text


def test_arms_with_which_government_still_pays_are_named():
    assert say("programmes.aftermath", [OFFICERS]).endswith("Government still pays after the end with chief quality officers alone.")
    assert say("programmes.aftermath", []).endswith("After the end government spends nothing more.")
    assert say("programmes.left", Estimate(0.512, -0.049, 1.2)) == "51 (−5 to 120)"
    assert say("programmes.left", Estimate(0.5, np.nan, np.nan)) == "50 (–)"


def test_fewer_defects_than_the_second_reference_are_stated_for_the_arms_that_show_it():
    assert say("programmes.second", OFFICERS, [(BOTH, Estimate(-0.021, -0.03, -0.01))]).endswith("with both together (−2.1 %).")
    assert (
        say("programmes.second", OFFICERS, []) == "No arm is shown to have fewer defects reaching users than chief quality officers alone."
    )


def test_a_pair_read_in_the_other_direction_has_the_opposite_effect_and_conclusion():
    names = ["arm", "against", "outcome", "effect", "effect_low", "effect_high", "effect_share", "effect_share_low", "effect_share_high"]
    sums = [f"cumulative_effect{end}" for end in ("", "_low", "_high")]
    pairs = pd.DataFrame(
        [
            ("b", "a", "field_dpu", -1.0, -2.0, -0.5, -0.25, -0.5, -0.125, *[np.nan] * 3, "lower"),
            ("c", "b", "field_dpu", 0.6, -0.3, 1.5, 0.2, -0.1, 0.5, *[np.nan] * 3, "not shown"),
        ],
        columns=[*names, *sums, "conclusion"],
    )
    effects = pd.DataFrame({"arm": ["a", "b", "c"], "by": "total", "outcome": "field_dpu", "level": [4.0, 3.0, 3.6]})
    tables = {name: pd.DataFrame() for name in TABLES} | {"pairs": pairs, "effects": effects}
    differences = differences_from(Comparison(**tables, manifest={}), "b").set_index("arm")
    assert set(differences["against"]) == {"b"}
    assert differences.loc["a", ["effect", "effect_low", "effect_high"]].to_list() == [1.0, 0.5, 2.0]
    assert differences.loc["a", "effect_share"] == pytest.approx(1.0 / 3.0), "a share of the level of b"
    assert differences["conclusion"].to_dict() == {"a": "higher", "c": "not shown"}
