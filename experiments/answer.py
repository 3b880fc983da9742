"""The answer of a study in three sentences, made from its tables: the effect, what it costs whom, and what is not shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from experiments.question import assumptions, by_default, in_words, joined, main_arm, others, pivotal
from experiments.results import Comparison
from experiments.tables import PAYERS
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["amounts", "answer", "percent", "rounded", "verdict"]

#: What is said of a correction for many comparisons.
CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg", "bonferroni": "Bonferroni"}
#: Chance of a false finding that is allowed, and fewer replicates than which intervals are called rough.
FALSE_FINDINGS, FEW = 0.05, 10
#: Who pays, as the subject of a sentence, and whether the verb is in the singular.
PAYING = {"government": ("government", True), "firms": ("firms", False), "society": ("the two together", False)}


# -- numbers in words -------------------------------------------------------------------------------------


def _decimals(values: Sequence[float], digits: int) -> int:
    """Decimals with which the largest value has so many figures, and none that is not 0 looks like it."""
    sizes = [abs(value) for value in values if math.isfinite(value) and value != 0.0]
    if not sizes:
        return 0
    decimals = max(0, digits - 1 - math.floor(math.log10(max(sizes))))
    while decimals < 6 and any(round(size, decimals) == 0.0 for size in sizes):
        decimals += 1
    return decimals


def _signed(value: float, decimals: int, sign: bool) -> str:
    text = f"{abs(value):,.{decimals}f}"
    return f"{'−' if value < 0.0 else '+' if sign and value > 0.0 else ''}{text}"


def rounded(values: Sequence[float], digits: int = 3) -> list[str]:
    """Write numbers with as many decimals each as give the largest so many figures; a dash for what is not known."""
    decimals = _decimals(values, digits)
    return ["–" if math.isnan(value) else _signed(value, decimals, False) for value in values]


def percent(values: Sequence[float], sign: bool = True) -> list[str]:
    """Write shares in %, all with as many decimals as the smallest of them needs."""
    whole = [100.0 * value for value in values]
    decimals = max(1, _decimals(whole, 2))
    return [_signed(value, decimals, sign) for value in whole]


def amounts(values: Sequence[float], sign: bool = False) -> tuple[list[str], str]:
    """Write sums of money with three figures in a unit that fits them all, and return that unit."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    scale, unit = next(((s, u) for s, u in ((1e9, "billion CNY"), (1e6, "million CNY")) if largest >= s), (1.0, "CNY"))
    scaled = [value / scale if math.isnan(value) else float(f"{value / scale:.3g}") for value in values]
    return [_signed(value, _decimals(scaled, 3), sign) for value in scaled], unit


def _between(low: str, high: str) -> str:
    return f"{low} to {high}"


# -- the answer ---------------------------------------------------------------------------------------------


def verdict(found: Comparison, row: pd.Series) -> str:
    """Judge the effect of one arm on one outcome.

    Returns
    -------
    {"lower", "higher", "unclear", "corrected", "nil", "unknown"}
        "corrected" where the interval leaves out 0 but the corrected p-value does not tell it from chance; "unknown" from one replicate.
    """
    low, high = float(row["effect_low"]), float(row["effect_high"])
    if math.isnan(low):
        return "unknown"
    if row["effect"] == low == high == 0.0:
        return "nil"
    if low <= 0.0 <= high:
        return "unclear"
    corrected = found.manifest["configuration"]["study"]["correction"] != "none"
    if corrected and not row["p_adjusted"] < FALSE_FINDINGS:
        return "corrected"
    return "lower" if row["effect"] < 0.0 else "higher"


