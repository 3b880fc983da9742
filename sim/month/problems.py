"""Quality problems arise and are solved; common problems have one cause for a whole chain."""

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

#: Longest time in months for which firms expect a problem to stay.
FAR = 1_000.0


def solving_hazard(world: World) -> NDArray[np.float64]:
    """Monthly hazard by which a firm solves each of its own problems, shape (n,).

    ``0.031^(1-m) · 0.5^m`` with management m: half-lives from 22 months to 1 (Schneiderman
    [1]_); a chief quality officer speeds this up by an assumed factor.

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
    """Mean number of months until a firm solves a problem alone, at most 1,000, shape (n,)."""
    return 1.0 / np.maximum(solving_hazard(world), 1.0 / FAR)


def problem_pressure(world: World) -> NDArray[np.float64]:
    """Expected new problems of a month without any capability, shape (n, 4): more after a renewal."""
    firms, p = world.firms, world.parameters
    factor = np.asarray(p.problem_size)[firms.size_class] * firms.learning * firms.alive
    rate = np.asarray(p.problem_rate)[:, None] * factor
    if (world.chains.problem_mix != 1.0).any():
        rate = rate * world.chains.problem_mix.T[:, firms.chain]
    return rate.T  # one kind after the other, which is the order of the columns in memory


def problem_arrivals(world: World) -> NDArray[np.float64]:
    """Expected new problems of a month, shape (n, 4): fewer with higher capability."""
    return problem_pressure(world) * (1.0 - world.firms.capability)


def problems_come_and_go(world: World) -> None:
    """Solve some of the problems that were open, then let new ones arise, own and common."""
    firms = world.firms
    # Transposed, which is the order of the columns in memory.
    solved = binomial(world.draw("problem solved", firms, 4).T, firms.open_problems.T, solving_hazard(world)).T
    arisen = poisson(world.draw("problem arises", firms, 4).T, problem_arrivals(world).T).T
    firms.open_problems[:] += arisen - solved
    firms.solved_by_kind = solved
    _book(world, arisen, solved)
    _common_causes(world)


def close_problem(world: World, rows: NDArray[np.int64], kind: NDArray[np.int64]) -> None:
    """Close one own problem of a kind at each of some firms that have one: rows and kinds, shape (k,); each pair at most once."""
    firms = world.firms
    firms.open_problems[rows, kind] -= 1
    np.add.at(firms.problems_closed, rows, 1)
    world.counts["problems closed"] += int(rows.size)


def end_causes(world: World, ends: NDArray[np.bool_]) -> None:
    """End the causes of common problems, a mask of shape (chains, 4): no firm of the chain has the problem any more."""
    firms, chains = world.firms, world.chains
    freed = firms.common_problems * ends[firms.chain]
    firms.common_problems[:] -= freed
    chains.cause = chains.cause & ~ends
    _book(world, np.zeros_like(freed), freed)


def _common_causes(world: World) -> None:
    """End and begin common problems (共性问题) by kind: one cause, many firms of the chain.

    A firm cannot solve them alone: they stay until the cause ends, or until the firm renews its product.
    """
    firms, chains, p = world.firms, world.chains, world.parameters
    ends = chains.cause & (world.draw("common cause ends", chains, 4) < p.common_cause_end)
    begins = ~chains.cause & (world.draw("common cause begins", chains, 4) < p.common_cause_hazard)
    if ends.any():
        end_causes(world, ends)
    if begins.any():
        hit = begins[firms.chain] & (world.draw("common cause hits", firms, 4) < p.common_cause_exposure) & firms.alive[:, None]
        # When the earlier cause of a kind has ended, no firm has its problem any more; so no count exceeds 1.
        firms.common_problems[:] += hit
        chains.cause = chains.cause | begins
        _book(world, hit, np.zeros_like(hit))


def _book(world: World, opened: Ints | Flags, closed: Ints | Flags) -> None:
    world.firms.problems_opened[:] += opened.sum(axis=1)
    world.firms.problems_closed[:] += closed.sum(axis=1)
    world.counts["problems opened"] += int(opened.sum())
    world.counts["problems closed"] += int(closed.sum())
