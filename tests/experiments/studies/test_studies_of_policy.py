"""The experiments that are typed as +experiment=NAME: budgets, ends of programmes, rules of targeting, portfolios by region."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from experiments import compare
from experiments.analysis.costs import per_yuan
from experiments.analysis.programmes import aftermath, ends_of
from experiments.analysis.results import load
from experiments.analysis.verdicts import conclusion
from experiments.commands import verbs
from experiments.configuration.files import CONFIGS
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError, compose_settings, read_settings
from experiments.figures import save
from experiments.figures.programmes import exchange_figure
from experiments.job import SHOWN, STUDIES
from experiments.languages.wording import use_language
from experiments.reports.exchange import exchange_report
from experiments.reports.programmes import differences_from, programme_lines, programme_views
from experiments.runs.measure import Run
from experiments.studies.budgets import _Aim, within_budget
from experiments.studies.compare import arms_of
from experiments.studies.exchange import exchange_arms
from sim import INSTRUMENTS
from sim.outcomes import HEADLINE
from sim.parameters import declared

pytestmark = pytest.mark.study

EXPERIMENTS = ("after_the_programme", "bad_batch", "exchange", "policy_mix", "value_of_the_map")
#: 35 firms of Liaoning.
TINY = ("scale=0.02", "months=12", "window=6", "burn_in=2", "replicates=2", "parallel=serial")
#: Fewer arms than in the files, so that the tests take seconds.
SMALLER: dict[str, tuple[str, ...]] = {
    "policy_mix": (
        "study.only=[stewards,audits,both]",
        "++study.arms.audits=['instruments=[supplier_qualification]']",
        "++study.arms.both=['instruments=[stewards,cqo]']",
    ),
    "after_the_programme": ("study.only=[one_stop_stations,strong_chain_loans]", "study.length=4", "months=28"),
    "value_of_the_map": ("study.only=[quality_map,map and visits 25 %]",),
    "exchange": ("study.regions=[liaoning,sample]", "study.policies=[jiaxing]"),
}


@dataclass(frozen=True)
class Done:
    """One experiment that has run: its result, and its folder."""

    result: Any
    folder: Path


@pytest.fixture(scope="module")
def experiments(tmp_path_factory):
    """Run an experiment at a tiny size, once for all tests."""
    folder, done = tmp_path_factory.mktemp("experiments"), {}

    def run(name: str) -> Done:
        if name not in done:
            smaller = SMALLER[name]
            size = [default for default in TINY if not any(default.split("=")[0] == other.split("=")[0] for other in smaller)]
            overrides = [f"+experiment={name}", *size, *smaller]
            settings = read_settings(compose_settings(overrides))
            result = STUDIES[settings.study.kind](settings, overrides, progress=False, keep=folder / "runs")
            SHOWN[settings.study.kind][0](result, folder / name, figures=False)
            done[name] = Done(result, folder / name)
        return done[name]

    return run


# -- as they are typed ---------------------------------------------------------------------------------


def test_every_experiment_is_listed_with_a_line(capsys):
    assert tuple(sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))) == EXPERIMENTS
    verbs.main(["experiments"])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(EXPERIMENTS)]
    assert [row.split()[0] for row in rows] == list(EXPERIMENTS)
    assert all(len(row.split()) > 4 for row in rows)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_how_long_it_takes_and_what_is_assumed(name):
    text = (CONFIGS / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    assert "on two cores" in text
    assert "assumption" in text
    listed = yaml.safe_load(text).get("study", {})
    assert listed.keys() <= {"arms", "budget", "split", "length", "second_reference", "regions", "policies"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["+experiment=polcy_mix"], "did you mean 'policy_mix'?"),
        (["+experiment=exchange", "study.regions=[liaonin]"], "did you mean 'liaoning'?"),
        (["+experiment=exchange", "study.policies=[jiaxing,guandong]"], "did you mean 'guangdong'?"),
        (["+experiment=exchange", "study.policies=[jiaxing,jiaxing]"], "names 'jiaxing' twice"),
        (["+experiment=exchange", "study.regions=liaoning"], r'type "study.regions=\[liaoning\]"'),
        (["study.budget=0"], "study.budget is 0; it must be above 0"),
        (["study.length=1.5"], "study.length is 1.5; it must be a whole number"),
        (["study.split=0.5"], "study.split is 0.5; it must give arms their shares"),
        (["study.only=[cqo,alll]"], "study.only is 'alll', but there is no such arm.*did you mean 'all'?"),
        (["+experiment=after_the_programme", "study.arms={a: []}"], "has arms of its own; add one with study.arms.NAME"),
        (["study.second_reference=cpo"], "study.second_reference is 'cpo', but there is no such arm.*did you mean 'cqo'?"),
    ],
)
def test_a_mistake_is_reported_with_the_correction(overrides, message):
    with pytest.raises(SettingsError, match=message):
        preflight(overrides)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("{cpo: {cqo: 1}}", "study.split names 'cpo', but there is no such arm.*did you mean 'cqo'?"),
        ("{all: {cqo: 0.5, stewards: 0.4}}", "its shares must be above 0 and sum to 1"),
        ("{all: {cqo: 1}}", "must give a share to each of cqo, stewards"),
        ("{all: {cqo: 0.5, steward: 0.5}}", "did you mean 'stewards'?"),
    ],
)
def test_shares_that_fit_no_arm_are_refused_before_anything_runs(split, message):
    with pytest.raises(SettingsError, match=message):
        compare("region=sample", "instruments=[cqo,stewards]", "study.budget=1e6", f"study.split={split}", *TINY)
    with pytest.raises(SettingsError, match="there is none; type study.budget"):
        compare("region=sample", "instruments=[cqo,stewards]", "study.split={all: {cqo: 0.5, stewards: 0.5}}", *TINY)


# -- what they leave ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["policy_mix", "after_the_programme", "value_of_the_map"])
def test_an_experiment_leaves_its_tables_and_figures(name, experiments, tmp_path):
    done = experiments(name)
    assert not done.result.failures
    stored = load(done.folder)
    assert stored.programme_tables.keys() == done.result.programme_tables.keys() != set()
    for key, table in done.result.programme_tables.items():
        pd.testing.assert_frame_equal(stored.programme_tables[key], table)
    views = programme_views(stored)
    assert views
    for view in views:
        save(view.figure(), tmp_path / f"{view.key}.png", stored.manifest)
        assert view.table.rows
        assert all(len(row) == len(view.table.head) for row in view.table.rows)
    assert "nan" not in " ".join([view.says for view in views])
    terminal = programme_lines(stored)
    assert [line.strip() for line in terminal if not line.startswith("    ")] == [view.table.caption for view in views]


def test_every_cell_of_an_exchange_is_the_effect_of_a_plain_comparison(experiments):
    done = experiments("exchange")
    cells = done.result.cells.set_index(["region", "policy"])
    assert list(cells.index) == [("liaoning", "jiaxing"), ("sample", "jiaxing")]
    for (region, policy), cell in cells.iterrows():
        arms = f"study.arms={{nothing: [policy=none], {policy}: [policy={policy}]}}"
        alone = compare(f"region={region}", arms, *TINY, keep=done.folder.parent / "runs")
        row = alone.effect(policy)
        for name in ("effect", "effect_low", "effect_high", "effect_share"):
            assert cell[name] == row[name]
        paid = alone.costs.query("arm == @policy and payer == 'government'").iloc[0]
        assert (cell["spent"], cell["avoided"]) == (paid["cost"], paid["avoided"])
        assert cell["defined"] == (paid["cost_low"] > 0.0)
        assert not cell["defined"] or cell["per_yuan"] == pytest.approx(paid["avoided"] / paid["cost"])


def test_the_runs_of_an_exchange_are_those_of_plain_comparisons(experiments):
    done = experiments("exchange")
    runs = done.folder.parent / "runs"
    before = {path.name for path in runs.rglob("*") if path.is_file()}
    compare("region=sample", "study.arms={nothing: [policy=none], jiaxing: [policy=jiaxing]}", *TINY, keep=runs)
    assert {path.name for path in runs.rglob("*") if path.is_file()} == before


def test_an_exchange_leaves_a_heat_map_and_a_report(experiments, tmp_path):
    result = experiments("exchange").result
    assert {"exchange.csv", "effects.csv", "runs.parquet", "manifest.json"} <= {
        path.name for path in experiments("exchange").folder.iterdir()
    }
    assert set(result.comparison.effects["arm"]) == {
        f"{policy} in {region}" for policy in ("nothing", "jiaxing") for region in result.regions
    }
    save(exchange_figure(result.cells, result.manifest, result.regions, result.policies), tmp_path / "exchange.png", result.manifest)
    page = exchange_report(result)
    assert "Liaoning 辽宁" in page
    with use_language("zh"):
        chinese = exchange_report(result)
    assert "辽宁" in chinese and "Liaoning" not in chinese.split('id="again"')[0]
    assert 'src="http' not in page
    assert "2 cells" in page


def test_a_region_typed_with_an_exchange_is_the_only_one():
    settings = read_settings(compose_settings(["+experiment=exchange", "region=jiaxing"]))
    cells = exchange_arms(settings, ["+experiment=exchange", "region=jiaxing", "policy=shandong"])
    assert list(cells) == [("jiaxing", "nothing"), ("jiaxing", "shandong")]
    assert cells["jiaxing", "nothing"].instruments == ()
    assert cells["jiaxing", "nothing"].world == cells["jiaxing", "shandong"].world


# -- budgets -------------------------------------------------------------------------------------------


def test_no_arm_spends_more_than_the_budget_and_those_that_can_spend_it(experiments):
    result = experiments("policy_mix").result
    firms = 35
    budget = result.manifest["configuration"]["study"]["budget"] * firms / 1000.0
    spent = result.runs.set_index("arm")["government_cost_in_all"]
    assert spent.max() <= budget * (1 + 1e-9)
    table = result.programme_tables["spending"].query("instrument == 'in all'").set_index("arm")
    assert table["budget"].to_numpy() == pytest.approx(budget)
    assert spent["nothing"].eq(0.0).all()
    # A steward is too dear by one firm at most, and the pair by two.
    one = 12 * 0.125 * 3_000.0
    assert (budget - spent["stewards"]).max() <= one
    assert (budget - spent["both"]).max() <= 2 * (one + 5_000.0)
    assert spent["audits"].eq(0.0).all()
    assert table.at["audits", "verdict"] == "cannot spend it"


def test_the_parts_of_a_budget_are_as_shared_out(experiments):
    result = experiments("value_of_the_map").result
    whole = result.programme_tables["spending"]
    budgets = whole[whole["instrument"] == "in all"].set_index("arm")["budget"]
    assert budgets.nunique() == 1
    assert len(budgets) == 3
    shares = whole[whole["arm"] == "map and visits 25 %"].set_index("instrument")["budget"] / budgets.iloc[0]
    assert shares[["quality_map", "stewards"]].to_list() == pytest.approx([0.25, 0.75])
    assert (result.runs["government_cost_in_all"] <= budgets.iloc[0] * (1 + 1e-9)).all()


def test_an_instrument_of_which_a_part_of_a_run_is_funded_has_as_many_months_of_the_budget():
    overrides = ["region=sample", "instruments=[stewards]", "instruments.stewards.start=7", "study.budget=1e6", *TINY[1:]]
    settings = read_settings(compose_settings(overrides))
    fitted = within_budget(settings, arms_of(settings, overrides), None, False)
    (stewards,) = next(arm for arm in fitted if arm.instruments).instruments
    assert stewards.budget == pytest.approx(1e6 * settings.world.firms / 1000.0 * 6 / 12)


@pytest.mark.parametrize(
    "cost", [lambda x: 300.0 * x, lambda x: 40.0 * np.floor(50.0 * x) / 10.0 + 1.0, lambda x: 900.0 * x**2, lambda x: 5.0 * x]
)
def test_a_lever_is_found_that_spends_the_budget_or_its_end(cost):
    aim = _Aim(100.0, 0.5, 1.0)
    for _ in range(12):
        if not aim.done:
            aim.learn(cost(aim.value))
    assert aim.done
    if cost(1.0) < 100.0:
        assert aim.best == 1.0
    else:
        assert cost(aim.best) >= 100.0
        assert cost(aim.best * 0.97) < 100.0


def test_every_instrument_has_its_lever():
    for cls in INSTRUMENTS.values():
        assert any(f.name == cls.budget_lever for f in declared(cls))


# -- after the end -------------------------------------------------------------------------------------


def test_after_the_end_government_spends_nothing_more(experiments):
    result = experiments("after_the_programme").result
    table = result.programme_tables["aftermath"]
    assert set(table["end"]) == {4}
    assert list(table[table["arm"] == "one_stop_stations"]["year"]) == [0, 1, 2]
    assert (table.loc[table["year"] > 0, "government_cost"] == 0.0).all()
    assert table.loc[(table["year"] == 0) & (table["arm"] == "one_stop_stations"), "government_cost"].iloc[0] > 0.0
    months = result.series.query("outcome == 'government_cost' and month > 4")
    assert (months["level"] == 0.0).all()
    assert "spends nothing more" in programme_views(result)[0].says


def _runs(arm: str, paths: np.ndarray, spent: float = 1.0) -> list[Run]:
    """Runs with these paths of defects, shape (replicates, months), and government's cost in the first ten months."""
    runs = []
    for k, path in enumerate(paths):
        cost = np.where(np.arange(path.size) < 10, spent, 0.0)
        series = np.stack([path, cost, 100.0 * path], axis=1)
        sums = series.sum(axis=0)[:, None]
        keys = (HEADLINE, "government_cost", "field_defects")
        runs.append(Run(arm, k, keys, (("total", "all"),), sums, sums, series, np.zeros((1, 3)), None, {}, {}))
    return runs


