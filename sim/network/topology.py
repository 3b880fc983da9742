"""Statistics of a supply network: tails of degrees, assortativity, clustering, size and customers.

Pure functions of a network, for comparison with observed networks; the model itself does not use them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sim.network.network import SupplyNetwork

__all__ = ["assortativity", "customers", "mean_clustering", "size_elasticity", "suppliers", "tail_exponent"]

#: Smallest degree of the tail.
TAIL_FROM = 8


def suppliers(network: SupplyNetwork) -> NDArray[np.int64]:
    """Number of suppliers of each firm, shape (n,)."""
    return np.bincount(network.customer, minlength=network.n_firms)


def customers(network: SupplyNetwork) -> NDArray[np.int64]:
    """Number of customers of each firm, shape (n,)."""
    return np.bincount(network.supplier, minlength=network.n_firms)


def tail_exponent(degree: NDArray[np.int64], least: int = TAIL_FROM) -> float:
    """Return the exponent of the tail of a degree distribution (CCDF), not a number where there is no tail.

    Maximum likelihood (Hill) for degrees of `least` and more, with the half-unit correction for whole numbers [1]_.

    References
    ----------
    .. [1] Clauset, Shalizi & Newman (2009), Power-law distributions in empirical data, SIAM Review 51(4).
    """
    tail = degree[degree >= least]
    return float(1.0 / np.log(tail / (least - 0.5)).mean()) if tail.size else float("nan")


def assortativity(network: SupplyNetwork) -> float:
    """Return Pearson's correlation of total degrees over the two ends of each link, direction ignored."""
    degree = suppliers(network) + customers(network)
    supplier_degree, customer_degree = degree[network.supplier], degree[network.customer]
    return float(np.corrcoef(np.concatenate([supplier_degree, customer_degree]), np.concatenate([customer_degree, supplier_degree]))[0, 1])


def mean_clustering(network: SupplyNetwork) -> float:
    """Return the mean over firms of the share of pairs of neighbours that are linked, direction ignored."""
    ones = network.matrix(np.ones(network.n_links))
    linked = sparse.csr_array(((ones + ones.T) > 0).astype(float))
    degree = linked.sum(axis=1)
    triangles = (linked @ linked).multiply(linked).sum(axis=1)
    return float(np.mean(triangles / np.maximum(degree * (degree - 1.0), 1.0)))


def size_elasticity(network: SupplyNetwork) -> float:
    """Return d ln sales / d ln customers over the members that have customers."""
    member = ~network.leader & (customers(network) > 0)
    return float(np.polyfit(np.log(customers(network)[member]), np.log(network.steady_orders()[member]), 1)[0])
