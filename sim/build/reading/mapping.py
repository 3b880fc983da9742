"""Which sheet of a list holds the links and which the firms, in which row the headings stand, and which column is what."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.characters import in_normal_form
from agents.spelling import nearest
from sim.build.reading.headings import OF_A_FIRM, Heading, meanings, unit_in
from sim.build.reading.quoted import some
from sim.build.reading.sheets import HEAD_ROWS, Sheet
from sim.network.fixed_points import NetworkError

__all__ = ["NEEDED", "Choices", "ColumnRead", "SheetRead", "chosen_sheets", "columns_of", "refuse_absent"]

#: What a key is called in messages.
CALLED = {
    "supplier": "the supplier",
    "customer": "the customer",
    "value": "the yearly purchases",
    "firm": "the name of the firm",
    "leader": "the chain leader",
}
NEEDED = ("supplier", "customer")
OF_LINKS = ("supplier", "customer", "value", "units", "value_share", "essential")
#: What no setting of a study names a column for.
ONLY_IMPORTED = ("employees", "revenue", "product", "tier")
OF_FIRMS = ("firm", "kind", "cost", "price", "demand", *OF_A_FIRM)


@dataclass(frozen=True)
class Choices:
    """What a user typed because the file does not show it, or because it is read otherwise than meant.

    Attributes
    ----------
    columns : dict of str to str
        Key → heading of its column; '' for no column.
    sheet, nodes_sheet : str
        Names of the sheets of links and of firms.
    unit : str
        Unit of amounts where none stands in the file.
    prefix : str
        What stands before a key where it is typed: "network." for a study, '' for the verb that reads a workbook.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str = ""
    nodes_sheet: str = ""
    unit: str = ""
    prefix: str = ""

    def typed(self, key: str, text: str) -> str:
        """Say what to type so that a key has a value."""
        where = self.prefix
        if where and key in ONLY_IMPORTED:
            return f"strongchain import FILE {Choices().typed(key, text)}"
        if where and key not in ("sheet", "nodes_sheet", "unit"):
            where += "columns." if key in OF_LINKS else "node_columns."
        word = f"{where}{key}={text}"
        return word if re.fullmatch(r"[\w.=\-]+", word) else f'"{word}"'


@dataclass(frozen=True)
class ColumnRead:
    """A column that is read: its heading, what it means and of whom it says so, and the unit of its amounts ('' if they have none)."""

    heading: str
    key: str
    side: str = ""
    unit: str = ""


@dataclass(eq=False)
class SheetRead:
    """How a sheet was read.

    Attributes
    ----------
    sheet : Sheet
    header_row : int
        Row number of the header; its last row, if it has two.
    columns : list of ColumnRead
    places : list of int
        Where each of them stands in a row.
    unread : list of str
        Headings of the columns that are not read.
    first : int
        Place of the header among the rows of the sheet.
    rows : int
        Rows below the header.
    left_out : dict of str to list of int
        Row numbers of the rows that are not read, by reason: "total", "remark", "header", "no supplier", "no customer", "no name",
        "own supplier", "no purchases".
    """

    sheet: Sheet
    header_row: int
    columns: list[ColumnRead]
    places: list[int]
    unread: list[str]
    first: int
    rows: int
    left_out: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def hidden_rows(self) -> int:
        """Rows below the header that the workbook hides, and that are read like others."""
        out = {number for numbers in self.left_out.values() for number in numbers}
        return len(self.sheet.hidden_rows & {*self.sheet.row[self.first + 1 :]} - out)


@dataclass(frozen=True)
class _Place:
    """Where a header may stand in a sheet: place of its last row among the rows, its headings, and what each may mean."""

    at: int
    headings: list[str]
    found: list[list[Heading]]

    def keys(self) -> set[str]:
        return {one.key for known in self.found for one in known if not one.side}

    @property
    def holds_links(self) -> bool:
        return "supplier" in self.keys() and bool(self.keys() & {"customer", "leader"}) and (
            "customer" in self.keys() or "firm" not in self.keys()
        )  # fmt: skip

    @property
    def holds_firms(self) -> bool:
        keys = self.keys()
        return bool(keys & {"firm", "supplier", "customer"}) and bool(keys & {*OF_FIRMS} - {"firm"})

    @property
    def clear(self) -> bool:
        meant = [(one.key, one.side) for known in self.found for one in known if one.certain]
        return len(meant) == len(set(meant))

    @property
    def known(self) -> int:
        return sum(bool(one) for one in self.found)


