"""A policy file of one's own is data: read under bounds, checked as if it had been typed, never given to Hydra as a configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from experiments.configuration.own_policies import as_typed, in_hydras_words, names_a_file, own_policies, remember
from experiments.configuration.policy_file import PolicyError, read_policy
from experiments.configuration.rules import SettingsError

GOOD = """label: Mine
label_zh: 我的政策
instruments:
  首席质量官: {reach: 0.25, budget: 1e6}
  stewards:
sources:
  cqo.reach: document 3
  instruments.stewards: ""
"""


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """Write a file in the folder where commands are typed."""
    monkeypatch.chdir(tmp_path)

    def write(content: str | bytes, name: str = "p.yaml") -> str:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return write


def mistakes(name: str) -> list[str]:
    """Every mistake of a file; a mistake is a line."""
    with pytest.raises(PolicyError) as refused:
        read_policy(name)
    assert not any("\n" in mistake for mistake in refused.value.mistakes)
    return refused.value.mistakes


def test_a_file_gives_instruments_by_any_name_levers_and_sources(policy):
    read = read_policy(policy(GOOD))
    assert (read.label, read.label_zh, read.key) == ("Mine", "我的政策", "p.yaml")
    assert read.instruments == ("cqo", "stewards")
    assert read.levers == {"instruments.cqo.reach": 0.25, "instruments.cqo.budget": 1e6}
    assert read.sources == {"instruments.cqo.reach": "document 3"}, "an empty source is none"


def test_a_list_of_instruments_is_enough(policy):
    assert read_policy(policy("label: a\ninstruments: [cqo, 质量管家]\n")).instruments == ("cqo", "stewards")


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_file_of_a_windows_editor_is_read(policy, end):
    assert read_policy(policy(b"\xef\xbb\xbf" + GOOD.replace("\n", end).encode())).label == "Mine"


def test_every_mistake_is_said_at_once_with_what_would_be_right(policy):
    text = """label: 3
labl: x
instruments:
  cqo: {reach: 2, reech: 1, active: true}
  首席质量官: {}
  steward: {}
  brands: 5
  stewards: {reach: {a: 1}, sizes: [small, huge], length: no}
