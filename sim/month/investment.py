"""Firms invest in quality: in what, whether it seems to pay, and out of whose pocket.

In terms of ODD+D: a firm decides alone, about once a year. It knows its own defects of this month,
its problems, its capabilities, and the part of its cost of poor quality that it sees. It takes every
defect to cost the average of what it sees, and this month to be like those to come; it judges each of the
four capabilities with a noise of its own. It ignores what its defects cost others beyond charge-back, what
others will do, and that practice decays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS, MANAGEMENT, METROLOGY, STANDARDS, TESTING
from agents.lender import ORDINARY, STRONG_CHAIN
from agents.streams import normal
from sim.month.credit import approved, grant, interest_on, room_for_credit
from sim.month.inspection import detection_parts
from sim.month.orders import monthly_sales
from sim.month.problems import months_to_solve, problem_pressure
from sim.month.quality_cost import cost_per_defect
from sim.world import World

__all__ = ["defects_avoided", "invest", "investment_cost", "perceived_saving"]

Floats = NDArray[np.float64]


def investment_cost(world: World) -> Floats:
    """Cost of one step of any capability: a fixed part and a share of yearly revenue, CNY, shape (n,)."""
    p = world.parameters
    return np.asarray(p.invest_fixed + p.invest_share * 12.0 * monthly_sales(world))


def defects_avoided(world: World) -> Floats:
    """Defects per unit that a firm takes a full unit of each capability to avoid, at the margin, shape (n, 4).

    Each capability prevents problems of its kind, which would stay until solved. Management lowers
    common-cause defects besides (``κ`` times these), metrology and testing find more of what
    final inspection sees, standards avoid misfits where the firm's own standards are the weaker side.
    """
    firms, links, p = world.firms, world.links, world.parameters
    avoided = p.severity * problem_pressure(world) * months_to_solve(world)[:, None]
    avoided[:, MANAGEMENT] += p.management_effect * (firms.own_dpu - firms.own_special)
    finds, leaves = detection_parts(world)
    inspected = firms.inspection * firms.before_final
    avoided[:, METROLOGY] += inspected * finds * p.metrology_loss
    avoided[:, TESTING] += inspected * leaves * max(p.detection_high - p.detection_low, 0.0)
    standards = firms.capability[:, STANDARDS]
    weaker = standards[links.customer] <= standards[links.supplier]
    avoided[:, STANDARDS] += p.interface_dpu * world.by_customer(links.value_share * weaker)
    return avoided


def perceived_saving(world: World) -> Floats:
    """CNY a month that one step of each capability seems to save, shape (n, 4)."""
    firms, p = world.firms, world.parameters
    step = (p.invest_step * firms.absorptive)[:, None] * (1.0 - firms.capability)
    return np.asarray(cost_per_defect(world)[:, None] * defects_avoided(world) * step)


def invest(world: World) -> None:
    """Let firms that review their quality take the step that seems to save most, if it pays within the horizon and can be paid.

    Paid from cash above a reserve; what is missing, by a bank loan; failing that, by a strong-chain
    loan where the firm has a line and the bank, with the guarantee, agrees; failing that, the firm is bound
    by credit and waits. Interest counts to the cost. Firms judge savings roughly, each kind on its own.
    """
    firms, p = world.firms, world.parameters
    reviews = (world.draw("reviews its quality", firms) < p.review_hazard) & firms.alive
    saving = perceived_saving(world) * np.exp(p.judgement * normal(world.draw("judges its quality", firms, len(KINDS))))
    best = saving.argmax(axis=1)
    rows = np.arange(firms.n)
    cost = investment_cost(world)
    missing = np.maximum(cost - np.maximum(firms.cash - p.reserve * monthly_sales(world), 0.0), 0.0)
    worth = reviews & (saving[rows, best] * p.horizon > cost)
    by_bank = worth & (saving[rows, best] * p.horizon > cost + missing * interest_on(world))
    by_programme = worth & (saving[rows, best] * p.horizon > cost + missing * interest_on(world, firms.rate_discount))

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
    done, of = rows[invests], best[invests]
    firms.capability[done, of] += p.invest_step * firms.absorptive[done] * (1.0 - firms.capability[done, of])