def _places(sheet: Sheet, choices: Choices) -> list[_Place]:
    """Return where a header may stand in a sheet, with one row or with two, of which the upper one stands over several columns."""
    chosen = {in_normal_form(heading): key for key, heading in choices.columns.items() if heading}
    cached: dict[str, list[Heading]] = {}

    def known(heading: str) -> list[Heading]:
        if heading not in cached:
            base = re.sub(r"\s+", "", heading)
            key = next((key for typed, key in chosen.items() if re.sub(r"\s+", "", typed) == base), None)
            found = meanings(heading)
            # Where a column was typed, no other is taken for the same thing.
            found = [one for one in found if one.side or one.key not in chosen.values()]
            if key is not None:
                unit = next((one.unit for one in meanings(heading) if one.unit), "") or _unit_of(heading)
                found = [Heading(key, "", unit)]
            cached[heading] = found
        return cached[heading]

    places = []
    for at, cells in enumerate(sheet.cells[:HEAD_ROWS]):
        places.append(_Place(at, cells, [known(cell) if cell else [] for cell in cells]))
        if at and sheet.row[at] == sheet.row[at - 1] + 1:
            for both in _in_two_rows(sheet.cells[at - 1], cells):
                joined = []
                for k, heading in enumerate(both):
                    lower = cells[k] if k < len(cells) else ""
                    joined.append((known(heading) or (known(lower) if lower else [])) if heading else [])
                places.append(_Place(at, both, joined))
    return places


def _in_two_rows(above: list[str], cells: list[str]) -> list[list[str]]:
    """Return the headings that two rows make together: as they stand, and where a blank above means what stands to its left."""
    filled = list(above) + [""] * (len(cells) - len(above))
    for k in range(1, len(cells)):
        if cells[k] and not filled[k]:
            filled[k] = filled[k - 1]
    found: list[list[str]] = []
    for row in (above, filled):
        pairs = [[of[k] if k < len(of) else "" for of in (row, cells)] for k in range(max(len(cells), len(row)))]
        both = [lower or upper if not (upper and lower) or upper == lower else f"{upper} {lower}" for upper, lower in pairs]
        if both != cells and both not in found:
            found.append(both)
    return found


def _unit_of(heading: str) -> str:
    inside = re.findall(r"[(\[【]([^)\]】]*)[)\]】]", unicodedata.normalize("NFKC", heading))
    return next((unit for part in inside if (unit := unit_in(part))), "")


def chosen_sheets(
    sheets: list[Sheet], choices: Choices, wanted: tuple[str, str]
) -> tuple[tuple[Sheet, _Place], tuple[Sheet, _Place] | None]:
    """Return the sheet of links and that of firms, each with its header."""
    names = [sheet.name for sheet in sheets if sheet.name]
    for key, name in zip(("sheet", "nodes_sheet"), wanted, strict=True):
        if name and name not in names:
            raise NetworkError(
                f"{choices.typed(key, name)}: there is no such sheet{nearest(name, names)}; there is {some(names, 20) or 'none'}"
            )
    places = {id(sheet): _places(sheet, choices) for sheet in sheets}

    def best(sheet: Sheet, kind: str) -> _Place | None:
        fit = [place for place in places[id(sheet)] if getattr(place, kind)]
        # The header in which nothing stands twice, with most known columns; of two with as many the upper, and with one row before two.
        return max(fit, key=lambda place: (place.clear, place.known), default=None)

    visible = [sheet for sheet in sheets if sheet.cells]
    among = (
        [sheet for sheet in visible if sheet.name == wanted[0]] if wanted[0] else [s for s in visible if s.name != wanted[1] or not s.name]
    )
    links = [(sheet, place) for sheet in among if (place := best(sheet, "holds_links"))]
    if not links:
        raise _no_links(sheets, among, places, choices, wanted)
    if len(links) > 1:
        options = " or ".join(choices.typed("sheet", sheet.name) for sheet, _ in links[:4] if sheet.name)
        listed = some([sheet.where for sheet, _ in links], 4)
        raise NetworkError(f"{len(links)} sheets list suppliers and customers: {listed}; type {options or 'one file of links only'}")
    others = [sheet for sheet in visible if sheet is not links[0][0] and (not wanted[1] or sheet.name == wanted[1])]
    firms = [(sheet, place) for sheet in others if (place := best(sheet, "holds_firms"))]
    if wanted[1] and not firms:
        raise NetworkError(
            f"sheet {wanted[1]!r} has no row of headings with the names of firms and something about them; a heading such as 企业名称 or "
            f"firm is needed, or {choices.typed('firm', 'COLUMN')}"
        )
    if len(firms) > 1:
        exact = [one for one in firms if "firm" in one[1].keys()]
        firms = exact if len(exact) == 1 else firms
    if len(firms) > 1:
        options = " or ".join(choices.typed("nodes_sheet", sheet.name) for sheet, _ in firms[:4] if sheet.name)
        raise NetworkError(
            f"{len(firms)} sheets list firms: {some([s.where for s, _ in firms], 4)}; type {options or 'one file of firms only'}"
        )
    return links[0], firms[0] if firms else None


