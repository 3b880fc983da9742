"""Text tables (CSV): read strictly; an error names the place and the remedy.

Every error is one line of the form ``file, row 7, column 'units': what is wrong; what would be
right``, where the row is the one a spreadsheet shows (the header is row 1).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.characters import in_normal_form, unfit, unfit_at
from agents.columns import Floats, Ints
from agents.spelling import nearest
from sim.build.reading.content import DEFAULTS, Reading, content
from sim.build.reading.encodings import AS_CSV, text_in
from sim.build.reading.quoted import quoted, some
from sim.network.fixed_points import NetworkError

__all__ = ["NO", "PAIRS", "YES", "Table", "misspelt", "read_number", "read_table", "rows_of", "wrong_name"]

PAIRS = "up_stages"
"""Last header column of a stage list: the cells from there on are pairs (upstream stage, quantity)."""

# ASCII digits only: Python's float() would also read full-width digits, 1_000, nan and inf.
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
YES, NO = {"yes", "y", "true", "t", "1", "是"}, {"no", "n", "false", "f", "0", "否", ""}

LONGEST_NUMBER = 60
"""Most characters of a number; what is longer is a slip."""

LONGEST_NAME = 200
"""Most characters of a name. What is longer is a remark, or the rest of a file after a quote that is not closed."""

MOST_COLUMNS = 20_000
"""Most columns of a table: more than any published input-output table has."""

MOST_CELLS = 100_000_000
"""Most cells of a file, so that it is refused before it is split into cells that no memory holds."""


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
    notes : tuple of str
        In which encoding the file was read, if there is a doubt.
    """

    file: str
    columns: tuple[str, ...]
    cells: NDArray[np.object_]
    row: Ints
    trailing: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

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
        """Return the cells of a column of names that must not have blanks, shape (rows,)."""
        cells = self.labels(column)
        for k in np.flatnonzero(cells == "")[:1]:
            raise self.refuse(int(k), column, "the cell is blank; give a name, or delete the row")
        return cells

    def labels(self, column: str) -> NDArray[np.object_]:
        """Return the cells of a column of names, '' where there is none, shape (rows,)."""
        cells = self.text(column)
        # All cells together first, which is fast; one by one only if there is something to say.
        if max(map(len, cells), default=0) > LONGEST_NAME or unfit_at("".join(cells)) >= 0:
            for k, cell in enumerate(cells):
                if problem := wrong_name(cell):
                    raise self.refuse(k, column, problem)
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
                raise self.refuse(
                    k, column, f"{quoted(cell)} is neither yes nor no; write yes or no (also true/false, 1/0, 是/否; blank is no)"
                )
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
            cells = table.text(table.require(in_normal_form(column), setting))
            listed = [wanted] if isinstance(wanted, str) or not isinstance(wanted, Iterable) else wanted
            values = {in_normal_form(str(value)).strip() for value in listed}
            rows = np.array([cell in values for cell in cells], dtype=np.bool_)
            if not rows.any():
                absent = " or ".join(repr(value) for value in sorted(values))
                raise NetworkError(f"{self.file}: {setting} leaves no row: no {column!r} is {absent}; there are {some(cells)}")
            table = table.keep(rows)
        return table


def wrong_name(cell: str) -> str:
    """Say why a cell cannot be a name: it is too long, or holds a character that no name may hold; empty if it can."""
    if problem := unfit(cell):
        return f"{problem}, in {quoted(cell)}; delete it"
    if len(cell) > LONGEST_NAME:
        return f"the name {quoted(cell)} has {len(cell):,} characters; write at most {LONGEST_NAME}, and close every quote"
    return ""


def read_number(cell: str, most: float = np.inf, positive: bool = False) -> float | str:
    """Return the number in a cell, NaN if it is blank, or an error message as text."""
    if not cell:
        return float("nan")
    if len(cell) > LONGEST_NUMBER or not NUMBER.fullmatch(cell) or not any(sign.isdigit() for sign in re.split("[eE]", cell)[0]):
        return f"{quoted(cell)} is not a number; write plain digits such as 1234.5, without a unit"
    value = float(cell.replace(",", ""))
    low = "above 0" if positive else "0 or more"
    if not (value > 0 if positive else value >= 0):
        return f"{cell} must be {low}"
    if not np.isfinite(value) or value > most:
        return f"{cell} is too large; it must be {low}" + (f" and at most {most:g}" if np.isfinite(most) else " and finite")
    return value


