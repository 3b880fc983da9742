"""Names of things in Chinese: patterns, and that nothing which is shown by its label is left in English."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.languages.wording import Language, Patterns


def speaking(folder: Path, labels: str, explanations: str = "") -> Language:
    """A language that has nothing but labels."""
    place = folder / "fr"
    place.mkdir()
    (place / "labels.yaml").write_text(labels, encoding="utf-8")
    (place / "explanations.yaml").write_text(explanations, encoding="utf-8")
    return Language(place)


def test_labels_and_explanations_are_read_alike(tmp_path):
    language = speaking(tmp_path, "month: mois", "Firms deliver.: Les entreprises livrent.")
    assert [language.label(text) for text in ("month", "Firms deliver.", "year")] == ["mois", "Les entreprises livrent.", "year"]


def test_a_pattern_stands_for_every_text_of_its_form_and_for_no_part_of_one(tmp_path):
    language = speaking(
        tmp_path, '"Firm {number}": "entreprise no {number}"\n"{low_number} … {high_number}": "de {low_number} à {high_number}"'
    )
    assert language.label("Firm 00012") == "entreprise no 00012"
    assert language.label("0 … 1") == "de 0 à 1"
    assert language.label("-1.5 … 1e+12") == "de -1.5 à 1e+12"
    for text in ("Firm", "Firm ", "Firm 12 of 30", "A Firm 12", "firm 12", "Firm Ltd", "low … high"):
        assert language.label(text) == text


def test_the_pattern_with_the_most_words_is_used_and_an_entry_without_placeholders_before_all(tmp_path):
    labels = """
"{low} … {high}": "de {low} à {high}"
"above {low_label} … {high}": "plus de {low_label}, jusqu’à {high}"
"{any_label} … {high}": "{any_label} jusqu’à {high}"
"0 … 1": "une part"
"""
    language = speaking(tmp_path, labels)
    assert language.label("0 … 1") == "une part"
    assert language.label("0 … 2") == "de 0 à 2"
    assert language.label("above 0 … 2") == "plus de 0, jusqu’à 2"


def test_what_a_placeholder_of_a_label_stands_for_is_given_its_own_label(tmp_path):
    language = speaking(
        tmp_path, '"the {of_label} of {firm}": "{of_label} {firm}"\n"cost": "coût"\n"{x_label} in {year}": "{x_label} en {year}"'
    )
    assert language.label("the cost of cost") == "coût cost"
    assert language.label("the cost of A in 2024") == "coût A en 2024"


@pytest.mark.parametrize(
    ("english", "text"),
    [
        ("{a}", "{a}"),
        ("{a_label} {b}", "{b} {a_label}"),
        ("one {a} and {a}", "{a}"),
        ("Firm {number}", "企业"),
        ("Firm {number}", "企业{digits}"),
    ],
)
def test_a_pattern_that_cannot_be_filled_in_is_refused(english, text):
    with pytest.raises(ValueError, match="placeholder"):
        Patterns({english: text})
