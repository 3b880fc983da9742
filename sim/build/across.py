"""Several regions in one world: their networks side by side, links across their borders, and what they recognise of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.columns import Flags, Floats, Ints
from agents.streams import Streams
from sim.build.region import Region, of_region_names
from sim.network.network import SupplyNetwork
from sim.parameters import ParameterError, check_ranges, parameter

__all__ = ["Across", "joined"]


@dataclass(frozen=True, kw_only=True)
class Across:
    """What goes across the borders of several regions in one world.

    With a share of links of 0 and no recognition each region has the results that it has alone.
    """

    links: float = parameter(
        0.1, 0.0, 1.0, "share", "assumption", "N",
        "share of links whose supplier is in another region, of all but one link of each supplier: none loses all its customers",
    )  # fmt: skip
    recognition: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N",
        "how far regions recognise each other: the share of what a certificate or mark tells a customer that it tells one elsewhere, "
        "and the share of the stations online that serve firms of other regions too",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        check_ranges(self, "across.")


@dataclass(frozen=True)
class _Places:
    """Firms in groups, each firm as long on a line as its weight: to draw one of a group."""

    order: Ints
    group: Ints
    line: Floats

    @classmethod
    def of(cls, group: Ints, weight: Floats) -> _Places:
        """Put firms of a group, shape (n,), end to end."""
        order = np.argsort(group, kind="stable")
        return cls(order, group[order], np.concatenate([[0.0], np.cumsum(weight[order])]))

    def draw(self, wanted: Ints, u: Floats) -> Ints:
        """Return a firm of each wanted group, -1 where it has none; shape of `wanted`."""
        first, last = np.searchsorted(self.group, wanted), np.searchsorted(self.group, wanted, side="right")
        begin, end = self.line[first], self.line[last]
        at = np.searchsorted(self.line, begin + u * (end - begin), side="right") - 1
        return np.where(end > begin, self.order[np.clip(at, first, np.maximum(last - 1, first)) % max(self.order.size, 1)], -1)


def joined(networks: Sequence[SupplyNetwork], regions: Sequence[Region], luck: Sequence[Streams], across: Across) -> SupplyNetwork:
    """Put networks of regions side by side, and let a share of their links come from another region.

    Firms, chains and sectors of one region follow those of the one before. A link that comes from another region has a supplier of the same
    tier there, and of the sector of the same number, if that has such a firm; larger firms are chosen more often. Essential inputs stay at
    home, and so do links whose tier has no supplier elsewhere. Which links these are is drawn by customer's place and slot, so that a
    larger share includes all links of a smaller one.

    Parameters
    ----------
    networks, regions, luck : sequences
        Of each region its network, its figures, and its random numbers.
    across : Across

    Raises
    ------
    ParameterError
        If two regions have the same key or name.
    """
    for what in ("key", "label"):
        named = [getattr(region, what) for region in regions]
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise ParameterError(f"region.{what} {twice!r} is that of two regions; each region may be named once")
    firms, chains, sectors = ([len(getattr(one, of)) for one in networks] for of in ("names", "chains", "sectors"))
    first = {of: np.cumsum([0, *counts]) for of, counts in (("firms", firms), ("chains", chains), ("sectors", sectors))}

    def stacked(of: str, after: str = "") -> Ints:
        return np.concatenate([getattr(one, of) + (first[after][k] if after else 0) for k, one in enumerate(networks)])

    network = SupplyNetwork.build(
        names=of_region_names(regions, [one.names.tolist() for one in networks]),
        supplier=stacked("supplier", "firms"),
        customer=stacked("customer", "firms"),
        value_share=stacked("value_share"),
        leader=stacked("leader"),
        final_demand=stacked("final_demand"),
        chain=stacked("chain", "chains"),
        sector=stacked("sector", "sectors"),
        unit_cost=stacked("unit_cost"),
        units=stacked("units"),
        essential=stacked("essential"),
        slot=stacked("slot"),
        region=np.repeat(np.arange(len(networks)), firms),
        chains=of_region_names(regions, [one.chains for one in networks]),
        sectors=of_region_names(regions, [one.sectors for one in networks]),
        notes=dict.fromkeys(note for one in networks for note in one.notes),
    )
    return _linked(network, first, luck, across) if across.links else network


def _linked(network: SupplyNetwork, first: dict[str, Ints], luck: Sequence[Streams], across: Across) -> SupplyNetwork:
    """Give a share of the links a supplier in another region."""
    region = network.region if network.region is not None else np.zeros(network.n_firms, dtype=np.int64)
    u, where_to, whom = _drawn(network, region, first["firms"], luck)
    moves = (u < across.links) & ~network.essential & ~_last_of_its_supplier(network, u)
    tier, supplier = network.tier, network.supplier
    rows = np.flatnonzero(moves & (tier[supplier] > 0))
    rows = rows[np.argsort(u[rows], kind="stable")]  # two links of a customer may draw one supplier: the first to move gets it
    target = (region[supplier[rows]] + 1 + np.floor(where_to[rows] * (len(luck) - 1)).astype(np.int64)) % len(luck)
    weight = np.where(network.leader, 0.0, network.steady_orders())
    sector = network.sector - first["sectors"][region]
    tiers, sectors = int(tier.max()) + 2, len(network.sectors)
    level = region * tiers + tier + 1
    there = target * tiers + tier[supplier[rows]] + 1
    new = _Places.of(level * sectors + sector, weight).draw(there * sectors + sector[supplier[rows]], whom[rows])
    new = np.where(new >= 0, new, _Places.of(level, weight).draw(there, whom[rows]))
    rows, new = rows[new >= 0], new[new >= 0]
    _, one_of_a_pair = np.unique(network.customer[rows] * network.n_firms + new, return_index=True)
    moved = supplier.copy()
    moved[rows[one_of_a_pair]] = new[one_of_a_pair]
    return network.rewired(moved)


def _drawn(network: SupplyNetwork, region: Ints, first: Ints, luck: Sequence[Streams]) -> tuple[Floats, Floats, Floats]:
    """Three uniforms of each link, by its customer's place in its region and its slot: shape (m,) each."""
    drawn = np.empty((3, network.n_links))
    for number, its in enumerate(luck):
        ours = region[network.customer] == number
        customer = network.customer[ours] - first[number]
        drawn[:, ours] = its.uniform_of_slots("network: from another region", 0, customer, network.slot[ours], 3)
    return drawn[0], drawn[1], drawn[2]


def _last_of_its_supplier(network: SupplyNetwork, u: Floats) -> Flags:
    """The link of each supplier with the largest draw: the last that would move, shape (m,)."""
    order = np.lexsort((u, network.supplier))
    last = np.zeros(network.n_links, dtype=np.bool_)
    last[order[np.append(np.diff(network.supplier[order]) > 0, True)]] = True
    return last
