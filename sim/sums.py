"""Sums by place: what firms have together by sector, links by firm, loans by kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats

__all__ = ["add_up"]


def add_up(places: NDArray[np.integer], amounts: NDArray[Any], n: int = 0) -> Floats:
    """Add up amounts by place.

    Parameters
    ----------
    places : int array, shape (k,)
        Where each amount belongs: 0 or more.
    amounts : array, shape (k,)
        Numbers, or a mask of what is to be counted.
    n : int
        Number of places, if some may lie beyond the last that is named.

    Returns
    -------
    array, shape (n,)
        0 where nothing belongs. Added in the order of `amounts`, so that the same amounts give the same bits.
    """
    summed: Any = np.bincount(places, amounts, minlength=n)  # NumPy's own types promise whole numbers, whatever is added
    return summed
