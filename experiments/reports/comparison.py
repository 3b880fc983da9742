"""Show what a comparison shows: its figures, tables and report in a folder, and the effects in total as lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from experiments.analysis.arms import names_of_arms
from experiments.analysis.effects import in_total
from experiments.analysis.results import Comparison, write_maps
from experiments.analysis.verdicts import fails_correction
from experiments.figures import (
    books_figure,
    costs_figure,
    effects_figure,
    enough_figure,
    firms_figure,
    flows_figure,
    gains_figure,
    luck_figure,
    origins_figure,
    pairs_figure,
    queues_figure,
    save_all,
    time_paths,
)
from experiments.languages.wording import lines, say
from experiments.reports.findings import Estimate, arm_of, estimate, findings
from experiments.reports.html import again, answer, assumed, write_report
from experiments.reports.network_page import write_network_page
from experiments.reports.programmes import programme_lines, programme_views
from experiments.reports.sections import selection
from experiments.reports.verdict import verdict, wrapped
from experiments.reports.workbook import block, sheet, sheet_of_section, study_workbook, write_workbook
from experiments.terminal import pad, width
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["SHOWN", "comparison_workbook", "draw_comparison", "drawings", "present", "summary"]

#: Up to this number, every figure shows all arms; above it, crowded figures show the reference, the main arm and the best ones.
MOST_ARMS = 12

#: Outcomes of the summary.
SHOWN = (
    HEADLINE, "nonconformity", "open_problems", "copq", "quality_cost",
    "investment", "credit_bound", "exits", "cases_solved", "government_cost", "firm_cost",
)  # fmt: skip


def present(comparison: Comparison, folder: Path, figures: bool = True) -> None:
    """Write everything of a study into a folder; the manifest comes last, because it says that the study is whole.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
    figures : bool
        Whether figures are drawn, and the report and the workbook are written, in addition to the tables. Points of a sweep have none of
        these: a single study with the same settings makes them from the same runs in seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    comparison.save_tables(folder)
    write_maps(comparison, folder)
    if figures:
        draw_comparison(comparison, folder)
    comparison.save_manifest(folder)


def draw_comparison(comparison: Comparison, folder: Path) -> None:
    """Write what people look at, in the language that is spoken: figures, pages of networks, the report and the workbook."""
    for name, figure in drawings(comparison).items():
        save_all(figure(), folder, name, comparison.manifest)
    for arm in networks_shown(comparison):
        write_network_page(comparison.maps[arm], comparison.manifest, arm, folder)
    write_report(comparison, folder)
    write_workbook(comparison_workbook(comparison), folder)


def drawings(comparison: Comparison) -> dict[str, Callable[[], Figure]]:
    """Return all figures of a study by name, each drawn when it is asked for."""
    about, shown = comparison.manifest, selection(comparison, MOST_ARMS)
    drawn = {
        "time_paths": lambda: time_paths(shown.series, about),
        "effects": lambda: effects_figure(comparison.effects, about),
        "gains": lambda: gains_figure(shown.effects, about, "nonconformity"),
        "pairs": lambda: pairs_figure(_between(shown), about),
        "origins": lambda: origins_figure(comparison.origins, about),
        "queues": lambda: queues_figure(shown.series, about),
        "books": lambda: books_figure(shown.books, about),
        "costs": lambda: costs_figure(comparison.costs, about),
        "enough": lambda: enough_figure(comparison.enough, about),
        "luck": lambda: luck_figure(comparison.luck, about),
        **{view.key: view.figure for view in programme_views(comparison)},
    }
    pictures: dict[str, Callable[[], Figure]] = {}
    for arm in networks_shown(comparison):
        pictures |= {
            f"quality_map_{arm}": partial(_flows, comparison, arm),
            f"firms_{arm}": partial(firms_figure, comparison.maps[arm], about, arm=say("arms.short", arm_of(comparison, arm))),
        }
    return drawn | pictures


def _flows(comparison: Comparison, arm: str) -> Figure:
    picture = comparison.maps[arm]
    return flows_figure(
        picture, comparison.manifest, say("report.map_title", arm=say("arms.short", arm_of(comparison, arm)), loss=picture.map.total)
    )


def networks_shown(comparison: Comparison) -> list[str]:
    """Return the arms whose network is drawn: all, or of many those that the crowded figures show."""
    shown = set(selection(comparison, MOST_ARMS).effects["arm"])
    return [arm for arm in comparison.maps if arm in shown]


def _between(shown: Comparison) -> pd.DataFrame:
    """The pairs whose two arms are both shown."""
    arms = set(shown.effects["arm"])
    return shown.pairs[shown.pairs["arm"].isin(arms) & shown.pairs["against"].isin(arms)]


# -- as a workbook -------------------------------------------------------------------------------------------


