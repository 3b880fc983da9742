"""Measure the figures of `experiments.calibration.patterns` in one replicate of a world.

Three runs on the same random numbers: eight and a half years without a programme; the same, with capability given to half of the
members at the start; and 25 years of adoption from a low start.
"""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import expit
from scipy.stats import spearmanr

from agents.streams import Streams
from experiments.configuration.settings import Parallel, WorldSettings
from experiments.languages.wording import say
from experiments.runs.files import sealed, unsealed, write_whole
from experiments.runs.progress import Progress
from experiments.runs.runner import SECONDS_PER_FIRM_MONTH, fan_out, workers_of
from experiments.runs.store import CODE, Store, fingerprint, plain
from sim import StrongchainModel
from sim.build.synthetic import Synthetic, synthetic
from sim.month.propagation import outgoing_dpu
from sim.month.quality_cost import borne
from sim.month.sampling import nonconformity, risk
from sim.network.topology import assortativity, customers, mean_clustering, size_elasticity, suppliers, tail_exponent
from sim.quality_engineering import acceptance_probability, sigma_level
from sim.record import Record
from sim.world import World

__all__ = ["MONTHS", "Observed", "observe", "observe_all", "observe_network", "observing_seconds", "pooled", "rejected_lots"]

Floats = NDArray[np.float64]

#: Months of the runs in which the gap of practice is read, after Bloom et al. (2020); years in which the drift is read.
MONTHS, YEARS = 102, 8
#: Months and share of firms of the run of adoption.
ADOPTION_MONTHS, LOW_START = 300, 0.02
#: Seconds that an observation takes in a world without firms, as measured on one core.
OBSERVING = 0.8
#: Months over which an effect is smoothed before its half-time is read, and months in which it is searched.
SMOOTHING_MONTHS, HALF_TIME_MONTHS = 3, 60
#: Recalls that are needed to describe their tail.
FEWEST_RECALLS = 30
#: Lots, of the same value each, are sampled by ISO 2859-1, code letter K at an AQL of 2.5 %: units inspected, defects accepted.
PLAN = (125, 7)
#: Capability given to the members that are helped.
LESSON = 0.1


@dataclass
class Observed:
    """The figures of one replicate.

    Attributes
    ----------
    figures : dict of str to float
        Figures that one replicate gives by itself.
    recalls : list of float
        Sizes of recalls, CNY; to be pooled.
    own, users : list of float
        Effect of the lesson by month on the own defects of the helped, and on the defects that reach users; to be averaged.
    """

    figures: dict[str, float]
    recalls: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    users: list[float] = field(default_factory=list)


def rejected_lots(world: World) -> tuple[Floats, Floats]:
    """Return the expected lots that customers reject at goods-in this month, by the sampling plan, and the defects that arrive, by link.

    Returns
    -------
    lots : array, shape (m,)
        Value of the lots rejected, of what is inspected, CNY.
    arriving : array, shape (m,)
        Detectable defects per unit delivered.
    """
    links = world.links
    arriving = np.divide(links.caught + links.passed_detectable, links.value_share, out=np.zeros(links.n), where=links.delivered > 0)
    return links.delivered * links.inspected * (1.0 - acceptance_probability(*PLAN, -np.expm1(-arriving))), arriving


