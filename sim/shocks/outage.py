"""A firm cannot deliver (断供)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.columns import Ints
from sim.parameters import names, parameter
from sim.shocks.shock import Shock, shock
from sim.shocks.whom import RULES, firms_of_chains, one_firm
from sim.world import World

__all__ = ["Outage"]


@shock("outage")
@dataclass(frozen=True, kw_only=True)
class Outage(Shock):
    """A firm delivers only a part of its orders for some months.

    It makes, and is paid for, only what it delivers. Orders that it does not deliver are lost: they are not delivered later, and no
    customer changes its supplier because of it. Customers use their stock, then buy at short notice outside the network, at the firm's
    price and with the defects of its goods; nobody in the network answers for defects in these. So they go on, except where the input is
    essential to them (column `essential` of a network file): then they deliver as much less a month later, and so on towards the leaders.
    The firm itself orders less from its suppliers.
    """

    label: ClassVar[str] = "an outage of a supplier"
    label_zh: ClassVar[str] = "断供"

    size: float = parameter(1.0, 0.0, 1.0, "share", "assumption: it stops", "N", "share of its orders that it does not deliver")
    months: int | None = parameter(3, 1, 12_000, "months", "assumption", "N", "months for which it lasts; none means to the end of the run")
    firm: str = names("largest_supplier", f"the firm that cannot deliver: its name, or one of {', '.join(RULES)}")
    chains: tuple[str, ...] = names((), "names of chains among whose firms the rule chooses; all if none is named")

    def whom(self, world: World) -> Ints:
        """The one firm that cannot deliver."""
        among = firms_of_chains(world, self.chains, "shocks.outage.chains")
        return np.array([one_firm(world, self.firm, among, "shocks.outage.firm")])

    def act(self, world: World, rows: Ints) -> None:
        """Keep a part of the orders from being delivered."""
        world.firms.outage[rows] = self.size
