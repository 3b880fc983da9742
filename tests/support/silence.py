"""How long a command is silent, and what its last line before that was."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.places import ROOT

__all__ = ["silences"]


def _lines(terminal: int) -> Iterator[str]:
    """Read what is written to a terminal, line by line, until nobody writes."""
    with os.fdopen(terminal, "rb", buffering=0) as stream, contextlib.suppress(OSError):  # Linux raises it at the end
        line = b""
        while some := stream.read(4096):
            *whole, line = (line + some).replace(b"\r", b"\n").split(b"\n")
            yield from (f"{one.decode('utf-8', 'replace')}\n" for one in whole if one)


def silences(arguments: Sequence[str], folder: Path) -> tuple[list[tuple[float, str]], int]:
    """Run the application in a folder.

    Returns
    -------
    list of (float, str), int
        Seconds until each line and until its end, each with all lines before; and its exit status.
    """
    command = [sys.executable, "-u", "-m", "experiments.run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    reading, terminal = pty.openpty()  # waits are announced where somebody looks
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=terminal, stderr=terminal)
    os.close(terminal)
    gaps, before, last = [], "", time.monotonic()
    for line in _lines(reading):
        now = time.monotonic()
        gaps.append((now - last, before))
        before, last = before + line, now
    status = process.wait()
    return [*gaps, (time.monotonic() - last, before)], status
