"""Characters that no name may hold, and the normal form of names."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.characters import in_normal_form, unfit, unfit_at

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        ("\u202e", "U+202E, an invisible character that changes the direction of writing"),
        ("\u200f", "U+200F, an invisible character that changes the direction of writing"),
        ("\u200b", "U+200B, an invisible character without width"),
        ("\ufeff", "U+FEFF, an invisible character without width"),
        ("\u2028", "U+2028, a separator of lines or paragraphs"),
        ("\ud800", "U+D800, a surrogate, half of a character"),
        ("\x1b", "U+001B, a control character"),
        ("\x85", "U+0085, a control character"),
        ("\n", "U+000A, a tab or line end"),
    ],
)
def test_the_character_is_named_with_its_place(letter, expected):
    assert unfit(f"南通{letter}一厂") == f"character 3 is {expected}"


def test_control_characters_surrogates_separators_and_invisible_ones_are_refused_and_no_others():
    every = map(chr, range(sys.maxunicode + 1))
    wrong = {letter for letter in every if (unfit_at(letter) == 0) != (unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"})}
    assert wrong == set(INVISIBLE)


TEXTS = st.text(st.sampled_from(f'ab厂é," \x1f\x85\ud800\u2028{INVISIBLE}\t\n\r'), max_size=20)  # of all characters a table takes long


@given(TEXTS, st.sampled_from("\t\n\r"), TEXTS)
def test_a_text_of_several_names_may_hold_tabs_and_line_ends_but_a_name_may_not(before, line, after):
    text = before + line + after
    assert unfit_at(text) >= 0
    assert unfit_at(text, lines=True) == unfit_at("".join(" " if letter in "\t\n\r" else letter for letter in text))


def test_texts_of_lists_and_mappings_are_in_the_normal_form():
    assert in_normal_form({"Socie\u0301te\u0301": ["A\u030angstro\u0308m", 3]}) == {"Soci\u00e9t\u00e9": ("\u00c5ngstr\u00f6m", 3)}
    assert in_normal_form(None) is None
