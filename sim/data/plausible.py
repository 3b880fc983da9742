"""Sets of parameters with which a world shows the observed patterns: data that a calibration made.

``plausible_sets.csv`` has one row for each set, and one column for each calibrated parameter, or entry of a tuple of parameters
(``base_dpu_size[0]``: small firms). The first row, ``default``, holds the defaults of `sim.Parameters`; the others are the
plausible sets: vary the parameters over them.
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

#: Name of the set with the defaults.
DEFAULT_SET = "default"


@cache
def plausible_sets() -> dict[str, dict[str, float]]:
    """Return all sets by name: values by parameter, or by entry of one."""
    text = files("sim.data").joinpath("plausible_sets.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["set"]: {name: float(value) for name, value in row.items() if name != "set"} for row in rows}


def calibrated(name: str) -> float:
    """Return the default of a calibrated parameter."""
    return plausible_sets()[DEFAULT_SET][name]


def field_and_entry(name: str) -> tuple[str, int | None]:
    """Split the name of a parameter, or of an entry of a tuple, into field and entry: ``base_dpu_size[0]`` is entry 0."""
    match = re.fullmatch(r"(.+)\[(\d+)\]", name)
    return (match.group(1), int(match.group(2))) if match else (name, None)


def with_values(base: T, values: Mapping[str, float]) -> T:
    """Return parameters with other values for some of them, or for some entries of tuples.

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
