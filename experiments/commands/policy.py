"""A policy of one's own in a file to share: ``strongchain policy new`` writes an example, ``strongchain policy check`` reads it back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from agents.spelling import nearest
from experiments.catalogue.settings import levers
from experiments.configuration.files import CONFIGS
from experiments.configuration.names import names_of
from experiments.configuration.own_policies import OwnPolicy
from experiments.configuration.policy_file import PolicyError, instrument_called, levers_of, read_policy
from experiments.configuration.settings import check_name
from experiments.languages.wording import label, lines, say, spoken, written
from experiments.languages.wording import mistake as in_words
from experiments.terminal import COLUMNS, first_line, table, wrap
from sim import INSTRUMENTS

__all__ = ["check_policy", "new_policy", "template"]

#: Columns of a comment in a file.
WIDE = 110
#: Firms for which a cost is given at a glance.
PER = 1_000


# -- a new file ---------------------------------------------------------------------------------------------


def new_policy(arguments: Sequence[str]) -> list[str]:
    """Write a commented file that a user can change, and say where it is.

    Parameters
    ----------
    arguments : sequence of str
        The name of the file, then the instruments, by key or by name.

    Raises
    ------
    ValueError
        If there is such a file, or it cannot be written: one line. If instruments are not known: a line for each.
    """
    if not arguments:
        raise ValueError(say("own_policy.which_file"))
    path = Path(arguments[0] if arguments[0].casefold().endswith((".yaml", ".yml")) else f"{arguments[0]}.yaml")
    check_name(path.name, say("own_policy.file_name"))
    named = [name for argument in arguments[1:] for name in argument.strip("[]").replace("，", ",").split(",") if name.strip()]
    keys = [instrument_called(name) for name in named]
    known = [one for key in INSTRUMENTS for one in names_of(key)]
    if unknown := [name for name, key in zip(named, keys, strict=True) if not key]:
        raise ValueError("\n".join(say("own_policy.no_instrument", name, nearest(name, known)) for name in unknown))
    text = template(path.stem, list(dict.fromkeys(keys)) or _usual())
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ValueError(say("own_policy.there_already", path)) from None
    except OSError as trouble:
        raise ValueError(say("own_policy.not_written", path, trouble.strerror)) from None
    return lines("own_policy.written", path).splitlines()


def _usual() -> list[str]:
    """Return the instruments of the default experiment."""
    listed = yaml.safe_load((CONFIGS / "strongchain.yaml").read_text(encoding="utf-8"))["defaults"]
    return next(entry["instruments"] for entry in listed if isinstance(entry, dict) and "instruments" in entry)


def template(name: str, keys: Sequence[str]) -> str:
    """Return the text of a file with some instruments, every lever at its default, in the language that is spoken."""
    parts = [*_comment(lines("own_policy.head", f"{name}.yaml")), f"label: {json.dumps(name, ensure_ascii=False)}"]
    parts += [f"label_zh: {json.dumps(name, ensure_ascii=False)}"]
    parts += ["", *_comment(say("own_policy.about_is")), 'about: ""', "", *_comment(say("own_policy.instruments_are")), "instruments:"]
    for key in keys:
        cls = INSTRUMENTS[key]
        said = say("naming.instrument", name=spoken().instrument(key, both=True), does=label(first_line(cls.__doc__)))
        parts += [*_comment(said, "  "), f"  {key}:"]
        parts += _levers(key)
    parts += ["", *_comment(lines("own_policy.sources_are")), "sources:"]
    for key in keys:
        parts += [f'  {path}: ""' for path in (key, *(f"{key}.{lever.name}" for lever in levers(INSTRUMENTS[key])))]
    return "\n".join(parts) + "\n"


def _levers(key: str) -> Iterator[str]:
    """Yield the lines of an instrument's levers: what each is, its unit and its range, then its default."""
    defaults = levers_of(key)
    for lever in levers(INSTRUMENTS[key]):
        yield from _comment(say("own_policy.lever", label(lever.meaning), label(lever.unit), label(lever.legal)), "    ")
        yield f"    {lever.name}: {_yaml(defaults[lever.name])}"


def _comment(text: str, indent: str = "") -> list[str]:
    return [f"{indent}# {line}".rstrip() for part in text.split("\n") for line in wrap(part, WIDE)]


def _yaml(value: Any) -> str:
    """Write a value so that YAML reads the same value."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, str) and value.isidentifier() and value.isascii():
        return value
    return json.dumps(value, ensure_ascii=False)


# -- checking it --------------------------------------------------------------------------------------------


def check_policy(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Say everything that is wrong with a file, or what the policy in it does; and whether it is right.

    Raises
    ------
    ValueError
        If not one file is named.
    """
    if len(arguments) != 1:
        raise ValueError(say("own_policy.check_what"))
    try:
        policy = read_policy(arguments[0])
    except PolicyError as wrong:
        return [say("own_policy.mistakes", arguments[0], len(wrong.mistakes)), *(f"  {in_words(one)}" for one in wrong.mistakes)], False
    return [say("own_policy.no_mistakes", policy.path), "", *_does(policy)], True


def _does(policy: OwnPolicy) -> list[str]:
    """Say what a policy does: its instruments, the levers that differ from their defaults, what has no source, and what it costs."""
    out = [" / ".join(dict.fromkeys((policy.label, policy.label_zh))), *(wrap(policy.about, COLUMNS) if policy.about else ())]
    if not policy.instruments:
        return [*out, say("own_policy.empty")]
    head = [say(f"own_policy.head_{name}") for name in ("instrument", "label", "cost")]
    rows = [(key, spoken().instrument(key, both=True), _cost(policy, key)) for key in policy.instruments]
    out += ["", *table(head, rows), *wrap(say("own_policy.cost_is", PER), COLUMNS), ""]
    changed = [(path, value, default) for path, value, default in _values(policy) if value != default]
    if changed:
        head = [say(f"own_policy.head_{name}") for name in ("lever", "value", "default", "source")]
        none = say("own_policy.no_source")
        out += table(head, [(path, written(value), written(default), policy.sources.get(path, none)) for path, value, default in changed])
    else:
        out.append(say("own_policy.all_defaults"))
    missing = [path for path in (*(f"instruments.{key}" for key in policy.instruments), *(one[0] for one in changed))]
    missing = [path.removeprefix("instruments.") for path in missing if path not in policy.sources]
    return [*out, "", *wrap(say("own_policy.sources", missing), COLUMNS), *wrap(say("own_policy.to_run", policy.path), COLUMNS)]


def _values(policy: OwnPolicy) -> Iterator[tuple[str, Any, Any]]:
    """Yield every lever that a policy sets, its value and its default."""
    for path, value in policy.levers.items():
        _, key, name = path.split(".")
        yield path, tuple(value) if isinstance(value, list) else value, levers_of(key)[name]


def _cost(policy: OwnPolicy, key: str) -> str:
    """Say what government pays at most for taking on firms, as far as this is known before a run."""
    known = levers_of(key) | {path.split(".")[2]: value for path, value in policy.levers.items() if path.split(".")[1] == key}
    once = known["unit_cost"] * known["government_share"] * known["reach"] * PER
    return say("own_policy.cost", once, known["budget"])
