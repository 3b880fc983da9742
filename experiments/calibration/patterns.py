"""The patterns that a plausible world shows together, without any policy: what each is, and its observed range.

Every pattern is declared once: calibration aims at these ranges, and validation compares simulated worlds with them.
Simulated values come from `experiments.calibration.observe`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["NETWORK", "PATTERNS", "PROBES", "TELLING", "Pattern", "Probe", "implausibility"]


@dataclass(frozen=True)
class Probe:
    """One figure that belongs to a pattern.

    Attributes
    ----------
    low, high : float
        Observed range, in which a simulated value agrees; infinite where only one side is known.
    scale : float
        Distance outside the range that counts as one in calibration: the error that data and model may have.
    unit, label : str
    pooled : bool
        Whether it is computed from all replicates together, as is needed for rare events.
    """

    low: float
    high: float
    scale: float
    unit: str
    label: str
    pooled: bool = False

    @property
    def wanted(self) -> str:
        """The range as text."""
        if np.isinf(self.high):
            return f"at least {self.low:g}"
        return f"{self.low:g} … {self.high:g}" if np.isfinite(self.low) else f"at most {self.high:g}"

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return bool(self.low <= value <= self.high)


@dataclass(frozen=True)
class Pattern:
    """A pattern: its number and name, its figures by key, the source of the range, and the confidence in it.

    Confidence as in `sim.parameters`: S read in the source, D computed from it, R recalled, N assumption.
    """

    number: int
    label: str
    probes: dict[str, Probe]
    source: str
    confidence: str
    note: str


INF = float("inf")
#: Number of the pattern of networks, which is of their generator.
NETWORK = 13

PATTERNS: tuple[Pattern, ...] = (
    Pattern(1, "Pass rate of manufactured products", {
        "pass_rate": Probe(93.0, 94.0, 0.25, "%", "expected pass rate of random samples, firms alike"),
    }, "official series, 2017 93.71, 2020 93.39, 2023 93.65, 2024 93.93 (others recalled); all 93.1-93.9", "S",
        "Frame: every firm that ships anything, each alike, one unit a sample. Weighted by output it is higher."),
    Pattern(2, "Drift of the pass rate without policy", {
        "drift": Probe(-0.9, 0.9, 0.3, "points in 8 years", "change of the expected pass rate from the first to the eighth year"),
    }, "official series 2017-2024: first and last within 0.3, all within 0.9 points", "S",
        "The series was measured in a country full of programmes; that nothing drifts without any is the assumption."),
    Pattern(3, "Fail rate of small against large firms", {
        "small_to_large": Probe(6.0, 16.0, 1.0, "times", "risk-targeted samples: fail rate, small over large"),
        "small_to_medium": Probe(1.0, INF, 0.1, "times", "the same, small over medium"),
        "medium_to_large": Probe(1.0, INF, 0.1, "times", "the same, medium over large"),
    }, "national sampling 2021-24, % large/medium/small: 2.1/3.3/13.1, 1.6/2.9/10.1, 0.8/2.2/13.2, 2.5/4.5/15.2", "S",
        "Expected rates: only a small number of large firms is sampled, so counted rates say little."),
    Pattern(4, "Fail rate of risk-targeted samples", {
        "targeted_fail_rate": Probe(9.0, 14.0, 0.8, "%", "risk-targeted samples that fail"),
    }, "national sampling 2020-24: 10.0, 12.2, 9.4, 12.3, 14.3 %", "S", ""),
    Pattern(5, "Few suppliers cause most rejected goods", {
        "top_tenth": Probe(60.0, 80.0, 4.0, "%", "share of the top tenth of suppliers in the lots that customers reject, two years"),
    }, "incoming incidents of 24 plants and 320 vendors, 2013-14: top tenth 72 % of incidents, 77 % of quantity", "D",
        "Expected lots rejected under ISO 2859-1 (letter K, AQL 2.5 %), lots of the same value, of what is inspected."),
    Pattern(6, "Cost of poor quality falls with the sigma level", {
        "copq_by_sigma": Probe(-INF, -0.2, 0.1, "1", "rank correlation over firms: cost of poor quality of sales with sigma level"),
    }, "Harry (1998): 30-40 % of sales at 2 sigma to below 10 % at 6; surveys 2.5-5 % for all quality cost", "S",
        "One opportunity a unit. The two published scales differ fourfold: `parameters.copq_scale`."),
    Pattern(7, "Warranty of chain leaders", {
        "warranty": Probe(1.5, 2.4, 0.15, "% of sales", "leaders' cost of defects at users, of their sales to users"),
    }, "warranty claims: US average 1.5 %, world car makers 2.4 % (2021)", "S", ""),
    Pattern(8, "Adoption from a low start", {
        "officer_curve": Probe(0.98, INF, 0.01, "R²", "chief quality officers: fit of a logistic curve up to the top"),
        "certificate_curve": Probe(0.98, INF, 0.01, "R²", "certificates: the same"),
        "officer_later": Probe(-INF, 0.0, 0.02, "1/year", "officers: change in the last 5 of 25 years, as a share of the top"),
        "officers": Probe(2.0, 25.0, 3.0, "%", "firms with a chief quality officer, eight years without a programme"),
        "certificates": Probe(20.0, 60.0, 5.0, "%", "firms with a certificate, eight years without a programme"),
    }, "certificates of management systems worldwide: logistic, later slow loss", "R",
        "In a run of its own from 2 % of firms. Levels are assumptions: programmes count most officers as their own achievement; "
        "certificates are about as many as industrial firms above the statistical threshold, and firms of chains are larger than most."),
    Pattern(9, "Practice fades when help ends", {
        "gap_left": Probe(0.45, 0.60, 0.03, "share", "paired gap of capability left after 102 months"),
    }, "Bloom et al. (2020): about half of the practices dropped after 8-9 years", "S", "Firms that stayed throughout."),
    Pattern(10, "Bad loans of small firms", {
        "bad_loans": Probe(1.0, 3.0, 0.4, "%/year", "small firms: loans written off in a year, of loans outstanding"),
    }, "bad-loan ratio of small firms 2.18 % (2022)", "S",
        "The official ratio is a stock of bad loans; here bad loans are written off at once, so stock and yearly flow are one."),
    Pattern(11, "Recalls are heavy-tailed", {
        "recalls_top": Probe(50.0, 95.0, 5.0, "%", "share of the largest tenth of recalls in all goods recalled", pooled=True),
    }, "cars 2024: 233 recalls, 11.24 million vehicles; heavy tail as in the literature", "R",
        "A thin (exponential) tail gives 33 %."),
    Pattern(12, "Net margin of industry", {
        "net_margin": Probe(5.0, 6.0, 0.25, "% of sales", "profit of all firms, of sales"),
    }, "industry 5-6 %", "R", ""),
    Pattern(13, "Shape of production networks", {
        "supplier_tail": Probe(1.3, 1.5, 0.1, "1", "exponent of the tail of the number of suppliers, at 20,000 firms"),
        "customer_tail": Probe(1.25, 1.5, 0.1, "1", "the same of customers"),
        "assortativity": Probe(-0.21, -0.05, 0.03, "1", "correlation of degrees over links"),
        "clustering": Probe(0.0, 0.10, 0.02, "1", "mean local clustering"),
        "elasticity": Probe(0.77, 1.2, 0.1, "1", "d ln sales / d ln customers"),
    }, "Japan, Dutch banks, Belgium, Estonia, Costa Rica, West Bengal (see docs/guide/networks.md)", "S",
        "Of the generator: no parameter of the world moves it."),
    Pattern(14, "Effects lag, and more so across firms", {
        "lag_across": Probe(1.0, INF, 0.5, "months", "half-time of the effect on users' defects", pooled=True),
        "lag_difference": Probe(0.5, INF, 0.5, "months", "the same, less that of the helped firms' own defects", pooled=True),
    }, "improvement half-lives: 1 month to 22 across organisations (Schneiderman)", "S",
        "Capability is given to half of the members at once, on the same random numbers; effects are averaged over replicates."),
)  # fmt: skip

#: Every figure, by its key.
PROBES: dict[str, Probe] = {key: probe for pattern in PATTERNS for key, probe in pattern.probes.items()}


#: Figures that one replicate gives by itself, and that depend on the parameters of the world.
TELLING: tuple[str, ...] = tuple(
    key for pattern in PATTERNS for key, probe in pattern.probes.items() if not probe.pooled and pattern.number != NETWORK
)


def implausibility(values: ArrayLike, keys: tuple[str, ...], error: ArrayLike = 0.0, inside: float = 0.0) -> NDArray[np.float64]:
    """Return how far values lie outside the observed ranges, in units of the error that data, model and simulation may have.

    Parameters
    ----------
    values : array, shape (…, figures)
    keys : tuple of str
        Figures in the order of the last axis.
    error : array
        Standard error of the values, of the same shape or a number.
    inside : float
        How far inside the range values have to lie to count as within, in the same units.

    Returns
    -------
    array, shape (…, figures)
        0 inside the range; infinite where there is no value.
    """
    x = np.asarray(values, dtype=np.float64)
    low, high, scale = (np.array([getattr(PROBES[key], name) for key in keys]) for name in ("low", "high", "scale"))
    outside = np.maximum(np.maximum(low - x, x - high) + inside * scale, 0.0)
    return np.where(np.isnan(x), np.inf, outside / np.sqrt(scale**2 + np.asarray(error) ** 2))
