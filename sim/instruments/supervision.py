"""Supervision sampling beyond the usual (监督抽查)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.sampling import risk
from sim.parameters import parameter
from sim.world import World

__all__ = ["Supervision"]


@instrument("supervision", dose="samples")
@dataclass(frozen=True, kw_only=True)
class Supervision(Instrument):
    """The regulator takes more samples from the firms taken on, more of them where the risk is high, and its fines are higher (监督抽查, 信用分类监管, 批批检).

    The samples come on top of the usual ones: a part of them goes by the risk that the regulator sees in a firm, the rest is spread
    evenly. As usual, a firm whose sample fails pays the fine and closes a problem; supervision itself finds defects and prevents none.
    The programme samples a firm once a month at most, so that 1,000 samples per 1,000 firms and month, spread evenly, are every batch
    (批批检; Daizhou, F198).

    Cost: government pays for the samples and receives the fines; the firm pays the fine and corrects what failed.
    Ends: the additional samples and the higher fine.
    Stays: closed problems, and the record of failed samples, for `parameters.risk_months`.
    Practice: 1,922 batches in Jiaxing (F229); from how many firms is not reported, so the number of samples is an assumption, like the
    effects.
    """

    label: ClassVar[str] = "closer supervision"
    label_zh: ClassVar[str] = "监督抽查"
    theme: ClassVar[Theme] = Theme.OVERSIGHT
    treats: ClassVar[tuple[str, ...]] = KINDS
    hinges_on: ClassVar[str] = "instruments.supervision.samples"
    #: Full dose: every batch is sampled.
    doses_shown: ClassVar[tuple[float, ...]] = (20.0, 100.0, 250.0, 500.0, 1000.0)
    budget_lever: ClassVar[str] = "samples"
    counted: ClassVar[dict[str, str]] = {"samples": "samples taken in addition to the usual ones"}

    samples: float = parameter(
        20.0, 0.0, 1_000.0, "samples per 1,000 firms and month", "assumption: as many as the usual ones by risk", "N",
        "additional samples from the firms of the programme",
    )  # fmt: skip
    targeted: float = parameter(
        0.7, 0.0, 1.0, "share", "assumption", "N", "share of these samples for which firms are chosen by risk; the rest is spread evenly"
    )
    sharper_fine: float = parameter(
        0.5, 0.0, 10.0, "1", "assumption", "N", "increase of the fine for the firms of the programme, as a multiple of the usual fine"
    )
    sample_cost: float = parameter(3_000.0, 0.0, 1e6, "CNY/sample", "assumption: purchase and tests", "N", "government's cost of a sample")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` takes the samples."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Order the month's samples, in the order of entry as far as the budget goes, and announce the fine."""
        world.lend("sharper_fine", rows, self.sharper_fine)
        chance = self._chance(world, rows)
        ordered = rows[world.draw_for("sampled by the programme", world.firms, rows) < chance]
        ordered = ordered[self.sample_cost * np.arange(1, ordered.size + 1) <= programme.left]
        world.lend("watched", ordered, 1.0)
        programme.spend(world, "households", world.for_firms(ordered, self.sample_cost))
        programme.counts["samples"] += int(ordered.size)

    def _chance(self, world: World, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probability that each of some firms is sampled this month; 0 for a firm that ships nothing; shape of `rows`."""
        ships = (world.firms.alive & (world.firms.output > 0))[rows]
        weight = risk(world)[rows]
        whole, n = float(weight.sum()), max(int(ships.sum()), 1)
        by_risk = weight / whole if whole > 0.0 else ships / n
        return np.minimum(self.samples / 1000.0 * n * (self.targeted * by_risk + (1.0 - self.targeted) * ships / n), 1.0)
