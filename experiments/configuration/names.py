"""Names as values: what has a key and a name, English or Chinese, may be typed by either, ``region=辽宁`` as ``region=liaoning``.

Names are turned into keys before anything else reads what was typed, so that a manifest holds keys alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from experiments.configuration import files
from experiments.configuration.declared import SWITCHED, chosen_as_a_whole, declared_at
from experiments.configuration.rules import Options
from experiments.languages.wording import names_in_every_language
from sim.instruments import INSTRUMENTS
from sim.shocks import SHOCKS

__all__ = ["in_keys", "keys_by_name", "names_of"]

#: What may follow the name of a place.
ENDS = ("省", "市")
#: Where the files of a group give their names.
LABELLED = {"region": (), "chain": (), "policy": ("portfolio",)}


def keys_by_name(group: str) -> dict[str, str]:
    """Return the keys of a group of options by the names that they go by; a name that is a key, or that two have, is left out."""
    return _keys_by_name(group, files.CONFIGS)


@lru_cache(maxsize=16)
def _keys_by_name(group: str, configs: Path) -> dict[str, str]:
    named: dict[str, set[str]] = {}
    for key, name in _names(group):
        named.setdefault(name, set()).add(key)
    keys = set().union(*named.values())
    return {name: min(of) for name, of in named.items() if len(of) == 1 and name and name not in keys}


def names_of(key: str) -> list[str]:
    """Return every name that an instrument goes by: its key, its Chinese names, its English label."""
    cls = INSTRUMENTS[key]
    return list(dict.fromkeys([key, cls.label_zh, *re.split(r"[,，、]\s*", cls.label_zh), cls.label]))


def _names(group: str) -> Iterator[tuple[str, str]]:
    if group == "instruments":
        for key in INSTRUMENTS:
            yield from ((key, name) for name in names_of(key)[1:])
    elif group == "shocks":
        for key, cls in SHOCKS.items():
            yield from ((key, name) for name in (cls.label_zh, cls.label))
    elif group in LABELLED:
        yield from _names_in_files(group)
    else:
        for key, names in names_in_every_language(f"options.{group}").items():
            yield from ((key, name) for name in names)


def _names_in_files(group: str) -> Iterator[tuple[str, str]]:
    for path in sorted((files.CONFIGS / group).glob("*.yaml")):
        try:
            node: Any = yaml.safe_load(path.read_bytes())
            for part in LABELLED[group]:
                node = node[part]
            yield from ((path.stem, str(node[of])) for of in ("label", "label_zh") if of in node)
        except (yaml.YAMLError, ValueError, TypeError, LookupError, OSError, RecursionError):
            continue  # what is wrong with a file is said where it is chosen


def in_keys(key: str, value: str) -> str:
    """Return the text of a value, as it was typed for a setting or a group, with every name in it replaced by its key."""
    if not (group := _group_of(key)):
        return value
    if value.isascii() and not (" " in value or group in LABELLED):  # nearly always: keys
        return value
    keys = keys_by_name(group)
    if not keys:
        return value
    listed = "|".join(re.escape(name) for name in sorted(keys, key=len, reverse=True))
    return re.sub(rf"(?<!\w)({listed})(?:{'|'.join(ENDS)})?(?!\w)", lambda match: keys[match[1]], value)


def _group_of(key: str) -> str:
    """The group of options that the values of a setting are from; empty if they are no keys."""
    if key in (*LABELLED, *SWITCHED, *chosen_as_a_whole()):
        return key
    for declared in declared_at(key) if "." in key or key in ("by", "save") else ():
        rule = declared.metadata.get("rule")
        if isinstance(rule, Options):
            return rule.group
        if "choices" in declared.metadata or (rule is not None and rule.choices):
            return key.rpartition(".")[2]
    return ""
