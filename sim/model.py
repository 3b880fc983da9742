"""The month as a list, and the model that goes through it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.streams import Streams, replicate_keys
from sim.accounts.accounts import Books
from sim.accounts.balance_sheet import balance_sheet
from sim.attribution.quality_map import QualityMap, blocks, quality_map
from sim.build.across import Across, joined
from sim.build.chain import NamedChain
from sim.build.fitted_start import fit_base, fit_month_one
from sim.build.from_file import FromFile, from_file
from sim.build.input_output import InputOutput, SectorEconomy, input_output
from sim.build.region import Region, populate
from sim.build.synthetic import Synthetic, synthetic
from sim.instruments.instrument import INSTRUMENTS, Instrument
from sim.instruments.programme import Programme, policy
from sim.invariants import check_invariants
from sim.month.adoption import adopt_and_drop
from sim.month.entry_and_exit import exit_and_enter
from sim.month.inspection import decide_inspection
from sim.month.investment import invest
from sim.month.learning import learn_and_forget, settle_practice
from sim.month.market import market
from sim.month.money import balance_others, open_accounts, settle_accounts
from sim.month.orders import order_inputs, ship_and_order
from sim.month.own_defects import make_own_defects
from sim.month.problems import problem_arrivals, problems_come_and_go
from sim.month.propagation import outgoing_dpu, propagate
from sim.month.quality_cost import charge_back, cost_of_quality
from sim.month.recalls import recall_products
from sim.month.relations import rate_suppliers, review_suppliers
from sim.month.sampling import sample_products
from sim.month.services import serve_cases
from sim.network.checks import check_network
from sim.network.network import SupplyNetwork
from sim.outcomes import OUTCOMES
from sim.parameters import Parameters
from sim.record import Record
from sim.shocks.shock import AtWork, Shock, strike
from sim.world import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MONTH", "NetworkSource", "StrongchainModel", "build_network"]

NetworkSource = SupplyNetwork | Synthetic | FromFile | InputOutput | SectorEconomy | None

#: One month, phase by phase: relations change before goods are shipped, and accounts are closed last.
#: A value that a phase reads from another firm is last month's, or comes from an earlier phase of this month.
MONTH: tuple[Callable[[World], None], ...] = (
    policy,
    strike,
    review_suppliers,
    ship_and_order,
    make_own_defects,
    decide_inspection,
    propagate,
    cost_of_quality,
    charge_back,
    problems_come_and_go,
    serve_cases,
    invest,
    adopt_and_drop,
    learn_and_forget,
    rate_suppliers,
    recall_products,
    market,
    sample_products,
    settle_accounts,
    exit_and_enter,
    balance_others,
)

#: Passes of charge-back at the start; after these it hardly changes.
SETTLING = 3


def build_network(source: NetworkSource, region: Region, streams: Streams, named: Sequence[NamedChain] = ()) -> SupplyNetwork:
    """Return the network of a source; None means the region's own network."""
    match source:
        case SupplyNetwork():
            return source
        case Synthetic():
            return synthetic(source, streams)
        case FromFile():
            return from_file(source)
        case InputOutput() | SectorEconomy():
            return input_output(source, streams)
        case None:
            return region.network(streams, named)
    raise TypeError(f"a network is a SupplyNetwork, Synthetic, FromFile, InputOutput or None, not {type(source).__name__}")


