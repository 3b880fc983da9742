"""The way of a bad batch as a study: two worlds on the same random numbers, tables that balance, a figure with its content, a report."""

from __future__ import annotations

import re

import numpy as np
import pytest

from agents.streams import replicate_keys
from experiments.analysis.way import FATES, by_month, half_with_users, made_by_replicate, tiers_by_month
from experiments.configuration.preflight import checked_settings, preflight
from experiments.configuration.settings import SettingsError
from experiments.languages.wording import mistake, use_language
from experiments.notebook import world
from experiments.reports.follow import figure_of, follow_findings, follow_report, present_follow, summary_of_follow
from experiments.runs.store import run_keys
from experiments.studies.compare import arms_of
from experiments.studies.follow import follow_arms, run_follow
from experiments.study_results import load
from sim.parameters import ParameterError

pytestmark = pytest.mark.study

TINY = ("region=sample", "scale=0.3", "burn_in=6", "months=8", "parallel=serial", "+experiment=bad_batch")
SMALL = (*TINY, "shocks.bad_batch.month=2")


@pytest.fixture(scope="module")
def study():
    readable, settings = checked_settings([*SMALL, "replicates=2"])
    return run_follow(settings, readable, progress=False)


def test_both_worlds_are_one_but_for_the_batch():
    _, settings = checked_settings([*SMALL, "shocks=[bad_batch,demand]"])
    calm, batch = follow_arms(settings)
    assert calm.world == batch.world and calm.instruments == batch.instruments
    assert [shock.key for shock in calm.shocks] == ["demand"], "other shocks strike both"
    assert {shock.key for shock in batch.shocks} == {"demand", "bad_batch"}


def test_what_begins_is_found_or_reaches_somebody_or_is_on_its_way(study):
    for _, rows in study.way.groupby("replicate"):
        begun = float(rows[["made", "reaction"]].to_numpy().sum())
        ends = float(rows[list(FATES)].to_numpy().sum()) + float(rows["on_way"].iloc[-1])
        assert ends == pytest.approx(begun, rel=1e-9)
        assert rows["made"].tolist()[1:] == [0.0] * (len(rows) - 1)
        assert rows["month"].tolist() == list(range(2, 9))


def test_the_tables_of_tiers_and_months_are_shares_of_the_batch(study):
    first = by_month(study.way).iloc[0]
    assert first["made"] == pytest.approx(1.0)
    assert first["own_final"] + first["on_way"] + first["users"] + first["elsewhere"] == pytest.approx(1.0)
    leaving = tiers_by_month(study.way, study.tiers).loc[2].sum()
    assert leaving == pytest.approx(1.0 - first["own_final"])
    assert 0.0 <= half_with_users(study.way) <= 6.0
    assert (made_by_replicate(study.way) > 0.0).all()


def test_the_figure_replays_the_way_month_by_month_and_says_what_is_seen(study):
    for code, month, users in (("en", "Month 2: 1 firm passes it on", "reach users"), ("zh", "第2个月：1家企业传递", "到达用户")):
        with use_language(code):
            figure = figure_of(study)
        titles = [re.sub(r"\s+", " " if code == "en" else "", ax.get_title(loc="left")) for ax in figure.axes]
        assert titles[0].startswith(month) and len([title for title in titles if title[:1] in "M第" and title]) == 6
        assert users in re.sub(r"\s+", " " if code == "en" else "", figure.legends[0].get_title().get_text())
        drawn = figure.axes[0].collections
        assert sum(len(one.get_offsets()) for one in drawn if len(one.get_offsets())) > 2, "firms"
        assert any(len(one.get_paths()) for one in drawn), "links"
        below = figure.axes[-3]
        assert len(below.get_lines()) >= 2, "tiers"


def test_the_report_and_the_summary_say_the_numbers_of_the_tables(study):
    shown = follow_findings(study)
    users = float((study.way.groupby("replicate")["users"].sum() / made_by_replicate(study.way)).mean())
    assert shown.users.mean == pytest.approx(users)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", follow_report(study))).replace("\u00a0", " ")
    assert f"Of the defects of the batch, {100 * users:.1f} %" in text
    assert "shocks.bad_batch.size" in text, "its settings are assumptions"
    assert len(summary_of_follow(study).splitlines()) > 9
    with use_language("zh"):
        assert "到达用户" in follow_report(study) and "该批次的缺陷中" in summary_of_follow(study)


