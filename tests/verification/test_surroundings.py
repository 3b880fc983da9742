"""A study has the same result wherever it runs: workers, folder, locale, user, source tree and Python change nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from experiments.commands.verification import problems
from tests.support.places import ROOT
from tests.support.size import FULL

pytestmark = pytest.mark.verification

in_full = pytest.mark.skipif(not FULL, reason="at full size only: make verify")

STUDY = (
    "name=study", "region=sample", "network=synthetic", "network.firms=30", "months=6", "window=3", "burn_in=6", "replicates=3",
    "policy=none", "quiet=true",
)  # fmt: skip
#: What a study is run from.
SOURCES = ("agents", "sim", "experiments", "configs")
#: What would decide on the encoding of text beside LC_ALL.
ENCODINGS = ("PYTHONUTF8", "PYTHONCOERCECLOCALE", "PYTHONIOENCODING")
PYTHONS = [python for python in os.environ.get("STRONGCHAIN_PYTHONS", "").split(os.pathsep) if python]
HOW_TO_GIVE_PYTHONS = f"give interpreters with Strongchain installed: STRONGCHAIN_PYTHONS=/one/bin/python{os.pathsep}/other/bin/python"


@dataclass(frozen=True)
class User:
    """Who runs a study, and with which interpreter: by default whoever runs the tests, with theirs."""

    python: str = sys.executable
    number: int | None = None
    #: What that interpreter needs.
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        other: dict[str, Any] = {} if self.number is None else {"user": self.number, "group": self.number, "extra_groups": ()}
        whole = {**environment, **self.environment}
        command = [self.python, *arguments]
        return subprocess.run(command, cwd=folder, env=whole, capture_output=True, encoding="utf-8", timeout=600, check=False, **other)


@dataclass(frozen=True)
class Surroundings:
    """Where a study runs."""

    folder: Path
    workers: int = 2
    tree: Path = ROOT
    user: User = User()
    environment: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1

    def result(self) -> str:
        """Run the study; return the hash of its result, after a look at what is in its folder."""
        environment = {name: value for name, value in os.environ.items() if name not in ENCODINGS}
        environment |= {"PYTHONPATH": str(self.tree), **self.environment}
        arguments = ("-m", "experiments.run", *STUDY, f"parallel.workers={self.workers}", f"seed={self.seed}")
        finished = self.user.run(*arguments, folder=self.folder, environment=environment)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        complaints = [line for line in finished.stderr.splitlines() if "font cache" not in line]  # a new user's, built once
        assert not complaints, "a warning, or a complaint about the surroundings"
        study = self.folder / "results" / "study"
        assert not list(problems(study)), "everything is as it was written"
        return json.loads((study / "manifest.json").read_text(encoding="utf-8"))["result"]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The result with one worker, where the tests run."""
    return Surroundings(tmp_path_factory.mktemp("usual"), workers=1).result()


@in_full
@pytest.mark.full
def test_another_seed_has_another_result(usual, tmp_path):
    assert Surroundings(tmp_path, seed=2).result() != usual, "else the hash would show nothing"


def test_two_workers_change_nothing(usual, tmp_path):
    assert Surroundings(tmp_path, workers=2).result() == usual


def test_a_folder_with_blanks_and_chinese_characters_changes_nothing(usual, tmp_path):
    folder = tmp_path / "My  studies" / "强链 质量研究"
    folder.mkdir(parents=True)
    assert Surroundings(folder).result() == usual


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.full
def test_a_locale_of_ascii_alone_changes_nothing(usual, tmp_path):
    assert Surroundings(tmp_path, environment=ASCII).result() == usual


@in_full
def test_a_chinese_folder_in_a_locale_of_ascii_alone_changes_nothing(usual, tmp_path):
    folder = tmp_path / "强链 质量研究"
    folder.mkdir()
    assert Surroundings(folder, environment=ASCII).result() == usual


# -- another user --------------------------------------------------------------------------------------------------------------------

ROOT_USER, NOBODY = 0, 65534


