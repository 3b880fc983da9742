"""The sections of a report: what each one says, its pictures and its tables, made from the tables of a study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

import experiments.figures as figures
from experiments.analysis.effects import HEADLINES
from experiments.analysis.results import TABLES, Comparison
from experiments.analysis.verdicts import verdict
from experiments.formatting import percent, rounded
from experiments.reports.conclusions import FEW
from experiments.reports.elements import Draw, Pictures, Section, Table
from experiments.reports.programmes import shown_besides
from experiments.reports.study import active_in, in_words, joined, main_arm, other_world, practice, replicates, worlds_apart
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["most_telling", "results"]

#: Arms that most figures show; of more, those with the lowest means of defects.
MOST_ARMS = 6
#: Outcomes of the table of effects.
TOLD = (HEADLINE, "nonconformity", "open_problems", "copq", "quality_cost", "waiting_time", "net_margin", "exits")
#: What is looked at in groups of firms: defects reaching users are defined for firms that sell to users alone.
GAINED = "nonconformity"
#: Payments in the table of the books.
PAYMENTS = 12
#: A gain by common luck beyond which its size no longer matters.
MUCH = 1_000.0
VERDICTS = {"unclear": "not told from zero", "corrected": "not told from zero", "nil": "no change", "unknown": "no interval"}
CAUSES = {"common": "common causes", "special": "open problems", "interface": "interfaces"}


def results(comparison: Comparison, folder: Path | None = None) -> list[Section]:
    """Return the sections that show what came out; without another arm those that need none.

    Parameters
    ----------
    found : Comparison
    folder : Path, optional
        Where figures of the study may lie already.
    """
    few, main = most_telling(comparison), main_arm(comparison)
    pictures = Pictures(comparison.manifest, folder)
    draw = pictures.draw if few is comparison else replace(pictures, folder=None).draw
    last = [
        *_delivered(comparison, main),
        _origins(comparison, few, main, draw),
        _network(comparison, pictures),
        _queues(comparison, few, main, draw),
        _books(comparison, main, draw),
    ]
    if main is None:
        return [_paths(comparison, few, draw), *last]
    besides = [shown.section(pictures.draw) for shown in shown_besides(comparison)]
    first = [_effects(comparison, few, main, draw), *besides, _paths(comparison, few, draw), _gains(comparison, few, main, draw)]
    return [*first, *last, _replicates(comparison, few, main)]


def most_telling(comparison: Comparison, most: int = MOST_ARMS) -> Comparison:
    """Return a study without all arms but the reference, the main one and those with the lowest means of defects, if there are many."""
    others = [arm for arm in comparison.effects["arm"].unique() if arm != comparison.reference]
    if len(others) < most:
        return comparison
    main = main_arm(comparison)
    ranked = sorted(others, key=lambda arm: (arm != main, float(comparison.effect(arm)["effect"])))
    kept = [comparison.reference, *ranked[: most - 1]]
    tables = {name: getattr(comparison, name) for name in TABLES}
    return replace(comparison, **{name: _of_arms(table, kept) for name, table in tables.items()})


def _of_arms(table: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Rows of these arms, in their order."""
    return pd.concat([table[table["arm"] == arm] for arm in arms], ignore_index=True)


def _shown_of(comparison: Comparison, few: Comparison) -> str:
    if few is comparison:
        return ""
    return f" Of {comparison.effects['arm'].nunique()} arms those {few.effects['arm'].nunique() - 1} with the lowest mean of defects are shown."


def _interval(low: str, high: str, unknown: bool) -> str:
    return "–" if unknown else f"{low} to {high}"


def _level(key: str, values: Sequence[float]) -> tuple[list[str], str]:
    """Write levels of an outcome with three figures, and their unit: shares in %, defects per 1,000 units."""
    unit = OUTCOMES[key].unit
    times = 1.0
    if unit.startswith("share"):
        times, unit = 100.0, unit.replace("share", "%", 1)
    elif unit == "defects/unit":
        times, unit = 1000.0, "per 1,000 units"
    return rounded([times * value for value in values]), unit


# -- effect and cost ----------------------------------------------------------------------------------------


