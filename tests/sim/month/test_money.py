"""Money, mechanism by mechanism: credit, charge-back, exit, prices, and stocks and flows that add up."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from scipy.stats import norm

from agents import ChainLeader, MemberFirm
from agents.lender import ORDINARY, STRONG_CHAIN
from sim import StrongchainModel
from sim.instruments import StrongChainLoans
from sim.invariants import check_invariants
from sim.model import MONTH
from sim.month.credit import approved, grant, room_for_credit, serve_debts
from sim.month.entry_and_exit import exit_and_enter
from sim.month.investment import invest, investment_cost, perceived_saving
from sim.month.money import PRICE_MONTHS, material_cost, set_prices, settle_accounts
from sim.month.orders import monthly_sales
from sim.month.quality_cost import charge_back
from tests.support.worlds import hold, line, network, parameters, plain, random_network, region, row, set_parameters, world

#: No chance events but those a test makes: no windfalls, samples, recalls, decisions, exits or ends of relations.
CALM = {
    "fortune_spread": (0.0, 0.0, 0.0),
    "random_samples": 0.0,
    "targeted_samples": 0.0,
    "recall_rate": 0.0,
    "review_hazard": 0.0,
    "adoption_alone": 0.0,
    "adoption_imitation": 0.0,
    "relation_end": 0.0,
    "candidates": 0,
    "cash_limit": 24.0,
}


def calm(**values):
    """Parameters of a world in which nothing happens by itself, except for what is given."""
    return parameters(**{**CALM, **values})


def only(model, firm, amount):
    """An amount for one firm, nothing for the others."""
    return np.where(np.arange(model.firms.n) == firm, amount, 0.0)


def sink(model, firm, months_of_sales):
    """Bring a firm's cash to so many months of its sales, by the books."""
    gap = model.firms.cash[firm] - months_of_sales * monthly_sales(model)[firm]
    model.firms_pay("outside", "misfortunes", only(model, firm, max(gap, 0.0)))
    model.pay_firms("outside", "windfalls", only(model, firm, max(-gap, 0.0)))


def loans(**levers):
    return StrongChainLoans(**{"reach": 1.0, "score_least": 0.0, **levers})


# -- credit: who gets what -------------------------------------------------------------------------


def pairs():
    """Three leaders with one supplier each and nothing in common: no chain, product, sector or size class.

    a, which supplies A, is the only small firm, A the only large one.
    """
    links = {("a", "A"): 0.02, ("b", "B"): 0.5, ("c", "C"): 0.5}
    each = {"chain": [0, 1, 2, 0, 1, 2], "sector": [0, 1, 2, 3, 4, 5], "chains": ["one", "two", "three"], "sectors": list("uvwxyz")}
    return network(links, {"A": 4e7, "B": 1.5e7, "C": 1.2e7}, **each)


def test_bound_firm_invests_once_it_has_a_line_and_no_other_firm_changes_by_a_bit():
    ready = parameters(
        approval=(0.0, 1.0, 1.0), approval_signal=0.0, reserve=24.0, invest_fixed=3e3, invest_share=1e-4, targeted_samples=0.0
    )
    place = region(6, chains=3, stations=0)
    without, with_it = (world(pairs(), ready, policy, region=place, burn_in=0) for policy in ((), (loans(line_share=1.0),)))
    a, own = row(without, "a"), [row(without, name) for name in "aA"]
    others = [row(without, name) for name in "bBcC"]
    assert without.firms.size_class.tolist() == [2, 1, 1, 0, 1, 1]
    for model in (without, with_it):
        model.run(36)
    assert without.firms.credit_bound[a]
    assert with_it.firms.programme_debt[a] > 0
    assert with_it.firms.capability[a].sum() > without.firms.capability[a].sum()
    assert with_it.firms.programme_line[[row(with_it, name) for name in "bc"]].min() > 0  # they have lines as well
    assert with_it.firms.programme_debt[others].sum() == 0.0
    lines = {"programme_line", "guaranteed", "rate_discount"}
    money = {"cash", "earnings", "profit", "dividends"}  # the part of sales that is exported differs for all, and with it their rounding
    for name in without.firms.columns.keys() - lines:
        before, after = getattr(without.firms, name)[others], getattr(with_it.firms, name)[others]
        assert np.array_equal(before, after) or (name in money and before == pytest.approx(after, rel=1e-12, abs=1e-6)), name
    assert (without.firms.investment[others] == with_it.firms.investment[others]).all()
    assert not np.array_equal(without.firms.out_detectable[own], with_it.firms.out_detectable[own])