def comparison_workbook(comparison: Comparison) -> bytes:
    """Return the results of a comparison as a workbook."""
    shown = findings(comparison)
    effects = comparison.effects[comparison.effects["arm"] != comparison.reference].drop(columns="bootstrap")
    effects = effects if len(effects) else comparison.effects.drop(columns="bootstrap")
    effects = effects.iloc[effects["outcome"].isin(SHOWN).map({True: 0, False: 1}).argsort(kind="stable")]  # the headline outcomes first
    total, series = effects["by"] == "total", comparison.series
    programmes = [block(name, table, f"{name}.parquet") for name, table in comparison.programme_tables.items() if len(table)]
    sheets = [
        sheet("effects", block("effects", effects[total].drop(columns=["by", "group"]), "effects.parquet")),
        *([] if total.all() else [sheet("groups", block("groups", effects[~total].drop(columns=["p_adjusted"]), "effects.parquet"))]),
        sheet("series", block("series", _with_units(series[series["outcome"].isin(SHOWN)]), "series.parquet")),
        *([sheet("costs", block("costs", comparison.costs), *programmes)] if len(comparison.costs) or programmes else []),
        sheet("books", block("books", comparison.books, "books.parquet")),
        *([sheet("counts", block("counts", comparison.counts))] if len(comparison.counts) else []),
        sheet("runs", block("runs", in_total(comparison.runs), "runs.parquet")),
        sheet_of_section("settings", assumed(comparison)),
        sheet_of_section("provenance", again(comparison, None)),
    ]
    return study_workbook(comparison.manifest, say("question.study", shown), answer(shown), sheets)


def _with_units(series: pd.DataFrame) -> pd.DataFrame:
    """The time paths with the unit of each outcome, as the table of effects has it."""
    table = series.copy()
    table.insert(2, "unit", [OUTCOMES[key].unit for key in table["outcome"]])
    return table


@dataclass(frozen=True)
class SummaryLine:
    """One arm and outcome on a terminal: what is known of its effect, and what that shows."""

    arm: str
    effect: Estimate
    #: The effect as a share of the reference's level, not a number where there is none.
    share: float
    #: Whether only the correction for many comparisons keeps the effect from being shown, and the corrected p-value.
    fails_correction: bool
    p_adjusted: float


def summary(comparison: Comparison) -> str:
    """Return the effects in total, as lines for a terminal."""
    configuration, several = comparison.manifest["configuration"], comparison.runs["replicate"].nunique() > 1
    head = lines(
        "summary.head",
        _names(comparison)[comparison.reference].strip(),
        configuration["window"],
        configuration["study"]["correction"],
        several,
    )
    outcomes = [lines("summary.effects", OUTCOMES[key], *_of_outcome(comparison, key)) for key in SHOWN]
    return "\n".join([*wrapped(verdict(comparison)), "", head, *outcomes, *programme_lines(comparison), *_precision(comparison)])


def _of_outcome(comparison: Comparison, key: str) -> tuple[str, float, list[SummaryLine]]:
    """The reference, its level, and a line for each other arm; of flows the sums over the whole run."""
    rows = comparison.effects[(comparison.effects["by"] == "total") & (comparison.effects["outcome"] == key)].set_index("arm")
    outcome = OUTCOMES[key]
    level, effect = ("cumulative", "cumulative_effect") if outcome.is_flow else ("level", "effect")
    start = float(rows.at[comparison.reference, level])
    arms, names = [], _names(comparison)
    for arm in rows.index.drop(comparison.reference):
        row = rows.loc[arm]
        of_arm = estimate(row, effect)
        share = of_arm.mean / abs(start) if start else math.nan
        corrected = not outcome.is_flow and fails_correction(row)
        arms.append(SummaryLine(names[str(arm)], of_arm, share, corrected, float(row["p_adjusted"])))
    return names[comparison.reference], start, arms


def _names(comparison: Comparison) -> dict[str, str]:
    """What the arms are called, all as wide as the widest."""
    arms = comparison.effects["arm"].unique()
    names = {arm: names_of_arms(comparison.manifest).get(arm, arm) for arm in arms}
    widest = max(20, *map(width, names.values()))
    return {arm: pad(name, widest) for arm, name in names.items()}


def _precision(comparison: Comparison) -> list[str]:
    """Whether a half-width that was asked for is reached, and how many replicates it would take."""
    study = comparison.manifest["configuration"]["study"]
    rows = comparison.enough[comparison.enough["outcome"] == HEADLINE]
    if study["half_width"] is None or rows.empty:
        return []
    reached, replicates = comparison.manifest["half_width_reached"], comparison.runs["replicate"].nunique()
    return [say("summary.precision", study["half_width"], comparison.reference, replicates, reached, float(rows["needed"].max()))]
