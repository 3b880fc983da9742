"""Relations: customers rate suppliers, help weak ones, and replace those that stay weak.

In terms of ODD+D: a customer knows the defects that it found from each supplier and the mean of the sector. It has an
uncertain view of a few candidates, less uncertain if they have a certificate. It avoids uncertainty. It ignores price
(all prices are cost-plus), what a change costs the supplier, and what other customers are about to do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from agents.columns import Floats, Ints
from agents.streams import normal
from sim.network.fixed_points import contracting
from sim.sums import add_up
from sim.world import World

__all__ = ["mean_rating", "rate_suppliers", "review_suppliers", "rewire", "view_of_candidates"]

#: Months between reviews of suppliers.
QUARTER = 3


def mean_rating(world: World) -> Floats:
    """Mean rating of the suppliers of each sector by their customers, defects per unit, shape (sectors,)."""
    return _mean_by_sector(world, world.links.rating)


def _mean_by_sector(world: World, per_link: Floats) -> Floats:
    """Mean over the links of each sector's suppliers, shape (sectors,); 0 where there are none."""
    links = world.links
    used = links.value_share > 0
    # Sum by supplier first: adding half a million links into a dozen sums is slow, as each addition waits for the one before.
    per_supplier = world.by_supplier(per_link * used), world.by_supplier(used)
    total, count = (add_up(world.firms.sector, x, len(world.network.sectors)) for x in per_supplier)
    return total / np.maximum(count, 1.0)


def rate_suppliers(world: World) -> None:
    """Update ratings from the defects that customers saw, at incoming inspection and in part of the rest; pay for development lists."""
    firms, links, p = world.firms, world.links, world.parameters
    shows = p.line_visibility + (1.0 - p.line_visibility) * firms.audits
    weight = (p.rating_weight + (1.0 - p.rating_weight) * firms.live_data)[links.customer]
    seen = links.caught + shows[links.customer] * links.passed_detectable
    per_unit = seen / np.where(links.value_share > 0, links.value_share, np.inf)
    links.rating = (1.0 - weight) * links.rating + weight * per_unit
    links.age[:] += 1
    _develop(world)


def _develop(world: World) -> None:
    """Count the months on development lists, and let customers pay for them."""
    links, p = world.links, world.parameters
    on_list = links.listed > 0
    links.listed[on_list] += 1
    cost = p.development_cost * world.by_customer(links.delivered * on_list)
    world.firms.prevention[:] += cost
    world.firms_pay("households", "supplier development", cost)


def review_suppliers(world: World) -> None:
    """Once a quarter, put suppliers that miss the limit on the development list, and from month 1 on replace those that stay there.

    The limit is a multiple of the mean rating of the supplier's sector. A supplier that meets it leaves the
    list. Some relations end for other reasons; then the candidate that looks best takes over.
    A supplier of an essential input is never replaced. In the burn-in no supplier is replaced, so a run
    starts from the given network.
    """
    if world.month % QUARTER:
        return
    firms, links, p = world.firms, world.links, world.parameters
    bar = p.qualification_bar * mean_rating(world)[firms.sector[links.supplier]] * (1.0 - firms.strictness)[links.customer]
    below = (links.rating > bar) & (links.value_share > 0)
    given_up = below & (links.listed > p.development_months) & ~links.essential
    links.listed = np.where(below, np.maximum(links.listed, 1), 0)
    ends = (world.draw_for_links("relation ends") < p.relation_end) & (links.value_share > 0) & ~links.essential
    rows = np.flatnonzero(given_up | ends)
    if rows.size and p.candidates and world.month > 0:
        new, seen_rating = _best_candidates(world, rows)
        better = seen_rating < np.where(ends[rows], np.inf, (1.0 - p.switching) * links.rating[rows])
        rows, new = _within_capacity(world, rows[better], new[better])
        if rows.size:
            rewire(world, rows, new)