def watched(instrument, seed, months, **values):
    """Run a region with strong-chain loans; after each month, what firms were like as they decided to invest, and what they drew."""
    model = StrongchainModel(parameters=parameters(**values), rng=seed, burn_in=12, instruments=(instrument,))
    at = MONTH.index(invest)
    for _ in range(months):
        model.month += 1
        model._turn_page()
        for phase in MONTH[:at]:
            phase(model)
        before = deepcopy(model)
        invest(model)
        yield before, model
        for phase in MONTH[at + 1 :]:
            phase(model)


def deciding(world, guarantee, discount):
    """What firms that decide on an investment plan, computed from the draws and the rules.

    Which firms want it with a bank loan and with a strong-chain loan, what cash they miss;
    whom the bank refuses, without and with the guarantee.
    """
    firms, p = world.firms, world.parameters
    sales = firms.usual_output * firms.price
    cost = p.invest_fixed + p.invest_share * 12 * sales
    missing = np.maximum(cost - np.maximum(firms.cash - p.reserve * sales, 0.0), 0.0)
    perceived = perceived_saving(world, np.arange(world.firms.n)) * np.exp(
        p.judgement * norm.ppf(world.draw("judges its quality", firms, 4))
    )
    worth, reviews = perceived.max(axis=1) * p.horizon, world.draw("reviews its quality", firms) < p.review_hazard
    rate = world.lenders.rate[0]
    wants = [reviews & (worth > cost + missing * r / 12 * p.loan_term) for r in (rate, max(rate - discount, 0.0))]
    chance = np.minimum(np.choose(firms.size_class, p.approval) + p.approval_signal * firms.certified, 1.0)
    draw, poor = world.draw("bank approves", firms), firms.distress > 0
    no_room = missing > p.credit_ceiling * 12 * sales - firms.bank_debt - firms.programme_debt
    refused = poor | (draw >= chance) | no_room, poor | (draw >= chance + (1 - chance) * guarantee)
    return wants, missing, refused


@pytest.mark.study
def test_loans_reach_only_firms_that_wanted_to_invest_lacked_cash_and_were_refused():
    drawers = 0
    for before, after in watched(loans(line_share=0.5, guarantee=0.5, discount=0.01), seed=1, months=60):
        drawn = after.firms.programme_debt - before.firms.programme_debt
        drawing = np.flatnonzero(drawn)
        (from_bank, from_programme), missing, (refused, refused_still) = deciding(before, 0.5, 0.01)
        assert drawn[drawing] == pytest.approx(missing[drawing], rel=1e-9)
        assert (missing[drawing] > 0).all()  # had too little cash
        assert from_programme[drawing].all()
        assert (refused | ~from_bank)[drawing].all()  # at the bank's own terms there was no loan, or none that paid
        assert not refused_still[drawing].any()
        # And every firm that was all that, and had a large enough line, got one.
        line = before.firms.programme_line - before.firms.programme_debt
        fit = from_programme & (missing > 0) & (refused | ~from_bank) & (missing <= line) & ~refused_still
        assert np.flatnonzero(fit).tolist() == drawing.tolist()
        # Had there been no lines, they alone would not have invested, and all others would have done the same.
        without = deepcopy(before)
        without.firms.programme_line = 0.0
        invest(without)
        assert without.firms.credit_bound[drawing].all()
        assert np.flatnonzero(without.firms.investment != after.firms.investment).tolist() == drawing.tolist()
        drawers += drawing.size
    assert drawers > 5


def test_bank_loan_is_preferred_to_a_line():
    sure = {"approval": (1.0, 1.0, 1.0), "credit_ceiling": 5.0, "reserve": 24.0, "cash_limit": 24.0}  # no firm is in distress
    for before, after in watched(loans(line_share=1.0, discount=0.0), seed=2, months=12, **sure):
        assert not after.firms.programme_debt.any()
        assert (after.firms.investment > 0).sum() == (after.firms.bank_debt > before.firms.bank_debt).sum()
    assert after.lenders.granted[0, ORDINARY] > 0


