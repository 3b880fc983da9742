"""What a researcher's files say about a network, before rules fill in what is missing.

Three forms are read: *links* (one row for each link, with an optional second file of firms), a *stage
list* (one row for each firm, followed by pairs of upstream stage and quantity), and a *workbook* with a list
of suppliers as people keep it (`sim.build.reading.workbook`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.characters import in_normal_form
from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from agents.spelling import nearest
from sim.build.reading.content import Reading
from sim.build.reading.headings import meanings, size
from sim.build.reading.mapping import Choices
from sim.build.reading.quality import QUALITY_COLUMNS, contradiction, figure, unit_of_shares
from sim.build.reading.quoted import quoted, some
from sim.build.reading.sheets import begins_as_a_list, is_workbook
from sim.build.reading.table import PAIRS, Table, misspelt, read_number, read_table
from sim.build.reading.workbook import read_workbook
from sim.network.fixed_points import NetworkError
from sim.parameters import declared, wrong_value

__all__ = ["LINK_COLUMNS", "NODE_COLUMNS", "FromFile", "check_settings", "listed", "read_listing"]

LINK_COLUMNS = ("supplier", "customer", "units", "value_share", "value", "sector", "essential")
NODE_COLUMNS = ("firm", "chain", "sector", "county", "leader", "size", "kind", "cost", "price", "demand", *QUALITY_COLUMNS)

MOST = 1e15
"""Largest number that a file may hold, in CNY or units: what is larger is a slip, and would overflow."""


@dataclass(frozen=True)
class FromFile(Reading):
    """Where the network is, and how to read it.

    Attributes
    ----------
    path : str
        CSV file of links, or of stages with trailing pairs, or a workbook with a list of suppliers.
    nodes : str
        CSV file of firms that goes with a file of links; '' for none.
    sheet, nodes_sheet : str
        Names of the sheets of a workbook with links and with firms; '' if its headings show them.
    unit : str
        Unit of the amounts of a workbook that says none, such as 万元.
    format : {"auto", "edges", "stages"}
        With "auto" a file whose last header column is ``up_stages`` is a stage list.
    columns, node_columns : dict of str to str
        Names in the file of the columns in `LINK_COLUMNS` and `NODE_COLUMNS`; other columns have their own names.
    filter : dict
        Rows to keep: column → value or list of values, compared as text.
    collapse : sequence of str
        Kinds of stage that are not firms: goods only pass through them.
    leaders : sequence of str
        Names of the chain leaders; if empty, the file names them, or the rule chooses them.
    material_share, median_revenue : float
        See their metadata.
    keep_scale : bool
        Whether demand × price in the file is CNY a month; else demand is scaled to `median_revenue`.
    """

    path: str = ""
    nodes: str = ""
    sheet: str = ""
    nodes_sheet: str = ""
    unit: str = ""
    format: str = "auto"
    columns: dict[str, str] = field(default_factory=lambda: {name: name for name in LINK_COLUMNS})
    node_columns: dict[str, str] = field(default_factory=lambda: {name: name for name in NODE_COLUMNS})
    filter: dict[str, Any] = field(default_factory=dict)
    collapse: tuple[str, ...] = ()
    leaders: tuple[str, ...] = ()
    material_share: float = field(
        default=0.55,
        metadata={
            "range": (0.05, 0.95),
            "unit": "1",
            "source": "assumption",
            "confidence": "N",
            "meaning": "value share of all inputs of a firm of which the file gives neither costs nor value shares",
        },
    )
    median_revenue: float = field(
        default=15e6,
        metadata={
            "range": (1e3, 1e12),
            "unit": "CNY/year",
            "source": "assumption",
            "confidence": "N",
            "meaning": "yearly revenue of the median firm, to which final demand is scaled",
        },
    )
    keep_scale: bool = False


def check_settings(settings: FromFile) -> None:
    """Refuse settings with unknown names, or outside their ranges."""
    if not settings.path:
        raise NetworkError("network.path is empty; give the CSV file of the links, such as network.path=chain.csv")
    if settings.format not in ("auto", "edges", "stages"):
        raise NetworkError(f"network.format={settings.format} is none of 'auto', 'edges', 'stages'")
    for setting, known in (("columns", LINK_COLUMNS), ("node_columns", NODE_COLUMNS)):
        for name in getattr(settings, setting):
            if name not in known:
                raise NetworkError(f"network.{setting} has no {name!r}; it maps {some(known, 20)}{nearest(name, known)}")
    for f in declared(FromFile):
        if wrong := wrong_value(f, getattr(settings, f.name), f"network.{f.name}"):
            raise NetworkError(wrong)


def listed(value: str | Iterable[Any]) -> list[str]:
    """Return a setting that lists names as a list, in the normal form of the file's; a single name becomes a list of one."""
    return [in_normal_form(str(name)) for name in ([value] if isinstance(value, str) else value)]


