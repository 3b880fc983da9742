"""Help: what programmes lend to firms for a month at a time.

A programme sets these columns anew every month in which it runs, for the firms that it has taken on; what is not renewed is gone. At 0
none of them changes a bit. Several programmes that lend the same combine: of what one leaves, the other takes its share.
"""

from __future__ import annotations

from typing import Any

from agents.columns import Floats, Population, column

__all__ = ["Help"]


def _lent(unit: str, meaning: str) -> Any:
    """Declare a column of help: what was lent for a month is gone in the next."""
    return column(unit, meaning, monthly=True)


class Help(Population):
    """Help that firms have been lent for this month."""

    insight: Floats = _lent("share", "share of its hidden cost of poor quality that help brings to light")
    latent_found: Floats = _lent("share", "share of its latent defects that reliability tests turn into detectable ones")
    inspection_saved: Floats = _lent("share", "share of the cost of an inspection that help saves")
    records: Floats = _lent("share", "share of its lots that can be traced beyond what anybody traces")
    audits: Floats = _lent("share", "share of the defects that get past its goods-in which audits of suppliers show")
    strictness: Floats = _lent("share", "share by which its bar for suppliers is lower than usual")
    live_data: Floats = _lent("share", "share of the lag of its ratings that shared data remove")
    joint_standard: Floats = _lent("share", "degree to which it keeps the joint standard of its chain; serves where both sides do")
    recall_ready: Floats = _lent("share", "share of the cost of a recall that readiness saves")
    visible: Floats = _lent("share", "share of others' doubt about its quality that a mark removes")
    mark: Floats = _lent("ln", "appeal to users of the mark that its product bears")
    watched: Floats = _lent("1/month", "probability of a further sample by the regulator")
    sharper_fine: Floats = _lent("1", "by how many times the usual one its fine is higher")
    uptake: Floats = _lent("share", "share of those beyond a programme's reach, and like it, that take part after all")
    effort: Floats = _lent("1", "by how many times the usual pace programmes are delivered to it faster")
