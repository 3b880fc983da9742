"""What must always hold, in any run; and each law can fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.streams import Streams
from sim import model as model_module
from sim.attribution import quality_map as maps
from sim.instruments import ChiefQualityOfficer, OneStopStations, StrongChainLoans
from sim.invariants import (
    INVARIANTS,
    InvariantError,
    attribution_is_exact,
    books_balance,
    cases_are_counted,
    check_invariants,
    loans_are_counted,
    orders_settle,
    problems_are_counted,
    relations_are_sound,
    spending_is_within_budget,
    state_is_legal,
)
from tests.support.worlds import (
    Events,
    any_parameters,
    differing,
    eventful,
    hold,
    line,
    network,
    networks,
    permuted,
    policies,
    random_network,
    region,
    regions,
    world,
)

BUSY = region(stations=3, station_capacity=1.0, awareness=1.0, station_fee=0.0)
ALL = (
    ChiefQualityOfficer(pay_subsidy=0.3),
    OneStopStations(per_1000_firms=30.0),
    StrongChainLoans(reach=1.0, guarantee=0.5, score_least=0.2),
)


# -- they hold -------------------------------------------------------------------------------------


@pytest.mark.study
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), any_parameters(), regions(), policies(), st.integers(0, 2**32))
def test_every_law_holds_in_every_month_of_any_world(some, p, place, policy, seed):
    model = world(some, p, policy, region=place, rng=seed, burn_in=3, check=True)
    model.run(18)
    assert model.month == 18


@pytest.mark.study
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), any_parameters(most=4, calm=False), st.integers(0, 2**32))
def test_every_law_holds_under_all_instruments_where_much_happens(some, p, seed):
    world(some, p, ALL, rng=seed, burn_in=3, check=True).run(18)


@pytest.mark.study
@settings(max_examples=20, deadline=None)
@given(networks(most=12), regions(), policies(), st.integers(0, 2**32))
def test_every_law_holds_when_agents_leave(some, place, policy, seed):
    model = world(some, None, policy, region=place, rng=seed, burn_in=2, check=True)
    r = np.random.default_rng(seed)
    for _ in range(6):
        model.step()
        model.leave("firms", int(r.choice(np.flatnonzero(model.firms.alive))))
        if model.stations.alive.any() and r.random() < 0.5:
            model.leave("stations", int(r.choice(np.flatnonzero(model.stations.alive))))
        check_invariants(model)
        if not model.firms.alive.any():
            break


@pytest.mark.study
def test_every_law_holds_for_ten_years_in_which_everything_happens():
    """Firms give up, enter, change suppliers, recall, borrow, fail to pay back; government pays what it guaranteed."""
    without_discount = (*ALL[:2], replace(ALL[2], discount=0.0))
    model = world(
        random_network(8, firms=120, leaders=6, chains=3), eventful(), without_discount, region=region(120, leaders=6, chains=3), check=True
    )
    events = Events().watch(model, 120)
    assert events.exits == events.entries > 100
    assert (model.firms.entered > 0).sum() > 50, "a few places alone see all the exits"
    assert model.counts["suppliers replaced"] > 100
    assert events.recalls > 10
    assert model.firms.bank_debt.any() and model.firms.programme_debt.any()
    assert (model.lenders.written_off > 0).all()
    assert (model.lenders.repaid > 0).all()
    assert events.to_lenders == pytest.approx(0.5 * model.lenders.written_off[0, 1])
    assert all(programme.gone > 10 for programme in model.programmes.values())
    assert all(count > 100 for event, count in model.counts.items() if event != "changes refused"), model.counts


def test_checking_changes_no_bit():
    policy = (ChiefQualityOfficer(budget=3e4), OneStopStations(per_1000_firms=100.0), StrongChainLoans(score_least=0.0))
    runs = [world(2, eventful(), policy, check=check) for check in (False, True)]
    for model in runs:
        model.run(12)
    assert differing(*runs) == []


class Relabelled(Streams):
    """Random numbers that firms keep when their rows change: row k draws what row `order[k]` drew before, also for its links.

    Parameters
    ----------
    key : pair of int
    order : array
        The rows before; their number says which draws are of firms.
    """

    def __init__(self, key, order):
        super().__init__(key)
        self.order = order

    def uniform(self, decision, month, n, slot=0):
        drawn = super().uniform(decision, month, n, slot)
        return drawn[self.order] if n == self.order.size else drawn

    def uniform_of_slots(self, decision, month, places, slots, turns=1):
        return Streams(self.key).uniform_of_slots(decision, month, self.order[places], slots, turns)


def test_relabelling_firms_permutes_the_whole_month(monkeypatch):
    """Random numbers kept, with all instruments, entry, exit and recalls.

    Two things go by the order of rows and are left out: which candidate a customer happens on, and which
    of several suppliers a recall is traced to.
    """
    given = random_network(8, firms=60)
    order = np.random.default_rng(1).permutation(60)
    relabelled = permuted(given, order)
    row_of = {ends: row for row, ends in enumerate(zip(given.supplier.tolist(), given.customer.tolist(), strict=True))}
    ends = zip(order[relabelled.supplier].tolist(), order[relabelled.customer].tolist(), strict=True)
    link_order = np.array([row_of[pair] for pair in ends])
    assert given.n_firms not in (2, 3), "firms are known by their number"

    p = eventful(candidates=0, recall_liability=0.0)
    first = world(given, p, ALL)
    monkeypatch.setattr(model_module, "Streams", lambda key: Relabelled(key, order))
    second = world(relabelled, p, ALL)
    events = Events().watch(first, 36)
    second.run(36)
    assert events.exits > 10 and events.recalls and events.to_lenders
    for one, other, rows in ((first.firms, second.firms, order), (first.links, second.links, link_order)):
        for name, column in one.columns.items():
            if name in {"supplier", "customer", "recalls_traced"}:
                continue
            before, after = getattr(one, name)[rows], getattr(other, name)
            scale = float(np.abs(before).max(initial=0.0)) if column.dtype == "float64" else 0.0
            assert np.allclose(after, before, rtol=1e-9, atol=1e-12 * scale), f"{one.kind}.{name}"
    assert second.counts == first.counts
    assert second.record.values == pytest.approx(first.record.values, rel=1e-9, abs=1e-12, nan_ok=True)
    assert not np.allclose(first.firms.out_latent, second.firms.out_latent), "nothing was relabelled"


def test_frozen_month_of_an_eventful_world_converges_to_the_fixed_point():
    model = world(5, eventful(), ALL)
    model.run(36)
    assert model.counts["suppliers replaced"] and (model.firms.entered > 0).any() and model.links.relief.any()
    moved = model.firms.out_detectable + model.firms.out_latent
    hold(model)
    held = model.firms.out_detectable + model.firms.out_latent
    assert held == pytest.approx(model.steady_state(), rel=1e-9, abs=1e-15)
    assert held != pytest.approx(moved, rel=1e-3)
    assert (model.parameters.field_cost * model.firms.to_users) @ held == pytest.approx(model.quality_map().total, rel=1e-9)


def test_world_without_burn_in_starts_legal_and_stays_so():
    model = world(3, burn_in=0, check=True)
    assert model.month == 0
    check_invariants(model)
    model.run(6)
    assert model.month == 6
    assert np.isfinite(model.record.series("field_dpu")).all()


def test_months_of_the_burn_in_end_at_0():
    assert world(3, burn_in=9).month == 0


def test_firm_that_left_costs_nothing_and_makes_nothing():
    model = world(4, region=BUSY)
    model.firms.cqo = True
    model.leave("firms", 5)
    for _ in range(8):
        model.step()
        check_invariants(model)
        for column in (
            "output",
            "orders",
            "out_detectable",
            "out_latent",
            "prevention",
            "appraisal",
            "internal_failure",
            "external_failure",
        ):
            assert getattr(model.firms, column)[5] == 0.0, column
        assert not model.firms.sampled[5]
        assert model.firms.problems_opened[5] == 0
    paid = model.firms.prevention.sum()
    officers = sum(amount for (_, _, why), amount in model.books.month.items() if why == "chief quality officers")
    assert 0 < officers <= paid


# -- they can fail ---------------------------------------------------------------------------------


@pytest.fixture
def model():
    """A world with cases waiting, debts of both kinds and programmes at work, in which every law holds."""
    loans = StrongChainLoans(reach=1.0, score_least=0.0)
    made = world(random_network(6), eventful(), (ChiefQualityOfficer(budget=2e4), loans), region=BUSY)
    made.run(4)
    assert (made.firms.case_station >= 0).any()
    assert made.firms.bank_debt.any() and made.firms.programme_debt.any()
    check_invariants(made)
    return made


def caught(model, law, expected=""):
    """Whether this law, and the check of all, see what is wrong."""
    assert any(expected in what for what in law(model)), f"{law.__name__} saw nothing of it"
    with pytest.raises(InvariantError, match=law.__name__.replace("_", " ")):
        check_invariants(model)
    return True


@pytest.mark.parametrize("sector", ["leaders", "households", "government", "stations", "lenders", "outside"])
def test_lost_money_is_caught(model, sector):
    model.books.balance[sector] += 1e-8 * sum(abs(held) for held in model.books.balance.values())
    assert caught(model, books_balance, "deposits sum to")


@pytest.mark.parametrize("leads", [True, False])
def test_cash_that_a_firm_has_past_the_books_is_caught(model, leads):
    row = np.flatnonzero(model.firms.is_leader == leads)[0]
    model.firms.cash[row] += 1e-8 * sum(abs(held) for held in model.books.balance.values())
    assert caught(model, books_balance, "leaders hold" if leads else "members hold")


def test_money_booked_to_the_wrong_firms_is_caught(model):
    """The sectors' deposits still sum to zero."""
    amount = 1e-8 * sum(abs(held) for held in model.books.balance.values())
    model.books.pay("leaders", "members", "a gift", amount)
    assert not any("sum to" in what for what in books_balance(model))
    assert caught(model, books_balance, "by the books")


