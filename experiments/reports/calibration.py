"""Present a calibration or a validation: tables, figures and a page in a folder, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.analysis.results import labels_wanted, write_table
from experiments.analysis.spreadsheets import csv
from experiments.calibration.history_matching import CANDIDATES, ranges_of
from experiments.calibration.patterns import PATTERNS, PROBES, TELLING
from experiments.figures import save_all
from experiments.figures.patterns import influence_figure, pattern_figure
from experiments.languages.wording import label, lines, say
from experiments.reports.elements import Section, heads
from experiments.reports.elements import Table as ReportTable
from experiments.reports.findings import Place
from experiments.reports.verdict import sentences, wrapped
from experiments.reports.workbook import block, sheet, sheet_of_section, study_workbook, write_workbook
from experiments.runs.files import write_whole
from experiments.runs.manifests import write_manifest
from experiments.studies.calibrate import PLAUSIBLE, Calibration
from experiments.studies.validate import Validation
from sim.data.plausible import DEFAULT_SET

__all__ = [
    "CalibratedParameter",
    "calibrated_parameters",
    "calibration_page",
    "calibration_workbook",
    "draw_calibration",
    "draw_validation",
    "plausible_table",
    "present_calibration",
    "present_validation",
    "summary_of_calibration",
    "summary_of_validation",
    "validation_page",
    "validation_workbook",
]

#: Significant digits of shipped sets.
DIGITS = 4
#: Influence (1 over the length of an emulator, in ranges) from which a figure says something of a parameter.
MATTERS = 0.25


def _region(about: Mapping[str, Any]) -> Place:
    """The region of a study, from its manifest."""
    region = about["configuration"]["region"]
    return Place("region", label=region["label"], label_zh=region["label_zh"])


# -- calibration ------------------------------------------------------------------------------------


def plausible_table(calibration: Calibration) -> pd.DataFrame:
    """Return the sets as they are shipped: the default first, then all plausible ones.

    The default is their mean, which leaves a parameter of which the patterns say nothing in the middle of its range; where the mean is not
    plausible itself, it is the plausible set nearest to the others (their medoid).
    """
    names = list(ranges_of(calibration.manifest))
    plausible = calibration.sets[calibration.sets["plausible"]]
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


@dataclass(frozen=True)
class CalibratedParameter:
    """A parameter that was searched: its range, default, the middle 90 % of the plausible sets, and the figures that depend on it most."""

    name: str
    low: float
    high: float
    default: float
    plausible_low: float
    plausible_high: float
    figures: tuple[str, ...]

    @property
    def width_left(self) -> float:
        """Share of the range that the middle 90 % of the plausible sets take up."""
        return (self.plausible_high - self.plausible_low) / (self.high - self.low)


def calibrated_parameters(calibration: Calibration) -> list[CalibratedParameter]:
    """Return what a calibration leaves of each parameter's range."""
    shipped = plausible_table(calibration).set_index("set")
    sets = shipped.drop(index=DEFAULT_SET, errors="ignore")
    influence = calibration.influence.set_index("figure")
    parameters = []
    for name, (least, most) in ranges_of(calibration.manifest).items():
        low, high = sets[name].quantile([0.05, 0.95])
        strongest = influence[name].nlargest(3)
        figures = tuple(str(figure) for figure in strongest[strongest > MATTERS].index)
        parameters.append(CalibratedParameter(name, least, most, float(shipped.loc[DEFAULT_SET, name]), low, high, figures))
    return parameters


def calibration_page(calibration: Calibration) -> str:
    """Return the page: the waves, and every parameter's range, default and what the patterns leave of the range."""
    study = calibration.manifest["configuration"]["study"]
    sets = calibration.sets[~calibration.sets["mean"]]
    return (
        lines(
            "calibration.page",
            verdict=_calibration_verdict(sets),
            region=_region(calibration.manifest),
            figures=len(TELLING),
            points=len(calibration.points),
            final_sets=study["final_sets"],
            replicates_per_set=study["replicates_per_set"],
            study=calibration.manifest["id"],
            plausible=PLAUSIBLE,
            sets=len(sets),
            plausible_sets=int(sets["plausible"].sum()),
            mean_plausible=bool(calibration.sets["plausible"][calibration.sets["mean"]].any()),
            waves=list(calibration.waves.itertuples()),
            least_left=1.0 / CANDIDATES,
            parameters=calibrated_parameters(calibration),
        )
        + "\n"
    )


def _calibration_verdict(sets: pd.DataFrame) -> list[str]:
    return sentences("calibration_verdict", len(sets), int(sets["plausible"].sum()))


