"""Reference pages, generated from the declarations: ``python -m experiments.reference`` writes them to docs/."""

from __future__ import annotations

from dataclasses import MISSING
from pathlib import Path
from typing import Any

from experiments.declarations import declaring
from experiments.markdown import table
from experiments.regions_page import regions_page
from sim import OUTCOMES, FromFile, InputOutput, Instrument, Parameters, Region, Synthetic
from sim.parameters import declared

__all__ = ["outcomes_page", "parameters_page", "write"]

#: What the dataclasses that declare settings are about; instruments tell themselves.
TITLES = {
    Parameters: "The model",
    Region: "A region",
    Synthetic: "A synthetic network",
    FromFile: "A network from a file",
    InputOutput: "A network from an input-output table",
}


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_shown(v) for v in value)
    return "none" if value is None else f"{value:g}" if isinstance(value, float | int) else str(value)


def _declarations(cls: type, prefix: str) -> list[str]:
    rows = []
    for f in declared(cls):
        about = f.metadata
        default = "" if f.default is MISSING else _shown(f.default)
        low, high = about["range"]
        rows.append(
            [f"`{prefix}{f.name}`", about["meaning"], default, f"{low:g} … {high:g}", about["unit"], about["confidence"], about["source"]]
        )
    return table(["setting", "meaning", "default", "range", "unit", "", "source"], rows)


def parameters_page() -> str:
    """Return the page of all parameters and levers, with ranges, units, sources and confidence marks."""
    lines = [
        "# Parameters",
        "",
        "Written by `python -m experiments.reference` from the declarations in the code. Confidence: **S** read in the source, "
        "**D** arithmetic from it, **R** recalled and to be verified, **N** looked for and not found: an assumption. "
        "Show the sensitivity of what rests on an N.",
    ]
    for prefix, cls in declaring():
        if issubclass(cls, Instrument):
            lines += ["", f"## Instrument `{cls.key}` ({cls.practice}); dose: `{cls.dose}`", ""]
        else:
            lines += ["", f"## {TITLES[cls]}", ""]
        lines += _declarations(cls, f"{prefix}.")
    return "\n".join(lines) + "\n"


def outcomes_page() -> str:
    """Return the page of all outcomes: unit, formula, better direction, labels."""
    rows = [[f"`{o.key}`", o.label, o.label_zh, o.unit, o.formula, o.better or "neither"] for o in OUTCOMES.values()]
    head = ["# Outcomes", "", "Written by `python -m experiments.reference` from the declarations in the code.", ""]
    return "\n".join([*head, *table(["key", "English", "中文", "unit", "formula", "better"], rows)]) + "\n"


PAGES = {"parameters.md": parameters_page, "outcomes.md": outcomes_page, "regions.md": regions_page}


def write(folder: Path) -> None:
    """Write every page into a folder."""
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent / "docs")
