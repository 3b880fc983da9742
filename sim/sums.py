"""Sums and positions by place: over the firms of a sector, the links of a firm, the loans of a kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats, Ints

__all__ = ["add_up", "positions"]


def add_up(places: NDArray[np.integer], amounts: NDArray[Any], n: int = 0) -> Floats:
    """Add up amounts by place.

    Parameters
    ----------
    places : int array, shape (k,)
        Place of each amount: 0 or more.
    amounts : array, shape (k,)
        Numbers, or a mask whose true entries are counted.
    n : int
        Number of places, if it may be larger than the last place in `places` says.

    Returns
    -------
    array, shape (n,)
        0 at a place without amounts. Added in the order of `amounts`, so that the same amounts give the same bits.
    """
    summed: Any = np.bincount(places, amounts, minlength=n)  # NumPy's type hints say whole numbers, whatever is added
    return summed


def positions(places: NDArray[np.integer]) -> Ints:
    """Count up within runs of equal places, from 0: shape of `places` (k,), which are sorted."""
    return np.arange(places.size) - np.searchsorted(places, places)
