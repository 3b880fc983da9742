"""A store of runs: one file a run, under a key made of all that the run's figures depend on.

Studies share it, so that "nothing" is simulated once for all of them, and a study that was interrupted goes
on where it stopped. A file is written under a temporary name and renamed when it is whole: none is ever torn. Every
file has a checksum: that of a run in the file itself, those of the tables saved with it in the head of the run. What is damaged
counts as missing, and is simulated again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import io
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.configuration.settings import Arm, Task
from experiments.languages.wording import say
from experiments.runs.files import Damaged, digest, sealed, unsealed, write_whole
from experiments.runs.measure import EXTRAS, MapPicture, Run
from sim.attribution.quality_map import QualityMap

__all__ = ["CODE", "Store", "StoreError", "fingerprint", "plain", "run_keys"]

#: Changes when what a file holds does.
FORMAT = 6
#: Seconds after which an unfinished file is taken as abandoned.
ABANDONED = 86_400.0
#: What unfinished files of a store are called: nothing else is cleared away.
UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.(npz|observed|[a-z]+\.parquet)\.\d+\.[0-9a-f]{8}\.part")
_ARRAYS = ("window", "cumulative", "series", "origins")
_PICTURE = ("names", "tier", "supplier", "customer")
_MAP = ("loss", "marginal", "link_loss", "link_begun", "to_users")


class StoreError(OSError):
    """A run cannot be kept: where, why, and what then."""


# -- keys --------------------------------------------------------------------------------------------


def fingerprint(places: Iterable[Path]) -> str:
    """Hash some Python files and those below some folders (path and bytes), and the versions of NumPy and SciPy."""
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            code = path.read_bytes()
            digest.update(f"{place.name}/{path.relative_to(place).as_posix()} {len(code)}\n".encode() + code)
    digest.update(" ".join(importlib.metadata.version(name) for name in ("numpy", "scipy")).encode())
    return digest.hexdigest()


#: Of the code that makes a run's figures, as it was imported: what is edited while a notebook is open must not pass for what has run.
CODE = fingerprint(
    Path(__file__).resolve().parents[2] / name
    for name in (
        "agents",
        "sim",
        *(f"experiments/{part}.py" for part in ("runs/measure", "configuration/schema", "configuration/settings")),
    )
)


def plain(value: Any) -> Any:
    """What JSON cannot write, as what it can: settings by their fields but for notes, arrays by type, shape and a hash of their bytes.

    Notes are for people. They name files, and no figure depends on them.
    """
    if dataclasses.is_dataclass(value):
        return {"kind": type(value).__name__, **{f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.name != "notes"}}
    if isinstance(value, np.ndarray):
        return [value.dtype.str, list(value.shape), hashlib.sha256(value.tobytes()).hexdigest()]
    raise TypeError(f"{value!r} has no canonical form")


def run_keys(arms: Sequence[Arm], keys: Sequence[tuple[int, int]], task: Task, code: str = CODE) -> list[list[str]]:
    """Return the key of every run, by replicate, then arm: a hash of all that its figures depend on.

    The arm's name, the order of its instruments and shocks, what is saved in addition, and the number of workers are not among
    it. A network counts by the bytes of its files (not by their names), and by what was read from them.

    Raises
    ------
    StoreError
        If an arm has an instrument or a shock from outside `sim`, whose code the fingerprint does not cover.
    """
    texts = []
    for arm in arms:
        own = [*(("instrument", type(ins), ins.key) for ins in arm.instruments), *(("shock", type(one), one.key) for one in arm.shocks)]
        for what, cls, key in own:
            if not cls.__module__.startswith("sim."):
                raise StoreError(
                    f"arm {arm.name!r} has the {what} {key!r} from {cls.__module__}, outside sim/: changes of its code "
                    f"cannot be noticed, so its runs cannot be kept; put it into sim/{what}s, or keep nothing (keep=None)"
                )
        policy = sorted(arm.instruments, key=lambda ins: ins.key)
        world = dataclasses.replace(arm.world, files=tuple(("", content) for _, content in arm.world.files))
        content = [FORMAT, code, world, policy, task.months, task.window, list(task.by), task.check]
        if arm.shocks:  # an arm without them has the key that it always had
            content.append([[shock.key, shock] for shock in sorted(arm.shocks, key=lambda shock: shock.key)])
        texts.append(json.dumps(content, default=plain, sort_keys=True))
    return [[hashlib.sha256(f"{text}{list(key)}".encode()).hexdigest() for text in texts] for key in keys]


# -- files -------------------------------------------------------------------------------------------


def _pack(key: str, run: Run, extras: Mapping[str, str]) -> bytes:
    """Write a run as two arrays, and four times as many for a picture: opening one costs more than what is in it.

    `extras` are the checksums of the tables that are saved with it.
    """
    arrays = [np.asarray(getattr(run, name), dtype=np.float64) for name in _ARRAYS]
    head: dict[str, Any] = {"format": FORMAT, "outcomes": run.outcomes, "groups": run.groups, "spent": run.spent}
    head |= {"counts": run.counts, "extras": dict(extras)}
    head["payments"] = [[*flow, amount] for flow, amount in run.payments.items()]
    head["shapes"] = [array.shape for array in arrays]
    members = {"values": np.concatenate([array.ravel() for array in arrays])}
    if run.picture is not None:
        head["total"] = run.picture.map.total
        members |= {name: getattr(run.picture, name) for name in _PICTURE} | {name: getattr(run.picture.map, name) for name in _MAP}
        members["table"] = np.frombuffer(run.picture.table.to_parquet(index=False), dtype=np.uint8)
    members["head"] = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    whole = io.BytesIO()
    np.savez(whole, allow_pickle=False, **members)
    return sealed(whole.getvalue(), key)


def _members(data: bytes, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays of a file and its head, if it is whole and of the run of this key."""
    with np.load(io.BytesIO(unsealed(data, key)), allow_pickle=False) as file:
        members = {name: file[name] for name in file.files}
    head = json.loads(members["head"].tobytes())
    if head["format"] != FORMAT:
        raise ValueError("it is of another version")
    return members, head


