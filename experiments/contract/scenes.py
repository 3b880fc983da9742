"""Small worlds in which an instrument is tried: a random network, a calm and an eventful weather, and what differs between two runs."""

from __future__ import annotations

from dataclasses import Field, fields
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sim.build.region import Region
from sim.instruments import TARGETING, Delivery, Instrument, Programme
from sim.model import StrongchainModel
from sim.network.network import SupplyNetwork
from sim.parameters import Parameters
from sim.world import World

__all__ = [
    "CALM",
    "EVENTFUL",
    "MONTHS",
    "STORMY",
    "bits",
    "differing",
    "eventful",
    "full",
    "numeric",
    "programme_of",
    "random_network",
    "region",
    "run",
    "scene",
    "spent_by_month",
    "taken_on_each_month",
    "without",
    "world",
]

#: What makes things happen that are rare by default, by what happens.
EVENTFUL: dict[str, dict[str, Any]] = {
    "entry and exit": {"fortune_spread": (0.4, 0.35, 0.3), "distress_months": 1},
    "rewiring": {"relation_end": 0.1, "qualification_bar": 1.2, "development_months": 2},
    "recalls": {"recall_rate": 3.0, "traceability": 0.5},
    "lending": {"review_hazard": 0.5, "approval": (0.1, 0.1, 0.1), "invest_fixed": 2_000.0, "visibility": 1.0},
}


def eventful(**values: Any) -> Parameters:
    """Parameters under which firms give up, change suppliers, recall and borrow often; some values replaced."""
    return Parameters(**{**{name: value for theme in EVENTFUL.values() for name, value in theme.items()}, **values})


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


def region(firms: int = 30, **figures: Any) -> Region:
    """A small region with two stations and two counties."""
    small = {"chains": 2, "leaders": 3, "firms": max(firms, 4), "chain_heads": 2, "counties": 2, "stations": 2, "awareness": 0.5, **figures}
    return Region(**small)


def world(
    network: SupplyNetwork | int = 1, parameters: Parameters | None = None, instruments: tuple[Instrument, ...] = (), **settings: Any
) -> StrongchainModel:
    """A model of a network (or of the random one of a seed), by default after 6 months of burn-in."""
    built = random_network(network) if isinstance(network, int) else network
    place = settings.pop("region", None) or region(built.n_firms)
    return StrongchainModel(place, built, parameters, instruments, **{"rng": 1, "burn_in": 6, **settings})


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


def numeric(cls: type[Delivery]) -> dict[str, Field]:
    """Declared numeric levers of an instrument class, by name."""
    return {f.name: f for f in fields(cls) if "range" in f.metadata}


# -- one scene for all instruments -------------------------------------------------------------------

MONTHS = 10
SCENE = random_network(20, firms=80, leaders=4, chains=2)
PLACE = region(80, leaders=4, counties=3, awareness=0.3, officers=0.2)
#: Weathers in which an instrument has to keep the contract: by default, and where firms give up, rewire, recall and borrow all the time.
CALM, STORMY = Parameters(), eventful()


def full(cls: type[Instrument], **levers: Any) -> Instrument:
    """Return the instrument at a dose that small worlds notice, at a one-off cost."""
    dose: Any = numeric(cls)[cls.dose]
    strong = min(dose.metadata["range"][1], 50.0 * (dose.default or 1.0))
    return cls(**{"unit_cost": 1_000.0, "reach": 0.5, cls.dose: strong, **levers})


def scene(*instruments: Instrument, weather: Parameters = CALM) -> StrongchainModel:
    """Make a world of 80 firms, two existing stations and some officers under a policy, in which every law is checked."""
    return world(SCENE, weather, instruments, region=PLACE, check=True)


def run(*instruments: Instrument, months: int = MONTHS, weather: Parameters = CALM) -> StrongchainModel:
    """Run the scene under a policy."""
    model = scene(*instruments, weather=weather)
    model.run(months)
    return model


@lru_cache
def without(months: int = MONTHS, weather: Parameters = CALM) -> StrongchainModel:
    """Run the scene without any policy, once for all checks, which only read it."""
    return run(months=months, weather=weather)


def programme_of(model: World, cls: type[Instrument]) -> Programme:
    """Return an instrument's programme in a model."""
    return cast(Programme, model.programmes[cls.key])


def spent_by_month(
    instrument: Instrument, months: int = MONTHS, weather: Parameters = CALM
) -> tuple[StrongchainModel, list[float], list[float], list[float]]:
    """Run month by month: return the model, what the programme spent, what the books say, and what is recorded for firms."""
    model = scene(instrument, weather=weather)
    programme = programme_of(model, type(instrument))
    spent, booked, by_firms = [], [], []
    for _ in range(months):
        before = programme.spent
        model.step()
        spent.append(programme.spent - before)
        booked.append(model.books.paid("government", instrument.key))
        by_firms.append(float(model.firms.government_cost.sum()))
    return model, spent, booked, by_firms


def taken_on_each_month(cls: type[Instrument], **levers: Any) -> list[tuple[list[int], list[int]]]:
    """Run in the storm: for each month, the rows taken on, and all rows that could be taken on in their right order."""
    chosen: list[int] = []

    def apply(self: Instrument, model: World, month: int, rows: NDArray[np.int64]) -> None:
        chosen.extend(rows.tolist())
        cls.apply(self, model, month, rows)

    instrument = full(type(cls.__name__, (cls,), {"apply": apply}), **levers)
    model = scene(instrument, weather=STORMY)
    programme, tie = programme_of(model, cls), model.streams.uniform(f"{cls.key}: whom first", 0, model.firms.n)
    months = []
    for _ in range(MONTHS):
        chosen.clear()
        model.month += 1
        open_to = np.setdiff1d(np.flatnonzero(instrument.eligible(model)), programme.reached)
        model.month -= 1
        score = TARGETING[instrument.targeting](model)
        order = sorted(open_to.tolist(), key=lambda row: (-score[row], tie[row], row))
        model.step()
        months.append((chosen.copy(), order))
    return months
