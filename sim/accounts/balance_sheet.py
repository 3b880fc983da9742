"""What each sector owns and owes: the balance sheets of all sectors as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.firm import Firms
from agents.lender import LOANS, Lenders
from sim.accounts.accounts import SECTORS, Books

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["balance_sheet"]


def balance_sheet(firms: Firms, lenders: Lenders, books: Books) -> pd.DataFrame:
    """Return the balance-sheet matrix [1]_ at the end of the month, CNY: a row per asset, a column per sector.

    Assets are positive, debts negative. Deposits and loans sum to 0 over the sectors; materials
    are the only real asset with a value. Net worth is the sum of each column.

    Parameters
    ----------
    firms : Firms
        Chain leaders and members, who hold materials and owe loans.
    lenders : Lenders
        Their outstanding loans.
    books : Books
        The deposits of every sector.

    References
    ----------
    .. [1] Godley & Lavoie (2007), Monetary Economics, ch. 2.
    """
    import pandas as pd

    table = pd.DataFrame(0.0, index=["deposits", *(loan.purpose for loan in LOANS), "materials"], columns=list(SECTORS))
    table.loc["deposits"] = pd.Series(books.balance)
    for group, rows in (("leaders", firms.is_leader), ("members", ~firms.is_leader)):
        table.loc["materials", group] = float(firms.inventory[rows].sum())
        for loan in LOANS:
            table.loc[loan.purpose, group] = 0.0 - float(getattr(firms, loan.debt)[rows].sum())
    for kind, loan in enumerate(LOANS):
        table.loc[loan.purpose, "lenders"] = float(lenders.outstanding[:, kind].sum())
    table.loc["net worth"] = table.sum(axis=0)
    return table.rename_axis("CNY, end of the month").assign(sum=table.sum(axis=1))
