"""Small worlds after three reported cases, each with its unaided twin: what is simulated for docs/evidence/case_studies.md.

A case is a function of a replicate's key that returns its measures, each with the programme and without. Both worlds have the same
luck, and are one world until the programme begins.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from agents.streams import replicate_keys
from experiments.configuration.settings import Parallel
from experiments.pages.evidence.mean_effects import Effect, mean_effect
from experiments.runs.runner import fan_out
from sim.build.region import Region
from sim.instruments import Certification, Instrument, OneStopStations, Stewards, SupplierDevelopment
from sim.model import StrongchainModel
from sim.month.propagation import escape_share, let_in, outgoing_dpu
from sim.parameters import parameter
from sim.world import World

__all__ = ["CASES", "Measured", "datong", "guangdong", "measured", "qingxu"]

Floats = NDArray[np.float64]
Key = tuple[int, int]
#: By measure: with the programme, and without.
Pairs = dict[str, tuple[float, float]]

BURN_IN = 60
#: The cases' worlds; figures that are not in the page are those of a region by default, assumptions all of them.
CHAIN = Region(chains=1, leaders=1, firms=60, chain_heads=1, counties=1, stations=0)
PROVINCE = Region(chains=4, leaders=8, firms=500, chain_heads=4, counties=4, stations=0)
TOWN = Region(chains=1, leaders=12, firms=60, chain_heads=1, counties=1, sectors=4, stations=0)


@dataclass(frozen=True)
class Measured:
    """A measure of a case: with the programme, without it, and the paired difference, each with its 95 % interval."""

    aided: Effect
    unaided: Effect
    difference: Effect
    replicates: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]], scale: float = 1.0) -> Measured:
        """Average over replicates; those in which it is no number are left out."""
        values = scale * np.array(pairs, dtype=np.float64)
        known = values[~np.isnan(values).any(axis=1)]
        if not len(known):
            nothing = (np.nan, np.nan, np.nan)
            return cls(nothing, nothing, nothing, 0)
        aided, unaided = known.T
        return cls(mean_effect(aided), mean_effect(unaided), mean_effect(aided - unaided), len(known))


def _twins(model: StrongchainModel, *instruments: Instrument) -> tuple[StrongchainModel, StrongchainModel]:
    """Return the world with a policy, and as it is without."""
    twin = copy.deepcopy(model)
    model.adopt(instruments)
    return model, twin


# -- one supplier ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class JointVisits(Stewards):
    """The leader's experts work at one supplier (质量管家, 点对点帮扶); an assumption."""

    firm: int = parameter(0, 0, 10_000_000, "row", "chosen in the run", "N", "the supplier")

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """The supplier alone."""
        return super().eligible(world) & (np.arange(world.firms.n) == self.firm)


@dataclass(frozen=True, kw_only=True)
class JointTeaching(SupplierDevelopment):
    """The leader hands its practice to one supplier (链主赋能); an assumption."""

    firm: int = parameter(0, 0, 10_000_000, "row", "chosen in the run", "N", "the supplier")

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """The supplier alone."""
        return super().eligible(world) & (np.arange(world.firms.n) == self.firm)


def _failures(model: StrongchainModel, parts: NDArray[np.int64]) -> Floats:
    """Defects of each part that reach users this month, by sales: all, and those of the supplier's open problems, shape (2, parts)."""
    links, firms = model.links, model.firms
    leader, supplier = links.customer[parts], links.supplier[parts]
    gets_out = escape_share(model)
    every = gets_out[leader] * links.passed_detectable[parts] + links.passed_latent[parts]
    seen = gets_out[supplier] * let_in(model)[parts] * gets_out[leader]
    hidden = firms.latent[supplier]
    special = links.carried[parts] * firms.own_special[supplier] * ((1.0 - hidden) * seen + hidden)
    return firms.to_users[leader] * np.stack([every, special])


def _year_of_failures(model: StrongchainModel, parts: NDArray[np.int64]) -> Floats:
    """Run a year: failures of each of the leader's parts, shape (2, parts)."""
    found = np.zeros((2, parts.size))
    for _ in range(12):
        model.step()
        found += _failures(model, parts)
    return found


def _joint_project(model: StrongchainModel, parts: NDArray[np.int64], before: Floats, kind: int) -> Pairs:
    """Work for a year with the supplier of the part with the most failures of a kind (all, or of open problems alone)."""
    worst = int(before[kind].argmax())
    levers: dict[str, Any] = {
        "start": model.month + 1, "length": 12, "reach": 1.0, "firm": int(model.links.supplier[parts[worst]]),
    }  # fmt: skip
    aided, unaided = _twins(model, JointVisits(visits=2.0, **levers), JointTeaching(pace=0.5, tiers=1, cascade=0, **levers))
    others = np.arange(parts.size) != worst
    start, rest = float(before[kind, worst]), float(before[kind, others].mean())
    out: Pairs = {"before": (start, start), "others before": (rest, rest)}
    for year in ("during", "after"):
        found = [_year_of_failures(world, parts)[kind] for world in (aided, unaided)]
        out[year] = (float(found[0][worst]), float(found[1][worst]))
        out[f"others {year}"] = (float(found[0][others].mean()), float(found[1][others].mean()))
    out["fall"] = (start - out["after"][0], start - out["after"][1])
    return out


