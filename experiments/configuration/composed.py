"""What Hydra composes, checked as a whole before any of it is used.

What is typed and what files hold is data. Hydra, however, does what its own node ``hydra`` says: it calls callbacks and
launchers, opens log files, makes folders. So it is not enough to look at what was typed, for a file can bring in another
file. The composed configuration is held against the project's own: its ``hydra`` node must be the same, but for what may be
typed there (`TYPABLE`), and its values may refer to other settings and to the time of day, and to nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from agents.characters import unfit
from experiments.configuration.own_policies import in_hydras_words
from experiments.configuration.rules import SettingsError
from experiments.configuration.schema import register

__all__ = [
    "CONFIG",
    "TYPABLE",
    "composed",
    "foreign_reference",
    "foreign_texts",
    "in_one_line",
    "of_hydra",
    "refuse_foreign",
    "refuse_foreign_values",
    "without_hydra",
]

#: Name of the main configuration.
CONFIG = "strongchain"
#: Settings of Hydra that may be typed, one value each: all its others can name code to run, or write outside the results.
TYPABLE = ("hydra.run.dir", "hydra.sweep.dir", "hydra.verbose")
#: Keys that make Hydra, or Python's logging, call something.
CODE = ("_target_", "_args_", "_partial_", "_recursive_", "_convert_", "()")
#: What a value may ask for: the time of day. Others would bring in the environment, or text that is read as a configuration.
RESOLVERS = ("now",)
#: Parts of Hydra's node in which Hydra itself notes the command and the machine, and the texts of its own help.
NOTED_BY_HYDRA = ("overrides", "runtime", "help", "hydra_help")
#: What the rest of the node must be. It is written out here, and not taken from a composition: a file could be in any that we made.
OWN: dict[str, Any] = {
    "callbacks": {"collect": {"_target_": "experiments.reports.sweep.CollectSweep"}},
    "env": {},
    "hydra_logging": {
        "disable_existing_loggers": False,
        "formatters": {"simple": {"format": "[%(asctime)s][HYDRA] %(message)s"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "simple", "stream": "ext://sys.stdout"}},
        "loggers": {"logging_example": {"level": "DEBUG"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "version": 1,
    },
    "job": {
        "chdir": None,
        "config": {"override_dirname": {"exclude_keys": [], "item_sep": ",", "kv_sep": "="}},
        "config_name": CONFIG,
        "env_copy": [],
        "env_set": {},
        "id": "???",
        "name": CONFIG,
        "num": "???",
    },
    "job_logging": {"disable_existing_loggers": False, "root": None, "version": 1},
    "launcher": {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"},
    "mode": None,
    "output_subdir": None,
    "run": {"dir": "results/${name}"},
    "searchpath": [],
    "sweep": {"dir": "results/${name}", "subdir": "${hydra.job.num}"},
    "sweeper": {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper", "max_batch_size": None, "params": None},
    "verbose": False,
}
#: First words of lines in Hydra's errors that do not help a user: where it searches, and how it is built.
HYDRAS_OWN = ("To append to", "Config search path", "provider=", "full_key:", "object_type=", "reference_type=", "See http", "^")


def in_one_line(mistake: Exception) -> str:
    """Return the message of an error in one line: our own messages unchanged, and of Hydra's messages the lines that help a user."""
    if not isinstance(mistake, HydraException | OmegaConfBaseException):
        return str(mistake)
    lines = [line.strip() for line in f"{mistake}\n{mistake.__cause__ or ''}".splitlines()]
    return " ".join(line for line in lines if line and not line.startswith(HYDRAS_OWN))


def of_hydra(override: str) -> bool:
    """Whether an override, as typed, is one of Hydra's own."""
    return re.split("[./=@]", override.lstrip("+~"), maxsplit=1)[0] == "hydra"


