"""Recalls: rare, heavy-tailed, traced to their origin if they can be, and remembered by users."""

from __future__ import annotations

import numpy as np

from agents.columns import Ints
from sim.month.orders import monthly_sales
from sim.month.propagation import escape_share, outgoing_dpu
from sim.sums import add_up
from sim.world import World

__all__ = ["recall_products", "trace_origin"]

#: Links up the chain that an investigation follows at most.
DEEPEST = 30


def recall_products(world: World) -> None:
    """Let some leaders recall products: how many, at what cost, who bears it, and what it does to reputations.

    The hazard grows with the defects that reach users. The size, as a share of a year's sales, is Pareto
    above a smallest one. With the probability of traceability the firm is found where the defects
    began; it bears the cost, up to so many months of its sales, and the leader the rest, next month.
    The leader's appeal to users falls, and at a share of that (`collective_share`) the appeal of its chain's other leaders.
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
    world.regulators.recalls[:] += rows.size
    cost = p.recall_cost * firms.recalled[rows] * (1.0 - firms.recall_ready[rows])
    found = world.draw_for("recall is traced", firms, rows) < p.traceability + (1.0 - p.traceability) * firms.records[rows]
    origin = np.where(found, trace_origin(world, rows), rows)
    firms.recalls_traced[:] += np.bincount(origin[found], minlength=firms.n)
    liable = np.where(origin == rows, cost, np.minimum(cost, p.recall_liability * monthly_sales(world)[origin]))
    firms.recall_due[:] += add_up(origin, liable, firms.n) + add_up(rows, cost - liable, firms.n)
    _lose_reputation(world, rows)


def _lose_reputation(world: World, rows: Ints) -> None:
    """Lower the appeal of leaders that recall, and at a share of that of the others on their chains."""
    firms, p = world.firms, world.parameters
    direct = world.for_firms(rows, p.recall_shock)
    on_chain = add_up(firms.chain, direct, world.chains.n)[firms.chain]
    firms.reputation[:] -= np.where(firms.is_leader & firms.alive, direct + p.collective_share * (on_chain - direct), 0.0)


def trace_origin(world: World, rows: Ints) -> Ints:
    """Follow the defects in firms' products back to a firm where they began, shape of `rows`.

    At each firm the trail goes to a supplier with the share of the outgoing defects that came with
    its deliveries (misfits included), or ends there with the share of the firm's own.
    """
    firms, links = world.firms, world.links
    at = rows.copy()
    gets_out, hidden = escape_share(world), firms.latent
    first = np.searchsorted(links.customer, np.arange(firms.n + 1))
    followed = np.arange(rows.size)
    for depth in range(DEEPEST):
        here = at[followed]
        own = ((1.0 - hidden[here]) * gets_out[here] + hidden[here]) * firms.own_dpu[here]
        each = first[here + 1] - first[here]
        trail = np.repeat(np.arange(here.size), each)
        link = np.arange(trail.size) - np.repeat(np.cumsum(each) - each, each) + first[here][trail]
        brought = gets_out[links.customer[link]] * links.passed_detectable[link] + links.passed_latent[link]
        total = own + add_up(trail, brought, here.size)
        pick = world.draw_for(f"trail of a recall {depth}", firms, rows[followed]) * total
        # Own defects come first on the line, then the deliveries in the order of the links.
        end = own[trail] + np.cumsum(brought) - np.repeat(np.concatenate([[0.0], np.cumsum(brought)])[np.cumsum(each) - each], each)
        begin = end - brought
        hit = (pick[trail] >= begin) & (pick[trail] < end) & (brought > 0)
        if not hit.any():
            break
        at[followed[trail[hit]]] = links.supplier[link[hit]]
        followed = followed[np.unique(trail[hit])]
    return at
