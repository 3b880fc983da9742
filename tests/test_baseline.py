"""Results change only on purpose."""

from __future__ import annotations

import pytest

from tests.baseline import HOW_TO, OUTCOMES, WORLDS, changes, measure, stored


@pytest.mark.study
@pytest.mark.parametrize("name", WORLDS)
def test_the_outcomes_are_those_kept(name):
    different = changes(name, stored().get(name, {}), measure(name))
    assert not different, "\n".join(["tests/baseline.yaml says otherwise:", *different, HOW_TO])


def test_only_known_worlds_are_kept():
    assert list(stored()) == list(WORLDS)


def test_a_change_a_new_figure_and_a_missing_one_are_reported():
    """Beyond rounding: nine digits must agree."""
    stored, measured = {"a": 1.0, "b": 2.0, "c": 0.0, "d": 5.0}, {"a": 1.0 + 5e-10, "b": 2.0 + 5e-9, "c": 1.0, "e": 3.0}
    lines = changes("w", stored, measured)
    assert [line.split()[1] for line in lines] == ["b", "c", "d", "e"]
    assert lines[2] == "w: d is gone: 5.0" and lines[3] == "w: e is new: 3.0"
    assert not changes("w", {"a": float("nan")}, {"a": float("nan")})


def test_the_instruments_change_outcomes_and_not_the_world():
    """The kept figures themselves make sense: the network is the same, the programme costs, and defects fall."""
    kept = stored()
    for region in ("sample", "liaoning"):
        nothing, treated = kept[f"{region}, nothing"], kept[f"{region}, all"]
        assert nothing["links"] == treated["links"] and nothing["output"] == pytest.approx(treated["output"], rel=0.05)
        assert nothing["government_cost"] == 0.0 < treated["government_cost"]
        assert all(treated[key] < nothing[key] for key in ("field_dpu", "nonconformity", "open_problems"))
        assert set(OUTCOMES) < nothing.keys() == treated.keys()
