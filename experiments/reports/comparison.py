"""Show what a comparison shows: its figures, tables and report in a folder, and the effects in total as lines for a terminal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

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
from experiments.reports.findings import Estimate, estimate
from experiments.reports.html import write_report
from experiments.reports.network_page import write_network_page
from experiments.reports.programmes import programme_lines, programme_views
from experiments.reports.sections import selection
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["SHOWN", "present", "summary"]

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
        Whether figures are drawn and the report is written, in addition to the tables. Points of a sweep have neither: a single study with
        the same settings makes both from the same runs in seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    comparison.save_tables(folder)
    write_maps(comparison, folder)
    if figures:
        _draw(comparison, folder)
        write_report(comparison, folder)
    comparison.save_manifest(folder)


def _draw(comparison: Comparison, folder: Path) -> None:
    about, shown = comparison.manifest, selection(comparison, MOST_ARMS)
    drawn = {
        "time_paths": time_paths(shown.series, about),
        "effects": effects_figure(comparison.effects, about),
        "gains": gains_figure(shown.effects, about, "nonconformity"),
        "pairs": pairs_figure(_between(shown), about),
        "origins": origins_figure(comparison.origins, about),
        "queues": queues_figure(shown.series, about),
        "books": books_figure(shown.books, about),
        "costs": costs_figure(comparison.costs, about),
        "enough": enough_figure(comparison.enough, about),
        "luck": luck_figure(comparison.luck, about),
        **{view.key: view.figure() for view in programme_views(comparison)},
    }
    for name, figure in drawn.items():
        save_all(figure, folder, name, about)
    for arm in networks_shown(comparison):
        picture = comparison.maps[arm]
        title = say("report.map_title", arm=arm, loss=picture.map.total / 1e6)
        save_all(flows_figure(picture, about, title), folder, f"quality_map_{arm}", about)
        save_all(firms_figure(picture, about), folder, f"firms_{arm}", about)
        write_network_page(picture, about, arm, folder)


def networks_shown(comparison: Comparison) -> list[str]:
    """Return the arms whose network is drawn: all, or of many those that the crowded figures show."""
    shown = set(selection(comparison, MOST_ARMS).effects["arm"])
    return [arm for arm in comparison.maps if arm in shown]


def _between(shown: Comparison) -> pd.DataFrame:
    """The pairs whose two arms are both shown."""
    arms = set(shown.effects["arm"])
    return shown.pairs[shown.pairs["arm"].isin(arms) & shown.pairs["against"].isin(arms)]


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
    head = lines("summary.head", comparison.reference, configuration["window"], configuration["study"]["correction"], several)
    outcomes = [lines("summary.effects", OUTCOMES[key], *_of_outcome(comparison, key)) for key in SHOWN]
    return "\n".join([head, *outcomes, *programme_lines(comparison), *_precision(comparison)])


def _of_outcome(comparison: Comparison, key: str) -> tuple[str, float, list[SummaryLine]]:
    """The reference, its level, and a line for each other arm; of flows the sums over the whole run."""
    rows = comparison.effects[(comparison.effects["by"] == "total") & (comparison.effects["outcome"] == key)].set_index("arm")
    outcome = OUTCOMES[key]
    level, effect = ("cumulative", "cumulative_effect") if outcome.is_flow else ("level", "effect")
    start = float(rows.at[comparison.reference, level])
    arms = []
    for arm in rows.index.drop(comparison.reference):
        row = rows.loc[arm]
        of_arm = estimate(row, effect)
        share = of_arm.mean / abs(start) if start else math.nan
        corrected = not outcome.is_flow and fails_correction(row)
        arms.append(SummaryLine(str(arm), of_arm, share, corrected, float(row["p_adjusted"])))
    return comparison.reference, start, arms


def _precision(comparison: Comparison) -> list[str]:
    """Whether a half-width that was asked for is reached, and how many replicates it would take."""
    study = comparison.manifest["configuration"]["study"]
    rows = comparison.enough[comparison.enough["outcome"] == HEADLINE]
    if study["half_width"] is None or rows.empty:
        return []
    reached, replicates = comparison.manifest["half_width_reached"], comparison.runs["replicate"].nunique()
    return [say("summary.precision", study["half_width"], comparison.reference, replicates, reached, float(rows["needed"].max()))]
