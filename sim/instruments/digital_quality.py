"""Digital quality management (质量管理数字化)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.orders import monthly_sales
from sim.parameters import parameter
from sim.world import World

__all__ = ["DigitalQuality"]


@instrument("digital_quality", dose="depth")
@dataclass(frozen=True, kw_only=True)
class DigitalQuality(Instrument):
    """Firms put the data of their quality management on a platform (质量管理数字化, 质量大数据平台).

    While they do, their ratings of suppliers are more up to date, inspections cost less, they see more of their cost of poor quality, and
    part of their lots can be traced (where the partner keeps records, too). Data alone improve no process.

    Cost: government and firm share the one-off cost of the set-up; the firm bears the running cost, a share of its sales.
    Ends: the platform, and all that it gave.
    Stays: only what firms did in the meantime because they knew more.
    Practice: 22 firms in pilots in Jiangsu (F020), a platform that reaches 2,100 firms in Shaanxi (F136). All effects except that on
    inspection are assumptions.
    """

    label: ClassVar[str] = "digital quality management"
    label_zh: ClassVar[str] = "质量管理数字化"
    theme: ClassVar[Theme] = Theme.DATA
    hinges_on: ClassVar[str] = "instruments.digital_quality.insight"
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.25, 0.5, 0.75, 1.0)
    counted: ClassVar[dict[str, str]] = {"months on the platform": "months in which a firm shared its data, summed over firms"}

    reach: float = parameter(0.1, 0.0, 1.0, "share", "assumption", "N", "share of the eligible firms that it reaches")
    unit_cost: float = parameter(50_000.0, 0.0, 1e9, "CNY/firm", "assumption", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    depth: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "how fully a firm uses the platform; multiplies all its effects below"
    )
    live_data: float = parameter(0.8, 0.0, 1.0, "share", "assumption", "N", "share of the delay of its ratings that shared data remove")
    inspection_saved: float = parameter(
        0.15, 0.0, 1.0, "share", "F166: inspection 18 % more efficient, one firm", "D", "share of the cost of an inspection that it saves"
    )
    insight: float = parameter(
        0.3, 0.0, 1.0, "share", "assumption", "N", "share of its hidden cost of poor quality that early warnings show to the firm"
    )
    records: float = parameter(
        0.3, 0.0, 1.0, "share", "assumption", "N", "share of its lots that can be traced in addition to what every firm traces"
    )
    running_cost: float = parameter(
        0.001, 0.0, 1.0, "share of sales", "assumption", "N", "what the platform costs a firm that uses it fully"
    )

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` shares the data."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Share data for this month, at the firms' cost."""
        for column in ("live_data", "inspection_saved", "insight", "records"):
            world.lend(column, rows, self.depth * getattr(self, column))
        cost = world.for_firms(rows, self.depth * self.running_cost * monthly_sales(world)[rows])
        world.firms.prevention[:] += cost
        world.firms_pay("households", self.key, cost)
        programme.counts["months on the platform"] += rows.size
