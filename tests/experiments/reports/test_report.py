"""The report of a study: its answer against the tables, its sections, that it needs no other file, that nothing in it runs."""

from __future__ import annotations

import copy
import re
import shlex
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agents.streams import replicate_keys
from experiments import Comparison, compare, formatting, load
from experiments.analysis.results import TABLES, collect, write_maps
from experiments.analysis.verdicts import Conclusion, conclusion, fails_correction
from experiments.configuration.settings import Settings, compose_settings, read_settings
from experiments.figures import effects_figure, save
from experiments.formatting import percent
from experiments.languages.wording import say, spoken, use_language
from experiments.reports import html as html_report
from experiments.reports.elements import Picture, Pictures
from experiments.reports.findings import arm_of, findings
from experiments.reports.html import report, write_report
from experiments.reports.study import assumptions
from experiments.runs.measure import Run
from experiments.runs.provenance import manifest
from experiments.studies.compare import arms_of
from sim import INSTRUMENTS, Parameters, Synthetic
from sim.instruments import SHARED_ASSUMPTION
from sim.outcomes import OUTCOMES

pytestmark = pytest.mark.study

SMALL = ("region=sample", "scale=0.2", "replicates=2", "months=6", "window=3", "burn_in=3", "parallel=serial")
SECTIONS = [
    "verdict",
    "answer",
    "arms",
    "effects",
    "paths",
    "gains",
    "delivered",
    "origins",
    "network",
    "queues",
    "books",
    "replicates",
    "again",
    "terms",
    "assumptions",
]
KEYS = tuple(OUTCOMES)
NUMBER = r"[+−]?\d[\d,]*(?:\.\d+)?"
PAYERS = {"government": "what government pays", "firms": "firms’ cost of quality", "society": "the cost of government and firms together"}
UNITS = {"CNY": 1.0, "million CNY": 1e6, "billion CNY": 1e9}


# -- studies made by hand --------------------------------------------------------------------------------


@cache
def composed(*overrides: str) -> tuple[Settings, dict]:
    """The settings and the manifest of a study with these overrides."""
    settings = read_settings(compose_settings(overrides))
    return settings, manifest(
        settings.resolved, overrides, replicate_keys(settings.seed, settings.replicates), arms_of(settings, overrides)
    )


def about(*overrides: str) -> dict:
    """The manifest of a study with these overrides."""
    return copy.deepcopy(composed("region=sample", "months=24", "window=12", *overrides)[1])


def study(
    effects: Mapping[str, Mapping[str, tuple[float, float]]],
    *overrides: str,
    replicates: int = 12,
    level: Mapping[str, float] | None = None,
) -> Comparison:
    """A study in which every outcome of an arm differs from the reference by a mean and a spread that are given."""
    its_manifest = about(f"replicates={replicates}", *overrides)
    settings, _ = composed(*its_manifest["overrides"])
    factors = {key: np.random.default_rng(k).uniform(0.9, 1.1, replicates) for k, key in enumerate(KEYS)}
    costs = {"firm_quality_cost": 2e9, "society_quality_cost": 2e9, "government_cost": 0.0}
    levels = {"field_dpu": 0.02, "field_defects": 4e7, **costs, **(level or {})}
    runs = []
    for a, arm in enumerate(its_manifest["arms"]):
        change = {
            key: m + s * np.random.default_rng([a, KEYS.index(key)]).normal(size=replicates) for key, (m, s) in effects.get(arm, {}).items()
        }
        for r in range(replicates):
            values = np.array([levels.get(key, 1.0) * factors[key][r] + (change[key][r] if key in change else 0.0) for key in KEYS])
            whole = np.where([OUTCOMES[key].is_flow for key in KEYS], values, np.nan)
            runs.append(
                Run(arm, r, KEYS, (("total", "total"),), values[:, None], whole[:, None], np.tile(values, (24, 1)), np.ones((2, 3)), None,
                    {"cqo": 1e6} if arm == "cqo" else {}, {("sales to users", "households", "leaders"): 1e8 + r})
            )  # fmt: skip
    return collect(runs, its_manifest, settings.study)


