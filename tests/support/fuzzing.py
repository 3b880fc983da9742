"""What every fuzzer shares: a desk with canaries, a warm process in which a try is typed, and what each try must show.

A try is given by its fuzzer and its number alone, so that it can be repeated: see docs/developer/testing.md.
"""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT

__all__ = ["BASE", "TINY", "TOKEN", "Desk", "Try", "desk_of", "fuzz"]

#: What no output and no file may hold: a secret in the environment of the child.
TOKEN = "s3cr3t-0f-the-env1r0nment"
#: In an argument or a file of a try: the folder in which all canaries lie.
BASE = "@BASE@"
#: What makes a study as small as can be.
TINY = (
    "network=synthetic", "network.firms=30", "region=sample", "months=2", "window=1", "burn_in=1", "replicates=2", "parallel=serial",
    "quiet=true", "instruments=[]",
)  # fmt: skip
#: Packages that are copied.
PACKAGES = ("agents", "sim", "experiments", "configs")
#: Most characters of an error that can still be read, besides those that repeat what was typed.
READABLE = 20_000
#: One try only, by its number; it is shown in full.
ONLY = os.environ.get("STRONGCHAIN_FUZZ_TRY")


@dataclass(frozen=True)
class Try:
    """What is typed, which files there are, and by which mutations both were made.

    Attributes
    ----------
    arguments : list of str
    files : dict of str to bytes
        By path below the base: ``desk/…`` is the working folder, ``tree/…`` the copy of the project.
    links : dict of str to str
        Symbolic links, in the same way.
    told : list of str
        Names of the mutations.
    drawn : bool
        Whether figures are drawn; they are left blank otherwise.
    left : bool
        Whether what a study wrote into ``results/study`` is read: its manifest, the tables that a rerun compares, and the
        kept runs.
    """

    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    drawn: bool = False
    left: bool = False


@dataclass(frozen=True)
class Ended:
    """How a try ended, and what is wrong with that."""

    status: int
    cpu: float
    stdout: str
    stderr: str
    wrong: list[str]
    left: dict[str, bytes]


