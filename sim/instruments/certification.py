"""Help towards a certificate of the management system (管理体系认证提升)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.firm import MANAGEMENT
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument, Theme, instrument
from sim.month.learning import teach
from sim.parameters import Parameters, parameter
from sim.world import World

__all__ = ["Certification"]


@instrument("certification", dose="reach")
@dataclass(frozen=True, kw_only=True)
class Certification(Instrument):
    """Firms without a certificate of their management system are helped to get one (小微企业质量管理体系认证提升, "三叠链").

    From the day of issue the certificate is a signal to customers, banks and the regulator. How much it improves practice is a separate
    question (`substance`). In service firms of China sales rose after ISO 9001, and productivity did not.

    Cost: government and firm share the cost of the first certificate; the firm pays for a renewal.
    Ends: the help; no firm loses its certificate because of that.
    Stays: the certificate for its usual term, after which the firm decides whether to renew it; and what was learnt, which fades like all
    practice.
    Practice: Qingxu helped 10 vinegar makers (F193), Daizhou 5 makers of rice wine (F196); 10,000 small firms were planned in China
    (F270). Effects are assumptions.
    """

    label: ClassVar[str] = "help towards certificates"
    label_zh: ClassVar[str] = "管理体系认证提升"
    theme: ClassVar[Theme] = Theme.FIRMS
    treats: ClassVar[tuple[str, ...]] = ("management",)
    hinges_on: ClassVar[str] = "instruments.certification.substance"
    doses_shown: ClassVar[tuple[float, ...]] = (0.125, 0.25, 0.5, 0.75, 1.0)
    counted: ClassVar[dict[str, str]] = {"certificates": "first certificates issued"}

    unit_cost: float = parameter(
        Parameters.certificate_cost, 0.0, 1e7, "CNY/firm", "assumption: parameters.certificate_cost", "N", "cost of a first certificate"
    )
    government_share: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of the one-off cost that government bears; the firm bears the rest"
    )
    substance: float = parameter(
        1.0,
        0.0,
        10.0,
        "1",
        "assumption: like any first certificate",
        "N",
        "practice that a first certificate adds, as a multiple of `parameters.certificate_substance`",
    )

    def eligible(self, world: World) -> NDArray[np.bool_]:
        """Firms without a certificate."""
        return super().eligible(world) & ~world.firms.certified

    def apply(self, world: World, month: int, chosen: NDArray[np.int64]) -> None:
        """Issue the certificates, and raise management by what firms learnt in preparing for them."""
        firms, p = world.firms, world.parameters
        firms.certified[chosen] = True
        firms.certificate_left[chosen] = p.certificate_months
        teach(world, chosen, MANAGEMENT, min(self.substance * p.certificate_substance, 1.0))

    def act(self, world: World, programme: Account, rows: NDArray[np.int64]) -> None:
        """Count the certificates: one for every firm that was taken on."""
        programme.counts["certificates"] = int(programme.reached.size) + programme.gone
