"""Who supplies whom: the network of firms and links, its tiers, its checks and its fixed points.

Links carry *value shares*: ``a[j, i]`` is CNY of supplier j in one CNY of customer i's output at
cost (a technical coefficient of input-output analysis). Defects travel per *normalised* unit,
one of price 1, so that the units of j in a unit of i equal the value share: 110 parts in one
product share its value instead of multiplying its defects by 110.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sim.network.fixed_points import NetworkError, fixed_point, offending_loop, spectral_radius

__all__ = ["CHECKS", "Finding", "SupplyNetwork"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Finding:
    """One result of a check: `level` is "error" or "warning"."""

    check: str
    level: str
    message: str


@dataclass(frozen=True, eq=False)
class SupplyNetwork:
    """A supply network of n firms and m links.

    Links are sorted by customer; as built also by supplier. `build` accepts them in any order.

    Attributes
    ----------
    names : array of str, shape (n,)
        Firm names, unique.
    chain, sector : int arrays, shape (n,)
        Index into `chains` and `sectors`: the chain a firm mainly works for, the sector of its product.
    leader : bool array, shape (n,)
        Chain leaders: they sell to users.
    final_demand : float array, shape (n,)
        CNY a month that users order of each firm; positive for every leader.
    unit_cost : float array, shape (n,)
        Price of one physical unit in CNY; 1 where none is known.
    county : int array, shape (n,), or None
        Index of the county; None leaves it to the region.
    supplier, customer : int arrays, shape (m,)
        Ends of each link.
    value_share : float array, shape (m,)
        CNY of the supplier per CNY of the customer's output.
    units : float array, shape (m,)
        Physical units of the supplier's good per unit of the customer's; equal to the value
        share where nothing physical is known.
    essential : bool array, shape (m,)
        The customer cannot do without this input.
    chains, sectors : tuple of str
        Their names.
    notes : tuple of str
        The rules by which was filled what the input did not give.
    """

    names: NDArray[np.str_]
    chain: Ints
    sector: Ints
    leader: NDArray[np.bool_]
    final_demand: Floats
    supplier: Ints
    customer: Ints
    value_share: Floats
    unit_cost: Floats
    units: Floats
    essential: NDArray[np.bool_]
    chains: tuple[str, ...]
    sectors: tuple[str, ...]
    county: Ints | None = None
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def build(
        cls,
        names: ArrayLike,
        supplier: ArrayLike,
        customer: ArrayLike,
        value_share: ArrayLike,
        leader: ArrayLike,
        final_demand: ArrayLike,
        *,
        chain: ArrayLike | None = None,
        sector: ArrayLike | None = None,
        unit_cost: ArrayLike | None = None,
        units: ArrayLike | None = None,
        essential: ArrayLike | None = None,
        county: ArrayLike | None = None,
        chains: Iterable[str] = ("chain",),
        sectors: Iterable[str] = ("sector",),
        notes: Iterable[str] = (),
    ) -> SupplyNetwork:
        """Make a network from columns in any order; links come out sorted by customer and supplier."""
        label = np.asarray(names, dtype=np.str_)
        n = label.size
        ends = np.asarray(supplier, dtype=np.int64), np.asarray(customer, dtype=np.int64)
        order = np.lexsort(ends)
        share = np.asarray(value_share, dtype=np.float64)

        def of_firms(value: ArrayLike | None, default: float, dtype: type) -> NDArray[Any]:
            return np.full(n, default, dtype=dtype) if value is None else np.asarray(value, dtype=dtype)

        return cls(
            names=label,
            chain=of_firms(chain, 0, np.int64),
            sector=of_firms(sector, 0, np.int64),
            leader=of_firms(leader, False, np.bool_),
            final_demand=of_firms(final_demand, 0.0, np.float64),
            supplier=ends[0][order],
            customer=ends[1][order],
            value_share=share[order],
            unit_cost=of_firms(unit_cost, 1.0, np.float64),
            units=(share if units is None else np.asarray(units, dtype=np.float64))[order],
            essential=np.zeros(share.size, dtype=np.bool_) if essential is None else np.asarray(essential, dtype=np.bool_)[order],
            chains=tuple(chains),
            sectors=tuple(sectors),
            county=None if county is None else np.asarray(county, dtype=np.int64),
            notes=tuple(notes),
        )

    # -- shape -------------------------------------------------------------------------

    @property
    def n_firms(self) -> int:
        """Number of firms."""
        return int(self.names.size)

    @property
    def n_links(self) -> int:
        """Number of links."""
        return int(self.supplier.size)

    @cached_property
    def by_customer(self) -> sparse.csr_array:
        """Value shares as CSR, shape (n, n): row i lists what customer i buys, column j its supplier."""
        return self.matrix(self.value_share)

    @cached_property
    def by_supplier(self) -> sparse.csr_array:
        """Value shares as CSR the other way round: row j lists to whom supplier j sells."""
        return self.by_customer.T.tocsr()

    def matrix(self, weight: Floats) -> sparse.csr_array:
        """Return one number per link as CSR with customers as rows and suppliers as columns."""
        pointer = np.searchsorted(self.customer, np.arange(self.n_firms + 1))
        return sparse.csr_array((weight, self.supplier, pointer), shape=(self.n_firms, self.n_firms))

    def suppliers_of(self, firm: int) -> Ints:
        """Rows of the firms that supply one firm."""
        first, last = np.searchsorted(self.customer, [firm, firm + 1])
        return self.supplier[first:last]

    def customers_of(self, firm: int) -> Ints:
        """Rows of the firms that one firm supplies."""
        return np.asarray(self.by_supplier.indices[self.by_supplier.indptr[firm] : self.by_supplier.indptr[firm + 1]], dtype=np.int64)

    @cached_property
    def material_share(self) -> Floats:
        """CNY of inputs bought of other firms per CNY of output, shape (n,)."""
        return np.asarray(np.bincount(self.customer, self.value_share, minlength=self.n_firms), dtype=np.float64)

    @cached_property
    def tier(self) -> Ints:
        """Links from each firm down to the nearest chain leader, shape (n,): leaders 0, -1 where none is reached."""
        tier = np.where(self.leader, 0, -1)
        frontier = self.leader
        depth = 0
        while frontier.any():
            depth += 1
            reached = np.zeros(self.n_firms, dtype=np.bool_)
            reached[self.supplier[frontier[self.customer]]] = True
            frontier = reached & (tier < 0)
            tier[frontier] = depth
        return tier

    def among(self, firms: NDArray[np.bool_]) -> SupplyNetwork:
        """Return the network with the links and leaders among some firms only; the others stay, without relations."""
        return replace(self.subset(firms[self.supplier] & firms[self.customer]), leader=self.leader & firms)

    def subset(self, links: NDArray[np.bool_]) -> SupplyNetwork:
        """Return the network with some of the links only; firms stay."""
        return replace(
            self,
            supplier=self.supplier[links],
            customer=self.customer[links],
            value_share=self.value_share[links],
            units=self.units[links],
            essential=self.essential[links],
        )

    def rewired(self, supplier: Ints) -> SupplyNetwork:
        """Return the network with other suppliers on its links, shape (m,); links keep their rows, and so their customers."""
        return replace(self, supplier=supplier)

    # -- fixed points ------------------------------------------------------------------

    def steady_orders(self, scrap: ArrayLike = 0.0, tolerance: float = 1e-12) -> Floats:
        """Return the orders at which the month repeats itself, CNY a month, shape (n,).

        Leontief's quantity system ``q = F + Aᵀ (1 + scrap) q`` [1]_, by iteration.

        Raises
        ------
        NetworkError
            If the system has no finite solution; names the firms on the offending loop.

        References
        ----------
        .. [1] Miller & Blair (2009), Input-Output Analysis, 2nd ed., ch. 2.
        """
        waste = 1.0 + np.broadcast_to(np.asarray(scrap, dtype=np.float64), (self.n_firms,))
        pull = sparse.csr_array(self.by_supplier * waste[None, :])
        return fixed_point(pull, self.final_demand, tolerance, refuse=lambda: self._refuse(pull, "orders"))

    def check_orders(self, scrap: Floats) -> None:
        """Raise if orders would grow without end round a loop, now that customers scrap a share of what they make.

        Raises
        ------
        NetworkError
            Names the firms on the loop.
        """
        pull = sparse.csr_array(self.by_supplier * (1.0 + scrap)[None, :])
        if spectral_radius(pull) >= 1.0 - 1e-9:
            raise self._refuse(pull, "orders, scrap included,")

    def _refuse(self, step: sparse.csr_array, what: str) -> NetworkError:
        loop = [str(name) for name in self.names[offending_loop(step)]]
        shown = " → ".join([*loop[:8], *(["…"] if len(loop) > 8 else []), loop[0]])
        return NetworkError(
            f"{what} on the loop {shown} would grow without end: more than one unit comes round per unit; "
            "lower the value shares on that loop so that each pass leaves value added"
        )

    # -- checks ------------------------------------------------------------------------

    def check(self, strict: bool = True) -> list[Finding]:
        """Look for everything that would make a run wrong or meaningless.

        Parameters
        ----------
        strict : bool
            Raise on the first error instead of listing it.

        Raises
        ------
        NetworkError
            With `strict`, for an error; warnings are only listed.
        """
        findings: list[Finding] = []
        for check in CHECKS:
            for finding in check(self):
                if strict and finding.level == "error":
                    raise NetworkError(finding.message)
                findings.append(finding)
        return findings


# -- the checks, one function each ---------------------------------------------------------


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
    for what, numbers in (("value_share", network.value_share), ("units", network.units)):
        for k in np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))[:1]:
            yield Finding("numbers", "error", f"{what} of {_link(network, int(k))} is {numbers[k]}; it must be a finite number, 0 or more")
    for what, numbers in (("final_demand", network.final_demand), ("unit_cost", network.unit_cost)):
        for i in np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))[:1]:
            yield Finding("numbers", "error", f"{what} of {str(network.names[i])!r} is {numbers[i]}; it must be a finite number, 0 or more")


def check_for_leaders(network: SupplyNetwork) -> Iterable[Finding]:
    """Somebody sells to users, and every leader does."""
    if not network.leader.any():
        yield Finding("leaders", "error", "no firm is a chain leader, so nothing reaches a user; mark at least one firm as leader")
    idle = np.flatnonzero(network.leader & (network.final_demand <= 0))
    if idle.size:
        yield Finding("leaders", "error", f"chain leader {_named(network, idle)} sells nothing to users; give it a final demand above 0")


def check_for_value_added(network: SupplyNetwork) -> Iterable[Finding]:
    """No firm buys more than it sells (a warning: a loop on which that happens is an error of its own)."""
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
    """Neither orders nor defects grow without end round a loop.

    The units of j in a unit of i are its value share, so one matrix carries both: latent
    defects pass every inspection and travel by ``A``; orders travel by its transpose.
    """
    step = network.by_customer
    if np.isfinite(step.data).all() and spectral_radius(step) >= 1.0 - 1e-9:
        yield Finding("growth", "error", str(network._refuse(network.by_supplier, "defects and orders")))


CHECKS: tuple[Callable[[SupplyNetwork], Iterable[Finding]], ...] = (
    check_for_firms,
    check_for_numbers,
    check_for_links_to_itself,
    check_for_duplicate_links,
    check_for_leaders,
    check_for_value_added,
    check_for_idle_firms,
    check_for_growth,
)
