"""The text of ``strongchain --help`` and ``strongchain help``.

It is read off files, and nothing of the world is imported for it: Hydra, which would write the same text, takes ten seconds
to read every option of every group, and the world takes one to import.
"""

from __future__ import annotations

import re
from pathlib import Path

from experiments.configuration.files import CONFIGS, options_in_files
from experiments.configuration.study import KINDS

__all__ = ["help_text", "options"]

#: Where the world lies.
SIM = Path(__file__).resolve().parents[2] / "sim"
TEXT = """\
strongchain: how defects travel along supply chains, and which policies stop them

strongchain                                    the default experiment
strongchain region=sample replicates=5         another region, fewer replicates
strongchain 'instruments=[cqo]' instruments.cqo.reach=0.8 months=36
strongchain -m instruments.cqo.reach=0,0.5,1   a sweep: one job a value, one table
strongchain network=file network.path=my.csv   a chain of your own (docs/guide/networks.md)
strongchain --cfg job                          everything that can be set, as it stands
strongchain regions | policies | instruments | experiments | parameters [WORD] | explain WORD
strongchain results | rerun FOLDER             the studies so far; one of them again
strongchain completion bash                    (or zsh) a script for completion by Tab
strongchain help | help WORD                   this text; what a word means, as explain does

Groups (choose one with group=option):
{groups}

Results are written to results/NAME (name=NAME; the time of day by default)."""


def options() -> dict[str, tuple[str, ...]]:
    """Return the groups and their options, as `experiments.configuration.declared.groups` does once the world is imported."""
    instruments = (
        re.findall(r'^@instrument\("(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE) for path in SIM.glob("instruments/*.py")
    )
    sets = (SIM / "data/plausible_sets.csv").read_text(encoding="utf-8").splitlines()[1:]
    registered = {
        "instruments": [key for keys in instruments for key in keys],
        "network": ["file", "input_output", "region", "synthetic"],
        "study": [*KINDS],
        "parameters": [row.split(",", 1)[0] for row in sets],
    }
    return {name: tuple(sorted(found)) for name, found in sorted({**options_in_files(CONFIGS), **registered}.items())}


def help_text() -> str:
    """Return what ``strongchain --help`` prints."""
    return TEXT.format(groups="\n".join(f"{name}: {', '.join(found)}" for name, found in options().items()))
