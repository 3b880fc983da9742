"""The bytes of a researcher's file: of a regular file only, and never more than the settings allow."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from sim.build.reading.quoted import some
from sim.network.fixed_points import NetworkError
from sim.parameters import parameter

__all__ = ["DEFAULTS", "Reading", "content"]

MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How text tables are read, whatever they hold: part of the settings of every network that has files.

    Attributes
    ----------
    encoding : str
        "auto" (see `sim.build.reading.encodings`) or the name of an encoding.
    """

    encoding: str = field(default="auto", metadata={"meaning": "auto (UTF-8, UTF-16 or GB18030) or the name of an encoding"})
    most_rows: int = parameter(5_000_000, 1, 1_000_000_000, "rows", "a convention", "N", "largest number of rows of a file that is read")
    most_megabytes: int = parameter(500, 1, 1_000_000, "MB", "a convention", "N", "largest size of a file that is read")


DEFAULTS = Reading()


def content(path: str | Path, most_megabytes: int) -> bytes:
    """Return the bytes of a file.

    Its size is looked at before it is read. What is no regular file (a pipe, a device) is refused at once, because it may have no end.

    Raises
    ------
    NetworkError
        One line: what is wrong with the file, and what would be right.
    """
    try:
        file = Path(path).expanduser()
        kind = _mode(file)
    except (ValueError, RuntimeError) as error:  # a NUL in its name; '~' before a user who does not exist
        raise NetworkError(f"{str(path)!r} cannot be the name of a file: {error}") from None
    except OSError as error:
        raise NetworkError(f"{path} cannot be read: {error.strerror}") from None
    if kind is None:
        raise NetworkError(_missing(file))
    if stat.S_ISDIR(kind):
        tables = sorted(entry.name for entry in file.glob("*.csv"))
        raise NetworkError(f"{file} is a folder; give the CSV file in it: {some(tables) or 'it holds none'}")
    _refuse_irregular(file, kind)
    try:
        # Another file may have taken its place: to open a pipe must not wait for one who writes, and what is opened is looked at again.
        with open(file, "rb", opener=_without_waiting) as opened:
            about = os.fstat(opened.fileno())
            _refuse_irregular(file, about.st_mode)
            if about.st_size > most_megabytes * MEGABYTE:
                raise NetworkError(
                    f"{file.name} has {about.st_size / MEGABYTE:,.1f} MB, and files of at most {most_megabytes:,} MB are read; "
                    "leave out columns and rows that are not used, or raise network.most_megabytes"
                )
            raw = opened.read(about.st_size + 1)
    except OSError as error:
        raise NetworkError(f"{file} cannot be read: {error.strerror}") from None
    if len(raw) != about.st_size:
        raise NetworkError(f"{file.name} changed while it was read; run this again when no other program writes to it")
    return raw


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has no such flag, nor pipes among its files


def _mode(file: Path) -> int | None:
    """Return what kind of file it is, as the system has it; None if there is no file."""
    try:
        return file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _refuse_irregular(file: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NetworkError(f"{file} is a pipe or a device, which may have no end; save what it gives as a CSV file, and name that file")


def _missing(file: Path) -> str:
    """Say that there is no such file, with those that look like it."""
    if not file.parent.is_dir():
        return f"there is no file {file}, nor a folder {file.parent}; a relative path starts at {Path.cwd()}"
    try:
        files = sorted(entry.name for entry in file.parent.iterdir() if entry.is_file())
    except OSError:  # a folder that cannot be listed
        files = []
    alike = get_close_matches(file.name, files, n=3, cutoff=0.5) or [name for name in files if name.lower().endswith(".csv")]
    return f"there is no file {file}; its folder holds {some(alike, 3) if alike else 'no CSV file'}"
