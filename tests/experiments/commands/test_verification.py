"""The verb ``verify``: what is damaged is said, file by file, and what is whole, too."""

from __future__ import annotations

import json
import shutil

import pytest

from experiments import compare, load
from experiments.analysis.results import table_hash
from experiments.commands.verification import main
from experiments.runs.files import SUMS
from experiments.runs.manifests import MANIFEST, write_manifest
from experiments.runs.ownership import claim

pytestmark = pytest.mark.study

TINY = ("region=sample", "network=synthetic", "network.firms=30", "replicates=2", "months=3", "window=2", "burn_in=2", "policy=none")


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    compare(*TINY, "parallel=serial", "save=[series]", keep=folder / "runs").save(folder / "study")
    return folder


def verified(folder, capsys) -> tuple[int, list[str], list[str]]:
    capsys.readouterr()
    status = main(folder)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    return status, [line for line in lines if line[0] != " "], [line for line in lines if line[0] == " "] or printed.err.splitlines()


def test_what_is_whole_is_said(results, capsys):
    status, lines, problems = verified(results, capsys)
    assert (status, len(lines), problems) == (0, 2, [])
    assert all("as they were written" in line for line in lines)


def test_every_damage_is_said(results, capsys):
    study = results / "study"
    (study / "effects.csv").write_bytes((study / "effects.csv").read_bytes() + b"\n")
    (study / "pairs.parquet").unlink()
    run = next((results / "runs").glob("*.npz"))
    run.write_bytes(run.read_bytes()[:-1])
    series = next(path for path in (results / "runs").glob("*.series.parquet") if not path.name.startswith(run.stem))
    series.unlink()
    status, lines, problems = verified(results, capsys)
    assert status == 1 and all("2 problems" in line for line in lines)
    for path in (study / "effects.csv", study / "pairs.parquet", run, series):
        assert any(str(path) in problem for problem in problems), path
    (study / SUMS).unlink()
    assert "is missing" in verified(study, capsys)[2][0]


def test_a_list_that_was_cut_off_is_said(results, capsys):
    study = results / "study"
    lines = (study / SUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    for kept in ([], [line for line in lines if "effects" not in line]):
        (study / SUMS).write_text("".join(kept), encoding="utf-8")
        status, _, problems = verified(study, capsys)
        assert status == 1 and any("effects.csv is not in SHA256SUMS" in problem for problem in problems)


def test_a_study_that_is_called_like_a_run_hides_no_other(results, capsys):
    (results / "study").rename(results / "x.npz")
    (results / "x.npz" / "effects.csv").write_bytes(b"")
    status, lines, problems = verified(results, capsys)
    assert status == 1 and len(lines) == 2 and "effects.csv was changed" in problems[0]


def test_what_lies_deeper_is_checked_too(results, capsys):
    inner = results / "study" / "0_rerun"
    shutil.copytree(results / "study", inner)
    (inner / "effects.csv").write_bytes(b"")
    status, _, problems = verified(results / "study", capsys)
    assert status == 1 and str(inner / "effects.csv") in problems[0]


def test_a_manifest_that_names_another_result_is_said_even_if_every_checksum_is_right(results, capsys):
    about = json.loads((results / "study" / MANIFEST).read_text(encoding="utf-8"))
    assert about["result"] == table_hash(load(results / "study").runs)
    write_manifest(about | {"result": "0" * 64}, results / "study")
    status, _, problems = verified(results / "study", capsys)
    assert status == 1 and "is not the one that the manifest names" in problems[0]


def test_what_is_not_finished_is_no_damage(results, capsys):
    owned = claim(results / "begun", "study", "0123456789ab")
    status, lines, _ = verified(results, capsys)
    assert status == 0 and any("not finished" in line for line in lines)
    owned.end()


def test_nothing_to_check_is_one_line(tmp_path, capsys):
    status, lines, problems = verified(tmp_path, capsys)
    assert (status, lines) == (1, []) and "holds no study" in problems[0]
    assert "there is no folder" in verified(tmp_path / "gone", capsys)[2][0]
