"""Help between firms without a link (链间帮扶)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import take_after
from sim.parameters import parameter
from sim.sums import add_up
from sim.world import World

__all__ = ["MutualHelp", "example_of_the_county"]


def example_of_the_county(world: World) -> NDArray[np.float64]:
    """Mean management of the better firms of each county (those above its mean), shape (counties,); 0 where all are equal."""
    firms = world.firms
    management, county = firms.capability[:, MANAGEMENT], firms.county
    living = add_up(county, firms.alive)
    mean = add_up(county, management * firms.alive) / np.maximum(living, 1.0)
    better = firms.alive & (management > mean[county])
    return add_up(county, management * better) / np.maximum(add_up(county, better), 1.0)


@instrument("mutual_help", dose="pace")
@dataclass(frozen=True, kw_only=True)
class MutualHelp(Instrument):
    """Firms of a county meet, and the weaker ones learn from the better ones (链间帮扶, 专业镇, 帮扶一家、带动一片).

    They need no supply link and no chain in common: each firm taken on closes part of the gap between its management and the mean of the
    better firms of its county. Without the programme hardly anything spreads between such firms. They meet in groups because Iacovone et
    al. found that groups do as well as consulting firm by firm, at a third of the cost.

    Cost: government pays for the meetings.
    Ends: the meetings.
    Stays: what was learnt, which fades like all practice.
    Practice: 18 and 119 specialised towns in Shanxi (F182, F183). Pace and cost are assumptions.
    """

    label: ClassVar[str] = "mutual help between firms"
    label_zh: ClassVar[str] = "链间帮扶"
    theme: ClassVar[Theme] = Theme.OTHER
    treats: ClassVar[tuple[str, ...]] = ("management",)
    hinges_on: ClassVar[str] = "instruments.mutual_help.pace"
    doses_shown: ClassVar[tuple[float, ...]] = (0.03, 0.06, 0.12, 0.18, 0.25)
    counted: ClassVar[dict[str, str]] = {"firms at meetings": "firms that met with others, summed over months"}

    reach: float = parameter(0.2, 0.0, 1.0, "share", "assumption", "N", "share of the eligible firms that it reaches")
    pace: float = parameter(
        0.03,
        0.0,
        0.5,
        "1/month",
        "assumption: some 4 points of practices in a year, half of what Iacovone et al. found of groups with consultants",
        "N",
        "share of the gap to the better firms that a firm of full absorptive capacity closes",
    )
    meeting_cost: float = parameter(
        500.0, 0.0, 1e5, "CNY/month", "assumption: a third of a steward's visits", "N", "government's cost of the meetings, for each firm"
    )

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: firms meet in `act`."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pay for the meetings."""
        return np.full(reached.size, self.meeting_cost)

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Meet, and learn from the better firms of the county."""
        take_after(world, rows, example_of_the_county(world)[world.firms.county[rows]], self.pace)
        programme.counts["firms at meetings"] += int(rows.size)
