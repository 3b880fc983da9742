"""Money of the twin: its own accounts, a bank, payments of firms, prices, exit and entry (3.11)."""

from __future__ import annotations

import math

from sim.world import World
from tests.reference_model.firm import TwinFirm
from tests.reference_model.inversions import normal_value
from tests.reference_model.world import TwinWorld

ORDINARY, STRONG_CHAIN = range(2)
#: Debts below this are repaid at once, CNY.
SMALL_DEBT = 1_000.0
#: Months over which a class's mean cost of quality is smoothed in its price.
PRICE_MONTHS = 12.0
SIZES = 3


class TwinBooks:
    """Payments of the month by payer, payee and purpose, and the deposits of each sector.

    Parameters
    ----------
    world : World
        The model whose accounts are copied.
    """

    def __init__(self, world: World) -> None:
        self.balance = dict(world.books.balance)
        self.month = dict(world.books.month)

    def pay(self, payer: str, payee: str, purpose: str, amount: float) -> None:
        """Book a payment."""
        assert amount >= 0.0, f"{payer} pay {payee} {amount} for {purpose}"
        self.month[payer, payee, purpose] = self.month.get((payer, payee, purpose), 0.0) + amount
        self.balance[payer] -= amount
        self.balance[payee] += amount


class TwinBank:
    """All banks together: two kinds of loans, ordinary and strong-chain; every list has an entry for each."""

    def __init__(self, model: TwinWorld, world: World) -> None:
        self.model = model
        self.rate, self.ceiling = float(world.lenders.rate[0]), float(world.lenders.ceiling[0])
        self.granted: list[float] = world.lenders.granted[0].tolist()
        self.repaid: list[float] = world.lenders.repaid[0].tolist()
        self.written_off: list[float] = world.lenders.written_off[0].tolist()

    @property
    def outstanding(self) -> list[float]:
        """The debts of firms."""
        return [sum(firm.bank_debt for firm in self.model.firms), sum(firm.programme_debt for firm in self.model.firms)]

    def lend(self, firm: TwinFirm, kind: int, amount: float) -> None:
        """Pay out a loan."""
        self._add_debt(firm, kind, amount)
        self.granted[kind] += amount
        firm.borrowed += amount
        firm.take_in("lenders", ("loans", "strong-chain loans")[kind], amount)

    def be_repaid(self, firm: TwinFirm, kind: int, amount: float) -> None:
        """Receive a repayment."""
        self._add_debt(firm, kind, -amount)
        self.repaid[kind] += amount
        firm.hand_over("lenders", "repayment", amount)

    def write_off(self, firm: TwinFirm) -> None:
        """Write off the debts of a firm: loans of both kinds and its overdraft."""
        firm.written_off = firm.bank_debt + firm.programme_debt
        self.written_off[ORDINARY] += firm.bank_debt
        self.written_off[STRONG_CHAIN] += firm.programme_debt
        firm.bank_debt = firm.programme_debt = 0.0
        firm.take_in("lenders", "write-off of overdrafts", max(0.0, -firm.cash))

    @staticmethod
    def _add_debt(firm: TwinFirm, kind: int, amount: float) -> None:
        if kind == ORDINARY:
            firm.bank_debt += amount
        else:
            firm.programme_debt += amount


# -- the month's business ----------------------------------------------------------------------


def material_cost(firm: TwinFirm) -> float:
    """Cost of materials from the network for a unit of output, at present prices."""
    return sum(link.value_share * link.supplier.price for link in firm.buys)


def trade(firm: TwinFirm) -> None:
    """Sell elsewhere, buy from suppliers, use materials, keep the stock between 0 and its limit."""
    p = firm.model.parameters
    firm.sales = firm.price * firm.output
    firm.earn("outside", "sales elsewhere", firm.price * firm.elsewhere)
    firm.stock_before = firm.inventory
    for link in firm.buys:
        worth = link.delivered * link.supplier.price
        firm.pay_firm(link.supplier, "materials", worth)
        firm.inventory += worth
    use = material_cost(firm) * firm.output * (1.0 + firm.scrap)
    firm.inventory -= use
    if firm.inventory < 0.0:
        firm.pay("outside", "materials at short notice", -firm.inventory)
        firm.inventory = 0.0
    elif firm.inventory > p.stock_most * use:
        firm.earn("outside", "surplus materials", firm.inventory - p.stock_most * use)
        firm.inventory = p.stock_most * use


def work(firm: TwinFirm) -> None:
    """Pay for outside materials and for work, on scrap too; for inspection, rework and external failure; for charge-backs."""
    p = firm.model.parameters
    cost = firm.unit_cost * firm.output * (1.0 + firm.scrap)
    firm.pay("outside", "materials from outside", p.outside_materials * cost)
    firm.pay("households", "wages and overheads", (1.0 - p.outside_materials) * cost)
    firm.pay("households", "inspection", firm.appraisal)
    firm.pay("households", "rework", p.copq_scale * p.rework_cost * firm.reworked())
    firm.pay("households", "returns, warranty and recalls", firm.external_failure)
    for link in firm.sells:
        firm.pay_firm(link.customer, "charge-back", link.charge_back)


def meet_fortune(firm: TwinFirm, draws: list[float]) -> None:
    """Get a random gain or loss that lasts for some time: an autoregression of the first order with a given spread."""
    p = firm.model.parameters
    news = p.fortune_spread[firm.size_class] * math.sqrt(1.0 - p.fortune_memory**2)
    firm.fortune = p.fortune_memory * firm.fortune + news * normal_value(draws[firm.place])
    if firm.fortune >= 0.0:
        firm.earn("outside", "windfalls", firm.fortune * firm.sales)
    else:
        firm.pay("outside", "misfortunes", -firm.fortune * firm.sales)


