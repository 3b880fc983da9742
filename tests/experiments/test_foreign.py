"""What others hold is neither executed, nor written, nor deleted: each of these once ended in damage."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT, TABLES_ALONE

pytestmark = pytest.mark.study

SMALL = (
    "region=sample", "network=synthetic", "network.firms=30", "replicates=2", "months=2", "window=1", "burn_in=1", "parallel=serial",
    TABLES_ALONE,
)  # fmt: skip
ARMS = "study.arms={nothing:['instruments=[]']}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of the packages, into whose configs/ files are put."""
    copy = tmp_path_factory.mktemp("copy")
    for package in ("agents", "sim", "experiments", "configs"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def desk(tmp_path) -> Path:
    """A working folder beside somebody else's things."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("three years of work", encoding="utf-8")
    return tmp_path / "desk"


def kept(desk: Path) -> dict[str, str]:
    """Everything of somebody else's, with its content."""
    foreign = desk.parent / "foreign"
    return {path.relative_to(foreign).as_posix(): path.read_text(encoding="utf-8") for path in foreign.rglob("*") if path.is_file()}


def typed(desk: Path, *arguments: str, tree: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the application in a folder."""
    around = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}
    around |= {"PYTHONPATH": str(tree), "PYTHONIOENCODING": "utf-8", **environment}
    command = [sys.executable, "-m", "experiments.run", *arguments]
    return subprocess.run(command, cwd=desk, env=around, capture_output=True, encoding="utf-8", timeout=120, check=False)


def refused(done: subprocess.CompletedProcess[str], expected: str) -> None:
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    first, *others = done.stderr.splitlines()
    assert first.startswith("strongchain: ") and expected in done.stderr
    assert len(others) == (int(first.split()[1]) if "mistakes;" in first else 0)


class Evil:
    """What leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


#: What Hydra did when a file that came in by its plain name said so.
NODES = {
    "unpickles": "hydra: {callbacks: {x: {_target_: joblib.load, filename: ../foreign/evil.pickle}}}",
    "empties a file": "hydra: {job_logging: {handlers: {f: {class: logging.FileHandler, filename: ../foreign/thesis.txt, mode: w}}}}",
    "writes into a folder": "hydra: {run: {dir: ../foreign}}",
}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_a_file_of_the_configuration_makes_hydra_do_nothing(node, tree, desk):
    mark = desk / "mark"
    with (desk.parent / "evil.pickle").open("wb") as file:
        pickle.dump(Evil(mark), file)
    shutil.move(desk.parent / "evil.pickle", desk / "evil.pickle")
    (tree / "configs" / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults: [zz_sub, _self_]\n", encoding="utf-8")
    below = f"# @package _global_\n{node.replace('../foreign/evil.pickle', 'evil.pickle')}\n"
    (tree / "configs" / "experiment" / "zz_sub.yaml").write_text(below, encoding="utf-8")
    before = kept(desk)
    refused(typed(desk, *SMALL, ARMS, "+experiment=mine", "name=x", tree=tree), "hydra")
    assert kept(desk) == before and not mark.exists() and not (desk / "results").exists()


def test_a_file_that_is_chosen_by_default_makes_hydra_do_nothing_either(tree, desk):
    """It is in every composition, so no composition of ours can be what it is held against."""
    chosen = tree / "configs" / "region" / "liaoning.yaml"
    whole = chosen.read_text(encoding="utf-8")
    chosen.write_text(f"defaults: [/policy/zz_evil@_global_, _self_]\n{whole}", encoding="utf-8")
    evil = tree / "configs" / "policy" / "zz_evil.yaml"
    evil.write_text(f"{NODES['empties a file']}\n", encoding="utf-8")
    before = kept(desk)
    try:
        refused(typed(desk, *SMALL[1:], ARMS, "name=x", tree=tree), "hydra.job_logging")
    finally:
        chosen.write_text(whole, encoding="utf-8")
        evil.unlink()
    assert kept(desk) == before and not (desk / "results").exists()


def test_nothing_of_the_environment_comes_into_a_report(tree, desk):
    below = "# @package _global_\nportfolio: {label: '${oc.env:SECRET_TOKEN}'}\n"
    (tree / "configs" / "policy" / "mine.yaml").write_text("# @package _global_\ndefaults: [zz_sub, _self_]\n", encoding="utf-8")
    (tree / "configs" / "policy" / "zz_sub.yaml").write_text(below, encoding="utf-8")
    for arguments in (["policy=mine"], ["portfolio.label=${oc.env:SECRET_TOKEN}"], ["name=${oc.env:SECRET_TOKEN}"]):
        done = typed(desk, *SMALL, ARMS, *arguments, tree=tree, SECRET_TOKEN="0xC0FFEE")
        refused(done, "it refers to 'oc.env:SECRET_TOKEN'")
        assert "0xC0FFEE" not in done.stdout + done.stderr
    assert not (desk / "results").exists()


def test_a_name_that_leads_elsewhere_deletes_nothing(desk):
    before = kept(desk)
    for name in ("${portfolio.label}", "a_${portfolio.label}"):
        refused(typed(desk, *SMALL, ARMS, f"name={name}", "portfolio.label=../../foreign"), "name is ")
    refused(typed(desk, *SMALL, ARMS, "hydra.run.dir=../foreign"), "is not empty, and no claim in it")
    refused(typed(desk, "-m", *SMALL, ARMS, "hydra.sweep.dir=../foreign", "seed=1,2"), "is not empty, and no claim in it")
    refused(typed(desk, *SMALL, ARMS, "name=x", "months=2", "study.reference=gone"), "there is no such arm")
    assert kept(desk) == before and not (desk / "results").exists()


def test_a_name_may_refer_to_a_setting(desk):
    done = typed(desk, *SMALL, ARMS, "name=${months}_months", "quiet=true")
    assert done.returncode == 0, done.stderr
    about = json.loads((desk / "results" / "2_months" / "manifest.json").read_text(encoding="utf-8"))
    assert "name='2_months'" in about["overrides"]
    assert not list((desk / "results" / "2_months").glob("*.png")) and not (desk / "results" / "2_months" / "report.html").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The results of a study that was run once."""
    desk = tmp_path_factory.mktemp("finished")
    done = typed(desk, *SMALL, ARMS, "name=a", "quiet=true")
    assert done.returncode == 0, done.stderr
    return desk / "results"


@pytest.fixture
def study(desk, finished) -> Path:
    """A finished study."""
    shutil.copytree(finished, desk / "results")
    return desk / "results" / "a"


def test_a_rerun_follows_no_link(desk, study):
    runs = desk.parent / "foreign"
    (desk / "results" / "a_rerun").symlink_to(runs, target_is_directory=True)
    before = kept(desk)
    refused(typed(desk, "rerun", "results/a"), "is a link")
    (desk / "results" / "a_rerun").unlink()
    first = typed(desk, "rerun", "results/a")
    assert first.returncode == 0, first.stderr
    (desk / "results" / "a_rerun" / "manifest.json").unlink()
    (desk / "results" / "a_rerun" / "runs").symlink_to(runs, target_is_directory=True)
    refused(typed(desk, "rerun", "results/a"), "is a link")
    assert kept(desk) == before


def test_an_arm_of_a_manifest_writes_nowhere_else(desk, study):
    for arm in ("../../../foreign", str(desk.parent / "foreign")):
        about = json.loads((study / "manifest.json").read_text(encoding="utf-8"))
        about["arms"] = {"nothing": about["arms"]["nothing"], arm: about["arms"]["nothing"]}
        (study / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
        before = kept(desk)
        refused(typed(desk, "rerun", "results/a", "--replicate", "1"), "is no manifest")
        assert kept(desk) == before
        typed(desk, "results")


def test_a_manifest_reads_nothing_of_the_environment(desk, study):
    about = json.loads((study / "manifest.json").read_text(encoding="utf-8"))
    about["configuration"]["portfolio"]["label"] = "${oc.env:SECRET_TOKEN}"
    (study / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    done = typed(desk, "rerun", "results/a", SECRET_TOKEN="0xC0FFEE")
    assert done.returncode == 1 and "0xC0FFEE" not in done.stdout + done.stderr


@pytest.mark.full
def test_a_sweep_and_a_study_do_not_mix(desk, study):
    before = {path: path.read_bytes() for path in study.iterdir()}
    refused(typed(desk, "-m", *SMALL, ARMS, "name=a", "seed=1,2"), "holds a study, no sweep")
    assert {path: path.read_bytes() for path in study.iterdir()} == before
    done = typed(desk, "-m", *SMALL, ARMS, "name=grid", "seed=1,2", "quiet=true")
    assert done.returncode == 0, done.stderr
    refused(typed(desk, *SMALL, ARMS, "name=grid"), "holds a sweep, no study")
