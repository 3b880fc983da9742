"""A list of suppliers as people keep it, in a workbook or a text table, read as links and firms.

Sheets, the row of the header, columns and units are found by their words (`sim.build.reading.mapping`). What is found is kept, so that it
can be shown. Where two columns could be the same thing, or something is missing, one line says what to type.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from agents.characters import in_normal_form
from agents.spelling import nearest
from sim.build.reading.content import DEFAULTS, Reading
from sim.build.reading.headings import (
    MISSING,
    UNITS,
    amount,
    by_official_classes,
    flag,
    foreign_money,
    holds_amounts,
    is_remark,
    is_total,
    plain,
    size,
    unit_above,
    unit_in,
)
from sim.build.reading.mapping import NEEDED, Choices, SheetRead, chosen_sheets, columns_of, refuse_absent
from sim.build.reading.quality import CALLED_QUALITY, QUALITY_COLUMNS, figure, unit_of_shares
from sim.build.reading.quoted import quoted, some
from sim.build.reading.sheets import read_sheets
from sim.build.reading.table import Table, misspelt, read_number, wrong_name
from sim.network.fixed_points import NetworkError

__all__ = ["Imported", "read_workbook"]

MONEY = ("value", "revenue")
WEIGHED = ("sector", "product", "chain")
#: What a spreadsheet shows instead of a value.
ERRORS = {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"}
#: Share of the rows that may lack a name before the table is refused instead of read without them.
MOST_NAMELESS = 0.2


@dataclass(eq=False)
class Imported:
    """Links and firms of a workbook, with what is worth knowing of how they were read.

    Attributes
    ----------
    links, firms : Table
        As `sim.build.reading.listing` reads them.
    of_links : SheetRead
    of_firms : SheetRead or None
    hidden, unused : list of str
        Sheets that the workbook hides, and those that hold neither links nor firms, or were not chosen.
    repeated : list of (str, str, int)
        Links that stand in several rows, which are added up: supplier, customer, number of rows.
    blank_values : int
        Links without an amount, where others have one.
    conflicts : list of (str, str, str, str)
        Firms of which two rows say different things: firm, key, what is used, what is not.
    alike : list of tuple of str
        Names that differ only by blanks, by brackets, or by capital letters, and may be one firm.
    not_listed : list of str
        Firms with links that the sheet of firms does not list.
    without_county : list of str
        Firms without a county, where others have one: no county is used.
    sizes : dict of str to int
        How many firms have a size from which source: "given", "computed", "none".
    sectors : str
        Where sectors are from: "sector", "product", or ''.
    products : list of (str, str)
        Firms with several products or sectors, with the one that is used: that of the largest purchases.
    tiers : dict of str to str
        What the file says of the tier of firms; the model does not use it.
    marked : int
        Chain leaders that the file names.
    notes : list of str
        Short sentences for the notes of the network.
    """

    links: Table
    firms: Table
    of_links: SheetRead
    of_firms: SheetRead | None
    hidden: list[str]
    unused: list[str]
    repeated: list[tuple[str, str, int]]
    blank_values: int
    conflicts: list[tuple[str, str, str, str]]
    alike: list[tuple[str, ...]]
    not_listed: list[str]
    without_county: list[str]
    sizes: dict[str, int]
    sectors: str
    products: list[tuple[str, str]]
    tiers: dict[str, str]
    marked: int
    notes: list[str]


def read_workbook(paths: Sequence[str], choices: Choices, reading: Reading = DEFAULTS, leaders: Sequence[str] = ()) -> Imported:
    """Read links and firms from one file or two.

    Parameters
    ----------
    paths : sequence of str
        A workbook or a text table; a second one may hold the firms.
    choices : Choices
    reading : Reading
    leaders : sequence of str
        Names of chain leaders, instead of those that the file marks; several with commas between them may stand in one text.

    Raises
    ------
    NetworkError
        One line: what is wrong, where, and what to type or to correct.
    """
    if choices.unit and not unit_in(choices.unit):
        raise NetworkError(f"{choices.typed('unit', choices.unit)} is no unit of money; use one of {', '.join(UNITS)}")
    wanted = (in_normal_form(choices.sheet), in_normal_form(choices.nodes_sheet))
    sheets = [sheet for path in paths for sheet in read_sheets(path, reading, *[name for name in wanted if name][:1])]
    if wanted[0] and wanted[1]:  # a hidden sheet of firms, too
        sheets = [
            again if again.name == wanted[1] else sheet
            for path in paths
            for sheet, again in zip(read_sheets(path, reading, wanted[0]), read_sheets(path, reading, wanted[1]), strict=True)
        ]
    links, firms = chosen_sheets(sheets, choices, wanted)
    of_links = columns_of(*links, choices, links=True)
    of_firms = columns_of(*firms, choices, links=False) if firms else None
    used = {id(read.sheet) for read in (of_links, of_firms) if read}
    rest = [sheet for sheet in sheets if id(sheet) not in used]
    refuse_absent(choices, [read for read in (of_links, of_firms) if read])
    hidden = [sheet.name for sheet in rest if sheet.hidden]
    _refuse_unread_amounts(of_links, choices)
    _refuse_misspelt_quality([read for read in (of_links, of_firms) if read], choices)
    return _imported(of_links, of_firms, choices, leaders, hidden, [sheet.name or sheet.file for sheet in rest if not sheet.hidden])


def _refuse_unread_amounts(read: SheetRead, choices: Choices) -> None:
    """Refuse to leave out amounts where the list has no others: without them the suppliers of a customer would count the same."""
    if {"value", "value_share", "units"} & {column.key for column in read.columns} or choices.columns.get("value") == "":
        return
    for heading in [heading for heading in read.unread if holds_amounts(heading)][:1]:
        raise NetworkError(
            f"{read.sheet.where}, row {read.header_row}: no column is the yearly purchases, and {quoted(heading)} is not read; type "
            f"{choices.typed('value', heading)}, or {choices.typed('value', '')} to leave it out"
        )


def _refuse_misspelt_quality(reads: Sequence[SheetRead], choices: Choices) -> None:
    """Refuse a heading that looks like one of quality with one or two letters wrong: without it the start would be another."""
    used = {column.key for read in reads for column in read.columns} | set(choices.columns)
    for read in reads:
        for heading in read.unread:
            for key in [key for key in QUALITY_COLUMNS if key not in used]:
                meant = next((name for name in CALLED_QUALITY[key] if misspelt(plain(heading), plain(name))), "")
                if meant:
                    raise NetworkError(
                        f"{read.sheet.where}, row {read.header_row}: the heading {quoted(heading)} is not known (did you mean {meant!r}?); "
                        f"correct it, or type {choices.typed(key, heading)}, or {choices.typed(key, '')} to leave it out"
                    )


# -- rows ----------------------------------------------------------------------------------------


class _Rows:
    """The rows of a sheet that say something, and their cells by key."""

    def __init__(self, read: SheetRead, choices: Choices) -> None:
        self.read, self.sheet, self.choices = read, read.sheet, choices
        self._at = {(column.key, column.side): k for column, k in zip(read.columns, read.places, strict=True)}
        self._heading = {(column.key, column.side): column.heading for column in read.columns}
        above = next((unit for cells in reversed(read.sheet.cells[: read.first]) if (unit := unit_above(cells))), "")
        self._unit = {(column.key, column.side): column.unit or above or unit_in(choices.unit) for column in read.columns}
        self._unit |= {(one.key, one.side): unit_of_shares(one.heading) for one in read.columns if one.key in QUALITY_COLUMNS}
        shown = (*MONEY, *QUALITY_COLUMNS)
        read.columns = [replace(one, unit=self._unit[(one.key, one.side)]) if one.key in shown else one for one in read.columns]
        #: Columns that say something of quality, by whom they say it of.
        self.quality = {side: [key for key in QUALITY_COLUMNS if (key, side) in self._at] for side in ("", *NEEDED)}
        self._names: dict[str, str] = {}
        self.rows: list[tuple[int, list[str]]] = []
        head = {k: column.heading for column, k in zip(read.columns, read.places, strict=True)}
        for number, cells in zip(self.sheet.row[read.first + 1 :], self.sheet.cells[read.first + 1 :], strict=True):
            first = [cell for cell in cells if cell][:2]
            if any(map(is_total, first)):
                read.left_out["total"].append(number)
            elif first and is_remark(first[0]):
                read.left_out["remark"].append(number)
            elif all(k < len(cells) and cells[k] == heading for k, heading in head.items()):
                read.left_out["header"].append(number)
            else:
                self.rows.append((number, cells))

    def has(self, key: str, side: str = "") -> bool:
        """Whether there is such a column."""
        return (key, side) in self._at

    def refuse(self, number: int, key: str, side: str, problem: str) -> NetworkError:
        """Make the error for a cell."""
        return NetworkError(f"{self.sheet.where}, row {number}, column {quoted(self._heading[(key, side)])}: {problem}")

    def cell(self, number: int, cells: list[str], key: str, side: str = "") -> str:
        """Return the text of a cell of a column that is read; '' where there is no such column."""
        k = self._at.get((key, side))
        if k is None:
            return ""
        if (number, k) in self.sheet.without_value:
            problem = "holds a formula whose value was not kept; open the workbook in Excel or WPS and save it, or write the value"
            raise self.refuse(number, key, side, problem)
        text = cells[k] if k < len(cells) else ""
        if text in ERRORS:
            raise self.refuse(number, key, side, f"the spreadsheet shows the error {text}; write the value")
        return text

    def name(self, number: int, cells: list[str], key: str, side: str = "") -> str:
        """Return a name; '' where there is none."""
        text = self.cell(number, cells, key, side)
        if text in self._names:
            return self._names[text]
        problem = wrong_name(text)
        if re.match(r"[=@]|[+-].*[|(!]", text):  # a file that is written with such names would be run by a spreadsheet
            problem = f"the name {quoted(text)} begins as a formula does; delete the sign"
        if problem:
            raise self.refuse(number, key, side, problem)
        self._names[text] = "" if plain(text) in MISSING else text
        return self._names[text]

    def money(self, number: int, cells: list[str], key: str, side: str = "") -> float | None:
        """Return an amount in CNY; None where there is none."""
        text = self.cell(number, cells, key, side)
        if not text:
            return None
        k = self._at[(key, side)]
        if (number, k) in self.sheet.copied:
            raise self.refuse(number, key, side, "one amount stands in a merged cell over several rows; write the amount of each row")
        value = amount(text, self._unit[(key, side)])
        if isinstance(value, str):
            raise self.refuse(number, key, side, value)
        if value is not None and not self._unit[(key, side)] and amount(text, "元") == value and amount(text, "万元") != value:
            if money := foreign_money(self._heading[(key, side)]):
                raise self.refuse(number, key, side, f"amounts are in {money}, which is not converted; write them in CNY, such as 万元")
            units = " or ".join(self.choices.typed("unit", unit) for unit in ("万元", "元", "亿元"))
            raise self.refuse(number, key, side, f"the amount {quoted(text)} has no unit; type {units}, or write it into the heading")
        return value

    def number(self, number: int, cells: list[str], key: str, side: str = "") -> float | None:
        """Return a plain number, None where there is none."""
        text = self.cell(number, cells, key, side)
        k = self._at.get((key, side))
        if plain(text) in MISSING:
            return None
        value = read_number(re.sub(" ?[人名]$", "", unicodedata.normalize("NFKC", text)), 1e15)
        if isinstance(value, str):
            raise self.refuse(number, key, side, value)
        if key in ("units", "value_share") and (number, k) in self.sheet.copied:
            raise self.refuse(number, key, side, "one number stands in a merged cell over several rows; write that of each row")
        return None if math.isnan(value) else value

    def flag(self, number: int, cells: list[str], key: str, side: str = "") -> bool:
        """Return yes or no."""
        text = self.cell(number, cells, key, side)
        if (said := flag(text)) is None:
            raise self.refuse(number, key, side, f"{quoted(text)} is neither yes nor no; write 是 or 否, yes or no, √ or nothing")
        return said

    def figure(self, number: int, cells: list[str], key: str, side: str = "") -> str:
        """Return what a row says of the quality of a firm, as a plain number, or yes or no; '' if nothing."""
        text = self.cell(number, cells, key, side)
        # A number that is shown in percent is a share, whatever the heading says of plain numbers.
        shown = (number, self._at[(key, side)]) in self.sheet.percent
        value = figure(key, text, "" if shown else self._unit[(key, side)])
        if isinstance(value, str):
            raise self.refuse(number, key, side, value)
        if math.isnan(value):
            return ""
        if key in ("certificate", "officer"):
            return "yes" if value else "no"
        return f"{value:.0f}" if key.startswith("open_") else repr(value)

    def names_leaders(self, side: str = "") -> bool:
        """Whether the column of chain leaders holds names instead of yes and no."""
        cells = [text for number, cells in self.rows if (text := self.cell(number, cells, "leader", side))]
        return bool(cells) and sum(flag(text) is None for text in cells) > len(cells) / 2

    def size(self, number: int, cells: list[str], side: str = "") -> str:
        """Return the size that a row states; '' if none."""
        text = self.cell(number, cells, "size", side)
        if (said := size(text)) is None:
            write = "write 大型, 中型, 小型 or 微型 (large, medium, small, micro)"
            leave = f"type {self.choices.typed('size', '')} to leave the column out"
            raise self.refuse(number, "size", side, f"{quoted(text)} is no size; {write}" + ("" if side else f", or {leave}"))
        return said


class _Firms:
    """What is known of firms, as the rows tell it one after the other: what a row says first is kept."""

    def __init__(self) -> None:
        self.row: dict[str, int] = {}
        self.said: dict[str, dict[str, str]] = defaultdict(dict)
        self.conflicts: dict[tuple[str, str], tuple[str, str]] = {}
        self.employees: dict[str, float] = {}
        self.revenue: dict[str, float] = {}
        #: Sectors, products and chains by firm, each with the purchases that name it: that of the largest is used.
        self.weighed: dict[str, dict[str, dict[str, list[float]]]] = {key: {} for key in WEIGHED}
        self.leaders: set[str] = set()

    def meet(self, firm: str, number: int) -> None:
        """Keep the order of first appearance."""
        self.row.setdefault(firm, number)

    def say(self, firm: str, key: str, text: str) -> None:
        """Keep what a row says of a firm."""
        if text and self.said[firm].setdefault(key, text) != text:
            self.conflicts.setdefault((firm, key), (self.said[firm][key], text))

    def weigh(self, firm: str, key: str, text: str, weight: float) -> None:
        """Keep one of the sectors, products or chains that rows name for a firm."""
        if text:
            self.weighed[key].setdefault(firm, {}).setdefault(text, []).append(weight)

    def read(self, rows: _Rows, number: int, cells: list[str], firm: str, side: str, weight: float | None) -> None:
        """Read what a row says of a firm; with a weight, the row is a link."""
        if rows.has("size", side):
            self.say(firm, "size", rows.size(number, cells, side))
        for key in ("county", "tier", "kind"):
            if rows.has(key, side):
                self.say(firm, key, rows.name(number, cells, key, side))
        for key in rows.quality[side]:
            self.say(firm, key, rows.figure(number, cells, key, side))
        for key in WEIGHED:
            if rows.has(key, side):
                text = rows.name(number, cells, key, side)
                self.say(firm, key, text) if weight is None else self.weigh(firm, key, text, weight)
        for key, kept in (("employees", self.employees), ("revenue", self.revenue)):
            if rows.has(key, side):
                value = rows.number(number, cells, key, side) if key == "employees" else rows.money(number, cells, key, side)
                if value is not None:
                    kept.setdefault(firm, value)

    def main(self, key: str) -> list[tuple[str, str]]:
        """Use the sector, product or chain with the largest purchases, where no sheet of firms names one; return firms with several."""
        several = []
        for firm, texts in self.weighed[key].items():
            if key in self.said[firm]:
                continue
            best = min(texts, key=lambda text: (-math.fsum(texts[text]), text))
            self.said[firm][key] = best
            if len(texts) > 1:
                several.append((firm, best))
        return several


def _imported(
    of_links: SheetRead, of_firms: SheetRead | None, choices: Choices, leaders: Sequence[str], hidden: list[str], unused: list[str]
) -> Imported:
    """Read the rows of the chosen sheets."""
    firms, links = _Firms(), _Rows(of_links, choices)
    listed: set[str] = set()
    if of_firms is not None:
        _read_firms(_Rows(of_firms, choices), firms)
        listed = set(firms.row)
    found = _read_links(links, firms)
    if not found:
        out = {reason: len(rows) for reason, rows in of_links.left_out.items()}
        raise NetworkError(f"{of_links.sheet.where} holds no link below row {of_links.header_row}; rows left out: {out or 'none'}")
    linked = list(dict.fromkeys(firm for pair in found for firm in pair))
    typed = [name for text in leaders for name in _names_in(in_normal_form(text), firms.row)]
    for name in typed:
        if name not in firms.row:
            raise NetworkError(f"leaders names {quoted(name)}, which is in no row{nearest(name, list(firms.row))}")
    firms.leaders = set(typed) or firms.leaders & (set(linked) | listed)
    several = [*firms.main("sector"), *firms.main("product")]
    firms.main("chain")
    sectors = next((key for key in ("sector", "product") if any(key in said for said in firms.said.values())), "")
    sizes = Counter[str]()
    for firm in firms.row:
        computed = by_official_classes(firms.employees.get(firm), firms.revenue.get(firm))
        sizes["given" if firms.said[firm].get("size") else "computed" if computed else "none"] += 1
        if computed:
            firms.said[firm].setdefault("size", computed)
    without_county = [firm for firm in firms.row if not firms.said[firm].get("county")]
    if without_county:
        for said in firms.said.values():
            said.pop("county", None)
    if sectors == "product":
        for said in firms.said.values():
            said["sector"] = said.get("product", "")
    imported = Imported(
        links=_link_table(of_links.sheet.where, found, links),
        firms=_firm_table((of_firms or of_links).sheet.where, firms),
        of_links=of_links,
        of_firms=of_firms,
        hidden=hidden,
        unused=unused,
        repeated=[(*pair, len(link.values)) for pair, link in found.items() if len(link.values) > 1],
        blank_values=sum(link.value is None for link in found.values()) if any(link.value is not None for link in found.values()) else 0,
        conflicts=[(firm, key, *both) for (firm, key), both in firms.conflicts.items()],
        alike=_alike(firms.row),
        not_listed=[firm for firm in linked if firm not in listed] if of_firms is not None else [],
        without_county=without_county if len(without_county) < len(firms.row) else [],
        sizes=dict(sizes),
        sectors=sectors,
        products=several if sectors else [],
        tiers={firm: said["tier"] for firm, said in firms.said.items() if said.get("tier")},
        marked=len(firms.leaders),
        notes=[],
    )
    imported.notes += _notes(imported)
    return imported


def _names_in(text: str, known: Container[str]) -> list[str]:
    """Return the names in a text with commas between them; a name that is known may hold commas itself (Ningbo Gear Co., Ltd)."""
    parts = re.split("([,，、;；])", text.strip().removeprefix("[").removesuffix("]"))  # names and signs take turns
    names, at = [], 0
    while at < len(parts):
        ends = range(len(parts), at, -2)
        end = next((end for end in ends if "".join(parts[at:end]).strip() in known), at + 1)
        names += [name] if (name := "".join(parts[at:end]).strip()) else []
        at = end + 1
    return names


def _read_firms(rows: _Rows, firms: _Firms) -> None:
    """Read the sheet of firms."""
    named = rows.has("leader") and rows.names_leaders()
    for number, cells in rows.rows:
        firm = rows.name(number, cells, "firm")
        if not firm:
            rows.read.left_out["no name"].append(number)
            continue
        firms.meet(firm, number)
        firms.read(rows, number, cells, firm, "", None)
        for key in ("cost", "price", "demand"):
            if rows.has(key):
                value = rows.number(number, cells, key)
                firms.say(firm, key, "" if value is None else repr(value))
        if named:
            firms.leaders |= {name for name in [rows.name(number, cells, "leader")] if name}
        elif rows.has("leader") and rows.flag(number, cells, "leader"):
            firms.leaders.add(firm)


@dataclass(eq=False)
class _Link:
    """The rows of one link."""

    number: int
    values: list[float | None] = field(default_factory=list)
    units: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    essential: bool = False

    @property
    def value(self) -> float | None:
        known = [value for value in self.values if value is not None]
        return math.fsum(known) if known else None


def _refuse_unread_customers(rows: _Rows) -> None:
    """Refuse to take the chain leader for the customer of every row where a column that is not read names other suppliers as customers."""
    suppliers = {rows.name(number, cells, "supplier") for number, cells in rows.rows} - {""}
    for k, heading in enumerate(rows.sheet.cells[rows.read.first]):
        named = [cells[k] for number, cells in rows.rows if k < len(cells) and cells[k] != rows.name(number, cells, "supplier")]
        if heading in rows.read.unread and suppliers & set(named):
            raise NetworkError(
                f"{rows.sheet.where}, row {rows.read.header_row}: no column is the customer, and {quoted(heading)}, which is not "
                f"read, names suppliers; type {rows.choices.typed('customer', heading)}"
            )


def _read_links(rows: _Rows, firms: _Firms) -> dict[tuple[str, str], _Link]:
    """Read the sheet of links: rows of the same link are added up."""
    out = rows.read.left_out
    named = {side: rows.has("leader", side) and rows.names_leaders(side) for side in ("", *NEEDED)}
    customer = ("customer", "") if rows.has("customer") else ("leader", "")
    if customer[0] == "leader" and not named[""]:
        raise NetworkError(
            f"{rows.sheet.where}: the column of the chain leader holds yes and no, and no column names the customer; add one, or type "
            f"{rows.choices.typed('customer', 'COLUMN')}"
        )
    if customer[0] == "leader":
        _refuse_unread_customers(rows)
    found: dict[tuple[str, str], _Link] = {}
    for number, cells in rows.rows:
        ends = (rows.name(number, cells, "supplier"), rows.name(number, cells, *customer))
        missing = next((key for key, name in zip(NEEDED, ends, strict=True) if not name), "")
        value = rows.money(number, cells, "value")
        if missing or ends[0] == ends[1] or value == 0:
            out[f"no {missing}" if missing else "own supplier" if ends[0] == ends[1] else "no purchases"].append(number)
            continue
        link = found.setdefault(ends, _Link(number))
        link.values.append(value)
        for key, kept in (("units", link.units), ("value_share", link.shares)):
            if rows.has(key) and (stated := rows.number(number, cells, key)) is not None:
                kept.append(stated)
        link.essential |= rows.has("essential") and rows.flag(number, cells, "essential")
        weight = 1.0 if value is None else value
        for firm, side in zip(ends, NEEDED, strict=True):
            firms.meet(firm, number)
            firms.read(rows, number, cells, firm, side, weight)
            if named[side]:
                firms.leaders |= {name for name in [rows.name(number, cells, "leader", side)] if name}
            elif rows.has("leader", side) and rows.flag(number, cells, "leader", side):
                firms.leaders.add(firm)
        # What a heading does not say of whom: of the supplier, whom the row lists; the leader is who buys; the chain is that of both.
        _without_side(rows, number, cells, ends, named[""], firms, weight)
    for key, reason in zip(NEEDED, ("no supplier", "no customer"), strict=True):
        if len(out[reason]) > MOST_NAMELESS * len(rows.rows):
            raise NetworkError(
                f"{rows.sheet.where}: {len(out[reason])} of {len(rows.rows)} rows have no {key} (the first is row {out[reason][0]}); write "
                "the name into every row, also where it is the same as above"
            )
    for reason in [reason for reason, numbers in out.items() if not numbers]:
        del out[reason]
    return found


def _without_side(rows: _Rows, number: int, cells: list[str], ends: tuple[str, str], named: bool, firms: _Firms, weight: float) -> None:
    supplier, customer = ends
    if rows.has("chain"):
        for firm in ends:
            firms.weigh(firm, "chain", rows.name(number, cells, "chain"), weight)
    for key in ("sector", "product"):
        if rows.has(key):
            firms.weigh(supplier, key, rows.name(number, cells, key), weight)
    if rows.has("size"):
        firms.say(supplier, "size", rows.size(number, cells))
    for key in rows.quality[""]:
        firms.say(supplier, key, rows.figure(number, cells, key))
    for key in ("county", "tier"):
        if rows.has(key):
            firms.say(supplier, key, rows.name(number, cells, key))
    for key, kept in (("employees", firms.employees), ("revenue", firms.revenue)):
        if rows.has(key) and supplier not in kept:
            value = rows.number(number, cells, key) if key == "employees" else rows.money(number, cells, key)
            if value is not None:
                kept[supplier] = value
    if rows.has("leader"):
        if named:
            firms.leaders |= {name for name in [rows.name(number, cells, "leader")] if name}
        elif rows.flag(number, cells, "leader"):
            firms.leaders.add(customer)


# -- the tables ----------------------------------------------------------------------------------


def _link_table(where: str, found: Mapping[tuple[str, str], _Link], rows: _Rows) -> Table:
    columns: dict[str, list[str]] = {"supplier": [pair[0] for pair in found], "customer": [pair[1] for pair in found]}
    kept = list(found.values())
    if any(link.value is not None for link in kept):
        columns["value"] = ["" if (value := link.value) is None else repr(value) for link in kept]
    for key, of in (("units", [link.units for link in kept]), ("value_share", [link.shares for link in kept])):
        if rows.has(key):
            columns[key] = [repr(math.fsum(stated)) if stated else "" for stated in of]
    if rows.has("essential"):
        columns["essential"] = ["yes" if link.essential else "" for link in kept]
    return _table(where, columns, [link.number for link in kept])


def _firm_table(where: str, firms: _Firms) -> Table:
    columns = {"firm": list(firms.row)}
    for key in ("chain", "sector", "county", "size", "kind", "cost", "price", "demand", *QUALITY_COLUMNS):
        column = [firms.said[firm].get(key, "") for firm in firms.row]
        if any(column):
            columns[key] = column
    if firms.leaders:
        columns["leader"] = ["yes" if firm in firms.leaders else "" for firm in firms.row]
    return _table(where, columns, list(firms.row.values()))


def _table(where: str, columns: Mapping[str, list[str]], rows: list[int]) -> Table:
    cells = np.empty((len(rows), len(columns)), dtype=object)
    for k, column in enumerate(columns.values()):
        cells[:, k] = column
    return Table(where, tuple(columns), cells, np.array(rows, dtype=np.int64))


def _alike(names: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Return names that differ only by blanks, brackets or capital letters."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[re.sub(r"[\s·.,()\-]", "", unicodedata.normalize("NFKC", name).casefold())].append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _notes(of: Imported) -> list[str]:
    """Say in short sentences how a list was read, for the notes of the network."""
    notes = []
    for read in (of.of_links, of.of_firms):
        if read is None:
            continue
        columns = ", ".join(
            f"{' of the '.join(part for part in (one.key, one.side) if part)} is {quoted(one.heading)}" + (one.unit and f" in {one.unit}")
            for one in read.columns
        )
        notes.append(f"{read.sheet.where}: headings in row {read.header_row}; {columns}")
        if read.sheet.encoding:
            first = some(read.sheet.first)
            notes.append(f"{read.sheet.file} is read as {read.sheet.encoding}; it begins with {first}: if that looks wrong, set encoding")
        if read.unread:
            notes.append(f"{read.sheet.where}: not read: {some(read.unread, 20)}")
        notes += [f"{read.sheet.where}: left out: {len(rows)} × {reason}, first in row {rows[0]}" for reason, rows in read.left_out.items()]
        if hidden := read.hidden_rows:
            notes.append(f"{read.sheet.where}: rows that are hidden are read like others: {hidden}")
        if read.sheet.formulas:
            notes.append(
                f"{read.sheet.where}: {read.sheet.formulas} cells hold formulas; the values are those that were kept when it was saved"
            )
    if of.hidden:
        notes.append(f"hidden sheets are not read: {some(of.hidden)}")
    if of.repeated:
        notes.append(f"{len(of.repeated)} links stand in several rows, which are added up")
    if of.conflicts:
        notes.append(f"of {len(of.conflicts)} firms rows say different things: what the first says is used")
    if of.alike:
        notes.append(f"names that may be one firm: {some([' / '.join(group) for group in of.alike], 4)}")
    if of.not_listed:
        notes.append(f"{len(of.not_listed)} firms have links and are not on the sheet of firms")
    if of.without_county:
        notes.append(f"county is not given of {len(of.without_county)} firms, so that no county is used: {some(of.without_county, 3)}")
    if of.sizes.get("computed"):
        notes.append(f"size of {of.sizes['computed']} firms: computed from employees and revenue by the official classes of industry")
    if of.sectors == "product":
        notes.append("sector is not given: the product is used")
    return notes
