"""Traceability of quality and safety (质量安全追溯)."""

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

__all__ = ["Traceability"]


@instrument("traceability", dose="records")
@dataclass(frozen=True, kw_only=True)
class Traceability(Instrument):
    """Firms record which lot came from whom and went to whom (质量安全追溯体系, 来源可查、去向可追、责任可究).

    Where both sides of a link keep records, more of the cost of poor quality is charged back to the firm that caused it; recalls of
    leaders that keep records are traced more often. This moves costs, so that firms feel the defects that others suffer. It does not
    reduce defects at once.

    Cost: government and firm share the one-off cost of the set-up; the firm bears the running cost, a share of its sales.
    Ends: the records.
    Stays: only what firms did in the meantime because they felt more of these costs.
    Practice: national and provincial plans ask for it in key products and give no figure. Effects and costs are assumptions.
    """

    label: ClassVar[str] = "traceability"
    label_zh: ClassVar[str] = "质量安全追溯"
    theme: ClassVar[Theme] = Theme.DATA
    hinges_on: ClassVar[str] = "instruments.traceability.records"
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.25, 0.5, 0.75, 1.0)
    counted: ClassVar[dict[str, str]] = {
        "links on record, months": "months in which both sides of a link kept records, summed over links",
    }

    unit_cost: float = parameter(20_000.0, 0.0, 1e9, "CNY/firm", "assumption: software and codes", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    records: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of its lots that can be traced in addition to what every firm traces"
    )
    running_cost: float = parameter(0.0005, 0.0, 1.0, "share of sales", "assumption", "N", "what it costs a firm to record all its lots")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` keeps the records."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Record this month's lots, at the firms' cost."""
        firms, links = world.firms, world.links
        world.lend("records", rows, self.records)
        cost = world.for_firms(rows, self.records * self.running_cost * monthly_sales(world)[rows])
        firms.prevention[:] += cost
        world.firms_pay("households", self.key, cost)
        recording = np.zeros(firms.n, dtype=np.bool_)
        recording[rows] = True
        both = recording[links.supplier] & recording[links.customer] & (links.delivered > 0)
        programme.counts["links on record, months"] += int(both.sum())
