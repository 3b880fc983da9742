"""Quality marks (品字标)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.propagation import outgoing_dpu
from sim.parameters import parameter
from sim.sums import add_up
from sim.world import World

__all__ = ["Brands"]


@instrument("brands", dose="mark")
@dataclass(frozen=True, kw_only=True)
class Brands(Instrument):
    """Firms of high quality may carry a quality mark, which users and customers see (品字标, 好品山东, 山西精品).

    To get it, a firm must have no more defects than the mean of its sector times `bar`, and no failed sample in the last `clean_months`.
    A firm that fails a sample is without the mark for that time. The mark of a leader is attractive to users and moves demand from its
    rivals to it. A mark also removes part of other firms' doubt about a firm's quality, so that it is more likely to be chosen as a
    supplier. The mark itself changes no defects.

    Cost: government and firm share the one-off cost of tests and an audit; the firm pays a fee every month while it carries the mark.
    Ends: the mark, and its effect on users and customers.
    Stays: supply relations that began while the firm had the mark; demand goes back.
    Practice: 102 new firms in Jiaxing (F225), a pool of 32,000 brands in Shandong (F085). Effects and costs are assumptions.
    """

    label: ClassVar[str] = "quality marks"
    label_zh: ClassVar[str] = "品字标"
    theme: ClassVar[Theme] = Theme.OTHER
    hinges_on: ClassVar[str] = "instruments.brands.mark"
    doses_shown: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.3, 0.4)
    counted: ClassVar[dict[str, str]] = {"months with a mark": "months in which a firm carried the mark, summed over firms"}

    reach: float = parameter(
        0.1, 0.0, 1.0, "share", "assumption: few firms get the mark", "N", "share of the eligible firms that it reaches"
    )
    mark: float = parameter(
        0.05, 0.0, 1.0, "ln", "assumption: 5 % more demand if rivals stay the same", "N", "appeal of a leader's mark to users"
    )
    visible: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption: as much as a certificate", "N", "share of others' doubt about its quality that a mark removes"
    )
    bar: float = parameter(
        1.0, 0.0, 10.0, "1", "assumption", "N", "most defects that a marked product may have, as a multiple of its sector's mean"
    )
    clean_months: int = parameter(24, 0, 240, "months", "assumption: as long as the regulator remembers", "N",
                                  "months without a failed sample that a firm needs for the mark")  # fmt: skip
    unit_cost: float = parameter(30_000.0, 0.0, 1e9, "CNY/firm", "assumption: tests and an audit", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    fee: float = parameter(1_000.0, 0.0, 1e6, "CNY/month", "assumption", "N", "what a firm pays for carrying the mark")

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Firms above the threshold."""
        firms, sectors = world.firms, len(world.network.sectors)
        living = add_up(firms.sector, firms.alive, sectors)
        mean = add_up(firms.sector, outgoing_dpu(world) * firms.alive, sectors) / np.maximum(living, 1.0)
        return super().eligible(world) & (outgoing_dpu(world) <= self.bar * mean[firms.sector]) & self._clean(world)

    def _clean(self, world: World) -> NDArray[np.bool_]:
        return world.month - world.firms.failed_month > self.clean_months

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: the mark is lent month by month."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Lend the mark, for a fee, to firms without a recent failed sample."""
        firms = world.firms
        bears = rows[self._clean(world)[rows]]
        world.lend("mark", bears[firms.is_leader[bears]], self.mark)
        world.lend("visible", bears, self.visible)
        firms.prevention[bears] += self.fee
        world.firms_pay("households", f"{self.key}: fees", world.for_firms(bears, self.fee))
        programme.counts["months with a mark"] += int(bears.size)
