"""Results: tables of a study, where they came from, and how they are stored and loaded."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.statistics import Intervals, mean_intervals, p_values, shown_intervals
from experiments.store import MapPicture, Run, write_whole
from sim.outcomes import OUTCOMES
from sim.quality_map import CAUSES
from sim.record import GROUPINGS

__all__ = ["Comparison", "collect", "load", "manifest", "write_table"]


@dataclass(frozen=True)
class Comparison:
    """Arms compared on the same luck.

    Attributes
    ----------
    effects : DataFrame
        A row per arm, outcome and group: level, paired effect against the reference over the
        last months with its 95 % interval, the same relative to the reference; of flows level and effect summed over all months.
    series : DataFrame
        A row per arm, outcome and month: mean and 95 % interval of the level and of the effect.
    origins : DataFrame
        A row per arm, tier and cause: field loss that begins there, with its 95 % interval.
    maps : dict of str to MapPicture
        Quality map of each arm, first replicate.
    manifest : dict
        Where the figures came from.
    """

    effects: pd.DataFrame
    series: pd.DataFrame
    origins: pd.DataFrame
    maps: dict[str, MapPicture]
    manifest: dict[str, Any]

    @property
    def reference(self) -> str:
        """The arm that the others are compared with."""
        return str(self.manifest["reference"])

    @property
    def failures(self) -> str:
        """One line on the runs that failed; empty where none did."""
        failed = self.manifest.get("failed", [])
        if not failed:
            return ""
        told = "1 run failed, and its replicate is" if len(failed) == 1 else f"{len(failed)} runs failed, and their replicates are"
        return f"{told} left out (all in manifest.json); the first: {failed[0]}"

    def effect(self, arm: str, outcome: str = "field_dpu") -> pd.Series:
        """Return the row of one arm and outcome, in total."""
        rows = self.effects.query("arm == @arm and outcome == @outcome and by == 'total'")
        if rows.empty:
            raise KeyError(f"no arm {arm!r} or no outcome {outcome!r}; arms: {', '.join(self.effects['arm'].unique())}")
        return rows.iloc[0]

    def save(self, folder: Path) -> None:
        """Write tables (CSV and Parquet) and the manifest into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_table(self.effects, folder / "effects")
        write_table(self.series, folder / "series")
        write_table(self.origins, folder / "origins")
        write_whole(folder / "manifest.json", json.dumps(self.manifest, indent=2, ensure_ascii=False).encode())


def write_table(table: pd.DataFrame, stem: Path) -> None:
    """Write a table as Parquet, and as CSV with a mark by which spreadsheets see that it is UTF-8."""
    table.to_parquet(stem.with_suffix(".parquet"), index=False)
    table.to_csv(stem.with_suffix(".csv"), index=False, encoding="utf-8-sig")


def load(folder: str | Path) -> Comparison:
    """Load a stored comparison (its maps are not stored).

    Raises
    ------
    FileNotFoundError
        If the folder holds no finished study.
    """
    here = Path(folder)
    if not (here / "manifest.json").is_file():
        raise FileNotFoundError(f"{here} holds no finished study (there is no manifest.json in it)")
    effects, series, origins = (pd.read_parquet(here / f"{name}.parquet") for name in ("effects", "series", "origins"))
    return Comparison(effects, series, origins, maps={}, manifest=json.loads((here / "manifest.json").read_text(encoding="utf-8")))


# -- from runs to tables ----------------------------------------------------------------------------


def collect(runs: Sequence[Run], reference: str, about: dict[str, Any]) -> Comparison:
    """Turn runs into tables, every arm paired with the reference replicate by replicate."""
    arms = list(dict.fromkeys(run.arm for run in runs))
    by_arm = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    return Comparison(
        pd.concat([_effects(by_arm[arm], by_arm[reference]) for arm in arms], ignore_index=True),
        pd.concat([_series(by_arm[arm], by_arm[reference]) for arm in arms], ignore_index=True),
        pd.concat([_origins(by_arm[arm], max(run.origins.shape[0] for run in runs)) for arm in arms], ignore_index=True),
        {run.arm: run.picture for run in runs if run.picture is not None},
        {**about, "reference": reference},
    )


