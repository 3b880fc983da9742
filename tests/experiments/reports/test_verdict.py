"""The verdict: at most 60 words and two intervals in English, 120 characters in Chinese, and it says what the findings say."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from experiments.analysis.verdicts import Conclusion
from experiments.languages.wording import use_language
from experiments.reports.findings import Arm, ArmEffect, Estimate
from experiments.reports.verdict import Advice, Verdict, _as_good, sentences, verdict, verdict_of

NOTHING = Arm("nothing", False, (), False)
LONG = ("supplier_qualification", "supplier_development", "one_stop_stations", "digital_quality")
ARMS = (Arm("all", False, LONG, False), Arm("a", False, LONG[:1], True), Arm("甲乙丙丁戊己庚辛壬癸", True, LONG[:2], False))
SHARE, WIDE = Estimate(-0.1234, -0.1567, -0.0891), Estimate(-0.01, -0.05, 0.03)
MONEY = Estimate(-123.4e6, -156.7e6, -89.1e6)


def made(advice: Advice, arm: Arm, chosen: bool, costlier: bool, paid: Estimate | None, replicates: int = 20) -> Verdict:
    """A verdict of one kind."""
    share = {Advice.AVOID: Estimate(0.1234, 0.0891, 0.1567), Advice.NONE_SHOWN: WIDE}.get(advice, SHARE)
    one = ArmEffect(arm, 0.1, share, share, Conclusion.LOWER, False, 0.01)
    about = None if advice is Advice.NOTHING_COMPARED else one
    level = Estimate(0.012345, 0.011234, 0.013456)
    other = ARMS[0] if costlier else None
    return Verdict(
        advice,
        about,
        NOTHING,
        level,
        12,
        chosen,
        other,
        replicates - 1,
        replicates,
        ARMS[0],
        paid,
        paid,
        60,
        16_400,
        0.125,
        arm.instruments,
    )


EVERY = [
    made(advice, arm, chosen, costlier and advice is Advice.CHOOSE, paid, 1 if advice is Advice.ONE_REPLICATE else 20)
    for advice, arm, chosen, costlier, paid in product(Advice, ARMS, (True, False), (True, False), (MONEY, MONEY.times(1e3), WIDE, None))
]


@pytest.mark.parametrize("code", ["en", "zh"])
def test_every_verdict_is_three_short_sentences(code):
    for one in EVERY:
        with use_language(code):
            said = sentences("verdict", one)
        assert len(said) == 3 and all(said)
        whole = " ".join(said)
        assert len(re.findall(r"\d to \d|\d to −|% to|至", whole)) <= 2, whole
        if code == "en":
            words = re.findall(r"[\w.,’-]*\w", whole)
            assert len(words) <= 60, f"{len(words)} words: {whole}"
            assert all(one_.count(". ") == 0 and one_.endswith(".") for one_ in said), whole
        else:
            characters = len(re.sub(r"[A-Za-z0-9.,]+", "字", "".join(said)))  # a number or a word in Latin letters counts as one
            assert characters <= 120, f"{characters} characters: {whole}"
            assert all(one_.endswith("。") and one_.count("。") == 1 for one_ in said), whole


def test_more_defects_are_never_advised():
    with use_language("en"):
        said = sentences("verdict", made(Advice.AVOID, ARMS[1], False, False, MONEY))
    assert said[0].startswith("Do not choose") and "12.3 % more defects" in said[0]
    assert said[2].startswith("Stronger effects than assumed")


@pytest.fixture(scope="module")
def compared():
    """A small comparison of two instruments, which keeps the groups of its runs."""
    from experiments import compare

    return compare("region=sample", "replicates=4", "months=12", "burn_in=12", "instruments=[cqo,stewards]", "save=[groups]")


@pytest.mark.study
def test_what_is_advised_is_shown_and_the_cheapest_that_is_as_good(compared):
    from experiments.reports.findings import findings

    shown = findings(compared)
    one = verdict_of(compared, shown)
    by_arm = {effect.arm.name: effect for effect in shown.effects}
    best = min(shown.effects, key=lambda effect: effect.effect.mean)
    costs = compared.costs[compared.costs["payer"] == "government"].set_index("arm")["cost"]
    good = [name for name, effect in by_arm.items() if effect is best or _as_good(compared, effect, best)]
    if best.conclusion is Conclusion.LOWER:
        assert one.advice is Advice.CHOOSE and one.about is by_arm[min(good, key=lambda name: costs[name])]
    else:
        assert one.about is not None and one.about.arm == best.arm and one.advice is not Advice.CHOOSE
    runs = compared.runs[compared.runs["by"] == "total"].pivot(index="replicate", columns="arm", values="field_dpu")
    signs = np.sign(runs[one.about.arm.name] - runs["nothing"])
    paid = compared.costs[compared.costs["arm"] == one.about.arm.name].set_index("payer")["cost"]
    assert (one.government.mean, one.firms.mean, one.simulated) == (paid["government"], paid["firms"], 300)
    pairs = compared.pairs[(compared.pairs["outcome"] == "field_dpu") & (compared.pairs["arm"] == one.about.arm.name)]
    if one.rival is not None:
        against = pairs[pairs["against"] == one.rival.name]
        assert against.empty or against["conclusion"].iloc[0] != Conclusion.LOWER
    assert one.agreeing == int((signs == np.sign(one.about.effect.mean)).sum())
    assert verdict(compared) == sentences("verdict", one)


@pytest.mark.study
def test_a_costlier_arm_is_advised_only_if_it_is_shown_to_do_better(compared):
    """The same tables with pairs that show the best to be better: now it is advised, whatever it costs."""
    from experiments.reports.findings import findings

    shown = findings(compared)
    best = min(shown.effects, key=lambda effect: effect.effect.mean)
    effects = tuple(replace(effect, conclusion=Conclusion.LOWER) for effect in shown.effects)
    pairs = compared.pairs.copy()
    for conclusion, advised in ((Conclusion.LOWER, [best.arm.name]), (Conclusion.NOT_SHOWN, None)):
        pairs["conclusion"] = np.where(pairs["arm"] == best.arm.name, conclusion, Conclusion.HIGHER if advised else conclusion)
        one = verdict_of(replace(compared, pairs=pd.DataFrame(pairs)), replace(shown, effects=effects, main=None or effects[0]))
        costs = compared.costs[compared.costs["payer"] == "government"].set_index("arm")["cost"]
        assert one.about.arm.name in (advised or [costs.idxmin()])
        assert (one.costlier is None) == (one.about.arm.name == best.arm.name)
