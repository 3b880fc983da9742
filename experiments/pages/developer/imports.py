"""Who imports whom: read from the code as text, without running it.

A *room* is a folder of modules of one subject, or a single file next to such folders. `FLOORS` is the plan of the
house: a room imports from lower floors only. The house rules are tests on what is here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

__all__ = ["FLOORS", "OURS", "ROOT", "circle", "floor_of", "imports", "modules", "room_imports", "room_of", "tree", "who_imports_whom"]

ROOT = Path(__file__).resolve().parents[3]
#: The packages of the project, the lowest first: each may import itself and those before it.
OURS = ("agents", "sim", "experiments")
#: The rooms, floor by floor from the ground up. A room may import from lower floors alone.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("agents",),
    ("sim.data", "sim.quality_engineering", "sim.sums"),
    ("sim.network", "sim.accounts"),
    ("sim.parameters",),
    ("sim.world",),
    ("sim.traits", "sim.places"),
    ("sim.month",),
    ("sim.attribution", "sim.build", "sim.outcomes"),
    ("sim.record", "sim.invariants", "sim.instruments", "sim.shocks"),
    ("sim.model",),
    ("sim",),
    ("experiments.formatting", "experiments.regular", "experiments.renamed", "experiments.shells", "experiments.systems"),
    ("experiments.terminal", "experiments.languages"),
    ("experiments.waiting",),
    ("experiments.configuration", "experiments.contract", "experiments.last_resort"),
    ("experiments.catalogue", "experiments.runs"),
    ("experiments.analysis", "experiments.calibration"),
    ("experiments.figures", "experiments.studies"),
    ("experiments.reports", "experiments.notebook"),
    ("experiments.job", "experiments.study_results"),
    ("experiments", "experiments.commands"),
    ("experiments.pages", "experiments.run"),
)


def modules(root: Path = ROOT, packages: tuple[str, ...] = OURS) -> dict[str, Path]:
    """Return the file of every module of some packages, by dotted name; a package stands for its ``__init__``."""
    paths = sorted(path for package in packages for path in (root / package).rglob("*.py"))
    parts = {path: path.relative_to(root).with_suffix("").parts for path in paths}
    return {".".join(p[:-1] if p[-1] == "__init__" else p): path for path, p in parts.items()}


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(source: ast.AST, module: str = "", package: bool = False) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every import anywhere in a file, under TYPE_CHECKING and inside functions too."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".") if module else []
            base = parts[: len(parts) - node.level + package] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((origin, alias.name) for alias in node.names)


def who_imports_whom(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return, for every module, the other modules of the project that it imports; a package stands for its ``__init__``."""
    graph = {}
    for module, path in known.items():
        others: set[str] = set()
        for origin, name in imports(tree(path), module, path.name == "__init__.py"):
            others |= {f"{origin}.{name}"} & known.keys() or {origin} & known.keys()
        graph[module] = others - {module}
    return graph


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return a circle in a graph, as its nodes, the first once more at the end; empty where there is none."""
    done: set[str] = set()

    def search(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph.get(node, ())):
            if around := search(other, [*way, node]):
                return around
        done.add(node)
        return []

    return next((around for node in sorted(graph) if (around := search(node, []))), [])


def room_of(module: str) -> str:
    """Return the room in which a module lies: the longest name on the plan that it is or lies in."""
    rooms = {room for floor in FLOORS for room in floor}
    names = module.split(".")
    inside = (".".join(names[:k]) for k in range(len(names), 0, -1))
    room = next((name for name in inside if name in rooms), "")
    # A package that has rooms of its own stands for its ``__init__`` alone.
    if not room or (room != module and any(other.startswith(f"{room}.") for other in rooms)):
        raise ValueError(f"{module} lies in no room of the plan; give it one in FLOORS ({__name__})")
    return room


def floor_of(room: str) -> int:
    """Return the floor of a room, 0 on the ground."""
    return next(k for k, floor in enumerate(FLOORS) if room in floor)


def room_imports(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return, for every room, the other rooms that it imports."""
    rooms: dict[str, set[str]] = {}
    for module, others in graph.items():
        room = room_of(module)
        rooms.setdefault(room, set()).update({room_of(other) for other in others} - {room})
    return rooms
