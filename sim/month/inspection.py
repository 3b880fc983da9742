"""How much firms inspect, and what an inspection finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from agents.firm import METROLOGY, TESTING
from sim.month.quality_cost import inspection_costs
from sim.world import World

__all__ = ["decide_inspection", "detection_parts", "kp_rule"]

#: Capability at which the published human inspector (2 % false alarms) is placed: an assumption.
TYPICAL = 0.4


def kp_rule(
    defects: NDArray[np.float64], cost: NDArray[np.float64] | float, failure: NDArray[np.float64] | float, width: float
) -> NDArray[np.float64]:
    """Return the share to inspect by Deming's kp rule [1]_: all units where inspection pays, else none.

    Parameters
    ----------
    defects : array
        Expected detectable defects per unit.
    cost, failure : array or float
        k1, the cost of inspecting a unit, and k2, the cost of a missed defect; in one currency.
    width : float
        Width of the smooth step on a logarithmic scale; 0 gives the published rule exactly.

    References
    ----------
    .. [1] Deming (1982), Out of the Crisis, ch. 15.
    """
    expected = defects * failure
    if width == 0.0:
        return np.where(expected > cost, 1.0, 0.0)
    # Without an expected defect nothing is inspected, at any cost; free inspection covers all; a tiny width gives all or none.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(expected > 0.0, expit((np.log(expected) - np.log(cost)) / width), 0.0)


def detection_parts(world: World) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two factors of detection, shape (n,) each: the share found by testing, and the part of it that metrology lets through."""
    firms, p = world.firms, world.parameters
    finds = p.detection_low + (p.detection_high - p.detection_low) * firms.capability[:, TESTING]
    return finds, 1.0 - p.metrology_loss * (1.0 - firms.capability[:, METROLOGY])


def decide_inspection(world: World) -> None:
    """Set the shares under incoming and final inspection, the detection and the false alarms.

    Detection ``(low + (high - low) · testing) · (1 - γ · (1 - metrology))``. The estimates are
    last month's: a customer's rating of the supplier, and a firm's own defects ahead of final
    inspection.
    """
    firms, links, p = world.firms, world.links, world.parameters
    finds, leaves = detection_parts(world)
    firms.detection = np.clip(finds * leaves, 0.0, 1.0)
    firms.false_alarm = np.clip(p.false_alarm * (1.0 - firms.capability[:, METROLOGY]) / (1.0 - TYPICAL), 0.0, 1.0)

    at_entry, at_exit = inspection_costs(world)
    links.inspected = kp_rule(links.rating, at_entry[links.customer], p.incoming_failure, p.kp_width)
    failure = np.where(firms.is_leader, p.field_cost, p.final_failure)
    firms.inspection = kp_rule(firms.before_final, at_exit, failure, p.kp_width)
