"""What writes the pages of docs/: `reference` from declarations, `evidence` from simulations."""

from pathlib import Path

__all__ = ["DOCS", "EVIDENCE", "REFERENCE"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: Folders of the pages that are written from what the code declares, and from simulations.
REFERENCE, EVIDENCE = DOCS / "reference", DOCS / "evidence"
