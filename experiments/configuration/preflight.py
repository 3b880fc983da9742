"""Every mistake of a command line at once, before anything is run: what, where, what would be right.

Hydra stops at its first error, lets values out of range pass, and cannot read a Chinese file name without
quotes. Here every word is looked at by itself: whether there is such a setting (with the nearest one there is),
whether each of its values, a sweep's too, has the right type and lies in its range, whether files are there,
and whether anything names code to run. Then the words are looked at together: what the groups chosen amount to
at every point of a sweep, which levers would change nothing there, which settings contradict each other, what
the arms say, and what the files of the configuration say that were chosen. Nothing is executed.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from experiments.configuration import files
from experiments.configuration.declared import declared_at, groups
from experiments.configuration.flags import MANY, apart
from experiments.configuration.overrides import Word, leaves, read_word, settings, why_unreadable
from experiments.configuration.settings import (
    NO_LISTS,
    Settings,
    SettingsError,
    are_lists,
    check_name,
    compose_settings,
    idle_setting,
    in_one_line,
    named_arms,
    no_arm,
    not_of_an_arm,
    read_settings,
    refuse_idle_settings,
    too_few,
)
from experiments.configuration.values import look_at, wrong_for_network

__all__ = ["check_words", "checked_settings", "preflight"]

#: Groups that decide which levers and settings there are.
DECISIVE = ("instruments", "network", "study", "policy", "experiment")
#: What the names of settings begin with that cannot differ between the points of a sweep.
ONCE = ("name", "quiet", "save", "parallel", "hydra")
#: Most points of a sweep that are composed; of more, only those where all groups but one are at their first or last value.
MOST_POINTS = 32


def preflight(words: Sequence[str]) -> list[str]:
    """Return the words as Hydra can read them, flags first.

    Parameters
    ----------
    words : sequence of str
        What was typed after ``strongchain``, flags included.

    Raises
    ------
    SettingsError
        A line for every mistake.
    """
    flags, overrides, mistakes = apart(words)
    single = "" if set(flags) & set(MANY) else "several values are a sweep; type strongchain -m …, or write a list as [A,B]"
    readable, wrong = check_words(overrides, single=single)
    if mistakes := mistakes + wrong:
        head = "" if len(mistakes) == 1 else f"{len(mistakes)} mistakes; nothing was run\n"
        raise SettingsError(head + "\n".join(f"  {mistake}" if head else mistake for mistake in mistakes))
    return [*flags, *readable]


def checked_settings(overrides: Sequence[str]) -> tuple[list[str], Settings]:
    """Return overrides as Hydra can read them, and the settings that they make: for a notebook, where no job of Hydra's runs.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        A line for every mistake.
    """
    readable = preflight(overrides)
    config = compose_settings(readable)
    refuse_idle_settings(config, readable)
    return readable, read_settings(config)


def check_words(words: Sequence[str], outer: Sequence[Word] | None = None, single: str = "") -> tuple[list[str], list[str]]:
    """Look at every override by itself, then at what they amount to together.

    Parameters
    ----------
    words : sequence of str
        Overrides.
    outer : sequence of Word, optional
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
        said = list(look_at(word))
        if len(word.alone) > 1 and not said:
            said = list(_swept(word, single))
        mistakes += said
        if not said:
            sound.append(word)
    mistakes += _twice(read)
    context = [*(outer or ()), *sound]
    from_files = list(_chosen_files(sound, context))
    mistakes += from_files
    news = not outer or any(word.key in DECISIVE for word in sound)  # else it was told of the outer words
    mistakes += _idle(sound, context, tell=news and not from_files)
    mistakes += _of_other_networks(sound, context)
    mistakes += _arms(sound, context)
    if outer is None and not from_files:
        keys = {re.split("[=@]", typed.lstrip("+~"), maxsplit=1)[0] for typed in words}
        mistakes += _disagree(sound, keys - {word.key for word in sound})
    return [word.readable for word in read], list(dict.fromkeys(mistakes))


