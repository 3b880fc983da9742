"""The job that Hydra runs: one study in a folder of its own, or one point of a sweep."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from experiments.configuration.flags import MANY
from experiments.configuration.overrides import read_override
from experiments.configuration.settings import (
    CONFIG,
    SettingsError,
    compose_settings,
    in_one_line,
    marked,
    read_settings,
    refuse_idle_settings,
    register,
)
from experiments.languages.wording import say
from experiments.last_resort import noted
from experiments.reports.calibration import present_calibration, present_validation, summary_of_calibration, summary_of_validation
from experiments.reports.comparison import present, summary
from experiments.reports.exchange import present_exchange, summary_of_exchange
from experiments.runs.runner import expected_seconds, workers_of
from experiments.runs.store import write_whole
from experiments.studies.calibrate import run_calibration
from experiments.studies.compare import arms_of, run_compare
from experiments.studies.exchange import exchange_arms, run_exchange
from experiments.studies.validate import run_validation
from experiments.terminal import printable, write
from sim import NetworkError
from sim.parameters import ParameterError

__all__ = ["run"]

#: What a user can mend. Anything else is an error of ours, whose traceback goes into a file.
MENDABLE = (SettingsError, ParameterError, NetworkError, HydraException, OmegaConfBaseException)
STUDIES: dict[str, Callable[..., Any]] = {
    "compare": run_compare,
    "exchange": run_exchange,
    "calibration": run_calibration,
    "validation": run_validation,
}
#: By kind of study: what writes its result into a folder, and what sums it up for a terminal.
SHOWN: dict[str, tuple[Callable[..., None], Callable[..., str]]] = {
    "compare": (present, summary),
    "exchange": (present_exchange, summary_of_exchange),
    "calibration": (present_calibration, summary_of_calibration),
    "validation": (present_validation, summary_of_validation),
}
#: Where Hydra keeps its notes in a folder of results.
HYDRAS = ".hydra"

_failures: list[str] = []


def _fail(mistake: Exception) -> str:
    """Note a mistake and show it, in a line."""
    error = printable(in_one_line(mistake))
    _failures.append(error)
    print(f"strongchain: {error}", file=sys.stderr)
    return error


def _leave_nothing(folder: Path) -> None:
    """Remove the folder that Hydra made for a command that was refused, unless there is more in it than Hydra's notes."""
    if all(path.name == HYDRAS for path in folder.iterdir()):
        shutil.rmtree(folder / HYDRAS, ignore_errors=True)
        folder.rmdir()


def _is_of(folder: Path, study: str) -> bool | None:
    """Whether a folder holds the study of an id; nothing if it holds none."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8"))["id"] == study if path.exists() else None


def _study(config: DictConfig, folder: Path, overrides: list[str]) -> None:
    refuse_idle_settings(config, overrides)
    settings = read_settings(marked(config, overrides))
    swept = HydraConfig.get().mode == RunMode.MULTIRUN
    if (folder / "manifest.json").exists():
        if swept and json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["overrides"] == overrides:
            return  # of a sweep that goes on where it stopped
        raise SettingsError(f"{folder} already holds a study; choose another name")
    results = (folder.parent if swept else folder).parent
    runs = results / "runs"  # shared by all studies
    if runs in (folder, folder.parent):
        raise SettingsError("name is 'runs', where the runs of all studies are kept; choose another name")
    for stale in folder.glob("quality_map_*"):  # of arms that a study, stopped before it was whole, had and this one may not have
        stale.unlink()
    settings = replace(settings, drawn=not swept)
    begun = time.perf_counter()
    try:
        result = STUDIES[settings.study.kind](settings, overrides, progress=not settings.quiet, keep=runs)
        if _is_of(folder, result.manifest["id"]) is False:
            raise SettingsError(f"another study was written into {folder} at the same time; choose another name: the runs are kept")
        if not (settings.quiet or swept):
            write(say("progress.drawing"))
        present_result, summarise = SHOWN[settings.study.kind]
        present_result(result, folder, figures=not swept)
    except OSError as trouble:  # a full disk, a folder that cannot be written, a worker that was killed
        raise SettingsError(str(trouble)) from trouble
    if not settings.quiet:
        write(summarise(result))
    write(say("progress.written", seconds=time.perf_counter() - begun, swept=swept, folder=folder))
    if result.failures:
        _fail(RuntimeError(result.failures))


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name=CONFIG)
def _job(config: DictConfig) -> None:
    """One job. It raises no error, so that a sweep goes on and is collected."""
    job = HydraConfig.get()
    folder = Path(job.runtime.output_dir)
    overrides = [str(override) for override in job.overrides.task]
    error = None
    try:
        _study(config, folder, overrides)
    except Exception as mistake:
        error = _fail(mistake if isinstance(mistake, MENDABLE) else RuntimeError(noted(mistake, overrides)))
        if job.mode == RunMode.RUN:
            _leave_nothing(folder)
    if job.mode == RunMode.MULTIRUN:
        write_whole(folder / "point.json", json.dumps({"overrides": overrides, "error": error}, ensure_ascii=False).encode())


def _announce_sweep(arguments: Sequence[str]) -> None:
    """Say how many runs a sweep is, and about how long they take if its first point is like the others."""
    overrides = [read_override(argument) for argument in arguments if not argument.startswith("-")]
    points = math.prod(len(argument.alone) for argument in overrides)
    first = [argument.alone[0] for argument in overrides]
    settings = read_settings(compose_settings(first))
    if settings.quiet or settings.study.kind not in {"compare", "exchange"}:
        return
    arms = list(exchange_arms(settings, first).values()) if settings.study.kind == "exchange" else arms_of(settings, first)
    runs = points * len(arms) * settings.replicates
    workers = workers_of(settings.parallel, settings.replicates)
    starting = expected_seconds((), settings.replicates, settings.task.months, workers)  # once, as all points share the workers
    seconds = starting + points * (expected_seconds(arms, settings.replicates, settings.task.months, workers) - starting)
    write(say("progress.sweep", points=points, runs=runs, seconds=seconds))


def run(arguments: Sequence[str]) -> int:
    """Run what was typed, flags included, through Hydra.

    Parameters
    ----------
    arguments : sequence of str
        As `preflight` returns them.

    Returns
    -------
    int
        Exit status: 1 if any job failed.
    """
    register()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # mistakes in what was typed are raised, not printed, and shown as all others
    sys.argv[1:] = arguments
    _failures.clear()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a batch system that stops a study is answered like Ctrl-C
    try:
        if set(arguments) & set(MANY):
            _announce_sweep(arguments)
        _job()
    except MENDABLE as mistake:
        _fail(mistake)
    except OSError as trouble:
        _fail(trouble)
    return int(bool(_failures))
