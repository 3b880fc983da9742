"""From runs to tables: every arm paired with the reference, replicate by replicate, with common random numbers.

Each function takes runs and returns one table with a fixed order of rows and columns, and neither times nor hosts
in it, so that the same study always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.analysis.costs import costs_per_defect
from experiments.analysis.statistics import (
    Intervals,
    adjusted_p_values,
    half_widths,
    mean_intervals,
    p_values,
    replicates_needed,
    shown_interval,
    shown_intervals,
    variance_ratios,
)
from experiments.analysis.verdicts import conclusions
from experiments.configuration.settings import CompareStudy
from experiments.runs.measure import Run
from sim.attribution.quality_map import CAUSES
from sim.instruments import INSTRUMENTS, LEFT, TAKEN_ON
from sim.outcomes import HEADLINE, OUTCOMES
from sim.record import GROUPINGS

__all__ = [
    "HEADLINES",
    "effects_and_pairs",
    "headline_effects",
    "in_total",
    "tables_of",
]

Floats = NDArray[np.float64]
ByArm = Mapping[str, Sequence[Run]]

#: What a study is judged by: for these the study says whether replicates are enough, and what common random numbers gain.
HEADLINES = (HEADLINE, "nonconformity", "open_problems", "copq", "quality_cost")
#: Half-width, as a share of an effect, at which 80 % of studies show it: z(97.5 %) / (z(97.5 %) + z(80 %)).
POWER = 0.6996


def tables_of(runs: Sequence[Run], reference: str, study: CompareStudy, groups: bool = False) -> dict[str, pd.DataFrame]:
    """Return every table of a study by its name.

    Parameters
    ----------
    runs : sequence of Run
        Whole replicates: as many of every arm.
    reference : str
        The arm that the others are compared with.
    study : CompareStudy
        How p-values are corrected, and how narrow intervals are to be.
    groups : bool
        Whether the table of runs has their groups in addition to totals.
    """
    by_arm = {arm: [run for run in runs if run.arm == arm] for arm in dict.fromkeys(run.arm for run in runs)}
    tiers = max(run.origins.shape[0] for run in runs)
    base = by_arm[reference]
    effects, pairs = effects_and_pairs(by_arm, reference, study)
    return {
        "runs": _runs(runs, groups),
        "effects": effects,
        "pairs": pairs,
        "series": pd.concat([_series(of_arm, base) for of_arm in by_arm.values()], ignore_index=True),
        "origins": pd.concat([_origins(of_arm, tiers) for of_arm in by_arm.values()], ignore_index=True),
        "books": _books(by_arm, base),
        "costs": costs_per_defect(by_arm, reference),
        "counts": _counts(by_arm),
        "enough": _enough(by_arm, reference, study),
        "luck": _luck(by_arm, reference),
    }


# -- run by run ---------------------------------------------------------------------------------------


def in_total(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that are of the whole world, without the two columns that name groups.

    Parameters
    ----------
    table : DataFrame
        A table with the columns `by` and `group`, such as that of runs.
    """
    return table[table["by"] == "total"].drop(columns=["by", "group"])


def _runs(runs: Sequence[Run], groups: bool) -> pd.DataFrame:
    """A row per arm, replicate (from 1) and group: outcomes of the last months, flows in all, money and counts by instrument."""
    keys = runs[0].outcomes
    flows = [k for k, key in enumerate(keys) if OUTCOMES[key].is_flow]
    head, level, whole = [], [], []
    for run in runs:
        for g, group in enumerate(run.groups if groups else run.groups[:1]):
            head.append((run.arm, run.replicate + 1, *group))
            level.append(run.window[:, g])
            whole.append(run.cumulative[flows, g])
    spent = sorted({key for run in runs for key in run.spent})
    columns: dict[str, NDArray] = dict(zip(("arm", "replicate", "by", "group"), map(np.asarray, zip(*head, strict=True)), strict=True))
    columns |= dict(zip(keys, np.stack(level, axis=1), strict=True))
    columns |= dict(zip((f"{keys[k]}_in_all" for k in flows), np.stack(whole, axis=1), strict=True))
    times = [len(run.groups) if groups else 1 for run in runs]
    columns |= {f"spent_on_{key}": np.repeat([run.spent.get(key, 0.0) for run in runs], times) for key in spent}
    for key, name in _counted(runs):
        columns[f"count_of_{key}: {name}"] = np.repeat([run.counts.get(key, {}).get(name, 0) for run in runs], times)
    return pd.DataFrame(columns)


