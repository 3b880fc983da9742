"""Arms × replicates: every arm of a replicate on the same luck and the same burn-in, replicates in parallel, nothing twice."""

from __future__ import annotations

import copy
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from joblib import Parallel as Pool
from joblib import cpu_count, delayed, parallel_config
from tqdm import tqdm

from agents.streams import replicate_keys
from experiments.settings import Arm, Parallel, WorldSettings
from experiments.store import MapPicture, Run, Store, run_keys
from sim import StrongchainModel
from sim.quality_map import CAUSES

__all__ = ["Failure", "MapPicture", "Run", "expected_seconds", "run_arms"]

#: Measured on one core at 2,000 firms; for the forecast that is printed before a study starts.
SECONDS_PER_FIRM_MONTH = 6e-6


@dataclass(frozen=True)
class Failure:
    """A run that was not finished, and why."""

    arm: str
    replicate: int
    mistake: Exception

    def __str__(self) -> str:
        return f"arm {self.arm!r}, replicate {self.replicate}: {type(self.mistake).__name__}: {self.mistake}"


def _keep(model: StrongchainModel, arm: Arm, replicate: int, window: int) -> Run:
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
        np.ascontiguousarray(model.record.mean(window)),
        np.ascontiguousarray(model.record.in_all()),
        np.ascontiguousarray(model.record.values[:, :, 0]),
        origins,
        picture,
        {key: programme.spent for key, programme in model.programmes.items()},  # type: ignore[attr-defined]
    )


@lru_cache
def _end_with(parent: int) -> None:
    """End this worker soon after the process that started it: killed, that cannot tell its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    if os.getppid() == parent:
        threading.Thread(target=watch, daemon=True).start()


def _replicate(
    arms: Sequence[Arm],
    names: Sequence[str],
    replicate: int,
    key: tuple[int, int],
    months: int,
    window: int,
    by: Sequence[str],
    check: bool,
    store: Store | None,
    parent: int,
) -> list[Run | Failure]:
    """Run some arms of one replicate; arms in the same world share its burn-in. Each run is kept as soon as it is finished.

    What another arm of the same content or another study has kept meanwhile is read.
    """
    _end_with(parent)
    worlds: list[tuple[WorldSettings, StrongchainModel]] = []
    found: list[Run | Failure] = []
    for arm, name in zip(arms, names, strict=True):
        kept = store.get(name, arm.name, replicate) if store else None
        if kept is not None:
            found.append(kept)
            continue
        try:
            ready = next((model for settings, model in worlds if settings == arm.world), None)
            if ready is None:
                ready = arm.world.build(key, by, check)
                worlds.append((arm.world, ready))
            model = copy.deepcopy(ready)
            model.adopt(arm.instruments)
            model.run(months)
            run = _keep(model, arm, replicate, window)
        except Exception as mistake:
            mistake.add_note(traceback.format_exc())  # does not come along from another process by itself
            found.append(Failure(arm.name, replicate, mistake))
            continue
        if store:
            store.put(name, run)
        found.append(run)
    return found


def expected_seconds(arms: Sequence[Arm], replicates: int, months: int, workers: int, missing: float = 1.0) -> float:
    """Forecast roughly how long a study takes of whose runs a share is missing, start of the workers and figures included."""
    firms = sum(arm.world.firms for arm in arms)
    burn_in = max(arm.world.burn_in for arm in arms) / len(arms)
    return 8.0 + missing * firms * replicates * (months + burn_in) * SECONDS_PER_FIRM_MONTH / workers


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
    store: Store | None = None,
    failed: list[Failure] | None = None,
) -> list[Run]:
    """Run all arms on all replicates, and return the runs by replicate, then arm, whatever the number of workers.

    Parameters
    ----------
    arms : sequence of Arm
    seed : int
        Replicate keys are spawned from it; the first k of more replicates are the same.
    progress : bool
        Show a progress bar.
    store : Store, optional
        Where runs are kept; only those that are not there are simulated.
    failed : list of Failure, optional
        Takes the runs that failed: the others go on, and replicates in which any arm failed are left out of
        what is returned. Without it, and if no replicate is whole, the first failure is raised.

    Raises
    ------
    StoreError
        If runs cannot be kept.
    ChildProcessError
        If a worker was killed.
    """
    keys = replicate_keys(seed, replicates)
    names = run_keys(arms, keys, months, window, by, check) if store else [[""] * len(arms)] * replicates
    found: list[list[Run | None]] = [
        [store.get(name, arm.name, k) if store else None for arm, name in zip(arms, names[k], strict=True)] for k in range(replicates)
    ]
    missing = {k: gaps for k in range(replicates) if (gaps := [a for a, run in enumerate(found[k]) if run is None])}
    if store and missing:
        store.prepare()
    workers = max(1, min(len(missing), parallel.workers if parallel.workers > 0 else max(1, cpu_count() + 1 + parallel.workers)))
    jobs = (
        delayed(_replicate)([arms[a] for a in gaps], [names[k][a] for a in gaps], k, keys[k], months, window, by, check, store, os.getpid())
        for k, gaps in missing.items()
    )
    failures: list[Failure] = []
    gone = sum(map(len, missing.values()))
    with (
        parallel_config(backend=parallel.backend if workers > 1 else "sequential"),
        tqdm(total=len(arms) * replicates, initial=len(arms) * replicates - gone, unit="run", disable=not progress, file=sys.stderr) as bar,
    ):
        try:
            for runs in Pool(n_jobs=workers, return_as="generator_unordered")(jobs):
                for a, run in zip(missing[runs[0].replicate], runs, strict=True):
                    if isinstance(run, Run):
                        found[run.replicate][a] = run
                    elif failed is None:
                        raise run.mistake
                    else:
                        failures.append(run)
                bar.update(len(runs))
        except BrokenProcessPool as lost:
            kept = "the same command goes on from the runs that were finished" if store else "nothing was kept"
            raise ChildProcessError(f"a worker was killed, perhaps because memory ran out; {kept} (fewer: parallel.workers=1)") from lost
    whole = [run for runs in found if None not in runs for run in runs if run is not None]
    failures.sort(key=lambda failure: failure.replicate)
    if not whole:
        raise failures[0].mistake
    if failed is not None:
        failed += failures
    return whole
