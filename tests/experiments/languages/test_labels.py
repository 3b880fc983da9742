"""Names of things in Chinese: patterns, and that nothing which is shown by its label is left in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

import sim
from agents.firm import KINDS
from experiments.calibration.patterns import PATTERNS, PROBES
from experiments.catalogue.chains import chain_files
from experiments.catalogue.portfolios import portfolios
from experiments.catalogue.settings import figures, region_files, settings
from experiments.commands.verbs import main
from experiments.configuration.declared import declaring
from experiments.configuration.settings import AS_TYPED, OF_THE_FILE, OF_THE_REGION
from experiments.languages.wording import HERE, LABELS, PLACEHOLDER, Language, Patterns, language_in, say, use_language
from sim import INSTRUMENTS, OUTCOMES
from sim.accounts.accounts import FINANCING, SECTORS
from sim.instruments import SHARED_ASSUMPTION
from sim.instruments.programme import LEFT, TAKEN_ON

#: What lets firms, sectors and government pay in the books.
PAYING = {"pay", "firms_pay", "pay_firms", "pay_firms_in_parts", "firms_pay_firms"}
#: Names that builders of networks make up.
MADE_UP = ("Firm 00012", "Leader 2", "Chain 3", "Sector 11", "County 4")


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


# -- everything that is shown has Chinese --


class Noting(Language):
    """A language that notes what it is asked for, and what its placeholders stand for."""

    def __init__(self, folder: Path, otherwise: Language | None = None) -> None:
        super().__init__(folder, otherwise)
        self.asked: set[str] = set()

    def label(self, thing: object) -> str:
        self.asked.add(str(getattr(thing, "label", thing)))
        return super().label(thing)


def payments() -> set[str]:
    """Sectors and purposes that the code names where it pays; a purpose that an instrument has is its key."""
    named = {*SECTORS, *FINANCING, "brands: fees"}
    for path in Path(sim.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in PAYING:
                parts = [part for argument in call.args if not isinstance(argument, ast.JoinedStr) for part in ast.walk(argument)]
                named |= {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return named - set(INSTRUMENTS)


def shown() -> Iterator[tuple[str, str]]:
    """Every text that is shown by its label, with what it is of."""
    for one in settings():
        yield from ((f"{part} of {one.path}", getattr(one, part)) for part in ("meaning", "unit", "legal", "source"))
    yield from (("default", str(f.metadata["rule"].default_is)) for f in ruled())
    meanings = {one.path: one.meaning for one in settings()}
    yield "shared assumption", re.sub(r"^\w: ", "", meanings[SHARED_ASSUMPTION])
    for key, cls in INSTRUMENTS.items():
        yield from ((f"count of {key}", text) for count in cls.counted.items() for text in count)
        yield f"assumption of {key}", re.sub(r"^\w: ", "", meanings[cls.hinges_on])
    for key, outcome in OUTCOMES.items():
        yield from ((f"formula of {key}", outcome.formula), (f"label of {key}", outcome.label_zh))
        yield from ((f"unit of {key}", say(f"figures.{unit}", outcome.unit)) for unit in ("unit", "unit_of_difference"))
        yield f"unit of {key} in all", outcome.unit.removesuffix("/month") if outcome.is_flow else outcome.unit
    yield from (("kind of problem", kind) for kind in KINDS)
    for chain in chain_files():
        yield from (("chain", text) for text in (chain.label, chain.county, *chain.sources.values()) if text)
    for region in region_files():
        yield from (
            ("region", name) for name in (region.label, f"{region.label} · {region.chain_names[0] if region.chain_names else 'Chain 1'}")
        )
        yield from (("chain", name) for name in region.chain_names)
        yield from (("county", name) for name in region.county_names)
        yield from ((f"source of {region.key}.{name}", source) for name, _, source, _ in figures(region))
    for portfolio in portfolios():
        yield from ((f"source of {portfolio.key}.{path}", source) for path, source in portfolio.sources.items())
    for pattern in PATTERNS:
        yield from ((f"pattern {pattern.number}", text) for text in (pattern.label, pattern.source, pattern.note))
    for key, probe in PROBES.items():
        yield from ((f"figure {key}", text) for text in (probe.label, probe.unit))
    yield from (("count of every instrument", text) for text in (*TAKEN_ON, *LEFT))
    yield from (("payment", text) for text in payments())
    yield from (("name", text) for text in MADE_UP)
    yield from (("number of institutions", text) for text in (AS_TYPED, OF_THE_FILE, OF_THE_REGION))


def ruled() -> Iterator[Field[Any]]:
    """Settings whose default is described in words."""
    for _, cls in declaring():
        yield from (f for f in fields(cls) if "rule" in f.metadata and f.metadata["rule"].default_is)


@pytest.fixture(scope="module")
def chinese() -> tuple[Noting, list[tuple[str, str, str]]]:
    """Chinese, and all that is shown: of what, in English, in Chinese."""
    language = Noting(HERE / "zh", language_in(HERE / "en"))
    return language, [(of, english, language.label(english)) for of, english in shown()]


#: What stays as it is: quotations, formulas and names of settings in backquotes.
KEPT = re.compile(r"「[^」]*」|`[^`]*`")


def test_everything_that_is_shown_by_its_label_has_chinese(chinese):
    _, texts = chinese
    assert len(texts) > 1000
    english = {f"{of}: {text}" for of, text, said in texts if said == text and re.search("[a-z]{2}", KEPT.sub("", text))}
    assert sorted(english) == []
    words = {f"{of}: {said}" for of, _, said in texts if re.search(r"[A-Za-z]{2,}[ -][A-Za-z]{2,}|[a-z]+ [a-z]+", KEPT.sub("", said))}
    assert sorted(words) == [], "two Latin words in a row"


def test_no_entry_is_unused(chinese):
    language, _ = chinese
    entries = {str(key): str(text) for key, text in yaml.safe_load((HERE / "zh" / "labels.yaml").read_text(encoding="utf-8")).items()}
    forms = Patterns({key: text for key, text in entries.items() if PLACEHOLDER.search(key)})
    used = {text if text in entries else (forms.match(text) or ("",))[0] for text in language.asked}
    assert sorted(set(entries) - used) == []


def test_no_entry_stands_twice():
    files = [file for name in LABELS if (file := HERE / "zh" / name).is_file()]
    keys = [key.value for file in files for key, _ in yaml.compose(file.read_text(encoding="utf-8")).value]
    assert sorted({key for key in keys if keys.count(key) > 1}) == []


def test_generated_names_are_shown_in_chinese(chinese):
    language, _ = chinese
    assert [language.label(name) for name in MADE_UP] == ["企业00012", "链主2", "产业链3", "行业11", "4号县区"]
    assert language.label("Chain Store 3") == "Chain Store 3", "a name of a file"
    assert language.label("Jiangsu · Chain 3") == "江苏 · 产业链3"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["parameters", "scrap_share"], "0至1"),
        (["instruments"], "pace = 0.1 1/月"),
        (["explain", "supplier_development"], "学习（客户辅导各供应商的月数之和）"),
        (["explain", "region=jiangsu"], "F019：累计307个一站式服务站；未由政策设立时，视为已设（假设）"),
    ],
)
def test_verbs_show_them_in_chinese(words, wanted, capsys):
    with use_language("zh"):
        assert main(words) == 0
    assert wanted in re.sub(r"\n *", "", capsys.readouterr().out)


def test_a_place_has_both_names_in_english_and_one_in_chinese():
    assert [say("things.place", *names) for names in (("Hubei", "湖北"), ("Hubei", ""), ("", "湖北"), ("", ""))] == [
        "Hubei 湖北",
        "Hubei",
        "湖北",
        "",
    ]
    with use_language("zh"):
        assert [say("things.place", *names) for names in (("Hubei", "湖北"), ("Delta", ""), ("", ""))] == ["湖北", "Delta", ""]
        assert say("things.region", "hubei", "湖北") == "湖北" and say("things.region", "hubei", "") == "hubei"
