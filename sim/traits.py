"""What a firm is born with: capabilities, absorptive capacity, base defects; and a product of some age."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.streams import normal
from sim.world import World

__all__ = ["draw_traits"]


def draw_traits(world: World, rows: NDArray[np.int64], shift: float = 0.0) -> None:
    """Draw capabilities, absorptive capacity and base defects of some firms, by size class and place.

    Capabilities are logit-normal around the median of the size class; part of the spread is
    common to the four capabilities of a firm.

    Parameters
    ----------
    world : World
    rows : int array
        Places of the firms.
    shift : float
        Added to the median, in logits.
    """
    firms, p = world.firms, world.parameters
    centre = np.asarray(p.capability_mean)[firms.size_class[rows]]
    shared = normal(world.draw_for("capability of the firm", firms, rows))[:, None]
    apart = normal(world.draw_for("capability of a kind", firms, rows, 4))
    spread = p.capability_spread * (np.sqrt(p.capability_common) * shared + np.sqrt(1.0 - p.capability_common) * apart)
    logit = (np.log(centre / (1.0 - centre)) + shift)[:, None] + spread
    firms.capability[rows] = firms.natural[rows] = 1.0 / (1.0 + np.exp(-logit))
    firms.absorptive[rows] = np.clip(p.absorptive_mean + 0.6 * (world.draw_for("absorptive capacity", firms, rows) - 0.5), 0.0, 1.0)
    size = np.asarray(p.base_dpu_size)[firms.size_class[rows]]
    firms.base_dpu[rows] = p.base_dpu * size * np.exp(p.base_dpu_spread * normal(world.draw_for("base defects", firms, rows)))
