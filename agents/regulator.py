"""The market regulator (市场监管)."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Column, Row

__all__ = ["REGULATOR", "Regulator"]

REGULATOR: dict[str, Column] = {
    "sampled": Column("int64", "samples", "random samples taken so far"),
    "failed": Column("int64", "samples", "random samples that did not conform so far"),
    "targeted": Column("int64", "samples", "risk-targeted samples taken so far"),
    "targeted_failed": Column("int64", "samples", "risk-targeted samples that did not conform so far"),
    "recalls": Column("int64", "recalls", "recalls so far"),
}


class Regulator(Row):
    """Samples products, at random and where it sees a risk, orders what fails to be put right, and keeps count of recalls."""

    population: ClassVar[str] = "regulators"

    @property
    def pass_rate(self) -> float:
        """Share of the random samples so far that conformed; not a number before the first."""
        return 1.0 - self.failed / self.sampled if self.sampled else float("nan")

    @property
    def targeted_fail_rate(self) -> float:
        """Share of the risk-targeted samples so far that failed; not a number before the first."""
        return self.targeted_failed / self.targeted if self.targeted else float("nan")
