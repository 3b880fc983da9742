"""Three reported cases, run with and without the programme: ``make docs PAGE=case_studies`` writes docs/evidence/case_studies.md.

A report has no control group. A simulated world has one: its twin without the programme, on the same random numbers (`case_runs`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.analysis.verdicts import conclusion
from experiments.formatting import UNKNOWN, fixed, table
from experiments.pages import EVIDENCE
from experiments.pages.evidence.case_runs import PairedMeasure, simulate_cases
from experiments.pages.evidence.mean_effects import bracketed, signed, statement
from experiments.reports.findings import Estimate

__all__ = ["page", "write"]

REPLICATES = {"datong": 40, "guangdong": 12, "qingxu": 40}
HEAD = ("measure", "reported", "simulated with the programme", "simulated without", "difference")
#: By case and measure.
CaseResults = Mapping[str, Mapping[str, PairedMeasure]]
#: What CRRC Datong reports of one project: by how much failures fell in a year (F176, F177), and how many CNY were saved (F178).
FAILURES, SAVED = 50, 2_000_000


@dataclass(frozen=True)
class _Row:
    """A line of a table: what is measured, what was reported, and whether the control world has a value of it, too."""

    label: str
    key: str
    reported: str = "not reported"
    decimals: int = 1
    in_control: bool = True


def _level(estimate: Estimate, decimals: int) -> str:
    return bracketed(estimate, lambda value: fixed(value, decimals))


def _table(measures: Mapping[str, PairedMeasure], rows: Sequence[_Row]) -> list[str]:
    body = []
    for row in rows:
        measure, n = measures[row.key], row.decimals
        compared = (_level(measure.control, n), signed(measure.difference, n)) if row.in_control else (UNKNOWN, UNKNOWN)
        body.append([row.label, row.reported, _level(measure.treated, n), *compared])
    return table(HEAD, body)


def _remark(estimate: Estimate, lower: str, higher: str) -> str:
    """Return a remark on an estimate: one of two if it is shown to be below or above 0."""
    concluded = conclusion(*estimate)
    return statement(concluded, lower=lower, higher=higher, not_shown="not shown to differ from 0", no_change="exactly 0")


def _against_control(measure: PairedMeasure) -> str:
    """Return how many failures there are, against the control world."""
    concluded = conclusion(*measure.difference)
    return statement(
        concluded,
        lower="fewer than without it",
        higher="more than without it",
        not_shown="a difference from the world without it is not shown",
        no_change="exactly as many as without it",
    )


# -- one supplier --------------------------------------------------------------------------------------------------


def _regression(measures: Mapping[str, PairedMeasure], prefix: str) -> str:
    """Divide a fall between the project and what would have happened without one."""
    fall, after = measures[f"{prefix}fall"], measures[f"{prefix}after"]
    before_of_others, after_of_others = (fixed(measures[f"{prefix}others {when}"].control.mean, 1) for when in ("before", "after"))
    if fall.treated.mean <= 0.0:
        return "With the project failures do not fall on average, so there is no fall to explain."
    share = fixed(100.0 * fall.control.mean / fall.treated.mean, 0)
    without = _remark(fall.control, lower="a rise; shown to differ from 0", higher="shown to differ from 0")
    due = _remark(after.difference, lower="shown to differ from 0", higher="**harmful**")
    return (
        f"A before-and-after comparison shows a fall of {fixed(fall.treated.mean, 1)}. Of this, {_level(fall.control, 1)} ({share} %) "
        f"would have happened without a project ({without}), and {fixed(fall.difference.mean, 1)} are due to it ({due}). Without a "
        f"project, another part goes from {before_of_others} to {after_of_others}."
    )


def _datong(measures: Mapping[str, PairedMeasure]) -> list[str]:
    def rows(prefix: str) -> list[_Row]:
        return [
            _Row("failures a year of the worst part, year before", f"{prefix}before", "50 (F176)"),
            _Row("the same, year of the project", f"{prefix}during"),
            _Row("the same, year after", f"{prefix}after", "0 (F177)"),
            _Row("fall from the year before to the year after", f"{prefix}fall", "50"),
            _Row("failures a year of another part, year before", f"{prefix}others before"),
            _Row("the same, year after", f"{prefix}others after"),
        ]

    after, problem = measures["after"], measures["problem after"]
    return [
        "## One supplier: CRRC Datong (中车大同)",
        "",
        "Reported: after a joint improvement with one upstream supplier, failures of a plug in the field fell from 50 a year to 0 "
        "「50次/年降低到0次/年」 (F176, F177). The same "
        "work lowered the cost of quality by 2 million CNY against the year before 「整體降低200萬元」 (F178), "
        f"{SAVED / FAILURES:,.0f} CNY a failure. Another joint project, on the cables of traction motors, saved 137,800 CNY "
        "「較去年整體降低13.78萬元」 (F180), 13 failures at 10,600 CNY each 「材料費用約1.06萬元計算」 (F179).",
        "",
        "Simulated: one chain of 60 firms with one leader. For a year the leader counts which of its parts fail at users. In the next "
        "year its experts visit the supplier of the worst part twice a month (`stewards`) and teach it (`supplier_development`, pace "
        "0.5). Both are assumptions. The twin without the project is the same world with the same worst part, chosen by the same year. "
        "Failures are scaled so that the worst part has 50 in the year before, on average; nothing else is fitted.",
        "",
        "### The worst part by all its failures",
        "",
        *_table(measures, rows("")),
        "",
        f"**Regression to the mean.** {_regression(measures, '')}",
        "",
        "### The worst part by failures of its supplier's open problems",
        "",
        "A single mode of failure, such as the wear of a plug, is one problem, and not all that is wrong with a part. Here the part "
        "is chosen by such failures only, and only these are counted.",
        "",
        *_table(measures, rows("problem ")),
        "",
        f"**Regression to the mean.** {_regression(measures, 'problem ')}",
        "",
        "The worst of many parts is worst in part by chance: problems arise at random, and also end without any project. The failures "
        "here are expected numbers; a count of 50 varies by chance in addition. Besides, customers press their worst suppliers and replace "
        "some of them without any programme.",
        "",
        "**What it can show:** how much of such a fall would be seen without a project, and that a joint project of this strength "
        f"leaves {fixed(after.treated.mean, 0)} failures of 50 ({_against_control(after)}), and of one kind of problem "
        f"{fixed(problem.treated.mean, 0)} of 50 ({_against_control(problem)}). **What it cannot show:** whether Datong's 0 is due to its "
        "project. A cause that a new design (a better plug) removes for good is not in this model's joint projects, which solve problems "
        "and teach. It is also not known from how many parts and suppliers the reported one was chosen: reports are about the best cases.",
        "",
    ]


# -- stations ------------------------------------------------------------------------------------------------------


def _guangdong(measures: Mapping[str, PairedMeasure]) -> list[str]:
    def rows(prefix: str) -> list[_Row]:
        return [
            _Row("services a year and station", f"{prefix}services", "907 in all, years not stated (F050/F048)", 0, False),
            _Row("services a year and firm", f"{prefix}services a firm", "1.07 in all for each firm served (F050/F049)", 2, False),
            _Row("problems solved a service", f"{prefix}solved", "0.60 (F051/F050)", 2, False),
            _Row("problems that ended, a year and firm", f"{prefix}closed", decimals=2),
            _Row("additional problems that ended, per problem solved at a station", f"{prefix}more closed", decimals=2, in_control=False),
            _Row("open problems a firm after 3 years", f"{prefix}open", decimals=2),
            _Row("defects reaching users per 1,000 units, third year", f"{prefix}field", decimals=2),
        ]

    rate, wide_rate = measures["services"].treated.mean, measures["wide services"].treated.mean
    additional, wide_additional = measures["more closed"].treated.mean, measures["wide more closed"].treated.mean
    why = ", because firms would have solved some of them, or others, themselves" if max(additional, wide_additional) < 1.0 else ""
    return [
        "## Stations: Guangdong",
        "",
        "Reported, added up to 2024: 193 one-stop platforms 「“一站式”服務平臺193個」 (F048), 164,000 small and medium chain firms served "
        "「16.4萬家鏈上中小微企業」 (F049), nearly 175,000 services 「提供服務近17.5萬次」 (F050), 105,000 problems solved "
        "「解決質量難題10.5萬個」 (F051).",
        "",
        "Simulated: a region of 500 firms that all know the stations, with 1.18 stations per 1,000 firms (F048/F049: per firm served, "
        "because other firms are not counted), no station before, three years. It is run twice: with 12 cases a month per station (the "
        "default, an assumption), and with 76, at which the reported services would be those of one full year.",
        "",
        "### 12 cases a month",
        "",
        *_table(measures, rows("")),
        "",
        "### 76 cases a month",
        "",
        *_table(measures, rows("wide ")),
        "",
        f"**What it can show:** a station serves {rate:.0f} cases a year where it can serve 144, and {wide_rate:.0f} where it can serve "
        f"907, so at 12 a month the reported count is that of {907 / rate:.1f} years, at 76 that of {907 / wide_rate:.1f}. It can also "
        f"show what a count of “problems solved” is worth: for each of them, {fixed(additional, 2)} ({fixed(wide_additional, 2)} with the "
        f"larger capacity) additional problems ended within the three years, compared with no stations{why}. **What it cannot show:** the "
        "problems solved per service agree because they were put in (competence 0.6 is F051/F050), so they test nothing. In the long run "
        "as many problems end as arise, with or without stations; what changes is how many are open. The documents do not say whether "
        "all places count services in the same way, whether a certificate or a product makes a problem count as solved, and how many "
        "years the counts cover.",
        "",
    ]


# -- a specialised town --------------------------------------------------------------------------------------------


def _qingxu(measures: Mapping[str, PairedMeasure]) -> list[str]:
    one_year, three_years = measures["certified 1"], measures["certified 3"]
    rows = [
        _Row("firms led to a certificate", "taken on", "10 helped (F193)", 0, False),
        _Row("of the ten, certified after 1 year", "certified 1"),
        _Row("of the ten, certified after 3 years", "certified 3"),
        _Row("certified firms of the town after 3 years, %", "town"),
        _Row("management capability of those of the ten that still exist, 0-1", "management", decimals=3),
        _Row("change of their outgoing defects in 3 years, %", "change"),
        _Row("the same for firms never certified and not helped, %", "rest"),
        _Row("their sales, thousand CNY a month", "sales", decimals=0),
    ]
    change = measures["change"]
    compared = _remark(change.difference, lower="they are fewer", higher="**they are more**")
    return [
        "## A specialised town: vinegar makers of Qingxu (清徐)",
        "",
        "Reported: ten firms without a certificate of their management system got focused help 「重點幫扶10家尚未獲得質量管理體系認證」 "
        "(F193) by a method of three stages 「創新提出“三疊鏈”」 (F192), and ten cases of good practice were written "
        "「編制撰寫良好案例10篇」 (F194). How many were certified in the end, and what became of their quality, is not reported.",
        "",
        "Simulated: a town of 60 firms in one county, twelve of which sell to users. Ten firms without a certificate, drawn at random, "
        "are helped to one in one month at government's cost (`certification`). They are compared one and three years later.",
        "",
        *_table(measures, rows),
        "",
        f"**What it can show:** without help, {fixed(one_year.control.mean, 1)} of the ten would have been certified after one year and "
        f"{fixed(three_years.control.mean, 1)} after three; with help, {fixed(three_years.treated.mean, 1)} still are after three. So "
        f"help to ten firms changes the number certified by {fixed(one_year.difference.mean, 1, sign=True)} after one year and by "
        f"{fixed(three_years.difference.mean, 1, sign=True)} after three. Their defects change by "
        f"{fixed(change.treated.mean, 1, sign=True)} % in three years with help, which is what a report would show, and by "
        f"{fixed(change.control.mean, 1, sign=True)} % without. The difference is {signed(change.difference, 1)} points: {compared}. "
        "**What it cannot show:** whether ten is many, because the count was put in. The firms helped in Qingxu were chosen, and no "
        "report says how; here they are drawn at random. What a certificate changes in practice is an assumption "
        "(`parameters.certificate_substance`), and so is every effect on defects.",
        "",
    ]


# -- the page ------------------------------------------------------------------------------------------------------


def page(results: CaseResults) -> str:
    """Return the page."""
    replicates = ", ".join(f"{name} {next(iter(measures.values())).replicates}" for name, measures in results.items())
    lines = [
        "# Three reported cases, with and without",
        "",
        f"Written by `make docs PAGE=case_studies` (replicates: {replicates}). It describes the model as it was then, and must "
        "be renewed whenever defaults of the model change.",
        "",
        "Reported figures are successes that their own authors chose to report; **no report has a control group**. They are compared "
        "with simulated figures, and nothing was fitted to them except the scales and counts that the text names. Every simulated world "
        "has a twin with the same random numbers and no programme, so in the model the difference is due to the programme. Figures are "
        "means over replicates with 95 % intervals, not corrected for multiple comparisons. Facts (F…) are those that the regions cite, "
        "too. Levers are assumptions unless a fact is named with them.",
        "",
        *_datong(results["datong"]),
        *_guangdong(results["guangdong"]),
        *_qingxu(results["qingxu"]),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def write(folder: Path, replicates: Mapping[str, int] = REPLICATES, workers: int = 2) -> CaseResults:
    """Simulate, and write the page into a folder."""
    results = simulate_cases(replicates, workers)
    (folder / "case_studies.md").write_text(page(results), encoding="utf-8")
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m experiments.pages case_studies", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", type=Path, default=EVIDENCE, help="folder of the page")
    parser.add_argument("--workers", type=int, default=2, help="processes; 2 by default")
    options = parser.parse_args()
    write(options.to, workers=options.workers)
