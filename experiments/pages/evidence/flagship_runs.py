"""What is simulated for the page of the flagship instruments: doses, and the worlds at the ends of ten uncertain parameters' ranges."""

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
from experiments.pages.evidence.mean_effects import Effect, mean_effect
from experiments.terminal import say
from sim import INSTRUMENTS
from sim.outcomes import HEADLINE

__all__ = [
    "DOSES",
    "UNCERTAIN",
    "WORDS",
    "Found",
    "Swing",
    "Uncertain",
    "World",
    "dose_study",
    "shown",
    "simulate",
    "typed",
    "world",
]

Values = float | tuple[float, ...]

WORDS = ("region=liaoning", "months=60", "by=[]")
#: Doses by instrument, from nothing to well above the default; a reach cannot exceed 1.
DOSES = {
    "cqo": (0.0, 0.125, 0.25, 0.5, 1.0),
    "one_stop_stations": (0.0, 1.0, 2.0, 4.0, 8.0),
    "strong_chain_loans": (0.0, 0.125, 0.25, 0.5, 1.0),
}


@dataclass(frozen=True)
class Uncertain:
    """A parameter without a source, the ends of what it is taken to be, and what of the instruments it governs."""

    name: str
    low: Values
    high: Values
    why: str


#: The share of latent defects first, always: it is the most influential. A range is the one that the calibration
#: searches (experiments/configuration/searched_ranges.csv); of what is not searched it goes from half of the default to its double, within
#: what is legal.
UNCERTAIN = (
    Uncertain("latent_share", 0.02, 0.12, "λ: defects that no inspection finds on their way to users"),
    Uncertain("cqo_solving", 0.0, 1.0, "what an officer adds to the solving of problems"),
    Uncertain("cqo_visibility", 0.45, 1.0, "what an officer sees of the cost of poor quality"),
    Uncertain("service_learning", 0.0, 0.06, "what a station leaves behind besides the problem solved"),
    Uncertain("approval", (0.1, 0.25, 0.45), (0.4, 1.0, 1.0), "rationing of credit, without which a loan adds nothing"),
    Uncertain("problem_rate", (0.04,) * 4, (0.16,) * 4, "how many problems there are to be solved"),
    Uncertain("severity", 0.015, 0.05, "what a problem solved is worth in defects"),
    Uncertain("management_effect", 1.6, 3.4, "what a capability gained is worth in defects"),
    Uncertain("spillover", 0.001, 0.012, "how much of it goes on to suppliers"),
    Uncertain("practice_decay", 0.0025, 0.0065, "how long it lasts"),
)


# -- what is simulated ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Effects of each instrument alone in one world: in % of the level without programme, a row a replicate, a column an instrument."""

    level: float
    each: pd.DataFrame

    def effect(self, key: str) -> Effect:
        """Return the mean effect of an instrument with its 95 % interval."""
        return mean_effect(self.each[key])


@dataclass(frozen=True)
class Swing:
    """The worlds at both ends of a parameter's range."""

    of: Uncertain
    low: World
    high: World

    def apart(self, key: str) -> NDArray[np.float64]:
        """By how much the effects of an instrument differ between the ends: percentage points, replicate by replicate."""
        return np.asarray((self.high.each[key] - self.low.each[key]).dropna(), dtype=np.float64)


@dataclass(frozen=True)
class Found:
    """All that the page tells: effects against doses, effects in the default world, and at the ends of each parameter's range."""

    doses: Comparison
    default: World
    swings: Sequence[Swing]
    given: Mapping[str, Sequence[float]] = field(default_factory=lambda: DOSES)

    @cached_property
    def p(self) -> dict[tuple[str, str], float]:
        """By parameter and instrument, how likely effects differ so between the ends by chance: Holm's, over all of them."""
        at = [(swing.of.name, key) for swing in self.swings for key in self.given]
        raw = [float(p_values(swing.apart(key))) for swing in self.swings for key in self.given]
        return dict(zip(at, adjusted_p_values(raw).tolist(), strict=True))

    def dose_effect(self, key: str, dose: float, outcome: str = HEADLINE) -> Effect:
        """Return the effect of a dose in % of the level without programme, with its paired 95 % interval."""
        row = self.doses.effect(f"{key} {dose:g}", outcome)
        middle, low, high = (100.0 * float(row[f"effect_share{end}"]) for end in ("", "_low", "_high"))
        return middle, low, high


def dose_study(words: Sequence[str], replicates: int, keep: Path | None, doses: Mapping[str, Sequence[float]] = DOSES) -> Comparison:
    """Compare all doses of all instruments with nothing, on the same luck."""
    arms = ["nothing: ['instruments=[]']"]
    for key, given in doses.items():
        lever = f"instruments.{key}.{INSTRUMENTS[key].dose}"
        arms += [f"{key} {dose:g}: ['instruments=[{key}]', '{lever}={dose:g}']" for dose in given]
    return compare(*words, f"replicates={replicates}", f"study.arms={{{', '.join(arms)}}}", keep=keep)


def world(words: Sequence[str], replicates: int, keep: Path | None, keys: Sequence[str]) -> World:
    """Compare each instrument alone, at its default dose, with nothing."""
    arms = ", ".join(["nothing: ['instruments=[]']", *(f"{key}: ['instruments=[{key}]']" for key in keys)])
    found = compare(*words, f"replicates={replicates}", f"study.arms={{{arms}}}", keep=keep)
    value = found.runs.pivot(index="replicate", columns="arm", values=HEADLINE)
    level = float(value["nothing"].mean())
    return World(level, pd.DataFrame({key: 100.0 * (value[key] - value["nothing"]) / level for key in keys}))


def typed(name: str, value: Values) -> str:
    """Write a parameter as one would type it."""
    return f"parameters.{name}=[{','.join(map(str, value))}]" if isinstance(value, tuple) else f"parameters.{name}={value}"


def simulate(
    words: Sequence[str], replicates: tuple[int, int], keep: Path, doses: Mapping[str, Sequence[float]], uncertain: Sequence[Uncertain]
) -> Found:
    """Run both studies, the first and the second of `replicates` many; runs in the folder `keep` are not repeated."""
    say(f"doses: {1 + sum(map(len, doses.values()))} arms, {replicates[0]} replicates")
    first = dose_study(words, replicates[0], keep, doses)
    default, swings = world(words, replicates[1], keep, list(doses)), []
    for one in uncertain:
        say(f"{one.name}: {shown(one.low)} and {shown(one.high)}, {replicates[1]} replicates")
        low, high = (world([*words, typed(one.name, value)], replicates[1], keep, list(doses)) for value in (one.low, one.high))
        swings.append(Swing(one, low, high))
    return Found(first, default, swings, doses)


def shown(value: Values) -> str:
    """Write a value; a tuple of equal ones as one."""
    several = tuple(dict.fromkeys(value)) if isinstance(value, tuple) else (value,)
    return " / ".join(f"{one:g}" for one in (several if len(several) == 1 or not isinstance(value, tuple) else value))
