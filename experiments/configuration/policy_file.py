"""A policy of one's own in a file: read as data, checked as if its values had been typed.

The file is YAML with ``label``, ``label_zh``, ``about``, ``instruments`` and ``sources``. It is never given to Hydra. What YAML can do
beyond plain values is refused: aliases, anchors, tags, several documents, deep nesting.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import yaml  # type: ignore[import-untyped]

from agents.characters import unfit
from agents.spelling import nearest
from experiments.configuration.composed import foreign_texts
from experiments.configuration.declared import groups
from experiments.configuration.names import names_of
from experiments.configuration.own_policies import OwnPolicy
from experiments.configuration.schema import restore
from experiments.configuration.settings import check_name
from experiments.configuration.values import nearest_file, wrong_value_of
from experiments.regular import read_regular
from sim import INSTRUMENTS
from sim.parameters import ParameterError

__all__ = ["KEYS", "PolicyError", "instrument_called", "levers_of", "read_policy"]

#: What a file may hold.
KEYS = ("label", "label_zh", "about", "instruments", "sources")
#: Bytes of a file, parts of its YAML and brackets inside each other, at most.
MOST_BYTES, MOST_PARTS, DEEPEST = 262_144, 20_000, 5
#: Characters of a label and of any other text, at most; mistakes that are listed; characters that a mistake shows of a value.
LONGEST_LABEL, LONGEST_TEXT, MOST_LISTED, SHOWN = 100, 4_000, 50, 120


class PolicyError(ValueError):
    """A file that is no policy: a line for every mistake.

    Attributes
    ----------
    mistakes : list of str
    """

    def __init__(self, mistakes: list[str]) -> None:
        listed = [_shown(one, 5 * SHOWN) for one in dict.fromkeys(mistakes)]
        left = len(listed) - MOST_LISTED
        self.mistakes = listed[:MOST_LISTED] + ([f"{left} further mistakes"] if left > 0 else [])
        super().__init__("\n".join(self.mistakes))


def read_policy(path: str) -> OwnPolicy:
    """Read and check a file.

    Raises
    ------
    PolicyError
        With all mistakes, a line for each.
    """
    if wrong := _no_file(path):
        raise PolicyError([wrong])
    try:
        data = read_regular(Path(path), MOST_BYTES)
    except ValueError as mistake:
        raise PolicyError([str(mistake)]) from None
    except OSError as trouble:
        raise PolicyError([f"{path} cannot be read: {trouble.strerror}"]) from None
    return _checked(path, data)


def _no_file(path: str) -> str:
    """Say that a path names no file that can be read; empty if it does."""
    if wrong := unfit(path):
        return f"{path}: {wrong}"
    try:
        file = Path(path)
        if file.is_dir():
            return f"{path} is a folder; name a YAML file in it"
        if not file.exists():
            of_the_program = f"; the portfolio of the program is policy={file.stem}" if file.stem in groups().get("policy", ()) else ""
            return f"there is no file {path!r}{of_the_program or nearest_file(file)}"
    except (OSError, ValueError) as trouble:
        return f"{path} cannot be read: {getattr(trouble, 'strerror', None) or trouble}"
    return ""


@lru_cache(maxsize=32)
def _checked(path: str, data: bytes) -> OwnPolicy:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise PolicyError([f"{path} is not in UTF-8 (byte {wrong.start + 1}); save it as UTF-8"]) from None
    if unseen := unfit(text, lines=True):
        raise PolicyError([f"{path}: {unseen}; delete it"])
    try:
        written = _plain(text)
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise PolicyError([f"{path}: {_in_a_line(wrong)}"]) from None
    mistakes: list[str] = []
    policy = _policy(path, hashlib.sha256(data).hexdigest(), written, mistakes)
    if mistakes:
        raise PolicyError([f"{path}: {mistake}" for mistake in mistakes])
    return policy


# -- YAML as plain values ---------------------------------------------------------------------------------


class _Plain(yaml.SafeLoader):
    """Reads plain values alone, by the rules of YAML 1.2: ``no`` is a text, ``1e6`` a number, a date a text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a name that stands twice."""
        seen: dict[str, int] = {}
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                raise ValueError(f"line {name.start_mark.line + 1}: a name must be a word")
            if name.value in seen:
                first, again = seen[name.value], name.start_mark.line + 1
                raise ValueError(f"line {again}: {_shown(name.value)} is there twice, first in line {first}; keep one of them")
            seen[name.value] = name.start_mark.line + 1
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|", "~n\0"),
    ("bool", "true|false", "tf"),
    ("int", "[-+]?(?:0|[1-9][0-9]{0,29})", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [c.strip("\0") for c in _first])


def _plain(text: str) -> Any:
    """Return what a text of YAML holds; what is more than plain values is refused before it is built.

    Raises
    ------
    yaml.YAMLError, ValueError
        What is wrong, and in which line.
    """
    depth = documents = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Plain)):
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError(f"line {line}: & and * refer to other parts of the file; write out what is meant, or put the text in quotes")
        if getattr(event, "tag", None):
            raise ValueError(f"line {line}: {_shown(event.tag)} is a tag of YAML; a policy holds plain values: delete the word with !")
        if documents > 1:
            raise ValueError(f"line {line}: a second document begins; a file holds one policy")
        if depth > DEEPEST:
            raise ValueError(f"line {line}: nested too deeply; an instrument holds its levers, and no lever holds others")
        if number > MOST_PARTS:
            raise ValueError(f"line {line}: it has too many parts; a policy has at most {MOST_PARTS:,}")
    return yaml.load(text, Loader=_Plain)


def _in_a_line(wrong: Exception) -> str:
    """Return an error of YAML in one line, with the line of the file where it is."""
    mark = getattr(wrong, "problem_mark", None)
    if mark is None:
        return _shown(" ".join(str(wrong).split()), 2 * SHOWN)
    hint = "; a text with a colon needs quotes" if "mapping values" in str(wrong.problem) else ""  # type: ignore[attr-defined]
    return f"line {mark.line + 1}, character {mark.column + 1}: {wrong.problem}{hint}"  # type: ignore[attr-defined]


def _shown(text: object, most: int = SHOWN) -> str:
    text = str(text)
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


# -- what it says -------------------------------------------------------------------------------------------


def instrument_called(name: str) -> str:
    """Return the key of the instrument that a name stands for; empty if there is none."""
    return next((key for key in INSTRUMENTS if name.strip() in names_of(key)), "")


def levers_of(key: str) -> dict[str, Any]:
    """Return the levers of an instrument with their defaults."""
    made = INSTRUMENTS[key]()
    return {f.name: getattr(made, f.name) for f in fields(made)}


def _policy(path: str, sha256: str, written: Any, mistakes: list[str]) -> OwnPolicy:
    """Make a policy of what a file holds, and note every mistake."""
    if not isinstance(written, dict):
        mistakes.append(f"holds no policy; it must have {', '.join(KEYS)}: `strongchain policy new NAME.yaml` writes an example")
        written = {}
    mistakes += (f"{where} is {_shown(text)!r}: {wrong}" for where, text, wrong in _unfit(written))
    others = [name for name in written if name not in KEYS]
    mistakes += (f"there is no {_shown(name)!r} in a policy; it has {', '.join(KEYS)}{nearest(str(name), KEYS)}" for name in others)
    key = Path(path).name
    try:
        check_name(key, "the name of the file")
    except ValueError as mistake:
        mistakes.append(str(mistake))
    label = _text(written, "label", mistakes, LONGEST_LABEL)
    if not label and not any("label is" in mistake for mistake in mistakes):
        mistakes.append("label is missing; it is what reports call the policy")
    label_zh, about = _text(written, "label_zh", mistakes, LONGEST_LABEL), _text(written, "about", mistakes, LONGEST_TEXT)
    instruments, levers = _instruments(written.get("instruments"), mistakes)
    sources = _sources(written.get("sources"), instruments, mistakes)
    return OwnPolicy(path, sha256, key, label, label_zh or label, about, instruments, levers, sources)


def _unfit(written: Any) -> Iterator[tuple[str, str, str]]:
    """Yield every text that no setting may hold, and every reference: a policy refers to nothing."""
    seen = set()
    for where, text, wrong in foreign_texts(written):
        seen.add((where, text))
        yield where, text, wrong
    for where, text in _texts(written):
        if "${" in text and (where, text) not in seen:
            yield where, text, "it refers to another setting with ${; write out the value"


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            below = f"{path}.{name}" if path else str(name)
            yield below, str(name)
            yield from _texts(inner, below)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str):
        yield path, value


def _text(written: Mapping[str, Any], name: str, mistakes: list[str], longest: int) -> str:
    value = written.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        mistakes.append(f"{name} is {_shown(repr(value))}; it must be a text: put it in double quotes")
    elif len(value) > longest:
        mistakes.append(f"{name} has {len(value):,} characters; it must have at most {longest:,}")
    elif longest == LONGEST_LABEL and (wrong := unfit(value.strip())) and not unfit(value, lines=True):
        mistakes.append(f"{name}: {wrong}")
    else:
        return value.strip()
    return ""


def _instruments(named: Any, mistakes: list[str]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the instruments of a file, and the values of their levers by path."""
    if isinstance(named, list):
        named = {name if isinstance(name, str) else repr(name): None for name in named}
    if named is None:
        named = {}
    if not isinstance(named, dict):
        mistakes.append(f"instruments is {_shown(repr(named))}; it must name instruments, each with its levers")
        return (), {}
    keys: dict[str, str] = {}
    levers: dict[str, Any] = {}
    for name, values in named.items():
        key = instrument_called(str(name))
        if not key:
            known = [one for known in INSTRUMENTS for one in names_of(known)]
            close = nearest(str(name), known) or f"; choose from {', '.join(INSTRUMENTS)}"
            mistakes.append(f"there is no instrument {_shown(name)!r}{close}")
        elif key in keys:
            mistakes.append(f"{name} and {keys[key]} are one instrument, {key}; keep one of them")
        elif values is not None and not isinstance(values, dict):
            mistakes.append(f"{name} is {_shown(repr(values))}; it must hold levers, as in 'reach: 0.5', or nothing")
        else:
            keys[key] = str(name)
            levers |= _levers(key, values or {}, mistakes)
    return tuple(keys), levers


