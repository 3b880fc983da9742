"""Show what a calibration or a validation found: tables, figures and a page in a folder, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.calibration import field_names
from experiments.figures import save
from experiments.figures.patterns import influence_figure, pattern_figure
from experiments.patterns import PATTERNS
from experiments.results import write_manifest, write_table
from experiments.store import write_whole
from experiments.studies.calibrate import Calibration
from experiments.studies.validate import Validation
from sim.plausible import DEFAULT_SET

__all__ = ["present_calibration", "present_validation", "summary_of_calibration", "summary_of_validation", "validation_page"]

#: Significant digits of shipped sets.
DIGITS = 4


def _cells(values: Sequence[Any]) -> str:
    return "| " + " | ".join(str(value) for value in values) + " |"


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}"


# -- calibration ------------------------------------------------------------------------------------


def plausible_table(found: Calibration) -> pd.DataFrame:
    """Return the sets as they are shipped: the default first, then all plausible ones.

    The default is the plausible set in which most patterns hold; among these, the one nearest to the others (their medoid).
    """
    names = field_names(found.manifest)
    sets = found.sets[found.sets["plausible"]]
    if sets.empty:
        return pd.DataFrame(columns=["set", *names])
    spread = sets[names].std(ddof=0)
    unit = (sets[names] / spread.where(spread > 0.0, 1.0)).to_numpy()
    distance = ((unit[:, None] - unit[None]) ** 2).sum(axis=2).sum(axis=1)
    most = (sets["patterns"] == sets["patterns"].max()).to_numpy()
    middle = sets.iloc[[int(pd.Series(distance).where(most).idxmin())]]
    shipped = pd.concat([middle, sets], ignore_index=True)[names].map(lambda value: float(f"{value:.{DIGITS}g}"))
    shipped.insert(0, "set", [DEFAULT_SET, *(f"set_{k:02d}" for k in range(1, len(sets) + 1))])
    return shipped


def present_calibration(found: Calibration, folder: Path, figures: bool = True) -> None:
    """Write everything of a calibration into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("points", "sets", "waves", "influence"):
        write_table(getattr(found, name), folder / name)
    write_whole(folder / "plausible_sets.csv", plausible_table(found).to_csv(index=False, lineterminator="\n").encode())
    if figures:
        save(influence_figure(found.influence, found.manifest), folder / "influence.png", found.manifest)
    write_manifest(found.manifest, folder)


def summary_of_calibration(found: Calibration) -> str:
    """Return what was found, as lines for a terminal."""
    lines = [
        f"Wave {row.wave}: {row.plausible_points} of {row.points} points within {row.cut:g}; {100 * row.left:.3g} % of the ranges left"
        for row in found.waves.itertuples()
    ]
    plausible = found.sets[found.sets["plausible"]]
    lines.append(f"{len(plausible)} of {len(found.sets)} sets that were judged on fresh luck are plausible")
    if len(plausible):
        lines.append(
            f"  in them {plausible['patterns'].min()} to {plausible['patterns'].max()} of {TOLD} patterns hold that one world tells; "
            "plausible_sets.csv has them, the default first: copy it over sim/plausible_sets.csv to use them"
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
        f"{found.held} of {len(PATTERNS)} patterns hold together: {where}, {worlds} worlds ({sets} plausible sets of parameters, on luck "
        "that no calibration has seen), no programme. A pattern holds if the median of each of its figures lies in the range observed; the "
        "interval holds 90 % of worlds. Made by `strongchain study=validation`; study " + found.manifest["id"] + ".",
        "",
        _cells(["#", "pattern", "figure", "range", "median", "interval", "within", "holds"]),
        "| ---: | --- | --- | --- | ---: | --- | ---: | --- |",
    ]
    for row in found.patterns.itertuples():
        unit = "" if row.unit == "1" else f" {row.unit}"
        interval, within = f"{_number(row.low)} … {_number(row.high)}", f"{100 * row.within:.0f} %"
        verdict = "yes" if row.holds else "**no**"
        lines.append(_cells([row.number, row.pattern, row.label, row.wanted + unit, _number(row.median), interval, within, verdict]))
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
    for row in found.patterns.itertuples():
        verdict = "holds" if row.holds else "FAILS"
        unit = "" if row.unit == "1" else f" {row.unit}"
        simulated = f"{_number(row.median)} [{_number(row.low)}, {_number(row.high)}]"
        lines.append(f"  {row.number:>2} {verdict}  {row.label}: {simulated}, wanted {row.wanted}{unit}")
    return "\n".join(lines)
