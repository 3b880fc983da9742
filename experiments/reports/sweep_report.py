"""The report of a sweep: which point has the fewest defects, how sure that is, the figure, the table of points, and where each lies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from experiments.analysis.arms import Arm, short_names
from experiments.analysis.sweeps import Sweep, in_order, numeric
from experiments.analysis.verdicts import Conclusion
from experiments.catalogue.settings import called, settings
from experiments.figures import sweep_figure
from experiments.formatting import UNKNOWN, fixed, percent, significant
from experiments.languages.wording import say, spoken
from experiments.reports.elements import Pictures, Section, Table, cells, heads
from experiments.reports.findings import Estimate, estimate
from experiments.reports.html import page, terms
from experiments.reports.verdict import sentences

__all__ = ["SweepEffect", "SweepFindings", "sweep_findings", "sweep_report"]

#: Rows of the table of points, and links to points, at most: those with the largest fall of defects.
MOST_ROWS, MOST_LINKS = 200, 30
#: The terms of the report that not everybody uses.
TERMS = ("field_dpu", "arm", "replicate", "interval", "shown")


@dataclass(frozen=True)
class SweepEffect:
    """An arm at a point.

    Attributes
    ----------
    point : int
    values, given : tuple of (str, str)
        What each swept setting is called, and its value; those of them that nobody can choose, such as parameters of the world.
    arm : Arm
    share : Estimate
        The effect, as a share of the reference's level.
    conclusion : Conclusion
    spent : float
        CNY of government.
    ratio : Estimate or None
        CNY of government per CNY of sales with a defect avoided, if it is defined.
    """

    point: int
    values: tuple[tuple[str, str], ...]
    given: tuple[tuple[str, str], ...]
    arm: Arm
    share: Estimate
    conclusion: Conclusion
    spent: float
    ratio: Estimate | None

    @property
    def chosen(self) -> tuple[tuple[str, str], ...]:
        """The swept values that somebody can choose."""
        return tuple(one for one in self.values if one not in self.given)


@dataclass(frozen=True)
class SweepFindings:
    """What a sweep shows.

    Attributes
    ----------
    chosen, given : tuple of str
        What the swept settings are called: those that somebody can choose, and the others.
    points, failed, months, replicates : int
        Replicates: the fewest of any point.
    compared, lower, higher : int
        Effects of arms at points, and how many are shown to be below and above 0.
    best, cheapest : SweepEffect or None
        The one with the lowest mean of those shown to be below 0, or of all if none is; the one that costs government least per avoided
        defect.
    cases : tuple of SweepEffect
        The effect with the lowest mean for each combination of values that nobody can choose; empty if none is swept.
    rivals : tuple of SweepEffect
        Other arms and chosen values whose interval overlaps with that of the best of their case, in every case: the first effect of each.
    at_end : (str, str) or None
        A swept number of which the best has the smallest or the largest value.
    untouched : tuple of Arm
        Arms that no swept setting touches.
    touches : bool
        Whether the swept settings touch any arm.
    """

    chosen: tuple[str, ...]
    given: tuple[str, ...]
    points: int
    failed: int
    months: int
    replicates: int
    compared: int
    lower: int
    higher: int
    best: SweepEffect | None
    cheapest: SweepEffect | None
    cases: tuple[SweepEffect, ...]
    rivals: tuple[SweepEffect, ...]
    at_end: tuple[str, str] | None
    untouched: tuple[Arm, ...]
    touches: bool

    @property
    def everywhere(self) -> bool:
        """Whether one arm with the same chosen values has the lowest mean in every case, of several, and is shown to be below 0 there."""
        same = {(one.arm.name, one.chosen) for one in self.cases}
        return len(self.cases) > 1 and len(same) == 1 and all(one.conclusion is Conclusion.LOWER for one in self.cases)

    @property
    def between(self) -> Estimate:
        """The lowest and the highest mean of the cases, as an interval."""
        means = [one.share.mean for one in self.cases]
        return Estimate(min(means), min(means), max(means))


def sweep_findings(sweep: Sweep) -> SweepFindings:
    """Return what a sweep shows."""
    rows = _compared(sweep)
    shown = rows["conclusion"].map(lambda one: str(Conclusion(one)))
    lower = rows[shown == Conclusion.LOWER]
    best = _lowest(lower if len(lower) else rows, "effect_share")
    cheapest = _lowest(rows, "ratio")
    first = sweep.manifests[0]["configuration"] if sweep.manifests else {}
    return SweepFindings(
        tuple(called(key, short=True) for key in sweep.swept if key not in _given(sweep)),
        tuple(called(key, short=True) for key in _given(sweep)),
        len(sweep.points),
        len(sweep.points) - len(sweep.finished),
        int(first.get("months", 0)),
        min((int(about["replicates"]) for about in sweep.manifests), default=0),
        len(rows),
        len(lower),
        int((shown == Conclusion.HIGHER).sum()),
        None if best is None else _effect(sweep, rows.loc[best]),
        None if cheapest is None else _effect(sweep, rows.loc[cheapest]),
        _cases(sweep, rows),
        _rivals(sweep, rows),
        None if best is None else _end(sweep, rows.loc[best]),
        tuple(sweep.arms[arm] for arm in sweep.untouched),
        sweep.touches,
    )


def _given(sweep: Sweep) -> list[str]:
    """Return the swept settings that nobody can choose: all but instruments with their levers, portfolios and budgets."""
    return [key for key in sweep.swept if key.split(".")[0] not in ("instruments", "policy") and key != "study.budget"]


def _cases(sweep: Sweep, rows: pd.DataFrame) -> tuple[SweepEffect, ...]:
    given = _given(sweep)
    if not given or not len(rows):
        return ()
    lowest = (_lowest(of_case, "effect_share") for _, of_case in rows.groupby(given, sort=False))
    return tuple(_effect(sweep, rows.loc[row]) for row in lowest if row is not None)


def _rivals(sweep: Sweep, rows: pd.DataFrame) -> tuple[SweepEffect, ...]:
    """Return the arms with chosen values that may do as well as the best in every case."""
    given = _given(sweep)
    found: list[dict[tuple[str, tuple[tuple[str, str], ...]], SweepEffect]] = []
    for _, case in rows.groupby(given, sort=False) if given else [((), rows)]:
        best = _lowest(case, "effect_share")
        if best is None:
            continue
        others = case[case["effect_share_low"] <= case.at[best, "effect_share_high"]].drop(index=best, errors="ignore")
        effects = [_effect(sweep, row) for _, row in others.sort_values("effect_share", kind="stable").iterrows()]
        found.append({(one.arm.name, one.chosen): one for one in effects})
    if not found:
        return ()
    first, *later = found
    return tuple(one for which, one in first.items() if all(which in other for other in later))


def _compared(sweep: Sweep) -> pd.DataFrame:
    """Return the effects of the arms that the sweep can touch; those that are the same runs at several points once."""
    rows = sweep.effects[sweep.effects["arm"].isin(list(sweep.touched))]
    return rows.drop_duplicates(["arm", "content"]).reset_index(drop=True) if len(rows) else rows


def _lowest(rows: pd.DataFrame, column: str) -> int | None:
    """Return the row with the lowest value of a column; None if none has a value."""
    values = rows[column].astype(float) if len(rows) else pd.Series(dtype=float)
    return int(values.idxmin()) if values.notna().any() else None


def _effect(sweep: Sweep, row: pd.Series) -> SweepEffect:
    return SweepEffect(
        int(row["point"]),
        tuple((called(key, short=True), str(row[key])) for key in sweep.swept),
        tuple((called(key, short=True), str(row[key])) for key in _given(sweep)),
        sweep.arms[str(row["arm"])],
        estimate(row, "effect_share"),
        Conclusion(row["conclusion"]),
        float(row["cost"]),
        estimate(row, "ratio") if pd.notna(row["ratio"]) else None,
    )


def _end(sweep: Sweep, best: pd.Series) -> tuple[str, str] | None:
    """Return a swept number that can be chosen, and of which a row has the smallest or the largest value, if further values are legal."""
    for key in sweep.swept:
        if key in _given(sweep):
            continue
        values = in_order([point.values[key] for point in sweep.points])
        legal = next((re.fullmatch(r"(\S+) … (\S+)", one.legal) for one in settings() if one.path == key), None)
        if not numeric(values) or legal is None:
            continue
        for end, bound in zip((values[0], values[-1]), legal.groups(), strict=True):
            if str(best[key]) == end and float(end) != float(bound.replace(",", "").replace("−", "-")):
                return called(key, short=True), end
    return None


def identity_of(sweep: Sweep) -> str:
    """Hash the studies of a sweep."""
    return hashlib.blake2b("\n".join(str(about["id"]) for about in sweep.manifests).encode(), digest_size=6).hexdigest()


def sweep_report(sweep: Sweep, result: str = "") -> str:
    """Return the report of a sweep as HTML that asks for nothing outside itself.

    Parameters
    ----------
    sweep : Sweep
    result : str
        Hash of the table of points.
    """
    shown, about = sweep_findings(sweep), {"id": identity_of(sweep), "result": result}
    finished = max((str(one["finished"])[:10] for one in sweep.manifests), default="")
    ranked = _compared(sweep).sort_values("effect_share", kind="stable", na_position="last")
    pictures = []
    if sweep.swept and len(ranked):
        names = short_names(sweep.arms)
        draw = Pictures(about, None).draw
        figure = draw(lambda: sweep_figure(sweep.effects, sweep.swept, sweep.manifests, sweep.untouched, names), say("sweep_table.alt"))
        pictures.append(figure)
    rows = [_row(_effect(sweep, row)) for _, row in ranked.head(MOST_ROWS).iterrows()]
    head = ["".join(heads("sweep_table.point")), *(called(key, short=True) for key in sweep.swept), *heads(*HEADS)]
    points = dict.fromkeys(int(point) for point in ranked["point"])
    values = {point.number: [(called(key, short=True), point.values[key]) for key in sweep.swept] for point in sweep.finished}
    links = [(f"{point}/effects.csv", say("sweep_text.link", point, values[point])) for point in list(points)[:MOST_LINKS]]
    table = Table(say("sweep_text.table_caption", len(rows), len(ranked)), head, rows, len(sweep.swept) + 2)
    return page(
        question=say("sweep_text.question", shown),
        subtitle=say("sweep_text.subtitle", shown, finished, about["id"]),
        verdict=sentences("sweep_verdict", shown),
        answer=[(say(f"answer.lead.{what}"), say(f"sweep_text.{what}", shown)) for what in ("effect", "cost", "limits")],
        arms=_swept(sweep),
        sections=[Section("points", say("sweep_table.heading"), say("sweep_table.says"), pictures, [table])],
        last=[
            Section("links", say("sweep_table.links_heading"), say("sweep_table.links"), files=links),
            Section("errors", say("sweep_table.errors_heading"), say("sweep_table.errors", failed=shown.failed), tables=_errors(sweep)),
        ],
        terms=terms(TERMS, other_worlds=False),
        about=about,
        failures="",
    )


#: Heads of the table of points behind its swept settings.
HEADS = ("arm", "sweep_table.change", "interval_percent", "sweep_table.defects", "sweep_table.government", "sweep_table.per_avoided")


def _row(one: SweepEffect) -> tuple[str, ...]:
    """One arm at one point as a row of a table."""
    values: Mapping[str, str] = dict(one.values)
    return (
        fixed(one.point, 0),
        *values.values(),
        say("arms.short", one.arm),
        *cells(one.share, percent),
        say(f"defects.{one.conclusion}"),
        UNKNOWN if pd.isna(one.spent) else spoken().money(one.spent),
        say("not_defined") if one.ratio is None else significant(one.ratio.mean),
    )


def _swept(sweep: Sweep) -> Table:
    """Every swept setting with its values, the first and the last ones of many."""
    rows = []
    for key in sweep.swept:
        values = in_order([point.values[key] for point in sweep.points])
        shown = values if len(values) <= 12 else [*values[:6], "…", *values[-3:]]
        rows.append((called(key), key, ", ".join(shown)))
    head = heads("what_it_is", "sweep_table.setting", "sweep_table.values")
    return Table(say("sweep_table.swept_caption"), head, rows, text_columns=3)


def _errors(sweep: Sweep) -> list[Table]:
    rows = [(fixed(point.number, 0), *point.values.values(), point.error) for point in sweep.points if point.error is not None]
    head = [*heads("sweep_table.point"), *map(called, sweep.swept), *heads("sweep_table.error")]
    return [Table(say("sweep_table.errors_heading"), head, rows[:MOST_LINKS], len(head))]
