"""Mechanisms of training bases, certification, metrology, testing services, standards and the quality map's visits."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from scipy.stats import spearmanr

from agents.firm import MANAGEMENT, METROLOGY, SIZE_CLASSES, TESTING
from sim.attribution.quality_map import blocks, quality_map
from sim.instruments import TARGETING, Certification, Metrology, QualityMapping, Standards, TestingServices, TrainingBases
from sim.instruments.programme import policy
from sim.month.inspection import decide_inspection, detection_parts
from sim.month.own_defects import make_own_defects
from sim.month.propagation import interface_defects, propagate
from sim.month.quality_cost import inspection_costs
from sim.month.relations import view_of_candidates
from sim.month.sampling import risk
from tests.sim.month.test_mechanisms import calm
from tests.support.contract import BOOKKEEPING
from tests.support.worlds import differing, random_network, world

EVERYBODY = {"reach": 1.0, "sizes": SIZE_CLASSES}


def policy_months(model, number=1):
    """Let programmes act for some months in which nothing else happens; yields after each."""
    for _ in range(number):
        model.month += 1
        model._turn_page()
        policy(model)
        yield model.month


def delivered(model, instrument):
    """A copy of a world after one month of an instrument, and of nothing else."""
    after = deepcopy(model)
    after.adopt([instrument])
    list(policy_months(after))
    return after


def quiet(seed, **values):
    """A world of 30 firms in which nothing happens by itself, just started."""
    return world(seed, calm(**values), burn_in=0)


def gained(after, before):
    return after.firms.capability - before.firms.capability


def but(kind):
    """All capabilities but one."""
    return [k for k in range(4) if k != kind]


# -- training bases --------------------------------------------------------------------------------


def test_ten_more_days_of_a_course_teach_less_and_management_alone():
    start = quiet(31)
    ten, twenty = (delivered(start, TrainingBases(days=days, every=1, **EVERYBODY)) for days in (10.0, 20.0))
    first, second = gained(ten, start), gained(twenty, ten)
    assert (first[:, MANAGEMENT] > 0).all()
    assert second[:, MANAGEMENT] == pytest.approx(np.exp(-10.0 / TrainingBases.scale) * first[:, MANAGEMENT], rel=1e-9)
    again = gained(delivered(ten, TrainingBases(days=10.0, every=1, **EVERYBODY)), ten)
    assert (again[:, MANAGEMENT] < first[:, MANAGEMENT]).all()  # less is missing by then
    for model in (ten, twenty):
        assert (model.firms.capability[:, but(MANAGEMENT)] == start.firms.capability[:, but(MANAGEMENT)]).all()


def test_firms_come_to_a_course_in_turn_and_pay_their_part():
    bases = TrainingBases(subsidy=0.4, trainees=3, **EVERYBODY)
    model = world(31, calm(), (bases,), burn_in=0)
    firms, courses, paid = model.firms, 0, 0.0
    for _ in policy_months(model, 12):
        courses = courses + (firms.government_cost > 0)
        paid = paid + firms.prevention
        assert (firms.government_cost > 0).sum() < firms.n / 2  # never all at once
    price = 3 * bases.days * bases.day_cost
    assert (courses == 1).all()
    assert paid == pytest.approx(0.6 * price, rel=1e-12)
    assert model.programmes["training_bases"].spent == pytest.approx(0.4 * price * firms.n, rel=1e-12)
    assert model.programmes["training_bases"].counts["seats"] == 3 * firms.n


# -- certification ---------------------------------------------------------------------------------


def test_certificate_without_substance_is_a_signal_alone():
    start = quiet(32, caution=5.0)  # customers who shun doubt
    start.firms.certified, start.firms.certificate_left = False, 0
    without, signal, both = (
        delivered(start, Certification(reach=reach, substance=substance)) for reach, substance in ((0.0, 0.0), (1.0, 0.0), (1.0, 2.0))
    )
    firms, p = signal.firms, signal.parameters
    assert firms.certified.all()
    assert (firms.certificate_left == p.certificate_months).all()
    for model in (without, signal, both):
        make_own_defects(model)
    assert (firms.own_dpu == without.firms.own_dpu).all()
    assert (both.firms.own_dpu < without.firms.own_dpu).all()
    assert risk(signal) == pytest.approx(p.risk_signal * risk(without), rel=1e-12)
    links, candidates = np.arange(20), np.repeat(np.arange(10, 30)[:, None], 3, axis=1)
    doubted, vouched = (view_of_candidates(model, links, candidates) for model in (without, signal))
    assert (vouched < doubted).mean() > 0.8


def test_certificate_leaves_behind_the_stated_multiple_of_its_usual_substance():
    start = quiet(32)
    start.firms.certified = False
    led = delivered(start, Certification(reach=1.0, substance=3.0))
    lesson = 3.0 * start.parameters.certificate_substance * start.firms.absorptive
    assert gained(led, start)[:, MANAGEMENT] == pytest.approx(lesson * (1.0 - start.firms.capability[:, MANAGEMENT]), rel=1e-9)
    assert (gained(led, start)[:, but(MANAGEMENT)] == 0.0).all()


# -- metrology -------------------------------------------------------------------------------------


def test_metrology_partner_raises_detection_and_lowers_false_alarms():
    start = quiet(33)
    without, calibrated = (delivered(start, Metrology(lesson=lesson, **EVERYBODY)) for lesson in (0.0, 0.2))
    for model in (without, calibrated):
        decide_inspection(model)
    assert (calibrated.firms.detection > without.firms.detection).all()
    assert (calibrated.firms.false_alarm < without.firms.false_alarm).all()
    assert (gained(calibrated, start)[:, but(METROLOGY)] == 0.0).all()  # testing among them
    (finds, leaves), (finds_before, leaves_before) = detection_parts(calibrated), detection_parts(without)
    assert (finds == finds_before).all()
    assert (leaves > leaves_before).all()


# -- testing services ------------------------------------------------------------------------------


def test_reliability_tests_move_latent_defects_to_the_detectable_ones():
    start = quiet(34, latent_share=0.4)
    settings = {"reliability": 0.25, "saving": 0.0, "lesson": 0.0, **EVERYBODY}
    without, tested = (delivered(start, TestingServices(tests=tests, **settings)) for tests in (0.0, 1.0))
    for model in (without, tested):
        make_own_defects(model)
        propagate(model)
    (detectable, latent), (seen, hidden) = blocks(without), blocks(tested)
    assert (latent.source > 0).all()
    assert hidden.source == pytest.approx(0.75 * latent.source, rel=1e-12)
    assert seen.source - detectable.source == pytest.approx(latent.source - hidden.source, rel=1e-9)
    for column in ("own_dpu", "own_special", "capability", "inspection_saved", "detection"):
        assert (getattr(tested.firms, column) == getattr(without.firms, column)).all(), column
    assert (tested.firms.out_latent < without.firms.out_latent).all()
    assert (tested.firms.before_final > without.firms.before_final).all()


def test_tests_teach_and_make_inspection_cheaper_where_they_are_made():
    start = quiet(34)
    services = TestingServices(tests=0.5, reliability=0.0, saving=0.2, lesson=0.1, **EVERYBODY)
    after = delivered(start, services)
    tested = after.firms.inspection_saved > 0
    assert 5 < tested.sum() < 25
    assert ((gained(after, start)[:, TESTING] > 0) == tested).all()
    assert (gained(after, start)[:, but(TESTING)] == 0.0).all()
    for before, now in zip(inspection_costs(start), inspection_costs(after), strict=True):
        assert now == pytest.approx(np.where(tested, 0.8, 1.0) * before, rel=1e-12)
    programme = after.programmes["testing_services"]
    assert programme.counts["tests"] == tested.sum()
    assert programme.spent == pytest.approx(services.test_cost * tested.sum(), rel=1e-12)
    for model in (start, after):
        decide_inspection(model)
    gain = after.firms.inspection - start.firms.inspection
    assert (gain[tested] > 0).any()
    assert (gain >= 0).all()
    assert (gain[~tested] == 0).all()


# -- standards -------------------------------------------------------------------------------------


def test_joint_standard_acts_where_both_sides_keep_it():
    start = quiet(35)
    without, after = (delivered(start, Standards(reach=0.5, strength=strength, length=1)) for strength in (0.0, 0.4))
    keeps = np.zeros(after.firms.n, dtype=bool)
    keeps[after.programmes["standards"].reached] = True
    supplier, customer = keeps[after.links.supplier], keeps[after.links.customer]
    both, one = supplier & customer, supplier ^ customer
    assert min(both.sum(), one.sum()) > 3
    before, now = interface_defects(without), interface_defects(after)
    assert now[both] == pytest.approx(0.6 * before[both], rel=1e-12)
    assert (now[~both] == before[~both]).all()  # one side alone: nothing
    assert (gained(after, start) == 0.0).all()
    list(policy_months(after))
    assert (interface_defects(after) == before).all()  # no firm keeps it once the programme has ended


# -- visits for the quality map --------------------------------------------------------------------


def test_visits_bring_the_ranking_nearer_to_the_true_map_and_change_no_firm():
    start = world(random_network(36, firms=120, leaders=6), calm(map_noise=1.5), burn_in=0)
    unseen, vague, exact = (delivered(start, QualityMapping(accuracy=accuracy, reach=1.0)) for accuracy in (0.0, 0.7, 1.0))
    true = quality_map(start).by_firm
    near = [spearmanr(TARGETING["quality_map"](model), true).statistic for model in (unseen, vague, exact)]
    assert near[0] + 0.1 < near[1] < near[2]
    assert near[2] == pytest.approx(1.0)
    assert set(differing(vague, unseen)) - BOOKKEEPING == {"firms.mapped"}
    programme = vague.programmes["quality_map"]
    assert programme.counts["visits"] == start.firms.n
    assert programme.spent == pytest.approx(start.firms.n * QualityMapping.visit_cost, rel=1e-12)


def test_doubt_comes_back_until_the_next_visit_and_for_good_after_the_last():
    mapping = QualityMapping(accuracy=0.8, every=6, fading=0.1, length=13, reach=1.0)
    model = world(36, calm(), (mapping,), burn_in=0)
    seen = np.array([model.firms.mapped.copy() for _ in policy_months(model, 13)])
    assert (seen[0] == 0.8).all()
    assert (seen == 0.8).sum(axis=0) == pytest.approx(3)  # the first visit, then once in six months
    assert seen.min(axis=0) == pytest.approx(0.8 * 0.9**5, rel=1e-9)
    assert model.programmes["quality_map"].counts["visits"] == 3 * model.firms.n
    list(policy_months(model))
    assert (model.firms.mapped == 0.0).all()
