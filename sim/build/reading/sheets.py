"""The cells of a workbook (.xlsx), or of a text table (.csv), as text: safely, and as they stand.

A workbook is an archive of XML that others made. Before it is opened, its directory is read: what would unpack to too much is refused,
and so is XML that declares entities. No formula is computed, no link to another file is followed, no macro is run: a cell is what was
kept in it when the workbook was saved.
"""

from __future__ import annotations

import codecs
import contextlib
import datetime
import io
import os
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.characters import in_normal_form
from sim.build.reading.content import MEGABYTE, Reading, content
from sim.build.reading.encodings import AS_CSV, known_encoding, text_in
from sim.build.reading.headings import meanings
from sim.build.reading.table import rows_of
from sim.network.fixed_points import NetworkError

__all__ = ["HEAD_ROWS", "Sheet", "begins_as_a_list", "is_workbook", "read_sheets"]

#: Endings of files that a spreadsheet program writes. Only the first four are read; each of the others gets a line that says what to do.
READ = (".xlsx", ".xlsm", ".xltx", ".xltm")
OTHERS = (".xls", ".xlsb", ".et", ".ett", ".ods", ".numbers")
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Rows from the top among which the headings are looked for, and bytes of a text table in which they are.
HEAD_ROWS, FIRST_BYTES = 40, 65_536
#: What may stand between the cells of a text table; a comma where none of them does.
SIGNS = ",;\t"
AS_XLSX = "open it in Excel or WPS, and save it as .xlsx"
#: What a workbook may unpack to, as a multiple of the largest file that is read: usual ones unpack to five to twenty times their size.
MOST_UNPACKED = 4
#: Most sheets of a workbook, and columns of a sheet, that are read; Excel itself has at most 1,048,576 rows.
MOST_SHEETS, MOST_SHEET_COLUMNS, LAST_ROW = 100, 256, 1_048_576
#: Most cells of a merged area that is filled, and most bytes of XML that are looked at together.
MOST_MERGED, CHUNK, OVERLAP = 1_000_000, 8_000_000, 100_000

