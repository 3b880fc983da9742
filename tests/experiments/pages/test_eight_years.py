"""Without a programme the world stays plausible for eight years: nothing explodes, dies out, or drifts to an end of its scale."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.pages.evidence.eight_years import EVENTS, PLAUSIBLE, YEARS, figure, page, years_without_programme
from sim.outcomes import OUTCOMES
from tests.support.places import EVIDENCE

pytestmark = pytest.mark.full

OVERRIDES = ("region=liaoning", "scale=0.4")
KEYS = list(OUTCOMES)


@pytest.fixture(scope="module")
def without_programme():
    return years_without_programme(OVERRIDES, replicates=6, workers=1)


@pytest.mark.parametrize("key", PLAUSIBLE)
def test_every_year_lies_in_its_range(without_programme, key):
    low, high, _ = PLAUSIBLE[key]
    years = without_programme[0][:, :, KEYS.index(key), 0].mean(axis=0)
    assert years.shape == (YEARS,)
    assert (years >= low).all(), years
    assert (years <= high).all(), years


@pytest.mark.parametrize("key", EVENTS)
def test_rare_events_keep_their_rates(without_programme, key):
    low, high, _ = EVENTS[key]
    assert low <= without_programme[1][:, list(EVENTS).index(key)].mean() <= high


def test_conformity_drifts_by_less_than_the_official_series_wandered(without_programme):
    """Within 0.9 percentage points in eight years."""
    values = without_programme[0][:, :, KEYS.index("nonconformity"), 0]
    assert abs(values[:, -1].mean() - values[:, 0].mean()) < 0.009


def test_output_stays_near_its_level(without_programme):
    output = without_programme[0][:, :, KEYS.index("output"), 0]
    assert (np.abs(np.log(output[:, -1] / output[:, 0])) < 0.3).all()


def test_small_firms_fare_worse_than_large_ones(without_programme):
    for key in ("nonconformity", "bad_loans", "credit_bound"):
        by_size = without_programme[0][:, -1, KEYS.index(key), 1:].mean(axis=0)
        assert by_size[0] > by_size[1] > by_size[2], key


def test_the_page_shows_every_range_and_the_figure_every_year(without_programme):
    outcomes, events = without_programme
    text = page(outcomes, events, OVERRIDES)
    assert all(f"`{key}`" in text for key in (*PLAUSIBLE, *EVENTS))
    assert all(len(axes.lines[0].get_xdata()) == YEARS for axes in figure(outcomes).axes)


def test_the_page_in_the_docs_is_of_the_outcomes_declared():
    text = (EVIDENCE / "eight_years.md").read_text(encoding="utf-8")
    assert all(f"| {OUTCOMES[key].label} (`{key}`) | {OUTCOMES[key].unit} |" in text for key in PLAUSIBLE)
