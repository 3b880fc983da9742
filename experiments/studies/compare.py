"""Compare: several policies on common random numbers, each against a reference."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from omegaconf import OmegaConf

from agents.streams import replicate_keys
from experiments.analysis.effects import headline_effects
from experiments.analysis.results import Comparison, collect
from experiments.analysis.statistics import further_replicates
from experiments.configuration.overrides import read_override
from experiments.configuration.own_place import own_places, standing, without_own_stations
from experiments.configuration.preflight import checked_settings
from experiments.configuration.settings import (
    Arm,
    CompareStudy,
    Settings,
    SettingsError,
    WorldSettings,
    check_name,
    compose_settings,
    institutions,
    named_arms,
    no_arm,
    not_of_an_arm,
    of_kind,
    read_arm,
    refuse_idle_settings,
)
from experiments.languages.wording import label, say, use_language
from experiments.runs.measure import EXTRAS, Run
from experiments.runs.provenance import manifest, now, replicates_and_keys, study_id
from experiments.runs.runner import Failure, drawing_seconds, expected_seconds, run_arms, workers_of
from experiments.runs.store import Store, run_keys
from experiments.studies.budgets import with_length, within_budget
from experiments.terminal import paragraphs, write
from experiments.waiting import slow
from sim.build.input_output import SectorEconomy
from sim.network.fixed_points import NetworkError
from sim.network.network import SupplyNetwork

#: Replicates before the width of intervals is first checked: with earlier checks, intervals cover less than 95 %.
FIRST = 20

__all__ = ["arms_of", "compare", "notes_of", "run_arms_of_study", "run_compare", "run_study"]


def arms_of(settings: Settings, overrides: Sequence[str]) -> list[Arm]:
    """Return the arms of a study, the reference first.

    Without `study.arms`: "nothing", each active instrument alone, and all together. With it:
    each arm is composed from the overrides of the job and its own. Where one of them has the portfolio of its own region, the stations
    that it brings do not stand there already, in any arm of this region.
    """
    study = of_kind(settings, CompareStudy)
    if study.arms is None:
        active = [ins.key for ins in settings.instruments]
        chosen = {"nothing": [], **{key: [key] for key in active}, **({"all": active} if len(active) > 1 else {})}
        chosen = {name: chosen[name] for name in _wanted(study, list(chosen))}
        arms = [read_arm(name, _with(settings.resolved, keys, whole=bool(keys) and keys == active)) for name, keys in chosen.items()]
    else:
        # An arm composes no arms of its own.
        of_the_study = [override for override in overrides if not override.lstrip("+").startswith("study.arms")]
        arms = [_arm(name, of_the_study, study.arms[name]) for name in _wanted(study, list(study.arms))]
    places = own_places(arm.configuration for arm in arms)
    changed = [without_own_stations(arm.configuration, places) for arm in arms]
    arms = [read_arm(arm.name, own) if own else arm for arm, own in zip(arms, changed, strict=True)]
    arms = [with_length(arm, study.length) for arm in arms]
    return sorted(arms, key=lambda arm: arm.name != study.reference)


def _wanted(study: CompareStudy, names: list[str]) -> list[str]:
    """Return the arms that run: all, or those asked for with the reference and the second reference."""
    for setting, arm in named_arms(study.reference, study.second_reference, study.only):
        if mistake := no_arm(arm, names, setting):
            raise SettingsError(mistake)
    return [name for name in names if not study.only or name in {*study.only, study.reference, study.second_reference}]


def _with(configuration: dict[str, Any], instruments: Sequence[str], whole: bool) -> dict[str, Any]:
    """A configuration with these instruments active and no others; it goes by the name of its portfolio only if that is whole."""
    changed = copy.deepcopy(configuration)
    if not whole:
        changed.pop("portfolio", None)
    for key, levers in changed["instruments"].items():
        levers["active"] = key in instruments
    return changed


def _arm(name: str, of_the_study: Sequence[str], own: Sequence[str]) -> Arm:
    """Compose one arm from the overrides of the study and its own."""
    check_name(name, "an arm's name")
    for refusal in filter(None, (not_of_an_arm(name, override) for override in own)):
        raise SettingsError(refusal)
    in_keys = [read_override(override).readable for override in own]
    composed = compose_settings([*of_the_study, *in_keys])
    refuse_idle_settings(composed, in_keys)
    return read_arm(name, cast(dict[str, Any], OmegaConf.to_container(composed, resolve=True)))


def _announce(settings: Settings, arms: Sequence[Arm], store: Store | None) -> None:
    """Say how many runs there are, and about how long they take."""
    keys = replicate_keys(settings.seed, settings.replicates)
    names = run_keys(arms, keys, settings.task) if store else []
    kept = sum(store.has(name, settings.task.save) for row in names for name in row) if store else 0
    runs = len(arms) * settings.replicates
    workers = workers_of(settings.parallel, settings.replicates)
    seconds = expected_seconds(arms, settings.replicates, settings.task.months, workers, 1.0 - kept / runs)
    seconds += drawing_seconds(len(arms), settings.study.kind) if settings.drawn else 0.0
    names_of_arms = [arm.name for arm in arms]
    write(say("progress.runs", runs, names_of_arms, settings.replicates, settings.task.months, seconds, settings.drawn, kept))
    study = settings.study
    if isinstance(study, CompareStudy) and study.half_width is not None and len(arms) > 1:
        first = min(FIRST, study.cap)
        write("  " + say("progress.half_width", first=first, cap=study.cap, share=study.half_width, reference=study.reference))
    for note in [*notes_of(settings, arms), *(say("progress.network", note=label(note)) for note in _notes(arms))]:
        write("\n".join(paragraphs(note)))


def notes_of(settings: Settings, arms: Sequence[Arm]) -> list[str]:
    """What is done in another way than was asked for, and how many institutions there are for networks that are not a region's own."""
    places = own_places(arm.configuration for arm in arms)
    own = [
        say("notes.own_place", key, number)
        for key, number in sorted((key, standing(key)) for key in places)
        if number and all(not arm.world.region.stations for arm in arms if arm.world.region.key == key)
    ]
    return list(dict.fromkeys([*settings.notes, *own, *filter(None, map(institutions, arms))]))


