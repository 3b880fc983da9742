"""The language that is typed: for verbs, for help, for mistakes and for a study; no result depends on it."""

from __future__ import annotations

from contextvars import copy_context

import pytest

from experiments import run
from experiments.languages.wording import spoken


def answer(*typed: str) -> int:
    """What the application answers, in a context of its own: the language lasts to the end of a process."""
    return copy_context().run(run._answer, list(typed))


@pytest.mark.parametrize("typed", [("release", "language=zh"), ("language=zh", "release")])
def test_a_verb_answers_in_the_language_wherever_it_stands(typed, capsys):
    assert answer(*typed) == 1
    assert "哪个文件夹" in capsys.readouterr().err
    assert spoken().code == "en"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (("results", "language=fr"), "language is 'fr'; it must be one of en, zh"),
        (("results", "language=en", "language=zh"), "language is typed twice"),
        (("language=fr",), "language is 'fr'; it must be one of en, zh"),
        (("language=zh", "language=en"), "language=zh 和 language=en：language 输入了两次"),  # the first of them is spoken
        (("-m", "language=zh,en", "months=1,2"), "language holds for a whole study or sweep; give it one value"),
    ],
)
def test_a_language_that_is_none_or_two_is_one_mistake(typed, line, capsys):
    assert answer(*typed) == 1
    error = capsys.readouterr().err.strip()
    assert line in error
    assert "\n" not in error


@pytest.mark.study
def test_a_study_has_one_id_and_one_result_in_every_language(capsys):
    from experiments import compare

    asked = ("region=sample", "replicates=2", "months=2", "burn_in=0", "instruments=[cqo]")
    one, other = (compare(*asked, f"language={code}") for code in ("en", "zh"))
    assert one.manifest["id"] == other.manifest["id"]
    assert one.manifest["result"] == other.manifest["result"]
    assert spoken().code == "en"
