"""Every mistake of a command line at once, before anything is run: what, where, what would be right.

Hydra stops at its first error, lets values out of range pass, and cannot read a Chinese file name without
quotes. Here every word is looked at by itself: whether there is such a setting (with the nearest one there is),
whether each of its values, a sweep's too, has the right type and lies in its range, whether files are there,
and whether anything names code to run. Then the words are looked at together: what the groups chosen amount to
at every point of a sweep, which levers would change nothing there, what the arms say, and what the files of the
configuration say that were chosen. Nothing is executed.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

import experiments.declarations as declarations
from agents.columns import nearest
from experiments.declarations import TOP, fields_by_path, groups
from experiments.settings import ARM_KEYS, SettingsError, check_name, compose_settings, idle_lever
from experiments.words import FILES, FREE, Word, leaves, read_word, settings
from sim.parameters import wrong_value

__all__ = ["check_words", "preflight"]

#: Settings of Hydra that may be typed; everything else of it can name code to run, or leads results astray.
HYDRAS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.verbose", "hydra/launcher")
#: Flags of Hydra that take configuration from elsewhere.
ASTRAY = ("--config-path", "-cp", "--config-dir", "-cd", "--config-name", "-cn", "--experimental-rerun")
#: Flags of Hydra that a word follows, and which.
VALUED = {
    ("--cfg", "-c"): ("job", "hydra", "all"),
    ("--info", "-i"): ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
    ("--package", "-p"): (),
}
#: Flags of Hydra that stand alone.
ALONE = ("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r", "--multirun", "-m", "--shell-completion", "-sc")
#: Flags of Hydra that make it run every point of a sweep.
MANY = ("-m", "--multirun")
#: Keys that make Hydra call something.
CODE = ("_target_", "_args_", "_partial_", "_recursive_", "_convert_")
#: Groups that decide which levers and settings there are.
DECISIVE = ("instruments", "network", "policy", "experiment")
#: What the overrides of an arm can begin with; all else holds for the whole study.
ARM_WORDS = (*ARM_KEYS, "policy")
#: Most points of a sweep that are composed; of more, only those where all groups but one are at their first or last value.
MOST_POINTS = 32


def preflight(words: Sequence[str]) -> list[str]:
    """Return the words as Hydra can read them.

    Parameters
    ----------
    words : sequence of str
        What was typed after ``strongchain``, flags included.

    Raises
    ------
    SettingsError
        A line for every mistake.
    """
    valued = [flag for names in VALUED for flag in names]
    flags = [k for k, word in enumerate(words) if word.startswith("-") or (k and words[k - 1] in valued)]
    mistakes = [said for k in flags if words[k].startswith("-") for said in _flag(words[k], words[k + 1 : k + 2])]
    overrides = [k for k in range(len(words)) if k not in flags]
    single = "" if any(word in MANY for word in words) else "several values are a sweep; type strongchain -m …, or write a list as [A,B]"
    readable, wrong = check_words([words[k] for k in overrides], single=single)
    if mistakes := mistakes + wrong:
        head = "" if len(mistakes) == 1 else f"{len(mistakes)} mistakes; nothing was run\n"
        raise SettingsError(head + "\n".join(f"  {mistake}" if head else mistake for mistake in mistakes))
    mended = dict(zip(overrides, readable, strict=True))
    return [mended.get(k, word) for k, word in enumerate(words)]


def _flag(word: str, following: Sequence[str]) -> Iterator[str]:
    """Say what is wrong with a flag and, where one belongs to it, the word after it."""
    flag, equals, value = word.partition("=")
    values = next((legal for names, legal in VALUED.items() if flag in names), None)
    if flag in ASTRAY:
        yield f"{flag}: takes settings from elsewhere; type them, or put them into a file under configs/"
    elif values is None and flag not in ALONE:
        yield f"{word}: there is no such flag{nearest(flag, [*ALONE, *(name for names in VALUED for name in names)])}"
    elif values is not None:
        given = value if equals else next(iter(following), "")
        if not given or (values and given not in values):
            legal = f"one of {', '.join(values)}" if values else "a name"
            yield f"{flag} {given}".rstrip() + f": it must be {legal}{nearest(given, values)}"


def check_words(words: Sequence[str], outer: Sequence[Word] = (), single: str = "") -> tuple[list[str], list[str]]:
    """Look at every override by itself, then at what they amount to together.

    Parameters
    ----------
    words : sequence of str
        Overrides.
    outer : sequence of Word
        What holds already, unless the words say otherwise: of an arm, the words of its study.
    single : str
        Why a word may have only one value, if so.

    Returns
    -------
    tuple
        The words as Hydra reads them, and all mistakes.
    """
    mistakes: list[str] = []
    read: list[Word] = []
    sound: list[Word] = []
    for typed in words:
        try:
            word = read_word(typed)
        except SettingsError as mistake:
            mistakes.append(str(mistake))
            continue
        read.append(word)
        said = list(_look_at(word))
        if len(word.alone) > 1 and single and not said:
            said = [f"{typed}: {single}"]
        mistakes += said
        if not said:
            sound.append(word)
    from_files = list(_chosen_files(sound, [*outer, *sound]))
    mistakes += from_files
    news = not outer or any(word.key in DECISIVE for word in sound)  # else it was told of the outer words
    mistakes += _idle(sound, [*outer, *sound], tell=news and not from_files)
    mistakes += _arms(sound, [*outer, *sound])
    return [word.readable for word in read], list(dict.fromkeys(mistakes))


# -- one word ----------------------------------------------------------------------------------------


def _look_at(word: Word) -> Iterator[str]:
    """Say everything that is wrong with one word."""
    key = word.key
    if names := [part for value in (key, *word.values) for part in _names_code(value)]:
        yield f"{word.typed}: {names[0]} names code to run, which no setting may"
    elif key.startswith("hydra"):
        if key not in HYDRAS:
            yield f"{word.typed}: of Hydra's own settings only {', '.join(HYDRAS)} can be typed{nearest(key, HYDRAS)}"
    elif key in groups() and not any(isinstance(value, dict) for value in word.values):
        yield from _choices(word)
    elif key in settings() or any(key.startswith(f"{free}.") for free in FREE):
        for value in word.values:
            for path, leaf in leaves(key, value):
                yield from _value(path, leaf)
    else:
        yield f"{word.typed}: {_unknown(key)}"


def _names_code(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (part for part in value.replace("/", ".").split(".") if part in CODE)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _names_code(str(name))
            yield from _names_code(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names_code(inner)


def _unknown(key: str) -> str:
    """Name the nearest setting: of the same group if there is one, of its last part anywhere, or of any."""
    group, _, rest = key.partition(".")
    said = f"there is no setting {key!r}"
    same = [known for known in settings() if known.startswith(f"{group}.")]
    if not rest or not same:
        homes = [known for known in settings() if known.split(".")[-1] == key.split(".")[-1]]
        if homes:
            return f"{said}; did you mean {homes[0]!r}?"
    return said + (nearest(key, same) or nearest(key, [*settings(), *groups()]))


def _choices(word: Word) -> Iterator[str]:
    """Say which options of a group there are not."""
    options = groups()[word.key]
    chosen = [option for value in word.values for option in (value if isinstance(value, list) else [value])]
    for option in chosen:
        if str(option) not in options:
            there = f"there is {', '.join(options)}" if options else "there is none yet"
            yield f"{word.key}={option}: no such {word.key.rstrip('s')}; {there}{nearest(str(option), options)}"


def _value(key: str, value: Any) -> Iterator[str]:
    """Say what is wrong with one value of a setting."""
    if isinstance(value, str) and value.startswith("${"):
        return
    if key not in settings() and not any(key.startswith(f"{free}.") for free in FREE):
        yield _unknown(key)
    elif settings().get(key) == "node":
        yield f"{key} is {value!r}; it holds settings of its own: type {key}.NAME=VALUE"
    elif key == "name":
        try:
            check_name(str(value), "name")
        except SettingsError as mistake:
            yield str(mistake)
    elif key in TOP:
        yield from filter(None, [TOP[key].wrong(key, value)])
    elif key in FILES:
        if value is not None and not Path(str(value)).is_file():
            yield f"{key}: there is no file {str(value)!r}{_nearest_file(Path(str(value)))}"
    elif key.endswith(".active"):
        if not isinstance(value, bool):
            yield f"{key} is {value!r}; it must be true or false"
    elif key == "network.kind":
        yield f"{key} is {value!r}; the kind of a network is chosen as a whole: type network={value}"
    elif key in FREE:
        if value is not None and not isinstance(value, dict):
            yield f"{key} is {value!r}; it must name its values: '{key}={{NAME: VALUE}}'"
    elif (f := fields_by_path().get(key)) is not None:
        yield from _declared_value(f, key, value)


def _declared_value(f: Any, key: str, value: Any) -> Iterator[str]:
    if "range" in f.metadata:
        yield from filter(None, [wrong_value(f, list(value) if isinstance(value, list) else value, key)])
    elif "choices" in f.metadata:
        choices = f.metadata["choices"]
        for one in value if isinstance(value, list) else [value]:
            if one not in choices:
                yield f"{key} is {one!r}; it must be one of {', '.join(choices)}{nearest(str(one), choices)}"
    elif str(f.type) == "bool" and not isinstance(value, bool):
        yield f"{key} is {value!r}; it must be true or false"


def _nearest_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; nor is there a folder {str(folder)!r}"
    return nearest(path.name, [there.name for there in folder.iterdir() if there.is_file()])


# -- words together -----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _composed(words: tuple[str, ...]) -> DictConfig | str:
    """Compose what the groups chosen amount to, or say why that cannot be."""
    try:
        return compose_settings(words)
    except Exception as mistake:  # whatever Hydra finds to complain of
        lines = f"{mistake}\n{mistake.__cause__ or ''}".splitlines()
        return " ".join(line.strip() for line in lines if line.strip() and not line.startswith((" ", "\t", "To append", "Config search")))


def _points(words: Sequence[Word]) -> Iterator[tuple[str, DictConfig | str]]:
    """Compose the groups chosen at every point of a sweep: the point as typed, and what it amounts to.

    Of a group chosen twice the last word counts.
    """
    decisive = [word for word in words if word.key in DECISIVE or word.key.endswith(".active")]
    axes = [word.alone for word in {word.key: word for word in decisive}.values()]
    points = list(itertools.islice(itertools.product(*axes), MOST_POINTS + 1))
    if len(points) > MOST_POINTS:
        ends = [tuple(axis[end] for axis in axes) for end in (0, -1)]
        points = [(*end[:k], one, *end[k + 1 :]) for end in ends for k, axis in enumerate(axes) for one in axis]
    for point in dict.fromkeys(points):
        yield " ".join(one for one, axis in zip(point, axes, strict=True) if len(axis) > 1) or " ".join(point), _composed(point)


def _idle(words: Sequence[Word], context: Sequence[Word], tell: bool) -> Iterator[str]:
    """Say which points cannot be composed (if that is to be told), and which words would change nothing at some point."""
    if not any(word.key.startswith(DECISIVE) for word in words):
        return
    points = list(_points(context))
    if tell:
        yield from (f"{point}: {found}" for point, found in points if isinstance(found, str))
    for word in words:
        for path in dict.fromkeys(path for value in word.values for path, _ in leaves(word.key, value)):
            idle = [(point, said) for point, found in points if not isinstance(found, str) and (said := idle_lever(found, path))]
            if idle and not _counts_in_an_arm(path, context, points):
                more = f" and {len(idle) - 1} more of {len(points)} points" if len(idle) > 1 else ""
                yield f"{word.typed}: {idle[0][1]}" + (f" (at {idle[0][0]}{more})" if len(points) > 1 else "")


def _counts_in_an_arm(path: str, context: Sequence[Word], points: Sequence[tuple[str, DictConfig | str]]) -> bool:
    """Whether a word that changes nothing in the study as such does in one of its arms, typed or from a file."""
    typed = [leaf for word in context for value in word.values for key, leaf in leaves(word.key, value) if key.startswith("study.arms")]
    filed = [found.study.arms for _, found in points if not isinstance(found, str)]
    arms = [inner for arms in (*typed, *filed) if arms for inner in (arms.values() if isinstance(arms, dict | DictConfig) else [arms])]
    outer = [word for word in context if not word.key.startswith("study.arms")]
    for inner in arms:
        theirs = []
        for word in inner if isinstance(inner, list | ListConfig) else ():
            with contextlib.suppress(SettingsError):
                theirs.append(read_word(str(word)))
        if any(not isinstance(found, str) and not idle_lever(found, path) for _, found in _points([*outer, *theirs])):
            return True
    return False


def _arms(words: Sequence[Word], context: Sequence[Word]) -> Iterator[str]:
    """Look at the overrides of every arm as if they had been typed after the words of the study."""
    outer = [word for word in context if not word.key.startswith("study.arms")]
    for word in words:
        if word.key != "study.arms" and not word.key.startswith("study.arms."):
            continue
        for value in word.values:
            arms = value if word.key == "study.arms" else {word.key.removeprefix("study.arms."): value}
            if value is None or (isinstance(value, str) and value.startswith("${")):
                continue
            if not isinstance(arms, dict) or not all(_are_words(inner) for inner in arms.values()):
                yield f"{word.typed}: arms are lists of overrides; write 'study.arms={{half: [instruments.cqo.reach=0.5]}}'"
                continue
            for name, inner in arms.items():
                yield from _arm(str(name), inner, outer)


def _are_words(inner: Any) -> bool:
    return isinstance(inner, list) and all(isinstance(word, str) for word in inner)


def _arm(name: str, words: list[str], outer: Sequence[Word]) -> Iterator[str]:
    try:
        check_name(name, "an arm's name")
    except SettingsError as mistake:
        yield str(mistake)
    theirs = []
    for word in words:
        key = re.split(r"[.=@]", word.lstrip("+~"), maxsplit=1)[0]
        if key in ARM_WORDS or not (key in groups() or key in settings()):
            theirs.append(word)
        else:
            yield (
                f"study.arms.{name} sets {key}; an arm can set {', '.join(ARM_WORDS)}: type what holds for the whole study outside the arms"
            )
    yield from (f"arm {name}: {said}" for said in check_words(theirs, outer, "an arm takes one value; sweep outside the arms")[1])


# -- files of the configuration --------------------------------------------------------------------------


def _chosen_files(words: Sequence[Word], context: Sequence[Word]) -> Iterator[str]:
    """Look at what the files of the configuration that were chosen say, as if it had been typed."""
    for word in words:
        if word.key not in groups() or word.key == "instruments":
            continue
        for value, alone in zip(word.values, word.alone, strict=True):
            for option in value if isinstance(value, list) else [value]:
                path = declarations.CONFIGS / word.key / f"{option}.yaml"
                if path.is_file():
                    own = Word(alone, alone, word.key, (option,), (alone,))
                    others = [other for other in context if other.key != word.key]
                    yield from (f"configs/{word.key}/{path.name}: {said}" for said in _file(path, own, others))


def _file(path: Path, own: Word, others: Sequence[Word]) -> Iterator[str]:
    """Look at one file, chosen by a word of its own beside others."""
    text = path.read_text(encoding="utf-8")
    try:
        written = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except Exception as mistake:  # whatever YAML finds to complain of
        yield f"cannot be read: {' '.join(str(mistake).split())}"
        return
    everywhere = re.search(r"^#\s*@package\s+_global_\s*$", text, re.MULTILINE)
    if not isinstance(written, dict):
        yield "holds no settings; write KEY: VALUE on each line"
        return
    if own.key in {"experiment", "policy"} and not everywhere:
        yield "its first line must be '# @package _global_', or nothing in it is found"
        return
    named = {str(name): value for name, value in written.items() if name != "defaults"}
    found = list(leaves("" if everywhere else own.key, named)) if named else []
    words = [Word(f"{key}={value}", "", key, (value,), ("",)) for key, value in [*_defaults(written.get("defaults")), *found]]
    sound = []
    for word in words:
        said = list(_look_at(word))
        yield from said
        if not said:
            sound.append(word)
    broken = len(sound) < len(words)
    yield from _chosen_files([word for word in sound if word.key in groups()], [*others, own])
    if everywhere and not broken:
        yield from _idle([word for word in sound if word.key not in groups()], [own], tell=False)
    yield from _arms(sound, [*others, own])


def _defaults(listed: Any) -> Iterator[tuple[str, Any]]:
    """Take the groups that a file chooses from its list of defaults."""
    for entry in listed if isinstance(listed, list) else []:
        for name, option in entry.items() if isinstance(entry, dict) else ():
            group = str(name).split()[-1].split("@")[0]
            if group.startswith("/") and option is not None:
                yield group.removeprefix("/"), option