def _notes(arms: Sequence[Arm]) -> list[str]:
    """What was noted when the networks of the arms were read."""
    networks = [arm.world.network for arm in arms]
    return list(dict.fromkeys(note for network in networks if isinstance(network, SupplyNetwork | SectorEconomy) for note in network.notes))


def _start_notes(arms: Sequence[Arm], key: tuple[int, int]) -> list[str]:
    """How well the start meets the quality figures of the firms, where a network has any: looked at in the first replicate."""
    seen: list[WorldSettings] = []
    notes: list[str] = []
    for arm in arms:
        network = arm.world.network
        if not isinstance(network, SupplyNetwork) or network.quality is None:
            continue
        if any(arm.world.network is one.network and arm.world.parameters == one.parameters for one in seen):
            continue  # the same start, but for what institutions change in the burn-in
        seen.append(arm.world)
        try:
            fitted = arm.world.build(key).fitted
        except NetworkError:  # it is told where the runs of the arm fail
            continue
        notes += fitted.notes(network.names) if fitted is not None else []
    return list(dict.fromkeys(notes))


def _simulate(settings: Settings, arms: Sequence[Arm], store: Store | None, progress: bool) -> tuple[list[Run], list[Failure], int, bool]:
    """Run the arms on as many replicates as are asked for, or as a half-width needs.

    Returns
    -------
    runs, failures, replicates, reached
        `reached` is whether the half-width asked for is.
    """
    study, done = settings.study, 0
    asked = study if isinstance(study, CompareStudy) and study.half_width is not None and len(arms) > 1 else None
    replicates = min(max(settings.replicates, FIRST), asked.cap) if asked else settings.replicates
    runs: list[Run] = []
    failed: list[Failure] = []
    while True:
        keys = replicate_keys(settings.seed, replicates)[done:]
        runs += run_arms(arms, keys, settings.task, settings.parallel, first=done, store=store, failed=failed, progress=progress)
        done = replicates
        if not runs:
            raise failed[0].mistake
        if asked is None or asked.half_width is None:
            return runs, failed, done, False
        effects, level = headline_effects(runs, asked.reference)
        most = asked.cap - (done - len(effects))  # sound ones, once those are off in which a run failed
        decision = further_replicates(effects, asked.half_width * abs(level), most, first=FIRST)
        if decision.stop:
            return runs, failed, done, decision.reached
        replicates = done + decision.further
        if progress:
            write(say("progress.not_narrow", done=done, further=replicates - done))


