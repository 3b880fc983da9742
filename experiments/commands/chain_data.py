"""What a list of suppliers holds, and what the model will assume: figures for the page on its data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from experiments.languages.wording import say
from sim.build.reading.mapping import SheetRead
from sim.build.reading.quality import GROUPS
from sim.build.reading.workbook import Imported
from sim.network.network import SupplyNetwork

__all__ = ["Customer", "Facts", "SheetFacts", "Supplier", "facts_of"]

#: Most names of a list, and most rows of a table, that the page shows.
SHOWN, ROWS = 20, 20


@dataclass(frozen=True)
class SheetFacts:
    """How one sheet was read: columns are (heading, what it is, unit), and what is left out is (reason, number, rows)."""

    where: str
    header: int
    rows: int
    columns: list[tuple[str, str, str]]
    unread: list[str]
    left_out: list[tuple[str, int, str]]
    hidden_rows: int
    formulas: int
    notes: list[str]


@dataclass(frozen=True)
class Customer:
    """What a customer buys: number of suppliers, CNY a year (NaN without amounts), its largest supplier and the share of that one."""

    name: str
    suppliers: int
    bought: float
    largest: str
    share: float


@dataclass(frozen=True)
class Supplier:
    """What a supplier sells: number of customers, CNY a year, and its share of all purchases."""

    name: str
    customers: int
    sold: float
    share: float


@dataclass(frozen=True)
class Facts:
    """Everything that the page says; names stand as they are, and the page escapes them."""

    file: str
    sheets: list[SheetFacts]
    hidden: list[str]
    unused: list[str]
    firms: int
    links: int
    chains: int
    leaders: list[str]
    n_leaders: int
    marked: bool
    tiers: list[tuple[int, int]]
    bought: float
    blank_values: int
    customers: list[Customer]
    n_customers: int
    suppliers: list[Supplier]
    n_suppliers: int
    isolated: list[str]
    unreached: list[str]
    loops: list[list[str]]
    other_tiers: list[str]
    sizes: dict[str, int]
    with_county: bool
    without_county: list[str]
    sectors: str
    products: list[tuple[str, str]]
    alike: list[list[str]]
    conflicts: list[tuple[str, str, str, str]]
    repeated: list[tuple[str, str, int]]
    not_listed: list[str]
    material_share: float
    median_revenue: float
    quality: list[tuple[str, str, int]]

    @property
    def has_values(self) -> bool:
        """Whether the list has amounts."""
        return math.isfinite(self.bought)


def listed(names: Iterable[str]) -> list[str]:
    """Return the first names, and the number of the others as a name."""
    every = list(names)
    return every[:SHOWN] + ([say("workbook.others", number=len(every) - SHOWN)] if len(every) > SHOWN else [])


def facts_of(file: str, imported: Imported, network: SupplyNetwork, material_share: float, median_revenue: float) -> Facts:
    """Gather what the page says.

    Parameters
    ----------
    file : str
    imported : Imported
        What the list says.
    network : SupplyNetwork
        What the model makes of it.
    material_share, median_revenue : float
        Settings with which it was made.
    """
    names = [str(name) for name in network.names]
    place = {name: i for i, name in enumerate(names)}
    table = imported.links
    ends = [np.array([place[str(name)] for name in table.text(key)]) for key in ("supplier", "customer")]
    value = table.numbers("value") if "value" in table.columns else np.full(len(table), np.nan)
    weight = np.nan_to_num(value) if "value" in table.columns else np.ones(len(table))
    sold, bought = (np.bincount(end, weight, network.n_firms) for end in ends)
    customers_of, suppliers_of = (np.bincount(end, minlength=network.n_firms) for end in ends)
    total = float(weight.sum())
    money = "value" in table.columns

    largest: dict[int, int] = {}
    for k in np.lexsort((table.text("supplier").astype(np.str_), -weight)):
        largest.setdefault(int(ends[1][k]), int(k))
    buyers = sorted(largest, key=lambda i: (-bought[i], names[i]))
    sellers = sorted(np.flatnonzero(customers_of).tolist(), key=lambda i: (-sold[i], names[i]))
    label, group = connected_components(network.by_customer, connection="strong")
    sizes = np.bincount(group, minlength=label)
    loops = [[names[i] for i in np.flatnonzero(group == g)] for g in np.flatnonzero(sizes > 1)]
    linked = (customers_of + suppliers_of) > 0
    leaders = [names[i] for i in np.flatnonzero(network.leader)]
    tiers, counts = np.unique(network.tier[network.tier >= 0], return_counts=True)
    return Facts(
        file=file,
        sheets=[_sheet(read) for read in (imported.of_links, imported.of_firms) if read is not None],
        hidden=listed(imported.hidden),
        unused=listed(imported.unused),
        firms=network.n_firms,
        links=network.n_links,
        chains=len(network.chains),
        leaders=listed(leaders),
        n_leaders=len(leaders),
        marked=imported.marked > 0,
        tiers=[(int(tier), int(count)) for tier, count in zip(tiers, counts, strict=True)],
        bought=total if money else float("nan"),
        blank_values=imported.blank_values,
        customers=[
            Customer(
                names[i],
                int(suppliers_of[i]),
                float(bought[i]) if money else float("nan"),
                names[ends[0][largest[i]]],
                float(weight[largest[i]] / bought[i]) if money and bought[i] > 0 else float("nan"),
            )
            for i in buyers[:ROWS]
        ],
        n_customers=len(buyers),
        suppliers=[
            Supplier(names[i], int(customers_of[i]), float(sold[i]) if money else float("nan"), float(sold[i] / total))
            for i in sellers[:ROWS]
        ],
        n_suppliers=len(sellers),
        isolated=listed(names[i] for i in np.flatnonzero(~linked)),
        unreached=listed(names[i] for i in np.flatnonzero(linked & (network.tier < 0))),
        loops=[listed(loop) for loop in loops[:SHOWN]],
        other_tiers=_other_tiers(imported, place, network),
        sizes={kind: imported.sizes.get(kind, 0) for kind in ("given", "computed", "none")},
        with_county=network.county is not None,
        without_county=listed(imported.without_county),
        sectors=imported.sectors,
        products=imported.products[:SHOWN],
        alike=[list(group) for group in imported.alike[:SHOWN]],
        conflicts=[(one[0], say(f"workbook.keys.{one[1]}"), one[2], one[3]) for one in imported.conflicts[:SHOWN]],
        repeated=imported.repeated[:SHOWN],
        not_listed=listed(imported.not_listed),
        material_share=material_share,
        median_revenue=median_revenue,
        quality=_quality(network),
    )


def _quality(network: SupplyNetwork) -> list[tuple[str, str, int]]:
    """Return key, name and number of firms of every figure of quality that a list may give."""
    given = network.quality.given() if network.quality else dict.fromkeys(GROUPS, 0)
    return [(key, say(f"workbook.keys.{key}"), given[key]) for key in GROUPS]


def _sheet(read: SheetRead) -> SheetFacts:
    columns = [
        (one.heading, say("workbook.of", key=say(f"workbook.keys.{one.key}"), side=one.side and say(f"workbook.keys.{one.side}")), one.unit)
        for one in read.columns
    ]
    return SheetFacts(
        where=(read.sheet.where if not read.sheet.name else say("workbook.sheet", file=read.sheet.file, name=read.sheet.name)),
        header=read.header_row,
        rows=read.rows,
        columns=columns,
        unread=listed(read.unread),
        left_out=[(say(f"workbook.reasons.{reason}"), len(rows), _rows(rows)) for reason, rows in read.left_out.items()],
        hidden_rows=read.hidden_rows,
        formulas=read.sheet.formulas,
        notes=[say("workbook.read_as", encoding=read.sheet.encoding, names=read.sheet.first)] if read.sheet.encoding else [],
    )


def _rows(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:SHOWN])) + (" …" if len(rows) > SHOWN else "")


def _other_tiers(imported: Imported, place: dict[str, int], network: SupplyNetwork) -> list[str]:
    """Return the firms for which the list states another tier than follows from the links."""
    numerals = {"零": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6}
    wrong = []
    for firm, text in imported.tiers.items():
        found = [int(sign) if sign.isdigit() else numerals[sign] for sign in text if sign.isdecimal() or sign in numerals]
        if len(found) == 1 and found[0] != network.tier[place[firm]]:
            wrong.append(firm)
    return listed(wrong)
