"""What is simulated for the page of all instruments' doses, and the rules that call an effect's sign and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.streams import replicate_keys
from experiments.analysis.statistics import adjusted_p_values, p_values
from experiments.analysis.verdicts import told_from_zero
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import Arm, Settings, WorldSettings, compose_settings, read_settings
from experiments.pages.evidence.mean_effects import Effect, mean_effect, verdict
from experiments.runs.measure import Run
from experiments.runs.provenance import manifest
from experiments.runs.runner import expected_seconds, run_arms, workers_of
from experiments.runs.store import Store
from experiments.terminal import say
from sim.instruments import INSTRUMENTS, Instrument, OneStopStations, Stewards
from sim.outcomes import HEADLINE

__all__ = ["DOSES", "Found", "Response", "companion", "shape", "sign", "simulate"]

Floats = NDArray[np.float64]

#: Doses by instrument, without 0.
DOSES = {key: cls.doses_shown for key, cls in INSTRUMENTS.items()}


def companion(key: str, firms: int) -> Instrument | None:
    """Return the programme beside which an instrument is measured that serves others alone; none for one that acts by itself.

    Its levers are assumptions. It grows slowly and takes on few firms a month, so that there is something to hasten; the doses
    of visits and stations are large enough for an effect that can be told.
    """
    if not INSTRUMENTS[key].first:
        return None
    if key == "quality_map":
        return Stewards(targeting="quality_map", visits=1.0, ramp=12)
    return OneStopStations(per_1000_firms=8.0, reach=0.3, ramp=36, monthly_capacity=max(1, firms // 100))


# -- what was found ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Response:
    """What the doses of one instrument do.

    Attributes
    ----------
    key : str
    given : sequence of float
        Doses, without 0, which is the reference.
    each : array, shape (replicates, doses)
        Paired effects on defects reaching users, in % of the reference's mean.
    cost : array, shape (replicates, doses)
        What government pays beyond the reference, CNY over the whole run.
    counts : sequence of dict of str to float
        What was delivered, by dose; the mean of a run.
    told : sequence of str
        By dose, whether the effect is told from 0: "lower", "higher", "not told", "unknown".
    beside : Instrument or None
        The companion, in the reference too.
    """

    key: str
    given: Sequence[float]
    each: Floats
    cost: Floats
    counts: Sequence[Mapping[str, float]]
    told: Sequence[str]
    beside: Instrument | None

    @property
    def effects(self) -> list[Effect]:
        """Effect of each dose in %, with its paired 95 % interval."""
        return [mean_effect(column) for column in self.each.T]

    @property
    def costs(self) -> list[Effect]:
        """What government pays at each dose, CNY, with its interval."""
        return [mean_effect(column) for column in self.cost.T]


@dataclass(frozen=True)
class Found:
    """All that the page tells: a response by instrument, and where it came from."""

    responses: Sequence[Response]
    about: Mapping[str, Any]
    firms: int
    level: float


def sign(response: Response) -> str:
    """Call the sign of an instrument's effect from what is told of its doses: helpful, harmful, mixed, open, nothing or unknown."""
    if all(verdict(effect) == "nothing" for effect in response.effects):
        return "nothing"
    told = set(response.told)
    if "unknown" in told:
        return "unknown"
    return {(True, False): "helpful", (False, True): "harmful", (True, True): "mixed"}.get(("lower" in told, "higher" in told), "open")


def shape(response: Response) -> str:
    """Call how the effect goes on from the largest dose that is half of the full one or less to the full one.

    By paired 95 % intervals: of the difference of both effects (it holds 0: "flattening"; against the sign: "falling back"), and of the
    difference of both per unit of dose (less at the full dose: "diminishing"; more: "growing"; it holds 0: "proportional"). Only where the
    sign is told and the same at all doses, else "".
    """
    kind = sign(response)
    if kind not in {"helpful", "harmful"}:
        return ""
    at = _half(response.given)
    full, half = response.each[:, -1], response.each[:, at]
    way = -1.0 if kind == "helpful" else 1.0
    on = verdict(mean_effect(way * (full - half)))
    if on != "higher":
        return "falling back" if on == "lower" else "flattening"
    pace = verdict(mean_effect(way * (full / response.given[-1] - half / response.given[at])))
    return {"lower": "diminishing", "higher": "growing"}.get(pace, "proportional")


def _half(given: Sequence[float]) -> int:
    """Place of the largest dose that is half of the full one or less."""
    return max(k for k, dose in enumerate(given) if dose <= given[-1] / 2.0)


# -- what is simulated ------------------------------------------------------------------------------------------


