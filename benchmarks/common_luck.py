"""By what factor common luck cuts the variance of an effect, against what truly independent seeds give."""

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

__all__ = ["LOOKED_AT", "Gains", "gains"]

#: The outcomes that are looked at, the headline first.
LOOKED_AT = ("field_dpu", "nonconformity", "open_problems", "copq", "quality_cost")
#: Resamples of the bootstrap behind the intervals of `Gains.apart`, and where it starts.
RESAMPLES, SEED = 1999, 1
#: Workers: the cores of the machine that the figures of README.md are from.
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
        As a study tells it: the variances of both arms, on common luck, over the variance of the paired effect.
    apart : Intervals
        As it is: the variance of the difference between one study's arm and the other study's reference, over the same.
    """

    instruments: tuple[str, ...]
    effect: Intervals
    paired: Intervals
    apart: Intervals


def _levels(world: WorldSettings, instruments: Sequence[Instrument], key: tuple[int, int], months: int, window: int) -> Levels:
    """Outcomes of one replicate over the last months, shape (arms, outcomes): nothing, then each instrument alone."""
    ready = world.build(key)
    found = []
    for policy in ((), *((ins,) for ins in instruments)):
        model = copy.deepcopy(ready)
        model.adopt(policy)
        model.run(months)
        found.append(model.record.mean(window)[[model.record.outcomes.index(name) for name in LOOKED_AT], 0])
    return np.stack(found)


def _study(words: Sequence[str], seed: int) -> tuple[tuple[str, ...], Levels]:
    """Instruments and levels of a study, shape (replicates, arms, outcomes)."""
    config = compose_settings(words)
    settings = read_settings(config)
    each = Parallel(n_jobs=WORKERS)(
        delayed(_levels)(settings.world, settings.instruments, key, config.months, config.window)
        for key in replicate_keys(seed, settings.replicates)
    )
    return tuple(ins.key for ins in settings.instruments), np.stack(each)


def _ratio(treated: Levels, base: Levels, other_treated: Levels, other_base: Levels, axis: int = 0) -> Levels:
    """Variance of differences across two studies over that of differences within each; any replicate may meet any other."""
    across = (treated - other_base).var(axis=axis, ddof=1) + (other_treated - base).var(axis=axis, ddof=1)
    within = (treated - base).var(axis=axis, ddof=1) + (other_treated - other_base).var(axis=axis, ddof=1)
    return np.asarray(across / within)


def gains(words: Sequence[str], seeds: tuple[int, int] = (1, 2)) -> Gains:
    """Run the study that words describe, as typed after ``strongchain``, on two seeds: nothing, and each of its instruments alone."""
    (instruments, first), (_, second) = (_study(words, seed) for seed in seeds)
    one, two = ((levels[:, 1:], np.broadcast_to(levels[:, :1], levels[:, 1:].shape)) for levels in (first, second))
    treated, base = (np.concatenate(each) for each in zip(one, two, strict=True))
    found = stats.bootstrap(
        (*one, *two), _ratio, n_resamples=RESAMPLES, paired=True, axis=0, method="BCa", random_state=np.random.default_rng(SEED)
    ).confidence_interval
    apart = Intervals(_ratio(*one, *two), found.low, found.high, np.full(found.low.shape, len(first)))
    return Gains(instruments, mean_intervals((treated - base) / base.mean(axis=0)), variance_ratios(treated, base), apart)
