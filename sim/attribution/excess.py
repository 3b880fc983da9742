"""Where the defects of a month are: made, found, on their way, with users. The difference of two worlds shows the way of a shock."""

from __future__ import annotations

from dataclasses import dataclass, fields

from agents.columns import Floats
from sim.month.propagation import escape_share, outgoing_dpu
from sim.month.quality_cost import borne
from sim.world import World

__all__ = ["DefectFlows", "defect_flows"]


@dataclass(frozen=True)
class DefectFlows:
    """Defects of one month by firm, and by link; or the difference of these between two worlds.

    Attributes
    ----------
    batch : array, shape (n,)
        Own defects that a shock adds, defects a month: per unit times units, where a unit has the price 1 at the start.
    begun : array, shape (n,)
        All other defects that begin at the firm: own ones, and interface defects of what it buys.
    goods_in, final : array, shape (n,)
        Defects that its goods-in and its final inspection find.
    leaving, users, elsewhere : array, shape (n,)
        Defects in all that it makes; of them in what users buy, and in what is sold elsewhere.
    cost : array, shape (n,)
        Its cost of quality, CNY a month: prevention, appraisal, failures, charge-back borne less recovered.
    arriving : array, shape (m,)
        Defects in what a link delivers, before goods-in inspection.

    Notes
    -----
    ``batch + begun + what arrives = goods_in + final + leaving``, firm by firm.
    """

    batch: Floats
    begun: Floats
    goods_in: Floats
    final: Floats
    leaving: Floats
    users: Floats
    elsewhere: Floats
    cost: Floats
    arriving: Floats

    def __sub__(self, other: DefectFlows) -> DefectFlows:
        """Return what it has beyond another one: of two worlds with the same firms and links."""
        return DefectFlows(**{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)})


def defect_flows(world: World) -> DefectFlows:
    """Return the defects of the month that has just ended."""
    firms, links = world.firms, world.links
    made = firms.output
    to_customer = made[links.customer]
    batch = firms.shock_defects * made
    outgoing = outgoing_dpu(world)
    return DefectFlows(
        batch=batch,
        begun=firms.own_dpu * made - batch + world.by_customer(links.interface * to_customer),
        goods_in=world.by_customer(links.caught * to_customer),
        final=(1.0 - escape_share(world)) * firms.before_final * made,
        leaving=outgoing * made,
        users=outgoing * firms.to_users,
        elsewhere=outgoing * firms.elsewhere,
        cost=firms.prevention + firms.appraisal + borne(world),
        arriving=(links.caught + links.passed_detectable + links.passed_latent - links.interface) * to_customer,
    )
