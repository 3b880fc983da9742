"""The books: every payment has a payer and a payee."""

from __future__ import annotations

from collections import defaultdict

__all__ = ["SECTORS", "Books"]

#: Who can pay and be paid.
SECTORS = ("firms", "households", "government", "stations", "lenders", "outside")


class Books:
    """Double entry by sector, in CNY.

    Attributes
    ----------
    month : dict of (payer, payee, purpose) to float
        Payments of the month under way.
    balance : dict of str to float
        What each sector has gained since the start; they sum to 0.
    """

    def __init__(self) -> None:
        self.month: dict[tuple[str, str, str], float] = defaultdict(float)
        self.balance: dict[str, float] = dict.fromkeys(SECTORS, 0.0)

    def pay(self, payer: str, payee: str, purpose: str, amount: float) -> None:
        """Book one payment; refused for an unknown sector, a negative amount or a payment to oneself."""
        for sector in (payer, payee):
            if sector not in self.balance:
                raise ValueError(f"no sector {sector!r} in the books; there are {', '.join(SECTORS)}")
        if not amount >= 0.0 or payer == payee:
            raise ValueError(f"cannot book {amount} from {payer} to {payee}: payments are 0 or more, and between two sectors")
        if amount:
            self.month[payer, payee, purpose] += amount
            self.balance[payer] -= amount
            self.balance[payee] += amount

    def turn_page(self) -> None:
        """Begin a new month."""
        self.month.clear()

    def paid(self, payer: str, purpose: str = "") -> float:
        """CNY that a sector paid this month, for all purposes or for those that begin with `purpose`."""
        return sum((amount for (who, _, why), amount in self.month.items() if who == payer and why.startswith(purpose)), 0.0)
