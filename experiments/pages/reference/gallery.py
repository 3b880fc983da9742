"""The gallery of figures: ``make docs PAGE=gallery`` writes docs/reference/gallery.md and its pictures.

Every figure is drawn from one small study of the region `sample`, so that what a figure shows can be tried in a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

import experiments.figures as figures
from experiments.analysis.results import Comparison
from experiments.pages import REFERENCE
from experiments.studies.compare import compare

__all__ = ["ENTRIES", "STUDY", "Entry", "page", "write"]

#: The overrides of the study, as typed.
STUDY = ("region=sample", "replicates=12", "months=36", "study.half_width=0.01", "study.cap=12", "parallel=serial")
#: What the sweep varies, and its points.
SWEPT, POINTS = "instruments.cqo.reach", (0.0, 0.25, 0.5, 1.0)
#: In place of a hash, which would change with every commit and the pictures with it.
NAME = "gallery"
#: Dots per inch: fewer than in print, because the pages of the docs are read on a screen.
DPI = 130


@dataclass(frozen=True)
class Entry:
    """One figure of the gallery: function, the table it draws (an attribute of a comparison), title, explanation, options."""

    draw: Callable[..., Figure]
    table: str
    title: str
    explanation: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of its function, and of its picture."""
        return self.draw.__name__

    @property
    def call(self) -> str:
        """Its call, as typed."""
        if self.draw is figures.sweep_figure:
            return f'sweep_figure(points, ["{SWEPT}"], manifests)'
        table = 'maps["nothing"]' if self.table == "maps" else self.table
        return f"{self.name}(comparison.{table}, comparison.manifest{''.join(f', {key}={value!r}' for key, value in self.options.items())})"


ENTRIES = (
    Entry(
        figures.effects_figure, "effects", "Effects against the reference",
        "A group is an outcome, a row an arm. A mark is the paired effect, in % of the reference's level, and a bar its 95 % interval. "
        "A filled mark is shown to differ from 0, a hollow one is not.",
    ),
    Entry(
        figures.time_paths, "series", "Time paths",
        "A row is an outcome: at the left the level of every arm, at the right its difference from the reference on the same random "
        "numbers. Bands at the left are wide because worlds differ; bands at the right are narrow because both arms have the same random "
        "numbers.",
    ),
    Entry(
        figures.pairs_figure, "pairs", "All pairs of arms",
        "A group is the arm that the others are compared with. Filled marks are differences that are shown, circles for better and "
        "squares for worse; hollow marks are differences that are not shown. Shown means that the interval leaves out 0 and, where "
        "`study.correction` is set, that the adjusted p-value is below 0.05.",
    ),
    Entry(
        figures.gains_figure, "effects", "Who gains",
        "The effect by tier of the chain and by size of firm, in % of the same firms' level in the reference. Groups in which the outcome "
        "is not defined are left out: only firms that sell to users have defects that reach users.",
        {"outcome": "nonconformity"},
    ),
    Entry(
        figures.origins_figure, "origins", "Where the defects that reach users begin",
        "A panel is a tier, a row an arm. A bar is the loss to users that begins there, and its parts are the causes. All bars of an arm "
        "add up exactly to its field loss.",
    ),
    Entry(
        figures.flows_figure, "maps", "The quality map",
        "How the loss to users flows from tier to tier, chain by chain, to the users at the right. The coloured part at the left of a node "
        "is the loss that begins there, by cause. What enters a node leaves it. Tiers with hardly any loss are counted in the tier "
        "before them, and chains with little loss share a node.",
    ),
    Entry(
        figures.firms_figure, "maps", "The firms that matter",
        "The fifteen firms in which most loss to users begins: tier, chain, size, and the loss by cause. Right of a bar are the loss "
        "and its share of all loss. The page `network_ARM.html` of a study shows every firm.",
    ),
    Entry(
        figures.queues_figure, "series", "Queues of the stations",
        "Cases filed, served and waiting, and how long the served cases had waited. Where more are filed than served, the backlog grows.",
    ),
    Entry(
        figures.books_figure, "books", "Payments that change most",
        "Who pays whom for what: the largest changes of monthly payments against the reference, largest first, with their 95 % intervals.",
    ),
    Entry(
        figures.costs_figure, "costs", "Cost per avoided defect",
        "What it costs government, firms and both together (society) to keep one CNY of defective sales from users. Below 0, money is "
        "saved, too. Bars are Fieller intervals; an arrow goes on beyond the axis. The ratio is not defined where it is not shown that "
        "defects were avoided.",
    ),
    Entry(
        figures.enough_figure, "enough", "Enough replicates?",
        "Half-widths of the effects' 95 % intervals, in % of the reference's level. The upright stroke is the required width "
        "(`study.half_width`); at the right is the number of replicates that would be enough. Where no width is required, it is the number "
        "with which four in five new studies would show the effect to differ from 0, if it is as large as measured.",
    ),
    Entry(
        figures.luck_figure, "luck", "The gain of common random numbers",
        "The factor by which the variance of an effect falls because arms share their random numbers: with independent seeds, that many "
        "times the replicates would be needed. It is shown for ten replicates or more, with its interval.",
    ),
    Entry(
        figures.sweep_figure, "", "A sweep",
        f"The effect at every point of `strongchain -m {SWEPT}={','.join(f'{point:g}' for point in POINTS)}`, arm by arm, with 95 % "
        "intervals. Two keys swept make a heat map, a third one a panel for each of its values. Arms that no swept key touches are "
        "left out.",
    ),
)  # fmt: skip


