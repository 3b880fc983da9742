"""Every mistake of a command line is reported at once, with the correction; nothing is run."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

from experiments.configuration import files
from experiments.configuration import preflight as checks
from experiments.configuration.overrides import read_override
from experiments.configuration.preflight import check_overrides, preflight
from experiments.configuration.settings import SettingsError, check_name, compose_settings, refuse_idle_settings

pytestmark = pytest.mark.study  # configurations are composed, each in a fifth of a second

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
    ("study.arms.a b=[]", ['write it as "study.arms={NAME: [OVERRIDE]}"']),
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
    ("save=series", ["must be a list", 'type "save=[series]"']),
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
    ("months=6,range(7,9)", ["cannot be swept", "months=A,B,C"]),
    ("months=choice(6,choice(7,8))", ["cannot be swept", "months=A,B,C"]),
    ("months=range(1,9,0)", ["cannot be swept", "months=A,B,C"]),
    ("scale=range(0,nan)", ["cannot be swept", "scale=A,B,C"]),
    ("months=range(0,5,-1)", ["months=range(0,5,-1): has no values", "months=A,B,C"]),
    ("region=glob(zzz)", ["region=glob(zzz): has no values", "region=A,B,C"]),
    (f"months={'9' * 5_000}", ["it must be a whole number"]),
    ("name=[2026-99-99,a:b]", ["plain name"]),
]


@pytest.mark.parametrize(("override", "expected"), MISTAKES, ids=[override for override, _ in MISTAKES])
def test_a_mistake_is_reported_with_the_correction(override, expected):
    _, mistakes = check_overrides([override])
    assert len(mistakes) == 1, mistakes
    assert all(part in mistakes[0] for part in expected), mistakes[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CON", "Windows keeps it"), ("nul.txt", "Windows keeps it"), ("Lpt9", "Windows keeps it"), ("a.", "dot"), ("a ", "blank"),
        (" a", "blank"), ("x" * 101, "101 characters; it must have at most 100"), ("a\nb", r"character 2 is U\+000A, a tab or line end"),
        ("a\x07", "U\\+0007, a control character"), ("half\u202e", r"character 5 is U\+202E.* direction of writing; delete it"),
        ("\u200bhalf", "U\\+200B"),
        ("半" * 81, "80 Chinese"),
        ("<script>", "plain name"), ("", "plain name"), ("..", "plain name"),
    ],
)  # fmt: skip
def test_a_name_must_be_that_of_a_file_on_every_system(name, expected):
    with pytest.raises(SettingsError, match=expected):
        check_name(name, "name")


@pytest.mark.parametrize("name", ["半数", "R&D", "half of them", "v1.2", "console", "com10", "x" * 100, "半" * 80, "全　角"])
def test_most_names_will_do(name):
    check_name(name, "name")


def test_all_mistakes_are_reported_at_once():
    overrides = list({override.lstrip("+~").split("=")[0]: override for override, _ in MISTAKES}.values())
    _, mistakes = check_overrides(overrides)
    assert len(mistakes) == len(overrides)
    with pytest.raises(SettingsError, match=rf"{len(overrides)} mistakes; nothing was run\n  regoin"):
        preflight(overrides)


MOST = "a sweep has at most 10,000: type fewer values, or several sweeps, each with a name of its own"


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("months=range(1,1000000000)", "999,999,999 points"),
        ("months=range(0,-20001,-2)", "10,001 points"),
        ("months=shuffle(range(1,1000000000))", "999,999,999 points"),
        ("scale=float(range(1,1000000000))", "999,999,999 points"),
        ("scale=range(0.1,1,1e-12)", "900,000,000,000 points"),
        ("scale=range(0,inf)", "more points than can be counted"),
        ("months=range(0,1" + "0" * 4_000 + ")", "more points than can be counted"),
        ("months=6,range(1,1000000000)", "1,000,000,000 points"),
        ("months=choice(6,7),range(1,10000)", "10,001 points"),
        ("months=" + "6," * 10_000 + "7", "10,001 points"),
    ],
)
def test_the_points_of_a_sweep_are_counted_and_not_made(typed, points):
    for flags in ([], ["-m"]):
        with pytest.raises(SettingsError, match=re.escape(points)) as refused:
            preflight([*flags, typed])
        assert len(str(refused.value).splitlines()) == 1
        assert str(refused.value).endswith(MOST)


def test_the_points_of_all_sweeps_together_are_counted():
    assert len(preflight(["-m", "months=range(6,106)", "seed=range(0,100)"])) == 3
    with pytest.raises(SettingsError) as refused:
        preflight(["-m", "months=range(6,107)", "quiet=true", "seed=range(0,100)"])
    assert str(refused.value) == f"months=range(6,107) seed=range(0,100): 10,100 points; {MOST}"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("name=" + "x" * 5_000_000, "5,000,005 characters; a setting has at most 100,000"),
        ("x" * 100_001, "100,001 characters"),
        ("study.regions=[" + "1," * 1_000_000 + "1]", "2,000,017 characters"),
        ("study.regions=[" + "1," * 2_000 + "1]", "2,001 entries; the lists of a setting together have at most 2,000"),
        *((f"study.regions={bracket * 5_000}", "5,000 brackets inside each other; a value has at most 50") for bracket in "[({"),
        ("study.regions=" + "[" * 5_000 + "]" * 5_000, "5,000 brackets"),
        ("study.regions=" + "${" * 5_000, "5,000 brackets"),
    ],
)
def test_a_value_that_is_too_long_to_read_is_refused_at_once_and_shown_in_part(typed, why):
    with pytest.raises(SettingsError, match=why) as refused:
        preflight([typed])
    (line,) = str(refused.value).splitlines()
    assert line.startswith(typed[:60] + "…: ") and line.endswith("; write it into a file configs/experiment/NAME.yaml") and len(line) < 250


@pytest.mark.parametrize("value", ["- " * 2_000 + "x", "&a [*a]", "[&a [x,x],&b [*a,*a],*b]", "." * 10_000])
def test_text_that_yaml_would_unfold_is_read_as_text(value):
    assert read_override(f"name={value}").values == (value,)


def test_a_list_of_as_many_entries_as_are_taken_is_read():
    (value,) = read_override("study.regions=[" + "'安徽 a'," * 499 + "a]").values
    assert len(value) == 500


def test_every_value_of_a_sweep_is_checked():
    overrides = ["instruments.cqo.reach=0,1.5,0.5,2", "parameters.latent_share=range(0,1.5,0.5)", "study.cap=1,2", "save=[series],[x]"]
    _, mistakes = check_overrides(overrides)
    assert [m.split(";")[0] for m in mistakes] == [
        "instruments.cqo.reach is 1.5",
        "instruments.cqo.reach is 2",
        "parameters.latent_share is 1.0",
        "study.cap is 1",
        "save names 'x'",
    ]


def test_a_sweep_needs_its_flag():
    overrides = ["instruments.cqo.reach=0,1"]
    assert preflight(["--multirun", *overrides]) == ["--multirun", *overrides]
    with pytest.raises(SettingsError, match=r"^instruments.cqo.reach=0,1: several values are a sweep; type strongchain -m"):
        preflight(overrides)


@pytest.mark.parametrize("override", ["name=a,b", "quiet=true,false", "parallel=loky,serial", "parallel.workers=1,2", "save=[series],[]"])
def test_what_holds_for_a_whole_sweep_has_one_value(override):
    with pytest.raises(SettingsError, match="holds for a whole study or sweep; give it one value"):
        preflight(["-m", "region=sample", override, "seed=1,2"])


def test_a_setting_typed_twice_is_reported_with_both_values():
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
    ["-m", "region=glob(j*)", "study.correction=none,bh"],
    ["network=synthetic", "study.arms={a: ['network.mean_suppliers=4']}", "study.reference=a"],
    ["policy=none", "instruments.cqo.active=true", "instruments.cqo.reach=0.5"],
    ["scale=0.1", "parameters.problem_rate=[0.1,0.1,0.1,0.1]"],
]


@pytest.mark.parametrize("arguments", SOUND, ids=[" ".join(arguments) or "nothing" for arguments in SOUND])
def test_valid_arguments_pass_unchanged(arguments):
    assert preflight(arguments) == arguments


def test_flags_come_first_and_take_along_what_belongs_to_them():
    """Hydra does not read overrides both before and after a flag."""
    arguments = ["region=sample", "-m", "instruments.cqo.reach=0,1", "--package", "study", "seed=1", "--help"]
    overrides = ["region=sample", "instruments.cqo.reach=0,1", "seed=1"]
    assert preflight(arguments) == ["-m", "--package=study", "--help", *overrides]
    assert preflight(["--info", "seed=1"]) == ["--info=all", "seed=1"]
    assert preflight(["seed=1", "--cfg", "job"]) == ["--cfg=job", "seed=1"]


@pytest.mark.parametrize("arguments", [["--config-dir", "somewhere"], ["-cn", "somewhere"], ["--config-path=somewhere"]])
def test_settings_from_elsewhere_are_refused(arguments):
    with pytest.raises(SettingsError, match="takes settings from another place"):
        preflight(arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
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
def test_a_wrong_flag_is_reported_with_the_right_one(arguments, expected):
    with pytest.raises(SettingsError, match=re.escape(expected)):
        preflight(arguments)


@pytest.mark.parametrize("name", ["链条 一.csv", "chain (2).csv", "it's.csv", "a,b.csv", "a=b {c}.csv", "näheres [1].csv"])
def test_names_of_files_just_work(tmp_path, name):
    """Chinese characters, blanks, brackets and quotes are quoted for Hydra, which reads back what was typed."""
    path = tmp_path / name
    path.write_text("supplier,customer\nA,B\n", encoding="utf-8")
    overrides = preflight(["network=file", f"network.path={path}"])
    assert compose_settings(overrides).network.path == str(path)


def test_a_name_of_a_file_that_is_too_long_and_a_device_are_reported(tmp_path):
    _, mistakes = check_overrides(["network=file", f"network.path={'x' * 5_000}"])
    assert len(mistakes) == 1 and "there is no file" in mistakes[0]
    _, mistakes = check_overrides(["network=file", "network.path=/dev/null"])
    assert mistakes == ["network.path: '/dev/null' is a pipe or a device; save what it gives as a CSV file, and name that file"]


def test_bounds_of_files_are_checked_before_anything_starts(tmp_path):
    _, mistakes = check_overrides(["network=file", "network.most_rows=0", "network.most_megabytes=much"])
    assert mistakes == [
        "network.most_rows is 0; it must be a whole number in 1 … 1e+09 (rows)",
        "network.most_megabytes is 'much'; it must be a whole number in 1 … 1e+06 (MB)",
    ]


def test_a_misspelt_file_is_reported_with_the_nearest_name(tmp_path):
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
def test_what_hydra_reads_differently_is_corrected(typed, read, value):
    overrides = preflight(["network=file", typed])
    assert overrides[1] == read
    config = compose_settings(overrides)
    for part in typed.lstrip("+").split("=")[0].split(".")[:2]:
        config = config[part]
    assert config == value


# -- overrides together --------------------------------------------------------------------------------


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
    ("overrides", "expected"),
    [
        (["network=file", "network.leaders=3"], 'network.leaders is 3; it must be a list of names: "network.leaders=[NAME,NAME]" ('),
        (["network=synthetic", "network.leaders=[L]"], "network.leaders is ['L']; it must be a whole number in 1 … 100000 (firms) ("),
        (["network=synthetic", "network={leaders: [L]}"], "network.leaders is ['L']; it must be a whole number in 1 … 100000 (firms) ("),
        (["network=input_output", "network.keep=3"], 'network.keep is 3; it must be a list of names: "network.keep=[NAME,NAME]"'),
        (["network=synthetic", "study.arms={nothing: [], a: ['network.leaders=[L]']}"], "arm a: network.leaders is ['L']; it must"),
    ],
)
def test_a_value_that_is_right_for_another_kind_of_network_gets_one_line(overrides, expected):
    [mistake] = check_overrides(overrides)[1]
    assert mistake.startswith(expected)


def test_a_file_with_a_value_for_another_kind_of_network_gets_one_line(configs):
    configs("experiment/mine.yaml", "# @package _global_\ndefaults:\n  - override /network: file\nnetwork: {leaders: 3}\n")
    [mistake] = check_overrides(["+experiment=mine"])[1]
    assert mistake.startswith("configs/experiment/mine.yaml: network.leaders is 3; it must be a list of names")


@pytest.mark.parametrize("network", ["file", "synthetic", "input_output"])
def test_scale_together_with_a_network_from_a_file_is_refused(network):
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


def test_a_lever_of_an_inactive_instrument_is_reported():
    _, mistakes = check_overrides(["instruments=[cqo]", "instruments.strong_chain_loans.reach=1"])
    assert len(mistakes) == 1
    assert 'to activate it, type "instruments=[cqo,strong_chain_loans]"' in mistakes[0]
    overrides = ["instruments=[cqo]", "instruments.strong_chain_loans.active=true", "instruments.strong_chain_loans.reach=1"]
    assert not check_overrides(overrides)[1]
    inside = check_overrides(["instruments=[]", "instruments.cqo={reach: 1, ramp: 2}"])[1]
    assert len(inside) == 1 and "cqo is not active" in inside[0]


def test_idle_levers_are_refused_before_a_job_too():
    config = compose_settings(["instruments=[cqo]", "network=synthetic"])
    refuse_idle_settings(config, ["instruments.cqo.reach=1", "network.mean_suppliers=4", "instruments.cqo.active=true"])
    with pytest.raises(SettingsError, match="one_stop_stations is not active") as refused:
        refuse_idle_settings(config, ["instruments.one_stop_stations.reach=1", "network.path=x"])
    assert "network=file" in str(refused.value)


def test_a_setting_of_another_kind_of_network_is_reported(tmp_path):
    _, mistakes = check_overrides(["network.mean_suppliers=4"])
    assert len(mistakes) == 1
    assert "type network=synthetic, or leave the setting out" in mistakes[0]
    assert not check_overrides(["network=synthetic", "network.mean_suppliers=4"])[1]


def test_arms_are_checked_as_if_typed():
    _, mistakes = check_overrides(["study.arms={a: ['instruments.cqo.reach=3', 'regoin=x'], b: ['x=1'], nothing: ['instruments=[]']}"])
    assert [m.split(":")[0] for m in mistakes] == ["arm a", "arm a", "arm b"]


def test_an_arm_is_composed_after_the_overrides_of_the_study():
    """What the study chooses holds in an arm, unless the arm chooses otherwise."""
    mean = "study.arms={nothing: [], a: [network.mean_suppliers=4], b: [network=region, network.mean_suppliers=4]}"
    _, mistakes = check_overrides(["network=synthetic", mean])
    assert [m.split(":")[0] for m in mistakes] == ["arm b"]
    assert "type network=synthetic, or leave the setting out" in mistakes[0]
    lever = "study.arms={nothing: [], a: [instruments.cqo.reach=1], b: ['instruments=[cqo]', instruments.cqo.reach=1], c: [policy=none]}"
    assert [m.split(":")[0] for m in check_overrides(["policy=none", lever])[1]] == ["arm a"]
    assert check_overrides([lever])[1] == []


def test_arms_of_one_name_are_reported_across_overrides_but_not_across_points():
    assert "one file on Windows" in check_overrides(["study.arms={A: []}", "study.arms.a=[]"])[1][0]
    assert not any("Windows" in mistake for mistake in check_overrides(["study.arms={A: []},{a: []}"])[1])


NONE = "but there is no such arm; the arms are nothing, cqo, one_stop_stations, strong_chain_loans, all"


@pytest.mark.parametrize(
    ("overrides", "expected"),
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
def test_settings_that_contradict_each_other_are_reported_at_any_point(overrides, expected):
    mistakes = check_overrides(overrides)[1]
    assert len(mistakes) == len(expected), mistakes
    assert all(part in mistake for part, mistake in zip(expected, mistakes, strict=True)), mistakes


@pytest.mark.parametrize(
    "overrides",
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
def test_settings_that_agree_pass(overrides):
    assert check_overrides(overrides)[1] == []


def test_what_an_experiment_sets_is_compared_with_what_is_typed(configs):
    configs("experiment/mine.yaml", "# @package _global_\nstudy: {reference: a, arms: {a: [], b: [burn_in=3]}}\n")
    assert check_overrides(["experiment=mine"])[1] == []
    assert check_overrides(["experiment=mine", "study.reference=c"])[1] == [
        "study.reference is 'c', but there is no such arm; the arms are a, b"
    ]


@pytest.mark.study
def test_a_lever_counts_where_an_arm_makes_it_count(configs):
    """What is typed outside the arms holds in all of them, so it is enough that it changes something in one."""
    overrides = ["policy=none", "instruments.cqo.reach=1"]
    assert len(check_overrides(overrides)[1]) == len(check_overrides([*overrides, "study.arms={nothing: [], b: [burn_in=3]}"])[1]) == 1
    assert check_overrides([*overrides, "study.arms={nothing: [], b: ['instruments=[cqo]']}"])[1] == []
    assert check_overrides([*overrides, "study.arms.nothing=['instruments=[cqo]']"])[1] == []
    assert len(check_overrides([*overrides, "study.arms={nothing: 1}", "study.arms.c=2"])[1]) == 3
    configs("experiment/mine.yaml", "# @package _global_\nstudy: {arms: {nothing: [], b: ['instruments=[cqo]']}}\n")
    assert check_overrides(["experiment=mine", *overrides])[1] == []
    config = compose_settings(["policy=none", "study.arms={nothing: []}"])
    refuse_idle_settings(config, ["instruments.cqo.reach=1"])


@pytest.mark.study
def test_a_lever_that_is_idle_at_some_points_of_a_sweep_is_reported_once():
    overrides = ["instruments=[cqo],[one_stop_stations],[]", "region=sample,liaoning", "instruments.cqo.reach=0.2,0.4"]
    _, mistakes = check_overrides(overrides)
    assert len(mistakes) == 1
    assert mistakes[0].startswith("instruments.cqo.reach=0.2,0.4: cqo is not active")
    assert mistakes[0].endswith("(at instruments=[one_stop_stations] and 1 more of 3 points)")
    _, mistakes = check_overrides(["network=synthetic,file", "network.mean_suppliers=4"])
    assert len(mistakes) == 1 and mistakes[0].endswith("(at network=file)")
    _, mistakes = check_overrides(["instruments=[cqo],[]", "study.arms={a: [instruments.cqo.reach=1], nothing: ['instruments=[]']}"])
    assert len(mistakes) == 1 and mistakes[0].startswith("arm a: ") and mistakes[0].endswith("(at instruments=[])")


def test_a_large_grid_is_checked_along_its_edges(monkeypatch):
    asked, without = [], compose_settings(["instruments=[]"])
    monkeypatch.setattr(checks, "_composed", lru_cache(lambda overrides: asked.append(overrides) or without))
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
    monkeypatch.setattr(checks, "compose_settings", lambda overrides: compose_settings([*overrides, f"hydra.searchpath=[file://{folder}]"]))
    checks._composed_once.cache_clear()
    yield lambda name, text: (folder / name).write_text(text, encoding="utf-8")
    checks._composed_once.cache_clear()


#: What an experiment file says after its first line → what its mistakes say.
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
    ("hydra: {callbacks: {mine: {_target_: os.system}}}\n", ["sets hydra, which no file may"]),
    ("study:\n  arms:\n    a: ['+x={_target_: os.system}']\n", ["names code to run"]),
    ("hydra: {mode: MULTIRUN}\n", ["sets hydra, which no file may"]),
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


@pytest.mark.parametrize(("text", "expected"), EXPERIMENTS, ids=[text for text, _ in EXPERIMENTS])
def test_an_experiment_file_is_checked_as_if_typed(configs, text, expected):
    configs("policy/bad.yaml", "# @package _global_\nseed: -1\n")
    configs("experiment/mine.yaml", f"# @package _global_\n{text}")
    _, mistakes = check_overrides(["+experiment=mine"])
    assert len(mistakes) == len(expected), mistakes
    for mistake, part in zip(mistakes, expected, strict=True):
        assert part in mistake
        assert "experiment/mine" in mistake or "+experiment=mine" in mistake


@pytest.mark.study
def test_an_experiment_is_checked_together_with_what_is_typed(configs):
    configs("experiment/mine.yaml", "# @package _global_\nstudy:\n  reference: a\n  arms:\n    a: [network.mean_suppliers=4]\n")
    assert len(check_overrides(["experiment=mine"])[1]) == 1
    assert check_overrides(["experiment=mine", "network=synthetic"]) == (["+experiment=mine", "network=synthetic"], [])
    _, mistakes = check_overrides(["experiment=mina"])
    assert "did you mean 'mine'?" in mistakes[0]
    configs("experiment/few.yaml", "# @package _global_\ndefaults:\n  - override /instruments: [one_stop_stations]\n")
    _, mistakes = check_overrides(["experiment=few", "instruments.cqo.reach=0.4"])
    assert len(mistakes) == 1 and "cqo is not active" in mistakes[0]


def test_a_file_without_the_global_package_is_reported(configs):
    configs("experiment/mine.yaml", "months: 36\n")
    _, mistakes = check_overrides(["+experiment=mine"])
    assert len(mistakes) == 1 and "# @package _global_" in mistakes[0]


def test_files_of_every_group_are_checked_as_if_typed(configs):
    head = "# @package _global_\ndefaults:\n  - override /instruments: [cqo]\n"
    configs("policy/mine.yaml", head + "instruments:\n  cqo:\n    reach: 7\n    reech: 0.1\nmonths: none\n")
    configs("parallel/odd.yaml", "workers: 2\nworkres: 3\n")
    configs("region/home.yaml", "key: home\nchains: 0\nsources: {chains: somewhere}\n")
    _, mistakes = check_overrides(["policy=mine,none", "parallel=odd", "region=home"])
    text = "\n".join(mistakes)
    assert len(mistakes) == 5, text
    assert "configs/policy/mine.yaml: instruments.cqo.reach is 7" in text
    assert "did you mean 'instruments.cqo.reach'?" in text
    assert "configs/policy/mine.yaml: months is 'none'" in text
    assert "configs/parallel/odd.yaml" in text and "did you mean 'parallel.workers'?" in text
    assert "configs/region/home.yaml: region.chains is 0" in text


@pytest.mark.study
def test_every_file_that_is_shipped_is_valid():
    for path in sorted(files.CONFIGS.glob("*/*.yaml")):
        override = f"{'+' if path.parent.name == 'experiment' else ''}{path.parent.name}={path.stem}"
        assert check_overrides([override])[1] == [], override
    assert Path(files.CONFIGS / "strongchain.yaml").is_file()
