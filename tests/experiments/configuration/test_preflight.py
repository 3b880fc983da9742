"""Every mistake of a command line is told at once, with what would be right; nothing is run."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

from experiments.configuration import files
from experiments.configuration import preflight as checks
from experiments.configuration.preflight import check_overrides, preflight
from experiments.configuration.settings import SettingsError, check_name, compose_settings, refuse_idle_settings

MISTAKES = [
    ("regoin=liaoning", ["no setting 'regoin'", "did you mean 'region'?"]),
    ("region=liaonin", ["there is no region 'liaonin'", "jinzhong, liaoning, nanping", "did you mean 'liaoning'?"]),
    ("instruments=[cqo,strong_chain_loan]", ["there is no instrument 'strong_chain_loan'", "did you mean 'strong_chain_loans'?"]),
    ("instruments.cqo.reech=0.5", ["did you mean 'instruments.cqo.reach'?"]),
    ("instruments.cko.reach=0.5", ["did you mean 'instruments.cqo.reach'?"]),
    ("latent_share=0.2", ["did you mean 'parameters.latent_share'?"]),
    ("+nonsense=1", ["no setting 'nonsense'"]),
    ("instruments.cqo.reach=2", ["instruments.cqo.reach is 2", "0 … 1 (share)"]),
    ("parameters.latent_share=abc", ["parameters.latent_share is 'abc'", "0 … 0.9"]),
    ("parameters.approval=[0.1,0.2]", ["3 numbers in 0 … 1"]),
    ("instruments.strong_chain_loans.tiers=1.5", ["whole number in 1 … 20 (tiers)"]),
    ("instruments.cqo.targeting=wurst", ["one of random", "did you mean 'worst_first'?"]),
    ("instruments.cqo.sizes=[small,huge]", ["is 'huge'", "small, medium, large"]),
    ("months=1.5", ["months is 1.5", "whole number in 1 … 12,000"]),
    ("months=many", ["months is 'many'"]),
    ("replicates=0", ["replicates is 0"]),
    ("months", ["months: its value is missing; type months=VALUE"]),
    ("name=a/b", ["name is 'a/b'", "plain name"]),
    ("policy=nune", ["there is no policy 'nune'", "did you mean 'none'?"]),
    ("study=compere", ["there is no study 'compere'", "did you mean 'compare'?"]),
    ("parallel=locky", ["did you mean 'loky'?"]),
    ("network.path=missing.csv", ["there is no file 'missing.csv'"]),
    ("network.path=nowhere/chain.csv", ["nor is there a folder 'nowhere'"]),
    ("hydra.launcher._target_=os.system", ["names code to run"]),
    ("+x={_target_: os.system}", ["names code to run"]),
    ("study.arms={a: [{_target_: os.system}]}", ["names code to run"]),
    ("hydra.job.chdir=true", ["of Hydra's own settings only"]),
    ("study.arms={nothing: 1}", ["arms are lists of overrides"]),
    ("study.arms={nothing: [], a/b: []}", ["an arm's name is 'a/b'", "plain name"]),
    ("study.arms={nothing: [], a: [months=3]}", ["study.arms.a sets months", "policy", "outside the arms"]),
    ("study.arms={nothing: [], a: ['parameters.latent_share=0,0.1']}", ["arm a", "one value", "outside the arms"]),
    ("study.arms.nothing=[regoin=x]", ["arm nothing", "no setting 'regoin'"]),
    ("study.arms={}", ["names no arm"]),
    ("study.arms=3", ["arms are lists of overrides"]),
    ("study.arms=[a]", ["arms are lists of overrides"]),
    ("study.arms={nothing: [], 0.5: []}", ["an arm's name is 0.5", "'arm 0.5'"]),
    ("study.arms={nothing: [], Nothing: []}", ["two arms are named 'nothing' and 'Nothing'", "one file on Windows"]),
    ("study.arms={nothing: ['instruments=[]'], nothing: ['instruments=[cqo]']}", ["nothing is named twice"]),
    ("study.arms={a:[burn_in=1],b: [], a:[scale=1]}", ["a is named twice"]),
    ("study.arms={半数: ['instruments=[]']}", ["'半数', which cannot be typed here", "configs/experiment/NAME.yaml"]),
    ("study.arms={R&D: ['instruments=[]']}", ["'R&D', which cannot be typed here"]),
    ("study.arms={<script>: ['instruments=[]']}", ["an arm's name is '<script>'", "plain name"]),
    ("study.arms.半数=[]", ["'半数', which cannot be typed here"]),
    ("study.arms.a b=[]", ["write it as 'study.arms={NAME: [OVERRIDE]}'"]),
    ("study.arms={a: ['instruments=[]']", ["} is missing at its end"]),
    ("study.arms={a: ['instruments=[]'", ["]} is missing at its end"]),
    ("study.arms={a: ['instruments=[]'}", ["a ] is missing before }"]),
    ("study.arms={a: []}}", ["there is a } too many"]),
    ("study.arms={it's: []}", ["a ' is left open"]),
    ("name=null", ["name is null; type name=NAME"]),
    ("network.path=null", ["network.path=null: which file?"]),
    ("network.path=", ["network.path=: which file? Type network.path=FILE.csv"]),
    ("network.nodes=.", ["network.nodes: '.' is a folder"]),
    ("network.filter={a: 1, a: 2}", ["a is named twice"]),
    ("~policy", ["cannot be removed", "policy=VALUE"]),
    ("study.kind=compar", ["study.kind is 'compar'", "did you mean 'compare'?"]),
    ("study.correction=homl", ["one of none, holm, bh, bonferroni", "did you mean 'holm'?"]),
    ("study.half_width=0", ["study.half_width is 0", "above 0 and at most 1"]),
    ("study.half_width=5%", ["study.half_width is '5%'"]),
    ("study.cap=1", ["study.cap is 1", "2 … 1,000,000"]),
    ("study={cap: 0}", ["study.cap is 0"]),
    ("save=[serie]", ["save names 'serie'", "groups, series, firms", "did you mean 'series'?"]),
    ("save=series", ["must be a list", "type 'save=[series]'"]),
    ("by=[tiers]", ["by names 'tiers'", "did you mean 'tier'?"]),
    ("quiet=quite", ["quiet is 'quite'", "true or false"]),
    ("scale=nan", ["scale is nan", "at most 100"]),
    ("parallel.backend=lokj", ["did you mean 'loky'?"]),
    ("parallel.workers=0", ["parallel.workers is 0", "-1 for every core"]),
    ("instruments.cqo.active=maybe", ["true or false"]),
    ("instruments.cqo={reach: 3}", ["instruments.cqo.reach is 3"]),
    ("instruments={cqo: {reech: 0.1}}", ["did you mean 'instruments.cqo.reach'?"]),
    ("instruments.cqo=3", ["instruments.cqo.NAME=VALUE"]),
    ("network.kind=file", ["type network=file"]),
    ("network.filter=3", ["network.filter is 3"]),
    ("parameters.latent_share=interval(0,1)", ["cannot be swept", "parameters.latent_share=A,B,C"]),
]


@pytest.mark.parametrize(("word", "said"), MISTAKES, ids=[word for word, _ in MISTAKES])
def test_a_mistake_is_told_with_what_would_be_right(word, said):
    _, mistakes = check_overrides([word])
    assert len(mistakes) == 1, mistakes
    assert all(part in mistakes[0] for part in said), mistakes[0]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("CON", "Windows keeps it"), ("nul.txt", "Windows keeps it"), ("Lpt9", "Windows keeps it"), ("a.", "dot"), ("a ", "blank"),
        (" a", "blank"), ("x" * 101, "101 characters; it must have at most 100"), ("a\nb", "control character"), ("a\x07", "control"),
        ("半" * 81, "80 Chinese"),
        ("<script>", "plain name"), ("", "plain name"), ("..", "plain name"),
    ],
)  # fmt: skip
def test_a_name_must_be_that_of_a_file_on_every_system(name, says):
    with pytest.raises(SettingsError, match=says):
        check_name(name, "name")


@pytest.mark.parametrize("name", ["半数", "R&D", "half of them", "v1.2", "console", "com10", "x" * 100, "半" * 80, "全　角"])
def test_most_names_will_do(name):
    check_name(name, "name")


def test_every_mistake_is_told_at_once():
    words = list({word.lstrip("+~").split("=")[0]: word for word, _ in MISTAKES}.values())
    _, mistakes = check_overrides(words)
    assert len(mistakes) == len(words)
    with pytest.raises(SettingsError, match=rf"{len(words)} mistakes; nothing was run\n  regoin"):
        preflight(words)


def test_every_value_of_a_sweep_is_checked():
    words = ["instruments.cqo.reach=0,1.5,0.5,2", "parameters.latent_share=range(0,1.5,0.5)", "study.cap=1,2", "save=[series],[x]"]
    _, mistakes = check_overrides(words)
    assert [m.split(";")[0] for m in mistakes] == [
        "instruments.cqo.reach is 1.5",
        "instruments.cqo.reach is 2",
        "parameters.latent_share is 1.0",
        "study.cap is 1",
        "save names 'x'",
    ]


def test_a_sweep_needs_its_flag():
    words = ["instruments.cqo.reach=0,1"]
    assert preflight(["--multirun", *words]) == ["--multirun", *words]
    with pytest.raises(SettingsError, match=r"^instruments.cqo.reach=0,1: several values are a sweep; type strongchain -m"):
        preflight(words)


@pytest.mark.parametrize("word", ["name=a,b", "quiet=true,false", "parallel=loky,serial", "parallel.workers=1,2", "save=[series],[]"])
def test_what_holds_for_a_whole_sweep_has_one_value(word):
    with pytest.raises(SettingsError, match="holds for a whole study or sweep; give it one value"):
        preflight(["-m", "region=sample", word, "seed=1,2"])


def test_a_setting_typed_twice_is_told_with_both():
    assert check_overrides(["months=12", "seed=1", "+months=13"])[1] == [
        "months=12 and +months=13: months is typed twice; keep one of them"
    ]
    assert "is typed 3 times" in check_overrides(["seed=1", "seed=2", "seed=3"])[1][0]
    assert check_overrides(["months=12", "months=0"])[1][0].startswith("months is 0")
    assert len(check_overrides(["months=12", "months=0"])[1]) == 2
    assert "arm a: burn_in=1 and burn_in=2" in check_overrides(["study.arms={a: [burn_in=1, burn_in=2], nothing: []}"])[1][0]
    assert not check_overrides(["instruments=[cqo]", "instruments={cqo: {reach: 0.5}}"])[1]


SOUND = [
    [],
    ["region=liaoning", "months=24", "replicates=3", "seed=7", "name=try"],
    ["instruments=[cqo,strong_chain_loans]", "instruments.strong_chain_loans.reach=0.5"],
    ["-m", "instruments.cqo.reach=0,0.25,0.5,1", "instruments.one_stop_stations.per_1000_firms=0,1,2"],
    ["study.arms={nothing: ['instruments=[]'], half: ['instruments.cqo.reach=0.5']}"],
    ["parameters.cqo_solving=0", "parallel.workers=1", "check=true", "by=[chain]"],
    ["instruments.cqo.budget=null", "instruments.cqo.length=null"],
    ["hydra.run.dir=somewhere"],
    ["save=[series,firms]", "quiet=true", "study.correction=holm", "study.half_width=0.05", "study.cap=1000000"],
    ["study.half_width=null", "study.arms=null", "save=[]"],
    ["-m", "region=glob(*)", "study.correction=none,bh"],
    ["network=synthetic", "study.arms={a: ['network.mean_suppliers=4']}", "study.reference=a"],
    ["policy=none", "instruments.cqo.active=true", "instruments.cqo.reach=0.5"],
    ["scale=0.1", "parameters.problem_rate=[0.1,0.1,0.1,0.1]"],
]


@pytest.mark.parametrize("words", SOUND, ids=[" ".join(words) or "nothing" for words in SOUND])
def test_sound_words_pass_unchanged(words):
    assert preflight(words) == words


def test_flags_come_first_and_take_along_what_belongs_to_them():
    """Hydra reads no override that stands before a flag and another after it."""
    words = ["region=sample", "-m", "instruments.cqo.reach=0,1", "--package", "study", "seed=1", "--help"]
    overrides = ["region=sample", "instruments.cqo.reach=0,1", "seed=1"]
    assert preflight(words) == ["-m", "--package=study", "--help", *overrides]
    assert preflight(["--info", "seed=1"]) == ["--info=all", "seed=1"]
    assert preflight(["seed=1", "--cfg", "job"]) == ["--cfg=job", "seed=1"]


@pytest.mark.parametrize("words", [["--config-dir", "somewhere"], ["-cn", "somewhere"], ["--config-path=somewhere"]])
def test_settings_from_elsewhere_are_refused(words):
    with pytest.raises(SettingsError, match="takes settings from another place"):
        preflight(words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--hepl"], "--hepl: there is no such flag; did you mean '--help'?"),
        (["--config-d", "somewhere"], "--config-d: there is no such flag"),
        (["--cfg", "jbo"], "--cfg jbo: it must be one of job, hydra, all; did you mean 'job'?"),
        (["--cfg=jbo"], "--cfg jbo: it must be one of job, hydra, all; did you mean 'job'?"),
        (["--info", "searchpaht"], "did you mean 'searchpath'?"),
        (["--cfg"], "--cfg: it must be one of job, hydra, all"),
        (["-p"], "-p: it must be a name"),
        (["-m", "seed=1,2", "--cfg", "job"], "-m and --cfg: Hydra takes only one of them"),
    ],
)
def test_a_wrong_flag_is_told_with_the_right_one(words, says):
    with pytest.raises(SettingsError, match=re.escape(says)):
        preflight(words)


@pytest.mark.parametrize("name", ["链条 一.csv", "chain (2).csv", "it's.csv", "a,b.csv", "a=b {c}.csv", "näheres [1].csv"])
def test_names_of_files_just_work(tmp_path, name):
    """Chinese characters, blanks, brackets and quotes are quoted for Hydra, which reads back what was typed."""
    path = tmp_path / name
    path.write_text("supplier,customer\nA,B\n", encoding="utf-8")
    words = preflight(["network=file", f"network.path={path}"])
    assert compose_settings(words).network.path == str(path)


def test_a_misspelt_file_is_told_with_the_nearest(tmp_path):
    (tmp_path / "链条表.csv").write_text("supplier,customer\nA,B\n", encoding="utf-8")
    _, mistakes = check_overrides(["network=file", f"network.path={tmp_path / '链条.csv'}"])
    assert len(mistakes) == 1
    assert "did you mean '链条表.csv'?" in mistakes[0]


@pytest.mark.parametrize(
    ("typed", "read", "value"),
    [
        ("+months=24", "months=24", 24),
        ("study.arms.nothing=[parameters.latent_share=0.5]", "++study.arms.nothing=['parameters.latent_share=0.5']",
         {"nothing": ["parameters.latent_share=0.5"]}),
        ("study.arms={nothing: [burn_in=3], b: []}", "study.arms={nothing: ['burn_in=3'], b: []}", {"nothing": ["burn_in=3"], "b": []}),
        ("study.arms={nothing: [instruments=[], burn_in=1]}", "study.arms={nothing: ['instruments=[]', 'burn_in=1']}",
         {"nothing": ["instruments=[]", "burn_in=1"]}),
        ("network.filter.chain=3", "++network.filter.chain=3", {"chain": 3}),
        ("network.filter={chain: 链 一}", "network.filter={chain: '链 一'}", {"chain": "链 一"}),
    ],
)  # fmt: skip
def test_what_hydra_wants_otherwise_is_mended(typed, read, value):
    words = preflight(["network=file", typed])
    assert words[1] == read
    config = compose_settings(words)
    for part in typed.lstrip("+").split("=")[0].split(".")[:2]:
        config = config[part]
    assert config == value


# -- words together ------------------------------------------------------------------------------------


def test_a_setting_that_two_kinds_of_network_have_is_checked_by_either(tmp_path):
    """Leaders of a file are names, those of a synthetic network a number."""
    chain = tmp_path / "chain.csv"
    chain.write_text("supplier,customer\na,b\nb,L\n", encoding="utf-8")
    of_file = [f"network.path={chain}", "network=file", "network.leaders=[L]"]
    preflight(of_file)  # which raises what it refuses
    preflight(["network=synthetic", "network.leaders=3"])
    with pytest.raises(SettingsError, match=r"network\.leaders is 0; it must be a whole number in 1 … 100000"):
        preflight(["network=synthetic", "network.leaders=0"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["network=file", "network.leaders=3"], "network.leaders is 3; it must be a list of names: 'network.leaders=[NAME,NAME]' ("),
        (["network=synthetic", "network.leaders=[L]"], "network.leaders is ['L']; it must be a whole number in 1 … 100000 (firms) ("),
        (["network=synthetic", "network={leaders: [L]}"], "network.leaders is ['L']; it must be a whole number in 1 … 100000 (firms) ("),
        (["network=input_output", "network.keep=3"], "network.keep is 3; it must be a list of names: 'network.keep=[NAME,NAME]'"),
        (["network=synthetic", "study.arms={nothing: [], a: ['network.leaders=[L]']}"], "arm a: network.leaders is ['L']; it must"),
    ],
)
def test_a_value_that_is_right_for_another_kind_of_network_gets_one_line_of_ours(words, says):
    [mistake] = check_overrides(words)[1]
    assert mistake.startswith(says)


def test_a_file_with_a_value_for_another_kind_of_network_gets_one_line_of_ours(configs):
    configs("experiment/mine.yaml", "# @package _global_\ndefaults:\n  - override /network: file\nnetwork: {leaders: 3}\n")
    [mistake] = check_overrides(["+experiment=mine"])[1]
    assert mistake.startswith("configs/experiment/mine.yaml: network.leaders is 3; it must be a list of names")


@pytest.mark.parametrize("network", ["file", "synthetic", "input_output"])
def test_scale_beside_a_network_of_ones_own_is_refused(network):
    [mistake] = check_overrides([f"network={network}", "scale=0.5"])[1]
    assert mistake == (
        f"scale=0.5: scale is for the firms of a region, but network={network} brings its own firms; "
        "leave scale out, or type network=region"
    )


def test_scale_counts_where_an_arm_has_the_network_of_a_region():
    arms = "study.arms={nothing: [], made: [network=synthetic]}"
    assert check_overrides(["scale=0.5", arms])[1] == []
    [mistake] = check_overrides([arms.replace("[network=synthetic]", "[network=synthetic, scale=0.5]")])[1]
    assert mistake.startswith("arm made: scale=0.5: scale is for the firms of a region")


def test_a_lever_of_an_inactive_instrument_is_told():
    _, mistakes = check_overrides(["instruments=[cqo]", "instruments.strong_chain_loans.reach=1"])
    assert len(mistakes) == 1
    assert "to activate it, type 'instruments=[cqo,strong_chain_loans]'" in mistakes[0]
    words = ["instruments=[cqo]", "instruments.strong_chain_loans.active=true", "instruments.strong_chain_loans.reach=1"]
    assert not check_overrides(words)[1]
    inside = check_overrides(["instruments=[]", "instruments.cqo={reach: 1, ramp: 2}"])[1]
    assert len(inside) == 1 and "cqo is not active" in inside[0]


def test_idle_levers_are_refused_before_a_job_too():
    config = compose_settings(["instruments=[cqo]", "network=synthetic"])
    refuse_idle_settings(config, ["instruments.cqo.reach=1", "network.mean_suppliers=4", "instruments.cqo.active=true"])
    with pytest.raises(SettingsError, match="one_stop_stations is not active") as told:
        refuse_idle_settings(config, ["instruments.one_stop_stations.reach=1", "network.path=x"])
    assert "network=file" in str(told.value)


def test_a_setting_of_another_kind_of_network_is_told(tmp_path):
    _, mistakes = check_overrides(["network.mean_suppliers=4"])
    assert len(mistakes) == 1
    assert "type network=synthetic, or leave the setting out" in mistakes[0]
    assert not check_overrides(["network=synthetic", "network.mean_suppliers=4"])[1]


def test_arms_are_checked_as_if_typed():
    _, mistakes = check_overrides(["study.arms={a: ['instruments.cqo.reach=3', 'regoin=x'], b: ['x=1'], nothing: ['instruments=[]']}"])
    assert [m.split(":")[0] for m in mistakes] == ["arm a", "arm a", "arm b"]


def test_an_arm_is_composed_after_the_words_of_the_study():
    """What the study chooses holds in an arm, unless the arm chooses otherwise."""
    mean = "study.arms={nothing: [], a: [network.mean_suppliers=4], b: [network=region, network.mean_suppliers=4]}"
    _, mistakes = check_overrides(["network=synthetic", mean])
    assert [m.split(":")[0] for m in mistakes] == ["arm b"]
    assert "type network=synthetic, or leave the setting out" in mistakes[0]
    lever = "study.arms={nothing: [], a: [instruments.cqo.reach=1], b: ['instruments=[cqo]', instruments.cqo.reach=1], c: [policy=none]}"
    assert [m.split(":")[0] for m in check_overrides(["policy=none", lever])[1]] == ["arm a"]
    assert check_overrides([lever])[1] == []


def test_arms_of_one_name_are_told_across_words_but_not_across_points():
    assert "one file on Windows" in check_overrides(["study.arms={A: []}", "study.arms.a=[]"])[1][0]
    assert not any("Windows" in said for said in check_overrides(["study.arms={A: []},{a: []}"])[1])


NONE = "but there is no such arm; the arms are nothing, cqo, one_stop_stations, strong_chain_loans, all"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["study.reference=nothing,cpo"], [f"study.reference is 'cpo', {NONE}; did you mean 'cqo'?"]),
        (["study.reference=foo", "months=0", "window=70"], ["months is 0", f"study.reference is 'foo', {NONE}"]),
        (["study.reference=null"], ["study.reference is None"]),
        (["study.arms.半数=[]", "study.reference=半数"], ["cannot be typed here"]),
        (["months=abc", "window=70"], ["months is 'abc'"]),
        (["study.kind=x", "study.reference=foo"], ["study.kind is 'x'", "'foo', but there is no such arm"]),
        (["instruments=[cqo],[]", "study.reference=cqo"], ["'cqo', but there is no such arm; the arms are nothing (at instruments=[])"]),
        (["instruments=[cqo]", "study.reference=all"], ["'all', but there is no such arm; the arms are nothing, cqo"]),
        (["study.arms={a: []}"], ["study.reference is 'nothing', but there is no such arm; the arms are a"]),
        (["study.arms={a: []},{nothing: []}"], ["the arms are a"]),
        (["study.half_width=0.1,null", "study.cap=10"], ["study.cap is 10, less than replicates=20"]),
    ],
)
def test_settings_that_contradict_each_other_are_told_whatever_the_point(words, says):
    mistakes = check_overrides(words)[1]
    assert len(mistakes) == len(says), mistakes
    assert all(said in mistake for said, mistake in zip(says, mistakes, strict=True)), mistakes


@pytest.mark.parametrize(
    "words",
    [
        ["window=6,12", "months=12,24"],
        ["months=6"],
        ["window=24", "months=12"],
        ["study.cap=10"],
        ["study.half_width=0.1", "study.cap=10", "replicates=10"],
        ["study.arms={a: []}", "study.arms.nothing=[]"],
        ["study.arms={a: []},{b: [], a: []}", "study.reference=a"],
        ["study={reference: all}"],
        ["instruments=[]", "instruments.cqo={active: true}", "study.reference=cqo"],
    ],
)
def test_settings_that_agree_pass(words):
    assert check_overrides(words)[1] == []


def test_what_an_experiment_sets_is_held_against_what_is_typed(configs):
    configs("experiment/mine.yaml", "# @package _global_\nstudy: {reference: a, arms: {a: [], b: [burn_in=3]}}\n")
    assert check_overrides(["experiment=mine"])[1] == []
    assert check_overrides(["experiment=mine", "study.reference=c"])[1] == [
        "study.reference is 'c', but there is no such arm; the arms are a, b"
    ]


@pytest.mark.study
def test_a_lever_counts_where_an_arm_makes_it_count(configs):
    """What is typed outside the arms holds in all of them, so it is enough that it changes something in one."""
    words = ["policy=none", "instruments.cqo.reach=1"]
    assert len(check_overrides(words)[1]) == len(check_overrides([*words, "study.arms={nothing: [], b: [burn_in=3]}"])[1]) == 1
    assert check_overrides([*words, "study.arms={nothing: [], b: ['instruments=[cqo]']}"])[1] == []
    assert check_overrides([*words, "study.arms.nothing=['instruments=[cqo]']"])[1] == []
    assert len(check_overrides([*words, "study.arms={nothing: 1}", "study.arms.c=2"])[1]) == 3
    configs("experiment/mine.yaml", "# @package _global_\nstudy: {arms: {nothing: [], b: ['instruments=[cqo]']}}\n")
    assert check_overrides(["experiment=mine", *words])[1] == []
    config = compose_settings(["policy=none", "study.arms={nothing: []}"])
    refuse_idle_settings(config, ["instruments.cqo.reach=1"])


@pytest.mark.study
def test_a_lever_that_some_points_of_a_sweep_lack_is_told_once():
    words = ["instruments=[cqo],[one_stop_stations],[]", "region=sample,liaoning", "instruments.cqo.reach=0.2,0.4"]
    _, mistakes = check_overrides(words)
    assert len(mistakes) == 1
    assert mistakes[0].startswith("instruments.cqo.reach=0.2,0.4: cqo is not active")
    assert mistakes[0].endswith("(at instruments=[one_stop_stations] and 1 more of 3 points)")
    _, mistakes = check_overrides(["network=synthetic,file", "network.mean_suppliers=4"])
    assert len(mistakes) == 1 and mistakes[0].endswith("(at network=file)")
    _, mistakes = check_overrides(["instruments=[cqo],[]", "study.arms={a: [instruments.cqo.reach=1], nothing: ['instruments=[]']}"])
    assert len(mistakes) == 1 and mistakes[0].startswith("arm a: ") and mistakes[0].endswith("(at instruments=[])")


def test_a_large_grid_is_looked_at_along_its_edges(monkeypatch):
    asked, without = [], compose_settings(["instruments=[]"])
    monkeypatch.setattr(checks, "_composed", lru_cache(lambda words: asked.append(words) or without))
    many = ",".join(["[cqo]", "[one_stop_stations]", "[strong_chain_loans]", "[]"] * 8)
    kinds, policies = "network=region,synthetic", "policy=custom,none"
    _, mistakes = check_overrides([f"instruments={many}", kinds, policies, "instruments.cqo.reach=0.3"])
    assert len(asked) == len(set(asked)) <= checks.MOST_POINTS
    assert ("instruments=[cqo]", "network=region", "policy=none") in asked
    assert len(mistakes) == 1


# -- files of the configuration --------------------------------------------------------------------------


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """Write files into a folder that Hydra and the checks take for configs/ as well."""
    folder = tmp_path / "configs"
    for group in ("policy", "experiment", "region", "parallel"):
        (folder / group).mkdir(parents=True)
        for path in sorted((files.CONFIGS / group).glob("*.yaml")):
            (folder / group / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(files, "CONFIGS", folder)
    monkeypatch.setattr(checks, "compose_settings", lambda words: compose_settings([*words, f"hydra.searchpath=[file://{folder}]"]))
    checks._composed.cache_clear()
    yield lambda name, text: (folder / name).write_text(text, encoding="utf-8")
    checks._composed.cache_clear()


#: What an experiment file says after its first line → what is said of it.
EXPERIMENTS = [
    ("months: 36\ninstruments:\n  cqo: {reach: 0.8}\n", []),
    ("defaults:\n  - override /region: sample\n  - override /instruments: [cqo]\ninstruments:\n  cqo: {reach: 0.8}\n", []),
    ("defaults:\n  - override /network: synthetic\nnetwork: {mean_suppliers: 4}\n", []),
    ("months: 0\n", ["months is 0"]),
    ("study: {cap: 1, kind: compar}\n", ["study.cap is 1", "did you mean 'compare'?"]),
    ("instruments:\n  cqo: {reach: 7}\nparameters: {latent_share: much}\n", ["reach is 7", "latent_share is 'much'"]),
    ("parameters:\n  approval: [0.1, 0.2]\n", ["3 numbers in 0 … 1"]),
    ("mnths: 3\ninstruments:\n  cqo: {reech: 1}\n", ["did you mean 'months'?", "did you mean 'instruments.cqo.reach'?"]),
    ("defaults:\n  - override /instruments: []\ninstruments:\n  cqo: {reach: 0.8}\n", ["cqo is not active"]),
    ("network: {mean_suppliers: 4}\n", ["type network=synthetic, or leave the setting out"]),
    ("defaults:\n  - override /instruments: [cko]\n", ["did you mean 'cqo'?"]),
    ("defaults:\n  - override /region: liaonin\n", ["did you mean 'liaoning'?"]),
    ("defaults:\n  - override /policy: bad\n", ["configs/policy/bad.yaml: seed is -1"]),
    ("defaults:\n  - override /policyy: none\n", ["did you mean 'policy'?"]),
    ("defaults:\n  - /policy: none\n", ["override policy: none"]),
    ("defaults: 3\n", ["defaults must be a list"]),
    ("study:\n  arms:\n    a: [instruments.cqo.reach=3]\n    b: [seed=3]\n", ["arm a: instruments.cqo.reach is 3", "arms.b sets seed"]),
    (
        "defaults:\n  - override /instruments: [cqo]\nstudy:\n  arms:\n    a: [instruments.cqo.reach=0.3]\n"
        "    b: ['instruments=[]', instruments.cqo.reach=0.3]\n    c: [regoin=x]\n",
        ["arm b: instruments.cqo.reach=0.3: cqo is not active", "arm c: regoin=x"],
    ),
    ("study: {arms: 3}\n", ["arms are lists of overrides"]),
    ("x: {_target_: os.system}\n", ["names code to run"]),
    ("hydra: {callbacks: {mine: {_target_: os.system}}}\n", ["names code to run"]),
    ("study:\n  arms:\n    a: ['+x={_target_: os.system}']\n", ["names code to run"]),
    ("hydra: {mode: MULTIRUN}\n", ["of Hydra's own settings only"]),
    ("network: {path: missing.csv}\n", ["there is no file 'missing.csv'"]),
    ("save: series\n", ["save=series: it must be a list"]),
    ("name: a/b\n", ["name is 'a/b'"]),
    ("a: [1\n", ["cannot be read"]),
    ("months: 12\nmonths: 13\n", ["found duplicate key months"]),
    ("study:\n  arms:\n    nothing: []\n    nothing: ['instruments=[]']\n", ["found duplicate key nothing"]),
    ("study: {arms: {half: [], Half: []}}\n", ["one file on Windows"]),
    ("study: {arms: {0.5: []}}\n", ["an arm's name is 0.5"]),
    ("study: {arms: {nothing: [], 半数: ['instruments=[]'], R&D: []}}\n", []),
    ("- months\n", ["holds no settings"]),
]


@pytest.mark.parametrize(("text", "said"), EXPERIMENTS, ids=[text for text, _ in EXPERIMENTS])
def test_an_experiment_file_is_checked_as_if_typed(configs, text, said):
    configs("policy/bad.yaml", "# @package _global_\nseed: -1\n")
    configs("experiment/mine.yaml", f"# @package _global_\n{text}")
    _, mistakes = check_overrides(["+experiment=mine"])
    assert len(mistakes) == len(said), mistakes
    for mistake, part in zip(mistakes, said, strict=True):
        assert part in mistake
        assert "experiment/mine" in mistake or "+experiment=mine" in mistake


@pytest.mark.study
def test_an_experiment_is_checked_beside_what_is_typed(configs):
    configs("experiment/mine.yaml", "# @package _global_\nstudy:\n  reference: a\n  arms:\n    a: [network.mean_suppliers=4]\n")
    assert len(check_overrides(["experiment=mine"])[1]) == 1
    assert check_overrides(["experiment=mine", "network=synthetic"]) == (["+experiment=mine", "network=synthetic"], [])
    _, mistakes = check_overrides(["experiment=mina"])
    assert "did you mean 'mine'?" in mistakes[0]
    configs("experiment/few.yaml", "# @package _global_\ndefaults:\n  - override /instruments: [one_stop_stations]\n")
    _, mistakes = check_overrides(["experiment=few", "instruments.cqo.reach=0.4"])
    assert len(mistakes) == 1 and "cqo is not active" in mistakes[0]


def test_a_file_of_a_package_of_its_own_is_told(configs):
    configs("experiment/mine.yaml", "months: 36\n")
    _, mistakes = check_overrides(["+experiment=mine"])
    assert len(mistakes) == 1 and "# @package _global_" in mistakes[0]


def test_files_of_every_group_are_checked_as_if_typed(configs):
    head = "# @package _global_\ndefaults:\n  - override /instruments: [cqo]\n"
    configs("policy/mine.yaml", head + "instruments:\n  cqo:\n    reach: 7\n    reech: 0.1\nmonths: none\n")
    configs("parallel/odd.yaml", "workers: 2\nworkres: 3\n")
    configs("region/home.yaml", "key: home\nchains: 0\nsources: {chains: somewhere}\n")
    _, mistakes = check_overrides(["policy=mine,none", "parallel=odd", "region=home"])
    said = "\n".join(mistakes)
    assert len(mistakes) == 5, said
    assert "configs/policy/mine.yaml: instruments.cqo.reach is 7" in said
    assert "did you mean 'instruments.cqo.reach'?" in said
    assert "configs/policy/mine.yaml: months is 'none'" in said
    assert "configs/parallel/odd.yaml" in said and "did you mean 'parallel.workers'?" in said
    assert "configs/region/home.yaml: region.chains is 0" in said


@pytest.mark.study
def test_every_file_that_is_shipped_is_sound():
    for path in sorted(files.CONFIGS.glob("*/*.yaml")):
        word = f"{'+' if path.parent.name == 'experiment' else ''}{path.parent.name}={path.stem}"
        assert check_overrides([word])[1] == [], word
    assert Path(files.CONFIGS / "strongchain.yaml").is_file()
