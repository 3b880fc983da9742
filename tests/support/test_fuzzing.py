"""The harness of the fuzzers sees what a try does wrong, and a try is always the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from tests.support.fuzzing import TOKEN, Desk, Try, desk_of, fuzz
from tests.support.mutations import BYTES, CELLS, mutated_bytes, mutated_rows
from tests.verification.bad_configurations import configuration_try
from tests.verification.bad_typing import typed_try

#: An application that does what is typed.
OBEDIENT = b"import os, shutil, sys\n\n\ndef main():\n    exec(sys.argv[1])\n"
REFUSE = "print('strongchain: no', file=sys.stderr); sys.exit(1)"
#: What is done, and what is said to be wrong with it; nothing if it is right.
DONE = (
    ("print('done')", ""),
    ("os.makedirs('results/new'); open('results/new/a.csv', 'w').write('x')", ""),
    (REFUSE, ""),
    ("print('warning: old', file=sys.stderr); " + REFUSE, ""),
    ("open('results/runs.txt', 'w').write('x'); os.remove('results/runs.txt')", ""),
    ("1 / 0", "a traceback of ZeroDivisionError"),
    ("sys.exit(1)", "the error begins with ''"),
    ("print('no', file=sys.stderr); sys.exit(1)", "the error begins with 'no"),
    ("print('strongchain: ' + 'x' * 50_000, file=sys.stderr); sys.exit(1)", "too long"),
    ("sys.exit(3)", "exit status 3"),
    ("os.kill(os.getpid(), 9)", "ended by signal 9"),
    ("bytearray(40 * 2 ** 30)", "a traceback of MemoryError"),
    ("open('new.txt', 'w').write('x')", "new: desk/new.txt"),
    ("open('new.txt', 'w').close(); os.remove('new.txt')", "reached outside: open"),
    ("import tempfile; tempfile.TemporaryDirectory().cleanup()", ""),
    ("import tempfile; tempfile.mkstemp()", "left in the folder of temporary files"),
    ("open('results/linked/x', 'w').write('x')", "new: outside/folder/x"),
    ("open('results/OTHER/x', 'w').write('x')", "new: desk/results/OTHER/x"),
    ("open('results/foreign/effects.csv', 'a').write('x')", "changed: desk/results/foreign/effects.csv"),
    ("os.utime('../outside/thesis.txt')", "changed: outside/thesis.txt"),
    ("os.rename(os.environ['HOME'] + '/diary.txt', 'results/diary.txt')", "removed: home/diary.txt"),
    ("shutil.rmtree('../outside/folder')", "removed: outside/folder/data.csv"),
    ("os.system('true')", "reached outside: os.system"),
    ("print(os.environ['SECRET_TOKEN'])", "the secret of the environment is in stdout"),
    ("open('results/a.csv', 'w').write(os.environ['SECRET_TOKEN'])", "the secret of the environment is in a.csv"),
    ("os.mkdir('results/' + os.environ['SECRET_TOKEN'])", "the secret of the environment is in"),
)


@pytest.fixture(scope="module")
def obedient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk where the application does what is typed."""
    yield from desk_of(tmp_path_factory.mktemp("obedient"), {"tree/experiments/run.py": OBEDIENT})


@pytest.mark.full
def test_what_a_try_does_wrong_is_seen(obedient):
    for code, expected in DONE:
        wrong = obedient.run(Try([code])).wrong
        assert any(expected in one for one in wrong) if expected else not wrong, (code, wrong)


@pytest.mark.full
def test_a_try_finds_what_the_first_one_found(obedient):
    look = "import pathlib; print(sorted(map(str, pathlib.Path('..').rglob('*'))))"
    first = obedient.run(Try([look])).stdout
    obedient.run(Try(["os.makedirs('results/a/b/c'); os.symlink('x', 'results/a/y')"], {"desk/q/chain.csv": b"a\n"}, {"desk/q/z": "x"}))
    assert obedient.run(Try([look])).stdout == first
    obedient.run(Try(["shutil.rmtree('results'); open('evil', 'w').close()"]))
    assert obedient.run(Try([look])).stdout == first


@pytest.mark.full
def test_failures_are_reported_with_how_to_repeat_them(obedient):
    def make(draw: random.Random) -> Try:
        return Try([draw.choice(("1 / 0", REFUSE, "print()"))], {"desk/chain.csv": b"a,b\n"}, told=["a mutation"])

    with pytest.raises(pytest.fail.Exception) as failed:
        fuzz(obedient, "chains", make, 9)
    assert "a traceback of ZeroDivisionError" in str(failed.value) and "STRONGCHAIN_FUZZ_TRY=" in str(failed.value)
    assert "a mutation" in str(failed.value) and "desk/chain.csv: b'a,b" in str(failed.value)


def test_a_try_depends_on_its_number_only():
    makers: tuple[Callable[[random.Random], Try], ...] = (typed_try, configuration_try)
    for make in makers:
        assert [make(random.Random(k)) for k in range(50)] == [make(random.Random(k)) for k in range(50)]
        assert len({repr(make(random.Random(k))) for k in range(50)}) > 45


def test_every_mutation_can_be_applied_to_any_file():
    told: list[str] = []
    for k in range(600):
        raw = (b"", b"a", b"supplier,customer\nx,y\n", b"\xff\n\n")[k % 4]
        mutated_bytes(raw, random.Random(k), told)
        assert isinstance(mutated_rows(("a\n", "supplier,customer\nx,y\n")[k % 2], random.Random(k), told), bytes)
    assert {*BYTES, *CELLS} <= set(told)


def test_no_mutation_writes_the_secret_itself():
    tries = [make(random.Random(k)) for k in range(300) for make in (typed_try, configuration_try)]
    assert not any(TOKEN in repr(one) for one in tries)
