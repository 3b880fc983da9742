"""A new competitor comes (新竞争者)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.columns import Ints
from sim.month.market import appeal
from sim.parameters import names, parameter
from sim.shocks.shock import Shock, shock
from sim.shocks.whom import firms_of_chains, some_sellers
from sim.world import World

__all__ = ["Competitor"]


@shock("competitor")
@dataclass(frozen=True, kw_only=True)
class Competitor(Shock):
    """A competitor outside the network takes a part of the users of some leaders.

    Each of these leaders' users choose between its product and the competitor's by the logit of the market. With as few defects as the
    leader's product had at the start, the competitor takes the size, a share of their orders; with fewer defects it takes more. A leader
    whose users remember fewer defects than at the start keeps more of them, and one with a recall keeps fewer. What it takes is sold
    outside the network: its defects are not counted, and it has no suppliers here.

    ``taken = s · c / (s · c + (1 - s) · appeal)`` with the size s, the appeal of the leader, and that of the competitor, c.
    """

    label: ClassVar[str] = "a new competitor"
    label_zh: ClassVar[str] = "新竞争者"

    size: float = parameter(
        0.2, 0.0, 1.0, "share", "assumption", "N", "share of users' orders that it takes where both products are as good as at the start"
    )
    months: int | None = parameter(None, 1, 12_000, "months", "assumption: it stays", "N", "months for which it sells; none means for good")
    quality: float = parameter(
        1.0, 0.0, 10.0, "1", "assumption: as good", "N", "its defects per unit, as a multiple of those of the leader's product at the start"
    )
    firms: tuple[str, ...] = names(
        ("largest_leader",), "leaders whose users it serves: names, or largest_leader; with [] all leaders of the chains"
    )
    chains: tuple[str, ...] = names((), "names of chains whose leaders are meant; all if none is named")

    def whom(self, world: World) -> Ints:
        """The leaders whose users it serves."""
        among = firms_of_chains(world, self.chains, "shocks.competitor.chains")
        return some_sellers(world, self.firms, among, "shocks.competitor.firms")

    def act(self, world: World, rows: Ints) -> None:
        """Take its part of users' orders; of several shocks each acts on what the others leave."""
        firms, p = world.firms, world.parameters
        start = firms.brand_start[rows]
        worse = np.log((self.quality * start + p.unnoticed_dpu) / (start + p.unnoticed_dpu))
        own = self.size * np.exp(np.clip(-p.quality_elasticity * worse, -20.0, 20.0))
        taken = own / (own + (1.0 - self.size) * appeal(world)[rows])
        firms.demand_lost[rows] = 1.0 - (1.0 - firms.demand_lost[rows]) * (1.0 - taken)
