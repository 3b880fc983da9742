"""Defects travel: what arrives, what inspection catches, what leaves.

The quality map uses the same coefficients of the month (`escape_share`, `let_in`). They are defined
only here, so the map is exact by construction.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.firm import STANDARDS
from sim.world import World

__all__ = ["escape_share", "interface_defects", "latent_share", "let_in", "outgoing_dpu", "propagate"]


def let_in(world: World) -> NDArray[np.float64]:
    """Share of the detectable defects on each link that passes incoming inspection: ``1 - x·τ``, shape (m,)."""
    links = world.links
    return 1.0 - links.inspected * world.firms.detection[links.customer]


def escape_share(world: World) -> NDArray[np.float64]:
    """Share of a firm's detectable defects that passes final inspection: ``1 - y·τ``, shape (n,)."""
    return 1.0 - world.firms.inspection * world.firms.detection


def latent_share(world: World) -> NDArray[np.float64]:
    """λ of each firm: share of own defects that no inspection finds, minus the part that reliability tests make detectable, shape (n,).

    A shock adds defects with a share of its own; λ is then the mean, weighted by defects.
    """
    firms = world.firms
    share = world.parameters.latent_share * (1.0 - firms.latent_found)
    hit = np.flatnonzero(firms.shock_defects)
    if hit.size:
        added = (1.0 - firms.latent_found[hit]) * firms.shock_latent[hit] - share[hit]
        share[hit] += added * firms.shock_defects[hit] / firms.own_dpu[hit]
    return share


def interface_defects(world: World) -> NDArray[np.float64]:
    """Defects per unit of the customer that arise because the goods of two firms do not fit together, shape (m,).

    ``ι · (1 - min(standards of both sides))`` per unit of the supplier's good. A joint standard of the
    chain removes a part of them where both sides keep it. All of them are detectable.
    """
    firms, links = world.firms, world.links
    standards, joint = firms.capability[:, STANDARDS], firms.joint_standard
    both_standards = np.minimum(standards[links.supplier], standards[links.customer])
    both_joint = np.minimum(joint[links.supplier], joint[links.customer])
    return links.value_share * world.parameters.interface_dpu * (1.0 - both_standards) * (1.0 - both_joint)


def outgoing_dpu(world: World) -> NDArray[np.float64]:
    """Outgoing defects per unit of each firm, detectable and latent, shape (n,)."""
    return world.firms.out_detectable + world.firms.out_latent


def propagate(world: World) -> None:
    """Carry last month's outgoing defects along every link, add own defects, and inspect.

    Detectable and latent defects are two blocks of one linear system. A share λ of own defects
    is latent: it passes every inspection, and only the user finds it.
    """
    firms, links = world.firms, world.links
    firms.latent = latent = latent_share(world)
    links.carried = links.value_share * (1.0 - links.relief)
    detectable = links.carried * firms.out_detectable[links.supplier]
    links.interface = interface_defects(world)
    arriving = detectable + links.interface
    caught_share = links.inspected * firms.detection[links.customer]
    links.passed_detectable = (1.0 - caught_share) * arriving
    links.caught = caught_share * arriving
    links.passed_latent = links.carried * firms.out_latent[links.supplier]

    firms.before_final = (1.0 - latent) * firms.own_dpu + world.by_customer(links.passed_detectable)
    firms.out_detectable = escape_share(world) * firms.before_final
    firms.out_latent = latent * firms.own_dpu + world.by_customer(links.passed_latent)

    # The number of defects in a unit has a Poisson distribution.
    # A unit is accepted if inspection finds no defect and no false alarm occurs.
    accepted = (1.0 - firms.false_alarm) * np.exp(-firms.detection * firms.before_final)
    firms.reject = firms.inspection * (1.0 - accepted)
    firms.scrap = world.parameters.scrap_share * firms.reject
