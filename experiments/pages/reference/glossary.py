"""The page of the terms of the field in two languages: ``make docs`` writes docs/reference/glossary.md."""

from __future__ import annotations

from pathlib import Path

from experiments.formatting import table
from experiments.languages.glossary import glossary
from experiments.pages import REFERENCE

__all__ = ["glossary_page", "write"]


def glossary_page() -> str:
    """Return the page of all terms, a table for each subject."""
    lines = INTRODUCTION.splitlines()
    for subject, terms in glossary().items():
        rows = ([f"**{term.en}**", term.zh, term.meaning, term.source] for term in terms)
        lines += ["", f"## {subject}", "", *table(["term", "中文", "meaning", "source"], rows)]
    return "\n".join(lines) + "\n"


def write(folder: Path) -> None:
    """Write the page into a folder."""
    (folder / "glossary.md").write_text(glossary_page(), encoding="utf-8")


INTRODUCTION = """\
# Glossary 术语表

Written by `make docs` from `experiments/languages/glossary.yaml`. The code, these documents and the reports use each term in
this sense only. A source is the standard or author that defines the term; where there is none, the term has this meaning in this
project."""

if __name__ == "__main__":
    write(REFERENCE)
