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

#: The study, in the words one would type.
STUDY = ("region=sample", "replicates=12", "months=36", "study.half_width=0.01", "study.cap=12", "parallel=serial")
#: What the sweep varies, and its points.
SWEPT, POINTS = "instruments.cqo.reach", (0.0, 0.25, 0.5, 1.0)
#: In place of a hash, which would change with every commit and the pictures with it.
NAME = "gallery"
#: Fewer than where figures are printed: a page of the docs is looked at on a screen.
DPI = 130


@dataclass(frozen=True)
class Entry:
    """One figure of the gallery: function, the table it draws (an attribute of a comparison), title, what it shows, options."""

    draw: Callable[..., Figure]
    table: str
    title: str
    says: str
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
        return f"{self.name}(found.{table}, found.manifest{''.join(f', {key}={value!r}' for key, value in self.options.items())})"


ENTRIES = (
    Entry(
        figures.effects_figure, "effects", "Effects against the reference",
        "A group is an outcome, a row an arm. A mark is the paired effect, in % of the reference's level, and a bar its 95 % interval: "
        "a filled mark is told from zero, a hollow one is not.",
    ),
    Entry(
        figures.time_paths, "series", "Time paths",
        "A row is an outcome: at the left the level of every arm, at the right its difference from the reference on the same random "
        "numbers. Bands at the left are wide because worlds differ, those at the right narrow because the luck is shared.",
    ),
    Entry(
        figures.pairs_figure, "pairs", "All pairs of arms",
        "A group is the arm that is compared with. Filled marks are differences that are told from zero, circles for the better and "
        "squares for the worse; hollow ones are not. Told means that the interval leaves out 0 and, where `study.correction` is set, that "
        "the adjusted p-value is below 0.05.",
    ),
    Entry(
        figures.gains_figure, "effects", "Who gains",
        "The effect by tier of the chain and by size of firm, in % of the same firms' level in the reference. Groups in which the outcome "
        "is not defined are left out: only firms that sell to users have defects that reach users.",
        {"outcome": "nonconformity"},
    ),
    Entry(
        figures.origins_figure, "origins", "Where the defects that reach users begin",
        "A panel is a tier, a row an arm. A bar is the loss to users that begins there, its parts the causes: all bars of an arm add up "
        "exactly to its field loss.",
    ),
    Entry(
        figures.network_map, "maps", "The quality map",
        "Firms by tier, the chain leaders at the right. A node's area is the loss that begins at the firm, its slices the causes; a line's "
        "width and colour are the loss that the link carries. The rest of a tier is drawn as one node.",
    ),
    Entry(
        figures.queues_figure, "series", "Queues of the stations",
        "Cases filed, served and waiting, and how long those served had waited. Where more are filed than served the backlog grows.",
    ),
    Entry(
        figures.books_figure, "books", "Payments that change most",
        "Who pays whom for what: the largest changes of monthly payments against the reference, largest first, with their 95 % intervals.",
    ),
    Entry(
        figures.costs_figure, "costs", "Cost per avoided defect",
        "What it costs government, firms and both together (society) to keep one CNY of defective sales from users. Below 0 money is "
        "saved besides. Bars are Fieller intervals, an arrow goes on beyond the axis; the ratio is not defined where it is not sure "
        "that defects were avoided.",
    ),
    Entry(
        figures.enough_figure, "enough", "Enough replicates?",
        "Half-widths of the effects' 95 % intervals, in % of the reference's level. The upright stroke is the width asked for "
        "(`study.half_width`); at the right stands how many replicates would be enough. Where no width is "
        "asked for these are as many as tell, in a new study, the effect from zero in four of five cases, if it is as large as was found.",
    ),
    Entry(
        figures.luck_figure, "luck", "The gain of common luck",
        "By what factor the variance of an effect falls because arms share their luck: so many times the replicates would be needed with "
        "independent seeds. It is told of ten replicates or more, with its interval.",
    ),
    Entry(
        figures.sweep_figure, "", "A sweep",
        f"The effect at every point of `strongchain -m {SWEPT}={','.join(f'{point:g}' for point in POINTS)}`, arm by arm, with 95 % "
        "intervals; a second key swept makes lines.",
    ),
)  # fmt: skip


def _sweep() -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Effects at every point of the sweep, and the manifests they came with."""
    found = [compare(*STUDY, "instruments=[cqo]", f"{SWEPT}={point}") for point in POINTS]
    table = pd.concat([one.effects.assign(**{SWEPT: point}) for point, one in zip(POINTS, found, strict=True)], ignore_index=True)
    return table, [{**found[0].manifest, "id": NAME}]


def _drawn(entry: Entry, comparison: Comparison, about: dict[str, Any]) -> Figure:
    if entry.draw is figures.sweep_figure:
        points, manifests = _sweep()
        return entry.draw(points, [SWEPT], manifests)
    table = comparison.maps[comparison.reference] if entry.table == "maps" else getattr(comparison, entry.table)
    return entry.draw(table, about, **entry.options)


def page() -> str:
    """Return the page: every figure with what it shows, how it is read, and its call."""
    typed = ", ".join(f'"{word}"' for word in STUDY)
    lines = [
        "# The gallery of figures",
        "",
        "Written by `make docs PAGE=gallery`. Every figure is a function from a table of a study, and its manifest, to a Matplotlib "
        "figure: 3.4 inches wide (one column of a page) or 7.0 (two), with no letter under 6.5 points. Colours can be told apart by the "
        "colour-blind, markers and dashes in black and white. The small print names the study, which a saved picture also holds in its "
        "metadata. All here are of one small study of the sample region; the effect sizes rest on assumptions.",
        "",
        "```python",
        "from experiments import compare",
        "from experiments.figures import *",
        "",
        f"found = compare({typed})",
        'save(effects_figure(found.effects, found.manifest), "effects.png", found.manifest)',
        "```",
        "",
    ]
    for entry in ENTRIES:
        lines += [f"## {entry.title}", "", entry.says, "", f"![{entry.title}](figures/{entry.name}.png)", "", f"`{entry.call}`", ""]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Run the study, and write the page and its pictures into a folder."""
    found = compare(*STUDY)
    about = {**found.manifest, "id": NAME}
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for entry in ENTRIES:
        figures.save(_drawn(entry, found, about), folder / "figures" / f"{entry.name}.png", about, dpi=DPI)
    (folder / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(REFERENCE)
