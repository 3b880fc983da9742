"""What must always hold. Switchable on in any run; checked in tests on every kind of run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from sim.fixed_points import NetworkError
from sim.quality_map import quality_map
from sim.world import World

__all__ = ["INVARIANTS", "InvariantError", "check_invariants"]


class InvariantError(AssertionError):
    """A law of the model does not hold: an error in the program, never in its input."""


def books_balance(world: World) -> Iterable[str]:
    """What all sectors gain sums to zero."""
    gained = list(world.books.balance.values())
    size = sum(abs(gain) for gain in gained)
    if abs(sum(gained)) > 1e-9 * max(size, 1.0):
        yield f"the sectors' gains sum to {sum(gained)} CNY"


def problems_are_counted(world: World) -> Iterable[str]:
    """Problems opened = closed + open."""
    counts, firms = world.counts, world.firms
    still = int(firms.open_problems.sum() + firms.common_problems.sum())
    if counts["problems opened"] != counts["problems closed"] + still:
        yield f"{counts['problems opened']} problems opened, {counts['problems closed']} closed, {still} open"


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
    """Orders, scrap included, do not grow without end round a loop."""
    try:
        world.network.check_orders(world.firms.scrap)
    except NetworkError as growth:
        yield str(growth)


def state_is_legal(world: World) -> Iterable[str]:
    """Capabilities and shares lie in [0, 1]; counts and flows are 0 or more and finite."""
    for population in (world.firms, world.links, world.stations, world.chain_heads, world.lenders):
        for name, column in population.columns.items():
            values = getattr(population, name)
            if column.dtype == "float64" and not np.isfinite(values).all():
                yield f"{population.kind}.{name} is not finite"
            if column.unit in {"0-1", "share"} and ((values < 0) | (values > 1)).any():
                yield f"{population.kind}.{name} left [0, 1]"
            if column.unit in {"count", "cases", "cases/month", "CNY", "CNY/month", "CNY/CNY", "defects/unit"} and (values < 0).any():
                yield f"{population.kind}.{name} fell below 0"


INVARIANTS: tuple[Callable[[World], Iterable[str]], ...] = (
    books_balance,
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
