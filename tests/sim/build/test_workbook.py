"""Lists of suppliers as people keep them, in workbooks and text tables: how they are read, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import FromFile, StrongchainModel
from sim.build.from_file import from_file
from sim.build.reading import sheets as reader
from sim.build.reading.content import Reading
from sim.build.reading.headings import amount, by_official_classes, flag, is_remark, is_total, meanings, size, unit_above, unit_in
from sim.build.reading.mapping import Choices
from sim.build.reading.workbook import Imported, read_workbook
from sim.network.fixed_points import NetworkError

HEAD = ("供应商", "采购商", "年采购额（万元）")
ROWS = (("钢厂", "齿轮厂", 300), ("钢厂", "电机厂", 100), ("铜厂", "电机厂", 300), ("齿轮厂", "整车厂", 900), ("电机厂", "整车厂", 100))


def saved(path: Path, **tables: list[Any]) -> str:
    """Save a workbook with a sheet for each table."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return str(path)


@pytest.fixture
def book(tmp_path):
    """Save the rows of sheets as a workbook."""
    return lambda **tables: saved(tmp_path / "供应链.xlsx", **tables)


def read(path: str, *others: str, leaders: tuple[str, ...] = (), **choices: Any) -> Imported:
    kept = {key: choices.pop(key) for key in ("sheet", "nodes_sheet", "unit", "prefix") if key in choices}
    return read_workbook([path, *others], Choices(choices, **kept), leaders=leaders)


def links(imported: Imported) -> dict[tuple[str, str], float]:
    """Amounts by supplier and customer, 万元."""
    table = imported.links
    value = table.numbers("value") / 1e4
    return {(str(s), str(c)): float(v) for s, c, v in zip(table.text("supplier"), table.text("customer"), value, strict=True)}


def firms(imported: Imported, key: str) -> dict[str, str]:
    """What the table of firms says under a key, where it says something."""
    table = imported.firms
    return {str(firm): str(text) for firm, text in zip(table.text("firm"), table.text(key), strict=True) if text}


def refused(path: str, *expected: str, reading: Any = None, others: tuple[str, ...] = (), **choices: Any) -> None:
    """Assert that a list is refused in one line that holds each of the expected parts."""
    kept = {key: choices.pop(key) for key in ("sheet", "nodes_sheet", "unit", "prefix", "leaders") if key in choices}
    leaders = kept.pop("leaders", ())
    with pytest.raises(NetworkError) as caught:
        read_workbook([path, *others], Choices(choices, **kept), reading or Reading(), leaders)
    message = str(caught.value)
    assert "\n" not in message
    for part in expected:
        assert part in message, message


EXPECTED = {(s, c): float(v) for s, c, v in ROWS}


# -- headings and cells ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "key", "side", "unit"),
    [
        ("供应商", "supplier", "", ""),
        ("供应商名称*", "supplier", "", ""),
        ("供货方（全称）", "supplier", "", ""),
        ("Supplier name", "supplier", "", ""),
        ("供应商 Supplier", "supplier", "", ""),
        ("采购商", "customer", "", ""),
        ("客户名称", "customer", "", ""),
        ("buyer", "customer", "", ""),
        ("年采购额（万元）", "value", "", "万元"),
        ("2024年采购额(亿元)", "value", "", "亿元"),
        ("采购金额/千元", "value", "", "千元"),
        ("采购额百万元", "value", "", "百万元"),
        ("年采购额\n（元/年）", "value", "", "元"),
        ("annual purchases (10,000 CNY)", "value", "", "万元"),
        ("Annual purchases, million CNY", "value", "", "百万元"),
        ("Amount in CNY", "value", "", "元"),
        ("规模", "size", "", ""),
        ("供应商规模", "size", "supplier", ""),
        ("客户所在县区", "county", "customer", ""),
        ("size of supplier", "size", "supplier", ""),
        ("Customer county", "county", "customer", ""),
        ("县（市、区）", "county", "", ""),
        ("从业人数（人）", "employees", "", ""),
        ("营业收入（亿元）", "revenue", "", "亿元"),
        ("是否链主", "leader", "", ""),
        ("Chain leader (yes/no)", "leader", "", ""),
        ("所属产业链", "chain", "", ""),
        ("主要产品", "product", "", ""),
        ("层级", "tier", "", ""),
        ("企业名称", "firm", "", ""),
    ],
)
def test_a_heading_is_known_in_both_languages(heading, key, side, unit):
    first = meanings(heading)[0]
    assert (first.key, first.side, first.unit, first.certain) == (key, side, unit, True)


@pytest.mark.parametrize("heading", ["序号", "备注", "采购量（吨）", "联系电话", "Remarks", "2024", "%", "钢厂"])
def test_a_heading_that_is_not_known_is_not_guessed_at(heading):
    assert meanings(heading) == []


