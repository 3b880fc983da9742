"""The flagship instruments: dose 0 is no programme, ranges are legal, and the page says what the numbers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments.analysis.verdicts import Conclusion, conclusion
from experiments.configuration.settings import compose_settings, read_settings
from experiments.pages.evidence.flagship_runs import DOSES, UNCERTAIN, FlagshipResults, RangeEffect, WorldEffects, value_text
from experiments.pages.evidence.flagships import dose_figure, page, tornado, write
from experiments.pages.evidence.mean_effects import STATEMENTS, bracketed, default_dose, signed, statement
from experiments.reports.findings import Estimate
from sim import INSTRUMENTS, Parameters
from sim.parameters import declared, wrong_value
from tests.support.places import EVIDENCE

pytestmark = pytest.mark.full

OVERRIDES = ("region=sample", "months=10", "window=4", "burn_in=2", "by=[]", "parallel=serial")
SOME_DOSES = {key: (0.0, default_dose(key), doses[-1]) for key, doses in DOSES.items()}
FIELDS = {f.name: f for f in declared(Parameters)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flagships")
    return folder, write(folder, overrides=OVERRIDES, replicates=(3, 2), doses=SOME_DOSES, uncertain=UNCERTAIN[:2])


def results_with(results: FlagshipResults, effects: dict[str, tuple[float, ...]], keys=tuple(DOSES)) -> FlagshipResults:
    """The same with invented effects in three worlds (default, low end, high end), with a little spread."""

    def world(effect: float) -> WorldEffects:
        changes = effect + 0.01 * np.array([-1.0, 0.5, 1.0, -0.5])
        return WorldEffects(0.02, pd.DataFrame({key: changes if key == "cqo" else changes - changes.mean() for key in keys}))

    ranges = [RangeEffect(parameter, *map(world, effects[parameter.name])) for parameter in UNCERTAIN[:2]]
    return FlagshipResults(results.dose_study, world(effects["default"][0]), ranges, results.doses)


# -- what is varied ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DOSES)
def test_doses_go_from_nothing_past_the_default_within_what_is_legal(key):
    doses = DOSES[key]
    assert len(doses) == 5
    assert doses[0] == 0.0
    assert list(doses) == sorted(doses)
    assert default_dose(key) in doses
    assert doses[-1] >= 2 * default_dose(key)
    for dose in doses:
        INSTRUMENTS[key](**{INSTRUMENTS[key].dose: dose})


@pytest.mark.parametrize("one", UNCERTAIN, ids=lambda one: one.name)
def test_a_range_is_legal_holds_the_default_and_is_of_a_parameter_without_source(one):
    field = FIELDS[one.name]
    assert field.metadata["confidence"] == "N"
    assert not wrong_value(field, one.low, one.name)
    assert not wrong_value(field, one.high, one.name)
    low, default, high = (np.atleast_1d(value) for value in (one.low, getattr(Parameters(), one.name), one.high))
    assert (low <= default).all()
    assert (default <= high).all()
    assert (low < high).all()


def test_ten_parameters_and_the_share_of_latent_defects_first():
    names = [one.name for one in UNCERTAIN]
    assert names[0] == "latent_share"
    assert len(set(names)) == len(names) == 10


def test_ranges_are_those_of_the_calibration_else_half_and_double():
    searched = read_settings(compose_settings(["study=calibration"])).study.searched
    for one in UNCERTAIN:
        if one.name in searched:
            assert [one.low, one.high] == list(searched[one.name]), one.name
            continue
        least, most = FIELDS[one.name].metadata["range"]
        default = np.atleast_1d(getattr(Parameters(), one.name))
        np.testing.assert_allclose(np.atleast_1d(one.low), np.clip(default / 2.0, least, most), err_msg=one.name)
        np.testing.assert_allclose(np.atleast_1d(one.high), np.clip(default * 2.0, least, most), err_msg=one.name)


# -- results ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DOSES)
def test_dose_0_changes_nothing(written, key):
    runs = written[1].dose_study.runs
    numbers = runs.select_dtypes("number").columns
    zero, nothing = (runs[runs["arm"] == arm][numbers].reset_index(drop=True) for arm in (f"{key} 0", "nothing"))
    outcomes = [name for name in numbers if not name.startswith("spent_on")]
    pd.testing.assert_frame_equal(zero[outcomes], nothing[outcomes], check_exact=True)
    assert conclusion(*written[1].dose_effect(key, 0.0)) == Conclusion.NO_CHANGE
    assert written[1].dose_effect("cqo", 1.0)[0] != 0.0


def test_the_ends_are_worlds_of_their_own(written):
    low, high = written[1].ranges[0].low, written[1].ranges[0].high
    assert low.level < written[1].default.level < high.level  # more latent defects reach users
    assert written[1].ranges[1].parameter.name == "cqo_solving"
    assert (written[1].ranges[1].difference("cqo") != 0.0).any()


def test_page_and_figures_are_written(written):
    folder, results = written
    text = (folder / "flagships.md").read_text(encoding="utf-8")
    assert text == page(results, OVERRIDES)
    for name in ("flagships_doses.png", "flagships_sensitivity.png"):
        assert f"({name})" in text
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 300
    assert len(dose_figure(results).axes) == len(tornado(results).axes) == len(DOSES)
    assert tornado(results).axes[0].get_yticklabels()[0].get_text().split()[0] == "latent_share"


# -- the text follows the numbers ----------------------------------------------------------------------------


def test_every_conclusion_has_a_statement():
    assert set(STATEMENTS) == set(Conclusion)
    assert statement(Conclusion.LOWER) == "fewer defects reach users"
    assert statement(Conclusion.LOWER, lower="costs fall") == "costs fall"
    assert statement(Conclusion.NOT_SHOWN, lower="costs fall") == STATEMENTS[Conclusion.NOT_SHOWN]


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        ((-1.0, -2.0, 0.1), "−1.00 [−2.00, +0.10]"),
        ((1.0, 0.999, 1.001), "+1.00"),
        ((0.0, 0.0, 0.0), "0"),
        ((0.0, float("nan"), float("nan")), "0"),
        ((0.0, -1.0, 1.0), "0.00 [−1.00, +1.00]"),
        ((-1.0, float("nan"), float("nan")), "−1.00"),
    ],
)
def test_an_effect_is_written_with_its_interval_where_that_says_more(effect, text):
    assert signed(Estimate(*effect)) == text
    assert bracketed(Estimate(*effect), lambda number: f"{number:.0f}").startswith(f"{effect[0]:.0f}")


def test_dependence_on_a_parameter_is_read_from_the_worlds(written):
    results = results_with(written[1], {"default": (-4.0,), "latent_share": (-4.0, -4.0), "cqo_solving": (-1.0, -8.0)})
    line = next(line for line in page(results, OVERRIDES).splitlines() if line.startswith("- **`cqo`**"))
    assert "It is shown to change with `cqo_solving` (−1.00 at 0, −8.00 at 1)" in line
    assert "Without `cqo_solving` (at 0) 25 % of the effect is left: 75 % depend on an assumption" in line
    assert "latent_share" not in line
    assert "Harmful" not in line


def test_harm_and_no_effect_are_stated(written):
    results = results_with(written[1], {"default": (-4.0,), "latent_share": (2.0, 0.0), "cqo_solving": (-4.0, -4.0)})
    lines = page(results, OVERRIDES).splitlines()
    cqo, loans = (next(line for line in lines if line.startswith(f"- **`{key}`**")) for key in ("cqo", "strong_chain_loans"))
    assert "**Harmful** at `latent_share` 0.02." in cqo
    assert "(the interval holds 0) at `latent_share` 0.12." in cqo
    assert "It is not shown to change with any of them." in loans
    assert "(the interval holds 0) at all 4 ends." in loans


def test_sizes_are_compared_with_the_prototype_and_the_literature(written):
    """An effect of the opposite sign is called harmful; one fifty times the prototype's is called suspicious."""
    results = written[1]
    effects = results.dose_study.effects.copy()
    shares = ["effect_share", "effect_share_low", "effect_share_high"]
    effects.loc[effects["arm"] == "cqo 0.5", shares] = [-2.25, -2.3, -2.2]
    effects.loc[effects["arm"] == "strong_chain_loans 0.5", shares] = [0.02, 0.01, 0.03]
    effects.loc[effects["arm"] == "cqo 1", shares] = [-0.5, -0.6, -0.4]
    text = page(replace(results, dose_study=replace(results.dose_study, effects=effects)), OVERRIDES)
    assert "suspicious" in next(line for line in text.splitlines() if line.startswith("| `cqo` | −225.00"))
    assert "not credible" in next(line for line in text.splitlines() if line.startswith("| `cqo` | −225.00"))
    assert "harmful" in next(line for line in text.splitlines() if line.startswith("| `strong_chain_loans` | +2.00"))
    assert "- `strong_chain_loans`, dose 0.5: +2.00 [+1.00, +3.00] %, **harmful" in text


def test_a_tuple_is_written_once_where_all_are_equal():
    assert value_text((0.04, 0.04)) == "0.04"
    assert value_text((0.1, 0.2)) == "0.1 / 0.2"
    assert value_text(0.5) == "0.5"


def test_the_page_in_the_docs_shows_every_dose_and_parameter():
    text = (EVIDENCE / "flagships.md").read_text(encoding="utf-8")
    assert all(f"### `{key}`" in text for key in DOSES)
    assert all(f"| `{one.name}` | {value_text(one.low)} … {value_text(one.high)} | {one.governs} |" in text for one in UNCERTAIN)
