"""Plain text for a terminal: wide Chinese characters take two columns, and a line as many as the terminal has, at most 100."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["CLOSING", "COLUMNS", "about", "did_you_mean", "first_line", "pad", "paragraphs", "printable", "table", "width", "wrap", "write"]

#: Characters of a line at most; what is longer helps nobody.
LONGEST = 4_000
#: Chinese characters and marks; of these, what no line ends with, and what no line begins with.
CHINESE, OPENING, CLOSING = "\u2e80-\u9fff\uff00-\uffef", "（「『《〈【“‘", "）」』》〉】”’，。；：、？！…"
#: A part of a text that stays on one line, with the blanks before it: a Chinese character, or a word of other letters, with its marks.
PART = re.compile(rf"\s*[{OPENING}]*(?:[^\s{CHINESE}]+|[{CHINESE}])[{CLOSING}]*")
#: Columns of a terminal that the output keeps to: what it has, or 100 where it has more or there is none.
COLUMNS = min(max(shutil.get_terminal_size((100, 24)).columns, 60), 100)


def write(text: str) -> None:
    """Print a text at once; a reader that has seen enough, say `head`, stops nothing."""
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # for the rest of the process


def printable(text: str) -> str:
    r"""Return a text as a terminal may show it: what would steer the terminal, or cannot be seen, is written out (``\x1b``, ``\u202e``).

    Written out are control characters but the line break, marks of the direction of writing, characters without width, separators of
    lines and paragraphs, and halves of characters. Chinese, accents and every kind of blank stay. A line of more than `LONGEST`
    characters is cut in its middle.
    """
    lines = (line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}" for line in text.split("\n"))
    return re.sub(r"[^\n -~\u4e00-\u9fff]", lambda found: _written_out(found[0]), "\n".join(lines))


def _written_out(c: str) -> str:
    if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Ask whether the nearest known word was meant, as `agents.spelling.nearest`, which is imported only when a word is wrong.

    `agents` imports Mesa, and that takes longer than ``strongchain --help`` may.
    """
    from agents.spelling import nearest

    return nearest(word, known)


def width(text: str) -> int:
    """Return the columns that a text takes in a terminal: two for a wide character, none for a combining one."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _parts(text: str) -> list[str]:
    """Cut a text where a line may end: at blanks and beside Chinese characters, but not so that a line begins with a closing mark."""
    return PART.findall(text.strip())


def wrap(text: str, columns: int) -> list[str]:
    """Break a text into lines of at most so many columns: where `_parts` ends a part, inside one only if it is longer than a line."""
    lines = [""]
    for part in _parts(text):
        whole = " " if part[0].isspace() and lines[-1] else ""
        whole += part.strip()
        if width(lines[-1] + whole) <= columns:
            lines[-1] += whole
            continue
        if lines[-1]:
            lines.append("")
        for c in whole.lstrip():
            if width(lines[-1] + c) > columns:
                lines.append("")
            lines[-1] += c
    return lines


def pad(text: str, columns: int) -> str:
    """Fill a text up with blanks to so many columns."""
    return text + " " * (columns - width(text))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], below: Sequence[str] = ()) -> list[str]:
    """Align rows under a head, each with a text below it if asked.

    The widest columns but the first are wrapped until a line fits: between words as long as that will do.
    """
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(width(row[k]) for row in cells) for k in range(len(head))]
    longest_words = [max(width(part.strip()) for row in cells for part in _parts(row[k]) or [""]) for k in range(len(head))]
    while sum(widths) + 2 * (len(widths) - 1) > COLUMNS:
        last = range(1, len(widths))
        widths[max(last, key=lambda k: (widths[k] > longest_words[k], widths[k], -k))] -= 1
    out = []
    for row, under in zip(cells, ["", *(below or [""] * len(cells[1:]))], strict=True):
        wrapped = [wrap(cell, columns) for cell, columns in zip(row, widths, strict=True)]
        for k in range(max(map(len, wrapped))):
            parts = [lines[k] if k < len(lines) else "" for lines in wrapped]
            out.append("  ".join(pad(part, columns) for part, columns in zip(parts, widths, strict=True)).rstrip())
        out += [f"    {line}" for line in wrap(under, COLUMNS - 4) if line]
    return out


def about(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Set names beside what they stand for, wrapped; what is empty is left out."""
    kept = [(name, meaning) for name, meaning in rows if meaning]
    edge = 2 + max(width(name) for name, _ in kept)
    return [f"  {pad('' if k else name, edge)}{line}" for name, meaning in kept for k, line in enumerate(wrap(meaning, COLUMNS - edge - 2))]


def paragraphs(text: str) -> list[str]:
    """Wrap a docstring, its paragraphs kept."""
    parts = inspect.cleandoc(text).split("\n\n")
    return [line for k, part in enumerate(parts) for line in ([""] if k else []) + ["  " + at for at in wrap(part, COLUMNS - 2)]]


def first_line(text: str | None) -> str:
    """Return the first line of a docstring."""
    return inspect.cleandoc(text or "").split("\n")[0]