class Desk:
    """A working folder among canaries, a copy of the project, and a process that has imported it.

    Attributes
    ----------
    kept : dict of str to bytes
        Files that every try finds in addition to the canaries, and must leave as they are.
    """

    def __init__(self, folder: Path, kept: dict[str, bytes] | None = None) -> None:
        self.base, self.aside = folder / "base", folder / "aside"
        self.temporary = self.aside / "temporary"
        self.temporary.mkdir(parents=True)
        self.kept = kept or {}
        self._lay()
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.base / "home"), "LANG": "C.UTF-8", "COLUMNS": "100",
            "PYTHONPATH": str(self.base / "tree"), "PYTHONDONTWRITEBYTECODE": "1", "MPLCONFIGDIR": str(self.aside / "matplotlib"),
            "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TMPDIR": str(self.temporary), "SECRET_TOKEN": TOKEN,
            "STRONGCHAIN_SECRET": TOKEN,
        }  # fmt: skip
        script = [sys.executable, "-P", str(ROOT / "tests" / "support" / "fuzz_server.py")]
        self.server = subprocess.Popen(script, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1)
        ready = self._heard()["ready"]
        assert Path(ready).is_relative_to(self.base / "tree"), f"{ready} is not the copy"

    def close(self) -> None:
        """End the process."""
        assert self.server.stdin is not None
        self.server.stdin.close()
        self.server.wait(timeout=30)

    def run(self, one: Try) -> Ended:
        """Type a try and look at what it did."""
        arguments = [argument.replace(BASE, str(self.base)) for argument in one.arguments]
        files = {path: content.replace(BASE.encode(), os.fsencode(self.base)) for path, content in one.files.items()}
        self._put(files)
        for path, target in one.links.items():
            place = self.base / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target.replace(BASE, str(self.base)))
        before = self._seen()
        out, err, note = (self.aside / name for name in ("stdout", "stderr", "note"))
        note.write_bytes(b"")
        request = {
            "arguments": arguments, "cwd": str(self.base / "desk"), "allowed": [str(self.base / "desk" / "results"), str(self.temporary)],
            "drawn": one.drawn, "stdout": str(out), "stderr": str(err), "note": str(note),
        }  # fmt: skip
        assert self.server.stdin is not None
        self.server.stdin.write(json.dumps(request) + "\n")
        ended = self._heard()
        printed = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
        wrong = [
            *_wrong(ended, *printed, sum(map(len, arguments))),
            *(f"reached outside: {line}" for line in dict.fromkeys(note.read_text().splitlines())),
        ]
        wrong += [f"left in the folder of temporary files: {path.name}" for path in self.temporary.iterdir()]
        shutil.rmtree(self.temporary)
        self.temporary.mkdir()
        after = self._seen()
        changed = [*_changed(before, after)]
        wrong += [f"{how}: {path}" for how, path in changed]
        new = [self.base / path for path in after.keys() - before.keys()]
        holding = [path for path in [out, err, *new] if _holds_token(path)]
        wrong += [f"the secret of the environment is in {path.name}" for path in holding]
        study = self.base / RESULTS / "study"
        left = {}
        if one.left:
            left = {path.name: path.read_bytes() for path in study.glob("*") if path.suffix in {".json", ".parquet"}}
            left |= {f"runs/{path.name}": path.read_bytes() for path in study.with_name("runs").glob("*.npz")}
        if changed:
            self._lay()
        else:
            self._clear(after)
        return Ended(ended["status"], ended["cpu"], *printed, wrong, left)

    def _heard(self) -> dict[str, Any]:
        assert self.server.stdout is not None
        line = self.server.stdout.readline()
        assert line, "the process that types the tries has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _put(self, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            place = self.base / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    def _lay(self) -> None:
        """Lay out the canaries and the copy of the project."""
        if self.base.exists():
            _unlock(self.base)
            shutil.rmtree(self.base)
        files = {
            "outside/thesis.txt": b"Do not touch.\n",
            "outside/folder/data.csv": b"a,b\n1,2\n",
            "outside/folder/deep/er/notes.md": b"# Notes\n",
            "home/.profile": b"export A=1\n",
            "home/diary.txt": b"Dear diary\n",
            "desk/notes.txt": b"My notes\n",
            "desk/runs/old.npz": b"PK not really",
            "desk/other/results/a.csv": b"a\n1\n",
            "desk/results/OTHER/manifest.json": b'{"id": "0123456789ab", "overrides": [], "configuration": {"months": 12}, "arms": {}}',
            "desk/results/OTHER/runs.csv": b"arm,replicate\nnothing,1\n",
            "desk/results/OTHER/my own notes.txt": b"Mine\n",
            "desk/results/a file": b"This is no study\n",
            "desk/results/foreign/photo.jpg": b"\xff\xd8\xff\xe0",
            "desk/results/foreign/quality_map_mine.csv": b"my own map\n",
            "desk/results/foreign/effects.csv": b"my own table\n",
        }
        self._put(files)
        (self.base / "desk/results/linked").symlink_to("../../outside/folder")
        (self.base / "desk/results/loop").symlink_to("loop")
        (self.base / "desk/link.txt").symlink_to("../outside/thesis.txt")
        (self.base / "desk/nowhere").symlink_to("../outside/not-yet")
        ignored = shutil.ignore_patterns("__pycache__")
        for package in PACKAGES:
            shutil.copytree(ROOT / package, self.base / "tree" / package, ignore=ignored)
        self._put(self.kept)
        self.laid = frozenset(self._seen())

    def _seen(self) -> dict[str, tuple[Any, ...]]:
        """What lies below the base: by path kind, size, and when it was changed last (which nobody can set)."""
        found: dict[str, tuple[Any, ...]] = {}
        folders = [str(self.base)]
        while folders:
            for entry in os.scandir(folders.pop()):
                path = entry.path[len(str(self.base)) + 1 :]
                if entry.is_dir(follow_symlinks=False):
                    found[path] = ("folder", entry.stat(follow_symlinks=False).st_mode)
                    folders.append(entry.path)
                else:
                    about = entry.stat(follow_symlinks=False)
                    found[path] = (about.st_mode, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        return found

    def _clear(self, found: Iterable[str]) -> None:
        """Remove all that is no canary."""
        for path in sorted(set(found) - self.laid, key=len, reverse=True):
            place = self.base / path
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            else:
                place.unlink()


def _unlock(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


RESULTS = "desk/results/"


def _changed(before: dict[str, tuple[Any, ...]], after: dict[str, tuple[Any, ...]]) -> Iterator[tuple[str, str]]:
    """Say what is new outside the results or in a finished study, and what was changed or removed; kept runs may be mended."""
    for path, about in before.items():
        if path not in after:
            yield "removed", path
        elif after[path] != about and not path.startswith(f"{RESULTS}runs/"):
            yield "changed", path
    finished = {path.rpartition("/")[0] for path in before if path.startswith(RESULTS) and path.endswith("/manifest.json")}
    for path in after.keys() - before.keys():
        if not path.startswith(RESULTS) or any(path.startswith(f"{study}/") for study in finished):
            yield "new", path


def _wrong(ended: dict[str, Any], stdout: str, stderr: str, given: int) -> Iterator[str]:
    """Say what is wrong with how a command ended and with what it printed."""
    status = ended["status"]
    if ended["hangs"]:
        yield "hangs"
    elif status < 0:
        yield f"ended by signal {-status}" + (" after 90 s of CPU" if status == -24 else "")
    elif status not in (0, 1):
        yield f"exit status {status}"
    for text in (stdout, stderr):
        if "Traceback (most recent call last)" in text:
            raised = re.findall(r"^([A-Za-z_][\w.]*)(?::|$)", text, re.MULTILINE)[-1:]
            where = re.findall(r'/tree/(\S+)", line \d+, in (\w+)', text)[-1:]
            yield f"a traceback of {', '.join(raised)} from {', '.join(f'{function} in {file}' for file, function in where)}"
            return
    if status == 1:
        lines = [line for line in stderr.splitlines() if not line.startswith("warning: ")]
        if not lines or not lines[0].startswith("strongchain: "):
            yield f"the error begins with {stderr[:40]!r}"
        if len(stderr) > READABLE + 3 * given:
            yield "the error is too long to be read"


def _holds_token(path: Path) -> bool:
    if TOKEN in path.name:
        return True
    return path.is_file() and not path.is_symlink() and TOKEN.encode() in path.read_bytes()


def desk_of(folder: Path, kept: dict[str, bytes] | None = None) -> Iterator[Desk]:
    """Yield a desk, and end its process in the end: for a fixture."""
    desk = Desk(folder, kept)
    try:
        yield desk
    finally:
        desk.close()


def fuzz(desk: Desk, name: str, make: Callable[[random.Random], Try], tries: int) -> None:
    """Type many tries; all failures are reported together, alike ones by their first examples.

    Parameters
    ----------
    desk : Desk
    name : str
        Of the fuzzer: ``pytest -k`` finds its test by it, and it seeds the tries.
    make : callable
        Makes a try from random numbers, and from nothing else.
    tries : int
    """
    failures: dict[str, list[str]] = {}
    refused, seconds = 0, 0.0
    for number in [int(ONLY)] if ONLY else range(tries):
        one = make(random.Random(f"{name} {number}"))
        ended = desk.run(one)
        refused, seconds = refused + (ended.status == 1), seconds + ended.cpu
        if ONLY:
            print(_shown(name, number, one, ended, most=10**6))
        for kind in dict.fromkeys(_kind(wrong) for wrong in ended.wrong):
            failures.setdefault(kind, []).append(_shown(name, number, one, ended))
    print(f"{name}: {refused} of {tries} tries refused; {seconds:.0f} s of CPU")
    told = [f"{len(shown)} × {kind}\n" + "\n".join(shown[:EXAMPLES]) for kind, shown in failures.items()]
    if failures:
        pytest.fail(f"{len(failures)} kinds of failure in {tries} tries\n\n" + "\n\n".join(told), pytrace=False)
    assert ONLY or 0 < refused < tries, f"{refused} of {tries} tries were refused: the inputs are all good or all bad"


def _kind(wrong: str) -> str:
    """Say what is wrong without the names that differ from try to try."""
    if wrong.startswith("reached outside"):
        return "reached outside"
    if wrong.startswith(("new: ", "changed: ", "removed: ")):
        return "/".join(wrong.split("/")[:3])
    return re.sub(r"\d+", "N", re.sub("[0-9a-f]{12,}", "…", wrong))


#: How many failures of a kind are shown.
EXAMPLES = 2


def _shown(name: str, number: int, one: Try, ended: Ended, most: int = 600) -> str:
    """Show a try: how to repeat it, what was typed, what was in its files, and how it ended."""
    again = f"STRONGCHAIN_FUZZ_TRY={number} python -m pytest -n0 -s -m verification tests/verification/test_bad_input.py -k {name}"
    arguments = _cut(" ".join(map(shlex.quote, one.arguments)), most)
    files = [f"    {path}: {_cut(repr(content), most)}" for path, content in one.files.items() if not path.endswith((".parquet", ".npz"))]
    links = [f"    {path} → {target}" for path, target in one.links.items()]
    printed = [f"    {line}" for line in _cut(ended.stderr.strip(), most, end=True).splitlines()]
    wrong = [f"    {line}" for line in ended.wrong]
    head = [f"  {name}, try {number} ({', '.join(one.told)}); exit status {ended.status}, {ended.cpu:.1f} s; {again}"]
    head.append(f"    strongchain {arguments!r}")
    return "\n".join([*head, *files[:6], *links, "    stderr:", *printed, "    wrong:", *wrong[:8]])


def _cut(text: str, most: int, end: bool = False) -> str:
    if len(text) <= most:
        return text
    return f"[{len(text)}] …{text[-most:]}" if end else f"{text[:most]}… [{len(text)}]"
