"""A folder of results has one owner: the study, sweep or rerun that claimed it, and no other may write into it.

The claim is a file that only one process can create (`CLAIM`). It says of which kind the owner is, which study it does, and
which process on which host does it. As long as the process lives it also holds a lock of the operating system on the file; the
lock tells a living owner from a dead one on the same host. The claim stays when the study is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from experiments.configuration.rules import SettingsError

__all__ = ["CLAIM", "Claim", "Owner", "claim", "lives", "owner_of", "refuse_folder", "refuse_link", "release", "remove_empty"]

#: Name of the file that says whose a folder is.
CLAIM = "claim.json"
#: Kinds of owner.
KINDS = ("study", "sweep", "point", "rerun", "replicate")
#: What file managers leave in a folder by themselves: nobody's.
OF_THE_SYSTEM = {".DS_Store", "Thumbs.db", "desktop.ini"}
#: Bytes of a claim at most; it is written at once.
MOST_BYTES = 65_536
#: Seconds in which a claim that is being written is whole.
FILLED_WITHIN = 1.0

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def _lock(file: int) -> bool:
        """Lock a byte far behind the text, so that others can read it."""
        os.lseek(file, MOST_BYTES, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
else:

    def _lock(file: int) -> bool:
        """Lock a file for this process; the system ends the lock together with the process."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@dataclass(frozen=True)
class Owner:
    """Whose a folder is.

    Attributes
    ----------
    kind : {"study", "sweep", "point", "rerun", "replicate"}
    study : str
        What is done: two owners that do the same have the same id.
    process : int
        Number of the process; 0 if it has released the folder.
    host : str
    started : str
        When the process began, as the system has it: numbers of processes are used again. Empty where the system does not say.
    months, replicates : int
        For lists of studies.
    """

    kind: str
    study: str
    process: int
    host: str
    started: str = ""
    months: int = 0
    replicates: int = 0

    def __post_init__(self) -> None:
        """Refuse what no claim of ours holds."""
        texts, numbers = (self.study, self.host, self.started), (self.process, self.months, self.replicates)
        if self.kind not in KINDS or not all(isinstance(text, str) for text in texts):
            raise ValueError("it is no claim")
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("it is no claim")

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this host."""
        return self.host == platform.node()


@dataclass
class Claim:
    """A folder that this process has claimed: to be closed when everything is written."""

    folder: Path
    owner: Owner
    file: int
    made: list[Path] = field(default_factory=list)
    taken_over: bool = False

    def check(self) -> None:
        """Raise if the folder has been released, and claimed by somebody else, since.

        Raises
        ------
        SettingsError
        """
        if owner_of(self.folder) != self.owner:
            raise SettingsError(
                f"{self.folder} was released and claimed by another process meanwhile; nothing was written: choose another name"
            )

    def end(self) -> None:
        """End the lock; if nothing was written, remove the claim and the folders that were made for it.

        What was taken over stays: somebody may go on with it.
        """
        with contextlib.suppress(OSError):  # the folder may be gone
            ours = os.path.samestat(os.fstat(self.file), os.lstat(self.folder / CLAIM))
            if ours and not self.taken_over and _others(self.folder) == []:
                (self.folder / CLAIM).unlink()
                remove_empty(self.made)
        os.close(self.file)


def refuse_link(folder: Path) -> None:
    """Raise if a folder into which results go is a link: what is written there would land in a folder of somebody else.

    Raises
    ------
    SettingsError
    """
    if folder.is_symlink():
        raise SettingsError(f"{folder} is a link; results go into a folder of their own: choose another name, or remove the link")


def remove_empty(folders: list[Path]) -> None:
    """Remove those of some folders that are empty, the innermost first."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def owner_of(folder: Path) -> Owner | None:
    """Return whose a folder is; nobody's if there is no claim in it, or one that cannot be read."""
    try:
        return _read(folder / CLAIM)
    except (OSError, ValueError):
        return None


