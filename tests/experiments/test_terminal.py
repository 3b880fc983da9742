"""What is printed: nothing that steers a terminal, in lines that end where a reader expects it."""

from __future__ import annotations

import pytest

from experiments.terminal import printable, width, wrap, write


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("tab\tbell\x07back\x08return\r\x00", r"tab\x09bell\x07back\x08return\x0d\x00"),
        ("\x7f\x85\x9b", r"\x7f\x85\x9b"),
        ("a\u202etxt.exe\u202c\u2066\u2069\u200f", r"a\u202etxt.exe\u202c\u2066\u2069\u200f"),
        ("no\u200bwidth\u200d\ufeff\u00ad", r"no\u200bwidth\u200d\ufeff\xad"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("half\ud83d \udcff", r"half\ud83d \udcff"),
        ("tag\U000e0041", r"tag\U000e0041"),
    ],
)
def test_what_would_steer_a_terminal_or_cannot_be_seen_is_written_out(text, shown):
    assert printable(text) == shown
    shown.encode()


@pytest.mark.parametrize("text", ["two\nlines", "整车厂　链条（一）", "Zürich é e\u0301", "1\u202f000\u00a0CNY", "≤ – … ’ 😀", r"C:\x1b"])
def test_other_text_stays_as_it_is(text):
    assert printable(text) == text


def test_a_text_for_the_terminal_is_written_out(capsys):
    write("arm \x1b]0;title\x07")
    assert capsys.readouterr().out == "arm \\x1b]0;title\\x07\n"


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("", 9, [""]),
        ("in words, at   blanks", 9, ["in words,", "at blanks"]),
        ("a/very/long/path", 9, ["a/very/lo", "ng/path"]),
        ("每条产业链，两家（链主）", 10, ["每条产业", "链，两家", "（链主）"]),
        ("依 docs/a.md 的规则", 11, ["依", "docs/a.md", "的规则"]),
        ("见F023：50条「产业链」", 9, ["见F023：", "50条「产", "业链」"]),
    ],
)
def test_lines_end_at_blanks_or_beside_chinese_and_begin_with_no_closing_mark(text, columns, lines):
    assert wrap(text, columns) == lines
    assert all(width(line) <= columns for line in lines)