def sell_to_users(model: TwinWorld) -> None:
    """Sell to the outside world for the money that it holds, the same share of every firm's sales; the rest goes to households."""
    sales = sum(firm.price * firm.to_users for firm in model.firms)
    abroad = min(1.0, max(0.0, model.books.balance["outside"]) / sales) if sales > 0.0 else 0.0
    for firm in model.firms:
        firm.earn("outside", "exports", abroad * firm.price * firm.to_users)
        firm.earn("households", "sales to users", (1.0 - abroad) * firm.price * firm.to_users)


def balance_others(model: TwinWorld) -> None:
    """Pay what stations and government hold, and the net worth of lenders, to households; taxes cover what government owes."""
    held, pay = model.books.balance, model.books.pay
    pay("stations", "households", "wages of stations", max(0.0, held["stations"]))
    pay("lenders", "households", "profits of lenders", max(0.0, held["lenders"] + sum(model.bank.outstanding)))
    if held["government"] < 0.0:
        pay("households", "government", "taxes", -held["government"])
    else:
        pay("government", "households", "transfers", held["government"])


def serve_debts(firm: TwinFirm) -> None:
    """Pay interest, an overdraft's included, less what a programme bears; repay; draw on the working-capital line."""
    p, bank = firm.model.parameters, firm.model.bank
    overdraft = max(0.0, -firm.cash)
    interest = bank.rate * (firm.bank_debt + firm.programme_debt + overdraft) / 12.0
    firm.pay("lenders", "interest", max(0.0, interest - firm.interest_borne))
    line = p.working_capital * 12.0 * firm.monthly_sales()
    for kind, beyond in ((ORDINARY, max(0.0, firm.bank_debt - line)), (STRONG_CHAIN, firm.programme_debt)):
        bank.be_repaid(firm, kind, beyond / p.loan_term if beyond > SMALL_DEBT else beyond)
    if firm.distress == 0:
        wanted = max(0.0, p.cash_least * firm.monthly_sales() - firm.cash)
        drawn = min(wanted, max(0.0, line - firm.bank_debt))
        bank.lend(firm, ORDINARY, drawn)
        firm.model.happened["drawn on the line"] += drawn > 0.0


def pay_owners(firm: TwinFirm) -> None:
    """Close the month's account; pay out a part of the profit, and idle cash."""
    p = firm.model.parameters
    firm.profit = firm.earnings + firm.inventory - firm.stock_before
    free = max(0.0, firm.cash)
    of_profit = min(free, p.payout * max(0.0, firm.profit))
    idle = max(0.0, free - of_profit - p.cash_most * firm.monthly_sales())
    firm.dividends = of_profit + idle
    firm.hand_over("households", "dividends", firm.dividends)


def smooth_quality_costs(model: TwinWorld) -> None:
    """Let the mean quality cost of each price class, per unit of output, enter its prices over about a year."""
    for number in range(len(model.quality_cost)):
        of_class = [firm for firm in model.firms if price_class(firm) == number]
        output = sum(firm.output for firm in of_class)
        cost = sum(firm.prevention + firm.appraisal + firm.borne() for firm in of_class)
        mean = max(0.0, cost / output) if output > 0.0 else 0.0
        model.quality_cost[number] += (mean - model.quality_cost[number]) / PRICE_MONTHS


def price_class(firm: TwinFirm) -> int:
    """Small, medium, large members; small, medium, large leaders."""
    return firm.size_class + SIZES if firm.is_leader else firm.size_class


def set_prices(model: TwinWorld) -> None:
    """Cost plus margin, with materials at this month's prices and the class's mean cost of quality."""
    for firm in model.firms:
        firm.goods_cost = material_cost(firm) + firm.unit_cost
    for firm in model.firms:
        firm.price = firm.goods_cost + model.quality_cost[price_class(firm)] + model.parameters.margin


def settle_accounts(model: TwinWorld) -> None:
    """All payments of the month in their order; each ends for all firms before the next begins."""
    model.firms.do(trade)
    model.firms.do(work)
    model.firms.do(meet_fortune, model.draws("fortune"))
    sell_to_users(model)
    model.firms.do(serve_debts)
    model.firms.do(pay_owners)
    smooth_quality_costs(model)
    set_prices(model)


# -- exit and entry ----------------------------------------------------------------------------


def count_distress(firm: TwinFirm) -> None:
    """Count the months in a row with an overdraft beyond the limit."""
    beyond = firm.cash < -firm.model.parameters.cash_limit * firm.monthly_sales()
    firm.distress = firm.distress + 1 if beyond else 0


def give_up(firm: TwinFirm) -> None:
    """Close down: owners take the remaining cash, lenders lose their loans, problems and cases end."""
    firm.exited = True
    firm.model.support.guarantee(firm)
    firm.hand_over("households", "liquidation", max(0.0, firm.cash))
    firm.model.bank.write_off(firm)
    firm.close_problems(sum(firm.open_problems) + sum(firm.common_problems))


def start_business(firm: TwinFirm) -> None:
    """Begin with equity: cash, and about half of the largest stock of materials, for next month's orders."""
    p = firm.model.parameters
    materials = 0.5 * p.stock_most * sum(link.ordered * link.supplier.price for link in firm.buys)
    firm.take_in("households", "equity of entrants", materials + p.cash_start * firm.monthly_sales())
    firm.hand_over("outside", "opening materials", materials)
    firm.inventory = materials
