"""Sets of parameters with which a world shows the known patterns together: data, which a calibration made.

``plausible_sets.csv`` has a row a set and a column a parameter that was searched, or an entry of a tuple of them
(``base_dpu_size[0]``: small firms). The first row, ``default``, holds the defaults of `sim.Parameters`; the others are an
ensemble: what is not known better than by it is to be varied over it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

__all__ = ["DEFAULT_SET", "calibrated", "field_and_entry", "plausible_sets", "with_values"]

T = TypeVar("T")

#: Name of the set that defaults are taken from.
DEFAULT_SET = "default"


@cache
def plausible_sets() -> dict[str, dict[str, float]]:
    """Return all sets by name: values by parameter, or by entry of one."""
    text = files("sim.data").joinpath("plausible_sets.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["set"]: {name: float(value) for name, value in row.items() if name != "set"} for row in rows}


def calibrated(name: str) -> float:
    """Return the default of a parameter that was searched."""
    return plausible_sets()[DEFAULT_SET][name]


def field_and_entry(name: str) -> tuple[str, int | None]:
    """Take the name of a parameter, or of an entry of a tuple of them, apart: ``base_dpu_size[0]`` is entry 0."""
    found = re.fullmatch(r"(.+)\[(\d+)\]", name)
    return (found.group(1), int(found.group(2))) if found else (name, None)


def with_values(base: T, values: Mapping[str, float]) -> T:
    """Return parameters with some values, or entries of tuples of them, replaced.

    Parameters
    ----------
    base : Parameters
    values : dict of str to float
        As in a row of the file.
    """
    changed: dict[str, Any] = {}
    for name, value in values.items():
        field, entry = field_and_entry(name)
        if entry is None:
            changed[field] = float(value)
        else:
            entries = list(changed.get(field, getattr(base, field)))
            entries[entry] = float(value)
            changed[field] = tuple(entries)
    return replace(base, **changed)  # type: ignore[type-var]  # T is a dataclass
