"""Studies that are killed, and the processes that they leave behind."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

__all__ = ["in_session", "kill"]

#: Seconds after which no worker of a killed study may be alive.
PATIENCE = 20.0


def in_session(leader: int) -> list[int]:
    """Processes of a session that are still alive."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(session) == leader and state != "Z":
            processes.append(int(path.parent.name))
    return processes


def kill(study: subprocess.Popen[Any]) -> None:
    """Kill the process that leads a study, and see its workers end by themselves."""
    study.send_signal(signal.SIGKILL)
    study.communicate()
    limit = time.monotonic() + PATIENCE
    while (left := in_session(study.pid)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not left, "orphaned workers go on"
