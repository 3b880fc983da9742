"""Documents: every link leads somewhere, every document is reached from the index, every path that is named is there."""

from __future__ import annotations

import re
import subprocess

import pytest

from experiments.pages.developer.imports import ROOT
from tests.house.reading import name_of

pytestmark = pytest.mark.study  # reads every file of the project

DOCUMENTS = [path for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md") for path in sorted(ROOT.glob(pattern))]
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
#: A path of the project in a text, with the ending of a file.
PATH = re.compile(r"(?<![\w/.])((?:agents|sim|experiments|tests|configs|docs|notebooks|benchmarks)/[\w/]+\.(?:py|md|yaml|csv|png|ipynb))\b")


def test_every_link_leads_somewhere():
    broken = [
        f"{name_of(path)}: {link}"
        for path in DOCUMENTS
        for link in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in link and not link.startswith("mailto:") and not (path.parent / link).exists()
    ]
    assert len(DOCUMENTS) > 25 and not broken, "\n".join(broken)


def test_every_document_is_reached_from_the_index():
    start = ROOT / "docs" / "index.md"
    reached, way = {start}, [start]
    for path in way:  # grows as it goes
        for link in LINK.findall(path.read_text(encoding="utf-8")):
            other = (path.parent / link).resolve()
            if other.suffix == ".md" and other not in reached and other.exists():
                reached.add(other)
                way.append(other)
    hidden = {path for path in (ROOT / "docs").rglob("*.md")} - reached
    # What is written by hand about patterns is part of the page of the validation.
    assert {name_of(path) for path in hidden} <= {"docs/evidence/patterns/discussion.md"}


def test_every_path_that_is_named_exists():
    """In documents, code and configurations; the changelog names files that no longer exist."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    files = [ROOT / name for name in listed if name.endswith((".py", ".md", ".yaml", ".toml", ".ipynb")) and name != "CHANGELOG.md"]
    files = [path for path in files if path.exists() and not path.is_relative_to(ROOT / "tests")] or DOCUMENTS
    missing = [
        f"{name_of(path)}: {named}"
        for path in files
        for named in PATH.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / named).exists() and "NAME" not in named
    ]
    assert not missing, "\n".join(missing)
