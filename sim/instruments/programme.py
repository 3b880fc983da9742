"""Programmes: instruments at work in one run, month by month, and what they have done so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from sim.instruments.account import Account
from sim.instruments.instrument import Instrument
from sim.sums import positions
from sim.world import World

__all__ = ["LEFT", "TAKEN_ON", "Programme", "policy"]

Mask = NDArray[np.bool_]

#: What every programme counts, and what that is; the second only if firms leave it.
TAKEN_ON = ("firms taken on", "times that a firm joined (a firm that joins twice counts twice)")
LEFT = ("firms that left it", "times that a firm stopped taking part before the programme ended")


@dataclass
class Programme(Account):
    """An instrument at work in one run: month by month it bears running costs, chooses firms and acts on them."""

    instrument: Instrument
    #: How often the tenure of each firm has ended, shape (n,); none where none has.
    terms: NDArray[np.int64] | None = None

    def deliver(self, world: World) -> None:
        """One month: bear running costs, set up, choose firms, act; nothing at all at dose 0."""
        ins, month = self.instrument, world.month
        if ins.level == 0.0:
            return
        if not ins.runs(month):
            if month >= ins.start:
                self.end(world)
            return
        if ins.moves:
            self._let_go(world)
        helped = self._support(world, self.reached[world.firms.alive[self.reached]])
        ins.prepare(world, self)
        ins.tally(world, self)
        self.fresh = chosen = self._choose(world)
        if chosen.size:
            government = self.instrument.government_share * ins.unit_cost
            self.spend(world, "households", world.for_firms(chosen, government))
            self._firms_pay(world, chosen, np.full(chosen.size, ins.unit_cost - government))
            world.credit_chain_heads("awards", world.for_firms(chosen, 1.0))
            self.reached = np.concatenate([self.reached, chosen])
            self.since = np.concatenate([self.since, np.full(chosen.size, month)])
            ins.apply(world, month, chosen)
            helped = np.concatenate([helped, self._support(world, chosen)])
        ins.act(world, self, helped)
        self.awards.append((month, int(chosen.size)))
        self.counts[TAKEN_ON[0]] += int(chosen.size)

    def delivered(self, world: World) -> dict[str, int]:
        """Return all that it has delivered so far, by count; 0 for what has not happened."""
        if self.awards:
            self.instrument.tally(world, self)
        return {name: int(self.counts[name]) for name in dict.fromkeys((TAKEN_ON[0], *self.instrument.counted, *self.counts))}

    def end(self, world: World) -> None:
        """Undo, once, what does not outlast the programme."""
        if self.instrument.level != 0.0 and not self.closed:
            self.instrument.close(world, self)
            self.closed = True

    def give_up(self, world: World, rows: NDArray[np.int64], lost: Floats) -> None:
        """Bear the lenders' losses while it runs, and remove firms that leave the market."""
        ins = self.instrument
        if ins.level != 0.0 and not self.closed and ins.runs(world.month):
            ours = np.isin(rows, self.reached)
            ins.losses(world, self, rows[ours], lost[ours])
        stays = ~np.isin(self.reached, rows)
        self.gone += int((~stays).sum())
        self.reached, self.since = self.reached[stays], self.since[stays]
        if self.terms is not None:
            self.terms[rows] = 0

    def _firms_pay(self, world: World, rows: NDArray[np.int64], amounts: Floats) -> None:
        world.firms.prevention[rows] += amounts
        world.firms_pay("households", self.instrument.key, world.for_firms(rows, amounts))

    def _support(self, world: World, reached: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pay the month's support of firms taken on, in the order of entry, as far as the budget goes; return the firms that got it."""
        ins = self.instrument
        support = ins.support(world, reached)
        paid = np.cumsum(support) <= self.left
        self.spend(world, ins.support_to, world.for_firms(reached[paid], support[paid]))
        ins.supported(world, reached, paid)
        return reached[paid]

    def _let_go(self, world: World) -> None:
        """Let firms leave whose tenure is over, that have nothing left to treat, or that others now come before; what they keep stays."""
        ins, firms = self.instrument, world.firms
        leaves = np.zeros(self.reached.size, dtype=np.bool_)
        if ins.tenure is not None:
            leaves |= world.month - self.since >= ins.tenure
            self._count_terms(world, self.reached[leaves])
        if ins.until_done:
            leaves |= ~self._has_something_to_treat(world)[self.reached]
        if ins.rechoose is not None and world.month > ins.start and (world.month - ins.start) % ins.rechoose == 0:
            leaves |= self._outranked(world, self.reached[~leaves])
        leaves &= firms.alive[self.reached]
        if leaves.any():
            ins.release(world, self, self.reached[leaves])
            self.counts[LEFT[0]] += int(leaves.sum())
            self.reached, self.since = self.reached[~leaves], self.since[~leaves]

    def _count_terms(self, world: World, rows: NDArray[np.int64]) -> None:
        """Note whose tenure is over: who has taken part comes after those who have not, or not so often."""
        if self.terms is None:
            self.terms = np.zeros(world.firms.n, dtype=np.int64)
        self.terms[rows] += 1

    def _outranked(self, world: World, ours: NDArray[np.int64]) -> Mask:
        """Which of the firms taken on would not be chosen if all were chosen now, in the order of `reached`.

        Not more leave than can be taken on in a month; those that come last leave first.
        """
        ins = self.instrument
        stays = np.zeros(world.firms.n, dtype=np.bool_)
        stays[ours] = True
        stays &= world.firms.alive
        open_to, quota, effort = self._quota(world, stays)
        wave, _ = ins.places(world)
        leaves = np.zeros(world.firms.n, dtype=np.bool_)
        for number, most in enumerate(quota.tolist()):
            rows = self._in_order(world, np.flatnonzero(((open_to & self._has_something_to_treat(world)) | stays) & (wave == number)))
            here = rows[most:][stays[rows[most:]]]
            leaves[here] = True
        if ins.monthly_capacity is not None:
            last = self._in_order(world, np.flatnonzero(leaves))
            leaves[last[: max(last.size - int(ins.monthly_capacity * (1.0 + effort)), 0)]] = False
        return leaves[self.reached]

    def _open_to(self, world: World) -> Mask:
        """Firms that could be taken on: of its region, and in places whose turn has come."""
        ins = self.instrument
        wave, begins = ins.places(world)
        begun = (wave >= 0) & (world.month >= begins[wave])
        return ins.eligible(world) & (world.firms.region == self.region) & begun

    def _has_something_to_treat(self, world: World) -> Mask:
        """Firms with an open problem that this help is for, shape (n,); all firms if it does not ask (`until_done`)."""
        ins, firms = self.instrument, world.firms
        return firms.open_problems[:, ins.treated].sum(axis=1) > 0 if ins.until_done else np.ones(firms.n, dtype=np.bool_)

    def _quota(self, world: World, ours: Mask) -> tuple[Mask, NDArray[np.int64], float]:
        """Return the firms that are eligible beside those that take part, how many of all may take part by wave, and the effort lent.

        The whole number of all waves together is rounded down once; what is over goes to the waves with the largest fractions.
        """
        ins = self.instrument
        open_to = self._open_to(world) & ~ours
        uptake, effort = (0.0, 0.0) if ins.first else _taken_up(world, open_to | ours)
        wave, begins = ins.places(world)
        fitting = np.bincount(wave[(open_to | ours) & (wave >= 0)], minlength=begins.size)
        full = (ins.reach + (1.0 - ins.reach) * uptake) * fitting
        grown = np.array([ins.grown(world.month - month + ins.start, 1.0 + effort) if world.month >= month else 0.0 for month in begins])
        return open_to, _largest_remainder(full * grown), effort

    def _in_order(self, world: World, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Put firms in the order in which the rule of targeting takes them on; a lasting draw decides ties."""
        ins = self.instrument
        tie = world.draw_lasting(f"{ins.key}: whom first", world.firms)[rows]
        terms = np.zeros(rows.size, dtype=np.int64) if self.terms is None else self.terms[rows]
        return rows[np.lexsort((rows, tie, -ins.scores(world)[rows], terms))]

    def _choose(self, world: World) -> NDArray[np.int64]:
        """Choose the firms to take on this month, by the targeting rule within reach, capacity and budget."""
        ins = self.instrument
        ours = np.zeros(world.firms.n, dtype=np.bool_)
        ours[self.reached] = True
        ours &= world.firms.alive
        open_to, quota, effort = self._quota(world, ours)
        wave, _ = ins.places(world)
        missing = quota - np.bincount(wave[ours & (wave >= 0)], minlength=quota.size)
        rows = np.flatnonzero(open_to & self._has_something_to_treat(world) & (missing > 0)[wave])
        if not rows.size:
            return np.empty(0, dtype=np.int64)
        rows = self._in_order(world, rows)
        place = np.empty(rows.size, dtype=np.int64)  # of each firm among those of its wave
        by_wave = np.argsort(wave[rows], kind="stable")
        place[by_wave] = positions(wave[rows][by_wave])
        rows = rows[place < missing[wave[rows]]]
        if ins.monthly_capacity is not None:
            rows = rows[: int(ins.monthly_capacity * (1.0 + effort))]
        cost = ins.government_share * ins.unit_cost
        affordable = rows.size if cost == 0.0 else int(min(rows.size, self.left // cost)) if np.isfinite(self.left) else rows.size
        return rows[:affordable]


def _largest_remainder(parts: Floats) -> NDArray[np.int64]:
    """Turn parts into whole numbers whose sum is that of the parts, rounded down: the largest fractions get what is over; of equals the first."""
    whole = np.floor(parts + 1e-9).astype(np.int64)
    over = int(np.floor(parts.sum() + 1e-9)) - int(whole.sum())
    whole[np.argsort(-(parts - whole), kind="stable")[: max(over, 0)]] += 1
    return whole


def _taken_up(world: World, fitting: Mask) -> tuple[float, float]:
    """Uptake and effort that other programmes lend, on average over eligible firms."""
    firms = world.firms
    return (float(firms.uptake[fitting].mean()), float(firms.effort[fitting].mean())) if fitting.any() else (0.0, 0.0)


def policy(world: World) -> None:
    """Let every programme act, in the order in which their instruments are registered."""
    for programme in world.programmes.values():
        programme.deliver(world)
