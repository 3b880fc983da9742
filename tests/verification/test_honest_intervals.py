"""Intervals of 95 % hold the truth in 95 of 100 studies: a placebo, whose true effect is zero, in many small studies."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.typing import NDArray

from agents.streams import Streams, replicate_keys
from experiments import compare
from experiments.analysis.statistics import shown_intervals
from experiments.configuration.settings import compose_settings, read_settings
from sim import Region, StrongchainModel, Synthetic
from sim.build.synthetic import synthetic

pytestmark = pytest.mark.verification

STUDIES, REPLICATES = 1_000, 12
MONTHS, WINDOW = 6, 4
OUTCOMES = ("field_dpu", "nonconformity", "open_problems", "copq", "quality_cost")

PLACE = Region(firms=60, chains=2, leaders=3, chain_heads=2, counties=2, stations=1)
#: As if read from a file: all replicates have it.
NETWORK = synthetic(Synthetic(firms=60, chains=2, leaders=3, sectors=4), Streams(replicate_keys(0, 1)[0]))


def outcomes(model: StrongchainModel, months: int, window: int) -> NDArray[np.float64]:
    """Run a model, and return its outcomes over the last months."""
    model.run(months)
    return model.record.mean(window)[[model.record.outcomes.index(key) for key in OUTCOMES], 0]


def placebo_effects(seed: int, decision: str) -> NDArray[np.float64]:
    """Paired effects of one study, shape (replicates, outcomes): an arm in which a decision's stream has another name, less the reference.

    Both go on from copies of one world, as arms do. From there on the decision's draws are as likely either way round,
    so that the true effect is exactly zero.
    """
    effects = []
    for key in replicate_keys(seed, REPLICATES):
        plain = StrongchainModel(PLACE, NETWORK, key=key, burn_in=0, outcomes=OUTCOMES)
        placebo = copy.deepcopy(plain)
        placebo.streams.rename[decision] = f"{decision} otherwise"
        effects.append(outcomes(placebo, MONTHS, WINDOW) - outcomes(plain, MONTHS, WINDOW))
    return np.stack(effects)


@pytest.mark.full
def test_intervals_of_a_placebo_hold_zero_in_95_of_100_studies():
    """The share of exact 95 % intervals has a standard error (0.7 points in a thousand studies); three of these either way are allowed.

    No two studies share a replicate.
    """
    studies = Parallel(n_jobs=-1, batch_size=5)(delayed(placebo_effects)(seed, "problem arises") for seed in range(1, STUDIES + 1))
    shown, _ = shown_intervals(np.stack(studies, axis=1))
    assert (shown.low < shown.high).all()  # in every study the decision's draws matter to every outcome
    held = dict(zip(OUTCOMES, np.mean((shown.low <= 0.0) & (shown.high >= 0.0), axis=0), strict=True))
    allowed = 3.0 * np.sqrt(0.95 * 0.05 / STUDIES)
    assert {key: share for key, share in held.items() if abs(share - 0.95) > allowed} == {}


def test_the_intervals_tested_are_those_that_the_application_shows():
    """The effect of an instrument, computed again in the way of the placebo's."""
    overrides = ["region=sample", "instruments=[cqo]", "months=12", "window=6", "burn_in=3", "replicates=12"]
    settings = read_settings(compose_settings(overrides))
    effects = []
    for key in replicate_keys(1, 12):
        plain = settings.world.build(key)
        treated = copy.deepcopy(plain)
        treated.adopt(settings.instruments)
        effects.append(outcomes(treated, 12, 6) - outcomes(plain, 12, 6))
    shown, _ = shown_intervals(np.stack(effects))
    comparison = compare(*overrides)
    for k, key in enumerate(OUTCOMES):
        row = comparison.effect("cqo", key)
        assert (row["effect_low"], row["effect_high"]) == pytest.approx((shown.low[k], shown.high[k]), rel=1e-9)
