"""A study in at most twenty lines, for the prompt of Python and for a notebook: what it is, its main results, how to go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import escape

from experiments.analysis.arms import names_of_regions
from experiments.analysis.effects import HEADLINES
from experiments.analysis.results import Comparison
from experiments.analysis.verdicts import Conclusion, judgement
from experiments.calibration.patterns import PATTERNS
from experiments.formatting import UNKNOWN, percent
from experiments.languages.wording import label, say
from experiments.reports.elements import cells, heads
from experiments.reports.exchange import exchange_findings
from experiments.reports.findings import Place, estimate
from experiments.reports.follow import follow_findings
from experiments.reports.study import others, replicates
from experiments.studies.calibrate import Calibration
from experiments.studies.exchange import Exchange
from experiments.studies.follow import Following
from experiments.studies.validate import Validation
from experiments.terminal import printable, table
from sim.outcomes import HEADLINE, OUTCOMES

__all__ = ["MOST_LINES", "Overview", "overview"]

#: Lines of an overview, and rows of its table.
MOST_LINES, MOST_ROWS = 20, 12


@dataclass(frozen=True)
class Overview:
    """A study in short: what it is, where and on how many runs, a small table, how many rows it lacks, methods to go on with."""

    title: str
    place: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    further: int = 0
    methods: Sequence[str] = ()

    @property
    def last(self) -> list[str]:
        """The lines below the table."""
        others_line = [say("overview.others", number=self.further)] if self.further else []
        return [*others_line, say("overview.go_on", methods="  ".join(self.methods))]

    def text(self) -> str:
        """Return it as lines."""
        rows = [f"  {line[:120]}" for line in table(self.head, self.rows)] if self.rows else []
        return printable("\n".join([self.title, self.place, *rows[: MOST_LINES - 2 - len(self.last)], *self.last]))

    def html(self) -> str:
        """Return it as HTML: a table without a script, all texts escaped."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        below = "".join(f"<p>{escape(line)}</p>" for line in self.last)
        body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if self.rows else ""
        return f"<div><p><b>{escape(self.title)}</b><br>{escape(self.place)}</p>{body}{below}</div>"


def overview(study: Comparison | Exchange | Calibration | Validation | Following, methods: Sequence[str]) -> Overview:
    """Return a study of any kind in short, in the language that is spoken."""
    if isinstance(study, Comparison):
        return _comparison(study, methods)
    if isinstance(study, Exchange):
        return _exchange(study, methods)
    if isinstance(study, Following):
        return _following(study, methods)
    rows = [(name, f"{len(one):,}") for name, one in study.tables.items()]
    return Overview(_title(study), _place(study), (say("overview.table"), say("overview.rows")), rows, 0, methods)


def _following(study: Following, methods: Sequence[str]) -> Overview:
    """Where the defects of the batch are in the end, as shares of them."""
    found = follow_findings(study)
    rows = [
        (say(f"follow.heads.{name}"), *cells(getattr(found, name), partial(percent, sign=False)))
        for name in ("own_final", "goods_in", "final", "users")
    ]
    head = (say("overview.end"), say("follow.of_batch"), *heads("interval_percent"))
    return Overview(say("follow.question", found), _place(study), head, rows, 0, methods)


def _title(study: Calibration | Validation) -> str:
    if isinstance(study, Validation):
        return say("overview.validation", held=study.held, patterns=len(PATTERNS))
    sets = study.sets[~study.sets["mean"]] if "mean" in study.sets else study.sets
    return say("overview.calibration", plausible=int(sets["plausible"].sum()), sets=len(sets))


def _place(study: Comparison | Exchange | Calibration | Validation | Following) -> str:
    about = study.manifest
    settings = about["configuration"]
    region = label(Place("region", label=names_of_regions(settings), label_zh=names_of_regions(settings, "label_zh")))
    shown = {"region": ", ".join(study.regions.values()) if isinstance(study, Exchange) else region, "study": about["id"]}
    shown |= {"seed": settings.get("seed", UNKNOWN)}
    if isinstance(study, Calibration | Validation | Following):
        return say("overview.place_of_worlds", **shown)
    number = replicates(study.comparison if isinstance(study, Exchange) else study)
    return say("overview.place", **shown, replicates=number, months=settings["months"], window=settings["window"])


def _comparison(comparison: Comparison, methods: Sequence[str]) -> Overview:
    """Effects on the headline outcomes of one other arm; on the first of them of several."""
    arms = others(comparison)
    if not arms:
        return Overview(say("overview.alone", reference=comparison.reference), _place(comparison), (), (), 0, methods)
    outcomes = (
        HEADLINES
        if len(arms) <= MOST_ROWS // len(HEADLINES)
        else (HEADLINE, "quality_cost")
        if len(arms) <= MOST_ROWS // 2
        else (HEADLINE,)
    )
    pairs = [(arm, key) for arm in arms for key in outcomes]
    rows = []
    for arm, key in pairs[:MOST_ROWS]:
        row = comparison.effect(arm, key)
        share = estimate(row, "effect_share")
        shown = (UNKNOWN, UNKNOWN) if math.isnan(share.mean) else cells(share, percent)
        rows.append(
            (arm, label(OUTCOMES[key]), *shown, say(f"judgements.{judgement(Conclusion(row['conclusion']), OUTCOMES[key].better)}"))
        )
    title = say("overview.comparison", arms=len(arms), reference=comparison.reference)
    head = (*heads("arm", "outcome"), say("overview.change"), *heads("interval_percent", "conclusion"))
    return Overview(title, _place(comparison), head, rows, max(0, len(pairs) - MOST_ROWS), methods)


def _exchange(exchange: Exchange, methods: Sequence[str]) -> Overview:
    """The effects of every portfolio in every region on defects reaching users."""
    found = exchange_findings(exchange)
    rows = [(cell.region, cell.policy, *cells(cell.share, percent), say(f"defects.{cell.conclusion}")) for cell in found.cells]
    head = (*heads("exchange.region", "exchange.portfolio"), say("overview.change"), *heads("interval_percent", "conclusion"))
    title = say("overview.exchange", policies=len(found.policies), regions=len(found.regions))
    return Overview(title, _place(exchange), head, rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS), methods)
