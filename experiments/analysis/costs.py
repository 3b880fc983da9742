"""What an avoided defect costs, and what a CNY of government bought: both over the whole run, against the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.analysis.statistics import ratio_intervals, shown_interval
from experiments.analysis.verdicts import conclusion
from experiments.runs.measure import Run

__all__ = ["DEFECTS", "PAYERS", "costs_per_defect", "per_yuan"]

Floats = NDArray[np.float64]
ByArm = Mapping[str, Sequence[Run]]

#: The flow of defects that is avoided.
DEFECTS = "field_defects"
#: Who pays for an avoided defect, and the flow that counts it.
PAYERS = {"government": "government_cost", "firms": "firm_quality_cost", "society": "society_quality_cost"}


def costs_per_defect(by_arm: ByArm, reference: str) -> pd.DataFrame:
    """Return the cost per avoided defect: a row per arm and payer, CNY over the whole run against the reference.

    `avoided` are sales that reach users with a defect in the reference and not in the arm, CNY: a defect counts with the
    price of the product that has it. `ratio` is CNY paid per CNY of these, with Fieller's interval; where the interval of
    what is avoided holds 0 it is not defined, and where more defects were caused there is nothing to divide by either.
    """
    base, rows = by_arm[reference], []
    for arm, runs in by_arm.items():
        if arm == reference:
            continue
        avoided = _in_all(base, DEFECTS) - _in_all(runs, DEFECTS)
        for payer, key in PAYERS.items():
            paid = _in_all(runs, key) - _in_all(base, key)
            ratio, saved = ratio_intervals(paid, avoided), shown_interval(avoided)
            sound = bool(ratio.defined) and saved[1] > 0.0  # by the interval that is shown, which may be the wider one
            shown_ratio = [float(value) if sound else np.nan for value in ratio[:3]]
            rows.append((arm, payer, *shown_interval(paid), *saved, *shown_ratio, sound))
    names = [f"{stem}{end}" for stem in ("cost", "avoided", "ratio") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["arm", "payer", *names, "defined"])


def per_yuan(by_arm: ByArm, reference: str) -> pd.DataFrame:
    """Return what a CNY of government bought: a row per arm, over the whole run against the reference.

    `avoided` are sales reaching users with a defect in the reference and not in the arm, CNY; `per_yuan` is that over `spent`, with
    Fieller's interval. It is defined where the interval of what was spent leaves out 0, and may be below 0: defects that were caused.
    `conclusion` is that on defects, by the interval of what was avoided: lower where it is above 0.
    """
    rows = []
    for arm, runs in by_arm.items():
        if arm == reference:
            continue
        spent = _in_all(runs, "government_cost") - _in_all(by_arm[reference], "government_cost")
        avoided = _in_all(by_arm[reference], DEFECTS) - _in_all(runs, DEFECTS)
        paid, saved, ratio = shown_interval(spent), shown_interval(avoided), ratio_intervals(avoided, spent)
        sound = bool(ratio.defined) and paid[1] > 0.0
        values = [float(value) if sound else np.nan for value in ratio[:3]]
        fewer = conclusion(*saved).reversed  # fewer defects where more is avoided
        rows.append((arm, *paid, *saved, *values, sound, fewer.value))
    names = [f"{stem}{end}" for stem in ("spent", "avoided", "per_yuan") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["arm", *names, "defined", "conclusion"])


def _in_all(runs: Sequence[Run], key: str) -> Floats:
    """Return a flow in total, summed over all months, run by run."""
    at = runs[0].outcomes.index(key)
    return np.array([run.cumulative[at, 0] for run in runs])
