"""The twin's own inversions of uniforms: Poisson and binomial by their definitions, normal by Python's quantile function."""

from __future__ import annotations

import math
from statistics import NormalDist


def poisson_count(u: float, mean: float) -> int:
    """Return the smallest k at which the Poisson distribution exceeds u."""
    term = below = math.exp(-mean)
    k = 0
    while u >= below:
        k += 1
        term *= mean / k
        if below + term == below:  # u lies within rounding of one
            break
        below += term
    return k


def binomial_count(u: float, n: int, p: float) -> int:
    """Return the smallest k at which the binomial distribution exceeds u."""
    if p >= 1.0:
        return n
    below = 0.0
    for k in range(n):
        below += math.comb(n, k) * p**k * (1.0 - p) ** (n - k)
        if u < below:
            return k
    return n


def normal_value(u: float) -> float:
    """Return the standard normal quantile of u, which stays half a step of a double away from 0 and 1."""
    return NormalDist().inv_cdf(u * (1.0 - 2.0**-53) + 2.0**-54)
