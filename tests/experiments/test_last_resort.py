"""An error that nobody foresaw: a file with its traceback, one line, and what was finished stays."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments import last_resort
from experiments.commands import verbs
from experiments.languages.wording import use_language
from experiments.last_resort import noted
from experiments.run import main
from tests.support.places import ROOT, TABLES_ALONE

NAME = r"strongchain-error-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d+(-\d+)?\.txt"


def raised(mistake: Exception) -> Exception:
    """An error with a traceback."""
    try:
        raise mistake
    except Exception as caught:
        return caught


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if re.fullmatch(NAME, path.name))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current folder; another one is that of temporary files."""
    (tmp_path / "here").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "here"


def test_the_file_has_traceback_command_versions_and_platform_and_no_environment(folder, monkeypatch):
    monkeypatch.setenv("SECRET_OF_A_TEST", "value-of-the-secret")
    line = noted(raised(KeyError("tier")), ["-m", "name=a b", "x=\x1b[31m\udcff"])
    (file,) = files(folder)
    assert line.startswith("KeyError: ") and str(file) in line and "report it" in line and "\n" not in line
    text = file.read_text(encoding="utf-8")
    assert "KeyError: 'tier'" in text and "in raised" in text
    assert r'typed: strongchain -m "name=a b" "x=\x1b[31m\udcff"' in text
    assert f"python {sys.version.split()[0]}" in text and re.search(r"numpy \d", text) and "platform: " in text
    assert "SECRET_OF_A_TEST" not in text and "value-of-the-secret" not in text


def test_every_error_has_a_file_of_its_own(folder):
    lines = [noted(raised(ValueError(str(k))), []) for k in range(3)]
    assert len(files(folder)) == len(set(lines)) == 3


def test_the_line_is_said_in_chinese(folder):
    with use_language("zh"):
        assert "请附上文件" in noted(raised(KeyError("tier")), [])
        assert "内存不足" in noted(raised(MemoryError()), [])


def test_without_memory_the_line_says_how_to_use_less(folder):
    assert "parallel.workers=1" in noted(raised(MemoryError()), [])
    assert len(files(folder)) == 1


def test_an_endless_recursion_is_noted(folder):
    def endless() -> None:
        endless()

    try:
        endless()
    except RecursionError as mistake:
        assert noted(mistake, []).startswith("RecursionError: ")
    assert "RecursionError" in files(folder)[0].read_text(encoding="utf-8")


