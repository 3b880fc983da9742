"""The job that Hydra runs: one study in a folder of its own, or one point of a sweep."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.configuration.composed import CONFIG, composed, in_one_line, refuse_foreign
from experiments.configuration.flags import MANY, shows_only
from experiments.configuration.overrides import quoted, read_override
from experiments.configuration.own_policies import as_typed, in_hydras_words
from experiments.configuration.schema import register
from experiments.configuration.settings import (
    Arm,
    Settings,
    SettingsError,
    check_name,
    compose_settings,
    marked,
    read_settings,
    refuse_idle_settings,
)
from experiments.languages.wording import mistake as in_words
from experiments.languages.wording import say, speak
from experiments.last_resort import noted
from experiments.reports.calibration import present_calibration, present_validation, summary_of_calibration, summary_of_validation
from experiments.reports.comparison import present, summary
from experiments.reports.exchange import present_exchange, summary_of_exchange
from experiments.reports.follow import present_follow, summary_of_follow
from experiments.reports.sweep import is_whole
from experiments.runs.files import write_whole
from experiments.runs.manifests import MANIFEST, POINT
from experiments.runs.ownership import Claim, claim, refuse_folder, remove_empty
from experiments.runs.runner import drawing_seconds, expected_seconds, needs_of, workers_of
from experiments.runs.store import CODE
from experiments.studies.calibrate import run_calibration
from experiments.studies.compare import arms_of, run_compare
from experiments.studies.exchange import exchange_arms, run_exchange
from experiments.studies.follow import follow_arms, run_follow
from experiments.studies.validate import run_validation
from experiments.systems import answer_like_ctrl_c
from experiments.terminal import paragraphs, printable, write
from experiments.waiting import announce, slow
from sim import NetworkError
from sim.parameters import ParameterError

__all__ = ["dry_run", "run"]

#: What a user can mend. Anything else is an error of ours, whose traceback goes into a file.
MENDABLE = (SettingsError, ParameterError, NetworkError, HydraException, OmegaConfBaseException)
STUDIES: dict[str, Callable[..., Any]] = {
    "compare": run_compare,
    "exchange": run_exchange,
    "calibration": run_calibration,
    "validation": run_validation,
    "follow": run_follow,
}
#: By kind of study: what writes its result into a folder, and what sums it up for a terminal.
SHOWN: dict[str, tuple[Callable[..., None], Callable[..., str]]] = {
    "compare": (present, summary),
    "exchange": (present_exchange, summary_of_exchange),
    "calibration": (present_calibration, summary_of_calibration),
    "validation": (present_validation, summary_of_validation),
    "follow": (present_follow, summary_of_follow),
}

_failures: list[str] = []
#: What was not typed, but added to what was typed: no part of the record.
_added: set[str] = set()


def _fail(mistake: Exception) -> str:
    """Note a mistake and show it, in a line."""
    error = printable(in_one_line(mistake))
    _failures.append(error)
    print(f"strongchain: {printable(in_words(in_one_line(mistake)))}", file=sys.stderr)
    return error


class _Whole(Exception):
    """A point of a sweep that was simulated before the sweep was stopped."""


@dataclass
class _Folder:
    """The folder of a study: claimed when it is known what is simulated, given up if nothing was."""

    path: Path
    swept: bool
    settings: Settings
    claim: Claim | None = None

    def begin(self, study: str) -> None:
        """Claim the folder for the study of an id.

        Raises
        ------
        SettingsError
            If it belongs to somebody else, or holds this study.
        _Whole
            If it holds this point of a sweep.
        """
        kind = "point" if self.swept else "study"
        self.claim = claim(self.path, kind, study, self.settings.task.months, self.settings.replicates)
        if (self.path / MANIFEST).exists():
            raise _Whole if self.swept else SettingsError(f"{self.path} already holds a study; choose another name")

    def present(self, result: Any) -> None:
        """Write everything of a study."""
        if self.claim is None:
            raise RuntimeError("the folder was not claimed")
        self.claim.check()
        present_result, _ = SHOWN[self.settings.study.kind]
        present_result(result, self.path, figures=self.settings.drawn)

    def end(self) -> None:
        """End the claim."""
        if self.claim is not None:
            self.claim.end()


def _study(config: DictConfig, folder: Path, overrides: list[str]) -> None:
    swept = HydraConfig.get().mode == RunMode.MULTIRUN
    with slow("waiting.settings"):
        refuse_foreign(config)
        refuse_idle_settings(config, overrides)
        drawn = bool(config.figures.format) and not swept
        settings = replace(read_settings(marked(config, overrides)), drawn=drawn)
    announce(not settings.quiet)
    owned = _Folder(folder, swept, settings)
    speak(settings.language)  # an experiment's file may choose it
    begun = time.perf_counter()
    try:
        result = STUDIES[settings.study.kind](
            settings, overrides, progress=not settings.quiet, keep=_runs_of(folder, swept), begin=owned.begin
        )
        if settings.drawn and not settings.quiet:
            arms = len(result.manifest.get("arms") or ()) or 1
            write(say("waiting.drawing", seconds=drawing_seconds(arms, settings.study.kind)))
        with slow("waiting.tables") if swept else nullcontext():
            owned.present(result)
    except _Whole:
        return
    except OSError as trouble:  # a full disk, a folder that cannot be written, a worker that was killed
        raise SettingsError(str(trouble)) from trouble
    finally:
        owned.end()
    _, summarise = SHOWN[settings.study.kind]
    if not settings.quiet:
        write(summarise(result))
    write(say("progress.written", seconds=time.perf_counter() - begun, drawn=settings.drawn, folder=folder))
    if result.failures:
        _fail(RuntimeError(result.failures))


def _runs_of(folder: Path, swept: bool) -> Path:
    """Return the folder of the runs that all studies share; no study can have its name.

    Raises
    ------
    SettingsError
        If the study has it.
    """
    runs = (folder.parent if swept else folder).parent / "runs"
    if "runs" in {folder.name.casefold(), folder.parent.name.casefold() if swept else ""}:  # one folder where capital letters do not count
        raise SettingsError("name is 'runs', where the runs of all studies are kept; choose another name")
    return runs


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name=CONFIG)
def _job(config: DictConfig) -> None:
    """One job. It raises no error, so that a sweep goes on and is collected."""
    job = HydraConfig.get()
    folder = Path(job.runtime.output_dir)
    overrides = [as_typed(override) for override in map(str, job.overrides.task) if override not in _added]
    note = folder / POINT
    try:
        _study(config, folder, overrides)
    except Exception as mistake:
        error = _fail(mistake if isinstance(mistake, MENDABLE) else RuntimeError(noted(mistake, overrides)))
        if job.mode == RunMode.MULTIRUN:
            write_whole(note, json.dumps({"overrides": overrides, "error": error}, ensure_ascii=False).encode())
        return
    note.unlink(missing_ok=True)  # of this point, if it failed before


@dataclass(frozen=True)
class _Forecast:
    """What a study or a sweep would be: points, settings and arms of the first one, processes, and seconds for all of them."""

    points: int
    settings: Settings
    arms: list[Arm]
    workers: int
    seconds: float


def _forecast(arguments: Sequence[str]) -> _Forecast | None:
    """Compose the first point of what was typed, and count on the others being like it; none of a kind of study without arms."""
    overrides = [read_override(argument) for argument in arguments if not argument.startswith("-")]
    points = math.prod(len(override.alone) for override in overrides)
    first = [override.alone[0] for override in overrides]
    settings = read_settings(marked(compose_settings(first), first))
    match settings.study.kind:
        case "compare":
            arms = arms_of(settings, first)
        case "exchange":
            arms = list(exchange_arms(settings, first).values())
        case "follow":
            arms = list(follow_arms(settings))
        case _:
            return None
    workers = workers_of(settings.parallel, settings.replicates)
    starting = expected_seconds((), settings.replicates, settings.task.months, workers)  # once, as all points share the workers
    seconds = starting + points * (expected_seconds(arms, settings.replicates, settings.task.months, workers) - starting)
    return _Forecast(points, settings, arms, workers, seconds)


def _announce_sweep(arguments: Sequence[str]) -> None:
    """Say how many runs a sweep is, and about how long they take if its first point is like the others."""
    of = _forecast(arguments)
    if of is not None and of.settings.study.kind == "follow":
        raise SettingsError(
            "study=follow is one study, and a sweep compares policies; type it once for each value, under names of their own"
        )
    if of is not None and not of.settings.quiet:
        runs = of.points * len(of.arms) * of.settings.replicates
        write(say("progress.sweep", points=of.points, runs=runs, seconds=of.seconds))


def dry_run(arguments: Sequence[str]) -> int:
    """Say how many runs a study or a sweep would be, about how long they would take, and how much memory and disk; do nothing else.

    Parameters
    ----------
    arguments : sequence of str
        As `preflight` returns them.

    Returns
    -------
    int
        Exit status: 1 if something is wrong with what was typed.
    """
    register()
    _failures.clear()
    try:
        of = _forecast([_with_policies(argument) for argument in arguments])
        if of is None:
            raise SettingsError("--dry-run is for comparisons, exchanges and sweeps; other studies say what they take when they begin")
        speak(of.settings.language)
        drawn = bool(of.settings.resolved["figures"]["format"]) and not set(arguments) & set(MANY)
        seconds = of.seconds + (drawing_seconds(len(of.arms), of.settings.study.kind) if drawn else 0.0)
        replicates = of.settings.replicates
        needs = needs_of(of.arms, replicates, of.workers, of.points)
        write("\n".join(paragraphs(say("progress.dry_run", of.points, len(of.arms), replicates, seconds, of.workers, needs))))
    except MENDABLE as mistake:
        _fail(mistake)
    return int(bool(_failures))


def _placed(arguments: Sequence[str], key: str) -> tuple[list[str], Path]:
    """Return what was typed with the name and the folder of the results written out, so that Hydra makes this folder and no other.

    What stands for both may refer to other settings; in a sweep, to those that have one value.
    """
    keys = {argument: read_override(argument) for argument in arguments if not argument.startswith("-")}
    config = composed([argument for argument, override in keys.items() if len(override.alone) == 1])
    name = str(config.name)
    check_name(name, "name")
    folder = Path(str(OmegaConf.select(config, key)))
    fixed = {"name": f"name={quoted(name)}", key: f"{key}={quoted(str(folder))}"}
    kept = list(arguments)
    for at, argument in enumerate(arguments):
        if argument in keys and (literal := fixed.pop(keys[argument].key, "")):
            plain = str(keys[argument].values[0]) in {name, str(folder)}
            kept[at] = argument if plain else literal
    _added.update(fixed.values())
    return [*kept, *fixed.values()], folder.absolute()


def _with_policies(argument: str) -> str:
    """Return what was typed with the names under which Hydra knows the files of policies, which it does not read."""
    if argument.startswith("-") or (override := read_override(argument)).key != "policy":
        return argument
    return "policy=" + ",".join(in_hydras_words(alone).partition("=")[2] for alone in override.alone)


def _sweep_id(arguments: Sequence[str]) -> str:
    """Hash what makes a sweep: what was typed, and the code. A sweep goes on only with the same."""
    typed = [argument for argument in arguments if not argument.startswith("-") and argument not in _added]
    return hashlib.blake2b(json.dumps([typed, CODE]).encode(), digest_size=6).hexdigest()


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
    _failures.clear()
    _added.clear()
    arguments = [_with_policies(argument) for argument in arguments]
    answer_like_ctrl_c()  # a batch system that stops a study is answered so
    try:
        if shows_only(arguments):
            sys.argv[1:] = arguments
            _job()
        elif set(arguments) & set(MANY):
            _run_sweep(arguments)
        else:
            sys.argv[1:], folder = _placed(arguments, "hydra.run.dir")
            _runs_of(folder, False)
            refuse_folder(folder, "study")
            if (folder / MANIFEST).exists():
                raise SettingsError(f"{folder} already holds a study; choose another name")
            _in_a_folder(folder)
    except MENDABLE as mistake:
        _fail(mistake)
    except OSError as trouble:
        _fail(trouble)
    return int(bool(_failures))


def _in_a_folder(folder: Path) -> None:
    """Let Hydra run in a folder that it makes; if nothing is written there, nothing is left of it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        _job()
    finally:
        remove_empty(missing)


def _run_sweep(arguments: Sequence[str]) -> None:
    """Run every point of a sweep in the sweep's folder, and collect them."""
    sys.argv[1:], folder = _placed(arguments, "hydra.sweep.dir")
    _runs_of(folder / "0", True)
    study = _sweep_id(sys.argv[1:])
    refuse_folder(folder, "sweep", study)
    if is_whole(folder):
        raise SettingsError(f"{folder} already holds this sweep; choose another name")
    _announce_sweep(arguments)
    owned = claim(folder, "sweep", study)
    try:
        _in_a_folder(folder)
    finally:
        owned.end()
