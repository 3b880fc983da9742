"""Flows between firms, balanced by turns to what firms can buy and to what a table of sectors says (RAS)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats, Ints
from sim.build.drawing import LARGEST_MATERIAL_SHARE
from sim.build.sectors.sector_table import SectorTable
from sim.sums import add_up

__all__ = ["Balance"]


LEAST_MATERIAL_SHARE = 0.02  # aimed at, of a firm that buys; links that carry next to nothing would be no links
LEAST_FLOW = 1e-3  # of a link, as a share of the mean of the links between its two sectors: balancing must not do away with links
NEAREST = 20  # firms that may share the supplier of one that has to buy too much
STEPS = 300  # at most
SETTLED = 1e-7  # of a firm's sales: largest purchases beyond what it may buy, and largest change, at which they end


class Balance:
    """Flows on given links that add up to a table's.

    Parameters
    ----------
    table : SectorTable
    sector : int array, shape (n,)
    supplier, customer : int arrays, shape (m,)
    spread : float array, shape (n,)
        By how much the inputs per output of a firm are to lie above its sector's, CNY/CNY.
    """

    def __init__(self, table: SectorTable, sector: Ints, supplier: Ints, customer: Ints, spread: Floats) -> None:
        self.sector, self.supplier, self.customer = sector, supplier, customer
        self.k, self.n = len(table.codes), sector.size
        self._members = [np.flatnonzero(sector == k) for k in range(self.k)]
        pair, self.block = np.unique(sector[supplier] * self.k + sector[customer], return_inverse=True)
        self.flows = table.flows.ravel()[pair]
        self.fewest = LEAST_FLOW * (self.flows / np.bincount(self.block))[self.block]
        linked = add_up(pair, self.flows, self.k * self.k).reshape(self.k, self.k)
        # What no link can carry is sold to users, and bought outside.
        self.users = table.output - linked.sum(axis=1)
        self.bought = linked.sum(axis=0)
        share = (self.bought / table.output)[sector]
        self.most = np.maximum(LARGEST_MATERIAL_SHARE, 0.5 * (1.0 + share))
        self.aim = np.clip(share + spread, np.minimum(LEAST_MATERIAL_SHARE, share), self.most)

    def settle(self, weight: Floats, users: Floats) -> tuple[Floats, Floats]:
        """Return flows, shape (m,), and sales to users, shape (n,), in the table's unit, from what they are to be proportional to."""
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
        """Return links to be added so that firms need not buy more than they can: rows of links of theirs, and another customer for each.

        Shape (2, links). The largest flow to a firm beyond its means, of those that can, is to be shared with the firm of its
        sector that has most room.
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
            found = next((p for p in pairs if (seller := int(supplier[p[0]])) != p[1] and (seller, p[1]) not in linked), None)
            if found:
                linked.add((int(supplier[found[0]]), found[1]))
                added.append(found)
                room[found[1]] += room[firm]
        return np.array(added, dtype=np.int64).reshape(-1, 2).T

    def shares(self, flow: Floats, to_users: Floats) -> Floats:
        """Return value shares, shape (m,); where they leave too little value added to a customer they are cut."""
        sales = to_users + add_up(self.supplier, flow, self.n)
        share = flow / sales[self.customer]
        return share * np.minimum(1.0, self.most / np.maximum(add_up(self.customer, share, self.n), 1e-300))[self.customer]

    def _to_table(self, flow: Floats) -> Floats:
        """Scale flows so that each pair of sectors has what the table says."""
        return flow * (self.flows / np.maximum(add_up(self.block, flow, self.flows.size), 1e-300))[self.block]

    def _affordable(self, sales: Floats, buying: NDArray[np.bool_]) -> Floats:
        """Return what firms are to buy, shape (n,): near their aim, below their sales, and in all what their sector buys."""
        aim = np.where(buying, self.aim, 0.0) * sales
        room = np.where(buying, self.most, 0.0) * sales
        total, free = (add_up(self.sector, x, self.k) for x in (aim, room))
        # Below the aim all by one factor; above it each by the same part of the room that is left.
        down = np.minimum(self.bought / np.maximum(total, 1e-300), 1.0)
        up = np.clip((self.bought - total) / np.maximum(free - total, 1e-300), 0.0, 1.0)
        return aim * down[self.sector] + (room - aim) * up[self.sector]