def datong(key: Key) -> Pairs:
    """A leader watches its parts fail for a year, and works for a year with the supplier of the worst one.

    The worst part is the worst of that year in both worlds, since they are one until then. It is told twice: the worst by all failures, and
    by those of its supplier's open problems. Failures are those of a part, whoever makes it later: customers put poor suppliers
    on their list, or replace them, in both worlds.
    """
    model = StrongchainModel(CHAIN, key=key, burn_in=BURN_IN)
    parts = np.flatnonzero(model.firms.is_leader[model.links.customer] & (model.links.value_share > 0))
    before = _year_of_failures(model, parts)
    whole = _joint_project(copy.deepcopy(model), parts, before, 0)
    problem = _joint_project(model, parts, before, 1)
    return whole | {f"problem {name}": pair for name, pair in problem.items()}


# -- stations ------------------------------------------------------------------------------------------------------


def _stations(key: Key, capacity: float) -> Pairs:
    """Three years with stations as many to a firm as Guangdong's served, all of which know them."""
    model = StrongchainModel(PROVINCE, key=key, burn_in=BURN_IN)
    stations = OneStopStations(per_1000_firms=193.0 / 164.0, reach=1.0, capacity=capacity, sizes=("small", "medium", "large"))
    aided, unaided = _twins(model, stations)
    closed = [world.counts["problems closed"] for world in (aided, unaided)]
    for world in (aided, unaided):
        world.run(36)
    closed = [world.counts["problems closed"] - start for world, start in zip((aided, unaided), closed, strict=True)]
    counts = aided.programmes["one_stop_stations"].delivered(aided)  # type: ignore[attr-defined]
    number = stations.per_1000_firms * PROVINCE.firms / 1000.0
    served, solved = counts["cases served"], counts["problems solved"]
    field = [1000.0 * float(world.record.series("field_dpu")[-12:].mean()) for world in (aided, unaided)]
    return {
        "services": (served / number / 3.0, 0.0),
        "services a firm": (served / PROVINCE.firms / 3.0, 0.0),
        "solved": (solved / served if served else np.nan, 0.0),
        "closed": (closed[0] / PROVINCE.firms / 3.0, closed[1] / PROVINCE.firms / 3.0),
        "more closed": ((closed[0] - closed[1]) / solved if solved else np.nan, 0.0),
        "open": (aided.open_problems, unaided.open_problems),
        "field": (field[0], field[1]),
    }


def guangdong(key: Key) -> Pairs:
    """Stations with the capacity that is the default, and with the one at which Guangdong's count would be that of one year."""
    plain, wide = _stations(key, 12.0), _stations(key, 175_000 / 193 / 12)
    return plain | {f"wide {name}": pair for name, pair in wide.items()}


# -- a specialised town --------------------------------------------------------------------------------------------


def qingxu(key: Key) -> Pairs:
    """Ten firms without a certificate, drawn at random, are led to one; three years later they are looked at in both worlds."""
    model = StrongchainModel(TOWN, key=key, burn_in=BURN_IN)
    already = model.firms.certified.copy()
    dpu = outgoing_dpu(model).copy()
    aided, unaided = _twins(model, Certification(reach=1.0, monthly_capacity=10, length=1, government_share=1.0))
    out: Pairs = {}
    for year in (1, 3):
        for world in (aided, unaided):
            world.run(12 if year == 1 else 24)
        ten = aided.programmes["certification"].reached  # type: ignore[attr-defined]
        out[f"certified {year}"] = tuple(float(world.firms.certified[ten].sum()) for world in (aided, unaided))  # type: ignore[assignment]
    ten = ten[(aided.firms.entered[ten] < 1) & (unaided.firms.entered[ten] < 1)]
    rest = np.flatnonzero(~already & (np.arange(already.size)[:, None] != ten).all(axis=1))

    def pair(look: Callable[[StrongchainModel], float]) -> tuple[float, float]:
        return look(aided), look(unaided)

    out["town"] = pair(lambda world: 100.0 * float(world.firms.certified.mean()))
    out["management"] = pair(lambda world: float(world.firms.capability[ten, MANAGEMENT].mean()))
    out["change"] = pair(lambda world: 100.0 * float(outgoing_dpu(world)[ten].mean() / dpu[ten].mean() - 1.0))
    out["rest"] = pair(lambda world: 100.0 * float(outgoing_dpu(world)[rest].mean() / dpu[rest].mean() - 1.0))
    out["sales"] = pair(lambda world: float(world.firms.sales[ten].mean()) / 1e3)
    out["taken on"] = (float(aided.programmes["certification"].delivered(aided)["certificates"]), 0.0)  # type: ignore[attr-defined]
    return out


# -- over replicates ---------------------------------------------------------------------------------------------

CASES: dict[str, Callable[[Key], Pairs]] = {"datong": datong, "guangdong": guangdong, "qingxu": qingxu}
#: What the worst part's failures before the project are set to, on average: F176.
REPORTED_BEFORE = 50.0


def _one(name: str, replicate: int, key: Key) -> tuple[str, int, Pairs]:
    return name, replicate, CASES[name](key)


def measured(replicates: Mapping[str, int], workers: int, seed: int = 1) -> dict[str, dict[str, Measured]]:
    """Simulate so many replicates of each case: its measures by name."""
    jobs = [(name, k, key) for name, many in replicates.items() for k, key in enumerate(replicate_keys(seed, many))]
    done = {(name, k): pairs for name, k, pairs in fan_out(_one, jobs, Parallel("loky", workers))}
    out = {}
    for name, many in replicates.items():
        runs = [done[name, k] for k in range(many)]
        out[name] = {what: Measured.of([run[what] for run in runs], _scale(runs, what) if name == "datong" else 1.0) for what in runs[0]}
    return out


def _scale(runs: Sequence[Pairs], what: str) -> float:
    """What makes the failures of the worst part before the project as many as were reported, on average."""
    before = "problem before" if what.startswith("problem") else "before"
    return REPORTED_BEFORE / float(np.mean([run[before][0] for run in runs]))