def test_a_code_of_a_supplier_is_no_certain_name():
    assert [one.certain for one in meanings("供应商编号") + meanings("supplier id")] == [False, False]


@pytest.mark.parametrize(
    ("cell", "cny"),
    [
        ("1,200.5万元", 12_005_000.0),
        ("1200", 12_000_000.0),
        ("¥3,000", 30_000_000.0),
        ("1.5亿", 150_000_000.0),
        ("１２", 120_000.0),
        ("1e3", 10_000_000.0),
        ("3 million CNY", 3_000_000.0),
        ("—", None),
        ("保密", None),
        ("", None),
    ],
)
def test_an_amount_is_read_in_its_own_unit_or_that_of_its_column(cell, cny):
    assert amount(cell, "万元") == (cny if cny is None else pytest.approx(cny, rel=1e-15))


@pytest.mark.parametrize("cell", ["约3", "100-200", "5 USD", "1,20", "-5", "12 000", "nan", "=1+1", "1200吨"])
def test_what_is_no_amount_is_named(cell):
    assert isinstance(amount(cell, "万元"), str)


def test_units_sizes_flags_totals_and_remarks_are_known():
    assert [unit_in(text) for text in ("万元", "人民币万元", "RMB", "10k CNY", "万元/年", "吨")] == [
        "万元",
        "万元",
        "元",
        "万元",
        "万元",
        "",
    ]
    above = ["填报单位：南通市   金额单位：人民币万元", "(unit: 10,000 CNY)", "Amounts in million CNY, 2024", "南通市"]
    assert [unit_above([text]) for text in above] == ["万元", "万元", "百万元", ""]
    sizes = ["大型", "中", "小微企业", "微型", "Large", "medium-sized", "-", "集团"]
    assert [size(text) for text in sizes] == ["large", "medium", "small", "small", "large", "medium", "", None]
    assert [flag(text) for text in ("是", "√", "1", "Yes", "否", "×", "", "-", "可能")] == [True] * 4 + [False] * 4 + [None]
    assert [is_total(text) for text in ("合  计", "Total", "小计", "总计", "合计钢厂")] == [True, True, True, True, False]
    assert [is_remark(text) for text in ("注：2024年数据", "Note: x", "注册钢厂", "备注 1：x")] == [True, True, False, True]


@pytest.mark.parametrize(
    ("employees", "revenue", "expected"),
    [
        (1_000, 400e6, "large"),
        (1_000, 399e6, "medium"),
        (299, 400e6, "small"),
        (300, None, "medium"),
        (None, 20e6, "medium"),
        (None, None, ""),
    ],
)
def test_a_size_follows_from_both_lower_limits_of_the_official_classes(employees, revenue, expected):
    assert by_official_classes(employees, revenue) == expected


# -- shapes of lists -------------------------------------------------------------------------------


def test_a_plain_list_is_read(book):
    imported = read(book(采购=[HEAD, *ROWS]))
    assert links(imported) == pytest.approx(EXPECTED, rel=1e-15)
    assert (imported.of_links.header_row, imported.of_links.unread, imported.of_links.left_out) == (1, [], {})


def test_an_english_list_is_read(book):
    path = book(
        Purchases=[("Supplier", "Buyer", "Annual purchases (10,000 CNY)", "Supplier size", "Tier"), *((*row, "Small", 1) for row in ROWS)]
    )
    imported = read(path)
    assert links(imported) == pytest.approx(EXPECTED, rel=1e-15)
    assert firms(imported, "size") == dict.fromkeys(("钢厂", "铜厂", "齿轮厂", "电机厂"), "small")
    assert imported.tiers["钢厂"] == "1"


def test_notes_totals_blank_rows_and_repeated_headings_are_left_out_and_named(book):
    table = [("某产业链供应商清单",), ("单位：万元",), ("序号", "供应商", "采购商", "年采购额")]
    table += [(k, *row) for k, row in enumerate(ROWS[:3], start=1)]
    table += [(), ("序号", "供应商", "采购商", "年采购额"), *((k, *row) for k, row in enumerate(ROWS[3:], start=4))]
    table += [
        ("合计", None, None, 1700),
        ("注：数据为2024年",),
        (9, "自给厂", "自给厂", 5),
        (10, "空厂", "整车厂", 0),
        (11, None, "整车厂", 7),
    ]
    imported = read(book(采购=table))
    assert links(imported) == pytest.approx(EXPECTED, rel=1e-15)
    assert imported.of_links.left_out == {
        "header": [8], "total": [11], "remark": [12], "own supplier": [13], "no purchases": [14], "no supplier": [15],
    }  # fmt: skip
    assert (imported.of_links.header_row, imported.of_links.columns[2].unit, imported.of_links.unread) == (3, "万元", ["序号"])
    assert "供应链.xlsx, sheet '采购': left out: 1 × total, first in row 11" in imported.notes


