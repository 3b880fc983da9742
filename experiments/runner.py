"""Arms × replicates: every arm of a replicate on the same luck and the same burn-in, replicates in parallel."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel as Pool
from joblib import cpu_count, delayed, parallel_config
from numpy.typing import NDArray
from tqdm import tqdm

from agents.streams import replicate_keys
from experiments.settings import Arm, Parallel, WorldSettings
from sim import StrongchainModel
from sim.quality_map import CAUSES, QualityMap

__all__ = ["MapPicture", "Run", "expected_seconds", "run_arms"]

#: Measured on one core at 2,000 firms; for the forecast that is printed before a study starts.
SECONDS_PER_FIRM_MONTH = 6e-6


@dataclass(frozen=True)
class MapPicture:
    """What a figure of the quality map needs, without the world it came from; and the map as a table, firm by firm."""

    names: NDArray[np.str_]
    tier: NDArray[np.int64]
    supplier: NDArray[np.int64]
    customer: NDArray[np.int64]
    map: QualityMap
    table: pd.DataFrame

    @classmethod
    def of(cls, model: StrongchainModel) -> MapPicture:
        """Take the picture of a world at the end of its month."""
        found, links = model.quality_map(), model.links
        tier, supplier, customer = (np.array(column) for column in (model.firms.tier, links.supplier, links.customer))
        return cls(model.network.names, tier, supplier, customer, found, found.table(model))


@dataclass(frozen=True)
class Run:
    """What is kept of one run.

    Attributes
    ----------
    arm, replicate : str, int
    outcomes : tuple of str
    groups : tuple of (by, group)
        The first is the total.
    window : array, shape (outcomes, groups)
        Outcomes over the last months: of sums the mean a month, of ratios the ratio of the months' sums.
    cumulative : array, shape (outcomes, groups)
        Flows summed over all months; not a number for what is no flow.
    series : array, shape (months, outcomes)
        Totals.
    origins : array, shape (tiers, causes)
        Field loss by tier and cause of origin, CNY a month, of the quality map at the end; the
        last row is of firms that reach no leader.
    picture : MapPicture or None
        Of the first replicate only.
    spent : dict of str to float
        What government spent on each instrument.
    """

    arm: str
    replicate: int
    outcomes: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    window: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    series: NDArray[np.float64]
    origins: NDArray[np.float64]
    picture: MapPicture | None
    spent: dict[str, float]


def _keep(model: StrongchainModel, arm: Arm, replicate: int, window: int) -> Run:
    values = model.record.values
    picture = MapPicture.of(model) if replicate == 0 else None
    quality_map = picture.map if picture else model.quality_map()
    tiers = int(model.firms.tier.max(initial=0)) + 1
    origins = np.zeros((tiers + 1, len(CAUSES)))
    np.add.at(origins, model.firms.tier, quality_map.loss)  # tier -1 lands in the last row
    return Run(
        arm.name,
        replicate,
        model.record.outcomes,
        model.record.groups,
        model.record.mean(window),
        model.record.in_all(),
        values[:, :, 0],
        origins,
        picture,
        {key: programme.spent for key, programme in model.programmes.items()},  # type: ignore[attr-defined]
    )


def _replicate(
    arms: Sequence[Arm], replicate: int, key: tuple[int, int], months: int, window: int, by: Sequence[str], check: bool
) -> list[Run]:
    """Run every arm of one replicate; arms in the same world share its burn-in."""
    worlds: list[tuple[WorldSettings, StrongchainModel]] = []
    runs = []
    for arm in arms:
        ready = next((model for settings, model in worlds if settings == arm.world), None)
        if ready is None:
            ready = arm.world.build(key, by, check)
            worlds.append((arm.world, ready))
        model = copy.deepcopy(ready)
        model.adopt(arm.instruments)
        model.run(months)
        runs.append(_keep(model, arm, replicate, window))
    return runs


def expected_seconds(arms: Sequence[Arm], replicates: int, months: int, workers: int) -> float:
    """Forecast roughly how long a study takes, start of the workers and figures included."""
    firms = sum(arm.world.firms for arm in arms)
    burn_in = max(arm.world.burn_in for arm in arms) / len(arms)
    return 8.0 + firms * replicates * (months + burn_in) * SECONDS_PER_FIRM_MONTH / workers


def run_arms(
    arms: Sequence[Arm],
    seed: int,
    replicates: int,
    months: int,
    window: int,
    by: Sequence[str],
    parallel: Parallel,
    check: bool = False,
    progress: bool = True,
) -> list[Run]:
    """Run all arms on all replicates, and return the runs by replicate, then arm, whatever the number of workers.

    Parameters
    ----------
    arms : sequence of Arm
    seed : int
        Replicate keys are spawned from it; the first k of more replicates are the same.
    progress : bool
        Show a progress bar.
    """
    keys = replicate_keys(seed, replicates)
    workers = min(replicates, parallel.workers if parallel.workers > 0 else max(1, cpu_count() + 1 + parallel.workers))
    jobs = (delayed(_replicate)(arms, k, key, months, window, by, check) for k, key in enumerate(keys))
    found: dict[int, list[Run]] = {}
    with (
        parallel_config(backend=parallel.backend if workers > 1 else "sequential"),
        tqdm(total=len(arms) * replicates, unit="run", disable=not progress, file=sys.stderr) as bar,
    ):
        done: Iterator[list[Run]] = Pool(n_jobs=workers, return_as="generator_unordered")(jobs)
        for runs in done:
            found[runs[0].replicate] = runs
            bar.update(len(runs))
    return [run for k in range(replicates) for run in found[k]]
