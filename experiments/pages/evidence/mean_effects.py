"""What the pages of evidence share: a mean effect with its interval, how it is written, and what the page says of a conclusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from experiments.analysis.statistics import shown_intervals
from experiments.analysis.verdicts import Conclusion
from experiments.formatting import fixed
from experiments.reports.findings import Estimate
from sim import INSTRUMENTS

__all__ = ["STATEMENTS", "bracketed", "default_dose", "mean_effect", "signed", "statement"]

#: What a page says of a conclusion on defects that reach users.
STATEMENTS: Mapping[Conclusion, str] = {
    Conclusion.LOWER: "fewer defects reach users",
    Conclusion.HIGHER: "**harmful: more defects reach users**",
    Conclusion.NOT_SHOWN: "no effect shown: the interval holds 0",
    Conclusion.NO_CHANGE: "exactly no change",
    Conclusion.UNKNOWN: "not known: one replicate gives no interval",
}


def statement(concluded: Conclusion, **instead: str) -> str:
    """Return what a page says of a conclusion.

    Parameters
    ----------
    concluded : Conclusion
    **instead : str
        Other words for some conclusions, by their names in lower case: ``higher="failures rise"``.
    """
    return instead.get(concluded.name.lower(), STATEMENTS[concluded])


def mean_effect(values: ArrayLike) -> Estimate:
    """Return the mean of paired differences, one a replicate, with its 95 % interval."""
    intervals, _ = shown_intervals(np.asarray(values, dtype=np.float64)[:, None])
    return Estimate(float(intervals.mean[0]), float(intervals.low[0]), float(intervals.high[0]))


def bracketed(estimate: Estimate, number: Callable[[float], str]) -> str:
    """Write an estimate with its interval in square brackets.

    Exactly no change is 0. The mean stands alone where there is no interval, or where both ends look like it.

    Parameters
    ----------
    estimate : Estimate
    number : function
        How one number is written.
    """
    if estimate.is_zero:
        return "0"
    mean, low, high = map(number, estimate)
    return f"{mean} [{low}, {high}]" if estimate.has_interval and not mean == low == high else mean


def signed(effect: Estimate, decimals: int = 2) -> str:
    """Write an effect with its sign and its interval."""
    return bracketed(effect, lambda value: fixed(value, decimals, sign=True))


def default_dose(key: str) -> float:
    """Return the default of the lever that is an instrument's dose."""
    return INSTRUMENTS[key]().level
