"""A rule over many declarations is one test, which lists every breach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

__all__ = ["rule_over"]


def rule_over(
    cases: Iterable[tuple[Any, ...]], named: Callable[..., str] = lambda *case: str(case[0])
) -> Callable[..., Callable[[], None]]:
    """Make one test of a check and the cases that it must hold for.

    Parameters
    ----------
    cases : iterable of tuple
        Arguments of the check, a tuple a case.
    named : function
        What a case is called in the list of breaches.
    """
    every = list(cases)

    def made(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            breaches = []
            for case in every:
                try:
                    check(*case)
                except (AssertionError, pytest.fail.Exception) as breach:
                    breaches.append(f"{named(*case)}: {str(breach).strip() or 'the check failed'}")
            assert every, "there is no case"
            assert not breaches, f"{len(breaches)} of {len(every)} breach the rule:\n" + "\n".join(breaches)

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return made
