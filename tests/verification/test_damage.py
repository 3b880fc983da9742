"""No damage to a kept file is silent: bits are turned over in files of every kind, and each time it is said or mended."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

import pytest

from experiments import compare
from experiments.calibration.observe import Observed, observe_all
from experiments.commands.verification import problems, studies_in
from experiments.configuration.settings import Parallel, compose_settings, read_settings
from experiments.reports.comparison import present
from experiments.runs.measure import EXTRAS
from experiments.runs.store import Store
from tests.support.size import at_size

pytestmark = pytest.mark.verification

FLIPS = at_size(150, 1_500)
TINY = ("region=sample", "network=synthetic", "network.firms=30", "replicates=2", "months=4", "window=2", "burn_in=2", "parallel=serial")
ARMS = "study.arms={nothing: ['instruments=[]'], cqo: ['instruments=[cqo]']}"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A study with everything that can be kept of it, its runs, and an observed world."""
    folder = tmp_path_factory.mktemp("kept") / "results"
    comparison = compare(*TINY, ARMS, "save=[groups,series,firms]", keep=folder / "runs")
    present(comparison, folder / "study")
    world = read_settings(compose_settings([*TINY])).world
    observe_all([world], [(1, 2)], Parallel(backend="sequential"), keep=folder / "runs")
    return folder


def kinds(folder: Path) -> dict[str, list[Path]]:
    """Every kept file, by its kind: the suffix, in the study and among the runs."""
    sorted_out: dict[str, list[Path]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        sorted_out.setdefault(f"{path.parent.name}/{''.join(path.suffixes[-2:]) or path.name}", []).append(path)
    return sorted_out


def test_every_kind_of_file_is_among_those_that_are_damaged(results):
    assert {
        "study/.csv", "study/.parquet", "study/.png", "study/.html", "study/.json", "study/SHA256SUMS", "runs/.npz", "runs/.observed",
        "runs/.series.parquet", "runs/.firms.parquet",
    } <= set(kinds(results))  # fmt: skip


def test_no_bit_that_turns_over_is_silent(results, tmp_path):
    """`strongchain verify` says it, whatever the file and the bit."""
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    whole = [problem for study in studies_in(folder) for problem in problems(study)]
    assert not whole
    draw = random.Random(1_500)
    files = kinds(folder)
    silent = []
    for number in range(FLIPS):
        path = draw.choice(files[draw.choice(sorted(files))])
        content = path.read_bytes()
        at = draw.randrange(8 * len(content))
        damaged = bytearray(content)
        damaged[at // 8] ^= 1 << at % 8
        path.write_bytes(damaged)
        if not any(problems(path.parent)):
            silent.append(f"flip {number}: bit {at} of {path.name}")
        path.write_bytes(content)
    assert not silent


def test_a_damaged_run_or_table_of_a_run_never_comes_back_changed(results, tmp_path, capsys):
    """What a study reads of kept runs is what was kept, or nothing; then it is simulated again."""
    folder = tmp_path / "runs"
    shutil.copytree(results / "runs", folder)
    keys = sorted(path.stem for path in folder.glob("*.npz"))
    draw = random.Random(301)
    for _ in range(FLIPS):
        key = draw.choice(keys)
        store = Store(folder)
        path = draw.choice([store.path(key), *(store.extra(key, kind) for kind in EXTRAS)])
        content = path.read_bytes()
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(draw.choice([bytes(damaged), content[: draw.randrange(len(content))]]))
        assert store.get(key, "a", 1, tuple(EXTRAS)) is None, path.name
        path.write_bytes(content)
    assert "is damaged (" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut off", "a bit", "gone", "another's"])
@pytest.mark.parametrize("kind", [".npz", ".series.parquet"])
def test_what_is_damaged_is_simulated_again_and_the_tables_are_the_same(results, tmp_path, capsys, kind, damage):
    folder = tmp_path / "runs"
    shutil.copytree(results / "runs", folder)
    path, other = sorted(folder.glob(f"*{kind}"))[:2]
    content = path.read_bytes()
    match damage:
        case "cut off":
            path.write_bytes(content[: len(content) // 2])
        case "a bit":
            path.write_bytes(bytes([*content[:99], content[99] ^ 4, *content[100:]]))
        case "gone":
            path.unlink()
        case _:
            path.write_bytes(other.read_bytes())
    mended = compare(*TINY, ARMS, "save=[groups,series,firms]", keep=folder)
    mended.save(tmp_path / "study")
    for table in sorted((results / "study").glob("*.parquet")):
        if not table.name.startswith(("quality_map", "links_")):
            assert hashlib.sha256(table.read_bytes()).digest() == hashlib.sha256((tmp_path / "study" / table.name).read_bytes()).digest()
    assert path.read_bytes() == content, "it is kept as it was"
    printed = capsys.readouterr().err
    assert printed.count("is damaged (") == (0 if damage == "gone" and kind == ".npz" else 1), printed


def test_a_damaged_observation_is_made_again(results, tmp_path, capsys):
    folder = tmp_path / "runs"
    shutil.copytree(results / "runs", folder)
    (path,) = folder.glob("*.observed")
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    (again,) = observe_all([read_settings(compose_settings([*TINY])).world], [(1, 2)], Parallel(backend="sequential"), keep=folder)
    assert isinstance(again, Observed) and path.read_bytes() == content
    assert "is damaged (" in capsys.readouterr().err
