"""Patterns, how they are measured, history matching on a function whose answer is known, and the two studies at a tiny size."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from agents.streams import replicate_keys
from experiments.calibration.history_matching import Emulator, axes_of, hypercube, next_points, scaled, spread_out
from experiments.calibration.observe import Observed, observe, observe_all, pooled
from experiments.calibration.patterns import PATTERNS, PROBES, TELLING, implausibility
from experiments.configuration.settings import Parallel, compose_settings, read_settings
from experiments.configuration.study import searched_ranges
from experiments.pages.evidence.plausible_worlds import publish
from experiments.reports.calibration import calibration_page, plausible_table, present_calibration, present_validation, validation_page
from experiments.runs.files import unsealed
from experiments.studies.calibrate import patterns_held, run_calibration
from experiments.studies.validate import run_validation
from sim import Parameters
from sim.data.plausible import DEFAULT_SET, plausible_sets, with_values
from sim.parameters import ParameterError

pytestmark = pytest.mark.study

RANGES = searched_ranges()
TINY = (
    "region=sample",
    "network=synthetic",
    "network.firms=60",
    "network.leaders=6",
    "region.stations=1",
    "region.counties=4",
    "burn_in=2",
)
SERIAL = Parallel(workers=1)


# -- patterns --------------------------------------------------------------------------------------------


def test_every_pattern_is_declared_once_with_a_source():
    assert [pattern.number for pattern in PATTERNS] == list(range(1, 15))
    assert all(pattern.source and pattern.confidence in "SDRN" and pattern.probes for pattern in PATTERNS)
    assert len(PROBES) == sum(len(pattern.probes) for pattern in PATTERNS)
    assert all(probe.low < probe.high and probe.scale > 0 for probe in PROBES.values())


def test_implausibility_is_the_distance_outside_the_range():
    keys = ("pass_rate", "warranty")
    outside = implausibility([[93.5, 2.0], [94.5, 1.2], [92.5, np.nan]], keys)
    assert outside[0] == pytest.approx([0.0, 0.0])
    assert outside[1] == pytest.approx([0.5 / PROBES["pass_rate"].scale, 0.3 / PROBES["warranty"].scale])
    assert outside[2, 0] == pytest.approx(0.5 / PROBES["pass_rate"].scale) and np.isinf(outside[2, 1])
    assert implausibility([94.5], ("pass_rate",), error=[10.0]) < 0.06  # a value with a large error is not implausible
    assert implausibility([[94.0, 2.4], [93.5, 2.0]], keys, inside=0.5) == pytest.approx(np.array([[0.5, 0.5], [0.0, 0.0]]))


def test_a_pattern_holds_if_all_its_figures_do():
    middle = {key: np.clip(0.0, PROBES[key].low + 1e-9, PROBES[key].high - 1e-9) for key in TELLING}
    good = np.array([[middle[key] for key in TELLING]])
    assert patterns_held(good)[0] == len({pattern.number for pattern in PATTERNS if set(pattern.probes) & set(TELLING)})
    bad = good.copy()
    bad[0, TELLING.index("medium_to_large")] = 0.5
    bad[0, TELLING.index("small_to_large")] = 1.0
    assert patterns_held(bad)[0] == patterns_held(good)[0] - 1


class _Band:
    """In place of an emulator: rules out all but a band across the first parameter, and nothing along the others."""

    keys = ("pass_rate",)

    def predict(self, unit):
        off = np.maximum(np.abs(unit[:, :1] - 0.5) - 0.1, 0.0)
        return 93.5 + 20.0 * off, np.zeros_like(off)


def test_the_ensemble_spreads_over_all_that_is_not_ruled_out():
    start = np.full((5, 4), 0.5) + 0.01 * np.arange(5)[:, None]  # all close to one
    points = spread_out(_Band(), start, 40, 0.0, seed=1)
    assert points.shape == (40, 4) and len(np.unique(points, axis=0)) == 40
    assert np.abs(points[:, 0] - 0.5).max() < 0.13  # within the band, and the margin around it
    assert (np.ptp(points[:, 1:], axis=0) > 0.9).all()
    assert np.array_equal(points, spread_out(_Band(), start, 40, 0.0, seed=1))


def test_where_all_points_are_ruled_out_the_least_implausible_are_taken():
    start = np.array([[0.9, 0.1], [0.7, 0.2], [0.8, 0.3]])
    assert np.array_equal(spread_out(_Band(), start, 2, 0.0, seed=1), start[[1, 2]])


# -- measuring -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    return read_settings(compose_settings(TINY)).world


@pytest.fixture(scope="module")
def observed(world):
    return observe(world, replicate_keys(3, 1)[0])


def test_a_world_gives_every_figure_and_the_same_ones_twice(world, observed):
    assert observed.figures.keys() == set(TELLING)
    again = observe(world, replicate_keys(3, 1)[0])
    assert json.dumps(again.figures) == json.dumps(observed.figures) and again.users == observed.users


def test_figures_move_in_the_expected_direction(world, observed):
    p = world.parameters
    worse = observe(replace(world, parameters=replace(p, base_dpu=2 * p.base_dpu, field_cost=1.5 * p.field_cost)), replicate_keys(3, 1)[0])
    assert worse.figures["pass_rate"] < observed.figures["pass_rate"] - 0.5
    assert worse.figures["warranty"] > 1.3 * observed.figures["warranty"]
    assert worse.figures["targeted_fail_rate"] > observed.figures["targeted_fail_rate"]
    without_decay = observe(replace(world, parameters=replace(p, practice_decay=0.0)), replicate_keys(3, 1)[0])
    assert without_decay.figures["gap_left"] > observed.figures["gap_left"] + 0.1


def test_pooled_figures_are_computed_from_all_replicates_together():
    own, users = [-1.0] * 60, [0.0] * 10 + [-1.0] * 50
    parts = [Observed({}, [1.0] * 18 + [100.0, 50.0], own, users) for _ in range(2)]
    figures = pooled(parts)
    assert figures["recalls_top"] == pytest.approx(100.0 * 300.0 / 336.0)
    assert figures["lag_across"] == pytest.approx(9.0, abs=1.0) and figures["lag_difference"] == figures["lag_across"]
    assert np.isnan(pooled(parts[:1])["recalls_top"])  # not enough recalls


def _text(observed):
    """Write the figures as text, because a value that is not a number does not equal itself."""
    return [json.dumps(asdict(one)) for one in observed]


def test_stored_figures_are_read_again_and_a_damaged_file_is_replaced(world, tmp_path, monkeypatch):
    keys = replicate_keys(3, 2)
    first = _text(observe_all([world, world], keys, SERIAL, tmp_path))
    files = sorted(tmp_path.glob("*.observed"))
    assert len(files) == 2 and first[0] != first[1]
    files[0].write_text("{", encoding="utf-8")
    stamp = files[1].stat().st_mtime_ns
    assert _text(observe_all([world, world], keys, SERIAL, tmp_path)) == first
    assert files[1].stat().st_mtime_ns == stamp and json.loads(unsealed(files[0].read_bytes(), files[0].stem))["figures"]


# -- sets ------------------------------------------------------------------------------------------------


def test_shipped_sets_are_legal_and_within_the_ranges_searched():
    for name, values in plausible_sets().items():
        with_values(Parameters(), values)
        assert values.keys() == RANGES.keys()
        assert name == DEFAULT_SET or all(
            RANGES[name][0] * (1 - 1e-3) <= value <= RANGES[name][1] * (1 + 1e-3) for name, value in values.items()
        )


def test_the_defaults_are_the_default_set():
    assert with_values(Parameters(), plausible_sets()[DEFAULT_SET]) == Parameters()
    assert read_settings(compose_settings(["region=sample"])).world.parameters == Parameters()


def test_a_set_is_chosen_by_name_and_a_typed_value_has_precedence():
    name = list(plausible_sets())[-1]
    chosen = read_settings(compose_settings(["region=sample", f"parameters={name}", "parameters.severity=0.04"])).world.parameters
    assert chosen == replace(with_values(Parameters(), plausible_sets()[name]), severity=0.04)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"base_dup": [0.1, 0.2]}, "no parameter"),
        ({"base_dpu_size": [0.1, 0.2]}, "no entry"),
        ({"base_dpu_size[3]": [0.1, 0.2]}, "no entry"),
        ({"base_dpu[0]": [0.1, 0.2]}, "no entry"),
        ({"base_dpu": [0.2, 0.1]}, "two rising numbers"),
        ({"base_dpu": [0.1, 20]}, "two rising numbers"),
        ({"base_dpu": [0.1]}, "two rising numbers"),
        ({"base_dpu": 0.1}, "two rising numbers"),
        ({"margn": [0.05, 0.06]}, "did you mean 'margin'"),
    ],
)
def test_wrong_ranges_are_refused(ranges, message):
    with pytest.raises(ParameterError, match=message):
        axes_of(ranges)


# -- history matching ------------------------------------------------------------------------------------


def test_history_matching_finds_the_points_that_are_not_ruled_out():
    """Two figures of three parameters, the third without influence: the remaining points are those with both figures in their ranges."""
    axes = axes_of({"base_dpu": [0.0, 1.0], "severity": [0.0, 0.5], "margin": [0.0, 0.5]})
    keys = ("pass_rate", "warranty")

    def figures(unit):
        return np.stack([90.0 + 6.0 * unit[:, 0], 1.0 + 3.0 * unit[:, 1] ** 2], axis=1)

    unit = hypercube(60, axes, 1)
    emulator = Emulator(unit, figures(unit) + 0.01 * np.random.default_rng(1).standard_normal((60, 2)), keys)
    points, worst, share = next_points(emulator, axes, 40, 0.5, 2)
    assert implausibility(figures(points), keys).max() < 0.7 and worst.max() <= 0.5
    assert 0.02 < share < 0.2  # a sixth by about a sixth, and a little around
    assert np.ptp(points[:, 2]) > 0.8  # the third parameter is free
    assert emulator.lengths()[:, 2].min() > emulator.lengths()[[0, 1], [0, 1]].max()
    assert scaled(points, axes)[:, 1].max() <= 0.5


def test_the_points_are_the_same_for_the_same_seed():
    axes = axes_of({"base_dpu": [0.0, 1.0], "severity": [0.0, 0.5]})
    assert (hypercube(10, axes, 4) == hypercube(10, axes, 4)).all() and (hypercube(10, axes, 4) != hypercube(10, axes, 5)).any()


# -- the studies -----------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_calibration_runs_from_beginning_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.studies.calibrate.PLAUSIBLE", 1e9)  # at this size no point is plausible
    for name, fewer in {"CANDIDATES": 400, "ROUNDS": 2, "SPREADING": 2, "OFFSPRING": 100}.items():
        monkeypatch.setattr(f"experiments.calibration.history_matching.{name}", fewer)
    ranges = "study.searched_only={base_dpu: [0.05, 0.2], severity: [0.01, 0.05]}"
    overrides = (
        *TINY,
        "study=calibration",
        ranges,
        "study.points=10",
        "study.cuts=[9,5]",
        "study.final_sets=3",
        "study.replicates_per_set=2",
        "parallel=serial",
    )
    settings = read_settings(compose_settings(overrides))
    results = run_calibration(settings, overrides, progress=False, keep=tmp_path / "runs")
    assert len(results.points) == 20 and set(results.points["wave"]) == {1, 2}
    assert "severity" in results.points and "margin" not in results.points  # only the ranges that are typed are searched
    assert len(results.sets) == 4 and results.sets["mean"].sum() == 1
    shipped = plausible_table(results)
    plausible = int(results.sets["plausible"][~results.sets["mean"]].sum())  # so small a world may lack a figure in a set
    assert plausible >= 2 and list(shipped["set"]) == ["default", *(f"set_0{k}" for k in range(1, plausible + 1))]
    assert shipped.loc[0, "base_dpu"] == pytest.approx(shipped.loc[1:, "base_dpu"].mean(), rel=1e-3)
    present_calibration(results, tmp_path / "study")
    written = {path.name for path in (tmp_path / "study").iterdir()}
    assert written >= {"plausible_sets.csv", "calibration.md", "influence.png", "manifest.json"}
    assert "`base_dpu`" in calibration_page(results)
    again = run_calibration(settings, overrides, progress=False, keep=tmp_path / "runs")
    assert again.sets.equals(results.sets)


def test_a_validation_runs_from_beginning_to_end(tmp_path, monkeypatch):
    sets = {"default": {"base_dpu": 0.1}, "set_01": {"base_dpu": 0.12}}
    monkeypatch.setattr("experiments.studies.validate.plausible_sets", lambda: sets)
    monkeypatch.setattr("experiments.studies.validate.NETWORKS", 1)
    overrides = (*TINY, "study=validation", "study.replicates_per_set=1", "parallel=serial")
    results = run_validation(read_settings(compose_settings(overrides)), overrides, progress=False)
    assert set(results.patterns["number"]) == set(range(1, 15)) and not results.failures
    assert results.held == sum(rows["holds"].all() for _, rows in results.patterns.groupby("number"))
    rates = results.observed.query("figure == 'pass_rate'")["value"]
    assert results.patterns.set_index("figure").loc["pass_rate", "median"] == pytest.approx(rates.median())
    present_validation(results, tmp_path)
    page = validation_page(results)
    assert page.startswith("# Validation\n\n**") and f"\n\n{results.held} of {len(PATTERNS)} patterns hold together" in page
    assert all(f"(pattern_{k:02d}.png)" in page and (tmp_path / f"pattern_{k:02d}.png").is_file() for k in range(1, 15))


def test_pages_of_finished_studies_are_copied_to_the_documents(tmp_path):
    study, docs = tmp_path / "study", tmp_path / "docs"
    study.mkdir()
    (study / "validation.md").write_text("# Validation\n\n| table |\n\n## 1. Pass rate\n\n![x](pattern_01.png)\n", encoding="utf-8")
    (study / "pattern_01.png").write_bytes(b"picture")
    (docs / "patterns").mkdir(parents=True)
    (docs / "patterns" / "discussion.md").write_text("## What resists\n", encoding="utf-8")
    text = publish(study, docs).read_text(encoding="utf-8")
    assert text.index("| table |") < text.index("## What resists") < text.index("## 1. Pass rate")
    assert "](patterns/pattern_01.png)" in text and (docs / "patterns" / "pattern_01.png").read_bytes() == b"picture"
    with pytest.raises(FileNotFoundError, match="neither"):
        publish(tmp_path, docs)
