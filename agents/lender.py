"""Lenders (银行)."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Column, Row

__all__ = ["LENDER", "Lender"]

LENDER: dict[str, Column] = {
    "rate": Column("float64", "share/year", "interest on an ordinary loan to a small firm"),
    "ceiling": Column("float64", "share", "credit ceiling as a share of yearly revenue"),
    "outstanding": Column("float64", "CNY", "loans outstanding"),
}


class Lender(Row):
    """Gives the credit by which small firms are bound."""

    population: ClassVar[str] = "lenders"
