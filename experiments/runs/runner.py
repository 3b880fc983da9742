"""Arms × replicates: every arm of a replicate on common random numbers and one burn-in, replicates in parallel, nothing twice."""

from __future__ import annotations

import copy
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from joblib import Parallel as Pool
from joblib import cpu_count, delayed, parallel_config

from experiments.configuration.settings import Arm, Parallel, Task, WorldSettings
from experiments.runs.measure import EXTRAS, Run, measure
from experiments.runs.progress import Progress
from experiments.runs.store import CODE, Store, StoreError, run_keys
from experiments.systems import parent_lives
from sim import StrongchainModel

__all__ = ["SECONDS_PER_FIRM_MONTH", "Failure", "drawing_seconds", "expected_seconds", "fan_out", "needs_of", "run_arms", "workers_of"]

T = TypeVar("T")

#: Measured on one core at 2,000 firms; for the forecast that is printed before a study starts.
SECONDS_PER_FIRM_MONTH = 7e-6
MEMORY_OF_A_PROCESS, MEMORY_OF_A_FIRM = 150.0, 0.0024  # MB; measured at 2,000, 20,000 and 100,000 firms with five links each
DISK_OF_A_RUN, DISK_OF_AN_ARM = 0.04, 2.4  # MB; a run as it is kept, and the tables and figures of an arm
#: Seconds to start the workers: each of them imports the world. Measured with two workers on two cores.
STARTING = 4.0
#: Figures and report of a comparison: at once, for each arm up to `ALL_DRAWN`, and for each further one, which the crowded figures
#: leave out. CPU seconds of `present` on one core with 1, 2, 5, 12 and 22 arms: 3.1, 5.8, 11.3, 30.4, 37.8; these constants give 3.4,
#: 5.7, 12.8, 29.2, 37.7. They hardly depend on firms (5 arms of 1,755: 12.6), months (60 for 12: 12.5) or replicates.
DRAWING, DRAWING_AN_ARM, DRAWING_A_FURTHER_ARM = 1.0, 2.35, 0.85
#: Arms that all figures show (`experiments.reports.comparison.MOST_ARMS`).
ALL_DRAWN = 12
#: Figure and report of an exchange, for any number of arms.
DRAWING_AN_EXCHANGE = 2.0


@dataclass(frozen=True)
class Failure:
    """A run that was not finished, and why; replicates count from 0 here, and from 1 for the reader."""

    arm: str
    replicate: int
    mistake: Exception

    def __str__(self) -> str:
        return f"arm {self.arm!r}, replicate {self.replicate + 1}: {type(self.mistake).__name__}: {self.mistake}"


def _end_with(parent: int) -> None:
    """End this worker soon after the process that started it: a killed process cannot end its workers itself."""
    lives = parent_lives(parent)

    def watch() -> None:
        while lives():
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _replicate(
    arms: Sequence[Arm], names: Sequence[str], replicate: int, key: tuple[int, int], task: Task, store: Store | None, code: str
) -> list[Run | Failure]:
    """Run some arms of one replicate; arms in the same world share its burn-in. Each run is kept as soon as it is finished.

    Arms of the same content are simulated once, and what another study has kept in the same time is read. The wait until a run is on
    the disk is spent on the next one; what is returned is kept. `code` is the fingerprint in the process that asks: a
    worker that imported other code must not keep runs under its keys.
    """
    if code != CODE:
        raise StoreError(
            "the code of the world was changed since this process imported it; start again (in a notebook: restart the kernel)"
        )
    worlds: list[tuple[WorldSettings, StrongchainModel]] = []
    runs: list[Run | Failure] = []
    writing: dict[str, tuple[Run, Future[None]]] = {}
    with ThreadPoolExecutor(max(1, len(arms))) as disk:
        for k, (arm, name) in enumerate(zip(arms, names, strict=True)):
            if store and (kept := _kept_run(store, name, arm.name, replicate, task, writing)):
                runs.append(kept)
                continue
            try:
                ready = next((model for settings, model in worlds if settings == arm.world), None)
                if ready is None:
                    ready = arm.world.build(key, task.by, task.check)
                    worlds.append((arm.world, ready))
                wanted = any(other.world == arm.world for other in arms[k + 1 :])
                model = copy.deepcopy(ready) if wanted else ready  # the last arm can have the world itself
                arm.begin(model)
                run = measure(model, arm.name, replicate, task)
                extras = {kind: make(model) for kind, make in EXTRAS.items() if kind in task.save}
            except Exception as mistake:
                mistake.add_note(traceback.format_exc())  # does not come along from another process by itself
                runs.append(Failure(arm.name, replicate, mistake))
                continue
            if store:
                writing[name] = run, disk.submit(store.put, name, run, extras)
            runs.append(run)
    for _, written in writing.values():
        written.result()  # raises what went wrong
    return runs


def _kept_run(store: Store, name: str, arm: str, replicate: int, task: Task, writing: dict[str, tuple[Run, Future[None]]]) -> Run | None:
    """Return a run that is being written, or else is kept, under the name of an arm."""
    if name in writing:
        return replace(writing[name][0], arm=arm)
    return store.get(name, arm, replicate, task.save)


def drawing_seconds(arms: int, kind: str = "compare") -> float:
    """Forecast roughly how long figures and report of a study take."""
    if kind == "exchange":
        return DRAWING_AN_EXCHANGE
    return DRAWING + DRAWING_AN_ARM * min(arms, ALL_DRAWN) + DRAWING_A_FURTHER_ARM * max(0, arms - ALL_DRAWN)


