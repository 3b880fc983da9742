"""All instruments at once, in a large region, every law checked every month."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from experiments import world
from sim import INSTRUMENTS
from tests.support.size import at_size

pytestmark = pytest.mark.verification

MONTHS = at_size(24, 60)
SCALE = at_size(0.035, 0.12)
#: CNY for each programme, as little as binds some of them.
BUDGET = at_size(3e5, 3e6)
SETTINGS = ("region=jiangsu", f"scale={SCALE}", "instruments=[]", "check=true")


@pytest.fixture(scope="module")
def run():
    """The world after the run, and what government paid each month by instrument, by firm and in all."""
    model = world(*SETTINGS, seed=1)
    model.adopt([replace(cls(), budget=BUDGET) for cls in INSTRUMENTS.values()])
    paid = np.zeros((MONTHS, len(INSTRUMENTS)))
    by_firm = np.zeros(MONTHS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for month in range(MONTHS):
            model.step()
            paid[month] = [model.books.paid("government", key) for key in INSTRUMENTS]
            by_firm[month] = model.firms.government_cost.sum()
    return model, paid, by_firm


def test_every_instrument_works_and_every_law_holds(run):
    model, _, _ = run
    assert model.month == MONTHS and model.firms.n == round(29_700 * SCALE)
    for key, programme in model.programmes.items():
        delivered = programme.delivered(model)
        assert delivered.pop("firms taken on") > 0, key
        assert max(delivered.values()) > 0, f"{key} took firms on and delivered nothing: {delivered}"


def test_what_is_spent_is_what_the_books_say_and_within_the_budget(run):
    model, paid, by_firm = run
    spent = np.array([model.programmes[key].spent for key in INSTRUMENTS])
    assert paid.sum(axis=0) == pytest.approx(spent, rel=1e-9)
    assert by_firm == pytest.approx(paid.sum(axis=1), rel=1e-9)
    assert (spent <= BUDGET * (1 + 1e-9)).all()
    assert (spent > 0.99 * BUDGET).sum() >= 3, "budgets bind somewhere"
    heads = model.chain_heads
    first = np.unique(heads.chain, return_index=True)[1]  # heads of one chain share it
    assert heads.spent[first].sum() == pytest.approx(spent.sum(), rel=1e-9)


def test_no_budget_pays_on_when_the_window_ends(run):
    """Programmes of a year: nothing is paid by government afterwards, and what was lent is gone."""
    model = world(*SETTINGS, seed=2)
    model.adopt([replace(cls(), length=12) for cls in INSTRUMENTS.values()])
    model.run(12)
    spent = {key: programme.spent for key, programme in model.programmes.items()}
    model.run(12)
    later = {key: programme.spent for key, programme in model.programmes.items()}
    # A guarantee that was given is honoured: loans of the programme default after it.
    assert {key for key in spent if later[key] != spent[key]} <= {"strong_chain_loans"}
