"""The application's own verbs: what there is, what it means, and which studies were run.

``strongchain results | report | slides | export | rerun | verify | release | import | regions | chains |
policies | policy | instruments | shocks | experiments |
parameters | explain | completion | help``.
Each prints plain text as wide as the terminal, at most 100 columns. The world is imported by the verbs that need it.
"""

from __future__ import annotations

import datetime
import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from experiments.catalogue.chains import chain_files
from experiments.catalogue.portfolios import portfolios
from experiments.catalogue.settings import MARKS, explained, figures, practice_of, region_files, setting, settings
from experiments.commands.completion import BASH, ZSH
from experiments.commands.help import help_text
from experiments.configuration.declared import SWITCHED, VERBS, groups
from experiments.configuration.files import each_file
from experiments.formatting import value
from experiments.languages.wording import ENGLISH, label, languages, lines, say, spoken, use_language
from experiments.languages.wording import mistake as in_words
from experiments.runs.files import SUMS
from experiments.runs.manifests import MANIFEST, POINT, read_manifest
from experiments.runs.ownership import lives, owner_of
from experiments.terminal import COLUMNS, did_you_mean, first_line, printable, table, wrap
from experiments.waiting import slow

__all__ = ["ANSWERS", "VERBS", "VerbError", "main"]

#: What reading a folder may raise in which somebody changed a file, or cut it off.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, OSError)

#: Verbs that read many files before they print anything; their phrases are ``waiting.VERB``.
SLOW = ("results", "regions", "chains", "policies", "explain", "parameters")


class VerbError(ValueError):
    """A verb that cannot do what was typed: what, and what would be right."""


def results(folder: str = "results") -> list[str]:
    """List the studies of a folder, the newest first."""
    here = Path(folder)
    if not here.is_dir():
        if folder != "results":
            near = did_you_mean(here.name, [p.name for p in here.parent.glob("*") if p.is_dir()])
            raise VerbError(say("verbs.no_folder", folder=folder, near=near))
        return [say("verbs.no_results")]
    studies = [study(path) for path in here.iterdir() if path.is_dir() and path.name != "runs"]
    if not studies:
        return [say("verbs.no_study", folder=folder)]
    rows = [row for _, row in sorted(studies, reverse=True)]
    return table(_head("study", "status", "arms", "replicates", "months", "size", "date"), rows)


def _head(*names: str) -> list[str]:
    """The heads of a table, from the table of phrases."""
    return [say(f"verbs.heads.{name}") for name in names]


def study(path: Path) -> tuple[float, tuple[str, ...]]:
    """Read what a folder of results says of itself: when it was written, and its row."""
    try:
        described = summary(path)
    except UNREADABLE:
        described = (say("verbs.status.unreadable"), "?", "?", "?")
    files = []
    for file in path.rglob("*"):
        with suppress(OSError):  # a study that runs renames its files
            if file.is_file():
                files.append(file.stat())
    when = max([one.st_mtime for one in files], default=path.stat().st_mtime)
    size = float(sum(one.st_size for one in files))
    units = iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    date = datetime.datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M")
    return when, (path.name, *described, f"{size:.3g} {unit}", date)


def summary(path: Path) -> tuple[str, ...]:
    """Return status, arms, replicates and months of a study, a sweep, a rerun of one of them or a replicate in full.

    Raises
    ------
    Exception
        One of `UNREADABLE`, where a file of it cannot be read or does not hold what it should.
    """
    full = sorted(table.parent.name for table in path.glob("*/series.parquet"))
    if full and re.fullmatch(r".+_replicate_\d+", path.name):
        return say("verbs.status.replicate"), ", ".join(full), "1", "?"
    points = [point for point in path.iterdir() if (point / POINT).is_file() or (point / MANIFEST).is_file()]
    home = min(points, key=lambda point: (not (point / MANIFEST).is_file(), point.name), default=path)
    noted, owner = notes(home), owner_of(home)
    whole = sum((point / MANIFEST).is_file() for point in points or [path])
    if owner is not None and owner.kind == "rerun":
        homes = (path, path.with_name(path.name.removesuffix("_rerun")))
        begun = [point for folder in homes for point in folder.glob("[0-9]*") if point.is_dir()]
        many = len({one.name for one in begun}) or 1
        status = say("verbs.status.rerun" if whole == many else "verbs.status.unfinished_rerun", whole=whole, many=many)
    elif points:
        collected = (path / SUMS).is_file()
        status = say("verbs.status.sweep" if collected else "verbs.status.unfinished_sweep", whole=whole, many=len(points))
    elif not whole and owner is not None and lives(home, owner):
        status = say("verbs.status.running")
    else:
        status = say("verbs.status.complete" if whole else "verbs.status.unfinished", failed=len(noted.get("failed") or ()))
    configuration = noted.get("configuration") or {}
    replicates = noted.get("replicates", configuration.get("replicates", "?"))  # a study may stop early: those that were run
    return status, ", ".join(dict(noted.get("arms") or {})) or "?", value(replicates), value(configuration.get("months", "?"))


