"""One defect on its way down the chain."""

from __future__ import annotations

import numpy as np
import pytest

from sim import StrongchainModel, SupplyNetwork
from sim.attribution.follow_defect import follow_defect
from sim.attribution.quality_map import blocks

ENDS = ["goods-in", "final inspection", "user", "elsewhere"]


@pytest.fixture(scope="module")
def model() -> StrongchainModel:
    model = StrongchainModel(rng=3)
    model.run(3)
    return model


@pytest.mark.parametrize("latent", [False, True])
def test_every_defect_ends_somewhere(model: StrongchainModel, latent: bool) -> None:
    for firm in (0, 50, 250):
        fate = follow_defect(model, firm, latent, tolerance=1e-12)
        assert fate[ENDS].to_numpy().sum() + fate["on its way"].iloc[-1] == pytest.approx(1.0, abs=1e-9)
        assert (fate[ENDS].to_numpy() >= 0).all()


def test_a_latent_defect_is_found_by_the_user_alone() -> None:
    """Unless a relation prevents it, or it is sold elsewhere."""
    model = StrongchainModel(rng=3, burn_in=12)
    plain = follow_defect(model, 100, latent=True, tolerance=1e-12)
    assert plain["goods-in"].sum() > 0 and not plain["final inspection"].any()
    model.links.relief, model.links.carried = 0.0, model.links.value_share
    fate = follow_defect(model, 100, latent=True, tolerance=1e-12)
    assert not fate["goods-in"].any()
    assert fate["user"].sum() + fate["elsewhere"].sum() == pytest.approx(1.0, abs=1e-9)
    assert fate["user"].sum() > 0.9


def test_what_is_sold_elsewhere_ends_there() -> None:
    """A member that sells a quarter of its output elsewhere loses a quarter of its latent defects there, at once."""
    network = SupplyNetwork.build(["part", "car"], [0], [1], [0.3], [False, True], [0.0, 1e6])
    model = StrongchainModel(network=network, rng=1, burn_in=2)
    firms, links = model.firms, model.links
    links.relief, links.carried = 0.0, links.value_share
    firms.elsewhere[0] = links.value_share[0] * firms.output[1] / 3.0
    fate = follow_defect(model, 0, latent=True)
    assert fate["elsewhere"].to_list() == pytest.approx([0.25, 0.0], abs=1e-12)
    assert fate["user"].to_list() == pytest.approx([0.0, 0.75], abs=1e-12)


def test_the_fate_of_one_defect_agrees_with_the_quality_map() -> None:
    # Without scrap, orders are the steady state and the map's marginal loss of a firm is its
    # output times the chance that one of its defects reaches a user, times the field cost.
    network = SupplyNetwork.build(["part", "module", "car"], [0, 1, 0], [1, 2, 2], [0.5, 0.4, 0.1], [False, False, True], [0.0, 0.0, 1e6])
    model = StrongchainModel(network=network, rng=1, burn_in=2)
    model.firms.output, model.firms.to_users, model.firms.elsewhere = network.steady_orders(), network.final_demand, 0.0
    detectable, latent = blocks(model)
    cost = model.parameters.field_cost * model.firms.to_users
    for block, hidden in ((detectable, False), (latent, True)):
        marginal = block.adjoint(cost)
        reaches = [follow_defect(model, firm, hidden, tolerance=0.0, most=10)["user"].sum() for firm in range(3)]
        np.testing.assert_allclose(marginal, model.parameters.field_cost * model.firms.output * reaches, rtol=1e-10)
