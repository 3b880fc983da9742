"""The verb ``verify``: whether everything that was kept is still as it was written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from experiments.analysis.results import table_hash
from experiments.languages.wording import say
from experiments.runs.files import SUMS, Damaged, damages, sums_of
from experiments.runs.manifests import MANIFEST, ManifestError, read_manifest
from experiments.runs.ownership import CLAIM, OF_THE_SYSTEM
from experiments.runs.provenance import made_by
from experiments.runs.store import Store
from experiments.terminal import did_you_mean, printable
from experiments.waiting import slow

__all__ = ["main", "problems", "studies_in"]


def studies_in(folder: Path) -> list[Path]:
    """Return a folder itself if it holds a study, a sweep or runs, else those folders in it that do."""
    return [folder] if _is_kept(folder) else sorted(inner for inner in folder.iterdir() if inner.is_dir() and _is_kept(inner))


def _is_kept(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (MANIFEST, SUMS, CLAIM)) or _is_store(folder)


def _is_store(folder: Path) -> bool:
    return any(path.suffix in {".npz", ".observed"} and path.is_file() for path in folder.iterdir())


def problems(folder: Path) -> Iterator[str]:
    """Say what is damaged, missing or contradictory in the folder of a study, a sweep, or of runs: a line each."""
    if _is_store(folder):
        yield from Store(folder).damages()
        return
    if (folder / SUMS).is_file():
        yield from damages(folder)
        yield from _not_listed(folder)
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()):
        if _is_kept(inner):
            yield from problems(inner)
    if not (folder / MANIFEST).is_file():
        return
    try:
        about = read_manifest(folder)
    except (OSError, ManifestError) as mistake:
        yield str(mistake)
        return
    if "format" not in about:
        yield say("verify.no_sums", folder=folder, made_by=made_by(about))
    elif not (folder / SUMS).is_file():
        yield say("verify.missing", path=folder / SUMS)
    elif "result" in about:
        try:
            same = table_hash(pd.read_parquet(folder / "runs.parquet")) == about["result"]
        except Exception as damage:  # any damage can raise any error
            yield say("verify.unreadable", path=folder / "runs.parquet", damage=damage)
            return
        if not same:
            yield say("verify.other_result", folder=folder)


def _not_listed(folder: Path) -> Iterator[str]:
    """Say which files of a folder are not in its list: the list was cut off, or they were put there later."""
    try:
        sums = sums_of(folder)
    except Damaged:
        return  # said already
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        if path.name not in {*sums, SUMS, *OF_THE_SYSTEM} and not path.name.startswith("."):
            yield say("verify.not_listed", path=path, sums=SUMS)


def _said(folder: Path) -> tuple[str, list[str]]:
    """Return the line of a folder, and its problems."""
    wrong = list(dict.fromkeys(problems(folder)))
    if _is_store(folder):
        files = sum(path.is_file() and not path.name.startswith(".") for path in folder.iterdir())
    else:
        files = len(sums_of(folder)) if (folder / SUMS).is_file() and not wrong else 0
    state = "wrong" if wrong else "whole" if files else "unfinished"
    return say(f"verify.{state}", folder=folder, files=files, problems=len(wrong)), wrong


def main(folder: Path) -> int:
    """Print a line on every study of a folder, and one for every problem; the exit status is 1 if there is any."""
    if not folder.is_dir():
        near = did_you_mean(folder.name, [p.name for p in folder.parent.glob("*") if p.is_dir()])
        print(f"strongchain: {say('verbs.no_folder', folder=folder, near=near)}", file=sys.stderr)
        return 1
    studies = studies_in(folder)
    if not studies:
        print(f"strongchain: {say('verify.nothing', folder=folder)}", file=sys.stderr)
        return 1
    problems_in_all = 0
    for study in studies:
        with slow("waiting.checksums", folder=study):
            line, wrong = _said(study)
        problems_in_all += len(wrong)
        print(printable(line), flush=True)
        for problem in wrong:
            print(f"  {printable(problem)}")
    if problems_in_all:
        print(f"strongchain: {say('verify.problems', problems=problems_in_all)}", file=sys.stderr)
    return int(problems_in_all > 0)
