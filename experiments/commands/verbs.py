"""The application's own verbs: what there is, what it means, and what has been found so far.

``strongchain results | rerun | regions | policies | instruments | experiments | parameters | explain | completion | help``.
Each prints plain text as wide as the terminal, at most 100 columns. The world is imported by the verbs that need it.
"""

from __future__ import annotations

import datetime
import inspect
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from experiments.catalogue.portfolios import portfolios
from experiments.catalogue.settings import MARKS, explained, figures, region_files, setting, settings
from experiments.commands.completion import BASH, ZSH
from experiments.commands.help import help_text
from experiments.configuration.declared import VERBS, groups
from experiments.configuration.files import CONFIGS
from experiments.terminal import COLUMNS, did_you_mean, first_line, shown, table, wrap

__all__ = ["ANSWERS", "VERBS", "VerbError", "main"]

NO_EXPERIMENT = """\
There is no experiment yet. To add one, write configs/experiment/NAME.yaml:

    # @package _global_
    # One line: what the experiment asks. `strongchain experiments` shows it.
    defaults:
      - override /region: sample
    months: 36
    instruments:
      cqo: {reach: 0.8}

Then type: strongchain +experiment=NAME"""


#: What reading a folder may raise in which somebody changed a file, or cut it off.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, OSError)


class VerbError(ValueError):
    """A verb that cannot do what was typed: what, and what would be right."""


def results(folder: str = "results") -> list[str]:
    """List the studies of a folder, the newest first."""
    here = Path(folder)
    if not here.is_dir():
        if folder != "results":
            raise VerbError(
                f"there is no folder {folder!r}{did_you_mean(here.name, [p.name for p in here.parent.glob('*') if p.is_dir()])}"
            )
        return ["There are no results yet; `strongchain name=first` would write them to results/first."]
    studies = [study(path) for path in here.iterdir() if path.is_dir() and path.name != "runs"]
    if not studies:
        return [f"There is no study in {folder} yet."]
    rows = [row for _, row in sorted(studies, reverse=True)]
    return table(("study", "status", "arms", "replicates", "months", "size", "date"), rows)


def study(path: Path) -> tuple[float, tuple[str, ...]]:
    """Read what a folder of results says of itself: when it was written, and its row."""
    try:
        told = summary(path)
    except UNREADABLE:
        told = ("unreadable", "?", "?", "?")
    found = []
    for file in path.rglob("*"):
        with suppress(OSError):  # a study that runs renames its files
            if file.is_file():
                found.append(file.stat())
    when = max([one.st_mtime for one in found], default=path.stat().st_mtime)
    size = float(sum(one.st_size for one in found))
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    date = datetime.datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M")
    return when, (path.name, *told, f"{size:.3g} {unit}", date)


def summary(path: Path) -> tuple[str, ...]:
    """Return status, arms, replicates and months of a study, a sweep, a rerun of one of them or a replicate in full.

    Raises
    ------
    Exception
        One of `UNREADABLE`, where a file of it cannot be read or does not hold what it should.
    """
    full = sorted(table.parent.name for table in path.glob("*/series.parquet"))
    if full and re.fullmatch(r".+_replicate_\d+", path.name):
        return "replicate in full", ", ".join(full), "1", "?"
    points = [point for point in path.iterdir() if (point / "point.json").is_file() or (point / "manifest.json").is_file()]
    home = min(points, key=lambda point: (not (point / "manifest.json").is_file(), point.name), default=path)
    noted = notes(home)
    whole = sum((point / "manifest.json").is_file() for point in points or [path])
    if path.name.endswith("_rerun") and not (home / ".hydra").is_dir():
        begun = [one for there in (path, path.with_name(path.name.removesuffix("_rerun"))) for one in there.glob("[0-9]*") if one.is_dir()]
        many = len({one.name for one in begun}) or 1
        status = "rerun" if whole == many else f"unfinished rerun, {whole} of {many}"
    elif points:
        status = f"sweep, {whole} of {len(points)}" if (path / "sweep.csv").is_file() else "unfinished sweep"
    else:
        failed = len(noted.get("failed") or ())
        status = ("complete" + (f", {failed} failed" if failed else "")) if whole else "unfinished"
    configuration = noted.get("configuration") or {}
    replicates = noted.get("replicates", configuration.get("replicates", "?"))  # a study may stop early: those that were run
    return status, ", ".join(dict(noted.get("arms") or {})) or "?", shown(replicates), shown(configuration.get("months", "?"))


