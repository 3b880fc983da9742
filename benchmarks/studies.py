"""The time that a study takes in addition to the simulation of its runs, and the time of a whole large study."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from time import perf_counter

from joblib import Parallel, delayed

from agents.streams import replicate_keys
from experiments import Comparison, compare
from experiments.configuration.settings import WorldSettings, compose_settings, read_settings
from sim import Instrument

__all__ = ["LARGE", "TINY", "Study", "study"]

#: Processes that simulate: the cores of the machine on which the figures of README.md were measured.
WORKERS = 2
#: Runs of ten firms and one month, so that almost all the time of a study is what it adds to its simulations.
TINY = ("region=sample", "network=synthetic", "network.firms=10", "network.leaders=4", "burn_in=0", "months=1", "window=1")
#: The large study: 300 firms, 36 months after a year of burn-in.
LARGE = ("region=sample", "network=synthetic", "network.firms=300", "burn_in=12", "months=36")


@dataclass(frozen=True)
class Study:
    """Seconds that a study of five arms takes: nothing, each of three instruments, all together.

    Attributes
    ----------
    runs : int
    kept : float
        The study, with its runs saved in a folder; the processes that simulate are already running.
    loose : float
        The same, without saving runs.
    again : float
        The study again, with all runs in the folder.
    saved : float
        Time to write its tables and its manifest.
    simulated : float
        The same runs in as many processes, outside a study: worlds are built and copied, months simulated, quality maps made at the end.
    size : float
        Bytes of the folder, per run.
    """

    runs: int
    kept: float
    loose: float
    again: float
    saved: float
    simulated: float
    size: float

    @property
    def overhead(self) -> float:
        """Seconds that the study takes in addition to simulation, with its runs saved and its tables written."""
        return self.kept + self.saved - self.simulated


def _simulate(world: WorldSettings, policies: Sequence[Sequence[Instrument]], keys: Sequence[tuple[int, int]], months: int) -> None:
    for key in keys:
        ready = world.build(key, ("tier", "size"))
        for policy in policies:
            model = copy.deepcopy(ready)
            model.adopt(policy)
            model.run(months)
            model.quality_map()


def _simulated(overrides: Sequence[str]) -> float:
    """Seconds that the runs of a study take outside it; each process has its part of the replicates."""
    config = compose_settings(overrides)
    settings = read_settings(config)
    policies = [(), *((ins,) for ins in settings.instruments), settings.instruments]
    keys = replicate_keys(settings.seed, settings.replicates)
    start = perf_counter()
    Parallel(n_jobs=WORKERS)(delayed(_simulate)(settings.world, policies, keys[part::WORKERS], config.months) for part in range(WORKERS))
    return perf_counter() - start


def _timed(overrides: Sequence[str], keep: Path | None) -> tuple[float, Comparison]:
    start = perf_counter()
    comparison = compare(*overrides, f"parallel.workers={WORKERS}", keep=keep)
    return perf_counter() - start, comparison


def _round(overrides: Sequence[str], whole: bool) -> Study:
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        simulated = _simulated(overrides) if whole else float("nan")
        kept, comparison = _timed(overrides, runs)
        size = sum(path.stat().st_size for path in runs.rglob("*") if path.is_file())
        again, _ = _timed(overrides, runs)
        start = perf_counter()
        comparison.save(Path(folder) / "study")
        saved = perf_counter() - start
    loose = _timed(overrides, None)[0] if whole else float("nan")
    count = int(comparison.effects["replicates"].max()) * comparison.effects["arm"].nunique()
    return Study(count, kept, loose, again, saved, simulated, size / count)


def study(overrides: Sequence[str], replicates: int, rounds: int = 1, whole: bool = True) -> Study:
    """Time a study, and in turn the same runs outside it: the fastest of several rounds, which other work disturbed least.

    Parameters
    ----------
    overrides : sequence of str
        As typed after ``strongchain``.
    replicates : int
        Each has five runs.
    whole : bool
        Without it, the measurements that need all simulations again are left out: they are not a number.
    """
    compare(*overrides, "replicates=4", f"parallel.workers={WORKERS}")  # starts the processes that simulate
    measured = [_round((*overrides, f"replicates={replicates}"), whole) for _ in range(rounds)]
    return Study(*(min(getattr(one, f.name) for one in measured) for f in fields(Study)))
