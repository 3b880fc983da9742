"""The presets of real places: every figure has a source, every source says what the collected facts say, and each builds a world."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import yaml

from experiments.catalogue.settings import region_files
from experiments.commands import verbs
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError, compose_settings, read_settings
from experiments.pages.evidence.scales import REPLICATES, ScaleEffect, ScaleResults, p_of_equality, scale_effect, write
from experiments.pages.evidence.scales import page as scales_page
from experiments.pages.reference.regions import (
    DEFAULT_RULES,
    NO_PROVINCE,
    STRUCTURE,
    figures_of,
    read_source,
    regions_page,
    rules,
    size_mix,
)
from experiments.reports.findings import Estimate
from sim import Region, StrongchainModel
from sim.parameters import declared
from tests.support.places import EVIDENCE, FACTS, ROOT

pytestmark = pytest.mark.study  # configurations are composed, each in a fifth of a second

#: The collected facts; their documents lie outside the repository.
OFFICIAL = re.compile(r"\bofficial\b")
#: How the facts call the place of a preset, where it is not by its name in front of its label.
PLACES = {"national": "全国", "nanping": "南平"}
#: Facts that a preset may cite of another place: the figure says so itself.
BORROWED = {"F050": "Guangdong", "F051": "Guangdong"}
#: Figures that are read from a quotation and are not the number in it.
NOT_COUNTED = {("nanping", "chains"): "one industry"}


WHOLE = {one.key: one for one in region_files() if one.key != "sample"}
REAL = sorted(WHOLE)


def facts() -> dict[str, dict[str, str]]:
    if not FACTS.is_file():
        pytest.skip(f"the collected facts are not here ({FACTS}); STRONGCHAIN_FACTS=FILE says where they are")
    with FACTS.open(encoding="utf-8-sig", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


# -- sources --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", REAL)
def test_every_figure_of_a_real_place_has_a_source(key):
    for f in declared(Region):
        source = WHOLE[key].sources.get(f.name, "")
        read = read_source(source)[0]
        assert read or source.startswith("assumption") or OFFICIAL.search(source), f"{key}.{f.name} has no source: {source!r}"
        # A fact named in a line that is not read as one would pass for a source.
        assert read or not re.search(r"F\d{3}", source), f"{key}.{f.name} names a fact, but not as F000: how it was read 「words」"


@pytest.mark.parametrize("key", REAL)
def test_every_fact_cited_comes_with_its_quotation(key):
    for figure in figures_of(WHOLE[key]):
        assert len(figure.facts) == len(figure.quotes), f"{key}.{figure.name}"
        assert figure.how, f"{key}.{figure.name} does not say how it was read"


@pytest.mark.parametrize("key", REAL)
def test_a_cited_fact_exists_belongs_to_the_place_and_has_the_quotation_and_value(key):
    known, built = facts(), WHOLE[key]
    for figure in figures_of(built):
        for fact, quote in zip(figure.facts, figure.quotes, strict=True):
            assert fact in known, f"{key}.{figure.name} cites {fact}, which is no fact"
            assert quote == known[fact]["quote"], f"{key}.{figure.name} has other words than {fact}"
            place = BORROWED.get(fact, PLACES.get(key, built.label))
            assert place in known[fact]["place"], f"{key}.{figure.name} cites {fact}, which is of {known[fact]['place']}"
            assert fact not in BORROWED or place in figure.how, f"{key}.{figure.name} cites a fact of {place} without saying so"
        if not figure.facts or (key, figure.name) in NOT_COUNTED:
            continue
        values = [float(known[fact]["value"]) for fact in figure.facts]
        by_rule = values[0] / values[1] if "/" in built.sources[figure.name].split(":")[0] else sum(values)
        assert by_rule == pytest.approx(getattr(built, figure.name), rel=0.001 if len(values) > 1 else 0), f"{key}.{figure.name}"


@pytest.mark.parametrize("key", REAL)
def test_a_figure_that_follows_a_rule_follows_it(key):
    built, sources = WHOLE[key], WHOLE[key].sources
    ruled = {"leaders": ("leaders a chain", built.chains), "firms": ("firms a chain", built.chains)}
    ruled |= {"stations": ("stations a chain", built.chains), "chains": ("chains", 31 if key == "national" else 1)}
    for name, (rule, of) in ruled.items():
        if sources[name].startswith("assumption") and "regions.md" in sources[name]:
            assert f"{DEFAULT_RULES[rule]:g}" in sources[name] and "docs/reference/regions.md" in sources[name]
            assert getattr(built, name) == pytest.approx(DEFAULT_RULES[rule] * of, abs=0.5)
    for name, convention in (("chain_heads", "one a chain"), ("sectors", "one home sector a chain")):
        if convention in sources[name]:
            assert getattr(built, name) == built.chains


def test_the_rules_are_what_the_places_give():
    derived = rules(list(WHOLE.values()))
    assert derived.keys() == DEFAULT_RULES.keys()
    for name, (value, places) in derived.items():
        assert DEFAULT_RULES[name] == pytest.approx(value, rel=0.01)
        assert len(places) >= 2
    assert derived["leaders a chain"][1] == ["Liaoning", "Shaanxi"]
    assert derived["leaders a chain"][0] == pytest.approx(np.sqrt(24 / 16 * 94 / 23))
    assert set(NO_PROVINCE) <= {*REAL, "sample"}


def test_no_count_of_officers_is_taken_for_the_share_without_programme():
    assert all(not read_source(built.sources["officers"])[0] for built in WHOLE.values())


@pytest.mark.parametrize("key", REAL)
def test_a_region_has_a_chinese_name(key):
    assert re.fullmatch(r"[\u4e00-\u9fff]+", WHOLE[key].label_zh)
    assert WHOLE[key].key == key


def test_a_source_is_parsed():
    assert read_source("F001: read so 「甲“乙”」") == (("F001",), ("甲“乙”",), "read so")
    assert read_source("F001+F002: both 「甲」「乙」") == (("F001", "F002"), ("甲", "乙"), "both")
    for silent in ("assumption: as F001 has it", "F01: no 「甲」", "F001 without a colon"):
        assert read_source(silent) == ((), (), silent)


# -- worlds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", REAL)
def test_a_region_builds_and_runs_with_all_checks(key):
    whole = WHOLE[key]
    part = whole.scaled(min(1.0, 150 / whole.firms))
    model = StrongchainModel(part, burn_in=1, check=True)
    model.run(2)
    assert model.firms.n == part.firms and model.stations.n == part.stations
    assert 0.0 < model.field_dpu < 1.0


@pytest.mark.parametrize("key", ["guangdong", "nanping"])
def test_a_region_has_about_two_thousand_firms_by_default(key):
    built = read_settings(compose_settings([f"region={key}"])).world.region
    assert built.firms == min(WHOLE[key].firms, 2_000)
    assert built.sources == WHOLE[key].sources


def test_more_small_firms_than_large_ones_come_out():
    small, medium, large = size_mix(WHOLE["liaoning"], 1)
    assert small > 0.5 > medium > 10 * large > 0
    assert small + medium + large == pytest.approx(1)


# -- what is printed ------------------------------------------------------------------------------------


def test_the_page_has_every_figure_of_every_region_with_its_quotation(monkeypatch):
    monkeypatch.setattr("experiments.pages.reference.regions.size_mix", lambda region: [0.5, 0.4, 0.1])
    text = regions_page()
    for key, built in WHOLE.items():
        part = text.split(f"(`region={key}`)")[1].split("\n## ")[0]
        common = text.split("## The same in every region")[1].split("\n## ")[0]
        for figure in figures_of(built):
            read, quotes = ", ".join(figure.facts) or "—", "; ".join(figure.quotes) or "—"
            row = f"| `{figure.name}` | {figure.value} | {figure.unit} | {read} | {quotes} |"
            assert (row in part) != (row in common), f"{key}.{figure.name}"
            assert figure.name not in STRUCTURE or row in part


def test_every_region_is_listed_and_explained(capsys):
    assert verbs.main(["regions"]) == 0
    listed = capsys.readouterr().out
    for key, built in WHOLE.items():
        assert re.search(rf"^{key} .*{built.label_zh}", listed, re.MULTILINE)
    for name in ("guangdong", "Guangdong", "广东"):
        assert verbs.main(["explain", name]) == 0
        printed = capsys.readouterr().out
        assert "F023: 50 key chains" in printed and "「以50條重點產業鏈為牽引」" in printed


def test_a_misspelt_region_gets_the_nearest_name():
    with pytest.raises(SettingsError, match="guandong.*did you mean 'guangdong'"):
        preflight(["region=guandong"])


@pytest.mark.parametrize("key", REAL)
def test_a_file_has_a_source_for_every_figure_and_for_nothing_else(key):
    lines = (ROOT / "configs" / "region" / f"{key}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(lines)["sources"].keys() == {f.name for f in declared(Region)}


# -- other scales ---------------------------------------------------------------------------------------


@pytest.mark.study
def test_the_page_of_scales_is_measured_with_any_settings(tmp_path):
    overrides = ("region=sample", "months=3", "window=3", "burn_in=2", "parallel=serial")
    write(tmp_path, {0.2: 8}, overrides)
    text = (tmp_path / "scales.md").read_text(encoding="utf-8")
    assert re.search(r"^\| 0\.2 \| 60 \| 8 \| 0\.\d{4} ± 0\.\d{4} \|( (0|[+−]?\d\.\d\d( \[.+?\])?) \|){3}$", text, re.MULTILINE)
    assert "region=sample months=3" in text and "serial" not in text


def test_the_page_of_scales_says_what_differs():
    constant = ScaleEffect(Estimate(1.0, 0.0, 2.0), 0.5)
    results = []
    for scale, effect in ((0.1, -5.0), (1.0, 5.0)):
        changing = ScaleEffect(Estimate(effect, effect - 1.0, effect + 1.0), 0.5)
        results.append(ScaleResults(scale, 50, Region().scaled(scale), (0.02, 0.001), {"a": changing, "b": constant}))
    text = scales_page(results)
    agreement = dict(re.findall(r"^\| `?(\w[\w ]*)`? \| \S+ \| \S+ \| (.*?) \|", text.split("## Do they agree?")[1], re.MULTILINE))
    assert agreement == {"a": "**not the same**", "b": "the same within noise", "level without programme": "the same within noise"}
    assert "−10 ± 1 points" in text
    assert "| `firms` | 30 | 300 |" in text and "| firms per chain | 30 | 75 |" in text


def test_an_effect_is_a_ratio_of_means():
    base, change = np.array([1.0, 2.0, 3.0, 2.0]), np.array([-0.1, -0.2, -0.35, -0.15])
    (effect, low, high), error = scale_effect(change, base)
    assert effect == pytest.approx(-10.0) and low < effect < high
    residual = change + 0.1 * base
    assert error == pytest.approx(100 * residual.std(ddof=1) / 2 / 2)


def test_values_that_differ_by_more_than_their_errors_are_recognised():
    assert p_of_equality([1.0, 1.0, 1.0], [0.1, 0.2, 0.3]) == pytest.approx(1.0)
    # Two values: Q is the square of their difference by its error, here 3.
    assert p_of_equality([0.0, 3.0 * np.hypot(0.3, 0.4)], [0.3, 0.4]) == pytest.approx(0.0026998, rel=1e-4)
    assert np.isnan(p_of_equality([1.0, 2.0], [0.0, 1.0]))


def test_the_scales_in_the_docs_are_those_that_are_measured():
    text = (EVIDENCE / "scales.md").read_text(encoding="utf-8")
    for scale, count in REPLICATES.items():
        firms = f"{WHOLE['liaoning'].scaled(scale).firms:,}"
        assert re.search(rf"^\| {scale:g} \| {firms} \| {count} \|", text, re.MULTILINE)
