"""Where the configuration files are, which options they give to a group, and how they are read by lists and explanations."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml  # type: ignore[import-untyped]

from experiments.languages.wording import say
from experiments.terminal import printable

__all__ = ["CONFIGS", "each_file", "files_with_aliases", "options_in_files", "shadowing"]

T = TypeVar("T")

#: Where the configuration files lie.
CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def options_in_files(configs: Path) -> dict[str, tuple[str, ...]]:
    """Return groups and their options as far as files under a folder of configurations give them."""
    folders = (folder for folder in configs.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
    return {"experiment": (), **{folder.name: tuple(path.stem for path in folder.glob("*.yaml")) for folder in folders}}


def each_file(group: str, read: Callable[[Path], T]) -> Iterator[T]:
    """Read every file of a group; one that cannot be read gets a line, and hides no other."""
    for path in sorted((CONFIGS / group).glob("*.yaml")):
        try:
            result = read(path)
        except Exception as mistake:  # YAML and what stands in it raise errors of many kinds
            why = " ".join(str(mistake).split())[:200] or type(mistake).__name__
            print(printable(say("verbs.unreadable_file", file=f"configs/{group}/{path.name}", why=why)), file=sys.stderr)
        else:
            yield result


def shadowing(configs: Path, registered: Iterable[str]) -> Iterator[Path]:
    """Yield the files that would take the place of what the program itself gives to Hydra: in groups whose options are no files."""
    for name in (*registered, "hydra"):
        yield from sorted((configs / name).rglob("*.yaml"))
    yield from (path for path in configs.glob("*.yaml") if path.stem != "strongchain")


def files_with_aliases(configs: Path) -> Iterator[Path]:
    """Yield the files that refer to parts of themselves (`*name`): nine lines of them can stand for a billion values."""
    for path in sorted(configs.rglob("*.yaml")):
        text = path.read_bytes()
        if b"*" in text and b"&" in text:
            with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):  # which is said where the file is chosen
                if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):  # as it will be read
                    yield path
