"""Metrology partners (计量伙伴计划)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import METROLOGY, SIZE_CLASSES
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import teach
from sim.parameters import parameter
from sim.world import World

__all__ = ["Metrology"]


@instrument("metrology", dose="lesson")
@dataclass(frozen=True, kw_only=True)
class Metrology(Instrument):
    """Metrology institutes calibrate with firms month by month (产业计量测试中心, 中小企业计量伙伴计划).

    Calibrated gauges, and people who know how to use them, raise the metrology capability: inspections miss fewer defects and reject
    fewer good parts, and problems of measurement are rarer.

    Cost: government pays the partners.
    Ends: the calibrations.
    Stays: the capability, which fades like all practice.
    Practice: 50 national centres of industrial metrology planned (F258), 8 approved in Shandong (F091). Effects are assumptions.
    """

    label: ClassVar[str] = "metrology partnerships"
    label_zh: ClassVar[str] = "产业计量, 中小企业计量伙伴计划"
    theme: ClassVar[Theme] = Theme.EXPERTS
    treats: ClassVar[tuple[str, ...]] = ("metrology",)
    hinges_on: ClassVar[str] = "instruments.metrology.lesson"
    #: Full dose: a fifth of what is missing, each month.
    doses_shown: ClassVar[tuple[float, ...]] = (0.01, 0.02, 0.05, 0.1, 0.2)
    counted: ClassVar[dict[str, str]] = {"calibrations": "months in which a firm calibrated with its partner, summed over firms"}

    sizes: tuple[str, ...] = field(
        default=("small", "medium"),
        metadata={"unit": "1", "choices": SIZE_CLASSES, "meaning": "eligible size classes; the plan is for small and medium firms"},
    )
    lesson: float = parameter(
        0.02,
        0.0,
        1.0,
        "1/month",
        "assumption",
        "N",
        "share of the missing metrology capability that a firm gains in a month with a partner",
    )
    partner_cost: float = parameter(500.0, 0.0, 1e6, "CNY/month", "assumption", "N", "government's cost of a partner for a firm")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` calibrates."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pay the partners."""
        return np.full(reached.size, self.partner_cost)

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Calibrate, and raise the metrology capability."""
        teach(world, rows, METROLOGY, self.lesson)
        programme.counts["calibrations"] += int(rows.size)
