"""A few dozen outcome figures of known worlds, kept in a file, so that no change of results goes unnoticed.

``python -m tests.baseline`` (or ``make baseline``) computes them again, prints what changed and renews the file.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import yaml

from experiments import world

__all__ = ["FILE", "HOW_TO", "OUTCOMES", "WORLDS", "changes", "measure", "stored"]

FILE = Path(__file__).with_suffix(".yaml")
TOLERANCE = 1e-9  # relative: room for the rounding of other processors, not for another model
MONTHS, WINDOW, SEED = 36, 12, 1
#: Name → the overrides as typed after ``strongchain``.
WORLDS: dict[str, tuple[str, ...]] = {
    "sample, nothing": ("region=sample", "instruments=[]"),
    "sample, all": ("region=sample", "instruments=[cqo,one_stop_stations,strong_chain_loans]"),
    "liaoning, nothing": ("region=liaoning", "instruments=[]"),
    "liaoning, all": ("region=liaoning", "instruments=[cqo,one_stop_stations,strong_chain_loans]"),
}
OUTCOMES = (
    "field_dpu",
    "field_dpu_latent",
    "field_yield",
    "nonconformity",
    "pass_rate",
    "own_dpu",
    "final_inspection",
    "copq",
    "prevention",
    "open_problems",
    "cases_solved",
    "management",
    "certified_share",
    "targeted_fail_rate",
    "relief",
    "relation_age",
    "investment",
    "net_margin",
    "cash",
    "debt",
    "exits",
    "recalled",
    "output",
    "government_cost",
)
HOW_TO = (
    "If results are meant to change: renew the file with `python -m tests.baseline` (or `make baseline`), and begin the entry "
    "in CHANGELOG.md with 'Results change', saying why. If they are not, the change at hand has altered the model by mistake."
)
HEAD = "# Outcomes of known worlds (tests/baseline.py). Renewed by `python -m tests.baseline`, never by hand.\n"


def measure(name: str) -> dict[str, float]:
    """Return the figures of one world: means of the last months, and what its network and its map amount to."""
    model = world(*WORLDS[name], seed=SEED)
    model.run(MONTHS)
    figures = {key: float(np.nanmean(model.record.series(key)[-WINDOW:])) for key in OUTCOMES}
    return {"links": float(model.links.n), **figures, "map_total": float(model.quality_map().total)}


def stored() -> dict[str, dict[str, float]]:
    """Return the kept figures, by world and outcome; none where there is no file."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def changes(name: str, stored: dict[str, float], measured: dict[str, float]) -> list[str]:
    """Return a line for each figure that is not as kept, or is kept or found alone."""
    lines = []
    for key in dict.fromkeys([*stored, *measured]):
        old, new = stored.get(key), measured.get(key)
        if old is None or new is None:
            lines.append(f"{name}: {key} {'is new' if old is None else 'is gone'}: {new if old is None else old!r}")
        elif not (math.isclose(old, new, rel_tol=TOLERANCE, abs_tol=1e-15) or (math.isnan(old) and math.isnan(new))):
            share = f" ({100 * (new / old - 1):+.3g} %)" if old else ""
            lines.append(f"{name}: {key} was {old!r}, is {new!r}{share}")
    return lines


def main() -> None:
    """Renew the file, and say what changed."""
    before, measured = stored(), {name: measure(name) for name in WORLDS}
    lines = [line for name in dict.fromkeys([*before, *measured]) for line in changes(name, before.get(name, {}), measured.get(name, {}))]
    FILE.write_text(HEAD + yaml.safe_dump(measured, sort_keys=False, allow_unicode=True), encoding="utf-8")
    print("\n".join(lines) if lines else "nothing changed")
    if before and lines:
        print(f"{len(lines)} figures changed: begin the entry in CHANGELOG.md with 'Results change'")
    print(f"{FILE.relative_to(Path.cwd()) if FILE.is_relative_to(Path.cwd()) else FILE} holds {sum(map(len, measured.values()))} figures")


if __name__ == "__main__":
    main()
