"""`strongchain policy new` writes a file that `policy check` accepts as it stands, and that runs as typed settings do."""

from __future__ import annotations

import json

import pytest

from experiments.commands.policy import check_policy, new_policy, template
from experiments.commands.verbs import main
from experiments.configuration.policy_file import levers_of, read_policy
from experiments.configuration.preflight import checked_settings
from experiments.configuration.settings import SettingsError
from experiments.languages.wording import use_language
from experiments.studies.compare import compare
from experiments.studies.exchange import exchange_arms
from sim import INSTRUMENTS

SMALL = ("region=sample", "months=4", "replicates=2", "burn_in=4")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("code", ["en", "zh"])
def test_a_new_file_with_every_instrument_is_right_and_at_its_defaults(code, tmp_path):
    with use_language(code):
        (tmp_path / "all.yaml").write_text(template("all", list(INSTRUMENTS)), encoding="utf-8")
        output, right = check_policy(["all.yaml"])
    assert right
    read = read_policy("all.yaml")
    assert read.instruments == tuple(INSTRUMENTS)
    for path, value in read.levers.items():
        _, key, lever = path.split(".")
        assert (tuple(value) if isinstance(value, list) else value) == levers_of(key)[lever]
    assert {path.count(".") for path in read.levers} == {2}
    assert ("所有参数均取默认值。" if code == "zh" else "Every lever is at its default.") in output


def test_a_new_file_says_what_each_lever_is_and_has_a_line_for_each_source():
    new_policy(["mine", "首席质量官", "stewards"])
    text = open("mine.yaml", encoding="utf-8").read()
    assert "# share of the eligible firms that it reaches; unit: share; 0 … 1\n    reach: 0.5\n" in text
    assert all(f'  {key}.{lever}: ""\n' in text for key in ("cqo", "stewards") for lever in levers_of(key))
    assert 'label: "mine"' in text