def test_money_that_is_no_number_is_caught(model):
    model.books.balance["outside"] = np.nan
    assert caught(model, books_balance, "deposits sum to nan")


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("column", ["granted", "repaid", "written_off", "outstanding"])
def test_loan_that_is_not_counted_is_caught(model, column, kind):
    getattr(model.lenders, column)[:, kind] += 1e-8 * model.lenders.granted[0, kind]
    assert caught(model, loans_are_counted, "loans granted")


@pytest.mark.parametrize("kind", [0, 1])
def test_debt_that_is_forgotten_is_caught(model, kind):
    """By both lender and debtor: the lender's own accounts still add up."""
    debt = (model.firms.bank_debt, model.firms.programme_debt)[kind]
    debt[debt.argmax()] *= 1.0 - 1e-6
    assert [what for what in loans_are_counted(model) if "granted" in what] == []
    assert caught(model, loans_are_counted, "firms owe")


def test_debt_of_the_wrong_kind_is_caught(model):
    row = model.firms.programme_debt.argmax()
    model.firms.bank_debt[row] += model.firms.programme_debt[row]
    model.firms.programme_debt[row] = 0.0
    assert len(list(loans_are_counted(model))) == 2
    assert caught(model, loans_are_counted, "firms owe")


def test_firm_that_supplies_itself_is_caught(model):
    model.links.supplier[0] = model.links.customer[0]
    assert caught(model, relations_are_sound, "supplies itself")


