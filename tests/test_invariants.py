"""What must always hold, in any run; and each law can fail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import quality_map as maps
from sim.instruments import ChiefQualityOfficer, OneStopStations
from sim.invariants import (
    INVARIANTS,
    InvariantError,
    attribution_is_exact,
    books_balance,
    cases_are_counted,
    check_invariants,
    problems_are_counted,
    spending_is_within_budget,
    state_is_legal,
)
from tests.worlds import any_parameters, differing, line, networks, policies, random_network, region, regions, world

BUSY = region(stations=3, station_capacity=1.0, awareness=1.0, station_fee=0.0)


# -- they hold -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), any_parameters(), regions(), policies(), st.integers(0, 2**32))
def test_every_law_holds_in_every_month_of_any_world(some, p, place, policy, seed):
    model = world(some, p, policy, region=place, rng=seed, burn_in=3, check=True)
    model.run(18)
    assert model.month == 18


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


def test_checking_changes_no_bit():
    policy = (ChiefQualityOfficer(budget=3e4), OneStopStations(per_1000_firms=100.0))
    runs = [world(2, instruments=policy, check=check) for check in (False, True)]
    for model in runs:
        model.run(6)
    assert differing(*runs) == []


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
    """A world with cases waiting and a programme at work, in which every law holds."""
    made = world(random_network(6), instruments=(ChiefQualityOfficer(budget=2e4),), region=BUSY)
    made.run(4)
    assert (made.firms.case_station >= 0).any()
    check_invariants(made)
    return made


def caught(model, law):
    """Whether this law, and the check of all, see what is wrong."""
    assert list(law(model)), f"{law.__name__} saw nothing"
    with pytest.raises(InvariantError, match=law.__name__.replace("_", " ")):
        check_invariants(model)
    return True


def test_lost_money_is_caught(model):
    model.books.balance["members"] += 1.0
    assert caught(model, books_balance)


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
]


@pytest.mark.parametrize(("population", "column", "value"), ILLEGAL)
def test_illegal_state_is_caught(model, population, column, value):
    getattr(getattr(model, population), column)[0] = value
    assert caught(model, state_is_legal)


def test_every_broken_law_is_named_with_its_month(model):
    model.books.balance["members"] += 1.0
    model.firms.capability[0, 0] = 2.0
    with pytest.raises(InvariantError, match="month 4: books balance: .*; state is legal: firms.capability left"):
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