def _unpack(members: Mapping[str, Any], head: Mapping[str, Any], arm: str, replicate: int) -> Run:
    picture = None
    if "total" in head:
        quality_map = QualityMap(**{name: members[name] for name in _MAP}, total=head["total"])
        table = pd.read_parquet(io.BytesIO(members["table"].tobytes()))
        picture = MapPicture(**{name: members[name] for name in _PICTURE}, map=quality_map, table=table)
    ends = np.cumsum([math.prod(shape) for shape in head["shapes"]])
    parts = np.split(members["values"], ends[:-1])
    arrays: dict[str, Any] = {name: part.reshape(shape) for name, part, shape in zip(_ARRAYS, parts, head["shapes"], strict=True)}
    groups = tuple((by, group) for by, group in head["groups"])
    payments = {(why, payer, payee): amount for why, payer, payee, amount in head["payments"]}
    payments_and_counts: dict[str, Any] = {"spent": head["spent"], "payments": payments, "counts": head["counts"]}
    return Run(arm, replicate, tuple(head["outcomes"]), groups, **arrays, picture=picture, **payments_and_counts)


@dataclass(frozen=True)
class Store:
    """A folder of runs, shared by studies and by processes."""

    folder: Path
    _reported: set[str] = field(default_factory=set, compare=False)

    def path(self, key: str) -> Path:
        """Where the run of a key is kept."""
        return self.folder / f"{key}.npz"

    def extra(self, key: str, kind: str) -> Path:
        """Where what else was asked for of a run is kept, as a table: one of `EXTRAS`."""
        return self.folder / f"{key}.{kind}.parquet"

    def has(self, key: str, save: Sequence[str] = ()) -> bool:
        """Whether there is a file of a run, and of all that is to be saved of it."""
        return self.path(key).exists() and all(self.extra(key, kind).exists() for kind in save if kind in EXTRAS)

    def get(self, key: str, arm: str, replicate: int, save: Sequence[str] = ()) -> Run | None:
        """Return the run of a key under the name of an arm, or None where there is none, or none that can be used.

        A file that is damaged or not ours counts as missing, and this is reported once; so does a table that is to be saved of
        the run. The first replicate needs its picture.
        """
        try:
            data = self.path(key).read_bytes()
        except OSError:
            return None
        try:
            members, head = _members(data, key)
            run = _unpack(members, head, arm, replicate)
            listed = head["extras"]
        except Exception as damage:  # any damage can raise any error
            self._report(key, self.path(key), damage)
            return None
        for kind in (kind for kind in save if kind in EXTRAS):
            if kind not in listed:  # saved of it by nobody yet
                return None
            try:
                if digest(self.extra(key, kind).read_bytes()) != listed[kind]:
                    raise Damaged("its checksum is not that of its content")
            except (OSError, Damaged) as damage:
                self._report(key, self.extra(key, kind), damage)
                return None
        return run if replicate or run.picture else None

    def _report(self, key: str, path: Path, damage: Exception) -> None:
        """Say once of a run that it is simulated again, because a file of it is damaged."""
        if key not in self._reported:
            self._reported.add(key)
            print(say("progress.damaged", path=path, damage=damage), file=sys.stderr)

    def damages(self) -> list[str]:
        """Say which runs, tables saved with them and observations are damaged or missing."""
        wrong = []
        for path in sorted(self.folder.glob("*.npz")):
            try:
                _, head = _members(path.read_bytes(), path.stem)
                extras = {self.extra(path.stem, kind): checksum for kind, checksum in head["extras"].items()}
            except Exception as damage:  # any damage can raise any error
                wrong.append(say("verify.unreadable", path=path, damage=damage))
                continue
            for extra, checksum in extras.items():
                if not extra.is_file():
                    wrong.append(say("verify.missing", path=extra))
                elif digest(extra.read_bytes()) != checksum:
                    wrong.append(say("verify.changed", path=extra))
        for path in sorted(self.folder.glob("*.observed")):
            try:
                unsealed(path.read_bytes(), path.stem)
            except (OSError, Damaged) as damage:
                wrong.append(say("verify.unreadable", path=path, damage=damage))
        return wrong

    def put(self, key: str, run: Run, extras: Mapping[str, pd.DataFrame] | None = None) -> None:
        """Store a run, after the tables that are saved with it: either all of it is stored, or nothing.

        Tables of other kinds that another study has saved of it stay with it.

        Raises
        ------
        StoreError
            If the disk is full, the folder cannot be written, …
        """
        checksums = self._saved(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for kind, table in (extras or {}).items():
                content = table.to_parquet(index=False, compression="zstd")
                checksums[kind] = digest(content)
                write_whole(self.extra(key, kind), content)
            write_whole(self.path(key), _pack(key, run, checksums))
        except OSError as trouble:
            raise self._refusal(trouble.strerror or str(trouble)) from trouble

    def _saved(self, key: str) -> dict[str, str]:
        """Checksums of the tables that were saved of a run before; none if its file cannot be used."""
        try:
            return dict(_members(self.path(key).read_bytes(), key)[1]["extras"])
        except Exception:  # there is none, or it is damaged: any damage can raise any error
            return {}

    def forget(self, keys: Iterable[str]) -> None:
        """Remove the runs of some keys, with what was saved of them, and the folder if nothing else is in it."""
        for key in keys:
            for path in (self.path(key), *(self.extra(key, kind) for kind in EXTRAS)):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def prepare(self) -> None:
        """Clear away what killed processes left unfinished, and see whether runs can be kept, before any is simulated.

        Raises
        ------
        StoreError
            If they cannot.
        """
        nearest = next(path for path in (self.folder.absolute(), *self.folder.absolute().parents) if path.exists())
        if not nearest.is_dir():
            raise self._refusal(f"{nearest} is a file; it must be a folder")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise self._refusal(f"{nearest} cannot be written")
        for part in self.folder.glob(".*.part"):
            with contextlib.suppress(OSError):
                if UNFINISHED.fullmatch(part.name) and time.time() - part.lstat().st_mtime > ABANDONED:
                    part.unlink()

    def _refusal(self, why: str) -> StoreError:
        return StoreError(f"cannot keep runs in {self.folder}: {why}; runs kept before are whole, and the same command goes on from them")
