"""Two studies under one name at the same time: one wins, the other gets one line, and nothing is mixed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.analysis.results import table_hash
from experiments.commands.verification import problems
from tests.support.places import ROOT
from tests.support.size import at_size

pytestmark = pytest.mark.verification

PAIRS = at_size(1, 20)
STUDY = (
    "region=sample", "network=synthetic", "network.firms=30", "replicates=2", "months=2", "window=1", "burn_in=1", "parallel=serial",
    "policy=none", "quiet=true",
)  # fmt: skip


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "experiments.run", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


@pytest.mark.parametrize("kind", ["of other seeds", *at_size([], ["the same", "a sweep and a study"])])
def test_of_two_at_once_one_wins(tmp_path, kind):
    for number in range(PAIRS):
        name = f"name=pair_{number}"
        first = (*STUDY, name, "seed=1")
        second = {
            "of other seeds": (*STUDY, name, "seed=2"),
            "the same": first,
            "a sweep and a study": ("-m", *STUDY, name, "seed=1,2"),
        }[kind]
        both = [started(tmp_path, *first), started(tmp_path, *second)]
        answers = [process.communicate(timeout=300) for process in both]
        statuses = [process.returncode for process in both]
        assert sorted(statuses) == [0, 1], f"{number}: {answers}"
        (lost,) = (err for (_, err), status in zip(answers, statuses, strict=True) if status)
        assert lost.startswith("strongchain: ") and lost.count("\n") == 1, lost
        folder = tmp_path / "results" / f"pair_{number}"
        assert not list(problems(folder)), "everything is as it was written"
        whole = [path.parent for path in folder.rglob("manifest.json")]
        assert len(whole) == (2 if (folder / "sweep.csv").exists() else 1)
        for study in whole:
            about = json.loads((study / "manifest.json").read_text(encoding="utf-8"))
            assert about["result"] == table_hash(pd.read_parquet(study / "runs.parquet"))
        if kind == "of other seeds":
            assert about["configuration"]["seed"] == (1 if statuses[0] == 0 else 2), "the manifest is the winner's"
