"""Help that programmes give to firms for one month at a time.

A programme sets these columns every month in which it runs, for the firms that it has taken on; help that is not set again ends. At 0
a column changes nothing. If several programmes give the same help, the second one acts on the part that the first one leaves.
"""

from __future__ import annotations

from typing import Any

from agents.columns import Floats, Population, column

__all__ = ["Help"]


def _lent(unit: str, meaning: str) -> Any:
    """Declare a column of help: it lasts one month."""
    return column(unit, meaning, monthly=True)


class Help(Population):
    """Help that firms have this month."""

    insight: Floats = _lent("share", "share of its hidden cost of poor quality that help makes visible")
    latent_found: Floats = _lent("share", "share of its latent defects that reliability tests turn into detectable ones")
    inspection_saved: Floats = _lent("share", "share of the cost of an inspection that help saves")
    records: Floats = _lent("share", "share of its lots that can be traced in addition to those that are traceable anyway")
    audits: Floats = _lent("share", "share of the defects that get past its goods-in which audits of suppliers show")
    strictness: Floats = _lent("share", "share by which its limit on suppliers' defects is lower than usual")
    live_data: Floats = _lent("share", "share of the delay of its ratings that shared data remove")
    joint_standard: Floats = _lent("share", "degree to which it keeps the joint standard of its chain; has an effect where both sides do")
    recall_ready: Floats = _lent("share", "share of the cost of a recall that readiness saves")
    visible: Floats = _lent("share", "share of others' uncertainty about its quality that a mark removes")
    mark: Floats = _lent("ln", "appeal to users of the mark that its product bears")
    watched: Floats = _lent("1/month", "probability of a further sample by the regulator")
    sharper_fine: Floats = _lent("1", "by how many times the usual one its fine is higher")
    uptake: Floats = _lent("share", "share of similar firms beyond a programme's reach that still take part")
    effort: Floats = _lent("1", "by how many times the usual pace programmes are delivered to it faster")
