"""The mechanisms of recall, supervision, awards, brands, mutual help, service manuals and assessment."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from sim.instruments import Assessment, Awards, Brands, ChiefQualityOfficer, MutualHelp, Recall, ServiceManuals, Supervision
from sim.instruments.programme import policy
from sim.invariants import check_invariants
from sim.month.market import appeal, market
from sim.month.orders import monthly_sales
from sim.month.recalls import recall_products
from sim.month.relations import view_of_candidates
from sim.month.sampling import nonconformity, risk, sample_products
from tests.sim.month.test_mechanisms import calm
from tests.support.contract import BOOKKEEPING
from tests.support.worlds import differing, network, random_network, region, world

MANAGEMENT = 0
FREE = {"unit_cost": 0.0}


def begin(model, *phases):
    """Begin a month: the programmes act, then some phases."""
    model.month += 1
    model._turn_page()
    for phase in (policy, *phases):
        phase(model)


def four_leaders(*instruments, **values):
    """Leaders without a link: A and B on one chain, C and D on another; A and C sell one product, B and D another."""
    given = network({}, dict.fromkeys("ABCD", 1e7), chain=[0, 0, 1, 1], chains=["one", "two"], sector=[0, 1, 0, 1], sectors=["x", "y"])
    model = world(given, calm(**values), instruments, burn_in=0)
    model.firms.capability[:, MANAGEMENT] = model.firms.natural[:, MANAGEMENT] = [0.9, 0.5, 0.3, 0.2]
    model.firms.absorptive = [0.5, 0.6, 0.7, 0.8]
    return model


def grown(model, before):
    """Growth of management against a copy of capabilities."""
    return (model.firms.capability - before)[:, MANAGEMENT]


def only_books_and(model, without, *columns):
    """Assert that two runs differ in nothing but what a programme without effect costs, and in some columns, all of them."""
    changed = set(differing(model, without)) - BOOKKEEPING
    assert changed == {f"firms.{column}" for column in columns}


# -- recall ----------------------------------------------------------------------------------------


def test_industry_and_chain_learn_from_a_recall_and_no_firm_learns_without_one():
    model = four_leaders(Recall(reach=1.0, lesson=0.1, **FREE), recall_rate=100.0)
    before = model.firms.capability.copy()
    begin(model)
    assert not grown(model, before).any()
    model.firms.out_detectable, model.firms.out_latent = [5.0, 0.0, 0.0, 0.0], 0.0
    recall_products(model)
    assert model.firms.recalls.tolist() == [1, 0, 0, 0]
    assert not grown(model, before).any()
    begin(model)
    learnt = 0.1 * model.firms.absorptive * (1 - before[:, MANAGEMENT])
    learnt[3] = 0.0  # D has neither product nor chain in common with A
    assert grown(model, before) == pytest.approx(learnt, rel=1e-12)
    assert (model.firms.capability[:, 1:] == before[:, 1:]).all()
    programme = model.programmes["recall"]
    assert programme.spent == programme.instrument.analysis_cost
    assert (programme.counts["analyses"], programme.counts["lessons"]) == (1, 3)


def test_no_firm_learns_from_a_recall_if_the_budget_does_not_cover_its_analysis():
    model = four_leaders(Recall(reach=1.0, lesson=0.1, budget=199_999.0, **FREE))
    before = model.firms.capability.copy()
    model.firms.recall_due = [1e5, 0.0, 0.0, 0.0]
    begin(model)
    assert not grown(model, before).any()
    assert model.programmes["recall"].spent == 0.0


def test_readiness_makes_a_recall_cheaper_by_its_share_and_ends_with_the_programme():
    due = []
    for readiness in (0.0, 0.4):
        model = four_leaders(Recall(reach=1.0, readiness=readiness, length=1, **FREE), recall_rate=100.0)
        model.firms.out_detectable = [5.0, 0.0, 0.0, 0.0]
        begin(model, recall_products)
        due.append(model.firms.recall_due[0])
        begin(model)
        assert not model.firms.recall_ready.any()
    assert due[1] == pytest.approx(0.6 * due[0], rel=1e-12)


# -- supervision -----------------------------------------------------------------------------------


def sampled_worlds(**levers):
    """A world of bad products under supervision of half of its firms, and one without, after a month's samples; and before them."""
    start = world(random_network(7, firms=120), calm(random_samples=20.0, targeted_samples=20.0))
    start.firms.out_detectable = 1.0
    start.check = False
    watched, usual = deepcopy(start), deepcopy(start)
    watched.adopt((Supervision(reach=0.5, **levers),))
    for model in (watched, usual):
        begin(model, sample_products)
    return start, watched, usual


