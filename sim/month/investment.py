"""Firms invest in quality: in which capability, whether it seems to pay, and with which money.

In terms of ODD+D: a firm decides alone, about once a year. It knows its own defects of this month,
its problems, its capabilities, and the part of its cost of poor quality that it sees. It assumes that every
defect costs the average of what it sees, and that future months are like this one. It judges each of the
four capabilities with a separate random error. It ignores what its defects cost others beyond charge-back, what
others will do, and that practice decays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats, Ints
from agents.firm import KINDS, MANAGEMENT, METROLOGY, STANDARDS, TESTING
from agents.lender import ORDINARY, STRONG_CHAIN
from agents.streams import normal
from sim.month.credit import approved, grant, interest_on, room_for_credit
from sim.month.inspection import detection_parts
from sim.month.learning import teach
from sim.month.orders import monthly_sales
from sim.month.problems import months_to_solve, problem_pressure
from sim.month.quality_cost import cost_per_defect
from sim.sums import add_up
from sim.world import World

__all__ = ["defects_avoided", "invest", "investment_cost", "perceived_saving"]


def investment_cost(world: World) -> Floats:
    """Cost of one step of any capability: a fixed part and a share of yearly revenue, CNY, shape (n,)."""
    p = world.parameters
    return p.invest_fixed + p.invest_share * 12.0 * monthly_sales(world)


def defects_avoided(world: World, rows: Ints) -> Floats:
    """Defects per unit that a full unit of each capability avoids at the margin, as firms see it, shape (rows, 4).

    Each capability prevents problems of its kind, which would stay until solved. Management also lowers
    defects from common causes (``κ`` times these). Metrology and testing raise what final inspection
    finds. Standards avoid interface defects where the firm's own standards are the weaker side.
    """
    firms, p = world.firms, world.parameters
    avoided = p.severity * problem_pressure(world)[rows] * months_to_solve(world)[rows, None]
    avoided[:, MANAGEMENT] += p.management_effect * (firms.own_dpu - firms.own_special)[rows]
    finds, leaves = detection_parts(world)
    inspected = (firms.inspection * firms.before_final)[rows]
    avoided[:, METROLOGY] += inspected * finds[rows] * p.metrology_loss
    avoided[:, TESTING] += inspected * leaves[rows] * max(p.detection_high - p.detection_low, 0.0)
    avoided[:, STANDARDS] += p.interface_dpu * _bought_at_own_standard(world, rows)
    return avoided


def _bought_at_own_standard(world: World, rows: Ints) -> Floats:
    """Value share of inputs from suppliers whose standards are at least those of the firm itself, shape (rows,)."""
    firms, links = world.firms, world.links
    buyer = np.zeros(firms.n, dtype=np.bool_)
    buyer[rows] = True
    inputs = np.flatnonzero(buyer[links.customer])
    supplier, customer = links.supplier[inputs], links.customer[inputs]
    standards = firms.capability[:, STANDARDS]
    share = links.value_share[inputs] * (standards[customer] <= standards[supplier])
    return add_up(customer, share, firms.n)[rows]


def perceived_saving(world: World, rows: Ints) -> Floats:
    """CNY a month that one step of each capability seems to save some firms, shape (rows, 4)."""
    firms, p = world.firms, world.parameters
    step = (p.invest_step * firms.absorptive[rows])[:, None] * (1.0 - firms.capability[rows])
    return cost_per_defect(world)[rows, None] * defects_avoided(world, rows) * step


def _judge(world: World, reviews: NDArray[np.bool_]) -> tuple[Ints, Floats]:
    """The kind of capability that seems to save most, and the expected saving over the horizon, for firms that review; shape (n,)."""
    firms, p = world.firms, world.parameters
    rows = np.flatnonzero(reviews)
    noise = normal(world.draw_for("judges its quality", firms, rows, len(KINDS)))
    saving = perceived_saving(world, rows) * np.exp(p.judgement * noise)
    best = np.zeros(firms.n, dtype=np.int64)
    best[rows] = saving.argmax(axis=1)
    return best, world.for_firms(rows, p.horizon * saving.max(axis=1, initial=0.0))


def invest(world: World) -> None:
    """Let firms that review their quality take the step that seems to save most, if it pays within the horizon and they can pay for it.

    A firm pays from cash above a reserve, and the rest by a bank loan. Without a bank loan it uses a strong-chain
    loan, if it has a credit line and the bank agrees, given the guarantee. Else the firm is bound
    by credit and waits. Interest is part of the cost. Firms judge the saving of each kind with a separate error.
    """
    firms, p = world.firms, world.parameters
    reviews = (world.draw("reviews its quality", firms) < p.review_hazard) & firms.alive
    best, saving = _judge(world, reviews)
    cost = investment_cost(world)
    missing = np.maximum(cost - np.maximum(firms.cash - p.reserve * monthly_sales(world), 0.0), 0.0)
    worth = reviews & (saving > cost)
    by_bank = worth & (saving > cost + missing * interest_on(world))
    by_programme = worth & (saving > cost + missing * interest_on(world, firms.rate_discount))

    from_cash = worth & (missing == 0.0)
    from_bank = by_bank & ~from_cash & (missing <= room_for_credit(world)) & approved(world)
    line = np.maximum(firms.programme_line - firms.programme_debt, 0.0)
    from_programme = by_programme & ~from_cash & ~from_bank & (missing <= line) & approved(world, firms.guaranteed)
    invests = from_cash | from_bank | from_programme
    firms.credit_bound = np.where(reviews, (by_bank | by_programme) & ~invests, firms.credit_bound)

    grant(world, ORDINARY, np.where(from_bank, missing, 0.0))
    grant(world, STRONG_CHAIN, np.where(from_programme, missing, 0.0))
    firms.investment = np.where(invests, cost, 0.0)
    firms.prevention[:] += firms.investment
    world.firms_pay("households", "quality investment", firms.investment)
    done = np.flatnonzero(invests)
    of = best[done]
    teach(world, done, of, p.invest_step)
