"""The account of a programme: whom it has reached, what it has spent, what it has delivered in one run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from sim.instruments.delivery import Delivery
from sim.world import World

__all__ = ["Account"]


@dataclass
class Account:
    """What an instrument sees of its programme in one run, and the money that it spends.

    Attributes
    ----------
    region : int
        Index of the region whose government runs it; its firms are those of this region.
    reached : int array
        Rows of the firms that take part, in the order in which they were taken on.
    since : int array
        Months in which these were taken on.
    fresh : int array
        Rows of the firms taken on in its last month.
    spent : float
        CNY that government has spent on it.
    awards : list of (month, firms)
        How many firms it took on, month by month.
    counts : dict of str to int
        What it delivered so far, in its own units: visits, seats, samples, certificates, projects, ….
    gone : int
        How many of the firms that took part have left the market; an entrant in their place can be taken on again.
    """

    instrument: Delivery
    region: int = 0
    reached: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    since: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    fresh: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    spent: float = 0.0
    awards: list[tuple[int, int]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    closed: bool = False
    _first: dict[str, int] = field(default_factory=dict)

    def count_on(self, name: str, so_far: int) -> None:
        """Count by how much a running total has risen since the programme first read it."""
        self.counts[name] = so_far - self._first.setdefault(name, so_far)

    def spend(self, world: World, payee: str, amounts: Floats) -> None:
        """Spend programme money on firms: CNY by firm, shape (n,). Never more than is left."""
        self._note(world, amounts)
        world.books.pay("government", payee, self.instrument.key, float(amounts.sum()))

    def grant(self, world: World, amounts: Floats) -> None:
        """Pay programme money out to firms: CNY by firm, shape (n,). Never more than is left."""
        self._note(world, amounts)
        world.pay_firms("government", self.instrument.key, amounts)

    def _note(self, world: World, amounts: Floats) -> None:
        """Record what is spent: by firm, by chain head, and in total."""
        total = float(amounts.sum())
        if total > self.left * (1 + 1e-12):
            raise ValueError(f"{self.instrument.key} cannot spend {total} CNY; {self.left} are left")
        world.firms.government_cost[:] += amounts
        world.credit_chain_heads("spent", amounts)
        self.spent += total

    @property
    def left(self) -> float:
        """What is left of the budget, CNY (infinite without a budget)."""
        budget = self.instrument.budget
        return float("inf") if budget is None else max(0.0, budget - self.spent)
