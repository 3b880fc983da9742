"""The picture and the table of rooms: ``make docs`` writes docs/developer/rooms.md and its figure from the imports."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from experiments.figures import style
from experiments.formatting import table
from experiments.pages import DEVELOPER
from experiments.pages.developer.imports import FLOORS, circle, modules, room_imports, room_of, tree, who_imports_whom

__all__ = ["needed", "rooms_figure", "rooms_page", "write"]

#: Fill of a box, by the package that its room belongs to.
FILLS = {"agents": "#e8e3d3", "sim": "#d7e6ef", "experiments": "#e5efd9"}
#: Size of a box and of a floor, in inches.
WIDE, HIGH, FLOOR = 1.45, 0.30, 0.62


def needed(rooms: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports between rooms without those that a longer way through other rooms implies."""
    below: dict[str, set[str]] = {}

    def reached(room: str) -> set[str]:
        if room not in below:
            below[room] = set().union(*({other} | reached(other) for other in rooms[room]))
        return below[room]

    return {room: {one for one in others if not any(one in reached(other) for other in others - {one})} for room, others in rooms.items()}


def rooms_figure(rooms: Mapping[str, set[str]]) -> Figure:
    """Draw the rooms floor by floor, with an arrow from a room to each that it imports and no other way leads to."""
    width = max(map(len, FLOORS)) * (WIDE + 0.25)
    figure = Figure(figsize=(width, FLOOR * len(FLOORS)))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, FLOOR * len(FLOORS)), frameon=False, xticks=[], yticks=[])
    middle = {}
    for level, floor in enumerate(FLOORS):
        for k, room in enumerate(floor):
            middle[room] = (width * (k + 0.5) / len(floor), FLOOR * (level + 0.5))
    for room, others in needed(rooms).items():
        for other in others:
            (x, y), (to_x, to_y) = middle[room], middle[other]
            way = FancyArrowPatch((x, y - HIGH / 2), (to_x, to_y + HIGH / 2), arrowstyle="-|>", mutation_scale=7, lw=0.6, color="0.45")
            ax.add_patch(way)
    for room, (x, y) in middle.items():
        package, _, name = room.partition(".")
        fill = FILLS[package]
        ax.add_patch(
            FancyBboxPatch((x - WIDE / 2, y - HIGH / 2), WIDE, HIGH, boxstyle="round,pad=0,rounding_size=0.05", fc=fill, ec="0.35", lw=0.6)
        )
        ax.text(x, y, f"{package}/{name}" if name else f"{package}/", ha="center", va="center", fontsize=7.5)
    return figure


def _says(room: str, known: Mapping[str, Path]) -> str:
    """The first sentence that a room says of itself."""
    text = ast.get_docstring(tree(known[room])) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def rooms_page() -> str:
    """Return the page of the rooms: floor by floor, what each is for, how many files it has, what it imports."""
    known = modules()
    graph = who_imports_whom(known)
    rooms = room_imports(graph)
    files = {room: sum(room_of(module) == room for module in graph) for room in rooms}
    rows = [
        [
            str(len(FLOORS) - level),
            f"`{room}`",
            str(files[room]),
            _says(room, known),
            ", ".join(f"`{other}`" for other in sorted(rooms[room])),
        ]
        for level, floor in reversed(list(enumerate(FLOORS)))
        for room in floor
    ]
    arrows, around = sum(map(len, rooms.values())), circle(graph)
    return "\n".join(
        [
            "# Rooms and floors",
            "",
            "Written by `make docs` from the imports in the code; `experiments/pages/developer/imports.py` holds the plan, and",
            "a test refuses an import that runs upward. An arrow is an import; the picture leaves out those that a longer way implies.",
            "",
            "![Rooms, floor by floor](rooms.png)",
            "",
            f"{len(graph)} files in {len(rooms)} rooms on {len(FLOORS)} floors; {arrows} arrows between rooms, none upward; "
            f"{'no circle of files' if not around else 'a circle: ' + ' → '.join(around)}.",
            "",
            *table(["floor from the top", "room", "files", "what is in it", "imports"], rows, "  r"),
            "",
        ]
    )


def write(folder: Path) -> None:
    """Write the page and its picture into a folder."""
    import matplotlib.pyplot as plt

    with plt.rc_context({**style(), "figure.constrained_layout.use": False}):
        figure = rooms_figure(room_imports(who_imports_whom(modules())))
        figure.savefig(folder / "rooms.png", dpi=110, metadata={"Software": None})
    (folder / "rooms.md").write_text(rooms_page(), encoding="utf-8")


if __name__ == "__main__":
    write(DEVELOPER)
