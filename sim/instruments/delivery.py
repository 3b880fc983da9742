"""Delivery: when an instrument acts, on whom, how many, and at whose cost.

An instrument is an *effect* (its own small file) times this *delivery* (the same for all).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from agents.columns import Floats, Ints
from agents.firm import KINDS, SIZE_CLASSES
from agents.streams import normal
from sim.attribution.quality_map import quality_map
from sim.month.propagation import outgoing_dpu
from sim.parameters import ParameterError, check_ranges, names, parameter
from sim.places import firms_in_places, indices_of
from sim.world import World

__all__ = ["RULES", "TARGETING", "Delivery"]


# -- whom first --------------------------------------------------------------------------------
# A rule scores firms; the highest scores come first. A draw decides ties; it is the same in every
# month and under every policy (so that a larger reach includes all firms of a smaller one).


def _random(world: World) -> Floats:
    return np.zeros(world.firms.n)


def _doubt(world: World) -> Floats:
    """The factor by which chain heads misjudge each firm on the map: a lasting error, which visits reduce, shape (n,)."""
    firms, p = world.firms, world.parameters
    return np.exp(p.map_noise * (1.0 - firms.mapped) * normal(world.draw_lasting("doubt of the quality map", firms)))


def _by_map(world: World) -> Floats:
    """The quality map as chain heads see it."""
    return quality_map(world).by_firm * _doubt(world)


def _by_need(world: World, treats: Ints) -> Floats:
    """What a firm's open problems of some kinds cost users, as chain heads see it: marginal loss × problems that this help is for."""
    return quality_map(world).marginal * world.firms.open_problems[:, treats].sum(axis=1) * _doubt(world)


def _by_jury(world: World) -> Floats:
    """The best first, as a jury sees them: with a lasting error about each firm."""
    firms, p = world.firms, world.parameters
    doubt = p.jury_noise * normal(world.draw_lasting("doubt of the jury", firms))
    return -np.log(np.maximum(outgoing_dpu(world), 1e-9)) + doubt


def _largest(world: World) -> Floats:
    return world.firms.output


def _smallest(world: World) -> Floats:
    return -world.firms.output


#: Rules that need no more than the world. `need` also asks what the instrument treats (`Delivery.scores`).
TARGETING: dict[str, Callable[[World], Floats]] = {
    "random": _random,
    "worst_first": outgoing_dpu,
    "best_first": _by_jury,
    "quality_map": _by_map,
    "largest": _largest,
    "smallest": _smallest,
}


