"""Run a published study again from its manifest, or one run of it with everything written down."""

from __future__ import annotations

import copy
import hashlib
import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import experiments.renamed as renamed
from agents.spelling import nearest
from agents.streams import replicate_keys
from experiments.analysis.results import TABLES, Comparison, load, table_hash, write_table
from experiments.configuration.composed import refuse_foreign_values
from experiments.configuration.declared import VERBS
from experiments.configuration.settings import Arm, Settings, SettingsError, check_name, of_kind, read_arm, settings_of
from experiments.configuration.study import CompareStudy
from experiments.languages.wording import mistake as in_words
from experiments.languages.wording import say
from experiments.runs.files import write_sums
from experiments.runs.manifests import MANIFEST, read_manifest
from experiments.runs.measure import firms_at_the_end, series_by_group
from experiments.runs.ownership import claim, refuse_link
from experiments.runs.provenance import changes_since, made_by
from experiments.runs.store import Store, run_keys
from experiments.studies.compare import run_study
from experiments.terminal import printable
from experiments.waiting import slow
from sim import NetworkError
from sim.parameters import ParameterError
from sim.record import GROUPINGS

__all__ = ["USAGE", "main", "read_study", "rerun", "rerun_replicate"]

USAGE = VERBS["rerun"]


# -- what was run ---------------------------------------------------------------------------------------


def read_study(folder: Path) -> tuple[Settings, list[Arm], dict[str, Any]]:
    """Return the settings and arms of a finished study as its manifest gives them, and the manifest.

    Raises
    ------
    SettingsError
        If the folder holds no finished study, or one whose settings this version does not know.
    """
    path = folder / MANIFEST
    if not folder.is_dir():
        near = nearest(folder.name, [sibling.name for sibling in folder.parent.glob("*") if sibling.is_dir()])
        raise SettingsError(f"there is no folder {str(folder)!r}{near}; `strongchain results` lists the studies")
    if not path.is_file():
        sweep = "; it is a sweep, and a single run is of one of its points" if _points(folder) else ""
        raise SettingsError(f"{folder} holds no finished study (there is no {MANIFEST} in it){sweep}")
    about = read_manifest(folder)
    try:
        if old := sorted(set(renamed.settings_in(about["configuration"]))):
            raise SettingsError(f"{folder} was made by {made_by(about)}: {old[0]}; rerun it with that version")
        if (kind := about["configuration"]["study"].get("kind", "compare")) != "compare":
            typed = " ".join(about["overrides"])
            raise SettingsError(f"{folder} holds a {kind}, whose runs are no arms: type its command again under another name: {typed}")
        if "format" not in about:
            raise SettingsError(f"{folder} was made by {made_by(about)}; rerun it with that version")
        refuse_foreign_values(about["configuration"])
        for name in about["arms"]:
            check_name(name, "an arm's name")
        settings = settings_of(copy.deepcopy(about["configuration"]))
        reference = of_kind(settings, CompareStudy).reference
        if reference not in about["arms"]:
            raise SettingsError(f"{path}: the reference {reference!r} is none of its arms")
        arms = [read_arm(name, configuration) for name, configuration in about["arms"].items()]
    except (SettingsError, ParameterError, NetworkError):
        raise
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as strange:
        why = f"{type(strange).__name__}: {' '.join(str(strange).split())[:200]}"
        raise SettingsError(
            f"{path} was written by another version of Strongchain, or changed since ({why}); "
            "check out the commit that it names to run it again"
        ) from strange
    study = replace(of_kind(settings, CompareStudy), cap=max(2, about["replicates"]))  # as many as there were: that is where it stopped
    return replace(settings, replicates=about["replicates"], study=study), arms, about


def _points(folder: Path) -> list[Path]:
    """Return the points of a sweep that were finished, in order; none for anything else."""
    return sorted((path.parent for path in folder.glob(f"*/{MANIFEST}") if path.parent.name.isdigit()), key=lambda point: int(point.name))


def _warn(about: Mapping[str, Any]) -> None:
    for change in changes_since(about):
        print(printable(say("rerun.warning", change=change)), file=sys.stderr)


# -- the whole study ------------------------------------------------------------------------------------


