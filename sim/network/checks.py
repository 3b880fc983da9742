"""Checks of a network before a run: one function for each fault that would make a run wrong or meaningless."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from agents.columns import Ints
from sim.network.fixed_points import NetworkError, spectral_radius
from sim.network.network import SupplyNetwork

__all__ = ["CHECKS", "Finding", "check_network"]

#: Number of kinds (0: one figure a firm), lowest and largest value of the quality figures of a firm.
FIGURES = {
    "first_pass_yield": (0, 0.01, 1.0),
    "returns": (0, 0.0, 0.99),
    "problems": (0, 0.0, 1_000.0),
    "problems_by_kind": (4, 0.0, 1_000.0),
    "certificate": (0, 0.0, 1.0),
    "officer": (0, 0.0, 1.0),
    "capability": (4, 0.0, 1.0),
}


@dataclass(frozen=True)
class Finding:
    """One result of a check: `level` is "error" or "warning"."""

    check: str
    level: str
    message: str


def check_network(network: SupplyNetwork, strict: bool = True) -> list[Finding]:
    """Look for every fault that would make a run wrong or meaningless.

    Parameters
    ----------
    network : SupplyNetwork
    strict : bool
        Raise on the first error instead of listing it.

    Raises
    ------
    NetworkError
        With `strict`, for an error; warnings are only listed.
    """
    findings: list[Finding] = []
    for check in CHECKS:
        for finding in check(network):
            if strict and finding.level == "error":
                raise NetworkError(finding.message)
            findings.append(finding)
    return findings


def _named(network: SupplyNetwork, rows: Ints, most: int = 3) -> str:
    shown = ", ".join(repr(str(name)) for name in network.names[rows[:most]])
    return shown + (f" and {rows.size - most} more" if rows.size > most else "")


def _link(network: SupplyNetwork, k: int) -> str:
    return f"{str(network.names[network.supplier[k]])!r} → {str(network.names[network.customer[k]])!r}"


def check_for_firms(network: SupplyNetwork) -> Iterable[Finding]:
    """There is at least one firm, and names are unique."""
    if network.n_firms == 0:
        yield Finding("firms", "error", "the network has no firm; give at least one link or one leader")
        return
    names, count = np.unique(network.names, return_counts=True)
    if (count > 1).any():
        yield Finding("firms", "error", f"firm {str(names[count > 1][0])!r} is listed {count.max()} times; names must be unique")


def check_for_links_to_itself(network: SupplyNetwork) -> Iterable[Finding]:
    """No firm supplies itself."""
    for k in np.flatnonzero(network.supplier == network.customer)[:1]:
        yield Finding("self-loops", "error", f"{_link(network, int(k))}: a firm cannot supply itself; leave the row out")


def check_for_duplicate_links(network: SupplyNetwork) -> Iterable[Finding]:
    """No link is listed twice."""
    _, first = np.unique(network.customer * network.n_firms + network.supplier, return_index=True)
    for k in np.setdiff1d(np.arange(network.n_links), first)[:1]:
        yield Finding("duplicates", "error", f"{_link(network, int(k))} is listed twice; add the two rows up")


def check_for_numbers(network: SupplyNetwork) -> Iterable[Finding]:
    """Value shares, units and demands are finite and not negative."""
    for name, numbers in (("value_share", network.value_share), ("units", network.units)):
        for k in np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))[:1]:
            yield Finding("numbers", "error", f"{name} of {_link(network, int(k))} is {numbers[k]}; it must be a finite number, 0 or more")
    for name, numbers in (("final_demand", network.final_demand), ("unit_cost", network.unit_cost)):
        for i in np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))[:1]:
            yield Finding("numbers", "error", f"{name} of {str(network.names[i])!r} is {numbers[i]}; it must be a finite number, 0 or more")


def check_for_quality(network: SupplyNetwork) -> Iterable[Finding]:
    """Quality figures are those of as many firms, and within their ranges where they are known."""
    quality = network.quality
    if quality is None:
        return
    for name, (width, low, high) in FIGURES.items():
        figures = getattr(quality, name)
        if figures.shape != ((network.n_firms, width) if width else (network.n_firms,)):
            problem = f"quality.{name} has the shape {figures.shape}; it must have a row for each of the {network.n_firms} firms"
            yield Finding("quality", "error", problem + (f", with {width} kinds" if width else ""))
            return
        rows = figures if width else figures[:, None]
        outside = ~np.isnan(rows) & ~((rows >= low) & (rows <= high))
        for i in np.flatnonzero(outside.any(axis=1))[:1]:
            value, firm = float(rows[i][outside[i]][0]), str(network.names[i])
            yield Finding("quality", "error", f"quality.{name} of {firm!r} is {value:g}; it must lie in {low:g} … {high:g}")
    for i in np.flatnonzero(~np.isnan(quality.first_pass_yield) & ~np.isnan(quality.returns))[:1]:
        firm = str(network.names[i])
        yield Finding("quality", "error", f"quality has a first_pass_yield and returns of {firm!r}; the start is fitted to one of them")


def check_for_leaders(network: SupplyNetwork) -> Iterable[Finding]:
    """At least one firm is a leader, and every leader sells to users."""
    if not network.leader.any():
        yield Finding("leaders", "error", "no firm is a chain leader, so nothing reaches a user; mark at least one firm as leader")
    idle = np.flatnonzero(network.leader & (network.final_demand <= 0))
    if idle.size:
        yield Finding("leaders", "error", f"chain leader {_named(network, idle)} sells nothing to users; give it a final demand above 0")


def check_for_value_added(network: SupplyNetwork) -> Iterable[Finding]:
    """No firm buys more than it sells (a warning; such a loop is a separate error)."""
    losing = np.flatnonzero(network.material_share >= 1.0)
    if losing.size:
        worst = losing[np.argmax(network.material_share[losing])]
        yield Finding(
            "value added",
            "warning",
            f"{losing.size} firm(s) buy inputs worth their whole output or more, {str(network.names[worst])!r} "
            f"{network.material_share[worst]:.3g} "
            "per CNY; value shares of one customer should add up to less than 1",
        )


def check_for_idle_firms(network: SupplyNetwork) -> Iterable[Finding]:
    """Every firm reaches a user (a warning)."""
    idle = np.flatnonzero((network.tier < 0) & (network.final_demand <= 0))
    if idle.size:
        yield Finding("idle firms", "warning", f"{idle.size} firm(s) supply no chain leader and sell nothing: {_named(network, idle)}")


def check_for_growth(network: SupplyNetwork) -> Iterable[Finding]:
    """Neither orders nor defects grow without limit on a loop.

    The units of j in a unit of i equal the value share, so one matrix describes both: latent
    defects pass every inspection and travel by ``A``; orders travel by its transpose.
    """
    step = network.by_customer
    if np.isfinite(step.data).all() and spectral_radius(step) >= 1.0 - 1e-9:
        yield Finding("growth", "error", str(network.refuse(network.by_supplier, "defects and orders")))


CHECKS: tuple[Callable[[SupplyNetwork], Iterable[Finding]], ...] = (
    check_for_firms,
    check_for_numbers,
    check_for_links_to_itself,
    check_for_duplicate_links,
    check_for_quality,
    check_for_leaders,
    check_for_value_added,
    check_for_idle_firms,
    check_for_growth,
)
