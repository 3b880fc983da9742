"""Relations of the twin: ratings, development lists, and other suppliers (3.12)."""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import accumulate

from tests.reference_model.firm import TwinFirm, TwinLink
from tests.reference_model.inversions import normal_value
from tests.reference_model.world import TwinWorld

#: Months between reviews of suppliers.
QUARTER = 3
#: Passes within which orders must provably stay finite, and by how much they must shrink in one pass.
PASSES, SHRINKS = 30, 0.999
#: Defects below which customers see no difference between candidates.
UNSEEN = 1e-9


# -- what customers see ------------------------------------------------------------------------


def rate(firm: TwinFirm) -> None:
    """Rate suppliers by the defects found at incoming inspection and in production; pay for those on the development list."""
    p = firm.model.parameters
    cost = 0.0
    for link in firm.buys:
        seen = (link.caught + p.line_visibility * link.passed_detectable) / link.value_share if link.value_share else 0.0
        link.rating += p.rating_weight * (seen - link.rating)
        link.age += 1
        if link.listed:
            link.listed += 1
            cost += p.development_cost * link.delivered
    firm.prevent("supplier development", cost)


def usual_in_sectors(model: TwinWorld, column: str) -> dict[int, float]:
    """Mean over relations, by the supplier's sector: the customers' `rating`, or the outgoing defects of suppliers, `out_detectable`."""
    seen: dict[int, list[float]] = {}
    for link in model.links:
        if link.value_share > 0.0:
            value = link.rating if column == "rating" else getattr(link.supplier, column)
            seen.setdefault(link.supplier.sector, []).append(value)
    return {sector: sum(values) / len(values) for sector, values in seen.items()}


def spare(firm: TwinFirm) -> float:
    """What it could make in addition to its orders; its capacity is never below that of the start."""
    most = (1.0 + firm.model.parameters.spare_capacity) * max(firm.usual_output, firm.steady_orders)
    return max(0.0, most - firm.orders)


# -- who replaces whom -------------------------------------------------------------------------


class Search:
    """The market for suppliers at one review; all customers search before any change is made.

    Firms with idle capacity are candidates; leaders only if they already supply other firms.
    """

    def __init__(self, model: TwinWorld) -> None:
        self.model = model
        self.rating = usual_in_sectors(model, "rating")
        self.out = usual_in_sectors(model, "out_detectable")
        self.sectors: dict[int, list[tuple[TwinFirm, float]]] = {}
        for firm in model.by_place.values():
            idle, supplies = spare(firm), any(link.value_share > 0.0 for link in firm.sells)
            if idle > 0.0 and (supplies or not firm.is_leader):
                self.sectors.setdefault(firm.sector, []).append((firm, idle / (idle + firm.orders)))
        self.lines = {sector: list(accumulate(share for _, share in firms)) for sector, firms in self.sectors.items()}

    def draw(self, decision: str, link: TwinLink, turn: int = 0) -> float:
        """Uniform of this month for a relation: that of its customer's place, with a slot for each of its relations and turns."""
        return float(self.model.streams.uniform_at(decision, self.model.month, link.customer.place, link.slot + turn * 2**32))

    def offers(self, link: TwinLink, slot: int) -> TwinFirm | None:
        """Pick a firm of the sector, with a chance in proportion to the share of its capacity that is idle."""
        if link.supplier.sector not in self.sectors:
            return None
        firms, line = self.sectors[link.supplier.sector], self.lines[link.supplier.sector]
        at = bisect_right(line, self.draw("candidate", link, slot) * line[-1])
        return firms[at][0] if at < len(firms) else None

    def fits(self, link: TwinLink, candidate: TwinFirm) -> bool:
        """Whether a candidate is another firm, new to the customer, no nearer to users, not in distress, and has the capacity."""
        excluded = {other.supplier.place for other in link.customer.buys} | {link.customer.place}
        nearer = 0 <= candidate.tier < link.supplier.tier
        return candidate.place not in excluded and not nearer and candidate.distress == 0 and spare(candidate) >= link.ordered

    def looks(self, link: TwinLink, candidate: TwinFirm, slot: int) -> float:
        """The rating that a customer expects of a candidate: with noise, shrunk towards the mean, with a margin for uncertainty."""
        p = self.model.parameters
        noise = p.view_noise * (p.certified_noise if candidate.certified else 1.0)
        spread = max(p.base_dpu_spread, 1e-6)
        trust = spread**2 / (spread**2 + noise**2)
        usual = self.out.get(candidate.sector, 0.0)
        worse = math.log(max(UNSEEN, candidate.out_detectable)) - math.log(max(UNSEEN, usual))
        seen = worse + noise * normal_value(self.draw("view of a candidate", link, slot))
        seems = trust * seen + p.caution * noise * math.sqrt(trust)
        return self.rating.get(candidate.sector, 0.0) * math.exp(min(50.0, max(-50.0, seems)))

    def best(self, link: TwinLink) -> tuple[TwinFirm, float] | None:
        """The candidate that looks best (the first of equals) and its expected rating; None if there is none."""
        best: tuple[TwinFirm, float] | None = None
        for slot in range(self.model.parameters.candidates):
            candidate = self.offers(link, slot)
            if candidate is not None and self.fits(link, candidate):
                looks = self.looks(link, candidate, slot)
                if best is None or looks < best[1]:
                    best = candidate, looks
        return best


