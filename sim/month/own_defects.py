"""Own defects of every firm: common causes of its process, learning, and special causes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.world import World

__all__ = ["learning_multiplier", "make_own_defects"]


def learning_multiplier(world: World) -> NDArray[np.float64]:
    """Multiplier of own defects by output since the last renewal, ``max(1, L0 · (1 + Q/Q0)^-0.301)``, shape (n,)."""
    p = world.parameters
    experience = 1.0 + world.firms.output_since_renewal / p.learning_scale
    return np.maximum(1.0, p.renewal_peak * experience**-p.learning_exponent)


def make_own_defects(world: World) -> None:
    """Renew some products, then set every firm's own defects per unit.

    Shewhart's split [1]_ into common and special causes: ``own = base · L · exp(-κ · management)
    + severity · open problems``. A bad batch is a special cause, too. A renewal resets the learning multiplier
    ``L = max(1, L0 · (1 + Q/Q0)^-0.301)`` upward and ends the firm's common problems.

    References
    ----------
    .. [1] Shewhart (1931), Economic Control of Quality of Manufactured Product.
    """
    firms, p = world.firms, world.parameters
    renewed = (world.draw("product renewal", firms) < p.renewal_hazard) & firms.alive
    freed = np.where(renewed, firms.common_problems.sum(axis=1), 0)
    firms.common_problems[renewed] = 0
    firms.problems_closed[:] += freed
    world.counts["problems closed"] += int(freed.sum())

    made = np.divide(firms.output, firms.steady_orders, out=np.zeros(firms.n), where=firms.steady_orders > 0)
    firms.output_since_renewal = np.where(renewed, 0.0, firms.output_since_renewal + made)
    firms.learning = learning_multiplier(world)

    common_causes = firms.base_dpu * firms.learning * np.exp(-p.management_effect * firms.capability[:, MANAGEMENT])
    firms.own_special = p.severity * (firms.open_problems + firms.common_problems).sum(axis=1) + firms.shock_defects
    firms.own_dpu = np.where(firms.alive, common_causes + firms.own_special, 0.0)
    firms.own_special[~firms.alive] = 0.0