#: Every rule of targeting, by its name.
RULES = (*TARGETING, "need")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The levers that every instrument has."""

    key: ClassVar[str] = "delivery"
    #: Kinds of open problems that this help is for (`agents.firm.KINDS`): it ends them, or they come less often; empty if it is for none.
    treats: ClassVar[tuple[str, ...]] = ()

    start: int = parameter(1, 1, 10_000, "month", "a convention", "N", "month in which it begins")
    length: int | None = parameter(
        None, 0, 10_000, "months", "a convention; none means until the end of the run", "N", "months for which it runs"
    )
    ramp: int = parameter(1, 1, 1_000, "months", "assumption: all at once", "N", "months over which it grows to its full reach")
    reach: float = parameter(0.5, 0.0, 1.0, "share", "assumption", "N", "share of the eligible firms that it reaches")
    monthly_capacity: int | None = parameter(
        None, 0, 10_000_000, "firms/month", "assumption: no limit", "N", "firms it can take on in a month"
    )
    budget: float | None = parameter(
        None, 0.0, 1e15, "CNY", "assumption: no limit", "N", "largest amount that government may spend on it in total"
    )
    unit_cost: float = parameter(0.0, 0.0, 1e9, "CNY/firm", "assumption", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        1.0, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    sizes: tuple[str, ...] = field(
        default=SIZE_CLASSES, metadata={"unit": "1", "choices": SIZE_CLASSES, "meaning": "eligible size classes"}
    )
    targeting: str = field(default="random", metadata={"unit": "1", "choices": RULES, "meaning": "which firms it takes on first"})
    tenure: int | None = parameter(
        None, 1, 10_000, "months", "a convention; none means as long as the programme runs", "N", "months for which a firm takes part"
    )
    until_done: bool = field(
        default=False,
        metadata={"unit": "1", "meaning": "whether a firm leaves when it has no open problem left of a kind that this help is for"},
    )
    rechoose: int | None = parameter(
        None, 1, 10_000, "months", "a convention; none means that a firm chosen once stays", "N",
        "months from one choice of all its firms to the next: others may take the places of those that come first no longer",
    )  # fmt: skip
    chains: tuple[str, ...] = names((), "names of the chains whose firms it takes on; all if none is named")
    counties: tuple[str, ...] = names((), "names of the counties whose firms it takes on; all if none is named")
    waves: dict[int, tuple[str, ...]] | None = field(
        default=None,
        hash=False,
        metadata={"unit": "1", "source": "assumption", "confidence": "N",
                  "meaning": "places in turn: from each month on, firms of these counties or chains are taken on as well"},
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        check_ranges(self, f"instruments.{self.key}.")
        for lever in ("sizes", "chains", "counties"):
            object.__setattr__(self, lever, tuple(getattr(self, lever)))
        for lever, value, legal in (("targeting", (self.targeting,), RULES), ("sizes", self.sizes, SIZE_CLASSES)):
            wrong = [v for v in value if v not in legal]
            if wrong:
                raise ParameterError(f"{self._where(lever)} is {wrong[0]!r}; it must be one of {', '.join(legal)}")
        object.__setattr__(self, "waves", self._waves() or None)
        for lever, asked in (("targeting", self.targeting == "need"), ("until_done", self.until_done)):
            if asked and not self.treats:
                set_to = "need" if lever == "targeting" else "true"
                raise ParameterError(f"{self._where(lever)} is {set_to}, but this instrument is for no kind of open problem; leave it out")

    def _where(self, lever: str) -> str:
        return f"instruments.{self.key}.{lever}"

    def _waves(self) -> dict[int, tuple[str, ...]]:
        """Return the waves in the order of their months, checked."""
        where, seen = self._where("waves"), set[str]()
        given: Any = self.waves or {}  # from a file, of any type
        if not isinstance(given, Mapping):
            raise ParameterError(f"{where} is {given!r}; it must give each month its places, such as {{1: [A, B], 13: [C]}}")
        waves = {}
        for month, places in given.items():
            if not (isinstance(month, int) or (isinstance(month, str) and month.isdecimal())) or int(month) < 1:
                raise ParameterError(f"{where} has a wave in month {month!r}; it must be a whole number from 1 on")
            if (
                isinstance(places, str)
                or not isinstance(places, Sequence)
                or not all(isinstance(place, str) for place in places)
                or not places
            ):
                raise ParameterError(f"{where}.{month} is {places!r}; it must be a list of names of counties or chains")
            for place in places:
                if place in seen:
                    raise ParameterError(f"{where} names {place!r} twice; name each place once")
                seen.add(place)
            waves[int(month)] = tuple(places)
        return dict(sorted(waves.items()))

    @property
    def moves(self) -> bool:
        """Whether firms may leave it before it ends."""
        return self.tenure is not None or self.until_done or self.rechoose is not None

    @property
    def treated(self) -> Ints:
        """Indices of the kinds of problems that it is for."""
        return np.array([KINDS.index(kind) for kind in self.treats], dtype=np.int64)

    def scores(self, world: World) -> Floats:
        """Score firms by the rule of targeting: the highest come first, shape (n,)."""
        return _by_need(world, self.treated) if self.targeting == "need" else TARGETING[self.targeting](world)

    def places(self, world: World) -> tuple[Ints, Ints]:
        """Say in which wave each firm is, -1 outside the chosen places, shape (n,), and in which month each wave begins, shape (waves,).

        Without waves all firms of the chosen chains and counties are in one, which begins with the programme.

        Raises
        ------
        ParameterError
            If there is no chain or county of a name.
        """
        firms = world.firms
        within = np.ones(firms.n, dtype=np.bool_)
        if self.chains:
            within &= np.isin(firms.chain, indices_of(self.chains, world.network.chains, self._where("chains"), "chain"))
        if self.counties:
            within &= np.isin(firms.county, indices_of(self.counties, world.county_names, self._where("counties"), "county"))
        wave = np.where(within, 0, -1)
        if not self.waves:
            return wave, np.array([self.start])
        begins = np.full(firms.n, -1, dtype=np.int64)
        for number, places in reversed(list(enumerate(self.waves.values()))):  # a firm in two waves is in the earlier one
            begins[firms_in_places(world, places, self._where("waves"))] = number
        return np.where(within, begins, -1), np.maximum(np.array(list(self.waves)), self.start)

    def runs(self, month: int) -> bool:
        """Whether a month lies in its window."""
        return month >= self.start and (self.length is None or month < self.start + self.length)

    def grown(self, month: int, pace: float = 1.0) -> float:
        """Share of the full reach that the ramp allows in a month, at a multiple of its usual pace."""
        return min(1.0, (month - self.start + 1) * pace / self.ramp)