def bound(line=0.0, room=0.0):
    """Let row 1 of a line of three decide: it wants to invest, has no cash to spare, and so much line and room, in parts of the cost."""
    values = {
        "review_hazard": 1.0,
        "approval": (1.0, 1.0, 1.0),
        "judgement": 0.0,
        "reserve": 24.0,
        "invest_fixed": 1.0,
        "invest_share": 1e-5,
    }
    model = world(line_of_three(), calm(**values), burn_in=0)
    firms = model.firms
    cost = investment_cost(model)[1]
    assert perceived_saving(model, np.arange(model.firms.n))[1].max() * model.parameters.horizon > cost
    firms.programme_line[1] = line * cost
    set_parameters(model, visibility=0.0)
    firms.cqo = [False, True, False]  # the others see no cost, so want nothing
    yearly = 12 * monthly_sales(model)[1]
    model.lenders.ceiling = (firms.bank_debt[1] + room * cost) / yearly
    assert room_for_credit(model)[1] == pytest.approx(room * cost, abs=1e-6 * cost)
    invest(model)
    return model, cost


def line_of_three():
    return line(3, share=0.5, demand=1e7)


@pytest.mark.parametrize(
    ("line", "room", "source"),
    [
        (0.0, 0.0, None),
        (0.99, 0.0, None),
        (1.01, 0.0, "line"),
        (1.01, 0.99, "line"),
        (0.99, 0.99, None),
        (1.01, 1.01, "bank"),
        (0.0, 1.01, "bank"),
    ],
)
def test_nothing_is_drawn_beyond_line_or_room_and_no_part_of_it(line, room, source):
    model, cost = bound(line, room)
    firms = model.firms
    assert firms.programme_debt.tolist() == pytest.approx([0.0, cost * (source == "line"), 0.0])
    assert firms.borrowed[1] == pytest.approx(cost * (source is not None))
    assert (firms.investment > 0).tolist() == [False, source is not None, False]
    assert firms.credit_bound.tolist() == [False, source is None, False]


def test_lines_end_at_the_ceiling_and_debts_at_the_lines():
    ceiling, at_it = 60_000.0, 0
    for before, after in watched(loans(line_share=0.5, ceiling=ceiling), seed=1, months=36):
        assert (before.firms.programme_line <= ceiling).all()
        drawn = after.firms.programme_debt > before.firms.programme_debt
        assert (after.firms.programme_debt <= before.firms.programme_line)[drawn].all()
        lent = after.firms.bank_debt > before.firms.bank_debt
        owed = after.firms.bank_debt + after.firms.programme_debt
        assert (owed <= 0.35 * 12 * monthly_sales(before) * (1 + 1e-9))[lent].all()
        at_it += int((before.firms.programme_line == ceiling).sum())
    assert at_it > 100


# -- credit: who bears what ------------------------------------------------------------------------


def owing(amounts=(0.0, 5e5, 2e5), **levers):
    """A line of three firms under a programme that has just begun, owing so much in strong-chain loans."""
    model = world(line_of_three(), calm(), (loans(**levers),))
    model.step()
    grant(model, STRONG_CHAIN, np.array(amounts))
    check_invariants(model)
    return model, model.programmes["strong_chain_loans"]


@pytest.mark.parametrize("budget", [None, 1e6, 1.7e5, 4e4, 0.0])
@pytest.mark.parametrize("guarantee", [0.0, 0.3, 1.0])
def test_guarantee_pays_its_share_of_what_lenders_lose_and_never_more_than_the_budget(guarantee, budget):
    model, programme = owing(guarantee=guarantee, budget=budget, discount=0.0)
    lost = model.lenders.written_off.copy()
    model._turn_page()
    model.close_down(np.array([1, 2]))
    assert (model.lenders.written_off - lost)[0, STRONG_CHAIN] == pytest.approx(7e5)
    due = guarantee * 7e5
    paid = due if budget is None else min(due, budget)
    assert model.books.paid("government") == pytest.approx(paid)
    assert model.books.month["government", "lenders", "strong_chain_loans"] == pytest.approx(paid)
    first = min(paid, guarantee * 5e5)  # in the order of places
    assert model.firms.government_cost.tolist() == pytest.approx([0.0, first, paid - first])
    assert programme.spent == pytest.approx(paid)


def test_guarantee_pays_its_share_of_all_losses_of_a_run():
    model = StrongchainModel(
        parameters=parameters(fortune_spread=(0.2, 0.1, 0.05), approval=(0.1, 0.1, 0.1)),
        rng=3,
        burn_in=3,
        instruments=(loans(guarantee=0.4, discount=0.0),),
    )
    paid = 0.0
    for _ in range(60):
        model.step()
        paid += model.books.paid("government", "strong_chain_loans")
    lost = model.lenders.written_off[0, STRONG_CHAIN]
    assert lost > 0
    assert paid == pytest.approx(0.4 * lost, rel=1e-9)


