"""Settings of a study: one default each, declared with the kind of study that it belongs to."""

from __future__ import annotations

import dataclasses
import re

import pytest
import yaml
from omegaconf import OmegaConf

from experiments import formatting
from experiments.catalogue.settings import settings
from experiments.commands import verbs
from experiments.configuration.declared import declared_at
from experiments.configuration.files import CONFIGS
from experiments.configuration.preflight import check_overrides, preflight
from experiments.configuration.rules import SettingsError, rule_of
from experiments.configuration.settings import compose_settings, of_kind, read_settings
from experiments.configuration.study import KINDS, CalibrationStudy, CompareStudy, ExchangeStudy, ValidationStudy, searched_ranges
from tests.support.places import ROOT

pytestmark = pytest.mark.study  # configurations are composed, each in a fifth of a second

#: Groups whose files choose settings that are declared with a default.
GROUPS = ("study", "design", "parallel")
#: Settings of each kind of study, which must be typed for it alone.
OF_ONE_KIND = [
    (kind, f.name)
    for kind, cls in KINDS.items()
    for f in dataclasses.fields(cls)
    if sum(f.name in {other.name for other in dataclasses.fields(one)} for one in KINDS.values()) == 1
]


def test_a_calibration_runs_as_it_is_declared():
    study = read_settings(compose_settings(["region=sample", "study=calibration"])).study
    assert study == CalibrationStudy()
    assert (study.points, study.cuts, study.final_sets, study.replicates_per_set) == (130, (2.0, 1.2, 0.6, 0.2), 72, 3)
    assert study.searched == searched_ranges() and len(study.searched) == 26 and study.searched["margin"] == [0.052, 0.064]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_runs_with_its_declared_defaults(kind):
    settings = read_settings(compose_settings(["region=sample", f"study={kind}"]))
    assert settings.study == KINDS[kind]() and settings.study.kind == kind


def test_no_file_repeats_or_contradicts_a_declared_default():
    """A file may choose another value than the default, as `serial` does, but then under a name that is not that of the default."""
    files = sorted(path for group in GROUPS for path in (CONFIGS / group).glob("*.yaml"))
    chosen = yaml.safe_load((CONFIGS / "strongchain.yaml").read_text(encoding="utf-8"))["defaults"]
    by_default = [entry for entry in chosen if isinstance(entry, dict)]
    assert files
    for path in files:
        written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        group = path.parent.name
        assert {group: path.stem} not in by_default or not written, f"{path.name} is what runs by default, and sets {sorted(written)}"
        repeated = [name for name, value in written.items() for f in declared_at(f"{group}.{name}") if f.default == value]
        assert not repeated, f"{path.name} repeats the default of {repeated}"


@pytest.mark.study
@pytest.mark.parametrize("kind", KINDS)
def test_explain_says_what_a_kind_of_study_runs(kind, capsys):
    """The defaults explained are read off what is composed."""
    composed = compose_settings(["region=sample", f"study={kind}"]).study
    for f in dataclasses.fields(KINDS[kind]):
        [one] = [s for s in settings() if s.path == f"study.{f.name}" and f"study={kind}" in s.meaning]
        value = composed[f.name]
        default = rule_of(f).default_is or formatting.value(tuple(value) if isinstance(f.default, tuple) else value)
        assert one.default == default
        assert verbs.main(["explain", f"study.{f.name}"]) == 0
        assert re.search(rf"\n  default +{re.escape(default)}\n", capsys.readouterr().out)