class StrongchainModel(World):
    """How defects travel along supply chains, month by month.

    Parameters
    ----------
    region : Region or sequence of Region, optional
        Its stations, counties and officers; and its network, if `network` is None. Several regions make one world; the luck of each is
        then keyed by its `key`, so that it is the same beside any other region, and for ``[region]`` alone.
    network : SupplyNetwork, Synthetic, FromFile, InputOutput or None
        Who supplies whom.
    parameters : Parameters, optional
    instruments : sequence of Instrument
        The policy; an empty one means no programme.
    shocks : sequence of Shock
        What happens that nobody chose: a fall of demand, a bad batch.
    rng : int
        Seed; the run is its first replicate.
    key : pair of int, optional
        Key of a replicate, in place of the seed (see `agents.streams.replicate_keys`).
    burn_in : int
        Months simulated before month 1, without any programme. What the network knows of the quality of firms holds when month 1 begins.
    record : iterable of str
        Groupings to record in addition to the total: "chain", "county", "region", "tier", "size", "quantile".
    outcomes : iterable of str, optional
        Outcomes to record; all by default.
    check : bool
        Check every invariant after every month.
    chains : sequence of NamedChain
        The first chains of the (first) region's own network, by their names; `Region.of_chains` has a region's figures for these alone.
    across : Across, optional
        What goes across the borders of several regions.

    Examples
    --------
    >>> from sim import StrongchainModel
    >>> model = StrongchainModel(rng=1)
    >>> model.run(12)
    >>> 0.0 < model.field_dpu < 1.0
    True
    """

    def __init__(
        self,
        region: Region | Sequence[Region] | None = None,
        network: NetworkSource = None,
        parameters: Parameters | None = None,
        instruments: Sequence[Instrument] = (),
        rng: int = 1,
        key: tuple[int, int] | None = None,
        burn_in: int = 60,
        record: Iterable[str] = (),
        outcomes: Iterable[str] | None = None,
        check: bool = False,
        chains: Sequence[NamedChain] = (),
        across: Across | None = None,
        shocks: Sequence[Shock] = (),
    ) -> None:
        region = region or Region()
        streams = Streams(key if key is not None else replicate_keys(rng, 1)[0])
        regions, across = (region,) if isinstance(region, Region) else tuple(region), across or Across()
        luck = [streams] if isinstance(region, Region) else [streams.of_region(one.key) for one in regions]
        named = chains if network is None else ()
        if len(regions) == 1:
            built = build_network(network, regions[0], luck[0], named)
        elif network is None:
            networks = [one.network(its, named if its is luck[0] else ()) for one, its in zip(regions, luck, strict=True)]
            built = joined(networks, regions, luck, across)
        else:
            raise ValueError("a network that is given has one region; leave out the network, or name one region")
        check_network(built)
        heads = [one.chain_heads for one in regions]
        super().__init__(built, parameters or Parameters(), luck, stations=[one.stations for one in regions], chain_heads=heads)
        self.region = regions[0]
        self.recognition = across.recognition
        self.check = check
        self.month = -burn_in
        self.burn_in = burn_in
        populate(self, regions, named)
        self._settle()
        for _ in range(burn_in):
            self._one_month()
        #: How well the start meets the quality figures of the firms; None where the network has none.
        self.fitted = fit_month_one(self)
        self.record = Record(self, record, outcomes)
        self.adopt(instruments)
        self.shock(*shocks)

    def adopt(self, instruments: Sequence[Instrument]) -> None:
        """End the present policy and begin another one in the next month.

        Raises
        ------
        ValueError
            If an instrument is named twice.
        """
        keys = [ins.key for ins in instruments]
        if len(set(keys)) < len(keys):
            raise ValueError(f"a policy contains each instrument at most once; got {', '.join(keys)}")
        for programme in self.programmes.values():
            if isinstance(programme, Programme):
                programme.end(self)
        # A policy is a set: the order in which its instruments are named does not change a bit.
        registered = list(INSTRUMENTS)  # an instrument that is not registered here (made in another process) comes last
        position = {key: k for k, key in enumerate(registered)}
        ordered = sorted(instruments, key=lambda ins: (not ins.first, position.get(ins.key, len(position)), ins.key))
        self.programmes = {
            (ins.key if self.regions == 1 else f"{ins.key}: {name}"): Programme(ins, number)
            for ins in ordered
            for number, name in enumerate(self.region_names)
        }

    def delivered(self) -> dict[str, dict[str, int]]:
        """Return what the programmes of each instrument have delivered so far, all regions together, by count."""
        counts: dict[str, Counter[str]] = {}
        for programme in self.programmes.values():
            if isinstance(programme, Programme):
                counts.setdefault(programme.instrument.key, Counter()).update(programme.delivered(self))
        return {key: dict(counted) for key, counted in counts.items()}

    def spent(self) -> dict[str, float]:
        """Return what government has spent so far on each instrument, all regions together, CNY."""
        spent: dict[str, float] = {}
        for programme in self.programmes.values():
            if isinstance(programme, Programme):
                spent[programme.instrument.key] = spent.get(programme.instrument.key, 0.0) + programme.spent
        return spent

    def shock(self, *shocks: Shock) -> None:
        """Announce shocks, in addition to those announced before: each acts from its month on.

        Rules such as ``"largest_supplier"`` choose firms now, so that a shock strikes the same firms under every policy.

        Raises
        ------
        ValueError
            If a kind of shock is announced twice.
        ParameterError
            If there is no firm or chain of a name: one line with the nearest name.
        """
        keys = [one.shock.key for one in self.shocks if isinstance(one, AtWork)] + [one.key for one in shocks]
        if twice := [key for k, key in enumerate(keys) if key in keys[:k]]:
            raise ValueError(f"a run has each shock at most once; got {twice[0]} twice")
        self.shocks = [*self.shocks, *(AtWork(one, one.whom(self)) for one in shocks)]

    def _settle(self) -> None:
        """Start defects, ratings and orders near the steady state: some passes in which everything else stays fixed."""
        firms, links = self.firms, self.links
        links.delivered = links.value_share * firms.output[links.customer]
        settle_practice(self, problem_arrivals(self))  # in the long run, as many problems are solved as arise
        make_own_defects(self)
        decide_inspection(self)
        for _ in range(max(12, int(firms.tier.max(initial=0)) + 2)):
            fit_base(self)
            propagate(self)
            # At the start customers know their suppliers: they rate them by all defects that arrive.
            arriving = links.caught + links.passed_detectable
            links.rating = np.divide(arriving, links.value_share, out=np.zeros(links.n), where=links.value_share > 0)
            decide_inspection(self)
        links.age[:] = 0
        self.network.check_orders(firms.scrap)
        firms.steady_orders = firms.orders = firms.output = firms.usual_output = self.network.steady_orders(firms.scrap)
        order_inputs(self)
        firms.to_users, links.delivered = firms.users_ordered, links.ordered
        for _ in range(SETTLING):
            charge_back(self)
            self._turn_page()
            cost_of_quality(self)
        firms.demand_start = firms.final_demand
        firms.brand = firms.brand_start = outgoing_dpu(self)
        self._open_books()

    def _open_books(self) -> None:
        """Start the accounts; payments made while the start settled do not count."""
        self.books = Books()
        self.firms.cash[:] = self.firms.earnings[:] = 0.0
        open_accounts(self)
        self._turn_page()

    def _one_month(self) -> None:
        self.month += 1
        self._turn_page()
        for phase in MONTH:
            phase(self)
        if self.check:
            check_invariants(self)

    def _turn_page(self) -> None:
        """Set all counts of the month's events back to 0."""
        self.books.turn_page()
        self.firms.turn_page()

    def step(self) -> None:
        """Simulate one month and record it."""
        self._one_month()
        self.record.write(self)

    def run(self, months: int) -> None:
        """Simulate several months."""
        for _ in range(months):
            self.step()

    @classmethod
    def schedule(cls) -> list[str]:
        """The month as a list of phases with one line each."""
        return [f"{phase.__name__}: {(phase.__doc__ or '').splitlines()[0]}" for phase in MONTH]

    # -- the accounts --------------------------------------------------------------------------

    def transaction_flow_matrix(self) -> pd.DataFrame:
        """The month's payments as a transaction-flow matrix: a row per purpose, a column per sector, CNY."""
        return self.books.transaction_flow_matrix()

    def balance_sheet(self) -> pd.DataFrame:
        """What every sector owns and owes at the end of the month, CNY (see `sim.accounts.balance_sheet`)."""
        return balance_sheet(self.firms, self.lenders, self.books)

    # -- looking at the world ----------------------------------------------------------------

    def quality_map(self) -> QualityMap:
        """Where the defects that reach users begin, with this month's coefficients held fixed."""
        return quality_map(self)

    def steady_state(self) -> np.ndarray:
        """Outgoing DPU, detectable plus latent, to which defects converge if this month repeats itself, shape (n,)."""
        detectable, latent = blocks(self)
        return detectable.steady_state() + latent.steady_state()

    def weak_links(self, chain: int, most: int = 10) -> list[tuple[str, float]]:
        """Firms of a chain in which most of its loss to users begins, with their shares of the loss."""
        loss = np.where(self.firms.chain == chain, self.quality_map().by_firm, 0.0)
        total = loss.sum()
        rows = np.argsort(-loss, kind="stable")[:most]
        return [(str(self.network.names[row]), float(loss[row] / total)) for row in rows if loss[row] > 0]

    def __getattr__(self, name: str) -> Any:
        # The last total of every outcome is an attribute of the model, so that Mesa's DataCollector can read it.
        if name in OUTCOMES and "record" in self.__dict__:
            return self.record.latest(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
