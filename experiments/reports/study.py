"""The question of a study: which arms were compared, where, and on which assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import PurePath
from typing import Any

from experiments.analysis.results import Comparison
from experiments.catalogue.settings import Setting, setting
from experiments.configuration.declared import declaring, networks
from experiments.terminal import shown
from sim import INSTRUMENTS
from sim.instruments import SHARED_ASSUMPTION

__all__ = [
    "active_in",
    "assumptions",
    "by_default",
    "in_words",
    "joined",
    "leaves",
    "main_arm",
    "other_world",
    "others",
    "pivotal",
    "portfolio",
    "practice",
    "question",
    "replicates",
    "value_at",
    "worlds_apart",
]

#: Parts of an arm that make its world, and what of them is only a name.
WORLD = ("region", "network", "scale", "burn_in")
NAMES = ("region.key", "region.label", "region.label_zh", "region.sources")
#: Arms that a sentence lists; of more it tells the number.
LISTED = 4


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Write a list as people do: a, b and c."""
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


# -- what was studied -------------------------------------------------------------------------------------


def practice(key: str, chinese: bool = False) -> str:
    """Return what an instrument is called, on request with the practice in Chinese."""
    if key not in INSTRUMENTS:  # of a study with a user's own instrument, or another word than an instrument's
        return key.replace("_", " ")
    cls = INSTRUMENTS[key]
    return f"{cls.label} ({cls.label_zh})" if chinese and cls.label_zh != cls.label else cls.label


def active_in(configuration: Mapping[str, Any]) -> list[str]:
    """Return the instruments that are active in the configuration of an arm."""
    return [key for key, levers in configuration["instruments"].items() if levers["active"]]


def _arms(found: Comparison) -> list[str]:
    return list(dict.fromkeys(found.effects["arm"]))


def others(found: Comparison) -> list[str]:
    """Return all arms but the reference."""
    return [arm for arm in _arms(found) if arm != found.reference]


def by_default(found: Comparison) -> bool:
    """Whether the arms are nothing, each instrument alone, and all together."""
    return found.manifest["configuration"]["study"]["arms"] is None


def in_words(found: Comparison, arm: str) -> str:
    """Return an arm as a sentence calls it: what it does if that is plain from the study, else its name in quotes."""
    if not by_default(found):
        return f"“{arm}”"
    active = active_in(found.manifest["arms"][arm])
    if not active:
        return "no programme"
    if len(active) > 1:
        return "both together" if len(active) == 2 else f"all {'three' if len(active) == 3 else len(active)} together"
    return practice(active[0]) + (" alone" if len(_arms(found)) > 2 else "")


def main_arm(found: Comparison) -> str | None:
    """Return the arm that the answer is about: "all" if there is one, else the one with the lowest mean of defects reaching users.

    The second is chosen by its result, so that its effect is flattered by luck.
    """
    rest = others(found)
    if not rest or "all" in rest:
        return "all" if rest else None
    return min(rest, key=lambda arm: float(found.effect(arm)["effect"]))


def replicates(found: Comparison) -> int:
    """Return the number of sound replicates: those in which no arm failed."""
    return int(found.runs["replicate"].nunique())


# -- worlds -------------------------------------------------------------------------------------------------


