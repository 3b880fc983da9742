"""Validation data that no parameter was tuned to: incidents of incoming quality, and the same figures in a simulated world.

The page that compares them is written by `experiments.pages.evidence.held_out`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from agents.firm import SIZE_CLASSES
from agents.streams import Streams, binomial, poisson, replicate_keys
from experiments.calibration.observe import rejected_lots
from experiments.configuration.settings import compose_settings, read_settings
from experiments.configuration.study import Parallel
from experiments.formatting import fixed
from experiments.runs.runner import fan_out
from sim import StrongchainModel
from sim.month.propagation import escape_share
from sim.month.sampling import nonconformity, risk

__all__ = [
    "BY_SIZE",
    "FAIL",
    "FAIL_BEFORE",
    "FIRST_YEAR",
    "MIDDLE",
    "OBSERVED",
    "OFFICIAL_SAMPLES",
    "OFFICIAL_SMALL",
    "OUTCOMES",
    "PASS",
    "POINTS",
    "SOON",
    "TOP",
    "YEARS",
    "Check",
    "IncidentError",
    "Incidents",
    "Simulated",
    "part_of_top",
    "read_incidents",
    "repeated",
    "simulate",
    "simulate_replicates",
]

Floats = NDArray[np.float64]

#: Shares of vendors, those with most incidents first, whose part of all incidents is shown, %.
TOP = (1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100)
#: What became of an incident, in the words of the data.
OUTCOMES = ("Rejected", "Impact", "No Impact")
#: Incidents that a plant must have for its mix of outcomes to count, and days within which a repeat counts.
FEWEST, SOON = 50, 30
#: Days and months that the incidents cover.
DAYS, MONTHS = 730, 24
#: Quantiles of replicates between which observed and simulated agree.
MIDDLE = (0.05, 0.95)
YEARS = 8
#: Official series, 2017-2024, %: pass rate of manufactured products (2018, 2019, 2021 recalled), and fail rate of the national sampling.
PASS = np.array([93.71, 93.93, 93.86, 93.39, 93.08, 93.29, 93.65, 93.93])
FAIL = np.array([8.5, np.nan, np.nan, 10.0, 12.2, 9.4, 12.3, 14.3])
FIRST_YEAR = 2017
#: The fail rate 2012-16; of large, medium and small firms 2021-24; by point of sampling 2024: production, shop, e-commerce. %
FAIL_BEFORE = np.array([10.2, 11.1, 7.7, 8.9, 8.4])
BY_SIZE = np.array([[2.1, 1.6, 0.8, 2.5], [3.3, 2.9, 2.2, 4.5], [13.1, 10.1, 13.2, 15.2]])
POINTS = (6.7, 15.1, 23.5)
#: Samples a year of the national sampling; how many the pass rate has was not found: the same number is assumed.
OFFICIAL_SAMPLES = 25_000
#: Share of small firms in them: overall rate less that of the other firms, over the difference of the rates.
OFFICIAL_SMALL = 0.92


class IncidentError(ValueError):
    """A file of incidents cannot be read; the message names the file, what is wrong, and what would be right."""


@dataclass(frozen=True)
class Incidents:
    """What the incidents of incoming quality show, all shares in % to a tenth.

    Attributes
    ----------
    incidents, vendors, plants : int
    curves : dict of str to tuple of float
        Part of the top vendors (`TOP`) in all incidents, days of a vendor with any, defective quantity and downtime, by measure.
    outcomes, by_quantity : tuple of float
        Mix of `OUTCOMES`, of incidents and of defective quantity.
    rejected : tuple of float
        Share of rejected in rejected and with impact: of incidents, of quantity, and the 10 % and 90 % quantiles of
        plants with at least `FEWEST` incidents.
    repeats : tuple of float
        Incidents after a vendor's first: within `SOON` days of the one before; on the same day; within those days if on a later one;
        and the first of these if each vendor's incidents fell on days at random.
    same_cause : tuple of float
        The first and the last of them for the same vendor, plant and defect.
    """

    incidents: int
    vendors: int
    plants: int
    curves: dict[str, tuple[float, ...]]
    outcomes: tuple[float, ...]
    by_quantity: tuple[float, ...]
    rejected: tuple[float, ...]
    repeats: tuple[float, ...]
    same_cause: tuple[float, ...]


#: Read off the files by `read_incidents` (6,145 incidents of 2013-14, anonymised; microsoft/powerbi-desktop-samples, MIT).
OBSERVED = Incidents(
    incidents=6145,
    vendors=320,
    plants=24,
    curves={
        "incidents": (24.6, 38.7, 58.1, 71.2, 79.0, 84.2, 90.6, 94.0, 96.0, 98.7, 100.0),
        "days": (17.6, 28.4, 48.2, 63.4, 72.8, 79.1, 87.1, 91.4, 94.2, 98.0, 100.0),
        "quantity": (19.6, 33.2, 56.3, 76.2, 86.0, 91.9, 96.8, 98.8, 99.7, 100.0, 100.0),
        "downtime": (33.6, 48.7, 71.8, 89.5, 96.3, 99.0, 100.0, 100.0, 100.0, 100.0, 100.0),
    },
    outcomes=(27.3, 31.5, 41.2),
    by_quantity=(35.7, 34.6, 29.7),
    rejected=(46.4, 50.8, 24.1, 70.4),
    repeats=(88.6, 37.5, 81.8, 85.3),
    same_cause=(62.7, 39.6),
)


@dataclass(frozen=True)
class Check:
    """One figure, observed and simulated.

    Attributes
    ----------
    key, label, unit : str
    low, high : float
        What was observed, with its margin.
    observed : str
        The same, as the page writes it.
    values : array, shape (replicates,)
    digits : int
    """

    key: str
    label: str
    unit: str
    low: float
    high: float
    observed: str
    values: Floats
    digits: int = 1

    @property
    def middle(self) -> tuple[float, float]:
        """Between which values the middle 90 % of the replicates lie."""
        low, high = np.nanquantile(self.values, MIDDLE)
        return float(low), float(high)

    @property
    def side(self) -> int:
        """0 where observed and simulated agree, -1 where less was simulated than observed, 1 where more."""
        low, high = self.middle
        return -1 if high < self.low else 1 if low > self.high else 0

    @property
    def cells(self) -> list[str]:
        """Its row of a table."""
        median, low, high = (fixed(number, self.digits) for number in (float(np.nanmedian(self.values)), *self.middle))
        agreement = {0: "agrees", -1: "**does not agree: less**", 1: "**does not agree: more**"}[self.side]
        return [self.label, self.unit, self.observed, f"{median} ({low} … {high})", agreement]


# -- observed ----------------------------------------------------------------------------------------------


def _tenths(values: ArrayLike) -> tuple[float, ...]:
    """Shares as % to a tenth."""
    return tuple(float(value) for value in np.round(100.0 * np.asarray(values, dtype=np.float64), 1))


def part_of_top(values: ArrayLike) -> Floats:
    """Return the part of the top ones (`TOP`, % of all) in the whole."""
    cumulated = np.cumsum(np.sort(np.asarray(values, dtype=np.float64))[::-1])
    return np.asarray([cumulated[max(1, round(cumulated.size * top / 100)) - 1] for top in TOP]) / cumulated[-1]


def repeated(group: NDArray[np.int64], day: NDArray[np.int64]) -> Floats:
    """Return how incidents repeat in their groups: within `SOON` days, on the same day, and within those days if on a later one."""
    order = np.lexsort((day, group))
    gap = np.diff(day[order])[np.diff(group[order]) == 0]
    later = gap[gap > 0]
    return np.array([part.mean() if part.size else np.nan for part in (gap <= SOON, gap == 0, later <= SOON)])


def _at_random(counts: NDArray[np.int64]) -> float:
    """Share of repeats within `SOON` days if the incidents of each group fell on days at random: gaps of uniform points."""
    soon = 1.0 - (1.0 - (SOON + 0.5) / DAYS) ** counts
    return float((soon * (counts - 1)).sum() / (counts - 1).sum())


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as mistake:
        raise IncidentError(f"{path}: cannot be read ({mistake}); it must be a CSV file with the columns {', '.join(columns)}") from None
    if missing := [name for name in columns if name not in table]:
        raise IncidentError(f"{path}: no column {', '.join(missing)}; it must have {', '.join(columns)}")
    return table[list(columns)]


def read_incidents(folder: Path) -> Incidents:
    """Read the incidents of a folder, and what they show.

    Raises
    ------
    IncidentError
        If a file does not exist, or lacks a column.
    """
    table = _table(folder / "Metrics.csv", ("Date", "Plant ID", "Vendor ID", "Defect ID", "Defect Type ID", "Defect Qty", "Downtime min"))
    kinds = _table(folder / "Defect_Type.csv", ("Defect Type", "Defect Type ID")).set_index("Defect Type ID")["Defect Type"]
    outcome = table["Defect Type ID"].map(kinds)
    vendors = table.groupby("Vendor ID")
    each = {
        "incidents": vendors.size(),
        "days": vendors["Date"].nunique(),
        "quantity": vendors["Defect Qty"].sum(),
        "downtime": vendors["Downtime min"].sum(),
    }
    mix = pd.crosstab(table["Plant ID"], outcome)[list(OUTCOMES)]
    quantity = table.groupby(outcome)["Defect Qty"].sum()[list(OUTCOMES)]
    plants = mix[mix.sum(axis=1) >= FEWEST]
    decided = (plants["Rejected"] / (plants["Rejected"] + plants["Impact"])).quantile([0.1, 0.9])
    whole = mix.sum()
    first_of_two = [part["Rejected"] / (part["Rejected"] + part["Impact"]) for part in (whole, quantity)]
    date = pd.to_datetime(table["Date"])
    day = (date - date.min()).dt.days.to_numpy()
    cause = table.groupby(["Vendor ID", "Plant ID", "Defect ID"])
    return Incidents(
        incidents=len(table),
        vendors=len(vendors),
        plants=len(mix),
        curves={name: _tenths(part_of_top(values)) for name, values in each.items()},
        outcomes=_tenths(whole / whole.sum()),
        by_quantity=_tenths(quantity / quantity.sum()),
        rejected=_tenths([*first_of_two, *decided]),
        repeats=_tenths([*repeated(table["Vendor ID"].to_numpy(np.int64), day), _at_random(vendors.size().to_numpy())]),
        same_cause=_tenths([repeated(cause.ngroup().to_numpy(np.int64), day)[0], _at_random(cause.size().to_numpy())]),
    )


# -- simulated ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """The same figures in one replicate of a world without a programme.

    Attributes
    ----------
    curves : dict of str to array, shape (len(TOP),)
        Part of the top suppliers in lots rejected and in defects of these, at all customers and at chain leaders; and in expected lots.
    mix : array, shape (2, 3)
        Arriving detectable defects, at all customers and at leaders: caught at goods-in, seen on the line, passed on.
    repeats : array, shape (3,)
        As `Incidents.repeats`, at all customers.
    years : dict of str to array, shape (years,)
        Pass rate (``pass``), fail rate of risk-targeted samples (``fail``) and that of each size class (``small`` …), %; expected,
        counted in the samples of the model (``… counted``), and in as many as the official ones (``… official``).
    small_share : float
        Share of small firms in risk-targeted samples.
    """

    curves: dict[str, Floats]
    mix: Floats
    repeats: Floats
    years: dict[str, Floats]
    small_share: float


def _goods_in(world: StrongchainModel) -> tuple[Floats, Floats, Floats]:
    """One month of goods-in: lots rejected and defects in them by supplier, shape (2, n) each of all customers and leaders; the mix."""
    links, firms = world.links, world.firms
    lots, arriving = rejected_lots(world)
    output, on = firms.output[links.customer], escape_share(world)[links.customer]
    passed = output * links.passed_detectable
    fates = np.stack([output * links.caught, passed * (1.0 - on), passed * on])
    places = (np.ones(links.n), firms.is_leader[links.customer].astype(np.float64))
    rejected, defects = (np.stack([world.by_supplier(values * place) for place in places]) for values in (lots, lots * arriving))
    return rejected, defects, np.stack([(fates * place).sum(axis=1) for place in places])


def _incidents(lots: Floats, defects: Floats, streams: Streams, where: int, each: float) -> tuple[Floats, Floats, Floats]:
    """Draw incidents from expected rejected lots by month and supplier, `each` of them to a supplier that has any.

    Returns
    -------
    tuple of array
        Part of the top suppliers in incidents and in defects, and how incidents repeat.
    """
    expected = lots.sum(axis=0)
    scale = np.exp(
        brentq(lambda log: np.exp(log) * expected.sum() / -np.expm1(-np.exp(log) * expected).sum() - each, -60.0, 60.0, xtol=1e-9)
    )
    months, n = lots.shape
    counts = np.stack([poisson(streams.uniform("lots rejected, drawn", t, n, where), scale * lots[t]) for t in range(months)])
    drawn = counts.sum(axis=0)
    had = drawn > 0
    per_lot = np.divide(defects, expected, out=np.zeros(n), where=expected > 0)
    length = DAYS / months
    days = [
        (length * (t + streams.uniform("day of a lot rejected, drawn", t, int(counts[t].sum()), where))).astype(np.int64)
        for t in range(months)
    ]
    supplier = np.concatenate([np.repeat(np.arange(n), counts[t]) for t in range(months)])
    return part_of_top(drawn[had]), part_of_top((drawn * per_lot)[had]), repeated(supplier, np.concatenate(days))


def _samples(world: StrongchainModel) -> Floats:
    """One month of sampling, pairs of those that fail and all: expected at random, by risk, by risk of each size; the first two counted."""
    firms, bad, weight = world.firms, nonconformity(world), risk(world)
    sells = firms.alive & (firms.output > 0)
    sizes = [np.bincount(firms.size_class, values, len(SIZE_CLASSES)) for values in (weight * bad, weight)]
    counted = [firms.failed.sum(), firms.sampled.sum(), firms.targeted_failed.sum(), firms.targeted.sum()]
    return np.array([bad[sells].sum(), sells.sum(), (weight * bad).sum(), weight.sum(), *np.transpose(sizes).ravel(), *counted])


def _by_year(sums: Floats, streams: Streams) -> dict[str, Floats]:
    """Turn sums by year, shape (years, pairs of `_samples`), into rates: expected, counted, and at official sizes."""
    with np.errstate(invalid="ignore"):
        bad, fail, *sizes, random, targeted = (sums[:, 0::2] / sums[:, 1::2]).T
    rates = dict(zip(SIZE_CLASSES, sizes, strict=True)) | {"pass": 1.0 - bad, "fail": fail}
    rates |= {"pass counted": 1.0 - random, "fail counted": targeted}
    official = {"pass": OFFICIAL_SAMPLES, "fail": OFFICIAL_SAMPLES, "small": round(OFFICIAL_SMALL * OFFICIAL_SAMPLES)}
    for k, (name, size) in enumerate(official.items()):
        u = streams.uniform("official samples, drawn", 0, len(sums), k)
        rates[f"{name} official"] = binomial(u, np.full(len(sums), size), rates[name]) / size
    return {name: 100.0 * rate for name, rate in rates.items()}


def simulate(
    key: tuple[int, int], overrides: Sequence[str] = ("region=liaoning",), years: int = YEARS, each: float | None = None
) -> Simulated:
    """Simulate one replicate of some years without any programme, and measure it; incidents are of its last two years.

    Parameters
    ----------
    key : (int, int)
        Of the replicate.
    overrides : sequence of str
        Settings, as typed after ``strongchain``.
    years : int
        At least two.
    each : float, optional
        Incidents of a supplier that has any; as observed if not given.
    """
    model = read_settings(compose_settings([*overrides, "instruments=[]"])).world.build(key, (), False)
    lots, defects = np.zeros((2, MONTHS, model.firms.n)), np.zeros((2, model.firms.n))
    fates, sums = np.zeros((2, len(OUTCOMES))), np.zeros((years, 8 + 2 * len(SIZE_CLASSES)))
    for month in range(12 * years):
        model.step()
        sums[month // 12] += _samples(model)
        if (t := month - (12 * years - MONTHS)) >= 0:
            lots[:, t], defects_of_month, fates_of_month = _goods_in(model)
            defects, fates = defects + defects_of_month, fates + fates_of_month
    streams = Streams(key)
    each = OBSERVED.incidents / OBSERVED.vendors if each is None else each
    drawn = [_incidents(lots[where], defects[where], streams, where, each) for where in range(2)]
    curves = {f"{what}, {place}": drawn[k][j] for k, place in enumerate(("all", "leaders")) for j, what in enumerate(("lots", "quantity"))}
    curves["expected, all"] = part_of_top(lots[0].sum(axis=0)[lots[0].sum(axis=0) > 0])
    share = float(sums[:, 5 + 2 * SIZE_CLASSES.index("small")].sum() / sums[:, 3].sum())
    return Simulated(curves, fates / fates.sum(axis=1, keepdims=True), drawn[0][2], _by_year(sums, streams), share)


def simulate_replicates(
    overrides: Sequence[str] = ("region=liaoning",), replicates: int = 40, seed: int = 1, workers: int = -1
) -> list[Simulated]:
    """Simulate replicates of eight years without any programme."""
    jobs = [(key, tuple(overrides)) for key in replicate_keys(seed, replicates)]
    return list(fan_out(simulate, jobs, Parallel(workers=workers), ordered=True))