def test_merged_names_stand_for_every_row_and_a_merged_amount_is_refused(tmp_path):
    wb = openpyxl.Workbook()
    ws = wb.active
    for row in [("采购商", "供应商", "年采购额（万元）"), ("整车厂", "齿轮厂", 900), (None, "电机厂", 100)]:
        ws.append(row)
    ws.merge_cells("A2:A3")
    wb.save(path := tmp_path / "a.xlsx")
    assert links(read(str(path))) == pytest.approx({("齿轮厂", "整车厂"): 900.0, ("电机厂", "整车厂"): 100.0})
    ws.merge_cells("C2:C3")
    wb.save(path)
    refused(str(path), "row 3, column '年采购额（万元）'", "merged cell over several rows")


def test_a_header_of_two_rows_is_read(tmp_path):
    wb = openpyxl.Workbook()
    ws = wb.active
    for row in [
        ("供应商", None, "采购商", None, "年采购额（万元）"),
        ("名称", "规模", "名称", "所在县区", None),
        ("钢厂", "大型", "整车厂", "崇川区", 5),
    ]:
        ws.append(row)
    for area in ("A1:B1", "C1:D1", "E1:E2"):
        ws.merge_cells(area)
    wb.save(path := tmp_path / "a.xlsx")
    imported = read(str(path))
    assert links(imported) == pytest.approx({("钢厂", "整车厂"): 5.0})
    assert [(one.key, one.side) for one in imported.of_links.columns] == [
        ("supplier", ""), ("size", "supplier"), ("customer", ""), ("county", "customer"), ("value", ""),
    ]  # fmt: skip
    assert imported.of_links.header_row == 2


def test_a_blank_above_a_heading_means_what_stands_to_its_left(book):
    head = [("供应商", None, "采购商", None, "年采购额（万元）"), ("名称", "规模", "名称", "县区", None)]
    imported = read(book(采购=[*head, ("钢厂", "小型", "整车厂", "甲县", 3)]))
    assert links(imported) == {("钢厂", "整车厂"): 3.0}
    assert firms(imported, "size") == {"钢厂": "small"}
    assert imported.of_links.left_out == {}
    titled = read(book(采购=[("供应商情况", None, None), HEAD, *ROWS]))
    assert [column.heading for column in titled.of_links.columns] == list(HEAD)


def test_a_size_of_another_kind_can_be_left_out(book):
    path = book(采购=[(*HEAD, "规模"), ("钢厂", "整车厂", 3, "规上")])
    refused(path, "'规上' is no size", "type size= to leave the column out")
    assert "size" not in read(path, size="").firms.columns


def test_a_sheet_of_firms_gives_sizes_counties_leaders_and_chains(book):
    table = [("企业名称", "规模", "从业人员", "营业收入（万元）", "县区", "是否链主", "产业链", "行业")]
    table += [("整车厂", "大型", None, None, "甲县", "√", "汽车", "整车"), ("钢厂", None, 500, 50_000, "乙县", "", "汽车", "钢铁")]
    table += [("铜厂", "-", None, None, "甲县", None, "汽车", "有色"), ("齿轮厂", "微型", None, None, "甲县", "否", "汽车", "零部件")]
    table += [("电机厂", "中", None, None, "乙县", 0, "汽车", "零部件"), ("独立厂", None, None, None, "甲县", None, None, None)]
    imported = read(book(采购=[HEAD, *ROWS], 企业=table))
    assert firms(imported, "size") == {"整车厂": "large", "钢厂": "medium", "齿轮厂": "small", "电机厂": "medium"}
    assert imported.sizes == {"given": 3, "computed": 1, "none": 2}
    assert firms(imported, "leader") == {"整车厂": "yes"}
    assert firms(imported, "county")["钢厂"] == "乙县"
    assert firms(imported, "sector")["电机厂"] == "零部件"
    network = from_file(FromFile(path=str(book(采购=[HEAD, *ROWS], 企业=table))))
    assert dict(zip(network.names, network.size, strict=True)) == {
        "整车厂": 2,
        "钢厂": 1,
        "铜厂": -1,
        "齿轮厂": 0,
        "电机厂": 1,
        "独立厂": -1,
    }
    assert network.chains[0] == "汽车"


def test_two_text_tables_are_read_as_two_sheets(tmp_path):
    first, second = tmp_path / "采购.csv", tmp_path / "企业.csv"
    first.write_bytes("\n".join([";".join(HEAD), *(f"{s};{c};{v}" for s, c, v in ROWS)]).encode("gb18030"))
    second.write_text("企业,是否链主\n整车厂,是\n", encoding="utf-8-sig")
    imported = read(str(first), str(second))
    assert links(imported) == pytest.approx(EXPECTED, rel=1e-15)
    assert (firms(imported, "leader"), imported.not_listed) == ({"整车厂": "yes"}, ["钢厂", "齿轮厂", "电机厂", "铜厂"])
    assert any("GB18030" in note for note in imported.notes)


