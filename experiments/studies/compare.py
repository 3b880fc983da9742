"""Compare: several policies on the same luck, each against a reference."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from joblib import cpu_count

from agents.streams import replicate_keys
from experiments.preflight import preflight
from experiments.results import Comparison, collect, manifest
from experiments.runner import Failure, expected_seconds, run_arms
from experiments.settings import Arm, Settings, SettingsError, check_name, compose_settings, read_settings, refuse_idle_levers
from experiments.store import Store, run_keys
from sim.network import SupplyNetwork

__all__ = ["arms_of", "compare", "run_compare"]


#: What an arm can differ by.
ARM_KEYS = ("region", "network", "parameters", "instruments", "policy", "scale", "burn_in")


def arms_of(settings: Settings, overrides: Sequence[str]) -> list[Arm]:
    """Return the arms of a study, the reference first.

    Without `study.arms`: "nothing", each active instrument alone, and all together. With it:
    each arm is composed from the overrides of the job and its own.
    """
    if settings.study.arms is None:
        arms = [Arm("nothing", settings.world, ())]
        arms += [Arm(ins.key, settings.world, (ins,)) for ins in settings.instruments]
        if len(settings.instruments) > 1:
            arms.append(Arm("all", settings.world, settings.instruments))
    else:
        # An arm composes no arms of its own.
        words = [word for word in overrides if not word.lstrip("+").startswith("study.arms")]
        arms = []
        for name, extra in settings.study.arms.items():
            check_name(name, "an arm's name")
            for word in extra:
                if (key := word.lstrip("+~").split("=")[0].split(".")[0].split("@")[0]) not in ARM_KEYS:
                    raise SettingsError(
                        f"study.arms.{name} sets {key}; an arm can set {', '.join(ARM_KEYS)}: "
                        "type what holds for the whole study outside the arms"
                    )
            composed = compose_settings([*words, *extra])
            refuse_idle_levers(composed, extra)
            there = read_settings(composed)
            arms.append(Arm(name, there.world, there.instruments))
    names = [arm.name for arm in arms]
    if settings.study.reference not in names:
        raise SettingsError(f"study.reference is {settings.study.reference!r}, which is no arm; arms: {', '.join(names)}")
    return sorted(arms, key=lambda arm: arm.name != settings.study.reference)


def run_compare(settings: Settings, overrides: Sequence[str] = (), progress: bool = True, keep: Path | None = None) -> Comparison:
    """Run the study that settings describe; prints the number of runs and the expected time first.

    Runs that fail leave out their replicates and are listed in the manifest; if none is left the first failure is raised.

    Parameters
    ----------
    settings : Settings
    overrides : sequence of str
        The words it was composed from: each arm is composed from them too, and the manifest keeps them.
    keep : Path, optional
        Folder of the runs that studies share: what is there is read, what is missing is simulated and kept there.
    """
    arms = arms_of(settings, overrides)
    keys = replicate_keys(settings.seed, settings.replicates)
    store = Store(keep) if keep else None
    there = 0
    if store:
        names = run_keys(arms, keys, settings.months, settings.window, settings.by, settings.check)
        there = sum(store.path(name).exists() for row in names for name in row)
    if progress:
        workers = settings.parallel.workers if settings.parallel.workers > 0 else cpu_count()
        runs = len(arms) * settings.replicates
        seconds = expected_seconds(arms, settings.replicates, settings.months, min(workers, settings.replicates), 1.0 - there / runs)
        kept = f", as {there} of them {'is' if there == 1 else 'are'} there already" if there else ""
        print(
            f"{runs} runs: {len(arms)} arms ({', '.join(arm.name for arm in arms)}) × {settings.replicates} replicates "
            f"of {settings.months} months; about {seconds:.0f} s{kept}",
            flush=True,
        )
        for note in settings.world.network.notes if isinstance(settings.world.network, SupplyNetwork) else ():
            print(f"  network: {note}")
    failed: list[Failure] = []
    runs_found = run_arms(
        arms, settings.seed, settings.replicates, settings.months, settings.window, settings.by,
        settings.parallel, settings.check, progress, store, failed,
    )  # fmt: skip
    network = settings.world.network
    notes = network.notes if isinstance(network, SupplyNetwork) else ()
    about = manifest(settings.resolved, overrides, keys, notes)
    return collect(runs_found, settings.study.reference, {**about, "failed": [str(failure) for failure in failed]})


def compare(*overrides: str, progress: bool = False, keep: str | Path | None = None) -> Comparison:
    """Compare policies in a notebook, in the words one would type after ``strongchain``.

    With a folder to `keep` runs in (``"results/runs"`` is the application's) only those are simulated that are not there.

    Examples
    --------
    >>> found = compare("region=sample", "replicates=4", "months=24")
    >>> found.effect("cqo")["effect"] < 0
    True
    """
    words = preflight(overrides)
    config = compose_settings(words)
    refuse_idle_levers(config, words)
    found = run_compare(read_settings(config), words, progress, Path(keep) if keep else None)
    if found.failures:
        warnings.warn(found.failures, stacklevel=2)
    return found
