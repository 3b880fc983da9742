"""The pages and lines of a calibration and of a validation, made from small tables."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from experiments.calibration.patterns import PATTERNS
from experiments.reports.calibration import (
    calibrated_parameters,
    calibration_page,
    plausible_table,
    summary_of_calibration,
    summary_of_validation,
    validation_page,
)
from experiments.studies.calibrate import Calibration
from experiments.studies.validate import Validation

REGION = {"label": "A sample region", "label_zh": "示例地区"}
STUDY = {
    "searched_only": {},
    "ranges": {},
    "searched": {"base_dpu": [0.0, 0.2], "severity": [0.01, 0.05]},
    "final_sets": 3,
    "replicates_per_set": 2,
}


@pytest.fixture
def calibration():
    sets = pd.DataFrame({
        "mean": [True, False, False, False],
        "plausible": [True, True, True, False],
        "patterns": [9, 8, 10, 3],
        "base_dpu": [0.1, 0.05, 0.15, 0.19],
        "severity": [0.03, 0.02, 0.04, 0.05],
    })  # fmt: skip
    waves = pd.DataFrame({"wave": [1, 2], "points": 10, "cut": [2.0, 0.5], "left": [0.0131, 0.0], "plausible_points": [4, 0]})
    influence = pd.DataFrame({"figure": ["drift", "warranty"], "base_dpu": [0.9, 0.1], "severity": [0.1, 0.2]})
    manifest = {"id": "0123", "configuration": {"study": STUDY, "region": REGION}}
    return Calibration(pd.DataFrame({"wave": range(20)}), sets, waves, influence, manifest)


@pytest.fixture
def validation():
    rows = pd.DataFrame([
        {
            "number": pattern.number, "pattern": pattern.label, "figure": key, "label": probe.label, "unit": probe.unit,
            "median": 0.5291, "low": -0.2, "high": 1234.5, "within": 0.985, "holds": pattern.number != 5,
        }
        for pattern in PATTERNS
        for key, probe in pattern.probes.items()
    ])  # fmt: skip
    observed = pd.DataFrame({"set": ["default", "default", "set_01"], "figure": ["pass_rate", "pass_rate", "drift"], "value": 1.0})
    return Validation(observed, rows, {"id": "0123", "configuration": {"region": REGION}})


def test_a_calibration_leaves_of_each_range_the_middle_of_the_plausible_sets(calibration):
    shipped = plausible_table(calibration)
    assert list(shipped["set"]) == ["default", "set_01", "set_02"]
    base, severity = calibrated_parameters(calibration)
    assert (base.name, base.low, base.high, base.default) == ("base_dpu", 0.0, 0.2, 0.1)
    assert (base.plausible_low, base.plausible_high) == pytest.approx(tuple(np.quantile([0.05, 0.15], [0.05, 0.95])))
    assert base.width_left == pytest.approx(0.45) and base.figures == ("drift",)
    assert severity.figures == (), "no figure depends on it enough"


def test_the_page_of_a_calibration_has_its_waves_and_parameters_as_tables(calibration):
    page = calibration_page(calibration)
    assert (
        page.startswith("# Calibration\n\n**Show results over all 2 plausible sets of parameters")
        and "\n\nHistory matching" in page
        and page.endswith("(influence.png)\n")
    )
    assert "on A sample region: 2 parameters" in page and "then 3 sets judged on 2 replicates" in page
    assert "Of 3 sets judged, 2 are plausible." in page
    assert "| 1 | 10 | 2 | 4 | 1.3 % |\n| 2 | 10 | 0.5 | 0 | less than 0.005 % |\n\n" in page
    assert "| `base_dpu` | 0 to 0.2 | 0.1 | 0.055 to 0.145 | 45 % | `drift` |\n" in page
    assert re.search(r"\| `severity` \|.*\| none \|\n", page)


def test_the_lines_of_a_calibration_say_what_is_plausible(calibration):
    *verdict, blank, first, second, third, fourth = summary_of_calibration(calibration).splitlines()
    assert verdict[0].startswith("Show results over all 2 plausible sets") and not blank
    assert first == "Wave 1: 4 of 10 points within 2; 1.3 % of the ranges left"
    assert second.endswith("less than 0.005 % of the ranges left")
    assert third.startswith("2 of 3 sets") and fourth.startswith("  of the 11 patterns that one world can show, 8 to 10 hold")


def test_the_page_of_a_validation_has_a_row_a_figure_and_a_plot_a_pattern(validation):
    page = validation_page(validation)
    assert page.startswith("# Validation\n\n**Use the model with care where a pattern fails: 13 of 14 hold together.**\n")
    assert "\n\n13 of 14 patterns hold together: A sample region, 2 worlds (1 plausible set of parameters" in page
    rows = [line for line in page.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == sum(len(pattern.probes) for pattern in PATTERNS)
    assert all(line.count(" | ") == 7 for line in rows)
    assert "| −0.9 to 0.9 points in 8 years | 0.529 | −0.2 to 1,230 | 98 % | yes |" in rows[1]
    assert "| at least 1 times |" in rows[3] and "| at most −0.2 |" in page, "one side of the range is not known"
    assert [line for line in rows if "**no**" in line] == [line for line in rows if line.startswith("| 5 |")]
    plots = re.findall(r"\n\n## (\d+)\. .+\n\nObserved: .+ \([SDRN]\)\..*\n\n!\[.+\]\(pattern_(\d\d)\.png\)(?=\n)", page)
    assert [(int(number), int(file)) for number, file in plots] == [(pattern.number, pattern.number) for pattern in PATTERNS]


def test_the_lines_of_a_validation_have_a_line_a_figure(validation):
    lines = summary_of_validation(validation).splitlines()
    head, *rows = lines[lines.index("") + 1 :]
    assert lines[0] == "Use the model with care where a pattern fails: 13 of 14 hold together."
    assert head.startswith("13 of 14 patterns hold")
    assert len(rows) == len(validation.patterns)
    assert rows[1].startswith("   2 holds  change of") and rows[1].endswith("0.529 [−0.2 to 1,230], observed −0.9 to 0.9 points in 8 years")
    assert [row[:11] for row in rows if "FAILS" in row] == ["   5 FAILS "]
