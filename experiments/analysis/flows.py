"""The quality map as flows of loss: what begins in the firms of a tier and a chain, what they hand on, and what reaches users from them.

Whatever begins in a node or arrives there leaves it: over links to other nodes, or with its own sales to users.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.runs.measure import MapPicture
from sim.attribution.quality_map import BEGUN, BY_CAUSE, CAUSES, LOSS, MARGINAL, TO_USERS, QualityMap

__all__ = ["LINKS", "Flows", "flows_of", "links_table", "picture_of_tables"]

#: Columns of the table of links.
LINKS = ("supplier", "customer", LOSS, BEGUN)
#: Share of all loss that a tier and those behind it must have to be shown alone.
LEAST = 0.01


@dataclass(frozen=True)
class Flows:
    """Loss to users, CNY a month, by node: the firms of one chain in one tier.

    Attributes
    ----------
    tier : array, shape (nodes,)
        Below 0 for firms that reach no leader.
    deeper : bool
        Whether the deepest tier holds deeper ones, too.
    chain : array, shape (nodes,)
        Rank of the chain by the loss that begins in it; `names` of them have a name, the last rank may be that of all others.
    names : tuple of str
        Names of the chains that are shown alone.
    lumped : int
        How many further chains share the last rank.
    begins : array, shape (nodes, causes)
    to_users : array, shape (nodes,)
    between : array, shape (nodes, nodes)
        What the row hands on to the column; of flows both ways only the difference.
    within : float
        What firms hand on to firms of their own node, and what goes both ways: it is in no flow.
    """

    tier: NDArray[np.int64]
    deeper: bool
    chain: NDArray[np.int64]
    names: tuple[str, ...]
    lumped: int
    begins: NDArray[np.float64]
    to_users: NDArray[np.float64]
    between: NDArray[np.float64]
    within: float

    @property
    def passes(self) -> NDArray[np.float64]:
        """What goes through each node, shape (nodes,)."""
        return self.begins.sum(axis=1) + self.between.sum(axis=0)

    def without(self, empty: NDArray[np.bool_]) -> Flows:
        """Leave out nodes through which nothing goes."""
        kept = ~empty
        nodes = {name: getattr(self, name)[kept] for name in ("tier", "chain", "begins", "to_users")}
        return replace(self, **nodes, between=self.between[np.ix_(kept, kept)])

    @property
    def error(self) -> float:
        """Largest difference between what enters a node and what leaves it, as a share of all loss; it is rounding only."""
        left = self.between.sum(axis=1) + self.to_users
        return float(np.abs(self.passes - left).max(initial=0.0) / max(self.to_users.sum(), 1e-300))


def flows_of(picture: MapPicture, most: int = 6) -> Flows:
    """Sum a map up by tier and chain.

    Parameters
    ----------
    picture : MapPicture
    most : int
        Chains that are shown alone at most: those in which most loss begins. The others share a node a tier.
    """
    firms, of_map = picture.table.set_index("firm"), picture.map
    name_of = firms.loc[picture.names, "chain"].to_numpy(dtype=str)
    chains, row = np.unique(name_of, return_inverse=True)
    loss = np.bincount(row, weights=of_map.by_firm, minlength=chains.size)
    order = np.argsort(-loss, kind="stable")
    alone = chains.size if chains.size <= most else most - 1
    rank = np.empty(chains.size, dtype=np.int64)
    rank[order] = np.minimum(np.arange(chains.size), alone)
    deepest, depth = _deepest(picture), int(picture.tier.max(initial=0))
    tier = np.minimum(picture.tier.astype(np.int64), deepest)
    keys, node = np.unique(np.stack([tier, rank[row]], axis=1), axis=0, return_inverse=True)
    node = node.ravel()
    begins = np.zeros((len(keys), len(CAUSES)))
    np.add.at(begins, node, of_map.loss)
    both = np.zeros((len(keys), len(keys)))
    np.add.at(both, (node[picture.supplier], node[picture.customer]), of_map.carried)
    between = np.maximum(both - both.T, 0.0)
    to_users = np.zeros(len(keys))
    np.add.at(to_users, node, of_map.to_users)
    names = tuple(str(name) for name in chains[order[:alone]])
    return Flows(
        keys[:, 0],
        deepest < depth,
        keys[:, 1],
        names,
        int(chains.size - alone),
        begins,
        to_users,
        between,
        float(both.sum() - between.sum()),
    )


def _deepest(picture: MapPicture) -> int:
    """Return the deepest tier that is shown alone: in those beyond it hardly any loss begins."""
    tiers = picture.tier.clip(min=0)
    begun = np.bincount(tiers, weights=np.where(picture.tier < 0, 0.0, picture.map.by_firm))
    from_here = begun[::-1].cumsum()[::-1]
    seen = np.flatnonzero(from_here > LEAST * max(picture.map.total, 0.0))
    return int(seen[-1]) if seen.size else 0


def links_table(picture: MapPicture) -> pd.DataFrame:
    """Return a row for every link: supplier, customer, the loss that it carries, and what of it begins on the link."""
    of_map = picture.map
    columns = (picture.names[picture.supplier], picture.names[picture.customer], of_map.link_loss, of_map.link_begun)
    return pd.DataFrame(dict(zip(LINKS, columns, strict=True)))


def picture_of_tables(firms: pd.DataFrame, links: pd.DataFrame) -> MapPicture:
    """Make a map of its stored tables again: firms are in the order of their table."""
    rows = pd.Index(firms["firm"])
    supplier, customer = (rows.get_indexer(links[name]).astype(np.int64) for name in LINKS[:2])
    if (supplier < 0).any() or (customer < 0).any():
        raise ValueError("the table of links names a firm that the quality map does not have")
    loss, begun = (links[name].to_numpy(dtype=np.float64) for name in LINKS[2:])
    to_users = firms[TO_USERS].to_numpy(dtype=np.float64)
    of_map = QualityMap(
        firms[list(BY_CAUSE)].to_numpy(dtype=np.float64),
        firms[MARGINAL].to_numpy(dtype=np.float64),
        loss,
        begun,
        to_users,
        float(to_users.sum()),
    )
    names, tier = firms["firm"].to_numpy(dtype=str), firms["tier"].to_numpy(dtype=np.int32)
    return MapPicture(names, tier, supplier, customer, of_map, firms)
