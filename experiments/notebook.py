"""What a notebook asks for: one world, from the words one would type."""

from __future__ import annotations

from collections.abc import Sequence

from agents.streams import replicate_keys
from experiments.configuration.preflight import checked_settings
from sim import StrongchainModel

__all__ = ["world"]


def world(*overrides: str, seed: int | None = None, record: Sequence[str] = ("chain", "tier", "size")) -> StrongchainModel:
    """Build one world from the words one would type after ``strongchain``, policy in place, shocks announced.

    Parameters
    ----------
    *overrides : str
        ``"region=liaoning"``, ``"instruments=[cqo]"``, ``"shocks=[bad_batch]"``, …
    seed : int, optional
        The run is the first replicate of this seed.
    record : sequence of str
        Groupings to record in addition to the total.

    Examples
    --------
    >>> model = world("region=sample", "instruments=[cqo]", seed=1)
    >>> model.run(12)
    """
    _, settings = checked_settings([*overrides, *([f"seed={seed}"] if seed is not None else [])])
    model = settings.world.build(replicate_keys(settings.seed, 1)[0], record, settings.task.check)
    model.adopt(settings.instruments)
    model.shock(*settings.shocks)
    return model