def _sweep() -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the effects at every point of the sweep, and the manifests of its figure."""
    comparisons = [compare(*STUDY, "instruments=[cqo]", f"{SWEPT}={point}") for point in POINTS]
    effects = [each.effects.assign(**{SWEPT: point}) for point, each in zip(POINTS, comparisons, strict=True)]
    return pd.concat(effects, ignore_index=True), [{**comparisons[0].manifest, "id": NAME}]


def _drawn(entry: Entry, comparison: Comparison, about: dict[str, Any]) -> Figure:
    if entry.draw is figures.sweep_figure:
        points, manifests = _sweep()
        return entry.draw(points, [SWEPT], manifests)
    table = comparison.maps[comparison.reference] if entry.table == "maps" else getattr(comparison, entry.table)
    return entry.draw(table, about, **entry.options)


def page() -> str:
    """Return the page: every figure, how to read it, and its call."""
    typed = ", ".join(f'"{word}"' for word in STUDY)
    lines = [
        "# The gallery of figures",
        "",
        "Written by `make docs PAGE=gallery`. Every figure is a function from a table of a study, and its manifest, to a Matplotlib "
        "figure: 3.4 inches wide (one column of a page) or 7.0 (two), with no letter under 6.5 points. Colour-blind people can "
        "distinguish the colours; markers and dashes differ in black and white, too. The small print names the study, and so do the "
        "metadata of a saved picture. All figures here are of one small study of the sample region; the effect sizes rest on assumptions.",
        "",
        "```python",
        "from experiments import compare",
        "from experiments.figures import *",
        "",
        f"comparison = compare({typed})",
        'save(effects_figure(comparison.effects, comparison.manifest), "effects.png", comparison.manifest)',
        "```",
        "",
    ]
    for entry in ENTRIES:
        lines += [f"## {entry.title}", "", entry.explanation, "", f"![{entry.title}](figures/{entry.name}.png)", "", f"`{entry.call}`", ""]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Run the study, and write the page and its pictures into a folder."""
    comparison = compare(*STUDY)
    about = {**comparison.manifest, "id": NAME}
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for entry in ENTRIES:
        figures.save(_drawn(entry, comparison, about), folder / "figures" / f"{entry.name}.png", about, dpi=DPI)
    (folder / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(REFERENCE)
