"""What the house rules read of the code: functions, annotations, loops, and what a configuration would run."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from experiments.pages.developer.imports import OURS, ROOT
from sim import INSTRUMENTS

FILES = sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))
YAML = sorted((ROOT / "configs").rglob("*.yaml"))


def name_of(path: Path) -> str:
    """Where a file is, from the repository root."""
    return path.relative_to(ROOT).as_posix()


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
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(decorator.endswith((".setter", ".deleter", "overload")) for decorator in decorators)


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


def instruments_named(source: ast.AST) -> set[str]:
    """Keys of the instruments that a file names, by a string of the key or by the name of the class (imports are not counted)."""
    classes = {cls.__name__: key for key, cls in INSTRUMENTS.items()}
    nodes = list(ast.walk(source))
    strings = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    return strings & INSTRUMENTS.keys() | {classes[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in classes}


def fixed(node: ast.AST, constants: set[str], inside: bool = False) -> bool:
    """Whether what is gone over is known when the code is written: a tuple spelt out, a constant, a range, enumerate or zip of such."""
    match node:
        case ast.Tuple():
            return not any(isinstance(part, ast.Starred) for part in node.elts)
        case ast.Name():
            return node.id in constants
        case ast.Constant():
            return inside and isinstance(node.value, int)
        case ast.Call(func=ast.Name(id="range" | "enumerate" | "zip" | "len" as name)):
            settings = all(isinstance(keyword.value, ast.Constant) for keyword in node.keywords)
            return (inside or name != "len") and settings and all(fixed(part, constants, True) for part in node.args)
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
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple() as value) if set_to[name] == 1 and fixed(value, set()):
                constants.add(name)
    loops_in: list[ast.For | ast.AsyncFor | ast.While | ast.comprehension] = []
    for node in nodes:
        if isinstance(node, ast.While):
            loops_in.append(node)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and not fixed(node.iter, constants):
            loops_in.append(node)
    return loops_in