def refuse(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Make folders read-only, also for an administrator."""
    open_file = Path.open

    def opened(path: Path, *arguments: object, **options: object) -> object:
        if path.parent in folders:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return open_file(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)


def test_in_a_folder_that_is_read_only_the_file_is_a_temporary_one(folder, monkeypatch):
    refuse(monkeypatch, folder)
    line = noted(raised(KeyError("tier")), [])
    (file,) = files(folder.parent / "temporary")
    assert str(file) in line and not files(folder)


def test_where_no_file_can_be_written_the_traceback_is_printed(folder, monkeypatch, capsys):
    refuse(monkeypatch, folder, folder.parent / "temporary")
    line = noted(raised(KeyError("tier")), [])
    assert "the lines above" in line
    assert "in raised" in capsys.readouterr().err


def test_a_disk_that_is_full_keeps_no_half_of_a_file(folder, monkeypatch):
    monkeypatch.setattr(last_resort.tempfile, "gettempdir", lambda: str(folder / "missing"))

    class Full:
        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, _: str) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    open_file = Path.open

    def opened(path: Path, *arguments: object, **options: object) -> object:
        file = open_file(path, *arguments, **options)  # type: ignore[call-overload]
        if path.parent != folder:
            return file
        file.close()
        return Full()

    monkeypatch.setattr(Path, "open", opened)
    assert "the lines above" in noted(raised(KeyError("tier")), [])
    assert not files(folder)


def test_versions_that_cannot_be_read_hide_no_error(folder, monkeypatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda _: 1 / 0)
    monkeypatch.setattr("importlib.metadata.version", lambda _: 1 / 0)
    noted(raised(KeyError("tier")), [])
    assert "KeyError: 'tier'" in files(folder)[0].read_text(encoding="utf-8")


def test_a_language_that_cannot_be_read_leaves_kind_and_file(folder, monkeypatch):
    monkeypatch.setattr("experiments.languages.wording.say", lambda *_, **__: 1 / 0)
    line = noted(raised(KeyError("tier")), [])
    assert line == f"KeyError; {files(folder)[0]}"


# -- the application ------------------------------------------------------------------------------------------


def answered(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """Type a command in this process, and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["strongchain", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_a_verb_that_fails_is_one_line_and_a_file(folder, monkeypatch, capsys):
    def broken(_: Path) -> tuple[str, ...]:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr(verbs, "study", broken)
    (folder / "results" / "one").mkdir(parents=True)
    assert answered(monkeypatch, "results") == 1
    (file,) = files(folder)
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("strongchain: ZeroDivisionError: ") and str(file) in printed.err
    assert len(printed.err.splitlines()) == 1
    text = file.read_text(encoding="utf-8")
    assert "deep inside" in text and "typed: strongchain results\n" in text


@pytest.mark.parametrize("module", ["experiments.commands.verbs", "experiments.configuration.preflight", "experiments.job"])
def test_a_module_that_cannot_be_imported_is_one_line_and_a_file(folder, monkeypatch, capsys, module):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delattr(sys.modules[module.rpartition(".")[0]], module.rpartition(".")[2], raising=False)
    assert answered(monkeypatch, "months=6") == 1
    assert re.match(r"strongchain: (ModuleNotFound|Import)Error: ", capsys.readouterr().err)
    assert module in files(folder)[0].read_text(encoding="utf-8")


def test_a_reader_that_has_gone_and_ctrl_c_leave_no_file(folder, monkeypatch, capsys):
    def gone(*_: object) -> None:
        raise BrokenPipeError

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["strongchain", "results"])
    monkeypatch.setattr(verbs, "main", gone)
    with pytest.raises(BrokenPipeError):
        main()
    monkeypatch.setattr(verbs, "main", stopped)
    assert answered(monkeypatch, "results") == 130
    assert capsys.readouterr().err.startswith("strongchain: interrupted;")
    assert not files(folder)


def test_control_characters_of_what_was_typed_are_written_out(folder, monkeypatch, capsys):
    assert answered(monkeypatch, "months=\x1b[31m") == 1
    assert answered(monkeypatch, "explain", "\u202ecqo") == 1
    error = capsys.readouterr().err
    assert r"\x1b[31m" in error and r"\u202ecqo" in error and not {"\x1b", "\u202e"} & set(error)


def typed(folder: Path, poison: str, *overrides: str) -> subprocess.CompletedProcess[str]:
    """Type a small study in a folder, after some lines of Python that make trouble."""
    code = f"import sys\n{poison}\nfrom experiments.run import main\nmain()"
    small = (
        "region=sample",
        "scale=0.2",
        "replicates=2",
        "months=4",
        "window=2",
        "burn_in=2",
        "parallel=serial",
        "policy=none",
        TABLES_ALONE,
    )
    command = [sys.executable, "-c", code, *overrides, *(one for one in small if one.split("=")[0] not in " ".join(overrides))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=120)


@pytest.mark.study
def test_a_study_that_fails_is_one_line_and_a_file_and_leaves_no_folder(tmp_path):
    done = typed(tmp_path, "from sim import StrongchainModel\nStrongchainModel.step = lambda self: 1 / 0", "name=broken", "quiet=true")
    assert done.returncode == 1
    (file,) = files(tmp_path)
    assert done.stderr.splitlines()[-1].startswith("strongchain: ZeroDivisionError: ")
    assert "Traceback" not in done.stderr and str(file) in done.stderr
    text = file.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text and "name=broken" in text
    assert not (tmp_path / "results" / "broken").exists()


@pytest.mark.study
def test_a_point_of_a_sweep_that_fails_is_a_row_and_the_sweep_goes_on(tmp_path):
    poison = """
from experiments.reports import comparison
write = comparison.write_maps
def broken(study, folder):
    if folder.name == "0":
        raise MemoryError
    if folder.name == "1":
        raise KeyError("deep inside")
    write(study, folder)
comparison.write_maps = broken
"""
    done = typed(tmp_path, poison, "-m", "name=swept", "months=4,5,6", "quiet=true")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    table = pd.read_csv(tmp_path / "results" / "swept" / "sweep.csv", encoding="utf-8-sig").drop_duplicates("point").set_index("point")
    assert table.loc[0, "error"].startswith("MemoryError: ") and table.loc[1, "error"].startswith("KeyError: ")
    assert pd.isna(table.loc[2, "error"]) and "3 points, 2 failed" in done.stdout
    assert len(files(tmp_path)) == 2
    assert all(str(file) in done.stderr for file in files(tmp_path))
