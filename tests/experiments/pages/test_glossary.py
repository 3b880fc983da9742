"""The terms of the field: one table in two languages, which agrees with what outcomes and instruments are called."""

from __future__ import annotations

import re
from collections import Counter

from experiments.languages.glossary import glossary
from experiments.pages.reference.glossary import glossary_page
from sim import INSTRUMENTS, OUTCOMES
from tests.support.places import REFERENCE

TERMS = [term for terms in glossary().values() for term in terms]
CHINESE = re.compile(r"[\u3400-\u9fff]")


def test_the_page_is_up_to_date():
    written = (REFERENCE / "glossary.md").read_text(encoding="utf-8")
    assert written == glossary_page(), "docs/reference/glossary.md is outdated: run make docs"


def test_every_term_has_both_languages_and_a_meaning_in_one_sentence():
    bad = [t.key for t in TERMS if not CHINESE.search(t.zh) or not t.en or CHINESE.search(t.en) or t.meaning[-1:] != "."]
    assert len(TERMS) > 60 and not bad


def test_every_term_is_listed_once():
    for part in ("key", "en", "zh"):
        often = [text for text, times in Counter(getattr(term, part) for term in TERMS).items() if times > 1]
        assert not often, f"{part}: {often}"


def test_a_term_that_is_an_outcome_or_an_instrument_has_its_chinese_label():
    # A label of an instrument may hold several practices.
    labels = {key: [outcome.label_zh] for key, outcome in OUTCOMES.items()}
    for key, instrument in INSTRUMENTS.items():
        labels[key] = [*labels.get(key, []), *instrument.label_zh.split(", ")]
    named = [term for term in TERMS if term.key in labels]
    wrong = [f"{term.key}: {term.zh}, not {' or '.join(labels[term.key])}" for term in named if term.zh not in labels[term.key]]
    assert len(named) > 20 and not wrong, "\n".join(wrong)


def test_a_term_with_the_english_label_of_an_outcome_has_its_key():
    key_of = {outcome.label.lower(): key for key, outcome in OUTCOMES.items()}
    named = [term for term in TERMS if term.en.lower() in key_of]
    assert named and all(term.key == key_of[term.en.lower()] for term in named)


def test_every_instrument_is_among_the_terms():
    assert INSTRUMENTS.keys() <= {term.key for term in TERMS}
