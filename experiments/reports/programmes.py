"""What programmes did: what a budget bought, what lasts after their end, how arms differ from a second reference.

Only some studies have these; each is a figure, a section of the report and lines for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.programmes import LEFT
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import Conclusion
from experiments.catalogue.settings import called
from experiments.figures.programmes import aftermath_figure, second_reference_figure, spending_figure
from experiments.formatting import UNKNOWN, percent, rounded
from experiments.languages.wording import say
from experiments.reports.elements import Draw, Section, Table, cells, heads
from experiments.reports.findings import Estimate, arm_of, estimate
from experiments.terminal import table
from sim.outcomes import HEADLINE

__all__ = ["ProgrammeView", "differences_from", "programme_lines", "programme_views"]


@dataclass(frozen=True)
class ProgrammeView:
    """One thing that programmes did: file name and section, heading, what to see, the figure, its description, a table."""

    key: str
    heading: str
    says: str
    figure: Callable[[], Figure]
    alt: str
    table: Table
    #: Columns of the table that a terminal has room for.
    terminal_columns: tuple[int, ...] = ()

    def section(self, draw: Draw) -> Section:
        """Return it as a section of a report."""
        return Section(self.key, self.heading, self.says, [draw(self.figure, self.alt, self.key)], [self.table])


def programme_views(comparison: Comparison) -> list[ProgrammeView]:
    """Return what a study shows of programmes, in its order; nothing for most."""
    makers = {"spending": _spending, "aftermath": _aftermath}
    tables = comparison.programme_tables
    views = [make(comparison) for name, make in makers.items() if name in tables and len(tables[name])]
    return [*views, *_second_reference(comparison)]


# -- what a budget bought ------------------------------------------------------------------------------------


def _spending(comparison: Comparison) -> ProgrammeView:
    spending, bought = comparison.programme_tables["spending"], comparison.programme_tables["per_yuan"].set_index("arm")
    whole = spending[spending["instrument"] == "in all"].set_index("arm")
    configuration = comparison.manifest["configuration"]
    rows = []
    for arm in whole.index.intersection(bought.index, sort=False):
        of_arm, gain = whole.loc[arm], bought.loc[arm]
        parts = spending[(spending["arm"] == arm) & (spending["instrument"] != "in all")]
        levers = say(
            "programmes.levers",
            [
                (called(f"instruments.{key}.{lever}", short=True), value)
                for key, lever, value in parts[["instrument", "lever", "value"]].values.tolist()
            ],
        )
        spent = say("programmes.spent", spent=of_arm["spent"], budget=of_arm["budget"])
        per_yuan = estimate(gain, "per_yuan") if gain["defined"] else None
        verdict = say(f"programmes.budget.{of_arm['verdict']}")
        share = cells(estimate(comparison.effect(arm), "effect_share"), percent)
        rows.append((_name(comparison, arm), levers, spent, verdict, *share, *_per_yuan(per_yuan)))
    lacking = [(row.verdict, arm_of(comparison, str(arm)), float(row.share)) for arm, row in whole.iterrows()]
    head = [
        *heads("arm", "programmes.levers"),
        say("programmes.heads.spent", months=configuration["months"]),
        *heads("programmes.budget", "programmes.effect", "interval_percent", "programmes.per_yuan", "interval"),
    ]
    return ProgrammeView(
        "spending",
        say("programmes.spending_heading"),
        say("programmes.spending", configuration["study"]["budget"], lacking),
        lambda: spending_figure(spending, comparison.effects, comparison.programme_tables["per_yuan"], comparison.manifest),
        say("programmes.spending_alt"),
        Table(say("programmes.spending_caption"), head, rows, text_columns=2),
        (0, *range(2, len(head))),
    )


def _per_yuan(bought: Estimate | None) -> tuple[str, str]:
    """What a CNY bought, and its interval."""
    return (say("not_defined"), UNKNOWN) if bought is None else cells(bought, rounded)


def _name(comparison: Comparison, arm: str) -> str:
    return say("arms.name", arm_of(comparison, arm))


# -- after the end ---------------------------------------------------------------------------------------------


def _aftermath(comparison: Comparison) -> ProgrammeView:
    table = comparison.programme_tables["aftermath"]
    years = [year for year in LEFT if year in table["year"].values]
    rows = []
    for arm, of_arm in table.groupby("arm", sort=False):
        by_year = of_arm.set_index("year")
        last = by_year.loc[0]
        left = [_left(by_year, year) if last["defined"] else say("not_defined") for year in years]
        rows.append((_name(comparison, str(arm)), str(last["end"]), *cells(estimate(last, "effect_share"), percent), *left))
    after = table[table["year"] > 0]
    paid = after.groupby("arm")["government_cost"].max() if len(after) else pd.Series(dtype=float)
    paying = [arm_of(comparison, str(arm)) for arm, most in paid.items() if most > 0.0]
    head = heads("arm", "programmes.last_month", "programmes.last_effect", "interval_percent")
    head += [say("programmes.heads.left", year=year) for year in years]
    return ProgrammeView(
        "aftermath",
        say("programmes.aftermath_heading"),
        say("programmes.aftermath", paying),
        lambda: aftermath_figure(table, comparison.series, comparison.manifest),
        say("programmes.aftermath_alt"),
        Table(say("programmes.aftermath_caption"), head, rows),
    )


def _left(by_year: pd.DataFrame, year: int) -> str:
    """What is left of the effect in a year after the end, in %, with its interval; a dash where that year was not run or is not defined."""
    if year not in by_year.index or not by_year.at[year, "defined"]:
        return UNKNOWN
    return say("programmes.left", estimate(by_year.loc[year], "left"))


# -- against a second reference ------------------------------------------------------------------------------------


def differences_from(comparison: Comparison, reference: str) -> pd.DataFrame:
    """Return the paired differences of all arms from one arm, in total; the table of pairs may have them in either direction."""
    pairs = comparison.pairs
    direct, reversed_pairs = pairs[pairs["against"] == reference].copy(), pairs[pairs["arm"] == reference].copy()
    in_total = comparison.effects[(comparison.effects["arm"] == reference) & (comparison.effects["by"] == "total")]
    level = in_total.set_index("outcome")["level"].abs()
    for stem in ("effect", "cumulative_effect"):
        values = reversed_pairs[[stem, f"{stem}_low", f"{stem}_high"]].to_numpy()
        reversed_pairs[stem], reversed_pairs[f"{stem}_low"], reversed_pairs[f"{stem}_high"] = -values[:, 0], -values[:, 2], -values[:, 1]
    whole = reversed_pairs["outcome"].map(level).where(lambda values: values > 0.0)
    for end in ("", "_low", "_high"):
        reversed_pairs[f"effect_share{end}"] = reversed_pairs[f"effect{end}"] / whole
    reversed_pairs["conclusion"] = [Conclusion(one).reversed.value for one in reversed_pairs["conclusion"]]
    reversed_pairs["arm"], reversed_pairs["against"] = reversed_pairs["against"], reference
    return pd.concat([reversed_pairs, direct], ignore_index=True)


def _second_reference(comparison: Comparison) -> Iterator[ProgrammeView]:
    second = comparison.manifest["configuration"]["study"].get("second_reference")
    if second is None or second not in set(comparison.effects["arm"]):
        return
    differences = differences_from(comparison, second)
    rows, fewer = [], []
    for row in differences[differences["outcome"] == HEADLINE].to_dict("records"):
        share, concluded = estimate(row, "effect_share"), Conclusion(row["conclusion"])
        rows.append((_name(comparison, row["arm"]), *cells(share, percent), say(f"defects.{concluded}")))
        if concluded is Conclusion.LOWER:
            fewer.append((arm_of(comparison, row["arm"]), share))
    reference = arm_of(comparison, second)
    yield ProgrammeView(
        "second_reference",
        say("programmes.second_heading", reference),
        say("programmes.second", reference, fewer),
        lambda: second_reference_figure(differences, comparison.manifest, second),
        say("programmes.second_alt", reference),
        Table(say("programmes.second_caption", reference), heads("arm", "programmes.difference", "interval_percent", "conclusion"), rows),
    )


# -- for a terminal ----------------------------------------------------------------------------------------------


def programme_lines(comparison: Comparison) -> list[str]:
    """Return what programmes did as lines for a terminal."""
    lines = []
    for view in programme_views(comparison):
        columns = view.terminal_columns or range(len(view.table.head))
        head, *rows = ([cells[k] for k in columns] for cells in (view.table.head, *view.table.rows))
        lines += [f"  {view.table.caption}", *(f"    {line}" for line in table(head, rows))]
    return lines
