"""Quality innovation consortia (质量创新联合体)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from agents.columns import Floats, Ints
from agents.firm import KINDS
from sim.instruments.account import Account
from sim.instruments.delivery import RULES
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.orders import monthly_sales
from sim.month.problems import end_causes
from sim.parameters import parameter
from sim.sums import add_up
from sim.world import World

__all__ = ["Consortia"]


@instrument("consortia", dose="projects")
@dataclass(frozen=True, kw_only=True)
class Consortia(Instrument):
    """Firms of a chain do research together on problems that they cannot solve alone (质量创新联合体, 揭榜挂帅).

    The firms taken on are the members of their chain's consortium. They start projects on common causes of problems in the chain, the
    most widespread cause first. A project takes months and may fail; it fails more often if its members make a small part of the chain's
    output. A successful project ends the cause for every firm of the chain.

    Cost: government and the members pay for a project when it begins; members pay in proportion to their sales.
    Ends: projects under way, without a result.
    Stays: the causes that were ended stay ended; others arise.
    Practice: 28 new consortia and 163 projects in Jiangsu (F005, F016), 110 projects in Shandong (F087), 5 consortia in Liaoning (F108).
    Effects are assumptions.
    """

    label: ClassVar[str] = "quality innovation consortia"
    label_zh: ClassVar[str] = "质量创新联合体"
    theme: ClassVar[Theme] = Theme.CHAINS
    hinges_on: ClassVar[str] = "instruments.consortia.success"
    doses_shown: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0, 7.0, 14.0)
    budget_lever: ClassVar[str] = "projects"
    counted: ClassVar[dict[str, str]] = {
        "projects": "projects begun",
        "projects that succeeded": "projects that ended their common cause",
        "projects that failed": "projects that did not end their common cause",
        "projects overtaken": "projects that stopped because their cause ended by itself",
    }

    reach: float = parameter(
        0.1, 0.0, 1.0, "share", "assumption: leaders and strong firms", "N", "share of the eligible firms that it reaches"
    )
    targeting: str = field(
        default="largest",
        metadata={
            "unit": "1",
            "choices": RULES,
            "meaning": "which firms it takes on first: by default, those with the largest output",
        },
    )
    projects: float = parameter(
        7.0,
        0.0,
        48.0,
        "projects/year",
        "F106/F097: 118 projects on 16 chains",
        "D",
        "projects that a chain starts in a year if it has causes enough",
    )
    at_once: int = parameter(2, 1, 4, "projects", "assumption", "N", "most projects that a chain has under way at once")
    delay: int = parameter(12, 1, 120, "months", "assumption", "N", "months that a project takes")
    success: float = parameter(0.6, 0.0, 1.0, "share", "assumption", "N", "probability that a project of all firms of a chain succeeds")
    grant: float = parameter(
        200_000.0, 0.0, 1e9, "CNY/project", "F079/F080: 6 million CNY for 30 projects", "D", "government's cost of a project"
    )
    members_pay: float = parameter(
        200_000.0, 0.0, 1e9, "CNY/project", "assumption: as much as government; firms of Liaoning bore 7 million, and more than that (F109/F106)", "N",
        "the members' cost of a project, shared in proportion to their sales",
    )  # fmt: skip

    def apply(self, world: World, month: int, chosen: Ints) -> None:
        """No immediate effect: `act` starts projects."""

    def act(self, world: World, programme: Account, rows: Ints) -> None:
        """End the projects that are due, then start new ones."""
        sales = monthly_sales(world)
        chain, n = world.firms.chain, world.chains.n
        means = add_up(chain[rows], sales[rows], n)
        whole = add_up(chain, sales, n)
        self._end(world, programme, whole, means)
        self._start(world, programme, rows, sales, means)

    def _end(self, world: World, programme: Account, whole: Floats, means: Floats) -> None:
        """Decide the projects that are due: the larger the members' part of the chain, the likelier is success. Drop those whose cause ended by itself."""
        chains = world.chains
        ours = (chains.region == programme.region)[:, None]
        overtaken = (chains.project > 0) & ~chains.cause & ours
        programme.counts["projects overtaken"] += int(overtaken.sum())
        chains.project[overtaken] = 0
        under_way = (chains.project > 0) & ours
        chains.project[:] -= under_way
        due = under_way & (chains.project == 0)
        others = 1.0 - np.divide(means, whole, out=np.zeros(chains.n), where=whole > 0)
        chance = self.success * (1.0 - others**2)
        succeeds = due & (world.draw("a consortium succeeds", chains, len(KINDS)) < chance[:, None])
        end_causes(world, succeeds)
        programme.counts["projects that succeeded"] += int(succeeds.sum())
        programme.counts["projects that failed"] += int((due & ~succeeds).sum())

    def _start(self, world: World, programme: Account, rows: Ints, sales: Floats, means: Floats) -> None:
        """Start projects where a chain has members, open causes and capacity, as far as the budget goes; government and members pay at once."""
        firms, chains = world.firms, world.chains
        hit = np.stack([add_up(firms.chain, firms.common_problems[:, k], chains.n) for k in range(len(KINDS))], axis=1)
        waits = chains.cause & (chains.project == 0) & (hit > 0) & (means > 0)[:, None]
        turn = np.argsort(np.argsort(-hit * waits, axis=1, kind="stable"), axis=1)
        asked = np.floor(self.projects / 12.0 + world.draw("a consortium's round", chains))
        hands = np.minimum(asked, self.at_once - (chains.project > 0).sum(axis=1))
        chain, kind = np.nonzero(waits & (turn < hands[:, None]))
        within = np.cumsum(np.full(chain.size, self.grant)) <= programme.left * (1.0 + 1e-9)
        chain, kind = chain[within], kind[within]
        chains.project[chain, kind] = self.delay
        programme.counts["projects"] += int(chain.size)
        each = np.divide(np.bincount(chain, minlength=chains.n), means, out=np.zeros(chains.n), where=means > 0)
        share = world.for_firms(rows, sales[rows] * each[firms.chain[rows]])
        total = self.grant * float(share.sum())
        programme.spend(world, "households", self.grant * share * (min(1.0, programme.left / total) if total > 0.0 else 0.0))
        firms.prevention[:] += self.members_pay * share
        world.firms_pay("households", self.key, self.members_pay * share)

    def close(self, world: World, programme: Account) -> None:
        """Stop the projects under way."""
        world.chains.project[world.chains.region == programme.region] = 0
