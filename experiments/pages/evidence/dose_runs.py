"""The simulations behind the page of all instruments' doses, and the rules that give an effect its sign and its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.streams import replicate_keys
from experiments.analysis.statistics import adjusted_p_values, p_values
from experiments.analysis.verdicts import Conclusion, conclusion, conclusions
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import Arm, Settings, WorldSettings, compose_settings, read_settings
from experiments.pages.evidence.mean_effects import mean_effect
from experiments.reports.findings import Estimate
from experiments.runs.measure import Run
from experiments.runs.provenance import manifest
from experiments.runs.runner import expected_seconds, run_arms, workers_of
from experiments.runs.store import Store
from experiments.terminal import write
from sim.instruments import INSTRUMENTS, Instrument, OneStopStations, Stewards
from sim.outcomes import HEADLINE

__all__ = ["DOSES", "DoseResponse", "DoseResults", "Shape", "Sign", "companion", "shape", "sign", "simulate"]

Floats = NDArray[np.float64]

#: Doses by instrument, without 0.
DOSES = {key: cls.doses_shown for key, cls in INSTRUMENTS.items()}


def companion(key: str, firms: int) -> Instrument | None:
    """Return the programme with which an instrument that only serves other programmes is measured; none for one that acts by itself.

    Its levers are assumptions. It grows slowly and takes on a small number of firms a month, so that it can be made faster; its doses
    of visits and stations are large enough for an effect that shows.
    """
    if not INSTRUMENTS[key].first:
        return None
    if key == "quality_map":
        return Stewards(targeting="quality_map", visits=1.0, ramp=12)
    return OneStopStations(per_1000_firms=8.0, reach=0.3, ramp=36, monthly_capacity=max(1, firms // 100))


# -- results -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DoseResponse:
    """The effects of the doses of one instrument.

    Attributes
    ----------
    key : str
    doses : sequence of float
        Doses, without 0, which is the reference.
    changes : array, shape (replicates, doses)
        Paired effects on defects reaching users, in % of the reference's mean.
    cost : array, shape (replicates, doses)
        What government pays beyond the reference, CNY over the whole run.
    counts : sequence of dict of str to float
        What was delivered, by dose; the mean of a run.
    conclusions : sequence of Conclusion
        By dose.
    companion : Instrument or None
        The programme that it serves, which is in the reference, too.
    """

    key: str
    doses: Sequence[float]
    changes: Floats
    cost: Floats
    counts: Sequence[Mapping[str, float]]
    conclusions: Sequence[Conclusion]
    companion: Instrument | None

    @property
    def effects(self) -> list[Estimate]:
        """Effect of each dose in %, with its paired 95 % interval."""
        return [mean_effect(column) for column in self.changes.T]

    @property
    def costs(self) -> list[Estimate]:
        """What government pays at each dose, CNY, with its interval."""
        return [mean_effect(column) for column in self.cost.T]


@dataclass(frozen=True)
class DoseResults:
    """All that the page shows: a response by instrument, the manifest, the size of the world, and its level without programme."""

    responses: Sequence[DoseResponse]
    about: Mapping[str, Any]
    firms: int
    level: float


class Sign(StrEnum):
    """Whether an instrument helps or harms, over all its doses."""

    HELPFUL = "helpful"
    HARMFUL = "harmful"
    MIXED = "mixed"
    NOT_SHOWN = "not shown"
    NO_CHANGE = "no change"
    UNKNOWN = "unknown"


class Shape(StrEnum):
    """How the effect goes on from half of the full dose to the full dose."""

    FLATTENING = "flattening"
    FALLING_BACK = "falling back"
    DIMINISHING = "diminishing"
    GROWING = "growing"
    PROPORTIONAL = "proportional"


def sign(response: DoseResponse) -> Sign:
    """Return the sign of an instrument's effect, from the conclusions on its doses."""
    by_dose = set(response.conclusions)
    if by_dose == {Conclusion.NO_CHANGE}:
        return Sign.NO_CHANGE
    if Conclusion.UNKNOWN in by_dose:
        return Sign.UNKNOWN
    if {Conclusion.LOWER, Conclusion.HIGHER} <= by_dose:
        return Sign.MIXED
    if Conclusion.LOWER in by_dose:
        return Sign.HELPFUL
    return Sign.HARMFUL if Conclusion.HIGHER in by_dose else Sign.NOT_SHOWN


def shape(response: DoseResponse) -> Shape | None:
    """Return the shape of an instrument's effect; none unless its sign is shown and the same at all doses.

    The full dose is compared with the largest dose that is half of it or less, by paired 95 % intervals: first the difference of both
    effects (it holds 0: flattening; against the sign: falling back), then the difference of both per unit of dose (less at the full
    dose: diminishing; more: growing; it holds 0: proportional).
    """
    direction = {Sign.HELPFUL: -1.0, Sign.HARMFUL: 1.0}.get(sign(response))
    if direction is None:
        return None
    at_half = _half(response.doses)
    full, half = response.changes[:, -1], response.changes[:, at_half]
    rise = conclusion(*mean_effect(direction * (full - half)))
    if rise != Conclusion.HIGHER:
        return Shape.FALLING_BACK if rise == Conclusion.LOWER else Shape.FLATTENING
    pace = conclusion(*mean_effect(direction * (full / response.doses[-1] - half / response.doses[at_half])))
    return {Conclusion.LOWER: Shape.DIMINISHING, Conclusion.HIGHER: Shape.GROWING}.get(pace, Shape.PROPORTIONAL)


