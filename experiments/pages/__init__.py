"""What writes the pages of docs/: `reference` from declarations, `evidence` from simulations, `developer` from the code."""

from pathlib import Path

__all__ = ["DEVELOPER", "DOCS", "EVIDENCE", "REFERENCE"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
#: Folders of the pages that are written from what the code declares, from simulations, and from the code itself.
REFERENCE, EVIDENCE, DEVELOPER = DOCS / "reference", DOCS / "evidence", DOCS / "developer"
