"""A study of many runs, killed several times at random moments, ends like one that was not disturbed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.analysis.results import TABLES
from tests.support.places import ROOT
from tests.support.processes import kill

pytestmark = [
    pytest.mark.verification,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the workers in /proc"),
]

RUNS = 2_000
KILLS = 5
STUDY = (
    "name=study", "network=synthetic", "network.firms=30", "region=sample", f"replicates={RUNS // 5}", "months=6", "window=3", "burn_in=6",
    "parallel.workers=2", "quiet=true",
)  # fmt: skip


def started(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "experiments.run", *STUDY]
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, stderr=subprocess.PIPE, encoding="utf-8")


def kept(folder: Path) -> dict[str, int]:
    """When each run was written, by the name of its file."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "results" / "runs").glob("*.npz")}


@pytest.mark.full
def test_a_study_survives_being_killed_again_and_again(tmp_path):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    whole = started(undisturbed)
    message = whole.communicate(timeout=900)[1]
    assert whole.returncode == 0, message
    assert len(kept(undisturbed)) == RUNS
    draw, before = random.Random(20), dict[str, int]()
    for _ in range(KILLS):
        study = started(disturbed)
        enough, limit = len(before) + draw.randrange(1, RUNS // 6), time.monotonic() + 300
        while len(kept(disturbed)) < enough and study.poll() is None and time.monotonic() < limit:
            time.sleep(0.05)
        time.sleep(0.3 * draw.random())
        assert study.poll() is None, "over before it could be killed"
        kill(study)
        after = kept(disturbed)
        assert after.items() >= before.items(), "a run was lost, or simulated twice"
        before = after
        assert not (disturbed / "results" / "study" / "manifest.json").exists(), "a study that was killed is not whole"
    assert 0 < len(before) < RUNS
    last = started(disturbed)
    message = last.communicate(timeout=900)[1]
    assert last.returncode == 0, message
    after = kept(disturbed)
    assert after.items() >= before.items() and after.keys() == kept(undisturbed).keys()
    for name in after:
        assert (disturbed / "results" / "runs" / name).read_bytes() == (undisturbed / "results" / "runs" / name).read_bytes()
    for name in (f"{table}.{kind}" for table in TABLES for kind in ("csv", "parquet")):
        one, other = (folder / "results" / "study" / name for folder in (undisturbed, disturbed))
        assert one.read_bytes() == other.read_bytes(), name
