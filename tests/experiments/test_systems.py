"""What Windows does differently, tried with functions that answer as those of Windows do."""

from __future__ import annotations

import os
import signal

import pytest

from experiments import systems
from experiments.runs.files import write_whole


class Kernel:
    """Answers as kernel32 does for one process."""

    def __init__(self, handle: int | None, error: int = 0) -> None:
        self.handle, self.error, self.ended, self.asked = handle, error, False, []

    def OpenProcess(self, rights, inherited, process):
        self.asked.append((rights, inherited, process))
        return self.handle

    def GetLastError(self):
        return self.error

    def WaitForSingleObject(self, handle, wait):
        assert (handle, wait) == (self.handle, 0), "a worker asks, and does not wait"
        return 0 if self.ended else systems.WAIT_TIMEOUT


@pytest.fixture
def windows(monkeypatch):
    """As on Windows, without waits."""
    waits: list[float] = []
    monkeypatch.setattr(systems, "on_windows", lambda: True)
    monkeypatch.setattr(systems.time, "sleep", waits.append)
    return waits


def test_a_worker_asks_its_parent_through_a_handle(windows, monkeypatch):
    kernel = Kernel(handle=77)
    monkeypatch.setattr(systems, "_kernel32", lambda: kernel)
    lives = systems.parent_lives(4242)
    assert lives() and lives()
    kernel.ended = True
    assert not lives()
    assert kernel.asked == [(systems.SYNCHRONIZE, False, 4242)], "the handle is kept: another process may get the number"


@pytest.mark.parametrize(("error", "answer"), [(87, False), (systems.ACCESS_DENIED, True)])
def test_without_a_handle_the_parent_has_ended_unless_it_may_not_be_asked(windows, monkeypatch, error, answer):
    monkeypatch.setattr(systems, "_kernel32", lambda: Kernel(handle=None, error=error))
    assert systems.parent_lives(4242)() is answer


def test_elsewhere_an_orphan_has_another_parent():
    assert systems.parent_lives(os.getppid())()
    assert not systems.parent_lives(-1)()


def test_a_file_that_is_open_is_replaced_once_it_is_closed(windows, monkeypatch, tmp_path):
    real, refusals = os.replace, [PermissionError(13, "in use"), PermissionError(13, "in use")]

    def replace(part, path):
        if refusals:
            raise refusals.pop()
        real(part, path)

    monkeypatch.setattr(systems.os, "replace", replace)
    write_whole(tmp_path / "table.csv", b"new")
    assert (tmp_path / "table.csv").read_bytes() == b"new"
    assert windows == list(systems.PAUSES[:2])


def test_a_file_that_stays_open_is_an_error_and_nothing_is_left(windows, monkeypatch, tmp_path):
    def replace(part, path):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(systems.os, "replace", replace)
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "table.csv", b"new")
    assert list(tmp_path.iterdir()) == []
    assert 0.5 < sum(windows) < 2


def test_elsewhere_nothing_is_tried_again(monkeypatch, tmp_path):
    tries: list[object] = []

    def replace(part, path):
        tries.append(path)
        raise PermissionError(13, "no")

    monkeypatch.setattr(systems.os, "replace", replace)
    with pytest.raises(PermissionError):
        systems.take_the_place(tmp_path / "a", tmp_path / "b")
    assert len(tries) == 1


def test_ctrl_break_is_answered_like_ctrl_c(monkeypatch):
    answered: list[object] = []
    monkeypatch.setattr(systems.signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(systems.signal, "signal", lambda number, handler: answered.append((number, handler)))
    systems.answer_like_ctrl_c()
    assert answered == [(signal.SIGTERM, signal.default_int_handler), (21, signal.default_int_handler)]
