"""Say things in the language that is chosen: phrases and sentences come from its folder, numbers are filled in.

A language is a folder beside this file and nothing else. It holds

- ``phrases.yaml``: short texts by name (headings, captions, labels of axes), nested as their names are: ``effects.heading``;
- ``*.j2``: sentences that depend on what is said. A macro is a sentence: ``answer.cost`` is the macro `cost` of ``answer.j2``;
- ``labels.yaml`` and ``explanations.yaml``, which are optional: names of things (outcomes, settings, counts) and longer texts about them,
  by what English says. An entry whose English holds placeholders, ``Firm {number}``, is a pattern: see `Patterns`;
- ``errors.yaml``, which is optional: error messages, or clauses of them, by what English says: see `Language.mistake`.

All of them are Jinja, and see what they are given. What a folder lacks is said in English, and a template that imports a file which the
folder lacks (``lists.j2``, say) gets the English one. Numbers are written as English and Chinese do, 1,234.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from experiments.formatting import FILTERS, amounts, money, value

__all__ = [
    "ENGLISH",
    "LABELS",
    "Language",
    "Patterns",
    "label",
    "language_in",
    "languages",
    "lines",
    "mistake",
    "names_in_every_language",
    "say",
    "speak",
    "spoken",
    "use_language",
    "written",
]

ENGLISH, HERE = "en", Path(__file__).parent
#: The files of a language that hold what English texts are called in it.
LABELS = ("labels.yaml", "explanations.yaml")
#: The file of a language that holds error messages.
ERRORS = "errors.yaml"
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
#: What a placeholder stands for: characters without a blank, or else by the last word of its name.
UNBROKEN, STANDS_FOR = r"\S+", {"number": r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?", "label": ".+", "shown": ".+", "list": "[^;]+"}
#: Placeholders of error messages that stand for a part of a sentence, never for a name or a value.
SENTENCES = ("mistake_label", "must_label", "why_label", "of_label")
#: Stands for a blank of a path while the lines of a template are joined: a character that no text has.
KEPT = "\ue000"


class Patterns:
    """Entries of ``labels.yaml`` that stand for many texts: ``"Firm {number}": "企业{number}"``.

    A placeholder stands for characters without a blank: a name, a path. One that is called ``number``, or whose name ends in ``_number``,
    stands for a number. One whose name ends in ``_label`` stands for any text, and what it stands for is given its own label. The whole
    text must have the form of the pattern. If it has the form of several, the pattern with the most characters outside placeholders is
    used; of two with as many, the first.

    Parameters
    ----------
    entries : mapping of str to str
        Texts with placeholders, by English texts with placeholders of the same names.

    Raises
    ------
    ValueError
        If an entry is all placeholder, names one twice, or its text has other placeholders than its English.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._by_first: dict[str, list[tuple[re.Pattern[str], str, str]]] = {}
        for english in sorted(entries, key=lambda key: -len(PLACEHOLDER.sub("", key))):
            names = PLACEHOLDER.findall(english)
            if not PLACEHOLDER.sub("", english).strip() or len(set(names)) < len(names):
                raise ValueError(f"labels: {english!r} must have words beside its placeholders, and each placeholder once")
            if set(names) != set(PLACEHOLDER.findall(entries[english])):
                raise ValueError(f"labels: {english!r} and {entries[english]!r} must have the same placeholders")
            first = "" if english.startswith(f"{{{names[0]}}}") else english[0]
            self._by_first.setdefault(first, []).append((_form(english), english, entries[english]))

    def match(self, text: str) -> tuple[str, str, dict[str, str]] | None:
        """Return the pattern that a text has the form of: its English, its text, and what its placeholders stand for."""
        found = None
        for first in {text[:1], ""}:
            for form, english, otherwise in self._by_first.get(first, ()):
                if match := form.fullmatch(text):
                    if found is None or len(PLACEHOLDER.sub("", english)) > len(PLACEHOLDER.sub("", found[0])):
                        found = english, otherwise, match.groupdict()
                    break
        return found


