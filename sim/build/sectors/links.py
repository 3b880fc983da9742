"""Links between firms of given sectors, so that every flow between sectors has some to travel by."""

from __future__ import annotations

import numpy as np

from agents.columns import Floats, Ints
from agents.streams import Streams
from sim.build.drawing import ANY, ATTEMPTS, Pools, by_slot, fill_slots

__all__ = ["covered", "first_customers", "place_firms", "shared_out", "suppliers"]


def place_firms(streams: Streams, count: Ints) -> Ints:
    """Give every firm a sector, shape (n,): who is where is luck, how many are not."""
    sector = np.empty(int(count.sum()), dtype=np.int64)
    sector[np.argsort(streams.uniform("network: sector", 0, sector.size), kind="stable")] = np.repeat(np.arange(count.size), count)
    return sector


def covered(coefficients: Floats, coverage: float, count: Ints) -> Floats:
    """Return the technical coefficients that get links, 0 elsewhere, shape (k, k).

    Of each buying sector the largest that make up `coverage` of its purchases; of a sector of one firm none from itself.
    """
    share = np.where(np.eye(count.size, dtype=np.bool_) & (count == 1), 0.0, coefficients)
    order = np.argsort(-share, axis=0, kind="stable")
    ranked = np.take_along_axis(share, order, axis=0)
    before = np.cumsum(ranked, axis=0) - ranked
    kept = np.zeros_like(share)
    np.put_along_axis(kept, order, np.where(before < coverage * share.sum(axis=0), ranked, 0.0), axis=0)
    return kept


def first_customers(streams: Streams, flows: Floats, sector: Ints, sought: Ints) -> Ints:
    """Find every firm one customer, shape (n,): its sector by flows, shape (k, k), the firm by the suppliers it seeks; -1 where none is."""
    n, none = sector.size, np.zeros(sector.size, dtype=np.int64)
    buyers = Pools(sector, none, none, sought.astype(np.float64))
    first = np.full(n, -1)
    for attempt in range(ATTEMPTS):
        still = np.flatnonzero((first < 0) & (flows.sum(axis=1) > 0)[sector])
        u = streams.uniform(f"network: sector of first customer, attempt {attempt}", 0, n)[still]
        where = _along(flows.T, sector[still], u)
        u = streams.uniform(f"network: first customer, attempt {attempt}", 0, n)[still]
        found = buyers.pick(where, none[still], none[still], none[still] + ANY, u)
        first[still] = np.where(found == still, -1, found)
    return first


def shared_out(streams: Streams, share: Floats, sector: Ints, size: Floats) -> tuple[Ints, Ints]:
    """Return pairs of a buying firm and a supplying sector, so that what sectors buy can be shared out.

    A sector's purchases are laid end to end twice, by supplying sectors and by its firms as large as they are expected
    to be, both in random order: a firm gets a link to every sector that its stretch overlaps. That is as many
    pairs as there are firms and sectors, less one (the north-west corner of a transport problem).
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
    streams: Streams, share: Floats, sector: Ints, expected: Floats, first: Ints, must: tuple[Ints, Ints], more: Ints
) -> tuple[Ints, Ints, Ints]:
    """Find suppliers: customer, slot, and supplier of every link but the first of each supplier, each of shape (m,).

    Parameters
    ----------
    share : float array, shape (k, k)
        Chances of a supplying sector, by buying sector.
    sector, first : int arrays, shape (n,)
        Sectors of firms, and their first customers.
    expected : float array, shape (n,)
        Customers to be expected, the first included.
    must : pair of int arrays
        Buying firms and supplying sectors that are to be linked.
    more : int array, shape (n,)
        Slots of each firm beside these.
    """
    n = sector.size
    customer = np.concatenate([must[0], np.repeat(np.arange(n), more)])
    order = np.argsort(customer, kind="stable")
    customer, due = customer[order], order < must[0].size
    slot = np.arange(customer.size) - np.searchsorted(customer, customer)
    wanted = _along(share, sector[customer], by_slot(streams, "network: supplying sector", customer, slot))
    wanted[due] = must[1][order[due]]
    none = np.zeros(customer.size, dtype=np.int64)
    appealing, alike = (Pools(sector, sector * 0, sector * 0, chance) for chance in (np.maximum(expected - 1.0, 0.05), np.ones(n)))

    def find(attempt: int, still: Ints) -> Ints:
        u = by_slot(streams, f"network: supplier, attempt {attempt}", customer[still], slot[still])
        # Where the few that appeal are taken, anybody of the sector will do.
        pools = appealing if 2 * attempt < ATTEMPTS else alike
        return pools.pick(wanted[still], none[still], none[still], none[still] + ANY, u)

    supplying = np.flatnonzero(first >= 0)
    taken = np.sort(first[supplying] * n + supplying)
    found = fill_slots(customer, np.arange(customer.size), taken, n, find)
    return customer[found >= 0], slot[found >= 0], found[found >= 0]


def _along(weight: Floats, column: Ints, u: Floats) -> Ints:
    """Turn uniforms into rows of a matrix, each by the weights in one of its columns: shape of u."""
    k = weight.shape[0]
    line = np.cumsum(weight / np.maximum(weight.sum(axis=0), 1e-300), axis=0).T
    row = np.searchsorted((line + np.arange(line.shape[0])[:, None]).ravel(), column + u, side="right") - column * k
    # Rounding at either end must not lead to a row of no weight.
    low, high = np.argmax(weight > 0, axis=0), k - 1 - np.argmax(weight[::-1] > 0, axis=0)
    return np.clip(row, low[column], high[column])