def test_more_failed_samples_are_found_and_corrected_only_among_the_firms_watched():
    start, watched, usual = sampled_worlds(samples=500.0, sharper_fine=0.0)
    programme = watched.programmes["supervision"]
    taken = programme.counts["samples"]
    assert 15 <= taken <= 45  # 30 of 60 firms
    assert programme.spent == pytest.approx(3_000.0 * taken)
    firms = watched.firms
    ordered = firms.watched > 0
    assert np.isin(np.flatnonzero(ordered), programme.reached).all()
    assert firms.targeted[ordered].all()
    newly_failed = (firms.failed | firms.targeted_failed) & ~(usual.firms.failed | usual.firms.targeted_failed)
    assert newly_failed.sum() > 0.4 * taken  # a unit fails with a probability of two thirds or more
    assert ordered[newly_failed].all()
    closed = start.firms.open_problems - firms.open_problems
    had = start.firms.open_problems.any(axis=1)
    assert (closed.sum(axis=1)[newly_failed] == had[newly_failed]).all()
    others = ~ordered
    for column in ("targeted", "targeted_failed", "failed", "failed_month", "open_problems", "cash"):
        assert (getattr(firms, column)[others] == getattr(usual.firms, column)[others]).all(), column
    assert (nonconformity(watched) == nonconformity(usual)).all()  # finding defects is not preventing them


def test_fine_is_higher_for_the_firms_enrolled():
    _, watched, usual = sampled_worlds(samples=1e-9, sharper_fine=3.0)
    failed = usual.firms.failed | usual.firms.targeted_failed
    taken_on = np.isin(np.arange(failed.size), watched.programmes["supervision"].reached)
    assert (failed & taken_on).any() and (failed & ~taken_on).any()
    extra = usual.firms.cash - watched.firms.cash
    assert extra == pytest.approx(3.0 * watched.parameters.fine * monthly_sales(watched) * (failed & taken_on), abs=1e-6)


def test_samples_go_by_risk_class_where_they_are_targeted_and_to_all_firms_equally_otherwise():
    rates = []
    for targeted in (0.0, 1.0):
        model = world(8, calm(), (Supervision(reach=1.0, samples=50.0, targeted=targeted),))
        bad = np.arange(model.firms.n) % 5 == 0
        total = np.zeros(model.firms.n)
        for _ in range(600):
            model.firms.failed_month = np.where(bad, model.month, -1_000_000)
            begin(model)
            total += model.firms.watched
        weight = risk(model)
        rates.append((total[bad].mean() / total[~bad].mean(), weight[bad].mean() / weight[~bad].mean(), total.sum()))
    (alike, _, some), (by_risk, expected, many) = rates
    assert expected > 1.5
    assert alike == pytest.approx(1.0, rel=0.2)
    assert by_risk == pytest.approx(expected, rel=0.2)
    assert some == pytest.approx(many, rel=0.12)


# -- awards ----------------------------------------------------------------------------------------


def test_winners_were_better_by_several_times_what_the_award_does():
    given = random_network(5, firms=150, leaders=6, chains=3)
    with_them = world(given, instruments=(Awards(reach=0.1),))
    without = world(given)
    before = without.firms.own_dpu.copy()
    for model in (with_them, without):
        model.run(24)
    won = np.isin(np.arange(before.size), with_them.programmes["awards"].reached)
    stays = without.firms.alive & (without.firms.entered <= 0) & (with_them.firms.entered <= 0)
    now, otherwise = np.log(with_them.firms.own_dpu), np.log(without.firms.own_dpu)
    raw = now[stays & ~won].mean() - now[stays & won].mean()
    causal = [(otherwise - now)[stays & who].mean() for who in (won, ~won)]
    assert raw > 0.5
    assert raw > 5 * max(map(abs, causal))
    assert np.log(before[stays & ~won]).mean() - np.log(before[stays & won]).mean() > 0.5  # before any firm had won


