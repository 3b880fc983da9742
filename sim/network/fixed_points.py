"""Fixed points of nonnegative linear systems on networks, and loops that have no fixed point."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from agents.columns import Floats, Ints
from sim.sums import add_up

__all__ = ["NetworkError", "contracting", "contracts", "fixed_point", "offending_loop", "spectral_radius"]


class NetworkError(ValueError):
    """A network that cannot be simulated: the message says what is wrong, where, and what would be right."""


def fixed_point(
    step: sparse.csr_array,
    source: Floats,
    tolerance: float = 1e-12,
    most: int = 100_000,
    refuse: Callable[[], Exception] | None = None,
) -> Floats:
    """Solve ``x = source + step @ x`` by iteration, for a nonnegative `step` of spectral radius below 1.

    Parameters
    ----------
    step : csr_array, shape (n, n)
    source : array, shape (n,)
    tolerance : float
        Largest change of any entry of the last pass, relative to the largest entry.
    refuse : callable, optional
        Makes the error to raise if the iteration does not converge.

    Raises
    ------
    NetworkError
        If `step` has a spectral radius of 1 or more.
    """
    x = np.array(source, dtype=np.float64)
    for _ in range(most):
        updated = source + step @ x
        change = np.abs(updated - x).max(initial=0.0)
        size = np.abs(updated).max(initial=0.0)
        x = updated
        if not np.isfinite(size):
            break
        if change <= tolerance * size:
            return x
    raise refuse() if refuse else NetworkError("no finite fixed point: the spectral radius is 1 or more")


def contracts(step: sparse.csr_array, most: int = 30) -> bool:
    """Whether some passes prove that a nonnegative matrix has a spectral radius below 1.

    For any positive x the radius is at most the largest ratio of ``step @ x`` to x (Collatz and
    Wielandt [1]_). For a matrix with a radius just below 1 the proof may fail.

    References
    ----------
    .. [1] Horn & Johnson (2013), Matrix Analysis, 2nd ed., ch. 8.
    """
    return bool(contracting(step, np.zeros(step.shape[0], dtype=np.int64), 1, most)[0])


def contracting(step: sparse.csr_array, part: Ints, parts: int, most: int = 30) -> NDArray[np.bool_]:
    """Say of each part of a nonnegative matrix, with no entry between parts, what `contracts` says of a whole one.

    Parameters
    ----------
    step : sparse array, shape (n, n)
    part : int array, shape (n,)
        Which part a row belongs to.
    parts, most : int
        Number of parts, and of passes.

    Returns
    -------
    bool array, shape (parts,)
    """
    x, proven = np.ones(step.shape[0]), np.zeros(parts, dtype=np.bool_)
    for _ in range(most):
        updated = step @ x
        proven |= np.bincount(part[updated >= 0.999 * x], minlength=parts) == 0
        if proven.all():
            break
        x = 0.5 * (x + updated)  # stays positive where a row of the matrix is empty
    return proven


def _cyclic_parts(step: sparse.csr_array) -> list[Ints]:
    """Strongly connected parts with a loop (two firms or more, or one firm that supplies itself)."""
    count, label = connected_components(step, directed=True, connection="strong")
    size = np.bincount(label, minlength=count)
    order = np.argsort(label, kind="stable")
    ends = np.cumsum(size)
    feeds_itself = step.diagonal() > 0
    parts = []
    for part in np.flatnonzero((size > 1) | (add_up(label, feeds_itself, count) > 0)):
        parts.append(order[ends[part] - size[part] : ends[part]])
    return parts


def _growth(step: sparse.csr_array, rows: Ints, passes: int = 5_000) -> tuple[float, Floats]:
    """Spectral radius of one strongly connected part, and its positive eigenvector."""
    part = step[rows][:, rows]
    x = np.full(rows.size, 1.0 / rows.size)
    low = high = 0.0
    for _ in range(passes):
        # Half a step of identity makes a periodic loop converge; bounds by Collatz and Wielandt.
        y = 0.5 * (x + part @ x)
        ratio = y / x
        low, high = 2.0 * ratio.min() - 1.0, 2.0 * ratio.max() - 1.0
        x = y / y.sum()
        if high - low <= 1e-10 * max(high, 1e-300):
            break
    return 0.5 * (low + high), x


def spectral_radius(step: sparse.csr_array) -> float:
    """Return the spectral radius of a nonnegative matrix: 0 if it has no loop."""
    return max((_growth(step, rows)[0] for rows in _cyclic_parts(step)), default=0.0)


def offending_loop(step: sparse.csr_array) -> Ints:
    """Return the firms on a loop of the fastest-growing part, in the order in which goods travel.

    Follows, from firm to firm, the link that contributes most to the part's eigenvector.
    """
    rows, vector = max(((rows, _growth(step, rows)) for rows in _cyclic_parts(step)), key=lambda part: part[1][0])
    part = sparse.csr_array(step[rows][:, rows])
    weight = vector[1]
    at = int(np.argmax(weight))
    position: dict[int, int] = {}
    path: list[int] = []
    while at not in position:
        position[at] = len(path)
        path.append(at)
        first, last = part.indptr[at], part.indptr[at + 1]
        at = int(part.indices[first + np.argmax(part.data[first:last] * weight[part.indices[first:last]])])
    return rows[path[position[at] :]]
