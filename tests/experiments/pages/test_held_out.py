"""Data that no parameter was tuned to: the stored figures are those of the files, and simulated ones are measured in the same way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.formatting import row
from experiments.pages.evidence.held_out import checks, main, page
from experiments.pages.evidence.held_out_figure import held_out_figure
from experiments.pages.evidence.held_out_runs import (
    BY_SIZE,
    FAIL,
    OBSERVED,
    PASS,
    SOON,
    TOP,
    YEARS,
    Check,
    IncidentError,
    part_of_top,
    read_incidents,
    repeated,
    simulate,
)
from tests.support.places import EVIDENCE
from tests.support.real_data import real_data

OVERRIDES = ("region=liaoning", "scale=0.1", "burn_in=6")
METRICS = "Date,Plant ID,Vendor ID,Defect ID,Defect Type ID,Defect Qty,Downtime min\n"


@pytest.fixture(scope="module")
def run():
    return simulate((1, 2), OVERRIDES, years=2)


@pytest.fixture(scope="module")
def runs(run):
    """Three replicates of as many years as the official series: the short one, repeated, and a little shifted."""
    years = {name: np.tile(rates, YEARS // 2) for name, rates in run.years.items()}
    shifted = [dict(zip(years, np.array(list(years.values())) + k * np.linspace(0, 1, YEARS), strict=True)) for k in (0.0, 0.5, 1.0)]
    return [replace(run, years=each) for each in shifted]


def test_the_stored_figures_are_those_of_the_files():
    assert read_incidents(real_data("supplier_quality")) == OBSERVED


def test_stored_curves_are_curves_of_concentration():
    for curve in OBSERVED.curves.values():
        assert len(curve) == len(TOP) and curve[-1] == 100.0
        assert (np.diff(curve) >= 0.0).all()
        assert (np.diff(np.diff([0.0, *curve]) / np.diff([0, *TOP])) <= 0.05).all(), "the next vendor has no more than the one before"


def test_a_file_of_four_incidents_is_read_as_by_hand(tmp_path):
    rows = ("2013-01-01,1,7,5,4,30,0", "2013-01-01,1,7,5,3,10,20", "2013-03-01,1,7,6,1,0,0", "2013-03-02,1,8,6,4,60,0")
    (tmp_path / "Metrics.csv").write_text(METRICS + "\n".join(rows * 15))
    (tmp_path / "Defect_Type.csv").write_text("Defect Type,Defect Type ID,Sort\nNo Impact,1,3\nImpact,3,2\nRejected,4,1\n")
    incidents = read_incidents(tmp_path)
    assert (incidents.incidents, incidents.vendors, incidents.plants) == (60, 2, 1)
    assert incidents.outcomes == (50.0, 25.0, 25.0)
    assert incidents.by_quantity == (90.0, 10.0, 0.0)
    assert incidents.rejected == (66.7, 90.0, 66.7, 66.7)
    assert incidents.curves["incidents"][0] == 75.0 and incidents.curves["quantity"][0] == 60.0
    # 45 incidents of vendor 7 make 44 repeats, 43 of them on the same day, one after 59 days; 15 of vendor 8 make 14, all on one day.
    assert incidents.repeats[:2] == (98.3, 98.3)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), ("Date,Plant ID\n", "no column Vendor ID"), ("\x00", "Metrics.csv"), ("", "cannot be read")],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "Metrics.csv").write_text(content)
    with pytest.raises(IncidentError, match=message) as error:
        read_incidents(tmp_path)
    assert "Metrics.csv" in str(error.value) and "Vendor ID" in str(error.value)


def test_the_command_refuses_a_wrong_folder_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["held_out", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    message = capsys.readouterr().err
    assert stopped.value.code == 2
    assert len(message.strip().splitlines()) == 1 and "Metrics.csv" in message


def test_parts_of_the_top_and_repeats_are_counted_as_by_hand():
    parts = dict(zip(TOP, part_of_top(np.arange(1, 11)), strict=True))
    assert parts[10] == pytest.approx(10 / 55) and parts[20] == pytest.approx(19 / 55) and parts[100] == 1.0
    group, day = np.array([1, 2, 1, 1, 2, 1]), np.array([40, 0, 0, 0, SOON + 1, 40 + SOON])
    # Gaps 0, 40, 30 of the first, 31 of the second.
    assert repeated(group, day) == pytest.approx([2 / 4, 1 / 4, 1 / 3])


def test_a_replicate_is_measured_within_its_bounds(run):
    for curve in run.curves.values():
        assert curve[-1] == pytest.approx(1.0) and (np.diff(curve) >= 0.0).all()
    assert run.mix.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert ((run.mix > 0.0) & (run.mix < 1.0)).all()
    assert 0.0 <= run.repeats[1] < run.repeats[0] < 1.0
    assert 0.0 < run.small_share < 1.0
    assert all(rates.shape == (2,) for rates in run.years.values())
    # Small firms fail most, and rates of 25,000 samples keep within five standard deviations of the expected ones.
    assert (run.years["small"] > run.years["fail"]).all()
    for name in ("pass", "fail"):
        assert np.abs(run.years[f"{name} official"] - run.years[name]).max() < 5.0 * 0.2


def test_the_same_key_measures_the_same_bits(run):
    again = simulate((1, 2), OVERRIDES, years=2)
    assert all((again.years[name] == rates).all() for name, rates in run.years.items() if not np.isnan(rates).any())
    assert all((again.curves[name] == curve).all() for name, curve in run.curves.items())
    assert (again.mix == run.mix).all() and (again.repeats == run.repeats).all()


def test_agreement_depends_on_the_middle_of_the_replicates():
    values = np.linspace(0.0, 100.0, 101)
    assert Check("k", "l", "%", 50.0, 60.0, "", values).side == 0
    assert Check("k", "l", "%", 0.0, 4.0, "", values).side == 1
    assert Check("k", "l", "%", 96.0, 99.0, "", values).side == -1
    assert "does not agree: less" in Check("k", "l", "%", 96.0, 99.0, "", values).cells[-1]


def test_the_page_shows_every_figure_and_every_disagreement(runs):
    by_key = checks(OBSERVED, runs)
    text = page(OBSERVED, runs, OVERRIDES, EVIDENCE)
    assert all(row(check.cells) in text for check in by_key.values())
    assert text.count("does not agree") == sum(check.side != 0 for check in by_key.values())
    assert "incidents 10" not in by_key, "calibration knows the top tenth of incidents"


def test_a_world_like_the_data_would_agree(runs):
    """With the observed figures in place of simulated ones, only figures that cannot agree disagree."""
    alike = [
        replace(
            run,
            curves={f"{what}, {where}": np.array(OBSERVED.curves[name]) / 100.0
                    for what, name in (("lots", "incidents"), ("quantity", "quantity")) for where in ("all", "leaders")},
            mix=np.array([OBSERVED.by_quantity] * 2) / 100.0, repeats=np.array(OBSERVED.repeats[:3]) / 100.0, small_share=0.92,
            years=run.years | {"pass official": PASS, "fail official": np.where(np.isnan(FAIL), 9.0, FAIL)}
            | {size: np.resize(rates, YEARS) for size, rates in zip(("large", "medium", "small"), BY_SIZE, strict=True)},
        )
        for run in runs
    ]  # fmt: skip
    by_key = checks(OBSERVED, alike)
    assert [key for key, check in by_key.items() if check.side and key not in {"small trend", "correlation"}] == []
    assert math.isclose(np.median(by_key["pass deviation"].values), PASS.std(ddof=1))


def test_the_figure_shows_official_series_whole(runs):
    lines = [line for axes in held_out_figure(OBSERVED, runs).axes[2:] for line in axes.lines if line.get_label() == "official"]
    for line, official in zip(lines, (PASS, FAIL), strict=True):
        assert np.array_equal(line.get_ydata(), official, equal_nan=True)


def test_the_page_in_the_docs_shows_what_was_observed_and_links_its_neighbours():
    text = (EVIDENCE / "held_out.md").read_text(encoding="utf-8")
    for name, label in (
        ("incidents", "incidents"),
        ("days", "days with any"),
        ("quantity", "defective quantity"),
        ("downtime", "downtime"),
    ):
        assert f"| observed: {label} | " + " | ".join(f"{part:.1f}" for part in OBSERVED.curves[name][:-1]) + " |" in text
    for link in ("multipliers.md", "../model/data.md", "held_out.png"):
        assert f"({link})" in text and (EVIDENCE / link).exists()
