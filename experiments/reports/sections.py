"""The sections of a report: which numbers, pictures and tables each one shows, taken from the tables of a study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

import experiments.figures as figures
from experiments.analysis.effects import HEADLINES, in_total
from experiments.analysis.results import TABLES, Comparison
from experiments.analysis.verdicts import Conclusion, Judgement, judgement
from experiments.figures.effects import GROUPINGS_SHOWN, groups_shown
from experiments.formatting import UNKNOWN, count, mean_count, percent, rounded
from experiments.languages.wording import label, say, spoken
from experiments.reports.elements import Draw, Pictures, Section, Table, cells, heads, interval
from experiments.reports.findings import FEW_REPLICATES, Arm, Findings, Precision, arm_of, estimate
from experiments.reports.network_page import network_page_name
from experiments.reports.programmes import programme_views
from experiments.reports.study import main_arm, other_world, replicates, worlds_apart
from sim.attribution.quality_map import LOSS
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["BY_GROUP", "of_arms", "results", "selection"]

#: Arms that most figures show; of more, those with the lowest means of defects.
MOST_ARMS = 6
#: Outcomes of the table of effects.
IN_TABLE = (HEADLINE, "nonconformity", "open_problems", "copq", "quality_cost", "waiting_time", "net_margin", "exits")
#: What is looked at in groups of firms: defects reaching users are defined for firms that sell to users alone.
BY_GROUP = "nonconformity"
#: What groups are looked at for losses, and what their firms pay.
LOST, PAID = (BY_GROUP, "firm_quality_cost", "net_margin"), ("firm_quality_cost", "investment")
#: Payments in the table of the books.
PAYMENTS = 12
#: A gain by common random numbers beyond which its size no longer matters.
MUCH = 1_000.0
#: Rows from which a table of what was delivered is folded.
FOLDED = 12


@dataclass(frozen=True)
class _View:
    """What sections look at: a study, the arms of it that figures show, its findings, its main arm, and how pictures are made."""

    comparison: Comparison
    shown: Comparison
    findings: Findings
    main: str | None
    pictures: Pictures
    draw: Draw

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the study."""
        return self.comparison.manifest

    @property
    def compared(self) -> list[str]:
        """The reference and the main arm."""
        return list(dict.fromkeys((self.comparison.reference, self.main or self.comparison.reference)))

    @property
    def arms_shown(self) -> tuple[int, int] | None:
        """How many arms there are, and how many of them figures show in addition to the reference; None where they show all."""
        if self.shown is self.comparison:
            return None
        return self.comparison.effects["arm"].nunique(), self.shown.effects["arm"].nunique() - 1

    def arm(self, name: str) -> Arm:
        """Return an arm as sentences need it."""
        return arm_of(self.comparison, name)

    def name(self, arm: str) -> str:
        """Return what a sentence calls an arm."""
        return say("arms.name", self.arm(arm))


def results(comparison: Comparison, findings: Findings, folder: Path | None = None) -> list[Section]:
    """Return the sections that show what came out; without another arm those that need none.

    Parameters
    ----------
    comparison : Comparison
    findings : Findings
        What it shows.
    folder : Path, optional
        Where figures of the study may lie already.
    """
    shown, main = selection(comparison), main_arm(comparison)
    pictures = Pictures(comparison.manifest, folder)
    draw = pictures.draw if shown is comparison else replace(pictures, folder=None).draw
    view = _View(comparison, shown, findings, main, pictures, draw)
    last = [*_delivered(view), _origins(view), _network(view), _queues(view), _books(view)]
    if main is None:
        return [_paths(view), *last]
    of_programmes = [one.section(pictures.draw) for one in programme_views(comparison)]
    return [_effects(view, main), *of_programmes, _paths(view), _gains(view, main), *last, _replicates(view, main)]


def selection(comparison: Comparison, most: int = MOST_ARMS) -> Comparison:
    """Return a study with the reference, the main arm and those with the lowest means of defects alone, if it has many arms."""
    others = [arm for arm in comparison.effects["arm"].unique() if arm != comparison.reference]
    if len(others) < most:
        return comparison
    main = main_arm(comparison)
    ranked = sorted(others, key=lambda arm: (arm != main, float(comparison.effect(arm)["effect"])))
    kept = [comparison.reference, *ranked[: most - 1]]
    tables = {name: getattr(comparison, name) for name in TABLES}
    return replace(comparison, **{name: of_arms(table, kept) for name, table in tables.items()})