def test_guarantee_ends_with_the_programme():
    model, programme = owing(guarantee=0.5, length=3)
    model.run(4)
    model._turn_page()
    model.close_down(np.array([1]))
    assert model.lenders.written_off[0, STRONG_CHAIN] > 0
    assert model.books.paid("government") == 0.0
    assert programme.closed


def income(model):
    """What lenders were paid this month, repayments apart."""
    return sum(amount for (_, payee, why), amount in model.books.month.items() if payee == "lenders" and why != "repayment")


@pytest.mark.parametrize("discount", [0.01, 0.5])
def test_discount_moves_interest_from_firms_to_government_and_lenders_get_it_all_the_same(discount):
    (full, _), (less, _) = owing(discount=0.0, guarantee=0.0), owing(discount=discount, guarantee=0.0)
    for _ in range(6):
        owed = less.firms.programme_debt.sum()
        for model in (full, less):
            model.step()
        borne = min(discount, float(less.lenders.rate[0])) * owed / 12
        assert full.firms.programme_debt.sum() == less.firms.programme_debt.sum() > 0
        assert full.books.paid("firms", "interest") - less.books.paid("firms", "interest") == pytest.approx(borne, rel=1e-6)
        assert less.books.month["government", "lenders", "strong_chain_loans"] == pytest.approx(borne, rel=1e-9)
        assert less.books.paid("government") == pytest.approx(borne, rel=1e-9)
        assert full.books.paid("government") == 0.0
        assert income(full) == pytest.approx(income(less), rel=1e-9)


def test_lenders_pay_out_the_interest_that_government_bears_as_well():
    paid = []
    for discount in (0.0, 0.02):
        model, _ = owing(discount=discount, guarantee=0.0)
        paid.append(0.0)
        for _ in range(6):
            model.step()
            paid[-1] += model.transaction_flow_matrix().loc["profits of lenders", "households"]
            sheet = model.balance_sheet()["lenders"]
            assert sheet["net worth"] <= 1e-9 * sheet["loans"]
    # Whether the firm or government pays it makes no difference to the bank.
    assert paid[1] == pytest.approx(paid[0], rel=1e-3)
    assert paid[0] > 0


@pytest.mark.study
def test_lenders_make_good_their_losses_before_they_earn_again():
    model, _ = owing(discount=0.0, guarantee=0.0)
    model.run(2)
    largest = int(model.firms.bank_debt.argmax())
    lost = float(model.firms.bank_debt[largest])
    before = model.balance_sheet().loc["net worth", "lenders"]
    model.leave("firms", largest)
    assert model.balance_sheet().loc["net worth", "lenders"] == pytest.approx(before - lost, rel=1e-6, abs=1e-3 * lost)
    interest = 0.0
    while model.balance_sheet().loc["net worth", "lenders"] < -1e-6 * lost and model.month < 60:
        model.step()
        interest += model.transaction_flow_matrix().loc["interest", "lenders"]
        if interest < 0.9 * lost:
            assert "profits of lenders" not in model.transaction_flow_matrix().index


def test_guarantee_makes_the_bank_accept_its_share_of_whom_it_would_refuse():
    model = StrongchainModel(rng=2, burn_in=0)
    model.firms.distress = 0
    accepted = []
    for month in range(1, 21):
        model.month = month
        alone, backed = approved(model), approved(model, 0.4)
        assert (backed | ~alone).all()
        accepted.append((backed & ~alone).sum() / (~alone).sum())
    assert np.mean(accepted) == pytest.approx(0.4, abs=0.02)
    assert approved(model, 1.0).all()
    model.firms.distress = 1
    assert not approved(model, 1.0).any()


def test_where_the_budget_ends_so_does_the_discount():
    model, programme = owing(discount=0.04, guarantee=0.0, budget=2_500.0)  # a month costs 1,667 and 667
    paid = []
    for _ in range(4):
        model.step()
        paid.append(model.firms.interest_borne.copy())
        assert model.firms.government_cost == pytest.approx(model.firms.interest_borne)
    assert paid[0][1] > 0
    assert not paid[-1].any()
    assert sum(paid).sum() == pytest.approx(programme.spent)
    assert programme.spent <= 2_500.0


