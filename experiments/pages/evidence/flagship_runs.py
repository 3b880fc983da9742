"""The simulations behind the page of the flagship instruments: doses, and worlds at both ends of the ranges of ten uncertain parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments import Comparison, compare
from experiments.analysis.statistics import adjusted_p_values, p_values
from experiments.formatting import value
from experiments.pages.evidence.mean_effects import mean_effect
from experiments.reports.findings import Estimate, estimate
from experiments.terminal import write
from sim import INSTRUMENTS, ChiefQualityOfficer, OneStopStations, StrongChainLoans
from sim.outcomes import HEADLINE

__all__ = [
    "DOSES",
    "OVERRIDES",
    "UNCERTAIN",
    "FlagshipResults",
    "RangeEffect",
    "UncertainParameter",
    "WorldEffects",
    "compare_with_nothing",
    "dose_study",
    "override",
    "simulate",
    "value_text",
]

Values = float | tuple[float, ...]

OVERRIDES = ("region=liaoning", "months=60", "by=[]")
#: Doses by instrument: 0, and those of the doses shown that are a quarter, half, once, twice or four times the default.
DOSES = {
    cls.key: (0.0, *(dose for dose in cls.doses_shown if dose / cls().level in {0.25, 0.5, 1.0, 2.0, 4.0}))
    for cls in (ChiefQualityOfficer, OneStopStations, StrongChainLoans)
}


@dataclass(frozen=True)
class UncertainParameter:
    """A parameter without a source, both ends of its range, and what it governs."""

    name: str
    low: Values
    high: Values
    governs: str


#: The share of latent defects always comes first: it has the most influence. A range is the one that the calibration searches
#: (`experiments/configuration/searched_ranges.csv`); for a
#: parameter that is not searched it goes from half of the default to twice the default, within the legal range.
UNCERTAIN = (
    UncertainParameter("latent_share", 0.02, 0.12, "λ: defects that no inspection finds on their way to users"),
    UncertainParameter("cqo_solving", 0.0, 1.0, "what an officer adds to the solving of problems"),
    UncertainParameter("cqo_visibility", 0.45, 1.0, "what an officer sees of the cost of poor quality"),
    UncertainParameter("service_learning", 0.0, 0.06, "what a firm learns when a station solves a problem"),
    UncertainParameter("approval", (0.1, 0.25, 0.45), (0.4, 1.0, 1.0), "rationing of credit, without which a loan adds nothing"),
    UncertainParameter("problem_rate", (0.04,) * 4, (0.16,) * 4, "how many problems arise"),
    UncertainParameter("severity", 0.015, 0.05, "how many defects a problem adds"),
    UncertainParameter("management_effect", 1.6, 3.4, "how many defects a gain in capability avoids"),
    UncertainParameter("spillover", 0.001, 0.012, "how much capability spreads to suppliers"),
    UncertainParameter("practice_decay", 0.0025, 0.0065, "how fast practice fades"),
)


# -- what is simulated ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class WorldEffects:
    """Effects of each instrument alone in one world.

    Attributes
    ----------
    level : float
        Field DPU without programme.
    changes : table
        In % of the level without programme; a row a replicate, a column an instrument.
    """

    level: float
    changes: pd.DataFrame

    def effect(self, key: str) -> Estimate:
        """Return the mean effect of an instrument with its 95 % interval."""
        return mean_effect(self.changes[key])


@dataclass(frozen=True)
class RangeEffect:
    """Effects in the worlds at both ends of the range of a parameter."""

    parameter: UncertainParameter
    low: WorldEffects
    high: WorldEffects

    def difference(self, key: str) -> NDArray[np.float64]:
        """Effect of an instrument at the high end less that at the low end: percentage points, replicate by replicate."""
        return np.asarray((self.high.changes[key] - self.low.changes[key]).dropna(), dtype=np.float64)


@dataclass(frozen=True)
class FlagshipResults:
    """All that the page shows.

    Attributes
    ----------
    dose_study : Comparison
        All doses against nothing.
    default : WorldEffects
        With all parameters at their defaults.
    ranges : sequence of RangeEffect
    doses : dict of str to sequence of float
        By instrument.
    """

    dose_study: Comparison
    default: WorldEffects
    ranges: Sequence[RangeEffect]
    doses: Mapping[str, Sequence[float]] = field(default_factory=lambda: DOSES)

    @cached_property
    def p(self) -> dict[tuple[str, str], float]:
        """By parameter and instrument, the p-value of the difference between both ends, corrected over all of them (Holm)."""
        pairs = [(one.parameter.name, key) for one in self.ranges for key in self.doses]
        raw = [float(p_values(one.difference(key))) for one in self.ranges for key in self.doses]
        return dict(zip(pairs, adjusted_p_values(raw).tolist(), strict=True))

    def dose_effect(self, key: str, dose: float, outcome: str = HEADLINE) -> Estimate:
        """Return the effect of a dose in % of the level without programme, with its paired 95 % interval."""
        return estimate(self.dose_study.effect(f"{key} {dose:g}", outcome), "effect_share").times(100.0)


def dose_study(overrides: Sequence[str], replicates: int, keep: Path | None, doses: Mapping[str, Sequence[float]] = DOSES) -> Comparison:
    """Compare all doses of all instruments with nothing, on the same random numbers."""
    arms = ["nothing: ['instruments=[]']"]
    for key, doses_of_key in doses.items():
        lever = f"instruments.{key}.{INSTRUMENTS[key].dose}"
        arms += [f"{key} {dose:g}: ['instruments=[{key}]', '{lever}={dose:g}']" for dose in doses_of_key]
    return compare(*overrides, f"replicates={replicates}", f"study.arms={{{', '.join(arms)}}}", keep=keep)


def compare_with_nothing(overrides: Sequence[str], replicates: int, keep: Path | None, keys: Sequence[str]) -> WorldEffects:
    """Compare each instrument alone, at its default dose, with nothing."""
    arms = ", ".join(["nothing: ['instruments=[]']", *(f"{key}: ['instruments=[{key}]']" for key in keys)])
    comparison = compare(*overrides, f"replicates={replicates}", f"study.arms={{{arms}}}", keep=keep)
    defects = comparison.runs.pivot(index="replicate", columns="arm", values=HEADLINE)
    level = float(defects["nothing"].mean())
    return WorldEffects(level, pd.DataFrame({key: 100.0 * (defects[key] - defects["nothing"]) / level for key in keys}))


def override(name: str, value: Values) -> str:
    """Return what sets a parameter, as a user would type it."""
    return f"parameters.{name}=[{','.join(map(str, value))}]" if isinstance(value, tuple) else f"parameters.{name}={value}"


def simulate(
    overrides: Sequence[str],
    replicates: tuple[int, int],
    keep: Path,
    doses: Mapping[str, Sequence[float]],
    uncertain: Sequence[UncertainParameter],
) -> FlagshipResults:
    """Run both studies, with the first and the second number of replicates; runs in the folder `keep` are not repeated."""
    write(f"doses: {1 + sum(map(len, doses.values()))} arms, {replicates[0]} replicates")
    study = dose_study(overrides, replicates[0], keep, doses)
    default, ranges = compare_with_nothing(overrides, replicates[1], keep, list(doses)), []
    for parameter in uncertain:
        ends = (parameter.low, parameter.high)
        write(f"{parameter.name}: {' and '.join(map(value_text, ends))}, {replicates[1]} replicates")
        low, high = (compare_with_nothing([*overrides, override(parameter.name, end)], replicates[1], keep, list(doses)) for end in ends)
        ranges.append(RangeEffect(parameter, low, high))
    return FlagshipResults(study, default, ranges, doses)


def value_text(values: Values) -> str:
    """Write the value of a parameter; a tuple of equal numbers as one number."""
    numbers = values if isinstance(values, tuple) else (values,)
    return " / ".join(map(value, numbers if len(set(numbers)) > 1 else numbers[:1]))
