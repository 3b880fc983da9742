"""What a researcher does in process: intervals, arms, studies in a notebook, stored results."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy import stats

from agents.streams import replicate_keys
from experiments import Comparison, compare, load, world
from experiments.analysis.results import collect
from experiments.analysis.statistics import mean_intervals
from experiments.configuration.settings import (
    Arm,
    CompareStudy,
    Parallel,
    SettingsError,
    Task,
    WorldSettings,
    compose_settings,
    read_settings,
)
from experiments.figures import origins_figure, time_paths
from experiments.languages.wording import use_language
from experiments.reports.comparison import present, summary
from experiments.reports.exchange import summary_of_exchange
from experiments.reports.html import report
from experiments.runs.provenance import manifest
from experiments.runs.runner import run_arms
from experiments.studies.compare import arms_of
from experiments.studies.exchange import run_exchange
from sim import ChiefQualityOfficer, OneStopStations, Parameters, StrongChainLoans, StrongchainModel
from sim.outcomes import OUTCOMES
from tests.support.places import ROOT
from tests.support.worlds import differing, network, parameters, region

pytestmark = pytest.mark.study

SMALL = ("region=sample", "scale=0.3", "replicates=3", "months=6", "window=3", "burn_in=6", "parallel=serial")
ARMS = "study.arms={nothing: ['instruments=[]'], cqo: ['instruments=[cqo]'], placebo: ['instruments=[]'], all: []}"
SERIAL = Parallel("sequential", 1)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """A small study with a placebo: an arm that is the reference under another name."""
    return compare(*SMALL, ARMS)


def settings(*overrides: str):
    return read_settings(compose_settings([*SMALL, *overrides]))


def names(*overrides: str) -> list[str]:
    return [arm.name for arm in arms_of(settings(*overrides), [*SMALL, *overrides])]


def drawn(figure: Figure) -> None:
    """Draw a figure for good: what cannot be laid out fails here."""
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()


# -- quality figures of a file ------------------------------------------------------------------------


def test_the_report_says_how_near_the_start_is_to_the_quality_figures_of_a_file(tmp_path):
    """And names the firm whose nine problems exclude a yield of 99 %."""
    (tmp_path / "l.csv").write_text("supplier,customer\na,b\nc,b\n", encoding="utf-8")
    (tmp_path / "n.csv").write_text("firm,first_pass_yield,open_problems\na,97 %,\nb,0.9,\nc,0.99,9\n", encoding="utf-8")
    file = ("network=file", f"network.path={tmp_path / 'l.csv'}", f"network.nodes={tmp_path / 'n.csv'}")
    study = compare(*file, "instruments=[cqo]", "replicates=2", "months=2", "window=2", "burn_in=3", "parallel=serial")
    notes = study.manifest["network_notes"]
    assert "first_pass_yield is given of 3 of 3 firms" in notes
    assert "officer of 3 firms is drawn from the distribution of the region (an assumption)" in notes
    assert "2 firms start at their first_pass_yield: the largest difference is 0.000 percentage points, the median 0.000" in notes
    assert "first_pass_yield of 1 firms cannot be met, because their open problems alone make more defects: 'c'" in notes
    pages = {}
    for language in ("en", "zh"):
        with use_language(language):
            pages[language] = re.sub("<[^>]*>", "", report(study))
    assert "2 firms start at their first_pass_yield" in pages["en"]
    for told in ("3 家企业的 officer 按该地区的分布抽取（属假设）", "1 家企业的 first_pass_yield 无法达到"):
        assert told in pages["zh"], told


# -- months that means are over ------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("overrides", [["months=3"], ["months=3", "window=5"]], ids=" ".join)
def test_a_window_longer_than_the_run_is_the_whole_run_and_is_noted(overrides, capsys):
    base = ("region=sample", "scale=0.1", "replicates=2", "burn_in=2", "parallel=serial", "instruments=[cqo]")
    short, exact = compare(*base, *overrides, progress=True), compare(*base, "months=3", "window=3")
    window = overrides[-1][-1] if len(overrides) > 1 else 12
    note = f"means are over all 3 months of the run, because the window of {window} months is longer than the run"
    assert f"  {note}\n" in capsys.readouterr().out
    assert short.manifest["notes"] == [note] and exact.manifest["notes"] == []
    assert short.manifest["configuration"]["window"] == 3 and short.manifest["id"] == exact.manifest["id"]
    pd.testing.assert_frame_equal(short.runs, exact.runs)
    assert "means of the last 3 months" in summary(short)
    assert note in report(short) and "mean of months 1 to 3" in report(short)


def test_a_run_of_one_month_has_means_over_that_month():
    comparison = compare("region=sample", "scale=0.1", "months=1", "replicates=2", "burn_in=2", "parallel=serial", "instruments=[cqo]")
    assert comparison.manifest["notes"] == [
        "means are over the one month of the run, because the window of 12 months is longer than the run"
    ]
    assert "figures of the last month" in summary(comparison)


# -- one replicate ----------------------------------------------------------------------------------------


def test_one_replicate_shows_nan_nowhere(tmp_path, monkeypatch, capsys):
    """Nor not-a-number by another name: on the terminal, in the report, in figures and in tables for people."""
    drawn_texts: list[str] = []
    draw = Figure.savefig

    def kept(figure: Figure, *where, **how) -> None:
        draw(figure, *where, **how)
        drawn_texts.extend(text.get_text() for text in figure.findobj(Text))

    monkeypatch.setattr(Figure, "savefig", kept)
    overrides = ("region=sample", "scale=0.3", "replicates=1", "months=3", "burn_in=2", "parallel=serial", "instruments=[cqo]")
    comparison = compare(*overrides, progress=True)
    present(comparison, tmp_path)
    page = re.sub(r"data:image/[^\"]+|<(style|script).*?</\1>", "", (tmp_path / "report.html").read_text(encoding="utf-8"), flags=re.DOTALL)
    tables = [path.read_text(encoding="utf-8-sig") for path in tmp_path.glob("*.csv")]
    assert len(drawn_texts) > 100 and len(tables) > 10
    exchange = ("study=exchange", "study.regions=[sample]", "study.policies=[liaoning]")
    settings_of = read_settings(compose_settings([*overrides, *exchange]))
    summaries = [summary(comparison), summary_of_exchange(run_exchange(settings_of, [*overrides, *exchange], progress=False))]
    for text in (*summaries, page, *drawn_texts, *tables):
        assert not re.search(r"\bnan\b", text, re.IGNORECASE), text
    assert "(no interval from one replicate)" in summaries[0] and "with 95 % intervals" not in summaries[0]
    assert "× 1 replicate of 3 months" in capsys.readouterr().out


# -- intervals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 20])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
def test_an_interval_is_students(n, level):
    x = np.random.default_rng(n).normal(3.0, 2.0, (n, 4))
    got = mean_intervals(x, level)
    low, high = stats.t.interval(level, n - 1, x.mean(axis=0), stats.sem(x, axis=0))
    np.testing.assert_allclose((got.mean, got.low, got.high), (x.mean(axis=0), low, high), rtol=1e-12)
    assert (got.n == n).all()


def test_an_interval_by_hand():
    """1, 2, 3: mean 2, standard error 1/√3, t at two degrees of freedom 4.3027."""
    got = mean_intervals([1.0, 2.0, 3.0])
    assert got.mean == 2.0
    assert got.high - got.mean == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert got.mean - got.low == pytest.approx(got.high - got.mean, rel=1e-12)


def test_one_value_has_a_mean_and_no_interval():
    got = mean_intervals([[5.0, np.nan]])
    assert got.mean[0] == 5.0 and np.isnan([got.low[0], got.high[0]]).all() and got.n[0] == 1
    assert np.isnan([got.mean[1], got.low[1], got.high[1]]).all() and got.n[1] == 0


def test_missing_values_are_left_out():
    with_gaps = np.array([[1.0, 1.0], [np.nan, 2.0], [2.0, np.nan], [4.0, np.nan]])
    got = mean_intervals(with_gaps)
    for column, values in enumerate(([1.0, 2.0, 4.0], [1.0, 2.0])):
        alone = mean_intervals(values)
        assert [part[column] for part in got] == [float(part) for part in alone]


def test_equal_values_have_no_width():
    got = mean_intervals(np.zeros((5, 2)))
    assert not np.any([got.mean, got.low, got.high])


# -- arms ----------------------------------------------------------------------------------------------


def test_the_default_arms_are_nothing_each_instrument_and_all():
    assert names() == ["nothing", "cqo", "one_stop_stations", "strong_chain_loans", "all"]
    assert names("instruments=[cqo]") == ["nothing", "cqo"]
    assert names("instruments=[]") == names("policy=none") == ["nothing"]


def test_the_default_arms_hold_what_they_are_called():
    arms = {arm.name: arm.instruments for arm in arms_of(settings("instruments.cqo.reach=0.7"), [])}
    assert arms["nothing"] == ()
    assert arms["cqo"] == (ChiefQualityOfficer(reach=0.7),)
    assert arms["strong_chain_loans"] == (StrongChainLoans(),)
    assert arms["all"] == (ChiefQualityOfficer(reach=0.7), OneStopStations(), StrongChainLoans())


def test_the_reference_comes_first():
    assert names(ARMS) == ["nothing", "cqo", "placebo", "all"]
    assert names("study.reference=cqo") == ["cqo", "nothing", "one_stop_stations", "strong_chain_loans", "all"]


def test_an_arm_adds_its_overrides_to_those_of_the_job():
    overrides = (
        "study.arms={a: ['instruments=[cqo]'], b: ['parameters.latent_share=0.2']}",
        "study.reference=a",
        "instruments.cqo.reach=0.9",
    )
    a, b = arms_of(settings(*overrides), [*SMALL, *overrides])
    assert a.instruments == (ChiefQualityOfficer(reach=0.9),)
    assert b.instruments == (ChiefQualityOfficer(reach=0.9), OneStopStations(), StrongChainLoans())
    assert a.world.region == b.world.region and (a.world.parameters.latent_share, b.world.parameters.latent_share) == (
        Parameters().latent_share,
        0.2,
    )


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ("study.reference=nobody",),
            "'nobody', but there is no such arm; the arms are nothing, cqo, one_stop_stations, strong_chain_loans, all",
        ),
        (("study.arms={a: []}",), "'nothing', but there is no such arm; the arms are a"),
        (("study.arms={nothing: ['instruments=[]', 'instruments.cqo.reach=1']}",), "cqo is not active"),
    ],
)
def test_arms_that_make_no_sense_are_refused(overrides, expected):
    with pytest.raises(SettingsError) as refused:
        arms_of(settings(*overrides), [*SMALL, *overrides])
    assert expected in str(refused.value)


# -- effects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["nothing", "placebo"])
def test_the_reference_and_a_placebo_have_an_effect_of_exactly_0(comparison, arm):
    of_arm = comparison.effects["arm"] == arm
    effects = comparison.effects[of_arm & (comparison.effects["replicates"] > 1)]  # of one value there is no interval
    assert len(effects) > len(OUTCOMES)
    assert not effects[["effect", "effect_low", "effect_high"]].to_numpy().any()
    flows = effects[effects["cumulative_effect_low"].notna()]
    assert not flows[["cumulative_effect", "cumulative_effect_low", "cumulative_effect_high"]].to_numpy().any()
    assert not comparison.effects.loc[of_arm, "effect"].dropna().any()
    series = comparison.series[(comparison.series["arm"] == arm) & comparison.series["level_low"].notna()]
    assert len(series) > len(OUTCOMES)
    assert not series[["effect", "effect_low", "effect_high"]].to_numpy().any()


def test_an_effect_is_the_mean_difference_on_common_random_numbers(comparison):
    """Computed again, run by run, from separate worlds."""
    config = settings()
    differences = []
    for key in replicate_keys(config.seed, config.replicates):
        levels = []
        for policy in ((), (ChiefQualityOfficer(),)):
            model = StrongchainModel(config.world.region, None, config.world.parameters, policy, key=key, burn_in=6)
            model.run(6)
            levels.append(model.record.series("open_problems")[-3:].mean())
        differences.append(levels[1] - levels[0])
    row = comparison.effect("cqo", "open_problems")
    assert row["effect"] == pytest.approx(np.mean(differences), rel=1e-9)
    low, high = stats.t.interval(0.95, 2, np.mean(differences), stats.sem(differences))
    assert (row["effect_low"], row["effect_high"]) == pytest.approx((low, high), rel=1e-9)
    assert row["replicates"] == 3


def test_the_share_is_the_effect_over_the_level_of_the_reference(comparison):
    row, reference = comparison.effect("cqo", "open_problems"), comparison.effect("nothing", "open_problems")
    assert row["effect_share"] == pytest.approx(row["effect"] / reference["level"], rel=1e-12)
    assert row["level"] == pytest.approx(reference["level"] + row["effect"], rel=1e-9)


def test_the_origins_add_up_to_the_field_loss(comparison):
    for arm, of_arm in comparison.origins.groupby("arm"):
        assert of_arm["share"].sum() == pytest.approx(1.0, rel=1e-9), arm
    first = comparison.maps["nothing"].map
    assert first.error < 1e-9


def test_an_unknown_arm_or_outcome_is_refused(comparison):
    for arm, outcome in (("nobody", "field_dpu"), ("cqo", "nonsense")):
        with pytest.raises(KeyError, match="arms: nothing, cqo, placebo, all"):
            comparison.effect(arm, outcome)


# -- shared burn-in ------------------------------------------------------------------------------------


def test_arms_in_one_world_share_the_burn_in(monkeypatch):
    built, build = [], WorldSettings.build
    monkeypatch.setattr(WorldSettings, "build", lambda self, *a, **k: built.append(self) or build(self, *a, **k))
    overrides = ("study.arms={nothing: ['instruments=[]'], cqo: ['instruments=[cqo]'], other: ['parameters.latent_share=0.2'], all: []}",)
    config = settings(*overrides)
    arms = arms_of(config, [*SMALL, *overrides])
    run_arms(arms, replicate_keys(1, 2), Task(2, 1), SERIAL)
    assert [world.parameters.latent_share for world in built] == [Parameters().latent_share, 0.2] * 2


def test_arms_that_share_a_burn_in_have_the_bits_of_worlds_of_their_own():
    arms = arms_of(settings(), [])
    shared = run_arms(arms, replicate_keys(1, 2), Task(4, 2, ("size",)), SERIAL)
    alone = [run for arm in arms for run in run_arms([arm], replicate_keys(1, 2), Task(4, 2, ("size",)), SERIAL)]
    of = {(run.arm, run.replicate): run for run in alone}
    assert [(run.replicate, run.arm) for run in shared] == [(k, arm.name) for k in range(2) for arm in arms]
    for run in shared:
        other = of[run.arm, run.replicate]
        assert run.groups == other.groups and run.spent == other.spent
        for what in ("window", "cumulative", "series", "origins"):
            assert getattr(run, what).tobytes() == getattr(other, what).tobytes(), f"{run.arm}, {what}"


def test_more_replicates_begin_with_the_same():
    arms = arms_of(settings("instruments=[]"), [])
    one, two = (run_arms(arms, replicate_keys(1, k), Task(2, 1), SERIAL) for k in (1, 2))
    assert one[0].series.tobytes() == two[0].series.tobytes() != two[1].series.tobytes()


# -- in a notebook -------------------------------------------------------------------------------------


def test_a_world_is_built_from_overrides_as_typed():
    model = world("region=sample", "instruments=[cqo]", "instruments.cqo.reach=0.25", "burn_in=2", seed=3)
    assert isinstance(model, StrongchainModel) and model.month == 0
    assert list(model.programmes) == ["cqo"] and model.programmes["cqo"].instrument.reach == 0.25
    assert {by for by, _ in model.record.groups} == {"total", "chain", "tier", "size"}
    by_hand = StrongchainModel(
        model.region, None, None, (ChiefQualityOfficer(reach=0.25),), rng=3, burn_in=2, record=("chain", "tier", "size")
    )
    for same in (model, by_hand):
        same.run(3)
    assert not differing(model, by_hand)


def test_a_world_without_its_seed_is_that_of_the_configuration():
    first, second = (world("region=sample", "scale=0.1", "burn_in=1", *seed) for seed in ((), ("seed=1",)))
    other = world("region=sample", "scale=0.1", "burn_in=1", seed=2)
    assert not differing(first, second)
    assert differing(first, other)


def test_a_mistake_in_a_notebook_is_an_error():
    with pytest.raises(SettingsError, match="cqo is not active"):
        world("instruments=[]", "instruments.cqo.reach=1")
    with pytest.raises(SettingsError, match="months is 0"):
        compare("months=0")


def test_a_comparison_in_a_notebook_has_all_that_the_application_stores(comparison):
    assert comparison.reference == "nothing"
    assert list(comparison.effects["arm"].unique()) == list(comparison.maps) == ["nothing", "cqo", "placebo", "all"]
    assert set(comparison.effects["outcome"]) == set(comparison.series["outcome"]) == set(OUTCOMES)
    assert set(comparison.series["month"]) == set(range(1, 7))
    assert set(comparison.effects["by"]) == {"total", "tier", "size"}
    assert comparison.manifest["overrides"] == [*SMALL, ARMS]


# -- stored and loaded ---------------------------------------------------------------------------------


def test_what_is_loaded_is_what_was_saved(comparison, tmp_path):
    comparison.save(tmp_path / "结果 one")
    back = load(tmp_path / "结果 one")
    for table in ("effects", "series", "origins"):
        pd.testing.assert_frame_equal(getattr(back, table), getattr(comparison, table), check_dtype=False)
        numbers = getattr(comparison, table).select_dtypes("number")
        assert getattr(back, table)[list(numbers)].to_numpy().tobytes() == numbers.to_numpy().tobytes()
    assert back.manifest == comparison.manifest
    assert back.reference == "nothing" and back.maps == {}
    drawn(time_paths(back.series, back.manifest))


def test_a_folder_without_a_study_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no finished study \(there is no manifest\.json in it\)"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no finished study"):
        load(tmp_path / "nowhere")


def test_the_id_depends_on_configuration_keys_and_code_and_not_on_name_and_workers():
    resolved = settings().resolved
    keys = replicate_keys(1, 2)
    first = manifest(resolved, [], keys)["id"]
    assert manifest({**resolved, "name": "other", "parallel": {}}, ["x"], keys)["id"] == first
    assert manifest({**resolved, "months": 7}, [], keys)["id"] != first
    assert manifest(resolved, [], replicate_keys(2, 2))["id"] != first


def test_replicates_may_differ_in_their_tiers():
    """A group that is missing in some replicate is left out of the mean, not counted as nothing."""
    shallow, deep = (network(links, {"A": 1e6}) for links in ({("b", "A"): 0.5}, {("b", "A"): 0.5, ("c", "b"): 0.5}))
    runs = []
    for replicate, built in enumerate((shallow, deep)):
        place = WorldSettings(region(built.n_firms), built, parameters(candidates=0), 1)  # no firm changes suppliers
        (run,) = run_arms([Arm("nothing", place, ())], replicate_keys(1, 1), Task(2, 1, ("tier",)), SERIAL)
        runs.append(run.__class__(**{**run.__dict__, "replicate": replicate}))
    effects = collect(runs, {}, CompareStudy()).effects.query("outcome == 'own_dpu' and by == 'tier'").set_index("group")
    assert effects["replicates"].to_dict() == {"0": 2, "1": 2, "2": 1}
    assert effects["level"].notna().all() and np.isnan(effects.loc["2", "level_low"])


def test_arms_may_differ_in_their_tiers():
    """Suppliers change: an arm that has no firm so far from a leader has no loss there, and figures show it with the others."""
    shallow, deep = (network(links, {"A": 1e6}) for links in ({("b", "A"): 0.5}, {("b", "A"): 0.5, ("c", "b"): 0.5}))
    runs = []
    for arm, built in (("nothing", shallow), ("deep", deep)):
        place = WorldSettings(region(built.n_firms), built, parameters(candidates=0), 1)
        runs += run_arms([Arm(arm, place, ())], replicate_keys(1, 2), Task(2, 1, ("tier",)), SERIAL)
    whole = manifest(settings().resolved, [], replicate_keys(1, 2))
    made = collect(runs, whole, CompareStudy())
    loss = made.origins.groupby(["arm", "tier"], sort=False)["loss"].sum().unstack()
    assert list(loss.columns) == ["0", "1", "2", "none"]
    assert loss.loc["nothing", "2"] == 0.0 < loss.loc["deep", "2"]
    figure = origins_figure(made.origins, made.manifest)
    drawn(figure)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["chain leaders", "tier 1", "tier 2"]


# -- a package of the same name ------------------------------------------------------------------------


def test_another_package_called_agents_is_named(tmp_path):
    """Another distribution installs one; whichever comes first on the path hides the other."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text("")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    process = subprocess.run(
        [sys.executable, "-c", "import experiments"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert process.returncode == 1
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: another package called 'agents' hides Strongchain's: ")
    assert str(tmp_path / "agents") in last and "uninstall it" in last
