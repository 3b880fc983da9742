"""Decisions of the twin's firms about quality, and their learning and forgetting (3.9, 3.10)."""

from __future__ import annotations

import math

from tests.reference_model.firm import MANAGEMENT, METROLOGY, STANDARDS, TESTING, TwinFirm, TwinLink
from tests.reference_model.inversions import normal_value
from tests.reference_model.money import ORDINARY, STRONG_CHAIN
from tests.reference_model.world import TwinWorld

# -- investment --------------------------------------------------------------------------------


def avoided(firm: TwinFirm, kind: int) -> float:
    """Defects per unit that a full unit of a capability would avoid, at the margin."""
    p = firm.model.parameters
    defects = p.severity * firm.problems_a_month(kind) * firm.months_of_a_problem()
    inspected = firm.inspection * firm.before_final
    # τ = (low + (high - low) · testing) · (1 - γ · (1 - metrology)): what one more unit of each adds to it
    if kind == MANAGEMENT:
        defects += p.management_effect * (firm.own_dpu - firm.own_special)
    elif kind == METROLOGY:
        detection = p.detection_low + (p.detection_high - p.detection_low) * firm.capability[TESTING]
        defects += inspected * detection * p.metrology_loss
    elif kind == TESTING:
        kept = 1.0 - p.metrology_loss * (1.0 - firm.capability[METROLOGY])
        defects += inspected * max(0.0, p.detection_high - p.detection_low) * kept
    else:
        for link in firm.buys:
            if firm.capability[STANDARDS] <= link.supplier.capability[STANDARDS]:
                defects += p.interface_dpu * link.value_share
    return defects


def plan(
    firm: TwinFirm, reviewing: list[float], judging: list[list[float]], approving: list[float]
) -> tuple[int, float, float, float] | None:
    """Decide about a step: its kind, its cost, and the loans from banks and from the programme; None for no step."""
    p = firm.model.parameters
    if reviewing[firm.place] >= p.review_hazard:
        return None
    firm.credit_bound = False
    savings = []
    for kind in range(4):
        step = p.invest_step * firm.absorptive * (1.0 - firm.capability[kind])
        error = math.exp(p.judgement * normal_value(judging[firm.place][kind]))
        savings.append(firm.seen_per_defect() * avoided(firm, kind) * step * error)
    best = savings.index(max(savings))
    yearly = 12.0 * firm.monthly_sales()
    cost, saved = p.invest_fixed + p.invest_share * yearly, savings[best] * p.horizon
    own = max(0.0, firm.cash - p.reserve * firm.monthly_sales())
    missing = max(0.0, cost - own)
    if saved <= cost:
        return None
    if missing == 0.0:
        return best, cost, 0.0, 0.0
    # It borrows if the saving also pays for the interest; each month one part in `loan_term` of the debt is repaid.
    rate = firm.model.bank.rate
    wants_bank = saved > cost + missing * rate / 12.0 * p.loan_term
    wants_programme = saved > cost + missing * max(0.0, rate - firm.rate_discount) / 12.0 * p.loan_term
    collateral = firm.model.bank.ceiling * yearly - firm.bank_debt - firm.programme_debt
    if wants_bank and missing <= max(0.0, collateral) and approved(firm, approving, 0.0):
        return best, cost, missing, 0.0
    if wants_programme and missing <= firm.programme_line - firm.programme_debt and approved(firm, approving, firm.guaranteed):
        return best, cost, 0.0, missing
    firm.credit_bound = wants_bank or wants_programme
    return None


def approved(firm: TwinFirm, draws: list[float], guaranteed: float) -> bool:
    """Whether a bank lends, by size and certificate: it accepts the guaranteed share of refused loans, and no firm in distress."""
    p = firm.model.parameters
    refused = 1.0 - min(1.0, p.approval[firm.size_class] + (p.approval_signal if firm.certified else 0.0))
    return firm.distress == 0 and draws[firm.place] < 1.0 - refused * (1.0 - guaranteed)


def invest(model: TwinWorld) -> None:
    """Let firms invest in quality. All decide before any of them acts, because a step in standards changes links."""
    reviewing, judging, approving = (
        model.draws("reviews its quality"),
        model.draws_by_kind("judges its quality"),
        model.draws("bank approves"),
    )
    plans = [(firm, plan(firm, reviewing, judging, approving)) for firm in model.firms]
    for firm, chosen in plans:
        if chosen is None:
            continue
        kind, cost, from_bank, from_programme = chosen
        model.bank.lend(firm, ORDINARY, from_bank)
        model.bank.lend(firm, STRONG_CHAIN, from_programme)
        firm.investment = cost
        firm.prevent("quality investment", cost)
        firm.gain(kind, model.parameters.invest_step)
        model.happened["investments paid by " + ("banks" if from_bank else "strong-chain loans" if from_programme else "cash")] += 1


# -- officers and certificates -----------------------------------------------------------------


