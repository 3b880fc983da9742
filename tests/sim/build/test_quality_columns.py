"""Quality figures in a researcher's own files: read as they stand, survive every way in, and refused in one line where they cannot be."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from experiments.languages.wording import label, mistake, use_language
from sim import FromFile, StrongchainModel
from sim.build.fitted_start import FIRST_PASS_TOLERANCE
from sim.build.from_file import from_file
from sim.build.reading.headings import meanings
from sim.build.reading.quality import CALLED_QUALITY, QUALITY_COLUMNS, figure, unit_of_shares
from sim.month.propagation import latent_share
from sim.network.fixed_points import NetworkError
from sim.network.network import SupplyNetwork

LINKS = [("supplier", "customer"), ("a", "b"), ("c", "b")]


def table(place: Path, name: str, rows: list[tuple]) -> str:
    with (place / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return str(place / name)


def two_files(place: Path, rows: list[tuple], **settings) -> SupplyNetwork:
    return from_file(FromFile(path=table(place, "l.csv", LINKS), nodes=table(place, "n.csv", rows), **settings))


def workbook(place: Path, links: list[tuple], firms: list[tuple], **settings) -> SupplyNetwork:
    book = openpyxl.Workbook()
    for name, rows in (("供需", links), ("企业", firms)):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.remove(book.worksheets[0])
    book.save(place / "c.xlsx")
    return from_file(FromFile(path=str(place / "c.xlsx"), **settings))


def refused(read, *given, **settings) -> tuple[str, str]:
    """Return the message in English and in Chinese, a line each."""
    with pytest.raises(NetworkError) as wrong:
        read(*given, **settings)
    with use_language("zh"):
        both = str(wrong.value), mistake(str(wrong.value))
    assert all("\n" not in line for line in both)
    return both


# -- 300 firms ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def firms() -> tuple[SupplyNetwork, np.ndarray]:
    """A network of 300 firms and first-pass yields for them."""
    network = StrongchainModel(rng=1, burn_in=0).network
    return network, 1.0 - np.clip(np.exp(np.random.default_rng(5).normal(np.log(0.03), 0.8, 300)), 0.001, 0.5)


def reads(place: Path, form: str, network: SupplyNetwork, yields: np.ndarray | None) -> SupplyNetwork:
    """Write 300 firms as two files or as a workbook, with or without their yields, and read them."""
    ends = list(zip(network.names[network.supplier].tolist(), network.names[network.customer].tolist(), strict=True))
    figures = [] if yields is None else yields.tolist()
    cells = ["" if np.isnan(one) else f"{100 * one:.4f} %" if k % 2 else f"{one:.6f}" for k, one in enumerate(figures)]
    rows = [
        [str(name), "yes" if leads else "", *cells[k : k + 1]]
        for k, (name, leads) in enumerate(zip(network.names, network.leader, strict=True))
    ]
    if form == "workbook":
        head = ["企业名称", "是否链主", "一次合格率"][: len(rows[0])]
        return workbook(place, [("供应商", "采购商"), *ends], [head, *rows])
    path = table(place, "l.csv", [("supplier", "customer"), *ends])
    nodes = table(place, "n.csv", [["firm", "leader", "first_pass_yield"][: len(rows[0])], *rows])
    return from_file(FromFile(path=path, nodes=nodes))


@pytest.mark.parametrize("form", ["files", "workbook"])
def test_a_file_of_300_firms_starts_at_its_yields(tmp_path, firms, form):
    given, yields = firms
    network = reads(tmp_path, form, given, yields)
    asked = dict(zip(given.names.tolist(), np.round(yields, 6), strict=True))
    model = StrongchainModel(network=network)
    start = np.exp(-(1.0 - latent_share(model)) * model.firms.own_dpu)
    difference = np.abs(start - [asked[name] for name in network.names.tolist()])
    assert difference.max() < FIRST_PASS_TOLERANCE and np.median(difference) < 1e-6
    assert "first_pass_yield is given of 300 of 300 firms" in network.notes
    assert "officer of 300 firms is drawn from the distribution of the region (an assumption)" in network.notes


@pytest.mark.parametrize("form", ["files", "workbook"])
def test_without_the_columns_all_is_drawn_as_the_notes_say(tmp_path, firms, form):
    """A blank column, and none at all, are the same to the bit (`tests/test_baseline.py` holds what a world without figures gives)."""
    without, blank = (reads(tmp_path, form, firms[0], yields) for yields in (None, np.full(300, np.nan)))
    assert without.quality is blank.quality is None
    told = "quality is not given of any firm: all of it is drawn from the distribution of the region (an assumption)"
    assert [note for note in without.notes if "quality" in note] == [told]
    with use_language("zh"):
        assert label(told) == "未给出任何企业的质量数据：全部按该地区的分布抽取（属假设）"
    one, two = StrongchainModel(network=without, burn_in=6), StrongchainModel(network=blank, burn_in=6)
    assert one.fitted is None
    for name in one.firms.columns:
        assert np.array_equal(getattr(one.firms, name), getattr(two.firms, name)), name


# -- columns -----------------------------------------------------------------------------------------

FIGURES = {
    "first_pass_yield": ("97 %", 0.97),
    "returns": ("2000 ppm", 0.002),
    "open_problems": ("4", 4.0),
    "open_management": ("1", 1.0),
    "open_metrology": ("0", 0.0),
    "open_standards": ("2", 2.0),
    "open_testing": ("无", 0.0),
    "certificate": ("有", 1.0),
    "officer": ("no", 0.0),
    "capability": ("0.6", 0.6),
    **{f"capability_{kind}": ("55%", 0.55) for kind in ("management", "metrology", "standards", "testing")},
}


def said(network: SupplyNetwork, key: str) -> float:
    """What a network has under a column, of firm b."""
    quality, row = network.quality, network.names.tolist().index("b")
    kinds = ("management", "metrology", "standards", "testing")
    if key.startswith("open_") and key != "open_problems":
        return float(quality.problems_by_kind[row, kinds.index(key.removeprefix("open_"))])
    if key.startswith("capability"):
        return float(quality.capability[row, kinds.index(key.removeprefix("capability_")) if "_" in key else 0])
    return float(getattr(quality, "problems" if key == "open_problems" else key)[row])


@pytest.mark.parametrize("key", QUALITY_COLUMNS)
def test_every_column_is_read_from_both_forms(tmp_path, key):
    cell, value = FIGURES[key]
    rows = [("firm", key), ("a", ""), ("b", cell), ("c", "")]
    assert said(two_files(tmp_path, rows), key) == pytest.approx(value)
    heading = CALLED_QUALITY[key][-1]
    rows = [("企业名称", heading), ("a", None), ("b", cell), ("c", None)]
    assert said(workbook(tmp_path, [("供应商", "采购商"), *LINKS[1:]], rows), key) == pytest.approx(value)


@pytest.mark.parametrize("key", QUALITY_COLUMNS)
def test_a_misspelt_column_is_refused_with_the_right_name(tmp_path, key):
    slip = key[:-2] + key[-1] + key[-2]  # first_pass_yiedl
    slip = "retruns" if key == "returns" else slip
    english, chinese = refused(two_files, tmp_path, [("firm", slip), ("a", ""), ("b", FIGURES[key][0]), ("c", "")])
    assert f"{slip!r} (did you mean {key!r}?)" in english and f"network.node_columns.{key}={slip}" in english
    assert f"{slip!r}（是否为 {key!r}？）；请改正" in chinese
    english, chinese = refused(
        workbook,
        tmp_path,
        [("供应商", "采购商"), *LINKS[1:]],
        [("企业名称", "规模", slip), ("a", "", None), ("b", "", "1"), ("c", "", None)],
    )
    assert english.startswith(
        f"c.xlsx, sheet '企业', row 1: the heading {slip!r} is not known (did you mean {key!r}?); correct it, or type "
    )
    assert english.endswith(f"network.node_columns.{key}= to leave it out")
    assert f"表头 {slip!r} 无法识别（是否为 {key!r}？）；请改正，或输入" in chinese


def test_a_chinese_heading_with_a_wrong_sign_is_refused_and_may_be_left_out(tmp_path):
    links, rows = [("供应商", "采购商"), *LINKS[1:]], [("企业名称", "规模", "二次合格率"), ("a", "", None), ("b", "", 0.9), ("c", "", None)]
    english, _ = refused(workbook, tmp_path, links, rows)
    assert "the heading '二次合格率' is not known (did you mean '一次合格率'?)" in english
    assert workbook(tmp_path, links, rows, node_columns={"first_pass_yield": ""}).quality is None


def test_headings_of_a_workbook_in_a_csv_file_are_not_lost_in_silence(tmp_path):
    english, chinese = refused(two_files, tmp_path, [("firm", "一次合格率"), ("a", ""), ("b", "0.97"), ("c", "")])
    assert "'一次合格率' (did you mean 'first_pass_yield'?)" in english and "network.node_columns.first_pass_yield=一次合格率" in english
    assert "是否为 'first_pass_yield'" in chinese
    english, chinese = refused(
        two_files, tmp_path, [("firm", "首席质量官", "open problem s"), ("a", "是", "1"), ("b", "否", "2"), ("c", "", "")]
    )
    assert "'首席质量官' → 'officer'" in english and "did you mean" not in chinese


def test_a_renamed_column_is_read_where_the_settings_name_it(tmp_path):
    rows = [("firm", "良品（%）"), ("a", ""), ("b", "97.5"), ("c", "")]
    assert two_files(tmp_path, rows).quality is None
    assert said(two_files(tmp_path, rows, node_columns={"first_pass_yield": "良品（%）"}), "first_pass_yield") == pytest.approx(0.975)


def test_what_a_list_of_links_says_of_quality_is_of_the_supplier(tmp_path):
    """And of the customer where the heading says so; what two rows say differently is told, and the first is used."""
    head = ("供应商", "退货率（ppm）", "采购商", "客户首席质量官")
    network = workbook(tmp_path, [head, ("a", 500, "b", "有"), ("c", 2000, "b", "有"), ("a", 700, "c", "无")], [("备注",), ("无",)])
    of = dict(zip(network.names.tolist(), zip(network.quality.returns, network.quality.officer, strict=True), strict=True))
    assert of["a"][0] == pytest.approx(0.0005) and of["c"] == (pytest.approx(0.002), 0.0) and of["b"][1] == 1.0
    assert math.isnan(of["b"][0]) and math.isnan(of["a"][1])
    assert "of 1 firms rows say different things: what the first says is used" in network.notes


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("一次交验合格率(%)", "first_pass_yield"), ("直通率", "first_pass_yield"),
        ("First-pass yield", "first_pass_yield"), ("FPY %", "first_pass_yield"),
        ("退货率‰", "returns"), ("客户PPM", "returns"), ("Return rate (ppm)", "returns"), ("拒收率", "returns"),
        ("未关闭质量问题数", "open_problems"), ("Open problems", "open_problems"), ("未解决计量问题数", "open_metrology"),
        ("是否通过质量管理体系认证", "certificate"), ("ISO 9001", "certificate"), ("认证证书", "certificate"),
        ("是否设立首席质量官", "officer"), ("Chief quality officer", "officer"), ("质量能力评分", "capability"),
        ("检验检测能力", "capability_testing"), ("标准化能力", "capability_standards"), ("供应商首席质量官", "officer"),
    ],
)  # fmt: skip
def test_headings_that_firms_use_are_known(heading, key):
    assert [one.key for one in meanings(heading)] == [key]


@pytest.mark.parametrize("heading", ["合格率", "成品合格率", "产品质量", "不良", "问题", "认证机构", "质量负责人", "能力", "一次合格数"])
def test_headings_that_mean_something_else_are_not_guessed_at(heading):
    assert not {one.key for one in meanings(heading)} & {*QUALITY_COLUMNS}


def test_a_number_that_the_workbook_shows_in_percent_is_a_share_under_any_heading(tmp_path):
    book = openpyxl.Workbook()
    for row in [("供应商", "退货率（%）", "采购商"), ("a", 0.005, "b"), ("c", 0.5, "b")]:
        book.active.append(row)
    book.active["B2"].number_format = "0.00%"
    book.save(tmp_path / "c.xlsx")
    network = from_file(FromFile(path=str(tmp_path / "c.xlsx")))
    of = dict(zip(network.names.tolist(), network.quality.returns.tolist(), strict=True))
    assert of["a"] == of["c"] == pytest.approx(0.005)


# -- cells -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "cell", "unit", "value"),
    [
        ("first_pass_yield", "0.97", "", 0.97),
        ("first_pass_yield", "97%", "", 0.97),
        ("first_pass_yield", "９７ ％", "", 0.97),
        ("first_pass_yield", "97.5", "%", 0.975),
        ("first_pass_yield", "1", "", 1.0),
        ("first_pass_yield", "0.97", "%", None),
        ("first_pass_yield", "97", "", None),
        ("first_pass_yield", "0", "", None),
        ("first_pass_yield", "101 %", "", None),
        ("first_pass_yield", "good", "", None),
        ("first_pass_yield", "-0.5", "", None),
        ("first_pass_yield", "nan", "", None),
        ("first_pass_yield", ".", "", None),
        ("first_pass_yield", "", "", math.nan),
        ("first_pass_yield", "未知", "", math.nan),
        ("returns", "0.002", "", 0.002),
        ("returns", "2,000 ppm", "", 0.002),
        ("returns", "2‰", "", 0.002),
        ("returns", "2e-3", "", 0.002),
        ("returns", "2000", "ppm", 0.002),
        ("returns", "0.2 %", "ppm", 0.002),
        ("returns", "2000", "", None),
        ("returns", "99 %", "", 0.99),
        ("returns", "1", "", None),
        ("returns", "0", "", 0.0),
        ("open_problems", "3", "", 3.0),
        ("open_problems", "3.0", "", 3.0),
        ("open_problems", "2.5", "", None),
        ("open_problems", "-1", "", None),
        ("open_problems", "3 %", "", None),
        ("open_problems", "1001", "", None),
        ("open_problems", "three", "", None),
        ("open_testing", "无", "", 0.0),
        ("certificate", "√", "", 1.0),
        ("certificate", "否", "", 0.0),
        ("certificate", "无", "", 0.0),
        ("certificate", "", "", math.nan),
        ("officer", "TRUE", "", 1.0),
        ("officer", "maybe", "", None),
        ("officer", "2", "", None),
        ("capability", "0.6", "", 0.6),
        ("capability", "60 %", "", 0.6),
        ("capability", "60", "", None),
        ("capability_testing", "1.01", "", None),
    ],
)
def test_cells_are_figures_or_refused(key, cell, unit, value):
    found = figure(key, cell, unit)
    if value is None:
        assert isinstance(found, str) and found.startswith(repr(cell)) and "; write " in found
    else:
        assert found == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        ("退货率（ppm）", "ppm"),
        ("合格率（%）", "%"),
        ("合格率%", "%"),
        ("returns [PPM]", "ppm"),
        ("退货率", ""),
        ("ppm 退货", ""),
        ("(单位：‰)", "‰"),
    ],
)
def test_the_heading_may_hold_the_unit(heading, unit):
    assert unit_of_shares(heading) == unit


@pytest.mark.parametrize(
    ("head", "cells", "english", "chinese"),
    [
        (
            "first_pass_yield",
            "97",
            "'97' is no first-pass yield; write a share from 0.01 to 1, such as 0.97, or 97 %",
            "不是一次合格率；请写0.01至1的比例",
        ),
        ("returns", "many", "'many' is no share of returned units; write a share from 0 to 0.99", "不是退货率；请写0至0.99的比例"),
        (
            "open_problems",
            "2.5",
            "'2.5' is no number of open problems; write a whole number from 0 to 1000",
            "不是未解决问题数；请写0至 1000 的整数",
        ),
        ("certificate", "perhaps", "'perhaps' is neither yes nor no; write yes or no (是 or 否, 有 or 无)", "既非“是”也非“否”"),
        ("capability", "3", "'3' is no capability; write a number from 0 to 1, such as 0.6, or 60 %", "不是能力值；请写0至1的数"),
        (
            "first_pass_yield,returns",
            "0.9,0.1",
            "first_pass_yield and returns are both given of 'b'; the start is fitted to one of them: leave one blank",
            "同时给出了 first_pass_yield 和 returns",
        ),
        (
            "open_problems,open_metrology",
            "1,2",
            "open_problems of 'b' is 1, but the kinds that are given add up to 2; correct one of them",
            "但各类之和为 2；请更正其一",
        ),
        (
            "open_problems,open_management,open_metrology,open_standards,open_testing",
            "9,1,1,1,1",
            "open_problems of 'b' is 9, but the kinds that are given add up to 4; correct one of them",
            "但各类之和为 4；请更正其一",
        ),
    ],
)
def test_figures_that_cannot_be_are_refused_with_their_place(tmp_path, head, cells, english, chinese):
    columns, row = head.split(","), cells.split(",")
    blank = [""] * len(row)
    said_so, in_chinese = refused(two_files, tmp_path, [("firm", *columns), ("a", *blank), ("b", *row), ("c", *blank)])
    assert said_so.startswith("n.csv, row 3, column ") and english in said_so, said_so
    assert chinese in in_chinese and "row" not in in_chinese, in_chinese
    headings = [CALLED_QUALITY[key][-1] for key in columns]
    said_so, in_chinese = refused(
        workbook, tmp_path, [("供应商", "采购商"), *LINKS[1:]], [("企业名称", *headings), ("a", *blank), ("b", *row), ("c", *blank)]
    )
    assert said_so.startswith("c.xlsx, sheet '企业', row 3, column ") and english in said_so, said_so
    assert chinese in in_chinese, in_chinese


def test_one_capability_stands_for_the_kinds_without_their_own(tmp_path):
    network = two_files(tmp_path, [("firm", "capability", "capability_testing"), ("a", "0.5", "0.9"), ("b", "", "0.7"), ("c", "0.4", "")])
    of = dict(zip(network.names.tolist(), network.quality.capability.tolist(), strict=True))
    assert of["a"] == [0.5, 0.5, 0.5, 0.9] and of["c"] == [0.4] * 4
    assert of["b"][3] == 0.7 and np.isnan(of["b"][:3]).all()
