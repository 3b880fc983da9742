"""Text tables (CSV): read strictly; an error names the place and the remedy.

Every error is one line of the form ``file, row 7, column 'units': what is wrong; what would be
right``, where the row is the one a spreadsheet shows (the header is row 1).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats, Ints
from agents.spelling import nearest
from sim.network.fixed_points import NetworkError

__all__ = ["PAIRS", "Table", "misspelt", "read_table", "some"]

PAIRS = "up_stages"
"""Last header column of a stage list: the cells from there on are pairs (upstream stage, quantity)."""

# ASCII digits only: Python's float() would also read full-width digits, 1_000, nan and inf.
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
YES, NO = {"yes", "y", "true", "t", "1", "是"}, {"no", "n", "false", "f", "0", "否", ""}
SAVE_AS = "save it as CSV in UTF-8"


def some(values: Iterable[Any], most: int = 8) -> str:
    """Return the first values in quotes, and the number of the others."""
    listed = list(dict.fromkeys(values))
    shown = ", ".join(repr(str(value)) for value in listed[:most])
    return shown + (f" and {len(listed) - most} more" if len(listed) > most else "")


def misspelt(word: str, meant: str) -> bool:
    """Whether one word looks like another with one or two letters wrong."""
    first, second = word.casefold(), meant.casefold()
    likeness = SequenceMatcher(None, first, second).ratio()
    letters = likeness * (len(first) + len(second)) / 2  # letters that both have in common
    return likeness >= 0.8 and max(len(first), len(second)) - letters < 2.5


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a text table.

    Attributes
    ----------
    file : str
        Name of the file, for messages.
    columns : tuple of str
        Column names, without surrounding blanks.
    cells : array of str objects, shape (rows, columns)
        Without surrounding blanks; '' where a cell is empty.
    row : int array, shape (rows,)
        Row number of each in a spreadsheet.
    trailing : tuple of tuple of str, length rows
        What follows the last named column of a stage list; empty in other tables.
    """

    file: str
    columns: tuple[str, ...]
    cells: NDArray[np.object_]
    row: Ints
    trailing: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.row.size)

    def refuse(self, k: int, column: str, problem: str) -> NetworkError:
        """Make the error for the cell of one row (counted from 0) and column."""
        return NetworkError(f"{self.file}, row {self.row[k]}, column {column!r}: {problem}")

    def require(self, column: str, setting: str) -> str:
        """Return the column's name if the table has it.

        Raises
        ------
        NetworkError
            If not: the message lists the existing columns and the setting that maps them.
        """
        if column in self.columns:
            return column
        separator = next((sign for sign in ";\t|" if len(self.columns) == 1 and sign in self.columns[0]), None)
        hint = (
            f"; cells must be separated by commas, and here they seem to be by {separator!r}"
            if separator
            else nearest(column, self.columns)
        )
        raise NetworkError(
            f"{self.file} has no column {column!r}; it has {some(self.columns, 20)}; set {setting} to its name in your file{hint}"
        )

    def text(self, column: str) -> NDArray[np.object_]:
        """Return the cells of one column, shape (rows,)."""
        return self.cells[:, self.columns.index(column)]

    def names(self, column: str) -> NDArray[np.object_]:
        """Return the cells of a column that must not have blanks, shape (rows,)."""
        cells = self.text(column)
        for k in np.flatnonzero(cells == "")[:1]:
            raise self.refuse(int(k), column, "the cell is blank; give a name, or delete the row")
        return cells

    def numbers(self, column: str, most: float = np.inf, positive: bool = False) -> Floats:
        """Return a column of numbers from 0 (or above, if `positive`) to `most`, shape (rows,); NaN where blank."""
        cells = self.text(column)
        # Values repeat: each different cell is converted once.
        known = {cell: read_number(cell, most, positive) for cell in dict.fromkeys(cells)}
        for k, cell in enumerate(cells):
            if isinstance(value := known[cell], str):
                raise self.refuse(k, column, value)
        return np.array([known[cell] for cell in cells], dtype=np.float64)

    def flags(self, column: str) -> NDArray[np.bool_]:
        """Return a column of yes and no, shape (rows,); a blank is no."""
        cells = [str(cell).lower() for cell in self.text(column)]
        for k, cell in enumerate(cells):
            if cell not in YES and cell not in NO:
                raise self.refuse(k, column, f"{cell!r} is neither yes nor no; write yes or no (also true/false, 1/0, 是/否; blank is no)")
        return np.array([cell in YES for cell in cells], dtype=np.bool_)

    def keep(self, rows: NDArray[np.bool_]) -> Table:
        """Return the table with only some of the rows."""
        trailing = tuple(self.trailing[k] for k in np.flatnonzero(rows)) if self.trailing else ()
        return replace(self, cells=self.cells[rows], row=self.row[rows], trailing=trailing)

    def where(self, conditions: Mapping[str, Any], setting: str) -> Table:
        """Return the rows that meet every condition (column → value or values, compared as text).

        Raises
        ------
        NetworkError
            For a column that does not exist, or if no row is left: the message lists some of the existing values.
        """
        table = self
        for column, wanted in conditions.items():
            cells = table.text(table.require(column, setting))
            values = {str(value).strip() for value in ([wanted] if isinstance(wanted, str) or not isinstance(wanted, Iterable) else wanted)}
            rows = np.array([cell in values for cell in cells], dtype=np.bool_)
            if not rows.any():
                absent = " or ".join(repr(value) for value in sorted(values))
                raise NetworkError(f"{self.file}: {setting} leaves no row: no {column!r} is {absent}; there are {some(cells)}")
            table = table.keep(rows)
        return table


