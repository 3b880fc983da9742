"""Counter-based random streams: any draw can be made alone, in any order, on any number of cores.

A draw is addressed by (replicate, decision, month, slot, place). Philox 4x64-10 [1]_ turns the
address into 64 random bits: the key is the replicate, the counter is (block of places, month,
decision, slot). No draw uses up another one. So if a policy draws more, or an agent is added, all other
random numbers stay the same: two policies under one replicate differ only by what the policy does.

Only uniforms are drawn. Everything else is an inversion of one uniform, and so moves
monotonically with its parameters under common random numbers: a lower hazard can only
remove events, never reshuffle them.

References
----------
.. [1] Salmon, Moraes, Dror & Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", SC'11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc, ndtri, pdtrc

__all__ = ["Streams", "binomial", "decision_key", "normal", "pick", "poisson", "replicate_keys"]

_WORD = 1 << 64
_COUNTER = 1 << 256
_TO_UNIT = 2.0**-53  # 53 random bits make a double in [0, 1)
_DEEP = 500.0  # exp(-500) is a normal number; below it the chance of a zero is 0, and a search from zero cannot start


@lru_cache(maxsize=4096)
def decision_key(decision: str) -> int:
    """Return the 64-bit counter word of a named decision (blake2b, so equal on every machine)."""
    return int.from_bytes(blake2b(decision.encode("utf-8"), digest_size=8).digest(), "little")


def replicate_keys(seed: int, replicates: int) -> list[tuple[int, int]]:
    """Return one 128-bit key per replicate, as two 64-bit words.

    Spawned by ``numpy.random.SeedSequence``: replicates of neighbouring seeds have nothing in common
    (with ``seed + i`` neighbouring experiments would share replicates).
    """
    children = np.random.SeedSequence(seed).spawn(replicates)
    return [(int(low), int(high)) for low, high in (child.generate_state(2, np.uint64) for child in children)]


class Streams:
    """All random numbers of one replicate.

    Parameters
    ----------
    key : sequence of two int
        The 128-bit replicate key as two 64-bit words, as `replicate_keys` returns it.
    rename : dict, optional
        Decision names to replace by others: a placebo that changes the random numbers of one decision
        and nothing else.
    """

    def __init__(self, key: Sequence[int], rename: dict[str, str] | None = None) -> None:
        if len(key) != 2 or not all(0 <= int(word) < _WORD for word in key):
            raise ValueError(f"a replicate key is two words of 64 bits, not {key!r}")
        self.key = (int(key[0]), int(key[1]))
        self.rename = dict(rename or {})
        self._start_bits()

    def _start_bits(self) -> None:
        # One generator, set to the address of every draw: a new generator takes more time than a thousand draws.
        self._philox = np.random.Philox(counter=0, key=self.key[0] | self.key[1] << 64)
        self._generator = np.random.Generator(self._philox)
        self._state = self._philox.state

    def __getstate__(self) -> dict[str, Any]:
        return {"key": self.key, "rename": self.rename}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start_bits()

    def _bits(self, decision: str, month: int, slot: int, block: int) -> np.random.Philox:
        if block < 0 or not 0 <= slot < _WORD:
            raise ValueError(f"no draw of {decision!r} for a negative place or slot")
        name = self.rename.get(decision, decision)
        counter = block | index(month) % _WORD << 64 | decision_key(name) << 128 | index(slot) << 192
        counter = (counter - 1) % _COUNTER  # NumPy steps the counter before it is used, so start one lower
        self._state["state"]["counter"] = np.array([counter >> 64 * word & _WORD - 1 for word in range(4)], dtype=np.uint64)
        self._state["buffer_pos"] = 4  # discards what is left of the draw before
        self._philox.state = self._state
        return self._philox

    def uniform(self, decision: str, month: int, n: int, slot: int = 0) -> NDArray[np.float64]:
        """Draw for the places 0 … n-1: uniforms in [0, 1), shape (n,); draw *i* belongs to place *i*."""
        self._bits(decision, month, slot, 0)
        return self._generator.random(n)

    def uniforms(self, decision: str, month: int, n: int, slots: int) -> NDArray[np.float64]:
        """Draw for n places with several slots each (for example one per kind of problem): shape (n, slots)."""
        out = np.empty((slots, n))
        for slot in range(slots):
            out[slot] = self.uniform(decision, month, n, slot)
        return out.T

    def uniform_at(self, decision: str, month: int, places: ArrayLike, slot: int = 0) -> NDArray[np.float64]:
        """Draw for some places only, with the same bits as `uniform` gives them. Shape of `places`."""
        where = np.asarray(places, dtype=np.int64)
        flat = where.ravel()
        out = np.empty(flat.size)
        for k, place in enumerate(flat.tolist()):
            block, lane = divmod(place, 4)
            raw = self._bits(decision, month, slot, block).random_raw(4)
            out[k] = (int(raw[lane]) >> 11) * _TO_UNIT
        return out.reshape(where.shape)


def normal(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn uniforms in [0, 1) into standard normals by inversion."""
    return ndtri(u * (1.0 - 2.0**-53) + 2.0**-54)  # keeps 0 away from minus infinity


