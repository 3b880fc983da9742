"""Recalls are rare, have heavy-tailed sizes, are traced to their origin if possible, and users remember them."""

from __future__ import annotations

import numpy as np

from agents.columns import Ints
from sim.month.orders import monthly_sales
from sim.month.propagation import escape_share, outgoing_dpu
from sim.sums import add_up
from sim.world import World

__all__ = ["recall_products", "trace_origin"]

#: Most links that an investigation follows.
DEEPEST = 30


def recall_products(world: World) -> None:
    """Let some leaders recall products: how many, at what cost, who bears it, and the effect on reputations.

    The hazard grows with the defects that reach users. The size, as a share of a year's sales, is Pareto
    above a smallest size. Traceability is the probability that the firm is identified where the defects
    began. That firm bears the cost next month, up to `recall_liability` months of its sales, and the leader bears the rest.
    The leader's appeal to users falls. The appeal of the other leaders of its chain falls by a share of this (`collective_share`).
    """
    firms, p = world.firms, world.parameters
    firms.reputation[:] *= p.reputation_memory
    hazard = -np.expm1(-p.recall_rate * outgoing_dpu(world))
    sells = firms.is_leader & firms.alive & (firms.to_users > 0)
    rows = np.flatnonzero(sells & (world.draw("recall", firms) < hazard))
    if not rows.size:
        return
    u = world.draw_for("size of a recall", firms, rows)
    share = np.minimum(p.recall_size * (1.0 - u) ** (-1.0 / p.recall_tail), 1.0)
    firms.recalls[rows] = 1
    firms.recalled[rows] = share * 12.0 * firms.to_users[rows]
    world.regulators.recalls[:] += np.bincount(firms.region[rows], minlength=world.regions)
    cost = p.recall_cost * firms.recalled[rows] * (1.0 - firms.recall_ready[rows])
    traced = world.draw_for("recall is traced", firms, rows) < p.traceability + (1.0 - p.traceability) * firms.records[rows]
    origin = np.where(traced, trace_origin(world, rows), rows)
    firms.recalls_traced[:] += np.bincount(origin[traced], minlength=firms.n)
    liable = np.where(origin == rows, cost, np.minimum(cost, p.recall_liability * monthly_sales(world)[origin]))
    firms.recall_due[:] += add_up(origin, liable, firms.n) + add_up(rows, cost - liable, firms.n)
    _lose_reputation(world, rows)


def _lose_reputation(world: World, rows: Ints) -> None:
    """Lower the appeal of leaders that recall, and by a share of this the appeal of the other leaders of their chains."""
    firms, p = world.firms, world.parameters
    direct = world.for_firms(rows, p.recall_shock)
    on_chain = add_up(firms.chain, direct, world.chains.n)[firms.chain]
    firms.reputation[:] -= np.where(firms.is_leader & firms.alive, direct + p.collective_share * (on_chain - direct), 0.0)


def trace_origin(world: World, rows: Ints) -> Ints:
    """Follow the defects in firms' products back to a firm where they began, shape of `rows`.

    At each firm the trail goes on to a supplier with a probability equal to the share of the outgoing defects that came with
    its deliveries (interface defects included). It ends there with a probability equal to the share of the firm's own defects.
    """
    firms, links = world.firms, world.links
    at = rows.copy()
    gets_out, hidden = escape_share(world), firms.latent
    first = np.searchsorted(links.customer, np.arange(firms.n + 1))
    followed = np.arange(rows.size)
    for depth in range(DEEPEST):
        firm = at[followed]
        own = ((1.0 - hidden[firm]) * gets_out[firm] + hidden[firm]) * firms.own_dpu[firm]
        suppliers = first[firm + 1] - first[firm]
        trail_of = np.repeat(np.arange(firm.size), suppliers)
        link = np.arange(trail_of.size) - np.repeat(np.cumsum(suppliers) - suppliers, suppliers) + first[firm][trail_of]
        brought = gets_out[links.customer[link]] * links.passed_detectable[link] + links.passed_latent[link]
        total = own + add_up(trail_of, brought, firm.size)
        pick = world.draw_for(f"trail of a recall {depth}", firms, rows[followed]) * total
        # Own defects come first on the line, then the deliveries in the order of the links.
        end = (
            own[trail_of]
            + np.cumsum(brought)
            - np.repeat(np.concatenate([[0.0], np.cumsum(brought)])[np.cumsum(suppliers) - suppliers], suppliers)
        )
        begin = end - brought
        hit = (pick[trail_of] >= begin) & (pick[trail_of] < end) & (brought > 0)
        if not hit.any():
            break
        at[followed[trail_of[hit]]] = links.supplier[link[hit]]
        followed = followed[np.unique(trail_of[hit])]
    return at
