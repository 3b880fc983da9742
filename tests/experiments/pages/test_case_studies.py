"""The reported cases: both worlds are one until the programme begins, and the page says what the numbers say."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from agents.streams import replicate_keys
from experiments.pages.evidence.case_runs import CASES, CHAIN, PairedMeasure, _failures, qingxu, simulate_cases
from experiments.pages.evidence.case_studies import page
from sim.model import StrongchainModel
from tests.support.places import EVIDENCE, FACTS

pytestmark = pytest.mark.study

REPLICATES = {"datong": 3, "guangdong": 1, "qingxu": 2}


@pytest.fixture(scope="module")
def results():
    return simulate_cases(REPLICATES, workers=1)


def measure_of(treated: float, control: float, spread: float = 0.1) -> PairedMeasure:
    noise = spread * np.array([-1.0, 0.5, 1.0, -0.5])
    return PairedMeasure.of([(treated + deviation, control) for deviation in noise])


def test_both_worlds_are_one_before_the_project(results):
    for prefix in ("", "problem "):
        before = results["datong"][f"{prefix}before"]
        assert before.difference == (0.0, 0.0, 0.0)
        assert before.treated.mean == pytest.approx(50.0)
        assert before.treated.mean > results["datong"][f"{prefix}others before"].treated.mean, "the worst part is not the worst"


def test_the_project_changes_the_worst_part_and_hardly_others(results):
    change = abs(results["datong"]["after"].difference.mean)
    assert change > 0.0
    assert abs(results["datong"]["others after"].difference.mean) < change


def test_stations_serve_up_to_their_capacity(results):
    measures = results["guangdong"]
    assert 0.0 < measures["services"].treated.mean <= 144.0 + 1e-9
    assert measures["services"].treated.mean < measures["wide services"].treated.mean <= 907.0
    assert measures["services"].treated.mean * 193 / 164_000 == pytest.approx(measures["services a firm"].treated.mean)
    assert measures["wide open"].difference.mean < 0.0


def test_ten_firms_are_led_to_a_certificate(results):
    assert results["qingxu"]["taken on"].treated.mean == 10.0
    assert results["qingxu"]["certified 1"].treated.mean > results["qingxu"]["certified 1"].control.mean
    assert results["qingxu"]["certified 3"].control.mean >= 0.0


def test_the_same_key_gives_the_same_figures():
    key = replicate_keys(5, 1)[0]
    assert qingxu(key) == qingxu(key)


def test_what_is_not_a_number_is_left_out():
    measure = PairedMeasure.of([(1.0, 2.0), (float("nan"), 0.0), (3.0, 5.0)])
    assert (measure.treated.mean, measure.control.mean, measure.difference.mean, measure.replicates) == (2.0, 3.5, -1.5, 2)
    assert np.isnan(PairedMeasure.of([(float("nan"), 0.0)]).treated.mean)


# -- the text follows the numbers ----------------------------------------------------------------------------


def page_with_datong(results, before: float, treated: float, control: float):
    others = {"others before": measure_of(8, 8, 0.0), "others after": measure_of(8, 8, 0.0)}
    changed = {"after": measure_of(treated, control), "fall": measure_of(before - treated, before - control), **others}
    return page({**results, "datong": {**results["datong"], **changed}})


def test_regression_to_the_mean_is_read_from_the_control_world(results):
    text = page_with_datong(results, 50.0, 20.0, 40.0)
    assert "A before-and-after comparison shows a fall of 30.0. Of this, 10.0 (33 %) would have happened without a project" in text
    assert "and 20.0 are due to it (shown to differ from 0)" in text
    assert "leaves 20 failures of 50 (fewer than without it)" in text


def test_harm_and_no_effect_are_stated(results):
    assert "are due to it (**harmful**)" in page_with_datong(results, 50.0, 45.0, 40.0)
    assert "are due to it (not shown to differ from 0)" in page_with_datong(results, 50.0, 40.0, 40.0)
    assert "there is no fall to explain" in page_with_datong(results, 50.0, 60.0, 40.0)


def test_failures_of_open_problems_are_part_of_all_failures():
    model = StrongchainModel(CHAIN, rng=3, burn_in=6)
    model.step()
    parts = np.flatnonzero(model.firms.is_leader[model.links.customer])
    total, special = _failures(model, parts)
    assert (special >= 0.0).all()
    assert special.sum() > 0.0
    model.firms.own_special = 0.0
    assert not _failures(model, parts)[1].any()
    assert _failures(model, parts)[0] == pytest.approx(total)
    assert special.sum() < total.sum()


def test_every_reported_figure_is_shown_with_its_fact(results):
    text = page(results)
    for fact in ("F048", "F049", "F050", "F051", *(f"F{k}" for k in range(176, 181)), "F192", "F193", "F194"):
        assert fact in text, fact
    assert "no report has a control group" in text
    assert "must be renewed whenever defaults of the model change" in text


def test_the_saving_of_datong_is_shown_with_the_failures_of_the_same_project(results):
    """Two million CNY and 50 failures are of one project, 10,600 CNY a failure is of another one."""
    [reported] = [line for line in page(results).splitlines() if line.startswith("Reported: after a joint improvement")]
    assert reported in (EVIDENCE / "case_studies.md").read_text(encoding="utf-8").splitlines()
    same, other = reported.split(" Another joint project")
    assert all(part in same for part in ("(F176, F177)", "(F178), 40,000 CNY a failure")) and "F179" not in same
    assert "13 failures at 10,600 CNY each" in other and "(F180)" in other and "530,000" not in reported


@pytest.mark.skipif(not FACTS.is_file(), reason=f"the table of facts is not here: {FACTS}; set STRONGCHAIN_FACTS")
def test_quotations_are_those_of_the_facts_named_with_them(results):
    with FACTS.open(encoding="utf-8") as file:
        quotes = {row["id"]: row["quote"] for row in csv.DictReader(file)}
    quoted = re.findall(r"「([^」]+)」 \((F\d{3})", page(results))
    assert len(quoted) >= 9
    for quote, fact in quoted:
        assert quote in quotes[fact], f"{fact}: {quote}"


def test_the_page_in_the_docs_is_of_this_form(results):
    stored = (EVIDENCE / "case_studies.md").read_text(encoding="utf-8").splitlines()
    written = page(results).splitlines()
    assert [line for line in stored if line.startswith("#")] == [line for line in written if line.startswith("#")]
    labels = [[line.split("|")[1:3] for line in lines if line.startswith("| ")] for lines in (stored, written)]
    assert labels[0] == labels[1], "measures or reported figures differ: make docs PAGE=case_studies"
    assert set(CASES) == set(REPLICATES)
