"""Numbers, shares and sums of money as people read them, each format once, and tables in Markdown."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = [
    "FILTERS",
    "UNKNOWN",
    "amounts",
    "count",
    "fixed",
    "in_calendar",
    "markdown",
    "mean_count",
    "money",
    "percent",
    "percent_of",
    "rounded",
    "row",
    "signed_percent",
    "significant",
    "table",
    "value",
]

#: What stands for a number that is not known.
UNKNOWN = "–"

# -- months ----


def in_calendar(month: float, start: str) -> str:
    """Name the month of the calendar that a month of a run is, "2026-03", where month 1 is `start`."""
    year, of_year = map(int, start.split("-"))
    years, months = divmod(of_year + round(month) - 2, 12)
    return f"{year + years}-{months + 1:02d}"


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


def fixed(value: float, decimals: int, sign: bool = False) -> str:
    """Write a number with so many decimals; `sign` puts a plus before one above 0. What is rounded to 0 has no sign."""
    text = f"{abs(value):,.{decimals}f}"
    if round(value, decimals) == 0.0:
        return text
    return f"{'−' if value < 0.0 else '+' if sign and value > 0.0 else ''}{text}"


def rounded(values: Sequence[float], digits: int = 3) -> list[str]:
    """Write numbers with as many decimals each as give the largest so many figures; a dash for what is not known."""
    decimals = _decimals(values, digits)
    return [UNKNOWN if math.isnan(value) else fixed(value, decimals, False) for value in values]


def percent(values: Sequence[float], sign: bool = True) -> list[str]:
    """Write shares in %, all with as many decimals as the smallest of them needs."""
    whole = [100.0 * value for value in values]
    decimals = max(1, _decimals(whole, 2))
    return [UNKNOWN if math.isnan(value) else fixed(value, decimals, sign) for value in whole]


def amounts(values: Sequence[float], sign: bool, units: Sequence[tuple[float, str]]) -> tuple[list[str], str]:
    """Write sums of money with three figures in a unit that fits them all, and return that unit.

    Parameters
    ----------
    values : sequence of float
        CNY.
    sign : bool
        Whether a plus is written.
    units : sequence of (float, str)
        What a unit is worth in CNY, and its name; the largest first.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    scale, unit = next((one for one in units if largest >= one[0]), units[-1])
    scaled = [value / scale if math.isnan(value) else float(f"{value / scale:.3g}") for value in values]
    return [fixed(value, _decimals(scaled, 3), sign) for value in scaled], unit


def money(value: float, unit: float) -> str:
    """Write an amount in a unit that is worth so many CNY, with as many decimals as its size asks for, three at most."""
    in_units = value / unit
    decimals = 0 if abs(in_units) >= 100.0 else 1 if abs(in_units) >= 10.0 else 2 if abs(in_units) >= 1.0 else 3
    text = f"{abs(in_units):,.{decimals}f}"
    return UNKNOWN if math.isnan(value) else f"−{text}" if in_units < 0.0 and float(text.replace(",", "")) else text


def significant(value: float, digits: int = 3, sign: bool = False) -> str:
    """Write a number with so many figures, never with an exponent of ten below a million; `sign` puts a plus before one above 0."""
    if math.isnan(value):
        return UNKNOWN
    rounded_value = float(f"{value:.{digits}g}")
    text = f"{abs(rounded_value):,.0f}" if abs(rounded_value) >= 10.0 ** (digits - 1) else f"{abs(rounded_value):.{digits}g}"
    return f"{'−' if rounded_value < 0.0 else '+' if sign and rounded_value > 0.0 else ''}{text}"


def signed_percent(value: float) -> str:
    """Write a difference in %, to a tenth; empty where it is not known."""
    if not math.isfinite(value):
        return ""
    return f"{fixed(value, 1, True)} %"


def percent_of(value: float) -> str:
    """Write a share as whole %, without the sign for %."""
    return UNKNOWN if math.isnan(value) else fixed(100.0 * value, 0)


def count(value: float) -> str:
    """Write a count; that there is none, and that none is enough."""
    return UNKNOWN if math.isnan(value) else f"{value:,.0f}" if math.isfinite(value) else "∞"


def mean_count(value: float) -> str:
    """Write the mean of a count: to a tenth where it is small."""
    if math.isnan(value):
        return UNKNOWN
    text = f"{abs(value):,.0f}" if abs(value) >= 100.0 or value == int(value) else f"{abs(value):,.1f}"
    return f"−{text}" if value < 0.0 and float(text.replace(",", "")) else text


def value(of: Any, none: str = "none") -> str:
    """Write the value of a setting; `none` stands for what is empty or not set."""
    if isinstance(of, list | tuple | dict):
        return ", ".join(value(one, none) for one in of) or none
    if isinstance(of, bool) or not isinstance(of, int | float):
        return none if of is None else str(of).lower() if isinstance(of, bool) else str(of)
    return f"{int(of):,}" if of == int(of) and 1e4 <= abs(of) < 1e12 else f"{of:.6g}"


def markdown(text: str) -> str:
    r"""Return a text as Markdown shows it, whatever signs it holds.

    Examples
    --------
    >>> markdown("A|B <c> *d*")
    'A\\|B &lt;c&gt; \\*d\\*'
    """
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", html.escape(text, quote=False))


#: The formats that templates use, by name.
FILTERS: dict[str, Callable[..., Any]] = {
    "count": count,
    "fixed": fixed,
    "markdown": markdown,
    "mean_count": mean_count,
    "percent": percent,
    "percent_of": percent_of,
    "rounded": rounded,
    "significant": significant,
    "value": value,
}


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