@pytest.fixture(scope="module")
def open_place() -> Iterator[Path]:
    """A folder that every user may enter, which the folders of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="strongchain-") as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@pytest.fixture(scope="module")
def not_root(open_place: Path) -> User:
    """A user who is not root and can start Python with its packages, of which there is a copy where only root may enter their folder."""
    if not hasattr(os, "geteuid") or os.geteuid() != ROOT_USER:
        return User()
    user = User(number=NOBODY)
    if refused := cannot_start(user, open_place):
        user = within_reach(open_place / "python")
        if still_refused := cannot_start(user, open_place):
            pytest.skip(f"user {NOBODY} cannot start Python: {refused}; nor a copy of it: {still_refused}")
    return user


def cannot_start(user: User, folder: Path) -> str:
    """Return why a user cannot start this very Python with the packages; nothing if it can."""
    try:
        tried = user.run("-c", "import sys, mesa, matplotlib.pyplot; print(sys.version)", folder=folder, environment=own(folder))
    except OSError as refused:
        return str(refused)
    if tried.returncode:
        return tried.stderr.strip().rpartition("\n")[2]
    return "" if tried.stdout.strip() == sys.version else f"it is another Python: {tried.stdout.strip()}"


def own(folder: Path) -> dict[str, str]:
    """What names the user's own folders."""
    return {"HOME": str(folder), "MPLCONFIGDIR": str(folder / "matplotlib")}


def within_reach(prefix: Path) -> User:
    """Put the interpreter that runs the tests, its libraries and its packages into one new folder, for a user who is not root."""
    paths = sysconfig.get_paths()
    library = prefix / "lib" / f"python{sysconfig.get_python_version()}"
    ignored = shutil.ignore_patterns("site-packages", "test", "__pycache__")
    shutil.copytree(paths["stdlib"], library, ignore=ignored, copy_function=linked)
    for packages in {paths["purelib"], paths["platlib"]}:
        shutil.copytree(packages, library / "site-packages", copy_function=linked, dirs_exist_ok=True)
    python = prefix / "bin" / library.name
    python.parent.mkdir()
    linked(sys.executable, str(python))
    for shared in Path(sysconfig.get_config_var("LIBDIR")).glob(f"libpython{sysconfig.get_python_version()}*.so*"):
        linked(str(shared), str(prefix / "lib" / shared.name))
    # Else a Python of the system may lend its own library to the interpreter, which looks for it where only root may enter.
    return User(str(python), NOBODY, {"LD_LIBRARY_PATH": str(prefix / "lib")})


def linked(source: str, target: str) -> None:
    """Give a file a second name, which costs no space; copy it where that is impossible."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)


def home_of(user: User, name: str, place: Path) -> Path:
    """Make a folder that belongs to a user."""
    folder = place / name
    folder.mkdir()
    if user.number is not None:
        os.chown(folder, user.number, user.number)
    return folder


def copied_sources(tree: Path) -> Path:
    """Copy what a study is run from."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tree


@in_full
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != ROOT_USER, reason="who runs the tests is not root: so is every test here")
def test_a_user_who_is_not_root_has_the_same_result(usual, not_root, open_place):
    folder = home_of(not_root, "home", open_place)
    tree = copied_sources(open_place / "sources")
    assert Surroundings(folder, tree=tree, user=not_root, environment=own(folder)).result() == usual
    owners = {path.stat().st_uid for path in folder.rglob("*")}
    assert owners == {NOBODY}, "the study did not run as that user"


@in_full
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="has no bits for who may write")
def test_a_source_tree_that_cannot_be_written_is_enough(usual, not_root, open_place):
    folder = home_of(not_root, "home_beside_read_only", open_place)
    tree = copied_sources(open_place / "read_only")
    everything = [tree, *tree.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        tried = not_root.run("-c", f"open({str(tree / 'sim' / 'new')!r}, 'w')", folder=folder, environment=own(folder))
        assert "PermissionError" in tried.stderr, "the tree can be written"
        assert Surroundings(folder, tree=tree, user=not_root, environment=own(folder)).result() == usual
        assert sorted(tree.rglob("*")) == sorted(everything[1:])
    finally:
        for path in everything:
            if path.is_dir():
                path.chmod(0o755)  # so that it can be removed


# -- another Python ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("python", PYTHONS or [pytest.param("", marks=pytest.mark.skip(reason=HOW_TO_GIVE_PYTHONS))])
def test_another_python_has_the_same_result(usual, python, tmp_path):
    assert Surroundings(tmp_path, user=User(python)).result() == usual
    manifest = json.loads((tmp_path / "results" / "study" / "manifest.json").read_text(encoding="utf-8"))
    version = User(python).run("-c", "import platform; print(platform.python_version())", folder=tmp_path, environment=os.environ).stdout
    assert manifest["versions"]["python"] == version.strip(), "it was not run by that Python"