def hazards(model: TwinWorld, column: str) -> list[float]:
    """Hazard of adopting in each chain: alone, and by imitation of the chain's firms that have it."""
    p = model.parameters
    out = []
    for chain in range(len(model.causes)):
        of_chain = [firm for firm in model.firms if firm.chain == chain]
        share = sum(getattr(firm, column) for firm in of_chain) / len(of_chain) if of_chain else 0.0
        out.append(p.adoption_alone + p.adoption_imitation * share)
    return out


def officer_comes_or_goes(firm: TwinFirm, hazard: list[float], hiring: list[float], losing: list[float]) -> None:
    """Hire an officer if it seems to pay; lose it, sooner if it does not."""
    p = firm.model.parameters
    seen = (p.cqo_visibility if firm.cqo else p.visibility) * max(0.0, firm.borne())
    pays = p.officer_saving * seen > firm.officer_pay() * (1.0 - firm.cqo_subsidy)
    if firm.cqo:
        firm.cqo = losing[firm.place] >= p.officer_loss + (0.0 if pays else p.dropping)
        firm.model.happened["officers lost"] += not firm.cqo
    else:
        firm.cqo = pays and hiring[firm.place] < hazard[firm.chain]
        firm.model.happened["officers hired"] += firm.cqo


def certificate_comes_or_goes(firm: TwinFirm, hazard: list[float], renewing: list[float], first: list[float]) -> None:
    """Renew the certificate at the end of its term if it seems to pay; get a first one by imitation."""
    p, happened = firm.model.parameters, firm.model.happened
    pays = p.certificate_worth * firm.monthly_sales() * p.certificate_months > p.certificate_cost
    firm.certificate_left = max(0, firm.certificate_left - 1)
    bought = False
    if firm.certified and firm.certificate_left == 0:
        bought = firm.certified = pays and renewing[firm.place] >= p.certificate_loss
        happened["certificates renewed" if bought else "certificates lost"] += 1
    elif not firm.certified and pays and first[firm.place] < hazard[firm.chain]:
        bought = firm.certified = True
        firm.gain(MANAGEMENT, p.certificate_substance)
        happened["first certificates"] += 1
    if bought:
        firm.certificate_left = p.certificate_months
        firm.prevent("certificates", p.certificate_cost)


def adopt_and_drop(model: TwinWorld) -> None:
    """Officers, then certificates; firms imitate the state before the month's decisions."""
    model.firms.do(officer_comes_or_goes, hazards(model, "cqo"), model.draws("hires an officer"), model.draws("loses its officer"))
    renewing, first = model.draws("renews its certificate"), model.draws("gets a certificate")
    model.firms.do(certificate_comes_or_goes, hazards(model, "certified"), renewing, first)


# -- learning and loss -------------------------------------------------------------------------


def lesson(link: TwinLink) -> float:
    """Management capability that the customer teaches the supplier: a pace times attention, absorptive capacity and gap."""
    p, pupil = link.supplier.model.parameters, link.supplier
    gap = link.customer.capability[MANAGEMENT] - pupil.capability[MANAGEMENT]
    if gap <= 0.0 or pupil.output <= 0.0:
        return 0.0
    pace = p.spillover * link.delivered / pupil.output
    if link.listed:
        pace *= p.development_attention
    return min(1.0, pace) * pupil.absorptive * gap


def learn(firm: TwinFirm, means: dict[int, float]) -> None:
    """Learn from solved problems, from customers and, a little, from the sector; forget. Others see the change next month."""
    p = firm.model.parameters
    decay = p.practice_decay * (1.0 - p.officer_keeps) if firm.cqo else p.practice_decay
    for kind in range(4):
        missing = 1.0 - firm.capability[kind]
        stays_missing = missing * (1.0 - p.problem_learning * firm.absorptive) ** firm.solved_by_kind[kind]
        firm.learnt[kind] = missing - stays_missing - decay * (firm.capability[kind] - firm.natural[kind])
    for link in firm.sells:
        taught = lesson(link)
        firm.learnt[MANAGEMENT] += (1.0 - p.relation_share) * taught
        # the defects for this customer fall by κ times its part of the lesson
        left = (1.0 - link.relief) * math.exp(-p.management_effect * p.relation_share * taught)
        link.relief = min(1.0, max(0.0, (1.0 - left) * (1.0 - p.practice_decay)))
    behind = max(0.0, means[firm.sector] - firm.capability[MANAGEMENT])
    firm.learnt[MANAGEMENT] += p.diffusion * firm.absorptive * behind


def improve(firm: TwinFirm) -> None:
    """Set the capability to the result of learning and forgetting."""
    firm.capability = [min(1.0, max(0.0, value + gain)) for value, gain in zip(firm.capability, firm.learnt, strict=True)]


def learn_and_forget(model: TwinWorld) -> None:
    """All firms learn from the capabilities at the beginning of the phase."""
    management: dict[int, list[float]] = {}
    for firm in model.firms:
        management.setdefault(firm.sector, []).append(firm.capability[MANAGEMENT])
    model.firms.do(learn, {sector: sum(values) / len(values) for sector, values in management.items()})
    model.firms.do(improve)