def test_a_new_file_never_overwrites_another(tmp_path):
    (tmp_path / "mine.yaml").write_text("label: kept\n", encoding="utf-8")
    with pytest.raises(ValueError, match="exists already"):
        new_policy(["mine.yaml", "cqo"])
    (tmp_path / "link.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="exists already"):
        new_policy(["link.yaml", "cqo"])
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == "label: kept\n"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "strongchain policy new NAME.yaml"),
        (["CON.yaml"], "Windows keeps it for a device"),
        (["a:b.yaml"], "plain name"),
        (["x.yaml", "steward", "cko"], "did you mean 'stewards'"),
        (["nowhere/x.yaml", "cqo"], "cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_refused(arguments, part):
    with pytest.raises(ValueError, match=part):
        new_policy(arguments)


def test_a_check_says_what_the_policy_does(tmp_path):
    text = """label: Mine
instruments: {cqo: {reach: 0.25, budget: 2e6}, stewards: {targeting: worst_first}}
sources: {cqo: page 3, cqo.reach: page 4}
"""
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    output, right = check_policy(["p.yaml"])
    said = " ".join(" ".join(output).split())
    assert right
    assert "up to 1,250,000 CNY once; budget 2,000,000 CNY" in said
    assert "instruments.cqo.reach 0.25 0.5 page 4" in said
    assert "Without a source: stewards, cqo.budget, stewards.targeting." in said
    with use_language("zh"):
        assert "未注明来源：stewards、cqo.budget、stewards.targeting。" in "".join(check_policy(["p.yaml"])[0])


def test_the_verb_answers_with_an_exit_status(tmp_path, capsys):
    assert main(["policy", "new", "p.yaml", "cqo"]) == 0
    assert main(["policy", "check", "p.yaml"]) == 0
    (tmp_path / "p.yaml").write_text("label: a\ninstruments: {cko: }\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["policy", "check", "p.yaml"]) == 1
    assert "p.yaml: 1 mistake\n  p.yaml: there is no instrument 'cko'; did you mean 'cqo'?" in capsys.readouterr().err
    assert main(["policy", "chek"]) == 1
    assert "did you mean 'check'?" in capsys.readouterr().err


# -- in a study -----------------------------------------------------------------------------------------


@pytest.mark.study
def test_an_unchanged_file_gives_the_bits_of_typed_instruments():
    new_policy(["我的 政策.yaml", "cqo", "stewards"])
    ours = compare(*SMALL, "policy=我的 政策.yaml")
    typed = compare(*SMALL, "instruments=[cqo,stewards]")
    assert ours.manifest["result"] == typed.manifest["result"]
    assert list(ours.manifest["input_files"]) == ["我的 政策.yaml"]


@pytest.mark.study
def test_a_changed_file_gives_the_bits_of_typed_levers_in_an_arm_too(tmp_path):
    (tmp_path / "p.yaml").write_text("label: Mine\ninstruments: {cqo: {reach: 0.25, targeting: worst_first}}\n", encoding="utf-8")
    typed = ["instruments=[cqo]", "instruments.cqo.reach=0.25", "instruments.cqo.targeting=worst_first"]
    ours = compare(*SMALL, "study.arms={nothing: ['instruments=[]'], mine: [policy=p.yaml]}")
    other = compare(*SMALL, f"study.arms={{nothing: ['instruments=[]'], mine: {json.dumps(typed)}}}")
    assert ours.manifest["result"] == other.manifest["result"]
    assert list(ours.manifest["input_files"]) == ["p.yaml"]
    assert ours.manifest["arms"]["mine"]["instruments"]["cqo"]["reach"] == 0.25, "a rerun needs no file"


@pytest.mark.study
def test_typed_settings_come_after_the_file_and_the_file_after_defaults(tmp_path):
    (tmp_path / "p.yaml").write_text("label: Mine\ninstruments: {cqo: {reach: 0.25, ramp: 7}, stewards: }\n", encoding="utf-8")
    _, settings = checked_settings(["policy=p.yaml", "instruments.cqo.reach=0.75"])
    cqo = settings.resolved["instruments"]["cqo"]
    assert (cqo["active"], cqo["reach"], cqo["ramp"]) == (True, 0.75, 7)
    assert not settings.resolved["instruments"]["one_stop_stations"]["active"], "the instruments are those of the file"
    _, settings = checked_settings(["policy=p.yaml", "instruments=[cqo]"])
    assert [one.key for one in settings.instruments] == ["cqo"]
    assert settings.instruments[0].ramp == 7


@pytest.mark.study
def test_a_file_that_changes_between_two_studies_is_read_again(tmp_path):
    for reach in (0.25, 0.5):
        (tmp_path / "p.yaml").write_text(f"label: Mine\ninstruments: {{cqo: {{reach: {reach}}}}}\n", encoding="utf-8")
        assert checked_settings(["policy=p.yaml"])[1].resolved["instruments"]["cqo"]["reach"] == reach


@pytest.mark.study
@pytest.mark.parametrize("typed", ["policy@x=p.yaml", "policy=[p.yaml]", "policy=q.yaml", "study.arms={a: [policy=q.yaml]}"])
def test_hydra_never_gets_a_path(tmp_path, typed):
    (tmp_path / "p.yaml").write_text("label: Mine\n", encoding="utf-8")
    (tmp_path / "q.yaml").write_text("# @package _global_\nhydra: {job: {chdir: true}}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"there is no policy 'p\.yaml'|there is no 'hydra' in a policy"):
        checked_settings([typed])


@pytest.mark.study
def test_no_file_of_the_configuration_brings_in_a_file_of_a_policy(tmp_path, monkeypatch):
    from experiments.configuration import preflight

    (tmp_path / "p.yaml").write_text("label: Mine\n", encoding="utf-8")
    (tmp_path / "experiment").mkdir()
    path = tmp_path / "experiment" / "x.yaml"
    path.write_text("# @package _global_\ndefaults:\n  - override /policy: p.yaml\n", encoding="utf-8")
    own = preflight.TypedOverride("+experiment=x", "+experiment=x", "experiment", ("x",), ("+experiment=x",))
    assert any("there is no policy 'p.yaml'" in one for one in preflight._file(path, own, []))


@pytest.mark.study
def test_an_exchange_takes_portfolios_of_the_program_alone(tmp_path):
    (tmp_path / "p.yaml").write_text("label: Mine\ninstruments: [cqo]\n", encoding="utf-8")
    readable, settings = checked_settings(["study=exchange", "region=sample", "policy=p.yaml"])
    with pytest.raises(SettingsError, match="a file of your own is for study=compare"):
        exchange_arms(settings, readable)
