"""A researcher's own file: its encoding, the characters of its names, its bounds."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim.build.reading.content as reading_content
from agents.characters import unfit
from sim.build.from_file import FromFile, from_file
from sim.build.input_output import InputOutput, SectorEconomy, read_economy
from sim.build.reading.encodings import text_in
from sim.build.reading.table import read_table
from sim.network.fixed_points import NetworkError

CHINESE = "supplier,customer,units\n南通一厂,无锡铸造,2\n无锡铸造,上海整车,1\n南通一厂,上海整车,3\n"
FRENCH = "supplier,customer\nSociété Générale,Rhône Énergie Lyon\nAciéries du Léman,Société Générale\n"
GERMAN = "supplier,customer\nMüller Stahl,Größe & Söhne\nBäckerei Köln,Müller Stahl\n"
TAIWANESE = "supplier,customer\n台灣積體電路,鴻海精密工業\n中國鋼鐵,台達電子\n台達電子,鴻海精密工業\n"
JAPANESE = "supplier,customer\n新日鉄住金,トヨタ自動車\n鉄鋼,新日鉄住金\n"


def saved(folder: Path, data: bytes | str, name: str = "chain.csv") -> str:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def refused(*expected: str, **given_settings) -> str:
    """Assert that the file is refused in one line that holds each of the expected parts."""
    with pytest.raises(NetworkError) as caught:
        from_file(FromFile(**given_settings))
    message = str(caught.value)
    assert "\n" not in message and message.isprintable()
    for part in expected:
        assert part in message, message
    return message


# -- encodings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "mark", "note"),
    [
        ("utf-8", "", ""), ("utf-8-sig", "", ""), ("utf-16", "", "UTF-16"), ("utf-16-le", "\ufeff", "UTF-16"),
        ("utf-16-be", "\ufeff", "UTF-16"), ("utf-16-le", "", "UTF-16-LE"), ("utf-16-be", "", "UTF-16-BE"), ("utf-32", "", "UTF-32"),
        ("gb18030", "", "GB18030"), ("gb18030", "\ufeff", "GB18030"), ("gbk", "", "GB18030"), ("gb2312", "", "GB18030"),
    ],
)  # fmt: skip
def test_a_chinese_chain_is_the_same_network_in_every_encoding(tmp_path, encoding, mark, note):
    plain = from_file(FromFile(path=saved(tmp_path, CHINESE)))
    path = saved(tmp_path, (mark + CHINESE).encode(encoding))
    recognised = from_file(FromFile(path=path))
    typed = from_file(FromFile(path=path, encoding=encoding))
    for network in (recognised, typed):
        assert network.names.tolist() == ["上海整车", "南通一厂", "无锡铸造"]
        for of in ("supplier", "customer", "value_share", "units", "final_demand", "unit_cost"):
            assert np.array_equal(getattr(network, of), getattr(plain, of))
    first = f"chain.csv is read as {note}; its first names are '南通一厂', '无锡铸造': if they look wrong, set network.encoding"
    assert recognised.notes == ((first,) if note else ()) + plain.notes
    assert typed.notes == plain.notes


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(FRENCH, "latin-1"), (GERMAN, "latin-1"), (GERMAN, "cp1252"), (TAIWANESE, "big5"), (JAPANESE, "shift_jis")],
)
def test_other_encodings_are_not_taken_for_chinese_and_are_read_when_they_are_typed(tmp_path, text, encoding):
    path = saved(tmp_path, text.encode(encoding))
    typed = ("network.encoding=big5", "network.encoding=latin-1", "network.encoding=shift_jis")
    refused("chain.csv", "GB18030", *typed, path=path)
    assert set(from_file(FromFile(path=path, encoding=encoding)).names) == {
        name for row in text.splitlines()[1:] for name in row.split(",")
    }


def test_the_refusal_shows_the_names_as_they_would_be_read_and_gb18030_can_be_typed(tmp_path):
    path = saved(tmp_path, GERMAN.encode("latin-1"))
    refused("'M黮ler Stahl'", "5 of its 6 letters are unusual in Chinese", "or network.encoding=gb18030 if these are right", path=path)
    path = saved(tmp_path, TAIWANESE.encode("gb18030"))
    refused("'台灣積體電路'", "network.encoding=gb18030", path=path)
    assert "鴻海精密工業" in from_file(FromFile(path=path, encoding="gb18030")).names


def test_a_rare_character_and_full_width_letters_do_not_make_a_file_strange(tmp_path):
    path = saved(tmp_path, "supplier,customer\n朱镕钢铁,陶喆汽车公司\n上海ＡＢＣＤ铸造,陶喆汽车公司\n".encode("gb18030"))
    assert "朱镕钢铁" in from_file(FromFile(path=path)).names


def test_a_mark_is_binding_and_what_contradicts_it_is_refused_with_its_row(tmp_path):
    refused("row 2 is not in UTF-8, whose mark the file begins with", path=saved(tmp_path, b"\xef\xbb\xbfsupplier,customer\n\xff,b\n"))
    refused("row 2 is not in UTF-16, whose mark", path=saved(tmp_path, "supplier,customer\na,b".encode("utf-16") + b"\x00"))


def test_nul_bytes_alone_do_not_make_a_file_utf_16(tmp_path):
    for data in (b"supplier,customer\0\na,b\0\n", b"\0" * 1000, b"\0a,\0b\n\0c,\0d\n"):
        refused("row 1 holds binary data (a NUL byte)", path=saved(tmp_path, data))
    refused("row 2 holds binary data (a NUL byte)", path=saved(tmp_path, b"supplier,customer\na,b\0c\n"))


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_give_a_text_or_one_line(data):
    try:
        text, encoding = text_in(data, "chain.csv", "auto")
    except NetworkError as error:
        assert "\n" not in str(error)
    else:
        assert "\0" not in text
        assert text == data.decode(encoding).removeprefix("\ufeff")


@pytest.mark.parametrize(
    "name",
    [
        "rot13", "hex", "zip", "bz2", "base64", "uu", "quopri", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined",
        "mbcs", "oem", "charmap", "utf-7", "utf-9", "", "a\0b", "a\nb", "../gbk", "x" * 10_000, "钢",
    ],
)  # fmt: skip
def test_codecs_that_are_no_encodings_of_tables_are_refused(tmp_path, name):
    message = refused("network.encoding=", "is no text encoding; leave it at auto", path=saved(tmp_path, CHINESE), encoding=name)
    assert len(message) < 300


@pytest.mark.parametrize("name", ["UTF8", "utf_8_sig", "cp65001", "GBK", "hz", "latin1", "windows-1252", "mac_roman", "koi8-r", "tis-620"])
def test_encodings_can_be_named_in_the_usual_ways(tmp_path, name):
    assert from_file(FromFile(path=saved(tmp_path, "supplier,customer\na,b\n"), encoding=name)).n_firms == 2


# -- names -----------------------------------------------------------------------------------


def test_names_that_differ_only_in_their_normal_form_are_one_name(tmp_path):
    apart, whole = "Socie\u0301te\u0301", "Soci\u00e9t\u00e9"
    links = saved(tmp_path, f"Pre\u0301fet,supplier,customer\n1,mine,{apart}\n1,{whole},usine\n2,usine,fin\n")
    network = from_file(FromFile(path=links))
    assert network.names.tolist() == ["fin", "mine", whole, "usine"]
    for form in ("NFC", "NFD"):
        leader, column = unicodedata.normalize(form, whole), unicodedata.normalize(form, "Pr\u00e9fet")
        assert from_file(FromFile(path=links, leaders=(leader,))).names[0] == whole
        assert from_file(FromFile(path=links, filter={column: "1"})).n_firms == 3
        assert from_file(FromFile(path=links, columns={"supplier": "supplier", "sector": column})).sectors == ("sector", "1", "2")
        firms = saved(tmp_path, f"firm,Pre\u0301fet\nmine,{apart}\n{apart},F\nusine,F\nfin,F\n", "firms.csv")
        collapsed = FromFile(path=links, nodes=firms, node_columns={"kind": column}, collapse=(leader,))
        assert "mine" not in from_file(collapsed).names
        assert from_file(FromFile(path=links, nodes=firms, filter={column: [leader, "F", "1", "2"]})).n_firms == 4
    twice = saved(tmp_path, f"firm\nmine\n{apart}\n{whole}\nusine\nfin\n", "firms.csv")
    refused("firms.csv, row 4, column 'firm'", "already in row 3", path=links, nodes=twice)


UNSEEN = [*map(chr, (*range(1, 32), *range(127, 160))), *"\u2028\u2029\u200b\u200d\u2060\ufeff\u200e\u200f\u061c\u202a\u202e\u2066\u2069"]


@given(letter=st.sampled_from(UNSEEN))
def test_a_name_with_a_character_that_cannot_be_seen_is_refused_at_its_place(letter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    path = saved(folder, f'supplier,customer\nsteel,gear\n"  南通{letter}一厂",gear\n')
    refused("chain.csv, row 3, column 'supplier'", f"is U+{ord(letter):04X}", "delete it", path=path)
    path = saved(folder, f'supplier,"cus{letter}tomer"\nsteel,gear\n')
    refused("chain.csv, row 1, column 2", f"character 4 is U+{ord(letter):04X}", "delete it", path=path)


def test_a_character_is_refused_in_cells_that_are_not_read_too_and_where_blanks_are_cut_off(tmp_path):
    text = "supplier,customer,note\na,b,ok\na,c,x\u202ey\n"
    refused("chain.csv, row 3, column 'note': character 2 is U+202E", r"in 'x\u202ey'", path=saved(tmp_path, text))
    refused("row 2, column 'supplier': character 2 is U+001F", path=saved(tmp_path, "supplier,customer\na\x1f,b\n"))
    refused("row 2, column 3: character 1 is U+0085", path=saved(tmp_path, "supplier,customer\na,b,\x85\n"))
    refused("row 1, column 1: character 1 is U+FEFF", path=saved(tmp_path, "\ufeff\ufeffsupplier,customer\na,b\n"))
    refused("firms.csv, row 2, column 'sector'", "U+200B", path=saved(tmp_path, "supplier,customer\na,b\n"),
            nodes=saved(tmp_path, "firm,sector\na,ste\u200bel\nb,\n", "firms.csv"))  # fmt: skip
    refused("up_stages", "is U+202E", path=saved(tmp_path, "firm,up_stages\nb,a\u202e,1\na\n"))


def test_a_remark_may_have_line_ends_and_be_long_but_a_name_may_not(tmp_path):
    remark = "first line\r\n\tsecond line " * 50
    network = from_file(FromFile(path=saved(tmp_path, f'supplier,customer,note\na,{"n" * 200},"{remark}"\n')))
    assert network.names.tolist() == ["n" * 200, "a"]
    for column in ("supplier", "sector"):
        text = f"supplier,customer,sector\n{'s' * 201 if column == 'supplier' else 'a'},b,{'s' * 201}\n"
        message = refused(f"row 2, column '{column}': the name 'sss", "has 201 characters; write at most 200", path=saved(tmp_path, text))
        assert len(message) < 220
    refused("row 1, column 3", "201 characters", path=saved(tmp_path, f"supplier,customer,{'n' * 201}\na,b,1\n"))
    refused("is not a number", path=saved(tmp_path, f"supplier,customer,units\na,b,{'9' * 5_000}\n"))


def test_names_that_use_other_scripts_signs_and_blanks_are_read(tmp_path):
    names = ["Ångström & Søn", "Завод № 1", "キユーピー㈱", "O'Neill – “Best” Co.", "全　角 厂", "🏭 factory", "\ue000", "葛\U000e0100城"]
    path = saved(tmp_path, "supplier,customer\n" + "".join(f'"{name}",end\n' for name in names))
    assert set(from_file(FromFile(path=path)).names) == {"end", *(unicodedata.normalize("NFC", name) for name in names)}
    assert not any(unfit(name) for name in names)


# -- bounds ----------------------------------------------------------------------------------


def test_a_file_with_too_many_rows_is_refused_with_the_setting_to_raise(tmp_path):
    path = saved(tmp_path, "supplier,customer\na,b\n\nb,c\n")
    assert from_file(FromFile(path=path, most_rows=3)).n_links == 2
    refused("chain.csv has more than 2 rows below its header", "raise network.most_rows", path=path, most_rows=2)
    refused("network.most_rows is 0; it must be a whole number in 1 …", path=path, most_rows=0)
    refused("network.most_megabytes is 1.5; it must be a whole number", path=path, most_megabytes=1.5)


def test_the_size_is_looked_at_before_a_file_is_read(tmp_path, monkeypatch):
    path = saved(tmp_path, "supplier,customer\na,b\n")
    os.truncate(path, 2_500_000)
    monkeypatch.setattr(reading_content, "open", lambda *_, **__: pytest.fail("the file is opened"), raising=False)
    with pytest.raises(pytest.fail.Exception):
        from_file(FromFile(path=path))
    monkeypatch.undo()
    refused("chain.csv has 2.5 MB, and files of at most 2 MB are read", "raise network.most_megabytes", path=path, most_megabytes=2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes among the files of this system")
def test_a_pipe_and_a_device_are_refused_at_once(tmp_path, monkeypatch):
    pipe = str(tmp_path / "pipe.csv")
    os.mkfifo(pipe)
    refused("pipe.csv is a pipe or a device", "save what it gives as a CSV file", path=pipe)
    refused("is a pipe or a device", path=saved(tmp_path, CHINESE), nodes=pipe)
    refused("is a pipe or a device", path="/dev/zero")
    # A pipe that takes the place of the file just before it is opened must not wait for a writer.
    regular = os.stat(saved(tmp_path, CHINESE)).st_mode
    monkeypatch.setattr(reading_content, "_mode", lambda file: regular)
    refused("pipe.csv is a pipe or a device", path=pipe)


def test_a_file_that_changes_or_vanishes_while_it_is_read_gives_one_line(tmp_path, monkeypatch):
    path = saved(tmp_path, CHINESE)
    size = os.fstat

    def growing(descriptor: int) -> os.stat_result:
        about = size(descriptor)
        with open(path, "ab") as file:
            file.write(b"more,rows,1\n")
        return about

    with monkeypatch.context() as patch:
        patch.setattr(reading_content.os, "fstat", growing)
        refused("chain.csv changed while it was read; run this again", path=path)
    regular = os.stat(path).st_mode
    monkeypatch.setattr(reading_content, "_mode", lambda file: regular)
    refused("chain.csv cannot be read: No such file", path=str(tmp_path / "gone" / "chain.csv"))


def test_names_of_files_that_cannot_be_give_one_line(tmp_path):
    refused("cannot be the name of a file", path="a\0b.csv")
    refused("cannot be the name of a file", path="~nobody-of-this-name/chain.csv")
    refused("cannot be read: File name too long", path=str(tmp_path / ("x" * 5_000)))
    refused("nor a folder", path=saved(tmp_path, CHINESE) + "/chain.csv")


def test_very_long_cells_and_rows_give_one_line(tmp_path, monkeypatch):
    refused("row 2 cannot be split into cells (field larger", path=saved(tmp_path, "supplier,customer\na," + "b" * 1_000_000))
    refused("row 2 cannot be split into cells", path=saved(tmp_path, 'supplier,customer\na,"b' + "\nc,d" * 100_000))
    columns = ",".join(f"c{k}" for k in range(20_001))
    refused("row 1 has 20,001 columns; at most 20,000 are read", path=saved(tmp_path, f"{columns}\na,b\n"))
    refused("row 2 has 1000002 cells, but the header has 2", path=saved(tmp_path, "supplier,customer\na" + ",b" * 1_000_001))
    monkeypatch.setattr("sim.build.reading.table.MOST_CELLS", 10)
    refused("chain.csv has 11 cells or more, and at most 10 are read", path=saved(tmp_path, "a" + ",b" * 11))


# -- tables of sectors -----------------------------------------------------------------------

FLOWS = "code,农业,Me\u0301tal\n农业,10,20\nMe\u0301tal,5,30\n"
SECTORS = "code,gross_output\n农业,100\nMe\u0301tal,200\n"


def economy(folder: Path, encoding: str = "utf-8", flows: str = FLOWS, sectors: str = SECTORS, **values) -> SectorEconomy:
    path = saved(folder, flows.encode(encoding), "t_Z.csv")
    saved(folder, sectors.encode(encoding), "t_sectors.csv")
    return read_economy(InputOutput(path=path, firms=20, leaders=2, chains=1, **values))


def test_tables_of_sectors_are_read_in_the_same_way(tmp_path):
    plain = economy(tmp_path)
    assert plain.table.codes == ("农业", "M\u00e9tal")
    other = economy(tmp_path, "utf-16", keep=("农业", "Me\u0301tal"), chain_sectors=("M\u00e9tal",), most_rows=2, most_megabytes=1)
    assert np.array_equal(other.table.flows, plain.table.flows)
    assert [note for note in other.notes if "read as" in note] == [
        f"{file} is read as UTF-16; its first names are '农业', 'M\u00e9tal': if they look wrong, set network.encoding"
        for file in ("t_Z.csv", "t_sectors.csv")
    ]
    # What the network does not depend on does not stay among its settings.
    assert (other.settings.most_rows, other.settings.most_megabytes) == (plain.settings.most_rows, plain.settings.most_megabytes)


@pytest.mark.parametrize(
    ("expected", "given_values"),
    [
        ("t_sectors.csv, row 2, column 'code': character 3 is U+202E", {"sectors": SECTORS.replace("农业", "农业\u202e")}),
        ("t_Z.csv, row 1, column 2: character 1 is U+200B", {"flows": FLOWS.replace("农业", "\u200b农业")}),
        ("t_sectors.csv, row 2, column 'name': the name", {"sectors": f"code,gross_output,name\n农业,100,{'x' * 201}\nMétal,200,y\n"}),
        ("t_Z.csv has more than 1 rows below its header", {"most_rows": 1}),
    ],
)  # fmt: skip
def test_tables_of_sectors_are_refused_for_the_same_reasons(tmp_path, expected, given_values):
    with pytest.raises(NetworkError) as caught:
        economy(tmp_path, **given_values)
    assert expected in str(caught.value)


def test_a_table_has_no_note_where_its_encoding_is_certain(tmp_path):
    assert read_table(saved(tmp_path, CHINESE)).notes == ()
