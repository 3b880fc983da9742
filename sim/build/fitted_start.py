"""A start that is fitted to the quality figures of the firms themselves, where a network has such figures.

The figures hold when month 1 begins. They are used twice: before the start settles, so that customers know these firms as they are, and
once more after the burn-in, in which firms change. From month 1 on nothing holds them: firms learn, forget and change as all firms do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.columns import Flags, Floats, Ints
from agents.firm import MANAGEMENT
from sim.build.reading.quoted import some
from sim.month.inspection import decide_inspection
from sim.month.problems import months_to_solve, problem_arrivals
from sim.month.propagation import escape_share, latent_share, outgoing_dpu, propagate
from sim.network.starting_quality import StartingQuality
from sim.world import World

__all__ = [
    "FIRST_PASS_TOLERANCE",
    "MOST_BASE",
    "RETURNS_TOLERANCE",
    "SPECIAL_MOST",
    "FittedStart",
    "fit_base",
    "fit_month_one",
    "set_certificates",
    "set_problems",
    "set_traits",
]

#: Largest difference between a figure and the start that counts as met: in shares of units.
FIRST_PASS_TOLERANCE, RETURNS_TOLERANCE = 0.001, 0.001

MOST_BASE = 150.0
"""Upper limit of a fitted base of own defects, defects/unit: a yield of 1 % with the highest management capability asks for 141."""

SPECIAL_MOST = 2.0 / 3.0
"""Largest part of a firm's own defects that problems which are not given may explain: about that of the median firm (assumption)."""

LARGEST_SHIFT = 4.0
"""Largest amount by which a yield raises capabilities that are not given, in logits: the spread of firms is 0.7 (assumption)."""

HALVINGS = 30
#: Passes of the fit at the start of month 1: what is returned depends on what suppliers deliver, tier after tier.
PASSES = 12


@dataclass(frozen=True, eq=False)
class FittedStart:
    """How well the start of month 1 meets the figures of the firms.

    Attributes
    ----------
    yields, returns : float arrays, shape (n,)
        First-pass yield and share of units returned with which each firm starts.
    yield_error, returns_error : float arrays, shape (n,)
        The same less the given figure; NaN where none is given.
    yield_missed, returns_missed : bool arrays, shape (n,)
        Firms whose figure cannot be met: the problems that are given, or what suppliers deliver, exceed it alone; or it asks for a base
        beyond `MOST_BASE`.
    """

    yields: Floats
    returns: Floats
    yield_error: Floats
    returns_error: Floats
    yield_missed: Flags
    returns_missed: Flags

    def notes(self, names: NDArray[np.str_]) -> list[str]:
        """Say in short sentences how well the start meets the figures, and name the firms whose figures cannot be met."""
        notes: list[str] = []
        for key, error, missed in (
            ("first_pass_yield", self.yield_error, self.yield_missed),
            ("returns", self.returns_error, self.returns_missed),
        ):
            met = np.abs(error[~np.isnan(error) & ~missed])
            if met.size:
                notes.append(
                    f"{met.size} firms start at their {key}: the largest difference is {100 * met.max():.3f} percentage points, "
                    f"the median {100 * np.median(met):.3f}"
                )
        if (worse := self.yield_missed & (self.yield_error < 0)).any():
            named = some(names[worse], 5)
            notes.append(
                f"first_pass_yield of {worse.sum()} firms cannot be met, because their open problems alone make more defects: {named}"
            )
        if (worse := self.returns_missed & (self.returns_error > 0)).any():
            named = some(names[worse], 5)
            notes.append(
                f"returns of {worse.sum()} firms cannot be met, because what arrives from their suppliers, or their open problems, make "
                f"more defects: {named}"
            )
        if (better := (self.yield_missed & (self.yield_error > 0)) | (self.returns_missed & (self.returns_error < 0))).any():
            named = some(names[better], 5)
            notes.append(
                f"own defects of {better.sum()} firms would have to be more than the fit allows ({MOST_BASE:g} defects/unit): {named}"
            )
        return notes


