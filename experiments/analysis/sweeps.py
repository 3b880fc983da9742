"""The points of a sweep as they lie on disk: what was swept, the effects of every arm at every point, which arms the levers can touch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from experiments.analysis.arms import Arm, active_in, arm_in, regions_of, shocks_in
from experiments.runs.files import damages, read_regular
from experiments.runs.manifests import MANIFEST, POINT, read_manifest
from sim.outcomes import HEADLINE

__all__ = ["FIGURES", "Point", "Sweep", "in_order", "numeric", "points_in", "read_sweep", "summary_of_points", "tables_of_points"]

#: Bytes of the note of a point that failed at most.
MOST_BYTES = 1_000_000
#: Tables of a point that are read.
READ = ("effects.parquet", "costs.parquet")
#: Settings that an arm may have for itself; any other setting that is swept holds for the whole study.
OF_ARMS = ("region", "network", "parameters", "scale", "burn_in", "instruments", "shocks", "policy")
#: What of a region is only a name.
NAMES = ("key", "label", "label_zh", "sources")
#: What is kept of a point's manifest: some thousand whole ones would fill the memory.
KEPT = ("months", "start", "window", "replicates", "seed", "region", "network", "study", "figures", "table_heads")
#: Columns of the effects of a point.
EFFECTS = (
    "arm", "outcome", "by", "effect", "effect_low", "effect_high", "effect_share", "effect_share_low", "effect_share_high",
    "conclusion", "replicates", "cost", "ratio", "ratio_low", "ratio_high",
)  # fmt: skip
#: Figures of an arm at a point, in the order of the columns of the table of points.
FIGURES = (
    "defects_percent", "defects_percent_low", "defects_percent_high", "conclusion",
    "government_money", "cost_per_avoided", "cost_per_avoided_low", "cost_per_avoided_high",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A point: its number, the values that were swept, as typed, its error if it failed, and what is kept of its manifest if not."""

    number: int
    values: Mapping[str, str]
    error: str | None
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Sweep:
    """A sweep.

    Attributes
    ----------
    swept : tuple of str
        Settings that differ between points, in the order in which they were typed.
    points : tuple of Point
    arms : dict of str to Arm
        Arms that are compared with the reference, by name, each with the most instruments that it has at any point.
    touched : tuple of str
        Arms that a swept setting can touch: those whose effective configuration, or that of the reference, is not the same at all points;
        all arms if there is none.
    touches : bool
        Whether the swept settings can touch any arm.
    effects : DataFrame
        A row per finished point and arm: swept values, the effect on defects reaching users, what government paid, per avoided defect too.
        Rows of the same `content` are the same runs.
    """

    swept: tuple[str, ...]
    points: tuple[Point, ...]
    arms: Mapping[str, Arm]
    touched: tuple[str, ...]
    touches: bool
    effects: pd.DataFrame = field(repr=False)

    @property
    def finished(self) -> list[Point]:
        """The points that did not fail."""
        return [point for point in self.points if point.error is None]

    @property
    def manifests(self) -> list[Mapping[str, Any]]:
        """What is kept of the manifests of the finished points."""
        return [point.about for point in self.finished]

    @property
    def untouched(self) -> tuple[str, ...]:
        """Arms that no swept setting can touch."""
        return tuple(arm for arm in self.arms if arm not in self.touched)


# -- values -------------------------------------------------------------------------------------------------


def numeric(values: Sequence[str]) -> bool:
    """Whether all values are numbers."""
    return bool(np.isfinite(pd.to_numeric(pd.Series(list(values), dtype=object), errors="coerce").astype(float)).all())


def in_order(values: Sequence[str]) -> list[str]:
    """Return values, each once: numbers from the smallest, names in the order in which they come."""
    once = list(dict.fromkeys(values))
    return sorted(once, key=float) if numeric(once) else once


# -- reading ------------------------------------------------------------------------------------------------


def points_in(folder: Path) -> list[Path]:
    """Return the points of a sweep that were finished, or failed, in their order."""
    points = (point for point in folder.iterdir() if point.name.isdecimal() and not point.is_symlink())
    return sorted((p for p in points if (p / MANIFEST).is_file() or (p / POINT).is_file()), key=lambda p: int(p.name))


def read_sweep(folder: Path) -> Sweep:
    """Read a sweep, point by point.

    Raises
    ------
    FileNotFoundError
        If there is no point.
    ValueError
        If a file of a point was damaged.
    """
    points: list[Point] = []
    parts: list[pd.DataFrame] = []
    contents: dict[str, set[str]] = {}
    arms: dict[str, Arm] = {}
    for place in points_in(folder):
        if not (place / MANIFEST).is_file():
            note = json.loads(read_regular(place / POINT, MOST_BYTES).decode("utf-8"))
            points.append(Point(int(place.name), _typed(note["overrides"]), str(note["error"]), {}))
            continue
        if wrong := damages(place, READ):
            raise ValueError(wrong[0])
        manifest = read_manifest(place)
        points.append(Point(int(place.name), _typed(manifest["overrides"]), None, _kept(manifest)))
        reference = str(manifest["reference"])
        effective = {name: _effective(configuration) for name, configuration in manifest["arms"].items()}
        for name, configuration in manifest["arms"].items():
            contents.setdefault(name, set()).add(effective[name])
            if name != reference and (name not in arms or len(arms[name].instruments) < len(active_in(configuration))):
                arms[name] = arm_in(manifest, name)
        for name in contents.keys() - manifest["arms"].keys():
            contents[name].add("")
        effects = _effects(place)
        parts.append(effects.assign(point=int(place.name), content=[f"{effective[arm]} {effective[reference]}" for arm in effects["arm"]]))
    if not points:
        raise FileNotFoundError(f"{folder} holds no point of a sweep")
    keys = dict.fromkeys(key for point in points for key in point.values)
    swept = tuple(key for key in keys if len({point.values.get(key) for point in points}) > 1)
    reference = next((str(point.about["reference"]) for point in points if point.error is None), "")
    of_study = any(key.split(".")[0] not in OF_ARMS for key in swept)
    touched = tuple(arm for arm in arms if of_study or len(contents.get(reference, ())) > 1 or len(contents[arm]) > 1)
    cut = tuple(Point(p.number, {key: p.values.get(key, "") for key in swept}, p.error, p.about) for p in points)
    effects = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*EFFECTS, "point", "content"])
    values = {key: effects["point"].map({point.number: point.values[key] for point in cut}) for key in swept}
    if of_study and len(effects):
        effects["content"] = effects["content"] + effects["point"].map(" {}".format)
    return Sweep(swept, cut, arms, touched or tuple(arms), bool(touched), effects.assign(**values)[effects["arm"].isin(list(arms))])


