"""A manifest is input: it is held against the published schema, and a strange one gets one line."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from agents.streams import replicate_keys
from experiments.configuration.settings import compose_settings, read_settings
from experiments.runs import manifests
from experiments.runs.files import damages
from experiments.runs.manifests import MANIFEST, ManifestError, read_manifest, write_manifest
from experiments.runs.provenance import manifest
from experiments.studies.compare import arms_of

pytestmark = pytest.mark.study  # composes the arms of a study


@pytest.fixture(scope="module")
def about() -> dict[str, Any]:
    typed = ["region=sample", "study.arms={nothing: ['instruments=[]'], officers: ['instruments=[cqo]']}", "replicates=2"]
    settings = read_settings(compose_settings(typed))
    whole = manifest(settings.resolved, typed, replicate_keys(1, 2), arms_of(settings, typed))
    return {**whole, "failed": [], "reference": "nothing", "result": "0" * 64}


def test_a_manifest_comes_back_as_it_was_written_and_is_listed_with_its_checksum(about, tmp_path):
    write_manifest(about, tmp_path)
    assert read_manifest(tmp_path) == json.loads(json.dumps(about))
    assert not damages(tmp_path, (MANIFEST,))


#: Where, what stands there instead (`None` takes it out), and what the line says.
STRANGE: dict[str, tuple[list[str], Any, str]] = {
    "no id": (["id"], None, "'id' is a required property"),
    "a format to come": (["format"], 2, "its format is '2'"),
    "too many replicates": (["replicates"], 10**9, "replicates"),
    "no replicate": (["configuration", "replicates"], 0, "configuration.replicates"),
    "a replicate that is a text": (["replicates"], "3", "replicates"),
    "months without end": (["configuration", "months"], 10**7, "configuration.months"),
    "another kind of study": (["configuration", "study", "kind"], "exec", "configuration.study.kind"),
    "a key that is none": (["replicate_keys"], [["xyz", "0"]], "replicate_keys"),
    "an arm that leads elsewhere": (["arms", "../../foreign"], {}, "arms"),
    "an arm with an absolute path": (["arms", "/tmp/foreign"], {}, "arms"),
    "an arm that clears the terminal": (["arms", "\x1b[2J"], {}, "arms"),
    "an arm that is a list": (["arms", "nothing"], [], "arms.nothing"),
    "a commit that is a command": (["commit"], "$(rm -rf x)", "commit"),
    "a time that is none": (["finished"], "yesterday", "finished"),
    "a version that clears the terminal": (["versions", "numpy"], "\x1b[2J", "versions.numpy"),
    "something else": (["_target_"], "os.system", "_target_"),
}


@pytest.mark.parametrize(("where", "value", "expected"), STRANGE.values(), ids=STRANGE)
def test_what_the_schema_does_not_know_is_one_line(about, tmp_path, where, value, expected):
    strange = copy.deepcopy(about)
    inner = strange
    for part in where[:-1]:
        inner = inner[part]
    inner[where[-1]] = value
    if value is None:
        del inner[where[-1]]
    (tmp_path / MANIFEST).write_text(json.dumps(strange), encoding="utf-8")
    with pytest.raises(ManifestError) as mistake:
        read_manifest(tmp_path)
    line = str(mistake.value)
    assert f"{tmp_path / MANIFEST} is no manifest of format 1: " in line and expected in line
    assert line.isprintable() and len(line) < 600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"\xff\xfe{", b"[" * 200_000, b'{"format": 1' + b"0" * 5_000 + b"}"])
def test_what_is_no_json_is_one_line(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ManifestError) as mistake:
        read_manifest(tmp_path)
    assert "\n" not in str(mistake.value) and len(str(mistake.value)) < 600


def test_a_pipe_and_a_large_file_are_not_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(OSError, match="no regular file"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).write_bytes(b" " * 2_000)
    monkeypatch.setattr(manifests, "MOST_BYTES", 1_000)
    with pytest.raises(ManifestError, match="it must have at most 1,000"):
        read_manifest(tmp_path)


def test_the_schema_is_published_as_it_is():
    schema = json.loads((Path(manifests.__file__).parent / manifests.SCHEMA).read_text(encoding="utf-8"))
    assert schema["properties"]["format"]["const"] == manifests.FORMAT and schema["$id"].endswith(f":{manifests.FORMAT}")
    assert schema["additionalProperties"] is False