def _no_links(
    sheets: list[Sheet], among: list[Sheet], places: Mapping[int, list[_Place]], choices: Choices, wanted: tuple[str, str]
) -> NetworkError:
    """Say what is missing for a sheet of links: the nearest to one is looked for."""
    hidden = [sheet.name for sheet in sheets if sheet.hidden and sheet.name not in wanted]
    beside = f"; hidden sheets are not read: {some(hidden, 4)}, to read one type {choices.typed('sheet', hidden[0])}" if hidden else ""
    near = [(place.known, sheet, place) for sheet in among for place in places[id(sheet)] if place.keys() & {*NEEDED}]
    if near:
        _, sheet, place = max(near, key=lambda one: one[0])
        missing = next(key for key in NEEDED if key not in place.keys())
        pairs = [(heading, {one.key for one in known}) for heading, known in zip(place.headings, place.found, strict=True) if heading]
        # A list that one firm after another keeps of its suppliers: 企业名称, 供应商名称.
        free = [heading for heading, keys in pairs if "firm" in keys] or [heading for heading, keys in pairs if not keys]
        columns = some([heading for heading in place.headings if heading], 12)
        return NetworkError(
            f"{sheet.where}: no column is {CALLED[missing]}; row {sheet.row[place.at]} has {columns}; type "
            f"{choices.typed(missing, free[0] if len(free) == 1 else 'COLUMN')}, or add such a column{beside}"
        )
    if not any(sheet.cells for sheet in among):
        what = among[0].where if len(among) == 1 else sheets[0].file
        return NetworkError(f"{what} has no row with cells that can be read; a list of suppliers is needed{beside}")
    return NetworkError(
        f"{among[0].where if len(among) == 1 else among[0].file}: no row has headings for supplier and customer (such as 供应商, 采购商) "
        f"among the first {HEAD_ROWS}; write them above the columns, or type {choices.typed('supplier', 'COLUMN')} "
        f"{choices.typed('customer', 'COLUMN')}{beside}"
    )


# -- which column is what ------------------------------------------------------------------------


def columns_of(sheet: Sheet, place: _Place, choices: Choices, links: bool) -> SheetRead:
    """Say which column of a sheet is what, or refuse where two could be the same thing; the places of columns are those of the header."""
    roles: dict[tuple[str, str], list[tuple[int, Heading]]] = defaultdict(list)
    barred = {key for key, heading in choices.columns.items() if not heading}
    own = "firm" if not links and "firm" in place.keys() else ""
    for k, known in enumerate(place.found):
        for one in known:
            key = one.key
            if not links:
                if key in NEEDED and not own and not one.side:
                    key = "firm"
                elif key in OF_LINKS:
                    continue
            elif key == "firm" or (key in ("kind", "cost", "price", "demand")):
                continue
            if key not in barred:
                roles[(key, one.side)].append((k, one))
    read: dict[int, ColumnRead] = {}
    for (key, side), candidates in roles.items():
        certain = [one for one in candidates if one[1].certain] or candidates
        named_so = [one for one in certain if place.headings[one[0]] == key]
        certain = named_so if len(named_so) == 1 else certain
        if len(certain) > 1:
            options = [choices.typed(key, place.headings[k]) for k, _ in certain]
            raise NetworkError(
                f"{sheet.where}, row {sheet.row[place.at]}: {len(certain)} columns could be {CALLED.get(key, f'the {key}')}: "
                f"{some([place.headings[k] for k, _ in certain])}; type {' or '.join(options[:4])}"
            )
        k, one = certain[0]
        read[k] = ColumnRead(place.headings[k], key, side, one.unit)
    rows = len(sheet.cells) - place.at - 1
    if not rows:
        raise NetworkError(
            f"{sheet.where} has headings in row {sheet.row[place.at]} and no row below them; write one for each link or firm"
        )
    unread = [heading for k, heading in enumerate(place.headings) if heading and k not in read]
    return SheetRead(sheet, sheet.row[place.at], [read[k] for k in sorted(read)], sorted(read), unread, place.at, rows)


def refuse_absent(choices: Choices, read: list[SheetRead]) -> None:
    """Refuse a typed heading that no sheet has."""
    used = {column.key for one in read for column in one.columns}
    for key, heading in choices.columns.items():
        if heading and key not in used:
            headings = [text for one in read for text in (*(column.heading for column in one.columns), *one.unread)]
            raise NetworkError(
                f"{choices.typed(key, heading)}: {' and '.join(one.sheet.where for one in read)} have no such column"
                f"{nearest(heading, headings)}; there is {some(headings, 20)}"
            )
