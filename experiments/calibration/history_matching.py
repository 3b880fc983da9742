"""History matching: which values of the uncertain parameters let a world show all patterns together.

In each wave, points of a Latin hypercube are simulated, one replicate each, with their own random numbers. Gaussian processes learn
from them how every figure of the patterns depends on the parameters. The points that they rule out are dropped, and the next wave
examines the rest. Nothing is averaged into one best answer: all points that are not ruled out are the ensemble [1]_.

References
----------
.. [1] Craig, Goldstein, Seheult & Smith (1997); Vernon, Goldstein & Bower (2010), Galaxy formation: a Bayesian
   uncertainty analysis, Bayesian Analysis 5(4).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from agents.spelling import nearest
from experiments.calibration.patterns import implausibility
from sim.data.plausible import field_and_entry
from sim.parameters import ParameterError, Parameters

__all__ = [
    "CANDIDATES",
    "Axis",
    "Emulator",
    "axes_of",
    "hypercube",
    "most_implausible",
    "next_points",
    "ranges_of",
    "scaled",
    "spread_out",
]

Floats = NDArray[np.float64]

#: Candidates that the emulators evaluate in one round, number of rounds, and spread of the steps between rounds (of each range).
CANDIDATES, ROUNDS, STEP = 20_000, 8, 0.12
#: How far inside the ranges the search aims, in units of implausibility: of sets on an edge, half would lie outside.
INSIDE = 0.3
#: Rounds in which the ensemble spreads, parents and steps in each round, and shortest and longest step (of each range).
SPREADING, PARENTS, OFFSPRING, STRIDES = 30, 200, 4_000, (0.03, 0.5)
#: Points that are kept from one of these rounds to the next, parents included.
KEPT = 4_000


@dataclass(frozen=True)
class Axis:
    """A parameter, or one entry of a parameter that is a tuple, and the range that is searched."""

    name: str
    low: float
    high: float


def axes_of(ranges: Mapping[str, Sequence[float]]) -> tuple[Axis, ...]:
    """Return the axes of the ranges that a study searches, by parameter: ``base_dpu`` or ``base_dpu_size[0]``.

    Raises
    ------
    ParameterError
        If a name is not a parameter, or a range is not valid or leaves the legal one.
    """
    legal = {f.name: f for f in fields(Parameters)}
    axes = []
    for name, limits in ranges.items():
        pair = isinstance(limits, Sequence) and len(limits) == 2 and all(isinstance(limit, int | float) for limit in limits)
        axis = Axis(name, *map(float, limits)) if pair else Axis(name, np.nan, np.nan)
        field, entry = field_and_entry(name)
        f = legal.get(field)
        length = len(f.default) if f is not None and isinstance(f.default, tuple) else None
        if f is None or (length is None) != (entry is None) or (entry or 0) >= (length or 1):
            suggestion = nearest(name, legal)
            raise ParameterError(
                f"the calibration is to search {name!r}, which is no parameter, or no entry of one{suggestion}; see strongchain parameters"
            )
        low, high = f.metadata["range"]
        if not low <= axis.low < axis.high <= high:
            raise ParameterError(f"the range of {name} to be searched is {limits}; it must be two rising numbers in {low:g} … {high:g}")
        axes.append(axis)
    return tuple(axes)


def ranges_of(about: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return the parameters that a study searched and their ranges, from its manifest."""
    study = about["configuration"]["study"]
    return dict(study["searched_only"] or study["searched"])


def hypercube(count: int, axes: Sequence[Axis], seed: int) -> Floats:
    """Return a Latin hypercube of points in the unit cube, shape (count, axes)."""
    return qmc.LatinHypercube(len(axes), rng=np.random.default_rng(seed)).random(count)


def scaled(unit: Floats, axes: Sequence[Axis]) -> Floats:
    """Turn points of the unit cube into values of the parameters."""
    low, high = np.array([axis.low for axis in axes]), np.array([axis.high for axis in axes])
    return low + unit * (high - low)


class Emulator:
    """Gaussian processes, one a figure, over the unit cube of parameters.

    Parameters
    ----------
    unit : array, shape (points, axes)
    figures : array, shape (points, figures)
        What was simulated there; not a number where a figure is not known.
    keys : tuple of str
    """

    def __init__(self, unit: Floats, figures: Floats, keys: tuple[str, ...], seed: int = 0) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        self.keys = keys
        self._models = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound: the parameter does not matter
            for figure in figures.T:
                known = np.isfinite(figure)
                kernel = ConstantKernel(1.0, (1e-2, 1e3)) * RBF(np.full(unit.shape[1], 3.0), (0.2, 50.0)) + WhiteKernel(0.1, (1e-4, 2.0))
                model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
                self._models.append(model.fit(unit[known], figure[known]))

    def predict(self, unit: Floats) -> tuple[Floats, Floats]:
        """Return the expected figures at points, shape (points, figures) each: means, and standard errors.

        The random variation of a single run is left out of the errors.
        """
        means, errors = [], []
        for model in self._models:
            mean, error = model.predict(unit, return_std=True)
            variation = model.kernel_.k2.noise_level * model._y_train_std**2
            means.append(mean)
            errors.append(np.sqrt(np.maximum(error**2 - variation, 0.0)))
        return np.stack(means, axis=1), np.stack(errors, axis=1)

    def lengths(self) -> Floats:
        """Return the distance along each axis over which a figure changes, shape (figures, axes), in ranges: long means no influence."""
        return np.stack([model.kernel_.k1.k2.length_scale for model in self._models])


