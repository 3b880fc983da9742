"""Credit: which loans banks grant, to whom, and how loans are repaid.

Loans come in two kinds (`agents.lender.LOANS`): ordinary ones, and strong-chain loans (强链贷), which a
programme supports. Granted = repaid + written off + outstanding, for each kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from agents.lender import LOANS, ORDINARY, STRONG_CHAIN
from sim.month.orders import monthly_sales
from sim.world import World

__all__ = ["approved", "grant", "interest_on", "room_for_credit", "serve_debts"]

#: CNY from which a loan counts as one; less is what sums of cash are rounded by.
LEAST_LOAN = 0.01


def room_for_credit(world: World) -> Floats:
    """CNY that a firm's collateral still allows it to borrow, shape (n,): a share of yearly revenue less its debt."""
    firms = world.firms
    ceiling = world.lenders.ceiling[firms.region] * 12.0 * monthly_sales(world)
    return np.maximum(ceiling - firms.bank_debt - firms.programme_debt, 0.0)


def approved(world: World, guaranteed: Floats | float = 0.0) -> NDArray[np.bool_]:
    """Firms to which a bank would lend for quality this month, for any sum, shape (n,).

    The chance is lower for small firms and higher with a certificate: the bank sees signals of
    quality, not quality itself. Of the firms that it would refuse, it accepts the share that is guaranteed. A firm in
    distress gets no loan.
    """
    firms, p = world.firms, world.parameters
    chance = np.minimum(np.asarray(p.approval)[firms.size_class] + p.approval_signal * firms.certified, 1.0)
    chance = chance + (1.0 - chance) * guaranteed
    return (world.draw("bank approves", firms) < chance) & (firms.distress == 0) & firms.alive


def interest_on(world: World, discount: Floats | float = 0.0) -> Floats:
    """Interest on a loan of 1 CNY until it is repaid, at the rate of the firm's region less a discount: shape (n,)."""
    return np.maximum(world.lenders.rate[world.firms.region] - discount, 0.0) / 12.0 * world.parameters.loan_term


def grant(world: World, kind: int, amounts: Floats) -> None:
    """Pay out loans of a kind, CNY by firm, shape (n,)."""
    firms, lenders = world.firms, world.lenders
    debt = getattr(firms, LOANS[kind].debt)
    debt[:] += amounts
    firms.borrowed[:] += amounts
    lenders.number[:, kind] += world.of_regions(amounts >= LEAST_LOAN).astype(np.int64)
    lenders.granted[:, kind] += world.of_regions(amounts)
    lenders.outstanding[:, kind] = world.of_regions(debt)
    world.pay_firms("lenders", LOANS[kind].purpose, amounts)


def _repay(world: World, kind: int, amounts: Floats) -> None:
    firms, lenders = world.firms, world.lenders
    debt = getattr(firms, LOANS[kind].debt)
    debt[:] = np.where(amounts >= debt, 0.0, debt - amounts)
    lenders.repaid[:, kind] += world.of_regions(amounts)
    lenders.outstanding[:, kind] = world.of_regions(debt)
    world.firms_pay("lenders", "repayment", amounts)


def serve_debts(world: World) -> None:
    """Pay interest and repayments, then draw on the working-capital line where cash runs short.

    Working capital, up to a share of yearly revenue, is never repaid. Debt beyond it, and strong-chain loans,
    are repaid each month by one part in `loan_term` of what is left, and the last 1,000 CNY
    at once. An overdraft bears interest like a loan. A firm in distress cannot borrow more.
    """
    firms, p = world.firms, world.parameters
    rate = world.lenders.rate[firms.region]
    owed = firms.bank_debt + np.maximum(-firms.cash, 0.0) + firms.programme_debt
    world.firms_pay("lenders", "interest", np.maximum(rate * owed / 12.0 - firms.interest_borne, 0.0))

    line = p.working_capital * 12.0 * monthly_sales(world)
    for kind, beyond in ((ORDINARY, np.maximum(firms.bank_debt - line, 0.0)), (STRONG_CHAIN, firms.programme_debt)):
        _repay(world, kind, np.where(beyond > 1_000.0, beyond / p.loan_term, beyond))

    short = np.maximum(p.cash_least * monthly_sales(world) - firms.cash, 0.0)
    can = firms.alive & (firms.distress == 0)
    grant(world, ORDINARY, np.where(can, np.minimum(short, np.maximum(line - firms.bank_debt, 0.0)), 0.0))
