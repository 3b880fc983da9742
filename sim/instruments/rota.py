"""Rota: the month in which each firm has its turn, once in a number of months."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.world import World

__all__ = ["in_turn"]


def in_turn(world: World, key: str, start: int, every: int) -> NDArray[np.bool_]:
    """Firms whose turn it is this month, shape (n,): each once in `every` months, about the same number in every month.

    Parameters
    ----------
    world : World
    key : str
        The instrument; a firm's turns at two instruments are independent.
    start : int
        Month of the first turn.
    every : int
        Months from one turn of a firm to its next.
    """
    turn: NDArray[Any] = np.floor(every * world.draw_lasting(f"{key}: whose turn", world.firms))
    return turn == (world.month - start) % every
