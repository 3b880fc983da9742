"""The terms of the field in English and Chinese, read from ``glossary.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml  # type: ignore[import-untyped]

__all__ = ["Term", "glossary"]


@dataclass(frozen=True)
class Term:
    """One term of the field.

    Attributes
    ----------
    key : str
        That of the outcome or the instrument which the term names, if it names one.
    en, zh : str
        The term in English and in Chinese.
    meaning : str
        One sentence.
    source : str
        The standard or author that defines it; empty where it is the project's own use.
    """

    key: str
    en: str
    zh: str
    meaning: str
    source: str = ""


@cache
def glossary() -> Mapping[str, tuple[Term, ...]]:
    """Return the terms by subject, in the order of the file."""
    subjects = yaml.safe_load((Path(__file__).parent / "glossary.yaml").read_text(encoding="utf-8"))
    return {subject: tuple(Term(key, **term) for key, term in terms.items()) for subject, terms in subjects.items()}
