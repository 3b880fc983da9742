"""The last resort: an error that nobody foresaw goes into a file with its traceback, and one line says what to do.

Whatever cannot be imported or written, this must work: so it imports the standard library, and words only where they are needed.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from experiments.shells import command
from experiments.terminal import printable

__all__ = ["noted"]


def noted(mistake: Exception, typed: Sequence[str]) -> str:
    """Write an error that nobody foresaw into a new file, and return one line: its kind, where the file is, and what to do.

    The file lies in the current folder, or among the system's temporary files if that cannot be written. If neither can, the
    traceback is printed. It holds the traceback, what was typed, versions and the platform, and no variables of the environment.

    Parameters
    ----------
    mistake : Exception
    typed : sequence of str
        What was typed after ``strongchain``.
    """
    text = printable(_described(mistake, typed))
    path = _kept(text)
    if path is None:
        print(text, file=sys.stderr)
    kind = type(mistake).__name__
    try:
        from experiments.languages.wording import say

        what = "memory" if isinstance(mistake, MemoryError) else "error"
        line = say(f"unexpected.{what}", kind=kind, where=say("unexpected.file", path=path) if path else say("unexpected.above"))
    except Exception:  # the words cannot be read either
        line = f"{kind}; {path or ''}"
    return printable(line)


def _described(mistake: Exception, typed: Sequence[str]) -> str:
    """What the file says, line by line."""
    try:
        trace = "".join(traceback.format_exception(mistake))
    except Exception as second:  # memory may still be short
        trace = f"{type(mistake).__name__}, and its traceback cannot be written: {type(second).__name__}\n"
    return "\n".join(
        [
            f"typed: {command(['strongchain', *typed])}",
            f"time: {datetime.datetime.now().astimezone().isoformat(timespec='seconds')}",
            f"versions: {', '.join(_versions())}",
            f"platform: {platform.platform()}",
            "",
            trace,
        ]
    )


def _versions() -> list[str]:
    """The versions of Python, of Strongchain and of what it requires, as far as they can be read."""
    versions = [f"python {platform.python_version()}"]
    required: list[str] = []
    with contextlib.suppress(Exception):
        required = importlib.metadata.requires("strongchain") or []
    for name in dict.fromkeys(["strongchain", *(re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required)]):
        with contextlib.suppress(Exception):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return versions


def _kept(text: str) -> Path | None:
    """Write a text into a new file in the first of two folders that takes it; return where, or nothing."""
    name = f"strongchain-error-{datetime.datetime.now():%Y-%m-%d_%H-%M-%S}-{os.getpid()}"
    for folder in (os.getcwd, tempfile.gettempdir):
        with contextlib.suppress(OSError):
            return _new_file(Path(folder()) / name, text)
    return None


def _new_file(stem: Path, text: str) -> Path:
    """Write a file whose name was not taken before; a number is added if it was, as by an earlier point of the same sweep."""
    path, number = stem.with_name(f"{stem.name}.txt"), 1
    while True:
        try:
            file = path.open("x", encoding="utf-8")
            break
        except FileExistsError:
            number += 1
            path = stem.with_name(f"{stem.name}-{number}.txt")
    try:
        with file:
            file.write(text)
    except OSError:  # a full disk: no half of it is left
        path.unlink()
        raise
    return path
