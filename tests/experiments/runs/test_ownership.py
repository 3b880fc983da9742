"""A folder has one owner: who may claim it, take it over, and what is left of a claim."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from experiments.configuration.rules import SettingsError
from experiments.runs.ownership import CLAIM, Owner, claim, lives, owner_of, refuse_folder, release, remove_empty

STUDY, OTHER = "0123456789ab", "ba9876543210"


def left_behind(folder: Path, host: str | None = None, kind: str = "study", study: str = STUDY) -> Path:
    """Leave the claim of a process that has ended, and a table."""
    folder.mkdir(parents=True)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    owner = Owner(kind, study, ended.pid, platform.node() if host is None else host, "", 12, 3)
    (folder / CLAIM).write_text(json.dumps(asdict(owner)), encoding="utf-8")
    (folder / "effects.csv").write_text("arm\n", encoding="utf-8")
    return folder


def refused(folder: Path, expected: str, kind: str = "study", study: str = STUDY) -> None:
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(SettingsError) as mistake:
        claim(folder, kind, study)
    assert expected in str(mistake.value) and "\n" not in str(mistake.value)
    assert sorted(folder.parent.rglob("*")) == before


def test_a_claim_says_who_does_what(tmp_path):
    owned = claim(tmp_path / "a" / "b", "study", STUDY, 12, 3)
    owner = owner_of(tmp_path / "a" / "b")
    assert owner == owned.owner and owner is not None
    assert (owner.kind, owner.study, owner.process, owner.host) == ("study", STUDY, os.getpid(), platform.node())
    assert lives(tmp_path / "a" / "b", owner)
    owned.end()
    assert not (tmp_path / "a").exists(), "nothing was written, and the folders were made for it"


def test_what_somebody_else_made_stays(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    claim(folder, "study", STUDY).end()
    assert folder.is_dir() and not list(folder.iterdir())
    remove_empty([folder])
    assert not folder.exists()


def test_what_was_written_stays_claimed(tmp_path):
    owned = claim(tmp_path / "a", "study", STUDY)
    (tmp_path / "a" / "effects.csv").touch()
    owned.end()
    assert owner_of(tmp_path / "a") == owned.owner
    refused(tmp_path / "a", "already holds another study", study=OTHER)
    again = claim(tmp_path / "a", "study", STUDY)
    assert again.taken_over
    again.end()


def test_the_same_study_at_the_same_time_is_refused(tmp_path):
    owned = claim(tmp_path / "a", "study", STUDY)
    refused(tmp_path / "a", f"the same study is simulated there at this moment by process {os.getpid()}")
    refused(tmp_path / "a", "another study is simulated there at this moment", study=OTHER)
    refused(tmp_path / "a", "holds a study, no sweep", kind="sweep")
    owned.end()


def test_a_dead_owner_of_this_host_is_followed_by_the_same_study_alone(tmp_path):
    folder = left_behind(tmp_path / "a")
    refused(folder, "already holds another study (other settings, input files or code)", study=OTHER)
    refused(folder, "holds a study, no sweep", kind="sweep")
    owned = claim(folder, "study", STUDY)
    assert owned.taken_over and owner_of(folder) == owned.owner
    owned.end()


def test_the_claim_of_another_host_is_given_up_by_command_alone(tmp_path):
    folder = left_behind(tmp_path / "a", host="elsewhere")
    refused(folder, "on another host, elsewhere; if it does not run any more, type: strongchain release")
    assert release(folder) == "released"
    refused(folder, "already holds another study", study=OTHER)
    claim(folder, "study", STUDY).end()
    assert (folder / "effects.csv").exists()


def test_a_claim_without_anything_else_is_removed_by_command(tmp_path):
    folder = left_behind(tmp_path / "a")
    (folder / "effects.csv").unlink()
    assert release(folder) == "removed" and not folder.exists()
    with pytest.raises(SettingsError, match="claimed by nobody"):
        release(folder)


def test_neither_a_whole_study_nor_one_that_runs_is_released(tmp_path):
    owned = claim(tmp_path / "a", "study", STUDY)
    with pytest.raises(SettingsError, match="is being written by process"):
        release(tmp_path / "a")
    (tmp_path / "a" / "manifest.json").touch()
    owned.end()
    with pytest.raises(SettingsError, match="holds a whole study"):
        release(tmp_path / "a")


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.docx").touch()
    refused(tmp_path / "foreign", "is not empty, and no claim in it says whose it is (it holds 'thesis.docx')")
    (tmp_path / "link").symlink_to(tmp_path / "foreign", target_is_directory=True)
    refused(tmp_path / "link", "is a link")
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "is a file")
    refused(tmp_path / "file" / "below", "results cannot be written into")
    (tmp_path / "tidy").mkdir()
    (tmp_path / "tidy" / ".DS_Store").touch()
    claim(tmp_path / "tidy", "study", STUDY).end()


def test_no_study_lies_in_the_folder_of_another(tmp_path):
    owned = claim(tmp_path / "a", "study", STUDY)
    refused(tmp_path / "a" / "inner", "which holds another study")
    refused(tmp_path / "a" / "deep" / "inner", "which holds another study")
    owned.end()


def test_a_claim_that_somebody_else_made_in_its_place_stays(tmp_path):
    first = claim(tmp_path / "a", "study", STUDY)
    (tmp_path / "a" / CLAIM).unlink()
    (tmp_path / "a").rmdir()
    second = claim(tmp_path / "a", "study", OTHER)
    first.end()
    assert owner_of(tmp_path / "a") == second.owner
    (tmp_path / "a" / CLAIM).unlink()
    (tmp_path / "a").rmdir()
    with pytest.raises(SettingsError, match="was released"):
        second.check()
    second.end()  # the folder is gone, and that is no error


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"[" * 60_000, b'{"kind": "study"}'])
def test_a_claim_that_cannot_be_read_is_nobodys_to_take(tmp_path, content, monkeypatch):
    monkeypatch.setattr("experiments.runs.ownership.FILLED_WITHIN", 0.0)
    folder = left_behind(tmp_path / "a")
    (folder / CLAIM).write_bytes(content)
    refused(folder, "cannot be read")
    assert owner_of(folder) is None


def test_a_claim_that_is_a_link_or_a_pipe_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.runs.ownership.FILLED_WITHIN", 0.0)
    folder = left_behind(tmp_path / "a")
    (folder / CLAIM).rename(tmp_path / "elsewhere")
    (folder / CLAIM).symlink_to(tmp_path / "elsewhere")
    refused(folder, "cannot be read")
    (folder / CLAIM).unlink()
    os.mkfifo(folder / CLAIM)
    refused(folder, "cannot be read")


def test_a_claim_that_was_taken_meanwhile_is_noticed_before_anything_is_written(tmp_path):
    owned = claim(tmp_path / "a", "study", STUDY)
    other = Owner("study", OTHER, 1, "elsewhere")
    (tmp_path / "a" / CLAIM).write_text(json.dumps(asdict(other)), encoding="utf-8")
    with pytest.raises(SettingsError, match="was released and claimed by another process"):
        owned.check()
    owned.end()


def test_looking_at_a_folder_changes_nothing(tmp_path):
    refuse_folder(tmp_path / "none", "study")
    folder = left_behind(tmp_path / "a")
    before = (folder / CLAIM).read_bytes()
    refuse_folder(folder, "study")
    refuse_folder(folder, "study", STUDY)
    assert (folder / CLAIM).read_bytes() == before and not (tmp_path / "none").exists()