@dataclass(frozen=True)
class _Columns:
    """Columns of a table under the names that the rules use."""

    table: Table
    mapping: Mapping[str, str]
    setting: str

    def find(self, key: str, needed: bool = False) -> str:
        """Return a column's name in the file, '' if the file has none; a column that the settings name must exist."""
        name = self.mapping.get(key, key)
        needed = needed or name != key
        return self.table.require(name, f"{self.setting}.{key}") if needed or name in self.table.columns else ""

    def numbers(self, key: str, most: float = np.inf, positive: bool = False) -> Floats:
        """Return numbers, NaN where there are none."""
        name = self.find(key)
        return self.table.numbers(name, most, positive) if name else np.full(len(self.table), np.nan)

    def text(self, key: str) -> NDArray[np.object_]:
        """Return names, '' where there are none."""
        name = self.find(key)
        return self.table.labels(name) if name else np.full(len(self.table), "", dtype=object)

    def flags(self, key: str) -> NDArray[np.bool_]:
        """Return yes and no; no where there is none."""
        name = self.find(key)
        return self.table.flags(name) if name else np.zeros(len(self.table), dtype=np.bool_)

    def unread(self, known: Sequence[str], used: Container[str]) -> list[str]:
        """Return a message for each column that is not read: it is neither known nor used otherwise.

        Raises
        ------
        NetworkError
            For a misspelt known column, or one of quality under another heading: without it the file would mean something else.
        """
        names = {self.mapping.get(key, key): key for key in known}
        unknown = [column for column in self.table.columns if column not in names and column not in used]
        absent = [name for name in names if name not in self.table.columns]
        slips = {column: name for column in unknown for name in absent if misspelt(column, name)}
        for column in unknown:  # a heading of quality as a workbook has it, 一次合格率: the figures must not be lost in silence
            meant = next((heading.key for heading in meanings(column) if heading.key in QUALITY_COLUMNS and heading.key in known), "")
            if meant and (name := self.mapping.get(meant, meant)) in absent:
                slips.setdefault(column, name)
        if slips:
            one = "{!r} (did you mean {!r}?)" if len(slips) == 1 else "{!r} → {!r}"
            read = ", ".join(one.format(column, name) for column, name in slips.items())
            settings = [f"{self.setting}.{names[name]}={column}" for column, name in slips.items()]
            set_to = " ".join(f'"{setting}"' if " " in setting else setting for setting in settings)
            raise NetworkError(
                f"{self.table.file}: the header has {read}; correct it, or set {set_to}; a column with another meaning needs another name"
            )
        guesses = {column: nearest(column, absent) for column in unknown}
        others = [column for column in unknown if not guesses[column]]
        messages = [f"{self.table.file}: column {column!r} is not read{guess}" for column, guess in guesses.items() if guess]
        return messages + ([f"{self.table.file}: not read: {some(others, len(others))}"] if others else [])


