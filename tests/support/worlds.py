"""Small worlds for tests: hand-made and random networks, strategies for hypothesis, and what tests ask of a world."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from agents.firm import SIZE_CLASSES
from experiments.contract.scenes import EVENTFUL, bits, differing, eventful, numeric, random_network, region, world  # noqa: F401 (passed on)
from sim.build.region import Region
from sim.instruments import TARGETING, ChiefQualityOfficer, Instrument, OneStopStations, StrongChainLoans
from sim.model import StrongchainModel
from sim.month.propagation import propagate
from sim.network.network import SupplyNetwork
from sim.parameters import Parameters, declared
from sim.world import World

# -- networks --------------------------------------------------------------------------------------


def network(links: dict[tuple[str, str], float], leaders: dict[str, float], **columns) -> SupplyNetwork:
    """Network of (supplier, customer) → value share, and leader → final demand; firms in order of their names."""
    names = sorted({end for link in links for end in link} | set(leaders))
    row = {name: k for k, name in enumerate(names)}
    return SupplyNetwork.build(
        names,
        [row[supplier] for supplier, _ in links],
        [row[customer] for _, customer in links],
        list(links.values()),
        [name in leaders for name in names],
        [leaders.get(name, 0.0) for name in names],
        **columns,
    )


def line(firms: int, share: float = 0.5, demand: float = 1e6) -> SupplyNetwork:
    """A serial line 0 ← 1 ← 2 …: row 0 is the leader, row k supplies row k - 1."""
    rows = np.arange(1, firms)
    leads = np.arange(firms) == 0
    return SupplyNetwork.build(np.arange(firms).astype(str), rows, rows - 1, np.full(firms - 1, share), leads, np.where(leads, demand, 0.0))


def permuted(given: SupplyNetwork, order: np.ndarray) -> SupplyNetwork:
    """The same network with firm `order[k]` in row k."""
    place = np.argsort(order)
    return SupplyNetwork.build(
        given.names[order],
        place[given.supplier],
        place[given.customer],
        given.value_share,
        given.leader[order],
        given.final_demand[order],
        chain=given.chain[order],
        sector=given.sector[order],
        chains=given.chains,
        sectors=given.sectors,
        slot=given.slot,
        quality=None if given.quality is None else given.quality.of(order),
    )


# -- worlds ----------------------------------------------------------------------------------------


def hold(model: World, months: int = 400) -> None:
    """Propagate for some months with behaviour, inspection and open problems frozen."""
    for _ in range(months):
        propagate(model)


def plain(model: World, own: float | list[float] = 0.0, inspection: float = 0.0, detection: float = 1.0, inspected: float = 0.0) -> None:
    """Set what propagation rests on: no interface defects, no relief, no false alarms, nothing under way."""
    firms, links = model.firms, model.links
    firms.own_dpu, firms.own_special = own, 0.0
    firms.inspection, firms.detection, firms.false_alarm = inspection, detection, 0.0
    firms.capability[:, 2] = 1.0
    links.inspected, links.relief, links.interface = inspected, 0.0, 0.0
    firms.out_detectable, firms.out_latent = 0.0, 0.0


def parameters(**values) -> Parameters:
    """Parameters with some values replaced."""
    return replace(Parameters(), **values)


@dataclass
class Events:
    """What has happened in a world, counted month by month."""

    exits: int = 0
    entries: int = 0
    recalls: int = 0
    to_lenders: float = 0.0  # government's part of losses and of interest

    def watch(self, model: StrongchainModel, months: int) -> Events:
        """Run some months and count."""
        for _ in range(months):
            model.step()
            firms = model.firms
            self.exits += int(firms.exited.sum())
            self.entries += int((firms.entered == model.month).sum())
            self.recalls += int(firms.recalls.sum())
            self.to_lenders += model.books.month.get(("government", "lenders", "strong_chain_loans"), 0.0)
        return self


def set_parameters(model: World, **values) -> None:
    """Give a world other values of some parameters."""
    model.parameters = replace(model.parameters, **values)


def row(model: World, name: str) -> int:
    """Row of the firm of a name."""
    return model.network.names.tolist().index(name)


# -- strategies ------------------------------------------------------------------------------------


@st.composite
def networks(draw, most: int = 25) -> SupplyNetwork:
    """Random small networks: one or several leaders and chains, with and without loops, down to a single firm."""
    firms = draw(st.integers(1, most))
    leaders = draw(st.integers(1, min(4, firms)))
    return random_network(
        draw(st.integers(0, 10_000)),
        firms,
        leaders,
        draw(st.integers(1, leaders)),
        draw(st.sampled_from([1.0, 2.0, 5.0])),
        draw(st.sampled_from([0.0, 0.3, 0.8])),
        draw(st.sampled_from([0.2, 0.7, 0.95])),
    )


def _within(f) -> st.SearchStrategy:
    """Values of one declared setting: its ends, its default, anything between."""
    low, high = f.metadata["range"]
    entries = f.default if isinstance(f.default, tuple) else (f.default,)
    if isinstance(entries[0], int) and not isinstance(entries[0], bool) and "float" not in str(f.type):
        one = st.sampled_from([low, high]) | st.integers(int(low), int(high))
    else:
        # Next to 0 there is 0: a defect rate of 1e-308 tests floating-point arithmetic, not the model.
        one = st.sampled_from([float(low), float(high)]) | st.floats(low, high).map(
            lambda value: value if value > 1e-9 * high else float(low)
        )
    return st.tuples(*[one] * len(entries)) if isinstance(f.default, tuple) else one


@st.composite
def any_parameters(draw, most: int = 8, calm: bool = True) -> Parameters:
    """Parameters of an eventful world (or a `calm` one), of which a few lie anywhere in their declared ranges, the ends included."""
    known = {f.name: f for f in declared(Parameters)}
    values = {name: value for theme in EVENTFUL.values() if not calm or draw(st.booleans()) for name, value in theme.items()}
    chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=most, unique=True))
    return Parameters(**values | {name: draw(_within(known[name])) for name in chosen})


@st.composite
def deliveries(draw) -> dict[str, object]:
    """Levers that every instrument has: windows, ramps, capacities, budgets, targeting."""
    return {
        "start": draw(st.integers(1, 12)),
        "length": draw(st.none() | st.integers(0, 15)),
        "ramp": draw(st.integers(1, 12)),
        "reach": draw(st.sampled_from([1.0, 0.0]) | st.floats(0.0, 1.0)),
        "monthly_capacity": draw(st.none() | st.integers(0, 5)),
        "budget": draw(st.none() | st.sampled_from([0.0, 1.0]) | st.floats(0.0, 3e6)),
        "unit_cost": draw(st.sampled_from([0.0, 1e4]) | st.floats(0.0, 1e6)),
        "government_share": draw(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)),
        "sizes": tuple(size for size in SIZE_CLASSES if draw(st.sampled_from([True, True, False]))),
        "targeting": draw(st.sampled_from(sorted(TARGETING))),
    }


@st.composite
def officers(draw) -> ChiefQualityOfficer:
    return ChiefQualityOfficer(**draw(deliveries()), pay_subsidy=draw(st.floats(0.0, 1.0)))


@st.composite
def stations(draw) -> OneStopStations:
    return OneStopStations(
        **draw(deliveries()),
        per_1000_firms=draw(st.sampled_from([0.0, 100.0]) | st.floats(0.0, 100.0)),
        capacity=draw(st.sampled_from([0.0, 0.3, 2.5]) | st.floats(0.0, 50.0)),
        competence=draw(st.floats(0.0, 1.0)),
        elements=draw(st.tuples(*[st.integers(0, 1)] * 4)),
        online_share=draw(st.floats(0.0, 1.0)),
        fee=draw(st.sampled_from([0.0, 1e3]) | st.floats(0.0, 1e5)),
        station_cost=draw(st.sampled_from([0.0, 3e5]) | st.floats(0.0, 1e6)),
        running_cost=draw(st.sampled_from([0.0, 4e4]) | st.floats(0.0, 1e5)),
    )


@st.composite
def loans(draw) -> StrongChainLoans:
    return StrongChainLoans(
        **draw(deliveries()),
        line_share=draw(st.sampled_from([0.1, 0.0, 1.0]) | st.floats(0.0, 1.0)),
        tiers=draw(st.sampled_from([2, 1, 20]) | st.integers(1, 20)),
        ceiling=draw(st.sampled_from([25e6, 0.0, 1e12]) | st.floats(0.0, 1e6)),
        guarantee=draw(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)),
        discount=draw(st.sampled_from([0.0, 0.5]) | st.floats(0.0, 0.5)),
        score_least=draw(st.sampled_from([0.0, 0.4, 1.0]) | st.floats(0.0, 1.0)),
        score_weight=draw(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)),
    )


@st.composite
def policies(draw) -> tuple[Instrument, ...]:
    """Policies of none, some or all instruments, in any order."""
    kinds = [kind for kind in (officers, stations, loans) if draw(st.booleans())]
    return tuple(draw(kind()) for kind in draw(st.permutations(kinds)))


@st.composite
def regions(draw) -> Region:
    return region(
        chain_heads=draw(st.integers(0, 3)),
        counties=draw(st.integers(1, 4)),
        stations=draw(st.integers(0, 3)),
        station_capacity=draw(st.sampled_from([0.0, 0.5, 2.0])),
        station_fee=draw(st.sampled_from([0.0, 1e3])),
        station_online=draw(st.floats(0.0, 1.0)),
        awareness=draw(st.floats(0.0, 1.0)),
        officers=draw(st.floats(0.0, 1.0)),
        loan_rate=draw(st.sampled_from([0.0, 0.0445, 1.0])),
    )
