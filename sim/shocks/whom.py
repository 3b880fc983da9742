"""Whom a shock strikes: firms by their names or by a rule, chains by their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from agents.columns import Flags, Floats, Ints
from agents.spelling import nearest
from sim.attribution.quality_map import quality_map
from sim.parameters import ParameterError
from sim.places import indices_of
from sim.world import World

__all__ = ["RULES", "firms_of_chains", "one_firm", "some_firms", "some_sellers"]


# A rule scores firms; the firm with the highest score is struck, of equals the first. A firm whose score is below 0 is not meant.


def _largest_supplier(world: World) -> Floats:
    firms, links = world.firms, world.links
    supplies = world.by_supplier(links.value_share > 0) > 0
    return np.where(supplies & ~firms.is_leader, firms.output, -1.0)


def _most_customers(world: World) -> Floats:
    firms = world.firms
    customers = world.by_supplier(world.links.value_share > 0)
    return np.where((customers > 0) & ~firms.is_leader, customers, -1.0)


def _weakest_link(world: World) -> Floats:
    return quality_map(world).by_firm


def _weakest_supplier(world: World) -> Floats:
    return np.where(world.firms.is_leader, -1.0, _weakest_link(world))


def _largest_leader(world: World) -> Floats:
    return np.where(world.firms.is_leader, world.firms.output, -1.0)


#: Rules that name a firm, by what is typed in place of the firm's name.
RULES: dict[str, Callable[[World], Floats]] = {
    "largest_supplier": _largest_supplier,
    "most_customers": _most_customers,
    "weakest_link": _weakest_link,
    "weakest_supplier": _weakest_supplier,
    "largest_leader": _largest_leader,
}


def firms_of_chains(world: World, chains: Sequence[str], where: str) -> Flags:
    """Return the firms that live and work for some chains, all chains if none is named: shape (n,).

    Raises
    ------
    ParameterError
        If there is no chain of a name: one line with the nearest name.
    """
    if not chains:
        return world.firms.alive.copy()
    return world.firms.alive & np.isin(world.firms.chain, indices_of(chains, world.network.chains, where, "chain"))


def one_firm(world: World, name: str, among: Flags, where: str) -> int:
    """Return the row of a firm by its name, or by a rule among some firms.

    Parameters
    ----------
    world : World
    name : str
        Name of the firm, or one of `RULES`.
    among : bool array, shape (n,)
        The firms that a rule can name.
    where : str
        The setting that names it, for the message.

    Raises
    ------
    ParameterError
        If there is no such firm: one line with the nearest name.
    """
    names = world.network.names
    found = np.flatnonzero(names == name)
    if found.size:
        return int(found[0])
    if name not in RULES:
        close = nearest(name, [*RULES, *names.tolist()])
        raise ParameterError(f"{where} is {name!r}; it must be the name of a firm, or one of {', '.join(RULES)}{close}")
    score = np.where(among, RULES[name](world), -1.0)
    if not (score >= 0.0).any():
        raise ParameterError(f"{where} is {name!r}, but there is no such firm in this network; name a firm")
    return int(score.argmax())


def some_firms(world: World, called: Sequence[str], among: Flags, where: str) -> Ints:
    """Return the rows of firms by names or rules, each once, in their order in the world; if none is named, of all `among`."""
    if not called:
        return np.flatnonzero(among)
    return np.unique([one_firm(world, name, among, where) for name in called])


def some_sellers(world: World, called: Sequence[str], among: Flags, where: str) -> Ints:
    """Return the rows of firms as `some_firms` does; all of them must be leaders, who alone sell to users.

    Raises
    ------
    ParameterError
        If a firm is no leader: one line.
    """
    leads = world.firms.is_leader
    rows = some_firms(world, called, among & leads, where)
    for row in rows[~leads[rows]]:
        raise ParameterError(f"{where} names {str(world.network.names[row])!r}, which sells nothing to users; name a leader")
    return rows
