"""Orders travel up the chain, one link a month (Leontief's quantity system, lagged)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.world import World

__all__ = ["USUAL_MONTHS", "monthly_sales", "order_inputs", "ship_and_order"]

#: Months over which a firm's usual output is smoothed.
USUAL_MONTHS = 12.0


def ship_and_order(world: World) -> None:
    """Ship what was ordered last month, and order inputs.

    ``q_j = F_j + Σ_i a_ji · q_i · (1 + scrap_i)`` in CNY a month: a customer that scraps part
    of its output has to buy more. Of users' orders F a shock can take away a part.
    """
    firms, links = world.firms, world.links
    firms.output, links.delivered = firms.orders, links.ordered
    firms.to_users, firms.elsewhere = firms.users_ordered, firms.elsewhere_ordered
    if firms.outage.any() or firms.shortfall.any():
        _fall_short(world)
    firms.usual_output[:] += (firms.output - firms.usual_output) / USUAL_MONTHS
    order_inputs(world)


def _fall_short(world: World) -> None:
    """Deliver less where a shock, or an essential input that was not delivered last month, keeps a firm from it; the rest is not made.

    A shortage goes on only along links that lead nearer to the leaders, so that it ends on every loop.
    """
    firms, links = world.firms, world.links
    onward = links.essential & (links.value_share > 0) & (firms.tier[links.customer] < firms.tier[links.supplier])
    missing = np.zeros(firms.n)
    np.maximum.at(missing, links.customer[onward], firms.shortfall[links.supplier[onward]])
    firms.shortfall = np.maximum(firms.outage, missing)
    part = 1.0 - firms.shortfall
    firms.output = firms.output * part
    firms.to_users, firms.elsewhere = firms.to_users * part, firms.elsewhere * part
    links.delivered = links.delivered * part[links.supplier]


def order_inputs(world: World) -> None:
    """Place the orders for next month, from users and along links, according to this month's output.

    A member whose customers in the network order almost nothing sells elsewhere, up to a small part of
    its sales at the start.
    """
    firms, links = world.firms, world.links
    links.ordered = links.value_share * (firms.output * (1.0 + firms.scrap))[links.customer]
    firms.users_ordered = firms.final_demand * (1.0 - firms.demand_lost)
    in_network = firms.users_ordered + world.by_supplier(links.ordered)
    orphan = firms.alive & ~firms.is_leader
    firms.elsewhere_ordered = np.where(orphan, np.maximum(world.parameters.orphan_demand * firms.steady_orders - in_network, 0.0), 0.0)
    firms.orders = in_network + firms.elsewhere_ordered


def monthly_sales(world: World) -> NDArray[np.float64]:
    """Usual sales of a firm at its present price, CNY a month, shape (n,)."""
    return world.firms.usual_output * world.firms.price
