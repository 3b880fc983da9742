"""Quality problems arise and are solved; some have one cause for a whole chain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Flags, Ints
from agents.firm import MANAGEMENT
from agents.streams import binomial, poisson
from sim.world import World

__all__ = [
    "close_problem",
    "end_causes",
    "months_to_solve",
    "problem_arrivals",
    "problem_pressure",
    "problems_come_and_go",
    "solving_hazard",
]

#: Months that firms look ahead at most when they ask how long a problem will stay.
FAR = 1_000.0


def solving_hazard(world: World) -> NDArray[np.float64]:
    """Monthly hazard by which a firm solves each of its own problems, shape (n,).

    ``0.031^(1-m) · 0.5^m`` with management m: half-lives from 22 months to 1 (Schneiderman
    [1]_); a chief quality officer makes time run faster by an assumed factor.

    References
    ----------
    .. [1] Schneiderman (1988), "Setting quality goals", Quality Progress 21(4).
    """
    firms, p = world.firms, world.parameters
    hazard = p.solving_low * np.exp(np.log(p.solving_high / p.solving_low) * firms.capability[:, MANAGEMENT])
    helped = np.flatnonzero(firms.cqo)
    hazard[helped] = 1.0 - (1.0 - hazard[helped]) ** (1.0 + p.cqo_solving)
    return hazard


def months_to_solve(world: World) -> NDArray[np.float64]:
    """Months that a problem stays with a firm on average until it has solved it alone, 1,000 at most, shape (n,)."""
    return 1.0 / np.maximum(solving_hazard(world), 1.0 / FAR)


def problem_pressure(world: World) -> NDArray[np.float64]:
    """Expected new problems of a month at no capability, shape (n, 4): more after a renewal."""
    firms, p = world.firms, world.parameters
    factor = np.asarray(p.problem_size)[firms.size_class] * firms.learning * firms.alive
    return (np.asarray(p.problem_rate)[:, None] * factor).T  # kind by kind, as the columns lie in memory


def problem_arrivals(world: World) -> NDArray[np.float64]:
    """Expected new problems of a month, shape (n, 4): rarer with capability."""
    return problem_pressure(world) * (1.0 - world.firms.capability)


def problems_come_and_go(world: World) -> None:
    """Solve some of the problems that were open, then let new ones arise, own and common."""
    firms = world.firms
    # Transposed, as the columns lie in memory.
    solved = binomial(world.draw("problem solved", firms, 4).T, firms.open_problems.T, solving_hazard(world)).T
    arisen = poisson(world.draw("problem arises", firms, 4).T, problem_arrivals(world).T).T
    firms.open_problems[:] += arisen - solved
    firms.solved_by_kind = solved
    _book(world, arisen, solved)
    _common_causes(world)


def close_problem(world: World, rows: NDArray[np.int64], kind: NDArray[np.int64]) -> None:
    """Close one own problem of a kind at each of some firms that have one: rows and kinds, shape (k,); no pair twice."""
    firms = world.firms
    firms.open_problems[rows, kind] -= 1
    np.add.at(firms.problems_closed, rows, 1)
    world.counts["problems closed"] += int(rows.size)


def end_causes(world: World, ends: NDArray[np.bool_]) -> None:
    """End common causes, a mask of shape (chains, 4): all firms of a chain are rid of the problems that one of them made."""
    firms, chains = world.firms, world.chains
    freed = firms.common_problems * ends[firms.chain]
    firms.common_problems[:] -= freed
    chains.cause = chains.cause & ~ends
    _book(world, np.zeros_like(freed), freed)


def _common_causes(world: World) -> None:
    """End and begin common causes (共性问题): one cause, many firms of the chain, by kind.

    What a firm cannot solve alone stays until the cause ends, or until it renews its product.
    """
    firms, chains, p = world.firms, world.chains, world.parameters
    ends = chains.cause & (world.draw("common cause ends", chains, 4) < p.common_cause_end)
    begins = ~chains.cause & (world.draw("common cause begins", chains, 4) < p.common_cause_hazard)
    if ends.any():
        end_causes(world, ends)
    if begins.any():
        hit = begins[firms.chain] & (world.draw("common cause hits", firms, 4) < p.common_cause_exposure) & firms.alive[:, None]
        # A firm hit by an earlier cause of the kind has it no more once that cause has ended, so no count exceeds 1.
        firms.common_problems[:] += hit
        chains.cause = chains.cause | begins
        _book(world, hit, np.zeros_like(hit))


def _book(world: World, opened: Ints | Flags, closed: Ints | Flags) -> None:
    world.firms.problems_opened[:] += opened.sum(axis=1)
    world.firms.problems_closed[:] += closed.sum(axis=1)
    world.counts["problems opened"] += int(opened.sum())
    world.counts["problems closed"] += int(closed.sum())
