"""From runs to tables: pairs, corrections, cost per avoided defect, the books, enough replicates, single runs."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import compare
from experiments.analysis.costs import PAYERS
from experiments.analysis.effects import HEADLINES
from experiments.analysis.results import SHEET, collect, write_parts, write_table
from experiments.analysis.statistics import (
    adjusted_p_values,
    half_widths,
    mean_intervals,
    ratio_intervals,
    shown_intervals,
    variance_ratios,
)
from experiments.configuration.declared import declared_at
from experiments.configuration.rules import rule_of
from experiments.configuration.settings import CompareStudy, SettingsError, compose_settings, read_settings
from experiments.runs.measure import Run
from experiments.runs.progress import Progress
from experiments.studies.compare import FIRST
from sim.outcomes import OUTCOMES

pytestmark = pytest.mark.study

#: A small study, but for how many replicates; and with four.
ANY = ("region=sample", "scale=0.2", "months=6", "window=3", "burn_in=3", "parallel=serial")
SMALL = (*ANY, "replicates=4")
ARMS = ("nothing", "a", "b")
KEYS = tuple(OUTCOMES)
REPLICATES = 12


def made(level: dict[str, np.ndarray], whole: dict[str, np.ndarray], arm: str, replicate: int, **more: object) -> Run:
    """A run with some outcomes as given, in total; the others are 1."""
    window = np.array([[level.get(key, np.ones(REPLICATES))[replicate]] for key in KEYS])
    cumulative = np.array([[whole.get(key, np.ones(REPLICATES))[replicate] if OUTCOMES[key].is_flow else np.nan] for key in KEYS])
    series = np.ones((3, len(KEYS)))
    payments = {("cqo", "government", "households"): 5.0 + replicate} if arm == "a" else {}
    spent = {"cqo": 2.0} if arm == "a" else {}
    values = dict(groups=(("total", "total"),), series=series, origins=np.ones((2, 3)), picture=None, spent=spent, payments=payments)
    return Run(arm, replicate, KEYS, window=window, cumulative=cumulative, **(values | more))  # type: ignore[arg-type]


def runs_of(**effects: dict[str, np.ndarray]) -> list[Run]:
    """Three arms on common luck: to each outcome of an arm something is added; flows get it over the whole run."""
    luck = {key: 10.0 + np.random.default_rng(k).normal(size=REPLICATES) for k, key in enumerate(KEYS)}
    found = []
    for replicate in range(REPLICATES):
        for arm in ARMS:
            mine = {key: luck[key] + effects.get(arm, {}).get(key, 0.0) for key in KEYS}
            found.append(made(mine, mine, arm, replicate))
    return found


def noise(seed: int, mean: float, spread: float = 0.1) -> np.ndarray:
    return mean + spread * np.random.default_rng(seed).normal(size=REPLICATES)


# -- pairs and corrections -------------------------------------------------------------------------------


def test_every_pair_of_arms_is_compared_once_on_common_luck():
    runs = runs_of(a={"field_dpu": noise(1, -1.0)}, b={"field_dpu": noise(2, -3.0)})
    pairs = collect(runs, {}, CompareStudy()).pairs
    assert list(zip(pairs["arm"].unique()[[0, 1]], ("nothing", "nothing"), strict=True)) == [("a", "nothing"), ("b", "nothing")]
    assert {tuple(pair) for pair in pairs[["against", "arm"]].to_numpy()} == set(combinations(ARMS, 2))
    row = pairs.query("arm == 'b' and against == 'a' and outcome == 'field_dpu'").iloc[0]
    expected, _ = shown_intervals(noise(2, -3.0) - noise(1, -1.0))
    np.testing.assert_allclose([row["effect"], row["effect_low"], row["effect_high"]], [expected.mean, expected.low, expected.high])
    level = np.mean([run.window[KEYS.index("field_dpu"), 0] for run in runs if run.arm == "a"])
    assert row["effect_share"] == pytest.approx(row["effect"] / level)


def test_pairs_with_the_reference_are_the_effects():
    found = collect(runs_of(a={"copq": noise(3, 0.5)}, b={"copq": noise(4, 0.1)}), {}, CompareStudy())
    effects = found.effects.query("by == 'total' and arm != 'nothing'").set_index(["arm", "outcome"])
    pairs = found.pairs.query("against == 'nothing'").set_index(["arm", "outcome"])
    shared = [name for name in pairs if name in effects and name != "p_adjusted"]
    pd.testing.assert_frame_equal(pairs[shared], effects[shared], check_exact=True)


@pytest.mark.parametrize("method", ["holm", "bh", "bonferroni"])
def test_p_values_are_corrected_within_all_comparisons(method):
    runs = runs_of(a={"field_dpu": noise(1, -1.0)}, b={"copq": noise(2, 0.05)})
    found = collect(runs, {}, CompareStudy(correction=method))
    family = found.effects.query("by == 'total' and arm != 'nothing' and outcome in @HEADLINES")
    np.testing.assert_array_equal(family["p_adjusted"], adjusted_p_values(family["p"], method))
    pairs = found.pairs.query("outcome in @HEADLINES")
    np.testing.assert_array_equal(pairs["p_adjusted"], adjusted_p_values(pairs["p"], method))
    assert found.effects.query("outcome not in @HEADLINES")["p_adjusted"].isna().all()
    assert (family["p_adjusted"] >= family["p"]).all() and (family["p_adjusted"] > family["p"]).any()
    assert found.effects.query("arm == 'nothing'")["p_adjusted"].isna().all()


def test_without_a_correction_p_values_stay():
    found = collect(runs_of(a={"field_dpu": noise(1, -1.0)}), {}, CompareStudy())
    family = found.effects.query("by == 'total' and arm != 'nothing'")
    np.testing.assert_array_equal(family["p_adjusted"], family["p"])


def test_an_effect_is_shown_by_its_interval_and_by_its_corrected_p_value():
    sure, weak = noise(1, -1.0), noise(2, 0.0, 1.0)
    weak = weak - weak.mean() + 0.68 * weak.std(ddof=1)  # p = 0.04: told by itself, and not among ten comparisons
    runs = runs_of(a={"field_dpu": sure, "nonconformity": weak, "exits": weak}, b={"copq": -sure})
    for correction, alone in (("none", "higher"), ("holm", "not shown")):
        effects = collect(runs, {}, CompareStudy(correction=correction)).effects.set_index(["arm", "outcome"])["conclusion"]
        assert effects["a", "field_dpu"] == "lower" and effects["b", "copq"] == "higher" and effects["b", "field_dpu"] == "no change"
        assert effects["a", "nonconformity"] == alone and effects["a", "exits"] == "higher", "no headline outcome is not corrected"
    one = [run for run in runs if run.replicate == 0]
    assert set(collect(one, {}, CompareStudy()).effects["conclusion"]) == {"unknown"}


def test_the_guide_names_the_outcomes_whose_p_values_are_corrected():
    guide = Path(__file__).resolve().parents[3] / "docs/guide/statistics.md"
    [said] = [part for part in guide.read_text(encoding="utf-8").split("\n\n") if part.startswith("**Multiple comparisons.**")]
    assert tuple(word for word in re.findall(r"`(\w+)`", said) if word in OUTCOMES) == HEADLINES
    assert all("headline outcomes" in rule_of(f).meaning for f in declared_at("study.correction"))


# -- cost per avoided defect --------------------------------------------------------------------------------


def test_cost_per_avoided_defect_by_payer():
    paid, saved, avoided = noise(5, 4.0), noise(6, -6.0), noise(7, 2.0)
    effects = {"government_cost": paid, "firm_quality_cost": saved, "society_quality_cost": paid + saved, "field_defects": -avoided}
    costs = collect(runs_of(a=effects), {}, CompareStudy()).costs.set_index(["arm", "payer"])
    for payer, cost in {"government": paid, "firms": saved, "society": paid + saved}.items():
        row, expected = costs.loc[("a", payer)], ratio_intervals(cost, avoided)
        assert row["defined"]
        np.testing.assert_allclose([row["ratio"], row["ratio_low"], row["ratio_high"]], [expected.ratio, expected.low, expected.high])
        np.testing.assert_allclose([row["cost"], row["cost_low"], row["cost_high"]], [float(part) for part in shown_intervals(cost)[0][:3]])
    assert costs.loc[("a", "government"), "ratio"] > 0 > costs.loc[("a", "firms"), "ratio"]


@pytest.mark.parametrize(("avoided", "why"), [(0.0, "the interval of what is avoided holds 0"), (-5.0, "defects were caused")])
def test_a_cost_per_avoided_defect_is_not_defined_where_none_is_known_to_be_avoided(avoided, why):
    effects = {"government_cost": noise(5, 4.0), "field_defects": -noise(8, avoided, 1.0)}
    costs = collect(runs_of(a=effects), {}, CompareStudy()).costs.query("arm == 'a'")
    assert not costs["defined"].any() and costs[["ratio", "ratio_low", "ratio_high"]].isna().all(axis=None), why
    assert costs["avoided"].notna().all()


def test_society_pays_what_government_and_firms_pay():
    found = compare(*SMALL)
    costs = found.costs.pivot(index="arm", columns="payer", values="cost")
    np.testing.assert_allclose(costs["society"], costs["government"] + costs["firms"], rtol=1e-9)
    assert set(costs.columns) == set(PAYERS) and found.costs["arm"].nunique() == 4
    runs = found.runs.set_index(["arm", "replicate"])
    spent = runs[[name for name in runs if name.startswith("spent_on_")]].sum(axis=1)
    np.testing.assert_allclose(runs["government_cost_in_all"], spent, rtol=1e-9, atol=1e-6)


# -- the books --------------------------------------------------------------------------------------------


def test_payments_are_compared_flow_by_flow():
    books = collect(runs_of(), {}, CompareStudy()).books.set_index("arm")
    expected = mean_intervals(5.0 + np.arange(REPLICATES))
    row = books.loc["a"]
    assert (row["purpose"], row["payer"], row["payee"]) == ("cqo", "government", "households")
    np.testing.assert_allclose([row["level"], row["effect"], row["effect_low"]], [expected.mean, expected.mean, expected.low])
    assert books.loc["nothing", "effect"] == 0.0 == books.loc["b", "level"]


# -- enough replicates, common luck ----------------------------------------------------------------------


def test_enough_replicates_for_the_half_width_asked_for():
    runs = runs_of(a={key: noise(k, -1.0) for k, key in enumerate(HEADLINES)})
    for wanted, verdict in ((0.5, "yes"), (1e-4, "no"), (None, "not asked")):
        enough = collect(runs, {}, CompareStudy(half_width=wanted)).enough.query("arm == 'a'").set_index("outcome")
        assert (enough["enough"] == verdict).all() and list(enough.index) == list(HEADLINES)
        row = enough.loc["field_dpu"]
        found, _ = shown_intervals(noise(0, -1.0))
        assert row["half_width"] == pytest.approx(float(half_widths(found))) and row["replicates"] == REPLICATES
        assert row["share"] == pytest.approx(row["half_width"] / row["baseline"])
        assert row["needed_to_show"] <= 4, "an effect ten spreads wide"
        assert np.isnan(row["needed"]) if wanted is None else row["needed"] <= 3 if verdict == "yes" else row["needed"] > 1000


def test_the_gain_of_common_luck_is_told_for_every_headline():
    runs = runs_of(a={key: noise(k, -1.0) for k, key in enumerate(HEADLINES)})
    luck = collect(runs, {}, CompareStudy()).luck.query("arm == 'a'").set_index("outcome")
    at = KEYS.index("field_dpu")
    start, mine = (np.array([run.window[at, 0] for run in runs if run.arm == arm]) for arm in ("nothing", "a"))
    assert luck.loc["field_dpu", "ratio"] == pytest.approx(float(variance_ratios(mine, start).mean))
    assert (luck["ratio"] > 20).all()


def test_replicates_are_added_until_the_half_width_is_reached():
    few = compare(*SMALL, "instruments=[cqo]", "study.half_width=0.5")
    assert few.manifest["replicates"] == FIRST == 20 and few.manifest["half_width_reached"] is True, "no look before twenty"
    more = compare(*SMALL, "instruments=[cqo]", "study.half_width=0.003", "study.cap=50")
    n = more.manifest["replicates"]
    assert 20 < n <= 50 and len(more.manifest["replicate_keys"]) == n and set(more.runs["replicate"]) == set(range(1, n + 1))
    pd.testing.assert_frame_equal(more.runs.query("replicate <= 20").reset_index(drop=True), few.runs, check_exact=True)
    row = more.enough.query("arm == 'cqo' and outcome == 'field_dpu'").iloc[0]
    assert more.manifest["half_width_reached"] == (row["enough"] == "yes") == (row["share"] <= 0.003)
    one = compare(*SMALL, "policy=none", "study.half_width=0.004")
    assert one.manifest["replicates"] == 4, "one arm has no effect to be sure of"


def test_a_cap_below_the_first_replicates_is_refused():
    with pytest.raises(SettingsError, match="study.cap is 3, less than replicates=4"):
        read_settings(compose_settings([*SMALL, "study.half_width=0.1", "study.cap=3"]))


# -- run by run --------------------------------------------------------------------------------------------


def test_the_table_of_runs_has_a_row_per_arm_and_replicate():
    runs = runs_of(a={"field_dpu": noise(1, -1.0)})
    table = collect(runs, {}, CompareStudy()).runs
    assert list(table["arm"]) == list(ARMS) * REPLICATES and list(table["replicate"]) == [k for k in range(1, 13) for _ in ARMS]
    assert table.loc[1, "field_dpu"] == runs[1].window[KEYS.index("field_dpu"), 0]
    flows = [key for key in KEYS if OUTCOMES[key].is_flow]
    assert [name for name in table if name.endswith("_in_all")] == [f"{key}_in_all" for key in flows]
    assert list(table["spent_on_cqo"][:3]) == [0.0, 2.0, 0.0]


def test_a_result_has_the_hash_of_its_runs():
    runs = runs_of(a={"field_dpu": noise(1, -1.0)})
    one, other = (collect(some, {}, CompareStudy()).manifest["result"] for some in (runs, [replace(run) for run in runs]))
    runs[4].window[0, 0] = np.nextafter(runs[4].window[0, 0], 2.0)
    assert one == other != collect(runs, {}, CompareStudy()).manifest["result"], "a bit of one value"


def test_groups_series_and_firms_are_saved_on_request(tmp_path):
    words = (*ANY, "instruments=[cqo]", "replicates=2")
    plain = compare(*words, keep=tmp_path / "runs")
    plain.save(tmp_path / "plain")
    assert not list((tmp_path / "plain").glob("*_of_runs.*")) and set(plain.runs["by"]) == {"total"}
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*.npz")}
    full = compare(*words, "save=[groups,series,firms]", keep=tmp_path / "runs")
    full.save(tmp_path / "full")
    assert len(before) == len([*(tmp_path / "runs").glob("*.npz")]), "the same runs, now with their tables"
    totals = full.runs.query("by == 'total'").reset_index(drop=True)
    pd.testing.assert_frame_equal(totals, plain.runs, check_exact=True)
    assert set(full.runs["by"]) == {"total", "tier", "size"}
    series = pd.read_parquet(tmp_path / "full" / "series_of_runs.parquet")
    assert len(series) == 4 * 6 * series.groupby(["by", "group"]).ngroups
    shown = series.query("arm == 'cqo' and by == 'total'").groupby("month")["open_problems"].mean()
    expected = full.series.query("arm == 'cqo' and outcome == 'open_problems'").set_index("month")["level"]
    np.testing.assert_allclose(shown, expected)
    firms = pd.read_csv(tmp_path / "full" / "firms_of_runs.csv", encoding="utf-8-sig")
    assert list(firms.groupby(["arm", "replicate"], sort=False).ngroup().unique()) == [0, 1, 2, 3]
    assert {"firm", "chain_name", "capability_management", "cqo", "cash"} <= set(firms.columns)
    again = compare(*words, "save=[series]", keep=tmp_path / "runs")
    assert [path.exists() for *_, path in again.run_tables["series"]] == [True] * 4


def test_what_nobody_keeps_cannot_be_saved():
    with pytest.raises(SettingsError, match="no folder keeps the runs"):
        compare(*SMALL, "save=[firms]")
    assert set(compare(*ANY, "instruments=[]", "replicates=1", "save=[groups]").runs["by"]) == {"total", "tier", "size"}


def test_a_table_too_long_for_a_sheet_is_parquet_only(tmp_path, monkeypatch):
    table = pd.DataFrame({"name": ["整车厂", "a,b"], "x": [0.1 + 0.2, np.nan]})
    write_table(table, tmp_path / "short")
    assert (tmp_path / "short.csv").read_bytes() == b"\xef\xbb\xbfname,x\n" + '整车厂,0.30000000000000004\n"a,b",\n'.encode()
    monkeypatch.setattr("experiments.analysis.results.SHEET", 1)
    write_table(table, tmp_path / "long")
    table.to_parquet(tmp_path / "part.parquet", index=False)
    write_parts([("a", 1, tmp_path / "part.parquet"), ("b", 2, tmp_path / "part.parquet")], tmp_path / "parts")
    assert sorted(path.name for path in tmp_path.glob("[lp]*s.*")) == ["parts.parquet"] and not (tmp_path / "long.csv").exists()
    whole = pd.read_parquet(tmp_path / "parts.parquet")
    assert (
        list(whole["arm"]) == ["a", "a", "b", "b"]
        and list(whole["replicate"]) == [1, 1, 2, 2]
        and list(whole["name"][:2]) == list(table["name"])
    )
    assert SHEET == 2**20 - 1


def test_where_nothing_is_lost_there_are_no_shares():
    runs = [replace(run, origins=np.zeros((2, 3))) for run in runs_of()]
    origins = collect(runs, {}, CompareStudy()).origins
    assert (origins["loss"] == 0.0).all() and origins["share"].isna().all()


def test_a_dot_in_a_name_is_no_suffix(tmp_path):
    for name in ("reach 0.5", "reach 0.9"):
        write_table(pd.DataFrame({"x": [1.0]}), tmp_path / name)
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["reach 0.5.csv", "reach 0.9.csv"]


def test_tables_of_runs_that_cannot_be_written_leave_nothing(tmp_path):
    pd.DataFrame({"x": [1.0]}).to_parquet(tmp_path / "one.parquet", index=False)
    pd.DataFrame({"y": ["other"]}).to_parquet(tmp_path / "other.parquet", index=False)
    with pytest.raises(ValueError, match="schema"):
        write_parts([("a", 1, tmp_path / "one.parquet"), ("a", 2, tmp_path / "other.parquet")], tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.parquet", "other.parquet"]


# -- how far it is -------------------------------------------------------------------------------------------


def test_a_log_gets_a_line_now_and_then_with_rate_and_time_left(capsys, monkeypatch):
    clock = iter([0.0, 10.0, 40.0, 50.0, 80.0])
    monkeypatch.setattr("experiments.runs.progress.time.monotonic", lambda: next(clock))
    with Progress(10, done=2) as shown:
        for _ in range(4):
            shown.add(2)
    assert capsys.readouterr().err.splitlines() == ["6 of 10 runs, 0.1 runs/s, 00:40 left", "10 of 10 runs, 0.1 runs/s, 00:00 left"]


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress(4) as shown:
        shown.add(4)
    said = capsys.readouterr().err
    assert "4/4" in said and "run/s" in said


def test_quiet_says_nothing(capsys):
    with Progress(4, shown=False) as shown:
        shown.add(4)
    captured = capsys.readouterr()
    assert not captured.err and not captured.out


def test_bytes_of_an_input_file_count(tmp_path):
    """A remark that no reader reads still makes other runs: nobody has to know what is read."""
    chain = tmp_path / "chain.csv"
    words = (
        *(word for word in ANY if not word.startswith("scale=")),
        "network=file",
        f"network.path={chain}",
        "instruments=[]",
        "replicates=1",
    )
    for text, runs in (("b,A,0.3,x\n", 1), ("b,A,0.3,x\n", 1), ("b,A,0.3,y\n", 2)):
        chain.write_text("supplier,customer,value_share,remark\n" + text, encoding="utf-8")
        compare(*words, keep=tmp_path / "runs")
        assert len([*Path(tmp_path / "runs").glob("*.npz")]) == runs
