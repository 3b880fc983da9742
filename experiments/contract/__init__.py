"""What must hold for every instrument, including the user's own.

>>> from experiments.contract import CHECKS, failures
"""

from experiments.contract.checks import CHECKS, failures

__all__ = ["CHECKS", "failures"]
