"""The regulator samples products: at random, to measure; and by risk, to find failures and have them rectified.

Three outcomes must not be confused: true nonconformity, the measured pass rate of random samples, and the fail
rate of risk-targeted samples, which says more about the targeting than about all products.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.month.orders import monthly_sales
from sim.month.problems import close_problem
from sim.month.propagation import outgoing_dpu
from sim.world import World

__all__ = ["nonconformity", "risk", "sample_products"]


def nonconformity(world: World) -> NDArray[np.float64]:
    """Probability that a unit of a firm's output does not conform, ``1 - exp(-outgoing DPU)``, shape (n,)."""
    return -np.expm1(-outgoing_dpu(world))


def risk(world: World) -> NDArray[np.float64]:
    """Weight of a firm in risk-targeted sampling, shape (n,): by size class, recent failures, and certificates."""
    firms, p = world.firms, world.parameters
    weight = np.asarray(p.risk_size)[firms.size_class]
    weight = weight * np.where(world.month - firms.failed_month <= p.risk_months, p.risk_failed, 1.0)
    return weight * np.where(firms.certified, p.risk_signal, 1.0) * (firms.alive & (firms.output > 0))


def sample_products(world: World) -> None:
    """Let each region's regulator take one unit each from firms chosen at random and by risk, count failures, and have them put right.

    The random sample takes every firm that ships anything with the same chance, whatever its size. A sample is one unit. The laboratory
    is assumed to find every defect, latent or not. A firm whose sample fails pays a fine and closes one open problem.
    """
    firms, regulators, p = world.firms, world.regulators, world.parameters
    sells = firms.alive & (firms.output > 0)
    share = min(1.0, p.random_samples / 1000.0)
    weight = risk(world)
    whole = world.of_regions(weight)[firms.region]
    samples = p.targeted_samples / 1000.0 * world.of_regions(sells)[firms.region]
    chance = np.minimum(1.0, np.divide(samples * weight, whole, out=np.zeros(firms.n), where=whole > 0.0) + firms.watched * sells)
    bad = nonconformity(world)
    firms.sampled = (world.draw("product sampled", firms) < share) & sells
    firms.failed = firms.sampled & (world.draw("sample fails", firms) < bad)
    firms.targeted = world.draw("product sampled for its risk", firms) < chance
    firms.targeted_failed = firms.targeted & (world.draw("sample for its risk fails", firms) < bad)
    for count in ("sampled", "failed", "targeted", "targeted_failed"):
        getattr(regulators, count)[:] += world.of_regions(getattr(firms, count)).astype(np.int64)
    _put_right(world, firms.failed | firms.targeted_failed)


def _put_right(world: World, failed: NDArray[np.bool_]) -> None:
    """Fine firms whose samples failed, and let each close one open problem, of the kind of which it has most."""
    firms, p = world.firms, world.parameters
    sales = monthly_sales(world)
    firms.failed_month[failed] = world.month
    world.firms_pay("government", "fines", p.fine * (1.0 + firms.sharper_fine) * sales * failed)
    cost = p.rectification_cost * sales * failed
    firms.prevention[:] += cost
    world.firms_pay("households", "rectification", cost)
    rows = np.flatnonzero(failed & (firms.open_problems.sum(axis=1) > 0))
    close_problem(world, rows, firms.open_problems[rows].argmax(axis=1))
