"""The house rules: which way imports go, what every file and function owes its reader."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.support.places import ROOT

OURS = ("agents", "sim", "experiments")
#: What may import what of ours.
BELOW = {"agents": {"agents"}, "sim": {"agents", "sim"}, "experiments": {"agents", "sim", "experiments"}}
FILES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))
YAML = sorted((ROOT / "configs").rglob("*.yaml"))
COLLECTOR = "experiments.reports.sweep.CollectSweep"
MOST_LINES = 400


def name_of(path: Path) -> str:
    """Where a file is, from the repository root."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """Dotted name of a file's module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(source: ast.AST, module: str = "", package: bool = False) -> Iterator[tuple[str, str]]:
    """(module, name) of every import anywhere in a file, under TYPE_CHECKING and inside functions too."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".") if module else []
            base = parts[: len(parts) - node.level + package] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((origin, alias.name) for alias in node.names)


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports; a package stands for its __init__."""
    found = set()
    for origin, name in imports(tree(path), module_of(path), path.name == "__init__.py"):
        found |= {f"{origin}.{name}"} & MODULES.keys() or {origin} & MODULES.keys()
    return found


def roots(path: Path) -> set[str]:
    """First names of everything a file imports."""
    return {origin.split(".")[0] for origin, _ in imports(tree(path), module_of(path), path.name == "__init__.py")}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle in a graph, as its nodes; empty where there is none."""
    done: set[str] = set()

    def search(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            found = search(other, [*way, node])
            if found:
                return found
        done.add(node)
        return []

    return next((found for node in sorted(graph) if (found := search(node, []))), [])


def functions(node: ast.AST, path: str = "", public: bool = True) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """(name, function, is it public) of a file's functions and methods; what is inside a function is its own affair."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from functions(child, f"{path}{child.name}.", public and not child.name.startswith("_"))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}{child.name}", child, public and not child.name.startswith("_")
        elif isinstance(child, ast.If | ast.Try):
            yield from functions(child, path, public)


