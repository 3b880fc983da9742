"""No sentence escapes: in a language in which every text stands in ⟦…⟧, nothing that is read stands outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from experiments import Comparison
from experiments.catalogue.settings import region_files, settings
from experiments.commands import verbs
from experiments.languages.wording import use_language
from experiments.reports.comparison import summary
from experiments.reports.elements import Picture
from experiments.reports.html import report
from sim import INSTRUMENTS, OUTCOMES
from tests.experiments.reports.test_report import HARM, HELP, LOWER, PAID, TWELVE, UNSURE, arms, study
from tests.support.marked_language import marked_language, outside

pytestmark = pytest.mark.study

STUDIES = {
    "help": (HELP, ()),
    "harm": (HARM, ()),
    "nothing is shown": (UNSURE, ()),
    "one replicate": (HELP, ("replicates=1",)),
    "corrected": ({"all": {"field_dpu": (-0.0003, 0.0004)}}, ("study.correction=bonferroni",)),
    "many arms": (
        {f"p{k}": {"field_dpu": (-0.0001 * k, 0.00005)} for k in range(1, 12)},
        (f"study.arms={{nothing: ['instruments=[]'], {TWELVE}}}",),
    ),
    "other worlds": (
        {arm: LOWER | PAID for arm in ("north", "small")},
        (arms(north="'region.firms=200'", small="'scale=0.5'"), "region=liaoning", "by=[]"),
    ),
    "too few replicates": (HELP, ("study.half_width=0.001", "study.cap=40")),
    "one arm": ({}, ("policy=none",)),
}
#: What no language names: arms, paths of settings, names of programs, of files and of the project, and what tells one study from another.
UNNAMED = (
    r"(?:parameters|instruments|region|network|study)(?:\.\w+)+|scale|region|[a-z_]+\.csv|manifest\.json",
    r"\d{4}-\d\d-\d\dT[\d:+]+",
    r"Strongchain|SHA-256|CNY|Fieller|Holm|Benjamini-Hochberg|Bonferroni",
    r"nothing|all|cqo|one_stop_stations|strong_chain_loans|north|small|p\d+",
    r"python|mesa|numpy|scipy|pandas|pyarrow|hydra-core|omegaconf|matplotlib|joblib|pyyaml|jinja2|strongchain",
    r"[0-9a-f]{12,64}|[IF]\d{3}(?:/[IF]\d{3})*",
    r"[\u3400-\u9fff]+",
    r"chains|leaders|firms|chain_heads|counties|sectors|stations|station_\w+|awareness|officers|loan_rate|median_revenue",
    r"sales to users",  # the purpose of the payment in the studies made by hand
)


class Texts(HTMLParser):
    """What is read on a page, element by element, commands and the style left out; and what is said of pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = [""]
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent = self._silent or tag in {"style", "code"}
        self.texts += [str(value) for name, value in attributes if name in {"alt", "aria-label"}]
        if tag not in {"span", "wbr", "strong"}:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._silent = self._silent and tag not in {"style", "code"}
        if tag not in {"span", "wbr"}:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts[-1] += data


def escaped(texts: Iterator[str]) -> set[str]:
    """Return what stands outside of brackets in some texts and has a name in a language."""
    rest = set()
    for text in texts:
        left = outside(text)
        for name in UNNAMED:
            left = re.sub(rf"(?<![^\W_]){name}(?![^\W_])" if name[0] != "[" else name, "", left)
        if re.search(r"[^\W\d_]", left):
            rest.add(f"{left.strip()} in {text.strip()}")
    return rest


@pytest.fixture(scope="module")
def language(tmp_path_factory) -> Path:
    every = settings()
    labels = [text for one in every for text in (one.meaning, one.legal, one.unit, one.source, one.meaning.split(": ", 1)[-1])]
    labels += [outcome.formula for outcome in OUTCOMES.values()]
    labels += [text for cls in INSTRUMENTS.values() for counted in cls.counted.items() for text in counted]
    labels += [source for region in region_files() for source in region.sources.values()]
    labels += [f.metadata["source"] for region in region_files() for f in region.__dataclass_fields__.values() if "source" in f.metadata]
    return marked_language(tmp_path_factory.mktemp("marked") / "marked", labels)


@pytest.fixture
def no_pictures(monkeypatch) -> None:
    """The words of figures have a test of their own, in tests/experiments/figures."""
    without_pictures(monkeypatch)


def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reports draw nothing."""
    monkeypatch.setattr(
        "experiments.reports.elements.Pictures.draw", lambda self, figure, alt, name="": Picture("data:image/png;base64,", alt, True)
    )


def made(name: str) -> Comparison:
    effects, overrides = STUDIES[name]
    replicates = 1 if "replicates=1" in overrides else 12
    comparison = study(effects, *(word for word in overrides if word != "replicates=1"), replicates=replicates)
    comparison.manifest.update(platform="12", half_width_reached=False)
    return comparison


@pytest.mark.parametrize("name", STUDIES)
def test_no_sentence_of_a_report_escapes(language, no_pictures, name):
    comparison = made(name)
    with use_language(language):
        texts = Texts(report(comparison)).texts
    assert sum(len(text) for text in texts) > 10_000
    assert sorted(escaped(iter(texts))) == []


@pytest.mark.parametrize("name", STUDIES)
def test_no_line_of_a_summary_escapes(language, name):
    comparison = made(name)
    with use_language(language):
        lines = summary(comparison).splitlines()
    assert len(lines) > 10
    verdict, rest = " ".join(lines[: lines.index("")]), lines[lines.index("") :]  # its sentences are broken into lines
    assert sorted(escaped(iter([verdict, *rest]))) == []


@pytest.mark.parametrize(
    "typed", [["parameters", "margin"], ["explain", "parameters.margin"], ["explain", "field_dpu"], ["results", "no such folder"]]
)
def test_no_answer_of_a_verb_escapes(language, capsys, typed):
    with use_language(language):
        verbs.main(typed)
    out, err = capsys.readouterr()
    printed = " ".join((out + err).split())
    assert outside(printed) != printed
    kept = re.sub(
        r"parameters\.margin|field_dpu|Defects reaching users|strongchain:?|no such folder|=VALUE|[\u3400-\u9fff]+", "", outside(printed)
    )
    assert sorted(set(re.findall(r"[^\W\d_]{2,}", kept))) == [], printed