def rerun(folder: Path, into: Path) -> tuple[Comparison, list[str]]:
    """Simulate every run of a study again, and say whether its tables are the same.

    Runs that were kept before are not used.

    Parameters
    ----------
    folder, into : Path
        Of the study, and where the tables and the manifest go that come out now.

    Returns
    -------
    Comparison
        The results of now.
    list of str
        What differs from the study, table by table; empty if all tables are the same.
    """
    with slow("waiting.study", folder=folder):
        settings, arms, about = read_study(folder)
        then = load(folder)
    if _hash(then.runs) != about.get("result"):
        raise SettingsError(f"the table of runs in {folder} is not the one that its manifest names: one of them was changed")
    owned = claim(into, "rerun", about["id"], settings.task.months, settings.replicates)
    try:
        if (into / MANIFEST).exists():
            raise SettingsError(f"{into} holds a rerun already; remove or rename it first")
        _warn(about)
        runs = _own_runs(into)  # kept until the end, so that a rerun that is interrupted goes on
        comparison = run_study(settings, arms, about["overrides"], progress=True, keep=runs)
        owned.check()
        comparison.save_tables(into)
        keys = run_keys(arms, replicate_keys(settings.seed, comparison.manifest["replicates"]), settings.task)
        Store(runs).forget(itertools.chain(*keys))  # before the manifest, so that the folder's checksums are of what stays
        comparison.save_manifest(into)
    finally:
        owned.end()
    differences = {name: _differences(getattr(then, name), getattr(comparison, name)) for name in TABLES}
    return comparison, [f"{name}: {line}" for name, lines in differences.items() for line in lines]


def _hash(runs: pd.DataFrame) -> str:
    """Hash a table of runs; empty if it has not the columns of one."""
    try:
        return table_hash(runs)
    except (LookupError, TypeError, ValueError):
        return ""


def _own_runs(into: Path) -> Path:
    """Return the folder of the runs of a rerun, which is no link to those of others.

    Raises
    ------
    SettingsError
        If it is one.
    """
    runs = into / "runs"
    if runs.is_symlink():
        raise SettingsError(f"{runs} is a link; a rerun keeps its runs in a folder of its own: remove the link")
    return runs


def _differences(then: pd.DataFrame, now: pd.DataFrame) -> list[str]:
    """Tell how two tables of runs differ."""
    if list(then.columns) != list(now.columns) or [column.kind for column in then.dtypes] != [column.kind for column in now.dtypes]:
        missing, new = (sorted(set(a) - set(b)) for a, b in ((then.columns, now.columns), (now.columns, then.columns)))
        return [say("rerun_text.columns", missing, new)]
    if len(then) != len(now):
        return [say("rerun.rows", then=len(then), now=len(now))]
    differences = []
    for name in then.columns:
        before, after = then[name].to_numpy(), now[name].to_numpy()
        if before.dtype.kind not in "fi":
            if (before != after).any():
                differences.append(say("rerun.labels", column=name))
            continue
        differing = ~((before == after) | (np.isnan(before) & np.isnan(after)))
        if differing.any():
            scale = np.maximum(np.abs(before[differing]), np.abs(after[differing]))
            largest = np.nan_to_num(np.abs(before - after)[differing] / scale, nan=1.0).max()
            sizes = {"differing": int(differing.sum()), "values": before.size, "largest": float(largest)}
            differences.append(say("rerun.values", column=name, **sizes))
    return differences


# -- one run in full --------------------------------------------------------------------------------------


def rerun_replicate(folder: Path, replicate: int, arm: str | None = None) -> list[tuple[str, bool]]:
    """Simulate one replicate of a study with everything written down: of one arm, or of all.

    Parameters
    ----------
    folder : Path
        Of the study.
    replicate : int
        Counted from 1, as in its table of runs.
    arm : str, optional

    Returns
    -------
    list of (str, bool)
        For each arm a line on where it was written, and whether its totals are those of the study.
    """
    settings, arms, about = read_study(folder)
    if not 1 <= replicate <= settings.replicates:
        raise SettingsError(f"--replicate {replicate}: the study has replicates 1 … {settings.replicates}")
    names = [chosen.name for chosen in arms]
    if arm is not None and arm not in names:
        raise SettingsError(f"--arm {arm}: the study has the arms {', '.join(names)}{nearest(arm, names)}")
    _warn(about)
    key = replicate_keys(settings.seed, settings.replicates)[replicate - 1]
    table = load(folder).runs.query("by == 'total' and replicate == @replicate").set_index("arm")
    whole = folder.with_name(f"{folder.name}_replicate_{replicate}")
    owned = claim(whole, "replicate", about["id"], settings.task.months, 1)
    try:
        results = []
        for chosen in (chosen for chosen in arms if arm in (None, chosen.name)):
            into = whole / chosen.name
            refuse_link(into)
            with slow("waiting.in_full", arm=chosen.name):
                totals = _in_full(chosen, key, settings, into)
            finished = chosen.name in table.index
            same = finished and all(_same(table.at[chosen.name, name], value) for name, value in totals.items())
            outcome = "left_out" if not finished else "same_totals" if same else "other_totals"
            results.append((say(f"rerun.{outcome}", arm=chosen.name, folder=into), same or not finished))
        write_sums(whole, {})
        return results
    finally:
        owned.end()


