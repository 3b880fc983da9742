"""Who supplies whom: the network of firms and links, its tiers and its fixed points.

Links carry *value shares*: ``a[j, i]`` is CNY of supplier j in one CNY of customer i's output at
cost (a technical coefficient of input-output analysis). Defects travel per *normalised* unit,
one of price 1, so that the units of j in a unit of i equal the value share. So 110 parts in one
product share its value; they do not multiply its defects by 110.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from agents.columns import Floats, Ints
from sim.network.fixed_points import NetworkError, fixed_point, offending_loop, spectral_radius
from sim.network.starting_quality import StartingQuality
from sim.sums import add_up, positions

__all__ = ["SupplyNetwork"]


@dataclass(frozen=True, eq=False)
class SupplyNetwork:
    """A supply network of n firms and m links.

    Links are sorted by customer, and at the start also by supplier. `build` accepts them in any order.

    Attributes
    ----------
    names : array of str, shape (n,)
        Firm names, unique.
    chain, sector : int arrays, shape (n,)
        Index into `chains` and `sectors`: the chain a firm mainly works for, the sector of its product.
    leader : bool array, shape (n,)
        Chain leaders: they sell to users.
    final_demand : float array, shape (n,)
        CNY a month that users order from each firm; positive for every leader.
    unit_cost : float array, shape (n,)
        Price of one physical unit in CNY; 1 where it is unknown.
    county : int array, shape (n,), or None
        Index of the county; None leaves it to the region.
    counties : tuple of str
        Names of the counties, if they have any.
    size : int array, shape (n,), or None
        Class of size: 0 small, 1 medium, 2 large, -1 where the yearly revenue decides, which None means for all firms.
    region : int array, shape (n,), or None
        Index of the region, where there are several: the firms of one, and its chains and sectors, follow those of the one before. None
        means that all firms are in one region.
    supplier, customer : int arrays, shape (m,)
        The two firms of each link.
    value_share : float array, shape (m,)
        CNY of the supplier per CNY of the customer's output.
    units : float array, shape (m,)
        Physical units of the supplier's good per unit of the customer's; equal to the value
        share where physical units are unknown.
    essential : bool array, shape (m,)
        The customer cannot do without this input.
    slot : int array, shape (m,)
        Which of its customer's links it is, from 0: the random numbers of a link belong to its customer's place and this slot,
        so that links added for one customer leave the random numbers of all other links as they are.
    chains, sectors : tuple of str
        Their names.
    quality : StartingQuality or None
        Quality figures with which firms start, where they are known; None if none is.
    notes : tuple of str
        The rules that filled in what the input did not give.
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
    slot: Ints
    chains: tuple[str, ...]
    sectors: tuple[str, ...]
    county: Ints | None = None
    size: Ints | None = None
    counties: tuple[str, ...] = ()
    region: Ints | None = None
    quality: StartingQuality | None = None
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
        size: ArrayLike | None = None,
        region: ArrayLike | None = None,
        slot: ArrayLike | None = None,
        quality: StartingQuality | None = None,
        counties: Iterable[str] = (),
        chains: Iterable[str] = ("chain",),
        sectors: Iterable[str] = ("sector",),
        notes: Iterable[str] = (),
    ) -> SupplyNetwork:
        """Make a network from columns in any order; links come out sorted by customer and supplier, and so by slot unless it is given."""
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
            slot=positions(ends[1][order]) if slot is None else np.asarray(slot, dtype=np.int64)[order],
            chains=tuple(chains),
            sectors=tuple(sectors),
            county=None if county is None else np.asarray(county, dtype=np.int64),
            counties=tuple(counties),
            size=None if size is None else np.asarray(size, dtype=np.int64),
            region=None if region is None else np.asarray(region, dtype=np.int64),
            quality=quality,
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
        """Value shares as CSR in the other direction: row j lists the customers of supplier j."""
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
        """CNY of inputs bought from other firms per CNY of output, shape (n,)."""
        return add_up(self.customer, self.value_share, self.n_firms)

    @cached_property
    def tier(self) -> Ints:
        """Number of links from each firm to the nearest chain leader, shape (n,): leaders 0, -1 where none is reached."""
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
        """Return the network with only the links and leaders among some firms; the other firms stay, without relations."""
        return replace(self.subset(firms[self.supplier] & firms[self.customer]), leader=self.leader & firms)

    def subset(self, links: NDArray[np.bool_]) -> SupplyNetwork:
        """Return the network with only some of the links; all firms stay."""
        return replace(
            self,
            supplier=self.supplier[links],
            customer=self.customer[links],
            value_share=self.value_share[links],
            units=self.units[links],
            essential=self.essential[links],
            slot=self.slot[links],
        )

    def rewired(self, supplier: Ints) -> SupplyNetwork:
        """Return the network with other suppliers on its links, shape (m,); links keep their rows and their customers."""
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
        waste = 1.0 + np.broadcast_to(scrap, (self.n_firms,))
        pull = sparse.csr_array(self.by_supplier * waste[None, :])
        return fixed_point(pull, self.final_demand, tolerance, refuse=lambda: self.refuse(pull, "orders"))

    def check_orders(self, scrap: Floats) -> None:
        """Raise an error if orders would grow without limit on a loop, given the share of output that customers scrap.

        Raises
        ------
        NetworkError
            Names the firms on the loop.
        """
        pull = sparse.csr_array(self.by_supplier * (1.0 + scrap)[None, :])
        if spectral_radius(pull) >= 1.0 - 1e-9:
            raise self.refuse(pull, "orders, scrap included,")

    def refuse(self, step: sparse.csr_array, what: str) -> NetworkError:
        """Return the error for a loop on which something would grow without limit; it names the firms on the loop."""
        loop = [str(name) for name in self.names[offending_loop(step)]]
        shown = " → ".join([*loop[:8], *(["…"] if len(loop) > 8 else []), loop[0]])
        return NetworkError(
            f"{what} on the loop {shown} would grow without end: more than one unit comes round per unit; "
            "lower the value shares on that loop so that each pass leaves value added"
        )
