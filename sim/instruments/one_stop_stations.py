"""One-stop quality-infrastructure service stations (一站式服务站)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.instruments.delivery import Instrument, Programme, instrument
from sim.parameters import parameter
from sim.world import World

__all__ = ["OneStopStations"]


@instrument("one_stop_stations", dose="per_1000_firms", practice="一站式服务站")
@dataclass(frozen=True, kw_only=True)
class OneStopStations(Instrument):
    """Government sets up further one-stop stations and tells firms of them (质量基础设施一站式服务).

    A station answers cases of metrology, standards, testing and management in order of arrival,
    up to its monthly capacity. `reach` is the share of firms that get to know the new stations.
    Practice: 2,372 stations nationwide by the end of 2024; Guangdong counts 0.6 problems solved
    a service (F051 / F050), which sets the default competence: a self-reported figure.
    """

    per_1000_firms: float = parameter(2.0, 0.0, 100.0, "stations per 1,000 firms", "assumption", "N", "further stations")
    capacity: float = parameter(12.0, 0.0, 10_000.0, "cases/month", "assumption, from a reduced prototype", "N", "cases a station can serve")
    competence: float = parameter(0.6, 0.0, 1.0, "share", "F051/F050: problems solved per service in Guangdong, self-reported", "D",
                                  "probability that a case is solved")  # fmt: skip
    elements: tuple[int, ...] = parameter((1, 1, 1, 1), 0, 1, "1", "one-stop: all four", "N",
                                          "whether it offers management, metrology, standards, testing")  # fmt: skip
    online_share: float = parameter(0.5, 0.0, 1.0, "share", "assumption", "N", "share of the stations that serve every county")
    fee: float = parameter(1_000.0, 0.0, 1e6, "CNY/case", "assumption", "N", "fee the firm pays for a case")
    station_cost: float = parameter(300_000.0, 0.0, 1e9, "CNY/station", "assumption", "N", "government's cost of setting up a station")
    running_cost: float = parameter(40_000.0, 0.0, 1e8, "CNY/month", "assumption", "N", "government's cost of keeping a station")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Tell firms of the new stations."""
        world.firms.knows_programme[chosen] = True

    def prepare(self, world: World, programme: Programme) -> None:
        """Set up the stations that are due, and keep those that stand, as far as the budget goes."""
        stations = world.stations
        planned = round(self.per_1000_firms * world.firms.n / 1000)
        due = int(planned * self.grown(world.month) + 1e-9)
        standing = np.flatnonzero(stations.programme & stations.alive)
        each = self.station_cost + self.running_cost
        spare = programme.left - standing.size * self.running_cost
        new = max(0, due - standing.size)
        if each > 0.0 and spare < new * each:
            new = max(0, int(spare // each))
        if new:
            standing = np.concatenate([standing, self._open(world, new, first=standing.size, planned=planned)])
        kept = standing.size
        if self.running_cost > 0.0 and programme.left < new * self.station_cost + kept * self.running_cost:
            kept = int((programme.left - new * self.station_cost) // self.running_cost)
        stations.capacity[standing] = np.where(np.arange(standing.size) < kept, self.capacity, 0.0)
        living = world.firms.alive
        total = new * self.station_cost + kept * self.running_cost
        programme.spend(world, "stations", total * living / max(int(living.sum()), 1))

    def _open(self, world: World, new: int, first: int, planned: int) -> NDArray[np.int64]:
        """Open stations: the online ones first, then one by one to the counties with most firms."""
        stations = world.stations
        rows = stations.grow(new)
        slot = first + np.arange(new)
        busiest = np.argsort(-np.bincount(world.firms.county), kind="stable")
        stations.programme[rows] = True
        stations.online[rows] = slot < round(self.online_share * planned)
        stations.county[rows] = busiest[slot % busiest.size]
        stations.offers[rows] = np.asarray(self.elements, dtype=np.bool_)
        stations.competence[rows] = self.competence
        stations.fee[rows] = self.fee
        world.appear("stations", rows)
        return rows

    def close(self, world: World, programme: Programme) -> None:
        """Close the stations; who still waits withdraws."""
        for row in np.flatnonzero(world.stations.programme & world.stations.alive):
            world.leave("stations", int(row))
