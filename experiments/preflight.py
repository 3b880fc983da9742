"""Every mistake of a command line at once, before anything is run: what, where, what would be right.

Hydra stops at its first error, lets values out of range pass, and cannot read a Chinese file name without
quotes. Here every word is looked at by itself: whether there is such a setting (with the nearest one there is),
whether each of its values, a sweep's too, has the right type and lies in its range, whether files are there,
and whether anything names code to run. Nothing is executed, and what Hydra cannot read is quoted for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import Field, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Transformer
from hydra.errors import HydraException
from omegaconf import OmegaConf

from agents.columns import nearest
from experiments.settings import LIMITS, SettingsError, check_name, compose_settings, register
from experiments.verbs import VERBS
from sim import INSTRUMENTS, FromFile, Parameters, Region, Synthetic
from sim.parameters import wrong_value

__all__ = ["FOLDER", "check_words", "preflight"]

#: Where the configuration files lie.
FOLDER = Path(__file__).resolve().parent.parent / "configs"
#: Settings of Hydra that may be typed; everything else of it can name code to run, or leads results astray.
HYDRAS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.verbose", "hydra/launcher")
#: Flags of Hydra that take configuration from elsewhere.
ASTRAY = ("--config-path", "-cp", "--config-dir", "-cd", "--config-name", "-cn", "--experimental-rerun")
#: Flags of Hydra that a word follows.
VALUED = ("--cfg", "-c", "--info", "-i", "--package", "-p")
#: Keys that make Hydra call something.
CODE = ("_target_", "_args_", "_partial_", "_recursive_", "_convert_")
#: Settings under which every key is the user's own.
FREE = ("study.arms", "network.filter", "network.columns", "network.node_columns", "region.sources")
#: Settings that name files of the user's.
FILES = ("network.path", "network.nodes")


@dataclass(frozen=True)
class Word:
    """One override as typed, and as Hydra can read it."""

    typed: str
    readable: str
    key: str
    values: tuple[Any, ...]
    removes: bool = False


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
    mistakes = [
        f"{word}: takes settings from elsewhere; type them, or put them into a file under configs/" for word in words if word in ASTRAY
    ]
    flags = [k for k, word in enumerate(words) if word.startswith("-") or (k and words[k - 1] in VALUED)]
    overrides = [k for k in range(len(words)) if k not in flags]
    readable, wrong = check_words([words[k] for k in overrides])
    if mistakes := mistakes + wrong:
        head = "" if len(mistakes) == 1 else f"{len(mistakes)} mistakes; nothing was run\n"
        raise SettingsError(head + "\n".join(f"  {mistake}" if head else mistake for mistake in mistakes))
    mended = dict(zip(overrides, readable, strict=True))
    return [mended.get(k, word) for k, word in enumerate(words)]


def check_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Look at every override by itself, then at what they name together: the words as Hydra reads them, and all mistakes."""
    mistakes: list[str] = []
    read: list[Word] = []
    sound: list[Word] = []
    for typed in words:
        try:
            word = _read(typed)
        except SettingsError as mistake:
            mistakes.append(str(mistake))
            continue
        read.append(word)
        said = list(_look_at(word))
        mistakes += said
        if not said:
            sound.append(word)
    mistakes += _idle(sound)
    mistakes += _arms(sound)
    mistakes += _chosen_files(sound)
    return [word.readable for word in read], list(dict.fromkeys(mistakes))


# -- reading ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _parser() -> OverridesParser:
    return OverridesParser.create()


def _read(typed: str) -> Word:
    """Read one override; a value that Hydra's grammar cannot read is taken as it stands, between quotes."""
    key, equals, value = typed.partition("=")
    bare = key.lstrip("+~")
    if not equals and not typed.startswith("~"):
        known = "" if typed in _verbs() else nearest(typed, _verbs())
        raise SettingsError(f"{typed}: what is it to be? Type {typed}=VALUE{known}")
    readable = typed
    quoted = key + "='" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if bare in FILES and Path(value).is_file():
        readable = quoted  # a comma in its name makes no sweep
    try:
        override = _parser().parse_override(readable)
    except HydraException:
        readable = quoted
        try:
            override = _parser().parse_override(readable)
        except HydraException:
            raise SettingsError(f"{typed}: cannot be read; write KEY=VALUE, with a dotted path as the key") from None
    return Word(typed, readable, bare.split("@")[0], tuple(_values(override)), typed.startswith("~"))


