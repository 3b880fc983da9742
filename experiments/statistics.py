"""Paired effects and their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

__all__ = ["Interval", "mean_interval"]


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval; not a number where there is nothing to estimate it from."""

    mean: float
    low: float
    high: float
    n: int


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Return the mean of independent values with its t interval.

    Parameters
    ----------
    values : array, shape (replicates,)
        For a paired effect the differences on the same luck. Values that are no number (a
        group that has no firm in some replicate) are left out.
    level : float
        Confidence level.

    Notes
    -----
    With fewer than two values the interval is unknown: its ends are not a number.
    """
    x = np.asarray(values, dtype=np.float64)
    x = x[~np.isnan(x)]
    if not x.size:
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(x.mean())
    if x.size < 2:
        return Interval(mean, np.nan, np.nan, 1)
    half = float(stats.t.ppf(0.5 + level / 2.0, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size))
    return Interval(mean, mean - half, mean + half, int(x.size))