LOWER = {"field_dpu": (-0.002, 0.0004), "field_defects": (-4e6, 5e5)}
PAID = {"government_cost": (2e6, 1e5), "firm_quality_cost": (-6e7, 5e6), "society_quality_cost": (-5.8e7, 5e6)}
HELP = {
    "cqo": {"field_dpu": (-0.001, 0.0002)},
    "one_stop_stations": {"field_dpu": (-0.00001, 0.0005)},
    "all": LOWER | PAID,
}
HARM = {
    "cqo": {"field_dpu": (0.002, 0.0002)},
    "all": {
        "field_dpu": (0.003, 0.0002), "field_defects": (6e6, 1e5), "government_cost": (3e6, 1e4),
        "firm_quality_cost": (5e7, 1e6), "society_quality_cost": (5.3e7, 1e6),
    },
}  # fmt: skip
UNSURE = {
    "all": {
        "field_dpu": (-0.00005, 0.002),
        "field_defects": (-1e5, 4e6),
        "firm_quality_cost": (1e5, 5e7),
        "society_quality_cost": (2e6, 5e7),
    }
}
TWELVE = ",".join(f"p{k}: ['instruments=[cqo]','instruments.cqo.reach={k / 20}']" for k in range(1, 12))


def answer(comparison: Comparison) -> list[str]:
    """The three parts of the answer without their headings."""
    return [sentence for _, sentence in html_report.answer(findings(comparison))]


def question(comparison: Comparison) -> str:
    return say("question.study", findings(comparison))


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def close(printed: str, value: float, scale: float = 1.0) -> bool:
    """Whether a number as written is a value, to half of its last figure."""
    decimals = len(printed.partition(".")[2])
    last = 10.0**-decimals if decimals else 10.0 ** max(0, len(printed.strip("+−").replace(",", "")) - 3)
    return abs(number(printed) - value / scale) <= 0.5 * last * (1 + 1e-9)


def paid(sentence: str, payer: str) -> list[tuple[str, str, str, str, str]]:
    """What a cost rises or falls by: verb, amount, unit, ends of the interval, once in all and once per defect."""
    kinds = r"(?:95 % (?:Fieller )?interval )?"
    return re.findall(rf"{payer} (rises|falls) by ({NUMBER}) ((?:million |billion )?CNY) \({kinds}({NUMBER}) to ({NUMBER})\)", sentence)


# -- the sentence of the effect ---------------------------------------------------------------------------


@pytest.mark.parametrize(("effects", "word"), [(HELP, "fewer"), (HARM, "more")])
def test_the_first_sentence_has_the_numbers_of_the_table(effects, word):
    comparison = study(effects)
    row, sentence = comparison.effect("all"), answer(comparison)[0]
    size, low, high = re.search(
        rf"With all three together, ({NUMBER}) % {word} defects per unit .*?interval of the change ({NUMBER}) to ({NUMBER}) %", sentence
    ).groups()
    assert close(size, abs(100 * row["effect_share"]))
    assert close(low, 100 * row["effect_share_low"])
    assert close(high, 100 * row["effect_share_high"])
    level, base = re.search(rf"({NUMBER}) instead of ({NUMBER}) per 1,000 units, mean of months 13 to 24", sentence).groups()
    assert close(level, row["level"], 1e-3)
    assert close(base, comparison.effect("nothing")["level"], 1e-3)


def test_harm_is_called_harm_and_help_is_not():
    assert answer(study(HARM))[0].count("harm") == 2  # of the main arm, and of the officers alone
    assert "harm" not in answer(study(HELP))[0]


@pytest.mark.parametrize("seed", range(6))
def test_no_arm_whose_interval_holds_zero_is_said_to_change_anything(seed):
    draw = np.random.default_rng(seed)
    arms = ("cqo", "one_stop_stations", "strong_chain_loans", "all")
    comparison = study({arm: {"field_dpu": (draw.normal(0.0, 0.0006), draw.uniform(1e-5, 0.003))} for arm in arms})
    first, _, third = answer(comparison)
    parts = first.split(";")
    for arm in arms:
        row, name = comparison.effect(arm), say("arms.name", arm_of(comparison, arm))
        holds = row["effect_low"] <= 0.0 <= row["effect_high"]
        [part] = [part for part in parts if name in part]
        assert bool(re.search("no change|does not show a change", part)) == holds
        assert bool(re.search("fewer", part)) == (not holds and row["effect"] < 0)
        assert ("harm" in part) == (not holds and row["effect"] > 0)
        assert (name in third.split("nor how large")[0]) == holds


def test_an_arm_that_changes_nothing_is_said_to_change_nothing():
    first = answer(study({}))[0]
    assert "exactly as many defects per unit reach users as with no programme" in first
    assert "fewer" not in first
    assert "harm" not in first


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (0.01, "more defects per unit reach users than with no programme, which is harm"),
        (0.0, "the study does not show a change of the defects per unit that reach users"),
    ],
)
def test_of_a_reference_without_defects_there_is_no_share(no_pictures, mean, expected):
    comparison = study({"all": {"field_dpu": (mean, 0.001)}}, level={"field_dpu": 0.0})
    first = answer(comparison)[0]
    assert expected in first
    assert re.search(r"instead of 0(\.0+)? per 1,000 units", first)
    assert not re.search(r"\bnan\b", first + report(comparison))


