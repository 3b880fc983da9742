"""Exchange: the portfolio of one place in another, every portfolio in every region against no programme there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from agents.streams import replicate_keys
from experiments.analysis.costs import per_yuan
from experiments.analysis.results import TABLES, Comparison, collect, table_hash
from experiments.configuration.own_policies import names_a_file
from experiments.configuration.settings import Arm, Settings, SettingsError, of_kind
from experiments.configuration.study import CompareStudy, ExchangeStudy
from experiments.formatting import value
from experiments.languages.wording import say
from experiments.runs.measure import Run
from experiments.runs.provenance import manifest, now, replicates_and_keys, study_id
from experiments.runs.store import Store
from experiments.studies.budgets import within_budget
from experiments.studies.compare import arms_of, notes_of, run_arms_of_study
from sim.outcomes import HEADLINE

__all__ = ["NOTHING", "Exchange", "cells_of", "exchange_arms", "run_exchange"]

#: Name of the arm without a programme that each region has.
NOTHING = "nothing"


@dataclass(frozen=True)
class Exchange:
    """Results of an exchange.

    Attributes
    ----------
    cells : DataFrame
        A row per region and policy: effect on defects reaching users against no programme in that region with its interval, what
        government spent, sales with a defect avoided, and these per CNY of government.
    comparison : Comparison
        All regions one below the other; arms are called "POLICY in REGION", and each is compared with no programme in its own region.
    """

    cells: pd.DataFrame
    comparison: Comparison

    @property
    def regions(self) -> dict[str, str]:
        """What the regions are called in the language that is spoken, by their keys."""
        return {region: self._label(NOTHING, region, "region") for region in dict.fromkeys(self.cells["region"])}

    @property
    def policies(self) -> dict[str, str]:
        """What the portfolios are called in the language that is spoken, by their keys."""
        first = self.cells["region"].iloc[0]
        return {policy: self._label(policy, first, "portfolio") for policy in dict.fromkeys(self.cells["policy"])}

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name, in the order in which they are written."""
        return {**self.comparison.tables, "exchange": self.cells}

    @property
    def manifest(self) -> dict[str, Any]:
        """Where the figures came from."""
        return self.comparison.manifest

    @property
    def failures(self) -> str:
        """One line on the runs that failed; empty where none did."""
        return self.comparison.failures

    def _label(self, policy: str, region: str, part: str) -> str:
        """The label of the region or the portfolio of an arm; its key if it has no label."""
        named = self.manifest["arms"][_called(policy, region)].get(part) or {}
        key = region if part == "region" else policy
        return say("things.place", named.get("label") or "", named.get("label_zh") or "") or key


def _called(policy: str, region: str) -> str:
    return f"{policy} in {region}"


def _chosen(settings: Settings, overrides: Sequence[str], group: str, listed: Sequence[str]) -> list[str]:
    """Return the options that are tried: those typed as one of the group, else those listed, else the one chosen."""
    typed = [override.split("=", 1)[1] for override in overrides if override.lstrip("+").startswith(f"{group}=")]
    several = any(override.lstrip("+").startswith(f"study.{'regions' if group == 'region' else 'policies'}=") for override in overrides)
    if typed and not several:
        return typed[-1:]
    if listed:
        return list(dict.fromkeys(listed))
    if group == "region":
        return [value(settings.resolved["region"]["key"])]
    raise SettingsError('study.policies names no portfolio; type "study.policies=[NAME,NAME]" (configs/policy) or policy=NAME')


