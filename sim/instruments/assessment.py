"""Assessment of county governments on their work for quality (质量考核激励)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.parameters import parameter
from sim.world import World

__all__ = ["Assessment"]


@instrument("assessment", dose="effort")
@dataclass(frozen=True, kw_only=True)
class Assessment(Instrument):
    """County governments are assessed on their work for quality, and deliver all programmes with more effort (质量考核激励, 真抓实干激励, 质量督察).

    In the assessed counties other programmes grow faster, take on firms faster, and reach a few more firms; this holds for the firms that
    the assessment itself has taken on. A county whose bonus the budget cannot pay makes no effort. The assessment only helps other
    programmes: it does not itself change the quality of any firm.

    Cost: government pays a bonus to each county.
    Ends: the effort and the additional uptake; firms that already take part continue.
    Stays: nothing of its own.
    Practice: in Chongqing quality has been among the targets of counties for 8 years (F232); what assessment achieves is an assumption.
    """

    label: ClassVar[str] = "quality assessment of counties"
    label_zh: ClassVar[str] = "质量考核激励"
    theme: ClassVar[Theme] = Theme.OVERSIGHT
    hinges_on: ClassVar[str] = "instruments.assessment.effort"
    doses_shown: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0, 2.0, 4.0)
    first: ClassVar[bool] = True
    budget_lever: ClassVar[str] = "share_of_counties"
    counted: ClassVar[dict[str, str]] = {
        "county-months assessed": "sum over counties of the months in which a county was assessed and got its bonus",
    }

    reach: float = parameter(1.0, 0.0, 1.0, "share", "assumption", "N", "share of the firms in the assessed counties that it reaches")
    effort: float = parameter(
        0.25,
        0.0,
        4.0,
        "1",
        "assumption",
        "N",
        "increase of the pace at which other programmes are delivered, as a multiple of the usual pace",
    )
    uptake: float = parameter(
        0.05, 0.0, 1.0, "share", "assumption", "N", "share of the firms outside the reach of other programmes that take part as well"
    )
    share_of_counties: float = parameter(
        1.0, 0.0, 1.0, "share", "F232: in Chongqing all counties", "D", "share of the counties that are assessed, drawn at random"
    )
    bonus: float = parameter(500_000.0, 0.0, 1e9, "CNY/year", "assumption", "N", "bonus for each assessed county")

    def assessed(self, world: World) -> NDArray[np.int64]:
        """Counties that are assessed, region by region in the order of their selection: a larger share includes all counties of a smaller one."""
        chosen = []
        for region, luck in enumerate(world.luck):
            counties = world.counties_of(region)
            order = counties[np.argsort(luck.uniform("which counties are assessed", 0, counties.size), kind="stable")]
            chosen.append(order[: int(np.floor(self.share_of_counties * counties.size + 1e-9))])
        return np.concatenate(chosen)

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Firms of the counties assessed."""
        return super().eligible(world) & np.isin(world.firms.county, self.assessed(world))

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: effort is lent month by month."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Pay the counties their bonuses as far as the budget goes, and lend their firms effort and uptake."""
        county, monthly = world.firms.county[rows], self.bonus / 12.0
        due = self.assessed(world)
        due = due[np.isin(due, county)]
        due = due[monthly * np.arange(1, due.size + 1) <= programme.left]
        served = rows[np.isin(county, due)]
        count = np.bincount(world.firms.county[served])
        programme.spend(world, "households", world.for_firms(served, monthly / count[world.firms.county[served]]))
        world.lend("effort", served, self.effort)
        world.lend("uptake", served, self.uptake)
        programme.counts["county-months assessed"] += int(due.size)
