"""Present the way of a bad batch: tables, the replayed map and a report in a folder, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.analysis.results import labels_wanted, write_table
from experiments.analysis.statistics import Intervals
from experiments.analysis.way import COSTS, by_month, half_with_users, in_all, made_by_replicate, tiers_by_month
from experiments.figures import save_all
from experiments.figures.way import way_figure
from experiments.formatting import fixed
from experiments.languages.wording import label, lines, say
from experiments.reports.elements import Pictures, Section, Table, heads
from experiments.reports.findings import Estimate
from experiments.reports.html import again, assumed, page, terms
from experiments.reports.study import assumptions
from experiments.reports.verdict import sentences, wrapped
from experiments.reports.workbook import block, sheet, sheet_of_section, study_workbook, write_workbook
from experiments.runs.files import write_whole
from experiments.runs.manifests import write_manifest
from experiments.studies.follow import BATCH, Following
from experiments.terminal import table

__all__ = [
    "FollowFindings",
    "draw_follow",
    "follow_findings",
    "follow_report",
    "follow_workbook",
    "present_follow",
    "summary_of_follow",
]

#: Columns of the table of months, in this order; shares of the batch's defects first.
COLUMNS = ("made", "reaction", "own_final", "goods_in", "final", "prevented", "elsewhere", "users", "on_way")
#: CNY to the unit of cost in tables.
THOUSAND = 1e3


@dataclass(frozen=True)
class FollowFindings:
    """What the way of a bad batch shows.

    Attributes
    ----------
    firm : str
        Name of the firm in the first replicate.
    same_firm : bool
        Whether it is the firm of this name in every replicate.
    own_final, goods_in, final, users : Estimate
        Shares of the batch's defects, over all months.
    lowest, highest : float
        The share that reaches users, over the replicates.
    cost_firm, cost_members, cost_leaders : Estimate
        CNY over all months.
    half : float
        Months until half of what reaches users has reached them.
    reached : float
        Firms that pass a part of it on.
    month, batch_months, after : int
        Month in which it begins, months for which it is made, and months that are followed.
    size, latent : float
    months, replicates, assumptions : int
    """

    firm: str
    same_firm: bool
    own_final: Estimate
    goods_in: Estimate
    final: Estimate
    users: Estimate
    lowest: float
    highest: float
    cost_firm: Estimate
    cost_members: Estimate
    cost_leaders: Estimate
    half: float
    reached: float
    month: int
    batch_months: int
    after: int
    size: float
    latent: float
    months: int
    replicates: int
    assumptions: int
    #: As the report of every kind of study asks for them.
    failed_replicates: tuple[()] = ()
    other_worlds: tuple[()] = ()


def _estimate(of: Intervals) -> Estimate:
    return Estimate(float(of.mean), float(of.low), float(of.high))


def _batch(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of the bad batch, from the manifest."""
    settings: Mapping[str, Any] = about["arms"][BATCH]["shocks"]["bad_batch"]
    return settings


def follow_findings(study: Following) -> FollowFindings:
    """Return what the way of a bad batch shows."""
    way, batch = study.way, _batch(study.manifest)
    firms = way.groupby("replicate")["firm"].first()
    users = way.groupby("replicate")["users"].sum() / made_by_replicate(way)
    after = int(way["month"].nunique())
    return FollowFindings(
        firm=str(firms.iloc[0]),
        same_firm=firms.nunique() == 1,
        own_final=_estimate(in_all(way, "own_final")),
        goods_in=_estimate(in_all(way, "goods_in")),
        final=_estimate(in_all(way, "final")),
        users=_estimate(in_all(way, "users")),
        lowest=float(users.min()),
        highest=float(users.max()),
        cost_firm=_estimate(in_all(way, "cost_firm", share=False)),
        cost_members=_estimate(in_all(way, "cost_members", share=False)),
        cost_leaders=_estimate(in_all(way, "cost_leaders", share=False)),
        half=half_with_users(way),
        reached=float(way.groupby("replicate")["reached"].first().mean()),
        month=int(batch["month"]),
        batch_months=after if batch["months"] is None else min(int(batch["months"]), after),
        after=after,
        size=float(batch["size"]),
        latent=float(batch["latent"]),
        months=int(study.manifest["configuration"]["months"]),
        replicates=int(way["replicate"].nunique()),
        assumptions=len(assumptions(study)),
    )


