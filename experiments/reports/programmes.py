"""Show what a comparison has besides: figures, sections of the report, lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.programmes import LEFT
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import defects_told
from experiments.figures.programmes import aftermath_figure, beside_figure, spending_figure
from experiments.formatting import percent, rounded
from experiments.reports.elements import Draw, Section, Table
from experiments.reports.study import in_words, joined, practice
from experiments.terminal import table
from sim.outcomes import HEADLINE

__all__ = ["Shown", "differences_from", "lines_on_more", "shown_besides"]

#: What is turned round where a pair is read the other way.
TURNED = {"lower": "higher", "higher": "lower"}


@dataclass(frozen=True)
class Shown:
    """One thing shown besides: file name and section, heading, what to see, the figure, its words, a table."""

    key: str
    heading: str
    says: str
    figure: Callable[[], Figure]
    alt: str
    table: Table
    #: Columns of the table that a terminal has room for.
    terse: tuple[int, ...] = ()

    def section(self, draw: Draw) -> Section:
        """Return it as a section of a report."""
        return Section(self.key, self.heading, self.says, [draw(self.figure, self.alt, self.key)], [self.table])


def shown_besides(found: Comparison) -> list[Shown]:
    """Return what a study shows besides the rest, in its order; nothing for most."""
    makers = {"spending": _spending, "aftermath": _aftermath}
    shown = [make(found) for name, make in makers.items() if name in found.more and len(found.more[name])]
    return [*shown, *_beside(found)]


def _interval(low: str, high: str) -> str:
    return "–" if {low, high} & {"nan", "–"} else f"{low} to {high}"


def _share(row: pd.Series, stem: str = "effect_share") -> tuple[str, str]:
    """A share in % and its interval."""
    value, low, high = percent([row[stem], row[f"{stem}_low"], row[f"{stem}_high"]])
    return value, _interval(low, high)


# -- what a budget bought ------------------------------------------------------------------------------------


def _spending(found: Comparison) -> Shown:
    spending, bought = found.more["spending"], found.more["per_yuan"].set_index("arm")
    whole = spending[spending["instrument"] == "in all"].set_index("arm")
    budget, months = found.manifest["configuration"]["study"]["budget"], found.manifest["configuration"]["months"]
    rows = []
    for arm in whole.index.intersection(bought.index, sort=False):
        mine, gain = whole.loc[arm], bought.loc[arm]
        parts = spending[(spending["arm"] == arm) & (spending["instrument"] != "in all")]
        levers = "; ".join(f"{practice(row.instrument)}: {row.lever} {row.value:.3g}" for row in parts.itertuples())
        worth, low, high = rounded([gain[f"per_yuan{end}"] for end in ("", "_low", "_high")])
        interval = _interval(low, high)
        spent = f"{mine['spent'] / 1e6:.3g} of {mine['budget'] / 1e6:.3g}"
        bought_by = (worth, interval) if gain["defined"] else ("not defined", "–")
        rows.append((in_words(found, arm), levers, spent, mine["verdict"], *_share(found.effect(arm)), *bought_by))
    lacking = [(row.verdict, f"{in_words(found, arm)} ({100 * row.share:.0f} % of it)") for arm, row in whole.iterrows()]
    short, short_of = ([told for verdict, told in lacking if verdict == which] for which in ("cannot spend it", "not all spent"))
    says = (
        f"Government has {budget:,.0f} CNY per 1,000 firms and year for every arm, for the months in which its programmes run, and may "
        "spend no more. The lever by which an instrument spends (its reach, mostly) was set by trial on other luck, so that all is spent."
    )
    says += f" The budget cannot be spent, with the lever at the end of its range, by {joined(short)}." if short else ""
    says += f" Less than 98 % is spent by {joined(short_of)}." if short_of else ""
    of_effect, of_gain = ("effect, %", "95 % interval, %"), ("avoided per CNY", "95 % interval")
    head = ("arm", "levers found", f"million CNY in {months} months", "budget", *of_effect, *of_gain)
    return Shown(
        "spending",
        "What did each arm spend, and what did that buy?",
        says,
        lambda: spending_figure(spending, found.effects, found.more["per_yuan"], found.manifest),
        "For every arm the part of the budget that was spent, its effect, and sales with a defect avoided per CNY of government",
        Table("Budget, effect on defects reaching users, and sales with a defect avoided per CNY of government", head, rows, words=2),
        (0, *range(2, len(head))),
    )


# -- after the end ---------------------------------------------------------------------------------------------


def _aftermath(found: Comparison) -> Shown:
    table = found.more["aftermath"]
    rows = []
    for arm, mine in table.groupby("arm", sort=False):
        by_year = mine.set_index("year")
        last = by_year.loc[0]
        cells = []
        for year in (year for year in LEFT if year in table["year"].values):
            if year not in by_year.index or not by_year.at[year, "defined"]:
                cells.append("not defined" if not last["defined"] else "–")
                continue
            left, low, high = (f"{100.0 * by_year.at[year, f'left{end}']:,.0f}".replace("-", "−") for end in ("", "_low", "_high"))
            cells.append(f"{left} ({_interval(low, high)})")
        rows.append((in_words(found, str(arm)), str(last["end"]), *_share(last), *cells))
    years = [year for year in LEFT if year in table["year"].values]
    head = ("arm", "last month", "effect in the last year, %", "95 % interval, %", *(f"left in year {year} after, %" for year in years))
    after = table[table["year"] > 0]
    paid = after.groupby("arm")["government_cost"].max() if len(after) else pd.Series(dtype=float)
    still = [in_words(found, str(arm)) for arm, most in paid.items() if most > 0.0]
    says = (
        "What becomes of an effect once its programmes have ended: paired differences of the means of whole years; the share left is that "
        "of the effect in the programmes' last year, and is not defined where that effect cannot be told from 0."
    )
    says += f" Government still pays after the end with {joined(still)}." if still else " After the end government spends nothing more."
    return Shown(
        "aftermath",
        "How long do effects last?",
        says,
        lambda: aftermath_figure(table, found.series, found.manifest),
        "Change of defects reaching users by month and year, arm by arm, with the end of the programmes",
        Table("Defects reaching users around the end of the programmes (every year: aftermath.csv)", head, rows),
    )


# -- against a second arm ----------------------------------------------------------------------------------------


def differences_from(found: Comparison, beside: str) -> pd.DataFrame:
    """Return the paired differences of all arms from one, in total, whichever way the table of pairs has them."""
    pairs = found.pairs
    ours, turned = pairs[pairs["against"] == beside].copy(), pairs[pairs["arm"] == beside].copy()
    level = found.effects[(found.effects["arm"] == beside) & (found.effects["by"] == "total")].set_index("outcome")["level"].abs()
    for stem in ("effect", "cumulative_effect"):
        values = turned[[stem, f"{stem}_low", f"{stem}_high"]].to_numpy()
        turned[stem], turned[f"{stem}_low"], turned[f"{stem}_high"] = -values[:, 0], -values[:, 2], -values[:, 1]
    whole = turned["outcome"].map(level).where(lambda values: values > 0.0)
    for end in ("", "_low", "_high"):
        turned[f"effect_share{end}"] = turned[f"effect{end}"] / whole
    turned["told"] = [TURNED.get(told, told) for told in turned["told"]]
    turned["arm"], turned["against"] = turned["against"], beside
    return pd.concat([turned, ours], ignore_index=True)


def _beside(found: Comparison) -> Iterator[Shown]:
    beside = found.manifest["configuration"]["study"].get("second_reference")
    if beside is None or beside not in set(found.effects["arm"]):
        return
    table = differences_from(found, beside)
    mine = table[table["outcome"] == HEADLINE]
    rows = [(in_words(found, row["arm"]), *_share(row), defects_told(row["told"])) for row in mine.to_dict("records")]
    told = [f"{arm} ({change} %)" for arm, change, _, verdict in rows if verdict == "fewer"]
    says = f"Every arm against {in_words(found, beside)}, on the same luck: fewer defects reach users with {joined(told)}." if told else (
        f"No arm is told to have fewer defects reach users than {in_words(found, beside)}."
    )  # fmt: skip
    yield Shown(
        "beside",
        f"What is different from {in_words(found, beside)}?",
        says,
        lambda: beside_figure(table, found.manifest, beside),
        f"Paired differences from {beside}, arm by arm",
        Table(f"Defects reaching users, difference from {beside}", ("arm", "difference, %", "95 % interval, %", "verdict"), rows),
    )


# -- for a terminal ----------------------------------------------------------------------------------------------


def lines_on_more(found: Comparison) -> list[str]:
    """Return what is shown besides, as lines for a terminal."""
    lines = []
    for shown in shown_besides(found):
        kept = shown.terse or range(len(shown.table.head))
        head, *rows = ([cells[k] for k in kept] for cells in (shown.table.head, *shown.table.rows))
        lines += [f"  {shown.table.caption}", *(f"    {line}" for line in table(head, rows))]
    return lines
