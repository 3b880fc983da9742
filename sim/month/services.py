"""Service stations: firms file cases, stations serve them in order of arrival, some wait too long."""

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
        Where a case waits, since when, the draw that orders cases of one month, and the firm.
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
    """CNY that a firm thinks one problem less is worth, shape (n,).

    What it sees of its failure cost per defect, times the defects that the problem makes until
    the firm would have solved it alone (it looks ahead no further than 1,000 months).
    """
    return world.parameters.severity * cost_per_defect(world) * months_to_solve(world)


def serve_cases(world: World) -> None:
    """One month of service: withdrawals, new cases, service, in that order.

    Who has waited longer than its patience, or has no problem of the kind left, withdraws. A
    solved case closes one problem and leaves some capability behind; an unsolved one ends too,
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
    """CNY that a problem less must be worth for a case of each kind to pay at each station, shape (stations, 4).

    The fee over the chance of success; infinite where the element is not offered or the station is shut.
    """
    stations = world.stations
    fee, chance = np.broadcast_to(stations.fee[:, None], stations.competence.shape), stations.competence
    with np.errstate(over="ignore"):  # next to no chance: worth it for nobody
        needed = np.divide(fee, chance, out=np.where(fee > 0, np.inf, 0.0), where=chance > 0)
    open_for = stations.offers & (stations.alive & (stations.capacity > 0))[:, None]
    return np.where(open_for, needed, np.inf)


def _stations_seen(world: World) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """What firms know of stations: each firm's profile (n,), and the stations that each profile sees, (profiles, stations).

    A profile is a county, and whether one knows the standing stations and those of the programme;
    a firm sees the stations that it knows and in whose catchment it lies.
    """
    firms, stations = world.firms, world.stations
    profile = 4 * firms.county.astype(np.int64) + 2 * firms.knows_programme + firms.knows_stations
    each = np.arange(4 * (int(firms.county.max(initial=0)) + 1))[:, None]
    near = (each // 4 == stations.county) | stations.online
    aware = np.where(stations.programme, each // 2 % 2, each % 2) == 1
    return profile, near & aware


def _affordable(needed: NDArray[np.float64], worth: NDArray[np.float64], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of stations at which a problem less of a kind would pay, by what it is worth, shape (k,)."""
    number = np.zeros(worth.size, dtype=np.int64)
    for k in range(len(KINDS)):
        mine = kind == k
        number[mine] = np.searchsorted(np.sort(needed[:, k]), worth[mine], side="right")
    return number


def _file(world: World) -> None:
    """File at most one case a firm: its most numerous kind of problem, at one of the stations that it sees.

    Firms go rather where they expect to be served soon: a station's chance is its capacity over
    what is left of its queue (plus one). None goes where the fee is more than the service is worth.
    """
    firms, stations = world.firms, world.stations
    worth, needed = perceived_value(world), _worth_needed(world)
    profile, seen = _stations_seen(world)
    least = np.where(seen[:, :, None], needed, np.inf).min(axis=1)  # (profiles, 4): the cheapest way to a solution
    may = np.flatnonzero(np.isfinite(least).any(axis=1)[profile] & firms.alive)
    can = (worth[may, None] >= least[profile[may]]) & (firms.open_problems[may] > 0) & (firms.case_station[may] < 0)
    files = can.any(axis=1)
    who, can = may[files], can[files]
    if not who.size:
        return
    kind = np.where(can, firms.open_problems[who] + world.draw("which problem first", firms, 4)[who], -1.0).argmax(axis=1)
    # Firms that see the same stations and can afford the same of them share one line of chances.
    afford = _affordable(needed, worth[who], kind)
    alike = (profile[who] * len(KINDS) + kind) * (stations.n + 1) + afford
    _, one, line = np.unique(alike, return_index=True, return_inverse=True)
    usable = seen[profile[who[one]]] & (needed[:, kind[one]].T <= worth[who[one], None])
    lines = np.cumsum(usable * (stations.capacity / (1.0 + stations.queue)), axis=1)
    station = pick(world.draw("which station", firms)[who], lines, line)

    firms.case_station[who, kind] = station
    firms.case_month[who, kind] = world.month
    firms.case_tie[who, kind] = world.draw("place in the queue", firms)[who]
    firms.cases_filed[who] += 1
    received = np.bincount(station, minlength=stations.n)
    stations.received[:] += received
    stations.queue[:] += received
    world.counts["cases received"] += int(who.size)


def _serve(world: World) -> None:
    firms, stations, p = world.firms, world.stations, world.parameters
    place, kind = np.nonzero(firms.case_station >= 0)
    station = firms.case_station[place, kind]
    able = np.where(stations.alive, stations.capacity + stations.credit, 0.0)
    capacity = np.floor(able).astype(np.int64)
    stations.credit = able - capacity  # a capacity of 2.5 serves two and three in turn
    served = first_come_first_served(station, firms.case_month[place, kind], firms.case_tie[place, kind], place, capacity)
    place, kind, station = place[served], kind[served], station[served]
    waited = world.month - firms.case_month[place, kind]
    luck = world.draw("case solved", firms, 4)[place, kind]
    success = luck < stations.competence[station, kind]

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
