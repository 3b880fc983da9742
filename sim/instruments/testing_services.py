"""Testing services (质检中心, 质量驿站)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import SIZE_CLASSES, TESTING
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import teach
from sim.parameters import parameter
from sim.world import World

__all__ = ["TestingServices"]


@instrument("testing_services", dose="tests")
@dataclass(frozen=True, kw_only=True)
class TestingServices(Instrument):
    """Laboratories test for firms nearby (质检中心, 质量驿站; 检不了, 检不准, 检不快).

    In a month with a test the firm's inspections cost less, reliability tests make part of its latent defects detectable (their number
    does not change), and its testing capability rises a little. The time that a firm waits for a test is not modelled.

    Cost: government pays for the tests.
    Ends: the tests, and with them cheaper inspection and the detection of latent defects.
    Stays: testing capability, which fades like all practice.
    Practice: 87 national and 233 provincial centres in Guangdong (F042, F043), 20 more planned in China (F261). In 2024 testing help
    reached 144,000 manufacturers and saved over 1.0 bn CNY, about 6,900 a firm, which is taken as the cost of a year's tests. Effects are
    assumptions.
    """

    label: ClassVar[str] = "testing services"
    label_zh: ClassVar[str] = "质检中心, 质量驿站"
    theme: ClassVar[Theme] = Theme.EXPERTS
    treats: ClassVar[tuple[str, ...]] = ("testing",)
    hinges_on: ClassVar[str] = "instruments.testing_services.reliability"
    doses_shown: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0, 2.0, 4.0)
    __test__ = False  # no test case, whatever its name
    counted: ClassVar[dict[str, str]] = {"tests": "tests made for firms"}

    sizes: tuple[str, ...] = field(
        default=("small", "medium"),
        metadata={
            "unit": "1",
            "choices": SIZE_CLASSES,
            "meaning": "eligible size classes; stations near by are for small and medium firms",
        },
    )
    tests: float = parameter(1.0, 0.0, 20.0, "tests/month", "assumption", "N", "tests for each firm of the programme")
    reliability: float = parameter(
        0.1, 0.0, 1.0, "share", "assumption", "N", "share of the firm's latent defects that one test a month makes detectable"
    )
    saving: float = parameter(0.1, 0.0, 1.0, "share", "assumption", "N", "share of the cost of its inspections that one test a month saves")
    lesson: float = parameter(
        0.01, 0.0, 1.0, "share", "assumption", "N", "share of the missing testing capability that a firm gains from a test"
    )
    test_cost: float = parameter(
        575.0,
        0.0,
        1e6,
        "CNY/test",
        "assumption: as much as testing help of 2024 saved firms in China, over 1.0 bn CNY for 144,000 of them, at one test a month",
        "N",
        "government's cost of a test",
    )

    def number(self, world: World, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Tests of these firms this month: whole numbers, `tests` on average, shape of `rows`."""
        return np.floor(self.tests + world.draw("a test for a firm", world.firms)[rows])

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` tests."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pay for the month's tests."""
        return self.number(world, reached) * self.test_cost

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Test: each further test of the month acts on what the earlier ones left."""
        number = self.number(world, rows)
        world.lend("latent_found", rows, 1.0 - (1.0 - self.reliability) ** number)
        world.lend("inspection_saved", rows, 1.0 - (1.0 - self.saving) ** number)
        teach(world, rows, TESTING, 1.0 - (1.0 - self.lesson) ** number)
        programme.counts["tests"] += int(number.sum())
