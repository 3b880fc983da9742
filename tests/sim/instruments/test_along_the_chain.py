"""The mechanisms of instruments that act along the chain: teaching and auditing suppliers, joint research, data, records."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from sim.instruments import Consortia, DigitalQuality, SupplierDevelopment, SupplierQualification, Traceability
from sim.month.orders import monthly_sales
from sim.month.quality_cost import inspection_costs, seen_share
from sim.month.recalls import recall_products
from tests.sim.month.test_mechanisms import calm, link, one_supplier_two_customers, reaching, traced_network
from tests.support.worlds import line, network, random_network, row, world

MANAGEMENT, METROLOGY = 0, 1
#: What firms know stays as it is, except for what a programme teaches.
FORGETS_NOTHING = {"spillover": 0.0, "diffusion": 0.0, "practice_decay": 0.0}


def begin(model, instrument, rows=None):
    """Put a programme in place and let it act in a month of its own; with `rows`, on these firms instead of those it chooses."""
    model.adopt((instrument,))
    programme = model.programmes[instrument.key]
    if rows is not None:
        programme.reached = np.array(rows)
    model.month += 1
    model._turn_page()
    programme.deliver(model)
    return programme


# -- supplier development --------------------------------------------------------------------------


def test_defects_fall_twice_as_much_for_the_customer_whose_team_came():
    idle = one_supplier_two_customers(**FORGETS_NOTHING)
    idle.firms.capability[row(idle, "T"), MANAGEMENT] = 0.95
    helped = deepcopy(idle)
    helped.adopt((SupplierDevelopment(reach=1.0),))
    for model in (idle, helped):
        model.run(12)
    falls = {name: np.log(reaching(idle, name) / reaching(helped, name)) for name in "TO"}
    assert falls["O"] > 0.02
    assert falls["T"] / falls["O"] == pytest.approx(2.0, rel=0.01)
    changed = helped.firms.capability != idle.firms.capability
    assert np.argwhere(changed).tolist() == [[row(helped, "s"), MANAGEMENT]]


def test_customers_that_teach_pay_and_no_others():
    model = one_supplier_two_customers(**FORGETS_NOTHING)
    model.firms.capability[row(model, "T"), MANAGEMENT] = 0.95
    model.firms.prevention = 0.0
    programme = begin(model, SupplierDevelopment(reach=1.0, team_cost=0.02))
    cost = 0.02 * model.links.delivered[link(model, "s", "T")]
    assert cost > 0
    assert model.firms.prevention == pytest.approx(model.for_firms(np.array([row(model, "T")]), cost))
    assert model.books.paid("firms", "supplier_development") == pytest.approx(cost)
    assert programme.counts["lessons"] == 1


def test_teams_come_tier_by_tier_as_far_as_the_programme_goes():
    model = world(line(4), calm(**FORGETS_NOTHING), burn_in=0)
    management = model.firms.capability[:, MANAGEMENT]
    management[:] = [0.9, 0.6, 0.4, 0.2]
    model.adopt((SupplierDevelopment(reach=1.0, cascade=2, tiers=2),))
    learns = []
    for _ in range(6):
        before = management.copy()
        model.step()
        learns.append((management > before).tolist())
    assert learns == [[False, True, False, False]] * 2 + [[False, True, True, False]] * 4


@pytest.mark.parametrize(("teacher", "learns"), [("A", True), ("d", False)])
def test_only_customers_nearer_to_the_leaders_teach(teacher, learns):
    """A leads; s and d both supply it, and s supplies d as well."""
    model = world(network({("s", "A"): 0.3, ("d", "A"): 0.3, ("s", "d"): 0.5}, {"A": 1e7}), calm(**FORGETS_NOTHING), burn_in=0)
    model.firms.capability[:, MANAGEMENT] = 0.3
    model.firms.capability[row(model, teacher), MANAGEMENT] = 0.9
    begin(model, SupplierDevelopment(reach=1.0))
    assert (model.firms.capability[row(model, "s"), MANAGEMENT] > 0.3) == learns
    assert (model.links.relief > 0).any() == learns


# -- supplier qualification ------------------------------------------------------------------------


def test_audits_bring_ratings_nearer_to_what_is_shipped():
    without = world(random_network(7, firms=60), calm(), burn_in=0)
    audited = deepcopy(without)
    audited.adopt((SupplierQualification(reach=1.0, audits=0.8),))
    error, own = [], []
    for model in (without, audited):
        model.step()
        own.append(model.firms.own_dpu.copy())
        model.run(23)
        links = model.links
        error.append(np.abs(np.log(links.rating * links.value_share / (links.caught + links.passed_detectable))).mean())
    assert error[0] > 0.1
    assert error[1] < 0.5 * error[0]
    assert (own[0] == own[1]).all(), "suppliers are better for being looked at"


def test_stricter_customers_put_more_suppliers_on_their_lists():
    listed = []
    for strictness in (0.0, 0.4):
        model = world(random_network(7, firms=60), calm(), (SupplierQualification(reach=1.0, strictness=strictness),), burn_in=0)
        model.run(3)
        listed.append(model.links.listed > 0)
    assert (listed[0] <= listed[1]).all()
    assert listed[0].sum() < listed[1].sum()


def test_customers_pay_for_audits_by_what_they_buy():
    model = world(random_network(7), calm(), burn_in=0)
    model.firms.prevention = 0.0
    buys = model.by_customer(model.links.delivered)
    programme = begin(model, SupplierQualification(reach=1.0, audits=0.5, audit_cost=0.004))
    assert sorted(programme.reached) == np.flatnonzero(buys > 0).tolist()
    assert 0 < programme.reached.size < model.firms.n
    assert model.firms.prevention == pytest.approx(0.002 * buys)


# -- consortia -------------------------------------------------------------------------------------


def two_chains_with_a_cause():
    """Two chains; in each a cause of metrology problems, which half of the firms have."""
    model = world(random_network(5, firms=40, leaders=4, chains=2), calm(common_cause_end=0.0), burn_in=0)
    model.chains.cause, model.firms.common_problems = False, 0
    model.chains.cause[:, METROLOGY] = True
    model.firms.common_problems[::2, METROLOGY] = 1
    return model


def test_success_frees_all_firms_of_the_chain_at_once_and_no_other_firm():
    model = two_chains_with_a_cause()
    firms, delay = model.firms, 3
    model.adopt((Consortia(reach=0.0, projects=48.0, delay=delay, success=1.0),))
    programme, in_chain = model.programmes["consortia"], firms.chain == 0
    members = np.flatnonzero(in_chain)[::2]
    programme.reached = members
    before = firms.common_problems.copy()
    assert before[np.setdiff1d(np.flatnonzero(in_chain), members)].any(), "only members have the problem"
    for _ in range(60):
        model.step()
        if not model.chains.cause[0, METROLOGY]:
            break
        assert (firms.common_problems == before).all()
    ended, odd = divmod(model.month - 1, delay)
    assert ended >= 1 and odd == 0, "projects do not end so many months after they begin"
    assert not firms.common_problems[in_chain].any()
    assert (firms.common_problems[~in_chain] == before[~in_chain]).all()
    assert model.chains.cause[1, METROLOGY]
    assert programme.counts["projects that succeeded"] == 1
    assert programme.counts["projects"] == 1 + programme.counts["projects that failed"] == ended


def test_chance_of_success_grows_with_the_members_part_of_the_chain():
    model = two_chains_with_a_cause()
    model.firms.common_problems = 0  # so that nothing new begins
    programme = begin(model, consortia := Consortia(reach=0.0, success=0.8))
    in_chain, sales = model.firms.chain == 0, monthly_sales(model)
    order = np.flatnonzero(in_chain)[np.argsort(-sales[in_chain])]
    for members in (order[:0], order[:1], order[1:], order):
        share = sales[members].sum() / sales[in_chain].sum()
        programme.counts.clear()
        for month in range(200):
            model.month = month
            model.chains.cause, model.chains.project = True, 1
            consortia.act(model, programme, members)
        succeeded, tried = programme.counts["projects that succeeded"], 200 * 4  # chain 1 has no members and no success
        expected = 0.8 * (1 - (1 - share) ** 2)
        assert succeeded / tried == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / tried) + 1e-12)


def test_most_widespread_causes_come_first_and_government_and_members_pay():
    model = two_chains_with_a_cause()
    firms, sales = model.firms, monthly_sales(model)
    in_chain = np.flatnonzero(firms.chain == 0)
    model.chains.cause[0] = True
    for kind, number in enumerate((2, 5, 1, 4)):
        firms.common_problems[in_chain, kind] = np.arange(in_chain.size) < number
    firms.prevention = 0.0
    members = in_chain[:6]
    programme = begin(model, Consortia(reach=0.0, projects=48.0, at_once=2, delay=9, grant=3e5, members_pay=5e5), members)
    assert model.chains.project.tolist() == [[0, 9, 0, 9], [0, 0, 0, 0]]
    assert programme.spent == pytest.approx(2 * 3e5)
    assert firms.prevention == pytest.approx(model.for_firms(members, 2 * 5e5 * sales[members] / sales[members].sum()))
    model.adopt(())
    assert not model.chains.project.any(), "what is under way outlasts the programme"


def test_budget_limits_projects_to_whole_ones():
    model = two_chains_with_a_cause()
    model.chains.cause, model.firms.common_problems = True, 1
    programme = begin(model, Consortia(reach=1.0, projects=48.0, at_once=4, grant=2e5, budget=7e5))
    assert (model.chains.project > 0).sum() == 3
    assert programme.spent == pytest.approx(6e5)


def test_project_ends_with_a_cause_that_ended_by_itself():
    model = two_chains_with_a_cause()
    programme = begin(model, consortia := Consortia(reach=1.0, projects=48.0))
    assert (model.chains.project > 0).sum() == 2
    model.chains.cause[0] = False
    model.firms.common_problems[model.firms.chain == 0] = 0
    consortia.act(model, programme, programme.reached)
    assert (model.chains.project > 0).tolist() == [[False] * 4, [False, True, False, False]]
    assert programme.counts["projects overtaken"] == 1


# -- digital quality management --------------------------------------------------------------------


def months_to_notice(depth):
    """Months until nine tenths of a step in what a supplier ships show in its rating."""
    model = world(network({("s", "A"): 0.5}, {"A": 1e7}), calm(**FORGETS_NOTHING), (DigitalQuality(reach=1.0, depth=depth),), burn_in=0)
    model.run(24)
    to, rating = link(model, "s", "A"), []
    before = model.links.rating[to]
    model.firms.base_dpu[row(model, "s")] *= 3.0
    for _ in range(40):
        model.step()
        rating.append(model.links.rating[to])
    assert rating[-1] > 1.2 * before
    return int(np.argmax(np.array(rating) > before + 0.9 * (rating[-1] - before)))


def test_ratings_follow_a_step_sooner_the_deeper_the_data():
    months = [months_to_notice(depth) for depth in (0.0, 0.5, 1.0)]
    assert months[0] > months[1] + 2 > months[2] + 2, months


def test_data_save_inspection_and_show_hidden_cost_and_change_no_process():
    without = world(random_network(7), calm(), burn_in=0)
    model = deepcopy(without)
    model.adopt((DigitalQuality(reach=1.0, depth=0.5, inspection_saved=0.2, insight=0.4),))
    for each in (without, model):
        each.step()
    assert (model.firms.own_dpu == without.firms.own_dpu).all()
    for with_data, without_data in zip(inspection_costs(model), inspection_costs(without), strict=True):
        assert with_data == pytest.approx(0.9 * without_data)
    assert 1.0 - seen_share(model) == pytest.approx(0.8 * (1.0 - seen_share(without)))
    assert model.firms.records == pytest.approx(0.15)  # what it can trace is 0.3 at full depth


@pytest.mark.parametrize(
    ("instrument", "share"),
    [(DigitalQuality(reach=1.0, unit_cost=0.0, depth=0.5, running_cost=0.004), 0.002),
     (Traceability(reach=1.0, unit_cost=0.0, records=0.3, running_cost=0.01), 0.003)],
    ids=lambda value: getattr(value, "key", ""),
)  # fmt: skip
def test_firms_bear_the_running_cost_by_their_sales(instrument, share):
    model = world(random_network(7), calm(), burn_in=0)
    due = share * monthly_sales(model)
    begin(model, instrument)
    assert model.firms.prevention == pytest.approx(due)
    assert model.books.paid("firms", instrument.key) == pytest.approx(due.sum())
    assert model.books.paid("government") == 0.0


# -- traceability ----------------------------------------------------------------------------------


def test_charge_back_rises_where_both_sides_keep_records_and_nowhere_else():
    without = world(traced_network(), calm(traceability=0.2), burn_in=0)
    model = deepcopy(without)
    model.adopt((Traceability(reach=0.0, records=0.5),))
    programme = model.programmes["traceability"]
    programme.reached = np.array([row(model, "A"), row(model, "b")])  # not c, which supplies A, nor d, which supplies b
    for each in (without, model):
        each.step()
    ratio = model.links.charge_back / without.links.charge_back
    both = np.arange(model.links.n) == link(model, "b", "A")
    assert ratio == pytest.approx(np.where(both, (0.2 + 0.8 * 0.5) / 0.2, 1.0))
    assert (model.firms.own_dpu == without.firms.own_dpu).all()
    assert programme.counts["links on record, months"] == 1


def test_recalls_of_leaders_that_keep_records_are_traced_more_often():
    traced = []
    for leader_records in (False, True):
        model = world(traced_network(), calm(recall_rate=100.0, traceability=0.2), burn_in=0)
        model.run(4)
        keepers = ["A"] if leader_records else ["b", "c", "d"]
        programme = begin(model, Traceability(reach=0.0, records=0.5), [row(model, name) for name in keepers])
        model.firms.out_detectable = 0.5  # a recall in nearly every month
        origins = recalls = 0
        for month in range(300):
            model.month = month
            model.firms.turn_page()
            programme.instrument.act(model, programme, programme.reached)
            recall_products(model)
            recalls += int(model.firms.recalls.sum())
            origins += int(model.firms.recalls_traced.sum())
        assert recalls > 250
        traced.append(origins / recalls)
    assert traced[0] == pytest.approx(0.2, abs=0.07)
    assert traced[1] == pytest.approx(0.6, abs=0.09)