def _effects(comparison: Comparison, few: Comparison, main: str, draw: Draw) -> Section:
    arms = list(few.effects["arm"].unique())
    order = [*arms, *(arm for arm in comparison.effects["arm"].unique() if arm not in arms)]  # so that an arm has one colour in all figures
    rows = [_told(comparison, main, key) for key in TOLD]
    alt = "Effects in %. " + "; ".join(f"{row[0]}: {row[4]} ({row[5]})" for row in rows[:4])
    pictures = [draw(lambda: figures.effects_figure(_of_arms(comparison.effects, order), comparison.manifest), alt, "effects")]
    apart, costs = worlds_apart(comparison), few.costs[~few.costs["arm"].isin(worlds_apart(comparison))]
    if len(costs):
        money = "Cost per avoided defect to government, to firms and to both together, with Fieller intervals, arm by arm"
        pictures.append(draw(lambda: figures.costs_figure(costs, comparison.manifest), money, "" if apart else "costs"))
    head = ("outcome", "unit", in_words(comparison, comparison.reference), in_words(comparison, main), "change, %", "95 % interval, %", "verdict")
    says = (
        "Marks are changes against the reference, bars 95 % intervals; a hollow mark cannot be told from no effect. "
        "The cost is that of one CNY of defective sales avoided, below 0 a saving; “society” is government and firms together; guarantees "
        "and discounts on interest count as a cost, what users lose beyond warranty does not."
    )
    if comparison.manifest["configuration"]["study"]["correction"] != "none":
        says += f" P-values of {joined([OUTCOMES[key].label.lower() for key in HEADLINES])} are corrected for many comparisons, others not."
    if apart:
        says += f" Costs per avoided defect are not told of {joined(apart)}, because the worlds differ."
    tables = [Table(f"Outcomes, {_when(comparison)} (all arms and outcomes: effects.csv)", head, rows, words=2), _programme_money(comparison, few)]
    return Section("effects", "How large are the effects, and what do they cost?", says + _shown_of(comparison, few), pictures, tables)


def _told(comparison: Comparison, main: str, key: str) -> tuple[str, ...]:
    """A row of the table of effects."""
    row = comparison.effect(main, key)
    (start, end), unit = _level(key, [comparison.effect(comparison.reference, key)["level"], row["level"]])
    judged = verdict(row)
    gain = {"lower": -1, "higher": 1}.get(judged, 0) * OUTCOMES[key].direction
    told = VERDICTS.get(judged) or ("better" if gain > 0 else "worse" if gain < 0 else "different")
    if math.isnan(row["effect_share"]):
        return OUTCOMES[key].label, unit, start, end, "–", "–", told
    change, low, high = percent([row["effect_share"], row["effect_share_low"], row["effect_share_high"]])
    return OUTCOMES[key].label, unit, start, end, change, _interval(low, high, math.isnan(row["effect_low"])), told


def _when(comparison: Comparison) -> str:
    months = comparison.manifest["configuration"]["window"]
    return f"mean of the last {months} months" if months > 1 else "last month"


def _programme_money(comparison: Comparison, few: Comparison) -> Table:
    """What government spends on each instrument, arm by arm."""
    spent = [name for name in comparison.runs.columns if name.startswith("spent_on_")]
    runs = comparison.runs[comparison.runs["by"] == "total"].groupby("arm", sort=False)[spent].mean()
    kept = [name for name in spent if runs[name].any()]
    arms = [arm for arm in few.effects["arm"].unique() if arm != comparison.reference]
    rows = [(in_words(comparison, arm), *(_millions(value) for value in (*runs.loc[arm, kept], runs.loc[arm, kept].sum()))) for arm in arms]
    head = ("arm", *(practice(name.removeprefix("spent_on_")) for name in kept), "in all")
    months = comparison.manifest["configuration"]["months"]
    return Table(f"Programme money of government, million CNY over {months} months, mean of all replicates", head, rows if kept else ())


# -- over time, by group, by origin -----------------------------------------------------------------------------


