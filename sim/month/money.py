"""Money: sales, materials, wages, the cost of quality, interest, dividends; prices.

Every payment has a payer and a payee (`sim.accounts.accounts`). Prices are cost-plus at the mean cost of quality
of the class: the savings of a whole class go to its customers, and what one firm saves beyond the mean is its profit.
Trade with the outside world balances, and stations, lenders and government pay what they receive on to households.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from agents.lender import ORDINARY
from agents.streams import normal
from sim.month.credit import grant, serve_debts
from sim.month.orders import monthly_sales
from sim.month.quality_cost import borne
from sim.network.fixed_points import fixed_point
from sim.sums import add_up
from sim.world import World

__all__ = ["balance_others", "material_cost", "open_accounts", "price_class", "set_prices", "settle_accounts"]

#: Months over which a class's mean cost of quality is smoothed in its price.
PRICE_MONTHS = 12.0


def material_cost(world: World) -> Floats:
    """Cost of materials from the network per unit of output at present prices, shape (n,)."""
    links = world.links
    return world.by_customer(links.value_share * world.firms.price[links.supplier])


def price_class(world: World) -> NDArray[np.int64]:
    """Price class of each firm, shape (n,): its size class in its region, with separate classes for leaders and members."""
    firms, sizes = world.firms, len(SIZE_CLASSES)
    return firms.size_class + sizes * firms.is_leader + 2 * sizes * firms.region.astype(np.int64)


def quality_cost_by_class(world: World) -> Floats:
    """Mean quality cost of each price class per unit of output, CNY/CNY; 0 where a class makes nothing."""
    firms, n = world.firms, world.classes.n
    cost = add_up(price_class(world), firms.prevention + firms.appraisal + borne(world), n)
    output = add_up(price_class(world), firms.output, n)
    return np.maximum(np.divide(cost, output, out=np.zeros(n), where=output > 0), 0.0)


def set_prices(world: World) -> None:
    """Set next month's prices: materials at this month's, own unit cost, the class's mean quality cost, and the margin.

    ``p_i = Σ_j a_ji · p_j + c_i + quality_class + margin``. Prices converge wherever orders do, because
    each round adds value.
    """
    firms, p = world.firms, world.parameters
    firms.goods_cost = material_cost(world) + firms.unit_cost
    firms.price = firms.goods_cost + world.classes.quality_cost[price_class(world)] + p.margin


def open_accounts(world: World) -> None:
    """Give firms their prices, cash, debts and about half a month's materials at the start, all booked.

    A firm's own unit cost is the price of 1 less materials, the quality cost of its class and the
    margin, but at least `least_cost`. Prices are then the fixed point of `set_prices`.
    """
    firms, p = world.firms, world.parameters
    world.classes.quality_cost = quality_cost_by_class(world)
    quality = world.classes.quality_cost[price_class(world)]
    materials = world.by_customer(world.links.value_share)
    firms.unit_cost = np.maximum(1.0 - materials - quality - p.margin, p.least_cost)
    firms.price = fixed_point(world.network.matrix(world.links.value_share), firms.unit_cost + quality + p.margin)
    firms.goods_cost = material_cost(world) + firms.unit_cost
    firms.sales = firms.price * firms.output

    grant(world, ORDINARY, p.working_capital * 12.0 * monthly_sales(world))
    firms.inventory = 0.5 * p.stock_most * _use(world)
    world.firms_pay("outside", "opening materials", firms.inventory)
    wanted = p.cash_start * monthly_sales(world) - firms.cash
    world.pay_firms("households", "opening cash", np.maximum(wanted, 0.0))
    world.firms_pay("households", "opening cash", np.maximum(-wanted, 0.0))
    firms.fortune = np.asarray(p.fortune_spread)[firms.size_class] * normal(world.draw("fortune at the start", firms))


def settle_accounts(world: World) -> None:
    """Pay for the month: materials, wages, quality, random gains and losses, users, debts, dividends; then set next month's prices."""
    firms = world.firms
    before = firms.inventory.copy()
    _trade(world)
    _run(world)
    _fail(world)
    _meet_fortune(world)
    _sell_to_users(world)
    serve_debts(world)
    firms.profit = firms.earnings + firms.inventory - before
    _pay_owners(world)
    world.classes.quality_cost[:] += (quality_cost_by_class(world) - world.classes.quality_cost) / PRICE_MONTHS
    set_prices(world)