def _settings(words: Sequence[str], firms: int) -> Settings:
    """Compose the world, scaled to about so many firms."""
    whole = read_settings(compose_settings(preflight([*words, "scale=1"]))).world.firms
    return read_settings(compose_settings(preflight([*words, f"scale={min(1.0, firms / whole):.6g}"])))


def _arms(world: WorldSettings, doses: Mapping[str, Sequence[float]]) -> tuple[list[Arm], dict[str, str]]:
    """Return all arms, references first, and the reference of each instrument."""
    against: dict[str, str] = {}
    references, others = [Arm("nothing", world, ())], []
    for key, given in doses.items():
        beside = companion(key, world.firms)
        company = () if beside is None else (beside,)
        against[key] = "nothing" if beside is None else f"{beside.key} beside {key}"
        if beside is not None:
            references.append(Arm(against[key], world, company))
        for dose in given:
            levers: dict[str, Any] = {INSTRUMENTS[key].dose: dose}
            others.append(Arm(f"{key} {dose:g}", world, (*company, INSTRUMENTS[key](**levers))))
    return [*references, *others], against


def simulate(
    words: Sequence[str], firms: int, replicates: int, workers: int, keep: Path | None, doses: Mapping[str, Sequence[float]]
) -> Found:
    """Run every dose of every instrument on common luck; runs in the folder `keep` are not repeated."""
    settings = _settings([*words, f"replicates={replicates}", f"parallel.workers={workers}"], firms)
    arms, against = _arms(settings.world, doses)
    keys = replicate_keys(settings.seed, replicates)
    about = manifest(settings.resolved, words, keys, arms)
    seconds = expected_seconds(arms, replicates, settings.task.months, workers_of(settings.parallel, replicates))
    say(f"{len(arms)} arms × {replicates} replicates of {settings.task.months} months, {settings.world.firms} firms; "
        f"about {seconds:.0f} s if no run is there already")  # fmt: skip
    runs = run_arms(arms, keys, settings.task, settings.parallel, store=Store(keep) if keep else None, progress=True)
    by_arm = {arm.name: [run for run in runs if run.arm == arm.name] for arm in arms}
    found = [_response(key, given, by_arm, against[key], settings.world.firms) for key, given in doses.items()]
    level = float(np.mean([_outcome(run, HEADLINE) for run in by_arm["nothing"]]))
    return Found(_judged(found), about, settings.world.firms, level)


def _outcome(run: Run, key: str) -> float:
    return float(run.window[run.outcomes.index(key), 0])


def _response(key: str, given: Sequence[float], by_arm: Mapping[str, Sequence[Run]], against: str, firms: int) -> Response:
    """Pair the doses of an instrument with their reference; nothing is told from 0 yet."""

    def of(arm: str) -> Floats:
        return np.array([_outcome(run, HEADLINE) for run in by_arm[arm]])

    def paid(arm: str) -> Floats:
        return np.array([run.cumulative[run.outcomes.index("government_cost"), 0] for run in by_arm[arm]])

    names = [f"{key} {dose:g}" for dose in given]
    base, beside = of(against), companion(key, firms)
    each = np.stack([100.0 * (of(name) - base) / base.mean() for name in names], axis=1)
    cost = np.stack([paid(name) - paid(against) for name in names], axis=1)
    counts = [_counts(by_arm[name], by_arm[against], key, beside) for name in names]
    return Response(key, given, each, cost, counts, (), beside)


def _counts(mine: Sequence[Run], base: Sequence[Run], key: str, beside: Instrument | None) -> dict[str, float]:
    """Mean counts of a run: the instrument's own, and by how much those of its companion differ from the reference."""
    own = {name: float(np.mean([run.counts[key][name] for run in mine])) for name in mine[0].counts[key]}
    if beside is None:
        return own
    other, pairs = beside.key, list(zip(mine, base, strict=True))
    more = {
        f"{other}: {name}, more": float(np.mean([run.counts[other][name] - ref.counts[other][name] for run, ref in pairs]))
        for name in mine[0].counts[other]
    }
    return own | more


def _judged(found: Sequence[Response]) -> list[Response]:
    """Say what is told from 0, p-values corrected over all doses of all instruments (Holm)."""
    every = np.concatenate([one.each for one in found], axis=1)
    effects = np.array([mean_effect(column) for column in every.T])
    told = told_from_zero(effects[:, 1], effects[:, 2], adjusted_p_values(p_values(every))).tolist()
    out = []
    for one in found:
        mine, told = told[: len(one.given)], told[len(one.given) :]
        out.append(Response(one.key, one.given, one.each, one.cost, one.counts, mine, one.beside))
    return out
