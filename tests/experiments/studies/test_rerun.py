"""Running a published study again: the same table, or a plain word on what differs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from experiments import compare, load
from experiments.analysis.results import table_hash
from experiments.configuration.settings import WorldSettings
from experiments.runs.files import write_sums
from experiments.runs.manifests import write_manifest
from experiments.runs.provenance import changes_since, manifest
from experiments.studies.rerun import main, read_study
from sim import StrongchainModel

pytestmark = pytest.mark.study

SMALL = ("region=sample", "scale=0.2", "replicates=3", "months=6", "window=3", "burn_in=3", "parallel=serial", "instruments=[cqo]")
ARMS = "study.arms={nothing: ['instruments=[]'], keen: ['instruments.cqo.reach=0.9'], other: ['parameters.latent_share=0.2', 'scale=0.1']}"


def stored(folder: Path, *overrides: str) -> Path:
    """A study in a folder of its own."""
    left_out = ("instruments=", *(("scale=",) if "network=file" in overrides else ())) if "instruments=[]" in overrides else ()
    comparison = compare(*(default for default in SMALL if not default.startswith(left_out)), *overrides)
    comparison.save(folder)
    return folder


@pytest.fixture
def study(tmp_path) -> Path:
    return stored(tmp_path / "study", ARMS)


def test_a_rerun_gives_the_same_table(study, capsys):
    assert main([str(study)]) == 0
    first, second = load(study), load(study.with_name("study_rerun"))
    assert second.manifest["result"] == first.manifest["result"] == table_hash(first.runs)
    assert f"the tables are the same; SHA-256 of the runs {first.manifest['result']}" in capsys.readouterr().out
    assert not (study.with_name("study_rerun") / "runs").exists(), "what was kept on the way is cleared away"
    assert second.manifest["id"] == first.manifest["id"] and second.manifest["overrides"] == first.manifest["overrides"]


def test_a_rerun_is_not_written_over(study, capsys):
    assert main([str(study)]) == 0
    before = {path: path.read_bytes() for path in study.with_name("study_rerun").iterdir()}
    assert main([str(study)]) == 1
    assert "holds a rerun already" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in study.with_name("study_rerun").iterdir()} == before


def test_a_rerun_simulates_every_run_and_does_not_read_what_was_kept(tmp_path, monkeypatch):
    compare(*SMALL, keep=tmp_path / "runs").save(tmp_path / "study")
    ran: list[int] = []
    run = StrongchainModel.run
    monkeypatch.setattr(StrongchainModel, "run", lambda self, months: ran.append(months) or run(self, months))
    assert main([str(tmp_path / "study")]) == 0
    assert len(ran) == 6


def test_a_study_that_added_replicates_is_run_again_with_as_many(tmp_path, capsys):
    folder = stored(tmp_path / "study", "study.half_width=0.0001", "study.cap=22")
    assert load(folder).manifest["replicates"] == 22 and load(folder).manifest["half_width_reached"] is False
    assert main([str(folder)]) == 0
    assert len(load(tmp_path / "study_rerun").runs) == 44


def test_a_rerun_that_gives_other_figures_says_which_and_fails(study, monkeypatch, capsys):
    build = WorldSettings.build
    monkeypatch.setattr(WorldSettings, "build", lambda self, key, *others: build(self, (key[0] + 1, key[1]), *others))
    assert main([str(study)]) == 1
    printed = capsys.readouterr().err
    assert "the tables differ from those of the study" in printed and "runs: field_dpu: 9 of 9 values" in printed


def test_one_replicate_is_written_in_full_with_the_totals_of_the_study(study, capsys):
    assert main([str(study), "--replicate", "2"]) == 0
    assert capsys.readouterr().out.count("its totals are those of the study") == 3
    folder = study.with_name("study_replicate_2")
    runs = load(study).runs.query("replicate == 2").set_index("arm")
    series = pd.read_parquet(folder / "keen" / "series.parquet").query("by == 'total'")
    assert series["cases_filed"].sum() == pytest.approx(runs.at["keen", "cases_filed_in_all"])
    assert set(pd.read_parquet(folder / "keen" / "series.parquet")["by"]) == {
        "total",
        "chain",
        "tier",
        "size",
        "quantile",
        "county",
        "region",
    }
    payments = pd.read_parquet(folder / "keen" / "payments.parquet")
    assert set(payments["month"]) == set(range(1, 7))
    paid = payments.query("payer == 'government' and purpose == 'cqo'")["CNY"].sum()
    assert paid == pytest.approx(runs.at["keen", "spent_on_cqo"])
    awards = pd.read_parquet(folder / "keen" / "awards.parquet")
    assert awards["firms taken on"].sum() > 0 and not len(pd.read_parquet(folder / "nothing" / "awards.parquet"))
    assert pd.read_parquet(folder / "other" / "firms.parquet").shape[0] < pd.read_parquet(folder / "keen" / "firms.parquet").shape[0]
    assert pd.read_csv(folder / "keen" / "links.csv", encoding="utf-8-sig").shape[0] > 0


def test_one_arm_of_a_replicate(study, capsys):
    assert main([str(study), "--replicate=3", "--arm=nothing"]) == 0
    assert [path.name for path in study.with_name("study_replicate_3").iterdir() if path.is_dir()] == ["nothing"]


def test_a_replicate_with_other_totals_fails(study, monkeypatch, capsys):
    build = WorldSettings.build
    monkeypatch.setattr(WorldSettings, "build", lambda self, key, *others, **options: build(self, (key[0] + 1, key[1]), *others, **options))
    assert main([str(study), "--replicate", "1", "--arm", "keen"]) == 1
    assert "its totals are NOT those of the study" in capsys.readouterr().err


def test_the_points_of_a_sweep_are_run_one_after_the_other(tmp_path, capsys):
    for point, reach in enumerate((0.2, 0.4)):
        stored(tmp_path / "swept" / str(point), f"instruments.cqo.reach={reach}")
    assert main([str(tmp_path / "swept")]) == 0
    assert capsys.readouterr().out.count("the tables are the same") == 2
    assert sorted(path.name for path in (tmp_path / "swept_rerun").iterdir() if path.is_dir()) == ["0", "1"]
    assert main([str(tmp_path / "swept"), "--replicate", "1"]) == 1
    assert "it is a sweep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "takes one folder, not 0"),
        (["study", "more"], "takes one folder, not 2"),
        (["studi"], "there is no folder"),
        (["empty"], "holds no finished study"),
        (["study", "--replicate", "4"], "has replicates 1 … 3"),
        (["study", "--replicate", "0"], "has replicates 1 … 3"),
        (["study", "--replicate", "x"], "must be a whole number from 1"),
        (["study", "--replicate"], "which?"),
        (["study", "--replicat", "1"], "did you mean '--replicate'?"),
        (["study", "--arm", "keen"], "goes with --replicate"),
        (["study", "--replicate", "1", "--arm", "ken"], "did you mean 'keen'?"),
        (["older"], "was written by another version"),
        (["torn"], "torn/manifest.json is no manifest"),
        (["again"], "again_rerun is not empty, and no claim"),
        (["latin"], "latin/manifest.json is no manifest"),
        (["odd"], "was written by another version"),
        (["lost"], "runs.parquet is not there"),
        (["lost", "--replicate", "1"], "runs.parquet is not there"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(arguments, expected, study, monkeypatch, capsys):
    monkeypatch.chdir(study.parent)
    Path("empty").mkdir()
    for name in ("older", "torn", "again", "latin", "odd", "lost"):
        shutil.copytree(study, name)
    about = json.loads(Path("older/manifest.json").read_text(encoding="utf-8"))
    about["configuration"]["parameters"]["of_old"] = about["arms"]["keen"]["parameters"]["of_old"] = 1
    Path("older/manifest.json").write_text(json.dumps(about), encoding="utf-8")
    Path("torn/manifest.json").write_text("{", encoding="utf-8")
    Path("latin/manifest.json").write_bytes(b"\xff\xfe{")
    Path("odd/manifest.json").write_text('{"configuration": 3, "arms": []}', encoding="utf-8")
    Path("lost/runs.parquet").unlink()
    shutil.copytree(study, "again_rerun")
    before = sorted(Path().rglob("*"))
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("strongchain: ") and printed.err.count("\n") == 1 and expected in printed.err and not printed.out
    assert sorted(Path().rglob("*")) == before


# -- what has changed since ----------------------------------------------------------------------------


def test_nothing_has_changed_since_a_manifest_of_now(study):
    assert changes_since(load(study).manifest) == []


def test_every_change_is_listed(tmp_path):
    chain = tmp_path / "chain.csv"
    chain.write_text("supplier,customer,value_share\nb,A,0.3\n", encoding="utf-8")
    folder = stored(tmp_path / "study", "network=file", f"network.path={chain}", "instruments=[]")
    _, arms, about = read_study(folder)
    assert list(about["input_files"]) == [str(chain)] and dict(arms[0].world.files) == about["input_files"]
    chain.write_text("supplier,customer,value_share\nb,A,0.4\n", encoding="utf-8")
    assert changes_since(about) == [f"the input file {chain} has changed"]
    chain.unlink()
    assert changes_since(about) == [f"the input file {chain} is missing"]
    old = {**about, "input_files": {}, "code": {**about["code"], "world": "x"}, "lock": "x", "platform": "a mainframe"}
    old["versions"] = {**about["versions"], "numpy": "1.0", "python": "2.7"}
    changes = changes_since(old)
    for part in (
        "the code of the world has changed",
        "requirements.lock has changed",
        "numpy was 1.0 and is",
        "python was 2.7",
        "the platform was a mainframe",
    ):
        assert any(part in line for line in changes), part
    assert len(changes) == 5


def test_the_warnings_come_with_the_rerun(study, capsys):
    path = study / "manifest.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["versions"]["scipy"] = "0.1"
    write_manifest(about, study)
    assert main([str(study), "--replicate", "1", "--arm", "nothing"]) == 0
    assert "warning: scipy was 0.1 and is" in capsys.readouterr().err


def test_the_id_depends_only_on_what_makes_the_figures(study):
    settings, arms, about = read_study(study)
    keys = [tuple(int(word, 16) for word in key) for key in about["replicate_keys"]]
    same = {**settings.resolved, "name": "x", "parallel": {}, "quiet": True, "table_heads": "labels"}
    assert manifest(same, ["other"], keys, arms)["id"] == about["id"]
    assert manifest({**settings.resolved, "window": 2}, [], keys, arms)["id"] != about["id"]
    keen = next(arm for arm in arms if arm.name == "keen")
    keen.configuration["instruments"]["cqo"]["reach"] = 0.7  # what a policy file, named in an arm, may come to say
    assert manifest(same, [], keys, arms)["id"] != about["id"]


def test_the_commit_is_that_of_the_code_and_not_of_a_repository_around_it(tmp_path, monkeypatch):
    def git(*arguments: str) -> None:
        author = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True)

    for name in ("sim", "experiments"):
        (tmp_path / "inner" / name).mkdir(parents=True)
    (tmp_path / "experiments").mkdir()
    (tmp_path / "inner" / "sim" / "model.py").write_text("x = 1\n", encoding="utf-8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "all")
    monkeypatch.setattr("experiments.runs.provenance.ROOT", tmp_path / "inner")
    assert manifest({}, [], [])["commit"] is None and manifest({}, [], [])["uncommitted_changes"] is None
    shutil.move(tmp_path / "inner" / "sim", tmp_path / "sim")
    git("add", "-A")
    git("commit", "-qm", "moved")
    monkeypatch.setattr("experiments.runs.provenance.ROOT", tmp_path)
    assert len(manifest({}, [], [])["commit"]) == 40 and manifest({}, [], [])["uncommitted_changes"] is False
    (tmp_path / "sim" / "mine.py").write_text("y = 1\n", encoding="utf-8")
    assert manifest({}, [], [])["uncommitted_changes"] is True, "a file that is not committed is code too"


def test_tables_that_were_changed_are_not_called_the_same(study, capsys):
    runs = load(study).runs
    runs["field_dpu"] /= 2.0
    runs.to_parquet(study / "runs.parquet", index=False)
    assert main([str(study)]) == 1
    assert "runs.parquet was changed or damaged" in capsys.readouterr().err
    write_sums(study, {})
    assert main([str(study)]) == 1
    assert "is not the one that its manifest names" in capsys.readouterr().err
    assert not study.with_name("study_rerun").exists()


def test_other_tables_are_compared_too(study, capsys):
    costs = load(study).costs
    costs.loc[0, "ratio"] = 1.0
    costs.to_parquet(study / "costs.parquet", index=False)
    write_sums(study, {})
    assert main([str(study)]) == 1
    printed = capsys.readouterr().err
    assert "costs: ratio: 1 of 6 values" in printed and "runs:" not in printed


def test_an_arm_may_be_called_anything(tmp_path):
    folder = stored(tmp_path / "study", "study.arms={nothing: ['instruments=[]'], NOTE: []}")
    assert main([str(folder), "--replicate", "1"]) == 0


def test_the_order_in_which_arms_are_typed_changes_no_result_and_no_id():
    arms = {"nothing": "['instruments=[]']", "keen": "['instruments.cqo.reach=0.9']", "visits": "['instruments=[one_stop_stations]']"}

    def made(**arms: str) -> tuple[str, str]:
        typed = ", ".join(f"{name}: {overrides}" for name, overrides in arms.items())
        about = compare(*SMALL, f"study.arms={{{typed}}}").manifest
        return about["id"], about["result"]

    study, result = made(**arms)
    assert made(**dict(reversed(arms.items()))) == (study, result)
    other_study, other_result = made(**(arms | {"keen": "['instruments.cqo.reach=0.8']"}))
    assert other_study != study and other_result != result
