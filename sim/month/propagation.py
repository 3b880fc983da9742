"""Defects travel: what arrives, what inspection catches, what leaves.

The month's coefficients (`escape_share`, `let_in`) are also what the quality map is made of;
they stand here once, so that the map is exact by construction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import STANDARDS
from sim.world import World

__all__ = ["escape_share", "interface_defects", "latent_share", "let_in", "outgoing_dpu", "propagate"]


def let_in(world: World) -> NDArray[np.float64]:
    """Share of the detectable defects on each link that gets past goods-in: ``1 - x·τ``, shape (m,)."""
    links = world.links
    return 1.0 - links.inspected * world.firms.detection[links.customer]


def escape_share(world: World) -> NDArray[np.float64]:
    """Share of a firm's detectable defects that gets past final inspection: ``1 - y·τ``, shape (n,)."""
    return 1.0 - world.firms.inspection * world.firms.detection


def latent_share(world: World) -> NDArray[np.float64]:
    """λ by firm: share of its own defects that no inspection finds, less what reliability tests turn into detectable ones, shape (n,)."""
    return world.parameters.latent_share * (1.0 - world.firms.latent_found)


def interface_defects(world: World) -> NDArray[np.float64]:
    """Defects per unit of the customer that arise where two firms meet, shape (m,).

    ``ι · (1 - min(standards of either side))`` per unit of the supplier's good, less what a joint standard of the
    chain removes where both sides keep it. They are misfits, all detectable.
    """
    firms, links = world.firms, world.links
    standards, joint = firms.capability[:, STANDARDS], firms.joint_standard
    kept = np.minimum(standards[links.supplier], standards[links.customer])
    shared = np.minimum(joint[links.supplier], joint[links.customer])
    return links.value_share * world.parameters.interface_dpu * (1.0 - kept) * (1.0 - shared)


def outgoing_dpu(world: World) -> NDArray[np.float64]:
    """Defects per unit of what leaves each firm, detectable and latent, shape (n,)."""
    return world.firms.out_detectable + world.firms.out_latent


def propagate(world: World) -> None:
    """Carry last month's outgoing defects over every link, add own defects, inspect, let go.

    Detectable and latent defects are two blocks of one linear system: a share λ of own defects
    is latent, passes every inspection and is found by the user alone.
    """
    firms, links = world.firms, world.links
    firms.latent = hidden = latent_share(world)
    links.carried = links.value_share * (1.0 - links.relief)
    detectable = links.carried * firms.out_detectable[links.supplier]
    links.interface = interface_defects(world)
    arriving = detectable + links.interface
    found = links.inspected * firms.detection[links.customer]
    links.passed_detectable = (1.0 - found) * arriving
    links.caught = found * arriving
    links.passed_latent = links.carried * firms.out_latent[links.supplier]

    firms.before_final = (1.0 - hidden) * firms.own_dpu + world.by_customer(links.passed_detectable)
    firms.out_detectable = escape_share(world) * firms.before_final
    firms.out_latent = hidden * firms.own_dpu + world.by_customer(links.passed_latent)

    # A unit is accepted if none of its Poisson many defects is found and no false alarm is raised.
    accepted = (1.0 - firms.false_alarm) * np.exp(-firms.detection * firms.before_final)
    firms.reject = firms.inspection * (1.0 - accepted)
    firms.scrap = world.parameters.scrap_share * firms.reject
