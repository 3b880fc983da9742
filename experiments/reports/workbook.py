"""What every workbook of results has (``results.xlsx``): a first sheet that says what is where, and sheets of tables in words.

All is said in the language that is spoken; the same study gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.analysis.heads import heads_of, in_words
from experiments.analysis.workbooks import MOST_CELLS, SHEET, Block, Sheet, workbook
from experiments.languages.wording import say
from experiments.reports.elements import Section
from experiments.runs.files import write_whole

__all__ = ["WORKBOOK", "block", "sheet", "sheet_of_section", "study_workbook", "write_workbook"]

#: Name of the file in the folder of a study.
WORKBOOK = "results.xlsx"
#: What the first sheet says in addition to question and answer, in this order.
GUIDE = ("interval", "units", "numbers", "report", "cite")
#: What the names of columns that are shares begin with; they stand in %.
SHARES = ("effect_share", "share", "left", "within")


def study_workbook(about: Mapping[str, Any], question: str, answer: Sequence[tuple[str, str]], sheets: Sequence[Sheet]) -> bytes:
    """Return the workbook of a study.

    Parameters
    ----------
    about : mapping
        The manifest.
    question : str
    answer : sequence of (str, str)
        Its parts, each with what leads it.
    sheets : sequence of Sheet
        Those after the first.
    """
    title = say("tables.about.title", name=about["configuration"].get("name", about["id"]))
    return workbook([_first(about, title, question, answer, sheets), *sheets], title)


def write_workbook(content: bytes, folder: Path) -> None:
    """Write the workbook of a study into its folder: there whole or not at all."""
    write_whole(folder / WORKBOOK, content)


def _first(about: Mapping[str, Any], title: str, question: str, answer: Sequence[tuple[str, str]], sheets: Sequence[Sheet]) -> Sheet:
    """The sheet that says what was asked, what came out, what is where, in which units, and how to cite it."""
    finished, version = str(about.get("finished", ""))[:10], about.get("versions", {}).get("strongchain", "")
    source = {"study": about["id"], "result": about.get("result", ""), "version": version, "finished": finished}
    rows = [
        (say("tables.about.question"), question),
        *answer,
        *((say("tables.about.sheet", title=one.title), one.blocks[0].says) for one in sheets),
        *((say(f"tables.about.{name}"), say(f"tables.about.{name}_text", **(source if name == "cite" else {}))) for name in GUIDE),
    ]
    return Sheet(say("tables.sheets.about"), [Block(title, ("", ""), pd.DataFrame(rows))], is_text=True)


def sheet(key: str, *blocks: Block) -> Sheet:
    """Return a sheet of some tables, by the name of its title in the table of phrases."""
    return Sheet(say(f"tables.sheets.{key}"), blocks)


def block(key: str, table: pd.DataFrame, file: str = "") -> Block:
    """Return a table in words, with what it is.

    Parameters
    ----------
    key : str
        Name of the phrase that says what it is.
    table : DataFrame
        As it is stored.
    file : str
        Where all its rows are, if it has too many for a sheet: then the first are shown, and a note says so.
    """
    most = min(SHEET - 1, MOST_CELLS // max(1, table.shape[1]))
    says = say(f"tables.says.{key}")
    if len(table) > most:
        says = f"{say('tables.about.cut', shown=f'{most:,}', rows=f'{len(table):,}', file=file)} {says}"
        table = table.iloc[:most]
    shares = frozenset(k for k, name in enumerate(table.columns) if str(name).removesuffix("_low").removesuffix("_high") in SHARES)
    return Block(says, heads_of(table.columns), in_words(table), shares)


def sheet_of_section(key: str, *sections: Section) -> Sheet:
    """Return a sheet of the tables, and the commands, of sections of a report."""
    tables = [table for section in sections for table in section.tables if table.rows]
    blocks = [Block(table.caption, table.head, pd.DataFrame(table.rows)) for table in tables]
    blocks[0] = replace(blocks[0], says=f"{say(f'tables.says.{key}')} {blocks[0].says}".strip())
    blocks += [Block("", (), pd.DataFrame(section.commands)) for section in sections if section.commands]
    return Sheet(say(f"tables.sheets.{key}"), blocks)
