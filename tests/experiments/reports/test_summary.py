"""What a study prints: levels and effects in columns, each with what it shows, and whether the half-width asked for is reached."""

from __future__ import annotations

import math

import pytest

from experiments.languages.wording import lines, say
from experiments.reports.comparison import SummaryLine
from experiments.reports.findings import Estimate
from sim.outcomes import OUTCOMES

NAN = math.nan


@pytest.mark.parametrize(
    ("effect", "share", "fails_correction", "text"),
    [
        (Estimate(-2.0, -3.0, -1.0), -0.04, False, "          -2  [-3, -1]  = -4.0 %"),
        (Estimate(-2.0, -3.0, 1.0), -0.04, False, "          -2  [-3, +1]  = -4.0 %  (the interval holds 0)"),
        (Estimate(-2.0, -3.0, -1.0), -0.04, True, "          -2  [-3, -1]  = -4.0 %  (may be chance: corrected p = 0.12)"),
        (Estimate(0.0, 0.0, 0.0), 0.0, False, "          +0  [+0, +0]  = +0.0 %  (no change)"),
        (Estimate(5000.4, NAN, NAN), NAN, False, "       +5000  (no interval from one replicate)"),
        (Estimate(NAN, NAN, NAN), NAN, False, "           –  (no interval from one replicate)"),
    ],
    ids=["shown", "not shown", "fails the correction", "no change", "one replicate", "not defined"],
)
def test_an_effect_has_twelve_columns_with_its_conclusion(effect, share, fails_correction, text):
    line = SummaryLine(f"{'cqo':<20}", effect, share, fails_correction, 0.1234)
    head, level, change = lines("summary.effects", OUTCOMES["field_dpu"], f"{'nothing':<20}", 0.0341321, [line]).splitlines()
    assert head == "  Defects reaching users (defects/unit; lower is better)"
    assert level == "    nothing                  0.034132"
    assert change == f"    {'cqo':<20} {text}"


def test_a_flow_is_summed_so_that_its_unit_is_not_that_of_a_month():
    flow = OUTCOMES["government_cost"]
    assert flow.unit == "CNY/month"
    assert lines("summary.effects", flow, "nothing", 0.0, []).splitlines()[0].endswith("(CNY; lower is better)")


@pytest.mark.parametrize(
    ("reached", "needed", "text"),
    [
        (True, 12.0, "are at most 0.5 % of the level of 'nothing' with 20 replicates."),
        (
            False,
            1234.0,
            "are NOT at most 0.5 % of the level of 'nothing' with 20 replicates, the largest number allowed; about 1,234 are needed.",
        ),
        (False, math.inf, "the largest number allowed; more than 1,000 million are needed."),
    ],
)
def test_a_half_width_that_is_not_reached_says_how_many_replicates_are_needed(reached, needed, text):
    sentence = say("summary.precision", 0.005, "nothing", 20, reached, needed)
    assert sentence.startswith("Half-widths of the effects on defects reaching users are ") and sentence.endswith(text)