def run_arms_of_study(
    settings: Settings, arms: Sequence[Arm], store: Store | None, progress: bool
) -> tuple[list[Run], list[Failure], int, bool]:
    """Say how many runs there are and how long they take, then run them; returns what `_simulate` does."""
    if store is None and set(settings.task.save) & set(EXTRAS):
        raise SettingsError(
            f"save is [{', '.join(settings.task.save)}], but no folder keeps the runs; in a notebook: compare(..., keep='results/runs')"
        )
    if progress:
        _announce(settings, arms, store)
    return _simulate(settings, arms, store, progress)


def run_study(
    settings: Settings, arms: Sequence[Arm], overrides: Sequence[str] = (), progress: bool = True, keep: Path | None = None
) -> Comparison:
    """Run the arms of the settings; first print the number of runs and the expected time.

    Runs that fail leave out their replicates and are listed in the manifest; if none is left the first failure is raised.

    Parameters
    ----------
    settings : Settings
    arms : sequence of Arm
        The reference first.
    overrides : sequence of str
        The overrides that the settings were composed from; the manifest keeps them.
    progress : bool
        Whether anything is printed.
    keep : Path, optional
        Folder of the runs that studies share: what is there is read, what is missing is simulated and kept there.
    """
    study, task, store = of_kind(settings, CompareStudy), settings.task, Store(keep) if keep else None
    of_networks = [*_notes(arms), *_start_notes(arms, replicate_keys(settings.seed, 1)[0])]
    about = manifest(
        settings.resolved, overrides, replicate_keys(settings.seed, settings.replicates), arms, of_networks, notes_of(settings, arms)
    )
    runs, failed, replicates, reached = run_arms_of_study(settings, arms, store, progress)
    keys = replicate_keys(settings.seed, replicates)
    about |= {**replicates_and_keys(keys), "failed": [str(failure) for failure in failed], "finished": now()}
    if study.half_width is not None:
        about["half_width_reached"] = reached
    comparison = collect(runs, about, study, "groups" in task.save)
    if store:
        names = run_keys(arms, keys, task)
        at = {(arm.name, k): name for k, row in enumerate(names) for arm, name in zip(arms, row, strict=True)}
        for kind in (kind for kind in task.save if kind in EXTRAS):
            comparison.run_tables[kind] = [(run.arm, run.replicate + 1, store.extra(at[run.arm, run.replicate], kind)) for run in runs]
    return comparison


def run_compare(
    settings: Settings,
    overrides: Sequence[str] = (),
    progress: bool = True,
    keep: Path | None = None,
    begin: Callable[[str], None] = lambda study: None,
) -> Comparison:
    """Run the study that settings describe; it and each of its arms are composed from `overrides`.

    `begin` is called with the id of the study, before anything is simulated.
    """
    with slow("waiting.arms"):
        asked = arms_of(settings, overrides)
    begin(study_id(settings.resolved, replicate_keys(settings.seed, settings.replicates), asked))
    arms = within_budget(settings, asked, Store(keep) if keep else None, progress)
    return run_study(settings, arms, overrides, progress, keep)


def compare(*overrides: str, progress: bool = False, keep: str | Path | None = None) -> Comparison:
    """Return the tables of what `experiments.compare` shows: see `experiments.study_results.compare`."""
    readable, settings = checked_settings(overrides)
    with use_language(settings.language):
        comparison = run_compare(settings, readable, progress, Path(keep) if keep else None)
        if comparison.failures:
            warnings.warn(comparison.failures, stacklevel=2)
    return comparison
