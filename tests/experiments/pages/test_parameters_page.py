"""Generated pages say what the code says."""

from __future__ import annotations

import pytest

from experiments.pages.reference.parameters import PAGES
from tests.support.places import REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} is outdated: run make docs"