def exchange_arms(settings: Settings, overrides: Sequence[str]) -> dict[tuple[str, str], Arm]:
    """Return the arm of every region and policy, and of no programme in every region."""
    study = of_kind(settings, ExchangeStudy)
    regions = _chosen(settings, overrides, "region", study.regions)
    policies = [policy for policy in _chosen(settings, overrides, "policy", study.policies) if policy != "none"]
    if not policies:
        raise SettingsError("study.policies names no portfolio but none, which every other is compared with; add one of configs/policy")
    if file := next(filter(names_a_file, (policy.strip("'\"") for policy in policies)), ""):
        raise SettingsError(f"policy={file}: study=exchange tries portfolios of the program; a file of your own is for study=compare")
    set_by_arm = ("region=", "policy=", "study.arms")
    of_all = [override for override in overrides if not override.lstrip("+").startswith(set_by_arm)]
    lists: dict[str, list[str]] = {}
    for region in regions:
        lists[_called(NOTHING, region)] = [f"region={region}", "policy=none", "instruments=[]"]
        lists |= {_called(policy, region): [f"region={region}", f"policy={policy}"] for policy in policies}
    first = _called(NOTHING, regions[0])
    compared = replace(settings, study=CompareStudy(reference=first, arms=lists, length=study.length))
    arms = {arm.name: arm for arm in arms_of(compared, of_all)}
    return {(region, policy): arms[_called(policy, region)] for region in regions for policy in (NOTHING, *policies)}


def cells_of(by_region: dict[str, Comparison], bought: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per region and policy from the comparisons and what money bought, region by region."""
    parts = []
    for region, comparison in by_region.items():
        effects = comparison.effects
        rows = effects[(effects["outcome"] == HEADLINE) & (effects["by"] == "total") & (effects["arm"] != NOTHING)]
        kept = [
            "arm",
            *(f"effect{share}{end}" for share in ("", "_share") for end in ("", "_low", "_high")),
            "p",
            "conclusion",
            "replicates",
        ]
        cells = rows[kept].merge(bought[region].rename(columns={"conclusion": "avoided_conclusion"}), on="arm", validate="one_to_one")
        cells.insert(0, "region", region)
        parts.append(cells.rename(columns={"arm": "policy"}))
    return pd.concat(parts, ignore_index=True)


def run_exchange(
    settings: Settings,
    overrides: Sequence[str] = (),
    progress: bool = True,
    keep: Path | None = None,
    begin: Callable[[str], None] = lambda study: None,
) -> Exchange:
    """Run every portfolio in every region that settings name.

    The runs are those of plain comparisons of the same arms, kept under the same keys.

    Raises
    ------
    SettingsError
        If no portfolio is named.
    """
    cells = exchange_arms(settings, overrides)
    store = Store(keep) if keep else None
    begin(study_id(settings.resolved, replicate_keys(settings.seed, settings.replicates), list(cells.values())))
    fitted = {arm.name: arm for arm in within_budget(settings, list(cells.values()), store, progress)}
    arms = [fitted[arm.name] for arm in cells.values()]
    about = manifest(settings.resolved, overrides, replicate_keys(settings.seed, settings.replicates), arms, notes=notes_of(settings, arms))
    runs, failed, replicates, _ = run_arms_of_study(settings, arms, store, progress)
    about |= {
        **replicates_and_keys(replicate_keys(settings.seed, replicates)),
        "failed": [str(failure) for failure in failed],
        "finished": now(),
    }
    study = CompareStudy(reference=NOTHING, correction=of_kind(settings, ExchangeStudy).correction)
    by_region: dict[str, Comparison] = {}
    bought = {}
    for region in dict.fromkeys(region for region, _ in cells):
        names = {cells[region, policy].name: policy for where, policy in cells if where == region}
        runs_here: list[Run] = [replace(run, arm=names[run.arm]) for run in runs if run.arm in names]
        by_region[region] = collect(runs_here, {}, study, "groups" in settings.task.save)
        by_arm = {policy: [run for run in runs_here if run.arm == policy] for policy in names.values()}
        bought[region] = per_yuan(by_arm, NOTHING)
    whole = _together(by_region)
    first = next(iter(cells.values())).name
    comparison = Comparison(**whole, manifest={**about, "reference": first, "result": table_hash(whole["runs"])})
    return Exchange(cells_of(by_region, bought), comparison)


def _together(by_region: dict[str, Comparison]) -> dict[str, pd.DataFrame]:
    """Put the tables of all regions one below the other, arms named by both."""
    tables = {}
    for name in TABLES:
        parts = []
        for region, comparison in by_region.items():
            table = getattr(comparison, name).copy()
            for column in {"arm", "against"} & set(table.columns):
                table[column] = [_called(arm, region) for arm in table[column]]
            parts.append(table)
        tables[name] = pd.concat(parts, ignore_index=True)
    return tables
