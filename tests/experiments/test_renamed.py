"""Old names get one line that names the new one: of settings, modules and attributes, and in studies of an older version."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

from experiments import compare, load, renamed
from experiments.analysis.results import TABLES, Comparison
from experiments.configuration import files
from experiments.configuration.overrides import settings
from experiments.configuration.preflight import check_overrides
from experiments.studies.rerun import main

SMALL = ("region=sample", "scale=0.1", "replicates=2", "months=2", "window=1", "burn_in=1", "parallel=serial", "instruments=[]")


@pytest.mark.parametrize("old", renamed.SETTINGS)
@pytest.mark.parametrize("form", ["{}=1", "{}.inner=1", "{}=1,2", "study={{{}: 1}}"])
def test_a_setting_under_its_old_name_gets_the_new_one(old, form):
    [mistake] = check_overrides([form.format(old.removeprefix("study.") if form.startswith("study=") else old)])[1]
    assert f"{old} is now called {renamed.SETTINGS[old]}" in mistake


def test_new_names_of_settings_are_settings_and_old_ones_are_not():
    assert set(renamed.SETTINGS.values()) <= settings().keys()
    assert not renamed.SETTINGS.keys() & settings().keys()


@pytest.mark.parametrize(
    ("group", "text", "override"),
    [
        ("experiment", "# @package _global_\nstudy: {beside: cqo}\n", "+experiment=mine"),
        ("policy", "# @package _global_\nparameters: {old: 1}\n", "policy=mine"),
    ],
)
def test_an_old_name_in_a_file_gets_the_new_one(group, text, override, tmp_path, monkeypatch):
    (tmp_path / group).mkdir()
    (tmp_path / group / "mine.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(files, "CONFIGS", tmp_path)
    monkeypatch.setitem(renamed.SETTINGS, "parameters.old", "parameters.margin")
    [mistake] = check_overrides([override])[1]
    old = "study.beside" if group == "experiment" else "parameters.old"
    assert mistake.startswith(f"configs/{group}/mine.yaml: {old}")
    assert mistake.endswith(f": {old} is now called {renamed.SETTINGS[old]}")


def test_an_old_name_in_an_arm_gets_the_new_one(monkeypatch):
    monkeypatch.setitem(renamed.SETTINGS, "parameters.old", "parameters.margin")
    [mistake] = check_overrides(["study.arms={nothing: [], a: [parameters.old=1]}"])[1]
    assert mistake == "arm a: parameters.old=1: parameters.old is now called parameters.margin"


# -- studies of an older version ---------------------------------------------------------------------------


@pytest.fixture
def older(tmp_path) -> Path:
    """A study as version 0.2.0 left it: with an old setting and an old column, and without a version."""
    folder = tmp_path / "older"
    compare(*SMALL).save(folder)
    about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del about["versions"]["strongchain"], about["format"]
    about["configuration"]["study"]["beside"] = None
    about["commit"] = "0123456789abcdef"
    (folder / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    effects = pd.read_parquet(folder / "effects.parquet").rename(columns={"conclusion": "told"})
    effects.to_parquet(folder / "effects.parquet", index=False)
    return folder


@pytest.mark.study
def test_a_rerun_of_an_older_study_names_the_version_that_can(older, capsys):
    assert main([str(older)]) == 1
    err = capsys.readouterr().err
    assert err == (
        f"strongchain: {older} was made by Strongchain 0.2.0 or older (git checkout 0123456789): "
        "study.beside is now called study.second_reference; rerun it with that version\n"
    )


@pytest.mark.study
def test_loading_an_older_study_names_the_version_that_can(older):
    with pytest.raises(ValueError, match=r"was made by Strongchain 0\.2\.0 or older \(git checkout 0123456789\)") as refused:
        load(older)
    assert "the column 'told' is now called 'conclusion'; open it with that version, or run the study again" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.study
def test_a_study_of_this_version_says_so_and_can_be_loaded(tmp_path):
    compare(*SMALL).save(tmp_path / "new")
    assert load(tmp_path / "new").manifest["versions"]["strongchain"] == importlib.metadata.version("strongchain")


def test_an_old_attribute_of_a_comparison_gets_the_new_name():
    none = pd.DataFrame()
    comparison = Comparison(**dict.fromkeys(TABLES, none), manifest={})
    for old, new in renamed.ATTRIBUTES.items():
        vars(comparison).pop(old, None)  # where it still has the old one
        with pytest.raises(AttributeError, match=f"^{old} is now called {new}$"):
            getattr(comparison, old)
    with pytest.raises(AttributeError, match="'Comparison' object has no attribute 'nonsense'"):
        _ = comparison.nonsense


@pytest.mark.parametrize("old", renamed.COLUMNS)
def test_an_old_column_of_a_table_gets_the_new_name(old):
    comparison = Comparison(**dict.fromkeys(TABLES, pd.DataFrame({"arm": ["a"]})), manifest={})
    with pytest.raises(KeyError, match=f"the column '{old}' is now called '{renamed.COLUMNS[old]}'"):
        _ = comparison.effects[old]
    with pytest.raises(KeyError, match="nonsense"):
        _ = comparison.effects["nonsense"]
    with pytest.raises(KeyError, match="is now called"):
        _ = comparison.effects[["arm"]][old]
    pd.testing.assert_frame_equal(comparison.runs.query("arm == 'a'"), comparison.runs)


# -- modules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", renamed.MODULES)
def test_a_module_under_its_old_name_gets_the_new_one(old):
    new = renamed.MODULES[old]
    assert importlib.util.find_spec(new) is not None, f"{new} is not there either"
    with pytest.raises(ImportError, match=f"^{old} is now called {new}$"):
        importlib.import_module(old)


@pytest.mark.parametrize("statement", ["import experiments.answer", "from experiments import answer"])
def test_both_forms_of_an_import_get_the_line(statement):
    with pytest.raises(ImportError, match="^experiments.answer is now called experiments.reports.findings$"):
        exec(statement)


def test_a_name_that_never_existed_raises_the_usual_error():
    with pytest.raises(ModuleNotFoundError, match="No module named 'experiments.nonsense'"):
        importlib.import_module("experiments.nonsense")
    assert not hasattr(importlib.import_module("experiments"), "answer")
