"""Small worlds modelled on three reported cases, with and without the programme: the simulations behind docs/evidence/case_studies.md.

A case is a function of a replicate's key that returns its measures, each in the treated world (with the programme) and in the control
world (without). Both have the same random numbers, and are one world until the programme begins.
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
from experiments.pages.evidence.mean_effects import mean_effect
from experiments.reports.findings import Estimate
from experiments.runs.runner import fan_out
from sim.build.region import Region
from sim.instruments import Certification, Instrument, OneStopStations, Stewards, SupplierDevelopment
from sim.model import StrongchainModel
from sim.month.propagation import escape_share, let_in, outgoing_dpu
from sim.parameters import parameter
from sim.world import World

__all__ = ["CASES", "PairedMeasure", "datong", "guangdong", "qingxu", "simulate_cases"]

Floats = NDArray[np.float64]
Key = tuple[int, int]
#: By measure: its value in the treated world and in the control world.
Pairs = dict[str, tuple[float, float]]

BURN_IN = 60
#: The worlds of the cases. Figures that the page does not mention are the defaults of a region, all of them assumptions.
CHAIN = Region(chains=1, leaders=1, firms=60, chain_heads=1, counties=1, stations=0)
PROVINCE = Region(chains=4, leaders=8, firms=500, chain_heads=4, counties=4, stations=0)
TOWN = Region(chains=1, leaders=12, firms=60, chain_heads=1, counties=1, sectors=4, stations=0)


@dataclass(frozen=True)
class PairedMeasure:
    """A measure of a case in the treated world, in the control world, and their paired difference, each with its 95 % interval."""

    treated: Estimate
    control: Estimate
    difference: Estimate
    replicates: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]], scale: float = 1.0) -> PairedMeasure:
        """Average over replicates, without those in which it is not a number."""
        values = scale * np.array(pairs, dtype=np.float64)
        known = values[~np.isnan(values).any(axis=1)]
        if not len(known):
            unknown = Estimate(np.nan, np.nan, np.nan)
            return cls(unknown, unknown, unknown, 0)
        treated, control = known.T
        return cls(mean_effect(treated), mean_effect(control), mean_effect(treated - control), len(known))


def _twins(model: StrongchainModel, *instruments: Instrument) -> tuple[StrongchainModel, StrongchainModel]:
    """Return the world under a policy, and a copy of it without."""
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
    escapes = escape_share(model)
    total = escapes[leader] * links.passed_detectable[parts] + links.passed_latent[parts]
    detectable = escapes[supplier] * let_in(model)[parts] * escapes[leader]
    latent = firms.latent[supplier]
    special = links.carried[parts] * firms.own_special[supplier] * ((1.0 - latent) * detectable + latent)
    return firms.to_users[leader] * np.stack([total, special])


def _year_of_failures(model: StrongchainModel, parts: NDArray[np.int64]) -> Floats:
    """Run a year: failures of each of the leader's parts, shape (2, parts)."""
    failures = np.zeros((2, parts.size))
    for _ in range(12):
        model.step()
        failures += _failures(model, parts)
    return failures


def _joint_project(model: StrongchainModel, parts: NDArray[np.int64], before: Floats, kind: int) -> Pairs:
    """Work for a year with the supplier of the part with the most failures of a kind (all, or of open problems alone)."""
    worst = int(before[kind].argmax())
    levers: dict[str, Any] = {
        "start": model.month + 1, "length": 12, "reach": 1.0, "firm": int(model.links.supplier[parts[worst]]),
    }  # fmt: skip
    treated, control = _twins(model, JointVisits(visits=2.0, **levers), JointTeaching(pace=0.5, tiers=1, cascade=0, **levers))
    others = np.arange(parts.size) != worst
    start, mean_of_others = float(before[kind, worst]), float(before[kind, others].mean())
    pairs: Pairs = {"before": (start, start), "others before": (mean_of_others, mean_of_others)}
    for year in ("during", "after"):
        failures = [_year_of_failures(world, parts)[kind] for world in (treated, control)]
        pairs[year] = (float(failures[0][worst]), float(failures[1][worst]))
        pairs[f"others {year}"] = (float(failures[0][others].mean()), float(failures[1][others].mean()))
    pairs["fall"] = (start - pairs["after"][0], start - pairs["after"][1])
    return pairs


def datong(key: Key) -> Pairs:
    """A leader watches its parts fail for a year, and works for a year with the supplier of the worst one.

    The worst part is the same in both worlds, since they are one world until then. It is chosen twice: by all its failures, and by those
    of its supplier's open problems. Failures are those of a part, whoever makes it later: in both worlds customers press poor
    suppliers or replace them.
    """
    model = StrongchainModel(CHAIN, key=key, burn_in=BURN_IN)
    parts = np.flatnonzero(model.firms.is_leader[model.links.customer] & (model.links.value_share > 0))
    before = _year_of_failures(model, parts)
    whole = _joint_project(copy.deepcopy(model), parts, before, 0)
    problem = _joint_project(model, parts, before, 1)
    return whole | {f"problem {name}": pair for name, pair in problem.items()}


# -- stations ------------------------------------------------------------------------------------------------------


