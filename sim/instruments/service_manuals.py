"""Service manuals for firms and chains (一企一册)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.parameters import parameter
from sim.world import World

__all__ = ["ServiceManuals"]


@instrument("service_manuals", dose="uptake")
@dataclass(frozen=True, kw_only=True)
class ServiceManuals(Instrument):
    """A manual tells a firm which help it can get, so that policy reaches firms (一企一册, 一链一册, 一镇一册, 政策找企业).

    It only helps other programmes: while it runs, a share of the eligible firms beyond their reach takes part as well. Firms with a
    manual also get to know the existing service stations. A manual itself does not change the quality of any firm.

    Cost: government pays for the manuals.
    Ends: the additional uptake of other programmes; firms that already take part continue.
    Stays: what firms know of the existing stations.
    Practice: 16 manuals for chains and 18 for towns in Shanxi (F171, F184); what they achieve is an assumption.
    """

    label: ClassVar[str] = "service manuals"
    label_zh: ClassVar[str] = "一企一册"
    theme: ClassVar[Theme] = Theme.OTHER
    hinges_on: ClassVar[str] = "instruments.service_manuals.uptake"
    doses_shown: ClassVar[tuple[float, ...]] = (0.1, 0.25, 0.5, 0.75, 1.0)
    first: ClassVar[bool] = True
    counted: ClassVar[dict[str, str]] = {"manuals": "manuals written for firms"}

    uptake: float = parameter(
        0.1,
        0.0,
        1.0,
        "share",
        "assumption",
        "N",
        "share of the firms with a manual outside the reach of other programmes that take part as well",
    )
    unit_cost: float = parameter(2_000.0, 0.0, 1e9, "CNY/firm", "assumption: a day or two of work", "N", "one-off cost of a manual")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Inform firms about the existing stations, for good."""
        world.firms.knows_stations[chosen] = True

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Lend uptake to the firms with a manual."""
        world.lend("uptake", rows, self.uptake)
        programme.counts["manuals"] += int(programme.fresh.size)