def test_one_replicate_says_that_no_interval_is_known():
    first, second, third = answer(study(HELP, replicates=1))
    assert "in the one replicate that was run" in first
    assert "without an interval, this may be chance" in first
    assert "not defined, because one replicate gives no interval" in second
    assert "A single replicate gives no interval" in third
    assert not re.search(f"95 % .*{NUMBER} to {NUMBER}", first + second + third)


def test_a_correction_decides_and_is_named():
    """An interval that leaves out 0 by a little may be chance among all outcomes of four arms."""
    effects = {"all": {"field_dpu": (-0.0003, 0.0004)}}
    for overrides, corrected in (((), False), (("study.correction=bonferroni",), True)):
        comparison = study(effects, *overrides, replicates=12)
        row = comparison.effect("all")
        assert row["effect_high"] < 0.0
        assert row["conclusion"] == (Conclusion.NOT_SHOWN if corrected else Conclusion.LOWER)
        assert fails_correction(row) == corrected
        first, _, third = answer(comparison)
        assert ("fewer defects per unit" in first) != corrected
        assert ("p = " in first) == ("may be chance" in first) == corrected
        assert ("all three together" in third) == corrected
    assert f"p = {row['p_adjusted']:.2g} after Bonferroni’s correction" in first


def test_without_an_arm_called_all_the_answer_is_about_the_one_with_the_fewest_defects_and_says_so(no_pictures):
    override = f"study.arms={{nothing: ['instruments=[]'], {TWELVE}}}"
    comparison = study({f"p{k}": {"field_dpu": (-0.0001 * k, 0.00005)} for k in range(1, 12)}, override)
    first, second, _ = answer(comparison)
    assert first.startswith(
        "Of the 11 arms compared with “nothing”, “p11” has the fewest defects reaching users, "
        "and is shown to have fewer than each of the others: "
    )
    assert "fewer with" in first
    assert "“nothing”" in second
    assert question(comparison).startswith("How do 11 arms change the defects that reach users")
    page = Page(report(comparison))
    assert "Of 12 arms, the 5 with the lowest mean of defects are shown." in page.text["paths"]


def arms(**overrides: str) -> str:
    """Arms besides "nothing", each with its overrides."""
    return f"study.arms={{nothing: ['instruments=[]'],{','.join(f'{name}: [{override}]' for name, override in overrides.items())}}}"


def of_officers(count: int) -> str:
    return arms(**{f"a{k}": f"'instruments=[cqo]','instruments.cqo.reach={k / 20}'" for k in range(1, count + 1)})


@pytest.mark.parametrize("correction", [pytest.param("none", marks=pytest.mark.full), "holm"])
def test_the_best_looking_of_arms_without_effect_is_no_finding(no_pictures, correction):
    """Twenty arms of random numbers, one with an interval that leaves out 0 by chance: a correction removes it, and its lack is stated."""
    effects = {f"a{k}": {"field_dpu": (-0.0007 * (k == 1), 0.001)} for k in range(1, 21)}
    comparison = study(effects, of_officers(20), f"study.correction={correction}")
    rows = comparison.effects.query("outcome == 'field_dpu' and by == 'total' and arm != 'nothing'")
    assert ((rows["effect_low"] > 0.0) | (rows["effect_high"] < 0.0)).any()
    first, _, third = answer(comparison)
    if correction == "holm":
        assert first.startswith("None of the 20 arms is shown to change the defects that reach users")
        assert not re.search("fewe|harm|chance:", first)
        assert "does not show that any of the arms change the defects that reach users" in third
        assert "In no group" in (gains := Page(report(comparison)).text["gains"]) or "not asked for" in gains
    else:
        assert "not corrected for 20 comparisons" in first
        assert "20 arms are compared without a correction: of twenty arms without any effect, one" in third
        assert "has the fewest" not in first