def test_after_the_window_loans_remain_and_are_repaid():
    model, programme = owing(length=6)
    model.run(6)
    firms, p = model.firms, model.parameters
    assert programme.closed
    assert not firms.programme_line.any()
    assert not firms.interest_borne.any()
    for _ in range(300):
        before = firms.programme_debt.copy()
        model.step()
        repaid = np.where(before > 1_000.0, before / p.loan_term, before)
        assert firms.programme_debt == pytest.approx(before - repaid, rel=1e-12, abs=1e-6)
        assert model.books.paid("government") == 0.0
        if not firms.programme_debt.any():
            break
        assert before.sum() > 0
    assert not firms.programme_debt.any()
    granted, back = model.lenders.granted[0, STRONG_CHAIN], model.lenders.repaid[0, STRONG_CHAIN]
    assert granted == pytest.approx(back)
    assert granted == pytest.approx(7e5)


def test_overdraft_bears_interest_and_the_line_of_working_capital_ends_it():
    model = world(line_of_three(), calm(), burn_in=0)
    firms, p = model.firms, model.parameters
    firms.bank_debt[1] -= 4e5
    model.lenders.outstanding = firms.bank_debt.sum()
    sink(model, 1, -0.1)
    owed = firms.bank_debt[1] + 0.1 * monthly_sales(model)[1]
    cash = firms.cash.copy()
    model._turn_page()
    serve_debts(model)
    interest = model.lenders.rate[0] * owed / 12
    assert firms.borrowed[1] == pytest.approx(4e5)  # as much as the line allows, though more is short
    assert firms.bank_debt[1] == pytest.approx(p.working_capital * 12 * monthly_sales(model)[1])
    assert firms.cash[1] == pytest.approx(cash[1] - interest + 4e5)
    firms.distress[1], firms.bank_debt[1] = 1, firms.bank_debt[1] - 1e5
    before = firms.bank_debt[1]
    serve_debts(model)
    assert firms.bank_debt[1] == before  # a firm in distress can draw nothing


# -- charge-back -----------------------------------------------------------------------------------


def charged(traceability):
    """A buys equal amounts from the poor and the good supplier, whose own supplier is poor; the month up to settling, and after."""
    links = {("poor", "A"): 0.3, ("sound", "A"): 0.3}
    quiet = calm(payout=0.0, cash_most=120.0, cash_least=0.0, spillover=0.0)
    model = world(network(links, {"A": 1e7}), quiet, burn_in=0)
    own = [0.01, 0.05, 0.0]  # A, poor, sound
    plain(model, own=own)
    model.firms.base_dpu = own
    model.firms.open_problems = model.firms.common_problems = 0
    model.firms.charged = model.firms.recovered = 0.0
    set_parameters(model, traceability=traceability)
    hold(model, 3)
    return model


def test_charge_back_moves_cost_and_cash_to_where_the_defects_began():
    models = []
    for traceability in (0.0, 0.4):
        model = charged(traceability)
        model.month += 1
        for phase in MONTH[: MONTH.index(settle_accounts)]:
            phase(model)
        models.append(model)
    free, bearing = models
    back = bearing.firms
    assert not free.links.charge_back.any()
    a, poor, sound = (row(free, name) for name in ("A", "poor", "sound"))
    passed = bearing.links.passed_detectable + bearing.links.passed_latent
    total = back.before_final[a] + back.out_latent[a]
    failure = back.internal_failure[a] + back.external_failure[a]
    assert bearing.links.charge_back == pytest.approx(0.4 * passed / total * failure)
    of_poor = back.charged[poor]
    assert of_poor > 0
    assert back.charged[a] == 0.0
    assert back.recovered[a] == pytest.approx(back.charged.sum())
    assert (back.charged - back.recovered).sum() == pytest.approx(0.0, abs=1e-9 * back.charged.sum())
    before = [model.firms.cash.copy() for model in models]
    for model in models:
        settle_accounts(model)
    moved = (bearing.firms.cash - before[1]) - (free.firms.cash - before[0])
    assert moved == pytest.approx(back.recovered - back.charged, rel=1e-9, abs=1e-6)
    assert bearing.firms.profit - free.firms.profit == pytest.approx(moved, rel=1e-6, abs=1e-3)
    assert moved[poor] == pytest.approx(-of_poor)
    assert moved.sum() == pytest.approx(0.0, abs=1e-6)
    assert abs(moved[sound]) <= 0.2 * of_poor  # nothing but misfits came with it
    assert bearing.books.paid("firms", "charge-back") == pytest.approx(back.charged.sum())


