"""Show what a study found: its figures and tables in a folder, and the effects in total as lines for a terminal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.analysis.results import Comparison, write_table
from experiments.figures import (
    books_figure,
    costs_figure,
    effects_figure,
    enough_figure,
    gains_figure,
    luck_figure,
    network_map,
    origins_figure,
    pairs_figure,
    queues_figure,
    save,
    time_paths,
)
from experiments.languages.wording import say
from experiments.reports.html import write_report
from experiments.reports.programmes import programme_lines, programme_views
from experiments.reports.sections import selection
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["SHOWN", "present", "summary"]

#: Arms of which every figure shows all; of more the crowded ones show the reference, the main one and those with the fewest defects.
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
        Whether figures are drawn besides the tables, and the report written. The points of a sweep go without, since a single study of the
        same settings draws them from the same runs in seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    comparison.save_tables(folder)
    for arm, picture in comparison.maps.items():
        write_table(picture.table, folder / f"quality_map_{arm}")
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
        save(figure, folder / f"{name}.png", about)
    for arm, picture in comparison.maps.items():
        if arm not in set(shown.effects["arm"]):
            continue
        title = say("report.map_title", arm=arm, loss=picture.map.total / 1e6)
        save(network_map(picture, about, title), folder / f"quality_map_{arm}.png", about)


def _between(shown: Comparison) -> pd.DataFrame:
    """The pairs of which both arms are shown."""
    arms = set(shown.effects["arm"])
    return shown.pairs[shown.pairs["arm"].isin(arms) & shown.pairs["against"].isin(arms)]


def summary(comparison: Comparison) -> str:
    """Return the effects in total, as lines for a terminal."""
    rows = comparison.effects[comparison.effects["by"] == "total"]
    configuration = comparison.manifest["configuration"]
    correction = configuration["study"]["correction"]
    judged = "" if correction == "none" else f" ({correction}'s correction for the headline outcomes of all arms)"
    months, several = configuration["window"], comparison.runs["replicate"].nunique() > 1
    intervals = f", with 95 % intervals{judged}" if several else ""
    lines = [
        f"Paired effects against {comparison.reference!r} on the same luck{intervals}; "
        f"{f'means of the last {months} months' if months > 1 else 'figures of the last month'}, flows over the whole run:"
    ]
    for key in SHOWN:
        outcome = OUTCOMES[key]
        mine = rows[rows["outcome"] == key].set_index("arm")
        level, effect = ("cumulative", "cumulative_effect") if outcome.is_flow else ("level", "effect")
        unit = outcome.unit.removesuffix("/month") if outcome.is_flow else outcome.unit
        lines.append(f"  {outcome.label} ({unit}{f'; {outcome.better} is better' if outcome.better else ''})")
        start = mine.loc[comparison.reference, level]
        lines.append(f"    {comparison.reference:<20} {_figure(start, '12.5g')}")
        for arm in mine.index.drop(comparison.reference):
            row = mine.loc[arm]
            low, high = row[f"{effect}_low"], row[f"{effect}_high"]
            share = f"  = {100 * row[effect] / abs(start):+.1f} %" if start and not pd.isna(row[effect]) else ""
            interval = "" if pd.isna(low) else f"  [{low:+.4g}, {high:+.4g}]"
            if pd.isna(low):
                verdict = "  (no interval from one replicate)"
            elif low <= 0 <= high:
                verdict = "  (the interval holds 0)"
            else:
                verdict = (
                    "" if outcome.is_flow or row["told"] != "not told" else f"  (not told from 0: corrected p = {row['p_adjusted']:.2g})"
                )
            lines.append(f"    {arm:<20} {_figure(row[effect], '+12.4g')}{interval}{share}{verdict}")
    return "\n".join([*lines, *programme_lines(comparison), *_sure(comparison)])


def _figure(value: float, form: str) -> str:
    """Write a figure twelve columns wide; a dash where it is not defined."""
    return f"{'–':>12}" if pd.isna(value) else f"{value:>{form}}"


def _sure(comparison: Comparison) -> list[str]:
    """Say whether a half-width that was asked for is reached, and how many replicates it would take."""
    study = comparison.manifest["configuration"]["study"]
    rows = comparison.enough[comparison.enough["outcome"] == HEADLINE]
    if study["half_width"] is None or rows.empty:
        return []
    wanted, n = f"{100 * study['half_width']:g} %", comparison.runs["replicate"].nunique()
    if comparison.manifest["half_width_reached"]:
        return [f"Half-widths on the headline are at most {wanted} of {comparison.reference!r} with {n} replicates."]
    needed = rows["needed"].max()
    about = f"about {needed:,.0f}" if needed < 1e9 else "more than a thousand million"
    return [f"Half-widths on the headline are NOT {wanted} of {comparison.reference!r} with {n} replicates, the cap: {about} would do."]
