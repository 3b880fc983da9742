"""Firms give up after distress, and entrants take their places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS, SIZE_CLASSES
from sim.month.orders import monthly_sales
from sim.month.relations import mean_rating
from sim.sums import add_up
from sim.traits import draw_traits
from sim.world import World

__all__ = ["exit_and_enter"]

#: State that is 0 for an entrant; the rest of its state is drawn, bought, or belongs to the place.
AFRESH = (
    "cqo", "cqo_subsidy", "certified", "certificate_left", "knows_programme", "output_since_renewal",
    "distress", "credit_bound", "reputation", "recall_due", "charged", "fortune",
)  # fmt: skip


def exit_and_enter(world: World) -> None:
    """Let firms give up whose overdraft has been beyond the limit for some months; entrants take their places at once.

    The entrant takes over the place with its name, orders and random numbers. It does not take over the capability, debts or
    problems of its predecessor. Its relations start without relief: customers expect the mean of the sector. What
    the predecessor still owed for recalls is not paid.
    """
    firms, p = world.firms, world.parameters
    overdrawn = firms.alive & (firms.cash < -p.cash_limit * monthly_sales(world))
    firms.distress = np.where(overdrawn, firms.distress + 1, 0)
    exiting = np.flatnonzero(firms.distress >= p.distress_months)
    if exiting.size:
        firms.exited[exiting] = True
        world.close_down(exiting)
        _enter(world, exiting)
        world.renew("firms", exiting.tolist())


def _enter(world: World, rows: NDArray[np.int64]) -> None:
    """Start new firms in some places: traits from the entrants' distribution, equity and first materials from households."""
    firms, links, p = world.firms, world.links, world.parameters
    for column in AFRESH:
        getattr(firms, column)[rows] = 0
    firms.entered[rows] = world.month
    firms.failed_month[rows] = -1_000_000
    firms.learning[rows] = max(1.0, p.renewal_peak)
    firms.brand[rows] = firms.brand_start[rows]
    draw_traits(world, rows, shift=p.entrant_shift)
    # Learning has raised firms of this size above their natural levels; it will raise the entrant by as much.
    learned = _mean_lift(world)[_size_in_region(world)[rows]]
    firms.natural[rows] = np.maximum(firms.capability[rows] - learned, 0.0)
    aware = world.of_regions(firms.knows_stations & firms.alive) / np.maximum(world.of_regions(firms.alive), 1.0)
    firms.knows_stations[rows] = world.draw_for("entrant knows the standing stations", firms, rows) < aware[firms.region[rows]]

    entering = np.zeros(firms.n, dtype=np.bool_)
    entering[rows] = True
    use = np.where(entering, 0.5 * p.stock_most * world.by_customer(links.ordered * firms.price[links.supplier]), 0.0)
    world.pay_firms("households", "equity of entrants", use + np.where(entering, p.cash_start * monthly_sales(world), 0.0))
    firms.inventory[:] += use
    world.firms_pay("outside", "opening materials", use)

    as_supplier, as_customer = entering[links.supplier], entering[links.customer]
    new = as_supplier | as_customer
    links.relief[new] = 0.0
    links.age[new] = 0
    links.listed[new] = 0
    links.rating[new] = mean_rating(world)[firms.sector[links.supplier[new]]]


def _size_in_region(world: World) -> NDArray[np.int64]:
    """Index of each firm's region and size class, shape (n,): the classes of one region follow those of the one before."""
    return len(SIZE_CLASSES) * world.firms.region.astype(np.int64) + world.firms.size_class


def _mean_lift(world: World) -> NDArray[np.float64]:
    """Mean of capabilities above natural levels, by region and size class and by kind, of firms that stay, shape (3 × regions, 4)."""
    firms, group, n = world.firms, _size_in_region(world), len(SIZE_CLASSES) * world.regions
    stays = firms.alive & ~firms.exited
    above = (firms.capability - firms.natural) * stays[:, None]
    count = np.maximum(add_up(group, stays, n), 1.0)
    total = np.stack([add_up(group, above[:, kind], n) for kind in range(len(KINDS))], axis=1)
    return np.maximum(total / count[:, None], 0.0)
