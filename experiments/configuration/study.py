"""Settings of a study: those that every study has, and those of each kind of study. The only place of their defaults.

`KINDS` has a dataclass for each kind; ``study=KIND`` chooses one, and its settings are typed as ``study.NAME=VALUE``.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, ClassVar

from experiments.configuration.rules import (
    Options,
    Rule,
    by_name,
    calendar_month,
    check_rules,
    choice,
    choices,
    is_number,
    setting,
    share,
    text,
    whole,
    yes_or_no,
)
from experiments.languages.wording import languages

__all__ = [
    "KINDS",
    "CalibrationStudy",
    "CompareStudy",
    "ExchangeStudy",
    "Figures",
    "FollowStudy",
    "General",
    "Parallel",
    "Portfolio",
    "Study",
    "ValidationStudy",
    "as_configured",
    "searched_ranges",
]


@dataclass(frozen=True)
class General:
    """What every study has: typed by its name alone, as in ``months=24``."""

    months: int = whole(60, 1, 12_000, "months", "months of a run, after the burn-in")
    replicates: int = whole(
        20, 1, 1_000_000, "runs", "runs of every arm; each replicate has its own random numbers, and all arms share them"
    )
    seed: int = whole(1, 0, 2**128, "1", "where the random numbers of all replicates come from")
    burn_in: int = whole(60, 0, 12_000, "months", "months before month 1, without any programme")
    window: int = whole(12, 1, 12_000, "months", "number of last months over which effects are averaged; all months if the run is shorter")
    scale: float | None = share(
        100, "multiple of the region's counts; none scales it down to about 2,000 firms", "1 is the region as published"
    )
    check: bool = yes_or_no("whether every invariant is checked after every month")
    quiet: bool = yes_or_no("whether a study prints only mistakes and the folder of its results, for log files")
    language: str = choice("en", tuple(languages()), "language of reports, figures and the terminal; no run depends on it")
    by: tuple[str, ...] = choices(
        ("tier", "size"),
        ("total", "chain", "tier", "size", "quantile", "county", "region"),
        "groupings of firms for which effects are computed as well",
    )
    save: tuple[str, ...] = choices((), ("groups", "series", "firms"), "what is kept of every run in addition to totals")
    start: str | None = calendar_month("month of the calendar that month 1 is called in figures and tables; none for numbers alone")
    table_heads: str = choice("keys", ("keys", "labels"), "heads of the CSV files: keys for programs, or labels in words; Parquet has keys")
    name: str = setting(
        "${now:%Y-%m-%d_%H-%M-%S}", Rule("1", "folder below results/ for the study", "a plain name", default_is="the time of day")
    )


@dataclass(frozen=True)
class Portfolio:
    """What a portfolio of instruments is called, and where its levers' values come from. No run depends on it.

    Attributes
    ----------
    key, label, label_zh : str
    sources : dict of str to str, optional
        By instrument and by lever (``instruments.cqo``, ``instruments.cqo.reach``): ids of the facts, how they were read and
        the words of the document in 「」, or the word "assumption".
    reported : dict of str to str, optional
        What the place reports to have delivered, by what a programme counts (``one_stop_stations.stations``): id of the fact, how
        many in how many months, the words of the document in 「」.
    """

    key: str = text("custom", "name of the portfolio; no run depends on it")
    label: str = text("A portfolio of one's own", "what reports call the portfolio")
    label_zh: str = text("自选组合", "the same in Chinese")
    sources: dict[str, str] | None = by_name(None, "where the values of a portfolio come from, by instrument and lever", "a line by lever")
    reported: dict[str, str] | None = by_name(None, "what the place reports to have delivered, by instrument and count", "a line by count")


@dataclass(frozen=True)
class Figures:
    """How figures are written. No run depends on it."""

    format: tuple[str, ...] = choices(
        ("png",),
        ("png", "svg", "pdf"),
        "formats in which each figure is written; the report holds its own pictures; with [] a study writes its tables alone",
    )


def _is_workers(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and (value == -1 or value >= 1)


@dataclass(frozen=True)
class Parallel:
    """How runs are spread over processes: a joblib backend and a number of workers."""

    backend: str = choice("loky", ("loky", "multiprocessing", "threading", "sequential"), "how runs are spread over processes")
    workers: int = setting(
        -1,
        Rule(
            "processes",
            "number of processes; -1 is one per core",
            "-1, 1 …",
            "be a whole number from 1, or -1 for every core",
            _is_workers,
        ),
    )


# -- settings that several kinds of study have -------------------------------------------------------------


def _correction() -> Any:
    options = ("none", "holm", "bh", "bonferroni")
    return choice("none", options, "how p-values of the headline outcomes are corrected for multiple comparisons")


def _budget() -> Any:
    def holds(value: Any) -> bool:
        return value is None or (is_number(value) and 0 < value <= 1e12)

    meaning = "what government spends in every arm with programmes; none leaves levers as they are"
    unit, legal = "CNY per 1,000 firms and year", "above 0 … 1e12"
    return setting(None, Rule(unit, meaning, legal, "be above 0 and at most 1e12, or null", holds))


def _split() -> Any:
    def holds(value: Any) -> bool:
        return value is None or (isinstance(value, dict) and all(isinstance(shares, dict) for shares in value.values()))

    meaning = "share of the budget by arm and instrument, where it is not spread evenly"
    must = "give arms their shares, {both: {cqo: 0.4, stewards: 0.6}}, or be null"
    return setting(None, Rule("1", meaning, "shares that sum to 1", must, holds))


def _length() -> Any:
    meaning = "months after which every programme without its own length ends; none lets it go on"
    return whole(None, 1, 12_000, "months", meaning)


def _replicates_per_set(default: int) -> Any:
    return whole(default, 1, 100_000, "runs", "replicates of each set of parameters")


# -- kinds of study ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompareStudy:
    """Arms on common random numbers, each against the reference."""

    kind: ClassVar[str] = "compare"

    reference: str = setting("nothing", Rule("1", "arm that the others are compared with", "an arm"))
    arms: dict[str, list[str]] | None = setting(
        None, Rule("1", "arms by name, each a list of overrides; none is nothing, each instrument alone, all", "lists")
    )
    correction: str = _correction()
    half_width: float | None = share(
        1, "half-width of the headline's interval to reach by adding replicates; none adds none", "a share of the reference's level"
    )
    cap: int = whole(200, 2, 1_000_000, "runs", "largest number of replicates of an arm when replicates are added for `study.half_width`")
    budget: float | None = _budget()
    split: dict[str, dict[str, float]] | None = _split()
    length: int | None = _length()
    only: tuple[str, ...] = setting(
        (),
        Rule(
            "1",
            "arms that run in addition to the reference and `study.second_reference`; none is all",
            "names of arms",
            "be a list of arms",
            lambda value: isinstance(value, list | tuple) and all(isinstance(arm, str) for arm in value),
        ),
    )
    second_reference: str | None = setting(
        None, Rule("1", "second arm with which the others are compared, in an additional figure", "an arm")
    )

    def __post_init__(self) -> None:
        """Check every value."""
        check_rules(type(self), vars(self), "study.")


@dataclass(frozen=True)
class ExchangeStudy:
    """Every portfolio (policy) in every region, each against no programme in the same region, on common random numbers."""

    kind: ClassVar[str] = "exchange"

    regions: tuple[str, ...] = setting(
        (), Options("1", "regions in which every portfolio is tried; none is the chosen region", "names of regions", group="region")
    )
    policies: tuple[str, ...] = setting(
        (), Options("1", "portfolios that are tried in every region; none is the chosen policy", "names of policies", group="policy")
    )
    correction: str = _correction()
    budget: float | None = _budget()
    split: dict[str, dict[str, float]] | None = _split()
    length: int | None = _length()

    def __post_init__(self) -> None:
        """Check every value."""
        check_rules(type(self), vars(self), "study.")


def searched_ranges() -> dict[str, list[float]]:
    """Return the ranges that a calibration searches, by parameter: two numbers each. Their sources are in the same file."""
    lines = files("experiments.configuration").joinpath("searched_ranges.csv").read_text(encoding="utf-8").splitlines()
    return {row["parameter"]: [float(row["low"]), float(row["high"])] for row in csv.DictReader(lines)}


def _are_cuts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(is_number(cut) and cut > 0 for cut in value)


@dataclass(frozen=True)
class CalibrationStudy:
    """History matching: which values of the uncertain parameters show all observed patterns together."""

    kind: ClassVar[str] = "calibration"

    searched: dict[str, list[float]] | None = by_name(
        searched_ranges,
        "parameters that are searched, and their ranges; study.searched.NAME=[LOW,HIGH] changes or adds one",
        "two numbers by parameter",
        "those of experiments/configuration/searched_ranges.csv",
    )
    searched_only: dict[str, list[float]] | None = by_name(
        None, "parameters that are searched instead of those of `study.searched`, and their ranges", "two numbers by parameter"
    )
    points: int = whole(130, 10, 100_000, "worlds", "points of every wave, one replicate each")
    cuts: tuple[float, ...] = setting(
        (2.0, 1.2, 0.6, 0.2),
        Rule(
            "1", "largest implausibility with which points are kept after each wave, one number per wave", "numbers above 0",
            "be a list of numbers above 0, one a wave", _are_cuts,
        ),
    )  # fmt: skip
    final_sets: int = whole(72, 1, 100_000, "sets", "sets of parameters that are judged on random numbers that no wave has used")
    replicates_per_set: int = _replicates_per_set(3)

    def __post_init__(self) -> None:
        """Check every value."""
        check_rules(type(self), vars(self), "study.")


@dataclass(frozen=True)
class ValidationStudy:
    """Worlds of every plausible set of parameters, on new random numbers, against the observed patterns."""

    kind: ClassVar[str] = "validation"

    replicates_per_set: int = _replicates_per_set(2)

    def __post_init__(self) -> None:
        """Check every value."""
        check_rules(type(self), vars(self), "study.")


@dataclass(frozen=True)
class FollowStudy:
    """The way of a bad batch from its firm to users: the same world with it and without it, on common random numbers."""

    kind: ClassVar[str] = "follow"

    maps: int = whole(6, 1, 12, "months", "months of which the map is drawn, from that of the batch on")

    def __post_init__(self) -> None:
        """Check every value."""
        check_rules(type(self), vars(self), "study.")


#: Settings of a study of any kind.
Study = CompareStudy | ExchangeStudy | CalibrationStudy | ValidationStudy | FollowStudy
#: What ``study=KIND`` can choose.
KINDS: dict[str, type[Study]] = {cls.kind: cls for cls in (CompareStudy, ExchangeStudy, CalibrationStudy, ValidationStudy, FollowStudy)}


def as_configured(cls: type[Study]) -> dict[str, Any]:
    """Return what Hydra composes for a kind of study: its name and the defaults of its settings."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(cls()).items()}
    return {"kind": cls.kind, **plain}
