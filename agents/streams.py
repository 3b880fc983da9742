"""Counter-based random streams: any draw can be made alone, in any order, on any number of cores.

A draw is addressed by (replicate, decision, month, slot, place). Philox 4x64-10 [1]_ turns the
address into 64 random bits: the key is the replicate, the counter is (block of places, month,
decision, slot). Nothing is consumed, so a policy that draws more, or an agent that is added,
shifts nobody else's luck: two policies under one replicate differ only by what the policy does.

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
_DEEP = 500.0  # exp(-500) is a normal number; where the chance of a zero is smaller, a search from zero would start at nothing


@lru_cache(maxsize=4096)
def decision_key(decision: str) -> int:
    """Return the 64-bit counter word of a named decision (blake2b, so equal on every machine)."""
    return int.from_bytes(blake2b(decision.encode("utf-8"), digest_size=8).digest(), "little")


def replicate_keys(seed: int, replicates: int) -> list[tuple[int, int]]:
    """Return one 128-bit key per replicate, as two 64-bit words.

    Spawned by ``numpy.random.SeedSequence``: replicates of neighbouring seeds share nothing
    (``seed + i`` would let neighbouring experiments share replicates).
    """
    children = np.random.SeedSequence(seed).spawn(replicates)
    return [(int(low), int(high)) for low, high in (child.generate_state(2, np.uint64) for child in children)]


class Streams:
    """All the luck of one replicate.

    Parameters
    ----------
    key : sequence of two int
        The 128-bit replicate key as two 64-bit words, as `replicate_keys` returns it.
    rename : dict, optional
        Decision names to be replaced by others: a placebo that changes one decision's luck
        and nothing else.
    """

    def __init__(self, key: Sequence[int], rename: dict[str, str] | None = None) -> None:
        if len(key) != 2 or not all(0 <= int(word) < _WORD for word in key):
            raise ValueError(f"a replicate key is two words of 64 bits, not {key!r}")
        self.key = (int(key[0]), int(key[1]))
        self.rename = dict(rename or {})
        self._start_bits()

    def _start_bits(self) -> None:
        # One generator, set to the address of every draw: making one costs more than a thousand draws.
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
        self._state["buffer_pos"] = 4  # nothing left over from the draw before
        self._philox.state = self._state
        return self._philox

    def uniform(self, decision: str, month: int, n: int, slot: int = 0) -> NDArray[np.float64]:
        """Draw for the places 0 … n-1: uniforms in [0, 1), shape (n,); draw *i* belongs to place *i*."""
        self._bits(decision, month, slot, 0)
        return self._generator.random(n)

    def uniforms(self, decision: str, month: int, n: int, slots: int) -> NDArray[np.float64]:
        """Draw for n places with several slots each (one per kind of problem, say): shape (n, slots)."""
        out = np.empty((slots, n))
        for slot in range(slots):
            out[slot] = self.uniform(decision, month, n, slot)
        return out.T

    def uniform_at(self, decision: str, month: int, places: ArrayLike, slot: int = 0) -> NDArray[np.float64]:
        """Draw for some places alone; the same bits as `uniform` gives them. Shape of `places`."""
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
    """Turn uniforms into choices with given chances: the first place on a line whose cumulative weight exceeds u times the whole.

    Parameters
    ----------
    u : array, shape (k,)
        Uniforms in [0, 1).
    lines : array, shape (lines, places)
        Cumulative weights; every line that is used ends above 0.
    line : int array, shape (k,)
        The line that each choice is made on.
    """
    level = u * lines[line, -1]
    return _first(np.full(u.shape, lines.shape[1] - 1), lambda k: lines[line, k] > level)


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
        most = np.ceil(m + 10.0 * np.sqrt(m))  # ten standard deviations up: beyond what any double below 1 stands for
        flat[large] = _first(most.astype(np.int64), lambda k: pdtrc(k, m) < 1.0 - u_flat[large])
    term = np.exp(-mean_flat)
    rest = np.flatnonzero((u_flat >= term) & ~large)
    term, below, mean_rest, u_rest = term[rest], term[rest], mean_flat[rest], u_flat[rest]
    k = 0
    while rest.size:
        k += 1
        term = term * mean_rest / k
        below = below + term
        flat[rest] = k
        # A term that no longer changes the sum ends the search (u within rounding of one).
        go_on = (u_rest >= below) & (below + term > below)
        rest, term, below, mean_rest, u_rest = rest[go_on], term[go_on], below[go_on], mean_rest[go_on], u_rest[go_on]
    return count


def binomial(u: NDArray[np.float64], n: NDArray[np.integer], p: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn uniforms into binomial counts: the smallest count whose cumulative probability exceeds u; `p` in [0, 1].

    By sequential search over the places still open; by bisection where a zero is all but impossible.
    The counts grow with `u` (and with `p` under one `u`).
    """
    shape = np.shape(u)
    count = np.zeros(shape, dtype=np.int64)
    flat, u_flat = count.ravel(), np.ravel(u)
    n_flat = np.broadcast_to(n, shape).ravel().astype(np.int64)
    p_flat = np.broadcast_to(p, shape).ravel().astype(np.float64)
    certain = p_flat >= 1.0
    flat[certain] = n_flat[certain]
    rest = np.flatnonzero(~certain & (n_flat > 0) & (p_flat > 0.0))
    if not rest.size:
        return count
    deep = -n_flat[rest] * np.log1p(-p_flat[rest]) > _DEEP
    if deep.any():
        large = rest[deep]
        flat[large] = _first(n_flat[large], lambda k: bdtrc(k, n_flat[large], p_flat[large]) < 1.0 - u_flat[large])
        rest = rest[~deep]
    odds = p_flat[rest] / (1.0 - p_flat[rest])
    term = (1.0 - p_flat[rest]) ** n_flat[rest]
    below = term
    k = 0
    while rest.size:
        go_on = (u_flat[rest] >= below) & (k < n_flat[rest]) & (below + term > below)
        rest, odds, term, below = rest[go_on], odds[go_on], term[go_on], below[go_on]
        k += 1
        term = term * odds * (n_flat[rest] - k + 1) / k
        below = below + term
        flat[rest] = k
    return count


def _first(most: NDArray[np.int64], enough: Callable[[NDArray[np.int64]], NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Return the smallest numbers, none above `most`, that are enough, by bisection.

    A distribution is asked for the chance of more than k, to be below 1 - u: probabilities near 1 are
    rounded where those near 0 are not.
    """
    low, high = np.zeros(most.shape, dtype=np.int64), most
    while (low < high).any():
        middle = (low + high) // 2
        found = enough(middle)
        low, high = np.where(found, low, np.minimum(middle + 1, high)), np.where(found, middle, high)
    return low
