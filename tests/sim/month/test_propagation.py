"""Propagation as a linear system: its fixed points, its limits, and that it does not depend on the order of firms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from sim.attribution.quality_map import blocks, quality_map
from sim.month.orders import ship_and_order
from sim.month.propagation import escape_share, interface_defects, let_in, propagate
from sim.month.quality_cost import charge_back, cost_of_quality
from sim.network.checks import check_network
from sim.network.fixed_points import NetworkError, fixed_point, spectral_radius
from sim.network.network import SupplyNetwork
from tests.support.worlds import hold, line, network, networks, parameters, permuted, plain, random_network, world

WORLDS = {
    "line": line(5),
    "single firm": line(1),
    "without loops": random_network(1, loops=0.0),
    "cyclic": random_network(2, loops=0.5),
    "dense and cyclic": random_network(3, suppliers=8.0, loops=0.8, material=0.95),
    "ring": network({("b", "a"): 0.6, ("c", "b"): 0.9, ("d", "c"): 0.9, ("b", "d"): 0.9}, {"a": 1e6}),
}


@pytest.fixture(params=list(WORLDS))
def model(request):
    model = world(WORLDS[request.param])
    propagate(model)  # capabilities that services left behind take effect with the next month's coefficients
    return model


# -- the fixed point -------------------------------------------------------------------------------


def test_frozen_month_converges_to_the_steady_state(model):
    detectable, latent = blocks(model)
    hold(model)
    assert model.firms.out_detectable == pytest.approx(detectable.steady_state(), rel=1e-10, abs=1e-14)
    assert model.firms.out_latent == pytest.approx(latent.steady_state(), rel=1e-10, abs=1e-14)
    assert model.steady_state() == pytest.approx(model.firms.out_detectable + model.firms.out_latent, rel=1e-10, abs=1e-14)


def test_steady_state_is_left_by_no_further_month(model):
    detectable, latent = (block.steady_state() for block in blocks(model))
    model.firms.out_detectable, model.firms.out_latent = detectable, latent
    propagate(model)
    assert model.firms.out_detectable == pytest.approx(detectable, rel=1e-11)
    assert model.firms.out_latent == pytest.approx(latent, rel=1e-11)


def test_where_defects_start_does_not_matter_in_the_end(model):
    other = world(model.network)
    other.firms.out_detectable, other.firms.out_latent = 3.0, 7.0
    hold(model)
    hold(other)
    assert other.firms.out_detectable == pytest.approx(model.firms.out_detectable, rel=1e-10)
    assert other.firms.out_latent == pytest.approx(model.firms.out_latent, rel=1e-10)


@settings(max_examples=40, deadline=None)
@given(networks())
def test_iteration_agrees_with_a_direct_solve(some):
    model = world(some, burn_in=2)
    for block in blocks(model):
        direct = block.direct()
        assert block.steady_state() == pytest.approx(direct, rel=1e-10, abs=1e-10 * direct.max())


@settings(max_examples=40, deadline=None)
@given(networks())
def test_adjoint_is_the_transpose_of_the_steady_state(some):
    """What a unit of field cost at each firm reads of the steady state is what each source gives to it."""
    model = world(some, burn_in=2)
    cost = np.linspace(0.5, 2.0, model.firms.n)
    for block in blocks(model):
        assert block.adjoint(cost) @ block.source == pytest.approx(cost @ block.steady_state(), rel=1e-10)


def test_defects_travel_one_link_a_month():
    model = world(line(4), parameters(latent_share=0.25), burn_in=0)
    plain(model, own=[0.0, 0.0, 0.0, 1.0])
    seen = []
    for _ in range(4):
        propagate(model)
        seen.append(np.flatnonzero(model.firms.out_latent + model.firms.out_detectable).tolist())
    assert seen == [[3], [2, 3], [1, 2, 3], [0, 1, 2, 3]]


def test_what_arrives_is_caught_or_let_in(model):
    links = model.links
    arrived = links.value_share * (1 - links.relief) * model.firms.out_detectable[links.supplier] + interface_defects(model)
    propagate(model)
    assert links.caught + links.passed_detectable == pytest.approx(arrived, rel=1e-13)
    assert links.passed_detectable == pytest.approx(let_in(model) * arrived, rel=1e-13)


def test_latent_defects_pass_every_inspection(model):
    hold(model)
    before = model.firms.out_latent.copy()
    model.firms.inspection, model.links.inspected, model.firms.detection = 1.0, 1.0, 1.0
    hold(model)
    assert model.firms.out_latent == pytest.approx(before, rel=1e-12)
    assert not model.firms.out_detectable.any()


def test_interface_defects_vanish_where_both_sides_keep_the_standard():
    model = world(line(3), burn_in=0)
    model.firms.capability[:, 2] = [1.0, 1.0, 0.4]
    assert interface_defects(model) == pytest.approx([0.0, 0.5 * model.parameters.interface_dpu * 0.6])


def test_relief_lowers_defects_on_its_link_alone():
    model = world(network({("s", "a"): 0.5, ("s", "b"): 0.5}, {"a": 1e6, "b": 1e6}), burn_in=0)
    plain(model, own=[0.0, 0.0, 1.0])
    model.links.relief[0] = 0.4
    hold(model, 3)
    out = model.firms.out_detectable + model.firms.out_latent
    assert out[:2].tolist() == pytest.approx([0.6 * out[1], 0.5])


# -- loops that grow -------------------------------------------------------------------------------

SAFE = {("c", "leader"): 0.2, ("c", "d"): 0.3, ("d", "c"): 0.3}


@pytest.mark.parametrize("share", [1.0, 1.25])
def test_loop_without_value_added_is_refused_by_name(share):
    grows = network({**SAFE, ("a", "leader"): 0.2, ("e", "b"): share, ("a", "e"): 1.0, ("b", "a"): 1.0}, {"leader": 1e6})
    with pytest.raises(NetworkError) as refused:
        check_network(grows)
    loop = str(refused.value).split("the loop ")[1].split(" would")[0].split(" → ")
    assert loop[0] == loop[-1]
    assert {(loop[k], loop[k + 1]) for k in range(3)} == {("e", "b"), ("a", "e"), ("b", "a")}
    assert len(loop) == 4


def test_of_two_growing_loops_the_faster_one_is_named():
    grows = network(
        {("a", "leader"): 0.2, ("a", "b"): 1.1, ("b", "a"): 1.0, ("c", "d"): 1.5, ("d", "c"): 1.0, ("c", "leader"): 0.1}, {"leader": 1.0}
    )
    with pytest.raises(NetworkError, match="c → d → c|d → c → d"):
        check_network(grows)


def test_model_refuses_a_growing_network():
    with pytest.raises(NetworkError, match="without end"):
        world(network({("a", "leader"): 0.2, ("a", "b"): 1.2, ("b", "a"): 1.0}, {"leader": 1e6}))


def test_orders_that_scrap_makes_grow_are_refused():
    economy = network({("a", "leader"): 0.2, ("a", "b"): 0.9, ("b", "a"): 1.0}, {"leader": 1e6})
    check_network(economy)
    with pytest.raises(NetworkError, match="orders on the loop (a → b → a|b → a → b) would grow"):
        economy.steady_orders(scrap=0.1)


def test_firm_that_buys_more_than_it_sells_is_no_error_without_a_loop():
    findings = check_network(network({("a", "leader"): 1.5}, {"leader": 1e6}))
    assert [finding.check for finding in findings] == ["value added"]


def test_iteration_of_a_growing_system_is_refused():
    with pytest.raises(NetworkError, match="spectral radius"):
        fixed_point(sparse.csr_array([[0.0, 2.0], [0.6, 0.0]]), np.ones(2))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 8), st.floats(0.0, 1.0), st.integers(0, 100_000))
def test_spectral_radius_is_the_largest_eigenvalue(n, filled, seed):
    r = np.random.default_rng(seed)
    matrix = r.exponential(size=(n, n)) * (r.random((n, n)) < filled)
    expected = np.abs(np.linalg.eigvals(matrix)).max()
    # Nilpotent parts are exactly 0 here; LAPACK returns about the n-th root of rounding for them.
    assert spectral_radius(sparse.csr_array(matrix)) == pytest.approx(expected, rel=1e-7, abs=1e-3 if expected < 1e-2 else 1e-9)


def test_spectral_radius_of_a_pure_ring_is_the_mean_of_its_shares():
    ring = sparse.csr_array(([2.0, 0.5, 0.2], ([0, 1, 2], [1, 2, 0])), shape=(3, 3))
    assert spectral_radius(ring) == pytest.approx(0.2 ** (1 / 3), rel=1e-9)


def test_spectral_radius_without_a_loop_is_0():
    assert spectral_radius(WORLDS["without loops"].by_customer) == 0.0


# -- orders ----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(networks(), st.floats(0.0, 0.05))
def test_steady_orders_repeat_themselves(some, scrap):
    model = world(some, burn_in=0)
    model.firms.scrap = scrap
    orders = some.steady_orders(scrap)
    model.firms.orders = orders
    for _ in range(3):
        ship_and_order(model)
        # The iteration ends by the largest entry, so it is that which rounding is relative to.
        assert model.firms.orders == pytest.approx(orders, rel=1e-9, abs=1e-10 * orders.max())
        assert model.firms.output == pytest.approx(orders, rel=1e-9, abs=1e-10 * orders.max())


def test_orders_climb_one_link_a_month():
    model = world(line(4, 0.5, 100.0), parameters(orphan_demand=0.0), burn_in=0)
    model.firms.scrap, model.firms.orders = 0.0, [100.0, 0.0, 0.0, 0.0]
    for _ in range(3):
        ship_and_order(model)
    assert model.firms.orders.tolist() == [100.0, 50.0, 25.0, 12.5]
    assert model.firms.output.tolist() == [100.0, 50.0, 25.0, 0.0]


def test_customer_that_scraps_buys_that_much_more():
    model = world(line(2, 0.5, 100.0), burn_in=0)
    model.firms.scrap, model.firms.orders = [0.1, 0.0], [100.0, 0.0]
    ship_and_order(model)
    assert model.firms.orders[1] == pytest.approx(55.0)


# -- what does not matter --------------------------------------------------------------------------


def twin(model, order):
    """The same world with firm `order[k]` in row k; firms' and links' columns carried along."""
    other = world(permuted(model.network, order), burn_in=0)
    place = np.argsort(order)
    position = {(int(s), int(c)): k for k, (s, c) in enumerate(zip(other.links.supplier, other.links.customer, strict=True))}
    at = np.array([position[place[s], place[c]] for s, c in zip(model.links.supplier, model.links.customer, strict=True)], dtype=np.int64)
    for name in model.firms.columns:
        getattr(other.firms, name)[...] = getattr(model.firms, name)[order]
    for name in set(model.links.columns) - {"supplier", "customer"}:
        getattr(other.links, name)[at] = getattr(model.links, name)
    return other, at


@settings(max_examples=25, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_relabelling_firms_permutes_the_results(some, shuffle):
    model = world(some, burn_in=3)
    order = np.arange(some.n_firms)
    shuffle.shuffle(order)
    other, at = twin(model, order)
    for _ in range(5):
        for phase in (ship_and_order, propagate, cost_of_quality, charge_back):
            phase(model)
            phase(other)
    for name, column in model.firms.columns.items():
        if column.dtype == "float64":
            assert getattr(other.firms, name) == pytest.approx(getattr(model.firms, name)[order], rel=1e-9, abs=1e-15), name
    for name in ("caught", "passed_detectable", "passed_latent", "charge_back", "rating", "interface"):
        assert getattr(other.links, name)[at] == pytest.approx(getattr(model.links, name), rel=1e-9, abs=1e-15), name
    original, relabelled = quality_map(model), quality_map(other)
    assert relabelled.loss == pytest.approx(original.loss[order], rel=1e-9, abs=1e-9 * max(original.total, 1e-9))
    assert relabelled.link_loss[at] == pytest.approx(original.link_loss, rel=1e-9, abs=1e-9 * max(original.total, 1e-9))
    assert relabelled.total == pytest.approx(original.total, rel=1e-9)


def test_links_may_come_in_any_order():
    given = WORLDS["cyclic"]
    mix = np.random.default_rng(0).permutation(given.n_links)
    again = SupplyNetwork.build(
        given.names, given.supplier[mix], given.customer[mix], given.value_share[mix], given.leader, given.final_demand,
        chain=given.chain, sector=given.sector, chains=given.chains, sectors=given.sectors,
    )  # fmt: skip
    assert (again.by_customer != given.by_customer).nnz == 0
    assert world(again).steady_state().tobytes() == world(given).steady_state().tobytes()


def test_escape_is_what_inspection_does_not_find(model):
    model.firms.inspection, model.firms.detection = 0.5, 0.8
    assert escape_share(model) == pytest.approx(0.6)
