"""The chain head (链长): the government unit of one chain."""

from __future__ import annotations

from typing import ClassVar

from agents.columns import Floats, Indices, Population, Row, column

__all__ = ["ChainHead", "ChainHeads"]


class ChainHeads(Population):
    """State of the chain heads."""

    chain: Indices = column("index", "chain that it organises")
    region: Indices = column("index", "region in which it is")
    spent: Floats = column("CNY", "programme money spent on its chain so far (several heads of one chain divide it)")
    awards: Floats = column("awards", "awards to firms of its chain so far")


class ChainHead(Row):
    """Draws the quality map, keeps the problem list, and sees the programme's money spent on its chain."""

    population: ClassVar[str] = "chain_heads"

    def problem_list(self) -> dict[str, int]:
        """Return the open problems of its chain by kind (问题清单)."""
        return dict(self.model.problem_list(self.chain))

    def weak_links(self, most: int = 10) -> list[tuple[str, float]]:
        """Return the firms of its chain in which most of the defects that reach users begin.

        Pairs of name and share of the chain's field loss in the steady state, largest first.
        """
        return list(self.model.weak_links(self.chain, most))