def _same(one: float, other: float) -> bool:
    return one == other or bool(np.isnan(one) and np.isnan(other))


def _in_full(arm: Arm, key: tuple[int, int], settings: Settings, into: Path) -> dict[str, float]:
    """Run an arm with every group recorded, every law checked and every payment booked by month; return its totals."""
    task = settings.task
    model = arm.world.build(key, GROUPINGS[1:], check=True)
    arm.begin(model)
    payments = []
    for month in range(1, task.months + 1):
        model.step()
        payments += [(month, why, payer, payee, amount) for (payer, payee, why), amount in sorted(model.books.month.items())]
    awards = [(key, month, firms) for key, programme in model.programmes.items() for month, firms in programme.awards]  # type: ignore[attr-defined]
    into.mkdir(parents=True, exist_ok=True)
    tables = {
        "series": series_by_group(model),
        "firms": firms_at_the_end(model),
        "links": pd.DataFrame({name: getattr(model.links, name) for name in model.links.columns}),
        "quality_map": model.quality_map().table(model),
        "payments": pd.DataFrame(payments, columns=["month", "purpose", "payer", "payee", "CNY"]),
        "balance_sheet": model.balance_sheet().reset_index(),
        "awards": pd.DataFrame(awards, columns=["instrument", "month", "firms taken on"]),
    }
    for name, made in tables.items():
        write_table(made, into / name)
    return dict(zip(model.record.outcomes, model.record.mean(task.window)[:, 0].tolist(), strict=True))


# -- the verb ---------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Do what was typed after ``strongchain rerun``; the exit status is 1 if it could not be done or gave other figures."""
    try:
        folder, replicate, arm = _read(arguments)
        if replicate is not None:
            results = rerun_replicate(folder, replicate, arm)
            for line, same_totals in results:
                print(line if same_totals else f"strongchain: {line}", file=sys.stdout if same_totals else sys.stderr)
            return int(not all(same for _, same in results))
        into = folder.with_name(f"{folder.name}_rerun")
        same = _rerun_sweep(points, into) if (points := _points(folder)) else [_rerun_and_report(folder, into)]
    except (ValueError, OSError) as mistake:  # settings, parameters and networks are refused by kinds of ValueError
        print(f"strongchain: {printable(in_words(str(mistake)))}", file=sys.stderr)
        return 1
    return int(not all(same))


def _rerun_sweep(points: Sequence[Path], into: Path) -> list[bool]:
    """Run every point of a sweep again; whether the tables of each are the same."""
    ids = "".join(read_study(point)[2]["id"] for point in points)
    owned = claim(into, "sweep", hashlib.blake2b(ids.encode(), digest_size=6).hexdigest())
    try:
        return [_rerun_and_report(point, into / point.name) for point in points]
    finally:
        owned.end()


def _rerun_and_report(folder: Path, into: Path) -> bool:
    """Run a study again, print the result of the comparison, and return whether the tables are the same."""
    comparison, differences = rerun(folder, into)
    if differences:
        print(
            f"strongchain: {say('rerun.different', folder=into)}",
            *(f"  {line}" for line in differences[:10]),
            sep="\n",
            file=sys.stderr,
        )
    else:
        print(say("rerun.same", result=comparison.manifest["result"], folder=into))
    return not differences


def _read(arguments: Sequence[str]) -> tuple[Path, int | None, str | None]:
    """Read what was typed: a folder, and options with a value each, separated by a blank or by =."""
    options: dict[str, str | None] = {"--replicate": None, "--arm": None}
    folders: list[str] = []
    rest = [part for argument in arguments for part in (argument.split("=", 1) if argument.startswith("--") else [argument])]
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            folders.append(argument)
        elif argument not in options:
            raise SettingsError(f"rerun {argument}: there is {', '.join(options)}{nearest(argument, options)}")
        elif not rest:
            raise SettingsError(f"rerun {argument}: which? Type strongchain rerun {USAGE}")
        else:
            options[argument] = rest.pop(0)
    if len(folders) != 1:
        raise SettingsError(f"rerun takes one folder, not {len(folders)}; type strongchain rerun {USAGE}")
    number = options["--replicate"]
    if number is not None and not number.isdecimal():
        raise SettingsError(f"--replicate {number}: it must be a whole number from 1")
    if number is None and options["--arm"]:
        raise SettingsError("--arm goes with --replicate N: a whole study is run again with all its arms")
    folder = Path(folders[0])
    return folder if folder.name else folder.resolve(), None if number is None else int(number), options["--arm"]
