"""Small formulas of quality engineering: sigma levels, yields, acceptance sampling, inspection.

Pure functions of numbers or arrays, for users and as oracles of tests; the model itself does not use them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, ndtr, ndtri

from agents.columns import Floats

__all__ = [
    "SHIFT",
    "acceptance_probability",
    "dpmo",
    "first_pass_yield",
    "inspection_escape",
    "rolled_throughput_yield",
    "sigma_level",
    "yield_of_z",
    "z_of_yield",
]


#: Long-run drift of a process mean in standard deviations, by the convention of Six Sigma.
SHIFT = 1.5


def yield_of_z(z: ArrayLike, shift: float = 0.0) -> Floats:
    """Return the share within one specification limit that lies `z` standard deviations away.

    ``Φ(z - shift)``, one tail; with the shift of 1.5 the long-run yield of an opportunity [1]_.

    References
    ----------
    .. [1] M. Harry, "Corporate sigma cookbook", case A, isixsigma.com: 0.97725 at 3.5, shifted.
    """
    return np.asarray(ndtr(np.asarray(z, dtype=np.float64) - shift))


def z_of_yield(share: ArrayLike, shift: float = 0.0) -> Floats:
    """Return the distance to the limit, in standard deviations, that a yield stands for: inverse of `yield_of_z`."""
    return np.asarray(ndtri(np.asarray(share, dtype=np.float64)) + shift)


def dpmo(sigma: ArrayLike, shift: float = SHIFT) -> Floats:
    """Return the defects per million opportunities of a sigma level.

    One tail, mean shifted by 1.5: 66,807 at three sigma, 3.4 at six [1]_.

    References
    ----------
    .. [1] M. Harry (1998), "Six Sigma: a breakthrough strategy for profitability",
       Quality Progress 31(5), table 1.
    """
    return np.asarray(1e6 * ndtr(shift - np.asarray(sigma, dtype=np.float64)))


def sigma_level(per_million: ArrayLike, shift: float = SHIFT) -> Floats:
    """Return the sigma level of defects per million opportunities: inverse of `dpmo`."""
    return np.asarray(shift - ndtri(np.asarray(per_million, dtype=np.float64) / 1e6))


def first_pass_yield(dpu: ArrayLike) -> Floats:
    """Return the share of units that leave a process without a defect, ``exp(-dpu)``.

    Defects are Poisson: independent and rare per opportunity [1]_.

    References
    ----------
    .. [1] M. Harry, "How can I determine if my RTY is acceptable", isixsigma.com.
    """
    return np.asarray(np.exp(-np.asarray(dpu, dtype=np.float64)))


def rolled_throughput_yield(dpus: ArrayLike) -> float:
    """Return the share of units that pass a whole line without a defect: defects per unit add up, yields multiply."""
    return float(np.exp(-np.sum(dpus, dtype=np.float64)))


def acceptance_probability(n: int, c: int, p: ArrayLike) -> Floats:
    """Return the operating characteristic of a single sampling plan (binomial).

    Parameters
    ----------
    n, c : int
        Sample size, and the number of defective units up to which the lot is accepted.
    p : float or array
        Share of defective units in the lot.

    References
    ----------
    .. [1] Montgomery (2009), Introduction to Statistical Quality Control, 6th ed., ch. 15.
    """
    if not 0 <= c <= n:
        raise ValueError(f"c is {c}; the acceptance number must lie in 0 … n ({n})")
    return np.asarray(bdtr(c, n, np.asarray(p, dtype=np.float64)))


def inspection_escape(detection: ArrayLike) -> float:
    """Return the share of defects that escapes inspections in series, each independent of the others.

    ``Π (1 - detection)``: one human inspector finds 77 % and lets 23 % go, two let 5.3 % go.
    """
    return float(np.prod(1.0 - np.asarray(detection, dtype=np.float64)))
