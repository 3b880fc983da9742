"""The cost of quality: prevention, appraisal, internal failure, external failure (PAF).

These series only classify what firms spend and lose. Scrap, for example, is paid as purchases
and is not paid again here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.month.orders import monthly_sales
from sim.month.propagation import outgoing_dpu
from sim.world import World

__all__ = ["borne", "charge_back", "cost_of_quality", "cost_per_defect", "cqo_cost", "inspection_costs", "seen_share"]


def cqo_cost(world: World) -> NDArray[np.float64]:
    """Pay of a chief quality officer by firm, CNY a month, whether or not it has one: shape (n,).

    Small firms share an officer, so that the pay is at most a share of their sales.
    """
    p = world.parameters
    part_time = p.cqo_pay * np.asarray(p.cqo_part_time)[world.firms.size_class]
    return np.minimum(part_time, p.cqo_pay_most * monthly_sales(world))


def borne(world: World) -> NDArray[np.float64]:
    """Cost of poor quality that firms bear, CNY a month, including charge-back paid and received, shape (n,)."""
    firms = world.firms
    return firms.internal_failure + firms.external_failure + firms.charged - firms.recovered


def seen_share(world: World) -> NDArray[np.float64]:
    """Share of the cost of poor quality that a firm sees, shape (n,). The rest is the hidden factory; help makes part of it visible."""
    firms, p = world.firms, world.parameters
    alone = np.where(firms.cqo, p.cqo_visibility, p.visibility)
    return alone + (1.0 - alone) * firms.insight


def inspection_costs(world: World) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """k1 of the kp rule at incoming and at final inspection, price per unit inspected, shape (n,) each."""
    p, left = world.parameters, 1.0 - world.firms.inspection_saved
    return p.incoming_cost * left, p.final_cost * left


def cost_per_defect(world: World) -> NDArray[np.float64]:
    """The cost of one more defect per unit that a firm sees, CNY a month, shape (n,).

    Because of the hidden factory it sees only about a third of the cost without a chief quality officer.
    """
    firms = world.firms
    defects = firms.before_final + firms.out_latent
    return seen_share(world) * np.divide(np.maximum(borne(world), 0.0), defects, out=np.zeros(firms.n), where=defects > 0)


def cost_of_quality(world: World) -> None:
    """Set the four series of the PAF model for every firm, CNY a month.

    Appraisal is the price of what was inspected; internal failure is scrap and rework;
    external failure is returns by customers, defects that users found, and recalls of last month.
    """
    firms, links, p = world.firms, world.links, world.parameters
    pay = np.where(firms.cqo & firms.alive, cqo_cost(world), 0.0)
    pay = pay * (1.0 - firms.cqo_subsidy)
    running = p.prevention_rate * firms.capability[:, MANAGEMENT] * firms.output
    world.firms_pay("households", "chief quality officers", pay)
    world.firms_pay("households", "prevention", running)
    firms.prevention[:] += running + pay

    at_goods_in = world.by_customer(links.inspected * links.value_share)
    at_entry, at_exit = inspection_costs(world)
    firms.appraisal = firms.output * (at_entry * at_goods_in + at_exit * firms.inspection)
    firms.internal_failure = firms.output * (firms.goods_cost * firms.scrap + p.copq_scale * p.rework_cost * (firms.reject - firms.scrap))

    # What customers bought elsewhere in place of a delivery that failed to come is not returned to the firm.
    returned = (1.0 - firms.shortfall) * world.by_supplier(
        links.caught * firms.output[links.customer]
    ) + firms.out_detectable * firms.elsewhere
    warranty = p.field_cost * outgoing_dpu(world) * firms.to_users
    firms.external_failure = p.copq_scale * p.return_cost * returned + warranty + firms.recall_due
    firms.recall_cost = firms.recall_due
    firms.recall_due[:] = 0.0


def charge_back(world: World) -> None:
    """Charge part of the failure cost back to the suppliers from which the defects came.

    ``cb_ij = traceability · passed_ij / D_i · (internal + external failure of i + charge-backs
    that i received last month)``, and 0 where D_i is 0. It is a transfer, so it cancels in totals. Without
    it a supplier would bear nothing of the loss at its customers. Recalls are left out: who bears them was
    decided when they were traced.
    """
    firms, links, p = world.firms, world.links, world.parameters
    recorded = np.minimum(firms.records[links.customer], firms.records[links.supplier])  # a lot is traceable if both sides keep records
    traceable = p.traceability + (1.0 - p.traceability) * recorded
    total = firms.before_final + firms.out_latent
    to_share = firms.internal_failure + firms.external_failure - firms.recall_cost + firms.charged
    per_defect = np.divide(to_share, total, out=np.zeros(firms.n), where=total > 0)
    links.charge_back = traceable * (links.passed_detectable + links.passed_latent) * per_defect[links.customer]
    if firms.shortfall.any():  # nobody answers for what was bought elsewhere in place of a delivery
        links.charge_back = links.charge_back * (1.0 - firms.shortfall)[links.supplier]
    firms.charged = world.by_supplier(links.charge_back)
    firms.recovered = world.by_customer(links.charge_back)