def read_number(cell: str, most: float = np.inf, positive: bool = False) -> float | str:
    """Return the number in a cell, NaN if it is blank, or an error message as text."""
    if not cell:
        return float("nan")
    if not NUMBER.fullmatch(cell) or not any(sign.isdigit() for sign in re.split("[eE]", cell)[0]):
        return f"{cell!r} is not a number; write plain digits such as 1234.5, without a unit"
    value = float(cell.replace(",", ""))
    low = "above 0" if positive else "0 or more"
    if not (value > 0 if positive else value >= 0):
        return f"{cell} must be {low}"
    if not np.isfinite(value) or value > most:
        return f"{cell} is too large; it must be {low}" + (f" and at most {most:g}" if np.isfinite(most) else " and finite")
    return value


def read_table(path: str | Path, encoding: str = "auto", pairs: bool | None = False) -> Table:
    """Read a CSV file: cells separated by commas, quoted where they hold one, a header in row 1.

    Blank rows are skipped (but counted, as in a spreadsheet), and so are blank cells after
    the last column.

    Parameters
    ----------
    path : str or Path
    encoding : str
        "auto" tries UTF-8, with or without its mark, then GB18030; or the name of an encoding.
    pairs : bool or None
        Whether pairs of cells begin at the last column and go on to the end of the row (a stage list).
        With None the header decides: they do if the column is called ``up_stages``.

    Raises
    ------
    NetworkError
        For a file that is missing, not text, empty, without rows, or with rows of the wrong length.
    """
    file = Path(path).expanduser()
    records = _records(file.name, _text(file, encoding))
    if not records:
        raise NetworkError(f"{file.name} is empty; it must hold a header and at least one row")
    header = _cut(records[0][1])
    for name in header:
        if header.count(name) > 1 or not name:
            wrong = f"names column {name!r} {header.count(name)} times" if name else "has a column without a name"
            raise NetworkError(f"{file.name}, row {records[0][0]}: the header {wrong}; give every column a different name")
    if len(records) == 1:
        raise NetworkError(f"{file.name} holds a header only; add at least one row below it")
    ragged = header[-1] == PAIRS if pairs is None else pairs
    width = len(header) - ragged
    for row, record in records[1:]:
        if len(record) < width:
            raise NetworkError(
                f"{file.name}, row {row} has {len(record)} cells, but the header has {width}; leave cells blank, but keep their commas"
            )
        if not ragged and len(filled := _cut(record)) > width:
            raise NetworkError(f"{file.name}, row {row} has {len(filled)} cells, but the header has {width}; quote cells that hold a comma")
    cells = np.empty((len(records) - 1, width), dtype=object)
    cells[:] = [record[:width] for _, record in records[1:]]
    numbers = np.array([row for row, _ in records[1:]], dtype=np.int64)
    return Table(file.name, header[:width], cells, numbers, tuple(_cut(record[width:]) for _, record in records[1:]) if ragged else ())


def _cut(cells: list[str]) -> tuple[str, ...]:
    """Return the cells without blank cells at the end, which spreadsheets add to rows."""
    width = max((k for k, cell in enumerate(cells, start=1) if cell), default=0)
    return tuple(cells[:width])


def _text(file: Path, encoding: str) -> str:
    """Return the text of a file, without its byte-order mark."""
    if file.is_dir():
        raise NetworkError(
            f"{file} is a folder; give the CSV file in it: {some(sorted(p.name for p in file.glob('*.csv'))) or 'it holds none'}"
        )
    if not file.exists():
        if not file.parent.is_dir():
            raise NetworkError(f"there is no file {file}, nor a folder {file.parent}; a relative path starts at {Path.cwd()}")
        files = sorted(entry.name for entry in file.parent.iterdir() if entry.is_file())
        alike = get_close_matches(file.name, files, n=3, cutoff=0.5) or [name for name in files if name.lower().endswith(".csv")]
        raise NetworkError(f"there is no file {file}; its folder holds {some(alike, 3) if alike else 'no CSV file'}")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise NetworkError(f"{file} cannot be read: {error.strerror}") from None
    if raw.startswith(b"PK\x03\x04"):
        raise NetworkError(f"{file.name} is a workbook or archive, not a text table; {SAVE_AS}")
    tried = ("utf-8", "gb18030") if encoding == "auto" else (encoding,)
    row = 1
    for name in tried:
        try:
            text = raw.decode(name)
        except UnicodeError as error:
            row = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
            continue
        except LookupError:
            raise NetworkError(f"network.encoding={encoding} is no text encoding; leave it at auto, or use utf-8 or gb18030") from None
        if "\0" in text:
            raise NetworkError(
                f"{file.name}, row {text[: text.index(chr(0))].count(chr(10)) + 1} holds binary data (a NUL byte); {SAVE_AS}"
            )
        return text.removeprefix("\ufeff")
    wrong = "neither UTF-8 nor GB18030" if encoding == "auto" else f"not in {encoding}"
    remedy = f"{SAVE_AS}, or set network.encoding" + ("" if encoding == "auto" else "=auto")
    raise NetworkError(f"{file.name}, row {row} is {wrong}; {remedy}")


def _records(file: str, text: str) -> list[tuple[int, list[str]]]:
    """Return row number and cells, stripped, of every row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    records: list[tuple[int, list[str]]] = []
    row = 0
    try:
        for row, record in enumerate(reader, start=1):
            cells = [cell.strip() for cell in record]
            if any(cells):
                records.append((row, cells))
    except csv.Error as error:
        raise NetworkError(
            f"{file}, row {row + 1} cannot be split into cells ({error}); close every quote, and quote cells that hold one"
        ) from None
    return records
