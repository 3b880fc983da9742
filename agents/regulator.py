"""The market regulator (市场监管)."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Column, Row

__all__ = ["REGULATOR", "Regulator"]

REGULATOR: dict[str, Column] = {
    "sampled": Column("int64", "samples", "samples taken so far"),
    "failed": Column("int64", "samples", "samples that did not conform so far"),
}


class Regulator(Row):
    """Samples products and keeps count of those that fail."""

    population: ClassVar[str] = "regulators"

    @property
    def pass_rate(self) -> float:
        """Share of all samples so far that conformed; not a number before the first."""
        return 1.0 - self.failed / self.sampled if self.sampled else float("nan")
