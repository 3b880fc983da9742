"""What every test may ask for: a tiny network, a model of it, a model of the sample region."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from sim import StrongchainModel, SupplyNetwork
from tests.support.worlds import network, region

# What is printed has the same lines in every terminal; read when experiments.terminal is imported.
os.environ["COLUMNS"] = "100"
# The same examples on every machine and in every run; a slow machine is no failure.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture
def loop_network() -> SupplyNetwork:
    """Eight firms on two chains: A and B lead, c → g → e → c is a loop, h stands at the far end, d serves both leaders."""
    links = {
        ("c", "A"): 0.3,
        ("d", "A"): 0.2,
        ("d", "B"): 0.3,
        ("e", "c"): 0.3,
        ("g", "e"): 0.2,
        ("c", "g"): 0.2,
        ("f", "d"): 0.25,
        ("h", "f"): 0.4,
    }
    return network(links, {"A": 2e6, "B": 1e6}, chain=[0, 1, 0, 1, 0, 1, 0, 1], chains=["left", "right"])


@pytest.fixture
def loop_model(loop_network: SupplyNetwork) -> StrongchainModel:
    """A model of the tiny network whose two stations have more cases than they can serve."""
    busy = region(loop_network.n_firms, station_capacity=0.25, station_fee=0.0, station_online=1.0, awareness=1.0)
    model = StrongchainModel(busy, loop_network, rng=1, burn_in=12, check=True)
    model.run(6)
    return model


@pytest.fixture
def sample_model() -> StrongchainModel:
    """A model of the sample region."""
    return StrongchainModel(rng=1, burn_in=3)
