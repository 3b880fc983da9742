"""Tables of generated pages in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["row", "table"]


def row(cells: Iterable[Any]) -> str:
    """Return a line of a table; a bar in a cell does not end it."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def table(head: Iterable[str], rows: Iterable[Iterable[Any]], right: str = "") -> list[str]:
    """Return a table's lines.

    Parameters
    ----------
    head : iterable of str
    rows : iterable of cells
    right : str
        A letter a column, of which ``r`` puts it to the right, as numbers want it; columns beyond its end stand to the left.
    """
    head = list(head)
    sides = right.ljust(len(head))
    return [row(head), row("---:" if side == "r" else "---" for side in sides[: len(head)]), *(row(one) for one in rows)]
