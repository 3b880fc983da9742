"""What is written down of a run: outcomes by group and month, as tidy series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.firm import SIZE_CLASSES
from sim.outcomes import OUTCOMES
from sim.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GROUPINGS", "Record", "measure"]

Floats = NDArray[np.float64]

#: How firms can be grouped; "total" is one group of all.
GROUPINGS = ("total", "chain", "tier", "size")


def measure(top: Floats, bottom: Floats | None, label: NDArray[np.int64], groups: int) -> Floats:
    """Add an outcome up over groups of firms; not a number where a ratio has nothing below.

    Parameters
    ----------
    top, bottom : arrays, shape (n,)
        Summand and divisor per firm (None for a plain sum).
    label : int array, shape (n,)
        Group of each firm.
    groups : int
        Number of groups.
    """
    above = np.asarray(np.bincount(label, top, minlength=groups), dtype=np.float64)
    if bottom is None:
        return above
    below = np.bincount(label, bottom, minlength=groups)
    return np.divide(above, below, out=np.full(groups, np.nan), where=below > 0)


class Record:
    """Outcomes of every month, in total and, on request, by chain, tier and size class.

    Parameters
    ----------
    world : World
    by : iterable of str
        Groupings to keep besides the total.
    outcomes : iterable of str, optional
        Keys to keep; all by default.
    """

    def __init__(self, world: World, by: Iterable[str] = (), outcomes: Iterable[str] | None = None) -> None:
        self.outcomes = tuple(OUTCOMES if outcomes is None else outcomes)
        unknown = [key for key in self.outcomes if key not in OUTCOMES]
        if unknown:
            raise ValueError(f"no outcome {unknown[0]!r}; there are {', '.join(OUTCOMES)}")
        names: list[tuple[str, str]] = []
        self._labels: list[tuple[slice, NDArray[np.int64]]] = []
        for grouping in ("total", *(g for g in dict.fromkeys(by) if g != "total")):
            label, groups = _groups(world, grouping)
            self._labels.append((slice(len(names), len(names) + len(groups)), label))
            names.extend((grouping, name) for name in groups)
        self.groups = tuple(names)
        self.months: list[int] = []
        self._rows: list[NDArray[np.float64]] = []  # (outcomes, groups) a month

    def write(self, world: World) -> None:
        """Write down the month that has just ended."""
        row = np.full((len(self.outcomes), len(self.groups)), np.nan)
        for k, key in enumerate(self.outcomes):
            outcome = OUTCOMES[key]
            top, bottom = outcome.top(world), outcome.bottom(world) if outcome.bottom else None
            for mine, label in self._labels:
                row[k, mine] = measure(top, bottom, label, mine.stop - mine.start)
        self.months.append(world.month)
        self._rows.append(row)

    @property
    def values(self) -> NDArray[np.float64]:
        """Everything written: shape (months, outcomes, groups)."""
        return np.stack(self._rows) if self._rows else np.empty((0, len(self.outcomes), len(self.groups)))

    def series(self, outcome: str, by: str = "total", group: str = "total") -> NDArray[np.float64]:
        """Return one outcome of one group over the months, shape (months,)."""
        return self.values[:, self.outcomes.index(outcome), self.groups.index((by, group))]

    def latest(self, outcome: str) -> float:
        """Return the last total of an outcome; not a number before the first month."""
        return float(self._rows[-1][self.outcomes.index(outcome), 0]) if self._rows else float("nan")

    def table(self) -> pd.DataFrame:
        """Return everything as a tidy table: month, by, group, outcome, value."""
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
    if by == "size":
        return firms.size_class.astype(np.int64), list(SIZE_CLASSES)
    if by == "tier":
        tiers, label = np.unique(firms.tier, return_inverse=True)
        return label.astype(np.int64), ["none" if tier < 0 else str(tier) for tier in tiers]
    raise ValueError(f"no grouping {by!r}; there are {', '.join(GROUPINGS)}")