def _levers(key: str, values: Mapping[Any, Any], mistakes: list[str]) -> dict[str, Any]:
    """Return the values of an instrument's levers, by path."""
    known, sound = levers_of(key), {}
    wrong: list[str] = []
    for name, value in values.items():
        path = f"instruments.{key}.{name}"
        if name == "active":
            wrong.append(f"{path}: a policy switches on every instrument that it names; delete the line")
        elif name not in known:
            close = nearest(str(name), known) or f"; it has {', '.join(known)}"
            wrong.append(f"{key} has no lever {_shown(name)!r}{close}")
        elif isinstance(value, dict):
            wrong.append(f"{path} holds values of its own; it must be one value, or a list")
        else:
            wrong += [_shown(one, 3 * SHOWN) for one in wrong_value_of(path, value)]
            sound[str(name)] = value
    if not wrong:
        try:
            restore(INSTRUMENTS[key], sound)
        except (ParameterError, TypeError, ValueError) as mistake:  # what its levers must be together
            wrong.append(str(mistake))
    mistakes += wrong
    return {f"instruments.{key}.{name}": value for name, value in sound.items()}


def _sources(named: Any, instruments: tuple[str, ...], mistakes: list[str]) -> dict[str, str]:
    """Return the sources of a file by path; where it gives an empty one, there is none."""
    if named is None:
        named = {}
    if not isinstance(named, dict):
        mistakes.append(f"sources is {_shown(repr(named))}; it must name levers, each with its source, as in 'cqo.reach: …'")
        return {}
    known = {path: f"instruments.{path}" for key in instruments for path in (key, *(f"{key}.{lever}" for lever in levers_of(key)))}
    sources: dict[str, str] = {}
    for name, source in named.items():
        short = str(name).removeprefix("instruments.")
        called, dot, lever = short.partition(".")
        short = (instrument_called(called) or called) + dot + lever
        if short not in known:
            mistakes.append(f"sources names {_shown(name)!r}, which is no instrument or lever of this policy{nearest(short, known)}")
        elif source is not None and not isinstance(source, str):
            mistakes.append(f"the source of {name} is {_shown(repr(source))}; it must be a text: put it in double quotes")
        elif source is not None and len(source) > LONGEST_TEXT:
            mistakes.append(f"the source of {name} has {len(source):,} characters; it must have at most {LONGEST_TEXT:,}")
        elif known[short] in sources:
            mistakes.append(f"sources names {short} twice; keep one of them")
        elif source and source.strip():
            sources[known[short]] = source.strip()
    return sources
