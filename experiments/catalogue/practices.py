"""The practices that the documents describe, and what becomes of each in the model: data, as ``practices.csv`` has them.

A row a practice, by the id under which the documents' facts know it: its name, a short English one, what it ``becomes``, and how
it is in the model or why it is not. It becomes one or two of

- a lever of an instrument, ``consortia.projects``, or one that every instrument has, ``delivery.ramp``;
- a setting of the world, ``region.stations`` or ``parameters.traceability``, the ``network``, or the choice of ``instruments``;
- nothing: ``not modelled``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from experiments.configuration.declared import fields_by_path
from sim import INSTRUMENTS
from sim.instruments import Delivery

__all__ = ["KINDS", "NOT_MODELLED", "Practice", "becomes_known", "of_instrument", "practices", "wrong"]

NOT_MODELLED = "not modelled"
#: What a practice may become, in the order of the page.
KINDS = ("instrument", "structure", NOT_MODELLED)
#: Settings that are no field of a dataclass: which instruments act, and where the network comes from.
WHOLE = ("instruments", "network")


@dataclass(frozen=True)
class Practice:
    """A practice and what becomes of it.

    Attributes
    ----------
    id, practice, english : str
        ``I041``, its name in Chinese, and a short one in English.
    becomes : tuple of str
        What it becomes; ``("not modelled",)`` if nothing.
    how : str
        What it is in the model, or why it is not there.
    """

    id: str
    practice: str
    english: str
    becomes: tuple[str, ...]
    how: str

    @property
    def kind(self) -> str:
        """One of `KINDS`: an instrument if any part of it is a lever of one."""
        if self.becomes == (NOT_MODELLED,):
            return NOT_MODELLED
        return "instrument" if any(path.split(".")[0] in INSTRUMENTS for path in self.becomes) else "structure"


@cache
def practices() -> tuple[Practice, ...]:
    """Return all practices in the order of their ids."""
    text = files("experiments.catalogue").joinpath("practices.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Practice(row["id"], row["practice"], row["english"], tuple(row["becomes"].split("; ")), row["how"]) for row in rows)


def of_instrument(key: str) -> list[Practice]:
    """Return the practices that become, in whole or in part, a lever of an instrument."""
    return [one for one in practices() if any(path.split(".")[0] == key for path in one.becomes)]


@cache
def becomes_known() -> frozenset[str]:
    """Return everything that a practice can become, but nothing."""
    levers = {path.removeprefix("instruments.") for path in fields_by_path()}
    return frozenset({*levers, *WHOLE, *(f"delivery.{f.name}" for f in fields(Delivery))})


def wrong(every: Iterable[Practice]) -> list[str]:
    """Say what is wrong with practices: one line for each mistake, with the practice and what would be right."""
    from agents.spelling import nearest

    mistakes = []
    for one in every:
        paths = () if one.becomes == (NOT_MODELLED,) else one.becomes
        unknown = [path for path in paths if path not in becomes_known()]
        mistakes += [f"{one.id} becomes {path!r}, which is no lever or setting{nearest(path, becomes_known())}" for path in unknown]
        mistakes += [f"{one.id} has no {name}" for name in ("practice", "english", "how") if not getattr(one, name).strip()]
    return mistakes
