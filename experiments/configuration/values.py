"""What is wrong with one override: an unknown setting, a value of the wrong type or out of range, a missing file, code to run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import experiments.renamed as renamed
from agents.spelling import nearest
from experiments.configuration.composed import TYPABLE, foreign_texts, of_hydra
from experiments.configuration.declared import chosen_as_a_whole, declared_at, groups, networks
from experiments.configuration.names import keys_by_name
from experiments.configuration.overrides import FILES, FREE, OF_THE_WORLD, TypedOverride, leaves, settings
from experiments.configuration.rules import SettingsError, rule_of
from experiments.configuration.settings import check_name
from sim.parameters import wrong_value

__all__ = ["mistakes_in", "nearest_file", "wrong_for_network", "wrong_value_of"]


def mistakes_in(override: TypedOverride) -> Iterator[str]:
    """Say everything that is wrong with one override."""
    key = override.key
    if wrong := next((wrong for _, _, wrong in foreign_texts([key, *override.values])), ""):
        yield f"{override.typed}: {wrong}"
    elif of_hydra(key):
        if key not in TYPABLE:
            yield f"{override.typed}: of Hydra's own settings only {', '.join(TYPABLE)} can be typed{nearest(key, TYPABLE)}"
        elif isinstance(override.values[0], dict | list):
            yield f"{override.typed}: {key} must be one value"
    elif key in groups() and not any(isinstance(value, dict) for value in override.values):
        yield from _choices(override)
    elif key in settings() or any(key.startswith(f"{free}.") for free in FREE):
        for value in override.values:
            for path, leaf in leaves(key, value):
                yield from wrong_value_of(path, leaf)
    else:
        yield f"{override.typed}: {_unknown(key)}"


def _unknown(key: str) -> str:
    """Give the new name of a setting, or the nearest setting: in the same group, with the same last part, or anywhere."""
    group, _, rest = key.partition(".")
    if now_called := renamed.setting(key):
        return now_called
    unknown = f"there is no setting {key!r}"
    of_the_group = [known for known in settings() if known.startswith(f"{group}.")]
    if not rest or not of_the_group:
        paths = [known for known in settings() if known.endswith(f".{key}")]
        paths = paths or [known for known in settings() if known.split(".")[-1] == key.split(".")[-1]]
        if paths:
            return f"{unknown}; did you mean {paths[0]!r}?"
    return unknown + (nearest(key, of_the_group) or nearest(key, [*settings(), *groups()]))


def _choices(override: TypedOverride) -> Iterator[str]:
    """Say which of the chosen options a group does not have."""
    options = groups()[override.key]
    chosen = [option for value in override.values for option in (value if isinstance(value, list) else [value])]
    for option in chosen:
        if str(option) not in options:
            known = f"choose from {', '.join(options)}" if options else "there is none yet"
            group = override.key.rstrip("s")
            meant = nearest(str(option), [*options, *keys_by_name(override.key)])
            yield f"{override.key}={option}: there is no {group} {str(option)!r}; {known}{meant}"


def wrong_value_of(key: str, value: Any) -> Iterator[str]:
    """Say what is wrong with one value of a setting."""
    if isinstance(value, str) and "${" in value:
        return  # checked when it is resolved
    if key not in settings() and not any(key.startswith(f"{free}.") for free in FREE):
        yield _unknown(key)
    elif settings().get(key) == "node":
        yield f"{key} is {value!r}; it holds settings of its own: type {key}.NAME=VALUE"
    elif key == "name" and value is None:
        yield "name is null; type name=NAME, or leave it out for the time of day"
    elif key == "name":
        try:
            check_name(str(value), "name")
        except SettingsError as mistake:
            yield str(mistake)
    elif key in FILES:
        path = Path(str(value))
        if value == "" or (value is None and key == "network.path"):
            yield f"{key}={'null' if value is None else value}: which file? Type {key}=FILE.csv"
        elif value is not None and os.path.isdir(path):
            yield f"{key}: {str(value)!r} is a folder; name a file in it"
        elif value is not None and os.path.exists(path) and not os.path.isfile(path):
            yield f"{key}: {str(value)!r} is a pipe or a device; save what it gives as a CSV file, and name that file"
        elif value is not None and not os.path.isfile(path):  # unlike `Path.is_file`, it takes a name that is too long
            yield f"{key}: there is no file {str(value)!r}{nearest_file(path)}"
    elif key.endswith(".active"):
        if not isinstance(value, bool):
            yield f"{key} is {value!r}; it must be true or false"
    elif key in {f"{group}.kind" for group in chosen_as_a_whole()}:
        yield from _kind(key.removesuffix(".kind"), value)
    elif key in OF_THE_WORLD:
        if value is not None and not isinstance(value, dict):
            yield f'{key} is {value!r}; it must name its values: "{key}={{NAME: VALUE}}"'
    elif declarations := declared_at(key):
        # Of several declarations those of its kind, numbers or names. `wrong_for_network` holds it against the network chosen.
        number = all(isinstance(entry, int | float) for entry in (value if isinstance(value, list) else [value]))
        alike = [f for f in declarations if ("range" in f.metadata) == number] or declarations
        yield from min((list(_declared_value(f, key, value)) for f in alike), key=len)


def _kind(group: str, value: Any) -> Iterator[str]:
    """Say how the kind of a network or study is chosen."""
    options = groups()[group]
    if value in options:
        yield f"{group}.kind is {value!r}; the kind of a {group} is chosen as a whole: type {group}={value}"
    else:
        yield f"{group}.kind is {value!r}; choose from {', '.join(options)}{nearest(str(value), options)}; type {group}=NAME"


def _declared_value(f: Any, key: str, value: Any) -> Iterator[str]:
    if "rule" in f.metadata:
        yield from filter(None, [rule_of(f).wrong(key, value)])
    elif "range" in f.metadata:
        yield from filter(None, [wrong_value(f, list(value) if isinstance(value, list) else value, key)])
    elif "choices" in f.metadata:
        choices = f.metadata["choices"]
        for entry in value if isinstance(value, list) else [value]:
            if entry not in choices:
                yield f"{key} is {entry!r}; it must be one of {', '.join(choices)}{nearest(str(entry), choices)}"
    elif str(f.type) == "bool" and not isinstance(value, bool):
        yield f"{key} is {value!r}; it must be true or false"
    elif str(f.type).startswith("tuple[str") and not (
        isinstance(value, list | tuple) and all(isinstance(entry, str | int) for entry in value)
    ):
        yield f'{key} is {value!r}; it must be a list of names: "{key}=[NAME,NAME]"'


def wrong_for_network(kind: str, key: str, value: Any) -> str:
    """Say that a value is wrong for a setting of one kind of network, though it may be right for another kind; empty if it is right."""
    declared = [f for f in fields(networks()[kind]) if f"network.{f.name}" == key] if kind in networks() else []
    return next((f"{wrong} (network={kind})" for f in declared for wrong in _declared_value(f, key, value)), "")


def nearest_file(path: Path) -> str:
    """Return the end of an error message on a file that does not exist: the file that was perhaps meant, or that its folder is missing."""
    folder = path.parent
    if not folder.is_dir():
        return f"; nor is there a folder {str(folder)!r}"
    return nearest(path.name, [file.name for file in folder.iterdir() if file.is_file()])
