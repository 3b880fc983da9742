"""What arms are called."""

from __future__ import annotations

import pytest

from experiments.analysis.arms import names_of_arms
from experiments.languages.wording import use_language

HUBEI = {"label": "Hubei", "label_zh": "湖北"}
LIAONING = {"label": "Liaoning", "label_zh": "辽宁"}


def arm(policy: dict[str, str] | None, region: dict[str, str]) -> dict:
    """The configuration of an arm of an exchange."""
    return {"portfolio": policy, "region": region, "instruments": {"cqo": {"active": policy is not None}}}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("en", ["no programme in Hubei 湖北", "the portfolio Liaoning 辽宁 in Hubei 湖北"]),
        ("zh", ["在湖北不实施政策", "在湖北实施辽宁组合"]),
    ],
)
def test_arms_of_an_exchange_are_called_by_their_portfolio_and_region(code, names):
    arms = {"nothing in hubei": arm(None, HUBEI), "liaoning in hubei": arm(LIAONING, HUBEI)}
    with use_language(code):
        assert list(names_of_arms({"arms": arms, "configuration": {"study": {"kind": "exchange"}}}).values()) == names
