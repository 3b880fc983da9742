"""Doses of all instruments: the table of doses, the rules of sign and shape, and the page that is made by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from experiments.pages.evidence.dose_response import SHAPES, SIGNS, figure, line, page, write
from experiments.pages.evidence.dose_runs import DOSES, Response, companion, shape, sign
from sim.instruments import INSTRUMENTS

pytestmark = pytest.mark.study

WORDS = ("region=liaoning", "by=[]", "months=6", "window=3", "burn_in=2")
SOME = {"cqo": (0.5, 1.0), "assessment": (4.0,), "quality_map": (1.0,)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder, keep = tmp_path_factory.mktemp("doses"), tmp_path_factory.mktemp("runs")
    return folder, keep, write(folder, keep, WORDS, 30, 2, 1, SOME)


def made(*effects: float, told: tuple[str, ...], spread: float = 0.05, key: str = "cqo") -> Response:
    """A response with these mean effects and a spread that doses do not share."""
    noise = np.random.default_rng(1).normal(size=(12, len(effects)))
    each = np.array(effects) + spread * (noise - noise.mean(axis=0)) * (np.array(effects) != 0.0)
    return Response(key, (0.125, 0.25, 0.5, 0.75, 1.0), each, np.full(each.shape, 1e6), [{"officers appointed": 3.0}] * 5, told, None)


LOWER, HIGHER, NOT = ("lower",) * 5, ("higher",) * 5, ("not told",) * 5


# -- doses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_five_doses_are_legal_and_one_is_half_of_the_full_one_or_less(key):
    given = DOSES[key]
    assert len(given) == 5
    assert any(dose <= given[-1] / 2.0 for dose in given)
    for dose in given:
        assert INSTRUMENTS[key](**{INSTRUMENTS[key].dose: dose}).level == dose


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_what_serves_others_alone_is_measured_beside_one_of_them(key):
    beside = companion(key, 1000)
    assert (beside is not None) == INSTRUMENTS[key].first
    if beside:
        assert not beside.first
        assert beside.ramp > 1
        assert beside.targeting == "quality_map" if key == "quality_map" else beside.monthly_capacity == 10


# -- rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "kind", "how"),
    [
        (made(-1, -2, -4, -6, -8, told=LOWER), "helpful", "proportional"),
        (made(-2, -4, -6, -7, -8, told=LOWER), "helpful", "diminishing"),
        (made(-0.5, -1, -2, -5, -8, told=LOWER), "helpful", "growing"),
        (made(-6, -7, -8, -8, -8, told=LOWER), "helpful", "flattening"),
        (made(-6, -7, -8, -7, -6, told=LOWER), "helpful", "falling back"),
        (made(1, 2, 4, 6, 8, told=HIGHER), "harmful", "proportional"),
        (made(2, 4, 6, 7, 8, told=HIGHER), "harmful", "diminishing"),
        (made(-1, -2, 1, 2, 3, told=("lower", "lower", "higher", "higher", "higher")), "mixed", ""),
        (made(-0.01, 0.01, -0.01, 0.02, 0.01, told=NOT), "open", ""),
        (made(0, 0, 0, 0, 0, told=NOT), "nothing", ""),
        (made(-1, -2, -3, -4, -5, told=("unknown",) * 5), "unknown", ""),
    ],
)
def test_sign_and_shape_follow_the_numbers(response, kind, how):
    assert (sign(response), shape(response)) == (kind, how)
    text = line(response)
    assert SIGNS[kind][0] in text
    assert (SHAPES[how] in text) if how else not any(said in text for said in SHAPES.values())


def test_nil_and_harm_are_said_plainly():
    assert "exactly nothing" in line(made(0, 0, 0, 0, 0, told=NOT))
    assert "**harmful" in line(made(1, 2, 4, 6, 8, told=HIGHER))
    assert "no dose is told from 0" in line(made(-0.1, 0.1, -0.1, 0.2, 0.1, told=NOT, spread=1.0))
    assert "effects beyond ±" in line(made(-0.1, 0.1, -0.1, 0.2, 0.1, told=NOT, spread=1.0))


# -- the page ------------------------------------------------------------------------------------------------


def test_page_and_figure_are_written(written):
    folder, _, found = written
    text = (folder / "dose_response.md").read_text(encoding="utf-8")
    assert text == page(found, WORDS)
    assert all(f"### `{key}`" in text and line(one) in text for key, one in zip(SOME, found.responses, strict=True))
    assert "Beside `stewards` (ramp 12, targeting quality_map, visits 1.0)" in text
    with Image.open(folder / "dose_response.png") as picture:
        assert min(picture.size) > 200
    assert len(figure(found).axes) == 4


def test_figures_are_those_of_paired_runs(written):
    found = written[2]
    cqo, assessment, _ = found.responses
    assert cqo.each.shape == (2, 2)
    assert (cqo.each != 0.0).any()
    assert cqo.counts[1]["officers appointed"] > cqo.counts[0]["officers appointed"] > 0
    assert cqo.costs[1][0] > cqo.costs[0][0] > 0.0
    assert assessment.counts[0]["one_stop_stations: firms taken on, more"] > 0, "effort hastens nothing"
    assert assessment.costs[0][0] > 0.0


def test_a_second_time_no_run_is_simulated(written, monkeypatch, tmp_path):
    _, keep, found = written
    monkeypatch.setattr("experiments.runs.runner.measure", lambda *_: pytest.fail("a run that is kept was simulated again"))
    again = write(tmp_path, keep, WORDS, 30, 2, 1, SOME)
    for one, other in zip(found.responses, again.responses, strict=True):
        assert np.array_equal(one.each, other.each)
    assert page(again, WORDS) == page(replace(found, about=again.about), WORDS)
