"""Delivery: when an instrument acts, on whom, how many, and at whose cost.

An instrument is an *effect* (its own small file) times this *delivery* (the same for all).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import SIZE_CLASSES
from agents.streams import normal
from sim.attribution.quality_map import quality_map
from sim.month.propagation import outgoing_dpu
from sim.parameters import ParameterError, check_ranges, parameter
from sim.world import World

__all__ = ["INSTRUMENTS", "TAKEN_ON", "TARGETING", "Delivery", "Instrument", "Programme", "instrument", "policy"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

#: What every programme counts, and what that is.
TAKEN_ON = ("firms taken on", "firms that took part, each as often as it did")


# -- whom first --------------------------------------------------------------------------------
# A rule scores firms; the highest scores come first, ties by a draw that is the same in every
# month and under every policy (so that half of the firms reached are among all reached).


def _random(world: World) -> Floats:
    return np.zeros(world.firms.n)


def _by_map(world: World) -> Floats:
    """The quality map as chain heads see it: with a doubt about each firm that lasts, and that visits remove."""
    firms, p = world.firms, world.parameters
    doubt = p.map_noise * (1.0 - firms.mapped) * normal(world.streams.uniform("doubt of the quality map", 0, firms.n))
    return np.asarray(quality_map(world).by_firm * np.exp(doubt))


def _by_jury(world: World) -> Floats:
    """The best first, as a jury sees them: with a doubt about each firm that lasts."""
    firms, p = world.firms, world.parameters
    doubt = p.jury_noise * normal(world.streams.uniform("doubt of the jury", 0, firms.n))
    return np.asarray(-np.log(np.maximum(outgoing_dpu(world), 1e-9)) + doubt)


def _largest(world: World) -> Floats:
    return np.asarray(world.firms.output)


def _smallest(world: World) -> Floats:
    return -np.asarray(world.firms.output)


TARGETING: dict[str, Callable[[World], Floats]] = {
    "random": _random,
    "worst_first": outgoing_dpu,
    "best_first": _by_jury,
    "quality_map": _by_map,
    "largest": _largest,
    "smallest": _smallest,
}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The levers that every instrument has."""

    start: int = parameter(1, 1, 10_000, "month", "a convention", "N", "month in which it begins")
    length: int | None = parameter(None, 0, 10_000, "months", "a convention; none is to the end", "N", "months for which it runs")
    ramp: int = parameter(1, 1, 1_000, "months", "assumption: all at once", "N", "months over which it grows to its full reach")
    reach: float = parameter(0.5, 0.0, 1.0, "share", "assumption", "N", "share of the eligible firms that it reaches")
    monthly_capacity: int | None = parameter(
        None, 0, 10_000_000, "firms/month", "assumption: no limit", "N", "firms it can take on in a month"
    )
    budget: float | None = parameter(None, 0.0, 1e15, "CNY", "assumption: no limit", "N", "what government may spend on it in all")
    unit_cost: float = parameter(0.0, 0.0, 1e9, "CNY/firm", "assumption", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        1.0, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    sizes: tuple[str, ...] = field(
        default=SIZE_CLASSES, metadata={"unit": "1", "choices": SIZE_CLASSES, "meaning": "eligible size classes"}
    )
    targeting: str = field(default="random", metadata={"unit": "1", "choices": tuple(TARGETING), "meaning": "whom it takes on first"})

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        check_ranges(self, f"instruments.{getattr(self, 'key', 'delivery')}.")
        object.__setattr__(self, "sizes", tuple(self.sizes))
        for lever, value, legal in (("targeting", (self.targeting,), TARGETING), ("sizes", self.sizes, SIZE_CLASSES)):
            wrong = [v for v in value if v not in legal]
            if wrong:
                where = f"instruments.{getattr(self, 'key', 'delivery')}.{lever}"
                raise ParameterError(f"{where} is {wrong[0]!r}; it must be one of {', '.join(legal)}")

    def runs(self, month: int) -> bool:
        """Whether a month lies in its window."""
        return month >= self.start and (self.length is None or month < self.start + self.length)

    def grown(self, month: int, pace: float = 1.0) -> float:
        """Share of the full reach that the ramp allows in a month, at a multiple of its usual pace."""
        return min(1.0, (month - self.start + 1) * pace / self.ramp)


@dataclass(frozen=True, kw_only=True)
class Instrument(Delivery, ABC):
    """A quality-policy instrument: an effect on the firms that its delivery chooses.

    Subclass it as a frozen dataclass with the levers as fields, register it with `instrument`,
    and write `apply`. Levers come from `sim.parameters.parameter`, so that each has a range,
    a unit and a source. At dose 0 the instrument is exactly off.
    """

    key: ClassVar[str]
    dose: ClassVar[str]
    practice: ClassVar[str]
    #: Who receives the monthly support.
    support_to: ClassVar[str] = "households"
    #: Whether it serves other programmes, and acts before them.
    first: ClassVar[bool] = False
    #: What it delivers, in its own units (`Programme.counts`), and what each of them is.
    counted: ClassVar[dict[str, str]] = {}

    @property
    def level(self) -> float:
        """The value of the lever that is its dose."""
        return float(getattr(self, self.dose))

    def eligible(self, world: World) -> Mask:
        """Firms that could be taken on, shape (n,); those of a fitting size that live, by default."""
        return np.asarray(world.firms.alive & np.isin(world.firms.size_class, [SIZE_CLASSES.index(s) for s in self.sizes]))

    @abstractmethod
    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Act on the firms (rows) that are taken on this month."""

    def support(self, world: World, reached: NDArray[np.int64]) -> Floats:
        """CNY a month that government bears for each firm taken on, in the order of `reached`."""
        return np.zeros(reached.size)

    def supported(self, world: World, reached: NDArray[np.int64], paid: Mask) -> None:
        """Learn which of the firms taken on get their support this month (the budget may not go round)."""

    def act(self, world: World, programme: Programme, rows: NDArray[np.int64]) -> None:
        """Act once a month on the firms that are being helped: those taken on whose support is paid."""

    def losses(self, world: World, programme: Programme, rows: NDArray[np.int64], lost: Floats) -> None:
        """Answer for what lenders lose in strong-chain loans to firms that had been taken on: CNY, in the order of `rows`."""

    def prepare(self, world: World, programme: Programme) -> None:
        """Do what the month needs before firms are chosen (set up stations, say), and spend for it."""

    def close(self, world: World, programme: Programme) -> None:
        """Undo, once the window has ended, what does not outlast the programme."""

    def tally(self, world: World, programme: Programme) -> None:
        """Bring counts of what others deliver in its stead, later in the month, up to date."""


INSTRUMENTS: dict[str, type[Instrument]] = {}


def instrument(key: str, *, dose: str, practice: str) -> Callable[[type[Instrument]], type[Instrument]]:
    """Register an instrument class under a key; `dose` names its main lever, `practice` the practice in Chinese."""

    def register(cls: type[Instrument]) -> type[Instrument]:
        if dose not in {f for c in cls.__mro__ for f in getattr(c, "__annotations__", {})}:
            raise TypeError(f"{cls.__name__} has no lever {dose!r} to be its dose")
        cls.key, cls.dose, cls.practice = key, dose, practice
        INSTRUMENTS[key] = cls
        return cls

    return register


@dataclass
class Programme:
    """An instrument at work in one run, and what it has done so far.

    Attributes
    ----------
    reached : int array
        Rows of the firms taken on, in the order in which they were.
    fresh : int array
        Rows of the firms taken on in its last month.
    spent : float
        CNY that government has spent on it.
    awards : list of (month, firms)
        How many firms it took on, month by month.
    counts : dict of str to int
        What it delivered so far, in its own units: visits, seats, samples, certificates, projects, ….
    gone : int
        How many firms that it had taken on have given up since; an entrant in their place can be taken on anew.
    """

    instrument: Instrument
    reached: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    fresh: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    spent: float = 0.0
    awards: list[tuple[int, int]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    closed: bool = False
    _first: dict[str, int] = field(default_factory=dict)

    def deliver(self, world: World) -> None:
        """One month: bear running costs, set up, choose firms, act; nothing at all at dose 0."""
        ins, month = self.instrument, world.month
        if ins.level == 0.0:
            return
        if not ins.runs(month):
            if month >= ins.start:
                self.end(world)
            return
        helped = self._support(world, self.reached[world.firms.alive[self.reached]])
        ins.prepare(world, self)
        ins.tally(world, self)
        self.fresh = chosen = self._choose(world)
        if chosen.size:
            government = self.instrument.government_share * ins.unit_cost
            self.spend(world, "households", world.for_firms(chosen, government))
            self._firms_pay(world, chosen, np.full(chosen.size, ins.unit_cost - government))
            world.credit_chain_heads("awards", world.for_firms(chosen, 1.0))
            self.reached = np.concatenate([self.reached, chosen])
            ins.apply(world, month, chosen)
            helped = np.concatenate([helped, self._support(world, chosen)])
        ins.act(world, self, helped)
        self.awards.append((month, int(chosen.size)))
        self.counts[TAKEN_ON[0]] += int(chosen.size)

    def count_on(self, name: str, so_far: int) -> None:
        """Count by how much a running total has risen since the programme first read it."""
        self.counts[name] = so_far - self._first.setdefault(name, so_far)

    def delivered(self, world: World) -> dict[str, int]:
        """Return all that it has delivered up to now, what it might have and did not as 0."""
        if self.awards:
            self.instrument.tally(world, self)
        return {name: int(self.counts[name]) for name in dict.fromkeys((TAKEN_ON[0], *self.instrument.counted, *self.counts))}

    def end(self, world: World) -> None:
        """Undo, once, what does not outlast the programme."""
        if self.instrument.level != 0.0 and not self.closed:
            self.instrument.close(world, self)
            self.closed = True

    def give_up(self, world: World, rows: NDArray[np.int64], lost: Floats) -> None:
        """Answer for lenders' losses while it runs, and let go of firms that give up."""
        ins = self.instrument
        if ins.level != 0.0 and not self.closed and ins.runs(world.month):
            ours = np.isin(rows, self.reached)
            ins.losses(world, self, rows[ours], lost[ours])
        stays = ~np.isin(self.reached, rows)
        self.gone += int((~stays).sum())
        self.reached = self.reached[stays]

    def spend(self, world: World, payee: str, amounts: Floats) -> None:
        """Spend programme money on firms: CNY by firm, shape (n,). Never more than is left."""
        self._note(world, amounts)
        world.books.pay("government", payee, self.instrument.key, float(amounts.sum()))

    def grant(self, world: World, amounts: Floats) -> None:
        """Pay programme money out to firms: CNY by firm, shape (n,). Never more than is left."""
        self._note(world, amounts)
        world.pay_firms("government", self.instrument.key, amounts)

    def _note(self, world: World, amounts: Floats) -> None:
        """Keep account of what is spent, beside firms and chain heads and in all."""
        total = float(amounts.sum())
        if total > self.left * (1 + 1e-12):
            raise ValueError(f"{self.instrument.key} cannot spend {total} CNY; {self.left} are left")
        world.firms.government_cost[:] += amounts
        world.credit_chain_heads("spent", amounts)
        self.spent += total

    @property
    def left(self) -> float:
        """CNY of the budget that are left (infinite without one)."""
        budget = self.instrument.budget
        return float("inf") if budget is None else max(0.0, budget - self.spent)

    def _firms_pay(self, world: World, rows: NDArray[np.int64], amounts: Floats) -> None:
        world.firms.prevention[rows] += amounts
        world.firms_pay("households", self.instrument.key, world.for_firms(rows, amounts))

    def _support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pay the month's support of firms taken on, in the order of entry, as far as the budget goes; returns whom it reached."""
        ins = self.instrument
        support = ins.support(world, reached)
        paid = np.cumsum(support) <= self.left
        self.spend(world, ins.support_to, world.for_firms(reached[paid], support[paid]))
        ins.supported(world, reached, paid)
        return reached[paid]

    def _choose(self, world: World) -> NDArray[np.int64]:
        """Choose the firms to take on this month, by the targeting rule within reach, capacity and budget."""
        ins = self.instrument
        already = np.zeros(world.firms.n, dtype=np.bool_)
        already[self.reached] = True
        open_to = ins.eligible(world) & ~already
        ours = already & world.firms.alive
        uptake, effort = (0.0, 0.0) if ins.first else _taken_up(world, open_to | ours)
        full = (ins.reach + (1.0 - ins.reach) * uptake) * (open_to.sum() + ours.sum())
        number = int(np.floor(full * ins.grown(world.month, 1.0 + effort) + 1e-9)) - int(ours.sum())
        if ins.monthly_capacity is not None:
            number = min(number, int(ins.monthly_capacity * (1.0 + effort)))
        rows = np.flatnonzero(open_to)
        if number <= 0 or not rows.size:
            return np.empty(0, dtype=np.int64)
        tie = world.streams.uniform(f"{ins.key}: whom first", 0, world.firms.n)[rows]
        order = np.lexsort((rows, tie, -TARGETING[ins.targeting](world)[rows]))[:number]
        cost = ins.government_share * ins.unit_cost
        affordable = order.size if cost == 0.0 else int(min(order.size, self.left // cost)) if np.isfinite(self.left) else order.size
        return rows[order[:affordable]]


def _taken_up(world: World, fitting: Mask) -> tuple[float, float]:
    """Uptake and effort that other programmes lend, on average over fitting firms."""
    firms = world.firms
    return (float(firms.uptake[fitting].mean()), float(firms.effort[fitting].mean())) if fitting.any() else (0.0, 0.0)


def policy(world: World) -> None:
    """Let every programme act, in the order in which their instruments are registered."""
    for programme in world.programmes.values():
        programme.deliver(world)