def read_table(path: str | Path, reading: Reading = DEFAULTS, pairs: bool | None = False) -> Table:
    """Read a CSV file: cells separated by commas, quoted where they hold one, a header in row 1.

    Blank rows are skipped (but counted, as in a spreadsheet), and so are blank cells after
    the last column. Text is read in its normal form C.

    Parameters
    ----------
    path : str or Path
    reading : Reading
        The encoding, and how large the file may be.
    pairs : bool or None
        Whether pairs of cells begin at the last column and go on to the end of the row (a stage list).
        With None the header decides: they do if the column is called ``up_stages``.

    Raises
    ------
    NetworkError
        For a file that is missing, too large, not text, empty, without rows, with rows of the wrong length, or with
        characters that no name may hold.
    """
    file = Path(path).name
    raw = content(path, reading.most_megabytes)
    if raw.startswith(b"PK\x03\x04"):
        raise NetworkError(f"{file} is a workbook or archive, not a text table; {AS_CSV}")
    text, encoding = text_in(raw, file, reading.encoding)
    text = in_normal_form(text)
    if unfit_at(text, lines=True) >= 0:
        raise _unfit_cell(file, text, reading.most_rows)
    records = list(_records(file, text, reading.most_rows))
    if not records:
        raise NetworkError(f"{file} is empty; it must hold a header and at least one row")
    header = _header(file, *records[0])
    if len(records) == 1:
        raise NetworkError(f"{file} holds a header only; add at least one row below it")
    ragged = header[-1] == PAIRS if pairs is None else pairs
    width = len(header) - ragged
    for row, record in records[1:]:
        if len(record) < width:
            raise NetworkError(
                f"{file}, row {row} has {len(record)} cells, but the header has {width}; leave cells blank, but keep their commas"
            )
        if not ragged and len(filled := _cut(record)) > width:
            raise NetworkError(f"{file}, row {row} has {len(filled)} cells, but the header has {width}; quote cells that hold a comma")
    cells = np.empty((len(records) - 1, width), dtype=object)
    cells[:] = [record[:width] for _, record in records[1:]]
    numbers = np.array([row for row, _ in records[1:]], dtype=np.int64)
    trailing = tuple(_cut(record[width:]) for _, record in records[1:]) if ragged else ()
    certain = reading.encoding != "auto" or encoding == "utf-8"
    return Table(file, header[:width], cells, numbers, trailing, () if certain else (_doubt(file, encoding, cells),))


def _header(file: str, row: int, cells: list[str]) -> tuple[str, ...]:
    """Return the names of the columns, each of which must be a name that no other column has."""
    header = _cut(cells)
    if len(header) > MOST_COLUMNS:
        raise NetworkError(f"{file}, row {row} has {len(header):,} columns; at most {MOST_COLUMNS:,} are read")
    counts = Counter(header)
    for k, name in enumerate(header, start=1):
        # A header of one column is nearly always one whose cells are separated by another sign, which has its own message.
        if len(header) > 1 and (problem := wrong_name(name)):
            raise NetworkError(f"{file}, row {row}, column {k}: {problem}")
        if counts[name] > 1 or not name:
            wrong = f"names column {name!r} {counts[name]} times" if name else "has a column without a name"
            raise NetworkError(f"{file}, row {row}: the header {wrong}; give every column a different name")
    return header


def _cut(cells: list[str]) -> tuple[str, ...]:
    """Return the cells without blank cells at the end, which spreadsheets add to rows."""
    width = max((k for k, cell in enumerate(cells, start=1) if cell), default=0)
    return tuple(cells[:width])


def _doubt(file: str, encoding: str, cells: NDArray[np.object_]) -> str:
    """Say in which encoding a file was read that does not name it, with the first names that could be wrong."""
    first = [str(cell) for cell in cells[:1_000].flat if cell]
    names = dict.fromkeys([cell for cell in first if not cell.isascii()] or first)
    return f"{file} is read as {encoding.upper()}; its first names are {some(list(names)[:2])}: if they look wrong, set network.encoding"


def _unfit_cell(file: str, text: str, most_rows: int) -> NetworkError:
    """Make the error for the first cell with a character that no cell may hold."""
    header: list[str] = []
    for row, record in rows_of(file, text, most_rows):
        for k, cell in enumerate(record):
            if problem := unfit(cell, lines=True):
                column = quoted(header[k].strip()) if k < len(header) else k + 1
                return NetworkError(f"{file}, row {row}, column {column}: {problem}, in {quoted(cell)}; delete it")
        header = header or record
    raise AssertionError("every character of a table is in a cell")


def _records(file: str, text: str, most_rows: int) -> Iterator[tuple[int, list[str]]]:
    """Yield row number and cells, stripped, of every row that is not blank."""
    for row, record in rows_of(file, text, most_rows):
        cells = [cell.strip() for cell in record]
        if any(cells):
            yield row, cells


def rows_of(file: str, text: str, most_rows: int, sign: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every row of a text in which a sign separates cells."""
    if (commas := text.count(sign)) > MOST_CELLS:
        raise NetworkError(f"{file} has {commas:,} cells or more, and at most {MOST_CELLS:,} are read; leave out columns that are not used")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True, delimiter=sign)
    row = 0
    try:
        for row, record in enumerate(reader, start=1):
            if row > most_rows + 1:
                raise NetworkError(f"{file} has more than {most_rows:,} rows below its header; delete some, or raise network.most_rows")
            yield row, record
    except csv.Error as error:
        raise NetworkError(
            f"{file}, row {row + 1} cannot be split into cells ({error}); close every quote, and quote cells that hold one"
        ) from None
