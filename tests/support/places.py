"""Where things lie: the project, its pages, and the facts and data that tests may read and the project does not ship."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["DOCS", "EVIDENCE", "FACTS", "REFERENCE", "ROOT"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE, EVIDENCE = DOCS / "reference", DOCS / "evidence"
#: Figures of the source documents.
FACTS = Path(os.environ.get("STRONGCHAIN_FACTS") or ROOT.parent / "shared" / "facts" / "regions.csv")
