"""What every shock has: when it strikes and whom, what it does, what is said of it, and its place in the register.

A shock is no policy: nobody chooses it, nobody pays for it, and it draws no luck. Each kind stands in a run at most once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from agents.columns import Ints
from sim.parameters import check_ranges, parameter
from sim.world import World

__all__ = ["SHOCKS", "AtWork", "Shock", "shock", "strike"]


@dataclass(frozen=True, kw_only=True)
class Shock(ABC):
    """Something that happens to firms or to demand for some months.

    Subclass it as a frozen dataclass, register it with `shock`, and write `whom` and `act`. A shock of size 0, or one that begins
    after the last month, changes no bit.
    """

    #: What it is typed as; `shock` sets it.
    key: ClassVar[str]
    #: What it is called in English and in Chinese.
    label: ClassVar[str]
    label_zh: ClassVar[str]

    size: float
    month: int = parameter(7, 1, 12_000, "month", "a convention: after half a year without it", "N", "month in which it begins")
    months: int | None

    def __post_init__(self) -> None:
        """Refuse values outside their ranges, and make tuples of lists."""
        check_ranges(self, f"shocks.{self.key}.")
        for name in ("firms", "chains"):
            if isinstance(named := getattr(self, name, None), list):
                object.__setattr__(self, name, tuple(named))

    def strikes(self, month: int) -> bool:
        """Whether it acts in a month."""
        return self.size != 0.0 and month >= self.month and (self.months is None or month < self.month + self.months)

    @abstractmethod
    def whom(self, world: World) -> Ints:
        """Return the rows of the firms that it strikes, as they stand when it is announced: before month 1 as a rule."""

    @abstractmethod
    def act(self, world: World, rows: Ints) -> None:
        """Act on the firms struck for one month: write into columns that later phases of this month read."""


@dataclass(frozen=True)
class AtWork:
    """A shock at work in one run, with the rows of the firms that it strikes."""

    shock: Shock
    rows: Ints

    def act(self, world: World) -> None:
        """Act on those of its firms that live, in the months in which it strikes."""
        if self.shock.strikes(world.month):
            self.shock.act(world, self.rows[world.firms.alive[self.rows]])


SHOCKS: dict[str, type[Shock]] = {}


def shock(key: str) -> Callable[[type[Shock]], type[Shock]]:
    """Register a class of shocks under a key."""

    def register(cls: type[Shock]) -> type[Shock]:
        cls.key = key
        SHOCKS[key] = cls
        return cls

    return register


def strike(world: World) -> None:
    """Let every shock act that strikes this month; in most runs there is none."""
    for one in world.shocks:
        one.act(world)
