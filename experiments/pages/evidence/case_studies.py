"""Three reported cases, run with and without the programme: ``make docs PAGE=case_studies`` writes docs/evidence/case_studies.md.

A report has no control group; a simulated world has one: its unaided twin, on the same luck (experiments/pages/evidence/case_runs.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.formatting import table
from experiments.pages import EVIDENCE
from experiments.pages.evidence.case_runs import Measured, measured
from experiments.pages.evidence.mean_effects import Effect, verdict

__all__ = ["page", "write"]

REPLICATES = {"datong": 40, "guangdong": 12, "qingxu": 40}
HEAD = ("measure", "reported", "simulated with the programme", "simulated without", "difference on the same luck")
Found = Mapping[str, Mapping[str, Measured]]
#: What CRRC Datong reports of one and the same project: failures fewer a year (F176, F177), and CNY of cost of quality (F178).
FAILURES, SAVED = 50, 2_000_000


@dataclass(frozen=True)
class _Row:
    """A line of a table: what is measured, what was reported, and whether it has a meaning without the programme."""

    what: str
    key: str
    reported: str = "not reported"
    decimals: int = 1
    twin: bool = True


def _written(effect: Effect, decimals: int, sign: str = "") -> str:
    middle, low, high = (f"{value:{sign},.{decimals}f}" for value in effect)
    return middle if np.isnan(effect[1]) or low == high else f"{middle} [{low}, {high}]"


def _table(found: Mapping[str, Measured], rows: Sequence[_Row]) -> list[str]:
    body = []
    for row in rows:
        one, n = found[row.key], row.decimals
        beside = (_written(one.unaided, n), _written(one.difference, n, "+")) if row.twin else ("–", "–")
        body.append([row.what, row.reported, _written(one.aided, n), *beside])
    return table(HEAD, body)


def _told(effect: Effect, lower: str, higher: str) -> str:
    """Say what an interval says."""
    return {"lower": lower, "higher": higher, "nothing": "exactly nothing changes"}.get(verdict(effect), "no change is told from 0")


# -- one supplier --------------------------------------------------------------------------------------------------


def _regression(found: Mapping[str, Measured], prefix: str) -> str:
    """Share out a fall between a project and what comes without one."""
    fall, after = found[f"{prefix}fall"], found[f"{prefix}after"]
    rest = [found[f"{prefix}others {when}"].unaided[0] for when in ("before", "after")]
    if fall.aided[0] <= 0.0:
        return "With the project failures do not fall on average, so there is nothing to share out."
    share = 100.0 * fall.unaided[0] / fall.aided[0]
    return (
        f"A before-and-after comparison shows a fall of {fall.aided[0]:.1f}. Of it {_written(fall.unaided, 1)} ({share:.0f} %) come "
        f"without any project ({_told(fall.unaided, 'a rise that is told from 0', 'told from 0')}), and {fall.difference[0]:.1f} are due"
        f" to it ({_told(after.difference, 'told from 0', '**harmful**')}). Another part goes from {rest[0]:.1f} to {rest[1]:.1f} unaided."
    )


def _datong(found: Mapping[str, Measured]) -> list[str]:
    def rows(prefix: str) -> list[_Row]:
        return [
            _Row("failures a year of the worst part, year before", f"{prefix}before", "50 (F176)"),
            _Row("the same, year of the project", f"{prefix}during"),
            _Row("the same, year after", f"{prefix}after", "0 (F177)"),
            _Row("fall from the year before to the year after", f"{prefix}fall", "50"),
            _Row("failures a year of another part, year before", f"{prefix}others before"),
            _Row("the same, year after", f"{prefix}others after"),
        ]

    after, problem = found["after"], found["problem after"]
    return [
        "## One supplier: CRRC Datong (中车大同)",
        "",
        "Reported: after a joint improvement with one upstream supplier, failures of a plug in the field fell from 50 a year to 0 "
        "「50次/年降低到0次/年」 (F176, F177), under a mechanism of three levels 「共建三級質量管理新機制」 (F175). The same "
        "work lowered the cost of quality by 2 million CNY against the year before 「整體降低200萬元」 (F178), "
        f"{SAVED / FAILURES:,.0f} CNY a failure. Another joint project, on the cables of traction motors, saved 137,800 CNY "
        "「較去年整體降低13.78萬元」 (F180), 13 failures at 10,600 CNY each 「材料費用約1.06萬元計算」 (F179).",
        "",
        "Simulated: one chain of 60 firms with one leader. The leader counts for a year which of its parts fail at users. In the next "
        "year its experts visit the supplier of the worst one twice a month (`stewards`) and teach it (`supplier_development`, pace "
        "0.5): assumptions both. The unaided twin is the same world with the same worst part, chosen by the same year. Failures are "
        "scaled so that the worst part has 50 in the year before, on average; nothing else is fitted.",
        "",
        "### The worst part by all its failures",
        "",
        *_table(found, rows("")),
        "",
        f"**Regression to the mean.** {_regression(found, '')}",
        "",
        "### The worst part by failures of its supplier's open problems",
        "",
        "A single mode of failure, such as the wear of a plug, is a problem that came up, and not all that is wrong with a part. Here "
        "the part is chosen by such failures alone, and these alone are followed.",
        "",
        *_table(found, rows("problem ")),
        "",
        f"**Regression to the mean.** {_regression(found, 'problem ')}",
        "",
        "The worst of many is in part the unluckiest: problems come by chance, and end without any project too. Failures here are expected "
        "ones; the luck of counting 50 of them comes on top. Besides, customers press their worst suppliers and replace some without any "
        "programme.",
        "",
        "**What it can tell:** how much of such a fall one would see without a project, and that a joint project of this strength "
        f"leaves {after.aided[0]:.0f} failures of 50 ({_told(after.difference, 'fewer than without', 'more than without')}), of one kind "
        f"of problem {problem.aided[0]:.0f} of 50 ({_told(problem.difference, 'fewer than without', 'more than without')}). **What it "
        "cannot:** whether Datong's 0 is due to its project. A cause that is removed for good by a new design (a better plug) is not in "
        "this model's joint projects, which solve problems and teach. Nor is it known from how many parts and suppliers the reported one "
        "was picked: a report tells of the best.",
        "",
    ]


# -- stations ------------------------------------------------------------------------------------------------------


def _guangdong(found: Mapping[str, Measured]) -> list[str]:
    def rows(prefix: str) -> list[_Row]:
        return [
            _Row("services a year and station", f"{prefix}services", "907 in all, over years not told (F050/F048)", 0, False),
            _Row("services a year and firm", f"{prefix}services a firm", "1.07 in all for each firm served (F050/F049)", 2, False),
            _Row("problems solved a service", f"{prefix}solved", "0.60 (F051/F050)", 2, False),
            _Row("problems that ended, a year and firm", f"{prefix}closed", decimals=2),
            _Row("more problems ended, for each solved at a station", f"{prefix}more closed", decimals=2, twin=False),
            _Row("open problems a firm after 3 years", f"{prefix}open", decimals=2),
            _Row("defects reaching users per 1,000 units, third year", f"{prefix}field", decimals=2),
        ]

    rate, wide = found["services"].aided[0], found["wide services"].aided[0]
    more, wide_more = found["more closed"].aided[0], found["wide more closed"].aided[0]
    why = ", since firms would have solved some of them, or others, themselves" if max(more, wide_more) < 1.0 else ""
    return [
        "## Stations: Guangdong",
        "",
        "Reported, added up to 2024: 193 one-stop platforms 「“一站式”服務平臺193個」 (F048), 164,000 small and medium chain firms served "
        "「16.4萬家鏈上中小微企業」 (F049), nearly 175,000 services 「提供服務近17.5萬次」 (F050), 105,000 problems solved "
        "「解決質量難題10.5萬個」 (F051).",
        "",
        "Simulated: a region of 500 firms that all know the stations, 1.18 of these per 1,000 firms (F048/F049: to the firms served, since "
        "others are not counted), no station before, three years. Twice: with 12 cases a month and station (the default, an assumption), "
        "and with 76, at which the reported services would be those of one full year.",
        "",
        "### 12 cases a month",
        "",
        *_table(found, rows("")),
        "",
        "### 76 cases a month",
        "",
        *_table(found, rows("wide ")),
        "",
        f"**What it can tell:** a station serves {rate:.0f} cases a year where it can serve 144, and {wide:.0f} where it can serve 907, "
        f"so at 12 a month the reported count is that of {907 / rate:.1f} years, at 76 that of {907 / wide:.1f}. And it can tell what a "
        f"count of “problems solved” is worth: for each of them {more:.2f} ({wide_more:.2f} with the larger capacity) more problems "
        f"ended within the three years than without stations{why}. **What it cannot:** the problems solved a service agree because they "
        "were put in (competence 0.6 is F051/F050): no test of anything. In the long run as many problems end as arise, with or without "
        "stations; what changes is how many are open. Whether services are counted alike, whether a problem counts as solved by a "
        "certificate or by a product, and how many years the counts cover is not in the documents.",
        "",
    ]


# -- a specialised town --------------------------------------------------------------------------------------------


def _qingxu(found: Mapping[str, Measured]) -> list[str]:
    one, three = found["certified 1"], found["certified 3"]
    rows = [
        _Row("firms led to a certificate", "taken on", "10 helped (F193)", 0, False),
        _Row("of the ten, certified after 1 year", "certified 1"),
        _Row("of the ten, certified after 3 years", "certified 3"),
        _Row("certified firms of the town after 3 years, %", "town"),
        _Row("management capability of those of the ten that are still there, 0-1", "management", decimals=3),
        _Row("change of their outgoing defects in 3 years, %", "change"),
        _Row("the same of firms never certified and not helped, %", "rest"),
        _Row("their sales, thousand CNY a month", "sales", decimals=0),
    ]
    change = found["change"]
    return [
        "## A specialised town: vinegar makers of Qingxu (清徐)",
        "",
        "Reported: ten firms without a certificate of their management system got focused help 「重點幫扶10家尚未獲得質量管理體系認證」 "
        "(F193) by a method of three stages 「創新提出“三疊鏈”」 (F192), and ten cases of good practice were written "
        "「編制撰寫良好案例10篇」 (F194). How many were certified in the end, and what became of their quality, is not reported.",
        "",
        "Simulated: a town of 60 firms in one county, twelve of which sell to users. Ten firms without a certificate, drawn at random, "
        "are led to one in one month at government's cost (`certification`), and looked at one and three years later.",
        "",
        *_table(found, rows),
        "",
        f"**What it can tell:** of the ten {one.unaided[0]:.1f} would have been certified after a year without help and "
        f"{three.unaided[0]:.1f} after three, and {three.aided[0]:.1f} still are with it: ten firms helped are {one.difference[0]:.1f} "
        f"more certified after one year and {three.difference[0]:.1f} after three. Their defects change by {change.aided[0]:+.1f} % in "
        f"three years with help, which is what a report would show, and by {change.unaided[0]:+.1f} % without; against the twin "
        f"{_told(change.difference, 'they are fewer', '**they are more**')} ({_written(change.difference, 1, '+')} points). **What it "
        "cannot:** whether ten is many: the count was put in. The firms helped in Qingxu were picked, nobody says how; here they are "
        "drawn. What a certificate leaves behind in practice is an assumption (`parameters.certificate_substance`), and so every effect "
        "on defects is.",
        "",
    ]


# -- the page ------------------------------------------------------------------------------------------------------


def page(found: Found) -> str:
    """Return the page, its sentences made from the numbers."""
    each = ", ".join(f"{name} {next(iter(one.values())).replicates}" for name, one in found.items())
    lines = [
        "# Three reported cases, with and without",
        "",
        f"Written by `make docs PAGE=case_studies` (replicates: {each}). It tells of the model as it stood then, and must be "
        "written anew whenever defaults of the model change.",
        "",
        "Reported figures are successes that their own authors chose to tell; **no report has a control group**. They are set beside the "
        "simulated ones and nothing was fitted to them, but for scales and counts that are said to be. Every simulated world has a twin "
        "with the same luck and no programme: what differs is due to the programme, in the model. Means over replicates with 95 % "
        "intervals, not corrected for how many there are. Facts (F…) are those that the regions' presets cite too. Levers are "
        "assumptions unless a fact stands beside them.",
        "",
        *_datong(found["datong"]),
        *_guangdong(found["guangdong"]),
        *_qingxu(found["qingxu"]),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def write(folder: Path, replicates: Mapping[str, int] = REPLICATES, workers: int = 2) -> Found:
    """Simulate, and write the page into a folder."""
    found = measured(replicates, workers)
    (folder / "case_studies.md").write_text(page(found), encoding="utf-8")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m experiments.pages case_studies", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--to", type=Path, default=EVIDENCE, help="folder of the page")
    parser.add_argument("--workers", type=int, default=2, help="processes; 2 by default")
    given = parser.parse_args()
    write(given.to, workers=given.workers)
