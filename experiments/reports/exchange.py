"""Show what an exchange found: its tables, its heat maps and a report in a folder, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from experiments.analysis.results import write_table
from experiments.analysis.verdicts import defects_told
from experiments.figures import save
from experiments.figures.programmes import exchange_figure
from experiments.formatting import percent, rounded
from experiments.reports.elements import Pictures, Section, Table
from experiments.reports.html import WORDS, again, assumed, page
from experiments.reports.study import assumptions, joined, practice
from experiments.runs.store import write_whole
from experiments.studies.exchange import Exchange

__all__ = ["exchange_report", "present_exchange", "summary_of_exchange"]


def present_exchange(exchange: Exchange, folder: Path, figures: bool = True) -> None:
    """Write everything of an exchange into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    exchange.comparison.save_tables(folder)
    write_table(exchange.cells, folder / "exchange")
    if figures:
        about = exchange.manifest
        save(exchange_figure(exchange.cells, about, exchange.regions, exchange.policies), folder / "exchange.png", about)
        write_whole(folder / "report.html", exchange_report(exchange, folder).encode())
    exchange.comparison.save_manifest(folder)


# -- in words ---------------------------------------------------------------------------------------------------


def _row(exchange: Exchange, cell: pd.Series) -> tuple[str, ...]:
    """One cell as a row of a table."""
    change, low, high = percent([cell[f"effect_share{end}"] for end in ("", "_low", "_high")])
    known = not pd.isna(cell["effect_low"])
    sure = cell["defined"] and cell["avoided_told"] == "fewer" and cell["per_yuan_low"] > 0.0
    worth = rounded([cell[f"per_yuan{end}"] for end in ("", "_low", "_high")]) if cell["defined"] else ["not defined"]
    return (
        exchange.regions[cell["region"]],
        exchange.policies[cell["policy"]],
        change,
        f"{low} to {high}" if known else "–",
        defects_told(cell["told"]),
        f"{cell['spent'] / 1e6:,.3g}",
        worth[0],
        f"{worth[1]} to {worth[2]}" if len(worth) > 1 else "–",
        f"{1000.0 / cell['per_yuan']:,.3g}" if sure else "not defined",
    )


HEAD = (
    "region", "portfolio", "effect, %", "95 % interval, %", "defects reaching users", "government, million CNY",
    "avoided, CNY per CNY", "95 % interval", "CNY of government per defect avoided in a product of 1,000 CNY",
)  # fmt: skip


def _answer(exchange: Exchange) -> Iterator[tuple[str, str]]:
    cells = exchange.cells
    told = cells[cells["told"] == "lower"]
    worse = cells[cells["told"] == "higher"]
    said = f"In {len(told)} of {len(cells)} cells fewer defects reach users than with no programme in the same region"
    if len(told):
        best = told.loc[told["effect_share"].idxmin()]
        change, low, high = percent([best[f"effect_share{end}"] for end in ("", "_low", "_high")])
        where = f"{exchange.policies[best['policy']]} in {exchange.regions[best['region']]}"
        said += f"; the lowest mean is that of {where} ({change} %, 95 % interval {low} to {high} %), chosen by its result"
    if len(worse):
        said += f"; in {len(worse)} more reach them, which is harm"
    yield "Effect", said + "."
    sure = cells[cells["defined"] & (cells["avoided_told"] == "fewer")]
    if len(sure):
        best = sure.loc[sure["per_yuan"].idxmax()]
        worth, low, high = rounded([best[f"per_yuan{end}"] for end in ("", "_low", "_high")])
        where = f"{exchange.policies[best['policy']]} in {exchange.regions[best['region']]}"
        yield (
            "Cost",
            f"A CNY of government avoids most sales with a defect with {where}: {worth} CNY (95 % interval {low} to {high}), chosen by its "
            "result, so that luck flatters it. What firms pay is not in it (costs.csv has it).",
        )
    else:
        yield "Cost", "In no cell is it sure that sales with a defect were avoided, so that no cost of an avoided defect is defined."
    nil = int((cells["told"].isin(["not told", "unknown"])).sum())
    few = " One replicate gives no interval." if cells["told"].eq("unknown").any() else ""
    yield (
        "Not shown",
        f"{nil} of {len(cells)} cells cannot be told from no effect.{few} Sizes rest on {len(assumptions(exchange.comparison))} assumptions "
        "(settings marked N); portfolios are what places report of themselves, and set how much is delivered, never how well it works. "
        "Regions are other firms with other luck: cells of a row are compared on the same luck, cells of a column are not. "
        "Intervals are those of single cells, uncorrected for their number.",
    )


def _arms(exchange: Exchange) -> Table:
    """Every portfolio: its instruments, as they stand in the first region."""
    rows = []
    first = next(iter(exchange.regions))
    for policy, name in exchange.policies.items():
        arm = exchange.manifest["arms"][f"{policy} in {first}"]
        active = [practice(key, chinese=True) for key, levers in arm["instruments"].items() if levers["active"]]
        rows.append((name, joined(active) if active else "nothing"))
    return Table("Portfolios", ("portfolio", "instruments"), rows, words=2)


def exchange_report(exchange: Exchange, folder: Path | None = None) -> str:
    """Return the report of an exchange as HTML that asks for nothing outside itself."""
    about = exchange.manifest
    configuration, pictures = about["configuration"], Pictures(about, folder)
    regions, policies = list(exchange.regions.values()), list(exchange.policies.values())
    heat = pictures.draw(
        lambda: exchange_figure(exchange.cells, about, exchange.regions, exchange.policies),
        "Heat maps of regions by portfolios: sales with a defect avoided per CNY of government, and effects in %",
        "exchange",
    )
    says = (
        "Each cell is a portfolio in a region, against no programme in that region on the same luck; blue is better. Grey letters: the "
        "interval holds 0. Portfolios differ in what they cost: above, effects are divided by what government spent, below they are not."
    )
    rows = [_row(exchange, cell) for _, cell in exchange.cells.iterrows()]
    table = Table("Every cell (all figures: exchange.csv)", HEAD, rows, words=2)
    sections = [Section("cells", "Which portfolio does what, where?", says, [heat], [table])]
    count = about["replicates"]
    subtitle = (
        f"{count} replicate{'s' * (count != 1)} of {configuration['months']} months for each of {len(about['arms'])} arms · "
        f"seed {configuration['seed']} · {about['finished'][:10]} · study {about['id']}"
    )
    return page(
        question=f"What do the portfolios {joined(policies)} change in {joined(regions)}, and what does a CNY buy where?",
        subtitle=subtitle,
        answer=list(_answer(exchange)),
        arms=_arms(exchange),
        sections=sections,
        last=[again(exchange.comparison, None), assumed(exchange.comparison)],
        words=WORDS,
        about=about,
        failures=exchange.failures,
    )


def summary_of_exchange(exchange: Exchange) -> str:
    """Return the cells, as lines for a terminal."""
    window = exchange.manifest["configuration"]["window"]
    months = f"{window} months" if window > 1 else "month"
    lines = [
        f"Paired effects on defects reaching users against no programme in the same region (last {months}), with 95 % intervals;",
        "and sales with a defect avoided per CNY of government over the whole run",
    ]
    for _, cell in exchange.cells.iterrows():
        region, policy, change, interval, verdict, spent, worth, between, _ = _row(exchange, cell)
        lines.append(
            f"  {region:<20} {policy:<20} {change:>7} % [{interval}] {verdict}; {spent} million CNY; per CNY {worth}"
            + (f" [{between}]" if between != "–" else "")
        )
    return "\n".join(lines)