def present_calibration(calibration: Calibration, folder: Path, figures: bool = True) -> None:
    """Write everything of a calibration into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in calibration.tables.items():
        write_table(table, folder / name, labels_wanted(calibration.manifest))
    write_whole(folder / "plausible_sets.csv", csv(plausible_table(calibration)))
    if figures:
        draw_calibration(calibration, folder)
    write_manifest(calibration.manifest, folder)


def draw_calibration(calibration: Calibration, folder: Path) -> None:
    """Write what people look at, in the language that is spoken: the figure, the workbook and, if any set is plausible, the page."""
    save_all(influence_figure(calibration.influence, calibration.manifest), folder, "influence", calibration.manifest)
    write_workbook(calibration_workbook(calibration), folder)
    if calibration.sets["plausible"].any():
        write_whole(folder / "calibration.md", calibration_page(calibration).encode())


def calibration_workbook(calibration: Calibration) -> bytes:
    """Return the results of a calibration as a workbook."""
    return _workbook(calibration, "overview.calibration_question", summary_of_calibration(calibration))


def _workbook(study: Calibration | Validation, question: str, answer: str) -> bytes:
    """A workbook with a sheet for every table; the answer is what a terminal shows."""
    sheets = [sheet(name, block(name, table, f"{name}.parquet")) for name, table in study.tables.items()]
    about = study.manifest
    kept = (("seed", "seed"), ("code", "commit"), ("platform", "platform"), ("finished", "finished"))
    rows = [(say(f"report.provenance.{name}"), str(about[key])) for name, key in kept if key in about]
    rows += [(say("tables.says.setting"), word) for word in about.get("overrides", ())]
    whole = Section("provenance", "", "", tables=[ReportTable("", heads("what", "which"), rows)])
    origin = [sheet_of_section("provenance", whole)] if rows else []
    return study_workbook(about, say(question, region=label(_region(about))), [(say("answer.lead.effect"), answer)], [*sheets, *origin])


def summary_of_calibration(calibration: Calibration) -> str:
    """Return what a calibration shows, as lines for a terminal."""
    sets = calibration.sets[~calibration.sets["mean"]] if "mean" in calibration.sets else calibration.sets
    held = sets.loc[sets["plausible"], "patterns"]
    text = lines(
        "calibration.summary",
        waves=list(calibration.waves.itertuples()),
        least_left=1.0 / CANDIDATES,
        sets=len(sets),
        held=held.tolist(),
        patterns=SEEN_IN_ONE_WORLD,
    )
    return "\n".join([*wrapped(_calibration_verdict(sets)), "", text])


#: Patterns that can be seen in a single world: not those of rare events, lags and networks.
SEEN_IN_ONE_WORLD = sum(any(not probe.pooled for probe in pattern.probes.values()) for pattern in PATTERNS) - 1


# -- validation -------------------------------------------------------------------------------------


def validation_page(validation: Validation) -> str:
    """Return the page: every pattern with its source, range, simulated median and interval, whether it holds, and its plot."""
    of_worlds = validation.observed.loc[validation.observed["figure"] == "pass_rate", "set"]
    return (
        lines(
            "validation.page",
            verdict=_validation_verdict(validation),
            held=validation.held,
            patterns=PATTERNS,
            probes=PROBES,
            region=_region(validation.manifest),
            worlds=len(of_worlds),
            sets=of_worlds.nunique(),
            study=validation.manifest["id"],
            rows=list(validation.patterns.itertuples()),
        )
        + "\n"
    )


def _validation_verdict(validation: Validation) -> list[str]:
    of_worlds = validation.observed.loc[validation.observed["figure"] == "pass_rate", "set"]
    return sentences("validation_verdict", validation.held, len(PATTERNS), len(of_worlds), of_worlds.nunique())


def present_validation(validation: Validation, folder: Path, figures: bool = True) -> None:
    """Write everything of a validation into a folder; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in validation.tables.items():
        write_table(table, folder / name, labels_wanted(validation.manifest))
    if figures:
        draw_validation(validation, folder)
    write_manifest(validation.manifest, folder)


def draw_validation(validation: Validation, folder: Path) -> None:
    """Write what people look at, in the language that is spoken: a figure for each pattern, the page and the workbook."""
    for pattern in PATTERNS:
        drawn = pattern_figure(validation.observed, pattern, validation.manifest)
        save_all(drawn, folder, f"pattern_{pattern.number:02d}", validation.manifest)
    write_whole(folder / "validation.md", validation_page(validation).encode())
    write_workbook(validation_workbook(validation), folder)


def validation_workbook(validation: Validation) -> bytes:
    """Return the results of a validation as a workbook."""
    return _workbook(validation, "overview.validation_question", summary_of_validation(validation))


def summary_of_validation(validation: Validation) -> str:
    """Return the patterns, as lines for a terminal."""
    rows = list(validation.patterns.itertuples())
    text = lines("validation.summary", held=validation.held, patterns=len(PATTERNS), probes=PROBES, rows=rows)
    return "\n".join([*wrapped(_validation_verdict(validation)), "", text])
