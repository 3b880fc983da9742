"""Imports go one way: from higher floors to lower ones, and in no circle."""

from __future__ import annotations

import ast

import pytest

from experiments.pages import DEVELOPER
from experiments.pages.developer.architecture import needed, rooms_page
from experiments.pages.developer.imports import (
    FLOORS,
    ROOT,
    circle,
    floor_of,
    imports,
    modules,
    room_imports,
    room_of,
    tree,
    who_imports_whom,
)
from tests.house.reading import FILES, name_of

pytestmark = pytest.mark.study  # reads every file of the project

GRAPH = who_imports_whom(modules())


def roots(path):
    """First names of everything a file imports."""
    return {origin.split(".")[0] for origin, _ in imports(tree(path))}


def test_a_room_imports_from_lower_floors_alone():
    upward = [
        f"{module} ({room_of(module)}) imports {other} ({room_of(other)})"
        for module, others in GRAPH.items()
        for other in sorted(others)
        if room_of(other) != room_of(module) and floor_of(room_of(other)) >= floor_of(room_of(module))
    ]
    assert not upward, "imports that run upward:\n" + "\n".join(upward)


def test_every_room_of_the_plan_exists():
    assert sorted(room for floor in FLOORS for room in floor) == sorted({room_of(module) for module in GRAPH})


def test_no_two_files_import_each_other():
    every = who_imports_whom(modules(packages=("agents", "sim", "experiments", "benchmarks", "tests")))
    assert len(every) > len(GRAPH) + 60
    assert not circle(every), "files import each other: " + " → ".join(circle(every))


def test_the_code_imports_neither_tests_nor_benchmarks():
    wrong = [name_of(path) for path in FILES if roots(path) & {"tests", "benchmarks", "configs"}]
    assert not wrong, f"import tests, benchmarks or configs: {', '.join(wrong)}"


def test_only_experiments_knows_hydra():
    known = [name_of(path) for path in FILES if roots(path) & {"hydra", "omegaconf"}]
    assert known and all(name.startswith("experiments/") for name in known), known


def test_the_page_of_rooms_says_what_the_imports_say():
    assert (DEVELOPER / "rooms.md").read_text(encoding="utf-8") == rooms_page(), "docs/developer/rooms.md is outdated: run make docs"


# -- the rules find what they look for ---------------------------------------------------------------


def test_hidden_imports_are_found():
    hidden = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from sim.a import b\n"
        "def f():\n    import hydra.core\n    from . import c\n    from ..d import e\n"
    )
    assert set(imports(ast.parse(hidden), "sim.x.y")) >= {("sim.a", "b"), ("hydra.core", ""), ("sim.x", "c"), ("sim.d", "e")}
    assert ("sim.x", "c") in set(imports(ast.parse("from . import c"), "sim.x", package=True))


def test_a_long_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}) == ["b", "c", "d", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_rooms_are_distinguished():
    assert room_of("sim.month.propagation") == "sim.month"
    assert room_of("experiments") == "experiments" and room_of("experiments.job") == "experiments.job"
    assert room_of("experiments.pages.evidence.scales") == "experiments.pages"
    with pytest.raises(ValueError, match="give it one in FLOORS"):
        room_of("experiments.attic")
    assert room_imports({"sim.model": {"sim.world", "agents.firm"}, "sim.world": {"agents.firm"}, "agents.firm": set()}) == {
        "sim.model": {"sim.world", "agents"}, "sim.world": {"agents"}, "agents": set(),
    }  # fmt: skip
    assert needed({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_a_breach_would_be_seen():
    """A file of `sim` that imported from `experiments`, under TYPE_CHECKING even, would fail the first rule."""
    breach = {("experiments.runs.store", "Store")}
    imported = set(imports(ast.parse("def f():\n    from experiments.runs.store import Store")))
    assert imported == breach and floor_of(room_of("experiments.runs.store")) > floor_of(room_of("sim.model"))
    assert (ROOT / "sim").is_dir()
