"""Files that a user names, read with care: regular ones only, and no larger than expected."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

__all__ = ["open_regular", "read_regular"]


def read_regular(path: Path, most: int) -> bytes:
    """Read a regular file of at most so many bytes: no device or pipe, which may never end.

    Raises
    ------
    OSError
        If it is not there, cannot be read, or is no regular file.
    ValueError
        If it is too large: one line.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        if (size := os.fstat(file.fileno()).st_size) > most:
            raise ValueError(f"{path} has {size:,} bytes; it must have at most {most:,}")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path} has grown over {most:,} bytes")
    return data


def open_regular(path: Path) -> int:
    """Open a file to read it, without waiting for a writer as a pipe would.

    Raises
    ------
    OSError
        If it is not there, cannot be read, or is no regular file.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return file
