"""Quality stewards (质量管家)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import teach
from sim.month.problems import close_problem
from sim.parameters import parameter
from sim.world import World

__all__ = ["Stewards"]


@instrument("stewards", dose="visits")
@dataclass(frozen=True, kw_only=True)
class Stewards(Instrument):
    """Experts visit firms, diagnose, and solve problems with them (质量管家, 专家入企, 点对点帮扶).

    Each visit deals with one kind of problem, the most frequent kind first: with some probability it closes one problem, and this raises
    the firm's capability a little. While a firm is visited it sees more of its cost of poor quality.

    Cost: government pays for the visits.
    Ends: the visits, and with them what they showed of hidden costs.
    Stays: what was solved, and what was learnt, which fades like all practice.
    Practice: 159 more stewards and, by experts, over 230 visits in Jiaxing (F221, F223), 563 experts in Guangdong (F028). Effects are assumptions.
    """

    label: ClassVar[str] = "quality stewards"
    label_zh: ClassVar[str] = "质量管家"
    theme: ClassVar[Theme] = Theme.EXPERTS
    treats: ClassVar[tuple[str, ...]] = KINDS
    hinges_on: ClassVar[str] = "instruments.stewards.competence"
    #: Full dose: each kind of problem is visited once a month.
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.5, 1.0, 2.0, 4.0)
    counted: ClassVar[dict[str, str]] = {
        "visits": "visits of stewards to firms",
        "problems solved": "problems solved in a visit",
    }

    reach: float = parameter(
        0.1, 0.0, 1.0, "share", "assumption: there are few experts", "N", "share of the eligible firms that it reaches"
    )
    visits: float = parameter(
        0.125,
        0.0,
        4.0,
        "visits/month",
        "assumption: a visit in eight months",
        "N",
        "visits to each firm of the programme",
    )
    problems: float = parameter(
        1.0, 1.0, 10.0, "problems/visit", "assumption; in Jiaxing some 230 visits helped with 396 problems, 1.7 a visit (F223)", "N",
        "problems that a visit deals with, if the firm has so many",
    )  # fmt: skip
    competence: float = parameter(
        0.6, 0.0, 1.0, "share", "assumption: that of a station", "N", "probability that a visit solves a problem it deals with"
    )
    lesson: float = parameter(
        0.01, 0.0, 1.0, "share", "assumption", "N", "share of the missing capability that a firm gains from a solved problem"
    )
    insight: float = parameter(
        0.25, 0.0, 1.0, "share", "assumption", "N", "share of the hidden cost of poor quality that a diagnosis shows"
    )
    visit_cost: float = parameter(3_000.0, 0.0, 1e6, "CNY/visit", "assumption: two days of an expert", "N", "government's cost of a visit")

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """No immediate effect: `act` makes the visits."""

    def support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pay for the visits of an average month."""
        return np.full(reached.size, self.visits * self.visit_cost)

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Visit: the number of visits is drawn for the month; they deal with one problem of each kind in turn, the most frequent first.

        Then come second problems of each kind, and so on, as long as there is time and the firm has problems.
        """
        firms = world.firms
        world.lend("insight", rows, self.insight)
        number = np.floor(self.visits + world.draw("a steward's round", firms)[rows])
        left = np.floor(number * self.problems + world.draw("a steward's hours", firms)[rows])  # problems that there is time for
        turn = np.argsort(np.argsort(-firms.open_problems[rows], axis=1, kind="stable"), axis=1)
        found = firms.open_problems[rows].copy()
        rounds = max(1, int(min(left.max(initial=0.0), found.max(initial=0))))
        u = world.draw("a steward solves", firms, len(KINDS) * rounds)[rows]
        for again in range(rounds):
            there = found > again  # the most frequent kinds come first in `turn`, so that no turn is lost
            solved = (turn < left[:, None]) & there & (u[:, len(KINDS) * again : len(KINDS) * (again + 1)] < self.competence)
            at, kind = np.nonzero(solved)
            close_problem(world, rows[at], kind)
            teach(world, rows[at], kind, self.lesson)
            programme.counts["problems solved"] += int(at.size)
            left = left - there.sum(axis=1)
        programme.counts["visits"] += int(number.sum())
