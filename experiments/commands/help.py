"""The text of ``strongchain --help`` and ``strongchain help``.

It is read off files, and nothing of the world is imported for it: Hydra, which would write the same text, takes ten seconds
to read every option of every group, and the world takes one to import.
"""

from __future__ import annotations

import re
from pathlib import Path

from experiments.configuration.files import CONFIGS, options_in_files
from experiments.configuration.study import KINDS
from experiments.languages.wording import lines

__all__ = ["help_text", "options"]

#: Where the world lies.
SIM = Path(__file__).resolve().parents[2] / "sim"


def options() -> dict[str, tuple[str, ...]]:
    """Return the groups and their options, as `experiments.configuration.declared.groups` does once the world is imported."""
    declared = {
        f"{one}s": re.findall(rf'^@{one}\("(\w+)"', "\n".join(path.read_text(encoding="utf-8") for path in SIM.glob(f"{one}s/*.py")), re.M)
        for one in ("instrument", "shock")
    }
    sets = (SIM / "data/plausible_sets.csv").read_text(encoding="utf-8").splitlines()[1:]
    registered = {
        **declared,
        "network": ["file", "input_output", "region", "synthetic"],
        "study": [*KINDS],
        "parameters": [row.split(",", 1)[0] for row in sets],
    }
    return {name: tuple(sorted(names)) for name, names in sorted({**options_in_files(CONFIGS), **registered}.items())}


def help_text() -> str:
    """Return what ``strongchain --help`` prints."""
    return lines("help.text", options())