def answer(found: Comparison) -> list[str]:
    """Return the answer in three sentences: the effect on defects reaching users, what it costs whom, and what is not shown.

    Nothing counts as an effect whose interval holds 0, nor, where a correction was asked for, whose corrected p-value
    is 0.05 or more.
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
    sure = f"95 % interval {_between(low, high)}" if row["replicates"] > 1 else "one replicate, so no interval is known"
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
    return f"{in_words(found, arm)} ({value} %{'' if math.isnan(row['effect_low']) else f', {_between(low, high)} %'})"


def _effect_sentence(found: Comparison, main: str) -> str:
    row, base = found.effect(main), in_words(found, found.reference)
    judged = verdict(found, row)
    levels = _per_thousand([row["level"], found.effect(found.reference)["level"]])
    absolute = f"{levels[0]} instead of {levels[1]} per 1,000 units, {_when(found)}"
    known = not math.isnan(row["effect_share"])
    share = [float(row[f"effect_share{end}"]) for end in ("", "_low", "_high")]
    signs, name = percent(share), in_words(found, main)
    many = len(others(found))
    lead = f"Of {many} arms, “{main}” has the fewest defects reaching users: with it" if main != "all" and many > 1 else f"With {name}"
    size = f"{signs[0].lstrip('+−')} % " if known else ""
    more, fewer = (f"{size}{word} defects per unit reach users than with {base}" for word in ("more", "fewer"))
    corrected = CORRECTIONS.get(found.manifest["configuration"]["study"]["correction"])
    p = f"; p = {row['p_adjusted']:.2g} after {corrected}’s correction for many comparisons" if corrected else ""
    around = f"95 % interval of the change {_between(signs[1], signs[2])} %{p}; {absolute}" if known else absolute
    unsure = f"({f'{signs[0]} %, ' if known else ''}{around})"
    change = f"{lead}, a change of the defects per unit that reach users, against {base},"
    told = {
        "lower": f"{lead}, {fewer} ({around})",
        "higher": f"{lead}, {more}, which is harm ({around})",
        "unclear": f"{change} cannot be told from none {unsure}",
        "corrected": f"{change} cannot be told from chance {unsure}",
        "nil": f"{lead}, exactly as many defects per unit reach users as with {base} ({levels[0]} per 1,000 units, {_when(found)})",
        "unknown": f"{lead}, {more if row['effect'] > 0 else fewer} in the one replicate that was run ({absolute}), "
        "and no interval is known, so that it may be luck",
    }[judged]
    return f"{told}{_rest(found, main, judged)}."


def _rest(found: Comparison, main: str, judged: str) -> str:
    """What the other arms do, by what is known of it; of many arms only their number, but any harm by name."""
    by: dict[str, list[str]] = {}
    for arm in (arm for arm in others(found) if arm != main):
        by.setdefault(verdict(found, found.effect(arm)), []).append(arm)
    many = sum(map(len, by.values())) > 4

    def these(arms: Sequence[str], word: str = "and", short: bool = many) -> str:
        return f"{len(arms)} other{'s' * (len(arms) > 1)}" if short else joined([_change(found, arm) for arm in arms], word)

    also = "also " if judged == "lower" else ""
    parts = []
    if arms := by.get("lower"):
        parts.append(f"there are {also}fewer with {these(arms)}")
    if arms := by.get("higher"):
        parts.append(f"there are more, which is harm, with {these(arms, short=False)}")
    if arms := by.get("nil"):
        parts.append(f"nothing changes with {these(arms, 'or') if many else joined([in_words(found, arm) for arm in arms], 'or')}")
    if arms := [*by.get("unclear", ()), *by.get("corrected", ())]:
        parts.append(f"no change can be told from zero with {these(arms, 'or')}")
    if arms := by.get("unknown"):
        parts.append("nor is any known of the others" if many else f"the same replicate shows changes with {these(arms)}")
    return "".join(f"; {part}" for part in parts)


# -- what it costs -------------------------------------------------------------------------------------------


def _pays(payer: str, values: Sequence[float], per: float = 1.0, of: str = "") -> str:
    """Say what one pays or saves, with its interval (of a kind, if it is named); that it cannot be told where the interval holds 0."""
    value, low, high = (per * one for one in values)
    who, one_alone = PAYING[payer]
    if value == 0.0 and (low == high == 0.0 or math.isnan(low)):
        return f"{who} pay{'s' * one_alone} nothing"
    if not math.isnan(low) and low <= 0.0 <= high:
        (at, start, end), unit = amounts([value, low, high], sign=True)
        return f"whether {who} pay{'s' * one_alone} or save{'s' * one_alone} cannot be told ({at} {unit}, {of}{_between(start, end)})"
    (size, start, end), unit = amounts([abs(value), *sorted((abs(low), abs(high)))])
    verb = ("saves" if one_alone else "save") if value < 0.0 else ("pays" if one_alone else "pay")
    return f"{who} {verb} {size} {unit}{'' if math.isnan(low) else f' ({of}{_between(start, end)})'}"


def _cost_sentence(found: Comparison, main: str) -> str:
    rows = found.costs[found.costs["arm"] == main].set_index("payer")
    months, first = found.manifest["configuration"]["months"], rows.iloc[0]

    def each(stem: str, per: float, of: str) -> str:
        names = [stem, f"{stem}_low", f"{stem}_high"]
        return joined([_pays(payer, rows.loc[payer, names].tolist(), per, of if k == 0 else "") for k, payer in enumerate(PAYERS)])

    told = f"Over {months} month{'s' * (months > 1)}, in programme money and cost of quality against {in_words(found, found.reference)}, "
    told += each("cost", 1.0, "95 % interval ")
    if rows["defined"].all():
        return f"{told}; per avoided defect in a product of 1,000 CNY, {each('ratio', 1000.0, '95 % Fieller interval ')}."
    if math.isnan(first["avoided_low"]):
        why = "one replicate gives no interval"
    elif first["avoided_low"] <= 0.0 <= first["avoided_high"]:
        why = "the interval of the defects avoided holds 0"
    else:
        why = "more defects reach users, not fewer"
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
    parts += ["nothing is calibrated to measured defects", _origin(found), _sureness(found)]
    if failed := len(found.manifest.get("failed", [])):
        parts.append(
            f"{failed} run{'s' * (failed > 1)} failed, and {'their replicates are' if failed > 1 else 'its replicate is'} left out"
        )
    unclear = [arm for arm in others(found) if verdict(found, found.effect(arm)) in {"unclear", "corrected"}]
    named = joined([in_words(found, arm) for arm in unclear], "or") if len(unclear) <= 4 else f"{len(unclear)} of the arms"
    what = f"that {named} change{'s' * (len(unclear) == 1 and not by_default(found))} anything, nor " if unclear else ""
    return f"The study does not show {what}how large effects are in the real world: {'; '.join(parts)}."


def _origin(found: Comparison) -> str:
    """Where the region's figures and the network come from."""
    configuration = found.manifest["configuration"]
    region, kind = configuration["region"], configuration["network"].get("kind")
    sources = (region.get("sources") or {}).values()
    reported = [source for source in sources if source.startswith("F") and source[1:4].isdigit()]
    network = (
        "the network is that of a file, with what it leaves out filled by rule" if kind == "file" else "the network of firms is generated"
    )
    counts = "stations and counties are" if kind == "file" else "the counts of firms and stations are"
    where = f"{counts} {region['label']}’s as the authorities report them" if reported else f"{counts} invented"
    return f"{network}; {where}"


def _sureness(found: Comparison) -> str:
    """What the intervals cover, and how many replicates they come from."""
    count, study = int(found.effect(found.reference)["replicates"]), found.manifest["configuration"]["study"]
    if count == 1:
        return "a single replicate gives no interval"
    told = "intervals cover the luck of the simulation alone"
    if count < FEW:
        told += f", and from {count} replicates they are rough"
    if study["half_width"] is not None and not found.manifest.get("half_width_reached", True):
        told += f", wider than the {100 * study['half_width']:g} % of {OUTCOMES[HEADLINE].label.lower()} asked for"
    return told
