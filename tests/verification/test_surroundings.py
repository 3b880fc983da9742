"""One study has one result: with other workers, folders, locales, users and Pythons, and where its code cannot be written.

Before a change lands, the cheapest of these; all of them in `make verify`. Other Pythons that have the dependencies are
listed in the variable STRONGCHAIN_PYTHONS.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.places import ROOT
from tests.support.size import FULL, at_size

pytestmark = pytest.mark.verification
at_full_size = pytest.mark.skipif(not FULL, reason="at full size only: make verify")

STUDY = (
    "name=study", "network=synthetic", "network.firms=30", "region=sample", "months=6", "window=3", "burn_in=6", "replicates=3",
    "quiet=true", *at_size(("instruments=[cqo]",), ()),
)  # fmt: skip
#: What a study needs of a clone; the versions of the clone are in the files.
CODE = ("agents", "sim", "experiments", "configs", "pyproject.toml", "requirements.lock")
LISTED = [path for path in os.environ.get("STRONGCHAIN_PYTHONS", "").split(os.pathsep) if path]
NOBODY = "nobody"  # a user that every Unix has, without any rights


def bare(folder: Path, code: Path) -> dict[str, str]:
    """Variables of a session that knows little: what else the machine sets is left out."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(code)}


def call(folder: Path, *command: str, code: Path = ROOT, user: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, as a user."""
    owner = {} if user is None else {"user": user, "group": folder.stat().st_gid, "extra_groups": []}
    about = {**bare(folder, code), **variables}
    return subprocess.run(command, cwd=folder, env=about, capture_output=True, encoding="utf-8", errors="replace", timeout=900, **owner)


def result(folder: Path, *options: str, python: str = sys.executable, code: Path = ROOT, user: str | None = None, **variables: str) -> str:
    """Simulate the study in a folder, and return the hash of its table of runs."""
    folder.mkdir(exist_ok=True)
    done = call(folder, python, "-m", "experiments.run", *STUDY, *options, code=code, user=user, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "results" / "study" / "manifest.json").read_text(encoding="utf-8"))["result"]


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> str:
    """The result with one worker, in a plain folder."""
    return result(tmp_path_factory.mktemp("plain"), "parallel.workers=1")


@at_full_size
def test_other_random_numbers_give_another_result(expected, tmp_path):
    assert result(tmp_path, "parallel.workers=1", "seed=2") != expected


def test_two_workers_change_nothing(expected, tmp_path):
    assert result(tmp_path, "parallel.workers=2") == expected


def test_blanks_and_chinese_characters_in_a_path_change_nothing(expected, tmp_path):
    assert result(tmp_path / "a folder 质量 强链") == expected


def test_the_c_locale_without_utf_8_changes_nothing(expected, tmp_path):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    encoding = call(tmp_path, sys.executable, "-c", "import locale; print(locale.getpreferredencoding())", **plain)
    assert encoding.stdout.strip() not in ("UTF-8", "utf-8"), "the surroundings are not what the name of this test says"
    assert result(tmp_path, **plain) == expected


# -- other users ---------------------------------------------------------------------------------------


def whoever(folder: Path) -> tuple[str, str | None]:
    """A Python and a user without the rights of root, who owns the folder from now on; skip the test if none will do."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system has no users as Unix has them")
    if os.geteuid() != 0:
        return sys.executable, None
    import pwd  # Unix only

    about = pwd.getpwnam(NOBODY)
    os.chown(folder, about.pw_uid, about.pw_gid)
    problem = ""
    for python in (sys.executable, *LISTED):
        try:
            done = call(folder, python, "-c", "import numpy, experiments.languages", user=NOBODY)
        except PermissionError as error:
            problem = str(error)
            continue
        if done.returncode == 0:
            return python, NOBODY
        problem = done.stderr.strip().rpartition("\n")[2]
    pytest.skip(f"{NOBODY} can run no Python of {sys.executable} and STRONGCHAIN_PYTHONS here: {problem}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can reach: those of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@at_full_size
def test_a_user_who_is_not_root_gets_the_same_result(expected, folder):
    python, user = whoever(folder)
    assert result(folder, python=python, user=user) == expected


@at_full_size
def test_code_that_cannot_be_written_gives_the_same_result(expected, folder):
    python, user = whoever(folder)
    with tempfile.TemporaryDirectory() as name:
        code = Path(name)
        for part in CODE:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, code / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / part, code / part)
        before = sorted(code.rglob("*"))
        for path in (code, *before):
            path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH | (0o111 if path.is_dir() else 0))
        tried = call(folder, python, "-c", f"open({str(code / 'sim' / 'new.py')!r}, 'w')", user=user)
        assert "PermissionError" in tried.stderr, "the code can be written all the same"
        assert result(folder, python=python, code=code, user=user) == expected
        assert sorted(code.rglob("*")) == before


# -- other Pythons -------------------------------------------------------------------------------------


@cache
def version(python: str) -> str:
    """The version of a Python, as in 3.12."""
    asking = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", asking], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@at_full_size
@pytest.mark.parametrize("wanted", ["3.11", "3.12", "3.13"])
def test_another_python_changes_nothing(expected, tmp_path, wanted):
    pythons = [python for python in LISTED if version(python) == wanted]
    if not pythons:
        pytest.skip(f"STRONGCHAIN_PYTHONS lists no Python {wanted} that has the dependencies")
    assert result(tmp_path, python=pythons[0]) == expected
