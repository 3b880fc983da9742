"""Joint standards of a chain (标准稳链)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.parameters import parameter
from sim.world import World

__all__ = ["Standards"]


@instrument("standards", dose="strength")
@dataclass(frozen=True, kw_only=True)
class Standards(Instrument):
    """Firms of a chain follow one standard for what they deliver to each other (标准化助力稳链, 对标达标, "湾区标准").

    A standard works where two firms meet: misfits become rarer on a link if both sides follow it, and a firm whose partners do not follow
    it has no benefit. So the effect grows roughly with the square of the reach.

    Cost: government and firm share the one-off cost of the change to the standard.
    Ends: the standard: firms no longer follow it.
    Stays: nothing.
    Practice: 7,850 firms in joint innovation of technology, patents and standards in Guangdong (F041), 215 Bay Area standards (F052), 154
    firms that met advanced standards in Jiaxing (F207). Effects are assumptions.
    """

    label: ClassVar[str] = "joint standards"
    label_zh: ClassVar[str] = "标准稳链, 对标达标, 湾区标准"
    theme: ClassVar[Theme] = Theme.CHAINS
    treats: ClassVar[tuple[str, ...]] = ("standards",)
    hinges_on: ClassVar[str] = "instruments.standards.strength"
    doses_shown: ClassVar[tuple[float, ...]] = (0.1, 0.3, 0.5, 0.75, 1.0)
    counted: ClassVar[dict[str, str]] = {"firms that met the standard": "firms that adopted the joint standard"}

    unit_cost: float = parameter(
        20_000.0,
        0.0,
        1e9,
        "CNY/firm",
        "assumption",
        "N",
        "one-off cost of a firm's change to the standard, its part of the drafting included",
    )
    government_share: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    strength: float = parameter(
        0.3,
        0.0,
        1.0,
        "share",
        "assumption",
        "N",
        "share of the interface defects of a link that the standard removes if both sides keep it",
    )

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: firms follow the standard month by month."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Follow the standard, and count the firms that have met it."""
        world.lend("joint_standard", rows, self.strength)
        programme.counts["firms that met the standard"] = int(programme.reached.size) + programme.gone
