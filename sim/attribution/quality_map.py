"""The quality map (质量图谱): where the defects that reach users began.

With the month's coefficients held fixed, defects follow ``out = E (src + P out)`` in two blocks,
detectable and latent: E is the share that passes final inspection, P what passes incoming inspection, src are own and
interface defects. The adjoint ``m = E (I - PᵀE)⁻¹ φ``, with φ the field cost per defect times what a firm
sells to users, is the marginal loss to users of one more own defect at each firm, and ``m · src``
sums exactly to the loss of the steady state: every defect that would reach a user is
attributed to the firm, tier, sector and cause where it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from sim.month.propagation import escape_share, let_in
from sim.network.fixed_points import fixed_point
from sim.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BEGUN", "BY_CAUSE", "CAUSES", "LOSS", "MARGINAL", "TO_USERS", "Block", "DefectTrace", "QualityMap", "blocks", "quality_map"]


#: Causes of defects: common causes of a firm's process, special causes, and interfaces.
CAUSES = ("common", "special", "interface")
#: Columns of the tables of firms and of links: loss by cause, loss in all, marginal loss, what reaches users, what begins on a link.
BY_CAUSE = tuple(f"{cause} (CNY/month)" for cause in CAUSES)
LOSS, MARGINAL = "loss (CNY/month)", "marginal loss (CNY/month per defect/unit)"
TO_USERS, BEGUN = "reaches users from it (CNY/month)", "begins on the link (CNY/month)"


@dataclass(frozen=True)
class Block:
    """One linear block of propagation, ``out = escape · (source + passed @ out)``.

    Attributes
    ----------
    source : array, shape (n,)
        Own and interface defects per unit.
    passed : csr_array, shape (n, n)
        Share of supplier j's outgoing defects that is in a unit of customer i after incoming inspection.
    escape : array, shape (n,)
        Share that passes final inspection.
    """

    source: Floats
    passed: sparse.csr_array
    escape: Floats

    def steady_state(self) -> Floats:
        """Outgoing defects per unit at which the month repeats itself, by iteration, shape (n,)."""
        return fixed_point(sparse.csr_array(self.passed.multiply(self.escape[:, None])), self.escape * self.source)

    def adjoint(self, field_cost: Floats) -> Floats:
        """Marginal loss to users of one more defect at each firm, ahead of its final inspection, shape (n,)."""
        back = sparse.csr_array(self.passed.T.multiply(self.escape[None, :]))
        return self.escape * fixed_point(back, field_cost)

    def direct(self) -> Floats:
        """Solve the steady state by sparse LU: the oracle for small worlds (too slow on large cyclic ones)."""
        system = sparse.eye_array(self.source.size) - self.passed.multiply(self.escape[:, None])
        return np.atleast_1d(spsolve(sparse.csc_array(system), self.escape * self.source))


def blocks(world: World) -> tuple[Block, Block]:
    """Return the detectable and the latent block with the coefficients of the present month."""
    firms, links, latent_share = world.firms, world.links, world.firms.latent
    interface = world.by_customer(links.interface * let_in(world))
    detectable = Block(
        (1.0 - latent_share) * firms.own_dpu + interface, world.network.matrix(links.carried * let_in(world)), escape_share(world)
    )
    return detectable, Block(latent_share * firms.own_dpu, world.network.matrix(links.carried), np.ones(firms.n))


@dataclass(frozen=True)
class QualityMap:
    """Where the defects that reach users begin, as a loss in CNY a month.

    Attributes
    ----------
    loss : array, shape (n, 3)
        Loss to users that begins at each firm, by cause (see `CAUSES`); each side has half of the
        interface defects.
    marginal : array, shape (n,)
        Loss to users of one more own defect per unit, latent share included.
    link_loss : array, shape (m,)
        Loss to users of the defects that each link carries: the flow that a figure draws.
    link_begun : array, shape (m,)
        Of it, what begins on the link: interface defects, of which each side has half.
    to_users : array, shape (n,)
        Loss to users of the defects in what each firm itself sells to users.
    total : float
        Loss to users in the steady state, ``φᵀ out*``, computed forward.

    Notes
    -----
    With ``carried = link_loss - link_begun / 2``, what begins at a firm and arrives over its links is what leaves over its links
    and reaches users from it: ``loss.sum(axis=1) + carried into it = carried out of it + to_users``.
    """

    loss: Floats
    marginal: Floats
    link_loss: Floats
    link_begun: Floats
    to_users: Floats
    total: float

    @property
    def by_firm(self) -> Floats:
        """Loss to users that begins at each firm, shape (n,)."""
        return self.loss.sum(axis=1)

    @property
    def carried(self) -> Floats:
        """Loss that goes over each link, with the half of its interface defects that is the supplier's, shape (m,)."""
        return self.link_loss - 0.5 * self.link_begun

    @property
    def error(self) -> float:
        """Relative difference between the attributed and the forward total; it is rounding only."""
        return float(abs(self.loss.sum() - self.total) / self.total) if self.total else float(abs(self.loss.sum()))

    def table(self, world: World) -> pd.DataFrame:
        """Return one row per firm, largest loss first: name, chain, sector, tier, size, loss by cause, share."""
        import pandas as pd

        firms, network = world.firms, world.network
        frame = pd.DataFrame(
            {
                "firm": network.names,
                "chain": np.asarray(network.chains)[firms.chain],
                "sector": np.asarray(network.sectors)[firms.sector],
                "tier": firms.tier,
                "size": np.asarray(SIZE_CLASSES)[firms.size_class],
                **{name: self.loss[:, k] for k, name in enumerate(BY_CAUSE)},
                LOSS: self.by_firm,
                "share": self.by_firm / self.total if self.total else 0.0,
                TO_USERS: self.to_users,
                MARGINAL: self.marginal,
            }
        )
        return frame.sort_values(LOSS, ascending=False, kind="stable", ignore_index=True)