def lives(folder: Path, owner: Owner) -> bool:
    """Whether the owner of a folder is a process that goes on, as far as this host can see."""
    try:
        file = os.open(folder / CLAIM, os.O_RDWR)
    except OSError:
        return owner.is_here and _runs(owner)
    try:
        return not _lock(file)
    except OSError:  # a file system without locks
        return owner.is_here and _runs(owner)
    finally:
        os.close(file)


def refuse_folder(folder: Path, kind: str, study: str = "") -> None:
    """Raise if a folder cannot be claimed; it is not touched.

    Parameters
    ----------
    folder : Path
    kind : str
        What wants to claim it.
    study : str
        What is to be done there, if that is known already.

    Raises
    ------
    SettingsError
        One line: whose the folder is, and what can be done.
    """
    parents = folder.absolute().parents[1 if kind in {"point", "rerun"} else 0 :]  # points lie in their sweep
    for around in (parent for parent in parents if os.path.lexists(parent / CLAIM)):
        raise SettingsError(f"{folder} lies in {around}, which holds another study; choose another name")
    refuse_link(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SettingsError(f"{folder} is a file; choose another name")
    if not os.path.lexists(folder / CLAIM):
        if others := _others(folder):
            shown = f"{others[0]!r}{f' and {len(others) - 1} others' if len(others) > 1 else ''}"
            raise SettingsError(f"{folder} is not empty, and no claim in it says whose it is (it holds {shown}); choose another name")
        return
    owner = _known(folder)
    if (owner.kind, owner.study) == (kind, study) or (owner.kind == kind and not study):
        return
    if owner.kind != kind:
        raise SettingsError(f"{folder} holds a {owner.kind}, no {kind}; choose another name")
    if lives(folder, owner):
        whose = f"process {owner.process} on {owner.host}"
        raise SettingsError(f"{folder}: another {kind} is simulated there at this moment by {whose}; choose another name")
    remedy = "choose another name, or remove the folder"
    raise SettingsError(f"{folder} already holds another {kind} (other settings, input files or code); {remedy}")


def claim(folder: Path, kind: str, study: str, months: int = 0, replicates: int = 0) -> Claim:
    """Claim a folder for this process, or take over what a dead process of this host has claimed for the same study.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    kind, study, months, replicates
        See `Owner`.

    Raises
    ------
    SettingsError
        If it cannot be written, or belongs to somebody else: one line on whose it is, and what can be done.
    """
    refuse_folder(folder, kind, study)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    owner = Owner(kind, study, os.getpid(), platform.node(), _started(os.getpid()), months, replicates)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _create(folder, owner)
    except OSError as trouble:
        remove_empty(made)
        raise SettingsError(f"results cannot be written into {folder}: {trouble.strerror}") from trouble
    if file is None:
        return _take_over(folder, owner, made)
    if others := _others(folder):  # put there between the look and the claim
        (folder / CLAIM).unlink()
        os.close(file)
        raise SettingsError(f"{folder} is not empty (it holds {others[0]!r}); choose another name")
    return Claim(folder, owner, file, made)


def release(folder: Path) -> str:
    """Give up the claim on a folder whose owner is not alive: what another host has claimed can then be taken over for the same study.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str
        "removed" if nothing else was in the folder, which is gone now, or "released".

    Raises
    ------
    SettingsError
        If there is no claim, the study is whole, or the owner is alive on this host.
    """
    if folder.is_symlink() or not os.path.lexists(folder / CLAIM):
        raise SettingsError(f"{folder} is claimed by nobody: there is no {CLAIM} in it")
    if os.path.lexists(folder / "manifest.json"):  # also a link to nowhere, which is not ours
        raise SettingsError(f"{folder} holds a whole study, which nobody needs to release; remove the folder if you do not want it")
    owner = _known(folder)
    if lives(folder, owner):
        raise SettingsError(f"{folder} is being written by process {owner.process} on {owner.host}; stop that first")
    if not _others(folder):
        (folder / CLAIM).unlink()
        remove_empty([folder])
        return "removed"
    with _opened(folder) as file:
        _write(file, Owner(owner.kind, owner.study, 0, "", "", owner.months, owner.replicates))
    return "released"


def _others(folder: Path) -> list[str]:
    """Names in a folder that are neither the claim, nor on their way to become it, nor the system's own."""
    beginning = f".{CLAIM}."
    return sorted(
        path.name for path in folder.iterdir() if path.name not in {CLAIM, *OF_THE_SYSTEM} and not path.name.startswith(beginning)
    )


def _create(folder: Path, owner: Owner) -> int | None:
    """Create the claim, written and locked, if there is none; nothing otherwise."""
    part = folder / f".{CLAIM}.{os.getpid()}.{time.monotonic_ns()}"
    file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        _write(file, owner)
        with contextlib.suppress(OSError):  # a file system without locks
            _lock(file)
        try:
            os.link(part, folder / CLAIM)
        except FileExistsError:
            os.close(file)
            return None
        except OSError:  # a file system without links: others may see the claim before it is filled
            os.close(file)
            return _create_unlinked(folder, owner)
        return file
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _create_unlinked(folder: Path, owner: Owner) -> int | None:
    try:
        file = os.open(folder / CLAIM, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return None
    with contextlib.suppress(OSError):
        _lock(file)
    _write(file, owner)
    return file


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    file = os.open(folder / CLAIM, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        yield file
    finally:
        os.close(file)


def _take_over(folder: Path, owner: Owner, made: list[Path]) -> Claim:
    """Take a claim over if its owner is dead, was of this host (or has released it), and did the same."""
    refuse_folder(folder, owner.kind, owner.study)
    file = os.open(folder / CLAIM, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        before = _known(folder)
        busy = f"{folder}: the same {owner.kind} is simulated there at this moment by process {before.process} on {before.host}"
        try:
            free = _lock(file)
        except OSError:
            remedy = f"if it does not run any more, type: strongchain release {folder}"
            free = before.process == 0
            if not free:
                raise SettingsError(f"{busy}, as far as this file system lets one see; {remedy}") from None
        if not free:
            raise SettingsError(f"{busy}; wait for it, or choose another name")
        if before.process and not before.is_here:
            remedy = f"if it does not run any more, type: strongchain release {folder}"
            raise SettingsError(f"{folder} is claimed by process {before.process} on another host, {before.host}; {remedy}")
        if not os.path.samestat(os.fstat(file), os.stat(folder / CLAIM)) or _known(folder) != before:
            raise SettingsError(f"{folder} was claimed by another process just now; choose another name")
        _write(file, owner)
    except BaseException:
        os.close(file)
        raise
    return Claim(folder, owner, file, made, taken_over=True)


def _write(file: int, owner: Owner) -> None:
    """Fill a claim at once."""
    text = json.dumps(asdict(owner), ensure_ascii=False).encode()
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.write(file, text)
    os.fsync(file)


def _read(path: Path) -> Owner:
    """Read a claim.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is no claim.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ValueError("it is no file")
        text = os.read(file, MOST_BYTES)
    finally:
        os.close(file)
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(values, Mapping) or set(values) != {*Owner.__dataclass_fields__}:
        raise ValueError("it is no claim")
    return Owner(**values)


def _known(folder: Path) -> Owner:
    """Whose a folder is that has a claim.

    Raises
    ------
    SettingsError
        If the claim cannot be read.
    """
    limit = time.monotonic() + FILLED_WITHIN
    while True:
        try:
            return _read(folder / CLAIM)
        except (OSError, ValueError) as damage:  # or it is being written at this moment
            if time.monotonic() > limit:
                raise SettingsError(f"{folder / CLAIM} cannot be read ({damage}); choose another name, or remove the folder") from None
        time.sleep(0.05)


def _started(process: int) -> str:
    """When a process began, as the system counts it; empty where it does not say."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    return f"{boot}/{text.rpartition(')')[2].split()[19]}"


def _runs(owner: Owner) -> bool:
    """Whether the process of an owner runs on this host."""
    if not owner.process:
        return False
    if owner.started:
        return _started(owner.process) == owner.started
    if os.name == "nt":  # where to ask a process for a sign of life would end it
        return True
    try:
        os.kill(owner.process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
