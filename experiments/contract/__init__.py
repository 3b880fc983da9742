"""What must hold for every instrument, one's own included.

>>> from experiments.contract import CHECKS, failures
"""

from experiments.contract.checks import CHECKS, failures

__all__ = ["CHECKS", "failures"]
