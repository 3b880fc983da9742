"""The application as a user types it: commands, what they leave on disk, and what they say of mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from agents.streams import replicate_keys
from experiments.analysis.results import TABLES, table_hash
from experiments.commands import verbs
from experiments.reports.comparison import SHOWN
from sim import StrongchainModel
from sim.outcomes import OUTCOMES
from tests.support.places import ROOT, TABLES_ALONE

pytestmark = pytest.mark.study

SMALL = ("region=sample", "replicates=2", "months=14", "window=6", "burn_in=6", "parallel=serial")
#: Two arms instead of five: figures take the most time. Double quotes outside and single ones inside do
#: in bash, zsh, PowerShell and the Windows command line alike.
TWO = "study.arms={nothing:['instruments=[]'],all:[]}"
HALF = (
    "study.arms={nothing: ['instruments=[]'], half: ['instruments=[cqo]', 'instruments.cqo.reach=0.25'], "
    "elsewhere: ['region=liaoning', 'scale=0.1', 'instruments=[]']}"
)
CHAIN_FILE = "链条 一.csv"
CHAIN = "supplier,customer,value_share\n零件一,整车厂,0.3\n零件二,整车厂,0.2\n原料,零件一,0.4\n"
FIGURES = ("time_paths", "effects", "gains", "pairs", "origins", "queues", "books", "costs", "enough", "luck")

COMMANDS: dict[str, tuple[str, ...]] = {
    "default": (*SMALL, "name=default"),
    "again": (*SMALL, TWO, "name=again"),
    "two workers": (*SMALL[:-1], TWO, "name=two_workers", "parallel=loky", "parallel.workers=2"),
    "own arms": (*SMALL, TABLES_ALONE, HALF, "name=arms"),
    "network file": (*SMALL, TABLES_ALONE, "network=file", f"network.path={CHAIN_FILE}", "policy=none", "name=file"),
    "sweep": ("-m", *SMALL, TWO, "name=sweep", "region.leaders=40,3", "instruments.one_stop_stations.per_1000_firms=0,2"),
}


@dataclass(frozen=True)
class Done:
    """One command that has run: exit status, what it printed, the folder it was typed in."""

    status: int
    out: str
    err: str
    folder: Path

    def results(self, name: str) -> Path:
        return self.folder / "results" / name


def environment() -> dict[str, str]:
    """The environment of this process, with the repository on the path."""
    kept = {key: value for key, value in os.environ.items() if key not in {"HYDRA_FULL_ERROR", "PYTHONPATH"}}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}


def typed(arguments: tuple[str, ...], folder: Path) -> Done:
    """Run the application in a folder."""
    command = [sys.executable, "-m", "experiments.run", *arguments]
    process = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, encoding="utf-8", timeout=300)
    return Done(process.returncode, process.stdout, process.stderr, folder)


@pytest.fixture(scope="module")
def commands(request, tmp_path_factory):
    """Run a command of the list, once for all tests, and side by side where the whole file is tested in one process."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / CHAIN_FILE).write_text(CHAIN, encoding="utf-8")
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        running: dict[str, Future[Done]] = {}

        def start(*names: str) -> list[Done]:
            for name in names:
                if name not in running:
                    running[name] = pool.submit(typed, COMMANDS[name], folder)
            return [running[name].result() for name in names]

        alone = "PYTEST_XDIST_WORKER" not in os.environ
        of_file = [item for item in request.session.items if item.path == request.path]
        if alone and len(of_file) > len(MISTAKES):
            for name in COMMANDS:
                running[name] = pool.submit(typed, COMMANDS[name], folder)
        yield start


@pytest.fixture
def ran(commands):
    """Run commands that must succeed."""

    def start(*names: str) -> list[Done]:
        results = commands(*names)
        for name, done in zip(names, results, strict=True):
            assert done.status == 0, f"{name}: {done.err}"
        return results

    return start


def lines(text: str) -> list[str]:
    """What was printed, without the progress bar."""
    return [line for line in text.splitlines() if line.strip() and "run/s" not in line and "?run" not in line]