def test_a_column_of_chain_leaders_may_hold_their_names(book):
    imported = read(book(采购=[("链主企业", "供应商", "年采购额（万元）"), ("整车厂", "齿轮厂", 3), ("整车厂", "电机厂", 4)]))
    assert links(imported) == pytest.approx({("齿轮厂", "整车厂"): 3.0, ("电机厂", "整车厂"): 4.0})
    assert firms(imported, "leader") == {"整车厂": "yes"}
    refused(book(采购=[("是否链主", "供应商", "年采购额（万元）"), ("是", "齿轮厂", 3)]), "holds yes and no", "customer=COLUMN")
    mistyped = [("链主", "供应商", "采购高", "年采购额（万元）"), ("整车厂", "齿轮厂", "整车厂", 3), ("整车厂", "钢厂", "齿轮厂", 4)]
    refused(book(采购=mistyped), "'采购高', which is not read, names suppliers", "customer=采购高")


def test_repeated_links_are_added_up_and_what_rows_say_differently_is_named(book):
    table = [
        (*HEAD, "供应商规模", "产品"),
        ("钢厂", "整车厂", 1, "大型", "钢板"),
        ("钢厂", "整车厂", 2.5, "小型", "钢管"),
        ("钢厂", "齿轮厂", 1, "", "钢板"),
    ]
    imported = read(book(采购=[*table, ("齿轮厂", "整车厂", 1, "", "齿轮")]))
    assert links(imported)["钢厂", "整车厂"] == 3.5
    assert imported.repeated == [("钢厂", "整车厂", 2)]
    assert imported.conflicts == [("钢厂", "size", "large", "small")]
    assert firms(imported, "sector") == {"钢厂": "钢管", "齿轮厂": "齿轮"}  # the product of the largest purchases
    assert (imported.sectors, imported.products) == ("product", [("钢厂", "钢管")])


def test_names_that_may_be_one_firm_are_named(book):
    imported = read(book(采购=[HEAD, ("南通（一）厂", "整车厂", 1), ("南通(一) 厂", "车身厂", 2), ("车身厂", "整车厂", 2)]))
    assert imported.alike == [("南通（一）厂", "南通(一) 厂")]


def test_counties_of_some_firms_only_are_not_used_and_said(book):
    imported = read(book(采购=[(*HEAD, "县区"), *((*row, "甲县") for row in ROWS)]))
    assert (imported.without_county, "county" in imported.firms.columns) == (["整车厂"], False)


def test_hidden_sheets_are_not_read_unless_they_are_asked_for(tmp_path):
    path = saved(tmp_path / "a.xlsx", 采购=[HEAD, *ROWS], 旧表=[HEAD, ("旧厂", "整车厂", 1)])
    wb = openpyxl.load_workbook(path)
    wb["旧表"].sheet_state = "hidden"
    wb.save(path)
    assert (read(path).hidden, len(read(path).links)) == (["旧表"], 5)
    assert links(read(path, sheet="旧表")) == {("旧厂", "整车厂"): 1.0}
    wb["采购"].sheet_state, wb["旧表"].sheet_state = "hidden", "visible"
    wb["旧表"].delete_rows(1, 2)
    wb.save(path)
    refused(path, "hidden sheets are not read: '采购'", "sheet=采购")


def with_values(path: str, value: bytes) -> str:
    """Give the only formula of a saved workbook the value that a spreadsheet program keeps beside it."""
    raw = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(raw, "w") as new:
        for part in old.infolist():
            new.writestr(part, old.read(part).replace(b"<v />", value).replace(b"<v></v>", value))
    Path(path).write_bytes(raw.getvalue())
    return path


def test_hidden_rows_are_read_and_said(tmp_path):
    wb = openpyxl.Workbook()
    for row in [HEAD, *ROWS, ("合计", None, 3)]:
        wb.active.append(row)
    for number in (1, 3, 4, 7, 9):
        wb.active.row_dimensions[number].hidden = True
    wb.save(path := tmp_path / "a.xlsx")
    imported = read(str(path))
    assert len(imported.links) == len(ROWS)
    assert imported.of_links.hidden_rows == 2
    assert "rows that are hidden are read like others: 2" in "; ".join(imported.notes)


def test_a_formula_is_its_kept_value_and_is_never_computed(book):
    rows = [HEAD, ("钢厂", "整车厂", "=1+1"), ("铜厂", "整车厂", 3)]
    refused(book(采购=rows), "row 2, column '年采购额（万元）'", "formula whose value was not kept")
    imported = read(with_values(book(采购=rows), b"<v>7</v>"))
    assert links(imported) == pytest.approx({("钢厂", "整车厂"): 7.0, ("铜厂", "整车厂"): 3.0})
    assert imported.of_links.sheet.formulas == 1


