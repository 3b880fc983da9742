"""Everything that can be set, and where it is declared: behind the checks, the lists, the completion and the docs alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any

from experiments.configuration import files
from experiments.configuration.study import KINDS, Figures, General, Parallel, Portfolio

__all__ = [
    "SWITCHED",
    "VERBS",
    "chosen_as_a_whole",
    "declared_at",
    "declaring",
    "fields_by_path",
    "groups",
    "networks",
    "of_studies",
    "registered",
]

#: Groups whose options are all there, each switched on by its name in a list.
SWITCHED = ("instruments", "shocks")
#: What can be typed after ``strongchain`` instead of settings, and what follows it.
VERBS = {
    "results": "[FOLDER]",
    "report": "FOLDER [language=zh]",
    "slides": "FOLDER [language=zh]",
    "export": "FOLDER",
    "rerun": "FOLDER [--replicate N] [--arm NAME]",
    "verify": "[FOLDER]",
    "release": "FOLDER",
    "import": "FILE [FIRMS] [KEY=VALUE ...]",
    "regions": "",
    "chains": "",
    "policies": "",
    "policy": "new FILE.yaml [INSTRUMENT …] | check FILE.yaml",
    "instruments": "",
    "shocks": "",
    "experiments": "",
    "parameters": "[WORD]",
    "explain": "WORD",
    "completion": "bash|zsh",
    "help": "[WORD]",
}


def networks() -> dict[str, type]:
    """Kinds of network with settings of their own, and what declares these."""
    from sim import FromFile, InputOutput, Synthetic

    return {"synthetic": Synthetic, "file": FromFile, "input_output": InputOutput}


def chosen_as_a_whole() -> dict[str, dict[str, type]]:
    """Groups whose options have their own settings, with the classes that declare them: kinds of study and of network."""
    return {"study": dict[str, type](KINDS), "network": networks()}


def of_studies() -> Iterator[tuple[str, type]]:
    """Every dataclass that declares settings of a study, after the path that these lie under."""
    yield "", General
    yield "portfolio", Portfolio
    yield from (("study", cls) for cls in KINDS.values())
    yield "parallel", Parallel
    yield "figures", Figures


def declaring() -> Iterator[tuple[str, type]]:
    """Every dataclass that declares settings, of the study and of the world, after the path that these lie under."""
    from sim import INSTRUMENTS, SHOCKS, Across, Parameters, Region

    yield from of_studies()
    yield "parameters", Parameters
    yield "region", Region
    yield "across", Across
    yield from ((f"instruments.{key}", cls) for key, cls in INSTRUMENTS.items())
    yield from ((f"shocks.{key}", cls) for key, cls in SHOCKS.items())
    yield from (("network", cls) for cls in networks().values())


def _path(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def fields_by_path() -> dict[str, Field[Any]]:
    """Every setting that a dataclass declares, by its path."""
    return {_path(prefix, f.name): f for prefix, cls in declaring() for f in fields(cls)}


def declared_at(path: str) -> list[Field[Any]]:
    """Every declaration at a path: kinds of network or study may have settings of one name, as a number of leaders or their names."""
    return [f for prefix, cls in declaring() for f in fields(cls) if _path(prefix, f.name) == path]


def registered() -> dict[str, tuple[str, ...]]:
    """Groups whose options the program itself gives to Hydra, with these options."""
    from sim import INSTRUMENTS, SHOCKS
    from sim.data.plausible import plausible_sets

    return {
        "network": ("region", *networks()),
        "study": tuple(KINDS),
        "instruments": tuple(INSTRUMENTS),
        "shocks": tuple(SHOCKS),
        "parameters": tuple(plausible_sets()),
    }


def groups() -> dict[str, tuple[str, ...]]:
    """Groups and their options: the files under configs/, and what is registered."""
    every = {**files.options_in_files(files.CONFIGS), **registered()}
    return {name: tuple(sorted(options)) for name, options in sorted(every.items())}
