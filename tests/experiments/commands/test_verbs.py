"""The application's own verbs: what they print, what they say of mistakes, and completion in bash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.statistics import adjusted_p_values
from experiments.catalogue import settings as catalogue
from experiments.commands import verbs
from experiments.commands.help import help_text, options
from experiments.configuration import declared as declarations
from experiments.configuration import files as configured
from experiments.configuration.rules import rule_of
from experiments.configuration.settings import compose_settings
from experiments.configuration.study import KINDS, CompareStudy, General
from experiments.job import STUDIES
from experiments.run import main as application
from experiments.runs.files import SUMS
from experiments.runs.measure import EXTRAS
from experiments.runs.ownership import CLAIM, Owner
from experiments.terminal import COLUMNS, pad, table, width, wrap
from sim import INSTRUMENTS, MONTH, OUTCOMES, Parameters
from sim.parameters import declared
from sim.record import GROUPINGS
from tests.support.places import ROOT

BASH = shutil.which("bash")


def printed(capsys, *arguments: str, status: int = 0) -> str:
    """What a verb prints; everything fits."""
    capsys.readouterr()
    assert verbs.main(arguments) == status
    out, err = capsys.readouterr()
    assert max((width(line) for line in out.splitlines()), default=0) <= COLUMNS
    assert bool(err) == bool(status)
    assert err.count("\n") == status  # one line
    return err if status else out


# -- which words are verbs ---------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [(), ("region=sample",), ("-m", "regions"), ("--help",), ("regionss",)])
def test_what_is_no_verb_is_left_to_the_application(arguments, capsys):
    assert verbs.main(arguments) is None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("verb", verbs.VERBS)
def test_every_verb_says_how_to_use_it(verb, capsys):
    assert printed(capsys, verb, "--help").startswith(f"strongchain {verb}")
    many = {"rerun": "takes one folder", "policy": "type strongchain policy new"}.get(verb, "one word too many")
    assert many in printed(capsys, verb, "a", "b", "c", "d", status=1)
    assert verbs.VERBS.keys() == verbs.ANSWERS.keys()


def test_a_study_that_cannot_be_run_again_is_reported(capsys, tmp_path):
    assert "holds no finished study" in printed(capsys, "rerun", str(tmp_path), status=1)
    assert "there is no folder" in printed(capsys, "rerun", str(tmp_path / "gone"), status=1)


@pytest.mark.study
def test_the_module_runs_by_itself():
    process = subprocess.run(
        [sys.executable, "-m", "experiments.commands.verbs", "explain", "cqp"], cwd=ROOT, capture_output=True, text=True
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert "did you mean 'cqo'?" in process.stderr


@pytest.mark.study
@pytest.mark.parametrize(
    ("arguments", "status", "idle"),
    [
        (["--help"], 0, {"hydra", "matplotlib", "mesa", "numpy", "omegaconf", "pandas", "scipy", "sim", "agents"}),
        (["help"], 0, {"hydra", "matplotlib", "mesa", "numpy", "omegaconf", "pandas", "scipy", "sim", "agents"}),
        (["results"], 0, {"hydra", "matplotlib", "mesa", "numpy", "omegaconf", "pandas", "scipy"}),
        (["instruments"], 0, {"hydra", "matplotlib", "omegaconf", "scipy.stats"}),
        (["parameters", "latent"], 0, {"hydra", "matplotlib", "scipy.stats"}),
        (["completion", "words", "region"], 0, {"hydra", "matplotlib", "omegaconf", "scipy.stats"}),
        (["regoin=liaoning"], 1, {"matplotlib", "scipy.stats", "experiments.job"}),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_an_answer_imports_no_more_than_it_needs(arguments, status, idle):
    code = (
        "import sys\nfrom experiments.run import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )  # fmt: skip
    process = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert process.returncode == status, process.stderr
    assert not idle & set(process.stderr.split())
    assert "experiments.commands.verbs" in process.stderr.split()


def test_help_names_every_verb_and_fits_a_screen():
    text = help_text()
    assert all(f" {verb} " in text for verb in verbs.VERBS)
    assert len(text.splitlines()) <= 24
    assert max(width(line) for line in text.splitlines() if ": " not in line) <= COLUMNS


def test_help_lists_every_group_with_every_option_that_the_world_registers():
    assert options() == declarations.groups()
    assert all(f"\n{group}: {', '.join(names)}\n" in help_text() for group, names in declarations.groups().items())


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], ["region=sample", "--help"]], ids=" ".join)
def test_help_is_one_text_however_it_is_asked_for(arguments, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["strongchain", *arguments])
    with pytest.raises(SystemExit) as left:
        application()
    assert (left.value.code, capsys.readouterr().out) == (0, help_text() + "\n")


def test_help_on_a_word_explains_it(capsys):
    assert printed(capsys, "help", "cqo") == printed(capsys, "explain", "cqo")
    assert "did you mean 'cqo'?" in printed(capsys, "help", "cqp", status=1)
    assert "liaoning" in printed(capsys, "completion", "words", "lia", "help").split()


# -- lists ---------------------------------------------------------------------------------------------


def test_regions(capsys):
    rows = {line.split()[0]: line for line in printed(capsys, "regions").splitlines() if line}
    assert "辽宁" in rows["liaoning"]
    assert rows["liaoning"].split()[3:7] == ["16", "24", "1755", "0"]
    assert rows["liaoning"].endswith("5 of 15         9 of 15")
    places = {width(rows[key].split(cell)[0]) for key, cell in (("liaoning", "1755"), ("sample", "300 "), ("region", "firms"))}
    assert len(places) == 1


def test_instruments(capsys):
    out = printed(capsys, "instruments")
    for key, cls in INSTRUMENTS.items():
        assert key in out
        assert cls.label_zh in out
        assert f"{cls.dose} = " in out


def test_experiments_or_how_to_add_one(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(configured, "CONFIGS", tmp_path)
    out = printed(capsys, "experiments")
    assert "configs/experiment/NAME.yaml" in out
    recipe = "\n".join(line[4:] for line in out.splitlines() if line.startswith("    "))
    assert recipe.startswith("# @package _global_")
    assert yaml.safe_load(recipe)["months"] == 36
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mix.yaml").write_text("# @package _global_\n# Which mix is best? 组合\nmonths: 36\n", encoding="utf-8")
    assert printed(capsys, "experiments").splitlines()[1].split(maxsplit=1) == ["mix", "Which mix is best? 组合"]


def test_parameters(capsys):
    everything = printed(capsys, "parameters")
    assert all(f"\nparameters.{f.name} " in everything for f in declared(Parameters))
    listed = printed(capsys, "parameters", "latent_share")
    assert "parameters.latent_share  0.1" in listed
    assert "0 … 0.9  share  N" in listed
    assert "parameters.margin" not in listed
    assert "parameters.latent_share" in printed(capsys, "parameters", "NO INSPECTION finds")
    assert "did you mean 'latent_share'?" in printed(capsys, "parameters", "latent_shar e", status=1)


@pytest.mark.study
def test_settings_of_the_study_are_those_that_can_be_typed():
    from omegaconf import OmegaConf

    groups = {prefix for prefix, _ in declarations.of_studies() if prefix}
    for kind in KINDS:
        plain = OmegaConf.to_container(compose_settings(["region=sample", f"study={kind}"]), resolve=False)
        assert plain.pop("chain") is None  # none is chosen; each has settings of its own
        flat = {key: value for key, value in plain.items() if not isinstance(value, dict)}
        flat |= {f"{group}.{key}": value for group in groups for key, value in plain[group].items()}
        chosen = [(prefix, cls) for prefix, cls in declarations.of_studies() if prefix != "study" or cls is KINDS[kind]]
        rules = {f"{prefix}.{f.name}".removeprefix("."): rule_of(f) for prefix, cls in chosen for f in fields(cls)}
        assert flat.pop("study.kind") == kind
        assert flat.keys() == rules.keys()
        for path, rule in rules.items():
            assert rule.meaning and rule.legal
            assert rule.wrong(path, flat[path]) == ""


def test_what_can_be_chosen_is_what_the_program_knows():
    of_all = {f.name: rule_of(f) for f in (*fields(General), *fields(CompareStudy))}
    assert of_all["by"].choices == GROUPINGS
    assert set(of_all["save"].choices) == {"groups", *EXTRAS}
    assert tuple(KINDS) == tuple(STUDIES)
    for method in set(of_all["correction"].choices) - {"none"}:
        assert adjusted_p_values([0.2], method) == [0.2]


# -- results -------------------------------------------------------------------------------------------


MANIFEST = {"configuration": {"months": 24, "replicates": 5}, "arms": {"nothing": {}, "cqo": {}}, "replicates": 8}


def claimed(folder: Path, kind: str) -> None:
    """Leave the claim of a process that has ended."""
    owner = Owner(kind, "0123456789ab", 0, "", months=60, replicates=20)
    (folder / CLAIM).write_text(json.dumps(asdict(owner)), encoding="utf-8")


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A folder of results: one whole study, an older unfinished one, a sweep, and the runs that they share."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results"
    for name in ("默认 对比", "grid/0"):
        (folder / name).mkdir(parents=True)
        (folder / name / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    (folder / "grid" / "1").mkdir()
    (folder / "grid" / "1" / "point.json").write_text("{}", encoding="utf-8")
    (folder / "stopped").mkdir()
    claimed(folder / "stopped", "study")
    (folder / "broken").mkdir()
    (folder / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    (folder / "runs").mkdir()
    (folder / "runs" / "a.json").write_text("{}", encoding="utf-8")
    for age, name in enumerate(("默认 对比", "grid", "stopped", "broken")):
        for path in (folder / name, *(folder / name).rglob("*")):
            os.utime(path, (1.7e9 - 86400 * age,) * 2)
    return folder


def test_results_newest_first(results, capsys):
    head, whole, grid, stopped, broken = printed(capsys, "results").splitlines()
    assert head.split() == ["study", "status", "arms", "replicates", "months", "size", "date"]
    assert whole.split()[:7] == ["默认", "对比", "complete", "nothing,", "cqo", "8", "24"]
    assert "2023-11-1" in whole
    assert grid.split()[:5] == ["grid", "unfinished", "sweep", "nothing,", "cqo"]
    assert stopped.split()[:5] == ["stopped", "unfinished", "?", "20", "60"]
    assert broken.split()[:5] == ["broken", "unreadable", "?", "?", "?"]
    (results / "grid" / SUMS).write_text("", encoding="utf-8")
    (results / "broken" / "manifest.json").write_text(json.dumps(MANIFEST | {"failed": [{}, {}]}), encoding="utf-8")
    again = printed(capsys, "results")
    assert "sweep, 1 of 2 " in again
    assert "complete, 2 failed" in again
    assert printed(capsys, "results", str(results)) == printed(capsys, "results")


@pytest.mark.parametrize(
    ("file", "held"),
    [
        ("manifest.json", b'{"configuration": 3, "arms": []}'),
        ("manifest.json", b'{"configuration": {"months": NaN}}'),
        ("manifest.json", b'{"arms": [1, 2]}'),
        ("manifest.json", b'{"failed": 3}'),
        ("manifest.json", b"\x00\xff"),
        ("manifest.json", b"[" * 200_000),
    ],
)
def test_one_bad_folder_hides_no_other(results, capsys, file, held):
    before = printed(capsys, "results").splitlines()
    bad = results / "bad" / file
    bad.parent.mkdir(parents=True)
    bad.write_bytes(held)
    head, first, *others = printed(capsys, "results").splitlines()
    assert first.split()[:5] == ["bad", "unreadable", "?", "?", "?"]
    assert [line.split() for line in (head, *others)] == [line.split() for line in before]


def test_a_table_that_cannot_be_read_leaves_the_list_as_it_is(results, capsys):
    (results / "默认 对比" / "effects.csv").write_bytes(b"\x00\xff")
    whole = next(line for line in printed(capsys, "results").splitlines() if line.startswith("默认"))
    assert whole.split()[2:7] == ["complete", "nothing,", "cqo", "8", "24"]


def test_reruns_and_replicates_in_full_are_distinguished_from_studies(results, capsys):
    def status(name: str) -> list[str]:
        return next(line for line in printed(capsys, "results").splitlines() if line.startswith(f"{name} ")).split()[1:]

    for name in ("grid_rerun/0", "alone_rerun", "mine_rerun"):
        (results / name).mkdir(parents=True)
        (results / name / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
        claimed(results / name, "study" if name == "mine_rerun" else "rerun")
    assert status("grid_rerun")[:4] == ["unfinished", "rerun,", "1", "of"]
    shutil.copytree(results / "grid_rerun" / "0", results / "grid_rerun" / "1")
    assert status("grid_rerun")[:5] == ["rerun", "nothing,", "cqo", "8", "24"]
    assert status("alone_rerun")[:5] == ["rerun", "nothing,", "cqo", "8", "24"]
    assert status("mine_rerun")[0] == "complete"  # a study that was given this name
    (results / "alone_rerun" / "manifest.json").unlink()
    assert status("alone_rerun")[:2] == ["unfinished", "rerun,"]
    for name in ("nothing", "cqo"):
        (results / "grid_replicate_17" / name).mkdir(parents=True)
        (results / "grid_replicate_17" / name / "series.parquet").write_bytes(b"")
    assert status("grid_replicate_17")[:6] == ["replicate", "in", "full", "cqo,", "nothing", "1"]


def test_no_results(results, capsys, monkeypatch):
    assert "no folder 'result'; did you mean 'results'?" in printed(capsys, "results", "result", status=1)
    assert "no study in" in printed(capsys, "results", str(results / "runs"))
    monkeypatch.chdir(results)
    assert "no results yet" in printed(capsys, "results")


# -- explain -------------------------------------------------------------------------------------------


@pytest.mark.study
def test_everything_named_can_be_explained(capsys):
    for names, tell in catalogue.explained():
        lines = tell()
        assert len(lines) > 1, names
        assert max(map(width, lines)) <= COLUMNS, names
    for word in (*INSTRUMENTS, *OUTCOMES, "首席质量官", "到达用户的缺陷", "辽宁", "region=sample", "months", "instruments.cqo"):
        assert printed(capsys, "explain", word)


def test_an_instrument_in_full(capsys):
    out = printed(capsys, "explain", "cqo")
    assert "首席质量官" in out
    assert "instruments.cqo.reach = 0.5 (the dose)" in out
    for f in declared(INSTRUMENTS["cqo"]):
        assert f"instruments.cqo.{f.name} = " in out
        assert f.metadata["source"] in out
    assert "N, an assumption" in out


def test_an_outcome_a_setting_a_region_and_a_phase_in_full(capsys):
    outcome = printed(capsys, "explain", "field_dpu")
    assert all(part in outcome for part in ("到达用户的缺陷", "defects/unit", OUTCOMES["field_dpu"].formula, "lower"))
    one = printed(capsys, "explain", "latent_share")
    assert one == printed(capsys, "explain", "parameters.latent_share")
    assert all(part in one for part in ("0 … 0.9", "share", "the most influential parameter", "strongchain parameters.latent_share=VALUE"))
    region = printed(capsys, "explain", "liaoning")
    assert all(part in region for part in ("F097: 16 key chains", "1755 firms", "loan_rate"))
    phase = printed(capsys, "explain", MONTH[6].__name__)
    assert f"phase 7 of {len(MONTH)}" in phase
    assert "sim/month/propagation.py" in phase


def test_a_name_of_several_things_explains_all(capsys):
    out = printed(capsys, "explain", "reach")
    assert all(f"instruments.{key}.reach: a setting" in out for key in INSTRUMENTS)


@pytest.mark.parametrize(
    ("word", "meant"), [("cqp", "cqo"), ("field_dpv", "field_dpu"), ("liaonin", "liaoning"), ("propagte", "propagate"), ("xyzzy", "")]
)
def test_near_misses(word, meant, capsys):
    err = printed(capsys, "explain", word, status=1)
    assert repr(word) in err
    assert ("did you mean" in err) == bool(meant)
    assert meant in err


def test_explain_nothing(capsys):
    assert "explain what?" in printed(capsys, "explain", status=1)


# -- text ----------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(*[st.text("质量 ab…é（", max_size=150)] * 3), min_size=1, max_size=4))
def test_a_table_is_aligned_and_loses_nothing(rows):
    rows = [("name", *row[1:]) for row in rows]
    lines = table(("a", "b", "c"), rows)
    assert max(map(width, lines)) <= COLUMNS
    assert sorted("".join("".join(lines).split())) == sorted("".join("".join("abc" + "".join(map("".join, rows))).split()))


def test_width_of_wide_and_combining_characters():
    assert width("质量a…") == 6
    assert width("e\u0301") == 1
    assert pad("质量", 6) == "质量  "
    assert wrap("质量强链 programme", 6) == ["质量强", "链", "progra", "mme"]


# -- completion ----------------------------------------------------------------------------------------


def test_completion_proposes_verbs_settings_and_names(capsys):
    proposed = printed(capsys, "completion", "words").split("\n")
    assert {*verbs.VERBS, "region=liaoning", "network=file", "instruments=[cqo]", "months=", "instruments.cqo.reach="} <= {*proposed}
    assert "instruments.cqo.targeting=worst_first" in proposed
    assert len(proposed) == len(set(proposed))
    assert printed(capsys, "completion", "words", "region=j").split() == ["region=jiangsu", "region=jiaxing", "region=jinzhong"]
    assert "liaoning" in printed(capsys, "completion", "words", "lia", "explain").split()
    assert "did you mean 'bash'?" in printed(capsys, "completion", "bsh", status=1)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_script_knows_every_verb(shell, capsys):
    script = script_of(capsys, shell)
    assert "completion words ''" in script
    if shell == "bash":
        assert all(f" {verb} " in script for verb in verbs.VERBS)


def script_of(capsys, shell: str) -> str:
    """The script of a shell, whose lines may be long."""
    assert verbs.main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.study
@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_completion_in_bash(capsys, tmp_path):
    (tmp_path / "completion.bash").write_text(script_of(capsys, "bash"), encoding="utf-8")
    command = f'cd "{ROOT}" && echo asked >> "{tmp_path}/asked" && "{sys.executable}" -m experiments.commands.verbs "$@"'
    (tmp_path / "strongchain").write_text(f"#!/bin/bash\n{command}\n", encoding="utf-8")
    (tmp_path / "strongchain").chmod(0o755)
    lines = {
        ("expl",): ["explain "],
        ("region", "=", "li"): ["liaoning "],
        ("region", "="): [f"{name} " for name in declarations.groups()["region"]],
        ("-m", "instruments.cqo.rea"): ["instruments.cqo.reach="],
        ("months=36", "instruments.cqo.targeting", "=", "w"): ["worst_first "],
        ("explain", "liao"): ["liaoning "],
        ("help", "liao"): ["liaoning "],
        ("completion", "z"): ["zsh "],
        ("results", ""): [],
        ("rerun", "res"): [],
        ("region", "=", "nowhere"): [],
        ("region=sample", "expl"): [],
    }
    script = [f'source "{tmp_path}/completion.bash"']
    for typed in lines:
        quoted = " ".join(f"'{word}'" for word in ("strongchain", *typed))
        script.append(f"COMP_WORDS=({quoted}); COMP_CWORD={len(typed)}; _strongchain '{tmp_path}/strongchain'")
        script.append("""printf '%s|' "${COMPREPLY[@]}"; echo""")
    process = subprocess.run([str(BASH), "-c", "\n".join(script)], capture_output=True, encoding="utf-8", timeout=120)
    assert process.stderr == ""
    assert [line.split("|")[:-1] for line in process.stdout.splitlines()] == [answer or [""] for answer in lines.values()]
    assert (tmp_path / "asked").read_text().count("asked") == 2  # of all words once, of what can be explained once
