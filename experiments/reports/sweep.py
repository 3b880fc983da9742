"""Collect a sweep: its tables, its figure and its report, from what its points left on disk."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from experiments.analysis.arms import short_names
from experiments.analysis.results import labels_wanted, write_in_parts, write_table
from experiments.analysis.sweeps import points_in, read_sweep, summary_of_points, tables_of_points
from experiments.figures import save_all, sweep_figure
from experiments.languages.wording import lines, speak
from experiments.last_resort import noted
from experiments.reports.sweep_report import sweep_report
from experiments.runs.files import SUMS, write_sums, write_whole
from experiments.runs.manifests import MANIFEST
from experiments.terminal import printable
from experiments.waiting import slow

__all__ = ["CollectSweep", "collect_sweep", "is_whole"]


def is_whole(folder: Path) -> bool:
    """Whether a folder holds a sweep of which every point was finished."""
    return (folder / SUMS).is_file() and all((point / MANIFEST).is_file() for point in points_in(folder))


def collect_sweep(folder: Path) -> pd.DataFrame:
    """Gather the effects of all points below a folder, draw them and report on them; return the table of points.

    Writes ``sweep`` (all effects of all points, those that failed with their error last) and ``sweep_summary`` (a row per point) as CSV and
    Parquet; where at least one point was finished ``sweep.png`` and ``report.html``; and last the checksums of all files.

    Raises
    ------
    FileNotFoundError
        If there is no point.
    ValueError
        If a file of a point was damaged.
    """
    sweep = read_sweep(folder)
    labels = any(map(labels_wanted, sweep.manifests))
    rows, tables = tables_of_points(folder, sweep)
    write_in_parts(tables, rows, folder / "sweep", labels)
    summary = summary_of_points(sweep)
    write_table(summary, folder / "sweep_summary", labels)
    if sweep.swept and len(sweep.effects):
        figure = sweep_figure(sweep.effects, sweep.swept, sweep.manifests, sweep.untouched, short_names(sweep.arms))
        save_all(figure, folder, "sweep", sweep.manifests)
        result = hashlib.sha256(summary.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
        write_whole(folder / "report.html", sweep_report(sweep, result).encode())
    write_sums(folder, {})
    return summary


class CollectSweep(Callback):
    """Hydra's callback at the end of a sweep; the only code that a configuration of ours names."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Collect the points, and print where the table lies."""
        folder = Path(config.hydra.sweep.dir)
        speak(config.language)
        try:
            with slow("waiting.sweep", points=len(points_in(folder))):
                table = collect_sweep(folder)
        except Exception as mistake:  # which Hydra would turn into a warning, and the exit status into success
            why = str(mistake) if isinstance(mistake, OSError) else noted(mistake, sys.argv[1:])
            print(printable(lines("sweep.not_collected", folder=folder, mistake=why)), file=sys.stderr)
            sys.exit(1)
        failed = int(table["error"].notna().sum())
        drawn = (folder / "report.html").is_file()
        print(lines("sweep.collected", points=len(table), failed=failed, table=folder / "sweep.csv", drawn=drawn))