def test_what_is_typed_stands_above_what_is_found(book):
    path = book(采购=[("供应商", "采购商", "2023年采购额（万元）", "2024年采购额（万元）"), ("钢厂", "整车厂", 1, 2)])
    refused(path, "2 columns could be the yearly purchases", '"value=2023年采购额（万元）" or "value=2024年采购额（万元）"')
    refused(path, '"network.columns.value=2024年采购额（万元）"', prefix="network.")
    assert links(read(path, value="2024年采购额（万元）")) == {("钢厂", "整车厂"): 2.0}
    assert "value" not in read(path, value="").links.columns
    assert read(path, value="", leaders=("整车厂",)).marked == 1
    odd = book(采购=[("甲方", "乙方", "金额（万元）"), ("钢厂", "整车厂", 2)])
    assert links(read(odd, supplier="甲方", customer="乙方")) == {("钢厂", "整车厂"): 2.0}


# -- refusals ------------------------------------------------------------------------------------


def test_what_is_missing_is_named_with_what_to_type(book):
    refused(book(采购=[("供应商", "甲方", "年采购额（万元）"), ("钢厂", "整车厂", 2)]), "no column is the customer", "type customer=甲方")
    refused(
        book(采购=[("甲", "乙"), ("钢厂", "整车厂")]), "no row has headings for supplier and customer", "supplier=COLUMN customer=COLUMN"
    )
    refused(book(采购=[]), "no row with cells")
    refused(book(采购=[HEAD]), "no row below them")
    refused(book(采购=[HEAD, ("合计", None, 3)]), "holds no link below row 1", "'total': 1")
    refused(book(采购=[HEAD, *ROWS, ("钢厂", None, 2), ("铜厂", None, 1)]), "2 of 7 rows have no customer", "row 7")
    refused(book(采购=[("供应商", "采购商", "年采购额"), ("钢厂", "整车厂", 2)]), "row 2", "has no unit", "type unit=万元")
    assert links(read(book(采购=[("供应商", "采购商", "年采购额"), ("钢厂", "整车厂", 2)]), unit="亿元")) == {("钢厂", "整车厂"): 20_000.0}
    refused(book(采购=[HEAD, *ROWS]), "is no unit of money", "万元", unit="吨")
    refused(book(采购=[HEAD, *ROWS]), "leaders names '钢'", leaders=("钢",))
    refused(book(采购=[HEAD, *ROWS]), "have no such column", "'供应商'", county="县")
    refused(book(采购=[HEAD, *ROWS]), "there is no such sheet", "'采购'", sheet="采")


def test_amounts_that_are_not_read_are_not_left_out_in_silence(book):
    path = book(采购=[("供应商", "采购商", "月采购额（万元）"), ("钢厂", "整车厂", 2), ("铜厂", "整车厂", 6)])
    refused(
        path, "no column is the yearly purchases", "'月采购额（万元）' is not read", '"value=月采购额（万元）", or value= to leave it out'
    )
    assert links(read(path, value="月采购额（万元）")) == {("钢厂", "整车厂"): 2.0, ("铜厂", "整车厂"): 6.0}
    assert "value" not in read(path, value="").links.columns
    path = book(采购=[("供应商", "采购商", "注册资本（万元）"), ("钢厂", "整车厂", 2)])
    assert "value" not in read(path).links.columns
    assert links(read(book(采购=[("供应商", "采购商", "年采购额（万元）", "月采购额（万元）"), ("钢厂", "整车厂", 2, 1)]))) == {
        ("钢厂", "整车厂"): 2.0
    }


@pytest.mark.parametrize("heading", ["年采购额（万美元）", "Annual purchases (USD million)", "采购金额（欧元）"])
def test_other_money_is_not_taken_for_yuan(book, heading):
    refused(book(采购=[("供应商", "采购商", heading), ("钢厂", "整车厂", 2)]), "which is not converted; write them in CNY")


def test_a_firm_that_lists_its_suppliers_is_the_customer_if_that_is_typed(book):
    path = book(采购=[("序号", "企业名称", "供应商名称", "年采购额（万元）"), (1, "整车厂", "钢厂", 2)])
    refused(path, "no column is the customer", "type customer=企业名称")
    assert links(read(path, customer="企业名称")) == {("钢厂", "整车厂"): 2.0}


def test_what_no_setting_of_a_study_names_is_named_for_the_verb(book):
    path = book(采购=[HEAD, *ROWS], 企业=[("企业名称", "从业人员", "员工人数"), ("钢厂", 30, 40)])
    with pytest.raises(NetworkError, match="type strongchain import FILE employees=从业人员 or strongchain import FILE employees=员工人数"):
        from_file(FromFile(path=path))
    assert firms(read(path, employees="员工人数"), "size") == {"钢厂": "small"}


