"""Firms adopt chief quality officers and certificates without a programme, and drop them.

In terms of ODD+D: a firm imitates other firms of its chain, if adoption seems to pay by a rule of thumb. It
knows the share of the chain's firms that have adopted, its own sales, and the part of its cost of poor
quality that it sees. It ignores whether adoption pays at other firms, and future programmes. Imitation gives the
logistic curve of adoption; the cost keeps some firms from adopting.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.month.learning import teach
from sim.month.orders import monthly_sales
from sim.month.quality_cost import borne, cqo_cost, seen_share
from sim.sums import add_up
from sim.world import World

__all__ = ["adopt_and_drop", "certificate_pays", "officer_pays"]

Mask = NDArray[np.bool_]


def officer_pays(world: World) -> Mask:
    """Firms for which an officer seems to save more than it costs (after subsidy), by the cost that they see now, shape (n,)."""
    firms, p = world.firms, world.parameters
    seen = seen_share(world) * np.maximum(borne(world), 0.0)
    return p.officer_saving * seen > cqo_cost(world) * (1.0 - firms.cqo_subsidy)


def certificate_pays(world: World) -> Mask:
    """Firms for which a certificate seems to bring more in sales over its term than it costs, shape (n,)."""
    p = world.parameters
    return p.certificate_worth * monthly_sales(world) * p.certificate_months > p.certificate_cost


def _imitation(world: World, adopters: Mask) -> NDArray[np.float64]:
    """Hazard of adoption, given the share of the chain's firms that have adopted, shape (n,)."""
    firms, p = world.firms, world.parameters
    n = world.chains.n
    total = add_up(firms.chain, firms.alive, n)
    having = add_up(firms.chain, adopters & firms.alive, n)
    share = np.divide(having, total, out=np.zeros(n), where=total > 0)
    return (p.adoption_alone + p.adoption_imitation * share)[firms.chain]


def adopt_and_drop(world: World) -> None:
    """One month of voluntary adoption and loss: officers, then certificates."""
    _officers(world)
    _certificates(world)


def _officers(world: World) -> None:
    firms, p = world.firms, world.parameters
    pays = officer_pays(world)
    hires = ~firms.cqo & pays & (world.draw("hires an officer", firms) < _imitation(world, firms.cqo)) & firms.alive
    loses = firms.cqo & (world.draw("loses its officer", firms) < np.where(pays, p.officer_loss, p.officer_loss + p.dropping))
    firms.cqo = (firms.cqo | hires) & ~loses


def _certificates(world: World) -> None:
    """Certificates expire; firms for which they pay renew most of them; other firms imitate and get their first one."""
    firms, p = world.firms, world.parameters
    pays = certificate_pays(world)
    firms.certificate_left = np.maximum(firms.certificate_left - 1, 0)
    due = firms.certified & (firms.certificate_left == 0)
    renews = due & pays & (world.draw("renews its certificate", firms) >= p.certificate_loss) & firms.alive
    first = ~firms.certified & pays & (world.draw("gets a certificate", firms) < _imitation(world, firms.certified)) & firms.alive
    firms.certified = (firms.certified & ~due) | renews | first
    firms.certificate_left[renews | first] = p.certificate_months
    cost = np.where(renews | first, p.certificate_cost, 0.0)
    firms.prevention[:] += cost
    world.firms_pay("households", "certificates", cost)
    teach(world, np.flatnonzero(first), MANAGEMENT, p.certificate_substance)