def test_charge_back_goes_on_to_the_supplier_s_supplier():
    model = world(line(3, share=0.5, demand=1e7), calm(traceability=0.4), burn_in=0)
    plain(model, own=[0.0, 0.0, 0.1])
    firms = model.firms
    firms.internal_failure, firms.external_failure, firms.charged = 0.0, [1e5, 0.0, 0.0], 0.0
    model.links.passed_detectable, model.links.passed_latent = 0.04, 0.01
    firms.before_final, firms.out_latent = 0.04, 0.01  # all that a firm has came with its inputs
    received = []
    for _ in range(3):
        charge_back(model)
        received.append(firms.charged.tolist())
    assert received[0] == pytest.approx([0.0, 4e4, 0.0])
    assert received[1] == received[2] == pytest.approx([0.0, 4e4, 1.6e4])  # a month later, 0.4 of it


# -- exit and entry --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("months_below", "exits"),
    [("xx", False), ("xxx", True), ("xx-xx", False), ("xx-xxx", True), ("x-x-x-xx", False)],
)
def test_cash_below_the_limit_three_months_in_a_row_ends_a_firm(months_below, exits):
    model = world(4, calm(cash_limit=0.25), burn_in=0)
    for k, month in enumerate(months_below):
        model.month += 1
        sink(model, 12, -0.3 if month == "x" else -0.2)
        exit_and_enter(model)
        assert model.firms.exited.any() == (exits and k == len(months_below) - 1)
    assert model.firms.exited.nonzero()[0].tolist() == ([12] if exits else [])


def test_exit_and_entry_settle_everything():
    model = world(4, parameters(cash_start=1.5), burn_in=6)
    firms, gone = model.firms, 12
    amounts = only(model, gone, 3e5)
    grant(model, STRONG_CHAIN, amounts)
    firms.cqo[gone] = firms.certified[gone] = True
    firms.open_problems[gone] += 2
    model.counts["problems opened"] += 8
    firms.reputation[gone] = -0.1
    before = {population: {a.row: a for a in model.agents if a.population == population} for population in ("firms", "stations")}
    firms.distress[gone] = model.parameters.distress_months - 1
    sink(model, gone, -0.5)
    debts = firms.bank_debt[gone], firms.programme_debt[gone], -firms.cash[gone]
    assert min(debts) > 0
    lost, bank = model.lenders.written_off.copy(), deepcopy(model.books.balance)
    sheet = model.balance_sheet()
    model._turn_page()
    traits = firms.capability[gone].copy()
    exit_and_enter(model)
    # lenders lose what it owed, and nothing more
    assert firms.exited.nonzero()[0].tolist() == [gone]
    assert firms.written_off[gone] == pytest.approx(debts[0] + debts[1])
    assert (model.lenders.written_off - lost)[0] == pytest.approx(debts[:2])
    assert model.books.month["lenders", "members", "write-off of overdrafts"] == pytest.approx(debts[2])
    worth = model.balance_sheet().loc["net worth", "lenders"] - sheet.loc["net worth", "lenders"]
    assert worth == pytest.approx(-sum(debts), rel=1e-9)
    assert firms.bank_debt[gone] == firms.programme_debt[gone] == 0.0
    # the entrant: equity of households, first materials, nothing of its predecessor
    equity = model.books.month["households", "members", "equity of entrants"]
    assert equity == pytest.approx(1.5 * monthly_sales(model)[gone] + firms.inventory[gone])
    assert firms.cash[gone] == pytest.approx(1.5 * monthly_sales(model)[gone])
    assert bank["households"] - model.books.balance["households"] == pytest.approx(equity)
    assert not (firms.capability[gone] == traits).any()
    assert not firms.open_problems[gone].any()
    assert [bool(getattr(firms, name)[gone]) for name in ("cqo", "certified", "distress", "reputation")] == [False] * 4
    assert firms.entered[gone] == model.month
    links = model.links
    of_firm = (links.supplier == gone) | (links.customer == gone)
    assert not links.relief[of_firm].any()
    assert not links.age[of_firm].any()
    # Mesa's agents: the old one has gone, a new one is in its place, the others are the same
    after = {a.row: a for a in model.agents if a.population == "firms"}
    old = before["firms"][gone]
    assert old not in model.agents
    assert after[gone] is not old
    assert after[gone] in model.agents_by_type[MemberFirm]
    assert after[gone].unique_id != old.unique_id
    assert after[gone].entered == model.month
    assert all(after[k] is before["firms"][k] for k in after if k != gone)
    assert len(after) == firms.n
    check_invariants(model)


def test_leader_that_gives_up_is_followed_by_a_leader():
    model = world(4, calm(cash_limit=0.25), burn_in=0)
    assert model.firms.is_leader[0]
    len(model.agents)
    for _ in range(3):
        model.month += 1
        sink(model, 0, -0.3)
        exit_and_enter(model)
    assert model.firms.exited[0]
    assert next(a for a in model.agents_by_type[ChainLeader] if a.row == 0).entered == model.month
    check_invariants(model)