def present_follow(study: Following, folder: Path, figures: bool = True) -> None:
    """Write everything of the study into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in study.tables.items():
        write_table(one, folder / name, labels_wanted(study.manifest))
    if figures:
        draw_follow(study, folder)
    write_manifest(study.manifest, folder)


def draw_follow(study: Following, folder: Path) -> None:
    """Write what people look at, in the language that is spoken: the figure, the report and the workbook."""
    save_all(figure_of(study), folder, "way", study.manifest)
    write_whole(folder / "report.html", follow_report(study, folder).encode())
    write_workbook(follow_workbook(study), folder)


def figure_of(study: Following) -> Any:
    """Return the map, month by month, with what becomes of the batch."""
    most = int(study.manifest["configuration"]["study"]["maps"])
    return way_figure(study.way, study.tiers, study.firms, study.links, study.manifest, most)


def follow_answer(shown: FollowFindings) -> list[tuple[str, str]]:
    """Return the answer in three parts, each with its heading."""
    return [(say(f"answer.lead.{what}"), say(f"follow.{what}", shown)) for what in ("effect", "cost", "limits")]


def _months(study: Following) -> Table:
    """The way month by month, means over replicates: shares in %, firms, costs in 1,000 CNY."""
    rows = []
    for _, row in by_month(study.way).iterrows():
        shares = (fixed(100.0 * row[name], 1) for name in COLUMNS)
        costs = (fixed(row[name] / THOUSAND, 1, True) for name in COSTS)
        rows.append((str(int(row["month"])), *shares, fixed(row["passing_on"], 0), *costs))
    total = study.way.groupby("replicate")[[*COLUMNS, *COSTS]].sum()
    parts = total[list(COLUMNS)].div(made_by_replicate(study.way), axis=0).mean()
    ends = (fixed(100.0 * parts[name], 1) if name != "on_way" else "" for name in COLUMNS)
    rows.append((say("follow.in_all"), *ends, "", *(fixed(total[name].mean() / THOUSAND, 1, True) for name in COSTS)))
    return Table(say("follow.caption"), heads(*(f"follow.{name}" for name in ("month", *COLUMNS, "passing_on", *COSTS))), rows)


def _tiers(study: Following) -> Table:
    """Excess that leaves each tier, month by month, in % of the batch's defects."""
    by_tier = tiers_by_month(study.way, study.tiers)
    order = sorted(by_tier.columns, reverse=True)
    head = [say("follow.no_leader") if t < 0 else say("follow.leaders") if t == 0 else say("follow.tier", tier=t) for t in order]
    rows = [(str(month), *(fixed(100.0 * one[tier], 1) for tier in order)) for month, one in by_tier.iterrows()]
    return Table(say("follow.tiers_caption"), [*heads("follow.month"), *head], rows)


def _worlds() -> Table:
    """The two worlds that are compared."""
    rows = [(say(f"follow.arms.{name}"), say(f"follow.contents.{name}")) for name in ("calm", "batch")]
    return Table(say("report.arms_caption", False), heads("arm", "contents"), rows, text_columns=2)


def follow_report(study: Following, folder: Path | None = None) -> str:
    """Return the report as HTML that asks for nothing outside itself."""
    about, shown = study.manifest, follow_findings(study)
    picture = Pictures(about, folder).draw(lambda: figure_of(study), say("follow.alt"), "way")
    section = Section("way", say("follow.heading"), say("follow.says"), [picture], [_months(study), _tiers(study)])
    return page(
        question=say("follow.question", shown),
        subtitle=say("report.subtitle", shown, len(about["arms"]), about["configuration"]["seed"], about["finished"][:10], about["id"]),
        verdict=sentences("follow", shown),
        answer=follow_answer(shown),
        arms=_worlds(),
        sections=[section],
        last=[again(study, None), assumed(study)],
        terms=terms(("replicate", "interval", "tier"), other_worlds=False),
        about=about,
        failures="",
    )


def follow_workbook(study: Following) -> bytes:
    """Return the results as a workbook."""
    shown = follow_findings(study)
    sheets = [
        sheet_of_section("way", Section("way", "", "", tables=[_months(study), _tiers(study)])),
        sheet("runs", block("way_runs", study.way, "way.parquet")),
        sheet_of_section("settings", assumed(study)),
        sheet_of_section("provenance", again(study, None)),
    ]
    return study_workbook(study.manifest, say("follow.question", shown), follow_answer(shown), sheets)


def summary_of_follow(study: Following) -> str:
    """Return the way as lines for a terminal."""
    shown, months = follow_findings(study), _months(study)
    rows = table(list(months.head), [tuple(map(label, row)) for row in months.rows])
    return "\n".join([*wrapped(sentences("follow", shown)), "", lines("follow.summary", shown, ["  " + row for row in rows])])
