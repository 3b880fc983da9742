"""Write pages of docs/: ``python -m experiments.pages [PAGE [OPTION …]]``, or ``make docs PAGE=…``.

Without a page, those that are written from declarations alone, in a few seconds.
"""

from __future__ import annotations

import runpy
import sys

from agents.spelling import nearest

#: What writes each page that needs no simulation, and each that does.
DECLARED = {
    "glossary": "reference.glossary",
    "licences": "reference.licences",
    "parameters": "reference.parameters",
    "portfolios": "reference.portfolios",
    "rooms": "developer.architecture",
}
SIMULATED = {
    "gallery": "reference.gallery",
    "case_studies": "evidence.case_studies",
    "dose_response": "evidence.dose_response",
    "chains": "evidence.chains",
    "delivered": "evidence.delivered",
    "eight_years": "evidence.eight_years",
    "flagships": "evidence.flagships",
    "held_out": "evidence.held_out",
    "multipliers": "evidence.multipliers",
    "plausible_worlds": "evidence.plausible_worlds",
    "scales": "evidence.scales",
}


def main(arguments: list[str]) -> None:
    """Write one page, with its own options, or all those that need no simulation."""
    page, *options = arguments or [""]
    known = DECLARED | SIMULATED
    if page and page not in known:
        raise SystemExit(f"there is no page {page!r}{nearest(page, known)}; there is {', '.join(known)}")
    for name in [page] if page else DECLARED:
        sys.argv[1:] = options
        runpy.run_module(f"experiments.pages.{known[name]}", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
