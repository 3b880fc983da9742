"""Where the loss of each named chain begins: shares add up, and the page has every chain."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.catalogue.chains import chain_files
from experiments.pages.evidence.chains import measure, page
from tests.support.places import EVIDENCE

pytestmark = pytest.mark.study


def test_shares_add_up_and_two_chains_differ():
    chains = {one.key: one for one in chain_files()}
    quick = ("burn_in=2", "region.firms=300", "region.chains=1", "region.leaders=3")
    long, short = (measure(chains[key], replicates=2, overrides=quick) for key in ("rail_transit", "mature_vinegar"))
    for one in (long, short):
        assert one.by_tier.sum(axis=1) == pytest.approx(np.ones(2)) and one.by_cause.sum(axis=1) == pytest.approx(np.ones(2))
    assert long.by_tier[:, 2:].sum(axis=1).min() > short.by_tier[:, 2:].sum(axis=1).max()
    text = page([long, short])
    assert "| `rail_transit` | Rail transit, 轨道交通 | shanxi |" in text and chains["mature_vinegar"].makes[short.widest] in text


def test_the_page_has_every_chain():
    text = (EVIDENCE / "chains.md").read_text(encoding="utf-8")
    assert all(text.count(f"| `{one.key}` |") == 2 for one in chain_files())
