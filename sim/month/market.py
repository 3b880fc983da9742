"""The market: users remember quality and recalls, and choose between leaders.

In terms of ODD+D: users remember a product's defects of past months, less and less, and its recalls. They ignore
the leader's suppliers, and prices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.month.propagation import outgoing_dpu
from sim.sums import add_up
from sim.world import World

__all__ = ["appeal", "market"]


def appeal(world: World) -> NDArray[np.float64]:
    """Appeal of leaders' products to users, relative to the start, shape (n,): 1 where nothing has changed.

    ``exp(-β · ln((brand + unnoticed) / (brand at the start + unnoticed)) + reputation)``: a logit in
    the logarithm of the defects that users remember, and in the effect of recalls.
    """
    firms, p = world.firms, world.parameters
    worse = np.log((firms.brand + p.unnoticed_dpu) / (firms.brand_start + p.unnoticed_dpu))
    return np.exp(np.clip(firms.reputation + firms.mark - p.quality_elasticity * worse, -20.0, 20.0))


def market(world: World) -> None:
    """Move final demand towards the leaders whose products have more appeal.

    Leaders of one sector sell one product. Each gets a share of its users by a logit between the leaders
    (the orders of users at the start are its constant). The demand for the product as a whole changes with the mean
    appeal to the power of `whole_elasticity`. Demand adjusts gradually.
    """
    firms, p = world.firms, world.parameters
    leads = firms.is_leader & firms.alive
    firms.brand = np.where(leads, p.brand_memory * firms.brand + (1.0 - p.brand_memory) * outgoing_dpu(world), firms.brand)
    weight = np.where(leads, firms.demand_start, 0.0)
    sectors = len(world.network.sectors)
    drawn = weight * appeal(world)
    before, now = (add_up(firms.sector, x, sectors) for x in (weight, drawn))
    mean = np.divide(now, before, out=np.ones(sectors), where=before > 0)
    wanted = drawn * (mean ** (p.whole_elasticity - 1.0))[firms.sector]
    firms.final_demand[:] += np.where(leads, p.demand_speed * (wanted - firms.final_demand), 0.0)
