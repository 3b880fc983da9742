"""The question of a study: which arms were compared, where, and on which assumptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, Protocol

from experiments.analysis.arms import active_in, shocks_in
from experiments.analysis.results import Comparison
from experiments.catalogue.settings import Setting, setting
from experiments.configuration.declared import declaring, networks
from experiments.formatting import value as written
from experiments.languages.wording import label
from sim import INSTRUMENTS
from sim.instruments import SHARED_ASSUMPTION

__all__ = [
    "LISTED",
    "Studied",
    "assumptions",
    "by_default",
    "choices",
    "leaves",
    "main_arm",
    "other_shocks",
    "other_world",
    "others",
    "pivotal",
    "pivotal_paths",
    "portfolio",
    "replicates",
    "value_at",
    "worlds_apart",
]

#: Parts of an arm that make its world, and what of them is only a name.
WORLD = ("region", "network", "shocks", "scale", "burn_in")
NAMES = ("region.key", "region.label", "region.label_zh", "region.sources")
#: Arms that a sentence lists by name; of more it tells the number.
LISTED = 4


class Studied(Protocol):
    """Anything with a manifest: a comparison, and every other kind of study with arms."""

    @property
    def manifest(self) -> dict[str, Any]:
        """Where its figures came from."""


# -- what was studied -------------------------------------------------------------------------------------


def _arms(comparison: Comparison) -> list[str]:
    return list(dict.fromkeys(comparison.effects["arm"]))


def others(comparison: Comparison) -> list[str]:
    """Return all arms but the reference."""
    return [arm for arm in _arms(comparison) if arm != comparison.reference]


def by_default(comparison: Comparison) -> bool:
    """Whether the arms are nothing, each instrument alone, and all together."""
    return comparison.manifest["configuration"]["study"]["arms"] is None


def main_arm(comparison: Comparison) -> str | None:
    """Return the arm that the answer is about: "all" if there is one, else the one with the lowest mean of defects reaching users.

    The second is chosen by its result, so its effect partly owes its size to chance. Arms that differ from the reference by a shock are
    no choice of anybody: they are left out, unless all arms do; then the answer is about the one that changes most.
    """
    rest = choices(comparison)
    if not rest:
        struck = others(comparison)
        return max(struck, key=lambda arm: abs(float(comparison.effect(arm)["effect"])), default=None)
    return "all" if "all" in rest else min(rest, key=lambda arm: float(comparison.effect(arm)["effect"]))


def choices(comparison: Comparison) -> list[str]:
    """Return all arms but the reference that are struck by the same shocks as it is: those that somebody could choose."""
    return [arm for arm in others(comparison) if not other_shocks(comparison, arm)]


def other_shocks(comparison: Comparison, arm: str) -> bool:
    """Whether an arm is struck by other shocks than the reference, or by the same ones with other values."""
    arms = comparison.manifest["arms"]
    ours, base = ({key: one["shocks"][key] for key in shocks_in(one)} for one in (arms[arm], arms[comparison.reference]))
    return ours != base


def replicates(comparison: Comparison) -> int:
    """Return the number of sound replicates: those in which no arm failed."""
    return int(comparison.runs["replicate"].nunique())


# -- worlds -------------------------------------------------------------------------------------------------


def leaves(configuration: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the settings of an arm without its instruments, by path."""
    for name, value in configuration.items():
        if prefix or name != "instruments":
            yield from leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", written(value))]


def other_world(comparison: Comparison, arm: str) -> list[str]:
    """Return the settings in which an arm's world differs from that of the reference; empty where the world is the same."""
    of_arm, base = (
        {
            path: value
            for path, value in leaves(comparison.manifest["arms"][name])
            if path.split(".")[0] in WORLD and not path.startswith(NAMES)
        }
        for name in (arm, comparison.reference)
    )
    differing = [path for path in {**base, **of_arm} if of_arm.get(path) != base.get(path) and not path.startswith("shocks.")]
    differing += ["shocks"] if other_shocks(comparison, arm) else []
    return differing if len(differing) <= LISTED else list(dict.fromkeys(path.split(".")[0] for path in differing))


def worlds_apart(comparison: Comparison) -> list[str]:
    """Return the arms whose world is not that of the reference."""
    return [arm for arm in others(comparison) if other_world(comparison, arm)]


def portfolio(comparison: Studied) -> str:
    """Return what the portfolio is called that a study tries as its file has it; empty if it is the user's own or was changed."""
    named = comparison.manifest["configuration"].get("portfolio") or {}
    changed = any(word.lstrip("+").startswith("instruments") for word in comparison.manifest["overrides"])
    return "" if changed or named.get("key", "custom") in ("custom", "none") else label(SimpleNamespace(**named))


# -- the assumptions behind it ------------------------------------------------------------------------------


def assumptions(comparison: Studied) -> list[Setting]:
    """Return every setting marked N that counts in the study: of the model, of the active instruments, and of the network's kind."""
    return [one for one in _in_use(comparison) if one.mark == "N"]


def _in_use(comparison: Studied) -> Iterator[Setting]:
    arms = comparison.manifest["arms"].values()
    active = {f"instruments.{key}" for arm in arms for key in active_in(arm)}
    active |= {f"shocks.{key}" for arm in arms for key in shocks_in(arm)}
    kinds = [networks().get(arm["network"].get("kind")) for arm in arms]
    for prefix, cls in declaring():
        if prefix == "parameters" or prefix in active or (prefix == "network" and cls in kinds):
            yield from (setting(cls, f, prefix) for f in fields(cls))


def value_at(configuration: Mapping[str, Any], path: str) -> Any:
    """Return what a configuration has at a dotted path."""
    value: Any = configuration
    for name in path.split("."):
        value = value[name]
    return value


def pivotal(comparison: Studied) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Return the assumptions on which most depends: what each is, without its symbol, and its values in the arms."""
    return tuple((re.sub(r"^\w: ", "", one.meaning), values) for one, values in _pivotal(comparison))


def pivotal_paths(comparison: Studied) -> list[str]:
    """Return the dotted paths of the assumptions on which most depends."""
    return [one.path for one, _ in _pivotal(comparison)]


def _pivotal(comparison: Studied) -> Iterator[tuple[Setting, tuple[Any, ...]]]:
    arms = comparison.manifest["arms"].values()
    active = dict.fromkeys(key for arm in arms for key in active_in(arm))
    known = {one.path: one for one in assumptions(comparison)}
    for path in dict.fromkeys([SHARED_ASSUMPTION, *(INSTRUMENTS[key].hinges_on for key in active if key in INSTRUMENTS)]):
        if path in known:
            yield known[path], tuple(dict.fromkeys(_hashable(value_at(arm, path)) for arm in arms))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
