"""What the flagship instruments do: dose 0 is nothing, ranges are legal, and the page says what the numbers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments.configuration.settings import compose_settings, read_settings
from experiments.pages.evidence.flagship_runs import DOSES, UNCERTAIN, Found, Swing, World, shown
from experiments.pages.evidence.flagships import dose_figure, page, tornado, write
from experiments.pages.evidence.mean_effects import VERDICTS, default_dose, verdict
from sim import INSTRUMENTS, Parameters
from sim.parameters import declared, wrong_value
from tests.support.places import EVIDENCE

pytestmark = pytest.mark.study

WORDS = ("region=sample", "months=10", "window=4", "burn_in=2", "by=[]", "parallel=serial")
FEW = {key: (0.0, default_dose(key), given[-1]) for key, given in DOSES.items()}
FIELDS = {f.name: f for f in declared(Parameters)}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flagships")
    return folder, write(folder, words=WORDS, replicates=(3, 2), doses=FEW, uncertain=UNCERTAIN[:2])


def made(found: Found, effects: dict[str, tuple[float, ...]], keys=tuple(DOSES)) -> Found:
    """The same with effects in three worlds (default, low, high end) that are made up, with a little spread."""

    def at(value: float) -> World:
        rows = value + 0.01 * np.array([-1.0, 0.5, 1.0, -0.5])
        return World(0.02, pd.DataFrame({key: rows if key == "cqo" else rows - rows.mean() for key in keys}))

    swings = [Swing(one, at(effects[one.name][0]), at(effects[one.name][1])) for one in UNCERTAIN[:2]]
    return Found(found.doses, at(effects["default"][0]), swings, found.given)


# -- what is varied ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DOSES)
def test_doses_go_from_nothing_past_the_default_within_what_is_legal(key):
    given = DOSES[key]
    assert len(given) == 5
    assert given[0] == 0.0
    assert list(given) == sorted(given)
    assert default_dose(key) in given
    assert given[-1] >= 2 * default_dose(key)
    for dose in given:
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


# -- what is found -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", DOSES)
def test_dose_0_is_exactly_nothing(written, key):
    runs = written[1].doses.runs
    numbers = runs.select_dtypes("number").columns
    zero, nothing = (runs[runs["arm"] == arm][numbers].reset_index(drop=True) for arm in (f"{key} 0", "nothing"))
    outcomes = [name for name in numbers if not name.startswith("spent_on")]
    pd.testing.assert_frame_equal(zero[outcomes], nothing[outcomes], check_exact=True)
    assert verdict(written[1].dose_effect(key, 0.0)) == "nothing"
    assert written[1].dose_effect("cqo", 1.0)[0] != 0.0


def test_the_ends_are_worlds_of_their_own(written):
    low, high = written[1].swings[0].low, written[1].swings[0].high
    assert low.level < written[1].default.level < high.level  # more latent defects reach users
    assert written[1].swings[1].of.name == "cqo_solving"
    assert (written[1].swings[1].apart("cqo") != 0.0).any()


def test_page_and_figures_are_written(written):
    folder, found = written
    text = (folder / "flagships.md").read_text(encoding="utf-8")
    assert text == page(found, WORDS)
    for name in ("flagships_doses.png", "flagships_sensitivity.png"):
        assert f"({name})" in text
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 300
    assert len(dose_figure(found).axes) == len(tornado(found).axes) == len(DOSES)
    assert tornado(found).axes[0].get_yticklabels()[0].get_text().split()[0] == "latent_share"


# -- the words follow the numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ((-1.0, -2.0, -0.1), "lower"),
        ((1.0, 0.1, 2.0), "higher"),
        ((-1.0, -2.0, 0.1), "open"),
        ((-1.0, -2.0, 0.0), "open"),
        ((0.0, 0.0, 0.0), "nothing"),
        ((0.0, float("nan"), float("nan")), "nothing"),
        ((-1.0, float("nan"), float("nan")), "unknown"),
    ],
)
def test_verdicts_follow_intervals(effect, told):
    assert verdict(effect) == told
    assert told in VERDICTS


def test_what_rests_on_a_parameter_is_told_from_the_worlds(written):
    found = made(written[1], {"default": (-4.0,), "latent_share": (-4.0, -4.0), "cqo_solving": (-1.0, -8.0)})
    line = next(line for line in page(found, WORDS).splitlines() if line.startswith("- **`cqo`**"))
    assert "told from chance, with `cqo_solving` (-1.00 at 0, -8.00 at 1)" in line
    assert "Without `cqo_solving` (at 0) 25 % of the effect is left: 75 % rest on an assumption" in line
    assert "latent_share" not in line
    assert "Harmful" not in line


def test_harm_and_nil_are_said_plainly(written):
    found = made(written[1], {"default": (-4.0,), "latent_share": (2.0, 0.0), "cqo_solving": (-4.0, -4.0)})
    lines = page(found, WORDS).splitlines()
    cqo, loans = (next(line for line in lines if line.startswith(f"- **`{key}`**")) for key in ("cqo", "strong_chain_loans"))
    assert "**Harmful** at `latent_share` 0.02." in cqo
    assert "(the interval holds 0) at `latent_share` 0.12." in cqo
    assert "It changes with none of them by more than chance." in loans
    assert "(the interval holds 0) at all 4 ends." in loans


def test_sizes_are_judged_by_the_effects(written):
    """An effect turned round is called harmful; one fifty times the prototype's is called suspicious."""
    found = written[1]
    effects = found.doses.effects.copy()
    shares = ["effect_share", "effect_share_low", "effect_share_high"]
    effects.loc[effects["arm"] == "cqo 0.5", shares] = [-2.25, -2.3, -2.2]
    effects.loc[effects["arm"] == "strong_chain_loans 0.5", shares] = [0.02, 0.01, 0.03]
    effects.loc[effects["arm"] == "cqo 1", shares] = [-0.5, -0.6, -0.4]
    text = page(replace(found, doses=replace(found.doses, effects=effects)), WORDS)
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| `")}
    assert "suspicious" in next(line for line in text.splitlines() if line.startswith("| `cqo` | -225.00"))
    assert "not to be believed" in next(line for line in text.splitlines() if line.startswith("| `cqo` | -225.00"))
    assert "harmful" in next(line for line in text.splitlines() if line.startswith("| `strong_chain_loans` | +2.00"))
    assert "- `strong_chain_loans`, dose 0.5: +2.00 [+1.00, +3.00] %, **harmful" in text
    assert rows


def test_a_tuple_is_written_once_where_all_are_equal():
    assert shown((0.04, 0.04)) == "0.04"
    assert shown((0.1, 0.2)) == "0.1 / 0.2"
    assert shown(0.5) == "0.5"


def test_the_page_in_the_docs_tells_of_every_dose_and_parameter():
    text = (EVIDENCE / "flagships.md").read_text(encoding="utf-8")
    assert all(f"### `{key}`" in text for key in DOSES)
    assert all(f"| `{one.name}` | {shown(one.low)} … {shown(one.high)} | {one.why} |" in text for one in UNCERTAIN)