def test_region_in_hard_times_obeys_every_law_and_stays_full():
    model = StrongchainModel(parameters=parameters(fortune_spread=(0.2, 0.15, 0.1)), rng=5, burn_in=0, instruments=(loans(),), check=True)
    gone = 0
    for _ in range(18):
        model.step()
        gone += int(model.firms.exited.sum())
        new = model.firms.exited
        assert not (model.firms.bank_debt + model.firms.programme_debt)[new].any()
        assert (model.firms.entered == model.month).nonzero()[0].tolist() == new.nonzero()[0].tolist()
    assert gone > 20
    assert model.firms.alive.all()


# -- prices ----------------------------------------------------------------------------------------


def test_prices_start_at_their_fixed_point():
    model = world(random_network(8, material=0.5), burn_in=0)
    firms = model.firms
    at_start = firms.price.copy()
    assert at_start == pytest.approx(1.0, abs=1e-9)  # 1 wherever materials leave room for the least cost
    set_prices(model)
    assert firms.price == pytest.approx(at_start, rel=1e-9)
    tight = world(line(3, share=0.97), burn_in=0)
    assert tight.firms.price[0] > 1.0
    assert tight.firms.unit_cost[0] == tight.parameters.least_cost
    before = tight.firms.price.copy()
    set_prices(tight)
    assert tight.firms.price == pytest.approx(before, rel=1e-9)


def alone(firms=40, **values):
    """Leaders of one size class without any supplier."""
    model = world(network({}, {f"L{k:02d}": 5e6 for k in range(firms)}), calm(**{"payout": 0.0, "cash_most": 120.0, **values}), burn_in=0)
    assert (model.firms.size_class == 1).all()
    return model


def settled(model, relief):
    """A month's money with external failure lower by so much."""
    model._turn_page()
    for phase in MONTH[1 : MONTH.index(charge_back) + 1]:
        phase(model)
    model.firms.external_failure[:] -= relief
    settle_accounts(model)


def test_own_saving_is_own_profit_and_moves_the_class_price_by_its_share_alone():
    usual, saving = alone(), alone()
    relief = only(saving, 3, 1e4)
    settled(usual, 0.0)
    settled(saving, relief)
    assert saving.firms.external_failure[3] >= 0
    assert saving.firms.profit - usual.firms.profit == pytest.approx(relief, abs=1e-3)
    cut = usual.firms.price - saving.firms.price
    assert cut == pytest.approx(1e4 / usual.firms.output.sum() / PRICE_MONTHS, rel=1e-6)  # the same for all, and not more for the saver


def test_saving_of_a_whole_class_passes_to_prices():
    usual, saving = alone(), alone()
    per_unit = 0.004
    for months in range(1, 49):
        settled(usual, 0.0)
        settled(saving, per_unit * saving.firms.output)
        cut = usual.firms.price - saving.firms.price
        assert cut == pytest.approx(per_unit * (1 - (1 - 1 / PRICE_MONTHS) ** months), rel=1e-6)
    gained = (saving.firms.profit - usual.firms.profit) / usual.firms.sales
    assert np.abs(gained).mean() < 0.04 * per_unit  # in the end users have it
    assert (usual.firms.price - saving.firms.price > 0.95 * per_unit).all()


def test_price_covers_materials_at_their_price():
    model = world(line_of_three(), calm(), burn_in=0)
    before = model.firms.price.copy()
    model.firms.unit_cost[2] += 0.1
    set_prices(model)
    set_prices(model)
    set_prices(model)
    assert model.firms.price - before == pytest.approx([0.025, 0.05, 0.1], abs=1e-9)


# -- stocks and flows ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def months_of_books():
    """Two years of a region with loans: before and after each month, balances, flows, sheets, and the bounds of stocks."""
    model = StrongchainModel(parameters=parameters(relation_end=0.0, candidates=0), rng=6, burn_in=3, instruments=(loans(),))
    seen = []
    for _ in range(24):
        balance, price = dict(model.books.balance), model.firms.price.copy()
        model.step()
        firms = model.firms
        use = model.by_customer(model.links.value_share * price[model.links.supplier]) * firms.output * (1 + firms.scrap)
        seen.append(
            {
                "balance": (balance, dict(model.books.balance)),
                "flows": model.transaction_flow_matrix(),
                "sheet": model.balance_sheet(),
                "stock": (firms.inventory.copy(), model.parameters.stock_most * use, firms.exited.copy()),
            }
        )
    return seen