def composed(overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration, its ``hydra`` node included, inside a running job or outside; nothing of it is resolved.

    Raises
    ------
    SettingsError
        If a file sets anything under ``hydra``, or a value names code or refers to what is no setting: one line.
    """
    overrides = [in_hydras_words(override) for override in overrides]
    config = _composed(tuple(overrides))
    typed_there = {override.lstrip("+~").split("=", 1)[0] for override in overrides if of_hydra(override)}
    if changed := next((path for path in _differences(OWN, _node(config), "hydra") if path not in typed_there), ""):
        raise SettingsError(f"a file of the configuration sets {changed}; files may set nothing of Hydra's: take it out of the file")
    noted = cast(dict[str, list[str]], OmegaConf.to_container(config.hydra.overrides, resolve=False))
    typed = {"hydra": [one for one in overrides if of_hydra(one)], "task": [one for one in overrides if not of_hydra(one)]}
    if noted != typed:
        raise SettingsError("a file of the configuration sets hydra.overrides, where Hydra notes what was typed; take it out of the file")
    refuse_foreign(config)
    return config


def refuse_foreign(config: DictConfig) -> None:
    """Raise if a value of a composed configuration names code, or refers to what is no setting.

    Raises
    ------
    SettingsError
        One line for the first such value.
    """
    refuse_foreign_values(cast(dict[str, Any], OmegaConf.to_container(config, resolve=False)))


def refuse_foreign_values(plain: Mapping[str, Any]) -> None:
    """Raise if a value of a plain configuration names code, or refers to what is no setting.

    Raises
    ------
    SettingsError
        One line for the first such value.
    """
    for path, text, wrong in foreign_texts({key: value for key, value in plain.items() if key != "hydra"}):
        raise SettingsError(f"{path} is {text!r}: {wrong}")


def foreign_texts(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every text in a value, keys of dictionaries too, that no setting may hold: where it stands, the text, and what is wrong."""
    for where, text in _texts(value, path):
        code = next((part for part in text.replace("/", ".").split(".") if part in CODE), "")
        names_code = f"{code} names code to run, which no setting may" if code else ""
        if wrong := names_code or foreign_reference(text) or unfit(text, lines=True):
            yield where, text, wrong


def foreign_reference(text: str) -> str:
    """Say what a text refers to that it may not; empty if it refers to other settings, to the time of day, or to nothing.

    Taken apart from the inside: what stands in the innermost brackets is checked, then what is around them.
    """
    while (innermost := re.search(r"\$\{([^${}]*)\}", text)) is not None:
        resolver, colon, _ = innermost[1].partition(":")
        name = resolver.strip()
        is_setting = re.fullmatch(r"[\w.\[\]-]+", name) and not re.match(r"[.\[]*hydra\b", name)
        if not (name in RESOLVERS if colon else is_setting):
            may = "a value may refer to other settings, as ${months}, and to the time of day, as ${now:%Y-%m-%d}"
            return f"it refers to {innermost[1]!r}; {may}"
        text = text[: innermost.start()] + "_" + text[innermost.end() :]
    return "it begins a reference with ${ and does not end it with }" if "${" in text else ""


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a configuration, keys too, with the path at which it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            below = f"{path}.{key}" if path else str(key)
            yield below, str(key)
            yield from _texts(inner, below)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str):
        yield path, value


def _composed(overrides: tuple[str, ...]) -> DictConfig:
    if GlobalHydra.instance().is_initialized():
        return compose(config_name=CONFIG, overrides=list(overrides), return_hydra_config=True)
    register()
    with initialize_config_module("configs", version_base="1.3"):
        return compose(config_name=CONFIG, overrides=list(overrides), return_hydra_config=True)


def _node(config: DictConfig) -> dict[str, Any]:
    """Hydra's own node, without what Hydra notes there itself."""
    node = cast(dict[str, Any], OmegaConf.to_container(config.hydra, resolve=False))
    job = {name: value for name, value in node["job"].items() if name != "override_dirname"}
    return {name: value for name, value in node.items() if name not in NOTED_BY_HYDRA} | {"job": job}


def _differences(own: Any, other: Any, path: str) -> Iterator[str]:
    """Yield the paths at which a node is not the project's own."""
    if isinstance(own, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys([*own, *other]):
            yield from _differences(own.get(name), other.get(name), f"{path}.{name}")
    elif type(own) is not type(other) or own != other:
        yield path


def without_hydra(config: DictConfig) -> DictConfig:
    """Take Hydra's own node out of a composed configuration."""
    with open_dict(config):
        del config["hydra"]
    return config
