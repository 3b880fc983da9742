"""The nearest right name."""

from __future__ import annotations

import pytest

from agents.spelling import nearest

KNOWN = ["strong_chain_loans", "cash", "capability", "quality_map", "digital_quality"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("capabilty", "capability"), ("loans", "strong_chain_loans"), ("quality", "quality_map"), ("zzz", ""), ("as", "cash")],
    ids=["misspelt", "a part of one name", "a part of two names: the nearest", "none", "too short to be a part"],
)
def test_the_nearest_name_is_asked_for(written, meant):
    assert nearest(written, KNOWN) == (f"; did you mean {meant!r}?" if meant else "")
