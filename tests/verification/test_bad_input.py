"""Bad input of every kind is refused in a clear line: nothing hangs, breaks off, shows a secret, or touches what is not its own.

How one try is repeated: docs/developer/testing.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fuzzing import Desk, desk_of, fuzz
from tests.support.size import at_size
from tests.verification.bad_chains import chain_tries
from tests.verification.bad_configurations import configuration_try
from tests.verification.bad_studies import study_tries
from tests.verification.bad_typing import typed_try

pytestmark = [
    pytest.mark.verification,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="forks, and limits what a process may take, as Linux does"),
]

TRIES = at_size(50, 1_000)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A working folder among canaries."""
    yield from desk_of(tmp_path_factory.mktemp("bad_input"))


def test_mutated_chains_are_read_or_refused(desk):
    fuzz(desk, "chains", chain_tries(desk), max(TRIES, 100))  # of fewer, none may be good


def test_mutated_commands_are_done_or_refused(desk):
    fuzz(desk, "commands", typed_try, TRIES)


def test_mutated_configurations_are_read_or_refused(desk):
    fuzz(desk, "configurations", configuration_try, TRIES)


def test_mutated_studies_are_read_or_refused(desk):
    fuzz(desk, "studies", study_tries(desk), TRIES)
