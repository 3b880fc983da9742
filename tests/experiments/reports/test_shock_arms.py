"""Arms that are shocks: the report says what they change, and advises nothing about what nobody can choose."""

from __future__ import annotations

import pytest

from experiments.languages.wording import use_language
from experiments.reports.findings import NotDefined, findings
from experiments.reports.html import report
from experiments.reports.study import choices, other_world
from experiments.reports.verdict import Advice, verdict, verdict_of
from experiments.study_results import compare

pytestmark = pytest.mark.study

TINY = ("region=sample", "scale=0.3", "burn_in=6", "months=8", "window=6", "replicates=4", "instruments=[]", "parallel=serial")
BATCH = "shocks=[bad_batch], shocks.bad_batch.firm=largest_leader, shocks.bad_batch.month=4, shocks.bad_batch.size=0.5"


@pytest.fixture(scope="module")
def shocks_alone():
    return compare(*TINY, "study.reference=calm", f"study.arms={{calm: [shocks=[]], batch: [{BATCH}], demand: [shocks=[demand]]}}")


@pytest.fixture(scope="module")
def policy_under_a_shock():
    arms = f"study.arms={{calm: [shocks=[]], batch: [{BATCH}], officers: [{BATCH}, instruments=[cqo], instruments.cqo.reach=1]}}"
    return compare(*TINY, "study.reference=batch", arms)


def test_a_shock_is_told_by_what_it_changes_most_and_is_no_choice(shocks_alone):
    shown = findings(shocks_alone)
    said = verdict_of(shocks_alone, shown)
    assert choices(shocks_alone) == [] and other_world(shocks_alone, "batch") == ["shocks"]
    assert said.advice is Advice.SHOCK and said.about is not None and said.about.arm.name == "batch"
    assert said.about.effect.mean > 0.0, "the batch of the largest leader reaches its users"
    assert shown.no_ratio is NotDefined.OTHER_WORLD and not shown.chosen_by_result and shown.only_shocks
    for code, head in (("en", "With the shock “batch”, "), ("zh", "受到冲击“batch”时，")):
        with use_language(code):
            sentences = verdict(shocks_alone)
            text = report(shocks_alone)
        assert sentences[0].startswith(head)
        for word in ("Choose", "advised", "建议采用", "best of several"):
            assert word not in " ".join(sentences)
        assert ("a fall of demand" if code == "en" else "需求下降") in text
        assert ("the firms are not the same" if code == "en" else "企业并不相同") not in text


def test_under_a_shock_that_all_share_policies_are_advised_and_the_calm_arm_is_not(policy_under_a_shock):
    said = verdict_of(policy_under_a_shock, findings(policy_under_a_shock))
    assert choices(policy_under_a_shock) == ["officers"]
    assert said.about is not None and said.about.arm.name == "officers" and said.advice is not Advice.SHOCK
