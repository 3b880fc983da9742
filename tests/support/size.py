"""At what size checks run: small before every change lands, full in `make verify`."""

from __future__ import annotations

import os
from typing import TypeVar

__all__ = ["FULL", "at_size"]

T = TypeVar("T")

#: Whether all is checked at full size; `make verify` sets the variable.
FULL = os.environ.get("STRONGCHAIN_FULL") == "1"


def at_size(gate: T, full: T) -> T:
    """Return one of two sizes: that of the gate, or the full one."""
    return full if FULL else gate