def review_suppliers(model: TwinWorld) -> None:
    """Once a quarter: lists, relations that end, candidates, capacity; changes only after the burn-in."""
    if model.month % QUARTER:
        return
    p = model.parameters
    search = Search(model)
    changes: list[tuple[TwinLink, TwinFirm]] = []
    for link in model.links:
        below = link.value_share > 0.0 and link.rating > p.qualification_bar * search.rating[link.supplier.sector]
        tired = below and link.listed > p.development_months
        if not below:
            model.happened["off the list"] += link.listed > 0
            link.listed = 0
        elif not link.listed:
            model.happened["on the list"] += 1
            link.listed = 1
        ends = link.value_share > 0.0 and search.draw("relation ends", link) < p.relation_end
        if link.essential or not (tired or ends) or model.month <= 0:
            continue
        best = search.best(link)
        if best and (ends or best[1] < (1.0 - p.switching) * link.rating):
            changes.append((link, best[0]))
            model.happened["wish for another supplier"] += 1
    change_suppliers(model, within_capacity(search, changes), search.rating)


def within_capacity(search: Search, changes: list[tuple[TwinLink, TwinFirm]]) -> list[tuple[TwinLink, TwinFirm]]:
    """Let new suppliers take customers in random order as long as they have capacity; at most one relation between two firms."""
    queues: dict[int, list[tuple[float, int, TwinLink, TwinFirm]]] = {}
    for link, new in changes:
        queues.setdefault(new.place, []).append((search.draw("turn at a new supplier", link), link.row, link, new))
    kept = []
    for queue in queues.values():
        taken, customers = 0.0, set()
        for _, _, link, new in sorted(queue, key=lambda entry: entry[:2]):
            if link.customer.place in customers:
                continue
            customers.add(link.customer.place)
            taken += link.ordered
            if taken > spare(new):
                search.model.happened["no capacity left"] += 1
                break
            kept.append((link, new))
    return kept


def change_suppliers(model: TwinWorld, changes: list[tuple[TwinLink, TwinFirm]], usual: dict[int, float]) -> None:
    """Let other firms supply, unless orders might then grow without limit; open orders move to them."""
    if not changes:
        return
    supplier = {link.row: new for link, new in changes}
    if not orders_stay_finite(model, supplier):
        model.counts["changes refused"] += len(changes)
        return
    for link, new in changes:
        link.supplier.sells.remove(link)
        new.sells.append(link)
        link.supplier = new
        link.start(usual[new.sector])
    for firm in model.firms:
        firm.add_up_orders()
    model.counts["suppliers replaced"] += len(changes)
    find_tiers(model)


def orders_stay_finite(model: TwinWorld, supplier: dict[int, TwinFirm]) -> bool:
    """Whether some passes prove that orders shrink on every loop: for any x > 0 growth is at most the largest ratio of A x to x."""
    x = dict.fromkeys(model.by_place, 1.0)
    for _ in range(PASSES):
        pulled = {
            place: sum(
                link.value_share * (1.0 + model.parameters.scrap_share) * x[supplier.get(link.row, link.supplier).place]
                for link in firm.buys
            )
            for place, firm in model.by_place.items()
        }  # fmt: skip
        if all(pulled[place] < SHRINKS * x[place] for place in x):
            return True
        x = {place: 0.5 * (x[place] + pulled[place]) for place in x}
    return False


def find_tiers(model: TwinWorld) -> None:
    """Count the links from each firm to the nearest leader, starting at the leaders; -1 where none is reached."""
    for firm in model.firms:
        firm.tier = 0 if firm.is_leader else -1
    reached = [firm for firm in model.firms if firm.is_leader]
    for firm in reached:  # grows as it goes
        for link in firm.buys:
            if link.supplier.tier < 0:
                link.supplier.tier = firm.tier + 1
                reached.append(link.supplier)
