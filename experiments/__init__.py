"""What a researcher does with the world: compose it, compare policies on the same luck, look at the results.

>>> from experiments import world, compare, load
"""

from pathlib import Path

import agents

if Path(agents.__file__).resolve().parent.parent != Path(__file__).resolve().parent.parent:
    raise ImportError(
        f"another package called 'agents' hides Strongchain's: {Path(agents.__file__).parent}; "
        "uninstall it, or use an environment of Strongchain's own (make demo makes one)"
    )

from experiments.notebook import world
from experiments.results import Comparison, load
from experiments.studies.compare import compare

__all__ = ["Comparison", "compare", "load", "world"]
