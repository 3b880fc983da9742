"""Old names and what they are called now: of settings, columns of tables, attributes and modules. The only place that knows them.

Nothing works under an old name. Whoever uses one gets one line that names the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

__all__ = ["ATTRIBUTES", "COLUMNS", "MODULES", "SETTINGS", "MovedModules", "attribute", "column", "columns_in", "setting", "settings_in"]

#: Settings, by their paths.
SETTINGS = {
    "study.beside": "study.second_reference",
    "study.each": "study.replicates_per_set",
    "study.judged": "study.final_sets",
    "study.ranges": "study.searched_only",
}
#: Columns of tables.
COLUMNS = {
    "avoided_told": "avoided_conclusion",
    "to_tell": "needed_to_show",
    "told": "conclusion",
}
#: Attributes of a comparison (`experiments.Comparison`).
ATTRIBUTES = {
    "more": "programme_tables",
    "of_runs": "run_tables",
}
#: Modules: of the simulator, of version 0.2.0, and of the flat folder that `experiments` was in version 0.1.
MODULES = {
    "sim.balance_sheet": "sim.accounts.balance_sheet",
    "sim.defect": "sim.attribution.follow_defect",
    "sim.fixed_points": "sim.network.fixed_points",
    "sim.plausible": "sim.data.plausible",
    "sim.quality_map": "sim.attribution.quality_map",
    "sim.sigma": "sim.quality_engineering",
    "sim.topology": "sim.network.topology",
    "experiments.reports.conclusions": "experiments.reports.findings",
} | {
    f"experiments.{old}": f"experiments.{new}"
    for old, new in {
        "answer": "reports.findings",
        "believed": "pages.evidence.plausible_worlds",
        "budgets": "studies.budgets",
        "case_studies": "pages.evidence.case_studies",
        "cases": "pages.evidence.case_runs",
        "collect": "reports.sweep",
        "declarations": "configuration.declared",
        "dose_response": "pages.evidence.dose_response",
        "dose_runs": "pages.evidence.dose_runs",
        "doses": "pages.evidence.mean_effects",
        "flags": "configuration.flags",
        "flagship_runs": "pages.evidence.flagship_runs",
        "flagships": "pages.evidence.flagships",
        "gallery": "pages.reference.gallery",
        "held_out": "pages.evidence.held_out",
        "instruments_page": "pages.reference.instruments",
        "markdown": "formatting",
        "measure": "runs.measure",
        "more": "analysis.programmes",
        "multipliers": "pages.evidence.multipliers",
        "observe": "calibration.observe",
        "patterns": "calibration.patterns",
        "pieces": "reports.elements",
        "portfolios": "catalogue.portfolios",
        "portfolios_page": "pages.reference.portfolios",
        "practices": "catalogue.practices",
        "preflight": "configuration.preflight",
        "present": "reports.comparison",
        "present_exchange": "reports.exchange",
        "present_more": "reports.programmes",
        "present_patterns": "reports.calibration",
        "progress": "runs.progress",
        "provenance": "runs.provenance",
        "question": "reports.study",
        "reference": "pages.reference.parameters",
        "regions_page": "pages.reference.regions",
        "report": "reports.html",
        "rerun": "studies.rerun",
        "results": "analysis.results",
        "runner": "runs.runner",
        "scales": "pages.evidence.scales",
        "scenes": "contract.scenes",
        "schema": "configuration.schema",
        "sections": "reports.sections",
        "set_aside": "pages.evidence.held_out_runs",
        "settings": "configuration.settings",
        "statistics": "analysis.statistics",
        "store": "runs.store",
        "tables": "analysis.effects",
        "text": "terminal",
        "unaided": "pages.evidence.eight_years",
        "values": "configuration.values",
        "verbs": "commands.verbs",
        "words": "configuration.overrides",
    }.items()
}


def _line(old: str, new: str) -> str:
    return f"{old} is now called {new}"


def setting(path: str) -> str:
    """Say what a setting, or the one that it belongs to, is called now; nothing if its name is not an old one."""
    return next((_line(old, new) for old, new in SETTINGS.items() if path == old or path.startswith(f"{old}.")), "")


def settings_in(configuration: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Say of every old name of a setting in a configuration what it is called now."""
    for name, value in configuration.items():
        path = f"{prefix}{name}"
        if line := setting(path):
            yield line
        elif isinstance(value, Mapping):
            yield from settings_in(value, f"{path}.")


def columns_in(columns: Sequence[str]) -> list[str]:
    """Say of every old name among the columns of a table what it is called now."""
    return [line for name in columns if (line := column(name))]


def column(name: str) -> str:
    """Return the error line for a column that a table has not, if it had that name once; else nothing."""
    return _line(f"the column {name!r}", repr(COLUMNS[name])) if name in COLUMNS else ""


def attribute(owner: str, name: str) -> str:
    """Return the error line for an attribute that an object has not: its new name if it had the old one."""
    return _line(name, ATTRIBUTES[name]) if name in ATTRIBUTES else f"{owner!r} object has no attribute {name!r}"


class MovedModules:
    """Asked by Python for modules that nothing else finds (``sys.meta_path``): tells where one has moved to."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """Find nothing.

        Raises
        ------
        ImportError
            If the module had another name once: one line that names the new one.
        """
        if name in MODULES:
            raise ImportError(_line(name, MODULES[name]))