def _swept(word: Word, single: str) -> Iterator[str]:
    """Say why a word may have one value only."""
    if word.key.startswith(ONCE):
        yield f"{word.typed}: {word.key} holds for a whole study or sweep; give it one value"
    elif single:
        yield f"{word.typed}: {single}"


# -- words together -----------------------------------------------------------------------------------


def _twice(words: Sequence[Word]) -> Iterator[str]:
    """Say which settings were typed more than once; a group may be both chosen and given values."""
    alike: dict[tuple[str, bool], list[str]] = {}
    for word in words:
        alike.setdefault((word.key, _gives_values(word)), []).append(word.typed)
    for (key, _), typed in alike.items():
        if len(typed) > 1:
            yield f"{' and '.join(typed)}: {key} is typed {'twice' if len(typed) == 2 else f'{len(typed)} times'}; keep one of them"


@lru_cache(maxsize=256)
def _composed(words: tuple[str, ...]) -> DictConfig | str:
    """Compose what the groups chosen amount to, or say why that cannot be."""
    try:
        return compose_settings(words)
    except Exception as mistake:  # whatever Hydra finds to complain of
        return in_one_line(mistake)


def _points(words: Sequence[Word]) -> Iterator[tuple[str, DictConfig | str]]:
    """Compose the groups chosen at every point of a sweep: the point as typed, and what it amounts to.

    Of a group chosen twice the last word counts.
    """
    choosing = (word for word in words if word.key in DECISIVE and not _gives_values(word))
    decisive = [*choosing, *(word for word in words if any(path.endswith(".active") for path, _ in _leaves(word)))]
    axes = [word.alone for word in {word.key: word for word in decisive}.values()]
    points = list(itertools.islice(itertools.product(*axes), MOST_POINTS + 1))
    if len(points) > MOST_POINTS:
        ends = [tuple(axis[end] for axis in axes) for end in (0, -1)]
        points = [(*end[:k], one, *end[k + 1 :]) for end in ends for k, axis in enumerate(axes) for one in axis]
    for point in dict.fromkeys(points):
        yield " ".join(one for one, axis in zip(point, axes, strict=True) if len(axis) > 1) or " ".join(point), _composed(point)


def _idle(words: Sequence[Word], context: Sequence[Word], tell: bool) -> Iterator[str]:
    """Say which points cannot be composed (if that is to be told), and which words would change nothing at some point."""
    if not any(word.key.startswith((*DECISIVE, "scale")) for word in words):
        return
    points = list(_points(context))
    if tell:
        yield from (f"{point}: {found}" for point, found in points if isinstance(found, str))
    for word in words:
        for path in dict.fromkeys(path for path, _ in _leaves(word)):
            idle = [(point, said) for point, found in points if not isinstance(found, str) and (said := idle_setting(found, path))]
            if idle and not _counts_in_an_arm(path, context, points):
                yield f"{word.typed}: {idle[0][1]}{_where([point for point, _ in idle], len(points))}"


def _of_other_networks(words: Sequence[Word], context: Sequence[Word]) -> Iterator[str]:
    """Say which values are right for another kind of network than the one chosen: leaders are a number, and in a file they are names."""
    several = [word for word in words if any(len(declared_at(path)) > 1 for path, _ in _leaves(word) if path.startswith("network."))]
    if not several:
        return
    chosen = [word.values for word in context if word.key == "network" and not _gives_values(word)]
    composed = [] if chosen else [found for _, found in _points(context) if not isinstance(found, str)]
    kinds = list(map(str, chosen[-1])) if chosen else [str(found.network.kind) for found in composed]
    for kind, word in itertools.product(dict.fromkeys(kinds), several):
        yield from filter(None, (wrong_for_network(kind, path, value) for path, value in _leaves(word)))