def expected_seconds(arms: Sequence[Arm], replicates: int, months: int, workers: int, missing: float = 1.0) -> float:
    """Forecast roughly the time to simulate the missing share of a study's runs, including the start of the workers.

    What is drawn afterwards is `drawing_seconds`.
    """
    worlds: list[WorldSettings] = []
    for arm in arms:
        worlds += [arm.world] if arm.world not in worlds else []  # each burns in once
    firm_months = sum(arm.world.firms for arm in arms) * months + sum(world.firms * world.burn_in for world in worlds)
    starting = STARTING if workers > 1 and missing > 0.0 else 0.0
    return starting + missing * firm_months * replicates * SECONDS_PER_FIRM_MONTH / workers


def needs_of(arms: Sequence[Arm], replicates: int, workers: int, points: int = 1) -> tuple[float, float]:
    """Forecast roughly the memory of all processes and the disk that a study's runs take, both in megabytes.

    Each process holds one world of the largest arm.
    """
    firms = max(arm.world.firms for arm in arms)
    memory = (1 + (workers if workers > 1 else 0)) * MEMORY_OF_A_PROCESS + workers * firms * MEMORY_OF_A_FIRM
    return memory, points * len(arms) * (replicates * DISK_OF_A_RUN + DISK_OF_AN_ARM)


def workers_of(parallel: Parallel, most: int) -> int:
    """Return how many processes a study uses that has work for `most` of them; -1 is every core, -2 all but one."""
    return max(1, min(most, parallel.workers if parallel.workers > 0 else cpu_count() + 1 + parallel.workers))


def fan_out(work: Callable[..., T], jobs: Sequence[tuple[Any, ...]], parallel: Parallel, ordered: bool = False) -> Iterator[T]:
    """Do jobs in parallel, each a tuple of what the work takes; they come back as they are finished, or in their order."""
    workers = workers_of(parallel, len(jobs))
    backend = parallel.backend if workers > 1 else "sequential"
    watched = {"initializer": _end_with, "initargs": (os.getpid(),)} if backend in {"loky", "multiprocessing"} else {}
    with parallel_config(backend=backend, **watched):
        as_they_come = "generator" if ordered else "generator_unordered"
        pool = Pool(n_jobs=workers, return_as="list" if backend == "multiprocessing" else as_they_come)  # which cannot hand out one by one
    yield from pool(delayed(work)(*job) for job in jobs)


def _kept(
    arms: Sequence[Arm], keys: Sequence[tuple[int, int]], task: Task, first: int, store: Store | None
) -> tuple[list[list[str]], list[list[Run | None]]]:
    """Return names and runs by replicate, then arm: those that are kept, and nothing where a run is missing."""
    if store is None:
        return [[""] * len(arms)] * len(keys), [[None] * len(arms) for _ in keys]
    names = run_keys(arms, keys, task)
    return names, [
        [store.get(name, arm.name, first + k, task.save) for arm, name in zip(arms, row, strict=True)] for k, row in enumerate(names)
    ]


def run_arms(
    arms: Sequence[Arm],
    keys: Sequence[tuple[int, int]],
    task: Task,
    parallel: Parallel,
    *,
    first: int = 0,
    store: Store | None = None,
    failed: list[Failure] | None = None,
    progress: bool = False,
) -> list[Run]:
    """Run all arms on some replicates, and return the runs by replicate, then arm, whatever the number of workers.

    Parameters
    ----------
    arms : sequence of Arm
    keys : sequence of (int, int)
        Keys of the replicates.
    task : Task
    parallel : Parallel
    first : int
        Number of the first of these replicates, counted from 0.
    store : Store, optional
        Where runs are kept; only those that are not there are simulated.
    failed : list of Failure, optional
        Takes the runs that failed: the others go on, and replicates in which any arm failed are left out of
        what is returned. Without it the first failure is raised.
    progress : bool
        Show how far it is.

    Raises
    ------
    StoreError
        If runs cannot be kept.
    ChildProcessError
        If a worker was killed.
    """
    names, runs_by_replicate = _kept(arms, keys, task, first, store)
    missing = {k: gaps for k in range(len(keys)) if (gaps := [a for a, run in enumerate(runs_by_replicate[k]) if run is None])}
    if store and missing:
        store.prepare()
    jobs = [([arms[a] for a in gaps], [names[k][a] for a in gaps], first + k, keys[k], task, store, CODE) for k, gaps in missing.items()]
    failures: list[Failure] = []
    whole = len(arms) * len(keys)
    with Progress(whole, whole - sum(map(len, missing.values())), shown=progress) as shown:
        try:
            for runs in fan_out(_replicate, jobs, parallel):
                k = runs[0].replicate - first
                for a, run in zip(missing[k], runs, strict=True):
                    if isinstance(run, Run):
                        runs_by_replicate[k][a] = run
                    elif failed is None:
                        raise run.mistake
                    else:
                        failures.append(run)
                shown.add(len(runs))
        except BrokenProcessPool as lost:
            kept = "the same command goes on from the runs that were finished" if store else "nothing was kept"
            raise ChildProcessError(f"a worker was killed, perhaps because memory ran out; {kept} (fewer: parallel.workers=1)") from lost
    sound = [run for row in runs_by_replicate if None not in row for run in row if run is not None]
    failures.sort(key=lambda failure: failure.replicate)
    if failed is not None:
        failed += failures
    return sound