def test_relation_that_is_listed_twice_is_caught(model):
    customer = np.flatnonzero(np.diff(model.links.customer) == 0)[0]
    model.links.supplier[customer + 1] = model.links.supplier[customer]
    assert caught(model, relations_are_sound, "stands twice")


@pytest.mark.parametrize("end", ["supplier", "customer"])
def test_relation_that_the_network_does_not_know_is_caught(model, end):
    getattr(model.links, end)[0] = (getattr(model.links, end)[0] + 1) % model.firms.n
    assert caught(model, relations_are_sound, "does not know")


@pytest.mark.parametrize("column", ["orders", "users_ordered", "elsewhere_ordered"])
def test_order_without_a_buyer_is_caught(model, column):
    getattr(model.firms, column)[0] += 1e-8 * model.firms.orders.max()
    assert caught(model, relations_are_sound, "orders placed")


def test_order_without_a_receiver_is_caught(model):
    model.links.ordered[0] += 1e-8 * model.firms.orders.max()
    assert caught(model, relations_are_sound, "orders placed")


@pytest.mark.parametrize("column", ["open_problems", "common_problems"])
def test_problem_from_nowhere_is_caught(model, column):
    getattr(model.firms, column)[0, 0] += 1
    assert caught(model, problems_are_counted)


