"""Counter-based random streams: any draw can be made alone, in any order, on any number of cores.

A draw is addressed by (replicate, decision, month, slot, place). Philox 4x64-10 [1]_ turns the
address into 64 random bits: the key is the replicate, the counter is (block of places, month,
decision, slot). What belongs to a pair of agents, such as a link, has the place of one of them and a
slot of its own. No draw uses up another one. So if a policy draws more, or an agent or a link is added,
all other random numbers stay the same: two policies under one replicate differ only by what the policy does.

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

Words = NDArray[np.uint64]

_WORD = 1 << 64
_COUNTER = 1 << 256
_TO_UNIT = 2.0**-53  # 53 random bits make a double in [0, 1)
_MULTIPLIERS = (np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157))  # of Philox 4x64, as published
_STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # what its key grows by in each of the ten rounds
_HALF, _LOW_HALF = np.uint64(32), np.uint64((1 << 32) - 1)
_FEW = 64  # draws; up to here one after the other is faster than all together
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

    def of_region(self, name: str) -> Streams:
        """Return the random numbers of one region of this replicate: the same whichever regions are in the world beside it."""
        digest = blake2b(f"region: {name}".encode(), digest_size=16).digest()
        low, high = (int.from_bytes(half, "little") for half in (digest[:8], digest[8:]))
        return Streams((self.key[0] ^ low, self.key[1] ^ high), self.rename)

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
        return self._alone(decision, month, where.ravel(), np.full(where.size, slot)).reshape(where.shape)

    def uniform_of_slots(
        self, decision: str, month: int, places: NDArray[np.int64], slots: NDArray[np.int64], turns: int = 1
    ) -> NDArray[np.float64]:
        """Draw for places with a slot each, with the same bits as `uniform` gives them: uniforms of shape (turns, k).

        Parameters
        ----------
        decision : str
        month : int
        places, slots : int arrays, shape (k,)
            Slots are below 2**32.
        turns : int
            Draws of each, for decisions that need several; the slots of the next turn lie 2**32 higher.
        """
        count = np.bincount(slots)
        last = np.zeros(count.size, dtype=np.int64)
        np.maximum.at(last, slots, places + 1)
        # A slot that many places have is drawn for all places up to the last one: that takes far less time than draws one by one.
        whole = 90 * count > last + 500
        length = np.where(whole, last, 0)
        together = whole[slots]
        where = (np.cumsum(length) - length)[slots[together]] + places[together]
        out = np.empty((turns, places.size))
        for turn in range(turns if where.size else 0):
            drawn = [self.uniform(decision, month, int(length[slot]), slot + (turn << 32)) for slot in np.flatnonzero(whole).tolist()]
            out[turn, together] = np.concatenate(drawn)[where]
        alone = np.flatnonzero(~together)
        if alone.size:
            each = (slots[alone] + (np.arange(turns) << 32)[:, None]).ravel()
            out[:, alone] = self._alone(decision, month, np.tile(places[alone], turns), each).reshape(turns, -1)
        return out

    def _alone(self, decision: str, month: int, places: NDArray[np.int64], slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Draw for places and slots that have nothing to do with each other: uniforms of shape (k,)."""
        block, lane = np.divmod(places, 4)
        if places.size <= _FEW:
            words = [
                self._bits(decision, month, s, b).random_raw(4)[k]
                for s, b, k in zip(slots.tolist(), block.tolist(), lane.tolist(), strict=True)
            ]
            raw = np.array(words, dtype=np.uint64)
        else:
            if (places < 0).any() or (slots < 0).any():
                raise ValueError(f"no draw of {decision!r} for a negative place or slot")
            key = decision_key(self.rename.get(decision, decision))
            in_month, of_decision = np.array([[index(month) % _WORD], [key]], dtype=np.uint64)
            words = _philox(block.astype(np.uint64), in_month, of_decision, slots.astype(np.uint64), self.key)
            raw = np.choose(lane, words)
        return np.asarray((raw >> np.uint64(11)) * _TO_UNIT, dtype=np.float64)


def _high_word(a: NDArray[np.uint64], b: np.uint64) -> NDArray[np.uint64]:
    """Return the upper 64 of the 128 bits of a product; NumPy keeps only the lower ones."""
    a_low, a_high, b_low, b_high = a & _LOW_HALF, a >> _HALF, b & _LOW_HALF, b >> _HALF
    middle = a_high * b_low + (a_low * b_low >> _HALF)
    other = a_low * b_high + (middle & _LOW_HALF)
    return np.asarray(a_high * b_high + (middle >> _HALF) + (other >> _HALF))


def _philox(c0: Words, c1: Words, c2: Words, c3: Words, key: tuple[int, int]) -> list[Words]:
    """Philox 4x64-10 of many counters at once, each of shape (k,) or (1,): four words of each. NumPy's own takes one after the other."""
    k0, k1 = key
    words = [c0, c1, c2, c3]
    for _ in range(10):
        c0, c1, c2, c3 = words
        one, other = _MULTIPLIERS
        words = [_high_word(c2, other) ^ c1 ^ np.uint64(k0), c2 * other, _high_word(c0, one) ^ c3 ^ np.uint64(k1), c0 * one]
        k0, k1 = (k0 + _STEPS[0]) % _WORD, (k1 + _STEPS[1]) % _WORD
    return words


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
