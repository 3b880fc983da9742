"""Months with a place in the calendar: names alone, in figures and in the table of months."""

from __future__ import annotations

import pytest

from experiments import compare
from experiments.configuration.preflight import checked_settings
from experiments.configuration.settings import SettingsError
from experiments.figures.paths import time_paths
from experiments.formatting import in_calendar
from experiments.languages.wording import mistake, use_language

QUICK = ("region=sample", "replicates=2", "months=14", "burn_in=0", "instruments=[cqo]", "parallel=serial")


def test_months_of_a_run_are_months_of_the_calendar():
    assert [in_calendar(month, "2025-01") for month in (1, 12, 13)] == ["2025-01", "2025-12", "2026-01"]
    assert [in_calendar(month, "2024-11") for month in (1, 2, 3, 27)] == ["2024-11", "2024-12", "2025-01", "2027-01"]


@pytest.mark.study
def test_a_start_names_months_and_changes_nothing_else():
    plain, dated = compare(*QUICK), compare(*QUICK, "start=2025-01")
    assert plain.manifest["id"] == dated.manifest["id"] and plain.manifest["result"] == dated.manifest["result"]
    assert "date" not in plain.series and dict(zip(dated.series["month"], dated.series["date"], strict=True))[14] == "2026-02"
    ticks = [text.get_text() for text in time_paths(dated.series, dated.manifest).axes[-1].get_xticklabels()]
    assert ticks == ["2025-01", "2025-07", "2026-01"]


@pytest.mark.parametrize("start", ["2025-13", "2025", "25-01", "January"])
def test_what_is_no_month_gets_one_line(start):
    with pytest.raises(SettingsError, match="start is .*; it must be a year and a month, such as 2025-01, or null") as wrong:
        checked_settings([f"start={start}"])
    with use_language("zh"):
        assert "应为年月" in mistake(str(wrong.value))
