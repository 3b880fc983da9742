"""The time that is printed before a study: runs, start of the workers, figures and report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from experiments.configuration.settings import compose_settings, read_settings
from experiments.job import _announce_sweep, dry_run
from experiments.reports.comparison import MOST_ARMS
from experiments.runs.runner import ALL_DRAWN, STARTING, drawing_seconds, expected_seconds, needs_of
from experiments.studies.compare import arms_of, run_arms_of_study

WORDS = ("region=sample", "scale=0.1", "months=1", "burn_in=0", "replicates=1", "parallel=serial", "instruments=[cqo]")
#: CPU seconds of drawing that were measured, by number of arms.
MEASURED = {1: 3.1, 2: 5.8, 5: 11.3, 12: 30.4, 22: 37.8}


def seconds_in(text: str) -> int:
    """Seconds in a line."""
    match = re.search(r"about (\d+) s", text)
    assert match, text
    return int(match[1])


@pytest.mark.parametrize("arms", MEASURED)
def test_drawing_takes_about_what_was_measured(arms):
    assert drawing_seconds(arms) == pytest.approx(MEASURED[arms], rel=0.15)


def test_the_arms_that_all_figures_show_are_those_of_the_reports():
    assert ALL_DRAWN == MOST_ARMS


def test_the_time_stated_includes_figures_and_report_where_they_are_drawn(capsys):
    settings = read_settings(compose_settings(WORDS))
    arms = arms_of(settings, WORDS)
    run_arms_of_study(settings, arms, None, progress=True)
    without = capsys.readouterr().out
    run_arms_of_study(replace(settings, drawn=True), arms, None, progress=True)
    drawn = capsys.readouterr().out
    assert seconds_in(without) == 0 and "figures" not in without
    assert seconds_in(drawn) == round(drawing_seconds(2)) and "with figures and report" in drawn


def test_more_arms_take_longer_and_kept_runs_no_time():
    settings = read_settings(compose_settings(WORDS))
    [nothing, cqo] = arms_of(settings, WORDS)
    assert expected_seconds([nothing, cqo], 4, 12, 1) > expected_seconds([nothing], 4, 12, 1) > 0.0
    assert expected_seconds([nothing, cqo], 4, 12, 2, missing=0.0) == 0.0
    assert drawing_seconds(30) > drawing_seconds(12) > drawing_seconds(2) > drawing_seconds(1)


def test_a_sweep_whose_points_have_no_figures_starts_its_workers_once(capsys):
    overrides = [override for override in WORDS if not override.startswith(("parallel", "replicates"))]
    _announce_sweep(["-m", *overrides, "replicates=4", "parallel.workers=2", "seed=1,2,3,4,5,6,7,8"])
    assert seconds_in(capsys.readouterr().out) == round(STARTING)


@pytest.mark.study
def test_a_dry_run_says_what_a_study_would_take_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    typed = ["region=sample", "replicates=3", "instruments=[cqo,stewards]"]
    assert dry_run(typed) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("12 runs: 4 arms × 3 replicates; about ") and "Nothing was simulated or written" in said
    assert dry_run(["-m", *typed, "instruments.cqo.reach=0.1,0.5"]) == 0
    assert "24 runs at 2 points: 4 arms" in " ".join(capsys.readouterr().out.split())
    assert dry_run(["study=calibration"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.study
def test_more_firms_need_more_memory_and_more_runs_more_disk():
    settings = read_settings(compose_settings(["region=sample"]))
    arms = arms_of(settings, ["region=sample"])
    memory, disk = needs_of(arms, 10, 2)
    larger = [replace(arm, world=replace(arm.world, region=replace(arm.world.region, firms=30_000))) for arm in arms]
    assert needs_of(larger, 10, 2)[0] > memory > needs_of(arms, 10, 1)[0] and needs_of(arms, 20, 2)[1] > disk
    assert needs_of(arms, 10, 2, points=3) == (memory, 3 * disk)
