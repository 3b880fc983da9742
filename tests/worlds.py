"""Small worlds for tests: hand-made and random networks, strategies for hypothesis, and what tests ask of a world."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from hypothesis import strategies as st

from agents.firm import SIZE_CLASSES
from sim.build.region import Region
from sim.instruments import TARGETING, ChiefQualityOfficer, Instrument, OneStopStations, StrongChainLoans
from sim.model import StrongchainModel
from sim.month.propagation import propagate
from sim.network import SupplyNetwork
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


def random_network(
    seed: int, firms: int = 30, leaders: int = 3, chains: int = 2, suppliers: float = 3.0, loops: float = 0.2, material: float = 0.7
) -> SupplyNetwork:
    """Random network: each member supplies firms before it in the row order, a share of the links turned round to close loops.

    Each customer buys less than it sells (`material` < 1), so nothing grows round a loop.
    """
    r = np.random.default_rng(seed)
    pairs = set()
    for firm in range(leaders, firms):
        for customer in r.integers(0, firm, 1 + r.poisson(suppliers - 1.0)):
            turned = customer >= leaders and r.random() < loops
            pairs.add((int(customer), firm) if turned else (firm, int(customer)))
    supplier, customer = np.array(sorted(pairs)).T if pairs else np.empty((2, 0), dtype=int)
    weight = r.exponential(size=supplier.size) + 1e-3
    bought = material * r.uniform(0.3, 1.0, firms)
    share = weight * (bought / np.maximum(np.bincount(customer, weight, minlength=firms), 1e-300))[customer]
    leads = np.arange(firms) < leaders
    chain = np.where(leads, np.arange(firms) % chains, r.integers(0, chains, firms))
    return SupplyNetwork.build(
        [f"f{k}" for k in range(firms)],
        supplier,
        customer,
        share,
        leads,
        np.where(leads, r.uniform(0.2, 20.0, firms) * 1e6, 0.0),
        chain=chain,
        sector=r.integers(0, 3, firms),
        chains=[f"chain {k}" for k in range(chains)],
        sectors=["a", "b", "c"],
    )


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
    )


# -- worlds ----------------------------------------------------------------------------------------


def region(firms: int = 30, **figures) -> Region:
    """A region of a few firms, two stations and two counties."""
    small = {"chains": 2, "leaders": 3, "firms": max(firms, 4), "chain_heads": 2, "counties": 2, "stations": 2, "awareness": 0.5, **figures}
    return Region(**small)


def world(
    given: SupplyNetwork | int = 1, parameters: Parameters | None = None, instruments: tuple[Instrument, ...] = (), **settings
) -> StrongchainModel:
    """A model of a network (or of the random one of a seed), by default after 6 months of burn-in."""
    built = random_network(given) if isinstance(given, int) else given
    place = settings.pop("region", None) or region(built.n_firms)
    return StrongchainModel(place, built, parameters, instruments, **{"rng": 1, "burn_in": 6, **settings})


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


#: What makes things happen that are rare by default, by what happens.
EVENTFUL: dict[str, dict[str, object]] = {
    "entry and exit": {"fortune_spread": (0.4, 0.35, 0.3), "distress_months": 1},
    "rewiring": {"relation_end": 0.1, "qualification_bar": 1.2, "development_months": 2},
    "recalls": {"recall_rate": 3.0, "traceability": 0.5},
    "lending": {"review_hazard": 0.5, "approval": (0.1, 0.1, 0.1), "invest_fixed": 2_000.0, "visibility": 1.0},
}


def eventful(**values) -> Parameters:
    """Parameters under which firms give up, change suppliers, recall and borrow often; some values replaced."""
    return Parameters(**{**{name: value for theme in EVENTFUL.values() for name, value in theme.items()}, **values})


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


def bits(model: StrongchainModel) -> dict[str, bytes]:
    """Every bit of a model's state, by name: columns, counts, books and record."""
    state = {"counts": repr(sorted(model.counts.items())), "balance": repr(sorted(model.books.balance.items()))}
    out = {name: text.encode() for name, text in state.items()}
    for population in (*(getattr(model, kind) for kind in model.kinds), model.links, model.chains, model.classes):
        for name in population.columns:
            column = np.ascontiguousarray(getattr(population, name))
            out[f"{population.kind}.{name}"] = repr(column.shape).encode() + column.tobytes()
    out["record"] = model.record.values.tobytes()
    return out


def differing(a: StrongchainModel, b: StrongchainModel) -> list[str]:
    """Names of what differs by any bit between two models."""
    left, right = bits(a), bits(b)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))


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


def numeric(cls: type[Instrument]) -> dict[str, object]:
    """Declared numeric levers of an instrument class, by name."""
    return {f.name: f for f in fields(cls) if "range" in f.metadata}