# -- the default command -------------------------------------------------------------------------------


def test_the_default_command_leaves_tables_figures_and_manifest(ran):
    (done,) = ran("default")
    folder = done.results("default")
    arms = ("nothing", "cqo", "one_stop_stations", "strong_chain_loans", "all")
    maps = tuple(f"quality_map_{arm}" for arm in arms)
    for name in (*TABLES, *maps):
        assert (folder / f"{name}.csv").is_file() and (folder / f"{name}.parquet").is_file()
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in (*FIGURES, *maps):
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.format == "PNG" and picture.text["Description"] == f"study {about['id']}"
    assert about["id"] in (folder / "report.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert table_hash(pd.read_parquet(folder / "runs.parquet")) == about["result"]
    assert list(pd.read_parquet(folder / "effects.parquet")["arm"].unique()) == list(arms)


def test_the_number_of_runs_and_their_time_are_printed_before_they_begin(ran):
    (done,) = ran("default")
    arms = "nothing, cqo, one_stop_stations, strong_chain_loans, all"
    assert lines(done.out)[0].startswith(f"10 runs: 5 arms ({arms}) × 2 replicates of 14 months; about ")
    assert lines(done.out)[-1].endswith("default")
    assert not lines(done.err)


def test_the_map_is_stored_as_the_one_table_that_the_model_gives(ran):
    (done,) = ran("network file")
    stored = pd.read_parquet(done.results("file") / "quality_map_nothing.parquet")
    model = StrongchainModel(rng=1, burn_in=0)
    assert list(stored.columns) == list(model.quality_map().table(model).columns)
    assert {"chain", "sector", "tier", "size"} <= set(stored.columns)


def test_the_summary_gives_every_outcome_a_level_and_an_effect_of_each_arm(ran):
    (done,) = ran("default")
    effects = pd.read_parquet(done.results("default") / "effects.parquet").query("by == 'total'").set_index(["outcome", "arm"])
    printed = done.out.splitlines()
    for key in SHOWN:
        outcome, rows = OUTCOMES[key], effects.loc[key]
        level, effect = ("cumulative", "cumulative_effect") if outcome.is_flow else ("level", "effect")
        (at,) = (k for k, line in enumerate(printed) if line.strip().startswith(f"{outcome.label} ("))
        unit = printed[at].rpartition("(")[2].split(";")[0].rstrip(")")
        assert unit == (outcome.unit.removesuffix("/month") if outcome.is_flow else outcome.unit)
        assert printed[at + 1].split() == ["no", "programme", f"{rows.loc['nothing', level]:.5g}"]
        for line, arm in zip(printed[at + 2 : at + 6], ("cqo", "one_stop_stations", "strong_chain_loans", "all"), strict=True):
            assert f"{rows.loc[arm, effect]:+.4g}" in line.split()


def test_csv_and_parquet_hold_the_same(ran):
    (done,) = ran("default")
    for path in sorted(done.results("default").glob("*.csv")):
        stored = pd.read_parquet(path.with_suffix(".parquet"))
        read = pd.read_csv(
            path, encoding="utf-8-sig", keep_default_na=False, na_values=[""], dtype={"group": str, "tier": str, "better": str}
        )
        assert len(stored)
        if "tier" in stored and stored["tier"].dtype.kind == "i":
            read["tier"] = read["tier"].astype(int)
        text = [name for name in stored if stored[name].dtype.kind not in "if"]
        read[text] = read[text].fillna("")
        pd.testing.assert_frame_equal(read, stored, check_dtype=False, rtol=0.0, atol=0.0, obj=path.name)


def test_a_csv_begins_with_the_mark_of_utf_8(ran):
    (done,) = ran("default")
    for path in done.results("default").glob("*.csv"):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), path.name