def most_implausible(emulator: Emulator, unit: Floats) -> Floats:
    """Return the largest implausibility over the figures at points, shape (points,), aiming a little inside the ranges."""
    mean, error = emulator.predict(unit)
    return implausibility(mean, emulator.keys, error, INSIDE).max(axis=1)


def next_points(emulator: Emulator, axes: Sequence[Axis], count: int, cut: float, seed: int) -> tuple[Floats, Floats, float]:
    """Return points that the emulators do not rule out.

    Parameters
    ----------
    emulator : Emulator
    axes : sequence of Axis
    count : int
    cut : float
        Largest implausibility; if not enough points lie below it, the least implausible ones are taken.
    seed : int

    Returns
    -------
    unit : array, shape (count, axes)
    implausible : array, shape (count,)
    share : float
        Share of a Latin hypercube that is not ruled out: the remaining volume.
    """
    draw = np.random.default_rng(seed)
    unit = hypercube(CANDIDATES, axes, seed)
    worst = most_implausible(emulator, unit)
    share = float((worst <= cut).mean())
    for _ in range(ROUNDS):
        best = np.argsort(worst, kind="stable")[: max(4 * count, 200)]
        steps = unit[best][draw.integers(best.size, size=CANDIDATES // 4)]
        steps = steps + STEP * draw.standard_normal(steps.shape) * (draw.random(steps.shape) < 0.3)
        steps = _reflected(steps)
        unit, worst = np.concatenate([unit, steps]), np.concatenate([worst, most_implausible(emulator, steps)])
    left = np.flatnonzero(worst <= cut)
    chosen = draw.choice(left, count, replace=False) if left.size >= count else np.argsort(worst, kind="stable")[:count]
    return unit[chosen], worst[chosen], share


def spread_out(emulator: Emulator, start: Floats, count: int, cut: float, seed: int) -> Floats:
    """Return points that lie as far apart as they can in what the emulators do not rule out, shape (count, axes).

    The region is small, and a search for the least implausible points finds only points close to each other. So the ensemble takes
    short and long steps from points far apart, and keeps every point that is not ruled out; at the end the points farthest apart are
    taken [1]_.

    Parameters
    ----------
    emulator : Emulator
    start : array, shape (points, axes)
        Points to begin with. If all of them are ruled out, the least implausible are returned.
    count : int
    cut : float
        Largest implausibility.
    seed : int

    References
    ----------
    .. [1] Gonzalez (1985), Clustering to minimize the maximum intercluster distance, Theoretical Computer Science 38.
    """
    draw = np.random.default_rng(seed)
    worst = most_implausible(emulator, start)
    if not (worst <= cut).any():
        return start[np.argsort(worst, kind="stable")[:count]]
    pool = start[worst <= cut]
    for _ in range(SPREADING):
        parents = pool[_farthest_apart(pool, PARENTS)]
        others = pool if len(pool) <= KEPT else pool[draw.choice(len(pool), KEPT, replace=False)]
        steps = parents[draw.integers(len(parents), size=OFFSPRING)]
        stride = np.exp(draw.uniform(np.log(STRIDES[0]), np.log(STRIDES[1]), size=(OFFSPRING, 1)))
        steps = _reflected(steps + stride * draw.standard_normal(steps.shape) * (draw.random(steps.shape) < 0.3))
        pool = np.concatenate([parents, others, steps[most_implausible(emulator, steps) <= cut]])
    pool = np.unique(pool, axis=0)
    return pool[_farthest_apart(pool, count)]


def _reflected(unit: Floats) -> Floats:
    """Reflect points that would leave the cube."""
    unit = np.abs(unit)
    return np.where(unit > 1.0, 2.0 - unit, unit).clip(0.0, 1.0)


def _farthest_apart(points: Floats, count: int) -> NDArray[np.int64]:
    """Choose points one after the other: first the nearest to the centre, then each time the farthest from those chosen."""
    distance = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    chosen = [int(distance.argmin())]
    distance = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return np.array(chosen, dtype=np.int64)