def _leaves(word: Word) -> Iterator[tuple[str, Any]]:
    """Take every value of a word apart into single settings."""
    for value in word.values:
        yield from leaves(word.key, value)


def _gives_values(word: Word) -> bool:
    """Whether a word gives the settings of a group values, and does not choose an option of it."""
    return any(isinstance(value, dict) for value in word.values)


def _where(at: Sequence[str], points: int) -> str:
    """Say at which points of a sweep something is wrong; nothing if there is only one."""
    more = f" and {len(at) - 1} more of {points} points" if len(at) > 1 else ""
    return f" (at {at[0]}{more})" if points > 1 else ""


def _disagree(words: Sequence[Word], broken: Collection[str]) -> Iterator[str]:
    """Say which settings contradict each other at some point, though each would do by itself.

    `broken` are the keys of words of which something else is told already.
    """
    if not any(word.key.split(".")[0] in ("replicates", "study", "policy", "experiment") for word in words):
        return
    points = [(point, found) for point, found in _points(words) if not isinstance(found, str)]
    said: dict[str, list[str]] = {}
    for point, found in points:
        for reads, mistake in itertools.chain(_too_few(words, found), _no_arm(words, found)):
            if not any(key == path or key.startswith(f"{path}.") for key in broken for path in reads):
                said.setdefault(mistake, []).append(point)
    yield from (f"{mistake}{_where(at, len(points))}" for mistake, at in said.items())


def _given(words: Sequence[Word], found: DictConfig, path: str) -> list[Any]:
    """Return every value of a setting: those typed last, or that of the groups chosen."""
    for word in reversed(words):
        if values := [leaf for key, leaf in _leaves(word) if key == path]:
            return values
    chosen = OmegaConf.select(found, path)
    return [OmegaConf.to_container(chosen) if OmegaConf.is_config(chosen) else chosen]


def _too_few(words: Sequence[Word], found: DictConfig) -> Iterator[tuple[set[str], str]]:
    """Say where a cap is lower than the replicates, and what that was read from."""
    replicates, caps, widths = (
        [value for value in _given(words, found, path) if isinstance(value, int | float)]
        for path in ("replicates", "study.cap", "study.half_width")
    )
    for first, width, cap in itertools.product(replicates, widths, caps):
        if said := too_few(int(first), width, int(cap)):
            yield {"replicates", "study.cap", "study.half_width"}, said


def _no_arm(words: Sequence[Word], found: DictConfig) -> Iterator[tuple[set[str], str]]:
    """Say where the reference is no arm, and what that was read from."""
    if found.study.kind != "compare":
        return
    more = [word.key.removeprefix("study.arms.") for word in words if word.key.startswith("study.arms.")]
    active = [str(key) for key, levers in found.instruments.items() if levers.active]
    settings_of_arms = (_given(words, found, f"study.{name}") for name in ("arms", "reference", "second_reference", "only"))
    for arms, reference, second_reference, only in itertools.product(*settings_of_arms):
        if not isinstance(arms, dict | None):
            continue  # told elsewhere
        names = [*map(str, arms or ()), *more] if arms or more else ["nothing", *active, *(["all"] if len(active) > 1 else [])]
        for setting, arm in named_arms(reference, second_reference, only if isinstance(only, list | tuple) else ()):
            if not str(arm).startswith("${") and (said := no_arm(arm, names, setting)):
                yield {"study.arms", setting, "instruments"}, said


def _counts_in_an_arm(path: str, context: Sequence[Word], points: Sequence[tuple[str, DictConfig | str]]) -> bool:
    """Whether a word that changes nothing in the study as such does in one of its arms, typed or from a file."""
    typed = [leaf for word in context for key, leaf in _leaves(word) if key.startswith("study.arms")]
    filed = [found.study.get("arms") for _, found in points if not isinstance(found, str)]
    arms = [inner for arms in (*typed, *filed) if arms for inner in (arms.values() if isinstance(arms, dict | DictConfig) else [arms])]
    outer = [word for word in context if not word.key.startswith("study.arms")]
    for inner in arms:
        theirs = []
        for word in inner if isinstance(inner, list | ListConfig) else ():
            with contextlib.suppress(SettingsError):
                theirs.append(read_word(str(word)))
        if any(not isinstance(found, str) and not idle_setting(found, path) for _, found in _points([*outer, *theirs])):
            return True
    return False


