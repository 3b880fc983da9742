"""The contract of instruments, as tests ask for it; the checks are in experiments/contract/checks.py, where users find them."""

from __future__ import annotations

from experiments.contract.checks import (
    BOOKKEEPING,
    CHECKS,
    OF_DELIVERY,
    OF_INSTRUMENT,
    check_doses_shown_rise_and_hold_the_default,
    check_firms_that_give_up_are_let_go,
    check_instrument,
    check_it_does_something,
    check_its_labels_are_written,
    check_what_its_effect_hinges_on_is_a_setting,
    failures,
)

__all__ = [
    "BOOKKEEPING",
    "CHECKS",
    "OF_DELIVERY",
    "OF_INSTRUMENT",
    "check_doses_shown_rise_and_hold_the_default",
    "check_firms_that_give_up_are_let_go",
    "check_instrument",
    "check_it_does_something",
    "check_its_labels_are_written",
    "check_what_its_effect_hinges_on_is_a_setting",
    "failures",
]
