"""Languages: phrases and sentences by name, what is missing in a folder appears in English, and what has no Chinese yet is counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.languages import wording
from experiments.languages.wording import HERE, language_in, languages, say, spoken, use_language
from sim.outcomes import OUTCOMES

ENGLISH, CHINESE = language_in(HERE / "en"), language_in(HERE / "zh")


@pytest.fixture
def french(tmp_path: Path) -> Path:
    """A language with one phrase, one sentence and one label."""
    folder = tmp_path / "fr"
    folder.mkdir()
    (folder / "phrases.yaml").write_text("sections:\n  gains_heading: Qui y gagne ?\n", encoding="utf-8")
    (folder / "numbers.j2").write_text("{% macro between(low, high) %}de {{ low }} à {{ high }}{% endmacro %}\n", encoding="utf-8")
    (folder / "labels.yaml").write_text("Defects reaching users: Défauts chez l’utilisateur\n", encoding="utf-8")
    return folder


def test_a_language_is_a_folder_and_nothing_else(french):
    with use_language(french) as language:
        assert spoken() is language
        assert say("sections.gains_heading") == "Qui y gagne ?"
        assert say("numbers.between", 1, 2) == "de 1 à 2"
        assert wording.label(OUTCOMES["field_dpu"]) == "Défauts chez l’utilisateur"
        assert say("sections.paths_heading") == "How do they develop?", "what is missing in it appears in English"
        assert say("lists.joined", ["a", "b", "c"]) == "a, b and c"
    assert spoken().code == "en"


def test_a_macro_that_is_copied_with_its_imports_needs_no_other_file(french):
    """What a template imports and the folder lacks is the English one; a macro that is not copied stays English."""
    macro = """{% import "lists.j2" as _lists %}
{% macro names(arms, word="and") %}ces bras : {{ _lists.joined(arms) }}{% endmacro %}
"""
    (french / "arms.j2").write_text(macro, encoding="utf-8")
    with use_language(french) as language:
        assert say("arms.names", ["a", "b"]) == "ces bras : a and b"
        assert "arms.names" in language.names()
        assert "lists.joined" not in language.names(), "it is not of the folder"
        assert say("lists.plural", 2, "replicate") == "replicates"


def test_an_unknown_language_is_refused_with_those_available():
    with pytest.raises(ValueError, match=r"language is klingon; there is en, zh"), use_language("klingon"):
        pass
    assert languages() == ["en", "zh"]


def test_an_unknown_name_is_an_error_and_not_an_empty_text():
    with pytest.raises(KeyError, match=r"no phrase and no sentence is called 'answer\.nothing'"):
        say("answer.nothing")
    with pytest.raises(Exception, match="undefined"):
        say("report.footer")


def test_every_name_that_code_asks_for_exists():
    """Names that are put together from a key are looked at where they are used."""
    asked = set()
    for path in (HERE.parent).rglob("*.py"):
        asked |= set(re.findall(r'(?:\bsay|\blines|_head)\(\s*"([a-z_]+\.[a-z_.]+)"', path.read_text(encoding="utf-8")))
    known = set(ENGLISH.names())
    assert len(asked) > 50
    assert sorted(asked - known) == []


def test_every_text_has_chinese_and_every_chinese_text_is_used():
    assert sorted(set(ENGLISH.names()) - set(CHINESE.names())) == [], "texts without Chinese: translate what is new"
    templates = "".join(path.read_text(encoding="utf-8") for path in (HERE / "zh").glob("*.j2"))
    own = {name for name in set(CHINESE.names()) - set(ENGLISH.names()) if f"_{name}(" not in templates}
    assert own == set(), "Chinese texts that are never used"


def test_outcomes_and_instruments_speak_both_languages():
    with use_language("zh"):
        assert wording.label(OUTCOMES["field_dpu"]) == OUTCOMES["field_dpu"].label_zh
        assert spoken().instrument("cqo") == "首席质量官"
        assert spoken().instrument("standards") == "标准稳链", "a sentence needs one name, not all of them"
    assert spoken().instrument("cqo") == "chief quality officers"
    assert spoken().instrument("cqo", both=True) == "chief quality officers (首席质量官)"


def test_lines_of_a_template_become_one_sentence():
    assert wording._plain("one ,\n   two ( three )  .") == "one, two (three)."
    assert wording._plain("三 家 企业 ， 好") == "三家企业，好"


@pytest.mark.parametrize("code", ["en", "zh"])
def test_a_path_is_said_as_it_is(code):
    folder = Path("/家/新 人/two  blanks/a , b")
    with use_language(code):
        assert str(folder) in say("verify.nothing", folder=folder)
        assert str(folder) in say("progress.written", seconds=3.0, drawn=True, folder=folder)
        assert str(folder) in say("sweep.not_collected", folder, "why")
