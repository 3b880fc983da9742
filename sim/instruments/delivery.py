"""Delivery: when an instrument acts, on whom, how many, and at whose cost.

An instrument is an *effect* (its own small file) times this *delivery* (the same for all).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from agents.streams import normal
from sim.attribution.quality_map import quality_map
from sim.month.propagation import outgoing_dpu
from sim.parameters import ParameterError, check_ranges, parameter
from sim.world import World

__all__ = ["TARGETING", "Delivery"]


# -- whom first --------------------------------------------------------------------------------
# A rule scores firms; the highest scores come first. A draw decides ties; it is the same in every
# month and under every policy (so that a larger reach includes all firms of a smaller one).


def _random(world: World) -> Floats:
    return np.zeros(world.firms.n)


def _by_map(world: World) -> Floats:
    """The quality map as chain heads see it: with a lasting error about each firm, which visits reduce."""
    firms, p = world.firms, world.parameters
    doubt = p.map_noise * (1.0 - firms.mapped) * normal(world.draw_lasting("doubt of the quality map", firms))
    return quality_map(world).by_firm * np.exp(doubt)


def _by_jury(world: World) -> Floats:
    """The best first, as a jury sees them: with a lasting error about each firm."""
    firms, p = world.firms, world.parameters
    doubt = p.jury_noise * normal(world.draw_lasting("doubt of the jury", firms))
    return -np.log(np.maximum(outgoing_dpu(world), 1e-9)) + doubt


def _largest(world: World) -> Floats:
    return world.firms.output


def _smallest(world: World) -> Floats:
    return -world.firms.output


TARGETING: dict[str, Callable[[World], Floats]] = {
    "random": _random,
    "worst_first": outgoing_dpu,
    "best_first": _by_jury,
    "quality_map": _by_map,
    "largest": _largest,
    "smallest": _smallest,
}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The levers that every instrument has."""

    key: ClassVar[str] = "delivery"

    start: int = parameter(1, 1, 10_000, "month", "a convention", "N", "month in which it begins")
    length: int | None = parameter(
        None, 0, 10_000, "months", "a convention; none means until the end of the run", "N", "months for which it runs"
    )
    ramp: int = parameter(1, 1, 1_000, "months", "assumption: all at once", "N", "months over which it grows to its full reach")
    reach: float = parameter(0.5, 0.0, 1.0, "share", "assumption", "N", "share of the eligible firms that it reaches")
    monthly_capacity: int | None = parameter(
        None, 0, 10_000_000, "firms/month", "assumption: no limit", "N", "firms it can take on in a month"
    )
    budget: float | None = parameter(
        None, 0.0, 1e15, "CNY", "assumption: no limit", "N", "largest amount that government may spend on it in total"
    )
    unit_cost: float = parameter(0.0, 0.0, 1e9, "CNY/firm", "assumption", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        1.0, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    sizes: tuple[str, ...] = field(
        default=SIZE_CLASSES, metadata={"unit": "1", "choices": SIZE_CLASSES, "meaning": "eligible size classes"}
    )
    targeting: str = field(
        default="random", metadata={"unit": "1", "choices": tuple(TARGETING), "meaning": "which firms it takes on first"}
    )

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        check_ranges(self, f"instruments.{self.key}.")
        object.__setattr__(self, "sizes", tuple(self.sizes))
        for lever, value, legal in (("targeting", (self.targeting,), TARGETING), ("sizes", self.sizes, SIZE_CLASSES)):
            wrong = [v for v in value if v not in legal]
            if wrong:
                where = f"instruments.{self.key}.{lever}"
                raise ParameterError(f"{where} is {wrong[0]!r}; it must be one of {', '.join(legal)}")

    def runs(self, month: int) -> bool:
        """Whether a month lies in its window."""
        return month >= self.start and (self.length is None or month < self.start + self.length)

    def grown(self, month: int, pace: float = 1.0) -> float:
        """Share of the full reach that the ramp allows in a month, at a multiple of its usual pace."""
        return min(1.0, (month - self.start + 1) * pace / self.ramp)
