"""Chains and counties by their names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.columns import Flags, Ints
from agents.spelling import nearest
from sim.parameters import ParameterError
from sim.world import World

__all__ = ["chains_named", "firms_in_places", "index_of"]


def index_of(name: str, known: Sequence[str]) -> int:
    """Return the place of a name among those that are known, -1 if it is none of them; case does not matter, and _ stands for a blank."""
    plain = [_plain(one) for one in known]
    return known.index(name) if name in known else plain.index(_plain(name)) if _plain(name) in plain else -1


def chains_named(world: World, called: Sequence[str], where: str) -> Ints:
    """Return the indices of chains by their names.

    Raises
    ------
    ParameterError
        If there is no chain of a name: one line with the nearest name; `where` is the setting that names it.
    """
    known = world.network.chains
    found = [index_of(name, known) for name in called]
    for name, index in zip(called, found, strict=True):
        if index < 0:
            raise ParameterError(f"{where} names {name!r}, but there is no such chain{nearest(name, known)}")
    return np.array(found, dtype=np.int64)


def firms_in_places(world: World, called: Sequence[str], where: str) -> Flags:
    """Return the firms in some counties or on some chains, by the names of these: shape (n,).

    Raises
    ------
    ParameterError
        If there is neither a county nor a chain of a name: one line with the nearest name.
    """
    within = np.zeros(world.firms.n, dtype=np.bool_)
    chains, counties = world.network.chains, world.county_names
    for name in called:
        chain, county = index_of(name, chains), index_of(name, counties)
        if chain < 0 and county < 0:
            raise ParameterError(f"{where} names {name!r}, but there is no such chain or county{nearest(name, [*chains, *counties])}")
        within |= (world.firms.chain == chain) | (world.firms.county == county)
    return within


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").casefold()