def test_the_fewest_are_claimed_only_where_the_arm_is_shown_to_differ_from_every_other():
    close_by = {"a1": {"field_dpu": (-0.0020, 0.0005)}, "a2": {"field_dpu": (-0.0021, 0.0005)}}
    first = answer(study(close_by, of_officers(2)))[0]
    assert re.match(
        "Of the 2 arms compared with “nothing”, “a[12]” has the lowest mean .* chosen as the best of several, so part of this is chance",
        first,
    )
    apart = {"a1": {"field_dpu": (-0.001, 0.0001)}, "a2": {"field_dpu": (-0.004, 0.0001)}}
    comparison = study(apart, of_officers(2))
    assert answer(comparison)[0].startswith(
        "Of the 2 arms compared with “nothing”, “a2” has the fewest defects reaching users, "
        "and is shown to have fewer than each of the others"
    )
    reverse = comparison.pairs.rename(columns={"arm": "against", "against": "arm"})
    reverse = reverse.assign(conclusion=reverse["conclusion"].replace({"lower": "higher", "higher": "lower"}))
    assert answer(replace(comparison, pairs=reverse)) == answer(comparison)


def test_arms_that_are_exactly_alike_share_their_sentences():
    comparison = study({"a1": LOWER}, of_officers(2))
    alike = comparison.effects[comparison.effects["arm"] == "a1"].assign(arm="a2")
    effects = pd.concat([comparison.effects[comparison.effects["arm"] != "a2"], alike], ignore_index=True)
    first = answer(replace(comparison, effects=effects))[0]
    assert "“a1” and “a2” share exactly the same lowest mean" in first
    assert first.count("“a2”") == 1
    assert answer(study({}, of_officers(2)))[0].startswith("None of the 2 arms compared with “nothing” changes")


def test_where_the_reference_has_the_fewest_no_arm_is_said_to_have_them():
    first = answer(study({"a1": {"field_dpu": (0.001, 0.0001)}, "a2": {"field_dpu": (0.002, 0.0001)}}, of_officers(2)))[0]
    assert first.startswith(
        "None of the 2 arms compared with “nothing” is shown to have fewer defects; with “a1”, which has the lowest mean, 5"
    )
    assert first.count("which is harm") == 2
    assert "fewest" not in first


@pytest.mark.parametrize(("reference", "name"), [("all", "all three together"), ("cqo", "chief quality officers alone")])
def test_a_reference_with_a_programme_is_named(no_pictures, reference, name):
    comparison = study(HELP, f"study.reference={reference}")
    first, second, _ = answer(comparison)
    assert f", compared with {name}?" in question(comparison)
    assert f"per unit reach users than with {name}" in first
    assert f"compared with {name}," in second
    assert "than with no programme" not in first
    assert "harm" not in first
    page = Page(report(comparison))
    assert "arm by arm" in page.text["origins"]


def test_arms_in_other_worlds_are_called_so(no_pictures):
    override = arms(north="'region.firms=200'", small="'scale=0.5'", same="'instruments=[cqo]'")
    comparison = study({arm: LOWER | PAID for arm in ("north", "small", "same")}, override, "region=liaoning", "by=[]")
    second, third = answer(comparison)[1:]
    assert (
        "“north” and “small” have the same random numbers as the reference, "
        "but other worlds (“firms on the chains, leaders included” and “scale”): the firms are not the same" in third
    )
    assert question(comparison).endswith(", in worlds that differ in “firms on the chains, leaders included” and “scale”?")
    main = next(arm for arm in ("north", "small", "same") if f"With “{arm}”" in second)
    assert ("Per avoided defect in a product" in second) == (main == "same")
    html = report(comparison)
    page = Page(html)
    assert "north: another world (“firms on the chains, leaders included”) · small: another world (“scale”)" in page.text[""]
    assert "policy alone" not in html and "only by what is compared" not in html
    assert "No cost per avoided defect is given for north and small" in page.text["effects"]
    plain = study({"all": LOWER | PAID})
    assert "only by what is compared" in report(plain)
    assert "other worlds" not in answer(plain)[2]


def test_an_arm_in_another_world_has_no_cost_per_defect(no_pictures):
    comparison = study({"north": LOWER | PAID}, arms(north="'region=liaoning'"))
    assert comparison.costs["defined"].any()
    assert "No cost per avoided defect is given, because the worlds differ in “region”." in answer(comparison)[1]
    assert (
        "the supply chains of a sample region (示例地区) and the supply chains of Liaoning (辽宁) within 24 months, "
        "compared with “nothing”, in worlds that differ in “region”?" in question(comparison)
    )
    assert not any("Cost per avoided defect" in str(image["alt"]) for image in Page(report(comparison)).all("img"))


# -- the sentence of the cost -------------------------------------------------------------------------------


