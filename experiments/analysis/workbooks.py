"""Workbooks for spreadsheets (``.xlsx``): sheets of tables, the same bytes for the same tables.

openpyxl writes the workbook: its sheets, formats, widths and frozen heads. The rows are filled in here, because a cell of openpyxl takes
some 25 millionths of a second, and a study may have half a million of them.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Font, PatternFill  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from experiments.analysis.spreadsheets import harmless
from experiments.terminal import width

__all__ = ["MOST_CELLS", "MOST_LETTERS", "SHEET", "Block", "Sheet", "workbook"]

#: Rows that a sheet of Excel holds, its head left out.
SHEET = 1_048_575
#: Cells of a sheet at most: a second's work.
MOST_CELLS = 500_000
#: Letters that a cell of Excel holds.
MOST_LETTERS = 32_767
#: Narrowest and widest columns, in letters, and rows by which a width is measured.
NARROW, BROAD, MEASURED = 8, 60, 200
#: Time that is noted in the file: that of no day, so that the same study gives the same bytes.
NO_DAY = datetime.datetime(2000, 1, 1)

#: Formats of numbers, by name.
FORMATS = {
    "whole": "#,##0", "large": "#,##0", "middle": "#,##0.00", "small": "0.0000", "tiny": "0.00E+00", "zero": "0", "percent": "0.0%",
}  # fmt: skip
#: Formats of text, by name.
TEXTS = ("text", "note", "head", "title")


@dataclass(frozen=True)
class Block:
    """A table of a sheet: what it is, the heads of its columns, its rows; of columns that are shares, their numbers."""

    says: str
    heads: Sequence[str]
    table: pd.DataFrame
    shares: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """A sheet: its title, and the tables that stand on it one below the other; of a sheet of text alone, whether it is one."""

    title: str
    blocks: Sequence[Block]
    is_text: bool = False


def workbook(sheets: Sequence[Sheet], title: str) -> bytes:
    """Return a workbook: what a spreadsheet would execute stays text (`harmless`).

    Parameters
    ----------
    sheets : sequence of Sheet
    title : str
        What programs show as its title.
    """
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        page = book.create_sheet(_title(sheet.title))
        for k, letters in enumerate(_widths(sheet), start=1):
            page.column_dimensions[get_column_letter(k)].width = letters
        if not sheet.is_text:
            page.freeze_panes = "A3"
        page.sheet_view.showGridLines = not sheet.is_text
    styles = _styles(book)
    book.properties.title, book.properties.creator = _text(title), "Strongchain"
    raw = io.BytesIO()
    book.save(raw)
    return _filled(raw.getvalue(), [_rows(sheet, styles) for sheet in sheets])


def _title(text: str) -> str:
    """Return a title that Excel takes: at most 31 letters, none of those that stand in a reference to a cell."""
    return re.sub(r"[\[\]:*?/\\']", " ", _text(text))[:31]


def _text(cell: Any) -> str:
    """Return a text as a cell may hold it."""
    return ILLEGAL_CHARACTERS_RE.sub("", str(harmless(str(cell))))[:MOST_LETTERS]


def _styles(book: Workbook) -> dict[str, int]:
    """Let openpyxl note every format, and return its numbers by name."""
    page, numbers = book.worksheets[0], {}
    for k, name in enumerate((*FORMATS, *TEXTS), start=1):
        cell = page.cell(1, k)
        cell.number_format = FORMATS.get(name, "General")
        cell.font = Font(bold=name in {"head", "title"}, size=13 if name == "title" else 11)
        cell.alignment = Alignment(wrap_text=name in {"head", "text"}, vertical="top" if name in TEXTS else None)
        if name == "head":
            cell.fill = PatternFill("solid", fgColor="E8EEF4")
        numbers[name] = cell.style_id
    page.delete_rows(1)  # the cells were there for their formats alone
    return numbers


def _widths(sheet: Sheet) -> list[int]:
    """Return how wide the columns of a sheet are, in letters."""
    most = 2 * BROAD if sheet.is_text else BROAD
    widths = [NARROW] * max((block.table.shape[1] for block in sheet.blocks), default=1)
    for block in sheet.blocks:
        for k in range(block.table.shape[1]):
            cells = block.table.iloc[:MEASURED, k]
            is_number = pd.api.types.is_numeric_dtype(cells.dtype)
            broadest = [12] if is_number else [width(line) for cell in cells for line in str(cell).splitlines()]
            broadest += [min(24, width(block.heads[k]))] if block.heads else []
            widths[k] = max(widths[k], min(most, max(broadest, default=0) + 2))
    return widths


# -- rows --------------------------------------------------------------------------------------------------


def _rows(sheet: Sheet, styles: dict[str, int]) -> tuple[str, str]:
    """Return the rows of a sheet as the file has them, and the place of its last cell."""
    rows: list[str] = []
    columns = 1
    for block in sheet.blocks:
        if rows:
            rows.append("")
        if block.says:
            rows.append(_cell(0, len(rows) + 1, block.says, styles["title" if sheet.is_text else "note"]))
        if any(block.heads):
            rows.append("".join(_cell(k, len(rows) + 1, head, styles["head"]) for k, head in enumerate(block.heads)))
        columns = max(columns, block.table.shape[1])
        first = len(rows) + 1
        parts = [_column(block.table.iloc[:, k], k, first, styles, k in block.shares) for k in range(block.table.shape[1])]
        rows += map("".join, zip(*parts, strict=True))
    written = (f'<row r="{number}">{row}</row>' for number, row in enumerate(rows, start=1) if row)
    return "".join(written), f"{get_column_letter(columns)}{max(1, len(rows))}"


@cache
def _letter(column: int) -> str:
    return get_column_letter(column + 1)


def _cell(column: int, row: int, text: str, style: int) -> str:
    return _text_cell(f"{_letter(column)}{row}", escape(_text(text)), style)


def _text_cell(place: str, text: str, style: int) -> str:
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _column(cells: pd.Series, column: int, first: int, styles: dict[str, int], share: bool) -> Iterable[str]:
    """Write the cells of a column, from a row on; what is not known is left empty."""
    if pd.api.types.is_bool_dtype(cells.dtype) or not pd.api.types.is_numeric_dtype(cells.dtype):
        return _texts(cells, column, first, styles["text"])
    return _numbers(cells, column, first, styles, share)


def _texts(cells: pd.Series, column: int, first: int, style: int) -> Iterator[str]:
    known = {cell: escape(_text(cell)) for cell in cells.unique() if not _is_missing(cell)}
    for row, cell in enumerate(cells, start=first):
        if _is_missing(cell) or not known[cell]:
            yield ""
        elif isinstance(cell, (int, float)) and not isinstance(cell, bool):
            yield f'<c r="{_letter(column)}{row}"><v>{cell!r}</v></c>'
        else:
            yield _text_cell(f"{_letter(column)}{row}", known[cell], style)


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and not np.isfinite(cell))


def _numbers(cells: pd.Series, column: int, first: int, styles: dict[str, int], share: bool) -> Iterator[str]:
    """Write numbers with all their digits, and a format that shows some of them."""
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    if share:
        names = np.full(values.shape, styles["percent"])
    elif pd.api.types.is_integer_dtype(cells.dtype):
        names = np.full(values.shape, styles["whole"])
    else:
        size = np.abs(values)
        names = np.select(
            [size == 0.0, size < 1e-3, size < 1.0, size < 1e3],
            [styles["zero"], styles["tiny"], styles["small"], styles["middle"]],
            styles["large"],
        )
    known = np.isfinite(values).tolist()
    letter, whole = _letter(column), pd.api.types.is_integer_dtype(cells.dtype)
    written = map(repr, map(int, cells.tolist())) if whole and all(known) else map(repr, values.tolist())
    for row, (value, style, is_known) in enumerate(zip(written, names.tolist(), known, strict=True), start=first):
        yield f'<c r="{letter}{row}" s="{style}"><v>{value}</v></c>' if is_known else ""


# -- the file ------------------------------------------------------------------------------------------------


def _filled(raw: bytes, rows: Sequence[tuple[str, str]]) -> bytes:
    """Put the rows into the sheets of a workbook, and the time of no day wherever one is noted."""
    filled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(filled, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as new:
        for name in old.namelist():
            content = old.read(name).decode("utf-8")
            if found := re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", name):
                written, last = rows[int(found[1]) - 1]
                content = re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="A1:{last}"', content, count=1)
                head, tail = re.split(r"<sheetData\s*/>|<sheetData>\s*</sheetData>", content)
                content = f"{head}<sheetData>{written}</sheetData>{tail}"
            elif name == "docProps/core.xml":
                content = re.sub(r"(?<=>)\d{4}-\d\d-\d\dT[\d:]+Z(?=<)", f"{NO_DAY:%Y-%m-%dT%H:%M:%SZ}", content)
            new.writestr(zipfile.ZipInfo(name, NO_DAY.timetuple()[:6]), content.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED)
    return filled.getvalue()
