"""The verdict of a study: what to do, how sure that is, and what would overturn it, each in one short sentence.

It says no more than the findings, which follow it with their details. What is advised is the programme that costs government least of
those that are shown to have fewer defects and are not shown to do worse than the one with the fewest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from experiments.analysis.effects import in_total
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import Conclusion
from experiments.languages.wording import say
from experiments.reports.findings import Arm, ArmEffect, Estimate, Findings, estimate, findings
from experiments.reports.study import choices, other_shocks, other_world
from experiments.terminal import COLUMNS, wrap
from sim.outcomes import HEADLINE

__all__ = ["Advice", "Verdict", "sentences", "verdict", "verdict_of", "wrapped"]

#: What is said: what to do, how sure it is, what would overturn it.
PARTS = ("advice", "sure", "overturned")


class Advice(StrEnum):
    """What a study advises."""

    CHOOSE = "choose"
    AVOID = "avoid"
    NONE_SHOWN = "none shown"
    NO_CHANGE = "no change"
    ONE_REPLICATE = "one replicate"
    OTHER_WORLD = "other world"
    SHOCK = "shock"
    NOTHING_COMPARED = "nothing compared"


@dataclass(frozen=True)
class Verdict:
    """What a study advises, in numbers.

    Attributes
    ----------
    advice : Advice
    about : ArmEffect or None
        The arm that it is about, with its effect; None if nothing was compared.
    reference : Arm
    level : Estimate
        Of the reference: defects reaching users.
    compared : int
        Arms compared with the reference.
    chosen : bool
        Whether the arm was chosen by its result, of several.
    costlier : Arm or None
        The arm with the fewest defects, if it costs government more than the advised one and is not shown to do better.
    agreeing, replicates : int
        Replicates in which the effect has the sign of its mean, and all.
    rival : Arm or None
        Of the arms that the advised one is not shown to do better than, the one with the fewest defects.
    government, firms : Estimate or None
        What each of them pays beyond the reference over the whole run, CNY.
    months : int
        Of a run.
    simulated : int
        Simulated firms; 0 where no map says how many.
    scale : float or None
        Of the region, if not all of its firms are simulated.
    instruments : tuple of str
        The arm's instruments, by key.
    """

    advice: Advice
    about: ArmEffect | None
    reference: Arm
    level: Estimate
    compared: int
    chosen: bool
    costlier: Arm | None
    agreeing: int
    replicates: int
    rival: Arm | None
    government: Estimate | None
    firms: Estimate | None
    months: int
    simulated: int
    scale: float | None
    instruments: tuple[str, ...]


def verdict(comparison: Comparison, shown: Findings | None = None) -> list[str]:
    """Return the verdict of a comparison as three sentences."""
    return sentences("verdict", verdict_of(comparison, shown or findings(comparison)))


def sentences(of: str, *given: object, **values: object) -> list[str]:
    """Return the three sentences of a verdict from the file of texts of that name, filled in."""
    return [say(f"{of}.{part}", *given, **values) for part in PARTS]


def wrapped(verdict: Sequence[str]) -> list[str]:
    """Return the sentences of a verdict as lines for a terminal."""
    return [line for sentence in verdict for line in wrap(sentence, COLUMNS)]


def verdict_of(comparison: Comparison, shown: Findings) -> Verdict:
    """Return what a comparison advises."""
    best, can_choose = shown.main, choices(comparison)
    if best is not None and shown.several and can_choose:
        best = min((one for one in shown.effects if one.arm.name in can_choose), key=lambda one: one.effect.mean)
    about, costlier = _cheapest_as_good(comparison, shown, best) if best else (None, None)
    return Verdict(
        _advice(comparison, shown, about),
        about,
        shown.reference,
        shown.reference_level,
        len(shown.effects),
        shown.several,
        costlier,
        _agreeing(comparison, about) if about else 0,
        shown.replicates,
        _rival(comparison, shown, about, costlier) if about else None,
        _paid(comparison, about, "government") if about else None,
        _paid(comparison, about, "firms") if about else None,
        shown.months,
        next((picture.tier.size for picture in comparison.maps.values()), 0),
        next((source.scale for source, _ in shown.sources if source.scale), None),
        about.arm.instruments if about else (),
    )


def _cheapest_as_good(comparison: Comparison, shown: Findings, best: ArmEffect) -> tuple[ArmEffect, Arm | None]:
    """Return the arm that costs government least of those as good as the best, as far as is shown, and the best if it is another."""
    if best.conclusion is not Conclusion.LOWER or shown.other_worlds:
        return best, None
    as_good = [best, *(one for one in shown.effects if one is not best and _as_good(comparison, one, best))]
    costs = comparison.costs[comparison.costs["payer"] == "government"].set_index("arm")["cost"]
    cheapest = min(as_good, key=lambda one: float(costs[one.arm.name]))
    return cheapest, (None if cheapest is best else best.arm)


def _as_good(comparison: Comparison, one: ArmEffect, best: ArmEffect) -> bool:
    """Whether an arm is shown to have fewer defects, and not shown to have more than the best."""
    return one.conclusion is Conclusion.LOWER and _against(comparison, one, best) not in (Conclusion.HIGHER, Conclusion.UNKNOWN)


def _against(comparison: Comparison, one: ArmEffect, other: ArmEffect) -> Conclusion:
    """Return what is shown of the defects of an arm against those of another one."""
    pairs = comparison.pairs[comparison.pairs["outcome"] == HEADLINE]
    turned = {Conclusion.LOWER: Conclusion.HIGHER, Conclusion.HIGHER: Conclusion.LOWER}
    for arm, against in ((one, other), (other, one)):
        row = pairs[(pairs["arm"] == arm.arm.name) & (pairs["against"] == against.arm.name)]
        if not row.empty:
            concluded = Conclusion(row.iloc[0]["conclusion"])
            return concluded if arm is one else turned.get(concluded, concluded)
    return Conclusion.UNKNOWN


def _rival(comparison: Comparison, shown: Findings, about: ArmEffect, costlier: Arm | None) -> Arm | None:
    """Return the arm with the fewest defects of those that an arm is not shown to do better than, but for one that is named already."""
    if shown.other_worlds:
        return None
    others = [one for one in shown.effects if one is not about and _against(comparison, about, one) is not Conclusion.LOWER]
    rival = min(others, key=lambda one: one.effect.mean, default=None)
    return None if rival is None or rival.arm == costlier else rival.arm


def _advice(comparison: Comparison, shown: Findings, about: ArmEffect | None) -> Advice:
    if about is None:
        return Advice.NOTHING_COMPARED
    if other_shocks(comparison, about.arm.name):
        return Advice.SHOCK
    if other_world(comparison, about.arm.name):
        return Advice.OTHER_WORLD
    match about.conclusion:
        case Conclusion.LOWER:
            return Advice.CHOOSE
        case Conclusion.HIGHER:
            return Advice.AVOID
        case Conclusion.NO_CHANGE:
            return Advice.NO_CHANGE
        case Conclusion.UNKNOWN:
            return Advice.ONE_REPLICATE
        case _:
            return Advice.NONE_SHOWN


def _agreeing(comparison: Comparison, about: ArmEffect) -> int:
    """In how many replicates the effect has the sign of its mean."""
    by_replicate = in_total(comparison.runs).pivot(index="replicate", columns="arm", values=HEADLINE)
    effects = (by_replicate[about.arm.name] - by_replicate[comparison.reference]).to_numpy()
    return int((np.sign(effects) == np.sign(about.effect.mean)).sum())


def _paid(comparison: Comparison, about: ArmEffect, payer: str) -> Estimate | None:
    rows = comparison.costs[(comparison.costs["arm"] == about.arm.name) & (comparison.costs["payer"] == payer)]
    return None if rows.empty or other_world(comparison, about.arm.name) else estimate(rows.iloc[0], "cost")