def notes(home: Path) -> dict[str, Any]:
    """Return the manifest of a study, or else what its claim says of it, or else nothing."""
    if (home / MANIFEST).is_file():
        return read_manifest(home)
    owner = owner_of(home)
    return {} if owner is None else {"configuration": {"months": owner.months or "?", "replicates": owner.replicates or "?"}}


def regions() -> list[str]:
    """List the regions, with how many of their figures were read in a source."""
    rows = []
    for region in region_files():
        kinds = [kind for *_, kind in figures(region)]
        counts = [value(getattr(region, key)) for key in ("chains", "leaders", "firms", "stations")]
        shares = [say("verbs.part", part=kinds.count(kind), whole=len(kinds)) for kind in ("fact", "assumption")]
        rows.append((region.key, say("things.place", region.label, region.label_zh), *counts, *shares))
    head = _head("region", "label", "chains", "leaders", "firms", "stations", "facts", "assumptions")
    return [*table(head, rows), "", say("verbs.choose.region")]


def chains() -> list[str]:
    """List the chains that have a name."""
    rows = [
        (one.key, say("things.place", one.label, one.label_zh), one.home, label(one.county), str(len(one.tier_shares)), str(one.leaders))
        for one in chain_files()
    ]
    return [*table(_head("chain", "label", "home", "county", "tiers", "leaders"), rows), "", say("verbs.choose.chain")]


def policies() -> list[str]:
    """List the portfolios of instruments, with how many of the values they set were read in a source."""
    rows = []
    for one in portfolios():
        kinds = [source.startswith("assumption") for path, source in one.sources.items() if path in one.levers]
        shares = [say("verbs.part", part=kinds.count(kind), whole=len(kinds)) if kinds else "" for kind in (False, True)]
        rows.append((one.key, say("things.place", one.label, one.label_zh), str(len(one.instruments)), *shares))
    head = _head("policy", "label", "instruments", "levers_with_facts", "assumptions")
    typed = [", ".join(key if spoken().code == ENGLISH else spoken().instrument(key) for key in one.instruments) for one in portfolios()]
    return [*table(head, rows, typed), "", say("verbs.choose.policy")]


def instruments() -> list[str]:
    """List the instruments."""
    from sim import INSTRUMENTS

    rows = []
    for key, cls in INSTRUMENTS.items():
        dose = next(setting(cls, f, f"instruments.{key}") for f in fields(cls) if f.name == cls.dose)
        rows.append((key, practice_of(cls), " ".join((dose.name, "=", dose.default, label(dose.unit))).removesuffix(" 1")))
    does = [label(first_line(cls.__doc__)) for cls in INSTRUMENTS.values()]
    return [*table(_head("instrument", "practice", "dose"), rows, does), "", say("verbs.choose.instruments")]


def shocks() -> list[str]:
    """List the shocks."""
    from sim import SHOCKS

    rows = []
    for key, cls in SHOCKS.items():
        size = next(setting(cls, f, f"shocks.{key}") for f in fields(cls) if f.name == "size")
        rows.append((key, say("things.place", cls.label, cls.label_zh), " ".join(("size =", size.default, label(size.unit)))))
    does = [label(first_line(cls.__doc__)) for cls in SHOCKS.values()]
    return [*table(_head("shock", "label", "size_by_default"), rows, does), "", say("verbs.choose.shocks")]


