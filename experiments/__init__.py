"""What a researcher does with the world: compose it, compare policies with the same random numbers, look at the results.

>>> from experiments import world, compare, load, all_runs
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.renamed import MovedModules

if TYPE_CHECKING:
    from experiments.analysis.collected import all_runs
    from experiments.analysis.results import Comparison
    from experiments.notebook import world
    from experiments.study_results import compare, load

__all__ = ["Comparison", "all_runs", "compare", "load", "world"]

_agents = find_spec("agents")
if _agents is None or Path(_agents.origin or "").resolve().parent.parent != Path(__file__).resolve().parent.parent:
    raise ImportError(
        f"another package called 'agents' hides Strongchain's: {_agents.origin if _agents else 'none is found'}; "
        "uninstall it, or use an environment of Strongchain's own (make demo makes one)"
    )

sys.meta_path.append(MovedModules)  # last: asked only for what nothing else finds

#: Where each name comes from: it is imported when it is asked for, because a command that only looks something up needs none.
_HOMES = {
    "world": "experiments.notebook",
    "all_runs": "experiments.analysis.collected",
    "compare": "experiments.study_results",
    "Comparison": "experiments.analysis.results",
    "load": "experiments.study_results",
}


def __getattr__(name: str) -> Any:
    """Import what a notebook asks for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
