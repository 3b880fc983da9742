"""CSV files that a spreadsheet opens: nothing in them is executed, and numbers stay numbers."""

from __future__ import annotations

import csv as standard
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.analysis.results import table_hash, write_parts, write_table
from experiments.analysis.spreadsheets import MARK, csv, for_spreadsheets, harmless
from experiments.reports.sweep import collect_sweep

FORMULAS = ("=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\n=1", "＝1+1", "-", "=", "+0x10", "--1", "-1 of 3")
#: Text that is no formula, and numbers however they are written.
PLAIN = ("nothing", "整车厂", "a=b", "a-b", "", " ", "-0.5", "+3", "-1e-05", ".5", "1.", 'a "quoted", text', "’=1")


def cells_of(content: bytes) -> list[list[str]]:
    """Rows and cells as a spreadsheet reads them."""
    assert content.startswith(MARK)
    return list(standard.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_begins_as_a_formula_gets_an_apostrophe(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("cell", [*PLAIN, -0.5, 3, None, True])
def test_other_text_and_numbers_stay_as_they_are(cell):
    assert harmless(cell) is cell


def test_a_carriage_return_begins_no_row(tmp_path):
    write_table(pd.DataFrame({"name": ["a\r=1+1", "b\r\n=1+1", "\r=1+1"], "x": [1, 2, 3]}), tmp_path / "table")
    rows = cells_of((tmp_path / "table.csv").read_bytes())
    assert rows == [["name", "x"], ["a\n=1+1", "1"], ["b\n=1+1", "2"], ["'\n=1+1", "3"]]


def test_cells_and_heads_of_a_written_table_are_harmless_and_parquet_is_as_it_was(tmp_path):
    kinds = pd.Categorical(["=1", "plain", "=1"])
    table = pd.DataFrame({"arm": ["=cmd", "good", "-0.5"], "@head": [-0.5, np.nan, 2.0], "kind": kinds})
    before = table.copy()
    write_table(table, tmp_path / "table")
    rows = [["arm", "'@head", "kind"], ["'=cmd", "-0.5", "'=1"], ["good", "", "plain"], ["-0.5", "2.0", "'=1"]]
    assert cells_of((tmp_path / "table.csv").read_bytes()) == rows
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), before)


def test_a_table_without_formulas_is_written_as_pandas_writes_it():
    table = pd.DataFrame({"name": ["整车厂", "a,b"], "mixed": [0.1 + 0.2, None], "x": [1e-17, np.nan], "yes": [True, False]})
    assert csv(table) == table.to_csv(index=False, lineterminator="\n").encode()
    assert csv(pd.DataFrame()) == b"\n"
    assert list(for_spreadsheets(table.iloc[[1, 1]])["name"]) == ["a,b", "a,b"]


def test_tables_of_single_runs_are_harmless_part_by_part(tmp_path):
    pd.DataFrame({"firm": ["=1", "b"]}).to_parquet(tmp_path / "part.parquet", index=False)
    write_parts([("-arm", 1, tmp_path / "part.parquet"), ("@arm", 2, tmp_path / "part.parquet")], tmp_path / "whole")
    head, *rows = cells_of((tmp_path / "whole.csv").read_bytes())
    assert head == ["arm", "replicate", "firm"]
    assert rows == [["'-arm", "1", "'=1"], ["'-arm", "1", "b"], ["'@arm", "2", "'=1"], ["'@arm", "2", "b"]]
    assert list(pd.read_parquet(tmp_path / "whole.parquet")["arm"]) == ["-arm", "-arm", "@arm", "@arm"]


def point_of_a_sweep(folder: Path, value: str, error: str | None) -> None:
    """What a point of a sweep leaves that failed."""
    folder.mkdir(parents=True)
    note = {"overrides": [f"parameters.x={value}"], "error": error}
    (folder / "point.json").write_text(json.dumps(note), encoding="utf-8")


def test_a_swept_value_below_zero_stays_a_number_and_an_error_is_text(tmp_path):
    point_of_a_sweep(tmp_path / "0", "-0.5", "=HYPERLINK(1)")
    point_of_a_sweep(tmp_path / "1", "-1+1", "no")
    collect_sweep(tmp_path)
    read = cells_of((tmp_path / "sweep.csv").read_bytes())
    assert read == [["point", "parameters.x", "error"], ["0", "-0.5", "'=HYPERLINK(1)"], ["1", "'-1+1", "no"]]


# -- the hash of a result --------------------------------------------------------------------------------


def runs_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": ["a", "a", "=b", "=b"],
            "replicate": [1, 2, 1, 2],
            "by": "total",
            "group": "total",
            "loss": [0.1, 0.2, 0.3, np.nan],
            "count_of_cqo: x": [1, 2, 3, 4],
        }
    )


def test_the_hash_of_a_result_does_not_depend_on_the_order_of_rows_and_columns():
    runs = runs_table()
    assert table_hash(runs.iloc[[2, 3, 0, 1]]) == table_hash(runs[runs.columns[::-1]]) == table_hash(runs)


def test_the_hash_of_a_result_depends_on_every_value():
    runs = runs_table()
    hashes = {table_hash(runs)}
    for column in runs.columns:
        for row in range(len(runs)):
            other = runs.copy()
            other.loc[row, column] = {"replicate": 9, "loss": 0.7, "count_of_cqo: x": 9}.get(column, "other")
            hashes.add(table_hash(other))
    assert len(hashes) == 1 + runs.size
    assert table_hash(runs.rename(columns={"loss": "gain"})) not in hashes


def test_the_apostrophe_of_a_spreadsheet_is_not_in_the_hash():
    assert table_hash(runs_table()) != table_hash(for_spreadsheets(runs_table()))
