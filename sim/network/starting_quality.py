"""What is known of the quality of the firms of a network: figures of their own, with which a run starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.columns import Floats, Ints

__all__ = ["StartingQuality"]


@dataclass(frozen=True, eq=False)
class StartingQuality:
    """Quality figures of n firms at the start of month 1; NaN where a figure is not known.

    Attributes
    ----------
    first_pass_yield : float array, shape (n,)
        Share of units that a firm's own process makes right the first time, in (0, 1]: without a detectable defect of its own making.
    returns : float array, shape (n,)
        Share of the units delivered that are returned or rejected, in [0, 1): those with a defect. A firm has this figure or the one above.
    problems : float array, shape (n,)
        Quality problems that are open, a whole number.
    problems_by_kind : float array, shape (n, 4)
        The same by kind of problem (`agents.firm.KINDS`).
    certificate, officer : float arrays, shape (n,)
        1 if the firm has one, 0 if it has none.
    capability : float array, shape (n, 4)
        Quality capabilities by kind, in [0, 1].
    """

    first_pass_yield: Floats
    returns: Floats
    problems: Floats
    problems_by_kind: Floats
    certificate: Floats
    officer: Floats
    capability: Floats

    @classmethod
    def unknown(cls, n: int, **known: Floats) -> StartingQuality:
        """Return the figures of n firms of which only some columns are known."""
        widths = {"problems_by_kind": 4, "capability": 4}
        columns = {name: np.full((n, widths[name]) if name in widths else n, np.nan) for name in cls.__dataclass_fields__}
        return cls(**(columns | {name: np.asarray(values, dtype=np.float64) for name, values in known.items()}))

    def of(self, rows: Ints) -> StartingQuality:
        """Return the figures of some firms, in the order of their rows."""
        return StartingQuality(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    @property
    def n_firms(self) -> int:
        """Number of firms."""
        return int(self.returns.size)

    def given(self) -> dict[str, int]:
        """Return of how many firms each figure is known; of problems and capabilities, at least one kind."""
        problems = ~np.isnan(self.problems) | ~np.isnan(self.problems_by_kind).all(axis=1)
        counts = {
            "first_pass_yield": int((~np.isnan(self.first_pass_yield)).sum()),
            "returns": int((~np.isnan(self.returns)).sum()),
            "open_problems": int(problems.sum()),
            "certificate": int((~np.isnan(self.certificate)).sum()),
            "officer": int((~np.isnan(self.officer)).sum()),
            "capability": int((~np.isnan(self.capability).all(axis=1)).sum()),
        }
        return counts