def notes(home: Path) -> dict[str, Any]:
    """Return the manifest of a study, or else the configuration that Hydra noted, or else nothing."""
    import yaml  # type: ignore[import-untyped]

    manifest, hydras = home / "manifest.json", home / ".hydra" / "config.yaml"
    if manifest.is_file():
        return dict(json.loads(manifest.read_text(encoding="utf-8")))
    try:
        return {"configuration": yaml.safe_load(hydras.read_text(encoding="utf-8"))} if hydras.is_file() else {}
    except yaml.YAMLError as strange:
        raise ValueError(f"{hydras} is no YAML") from strange


def regions() -> list[str]:
    """List the regions, with how many of their figures were read in a source."""
    rows = []
    for region in region_files():
        kinds = [kind for *_, kind in figures(region)]
        counts = [shown(getattr(region, key)) for key in ("chains", "leaders", "firms", "stations")]
        shares = [f"{kinds.count(kind)} of {len(kinds)}" for kind in ("fact", "assumption")]
        rows.append((region.key, region.label, region.label_zh, *counts, *shares))
    head = ("region", "label", "中文", "chains", "leaders", "firms", "stations", "with a fact id", "assumptions")
    return [*table(head, rows), "", "Choose one with region=NAME; `strongchain explain NAME` shows each figure with its source."]


def policies() -> list[str]:
    """List the portfolios of instruments, with how many of the values they set were read in a source."""
    rows = []
    for one in portfolios():
        kinds = [source.startswith("assumption") for path, source in one.sources.items() if path in one.levers]
        shares = [f"{kinds.count(kind)} of {len(kinds)}" if kinds else "" for kind in (False, True)]
        rows.append((one.key, one.label, one.label_zh, str(len(one.instruments)), *shares))
    head = ("policy", "label", "中文", "instruments", "levers with a fact id", "assumptions")
    said = table(head, rows, [", ".join(one.instruments) for one in portfolios()])
    return [*said, "", "Choose one with policy=NAME; `strongchain explain policy.NAME` shows each lever with its source."]


def instruments() -> list[str]:
    """List the instruments."""
    from sim import INSTRUMENTS

    rows = []
    for key, cls in INSTRUMENTS.items():
        dose = next(setting(cls, f, f"instruments.{key}") for f in fields(cls) if f.name == cls.dose)
        rows.append((key, cls.practice, " ".join((dose.name, "=", dose.default, dose.unit)).removesuffix(" 1")))
    does = [first_line(cls.__doc__) for cls in INSTRUMENTS.values()]
    end = "Choose with 'instruments=[NAME,NAME]'; `strongchain explain NAME` shows every lever."
    return [*table(("instrument", "practice", "dose by default"), rows, does), "", end]