def test_every_row_of_the_flow_matrix_sums_to_zero(months_of_books):
    for month in months_of_books:
        flows = month["flows"]
        size = np.abs(flows.drop(columns="sum").to_numpy()).max()
        assert np.abs(flows["sum"]).max() <= 1e-9 * size
        assert np.abs(flows.drop(columns="sum").sum(axis=1)).max() <= 1e-9 * size
        assert {"sales to users", "materials", "wages and overheads", "interest", "dividends", "charge-back", "repayment"} <= set(
            flows.index
        )


def test_last_row_of_the_flow_matrix_is_the_change_of_deposits(months_of_books):
    for month in months_of_books:
        before, after = month["balance"]
        change, size = month["flows"].loc["change of deposits"], max(abs(held) for held in after.values())
        for sector in before:
            assert change[sector] == pytest.approx(after[sector] - before[sector], abs=1e-9 * size), sector


def test_only_firms_and_households_accumulate_deposits(months_of_books):
    for month in months_of_books:
        sheet = month["sheet"]
        size = np.abs(sheet.loc["deposits"]).max()
        assert sheet.loc["deposits", "government"] == pytest.approx(0.0, abs=1e-9 * size)
        assert sheet.loc["deposits", "stations"] == pytest.approx(0.0, abs=1e-9 * size)
        assert sheet.loc["net worth", "lenders"] <= 1e-9 * size
        # What entrants buy abroad after users have bought is sold there the month after.
        flows = month["flows"]
        entrants = flows.loc["opening materials", "outside"] if "opening materials" in flows.index else 0.0
        assert sheet.loc["deposits", "outside"] == pytest.approx(entrants, abs=1e-9 * size)
        assert flows.loc["exports", "leaders"] > 0


def test_deposits_and_loans_sum_to_zero_over_the_sectors(months_of_books):
    for month in months_of_books:
        sheet = month["sheet"]
        for asset in ("deposits", "loans", "strong-chain loans"):
            size = np.abs(sheet.loc[asset].drop("sum")).max()
            assert abs(sheet.loc[asset, "sum"]) <= 1e-9 * max(size, 1.0), asset
        assert sheet.loc["loans", "lenders"] > 0
        assert sheet.loc["net worth", "sum"] == pytest.approx(sheet.loc["materials", "sum"], rel=1e-6)
        assert sheet.loc["deposits", "lenders"] == pytest.approx(-sheet.loc["deposits"].drop(["lenders", "sum"]).sum())


def test_stocks_of_materials_stay_between_nothing_and_the_stated_months_of_use(months_of_books):
    between = 0
    for month in months_of_books:
        stock, most, exited = month["stock"]
        assert (stock >= 0).all()
        assert (stock <= most * (1 + 1e-9))[~exited].all()
        between += int(((stock > 0) & (stock < most)).sum())
    assert between > 1000


def test_materials_bought_are_used_kept_or_sold():
    model = world(line_of_three(), calm(), burn_in=0)
    firms = model.firms
    firms.inventory, before = 0.0, material_cost(model) * firms.output
    model.step()
    # What is short was bought at once outside, at cost; scrap took that much more than was ordered.
    short = model.books.paid("firms", "materials at short notice")
    bought = model.by_customer(model.links.delivered)
    use = before * (1 + firms.scrap)
    assert short == pytest.approx(np.maximum(use - bought, 0.0).sum(), abs=1e-3)
    firms.inventory = 1e9
    model.step()
    assert firms.inventory == pytest.approx(model.parameters.stock_most * use, rel=0.01)
    assert model.books.month["outside", "leaders", "surplus materials"] > 0.9e9


def test_profit_of_a_month_is_what_firms_earned_and_no_financing():
    model = world(line_of_three(), calm(), burn_in=0)
    cash, stock = model.firms.cash.copy(), model.firms.inventory.copy()
    model.step()
    firms = model.firms
    financed = sum(model.books.paid("firms", why) for why in ("dividends", "repayment", "liquidation"))
    drawn = sum(amount for (_, _, why), amount in model.books.month.items() if why in {"loans", "strong-chain loans"})
    earned = (firms.cash - cash).sum() + financed - drawn
    assert firms.profit.sum() == pytest.approx(earned + (firms.inventory - stock).sum(), rel=1e-9)
    assert 0.0 < firms.profit.sum() / firms.sales.sum() < 0.1
    assert (firms.dividends >= model.parameters.payout * np.maximum(firms.profit, 0) - 1e-6).all()
