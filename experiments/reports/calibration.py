"""Show what a calibration or a validation found: tables, figures and a page in a folder, and lines for a terminal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.analysis.results import write_manifest, write_table
from experiments.calibration.history_matching import CANDIDATES, ranges_of
from experiments.calibration.patterns import PATTERNS, TELLING
from experiments.figures import save
from experiments.figures.patterns import influence_figure, pattern_figure
from experiments.formatting import table
from experiments.runs.store import write_whole
from experiments.studies.calibrate import PLAUSIBLE, Calibration
from experiments.studies.validate import Validation
from sim.data.plausible import DEFAULT_SET

__all__ = [
    "calibration_page",
    "plausible_table",
    "present_calibration",
    "present_validation",
    "summary_of_calibration",
    "summary_of_validation",
    "validation_page",
]

#: Significant digits of shipped sets.
DIGITS = 4
#: Influence (1 over the length of an emulator, in ranges) from which a figure tells something of a parameter.
MATTERS = 0.25


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}"


def _left(share: float) -> str:
    """Write what emulators leave of the ranges; none of the candidates is less than one of them."""
    return f"{100.0 * share:.2g} %" if share > 0.0 else f"less than {100.0 / CANDIDATES:g} %"


# -- calibration ------------------------------------------------------------------------------------


def plausible_table(found: Calibration) -> pd.DataFrame:
    """Return the sets as they are shipped: the default first, then all plausible ones.

    The default is their mean, which leaves what the patterns do not tell in the middle of its range; where the mean is not plausible
    itself, the plausible set nearest to the others (their medoid).
    """
    names = list(ranges_of(found.manifest))
    plausible = found.sets[found.sets["plausible"]]
    if plausible.empty:
        return pd.DataFrame(columns=["set", *names])
    mean, sets = plausible[plausible["mean"]], plausible[~plausible["mean"]]
    if mean.empty:
        spread = sets[names].std(ddof=0)
        unit = (sets[names] / spread.where(spread > 0.0, 1.0)).to_numpy()
        mean = sets.iloc[[int(((unit[:, None] - unit[None]) ** 2).sum(axis=(1, 2)).argmin())]]
    shipped = pd.concat([mean, sets], ignore_index=True)[names].map(lambda value: float(f"{value:.{DIGITS}g}"))
    shipped.insert(0, "set", [DEFAULT_SET, *(f"set_{k:02d}" for k in range(1, len(sets) + 1))])
    return shipped


def calibration_page(found: Calibration) -> str:
    """Return the page: the waves, and every parameter's range, default and what the patterns leave of the range."""
    ranges = ranges_of(found.manifest)
    names = list(ranges)
    shipped = plausible_table(found).set_index("set")
    sets = shipped.drop(index=DEFAULT_SET, errors="ignore")
    study, where = found.manifest["configuration"]["study"], found.manifest["configuration"]["region"]["label"]
    lines = [
        "# Calibration",
        "",
        f"History matching (`experiments/calibration/history_matching.py`) on {where}: {len(names)} parameters, {len(TELLING)} figures "
        f"of the patterns ([validation](validation.md)), {len(found.points):,} worlds in waves of one replicate each, then "
        f"{study['final_sets']} sets judged on {study['replicates_per_set']} replicates of luck that no wave has seen. "
        f"Made by `strongchain study=calibration`; study {found.manifest['id']}.",
        "",
        "A figure's implausibility is how far it lies outside the range observed, in units of what data and model can be wrong by; a "
        f"set is plausible if none exceeds {PLAUSIBLE:g}. Of {len(found.sets[~found.sets['mean']])} sets judged {len(sets)} are. They are "
        "the *ensemble* (`sim/data/plausible_sets.csv`, `strongchain parameters=set_01`); the default is their mean, which leaves what no "
        "pattern tells in the middle of what is plausible, and was judged like them.",
        "",
        *table(
            ["wave", "points", "cut", "points within it", "share of the ranges not ruled out"],
            ([w.wave, w.points, f"{w.cut:g}", w.plausible_points, _left(w.left)] for w in found.waves.itertuples()),
            "rrrrr",
        ),
        "",
        "What is left of each range: 90 % of the ensemble, as a share of the range's width. Near 90 % the patterns say nothing of the "
        "parameter: its default is the middle of an assumption, and effects that rest on it are to be shown over the whole range.",
        "",
    ]
    rows = []
    influence = found.influence.set_index("figure")
    for name in names:
        low, high = sets[name].quantile([0.05, 0.95])
        width = (high - low) / (ranges[name][1] - ranges[name][0])
        strongest = influence[name].nlargest(3)
        told = ", ".join(f"`{figure}`" for figure in strongest[strongest > MATTERS].index) or "none"
        searched = f"{ranges[name][0]:g} … {ranges[name][1]:g}"
        rows.append([f"`{name}`", searched, f"{shipped.loc[DEFAULT_SET, name]:g}", f"{low:.3g} … {high:.3g}", f"{100 * width:.0f} %", told])
    head = ["parameter", "searched", "default", "90 % of the ensemble", "width left", "told mostly by"]
    lines += [*table(head, rows, "  r r"), "", "![How strongly each figure moves with each parameter](influence.png)"]
    return "\n".join(lines) + "\n"


