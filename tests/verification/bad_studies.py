"""Mutated manifests, tables and kept runs of a small study, read by its rerun, by the list of results, or by a study that goes on."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tests.support.fuzzing import BASE, TINY, Desk, Try
from tests.support.mutations import mutated_bytes, nasty

__all__ = ["study_tries"]

STUDY = [*TINY, "name=study"]
FOLDER = "desk/results/study"
#: What takes the place of any value of a manifest.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 3, 2.5, 1e308, -(10**30), 10**4000, float("nan"), float("inf"), "", "x", "../../outside/evil",
    f"{BASE}/outside/evil", "${oc.env:SECRET_TOKEN}", "${seed}", "${nowhere}", "???", [], {}, [[]], [None], {"a": 1}, {"": None},
    {"_target_": "os.abort"}, ["name=../evil"], ["hydra.run.dir=../evil"], "\x1b[2J", "\u202e", "\x00", "\ud800", "a" * 100_000,
    {"kind": "file", "path": "/dev/zero"},
)  # fmt: skip
#: What is typed.
COMMANDS = (
    ["rerun", "results/study"], ["rerun", "results/study"], ["rerun", "results/study"], ["rerun", "results/study", "--replicate", "1"],
    ["rerun", "results/study", "--replicate", "2", "--arm", "nothing"], ["rerun", "results/study", "--replicate", "99999999999999999999"],
    ["rerun", "results/study/"], ["rerun", "results/../results/study"], ["rerun", "./results/./study"],
    ["rerun", "results/study/manifest.json"], ["rerun", "results"], ["rerun", "."], ["rerun", "/"], ["rerun", ""], ["results"],
    ["verify"], ["verify", "results/study"], ["release", "results/study"], ["results"], ["results", "results/study"],
    ["results", "results/study/manifest.json"], ["results", "."], ["results", ".."],
)  # fmt: skip


class Pickled:
    """Makes a folder where it is read as a pickle."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        import os

        return os.mkdir, ("../evil",)


def _npz(**arrays: Any) -> bytes:
    made = io.BytesIO()
    np.savez(made, **arrays)
    return made.getvalue()


def _parquet(table: pd.DataFrame) -> bytes:
    made = io.BytesIO()
    table.to_parquet(made)
    return made.getvalue()


