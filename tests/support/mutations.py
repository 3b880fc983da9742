"""Mutations of text files and of rows of cells, each with a name, for the fuzzers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from tests.support.fuzzing import BASE

__all__ = ["BYTES", "CELLS", "ROWS", "STRANGE", "mutated_bytes", "mutated_rows", "nasty", "quoted"]

Rows = list[list[str]]

#: Texts that readers of files and of command lines have tripped over.
STRANGE = (
    "", " ", "\t", "0", "-0", "-1", "1e308", "1e309", "-1e309", "1e-320", "nan", "NaN", "inf", "-inf", "Infinity", "9" * 400, "1_000",
    "0x10", "1e", "٣", "½", "１２", "1,5", "1 000", "NULL", "null", "None", "~", "true", "yes", "no", "on", "是", "[]", "{}", "[", "{", "}",
    "'", '"', "\\", "`id`", "$(id)", "${oc.env:SECRET_TOKEN}", "${oc.env:HOME}", "${now:%Y}", "${name}", "${", "${oops", "${a:${b}}",
    "=1+1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-2+3", "../../outside/thesis.txt", "../outside",
    f"{BASE}/outside/thesis.txt", f"{BASE}/home", "/", ".", "..", "~", "~/diary.txt", "/dev/zero", "/dev/stdin", "/proc/self/environ",
    "CON", "a/b", "a\\b", "a:b", "汽车零部件", "质量强链", "e\u0301", "\u00e9", "ﬁ", "\u202eabc", "\u2066x\u2069", "\u200b", "\ufeff",
    "\u00a0",
    "\u2028", "\x1b[2J", "\x07", "\x85", "\U0001f600", "<script>alert(1)</script>", "&amp;", "</td>", "{{ 7*7 }}", "{% raw %}", "%s",
    "%n", "{0.__class__}", "$a_{b$", "$\\frac{1}{0}$", "_" * 40, "a" * 300, "x" * 5_000, "hydra.run.dir", "_target_",
    "__import__('os').system('id')", "!!python/object/apply:os.system [id]", "2026-02-30", "12:30:45", "1:1", "a=b", "a=b=c", "a,b",
    "a;b", "#x", "nothing", "all", "total", "supplier", "customer", "firm", "A", "seat", "car",
)  # fmt: skip


def nasty(draw: random.Random) -> str:
    """Return a strange text, seldom a very long or a random one."""
    chance = draw.random()
    if chance < 0.02:
        return draw.choice("ax9[{\u4e00") * 1_000_000
    if chance < 0.06:
        return draw.choice(("[", "{a: ", "(", "'", "${", "-", "a.", "1,")) * draw.choice((50, 400, 3_000))
    if chance < 0.14:
        return "".join(
            chr(draw.choice((draw.randrange(32, 127), draw.randrange(0x4E00, 0x9FFF), draw.randrange(1, 0xD7FF))))
            for _ in range(draw.randrange(1, 12))
        )
    return draw.choice(STRANGE)


# -- files as bytes --------------------------------------------------------------------------------------


def _truncated(raw: bytes, draw: random.Random) -> bytes:
    return raw[: draw.randrange(len(raw) + 1)]


def _edited(raw: bytes, draw: random.Random) -> bytes:
    edited = bytearray(raw or b" ")
    for _ in range(draw.randrange(1, 8)):
        at = draw.randrange(len(edited) or 1)
        match draw.randrange(3):
            case 0:
                edited[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                edited[at:at] = bytes([draw.randrange(256)])
            case _:
                del edited[at : at + draw.randrange(1, 5)]
    return bytes(edited)


def _recoded(raw: bytes, draw: random.Random) -> bytes:
    encoding = draw.choice(("utf-16", "utf-16-le", "utf-32", "gb18030", "latin-1", "utf-7", "shift_jis", "utf-8-sig"))
    return raw.decode("utf-8", "replace").encode(encoding, "replace")


def _with(insert: bytes) -> Callable[[bytes, random.Random], bytes]:
    def put(raw: bytes, draw: random.Random) -> bytes:
        at = draw.randrange(len(raw) + 1)
        return raw[:at] + insert + raw[at:]

    return put


def _lines_repeated(raw: bytes, draw: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True) or [b"\n"]
    at = draw.randrange(len(lines))
    return b"".join([*lines[:at], *[lines[at]] * draw.choice((2, 3, 2_000)), *lines[at + 1 :]])


def _lines_shuffled(raw: bytes, draw: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    draw.shuffle(lines)
    return b"".join(lines)


def _line_lost(raw: bytes, draw: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True) or [b""]
    del lines[draw.randrange(len(lines))]
    return b"".join(lines)


def _word_replaced(raw: bytes, draw: random.Random) -> bytes:
    words = list(re.finditer(rb"[\w.+-]+", raw))
    if not words:
        return raw
    word = draw.choice(words)
    return raw[: word.start()] + nasty(draw).encode("utf-8", "surrogatepass") + raw[word.end() :]


def _number_replaced(raw: bytes, draw: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d[\d.e+]*", raw))
    if not numbers:
        return raw
    number = draw.choice(numbers)
    other = draw.choice(
        (
            b"0",
            b"-1",
            b"1e308",
            b"1e999",
            b"9" * 5_000,
            b"1e-300",
            b".nan",
            b"NaN",
            b".inf",
            b"Infinity",
            b"true",
            b"null",
            b'"1"',
            b"0.1",
            b"3",
        )
    )
    return raw[: number.start()] + other + raw[number.end() :]


BYTES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "truncated": _truncated,
    "random bytes edited": _edited,
    "random bytes edited again": _edited,
    "another encoding": _recoded,
    "a NUL byte": _with(b"\0"),
    "a byte-order mark within": _with(b"\xef\xbb\xbf"),
    "a byte-order mark first": lambda raw, _: b"\xef\xbb\xbf" + raw,
    "bytes that are no UTF-8": _with(b"\xff\xfe\x80"),
    "half a surrogate": _with(b"\xed\xa0\x80"),
    "a tab": _with(b"\t"),
    "a quote": _with(b'"'),
    "a control character": _with(b"\x1b[31m"),
    "a mark of direction": _with("\u202e".encode()),
    "a line end of old Macs": lambda raw, _: raw.replace(b"\n", b"\r"),
    "line ends of Windows": lambda raw, _: raw.replace(b"\n", b"\r\n"),
    "a line repeated": _lines_repeated,
    "lines shuffled": _lines_shuffled,
    "a line lost": _line_lost,
    "a word replaced": _word_replaced,
    "a number replaced": _number_replaced,
    "empty": lambda raw, _: b"",
    "blank": lambda raw, _: b"\n \n",
    "a million characters": _with(b"x" * 1_000_000),
    "a workbook": lambda raw, _: b"PK\x03\x04" + raw,
    "noise": lambda raw, draw: draw.randbytes(200),
    "the secret asked for": _with(b"${oc.env:SECRET_TOKEN}"),
}


def mutated_bytes(raw: bytes, draw: random.Random, told: list[str]) -> bytes:
    """Apply one mutation of a file, and note its name."""
    name = draw.choice(list(BYTES))
    told.append(name)
    return BYTES[name](raw, draw)


# -- rows of cells ------------------------------------------------------------------------------------------


def _place(rows: Rows, draw: random.Random, head: bool = True) -> tuple[int, int]:
    row = draw.randrange(0 if head or len(rows) == 1 else 1, len(rows))
    return row, draw.randrange(len(rows[row]) or 1)


def _swapped(rows: Rows, draw: random.Random) -> None:
    (r, c), (s, d) = _place(rows, draw), _place(rows, draw)
    rows[r][c], rows[s][d] = rows[s][d], rows[r][c]


def _strange(rows: Rows, draw: random.Random) -> None:
    r, c = _place(rows, draw, head=draw.random() < 0.2)
    rows[r][c] = nasty(draw)


def _renamed(rows: Rows, draw: random.Random) -> None:
    """Give a firm another name wherever it stands, so that the network stays whole."""
    r, c = _place(rows, draw, head=False)
    old, new = rows[r][c], nasty(draw)
    rows[:] = [[new if cell == old else cell for cell in row] for row in rows]


def _row_repeated(rows: Rows, draw: random.Random) -> None:
    row = draw.choice(rows)
    rows[draw.randrange(len(rows)) :] = [list(row) for _ in range(draw.choice((1, 1, 500)))]


def _row_lost(rows: Rows, draw: random.Random) -> None:
    if len(rows) > 1:
        del rows[draw.randrange(len(rows))]


def _cell_lost(rows: Rows, draw: random.Random) -> None:
    r, c = _place(rows, draw)
    if len(rows[r]) > 1:
        del rows[r][c]


def _cells_added(rows: Rows, draw: random.Random) -> None:
    r, _ = _place(rows, draw)
    rows[r] += [draw.choice(("", "x", "1"))] * draw.choice((1, 2, 5_000))


def _column_lost(rows: Rows, draw: random.Random) -> None:
    c = draw.randrange(len(rows[0]))
    rows[:] = [row[:c] + row[c + 1 :] or [""] for row in rows]


def _column_repeated(rows: Rows, draw: random.Random) -> None:
    c = draw.randrange(len(rows[0]))
    rows[:] = [row + row[c : c + 1] for row in rows]


def _column_of_numbers(rows: Rows, draw: random.Random) -> None:
    c = draw.randrange(len(rows[0]))
    number = draw.choice(("0", "1", "1e-300", "1e15", "1e300", "0.999999999999", "-1", "1e-9", "", "x"))
    rows[1:] = [[*row[:c], number, *row[c + 1 :]] for row in rows[1:]]


def _turned(rows: Rows, draw: random.Random) -> None:
    """Turn a row round: its supplier becomes the customer, so that a loop may come about."""
    row = list(draw.choice(rows))
    if len(row) > 1:
        row[0], row[1] = row[1], row[0]
    rows.append(row)


def _own(rows: Rows, draw: random.Random) -> None:
    r, _ = _place(rows, draw)
    if len(rows[r]) > 1:
        rows[r][1] = rows[r][0]


def _ring(rows: Rows, draw: random.Random) -> None:
    """Add a ring of firms, or a chain as long."""
    size, closed = draw.choice((2, 3, 40, 400)), draw.random() < 0.6
    rest = rows[-1][2:]
    rows += [[f"n{k}", f"n{(k + 1) % size}", *rest] for k in range(size - (not closed))]


def _case(rows: Rows, draw: random.Random) -> None:
    r, c = _place(rows, draw)
    rows[r][c] = draw.choice((rows[r][c].upper(), f" {rows[r][c]} ", rows[r][c].title(), rows[r][c] * 2))


CELLS: dict[str, Callable[[Rows, random.Random], None]] = {
    "cells swapped": _swapped,
    "a strange cell": _strange,
    "two strange cells": lambda rows, draw: (_strange(rows, draw), _strange(rows, draw)) and None,
    "a strange name": _renamed,
    "another strange name": _renamed,
    "a row repeated": _row_repeated,
    "a row lost": _row_lost,
    "a cell lost": _cell_lost,
    "cells added": _cells_added,
    "a column lost": _column_lost,
    "a column repeated": _column_repeated,
    "a column of one number": _column_of_numbers,
    "a link turned": _turned,
    "a firm that supplies itself": _own,
    "a ring": _ring,
    "capital letters and blanks": _case,
    "as it is": lambda rows, draw: None,
}

#: How rows are written as text.
ROWS: dict[str, Callable[[Rows], str]] = {
    "quoted where needed": lambda rows: "".join(",".join(map(quoted, row)) + "\n" for row in rows),
    "quoted everywhere": lambda rows: "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows),
    "never quoted": lambda rows: "".join(",".join(row) + "\n" for row in rows),
    "semicolons": lambda rows: "".join(";".join(map(quoted, row)) + "\n" for row in rows),
    "tabs": lambda rows: "".join("\t".join(row) + "\n" for row in rows),
    "no last line end": lambda rows: "\n".join(",".join(map(quoted, row)) for row in rows),
}


def quoted(cell: str) -> str:
    """Write a cell, between quotes where it needs them."""
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


def mutated_rows(text: str, draw: random.Random, told: list[str]) -> bytes:
    """Apply some mutations to the rows of a CSV without quotes, write them as CSV, and note the names of the mutations."""
    rows = [line.split(",") for line in text.splitlines()]
    for name in draw.choices(list(CELLS), k=draw.choice((1, 1, 2))):
        CELLS[name](rows, draw)
        told.append(name)
        rows = [row or [""] for row in rows] or [[""]]
    written = draw.choices(list(ROWS), weights=[12, 2, 2, 1, 1, 1])[0]
    if written != "quoted where needed":
        told.append(written)
    raw = ROWS[written](rows).encode("utf-8", "surrogatepass")
    return mutated_bytes(raw, draw, told) if draw.random() < 0.2 else raw
