"""Data that no parameter was tuned to: ``make docs PAGE=held_out [FOLDER]`` writes docs/evidence/held_out.md and its figure.

FOLDER holds the incidents of incoming quality (``Metrics.csv`` and ``Defect_Type.csv``), which the project does not
ship. Without it, the figures that were read from them are used; they give the same page.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.calibration.patterns import PROBES
from experiments.formatting import fixed, table
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
    simulate_replicates,
)  # fmt: skip

__all__ = ["checks", "incident_checks", "main", "page", "series_checks", "write"]

Floats = NDArray[np.float64]

#: Years for which both series are known, for which the fail rate has no gap, and for which it is known by size.
BOTH, UNBROKEN, LAST, EVERY = np.isfinite(FAIL), slice(3, 8), slice(4, 8), slice(None)
#: Margin of shares, points: the error that calibration assumes for them.
MARGIN = PROBES["top_tenth"].scale


def _point(key: str, label: str, unit: str, value: float, margin: float, values: Floats, digits: int = 1) -> Check:
    observed = fixed(value, digits) + (f" ± {margin:g}" if margin else "")
    return Check(key, label, unit, value - margin, value + margin, observed, values, digits)


# -- what is compared --------------------------------------------------------------------------------------


def incident_checks(incidents: Incidents, replicates: Sequence[Simulated]) -> list[Check]:
    """Compare incidents: the curve of concentration except the top tenth, their outcomes, and how they repeat."""
    compared = []
    for measure, curve in (("incidents", "lots"), ("quantity", "quantity")):
        for top in (1, 5, 20, 50) if measure == "incidents" else (1, 5, 10, 20, 50):
            k = TOP.index(top)
            values = np.array([100.0 * run.curves[f"{curve}, all"][k] for run in replicates])
            what = "incidents" if measure == "incidents" else "defective quantity"
            compared.append(
                _point(f"{measure} {top}", f"top {top} % of vendors in {what}", "%", incidents.curves[measure][k], MARGIN, values)
            )
    for place, where in enumerate(("all customers", "leaders")):
        values = np.array([100.0 * run.mix[place, 0] / run.mix[place, :2].sum() for run in replicates])
        low, high = incidents.rejected[2:]
        observed = f"{incidents.rejected[0]:.1f} … {incidents.rejected[1]:.1f} (plants {low:.1f} … {high:.1f})"
        compared.append(Check(f"rejected, {where}", f"rejected, of rejected and with impact: {where}", "%", low, high, observed, values))
    labels = (f"repeats within {SOON} days", "repeats on the same day", f"repeats within {SOON} days, of those on a later day")
    for k, label in enumerate(labels):
        values = np.array([100.0 * run.repeats[k] for run in replicates])
        compared.append(_point(f"repeats {k}", label, "% of repeats", incidents.repeats[k], MARGIN, values))
    return compared


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


def series_checks(replicates: Sequence[Simulated]) -> list[Check]:
    """Compare the official series, simulated at official sample sizes."""

    def simulated(name: str, measure: Callable[[Floats], float], years: slice = EVERY) -> Floats:
        return np.array([measure(run.years[f"{name} official"][years]) for run in replicates])

    correlations = np.array([_correlation(run.years["pass official"], run.years["fail official"]) for run in replicates])
    large, medium, small = BY_SIZE
    levels = [
        Check(f"{size} level", f"fail rate of {size} firms", "%", rates.min(), rates.max(), f"{rates.min():.1f} … {rates.max():.1f}",
              np.array([run.years[size].mean() for run in replicates]))
        for size, rates in (("large", large), ("medium", medium), ("small", small))
    ]  # fmt: skip
    shares = [100.0 * (FAIL[LAST] - others) / (small - others) for others in (large, medium)]  # if all others were large, or medium
    low, high = np.min(shares), np.max(shares)
    return [
        _point("pass deviation", "pass rate: standard deviation of years", "points", _deviation(PASS), 0.0,
               simulated("pass", _deviation), 2),
        _point("pass change", "pass rate: mean change to the next year", "points", _change(PASS), 0.0, simulated("pass", _change), 2),
        _point("fail deviation", "fail rate: standard deviation of years", "points", _deviation(FAIL[UNBROKEN]), 0.0,
               simulated("fail", _deviation, UNBROKEN), 2),
        _point("fail change", "fail rate: mean change to the next year", "points", _change(FAIL[UNBROKEN]), 0.0,
               simulated("fail", _change, UNBROKEN), 2),
        _point("correlation", "correlation of pass rate and fail rate", "1", _correlation(PASS, FAIL), 0.0, correlations, 2),
        _point("small trend", "fail rate of small firms: trend", "points a year", _trend(small), 0.0, simulated("small", _trend, LAST), 2),
        Check("small share", "small firms, of risk-targeted samples", "%", low, high, f"{low:.1f} … {high:.1f}",
              np.array([100.0 * run.small_share for run in replicates])),
        *levels,
    ]  # fmt: skip


def checks(incidents: Incidents, replicates: Sequence[Simulated]) -> dict[str, Check]:
    """Return all checks, by key."""
    return {check.key: check for check in (*incident_checks(incidents, replicates), *series_checks(replicates))}


# -- the page ----------------------------------------------------------------------------------------------


def _check_table(compared: Iterable[Check]) -> list[str]:
    """Return the table of some checks."""
    return table(["figure", "unit", "observed", "simulated", ""], (check.cells for check in compared), "  rr")


def _concentration(incidents: Incidents, replicates: Sequence[Simulated], by_key: dict[str, Check]) -> list[str]:
    """Return how far incidents are concentrated on a part of the vendors."""
    rows = []
    for name, label in (
        ("incidents", "incidents"),
        ("days", "days with any"),
        ("quantity", "defective quantity"),
        ("downtime", "downtime"),
    ):
        rows.append([f"observed: {label}", *(f"{part:.1f}" for part in incidents.curves[name][:-1])])
    for name in replicates[0].curves:
        parts = np.median([100.0 * run.curves[name] for run in replicates], axis=0)[:-1]
        what, where = name.split(", ")
        label = {"lots": "incidents", "quantity": "defects in them", "expected": "expected lots, as calibration has them"}[what]
        label += f", {'all customers' if where == 'all' else 'leaders alone'}"
        rows.append([f"simulated: {label}", *(f"{part:.1f}" for part in parts)])
    lines = table(["part of the top … of vendors, %", *(f"{top} %" for top in TOP[:-1])], rows, " " + "r" * len(TOP))
    lines += ["", *_check_table(check for key, check in by_key.items() if key.startswith(("incidents", "quantity"))), ""]
    sides = {
        side: [key for key, check in by_key.items() if key.startswith(("incidents", "quantity")) and check.side == side] for side in (-1, 1)
    }
    less_than_observed, more_than_observed = (
        "; ".join(f"{what}: top {', '.join(key.split()[1] for key in keys if key.startswith(what))} %" for what in ("incidents", "quantity")
                  if any(key.startswith(what) for key in keys))
        for keys in (sides[-1], sides[1])
    )  # fmt: skip
    if less_than_observed:
        lines.append(
            f"Less concentrated than observed ({less_than_observed}). There are three possible reasons. One bad delivery makes several "
            f"rows of the data ({incidents.repeats[1]:.0f} % of repeats are on the same day); counted by days with any incident, the top "
            f"tenth has {incidents.curves['days'][TOP.index(10)]:.0f} % instead of {incidents.curves['incidents'][TOP.index(10)]:.0f} %. "
            "The data are of one company, whose vendors deliver very different goods, from corrugate to controllers; in the model all "
            "members of a region have one distribution of defects. And defective quantity is counted in units, of labels as of motors, "
            "where the model has CNY."
        )
    if more_than_observed:
        lines.append(
            f"More concentrated than observed ({more_than_observed}). A region's suppliers differ more in "
            "size than the vendors of one company, and large ones deliver more lots."
        )
    if not less_than_observed and not more_than_observed:
        lines.append("The whole curve agrees; the calibration knows one number of it.")
    return lines


def _mix(incidents: Incidents, replicates: Sequence[Simulated], by_key: dict[str, Check]) -> list[str]:
    """Return the outcomes of incidents, and how far the model has the like."""
    mixes = np.median([100.0 * run.mix for run in replicates], axis=0)
    rows = [("observed, of incidents", incidents.outcomes), ("observed, of defective quantity", incidents.by_quantity)]
    rows += [("simulated, all customers", tuple(mixes[0])), ("simulated, leaders", tuple(mixes[1]))]
    rejected = [by_key["rejected, all customers"], by_key["rejected, leaders"]]
    remark = (
        "The simulated share lies within the range of the plants. The plants differ so much that this is a weak test."
        if not any(check.side for check in rejected)
        else "The simulated share lies outside the range of the plants: goods-in and final inspection follow one rule of cost (the kp "
        "rule), which not all real plants follow."
    )
    return [
        *table(["", *OUTCOMES], ([f"{label}, %", *(f"{part:.1f}" for part in mix)] for label, mix in rows), " rrr"), "",
        "Simulated are detectable defects that arrive with goods: caught at goods-in stands for *rejected*, seen at the end of the "
        "customer's line for *impact*, and passed on with its product for *no impact*. The third analogy does not hold. An incident "
        "without impact was noticed and recorded; a defect that passes unnoticed is in no such file, and comes back, if at all, as a "
        "charge-back from the next customer. So only the first two are compared, as a ratio. Rejection and impact are also not two stages "
        "in the data: rejected incidents stopped lines, too. Latent defects are left out, because no plant sees them.", "",
        *_check_table(rejected), "", remark,
    ]  # fmt: skip


def _repeats(incidents: Incidents, by_key: dict[str, Check]) -> list[str]:
    """Return how soon incidents repeat, and how little this shows."""
    excess = incidents.same_cause[0] - incidents.same_cause[1]
    same_day = (
        " In the model one delivery never makes several rows, so the disagreement on the same day was to be expected."
        if by_key["repeats 1"].side
        else ""
    )
    return [
        *_check_table(check for key, check in by_key.items() if key.startswith("repeats")), "",
        f"It says little that most repeats come within {SOON} days: with each vendor's incidents on random days, "
        f"{incidents.repeats[3]:.1f} % would, against {incidents.repeats[0]:.1f} % observed, because a small part of the vendors has most "
        f"incidents. What does repeat is a cause: the same defect of the same vendor at the same plant comes back within {SOON} days in "
        f"{incidents.same_cause[0]:.1f} % of its repeats, {excess:.0f} points more than at random. The model cannot show this, because "
        "its lots carry no name of a cause; the nearest it has are open problems, which make the bad months of a firm follow each "
        f"other.{same_day}",
    ]  # fmt: skip


def _sampling_error(rate: float, samples: float) -> float:
    """Standard deviation of a rate in % from sampling alone, points."""
    return float(np.sqrt(rate * (100.0 - rate) / samples))


def _series(replicates: Sequence[Simulated], by_key: dict[str, Check]) -> list[str]:
    """Return how the official series vary, and how much of this can come from sampling."""
    names = ("", " official", " counted")
    labels = ("expected", f"in {OFFICIAL_SAMPLES:,} samples a year", "in the samples of the model")
    rows = [["official", fixed(_deviation(PASS), 2), fixed(_deviation(FAIL[UNBROKEN]), 2), fixed(_correlation(PASS, FAIL), 2, sign=True)]]
    for name, label in zip(names, labels, strict=True):
        measured = np.array([
            (_deviation(passes), _deviation(fails[UNBROKEN]), _correlation(passes, fails))
            for passes, fails in ((run.years[f"pass{name}"], run.years[f"fail{name}"]) for run in replicates)
        ])  # fmt: skip
        pass_rate, fail_rate, correlation = np.nanmedian(measured, axis=0)
        rows.append([f"simulated, {label}", fixed(pass_rate, 2), fixed(fail_rate, 2), fixed(correlation, 2, sign=True)])
    lines = table(["standard deviation of years, points", "pass rate, 8 years", "fail rate, 5 years", "correlation"], rows, " rrr")
    mean_pass, mean_fail = PASS.mean(), np.nanmean(FAIL)
    sampling, enough = _sampling_error(mean_fail, OFFICIAL_SAMPLES), mean_pass * (100.0 - mean_pass) / PASS.var(ddof=1)
    lines += ["", *_check_table(series_checks(replicates)), ""]
    lines += [
        f"Sampling alone gives the fail rate a standard deviation of {sampling:.2f} points at {OFFICIAL_SAMPLES:,} samples; it has "
        f"{_deviation(FAIL[UNBROKEN]):.2f} (and had {_deviation(np.append(FAIL_BEFORE, FAIL[0])):.2f} in 2012-17). So this is not chance. "
        f"The number of samples behind the pass rate is not known; with {enough:,.0f} a year or fewer, its variation could come from "
        "sampling alone. At the model's own sample sizes, sampling hides everything: the measured rate of one region in one year shows "
        "nothing.",
        "",
    ]
    return [*lines, *_why(by_key)]


def _why(by_key: dict[str, Check]) -> list[str]:
    """Name the mechanisms that would explain how official and simulated series differ."""
    shift = 100.0 * _deviation(FAIL[UNBROKEN]) / (POINTS[2] - POINTS[0])
    lines = []
    if by_key["fail deviation"].side < 0:
        lines.append(
            "- The official fail rate varies more. What is sampled changes from year to year, products as well as places: in 2024 "
            f"{POINTS[0]} % failed at producers and {POINTS[2]} % in e-commerce, so moving {shift:.0f} % of the samples from one to the "
            "other makes one standard deviation. In the model the weights of risk-targeting are constant, and samples are taken at "
            "producers only."
        )
    if by_key["pass deviation"].side:
        lines.append(
            "- The official pass rate varies more. Nothing in the model affects all firms of a country in one year (prices, closures, a "
            "new standard)."
            if by_key["pass deviation"].side < 0
            else "- The simulated pass rate varies more: chance averages out less over some 1,800 firms than over a country."
        )
    correlation, official = by_key["correlation"], _correlation(PASS, FAIL)
    simulated = fixed(float(np.nanmedian(correlation.values)), 2, sign=True)
    direction = "in the same direction" if official > 0 else "in opposite directions"
    lines.append(
        "- In the model one quantity moves both series, true nonconformity, so they move in opposite directions (median "
        f"{simulated}); the official ones moved {direction} ({fixed(official, 2, sign=True)} over {BOTH.sum()} years). "
        + ("This is more than chance in so short a series. " if correlation.side else "So short a series may show this by chance. ")
        + "A change in what is sampled moves the fail rate alone, and would explain it."
    )
    if by_key["small trend"].side:
        lines.append("- The rate of small firms rose in four years like the fail rate of all: nine in ten samples are of small firms.")
    if by_key["small share"].side:
        lines.append(
            f"- {'Fewer' if by_key['small share'].side < 0 else 'More'} samples of the model are of small firms than in the national "
            "sampling. Its firms are those of chains, and it samples producers; the national sampling also reaches shops and the smallest "
            "sellers."
        )
    return lines


def _multipliers(docs: Path) -> list[str]:
    """Summarise the page of multipliers in one paragraph."""
    text = (docs / "multipliers.md").read_text(encoding="utf-8")
    row, worst = re.search(r"^\| by output \|(.+)\|$", text, re.M), re.search(r"within ([\d.]+) % of the table", text)
    if row is None or worst is None:
        raise ValueError("docs/evidence/multipliers.md has no row 'by output'; write it with make docs PAGE=multipliers")
    correlation, largest, sector, mean = (cell.strip() for cell in row.group(1).split("|"))
    return [
        "Networks of firms made from the input-output table of China (2007, 42 sectors) get its coefficients; Leontief's multipliers "
        f"follow from whole paths, and were not used to make them. The correlation over sectors is {correlation}, the largest difference "
        f"{largest} (sector {sector}), the mean difference {mean}, and every sector is within {worst.group(1)} %: they agree, but mostly "
        "by construction. This tests the program and says little about the model. See [multipliers](multipliers.md).",
    ]


def page(incidents: Incidents, replicates: Sequence[Simulated], overrides: Sequence[str], docs: Path) -> str:
    """Return the page."""
    by_key = checks(incidents, replicates)
    agree = sum(not check.side for check in by_key.values())
    parts = [
        "# Data that were not used for tuning", "",
        f"Written by `make docs PAGE=held_out`: {' '.join(overrides)}, default parameters, {len(replicates)} replicates of {YEARS} years "
        "after the burn-in, no instrument. The calibration aims at the [patterns](../../experiments/calibration/patterns.py), and at "
        "nothing on this page. Of the series and incidents compared here it knows the levels, the drift, and the part of the top tenth "
        "of vendors, which is therefore not compared. For the use of all data see [data](../model/data.md).", "",
        f"**Rule.** A figure agrees if the observed value, with the margin written after it (shares of incidents: {MARGIN:g} points, as in "
        "calibration), overlaps the middle 90 % of the replicates, which are in brackets after the median. *Less* and *more* mean that "
        f"the simulated value is lower or higher than the observed one. By this rule {agree} of {len(by_key)} figures agree. They depend "
        "on each other, so the count is not a score.", "",
        "![Observed and simulated](held_out.png)", "",
        "*Concentration: lines observed, band the middle 90 % of replicates. Outcomes: bars simulated, points observed by incidents "
        f"(full) and by quantity (open). Series: black official; bands the middle 90 % of replicates in {OFFICIAL_SAMPLES:,} samples a "
        "year (dark) and in those of the model (light). The model's years are eight years without a programme, not those of the "
        "calendar.*", "",
        "## A small part of the vendors causes most incidents", "",
        f"Observed: {incidents.incidents:,} incidents of incoming quality in two years, of {incidents.vendors} vendors at "
        f"{incidents.plants} plants of one company. Simulated: lots expected to be rejected at goods-in, by supplier, in the last two "
        "years (sampling plan as in calibration), and incidents drawn from these, "
        f"{incidents.incidents / incidents.vendors:.1f} for each supplier that has any, as observed; "
        "suppliers without an incident are left out, as in the data. Downtime is not in the model.", "",
        *_concentration(incidents, replicates, by_key), "",
        "## Outcomes of incidents", "", *_mix(incidents, replicates, by_key), "", "## How soon they repeat", "",
        *_repeats(incidents, by_key), "", "## Official series", "",
        "Pass rate of manufactured products 2017-24 and fail rate of the national sampling 2017 and 2020-24, of the same years of a run; "
        f"small firms 2021-24. {OFFICIAL_SAMPLES:,} samples a year (2021: 25,636; 2022: 19,440; 2024: 25,250), {100 * OFFICIAL_SMALL:.0f} "
        "% of them of small firms. The calibration aims at the rate of small firms, which is the highest, but not at its changes.", "",
        *_series(replicates, by_key), "", "## Multipliers of sectors", "", *_multipliers(docs),
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def write(folder: Path, incidents: Incidents = OBSERVED, overrides: Sequence[str] = ("region=liaoning",), replicates: int = 40) -> None:
    """Simulate, and write the page and its figure into a folder that holds the page of multipliers."""
    runs = simulate_replicates(overrides, replicates)
    (folder / "held_out.md").write_text(page(incidents, runs, overrides, folder), encoding="utf-8")
    held_out_figure(incidents, runs).savefig(folder / "held_out.png", dpi=160, metadata={"Software": None})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.pages held_out", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", type=Path, help="of the incidents; without it the figures read from them are used"
    )
    options = parser.parse_args()
    try:
        incidents = read_incidents(options.folder) if options.folder else OBSERVED
    except IncidentError as error:
        parser.exit(2, f"{error}\n")
    write(EVIDENCE, incidents)


if __name__ == "__main__":
    main()
