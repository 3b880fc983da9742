"""Characters that no name may hold, because people cannot see them or because they change how a line is shown.

Two names that look the same must be the same name, and a name must not change the text around it, in a table, in a
terminal or in a report.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["in_normal_form", "unfit", "unfit_at"]

# Characters, as in brackets of a regular expression, with what they are.
LINES = ("\t\n\r", "a tab or line end")  # separates cells and lines: a text that holds several names has it
CONTROL = ("\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f", "a control character")
WRITING = ("\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069", "an invisible character that changes the direction of writing")
NO_WIDTH = ("\u200b-\u200d\u2060\ufeff", "an invisible character without width")
SEPARATORS = ("\u2028\u2029", "a separator of lines or paragraphs")
HALVES = ("\ud800-\udfff", "a surrogate, half of a character")

KINDS = {re.compile(f"[{characters}]"): kind for characters, kind in (LINES, CONTROL, WRITING, NO_WIDTH, SEPARATORS, HALVES)}
# One set of characters is searched many times as fast as alternatives.
IN_A_TEXT = re.compile(f"[{''.join(characters for characters, _ in (CONTROL, WRITING, NO_WIDTH, SEPARATORS, HALVES))}]")
IN_A_NAME = re.compile(f"[{LINES[0]}{IN_A_TEXT.pattern[1:]}")


def unfit_at(text: str, lines: bool = False) -> int:
    """Return the place of the first character that no name may hold, counted from 0; -1 if there is none.

    Parameters
    ----------
    text : str
    lines : bool
        Whether tabs and line ends are allowed, as in a text that holds several names.
    """
    found = (IN_A_TEXT if lines else IN_A_NAME).search(text)
    return found.start() if found else -1


def unfit(name: str, lines: bool = False) -> str:
    r"""Say which character of a name no name may hold: its place, its code point and what it is; empty if there is none.

    Parameters
    ----------
    name : str
    lines : bool
        As in `unfit_at`.

    Examples
    --------
    >>> unfit("Nantong\u202e No. 1")
    'character 8 is U+202E, an invisible character that changes the direction of writing'
    >>> unfit("南通一厂")
    ''
    """
    at = unfit_at(name, lines)
    if at < 0:
        return ""
    kind = next(kind for pattern, kind in KINDS.items() if pattern.match(name[at]))
    return f"character {at + 1} is U+{ord(name[at]):04X}, {kind}"


def in_normal_form(value: Any) -> Any:
    """Return a text, or every text in a list or mapping, in Unicode's normal form C; any other value unchanged.

    A letter with an accent can be written as one character or as two. In the normal form it is one, so that equal names are equal.
    """
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {in_normal_form(key): in_normal_form(entry) for key, entry in value.items()}
    if isinstance(value, Iterable):
        return tuple(in_normal_form(entry) for entry in value)
    return value
