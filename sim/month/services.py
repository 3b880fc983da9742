"""Service stations: firms file cases, stations serve them in order of arrival, and firms withdraw cases that wait too long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from agents.streams import pick
from sim.month.learning import teach
from sim.month.problems import close_problem, months_to_solve
from sim.month.quality_cost import cost_per_defect
from sim.sums import add_up
from sim.world import World

__all__ = ["first_come_first_served", "perceived_value", "serve_cases"]


def first_come_first_served(
    station: NDArray[np.int64], filed: NDArray[np.int64], tie: NDArray[np.float64], place: NDArray[np.int64], capacity: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Pick the cases that stations serve now.

    Parameters
    ----------
    station, filed, tie, place : arrays, shape (cases,)
        Where a case waits, since when, the random number that orders cases of one month, and the firm.
    capacity : int array, shape (stations,)
        Cases that each station can serve now.

    Returns
    -------
    bool array, shape (cases,)
    """
    order = np.lexsort((place, tie, filed, station))
    queue = station[order]
    position = np.arange(queue.size) - np.searchsorted(queue, queue)
    served = np.zeros(queue.size, dtype=np.bool_)
    served[order] = position < capacity[queue]
    return served


def perceived_value(world: World) -> NDArray[np.float64]:
    """CNY that solving one problem is worth to a firm, as it sees it, shape (n,).

    The failure cost per defect that it sees, times the defects that the problem makes until
    the firm would have solved it alone (at most 1,000 months).
    """
    return world.parameters.severity * cost_per_defect(world) * months_to_solve(world)


def serve_cases(world: World) -> None:
    """One month of service: withdrawals, new cases, service, in that order.

    A firm withdraws a case that has waited longer than its patience, or if it has no problem of the kind left. A
    solved case closes one problem and raises capability a little. An unsolved case ends too,
    and the firm may file again.
    """
    if not world.stations.n:
        return
    firms = world.firms
    overdue = world.month - firms.case_month >= world.parameters.patience
    world.withdraw(overdue | (firms.open_problems == 0))
    _file(world)
    _serve(world)


def _worth_needed(world: World) -> NDArray[np.float64]:
    """CNY that solving a problem must be worth so that a case of each kind pays at each station, shape (stations, 4).

    The fee over the chance of success; infinite where the element is not offered or the station is shut.
    """
    stations = world.stations
    fee, chance = np.broadcast_to(stations.fee[:, None], stations.competence.shape), stations.competence
    with np.errstate(over="ignore"):  # with almost no chance of success it pays for no firm
        needed = np.divide(fee, chance, out=np.where(fee > 0, np.inf, 0.0), where=chance > 0)
    open_for = stations.offers & (stations.alive & (stations.capacity > 0))[:, None]
    return np.where(open_for, needed, np.inf)


def _stations_seen(world: World) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which stations firms know: each firm's profile (n,), and the stations that each profile sees, (profiles, stations).

    A profile is a county, and whether the firm knows the existing stations and those of the programme.
    A firm sees the stations that it knows and that serve its county. A station that serves every county of its region also serves other
    regions if they recognise it.
    """
    firms, stations = world.firms, world.stations
    profile = 4 * firms.county.astype(np.int64) + 2 * firms.knows_programme + firms.knows_stations
    profiles = np.arange(4 * (int(firms.county.max(initial=0)) + 1))[:, None]
    reachable = (profiles // 4 == stations.county) | stations.online
    if world.regions > 1:
        reachable &= (world.county_region[profiles // 4] == stations.region) | (_recognised_elsewhere(world) & stations.online)
    aware = np.where(stations.programme, profiles // 2 % 2, profiles % 2) == 1
    return profile, reachable & aware


def _recognised_elsewhere(world: World) -> NDArray[np.bool_]:
    """Stations whose services other regions recognise, shape (stations,): a share of them, which includes those of any smaller share."""
    return world.draw_lasting("station is recognised elsewhere", world.stations) < world.recognition


def _affordable(needed: NDArray[np.float64], worth: NDArray[np.float64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of stations at which a case of a kind would pay, given what a solved problem is worth, shape (k,)."""
    number = np.zeros(worth.size, dtype=np.int64)
    for k in range(len(KINDS)):
        of_kind = kind == k
        number[of_kind] = np.searchsorted(np.sort(needed[:, k]), worth[of_kind], side="right")
    return number