def _verbs() -> tuple[str, ...]:
    return (*VERBS, *_groups(), *LIMITS, "name", "scale", "by", "check")


def _values(override: Override) -> Iterator[Any]:
    if override.is_sweep_override():
        yield from override.sweep_iterator(transformer=Transformer.identity)
    elif override.value_type is not None:
        yield override.value()


# -- what there is -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    """Groups and their options: files under configs/, and what is registered."""
    found = {folder.name: {path.stem for path in folder.glob("*.yaml")} for folder in FOLDER.iterdir() if folder.is_dir()}
    found.setdefault("experiment", set())
    found["network"] = {"region", "synthetic", "file"}
    found["instruments"] = set(INSTRUMENTS)
    return {name: tuple(sorted(options)) for name, options in sorted(found.items()) if not name.startswith("_")}


@lru_cache(maxsize=1)
def _declared() -> dict[str, Field[Any]]:
    """Every setting of a dataclass of ours by its dotted path."""
    found: dict[str, Field[Any]] = {}
    for prefix, classes in (
        ("parameters", (Parameters,)),
        ("region", (Region,)),
        ("network", (Synthetic, FromFile)),
        *((f"instruments.{key}", (cls,)) for key, cls in INSTRUMENTS.items()),
    ):
        found |= {f"{prefix}.{f.name}": f for cls in classes for f in fields(cls)}
    return found


@lru_cache(maxsize=1)
def _keys() -> tuple[str, ...]:
    """Every setting there is, by its dotted path: what is declared, and the top-level keys."""
    register()
    plain = OmegaConf.to_container(compose_settings(["region=sample"]), resolve=False)
    assert isinstance(plain, dict)

    def walk(node: dict[Any, Any], path: str) -> Iterator[str]:
        for name, value in node.items():
            yield f"{path}{name}"
            if isinstance(value, dict):
                yield from walk(value, f"{path}{name}.")

    return tuple(dict.fromkeys([*walk(plain, ""), *_declared(), *FREE]))


# -- one word ----------------------------------------------------------------------------------------


def _look_at(word: Word) -> Iterator[str]:
    """Say everything that is wrong with one word."""
    key = word.key
    if names := [part for value in (key, *word.values) for part in _names_code(value)]:
        yield f"{word.typed}: {names[0]} names code to run, which no setting may"
    elif key.startswith("hydra"):
        if key not in HYDRAS:
            yield f"{word.typed}: of Hydra's own settings only {', '.join(HYDRAS)} can be typed{nearest(key, HYDRAS)}"
    elif key in _groups():
        yield from _choices(word)
    elif key in _keys() or any(key.startswith(f"{free}.") for free in FREE):
        for value in word.values:
            yield from _value(key, value)
    else:
        group, _, rest = key.partition(".")
        yield f"{word.typed}: there is no setting {key!r}{_nearest_setting(key, group, rest)}"


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


def _nearest_setting(key: str, group: str, rest: str) -> str:
    """Name the nearest setting: of the same group if there is one, of its last part anywhere, or of any."""
    same = [known for known in _keys() if known.startswith(f"{group}.")]
    if not rest or not same:
        homes = [known for known in _keys() if known.split(".")[-1] == key.split(".")[-1]]
        if homes:
            return f"; did you mean {homes[0]!r}?"
    return nearest(key, same) or nearest(key, [*_keys(), *_groups()])


def _choices(word: Word) -> Iterator[str]:
    """Say which options of a group there are not."""
    options = _groups()[word.key]
    chosen = [option for value in word.values for option in (value if isinstance(value, list) else [value])]
    for option in chosen:
        if str(option) not in options:
            there = f"there is {', '.join(options)}" if options else "there is none yet"
            yield f"{word.key}={option}: no such {word.key.rstrip('s')}; {there}{nearest(str(option), options)}"


