"""Say things in the language that is chosen: phrases and sentences come from its folder, numbers are filled in.

A language is a folder beside this file and nothing else. It holds

- ``phrases.yaml``: short texts by name (headings, captions, labels of axes), nested as their names are: ``effects.heading``;
- ``*.j2``: sentences that depend on what is said. A macro is a sentence: ``answer.cost`` is the macro `cost` of ``answer.j2``;
- ``labels.yaml``, which is optional: names of things (outcomes, settings, counts) by what English calls them.

All of them are Jinja, and see what they are given. What a folder lacks is said in English, and a template that imports a file which the
folder lacks (``lists.j2``, say) gets the English one. Numbers are written as English and Chinese do, 1,234.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from experiments.formatting import FILTERS, amounts, value

__all__ = ["ENGLISH", "Language", "label", "language_in", "languages", "lines", "say", "spoken", "use_language", "written"]

ENGLISH, HERE = "en", Path(__file__).parent
#: Stands for a blank of a path while the lines of a template are joined: a character that no text has.
KEPT = "\ue000"


class Language:
    """The phrases and sentences of one language.

    Parameters
    ----------
    folder : Path
        Its name is the code of the language: ``en``, ``zh``.
    otherwise : Language, optional
        Says what the folder lacks.
    """

    def __init__(self, folder: Path, otherwise: Language | None = None) -> None:
        self.code, self.otherwise, self._folder = folder.name, otherwise, folder
        places = [folder, *([otherwise._folder] if otherwise else [])]
        self._environment = Environment(
            loader=FileSystemLoader(places), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
        )
        self._environment.globals |= {"say": self.say, "label": self.label, "instrument": self.instrument, "outcome": self.outcome}
        self._environment.filters |= FILTERS | {"amounts": self._amounts, "value": self._value}
        self._phrases = dict(_flat(_read(folder / "phrases.yaml")))
        self._labels = {str(name): str(text) for name, text in _read(folder / "labels.yaml").items()}
        self._compiled: dict[str, Template] = {}
        self._groups: dict[str, frozenset[str]] = {}

    def names(self) -> list[str]:
        """Return the names of all phrases and sentences of the folder, in alphabetical order."""
        sentences = [
            f"{file.stem}.{name}"
            for file in sorted(self._folder.glob("*.j2"))
            for name in self._environment.get_template(file.name).module.__dict__
            if not name.startswith("_")
        ]
        return sorted({*self._phrases, *sentences})

    def names_of(self, group: str) -> frozenset[str]:
        """Return the names of all phrases of a group, as ``sizes`` or ``tables.heads``, in this language or in English."""
        if group not in self._groups:
            own = {name.removeprefix(f"{group}.") for name in self._phrases if name.startswith(f"{group}.")}
            self._groups[group] = frozenset(own) | (self.otherwise.names_of(group) if self.otherwise else frozenset())
        return self._groups[group]

    def say(self, name: str, /, *given: Any, **values: Any) -> str:
        """Return a phrase or a sentence by its name, filled in.

        Parameters
        ----------
        name : str
            A name of ``phrases.yaml``, or FILE.MACRO.
        *given, **values
            What it is filled in with. A phrase sees values by their names alone; a sentence takes them like a function. The blanks of a
            path stay as they are.

        Raises
        ------
        KeyError
            If no language has it.
        """
        if name in self._phrases:
            return _plain(self._phrase(name).render({key: _with_blanks_kept(value) for key, value in values.items()}))
        if (sentence := self._sentence(name)) is not None:
            kept = {key: _with_blanks_kept(value) for key, value in values.items()}
            return _plain(str(sentence(*map(_with_blanks_kept, given), **kept)))
        if self.otherwise is not None:
            return self.otherwise.say(name, *given, **values)
        raise KeyError(f"no phrase and no sentence is called {name!r}")

    def lines(self, name: str, /, *given: Any, **values: Any) -> str:
        """Return a text of several lines by its name, its line breaks and blanks kept: see `say`.

        Raises
        ------
        KeyError
            If no language has it.
        """
        if (text := self._sentence(name)) is not None:
            return str(text(*given, **values)).strip("\n")
        if self.otherwise is not None:
            return self.otherwise.lines(name, *given, **values)
        raise KeyError(f"no text is called {name!r}")

    def label(self, thing: Any) -> str:
        """Return what a thing is called: its label in this language, or a text that stands for itself."""
        english = str(getattr(thing, "label", thing))
        if english in self._labels:
            return self._labels[english]
        return str(getattr(thing, f"label_{self.code}", "") or english)

    def instrument(self, key: str, both: bool = False) -> str:
        """Return what an instrument is called; on request with its Chinese name behind it."""
        from sim.instruments import INSTRUMENTS  # a text that speaks of no instrument needs no world

        cls = INSTRUMENTS.get(key)
        if cls is None:
            return self.label(key.replace("_", " "))
        name = self.label(cls)
        return f"{name} ({cls.label_zh})" if both and name != cls.label_zh else name

    def outcome(self, key: str) -> str:
        """Return what an outcome is called."""
        from sim.outcomes import OUTCOMES

        return self.label(OUTCOMES[key])

    def money_units(self) -> list[tuple[float, str]]:
        """Return the units of sums of money, the largest first, with what each is worth in CNY."""
        if "money.units" in self._phrases:
            return [(float(worth), str(unit)) for worth, unit in self._phrases["money.units"]]
        return self.otherwise.money_units() if self.otherwise else []

    def _amounts(self, values: Any, sign: bool = False) -> tuple[list[str], str]:
        return amounts(values, sign, self.money_units())

    def _value(self, of: Any) -> str:
        return value(of, self.say("none"))

    def _phrase(self, name: str) -> Template:
        if name not in self._compiled:
            self._compiled[name] = self._environment.from_string(str(self._phrases[name]))
        return self._compiled[name]

    def _sentence(self, name: str) -> Any:
        file, _, macro = name.partition(".")
        if not (self._folder / f"{file}.j2").is_file():
            return None
        return getattr(self._environment.get_template(f"{file}.j2").module, macro, None)


def _read(path: Path) -> Mapping[str, Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def _flat(phrases: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, text in phrases.items():
        yield from _flat(text, f"{prefix}{name}.") if isinstance(text, Mapping) else [(f"{prefix}{name}", text)]


def _plain(text: str) -> str:
    """Join the lines of a template: one blank between words, none before a full stop, a comma or a closing bracket, none in Chinese."""
    text = re.sub(r"[ \n\t]+", " ", text).strip(" ")
    text = re.sub(r" (?=[,.)]( |$))|(?<=\() ", "", text)
    text = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])", "", text)
    return text.replace(KEPT, " ")


def _with_blanks_kept(given: Any) -> Any:
    """Return a path as a text whose blanks are no blanks between words; anything else unchanged."""
    return str(given).replace(" ", KEPT) if isinstance(given, PurePath) else given


@cache
def language_in(folder: Path) -> Language:
    """Return the language of a folder; what it lacks is said in English."""
    return Language(folder, None if folder == HERE / ENGLISH else language_in(HERE / ENGLISH))


def languages() -> list[str]:
    """Return the codes of all languages."""
    return sorted(folder.name for folder in HERE.iterdir() if (folder / "phrases.yaml").is_file())


_SPOKEN: ContextVar[Path] = ContextVar("language", default=HERE / ENGLISH)


def spoken() -> Language:
    """Return the language that is spoken now."""
    return language_in(_SPOKEN.get())


@contextmanager
def use_language(code: str | Path) -> Iterator[Language]:
    """Speak a language inside a `with` block: its code, or a folder of one's own.

    Raises
    ------
    ValueError
        If there is no such language.
    """
    folder = code if isinstance(code, Path) else HERE / code
    if not (folder / "phrases.yaml").is_file():
        raise ValueError(f"language is {code}; there is {', '.join(languages())}")
    before = _SPOKEN.set(folder)
    try:
        yield language_in(folder)
    finally:
        _SPOKEN.reset(before)


def say(name: str, /, *given: Any, **values: Any) -> str:
    """Return a phrase or a sentence in the language that is spoken: see `Language.say`."""
    return spoken().say(name, *given, **values)


def lines(name: str, /, *given: Any, **values: Any) -> str:
    """Return a text of several lines in the language that is spoken: see `Language.lines`."""
    return spoken().lines(name, *given, **values)


def written(value_of_setting: Any) -> str:
    """Write the value of a setting in the language that is spoken."""
    return value(value_of_setting, say("none"))


def label(thing: Any) -> str:
    """Return what a thing is called in the language that is spoken: see `Language.label`."""
    return spoken().label(thing)