def quality_map(world: World) -> QualityMap:
    """Make the map of the present month.

    It uses the coefficients of the last `propagate`. The loss is that of the steady
    state to which they lead, not that of the month itself (see `DefectTrace` for that).
    """
    firms, links, latent_share = world.firms, world.links, world.firms.latent
    field_cost = world.parameters.field_cost * firms.to_users
    detectable, latent = blocks(world)
    m_detectable, m_latent = detectable.adjoint(field_cost), latent.adjoint(field_cost)
    marginal = (1.0 - latent_share) * m_detectable + latent_share * m_latent

    interface_loss = links.interface * let_in(world) * m_detectable[links.customer]
    half = 0.5 * (world.by_supplier(interface_loss) + world.by_customer(interface_loss))
    loss = np.stack([marginal * (firms.own_dpu - firms.own_special), marginal * firms.own_special, half], axis=1)

    out_detectable, out_latent = detectable.steady_state(), latent.steady_state()
    link_loss = links.carried * let_in(world) * out_detectable[links.supplier] * m_detectable[links.customer]
    link_loss = link_loss + links.carried * out_latent[links.supplier] * m_latent[links.customer] + interface_loss
    to_users = field_cost * (out_detectable + out_latent)
    return QualityMap(loss, marginal, link_loss, interface_loss, to_users, float(field_cost @ (out_detectable + out_latent)))


class DefectTrace:
    """Carry labelled defects forward, month by month: where *this month's* actual loss began.

    Parameters
    ----------
    world : World
    label : int array, shape (n,)
        Group of origin of each firm (its tier, chain, or its own row).
    groups : int
        Number of groups. Defects that were on their way before the trace began form a
        separate group, the last: index `groups`.

    Notes
    -----
    Each side has half of the interface defects, as in the map. Memory is n × (groups + 1) twice.
    """

    def __init__(self, world: World, label: NDArray[np.integer], groups: int) -> None:
        self.label = np.asarray(label, dtype=np.int64)
        self.detectable = np.zeros((world.firms.n, groups + 1))
        self.latent = np.zeros((world.firms.n, groups + 1))
        self.detectable[:, -1] = world.firms.out_detectable
        self.latent[:, -1] = world.firms.out_latent

    def follow(self, world: World) -> Floats:
        """Go on by the month that was just propagated; return the actual loss by group of origin in CNY, shape (groups + 1,)."""
        firms, links, hidden = world.firms, world.links, world.firms.latent
        detectable, latent = blocks(world)
        arrived = detectable.passed @ self.detectable
        rows = np.arange(firms.n)
        arrived[rows, self.label] += (1.0 - hidden) * firms.own_dpu
        half = 0.5 * links.interface * let_in(world)
        np.add.at(arrived, (links.customer, self.label[links.customer]), half)
        np.add.at(arrived, (links.customer, self.label[links.supplier]), half)
        self.detectable = detectable.escape[:, None] * arrived
        self.latent = latent.passed @ self.latent
        self.latent[rows, self.label] += hidden * firms.own_dpu
        field_cost = world.parameters.field_cost * firms.to_users
        return field_cost @ (self.detectable + self.latent)
