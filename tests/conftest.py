"""What every test may ask for (a tiny network, a model of it, a model of the sample region), and how long a unit test may take."""

from __future__ import annotations

import os
import time
from collections.abc import Generator

import numpy as np
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


# -- kinds of test -----------------------------------------------------------------------------------

#: Seconds of CPU that a unit test may take, fixtures included, on a machine that does the piece of work below in so many.
MOST_SECONDS, YARDSTICK_SECONDS = 2.0, 0.1
#: What is not a unit test: see the markers in pyproject.toml.
OTHERS = ("study", "verification", "full")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as a unit test every test that has no other mark."""
    for item in items:
        if not any(item.get_closest_marker(name) for name in OTHERS):
            item.add_marker("unit")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note the CPU that a test takes: its fixtures and child processes with it, other work on the machine not."""
    item.stash[SPENT] = -_cpu()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a unit test that took too long: it runs a whole study, and is to be marked so, or made smaller."""
    report = yield
    spent = item.stash.get(SPENT, 0.0) + _cpu()
    if call.when == "call" and report.passed and item.get_closest_marker("unit") and spent > MOST_SECONDS:
        limit = MOST_SECONDS * max(1.0, slowness())
        if spent > limit:
            report.outcome = "failed"
            report.longrepr = f"a unit test took {spent:.1f} s of CPU, more than {limit:.1f} s: mark it `study`, or make it smaller"
    return report


SPENT = pytest.StashKey[float]()


def _cpu() -> float:
    return sum(os.times()[:4])


def slowness() -> float:
    """How many times as long as on the machine of the limit a fixed piece of work takes now: a slow or busy machine is no failure."""
    start = time.process_time()
    total = 0
    for k in range(900_000):
        total += k & 7
    for _ in range(10):
        np.sort(np.sin(np.arange(200_000.0)))
    return (time.process_time() - start) / YARDSTICK_SECONDS
