"""The audit of the lock files: a defect fails it, a closed network does not, and silence never passes for health."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

from experiments.pages.developer.imports import ROOT

SPEC = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
assert SPEC and SPEC.loader
AUDIT = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(AUDIT)

LOCK = ROOT / "requirements.lock"
NOTHING_CHECKED = "audit: no vulnerability database answered; nothing was checked\n"
DEFECT = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"]}
SOUND, DEFECTIVE = ({"name": name, "version": "1.0", "vulns": defects} for name, defects in (("sound", []), ("defective", [DEFECT])))
SKIPPED = {"name": "unknown", "skip_reason": "not found"}


@pytest.fixture
def says(monkeypatch):
    """Let each database give one answer about the version with a known defect, and another about a lock file."""

    def say(known, lock):
        monkeypatch.setattr(AUDIT, "asked", lambda options, service, seconds: known if "--no-deps" in options else lock)

    return say


@pytest.mark.parametrize("known", [None, [], [SKIPPED], [SOUND]], ids=["silence", "an empty answer", "an unknown package", "no defect"])
def test_a_database_that_does_not_know_a_public_defect_has_not_answered(says, capsys, known):
    says(known, [SOUND])
    assert AUDIT.main([LOCK]) == 0
    assert capsys.readouterr().out == NOTHING_CHECKED


def test_sound_packages_pass_and_those_not_checked_are_named(says, capsys):
    says([DEFECTIVE], [SOUND, SKIPPED])
    assert AUDIT.main([LOCK]) == 0
    assert capsys.readouterr().out == "audit: requirements.lock: 1 packages checked by pypi; not checked: unknown\n"


def test_a_defect_fails_the_audit(says, capsys):
    says([DEFECTIVE], [SOUND, DEFECTIVE])
    assert AUDIT.main([LOCK]) == 1
    assert "  defective 1.0: PYSEC-1, fixed in 2.0\n" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1"])
def test_an_accepted_defect_is_shown_with_its_reason_and_passes(says, capsys, monkeypatch, name):
    monkeypatch.setattr(AUDIT, "ACCEPTED", {name: "2026-11-28, that function is not used"})
    says([DEFECTIVE], [DEFECTIVE])
    assert AUDIT.main([LOCK]) == 0
    assert "fixed in 2.0; accepted: 2026-11-28, that function is not used\n" in capsys.readouterr().out


def test_a_file_without_an_answer_fails_where_the_database_answered_before(says):
    says([DEFECTIVE], None)
    assert AUDIT.main([LOCK]) == 1


@pytest.mark.parametrize(
    ("program", "seconds", "answer"),
    [
        ("import time; time.sleep(60)", 0.2, None),
        ("raise SystemExit('no network')", 60, None),
        (f"print({json.dumps(json.dumps({'dependencies': [DEFECTIVE]}))}); raise SystemExit(1)", 60, [DEFECTIVE]),
    ],
    ids=["too slow", "no network", "a defect"],
)
def test_the_answer_of_the_tool_is_read(monkeypatch, program, seconds, answer):
    monkeypatch.setattr(AUDIT, "COMMAND", [sys.executable, "-S", "-c", program])
    assert AUDIT.asked([], "pypi", seconds) == answer


def test_a_mistake_in_the_command_is_no_silent_database(monkeypatch):
    monkeypatch.setattr(AUDIT, "COMMAND", [sys.executable, "-S", "-c", "import sys; print('no such option', file=sys.stderr); sys.exit(2)"])
    with pytest.raises(SystemExit, match="no such option"):
        AUDIT.answering()
