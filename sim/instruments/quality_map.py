"""Visits for the quality map (质量图谱)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.instruments.rota import in_turn
from sim.parameters import parameter
from sim.world import World

__all__ = ["QualityMapping"]


@instrument("quality_map", dose="accuracy")
@dataclass(frozen=True, kw_only=True)
class QualityMapping(Instrument):
    """Experts visit firms and map where the defects of a chain begin (产业链质量图谱, 问题清单).

    A visit removes part of the chain head's doubt about the firm. Chains change, so the doubt grows again until the next visit. The map
    itself improves no firm: it helps other programmes that use it (`targeting: quality_map`) to choose which firms they take on first.

    Cost: government pays for the visits.
    Ends: the map: all doubt comes back at once when nobody keeps it up to date.
    Stays: only the choice of firms that other programmes made by it.
    Practice: over 3,000 visits and 1,417 problems found in Jiangsu (F012, F014), 28 maps in Liaoning (F105). Effects are assumptions.
    """

    label: ClassVar[str] = "quality maps"
    label_zh: ClassVar[str] = "质量图谱, 问题清单"
    theme: ClassVar[Theme] = Theme.DATA
    hinges_on: ClassVar[str] = "parameters.map_noise"
    doses_shown: ClassVar[tuple[float, ...]] = (0.1, 0.3, 0.5, 0.7, 1.0)
    first: ClassVar[bool] = True
    counted: ClassVar[dict[str, str]] = {"visits": "visits of experts for the map"}

    accuracy: float = parameter(0.7, 0.0, 1.0, "share", "assumption", "N", "share of the doubt about a firm that a visit removes")
    every: int = parameter(12, 1, 120, "months", "assumption: once a year", "N", "months from one visit to the next")
    fading: float = parameter(0.03, 0.0, 0.5, "1/month", "assumption", "N", "share of the removed doubt that comes back in a month")
    visit_cost: float = parameter(1_500.0, 0.0, 1e6, "CNY/visit", "assumption: a day of an expert", "N", "government's cost of a visit")

    def due(self, world: World, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these firms are to be visited this month: those whose turn it is, and those not visited so far; shape of `rows`."""
        never = world.firms.mapped[rows] == 0.0
        return never | in_turn(world, self.key, self.start, self.every)[rows]

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` makes the visits."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pay for the month's visits."""
        return np.where(self.due(world, reached), self.visit_cost, 0.0)

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Let doubt come back, and visit."""
        mapped, visited = world.firms.mapped, rows[self.due(world, rows)]
        mapped[programme.reached] *= 1.0 - self.fading
        mapped[visited] = np.maximum(mapped[visited], self.accuracy)
        programme.counts["visits"] += int(visited.size)

    def release(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """End the map of these firms: all doubt is back."""
        world.firms.mapped[rows] = 0.0