@pytest.mark.parametrize(("effects", "firms"), [(HELP, "falls"), (HARM, "rises")])
def test_the_second_sentence_has_the_numbers_of_the_table(effects, firms):
    comparison = study(effects)
    rows, sentence = comparison.costs[comparison.costs["arm"] == "all"].set_index("payer"), answer(comparison)[1]
    for payer, name in PAYERS.items():
        parts = paid(sentence, name)
        assert len(parts) == 1 + bool(rows.at[payer, "defined"])
        for stem, per, (verb, size, unit, low, high) in zip(("cost", "ratio"), (1.0, 1000.0), parts, strict=False):
            row = [per * rows.at[payer, f"{stem}{end}"] for end in ("", "_low", "_high")]
            assert (verb == "falls") == (row[0] < 0.0)
            assert close(size, abs(row[0]), UNITS[unit])
            for one, value in zip((low, high), sorted(map(abs, row[1:])), strict=True):
                assert close(one, value, UNITS[unit])
    assert f"firms’ cost of quality {firms} by " in sentence
    assert "Per avoided defect in a product of 1,000 CNY" in sentence or "more defects reach users, not fewer" in sentence


def test_a_cost_that_may_rise_or_fall_is_described_so():
    sentence = answer(study(UNSURE))[1]
    assert "it is not shown whether firms’ cost of quality rises or falls" in sentence
    assert "what government pays does not change" in sentence
    assert re.search(r"cost of quality rises or falls \([^)]*95 % interval ", sentence)
    assert sentence.count("95 %") == 1
    assert "The cost per avoided defect is not defined, because the interval of the defects avoided holds 0" in sentence


def test_more_defects_have_no_cost_per_defect_avoided():
    assert "not defined, because more defects reach users, not fewer" in answer(study(HARM))[1]


# -- what is not shown ----------------------------------------------------------------------------------------


def marked(cls: type) -> int:
    return sum(f.metadata.get("confidence") == "N" for f in fields(cls))


@pytest.mark.parametrize(
    ("overrides", "active"),
    [
        ((), ("cqo", "one_stop_stations", "strong_chain_loans")),
        (("instruments=[cqo]",), ("cqo",)),
        (("policy=none", "network=synthetic"), (Synthetic,)),
    ],
)
def test_assumptions_are_counted_from_the_declarations(overrides, active):
    comparison = study({}, *overrides)
    count = int(re.search(r"rest on (\d+) settings that are assumptions", answer(comparison)[2])[1])
    assert count == marked(Parameters) + sum(marked(INSTRUMENTS.get(key, key)) for key in active) == len(assumptions(comparison))
    for path in (SHARED_ASSUMPTION, *(INSTRUMENTS[key].hinges_on for key in active if key in INSTRUMENTS)):
        assert next(one.meaning.split(": ", 1)[-1] for one in assumptions(comparison) if one.path == path) in answer(comparison)[2]


def test_what_the_effect_of_an_instrument_hinges_on_is_an_assumption():
    paths = {one.path for one in assumptions(study({}, f"instruments=[{','.join(INSTRUMENTS)}]"))}
    assert {SHARED_ASSUMPTION, *(cls.hinges_on for cls in INSTRUMENTS.values())} <= paths


def test_the_report_says_where_figures_come_from(tmp_path):
    assert "the counts of firms and stations are invented" in answer(study({}))[2]
    reported = answer(study({}, "region=liaoning"))[2]
    assert "those that the authorities of Liaoning report" in reported
    assert "The network of firms is generated" in reported
    chain = tmp_path / "my chain.csv"
    chain.write_text("supplier,customer,value_share\na,b,0.3\nc,b,0.2\n", encoding="utf-8")
    comparison = study({}, "network=file", f"network.path='{chain}'")
    assert "The network comes from a file" in answer(comparison)[2]
    assert "my chain.csv" in question(comparison)


@pytest.mark.parametrize(
    ("overrides", "expected", "never"),
    [
        ((), "chain leaders, firms and chain heads are those that the authorities of Liaoning report.", "set for this study"),
        (("region.chain_heads=300",), "but the number of chain heads (300, not 20) was set for this study", "firms and chain heads are"),
        (("scale=0.1",), "the authorities of Liaoning report, all scaled by 0.1.", "about 2,000"),
        (
            ("region.firms=5000",),
            "the number of firms (5,000, not 1,755) was set for this study, all scaled by 0.4, to about 2,000",
            "firms, chain heads",
        ),
        (
            ("network=synthetic",),
            "chain heads are those that the authorities of Liaoning report, "
            "in proportion to the size of the network (5 chain heads)",
            "firms, chain heads",
        ),
        (("region.key=mine",), "the counts of firms and stations are invented", "authorities"),
    ],
)  # fmt: skip
def test_only_the_counts_of_the_regions_file_are_reported_ones(overrides, expected, never):
    third = answer(study({}, "region=liaoning", *overrides))[2]
    assert expected in third
    assert never not in third


