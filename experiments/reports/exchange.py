"""Present an exchange of portfolios: its tables, its heat maps and a report in a folder, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from experiments.analysis.arms import active_in
from experiments.analysis.effects import in_total
from experiments.analysis.results import labels_wanted, write_table
from experiments.analysis.verdicts import Conclusion
from experiments.figures import save_all
from experiments.figures.programmes import exchange_figure
from experiments.formatting import UNKNOWN, percent, rounded, significant
from experiments.languages.wording import lines, say, spoken
from experiments.reports.elements import Pictures, Section, Table, cells, heads
from experiments.reports.findings import Estimate, estimate, failed_replicates
from experiments.reports.html import TERMS, again, assumed, page, terms
from experiments.reports.study import assumptions, replicates
from experiments.reports.verdict import sentences, wrapped
from experiments.reports.workbook import block, sheet, sheet_of_section, study_workbook, write_workbook
from experiments.runs.files import write_whole
from experiments.studies.exchange import Exchange
from experiments.terminal import pad

__all__ = [
    "Cell",
    "ExchangeFindings",
    "draw_exchange",
    "exchange_findings",
    "exchange_report",
    "exchange_workbook",
    "present_exchange",
    "summary_of_exchange",
]

#: Heads of the table of cells, by name.
HEADS = (
    "exchange.region", "exchange.portfolio", "exchange.effect", "interval_percent", "exchange.defects",
    "exchange.government", "exchange.per_yuan", "interval", "exchange.per_defect",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A portfolio in a region, against no programme there.

    Attributes
    ----------
    region, policy : str
        What they are called.
    share : Estimate
        The effect on defects reaching users, as a share of their level without a programme.
    conclusion, avoided_conclusion : Conclusion
        On defects reaching users in the last months, and on sales with a defect over the whole run.
    spent : float
        CNY of government.
    per_yuan : Estimate or None
        Sales with a defect avoided per CNY of government; None where it is not defined.
    """

    region: str
    policy: str
    share: Estimate
    conclusion: Conclusion
    avoided_conclusion: Conclusion
    spent: float
    per_yuan: Estimate | None

    @property
    def avoids(self) -> bool:
        """Whether sales with a defect are shown to be avoided."""
        return self.per_yuan is not None and self.avoided_conclusion is Conclusion.LOWER

    @property
    def cost_per_defect(self) -> float | None:
        """CNY of government per defect avoided in a product of 1,000 CNY; None where it is not defined."""
        return 1000.0 / self.per_yuan.mean if self.per_yuan is not None and self.avoids and self.per_yuan.low > 0.0 else None


@dataclass(frozen=True)
class ExchangeFindings:
    """What an exchange shows.

    Attributes
    ----------
    cells : tuple of Cell
    regions, policies : tuple of str
        What they are called.
    months, window, replicates : int
    failed_replicates : tuple of int
        Those that are left out, because a run of them failed.
    assumptions : int
        Settings that are assumptions.
    """

    cells: tuple[Cell, ...]
    regions: tuple[str, ...]
    policies: tuple[str, ...]
    months: int
    window: int
    replicates: int
    failed_replicates: tuple[int, ...]
    assumptions: int
    #: Cells are compared inside their region alone, so that no arm has another world than its reference.
    other_worlds: tuple[()] = ()

    def of(self, *which: Conclusion) -> tuple[Cell, ...]:
        """Return the cells of one of these conclusions."""
        return tuple(cell for cell in self.cells if cell.conclusion in which)

    @property
    def lowest(self) -> Cell | None:
        """The cell with the lowest mean of those shown to have fewer defects."""
        return min(self.of(Conclusion.LOWER), key=lambda cell: cell.share.mean, default=None)

    @property
    def avoiding(self) -> tuple[Cell, ...]:
        """The cells that are shown to avoid sales with a defect."""
        return tuple(cell for cell in self.cells if cell.avoids)

    @property
    def cheapest(self) -> Cell | None:
        """The cell that avoids most per CNY of those shown to avoid any."""
        return _most(self.avoiding)

    @property
    def advised(self) -> Cell | None:
        """The cell that avoids most per CNY of those that are also shown to have fewer defects in the last months."""
        return _most(self.of(Conclusion.LOWER))


def _most(cells: Sequence[Cell]) -> Cell | None:
    avoided = [(cell.per_yuan.mean, cell) for cell in cells if cell.per_yuan is not None and cell.avoids]
    return max(avoided, key=lambda one: one[0])[1] if avoided else None


def exchange_findings(exchange: Exchange) -> ExchangeFindings:
    """Return what an exchange shows."""
    configuration = exchange.manifest["configuration"]
    return ExchangeFindings(
        tuple(_cell(exchange, cell) for _, cell in exchange.cells.iterrows()),
        tuple(exchange.regions.values()),
        tuple(exchange.policies.values()),
        configuration["months"],
        configuration["window"],
        replicates(exchange.comparison),
        tuple(failed_replicates(exchange.comparison)),
        len(assumptions(exchange.comparison)),
    )