def test_a_study_is_written_and_read_again(study, tmp_path):
    present_follow(study, tmp_path)
    assert {"way.png", "report.html", "results.xlsx", "way.csv", "manifest.json"} <= {path.name for path in tmp_path.iterdir()}
    again = load(tmp_path)
    assert again.way.equals(study.way) and again.links.equals(study.links)
    assert "batch" in repr(again) and again.plot().axes
    assert again.manifest == study.manifest


# -- shocks as settings ------------------------------------------------------------------------------------


def test_shocks_are_typed_by_their_chinese_names_and_firms_by_what_reports_call_them():
    _, settings = checked_settings(["shocks=[问题批次,断供]", "shocks.outage.firm=most_customers", "region=sample"])
    assert [shock.key for shock in settings.shocks] == ["bad_batch", "outage"]
    _, settings = checked_settings(
        ["shocks=[bad_batch,demand]", "shocks.bad_batch.firm=企业00012", "shocks.demand.chains=[产业链2,工业机器人]", "region=liaoning"]
    )
    assert settings.shocks[0].firm == "Firm 00012" and settings.shocks[1].chains == ("Chain 2", "Industrial robots")


def test_a_notebook_announces_shocks():
    model = world("region=sample", "scale=0.2", "burn_in=3", "instruments=[]", "shocks=[bad_batch]", "shocks.bad_batch.month=1", seed=1)
    model.run(1)
    assert np.count_nonzero(model.firms.shock_defects) == 1


def test_arms_without_shocks_keep_their_key_and_each_shock_has_its_own():
    arms = "study.arms={calm: [shocks=[]], batch: [shocks=[bad_batch]], late: [shocks=[bad_batch], shocks.bad_batch.month=9]}"
    typed = ["region=sample", "instruments=[]", "study.reference=calm", arms]
    readable, settings = checked_settings(typed)
    calm, batch, late = arms_of(settings, readable)
    assert (calm.shocks, len(batch.shocks), late.shocks[0].month) == ((), 1, 9)
    assert calm.world == batch.world, "they share a burn-in"
    keys = run_keys([calm, batch, late], replicate_keys(1, 1), settings.task)[0]
    assert len(set(keys)) == 3
    _, plain = checked_settings(["region=sample", "instruments=[]"])
    assert run_keys(arms_of(plain, []), replicate_keys(1, 1), plain.task)[0][0] == keys[0]


@pytest.mark.parametrize(
    ("typed", "line", "chinese"),
    [
        (["shocks=[bad_bach]"], "there is no shock 'bad_bach'; choose from .*; did you mean 'bad_batch'", "没有名为 'bad_bach' 的冲击"),
        (["shocks.demand.size=0.1"], "demand is not active, so the setting would change nothing", "demand 未启用，该设置不起作用"),
        (["shocks=[demand]", "shocks.demand.siez=1"], "did you mean 'shocks.demand.size'", "没有名为 'shocks.demand.siez' 的设置"),
        (["shocks=[demand]", "shocks.demand.size=3"], r"it must lie in -1 … 1 \(share\)", "应在 -1 至 1 之间"),
    ],
)
def test_a_mistake_about_shocks_is_one_line_in_both_languages(typed, line, chinese):
    with pytest.raises(SettingsError, match=line) as wrong:
        preflight(typed)
    assert "\n" not in str(wrong.value)
    with use_language("zh"):
        assert chinese in mistake(str(wrong.value))


@pytest.mark.parametrize(
    ("typed", "line", "chinese"),
    [
        (["study=follow"], "study=follow follows a bad batch, and none is chosen", "study=follow 追踪问题批次，但未选择；请输入"),
        ([*TINY, "shocks.bad_batch.month=30"], "is 30, after the last month", "为 30，晚于最后一个月；请输入不超过 8 的月份"),
        ([*SMALL, "shocks.bad_batch.size=0"], "so there is nothing to follow", "为 0，没有可追踪的内容"),
        ([*SMALL, "shocks.bad_batch.firm=Frim"], "it must be the name of a firm, or one of", "应为企业名称，或下列规则之一"),
        ([*SMALL, "shocks.bad_batch.chains=[x]"], "names 'x', but there is no such chain", "中有 'x'，但没有这条产业链"),
    ],
)
def test_a_batch_that_cannot_be_followed_is_refused_in_one_line(typed, line, chinese):
    with pytest.raises((SettingsError, ParameterError), match=line) as wrong:
        readable, settings = checked_settings(typed)
        run_follow(settings, readable, progress=False)
    assert "\n" not in str(wrong.value)
    with use_language("zh"):
        assert chinese in mistake(str(wrong.value))
