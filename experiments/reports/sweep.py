"""Collect a sweep: one table and one figure of all its points, from what they left on disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiments.analysis.results import labels_wanted, write_table
from experiments.figures import save_all, sweep_figure
from experiments.languages.wording import lines, speak
from experiments.last_resort import noted
from experiments.runs.files import SUMS, damages, read_regular, write_sums
from experiments.runs.manifests import MANIFEST, POINT, read_manifest
from experiments.terminal import printable
from experiments.waiting import slow

__all__ = ["CollectSweep", "collect_sweep", "is_whole"]

#: Bytes of such a note at most.
MOST_BYTES = 1_000_000


def _points(folder: Path) -> list[Path]:
    """Return the points of a sweep that were finished, or failed, in their order."""
    points = (point for point in folder.iterdir() if point.name.isdecimal() and not point.is_symlink())
    return sorted((p for p in points if (p / MANIFEST).is_file() or (p / POINT).is_file()), key=lambda p: int(p.name))


def is_whole(folder: Path) -> bool:
    """Whether a folder holds a sweep of which every point was finished."""
    return (folder / SUMS).is_file() and all((point / MANIFEST).is_file() for point in _points(folder))


def _note(point: Path) -> tuple[list[str], str | None]:
    """Return what was typed for a point, and its error if it failed."""
    if (point / MANIFEST).is_file():
        return list(read_manifest(point)["overrides"]), None
    about = json.loads(read_regular(point / POINT, MOST_BYTES).decode("utf-8"))
    return [str(override) for override in about["overrides"]], str(about["error"])


def collect_sweep(folder: Path) -> pd.DataFrame:
    """Gather the effects of all points below a folder into one table, and draw it.

    Points that failed stand in the table with their error. Writes ``sweep.csv``, ``sweep.parquet``, where at least one point was
    finished ``sweep.png``, and last the checksums of all files.

    Raises
    ------
    FileNotFoundError
        If there is no point.
    ValueError
        If a file of a point was damaged.
    """
    notes = {int(point.name): (point, *_note(point)) for point in _points(folder)}
    values = {
        number: {key: value for key, _, value in (override.lstrip("+").partition("=") for override in overrides)}
        for number, (_, overrides, _) in notes.items()
    }
    keys = dict.fromkeys(key for typed in values.values() for key in typed)
    swept = [key for key in keys if len({typed.get(key) for typed in values.values()}) > 1]
    parts = []
    for number, (point, _, error) in notes.items():
        if error is None and (wrong := damages(point, ("effects.parquet",))):
            raise ValueError(wrong[0])
        rows = pd.DataFrame([{}]) if error else pd.read_parquet(point / "effects.parquet")
        parts.append(rows.assign(point=number, error=error, **{key: values[number].get(key) for key in swept}))
    if not parts:
        raise FileNotFoundError(f"{folder} holds no point of a sweep")
    table = pd.concat(parts, ignore_index=True)
    table = table[["point", *swept, *(c for c in table.columns if c not in {"point", "error", *swept}), "error"]]
    finished = table[table["error"].isna()]
    manifests = [read_manifest(folder / str(number)) for number in finished["point"].unique()]
    write_table(table, folder / "sweep", any(map(labels_wanted, manifests)))
    if swept and len(finished):
        save_all(sweep_figure(finished, swept, manifests), folder, "sweep", manifests)
    write_sums(folder, {})
    return table


class CollectSweep(Callback):
    """Hydra's callback at the end of a sweep; the only code that a configuration of ours names."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Collect the points, and print where the table lies."""
        folder = Path(config.hydra.sweep.dir)
        speak(config.language)
        try:
            with slow("waiting.sweep", points=len(_points(folder))):
                table = collect_sweep(folder)
        except Exception as mistake:  # which Hydra would turn into a warning, and the exit status into success
            why = str(mistake) if isinstance(mistake, OSError) else noted(mistake, sys.argv[1:])
            print(printable(lines("sweep.not_collected", folder=folder, mistake=why)), file=sys.stderr)
            sys.exit(1)
        failed = table.loc[table["error"].notna(), "point"].nunique()
        print(lines("sweep.collected", points=table["point"].nunique(), failed=failed, table=folder / "sweep.csv"))