sources: {cqo.raech: x, nonsense: 4}
"""
    expected = [
        "there is no 'labl' in a policy; it has label, label_zh, about, instruments, sources; did you mean 'label'?",
        "label is 3; it must be a text",
        "instruments.cqo.reach is 2; it must lie in 0 … 1 (share)",
        "cqo has no lever 'reech'; did you mean 'reach'?",
        "instruments.cqo.active: a policy switches on every instrument that it names",
        "首席质量官 and cqo are one instrument",
        "there is no instrument 'steward'; did you mean 'stewards'?",
        "brands is 5; it must hold levers",
        "instruments.stewards.reach holds values of its own",
        "instruments.stewards.sizes is 'huge'; it must be one of small, medium, large",
        "instruments.stewards.length is 'no'; it must be a whole number",
        "sources names 'cqo.raech', which is no instrument or lever of this policy; did you mean 'cqo.reach'?",
        "sources names 'nonsense'",
    ]
    listed = mistakes(policy(text))
    assert len(listed) == len(expected)
    for one, part in zip(listed, expected, strict=True):
        assert part in one and one.startswith("p.yaml: ")


HOSTILE = {
    "an anchor": ("label: &a x\nabout: *a\n", "line 1: & and *"),
    "a tag": ("label: !!python/object/apply:os.system [x]\n", "is a tag of YAML"),
    "a tag of its own": ("%TAG ! tag:x,2000:\n---\nlabel: !a b\n", "is a tag of YAML"),
    "a name twice": ("label: a\nlabel: b\n", "line 2: label is there twice, first in line 1"),
    "a lever twice": ("label: a\ninstruments: {cqo: {reach: 0, reach: 1}}\n", "reach is there twice"),
    "brackets": ("[" * 100_000, "nested too deeply"),
    "dashes": ("- " * 100_000, "nested too deeply"),
    "question marks": ("? " * 100_000, "nested too deeply"),
    "digits": (f"label: a\ninstruments: {{cqo: {{reach: {'9' * 5_000}}}}}\n", "it must lie in 0 … 1"),
    "a large file": (f"label: {'9' * 300_000}", "it must have at most 262,144"),
    "a control character": (b"label: a\x01b\n", "U+0001, a control character"),
    "a control character that is written out": ('label: "a\\u202eb"\n', "U+202E"),
    "a label of two lines": ('label: "a\\nb"\n', "a tab or line end"),
    "settings of Hydra": ("hydra: {run: {dir: /tmp}}\nlabel: a\n", "there is no 'hydra' in a policy"),
    "a list of defaults": ("defaults: [/policy/x]\nlabel: a\n", "there is no 'defaults' in a policy"),
    "code": ("_target_: os.system\nlabel: a\n", "names code to run"),
    "the environment": ("label: '${oc.env:HOME}'\n", "it refers to 'oc.env:HOME'"),
    "another setting": ("label: a\ninstruments: {cqo: {reach: '${scale}'}}\n", "write out the value"),
    "two documents": ("label: a\n---\nlabel: b\n", "a second document begins"),
    "a key that is a list": ("? [a, b]\n: c\n", "a name must be a word"),
    "an open bracket": ("[a\n", "line 2"),
    "another encoding": ("标签".encode("gbk"), "is not in UTF-8"),
    "nothing": ("", "holds no policy"),
    "a list": ("[1, 2]", "holds no policy"),
    "a merge": ("label: x\ninstruments:\n  <<: {cqo: }\n", "there is no instrument '<<'"),
    "infinity": ("label: a\ninstruments: {cqo: {budget: 1e999}}\n", "it must lie in"),
    "a long label": (f"label: {'a' * 101}\n", "at most 100"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_more_than_plain_values_is_refused_in_a_line(policy, kind):
    text, part = HOSTILE[kind]
    listed = mistakes(policy(text))
    assert any(part in one for one in listed), listed
    assert all(len(one) < 1_000 for one in listed)


def test_no_number_is_a_text_and_no_text_a_number(policy):
    read = read_policy(policy("label: no\nlabel_zh: 2026-13-45\nabout: 1:30\n"))
    assert (read.label, read.label_zh, read.about) == ("no", "2026-13-45", "1:30")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("nowhere.yaml", "there is no file 'nowhere.yaml'"),
        ("guangdong.yaml", "the portfolio of the program is policy=guangdong"),
        ("pp.yaml", "did you mean 'p.yaml'?"),
        (".", "is a folder"),
        ("x\x00.yaml", "a control character"),
        ("a" * 300 + ".yaml", "too long"),
    ],
)
def test_a_path_that_leads_to_no_file_is_refused_in_a_line(policy, path, part):
    policy(GOOD)
    assert part in mistakes(path)[0]


def test_a_pipe_is_not_waited_for(policy, tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "no regular file" in mistakes("pipe.yaml")[0]


def test_hydra_gets_a_name_and_the_record_what_was_typed(policy):
    name = policy(GOOD, "我的 政策.yaml")
    with pytest.raises(SettingsError, match="was not checked"):
        in_hydras_words("policy=never_checked.yaml")
    read = read_policy(name)
    remember(read)
    for typed in (f"policy={name}", f"policy='{name}'", f'+policy="{name}"'):
        assert in_hydras_words(typed) == f"policy={read.name}"
    assert in_hydras_words(f"policy={read.name}") == f"policy={read.name}"
    assert as_typed(f"policy={read.name}") == f"policy={name}"
    assert own_policies(["months=3", f"policy={name}"]) == {name: read.sha256}
    for other in ("policy=none", "months=3", "region=sample", "study.arms={a: [policy=x.yaml]}"):
        assert in_hydras_words(other) == as_typed(other) == other


def test_a_file_that_was_changed_has_another_name(policy):
    one = read_policy(policy(GOOD))
    other = read_policy(policy(GOOD + "# a comment\n"))
    assert one.sha256 != other.sha256 and one.name != other.name


def test_what_hydra_gets_holds_checked_values_alone(policy):
    assert read_policy(policy(GOOD)).node() == {
        "defaults": [{"override /instruments": ["cqo", "stewards"]}, "_self_"],
        "instruments": {"cqo": {"reach": 0.25, "budget": 1e6}},
        "portfolio": {"key": "p.yaml", "label": "Mine", "label_zh": "我的政策", "sources": {"instruments.cqo.reach": "document 3"}},
    }


def test_an_option_that_is_a_path_names_a_file():
    assert all(map(names_a_file, ("a.yaml", "A.YML", "folder/a", "C:\\a", str(Path("x") / "y"))))
    assert not any(map(names_a_file, ("guangdong", "none", 3, None, ["a.yaml"])))