def _file(world: World) -> None:
    """File at most one case for each firm: for its most frequent kind of problem, at one of the stations that it sees.

    Firms prefer stations that serve soon: a station's chance is in proportion to its capacity over
    its queue plus one. No firm goes to a station whose fee is more than the service is worth.
    """
    firms, stations = world.firms, world.stations
    worth, needed = perceived_value(world), _worth_needed(world)
    profile, seen = _stations_seen(world)
    cheapest = np.where(seen[:, :, None], needed, np.inf).min(axis=1)  # (profiles, 4): the cheapest way to a solution
    possible = np.flatnonzero(np.isfinite(cheapest).any(axis=1)[profile] & firms.alive)
    wants = (
        (worth[possible, None] >= cheapest[profile[possible]]) & (firms.open_problems[possible] > 0) & (firms.case_station[possible] < 0)
    )
    files = wants.any(axis=1)
    filing, wants = possible[files], wants[files]
    if not filing.size:
        return
    kind = np.where(wants, firms.open_problems[filing] + world.draw("which problem first", firms, 4)[filing], -1.0).argmax(axis=1)
    # Firms that see the same stations, and for which the same of them pay, have the same chances: one line for all of them.
    afford = _affordable(needed, worth[filing], kind)
    alike = (profile[filing] * len(KINDS) + kind) * (stations.n + 1) + afford
    _, example, line = np.unique(alike, return_index=True, return_inverse=True)
    usable = seen[profile[filing[example]]] & (needed[:, kind[example]].T <= worth[filing[example], None])
    lines = np.cumsum(usable * (stations.capacity / (1.0 + stations.queue)), axis=1)
    station = pick(world.draw("which station", firms)[filing], lines, line)

    firms.case_station[filing, kind] = station
    firms.case_month[filing, kind] = world.month
    firms.case_tie[filing, kind] = world.draw("place in the queue", firms)[filing]
    firms.cases_filed[filing] += 1
    received = np.bincount(station, minlength=stations.n)
    stations.received[:] += received
    stations.queue[:] += received
    world.counts["cases received"] += int(filing.size)


def _serve(world: World) -> None:
    firms, stations, p = world.firms, world.stations, world.parameters
    place, kind = np.nonzero(firms.case_station >= 0)
    station = firms.case_station[place, kind]
    able = np.where(stations.alive, stations.capacity + stations.credit, 0.0)
    capacity = np.floor(able).astype(np.int64)
    stations.credit = able - capacity  # a capacity of 2.5 serves two cases in one month and three in the next
    served = first_come_first_served(station, firms.case_month[place, kind], firms.case_tie[place, kind], place, capacity)
    place, kind, station = place[served], kind[served], station[served]
    waited = world.month - firms.case_month[place, kind]
    u = world.draw("case solved", firms, 4)[place, kind]
    success = u < stations.competence[station, kind]

    count = np.bincount(station, minlength=stations.n)
    stations.served[:] += count
    stations.queue[:] -= count
    stations.solved[:] += add_up(station, success, stations.n).astype(np.int64)
    stations.waited[:] += add_up(station, waited, stations.n)
    world.counts["cases served"] += int(place.size)
    firms.case_station[place, kind] = firms.case_month[place, kind] = -1
    np.add.at(firms.cases_served, place, 1)
    firms.served_by_kind[place, kind] += 1
    np.add.at(firms.months_waited, place, waited)
    fee = stations.fee[station]
    fees = add_up(place, fee, firms.n)
    firms.prevention[:] += fees
    world.firms_pay("stations", "service fees", fees)

    done, of = place[success], kind[success]
    np.add.at(firms.cases_solved, done, 1)
    close_problem(world, done, of)
    teach(world, done, of, p.service_learning)
