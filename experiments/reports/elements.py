"""The elements of a report: sections, tables, and pictures as they stand in the page."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.figure import Figure
from PIL import Image

import experiments.figures as figures
from experiments.formatting import UNKNOWN
from experiments.languages.wording import say
from experiments.reports.findings import Estimate

__all__ = ["Draw", "Picture", "Pictures", "Section", "Table", "cells", "heads", "interval"]

#: Points to an inch of pictures, as in the figures that lie beside a report; and width from which one has a row to itself, inches.
DPI, WIDE = 160, 5.0


@dataclass(frozen=True)
class Picture:
    """A figure of the page: data URI, what it shows in words, and whether it is two columns wide."""

    uri: str
    alt: str
    wide: bool


@dataclass(frozen=True)
class Table:
    """A table: what it is, its heads with units, its rows; the first `text_columns` columns are text, the others numbers."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text_columns: int = 1
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """A section: its key, heading, what to see in one line, pictures, tables, commands, and files beside the report with what they are."""

    key: str
    heading: str
    says: str
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    commands: Sequence[tuple[str, str]] = ()
    files: Sequence[tuple[str, str]] = ()


#: Makes a picture of a figure, in words, from the file of that name if there is one.
Draw: TypeAlias = Callable[..., Picture]


@dataclass(frozen=True)
class Pictures:
    """Makes the pictures of a study, and takes those that its folder already has."""

    about: Mapping[str, Any]
    folder: Path | None

    def draw(self, figure: Callable[[], Figure], alt: str, name: str = "") -> Picture:
        """Return a picture: the file of that name if it is of this study, else one drawn now."""
        if ours := self.stored(alt, name):
            return ours
        with tempfile.TemporaryDirectory() as folder:
            path, drawn = Path(folder) / "figure.png", figure()
            figures.save(drawn, path, self.about, DPI)
            return self._encoded(path, alt, drawn.get_figwidth())

    def stored(self, alt: str, name: str) -> Picture | None:
        """Return the file of that name, if it is there and of this study."""
        if not self.folder or not name or not (path := self.folder / f"{name}.png").is_file():
            return None
        with Image.open(path) as image:
            ours, width = image.info.get("Description") == f"study {self.about['id']}", image.width / DPI
        return self._encoded(path, alt, width) if ours else None

    @staticmethod
    def _encoded(path: Path, alt: str, width: float) -> Picture:
        return Picture(f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}", alt, width > WIDE)


def heads(*names: str) -> list[str]:
    """Return the heads of a table: those that tables share by their names, those of one kind of table as in ``exchange.region``."""
    parts = (name.rpartition(".") for name in names)
    return [say(f"{kind}.heads.{name}" if kind else f"heads.{name}") for kind, _, name in parts]


def interval(low: str, high: str, known: bool) -> str:
    """Write an interval in a cell of a table; a dash where there is none."""
    return say("numbers.between", low, high) if known else UNKNOWN


def cells(of: Estimate, write: Callable[[Sequence[float]], list[str]]) -> tuple[str, str]:
    """Write an estimate as two cells of a table: its mean, and its interval."""
    mean, low, high = write(of)
    return mean, interval(low, high, of.has_interval)
