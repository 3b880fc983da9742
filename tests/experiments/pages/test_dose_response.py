"""Doses of all instruments: the table of doses, the rules of sign and shape, and the page that is made by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from experiments.analysis.verdicts import Conclusion
from experiments.pages.evidence.dose_response import SHAPES, SIGNS, figure, line, page, write
from experiments.pages.evidence.dose_runs import DOSES, DoseResponse, Shape, Sign, companion, shape, sign
from sim.instruments import INSTRUMENTS

pytestmark = pytest.mark.study

OVERRIDES = ("region=liaoning", "by=[]", "months=6", "window=3", "burn_in=2")
SOME = {"cqo": (0.5, 1.0), "assessment": (4.0,), "quality_map": (1.0,)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder, keep = tmp_path_factory.mktemp("doses"), tmp_path_factory.mktemp("runs")
    return folder, keep, write(folder, keep, OVERRIDES, 30, 2, 1, SOME)


def response_of(*effects: float, concluded: tuple[Conclusion, ...], spread: float = 0.05, key: str = "cqo") -> DoseResponse:
    """A response with these mean effects and a spread that doses do not share."""
    noise = np.random.default_rng(1).normal(size=(12, len(effects)))
    changes = np.array(effects) + spread * (noise - noise.mean(axis=0)) * (np.array(effects) != 0.0)
    cost, counts = np.full(changes.shape, 1e6), [{"officers appointed": 3.0}] * 5
    return DoseResponse(key, (0.125, 0.25, 0.5, 0.75, 1.0), changes, cost, counts, concluded, None)


LOWER, HIGHER, NOT_SHOWN = (Conclusion.LOWER,) * 5, (Conclusion.HIGHER,) * 5, (Conclusion.NOT_SHOWN,) * 5
NO_CHANGE, UNKNOWN = (Conclusion.NO_CHANGE,) * 5, (Conclusion.UNKNOWN,) * 5
SOME_HARMFUL = (*LOWER[:2], *HIGHER[:3])


# -- doses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_five_doses_are_legal_and_one_is_half_of_the_full_one_or_less(key):
    doses = DOSES[key]
    assert len(doses) == 5
    assert any(dose <= doses[-1] / 2.0 for dose in doses)
    for dose in doses:
        assert INSTRUMENTS[key](**{INSTRUMENTS[key].dose: dose}).level == dose


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_an_instrument_that_only_serves_others_is_measured_with_one_of_them(key):
    served = companion(key, 1000)
    assert (served is not None) == INSTRUMENTS[key].first
    if served:
        assert not served.first
        assert served.ramp > 1
        assert served.targeting == "quality_map" if key == "quality_map" else served.monthly_capacity == 10


# -- rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "direction", "course"),
    [
        (response_of(-1, -2, -4, -6, -8, concluded=LOWER), Sign.HELPFUL, Shape.PROPORTIONAL),
        (response_of(-2, -4, -6, -7, -8, concluded=LOWER), Sign.HELPFUL, Shape.DIMINISHING),
        (response_of(-0.5, -1, -2, -5, -8, concluded=LOWER), Sign.HELPFUL, Shape.GROWING),
        (response_of(-6, -7, -8, -8, -8, concluded=LOWER), Sign.HELPFUL, Shape.FLATTENING),
        (response_of(-6, -7, -8, -7, -6, concluded=LOWER), Sign.HELPFUL, Shape.FALLING_BACK),
        (response_of(1, 2, 4, 6, 8, concluded=HIGHER), Sign.HARMFUL, Shape.PROPORTIONAL),
        (response_of(2, 4, 6, 7, 8, concluded=HIGHER), Sign.HARMFUL, Shape.DIMINISHING),
        (response_of(-1, -2, 1, 2, 3, concluded=SOME_HARMFUL), Sign.MIXED, None),
        (response_of(-0.01, 0.01, -0.01, 0.02, 0.01, concluded=NOT_SHOWN), Sign.NOT_SHOWN, None),
        (response_of(0, 0, 0, 0, 0, concluded=NO_CHANGE), Sign.NO_CHANGE, None),
        (response_of(-1, -2, -3, -4, -5, concluded=UNKNOWN), Sign.UNKNOWN, None),
    ],
)
def test_sign_and_shape_follow_the_numbers(response, direction, course):
    assert (sign(response), shape(response)) == (direction, course)
    text = line(response)
    assert SIGNS[direction][0] in text
    assert (SHAPES[course] in text) if course else not any(statement in text for statement in SHAPES.values())


def test_harm_and_no_effect_are_stated():
    assert "exactly no change" in line(response_of(0, 0, 0, 0, 0, concluded=NO_CHANGE))
    assert "**harmful" in line(response_of(1, 2, 4, 6, 8, concluded=HIGHER))
    assert "no dose is shown to have an effect" in line(response_of(-0.1, 0.1, -0.1, 0.2, 0.1, concluded=NOT_SHOWN, spread=1.0))
    assert "effects beyond ±" in line(response_of(-0.1, 0.1, -0.1, 0.2, 0.1, concluded=NOT_SHOWN, spread=1.0))


# -- the page ------------------------------------------------------------------------------------------------


def test_page_and_figure_are_written(written):
    folder, _, results = written
    text = (folder / "dose_response.md").read_text(encoding="utf-8")
    assert text == page(results, OVERRIDES)
    assert all(f"### `{key}`" in text and line(response) in text for key, response in zip(SOME, results.responses, strict=True))
    assert "Measured with `stewards` (ramp 12, targeting quality_map, visits 1)" in text
    with Image.open(folder / "dose_response.png") as picture:
        assert min(picture.size) > 200
    assert len(figure(results).axes) == 4


def test_figures_are_those_of_paired_runs(written):
    results = written[2]
    cqo, assessment, _ = results.responses
    assert cqo.changes.shape == (2, 2)
    assert (cqo.changes != 0.0).any()
    assert cqo.counts[1]["officers appointed"] > cqo.counts[0]["officers appointed"] > 0
    assert cqo.costs[1][0] > cqo.costs[0][0] > 0.0
    assert assessment.counts[0]["one_stop_stations: additional firms taken on"] > 0, "effort makes nothing faster"
    assert assessment.costs[0][0] > 0.0


def test_a_second_time_no_run_is_simulated(written, monkeypatch, tmp_path):
    _, keep, results = written
    monkeypatch.setattr("experiments.runs.runner.measure", lambda *_: pytest.fail("a run that is kept was simulated again"))
    again = write(tmp_path, keep, OVERRIDES, 30, 2, 1, SOME)
    for first, second in zip(results.responses, again.responses, strict=True):
        assert np.array_equal(first.changes, second.changes)
    assert page(again, OVERRIDES) == page(replace(results, about=again.about), OVERRIDES)