def _groups(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """All groups, in order: arms, and replicates of a generated network, may differ in their deepest tier."""

    def place(group: tuple[str, str]) -> tuple[int, int, str]:
        by, name = group
        return GROUPINGS.index(by), int(name) if name.isdigit() else len(name) * 10**6, name

    return sorted({group for run in runs for group in run.groups}, key=place)


def _stack(runs: Sequence[Run], what: str, groups: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """Window means or cumulative sums of all runs, shape (replicates, groups, outcomes); not a number where a run lacks a group."""
    out = np.full((len(runs), len(groups), len(runs[0].outcomes)), np.nan)
    for r, run in enumerate(runs):
        there = [groups.index(group) for group in run.groups]
        out[r, there] = getattr(run, what).T
    return out


def _columns(stem: str, found: Intervals) -> dict[str, NDArray[np.float64]]:
    return {stem: found.mean.ravel(), f"{stem}_low": found.low.ravel(), f"{stem}_high": found.high.ravel()}


def _effects(treated: Sequence[Run], base: Sequence[Run]) -> pd.DataFrame:
    groups, keys = _groups([*base, *treated]), treated[0].outcomes
    level, start = _stack(treated, "window", groups), _stack(base, "window", groups)
    paired, widened = shown_intervals(level - start)
    reference = mean_intervals(start).mean
    whole = np.where(reference != 0.0, np.abs(reference), np.nan)  # taken as known: the share's interval is the effect's
    share = Intervals(paired.mean / whole, paired.low / whole, paired.high / whole, paired.n)
    in_all, in_all_start = _stack(treated, "cumulative", groups), _stack(base, "cumulative", groups)
    gained, _ = shown_intervals(in_all - in_all_start)
    return pd.DataFrame(
        {
            "arm": treated[0].arm,
            "outcome": np.tile(keys, len(groups)),
            "by": np.repeat([by for by, _ in groups], len(keys)),
            "group": np.repeat([group for _, group in groups], len(keys)),
            "unit": np.tile([OUTCOMES[key].unit for key in keys], len(groups)),
            "better": np.tile([OUTCOMES[key].better for key in keys], len(groups)),
            **_columns("level", mean_intervals(level)),
            **_columns("effect", paired),
            **_columns("effect_share", share),
            **_columns("cumulative", mean_intervals(in_all)),
            **_columns("cumulative_effect", gained),
            "bootstrap": widened.ravel(),
            "p": p_values(level - start).ravel(),
            "replicates": paired.n.ravel(),
        }
    )


def _series(treated: Sequence[Run], base: Sequence[Run]) -> pd.DataFrame:
    level = np.stack([run.series for run in treated])  # replicates, months, outcomes
    paired = level - np.stack([run.series for run in base])
    months, keys = level.shape[1], treated[0].outcomes
    return pd.DataFrame(
        {
            "arm": treated[0].arm,
            "outcome": np.tile(keys, months),
            "month": np.repeat(np.arange(1, months + 1), len(keys)),
            **_columns("level", mean_intervals(level)),
            **_columns("effect", mean_intervals(paired)),
        }
    )


def _origins(runs: Sequence[Run], tiers: int) -> pd.DataFrame:
    """Field loss by tier and cause; the last of the tiers is of firms without a leader, and no run has more."""
    loss = np.zeros((len(runs), tiers, len(CAUSES)))
    for r, run in enumerate(runs):
        loss[r, : run.origins.shape[0] - 1] = run.origins[:-1]
        loss[r, -1] = run.origins[-1]
    share = loss / loss.sum(axis=(1, 2), keepdims=True)
    return pd.DataFrame(
        {
            "arm": runs[0].arm,
            "tier": np.repeat([*map(str, range(tiers - 1)), "none"], len(CAUSES)),
            "cause": np.tile(CAUSES, tiers),
            **_columns("loss", mean_intervals(loss)),
            **_columns("share", mean_intervals(share)),
        }
    )


# -- where it came from -------------------------------------------------------------------------------


def _git(*words: str) -> str:
    try:
        found = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def manifest(
    resolved: dict[str, Any], overrides: Sequence[str], keys: Sequence[tuple[int, int]], notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Say what was run, from which code, on what, with which luck.

    `id` is a hash of the resolved configuration (but for its name), the replicate keys and the
    commit: two studies with one id are one study.
    """
    settings = {key: value for key, value in resolved.items() if key not in {"name", "parallel"}}
    commit = _git("rev-parse", "HEAD")
    core = json.dumps([settings, [list(key) for key in keys], commit], sort_keys=True, default=str)
    packages = ("mesa", "numpy", "scipy", "pandas", "hydra-core", "matplotlib", "joblib")
    return {
        "id": hashlib.blake2b(core.encode(), digest_size=6).hexdigest(),
        "overrides": list(overrides),
        "configuration": resolved,
        "replicate_keys": [[f"{word:016x}" for word in key] for key in keys],
        "network_notes": list(notes),
        "commit": commit or None,
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None,
        "versions": {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in packages}},
        "platform": platform.platform(),
        "finished": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }
