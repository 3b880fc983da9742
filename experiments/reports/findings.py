"""What a study shows, as numbers and conclusions without a word of prose: templates turn it into sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Any, NamedTuple

from experiments.analysis.arms import Arm, active_in, arm_in, names_of_regions, regions_of
from experiments.analysis.costs import PAYERS
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import Conclusion, fails_correction
from experiments.catalogue.settings import called, region_files
from experiments.configuration.settings import DEFAULT_FIRMS, IN_PROPORTION
from experiments.languages.wording import say
from experiments.reports.study import (
    LISTED,
    assumptions,
    by_default,
    choices,
    main_arm,
    other_world,
    others,
    pivotal,
    portfolio,
    replicates,
    worlds_apart,
)
from sim import Region
from sim.outcomes import HEADLINE

__all__ = [
    "Arm",
    "ArmEffect",
    "Estimate",
    "Findings",
    "NotDefined",
    "PayerCost",
    "Place",
    "Precision",
    "Source",
    "arm_of",
    "estimate",
    "failed_replicates",
    "findings",
]

#: Counts of a region; of a network that is not the region's only the last are used.
COUNTS = ("chains", "leaders", "firms", "sectors", "chain_heads", "counties", "stations")
WITHOUT_NETWORK = ("chain_heads", "counties", "stations")
#: Fewer replicates than which intervals are called rough.
FEW_REPLICATES = 10


class Estimate(NamedTuple):
    """A mean with the ends of its 95 % interval; the ends are not a number where there is no interval."""

    mean: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return not math.isnan(self.low)

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 in every replicate, as far as is known."""
        return self.mean == 0.0 and (not self.has_interval or self.low == self.high == 0.0)

    @property
    def may_be_zero(self) -> bool:
        """Whether its interval holds 0."""
        return self.has_interval and self.low <= 0.0 <= self.high

    @property
    def size(self) -> Estimate:
        """The same without its sign; the interval begins at 0 if it held 0."""
        low, high = sorted((abs(self.low), abs(self.high)))
        return Estimate(abs(self.mean), 0.0 if self.may_be_zero else low, high)

    def times(self, factor: float) -> Estimate:
        """Return it in another unit, of which it has so many (above 0)."""
        return Estimate(factor * self.mean, factor * self.low, factor * self.high)


def estimate(row: Mapping[str, Any], stem: str) -> Estimate:
    """Return the mean and interval that a row of a table has under a name: ``effect``, ``effect_low``, ``effect_high``."""
    return Estimate(*(float(row[f"{stem}{end}"]) for end in ("", "_low", "_high")))


@dataclass(frozen=True)
class ArmEffect:
    """What an arm does to defects reaching users: level, effect against the reference, the same as a share of the reference, conclusion."""

    arm: Arm
    level: float
    effect: Estimate
    share: Estimate
    conclusion: Conclusion
    #: Whether only the correction for many comparisons keeps the effect from being shown.
    fails_correction: bool
    p_adjusted: float


@dataclass(frozen=True)
class PayerCost:
    """What a payer pays beyond the reference over the whole run, CNY, and per CNY of defective sales avoided."""

    payer: str
    cost: Estimate
    ratio: Estimate


class NotDefined(StrEnum):
    """Why there is no cost per avoided defect."""

    OTHER_WORLD = "other world"
    ONE_REPLICATE = "one replicate"
    MAY_BE_NONE = "may be none"
    MORE_DEFECTS = "more defects"
    NO_ENDS = "no ends"


@dataclass(frozen=True)
class Place:
    """Where a study takes place: a region or a file, its label in English and Chinese, its kind of network, chains chosen by name."""

    kind: str
    file: str = ""
    only: tuple[tuple[str, Any], ...] = ()
    label: str = ""
    label_zh: str = ""
    chains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where the network of an arm and the counts of its institutions come from; without a label they are invented.

    `reported` are counts as authorities report them, `fitted` those in proportion to the network, `typed` those set for the study
    with the reported number.
    """

    network: str
    label: str = ""
    label_zh: str = ""
    reported: tuple[str, ...] = ()
    fitted: tuple[tuple[str, int], ...] = ()
    typed: tuple[tuple[str, int, int], ...] = ()
    scale: float | None = None
    scale_typed: bool = False
    default_firms: int = DEFAULT_FIRMS


@dataclass(frozen=True)
class Precision:
    """How narrow the interval of the main effect is, and how many replicates would be enough.

    Attributes
    ----------
    replicates : int
    share, wanted : float
        Half-width of the interval and the one asked for, shares of the reference's level; not a number if none was asked for.
    needed, needed_to_show : float
        Replicates for the half-width asked for, and those of a new study that shows the effect in four of five cases.
    enough, varies, chosen_by_result : bool
        Whether there are enough; whether the effect varies at all; whether the arm was chosen by its result.
    saved : Estimate or None
        How many times as many replicates independent random numbers would take; None where it is not known well enough.
    much : float
        A gain beyond which its size no longer matters.
    """

    replicates: int
    share: float
    wanted: float
    needed: float
    needed_to_show: float
    enough: bool
    varies: bool
    chosen_by_result: bool
    saved: Estimate | None
    much: float


@dataclass(frozen=True)
class Findings:
    """What a comparison shows.

    Attributes
    ----------
    reference : Arm
        What the others are compared with; `reference_level` are its defects reaching users, `reference_acts` says whether a programme
        runs in it.
    effects : tuple of ArmEffect
        All other arms, in their order.
    main : ArmEffect or None
        The arm that the answer is about; None where there is no other arm.
    chosen_by_result : bool
        Whether it was chosen because its mean is the lowest, so that chance flatters it; an arm that is a shock is not chosen so.
    same_as_main : tuple of Arm
        Arms with exactly its effect.
    lowest_shown : bool
        Whether it is shown to have fewer defects than each of the others.
    costs : tuple of PayerCost
        Of the main arm, and `no_ratio` says why there is no cost per avoided defect; of the reference alone there are `monthly_costs`.
    other_worlds : tuple of (Arm, tuple of str)
        Arms whose world is not that of the reference, each with the settings that differ.
    places : tuple of Place
        Where the study takes place; `portfolio` is the label of the portfolio that it tries, and `by_default` says whether its arms are
        nothing, each instrument alone and all together.
    assumptions : int
        Number of settings that rest on no source; `hinges_on` are those on which most depends: what each is, and its values.
    sources : tuple of (Source, tuple of Arm)
        Where networks and counts come from, each with the arms that have it.
    failed_runs : int
        Runs that failed; `failed_replicates` are the replicates that are left out.
    budget : float or None
        What every arm may cost government, CNY per 1,000 firms and year.
    half_width : float or None
        Half-width of the interval that was asked for, a share of the reference's level, and `half_width_reached` whether it is reached.
    """

    months: int
    window: int
    replicates: int
    correction: str
    reference: Arm
    reference_acts: bool
    reference_level: Estimate
    effects: tuple[ArmEffect, ...]
    main: ArmEffect | None
    chosen_by_result: bool
    same_as_main: tuple[Arm, ...]
    lowest_shown: bool
    costs: tuple[PayerCost, ...]
    no_ratio: NotDefined | None
    monthly_costs: tuple[tuple[str, float], ...]
    other_worlds: tuple[tuple[Arm, tuple[str, ...]], ...]
    places: tuple[Place, ...]
    portfolio: str
    by_default: bool
    assumptions: int
    hinges_on: tuple[tuple[str, tuple[Any, ...]], ...]
    sources: tuple[tuple[Source, tuple[Arm, ...]], ...]
    failed_runs: int
    failed_replicates: tuple[int, ...]
    budget: float | None
    half_width: float | None
    half_width_reached: bool

    @property
    def first_month(self) -> int:
        """The first of the months that means are over."""
        return self.months - self.window + 1

    @property
    def several(self) -> bool:
        """Whether several arms are compared with the reference."""
        return len(self.effects) > 1

    @property
    def none_shown(self) -> bool:
        """Whether no arm is shown to change anything."""
        return not any(one.conclusion.is_shown for one in self.effects)

    @property
    def none_changes(self) -> bool:
        """Whether every arm leaves everything exactly as it is."""
        return all(one.conclusion is Conclusion.NO_CHANGE for one in self.effects)

    @property
    def main_arms(self) -> tuple[Arm, ...]:
        """The main arm and those with exactly its effect."""
        return (self.main.arm, *self.same_as_main) if self.main else ()

    @property
    def not_shown(self) -> tuple[Arm, ...]:
        """Arms whose effect is not shown to differ from 0."""
        return tuple(one.arm for one in self.effects if one.conclusion is Conclusion.NOT_SHOWN)

    @property
    def rough(self) -> bool:
        """Whether replicates are so few that intervals are rough."""
        return 1 < self.replicates < FEW_REPLICATES

    @property
    def most_listed(self) -> int:
        """Arms that a sentence lists; of more it gives the number."""
        return LISTED

    @property
    def many(self) -> bool:
        """Whether arms are too many to be listed in a sentence."""
        return len(self.effects) > LISTED

    @property
    def many_others(self) -> bool:
        """The same of the arms that are not the main one."""
        return len(self.effects) - len(self.main_arms) > LISTED

    @property
    def instruments(self) -> tuple[str, ...]:
        """The instruments that are active in any arm but the reference, in their order."""
        return tuple(dict.fromkeys(key for one in self.effects for key in one.arm.instruments))

    @property
    def asks_of_instruments(self) -> bool:
        """Whether the question is what instruments do: each alone and all together, against no programme."""
        return self.by_default and not self.reference_acts

    @property
    def prices_move(self) -> bool:
        """Whether firms' costs change; firms pass a part of this on in their prices."""
        return any(one.payer == "firms" and one.cost.mean != 0.0 for one in self.costs)

    @property
    def differing(self) -> tuple[str, ...]:
        """The settings by which the worlds of arms differ from that of the reference."""
        return tuple(dict.fromkeys(path for _, paths in self.other_worlds for path in paths))

    @property
    def only_shocks(self) -> bool:
        """Whether shocks are all by which worlds differ from that of the reference: then the firms are the same."""
        return self.differing == (say("things.quoted", called("shocks")),)

    @property
    def main_differs(self) -> tuple[str, ...]:
        """The settings by which the world of the main arm differs from that of the reference."""
        return next((paths for arm, paths in self.other_worlds if self.main and arm == self.main.arm), ())

    def rest(self, *which: Conclusion) -> tuple[ArmEffect, ...]:
        """Return the arms of one of these conclusions that are not the main one."""
        main = {arm.name for arm in self.main_arms}
        return tuple(one for one in self.effects if one.arm.name not in main and one.conclusion in which)


def findings(comparison: Comparison) -> Findings:
    """Return what a comparison shows."""
    manifest, configuration = comparison.manifest, comparison.manifest["configuration"]
    study, main, rest = configuration["study"], main_arm(comparison), others(comparison)
    effects = tuple(_effect(comparison, arm) for arm in rest)
    main_effect = next((one for one in effects if one.arm.name == main), None)
    chosen = main is not None and main != "all" and len(rest) > 1 and main in choices(comparison)
    return Findings(
        months=configuration["months"],
        window=configuration["window"],
        replicates=replicates(comparison),
        correction=study["correction"],
        reference=arm_of(comparison, comparison.reference),
        reference_acts=bool(active_in(manifest["arms"][comparison.reference])),
        reference_level=estimate(comparison.effect(comparison.reference), "level"),
        effects=effects,
        main=main_effect,
        chosen_by_result=chosen,
        same_as_main=tuple(
            one.arm for one in effects if chosen and main_effect and one is not main_effect and one.effect.mean == main_effect.effect.mean
        ),
        lowest_shown=main is not None and len(rest) > 1 and all(_below(comparison, main, arm) for arm in rest if arm != main),
        costs=_costs(comparison, main) if main else (),
        no_ratio=_no_ratio(comparison, main) if main else None,
        monthly_costs=() if main else tuple(
            (payer, float(comparison.effect(comparison.reference, PAYERS[payer])["level"])) for payer in ("firms", "government")
        ),
        other_worlds=tuple((arm_of(comparison, arm), _settings_of_world(comparison, arm)) for arm in worlds_apart(comparison)),
        places=tuple(dict.fromkeys(map(_place, manifest["arms"].values()))),
        portfolio=portfolio(comparison),
        by_default=by_default(comparison),
        assumptions=len(assumptions(comparison)),
        hinges_on=pivotal(comparison),
        sources=_sources(comparison),
        failed_runs=len(manifest.get("failed", [])),
        failed_replicates=tuple(failed_replicates(comparison)),
        budget=study.get("budget"),
        half_width=study["half_width"],
        half_width_reached=bool(manifest.get("half_width_reached", True)),
    )  # fmt: skip


# -- arms and their effects -----------------------------------------------------------------------------------


def arm_of(comparison: Comparison, name: str) -> Arm:
    """Return an arm as a sentence needs it."""
    return arm_in(comparison.manifest, name)


def _settings_of_world(comparison: Comparison, arm: str) -> tuple[str, ...]:
    """What the settings are called by which the world of an arm differs from that of the reference."""
    return tuple(say("things.quoted", called(path)) for path in other_world(comparison, arm))


def _effect(comparison: Comparison, arm: str) -> ArmEffect:
    row = comparison.effect(arm)
    return ArmEffect(
        arm_of(comparison, arm),
        float(row["level"]),
        estimate(row, "effect"),
        estimate(row, "effect_share"),
        Conclusion(row["conclusion"]),
        fails_correction(row),
        float(row["p_adjusted"]),
    )


def _below(comparison: Comparison, arm: str, other: str) -> bool:
    """Whether one arm is shown to have fewer defects reaching users than another."""
    pairs = comparison.pairs[comparison.pairs["outcome"] == HEADLINE]
    for one, two, concluded in ((arm, other, Conclusion.LOWER), (other, arm, Conclusion.HIGHER)):
        if ((pairs["arm"] == one) & (pairs["against"] == two) & (pairs["conclusion"] == concluded)).any():
            return True
    return False


# -- costs ----------------------------------------------------------------------------------------------------


def _costs(comparison: Comparison, main: str) -> tuple[PayerCost, ...]:
    rows = comparison.costs[comparison.costs["arm"] == main].set_index("payer")
    return tuple(PayerCost(payer, estimate(rows.loc[payer], "cost"), estimate(rows.loc[payer], "ratio")) for payer in PAYERS)


def _no_ratio(comparison: Comparison, main: str) -> NotDefined | None:
    rows = comparison.costs[comparison.costs["arm"] == main]
    avoided = estimate(rows.iloc[0], "avoided")
    if other_world(comparison, main):
        return NotDefined.OTHER_WORLD
    if rows["defined"].all():
        return None
    if not avoided.has_interval:
        return NotDefined.ONE_REPLICATE
    if avoided.may_be_zero:
        return NotDefined.MAY_BE_NONE
    return NotDefined.MORE_DEFECTS if avoided.high < 0.0 else NotDefined.NO_ENDS


# -- places and sources ---------------------------------------------------------------------------------------


def _place(arm: Mapping[str, Any]) -> Place:
    network = arm["network"]
    kind = str(network.get("kind"))
    if kind == "file":
        return Place(kind, PurePath(network["path"]).name, tuple((network.get("filter") or {}).items()))
    if kind == "input_output":
        return Place(kind, PurePath(network["path"]).name)
    chains = tuple(str(chain["label"]) for _, chain in sorted((arm.get("chain") or {}).items()))
    return Place(kind, label=names_of_regions(arm), label_zh=names_of_regions(arm, "label_zh"), chains=chains)


def _sources(comparison: Comparison) -> tuple[tuple[Source, tuple[Arm, ...]], ...]:
    """Where the figures of the regions and the networks come from, each with the arms that have it."""
    by: dict[Source, list[Arm]] = {}
    files = {region.key: region for region in region_files()}
    for name, arm in comparison.manifest["arms"].items():
        for region in regions_of(arm):
            by.setdefault(_source(arm, region, files), []).append(arm_of(comparison, name))
    return tuple((source, tuple(arms)) for source, arms in by.items())


def _source(arm: Mapping[str, Any], region: Mapping[str, Any], files: Mapping[str, Region]) -> Source:
    """Where the network of an arm in a region, and the region's counts, come from: only counts that are its file's are reported ones."""
    kind = str(arm["network"].get("kind"))
    file = files.get(region["key"])
    used = [name for name in COUNTS if kind == "region" or name in WITHOUT_NETWORK]
    reported = [name for name in used if file and re.match(r"F\d{3}\b", file.sources.get(name, ""))]
    if not file or not reported or arm.get("chain"):  # chains chosen by name have figures of their own, most of them assumed
        return Source(kind)
    how = arm.get("institutions") or {}  # of a network that is not the region's own
    typed = [name for name in used if region[name] != getattr(file, name) and how.get(name) != IN_PROPORTION]
    scale = min(1.0, DEFAULT_FIRMS / sum(one["firms"] for one in regions_of(arm))) if arm["scale"] is None else arm["scale"]
    return Source(
        kind,
        file.label,
        file.label_zh,
        tuple(name for name in reported if name not in typed),
        tuple((name, region[name]) for name in reported if how.get(name) == IN_PROPORTION),
        tuple((name, region[name], getattr(file, name)) for name in typed),
        None if how or scale == 1.0 else scale,
        arm["scale"] is not None,
    )


def failed_replicates(comparison: Comparison) -> list[int]:
    """Return the replicates that were run and are not in the tables, because an arm of them failed."""
    kept: Sequence[int] = comparison.runs["replicate"].tolist()
    return sorted(set(range(1, comparison.manifest["replicates"] + 1)) - set(kept))