def test_the_share_of_an_effect_that_is_left_is_that_of_whole_years():
    """An effect of -1 in the last year of a programme of 24 months, then halved year by year."""
    draw = np.random.default_rng(1)
    base = 10.0 + draw.normal(0.0, 0.1, (6, 84))
    effect = np.repeat([-0.5, -1.0, -0.5, -0.25, -0.125, 0.0, 0.0], 12)
    by_arm = {"nothing": _runs("nothing", base, 0.0), "x": _runs("x", base + effect + draw.normal(0.0, 0.001, (6, 1)))}
    table = aftermath(by_arm, "nothing", {"x": 24}).set_index("year")
    assert list(table.index) == [-1, 0, 1, 2, 3, 4, 5]
    assert list(table.loc[1, ["first_month", "last_month"]]) == [25, 36]
    assert table["left"].to_numpy() == pytest.approx([0.5, 1.0, 0.5, 0.25, 0.125, 0.0, 0.0], abs=0.01)
    assert (table.loc[1:, "left_low"] < table.loc[1:, "left"]).all()
    assert table["defined"].all()


def test_of_an_effect_that_is_not_shown_no_share_is_left():
    draw = np.random.default_rng(2)
    by_arm = {arm: _runs(arm, draw.normal(10.0, 1.0, (5, 36))) for arm in ("nothing", "x")}
    table = aftermath(by_arm, "nothing", {"x": 12})
    assert not table["defined"].any()
    assert table["left"].isna().all()