def test_only_complete_replicates_are_counted_and_failed_ones_are_named(no_pictures):
    comparison = study(HELP, replicates=12)
    runs = comparison.runs[~comparison.runs["replicate"].isin([3, 7])]
    comparison = replace(
        comparison, runs=runs, manifest=comparison.manifest | {"failed": ["arm 'cqo', replicate 3: x", "arm 'all', replicate 7: x"]}
    )
    page = Page(report(comparison))
    assert "10 replicates of 24 months for each of 5 arms · replicates 3 and 7 failed and are left out ·" in page.text[""]
    assert "2 runs failed, and their replicates are left out (replicates 3 and 7)" in answer(comparison)[2]
    assert "With 10 replicates," in page.text["replicates"]


@pytest.mark.parametrize(("replicates", "has_interval"), [(9, False), (12, True)])
def test_the_gain_of_common_random_numbers_has_its_interval_from_ten_replicates_on(no_pictures, replicates, has_interval):
    comparison = study(HELP, replicates=replicates)
    text = Page(report(comparison)).text["replicates"]
    row = comparison.luck.query("arm == 'all' and outcome == 'field_dpu'").iloc[0]
    interval = re.search(
        rf"the same interval would need ({NUMBER}) times as many replicates \(95 % interval ({NUMBER}) to ({NUMBER})\)", text
    )
    assert bool(interval) == bool(re.search(r"\d times", text)) == has_interval
    if interval:
        assert all(
            close(one, row[f"ratio{end}"]) or float(one) > 0 for one, end in zip(interval.groups(), ("", "_low", "_high"), strict=True)
        )


def test_replicates_that_would_show_the_effect_are_those_of_a_new_study(no_pictures):
    comparison = study(HELP)
    text = Page(report(comparison)).text["replicates"]
    needed = comparison.enough.query("arm == 'all' and outcome == 'field_dpu'")["needed_to_show"].iloc[0]
    assert f"A new study of {needed:,.0f} replicates would show the effect in four of five cases, if it is as large" in text
    assert "there are enough" not in text
    asked = Page(report(study(HELP, "study.half_width=0.001", "study.cap=40"))).text["replicates"]
    assert "there are too few" in asked


def test_groups_are_ranked_by_their_means_and_no_order_is_claimed(comparison, no_pictures):
    rows = comparison.effects[(comparison.effects["arm"] == "all") & (comparison.effects["outcome"] == "nonconformity")].index
    effects = comparison.effects.assign(conclusion=comparison.effects["conclusion"].mask(comparison.effects.index.isin(rows), "lower"))
    text = Page(report(replace(comparison, effects=effects))).text["gains"]
    assert "the largest mean change" in text
    assert "Whether the change is larger there than elsewhere is not tested" in text
    assert "In no group" in Page(report(replace(comparison, effects=comparison.effects.assign(conclusion="not shown")))).text["gains"]


def test_losers_are_named_and_what_firms_pay_is_given_by_group(comparison, no_pictures):
    assert (
        "No group is shown to lose in true nonconformity"
        in Page(report(replace(comparison, effects=comparison.effects.assign(conclusion="not shown")))).text["gains"]
    )
    effects = comparison.effects.copy()
    of_small = (effects["arm"] == "all") & (effects["by"] == "size") & (effects["group"] == "small")
    effects.loc[of_small & (effects["outcome"] == "net_margin"), ["conclusion", "effect_share"]] = "lower", -0.25
    effects.loc[of_small & (effects["outcome"] == "firm_quality_cost"), "effect"] = 3.25e6
    page = Page(report(replace(comparison, effects=effects)))
    assert re.search(r"A change for the worse is shown .*among small firms in net margin \(−25", page.text["gains"])
    assert re.search(r"small firms.* 3\.25 ", " ".join(page.text["gains"].split()))
    with use_language("zh"):
        assert "小型企业的净利润率（−25" in re.sub(r"<[^>]+>", "", report(replace(comparison, effects=effects)))


def test_a_width_not_reached_too_few_replicates_and_failures_are_reported(no_pictures):
    comparison = study(HELP, "study.half_width=0.001", "study.cap=40", replicates=4)
    comparison.manifest.update(half_width_reached=False, failed=["arm cqo, replicate 3: out of <memory>"])
    third = answer(comparison)[2]
    assert "with 4 replicates they are rough; they are wider than the 0.1 %" in third
    assert "1 run failed, and its replicate is left out" in third
    assert "out of &lt;memory&gt;" in report(comparison)


