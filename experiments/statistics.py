"""Paired effects and their intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

__all__ = ["Intervals", "mean_intervals"]


class Intervals(NamedTuple):
    """Means with their confidence intervals, arrays of one shape; not a number where unknown."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]


def mean_intervals(values: ArrayLike, level: float = 0.95) -> Intervals:
    """Return means over the first axis with their t intervals.

    Parameters
    ----------
    values : array, shape (replicates, …)
        Independent along the first axis; for a paired effect the differences on the same
        luck. Values that are no number (a group that has no firm in some replicate) are left out.
    level : float
        Confidence level.

    Notes
    -----
    Of fewer than two values the mean is known at best, the interval is not.
    """
    x = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(x)
    n = known.sum(axis=0)
    mean = np.divide(np.where(known, x, 0.0).sum(axis=0), n, out=np.full(x.shape[1:], np.nan), where=n > 0)
    squares = np.where(known, (x - mean) ** 2, 0.0).sum(axis=0)
    variance = np.divide(squares, n - 1, out=np.full(x.shape[1:], np.nan), where=n > 1)
    half = stats.t.ppf(0.5 + level / 2.0, np.maximum(n - 1, 1)) * np.sqrt(variance / np.maximum(n, 1))
    return Intervals(mean, mean - half, mean + half, n)
