"""What the arms of a study are called: by what they do, where that is plain from the study, else by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from experiments.languages.wording import say

__all__ = [
    "Arm",
    "active_in",
    "arm_in",
    "arms_in_words",
    "names_of_arms",
    "names_of_regions",
    "regions_of",
    "shocks_in",
    "short_names",
]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Arm:
    """An arm of a study.

    Attributes
    ----------
    name : str
    by_name : bool
        Whether a sentence calls it so.
    instruments : tuple of str
        Those that are active, by key.
    alone : bool
        Whether it is a single instrument among several arms.
    cell : tuple of str
        In an exchange, what its portfolio (empty without one) and its region are called; else empty.
    """

    name: str
    by_name: bool
    instruments: tuple[str, ...]
    alone: bool
    cell: tuple[str, ...] = ()


def active_in(configuration: Mapping[str, Any]) -> list[str]:
    """Return the instruments that are active in the configuration of an arm."""
    return [key for key, levers in configuration["instruments"].items() if levers["active"]]


def shocks_in(configuration: Mapping[str, Any]) -> list[str]:
    """Return the shocks that strike in the configuration of an arm; a study of an older version has none."""
    return [key for key, values in (configuration.get("shocks") or {}).items() if values["active"]]


def arm_in(about: Mapping[str, Any], name: str) -> Arm:
    """Return an arm of a study, by the manifest of the study."""
    active = tuple(active_in(about["arms"][name]))
    study = about["configuration"]["study"]
    by_default = study.get("arms") is None and study.get("kind", "compare") == "compare"
    cell = _cell(about["arms"][name], bool(active)) if study.get("kind") == "exchange" else ()
    return Arm(name, not (by_default or cell), active, len(active) == 1 and len(about["arms"]) > 2, cell)


def _cell(arm: Mapping[str, Any], acts: bool) -> tuple[str, ...]:
    """Return what the portfolio and the region of an arm are called; nothing if one of them has no label."""
    regions = {name: names_of_regions(arm, name) for name in ("label", "label_zh")}
    policy, region = (
        say("things.place", named.get("label") or "", named.get("label_zh") or "") for named in (arm["portfolio"] or {}, regions)
    )
    return (policy if acts else "", region) if region and (policy or not acts) else ()


def names_of_regions(configuration: Mapping[str, Any], name: str = "label") -> str:
    """Return what the regions of a configuration are called, "Jiangsu + Anhui": by their labels, in either language, or keys."""
    return " + ".join(str(region.get(name) or "") for region in regions_of(configuration))


def regions_of(configuration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of all regions of a configuration; nearly always there is one."""
    return [configuration["region"], *(configuration.get("beside") or ())]


def names_of_arms(about: Mapping[str, Any]) -> dict[str, str]:
    """Return what figures and tables call the arms of a study in the language that is spoken, by their names; nothing if it names none."""
    arms = about.get("arms")
    return short_names({name: arm_in(about, name) for name in arms}) if isinstance(arms, Mapping) else {}


def short_names(arms: Mapping[str, Arm]) -> dict[str, str]:
    """Return what arms are called where there is little room, by their names; nothing if two would be called the same."""
    names = {name: say("arms.short", arm) for name, arm in arms.items()}
    return names if len(set(names.values())) == len(names) else {}


def arms_in_words(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function that draws find the arms of a study by what they are called: in its tables, its manifest, its names of arms."""

    @wraps(draw)
    def drawn(*given: P.args, **values: P.kwargs) -> R:
        manifest = next((one for one in given if isinstance(one, Mapping) and "arms" in one), None)
        names = names_of_arms(manifest) if manifest is not None else {}
        return draw(*(_renamed(one, names) for one in given), **{key: _renamed(one, names) for key, one in values.items()})

    return drawn


def _renamed(given: Any, names: Mapping[str, str]) -> Any:
    """Return a table, a manifest or the name of an arm with every arm called by what it is called."""
    if isinstance(given, pd.DataFrame):
        columns = {name: given[name].map(lambda arm: names.get(arm, arm)) for name in ("arm", "against") if name in given.columns}
        return given.assign(**columns) if columns else given
    if isinstance(given, Mapping) and "arms" in given:
        arms = {names.get(name, name): arm for name, arm in given["arms"].items()}
        return {**given, "arms": arms, "reference": names.get(str(given.get("reference")), given.get("reference"))}
    return names.get(given, given) if isinstance(given, str) else given
