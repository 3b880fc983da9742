"""Where does the loss of each named chain begin? ``make docs PAGE=chains`` writes docs/evidence/chains.md (a minute).

Each chain of configs/chain is simulated in the region in which documents name it, without any programme, and the quality map of its last
month is added up by tier and by cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from agents.streams import replicate_keys
from experiments.catalogue.chains import chain_files
from experiments.configuration.settings import compose_settings, read_settings
from experiments.formatting import percent_of, significant, table
from experiments.pages import EVIDENCE
from sim.attribution.quality_map import CAUSES
from sim.build.chain import NamedChain

__all__ = ["OfChain", "measure", "page", "write"]

#: Replicates that the shares are means of, and tiers that have a column.
REPLICATES, TIERS = 8, 4


@dataclass(frozen=True)
class OfChain:
    """Where the loss of a chain begins.

    Attributes
    ----------
    chain : NamedChain
    firms : int
    by_tier : array, shape (replicates, tiers + 1)
        Shares of the loss that begins at leaders and at each tier; the last one has all deeper tiers.
    by_cause : array, shape (replicates, causes)
        Shares by cause.
    """

    chain: NamedChain
    firms: int
    by_tier: NDArray[np.float64]
    by_cause: NDArray[np.float64]

    @property
    def widest(self) -> int:
        """Tier of members at which most loss begins."""
        return 1 + int(self.by_tier.mean(axis=0)[1:].argmax())


def measure(chain: NamedChain, replicates: int = REPLICATES, overrides: Sequence[str] = ()) -> OfChain:
    """Simulate a chain without programme, and add up its quality map by tier and by cause."""
    region = f"region={chain.home or 'sample'}"
    settings = read_settings(compose_settings([region, f"chain={chain.key}", "instruments=[]", *overrides]))
    tiers, causes = [], []
    for key in replicate_keys(settings.seed, replicates):
        model = settings.world.build(key)
        loss = model.quality_map()
        place = np.minimum(np.where(model.firms.tier < 0, TIERS, model.firms.tier), TIERS)
        tiers.append(np.bincount(place, loss.by_firm, minlength=TIERS + 1) / loss.by_firm.sum())
        causes.append(loss.loss.sum(axis=0) / loss.total)
    return OfChain(chain, settings.world.region.firms, np.array(tiers), np.array(causes))


def _share(values: NDArray[np.float64]) -> str:
    """Write a mean share with its range over replicates."""
    low, high = (percent_of(float(of)) for of in (values.min(), values.max()))
    return f"{percent_of(float(values.mean()))} ({low} to {high})"


def page(measured: Sequence[OfChain]) -> str:
    """Return the page."""
    head = ["chain", "", "region", "firms", "leaders", *(f"tier {k}" for k in range(1, TIERS)), f"tier {TIERS} and deeper", *CAUSES]
    rows = []
    for one in measured:
        shares = [*(_share(column) for column in one.by_tier.T), *(_share(column) for column in one.by_cause.T)]
        rows.append([f"`{one.chain.key}`", f"{one.chain.label}, {one.chain.label_zh}", one.chain.home, f"{one.firms:,}", *shares])
    why = [
        "chain",
        "most loss of members begins at",
        "what is made there",
        "share of members there",
        "most frequent kinds of problem, as a multiple",
    ]
    reasons = []
    for one in measured:
        tier, chain = one.widest, one.chain
        mix = ", ".join(f"{kind} {significant(value, 2)}" for kind, value in zip(KINDS, chain.problem_mix, strict=True) if value > 1.0)
        there = chain.tier_shares[tier - 1] / sum(chain.tier_shares) if tier <= len(chain.tier_shares) else float("nan")
        goods = chain.makes[tier] if tier < len(chain.makes) else ""
        reasons.append([f"`{chain.key}`", f"tier {tier}", goods, f"{percent_of(there)} %", mix or "none above 1"])
    lines = [*INTRODUCTION.splitlines(), "", *table(head, rows), "", "## Why there?", "", *WHY.splitlines(), "", *table(why, reasons), ""]
    return "\n".join(lines)


def write(folder: Path = EVIDENCE) -> None:
    """Measure every chain and write the page."""
    (folder / "chains.md").write_text(page([measure(chain) for chain in chain_files()]), encoding="utf-8")


INTRODUCTION = f"""\
# Where does the loss of each named chain begin?

Written by `make docs PAGE=chains`: each chain of `configs/chain` in the region in which documents name it
(`strongchain region=shaanxi chain=hydrogen`), after the burn-in, without any programme. Shares of the loss to users, in %, that begin at
chain leaders, at each tier, and by each cause: means of {REPLICATES} replicates, with the smallest and the largest in brackets. Shares of
tiers, kinds of problem and clustering are assumptions, so these are consequences of assumptions, not observations. A chain has one to six
leaders, so chance moves its shares more than most chains differ: compare the ranges."""

WHY = """\
Each firm adds defects of its own, and what it adds is in everything that is made of its goods. So a tier counts by how much of the output
is made there, which follows from its share of the members; by how much inspection there still is between it and users; and by how many
problems of each kind arise. What a tier makes changes nothing but texts."""

if __name__ == "__main__":
    write()
