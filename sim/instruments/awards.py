"""Quality awards and their demonstration (质量奖)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.instruments.account import Account
from sim.instruments.delivery import RULES
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import take_after
from sim.parameters import parameter
from sim.sums import add_up
from sim.world import World

__all__ = ["Awards"]


@instrument("awards", dose="demonstration")
@dataclass(frozen=True, kw_only=True)
class Awards(Instrument):
    """A jury gives awards to the best firms; other firms of their chain follow their example (质量奖, 市长质量奖, 奖补).

    The jury prefers the firms with the fewest defects, as far as it can see them (targeting `best_first`). So winners were already better
    before they won, and a comparison of winners with losers measures the choice of the jury. Winners get the prize, in the order of the
    awards and as far as the budget goes, and nothing else. While the programme runs, the other firms of a chain close part of the gap
    between their own management and the mean of the chain's winners.

    Cost: government pays the prizes.
    Ends: the example that winners set.
    Stays: the prizes, and what other firms learnt, which fades like all practice.
    Practice: Jiaxing paid 3.1 M CNY in awards and subsidies and named 19 mayor's award firms (F215, F214). Effects are assumptions.
    """

    label: ClassVar[str] = "quality awards"
    label_zh: ClassVar[str] = "质量奖"
    theme: ClassVar[Theme] = Theme.OTHER
    hinges_on: ClassVar[str] = "instruments.awards.demonstration"
    doses_shown: ClassVar[tuple[float, ...]] = (0.001, 0.005, 0.01, 0.02, 0.03)
    counted: ClassVar[dict[str, str]] = {"prizes": "prizes paid to winners"}

    reach: float = parameter(0.02, 0.0, 1.0, "share", "assumption: few firms get an award", "N", "share of the eligible firms that win")
    targeting: str = field(default="best_first", metadata={"unit": "1", "choices": RULES, "meaning": "which firms the jury prefers"})
    demonstration: float = parameter(
        0.001,
        0.0,
        0.1,
        "1/month",
        "assumption: five times what spreads without help, which is almost nothing (Bloom et al. 2020)",
        "N",
        "share of the gap to the winners of its chain that a firm of full absorptive capacity closes",
    )
    prize: float = parameter(
        163_000.0, 0.0, 1e8, "CNY/firm", "F215/F214: 3.1 M CNY over 19 winners, other subsidies included: at most", "D", "prize of a winner"
    )

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` pays the prize."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Pay the winners of the month, and let other firms follow the example of all winners of their chain."""
        paid = programme.fresh[self.prize * np.arange(1, programme.fresh.size + 1) <= programme.left]
        programme.grant(world, world.for_firms(paid, self.prize))
        programme.counts["prizes"] += int(paid.size)
        firms, n = world.firms, world.chains.n
        won = np.zeros(firms.n, dtype=np.bool_)
        won[rows] = True
        winners = np.bincount(firms.chain[rows], minlength=n)
        mean = add_up(firms.chain[rows], firms.capability[rows, MANAGEMENT], n) / np.maximum(winners, 1)
        others = np.flatnonzero(firms.alive & ~won & (winners > 0)[firms.chain])
        take_after(world, others, mean[firms.chain[others]], self.demonstration)