def present_calibration(found: Calibration, folder: Path, figures: bool = True) -> None:
    """Write everything of a calibration into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("points", "sets", "waves", "influence"):
        write_table(getattr(found, name), folder / name)
    write_whole(folder / "plausible_sets.csv", plausible_table(found).to_csv(index=False, lineterminator="\n").encode())
    if figures:
        save(influence_figure(found.influence, found.manifest), folder / "influence.png", found.manifest)
        if found.sets["plausible"].any():
            write_whole(folder / "calibration.md", calibration_page(found).encode())
    write_manifest(found.manifest, folder)


def summary_of_calibration(found: Calibration) -> str:
    """Return what was found, as lines for a terminal."""
    lines = [
        f"Wave {row.wave}: {row.plausible_points} of {row.points} points within {row.cut:g}; {_left(row.left)} of the ranges left"
        for row in found.waves.itertuples()
    ]
    judged = found.sets[~found.sets["mean"]] if "mean" in found.sets else found.sets
    plausible = judged[judged["plausible"]]
    lines.append(f"{len(plausible)} of {len(judged)} sets that were judged on fresh luck are plausible")
    if len(plausible):
        lines.append(
            f"  in them {plausible['patterns'].min()} to {plausible['patterns'].max()} of {TOLD} patterns hold that one world tells; "
            "plausible_sets.csv has them, the default first: copy it over sim/data/plausible_sets.csv to use them"
        )
    return "\n".join(lines)


#: Patterns that single worlds tell: not those of rare events, lags and networks.
TOLD = sum(any(not probe.pooled for probe in pattern.probes.values()) for pattern in PATTERNS) - 1


# -- validation -------------------------------------------------------------------------------------


def validation_page(found: Validation, title: str = "Validation") -> str:
    """Return the page: every pattern with its source, range, simulated median and interval, pass or fail, and its plot."""
    sets = found.observed.loc[found.observed["figure"] == "pass_rate", "set"].nunique()
    worlds = int((found.observed["figure"] == "pass_rate").sum())
    where = found.manifest["configuration"]["region"]["label"]
    lines = [
        f"# {title}",
        "",
        f"{found.held} of {len(PATTERNS)} patterns hold together: {where}, {worlds} worlds ({sets} plausible "
        f"set{'s' * (sets != 1)} of parameters, on luck "
        "that no calibration has seen), no programme. A pattern holds if the median of each of its figures lies in the range observed; the "
        "interval holds 90 % of worlds. Made by `strongchain study=validation`; study " + found.manifest["id"] + ".",
        "",
    ]
    rows = []
    for one in found.patterns.itertuples():
        unit = "" if one.unit == "1" else f" {one.unit}"
        interval, within = f"{_number(one.low)} … {_number(one.high)}", f"{100 * one.within:.0f} %"
        verdict = "yes" if one.holds else "**no**"
        rows.append([one.number, one.pattern, one.label, one.wanted + unit, _number(one.median), interval, within, verdict])
    lines += table(["#", "pattern", "figure", "range", "median", "interval", "within", "holds"], rows, "r   r r")
    for pattern in PATTERNS:
        lines += [
            "",
            f"## {pattern.number}. {pattern.label}",
            "",
            f"Observed: {pattern.source} ({pattern.confidence}). {pattern.note}".strip(),
            "",
            f"![{pattern.label}](pattern_{pattern.number:02d}.png)",
        ]
    return "\n".join(lines) + "\n"


def present_validation(found: Validation, folder: Path, figures: bool = True) -> None:
    """Write everything of a validation into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("observed", "patterns"):
        write_table(getattr(found, name), folder / name)
    if figures:
        for pattern in PATTERNS:
            drawn = pattern_figure(found.observed, pattern, found.manifest)
            save(drawn, folder / f"pattern_{pattern.number:02d}.png", found.manifest)
        write_whole(folder / "validation.md", validation_page(found).encode())
    write_manifest(found.manifest, folder)


def summary_of_validation(found: Validation) -> str:
    """Return the patterns, as lines for a terminal."""
    lines = [f"{found.held} of {len(PATTERNS)} patterns hold (median over sets and replicates, and the interval of 90 % of them)"]
    for one in found.patterns.itertuples():
        verdict = "holds" if one.holds else "FAILS"
        unit = "" if one.unit == "1" else f" {one.unit}"
        simulated = f"{_number(one.median)} [{_number(one.low)}, {_number(one.high)}]"
        lines.append(f"  {one.number:>2} {verdict}  {one.label}: {simulated}, wanted {one.wanted}{unit}")
    return "\n".join(lines)
