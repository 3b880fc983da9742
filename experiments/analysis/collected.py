"""All runs of all studies below a folder as one table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.analysis.arms import names_of_regions
from experiments.languages.wording import say
from experiments.runs.files import damages
from experiments.runs.manifests import MANIFEST, read_manifest

__all__ = ["all_runs"]

#: What reading a folder may raise that somebody changed.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, OSError)
#: Columns that say whose a row is; then come the outcomes.
ABOUT = ("study", "arm", "replicate", "region", "policy", "months", "window", "seed", "instruments")


def all_runs(folder: str | Path = "results") -> pd.DataFrame:
    """Return the runs of all finished comparisons and exchanges below a folder, points of sweeps included.

    A study whose files were damaged is left out, with one line on the error output. Groups of firms are left out.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    DataFrame
        A row per study, arm and replicate: region, policy (the portfolio), months, window, seed, instruments (active ones, by comma), then
        all outcomes, money and counts. The name of a point of a sweep is that of its folder below `folder`: ``sweep/3``.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    here = Path(folder)
    if not here.is_dir():
        raise FileNotFoundError(f"there is no folder {str(here)!r}; studies are kept in results")
    parts = list(_studies(here))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(ABOUT))


def _studies(here: Path) -> Iterator[pd.DataFrame]:
    """Yield the runs of every study in a folder, in the folders in it and in theirs."""
    for path in sorted(path for depth in ("", "*/", "*/*/") for path in here.glob(f"{depth}{MANIFEST}")):
        home = path.parent
        try:
            about = read_manifest(home)
            if not (home / "runs.parquet").is_file():
                continue  # a calibration, a validation
            if "format" in about and (wrong := damages(home, (MANIFEST, "runs.parquet"))):
                raise ValueError(wrong[0])
            runs = pd.read_parquet(home / "runs.parquet")
            part = _with_settings(runs[runs["by"] == "total"].drop(columns=["by", "group"]), about)
        except UNREADABLE as mistake:
            why = str(mistake).splitlines()[0] if str(mistake) else type(mistake).__name__
            print(say("overview.left_out", folder=home, why=why), file=sys.stderr)
            continue
        part.insert(0, "study", home.relative_to(here).as_posix() if home != here else home.name)
        yield part


def _with_settings(runs: pd.DataFrame, about: dict[str, Any]) -> pd.DataFrame:
    """Return runs with what their arms are."""
    arms, general = about["arms"], about["configuration"]
    columns = {
        "region": {name: names_of_regions(arm, "key") for name, arm in arms.items()},
        "policy": {name: (arm.get("portfolio") or {}).get("key", "") for name, arm in arms.items()},
        "instruments": {
            name: ",".join(key for key, levers in arm["instruments"].items() if levers["active"]) for name, arm in arms.items()
        },
    }
    table = runs.assign(
        **{name: runs["arm"].map(of_arms) for name, of_arms in columns.items()},
        **{name: general[name] for name in ("months", "window", "seed")},
    )
    own = [name for name in ABOUT if name in table.columns]
    return table[[*own, *(name for name in table.columns if name not in own)]]