def _counted(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """What instruments count in any of some runs: instrument and count."""
    return list(dict.fromkeys((key, name) for run in runs for key, counts in run.counts.items() for name in counts))


# -- effects --------------------------------------------------------------------------------------------


def headline_effects(runs: Sequence[Run], reference: str) -> tuple[Floats, float]:
    """Return the paired effects on the headline, shape (replicates, other arms), and its mean in the reference."""
    at = runs[0].outcomes.index(HEADLINE)
    value = {arm: np.array([run.window[at, 0] for run in runs if run.arm == arm]) for arm in dict.fromkeys(run.arm for run in runs)}
    others = [runs - value[reference] for arm, runs in value.items() if arm != reference]
    return np.stack(others, axis=1) if others else np.empty((len(value[reference]), 0)), float(value[reference].mean())


def effects_and_pairs(by_arm: ByArm, reference: str, study: CompareStudy) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the effects against the reference, all groups, and those of every pair of arms in total.

    With a correction p-values are adjusted in families: the headline outcomes of all other arms in total, and those of all
    pairs. Other outcomes and groups are not for judging a policy; they have no adjusted p-value. The column
    `conclusion` says what each effect shows (`experiments.analysis.verdicts.Conclusion`).
    """
    effects = pd.concat([_effects(runs, by_arm[reference]) for runs in by_arm.values()], ignore_index=True)
    parts = []
    for against, arm in combinations(by_arm, 2):
        effects_of_pair = _effects([_in_total(run) for run in by_arm[arm]], [_in_total(run) for run in by_arm[against]])
        effects_of_pair.insert(1, "against", against)
        parts.append(effects_of_pair)
    none = _effects(by_arm[reference], by_arm[reference]).iloc[:0].assign(against="")
    pairs = pd.concat(parts, ignore_index=True) if parts else none
    effects, pairs = (_with_conclusions(table, (table["arm"] != reference).to_numpy(), study.correction) for table in (effects, pairs))
    names = ["effect", "effect_low", "effect_high", "effect_share", "effect_share_low", "effect_share_high"]
    sums = ["cumulative_effect", "cumulative_effect_low", "cumulative_effect_high"]
    ends = ["bootstrap", "p", "p_adjusted", "conclusion", "replicates"]
    return effects, pairs[["arm", "against", "outcome", "unit", "better", *names, *sums, *ends]]


def _with_conclusions(table: pd.DataFrame, compared: NDArray[np.bool_], correction: str) -> pd.DataFrame:
    """Add the adjusted p-values, not a number outside of their family, and what each effect shows."""
    p = table["p"].to_numpy()
    family = compared & (table["by"] == "total").to_numpy()
    if correction != "none":
        family &= table["outcome"].isin(HEADLINES).to_numpy()
    adjusted = np.full(p.shape, np.nan)
    adjusted[family] = p[family] if correction == "none" else adjusted_p_values(p[family], correction)  # type: ignore[arg-type]
    concluded = conclusions(table["effect"], table["effect_low"], table["effect_high"], adjusted)
    at = table.columns.get_loc("p") + 1
    table.insert(at, "p_adjusted", adjusted)
    table.insert(at + 1, "conclusion", concluded)
    return table


def _in_total(run: Run) -> Run:
    """A run without its groups."""
    return replace(run, groups=run.groups[:1], window=run.window[:, :1], cumulative=run.cumulative[:, :1])


def _groups(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """All groups, in order: arms, and replicates of a generated network, may differ in their deepest tier."""

    def place(group: tuple[str, str]) -> tuple[int, int, str]:
        by, name = group
        return GROUPINGS.index(by), int(name) if name.isdigit() else len(name) * 10**6, name

    return sorted({group for run in runs for group in run.groups}, key=place)


def _stack(runs: Sequence[Run], what: str, groups: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """Window means or cumulative sums of all runs, shape (replicates, groups, outcomes); not a number where a run lacks a group."""
    out = np.full((len(runs), len(groups), len(runs[0].outcomes)), np.nan)
    for r, run in enumerate(runs):
        places = [groups.index(group) for group in run.groups]
        out[r, places] = getattr(run, what).T
    return out


def _columns(stem: str, intervals: Intervals) -> dict[str, NDArray[np.float64]]:
    return {stem: intervals.mean.ravel(), f"{stem}_low": intervals.low.ravel(), f"{stem}_high": intervals.high.ravel()}


def _effects(treated: Sequence[Run], base: Sequence[Run]) -> pd.DataFrame:
    groups, keys = _groups([*base, *treated]), treated[0].outcomes
    level, start = _stack(treated, "window", groups), _stack(base, "window", groups)
    paired, widened = shown_intervals(level - start)
    reference = mean_intervals(start).mean
    whole = np.where(reference != 0.0, np.abs(reference), np.nan)  # taken as known: the share's interval is the effect's
    share = Intervals(paired.mean / whole, paired.low / whole, paired.high / whole, paired.n)
    in_all, in_all_start = _stack(treated, "cumulative", groups), _stack(base, "cumulative", groups)
    gained, _ = shown_intervals(in_all - in_all_start)
    return pd.DataFrame(
        {
            "arm": treated[0].arm,
            "outcome": np.tile(keys, len(groups)),
            "by": np.repeat([by for by, _ in groups], len(keys)),
            "group": np.repeat([group for _, group in groups], len(keys)),
            "unit": np.tile([OUTCOMES[key].unit for key in keys], len(groups)),
            "better": np.tile([OUTCOMES[key].better for key in keys], len(groups)),
            **_columns("level", mean_intervals(level)),
            **_columns("effect", paired),
            **_columns("effect_share", share),
            **_columns("cumulative", mean_intervals(in_all)),
            **_columns("cumulative_effect", gained),
            "bootstrap": widened.ravel(),
            "p": p_values(level - start).ravel(),
            "replicates": paired.n.ravel(),
        }
    )


def _series(treated: Sequence[Run], base: Sequence[Run]) -> pd.DataFrame:
    level = np.stack([run.series for run in treated])  # replicates, months, outcomes
    paired = level - np.stack([run.series for run in base])
    months, keys = level.shape[1], treated[0].outcomes
    return pd.DataFrame(
        {
            "arm": treated[0].arm,
            "outcome": np.tile(keys, months),
            "month": np.repeat(np.arange(1, months + 1), len(keys)),
            **_columns("level", mean_intervals(level)),
            **_columns("effect", mean_intervals(paired)),
        }
    )


def _origins(runs: Sequence[Run], tiers: int) -> pd.DataFrame:
    """Field loss by tier and cause; the last of the tiers is of firms without a leader, and no run has more."""
    loss = np.zeros((len(runs), tiers, len(CAUSES)))
    for r, run in enumerate(runs):
        loss[r, : run.origins.shape[0] - 1] = run.origins[:-1]
        loss[r, -1] = run.origins[-1]
    whole = loss.sum(axis=(1, 2), keepdims=True)
    share = np.divide(loss, whole, out=np.full(loss.shape, np.nan), where=whole > 0.0)  # of no loss there are no shares
    return pd.DataFrame(
        {
            "arm": runs[0].arm,
            "tier": np.repeat([*map(str, range(tiers - 1)), "none"], len(CAUSES)),
            "cause": np.tile(CAUSES, tiers),
            **_columns("loss", mean_intervals(loss)),
            **_columns("share", mean_intervals(share)),
        }
    )


# -- money, and how sure it is -----------------------------------------------------------------------------


def _books(by_arm: ByArm, base: Sequence[Run]) -> pd.DataFrame:
    """Payments between sectors, CNY a month over the last months: a row per arm, purpose, payer and payee."""
    flows = sorted({flow for runs in by_arm.values() for run in runs for flow in run.payments})

    def stack(runs: Sequence[Run]) -> Floats:
        return np.array([[run.payments.get(flow, 0.0) for flow in flows] for run in runs])

    start, parts = stack(base), []
    head = {name: [flow[k] for flow in flows] for k, name in enumerate(("purpose", "payer", "payee"))}
    for arm, runs in by_arm.items():
        level = stack(runs)
        parts.append(
            pd.DataFrame(
                {"arm": arm, **head, **_columns("level", mean_intervals(level)), **_columns("effect", mean_intervals(level - start))}
            )
        )
    return pd.concat(parts, ignore_index=True)


def _counts(by_arm: ByArm) -> pd.DataFrame:
    """What programmes delivered over the whole run: a row per arm, instrument and count, mean of the runs, 95 % interval and spread."""
    rows = []
    for arm, runs in by_arm.items():
        for key, name in _counted(runs):
            values = np.array([run.counts[key][name] for run in runs], dtype=np.float64)
            spread = float(values.std(ddof=1)) if values.size > 1 else np.nan
            known = INSTRUMENTS[key].counted if key in INSTRUMENTS else {}
            meaning = dict((TAKEN_ON, LEFT)).get(name) or known.get(name, "")
            rows.append((arm, key, name, meaning, *shown_interval(values), spread, values.size))
    return pd.DataFrame(rows, columns=["arm", "instrument", "count", "meaning", "mean", "mean_low", "mean_high", "sd", "replicates"])


def _headlines(by_arm: ByArm) -> dict[str, Floats]:
    """Headline outcomes in total by arm, shape (replicates, outcomes)."""
    keys = next(iter(by_arm.values()))[0].outcomes
    at = [keys.index(key) for key in HEADLINES]
    return {arm: np.array([run.window[at, 0] for run in runs]) for arm, runs in by_arm.items()}


def _enough(by_arm: ByArm, reference: str, study: CompareStudy) -> pd.DataFrame:
    """Enough replicates? A row per arm and headline outcome.

    `needed` are the replicates for the half-width asked for (`wanted`, a share of the baseline), `needed_to_show` those of a new
    study that shows the effect in four cases of five, if it is as large as it seems here. `enough` is yes, no, or not asked.
    """
    values = _headlines(by_arm)
    start = values.pop(reference)
    baseline = np.abs(start.mean(axis=0))
    wanted = np.nan if study.half_width is None else study.half_width
    parts = []
    for arm, runs in values.items():
        effect = runs - start
        intervals, _ = shown_intervals(effect)
        half = half_widths(intervals)
        share = np.divide(half, baseline, out=np.full(half.shape, np.nan), where=baseline > 0.0)
        needed = replicates_needed(effect, wanted * baseline) if study.half_width else np.full(half.shape, np.nan)
        verdict = np.where(share <= wanted, "yes", "no") if study.half_width else "not asked"
        columns = {"baseline": baseline, "half_width": half, "share": share, "wanted": wanted, "needed": needed}
        columns |= {"needed_to_show": replicates_needed(effect, POWER * np.abs(intervals.mean))}
        columns |= {"replicates": intervals.n, "enough": verdict}
        units = [OUTCOMES[key].unit for key in HEADLINES]
        parts.append(pd.DataFrame({"arm": arm, "outcome": HEADLINES, "unit": units, **columns}))
    names = ["arm", "outcome", "unit", "baseline", "half_width", "share", "wanted", "needed", "needed_to_show", "replicates", "enough"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _luck(by_arm: ByArm, reference: str) -> pd.DataFrame:
    """The gain of common random numbers: by what factor they reduce the variance of an effect, compared with independent seeds."""
    values = _headlines(by_arm)
    start = values.pop(reference)
    parts = [
        pd.DataFrame({"arm": arm, "outcome": HEADLINES, **_columns("ratio", variance_ratios(runs, start))}) for arm, runs in values.items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["arm", "outcome", "ratio", "ratio_low", "ratio_high"])
