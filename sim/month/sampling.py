"""The regulator samples products at random: the measured pass rate."""

from __future__ import annotations

import numpy as np

from sim.world import World

__all__ = ["nonconformity", "sample_products"]


def nonconformity(world: World) -> np.ndarray:
    """Probability that a unit of a firm's output does not conform, ``1 - exp(-outgoing DPU)``, shape (n,)."""
    firms = world.firms
    return np.asarray(-np.expm1(-(firms.out_detectable + firms.out_latent)))


def sample_products(world: World) -> None:
    """Take one unit from randomly chosen firms and count what fails.

    Sampling frame: all firms alike, whatever their size; a sample is one unit. Every defect,
    latent or not, is taken to be found in the laboratory.
    """
    firms, regulators = world.firms, world.regulators
    share = np.minimum(1.0, world.parameters.random_samples / max(int(firms.alive.sum()), 1))
    firms.sampled = (world.draw("product sampled", firms) < share) & firms.alive
    firms.failed = firms.sampled & (world.draw("sample fails", firms) < nonconformity(world))
    regulators.sampled[:] += int(firms.sampled.sum())
    regulators.failed[:] += int(firms.failed.sum())
