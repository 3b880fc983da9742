"""A Chinese report holds no English and the numbers of the English one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from experiments.languages.wording import HERE, use_language
from experiments.reports.comparison import summary
from experiments.reports.html import report
from tests.experiments.reports.test_marked_language import STUDIES, Texts, made, without_pictures

pytestmark = pytest.mark.study

#: Words in Latin letters that a Chinese official reads, too: names of methods and of people, of files and formats, of the project.
ABBREVIATIONS = {
    "Strongchain", "SHA", "Fieller", "CSV", "Parquet", "N", "S", "D", "R", "p", "k1", "k2", "kp", "exp", "DPU", "QI", "ISO", "GB",
}  # fmt: skip
#: What no language names: settings and arms by their keys, commands, names of files, versions, ids of facts, one Greek letter.
NO_WORDS = (
    r"(?:parameters|instruments|region|network|study|portfolio)(?:\.\w+)+",
    r"docs/[a-z/]+\.md|[a-z_]+\.(?:csv|json|html|parquet|xlsx)",
    r"\d{4}-\d\d-\d\dT[\d:+]+",
    r"\b(?:python|mesa|numpy|scipy|pandas|pyarrow|hydra-core|omegaconf|matplotlib|joblib|strongchain) [\w.]+",
    r"\b[0-9a-f]{12,64}\b|\b[IF]\d{3}\b",
    r"\b(?:true|false|null|none|nothing|all|north|p\d+|cqo|one_stop_stations|strong_chain_loans)\b",
    r"\b(?:scale|quality_map|links)\b",
    r"\breplicates=\d+|\bby=\[tier,size\]",
    r"「[^」]*」",
    r"\d(?:\.\d+)?e[+-]?\d+",  # 1.5e-05
)
#: Names of the user's own, and the purpose of a payment in studies that are made by hand.
OWN = (r"“small”|\bsmall\b|\bnorth(?=和)", r"sales to users")


def english_in(texts: Sequence[str]) -> set[str]:
    """Return the Latin words of some texts that have no place in Chinese."""
    words = set()
    for text in texts:
        left = text
        for name in (*NO_WORDS, *OWN):
            left = re.sub(name, " ", left, flags=re.ASCII)
        words |= {f"{word} in {text.strip()[:120]}" for word in re.findall(r"[A-Za-z][A-Za-z0-9_]*", left) if word not in ABBREVIATIONS}
    return words


@pytest.fixture(scope="module")
def english(tmp_path_factory) -> Path:
    """English with the Chinese units of money, so that its numbers can be compared."""
    folder = tmp_path_factory.mktemp("units") / "units"
    shutil.copytree(HERE / "en", folder)
    phrases = yaml.safe_load((folder / "phrases.yaml").read_text(encoding="utf-8"))
    phrases["money"] = {"units": [[1e8, "yi"], [1e4, "wan"], [1.0, "yuan"]], "in_tables": 1e4}
    (folder / "phrases.yaml").write_text(yaml.safe_dump(phrases, allow_unicode=True), encoding="utf-8")
    return folder


def numbers(texts: Sequence[str]) -> set[str]:
    """Return every number with a decimal or of four digits: shorter ones are also words (three, both, 千)."""
    found = {number for text in texts for number in re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w.])", text, re.ASCII)}
    return {number.replace(",", "") for number in found if re.search(r"\.\d|\d{4}|,\d", number)}


@pytest.fixture
def no_pictures(monkeypatch) -> None:
    """The words of figures have a test of their own, in tests/experiments/figures."""
    without_pictures(monkeypatch)


@pytest.mark.parametrize("name", STUDIES)
def test_a_chinese_report_has_no_english_and_the_same_numbers(no_pictures, english, name):
    comparison = made(name)
    with use_language(english):
        there = Texts(report(comparison)).texts
    with use_language("zh"):
        here = Texts(report(comparison)).texts
    assert sorted(english_in(here)) == []
    differing = numbers(here) ^ numbers(there)
    assert differing - {"1000"} == set(), "“per 1,000 units” is 每千件"


@pytest.mark.parametrize("name", STUDIES)
def test_a_chinese_summary_has_no_english(name):
    comparison = made(name)
    with use_language("zh"):
        lines = summary(comparison).splitlines()
    assert sorted(english_in(lines)) == []
