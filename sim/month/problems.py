"""Quality problems arise and are solved; some have one cause for a whole chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from agents.streams import binomial, poisson
from sim.world import World

__all__ = ["problem_arrivals", "problems_come_and_go", "solving_hazard"]

MANAGEMENT = KINDS.index("management")


def solving_hazard(world: World) -> NDArray[np.float64]:
    """Monthly hazard by which a firm solves each of its own problems, shape (n,).

    ``0.031^(1-m) · 0.5^m`` with management m: half-lives from 22 months to 1 (Schneiderman
    [1]_); a chief quality officer makes time run faster by an assumed factor.

    References
    ----------
    .. [1] Schneiderman (1988), "Setting quality goals", Quality Progress 21(4).
    """
    p, m = world.parameters, world.firms.capability[:, MANAGEMENT]
    hazard = p.solving_low ** (1.0 - m) * p.solving_high**m
    pace = 1.0 + p.cqo_solving * world.firms.cqo
    return np.asarray(1.0 - (1.0 - hazard) ** pace)


def problem_arrivals(world: World) -> NDArray[np.float64]:
    """Expected new problems of a month, shape (n, 4): rarer with capability, more after a renewal."""
    firms, p = world.firms, world.parameters
    factor = np.asarray(p.problem_size)[firms.size_class] * firms.learning * firms.alive
    return np.asarray(np.asarray(p.problem_rate) * factor[:, None] * (1.0 - firms.capability))


def problems_come_and_go(world: World) -> None:
    """Solve some of the problems that were open, then let new ones arise, own and common."""
    firms = world.firms
    solved = binomial(world.draw("problem solved", firms, 4), firms.open_problems, solving_hazard(world)[:, None])
    arisen = poisson(world.draw("problem arises", firms, 4), problem_arrivals(world))
    firms.open_problems[:] += arisen - solved
    firms.solved_by_kind = solved
    _book(world, arisen, solved)
    _common_causes(world)


def _common_causes(world: World) -> None:
    """End and begin common causes (共性问题): one cause, many firms of the chain, by kind.

    What a firm cannot solve alone stays until the cause ends, or until it renews its product.
    """
    firms, chains, p = world.firms, world.chains, world.parameters
    ends = chains.cause & (world.draw("common cause ends", chains, 4) < p.common_cause_end)
    begins = ~chains.cause & (world.draw("common cause begins", chains, 4) < p.common_cause_hazard)
    if not (ends.any() or begins.any()):
        return
    freed = firms.common_problems * ends[firms.chain]
    hit = begins[firms.chain] & (world.draw("common cause hits", firms, 4) < p.common_cause_exposure) & firms.alive[:, None]
    # A firm hit by an earlier cause of the kind has it no more once that cause has ended, so no count exceeds 1.
    firms.common_problems[:] += hit - freed
    chains.cause = (chains.cause & ~ends) | begins
    _book(world, hit, freed)


def _book(world: World, opened: NDArray[np.integer], closed: NDArray[np.integer]) -> None:
    world.firms.problems_opened[:] += opened.sum(axis=1)
    world.firms.problems_closed[:] += closed.sum(axis=1)
    world.counts["problems opened"] += int(opened.sum())
    world.counts["problems closed"] += int(closed.sum())