def test_leaders_that_are_typed_replace_those_of_the_list_and_may_hold_commas(book):
    name = "Ningbo Gear Co., Ltd"
    rows = [(*HEAD, "是否链主"), ("钢厂", name, 2, "是"), ("钢厂", "整车厂", 3, ""), ("铜厂", "整车厂", 3, "")]
    path = book(采购=rows, 企业=[("企业名称", "是否链主"), (name, ""), ("整车厂", "是")])
    assert set(firms(read(path), "leader")) == {name, "整车厂"}
    assert set(firms(read(path, leaders=(name,)), "leader")) == {name}
    assert set(firms(read(path, leaders=(f"[铜厂, {name}，整车厂]",)), "leader")) == {"铜厂", name, "整车厂"}
    refused(path, "leaders names 'Ningbo Gear Co.'", leaders=("Ningbo Gear Co., Inc",))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ('供应商,采购商,年采购额（万元）\n钢厂,整车厂,"1,200"\n铜厂,整车厂,300\n', "utf-8"),
        (
            "某市供应链情况表\n单位：万元\n\n序号;供应商;采购商;年采购额\n1;钢厂;整车厂;1,200\n2;铜厂;整车厂;300\n;合计（万元）;;1500\n",
            "gb18030",
        ),
        ("供应商\t客户名称\t年采购额（亿元）\n钢厂\t整车厂\t12\n铜厂\t整车厂\t3\n", "utf-16"),
    ],
)
def test_a_text_table_with_chinese_headings_is_a_network_by_its_path_alone(tmp_path, text, encoding):
    path = tmp_path / "清单.csv"
    path.write_text(text, encoding=encoding)
    network = from_file(FromFile(path=str(path)))
    shares = network.value_share / network.material_share[network.customer]
    assert {str(network.names[s]): float(share) for s, share in zip(network.supplier, shares, strict=True)} == pytest.approx(
        {"钢厂": 0.8, "铜厂": 0.2}, abs=1e-9
    )


def test_a_text_table_with_the_names_of_a_file_of_links_is_read_as_before(tmp_path):
    path = tmp_path / "links.csv"
    path.write_text("supplier,customer,供应商,采购商\n钢厂,整车厂,甲,乙\n", encoding="utf-8")
    assert sorted(map(str, from_file(FromFile(path=str(path))).names)) == ["整车厂", "钢厂"]
    path.write_text("供应商,采购商,年采购额（万元）\n钢厂,整车厂,5\n铜厂,整车厂,15\n", encoding="utf-8")
    mapped = from_file(FromFile(path=str(path), columns={"supplier": "供应商", "customer": "采购商"}))
    assert mapped.value_share.tolist() == pytest.approx([0.275, 0.275])  # a column that is not named is not read
    with pytest.raises(NetworkError, match="is no text encoding"):
        from_file(FromFile(path=str(path), encoding="zlib"))


