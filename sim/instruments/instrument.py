"""What every instrument has: levers, eligible firms, an effect, what is said of it, and its place in the register.

An instrument is an *effect* (its own small file) times a *delivery* (`sim.instruments.delivery`, the same for all).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from sim.instruments.account import Account
from sim.instruments.delivery import Delivery
from sim.world import World

__all__ = ["INSTRUMENTS", "SHARED_ASSUMPTION", "Instrument", "Theme", "instrument"]

Mask = NDArray[np.bool_]

#: The assumption behind the effect of every instrument, beside the one that each names itself (`Instrument.hinges_on`).
SHARED_ASSUMPTION = "parameters.latent_share"


class Theme(Enum):
    """What an instrument is about; pages go through the instruments in this order."""

    FIRMS = "firms"
    CHAINS = "supply chains"
    EXPERTS = "experts and laboratories"
    DATA = "data"
    OVERSIGHT = "oversight by the state"
    OTHER = "other policy"


@dataclass(frozen=True, kw_only=True)
class Instrument(Delivery, ABC):
    """A quality-policy instrument: an effect on the firms that its delivery chooses.

    Subclass it as a frozen dataclass with the levers as fields, register it with `instrument`,
    and write `apply`. Levers come from `sim.parameters.parameter`, so that each has a range,
    a unit and a source. At dose 0 the instrument is exactly off.
    """

    #: The lever that turns it up; at 0 it is off. `instrument` sets it.
    dose: ClassVar[str]
    #: What it is called in English; its key, with blanks, by default.
    label: ClassVar[str]
    #: The practice that it stands for, in Chinese, several with ", " between them; `label` by default.
    label_zh: ClassVar[str]
    #: Where it stands on pages that go through all instruments.
    theme: ClassVar[Theme] = Theme.OTHER
    #: Dotted path of the lever or parameter on which its effect depends most; its dose by default.
    hinges_on: ClassVar[str]
    #: The doses at which pages show it: they rise, and hold the default. The last one is a full dose: all of it where the dose is a share
    #: or a degree, elsewhere an assumption. By default the quarter, the half, the double and four times of the default dose, within the range.
    doses_shown: ClassVar[tuple[float, ...]]
    #: The lever that moves where it is to spend more or less.
    budget_lever: ClassVar[str] = "reach"
    #: Who receives the monthly support.
    support_to: ClassVar[str] = "households"
    #: Whether it only helps other programmes, and so acts before them.
    first: ClassVar[bool] = False
    #: What it delivers, in its own units (`Programme.counts`), and what each of them is.
    counted: ClassVar[dict[str, str]] = {}

    @property
    def level(self) -> float:
        """The value of its dose."""
        return float(getattr(self, self.dose))

    def eligible(self, world: World) -> Mask:
        """Firms that could be taken on, shape (n,): by default, all firms in the market of the eligible sizes."""
        return world.firms.alive & np.isin(world.firms.size_class, [SIZE_CLASSES.index(s) for s in self.sizes])

    @abstractmethod
    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Act on the firms (rows) that are taken on this month."""

    def support(self, world: World, reached: NDArray[np.int64]) -> Floats:
        """CNY a month that government bears for each firm taken on, in the order of `reached`."""
        return np.zeros(reached.size)

    def supported(self, world: World, reached: NDArray[np.int64], paid: Mask) -> None:
        """Learn which of the firms taken on get their support this month (the budget may not be enough for all)."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Act once a month on the firms that are being helped: those taken on whose support is paid."""

    def losses(self, world: World, programme: Account, rows: NDArray[np.int64], lost: Floats) -> None:
        """Bear part of what lenders lose in strong-chain loans to firms that had been taken on: CNY, in the order of `rows`."""

    def prepare(self, world: World, programme: Account) -> None:
        """Do what the month needs before firms are chosen (set up stations, say), and spend for it."""

    def release(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Take back from firms that take part no longer what help does not outlast: lines, subsidies, what they know. Lessons stay."""

    def close(self, world: World, programme: Account) -> None:
        """Undo, once the window has ended, what does not outlast the programme: by default, release all its firms."""
        self.release(world, programme, programme.reached)

    def tally(self, world: World, programme: Account) -> None:
        """Update the counts of what others (stations, lenders) deliver for it later in the month."""


INSTRUMENTS: dict[str, type[Instrument]] = {}


def instrument(key: str, *, dose: str) -> Callable[[type[Instrument]], type[Instrument]]:
    """Register an instrument class under a key; `dose` names its main lever.

    What the class does not say of itself (`label`, `label_zh`, `hinges_on`, `doses_shown`) gets its default.
    """

    def register(cls: type[Instrument]) -> type[Instrument]:
        if dose not in {f.name for f in fields(cls)}:
            raise TypeError(f"{cls.__name__} has no lever {dose!r} to be its dose; `instrument` stands above `dataclass`")
        cls.key, cls.dose = key, dose
        own = vars(cls)
        cls.label = own.get("label", key.replace("_", " "))
        cls.label_zh = own.get("label_zh", cls.label)
        cls.hinges_on = own.get("hinges_on", f"instruments.{key}.{dose}")
        cls.doses_shown = own.get("doses_shown", _usual_doses(cls))
        INSTRUMENTS[key] = cls
        return cls

    return register


def _usual_doses(cls: type[Instrument]) -> tuple[float, ...]:
    """Doses from a quarter of the default to four times of it, within the range; parts of the whole range where the default is 0."""
    lever: dict[str, Any] = {f.name: f for f in fields(cls)}
    usual, (_, most) = lever[cls.dose].default, lever[cls.dose].metadata.get("range", (0.0, 0.0))
    if not isinstance(usual, int | float):
        return ()
    doses = [times * (usual or most / 4.0) for times in (0.25, 0.5, 1.0, 2.0, 4.0)]
    if str(lever[cls.dose].type).startswith("int"):
        doses = [float(round(dose)) for dose in doses]
    return tuple(sorted({dose for dose in (usual, *doses) if 0.0 < dose <= most}))