# A name of XML may have a prefix; attributes stand in either kind of quotes. Lengths have limits, so that no text takes long.
CELL = rb"<(?:\w+:)?c\s(?:[^>]{0,300}?\s)?r=[\"']([A-Z]{1,3}\d{1,7})[\"'][^>]{0,300}>\s*"
FORMULA = re.compile(CELL + rb"<(?:\w+:)?f[\s/>]")
WITHOUT_VALUE = re.compile(
    CELL
    + rb"<(?:\w+:)?f(?:\s[^>]{0,300})?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
STYLED = re.compile(rb"<(?:\w+:)?c\s(?=[^>]{0,300}?\br=[\"']([A-Z]{1,3}\d{1,7})[\"'])(?=[^>]{0,300}?\bs=[\"'](\d{1,6})[\"'])")
HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\s(?=[^>]{0,500}?hidden=[\"'](?:1|true)[\"'])[^>]{0,500}?\br=[\"'](\d{1,7})[\"']")
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]{0,300}?ref=[\"']([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})[\"']")


@dataclass(eq=False)
class Sheet:
    """The rows of a sheet that are not blank.

    Attributes
    ----------
    file, name : str
        Of the file, and of the sheet; a text table has no sheets, and its name is ''.
    hidden : bool
        Whether the workbook hides it. The cells of a hidden sheet are read only if it is asked for by name.
    cells : list of list of str
        Without surrounding blanks, '' where a cell is empty. The cells of a merged area all have its text.
    row : list of int
        Row number of each in the spreadsheet.
    copied : set of (int, int)
        Row number and place of the column of each cell that has its text from a merged area.
    hidden_rows : set of int
        Row numbers of those that the workbook hides, as a filter does; they are read like others.
    formulas : int
        How many cells hold a formula.
    without_value : set of (int, int)
        Cells with a formula whose value was not kept.
    percent : set of (int, int)
        Row number and place of the column of each number that the workbook shows in percent: it is kept as a share.
    encoding : str
        In which a text table was read; '' if there is no doubt.
    first : tuple of str
        The first texts that are wrong if it is the wrong one.
    """

    file: str
    name: str = ""
    hidden: bool = False
    cells: list[list[str]] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    copied: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    formulas: int = 0
    without_value: set[tuple[int, int]] = field(default_factory=set)
    percent: set[tuple[int, int]] = field(default_factory=set)
    encoding: str = ""
    first: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"{self.file}, sheet {self.name!r}" if self.name else self.file


def is_workbook(path: str | Path) -> bool:
    """Whether a file is one that a spreadsheet program writes, by its name or by its first bytes."""
    if Path(path).suffix.lower() in (*READ, *OTHERS):
        return True
    try:
        file = Path(path).expanduser()
        if not os.path.isfile(file):
            return False
        with open(file, "rb") as opened:
            return opened.read(len(OLE)).startswith((ZIP, OLE))
    except (OSError, ValueError, RuntimeError):  # said where it is read
        return False


def begins_as_a_list(path: str | Path, reading: Reading) -> bool:
    """Whether a text table begins as a list of suppliers with Chinese headings: one of its first rows has those of both ends of a link.

    Only its first bytes are looked at. A row in which a cell is ``supplier`` or ``customer`` has the headings of a file of links.
    """
    try:
        file = Path(path).expanduser()
        if not os.path.isfile(file):
            return False
        with open(file, "rb") as opened:
            raw = opened.read(FIRST_BYTES)
        names = ["utf-8-sig", "gb18030"] if reading.encoding == "auto" else [known_encoding(reading.encoding)]
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            names = ["utf-16"]
        for name in names:
            with contextlib.suppress(UnicodeError):
                text = codecs.getincrementaldecoder(name)().decode(raw)  # the last character may be cut
                return any(map(_heads_a_list, text.splitlines()[:HEAD_ROWS]))
    except (OSError, ValueError, RuntimeError, NetworkError):  # said where it is read
        pass
    return False


def _heads_a_list(line: str) -> bool:
    cells = _split(line)
    keys = {one.key for cell in cells if not cell.isascii() for one in meanings(cell)}
    return {"supplier", "customer"} <= keys and not {"supplier", "customer"} & set(cells)


def _split(line: str) -> list[str]:
    """Return the cells of a row of headings."""
    return [in_normal_form(cell).strip('" ') for cell in line.split(max(SIGNS, key=line.count))]


def _sign(text: str) -> str:
    """Return the sign between the cells of a text table: that of its headings, above which a title may stand; else of its first row."""
    rows = [line for line in text[:FIRST_BYTES].splitlines()[:HEAD_ROWS] if any(map(line.count, SIGNS))]
    heads = [line for line in rows if any(one.key in ("supplier", "customer", "firm") for cell in _split(line) for one in meanings(cell))]
    return max(SIGNS, key=[*heads, *rows, ""][0].count)


def read_sheets(path: str | Path, reading: Reading, wanted: str = "") -> list[Sheet]:
    """Return the sheets of a workbook, or the one of a text table, in their order.

    Parameters
    ----------
    path : str or Path
    reading : Reading
        How large the file may be, and the encoding of a text table.
    wanted : str
        Name of a sheet that is read though it is hidden.

    Raises
    ------
    NetworkError
        One line: what is wrong with the file, and what would be right.
    """
    file = Path(path).name
    raw = content(path, reading.most_megabytes)
    if raw.startswith((ZIP, OLE)):
        if raw.startswith(OLE):
            raise NetworkError(f"{file} {_old(raw)}")
        return _workbook(raw, file, reading, wanted)
    if Path(path).suffix.lower() in (*READ, *OTHERS):
        raise NetworkError(f"{file} {_text_named_so(raw)}")
    text, encoding = text_in(raw, file, reading.encoding)
    sheet = Sheet(file)
    for number, record in rows_of(file, in_normal_form(text), reading.most_rows, _sign(text)):
        cells = [cell.strip() for cell in record]
        if any(cells):
            sheet.cells.append(cells)
            sheet.row.append(number)
    if reading.encoding == "auto" and encoding != "utf-8":
        names = dict.fromkeys(cell for cells in sheet.cells[:1_000] for cell in cells if not cell.isascii())
        sheet.encoding, sheet.first = encoding.upper(), tuple(names)[:2]
    return [sheet]


def _old(raw: bytes) -> str:
    """Say what an OLE file is; names in its directory are UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in raw:
        return "is protected by a password; open it in Excel or WPS, take the password off, and save it again"
    return f"is a workbook of the old kind (.xls, .et) or another Office file; {AS_XLSX}"


def _text_named_so(raw: bytes) -> str:
    head = raw[:2_000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not raw:
        return "is empty; save the workbook again"
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        return f"is a web page or XML in spite of its name; {AS_XLSX}"
    if b"\0" not in raw[:2_000]:
        return "is a text table, not a workbook, in spite of its name; give it a name that ends in .csv"
    return f"is no workbook in spite of its name; {AS_XLSX}"


def _workbook(raw: bytes, file: str, reading: Reading, wanted: str) -> list[Sheet]:
    """Read the sheets of a workbook whose archive was looked at before."""
    import openpyxl  # type: ignore[import-untyped]  # takes a moment to import, and only workbooks need it

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if problem := _unsafe(archive, reading.most_megabytes):
                raise NetworkError(f"{file} {problem}")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what openpyxl does not know (rules for input, fonts) is not read here
                book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
                if len(book.worksheets) > MOST_SHEETS:
                    raise NetworkError(
                        f"{file} has {len(book.worksheets)} sheets, and at most {MOST_SHEETS} are read; keep those of the chain"
                    )
                sheets = [_sheet(of, file, archive, reading, wanted) for of in book.worksheets]
    except NetworkError:
        raise
    except Exception as error:  # a damaged workbook raises whatever the damage leads to
        why = f"{type(error).__name__}: {error}".split("\n")[0][:120]
        raise NetworkError(f"{file} cannot be read as a workbook ({why}); {AS_XLSX}") from None
    if not sheets:
        raise NetworkError(f"{file} has no sheet with cells; {AS_XLSX}")
    return sheets


def _unsafe(archive: zipfile.ZipFile, most_megabytes: int) -> str:
    """Say why an archive is not opened, from its directory and the heads of its parts; empty if it may be.

    `zipfile` never unpacks more of a part than the directory says, so that the sizes in it can be relied on.
    """
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "mimetype" in names and "content.xml" in names:
        return f"is an OpenDocument table (.ods) or text; {AS_XLSX}"
    if any(name.startswith("Index/") or name == "Index.zip" for name in names):
        return "is a document of Numbers; export it as Excel (.xlsx)"
    if "xl/workbook.bin" in names:
        return f"is a binary workbook (.xlsb); {AS_XLSX}"
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        return f"is an archive, not a workbook; {AS_CSV}"
    if any(part.flag_bits & 1 for part in parts):
        return "is an archive with a password; save it without one"
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED * most_megabytes * MEGABYTE:
        return (
            f"would unpack to {unpacked / MEGABYTE:,.0f} MB, and at most {MOST_UNPACKED * most_megabytes:,} MB are unpacked; "
            "leave out sheets and columns that are not used, or raise network.most_megabytes"
        )
    for part in parts:
        named_so = part.filename.lower().endswith((".xml", ".rels", ".vml"))
        for k, chunk in enumerate(_chunks(archive, part.filename)):
            # A part is what the workbook says that it is, whatever its name: what begins as XML is looked at too; pictures do not.
            if not k and not named_so and not chunk.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<"):
                break
            if b"\0" in chunk or b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
                return f"holds XML that no spreadsheet program writes (a declaration in {part.filename[:60]!r}); {AS_XLSX}"
            head = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([\w.-]+)", chunk.removeprefix(b"\xef\xbb\xbf"))
            if head and head[1].lower() not in {b"utf-8", b"utf8", b"us-ascii", b"ascii"}:
                return f"holds XML that is not in UTF-8 ({part.filename[:60]!r}); {AS_XLSX}"
    return ""


def _chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part of an archive in long chunks, each of which begins with the end of the one before."""
    with archive.open(part) as opened:
        kept = b""
        while chunk := opened.read(CHUNK):
            yield kept + chunk
            kept = (kept + chunk)[-OVERLAP:]


def _sheet(of: Any, file: str, archive: zipfile.ZipFile, reading: Reading, wanted: str) -> Sheet:
    """Read a sheet of an opened workbook."""
    name = in_normal_form(str(of.title)).strip()
    sheet = Sheet(file, name, of.sheet_state != "visible")
    if sheet.hidden and name != wanted:
        return sheet
    formulas, merged = _about(archive, of._worksheet_path.lstrip("/"), sheet, _percent_styles(of.parent))
    known: dict[Any, str] = {}  # values repeat: each different one is made into text once
    of.reset_dimensions()  # some programs write wrong ones
    for number, values in enumerate(of.iter_rows(max_col=MOST_SHEET_COLUMNS, max_row=LAST_ROW, values_only=True), start=1):
        cells = [_text(value, known) if value is not None else "" for value in values]
        width = max((k for k, cell in enumerate(cells, start=1) if cell), default=0)
        width = max(width, *(k + 1 for k in merged.get(number, ())), 0)
        if not width and number not in merged:
            continue
        sheet.cells.append(cells[:width])
        sheet.row.append(number)
        if len(sheet.row) > reading.most_rows + 1:
            raise NetworkError(f"{sheet.where} has more than {reading.most_rows:,} rows; delete some, or raise network.most_rows")
    sheet.formulas = formulas
    _fill(sheet, merged)
    return sheet


def _percent_styles(book: Any) -> set[int]:
    """Return the numbers of the styles in which a workbook shows a number in percent: 0.97 as 97 %."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE  # type: ignore[import-untyped]

    own = {BUILTIN_FORMATS_MAX_SIZE + k: code for k, code in enumerate(book._number_formats)}
    formats = BUILTIN_FORMATS | own
    return {k for k, style in enumerate(book._cell_styles) if "%" in formats.get(style.numFmtId, "")}


def _about(archive: zipfile.ZipFile, part: str, sheet: Sheet, percent: set[int]) -> tuple[int, dict[int, dict[int, tuple[int, int]]]]:
    """Read from the XML what openpyxl does not say row by row: formulas, those without a value, hidden rows, merged areas, and percent.

    Returns the number of formulas, and for each cell of a merged area, by row and column, the first cell of the area.
    """
    formulas: set[bytes] = set()
    areas: set[tuple[bytes, bytes]] = set()
    for chunk in _chunks(archive, part):
        formulas |= {found[1] for found in FORMULA.finditer(chunk)}
        sheet.without_value |= {_place(found[1]) for found in WITHOUT_VALUE.finditer(chunk)}
        if percent:
            sheet.percent |= {_place(found[1]) for found in STYLED.finditer(chunk) if int(found[2]) in percent}
        sheet.hidden_rows |= {int(found[1]) for found in HIDDEN_ROW.finditer(chunk)}
        areas |= {(found[1], found[2]) for found in MERGED.finditer(chunk)}
    merged: dict[int, dict[int, tuple[int, int]]] = {}
    total = 0
    for first, last in areas:
        (top, left), (bottom, right) = _place(first), _place(last)
        right = min(right, MOST_SHEET_COLUMNS - 1)
        total += max(bottom - top + 1, 0) * max(right - left + 1, 0)
        if total > MOST_MERGED:
            raise NetworkError(f"{sheet.where} has merged areas of more than {MOST_MERGED:,} cells; take the merging off")
        for row in range(top, bottom + 1):
            merged.setdefault(row, {}).update(dict.fromkeys(range(left, right + 1), (top, left)))
    return len(formulas), merged


def _place(reference: bytes) -> tuple[int, int]:
    """Return row number and place of the column (A is 0) of a reference such as C7."""
    letters = reference.rstrip(b"0123456789")
    column = 0
    for letter in letters:
        column = 26 * column + letter - 64
    return int(reference[len(letters) :]), column - 1


def _fill(sheet: Sheet, merged: dict[int, dict[int, tuple[int, int]]]) -> None:
    """Give every cell of a merged area the text of its first cell, and drop rows that stay blank."""
    at = {number: k for k, number in enumerate(sheet.row)}
    for number, cells in merged.items():
        if number not in at:
            continue
        own = sheet.cells[at[number]]
        for column, (top, left) in cells.items():
            source = sheet.cells[at[top]] if top in at else []
            if (number, column) != (top, left) and left < len(source) and source[left]:
                own += [""] * (column + 1 - len(own))
                own[column] = source[left]
                sheet.copied.add((number, column))
            if (top, left) in sheet.without_value:
                sheet.without_value.add((number, column))
    kept = [
        k for k, cells in enumerate(sheet.cells) if any(cells) or any((sheet.row[k], c) in sheet.without_value for c in range(len(cells)))
    ]
    sheet.cells, sheet.row = [sheet.cells[k] for k in kept], [sheet.row[k] for k in kept]


def _text(value: Any, known: dict[Any, str]) -> str:
    """Return the value of a cell as text."""
    key = (type(value), value)
    if key not in known:
        if isinstance(value, bool):
            text = "yes" if value else "no"
        elif isinstance(value, float):
            text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        elif isinstance(value, datetime.datetime | datetime.date | datetime.time):
            text = value.isoformat()
        else:
            text = in_normal_form(str(value)).strip()
        known[key] = text
    return known[key]