def _cell(exchange: Exchange, cell: pd.Series) -> Cell:
    return Cell(
        exchange.regions[cell["region"]],
        exchange.policies[cell["policy"]],
        estimate(cell, "effect_share"),
        Conclusion(cell["conclusion"]),
        Conclusion(cell["avoided_conclusion"]),
        float(cell["spent"]),
        estimate(cell, "per_yuan") if cell["defined"] else None,
    )


def present_exchange(exchange: Exchange, folder: Path, figures: bool = True) -> None:
    """Write everything of an exchange into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    exchange.comparison.save_tables(folder)
    write_table(exchange.cells, folder / "exchange", labels_wanted(exchange.manifest))
    if figures:
        draw_exchange(exchange, folder)
    exchange.comparison.save_manifest(folder)


def draw_exchange(exchange: Exchange, folder: Path) -> None:
    """Write what people look at, in the language that is spoken: the figure, the report and the workbook."""
    about = exchange.manifest
    save_all(exchange_figure(exchange.cells, about, exchange.regions, exchange.policies), folder, "exchange", about)
    write_whole(folder / "report.html", exchange_report(exchange, folder).encode())
    write_workbook(exchange_workbook(exchange), folder)


def exchange_workbook(exchange: Exchange) -> bytes:
    """Return the results of an exchange as a workbook."""
    shown, comparison = exchange_findings(exchange), exchange.comparison
    cells = exchange.cells.assign(
        region=exchange.cells["region"].map(exchange.regions), policy=exchange.cells["policy"].map(exchange.policies)
    )
    sheets = [
        sheet("cells", block("cells", cells, "exchange.parquet")),
        sheet("runs", block("runs", in_total(comparison.runs), "runs.parquet")),
        sheet_of_section("settings", assumed(comparison)),
        sheet_of_section("provenance", again(comparison, None)),
    ]
    return study_workbook(exchange.manifest, say("exchange.question", shown), exchange_answer(shown), sheets)


def exchange_answer(shown: ExchangeFindings) -> list[tuple[str, str]]:
    """Return the answer of an exchange in three parts, each with its heading."""
    return [(say(f"answer.lead.{what}"), say(f"exchange.{what}", shown)) for what in ("effect", "cost", "limits")]


def _row(cell: Cell) -> tuple[str, ...]:
    """One cell as a row of a table."""
    undefined = say("not_defined")
    return (
        cell.region,
        cell.policy,
        *cells(cell.share, percent),
        say(f"defects.{cell.conclusion}"),
        spoken().money(cell.spent),
        *((undefined, UNKNOWN) if cell.per_yuan is None else cells(cell.per_yuan, rounded)),
        undefined if cell.cost_per_defect is None else significant(cell.cost_per_defect),
    )


def _portfolios(exchange: Exchange) -> Table:
    """Every portfolio: its instruments, as they stand in the first region."""
    first = next(iter(exchange.regions))
    rows = [
        (name, say("exchange.instruments", active_in(exchange.manifest["arms"][f"{policy} in {first}"])))
        for policy, name in exchange.policies.items()
    ]
    head = heads("exchange.portfolio", "exchange.instruments")
    return Table(say("exchange.portfolios"), head, rows, text_columns=2)


def exchange_report(exchange: Exchange, folder: Path | None = None) -> str:
    """Return the report of an exchange as HTML that asks for nothing outside itself."""
    about, shown = exchange.manifest, exchange_findings(exchange)
    heat = Pictures(about, folder).draw(
        lambda: exchange_figure(exchange.cells, about, exchange.regions, exchange.policies), say("exchange.alt"), "exchange"
    )
    head = heads(*HEADS)
    table = Table(say("exchange.caption"), head, [_row(cell) for cell in shown.cells], text_columns=2)
    return page(
        question=say("exchange.question", shown),
        subtitle=say("report.subtitle", shown, len(about["arms"]), about["configuration"]["seed"], about["finished"][:10], about["id"]),
        verdict=sentences("exchange_verdict", shown),
        answer=exchange_answer(shown),
        arms=_portfolios(exchange),
        sections=[Section("cells", say("exchange.heading"), say("exchange.says"), [heat], [table])],
        last=[again(exchange.comparison, None), assumed(exchange.comparison)],
        terms=terms(TERMS, other_worlds=len(shown.regions) > 1),
        about=about,
        failures=say("report.failures", about.get("failed", [])),
    )


def summary_of_exchange(exchange: Exchange) -> str:
    """Return the cells, as lines for a terminal."""
    shown = exchange_findings(exchange)
    return "\n".join([*wrapped(sentences("exchange_verdict", shown)), "", lines("exchange.summary", shown, pad)])
