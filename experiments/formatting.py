"""Numbers, shares, sums of money and intervals as people read them, and tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["amounts", "between", "percent", "rounded", "row", "table"]

# -- numbers -----------------------------------------------------------------------------------------------


def _decimals(values: Sequence[float], digits: int) -> int:
    """Decimals with which the largest value has so many figures, and none that is not 0 looks like it."""
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0.0]
    if not sizes:
        return 0
    decimals = max(0, digits - 1 - math.floor(math.log10(max(sizes))))
    while decimals < 6 and any(round(size, decimals) == 0.0 for size in sizes):
        decimals += 1
    return decimals


def _signed(value: float, decimals: int, sign: bool) -> str:
    text = f"{abs(value):,.{decimals}f}"
    return f"{'−' if value < 0.0 else '+' if sign and value > 0.0 else ''}{text}"


def rounded(values: Sequence[float], digits: int = 3) -> list[str]:
    """Write numbers with as many decimals each as give the largest so many figures; a dash for what is not known."""
    decimals = _decimals(values, digits)
    return ["–" if math.isnan(value) else _signed(value, decimals, False) for value in values]


def percent(values: Sequence[float], sign: bool = True) -> list[str]:
    """Write shares in %, all with as many decimals as the smallest of them needs."""
    whole = [100.0 * value for value in values]
    decimals = max(1, _decimals(whole, 2))
    return [_signed(value, decimals, sign) for value in whole]


def amounts(values: Sequence[float], sign: bool = False) -> tuple[list[str], str]:
    """Write sums of money with three figures in a unit that fits them all, and return that unit."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    scale, unit = next(((s, u) for s, u in ((1e9, "billion CNY"), (1e6, "million CNY")) if largest >= s), (1.0, "CNY"))
    scaled = [value / scale if math.isnan(value) else float(f"{value / scale:.3g}") for value in values]
    return [_signed(value, _decimals(scaled, 3), sign) for value in scaled], unit


def between(low: str, high: str) -> str:
    """Write an interval of two numbers that are written already."""
    return f"{low} to {high}"


# -- tables in Markdown ------------------------------------------------------------------------------------


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
