"""Users order less, or more (需求变动)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agents.columns import Ints
from sim.parameters import names, parameter
from sim.shocks.shock import Shock, shock
from sim.shocks.whom import firms_of_chains, some_sellers
from sim.world import World

__all__ = ["Demand"]


@shock("demand")
@dataclass(frozen=True, kw_only=True)
class Demand(Shock):
    """Users order less for some months, and then as much as before.

    The orders of users of the firms struck fall by the size, a share; a negative size raises them. Leaders order less from their
    suppliers a month later, these from theirs another month later, and so on. What users think of the products does not change, and
    what they do not order they do not order later.
    """

    label: ClassVar[str] = "a fall of demand"
    label_zh: ClassVar[str] = "需求下降"

    size: float = parameter(
        0.2, -1.0, 1.0, "share", "assumption", "N", "share of users' orders that is not placed; below 0 a rise, at most a doubling"
    )
    months: int | None = parameter(6, 1, 12_000, "months", "assumption", "N", "months for which it lasts; none means to the end of the run")
    firms: tuple[str, ...] = names(
        (), "leaders whose users order less: names, or largest_leader; all leaders of the chains if none is named"
    )
    chains: tuple[str, ...] = names((), "chains whose users order less, by name; all if none is named")

    def whom(self, world: World) -> Ints:
        """The firms whose users order less."""
        among = firms_of_chains(world, self.chains, "shocks.demand.chains")
        return some_sellers(world, self.firms, among, "shocks.demand.firms")

    def act(self, world: World, rows: Ints) -> None:
        """Take away a part of users' orders; of several shocks each acts on what the others leave."""
        lost = world.firms.demand_lost
        lost[rows] = 1.0 - (1.0 - lost[rows]) * (1.0 - self.size)
