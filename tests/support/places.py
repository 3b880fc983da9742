"""Where things lie: the project, its pages, and the facts and data that tests may read and the project does not ship."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["DOCS", "EVIDENCE", "FACTS", "REFERENCE", "ROOT", "TABLES_ALONE"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE, EVIDENCE = DOCS / "reference", DOCS / "evidence"
#: Figures of the source documents.
FACTS = Path(os.environ.get("STRONGCHAIN_FACTS") or ROOT.parent / "shared" / "facts" / "regions.csv")
#: Typed where nobody looks at a study: figures, the report and the workbook take three quarters of the time of a small one.
TABLES_ALONE = "figures.format=[]"