def set_traits(world: World) -> None:
    """Give firms the capabilities and officers that are known of them, and better capabilities where a yield or returns show these.

    Fewer problems arise in a capable firm, and it solves them sooner. Where the problems that a firm would have on average explain
    more than `SPECIAL_MOST` of the own defects that its yield allows, its capabilities that are not given are raised by the same
    number of logits, at most `LARGEST_SHIFT`: else it would start at its yield and leave it at once. Returns count here as if all
    these defects were its own and nothing were inspected.
    """
    quality = world.network.quality
    if quality is None:
        return
    firms = world.firms
    _set_capabilities(world, quality)
    firms.natural = firms.capability
    firms.cqo = np.where(np.isnan(quality.officer), firms.cqo, quality.officer == 1.0)
    of_yield = _own_of_yield(world, quality)
    allowed = SPECIAL_MOST * np.where(np.isnan(of_yield), -np.log1p(-quality.returns), of_yield)
    free = np.isnan(quality.capability)
    raised = np.isfinite(allowed) & ~_problems_known(quality) & free.any(axis=1)
    if not raised.any():
        return
    before = firms.capability.copy()
    inside = np.clip(before, 1e-9, 1.0 - 1e-9)
    logit = np.log(inside / (1.0 - inside))

    def problems_explain(shift: Floats) -> Floats:
        """Shift capabilities, and return the own defects that the problems of each firm then explain on average."""
        shifted = 1.0 / (1.0 + np.exp(-(logit + shift[:, None])))
        firms.capability = np.where(free & raised[:, None], shifted, before)
        return world.parameters.severity * (problem_arrivals(world) * months_to_solve(world)[:, None]).sum(axis=1)

    low, high = np.zeros(firms.n), np.full(firms.n, LARGEST_SHIFT)
    raised = raised & (problems_explain(low) > allowed)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        exceed = problems_explain(middle) > allowed
        low, high = np.where(exceed, middle, low), np.where(exceed, high, middle)
    problems_explain(high)
    firms.natural = firms.capability


def set_problems(world: World) -> None:
    """Open as many problems as are known of each firm, own and common together.

    A common problem that the chain has is one of them. A total is spread over the kinds of which no number is given in proportion to
    the problems of each kind that the firm would have on average; one random number a firm rounds to whole problems.
    """
    quality = world.network.quality
    if quality is None or not _problems_known(quality).any():
        return
    firms = world.firms
    known = ~np.isnan(quality.problems_by_kind)
    wanted = np.where(known, quality.problems_by_kind, (firms.open_problems + firms.common_problems).astype(np.float64))
    rest = quality.problems - np.where(known, quality.problems_by_kind, 0.0).sum(axis=1)
    spread = ~np.isnan(rest) & ~known.all(axis=1)
    usual = np.where(known, 0.0, problem_arrivals(world) * months_to_solve(world)[:, None])
    usual = np.where(usual.sum(axis=1, keepdims=True) > 0.0, usual, ~known)
    drawn = world.draw("kinds of the problems that are given", firms)
    share = _spread(np.where(spread, rest, 0.0), np.where(spread[:, None], usual, 1.0), drawn)
    wanted = np.where(spread[:, None] & ~known, share, wanted).astype(np.int64)
    _open(world, wanted, np.minimum(firms.common_problems, wanted))


def set_certificates(world: World) -> None:
    """Give certificates to the firms that are known to hold one, of any age, and take them from those known to hold none."""
    quality = world.network.quality
    if quality is None:
        return
    firms, p = world.firms, world.parameters
    firms.certified = np.where(np.isnan(quality.certificate), firms.certified, quality.certificate == 1.0)
    left = 1 + np.floor(world.draw("age of the certificate", firms) * p.certificate_months).astype(np.int64)
    firms.certificate_left = np.where(firms.certified, np.where(firms.certificate_left > 0, firms.certificate_left, left), 0)


def fit_base(world: World, close: bool = True) -> None:
    """Set the base of own defects so that firms have the yield, or deliver the defects, that is known of them.

    A first-pass yield Y asks for own defects ``-ln(Y) / (1 - λ)``: the first inspection finds the detectable ones, a share 1 - λ,
    and units without any are ``exp(-DPU)`` of all [1]_. Returns R ask for outgoing defects ``D = -ln(1 - R)``, all defects that
    customers and users meet sooner or later. What came in and was let in is part of D, so that own defects are
    ``(D - e · in_d - in_l) / (e · (1 - λ) + λ)`` with the detectable and latent defects that arrive, and the share e of detectable
    ones that passes final inspection.

    Own defects less those of open problems are the common causes, ``base · L · exp(-κ · management)``: the base follows, from 0 to
    `MOST_BASE`. Where problems are not given and explain more than `SPECIAL_MOST` of the own defects, some are closed.

    Parameters
    ----------
    world : World
    close : bool
        Whether to close problems of firms with returns: their own defects are known only when what arrives has settled.

    References
    ----------
    .. [1] M. Harry, "How can I determine if my RTY is acceptable", isixsigma.com: throughput yield of a process, ``exp(-DPU)``.
    """
    quality = world.network.quality
    if quality is None:
        return
    firms, links, p = world.firms, world.links, world.parameters
    of_yield = _own_of_yield(world, quality)
    latent, escape = latent_share(world), escape_share(world)
    arriving = escape * world.by_customer(links.passed_detectable) + world.by_customer(links.passed_latent)
    of_returns = np.maximum(-np.log1p(-quality.returns) - arriving, 0.0) / np.maximum(escape * (1.0 - latent) + latent, 1e-12)
    own = np.where(np.isnan(of_yield), of_returns, of_yield)
    fitted = ~np.isnan(own) & firms.alive
    if not fitted.any():
        return
    if p.severity > 0.0:
        closing = fitted & ~_problems_known(quality) & (close | ~np.isnan(of_yield))
        _close(world, closing, np.floor(SPECIAL_MOST * np.where(closing, own, 0.0) / p.severity))
    special = p.severity * (firms.open_problems + firms.common_problems).sum(axis=1)
    per_base = firms.learning * np.exp(-p.management_effect * firms.capability[:, MANAGEMENT])
    base = np.clip((own - special) / per_base, 0.0, MOST_BASE)
    firms.base_dpu = np.where(fitted, base, firms.base_dpu)
    firms.own_special = np.where(fitted, special, firms.own_special)
    firms.own_dpu = np.where(fitted, base * per_base + special, firms.own_dpu)


