"""Strong-chain loans (强链贷)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.lender import STRONG_CHAIN
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.orders import monthly_sales
from sim.parameters import parameter
from sim.world import World

__all__ = ["StrongChainLoans", "credit_score", "orders_of_leaders"]


def orders_of_leaders(world: World, tiers: int) -> NDArray[np.float64]:
    """Orders to each firm from customers that are fewer than `tiers` tiers away from a chain leader, CNY a month, shape (n,).

    With one tier, the orders of the leaders alone.
    """
    firms, links = world.firms, world.links
    near = (firms.tier >= 0) & (firms.tier < tiers)
    return world.by_supplier(links.ordered * near[links.customer])


def credit_score(world: World, weight: float) -> NDArray[np.float64]:
    """Quality credit score in [0, 1], shape (n,): signals of quality, and standing as a debtor.

    Quality has the weight that is given: a third each for a certificate, an officer, and no recent
    failed sample. The rest is cash in months of sales: 0.5 without cash, less if it is below 0.
    """
    firms, p = world.firms, world.parameters
    clean = world.month - firms.failed_month > p.risk_months
    quality = (firms.certified.astype(float) + firms.cqo + clean) / 3.0
    sales = monthly_sales(world)
    standing = np.clip(0.5 + 0.5 * np.divide(firms.cash, sales, out=np.zeros(firms.n), where=sales > 0), 0.0, 1.0)
    return weight * quality + (1.0 - weight) * standing


@instrument("strong_chain_loans", dose="reach")
@dataclass(frozen=True, kw_only=True)
class StrongChainLoans(Instrument):
    """Member firms get credit lines on the basis of their leaders' orders (质量强链贷, "强链贷").

    A line is a share of a year's orders by leaders (and by firms near them), up to a ceiling. A firm draws on it only for an investment
    in quality that it wants, that its cash does not cover, and that no bank finances (or that would not pay at a bank's rate). A firm
    that is not limited by credit never draws on it. With a guarantee banks accept that share of the loans that they would refuse, and
    with a discount on the interest a few more investments pay.

    Cost: government bears the discount, and the guaranteed share of what lenders lose, as far as its budget goes; the firm repays with
    interest.
    Ends: lines, discount and guarantee.
    Stays: the loans until they are repaid, and what they paid for.
    Practice: Dangtu gave 4 chain firms lines of 0.1 bn CNY in all (F063, F064). Effects are assumptions.
    """

    label: ClassVar[str] = "strong-chain loans"
    label_zh: ClassVar[str] = "强链贷"
    theme: ClassVar[Theme] = Theme.CHAINS
    hinges_on: ClassVar[str] = "parameters.approval"
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.25, 0.5, 0.75, 1.0)
    support_to: ClassVar[str] = "lenders"
    counted: ClassVar[dict[str, str]] = {"loans": "strong-chain loans granted", "CNY lent": "CNY of these loans"}

    line_share: float = parameter(0.1, 0.0, 1.0, "share", "assumption", "N", "credit line, as a share of the orders of leaders in a year")
    tiers: int = parameter(
        2, 1, 20, "tiers", "assumption", "N", "tiers of customers whose orders count: 1 is leaders only, 2 adds tier 1, …"
    )
    ceiling: float = parameter(25e6, 0.0, 1e12, "CNY/firm", "F064/F063: 0.1 bn CNY over 4 firms", "D", "largest credit line")
    guarantee: float = parameter(
        0.5,
        0.0,
        1.0,
        "share",
        "assumption",
        "N",
        "share of lenders' losses that government bears; banks then accept this share of the loans that they would refuse",
    )
    discount: float = parameter(0.01, 0.0, 0.5, "share/year", "assumption", "N", "discount on the interest that government bears")
    score_least: float = parameter(0.5, 0.0, 1.0, "1", "assumption", "N", "quality credit score that a firm needs")
    score_weight: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "weight of quality in the score; the rest is how well the firm can pay its debts"
    )

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Firms with orders from leaders and a score that is high enough; not the leaders themselves."""
        fits = (orders_of_leaders(world, self.tiers) > 0) & (credit_score(world, self.score_weight) >= self.score_least)
        return super().eligible(world) & fits & ~world.firms.is_leader

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `supported` sets the line and renews it every month."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """The discount on the interest of loans outstanding."""
        firms = world.firms
        return np.minimum(self.discount, world.lenders.rate[firms.region[reached]]) * firms.programme_debt[reached] / 12.0

    def supported(self, world: World, reached: NDArray[np.int64], paid: NDArray[np.bool_]) -> None:
        """Renew the lines by the orders and scores of the month; where the budget is not enough there is no discount."""
        firms = world.firms
        line = np.minimum(self.line_share * 12.0 * orders_of_leaders(world, self.tiers)[reached], self.ceiling)
        sound = credit_score(world, self.score_weight)[reached] >= self.score_least
        firms.programme_line[reached] = np.where(sound, line, 0.0)
        firms.guaranteed[reached] = self.guarantee
        firms.rate_discount[reached] = np.where(paid, self.discount, 0.0)
        firms.interest_borne[reached] = np.where(paid, self.support(world, reached), 0.0)

    def losses(self, world: World, programme: Account, rows: NDArray[np.int64], lost: NDArray[np.float64]) -> None:
        """Pay the guaranteed share of what lenders lose, in the order of `rows`, as far as the budget goes."""
        owed = self.guarantee * lost
        so_far = np.cumsum(owed)
        paid = np.clip(programme.left - (so_far - owed), 0.0, owed) if np.isfinite(programme.left) else owed
        programme.spend(world, "lenders", world.for_firms(rows, paid))

    def tally(self, world: World, programme: Account) -> None:
        """Count the loans that lenders have granted on the lines."""
        programme.count_on("loans", int(world.lenders.number[programme.region, STRONG_CHAIN]))
        programme.count_on("CNY lent", round(float(world.lenders.granted[programme.region, STRONG_CHAIN])))

    def release(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """End lines, discounts and guarantees; existing debt remains."""
        for column in ("programme_line", "guaranteed", "rate_discount", "interest_borne"):
            getattr(world.firms, column)[rows] = 0.0
