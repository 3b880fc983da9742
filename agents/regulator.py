"""The market regulator (市场监管)."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Ints, Population, Row, column

__all__ = ["Regulator", "Regulators"]


class Regulators(Population):
    """State of the market regulators."""

    sampled: Ints = column("samples", "random samples taken so far")
    failed: Ints = column("samples", "random samples that did not conform so far")
    targeted: Ints = column("samples", "risk-targeted samples taken so far")
    targeted_failed: Ints = column("samples", "risk-targeted samples that did not conform so far")
    recalls: Ints = column("recalls", "recalls so far")


class Regulator(Row):
    """Samples products at random and by risk, orders firms with failed samples to rectify, and counts recalls."""

    population: ClassVar[str] = "regulators"

    @property
    def pass_rate(self) -> float:
        """Share of the random samples so far that conformed; not a number before the first."""
        return 1.0 - self.failed / self.sampled if self.sampled else float("nan")

    @property
    def targeted_fail_rate(self) -> float:
        """Share of the risk-targeted samples so far that failed; not a number before the first."""
        return self.targeted_failed / self.targeted if self.targeted else float("nan")
