"""What pages on doses share: an effect with its interval, what may be said of it, how it is written."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from experiments.analysis.statistics import shown_intervals
from sim import INSTRUMENTS

__all__ = ["VERDICTS", "Effect", "default_dose", "mean_effect", "verdict", "written"]

#: A mean with its 95 % interval: middle, low, high.
Effect = tuple[float, float, float]
VERDICTS = {
    "lower": "fewer defects reach users",
    "higher": "**harmful: more defects reach users**",
    "open": "no effect shown: the interval holds 0",
    "nothing": "exactly nothing",
    "unknown": "not known: one replicate gives no interval",
}


def verdict(effect: Effect) -> str:
    """Judge an effect by its 95 % interval: lower, higher, open (it holds 0), nothing (exactly), or unknown."""
    middle, low, high = effect
    if middle == 0.0 and not (low < 0.0 or high > 0.0):
        return "nothing"
    if np.isnan(low):
        return "unknown"
    return "lower" if high < 0.0 else "higher" if low > 0.0 else "open"


def mean_effect(values: ArrayLike) -> Effect:
    """Return the mean of paired differences, one a replicate, with its 95 % interval."""
    found, _ = shown_intervals(np.asarray(values, dtype=np.float64)[:, None])
    return float(found.mean[0]), float(found.low[0]), float(found.high[0])


def written(effect: Effect) -> str:
    """Write an effect with its interval; exactly nothing as 0."""
    if verdict(effect) == "nothing":
        return "0"
    return f"{effect[0]:+.2f}" + ("" if np.isnan(effect[1]) else f" [{effect[1]:+.2f}, {effect[2]:+.2f}]")


def default_dose(key: str) -> float:
    """Return the default of the lever that is an instrument's dose."""
    return INSTRUMENTS[key]().level
