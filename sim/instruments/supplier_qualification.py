"""Qualification of suppliers (合格供应商评定)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.parameters import parameter
from sim.world import World

__all__ = ["SupplierQualification"]


@instrument("supplier_qualification", dose="audits")
@dataclass(frozen=True, kw_only=True)
class SupplierQualification(Instrument):
    """Customers audit their suppliers and demand more from them (合格供应商评定, 共同质量管理体系).

    The firms taken on are customers. Their audits show defects that pass incoming inspection and would not be noticed on the production
    line. They also accept fewer defects, so that more suppliers come on the development list, learn faster or are replaced. The defects
    of suppliers do not change at once.

    Cost: the customers pay for audits and for the development list.
    Ends: the audits and the stricter limit.
    Stays: new relations, and what suppliers on the list have learnt, which fades like all practice.
    Practice: the national opinion names the assessment of suppliers (I051), without a number. Effects and costs are assumptions.
    """

    label: ClassVar[str] = "supplier qualification"
    label_zh: ClassVar[str] = "合格供应商评定"
    theme: ClassVar[Theme] = Theme.CHAINS
    hinges_on: ClassVar[str] = "instruments.supplier_qualification.strictness"
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.25, 0.5, 0.75, 1.0)
    counted: ClassVar[dict[str, str]] = {"suppliers audited, months": "months in which a customer audited a supplier, summed over links"}

    audits: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "of the defects that would not show on the customer's line, the share that audits show"
    )
    strictness: float = parameter(
        0.2,
        0.0,
        1.0,
        "share",
        "assumption",
        "N",
        "share by which a customer lowers the bar: the rating above which a supplier is put on the development list",
    )
    audit_cost: float = parameter(
        0.002, 0.0, 1.0, "CNY/CNY", "assumption: a fifth of the development list", "N",
        "what audits cost the customer if they show everything, per CNY delivered",
    )  # fmt: skip

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Firms that buy."""
        return super().eligible(world) & (world.by_customer(world.links.value_share) > 0)

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` audits."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Audit, and apply the stricter limit for this month."""
        firms, delivered = world.firms, world.links.delivered
        world.lend("audits", rows, self.audits)
        world.lend("strictness", rows, self.strictness)
        cost = world.for_firms(rows, self.audits * self.audit_cost * world.by_customer(delivered)[rows])
        firms.prevention[:] += cost
        world.firms_pay("households", self.key, cost)
        programme.counts["suppliers audited, months"] += int(world.by_customer(delivered > 0)[rows].sum())
