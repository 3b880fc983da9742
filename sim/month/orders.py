"""Orders travel up the chain, one link a month (Leontief's quantity system, lagged)."""

from __future__ import annotations

from sim.world import World

__all__ = ["ship_and_order"]


def ship_and_order(world: World) -> None:
    """Ship what was ordered last month; order inputs for what was ordered from oneself.

    ``q_j = F_j + Σ_i a_ji · q_i · (1 + scrap_i)`` in CNY a month: a customer that scraps part
    of its output has to buy that much more.
    """
    firms, links = world.firms, world.links
    firms.output = firms.orders
    needed = (firms.output * (1.0 + firms.scrap))[links.customer]
    firms.orders = firms.final_demand + world.by_supplier(links.value_share * needed)
