"""Tables of generated pages in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["row", "table"]


def row(cells: Iterable[Any]) -> str:
    """Return a line of a table; a bar in a cell does not end it."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    """Return a table's lines."""
    head = list(head)
    return [row(head), row("---" for _ in head), *(row(one) for one in rows)]
