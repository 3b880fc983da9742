"""Chief quality officers (首席质量官)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.quality_cost import cqo_cost
from sim.parameters import parameter
from sim.world import World

__all__ = ["ChiefQualityOfficer"]


@instrument("cqo", dose="reach")
@dataclass(frozen=True, kw_only=True)
class ChiefQualityOfficer(Instrument):
    """Firms appoint a chief quality officer (首席质量官制度).

    A firm with an officer sees more of its cost of poor quality and solves its problems faster, and its practice fades more slowly. There
    is no causal estimate of how much faster; it is an assumption (`parameters.cqo_solving`).

    Cost: government and firm share the one-off cost of training for the post. The pay is a prevention cost of the firm; government can
    bear a part of it (`pay_subsidy`). Small firms share an officer.
    Ends: the subsidy of the pay.
    Stays: the officers; a firm whose officer costs more than he or she saves ends the post sooner.
    Practice: 37,900 firms in Guangdong (F033), every larger industrial firm in Langxi (F065), 347 officers in Jiaxing (F218). Effects are
    assumptions.
    """

    label: ClassVar[str] = "chief quality officers"
    label_zh: ClassVar[str] = "首席质量官"
    theme: ClassVar[Theme] = Theme.FIRMS
    treats: ClassVar[tuple[str, ...]] = KINDS
    hinges_on: ClassVar[str] = "parameters.cqo_solving"
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.25, 0.5, 0.75, 1.0)
    counted: ClassVar[dict[str, str]] = {
        "officers appointed": "chief quality officers appointed",
        "months with an officer": "months in which a firm of the programme had an officer, summed over firms",
    }

    unit_cost: float = parameter(
        5_000.0, 0.0, 1e6, "CNY/firm", "assumption: a training course for the post", "N", "one-off cost of taking on a firm"
    )
    government_share: float = parameter(
        1.0, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    pay_subsidy: float = parameter(
        0.0, 0.0, 1.0, "share", "assumption", "N", "share of the officer's pay that government bears while the programme runs"
    )

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Firms without an officer."""
        return super().eligible(world) & ~world.firms.cqo

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Appoint the officers."""
        world.firms.cqo[chosen] = True

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Subsidised part of the officers' pay; 0 where the officer has left."""
        return self.pay_subsidy * np.where(world.firms.cqo, cqo_cost(world), 0.0)[reached]

    def supported(self, world: World, reached: NDArray[np.int64], paid: NDArray[np.bool_]) -> None:
        """Where the budget is not enough, the firm pays its officer in full."""
        world.firms.cqo_subsidy[reached] = np.where(paid, self.pay_subsidy, 0.0)

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Count the officers."""
        programme.counts["officers appointed"] += int(programme.fresh.size)
        programme.counts["months with an officer"] += int(world.firms.cqo[rows].sum())

    def release(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """End the subsidies; the officers stay."""
        world.firms.cqo_subsidy[rows] = 0.0
