"""Lenders (银行)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agents.columns import Floats, Ints, Population, Row, column

__all__ = ["LOANS", "ORDINARY", "STRONG_CHAIN", "Lender", "Lenders", "Loan"]


@dataclass(frozen=True)
class Loan:
    """A kind of loan: its name in the accounts, and the column of what firms owe."""

    purpose: str
    debt: str


#: Kinds of loan: ordinary ones, and strong-chain loans (强链贷).
LOANS = (Loan("loans", "bank_debt"), Loan("strong-chain loans", "programme_debt"))
ORDINARY, STRONG_CHAIN = range(len(LOANS))


class Lenders(Population):
    """State of the lenders."""

    rate: Floats = column("share/year", "interest on a loan")
    ceiling: Floats = column("share of yearly revenue", "most that a firm may owe")
    number: Ints = column("loans", "loans granted so far, by kind", width=2)
    granted: Floats = column("CNY", "loans granted so far, by kind", width=2)
    repaid: Floats = column("CNY", "loans repaid so far, by kind", width=2)
    written_off: Floats = column("CNY", "loans written off so far, by kind", width=2)
    outstanding: Floats = column("CNY", "loans outstanding, by kind", width=2)


class Lender(Row):
    """Grants credit, which limits small firms, and writes off what is lost."""

    population: ClassVar[str] = "lenders"

    @property
    def loss_rate(self) -> float:
        """Share of all loans granted so far that was written off; not a number before the first loan."""
        granted = float(self.granted.sum())
        return float(self.written_off.sum()) / granted if granted else float("nan")
