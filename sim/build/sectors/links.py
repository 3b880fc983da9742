"""Links between firms of given sectors, so that every flow between sectors has at least one link."""

from __future__ import annotations

import numpy as np

from agents.columns import Floats, Ints
from agents.streams import Streams
from sim.build.drawing import ANY, ATTEMPTS, Pools, fill_slots

__all__ = ["covered", "first_customers", "place_firms", "shared_out", "suppliers"]


def place_firms(streams: Streams, count: Ints) -> Ints:
    """Give every firm a sector, shape (n,): the numbers of firms are fixed, which firm is in which sector is random."""
    sector = np.empty(int(count.sum()), dtype=np.int64)
    sector[np.argsort(streams.uniform("network: sector", 0, sector.size), kind="stable")] = np.repeat(np.arange(count.size), count)
    return sector


def covered(coefficients: Floats, coverage: float, count: Ints) -> Floats:
    """Return the technical coefficients that get links, 0 elsewhere, shape (k, k).

    For each buying sector these are the largest that make up `coverage` of its purchases; a sector of one firm has none with itself.
    """
    share = np.where(np.eye(count.size, dtype=np.bool_) & (count == 1), 0.0, coefficients)
    order = np.argsort(-share, axis=0, kind="stable")
    ranked = np.take_along_axis(share, order, axis=0)
    before = np.cumsum(ranked, axis=0) - ranked
    covered_share = np.zeros_like(share)
    np.put_along_axis(covered_share, order, np.where(before < coverage * share.sum(axis=0), ranked, 0.0), axis=0)
    return covered_share


def first_customers(streams: Streams, flows: Floats, sector: Ints, sought: Ints) -> Ints:
    """Draw a customer for every firm, shape (n,): a sector by flows, shape (k, k), a firm by the suppliers it seeks; -1 if none."""
    n, zeros = sector.size, np.zeros(sector.size, dtype=np.int64)
    buyers = Pools(sector, zeros, zeros, sought.astype(np.float64))
    first = np.full(n, -1)
    for attempt in range(ATTEMPTS):
        unmatched = np.flatnonzero((first < 0) & (flows.sum(axis=1) > 0)[sector])
        u = streams.uniform(f"network: sector of first customer, attempt {attempt}", 0, n)[unmatched]
        where = _along(flows.T, sector[unmatched], u)
        u = streams.uniform(f"network: first customer, attempt {attempt}", 0, n)[unmatched]
        candidate = buyers.pick(where, zeros[unmatched], zeros[unmatched], zeros[unmatched] + ANY, u)
        first[unmatched] = np.where(candidate == unmatched, -1, candidate)
    return first


def shared_out(streams: Streams, share: Floats, sector: Ints, size: Floats) -> tuple[Ints, Ints]:
    """Return pairs of a buying firm and a supplying sector, so that the purchases of sectors can be divided between firms.

    A sector's purchases are laid on a line twice: divided by supplying sector, and divided by the expected size of its
    firms, both in random order. A firm gets a link to every sector that its part of the line overlaps. The number of pairs is
    that of firms and sectors, less one (the north-west corner rule of the transport problem).
    """
    k = share.shape[0]
    by_firm = np.lexsort((streams.uniform("network: place among buyers", 0, sector.size), sector))
    ends = np.searchsorted(sector[by_firm], np.arange(k + 1))
    shuffled = np.argsort(streams.uniforms("network: place among suppliers", 0, k, k), axis=0)
    buyers, wanted = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for s in np.flatnonzero(share.sum(axis=0) > 0):
        rows = by_firm[ends[s] : ends[s + 1]]
        sectors = shuffled[:, s][share[shuffled[:, s], s] > 0]
        lines = [np.cumsum(part) / np.sum(part) for part in (size[rows], share[sectors, s])]
        starts = np.unique(np.concatenate([[0.0], lines[0][:-1], lines[1][:-1]]))
        at = [np.minimum(np.searchsorted(line, starts, side="right"), line.size - 1) for line in lines]
        buyers.append(rows[at[0]])
        wanted.append(sectors[at[1]])
    pairs = np.unique(np.stack([np.concatenate(buyers), np.concatenate(wanted)]), axis=1)
    return pairs[0], pairs[1]


def suppliers(
    streams: Streams, share: Floats, sector: Ints, expected: Floats, first: Ints, pairs: tuple[Ints, Ints], free_slots: Ints
) -> tuple[Ints, Ints, Ints]:
    """Draw suppliers: customer, slot, and supplier of every link except the first link of each supplier, each of shape (m,).

    Parameters
    ----------
    share : float array, shape (k, k)
        Chances of a supplying sector, by buying sector.
    sector, first : int arrays, shape (n,)
        Sectors of firms, and their first customers.
    expected : float array, shape (n,)
        Expected number of customers, the first included.
    pairs : pair of int arrays
        Buying firms and supplying sectors that must be linked.
    free_slots : int array, shape (n,)
        Slots of each firm in addition to these.
    """
    n = sector.size
    customer = np.concatenate([pairs[0], np.repeat(np.arange(n), free_slots)])
    order = np.argsort(customer, kind="stable")
    customer, required = customer[order], order < pairs[0].size
    slot = np.arange(customer.size) - np.searchsorted(customer, customer)
    wanted = _along(share, sector[customer], streams.uniform_of_slots("network: supplying sector", 0, customer, slot)[0])
    wanted[required] = pairs[1][order[required]]
    zeros = np.zeros(customer.size, dtype=np.int64)
    appealing, alike = (Pools(sector, sector * 0, sector * 0, chance) for chance in (np.maximum(expected - 1.0, 0.05), np.ones(n)))

    def find(attempt: int, empty: Ints) -> Ints:
        u = streams.uniform_of_slots(f"network: supplier, attempt {attempt}", 0, customer[empty], slot[empty])[0]
        # Later attempts take any firm of the sector, because firms with much appeal may all be taken.
        pools = appealing if 2 * attempt < ATTEMPTS else alike
        return pools.pick(wanted[empty], zeros[empty], zeros[empty], zeros[empty] + ANY, u)

    supplying = np.flatnonzero(first >= 0)
    taken = np.sort(first[supplying] * n + supplying)
    supplier = fill_slots(customer, np.arange(customer.size), taken, n, find)
    return customer[supplier >= 0], slot[supplier >= 0], supplier[supplier >= 0]


def _along(weight: Floats, column: Ints, u: Floats) -> Ints:
    """Turn uniforms into rows of a matrix, each by the weights in one of its columns: shape of u."""
    k = weight.shape[0]
    line = np.cumsum(weight / np.maximum(weight.sum(axis=0), 1e-300), axis=0).T
    row = np.searchsorted((line + np.arange(line.shape[0])[:, None]).ravel(), column + u, side="right") - column * k
    # Rounding at the ends must not lead to a row without weight.
    low, high = np.argmax(weight > 0, axis=0), k - 1 - np.argmax(weight[::-1] > 0, axis=0)
    return np.clip(row, low[column], high[column])
