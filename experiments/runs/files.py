"""Files as they are kept: there whole or not at all, with a checksum of every byte, and read with care.

A folder of results lists the SHA-256 of its files in `SUMS`, in the form that the command ``sha256sum --check`` reads, too. A file
that stands alone carries its checksum in itself (`sealed`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from experiments.languages.wording import say
from experiments.regular import open_regular, read_regular
from experiments.systems import take_the_place

__all__ = [
    "SUMS",
    "Damaged",
    "damages",
    "digest",
    "read_regular",
    "sealed",
    "sums_of",
    "unsealed",
    "update_sums",
    "write_sums",
    "write_whole",
    "written_whole",
]

#: Name of the list of checksums in a folder of results.
SUMS = "SHA256SUMS"
#: Bytes of such a list at most.
MOST_BYTES_OF_SUMS = 16_777_216
#: Letters of a checksum.
LENGTH = 64


class Damaged(ValueError):
    """A file that does not hold what was written: which, and how that shows."""


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


# -- writing ----------------------------------------------------------------------------------------------


def write_whole(path: Path, data: bytes) -> None:
    """Write a file at once, as `written_whole` does."""
    with written_whole(path) as part:
        part.write_bytes(data)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name to write a file under: it gets its own name when it is whole, and is there whole or not at all.

    This holds whenever the process or the machine stops: either the whole file exists, or no file. The temporary file is created
    here under a name that nobody can foresee, so that nothing else is written through a link of that name; a link at `path` itself is
    replaced, not followed.

    Raises
    ------
    OSError
        If the disk is full, the folder cannot be written, …; nothing is left of the file then.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield part
        if part.stat().st_size:  # else nothing was to be written
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            take_the_place(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


# -- a checksum in the file -------------------------------------------------------------------------------


def sealed(data: bytes, name: str) -> bytes:
    """Put a checksum of some bytes, and of the name that they are kept under, behind them."""
    return data + digest(name.encode() + data).encode()


def unsealed(data: bytes, name: str) -> bytes:
    """Take off the checksum.

    Raises
    ------
    Damaged
        If it is not that of the name and of the bytes before it.
    """
    content, seal = data[:-LENGTH], data[-LENGTH:]
    if digest(name.encode() + content).encode() != seal:
        raise Damaged("its checksum is not that of its content, or it was kept under another name")
    return content


# -- checksums of a folder --------------------------------------------------------------------------------


def _digest_of(path: Path) -> str:
    """Return the SHA-256 of a regular file of any size."""
    with os.fdopen(open_regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path, last: dict[str, bytes]) -> None:
    """List the checksums of all files of a folder and of its points, and then write the last files of it, which are listed too.

    Parameters
    ----------
    folder : Path
    last : dict of str to bytes
        What is to be written after the list, by name.
    """
    sums = {name: digest(data) for name, data in last.items()}
    for path in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and name not in {SUMS, *last}:
            sums[name] = _digest_of(path)
    write_whole(folder / SUMS, _listed(sums))
    for name, data in last.items():
        write_whole(folder / name, data)


def update_sums(folder: Path, name: str) -> None:
    """List a file of a folder anew that was written again after the list; without a list nothing is done."""
    if (folder / SUMS).is_file():
        sums = sums_of(folder) | {name: _digest_of(folder / name)}
        write_whole(folder / SUMS, _listed(sums))


def _listed(sums: dict[str, str]) -> bytes:
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()


def sums_of(folder: Path) -> dict[str, str]:
    """Read the checksums of a folder, by the names of its files.

    Raises
    ------
    OSError
        If there is no list.
    Damaged
        If a line of it is not as it was written.
    """
    lines = read_regular(folder / SUMS, MOST_BYTES_OF_SUMS).decode("utf-8", "replace").split("\n")
    if lines[-1] or lines[:-1] != sorted(lines[:-1], key=lambda line: line[LENGTH + 2 :]):
        raise Damaged(f"{folder / SUMS} is not as it was written")
    sums = {}
    for line in lines[:-1]:
        checksum, blanks, name = line[:LENGTH], line[LENGTH : LENGTH + 2], line[LENGTH + 2 :]
        parts = name.split("/")
        if (
            blanks != "  "
            or set(checksum) - set("0123456789abcdef")
            or len(checksum) != LENGTH
            or not all(parts)
            or ".." in parts
            or len(parts) > 2
        ):
            raise Damaged(f"{folder / SUMS} is not as it was written")
        sums[name] = checksum
    return sums


def damages(folder: Path, names: tuple[str, ...] = ()) -> list[str]:
    """Say which files of a folder are missing or changed: all that are listed, or those of some names.

    Raises
    ------
    OSError
        If the list cannot be read.
    """
    wrong = []
    try:
        sums = sums_of(folder)
    except FileNotFoundError:
        return [say("verify.missing", path=folder / SUMS)]
    except Damaged:
        return [say("verify.changed", path=folder / SUMS)]
    for name in names or sums:
        try:
            changed = _digest_of(folder / name) != sums.get(name)
        except FileNotFoundError:
            wrong.append(say("verify.missing", path=folder / name))
        except OSError as trouble:
            wrong.append(say("verify.unreadable", path=folder / name, damage=trouble.strerror))
        else:
            if changed:
                wrong.append(say(f"verify.{'changed' if name in sums else 'not_listed'}", path=folder / name, sums=SUMS))
    return wrong
