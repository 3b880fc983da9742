"""An input-output table of sectors as statistical offices publish it: read strictly, and reduced to the kept sectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from agents.spelling import nearest
from sim.build.reading.content import DEFAULTS, Reading
from sim.build.reading.quoted import some
from sim.build.reading.table import Table, read_table
from sim.network.fixed_points import NetworkError

__all__ = ["SectorTable", "read_sector_table"]


MOST = 1e18
"""Largest number that a table may hold, in any currency unit: what is larger is a slip."""
SAME_UNIT = "flows and gross outputs must be in one unit, and every sector adds value"


@dataclass(frozen=True, eq=False)
class SectorTable:
    """An input-output table that balances: the output of a sector is what sectors and users buy from it.

    Attributes
    ----------
    codes, names : tuple of str, length k
    flows : float array, shape (k, k)
        ``flows[r, s]`` is what sector s buys from sector r, in the table's unit.
    users : float array, shape (k,)
        Sales to all others: final demand, exports, and sectors that are not kept.
    weight : float array, shape (k,)
        Proportions of the numbers of firms: the numbers of the file, or gross outputs.
    published : float array, shape (k,)
        Gross outputs of the file; `output` differs from it where sales to users had to be raised to 0.
    notes : tuple of str
        Changes that were made to the table.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    flows: Floats
    users: Floats
    weight: Floats
    published: Floats
    notes: tuple[str, ...] = ()

    @property
    def output(self) -> Floats:
        """Gross output: what sectors and users buy, shape (k,)."""
        return self.flows.sum(axis=1) + self.users

    @property
    def coefficients(self) -> Floats:
        """Technical coefficients ``a[r, s]``: what s buys from r for 1 of its own output, shape (k, k)."""
        return self.flows / self.output

    @property
    def multipliers(self) -> Floats:
        """Leontief's output multipliers: column sums of ``(I - A)^-1``, shape (k,) (Miller & Blair 2009, ch. 6)."""
        # The result is float64, which NumPy's type hints do not say.
        return np.asarray(np.linalg.solve(np.eye(len(self.codes)) - self.coefficients.T, np.ones(len(self.codes))), dtype=np.float64)


def read_sector_table(
    path: str | Path,
    sectors_path: str | Path,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    domestic: bool = False,
    reading: Reading = DEFAULTS,
) -> SectorTable:
    """Read a table of flows and a list of its sectors.

    flows
        First row and first column hold the sectors' codes; the row's sector supplies the column's. Blank is 0.
        Rows may be in another order than columns.
    sectors
        Columns ``code`` and ``gross_output``; ``name`` or ``name_zh`` for the names (the code where both are missing);
        ``firms`` for their numbers; ``IM`` for imports.
    technical coefficients
        ``a_rs = flow_rs / gross output_s``, as published: imported inputs count as if made here. With `domestic`
        imports are taken out: from sector r every customer gets the share ``gross output / (gross output + imports)``
        from inside (import proportionality; Miller & Blair 2009, ch. 4).
    sales to users
        Gross output less what the kept sectors buy. Where this is below 0 (imports exceed the purchases of users) it is
        raised to 0. Then coefficients, outputs and users cannot all be met, and outputs change
        to ``x = f + A x``. With `domestic` this is rare. Columns of final demand are not needed and not read.

    Parameters
    ----------
    path, sectors_path : str or Path
    keep, drop : sequence of str
        Codes of the sectors to keep (all, if empty) and to leave out.
    domestic : bool
    reading : Reading
        As in `read_table`.

    Raises
    ------
    NetworkError
        One line: what is wrong, in which file, row and column, and what would be right.
    """
    codes, flows, table = _flows(read_table(path, reading))
    listing, rows = _sectors(read_table(sectors_path, reading), codes, table)
    output = _outputs(listing, rows)
    kept = _kept(codes, keep, drop, table.file)
    notes = [*table.notes, *listing.notes]
    if domestic:
        imports = np.nan_to_num(listing.numbers("IM", MOST)[rows]) if "IM" in listing.columns else None
        if imports is None:
            raise NetworkError(
                f"{listing.file} has no column 'IM'; network.domestic takes imports out of the flows: add them, or leave it off"
            )
        flows = flows * (output / (output + imports))[:, None]
        notes.append("imports are taken out of the flows, in the same proportion for every customer")
    if len(kept) < len(codes):
        notes.append(f"{len(kept)} of {len(codes)} sectors are kept: what they sell to the others counts as sold to users")
    flows, output = flows[np.ix_(kept, kept)], output[kept]
    _add_value(flows, output, [codes[k] for k in kept], table)
    users, coefficients = output - flows.sum(axis=1), flows / output
    short = np.flatnonzero(users < -1e-6 * output)
    users = np.maximum(users, 0.0)
    made = np.linalg.solve(np.eye(len(kept)) - coefficients, users)
    if short.size:
        worst = int(np.argmax(made / output))
        notes.append(
            f"{short.size} sectors have negative sales to users (imports): raised to 0, so that outputs are up to "
            f"{made[worst] / output[worst]:.3g} times those of the file (sector {codes[kept[worst]]})"
        )
    chosen = rows[kept]
    weight = _numbers_of_firms(listing, chosen) if "firms" in listing.columns else made
    return SectorTable(
        tuple(codes[k] for k in kept), _names(listing, chosen), coefficients * made, users, weight, output, tuple(notes)
    )  # fmt: skip


