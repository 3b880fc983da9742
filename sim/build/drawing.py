"""Random draws of firms and links that all generators share: degrees, choice by weight, free slots, sales by customers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from agents.columns import Floats, Ints
from agents.streams import normal

__all__ = [
    "ANY",
    "ATTEMPTS",
    "LARGEST_MATERIAL_SHARE",
    "LARGEST_PART",
    "OTHER_CHAIN",
    "OTHER_SECTOR",
    "SAME_SECTOR",
    "Pools",
    "expected_customers",
    "fill_slots",
    "fitted_power",
    "pareto_counts",
]


SAME_SECTOR, OTHER_SECTOR, OTHER_CHAIN, ANY = range(4)  # in which part of its tier a link looks for its other firm
ATTEMPTS = 8  # draws per slot before it stays empty; the later half searches more widely
FITTING_STEPS = 6  # of the power of value shares; leaves about 0.01 of elasticity
LARGEST_PART = 0.8  # of the firms within reach that one customer buys from
LARGEST_MATERIAL_SHARE = 0.95  # leaves value added to every firm, so that no loop can grow


class Pools:
    """Firms on a line, by tier, chain and sector, each with a length equal to its weight: a point on the line is a firm.

    Parameters
    ----------
    tier, chain, sector : int arrays, shape (n,)
    weight : float array, shape (n,)
        Chance that a firm is picked, relative to the other possible firms.
    """

    def __init__(self, tier: Ints, chain: Ints, sector: Ints, weight: Floats) -> None:
        self.chains, self.sectors = int(chain.max()) + 1, int(sector.max()) + 1
        cell = (tier * self.chains + chain) * self.sectors + sector
        self.order = np.argsort(cell, kind="stable")
        self.first = np.searchsorted(cell[self.order], np.arange((int(tier.max()) + 1) * self.chains * self.sectors + 1))
        self.line = np.concatenate([[0.0], np.cumsum(weight[self.order])])

    def pick(self, tier: Ints, chain: Ints, sector: Ints, kind: Ints, u: Floats) -> Ints:
        """Turn uniforms into firms of the wanted tiers, for firms of the given chains and sectors. All of shape (k,).

        If no firm of that kind exists, the search widens to the chain and then to the whole tier.
        """
        in_chain = (tier * self.chains + chain) * self.sectors
        whole = (self.first[tier * self.chains * self.sectors], self.first[(tier + 1) * self.chains * self.sectors])
        own_chain = (self.first[in_chain], self.first[in_chain + self.sectors])
        own_sector = (self.first[in_chain + sector], self.first[in_chain + sector + 1])

        def among(same: Ints, other: Ints, outside: Ints, every: Ints) -> Ints:
            return np.choose(kind, [same, other, outside, every])

        # Each kind is an interval of the line without a smaller interval (hole) in it.
        low, high = (among(own_sector[k], own_chain[k], whole[k], whole[k]) for k in (0, 1))
        hole_low, hole_high = (among(high, own_sector[k], own_chain[k], high) for k in (0, 1))
        for wider in (own_chain, whole):
            empty = (high - low) - (hole_high - hole_low) <= 0
            low, high = np.where(empty, wider[0], low), np.where(empty, wider[1], high)
            hole_low, hole_high = np.where(empty, high, hole_low), np.where(empty, high, hole_high)
        hole = self.line[hole_high] - self.line[hole_low]
        point = self.line[low] + u * (self.line[high] - self.line[low] - hole)
        point += np.where(point >= self.line[hole_low], hole, 0.0)
        # Rounding at an end must not lead into the next tier.
        at = np.clip(np.searchsorted(self.line, point, side="right") - 1, low, high - 1)
        return self.order[at]


def pareto_counts(
    rank: Floats, tail: float, total: float, reach: Floats | float, weight: Floats | float = 1.0, fewest: Ints | int = 1
) -> Ints:
    """Pareto numbers, shape (n,), scaled so that they add up to a total.

    With so heavy a tail the sample mean varies widely, so the scale is fitted to these random numbers.

    Parameters
    ----------
    rank : float array, shape (n,)
        Uniforms; 0 is the largest.
    tail : float
        Exponent of the CCDF.
    total : float
        Wanted sum of `weight` times the numbers.
    reach, fewest : float or array
        Largest and smallest number of each; where they contradict, `fewest` holds.
    """
    pareto = np.maximum(rank, 2.0**-53) ** (-1.0 / tail)

    def counts(scale: float) -> Ints:
        return np.maximum(np.minimum(np.floor(scale * pareto), reach), fewest).astype(np.int64)

    low, high = 0.0, float(rank.size)
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float((weight * counts(middle)).sum()) < total else (low, middle)
    return counts(high)


def expected_customers(rank: Floats, u: Floats, mean: float, tail: float, alike: float) -> Floats:
    """Expected numbers of customers (Pareto), shape (n,), correlated with the rank by suppliers (0 seeks most).

    Parameters
    ----------
    u : float array, shape (n,)
        Independent uniforms.
    mean, tail : float
        Mean, and exponent of the CCDF.
    alike : float
        Correlation (Gaussian copula) of the two.
    """
    standing = alike * -normal(rank) + np.sqrt(1.0 - alike**2) * normal(u)
    return mean * (1.0 - 1.0 / tail) * ndtr(-standing) ** (-1.0 / tail)


def fill_slots(customer: Ints, empty: Ints, taken: Ints, n: int, find: Callable[[int, Ints], Ints]) -> Ints:
    """Draw a supplier for each slot of customers: rows, shape (k,); -1 where a slot stays empty.

    Parameters
    ----------
    customer : int array, shape (k,)
    empty : int array
        The slots to fill.
    taken : int array
        Sorted ``customer * n + supplier`` of the existing links: no firm supplies a customer twice, or itself.
    find : function
        Returns suppliers for some slots at one attempt.
    """
    supplier = np.full(customer.size, -1)
    for attempt in range(ATTEMPTS):
        if not empty.size:
            break
        candidate = find(attempt, empty)
        link = customer[empty] * n + candidate
        new = np.zeros(empty.size, dtype=np.bool_)
        new[np.unique(link, return_index=True)[1]] = True
        new &= (candidate != customer[empty]) & (taken[np.minimum(np.searchsorted(taken, link), taken.size - 1)] != link)
        supplier[empty[new]] = candidate[new]
        taken = np.sort(np.concatenate([taken, link[new]]))
        empty = empty[~new]
    return supplier


def fitted_power(customers: Floats, elasticity: float, log_sales: Callable[[float], Floats]) -> float:
    """Return the power of the number of customers with which sales rise with customers by the wanted elasticity.

    Parameters
    ----------
    customers : float array, shape (n,)
        Logarithms of the numbers of customers.
    elasticity : float
        Wanted d ln sales / d ln customers.
    log_sales : function
        Logarithms of sales, shape (n,), at a power.
    """
    x = customers - (customers.mean() if customers.size else 0.0)
    power = 0.0
    for _ in range(FITTING_STEPS if np.any(x) else 0):
        # The elasticity rises about as much as the power, so each step removes most of the difference.
        power = float(np.clip(power + elasticity - (x * log_sales(power)).sum() / (x * x).sum(), -2.0, 2.0))
    return power
