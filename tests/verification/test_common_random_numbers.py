"""Common random numbers against independent seeds: how many replicates they save, and that a study estimates this rightly."""

from __future__ import annotations

import pytest

from benchmarks.common_random_numbers import COMPARED, Gains, gains
from sim.outcomes import HEADLINE
from tests.support.size import at_size

pytestmark = pytest.mark.verification


@pytest.fixture(scope="module")
def measured() -> Gains:
    """Each flagship instrument in the sample region, two studies on different seeds."""
    return gains(["region=sample", "burn_in=12", "months=24", f"replicates={at_size(16, 40)}"])


def test_common_random_numbers_save_nine_in_ten_replicates_of_the_main_outcome(measured):
    """Ten and more for each instrument; the interval is wide, because the few replicates in which much changes make up the variance.

    At small size the limit is lower: the mean of a few replicates is uncertain by half of its value.
    """
    assert measured.instruments == ("cqo", "one_stop_stations", "strong_chain_loans")
    headline = COMPARED.index(HEADLINE)
    assert (measured.paired.mean[:, headline] >= at_size(5.0, 10.0)).all()
    assert (measured.paired.low[:, headline] > at_size(1.0, 3.0)).all()


def test_the_factor_that_a_study_estimates_is_that_of_independent_seeds(measured):
    """For every instrument and outcome: a study on another seed in place of the own reference has the variance that the study estimates."""
    assert ((measured.paired.low <= measured.independent.mean) & (measured.independent.mean <= measured.paired.high)).all()
    assert ((measured.independent.low <= measured.paired.mean) & (measured.paired.mean <= measured.independent.high)).all()