def _flows(table: Table) -> tuple[list[str], Floats, Table]:
    """Return the codes in the order of the columns, and the flows, shape (k, k)."""
    head, *codes = table.columns
    if not codes:
        raise NetworkError(f"{table.file} has one column; it must hold the codes of sectors in row 1 and column 1, separated by commas")
    listed = [str(code) for code in table.names(head)]
    place: dict[str, int] = {}
    for k, code in enumerate(listed):
        if code in place:
            raise table.refuse(k, head, f"sector {code!r} is already in row {table.row[place[code]]}; give each sector one row")
        if code not in codes:
            raise table.refuse(k, head, f"sector {code!r} has no column; a table must be square{nearest(code, codes)}")
        place[code] = k
    if lacking := [code for code in codes if code not in place]:
        raise NetworkError(
            f"{table.file}, column {lacking[0]!r}: the sector has no row; a table must be square ({len(listed)} × {len(codes)})"
        )
    flows = np.column_stack([table.numbers(code, MOST) for code in codes])[[place[code] for code in codes]]
    return codes, np.nan_to_num(flows), table


def _sectors(listing: Table, codes: list[str], table: Table) -> tuple[Table, NDArray[np.int64]]:
    """Return the list of sectors, and the row in it of each code."""
    for column in ("code", "gross_output"):
        if column not in listing.columns:
            raise NetworkError(
                f"{listing.file} has no column {column!r}; it has {some(listing.columns, 20)}; the list of sectors needs code and "
                f"gross_output{nearest(column, listing.columns)}"
            )
    place: dict[str, int] = {}
    for k, code in enumerate(map(str, listing.names("code"))):
        if code in place:
            raise listing.refuse(k, "code", f"sector {code!r} is already in row {listing.row[place[code]]}; give each sector one row")
        if code not in codes:
            raise listing.refuse(
                k, "code", f"sector {code!r} is not in {table.file}; correct it, or leave the row out{nearest(code, codes)}"
            )
        place[code] = k
    if lacking := [code for code in codes if code not in place]:
        raise NetworkError(f"{listing.file} has no row for sector {lacking[0]!r} of {table.file}; add its code and gross_output")
    return listing, np.array([place[code] for code in codes], dtype=np.int64)


def _outputs(listing: Table, rows: NDArray[np.int64]) -> Floats:
    """Return gross outputs in the order of the codes."""
    output = listing.numbers("gross_output", MOST)
    for k in np.flatnonzero(~(output > 0))[:1]:
        raise listing.refuse(int(k), "gross_output", "the sector has no output; give a number above 0, or delete it from both files")
    return output[rows]


def _kept(codes: list[str], keep: Sequence[str], drop: Sequence[str], file: str) -> NDArray[np.int64]:
    """Return the positions of the kept sectors."""
    for name, listed in (("keep", keep), ("drop", drop)):
        for code in listed:
            if code not in codes:
                raise NetworkError(
                    f"network.{name} names {code!r}, which is not a sector of {file}; there are {some(codes)}{nearest(code, codes)}"
                )
    kept = [k for k, code in enumerate(codes) if (not keep or code in keep) and code not in drop]
    if not kept:
        raise NetworkError(f"network.keep and network.drop leave no sector of {file}; keep at least one")
    return np.array(kept, dtype=np.int64)


def _add_value(flows: Floats, output: Floats, codes: list[str], table: Table) -> None:
    """Refuse a sector whose purchases reach its output."""
    bought = flows.sum(axis=0) / output
    for k in np.flatnonzero(bought >= 1.0)[:1]:
        raise NetworkError(
            f"{table.file}, column {codes[k]!r}: the flows add up to {bought[k]:.4g} of the sector's gross output, and must "
            f"stay below 1; {SAME_UNIT}"
        )


def _names(listing: Table, rows: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the names of sectors: with their codes if two have the same name, only the code if there is no name."""
    column = next((name for name in ("name", "name_zh") if name in listing.columns), "code")
    names = listing.labels(column)
    pairs = [(str(listing.text("code")[k]), str(names[k])) for k in rows]
    all_names = [name for _, name in pairs]
    return tuple(name if name and all_names.count(name) == 1 else f"{code} {name}".strip() for code, name in pairs)


def _numbers_of_firms(listing: Table, rows: NDArray[np.int64]) -> Floats:
    """Return the column of numbers of firms."""
    numbers = listing.numbers("firms", MOST)
    for k in np.flatnonzero(~(numbers > 0))[:1]:
        raise listing.refuse(int(k), "firms", "the sector has no firm; give a number above 0, or leave the column out")
    return numbers[rows]
