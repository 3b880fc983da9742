"""The way of a bad batch in numbers: of its defects, which part is found where, what reaches users, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.analysis.statistics import Intervals, mean_intervals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COSTS", "FATES", "by_month", "half_with_users", "in_all", "made_by_replicate", "tiers_by_month"]

#: Where the defects of a batch end, by the names of columns of the way.
FATES = ("own_final", "goods_in", "final", "prevented", "elsewhere", "users")
#: Who bears its cost.
COSTS = ("cost_firm", "cost_members", "cost_leaders")


def made_by_replicate(way: pd.DataFrame) -> pd.Series:
    """Return the defects of the batch of each replicate."""
    return way.groupby("replicate")["made"].sum()


def in_all(way: pd.DataFrame, column: str, share: bool = True) -> Intervals:
    """Return the sum of a column over all months, the mean over replicates with its interval; as a share of the batch's defects or not."""
    total = way.groupby("replicate")[column].sum()
    return mean_intervals((total / made_by_replicate(way) if share else total).to_numpy(dtype=np.float64))


def by_month(way: pd.DataFrame) -> pd.DataFrame:
    """Return the way as means over replicates: a row per month, defects as shares of the batch's, costs in CNY, firms that pass it on."""
    made = way["replicate"].map(made_by_replicate(way))
    shares = [*FATES, "made", "reaction", "on_way"]
    table = way[["month", *COSTS, "passing_on"]].assign(**{name: way[name] / made for name in shares})
    return table.groupby("month", as_index=False).mean()


def tiers_by_month(way: pd.DataFrame, tiers: pd.DataFrame) -> pd.DataFrame:
    """Return the excess that leaves each tier as a share of the batch's defects, means over replicates: a row per month, a column per tier.

    A tier that a replicate does not have counts as 0 there.
    """
    made = tiers["replicate"].map(made_by_replicate(way))
    table = tiers.assign(share=tiers["leaving"] / made)
    return table.groupby(["month", "tier"])["share"].sum().unstack(fill_value=0.0) / way["replicate"].nunique()


def half_with_users(way: pd.DataFrame) -> float:
    """Return the months after that of the batch until half of what reaches users in all has reached them: the median of replicates.

    Not a number where nothing reaches users.
    """
    months = []
    for _, rows in way.groupby("replicate"):
        so_far = rows.sort_values("month")["users"].to_numpy(dtype=np.float64).cumsum()
        if so_far[-1] > 0.0:
            months.append(float(np.argmax(so_far >= 0.5 * so_far[-1])))
    return float(np.median(months)) if months else float("nan")
