"""The reported cases: twins are one world until the programme begins, and the page says what the numbers say."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from agents.streams import replicate_keys
from experiments.pages.evidence.case_runs import CASES, CHAIN, Measured, _failures, measured, qingxu
from experiments.pages.evidence.case_studies import page
from sim.model import StrongchainModel
from tests.support.places import EVIDENCE, FACTS

pytestmark = pytest.mark.study

FEW = {"datong": 3, "guangdong": 1, "qingxu": 2}


@pytest.fixture(scope="module")
def found():
    return measured(FEW, workers=1)


def told(aided: float, unaided: float, spread: float = 0.1) -> Measured:
    noise = spread * np.array([-1.0, 0.5, 1.0, -0.5])
    return Measured.of([(aided + one, unaided) for one in noise])


def test_twins_are_one_world_before_the_project(found):
    for prefix in ("", "problem "):
        before = found["datong"][f"{prefix}before"]
        assert before.difference == (0.0, 0.0, 0.0)
        assert before.aided[0] == pytest.approx(50.0)
        assert before.aided[0] > found["datong"][f"{prefix}others before"].aided[0], "the worst part is not the worst"


def test_the_project_changes_the_worst_part_and_hardly_others(found):
    change = abs(found["datong"]["after"].difference[0])
    assert change > 0.0
    assert abs(found["datong"]["others after"].difference[0]) < change


def test_stations_serve_up_to_their_capacity_and_more_where_it_is_larger(found):
    got = found["guangdong"]
    assert 0.0 < got["services"].aided[0] <= 144.0 + 1e-9
    assert got["services"].aided[0] < got["wide services"].aided[0] <= 907.0
    assert got["services"].aided[0] * 193 / 164_000 == pytest.approx(got["services a firm"].aided[0])
    assert got["wide open"].difference[0] < 0.0


def test_ten_firms_are_led_to_a_certificate(found):
    assert found["qingxu"]["taken on"].aided[0] == 10.0
    assert found["qingxu"]["certified 1"].aided[0] > found["qingxu"]["certified 1"].unaided[0]
    assert found["qingxu"]["certified 3"].unaided[0] >= 0.0


def test_the_same_key_gives_the_same_figures():
    key = replicate_keys(5, 1)[0]
    assert qingxu(key) == qingxu(key)


def test_what_is_no_number_is_left_out():
    one = Measured.of([(1.0, 2.0), (float("nan"), 0.0), (3.0, 5.0)])
    assert (one.aided[0], one.unaided[0], one.difference[0], one.replicates) == (2.0, 3.5, -1.5, 2)
    assert np.isnan(Measured.of([(float("nan"), 0.0)]).aided[0])


# -- the words follow the numbers ----------------------------------------------------------------------------


def with_datong(found, before: float, aided: float, unaided: float):
    other = {"others before": told(8, 8, 0.0), "others after": told(8, 8, 0.0)}
    made = {"after": told(aided, unaided), "fall": told(before - aided, before - unaided), **other}
    return page({**found, "datong": {**found["datong"], **made}})


def test_regression_to_the_mean_is_told_from_the_twin(found):
    text = with_datong(found, 50.0, 20.0, 40.0)
    assert "A before-and-after comparison shows a fall of 30.0. Of it 10.0 (33 %) come without any project" in text
    assert "and 20.0 are due to it (told from 0)" in text
    assert "leaves 20 failures of 50 (fewer than without)" in text


def test_harm_and_nil_are_said_plainly(found):
    assert "are due to it (**harmful**)" in with_datong(found, 50.0, 45.0, 40.0)
    assert "are due to it (no change is told from 0)" in with_datong(found, 50.0, 40.0, 40.0)
    assert "nothing to share out" in with_datong(found, 50.0, 60.0, 40.0)


def test_the_problems_that_are_followed_are_part_of_the_failures():
    model = StrongchainModel(CHAIN, rng=3, burn_in=6)
    model.step()
    parts = np.flatnonzero(model.firms.is_leader[model.links.customer])
    every, special = _failures(model, parts)
    assert (special >= 0.0).all()
    assert special.sum() > 0.0
    model.firms.own_special = 0.0
    assert not _failures(model, parts)[1].any()
    assert _failures(model, parts)[0] == pytest.approx(every)
    assert special.sum() < every.sum()


def test_every_reported_figure_stands_with_its_fact(found):
    text = page(found)
    for fact in ("F048", "F049", "F050", "F051", *(f"F{k}" for k in range(175, 181)), "F192", "F193", "F194"):
        assert fact in text, fact
    assert "no report has a control group" in text
    assert "must be written anew whenever defaults of the model change" in text


def test_the_saving_of_datong_is_set_beside_the_failures_of_the_same_project(found):
    """Two million CNY and 50 failures are of one project, 10,600 CNY a failure is of another one."""
    [said] = [line for line in page(found).splitlines() if line.startswith("Reported: after a joint improvement")]
    assert said in (EVIDENCE / "case_studies.md").read_text(encoding="utf-8").splitlines()
    same, other = said.split(" Another joint project")
    assert all(part in same for part in ("(F176, F177)", "(F178), 40,000 CNY a failure")) and "F179" not in same
    assert "13 failures at 10,600 CNY each" in other and "(F180)" in other and "530,000" not in said


@pytest.mark.skipif(not FACTS.is_file(), reason=f"the table of facts is not here: {FACTS}; set STRONGCHAIN_FACTS")
def test_words_that_are_quoted_are_those_of_the_facts_beside_them(found):
    with FACTS.open(encoding="utf-8") as file:
        words = {row["id"]: row["quote"] for row in csv.DictReader(file)}
    quoted = re.findall(r"「([^」]+)」 \((F\d{3})", page(found))
    assert len(quoted) >= 9
    for quote, fact in quoted:
        assert quote in words[fact], f"{fact}: {quote}"


def test_the_page_in_the_docs_is_of_this_form(found):
    stored = (EVIDENCE / "case_studies.md").read_text(encoding="utf-8").splitlines()
    made = page(found).splitlines()
    assert [line for line in stored if line.startswith("#")] == [line for line in made if line.startswith("#")]
    labels = [[line.split("|")[1:3] for line in lines if line.startswith("| ")] for lines in (stored, made)]
    assert labels[0] == labels[1], "measures or reported figures differ: make docs PAGE=case_studies"
    assert set(CASES) == set(FEW)