def _form(english: str) -> re.Pattern[str]:
    """Return the expression that texts of the form of a pattern match."""
    form = ""
    for at, part in enumerate(PLACEHOLDER.split(english)):  # words and names of placeholders take turns
        form += f"(?P<{part}>{STANDS_FOR.get(part.rpartition('_')[2], UNBROKEN)})" if at % 2 else re.escape(part)
    return re.compile(form, re.DOTALL)


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
        self._environment.filters |= FILTERS | {"amounts": self._amounts, "value": self._value, "money": self.money}
        self._phrases = dict(_flat(_read(folder / "phrases.yaml")))
        self._labels, self._patterns = _entries(folder, LABELS)
        self._errors, self._error_patterns = _entries(folder, (ERRORS,))
        self._matched: dict[str, str] = {}
        self._compiled: dict[str, Template] = {}
        #: What the unit of sums of money in tables and on axes is worth, CNY.
        self.money_unit: float = float(self._phrases.get("money.in_tables", otherwise.money_unit if otherwise else 1.0))
        self._environment.globals["money_unit"] = self.money_unit
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

    def phrases_below(self, prefix: str) -> list[tuple[str, str]]:
        """Return the phrases of the folder whose names begin with a prefix: the rest of each name, and the phrase as it stands."""
        return [(name.removeprefix(prefix), str(text)) for name, text in self._phrases.items() if name.startswith(prefix)]

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
        if own := getattr(thing, f"label_{self.code}", ""):
            return str(own)
        if english not in self._matched:
            self._matched[english] = self._filled_in(english)
        return self._matched[english]

    def _filled_in(self, english: str) -> str:
        """Return the text of the pattern that an English text has the form of, filled in, or the English text."""
        if (found := self._patterns.match(english)) is None:
            return english
        _, text, given = found
        parts = {name: self.label(part) if name.endswith("_label") else part for name, part in given.items()}
        return PLACEHOLDER.sub(lambda match: parts[match[1]], text)

    def mistake(self, text: str) -> str:
        """Return an error message in this language, line by line: what ``errors.yaml`` lacks stays as it is.

        A line is looked up whole. If there is no such entry, it is cut at ``: `` into a place and a message, and at ``; `` into
        clauses, and these are looked up one by one; both marks have entries of their own. What a placeholder ending in ``_label``
        stands for is a message, or else a label.
        """
        return "\n".join(self._said_of_mistake(line.strip(), len(line) - len(line.lstrip())) for line in text.split("\n"))

    def _said_of_mistake(self, line: str, indent: int = 0) -> str:
        said = self._known_mistake(line)
        return " " * indent + (line if said is None else said)

    def _known_mistake(self, text: str) -> str | None:
        """Return a message, a message behind its place, or clauses of which at least one is known; None if nothing of it is known."""
        if (said := self._whole_mistake(text)) is not None:
            return said
        for cut in re.finditer(": ", text):
            if (said := self._known_clauses(text[cut.end() :])) is not None:
                place = text[: cut.start()]
                return (self._whole_mistake(place) or place) + self._errors.get(": ", ": ") + said
        return self._known_clauses(text)

    def _known_clauses(self, text: str) -> str | None:
        """Return a message, or its clauses, the longest that are known first; None if the first is not known."""
        clauses = text.split("; ")
        for many in range(len(clauses), 0, -1):
            if (said := self._whole_mistake("; ".join(clauses[:many]))) is not None:
                rest = "; ".join(clauses[many:])
                return said + self._errors.get("; ", "; ") + self._said_of_mistake(rest) if rest else said
        return None

    def _whole_mistake(self, text: str) -> str | None:
        if text in self._errors:
            return self._errors[text]
        if (found := self._error_patterns.match(text)) is None:
            return None
        _, otherwise, given = found
        parts = {name: self._part_of_mistake(name, part) if name.endswith("_label") else part for name, part in given.items()}
        return None if None in parts.values() else PLACEHOLDER.sub(lambda match: str(parts[match[1]]), otherwise)

    def _part_of_mistake(self, name: str, text: str) -> str | None:
        """Return a part of a message; None if it is a sentence or several clauses that are not known, so that no line is half English."""
        said = self._known_mistake(text)
        if said is None and ((other := self.label(text)) != text or not text.isascii() or not (name in SENTENCES or "; " in text)):
            return other
        return said

    def instrument(self, key: str, both: bool = False) -> str:
        """Return what an instrument is called, in Chinese by the first of its names; on request with its Chinese names behind it."""
        from sim.instruments import INSTRUMENTS  # a text that speaks of no instrument needs no world

        cls = INSTRUMENTS.get(key)
        if cls is None:
            return self.label(key.replace("_", " "))
        name = self.label(cls)
        if name == cls.label_zh:
            return name.split(", ")[0]
        return f"{name} ({cls.label_zh})" if both else name

    def outcome(self, key: str) -> str:
        """Return what an outcome is called."""
        from sim.outcomes import OUTCOMES

        return self.label(OUTCOMES[key])

    def money_units(self) -> list[tuple[float, str]]:
        """Return the units of sums of money, the largest first, with what each is worth in CNY."""
        if "money.units" in self._phrases:
            return [(float(worth), str(unit)) for worth, unit in self._phrases["money.units"]]
        return self.otherwise.money_units() if self.otherwise else []

    def money(self, value_in_cny: float) -> str:
        """Write an amount in the unit of sums of money in tables."""
        return money(value_in_cny, self.money_unit)

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


def _entries(folder: Path, files: Sequence[str]) -> tuple[dict[str, str], Patterns]:
    """Return the entries of some files of a language: those without placeholders, and those that are patterns."""
    entries = {str(name): str(text) for file in files for name, text in _read(folder / file).items()}
    plain = {name: text for name, text in entries.items() if not PLACEHOLDER.search(name)}
    return plain, Patterns({name: text for name, text in entries.items() if name not in plain})


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


def names_in_every_language(group: str) -> dict[str, tuple[str, ...]]:
    """Return what the keys of a group of phrases are called, by key: a name in every language."""
    found: dict[str, list[str]] = {}
    for code in languages():
        for name, text in language_in(HERE / code).phrases_below(f"{group}."):
            found.setdefault(name, []).append(text)
    return {key: tuple(names) for key, names in found.items()}


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


def speak(code: str = ENGLISH) -> None:
    """Speak a language from now on, to the end of the process: what is typed in a terminal chooses it."""
    _SPOKEN.set(HERE / code)


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


def mistake(text: str) -> str:
    """Return an error message in the language that is spoken: see `Language.mistake`."""
    return spoken().mistake(text)