def leaves(configuration: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the settings of an arm without its instruments, by path."""
    for name, value in configuration.items():
        if prefix or name != "instruments":
            yield from leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", shown(value))]


def other_world(found: Comparison, arm: str) -> list[str]:
    """Return the settings by which an arm's world is not that of the reference; empty where it is the same one."""
    mine, base = (
        {path: value for path, value in leaves(found.manifest["arms"][name]) if path.split(".")[0] in WORLD and not path.startswith(NAMES)}
        for name in (arm, found.reference)
    )
    differing = [path for path in {**base, **mine} if mine.get(path) != base.get(path)]
    return differing if len(differing) <= LISTED else list(dict.fromkeys(path.split(".")[0] for path in differing))


def worlds_apart(found: Comparison) -> list[str]:
    """Return the arms whose world is not that of the reference."""
    return [arm for arm in others(found) if other_world(found, arm)]


def _places(found: Comparison) -> str:
    """Return where: the regions' chains, or the networks that were given, of all arms."""
    return joined(list(dict.fromkeys(map(_place, found.manifest["arms"].values()))))


def _place(arm: Mapping[str, Any]) -> str:
    region, network = arm["region"], arm["network"]
    if network.get("kind") == "file":
        only = ", ".join(f"{column} {shown(value)}" for column, value in (network.get("filter") or {}).items())
        return f"the supply chain in {PurePath(network['path']).name}{f' ({only})' if only else ''}"
    if network.get("kind") == "input_output":
        return f"supply chains made from the input-output table in {PurePath(network['path']).name}"
    label = region["label"]
    label = label[0].lower() + label[1:] if label.startswith(("A ", "An ", "The ")) else label
    chinese = f" ({region['label_zh']})" if region["label_zh"] else ""
    return f"the {'generated ' if network.get('kind') == 'synthetic' else ''}supply chains of {label}{chinese}"


def portfolio(found: Comparison) -> str:
    """Return the label of the portfolio that a study tries as it stands in its file; nothing if it is one's own or was changed."""
    named = found.manifest["configuration"].get("portfolio") or {}
    changed = any(word.lstrip("+").startswith("instruments") for word in found.manifest["overrides"])
    return "" if changed or named.get("key", "custom") in ("custom", "none") else str(named["label"])


def question(found: Comparison) -> str:
    """Return what the study asks, from its arms, its reference and its worlds."""
    months, where, rest = found.manifest["configuration"]["months"], _places(found), others(found)
    within = f"within {months} months" if months > 1 else "within a month"
    base = active_in(found.manifest["arms"][found.reference])
    if not rest:
        under = f"with {joined([practice(key, chinese=True) for key in base])}" if base else "without any programme"
        return f"How many defects reach users of {where} {within} {under}?"
    if by_default(found) and not base:
        active = list(dict.fromkeys(key for arm in rest for key in active_in(found.manifest["arms"][arm])))
        how = "" if len(active) < 2 else f", each alone and {'both' if len(active) == 2 else 'all'} together,"
        named = joined([practice(key, chinese=True) for key in active])
        if (label := portfolio(found)) and len(active) > LISTED:
            named = f"the {len(active)} instruments of the portfolio “{label}”"
        return f"What do {named}{how} change {within} in the defects that reach users of {where}?"
    which = joined([in_words(found, arm) for arm in rest]) if len(rest) <= LISTED else f"{len(rest)} arms"
    change = f"What do{'es' * (len(rest) == 1)} {which} change {within}, against {in_words(found, found.reference)},"
    apart = joined(list(dict.fromkeys(path for arm in rest for path in other_world(found, arm))))
    return f"{change} in the defects that reach users of {where}{f', in worlds that differ in {apart}' if apart else ''}?"


# -- the assumptions behind it ------------------------------------------------------------------------------


def assumptions(found: Comparison) -> list[Setting]:
    """Return every setting marked N that counts in the study: of the model, of the active instruments, and of the network's kind."""
    return [one for one in _in_use(found) if one.mark == "N"]


def _in_use(found: Comparison) -> Iterator[Setting]:
    arms = found.manifest["arms"].values()
    active = {f"instruments.{key}" for arm in arms for key in active_in(arm)}
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


def pivotal(found: Comparison) -> dict[str, str]:
    """Return the assumptions on which most hangs, by path, as a sentence calls them: what each is, and its value."""
    arms = found.manifest["arms"].values()
    active = dict.fromkeys(key for arm in arms for key in active_in(arm))
    known = {one.path: one for one in assumptions(found)}
    told = {}
    for path in [SHARED_ASSUMPTION, *(INSTRUMENTS[key].hinges_on for key in active if key in INSTRUMENTS)]:
        if path in known:
            values = joined(list(dict.fromkeys(shown(value_at(arm, path)) for arm in arms)), "or")
            told[path] = f"“{known[path].meaning.split(': ', 1)[-1]}” ({values})"
    return told