def _use(world: World) -> Floats:
    """Materials used for this month's output, scrap included, at present prices: CNY, shape (n,)."""
    firms = world.firms
    return material_cost(world) * firms.output * (1.0 + firms.scrap)


def _trade(world: World) -> None:
    """Sell along links and elsewhere; keep materials between 0 and `stock_most` months of use.

    Missing materials are bought outside at once; surplus materials are sold there at cost.
    """
    firms, links, p = world.firms, world.links, world.parameters
    firms.sales = firms.price * firms.output
    world.pay_firms("outside", "sales elsewhere", firms.price * firms.elsewhere)
    worth = links.delivered * firms.price[links.supplier]
    world.firms_pay_firms("materials", links.customer, links.supplier, worth)
    use = _use(world)
    remaining = firms.inventory + world.by_customer(worth) - use
    firms.inventory = np.clip(remaining, 0.0, p.stock_most * use)
    world.firms_pay("outside", "materials at short notice", np.maximum(-remaining, 0.0))
    world.pay_firms("outside", "surplus materials", np.maximum(remaining - p.stock_most * use, 0.0))


def _run(world: World) -> None:
    """Pay the cost of output other than materials from the network; scrapped units are made again."""
    firms, p = world.firms, world.parameters
    cost = firms.unit_cost * firms.output * (1.0 + firms.scrap)
    world.firms_pay("outside", "materials from outside", p.outside_materials * cost)
    world.firms_pay("households", "wages and overheads", (1.0 - p.outside_materials) * cost)


def _fail(world: World) -> None:
    """Pay for inspection and failures. Scrap is paid as materials and wages, and not again here."""
    firms, links, p = world.firms, world.links, world.parameters
    world.firms_pay("households", "inspection", firms.appraisal)
    world.firms_pay("households", "rework", p.copq_scale * p.rework_cost * (firms.reject - firms.scrap) * firms.output)
    world.firms_pay("households", "returns, warranty and recalls", firms.external_failure)
    world.firms_pay_firms("charge-back", links.supplier, links.customer, links.charge_back)


def _meet_fortune(world: World) -> None:
    """Random gains and losses that have nothing to do with quality: they last for some time, differ by firm, and come from outside."""
    firms, p = world.firms, world.parameters
    spread = np.asarray(p.fortune_spread)[firms.size_class] * np.sqrt(1.0 - p.fortune_memory**2)
    firms.fortune = p.fortune_memory * firms.fortune + spread * normal(world.draw("fortune", firms))
    amounts = firms.fortune * firms.sales
    world.pay_firms("outside", "windfalls", np.maximum(amounts, 0.0))
    world.firms_pay("outside", "misfortunes", np.maximum(-amounts, 0.0))


def _sell_to_users(world: World) -> None:
    """Sell to users: first to the outside world, for the money it received from its own sales, and the rest to households."""
    firms = world.firms
    sales = firms.price * firms.to_users
    abroad = min(max(world.books.balance["outside"], 0.0) / max(float(sales.sum()), 1e-300), 1.0)
    world.pay_firms_in_parts({("outside", "exports"): abroad, ("households", "sales to users"): 1.0 - abroad}, sales)


def balance_others(world: World) -> None:
    """Close the month for the sectors other than firms: none of them accumulates money, and none runs out of it.

    Stations pay out what they hold as wages. Lenders pay out their net worth, so they cover their
    losses before they pay out again. Taxes cover what government owes; if it holds money, it pays it out.
    """
    books = world.books
    books.pay("stations", "households", "wages of stations", max(books.balance["stations"], 0.0))
    worth = books.balance["lenders"] + float(world.lenders.outstanding.sum())
    books.pay("lenders", "households", "profits of lenders", max(worth, 0.0))
    books.pay("households", "government", "taxes", max(-books.balance["government"], 0.0))
    books.pay("government", "households", "transfers", max(books.balance["government"], 0.0))


def _pay_owners(world: World) -> None:
    """Pay out part of the profit, and all cash above some months of sales (`cash_most`)."""
    firms, p = world.firms, world.parameters
    free = np.maximum(firms.cash, 0.0)
    dividends = np.minimum(p.payout * np.maximum(firms.profit, 0.0), free)
    idle = np.maximum(free - dividends - p.cash_most * monthly_sales(world), 0.0)
    firms.dividends = np.where(firms.alive, dividends + idle, 0.0)
    world.firms_pay("households", "dividends", firms.dividends)
