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

from experiments.runner import MapPicture, Run
from experiments.statistics import mean_interval
from sim.outcomes import OUTCOMES
from sim.quality_map import CAUSES

__all__ = ["Comparison", "collect", "load", "manifest", "write_table"]


@dataclass(frozen=True)
class Comparison:
    """Arms compared on the same luck.

    Attributes
    ----------
    effects : DataFrame
        A row per arm, outcome and group: level, paired effect against the reference over the
        last months with its 95 % interval, the same relative to the reference, cumulative effect.
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
        (folder / "manifest.json").write_text(json.dumps(self.manifest, indent=2, ensure_ascii=False), encoding="utf-8")


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
    tables = (pd.read_parquet(here / f"{name}.parquet") for name in ("effects", "series", "origins"))
    return Comparison(*tables, maps={}, manifest=json.loads((here / "manifest.json").read_text(encoding="utf-8")))


# -- from runs to tables ----------------------------------------------------------------------------


def collect(runs: Sequence[Run], reference: str, about: dict[str, Any]) -> Comparison:
    """Turn runs into tables, every arm paired with the reference replicate by replicate."""
    arms = list(dict.fromkeys(run.arm for run in runs))
    by_arm = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    return Comparison(
        pd.DataFrame([row for arm in arms for row in _effects(by_arm[arm], by_arm[reference], arm == reference)]),
        pd.DataFrame([row for arm in arms for row in _series(by_arm[arm], by_arm[reference])]),
        pd.DataFrame([row for arm in arms for row in _origins(by_arm[arm])]),
        {run.arm: run.picture for run in runs if run.picture is not None},
        {**about, "reference": reference},
    )


def _groups(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """All groups, in order: replicates of a generated network may differ in their deepest tier."""
    longest = sorted({group for run in runs for group in run.groups}, key=lambda g: (("total", "chain", "tier", "size").index(g[0])))
    first = [group for group in runs[0].groups if group in set(longest)]
    return first + sorted(set(longest) - set(first))


def _of_group(run: Run, values: np.ndarray, group: tuple[str, str]) -> np.ndarray:
    return values[:, run.groups.index(group)] if group in run.groups else np.full(values.shape[0], np.nan)


def _effects(treated: Sequence[Run], base: Sequence[Run], is_reference: bool) -> list[dict[str, Any]]:
    rows = []
    for by, group in _groups(base):
        level = np.stack([_of_group(run, run.window, (by, group)) for run in treated])
        start = np.stack([_of_group(run, run.window, (by, group)) for run in base])
        total = np.stack([_of_group(run, run.cumulative, (by, group)) for run in treated])
        total_start = np.stack([_of_group(run, run.cumulative, (by, group)) for run in base])
        for k, key in enumerate(treated[0].outcomes):
            outcome, here = OUTCOMES[key], mean_interval(level[:, k])
            paired, whole = mean_interval(level[:, k] - start[:, k]), mean_interval(total[:, k] - total_start[:, k])
            reference = float(np.nanmean(start[:, k])) if not np.isnan(start[:, k]).all() else np.nan
            share = 1.0 / reference if reference else np.nan
            rows.append(
                {
                    "arm": treated[0].arm,
                    "outcome": key,
                    "by": by,
                    "group": group,
                    "unit": outcome.unit,
                    "better": outcome.better,
                    "level": here.mean,
                    "level_low": here.low,
                    "level_high": here.high,
                    "effect": 0.0 if is_reference else paired.mean,
                    "effect_low": 0.0 if is_reference else paired.low,
                    "effect_high": 0.0 if is_reference else paired.high,
                    "effect_share": 0.0 if is_reference else paired.mean * share,
                    "effect_share_low": 0.0 if is_reference else paired.low * share,
                    "effect_share_high": 0.0 if is_reference else paired.high * share,
                    "cumulative_effect": 0.0 if is_reference else whole.mean,
                    "cumulative_low": 0.0 if is_reference else whole.low,
                    "cumulative_high": 0.0 if is_reference else whole.high,
                    "replicates": here.n,
                }
            )
    return rows


def _series(treated: Sequence[Run], base: Sequence[Run]) -> list[dict[str, Any]]:
    level = np.stack([run.series for run in treated])  # replicates, months, outcomes
    effect = level - np.stack([run.series for run in base])
    rows = []
    for k, key in enumerate(treated[0].outcomes):
        for month in range(level.shape[1]):
            here, paired = mean_interval(level[:, month, k]), mean_interval(effect[:, month, k])
            rows.append(
                {
                    "arm": treated[0].arm,
                    "outcome": key,
                    "month": month + 1,
                    "level": here.mean,
                    "level_low": here.low,
                    "level_high": here.high,
                    "effect": paired.mean,
                    "effect_low": paired.low,
                    "effect_high": paired.high,
                }
            )
    return rows


def _origins(runs: Sequence[Run]) -> list[dict[str, Any]]:
    tiers = max(run.origins.shape[0] for run in runs) - 1
    loss = np.zeros((len(runs), tiers + 1, len(CAUSES)))
    for r, run in enumerate(runs):
        loss[r, : run.origins.shape[0] - 1] = run.origins[:-1]
        loss[r, -1] = run.origins[-1]
    whole = loss.sum(axis=(1, 2))
    rows = []
    for tier in range(tiers + 1):
        for k, cause in enumerate(CAUSES):
            found, share = mean_interval(loss[:, tier, k]), mean_interval(loss[:, tier, k] / whole)
            rows.append(
                {
                    "arm": runs[0].arm,
                    "tier": str(tier) if tier < tiers else "none",
                    "cause": cause,
                    "loss": found.mean,
                    "loss_low": found.low,
                    "loss_high": found.high,
                    "share": share.mean,
                    "share_low": share.low,
                    "share_high": share.high,
                }
            )
    return rows


# -- where it came from -------------------------------------------------------------------------------


def _git(*words: str) -> str:
    try:
        found = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def manifest(resolved: dict[str, Any], overrides: Sequence[str], keys: Sequence[tuple[int, int]], notes: Sequence[str] = ()) -> dict[str, Any]:
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
