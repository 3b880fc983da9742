"""The state of the world between months: populations of agents, links, random numbers and accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from agents import (
    AgentsOnDemand,
    ChainHead,
    ChainHeads,
    Firms,
    Flags,
    Floats,
    Help,
    Indices,
    Ints,
    Lender,
    Lenders,
    Population,
    QIStation,
    Regulator,
    Regulators,
    Row,
    Stations,
    Streams,
    column,
)
from agents.firm import KINDS, SIZE_CLASSES, firm_classes
from agents.lender import LOANS
from sim.accounts.accounts import FINANCING, Books
from sim.network.network import SupplyNetwork
from sim.parameters import Parameters
from sim.sums import add_up

__all__ = ["Chains", "Deliverable", "Links", "PriceClasses", "Striking", "World"]


class Links(Population):
    """State of the links: who supplies whom, and the goods and defects on the way."""

    supplier: Ints = column("row", "firm that supplies")
    customer: Ints = column("row", "firm that buys")
    slot: Ints = column("1", "which of its customer's links it is: its random numbers belong to the customer's place and this slot")
    value_share: Floats = column("CNY/CNY", "CNY of the supplier per CNY of the customer's output; 0 while one of them is out of the world")
    essential: Flags = column("1", "the customer cannot do without it")
    relief: Floats = column("share", "relation-specific reduction of the supplier's defects")
    rating: Floats = column("defects/unit", "the customer's estimate of the supplier's detectable defects")
    carried: Floats = column("units/unit", "value share less relief, with which this month's deliveries carried defects")
    age: Ints = column("months", "months the relation has lasted")
    listed: Ints = column("months", "months the supplier has been on the customer's development list, 0 if it is not")
    ordered: Floats = column("CNY/month", "the customer's order for next month")
    delivered: Floats = column("CNY/month", "this month's delivery of the supplier")
    inspected: Floats = column("share", "share of the deliveries under incoming inspection")
    interface: Floats = column("defects/unit", "interface defects per unit of the customer, ahead of inspection")
    caught: Floats = column("defects/unit", "detectable defects found by incoming inspection, per unit of the customer")
    passed_detectable: Floats = column("defects/unit", "detectable defects let in, per unit of the customer")
    passed_latent: Floats = column("defects/unit", "latent defects let in, per unit of the customer")
    charge_back: Floats = column("CNY/month", "charge-back of the customer to the supplier")


class Chains(Population):
    """State of the industrial chains, in addition to that of their firms."""

    region: Indices = column("index", "region in which it is")
    cause: Flags = column("1", "whether the chain has the cause of a common problem of each kind", width=4)
    problem_mix: Floats = column("1", "how often problems of each kind arise, as a multiple of other chains", width=4, start=1.0)
    project: Ints = column("months", "months until a project on the cause of each kind is due, 0 if there is none", width=4)


class PriceClasses(Population):
    """State of the price classes: firms of one size in one region, leaders and members apart, because leaders are liable to users."""

    quality_cost: Floats = column("CNY/CNY", "mean quality cost per unit of output, smoothed over about a year: a part of the price")


#: Events that are counted since the start of the burn-in.
EVENTS = (
    "problems opened", "problems closed", "cases received", "cases served", "cases withdrawn", "suppliers replaced", "changes refused",
)  # fmt: skip

#: State that is 0 once a firm has left the world for good.
LEFT_BEHIND = (
    "final_demand", "demand_start", "steady_orders", "orders", "users_ordered", "to_users", "elsewhere_ordered", "elsewhere",
    "output", "usual_output", "sales", "recall_due",
    "out_detectable", "out_latent", "before_final", "own_dpu", "own_special", "charged", "recovered", "distress", "shortfall",
)  # fmt: skip


class Deliverable(Protocol):
    """Anything that acts at the start of a month: a programme that delivers an instrument."""

    def deliver(self, world: World) -> None:
        """Act in the present month."""

    def give_up(self, world: World, rows: NDArray[np.int64], lost: NDArray[np.float64]) -> None:
        """Take note of the firms that give up, and of what lenders lose in strong-chain loans to each."""


class Striking(Protocol):
    """Anything that happens to the world and that nobody chose: a shock at work."""

    def act(self, world: World) -> None:
        """Act in the present month, if it strikes then."""


def _all(cls: type[Row]) -> Callable[[Population], list[type[Row]]]:
    return lambda population: [cls] * population.n


class World(AgentsOnDemand):
    """Populations, links, random numbers and accounts of one run.

    Parameters
    ----------
    network : SupplyNetwork
    parameters : Parameters
    streams : Streams, or a sequence of Streams
        The random numbers of this replicate; one for each region, if there are several.
    stations, chain_heads : int, or a sequence of int
        Their numbers at the start, likewise.

    Attributes
    ----------
    firms, stations, chain_heads, lenders, regulators : Firms, Stations, ChainHeads, Lenders, Regulators
        State in columns; Mesa agents are views of the rows.
    links, chains, classes : Links, Chains, PriceClasses
        State of the links, of the chains and of the price classes (no agents).
    luck : tuple of Streams
        Random numbers of each region.
    county_region : int array
        Region of each county.
    recognition : float
        How far regions recognise each other's certificates and services, from 0 to 1.
    month : int
        The present month: 1, 2, …; the months of the burn-in are 0, -1, -2, ….
    county_names, region_names : tuple of str
        Names of the counties and of the regions, by their index.
    counts : dict of str to int
        Events since the start: problems opened and closed, cases received, served and withdrawn, suppliers replaced,
        changes of suppliers refused because orders on a loop might have grown without limit.
    """

    kinds: ClassVar[dict[str, Callable[[Any], list[type[Row]]]]] = {
        "firms": firm_classes,
        "stations": _all(QIStation),
        "chain_heads": _all(ChainHead),
        "lenders": _all(Lender),
        "regulators": _all(Regulator),
    }

    def __init__(
        self,
        network: SupplyNetwork,
        parameters: Parameters,
        streams: Streams | Sequence[Streams],
        stations: int | Sequence[int] = 0,
        chain_heads: int | Sequence[int] = 0,
    ) -> None:
        self.luck = (streams,) if isinstance(streams, Streams) else tuple(streams)
        super().__init__(rng=self.luck[0].key[0] % 2**32)
        of_region = [np.atleast_1d(counts) for counts in (stations, chain_heads)]
        self.network = network
        self.parameters = parameters
        self.books = Books()
        self.programmes: dict[str, Deliverable] = {}
        self.shocks: list[Striking] = []
        self.month = 0
        self.firms = Firms("firms", n=network.n_firms)
        self.stations = Stations("stations", n=int(of_region[0].sum()))
        self.chain_heads = ChainHeads("chain_heads", n=int(of_region[1].sum()))
        self.lenders = Lenders("lenders", n=self.regions)
        self.regulators = Regulators("regulators", n=self.regions)
        self.links = Links("links", n=network.n_links)
        self.chains = Chains("chains", n=len(network.chains))
        self.classes = PriceClasses("classes", n=2 * len(SIZE_CLASSES) * self.regions)
        self.counts: dict[str, int] = dict.fromkeys(EVENTS, 0)
        self.county_names: tuple[str, ...] = ()
        self.region_names: tuple[str, ...] = ()
        self.county_region: Ints = np.zeros(0, dtype=np.int64)
        self.recognition = 0.0
        self.stations.region[:] = np.repeat(np.arange(of_region[0].size), of_region[0])
        self.chain_heads.region[:] = np.repeat(np.arange(of_region[1].size), of_region[1])
        if network.region is not None:
            self.firms.region[:] = network.region
            self.chains.region[network.chain] = network.region

    @property
    def streams(self) -> Streams:
        """Random numbers of the first region, which nearly always is the only one."""
        return self.luck[0]

    @streams.setter
    def streams(self, streams: Streams) -> None:
        self.luck = (streams, *self.luck[1:])

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return len(self.luck)

    def of_regions(self, amounts: NDArray[Any], firms: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Add up an amount of every firm, or of some firms (rows), or count the marked firms, over each region: shape (regions,)."""
        if firms is None:
            return np.array([float(amounts[rows].sum()) for rows in self._rows(self.firms)])
        region = self.firms.region[firms]
        return np.array([float(amounts[region == r].sum()) for r in range(self.regions)])

    def counties_of(self, region: int) -> Ints:
        """Counties of a region, up to the last one that has firms."""
        every = np.arange(int(self.firms.county[self.firms.region == region].max(initial=0)) + 1)
        return every if self.regions == 1 else every[self.county_region[every] == region]

    # -- random numbers --------------------------------------------------------------------------------
    # Draw *i* of a region belongs to the place *i* in it, so that a region has the same luck alone and beside another one.

    def _rows(self, population: Population) -> list[slice]:
        """The rows of each region: firms and chains of one stand together."""
        if self.regions == 1:
            return [slice(0, population.n)]
        ends = np.searchsorted(population.__dict__["region"], np.arange(self.regions + 1))
        return [slice(int(first), int(last)) for first, last in zip(ends[:-1], ends[1:], strict=True)]

    def _drawn(self, decision: str, month: int, population: Population, slots: int) -> NDArray[np.float64]:
        each = [
            luck.uniforms(decision, month, rows.stop - rows.start, slots)
            if slots
            else luck.uniform(decision, month, rows.stop - rows.start)
            for luck, rows in zip(self.luck, self._rows(population), strict=True)
        ]
        return each[0] if len(each) == 1 else np.concatenate([part.T for part in each], axis=-1).T

    def draw(self, decision: str, population: Population, slots: int = 0) -> NDArray[np.float64]:
        """Uniforms of this month for every row of the firms or the chains: shape (n,), or (n, slots)."""
        return self._drawn(decision, self.month, population, slots)

    def draw_lasting(self, decision: str, population: Population) -> NDArray[np.float64]:
        """Uniforms for every row of the firms, chains or stations that are the same in every month and under every policy: shape (n,)."""
        drawn = np.empty(population.n)
        region = population.__dict__["region"]
        for number, luck in enumerate(self.luck):  # stations that a programme sets up come last
            ours = np.flatnonzero(region == number)
            drawn[ours] = luck.uniform(decision, 0, ours.size)
        return drawn

    def draw_for(self, decision: str, population: Population, rows: NDArray[np.int64], slots: int = 0) -> NDArray[np.float64]:
        """The same uniforms as `draw` gives, for some rows only, with the same bits: shape (rows,) or (rows, slots)."""
        if rows.size > population.n // 500:
            return self.draw(decision, population, slots)[rows]
        drawn = np.empty((rows.size, max(slots, 1)))
        for luck, there in zip(self.luck, self._rows(population), strict=True):
            ours = (rows >= there.start) & (rows < there.stop)
            for slot in range(max(slots, 1)):
                drawn[ours, slot] = luck.uniform_at(decision, self.month, rows[ours] - there.start, slot)
        return drawn if slots else drawn[:, 0]

    def draw_for_links(self, decision: str, rows: NDArray[np.int64] | None = None, turns: int = 0) -> NDArray[np.float64]:
        """Uniforms of this month for links, all or some rows: shape (links,), or (links, turns) for decisions that need several of each.

        They belong to the place of the customer and to the link's slot among its links.
        """
        links = self.links
        customer, slot = (links.customer, links.slot) if rows is None else (links.customer[rows], links.slot[rows])
        if self.regions == 1:
            each = self.luck[0].uniform_of_slots(decision, self.month, customer, slot, max(turns, 1))
        else:
            each = np.empty((max(turns, 1), customer.size))
            for luck, there in zip(self.luck, self._rows(self.firms), strict=True):
                ours = (customer >= there.start) & (customer < there.stop)
                each[:, ours] = luck.uniform_of_slots(decision, self.month, customer[ours] - there.start, slot[ours], max(turns, 1))
        return each.T if turns else each[0]

    # -- sums along links --------------------------------------------------------------------

    def by_supplier(self, per_link: Floats | Flags) -> Floats:
        """Add up a number per link, or count the marked links, over each supplier's customers: shape (n,)."""
        return add_up(self.links.supplier, per_link, self.firms.n)

    def by_customer(self, per_link: Floats | Flags) -> Floats:
        """Add up a number per link, or count the marked links, over each customer's suppliers: shape (n,)."""
        return add_up(self.links.customer, per_link, self.firms.n)

    # -- money -------------------------------------------------------------------------------

    def for_firms(self, rows: NDArray[np.int64], amounts: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Amounts for some firms, 0 for the others: shape (n,)."""
        spread = np.zeros(self.firms.n)
        spread[rows] = amounts
        return spread

    def _split(self, amounts: NDArray[np.float64]) -> tuple[tuple[str, float], tuple[str, float]]:
        led = float(amounts[self.firms.is_leader].sum())
        return ("leaders", led), ("members", max(float(amounts.sum()) - led, 0.0))

    def firms_pay(self, payee: str, purpose: str, amounts: NDArray[np.float64]) -> None:
        """Let firms pay a sector: CNY by firm, shape (n,), 0 or more."""
        self.firms.cash[:] -= amounts
        if purpose not in FINANCING:
            self.firms.earnings[:] -= amounts
        for payer, amount in self._split(amounts):
            self.books.pay(payer, payee, purpose, amount)

    def pay_firms(self, payer: str, purpose: str, amounts: NDArray[np.float64]) -> None:
        """Let a sector pay firms: CNY by firm, shape (n,), 0 or more."""
        self.pay_firms_in_parts({(payer, purpose): 1.0}, amounts)

    def pay_firms_in_parts(self, parts: dict[tuple[str, str], float], amounts: NDArray[np.float64]) -> None:
        """Let several sectors pay firms together, each for a purpose and a share of every amount; all or no purpose is financing."""
        self.firms.cash[:] += amounts
        if FINANCING.isdisjoint(purpose for _, purpose in parts):
            self.firms.earnings[:] += amounts
        for payee, amount in self._split(amounts):
            for (payer, purpose), share in parts.items():
                self.books.pay(payer, payee, purpose, share * amount)

    def firms_pay_firms(self, purpose: str, payers: NDArray[np.int64], payees: NDArray[np.int64], amounts: NDArray[np.float64]) -> None:
        """Let firms pay each other for their business: rows of payers and payees, and CNY of 0 or more, all of shape (k,)."""
        firms = self.firms
        paid = add_up(payers, amounts, firms.n)
        got = add_up(payees, amounts, firms.n)
        firms.cash[:] += got - paid
        firms.earnings[:] += got - paid
        leads = firms.is_leader
        among = np.flatnonzero(leads[payers])  # not many links have a leader at one end, and even less at both
        among = among[leads[payees[among]]]
        whole, by_leaders, to_leaders = float(paid.sum()), float(paid[leads].sum()), float(got[leads].sum())
        both = float(amounts[among].sum())
        self.books.pay("leaders", "leaders", purpose, both)
        self.books.pay("leaders", "members", purpose, max(by_leaders - both, 0.0))
        self.books.pay("members", "leaders", purpose, max(to_leaders - both, 0.0))
        self.books.pay("members", "members", purpose, max(whole - by_leaders - to_leaders + both, 0.0))

    # -- help ----------------------------------------------------------------------------------
    def lend(self, column: str, rows: NDArray[np.int64], amount: NDArray[np.float64] | float) -> None:
        """Give firms help for this month (see `agents.help`): a share acts on the part that other help leaves; other amounts are added."""
        lent = getattr(self.firms, column)
        share = Help.declared[column].unit == "share"
        lent[rows] = 1.0 - (1.0 - lent[rows]) * (1.0 - amount) if share else lent[rows] + amount

    # -- chain heads --------------------------------------------------------------------------

    def problem_list(self, chain: int) -> dict[str, int]:
        """Open problems of a chain's firms by kind (问题清单)."""
        of_chain = self.firms.chain == chain
        return dict(zip(KINDS, (self.firms.open_problems + self.firms.common_problems)[of_chain].sum(axis=0).tolist(), strict=True))

    def credit_chain_heads(self, column: str, per_firm: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Add what a programme did for firms to the counts of their chain heads; several heads of one chain divide it."""
        heads = self.chain_heads
        if heads.n:
            by_chain = add_up(self.firms.chain, per_firm, self.chains.n)
            in_charge = np.bincount(heads.chain, minlength=self.chains.n)
            getattr(heads, column)[:] += by_chain[heads.chain] / in_charge[heads.chain]

    # -- entry and exit --------------------------------------------------------------------------

    def leave(self, population: str, row: int) -> None:
        """Take one agent out of the world and settle its accounts, links and cases.

        A firm's accounts are closed; its links carry nothing any more; its open problems and waiting cases end;
        no entrant takes its place. The waiting cases of a station are withdrawn.
        """
        super().leave(population, row)
        firms, links = self.firms, self.links
        if population == "firms":
            self.close_down(np.array([row]))
            of_firm = (links.supplier == row) | (links.customer == row)
            firms.orders[:] -= add_up(links.supplier[of_firm], links.ordered[of_firm], firms.n)
            np.maximum(firms.orders, 0.0, out=firms.orders)
            for name in ("value_share", "ordered", "delivered", "charge_back", "listed"):
                getattr(links, name)[of_firm] = 0
            for name in LEFT_BEHIND:
                getattr(firms, name)[row] = 0
        elif population == "stations":
            self.withdraw(firms.case_station == row)

    def close_down(self, rows: NDArray[np.int64]) -> None:
        """Settle the accounts of firms that give up: cash goes to their owners, lenders write off debts, problems and cases end.

        Programmes are informed; a programme that guarantees loans pays its guarantees.
        """
        firms, lenders = self.firms, self.lenders
        for programme in self.programmes.values():
            programme.give_up(self, rows, firms.programme_debt[rows])

        left = firms.cash[rows]
        self.firms_pay("households", "liquidation", self.for_firms(rows, np.maximum(left, 0.0)))
        self.pay_firms("lenders", "write-off of overdrafts", self.for_firms(rows, np.maximum(-left, 0.0)))
        firms.cash[rows] = 0.0  # rounding of the last payment
        firms.written_off[rows] = firms.bank_debt[rows] + firms.programme_debt[rows]
        for kind, loan in enumerate(LOANS):
            debt = getattr(firms, loan.debt)
            lenders.written_off[:, kind] += self.of_regions(debt[rows], rows)
            debt[rows] = 0.0
            lenders.outstanding[:, kind] = self.of_regions(debt)
        for name in ("programme_line", "guaranteed", "rate_discount", "interest_borne", "inventory", "mapped"):
            getattr(firms, name)[rows] = 0.0

        going = np.zeros(firms.n, dtype=np.bool_)
        going[rows] = True
        self.withdraw(going[:, None])
        self.counts["problems closed"] += int(firms.open_problems[rows].sum() + firms.common_problems[rows].sum())
        firms.problems_closed[rows] += firms.open_problems[rows].sum(axis=1) + firms.common_problems[rows].sum(axis=1)
        firms.open_problems[rows] = firms.common_problems[rows] = 0

    def withdraw(self, cases: NDArray[np.bool_]) -> None:
        """Withdraw the waiting cases that a mask of shape (n, 4) (or one that broadcasts to it) picks."""
        firms = self.firms
        withdrawn = np.broadcast_to(cases, firms.case_station.shape) & (firms.case_station >= 0)
        at = firms.case_station[withdrawn]
        self.stations.withdrawn[:] += np.bincount(at, minlength=self.stations.n)
        self.stations.queue[:] -= np.bincount(at, minlength=self.stations.n)
        self.counts["cases withdrawn"] += int(at.size)
        firms.cases_withdrawn[:] += withdrawn.sum(axis=1)
        firms.case_station[withdrawn] = -1
        firms.case_month[withdrawn] = -1
