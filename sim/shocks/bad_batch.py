"""One bad batch leaves a firm (问题批次)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.columns import Ints
from sim.parameters import names, parameter
from sim.shocks.shock import Shock, shock
from sim.shocks.whom import RULES, firms_of_chains, one_firm
from sim.world import World

__all__ = ["BadBatch"]


@shock("bad_batch")
@dataclass(frozen=True, kw_only=True)
class BadBatch(Shock):
    """A firm makes more defects for a month, and they travel as all defects do.

    Its own defects rise by the size, in defects per unit of its output, as a special cause. A share of them is latent: no inspection finds
    these, but reliability tests make a part of them detectable, as of other latent defects. The rest is found by its final inspection,
    by the goods-in inspection of its customers, further on, or by users. Firms do not know of it before they find defects.

    Nothing else is set: ratings, inspection, charge-back, recalls and users' memory react as to any other defects.
    """

    label: ClassVar[str] = "a bad batch"
    label_zh: ClassVar[str] = "问题批次"

    size: float = parameter(
        0.05, 0.0, 10.0, "defects/unit", "assumption: one unit in twenty", "N", "own defects that it adds per unit of the firm's output"
    )
    months: int | None = parameter(1, 1, 12_000, "months", "assumption: one batch", "N", "months for which it is made")
    latent: float = parameter(0.2, 0.0, 1.0, "share", "assumption", "N", "share of the added defects that no inspection finds")
    firm: str = names("largest_supplier", f"the firm that makes it: its name, or one of {', '.join(RULES)}")
    chains: tuple[str, ...] = names((), "names of chains among whose firms the rule chooses; all if none is named")

    def whom(self, world: World) -> Ints:
        """The one firm that makes it."""
        among = firms_of_chains(world, self.chains, "shocks.bad_batch.chains")
        return np.array([one_firm(world, self.firm, among, "shocks.bad_batch.firm")])

    def act(self, world: World, rows: Ints) -> None:
        """Add own defects, of which a share is latent."""
        world.firms.shock_defects[rows] = self.size
        world.firms.shock_latent[rows] = self.latent