def repeats(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a property's setter or an overload, whose other half speaks for it."""
    words = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(word.endswith((".setter", ".deleter", "overload")) for word in words)


def unannotated(function: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> list[str]:
    """Names of arguments without an annotation, and "return"."""
    a = function.args
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    plain = [*a.posonlyargs, *a.args][1 if method and not static else 0 :]
    every = [*plain, *a.kwonlyargs, *(arg for arg in (a.vararg, a.kwarg) if arg)]
    return [arg.arg for arg in every if arg.annotation is None] + (["return"] if function.returns is None else [])


def targets(node: object) -> Iterator[str]:
    """Every `_target_` anywhere in a configuration."""
    if isinstance(node, dict):
        for key, value in node.items():
            if str(key).endswith("_target_"):
                yield str(value)
            yield from targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets(value)


def few(node: ast.AST, constants: set[str], inside: bool = False) -> bool:
    """Whether what is gone over is known when the code is written: a tuple spelt out, a constant, a range, enumerate or zip of such."""
    match node:
        case ast.Tuple():
            return not any(isinstance(part, ast.Starred) for part in node.elts)
        case ast.Name():
            return node.id in constants
        case ast.Constant():
            return inside and isinstance(node.value, int)
        case ast.Call(func=ast.Name(id="range" | "enumerate" | "zip" | "len" as name)):
            settings = all(isinstance(word.value, ast.Constant) for word in node.keywords)
            return (inside or name != "len") and settings and all(few(part, constants, True) for part in node.args)
    return False


def loops(source: ast.AST) -> list[ast.For | ast.AsyncFor | ast.While | ast.comprehension]:
    """Loops that may go over firms or links: any `while`, and any `for` over what grows with the world.

    A name is a constant if it is in capitals and no function sets it, or if all that is ever set to it is one tuple spelt out.
    """
    nodes = list(ast.walk(source))
    set_to = Counter(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    inside = {
        node.id
        for function in nodes
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    constants = {node.id for node in nodes if isinstance(node, ast.Name) and node.id.isupper()} - inside
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple() as value) if set_to[name] == 1 and few(value, set()):
                constants.add(name)
    found: list[ast.For | ast.AsyncFor | ast.While | ast.comprehension] = []
    for node in nodes:
        if isinstance(node, ast.While):
            found.append(node)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and not few(node.iter, constants):
            found.append(node)
    return found


# -- one direction -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    mine = path.relative_to(ROOT).parts[0]
    upward = (roots(path) & {*OURS, "configs", "tests", "benchmarks"}) - BELOW[mine]
    assert not upward, f"{name_of(path)} imports {', '.join(sorted(upward))}: {mine} may import only {', '.join(sorted(BELOW[mine]))}"


def test_no_two_files_import_each_other() -> None:
    graph = {module: imported(path) - {module} for module, path in MODULES.items()}
    assert not circle(graph), "files import each other: " + " → ".join(circle(graph))


@pytest.mark.parametrize("path", sorted((ROOT / "sim" / "accounts").glob("*.py")), ids=name_of)
def test_the_accounts_know_no_world(path: Path) -> None:
    """The world keeps the books, so the books ask for no more of it than they need."""
    known = {module for module in imported(path) if module.startswith("sim.") and not module.startswith("sim.accounts")}
    assert not known, f"{name_of(path)} imports {', '.join(sorted(known))}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_experiments_knows_hydra(path: Path) -> None:
    known = roots(path) & {"hydra", "omegaconf"}
    assert not known or path.is_relative_to(ROOT / "experiments"), f"{name_of(path)} imports {', '.join(sorted(known))}"


# -- configurations execute nothing -------------------------------------------------------------------


@pytest.mark.parametrize("path", YAML, ids=name_of)
def test_a_configuration_names_no_code_but_the_collector(path: Path) -> None:
    found = set(targets(yaml.safe_load(path.read_text(encoding="utf-8"))))
    assert found <= {COLLECTOR}, f"{name_of(path)} would run {', '.join(sorted(found - {COLLECTOR}))}"


# -- files and functions ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{name_of(path)} has {lines} lines, more than {MOST_LINES}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_public_name_says_what_it_does(path: Path) -> None:
    silent = [] if ast.get_docstring(tree(path)) else ["the file itself"]
    silent += [
        name for name, function, public in functions(tree(path)) if public and not repeats(function) and not ast.get_docstring(function)
    ]
    classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    silent += [node.name for node in classes if not ast.get_docstring(node)]
    assert not silent, f"{name_of(path)} has no docstring for {', '.join(silent)}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_function_is_annotated_in_full(path: Path) -> None:
    bare = {name: unannotated(function, "." in name) for name, function, _ in functions(tree(path))}
    bare = {name: missing for name, missing in bare.items() if missing}
    assert not bare, f"{name_of(path)} lacks annotations: {bare}"


@pytest.mark.parametrize("path", sorted((ROOT / "sim" / "month").glob("*.py")), ids=name_of)
def test_a_phase_works_on_whole_columns(path: Path) -> None:
    """No loop over firms or links: any loop over what is not fixed in the code is taken for one."""
    found = loops(tree(path))
    assert not found, f"{name_of(path)} loops: " + "; ".join(ast.unparse(node).splitlines()[0] for node in found)


# -- packaging ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.lock"), *ROOT.glob("*lock*.txt")]), ids=name_of)
def test_a_lock_holds_hashes_and_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text


def test_the_packages_listed_are_those_on_disk() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    there = {".".join(p.parent.relative_to(ROOT).parts) for top in (*OURS, "configs") for p in (ROOT / top).rglob("__init__.py")}
    assert len(listed) == len(set(listed))
    assert set(listed) == there
    loose = {name_of(path.parent) for path in FILES if not (path.parent / "__init__.py").is_file()}
    assert not loose, f"Python files outside any package: {', '.join(sorted(loose))}"


# -- the tests above find what they look for -----------------------------------------------------------


def test_hidden_imports_are_found() -> None:
    hidden = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from sim.a import b\n"
        "def f():\n    import hydra.core\n    from . import c\n    from ..d import e\n"
    )
    assert set(imports(ast.parse(hidden), "sim.x.y")) >= {("sim.a", "b"), ("hydra.core", ""), ("sim.x", "c"), ("sim.d", "e")}
    assert ("sim.x", "c") in set(imports(ast.parse("from . import c"), "sim.x", package=True))


def test_a_long_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}) == ["b", "c", "d", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_loops_targets_and_missing_annotations_are_found() -> None:
    assert len(loops(ast.parse("for firm in firms: pass\nx = [g for g in links]\nwhile True: pass"))) == 3
    over_rows = ("firms", "rows", "gone.tolist()", "range(firms.n)", "range(len(rows))", "enumerate(links)", "zip(KINDS, rows)", "(*rows,)",
                 "range(4, n)", "zip(KINDS, rows, strict=True)", "world.KINDS", "len(KINDS)", "sorted(KINDS)", "[1, 2]")  # fmt: skip
    for over in over_rows:
        assert len(loops(ast.parse(f"for row in {over}: pass\nx = [row for row in {over}]"))) == 2, over
    fixed = ("KINDS", "range(4)", "range(DEEPEST)", "range(1, len(LOANS))", "enumerate(KINDS)", "enumerate(zip(LOANS, DEBT, strict=True))",
             "(before, now)", "((ORDINARY, firms.bank_debt), (STRONG_CHAIN, firms.programme_debt))")  # fmt: skip
    for over in fixed:
        assert not loops(ast.parse(f"for kind in {over}: pass\nx = [kind for kind in {over}]")), over
    assert len(loops(ast.parse("def f(rows):\n ROWS = rows\n for row in ROWS: pass"))) == 1
    assert len(loops(ast.parse("def f(a, b):\n pair = a, b\n pair = rows\n return [sum(x) for x in pair]"))) == 1
    assert not loops(ast.parse("def f(a, b):\n pair = a, b\n return [sum(x) for x in pair]"))
    assert list(targets({"a": [{"_target_": "os.system"}]})) == ["os.system"]
    careless = ast.parse("class A:\n def f(self, x, *y) -> int: ...\ndef g(): ...")
    found = {name: unannotated(f, "." in name) for name, f, _ in functions(careless)}
    assert found == {"A.f": ["x", "y"], "g": ["return"]}
