"""Columns of tables in the words of the language that is spoken: one rule for files, workbooks and notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from experiments.languages.wording import label, say, spoken
from sim.outcomes import OUTCOMES

__all__ = ["head_of", "heads_of", "in_words"]

#: What the name of a column begins or ends with, and the name of the phrase for it.
ENDS = {"_low": "low", "_high": "high", "_in_all": "in_all"}
SPENT, COUNTED = "spent_on_", "count_of_"


def head_of(column: str) -> str:
    """Return what a column is called; a column that has no name in words is called as it is."""
    known = spoken().names_of("tables.heads")
    if column in known:
        return say(f"tables.heads.{column}")
    if column in OUTCOMES:
        return say("tables.with_unit", of=label(OUTCOMES[column]), unit=label(OUTCOMES[column].unit))
    for end, phrase in ENDS.items():
        if column.endswith(end) and (stem := column.removesuffix(end)) in {*known, *OUTCOMES}:
            return say(f"tables.{phrase}", of=head_of(stem))
    if column.startswith(SPENT):
        return say("tables.spent_on", of=spoken().instrument(column.removeprefix(SPENT)))
    if column.startswith(COUNTED):
        key, _, count = column.removeprefix(COUNTED).partition(": ")
        return say("tables.count_of", of=spoken().instrument(key), count=label(count))
    stem, _, arm = column.partition(": ")
    if arm and stem in spoken().names_of("sweep_table.heads"):
        return say("sweep_text.of_arm", say(f"sweep_table.heads.{stem}"), arm)
    return column


def heads_of(columns: Iterable[str]) -> list[str]:
    """Return what columns are called, each name once: of two with one name the second has its key behind it."""
    heads: list[str] = []
    for column in map(str, columns):
        head = head_of(column)
        heads.append(f"{head} [{column}]" if head in heads else head)
    return heads


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose keys (of outcomes, units, instruments, groups, conclusions) are words; numbers are left as they are."""
    shown = table.copy()
    for name in shown.columns:
        if pd.api.types.is_bool_dtype(shown[name].dtype):
            shown[name] = [say("tables.yes" if cell else "tables.no") for cell in shown[name]]
        elif name == "group" and "by" in shown:
            shown[name] = [_group(by, group) for by, group in zip(table["by"], table["group"], strict=True)]
        elif not pd.api.types.is_numeric_dtype(shown[name].dtype):
            words = {cell: _word(str(name), cell) for cell in shown[name].unique() if isinstance(cell, str) and cell}
            shown[name] = [words.get(cell, cell) for cell in shown[name]]
    return shown


def _group(by: str, group: str) -> str:
    """Return what a group of firms is called."""
    if by == "total":
        return say("tables.by.total")
    if by == "quantile":
        return say("gains.fifth", group)
    if by in ("chain", "county", "region"):
        return label(group)
    return say(f"sizes.{group}") if by == "size" else group


def _word(column: str, cell: str) -> Any:
    """Return the words for a key in a column of that name."""
    if column == "outcome" and cell in OUTCOMES:
        return label(OUTCOMES[cell])
    if column in {"instrument", "payee", "purpose"} or (column == "payer" and cell not in spoken().names_of("figures.costs.payers")):
        return spoken().instrument(cell)
    if column in {"unit", "count", "meaning", "pattern", "label"}:
        return label(cell)
    for names, group in WORDS.items():
        if column in names and cell in spoken().names_of(group):
            return say(f"{group}.{cell}")
    return cell


#: By names of columns: the group of phrases that has words for their keys.
WORDS = {
    ("by",): "tables.by",
    ("better",): "explain.better",
    ("payer",): "figures.costs.payers",
    ("cause",): "figures.causes",
    ("size",): "sizes",
    ("verdict",): "programmes.budget",
    ("conclusion", "avoided_conclusion"): "tables.conclusions",
}
