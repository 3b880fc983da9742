"""Supplier development by chain leaders (链主赋能)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import lessons_at, take_lessons
from sim.parameters import parameter
from sim.world import World

__all__ = ["SupplierDevelopment"]


@instrument("supplier_development", dose="pace")
@dataclass(frozen=True, kw_only=True)
class SupplierDevelopment(Instrument):
    """Leaders pass their quality practice on to suppliers, tier by tier (链主赋能, 供应链质量赋能"134N", "5全5数").

    Suppliers join at once. Teams come to the direct suppliers of the leaders first, and to one tier more after every `cascade` months.
    The teams belong to customers that are nearer to the leaders; month by month they close part of the gap between the customer's
    practice and the supplier's. Half of a lesson (`parameters.relation_share`) improves only what goes to the customer that taught it:
    Dyer & Hatch (2006). A supplier whose customers are no better than itself learns nothing.

    Cost: the customers that teach pay their teams.
    Ends: the lessons.
    Stays: what was learnt, which fades like all practice; the part for one customer ends with that relation.
    Practice: over 5,000 suppliers adopted leaders' models in Guangdong (F037), 146 followed Jingwei (F167), CATL has its "134N" (F067).
    Pace and cost are assumptions.
    """

    label: ClassVar[str] = "supplier development by leaders"
    label_zh: ClassVar[str] = "链主赋能"
    theme: ClassVar[Theme] = Theme.CHAINS
    treats: ClassVar[tuple[str, ...]] = ("management",)
    hinges_on: ClassVar[str] = "instruments.supplier_development.pace"
    doses_shown: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.5, 1.0)
    counted: ClassVar[dict[str, str]] = {"lessons": "months in which a customer taught a supplier, summed over suppliers"}

    reach: float = parameter(
        0.03, 0.0, 1.0, "share", "F037/F049: models passed to 5,000 suppliers, of at least 164,000 firms of the chains", "D",
        "share of the eligible firms that it reaches",
    )  # fmt: skip
    pace: float = parameter(
        0.1,
        0.0,
        1.0,
        "1/month",
        "assumption",
        "N",
        "pace at which a supplier closes the gap to a customer's practice, if all its sales go to this customer",
    )
    tiers: int = parameter(3, 1, 20, "tiers", "assumption", "N", "tiers of suppliers that take part, counted from the leaders")
    cascade: int = parameter(12, 0, 240, "months", "assumption: a year", "N", "months after which teams come to the next tier")
    team_cost: float = parameter(
        0.01,
        0.0,
        1.0,
        "CNY/CNY",
        "assumption: that of the development list",
        "N",
        "what it costs a customer to teach a supplier, per CNY that the supplier delivers",
    )

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Suppliers up to some tiers away from a leader."""
        tier = world.firms.tier
        return super().eligible(world) & (tier >= 1) & (tier <= self.tiers)

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` gives the lessons."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Teach: customers nearer to the leaders teach those of their suppliers that teams have come to."""
        firms, links = world.firms, world.links
        helped = np.zeros(firms.n, dtype=np.bool_)
        helped[rows] = True
        helped &= (firms.tier - 1) * self.cascade <= world.month - self.start
        tier = firms.tier[links.customer]
        taught = helped[links.supplier] & (tier >= 0) & (tier < firms.tier[links.supplier])
        lesson = np.where(taught, lessons_at(world, self.pace), 0.0)
        # Lessons of many customers at once cannot lift a firm above full capability.
        firms.capability[:, MANAGEMENT] = np.minimum(firms.capability[:, MANAGEMENT] + take_lessons(world, lesson), 1.0)
        cost = self.team_cost * world.by_customer(links.delivered * (lesson > 0))
        firms.prevention[:] += cost
        world.firms_pay("households", self.key, cost)
        programme.counts["lessons"] += int((lesson > 0).sum())