def test_only_other_firms_of_its_chain_learn_from_a_winner():
    model = four_leaders(Awards(reach=0.25, demonstration=0.1), jury_noise=0.0)
    firms = model.firms
    firms.out_detectable, firms.out_latent = [0.01, 0.02, 0.03, 0.04], 0.0
    before, cash = firms.capability.copy(), firms.cash.copy()
    begin(model)
    assert model.programmes["awards"].reached.tolist() == [0]
    assert grown(model, before) == pytest.approx([0.0, 0.1 * 0.6 * (0.9 - 0.5), 0.0, 0.0], rel=1e-12)
    prize = model.programmes["awards"].instrument.prize
    assert firms.cash - cash == pytest.approx([prize, 0.0, 0.0, 0.0])
    assert model.books.paid("government", "awards") == firms.government_cost[0] == prize
    begin(model)
    assert model.programmes["awards"].spent == prize  # once
    check_invariants(model)


def test_prizes_are_paid_as_far_as_the_budget_goes():
    model = four_leaders(Awards(reach=0.75, prize=100.0, budget=250.0))
    begin(model)
    assert model.programmes["awards"].reached.size == 3
    assert model.programmes["awards"].spent == 200.0


# -- brands ----------------------------------------------------------------------------------------


def test_demand_moves_to_the_marked_and_no_defect_changes():
    model = four_leaders(demand_speed=1.0, whole_elasticity=0.0)
    model.firms.failed_month = [-100, -100, 0, -100]  # C failed a sample: no mark
    plain_one = deepcopy(model)
    model.adopt((Brands(reach=1.0, mark=0.2, bar=10.0),))
    for each in (model, plain_one):
        begin(each, market)
    assert model.programmes["brands"].reached.tolist() in ([0, 1, 3], [1, 0, 3], [0, 3, 1], [3, 0, 1], [1, 3, 0], [3, 1, 0])
    assert np.log(appeal(model) / appeal(plain_one)) == pytest.approx([0.2, 0.2, 0.0, 0.2])
    moved = np.log(model.firms.final_demand / plain_one.firms.final_demand)
    assert moved[0] - moved[2] == pytest.approx(0.2)  # A gains what its rival C loses
    assert model.firms.final_demand[[0, 2]].sum() == pytest.approx(plain_one.firms.final_demand[[0, 2]].sum())
    assert moved[[1, 3]] == pytest.approx([0.0, 0.0])  # both rivals bear the mark
    for column in ("own_dpu", "out_detectable", "out_latent", "capability", "open_problems"):
        assert (getattr(model.firms, column) == getattr(plain_one.firms, column)).all(), column


def test_mark_is_for_those_above_the_threshold_and_rests_after_a_failed_sample():
    model = four_leaders(Brands(reach=1.0, fee=100.0, bar=1.0, **FREE))
    firms = model.firms
    firms.out_detectable, firms.out_latent = [0.01, 0.02, 0.03, 0.04], 0.0
    begin(model)
    assert sorted(model.programmes["brands"].reached.tolist()) == [0, 1]  # the better of each product
    assert (firms.mark > 0).tolist() == [True, True, False, False]
    firms.failed_month[0] = model.month
    begin(model)
    assert (firms.mark > 0).tolist() == [False, True, False, False]
    assert model.books.paid("firms", "brands") == 100.0


def test_marked_candidate_is_viewed_with_less_noise():
    model = world(6, calm(), (Brands(reach=1.0, bar=10.0, visible=0.5),))
    links, candidates = np.arange(20), np.repeat(np.arange(10, 30)[:, None], 3, axis=1)
    model.firms.certified, model.firms.failed_month = False, -1_000_000
    begin(model)
    marked = view_of_candidates(model, links, candidates)
    bears = np.isin(candidates, model.programmes["brands"].reached)
    assert bears.mean() > 0.8
    model.firms.visible = 0.0
    doubted = view_of_candidates(model, links, candidates)
    model.firms.certified = True  # whose multiple of the noise is one half
    assert marked[bears] == pytest.approx(view_of_candidates(model, links, candidates)[bears], rel=1e-12)
    assert (marked == doubted)[~bears].all() and (marked != doubted)[bears].all()


