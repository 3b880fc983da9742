"""How long a command is silent, and what its last line before that was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.places import ROOT

__all__ = ["silences"]


def silences(arguments: Sequence[str], folder: Path) -> tuple[list[tuple[float, str]], int]:
    """Run the application in a folder.

    Returns
    -------
    list of (float, str), int
        Seconds until each line and until its end, each with all lines before; and its exit status.
    """
    command = [sys.executable, "-u", "-m", "experiments.run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert process.stdout is not None
    gaps, before, last = [], "", time.monotonic()
    for line in process.stdout:
        now = time.monotonic()
        gaps.append((now - last, before))
        before, last = before + line, now
    status = process.wait()
    return [*gaps, (time.monotonic() - last, before)], status