def _paths(comparison: Comparison, few: Comparison, draw: Draw) -> Section:
    luck = "random numbers, in part in other worlds" if worlds_apart(comparison) else "luck"
    says = f"Left the level, right the change on the same {luck}; a band is a 95 % interval, and a programme needs time to work."
    if main_arm(comparison) is None:
        says = "The level with its 95 % interval; without another arm no change can be shown."
    alt = "Time paths of defects reaching users, non-conformity, open problems and cost of poor quality, arm by arm"
    return Section(
        "paths",
        "How do they develop?",
        says + _shown_of(comparison, few),
        [draw(lambda: figures.time_paths(few.series, comparison.manifest), alt, "time_paths")],
    )


def _delivered(comparison: Comparison, main: str | None) -> list[Section]:
    """What programmes delivered with the main arm; no section without programmes."""
    arm = main or comparison.reference
    mine = comparison.counts[comparison.counts["arm"] == arm]
    if mine.empty:
        return []
    rows = []
    for of in mine.to_dict("records"):
        mean, low, high = (_times_counted(of[f"mean{end}"]) for end in ("", "_low", "_high"))
        interval = _interval(low, high, math.isnan(of["mean_low"]))
        rows.append((practice(of["instrument"]), of["count"], of["meaning"], mean, interval))
    months = comparison.manifest["configuration"]["months"]
    nil = [f"{practice(of['instrument'])}: {of['count']}" for of in mine.to_dict("records") if of["mean"] == 0.0]
    says = f"Counted over all {months} months with {in_words(comparison, arm)}, the mean of a run"
    says += f"; nothing of {joined(nil)}." if nil else "."
    head = ("programme", "what", "meaning", "in a run", "95 % interval")
    table = Table("What was delivered (all arms: counts.csv)", head, rows, words=3, folded=len(rows) > 12)
    return [Section("delivered", "What was delivered?", says, tables=[table])]


def _times_counted(value: float) -> str:
    """Write a mean count: to a tenth where it is small."""
    return "" if math.isnan(value) else f"{value:,.0f}" if abs(value) >= 100.0 or value == int(value) else f"{value:,.1f}"


def _gains(comparison: Comparison, few: Comparison, main: str, draw: Draw) -> Section:
    heading = "Who gains?"
    rows = comparison.effects.query("arm == @main and outcome == @GAINED and by in ['tier', 'size'] and effect_share == effect_share")
    if rows.empty:
        return Section("gains", heading, "Effects by group of firms were not asked for; by=[tier,size] does.")
    told = []
    for by, mine in rows.groupby("by", sort=False):
        sure = mine[mine["told"].isin(["lower", "higher"])]
        if len(sure):
            best = sure.loc[sure["effect_share"].abs().idxmax()]
            name = f"{best['group']} firms" if by == "size" else "chain leaders" if best["group"] == "0" else f"tier {best['group']}"
            change, low, high = percent([best["effect_share"], best["effect_share_low"], best["effect_share_high"]])
            told.append(f"{'among' if 'firms' in name or 'leaders' in name else 'in'} {name} ({change} %, {low} to {high} %)")
    label = OUTCOMES[GAINED].label.split(",")[0].lower()
    says = (
        f"With {in_words(comparison, main)}, the largest mean change of {label} that is told from zero is {joined(told)}; "
        "whether it is larger there than elsewhere is not tested."
        if told
        else f"In no group can a change of {label} be told from zero."
    )
    alt = "Change of true non-conformity by tier of the chain and by size of firm"
    tiers = " Chain leaders sell to users, firms of tier 1 supply them, and so on."
    if comparison.manifest["configuration"]["study"]["correction"] != "none":
        tiers += " Intervals of groups are not corrected for many comparisons."
    return Section(
        "gains",
        heading,
        says + tiers + _shown_of(comparison, few),
        [draw(lambda: figures.gains_figure(few.effects, comparison.manifest, GAINED), alt)],
    )


def _origins(comparison: Comparison, few: Comparison, main: str | None, draw: Draw) -> Section:
    share = comparison.origins.groupby(["arm", "tier"])["share"].sum()
    cause = comparison.origins.groupby(["arm", "cause"])["share"].sum()

    def told(arm: str) -> str:
        (leaders, problems) = (100.0 * float(s) for s in (share.get((arm, "0"), 0.0), cause.get((arm, "special"), 0.0)))
        if math.isnan(leaders):
            return f"with {in_words(comparison, arm)} there is no loss"
        return f"with {in_words(comparison, arm)} {leaders:.0f} % of the loss begins at chain leaders and {problems:.0f} % in open problems"

    parts = [told(arm) for arm in dict.fromkeys((comparison.reference, main or comparison.reference))]
    says = f"Where the defects begin that users suffer from{_beside(comparison, main)}: {joined(parts)}."
    alt = "Field loss by tier and cause of origin, arm by arm"
    heading = f"Who causes what{_beside(comparison, main)}?"
    return Section(
        "origins",
        heading,
        says + _shown_of(comparison, few),
        [draw(lambda: figures.origins_figure(few.origins, comparison.manifest), alt, "origins")],
    )