def test_forgotten_closing_is_caught(model):
    model.counts["problems closed"] -= 1
    assert caught(model, problems_are_counted)


@pytest.mark.parametrize("count", ["cases received", "cases served", "cases withdrawn"])
def test_miscounted_case_is_caught(model, count):
    model.counts[count] += 1
    assert caught(model, cases_are_counted)


@pytest.mark.parametrize("column", ["received", "served", "withdrawn", "queue"])
def test_case_miscounted_at_a_station_is_caught(model, column):
    getattr(model.stations, column)[0] += 1
    assert caught(model, cases_are_counted)


def test_case_that_changes_station_unseen_is_caught(model):
    place, kind = (index[0] for index in np.nonzero(model.firms.case_station >= 0))
    model.firms.case_station[place, kind] = (model.firms.case_station[place, kind] + 1) % model.stations.n
    assert caught(model, cases_are_counted)


def test_overspending_is_caught(model):
    model.programmes["cqo"].spent = 2e4 + 1e-3
    assert caught(model, spending_is_within_budget)


def test_wrong_attribution_is_caught(model, monkeypatch):
    right = maps.Block.adjoint
    monkeypatch.setattr(maps.Block, "adjoint", lambda block, cost: right(block, cost) * (1 + 1e-8))
    assert caught(model, attribution_is_exact)


def test_attribution_of_nothing_that_is_a_number_is_caught(model):
    model.firms.own_dpu[0] = np.nan
    assert caught(model, attribution_is_exact)


def test_orders_and_defects_that_grow_round_a_loop_are_caught():
    model = world(network({("b", "a"): 0.7, ("c", "b"): 0.7, ("b", "c"): 0.7}, {"a": 1e6}))
    check_invariants(model)
    model.firms.scrap = 0.5
    assert caught(model, orders_settle, "would grow without end")
    assert list(attribution_is_exact(model)) == []
    model.links.carried[:] = 1.1
    assert caught(model, attribution_is_exact, "no finite fixed point")


@pytest.mark.parametrize("value", [-1e-9, 1 + 1e-9, np.nan])
def test_capability_outside_0_and_1_is_caught(model, value):
    model.firms.capability[0, 0] = value
    assert caught(model, state_is_legal)


ILLEGAL = [
    ("firms", "orders", np.inf),
    ("firms", "output", -1.0),
    ("firms", "out_latent", -1e-9),
    ("firms", "open_problems", -1),
    ("firms", "scrap", 1.1),
    ("links", "rating", np.nan),
    ("links", "relief", -0.1),
    ("links", "value_share", -0.1),
    ("stations", "competence", 1.1),
    ("stations", "queue", -1),
    ("firms", "cash", np.inf),
    ("firms", "fortune", np.nan),
    ("firms", "inventory", -1e-9),
    ("firms", "bank_debt", -1e-9),
    ("firms", "price", -1e-9),
    ("firms", "to_users", -1e-9),
    ("firms", "distress", -1),
    ("firms", "recalls", -1),
    ("links", "listed", -1),
    ("links", "charge_back", -1e-9),
    ("chain_heads", "spent", -1e-9),
    ("lenders", "outstanding", -1e-9),
    ("lenders", "rate", np.nan),
]


@pytest.mark.parametrize(("population", "column", "value"), ILLEGAL)
def test_illegal_state_is_caught(model, population, column, value):
    getattr(getattr(model, population), column)[0] = value
    assert caught(model, state_is_legal)


def test_every_broken_law_is_named_with_its_month(model):
    model.books.balance["members"] += 1e6
    model.firms.capability[0, 0] = 2.0
    with pytest.raises(InvariantError, match="month 4: books balance: .*; state is legal: firms.capability rose above 1"):
        check_invariants(model)


def test_run_that_checks_stops_at_the_broken_law(model):
    model.check = True
    model.counts["problems opened"] += 1
    with pytest.raises(InvariantError, match="month 5: problems are counted"):
        model.step()


def test_run_that_does_not_check_goes_on(model):
    model.counts["problems opened"] += 1
    model.step()


def test_every_law_says_what_it_is():
    assert all(law.__doc__ for law in INVARIANTS)
    assert len({law.__name__ for law in INVARIANTS}) == len(INVARIANTS)


def test_smallest_world_obeys():
    world(line(1), burn_in=2, check=True).run(6)
