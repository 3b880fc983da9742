"""Laws that must always hold. Any run can check them; tests check them on every kind of run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from agents.lender import LOANS
from sim.attribution.quality_map import quality_map
from sim.network.fixed_points import NetworkError
from sim.world import World

__all__ = ["INVARIANTS", "InvariantError", "check_invariants"]


class InvariantError(AssertionError):
    """A law of the model does not hold: an error in the program, never in its input."""


def books_balance(world: World) -> Iterable[str]:
    """The deposits of all sectors sum to zero, and firms hold what the accounts say."""
    balance, firms = world.books.balance, world.firms
    size = sum(abs(held) for held in balance.values())
    if not abs(sum(balance.values())) <= 1e-9 * max(size, 1.0):
        yield f"the sectors' deposits sum to {sum(balance.values())} CNY"
    for sector, rows in (("leaders", firms.is_leader), ("members", ~firms.is_leader)):
        cash = float(firms.cash[rows].sum())
        if not abs(cash - balance[sector]) <= 1e-9 * max(size, float(np.abs(firms.cash).sum()), 1.0):
            yield f"{sector} hold {cash} CNY, {balance[sector]} by the books"


def loans_are_counted(world: World) -> Iterable[str]:
    """Loans granted = repaid + written off + outstanding, and firms owe what is outstanding, for each kind of loan."""
    lenders, firms = world.lenders, world.firms
    for kind, loan in enumerate(LOANS):
        debt = getattr(firms, loan.debt)
        granted, repaid, lost, outstanding = (
            float(getattr(lenders, c)[:, kind].sum()) for c in ("granted", "repaid", "written_off", "outstanding")
        )
        if not abs(granted - repaid - lost - outstanding) <= 1e-9 * max(granted, 1.0):
            yield f"{granted} CNY of {loan.purpose} granted, {repaid} repaid, {lost} written off, {outstanding} outstanding"
        if not abs(float(debt.sum()) - outstanding) <= 1e-9 * max(granted, 1.0):
            yield f"firms owe {debt.sum()} CNY of {loan.purpose}, {outstanding} are outstanding"


def relations_are_sound(world: World) -> Iterable[str]:
    """Links lead from one firm to another, none exists twice; the network has the same links; orders received are orders placed."""
    firms, links = world.firms, world.links
    if (links.supplier == links.customer).any():
        yield "a firm supplies itself"
    if np.unique(links.customer * firms.n + links.supplier).size < links.n:
        yield "a relation stands twice"
    if not np.array_equal(world.network.supplier, links.supplier) or not np.array_equal(world.network.customer, links.customer):
        yield "the network does not know who supplies whom"
    ordered = firms.users_ordered + firms.elsewhere_ordered + world.by_supplier(links.ordered)
    if not np.abs(firms.orders - ordered).max(initial=0.0) <= 1e-9 * max(float(ordered.max(initial=0.0)), 1.0):
        yield "orders placed are not orders received"


def problems_are_counted(world: World) -> Iterable[str]:
    """Problems opened = closed + open."""
    counts, firms = world.counts, world.firms
    unsolved = int(firms.open_problems.sum() + firms.common_problems.sum())
    if counts["problems opened"] != counts["problems closed"] + unsolved:
        yield f"{counts['problems opened']} problems opened, {counts['problems closed']} closed, {unsolved} open"


def cases_are_counted(world: World) -> Iterable[str]:
    """Cases received = served + waiting + withdrawn, in total and at every station."""
    counts, stations = world.counts, world.stations
    waiting = int((world.firms.case_station >= 0).sum())
    if counts["cases received"] != counts["cases served"] + counts["cases withdrawn"] + waiting:
        yield f"{counts} with {waiting} waiting"
    if (stations.received != stations.served + stations.withdrawn + stations.queue).any():
        yield "a station's cases do not add up"
    at = np.bincount(world.firms.case_station[world.firms.case_station >= 0], minlength=stations.n)
    if (at != stations.queue).any():
        yield "queues differ from the cases that firms hold"


def spending_is_within_budget(world: World) -> Iterable[str]:
    """No programme spends more than its budget."""
    for key, programme in world.programmes.items():
        spent, budget = programme.spent, programme.instrument.budget  # type: ignore[attr-defined]
        if budget is not None and spent > budget * (1 + 1e-12):
            yield f"{key} has spent {spent} of {budget} CNY"


def attribution_is_exact(world: World) -> Iterable[str]:
    """The quality map's attribution sums to the field loss of the steady state."""
    try:
        error = quality_map(world).error
    except NetworkError as refused:
        yield str(refused)
        return
    if not error <= 1e-9:
        yield f"the quality map misses the field loss by a share of {error}"


def orders_settle(world: World) -> Iterable[str]:
    """Orders, scrap included, do not grow without limit on a loop."""
    try:
        world.network.check_orders(world.firms.scrap)
    except NetworkError as growth:
        yield str(growth)


#: Units in which a number may be below 0: months count from the start of the run, and -1 means none.
PLACES = {"index", "row", "month", "links"}


def state_is_legal(world: World) -> Iterable[str]:
    """Capabilities and shares lie in [0, 1]; no amount falls below 0 unless its column allows it; numbers are finite."""
    for population in (*(getattr(world, kind) for kind in world.kinds), world.links, world.chains, world.classes):
        for name, column in population.columns.items():
            values = getattr(population, name)
            if column.dtype == "float64" and not np.isfinite(values).all():
                yield f"{population.kind}.{name} is not finite"
            if column.signed or column.dtype == "bool" or column.unit in PLACES:
                continue
            if (values < 0).any():
                yield f"{population.kind}.{name} fell below 0"
            if column.unit in {"0-1", "share"} and (values > 1).any():
                yield f"{population.kind}.{name} rose above 1"


INVARIANTS: tuple[Callable[[World], Iterable[str]], ...] = (
    books_balance,
    loans_are_counted,
    relations_are_sound,
    problems_are_counted,
    cases_are_counted,
    spending_is_within_budget,
    attribution_is_exact,
    orders_settle,
    state_is_legal,
)


def check_invariants(world: World) -> None:
    """Raise `InvariantError` naming every law that does not hold at the end of the month."""
    broken = [f"{law.__name__.replace('_', ' ')}: {what}" for law in INVARIANTS for what in law(world)]
    if broken:
        raise InvariantError(f"month {world.month}: " + "; ".join(broken))