def test_programmes_end_with_the_last_of_them_and_not_if_one_goes_on():
    def arm(*lengths: int | None) -> dict[str, Any]:
        return {"instruments": {str(k): {"active": True, "start": 3, "length": length} for k, length in enumerate(lengths)}}

    arms = {"both": arm(4, 8), "on": arm(4, None), "none": arm(), "all": arm(58)}
    assert ends_of(arms, 60) == {"both": 10}


def test_what_a_yuan_buys_is_not_defined_where_nothing_is_paid():
    draw = np.random.default_rng(3)
    base = draw.normal(10.0, 0.1, (6, 12))
    by_arm = {"nothing": _runs("nothing", base, 0.0), "paid": _runs("paid", base - 1.0, 3.0), "free": _runs("free", base - 1.0, 0.0)}
    table = per_yuan(by_arm, "nothing").set_index("arm")
    assert table.loc["paid", ["spent", "avoided", "per_yuan"]].to_list() == pytest.approx([30.0, 1200.0, 40.0])
    assert not table.at["free", "defined"]
    assert table.at["free", "conclusion"] == "lower", "fewer defects, which cost nothing"


# -- against a second arm -------------------------------------------------------------------------------


def test_differences_from_a_second_arm_are_those_of_the_runs(experiments):
    result = experiments("value_of_the_map").result
    table = differences_from(result, "random").query("outcome == @HEADLINE").set_index("arm")
    runs = result.runs.pivot(index="replicate", columns="arm", values=HEADLINE)
    assert set(table.index) == set(runs.columns) - {"random"}
    for arm in table.index:
        assert table.at[arm, "effect"] == pytest.approx((runs[arm] - runs["random"]).mean(), rel=1e-9, abs=1e-15)
        assert table.at[arm, "effect_low"] <= table.at[arm, "effect"] <= table.at[arm, "effect_high"]
        assert table.at[arm, "conclusion"] == conclusion(*table.loc[arm, ["effect", "effect_low", "effect_high"]])
        assert table.at[arm, "effect_share"] == pytest.approx(table.at[arm, "effect"] / runs["random"].mean(), rel=1e-6, abs=1e-12)