def view_of_candidates(world: World, rows: Ints, candidates: Ints) -> Floats:
    """The rating that customers of some links expect of candidates, defects per unit, shape of `candidates` (rows, k).

    It is the mean rating of the sector, times how much worse the candidate seems than the sector's mean supplier.
    This is a noisy view on a logarithmic scale, shrunk towards the mean according to its noise, plus a margin for
    the uncertainty that is left. A certificate lowers the noise; that of a candidate in another region only by the share of `recognition`.
    """
    firms, p = world.firms, world.parameters
    certified, visible = firms.certified[candidates], firms.visible[candidates]
    noise = p.view_noise * np.where(certified, p.certified_noise, 1.0) * (1.0 - visible)
    if world.regions > 1:
        abroad = firms.region[candidates] != firms.region[world.links.customer[rows]][:, None]
        known = p.view_noise * (1.0 - world.recognition * (1.0 - p.certified_noise) * certified) * (1.0 - world.recognition * visible)
        noise = np.where(abroad, known, noise)
    # The error depends only on the link and on the position among its candidates, not on the other candidates.
    glimpse = normal(world.draw_for_links("view of a candidate", rows, candidates.shape[1]))
    usual = _mean_by_sector(world, firms.out_detectable[world.links.supplier])[firms.sector[candidates]]
    worse = np.log(np.maximum(firms.out_detectable[candidates], 1e-9) / np.maximum(usual, 1e-9))
    spread = max(p.base_dpu_spread, 1e-6)
    trust = spread**2 / (spread**2 + noise**2)
    seems = trust * (worse + noise * glimpse) + p.caution * noise * np.sqrt(trust)
    return mean_rating(world)[firms.sector[candidates]] * np.exp(np.clip(seems, -50.0, 50.0))


def _best_candidates(world: World, rows: Ints) -> tuple[Ints, Floats]:
    """Draw candidates for some links: the one that looks best, and its expected rating; infinite where none is able. Shape (rows,) each."""
    spare = spare_capacity(world)
    idle = _idle_share(world, spare)
    candidates = _offers(world, rows, idle)
    able = (idle[candidates] > 0) & (spare[candidates] >= world.links.ordered[rows][:, None])
    seen_rating = np.where(able & _fits(world, rows, candidates), view_of_candidates(world, rows, candidates), np.inf)
    best = seen_rating.argmin(axis=1)[:, None]
    return np.take_along_axis(candidates, best, axis=1)[:, 0], np.take_along_axis(seen_rating, best, axis=1)[:, 0]


def _idle_share(world: World, spare: Floats) -> Floats:
    """Share of a firm's capacity that is idle and on offer, shape (n,); leaders offer it only if they already supply other firms."""
    firms, links = world.firms, world.links
    supplies = world.by_supplier(links.value_share > 0) > 0
    return np.divide(spare, spare + firms.orders, out=np.zeros(firms.n), where=(spare > 0) & (supplies | ~firms.is_leader))


def _offers(world: World, rows: Ints, idle: Floats) -> Ints:
    """Draw candidates from the present supplier's sector, shape (rows, k): firms with more idle capacity are drawn more often."""
    firms, links, p = world.firms, world.links, world.parameters
    order = np.argsort(firms.sector, kind="stable")
    first = np.searchsorted(firms.sector[order], np.arange(len(world.network.sectors) + 1))
    line = np.concatenate([[0.0], np.cumsum(idle[order])])  # firms of a sector end to end, each as long as its idle share
    sector = firms.sector[links.supplier[rows]]
    u = world.draw_for_links("candidate", rows, p.candidates)
    begin, end = line[first[sector]][:, None], line[first[sector + 1]][:, None]
    at = np.searchsorted(line, begin + u * (end - begin), side="right") - 1
    # Rounding at an end must not lead into the next sector.
    return order[np.clip(at, first[sector][:, None], first[sector + 1][:, None] - 1)]


