"""Validate: hold worlds of the plausible sets, on random numbers that no calibration has used, against every observed pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from agents.streams import replicate_keys
from experiments.calibration.observe import Observed, observe_all, observe_network, observing_seconds, pooled
from experiments.calibration.patterns import NETWORK, PATTERNS, TELLING
from experiments.configuration.settings import Arm, Settings, of_kind
from experiments.configuration.study import ValidationStudy
from experiments.languages.wording import say
from experiments.runs.provenance import manifest, now
from experiments.terminal import write
from sim.data.plausible import plausible_sets, with_values

__all__ = ["Validation", "run_validation"]

#: Interval over sets and replicates that is shown: from this quantile to its mirror.
TAIL = 0.05
#: Replicates of the network generator.
NETWORKS = 5
#: Parts into which all observations are split for what is read off many of them together.
POOLS = 5
#: Keys of this study begin here, so that no calibration has used them.
FRESH = 2_000_003


@dataclass(frozen=True)
class Validation:
    """Results of a validation.

    Attributes
    ----------
    observed : DataFrame
        Every figure of every replicate: set, replicate, figure, value; pooled ones by set, of all its replicates.
    patterns : DataFrame
        A row a figure: pattern, source, confidence, range, median and interval over sets and replicates, share within, whether it holds.
    manifest : dict
    failures : str
        What could not be simulated.
    """

    observed: pd.DataFrame
    patterns: pd.DataFrame
    manifest: dict[str, Any]
    failures: str = ""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name, in the order in which they are written."""
        return {"observed": self.observed, "patterns": self.patterns}

    @property
    def held(self) -> int:
        """How many patterns hold: all their figures do."""
        return int(self.patterns.groupby("number")["holds"].all().sum())


def _rows(names: Sequence[str], observed: Sequence[Observed | Exception], each: int) -> list[dict[str, Any]]:
    """Lay observations out as rows; pooled figures are of all replicates of a set together."""
    rows = []
    for k, one in enumerate(observed):
        if isinstance(one, Observed):
            about = {"set": names[k // each], "replicate": k % each + 1}
            rows += [about | {"figure": key, "value": one.figures[key]} for key in TELLING]
    return rows


def _judged(values: pd.DataFrame) -> pd.DataFrame:
    """Hold the figures against the ranges, one row a figure."""
    rows = []
    for pattern in PATTERNS:
        for key, probe in pattern.probes.items():
            observed = values.loc[values["figure"] == key, "value"].dropna().to_numpy(dtype=np.float64)
            middle, low, high = np.quantile(observed, [0.5, TAIL, 1.0 - TAIL]) if observed.size else [np.nan] * 3
            rows.append({
                "number": pattern.number, "pattern": pattern.label, "figure": key, "label": probe.label, "unit": probe.unit,
                "wanted": probe.wanted, "median": middle, "low": low, "high": high, "values": observed.size,
                "within": float(np.mean([probe.holds(value) for value in observed])) if observed.size else np.nan,
                "holds": probe.holds(middle), "source": pattern.source, "confidence": pattern.confidence, "note": pattern.note,
            })  # fmt: skip
    return pd.DataFrame(rows)


def run_validation(
    settings: Settings,
    overrides: Sequence[str] = (),
    progress: bool = True,
    keep: Path | None = None,
    begin: Callable[[str], None] = lambda study: None,
) -> Validation:
    """Validate the world that settings describe, with the parameters of every plausible set in turn.

    `study.replicates_per_set` replicates of each set; rare events and lags are read off all replicates of some sets together.
    """
    each = of_kind(settings, ValidationStudy).replicates_per_set
    sets = {name: with_values(settings.world.parameters, values) for name, values in plausible_sets().items()}
    names = list(sets)
    if progress:
        seconds = observing_seconds(settings.world, len(names) * each, settings.parallel)
        write(say("progress.worlds", sets=len(names), replicates=each, networks=NETWORKS, seconds=seconds))
    about = manifest(settings.resolved, overrides, replicate_keys(settings.seed + FRESH, each), [Arm("world", settings.world, (), {})])
    begin(about["id"])
    worlds = [replace(settings.world, parameters=parameters) for parameters in sets.values() for _ in range(each)]
    keys = replicate_keys(settings.seed + FRESH, len(worlds))
    observed = observe_all(worlds, keys, settings.parallel, keep, progress)
    rows = _rows(names, observed, each)
    sound = [one for one in observed if isinstance(one, Observed)]
    for k, part in enumerate(np.array_split(np.arange(len(sound)), POOLS)):
        together = pooled([sound[at] for at in part]) if part.size else {}
        rows += [{"set": f"pool {k + 1}", "replicate": 0, "figure": key, "value": value} for key, value in together.items()]
    network = next(pattern for pattern in PATTERNS if pattern.number == NETWORK)
    for k, key in enumerate(replicate_keys(settings.seed + FRESH, NETWORKS), start=1):
        shape = observe_network(key)
        rows += [{"set": "network", "replicate": k, "figure": name, "value": shape[name]} for name in network.probes]
    values = pd.DataFrame(rows)
    failed = [str(one) for one in observed if isinstance(one, Exception)]
    failures = say("progress.failed_worlds", failed=len(failed), worlds=len(observed), first=failed[0]) if failed else ""
    return Validation(values, _judged(values), about | {"finished": now()}, failures)
