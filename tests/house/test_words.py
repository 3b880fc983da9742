"""Reports, figures and the terminal speak from the folders of languages: the code that makes them holds no sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from experiments.pages.developer.imports import ROOT, tree

pytestmark = pytest.mark.study  # reads every file of the project

#: Rooms that show something to a reader.
ROOMS = ("reports", "figures", "commands", "studies", "analysis", "runs", "catalogue", "job.py", "run.py", "notebook.py")
#: What looks like a sentence and is none: queries of pandas, names of fonts and places, scripts of shells, values that tables hold.
NOT_SENTENCES = (
    r"Noto Sans|Source Han Sans|outside upper center|<span lang=|<is><t |^\n?#(compdef| Completion)| [=!]= ",
    r"^(not all spent|cannot spend it|may be none|firms taken on|an arm's name)$",
)
#: Modules in which what is left are parts of one error line each.
ERRORS = {"manifests.py", "ownership.py", "practices.py", "provenance.py", "rerun.py", "runner.py", "store.py"}


def sentences(source: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string of three words or more that is neither a docstring nor part of an error."""
    silent: set[int] = set()
    for node in ast.walk(source):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            silent.add(id(node.body[0].value))  # type: ignore[attr-defined]
        is_error = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error")
        if is_error or isinstance(node, ast.Raise | ast.Assert):
            silent |= {id(part) for part in ast.walk(node)}
        if isinstance(node, ast.FunctionDef) and "Error" in ast.unparse(node.returns or ast.Constant(None)):
            silent |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            text = node.value
            if (
                len(re.findall(r"[A-Za-z]{2,}", text)) >= 3
                and " " in text.strip()
                and not any(re.search(one, text) for one in NOT_SENTENCES)
            ):
                yield node.lineno, text


def test_no_sentence_that_a_reader_sees_stands_in_code():
    files = [path for room in ROOMS for path in sorted((ROOT / "experiments").glob(f"{room}/**/*.py" if "." not in room else room))]
    assert len(files) > 50
    breaches = {
        f"{path.relative_to(ROOT)}:{line}: {text}" for path in files for line, text in sentences(tree(path)) if path.name not in ERRORS
    }
    assert sorted(breaches) == []


def test_a_sentence_in_code_is_seen():
    code = """
def f(n):
    'Not this one, it is a docstring.'
    print(f"there are {n} firms in all")
    raise ValueError("nor this one at all")
"""
    assert [line for line, _ in sentences(ast.parse(code))] == [4]
