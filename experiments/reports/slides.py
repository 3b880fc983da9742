"""The slides of a study: its figures drawn again from the tables, one a slide with its finding above it, as pictures and as one PDF."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

import experiments.figures as figures
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import Conclusion
from experiments.figures.slides import DPI, ROOM, TIMES, paragraphs, slide
from experiments.languages.wording import say
from experiments.reports.findings import arm_of, estimate, findings
from experiments.reports.programmes import programme_views
from experiments.reports.sections import BY_GROUP, of_arms, selection
from experiments.reports.study import main_arm
from experiments.reports.verdict import sentences, verdict_of
from experiments.runs.files import update_sums
from sim.outcomes import HEADLINE

__all__ = ["FOLDER", "write_slides"]

#: Folder of the slides in that of the study, and the file of all of them.
FOLDER, TOGETHER = "slides", "slides.pdf"
#: Firms that a slide has room for; height of the axes of the flow on it, inches.
FIRMS, FLOW = 9, 1.75
#: Arms that a slide shows, from the most that are tried down.
ARMS = range(6, 1, -1)


@dataclass(frozen=True)
class _Slide:
    """A slide: the name of its file, its title, and its figure with at most so many arms."""

    name: str
    title: str
    draw: Callable[[int], Figure]

    def figure(self) -> Figure:
        """Draw it with as many arms as there is room for."""
        for most in ARMS:
            figure = self.draw(most)
            if figure.get_figheight() <= ROOM:
                break
        return slide(figure, self.title)


def write_slides(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the slides of a study into the folder ``slides`` in its own, list their checksums, and return their paths.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        That of the study.
    """
    into = folder / FOLDER
    into.mkdir(exist_ok=True)
    paths = []
    for number, one in enumerate(_slides(comparison), 1):
        paths.append(into / f"{number:02d}_{one.name}.png")
        figures.save(one.figure(), paths[-1], comparison.manifest, DPI * TIMES)
    _write_pdf(paths, into / TOGETHER)
    paths.append(into / TOGETHER)
    for path in paths:
        update_sums(folder, f"{FOLDER}/{path.name}")
    return paths


def _write_pdf(paths: Sequence[Path], path: Path) -> None:
    """Write pictures as the pages of a PDF, without a time, so that its bytes repeat."""
    pages = []
    for one in paths:
        with Image.open(one) as picture:
            pages.append(picture.convert("RGB"))
    began = time.gmtime(0)
    pages[0].save(
        path,
        format="PDF",
        save_all=True,
        append_images=pages[1:],
        resolution=DPI,
        producer="Strongchain",
        creationDate=began,
        modDate=began,
    )