def pick(u: NDArray[np.float64], lines: NDArray[np.float64], line: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn uniforms into choices with given chances: the first place on a line whose cumulative weight exceeds u times the total.

    Parameters
    ----------
    u : array, shape (k,)
        Uniforms in [0, 1).
    lines : array, shape (lines, places)
        Cumulative weights; every line that is used ends above 0.
    line : int array, shape (k,)
        The line that each choice is made on.
    """
    threshold = u * lines[line, -1]
    return _first(np.full(u.shape, lines.shape[1] - 1), lambda k: lines[line, k] > threshold)


def poisson(u: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn uniforms into Poisson counts: the smallest count whose cumulative probability exceeds u.

    By sequential search over the places still open; by bisection for large means.

    Parameters
    ----------
    u, mean : arrays of one shape
        Uniforms in [0, 1) and means.
    """
    count = np.zeros(np.shape(u), dtype=np.int64)
    flat, u_flat, mean_flat = count.ravel(), np.ravel(u), np.broadcast_to(mean, np.shape(u)).ravel()
    large = mean_flat > _DEEP
    if large.any():
        m = mean_flat[large]
        most = np.ceil(m + 10.0 * np.sqrt(m))  # ten standard deviations up: above every count that a double below 1 can give
        flat[large] = _first(most.astype(np.int64), lambda k: pdtrc(k, m) < 1.0 - u_flat[large])
    term = np.exp(-mean_flat)
    open_places = np.flatnonzero((u_flat >= term) & ~large)
    term, below, mean_open, u_open = term[open_places], term[open_places], mean_flat[open_places], u_flat[open_places]
    k = 0
    while open_places.size:
        k += 1
        term = term * mean_open / k
        below = below + term
        flat[open_places] = k
        # A term that no longer changes the sum ends the search (u within rounding of one).
        go_on = (u_open >= below) & (below + term > below)
        open_places, term, below, mean_open, u_open = open_places[go_on], term[go_on], below[go_on], mean_open[go_on], u_open[go_on]
    return count


def binomial(u: NDArray[np.float64], n: NDArray[np.integer], p: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn uniforms into binomial counts: the smallest count whose cumulative probability exceeds u; `p` in [0, 1].

    By sequential search over the places still open; by bisection where a zero is almost impossible.
    The counts grow with `u` (and with `p` under one `u`).
    """
    shape = np.shape(u)
    count = np.zeros(shape, dtype=np.int64)
    flat, u_flat = count.ravel(), np.ravel(u)
    n_flat = np.broadcast_to(n, shape).ravel().astype(np.int64)
    p_flat = np.broadcast_to(p, shape).ravel().astype(np.float64)
    certain = p_flat >= 1.0
    flat[certain] = n_flat[certain]
    open_places = np.flatnonzero(~certain & (n_flat > 0) & (p_flat > 0.0))
    if not open_places.size:
        return count
    deep = -n_flat[open_places] * np.log1p(-p_flat[open_places]) > _DEEP
    if deep.any():
        large = open_places[deep]
        flat[large] = _first(n_flat[large], lambda k: bdtrc(k, n_flat[large], p_flat[large]) < 1.0 - u_flat[large])
        open_places = open_places[~deep]
    odds = p_flat[open_places] / (1.0 - p_flat[open_places])
    term = (1.0 - p_flat[open_places]) ** n_flat[open_places]
    below = term
    k = 0
    while open_places.size:
        go_on = (u_flat[open_places] >= below) & (k < n_flat[open_places]) & (below + term > below)
        open_places, odds, term, below = open_places[go_on], odds[go_on], term[go_on], below[go_on]
        k += 1
        term = term * odds * (n_flat[open_places] - k + 1) / k
        below = below + term
        flat[open_places] = k
    return count


def _first(most: NDArray[np.int64], enough: Callable[[NDArray[np.int64]], NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Return the smallest numbers that are enough, none above `most`, by bisection.

    Callers ask whether the chance of more than k is below 1 - u, because probabilities near 1 are
    rounded more than those near 0.
    """
    low, high = np.zeros(most.shape, dtype=np.int64), most
    while (low < high).any():
        middle = (low + high) // 2
        reached = enough(middle)
        low, high = np.where(reached, low, np.minimum(middle + 1, high)), np.where(reached, middle, high)
    return low