def _arms(words: Sequence[Word], context: Sequence[Word]) -> Iterator[str]:
    """Look at the overrides of every arm as if they had been typed after the words of the study."""
    outer = [word for word in context if not word.key.startswith("study.arms")]
    seen: dict[str, str] = {}
    for word in words:
        if word.key != "study.arms" and not word.key.startswith("study.arms."):
            continue
        for value in word.values:
            arms = value if word.key == "study.arms" else {word.key.removeprefix("study.arms."): value}
            if value is None or (isinstance(value, str) and value.startswith("${")):
                continue
            if word.readable and word.key == "study.arms" and (theirs := _arms_of_a_file(outer)):
                yield f"{word.typed}: {theirs} has arms of its own; add one with study.arms.NAME=[…], choose among them with study.only=[…]"
                continue
            if not are_lists(arms):
                why = why_unreadable(value) if isinstance(value, str) else ""
                yield f"{word.typed}: {why or NO_LISTS}"
                continue
            if not arms:
                yield f"{word.typed}: names no arm; leave it out for nothing, each active instrument alone and all of them"
            named = {} if len(word.values) > 1 else seen  # each value of a sweep has arms of its own
            for name, inner in arms.items():
                yield from _same_file(name, named)
                yield from _arm(str(name), inner, outer)


def _arms_of_a_file(context: Sequence[Word]) -> str:
    """Name the experiment chosen that has arms of its own, to which Hydra could add but for which it could not put others."""
    chosen = [word.typed for word in context if word.key == "experiment"]
    found = [found for _, found in _points(context) if chosen and not isinstance(found, str)]
    return chosen[-1] if any(one.study.get("arms") is not None for one in found) else ""


def _same_file(name: Any, seen: dict[str, str]) -> Iterator[str]:
    """Say if the name of an arm is no text, or is that of another one in other letters; note it."""
    if not isinstance(name, str):
        yield f"an arm's name is {name}, which is no text; write it with a word before it: 'arm {name}'"
    elif seen.setdefault(name.casefold(), name) != name:
        yield f"two arms are named {seen[name.casefold()]!r} and {name!r}, which are one file on Windows and macOS; rename one"


def _arm(name: str, words: list[str], outer: Sequence[Word]) -> Iterator[str]:
    try:
        check_name(name, "an arm's name")
    except SettingsError as mistake:
        yield str(mistake)
    theirs = []
    for word in words:
        key = re.split(r"[.=@]", word.lstrip("+~"), maxsplit=1)[0]
        known = key in groups() or key in settings()  # of what is not known, the nearest name is told below
        if known and (refusal := not_of_an_arm(name, word)):
            yield refusal
        else:
            theirs.append(word)
    yield from (f"arm {name}: {said}" for said in check_words(theirs, outer, "an arm takes one value; sweep outside the arms")[1])


# -- files of the configuration --------------------------------------------------------------------------


def _chosen_files(words: Sequence[Word], context: Sequence[Word]) -> Iterator[str]:
    """Look at what the files of the configuration that were chosen say, as if it had been typed."""
    for word in words:
        if word.key not in groups() or word.key == "instruments":
            continue
        for value, alone in zip(word.values, word.alone, strict=True):
            for option in value if isinstance(value, list) else [value]:
                path = files.CONFIGS / word.key / f"{option}.yaml"
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
        said = list(look_at(word))
        yield from said
        if not said:
            sound.append(word)
    other = list(_of_other_networks(sound, [own, *sound, *others]))
    yield from other
    broken = len(sound) < len(words) or bool(other)
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
