"""What a value of a setting must do: the rule that is declared with the setting's default, unit and meaning.

Settings of the world (`sim`) are declared by `sim.parameters.parameter`. Settings of a study are declared here, as fields of a
dataclass too: ``months: int = whole(60, 1, 12_000, "months", "months of a run")``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Any

from experiments.configuration import files
from experiments.terminal import did_you_mean

__all__ = [
    "Options",
    "Rule",
    "SettingsError",
    "Several",
    "by_name",
    "calendar_month",
    "check_rules",
    "choice",
    "choices",
    "is_number",
    "rule_of",
    "setting",
    "share",
    "text",
    "whole",
    "yes_or_no",
]


class SettingsError(ValueError):
    """A setting that is wrong, or settings that contradict each other: which, and what would be right."""


@dataclass(frozen=True)
class Rule:
    """What a value of a setting must do, and what the setting means.

    Attributes
    ----------
    unit, meaning : str
    legal : str
        What is legal, in a table.
    must : str
        What a value must do, as a sentence goes on after "it must".
    holds : function
        Whether a value does it.
    choices : tuple of str
        The values there are, if they can be counted.
    default_is : str
        The default for people, where its value says little.
    """

    unit: str
    meaning: str
    legal: str
    must: str = ""
    holds: Callable[[Any], bool] = lambda value: True
    choices: tuple[str, ...] = ()
    default_is: str = ""

    def wrong(self, path: str, value: Any) -> str:
        """Say what is wrong with a value of the setting at a path; empty if it is right."""
        return "" if self.holds(value) else f"{path} is {value!r}; it must {self.must}{did_you_mean(str(value), self.choices)}"


@dataclass(frozen=True)
class Several(Rule):
    """A setting that is a list of some of its choices."""

    def wrong(self, path: str, value: Any) -> str:
        """Say that a value is not a list, or which of its entries is not among the choices."""
        if not isinstance(value, list | tuple):
            return f'{path}={value}: it must {self.must}; type "{path}=[{value}]"'
        others = [entry for entry in value if entry not in self.choices]
        return f"{path} names {others[0]!r}; it must {self.must}{did_you_mean(str(others[0]), self.choices)}" if others else ""


@dataclass(frozen=True)
class Options(Rule):
    """A setting that lists files of a group of configurations, such as regions; the files are looked up when they are needed."""

    group: str = ""

    def wrong(self, path: str, value: Any) -> str:
        """Say which options do not exist or are named twice."""
        options = sorted(files.options_in_files(files.CONFIGS).get(self.group, ()))
        if not isinstance(value, list | tuple):
            return f'{path}={value}: it must be a list of names; type "{path}=[{value}]"'
        for name in value:
            if name not in options:
                close = did_you_mean(str(name), options)
                return f"{path} names {name!r}, but there is no such {self.group}; choose from {', '.join(options)}{close}"
        twice = [name for k, name in enumerate(value) if name in value[:k]]
        return f"{path} names {twice[0]!r} twice; once is enough" if twice else ""


# -- declaring ------------------------------------------------------------------------------------------


def setting(default: Any, rule: Rule) -> Any:
    """Declare a field of a dataclass of settings; a default that is a function makes the value."""
    if callable(default):
        return field(default_factory=default, metadata={"rule": rule})
    return field(default=default, metadata={"rule": rule})


def whole(default: int | None, low: int, high: int, unit: str, meaning: str) -> Any:
    """Declare a whole number; with the default None it may be null, too."""
    legal = f"{low} … {high:,}" if high < 1e12 else f"{low} … 2^{high.bit_length() - 1}"

    def holds(value: Any) -> bool:
        if value is None:
            return default is None
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return setting(default, Rule(unit, meaning, legal, f"be a whole number in {legal}{', or null' if default is None else ''}", holds))


def share(high: float, meaning: str, of: str) -> Any:
    """Declare a share above 0, null by default."""

    def holds(value: Any) -> bool:
        return value is None or (is_number(value) and 0 < value <= high)

    return setting(None, Rule("1", meaning, f"above 0 … {high:g}", f"be above 0 and at most {high:g} ({of}), or null", holds))


def yes_or_no(meaning: str) -> Any:
    """Declare what is true or false, false by default."""
    return setting(False, Rule("1", meaning, "true, false", "be true or false", lambda value: isinstance(value, bool), ("true", "false")))


def text(default: str, meaning: str) -> Any:
    """Declare a text."""
    return setting(default, Rule("1", meaning, "a text", "be a text", lambda value: isinstance(value, str) and bool(value.strip())))


def calendar_month(meaning: str) -> Any:
    """Declare a month of the calendar, null by default."""

    def holds(value: Any) -> bool:
        return value is None or (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", value) is not None)

    return setting(None, Rule("1", meaning, "year-month", "be a year and a month, such as 2025-01, or null", holds))


def choice(default: str, options: tuple[str, ...], meaning: str) -> Any:
    """Declare a choice of one option."""
    legal = ", ".join(options)
    return setting(default, Rule("1", meaning, legal, f"be one of {legal}", lambda value: value in options, options))


def choices(default: tuple[str, ...], options: tuple[str, ...], meaning: str) -> Any:
    """Declare a choice of several options, as a list."""
    legal = ", ".join(options)
    return setting(default, Several("1", meaning, legal, f"be a list of some of {legal}", choices=options))


def by_name(default: Any, meaning: str, legal: str, default_is: str = "") -> Any:
    """Declare values under names of the user's own."""

    def holds(value: Any) -> bool:
        return value is None or isinstance(value, dict)

    return setting(default, Rule("1", meaning, legal, "name its values, {NAME: VALUE}, or be null", holds, default_is=default_is))


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- checking -------------------------------------------------------------------------------------------


def rule_of(f: Field[Any]) -> Rule:
    """Return the rule that a field was declared with."""
    rule: Rule = f.metadata["rule"]
    return rule


def check_rules(cls: type, values: dict[str, Any], prefix: str = "") -> None:
    """Raise at the first of the values given for a dataclass of settings that breaks its rule.

    Raises
    ------
    SettingsError
        One line: what, where, and what would be right.
    """
    for f in fields(cls):
        if f.name in values and (wrong := rule_of(f).wrong(prefix + f.name, values[f.name])):
            raise SettingsError(wrong)
