"""Common luck against independent seeds: how many replicates it saves, and that a study tells it rightly."""

from __future__ import annotations

import pytest

from benchmarks.common_luck import LOOKED_AT, Gains, gains
from sim.outcomes import HEADLINE
from tests.support.size import at_size

pytestmark = pytest.mark.verification


@pytest.fixture(scope="module")
def found() -> Gains:
    """Each flagship instrument in the sample region, two studies on different seeds."""
    return gains(["region=sample", "burn_in=12", "months=24", f"replicates={at_size(16, 40)}"])


def test_common_luck_saves_nine_in_ten_replicates_of_the_headline(found):
    """Ten and more for each instrument; the interval is wide, because the few replicates in which much changes make up the variance.

    At the gate's size one figure less is asked: the mean of a few replicates is unsure by half of it.
    """
    assert found.instruments == ("cqo", "one_stop_stations", "strong_chain_loans")
    headline = LOOKED_AT.index(HEADLINE)
    assert (found.paired.mean[:, headline] >= at_size(5.0, 10.0)).all()
    assert (found.paired.low[:, headline] > at_size(1.0, 3.0)).all()


def test_the_factor_that_a_study_tells_is_that_of_truly_independent_seeds(found):
    """For every instrument and outcome: a study on another seed in place of the own reference has the variance that was foretold."""
    assert ((found.paired.low <= found.apart.mean) & (found.apart.mean <= found.paired.high)).all()
    assert ((found.apart.low <= found.paired.mean) & (found.paired.mean <= found.apart.high)).all()