def _value(key: str, value: Any) -> Iterator[str]:
    """Say what is wrong with one value of a setting."""
    if isinstance(value, str) and value.startswith("${"):
        return
    if key == "name":
        try:
            check_name(str(value), "name")
        except SettingsError as mistake:
            yield str(mistake)
    elif key in LIMITS:
        low, high = LIMITS[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            yield f"{key} is {value!r}; it must be a whole number in {low} … {high:,}"
    elif key in FILES:
        if value is not None and not Path(str(value)).is_file():
            yield f"{key}: there is no file {str(value)!r}{_nearest_file(Path(str(value)))}"
    elif (f := _declared().get(key)) is not None:
        if "range" in f.metadata:
            said = wrong_value(f, list(value) if isinstance(value, list) else value, key)
            if said:
                yield said
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


def _composed(words: Iterable[Word]) -> Any | None:
    """Compose what the groups chosen amount to; nothing if they cannot be composed."""
    chosen = [word for word in words if word.key in _groups() and len(word.values) == 1]
    try:
        return compose_settings([word.readable for word in chosen])
    except Exception:  # the same words are composed again for the run, which tells what is wrong
        return None


def _idle(words: Sequence[Word]) -> Iterator[str]:
    """Say which levers belong to instruments that are not active, and which settings to a network of another kind."""
    levers = [word for word in words if word.key.startswith(("instruments.", "network.")) and word.key.count(".") >= 1]
    if not levers or (config := _composed(words)) is None:
        return
    active = [key for key in INSTRUMENTS if config.instruments[key].active]
    for word in levers:
        part = word.key.split(".")
        if part[0] == "instruments" and len(part) == 3 and part[2] != "active" and part[1] not in active:
            both = ",".join([*active, part[1]])
            yield f"{word.typed}: {part[1]} is not active, so the lever would change nothing; type 'instruments=[{both}]' as well"
        if part[0] == "network" and part[1] not in config.network:
            kinds = [kind for kind, cls in (("synthetic", Synthetic), ("file", FromFile)) if part[1] in {f.name for f in fields(cls)}]
            if kinds:
                yield f"{word.typed}: belongs to another kind of network; type network={kinds[0]} as well"


def _arms(words: Sequence[Word]) -> Iterator[str]:
    """Look at the overrides of every arm as if they had been typed, beside the words of the study."""
    for word in words:
        if word.key != "study.arms" and not word.key.startswith("study.arms."):
            continue
        whole = len(word.key.split(".")) == 2
        for value in word.values:
            arms = value if whole else {word.key.split(".")[2]: value}
            if not isinstance(arms, dict) or not all(_words(inner) for inner in arms.values()):
                yield f"{word.typed}: arms are lists of overrides; write 'study.arms={{half: [instruments.cqo.reach=0.5]}}'"
                continue
            for name, inner in arms.items():
                yield from (f"arm {name}: {said}" for said in check_words(inner)[1])


def _words(inner: Any) -> bool:
    return isinstance(inner, list) and all(isinstance(word, str) for word in inner)


def _chosen_files(words: Sequence[Word]) -> Iterator[str]:
    """Look at what the policy and experiment files chosen say, as if it had been typed."""
    for word in words:
        if word.key not in {"policy", "experiment", "study", "parallel", "region"}:
            continue
        for option in word.values:
            path = FOLDER / word.key / f"{option}.yaml"
            if path.is_file():
                yield from (f"configs/{word.key}/{path.name}: {said}" for said in _file(path, word.key))


def _file(path: Path, group: str) -> Iterator[str]:
    try:
        written = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except Exception as mistake:  # whatever YAML finds to complain of
        yield f"cannot be read: {' '.join(str(mistake).split())}"
        return
    inside = "" if "@package _global_" in path.read_text(encoding="utf-8") else f"{group}."
    if not isinstance(written, dict):
        return

    def walk(node: dict[str, Any], where: str) -> Iterator[tuple[str, Any]]:
        for name, value in node.items():
            key = f"{where}{name}"
            if isinstance(value, dict) and key not in FREE and key not in _declared():
                yield from walk(value, f"{key}.")
            else:
                yield key, value

    for key, value in walk({str(name): value for name, value in written.items() if name not in {"defaults", "hydra"}}, inside):
        yield from _look_at(Word(f"{key}={value}", "", key, (value,)))
