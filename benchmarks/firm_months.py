"""Firm-months per second of the columns and of plain Mesa agents, the time of every phase, and what building costs.

A firm-month is one firm simulated for one month. The columns are `sim`; the agents are
`tests.reference_model.model`, which computes the same months (up to rounding) in loops over Mesa agents. Both run in
one process and take turns, so that a slow phase of the machine affects both; medians are reported.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from agents import Population
from sim import MONTH, Region, StrongchainModel, Synthetic
from tests.reference_model.model import TwinModel

__all__ = ["Building", "Race", "building", "phases", "race", "world"]

#: Firms for each station: the density of the sample region.
FIRMS_PER_STATION = 300
CHAINS, COUNTIES = 16, 14
#: Months after which ratings and queues have settled.
WARM_UP = 12


def world(firms: int, burn_in: int = WARM_UP) -> StrongchainModel:
    """Build the world whose time is measured: sixteen chains on a synthetic, cyclic network, no programme."""
    leaders = max(CHAINS, firms // 80)
    region = Region(
        firms=firms, chains=CHAINS, leaders=leaders, chain_heads=CHAINS, counties=COUNTIES, stations=max(1, firms // FIRMS_PER_STATION)
    )
    return StrongchainModel(region, Synthetic(firms=firms, chains=CHAINS, leaders=leaders), rng=1, burn_in=burn_in)


def seconds(act: Callable[[], object], times: int = 1) -> float:
    """Return the seconds that one call takes: the mean of several calls in a row."""
    start = perf_counter()
    for _ in range(times):
        act()
    return (perf_counter() - start) / times


@dataclass(frozen=True)
class Race:
    """Firm-months per second by round, columns and agents in turn.

    Attributes
    ----------
    firms, links : int
    columns, agents : list of float
        Firm-months per second of each round.
    recorded : list of float
        The same for the columns with all outcomes recorded; the agents record nothing.
    """

    firms: int
    links: int
    columns: list[float]
    agents: list[float]
    recorded: list[float]

    @property
    def ratio(self) -> float:
        """Median over the rounds of columns to agents."""
        return statistics.median(a / b for a, b in zip(self.columns, self.agents, strict=True))

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest ratio of a round."""
        ratios = [a / b for a, b in zip(self.columns, self.agents, strict=True)]
        return min(ratios), max(ratios)


def race(firms: int, rounds: int, months: int, agent_months: int) -> Race:
    """Let columns and agents take turns; in a round each simulates some months."""
    model = world(firms)
    twin = TwinModel(model)
    columns, agents, recorded = [], [], []
    for _ in range(rounds):
        columns.append(firms / seconds(model._one_month, months))
        agents.append(firms / seconds(twin.step, agent_months))
        recorded.append(firms / seconds(model.step, months))
    return Race(firms, model.links.n, columns, agents, recorded)


def phases(firms: int, months: int) -> dict[str, float]:
    """Return the nanoseconds per firm-month of every phase of the month, and of recording it.

    The median over quarters, because suppliers are reviewed once a quarter.
    """
    model = world(firms)
    spent: dict[str, list[float]] = {}
    for _ in range(months):  # whole quarters
        model.month += 1
        model._turn_page()
        for phase in MONTH:
            spent.setdefault(phase.__name__, []).append(seconds(lambda phase=phase: phase(model)))  # type: ignore[misc]
        spent.setdefault("record", []).append(seconds(lambda: model.record.write(model)))
    quarters = {name: np.add.reduceat(times, np.arange(0, len(times), 3)) / 3.0 for name, times in spent.items()}
    return {name: 1e9 * float(np.median(times)) / firms for name, times in quarters.items()}


@dataclass(frozen=True)
class Building:
    """What it costs to build a world without burn-in.

    Attributes
    ----------
    firms : int
    network, state, agents : float
        Seconds for the supply network, for the state of the world, and for its Mesa agents on demand.
    state_bytes : float
        Bytes per firm in the columns of all populations, links included.
    agent_bytes : float
        Bytes per firm of the Mesa agents, which are views of the columns.
    peak_bytes : float
        Bytes per firm by which the process grew at its peak, while it built a world and simulated one month; not a number
        where the system does not report it.
    """

    firms: int
    network: float
    state: float
    agents: float
    state_bytes: float
    agent_bytes: float
    peak_bytes: float


def building(firms: int) -> Building:
    """Build a world in a separate process, so that its memory holds nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_build, (firms,))


def _build(firms: int) -> Building:
    world(100, burn_in=1)  # what is imported or compiled on first use does not count
    before = _peak()
    start = perf_counter()
    model = world(firms, burn_in=0)
    whole = perf_counter() - start
    network = seconds(lambda: world_network(firms))
    model.step()
    grown = _peak() - before
    agents = seconds(lambda: model.agents)
    populations = [getattr(model, name) for name in (*model.kinds, "links", "chains")]
    state = sum(_bytes(population) for population in populations)
    return Building(firms, network, whole - network, agents, state / firms, _agent_bytes(firms), grown / firms)


def _agent_bytes(firms: int) -> float:
    """Bytes per firm that the first use of the agents adds; measured in a second world, because tracing memory takes time."""
    model = world(firms, burn_in=0)
    tracemalloc.start()
    built = model.agents
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(built) >= firms
    return grown / firms


def world_network(firms: int) -> object:
    """Build the supply network of `world` alone."""
    from agents.streams import Streams, replicate_keys
    from sim.build.synthetic import synthetic

    settings = Synthetic(firms=firms, chains=CHAINS, leaders=max(CHAINS, firms // 80))
    return synthetic(settings, Streams(replicate_keys(1, 1)[0]))


def _bytes(population: Population) -> int:
    return sum(getattr(population, name).nbytes for name in population.columns)


def _peak() -> float:
    """Largest size of this process so far in bytes; not a number where the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(size if sys.platform == "darwin" else 1024 * size)
