"""The answer of a study in three sentences, made from its tables: the effect, what it costs whom, and what is not shown."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.analysis.costs import PAYERS
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import verdict
from experiments.catalogue.settings import region_files
from experiments.configuration.settings import DEFAULT_FIRMS, IN_PROPORTION
from experiments.formatting import amounts, between, percent, rounded
from experiments.reports.study import (
    LISTED,
    active_in,
    assumptions,
    by_default,
    in_words,
    joined,
    main_arm,
    other_world,
    others,
    pivotal,
    replicates,
    worlds_apart,
)
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["FEW", "answer", "failed_replicates"]

#: What is said of a correction for many comparisons.
CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg", "bonferroni": "Bonferroni"}
#: Fewer replicates than which intervals are called rough.
FEW = 10
#: What changes for whom, as the subject of a sentence.
PAID = {
    "government": "what government pays",
    "firms": "firms’ cost of quality",
    "society": "the cost of government and firms together",
}
#: Counts of a region as people call them; of a network that is not the region's only the last are used.
COUNTS = {
    "chains": "chains", "leaders": "chain leaders", "firms": "firms", "sectors": "sectors",
    "chain_heads": "chain heads", "counties": "counties", "stations": "stations",
}  # fmt: skip
WITHOUT_NETWORK = ("chain_heads", "counties", "stations")


# -- the answer ---------------------------------------------------------------------------------------------


def answer(found: Comparison) -> list[str]:
    """Return the answer in three sentences: the effect on defects reaching users, what it costs whom, and what is not shown.

    Nothing counts as an effect that the table does not tell from 0.
    """
    main = main_arm(found)
    if main is None:
        return [_level_sentence(found), _nothing_to_pay(found), _limits_sentence(found)]
    return [_effect_sentence(found, main), _cost_sentence(found, main), _limits_sentence(found)]


def _when(found: Comparison) -> str:
    months, window = (found.manifest["configuration"][key] for key in ("months", "window"))
    return f"mean of months {months - window + 1} to {months}" if window > 1 else f"month {months}"


def _per_thousand(values: Sequence[float]) -> list[str]:
    return rounded([1000.0 * value for value in values])


def _level_sentence(found: Comparison) -> str:
    row = found.effect(found.reference)
    level, low, high = _per_thousand([row["level"], row["level_low"], row["level_high"]])
    sure = f"95 % interval {between(low, high)}" if row["replicates"] > 1 else "one replicate, so no interval is known"
    return (
        f"With {in_words(found, found.reference)}, {level} defects per 1,000 units reach users ({sure}; {_when(found)}); "
        "no other arm was run, so no effect is shown."
    )


def _change(found: Comparison, arm: str) -> str:
    """An arm with its effect and interval in brackets."""
    row = found.effect(arm)
    if row["effect"] == row["effect_low"] == row["effect_high"] == 0.0:
        return f"{in_words(found, arm)} (no change)"
    value, low, high = percent([row["effect_share"], row["effect_share_low"], row["effect_share_high"]])
    if math.isnan(row["effect_share"]):
        return in_words(found, arm)
    return f"{in_words(found, arm)} ({value} %{'' if math.isnan(row['effect_low']) else f', {between(low, high)} %'})"


def _effect_sentence(found: Comparison, main: str) -> str:
    row, base, many = found.effect(main), in_words(found, found.reference), len(others(found))
    judged, alike = verdict(row), _alike(found, main)
    levels = _per_thousand([row["level"], found.effect(found.reference)["level"]])
    absolute = f"{levels[0]} instead of {levels[1]} per 1,000 units, {_when(found)}"
    known = not math.isnan(row["effect_share"])
    signs = percent([float(row[f"effect_share{end}"]) for end in ("", "_low", "_high")])
    size = f"{signs[0].lstrip('+−')} % " if known else ""
    more, fewer = (f"{size}{word} defects per unit reach users than with {base}" for word in ("more", "fewer"))
    corrected = CORRECTIONS.get(found.manifest["configuration"]["study"]["correction"])
    p = f"; p = {row['p_adjusted']:.2g} after {corrected}’s correction for many comparisons" if corrected else ""
    if main != "all" and many > 1 and not corrected:
        p = f", not corrected for {many} comparisons"
    interval = "" if math.isnan(row["effect_low"]) else f"95 % interval of the change {between(signs[1], signs[2])} %{p}; "
    around = f"{interval}{absolute}" if known else absolute
    unsure = f"({f'{signs[0]} %, ' if known else ''}{around})"
    every = {verdict(found.effect(arm)) for arm in others(found)}
    if main != "all" and many > 1 and not every & {"lower", "higher"}:
        if every == {"nil"}:
            return f"None of {many} arms compared with {base} changes the defects that reach users ({absolute})."
        why = ", as one replicate gives no interval" if judged == "unknown" else ""
        lowest = f"the lowest mean is that of {joined([in_words(found, arm) for arm in alike])} {unsure}"
        return f"No change of the defects that reach users can be told from none in any of {many} arms compared with {base}{why}; {lowest}."
    lead = _lead(found, main, alike)
    change = f"{lead}, a change of the defects per unit that reach users, against {base},"
    told = {
        "lower": f"{lead}, {fewer} ({around})",
        "higher": f"{lead}, {more}, which is {_bad(found)} ({around})",
        "unclear": f"{change} cannot be told from none {unsure}",
        "corrected": f"{change} cannot be told from chance {unsure}",
        "nil": f"{lead}, exactly as many defects per unit reach users as with {base} ({levels[0]} per 1,000 units, {_when(found)})",
        "unknown": f"{lead}, {more if row['effect'] > 0 else fewer} in the one replicate that was run ({absolute}), "
        "and no interval is known, so that it may be luck",
    }[judged]
    return f"{told}{_rest(found, alike, judged)}."


def _alike(found: Comparison, main: str) -> list[str]:
    """Arms with exactly the effect of the main one, which comes first; it alone where it was not chosen by its result."""
    effect = found.effect(main)["effect"]
    same = [arm for arm in others(found) if arm != main and main != "all" and found.effect(arm)["effect"] == effect]
    return [main, *same]


def _lead(found: Comparison, main: str, alike: Sequence[str]) -> str:
    """Say which arm it is, and, if it was chosen by its result, what that makes of it."""
    rest, judged = others(found), verdict(found.effect(main))
    if main == "all" or len(rest) == 1:
        return f"With {in_words(found, main)}"
    names, of = joined([in_words(found, arm) for arm in alike]), f"{len(rest)} arms compared with {in_words(found, found.reference)}"
    if judged == "higher":
        return f"None of {of} is told to have fewer defects; with {names}, the lowest mean of them"
    if judged == "lower" and len(alike) == 1 and all(_below(found, main, arm) for arm in rest if arm != main):
        return f"Of {of}, {names} has the fewest defects reaching users, told from each of the others: with it"
    have, are, them = ("has", "is", "it") if len(alike) == 1 else ("have, exactly alike,", "are", "them")
    lucky = f"and as the best-looking of several {are} flattered by luck"
    return f"Of {of}, {names} {have} the lowest mean of defects reaching users, {lucky}: with {them}"


def _below(found: Comparison, arm: str, other: str) -> bool:
    """Whether one arm is told to have fewer defects reaching users than another."""
    pairs = found.pairs[found.pairs["outcome"] == HEADLINE]
    ways = ((arm, other, "lower"), (other, arm, "higher"))
    return any(((pairs["arm"] == one) & (pairs["against"] == two) & (pairs["told"] == told)).any() for one, two, told in ways)


def _bad(found: Comparison) -> str:
    """What more defects are: harm, but only against a reference without a programme."""
    return "worse" if active_in(found.manifest["arms"][found.reference]) else "harm"


def _rest(found: Comparison, said: Sequence[str], judged: str) -> str:
    """What the other arms do, by what is known of it; of many arms only their number, but any harm by name."""
    by: dict[str, list[str]] = {}
    for arm in (arm for arm in others(found) if arm not in said):
        by.setdefault(verdict(found.effect(arm)), []).append(arm)
    many = sum(map(len, by.values())) > LISTED

    def these(arms: Sequence[str], word: str = "and", short: bool = many) -> str:
        return f"{len(arms)} other{'s' * (len(arms) > 1)}" if short else joined([_change(found, arm) for arm in arms], word)

    also = "also " if judged == "lower" else ""
    parts = []
    if arms := by.get("lower"):
        parts.append(f"there are {also}fewer with {these(arms)}")
    if arms := by.get("higher"):
        parts.append(f"there are more, which is {_bad(found)}, with {these(arms, short=False)}")
    if arms := by.get("nil"):
        parts.append(f"nothing changes with {these(arms, 'or') if many else joined([in_words(found, arm) for arm in arms], 'or')}")
    if arms := [*by.get("unclear", ()), *by.get("corrected", ())]:
        parts.append(f"no change can be told from zero with {these(arms, 'or')}")
    if arms := by.get("unknown"):
        parts.append("nor is any known of the others" if many else f"the same replicate shows changes with {these(arms)}")
    return "".join(f"; {part}" for part in parts)


# -- what it costs -------------------------------------------------------------------------------------------


def _changes(payer: str, values: Sequence[float], per: float = 1.0, of: str = "") -> str:
    """Say what a cost rises or falls by, with its interval (of a kind, if it is named); that it cannot be told where that holds 0."""
    value, low, high = (per * one for one in values)
    if value == 0.0 and (low == high == 0.0 or math.isnan(low)):
        return f"{PAID[payer]} does not change"
    if not math.isnan(low) and low <= 0.0 <= high:
        (at, start, end), unit = amounts([value, low, high], sign=True)
        return f"whether {PAID[payer]} rises or falls cannot be told ({at} {unit}, {of}{between(start, end)})"
    (size, start, end), unit = amounts([abs(value), *sorted((abs(low), abs(high)))])
    interval = "" if math.isnan(low) else f" ({of}{between(start, end)})"
    return f"{PAID[payer]} {'falls' if value < 0.0 else 'rises'} by {size} {unit}{interval}"


def _cost_sentence(found: Comparison, main: str) -> str:
    rows = found.costs[found.costs["arm"] == main].set_index("payer")
    months, first = found.manifest["configuration"]["months"], rows.iloc[0]

    def each(stem: str, per: float, of: str) -> str:
        names = [stem, f"{stem}_low", f"{stem}_high"]
        named = next((payer for payer in PAYERS if rows.at[payer, stem] != 0.0), "")  # the first interval there is says of what kind it is
        return joined([_changes(payer, rows.loc[payer, names].tolist(), per, of if payer == named else "") for payer in PAYERS])

    told = f"With {in_words(found, main)}, over {months} month{'s' * (months > 1)} and against {in_words(found, found.reference)}, "
    told += each("cost", 1.0, "95 % interval ")
    if rows.at["firms", "cost"] != 0.0:
        told += "; prices pass part of the change for firms on to their customers"
    if apart := other_world(found, main):
        return f"{told}; no cost per avoided defect is told, because the worlds differ in {joined(apart)}."
    if rows["defined"].all():
        return f"{told}; per avoided defect in a product of 1,000 CNY, {each('ratio', 1000.0, '95 % Fieller interval ')}."
    if math.isnan(first["avoided_low"]):
        why = "one replicate gives no interval"
    elif first["avoided_low"] <= 0.0 <= first["avoided_high"]:
        why = "the interval of the defects avoided holds 0"
    else:
        why = "more defects reach users, not fewer" if first["avoided_high"] < 0.0 else "the interval of the ratio has no ends"
    return f"{told}; the cost per avoided defect is not defined, because {why}."


def _nothing_to_pay(found: Comparison) -> str:
    rows = found.effects[(found.effects["by"] == "total") & (found.effects["arm"] == found.reference)].set_index("outcome")
    told = []
    for key, who in (("firm_quality_cost", "the quality cost of firms"), ("government_cost", "programme money")):
        (size,), unit = amounts([rows.at[key, "level"]])
        told.append(f"{who} is {size} {unit} a month")
    end = "no cost per avoided defect is defined without another arm"
    return f"With {in_words(found, found.reference)}, {joined(told)} ({_when(found)}); {end}."


# -- what is not shown -----------------------------------------------------------------------------------------


def _limits_sentence(found: Comparison) -> str:
    marked, most = len(assumptions(found)), list(pivotal(found).values())
    parts = [f"the sizes of effects rest on {marked} settings that are assumptions (marked N below), above all {joined(most)}"]
    parts += ["levels are calibrated to observed patterns, but no effect of an instrument is", _origin(found)]
    if apart := worlds_apart(found):
        named = joined([in_words(found, arm) for arm in apart]) if len(apart) <= LISTED else f"{len(apart)} of the arms"
        paths = joined(list(dict.fromkeys(path for arm in apart for path in other_world(found, arm))))
        parts.append(
            f"against the reference, {named} ha{'s' if len(apart) == 1 else 've'} the same random numbers, but other worlds ({paths}): "
            "firms are not the same ones"
        )
    parts.append(_sureness(found))
    if failed := len(found.manifest.get("failed", [])):
        which = failed_replicates(found)
        parts.append(
            f"{failed} run{'s' * (failed > 1)} failed, and {'their replicates are' if failed > 1 else 'its replicate is'} left out"
            f"{f' ({which})' if which else ''}"
        )
    unclear = [arm for arm in others(found) if verdict(found.effect(arm)) in {"unclear", "corrected"}]
    named = (
        joined([in_words(found, arm) for arm in unclear], "or")
        if len(unclear) <= LISTED
        else f"{'any' if len(unclear) == len(others(found)) else len(unclear)} of the arms"
    )
    what = f"that {named} change{'s' * (len(unclear) == 1 and not by_default(found))} anything, nor " if unclear else ""
    return f"The study does not show {what}how large effects are in the real world: {'; '.join(parts)}."


def failed_replicates(found: Comparison) -> str:
    """Name the replicates that were run and are not in the tables, because an arm of them failed."""
    missing = sorted(set(range(1, found.manifest["replicates"] + 1)) - set(found.runs["replicate"]))
    names = [str(number) for number in missing[:10]] + ([f"{len(missing) - 10} more"] if len(missing) > 10 else [])
    return f"replicate{'s' * (len(missing) > 1)} {joined(names)}" if missing else ""


def _origin(found: Comparison) -> str:
    """Where the figures of the regions and the networks come from; where arms differ in it, arm by arm."""
    by: dict[str, list[str]] = {}
    for name, arm in found.manifest["arms"].items():
        by.setdefault(_sources(arm), []).append(in_words(found, name))
    return next(iter(by)) if len(by) == 1 else "; ".join(f"with {joined(arms)}, {sources}" for sources, arms in by.items())


def _sources(arm: Mapping[str, Any]) -> str:
    """Where the network of an arm and its counts come from: only counts that are the region file's are reported ones."""
    region, kind = arm["region"], arm["network"].get("kind")
    origin = {"file": "that of a file, with what it leaves out filled by rule", "input_output": "drawn to fit an input-output table"}
    network = origin.get(kind, "generated")
    file = next((one for one in region_files() if one.key == region["key"]), None)
    used = [name for name in COUNTS if kind == "region" or name in WITHOUT_NETWORK]
    reported = [name for name in used if file and re.match(r"F\d{3}\b", file.sources.get(name, ""))]
    told = f"the network {'' if kind == 'file' else 'of firms '}is {network}; "
    if not file or not reported:
        return f"{told}the counts of {'firms and stations' if kind == 'region' else 'stations and counties'} are invented"
    how = arm.get("institutions") or {}  # of a network that is not the region's own
    typed = [name for name in used if region[name] != getattr(file, name) and how.get(name) != IN_PROPORTION]
    kept = [COUNTS[name] for name in reported if name not in typed]
    parts = [f"the counts of {joined(kept)} are {file.label}’s as the authorities report them"] if kept else []
    if fitted := [f"{region[name]:,} {COUNTS[name]}" for name in reported if how.get(name) == IN_PROPORTION]:
        parts.append(f"in proportion to the size of the network ({joined(fitted)})")
    if typed:
        values = joined([f"{COUNTS[name]} ({region[name]:,}, not {getattr(file, name):,})" for name in typed])
        parts.append(f"{'but ' if kept else ''}the number of {values} was set for this study")
    if how:
        return f"{told}{', '.join(parts)}"
    scale = min(1.0, DEFAULT_FIRMS / region["firms"]) if arm["scale"] is None else arm["scale"]
    if scale != 1.0:
        parts.append(f"all of them scaled by {scale:.3g}{'' if arm['scale'] is not None else f', to about {DEFAULT_FIRMS:,} firms'}")
    return f"{told}{', '.join(parts)}"


def _sureness(found: Comparison) -> str:
    """What the intervals cover, and how many replicates they come from."""
    count, study, many = replicates(found), found.manifest["configuration"]["study"], len(others(found))
    if count == 1:
        return "a single replicate gives no interval"
    told = "intervals cover the luck of the simulation alone"
    if count < FEW:
        told += f", and from {count} replicates they are rough"
    if study["half_width"] is not None and not found.manifest.get("half_width_reached", True):
        told += f", wider than the {100 * study['half_width']:g} % of {OUTCOMES[HEADLINE].label.lower()} asked for"
    if many > 1 and study["correction"] == "none":
        told += f"; {many} arms are compared without a correction, and one in twenty without any effect would be told from zero by luck"
    return told
