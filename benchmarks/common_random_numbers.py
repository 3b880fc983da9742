"""By what factor common random numbers lower the variance of an effect, compared with really independent seeds."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import stats

from agents.streams import replicate_keys
from experiments.analysis.statistics import Intervals, mean_intervals, variance_ratios
from experiments.configuration.settings import WorldSettings, compose_settings, read_settings
from sim import Instrument

__all__ = ["COMPARED", "Gains", "gains"]

#: The outcomes that are compared, the main one first.
COMPARED = ("field_dpu", "nonconformity", "open_problems", "copq", "quality_cost")
#: Resamples of the bootstrap behind the intervals of `Gains.independent`, and its seed.
RESAMPLES, SEED = 1999, 1
#: Workers: the cores of the machine on which the figures of README.md were measured.
WORKERS = 2

Levels = NDArray[np.float64]


class Gains(NamedTuple):
    """Variance ratios of every instrument, shape (instruments, outcomes), from all replicates of two studies on different seeds.

    Attributes
    ----------
    instruments : tuple of str
    effect : Intervals
        The paired effect, as a share of the reference's level.
    paired : Intervals
        As a study estimates it: the sum of the variances of both arms, over the variance of the paired effect.
    independent : Intervals
        As measured: the variance of the difference between one study's arm and the other study's reference, over the same.
    """

    instruments: tuple[str, ...]
    effect: Intervals
    paired: Intervals
    independent: Intervals


def _levels(world: WorldSettings, instruments: Sequence[Instrument], key: tuple[int, int], months: int, window: int) -> Levels:
    """Outcomes of one replicate over the last months, shape (arms, outcomes): nothing, then each instrument alone."""
    ready = world.build(key)
    levels = []
    for policy in ((), *((ins,) for ins in instruments)):
        model = copy.deepcopy(ready)
        model.adopt(policy)
        model.run(months)
        levels.append(model.record.mean(window)[[model.record.outcomes.index(name) for name in COMPARED], 0])
    return np.stack(levels)


def _study(overrides: Sequence[str], seed: int) -> tuple[tuple[str, ...], Levels]:
    """Instruments and levels of a study, shape (replicates, arms, outcomes)."""
    config = compose_settings(overrides)
    settings = read_settings(config)
    replicates = Parallel(n_jobs=WORKERS)(
        delayed(_levels)(settings.world, settings.instruments, key, config.months, config.window)
        for key in replicate_keys(seed, settings.replicates)
    )
    return tuple(ins.key for ins in settings.instruments), np.stack(replicates)


def _ratio(treated: Levels, base: Levels, other_treated: Levels, other_base: Levels, axis: int = 0) -> Levels:
    """Variance of differences across two studies over that of differences within each; replicates of the two studies are in any order."""
    across = (treated - other_base).var(axis=axis, ddof=1) + (other_treated - base).var(axis=axis, ddof=1)
    within = (treated - base).var(axis=axis, ddof=1) + (other_treated - other_base).var(axis=axis, ddof=1)
    return np.asarray(across / within)


def gains(overrides: Sequence[str], seeds: tuple[int, int] = (1, 2)) -> Gains:
    """Run a study, given as typed after ``strongchain``, with two seeds: nothing, and each of its instruments alone."""
    (instruments, first), (_, second) = (_study(overrides, seed) for seed in seeds)
    one, two = ((levels[:, 1:], np.broadcast_to(levels[:, :1], levels[:, 1:].shape)) for levels in (first, second))
    treated, base = (np.concatenate(both) for both in zip(one, two, strict=True))
    interval = stats.bootstrap(
        (*one, *two), _ratio, n_resamples=RESAMPLES, paired=True, axis=0, method="BCa", random_state=np.random.default_rng(SEED)
    ).confidence_interval
    independent = Intervals(_ratio(*one, *two), interval.low, interval.high, np.full(interval.low.shape, len(first)))
    return Gains(instruments, mean_intervals((treated - base) / base.mean(axis=0)), variance_ratios(treated, base), independent)
