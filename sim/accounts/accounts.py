"""The accounts: every payment has a payer and a payee."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from agents.lender import LOANS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FINANCING", "SECTORS", "Books"]

#: The sectors that can pay and be paid. Chain leaders and members are both firms.
SECTORS = ("leaders", "members", "households", "government", "stations", "lenders", "outside")
#: Purposes of payments that are neither income nor cost of a firm.
FINANCING = frozenset(
    {
        "opening materials",
        "opening cash",
        "equity of entrants",
        "liquidation",
        "dividends",
        *(loan.purpose for loan in LOANS),
        "repayment",
        "write-off of overdrafts",
    }
)


class Books:
    """Double entry by sector, in CNY.

    Attributes
    ----------
    month : dict of (payer, payee, purpose) to float
        Payments of the present month.
    balance : dict of str to float
        Deposits of each sector; they sum to 0, because what lenders owe is what others hold.
    """

    def __init__(self) -> None:
        self.month: dict[tuple[str, str, str], float] = defaultdict(float)
        self.balance: dict[str, float] = dict.fromkeys(SECTORS, 0.0)

    def pay(self, payer: str, payee: str, purpose: str, amount: float) -> None:
        """Book one payment, between two sectors or between members of one; refused for an unknown sector or a negative amount."""
        for sector in (payer, payee):
            if sector not in self.balance:
                raise ValueError(f"no sector {sector!r} in the books; there are {', '.join(SECTORS)}")
        if not amount >= 0.0:
            raise ValueError(f"cannot book {amount} from {payer} to {payee}: payments are 0 or more")
        if amount:
            self.month[payer, payee, purpose] += amount
            self.balance[payer] -= amount
            self.balance[payee] += amount

    def turn_page(self) -> None:
        """Begin a new month."""
        self.month.clear()

    def paid(self, payer: str, purpose: str = "") -> float:
        """CNY that a sector paid this month, for all purposes or for those that begin with `purpose`; "firms" are all firms."""
        payers = ("leaders", "members") if payer == "firms" else (payer,)
        return sum((amount for (who, _, why), amount in self.month.items() if who in payers and why.startswith(purpose)), 0.0)

    def transaction_flow_matrix(self) -> pd.DataFrame:
        """Return the month as a transaction-flow matrix [1]_, CNY: a row per purpose, a column per sector.

        Receipts are positive, payments negative; every row sums to 0. The last row is the change
        of each sector's deposits: the sum of its column.

        References
        ----------
        .. [1] Godley & Lavoie (2007), Monetary Economics, ch. 2.
        """
        import pandas as pd

        table = pd.DataFrame(0.0, index=sorted({why for _, _, why in self.month}), columns=list(SECTORS))
        for (payer, payee, why), amount in self.month.items():
            table.loc[why, payer] -= amount
            table.loc[why, payee] += amount
        table.loc["change of deposits"] = table.sum(axis=0)
        return table.rename_axis("CNY, month under way").assign(sum=table.sum(axis=1))
