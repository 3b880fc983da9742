"""A supply network generated from published figures, for use without a file of real links.

Firms are in tiers behind chain leaders. A firm of tier t buys from tier t + 1, mostly in its own
chain and often in its own sector, so that goods flow towards the leaders; a few *lateral* links,
from the same tier or one nearer the leaders, close loops, as in whole economies. The number of
suppliers that a firm seeks and its appeal to customers are Pareto: a directed fitness model
with the tails, degree and elasticity of observed networks [1]_. Every member first gets one customer
in the tier ahead, so that each reaches a leader and tiers come out exactly as planned; then
customers fill their other slots. Assortativity and clustering are not set; they emerge.

Not everything can be met at once. A supplier cannot have more customers than there are within its reach, so tails are
thinner where a tier of one chain has less than about 100 firms. Measured tail exponents from 8 links on (30 keys):
1.7-2.9 at 300 firms, 1.1-1.7 at 2,000 (mostly the random variation of 300 firms); 1.25-1.45 at 20,000 (3 keys). For
the same reason the share of links between chains is 1 to 10 points above the setting, and that
between sectors up to 8 points; the difference is smallest in large networks. The elasticity is fitted over all members: from
2,000 firms on it is 0.5-0.8 within the first tier, of few, large customers, and 0.9-1.2 behind it.

References
----------
.. [1] Bacilieri, Borsos, Astudillo-Estévez & Lafond, "Firm-level production networks: what do we
   (really) know?", replication tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.columns import Floats, Ints
from agents.streams import Streams, normal
from sim.build.chain import NamedChain
from sim.build.drawing import (
    ANY,
    ATTEMPTS,
    LARGEST_MATERIAL_SHARE,
    LARGEST_PART,
    OTHER_CHAIN,
    OTHER_SECTOR,
    SAME_SECTOR,
    Pools,
    expected_customers,
    fill_slots,
    fitted_power,
    pareto_counts,
)
from sim.network.network import SupplyNetwork
from sim.parameters import ParameterError, check_ranges, parameter
from sim.sums import add_up

__all__ = ["Synthetic", "synthetic"]


LARGEST_CHANCE = 0.1  # that one supplier is picked for one slot; a larger one would only be refused more often


@dataclass(frozen=True)
class Synthetic:
    """Settings of a synthetic network. Confidence: S read in the source, D arithmetic from it, R recalled, N assumption.

    Attributes
    ----------
    chain_names : tuple of str
        names of the chains; if empty, they have numbers
    sector_names : tuple of str
        names of the sectors; if empty, they have numbers

    Raises
    ------
    ParameterError
        Names every setting, its value and the legal range.
    """

    firms: int = parameter(300, 2, 2_000_000, "firms", "assumption", "N", "firms, leaders included")
    chains: int = parameter(4, 1, 1_000, "chains", "assumption", "N", "industrial chains")
    leaders: int = parameter(6, 1, 100_000, "firms", "assumption", "N", "chain leaders; each chain in turn gets one until all are placed")
    sectors: int = parameter(
        12,
        1,
        1_000,
        "sectors",
        "assumption",
        "N",
        "sectors; each chain has its own consecutive sectors, and its leaders belong to the first of them",
    )
    tier_shares: tuple[float, ...] = parameter(
        (0.25, 0.30, 0.25, 0.13, 0.07),
        0.0,
        1.0,
        "share",
        "assumption: a hump, as Willems (2008) has of stages by depth",
        "N",
        "relative numbers of members in tiers 1, 2, …; there are as many tiers as entries above 0",
    )
    mean_suppliers: float = parameter(5.0, 1.0, 50.0, "links/firm", "Japan: about 5 M links of 1 M firms", "S", "links per firm")
    supplier_tail: float = parameter(
        1.45,
        1.05,
        5.0,
        "1",
        "Japan 1.35-1.37, Dutch banks 1.44-1.77; networks of 20,000 firms then have 1.36",
        "D",
        "tail exponent (CCDF) of the number of suppliers sought",
    )
    customer_tail: float = parameter(
        1.35, 1.05, 5.0, "1", "Japan 1.25-1.46, Dutch banks 1.28-1.31", "S", "tail exponent (CCDF) of the number of customers"
    )
    degree_correlation: float = parameter(
        0.5, 0.0, 0.99, "1", "assumption", "N", "correlation (Gaussian copula) of suppliers sought with appeal to customers"
    )
    shared_suppliers: float = parameter(
        0.2, 0.0, 0.9, "share", "assumption", "N", "share of links whose two firms work mainly for different chains"
    )
    cross_sector: float = parameter(
        0.5,
        0.0,
        1.0,
        "share",
        "China input-output 2007, 42 sectors: 0.49 of flows within manufacturing",
        "D",
        "share of the links inside a chain whose two firms belong to different sectors",
    )
    lateral: float = parameter(
        0.1,
        0.0,
        0.5,
        "share",
        "assumption; whole economies are cyclic",
        "N",
        "share of links inside a tier or from a tier nearer the leaders; 0 makes the network acyclic",
    )
    material_share: float = parameter(
        0.54,
        0.05,
        0.9,
        "CNY/CNY",
        "China input-output 2007: manufactured inputs of manufacturing",
        "D",
        "inputs from other firms per output, mean of the firms that buy",
    )
    material_spread: float = parameter(
        0.18, 0.0, 0.5, "CNY/CNY", "China input-output 2007, between 80 manufacturing sectors", "D", "its standard deviation between firms"
    )
    order_spread: float = parameter(1.0, 0.0, 3.0, "ln", "assumption", "N", "spread of the shares of suppliers in one customer's purchases")
    size_elasticity: float = parameter(
        1.0, 0.0, 2.0, "1", "0.77 Belgium, 1.10-1.14 Estonia, 1.2 Costa Rica", "S", "d ln sales / d ln customers over all members"
    )
    demand_tail: float = parameter(1.1, 0.5, 5.0, "1", "firm size near Zipf", "S", "tail exponent (CCDF) of final demand between leaders")
    median_revenue: float = parameter(
        15e6, 1e3, 1e12, "CNY/year", "assumption", "N", "sales of the median firm, to which final demand is scaled"
    )
    chain_names: tuple[str, ...] | None = None
    sector_names: tuple[str, ...] | None = None

    # fmt: on

    def __post_init__(self) -> None:
        """Refuse settings for which no network can be built."""
        check_ranges(self, "network.")
        if not self.chains <= self.leaders <= self.firms:
            raise ParameterError(
                f"network.leaders is {self.leaders}; it must lie between the number of chains, {self.chains}, as each needs one, "
                f"and the number of firms, {self.firms}"
            )
        if not sum(self.tier_shares) > 0:
            raise ParameterError(f"network.tier_shares is {self.tier_shares!r}; at least one entry must be above 0")
        for name, count in (("chain_names", self.chains), ("sector_names", self.sectors)):
            given = getattr(self, name)
            if given and (len(given) != count or len(set(given)) != count):
                raise ParameterError(f"network.{name} is {given!r}; it must hold {count} different names")


def synthetic(settings: Synthetic, streams: Streams, named: Sequence[NamedChain] = ()) -> SupplyNetwork:
    """Make a network of the given settings; the same replicate key gives the same bits.

    Parameters
    ----------
    settings : Synthetic
    streams : Streams
        The replicate's random numbers. A firm's draws are addressed by its row, a link's by the customer's
        row and slot (the first link of a supplier by the supplier's row).
    named : sequence of NamedChain
        The first chains, with their own leaders, numbers of firms and tiers.

    Returns
    -------
    SupplyNetwork
        Leaders first; rows run from the firm that seeks the most suppliers to the one that seeks
        the fewest. Clean under ``check(strict=True)``, and every firm reaches a leader.
    """
    s, n = settings, settings.firms
    rank = np.sort(streams.uniform("network: suppliers sought", 0, n))  # 0 seeks most
    tier, chain, sector = _places(s, streams, named)
    sought = _suppliers_sought(s, rank, tier, chain)
    # Expected customers are Pareto too, with the same mean; every firm gets the first one (see _links).
    u = streams.uniform("network: customers expected", 0, n)
    expected = expected_customers(rank, u, s.mean_suppliers, s.customer_tail, s.degree_correlation)
    appeal = _appeal(tier, chain, sought, np.maximum(expected - 1.0, 0.05))
    supplier, customer, weight = _links(s, streams, tier, chain, sector, sought, appeal)

    demand = np.zeros(n)
    demand[: s.leaders] = np.sort(1.0 - streams.uniform("network: final demand", 0, s.leaders)) ** (-1.0 / s.demand_tail)
    draft = SupplyNetwork.build(
        [f"Leader {k + 1}" for k in range(s.leaders)] + [f"Firm {k + 1:05d}" for k in range(n - s.leaders)],
        supplier,
        customer,
        weight,
        np.arange(n) < s.leaders,
        demand,
        chain=chain,
        sector=sector,
        chains=s.chain_names or [f"Chain {k + 1}" for k in range(s.chains)],
        sectors=s.sector_names or [f"Sector {k + 1}" for k in range(s.sectors)],
        notes=("synthetic network: links, shares and demands are drawn, not observed",),
    )
    bought = s.material_share + s.material_spread * normal(streams.uniform("network: material share", 0, n))
    network = _with_shares(s, draft, np.clip(bought, 1.0 - LARGEST_MATERIAL_SHARE, LARGEST_MATERIAL_SHARE))
    return replace(network, final_demand=demand * (s.median_revenue / 12.0 / float(np.median(network.steady_orders()))))


def _with_shares(s: Synthetic, draft: SupplyNetwork, bought: Floats) -> SupplyNetwork:
    """Turn link weights into value shares that add up to the purchases of each firm, shape (firms,), with the wanted elasticity.

    The share of a supplier is in proportion to a power of its number of customers. The power is fitted in some
    steps, so that sales of members rise with their customers by `size_elasticity`.
    """
    customers = np.bincount(draft.supplier, minlength=draft.n_firms)
    member = ~draft.leader

    def shared(power: float) -> SupplyNetwork:
        weight = draft.value_share * customers[draft.supplier] ** power
        share = weight * (bought / np.maximum(add_up(draft.customer, weight, draft.n_firms), 1e-300))[draft.customer]
        return replace(draft, value_share=share, units=share)

    def log_sales(power: float) -> Floats:
        return np.log(shared(power).steady_orders(tolerance=1e-6)[member])

    return shared(fitted_power(np.log(customers[member]), s.size_elasticity, log_sales))


def _places(s: Synthetic, streams: Streams, named: Sequence[NamedChain]) -> tuple[Ints, Ints, Ints]:
    """Give every firm its tier, chain and sector, each of shape (firms,)."""
    n, members = s.firms, s.firms - s.leaders
    u = streams.uniform("network: chain", 0, n)
    chain = np.minimum(np.searchsorted(_sizes(s, named), u, side="right"), s.chains - 1) if named else (u * s.chains).astype(np.int64)
    chain[: s.leaders] = _leaders(s, named)
    # Tiers get their exact shares (which firm is in which tier is random), and no tier before the last one is empty.
    u = streams.uniform("network: tier", 0, n)[s.leaders :]
    drawn = np.empty(members, dtype=np.int64)
    alike = chain[s.leaders :] >= len(named)  # chains whose members are spread over tiers in the same way
    of_chains = [(one.tier_shares, chain[s.leaders :] == k) for k, one in enumerate(named)]
    for shares, these in [(s.tier_shares, alike), *of_chains]:
        rows = np.flatnonzero(these)
        order = rows[np.argsort(u[rows])]
        drawn[order] = np.searchsorted(np.cumsum(shares) / np.sum(shares), (np.arange(order.size) + 0.5) / max(order.size, 1))
    tier = np.concatenate([np.zeros(s.leaders, dtype=np.int64), np.unique(drawn, return_inverse=True)[1] + 1])
    run = -(-s.sectors // s.chains)  # sectors of one chain, rounded up, so that every sector belongs to a chain
    within = (streams.uniform("network: sector", 0, n) * run).astype(np.int64)
    within[: s.leaders] = 0  # leaders of one chain compete for the same users
    return tier, chain, (chain * run + within) % s.sectors


def _sizes(s: Synthetic, named: Sequence[NamedChain]) -> Floats:
    """Cumulative shares of the chains in all firms, shape (chains,): those with a number of firms have it, the others are alike."""
    known = np.array([chain.firms for chain in named[: s.chains]], dtype=np.float64)
    alike = max(s.firms - known.sum(), 0.0) / max(s.chains - np.count_nonzero(known), 1)
    firms = np.concatenate([np.where(known > 0, known, alike), np.full(s.chains - known.size, alike)])
    return np.cumsum(firms) / firms.sum()


def _leaders(s: Synthetic, named: Sequence[NamedChain]) -> Ints:
    """Chains of the leaders, shape (leaders,): each chain in turn gets one until all are placed; a named chain has its own number."""
    quota = [chain.leaders for chain in named[: s.chains]]
    rest, others = max(s.leaders - sum(quota), 0), s.chains - len(quota)
    if not others:
        quota, rest = [number + rest // s.chains + (k < rest % s.chains) for k, number in enumerate(quota)], 0
    quota += [rest // others + (k < rest % others) for k in range(others)]
    turns = [(turn, k) for k, number in enumerate(quota) for turn in range(number)]
    return np.array([k for _, k in sorted(turns)], dtype=np.int64)[: s.leaders]


def _suppliers_sought(s: Synthetic, rank: Floats, tier: Ints, chain: Ints) -> Ints:
    """Numbers of suppliers sought (Pareto), shape (firms,), scaled so that the mean number of suppliers that exist is as set."""
    depth = int(tier.max())
    size = np.bincount(tier * s.chains + chain, minlength=(depth + 2) * s.chains).reshape(depth + 2, s.chains)
    # A firm can buy only from the next tier of its own chain, and from the corresponding share of other chains.
    reach = np.maximum(LARGEST_PART * np.minimum(size[tier + 1, chain] / (1.0 - s.shared_suppliers), size[tier + 1].sum(1)), 1.0)
    reach = np.where(tier == depth, np.inf, reach)
    weight = np.where(tier == depth, s.lateral, 1.0)  # the last tier has no tier behind it and buys only laterally
    return pareto_counts(rank, s.supplier_tail, s.mean_suppliers * s.firms, reach, weight)


def _appeal(tier: Ints, chain: Ints, sought: Ints, expected: Floats) -> Floats:
    """Turn expected numbers of customers into chances that a firm is picked for one slot, shape (firms,).

    A customer takes a supplier only once, even if it has several slots. So a supplier with chance p has an expected number of
    customers equal to the sum of 1 - (1 - p)^slots_i over the customers i of the tier ahead. Without this correction the tail is too thin.
    """
    appeal = np.ones(tier.size)
    chances = np.geomspace(1e-7, LARGEST_CHANCE, 80)
    cell = tier * (int(chain.max()) + 1) + chain
    for group in np.unique(cell[tier > 0]):
        slots, count = np.unique(sought[cell == group - int(chain.max()) - 1], return_counts=True)
        takers = -(np.expm1(np.log1p(-chances)[:, None] * slots) * count).sum(axis=1)
        members = cell == group
        appeal[members] = np.interp(expected[members], takers, chances)
    return appeal


def _links(
    s: Synthetic, streams: Streams, tier: Ints, chain: Ints, sector: Ints, sought: Ints, appeal: Floats
) -> tuple[Ints, Ints, Floats]:
    """Place the links: supplier, customer and weight in the customer's purchases, each of shape (m,)."""
    n, depth = s.firms, int(tier.max())
    members = np.arange(s.leaders, n)

    # First every member gets one customer in the tier that it delivers to; firms that seek more suppliers are more likely.
    buyers = Pools(tier, chain, sector, sought.astype(np.float64))
    kind = _kind(s, streams.uniform("network: kind of first customer", 0, n)[members])
    u = streams.uniform("network: first customer", 0, n)[members]
    first = buyers.pick(tier[members] - 1, chain[members], sector[members], kind, u)
    spread = s.order_spread * normal(streams.uniform("network: order of first customer", 0, n)[members])

    # Then customers fill their free slots; suppliers with more appeal are more likely.
    slots = np.maximum(sought - np.bincount(first, minlength=n), 0)
    customer = np.repeat(np.arange(n), slots)
    slot = np.arange(customer.size) - np.repeat(np.cumsum(slots) - slots, slots)
    u = streams.uniform_of_slots("network: kind of supplier", 0, customer, slot)[0]
    # Only members buy laterally, and no first link is lateral; the chance is set so that the share of all links is as wanted.
    chance = np.minimum(s.lateral * s.mean_suppliers * n / max(int(np.count_nonzero(tier[customer])), 1), 1.0) * (tier[customer] > 0)
    lateral = u < chance
    u = np.where(lateral, u / np.maximum(chance, 1e-300), (u - chance) / np.maximum(1.0 - chance, 1e-300))
    steps = u * tier[customer]  # a lateral supplier is as likely on each tier from 1 to the customer's own
    kind = _kind(s, np.where(lateral, steps % 1.0, u))
    wanted = np.where(lateral, 1 + steps.astype(np.int64), tier[customer] + 1)

    sellers = Pools(tier, chain, sector, appeal)

    def find(attempt: int, empty: Ints) -> Ints:
        if 2 * attempt == ATTEMPTS:
            kind[empty] = ANY
        u = streams.uniform_of_slots(f"network: supplier, attempt {attempt}", 0, customer[empty], slot[empty])[0]
        return sellers.pick(wanted[empty], chain[customer[empty]], sector[customer[empty]], kind[empty], u)

    supplier = fill_slots(customer, np.flatnonzero(wanted <= depth), np.sort(first * n + members), n, find)
    filled = supplier >= 0
    orders = s.order_spread * normal(streams.uniform_of_slots("network: order", 0, customer, slot)[0])
    return (
        np.concatenate([members, supplier[filled]]),
        np.concatenate([first, customer[filled]]),
        np.exp(np.concatenate([spread, orders[filled]])),
    )


def _kind(s: Synthetic, u: Floats) -> Ints:
    """Turn uniforms into the part of a tier in which a link looks for its other firm."""
    inside = (u - s.shared_suppliers) / (1.0 - s.shared_suppliers)
    return np.where(inside < 0.0, OTHER_CHAIN, np.where(inside < s.cross_sector, OTHER_SECTOR, SAME_SECTOR))
