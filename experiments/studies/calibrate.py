"""Calibrate: find the sets of parameters with which a world without policy shows all patterns together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.streams import replicate_keys
from experiments.calibration.history_matching import Axis, Emulator, axes_of, hypercube, next_points, scaled, spread_out
from experiments.calibration.observe import Observed, observe_all, observing_seconds
from experiments.calibration.patterns import PATTERNS, PROBES, TELLING, implausibility
from experiments.configuration.settings import Arm, Parallel, Settings, SettingsError, WorldSettings, of_kind
from experiments.configuration.study import CalibrationStudy
from experiments.languages.wording import say
from experiments.runs.provenance import manifest, now
from experiments.terminal import write
from sim.data.plausible import with_values

__all__ = ["Calibration", "Search", "calibrate", "run_calibration"]

Floats = NDArray[np.float64]

#: A set is plausible if no figure, averaged over new random numbers, lies further outside its range than data and model can be wrong by.
PLAUSIBLE = 1.0
#: Added to the study's seed for the random numbers on which the final sets are judged.
JUDGING = 1_000_003


@dataclass(frozen=True)
class Calibration:
    """Results of a calibration.

    Attributes
    ----------
    points : DataFrame
        Every point of every wave: wave, values of the parameters, figures, largest implausibility.
    sets : DataFrame
        The sets that were judged, and the mean of the plausible ones: values, means of the figures on new random numbers,
        largest implausibility, patterns that hold, whether plausible; the least implausible first.
    waves : DataFrame
        Of every wave: points, cut, share of the ranges that its emulators leave, points of it that are plausible by themselves.
    influence : DataFrame
        By figure and parameter: how strongly the figure moves with it (1 over the length of the emulator, in ranges).
    manifest : dict
    """

    points: pd.DataFrame
    sets: pd.DataFrame
    waves: pd.DataFrame
    influence: pd.DataFrame
    manifest: dict[str, Any]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name, in the order in which they are written."""
        return {"points": self.points, "sets": self.sets, "waves": self.waves, "influence": self.influence}

    @property
    def failures(self) -> str:
        """What could not be simulated."""
        return ""


def figures_of(observed: Sequence[Observed | Exception]) -> Floats:
    """Return the telling figures of observations, shape (observations, figures); not a number where a world could not be simulated."""
    nothing = dict.fromkeys(TELLING, float("nan"))
    return np.array(
        [[(nothing if isinstance(observation, Exception) else observation.figures)[key] for key in TELLING] for observation in observed]
    )


def patterns_held(figures: Floats) -> NDArray[np.int64]:
    """Count the patterns whose observable figures all lie in their ranges, by row; other patterns are not counted."""
    held = np.zeros(len(figures), dtype=np.int64)
    for pattern in PATTERNS:
        columns = [TELLING.index(key) for key in pattern.probes if key in TELLING]
        if columns:
            held += np.all([[PROBES[TELLING[k]].holds(row[k]) for k in columns] for row in figures], axis=1)
    return held


@dataclass(frozen=True)
class Search:
    """What all waves share."""

    world: WorldSettings
    axes: tuple[Axis, ...]
    parallel: Parallel
    keep: Path | None
    progress: bool

    def simulate(self, unit: Floats, keys: Sequence[tuple[int, int]]) -> Floats:
        """Simulate points of the unit cube, one replicate each; returns figures, shape (points, figures)."""
        base, names = self.world.parameters, [axis.name for axis in self.axes]
        sets = (with_values(base, dict(zip(names, values, strict=True))) for values in scaled(unit, self.axes))
        worlds = [replace(self.world, parameters=parameters) for parameters in sets]
        return figures_of(observe_all(worlds, keys, self.parallel, self.keep, self.progress))

    def table(self, unit: Floats, figures: Floats) -> pd.DataFrame:
        """Return points and their figures as a table."""
        values = pd.DataFrame(scaled(unit, self.axes), columns=[axis.name for axis in self.axes])
        observed = pd.DataFrame(figures, columns=list(TELLING))
        worst = implausibility(figures, TELLING).max(axis=1)
        return pd.concat([values, observed, pd.DataFrame({"implausibility": worst, "patterns": patterns_held(figures)})], axis=1)

    def judge(self, unit: Floats, keys: Sequence[tuple[int, int]]) -> pd.DataFrame:
        """Simulate sets on common random numbers and return them with the means of their figures, and whether they are plausible."""
        each = len(keys)
        figures = self.simulate(np.repeat(unit, each, axis=0), list(keys) * len(unit)).reshape(len(unit), each, len(TELLING))
        sets = self.table(unit, figures.mean(axis=1))
        sets.insert(0, "plausible", sets["implausibility"] <= PLAUSIBLE)
        return sets