def _beside(comparison: Comparison, main: str | None) -> str:
    """How two arms are told of side by side."""
    if main is None:
        return ""
    base, mine = (active_in(comparison.manifest["arms"][arm]) for arm in (comparison.reference, main))
    return ", without and with programmes" if mine and not base else ", arm beside arm"


def _network(comparison: Comparison, pictures: Pictures) -> Section:
    heading, name = "The network", f"quality_map_{comparison.reference}"
    alt = "Supply network by tier, with the flow of defects along its links and the firms where they begin"
    of_map = comparison.maps.get(comparison.reference)
    if of_map is None:
        if there := pictures.there(alt, name):
            return Section("network", heading, f"The network with {in_words(comparison, comparison.reference)}, first replicate.", [there])
        return Section("network", heading, "The network is not shown: the quality map is not stored with the tables of a study.")
    top = sorted(of_map.map.by_firm, reverse=True)[:10]
    part = 100.0 * sum(top) / (of_map.map.total or 1.0)
    says = (
        f"{of_map.tier.size:,} firms and {of_map.supplier.size:,} links with {in_words(comparison, comparison.reference)}, first replicate; "
        f"the {len(top)} firms where most of it begins account for {part:.0f} % of the loss to users."
    )
    return Section("network", heading, says, [pictures.draw(lambda: figures.network_map(of_map, comparison.manifest), alt, name)])


def _queues(comparison: Comparison, few: Comparison, main: str | None, draw: Draw) -> Section:
    def told(arm: str) -> str:
        waiting, months = (comparison.effect(arm, key)["level"] for key in ("cases_waiting", "waiting_time"))
        served = "none is served" if math.isnan(months) else f"one that is served has waited {rounded([months], 2)[0]} months"
        return f"with {in_words(comparison, arm)} {rounded([waiting], 2)[0]} cases wait and {served}"

    arms = list(dict.fromkeys((comparison.reference, main or comparison.reference)))
    says = f"Cases that firms bring to service stations: {joined([told(arm) for arm in arms])} ({_when(comparison)})."
    alt = "Cases filed, served and waiting at stations, and their waiting time, month by month"
    picture = draw(lambda: figures.queues_figure(few.series, comparison.manifest), alt, "queues")
    return Section("queues", "Do stations keep up?", says + _shown_of(comparison, few), [picture])


# -- books and replicates ---------------------------------------------------------------------------------------


def _books(comparison: Comparison, main: str | None, draw: Draw) -> Section:
    """The largest payments, and those of programmes, in the reference and in the main arm."""
    flows = ["payer", "payee", "purpose"]
    start = comparison.books[comparison.books["arm"] == comparison.reference].set_index(flows)
    mine = comparison.books[comparison.books["arm"] == (main or comparison.reference)].set_index(flows)
    largest = list(start["level"].sort_values(ascending=False, kind="stable").index[:PAYMENTS])
    largest += [flow for flow in mine.index if flow[0] == "government" and flow not in largest and mine.at[flow, "level"] > 0.0]
    rows = []
    for flow in largest:
        values = (start.at[flow, "level"], mine.at[flow, "level"], *(mine.at[flow, f"effect{end}"] for end in ("", "_low", "_high")))
        before, after, change, low, high = (_millions(value) for value in values)
        rows.append((*map(_plain, flow), before, *((after, change, _interval(low, high, math.isnan(values[3]))) if main else ())))
    name = in_words(comparison, comparison.reference)
    head = ("from", "to", "for", name, *((in_words(comparison, main), "change", "95 % interval") if main else ()))
    table = Table(
        f"The largest payments and all of government, million CNY a month, {_when(comparison)}", head, rows, words=3, folded=bool(main)
    )
    if main is None:
        return Section("books", "The books", "Who pays whom: every payment has a payer and a payee.", (), [table])
    says = f"The payments whose means change most with {in_words(comparison, main)}: right of the line money flows more, left of it less."
    alt = "The payments between sectors that change most, with 95 % intervals"
    picture = draw(lambda: figures.books_figure(_of_arms(comparison.books, [comparison.reference, main]), comparison.manifest), alt)
    return Section("books", "The books: whose money moves?", says, [picture], [table])


