"""What every instrument is: levers, whom it fits, what it does, and how it is registered.

An instrument is an *effect* (its own small file) times a *delivery* (`sim.instruments.delivery`, the same for all).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from sim.instruments.account import Account
from sim.instruments.delivery import Delivery
from sim.world import World

__all__ = ["INSTRUMENTS", "Instrument", "instrument"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Instrument(Delivery, ABC):
    """A quality-policy instrument: an effect on the firms that its delivery chooses.

    Subclass it as a frozen dataclass with the levers as fields, register it with `instrument`,
    and write `apply`. Levers come from `sim.parameters.parameter`, so that each has a range,
    a unit and a source. At dose 0 the instrument is exactly off.
    """

    dose: ClassVar[str]
    practice: ClassVar[str]
    #: The lever that moves where it is to spend more or less.
    budget_lever: ClassVar[str] = "reach"
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
        return world.firms.alive & np.isin(world.firms.size_class, [SIZE_CLASSES.index(s) for s in self.sizes])

    @abstractmethod
    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Act on the firms (rows) that are taken on this month."""

    def support(self, world: World, reached: NDArray[np.int64]) -> Floats:
        """CNY a month that government bears for each firm taken on, in the order of `reached`."""
        return np.zeros(reached.size)

    def supported(self, world: World, reached: NDArray[np.int64], paid: Mask) -> None:
        """Learn which of the firms taken on get their support this month (the budget may not go round)."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Act once a month on the firms that are being helped: those taken on whose support is paid."""

    def losses(self, world: World, programme: Account, rows: NDArray[np.int64], lost: Floats) -> None:
        """Answer for what lenders lose in strong-chain loans to firms that had been taken on: CNY, in the order of `rows`."""

    def prepare(self, world: World, programme: Account) -> None:
        """Do what the month needs before firms are chosen (set up stations, say), and spend for it."""

    def close(self, world: World, programme: Account) -> None:
        """Undo, once the window has ended, what does not outlast the programme."""

    def tally(self, world: World, programme: Account) -> None:
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