# -- the page -----------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags with their attributes, and the text of every section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.code: list[str] = []
        self._section, self._tag = "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._tag = tag
        if tag == "section":
            self._section = str(dict(attrs)["id"])
        if tag in {"td", "th", "caption"}:
            self.text[self._section] = self.text.get(self._section, "") + " "

    def handle_data(self, data: str) -> None:
        data = data.replace("\u00a0", " ")
        self.text[self._section] = self.text.get(self._section, "") + data
        if self._tag == "code" and data.strip():
            self.code.append(data)

    @property
    def sections(self) -> list[str]:
        return [str(attributes["id"]) for tag, attributes in self.tags if tag == "section"]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """A small study, simulated."""
    return compare(*SMALL)


@pytest.fixture(scope="module")
def html(comparison) -> str:
    return report(comparison)


@pytest.fixture
def no_pictures(monkeypatch) -> None:
    """Leave out what takes the time and is not looked at."""
    monkeypatch.setattr(
        "experiments.reports.elements.Pictures.draw", lambda self, figure, alt, name="": Picture("data:image/png;base64,", alt, True)
    )


def bare(html: str) -> str:
    """A page without its pictures."""
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "picture", html)


def test_the_report_has_every_section_with_its_pictures(comparison, html):
    page = Page(html)
    assert page.sections == SECTIONS
    assert len(page.all("img")) == 9
    assert all(len(str(image["alt"])) > 20 for image in page.all("img"))
    for sentence in answer(comparison):
        assert sentence in page.text["answer"]
    assert question(comparison) in page.text[""]
    assert page.all("html") == [{"lang": "en"}]
    assert len(html) < 3_000_000
    assert {"首席质量官", "强链贷"} <= set(re.findall(r'<span lang="zh">(.+?)</span>', html))


def test_the_page_asks_for_nothing_outside_itself(html):
    page = Page(html)
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in page.all("img"))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "video", "audio", "form", "a", "base"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name in {"href", "srcset", "style"}]
    assert not re.search(r"https?:|//\w|url\(|@import", bare(html))


def test_every_table_has_heads_and_as_many_cells(html):
    for table in re.findall(r"<table>.*?</table>", html, re.DOTALL):
        head, body = table.split("<tbody>")
        columns = head.count("<th ")
        assert columns >= 2
        rows = re.findall(r"<tr>.*?</tr>", body, re.DOTALL)
        assert rows
        assert all(len(re.findall(r"<t[hd]", row)) == columns for row in rows)


def test_the_commands_are_those_to_type(comparison, html, no_pictures):
    assert [shlex.split(command) for command in Page(html).code] == [["strongchain", *SMALL]]
    odd = replace(comparison, manifest=comparison.manifest | {"overrides": ["name=my study", "network.path='链条 一.csv'", "months=6"]})
    commands = [shlex.split(command) for command in Page(report(odd, Path("results/my study"))).code]
    assert commands == [["strongchain", "network.path='链条 一.csv'", "months=6"], ["strongchain", "rerun", "results/my study"]]


def test_names_of_arms_and_files_cannot_become_part_of_the_page(comparison, no_pictures):
    strange = "<script>alert(1)</script>甲&\"'"
    arms = {"cqo": strange}
    tables = {name: getattr(comparison, name).replace({"arm": arms, "against": arms}) for name in TABLES}
    changed = dict(comparison.manifest)
    changed["arms"] = {arms.get(name, name): arm for name, arm in changed["arms"].items()}
    changed["configuration"] = changed["configuration"] | {"study": changed["configuration"]["study"] | {"arms": {}}}
    changed |= {"input_files": {"<img src=x onerror=alert(1)>.csv": "0"}, "overrides": [f"name={strange}", f"region.label={strange}"]}
    html = report(replace(comparison, **tables, manifest=changed))
    assert "<script" not in html
    assert "<img src=x" not in html
    assert strange in Page(html).text["arms"]


def test_a_study_from_disk_is_reported_without_its_maps(comparison, html, no_pictures, tmp_path):
    comparison.save(tmp_path)
    stored = load(tmp_path)
    assert answer(stored) == answer(comparison)
    write_report(stored, tmp_path)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.sections == SECTIONS
    assert "The network is not shown" in page.text["network"]
    assert len(page.all("img")) == len(Page(html).all("img")) - 2


def test_a_study_from_disk_shows_the_map_of_its_tables(comparison, no_pictures, tmp_path):
    write_maps(comparison, tmp_path)
    comparison.save(tmp_path)
    page = Page(report(load(tmp_path)))
    assert "The network is not shown" not in page.text["network"]
    assert page.text["network"] == Page(report(comparison)).text["network"]


