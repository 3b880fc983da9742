"""What a study concludes of an effect: one enumeration, and the one rule behind it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["SIGNIFICANCE", "Conclusion", "Judgement", "conclusion", "conclusions", "fails_correction", "judgement"]

#: A corrected p-value below this lets an effect count as shown.
SIGNIFICANCE = 0.05


class Conclusion(StrEnum):
    """What may be said about a difference: the values of the column `conclusion` in the tables.

    Attributes
    ----------
    LOWER, HIGHER
        The difference is below 0, or above it: its interval leaves out 0, and the corrected p-value, where there is one, is below 0.05.
    NOT_SHOWN
        It may be 0: the interval holds 0, or the corrected p-value does not rule out chance.
    NO_CHANGE
        It is exactly 0 in every replicate.
    UNKNOWN
        A single replicate gives no interval.
    """

    LOWER = "lower"
    HIGHER = "higher"
    NOT_SHOWN = "not shown"
    NO_CHANGE = "no change"
    UNKNOWN = "unknown"

    @property
    def is_shown(self) -> bool:
        """Whether the difference is shown to be below or above 0."""
        return self in (Conclusion.LOWER, Conclusion.HIGHER)

    @property
    def reversed(self) -> Conclusion:
        """The conclusion on the same difference with the opposite sign."""
        return {Conclusion.LOWER: Conclusion.HIGHER, Conclusion.HIGHER: Conclusion.LOWER}.get(self, self)


def conclusions(mean: ArrayLike, low: ArrayLike, high: ArrayLike, adjusted: ArrayLike = np.nan) -> NDArray[np.str_]:
    """Return the conclusion on each of many differences, as text.

    Parameters
    ----------
    mean, low, high : array
        Means of paired differences and the ends of their intervals; ends that are not a number where there is one replicate.
    adjusted : array
        p-values corrected for many comparisons; not a number where there is none.
    """
    mean, low, high, adjusted = (np.asarray(values, dtype=np.float64) for values in (mean, low, high, adjusted))
    sure = np.isnan(adjusted) | (adjusted < SIGNIFICANCE)
    unchanged = (mean == 0.0) & (low == 0.0) & (high == 0.0)
    return np.select(
        [np.isnan(low), unchanged, sure & (high < 0.0), sure & (low > 0.0)],
        [Conclusion.UNKNOWN.value, Conclusion.NO_CHANGE.value, Conclusion.LOWER.value, Conclusion.HIGHER.value],
        Conclusion.NOT_SHOWN.value,
    )


def conclusion(mean: float, low: float, high: float) -> Conclusion:
    """Return the conclusion on one difference, by its interval alone."""
    return Conclusion(str(conclusions(mean, low, high)))


def fails_correction(effect: Mapping[str, Any]) -> bool:
    """Whether the interval of an effect leaves out 0 and only the correction for many comparisons keeps it from being shown."""
    return effect["conclusion"] == Conclusion.NOT_SHOWN and not effect["effect_low"] <= 0.0 <= effect["effect_high"]


class Judgement(StrEnum):
    """What a conclusion means for an outcome: whether the change is a good one, where one is shown."""

    BETTER = "better"
    WORSE = "worse"
    DIFFERENT = "different"
    NOT_SHOWN = "not shown"
    NO_CHANGE = "no change"
    UNKNOWN = "unknown"


def judgement(concluded: Conclusion, better: str) -> Judgement:
    """Judge a conclusion on an outcome for which ``"lower"`` or ``"higher"`` is better, or neither (``""``)."""
    if not concluded.is_shown:
        return Judgement(concluded.value)
    if better not in (Conclusion.LOWER, Conclusion.HIGHER):
        return Judgement.DIFFERENT
    return Judgement.BETTER if concluded == better else Judgement.WORSE
