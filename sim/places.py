"""Chains and counties by their names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.columns import Flags, Ints
from agents.spelling import nearest
from sim.parameters import ParameterError
from sim.world import World

__all__ = ["firms_in_places", "index_of", "indices_of"]


def index_of(name: str, known: Sequence[str]) -> int:
    """Return the place of a name among those that are known, -1 if it is none of them; case does not matter, and _ stands for a blank."""
    plain = [_plain(one) for one in known]
    return known.index(name) if name in known else plain.index(_plain(name)) if _plain(name) in plain else -1


def indices_of(called: Sequence[str], known: Sequence[str], where: str, what: str) -> Ints:
    """Return the places of names among those that are known.

    Parameters
    ----------
    called, known : sequences of str
    where : str
        The setting that names them, for the message.
    what : str
        What they are names of: "chain", "county", or "chain or county".

    Raises
    ------
    ParameterError
        If a name is none of them: one line with the nearest name.
    """
    found = [index_of(name, known) for name in called]
    for name, index in zip(called, found, strict=True):
        if index < 0:
            raise ParameterError(f"{where} names {name!r}, but there is no such {what}{nearest(name, known)}")
    return np.array(found, dtype=np.int64)


def firms_in_places(world: World, called: Sequence[str], where: str) -> Flags:
    """Return the firms in some counties or on some chains, by the names of these: shape (n,).

    Raises
    ------
    ParameterError
        If there is neither a county nor a chain of a name: one line with the nearest name.
    """
    chains, counties = world.network.chains, world.county_names
    indices_of(called, [*chains, *counties], where, "chain or county")
    within = np.isin(world.firms.chain, [index_of(name, chains) for name in called])
    return within | np.isin(world.firms.county, [index_of(name, counties) for name in called])


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").casefold()
