"""What a study costs beyond the simulation of its runs, and what a large one takes from beginning to end."""

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

#: Processes that simulate: the cores of the machine that the figures of README.md are from.
WORKERS = 2
#: Runs of ten firms and one month, so that nearly all of a study is what comes on top of its simulations.
TINY = ("region=sample", "network=synthetic", "network.firms=10", "network.leaders=4", "burn_in=0", "months=1", "window=1")
#: The study that is large: 300 firms, 36 months after a year of burn-in.
LARGE = ("region=sample", "network=synthetic", "network.firms=300", "burn_in=12", "months=36")


@dataclass(frozen=True)
class Study:
    """Seconds that a study of five arms takes: nothing, each of three instruments, all together.

    Attributes
    ----------
    runs : int
    kept : float
        The study, its runs kept in a folder, the processes that simulate running already.
    loose : float
        The same with nothing kept.
    again : float
        The study once more, all runs in the folder.
    saved : float
        Writing its tables and its manifest.
    simulated : float
        The same runs in as many processes, and nothing else: worlds built and copied, months, quality maps at the end.
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
        """Seconds that the study takes beyond simulation, its runs kept and its tables written."""
        return self.kept + self.saved - self.simulated


def _simulate(world: WorldSettings, policies: Sequence[Sequence[Instrument]], keys: Sequence[tuple[int, int]], months: int) -> None:
    for key in keys:
        ready = world.build(key, ("tier", "size"))
        for policy in policies:
            model = copy.deepcopy(ready)
            model.adopt(policy)
            model.run(months)
            model.quality_map()


def _simulated(words: Sequence[str]) -> float:
    """Seconds that the runs of a study take by themselves, each process having its part of the replicates."""
    config = compose_settings(words)
    settings = read_settings(config)
    policies = [(), *((ins,) for ins in settings.instruments), settings.instruments]
    keys = replicate_keys(settings.seed, settings.replicates)
    start = perf_counter()
    Parallel(n_jobs=WORKERS)(delayed(_simulate)(settings.world, policies, keys[part::WORKERS], config.months) for part in range(WORKERS))
    return perf_counter() - start


def _timed(words: Sequence[str], keep: Path | None) -> tuple[float, Comparison]:
    start = perf_counter()
    found = compare(*words, f"parallel.workers={WORKERS}", keep=keep)
    return perf_counter() - start, found


def _round(words: Sequence[str], whole: bool) -> Study:
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        simulated = _simulated(words) if whole else float("nan")
        kept, found = _timed(words, runs)
        size = sum(path.stat().st_size for path in runs.rglob("*") if path.is_file())
        again, _ = _timed(words, runs)
        start = perf_counter()
        found.save(Path(folder) / "study")
        saved = perf_counter() - start
    loose = _timed(words, None)[0] if whole else float("nan")
    count = int(found.effects["replicates"].max()) * found.effects["arm"].nunique()
    return Study(count, kept, loose, again, saved, simulated, size / count)


def study(words: Sequence[str], replicates: int, rounds: int = 1, whole: bool = True) -> Study:
    """Time a study, and the same runs by themselves in turn with it: the fastest of some rounds, which other work disturbed least.

    Parameters
    ----------
    words : sequence of str
        As typed after ``strongchain``.
    replicates : int
        Of five runs each.
    whole : bool
        Otherwise what runs all simulations once more is left out, and not a number.
    """
    compare(*words, "replicates=4", f"parallel.workers={WORKERS}")  # starts the processes that simulate
    found = [_round((*words, f"replicates={replicates}"), whole) for _ in range(rounds)]
    return Study(*(min(getattr(each, f.name) for each in found) for f in fields(Study)))
