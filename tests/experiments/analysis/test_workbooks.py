"""Workbooks: what openpyxl reads in them is what was put in, nothing in them runs, and the same tables give the same bytes."""

from __future__ import annotations

import io
import time
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

import experiments.analysis.workbooks as workbooks
from experiments.analysis.heads import head_of, heads_of, in_words
from experiments.analysis.workbooks import Block, Sheet, workbook
from experiments.languages.wording import use_language
from experiments.reports import workbook as results
from sim.outcomes import OUTCOMES

TABLE = pd.DataFrame({
    "text": ["=1+1", "a & <b>", None, "line\nbreak", "-0.5"],
    "number": [0.0123456789012345678, np.nan, 12.5, -123456.7, 1e-7],
    "whole": [1, 20_000, 3, 4, 5],
    "part": [0.1, -0.25, 0.0, np.inf, 1.0],
})  # fmt: skip


def written(*sheets: Sheet) -> openpyxl.Workbook:
    """A workbook, opened again."""
    return openpyxl.load_workbook(io.BytesIO(workbook(sheets, "title")))


def one(table: pd.DataFrame, says: str = "what it is") -> Sheet:
    """A sheet of one table, whose last column is a share."""
    return Sheet("sheet", [Block(says, list(table.columns), table, frozenset({table.shape[1] - 1}))])


def test_what_was_put_in_is_read_again_with_formats_and_a_frozen_head():
    page = written(one(TABLE))["sheet"]
    rows = list(page.values)
    assert rows[0][0] == "what it is" and rows[1] == ("text", "number", "whole", "part")
    assert [row[0] for row in rows[2:]] == ["'=1+1", "a & <b>", None, "line\nbreak", "-0.5"]
    assert [row[1] for row in rows[2:]] == [0.0123456789012345678, None, 12.5, -123456.7, 1e-7]
    assert [row[2] for row in rows[2:]] == [1, 20_000, 3, 4, 5]
    assert [row[3] for row in rows[2:]] == [0.1, -0.25, 0.0, None, 1.0]
    assert [page.cell(row, 2).number_format for row in (3, 5, 6, 7)] == ["0.0000", "#,##0.00", "#,##0", "0.00E+00"]
    assert page.cell(3, 3).number_format == "#,##0" and page.cell(3, 4).number_format == "0.0%"
    assert page.freeze_panes == "A3" and page.dimensions == "A1:D7"
    assert page.cell(2, 1).font.bold and page.column_dimensions["B"].width >= 12


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(1)", "＝1+1", "\t=1", '=HYPERLINK("x")', "=\x01cmd"])
def test_nothing_is_a_formula_wherever_it_stands(text):
    table = pd.DataFrame({text: [text], "b": [1]})
    book = workbook(
        [Sheet(text, [Block(text, list(table.columns), table)]), Sheet("b", [Block(text, ("", ""), table)], is_text=True)], text
    )
    for page in openpyxl.load_workbook(io.BytesIO(book)):
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f" and not str(cell.value or "").startswith(("=", "+", "-", "@", "＝"))
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert not any(b"<f>" in parts.read(name) or "vba" in name for name in parts.namelist())


def test_the_same_tables_give_the_same_bytes_at_any_time(monkeypatch):
    first = workbook([one(TABLE)], "title")
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2e9))
    assert workbook([one(TABLE)], "title") == first
    with zipfile.ZipFile(io.BytesIO(first)) as parts:
        assert {part.date_time[0] for part in parts.infolist()} == {2000}
        assert b">2000-01-01T00:00:00Z<" in parts.read("docProps/core.xml")


def test_tables_stand_one_below_the_other():
    page = written(Sheet("sheet", [Block("one", ["a"], pd.DataFrame({"a": [1]})), Block("two", ["b"], pd.DataFrame({"b": ["x"]}))]))[
        "sheet"
    ]
    assert [row[0] for row in page.values] == ["one", "a", 1, None, "two", "b", "x"]


def test_titles_and_cells_that_excel_does_not_take_are_made_to_fit():
    book = written(Sheet("a/b:c*" + "x" * 40, [Block("", ["h"], pd.DataFrame({"h": ["y" * 40_000]}))]))
    assert book.sheetnames == [("a b c " + "x" * 40)[:31]]
    assert len(list(book.worksheets[0].values)[-1][0]) == 32_767


def test_a_table_with_too_many_rows_is_cut_and_names_the_file_with_all(monkeypatch):
    monkeypatch.setattr(results, "MOST_CELLS", 20)
    block = results.block("effects", pd.DataFrame({"arm": ["a"] * 30, "level": 1.0}), "effects.parquet")
    assert len(block.table) == 10 and block.says.startswith("The first 10 of 30 rows; all rows are in effects.parquet.")
    with use_language("zh"):
        assert "共 30 行" in results.block("effects", pd.DataFrame({"arm": ["a"] * 30, "level": 1.0}), "effects.parquet").says


@pytest.mark.study
def test_a_sheet_as_large_as_allowed_takes_no_longer_than_three_seconds():
    rows = workbooks.MOST_CELLS // 10
    table = pd.DataFrame({"a": ["arm"] * rows, **{f"c{k}": np.random.default_rng(k).random(rows) for k in range(9)}})
    begun = time.process_time()
    workbook([one(table)], "title")
    assert time.process_time() - begun < 3.0


# -- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "english", "chinese"),
    [
        ("arm", "arm", "方案"),
        ("effect_low", "effect, lower end of the 95 % interval", "效果（95%置信区间下限）"),
        ("copq", f"{OUTCOMES['copq'].label} (share of sales)", OUTCOMES["copq"].label_zh),
        ("spent_on_cqo", "government money for chief quality officers (CNY, whole run)", "首席质量官的财政支出（元，全程合计）"),
        ("count_of_cqo: firms taken on", "chief quality officers: firms taken on", "首席质量官：接纳企业"),
        ("government_cost_in_all", "whole run", "全程合计"),
        ("a column of one's own", "a column of one's own", "a column of one's own"),
    ],
)  # fmt: skip
def test_a_column_is_called_in_words(column, english, chinese):
    assert english in head_of(column)
    with use_language("zh"):
        assert chinese in head_of(column)


def test_no_two_columns_have_one_head():
    assert heads_of(["loss", "loss (CNY/month)"]) == ["loss to users (CNY/month)", "loss to users (CNY/month) [loss (CNY/month)]"]


def test_keys_become_words_and_numbers_stay():
    table = pd.DataFrame({
        "outcome": ["field_dpu", "copq"], "by": ["total", "size"], "group": ["total", "small"], "instrument": ["cqo", "in all"],
        "conclusion": ["lower", "not shown"], "defined": [True, False], "level": [0.1, 0.2],
    })  # fmt: skip
    with use_language("zh"):
        words = in_words(table)
    assert list(words["outcome"]) == [OUTCOMES["field_dpu"].label_zh, OUTCOMES["copq"].label_zh]
    assert list(words["by"]) == ["全部企业", "企业规模"] and words["group"].iloc[0] == "全部企业"
    assert words["instrument"].iloc[0] == "首席质量官" and list(words["conclusion"]) == ["降低", "未显示与 0 有差异"]
    assert list(words["defined"]) == ["是", "否"] and list(words["level"]) == [0.1, 0.2]
    assert list(in_words(table)["conclusion"]) == ["lower", "not shown to differ from 0"]
