"""Every mistake of a command line is told at once, with what would be right; nothing is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import preflight as checks
from experiments.preflight import check_words, preflight
from experiments.settings import SettingsError, compose_settings

MISTAKES = [
    ("regoin=liaoning", ["no setting 'regoin'", "did you mean 'region'?"]),
    ("region=liaonin", ["no such region", "liaoning, sample", "did you mean 'liaoning'?"]),
    ("instruments=[cqo,strong_chain_loan]", ["no such instrument", "did you mean 'strong_chain_loans'?"]),
    ("instruments.cqo.reech=0.5", ["did you mean 'instruments.cqo.reach'?"]),
    ("instruments.cko.reach=0.5", ["did you mean 'instruments.cqo.reach'?"]),
    ("latent_share=0.2", ["did you mean 'parameters.latent_share'?"]),
    ("+nonsense=1", ["no setting 'nonsense'"]),
    ("instruments.cqo.reach=2", ["instruments.cqo.reach is 2", "0 … 1 share"]),
    ("parameters.latent_share=abc", ["parameters.latent_share is 'abc'", "0 … 0.9"]),
    ("parameters.approval=[0.1,0.2]", ["3 numbers in 0 … 1"]),
    ("instruments.strong_chain_loans.tiers=1.5", ["whole number in 1 … 20 tiers"]),
    ("instruments.cqo.targeting=wurst", ["one of random", "did you mean 'worst_first'?"]),
    ("instruments.cqo.sizes=[small,huge]", ["is 'huge'", "small, medium, large"]),
    ("months=1.5", ["months is 1.5", "whole number in 1 … 12,000"]),
    ("months=many", ["months is 'many'"]),
    ("replicates=0", ["replicates is 0"]),
    ("months", ["months: what is it to be? Type months=VALUE"]),
    ("name=a/b", ["name is 'a/b'", "plain name"]),
    ("policy=nune", ["no such policy", "did you mean 'none'?"]),
    ("study=compere", ["no such study", "did you mean 'compare'?"]),
    ("parallel=locky", ["did you mean 'loky'?"]),
    ("network.path=missing.csv", ["there is no file 'missing.csv'"]),
    ("network.path=nowhere/chain.csv", ["nor is there a folder 'nowhere'"]),
    ("hydra.launcher._target_=os.system", ["names code to run"]),
    ("+x={_target_: os.system}", ["names code to run"]),
    ("study.arms={a: [{_target_: os.system}]}", ["names code to run"]),
    ("hydra.job.chdir=true", ["of Hydra's own settings only"]),
    ("study.arms={a: 1}", ["arms are lists of overrides"]),
]


@pytest.mark.parametrize(("word", "said"), MISTAKES, ids=[word for word, _ in MISTAKES])
def test_a_mistake_is_told_with_what_would_be_right(word, said):
    _, mistakes = check_words([word])
    assert len(mistakes) == 1, mistakes
    assert all(part in mistakes[0] for part in said), mistakes[0]


def test_every_mistake_is_told_at_once():
    words = [word for word, _ in MISTAKES]
    _, mistakes = check_words(words)
    assert len(mistakes) == len(words)
    with pytest.raises(SettingsError, match=rf"{len(words)} mistakes; nothing was run\n  regoin"):
        preflight(words)


def test_every_value_of_a_sweep_is_checked():
    _, mistakes = check_words(["instruments.cqo.reach=0,1.5,0.5,2", "parameters.latent_share=range(0,1.5,0.5)"])
    assert [m.split(";")[0] for m in mistakes] == [
        "instruments.cqo.reach is 1.5",
        "instruments.cqo.reach is 2",
        "parameters.latent_share is 1.0",
    ]


SOUND = [
    [],
    ["region=liaoning", "months=24", "replicates=3", "seed=7", "name=try"],
    ["instruments=[cqo,strong_chain_loans]", "instruments.strong_chain_loans.reach=0.5"],
    ["instruments.cqo.reach=0,0.25,0.5,1", "instruments.one_stop_stations.per_1000_firms=0,1,2"],
    ["study.arms={nothing: ['instruments=[]'], half: ['instruments.cqo.reach=0.5']}"],
    ["parameters.cqo_solving=0", "parallel.workers=1", "check=true", "by=[chain]"],
    ["instruments.cqo.budget=null", "instruments.cqo.length=null"],
    ["hydra.run.dir=somewhere"],
    ["scale=0.1", "parameters.problem_rate=[0.1,0.1,0.1,0.1]"],
]


@pytest.mark.parametrize("words", SOUND, ids=[" ".join(words) or "nothing" for words in SOUND])
def test_sound_words_pass_unchanged(words):
    assert preflight(words) == words


def test_flags_pass_and_take_their_words_along():
    words = ["--cfg", "job", "-m", "instruments.cqo.reach=0,1", "--info", "searchpath", "--help"]
    assert preflight(words) == words


@pytest.mark.parametrize("flag", ["--config-dir", "-cn", "--config-path"])
def test_settings_from_elsewhere_are_refused(flag):
    with pytest.raises(SettingsError, match="takes settings from elsewhere"):
        preflight([flag, "somewhere"])


@pytest.mark.parametrize("name", ["链条 一.csv", "chain (2).csv", "it's.csv", "a,b.csv", "a=b {c}.csv", "näheres [1].csv"])
def test_names_of_files_just_work(tmp_path, name):
    """Chinese characters, blanks, brackets and quotes are quoted for Hydra, which reads back what was typed."""
    path = tmp_path / name
    path.write_text("supplier,customer\nA,B\n", encoding="utf-8")
    words = preflight(["network=file", f"network.path={path}"])
    assert compose_settings(words).network.path == str(path)


def test_a_misspelt_file_is_told_with_the_nearest(tmp_path):
    (tmp_path / "链条表.csv").write_text("supplier,customer\nA,B\n", encoding="utf-8")
    _, mistakes = check_words(["network=file", f"network.path={tmp_path / '链条.csv'}"])
    assert len(mistakes) == 1
    assert "did you mean '链条表.csv'?" in mistakes[0]


def test_a_lever_of_an_inactive_instrument_is_told():
    _, mistakes = check_words(["instruments=[cqo]", "instruments.strong_chain_loans.reach=1"])
    assert len(mistakes) == 1
    assert "type 'instruments=[cqo,strong_chain_loans]' as well" in mistakes[0]
    assert not check_words(["instruments=[cqo]", "instruments.strong_chain_loans.active=true"])[1]


def test_a_setting_of_another_kind_of_network_is_told(tmp_path):
    _, mistakes = check_words(["network.mean_suppliers=4"])
    assert len(mistakes) == 1
    assert "type network=synthetic as well" in mistakes[0]
    assert not check_words(["network=synthetic", "network.mean_suppliers=4"])[1]


def test_arms_are_checked_as_if_typed():
    _, mistakes = check_words(["study.arms={a: ['instruments.cqo.reach=3', 'regoin=x'], b: ['x=1'], c: ['instruments=[]']}"])
    assert [m.split(":")[0] for m in mistakes] == ["arm a", "arm a", "arm b"]


def test_files_of_the_configuration_are_checked_as_if_typed(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    for group in ("policy", "experiment", "region", "study", "parallel", "network"):
        (folder / group).mkdir(parents=True)
    (folder / "policy" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /instruments: [cqo]\n"
        "instruments:\n  cqo:\n    reach: 7\n    reech: 0.1\nmonths: none\n",
        encoding="utf-8",
    )
    (folder / "parallel" / "odd.yaml").write_text("workers: 2\nworkres: 3\n", encoding="utf-8")
    (folder / "experiment" / "torn.yaml").write_text("a: [1\n", encoding="utf-8")
    monkeypatch.setattr(checks, "FOLDER", folder)
    checks._groups.cache_clear()
    try:
        _, mistakes = check_words(["policy=mine", "+experiment=torn", "parallel=odd"])
    finally:
        monkeypatch.undo()
        checks._groups.cache_clear()
    assert len(mistakes) == 5, mistakes
    said = "\n".join(mistakes)
    assert "configs/policy/mine.yaml: instruments.cqo.reach is 7" in said
    assert "did you mean 'instruments.cqo.reach'?" in said
    assert "configs/policy/mine.yaml: months is 'none'" in said
    assert "configs/experiment/torn.yaml: cannot be read" in said
    assert "configs/parallel/odd.yaml" in said and "did you mean 'parallel.workers'?" in said


def test_every_file_that_is_shipped_is_sound():
    for path in sorted(checks.FOLDER.glob("*/*.yaml")):
        word = f"{'+' if path.parent.name == 'experiment' else ''}{path.parent.name}={path.stem}"
        assert check_words([word])[1] == [], word
    assert Path(checks.FOLDER / "strongchain.yaml").is_file()
