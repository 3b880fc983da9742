"""The market and the regulator of the twin: recalls, demand, samples (3.13)."""

from __future__ import annotations

import math

from sim.world import World
from tests.reference_model.firm import TwinFirm
from tests.reference_model.world import TwinWorld

#: Most links that an investigation follows.
DEEPEST = 30


class TwinRegulator:
    """The counts of the regulator so far."""

    def __init__(self, world: World) -> None:
        self.sampled = int(world.regulators.sampled[0])
        self.failed = int(world.regulators.failed[0])
        self.targeted = int(world.regulators.targeted[0])
        self.targeted_failed = int(world.regulators.targeted_failed[0])
        self.recalls = int(world.regulators.recalls[0])


# -- recalls -----------------------------------------------------------------------------------


def origin(leader: TwinFirm) -> TwinFirm:
    """Follow the defects that leave a firm back to where they began: at each firm its own, or those of a delivery."""
    p = leader.model.parameters
    at = leader
    for depth in range(DEEPEST):
        out = at.escape()
        ways: list[tuple[float, TwinFirm]] = [(((1.0 - p.latent_share) * out + p.latent_share) * at.own_dpu, at)]
        ways += [(out * link.passed_detectable + link.passed_latent, link.supplier) for link in at.buys]
        pick = leader.draw(f"trail of a recall {depth}") * sum(way for way, _ in ways)
        present = at
        for way, firm in ways:
            if pick < way:
                at = firm
                break
            pick -= way
        if at is present:
            break
    return at


def recall(leader: TwinFirm) -> None:
    """Recall a Pareto-distributed part of a year's sales; the firm where the defects began bears the cost up to its limit."""
    p, model = leader.model.parameters, leader.model
    share = min(1.0, p.recall_size * (1.0 - leader.draw("size of a recall")) ** (-1.0 / p.recall_tail))
    leader.recalls, leader.recalled = 1, share * 12.0 * leader.to_users
    model.regulator.recalls += 1
    cost = p.recall_cost * leader.recalled
    liable = cost
    if leader.draw("recall is traced") < p.traceability:
        source = origin(leader)
        source.recalls_traced += 1
        if source is not leader:
            liable = min(cost, p.recall_liability * source.monthly_sales())
            source.recall_due += liable
            leader.recall_due += cost - liable
            model.happened["recalls traced to suppliers"] += 1
            return
    leader.recall_due += liable


def recall_products(model: TwinWorld) -> None:
    """Let leaders recall by a hazard that grows with the defects reaching users; users forget old recalls and notice new ones."""
    p = model.parameters
    draws = model.draws("recall")
    for firm in model.firms:
        firm.reputation *= p.reputation_memory
    recalling = []
    for firm in model.firms:
        hazard = 1.0 - math.exp(-p.recall_rate * (firm.out_detectable + firm.out_latent))
        if firm.is_leader and firm.to_users > 0.0 and draws[firm.place] < hazard:
            recalling.append(firm)
    for leader in recalling:
        recall(leader)
        for firm in model.firms:
            if firm is leader:
                firm.reputation -= p.recall_shock
            elif firm.is_leader and firm.chain == leader.chain:
                firm.reputation -= p.collective_share * p.recall_shock


# -- demand ------------------------------------------------------------------------------------


def market(model: TwinWorld) -> None:
    """Users choose between the leaders of a product by a logit in remembered defects and recalls; total demand follows the mean."""
    p = model.parameters
    products: dict[int, list[tuple[TwinFirm, float]]] = {}
    for firm in model.firms:
        if firm.is_leader:
            out = firm.out_detectable + firm.out_latent
            firm.brand = p.brand_memory * firm.brand + (1.0 - p.brand_memory) * out
            worse = math.log(firm.brand + p.unnoticed_dpu) - math.log(firm.brand_start + p.unnoticed_dpu)
            appeal = math.exp(min(20.0, max(-20.0, firm.reputation - p.quality_elasticity * worse)))
            products.setdefault(firm.sector, []).append((firm, firm.demand_start * appeal))
    for rivals in products.values():
        start = sum(firm.demand_start for firm, _ in rivals)
        drawn = sum(weight for _, weight in rivals)
        for firm, weight in rivals:
            # the product as a whole, and the leader's share of it
            wanted = start * (drawn / start) ** p.whole_elasticity * weight / drawn if start > 0.0 else 0.0
            firm.final_demand += p.demand_speed * (wanted - firm.final_demand)


# -- samples -----------------------------------------------------------------------------------


def sample_products(model: TwinWorld) -> None:
    """One unit each of firms chosen at random, and of firms chosen by risk; a firm that fails pays a fine and rectifies."""
    p, regulator = model.parameters, model.regulator
    chosen, bad = model.draws("product sampled"), model.draws("sample fails")
    chosen_for_risk, bad_for_risk = model.draws("product sampled for its risk"), model.draws("sample for its risk fails")
    selling = [firm for firm in model.firms if firm.output > 0.0]
    risks = {firm: risk(firm) for firm in selling}
    all_risks, samples = sum(risks.values()), p.targeted_samples / 1000.0 * len(selling)
    for firm in model.firms:
        firm.sampled = firm.failed = firm.targeted = firm.targeted_failed = False
    for firm in selling:
        defective = 1.0 - math.exp(-(firm.out_detectable + firm.out_latent))
        firm.sampled = chosen[firm.place] < p.random_samples / 1000.0
        firm.failed = firm.sampled and bad[firm.place] < defective
        chance = samples * risks[firm] / all_risks if all_risks > 0.0 else 0.0
        firm.targeted = chosen_for_risk[firm.place] < chance
        firm.targeted_failed = firm.targeted and bad_for_risk[firm.place] < defective
        regulator.sampled += firm.sampled
        regulator.failed += firm.failed
        regulator.targeted += firm.targeted
        regulator.targeted_failed += firm.targeted_failed
        if firm.failed or firm.targeted_failed:
            put_right(firm)


def risk(firm: TwinFirm) -> float:
    """Weight in risk-targeted sampling: size class, a recent failure, a certificate."""
    p = firm.model.parameters
    weight = p.risk_size[firm.size_class]
    if firm.model.month - firm.failed_month <= p.risk_months:
        weight *= p.risk_failed
    return weight * p.risk_signal if firm.certified else weight


def put_right(firm: TwinFirm) -> None:
    """Pay the fine and for rectification, and close one open problem of the most frequent kind."""
    p = firm.model.parameters
    firm.failed_month = firm.model.month
    firm.pay("government", "fines", p.fine * firm.monthly_sales())
    firm.prevent("rectification", p.rectification_cost * firm.monthly_sales())
    if any(firm.open_problems):
        firm.open_problems[firm.open_problems.index(max(firm.open_problems))] -= 1
        firm.close_problems(1)