def calibrate(
    search: Search, study: CalibrationStudy, seed: int, report: Callable[[str], None]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Match history in waves, then judge the best sets on new random numbers.

    Parameters
    ----------
    search : Search
    study : CalibrationStudy
        How many points a wave has; up to which implausibility the points of the next wave, or the final sets, are chosen; how many
        final sets there are, and how many replicates of each.
    seed : int
    report : callable
        Takes a line on every wave.

    Returns
    -------
    points, sets, waves, influence : DataFrame
        As in `Calibration`.
    """
    axes, points, cuts = search.axes, study.points, study.cuts
    unit = hypercube(points, axes, seed)
    keys = replicate_keys(seed, points * len(cuts))
    all_units, all_figures, tables, waves = [], [], [], []
    for wave, cut in enumerate(cuts, start=1):
        figures = search.simulate(unit, keys[points * (wave - 1) : points * wave])
        all_units.append(unit)
        all_figures.append(figures)
        table = search.table(unit, figures)
        table.insert(0, "wave", wave)
        tables.append(table)
        emulator = Emulator(np.concatenate(all_units), np.concatenate(all_figures), TELLING, seed)
        last = wave == len(cuts)
        unit, _, share = next_points(emulator, axes, study.final_sets if last else points, cut, seed + wave)
        if last:
            unit = spread_out(emulator, unit, study.final_sets, cut, seed + wave)
        good = int((table["implausibility"] <= cut).sum())
        waves.append({"wave": wave, "points": points, "cut": cut, "left": share, "plausible_points": good})
        report(say("progress.wave", wave=wave, within=good, points=points, cut=cut, share=share))
    fresh = replicate_keys(seed + JUDGING, study.replicates_per_set)
    sets = search.judge(unit, fresh)
    if sets["plausible"].any():
        middle = np.clip(unit[sets["plausible"].to_numpy()].mean(axis=0), 0.0, 1.0)
        sets = pd.concat([search.judge(middle[None], fresh).assign(mean=True), sets.assign(mean=False)], ignore_index=True)
    sets = sets.sort_values(["implausibility", "patterns"], ascending=[True, False], kind="stable", ignore_index=True)
    influence = pd.DataFrame(1.0 / emulator.lengths(), columns=[axis.name for axis in axes])
    influence.insert(0, "figure", TELLING)
    return pd.concat(tables, ignore_index=True), sets, pd.DataFrame(waves), influence


def run_calibration(
    settings: Settings,
    overrides: Sequence[str] = (),
    progress: bool = True,
    keep: Path | None = None,
    begin: Callable[[str], None] = lambda study: None,
) -> Calibration:
    """Calibrate the world that settings describe.

    Raises
    ------
    SettingsError, ParameterError
        If no ranges are given, or a range is not of a parameter.
    """
    study = of_kind(settings, CalibrationStudy)
    ranges = study.searched_only or study.searched
    if not ranges:
        raise SettingsError("study.searched names no parameter to search; leave it out for the ranges that come with a calibration")
    if find_spec("sklearn") is None:
        raise SettingsError("study=calibration needs scikit-learn; python -m pip install -e '.[studies]' brings it")
    search = Search(settings.world, axes_of(ranges), settings.parallel, keep, progress)
    runs = study.points * len(study.cuts) + study.final_sets * study.replicates_per_set
    report = write if progress else lambda line: None
    waves_of, sets_of = (
        {"waves": len(study.cuts), "points": study.points},
        {"sets": study.final_sets, "replicates": study.replicates_per_set},
    )
    seconds = observing_seconds(settings.world, runs, settings.parallel)
    report(say("progress.calibration", runs=runs, seconds=seconds, **waves_of, **sets_of))
    about = manifest(settings.resolved, overrides, replicate_keys(settings.seed, 1), [Arm("world", settings.world, (), {})])
    begin(about["id"])
    points, sets, waves, influence = calibrate(search, study, settings.seed, report)
    return Calibration(points, sets, waves, influence, about | {"finished": now()})