@dataclass
class _Sums:
    """Sums over the months of a run without a programme."""

    model: StrongchainModel
    chance: Floats = field(default_factory=lambda: np.zeros((MONTHS, 3)))  # risk-weighted samples, by size class
    fails: Floats = field(default_factory=lambda: np.zeros((MONTHS, 3)))
    passes: Floats = field(default_factory=lambda: np.zeros(MONTHS))
    warranty: Floats = field(default_factory=lambda: np.zeros(2))  # cost, sales
    rejected: Floats = field(init=False)
    copq: Floats = field(init=False)
    defects: Floats = field(init=False)
    sales: Floats = field(init=False)
    recalls: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = self.model.firms.n
        self.rejected, self.copq, self.defects, self.sales = np.zeros((4, n))

    def month(self, month: int) -> None:
        """Add the month that has just ended."""
        world, firms = self.model, self.model.firms
        bad, weight = nonconformity(world), risk(world)
        self.chance[month] = np.bincount(firms.size_class, weight, minlength=3)
        self.fails[month] = np.bincount(firms.size_class, weight * bad, minlength=3)
        sells = firms.alive & (firms.output > 0)
        self.passes[month] = 1.0 - bad[sells].mean()
        cost = world.parameters.field_cost * outgoing_dpu(world) * firms.to_users
        self.warranty += cost[firms.is_leader].sum(), firms.to_users[firms.is_leader].sum()
        self.recalls += firms.recalled[firms.recalls > 0].tolist()
        if month >= MONTHS - 24:
            self.rejected += world.by_supplier(rejected_lots(world)[0])
        if month >= MONTHS - 12:
            self.copq += borne(world)
            self.defects += firms.output * (firms.before_final + firms.out_latent)
            self.sales += firms.output

    def figures(self) -> dict[str, float]:
        """Return the figures of the run, in the units of the patterns."""
        rate = np.divide(self.fails.sum(axis=0), self.chance.sum(axis=0), out=np.full(3, np.nan), where=self.chance.sum(axis=0) > 0)
        small, medium, large = rate
        lots = np.sort(self.rejected[self.rejected > 0])[::-1]
        top = lots[: max(1, round(lots.size / 10))].sum() / lots.sum() if lots.size else np.nan
        made = self.sales > 0
        sigma = sigma_level(1e6 * -np.expm1(-self.defects[made] / self.sales[made]))
        record = self.model.record
        money = record.mean(MONTHS)
        years = self.passes[: 12 * YEARS].reshape(YEARS, 12).mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                "pass_rate": 100.0 * self.passes.mean(),
                "drift": 100.0 * (years[-1] - years[0]),
                "small_to_large": small / large,
                "small_to_medium": small / medium,
                "medium_to_large": medium / large,
                "targeted_fail_rate": 100.0 * self.fails.sum() / self.chance.sum(),
                "top_tenth": 100.0 * top,
                "copq_by_sigma": float(spearmanr(sigma, self.copq[made] / self.sales[made]).statistic),
                "warranty": 100.0 * self.warranty[0] / self.warranty[1],
                "bad_loans": 100.0 * money[record.outcomes.index("bad_loans"), record.groups.index(("size", "small"))],
                "net_margin": 100.0 * money[record.outcomes.index("net_margin"), 0],
                "officers": 100.0 * money[record.outcomes.index("cqo_share"), 0],
                "certificates": 100.0 * money[record.outcomes.index("certified_share"), 0],
            }


def _half_time(effect: Floats) -> float:
    """Months until the smoothed effect first reaches half of its largest value; not a number where there is no effect."""
    smooth = np.convolve(effect, np.full(SMOOTHING_MONTHS, 1.0 / SMOOTHING_MONTHS), mode="valid")
    largest = smooth[np.abs(smooth).argmax()] if smooth.size else 0.0
    return float(np.flatnonzero(smooth / largest >= 0.5)[0]) if largest != 0.0 else float("nan")


def pooled(observed: Sequence[Observed]) -> dict[str, float]:
    """Return the figures that need all replicates together: the tail of recalls, and the lags of effects."""
    sizes = np.sort(np.concatenate([one.recalls for one in observed]) if observed else np.empty(0))[::-1]
    top = sizes[: max(1, round(sizes.size / 10))].sum() / sizes.sum() if sizes.size >= FEWEST_RECALLS else np.nan
    own, users = (np.mean([getattr(one, name) for one in observed], axis=0) for name in ("own", "users"))
    across = _half_time(users)
    return {"recalls_top": 100.0 * float(top), "lag_across": across, "lag_difference": across - _half_time(own)}


def _lesson(ready: StrongchainModel) -> Observed:
    """Run a world without a programme and, on the same random numbers, with capability given to half of its members."""
    control, helped = ready, copy.deepcopy(ready)
    helped.record = Record(helped, (), ("field_dpu",))
    rows = ~control.firms.is_leader & (np.arange(control.firms.n) % 2 == 0)
    capability = helped.firms.capability
    capability[rows] = np.minimum(capability[rows] + LESSON, 1.0)
    start = (helped.firms.capability - control.firms.capability)[rows].mean()
    sums = _Sums(control)
    own, users = np.zeros((2, MONTHS))
    for month in range(MONTHS):
        control.step()
        helped.step()
        sums.month(month)
        own[month] = (helped.firms.own_dpu - control.firms.own_dpu)[rows].mean()
        users[month] = helped.record.latest("field_dpu") - control.record.latest("field_dpu")
    stayed = rows & (control.firms.entered < 0) & (helped.firms.entered < 0)
    left = (helped.firms.capability - control.firms.capability)[stayed].mean() / start if stayed.any() else float("nan")
    months = slice(0, HALF_TIME_MONTHS)
    return Observed(sums.figures() | {"gap_left": float(left)}, sums.recalls, own[months].tolist(), users[months].tolist())


def _logistic(t: Floats, top: float, pace: float, middle: float) -> Floats:
    return top * expit(pace * (t - middle))


def _curve(share: Floats) -> float:
    """Share of the variance of an adoption curve, up to its top, that a logistic curve explains."""
    rise = share[: share.argmax() + 1]
    if rise.size < 24:
        return float("nan")
    t = np.arange(rise.size, dtype=np.float64)
    try:
        best, _ = curve_fit(_logistic, t, rise, p0=(rise[-1], 8.0 / rise.size, rise.size / 2.0), maxfev=10_000)
    except RuntimeError:  # no curve fits
        return float("nan")
    return float(1.0 - np.var(rise - _logistic(t, *best)) / np.var(rise))


