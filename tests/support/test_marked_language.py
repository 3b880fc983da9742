"""The language in brackets: text is put in them, keys are not, and a text still comes out as in English."""

from __future__ import annotations

import pytest

from experiments.languages.wording import label, say, use_language
from sim.outcomes import HEADLINE, OUTCOMES
from tests.support.marked_language import LEFT, RIGHT, marked, marked_language, outside


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return marked_language(tmp_path_factory.mktemp("languages") / "marked")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("no values", "⟦no values⟧"),
        ("{{ path }}, {{ unit }}", "{{ path }}, {{ unit }}"),
        ("tier {{ tier }} and deeper", "⟦tier⟧ {{ tier }} ⟦and deeper⟧"),
        ("95 %: {{ x }}", "95 %: {{ x }}"),
        ('{{ "fewer" if x == "lower" else "more" }}', "{{ '⟦fewer⟧' if x == \"lower\" else '⟦more⟧' }}"),
        ('{{ say("payers." ~ payer) }}', '{{ say("payers." ~ payer) }}'),
        ('{{ unit | replace("share", "%") }}', '{{ unit | replace("share", "%") }}'),
        ('{% set _ = parts.append("with " ~ name) %}', "{% set _ = parts.append('⟦with⟧ ' ~ name) %}"),
        ('{% if x in ("A", "The") %}a{% endif %}', '{% if x in ("A", "The") %}⟦a⟧{% endif %}'),
        ('{% macro m(word="and") %}{{ word }}{% endmacro %}', "{% macro m(word='⟦and⟧') %}{{ word }}{% endmacro %}"),
    ],
)
def test_text_is_put_in_brackets_and_keys_are_not(source, expected):
    assert marked(source) == expected


@pytest.mark.parametrize(
    ("text", "kept"), [("", ""), ("a⟦b⟧c", "ac"), ("⟦a ⟦b⟧ c⟧ d", " d"), ("⟦paired\neffect⟧, 5", ", 5"), ("no brackets", "no brackets")]
)
def test_what_is_outside_of_brackets_is_returned(text, kept):
    assert outside(text) == kept


@pytest.mark.parametrize("text", ["⟦cut", "cut⟧", "⟦a ⟦b⟧"])
def test_a_text_that_was_cut_is_refused(text):
    with pytest.raises(ValueError, match=LEFT):
        outside(text)


def test_the_same_is_said_as_in_english_but_in_brackets(folder):
    english = say("figures.small_print", "ab12", 2, [("region", "sample")], [], [(1, 7), (20, 7)], "")
    with use_language(folder):
        text = say("figures.small_print", "ab12", 2, [("region", "sample")], [], [(1, 7), (20, 7)], "")
        assert label(OUTCOMES[HEADLINE]) == "⟦Defects reaching users⟧"
        assert label(OUTCOMES[HEADLINE].unit) == "⟦defects/unit⟧"
    assert text.replace(LEFT, "").replace(RIGHT, "") == english
    assert [word for word in outside(text).replace(",", "").split() if word.isalpha()] == ["sample"]


def test_the_language_has_every_name_that_english_has_and_the_same_units_of_money(folder):
    with use_language("en") as english, use_language(folder) as language:
        assert language.names() == english.names()
        assert [(worth, outside(unit)) for worth, unit in language.money_units()] == [(worth, "") for worth, _ in english.money_units()]
