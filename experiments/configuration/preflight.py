"""Every mistake of a command line at once, before anything is run: what, where, what would be right.

Hydra stops at its first error, accepts values out of range, and cannot read a Chinese file name without quotes.
Here every override is checked by itself: whether the setting exists (if not, the nearest name is given), whether
each of its values has the right type and lies in its range, whether files exist, and whether anything names code
to run. Then the overrides are checked together: whether the chosen groups can be composed at every point of a
sweep, which settings would change nothing there, which settings contradict each other, what the arms set, and
what the chosen files of the configuration set. Nothing is executed.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.configuration import files
from experiments.configuration.composed import in_one_line
from experiments.configuration.declared import SWITCHED, declared_at, groups, registered
from experiments.configuration.flags import MANY, apart
from experiments.configuration.overrides import FILES, TypedOverride, leaves, read_override, settings, too_many_points, why_unreadable
from experiments.configuration.own_policies import in_hydras_words, names_a_file, remember
from experiments.configuration.policy_file import PolicyError, read_policy
from experiments.configuration.settings import (
    NO_LISTS,
    Settings,
    SettingsError,
    are_lists,
    check_name,
    compose_settings,
    idle_setting,
    named_arms,
    no_arm,
    not_of_an_arm,
    read_settings,
    refuse_idle_settings,
    too_few,
)
from experiments.configuration.values import mistakes_in, wrong_for_network, wrong_value_of
from experiments.shells import with_single_quotes

__all__ = ["check_overrides", "checked_settings", "preflight"]

#: Groups that decide which levers and settings there are.
DECISIVE = ("instruments", "shocks", "network", "study", "policy", "experiment")
#: What the names of settings begin with that cannot differ between the points of a sweep.
ONCE = ("name", "quiet", "language", "start", "save", "table_heads", "parallel", "figures", "hydra")
#: Most points of a sweep that are composed; of more, only those where all groups but one are at their first or last value.
MOST_POINTS = 32


def preflight(arguments: Sequence[str]) -> list[str]:
    """Return what was typed as Hydra can read it, flags first.

    Parameters
    ----------
    arguments : sequence of str
        What was typed after ``strongchain``, flags included.

    Raises
    ------
    SettingsError
        A line for every mistake.
    """
    if hint := with_single_quotes(arguments):
        raise SettingsError(hint)
    for path in files.shadowing(files.CONFIGS, registered()):
        raise SettingsError(f"{path} stands where the program's own settings are; put it into configs/policy, region or experiment")
    for path in files.files_with_aliases(files.CONFIGS):
        raise SettingsError(f"{path} refers to a part of itself (*NAME); write it out there, or take the file away")
    flags, overrides, mistakes = apart(arguments)
    single = "" if set(flags) & set(MANY) else "several values are a sweep; type strongchain -m …, or write a list as [A,B]"
    readable, wrong = check_overrides(overrides, single=single)
    if mistakes := mistakes + wrong:
        head = "" if len(mistakes) == 1 else f"{len(mistakes)} mistakes; nothing was run\n"
        raise SettingsError(head + "\n".join(f"  {mistake}" if head else mistake for mistake in mistakes))
    for point in _every_choice(list(map(read_override, overrides))):
        config = _composed(point)
        if isinstance(config, str):
            raise SettingsError(config)
        try:
            _check_as_composed(config)
        except OmegaConfBaseException as mistake:
            raise SettingsError(in_one_line(mistake)) from mistake
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


def check_overrides(
    overrides: Sequence[str], outer: Sequence[TypedOverride] | None = None, single: str = ""
) -> tuple[list[str], list[str]]:
    """Check every override by itself, then all of them together.

    Parameters
    ----------
    overrides : sequence of str
    outer : sequence of TypedOverride, optional
        What holds already, unless the overrides change it: for an arm, the overrides of its study.
    single : str
        Why an override may have only one value, if it may.

    Returns
    -------
    tuple
        The overrides as Hydra reads them, and all mistakes.
    """
    mistakes: list[str] = []
    read: list[TypedOverride] = []
    sound: list[TypedOverride] = []
    for typed in overrides:
        try:
            override = read_override(typed)
        except SettingsError as mistake:
            mistakes.append(str(mistake))
            continue
        read.append(override)
        wrong = list(_mistakes_in(override))
        if len(override.alone) > 1 and not wrong:
            wrong = list(_swept(override, single))
        if wrong and override.key.startswith("study."):  # of another kind: its range does not matter
            wrong = list(_idle([override], [*(outer or ()), *_choices(overrides)], with_failures=False)) or wrong
        mistakes += wrong
        if not wrong:
            sound.append(override)
    mistakes += _twice(read)
    if outer is None and (too_many := too_many_points([len(override.alone) for override in read])):
        swept = " ".join(override.typed for override in read if len(override.alone) > 1)
        return [override.readable for override in read], [*mistakes, f"{swept}: {too_many}"]
    context = [*(outer or ()), *sound]
    from_files = list(_chosen_files(sound, context))
    mistakes += from_files
    about_the_choice = not outer or any(override.key in DECISIVE for override in sound)  # else the study has said it already
    mistakes += _idle(sound, context, with_failures=about_the_choice and not from_files)
    mistakes += _of_other_networks(sound, context)
    mistakes += _arms(sound, context)
    if outer is None and not from_files:
        keys = {re.split("[=@]", typed.lstrip("+~"), maxsplit=1)[0] for typed in overrides}
        mistakes += _disagree(sound, keys - {override.key for override in sound})
    return [override.readable for override in read], list(dict.fromkeys(mistakes))


def _mistakes_in(override: TypedOverride) -> Iterator[str]:
    """Say everything that is wrong with one override as typed; a file of a policy that is right is registered with Hydra.

    Only what is typed can name such a file, at the command line or in an arm: no file brings in another one.
    """
    named = [value for value in override.values if names_a_file(value)]
    if not named or override.typed.partition("=")[0].lstrip("+") != "policy":
        yield from mistakes_in(override)
        return
    for path in named:
        try:
            remember(read_policy(path))
        except PolicyError as wrong:
            yield from wrong.mistakes
    if rest := tuple(value for value in override.values if not names_a_file(value)):
        yield from mistakes_in(replace(override, values=rest))


def _choices(overrides: Sequence[str]) -> Iterator[TypedOverride]:
    """Read those of some overrides that choose what settings there are, as far as they are right."""
    for typed in overrides:
        with contextlib.suppress(SettingsError):
            override = read_override(typed)
            if override.key in DECISIVE and not any(_mistakes_in(override)):
                yield override


def _swept(override: TypedOverride, single: str) -> Iterator[str]:
    """Say why an override may have only one value."""
    if override.key.startswith(ONCE):
        yield f"{override.typed}: {override.key} holds for a whole study or sweep; give it one value"
    elif single:
        yield f"{override.typed}: {single}"


def _every_choice(overrides: Sequence[TypedOverride]) -> Iterator[tuple[str, ...]]:
    """Return the overrides of a sweep with every combination of the groups' options, and the first value of everything else.

    Which files Hydra reads depends on these alone. Each is composed here, since Hydra opens logs and makes folders for a point before
    the point's own job could refuse it.
    """
    axes = [override.alone if override.key in groups() else override.alone[:1] for override in overrides]
    yield from itertools.product(*axes)


def _check_as_composed(config: DictConfig) -> None:
    """Check what becomes a name or a path, with all references in it resolved.

    Raises
    ------
    SettingsError
        One line for the first mistake.
    """
    check_name(str(config.name), "name")
    arms = config.study.get("arms")
    for name in arms if isinstance(arms, DictConfig) else ():
        check_name(str(name), "an arm's name")
    as_written = cast(dict[str, Any], OmegaConf.to_container(config.network, resolve=False))
    for path in FILES:
        if "${" in str(as_written.get(path.removeprefix("network."))):
            for wrong in wrong_value_of(path, OmegaConf.select(config, path)):
                raise SettingsError(wrong)


# -- overrides together -----------------------------------------------------------------------------------


def _twice(overrides: Sequence[TypedOverride]) -> Iterator[str]:
    """Say which settings were typed more than once; a group may be chosen once and have its values set once."""
    alike: dict[tuple[str, bool], list[str]] = {}
    for override in overrides:
        alike.setdefault((override.key, _gives_values(override)), []).append(override.typed)
    for (key, _), typed in alike.items():
        if len(typed) > 1:
            yield f"{' and '.join(typed)}: {key} is typed {'twice' if len(typed) == 2 else f'{len(typed)} times'}; keep one of them"


def _composed(overrides: tuple[str, ...]) -> DictConfig | str:
    """Compose the configuration of the chosen groups, or say why it cannot be composed."""
    try:  # in Hydra's words the name of a policy changes with its file
        return _composed_once(tuple(map(in_hydras_words, overrides)))
    except SettingsError as mistake:
        return str(mistake)


@lru_cache(maxsize=256)
def _composed_once(overrides: tuple[str, ...]) -> DictConfig | str:
    try:
        return compose_settings(overrides)
    except Exception as mistake:  # Hydra raises errors of many kinds
        return in_one_line(mistake)


def _points(overrides: Sequence[TypedOverride]) -> Iterator[tuple[str, DictConfig | str]]:
    """Compose the chosen groups at every point of a sweep: the point as typed, and its configuration or why there is none.

    If a group is chosen twice, the last choice counts.
    """
    choosing = (o for o in overrides if (o.key in DECISIVE and not _gives_values(o)) or _lists_regions(o))
    decisive = [*choosing, *(override for override in overrides if any(path.endswith(".active") for path, _ in _leaves(override)))]
    axes = [override.alone for override in {override.key: override for override in decisive}.values()]
    points = list(itertools.islice(itertools.product(*axes), MOST_POINTS + 1))
    if len(points) > MOST_POINTS:
        ends = [tuple(axis[end] for axis in axes) for end in (0, -1)]
        points = [(*end[:k], value, *end[k + 1 :]) for end in ends for k, axis in enumerate(axes) for value in axis]
    for point in dict.fromkeys(points):
        yield " ".join(value for value, axis in zip(point, axes, strict=True) if len(axis) > 1) or " ".join(point), _composed(point)


def _idle(overrides: Sequence[TypedOverride], context: Sequence[TypedOverride], with_failures: bool) -> Iterator[str]:
    """Say which points cannot be composed (if failures are wanted), and which overrides would change nothing at some point."""
    if not any(override.key.startswith((*DECISIVE, "scale", "across")) for override in overrides):
        return
    points = list(_points(context))
    if with_failures:
        yield from (f"{point}: {config}" for point, config in points if isinstance(config, str))
    for override in overrides:
        for path in dict.fromkeys(path for path, _ in _leaves(override)):
            idle = [(point, why) for point, config in points if not isinstance(config, str) and (why := idle_setting(config, path))]
            if idle and not _counts_in_an_arm(path, context, points):
                yield f"{override.typed}: {idle[0][1]}{_where([point for point, _ in idle], len(points))}"


def _of_other_networks(overrides: Sequence[TypedOverride], context: Sequence[TypedOverride]) -> Iterator[str]:
    """Say which values are right for another kind of network than the one chosen: leaders are a number, and in a file they are names."""
    several = [
        override
        for override in overrides
        if any(len(declared_at(path)) > 1 for path, _ in _leaves(override) if path.startswith("network."))
    ]
    if not several:
        return
    chosen = [override.values for override in context if override.key == "network" and not _gives_values(override)]
    composed = [] if chosen else [config for _, config in _points(context) if not isinstance(config, str)]
    kinds = list(map(str, chosen[-1])) if chosen else [str(config.network.kind) for config in composed]
    for kind, override in itertools.product(dict.fromkeys(kinds), several):
        yield from filter(None, (wrong_for_network(kind, path, value) for path, value in _leaves(override)))


def _leaves(override: TypedOverride) -> Iterator[tuple[str, Any]]:
    """Split every value of an override into single settings."""
    for value in override.values:
        yield from leaves(override.key, value)


def _gives_values(override: TypedOverride) -> bool:
    """Whether an override sets values inside a group, instead of choosing an option of the group."""
    return any(isinstance(value, dict) for value in override.values)


def _lists_regions(override: TypedOverride) -> bool:
    """Whether an override chooses several regions, or one in a list: what crosses their borders then has settings."""
    return override.key == "region" and any(isinstance(value, list) for value in override.values)


def _where(wrong_at: Sequence[str], points: int) -> str:
    """Say at which points of a sweep something is wrong; nothing if the sweep has only one point."""
    further = f" and {len(wrong_at) - 1} more of {points} points" if len(wrong_at) > 1 else ""
    return f" (at {wrong_at[0]}{further})" if points > 1 else ""


def _disagree(overrides: Sequence[TypedOverride], broken: Collection[str]) -> Iterator[str]:
    """Say which settings contradict each other at some point, though each setting alone is right.

    `broken` are the keys of overrides that are wrong by themselves.
    """
    if not any(override.key.split(".")[0] in ("replicates", "study", "policy", "experiment") for override in overrides):
        return
    points = [(point, config) for point, config in _points(overrides) if not isinstance(config, str)]
    where: dict[str, list[str]] = {}
    for point, config in points:
        for reads, mistake in itertools.chain(_too_few(overrides, config), _no_arm(overrides, config)):
            if not any(key == path or key.startswith(f"{path}.") for key in broken for path in reads):
                where.setdefault(mistake, []).append(point)
    yield from (f"{mistake}{_where(at, len(points))}" for mistake, at in where.items())


def _given(overrides: Sequence[TypedOverride], config: DictConfig, path: str) -> list[Any]:
    """Return every value of a setting: those that were typed last, or else the value in the chosen groups."""
    for override in reversed(overrides):
        if values := [leaf for key, leaf in _leaves(override) if key == path]:
            return values
    chosen = OmegaConf.select(config, path)
    return [OmegaConf.to_container(chosen) if OmegaConf.is_config(chosen) else chosen]


def _too_few(overrides: Sequence[TypedOverride], config: DictConfig) -> Iterator[tuple[set[str], str]]:
    """Say where a cap is lower than the replicates, and on which settings this depends."""
    replicates, caps, widths = (
        [value for value in _given(overrides, config, path) if isinstance(value, int | float)]
        for path in ("replicates", "study.cap", "study.half_width")
    )
    for first, width, cap in itertools.product(replicates, widths, caps):
        if mistake := too_few(int(first), width, int(cap)):
            yield {"replicates", "study.cap", "study.half_width"}, mistake


def _no_arm(overrides: Sequence[TypedOverride], config: DictConfig) -> Iterator[tuple[set[str], str]]:
    """Say where the reference is not an arm, and on which settings this depends."""
    if config.study.kind != "compare":
        return
    added = [override.key.removeprefix("study.arms.") for override in overrides if override.key.startswith("study.arms.")]
    active = [str(key) for key, levers in config.instruments.items() if levers.active]
    settings_of_arms = (_given(overrides, config, f"study.{name}") for name in ("arms", "reference", "second_reference", "only"))
    for arms, reference, second_reference, only in itertools.product(*settings_of_arms):
        if not isinstance(arms, dict | None):
            continue  # `_arms` says what is wrong
        names = [*map(str, arms or ()), *added] if arms or added else ["nothing", *active, *(["all"] if len(active) > 1 else [])]
        for setting, arm in named_arms(reference, second_reference, only if isinstance(only, list | tuple) else ()):
            if not str(arm).startswith("${") and (mistake := no_arm(arm, names, setting)):
                yield {"study.arms", setting, "instruments"}, mistake


def _counts_in_an_arm(path: str, context: Sequence[TypedOverride], points: Sequence[tuple[str, DictConfig | str]]) -> bool:
    """Whether an override that changes nothing in the study itself does so in one of its arms, typed or from a file."""
    typed = [leaf for override in context for key, leaf in _leaves(override) if key.startswith("study.arms")]
    filed = [config.study.get("arms") for _, config in points if not isinstance(config, str)]
    arms = [listed for arms in (*typed, *filed) if arms for listed in (arms.values() if isinstance(arms, dict | DictConfig) else [arms])]
    outer = [override for override in context if not override.key.startswith("study.arms")]
    for listed in arms:
        of_the_arm = []
        for override in listed if isinstance(listed, list | ListConfig) else ():
            with contextlib.suppress(SettingsError):
                of_the_arm.append(read_override(str(override)))
        if any(not isinstance(config, str) and not idle_setting(config, path) for _, config in _points([*outer, *of_the_arm])):
            return True
    return False


def _arms(overrides: Sequence[TypedOverride], context: Sequence[TypedOverride]) -> Iterator[str]:
    """Check the overrides of every arm as if they had been typed after the overrides of the study."""
    outer = [override for override in context if not override.key.startswith("study.arms")]
    seen: dict[str, str] = {}
    for override in overrides:
        if override.key != "study.arms" and not override.key.startswith("study.arms."):
            continue
        for value in override.values:
            arms = value if override.key == "study.arms" else {override.key.removeprefix("study.arms."): value}
            if value is None or (isinstance(value, str) and value.startswith("${")):
                continue
            if override.readable and override.key == "study.arms" and (source := _arms_of_a_file(outer)):
                remedy = "add one with study.arms.NAME=[…], choose among them with study.only=[…]"
                yield f"{override.typed}: {source} has arms of its own; {remedy}"
                continue
            if not are_lists(arms):
                why = why_unreadable(value) if isinstance(value, str) else ""
                yield f"{override.typed}: {why or NO_LISTS}"
                continue
            if not arms:
                yield f"{override.typed}: names no arm; leave it out for nothing, each active instrument alone and all of them"
            named = {} if len(override.values) > 1 else seen  # each value of a sweep has arms of its own
            for name, listed in arms.items():
                yield from _same_file(name, named)
                yield from _arm(str(name), listed, outer)


def _arms_of_a_file(context: Sequence[TypedOverride]) -> str:
    """Name the chosen experiment that has arms of its own: Hydra can add arms to these, but cannot replace them."""
    chosen = [override.typed for override in context if override.key == "experiment"]
    composed = [config for _, config in _points(context) if chosen and not isinstance(config, str)]
    return chosen[-1] if any(config.study.get("arms") is not None for config in composed) else ""


def _same_file(name: Any, seen: dict[str, str]) -> Iterator[str]:
    """Say whether the name of an arm is not a text, or differs from another name only in capital letters; remember the name."""
    if not isinstance(name, str):
        yield f"an arm's name is {name}, which is not a text; put a word before it: 'arm {name}'"
    elif seen.setdefault(name.casefold(), name) != name:
        yield f"two arms are named {seen[name.casefold()]!r} and {name!r}, which are one file on Windows and macOS; rename one"


def _arm(name: str, listed: list[str], outer: Sequence[TypedOverride]) -> Iterator[str]:
    try:
        check_name(name, "an arm's name")
    except SettingsError as mistake:
        yield str(mistake)
    allowed = []
    for override in listed:
        key = re.split(r"[.=@]", override.lstrip("+~"), maxsplit=1)[0]
        known = key in groups() or key in settings()  # for a name that is not known, the check below gives the nearest one
        if known and (refusal := not_of_an_arm(name, override)):
            yield refusal
        else:
            allowed.append(override)
    yield from (
        f"arm {name}: {mistake}" for mistake in check_overrides(allowed, outer, "an arm takes one value; sweep outside the arms")[1]
    )


# -- files of the configuration --------------------------------------------------------------------------


def _chosen_files(overrides: Sequence[TypedOverride], context: Sequence[TypedOverride]) -> Iterator[str]:
    """Check what the chosen files of the configuration set, as if it had been typed."""
    for override in overrides:
        if override.key not in groups() or override.key in SWITCHED:
            continue
        for value, alone in zip(override.values, override.alone, strict=True):
            for option in value if isinstance(value, list) else [value]:
                path = files.CONFIGS / override.key / f"{option}.yaml"
                if path.is_file():
                    own = TypedOverride(alone, alone, override.key, (option,), (alone,))
                    others = [other for other in context if other.key != override.key]
                    yield from (f"configs/{override.key}/{path.name}: {mistake}" for mistake in _file(path, own, others))


def _file(path: Path, own: TypedOverride, others: Sequence[TypedOverride], within: tuple[Path, ...] = ()) -> Iterator[str]:
    """Check one file: `own` is the override that chose it, `others` are all other overrides, `within` the files that brought it in."""
    try:
        text = path.read_text(encoding="utf-8")
        written = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except Exception as mistake:  # YAML raises errors of many kinds
        yield f"cannot be read: {' '.join(str(mistake).split())}"
        return
    everywhere = re.search(r"^#\s*@package\s+_global_\s*$", text, re.MULTILINE)
    if not isinstance(written, dict):
        yield "holds no settings; write KEY: VALUE on each line"
        return
    if own.key in {"experiment", "policy"} and not (everywhere or within):
        yield "its first line must be '# @package _global_', else Hydra does not read it"
        return
    named = {str(name): value for name, value in written.items() if name != "defaults"}
    settings_found = list(leaves("" if everywhere else own.key, named)) if named else []
    if "hydra" in named:
        yield "sets hydra, which no file may; take it out"
        settings_found = [(key, value) for key, value in settings_found if not key.startswith("hydra.")]
    for inner in _inner_files(path, written.get("defaults")):
        if inner not in (*within, path):  # files that bring in each other are refused by Hydra
            yield from (f"{inner.name}: {mistake}" for mistake in _file(inner, own, others, within=(*within, path)))
    overrides = [
        TypedOverride(f"{key}={value}", "", key, (value,), ("",)) for key, value in [*_defaults(written.get("defaults")), *settings_found]
    ]
    sound = []
    for override in overrides:
        wrong = list(mistakes_in(override))
        yield from wrong
        if not wrong:
            sound.append(override)
    other = list(_of_other_networks(sound, [own, *sound, *others]))
    yield from other
    broken = len(sound) < len(overrides) or bool(other)
    yield from _chosen_files([override for override in sound if override.key in groups()], [*others, own])
    if everywhere and not broken:
        yield from _idle([override for override in sound if override.key not in groups()], [own], with_failures=False)
    yield from _arms(sound, [*others, own])


def _inner_files(path: Path, listed: Any) -> Iterator[Path]:
    """Return the files that a file brings in by a name without a group, or in a group below its own."""
    for entry in listed if isinstance(listed, list) else []:
        named = [("", entry)] if isinstance(entry, str) else list(entry.items()) if isinstance(entry, dict) else []
        for group, option in named:
            inner = path.parent / str(group).split("@")[0] / f"{str(option).split('@')[0]}.yaml"
            if not str(group).startswith(("/", "override ", "optional ")) and option != "_self_" and inner.is_file():
                yield inner


def _defaults(listed: Any) -> Iterator[tuple[str, Any]]:
    """Return the groups and options that a file chooses in its list of defaults."""
    for entry in listed if isinstance(listed, list) else []:
        for name, option in entry.items() if isinstance(entry, dict) else ():
            group = str(name).split()[-1].split("@")[0]
            if group.startswith("/") and option is not None:
                yield group.removeprefix("/"), option
