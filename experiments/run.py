"""The application: ``strongchain``, or ``python -m experiments.run``."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import hydra
import pandas as pd
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from experiments import verbs
from experiments.figures import effects_figure, network_map, origins_figure, save, time_paths
from experiments.preflight import preflight
from experiments.results import Comparison, write_table
from experiments.settings import CONFIG, SettingsError, read_settings, refuse_idle_levers, register
from experiments.studies.compare import run_compare
from sim import NetworkError
from sim.outcomes import HEADLINE, OUTCOMES
from sim.parameters import ParameterError

__all__ = ["main"]

#: What a user can mend. Anything else is an error of ours and shows its traceback.
MENDABLE = (SettingsError, ParameterError, NetworkError, HydraException, OmegaConfBaseException)
STUDIES: dict[str, Callable[..., Comparison]] = {"compare": run_compare}
SHOWN = (
    HEADLINE, "nonconformity", "open_problems", "copq", "quality_cost",
    "investment", "credit_bound", "exits", "cases_solved", "government_cost", "firm_cost",
)  # fmt: skip

#: Where Hydra keeps its notes in a folder of results.
HYDRAS = ".hydra"

_failures: list[str] = []


def _fail(mistake: Exception) -> str:
    """Note a mistake and show it: ours as it is, of Hydra's several lines one, without where it looks and how it is built."""
    error = str(mistake)
    if isinstance(mistake, HydraException | OmegaConfBaseException):
        lines = [line.strip() for line in f"{mistake}\n{mistake.__cause__ or ''}".splitlines()]
        idle = ("To append to", "Config search path", "provider=", "full_key:", "object_type=", "reference_type=", "See http", "^")
        error = " ".join(line for line in lines if line and not line.startswith(idle))
    _failures.append(error)
    print(f"strongchain: {error}", file=sys.stderr)
    return error


def _leave_nothing(folder: Path) -> None:
    """Remove the folder that Hydra made for a command that was refused, unless there is more in it than Hydra's notes."""
    if all(path.name == HYDRAS for path in folder.iterdir()):
        shutil.rmtree(folder / HYDRAS, ignore_errors=True)
        folder.rmdir()


def _study(config: DictConfig, folder: Path, words: list[str]) -> None:
    refuse_idle_levers(config, words)
    settings = read_settings(config)
    if (folder / "manifest.json").exists():
        raise SettingsError(f"{folder} already holds a study; choose another name")
    if settings.study.kind not in STUDIES:
        raise SettingsError(f"study.kind is {settings.study.kind!r}; there is {', '.join(STUDIES)}")
    results = (folder.parent if HydraConfig.get().mode == RunMode.MULTIRUN else folder).parent
    runs = results / "runs"  # shared by all studies
    if runs in (folder, folder.parent):
        raise SettingsError("name is 'runs', where the runs of all studies are kept; choose another name")
    begun = time.perf_counter()
    try:
        found = STUDIES[settings.study.kind](settings, words, keep=runs)
        _draw(found, folder)
        found.save(folder)  # last, because the manifest says that the study is whole
    except OSError as trouble:  # a full disk, a folder that cannot be written, a worker that was killed
        raise SettingsError(str(trouble)) from trouble
    print(_summary(found))
    print(f"{time.perf_counter() - begun:.0f} s; tables, figures and manifest in {folder}")
    if found.failures:
        _fail(RuntimeError(found.failures))


def _draw(found: Comparison, folder: Path) -> None:
    about = found.manifest
    for name, figure in (
        ("time_paths", time_paths(found.series, about)),
        ("effects", effects_figure(found.effects, about)),
        ("origins", origins_figure(found.origins, about)),
    ):
        save(figure, folder / f"{name}.png", about)
    for arm, picture in found.maps.items():
        stem = folder / f"quality_map_{arm}"
        loss = f"{picture.map.total / 1e6:,.2f} million CNY a month"
        title = f"Where the defects that reach users begin: arm {arm!r}, first replicate, {loss}"
        save(network_map(picture, about, title), stem.with_suffix(".png"), about)
        write_table(picture.table, stem)


def _summary(found: Comparison) -> str:
    """The effects in total, as lines for a terminal."""
    rows = found.effects[found.effects["by"] == "total"]
    window = found.manifest["configuration"]["window"]
    lines = [
        f"Paired effects against {found.reference!r} on the same luck, with 95 % intervals; "
        f"means of the last {window} months, flows over the whole run:"
    ]
    for key in SHOWN:
        outcome = OUTCOMES[key]
        mine = rows[rows["outcome"] == key].set_index("arm")
        level, effect = ("cumulative", "cumulative_effect") if outcome.is_flow else ("level", "effect")
        unit = outcome.unit.removesuffix("/month") if outcome.is_flow else outcome.unit
        lines.append(f"  {outcome.label} ({unit}{f'; {outcome.better} is better' if outcome.better else ''})")
        start = mine.loc[found.reference, level]
        lines.append(f"    {found.reference:<20} {start:>12.5g}")
        for arm in mine.index.drop(found.reference):
            row = mine.loc[arm]
            low, high = row[f"{effect}_low"], row[f"{effect}_high"]
            share = f"  = {100 * row[effect] / abs(start):+.1f} %" if start else ""
            verdict = "  (no interval from one replicate)" if pd.isna(low) else "  (the interval holds 0)" if low <= 0 <= high else ""
            lines.append(f"    {arm:<20} {row[effect]:>+12.4g}  [{low:+.4g}, {high:+.4g}]{share}{verdict}")
    return "\n".join(lines)


@hydra.main(version_base="1.3", config_path="pkg://configs", config_name=CONFIG)
def _job(config: DictConfig) -> None:
    """One job. It never raises what a user can mend, so that a sweep goes on and is collected."""
    running = HydraConfig.get()
    folder = Path(running.runtime.output_dir)
    words = [str(word) for word in running.overrides.task]
    error = None
    try:
        _study(config, folder, words)
    except MENDABLE as mistake:
        error = _fail(mistake)
        if running.mode == RunMode.RUN:
            _leave_nothing(folder)
    if running.mode == RunMode.MULTIRUN:
        (folder / "point.json").write_text(json.dumps({"overrides": words, "error": error}, ensure_ascii=False), encoding="utf-8")


def main() -> None:
    """Run the application: a verb of its own, else a study through Hydra. The exit status is 1 if any job failed."""
    if (status := verbs.main(sys.argv[1:])) is not None:
        sys.exit(status)
    register()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # mistakes in the words typed are raised, not printed, and shown as all others
    try:
        sys.argv[1:] = preflight(sys.argv[1:])
        _job()
    except MENDABLE as mistake:
        _fail(mistake)
    except OSError as trouble:
        _fail(trouble)
    except KeyboardInterrupt:
        print("strongchain: interrupted; the same command goes on from the runs that were finished", file=sys.stderr)
        sys.exit(130)
    if _failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
