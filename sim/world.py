"""The state of the world between months: populations of agents, links, luck and books."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from agents import (
    CHAIN_HEAD,
    FIRM,
    LENDER,
    QI_STATION,
    REGULATOR,
    AgentsOnDemand,
    ChainHead,
    Column,
    Lender,
    Population,
    QIStation,
    Regulator,
    Row,
    Streams,
)
from agents.firm import KINDS, firm_classes
from sim.accounts import Books
from sim.network import SupplyNetwork
from sim.parameters import Parameters

__all__ = ["CHAIN", "LINK", "Deliverable", "World"]

LINK: dict[str, Column] = {
    "supplier": Column("int64", "row", "firm that supplies"),
    "customer": Column("int64", "row", "firm that buys"),
    "value_share": Column("float64", "CNY/CNY", "CNY of the supplier per CNY of the customer's output; 0 while either is out of the world"),
    "essential": Column("bool", "1", "the customer cannot do without it"),
    "relief": Column("float64", "share", "relation-specific reduction of the supplier's defects"),
    "rating": Column("float64", "defects/unit", "the customer's estimate of the supplier's detectable defects"),
    "age": Column("int64", "months", "months the relation has lasted"),
    "inspected": Column("float64", "share", "share of the deliveries inspected at goods-in"),
    "interface": Column("float64", "defects/unit", "interface defects per unit of the customer, ahead of inspection"),
    "caught": Column("float64", "defects/unit", "detectable defects found at goods-in, per unit of the customer"),
    "passed_detectable": Column("float64", "defects/unit", "detectable defects let in, per unit of the customer"),
    "passed_latent": Column("float64", "defects/unit", "latent defects let in, per unit of the customer"),
    "charge_back": Column("float64", "CNY/month", "what the customer charges back to the supplier"),
}

CHAIN: dict[str, Column] = {
    "cause": Column("bool", "1", "a common cause of each kind is at work", width=4),
}


class Deliverable(Protocol):
    """Anything that acts at the start of a month: a programme that delivers an instrument."""

    def deliver(self, world: World) -> None:
        """Act for the month under way."""


def _all(cls: type[Row]) -> Callable[[Population], list[type[Row]]]:
    return lambda population: [cls] * population.n


class World(AgentsOnDemand):
    """Populations, links, luck and books of one run.

    Parameters
    ----------
    network : SupplyNetwork
    parameters : Parameters
    streams : Streams
        The luck of this replicate.
    stations, chain_heads : int
        How many there are at the start.

    Attributes
    ----------
    firms, stations, chain_heads, lenders, regulators : Population
        State in columns; Mesa agents are views of the rows.
    links, chains : Population
        State of the links and of the chains (no agents).
    month : int
        The month under way: 1, 2, …; the months of the burn-in are 0, -1, -2, ….
    counts : dict of str to int
        Events since the start: problems opened and closed, cases received, served and withdrawn.
    """

    kinds: ClassVar[dict[str, Callable[[Population], list[type[Row]]]]] = {
        "firms": firm_classes,
        "stations": _all(QIStation),
        "chain_heads": _all(ChainHead),
        "lenders": _all(Lender),
        "regulators": _all(Regulator),
    }

    def __init__(self, network: SupplyNetwork, parameters: Parameters, streams: Streams, stations: int = 0, chain_heads: int = 0) -> None:
        super().__init__(rng=streams.key[0] % 2**32)
        self.network = network
        self.parameters = parameters
        self.streams = streams
        self.books = Books()
        self.programmes: dict[str, Deliverable] = {}
        self.month = 0
        self.firms = Population("firms", FIRM, network.n_firms)
        self.stations = Population("stations", QI_STATION, stations)
        self.chain_heads = Population("chain_heads", CHAIN_HEAD, chain_heads)
        self.lenders = Population("lenders", LENDER, 1)
        self.regulators = Population("regulators", REGULATOR, 1)
        self.links = Population("links", LINK, network.n_links)
        self.chains = Population("chains", CHAIN, len(network.chains))
        self.counts: dict[str, int] = dict.fromkeys(
            ("problems opened", "problems closed", "cases received", "cases served", "cases withdrawn"), 0
        )

    # -- luck --------------------------------------------------------------------------------

    def draw(self, decision: str, population: Population, slots: int = 0) -> NDArray[np.float64]:
        """Uniforms of this month for every row of a population: shape (n,), or (n, slots)."""
        if slots:
            return self.streams.uniforms(decision, self.month, population.n, slots)
        return self.streams.uniform(decision, self.month, population.n)

    # -- sums along links --------------------------------------------------------------------

    def by_supplier(self, per_link: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up a number per link over each supplier's customers: shape (n,)."""
        return np.asarray(np.bincount(self.links.supplier, per_link, minlength=self.firms.n), dtype=np.float64)

    def by_customer(self, per_link: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up a number per link over each customer's suppliers: shape (n,)."""
        return np.asarray(np.bincount(self.links.customer, per_link, minlength=self.firms.n), dtype=np.float64)

    # -- what chain heads see ------------------------------------------------------------------

    def problem_list(self, chain: int) -> dict[str, int]:
        """Open problems of a chain's firms by kind (问题清单)."""
        mine = self.firms.chain == chain
        return dict(zip(KINDS, (self.firms.open_problems + self.firms.common_problems)[mine].sum(axis=0).tolist(), strict=True))

    def credit_chain_heads(self, column: str, per_firm: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Add what a programme did for firms to the chain heads in charge of them; heads of one chain share it."""
        heads = self.chain_heads
        if heads.n:
            by_chain = np.bincount(self.firms.chain, per_firm, minlength=self.chains.n)
            in_charge = np.bincount(heads.chain, minlength=self.chains.n)
            getattr(heads, column)[:] += by_chain[heads.chain] / in_charge[heads.chain]

    # -- entry and exit --------------------------------------------------------------------------

    def leave(self, population: str, row: int) -> None:
        """Take one agent out of the world and settle what it leaves behind.

        A firm's links fall idle, its open problems and waiting cases end with it; the waiting
        cases of a station are withdrawn.
        """
        super().leave(population, row)
        firms = self.firms
        if population == "firms":
            self.links.value_share[(self.links.supplier == row) | (self.links.customer == row)] = 0.0
            self.withdraw(np.arange(firms.n)[:, None] == row)
            self.counts["problems closed"] += int(firms.open_problems[row].sum() + firms.common_problems[row].sum())
            firms.open_problems[row] = firms.common_problems[row] = 0
            for column in ("final_demand", "orders", "output", "out_detectable", "out_latent", "before_final", "own_dpu", "own_special"):
                getattr(firms, column)[row] = 0.0
        elif population == "stations":
            self.withdraw(firms.case_station == row)

    def withdraw(self, cases: NDArray[np.bool_]) -> None:
        """Withdraw the waiting cases that a mask of shape (n, 4) (or one that broadcasts to it) picks."""
        firms = self.firms
        gone = np.broadcast_to(cases, firms.case_station.shape) & (firms.case_station >= 0)
        at = firms.case_station[gone]
        self.stations.withdrawn[:] += np.bincount(at, minlength=self.stations.n)
        self.stations.queue[:] -= np.bincount(at, minlength=self.stations.n)
        self.counts["cases withdrawn"] += int(at.size)
        firms.cases_withdrawn[:] += gone.sum(axis=1)
        firms.case_station[gone] = -1
        firms.case_month[gone] = -1
