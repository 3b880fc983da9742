"""Recall readiness, and what an industry learns from a recall (缺陷召回)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import teach
from sim.parameters import parameter
from sim.world import World

__all__ = ["Recall"]


@instrument("recall", dose="lesson")
@dataclass(frozen=True, kw_only=True)
class Recall(Instrument):
    """Firms prepare for recalls, and a whole industry learns from each recall (缺陷召回, 实施一次召回提升一个产业).

    Plans and drills make recalls cheaper for the firms taken on. After a recall the regulator has its cause analysed. One firm bears the
    recall: the firm where the defects began if it was identified, otherwise the leader. The firms taken on that are in its sector or on
    its chain learn management from the analysis. If the budget cannot pay for an analysis, no firm learns.

    Cost: government and firm share the one-off cost of plan and drill; government pays for the analyses.
    Ends: readiness, and the analyses.
    Stays: what was learnt, which fades like all practice.
    Practice: recalls of children's vehicles and smart homes in Jiaxing, which gives no figure; 10 bases for investigating defective
    products planned in China (F264). Costs and effects are assumptions.
    """

    label: ClassVar[str] = "recall programmes"
    label_zh: ClassVar[str] = "缺陷召回"
    theme: ClassVar[Theme] = Theme.OVERSIGHT
    hinges_on: ClassVar[str] = "instruments.recall.lesson"
    #: Full dose: a fifth of what is missing, from each recall.
    doses_shown: ClassVar[tuple[float, ...]] = (0.01, 0.02, 0.05, 0.1, 0.2)
    counted: ClassVar[dict[str, str]] = {
        "months ready to recall": "months in which a firm had a plan and drills, summed over firms",
        "analyses": "recalls whose cause was analysed",
        "lessons": "firms that learnt from an analysis, summed over analyses",
    }

    lesson: float = parameter(
        0.02,
        0.0,
        1.0,
        "share",
        "assumption",
        "N",
        "share of the missing management capability that each firm concerned gains from an analysis",
    )
    readiness: float = parameter(0.3, 0.0, 0.9, "share", "assumption", "N", "share of the cost of a recall that readiness saves")
    analysis_cost: float = parameter(
        200_000.0, 0.0, 1e8, "CNY/recall", "assumption", "N", "government's cost of analysing a recall's cause"
    )
    unit_cost: float = parameter(10_000.0, 0.0, 1e9, "CNY/firm", "assumption: a plan and a drill", "N", "one-off cost of taking on a firm")
    government_share: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: readiness is lent month by month."""

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Lend readiness; analyse last month's recalls as far as the budget goes, and spread what they teach."""
        world.lend("recall_ready", rows, self.readiness)
        programme.counts["months ready to recall"] += int(rows.size)
        firms = world.firms
        bears = np.flatnonzero((firms.recall_due > 0.0) & (firms.region == programme.region))  # last month's recalls, due now
        analysed = bears[self.analysis_cost * np.arange(1, bears.size + 1) <= programme.left]
        if not analysed.size:
            return
        programme.spend(world, "households", world.for_firms(analysed, self.analysis_cost))
        sector = np.isin(firms.sector[rows], firms.sector[analysed])
        concerned = rows[sector | np.isin(firms.chain[rows], firms.chain[analysed])]
        teach(world, concerned, MANAGEMENT, self.lesson)
        programme.counts["analyses"] += int(analysed.size)
        programme.counts["lessons"] += int(concerned.size)