def _places(about: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place of a manifest, the short paths too."""
    inner = about.items() if isinstance(about, dict) else enumerate(about) if isinstance(about, list) else ()
    return [found for key, value in inner for found in [(*path, key), *_places(value, (*path, key))]]


def _manifest(raw: bytes, draw: random.Random, told: list[str]) -> bytes:
    """Change, remove, rename or add something in a manifest, most often near the top."""
    about = json.loads(raw)
    for _ in range(draw.choice((1, 1, 2))):
        places = _places(about)
        path = draw.choice([place for place in places if len(place) <= draw.choice((1, 2, 3, 9))] or [("x",)])
        holder = about
        for key in path[:-1]:
            holder = holder[key]
        how = draw.choice(("changed", "changed", "changed", "strange", "removed", "renamed", "doubled", "added"))
        told.append(f"{'.'.join(map(str, path))} {how}")
        match how:
            case "changed":
                holder[path[-1]] = draw.choice(VALUES)
            case "strange":
                holder[path[-1]] = nasty(draw)
            case "removed":
                del holder[path[-1]]
            case "renamed" if isinstance(holder, dict):
                holder[nasty(draw)[:1_000]] = holder.pop(path[-1])
            case "doubled":
                holder[path[-1]] = [holder[path[-1]]] * 2
            case _ if isinstance(holder, dict):
                holder[draw.choice(("_target_", "kind", "name", "hydra", "failed", "arms", "", "path"))] = draw.choice(VALUES)
    return json.dumps(about, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")


def _text(raw: bytes, draw: random.Random, told: list[str]) -> bytes:
    """Take the manifest for another text."""
    odd = {
        "deep": b"[" * 100_000, "deep names": b'{"a":' * 50_000, "a list": b"[]", "a number": b"3", "a text": b'"x"', "null": b"null",
        "NaN": b"NaN", "twice": raw + raw, "twice the key": raw.replace(b'"arms"', b'"id": 1, "arms"', 1), "comments": b"// x\n" + raw,
        "no manifest": b"{}", "a long number": b'{"replicates": ' + b"9" * 6_000 + b"}", "only arms": b'{"arms": {"a": {}}}',
        "names as lists": b'{"configuration": [], "arms": [], "overrides": {}}',
    }  # fmt: skip
    name = draw.choice(list(odd))
    told.append(name)
    return odd[name]


def _table(raw: bytes, draw: random.Random, told: list[str]) -> bytes:
    """Change a table, so that it can be read but does not hold what it should."""
    table = pd.read_parquet(io.BytesIO(raw))
    column = draw.choice(list(table.columns))
    ways: dict[str, Callable[[], pd.DataFrame]] = {
        "no rows": lambda: table.iloc[:0],
        "no columns": lambda: table[[]],
        "a column lost": lambda: table.drop(columns=column),
        "a column of texts": lambda: table.assign(**{column: "x"}),
        "a column of nothing": lambda: table.assign(**{column: None}),
        "a column of lists": lambda: table.assign(**{column: [[1]] * len(table)}),
        "a column of times": lambda: table.assign(**{column: pd.Timestamp("2026-01-01")}),
        "a column of no numbers": lambda: table.assign(**{column: float("nan")}),
        "a column renamed": lambda: table.rename(columns={column: nasty(draw)[:500]}),
        "rows twice": lambda: pd.concat([table, table]),
        "rows turned": lambda: table.iloc[::-1],
        "another index": lambda: table.set_index(column),
    }
    name = draw.choice(list(ways))
    told.append(f"{column}: {name}")
    return _parquet(ways[name]())


def study_tries(desk: Desk) -> Callable[[random.Random], Try]:
    """Return what makes a try from random numbers."""
    made = desk.run(Try(STUDY, left=True))
    assert made.status == 0 and not made.wrong, (made.stderr, made.wrong)
    study = {name: raw for name, raw in made.left.items() if "/" not in name}
    runs = {name: raw for name, raw in made.left.items() if name.startswith("runs/")}
    assert "manifest.json" in study and len(runs) == 2

    def kept_runs(draw: random.Random, told: list[str]) -> Try:
        """A study finds runs that were kept, and some of them were changed."""
        told.append("kept runs")
        files = dict(runs)
        name = draw.choice(list(files))
        with np.load(io.BytesIO(files[name])) as kept:
            arrays = {key: kept[key] for key in kept.files}
        key = draw.choice(list(arrays))
        odd: dict[str, Callable[[], bytes]] = {
            "bytes": lambda: mutated_bytes(files[name], draw, told),
            "pickled": lambda: _npz(**{**arrays, key: np.array([Pickled()], dtype=object)}),
            "an array lost": lambda: _npz(**{other: array for other, array in arrays.items() if other != key}),
            "an array of texts": lambda: _npz(**{**arrays, key: np.array(["x"])}),
            "no numbers": lambda: _npz(**{**arrays, key: np.full_like(arrays[key], np.nan, dtype=np.float64)}),
            "another shape": lambda: _npz(**{**arrays, key: np.zeros((3, 0, 2))}),
            "nothing": lambda: _npz(),
            "the other run": lambda: next(raw for other, raw in files.items() if other != name),
        }
        way = draw.choice(list(odd))
        told.append(way)
        files[name] = odd[way]()
        return Try(STUDY, {f"desk/results/{name}": raw for name, raw in files.items()}, told=told)

    def make(draw: random.Random) -> Try:
        told: list[str] = []
        if draw.random() < 0.06:
            return kept_runs(draw, told)
        files = dict(study)
        links: dict[str, str] = {}
        folder, command = FOLDER, list(draw.choice(COMMANDS))
        match draw.randrange(12):
            case 0 | 1 | 2 | 3 | 4:
                files["manifest.json"] = _manifest(files["manifest.json"], draw, told)
            case 5:
                files["manifest.json"] = _text(files["manifest.json"], draw, told)
            case 6:
                files["manifest.json"] = mutated_bytes(files["manifest.json"], draw, told)
            case 7:
                name = draw.choice([name for name in files if name.endswith(".parquet")])
                told.append(name)
                files[name] = _table(files[name], draw, told)
            case 8:
                name = draw.choice([name for name in files if name.endswith(".parquet")])
                told.append(name)
                files[name] = mutated_bytes(files[name], draw, told)
            case 9:
                name = draw.choice(list(files))
                told.append(f"{name} lost")
                del files[name]
            case 10:
                name = draw.choice(list(files))
                odd = draw.choice((f"{BASE}/outside/thesis.txt", "nowhere", name, "/dev/null", "..", "/proc/self/environ", "/dev/zero"))
                told.append(f"{name} linked to {odd}")
                del files[name]
                links[f"{folder}/{name}"] = odd
            case _:
                other = draw.choice(
                    (
                        "results/study_rerun",
                        "results/study_replicate_1",
                        "results/study_replicate_1/nothing",
                        "results/study_rerun/manifest.json",
                        "results/study_rerun/runs",
                    )
                )
                told.append(f"{other} is there already")
                links[f"desk/{other}"] = draw.choice((f"{BASE}/outside/folder", f"{BASE}/outside/not-yet", f"{BASE}/outside/thesis.txt"))
        if draw.random() < 0.08:  # of a sweep
            told.append("a point of a sweep")
            point = draw.choice(("0", "1", "00", "٣", "²", "999999999999999999999999"))
            folder = f"{FOLDER}/{point}"
            links = {path.replace(FOLDER, folder): target for path, target in links.items()}
        return Try(command, {f"{folder}/{name}": raw for name, raw in files.items()}, links, told)

    return make