def read_listing(settings: FromFile, notes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return stages, in order of first appearance, and links between their rows (a blank number is NaN)."""
    if is_workbook(settings.path) or (settings.nodes and is_workbook(settings.nodes)) or _is_list(settings):
        table, nodes = _from_workbook(settings, notes)
        return _joined(table, _Columns(nodes, {}, "network.node_columns"), replace(settings, columns={}, node_columns={}), notes)
    for name in ("sheet", "nodes_sheet", "unit"):
        if getattr(settings, name):
            raise NetworkError(f"network.{name} is for workbooks, and {settings.path} is a text table; leave it out")
    filters = in_normal_form(settings.filter)
    table = read_table(settings.path, settings, pairs={"auto": None, "stages": True}.get(settings.format, False))
    notes += table.notes
    table = table.where(filters, "network.filter")
    of_firms: _Columns | None = _Columns(table, in_normal_form(settings.node_columns), "network.node_columns")
    if table.trailing:
        if settings.nodes:
            raise NetworkError(f"{table.file} is a stage list, which also holds the firms; leave network.nodes empty")
    elif settings.nodes:
        nodes = read_table(settings.nodes, settings)
        notes += nodes.notes
        nodes = nodes.where({column: value for column, value in filters.items() if column in nodes.columns}, "network.filter")
        of_firms = _Columns(nodes, in_normal_form(settings.node_columns), "network.node_columns")
    else:
        of_firms = None
    return _joined(table, of_firms, settings, notes)


def _is_list(settings: FromFile) -> bool:
    """Whether a CSV file has Chinese headings of suppliers and customers, and none of the names that this module looks for.

    Only the first bytes are looked at: a file of links may be large.
    """
    ends = ("supplier", "customer")
    if settings.format != "auto" or settings.filter or any(settings.columns.get(key, key) != key for key in ends):
        return False
    return begins_as_a_list(settings.path, settings)


def _from_workbook(settings: FromFile, notes: list[str]) -> tuple[Table, Table]:
    """Return the links and the firms of a workbook."""
    if settings.filter:
        raise NetworkError(
            "network.filter is for CSV files; keep the rows of the chain in a sheet of their own, and name it in network.sheet"
        )
    typed = [(key, name) for of in (settings.columns, settings.node_columns) for key, name in in_normal_form(of).items() if key != name]
    choices = Choices(dict(typed), settings.sheet, settings.nodes_sheet, settings.unit, "network.")
    imported = read_workbook([path for path in (settings.path, settings.nodes) if path], choices, settings)
    notes += imported.notes
    return imported.links, imported.firms


def _joined(table: Table, of_firms: _Columns | None, settings: FromFile, notes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read links and firms, and set the rows of firms for their names; without a table of firms, they are those of the links."""
    if table.trailing and of_firms is not None:
        links, ends = _pairs(table, of_firms.find("firm", needed=True)), (PAIRS, PAIRS)
    else:
        links, ends = _links(table, settings, notes)
    if of_firms is None:
        names = pd.unique(links[["supplier", "customer"]].to_numpy().ravel())
        of_firms = _Columns(Table(table.file, ("firm",), names[:, None], np.zeros(names.size, dtype=np.int64)), {}, "")
    stages = _stages(of_firms, settings, notes)

    row = pd.Series(np.arange(len(stages)), index=stages["name"])
    for end, column in zip(("supplier", "customer"), ends, strict=True):
        place = links[end].map(row)
        for k in np.flatnonzero(place.isna())[:1]:
            name, file = links[end].iloc[k], of_firms.table.file
            known = nearest(name, stages["name"])
            raise table.refuse(int(links["at"].iloc[k]), column, f"firm {quoted(name)} is not in {file}{known}; add a row for it there")
        links[end] = place.astype(np.int64)
    _refuse_links(links, stages, table)
    stages.attrs |= {"file": of_firms.table.file, "links": table.file}
    stages["linked"] = np.isin(np.arange(len(stages)), links[["supplier", "customer"]])
    _sectors_of_links(links, stages, table)
    links["stated"] = links["units"].notna()
    links["counted"] = links["stated"].any()
    if missing := int((links["units"].isna() & links["value"].isna()).sum()):
        notes.append(f"units are not given on {missing} of {len(links)} links: one unit of each input")
    return stages, links.fillna({"units": 1.0})


def _links(table: Table, settings: FromFile, notes: list[str]) -> tuple[pd.DataFrame, tuple[str, str]]:
    """Return the links of a table with one row for each link, and the names of its columns of suppliers and customers."""
    columns = _Columns(table, in_normal_form(settings.columns), "network.columns")
    ends = columns.find("supplier", needed=True), columns.find("customer", needed=True)
    notes += columns.unread(LINK_COLUMNS, in_normal_form(settings.filter))
    links = {
        "supplier": table.names(ends[0]),
        "customer": table.names(ends[1]),
        "units": columns.numbers("units", MOST, positive=True),
        "value_share": columns.numbers("value_share", most=1.0),
        "value": columns.numbers("value", MOST, positive=True),
        "sector": columns.text("sector"),
        "essential": columns.flags("essential"),
        "at": np.arange(len(table)),
    }
    return pd.DataFrame(links), ends


def _pairs(table: Table, firm: str) -> pd.DataFrame:
    """Return the links of a stage list: every stage is the customer of the stages that follow it in pairs."""
    links_read: list[tuple[str, str, float, int]] = []
    for k, (customer, cells) in enumerate(zip(table.names(firm), table.trailing, strict=True)):
        if len(cells) % 2:
            raise table.refuse(k, PAIRS, f"{len(cells)} cells do not make pairs; write an upstream stage, its quantity, and so on")
        for supplier, quantity in zip(cells[::2], cells[1::2], strict=True):
            units = (
                read_number(quantity, MOST, positive=True)
                if quantity
                else f"the quantity of {quoted(supplier)} is blank; write it, 1 if unknown"
            )
            if not supplier or isinstance(units, str):
                raise table.refuse(k, PAIRS, units if isinstance(units, str) else "an upstream stage is blank; write its name")
            links_read.append((supplier, customer, units, k))
    if not links_read:
        raise NetworkError(f"{table.file}: no row has an upstream stage, so there is no link; write pairs of stage and quantity")
    links = pd.DataFrame(links_read, columns=["supplier", "customer", "units", "at"])
    return links.assign(value_share=np.nan, value=np.nan, sector="", essential=False)


def _stages(nodes: _Columns, settings: FromFile, notes: list[str]) -> pd.DataFrame:
    """Return one row for each stage with what the file says about it; '' or NaN if it says nothing."""
    table = nodes.table
    column = nodes.find("firm", needed=True)
    notes += nodes.unread(NODE_COLUMNS, in_normal_form(settings.filter))
    names = table.names(column)
    for k in np.flatnonzero(pd.Series(names).duplicated())[:1]:
        first = table.row[np.flatnonzero(names == names[k])[0]]
        problem = f"{names[k]!r} is already in row {first}; names must be unique (network.filter picks one of several chains)"
        raise table.refuse(int(k), column, problem)
    kinds, collapsed = nodes.text("kind"), listed(settings.collapse)
    if collapsed and not (kinds != "").any():
        if nodes.setting:
            nodes.find("kind", needed=True)
        raise NetworkError(f"network.collapse needs the kinds of firms, and {table.file} gives none; put them in a column of network.nodes")
    for kind in (kind for kind in collapsed if kind not in kinds):
        notes.append(f"no stage is of the kind {kind!r} that network.collapse lists")
    texts = {key: nodes.text(key) for key in ("chain", "sector", "county")}
    numbers = {key: nodes.numbers(key, MOST, positive=key == "price") for key in ("cost", "price", "demand")}
    sizes = [size(cell) for cell in nodes.text("size")]
    for k in [k for k, said in enumerate(sizes) if said is None][:1]:
        shown = quoted(str(nodes.text("size")[k]))
        raise table.refuse(k, nodes.find("size"), f"{shown} is no size; write small, medium or large (小型, 中型, 大型), or leave it blank")
    numbers["size"] = np.array([SIZE_CLASSES.index(said) if said else -1 for said in sizes], dtype=np.float64)
    numbers |= _quality(nodes, names)
    where = [f"{table.file}, row {row}" for row in table.row]
    stages = pd.DataFrame({"name": names, "kind": kinds, **texts, **numbers, "marked": nodes.flags("leader"), "where": where})
    return stages.assign(collapsed=np.isin(kinds.astype(np.str_), np.array(collapsed, dtype=np.str_)))


def _quality(nodes: _Columns, names: NDArray[np.object_]) -> dict[str, Floats]:
    """Return what the file says of the quality of each stage, by column; NaN where it says nothing."""
    table = nodes.table
    figures: dict[str, Floats] = {}
    for key in QUALITY_COLUMNS:
        name = nodes.find(key)
        figures[key] = np.full(len(table), np.nan)
        if not name:
            continue
        cells = table.text(name)
        # Values repeat: each different cell is converted once.
        known = {cell: figure(key, cell, unit_of_shares(name)) for cell in dict.fromkeys(cells)}
        for k, cell in enumerate(cells):
            if isinstance(value := known[cell], str):
                raise table.refuse(k, name, value)
            figures[key][k] = value
    if all(np.isnan(column).all() for column in figures.values()):
        return figures
    for k, name in enumerate(names):
        if found := contradiction(str(name), {key: float(column[k]) for key, column in figures.items()}):
            raise table.refuse(k, nodes.find(found[0]), found[1])
    return figures


def _refuse_links(links: pd.DataFrame, stages: pd.DataFrame, table: Table) -> None:
    """Refuse a link from a firm to itself, a link that is given twice, and value shares for only some inputs of a firm."""

    def refuse(k: int, problem: str) -> NetworkError:
        ends = " → ".join(repr(stages["name"].iloc[links[end].iloc[k]]) for end in ("supplier", "customer"))
        return NetworkError(f"{table.file}, row {table.row[links['at'].iloc[k]]}: link {ends} {problem}")

    for k in np.flatnonzero(links["supplier"] == links["customer"])[:1]:
        raise refuse(int(k), "makes a firm its own supplier; leave it out")
    twice = links.duplicated(["supplier", "customer"])
    for k in np.flatnonzero(twice)[:1]:
        same = (links[["supplier", "customer"]] == links[["supplier", "customer"]].iloc[k]).all(axis=1)
        raise refuse(int(k), f"is already in row {table.row[links['at'][same].iloc[0]]}; add the two up")
    given = links["value_share"].notna()
    for k in np.flatnonzero(~given & given.groupby(links["customer"]).transform("any"))[:1]:
        raise refuse(int(k), "has no value share, but other inputs of that customer have; give all of them or none")


def _sectors_of_links(links: pd.DataFrame, stages: pd.DataFrame, table: Table) -> None:
    """Give each supplier without a sector the sector that its links name."""
    named = links[links["sector"] != ""]
    first = named.groupby("supplier")["sector"].first()
    for k in np.flatnonzero(named["sector"] != named["supplier"].map(first))[:1]:
        link = named.iloc[k]
        name = stages["name"].iloc[link["supplier"]]
        problem = f"{name!r} is in {link['sector']!r} here and in {first[link['supplier']]!r} before; give each supplier one sector"
        raise NetworkError(f"{table.file}, row {table.row[link['at']]}, sector: {problem}")
    stages["sector"] = stages["sector"].mask(stages["sector"] == "", first.reindex(stages.index).fillna(""))
