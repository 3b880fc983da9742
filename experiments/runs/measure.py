"""What is measured of one run: totals and groups at its end, the months in total, where the field loss begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.firm import KINDS
from experiments.configuration.settings import Task
from sim import StrongchainModel
from sim.attribution.quality_map import CAUSES, QualityMap
from sim.record import Record

__all__ = ["EXTRAS", "MapPicture", "Run", "firms_at_the_end", "measure", "series_by_group"]


@dataclass(frozen=True)
class MapPicture:
    """What a figure of the quality map needs, without the world it came from; and the map as a table, firm by firm."""

    names: NDArray[np.str_]
    tier: NDArray[np.int32]
    supplier: NDArray[np.int64]
    customer: NDArray[np.int64]
    map: QualityMap
    table: pd.DataFrame

    @classmethod
    def of(cls, model: StrongchainModel) -> MapPicture:
        """Take the picture of a world at the end of its month."""
        quality_map, links = model.quality_map(), model.links
        tier, supplier, customer = model.firms.tier.copy(), links.supplier.copy(), links.customer.copy()
        return cls(model.network.names, tier, supplier, customer, quality_map, quality_map.table(model))


@dataclass(frozen=True)
class Run:
    """What is kept of one run.

    Attributes
    ----------
    arm, replicate : str, int
    outcomes : tuple of str
    groups : tuple of (by, group)
        The first is the total.
    window : array, shape (outcomes, groups)
        Outcomes over the last months: of sums the mean a month, of ratios the ratio of the months' sums.
    cumulative : array, shape (outcomes, groups)
        Flows summed over all months; not a number for outcomes that are not flows.
    series : array, shape (months, outcomes)
        Totals.
    origins : array, shape (tiers, causes)
        Field loss by tier and cause of origin, CNY a month, of the quality map at the end; the
        last row is of firms that reach no leader.
    picture : MapPicture or None
        Of the first replicate only.
    spent : dict of str to float
        What government spent on each instrument.
    payments : dict of (purpose, payer, payee) to float
        Payments between sectors, CNY a month: means of the last months.
    counts : dict of str to dict of str to int
        What each instrument delivered over the whole run, in its own units.
    """

    arm: str
    replicate: int
    outcomes: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    window: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    series: NDArray[np.float64]
    origins: NDArray[np.float64]
    picture: MapPicture | None
    spent: dict[str, float]
    payments: dict[tuple[str, str, str], float]
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


def measure(model: StrongchainModel, arm: str, replicate: int, task: Task) -> Run:
    """Run a world through its months, and measure it.

    Parameters
    ----------
    model : StrongchainModel
        At the end of its burn-in, policy in place.
    arm : str
    replicate : int
        Counted from 0.
    task : Task
    """
    model.run(task.months - task.window)
    payments: Counter[tuple[str, str, str]] = Counter()
    for _ in range(task.window):
        model.step()
        payments.update({(why, payer, payee): amount for (payer, payee, why), amount in model.books.month.items()})
    picture = MapPicture.of(model) if replicate == 0 else None
    quality_map = picture.map if picture else model.quality_map()
    tiers = int(model.firms.tier.max(initial=0)) + 1
    origins = np.zeros((tiers + 1, len(CAUSES)))
    np.add.at(origins, model.firms.tier, quality_map.loss)  # tier -1 lands in the last row
    return Run(
        arm,
        replicate,
        model.record.outcomes,
        model.record.groups,
        np.ascontiguousarray(model.record.mean(task.window)),
        np.ascontiguousarray(model.record.in_all()),
        np.ascontiguousarray(model.record.values[:, :, 0]),
        origins,
        picture,
        model.spent(),
        {flow: amount / task.window for flow, amount in sorted(payments.items())},
        model.delivered(),
    )


def series_by_group(model: StrongchainModel) -> pd.DataFrame:
    """Return every month of every group: a row per month and group, a column per outcome."""
    record: Record = model.record
    values = record.values.transpose(0, 2, 1)  # months, groups, outcomes
    months, groups, _ = values.shape
    head = {
        "month": np.repeat(record.months, groups),
        "by": [by for by, _ in record.groups] * months,
        "group": [group for _, group in record.groups] * months,
    }
    return pd.DataFrame({**head, **dict(zip(record.outcomes, values.reshape(months * groups, -1).T, strict=True))})


def firms_at_the_end(model: StrongchainModel) -> pd.DataFrame:
    """Return every firm with its present state: its name, chain and sector, and every column of its state."""
    firms, network = model.firms, model.network
    columns: dict[str, NDArray] = {
        "firm": network.names,
        "chain_name": np.asarray(network.chains)[firms.chain],
        "sector_name": np.asarray(network.sectors)[firms.sector],
    }
    for name, column in firms.columns.items():
        values = getattr(firms, name)
        parts = KINDS if column.width == len(KINDS) else range(1, column.width + 1)
        columns |= {name: values} if column.width == 1 else {f"{name}_{part}": values[:, k] for k, part in enumerate(parts)}
    return pd.DataFrame(columns)


#: What is kept of a run on request, as a table of its own.
EXTRAS: dict[str, Callable[[StrongchainModel], pd.DataFrame]] = {"series": series_by_group, "firms": firms_at_the_end}