def test_the_manifest_says_what_was_run_from_which_code_with_which_random_numbers(ran):
    (done,) = ran("default")
    about = json.loads((done.results("default") / "manifest.json").read_text(encoding="utf-8"))
    assert len(about["id"]) == 12 and int(about["id"], 16) >= 0
    assert about["overrides"] == list(COMMANDS["default"])
    assert about["reference"] == "nothing"
    assert about["replicate_keys"] == [[f"{word:016x}" for word in key] for key in replicate_keys(1, 2)]
    assert about["configuration"]["months"] == 14 and about["configuration"]["region"]["key"] == "sample"
    active = {key for key, levers in about["configuration"]["instruments"].items() if levers["active"]}
    assert active == {"cqo", "one_stop_stations", "strong_chain_loans"}
    assert {"python", "mesa", "numpy", "scipy", "pandas", "hydra-core"} <= about["versions"].keys()
    assert about["network_notes"] == []
    assert about["platform"] and about["finished"]
    if (ROOT / ".git").exists():
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        assert about["commit"] is None or len(about["commit"]) == len(head)
        assert about["uncommitted_changes"] in {True, False, None}


# -- the same again ------------------------------------------------------------------------------------


def bytes_of(done: Done, name: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(done.results(name).glob("*.csv"))}


@pytest.mark.full
def test_the_same_command_gives_the_same_bytes_with_any_number_of_workers(ran):
    one, two = ran("again", "two workers")
    assert bytes_of(one, "again") == bytes_of(two, "two_workers")
    assert {f"{name}.csv" for name in TABLES} < bytes_of(one, "again").keys()


def test_a_study_has_its_id_whatever_its_name_and_workers(ran):
    manifests = [
        json.loads((done.results(name) / "manifest.json").read_text(encoding="utf-8"))
        for done, name in zip(ran("again", "two workers", "default"), ("again", "two_workers", "default"), strict=True)
    ]
    if len({about["commit"] for about in manifests}) == 1:
        assert manifests[0]["id"] == manifests[1]["id"] != manifests[2]["id"]


# -- policies, arms, networks --------------------------------------------------------------------------


def test_policy_none_is_one_arm(ran):
    (done,) = ran("network file")
    effects = pd.read_parquet(done.results("file") / "effects.parquet")
    assert set(effects["arm"]) == {"nothing"}
    assert lines(done.out)[0].startswith("2 runs: 1 arm (nothing)")
    assert (effects.query("outcome == 'government_cost'")["level"] == 0.0).all()


def test_user_defined_arms_may_be_any_policy_in_any_region(ran):
    (done,) = ran("own arms")
    effects = pd.read_parquet(done.results("arms") / "effects.parquet")
    assert list(effects["arm"].unique()) == ["nothing", "half", "elsewhere"]
    total = effects[effects["by"] == "total"].set_index(["arm", "outcome"])
    assert total.loc[("half", "cqo_share"), "effect"] == pytest.approx(0.25 * 0.9, abs=0.03)
    assert total.loc[("half", "cases_served"), "replicates"] == 2
    assert total.loc[("elsewhere", "output"), "effect"] != 0.0
    assert total.loc[("elsewhere", "government_cost"), "level"] == 0.0


def test_a_network_file_of_any_name_is_read(ran):
    (done,) = ran("network file")
    table = pd.read_csv(done.results("file") / "quality_map_nothing.csv", encoding="utf-8-sig")
    assert set(table["firm"]) == {"整车厂", "零件一", "零件二", "原料"}
    assert table.set_index("firm")["tier"].to_dict() == {"整车厂": 0, "零件一": 1, "零件二": 1, "原料": 2}
    about = json.loads((done.results("file") / "manifest.json").read_text(encoding="utf-8"))
    assert about["network_notes"]
    assert about["configuration"]["network"]["path"] == CHAIN_FILE


# -- sweeps --------------------------------------------------------------------------------------------


