"""What takes more than a moment says so, unless nobody asked."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from experiments import waiting
from experiments.languages.wording import use_language
from experiments.waiting import announce, slow
from tests.conftest import slowness
from tests.support.places import TABLES_ALONE
from tests.support.silence import silences

#: Seconds of silence that need no word.
SHORT = 2.0
#: Parts of lines that say what is done now, in English; the runs are announced with their time, and figures after them.
SAID = ("...", "; about ", "in all; about", "runs/s")


@pytest.fixture
def spoken(monkeypatch):
    """Somebody looks."""
    monkeypatch.setattr(waiting, "_somebody_looks", lambda: True)
    announce(True)
    yield
    announce(False)


def test_nothing_is_said_into_a_file(capsys):
    announce(True)
    with slow("waiting.start", after=0.0):
        pass
    announce(False)
    assert capsys.readouterr() == ("", "")


def test_what_is_done_at_once_is_said_at_once_and_once(spoken, capsys):
    with slow("waiting.start", after=0.0):
        assert capsys.readouterr().err == "reading the settings and the model ...\n"
    assert capsys.readouterr().err == ""


def test_what_takes_longer_is_said_on_standard_error_in_the_language_that_is_spoken(spoken, capsys):
    with use_language("zh"), slow("waiting.sweep", after=0.001, points=3):
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join()
    out, err = capsys.readouterr()
    assert (out, err) == ("", "正在将 3 个点汇总为一张表和一幅图……\n")


def test_what_is_quick_says_nothing(spoken, capsys):
    with slow("waiting.start", after=60.0):
        pass
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert all(timer.finished.is_set() for timer in timers), "none waits for its time"
    assert capsys.readouterr() == ("", "")


def test_nothing_is_said_unless_it_is_asked_for(capsys):
    assert not waiting._announced
    with slow("waiting.start", after=0.0):
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.study
@pytest.mark.parametrize(
    "arguments",
    [
        ["region=sample", "months=3", "burn_in=3", "replicates=2", "instruments=[cqo]", "name=x"],
        ["-m", "region=sample", "months=3", "burn_in=3", "replicates=2", "name=x", "instruments=[cqo]", "instruments.cqo.reach=0,1"],
    ],
    ids=["study", "sweep"],
)
def test_every_wait_of_a_study_is_announced(arguments, tmp_path: Path):
    gaps, status = silences(arguments, tmp_path)
    assert status == 0
    allowed, said_until, unsaid = SHORT * max(1.0, slowness()), 0, []
    for seconds, before in gaps[:-1]:  # the last one is the end of the process, after everything is written and said
        if seconds > allowed:
            if not any(part in before[said_until:] for part in SAID):  # each long silence has a word of its own
                unsaid.append((seconds, before[said_until:]))
            said_until = len(before)
    assert unsaid == []


@pytest.mark.study
def test_a_quiet_study_prints_its_folder_alone(tmp_path: Path):
    gaps, status = silences(["region=sample", "months=2", "burn_in=2", "replicates=2", "name=x", "quiet=true", TABLES_ALONE], tmp_path)
    assert status == 0
    assert len(gaps[-1][1].splitlines()) == 1
