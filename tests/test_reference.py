"""Generated pages say what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.reference import PAGES

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} is outdated: run python -m experiments.reference"
