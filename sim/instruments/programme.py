"""Programmes: instruments at work in one run, month by month, and what they have done so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.columns import Floats
from sim.instruments.account import Account
from sim.instruments.delivery import TARGETING
from sim.instruments.instrument import Instrument
from sim.world import World

__all__ = ["TAKEN_ON", "Programme", "policy"]

Mask = NDArray[np.bool_]

#: What every programme counts, and what that is.
TAKEN_ON = ("firms taken on", "times that a firm joined (a firm that joins twice counts twice)")


@dataclass
class Programme(Account):
    """An instrument at work in one run: month by month it bears running costs, chooses firms and acts on them."""

    instrument: Instrument

    def deliver(self, world: World) -> None:
        """One month: bear running costs, set up, choose firms, act; nothing at all at dose 0."""
        ins, month = self.instrument, world.month
        if ins.level == 0.0:
            return
        if not ins.runs(month):
            if month >= ins.start:
                self.end(world)
            return
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
        self.reached = self.reached[stays]

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

    def _choose(self, world: World) -> NDArray[np.int64]:
        """Choose the firms to take on this month, by the targeting rule within reach, capacity and budget."""
        ins = self.instrument
        already = np.zeros(world.firms.n, dtype=np.bool_)
        already[self.reached] = True
        open_to = ins.eligible(world) & ~already & (world.firms.region == self.region)
        ours = already & world.firms.alive
        uptake, effort = (0.0, 0.0) if ins.first else _taken_up(world, open_to | ours)
        full = (ins.reach + (1.0 - ins.reach) * uptake) * (open_to.sum() + ours.sum())
        number = int(np.floor(full * ins.grown(world.month, 1.0 + effort) + 1e-9)) - int(ours.sum())
        if ins.monthly_capacity is not None:
            number = min(number, int(ins.monthly_capacity * (1.0 + effort)))
        rows = np.flatnonzero(open_to)
        if number <= 0 or not rows.size:
            return np.empty(0, dtype=np.int64)
        tie = world.draw_lasting(f"{ins.key}: whom first", world.firms)[rows]
        order = np.lexsort((rows, tie, -TARGETING[ins.targeting](world)[rows]))[:number]
        cost = ins.government_share * ins.unit_cost
        affordable = order.size if cost == 0.0 else int(min(order.size, self.left // cost)) if np.isfinite(self.left) else order.size
        return rows[order[:affordable]]


def _taken_up(world: World, fitting: Mask) -> tuple[float, float]:
    """Uptake and effort that other programmes lend, on average over eligible firms."""
    firms = world.firms
    return (float(firms.uptake[fitting].mean()), float(firms.effort[fitting].mean())) if fitting.any() else (0.0, 0.0)


def policy(world: World) -> None:
    """Let every programme act, in the order in which their instruments are registered."""
    for programme in world.programmes.values():
        programme.deliver(world)
