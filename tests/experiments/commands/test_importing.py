"""`strongchain import`: from a list of suppliers to the files of a study and a page on the data."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
import yaml

from experiments.commands import verbs
from experiments.commands.importing import COLUMNS
from experiments.languages.wording import say, use_language
from experiments.terminal import COLUMNS as WIDTH
from experiments.terminal import width
from sim import FromFile
from sim.build.from_file import from_file
from sim.build.reading.headings import COLUMNS as KNOWN
from tests.support.places import ROOT, TABLES_ALONE

LIST = [
    ("单位：万元",),
    ("供应商", "供应商规模", "县区", "采购商", "年采购额", "产品"),
    ("钢厂", "大型", "甲县", "齿轮厂", "1,200.5", "钢材"),
    ("钢厂", "中型", "甲县", "电机厂", 300, "钢材"),
    ("齿轮厂", "小型", "乙县", "整车厂", 900, "齿轮"),
    ("电机厂", "微型", "乙县", "整车厂", None, "电机"),
    ("电机|<b>厂", "微型", "乙县", "整车厂", 100, "电机"),
    ("油厂", "小型", "乙县", "漆厂", 5, "油"),
    ("漆厂", "小型", "乙县", "油厂", 5, "漆"),
    ("合计", None, None, None, 2500.5, None),
]
OUTPUT = ["供应链.yaml", "供应链_data.md", "供应链_firms.csv", "供应链_links.csv"]


@pytest.fixture
def book(tmp_path, monkeypatch):
    """Save a list as a workbook in the current folder."""
    monkeypatch.chdir(tmp_path)

    def save(rows=LIST, name="供应链.xlsx", hidden=True):
        wb = openpyxl.Workbook()
        wb.active.title = "采购"
        for row in rows:
            wb.active.append(row)
        if hidden:
            wb.create_sheet("草稿").sheet_state = "hidden"
        wb.save(tmp_path / name)
        return name

    return save


def printed(capsys, *arguments: str, status: int = 0) -> str:
    """What the verb prints; everything fits but names of files."""
    capsys.readouterr()
    assert verbs.main(["import", *arguments]) == status
    out, err = capsys.readouterr()
    assert err.count("\n") == status
    assert bool(out) != bool(status)
    return err if status else out


def written() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.suffix != ".xlsx")


def test_a_list_becomes_files_that_a_study_reads_and_the_next_command(book, capsys):
    out = printed(capsys, book())
    assert "供应商规模  size of the supplier" in out
    assert "年采购额    yearly purchases      万元" in out
    assert "hidden sheets are not read: 草稿" in out
    assert out.splitlines()[-1] == "Then run: strongchain network=file network.path=供应链_links.csv network.nodes=供应链_firms.csv"
    assert max(width(line) for line in out.splitlines() if "_links.csv" not in line) <= WIDTH
    assert written() == OUTPUT
    assert Path("供应链_links.csv").read_bytes().startswith(b"\xef\xbb\xbfsupplier,customer,value\n")
    rows = list(csv.DictReader(Path("供应链_links.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [rows[0], rows[3]] == [
        {"supplier": "钢厂", "customer": "齿轮厂", "value": "12005000.0"}, {"supplier": "电机厂", "customer": "整车厂", "value": ""},
    ]  # fmt: skip


def test_the_files_and_the_workbook_are_the_same_network(book, capsys):
    printed(capsys, book())
    ours = from_file(FromFile(path="供应链_links.csv", nodes="供应链_firms.csv"))
    direct = from_file(FromFile(path="供应链.xlsx"))
    for name in ("names", "supplier", "customer", "value_share", "units", "final_demand", "size", "sector", "chain", "leader"):
        assert (getattr(ours, name) == getattr(direct, name)).all(), name
    assert (ours.sectors, ours.chains) == (direct.sectors, direct.chains)


def test_the_page_says_what_the_data_are_and_what_is_assumed(book, capsys):
    printed(capsys, book())
    page = Path("供应链_data.md").read_text(encoding="utf-8")
    for part in (
        "| 年采购额 | yearly purchases | 万元 |",
        "- Left out: 1 row, totals (row 10).",
        "| chain leaders | 整车厂 (assumed: the firms that sell to no firm of the list) |",
        "| 整车厂 | 3 | 10.0 million CNY | 齿轮厂 | 90.0 % |",
        "- 钢厂, size: rows say large and medium; large is used.",
        "Firms that supply each other in a loop: 油厂, 漆厂.",
        "Firms whose goods reach no chain leader: 油厂, 漆厂.",
        "1 links have none.",
        "Given for 6 firms; computed from employees or revenue for 0",
        "The list gives none for 整车厂.",
        "Not given: the product is used.",
        "电机\\|&lt;b&gt;厂",
    ):
        assert part in page, part
    assert "<b>" not in page


def test_everything_is_said_in_chinese_too(book, capsys):
    with use_language("zh"):
        out = printed(capsys, book())
        page = Path("供应链_data.md").read_text(encoding="utf-8")
        usual = say("workbook.keys.supplier")
    assert usual == "供应商"
    assert "然后运行：strongchain network=file network.path=供应链_links.csv network.nodes=供应链_firms.csv language=zh" in out
    assert "# 供应链.xlsx 数据质量说明" in page
    assert "- 未采用 1 行：合计行（第 10 行）。" in page
    for english in ("Given", "supplier", "left out", "rows", "firms"):
        assert english not in page.replace("network.", ""), english


QUALITY = [
    ("供应商", "采购商", "年采购额（万元）", "一次合格率（%）", "首席质量官", "未解决问题数"),
    ("钢厂", "齿轮厂", 1200, 97.5, "有", 2),
    ("铜厂", "齿轮厂", 300, None, "无", None),
    ("齿轮厂", "整车厂", 900, 95, "有", None),
]


def test_figures_of_quality_survive_the_import_and_the_page_counts_them(book, capsys):
    out = printed(capsys, book(QUALITY, hidden=False))
    assert "一次合格率（%）   first-pass yield       %" in out
    told = "quality is given: first-pass yield of 2, open problems of 1, chief quality officer of 3 of 4 firms; the rest is drawn"
    assert told in " ".join(out.split())
    rows = {row["firm"]: row for row in csv.DictReader(Path("供应链_firms.csv").read_text(encoding="utf-8-sig").splitlines())}
    assert [rows[name]["first_pass_yield"] for name in ("钢厂", "铜厂", "齿轮厂")] == ["0.975", "", "0.95"]
    assert [rows[name]["officer"] for name in ("钢厂", "铜厂", "整车厂")] == ["yes", "no", ""] and rows["钢厂"]["open_problems"] == "2"
    ours = from_file(FromFile(path="供应链_links.csv", nodes="供应链_firms.csv")).quality
    direct = from_file(FromFile(path="供应链.xlsx")).quality
    for name in ("first_pass_yield", "officer", "problems"):
        assert (getattr(ours, name).astype(str) == getattr(direct, name).astype(str)).all(), name
    page = Path("供应链_data.md").read_text(encoding="utf-8")
    assert (
        "| first-pass yield | `first_pass_yield` | 2 of 4 | returns, where they are given; else from the distribution of the region" in page
    )
    assert "| certificate | `certificate` | 0 of 4 | from the distribution of the region: an assumption |" in page
    assert "The start of month 1 meets what is given" in page and "says nothing about quality" not in page


def test_the_page_in_chinese_counts_the_figures_of_quality_and_says_where_there_are_none(book, capsys):
    with use_language("zh"):
        out = printed(capsys, book(QUALITY, hidden=False))
        page = Path("供应链_data.md").read_text(encoding="utf-8")
    assert "已给出的质量数据：一次合格率 2 家、未解决问题数 1 家、首席质量官 3 家（共 4 家企业）" in out.replace("\n", "")
    assert "| 一次合格率 | `first_pass_yield` | 2/4 | 有退货率的按退货率，其余按该地区的分布抽取（属假设） |" in page
    with use_language("zh"):
        assert "清单不含质量数据：按该地区的分布抽取（属假设）" in printed(capsys, book(name="无.xlsx"))
    assert "| 首席质量官 | `officer` | 0/7 | 按该地区的分布抽取（属假设） |" in Path("无_data.md").read_text(encoding="utf-8")
    assert "the list says nothing about quality: it is drawn from the distribution of the region" in " ".join(
        printed(capsys, "无.xlsx").split()
    )


def test_every_key_that_is_read_has_a_name_in_both_languages():
    for code in ("en", "zh"):
        with use_language(code):
            assert all(say(f"workbook.keys.{key}") for key in {*COLUMNS, *KNOWN, "supplier", "customer"})


def test_a_list_is_read_again_as_it_was_read_before(book, capsys):
    rows = [("甲方", "乙方", "2023年采购额", "2024年采购额"), ("钢厂", "整车厂", 1, 2), ("铜厂", "整车厂", 3, 4)]
    book(rows)
    typed = ("supplier=甲方", "customer=乙方", "value=2024年采购额", "unit=万元", "leaders=整车厂")
    first = printed(capsys, "供应链.xlsx", *typed)
    assert yaml.safe_load(Path("供应链.yaml").read_text(encoding="utf-8"))["typed"]["unit"] == "万元"
    assert printed(capsys, "供应链.yaml") == first
    book([*rows, ("铝厂", "整车厂", 5, 6)])
    assert "4 firms, 3 links" in printed(capsys, "供应链.yaml")
    assert "40000.0" in Path("供应链_links.csv").read_text(encoding="utf-8-sig")
    printed(capsys, "供应链.yaml", "value=2023年采购额")
    assert "30000.0" in Path("供应链_links.csv").read_text(encoding="utf-8-sig")


def test_nothing_that_somebody_else_wrote_is_overwritten(book, capsys):
    book()
    Path("供应链_firms.csv").write_text("mine", encoding="utf-8")
    assert "was not written by this command" in printed(capsys, "供应链.xlsx", status=1)
    assert written() == ["供应链_firms.csv"]
    assert "out" in printed(capsys, "供应链.xlsx", "to=out")
    assert sorted(path.name for path in Path("out").iterdir()) == OUTPUT
    Path("供应链_firms.csv").unlink()
    printed(capsys, "供应链.xlsx")
    Path("供应链_links.csv").write_text("changed", encoding="utf-8")
    assert "供应链_links.csv exists" in printed(capsys, "供应链.xlsx", status=1)
    Path("供应链_links.csv").unlink()
    Path("供应链.yaml").write_text("a: 1\n", encoding="utf-8")
    assert "供应链.yaml exists" in printed(capsys, "供应链.xlsx", status=1)


def test_a_list_that_no_study_can_read_writes_nothing(book, capsys):
    ring = [("供应商", "采购商"), ("甲厂", "乙厂"), ("乙厂", "甲厂")]
    assert "no chain leader stands out; name one or more in leaders=NAME" in printed(capsys, book(ring), status=1)
    assert written() == []
    assert "2 firms, 2 links, 1 chain leader (named in the list); no amounts" in printed(capsys, "供应链.xlsx", "leaders=甲厂")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "which file?"),
        (("a.xlsx", "b.csv", "c.csv"), "'c.csv' is one word too many"),
        (("供应链.xlsx", "suplier=甲"), "did you mean 'supplier'?"),
        (("none.xlsx",), "there is no file none.xlsx"),
        (("供应链.xlsx", "unit=吨"), "is no unit of money"),
        (("供应链.xlsx", "sheet=汇总"), "there is no such sheet"),
        (("other.yaml",), "is not what strongchain import wrote"),
        (("供应链.xlsx", "to=file"), "cannot be written"),
        (("供应链.xlsx", "most_rows=ten"), "most_rows=ten: type a whole number"),
        (("供应链.xlsx", "network.most_rows=3"), "has more than 3 rows"),
        (("供应链.xlsx", "network.columns.suplier=甲"), "did you mean 'supplier'?"),
    ],
)
def test_mistakes_get_one_line(book, capsys, arguments, expected):
    book()
    Path("other.yaml").write_text("files: [a]\ntyped: {colour: red}\n", encoding="utf-8")
    Path("file").write_text("", encoding="utf-8")
    assert expected in printed(capsys, *arguments, status=1)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [("企业名称", "供应商名称"), ("甲", "乙")],
            "没有识别出客户列；第 1 行的列为 '企业名称', '供应商名称'；请输入 customer=企业名称，或在表中增加该列",
        ),
        ([("供应商", "采购商", "2023年采购额", "2024年采购额"), ("甲", "乙", 1, 2)], "请输入 value=2023年采购额 或 value=2024年采购额"),
        ([("供应商", "采购商", "月采购额（元）"), ("甲", "乙", 1)], '请输入 "value=月采购额（元）"，或输入 value= 不读取该列'),
        ([("供应商", "采购商", "采购额（美元）"), ("甲", "乙", 1)], "金额为美元，程序不作换算"),
        ([("供应商", "采购商", "规模"), ("甲", "乙", "规上")], "或输入 size= 不读取该列"),
    ],
)
def test_what_to_type_is_said_in_chinese(book, capsys, rows, expected):
    with use_language("zh"):
        assert expected in printed(capsys, book(rows, hidden=False), status=1)


@pytest.mark.study
def test_a_workbook_runs_by_one_command_and_so_does_what_import_printed(book, tmp_path):
    def run(*arguments: str) -> str:
        process = subprocess.run(
            [sys.executable, "-m", "experiments.run", *arguments], cwd=tmp_path, capture_output=True, encoding="utf-8", env=env, timeout=600
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    book()
    sizes = ("replicates=2", "months=12", "burn_in=6", "instruments=[cqo]", TABLES_ALONE)
    run("network=file", "network.path=供应链.xlsx", "name=direct", *sizes)
    command = run("import", "供应链.xlsx").splitlines()[-1].removeprefix("Then run: strongchain ").split()
    run(*command, "name=imported", *sizes)
    tables = [(tmp_path / "results" / name / "effects.csv").read_bytes() for name in ("direct", "imported")]
    assert tables[0] == tables[1]