def test_two_sheets_of_links_or_of_firms_are_told_apart_by_what_is_typed(book):
    path = book(一月=[HEAD, *ROWS], 二月=[HEAD, *ROWS[:2]])
    refused(path, "2 sheets list suppliers and customers", "sheet=一月 or sheet=二月")
    assert len(read(path, sheet="二月").links) == 2
    path = book(采购=[HEAD, *ROWS], 甲=[("企业名称", "规模"), ("钢厂", "大型")], 乙=[("企业名称", "规模"), ("钢厂", "小型")])
    refused(path, "2 sheets list firms", "nodes_sheet=甲 or nodes_sheet=乙")
    assert firms(read(path, nodes_sheet="乙"), "size") == {"钢厂": "small"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("钢厂", "整车厂", "约3"), "is not an amount"),
        (("钢厂", "整车厂", -3), "must be 0 or more"),
        (("钢厂", "整车厂", "#REF!"), "the error #REF!"),
        (("钢" * 201, "整车厂", 1), "201 characters"),
        (("钢\u202e厂", "整车厂", 1), "U+202E"),
        (("钢\n厂", "整车厂", 1), "U+000A"),
        (("@cmd|' /C calc'!A0", "整车厂", 1), "begins as a formula"),
        (("+cmd|' /C calc'!A0", "整车厂", 1), "begins as a formula"),
        (("钢厂", "整车厂", 1, "集团"), "is no size"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path, row, expected):
    wb = openpyxl.Workbook()
    wb.active.append([*HEAD, "规模"])
    for k, cell in enumerate(row, start=1):
        made = wb.active.cell(2, k, cell)
        if isinstance(cell, str):
            made.data_type = "s"  # no formula and no error, whatever it begins with
    wb.save(path := tmp_path / "a.xlsx")
    refused(str(path), "row 2, column ", expected)


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("a.xlsx", b"", "is empty"),
        ("a.xlsx", "供应商,采购商\n甲,乙\n".encode(), "a name that ends in .csv"),
        ("a.xls", b"<html><table></table></html>", "a web page"),
        ("a.xls", reader.OLE + b"\0" * 600, "of the old kind"),
        ("a.xlsx", reader.OLE + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        ("a.xlsx", b"PK\x03\x04....", "cannot be read as a workbook"),
        ("a.numbers", b"\0\1\2", "is no workbook"),
    ],
)
def test_other_files_get_a_line_that_says_what_to_do(tmp_path, name, raw, expected):
    (tmp_path / name).write_bytes(raw)
    refused(str(tmp_path / name), expected)
    with pytest.raises(NetworkError, match=expected):
        from_file(FromFile(path=str(tmp_path / name)))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"mimetype": b"application/vnd.oasis", "content.xml": b"<a/>"}, "OpenDocument"),
        ({"Index/Document.iwa": b""}, "document of Numbers"),
        ({"[Content_Types].xml": b"<a/>", "xl/workbook.bin": b""}, "binary workbook"),
        ({"word/document.xml": b"<a/>"}, "is an archive, not a workbook"),
        (
            {"[Content_Types].xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "xl/workbook.xml": b"<a/>"},
            "a declaration in '[Content_Types].xml'",
        ),
        (
            {"[Content_Types].xml": '<?xml version="1.0" encoding="utf-16"?><a/>'.encode("utf-16"), "xl/workbook.xml": b"<a/>"},
            "a declaration",
        ),
        ({"[Content_Types].xml": b'<?xml version="1.0" encoding="utf-7"?><a/>', "xl/workbook.xml": b"<a/>"}, "not in UTF-8"),
        ({"[Content_Types].xml": b"<a/>", "xl/workbook.xml": b"<a/>"}, "cannot be read as a workbook"),
    ],
)
def test_archives_that_are_no_safe_workbook_are_refused(tmp_path, parts, expected):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    refused(str(path), expected)


def test_xml_with_entities_is_refused_whatever_its_part_is_called(book, tmp_path):
    with zipfile.ZipFile(book(采购=[HEAD, *ROWS])) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts["xl/worksheets/sheet1.dat"] = b'<!DOCTYPE a [<!ENTITY b "7">]>' + parts.pop("xl/worksheets/sheet1.xml").replace(
        b">300<", b">&b;<"
    )
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content.replace(b"sheet1.xml", b"sheet1.dat"))
        archive.writestr("xl/media/image1.png", b"\x89PNG\0<!DOCTYPE")  # a picture may hold any bytes
    refused(str(tmp_path / "a.xlsx"), "a declaration in 'xl/worksheets/sheet1.dat'")


def test_what_would_unpack_to_too_much_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
        archive.writestr("xl/workbook.xml", b" " * 5_000_000)
    assert path.stat().st_size < 10_000
    refused(str(path), "would unpack to 5 MB", "network.most_megabytes", reading=Reading(most_megabytes=1))


def test_a_workbook_keeps_to_the_largest_number_of_rows(book):
    refused(book(采购=[HEAD, *ROWS]), "more than 3 rows", reading=Reading(most_rows=3))


def test_a_row_far_below_and_a_column_far_right_take_no_time(tmp_path):
    wb = openpyxl.Workbook()
    for row in (HEAD, *ROWS):
        wb.active.append(row)
    wb.active.cell(40_000, 1, "注：完")
    wb.active.cell(3, 16_384, "x")
    wb.save(path := tmp_path / "a.xlsx")
    assert links(read(str(path))) == pytest.approx(EXPECTED)


# -- the network -----------------------------------------------------------------------------------


def test_a_workbook_is_a_network_by_its_path_alone(book):
    network = from_file(FromFile(path=book(采购=[HEAD, *ROWS])))
    share = {
        (str(network.names[s]), str(network.names[c])): v
        for s, c, v in zip(network.supplier, network.customer, network.value_share, strict=True)
    }
    assert share == pytest.approx(
        {
            ("钢厂", "齿轮厂"): 0.55,
            ("钢厂", "电机厂"): 0.1375,
            ("铜厂", "电机厂"): 0.4125,
            ("齿轮厂", "整车厂"): 0.495,
            ("电机厂", "整车厂"): 0.055,
        }
    )
    assert network.size is None
    assert any("headings in row 1" in note for note in network.notes)
    with pytest.raises(NetworkError, match=r"network\.filter is for CSV files"):
        from_file(FromFile(path=book(采购=[HEAD, *ROWS]), filter={"a": "b"}))
    typed = book(采购=[("甲方", "乙方", "年采购额"), ("钢厂", "整车厂", 2)])
    assert from_file(FromFile(path=typed, unit="万元", columns={"supplier": "甲方", "customer": "乙方"})).n_links == 1