def _typed(overrides: Sequence[str]) -> dict[str, str]:
    """Return what was typed for a point, by setting."""
    return {key: value for key, _, value in (str(override).lstrip("+").partition("=") for override in overrides)}


def _kept(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what figures and reports need of the manifest of a point."""
    configuration = {key: value for key, value in manifest["configuration"].items() if key in KEPT}
    first, *beside = ({key: region.get(key, "") for key in NAMES[:3]} for region in regions_of(manifest["configuration"]))
    configuration |= {"region": first, **({"beside": beside} if beside else {})}
    configuration["network"] = {key: value for key, value in configuration["network"].items() if key in ("kind", "path")}
    return {"configuration": configuration, **{key: manifest[key] for key in ("id", "replicates", "reference", "finished")}}


def _effective(configuration: Mapping[str, Any]) -> str:
    """Hash what an arm is: its world, the shocks that strike it, and the levers of the instruments that are active in it."""
    world = {key: value for key, value in configuration.items() if key not in ("instruments", "shocks", "portfolio")}
    world["region"] = {key: value for key, value in world.get("region", {}).items() if key not in NAMES}
    active = {key: configuration["instruments"][key] for key in active_in(configuration)}
    if struck := {key: configuration["shocks"][key] for key in shocks_in(configuration)}:
        world["shocks"] = struck
    return hashlib.blake2b(json.dumps([world, active], sort_keys=True).encode(), digest_size=16).hexdigest()


def _effects(place: Path) -> pd.DataFrame:
    """Return the effects of a point on defects reaching users in total, with what government paid."""
    total = [("outcome", "==", HEADLINE), ("by", "==", "total")]
    effects = pd.read_parquet(place / READ[0], filters=total)
    costs = pd.read_parquet(place / READ[1], filters=[("payer", "==", "government")])[["arm", "cost", "ratio", "ratio_low", "ratio_high"]]
    return effects.merge(costs, on="arm", how="left")[list(EFFECTS)]


# -- tables -------------------------------------------------------------------------------------------------


def summary_of_points(sweep: Sweep) -> pd.DataFrame:
    """Return a row per point: the swept settings, for every arm that they can touch its figures, replicates, and the error if it failed.

    The figures of an arm have columns called ``FIGURE: ARM``: the effect on defects reaching users, % of the reference, with its interval
    and conclusion; what government paid over the whole run beyond the reference, CNY; and that per CNY of sales with a defect that were
    avoided, with its interval, where it is defined.
    """
    table = pd.DataFrame({"point": [point.number for point in sweep.points]})
    for key in sweep.swept:
        typed = [point.values[key] for point in sweep.points]
        table[key] = pd.to_numeric(pd.Series(typed)) if numeric(typed) else typed
    columns = ("effect_share", "effect_share_low", "effect_share_high", "conclusion", "cost", "ratio", "ratio_low", "ratio_high")
    parts = []
    for arm in sweep.touched:
        rows = sweep.effects[sweep.effects["arm"] == arm].set_index("point").reindex(table["point"])
        shown = {f"{name}: {arm}": rows[column].to_numpy() for name, column in zip(FIGURES, columns, strict=True)}
        parts.append(pd.DataFrame({name: 100.0 * values if name.startswith(FIGURES[0]) else values for name, values in shown.items()}))
    replicates = {point.number: point.about["replicates"] for point in sweep.finished}
    ends = pd.DataFrame({"replicates": table["point"].map(replicates).astype("Int64"), "error": [point.error for point in sweep.points]})
    return pd.concat([table, *parts, ends], axis=1)


def tables_of_points(folder: Path, sweep: Sweep) -> tuple[int, Iterator[pd.DataFrame]]:
    """Return the rows of all effects of all points, and the tables that hold them, one by one; a point that failed is one row."""
    whole = {point.number: folder / str(point.number) / READ[0] for point in sweep.finished}
    rows = sum(pq.read_metadata(path).num_rows for path in whole.values()) + len(sweep.points) - len(whole)
    names = list(pq.read_schema(next(iter(whole.values()))).names) if whole else []

    def tables() -> Iterator[pd.DataFrame]:
        for point in sorted(sweep.points, key=lambda one: one.error is not None):
            table = pd.read_parquet(whole[point.number]) if point.error is None else pd.DataFrame(index=[0], columns=names)
            ends = {"point": point.number, **{key: point.values[key] for key in sweep.swept}, "error": point.error}
            yield table.assign(**ends)[["point", *sweep.swept, *names, "error"]]

    return rows, tables()
