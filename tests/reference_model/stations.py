"""Service stations of the twin: a queue is a list of cases, and firms choose a station."""

from __future__ import annotations

import math

import mesa

from sim.world import World
from tests.reference_model.firm import TwinCase, TwinFirm
from tests.reference_model.world import TwinWorld


class TwinStation(mesa.Agent):
    """A service station with its queue as a list of cases."""

    model: TwinWorld

    def __init__(self, model: TwinWorld, world: World, row: int) -> None:
        super().__init__(model)
        stations = world.stations
        self.row = row
        self.waiting: list[TwinCase] = []
        self.county = int(stations.county[row])
        self.online = bool(stations.online[row])
        self.programme = bool(stations.programme[row])
        self.extent = float(stations.extent[row])
        self.offers: list[bool] = stations.offers[row].tolist()
        self.competence: list[float] = stations.competence[row].tolist()
        self.capacity = float(stations.capacity[row])
        self.credit = float(stations.credit[row])
        self.fee = float(stations.fee[row])
        self.received = int(stations.received[row])
        self.served = int(stations.served[row])
        self.solved = int(stations.solved[row])
        self.withdrawn = int(stations.withdrawn[row])
        self.waited = float(stations.waited[row])

    @property
    def queue(self) -> int:
        """Cases waiting."""
        return len(self.waiting)

    def serves(self, firm: TwinFirm, kind: int, worth: float) -> bool:
        """Whether a firm knows it, can reach it and needs what it offers, and the fee pays."""
        known = firm.knows_programme if self.programme else firm.knows_stations
        near = self.online or self.county == firm.county
        return known and near and self.capacity > 0.0 and self.offers[kind] and self.fee <= worth * self.competence[kind]

    def work(self, draws: list[list[float]]) -> None:
        """Serve in order of arrival up to the month's capacity; an unused fraction counts next month."""
        able = self.capacity + self.credit
        self.credit = able - math.floor(able)
        self.waiting.sort(key=TwinCase.turn)
        now, self.waiting = self.waiting[: math.floor(able)], self.waiting[math.floor(able) :]
        for case in now:
            firm, kind = case.firm, case.kind
            del firm.cases[kind]
            firm.cases_served += 1
            firm.served_by_kind[kind] += 1
            firm.months_waited += self.model.month - case.month
            firm.prevent("service fees", self.fee, payee="stations")
            self.served += 1
            self.waited += self.model.month - case.month
            self.model.counts["cases served"] += 1
            if draws[firm.place][kind] < self.competence[kind]:
                self.solved += 1
                firm.cases_solved += 1
                firm.open_problems[kind] -= 1
                firm.close_problems(1)
                firm.gain(kind, self.model.parameters.service_learning)


def withdraw(firm: TwinFirm, everything: bool = False) -> None:
    """Withdraw the cases that waited too long or have no problem left, or all of them."""
    for kind, case in list(firm.cases.items()):
        overdue = firm.model.month - case.month >= firm.model.parameters.patience
        if everything or overdue or firm.open_problems[kind] == 0:
            del firm.cases[kind]
            case.station.waiting.remove(case)
            case.station.withdrawn += 1
            firm.cases_withdrawn += 1
            firm.model.counts["cases withdrawn"] += 1


def choose_station(firm: TwinFirm, first: list[list[float]], where: list[float]) -> tuple[int, TwinStation] | None:
    """Choose the most frequent kind of problem that a station could take, and one of these stations."""
    if not (firm.knows_stations or firm.knows_programme) or not any(firm.open_problems):
        return None
    worth = firm.model.parameters.severity * firm.seen_per_defect() * firm.months_of_a_problem()
    best: tuple[float, int, list[TwinStation]] | None = None
    for kind in range(4):
        if firm.open_problems[kind] == 0 or kind in firm.cases:
            continue
        usable = [station for station in firm.model.stations if station.serves(firm, kind, worth)]
        urgency = firm.open_problems[kind] + first[firm.place][kind]
        if usable and (best is None or urgency > best[0]):
            best = urgency, kind, usable
    if best is None:
        return None
    _, kind, usable = best
    appeal = [station.capacity / (1.0 + len(station.waiting)) for station in usable]
    pick = where[firm.place] * sum(appeal)
    chosen = 0
    while pick >= appeal[chosen] and chosen < len(usable) - 1:
        pick -= appeal[chosen]
        chosen += 1
    return kind, usable[chosen]


def file(firm: TwinFirm, kind: int, station: TwinStation, tie: list[float]) -> None:
    """File a case."""
    case = TwinCase(firm, station, kind, firm.model.month, tie[firm.place])
    firm.cases[kind] = case
    station.waiting.append(case)
    station.received += 1
    firm.cases_filed += 1
    firm.model.counts["cases received"] += 1


def serve(model: TwinWorld) -> None:
    """Withdrawals, new cases, service. All firms choose by last month's queues before any of them files."""
    if not model.stations:
        return
    model.firms.do(withdraw)
    first, where, tie = model.draws_by_kind("which problem first"), model.draws("which station"), model.draws("place in the queue")
    choices = [(firm, choice) for firm in model.firms if (choice := choose_station(firm, first, where))]
    for firm, (kind, station) in choices:
        file(firm, kind, station, tie)
    solving = model.draws_by_kind("case solved")
    for station in model.stations:
        station.work(solving)