def test_figures_of_the_folder_are_taken_if_they_are_of_this_study(comparison, tmp_path):
    path, figure = tmp_path / "effects.png", effects_figure(comparison.effects, comparison.manifest)
    pictures = Pictures(comparison.manifest, tmp_path)
    for its_manifest, taken in ((comparison.manifest, True), (comparison.manifest | {"id": "another"}, False)):
        save(figure, path, its_manifest)
        picture = pictures.draw(lambda: figure, "in words", "effects")
        assert (picture.uri == f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}") == taken
        assert picture.alt == "in words"
        assert not picture.wide


def test_one_arm_alone_has_a_report_without_effects():
    comparison = study({}, "policy=none")
    first, second, third = answer(comparison)
    row = comparison.effect("nothing")
    level, low, high = re.search(
        rf"({NUMBER}) defects per 1,000 units reach users \(95 % interval ({NUMBER}) to ({NUMBER});", first
    ).groups()
    assert all(close(printed, row[name], 1e-3) for printed, name in ((level, "level"), (low, "level_low"), (high, "level_high")))
    assert "no effect is shown" in first
    assert "no cost per avoided defect is defined" in second
    page = Page(report(comparison))
    assert "without any programme" in page.text[""]
    assert not {"effects", "gains", "replicates"} & set(page.sections)
    assert {"paths", "origins", "queues", "books", "again", "assumptions"} <= set(page.sections)


def test_settings_that_were_changed_are_shown_with_their_values(no_pictures):
    comparison = study(
        {},
        "parameters.margin=0.08",
        "parameters.severity=0.045",
        "study.arms={nothing: ['instruments=[]'], half: ['instruments.cqo.reach=0.25']}",
    )
    text = " ".join(Page(report(comparison)).text["assumptions"].split())
    near = text.split("All other assumptions")[0]
    usual = f"{Parameters().severity:g}"
    assert re.search(
        r"parameters\.severity own defects that one open problem adds defects/unit 0\.045 " + re.escape(usual) + " 0 … 0", near
    )
    assert re.search(r"instruments\.cqo\.reach .*? share 0\.25 0\.5 0 … 1", near)
    assert "parameters.margin" not in text  # its default has a source
    assert "share of the eligible firms that it reaches 0.25" in Page(report(comparison)).text["arms"]


# -- numbers in sentences ---------------------------------------------------------------------------------------------


def test_numbers_keep_their_figures():
    assert percent([-0.0706, -0.102, -0.0388]) == ["−7.1", "−10.2", "−3.9"]
    assert percent([-0.000138, -0.000357, 0.0000822]) == ["−0.014", "−0.036", "+0.008"]
    assert percent([-0.071, -0.142, -0.0004]) == ["−7.10", "−14.20", "−0.04"]  # what is not 0 does not look like it

    def amounts(values: list[float]) -> tuple[list[str], str]:
        return formatting.amounts(values, False, spoken().money_units())

    assert amounts([148.47e6, 91.6e6, 205.3e6]) == (["148", "92", "205"], "million CNY")
    assert amounts([1_768_014.0, 1_733_474.0, 1_802_554.0]) == (["1.77", "1.73", "1.80"], "million CNY")
    assert amounts([4331.8, 3382.3, 5623.1]) == (["4,330", "3,380", "5,620"], "CNY")
    assert amounts([0.0]) == (["0"], "CNY")


@pytest.mark.parametrize(
    ("mean", "low", "high", "concluded"),
    [
        (-1.0, np.nan, np.nan, "unknown"),
        (-1.0, -2.0, 0.0, "not shown"),
        (0.0, 0.0, 0.0, "no change"),
        (1.0, 1.0, 1.0, "higher"),
        (-1.0, -2.0, -0.1, "lower"),
    ],
)
def test_a_conclusion_follows_from_the_interval(mean, low, high, concluded):
    assert conclusion(mean, low, high) == concluded


def test_arms_may_differ_in_their_network(no_pictures, tmp_path):
    """Settings of a network belong to the arms that have one of its kind."""
    chain = tmp_path / "chain.csv"
    chain.write_text("supplier,customer\na,b\nc,b\n", encoding="utf-8")
    arms = f"study.arms={{nothing: ['instruments=[]'], file: ['network=file','network.path={chain}'], made: ['network=synthetic']}}"
    page = Page(report(study({}, arms)))
    assert "network.kind = file" in page.text["arms"]
    assert "network.lateral" in page.text["assumptions"]
