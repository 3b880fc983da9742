"""Additional tables of a comparison, where they were asked for or make sense: what a budget bought, and how much of the effects remained.

Each function takes whole replicates by arm, as `experiments.analysis.effects` does, and returns one table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.analysis.costs import per_yuan
from experiments.analysis.statistics import ratio_intervals, shown_interval
from experiments.runs.measure import Run
from sim.outcomes import HEADLINE

__all__ = ["LEFT", "SPENT", "aftermath", "ends_of", "programme_tables", "spending"]

Floats = NDArray[np.float64]
ByArm = Mapping[str, Sequence[Run]]

#: Share of a budget from which it counts as spent: what is left over is less than one more firm, or the difference between runs.
SPENT = 0.98
#: Years after the end of the programmes for which the remaining effect is reported.
LEFT = (1, 2, 5)


def programme_tables(runs: Sequence[Run], about: Mapping[str, Any], reference: str) -> dict[str, pd.DataFrame]:
    """Return the additional tables of a study: "spending" and "per_yuan" with a budget, "aftermath" where programmes end before it does.

    Parameters
    ----------
    runs : sequence of Run
    about : dict
        The manifest of the study, with the configuration of every arm.
    reference : str
    """
    by_arm = {arm: [run for run in runs if run.arm == arm] for arm in dict.fromkeys(run.arm for run in runs)}
    arms, configuration = about.get("arms", {}), about.get("configuration", {})
    tables = {}
    if (configuration.get("study") or {}).get("budget") is not None:
        tables = {"spending": spending(by_arm, arms), "per_yuan": per_yuan(by_arm, reference)}
    ends = ends_of(arms, runs[0].series.shape[0])
    ends = {arm: end for arm, end in ends.items() if arm in by_arm and arm != reference}
    return tables | ({"aftermath": aftermath(by_arm, reference, ends)} if ends else {})


# -- money -------------------------------------------------------------------------------------------------


def spending(by_arm: ByArm, arms: Mapping[str, Any]) -> pd.DataFrame:
    """What every arm and each of its instruments spent of its budget: a row per arm and instrument, and one of the whole arm ("in all").

    `verdict` is "spent", "cannot spend it" (the lever is at the end of its range) or "not all spent".
    """
    from sim import INSTRUMENTS, Instrument

    rows = []
    for arm, runs in by_arm.items():
        levers = {key: values for key, values in arms[arm]["instruments"].items() if values["active"] and values["budget"] is not None}
        if not levers:
            continue
        whole = sum(values["budget"] for values in levers.values())
        of_arm = np.zeros(len(runs))
        parts = []
        for key, values in levers.items():
            cls = INSTRUMENTS.get(key)  # none where the study's own instrument is not registered here
            name = cls.budget_lever if cls else Instrument.budget_lever
            most = cls.__dataclass_fields__[name].metadata["range"][1] if cls else np.inf
            spent = np.array([run.spent.get(key, 0.0) for run in runs])
            of_arm += spent
            parts.append((key, name, values[name], values["budget"], spent, values[name] >= most))
        stuck = any(at_most and spent.mean() < SPENT * budget for *_, budget, spent, at_most in parts)
        for key, name, value, budget, spent, at_most in [("in all", "", np.nan, whole, of_arm, stuck), *parts]:
            share = spent.mean() / budget
            verdict = "spent" if share >= SPENT else "cannot spend it" if at_most else "not all spent"
            rows.append((arm, key, name, value, budget, *shown_interval(spent), share, verdict))
    names = ["arm", "instrument", "lever", "value", "budget", "spent", "spent_low", "spent_high", "share", "verdict"]
    return pd.DataFrame(rows, columns=names)


# -- after the end -----------------------------------------------------------------------------------------


def ends_of(arms: Mapping[str, Any], months: int) -> dict[str, int]:
    """Last month of the programmes of each arm whose programmes all end before the run; none for an arm without programmes."""
    ends = {}
    for name, arm in arms.items():
        active = [levers for levers in arm["instruments"].values() if levers["active"]]
        lasts = [levers["start"] + levers["length"] - 1 if levers["length"] is not None else months for levers in active]
        if lasts and 1 <= max(lasts) < months:
            ends[name] = max(lasts)
    return ends


def aftermath(by_arm: ByArm, reference: str, ends: Mapping[str, int]) -> pd.DataFrame:
    """Effects on the headline year by year around the end of programmes: a row per arm and year.

    Year 0 is the last year of the programmes (its months, if they ran for less), year 1 the first after their end. An effect is the paired
    difference of the mean over the year's months; `left` is its share of the effect in year 0, with Fieller's interval, and is defined
    where the interval of that effect leaves out 0. `government_cost` is what government paid a month in that year, the mean of all runs.
    """
    keys = next(iter(by_arm.values()))[0].outcomes
    at, cost = keys.index(HEADLINE), keys.index("government_cost")
    base = np.array([run.series[:, at] for run in by_arm[reference]])
    before = np.array([run.series[:, cost] for run in by_arm[reference]])
    rows = []
    for arm, end in ends.items():
        paired = np.array([run.series[:, at] for run in by_arm[arm]]) - base
        paid = np.array([run.series[:, cost] for run in by_arm[arm]]) - before
        last = paired[:, max(0, end - 12) : end].mean(axis=1)
        known = shown_interval(last)
        for year in range(-((end - 1) // 12), (paired.shape[1] - end) // 12 + 1):
            first, stop = max(0, end + 12 * (year - 1)), end + 12 * year
            effect, level = paired[:, first:stop].mean(axis=1), abs(float(base[:, first:stop].mean()))
            effect_interval = shown_interval(effect)
            ratio = ratio_intervals(effect, last)
            sound = bool(ratio.defined) and known[1] * known[2] > 0.0
            left = [float(value) if sound else np.nan for value in ratio[:3]] if year else [1.0, np.nan, np.nan] if sound else [np.nan] * 3
            shares = [value / level if level else np.nan for value in effect_interval]
            rows.append((arm, end, year, first + 1, stop, *effect_interval, *shares, *left, sound, float(paid[:, first:stop].mean())))
    names = [f"{stem}{tail}" for stem in ("effect", "effect_share", "left") for tail in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["arm", "end", "year", "first_month", "last_month", *names, "defined", "government_cost"])
