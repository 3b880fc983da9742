"""The reference pages that are generated from declarations: ``make docs`` writes them to docs/."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from experiments.catalogue.settings import setting
from experiments.configuration.declared import declaring
from experiments.configuration.study import (
    CalibrationStudy,
    CompareStudy,
    ExchangeStudy,
    Figures,
    FollowStudy,
    General,
    Parallel,
    Portfolio,
    ValidationStudy,
)
from experiments.formatting import table
from experiments.pages import REFERENCE
from experiments.pages.reference.instruments import anchor, heading, instruments_page
from experiments.pages.reference.regions import regions_page
from sim import OUTCOMES, Across, FromFile, InputOutput, Instrument, Parameters, Region, Shock, Synthetic

__all__ = ["outcomes_page", "parameters_page", "write"]

#: Titles of the dataclasses that declare settings; instruments have their own.
TITLES = {
    Parameters: "The model",
    Region: "A region",
    Across: "Across the borders of several regions",
    Synthetic: "A synthetic network",
    FromFile: "A network from a file",
    InputOutput: "A network from an input-output table",
    General: "Every study",
    CompareStudy: "A comparison: `study=compare`",
    ExchangeStudy: "An exchange of portfolios between regions: `study=exchange`",
    CalibrationStudy: "A calibration: `study=calibration`",
    ValidationStudy: "A validation: `study=validation`",
    FollowStudy: "The way of a bad batch: `study=follow`",
    Parallel: "Processes",
    Figures: "Figures",
    Portfolio: "A portfolio",
}


def _declarations(cls: type, prefix: str) -> list[str]:
    declared = (setting(cls, f, prefix) for f in fields(cls) if {"range", "choices", "rule", "source"} & f.metadata.keys())
    rows = [[f"`{s.path}`", s.meaning, s.default, s.legal, s.unit, s.mark, s.source] for s in declared]
    return table(["setting", "meaning", "default", "range", "unit", "", "source"], rows)


def parameters_page() -> str:
    """Return the page of all parameters and levers, with ranges, units, sources and confidence marks."""
    lines = [
        "# Parameters",
        "",
        "Written by `make docs` from the declarations in the code. Confidence: **S** read in the source, "
        "**D** computed from it, **R** recalled and still to be verified, **N** looked for and not found: an assumption. "
        "Show how sensitive a result is to every N that it depends on.",
    ]
    for prefix, cls in declaring():
        if issubclass(cls, Instrument):
            does = f"[what it does](instruments.md#{anchor(heading(cls))})"
            lines += ["", f"## Instrument `{cls.key}`", "", f"{cls.label_zh}; dose: `{cls.dose}`; {does}.", ""]
        elif issubclass(cls, Shock):
            lines += ["", f"## Shock `{cls.key}`", "", f"{cls.label_zh}; see `strongchain explain {cls.key}`.", ""]
        else:
            lines += ["", f"## {TITLES[cls]}", ""]
        lines += _declarations(cls, prefix)
    return "\n".join(lines) + "\n"


def outcomes_page() -> str:
    """Return the page of all outcomes: unit, formula, better direction, labels."""
    rows = [[f"`{o.key}`", o.label, o.label_zh, o.unit, o.formula, o.better or "neither"] for o in OUTCOMES.values()]
    head = ["# Outcomes", "", "Written by `make docs` from the declarations in the code.", ""]
    return "\n".join([*head, *table(["key", "English", "中文", "unit", "formula", "better"], rows)]) + "\n"


PAGES = {"parameters.md": parameters_page, "outcomes.md": outcomes_page, "regions.md": regions_page, "instruments.md": instruments_page}


def write(folder: Path) -> None:
    """Write every page into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(REFERENCE)
