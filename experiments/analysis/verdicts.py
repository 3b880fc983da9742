"""What may be said of an effect: by its interval, by a corrected p-value, and in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["defects_told", "told_from_zero", "verdict"]

Floats = NDArray[np.float64]


def told_from_zero(low: Floats, high: Floats, adjusted: Floats) -> NDArray[np.str_]:
    """Say of each effect whether it is told from 0: its interval leaves out 0, and an adjusted p-value, if any, is below 5 %."""
    sure = np.isnan(adjusted) | (adjusted < 0.05)
    return np.select([np.isnan(low), sure & (high < 0.0), sure & (low > 0.0)], ["unknown", "lower", "higher"], "not told")


def verdict(row: pd.Series) -> str:
    """Judge the effect of one arm on one outcome, by what the table says is told of it.

    Returns
    -------
    {"lower", "higher", "unclear", "corrected", "nil", "unknown"}
        "corrected" where the interval leaves out 0 but the corrected p-value does not tell it from chance; "unknown" from one replicate.
    """
    if row["told"] != "not told":
        return str(row["told"])
    if row["effect"] == row["effect_low"] == row["effect_high"] == 0.0:
        return "nil"
    return "unclear" if row["effect_low"] <= 0.0 <= row["effect_high"] else "corrected"


def defects_told(told: str) -> str:
    """Say in words what a table tells of the change of defects."""
    return {"lower": "fewer", "higher": "more", "unknown": "no interval"}.get(told, "not told from zero")