def _adoption(world: WorldSettings, key: tuple[int, int]) -> dict[str, float]:
    """Run adoption from a low start: how well it follows a logistic curve, and how it changes later."""
    low = replace(
        world,
        region=replace(world.region, officers=LOW_START),
        parameters=replace(world.parameters, certificate_start=LOW_START),
        burn_in=0,
    )
    model = StrongchainModel(low.region, low.network, low.parameters, key=key, burn_in=0, outcomes=("cqo_share", "certified_share"))
    model.run(ADOPTION_MONTHS)
    officers, certificates = model.record.series("cqo_share"), model.record.series("certified_share")
    last = officers[-12:].mean() - officers[-72:-60].mean()
    return {
        "officer_curve": _curve(officers),
        "certificate_curve": _curve(certificates),
        "officer_later": last / 5.0 / officers.max() if officers.max() > 0.0 else float("nan"),
    }


def observe(world: WorldSettings, key: tuple[int, int]) -> Observed:
    """Measure one replicate of a world.

    Parameters
    ----------
    world : WorldSettings
    key : (int, int)
        Of the replicate.
    """
    observed = _lesson(world.build(key, ("size",)))
    return replace(observed, figures=observed.figures | _adoption(world, key))


def observing_seconds(world: WorldSettings, replicates: int, parallel: Parallel) -> float:
    """Forecast roughly how long `observe_all` takes for so many replicates of a world, if none is kept.

    Parameters
    ----------
    world : WorldSettings
    replicates : int
    parallel : Parallel
    """
    months = 2 * MONTHS + ADOPTION_MONTHS + world.burn_in
    return replicates * (OBSERVING + world.firms * months * SECONDS_PER_FIRM_MONTH) / workers_of(parallel, replicates)


def observe_network(key: tuple[int, int], settings: Synthetic | None = None) -> dict[str, float]:
    """Measure the generator of networks, at a size large enough for their tails: 20,000 firms."""
    network = synthetic(settings or Synthetic(firms=20_000, leaders=400), Streams(key))
    return {
        "supplier_tail": tail_exponent(suppliers(network)),
        "customer_tail": tail_exponent(customers(network)),
        "assortativity": assortativity(network),
        "clustering": mean_clustering(network),
        "elasticity": size_elasticity(network),
    }


# -- all replicates, stored -----------------------------------------------------------------------------


#: Fingerprint of the code that measures patterns; that of the world is separate.
MEASURED_BY = fingerprint([Path(__file__).resolve()])


def _name(world: WorldSettings, key: tuple[int, int]) -> str:
    about = json.dumps(["observed", CODE, MEASURED_BY, world, list(key)], default=plain, sort_keys=True)
    return hashlib.sha256(about.encode()).hexdigest()


def observe_all(
    worlds: Sequence[WorldSettings], keys: Sequence[tuple[int, int]], parallel: Parallel, keep: Path | None = None, progress: bool = False
) -> list[Observed | Exception]:
    """Observe worlds in parallel, each with the random numbers of its own key; replicates stored in the folder are not simulated again.

    Returns
    -------
    list of Observed or Exception
        In the order of the worlds; the exception where a world cannot be simulated.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    if keep is not None:
        Store(keep).prepare()
        keep.mkdir(parents=True, exist_ok=True)
    paths = [keep / f"{_name(world, key)}.observed" if keep else None for world, key in zip(worlds, keys, strict=True)]
    jobs = list(zip(range(len(worlds)), worlds, keys, paths, strict=True))
    observations: list[Observed | Exception | None] = [_read(path) for path in paths]
    missing = [job for job in jobs if observations[job[0]] is None]
    with Progress(len(jobs), len(jobs) - len(missing), shown=progress) as bar:
        for number, observation in fan_out(_observed, missing, parallel):
            observations[number] = observation
            bar.add(1)
    return [one for one in observations if one is not None]


def _read(path: Path | None) -> Observed | None:
    """Read the stored figures of a replicate; none if there is no file, or if it is damaged."""
    try:
        return Observed(**json.loads(unsealed(path.read_bytes(), path.stem))) if path is not None else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as damage:
        print(say("progress.damaged", path=path, damage=damage), file=sys.stderr)
        return None


def _observed(number: int, world: WorldSettings, key: tuple[int, int], path: Path | None) -> tuple[int, Observed | Exception]:
    """Observe a replicate and store its figures."""
    try:
        observed = observe(world, key)
    except (ArithmeticError, ValueError) as error:  # for example, orders that grow without limit at these parameters
        return number, error
    if path is not None:
        write_whole(path, sealed(json.dumps(asdict(observed)).encode(), path.stem))
    return number, observed
