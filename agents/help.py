"""Help: what programmes lend to firms for a month at a time.

A programme sets these columns anew every month in which it runs, for the firms that it has taken on; what is not renewed is gone. At 0
none of them changes a bit. Several programmes that lend the same combine: of what one leaves, the other takes its share.
"""

from __future__ import annotations

from agents.columns import Column

__all__ = ["HELP"]

HELP: dict[str, Column] = {
    name: Column("float64", unit, meaning, monthly=True)
    for name, unit, meaning in (
        ("insight", "share", "share of its hidden cost of poor quality that help brings to light"),
        ("latent_found", "share", "share of its latent defects that reliability tests turn into detectable ones"),
        ("inspection_saved", "share", "share of the cost of an inspection that help saves"),
        ("records", "share", "share of its lots that can be traced beyond what anybody traces"),
        ("audits", "share", "share of the defects that get past its goods-in which audits of suppliers show"),
        ("strictness", "share", "share by which its bar for suppliers is lower than usual"),
        ("live_data", "share", "share of the lag of its ratings that shared data remove"),
        ("joint_standard", "share", "degree to which it keeps the joint standard of its chain; serves where both sides do"),
        ("recall_ready", "share", "share of the cost of a recall that readiness saves"),
        ("visible", "share", "share of others' doubt about its quality that a mark removes"),
        ("mark", "ln", "appeal to users of the mark that its product bears"),
        ("watched", "1/month", "probability of a further sample by the regulator"),
        ("sharper_fine", "1", "by how many times the usual one its fine is higher"),
        ("uptake", "share", "share of those beyond a programme's reach, and like it, that take part after all"),
        ("effort", "1", "by how many times the usual pace programmes are delivered to it faster"),
    )
}
