"""Collect a sweep: one table and one figure of all its points, from what they left on disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiments.analysis.results import write_table
from experiments.figures import save, sweep_figure
from experiments.languages.wording import lines
from experiments.last_resort import noted
from experiments.runs.store import write_whole
from experiments.terminal import printable

__all__ = ["CollectSweep", "collect_sweep"]


def collect_sweep(folder: Path) -> pd.DataFrame:
    """Gather the effects of all points below a folder into one table, and draw it.

    Points that failed stand in the table with their error. Writes ``sweep.csv``,
    ``sweep.parquet`` and, where at least one point was finished, ``sweep.png``.
    """
    points: list[tuple[int, dict[str, str], str | None]] = []
    for point in sorted((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name)):
        note = point / "point.json"
        if note.is_file():
            about = json.loads(note.read_text(encoding="utf-8"))
            typed = {key: value for key, _, value in (word.lstrip("+").partition("=") for word in about["overrides"])}
            points.append((int(point.name), typed, about["error"]))
    keys = dict.fromkeys(key for _, typed, _ in points for key in typed)
    swept = [key for key in keys if len({typed.get(key) for _, typed, _ in points}) > 1]
    parts = []
    for number, typed, error in points:
        rows = pd.DataFrame([{}]) if error else pd.read_parquet(folder / str(number) / "effects.parquet")
        parts.append(rows.assign(point=number, error=error, **{key: typed.get(key) for key in swept}))
    if not parts:
        raise FileNotFoundError(f"{folder} holds no point of a sweep")
    table = pd.concat(parts, ignore_index=True)
    table = table[["point", *swept, *(c for c in table.columns if c not in {"point", "error", *swept}), "error"]]
    write_table(table, folder / "sweep")
    finished = table[table["error"].isna()]
    if swept and len(finished):
        manifests = [json.loads((folder / str(n) / "manifest.json").read_text(encoding="utf-8")) for n in finished["point"].unique()]
        save(sweep_figure(finished, swept, manifests), folder / "sweep.png", manifests)
    return table


class CollectSweep(Callback):
    """Hydra's callback at the end of a sweep; the only code that a configuration of ours names."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Continue the same sweep where it stopped; refuse the folder of another sweep, because its points would mix with the new ones."""
        folder, note = Path(config.hydra.sweep.dir), Path(config.hydra.sweep.dir) / "sweep.json"
        typed = [str(word) for word in config.hydra.overrides.task]
        points = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/point.json")]
        if points:
            whole = (folder / "sweep.csv").is_file() and not any(point["error"] for point in points)
            same = note.is_file() and json.loads(note.read_text(encoding="utf-8")) == typed
            if whole or not same:
                print(lines("sweep.in_the_way", folder=folder, same=same), file=sys.stderr)
                sys.exit(1)  # an exception would become a warning
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(note, json.dumps(typed, ensure_ascii=False).encode())

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Collect the points, and print where the table lies."""
        folder = Path(config.hydra.sweep.dir)
        try:
            table = collect_sweep(folder)
        except Exception as mistake:  # which Hydra would turn into a warning, and the exit status into success
            why = str(mistake) if isinstance(mistake, OSError) else noted(mistake, sys.argv[1:])
            print(printable(lines("sweep.not_collected", folder=folder, mistake=why)), file=sys.stderr)
            sys.exit(1)
        failed = table.loc[table["error"].notna(), "point"].nunique()
        print(lines("sweep.collected", points=table["point"].nunique(), failed=failed, table=folder / "sweep.csv"))