def _fits(world: World, rows: Ints, candidates: Ints) -> NDArray[np.bool_]:
    """Whether candidates with capacity could take over some links, shape of `candidates` (rows, k).

    A candidate can if it is not in distress, is not the customer, does not supply it already, and is not nearer to the leaders
    than the present supplier: a firm nearer to the leaders makes other goods.
    """
    firms, links = world.firms, world.links
    customer, tier = links.customer[rows], firms.tier[candidates]
    concerned = np.zeros(firms.n, dtype=np.bool_)
    concerned[customer] = True
    concerned_links = concerned[links.customer]
    existing = np.sort(links.customer[concerned_links] * firms.n + links.supplier[concerned_links])
    proposed = customer[:, None] * firms.n + candidates
    supplies = existing[np.minimum(np.searchsorted(existing, proposed), existing.size - 1)] == proposed
    nearer = (tier >= 0) & (tier < firms.tier[links.supplier[rows]][:, None])
    return ~supplies & ~nearer & (candidates != customer[:, None]) & firms.alive[candidates] & (firms.distress[candidates] == 0)


def spare_capacity(world: World) -> Floats:
    """CNY a month that a firm could make in addition to its orders, shape (n,)."""
    firms, p = world.firms, world.parameters
    capacity = (1.0 + p.spare_capacity) * np.maximum(firms.usual_output, firms.steady_orders)
    return np.where(firms.alive, np.maximum(capacity - firms.orders, 0.0), 0.0)


def _within_capacity(world: World, rows: Ints, new: Ints) -> tuple[Ints, Ints]:
    """Keep the changes that new suppliers have capacity for, in random order, and at most one for each pair of customer and supplier."""
    links = world.links
    priority = world.draw_for_links("turn at a new supplier", rows)
    order = np.lexsort((rows, priority, new))
    rows, new = rows[order], new[order]
    _, first = np.unique(links.customer[rows] * world.firms.n + new, return_index=True)
    first.sort()
    rows, new = rows[first], new[first]
    added = np.cumsum(links.ordered[rows])
    begins = np.searchsorted(new, new)
    so_far = added - np.where(begins > 0, added[begins - 1], 0.0)
    fits = so_far <= spare_capacity(world)[new]
    return rows[fits], new[fits]


def rewire(world: World, rows: Ints, new: Ints) -> None:
    """Let other firms supply some links: open orders move to them; relief and the rating of the old supplier do not.

    Unless orders provably stay finite on every loop that the changes would close, all relations stay
    as they are; regions without links between them are judged apart.

    Parameters
    ----------
    world : World
    rows : int array, shape (k,)
        Links; they keep their rows, and so do their customers.
    new : int array, shape (k,)
        Rows of the new suppliers.
    """
    firms, links = world.firms, world.links
    part, parts = _tied_by_links(world)
    supplier = links.supplier.copy()
    supplier[rows] = new
    most_scrap = world.parameters.scrap_share  # if everything were rejected
    growth = world.network.rewired(supplier).matrix(links.value_share * (1.0 + most_scrap))
    fits = contracting(growth, part, parts)[part[links.customer[rows]]]
    world.counts["changes refused"] += int(rows.size - fits.sum())
    supplier[rows[~fits]] = links.supplier[rows[~fits]]
    rows, new = rows[fits], new[fits]
    if not rows.size:
        return
    network = world.network.rewired(supplier)
    links.supplier = supplier
    firms.orders = firms.users_ordered + firms.elsewhere_ordered + world.by_supplier(links.ordered)
    links.relief[rows] = 0.0
    links.age[rows] = 0
    links.listed[rows] = 0
    links.rating[rows] = mean_rating(world)[firms.sector[new]]
    world.counts["suppliers replaced"] += int(rows.size)
    world.network = network
    firms.tier[:] = network.among(firms.alive).tier


def _tied_by_links(world: World) -> tuple[Ints, int]:
    """Number the parts of the world, made of whole regions, between which there are no links: of each firm, shape (n,), and how many."""
    firms, links = world.firms, world.links
    if world.regions == 1:
        return np.zeros(firms.n, dtype=np.int64), 1
    used = links.value_share > 0
    ends = firms.region[links.supplier[used]], firms.region[links.customer[used]]
    tied = sparse.coo_array((np.ones(ends[0].size), ends), shape=(world.regions, world.regions))
    parts, of_region = connected_components(tied, directed=False)
    return of_region[firms.region], parts
