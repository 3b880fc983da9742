"""A start that is fitted to the quality figures of firms: met within the tolerance, set as given, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.firm import MANAGEMENT
from sim import Region, StrongchainModel
from sim.build.fitted_start import FIRST_PASS_TOLERANCE, MOST_BASE, RETURNS_TOLERANCE, SPECIAL_MOST, _spread
from sim.month.propagation import latent_share, outgoing_dpu
from sim.network.checks import check_network
from sim.network.fixed_points import NetworkError
from sim.network.network import SupplyNetwork
from sim.network.starting_quality import StartingQuality
from sim.parameters import Parameters
from tests.support.worlds import line, permuted


@pytest.fixture(scope="module")
def given() -> SupplyNetwork:
    """The network of 300 firms of the sample region."""
    return StrongchainModel(rng=1, burn_in=0).network


def yields_of(n: int) -> np.ndarray:
    """First-pass yields of n firms: 97 % in the middle, as manufacturers report them, from 50 % to 99.9 %."""
    return 1.0 - np.clip(np.exp(np.random.default_rng(1).normal(np.log(0.03), 0.8, n)), 0.001, 0.5)


def world(given: SupplyNetwork, burn_in: int = 60, parameters: Parameters | None = None, **known: np.ndarray) -> StrongchainModel:
    quality = StartingQuality.unknown(given.n_firms, **known)
    return StrongchainModel(network=replace(given, quality=quality), parameters=parameters, burn_in=burn_in, check=True)


def first_pass(model: StrongchainModel) -> np.ndarray:
    return np.exp(-(1.0 - latent_share(model)) * model.firms.own_dpu)


@pytest.mark.parametrize("burn_in", [0, 60])
def test_300_firms_start_at_their_first_pass_yields(given, burn_in):
    model = world(given, burn_in, first_pass_yield=yields_of(300))
    difference = np.abs(first_pass(model) - yields_of(300))
    assert difference.max() < FIRST_PASS_TOLERANCE
    assert np.median(difference) < 1e-12
    assert not model.fitted.yield_missed.any()
    assert 0.0 <= model.firms.base_dpu.min() and model.firms.base_dpu.max() < MOST_BASE
    # In month 1 only firms that renew their product, or still learn to make it, differ from their yield.
    model.run(1)
    experienced = model.firms.output_since_renewal > 10  # what is learnt by then
    assert experienced.sum() > 200
    assert np.abs(first_pass(model) - yields_of(300))[experienced].max() < FIRST_PASS_TOLERANCE


def test_a_yield_lasts_because_capable_firms_have_fewer_problems(given):
    """What is met at the start is not gone a year later: the mean moves by less than two percentage points."""
    model = world(given, first_pass_yield=yields_of(300))
    model.run(12)
    assert abs(first_pass(model).mean() - yields_of(300).mean()) < 0.02


def test_firms_start_at_their_returns_or_are_named(given):
    asked = np.where(np.arange(300) % 4 == 0, 0.002, 0.06)
    model = world(given, returns=asked)
    returns = -np.expm1(-outgoing_dpu(model))
    missed = model.fitted.returns_missed
    assert np.abs(returns - asked)[~missed].max() < RETURNS_TOLERANCE
    assert 0 < missed.sum() < 100
    assert (returns > asked)[missed].all(), "a firm that misses its returns delivers more defects than it should"
    assert (model.firms.base_dpu[missed] < 1e-9).all(), "of its own it makes none by common causes"
    notes = model.fitted.notes(given.names)
    assert f"returns of {missed.sum()} firms cannot be met" in notes[1] and str(given.names[missed][0]) in notes[1]


def test_a_yield_that_the_given_problems_exclude_is_told_and_not_hidden(given):
    problems = np.where(np.arange(300) < 10, 20.0, np.nan)
    model = world(given, first_pass_yield=np.full(300, 0.99), problems=problems)
    assert np.flatnonzero(model.fitted.yield_missed).tolist() == list(range(10))
    assert (first_pass(model)[:10] < 0.99).all()
    told = model.fitted.notes(given.names)
    assert told[0].startswith("290 firms start at their first_pass_yield: the largest difference is 0.000")
    assert told[1].startswith("first_pass_yield of 10 firms cannot be met") and told[1].endswith("and 5 more")


@pytest.mark.parametrize("burn_in", [0, 60])
def test_officers_certificates_problems_and_capabilities_start_as_given(given, burn_in):
    draw = np.random.default_rng(2)
    officer, certificate = (draw.choice([0.0, 1.0, np.nan], 300) for _ in range(2))
    problems = draw.choice([0.0, 1.0, 2.0, 7.0, np.nan], 300)
    capability = np.where(draw.random((300, 4)) < 0.5, draw.random((300, 4)), np.nan)
    model = world(given, burn_in, officer=officer, certificate=certificate, problems=problems, capability=capability)
    firms = model.firms
    for column, figures in ((firms.cqo, officer), (firms.certified, certificate), (_problems(model).sum(axis=1), problems)):
        assert np.array_equal(column[~np.isnan(figures)], figures[~np.isnan(figures)])
    assert np.array_equal(firms.capability[~np.isnan(capability)], capability[~np.isnan(capability)])
    assert ((firms.certificate_left > 0) == firms.certified).all()
    assert (firms.natural <= firms.capability)[~np.isnan(capability)].all()
    # They are not held there: a year later some have changed.
    model.run(12)
    assert not np.array_equal(firms.cqo[~np.isnan(officer)], officer[~np.isnan(officer)])
    assert not np.array_equal(_problems(model).sum(axis=1)[~np.isnan(problems)], problems[~np.isnan(problems)])


def test_problems_start_by_kind_and_a_total_fills_the_other_kinds(given):
    by_kind = np.full((300, 4), np.nan)
    by_kind[:, 1] = 2.0
    some = np.arange(300) < 150
    model = world(given, problems_by_kind=by_kind, problems=np.where(some, 5.0, np.nan))
    problems = _problems(model)
    assert (problems[:, 1] == 2).all()
    assert (problems.sum(axis=1)[some] == 5).all()
    assert np.ptp(problems.sum(axis=1)[~some]) > 0, "kinds that are not given are drawn"
    kinds = problems[some].sum(axis=0) / 150
    assert (kinds[[0, 2, 3]] > 0.3).all(), f"all kinds take their part of the rest: {kinds}"


def test_problems_that_are_not_given_are_at_most_what_the_yield_leaves_room_for(given):
    model = world(given, first_pass_yield=yields_of(300))
    assert (model.firms.own_special <= SPECIAL_MOST * model.firms.own_dpu + 1e-12).all()
    raised = world(given, 0, first_pass_yield=np.full(300, 0.99)).firms.capability[:, MANAGEMENT]
    drawn = world(given, 0, first_pass_yield=np.full(300, 0.30)).firms.capability[:, MANAGEMENT]
    assert (raised >= drawn - 1e-9).all() and raised.mean() > drawn.mean() + 0.1


def test_what_is_not_given_has_the_luck_that_it_has_without(given):
    """Figures of firms that nobody buys from nor sells to leave all others as they are, to the bit, before the burn-in."""
    plain, other = StrongchainModel(network=given, burn_in=0), world(given, 0, officer=np.where(np.arange(300) == 7, 1.0, np.nan))
    rest = np.arange(300) != 7
    for name in ("capability", "base_dpu", "open_problems", "certified", "cqo"):
        assert np.array_equal(getattr(plain.firms, name)[rest], getattr(other.firms, name)[rest]), name


def test_figures_that_are_all_unknown_change_no_bit(given):
    one, other = StrongchainModel(network=given), world(given)
    one.run(3)
    other.run(3)
    assert one.fitted is None and not other.fitted.notes(given.names)
    for name in one.firms.columns:
        assert np.array_equal(getattr(one.firms, name), getattr(other.firms, name)), name


def test_figures_go_with_their_firms_when_rows_change_places(given):
    order = np.random.default_rng(4).permutation(300)
    quality = StartingQuality.unknown(300, first_pass_yield=yields_of(300))
    other = StrongchainModel(network=permuted(replace(given, quality=quality), order), burn_in=6)
    assert np.abs(first_pass(other) - yields_of(300)[order]).max() < FIRST_PASS_TOLERANCE


def test_a_region_without_severity_and_one_in_which_nothing_is_detectable(given):
    """Extremes of the parameters: what cannot be met is told, and nothing fails."""
    without = world(given, 3, Parameters(severity=0.0), first_pass_yield=yields_of(300))
    assert np.abs(without.fitted.yield_error).max() < FIRST_PASS_TOLERANCE
    hidden = world(given, 3, Parameters(latent_share=0.9), first_pass_yield=np.full(300, 0.02))
    assert hidden.firms.base_dpu.max() == MOST_BASE
    assert hidden.fitted.notes(given.names)[-1].startswith(f"own defects of {hidden.fitted.yield_missed.sum()} firms would have to be more")
    perfect = world(given, 3, first_pass_yield=np.ones(300))
    assert perfect.firms.own_dpu.max() == 0.0


def test_a_total_is_spread_without_remainder():
    weight = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 3.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    for u in (0.0, 0.3, 0.999999):
        spread = _spread(np.array([3.0, 4.0, 5.0]), weight, np.full(3, u))
        assert spread.sum(axis=1).tolist() == [3, 4, 5]
        assert spread[1].tolist() == [0, 3, 0, 1] and spread[2].tolist() == [5, 0, 0, 0]


@pytest.mark.parametrize(
    ("known", "wrong"),
    [
        ({"first_pass_yield": [0.9, 1.2, np.nan]}, "quality.first_pass_yield of '1' is 1.2; it must lie in 0.01 … 1"),
        ({"capability": np.full((3, 4), -0.5)}, "quality.capability of '0' is -0.5; it must lie in 0 … 1"),
        ({"officer": [1.0, 0.0]}, "quality.officer has the shape (2,); it must have a row for each of the 3 firms"),
        ({"returns": [0.1] * 3, "first_pass_yield": [np.nan, 0.9, np.nan]}, "quality has a first_pass_yield and returns of '1'"),
    ],
)
def test_figures_from_python_are_checked(known, wrong):
    given = line(3)
    quality = StartingQuality.unknown(3, **{name: np.asarray(figures) for name, figures in known.items()})
    with pytest.raises(NetworkError) as caught:
        check_network(replace(given, quality=quality))
    assert str(caught.value).startswith(wrong), str(caught.value)


def test_a_firm_that_has_taken_the_place_of_another_has_the_figures(given):
    """Firms give up in a long burn-in; who has the name at month 1 has the yield."""
    model = StrongchainModel(Region(), replace(given, quality=StartingQuality.unknown(300, first_pass_yield=yields_of(300))), burn_in=60)
    entrants = model.firms.entered > -60
    assert entrants.any()
    assert np.abs(first_pass(model) - yields_of(300))[entrants].max() < FIRST_PASS_TOLERANCE


def _problems(model: StrongchainModel) -> np.ndarray:
    return model.firms.open_problems + model.firms.common_problems