# -- mutual help -----------------------------------------------------------------------------------


def test_firm_near_better_ones_learns_without_a_link_and_an_isolated_one_does_not():
    model = four_leaders(MutualHelp(reach=1.0, pace=0.1))
    firms = model.firms
    firms.county = [0, 1, 0, 2]  # C is in the county of A; B and D are alone
    before = firms.capability.copy()
    assert model.links.n == 0 and firms.chain[0] != firms.chain[2]
    begin(model)
    assert grown(model, before) == pytest.approx([0.0, 0.0, 0.1 * 0.7 * (0.9 - 0.3), 0.0], rel=1e-12)
    assert (firms.capability[:, 1:] == before[:, 1:]).all()
    assert model.programmes["mutual_help"].spent == 4 * 500.0


# -- service manuals -------------------------------------------------------------------------------

NO_STATIONS = {"region": region(60, stations=0)}


def test_manuals_make_another_programme_reach_more_firms():
    given = random_network(9, firms=60)
    officers = ChiefQualityOfficer(reach=0.4)
    manuals = ServiceManuals(reach=1.0, uptake=0.5)
    number = []
    for instruments in ((officers,), (officers, manuals)):
        model = world(given, calm(), instruments, **NO_STATIONS)
        able = int(officers.eligible(model).sum())
        begin(model)
        number.append(model.programmes["cqo"].reached.size / able)
    assert number == pytest.approx([0.4, 0.4 + 0.6 * 0.5], abs=1 / able)


def test_manuals_by_themselves_change_nothing_but_what_firms_know():
    given = random_network(9, firms=60)
    model, without = world(given, instruments=(ServiceManuals(),), **NO_STATIONS), world(given, **NO_STATIONS)
    for each in (model, without):
        each.run(6)
    only_books_and(model, without, "uptake", "knows_stations")


def test_firms_still_know_the_stations_when_uptake_has_ended():
    model = world(9, calm(), (ServiceManuals(reach=1.0, length=1),))
    assert not model.firms.knows_stations.all()
    begin(model)
    assert model.firms.uptake.all()
    begin(model)
    assert model.firms.knows_stations.all()
    assert not model.firms.uptake.any()


# -- assessment ------------------------------------------------------------------------------------


def delivered(*instruments, months=6):
    """Firms that the officers' programme has taken on, month by month."""
    model = world(random_network(9, firms=60), calm(), instruments, **NO_STATIONS)
    for _ in range(months):
        begin(model)
    return np.cumsum([firms for _, firms in model.programmes["cqo"].awards]).tolist()


def test_effort_makes_another_programme_grow_and_take_on_faster():
    assessed = Assessment(effort=1.0, uptake=0.0)
    slow, fast = ((ChiefQualityOfficer(ramp=12, reach=1.0), *others) for others in ((), (assessed,)))
    alone, with_it = delivered(*slow, months=12), delivered(*fast, months=12)
    assert with_it[:6] == alone[1::2]
    assert with_it[5:] == [alone[11]] * 7  # faster, and no further
    tight = ChiefQualityOfficer(monthly_capacity=3, reach=0.5)
    assert delivered(tight)[:3] == [3, 6, 9]
    assert delivered(tight, assessed)[:3] == [6, 12, 18]


def test_assessment_by_itself_changes_nothing():
    given = random_network(9, firms=60)
    model, without = world(given, instruments=(Assessment(),), **NO_STATIONS), world(given, **NO_STATIONS)
    for each in (model, without):
        each.run(6)
    only_books_and(model, without, "uptake", "effort")


def test_only_counties_whose_bonus_is_paid_make_an_effort():
    model = four_leaders(Assessment(share_of_counties=0.75, bonus=1_200.0, budget=250.0))
    model.firms.county = [0, 1, 2, 3]
    begin(model)
    programme = model.programmes["assessment"]
    assert programme.reached.size == 3
    assert (model.firms.effort > 0).sum() == (model.firms.uptake > 0).sum() == 2
    assert programme.spent == pytest.approx(200.0)
    assert (model.firms.government_cost > 0).tolist() == (model.firms.effort > 0).tolist()
    begin(model)
    assert not model.firms.effort.any()