def test_a_sweep_is_one_table_and_one_figure(commands):
    """A block of rows per point; a point that fails leaves the others, and has a row with its error."""
    (done,) = commands("sweep")
    folder = done.results("sweep")
    table = pd.read_csv(folder / "sweep.csv", encoding="utf-8-sig")
    leaders, stations = "region.leaders", "instruments.one_stop_stations.per_1000_firms"
    assert list(table.columns[:3]) == ["point", leaders, stations]
    points = table.drop_duplicates("point")
    assert list(zip(points[leaders], points[stations], strict=True)) == [(40, 0), (40, 2), (3, 0), (3, 2)]
    effects = pd.read_parquet(folder / "0" / "effects.parquet")
    assert table.groupby("point").size().to_list() == [len(effects), len(effects), 1, 1]
    assert len(pd.read_parquet(folder / "sweep.parquet")) == len(table)
    assert [path.name for path in folder.glob("*.png")] == ["sweep.png"]
    summary = pd.read_csv(folder / "sweep_summary.csv", encoding="utf-8-sig")
    assert list(summary.columns[:3]) == ["point", leaders, stations] and summary["point"].to_list() == [0, 1, 2, 3]
    assert summary["replicates"].fillna(0).to_list() == [2, 2, 0, 0] and summary["error"].notna().to_list() == [False, False, True, True]
    assert "sweep_summary.csv" in (folder / "report.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert verbs.main(["report", str(folder)], ["zh"]) == 0, "it is drawn again from its points"
    assert '<html lang="zh"' in (folder / "report.html").read_text(encoding="utf-8")
    total = table.query("arm == 'all' and by == 'total'").set_index(["outcome", "point"])["level"]
    assert total["cases_served", 0] < total["cases_served", 1]
    nothing = [table.query(f"arm == 'nothing' and point == {point}")["level"].to_numpy() for point in (0, 1)]
    np.testing.assert_array_equal(*nothing)  # the stations that are swept are not in it


def test_a_point_that_fails_reports_its_mistake_and_sets_the_exit_status(commands):
    (done,) = commands("sweep")
    message = "region.leaders is 3, fewer than region.chains (4); every chain needs a leader"
    assert done.status == 1
    assert lines(done.err) == [f"strongchain: {message}"] * 2
    table = pd.read_csv(done.results("sweep") / "sweep.csv", encoding="utf-8-sig")
    assert table.loc[table["point"] < 2, "error"].isna().all()
    assert table.loc[table["point"] >= 2, "error"].to_list() == [message, message]
    assert "4 points, 2 failed" in done.out


# -- mistakes ------------------------------------------------------------------------------------------

#: What is typed → parts that the one line of the answer must hold.
MISTAKES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("name=a/b",): ("name is 'a/b'", "plain name"),
    ("scale=inf",): ("scale is inf", "at most 100"),
    ("network=file", "network.path=x.csv", "network.filter=3"): ("no file 'x.csv'",),
    ("study.arms={nothing: [], a/b: []}",): ("a/b", "plain name"),
    ("study.arms={nothing: [], a: ['seed=3']}",): ("study.arms.a sets seed", "outside the arms"),
    ("months=0",): ("months is 0", "1 … 12,000"),
    ("replicates=0",): ("replicates is 0", "1 … 1,000,000"),
    ("months=abc",): ("months is 'abc'", "whole number"),
    ("region=nowhere",): ("region=nowhere", "liaoning", "sample"),
    ("nonsense=1",): ("nonsense",),
    ("instruments.cqo.reachh=1",): ("instruments.cqo.reachh",),
    ("instruments=[nonsense]",): ("instruments=nonsense", "one_stop_stations, quality_map"),
    ("instruments.cqo.reach=2",): ("instruments.cqo.reach is 2", "0 … 1 (share)"),
    ("parameters.latent_share=nan",): ("parameters.latent_share is nan", "0 … 0.9 (share)"),
    ("instruments.cqo.reach=2", "instruments.cqo.ramp=0"): ("2 mistakes", "instruments.cqo.reach is 2", "instruments.cqo.ramp is 0"),
    ("instruments.cqo.sizes=[huge]",): ("instruments.cqo.sizes is 'huge'", "small, medium, large"),
    ("instruments=[one_stop_stations]", "instruments.cqo.reach=0.2"): ("cqo is not active", "instruments=[one_stop_stations,cqo]"),
    ("network=file",): ("network.path", "network.path=chain.csv"),
    ("network=file", "network.path=missing.csv"): ("missing.csv",),
    ("network=synthetic", "network.firms=1"): ("network.firms is 1",),
    ("by=[nonsense]",): ("by names 'nonsense'", "total, chain, tier, size, quantile"),
    ("by=[tiers]",): ("did you mean 'tier'?",),
    ("by=tier",): ("by=tier",),
    ("scale=0",): ("scale is 0;", "above 0"),
    ("study.reference=nobody",): ("study.reference is 'nobody'", "nothing, cqo, one_stop_stations, strong_chain_loans, all"),
    ("study.kind=nonsense",): ("study.kind is 'nonsense'", "compare"),
    ("study.arms=3",): ("study.arms=3", "lists of overrides"),
    ("study.arms={nothing:[3]}",): ("study.arms={nothing:[3]}", "lists of overrides"),
    ("study.arms={nothing:['region=nowhere']}",): ("arm nothing", "region=nowhere", "liaoning"),
    ("study.arms={nothing:['instruments=[]','instruments.cqo.reach=1']}",): ("cqo is not active",),
    ("region.leaders=3",): ("region.leaders is 3", "every chain needs a leader"),
    ("name=${nope}",): ("nope",),
    ("months",): ("months",),
}
#: Runs every list of arguments read from standard input, in one process; answers with status and what was printed.
TYPIST = """
import contextlib, io, json, sys
from experiments import run
found = []
for words in json.load(sys.stdin):
    sys.argv, status = ["strongchain", *words], 0
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            run.main()
        except SystemExit as left:
            status = left.code
        except BaseException as mistake:
            status = repr(mistake)
    found.append((status, out.getvalue(), err.getvalue()))
json.dump(found, sys.stdout)
"""


