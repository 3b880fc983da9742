"""Several regions in one world, as typed: figures of each, settings of what crosses the border, and mistakes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from experiments import load
from experiments.analysis.arms import names_of_regions
from experiments.configuration.own_place import own_places, without_own_stations
from experiments.configuration.preflight import checked_settings
from experiments.configuration.settings import SettingsError
from experiments.languages.wording import mistake, use_language
from experiments.studies.budgets import within_budget
from experiments.studies.compare import arms_of
from experiments.studies.rerun import main as rerun
from sim.parameters import ParameterError
from tests.support.places import ROOT

pytestmark = pytest.mark.study  # each composes several configurations

QUICK = (
    "replicates=2",
    "months=3",
    "window=3",
    "burn_in=2",
    "region.firms=60",
    "region.chains=2",
    "region.leaders=3",
    "scale=1",
    "quiet=true",
)


def test_each_region_has_its_own_figures_and_what_is_typed_holds_for_all():
    _, settings = checked_settings(["region=[江苏,anhui]", "region.stations=7", "scale=0.05"])
    world = settings.world
    assert [region.key for region in world.regions] == ["jiangsu", "anhui"] and world.across.links == 0.1
    assert [region.chains for region in world.regions] == [2, 1] and {region.stations for region in world.regions} == {1}
    assert world.firms == sum(region.firms for region in world.regions) and world.chains == 3
    assert names_of_regions(settings.resolved) == "Jiangsu + Anhui"
    _, alone = checked_settings(["region=[jiangsu]"])
    _, plain = checked_settings(["region=jiangsu"])
    assert alone.world.beside == () and plain.world.beside is None and alone.world.region == plain.world.region
    _, whole = checked_settings(["region=[jiangsu,anhui]"])
    assert abs(whole.world.firms - 2_000) < 3


def test_arms_may_have_other_regions_and_other_recognition():
    typed = ['study.arms={nothing: ["instruments=[]"], wide: [across.recognition=1], alone: ["region=[anhui]"]}', "region=[jiangsu,anhui]"]
    readable, settings = checked_settings(typed)
    nothing, wide, alone = arms_of(settings, readable)
    assert (nothing.world.across.recognition, wide.world.across.recognition) == (0.5, 1.0)
    assert alone.world.beside == () and alone.world.across is None and alone.world.region.key == "anhui"


def test_a_study_of_two_regions_is_run_kept_reported_and_rerun(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    typed = ["region=[jiangsu,anhui]", *QUICK, "instruments=[cqo]", "by=[region,chain]", "name=two"]
    here = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    subprocess.run([sys.executable, "-m", "experiments.run", *typed], cwd=tmp_path, env=here, check=True, capture_output=True, timeout=300)
    kept = load("results/two")
    effects = kept.effects
    assert set(effects.loc[effects["by"] == "region", "group"]) == {"Jiangsu", "Anhui"}
    assert "Jiangsu · Chain 2" in set(effects.loc[effects["by"] == "chain", "group"])
    page = (tmp_path / "results/two/report.html").read_text(encoding="utf-8")
    assert "Jiangsu + Anhui" in page
    assert rerun(["results/two"]) == 0 and "the tables are the same" in capsys.readouterr().out


def test_the_portfolio_of_one_region_replaces_the_stations_of_that_region_alone():
    _, settings = checked_settings(["region=[jiangsu,anhui]", "policy=jiangsu", "scale=1"])
    stations = {region.key: region.stations for region in settings.world.regions}
    assert stations["jiangsu"] == 0 < stations["anhui"]
    configuration = {
        "region": {"key": "jiangsu", "stations": 307},
        "beside": [{"key": "anhui", "stations": 93}],
        "instruments": {"one_stop_stations": {"active": True}},
        "network": {"kind": "region"},
        "portfolio": {"key": "anhui"},
    }
    assert own_places([configuration]) == {"anhui"}
    changed = without_own_stations(configuration, ["anhui"])
    assert changed is not None and changed["region"]["stations"] == 307 and changed["beside"][0]["stations"] == 0


def test_a_budget_is_for_one_region():
    _, settings = checked_settings(["region=[jiangsu,anhui]", "study.budget=1e6", "instruments=[cqo]"])
    with pytest.raises(SettingsError, match=r"study\.budget is for one region, and region=\[jiangsu,anhui\] are several") as wrong:
        within_budget(settings, arms_of(settings, []), None, progress=False)
    with use_language("zh"):
        assert "study.budget 针对一个地区" in mistake(str(wrong.value))


@pytest.mark.parametrize(
    ("typed", "said", "in_chinese"),
    [
        (["region=[jiangsu,jiangsu]"], "names jiangsu twice; name each region once", "两次列出"),
        (["region=[jiangsu,anhoi]"], "there is no region 'anhoi'.*did you mean 'anhui'", "anhui"),
        (["region=[]"], "names no region; write", "没有列出地区"),
        (["region=[jiangsu,anhui]", "network=synthetic"], "a network that is given has one region", "给定的网络只属于一个地区"),
        (["region=[jiangsu,anhui]", "across.recognition=3"], r"across\.recognition is 3; it must lie in", "recognition"),
        (["region=[jiangsu,anhui]", "across.recognitoin=1"], "did you mean 'across.recognition'", "across.recognition"),
        (["across.links=0.3"], "it is for what crosses the borders of several regions", "跨越边界"),
        (["region=jiangsu", "across.links=0.3"], "it is for what crosses the borders of several regions", "跨越边界"),
    ],
)
def test_a_mistake_gets_one_line_in_both_languages(typed, said, in_chinese):
    with pytest.raises((SettingsError, ParameterError), match=said) as wrong:
        checked_settings(typed)
    with use_language("zh"):
        line = mistake(str(wrong.value))
    assert "\n" not in line and in_chinese in line