def fit_month_one(world: World) -> FittedStart | None:
    """Set what is known of firms once more after the burn-in, and fit their own defects again; None if nothing is known.

    A firm that gave up in the burn-in left its place and its name to another; the figures are those of the firm that has the name now.
    """
    quality = world.network.quality
    if quality is None:
        return None
    firms = world.firms
    _set_capabilities(world, quality)
    # A firm does not learn by forgetting: its natural level is not above what it can do.
    given = ~np.isnan(quality.capability)
    firms.natural = np.where(given, np.minimum(firms.natural, firms.capability), firms.natural)
    firms.cqo = np.where(np.isnan(quality.officer), firms.cqo, quality.officer == 1.0)
    set_certificates(world)
    set_problems(world)
    fitted = ~(np.isnan(quality.first_pass_yield) & np.isnan(quality.returns)).all()
    passes = max(PASSES, int(firms.tier.max(initial=0)) + 2) if fitted else 0
    for turn in range(2 * passes):
        fit_base(world, close=turn >= passes)
        propagate(world)
        decide_inspection(world)
    return _how_well(world, quality)


def _how_well(world: World, quality: StartingQuality) -> FittedStart:
    yields = np.exp(-(1.0 - latent_share(world)) * world.firms.own_dpu)
    returns = -np.expm1(-outgoing_dpu(world))
    errors = yields - quality.first_pass_yield, returns - quality.returns
    missed = np.abs(errors[0]) > FIRST_PASS_TOLERANCE, np.abs(errors[1]) > RETURNS_TOLERANCE
    return FittedStart(yields, returns, *errors, *missed)


def _own_of_yield(world: World, quality: StartingQuality) -> Floats:
    """Own defects per unit that the given yields ask for, NaN where none is given, shape (n,)."""
    return -np.log(quality.first_pass_yield) / (1.0 - latent_share(world))


def _problems_known(quality: StartingQuality) -> Flags:
    return ~np.isnan(quality.problems) | ~np.isnan(quality.problems_by_kind).all(axis=1)


def _set_capabilities(world: World, quality: StartingQuality) -> None:
    world.firms.capability = np.where(np.isnan(quality.capability), world.firms.capability, quality.capability)


def _spread(counts: Floats, weight: Floats, u: Floats) -> Ints:
    """Spread whole numbers over four kinds in proportion to weights: each kind gets its part rounded up or down, and the sum is kept.

    Parameters
    ----------
    counts : array, shape (n,)
    weight : array, shape (n, 4)
        At least one of each row above 0.
    u : array, shape (n,)
        Uniforms: the expected part of each kind is exact.
    """
    until = np.cumsum(weight, axis=1) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    until = np.where(until > 1.0 - 1e-12, 1.0, until)
    steps = np.floor(counts[:, None] * until + u[:, None])
    return np.diff(steps, axis=1, prepend=0.0).astype(np.int64)


def _close(world: World, rows: Flags, most: Floats) -> None:
    """Close problems of some firms so that each has at most a number of them, shape (n,): own ones first, of every kind in proportion."""
    firms = world.firms
    own, common = firms.open_problems, firms.common_problems
    over = rows & ((own + common).sum(axis=1) > most)
    if not over.any():
        return
    u = world.draw("which problems are closed for the given yield", firms)
    kept_common = _spread(np.minimum(common.sum(axis=1), most), np.where(over[:, None], common, 0.0), u)
    kept_own = _spread(np.minimum(own.sum(axis=1), most - kept_common.sum(axis=1)), np.where(over[:, None], own, 0.0), u)
    common = np.where(over[:, None], kept_common, common)
    _open(world, common + np.where(over[:, None], kept_own, own), common)


def _open(world: World, problems: Ints, common: Ints) -> None:
    """Let firms have these problems, own and common together and the common ones among them, shape (n, 4) each, and count the change."""
    firms = world.firms
    change = problems - firms.open_problems - firms.common_problems
    world.counts["problems opened"] += int(np.maximum(change, 0).sum())
    world.counts["problems closed"] += int(np.maximum(-change, 0).sum())
    firms.common_problems = common
    firms.open_problems = problems - common
