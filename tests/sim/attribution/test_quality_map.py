"""The quality map: every defect that would reach a user is attributed, exactly, to where it began."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.attribution.quality_map import CAUSES, DefectTrace, blocks, quality_map
from sim.month.propagation import let_in, propagate
from tests.support.worlds import any_parameters, hold, line, network, networks, parameters, plain, random_network, world

COMMON, SPECIAL, INTERFACE = (CAUSES.index(cause) for cause in ("common", "special", "interface"))


def field_loss(model):
    """What users' defects cost this month, CNY."""
    firms = model.firms
    return model.parameters.field_cost * firms.to_users @ (firms.out_detectable + firms.out_latent)


# -- sums ------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(networks(), any_parameters())
def test_attribution_sums_to_the_field_loss(some, p):
    drawn = quality_map(world(some, p, burn_in=2))
    assert drawn.loss.sum() == pytest.approx(drawn.total, rel=1e-9, abs=1e-12)
    assert drawn.error <= 1e-9


@settings(max_examples=30, deadline=None)
@given(networks(), st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_attribution_sums_in_either_block(some, latent):
    model = world(some, parameters(latent_share=latent), burn_in=2)
    cost = model.parameters.field_cost * model.firms.to_users
    for block in blocks(model):
        assert block.adjoint(cost) @ block.source == pytest.approx(cost @ block.direct(), rel=1e-9, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(networks(), any_parameters())
def test_no_firm_causes_less_than_nothing(some, p):
    drawn = quality_map(world(some, p, burn_in=2))
    # Own defects less special ones can miss 0 by rounding.
    assert (drawn.loss >= -1e-12 * max(drawn.total, 1.0)).all()
    assert (drawn.marginal >= 0).all()
    assert (drawn.link_loss >= 0).all()


def test_total_is_what_the_frozen_month_comes_to():
    model = world(5)
    propagate(model)
    expected = quality_map(model).total
    hold(model)
    assert field_loss(model) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("latent", [0.0, 0.5])
def test_latent_share_divides_own_defects_between_the_blocks(latent):
    model = world(3, parameters(latent_share=latent))
    detectable, hidden = blocks(model)
    assert hidden.source == pytest.approx(latent * model.firms.own_dpu)
    assert hidden.steady_state().any() == (latent > 0)
    misfits = model.by_customer(model.links.interface * let_in(model))
    assert detectable.source + hidden.source == pytest.approx(model.firms.own_dpu + misfits)
    assert quality_map(model).error <= 1e-9


# -- margins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [0.0, 0.1, 0.5])
def test_marginal_is_the_difference_that_one_more_defect_makes(latent):
    model = world(random_network(4, firms=12, loops=0.4), parameters(latent_share=latent))
    drawn = quality_map(model)
    for firm in range(model.firms.n):
        model.firms.own_dpu[firm] += 1.0  # the loss is linear in own defects, so a whole one will do
        assert quality_map(model).total - drawn.total == pytest.approx(drawn.marginal[firm], rel=1e-8, abs=1e-9 * drawn.total)
        model.firms.own_dpu[firm] -= 1.0


def test_firm_that_reaches_no_user_has_no_marginal_loss():
    lone = network({("s", "leader"): 0.5, ("idle", "shed"): 0.5}, {"leader": 1e6})
    drawn = quality_map(world(lone))
    assert drawn.marginal[[lone.names.tolist().index(name) for name in ("idle", "shed")]].tolist() == [0.0, 0.0]


# -- by hand ---------------------------------------------------------------------------------------


@pytest.fixture
def by_hand():
    """Leader a buys 0.5 of b, which buys 0.4 of c; 1000 CNY go to users at 2 prices a defect; latent share 0.25.

    Inspection finds half: at the end of the line of all three, nowhere at goods-in.
    """
    model = world(network({("b", "a"): 0.5, ("c", "b"): 0.4}, {"a": 1000.0}), parameters(latent_share=0.25, field_cost=2.0), burn_in=0)
    plain(model, own=[0.08, 0.16, 0.32], inspection=1.0, detection=0.5)
    model.firms.own_special = [0.03, 0.0, 0.32]
    model.firms.output = [1000.0, 500.0, 200.0]
    return model


def test_three_firms_by_hand(by_hand):
    drawn = by_hand.quality_map()
    # CNY per detectable defect: a 2000 · 0.5; b that · 0.5 · 0.5; c that · 0.4 · 0.5. Latent: 2000; · 0.5; · 0.4.
    marginal = 0.75 * np.array([1000.0, 250.0, 50.0]) + 0.25 * np.array([2000.0, 1000.0, 400.0])
    assert drawn.marginal == pytest.approx(marginal)
    assert drawn.by_firm == pytest.approx([100.0, 70.0, 44.0])
    assert drawn.loss[:, SPECIAL] == pytest.approx([37.5, 0.0, 44.0])
    assert drawn.total == pytest.approx(214.0)
    # b lets out 0.5 · (0.12 + 0.4 · 0.12) = 0.084 detectable and 0.04 + 0.4 · 0.08 = 0.072 latent: what the link to a carries.
    assert drawn.link_loss == pytest.approx([0.5 * (0.084 * 1000.0 + 0.072 * 2000.0), 44.0])


def test_interface_defects_count_half_to_each_side():
    model = world(line(2, 0.5, 1000.0), parameters(latent_share=0.1, interface_dpu=0.02, field_cost=2.0), burn_in=0)
    plain(model)
    model.firms.capability[:, 2] = [0.5, 0.75]
    propagate(model)
    drawn = model.quality_map()
    whole = 2.0 * 1000.0 * 0.5 * 0.02 * 0.5
    assert drawn.loss[:, INTERFACE] == pytest.approx([whole / 2, whole / 2])
    assert drawn.total == pytest.approx(whole)
    assert not drawn.loss[:, [COMMON, SPECIAL]].any()


def test_common_and_special_causes_share_a_firm_by_its_own_defects():
    model = world(6)
    drawn = quality_map(model)
    own = drawn.loss[:, COMMON] + drawn.loss[:, SPECIAL]
    assert own == pytest.approx(drawn.marginal * model.firms.own_dpu)
    assert drawn.loss[:, SPECIAL] == pytest.approx(drawn.marginal * model.firms.own_special)


# -- flows along links -----------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(networks())
def test_loss_that_enters_a_firm_leaves_it(some):
    """Own loss and that of links in equals loss sold to users and that of links out, at every firm."""
    model = world(some, burn_in=2)
    drawn = quality_map(model)
    firms, links, p = model.firms, model.links, model.parameters
    detectable, _ = blocks(model)
    cost = p.field_cost * firms.to_users
    misfits = links.interface * let_in(model) * detectable.adjoint(cost)[links.customer]
    entered = drawn.marginal * firms.own_dpu + model.by_customer(drawn.link_loss)
    left = cost * model.steady_state() + model.by_supplier(drawn.link_loss - misfits)  # misfits begin on the link
    assert entered == pytest.approx(left, rel=1e-8, abs=1e-9 * max(drawn.total, 1e-9))


def test_loss_of_leaders_that_sell_to_users_alone_is_their_own_and_their_links():
    model = world(random_network(7, loops=0.0))
    drawn, leads = quality_map(model), model.firms.is_leader
    entered = (drawn.marginal * model.firms.own_dpu)[leads].sum() + drawn.link_loss[leads[model.links.customer]].sum()
    assert entered == pytest.approx(drawn.total, rel=1e-10)


# -- month by month --------------------------------------------------------------------------------


def test_trace_sums_to_the_loss_of_every_month():
    model = world(8)
    trace = DefectTrace(model, model.firms.tier, int(model.firms.tier.max()) + 1)
    for _ in range(12):
        model.step()
        groups = trace.follow(model)
        assert groups.sum() == pytest.approx(field_loss(model), rel=1e-12)
        assert (groups >= 0).all()


def test_frozen_trace_converges_to_the_map():
    model = world(9)
    propagate(model)  # capabilities that services left behind take effect with the next month's coefficients
    drawn = quality_map(model)
    trace = DefectTrace(model, np.arange(model.firms.n), model.firms.n)
    for _ in range(400):
        propagate(model)
        groups = trace.follow(model)
    assert groups[:-1] == pytest.approx(drawn.by_firm, rel=1e-9, abs=1e-12 * drawn.total)
    assert groups[-1] == pytest.approx(0.0, abs=1e-12 * drawn.total)


def test_what_was_under_way_fades_out_of_the_trace_after_as_many_months_as_the_chain_has_links():
    model = world(line(4))
    trace = DefectTrace(model, model.firms.tier, 4)
    before = []
    for _ in range(5):
        model.step()
        before.append(float(trace.follow(model)[-1]))
    assert all(loss > 0 for loss in before[:3])
    assert before[3:] == [0.0, 0.0]


# -- reading it ------------------------------------------------------------------------------------


def test_table_lists_every_firm_once_largest_loss_first():
    model = world(10)
    table = model.quality_map().table(model)
    loss = table["loss (CNY/month)"]
    assert sorted(table["firm"]) == sorted(model.network.names)
    assert (loss.diff().dropna() <= 0).all()
    assert table["share"].sum() == pytest.approx(1.0)
    assert table[[f"{cause} (CNY/month)" for cause in CAUSES]].sum(axis=1).to_numpy() == pytest.approx(loss.to_numpy(), rel=1e-12)


def test_weak_links_are_the_largest_losses_of_the_chain():
    model = world(11)
    loss = np.where(model.firms.chain == 1, quality_map(model).by_firm, 0.0)
    weak = model.weak_links(1, most=3)
    assert [name for name, _ in weak] == model.network.names[np.argsort(-loss)[:3]].tolist()
    assert [share for _, share in weak] == pytest.approx(np.sort(loss)[::-1][:3] / loss.sum())


def test_map_of_a_world_without_defects_is_empty():
    model = world(line(3), burn_in=0)
    plain(model)
    drawn = quality_map(model)
    assert drawn.total == 0.0
    assert drawn.error == 0.0
    assert not drawn.loss.any()
    assert drawn.table(model)["share"].sum() == 0.0
