"""One-stop quality-infrastructure service stations (一站式服务站)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS, SIZE_CLASSES
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.parameters import parameter
from sim.world import World

__all__ = ["OneStopStations"]


@instrument("one_stop_stations", dose="per_1000_firms")
@dataclass(frozen=True, kw_only=True)
class OneStopStations(Instrument):
    """Government sets up more one-stop stations and informs firms about them (质量基础设施一站式服务).

    A station serves cases of management, metrology, standards and testing in order of arrival, up to its monthly capacity. A solved case
    closes a problem and raises the firm's capability a little. `reach` is the share of eligible firms that get to know the new stations.

    Cost: government bears set-up and running cost in full, and informing firms is assumed to cost nothing; a firm pays the station a fee
    for each case.
    Ends: the stations close, firms that still wait withdraw their cases, and firms no longer know of the stations.
    Stays: what was solved, and the capability, which fades like all practice.
    Practice: 2,372 stations in China by the end of 2024; Guangdong reports 0.6 solved problems per service (F051 / F050), a self-reported
    figure, which is the default competence. Other figures are assumptions.
    """

    label: ClassVar[str] = "one-stop service stations"
    label_zh: ClassVar[str] = "一站式服务站"
    theme: ClassVar[Theme] = Theme.EXPERTS
    treats: ClassVar[tuple[str, ...]] = KINDS
    hinges_on: ClassVar[str] = "parameters.service_learning"
    #: Full dose: more stations than anybody would set up.
    doses_shown: ClassVar[tuple[float, ...]] = (1.0, 2.0, 4.0, 8.0, 16.0)
    budget_lever: ClassVar[str] = "per_1000_firms"
    counted: ClassVar[dict[str, str]] = {
        "stations": "stations set up",
        "cases served": "cases that these stations served",
        "problems solved": "cases whose problem was solved",
    }

    sizes: tuple[str, ...] = field(
        default=("small", "medium"),
        metadata={
            "unit": "1",
            "choices": SIZE_CLASSES,
            "meaning": "eligible size classes (F049: the stations serve small and medium chain firms)",
        },
    )
    per_1000_firms: float = parameter(2.0, 0.0, 100.0, "stations per 1,000 firms", "assumption", "N", "additional stations")
    capacity: float = parameter(
        12.0, 0.0, 10_000.0, "cases/month", "assumption, from a reduced prototype", "N", "cases a station can serve"
    )
    competence: float = parameter(0.6, 0.0, 1.0, "share", "F051/F050: problems solved per service in Guangdong, self-reported", "D",
                                  "probability that a case is solved")  # fmt: skip
    elements: tuple[int, int, int, int] = parameter((1, 1, 1, 1), 0, 1, "1", "assumption: one-stop, all four", "N",
                                          "whether a station offers management, metrology, standards, testing (1) or not (0)")  # fmt: skip
    online_share: float = parameter(0.5, 0.0, 1.0, "share", "assumption", "N", "share of the stations that serve every county")
    fee: float = parameter(1_000.0, 0.0, 1e6, "CNY/case", "assumption", "N", "fee the firm pays for a case")
    station_cost: float = parameter(300_000.0, 0.0, 1e9, "CNY/station", "assumption", "N", "government's cost of setting up a station")
    running_cost: float = parameter(40_000.0, 0.0, 1e8, "CNY/month", "assumption", "N", "government's cost of running a station")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Inform firms about the new stations."""
        world.firms.knows_programme[chosen] = True

    def prepare(self, world: World, programme: Account) -> None:
        """Set up the stations that are due, and run the existing ones, as far as the budget goes.

        The number need not be whole: the last station is smaller, in capacity and in cost, so that
        the effect is smooth in the dose, and a larger dose includes all stations of a smaller one.
        """
        stations = world.stations
        standing = np.flatnonzero(self._ours(world, programme) & stations.alive)
        before = stations.extent[standing].sum()
        in_region = world.firms.region == programme.region
        due = max(self.per_1000_firms * np.count_nonzero(in_region) / 1000 * self.grown(world.month), before)
        each = self.station_cost + self.running_cost
        if each > 0.0 and np.isfinite(programme.left):
            due = min(due, before + max(0.0, programme.left - before * self.running_cost) / each)
        standing = np.concatenate([standing, self._open(world, programme, int(np.ceil(due - 1e-9)) - standing.size, standing.size)])
        extent = np.clip(due - np.arange(standing.size), 0.0, 1.0)
        set_up = self.station_cost * (extent.sum() - before)
        # If the budget is no longer enough for all, the first ones stay open.
        kept = np.cumsum(extent) * self.running_cost <= (programme.left - set_up) * (1 + 1e-12)
        stations.extent[standing] = extent
        stations.capacity[standing] = np.where(kept, self.capacity * extent, 0.0)
        living = world.firms.alive & in_region
        total = min(set_up + self.running_cost * extent[kept].sum(), programme.left)
        programme.spend(world, "stations", total * living / max(int(living.sum()), 1))

    def _ours(self, world: World, programme: Account) -> NDArray[np.bool_]:
        """Stations that the programme has set up, shape (stations,)."""
        return world.stations.programme & (world.stations.region == programme.region)

    def _open(self, world: World, programme: Account, new: int, first: int) -> NDArray[np.int64]:
        """Open stations one after another: a fixed share of them online, the others by turns in the counties with most firms."""
        stations = world.stations
        rows = stations.grow(max(new, 0))
        slot = first + np.arange(rows.size)
        counties = world.counties_of(programme.region)
        busiest = counties[np.argsort(-np.bincount(world.firms.county)[counties], kind="stable")]
        stations.programme[rows] = True
        stations.region[rows] = programme.region
        stations.online[rows] = np.floor((slot + 1) * self.online_share) > np.floor(slot * self.online_share)
        stations.county[rows] = busiest[slot % busiest.size]
        stations.offers[rows] = np.asarray(self.elements, dtype=np.bool_)
        stations.competence[rows] = self.competence
        stations.fee[rows] = self.fee
        world.appear("stations", rows)
        return rows

    def tally(self, world: World, programme: Account) -> None:
        """Count what the stations have done."""
        stations = world.stations
        ours = self._ours(world, programme)
        programme.counts["stations"] = max(programme.counts["stations"], int((ours & stations.alive & (stations.capacity > 0.0)).sum()))
        programme.count_on("cases served", int(stations.served[ours].sum()))
        programme.count_on("problems solved", int(stations.solved[ours].sum()))

    def release(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Let firms no longer know of the stations; cases that wait are served."""
        world.firms.knows_programme[rows] = False

    def close(self, world: World, programme: Account) -> None:
        """Close the stations: firms that still wait withdraw their cases, and firms no longer know of the stations."""
        for row in np.flatnonzero(self._ours(world, programme) & world.stations.alive):
            world.leave("stations", int(row))
        world.firms.knows_programme[world.firms.region == programme.region] = False