def test_amounts_and_sizes_in_text_tables(tmp_path):
    (tmp_path / "l.csv").write_text("supplier,customer,value\na,x,300\nb,x,100\na,y,\nb,y,40\nc,y,20\nd,z,\n", encoding="utf-8")
    (tmp_path / "f.csv").write_text("firm,size\na,large\nb,小型\nc,\nd,\nx,medium\ny,\nz,\n", encoding="utf-8")
    settings_ = FromFile(path=str(tmp_path / "l.csv"), nodes=str(tmp_path / "f.csv"), material_share=0.6, keep_scale=True)
    network = from_file(settings_)
    of = {str(name): k for k, name in enumerate(network.names)}
    bought = {
        (s, c): network.by_customer[of[c], of[s]] for s, c in (("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"), ("c", "y"), ("d", "z"))
    }
    assert bought == pytest.approx(
        {("a", "x"): 0.45, ("b", "x"): 0.15, ("a", "y"): 0.2, ("b", "y"): 0.6 * 4 / 9, ("c", "y"): 0.6 * 2 / 9, ("d", "z"): 0.6}
    )
    # Users buy what leaders buy by value, divided by the material share, a month; one without amounts as much as the median of the others.
    assert [network.final_demand[of[name]] * 12.0 * 0.6 for name in "xyz"] == pytest.approx([400.0, 90.0, 245.0])
    assert [network.size[of[name]] for name in "abcx"] == [2, 0, -1, 1]
    assert any("size is not given of 4 firms" in note for note in network.notes)
    (tmp_path / "f.csv").write_text("firm,size\na,huge\nb,\nc,\nd,\nx,\ny,\nz,\n", encoding="utf-8")
    with pytest.raises(NetworkError, match=r"f\.csv, row 2, column 'size': 'huge' is no size"):
        from_file(settings_)
    with pytest.raises(NetworkError, match=r"network\.unit is for workbooks"):
        from_file(FromFile(path=str(tmp_path / "l.csv"), unit="万元"))


def test_sizes_of_a_file_are_those_of_the_firms_and_the_others_follow_their_revenue(tmp_path):
    (tmp_path / "l.csv").write_text("supplier,customer\na,x\nb,x\n", encoding="utf-8")
    (tmp_path / "f.csv").write_text("firm,size\na,large\nb,\nx,small\n", encoding="utf-8")
    plain = StrongchainModel(network=FromFile(path=str(tmp_path / "l.csv")), rng=1, burn_in=0)
    sized = StrongchainModel(network=FromFile(path=str(tmp_path / "l.csv"), nodes=str(tmp_path / "f.csv")), rng=1, burn_in=0)
    size = {str(name): int(of) for name, of in zip(sized.network.names, sized.firms.size_class, strict=True)}
    usual = {str(name): int(of) for name, of in zip(plain.network.names, plain.firms.size_class, strict=True)}
    assert size == {"a": 2, "b": usual["b"], "x": 0}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_shares_agree_with_amounts_whatever_the_order_of_rows_and_columns(tmp_path, data):
    pairs = data.draw(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=12)
    )
    unit = data.draw(st.sampled_from([("元", 1.0), ("万元", 1e4), ("亿元", 1e8)]))
    rows = [(f"企业{s}", f"企业{c}", data.draw(st.floats(0.01, 1e5))) for s, c in pairs]
    order, columns = data.draw(st.permutations(range(len(rows)))), data.draw(st.permutations(range(3)))
    head = ("供应商", "采购商", f"年采购额（{unit[0]}）")
    leaders = ("企业0",) if any("企业0" in row for row in rows) else (rows[0][1],)
    found = []
    for table in ([head, *rows], [[row[k] for k in columns] for row in (head, *(rows[k] for k in order))]):
        network = from_file(FromFile(path=saved(tmp_path / "a.xlsx", 采购=table), leaders=leaders))
        ends = zip(network.supplier, network.customer, network.value_share / network.material_share[network.customer], strict=True)
        found.append({(str(network.names[s]), str(network.names[c])): float(share) for s, c, share in ends})
    bought: dict[str, float] = {}
    for _, customer, amount_ in rows:
        bought[customer] = bought.get(customer, 0.0) + amount_
    expected: dict[tuple[str, str], float] = {}
    for supplier, customer, amount_ in rows:
        expected[supplier, customer] = expected.get((supplier, customer), 0.0) + amount_ / bought[customer]
    for shares in found:
        assert shares.keys() == expected.keys()
        assert max(abs(shares[pair] - expected[pair]) for pair in expected) < 1e-9
    assert np.isfinite(list(found[0].values())).all()