def _millions(value: float) -> str:
    """Write an amount in million CNY, with as many decimals as its size asks for, three at most."""
    millions = value / 1e6
    decimals = 0 if abs(millions) >= 100.0 else 1 if abs(millions) >= 10.0 else 2 if abs(millions) >= 1.0 else 3
    text = f"{abs(millions):,.{decimals}f}"
    return f"−{text}" if millions < 0.0 and float(text) else text


def _plain(word: str) -> str:
    """A sector or purpose as people say it: the key of an instrument is its name."""
    return practice(word)


def _replicates(comparison: Comparison, few: Comparison, main: str) -> Section:
    """Whether replicates are enough, and what common luck saves."""
    heading = "Are the replicates enough?"
    enough = comparison.enough[comparison.enough["outcome"] == HEADLINE].set_index("arm")
    luck = comparison.luck[comparison.luck["outcome"] == HEADLINE].set_index("arm")
    count = replicates(comparison)
    if count < 2:
        return Section("replicates", heading, "No: a single replicate gives no interval. Type replicates=20 or more.")
    row = enough.loc[main]
    asked = not math.isnan(row["wanted"])
    says = (
        f"With {count} replicates the interval of the main effect is ± {rounded([100 * row['share']], 2)[0]} % of the reference’s level. "
    )
    if row["half_width"] == 0.0:
        says = f"With {count} replicates the effect does not vary at all, so that more would show nothing new."
    elif asked:
        says += f"For a half-width of {100 * row['wanted']:g} %, {_count(row['needed'])} replicates would do (an estimate): "
        says += "there are enough." if row["enough"] == "yes" else "there are too few."
    elif math.isfinite(row["to_tell"]):
        says += f"A new study of {_count(row['to_tell'])} replicates would tell the effect from zero in four of five cases, "
        says += "if it is as large as was found (an estimate)."
        says += " It may be smaller: of several arms the best-looking one is told of." * (main != "all" and len(enough) > 1)
    else:
        says += "As the mean effect is 0, no number of replicates would tell it from zero."
    gain, low, high = luck.loc[main, ["ratio", "ratio_low", "ratio_high"]]
    if low > 1.0 and count >= FEW and not other_world(comparison, main):
        says += (
            f" Independent luck in every arm would need {_times(gain)} as many for the same interval (95 % interval {_ratio(low, high)})."
        )
    rows = []
    for arm in few.enough["arm"].unique():
        mine, (gain, low, high) = enough.loc[arm], luck.loc[arm, ["ratio", "ratio_low", "ratio_high"]]
        saved = f"{_times(gain)} ({_ratio(low, high)})" if count >= FEW and not math.isnan(low) else "–"
        told = (_count(mine["needed"] if asked else mine["to_tell"]), saved)
        rows.append((in_words(comparison, arm), _count(mine["replicates"]), rounded([100 * mine["share"]], 2)[0], *told))
    goal = "replicates for the half-width asked for" if asked else "replicates that tell it from zero in four of five new studies"
    head = ("arm", "replicates run", "half-width, % of the reference", goal, "replicates saved by common luck (95 % interval)")
    table = Table(OUTCOMES[HEADLINE].label, head, rows)
    return Section("replicates", heading, says, tables=[table])


def _count(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.0f}" if math.isfinite(value) else "none"


def _times(value: float) -> str:
    return "–" if math.isnan(value) else f"over {MUCH:,.0f} times" if value > MUCH else f"{rounded([value], 2)[0]} times"


def _ratio(low: float, high: float) -> str:
    """Write the interval of a gain."""
    return " to ".join("over " * (value > MUCH) + rounded([min(value, MUCH)], 2)[0] for value in (low, high))
