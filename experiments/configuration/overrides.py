"""Overrides as typed, read with Hydra's own grammar: what that cannot read is quoted for the user."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import yaml  # type: ignore[import-untyped]
from antlr4 import InputStream  # type: ignore[import-untyped]
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, QuotedString, RangeSweep, Transformer
from hydra.errors import HydraException
from hydra.grammar.gen.OverrideLexer import OverrideLexer

from agents.spelling import nearest
from experiments.configuration.declared import SWITCHED, VERBS, chosen_as_a_whole, fields_by_path, groups
from experiments.configuration.names import in_keys
from experiments.configuration.rules import SettingsError
from experiments.configuration.settings import check_name
from experiments.configuration.study import General

__all__ = [
    "FILES",
    "FREE",
    "OF_THE_WORLD",
    "TypedOverride",
    "leaves",
    "quoted",
    "read_override",
    "settings",
    "too_many_points",
    "why_unreadable",
]

#: Those settings of the world under which every key is the user's own.
OF_THE_WORLD = ("network.filter", "network.columns", "network.node_columns", "region.sources")
#: Settings under which every key is the user's own.
FREE = (
    "study.arms",
    "study.split",
    "study.searched",
    "study.searched_only",
    "portfolio.sources",
    "portfolio.reported",
    "chain",
    *OF_THE_WORLD,
)
#: Settings that name files of the user's.
FILES = ("network.path", "network.nodes", "network.sectors_path")
#: Most points of a sweep.
LARGEST_SWEEP = 10_000
#: Most characters of an override, most entries of its lists together, and most brackets inside each other. The time Hydra takes to read
#: a list grows with the square of its length: 2,000 entries take 0.4 s, 10,000 take 8 s.
LONGEST, MOST_ENTRIES, DEEPEST = 100_000, 2_000, 50
#: Characters that an error shows of an override that is too long.
SHOWN = 60


@dataclass(frozen=True)
class TypedOverride:
    """One override as typed, and as Hydra can read it; for a sweep all values, and what would be typed for each value alone."""

    typed: str
    readable: str
    key: str
    values: tuple[Any, ...]
    alone: tuple[str, ...]


@lru_cache(maxsize=1)
def settings() -> dict[str, str]:
    """Every path that can be set, with whether it is a "leaf" or a "node" that holds others."""
    kinds = (f"{group}.kind" for group in chosen_as_a_whole())
    paths = dict.fromkeys([*fields_by_path(), *(f"{group}.{key}.active" for group in SWITCHED for key in groups()[group]), *kinds], "leaf")
    nodes = {path.rsplit(".", k)[0] for path in paths for k in range(1, path.count(".") + 1)}
    return {**dict.fromkeys(sorted(nodes), "node"), **paths}


def leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Split the dictionary of a node into single settings and their values."""
    if isinstance(value, dict) and settings().get(key) != "leaf" and value:
        for name, inner in value.items():
            yield from leaves(f"{key}.{name}" if key else str(name), inner)
    else:
        yield key, value


