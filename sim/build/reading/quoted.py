"""Cells of a table as an error message shows them: in quotes, in one line, and not too long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["quoted", "some"]


def quoted(text: str, most: int = 60) -> str:
    """Return a text in quotes: invisible characters as their codes, a long text cut."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}…"


def some(values: Iterable[Any], most: int = 8) -> str:
    """Return the first values in quotes, and the number of the others."""
    listed = list(dict.fromkeys(values))
    shown = ", ".join(quoted(str(value)) for value in listed[:most])
    return shown + (f" and {len(listed) - most} more" if len(listed) > most else "")