def _slides(comparison: Comparison) -> Iterator[_Slide]:
    about, reference, main = comparison.manifest, comparison.reference, main_arm(comparison)
    name = {arm: say("arms.name", arm_of(comparison, arm)) for arm in comparison.effects["arm"].unique()}

    def shown(most: int) -> Comparison:
        return selection(comparison, most)

    found = findings(comparison)
    advice, sure, overturned = sentences("verdict", verdict_of(comparison, found))
    told = [sure, overturned, " ".join((say("question.study", found), say("answer.limits", found, below=False)))]
    yield _Slide("verdict", advice, lambda _: paragraphs(told, about))
    both = [reference, *([main] if main else [])]
    if main:
        yield _Slide(
            "effects", _effect(comparison, main, name), lambda most: figures.effects_figure(shown(most).effects, about, [HEADLINE])
        )
    yield _Slide("time_paths", _last_month(comparison, main, name), lambda most: figures.time_paths(shown(most).series, about, [HEADLINE]))
    if main:
        yield _Slide(
            "gains", _gains(comparison, main, name), lambda _: figures.gains_figure(of_arms(comparison.effects, both), about, BY_GROUP)
        )
    origins = comparison.origins[comparison.origins["arm"] == reference]
    share, cause = (origins.groupby(by)["share"].sum() for by in ("tier", "cause"))
    leaders, special = float(share.get("0", 0.0)), float(cause.get("special", 0.0))
    title = say("slides_text.origins", leaders, special, name[reference])
    yield _Slide("origins", title, lambda _: figures.origins_figure(of_arms(comparison.origins, both), about))
    if (of_map := comparison.maps.get(reference)) is not None:
        begun = of_map.table.groupby("tier")["share"].sum()
        title = say("slides_text.flows", int(begun.idxmax()), float(begun.max()), name[reference])
        yield _Slide("quality_map", title, lambda _: figures.flows_figure(of_map, about, " ", FLOW))
        part = float(of_map.table["share"].head(FIRMS).sum())
        title = say("flows.firms_title", arm=name[reference], firms=min(FIRMS, of_map.tier.size), all=of_map.tier.size, share=part)
        yield _Slide("firms", title, lambda _: figures.firms_figure(of_map, about, " ", FIRMS))
    waiting = [(name[arm], float(comparison.effect(arm, "cases_waiting")["level"])) for arm in both]
    yield _Slide("queues", say("slides_text.queues", waiting), lambda _: figures.queues_figure(of_arms(comparison.series, both), about))
    if main is None:
        return
    yield _Slide("costs", _cost(comparison, main, name), lambda most: figures.costs_figure(shown(most).costs, about))
    pairs = comparison.pairs[comparison.pairs["outcome"] == HEADLINE]
    differ = sum(Conclusion(one).is_shown for one in pairs["conclusion"])
    yield _Slide("pairs", say("slides_text.pairs", differ, len(pairs)), lambda most: figures.pairs_figure(_between(shown(most)), about))
    half = float(comparison.enough.set_index(["arm", "outcome"]).at[(main, HEADLINE), "share"])
    yield _Slide("enough", say("slides_text.enough", half, name[main]), lambda most: figures.enough_figure(shown(most).enough, about))
    for view in programme_views(comparison):
        yield _Slide(view.key, view.heading, lambda _, view=view: view.figure())  # type: ignore[misc]


def _between(shown: Comparison) -> pd.DataFrame:
    """The pairs whose two arms are both shown."""
    arms = set(shown.effects["arm"])
    return shown.pairs[shown.pairs["arm"].isin(arms) & shown.pairs["against"].isin(arms)]


def _effect(comparison: Comparison, main: str, name: dict[str, str]) -> str:
    row = comparison.effect(main)
    return say("slides_text.effect", name[main], estimate(row, "effect_share"), Conclusion(row["conclusion"]).is_shown)


def _last_month(comparison: Comparison, main: str | None, name: dict[str, str]) -> str:
    rows = comparison.series[comparison.series["outcome"] == HEADLINE]
    last = int(rows["month"].max())
    at_end = rows[rows["month"] == last].set_index("arm")
    level = float(at_end.at[comparison.reference, "level"])
    if main is None:
        return say("slides_text.level", last, level)
    of = estimate(at_end.loc[main], "effect")
    return say(
        "slides_text.month", last, name[main], name[comparison.reference], of.mean / level if level else 0.0, of.low <= 0.0 <= of.high
    )


def _gains(comparison: Comparison, main: str, name: dict[str, str]) -> str:
    rows = comparison.effects.query("arm == @main and outcome == @BY_GROUP and by in ['tier', 'size'] and effect_share == effect_share")
    shown = rows[[Conclusion(one).is_shown for one in rows["conclusion"]]]
    if shown.empty:
        return say("slides_text.no_gain", name[main])
    best = shown.loc[shown["effect_share"].abs().idxmax()]
    return say("slides_text.gain", name[main], best["by"], best["group"], BY_GROUP, estimate(best, "effect_share"))


def _cost(comparison: Comparison, main: str, name: dict[str, str]) -> str:
    costs = comparison.costs.set_index(["arm", "payer"]).loc[(main, "society")]
    return say("slides_text.cost", name[main], estimate(costs, "ratio") if costs["defined"] else None)
