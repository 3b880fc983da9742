"""Error messages in the language that is chosen: real mistakes, as they are typed."""

from __future__ import annotations

import re

import pytest

from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError
from experiments.languages.wording import HERE, Language, mistake, use_language
from experiments.runs.ownership import refuse_folder
from sim import NetworkError
from sim.build.from_file import FromFile, from_file


def refused(*typed: str) -> str:
    """What is said in Chinese of a command line."""
    with pytest.raises(SettingsError) as wrong:
        preflight(list(typed))
    with use_language("zh"):
        return mistake(str(wrong.value))


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (["replicate=3"], "replicate=3：没有名为 'replicate' 的设置；是否为 'replicates'？"),
        (["replicates=0"], "replicates 为 0；应为 1 至 1,000,000 的整数"),
        (["replicates=many"], "replicates 为 'many'；应为 1 至 1,000,000 的整数"),
        (["parameters.base_dpu=7"], "parameters.base_dpu 为 7；应在 0 至 2 之间（缺陷数/单位）"),
        (["parameters.capability_mean=[1]"], "parameters.capability_mean 为 [1]；应为 3 个 0.01 至 0.99 之间的数"),
        (["quiet=maybe"], "quiet 为 'maybe'；应为 true 或 false"),
        (["study.budget=-3"], "study.budget 为 -3；应大于 0 且不超过 1e12，或为 null"),
        (["months"], "months：缺少取值；请输入 months=取值"),
        (["months=3", "months=4"], "months=3 和 months=4：months 输入了两次；请保留一个"),
        (["~months"], "~months：设置不能移除；请改为输入 months=取值"),
        (["replicates=3,4"], "replicates=3,4：多个取值即为参数扫描；请输入 strongchain -m …，或将列表写成 [A,B]"),
        (["network.path=nowhere/no.csv"], "network.path：没有文件 'nowhere/no.csv'，也没有文件夹 'nowhere'"),
        (["name=con"], "name 为 'con'；Windows 将其留作设备名；请换一个名称"),
        (["study.arms={a:[b}"], "study.arms={a:[b}：} 前缺少 ]"),
        (
            ["instruments=[cqo]", "instruments.stewards.reach=0.5"],
            "instruments.stewards.reach=0.5：stewards 未启用，该参数不起作用；如需启用，请输入 'instruments=[cqo,stewards]'",
        ),
        (
            ["study=compare", "study.regions=[hubei]"],
            "study.regions=[hubei]：该设置属于 study=exchange，而已选择 study=compare；请输入 study=exchange，或略去该设置",
        ),
        (
            ["scale=0.1", "network=synthetic"],
            "scale=0.1：scale 用于地区的企业，而 network=synthetic 自带企业；请略去 scale，或输入 network=region",
        ),
    ],
)
def test_a_mistake_that_is_typed_is_said_in_chinese(typed, line):
    assert refused(*typed).replace('"', "'") == line


@pytest.mark.parametrize(
    ("typed", "beginning", "end"),
    [
        ("region=hubay", "region=hubay：没有名为 'hubay' 的地区；可选：", "；是否为 'hubei'？"),
        ("policy=hubie", "policy=hubie：没有名为 'hubie' 的政策组合；可选：", "；是否为 'hubei'？"),
        ("instruments=[cqo,stewart]", "instruments=stewart：没有名为 'stewart' 的政策工具；可选：", "；是否为 'stewards'？"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_those_that_do(typed, beginning, end):
    said = refused(typed)
    assert said.startswith(beginning) and said.endswith(end)


def test_several_mistakes_have_a_head_and_stay_a_line_each():
    said = refused("replicates=0", "monhts=3").split("\n")
    assert said[0] == "共 2 处错误，未运行任何内容"
    assert said[1] == "  replicates 为 0；应为 1 至 1,000,000 的整数"
    assert said[2].startswith("  monhts=3：没有名为")


def test_what_a_verb_refuses_keeps_its_words_and_gets_the_nearest_name_in_chinese():
    with use_language("zh"):
        assert mistake("没有文件夹“x”; did you mean 'y'?") == "没有文件夹“x”；是否为 'y'？"


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (["supplier,kunde", "a,b"], "中没有列 'customer'；现有列："),
        (["supplier,customer"], "只有表头；请在其下至少添加一行"),
        (["supplier,customer,units", "a,b,1", "a,b,2"], "第 3 行"),
        (["supplier,customer,units", "a,b,many"], "'many' 不是数值；请直接写数字，如 1234.5，不带单位"),
    ],
)
def test_a_file_of_a_network_that_is_wrong_is_refused_in_chinese(tmp_path, rows, wanted):
    file = tmp_path / "chain.csv"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(NetworkError) as wrong:
        from_file(FromFile(path=str(file)))
    with use_language("zh"):
        assert wanted in mistake(str(wrong.value))


def test_a_folder_that_is_not_free_is_refused_in_chinese(tmp_path):
    (tmp_path / "湖北 一.txt").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError) as wrong, use_language("zh"):
        refuse_folder(tmp_path, "study")
    with use_language("zh"):
        assert mistake(str(wrong.value)) == (f"{tmp_path} 不是空文件夹，且无占用记录说明归属（其中有 '湖北 一.txt'）；请换一个名称")


def test_in_english_and_where_nothing_is_known_a_message_stays_as_it_is():
    for text in ("replicates is 0; it must be a whole number in 1 … 9", "a: b; c", "  two  blanks: x", ""):
        assert mistake(text) == text
    with use_language("zh"):
        for text in ("no such thing in this world: whatever; it may be", "  a  b"):
            assert mistake(text) == text


def test_a_clause_that_is_not_known_stays_in_english(tmp_path):
    place = tmp_path / "fr"
    place.mkdir()
    (place / "errors.yaml").write_text('"{file_label} is empty": "{file_label} est vide"\n": ": " : "\n"; ": " ; "\n', encoding="utf-8")
    language = Language(place)
    assert language.mistake("a b.csv is empty; fill it") == "a b.csv est vide ; fill it"
    assert language.mistake("network.path: a.csv is empty") == "network.path: a.csv est vide"
    assert language.mistake("fill it; a.csv is full") == "fill it; a.csv is full"


def test_every_entry_of_the_chinese_errors_is_chinese_and_stands_once():
    import yaml  # type: ignore[import-untyped]

    node = yaml.compose((HERE / "zh" / "errors.yaml").read_text(encoding="utf-8"))
    keys = [key.value for key, _ in node.value]
    assert len(keys) == len(set(keys)) > 150
    words = [value.value for _, value in node.value if not re.search(r"[\u3000-\u9fff\uff00-\uffef]", value.value)]
    assert words == []
