"""One test over many cases lists every breach, and cannot pass where there is nothing to check."""

from __future__ import annotations

import pytest

from tests.support.breaches import rule_over


def positive(number):
    assert number > 0, f"{number} is not above 0"


def test_every_breach_is_listed():
    with pytest.raises(AssertionError, match="2 of 3 breach the rule") as refused:
        rule_over([(1,), (0,), (-1,)])(positive)()
    assert "0: 0 is not above 0" in str(refused.value) and "-1: -1 is not above 0" in str(refused.value)


def test_no_case_is_no_success():
    with pytest.raises(AssertionError, match="there is no case"):
        rule_over([])(positive)()
    rule_over([(1,)])(positive)()