def read_override(typed: str) -> TypedOverride:
    """Read one override; a value that Hydra's grammar cannot read is put between quotes unchanged.

    The user need not know whether Hydra wants a ``+`` before it.

    Raises
    ------
    SettingsError
        If it is not an override; the message says what to type instead.
    """
    _refuse_too_long(typed)
    start, equals, value = typed.partition("=")
    key = start.lstrip("+~")
    if start.startswith("~"):
        raise SettingsError(f"{typed}: a setting cannot be removed; type {key}=VALUE instead")
    if not equals:
        known = [*VERBS, *groups(), *(f.name for f in fields(General))]
        raise SettingsError(f"{typed}: its value is missing; type {typed}=VALUE{'' if typed in known else nearest(typed, known)}")
    value = in_keys(key, value)
    sign = _sign(key, start[: len(start) - len(key)])
    for names in _outline(value)[0] if "{" in value and key not in FILES else ():
        if twice := [name for k, name in enumerate(names) if name in names[:k]]:
            raise SettingsError(f"{typed}: {twice[0]} is named twice; give each its own name")
    ways = [value, *_with_quotes(value), quoted(value)]
    if key in (*FILES, "policy") and os.path.isfile(value):
        ways = [quoted(value)]  # a comma in its name makes no sweep
    elif key == "policy" and "," in value:
        ways.insert(-1, ",".join(quoted(one.strip()) for one in value.split(",")))  # a sweep over files with Chinese names
    for way in ways:
        readable = f"{sign}{key}={way}"
        with contextlib.suppress(HydraException, ValueError):  # a number of 5,000 digits is a ValueError
            override = _parser().parse_override(readable)
            break
    else:
        arm = key.removeprefix("study.arms.")
        why = _untypable(arm) or 'write it as "study.arms={NAME: [OVERRIDE]}"' if arm != key else ""
        raise SettingsError(f"{typed}: {why or 'cannot be read; write KEY=VALUE, with a dotted path as the key'}")
    group = key.split("@")[0]
    if not override.is_sweep_override():
        return TypedOverride(typed, readable, group, (override.value(),), (readable,))
    try:
        mistake = too_many_points([_count(override.value(), group)])
        values, texts = ((), ()) if mistake else _swept(override, group)
        mistake = mistake or ("" if values else f"has no values; write them out: {key}=A,B,C")
    except (HydraException, ArithmeticError, ValueError):
        mistake = f"cannot be swept; write out its values: {key}=A,B,C"
    if mistake:
        raise SettingsError(f"{typed}: {mistake}")
    return TypedOverride(typed, readable, group, values, tuple(f"{sign}{key}={text}" for text in texts))


def too_many_points(counts: Sequence[float]) -> str:
    """Say that sweeps with so many values each have too many points together; empty if they have not."""
    points = math.prod(counts)
    if points <= LARGEST_SWEEP:
        return ""
    number = f"{points:,} points" if points < 1e15 else "more points than can be counted"
    return f"{number}; a sweep has at most {LARGEST_SWEEP:,}: type fewer values, or several sweeps, each with a name of its own"


def why_unreadable(arms: str) -> str:
    """Say why Hydra cannot read arms as a dictionary: a missing bracket, or a name that it cannot read; empty if there is neither."""
    if mark := next((mark for mark in "'\"" if arms.count(mark) % 2), ""):
        return f"a {mark} is left open"
    dictionaries, brackets = _outline(arms)
    return brackets or next(filter(None, map(_untypable, itertools.chain(*dictionaries))), "")


def _untypable(name: str) -> str:
    """Say why a name is not possible for an arm, or cannot be typed on the command line."""
    try:
        check_name(name, "an arm's name")
    except SettingsError as mistake:
        return str(mistake)
    if re.fullmatch(r"[\w .+%@$?-]+", name, re.ASCII):
        return ""
    return (
        f"an arm's name is {name!r}, which cannot be typed here: letters from a to z, digits, blanks and _ - . + % can; "
        "in a file configs/experiment/NAME.yaml any name will do"
    )


def _outline(text: str) -> tuple[list[list[str]], str]:
    """Return the names in every dictionary of a text, the outermost first, and what is wrong with its brackets."""
    lexer = OverrideLexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.mode(lexer.VALUE_MODE)
    closing = {lexer.BRACE_OPEN: lexer.BRACE_CLOSE, lexer.BRACKET_OPEN: lexer.BRACKET_CLOSE}
    dictionaries: list[list[str]] = []
    around: list[tuple[int, list[str]]] = []
    begun = 0
    for token in lexer.getAllTokens():
        if token.type in closing:
            around.append((closing[token.type], []))
            if token.type == lexer.BRACE_OPEN:
                dictionaries.append(around[-1][1])
        elif token.type in closing.values():
            if not around:
                return dictionaries, f"there is a {token.text.strip()} too many"
            if around.pop()[0] != token.type:
                return dictionaries, f"a {'[' if token.type == lexer.BRACKET_CLOSE else ']'} is missing before {token.text.strip()}"
        elif token.type == lexer.COLON and around and around[-1][0] == lexer.BRACE_CLOSE:
            around[-1][1].append(text[begun : token.start].strip(" '\""))
        if token.type in closing or token.type == lexer.COMMA:
            begun = token.stop + 1
    lacking = "".join("}" if end == lexer.BRACE_CLOSE else "]" for end, _ in reversed(around))
    return dictionaries, f"{lacking} is missing at its end" if lacking else ""