def _half(doses: Sequence[float]) -> int:
    """Place of the largest dose that is half of the full one or less."""
    return max(k for k, dose in enumerate(doses) if dose <= doses[-1] / 2.0)


# -- simulation -------------------------------------------------------------------------------------------------


def _settings(overrides: Sequence[str], firms: int) -> Settings:
    """Compose the world, scaled to about so many firms."""
    firms_at_full_scale = read_settings(compose_settings(preflight([*overrides, "scale=1"]))).world.firms
    return read_settings(compose_settings(preflight([*overrides, f"scale={min(1.0, firms / firms_at_full_scale):.6g}"])))


def _arms(world: WorldSettings, doses: Mapping[str, Sequence[float]]) -> tuple[list[Arm], dict[str, str]]:
    """Return all arms, references first, and the name of the reference of each instrument."""
    reference: dict[str, str] = {}
    references, treated = [Arm("nothing", world, ())], []
    for key, doses_of_key in doses.items():
        served = companion(key, world.firms)
        companions = () if served is None else (served,)
        reference[key] = "nothing" if served is None else f"{served.key} for {key}"
        if served is not None:
            references.append(Arm(reference[key], world, companions))
        for dose in doses_of_key:
            levers: dict[str, Any] = {INSTRUMENTS[key].dose: dose}
            treated.append(Arm(f"{key} {dose:g}", world, (*companions, INSTRUMENTS[key](**levers))))
    return [*references, *treated], reference


def simulate(
    overrides: Sequence[str], firms: int, replicates: int, workers: int, keep: Path | None, doses: Mapping[str, Sequence[float]]
) -> DoseResults:
    """Run every dose of every instrument on common random numbers; runs in the folder `keep` are not repeated."""
    settings = _settings([*overrides, f"replicates={replicates}", f"parallel.workers={workers}"], firms)
    arms, reference = _arms(settings.world, doses)
    keys = replicate_keys(settings.seed, replicates)
    about = manifest(settings.resolved, overrides, keys, arms)
    seconds = expected_seconds(arms, replicates, settings.task.months, workers_of(settings.parallel, replicates))
    write(f"{len(arms)} arms × {replicates} replicates of {settings.task.months} months, {settings.world.firms} firms; "
        f"about {seconds:.0f} s if no run is in the store yet")  # fmt: skip
    runs = run_arms(arms, keys, settings.task, settings.parallel, store=Store(keep) if keep else None, progress=True)
    by_arm = {arm.name: [run for run in runs if run.arm == arm.name] for arm in arms}
    responses = [_response(key, doses_of_key, by_arm, reference[key], settings.world.firms) for key, doses_of_key in doses.items()]
    level = float(np.mean([_outcome(run, HEADLINE) for run in by_arm["nothing"]]))
    return DoseResults(_concluded(responses), about, settings.world.firms, level)


def _outcome(run: Run, key: str) -> float:
    return float(run.window[run.outcomes.index(key), 0])


def _response(key: str, doses: Sequence[float], by_arm: Mapping[str, Sequence[Run]], reference: str, firms: int) -> DoseResponse:
    """Pair the doses of an instrument with their reference; conclusions come later, over all instruments."""

    def defects(arm: str) -> Floats:
        return np.array([_outcome(run, HEADLINE) for run in by_arm[arm]])

    def paid(arm: str) -> Floats:
        return np.array([run.cumulative[run.outcomes.index("government_cost"), 0] for run in by_arm[arm]])

    names = [f"{key} {dose:g}" for dose in doses]
    base, served = defects(reference), companion(key, firms)
    changes = np.stack([100.0 * (defects(name) - base) / base.mean() for name in names], axis=1)
    cost = np.stack([paid(name) - paid(reference) for name in names], axis=1)
    counts = [_counts(by_arm[name], by_arm[reference], key, served) for name in names]
    return DoseResponse(key, doses, changes, cost, counts, (), served)


def _counts(treated: Sequence[Run], reference: Sequence[Run], key: str, served: Instrument | None) -> dict[str, float]:
    """Mean counts of a run: the instrument's own, and by how much those of the programme that it serves differ from the reference."""
    own = {name: float(np.mean([run.counts[key][name] for run in treated])) for name in treated[0].counts[key]}
    if served is None:
        return own
    pairs = list(zip((run.counts[served.key] for run in treated), (run.counts[served.key] for run in reference), strict=True))
    additional = {
        f"{served.key}: additional {name}": float(np.mean([counts[name] - base[name] for counts, base in pairs])) for name in pairs[0][0]
    }
    return own | additional


def _concluded(responses: Sequence[DoseResponse]) -> list[DoseResponse]:
    """Add the conclusions, with p-values corrected over all doses of all instruments (Holm)."""
    changes = np.concatenate([response.changes for response in responses], axis=1)
    mean, low, high = np.array([mean_effect(column) for column in changes.T]).T
    by_dose = iter(conclusions(mean, low, high, adjusted_p_values(p_values(changes))).tolist())
    return [replace(response, conclusions=[Conclusion(next(by_dose)) for _ in response.doses]) for response in responses]
