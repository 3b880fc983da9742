"""Learning and loss: what firms learn from problems and customers, and what they forget.

Practice spreads along links, but hardly between firms without a link, and it decays to a natural level. Half of
a lesson from a customer serves only that customer (relief) and ends with the relation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from agents.firm import MANAGEMENT
from sim.sums import add_up
from sim.world import World

__all__ = ["learn_and_forget", "lessons", "lessons_at", "settle_practice", "take_after", "take_lessons", "teach"]


def learn_and_forget(world: World) -> None:
    """One month of learning from solved problems, of lessons along links, of the little that spreads without links, and of decay."""
    firms = world.firms
    learned = _solved(world)
    taught = _taught(world)
    heard = _heard(world)
    decay = _decay(world)
    firms.capability[:] += learned - decay
    # Lessons from many customers at once cannot raise a firm above full capability.
    firms.capability[:, MANAGEMENT] += taught + heard
    np.clip(firms.capability, 0.0, 1.0, out=firms.capability)


def teach(world: World, rows: NDArray[np.int64], kind: NDArray[np.int64] | int, lesson: Floats | float) -> None:
    """Raise a capability of some firms by a lesson: a share of the missing capability, as far as the firm can absorb it.

    Parameters
    ----------
    world : World
    rows : int array, shape (k,)
    kind : int array, shape (k,), or int
        Which capability; each pair of row and kind at most once.
    lesson : array, shape (k,), or float
        Share of the missing capability that a firm of full absorptive capacity gains.
    """
    firms = world.firms
    firms.capability[rows, kind] += lesson * firms.absorptive[rows] * (1.0 - firms.capability[rows, kind])


def take_after(world: World, rows: NDArray[np.int64], example: Floats, pace: float) -> None:
    """Let firms close part of the gap between their management and that of an example, as far as they can absorb it.

    Parameters
    ----------
    world : World
    rows : int array, shape (k,)
    example : array, shape (k,)
        Management of the example for each firm; an example that is not better teaches nothing.
    pace : float
        Share of the gap that a firm of full absorptive capacity closes.
    """
    firms = world.firms
    gap = np.maximum(example - firms.capability[rows, MANAGEMENT], 0.0)
    firms.capability[rows, MANAGEMENT] += pace * firms.absorptive[rows] * gap


def settle_practice(world: World, solved: Floats) -> None:
    """Start practice in balance: choose natural levels and relief so that learning just offsets decay.

    Parameters
    ----------
    world : World
    solved : array, shape (n, 4)
        Problems that firms expect to solve in a month, by kind.
    """
    firms, links, p = world.firms, world.links, world.parameters
    lesson = lessons(world)
    gained = p.problem_learning * firms.absorptive[:, None] * (1.0 - firms.capability) * solved
    gained[:, MANAGEMENT] += world.by_supplier((1.0 - p.relation_share) * lesson)
    pace = p.practice_decay * np.where(firms.cqo, 1.0 - p.officer_keeps, 1.0)[:, None]
    learned = np.divide(gained, pace, out=np.zeros_like(gained), where=pace > 0)
    firms.natural = np.maximum(firms.capability - learned, 0.0)
    grown = p.management_effect * p.relation_share * lesson
    links.relief = np.divide(grown, grown + p.practice_decay, out=np.zeros(links.n), where=grown > 0)


def _solved(world: World) -> Floats:
    """Capability gained by solving own problems of each kind: ``1 - (1 - ℓ · absorptive)^solved`` of the missing capability."""
    firms, p = world.firms, world.parameters
    rows, kind = np.nonzero(firms.solved_by_kind)  # most firms solve nothing in a month
    missing_left = (1.0 - p.problem_learning * firms.absorptive[rows]) ** firms.solved_by_kind[rows, kind]
    gained = np.zeros_like(firms.capability)
    gained[rows, kind] = (1.0 - missing_left) * (1.0 - firms.capability[rows, kind])
    return gained


def lessons(world: World) -> Floats:
    """Management capability that each customer teaches its supplier this month, both parts together, shape (m,).

    The pace is that of spillover; it is faster for suppliers on a development list.
    """
    links, p = world.links, world.parameters
    return lessons_at(world, p.spillover, np.where(links.listed > 0, p.development_attention, 1.0))


def lessons_at(world: World, pace: float, attention: Floats | float = 1.0) -> Floats:
    """Management capability that each customer would teach its supplier in a month at a given pace, both parts together, shape (m,).

    The pace times the gap of practice, the supplier's absorptive capacity, and the share of its output that goes to this
    customer. Where a customer gets more attention, this share is multiplied.
    """
    firms, links = world.firms, world.links
    management = firms.capability[:, MANAGEMENT]
    gap = np.maximum(management[links.customer] - management[links.supplier], 0.0)
    share = links.delivered / np.where(firms.output > 0, firms.output, np.inf)[links.supplier]
    return np.minimum(pace * (share * attention), 1.0) * firms.absorptive[links.supplier] * gap


def take_lessons(world: World, lesson: Floats) -> Floats:
    """Let suppliers take lessons, shape (m,): raises the relief of links, and returns what serves all customers, shape (n,).

    The part ``1 - r`` is capability for all customers; the part r becomes relief, worth as much to
    this customer: a fall of ``κ`` times it in relative defects.
    """
    links, p = world.links, world.parameters
    relief = 1.0 - np.exp(-p.management_effect * p.relation_share * lesson)
    links.relief[:] += relief * (1.0 - links.relief)
    return world.by_supplier((1.0 - p.relation_share) * lesson)


def _taught(world: World) -> Floats:
    """Management capability that firms learn from their customers this month, shape (n,); also sets the relief of links, which decays."""
    links = world.links
    taught = take_lessons(world, lessons(world))
    links.relief = np.clip(links.relief * (1.0 - world.parameters.practice_decay), 0.0, 1.0)
    return taught


def _heard(world: World) -> Floats:
    """Management capability learned from other firms of the sector without a link: very little, shape (n,)."""
    firms, p = world.firms, world.parameters
    management = firms.capability[:, MANAGEMENT]
    sectors = len(world.network.sectors)
    living = add_up(firms.sector, firms.alive, sectors)
    mean = add_up(firms.sector, management * firms.alive, sectors) / np.maximum(living, 1.0)
    return p.diffusion * firms.absorptive * np.maximum(mean[firms.sector] - management, 0.0)


def _decay(world: World) -> Floats:
    """Practice lost by decay towards the natural level, more slowly with a chief quality officer, shape (n, 4)."""
    firms, p = world.firms, world.parameters
    pace = p.practice_decay * np.where(firms.cqo, 1.0 - p.officer_keeps, 1.0)
    return pace[:, None] * (firms.capability - firms.natural)
