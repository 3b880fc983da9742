"""What is explained and listed in Chinese: no English is left where Chinese is spoken, and no Chinese is left that nobody asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

import sim
from experiments.catalogue.portfolios import portfolios
from experiments.catalogue.practices import practices
from experiments.catalogue.settings import explained, region_files
from experiments.commands import verbs
from experiments.languages.wording import HERE, PLACEHOLDER, Language, Patterns, use_language
from experiments.terminal import first_line
from sim import INSTRUMENTS, MONTH, OUTCOMES, SHOCKS

CHINESE = HERE / "zh"
IN_CHINESE = Language(CHINESE, Language(HERE / "en"))
#: What stays as it is: names of code and formulas in backquotes, arithmetic with figures of regions, quoted sources, works, commands in
#: double quotes, files.
KEPT = re.compile(
    r"``[^`]*``|`[^`]*`|[a-z]+\.(?:firms|chains)\b|「[^」]*」|《[^》]*》|\"[^\"]*\"|\S+\.(?:py|yaml|csv)\b|strongchain \S+=\S+"
)
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:, | - |[ -])[A-Za-z]{2,}")


@dataclass
class Asked:
    """What was asked for by its label while everything was explained, and the lines that came of it, by the first name."""

    texts: set[str]
    lines: dict[str, list[str]]


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """Everything that `explain` and the lists show under Chinese."""
    texts: set[str] = set()
    label = Language.label

    def noting(language: Language, thing: object) -> str:
        if language.code == CHINESE.name:
            texts.add(str(getattr(thing, "label", thing)))
        return label(language, thing)

    with pytest.MonkeyPatch.context() as patch, use_language("zh"):
        patch.setattr(Language, "label", noting)
        kept = {
            *INSTRUMENTS,
            *SHOCKS,
            *OUTCOMES,
            *(phase.__name__ for phase in MONTH),
            *(one.key for one in (*portfolios(), *region_files())),
        }
        kept |= {one.id for one in practices()}
        lines = {names[0]: tell() for names, tell in explained() if names[0] in kept}
        assert set(lines) == kept
        lines["instruments"], lines["shocks"], lines["experiments"] = verbs.instruments(), verbs.shocks(), verbs.experiments()
        texts |= {first_line(verbs.ANSWERS[verb].__doc__) for verb in verbs.VERBS}
        yield Asked(texts, lines)


def notes() -> Iterator[str]:
    """Notes on networks as the code writes them, every value in them a 1."""
    files = [*(Path(sim.__file__).parent / "build").rglob("*.py"), Path(sim.__file__).parent / "network" / "checks.py"]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
                noted = node.args if ast.unparse(node.func.value) == "notes" else []
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "notes" and isinstance(node.value, ast.List):
                noted = node.value.elts
            elif isinstance(node, ast.keyword) and node.arg == "notes" and isinstance(node.value, ast.Tuple):
                noted = node.value.elts
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding" and ast.literal_eval(node.args[1]) == "warning":
                noted = node.args[2:]
            else:
                continue
            for one in noted:
                if isinstance(one, ast.Constant | ast.JoinedStr):
                    parts = one.values if isinstance(one, ast.JoinedStr) else [one]
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in parts)


#: Notes that functions return.
RETURNED = (
    "a.csv is read as GB18030; its first names are 'a', 'b': if they look wrong, set network.encoding",
    "a.csv is read as GB18030; it begins with 'a', 'b': if that looks wrong, set encoding",
    "a.csv: not read: 'colour', 'size'",
    "a.csv: column 'cots' is not read; did you mean 'cost'?",
    "value shares of 3 stages: as given",
    "value shares of 3 stages: units × supplier's price / customer's price",
)


def test_every_docstring_that_is_explained_has_chinese(asked):
    """A docstring that was changed no longer matches its key in explanations.yaml, and is shown here."""
    docstrings = [cls.__doc__ for cls in (*INSTRUMENTS.values(), *SHOCKS.values())] + [phase.__doc__ for phase in MONTH]
    assert len([text for text in asked.texts if len(text) > 40]) > len(docstrings)
    names = {"instruments", "network"} | {path for one in practices() for path in one.becomes if "." in path}
    texts = {*asked.texts, *notes(), *RETURNED} - names
    left = {text for text in texts if IN_CHINESE.label(text) == text and re.search(r"[a-z]{2}", KEPT.sub("", text))}
    assert sorted(left) == []


def test_no_explanation_shows_two_latin_words_in_a_row(asked):
    labels = {text for text in asked.texts if IN_CHINESE.label(text) != text}
    assert len(labels) > 300
    shown = {text: KEPT.sub("", IN_CHINESE.label(text)) for text in labels}
    assert {text: said for text, said in shown.items() if ENGLISH.search(said)} == {}


def test_a_practice_an_outcome_and_an_instrument_are_explained_without_their_english_names(asked):
    assert "chain head" not in "\n".join(asked.lines["I001"]).lower()
    assert "defects reaching users" not in "\n".join(asked.lines["field_dpu"]).lower()
    with use_language("en"):
        told = {names[0]: tell for names, tell in explained() if names[0] in ("field_dpu", "I001")}
        assert "Defects reaching users" in "\n".join(told["field_dpu"]())
    assert "企业设立首席质量官（首席质量官制度）。" in re.sub(r"\n *", "", "\n".join(asked.lines["cqo"]))


def test_no_explanation_is_unused(asked):
    entries = {str(key): str(text) for key, text in yaml.safe_load((CHINESE / "explanations.yaml").read_text(encoding="utf-8")).items()}
    forms = Patterns({key: text for key, text in entries.items() if PLACEHOLDER.search(key)})
    texts = {*asked.texts, *notes(), *RETURNED, "as given", "units × supplier's price / customer's price"}
    used = {text if text in entries else (forms.match(text) or ("",))[0] for text in texts}
    assert sorted(set(entries) - used) == []


def test_paragraphs_are_looked_up_whatever_their_line_breaks(tmp_path):
    from experiments.catalogue.settings import in_paragraphs

    (tmp_path / "phrases.yaml").write_text("", encoding="utf-8")
    (tmp_path / "explanations.yaml").write_text("First words of it.: Un.\nSecond part.: Deux.", encoding="utf-8")
    with use_language(tmp_path):
        assert in_paragraphs("First words\n    of it.\n\n    Second part.\n\n    Third.") == ["  Un.", "", "  Deux.", "", "  Third."]
