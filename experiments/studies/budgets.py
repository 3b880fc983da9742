"""Budgets: how much of every instrument government's money buys, by trial runs with random numbers of their own.

With `study.budget` government is to spend the same in every arm. What an instrument costs hangs on what firms do (they give up, their
officers leave, they borrow), so the lever by which it spends more or less, most often its reach, is moved until the money is spent in
trial runs. The budget is also a limit of its delivery: no run spends more.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from agents.spelling import nearest
from agents.streams import replicate_keys
from experiments.configuration.settings import Arm, Settings, SettingsError, of_kind
from experiments.configuration.study import CompareStudy, ExchangeStudy
from experiments.languages.wording import say
from experiments.runs.runner import Failure, expected_seconds, run_arms, workers_of
from experiments.runs.store import Store
from experiments.terminal import write
from sim import INSTRUMENTS, Instrument

__all__ = ["TRIALS", "months_at_work", "with_length", "within_budget"]

#: Trial runs of an arm, and rounds of them at most.
TRIALS, ROUNDS = 2, 6
#: Added to the study's seed for the random numbers of trial runs, so that these are not runs of the study.
TRIAL_SEED = 3_000_017
#: A trial that spends the budget and at most so much of it more will do: the limit cuts that off.
ENOUGH = 1.015
#: Values of a lever that are so near to each other, as a share, need none between them: firms are whole.
NEAR = 0.02
#: Most by which a lever moves in one round.
STRIDE = 8.0


def months_at_work(ins: Instrument, months: int) -> int:
    """Count the months of a run in which an instrument is at work."""
    return sum(ins.runs(month) for month in range(1, months + 1))


def with_length(arm: Arm, length: int | None) -> Arm:
    """Return an arm whose programmes end after a number of months; a programme with its own length keeps it."""
    if length is None:
        return arm
    return _with(arm, {ins.key: {"length": length} for ins in arm.instruments if ins.length is None})


def _with(arm: Arm, levers: Mapping[str, Mapping[str, Any]]) -> Arm:
    """Return an arm with other values of some levers, in its configuration too."""
    configuration = copy.deepcopy(arm.configuration)
    for key, values in levers.items():
        configuration["instruments"][key] |= values
    return replace(arm, instruments=tuple(replace(ins, **levers.get(ins.key, {})) for ins in arm.instruments), configuration=configuration)


@dataclass
class _Aim:
    """How much one instrument of an arm is to spend, and what trials have shown: values of its lever that spent too little, and enough."""

    target: float
    value: float
    most: float
    little: tuple[float, float] = (0.0, 0.0)
    plenty: tuple[float, float] | None = None
    done: bool = False
    seen: set[float] = field(default_factory=set)

    def learn(self, spent: float) -> None:
        """Take in what a trial spent, and choose the next value."""
        self.seen.add(self.value)
        if spent < self.target:
            self.little = max(self.little, (self.value, spent))
        elif self.plenty is None or self.value < self.plenty[0]:
            self.plenty = (self.value, spent)
        near = self.plenty is not None and self.plenty[0] - self.little[0] <= NEAR * self.plenty[0]
        self.done = near or self.target <= spent <= ENOUGH * self.target or (spent < self.target and self.value >= self.most)
        if not self.done:
            self.value = self._next(spent)
            self.done = self.value in self.seen

    def _next(self, spent: float) -> float:
        """A value that should spend a little more than the target, if spending goes with the lever; between those known."""
        aimed = self.target * (1.0 + ENOUGH) / 2.0
        if self.plenty is None:
            value = self.value * min(aimed / spent, STRIDE) if spent > 0.0 else self.value * STRIDE
        else:
            (low, spent_at_low), (high, spent_at_high) = self.little, self.plenty
            value = low + (high - low) * min(max((aimed - spent_at_low) / (spent_at_high - spent_at_low), 0.02), 0.98)
        return float(f"{min(value, self.most):.5g}")

    @property
    def best(self) -> float:
        """The smallest known value that spends the whole budget; if there is none, the value that spends most of it."""
        return self.plenty[0] if self.plenty else self.little[0] or self.value


def _targets(arm: Arm, budget: float, split: Mapping[str, Any], months: int) -> dict[str, float]:
    """CNY that each instrument of an arm is to spend: its share of the budget, for the months in which it is at work."""
    evenly = dict.fromkeys([ins.key for ins in arm.instruments], 1.0 / max(1, len(arm.instruments)))
    shares = split.get(arm.name, evenly)
    a_year = budget * arm.world.firms / 1000.0
    return {ins.key: shares[ins.key] * a_year * months_at_work(ins, months) / 12.0 for ins in arm.instruments}


def _check_split(arms: Sequence[Arm], split: Mapping[str, Any], idle: Sequence[str]) -> None:
    """Raise if shares name an unknown arm, or an instrument that the arm does not have, or do not sum to 1; ignore arms that do not run."""
    names = {arm.name: [ins.key for ins in arm.instruments] for arm in arms}
    for name, shares in split.items():
        if name not in names and name in idle:
            continue
        if name not in names:
            raise SettingsError(
                f"study.split names {name!r}, but there is no such arm; the arms are {', '.join(names)}{nearest(str(name), list(names))}"
            )
        if not isinstance(shares, Mapping) or set(shares) != set(names[name]):
            unknown = next((key for key in shares if key not in names[name]), "") if isinstance(shares, Mapping) else ""
            suggestion = nearest(str(unknown), names[name]) if unknown else ""
            raise SettingsError(f"study.split.{name} is {shares!r}; it must give a share to each of {', '.join(names[name])}{suggestion}")
        wrong = [s for s in shares.values() if isinstance(s, bool) or not isinstance(s, int | float) or not 0.0 < s <= 1.0]
        if wrong or abs(sum(shares.values()) - 1.0) > 1e-6:
            raise SettingsError(f"study.split.{name} is {dict(shares)!r}; its shares must be above 0 and sum to 1")


def within_budget(settings: Settings, arms: Sequence[Arm], store: Store | None, progress: bool) -> list[Arm]:
    """Return arms that spend the budget of the study, as far as they can, and never more.

    Trial runs have random numbers of their own, and are kept like all runs. They have no limit, so that they show what a lever would
    cost; all instruments of an arm are tried together, since one may change what another costs.

    Raises
    ------
    SettingsError
        If `study.split` does not fit the arms.
    """
    study = settings.study if isinstance(settings.study, ExchangeStudy) else of_kind(settings, CompareStudy)
    budget, split = study.budget, study.split or {}
    if budget is not None and (several := next((arm.world.regions for arm in arms if arm.world.beside), ())):
        keys = ",".join(region.key for region in several)
        raise SettingsError(f"study.budget is for one region, and region=[{keys}] are several, each with its own budgets; name one region")
    _check_split(arms, split, list(study.arms or {}) if isinstance(study, CompareStudy) else [])
    if budget is None:
        if split:
            raise SettingsError("study.split shares out a budget, and there is none; type study.budget=VALUE as well")
        return list(arms)
    months = settings.task.months
    targets = {arm.name: _targets(arm, budget, split, months) for arm in arms}
    aims = {(arm.name, ins.key): _aim(ins, targets[arm.name][ins.key]) for arm in arms for ins in arm.instruments}
    _try(settings, arms, aims, store, progress)
    levers = {(name, key): {INSTRUMENTS[key].budget_lever: aim.best, "budget": aim.target} for (name, key), aim in aims.items()}
    return [_with(arm, {ins.key: levers[arm.name, ins.key] for ins in arm.instruments}) for arm in arms]


def _aim(ins: Instrument, target: float) -> _Aim:
    lever = ins.budget_lever
    most = next(f.metadata["range"][1] for f in fields(ins) if f.name == lever)
    value = float(getattr(ins, lever))
    return _Aim(target, value if value > 0.0 else 0.1 * most, most)


def _try(settings: Settings, arms: Sequence[Arm], aims: Mapping[tuple[str, str], _Aim], store: Store | None, progress: bool) -> None:
    """Try the arms in rounds until each spends its budget, or can be seen not to."""
    keys = replicate_keys(settings.seed + TRIAL_SEED, TRIALS)
    task = replace(settings.task, save=())
    open_arms = [arm for arm in arms if arm.instruments]
    show: Callable[[str], None] = write if progress else lambda line: None
    if open_arms:
        workers = workers_of(settings.parallel, TRIALS)
        seconds = expected_seconds(open_arms, TRIALS, task.months, workers) - expected_seconds((), TRIALS, task.months, workers)
        show(say("progress.trials", rounds=ROUNDS, runs=TRIALS * len(open_arms), seconds=seconds))
    for round_ in range(1, ROUNDS + 1):
        tried = []
        for arm in open_arms:
            levers = {ins.key: {ins.budget_lever: aims[arm.name, ins.key].value, "budget": None} for ins in arm.instruments}
            tried.append(_with(arm, levers))
        if not tried:
            return
        failed: list[Failure] = []
        runs = run_arms(tried, keys, task, settings.parallel, store=store, failed=failed)
        if not runs:
            raise failed[0].mistake
        for arm in tried:
            runs_of_arm = [run for run in runs if run.arm == arm.name]
            for ins in arm.instruments:
                aims[arm.name, ins.key].learn(min(run.spent.get(ins.key, 0.0) for run in runs_of_arm))
        open_arms = [arm for arm in open_arms if not all(aims[arm.name, ins.key].done for ins in arm.instruments)]
        show("  " + say("progress.round", round=round_, tried=len(tried), open=len(open_arms)))
