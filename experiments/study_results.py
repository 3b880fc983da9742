"""Results as objects: what a notebook asks of a study that was just run, or that lies on disk.

The tables of a study are made by `experiments.studies`; here they can show themselves, since this is above the reports and the figures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, cast

from matplotlib.figure import Figure

import experiments.analysis.results as results
import experiments.studies.compare as studies
from experiments.analysis.results import TABLES, Comparison, kind_of, stored
from experiments.analysis.tables import Table
from experiments.calibration.patterns import PATTERNS
from experiments.figures.patterns import influence_figure, pattern_figure
from experiments.figures.programmes import exchange_figure
from experiments.languages.wording import use_language
from experiments.reports.calibration import (
    calibration_page,
    calibration_workbook,
    draw_calibration,
    draw_validation,
    summary_of_calibration,
    summary_of_validation,
    validation_page,
    validation_workbook,
)
from experiments.reports.comparison import comparison_workbook, draw_comparison, drawings, summary
from experiments.reports.exchange import draw_exchange, exchange_report, exchange_workbook, summary_of_exchange
from experiments.reports.follow import draw_follow, figure_of, follow_report, follow_workbook, summary_of_follow
from experiments.reports.html import report
from experiments.reports.overview import overview
from experiments.runs.files import SUMS, update_sums, write_whole
from experiments.runs.manifests import MANIFEST, read_manifest
from experiments.studies.calibrate import Calibration
from experiments.studies.exchange import Exchange
from experiments.studies.follow import Following
from experiments.studies.validate import Validation
from experiments.terminal import did_you_mean

__all__ = ["CalibrationResult", "ComparisonResult", "ExchangeResult", "FollowResult", "ValidationResult", "compare", "load"]


def _spoken(language: str | None) -> AbstractContextManager[Any]:
    """Speak a language, or go on with the one that is spoken."""
    return use_language(language) if language else nullcontext()


class _Shown(ABC):
    """What every kind of result can do; each kind says how."""

    #: What an overview names to go on with.
    methods: tuple[str, ...] = (".summary()", ".tables", ".plot()", ".report(path=…)", ".to_excel(path)")

    def __repr__(self) -> str:
        """Return the study in at most twenty lines."""
        return overview(cast(Any, self), self.methods).text()

    def _repr_html_(self) -> str:
        """Return the study as a small table for a notebook."""
        return overview(cast(Any, self), self.methods).html()

    def summary(self, language: str | None = None) -> str:
        """Return what a terminal shows at the end of the study.

        Parameters
        ----------
        language : str, optional
            ``"en"`` or ``"zh"``; without it the one that is spoken.
        """
        with _spoken(language):
            return self._summary()

    def plot(self, name: str = "", language: str | None = None) -> Figure:
        """Return a figure of the study.

        Parameters
        ----------
        name : str
            Name of its file in the folder of the study, without the ending; without it the first.
        language : str, optional

        Raises
        ------
        ValueError
            If there is no such figure: the nearest name, and all names.
        """
        with _spoken(language):
            every = self._figures()
            if name and name not in every:
                raise ValueError(f"no figure is called {name!r}; figures are {', '.join(every)}{did_you_mean(name, every)}")
            return every[name or next(iter(every))]()

    def report(self, language: str | None = None, path: str | Path | None = None) -> str:
        """Return the report of the study, as its folder has it: HTML; of a calibration and a validation Markdown.

        Parameters
        ----------
        language : str, optional
        path : str or Path, optional
            A file that it is also written to.
        """
        with _spoken(language):
            text = self._report()
        if path is not None:
            write_whole(Path(path), text.encode())
        return text

    def to_excel(self, path: str | Path, language: str | None = None) -> None:
        """Write the study as a workbook, as ``results.xlsx`` in its folder.

        Parameters
        ----------
        path : str or Path
            A name that ends in ``.xlsx``.
        language : str, optional

        Raises
        ------
        ValueError
            If the name ends otherwise: Excel would not open it.
        """
        if Path(path).suffix.lower() != ".xlsx":
            raise ValueError(f"{path} does not end in .xlsx, so Excel would not open it; write {Path(path).with_suffix('.xlsx')}")
        with _spoken(language):
            write_whole(Path(path), self._workbook())

    def draw(self, folder: str | Path, language: str | None = None) -> list[str]:
        """Draw everything that people look at again into the folder of the study: figures, report and workbook. Nothing is simulated.

        Parameters
        ----------
        folder : str or Path
            Where the study lies; its list of checksums is brought up to date.
        language : str, optional

        Returns
        -------
        list of str
            Names of the files that were written.
        """
        here = Path(folder)
        before = {path.name: path.stat().st_mtime_ns for path in here.iterdir() if path.is_file()}
        with _spoken(language):
            self._draw(here)
        written = sorted(path.name for path in here.iterdir() if path.is_file() and before.get(path.name) != path.stat().st_mtime_ns)
        for name in written:
            if name != SUMS:
                update_sums(here, name)
        return written

    @abstractmethod
    def _draw(self, folder: Path) -> None:
        """Write figures, report and workbook into a folder."""

    @abstractmethod
    def _summary(self) -> str:
        """Return what a terminal shows."""

    @abstractmethod
    def _figures(self) -> Mapping[str, Callable[[], Figure]]:
        """Return every figure by name, each drawn when it is asked for."""

    @abstractmethod
    def _report(self) -> str:
        """Return the report."""

    @abstractmethod
    def _workbook(self) -> bytes:
        """Return the workbook."""


class ComparisonResult(_Shown, Comparison):
    """A comparison that shows itself: `Comparison` with its tables, and methods for text, rows, figures, report and workbook."""

    methods = (".summary()", ".effects()", ".by('size')", ".plot('effects')", ".report(path='report.html')", ".to_excel('results.xlsx')")

    def by(self, grouping: str, arm: str | tuple[str, ...] = (), outcome: str | tuple[str, ...] = (), language: str | None = None) -> Table:
        """Return effects by group of firms, in words.

        Parameters
        ----------
        grouping : str
            ``"size"``, ``"tier"`` or ``"chain"``: one that the study recorded (setting `by`).
        arm, outcome : str or several
            None is all.
        language : str, optional

        Raises
        ------
        KeyError
            If the study did not record the grouping: what it recorded, and what to type.
        """
        return self.effects(arm, outcome, by=grouping, language=language)

    def _draw(self, folder: Path) -> None:
        draw_comparison(self, folder)

    def _summary(self) -> str:
        return summary(self)

    def _figures(self) -> Mapping[str, Callable[[], Figure]]:
        every = drawings(self)
        return {"effects": every["effects"], **every}

    def _report(self) -> str:
        return report(self)

    def _workbook(self) -> bytes:
        return comparison_workbook(self)


class ExchangeResult(_Shown, Exchange):
    """An exchange that shows itself."""

    def _draw(self, folder: Path) -> None:
        draw_exchange(self, folder)

    def _summary(self) -> str:
        return summary_of_exchange(self)

    def _figures(self) -> Mapping[str, Callable[[], Figure]]:
        return {"exchange": lambda: exchange_figure(self.cells, self.manifest, self.regions, self.policies)}

    def _report(self) -> str:
        return exchange_report(self)

    def _workbook(self) -> bytes:
        return exchange_workbook(self)


class CalibrationResult(_Shown, Calibration):
    """A calibration that shows itself."""

    def _draw(self, folder: Path) -> None:
        draw_calibration(self, folder)

    def _summary(self) -> str:
        return summary_of_calibration(self)

    def _figures(self) -> Mapping[str, Callable[[], Figure]]:
        return {"influence": lambda: influence_figure(self.influence, self.manifest)}

    def _report(self) -> str:
        # The page is about what is plausible; where nothing is, no page is written.
        return calibration_page(self) if self.sets["plausible"].any() else summary_of_calibration(self)

    def _workbook(self) -> bytes:
        return calibration_workbook(self)


class ValidationResult(_Shown, Validation):
    """A validation that shows itself."""

    def _draw(self, folder: Path) -> None:
        draw_validation(self, folder)

    def _summary(self) -> str:
        return summary_of_validation(self)

    def _figures(self) -> Mapping[str, Callable[[], Figure]]:
        return {f"pattern_{one.number:02d}": partial(pattern_figure, self.observed, one, self.manifest) for one in PATTERNS}

    def _report(self) -> str:
        return validation_page(self)

    def _workbook(self) -> bytes:
        return validation_workbook(self)


class FollowResult(_Shown, Following):
    """The way of a bad batch that shows itself."""

    def _draw(self, folder: Path) -> None:
        draw_follow(self, folder)

    def _summary(self) -> str:
        return summary_of_follow(self)

    def _figures(self) -> Mapping[str, Callable[[], Figure]]:
        return {"way": lambda: figure_of(self)}

    def _report(self) -> str:
        return follow_report(self)

    def _workbook(self) -> bytes:
        return follow_workbook(self)


def _comparison(of: Comparison) -> ComparisonResult:
    return ComparisonResult(**{field.name: getattr(of, field.name) for field in fields(Comparison)})


def compare(*overrides: str, progress: bool = False, keep: str | Path | None = None) -> ComparisonResult:
    """Compare policies in a notebook, with the same overrides as after ``strongchain`` in a terminal.

    With a folder to `keep` runs in (``"results/runs"`` is the application's) only those are simulated that are not there.

    Examples
    --------
    >>> comparison = compare("region=sample", "replicates=4", "months=24")
    >>> comparison.effect("cqo")["effect"] < 0
    True
    """
    return _comparison(studies.compare(*overrides, progress=progress, keep=keep))


def load(folder: str | Path) -> Any:
    """Load a stored study of any kind.

    Returns
    -------
    ComparisonResult, ExchangeResult, CalibrationResult, ValidationResult or FollowResult

    Raises
    ------
    FileNotFoundError
        If the folder holds no finished study.
    ValueError
        If its tables are those of an older version, or a file was changed since: one line.
    """
    here = Path(folder)
    kind = kind_of(read_manifest(here)) if (here / MANIFEST).is_file() else "compare"
    match kind:
        case "exchange":
            about, tables = stored(here, kind, (*TABLES, "exchange"))
            comparison = Comparison(**{name: tables[name] for name in TABLES}, manifest=about)
            return ExchangeResult(tables["exchange"], comparison)
        case "calibration":
            about, tables = stored(here, kind, ("points", "sets", "waves", "influence"))
            return CalibrationResult(**tables, manifest=about)
        case "validation":
            about, tables = stored(here, kind, ("observed", "patterns"))
            return ValidationResult(**tables, manifest=about)
        case "follow":
            about, tables = stored(here, kind, ("way", "tiers", "way_firms", "way_links"))
            return FollowResult(tables["way"], tables["tiers"], tables["way_firms"], tables["way_links"], about)
    return _comparison(results.load(here))
