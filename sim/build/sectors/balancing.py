"""Flows between firms, balanced in turns to what firms can buy and to a table of sectors (RAS)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats, Ints
from sim.build.drawing import LARGEST_MATERIAL_SHARE
from sim.build.sectors.sector_table import SectorTable
from sim.sums import add_up

__all__ = ["Balance"]


LEAST_MATERIAL_SHARE = 0.02  # smallest wanted inputs per output of a firm that buys, so that its links carry some goods
LEAST_FLOW = 1e-3  # of a link, as a share of the mean of the links between its two sectors: balancing must not remove links
NEAREST = 20  # firms that may take over part of the purchases of a firm that has to buy too much
STEPS = 300  # at most
SETTLED = 1e-7  # share of a firm's sales: balancing ends when excess purchases and changes are smaller


class Balance:
    """Flows on given links that add up to a table.

    Parameters
    ----------
    table : SectorTable
    sector : int array, shape (n,)
    supplier, customer : int arrays, shape (m,)
    spread : float array, shape (n,)
        Wanted difference of a firm's inputs per output from its sector's, CNY/CNY.
    """

    def __init__(self, table: SectorTable, sector: Ints, supplier: Ints, customer: Ints, spread: Floats) -> None:
        self.sector, self.supplier, self.customer = sector, supplier, customer
        self.k, self.n = len(table.codes), sector.size
        self._members = [np.flatnonzero(sector == k) for k in range(self.k)]
        pair, self.block = np.unique(sector[supplier] * self.k + sector[customer], return_inverse=True)
        self.flows = table.flows.ravel()[pair]
        self.fewest = LEAST_FLOW * (self.flows / np.bincount(self.block))[self.block]
        linked = add_up(pair, self.flows, self.k * self.k).reshape(self.k, self.k)
        # Flows without a link are sold to users, and bought outside.
        self.users = table.output - linked.sum(axis=1)
        self.bought = linked.sum(axis=0)
        share = (self.bought / table.output)[sector]
        self.most = np.maximum(LARGEST_MATERIAL_SHARE, 0.5 * (1.0 + share))
        self.aim = np.clip(share + spread, np.minimum(LEAST_MATERIAL_SHARE, share), self.most)

    def settle(self, weight: Floats, users: Floats) -> tuple[Floats, Floats]:
        """Return flows, shape (m,), and sales to users, shape (n,), in the table's unit, from values in proportion to which they start."""
        n, supplier, customer = self.n, self.supplier, self.customer
        to_users = users * (self.users / np.maximum(add_up(self.sector, users, self.k), 1e-300))[self.sector]
        flow = self._to_table(weight)
        before = np.zeros(n)
        for _ in range(STEPS):
            sales = to_users + add_up(supplier, flow, n)
            buys = add_up(customer, flow, n)
            if np.abs(buys - before).max() <= SETTLED * sales.max():
                break
            before = buys
            scaled = flow * (self._affordable(sales, buys > 0) / np.maximum(buys, 1e-300))[customer]
            flow = self._to_table(np.maximum(scaled, self.fewest))
        return flow, to_users

    def relieved(self, flow: Floats, to_users: Floats) -> Ints:
        """Return links to add, so that firms need not buy more than they can: rows of existing links, and another customer for each.

        Shape (2, links). If a firm would have to buy too much, its largest possible input is shared with the firm of its
        sector that can buy most in addition.
        """
        n, supplier, customer = self.n, self.supplier, self.customer
        sales, buys = to_users + add_up(supplier, flow, n), add_up(customer, flow, n)
        room = self.most * sales - buys
        largest = np.lexsort((-flow, customer))
        ends = np.searchsorted(customer[largest], np.arange(n + 1))
        linked = {*zip(supplier.tolist(), customer.tolist(), strict=True)}
        added = []
        short = np.flatnonzero(room < -SETTLED * sales)
        for firm in short[np.argsort(room[short], kind="stable")].tolist():
            peers = self._members[self.sector[firm]]
            peers = peers[np.argsort(-room[peers], kind="stable")]
            peers = peers[room[peers] > 0][:NEAREST].tolist()
            links = largest[ends[firm] : ends[firm + 1]].tolist()
            pairs = ((link, peer) for link in links for peer in peers)
            pair = next((p for p in pairs if (seller := int(supplier[p[0]])) != p[1] and (seller, p[1]) not in linked), None)
            if pair:
                linked.add((int(supplier[pair[0]]), pair[1]))
                added.append(pair)
                room[pair[1]] += room[firm]
        return np.array(added, dtype=np.int64).reshape(-1, 2).T

    def shares(self, flow: Floats, to_users: Floats) -> Floats:
        """Return value shares, shape (m,); they are cut where a customer would add too little value."""
        sales = to_users + add_up(self.supplier, flow, self.n)
        share = flow / sales[self.customer]
        return share * np.minimum(1.0, self.most / np.maximum(add_up(self.customer, share, self.n), 1e-300))[self.customer]

    def _to_table(self, flow: Floats) -> Floats:
        """Scale flows so that each pair of sectors has the flow of the table."""
        return flow * (self.flows / np.maximum(add_up(self.block, flow, self.flows.size), 1e-300))[self.block]

    def _affordable(self, sales: Floats, buying: NDArray[np.bool_]) -> Floats:
        """Return the wanted purchases of firms, shape (n,): near their aim, below their sales, and in sum those of their sector."""
        aim = np.where(buying, self.aim, 0.0) * sales
        room = np.where(buying, self.most, 0.0) * sales
        total, free = (add_up(self.sector, x, self.k) for x in (aim, room))
        # Below the aim all are multiplied by one factor; above it each uses the same share of its remaining room.
        down = np.minimum(self.bought / np.maximum(total, 1e-300), 1.0)
        up = np.clip((self.bought - total) / np.maximum(free - total, 1e-300), 0.0, 1.0)
        return aim * down[self.sector] + (room - aim) * up[self.sector]
