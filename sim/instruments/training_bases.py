"""Quality-improvement training bases (质量提升培训基地)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.instruments.rota import in_turn
from sim.month.learning import teach
from sim.parameters import parameter
from sim.world import World

__all__ = ["TrainingBases"]


@instrument("training_bases", dose="days")
@dataclass(frozen=True, kw_only=True)
class TrainingBases(Instrument):
    """Firms send people to courses on quality management (质量提升培训基地, 先进质量管理方法培训).

    The firms taken on have their turns. A course raises management capability only, and every further day adds less.

    Cost: government and the firm share the price of the seats.
    Ends: the courses.
    Stays: what was learnt, which fades like all practice.
    Practice: 27 bases led by chain leaders in Guangdong (F029), 100 planned in China (F268), over 1,000 firms of Jiaxing in courses
    (F220). No dose-response of such courses is published: effects are assumptions.
    """

    label: ClassVar[str] = "training bases"
    label_zh: ClassVar[str] = "质量提升培训基地"
    theme: ClassVar[Theme] = Theme.FIRMS
    treats: ClassVar[tuple[str, ...]] = ("management",)
    hinges_on: ClassVar[str] = "instruments.training_bases.most"
    doses_shown: ClassVar[tuple[float, ...]] = (1.0, 2.0, 5.0, 10.0, 20.0)
    counted: ClassVar[dict[str, str]] = {"seats": "places in courses that firms used"}

    days: float = parameter(5.0, 0.0, 60.0, "days", "assumption", "N", "length of a course")
    trainees: int = parameter(2, 1, 1_000, "seats", "assumption", "N", "people that a firm sends to a course")
    every: int = parameter(12, 1, 120, "months", "assumption", "N", "months from one course of a firm to the next")
    most: float = parameter(
        0.15,
        0.0,
        1.0,
        "share",
        "assumption",
        "N",
        "largest share of the missing management capability that a course can add, however long it is",
    )
    scale: float = parameter(
        10.0, 0.1, 1_000.0, "days", "assumption", "N", "days after which one more day teaches 1/e of what the first day taught"
    )
    day_cost: float = parameter(500.0, 0.0, 1e5, "CNY/day", "assumption", "N", "price of a seat for a day")
    subsidy: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of that price that government bears; the firm bears the rest"
    )

    @property
    def course_cost(self) -> float:
        """Price of a firm's seats in one course, CNY."""
        return self.trainees * self.days * self.day_cost

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: a firm waits for its turn."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Government's part of the price of seats, for firms whose turn it is."""
        return np.where(in_turn(world, self.key, self.start, self.every)[reached], self.subsidy * self.course_cost, 0.0)

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Teach those whose turn it is, and let them pay their part."""
        there = rows[in_turn(world, self.key, self.start, self.every)[rows]]
        teach(world, there, MANAGEMENT, self.most * -np.expm1(-self.days / self.scale))
        own_part = world.for_firms(there, (1.0 - self.subsidy) * self.course_cost)
        world.firms.prevention[:] += own_part
        world.firms_pay("households", self.key, own_part)
        programme.counts["seats"] += self.trainees * int(there.size)
