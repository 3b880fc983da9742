"""Data that no parameter was tuned to: ``make docs PAGE=held_out [FOLDER]`` writes docs/evidence/held_out.md and its figure.

FOLDER holds the incidents of incoming quality (``Metrics.csv`` and ``Defect_Type.csv``), which the project does not
ship; without it the figures that were read off them stand in, and give the same page.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.calibration.patterns import PROBES
from experiments.formatting import table
from experiments.pages import EVIDENCE
from experiments.pages.evidence.held_out_figure import held_out_figure
from experiments.pages.evidence.held_out_runs import (
    BY_SIZE,
    FAIL,
    FAIL_BEFORE,
    OBSERVED,
    OFFICIAL_SAMPLES,
    OFFICIAL_SMALL,
    OUTCOMES,
    PASS,
    POINTS,
    SOON,
    TOP,
    YEARS,
    Check,
    IncidentError,
    Incidents,
    Simulated,
    read_incidents,
    simulated,
)  # fmt: skip

__all__ = ["checks", "incident_checks", "main", "page", "series_checks", "write"]

Floats = NDArray[np.float64]

#: Years of which both series are known, of which the fail rate is without a gap, and of which it is known by size.
BOTH, UNBROKEN, LAST, EVERY = np.isfinite(FAIL), slice(3, 8), slice(4, 8), slice(None)
#: Margin of shares, points: what calibration takes them to be wrong by.
MARGIN = PROBES["top_tenth"].scale


def _point(key: str, label: str, unit: str, value: float, margin: float, values: Floats, digits: int = 1) -> Check:
    shown = f"{value:.{digits}f}" + (f" ± {margin:g}" if margin else "")
    return Check(key, label, unit, value - margin, value + margin, shown, values, digits)


# -- what is compared --------------------------------------------------------------------------------------


def incident_checks(seen: Incidents, runs: Sequence[Simulated]) -> list[Check]:
    """Compare incidents: the curve of concentration but its tenth, what came of them, and how they repeat."""
    found = []
    for measure, curve in (("incidents", "lots"), ("quantity", "quantity")):
        for top in (1, 5, 20, 50) if measure == "incidents" else (1, 5, 10, 20, 50):
            k = TOP.index(top)
            values = np.array([100.0 * run.curves[f"{curve}, all"][k] for run in runs])
            what = "incidents" if measure == "incidents" else "defective quantity"
            found.append(_point(f"{measure} {top}", f"top {top} % of vendors in {what}", "%", seen.curves[measure][k], MARGIN, values))
    for place, where in enumerate(("all customers", "leaders")):
        values = np.array([100.0 * run.mix[place, 0] / run.mix[place, :2].sum() for run in runs])
        low, high = seen.rejected[2:]
        shown = f"{seen.rejected[0]:.1f} … {seen.rejected[1]:.1f} (plants {low:.1f} … {high:.1f})"
        found.append(Check(f"rejected, {where}", f"rejected, of rejected and with impact: {where}", "%", low, high, shown, values))
    labels = (f"repeats within {SOON} days", "repeats on the same day", f"repeats within {SOON} days, of those on a later day")
    for k, label in enumerate(labels):
        values = np.array([100.0 * run.repeats[k] for run in runs])
        found.append(_point(f"repeats {k}", label, "% of repeats", seen.repeats[k], MARGIN, values))
    return found


def _change(series: Floats) -> float:
    """Mean change from a year to the next, up or down."""
    return float(np.abs(np.diff(series)).mean())


def _deviation(series: Floats) -> float:
    return float(np.std(series, ddof=1))


def _correlation(passes: Floats, fails: Floats) -> float:
    return float(np.corrcoef(passes[BOTH], fails[BOTH])[0, 1])


def _trend(series: Floats) -> float:
    """Slope by least squares, points a year."""
    return float(np.polyfit(np.arange(series.size), series, 1)[0])


def series_checks(runs: Sequence[Simulated]) -> list[Check]:
    """Compare the official series, simulated at official sample sizes."""

    def of(name: str, measure: Callable[[Floats], float], years: slice = EVERY) -> Floats:
        return np.array([measure(run.years[f"{name} official"][years]) for run in runs])

    together = np.array([_correlation(run.years["pass official"], run.years["fail official"]) for run in runs])
    large, medium, small = BY_SIZE
    levels = [
        Check(f"{size} level", f"fail rate of {size} firms", "%", rates.min(), rates.max(), f"{rates.min():.1f} … {rates.max():.1f}",
              np.array([run.years[size].mean() for run in runs]))
        for size, rates in (("large", large), ("medium", medium), ("small", small))
    ]  # fmt: skip
    shares = [100.0 * (FAIL[LAST] - others) / (small - others) for others in (large, medium)]  # the others all large, or all medium
    low, high = np.min(shares), np.max(shares)
    return [
        _point("pass deviation", "pass rate: standard deviation of years", "points", _deviation(PASS), 0.0, of("pass", _deviation), 2),
        _point("pass change", "pass rate: mean change to the next year", "points", _change(PASS), 0.0, of("pass", _change), 2),
        _point("fail deviation", "fail rate: standard deviation of years", "points", _deviation(FAIL[UNBROKEN]), 0.0,
               of("fail", _deviation, UNBROKEN), 2),
        _point("fail change", "fail rate: mean change to the next year", "points", _change(FAIL[UNBROKEN]), 0.0,
               of("fail", _change, UNBROKEN), 2),
        _point("correlation", "correlation of pass rate and fail rate", "1", _correlation(PASS, FAIL), 0.0, together, 2),
        _point("small trend", "fail rate of small firms: trend", "points a year", _trend(small), 0.0, of("small", _trend, LAST), 2),
        Check("small share", "small firms, of risk-targeted samples", "%", low, high, f"{low:.1f} … {high:.1f}",
              np.array([100.0 * run.small_share for run in runs])),
        *levels,
    ]  # fmt: skip


def checks(seen: Incidents, runs: Sequence[Simulated]) -> dict[str, Check]:
    """Return everything that is compared, by its key."""
    return {check.key: check for check in (*incident_checks(seen, runs), *series_checks(runs))}


# -- the page ----------------------------------------------------------------------------------------------


def _compared(found: Iterable[Check]) -> list[str]:
    """Return the table of what was compared."""
    return table(["figure", "unit", "observed", "simulated", ""], (check.cells for check in found), "  rr")


def _concentration(seen: Incidents, runs: Sequence[Simulated], found: dict[str, Check]) -> list[str]:
    """Say how incidents pile up on few vendors."""
    rows = []
    for name, label in (
        ("incidents", "incidents"),
        ("days", "days with any"),
        ("quantity", "defective quantity"),
        ("downtime", "downtime"),
    ):
        rows.append([f"observed: {label}", *(f"{part:.1f}" for part in seen.curves[name][:-1])])
    for name in runs[0].curves:
        parts = np.median([100.0 * run.curves[name] for run in runs], axis=0)[:-1]
        what, where = name.split(", ")
        label = {"lots": "incidents", "quantity": "defects in them", "expected": "expected lots, as calibration has them"}[what]
        label += f", {'all customers' if where == 'all' else 'leaders alone'}"
        rows.append([f"simulated: {label}", *(f"{part:.1f}" for part in parts)])
    lines = table(["part of the top … of vendors, %", *(f"{top} %" for top in TOP[:-1])], rows, " " + "r" * len(TOP))
    lines += ["", *_compared(check for key, check in found.items() if key.startswith(("incidents", "quantity"))), ""]
    sides = {
        side: [key for key, check in found.items() if key.startswith(("incidents", "quantity")) and check.side == side] for side in (-1, 1)
    }
    less, more = (
        "; ".join(f"{what}: top {', '.join(key.split()[1] for key in keys if key.startswith(what))} %" for what in ("incidents", "quantity")
                  if any(key.startswith(what) for key in keys))
        for keys in (sides[-1], sides[1])
    )  # fmt: skip
    if less:
        lines.append(
            f"Less concentrated than observed ({less}). Three reasons can be named. One bad "
            f"delivery makes several rows of the data ({seen.repeats[1]:.0f} % of repeats fall on the same day); counted by days with any "
            f"incident, the top tenth has {seen.curves['days'][TOP.index(10)]:.0f} % instead of "
            f"{seen.curves['incidents'][TOP.index(10)]:.0f} %. The data are of one company, whose vendors differ in what they deliver "
            "from corrugate to controllers; a region's members are likened to each other by one distribution of defects. And defective "
            "quantity is in pieces, of labels as of motors, where the model has CNY."
        )
    if more:
        lines.append(
            f"More concentrated than observed ({more}). A region's suppliers differ more in "
            "size than the vendors of one company, and large ones deliver more lots."
        )
    if not less and not more:
        lines.append("The whole curve agrees, with one number of it known to the calibration.")
    return lines


def _mix(seen: Incidents, runs: Sequence[Simulated], found: dict[str, Check]) -> list[str]:
    """Say what became of incidents, and how far the model can speak of it."""
    mixes = np.median([100.0 * run.mix for run in runs], axis=0)
    rows = [("observed, of incidents", seen.outcomes), ("observed, of defective quantity", seen.by_quantity)]
    rows += [("simulated, all customers", tuple(mixes[0])), ("simulated, leaders", tuple(mixes[1]))]
    mine = [found["rejected, all customers"], found["rejected, leaders"]]
    said = (
        "The simulated share lies among those of the plants. As these differ so much, that is a weak test."
        if not any(check.side for check in mine)
        else "The simulated share lies outside those of the plants: goods-in and final inspection follow one rule of cost (Deming's kp), "
        "which real plants do not all follow."
    )
    return [
        *table(["", *OUTCOMES], ([f"{label}, %", *(f"{part:.1f}" for part in mix)] for label, mix in rows), " rrr"), "",
        "Simulated are detectable defects that arrive with goods: caught at goods-in stands for *rejected*, shown at the end of the "
        "customer's line for *impact*, gone on with its product for *no impact*. The analogy ends at the third. An incident without "
        "impact was noticed, and written down; a defect that goes on unnoticed is in no such file, and comes back, if at all, as a "
        "charge from the next customer. So only the first two are compared, as a ratio. Nor are rejection and impact two stages in the "
        "data: rejected incidents stopped lines too. Latent defects are left out; no plant sees them.", "",
        *_compared(mine), "", said,
    ]  # fmt: skip


def _repeats(seen: Incidents, found: dict[str, Check]) -> list[str]:
    """Say how soon incidents repeat, and how little that tells."""
    excess = seen.same_cause[0] - seen.same_cause[1]
    same_day = (
        " The model has no rows of one delivery: that repeats on the same day do not agree was to be expected, and is the mechanism that "
        "is missing."
        if found["repeats 1"].side
        else ""
    )
    return [
        *_compared(check for key, check in found.items() if key.startswith("repeats")), "",
        f"That most repeats come within {SOON} days tells little: were each vendor's incidents on days at random, {seen.repeats[3]:.1f} % "
        f"would, against {seen.repeats[0]:.1f} % observed. It follows from few vendors having most incidents. What does repeat is a "
        f"cause: the same defect of the same vendor at the same plant comes back within {SOON} days in {seen.same_cause[0]:.1f} % of its "
        f"repeats, {excess:.0f} points more than at random. Of that the model cannot speak, as its lots carry no name of a cause; open "
        f"problems, which make a firm's bad months follow each other, are its nearest.{same_day}",
    ]  # fmt: skip


def _noise(rate: float, samples: float) -> float:
    """Standard deviation of a rate in % by luck of sampling alone, points."""
    return float(np.sqrt(rate * (100.0 - rate) / samples))


def _series(runs: Sequence[Simulated], found: dict[str, Check]) -> list[str]:
    """Say how the official series vary, and what of it can be luck of sampling."""
    names = ("", " official", " counted")
    labels = ("expected", f"in {OFFICIAL_SAMPLES:,} samples a year", "in the samples of the model")
    rows = [["official", f"{_deviation(PASS):.2f}", f"{_deviation(FAIL[UNBROKEN]):.2f}", f"{_correlation(PASS, FAIL):+.2f}"]]
    for name, label in zip(names, labels, strict=True):
        each = np.array([
            (_deviation(passes), _deviation(fails[UNBROKEN]), _correlation(passes, fails))
            for passes, fails in ((run.years[f"pass{name}"], run.years[f"fail{name}"]) for run in runs)
        ])  # fmt: skip
        pass_rate, fail_rate, together = np.nanmedian(each, axis=0)
        rows.append([f"simulated, {label}", f"{pass_rate:.2f}", f"{fail_rate:.2f}", f"{together:+.2f}"])
    lines = table(["standard deviation of years, points", "pass rate, 8 years", "fail rate, 5 years", "correlation"], rows, " rrr")
    mean_pass, mean_fail = PASS.mean(), np.nanmean(FAIL)
    luck, enough = _noise(mean_fail, OFFICIAL_SAMPLES), mean_pass * (100.0 - mean_pass) / PASS.var(ddof=1)
    lines += ["", *_compared(series_checks(runs)), ""]
    lines += [
        f"Luck of sampling alone gives the fail rate a standard deviation of {luck:.2f} points at {OFFICIAL_SAMPLES:,} samples; it has "
        f"{_deviation(FAIL[UNBROKEN]):.2f} (and had {_deviation(np.append(FAIL_BEFORE, FAIL[0])):.2f} in 2012-17). So that is no luck. "
        f"How many samples the pass rate rests on was not found; its variation would be luck alone if they were {enough:,.0f} a year or "
        "fewer. At the model's own sample sizes, luck covers everything: a measured rate of one region says nothing of one year.",
        "",
    ]
    return [*lines, *_why(found)]


def _why(found: dict[str, Check]) -> list[str]:
    """Name the mechanisms that would explain where official series and simulated ones part."""
    shift = 100.0 * _deviation(FAIL[UNBROKEN]) / (POINTS[2] - POINTS[0])
    lines = []
    if found["fail deviation"].side < 0:
        lines.append(
            "- The official fail rate varies more. What is sampled changes from year to year, products as well as places: in 2024 "
            f"{POINTS[0]} % failed at producers and {POINTS[2]} % in e-commerce, so that {shift:.0f} % of the samples moved from one to "
            "the other make one standard deviation. In the model the weights of risk-targeting are constant, and nothing is sampled but "
            "at the producer."
        )
    if found["pass deviation"].side:
        lines.append(
            "- The official pass rate varies more. Nothing in the model hits all firms of a country in one year (prices, closures, a new "
            "standard)."
            if found["pass deviation"].side < 0
            else "- The simulated pass rate varies more: the luck of some 1,800 firms does not average out as that of a country's."
        )
    correlation = found["correlation"]
    lines.append(
        "- In the model one thing moves both series, true nonconformity, so they move against each other (median "
        f"{np.nanmedian(correlation.values):+.2f}); officially they moved "
        f"{'together' if _correlation(PASS, FAIL) > 0 else 'against each other'} ({_correlation(PASS, FAIL):+.2f} over {BOTH.sum()} "
        "years). "
        + ("So few years cannot tell that from chance. " if not correlation.side else "That is more than chance between so few years. ")
        + "A change of what is sampled moves the fail rate alone, and would do it."
    )
    if found["small trend"].side:
        lines.append("- The rate of small firms rose in four years as the fail rate of all did: nine samples of ten are of small firms.")
    if found["small share"].side:
        lines.append(
            f"- {'Fewer' if found['small share'].side < 0 else 'More'} samples of the model are of small firms than of the national "
            "sampling: its firms are those of chains, and its frame is producers; that of the country reaches shops and the smallest "
            "sellers."
        )
    return lines


def _multipliers(docs: Path) -> list[str]:
    """Repeat in one paragraph what the page of multipliers found."""
    text = (docs / "multipliers.md").read_text(encoding="utf-8")
    row, worst = re.search(r"^\| by output \|(.+)\|$", text, re.M), re.search(r"within ([\d.]+) % of the table", text)
    if row is None or worst is None:
        raise ValueError("docs/evidence/multipliers.md has no row 'by output'; renew it with make docs PAGE=multipliers")
    fit, far, sector, mean = (cell.strip() for cell in row.group(1).split("|"))
    return [
        "Networks of firms made from the input-output table of China (2007, 42 sectors) get its coefficients; Leontief's multipliers "
        f"follow from whole paths, and were not used. Correlation over sectors {fit}, largest difference {far} (sector {sector}), mean "
        f"difference {mean}, every sector within {worst.group(1)} %: they agree, mostly by construction. It tests the program and says "
        "little of the model. See [multipliers](multipliers.md).",
    ]


def page(seen: Incidents, runs: Sequence[Simulated], words: Sequence[str], docs: Path) -> str:
    """Return the page."""
    found = checks(seen, runs)
    agree = sum(not check.side for check in found.values())
    parts = [
        "# Data that were not used for tuning", "",
        f"Written by `make docs PAGE=held_out`: {' '.join(words)}, default parameters, {len(runs)} replicates of {YEARS} years "
        "after the burn-in, no instrument. A calibration aims at the [patterns](../../experiments/calibration/patterns.py), and at "
        "nothing on this page; of the series and incidents compared here it knows the levels, the drift, and the part of the top tenth "
        "of vendors, which is therefore not judged. Which data served for what: [data](../model/data.md).", "",
        f"**Rule.** A figure agrees if what was observed, with the margin written after it (shares of incidents: {MARGIN:g} points, as in "
        "calibration), overlaps the middle 90 % of the replicates; these stand in brackets after the median. *Less* and *more*: of what "
        f"is simulated, against what was observed. By that rule {agree} of {len(found)} figures agree. They are not independent of each "
        "other, so that the count is no score.", "",
        "![Observed and simulated](held_out.png)", "",
        "*Concentration: lines observed, band the middle 90 % of replicates. Outcomes: bars simulated, points observed by incidents "
        f"(full) and by quantity (open). Series: black official; bands the middle 90 % of replicates in {OFFICIAL_SAMPLES:,} samples a "
        "year (dark) and in those of the model (light). The model's years are eight years without a programme, not those of the "
        "calendar.*", "",
        "## Few vendors cause most incidents", "",
        f"{seen.incidents:,} incidents of incoming quality in two years, {seen.vendors} vendors with any, {seen.plants} plants of one "
        "company. Simulated: lots expected to be rejected at goods-in, by supplier, in the last two of the years (sampling plan as in "
        f"calibration), and incidents drawn from these, {seen.incidents / seen.vendors:.1f} to a supplier that has any, as observed; "
        "suppliers without one are left out as in the data. Downtime is not in the model.", "",
        *_concentration(seen, runs, found), "", "## What became of them", "", *_mix(seen, runs, found), "", "## How soon they repeat", "",
        *_repeats(seen, found), "", "## Official series", "",
        "Pass rate of manufactured products 2017-24 and fail rate of the national sampling 2017 and 2020-24, of the same years of a run; "
        f"small firms 2021-24. {OFFICIAL_SAMPLES:,} samples a year (2021: 25,636; 2022: 19,440; 2024: 25,250), {100 * OFFICIAL_SMALL:.0f} "
        "% of them of small firms. That small firms fail most, and how often, was aimed at; how it moves was not.", "",
        *_series(runs, found), "", "## Multipliers of sectors", "", *_multipliers(docs),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def write(folder: Path, seen: Incidents = OBSERVED, words: Sequence[str] = ("region=liaoning",), replicates: int = 40) -> None:
    """Simulate, and write the page and its figure into a folder that holds the page of multipliers."""
    runs = simulated(words, replicates)
    (folder / "held_out.md").write_text(page(seen, runs, words, folder), encoding="utf-8")
    held_out_figure(seen, runs).savefig(folder / "held_out.png", dpi=160, metadata={"Software": None})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.pages held_out", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", nargs="?", type=Path, help="of the incidents; else the figures read off them stand in")
    words = parser.parse_args()
    try:
        seen = read_incidents(words.folder) if words.folder else OBSERVED
    except IncidentError as refused:
        parser.exit(2, f"{refused}\n")
    write(EVIDENCE, seen)


if __name__ == "__main__":
    main()