def _stations(key: Key, capacity: float) -> Pairs:
    """Three years with as many stations per firm as Guangdong reports; every firm knows them."""
    model = StrongchainModel(PROVINCE, key=key, burn_in=BURN_IN)
    stations = OneStopStations(per_1000_firms=193.0 / 164.0, reach=1.0, capacity=capacity, sizes=("small", "medium", "large"))
    treated, control = _twins(model, stations)
    closed = [world.counts["problems closed"] for world in (treated, control)]
    for world in (treated, control):
        world.run(36)
    closed = [world.counts["problems closed"] - start for world, start in zip((treated, control), closed, strict=True)]
    counts = treated.programmes["one_stop_stations"].delivered(treated)  # type: ignore[attr-defined]
    number = stations.per_1000_firms * PROVINCE.firms / 1000.0
    served, solved = counts["cases served"], counts["problems solved"]
    field = [1000.0 * float(world.record.series("field_dpu")[-12:].mean()) for world in (treated, control)]
    return {
        "services": (served / number / 3.0, 0.0),
        "services a firm": (served / PROVINCE.firms / 3.0, 0.0),
        "solved": (solved / served if served else np.nan, 0.0),
        "closed": (closed[0] / PROVINCE.firms / 3.0, closed[1] / PROVINCE.firms / 3.0),
        "more closed": ((closed[0] - closed[1]) / solved if solved else np.nan, 0.0),
        "open": (treated.open_problems, control.open_problems),
        "field": (field[0], field[1]),
    }


def guangdong(key: Key) -> Pairs:
    """Stations with the default capacity, and with the capacity at which Guangdong's services would be those of one year."""
    plain, wide = _stations(key, 12.0), _stations(key, 175_000 / 193 / 12)
    return plain | {f"wide {name}": pair for name, pair in wide.items()}


# -- a specialised town --------------------------------------------------------------------------------------------


def qingxu(key: Key) -> Pairs:
    """Ten firms without a certificate, drawn at random, are helped to one; three years later they are compared in both worlds."""
    model = StrongchainModel(TOWN, key=key, burn_in=BURN_IN)
    already = model.firms.certified.copy()
    dpu = outgoing_dpu(model).copy()
    treated, control = _twins(model, Certification(reach=1.0, monthly_capacity=10, length=1, government_share=1.0))
    pairs: Pairs = {}
    for year in (1, 3):
        for world in (treated, control):
            world.run(12 if year == 1 else 24)
        ten = treated.programmes["certification"].reached  # type: ignore[attr-defined]
        pairs[f"certified {year}"] = tuple(float(world.firms.certified[ten].sum()) for world in (treated, control))  # type: ignore[assignment]
    ten = ten[(treated.firms.entered[ten] < 1) & (control.firms.entered[ten] < 1)]
    never_certified = np.flatnonzero(~already & (np.arange(already.size)[:, None] != ten).all(axis=1))

    def pair(measure: Callable[[StrongchainModel], float]) -> tuple[float, float]:
        return measure(treated), measure(control)

    pairs["town"] = pair(lambda world: 100.0 * float(world.firms.certified.mean()))
    pairs["management"] = pair(lambda world: float(world.firms.capability[ten, MANAGEMENT].mean()))
    pairs["change"] = pair(lambda world: 100.0 * float(outgoing_dpu(world)[ten].mean() / dpu[ten].mean() - 1.0))
    pairs["rest"] = pair(lambda world: 100.0 * float(outgoing_dpu(world)[never_certified].mean() / dpu[never_certified].mean() - 1.0))
    pairs["sales"] = pair(lambda world: float(world.firms.sales[ten].mean()) / 1e3)
    pairs["taken on"] = (float(treated.programmes["certification"].delivered(treated)["certificates"]), 0.0)  # type: ignore[attr-defined]
    return pairs


# -- over replicates ---------------------------------------------------------------------------------------------

CASES: dict[str, Callable[[Key], Pairs]] = {"datong": datong, "guangdong": guangdong, "qingxu": qingxu}
#: Mean failures of the worst part in the year before the project: F176.
REPORTED_BEFORE = 50.0


def _simulate_case(name: str, replicate: int, key: Key) -> tuple[str, int, Pairs]:
    return name, replicate, CASES[name](key)


def simulate_cases(replicates: Mapping[str, int], workers: int, seed: int = 1) -> dict[str, dict[str, PairedMeasure]]:
    """Simulate some replicates of each case, and return its measures by name."""
    jobs = [(name, k, key) for name, count in replicates.items() for k, key in enumerate(replicate_keys(seed, count))]
    done = {(name, k): pairs for name, k, pairs in fan_out(_simulate_case, jobs, Parallel("loky", workers))}
    measures = {}
    for name, count in replicates.items():
        runs = [done[name, k] for k in range(count)]
        scales = {measure: _scale(runs, measure) if name == "datong" else 1.0 for measure in runs[0]}
        measures[name] = {measure: PairedMeasure.of([run[measure] for run in runs], scale) for measure, scale in scales.items()}
    return measures


def _scale(runs: Sequence[Pairs], measure: str) -> float:
    """Return the factor by which the worst part has, on average, as many failures before the project as were reported."""
    before = "problem before" if measure.startswith("problem") else "before"
    return REPORTED_BEFORE / float(np.mean([run[before][0] for run in runs]))
