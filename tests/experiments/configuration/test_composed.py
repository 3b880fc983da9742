"""What Hydra composes is data: no file brings in what Hydra would do, and no value refers to what is no setting."""

from __future__ import annotations

import pytest

from experiments.configuration import files
from experiments.configuration import preflight as checks
from experiments.configuration.composed import composed, foreign_reference
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError, compose_settings

pytestmark = pytest.mark.study  # each composes several configurations


@pytest.fixture
def configs(tmp_path, monkeypatch):
    """Write files into a folder that Hydra and the checks take for configs/ as well; preflight is asked as in a terminal."""
    folder = tmp_path / "configs"
    for group in ("policy", "experiment", "region", "parallel"):
        (folder / group).mkdir(parents=True)
        for path in files.CONFIGS.glob(f"{group}/*.yaml"):
            (folder / group / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(files, "CONFIGS", folder)
    searched = f"hydra.searchpath=[file://{folder}]"
    monkeypatch.setattr(checks, "compose_settings", lambda overrides: compose_settings([*overrides, searched]))
    checks._composed_once.cache_clear()

    def write(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    yield write
    checks._composed_once.cache_clear()


def refused(arguments: list[str], expected: str) -> None:
    with pytest.raises(SettingsError) as mistake:
        preflight(arguments)
    assert expected in str(mistake.value)
    assert "\n" not in str(mistake.value) or str(mistake.value).splitlines()[0].endswith("nothing was run")


#: What a file may try to make Hydra do.
NODES = {
    "callback": "hydra:\n  callbacks:\n    x:\n      _target_: joblib.load\n      filename: evil.pickle\n",
    "log file": "hydra:\n  job_logging:\n    handlers:\n      f: {class: logging.FileHandler, filename: foreign.txt, mode: w}\n",
    "logging factory": "hydra:\n  hydra_logging:\n    handlers:\n      f: {(): os.system, command: ls}\n",
    "folder": "hydra:\n  run:\n    dir: foreign\n",
    "folder of a sweep": "hydra:\n  sweep:\n    dir: foreign\n",
    "point": "hydra:\n  sweep:\n    subdir: ../../foreign\n",
    "notes": "hydra:\n  output_subdir: .hydra\n",
    "mode": "hydra:\n  mode: MULTIRUN\n",
    "directory": "hydra:\n  job:\n    chdir: true\n",
    "environment": "hydra:\n  job:\n    env_set: {PATH: nowhere}\n",
    "record": "hydra:\n  overrides:\n    task: [months=1]\n",
}


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_no_file_sets_anything_of_hydra(configs, node):
    """An experiment that brings in another file by its plain name, which preflight need not know how to follow."""
    configs("experiment/mine.yaml", "# @package _global_\ndefaults: [zz_sub, _self_]\n")
    configs("experiment/zz_sub.yaml", f"# @package _global_\n{node}")
    with pytest.raises(SettingsError, match=r"^a file of the configuration sets hydra\."):
        composed(["+experiment=mine", f"hydra.searchpath=[file://{files.CONFIGS}]"])


#: How a file may come in: which files there are, and what is typed.
WAYS = {
    "itself": ({"policy/mine.yaml": "# @package _global_\n{node}"}, "policy=mine"),
    "a plain name": (
        {"policy/mine.yaml": "# @package _global_\ndefaults: [sub, _self_]\n", "policy/sub.yaml": "# @package _global_\n{node}"},
        "policy=mine",
    ),
    "a relative group": (
        {"policy/mine.yaml": "# @package _global_\ndefaults: [{{in: sub}}, _self_]\n", "policy/in/sub.yaml": "# @package _global_\n{node}"},
        "policy=mine",
    ),
    "from a region": (
        {"region/mine.yaml": "defaults: [sample, /policy/sub@_global_, _self_]\n", "policy/sub.yaml": "{node}"},
        "region=mine",
    ),
}


@pytest.mark.parametrize(("written", "typed"), WAYS.values(), ids=WAYS)
def test_in_whatever_way_a_file_comes_in(configs, written, typed):
    for name, text in written.items():
        configs(name, text.format(node=NODES["callback"]))
    refused([typed], "hydra")


@pytest.mark.parametrize("name", ["study/compare.yaml", "schema.yaml", "hydra/launcher/basic.yaml", "network/region.yaml", "evil.yaml"])
def test_no_file_takes_the_place_of_what_the_program_gives_to_hydra(configs, name):
    configs(name, "months: 3\n")
    refused([], f"{name} stands where the program's own settings are")


def test_no_text_of_a_configuration_steers_a_terminal(configs):
    configs("policy/mine.yaml", '# @package _global_\nportfolio: {label: "L\\e[31mX"}\n')
    refused(["policy=mine"], "U+001B, a control character")
    refused(["portfolio.label=a\u202eb"], "U+202E")


def test_the_package_of_a_file_does_not_hide_it(configs):
    configs("policy/mine.yaml", "# @package _global_\ndefaults: ['below/one@hydra.callbacks', _self_]\n")
    configs("policy/below/one.yaml", "x: {_target_: os.getcwd}\n")
    with pytest.raises(SettingsError, match=r"sets hydra\.callbacks\.x"):
        composed(["policy=mine", f"hydra.searchpath=[file://{files.CONFIGS}]"])
    refused(["policy=mine"], "names code to run")


def test_every_option_of_a_sweep_is_composed_before_hydra_sees_it(configs):
    configs("policy/mine.yaml", "# @package _global_\ndefaults: [zz_sub, _self_]\n")
    configs("policy/zz_sub.yaml", f"# @package _global_\n{NODES['mode']}")
    refused(["-m", "region=sample", "policy=none,mine", "months=2,3"], "hydra")


def test_a_region_may_be_made_from_another(configs):
    configs("region/mine.yaml", "defaults: [sample, _self_]\nfirms: 77\n")
    assert preflight(["region=mine"]) == ["region=mine"]
    configs("region/mine.yaml", "defaults: [sample, _self_]\nfirms: -7\n")
    refused(["region=mine"], "region.firms is -7")
    configs("region/mine.yaml", "defaults: [half, _self_]\n")
    configs("region/half.yaml", "defaults: [mine, sample, _self_]\nfirms: -7\n")
    refused(["region=mine"], "half.yaml: region.firms is -7")


@pytest.mark.parametrize(
    ("text", "refers_to"),
    [
        ("${oc.env:HOME}", "oc.env:HOME"),
        ("a_${oc.env:HOME,x}", "oc.env:HOME,x"),
        ("${oc.decode:name}", "oc.decode"),
        ("${ oc.env : HOME }", " oc.env"),
        ("${oc.select:months}", "oc.select"),
        ("${hydra.runtime.cwd}", "hydra.runtime.cwd"),
        ("${[hydra].runtime.cwd}", "[hydra].runtime.cwd"),
        ("${..hydra.job.name}", "..hydra.job.name"),
        ("${hydra:runtime.cwd}", "hydra:runtime.cwd"),
        ("${now:${oc.env:HOME}}", "oc.env:HOME"),
        ("${${name}:HOME}", "_:HOME"),
        ("${${name}.env:HOME}", "_.env:HOME"),
        ("${a b}", "a b"),
    ],
)
def test_a_value_refers_to_settings_and_to_the_time_of_day_alone(text, refers_to):
    assert f"it refers to '{refers_to}" in foreign_reference(text)
    refused([f"name={text}"], "name=")


@pytest.mark.parametrize(
    "text", ["", "plain", "$5", "${months}", "${now:%Y}_${region.key}", "${..months}", "${study.cuts[0]}", "${now:${name}}"]
)
def test_other_references_pass(text):
    assert not foreign_reference(text)


def test_a_reference_that_does_not_end_is_refused():
    assert "does not end it" in foreign_reference("${months")


@pytest.mark.parametrize("where", ["portfolio: {label: '${oc.env:HOME}'}", "study: {arms: {nothing: ['region.label=${oc.env:HOME}']}}"])
def test_no_file_reads_the_environment(configs, where):
    configs("policy/mine.yaml", f"# @package _global_\ndefaults: [zz_sub, _self_]\n{where}\n")
    configs("policy/zz_sub.yaml", "# @package _global_\nmonths: 6\n")
    refused(["policy=mine"], "it refers to 'oc.env:HOME'")


def test_what_names_and_paths_refer_to_is_checked_before_a_folder_is_made(configs):
    assert preflight(["name=run_${months}"]) == ["name=run_${months}"]
    configs("policy/mine.yaml", "# @package _global_\nportfolio: {label: ../../foreign}\n")
    refused(["policy=mine", "name=${portfolio.label}"], "name is '../../foreign'")
    refused(["policy=mine", "network=file", "network.path=${portfolio.label}"], "there is no file '../../foreign'")


def test_only_what_was_typed_of_hydra_may_differ():
    assert composed(["name=x", "hydra.run.dir=somewhere"]).hydra.run.dir == "somewhere"
    for typed in ("hydra.callbacks.collect._target_=os.getcwd", "hydra.sweep.subdir=..", "hydra/launcher=basic", "hydra.verbose=[x]"):
        refused([typed], typed.split("=")[0].split("._")[0])