HELP, CONFIGURATION = ("--help",), ("--cfg", "job", *SMALL)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the application answers to mistakes and questions: status, what it printed, what it complained of."""
    asked, folder = [*MISTAKES, HELP, CONFIGURATION], tmp_path_factory.mktemp("asked")
    process = subprocess.run(
        [sys.executable, "-c", TYPIST],
        input=json.dumps([["region=sample", *arguments] if arguments in MISTAKES else arguments for arguments in asked]),
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    left = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.parent.name == "results"]
    return {**dict(zip(asked, json.loads(process.stdout), strict=True)), "left behind": left}


def test_a_mistake_leaves_no_folder_behind(answers):
    """Nor do questions; a folder with something in it stays, as that of a study of the same name does."""
    *_, left = answers.values()
    assert left == []


def test_a_name_in_use_is_refused_and_its_study_stays(commands):
    (done,) = commands("default")
    before = bytes_of(done, "default")
    again = typed(("name=default", "region=sample"), done.folder)
    assert again.status == 1
    assert lines(again.err) == [f"strongchain: {done.results('default')} already holds a study; choose another name"]
    assert before and bytes_of(done, "default") == before


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_reported_in_one_line_and_sets_the_exit_status(arguments, answers):
    status, _, err = answers[arguments]
    assert status == 1, f"status {status}: {err}"
    first, *others = lines(err)
    assert first.startswith("strongchain: ")
    assert len(others) == (int(first.split()[1]) if "mistakes;" in first else 0)
    for part in MISTAKES[arguments]:
        assert part in err
    assert "Traceback" not in err and "HYDRA_FULL_ERROR" not in err


# -- help ----------------------------------------------------------------------------------------------


def test_help_fits_a_screen(answers):
    status, out, _ = answers[HELP]
    assert status in {0, None}
    assert len(out.splitlines()) < 40
    for word in ("strongchain -m ", "network=file", "region: anhui, fujian, guangdong", "instruments: assessment, awards", "policy: "):
        assert word in out


def test_the_configuration_is_shown(answers):
    status, out, _ = answers[CONFIGURATION]
    assert status in {0, None}
    assert "months: 14" in out
    assert "reach: 0.5" in out
    assert "_target_" not in out
