"""Shocks: each does what its formula says, keeps the books, and changes no bit where it does not strike."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from agents.firm import Firms
from experiments.contract.scenes import STORMY
from sim import SHOCKS, BadBatch, Competitor, Demand, Outage, Parameters
from sim.attribution.excess import defect_flows
from sim.month.propagation import escape_share
from sim.parameters import ParameterError
from sim.shocks import RULES
from tests.support.worlds import differing, line, network, random_network, world

NETWORK = random_network(20, firms=80, leaders=4, chains=2)
#: What reacts to nothing within a few months: no rewiring, no recalls, no exits, demand stays.
STILL = Parameters(relation_end=0.0, recall_rate=0.0, demand_speed=0.0, distress_months=120)
EVERY = (BadBatch(month=2), Demand(month=2), Outage(month=3), Competitor(month=2))


def struck(*shocks, months=1, **settings):
    """A world of 80 firms, some months after the shocks were announced."""
    model = world(NETWORK, settings.pop("parameters", STILL), shocks=shocks, **settings)
    model.run(months)
    return model


# -- when nothing strikes -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", SHOCKS)
def test_a_shock_of_size_0_or_after_the_last_month_changes_no_bit(key):
    calm = struck(months=8)
    cls = SHOCKS[key]
    assert differing(calm, struck(cls(size=0.0, month=1), months=8)) == []
    assert differing(calm, struck(cls(month=9), months=8)) == []
    assert differing(calm, struck(cls(month=8), months=8)), "a shock in the last month is seen"


def test_a_shock_draws_no_luck_and_leaves_other_places_alone():
    """Own defects of all other firms stay bit for bit what they were in the month of a batch."""
    calm, model = struck(months=4), struck(BadBatch(month=4), months=4)
    (at,) = model.shocks[0].rows
    others = np.arange(calm.firms.n) != at
    assert model.firms.own_dpu[others].tobytes() == calm.firms.own_dpu[others].tobytes()
    assert model.firms.fortune.tobytes() == calm.firms.fortune.tobytes()


# -- laws ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weather", [Parameters(), STORMY], ids=["calm", "stormy"])
@pytest.mark.parametrize("shocks", [*((one,) for one in EVERY), EVERY], ids=[*(one.key for one in EVERY), "all"])
def test_every_law_holds_in_every_month_under_every_shock(shocks, weather):
    model = struck(*shocks, months=24, parameters=weather, check=True)
    assert model.month == 24


def test_the_hardest_shocks_keep_every_law():
    """No demand at all, a firm that never delivers again, a competitor that takes everybody, ten defects per unit."""
    hardest = (
        Demand(size=1.0, month=1),
        Outage(size=1.0, month=1, months=None),
        BadBatch(size=10.0, month=2, months=3, latent=1.0),
        Competitor(size=1.0, month=8, firms=(), quality=0.0),
    )
    model = struck(*hardest, months=24, parameters=Parameters(), check=True)
    assert float(model.firms.users_ordered.sum()) == 0.0


# -- demand ----------------------------------------------------------------------------------------------


def test_users_of_one_chain_order_a_fifth_less_for_some_months_and_then_as_much_as_before():
    calm, model = struck(), struck(Demand(month=2, months=2, chains=("chain 1",)))
    of_chain = NETWORK.leader & (NETWORK.chain == 1)
    for month in range(2, 6):
        calm.step()
        model.step()
        share = 0.8 if month < 4 else 1.0
        assert model.firms.users_ordered[of_chain] == pytest.approx(share * calm.firms.users_ordered[of_chain], rel=1e-12)
        assert model.firms.users_ordered[~of_chain] == pytest.approx(calm.firms.users_ordered[~of_chain], rel=1e-12)
        if month == 3:  # what was ordered in month 2
            assert model.firms.to_users[of_chain] == pytest.approx(0.8 * calm.firms.to_users[of_chain], rel=1e-12)


def test_a_negative_fall_is_a_rise_and_two_takings_act_one_on_what_the_other_leaves():
    calm = struck(months=2)
    rise = struck(Demand(size=-0.5, month=2, firms=("f0",)), months=2)
    assert rise.firms.users_ordered[0] == pytest.approx(1.5 * calm.firms.users_ordered[0])
    both = struck(Demand(size=0.2, month=1, firms=("f0",)), Competitor(size=0.1, month=1, firms=("f0",)))
    taken = both.firms.demand_lost[0]
    assert 1.0 - taken == pytest.approx(0.8 * (1.0 - _taken(both, 0.1)[0]), rel=1e-3)


# -- competitor ------------------------------------------------------------------------------------------


def _taken(model, size):
    """Share that a competitor as good as the products at the start takes, by hand."""
    firms, p = model.firms, model.parameters
    worse = (firms.brand + p.unnoticed_dpu) / (firms.brand_start + p.unnoticed_dpu)
    appeal = np.exp(firms.reputation + firms.mark) * worse**-p.quality_elasticity
    return size / (size + (1.0 - size) * appeal)


def test_a_competitor_takes_its_share_of_the_largest_leader_for_good_and_more_if_it_is_better():
    calm, model = struck(), struck(Competitor(month=2))
    (at,) = model.shocks[0].rows
    assert NETWORK.leader[at] and calm.firms.output[at] == calm.firms.output[NETWORK.leader].max()
    by_hand = _taken(model, 0.2)[at]
    calm.step()
    model.step()
    assert model.firms.demand_lost[at] == pytest.approx(by_hand, rel=1e-12)
    assert model.firms.users_ordered[at] == pytest.approx((1.0 - by_hand) * calm.firms.users_ordered[at])
    model.run(12)
    assert model.firms.demand_lost[at] > 0.1, "it stays"
    better = struck(Competitor(month=2, quality=0.25), months=2)
    assert better.firms.demand_lost[at] > by_hand + 0.01
    assert not struck(Competitor(month=2, months=1), months=3).firms.demand_lost.any()


# -- outage ----------------------------------------------------------------------------------------------


def test_a_firm_delivers_a_part_and_its_customers_use_their_stock():
    calm, model = struck(months=3), struck(Outage(size=0.75, month=3, months=1), months=3)
    (at,) = model.shocks[0].rows
    delivers = model.links.supplier == at
    assert not NETWORK.leader[at] and delivers.any()
    assert model.firms.output[at] == pytest.approx(0.25 * calm.firms.output[at], rel=1e-12)
    assert model.links.delivered[delivers] == pytest.approx(0.25 * calm.links.delivered[delivers], rel=1e-12)
    assert model.links.delivered[~delivers].tobytes() == calm.links.delivered[~delivers].tobytes()
    others = np.arange(calm.firms.n) != at
    assert model.firms.output[others].tobytes() == calm.firms.output[others].tobytes(), "its customers go on"
    served = np.unique(model.links.customer[delivers])
    assert (model.firms.inventory[served] < calm.firms.inventory[served]).all(), "they use their stock first"
    assert model.links.ordered[model.links.customer == at].sum() < calm.links.ordered[calm.links.customer == at].sum()
    model.step()
    calm.step()
    assert model.firms.output[at] == pytest.approx(calm.firms.output[at], rel=1e-6), "the next month it delivers again what is ordered"


def test_customers_whose_stock_is_used_up_buy_outside_at_short_notice():
    def fetched(model):
        return sum(amount for (_, _, why), amount in model.books.month.items() if why == "materials at short notice")

    assert fetched(struck(Outage(month=1, months=None), months=8)) > fetched(struck(months=8))


def test_a_shortage_of_an_essential_input_goes_on_towards_the_leaders_a_month_a_link_and_ends():
    """c supplies b, b supplies the leader a: both inputs are essential; d is not, and a loop of essential inputs does not keep it alive."""
    links = {("c", "b"): 0.4, ("b", "a"): 0.4, ("b", "c"): 0.05, ("d", "a"): 0.1}
    chain = network(links, {"a": 1e6})
    essential = np.array([str(chain.names[s]) != "d" for s in chain.supplier])
    essential_chain = network(links, {"a": 1e6}, essential=np.array([pair[0] != "d" for pair in links]))
    assert essential_chain.essential.sum() == essential.sum()
    model = world(essential_chain, STILL, shocks=(Outage(firm="c", size=0.6, month=2, months=1),), check=True)
    rows = {str(name): row for row, name in enumerate(essential_chain.names)}
    seen = []
    for _ in range(6):
        model.step()
        seen.append([float(model.firms.shortfall[rows[name]]) for name in "cbad"])
    assert seen == [[0, 0, 0, 0], [0.6, 0, 0, 0], [0, 0.6, 0, 0], [0, 0, 0.6, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


# -- bad batch -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [0.0, 0.3, 1.0])
def test_what_leaves_the_firm_in_excess_is_the_batch_less_what_its_final_inspection_finds(latent):
    calm, model = struck(months=3), struck(BadBatch(month=3, latent=latent), months=3)
    (at,) = model.shocks[0].rows
    escapes = escape_share(calm)[at]
    excess = (model.firms.out_detectable - calm.firms.out_detectable)[at], (model.firms.out_latent - calm.firms.out_latent)[at]
    assert excess == pytest.approx((0.05 * (1.0 - latent) * escapes, 0.05 * latent), rel=1e-9, abs=1e-15)
    assert model.firms.own_special[at] - calm.firms.own_special[at] == pytest.approx(0.05), "a special cause"


def test_twice_the_batch_is_twice_the_excess_as_long_as_nothing_reacts():
    """Latent defects pass every inspection, and nobody sees them before users: the way is linear, month after month.

    Detectable ones are so only in their first month: then firms that find more inspect more.
    """
    calm, one, two = (
        struck(*shocks, months=2) for shocks in ((), (BadBatch(month=3, latent=1.0),), (BadBatch(month=3, latent=1.0, size=0.1),))
    )
    for _ in range(4):
        for model in (calm, one, two):
            model.step()
        excess = one.firms.out_latent - calm.firms.out_latent
        assert (two.firms.out_latent - calm.firms.out_latent) == pytest.approx(2.0 * excess, rel=1e-4, abs=1e-12)
        assert np.abs(excess).max() > 1e-6


def test_the_way_balances_firm_by_firm():
    """What begins and arrives is found, or leaves; and what is on its way arrives in the next month, but for relief and volume."""
    calm, model = struck(months=2), struck(BadBatch(month=3, size=0.5), months=2)
    before, made = 0.0, 0.0
    for _ in range(5):
        calm.step()
        model.step()
        flows = defect_flows(model) - defect_flows(calm)
        arriving = np.bincount(model.links.customer, flows.arriving, model.firms.n)
        ends = flows.goods_in + flows.final + flows.leaving
        made += float(flows.batch.sum())
        assert flows.batch + flows.begun + arriving == pytest.approx(ends, abs=1e-9 * made)
        assert float(flows.arriving.sum()) <= before + 0.01 * made
        before = float((flows.leaving - flows.users - flows.elsewhere).sum())


def test_a_batch_walks_down_a_line_one_firm_a_month():
    model, calm = (world(line(4), STILL, shocks=shocks) for shocks in ((BadBatch(firm="3", month=2),), ()))
    for month in range(1, 6):
        model.step()
        calm.step()
        excess = model.firms.out_detectable + model.firms.out_latent - calm.firms.out_detectable - calm.firms.out_latent
        (reached,) = np.nonzero(excess > 1e-4)
        assert reached.tolist() == ([] if month < 2 else [5 - month])


# -- whom ------------------------------------------------------------------------------------------------


def test_rules_name_the_firms_that_they_say():
    model = struck()
    firms, supplies = model.firms, np.bincount(model.links.supplier, model.links.value_share > 0, model.firms.n)
    members = ~firms.is_leader & (supplies > 0)
    row = {rule: BadBatch(firm=rule).whom(model)[0] for rule in RULES}
    assert firms.output[row["largest_supplier"]] == firms.output[members].max()
    assert supplies[row["most_customers"]] == supplies[members].max()
    assert firms.output[row["largest_leader"]] == firms.output[firms.is_leader].max()
    assert row["weakest_link"] == model.quality_map().by_firm.argmax()
    assert not firms.is_leader[row["weakest_supplier"]]
    of_chain = BadBatch(chains=("chain 1",)).whom(model)[0]
    assert NETWORK.chain[of_chain] == 1


def test_a_rule_chooses_when_the_shock_is_announced_so_that_all_arms_have_the_same_firm():
    model = struck()
    model.shock(BadBatch(month=5))
    (at,) = model.shocks[0].rows
    model.firms.usual_output[at] = 0.0
    model.run(5)
    assert model.shocks[0].rows.tolist() == [at]
    with pytest.raises(ValueError, match="each shock at most once; got bad_batch twice"):
        model.shock(BadBatch(month=8))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (BadBatch(firm="f 7"), "shocks.bad_batch.firm is 'f 7'; it must be the name of a firm, or one of .*; did you mean 'f7'\\?"),
        (Outage(firm="largest"), "shocks.outage.firm is 'largest'; .*; did you mean 'largest_"),
        (Demand(chains=("chain9",)), "shocks.demand.chains names 'chain9', but there is no such chain; did you mean 'chain "),
        (Demand(firms=("f50",)), "shocks.demand.firms names 'f50', which sells nothing to users; name a leader"),
        (Competitor(firms=("f50",)), "shocks.competitor.firms names 'f50', which sells nothing to users; name a leader"),
    ],
)
def test_a_name_that_is_none_is_answered_in_one_line(wrong, line):
    with pytest.raises(ParameterError, match=line) as error:
        struck(wrong)
    assert "\n" not in str(error.value)


def test_a_value_out_of_its_range_is_refused_and_says_the_range():
    with pytest.raises(ParameterError, match=r"shocks.demand.size is 1.5; it must lie in -1 … 1"):
        Demand(size=1.5)
    with pytest.raises(ParameterError, match=r"shocks.bad_batch.month is 0; it must be a whole number in 1 …"):
        BadBatch(month=0)


def test_every_setting_of_a_shock_has_a_meaning_and_a_source_and_its_columns_are_of_one_month():
    for cls in SHOCKS.values():
        assert cls.__doc__ and cls.label and cls.label_zh
        for f in fields(cls):
            assert f.metadata["meaning"] and f.metadata["source"] and f.metadata["confidence"] in "SDRN"
    assert all(Firms.declared[name].monthly for name in ("shock_defects", "shock_latent", "demand_lost", "outage"))
