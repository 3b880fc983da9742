"""One defect on its way down the chain."""

from __future__ import annotations

import numpy as np
import pytest

from sim import StrongchainModel, SupplyNetwork
from sim.defect import follow_defect
from sim.quality_map import blocks

ENDS = ["goods-in", "final inspection", "user"]


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


def test_a_latent_defect_is_found_by_the_user_alone(model: StrongchainModel) -> None:
    fate = follow_defect(model, 100, latent=True, tolerance=1e-12)
    assert fate["user"].sum() == pytest.approx(1.0, abs=1e-9)


def test_the_fate_of_one_defect_agrees_with_the_quality_map() -> None:
    # Without scrap, orders are the steady state and the map's marginal loss of a firm is its
    # output times the chance that one of its defects reaches a user, times the field cost.
    network = SupplyNetwork.build(["part", "module", "car"], [0, 1, 0], [1, 2, 2], [0.5, 0.4, 0.1], [False, False, True], [0.0, 0.0, 1e6])
    model = StrongchainModel(network=network, rng=1, burn_in=2)
    model.firms.output = network.steady_orders()
    detectable, latent = blocks(model)
    cost = model.parameters.field_cost * model.firms.final_demand
    for block, hidden in ((detectable, False), (latent, True)):
        marginal = block.adjoint(cost)
        reaches = [follow_defect(model, firm, hidden, tolerance=0.0, most=10)["user"].sum() for firm in range(3)]
        np.testing.assert_allclose(marginal, model.parameters.field_cost * model.firms.output * reaches, rtol=1e-10)
