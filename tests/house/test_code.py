"""What every file and function owes its reader, what a configuration may name, and what a package holds."""

from __future__ import annotations

import ast
import tomllib

import pytest
import yaml

from experiments.pages.developer.imports import OURS, ROOT, tree
from tests.house.reading import FILES, YAML, functions, instruments_named, loops, name_of, repeats, targets, unannotated

pytestmark = pytest.mark.study  # reads every file of the project

#: So many instruments a file may name: an example, or what a few have in common, is no table.
FEW = 6
COLLECTOR = "experiments.reports.sweep.CollectSweep"


def test_every_public_name_says_what_it_does():
    silent = []
    for path in FILES:
        silent += [] if ast.get_docstring(tree(path)) else [f"{name_of(path)}: the file itself"]
        silent += [
            f"{name_of(path)}: {name}"
            for name, function, public in functions(tree(path))
            if public and not repeats(function) and not ast.get_docstring(function)
        ]
        classes = [node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        silent += [f"{name_of(path)}: {node.name}" for node in classes if not ast.get_docstring(node)]
    assert not silent, "without a docstring:\n" + "\n".join(silent)


def test_every_function_is_annotated_in_full():
    bare = [
        f"{name_of(path)}: {name} lacks {', '.join(missing)}"
        for path in FILES
        for name, function, _ in functions(tree(path))
        if (missing := unannotated(function, "." in name))
    ]
    assert not bare, "\n".join(bare)


def test_a_phase_works_on_whole_columns():
    """No loop over firms or links: any loop over what is not fixed in the code is taken for one."""
    paths = sorted((ROOT / "sim" / "month").glob("*.py"))
    looped = [f"{name_of(path)}: {ast.unparse(node).splitlines()[0]}" for path in paths for node in loops(tree(path))]
    assert len(paths) > 15 and not looped, "loops:\n" + "\n".join(looped)


def test_no_table_lists_the_instruments_by_hand():
    """The declarations of an instrument are in its own file: no other file names more than a few instruments."""
    tables = {name_of(path): sorted(named) for path in FILES if len(named := instruments_named(tree(path))) > FEW}
    assert not tables, "\n".join(
        f"{name} names {', '.join(keys)}: read the attributes of the classes instead" for name, keys in tables.items()
    )


def test_a_configuration_names_no_code_but_the_collector():
    named = {name_of(path): set(targets(yaml.safe_load(path.read_text(encoding="utf-8")))) - {COLLECTOR} for path in YAML}
    assert len(named) > 40 and not any(named.values()), {name: code for name, code in named.items() if code}


# -- packaging ---------------------------------------------------------------------------------------


def test_a_lock_holds_hashes_and_no_address():
    locks = sorted(ROOT.glob("*.lock"))
    assert len(locks) == 3
    for path in locks:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text and "--hash=sha256:" in text, path.name


def test_the_packages_listed_are_those_on_disk():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    on_disk = {".".join(p.parent.relative_to(ROOT).parts) for top in (*OURS, "configs") for p in (ROOT / top).rglob("__init__.py")}
    assert len(listed) == len(set(listed))
    assert set(listed) == on_disk
    loose = {name_of(path.parent) for path in FILES if not (path.parent / "__init__.py").is_file()}
    assert not loose, f"Python files outside any package: {', '.join(sorted(loose))}"


# -- the rules find what they look for ---------------------------------------------------------------


def test_loops_targets_instruments_and_missing_annotations_are_found():
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
    assert instruments_named(ast.parse("from sim import Awards\nDOSES = {'cqo': 1, 'no such': 2, Brands: 3}")) == {"cqo", "brands"}
    careless = ast.parse("class A:\n def f(self, x, *y) -> int: ...\ndef g(): ...")
    missing = {name: unannotated(f, "." in name) for name, f, _ in functions(careless)}
    assert missing == {"A.f": ["x", "y"], "g": ["return"]}