def experiments() -> list[str]:
    """List the experiments, or say how to add one."""

    def read(path: Path) -> tuple[str, str]:
        comments = [line.lstrip("# ") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
        return path.stem, label(next((line for line in comments if not line.startswith("@package")), ""))

    rows = list(each_file("experiment", read))
    return table(_head("experiment", "asks"), rows) if rows else lines("verbs_text.no_experiment").splitlines()


def parameters(word: str = "") -> list[str]:
    """List the settings whose path or meaning holds a word."""
    every = settings()
    matching = [s for s in every if word.casefold() in s.path.casefold() or word.casefold() in s.meaning.casefold()]
    if not matching:
        near = did_you_mean(word, [name for s in every for name in (s.path, s.name)])
        raise VerbError(say("verbs.no_setting", word=word, near=near))
    rows = [(s.path, s.default, label(s.legal), label(s.unit), s.mark) for s in matching]
    head = [*_head("setting", "default", "range", "unit"), ""]
    legend = wrap(say("verbs_text.legend", list(MARKS)), COLUMNS)
    return [*table(head, rows, [label(s.meaning) for s in matching]), "", say("verbs.settings", number=len(matching)), *legend]


def explain(word: str = "") -> list[str]:
    """Explain an instrument, a setting, an outcome, a region, a portfolio, a phase or a practice."""
    known = dict[str, list[Callable[[], list[str]]]]()
    for names, tell in explained():
        for name in names:
            known.setdefault(name, []).append(tell)
    if word not in known:
        raise VerbError(say("verbs.not_explained", word=word, near=did_you_mean(word, known)) if word else say("verbs.explain_what"))
    return [line for k, tell in enumerate(known[word]) for line in ([""] if k else []) + tell()]


def completion(shell: str = "", prefix: str = "", verb: str = "") -> list[str]:
    """Print a script that completes words in bash or zsh, or the words themselves."""
    match shell:
        case "bash" | "zsh":
            return (BASH if shell == "bash" else ZSH).splitlines()
        case "words":
            return [word for word in (explainable() if verb in {"explain", "help"} else typable()) if word.startswith(prefix)]
    raise VerbError(say("verbs.no_shell", shell=shell, near=did_you_mean(shell, ("bash", "zsh"))))


def help_on(word: str = "") -> list[str]:
    """Print what can be typed, as --help does, or explain a word."""
    return explain(word) if word else help_text().splitlines()


def explainable() -> list[str]:
    """Return every word that can be explained, without those that a shell would take apart."""
    return sorted({name for names, _ in explained() for name in names if not set(name) & set(" =()")})


def typable() -> list[str]:
    """Return verbs, then groups with their options, then settings with their choices."""
    typed = [*VERBS]
    for group, options in groups().items():
        form = {"experiment": "+experiment={}", **{name: name + "=[{}]" for name in SWITCHED}}.get(group, group + "={}")
        typed += [form.format(option) for option in options]
    return list(dict.fromkeys([*typed, *(f"{s.path}={choice}" for s in settings() for choice in s.choices or ("",))]))


def verify(folder: str = "results") -> int:
    """Check every file of a study, or of all studies and their runs, against its checksum."""
    from experiments.commands.verification import main as checked

    return checked(Path(folder))


def release(folder: str = "") -> list[str]:
    """Give up the claim of a study that was stopped: another process may go on with it."""
    from experiments.configuration.rules import SettingsError
    from experiments.runs.ownership import release as given_up

    if not folder:
        raise VerbError(say("verbs.release_what"))
    try:
        return [say(f"verbs.release.{given_up(Path(folder))}", folder=folder)]
    except SettingsError as mistake:
        raise VerbError(str(mistake)) from None


def policy(*arguments: str) -> list[str] | int:
    """Write a policy of one's own into a file, or check it: all mistakes, or what it does."""
    from experiments.commands.policy import check_policy, new_policy

    does, rest = (arguments[0] if arguments else ""), arguments[1:]
    try:
        match does:
            case "new":
                return new_policy(rest)
            case "check":
                output, right = check_policy(rest)
                print(printable("\n".join(output)), file=sys.stdout if right else sys.stderr)
                return int(not right)
    except ValueError as mistake:
        raise VerbError(str(mistake)) from None
    raise VerbError(say("own_policy.which_verb", does, did_you_mean(does, ("new", "check"))))


def report(folder: str = "", *, language: str = "") -> list[str]:
    """Draw a finished study again: figures, report, workbook. Nothing is simulated."""
    if not folder:
        raise VerbError(say("verbs.report_what"))
    from experiments.reports.sweep import collect_sweep
    from experiments.study_results import load

    here = Path(folder)
    try:
        if finished := [] if (here / MANIFEST).is_file() else sorted(here.glob(f"[0-9]*/{MANIFEST}")):
            with use_language(language or _language_of(read_manifest(finished[0].parent))), slow("waiting.sweep", points=len(finished)):
                points = collect_sweep(here)
                failed = int(points["error"].notna().sum())
                return [lines("sweep.collected", points=len(points), failed=failed, table=here / "sweep.csv", drawn=True)]
        result = load(here)
        with use_language(language or _language_of(result.manifest)), slow("waiting.redraw"):
            written = result.draw(here)
            return [say("verbs.redrawn", files=len(written), folder=here)]
    except UNREADABLE as mistake:
        raise VerbError(" ".join(str(mistake).split())) from None


def slides(folder: str = "", *, language: str = "") -> list[str]:
    """Draw a finished study again as slides of 16:9 and one PDF. Nothing is simulated."""
    if not folder:
        raise VerbError(say("slides.what"))
    from experiments.analysis.results import load
    from experiments.reports.slides import write_slides

    here = Path(folder)
    try:
        comparison = load(here)
        with use_language(language or _language_of(comparison.manifest)), slow("waiting.redraw"):
            paths = write_slides(comparison, here)
            return [say("slides.written", slides=len(paths) - 1, folder=paths[0].parent)]
    except UNREADABLE as mistake:
        raise VerbError(" ".join(str(mistake).split())) from None


def export(folder: str = "") -> list[str]:
    """Write the networks and quality maps of a finished study as GraphML and GEXF."""
    if not folder:
        raise VerbError(say("graphs.what"))
    from experiments.analysis.results import load
    from experiments.reports.graphs import write_graphs

    here = Path(folder)
    try:
        comparison = load(here)
        paths = write_graphs(comparison, here)
    except UNREADABLE as mistake:
        raise VerbError(" ".join(str(mistake).split())) from None
    if not paths:
        raise VerbError(say("graphs.no_map", folder=here))
    return [say("graphs.written", files=len(paths), folder=paths[0].parent)]


def _language_of(about: Mapping[str, Any]) -> str:
    """The language that a study was asked for in; English if it is of a version without languages."""
    return str(about["configuration"].get("language", ENGLISH))


def import_list(*arguments: str) -> list[str]:
    """Read a list of suppliers (.xlsx, .csv): write the files of a study, and a page on the data."""
    from experiments.commands.importing import import_chain

    try:
        return import_chain(arguments, f"strongchain import {VERBS['import']}")
    except ValueError as mistake:
        raise VerbError(str(mistake)) from None


def rerun(*arguments: str) -> int:
    """Run a finished study again and compare, or one replicate of it with everything written down."""
    with slow("waiting.rerun"):
        from experiments.studies.rerun import main as again

    return again(arguments)


#: What answers each verb: with lines to print, or having printed them with an exit status.
ANSWERS: dict[str, Callable[..., list[str] | int]] = {
    **{
        one.__name__: one
        for one in (
            results,
            report,
            slides,
            export,
            rerun,
            verify,
            release,
            regions,
            chains,
            policies,
            policy,
            instruments,
            shocks,
            experiments,
            parameters,
            explain,
            completion,
        )
    },
    "import": import_list,
    "help": help_on,
}


def main(argv: Sequence[str], typed_languages: Sequence[str] = ()) -> int | None:
    """Do what a verb asks.

    Parameters
    ----------
    argv : sequence of str
        What was typed after ``strongchain``, but for the language.
    typed_languages : sequence of str
        What was typed as ``language=...``: one that there is, at most.

    Returns
    -------
    int or None
        Exit status: 0, or 1 if it could not be done. None if the first word is no verb.
    """
    if not argv or argv[0] not in VERBS:
        return None
    verb, arguments = argv[0], argv[1:]
    answer, every = ANSWERS[verb], inspect.signature(ANSWERS[verb]).parameters.values()
    takes = [one for one in every if one.kind is not one.KEYWORD_ONLY]
    named = {"language": "".join(typed_languages)} if len(takes) < len(every) else {}
    usage = f"strongchain {verb} {VERBS[verb]}".rstrip()
    try:
        if wrong := [code for code in typed_languages if code not in languages()]:
            raise VerbError(say("verbs.no_language", code=wrong[0], languages=languages()))
        if len(typed_languages) > 1:
            raise VerbError(say("verbs.language_twice"))
        if {"-h", "--help"} & set(arguments):
            output: list[str] | int = [usage, f"  {label(first_line(answer.__doc__))}"]
        elif len(arguments) > len(takes) and all(one.kind is not one.VAR_POSITIONAL for one in takes):
            raise VerbError(say("verbs.too_many", word=arguments[-1], usage=usage))
        else:
            with slow(f"waiting.{verb}") if verb in SLOW else nullcontext():
                output = answer(*arguments, **named)
    except VerbError as mistake:
        print(f"strongchain: {printable(in_words(str(mistake)))}", file=sys.stderr)
        return 1
    if isinstance(output, int):
        return output
    try:
        print(printable("\n".join(output)), flush=True)
    except BrokenPipeError:  # the reader, say `head`, has seen enough
        sys.stderr.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
