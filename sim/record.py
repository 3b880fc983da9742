"""The record of a run: outcomes by group and month, as tidy series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from agents.columns import Floats
from agents.firm import SIZE_CLASSES
from sim.outcomes import OUTCOMES, PerFirm
from sim.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GROUPINGS", "Record"]

#: How firms can be grouped; "total" is one group of all.
GROUPINGS = ("total", "chain", "tier", "size", "quantile", "county", "region")
#: Groups of as many firms each, by their own defects: 1 has the fewest.
QUANTILES = 5


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Divide sums, entry by entry; not a number where the divisor is not above 0."""
    return np.divide(top, bottom, out=np.full(np.broadcast(top, bottom).shape, np.nan), where=bottom > 0)


class Record:
    """Outcomes of every month, in total and, on request, by chain, county, tier, size class and fifth of firms by their own defects.

    Parameters
    ----------
    world : World
    by : iterable of str
        Groupings to record in addition to the total.
    outcomes : iterable of str, optional
        Keys to record; all by default.

    Notes
    -----
    Groups are those of the firms when the record begins, before any policy, although their tiers and defects may change later: all arms
    of a replicate have the same firms in a group.
    """

    def __init__(self, world: World, by: Iterable[str] = (), outcomes: Iterable[str] | None = None) -> None:
        self.outcomes = tuple(OUTCOMES if outcomes is None else outcomes)
        unknown = [key for key in self.outcomes if key not in OUTCOMES]
        if unknown:
            raise ValueError(f"no outcome {unknown[0]!r}; there are {', '.join(OUTCOMES)}")
        names: list[tuple[str, str]] = []
        labels: list[NDArray[np.int64]] = []
        for grouping in ("total", *(g for g in dict.fromkeys(by) if g != "total")):
            label, groups = _groups(world, grouping)
            labels.append(label + len(names))
            names.extend((grouping, name) for name in groups)
        self.groups = tuple(names)
        self.months: list[int] = []
        member, n = np.concatenate(labels), world.firms.n
        self._members = sparse.csr_array((np.ones(member.size), (member, np.tile(np.arange(n), len(labels)))), shape=(len(names), n))
        self._tops: list[Floats] = []  # (outcomes, groups) a month
        self._bottoms: list[Floats] = []

    def write(self, world: World) -> None:
        """Record the month that has just ended."""
        sums: dict[PerFirm, Floats] = {}

        def total(per_firm: PerFirm) -> Floats:
            """Sum over the groups; many outcomes share a summand or a divisor."""
            if per_firm not in sums:
                sums[per_firm] = self._members @ per_firm(world)
            return sums[per_firm]

        declared = [OUTCOMES[key] for key in self.outcomes]
        ones = np.ones(len(self.groups))
        self.months.append(world.month)
        self._tops.append(np.stack([total(outcome.top) for outcome in declared]))
        self._bottoms.append(np.stack([total(outcome.bottom) if outcome.bottom else ones for outcome in declared]))

    @property
    def values(self) -> Floats:
        """All recorded values: shape (months, outcomes, groups)."""
        if not self._tops:
            return np.empty((0, len(self.outcomes), len(self.groups)))
        return ratio(np.stack(self._tops), np.stack(self._bottoms))

    def mean(self, months: int) -> Floats:
        """Outcomes over the last months, shape (outcomes, groups): mean per month of sums, ratio of these months' sums of ratios."""
        return ratio(np.sum(self._tops[-months:], axis=0), np.sum(self._bottoms[-months:], axis=0))

    def in_all(self) -> Floats:
        """Flows summed over all months, shape (outcomes, groups); not a number for outcomes that are no flows."""
        whole = np.sum(self._tops, axis=0)
        whole[[not OUTCOMES[key].is_flow for key in self.outcomes]] = np.nan
        return whole

    def series(self, outcome: str, by: str = "total", group: str = "total") -> NDArray[np.float64]:
        """Return one outcome of one group over the months, shape (months,)."""
        return self.values[:, self.outcomes.index(outcome), self.groups.index((by, group))]

    def latest(self, outcome: str) -> float:
        """Return the last total of an outcome; not a number before the first month."""
        if not self._tops:
            return float("nan")
        k = self.outcomes.index(outcome)
        return float(ratio(self._tops[-1][k, :1], self._bottoms[-1][k, :1])[0])

    def table(self) -> pd.DataFrame:
        """Return all recorded values as a tidy table: month, by, group, outcome, value."""
        import pandas as pd

        months, keys, groups = len(self.months), len(self.outcomes), len(self.groups)
        return pd.DataFrame(
            {
                "month": np.repeat(self.months, keys * groups),
                "by": np.tile([by for by, _ in self.groups], months * keys),
                "group": np.tile([name for _, name in self.groups], months * keys),
                "outcome": np.tile(np.repeat(self.outcomes, groups), months),
                "value": self.values.ravel(),
            }
        )


def _groups(world: World, by: str) -> tuple[NDArray[np.int64], list[str]]:
    firms = world.firms
    if by == "total":
        return np.zeros(firms.n, dtype=np.int64), ["total"]
    if by == "chain":
        return firms.chain.astype(np.int64), list(world.network.chains)
    if by == "county":
        return firms.county.astype(np.int64), list(world.county_names)
    if by == "region":
        return firms.region.astype(np.int64), list(world.region_names)
    if by == "size":
        return firms.size_class.astype(np.int64), list(SIZE_CLASSES)
    if by == "tier":
        tiers, label = np.unique(firms.tier, return_inverse=True)
        return label.astype(np.int64), ["none" if tier < 0 else str(tier) for tier in tiers]
    if by == "quantile":
        rank = np.empty(firms.n, dtype=np.int64)
        rank[np.argsort(firms.own_dpu, kind="stable")] = np.arange(firms.n)
        groups, label = np.unique(rank * QUANTILES // max(1, firms.n), return_inverse=True)  # fewer than five firms make fewer groups
        return label.astype(np.int64), [str(group + 1) for group in groups]
    raise ValueError(f"no grouping {by!r}; there are {', '.join(GROUPINGS)}")
