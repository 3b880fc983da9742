"""The page of instruments and practices: every practice is listed once, what it becomes exists, and links lead somewhere."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import replace

import pytest

from experiments.catalogue import settings as catalogue
from experiments.catalogue.practices import KINDS, NOT_MODELLED, becomes_known, of_instrument, practices, wrong
from experiments.pages.reference.instruments import anchor, heading, in_order, instruments_page
from experiments.terminal import first_line
from sim import INSTRUMENTS
from sim.instruments import Theme
from tests.support.places import FACTS, REFERENCE

#: The collected facts, which lie outside the repository; the practices are in a file next to that of the figures.
PRACTICES = FACTS.with_name("instruments.csv")
PAGE = instruments_page()
CHINESE = re.compile(r"[\u4e00-\u9fff]")


# -- the table of practices -------------------------------------------------------------------------------


def test_every_practice_is_listed_once() -> None:
    assert [one.id for one in practices()] == [f"I{number:03}" for number in range(1, 158)]
    names = Counter(one.practice for one in practices())
    assert not [name for name, times in names.items() if times > 1]


def test_everything_a_practice_becomes_exists() -> None:
    assert not wrong(practices())


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "becomes",
            ("consortia.project",),
            "I001 becomes 'consortia.project', which is no lever or setting; did you mean 'consortia.projects'?",
        ),
        ("becomes", ("consortia",), "I001 becomes 'consortia', which is no lever or setting"),
        ("becomes", (NOT_MODELLED, "network"), "I001 becomes 'not modelled', which is no lever or setting"),
        ("becomes", ("delivery.rampe",), "did you mean 'delivery.ramp'?"),
        ("how", " ", "I001 has no how"),
    ],
)
def test_a_mistake_is_named(field: str, value: object, message: str) -> None:
    wrong_practice = replace(practices()[0], **{field: value})
    messages = wrong([wrong_practice, *practices()[1:]])
    assert len(messages) == 1
    assert message in messages[0]


def test_a_practice_can_become_a_lever_a_shared_lever_or_a_setting() -> None:
    assert {"cqo.reach", "region.stations", "parameters.traceability", "network", "instruments", "delivery.ramp"} <= becomes_known()
    assert NOT_MODELLED not in becomes_known()


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_every_instrument_stands_for_a_practice(key: str) -> None:
    assert of_instrument(key)


def test_whatever_is_not_modelled_has_a_reason() -> None:
    """A reason says what is missing; it does not only repeat "not modelled"."""
    absent = [one for one in practices() if one.kind == NOT_MODELLED]
    assert absent
    for one in absent:
        assert len(one.how.split()) >= 6, f"{one.id}: {one.how!r} is no reason"


def test_names_are_chinese_and_english() -> None:
    for one in practices():
        assert CHINESE.search(one.practice), one.id
        assert not CHINESE.search(one.english), one.id
        assert not CHINESE.search(one.how), one.id


def test_ids_and_names_are_those_of_the_facts() -> None:
    if not PRACTICES.is_file():
        pytest.skip(f"the collected facts are not here ({PRACTICES}); STRONGCHAIN_FACTS=FILE says where they are")
    with PRACTICES.open(encoding="utf-8-sig", newline="") as file:
        known = {row["id"]: row for row in csv.DictReader(file)}
    assert [one.id for one in practices()] == sorted(known)
    for one in practices():
        assert one.practice in known[one.id]["name_zh"], f"{one.id} is {known[one.id]['name_zh']}, not {one.practice}"
        assert len(one.english.split()) < 4 or one.english.lower() not in known[one.id]["name_en"].lower(), f"{one.id} copies its name"


# -- docstrings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_an_instrument_says_who_pays_what_ends_and_what_outlasts_it(key: str) -> None:
    text, notes = catalogue.described(INSTRUMENTS[key])
    assert set(notes) == set(catalogue.NOTES)
    assert all(note.endswith(".") for note in notes.values())
    assert first_line(text).endswith(").")
    assert CHINESE.search(first_line(text))


def test_shared_levers_have_one_meaning_and_one_unit() -> None:
    """The share that government bears has one meaning, and each shared lever one unit, in all instruments."""
    every = [s for cls in INSTRUMENTS.values() for s in catalogue.levers(cls)]
    meanings = {s.meaning for s in every if s.name == "government_share"}
    assert meanings == {"share of the one-off cost that government bears; the firm bears the rest"}
    for name in (
        "start",
        "length",
        "ramp",
        "monthly_capacity",
        "budget",
        "government_share",
        "unit_cost",
        "insight",
        "records",
        "competence",
    ):
        assert len({s.unit for s in every if s.name == name}) == 1, name


# -- what explains them -----------------------------------------------------------------------------------


def explained(name: str) -> str:
    """What `explain` prints for a word."""
    return "\n".join(line for names, explain in catalogue.explained() if name in names for line in explain())


def test_an_instrument_names_the_practices_that_become_it() -> None:
    text = explained("cqo")
    assert "stands for" in text
    assert "I041 首席质量官制度: chief quality officers" in text
    assert "I118" not in text
    assert text.index("(the dose)") < text.index("instruments.cqo.pay_subsidy") < text.index("instruments.cqo.start")


@pytest.mark.parametrize("name", ["I118", "地理标志运用", "geographical indications"])
def test_a_practice_can_be_asked_for(name: str) -> None:
    assert re.search(r"becomes +not modelled\n.*do not ask where a product comes from", explained(name))


@pytest.mark.parametrize(("name", "key"), [("问题清单", "quality_map"), ("质量驿站", "testing_services"), ("首席质量官", "cqo")])
def test_each_name_of_an_instrument_can_be_asked_for(name: str, key: str) -> None:
    assert f"{key}: an instrument" in explained(name)


# -- the page ---------------------------------------------------------------------------------------------


def test_the_page_is_up_to_date() -> None:
    stored = (REFERENCE / "instruments.md").read_text(encoding="utf-8")
    assert stored == PAGE, "docs/reference/instruments.md is outdated: run make docs"


def test_the_page_goes_through_all_instruments_theme_by_theme() -> None:
    headings = [line.removeprefix("### ") for line in PAGE.splitlines() if line.startswith("### ")]
    assert headings == [heading(cls) for cls in in_order()]
    assert len(headings) == len(INSTRUMENTS)
    themes = [cls.theme for cls in in_order()]
    assert list(dict.fromkeys(themes)) == list(Theme)
    assert themes == sorted(themes, key=list(Theme).index)


def test_the_summary_adds_up() -> None:
    counts = [int(count) for count in re.findall(r"^\| [^|]+ \| (\d+) \|$", PAGE, re.MULTILINE)]
    *kinds, whole = counts
    assert kinds == [sum(one.kind == kind for one in practices()) for kind in KINDS]
    assert sum(kinds) == whole == 157


def test_links_of_the_page_lead_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", PAGE))
    assert len(links) > 3 * len(INSTRUMENTS)
    for link in links:
        file, _, place = link.partition("#")
        path = REFERENCE / (file or "instruments.md")
        assert path.is_file(), link
        titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not place or place in {anchor(title) for title in titles}, link