def experiments() -> list[str]:
    """List the experiments, or say how to add one."""
    rows = []
    for path in sorted((CONFIGS / "experiment").glob("*.yaml")):
        comments = [line.lstrip("# ") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        rows.append((path.stem, next((line for line in comments if not line.startswith("@package")), "")))
    return table(("experiment", "what it asks"), rows) if rows else NO_EXPERIMENT.splitlines()


def parameters(word: str = "") -> list[str]:
    """List the settings whose path or meaning holds a word."""
    every = settings()
    found = [s for s in every if word.casefold() in s.path.casefold() or word.casefold() in s.meaning.casefold()]
    if not found:
        raise VerbError(
            f"no setting has {word!r} in its path or meaning{did_you_mean(word, [name for s in every for name in (s.path, s.name)])}"
        )
    rows = [(s.path, s.default, s.legal, s.unit, s.mark) for s in found]
    legend = "; ".join(f"{mark} {said}" for mark, said in MARKS.items())
    head = ("setting", "default", "range", "unit", "")
    return [*table(head, rows, [s.meaning for s in found]), "", f"Settings: {len(found)}. Sources:", *wrap(f"{legend}.", COLUMNS)]


def explain(word: str = "") -> list[str]:
    """Tell all of an instrument, a setting, an outcome, a region, a portfolio, a phase or a practice."""
    known = dict[str, list[Callable[[], list[str]]]]()
    for names, tell in explained():
        for name in names:
            known.setdefault(name, []).append(tell)
    if word not in known:
        nouns = "an instrument, a practice, a setting, an outcome, a region, a portfolio or a phase of the month"
        raise VerbError(
            f"there is nothing called {word!r} to explain{did_you_mean(word, known)}" if word else f"explain what? Type {nouns}"
        )
    return [line for k, tell in enumerate(known[word]) for line in ([""] if k else []) + tell()]


def completion(shell: str = "", prefix: str = "", verb: str = "") -> list[str]:
    """Print a script that completes words in bash or zsh, or the words themselves."""
    match shell:
        case "bash" | "zsh":
            return (BASH if shell == "bash" else ZSH).splitlines()
        case "words":
            return [word for word in (explainable() if verb in {"explain", "help"} else typable()) if word.startswith(prefix)]
    raise VerbError(f"completion of {shell!r}? There is bash, zsh{did_you_mean(shell, ('bash', 'zsh'))}")


def help_on(word: str = "") -> list[str]:
    """Print what can be typed, as --help does, or explain a word."""
    return explain(word) if word else help_text().splitlines()


def explainable() -> list[str]:
    """Return every word that can be explained, without those that a shell would take apart."""
    return sorted({name for names, _ in explained() for name in names if not set(name) & set(" =()")})


def typable() -> list[str]:
    """Return verbs, then groups with their options, then settings with their choices."""
    words = [*VERBS]
    for group, options in groups().items():
        form = {"experiment": "+experiment={}", "instruments": "instruments=[{}]"}.get(group, group + "={}")
        words += [form.format(option) for option in options]
    return list(dict.fromkeys([*words, *(f"{s.path}={choice}" for s in settings() for choice in s.choices or ("",))]))


def rerun(*words: str) -> int:
    """Run a finished study again and compare, or one replicate of it with everything written down."""
    from experiments.studies.rerun import main as again

    return again(words)


#: What answers each verb: with lines to print, or having printed them with an exit status.
ANSWERS: dict[str, Callable[..., list[str] | int]] = {
    **{one.__name__: one for one in (results, rerun, regions, policies, instruments, experiments, parameters, explain, completion)},
    "help": help_on,
}


def main(argv: Sequence[str]) -> int | None:
    """Do what a verb asks.

    Parameters
    ----------
    argv : sequence of str
        What was typed after ``strongchain``.

    Returns
    -------
    int or None
        Exit status: 0, or 1 if it could not be done. None if the first word is no verb.
    """
    if not argv or argv[0] not in VERBS:
        return None
    verb, words = argv[0], argv[1:]
    answer, takes = ANSWERS[verb], inspect.signature(ANSWERS[verb]).parameters.values()
    usage = f"strongchain {verb} {VERBS[verb]}".rstrip()
    try:
        if {"-h", "--help"} & set(words):
            said: list[str] | int = [usage, f"  {first_line(answer.__doc__)}"]
        elif len(words) > len(takes) and all(one.kind is not one.VAR_POSITIONAL for one in takes):
            raise VerbError(f"{words[-1]!r} is one word too many; type {usage}")
        else:
            said = answer(*words)
    except VerbError as mistake:
        print(f"strongchain: {mistake}", file=sys.stderr)
        return 1
    if isinstance(said, int):
        return said
    try:
        print("\n".join(said), flush=True)
    except BrokenPipeError:  # the reader, say `head`, has seen enough
        sys.stderr.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
