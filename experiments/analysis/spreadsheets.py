"""Tables as a spreadsheet opens them: text that it would execute as a formula stays text."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

__all__ = ["MARK", "csv", "for_spreadsheets", "harmless"]

#: A byte-order mark, so that spreadsheets read a CSV file as UTF-8 and show Chinese.
MARK = b"\xef\xbb\xbf"
#: What a spreadsheet takes as the beginning of a formula; the wide forms too, which it takes as the narrow ones where Chinese is typed.
FORMULA = re.compile(r"[=+\-@\t\n＝＋－＠]")
#: What is a number for a spreadsheet: it is not executed, and stays a number.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def harmless(cell: Any) -> Any:
    """Return a cell or a head of a column so that a spreadsheet executes nothing: an apostrophe before text that begins as a formula.

    Numbers stay as they are, also those written as text (``-0.5``). A carriage return becomes a line break, because it would begin a row.
    """
    if not isinstance(cell, str) or NUMBER.fullmatch(cell):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if FORMULA.match(text) else text


def for_spreadsheets(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose cells and heads of columns are `harmless`; the table itself is left as it is."""
    columns = []
    for k in range(table.shape[1]):
        column = table.iloc[:, k]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            changed = {cell: safe for cell in column.unique() if (safe := harmless(cell)) != cell}
            if changed:  # else the column stays as it is, to the bit
                column = column.astype(object).map(lambda cell, changed=changed: changed.get(cell, cell))
        columns.append(column)
    shown = pd.concat(columns, axis=1) if columns else table.copy()
    return shown.set_axis([harmless(head) for head in table.columns], axis=1)


def csv(table: pd.DataFrame, head: bool = True) -> bytes:
    """Write a table as CSV for spreadsheets, without a byte-order mark."""
    return for_spreadsheets(table).to_csv(index=False, header=head, lineterminator="\n").encode()