def _refuse_too_long(typed: str) -> None:
    """Refuse what would take minutes to read, before it is read."""
    value = typed.partition("=")[2]
    entries, depth, deepest = value.count(",") + 1, 0, 0
    for bracket in re.findall(r"[\[\](){}]", value):
        depth = depth + 1 if bracket in "[({" else max(0, depth - 1)
        deepest = max(deepest, depth)
    shown = typed if len(typed) <= SHOWN else f"{typed[:SHOWN]}…"
    if not deepest and (mistake := too_many_points([entries])):
        raise SettingsError(f"{shown}: {mistake}")
    for number, most, what in (
        (len(typed), LONGEST, "characters; a setting has at most"),
        (deepest, DEEPEST, "brackets inside each other; a value has at most"),
        (entries if deepest else 0, MOST_ENTRIES, "entries; the lists of a setting together have at most"),
    ):
        if number > most:
            raise SettingsError(f"{shown}: {number:,} {what} {most:,}; write it into a file configs/experiment/NAME.yaml")


def _count(sweep: Any, group: str) -> float:
    """Count the values of a sweep without making them; infinite if it has no end.

    Raises
    ------
    ArithmeticError, ValueError
        If a range has a step of 0, or ends that are no numbers.
    """
    if isinstance(sweep, ChoiceSweep):
        return sum(_count(one, group) for one in sweep.list)
    if isinstance(sweep, Glob):
        return len(sweep.filter(list(groups().get(group, ()))))
    if isinstance(sweep, RangeSweep):
        start, stop, step = sweep.start or 0, sweep.stop or 0, sweep.step
        if isinstance(start, int) and isinstance(stop, int) and isinstance(step, int):
            return max(0, -((start - stop) // step))
        values = (stop - start) / step  # no number if an end is none
        return math.inf if values == math.inf else max(0, math.ceil(max(values, -1.0)))
    return 1


def _swept(override: Override, group: str) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Return the values of a sweep, and how each is written."""
    sweep: Any = override.value()
    if isinstance(sweep, Glob):
        options = tuple(sweep.filter(list(groups().get(group, ()))))
        return options, options
    values = override.sweep_iterator(transformer=Transformer.identity)
    plain = tuple(value.text if isinstance(value, QuotedString) else value for value in values)
    return plain, tuple(override.sweep_string_iterator())


def quoted(text: str) -> str:
    """Put a text between quotes for Hydra's grammar."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class _WithoutAliases(yaml.SafeLoader):
    """Reads YAML without aliases: with them, a short text can stand for a list without end."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Read a part, and refuse an alias."""
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias", self.peek_event().start_mark)
        return super().compose_node(parent, index)


def _with_quotes(value: str) -> Iterator[str]:
    """Put quotes around the texts of a list or dictionary that YAML can read, and if need be around overrides like ``by=[tier]``."""

    def written(part: Any) -> str:
        if isinstance(part, dict):
            return "{" + ", ".join(f"{name}: {written(inner)}" for name, inner in part.items()) + "}"
        if isinstance(part, list):
            return "[" + ", ".join(map(written, part)) + "]"
        return quoted(part) if isinstance(part, str) else "null" if part is None else str(part).lower()

    for text in (value, re.sub(r"(?<![\w./@+'\"])([\w./@+]+=\[[^\[\]'\"]*\])", r"'\1'", value)):
        with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):  # also of a date like 2026-99-99, and of "- - - -"
            read = yaml.load(text, _WithoutAliases)
            if isinstance(read, dict | list):
                yield written(read)


@lru_cache(maxsize=1)
def _parser() -> OverridesParser:
    return OverridesParser.create()


def _sign(key: str, typed: str) -> str:
    """Return what Hydra needs before a key: one plus if the key is not in the main configuration, two if it may be or may not be."""
    if key == "experiment":
        return "+"
    if any(key.startswith(f"{free}.") for free in FREE):
        return "++"
    return "" if key in groups() or key in settings() else typed