def of_arms(table: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return the rows of these arms, in their order."""
    return pd.concat([table[table["arm"] == arm] for arm in arms], ignore_index=True)


def _level(key: str, values: Sequence[float]) -> tuple[list[str], str]:
    """Write levels of an outcome with three figures, and their unit: shares in %, defects per 1,000 units."""
    unit = OUTCOMES[key].unit
    times = 1.0
    if unit.startswith("share"):
        times, unit = 100.0, unit.replace("share", "%", 1)
    elif unit == "defects/unit":
        return rounded([1000.0 * value for value in values]), say("units.per_thousand")
    return rounded([times * value for value in values]), label(unit)


# -- effect and cost ----------------------------------------------------------------------------------------


def _effects(view: _View, main: str) -> Section:
    comparison, manifest = view.comparison, view.manifest
    first = list(view.shown.effects["arm"].unique())
    order = [*first, *(arm for arm in comparison.effects["arm"].unique() if arm not in first)]  # an arm has one colour in all figures
    rows = [_effect(view, main, key) for key in IN_TABLE]
    alt = say("sections.effects_alt", [(row[0], row[4], row[5]) for row in rows[:4]])
    pictures = [view.draw(lambda: figures.effects_figure(of_arms(comparison.effects, order), manifest), alt, "effects")]
    apart = worlds_apart(comparison)
    costs = view.shown.costs[~view.shown.costs["arm"].isin(apart)]
    if len(costs):
        picture = view.draw(lambda: figures.costs_figure(costs, manifest), say("sections.costs_alt"), "" if apart else "costs")
        pictures.append(picture)
    corrected = [] if manifest["configuration"]["study"]["correction"] == "none" else list(HEADLINES)
    head = (*heads("outcome", "unit"), view.name(comparison.reference), view.name(main), *heads("change", "interval_percent", "conclusion"))
    caption = say("sections.outcomes_caption", view.findings)
    return Section(
        "effects",
        say("sections.effects_heading"),
        say("sections.effects", corrected, apart, view.arms_shown),
        pictures,
        [Table(caption, head, rows, text_columns=2), _programme_money(view)],
    )


def _effect(view: _View, main: str, key: str) -> tuple[str, ...]:
    """A row of the table of effects."""
    comparison, outcome = view.comparison, OUTCOMES[key]
    row = comparison.effect(main, key)
    (start, end), unit = _level(key, [comparison.effect(comparison.reference, key)["level"], row["level"]])
    concluded = say(f"judgements.{judgement(Conclusion(row['conclusion']), outcome.better)}")
    share = estimate(row, "effect_share")
    if math.isnan(share.mean):
        return label(outcome), unit, start, end, UNKNOWN, UNKNOWN, concluded
    return label(outcome), unit, start, end, *cells(share, percent), concluded


def _programme_money(view: _View) -> Table:
    """What government spends on each instrument, arm by arm."""
    comparison = view.comparison
    spent = [name for name in comparison.runs.columns if name.startswith("spent_on_")]
    runs = in_total(comparison.runs).groupby("arm", sort=False)[spent].mean()
    kept = [name for name in spent if runs[name].any()]
    arms = [arm for arm in view.shown.effects["arm"].unique() if arm != comparison.reference]
    rows = [(view.name(arm), *(spoken().money(value) for value in (*runs.loc[arm, kept], runs.loc[arm, kept].sum()))) for arm in arms]
    head = (*heads("arm"), *(spoken().instrument(name.removeprefix("spent_on_")) for name in kept), *heads("in_all"))
    return Table(say("sections.money_caption", view.findings), head, rows if kept else ())


# -- over time, by group, by origin -----------------------------------------------------------------------------


def _paths(view: _View) -> Section:
    picture = view.draw(lambda: figures.time_paths(view.shown.series, view.manifest), say("sections.paths_alt"), "time_paths")
    says = say("sections.paths", view.main is not None, bool(worlds_apart(view.comparison)), view.arms_shown)
    return Section("paths", say("sections.paths_heading"), says, [picture])


def _delivered(view: _View) -> list[Section]:
    """What programmes delivered with the main arm; no section without programmes."""
    arm = view.main or view.comparison.reference
    counts = view.comparison.counts[view.comparison.counts["arm"] == arm].to_dict("records")
    if not counts:
        return []
    rows, nothing = [], []
    for one in counts:
        of = estimate(one, "mean")
        mean, low, high = (mean_count(max(value, 0.0) if value == value else value) for value in of)  # no count is below 0
        name = spoken().instrument(one["instrument"])
        rows.append((name, label(one["count"]), label(one["meaning"]), mean, interval(low, high, of.has_interval)))
        if of.mean == 0.0:
            nothing.append((name, label(one["count"])))
    table = Table(
        say("sections.delivered_caption"),
        heads("programme", "count", "meaning", "in_a_run", "interval"),
        rows,
        text_columns=3,
        folded=len(rows) > FOLDED,
    )
    says = say("sections.delivered", view.arm(arm), view.findings.months, nothing)
    return [Section("delivered", say("sections.delivered_heading"), says, tables=[table])]


def _gains(view: _View, main: str) -> Section:
    heading, effects = say("sections.gains_heading"), view.comparison.effects
    rows = effects[(effects["arm"] == main) & effects["by"].isin(GROUPINGS_SHOWN)]
    by_group = rows[(rows["outcome"] == BY_GROUP) & rows["effect_share"].notna()]
    if by_group.empty:
        return Section("gains", heading, say("sections.no_groups"))
    largest = []
    for by, group in by_group.groupby("by", sort=False):
        shown = group[[Conclusion(one).is_shown for one in group["conclusion"]]]
        if len(shown):
            best = shown.loc[shown["effect_share"].abs().idxmax()]
            largest.append((by, best["group"], BY_GROUP, estimate(best, "effect_share")))
    judged = rows[rows["outcome"].isin(LOST)]
    worse = judged[[judgement(Conclusion(row.conclusion), row.better) is Judgement.WORSE for row in judged.itertuples()]]
    losers = [(row["by"], row["group"], row["outcome"], estimate(row, "effect_share")) for _, row in worse.iterrows()]
    many = [(by, by_group[by_group["by"] == by]) for by in ("chain", "county")]
    few = [(by, len(groups_shown(rows, by)), len(rows)) for by, rows in many if len(groups_shown(rows, by)) < len(rows)]
    says = say(
        "gains.says",
        view.arm(main),
        BY_GROUP,
        largest,
        losers,
        LOST,
        view.manifest["configuration"]["study"]["correction"] != "none",
        view.arms_shown,
        few,
        "quantile" in set(by_group["by"]),
    )
    picture = view.draw(lambda: figures.gains_figure(view.shown.effects, view.manifest, BY_GROUP), say("sections.gains_alt"), "gains")
    head = heads("gains_table.group", "gains_table.change", "interval_percent", "conclusion", "gains_table.quality_cost", "interval",
                 "gains_table.investment", "interval")  # fmt: skip
    return Section("gains", heading, says, [picture], [Table(say("gains.caption", view.arm(main), BY_GROUP), head, _by_group(rows))])


def _by_group(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return a row per group that the figure shows: the change of what is looked at, and of what its firms pay."""
    table = rows.set_index(["outcome", "by", "group"])
    known = rows[(rows["outcome"] == BY_GROUP) & rows["effect_share"].notna()]
    written = []
    for by in GROUPINGS_SHOWN:
        for group in groups_shown(known[known["by"] == by], by):
            change = table.loc[(BY_GROUP, by, group)]
            money = [estimate(table.loc[(key, by, group)], "effect") for key in PAID]
            paid = [cell for one in money for cell in cells(one, lambda of: [spoken().money(value) for value in of])]
            share = estimate(change, "effect_share")
            meaning = judgement(Conclusion(change["conclusion"]), change["better"])
            written.append((say("gains.group", by, group), *cells(share, percent), say(f"judgements.{meaning}"), *paid))
    return written


def _origins(view: _View) -> Section:
    share = view.comparison.origins.groupby(["arm", "tier"])["share"].sum()
    cause = view.comparison.origins.groupby(["arm", "cause"])["share"].sum()
    parts = [(view.arm(arm), float(share.get((arm, "0"), 0.0)), float(cause.get((arm, "special"), 0.0))) for arm in view.compared]
    says = say("sections.origins", view.findings, parts, view.arms_shown)
    picture = view.draw(lambda: figures.origins_figure(view.shown.origins, view.manifest), say("sections.origins_alt"), "origins")
    return Section("origins", say("sections.origins_heading", view.findings), says, [picture])


def _network(view: _View) -> Section:
    reference = view.comparison.reference
    heading, of_map = say("sections.network_heading"), view.comparison.maps.get(reference)
    if of_map is None:
        return Section("network", heading, say("network_page.not_there"))
    top = of_map.table[LOSS].head(figures.FIRMS)
    part = float(top.sum()) / (of_map.map.total or 1.0)
    says = say("sections.network", of_map.tier.size, of_map.supplier.size, view.arm(reference), len(top), part)
    draw = view.pictures.draw
    pictures = [
        draw(lambda: figures.flows_figure(of_map, view.manifest), say("flows.alt"), f"quality_map_{reference}"),
        draw(lambda: figures.firms_figure(of_map, view.manifest, arm=view.name(reference)), say("flows.firms_alt"), f"firms_{reference}"),
    ]
    return Section("network", heading, says, pictures, files=_pages(view))


def _pages(view: _View) -> list[tuple[str, str]]:
    """Pages of whole networks that lie beside the report, and what each is."""
    folder = view.pictures.folder
    names = {arm: network_page_name(arm) for arm in view.comparison.maps}
    return [(name, say("network_page.link", arm=view.name(arm))) for arm, name in names.items() if folder and (folder / name).is_file()]


def _queues(view: _View) -> Section:
    def waiting(arm: str) -> tuple[Arm, float, float]:
        cases, months = (float(view.comparison.effect(arm, key)["level"]) for key in ("cases_waiting", "waiting_time"))
        return view.arm(arm), cases, months

    says = say("sections.queues", [waiting(arm) for arm in view.compared], view.findings, view.arms_shown)
    picture = view.draw(lambda: figures.queues_figure(view.shown.series, view.manifest), say("sections.queues_alt"), "queues")
    return Section("queues", say("sections.queues_heading"), says, [picture])


# -- books and replicates ---------------------------------------------------------------------------------------


def _books(view: _View) -> Section:
    """The largest payments, and those of programmes, in the reference and in the main arm."""
    comparison, main, flows = view.comparison, view.main, ["payer", "payee", "purpose"]
    start = comparison.books[comparison.books["arm"] == comparison.reference].set_index(flows)
    ours = comparison.books[comparison.books["arm"] == (main or comparison.reference)].set_index(flows)
    largest = list(start["level"].sort_values(ascending=False, kind="stable").index[:PAYMENTS])
    largest += [flow for flow in ours.index if flow[0] == "government" and flow not in largest and ours.at[flow, "level"] > 0.0]
    rows = []
    for flow in largest:
        change = estimate(ours.loc[flow], "effect")
        value, low, high = (spoken().money(one) for one in change)
        changed = (spoken().money(ours.at[flow, "level"]), value, interval(low, high, change.has_interval)) if main else ()
        rows.append((*map(spoken().instrument, flow), spoken().money(start.at[flow, "level"]), *changed))
    head = (*heads("payer", "payee", "purpose"), view.name(comparison.reference))
    head += (view.name(main), *heads("change_amount", "interval")) if main else ()
    table = Table(say("sections.books_caption", view.findings), head, rows, text_columns=3, folded=bool(main))
    if main is None:
        return Section("books", say("sections.books_heading", False), say("sections.books_alone"), (), [table])
    books = of_arms(comparison.books, [comparison.reference, main])
    name = "books" if len(books) == len(comparison.books) else ""  # the figure of the folder has all arms
    picture = view.draw(lambda: figures.books_figure(books, view.manifest), say("sections.books_alt"), name)
    return Section("books", say("sections.books_heading", True), say("sections.books", view.arm(main)), [picture], [table])


def _replicates(view: _View, main: str) -> Section:
    """Whether replicates are enough, and what common random numbers save."""
    comparison, heading = view.comparison, say("sections.replicates_heading")
    enough = comparison.enough[comparison.enough["outcome"] == HEADLINE].set_index("arm")
    luck = comparison.luck[comparison.luck["outcome"] == HEADLINE].set_index("arm")
    number = replicates(comparison)
    if number < 2:
        return Section("replicates", heading, say("sections.one_replicate"))
    row, saved = enough.loc[main], estimate(luck.loc[main], "ratio")
    sure = saved.low > 1.0 and number >= FEW_REPLICATES and not other_world(comparison, main)
    precision = Precision(
        number,
        float(row["share"]),
        float(row["wanted"]),
        float(row["needed"]),
        float(row["needed_to_show"]),
        row["enough"] == "yes",
        row["half_width"] != 0.0,
        view.findings.chosen_by_result,
        saved if sure else None,
        MUCH,
    )
    asked = not math.isnan(row["wanted"])
    rows = []
    for arm in view.shown.enough["arm"].unique():
        one, ratio = enough.loc[arm], estimate(luck.loc[arm], "ratio")
        known = number >= FEW_REPLICATES and ratio.has_interval
        needed = one["needed"] if asked else one["needed_to_show"]
        gain = say("sections.saved", ratio, MUCH) if known else UNKNOWN
        half = rounded([100.0 * one["share"]], 2)[0]
        rows.append((view.name(arm), count(one["replicates"]), half, say("sections.needed", needed), gain))
    head = heads("arm", "replicates_run", "half_width", "needed" if asked else "needed_to_show", "saved")
    table = Table(label(OUTCOMES[HEADLINE]), head, rows)
    return Section("replicates", heading, say("sections.replicates", precision), tables=[table])
