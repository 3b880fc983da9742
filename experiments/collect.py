"""Collect a sweep: one table and one figure of all its points, from what they left on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiments.figures import sweep_figure
from experiments.results import write_table

__all__ = ["CollectSweep", "collect_sweep"]


def collect_sweep(folder: Path) -> pd.DataFrame:
    """Gather the effects of all points below a folder into one table, and draw it.

    Points that failed stand in the table with their error. Writes ``sweep.csv``,
    ``sweep.parquet`` and, where at least one point was finished, ``sweep.png``.
    """
    parts: list[pd.DataFrame] = []
    swept: list[str] = []
    for point in sorted((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name)):
        about = point / "point.json"
        if not about.is_file():
            continue
        said = json.loads(about.read_text(encoding="utf-8"))
        values = {key: value for key, _, value in (word.lstrip("+").partition("=") for word in said["swept"])}
        swept = list(dict.fromkeys([*swept, *values]))
        rows = pd.DataFrame([{}]) if said["error"] else pd.read_parquet(point / "effects.parquet")
        parts.append(rows.assign(point=int(point.name), error=said["error"], **values))
    if not parts:
        raise FileNotFoundError(f"{folder} holds no point of a sweep")
    table = pd.concat(parts, ignore_index=True)
    table = table[["point", *swept, *(c for c in table.columns if c not in {"point", "error", *swept}), "error"]]
    write_table(table, folder / "sweep")
    finished = table[table["error"].isna()]
    if swept and len(finished):
        sweep_figure(finished, swept).savefig(folder / "sweep.png")
    return table


class CollectSweep(Callback):
    """Hydra's callback at the end of a sweep; the only code that a configuration of ours names."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Collect, and say where."""
        folder = Path(config.hydra.sweep.dir)
        table = collect_sweep(folder)
        failed = table.loc[table["error"].notna(), "point"].nunique()
        print(f"{table['point'].nunique()} points, {failed} failed: {folder / 'sweep.csv'}, sweep.parquet, sweep.png")
