"""Every command of the handbook as typed, and each again with one mistake in it, answered in one clear line.

Before a change lands they are typed for the sample region and a few months and replicates; in `make verify` unchanged.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments import load
from tests.support.places import ROOT, TABLES_ALONE
from tests.support.size import FULL, at_size

pytestmark = pytest.mark.verification

SCRIPT = Path(sys.executable).with_name("strongchain")
#: As a user calls it: the script that was installed, otherwise the module, which is the same application.
STRONGCHAIN = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "experiments.run"]
CHAIN = "supplier,customer,value_share\nseat,car,0.05\nfoam,seat,0.2\nengine,car,0.2\nblock,engine,0.3\n"

#: The command, what it prints, and the same with one mistake, with what is answered. The first writes what later ones read.
STUDIES = [
    ("strongchain name=first", "all", "strongchain nmae=first", "did you mean 'name'?"),
    ("strongchain region=liaoning policy=none name=liaoning", "nothing", "strongchain region=liaoing", "did you mean 'liaoning'?"),
    (
        "strongchain region=liaoning policy=guangdong name=crossed",
        "consortia",
        "strongchain region=liaoning policy=guandong",
        "did you mean 'guangdong'?",
    ),
    (
        "strongchain 'instruments=[cqo,strong_chain_loans]' instruments.cqo.reach=0.5 months=60 replicates=50 name=two",
        "strong_chain_loans",
        "strongchain 'instruments=[cqo,strong_chain_loans]' instruments.cqo.reach=1.5 months=60 replicates=50",
        "instruments.cqo.reach is 1.5; it must lie in 0 … 1",
    ),
    (
        "strongchain network=file network.path=chain.csv name=mine",
        "nothing",
        "strongchain network=file network.path=chian.csv",
        "did you mean 'chain.csv'?",
    ),
]  # fmt: skip
#: What is typed for the gate instead of a study's own region, months and replicates.
SMALL = ("months=6", "window=3", "replicates=2", "burn_in=3")
SWEEP = "strongchain -m instruments.cqo.reach=0,0.25,0.5,1 instruments.one_stop_stations.per_1000_firms=0,1,2 name=grid"
VERBS = [
    ("strongchain results", "first", "strongchain reslts", "did you mean 'results'?"),
    ("strongchain regions", "liaoning", "strongchain regions all", "one word too many"),
    ("strongchain instruments", "首席质量官", "strongchain instrument", "did you mean 'instruments'?"),
    ("strongchain policies", "guangdong", "strongchain polices", "did you mean 'policies'?"),
    ("strongchain experiments", "policy_mix", "strongchain experimets", "did you mean 'experiments'?"),
    ("strongchain parameters", "latent_share", "strongchain parameters latnt", "did you mean"),
    ("strongchain explain cqo", "首席质量官", "strongchain explain cqq", "did you mean 'cqo'?"),
    ("strongchain --help", "strongchain regions", "strongchain --hepl", "--hepl"),
    ("strongchain --cfg job", "replicates: 20", "strongchain --cfg jbo", "jbo"),
    ("strongchain --info searchpath", "pkg://configs", "strongchain --info searchpaht", "searchpaht"),
    ("strongchain completion bash", "complete", "strongchain completion bsh", "did you mean 'bash'?"),
    ("strongchain completion zsh", "#compdef strongchain", "strongchain completion", "choose bash or zsh"),
]
RERUNS = [
    ("strongchain rerun results/mine", "the tables are the same", "strongchain rerun results/mien", "did you mean 'mine'?"),
    (
        f"strongchain rerun results/first --replicate {at_size(2, 17)}",
        "its totals are those of the study",
        "strongchain rerun results/first --replicate 21",
        at_size("has replicates 1 … 2", "has replicates 1 … 20"),
    ),
]


def smaller(arguments: list[str]) -> list[str]:
    """Return the arguments of a study for the sample region and a few months and replicates; the network of a file is small as it is."""
    kept = [argument for argument in arguments if argument.split("=")[0] not in {"region", "months", "replicates"}]
    return [*kept, "region=sample", *SMALL, *(() if "name=first" in arguments else (TABLES_ALONE,))]


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder; a study, at the gate, in its smaller form."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    arguments = shlex.split(command)[1:]
    study = any(argument.startswith("name=") for argument in arguments)
    arguments = [*STRONGCHAIN, *(smaller(arguments) if study and not FULL else arguments)]
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=1500)


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder in which everything is typed, one command after the other."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "chain.csv").write_text(CHAIN, encoding="utf-8")
    return folder


def answered_in_one_line(command: str, expected: str, folder: Path) -> None:
    """Type a command with a mistake: one line that says what would be right, exit status not 0, nothing written."""
    before = sorted(folder.rglob("*"))
    done = typed(command, folder)
    assert done.returncode != 0 and expected in done.stderr and "Traceback" not in done.stderr, (command, done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert sorted(folder.rglob("*")) == before, "something was written"


def test_every_command_does_as_typed_and_answers_a_mistake(desk):
    for command, arm, wrong, expected in STUDIES:
        answered_in_one_line(wrong, expected, desk)
        done = typed(command, desk)
        assert done.returncode == 0, (command, done.stderr)
        name = shlex.split(command)[-1].removeprefix("name=")
        comparison = load(desk / "results" / name)
        assert arm in set(comparison.effects["arm"]) and comparison.failures == ""
        first = done.stdout.splitlines()[0]
        assert "runs: " in first and " s" in first, "the number of runs and the expected time come first"
        assert (desk / "results" / name / "report.html").is_file() or not (FULL or name == "first")
    for command, expected, wrong, answer in (*VERBS, *RERUNS):
        done = typed(command, desk)
        assert done.returncode == 0 and expected in done.stdout, (command, done.stdout, done.stderr)
        assert all(len(line) <= 141 for line in done.stdout.splitlines()) or "--" in command or "completion" in command
        answered_in_one_line(wrong, answer, desk)
    assert len(typed("strongchain --help", desk).stdout.splitlines()) <= 40


@pytest.mark.skipif(not FULL, reason="at full size alone: tests of the application have a sweep")
def test_the_grid_of_the_handbook_is_one_table_and_one_figure(desk):
    answered_in_one_line(SWEEP.replace("0.25", "2.5"), "instruments.cqo.reach is 2.5", desk)
    done = typed(SWEEP, desk)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("12 points, 1200 runs in all; about ")
    table = pd.read_parquet(desk / "results" / "grid" / "sweep.parquet")
    assert table["point"].nunique() == 12 and (desk / "results" / "grid" / "sweep.png").is_file()
    headline = table.query("outcome == 'field_dpu' and by == 'total' and arm == 'cqo'").set_index("instruments.cqo.reach")["effect"]
    assert (headline["0"] == 0.0).all() and (headline.drop("0") != 0.0).all(), "nothing is done at dose 0, and something elsewhere"
    assert not FULL or (headline.drop("0") < 0.0).all()
    keys = {
        tuple(json.loads((path / "manifest.json").read_text(encoding="utf-8"))["replicate_keys"][0])
        for path in (desk / "results" / "grid").glob("[0-9]*")
    }
    assert len(keys) == 1, "every point has the same random numbers"


def test_make_lists_what_it_does():
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    printed = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, encoding="utf-8", check=True).stdout
    assert "make demo" in printed and "make test" in printed