def test_the_ranges_searched_have_sources():
    lines = (ROOT / "experiments/configuration/searched_ranges.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "parameter,low,high,source"
    assert all(line.split(",", 3)[3].strip('"') for line in lines[1:])


def test_a_range_can_be_changed_added_or_searched_alone():
    def study(*overrides):
        return read_settings(compose_settings(preflight(["region=sample", "study=calibration", *overrides]))).study

    changed = study("study.searched.margin=[0.05,0.06]", "study.searched.diffusion=[0.0001,0.0004]").searched
    assert changed == searched_ranges() | {"margin": [0.05, 0.06], "diffusion": [0.0001, 0.0004]}
    alone = study("study.searched_only={margin: [0.05,0.06]}")
    assert alone.searched_only == {"margin": [0.05, 0.06]} and alone.searched == searched_ranges()


# -- of one kind -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "name"), OF_ONE_KIND, ids=[f"{kind}-{name}" for kind, name in OF_ONE_KIND])
def test_a_setting_of_another_kind_of_study_is_refused_in_a_line_that_names_its_kind(kind, name):
    other = next(one for one in KINDS if one != kind)
    default = compose_settings([f"study={kind}"]).study[name]
    value = {"searched": "{margin: [0.05,0.06]}"}.get(name, "null" if default is None else default)
    [mistake] = check_overrides([f"study={other}", f"study.{name}={value}"])[1]
    assert f"this setting belongs to study={kind}, but study={other} is chosen; type study={kind}, or leave the setting out" in mistake


def test_the_kind_comes_before_the_range():
    """Five points are too few for a calibration, too, but a validation has none."""
    [mistake] = check_overrides(["study=validation", "study.points=5"])[1]
    assert mistake.startswith("study.points=5: this setting belongs to study=calibration, but study=validation is chosen")
    [mistake] = check_overrides(["study=calibration", "study.points=5"])[1]
    assert mistake == "study.points is 5; it must be a whole number in 10 … 100,000"


def test_a_file_that_sets_what_another_kind_of_study_has_is_refused():
    config = compose_settings(["region=sample"])
    OmegaConf.set_struct(config, False)
    config.study.points = 5  # as a file of an experiment would set it
    with pytest.raises(SettingsError, match=r"study\.points: this setting belongs to study=calibration, but study=compare is chosen"):
        read_settings(config)
    del config.study["points"]
    config.study.pints = 5
    with pytest.raises(SettingsError, match=r"there is no setting 'study\.pints'"):
        read_settings(config)


@pytest.mark.study
def test_a_setting_of_two_kinds_of_study_can_be_typed_with_either():
    for kind in ("compare", "exchange"):
        assert not check_overrides([f"study={kind}", "study.budget=1e6", "policy=guangdong"])[1]
    [mistake] = check_overrides(["study=validation", "study.budget=1e6"])[1]
    assert "belongs to study=compare or study=exchange" in mistake


@pytest.mark.parametrize("group", ["study", "network"])
def test_a_kind_is_chosen_as_a_whole(group):
    kind = {"study": "validation", "network": "synthetic"}[group]
    assert check_overrides([f"{group}.kind={kind}"])[1] == [
        f"{group}.kind is '{kind}'; the kind of a {group} is chosen as a whole: type {group}={kind}"
    ]


@pytest.mark.parametrize(
    ("cls", "values", "expected"),
    [
        (CompareStudy, {"cap": 1}, "study.cap is 1; it must be a whole number in 2 … 1,000,000"),
        (ExchangeStudy, {"regions": ["nowhere"]}, "study.regions names 'nowhere'"),
        (CalibrationStudy, {"cuts": (2.0, 0.0)}, "study.cuts is .2.0, 0.0.; it must be a list of numbers above 0"),
        (ValidationStudy, {"replicates_per_set": 0}, "is 0; it must be a whole number in 1 … 100,000"),
    ],
)
def test_a_study_checks_its_own_values(cls, values, expected):
    with pytest.raises(SettingsError, match=expected):
        cls(**values)


def test_what_runs_one_kind_of_study_refuses_another():
    settings = read_settings(compose_settings(["region=sample", "study=exchange"]))
    with pytest.raises(SettingsError, match="study=exchange is chosen, and only study=compare can run here"):
        of_kind(settings, CompareStudy)


def test_numbers_are_read_as_their_type_wants_them():
    study = read_settings(compose_settings(["region=sample", "study=calibration", "study.cuts=[9,5]"])).study
    assert study.cuts == (9.0, 5.0) and all(isinstance(cut, float) for cut in study.cuts)
    assert isinstance(read_settings(compose_settings(["region=sample", "study.budget=1000000"])).study.budget, float)
