"""Rota: firms that come in turn, once in so many months each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.world import World

__all__ = ["in_turn"]


def in_turn(world: World, key: str, start: int, every: int) -> NDArray[np.bool_]:
    """Firms whose turn it is this month, shape (n,): each once in `every` months, about as many in one month as in another.

    Parameters
    ----------
    world : World
    key : str
        Whose rota; a firm's turns at two instruments have nothing to do with each other.
    start : int
        Month of the first turn.
    every : int
        Months from one turn of a firm to its next.
    """
    turn: NDArray[Any] = np.floor(every * world.streams.uniform(f"{key}: whose turn", 0, world.firms.n))
    return turn == (world.month - start) % every
