"""Who owns and owes what: the balance sheets of all sectors as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.accounts import SECTORS
from sim.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["balance_sheet"]


def balance_sheet(world: World) -> pd.DataFrame:
    """Return the balance-sheet matrix [1]_ at the end of the month, CNY: a row per asset, a column per sector.

    What is owned is positive, what is owed negative. Deposits and loans sum to 0 over the sectors; materials
    are the only real asset that is valued. Net worth is the sum of each column.

    References
    ----------
    .. [1] Godley & Lavoie (2007), Monetary Economics, ch. 2.
    """
    import pandas as pd

    firms = world.firms
    table = pd.DataFrame(0.0, index=["deposits", "loans", "strong-chain loans", "materials"], columns=list(SECTORS))
    table.loc["deposits"] = pd.Series(world.books.balance)
    for group, mine in (("leaders", firms.is_leader), ("members", ~firms.is_leader)):
        table.loc["loans", group] = 0.0 - float(firms.bank_debt[mine].sum())
        table.loc["strong-chain loans", group] = 0.0 - float(firms.programme_debt[mine].sum())
        table.loc["materials", group] = float(firms.inventory[mine].sum())
    outstanding = np.asarray(world.lenders.outstanding).sum(axis=0)
    table.loc["loans", "lenders"], table.loc["strong-chain loans", "lenders"] = float(outstanding[0]), float(outstanding[1])
    table.loc["net worth"] = table.sum(axis=0)
    return table.rename_axis("CNY, end of the month").assign(sum=table.sum(axis=1))
