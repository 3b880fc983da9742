"""State that all parts of the twin read: parameters, random numbers, the month, and the agents."""

from __future__ import annotations

from collections import Counter
from typing import Any

import mesa

from agents.streams import Streams
from sim.parameters import Parameters
from sim.world import World


class TwinWorld(mesa.Model):
    """State that firms, stations, the bank and the market share; `TwinModel` fills it and runs the month.

    Attributes
    ----------
    happened : Counter
        Events that the model does not count, so that a test can check that they occur.
    by_place : dict
        Firms by place.
    by_row, stations : dict, list
        Service stations.
    links : list
        Relations between firms.
    books, bank, regulator, support
        The accounts, and the agents of which there is only one.
    """

    by_place: dict[int, Any]
    by_row: dict[int, Any]
    firms: Any
    stations: list[Any]
    links: list[Any]
    books: Any
    bank: Any
    regulator: Any
    support: Any

    def __init__(self, world: World) -> None:
        super().__init__(rng=0)
        self.parameters: Parameters = world.parameters
        self.streams: Streams = world.streams
        self.month = world.month
        self.counts = dict(world.counts)
        self.happened: Counter[str] = Counter()
        self.causes: list[list[bool]] = world.chains.cause.tolist()
        self.quality_cost: list[float] = world.classes.quality_cost.tolist()
        self.places, self.relations = world.firms.n, world.links.n

    def draws(self, decision: str) -> list[float]:
        """Uniforms of this month, one for every place of a firm."""
        return self.streams.uniform(decision, self.month, self.places).tolist()

    def draws_by_kind(self, decision: str, places: int | None = None) -> list[list[float]]:
        """Uniforms of this month, four for every place of a firm (or of a chain)."""
        return self.streams.uniforms(decision, self.month, self.places if places is None else places, 4).tolist()
