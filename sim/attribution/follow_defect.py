"""Follow one defect along the chain: where it is found, or whether it reaches a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from sim.month.propagation import escape_share, let_in
from sim.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["follow_defect"]


def follow_defect(world: World, firm: int, latent: bool = False, tolerance: float = 1e-6, most: int = 600) -> pd.DataFrame:
    """Follow one defect that arises at a firm, under the inspection of the present month.

    A defect leaves with the goods: to each customer and to users in proportion to what they buy,
    and elsewhere where a member has lost its customers. So its way is a Markov
    chain with four ends.

    Parameters
    ----------
    world : World
    firm : int
        Row of the firm where it arises, ahead of that firm's final inspection.
    latent : bool
        A latent defect passes every inspection.
    tolerance : float
        Stop when the probability that it is still on its way is below this.
    most : int
        Stop after this number of months.

    Returns
    -------
    DataFrame
        One row for each month: the probability that in this month it is found by incoming inspection (goods-in), is found by
        final inspection, reaches a user, or is sold elsewhere; and that it is still on its way, with its mean tier.
        Relief counts under goods-in: a defect that the relation prevents goes no further.
    """
    import pandas as pd

    firms, links = world.firms, world.links
    to_users = firms.to_users
    to_customer = links.value_share * firms.output[links.customer]
    shipped = world.by_supplier(to_customer) + to_users + firms.elsewhere
    # A firm's output for customers that it has just lost goes elsewhere.
    elsewhere = np.where(shipped > 0, firms.elsewhere, 1.0)
    shipped = np.where(shipped > 0, shipped, 1.0)
    per_unit = 1.0 / shipped
    gets_in = links.carried * (1.0 if latent else let_in(world))  # relief as this month's propagation used it
    gets_out = np.ones(firms.n) if latent else escape_share(world)
    onward: sparse.csr_array = world.network.matrix(gets_in * firms.output[links.customer] * per_unit[links.supplier])
    found_at_goods_in = world.by_supplier((links.value_share - gets_in) * firms.output[links.customer]) * per_unit

    at = np.zeros(firms.n)
    at[firm] = 1.0
    rows = []
    for month in range(most):
        left = gets_out * at
        fate = {
            "goods-in": float(found_at_goods_in @ left),
            "final inspection": float((at - left).sum()),
            "user": float(to_users * per_unit @ left),
            "elsewhere": float(elsewhere * per_unit @ left),
        }
        at = onward @ left
        still_moving = float(at.sum())
        rows.append(
            {
                "month": month,
                **fate,
                "on its way": still_moving,
                "mean tier": float(at @ firms.tier) / still_moving if still_moving > 0 else np.nan,
            }
        )
        if still_moving < tolerance:
            break
    return pd.DataFrame(rows)
