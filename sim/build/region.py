"""A region: its numbers of chains, leaders, firms, counties and stations, each with its source."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from agents.columns import Floats, Ints
from agents.streams import Streams, poisson
from sim.build.chain import NamedChain
from sim.build.fitted_start import set_certificates, set_problems, set_traits
from sim.build.synthetic import Synthetic, synthetic
from sim.month.own_defects import learning_multiplier
from sim.month.problems import months_to_solve, problem_arrivals
from sim.network.network import SupplyNetwork
from sim.parameters import ParameterError, check_ranges, parameter
from sim.traits import draw_traits
from sim.world import World

__all__ = ["INSTITUTIONS", "Region", "populate"]

#: Limits of figures that scaling must not exceed.
MOST_SECTORS, MOST_CASES = 1_000, 10_000.0
MOST_UNITS, MOST_STATIONS = 10_000, 100_000
#: Figures of a region that change in proportion for a network of another size.
INSTITUTIONS = ("stations", "station_capacity", "chain_heads", "counties")


@dataclass(frozen=True, kw_only=True)
class Region:
    """Structural figures of a region.

    For a real region, `sources` gives for every figure the id of the fact from which it was read, how it
    was read and, in 「」, the words of the document ("F097: 16 key chains 「16個重點產業鏈」"); or the word "assumption".

    Attributes
    ----------
    key : str
        name of the region in results and small print
    label : str
        what reports call the region
    label_zh : str
        the same in Chinese
    chain_names : tuple of str
        names of the chains; those without one have numbers
    county_names : tuple of str
        names of the counties; those without one have numbers
    sources : dict of str to str
        where the figures of the region come from, by their names
    """

    key: str = "sample"
    label: str = "A sample region"
    label_zh: str = "示例地区"
    chains: int = parameter(4, 1, 10_000, "chains", "assumption", "N", "industrial chains")
    leaders: int = parameter(6, 1, 100_000, "firms", "assumption", "N", "chain leaders (链主)")
    firms: int = parameter(300, 2, 10_000_000, "firms", "assumption", "N", "firms on the chains, leaders included")
    chain_heads: int = parameter(4, 0, MOST_UNITS, "units", "assumption: one a chain", "N", "chain-head units (链长)")
    counties: int = parameter(4, 1, MOST_UNITS, "counties", "assumption", "N", "counties or prefectures")
    sectors: int = parameter(12, 1, MOST_SECTORS, "sectors", "assumption", "N", "sectors of the firms' products")
    stations: int = parameter(
        1, 0, MOST_STATIONS, "stations", "assumption", "N", "one-stop service stations that exist before any programme"
    )
    station_capacity: float = parameter(2.0, 0.0, MOST_CASES, "cases/month", "assumption: the rest goes to firms off the chains", "N",
                                        "cases of chain firms that an existing station can serve")  # fmt: skip
    station_competence: float = parameter(
        0.6, 0.0, 1.0, "share", "F051/F050, self-reported", "D", "probability that an existing station solves a case"
    )
    station_online: float = parameter(0.5, 0.0, 1.0, "share", "assumption", "N", "share of the existing stations that serve every county")
    station_fee: float = parameter(1_000.0, 0.0, 1e6, "CNY/case", "assumption", "N", "fee of an existing station")
    awareness: float = parameter(0.2, 0.0, 1.0, "share", "assumption", "N", "share of firms that know the existing stations")
    officers: float = parameter(
        0.1, 0.0, 1.0, "share", "assumption", "N", "share of firms that have a chief quality officer before any programme"
    )
    loan_rate: float = parameter(0.0445, 0.0, 1.0, "share/year", "small-firm loan rate 2024, official", "S", "interest on an ordinary loan")
    median_revenue: float = parameter(15e6, 1e4, 1e12, "CNY/year", "assumption", "N", "revenue of the median firm")
    chain_names: tuple[str, ...] = ()
    county_names: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values outside their ranges, and numbers that contradict each other."""
        check_ranges(self, "region.")
        for name, most in (("chain_names", self.chains), ("county_names", self.counties)):
            names = tuple(getattr(self, name))
            object.__setattr__(self, name, names)
            if len(set(names)) < len(names) or len(names) > most:
                raise ParameterError(f"region.{name} is {names!r}; it must hold at most {most} different names")
        if self.leaders < self.chains:
            raise ParameterError(f"region.leaders is {self.leaders}, fewer than region.chains ({self.chains}); every chain needs a leader")
        if self.firms <= self.leaders:
            raise ParameterError(
                f"region.firms is {self.firms}, not more than region.leaders ({self.leaders}); the leaders are among the firms"
            )
        unknown = set(self.sources) - {f.name for f in fields(self)}
        if unknown:
            raise ParameterError(f"region.sources names {sorted(unknown)[0]!r}, which is no figure of a region")

    def scaled(self, scale: float) -> Region:
        """Return the region with its counts multiplied and the same structure: at least one of each where there was one.

        There are fewer chains, not smaller ones: a chain has as many firms, leaders and home sectors as before, as far as whole numbers allow;
        so have firms stations and counties. The capacity of existing stations per firm stays exactly the same; it need not be a whole number.
        """
        from dataclasses import replace

        def times(count: int) -> int:
            return max(min(count, 1), round(count * scale))

        chains, stations = times(self.chains), times(self.stations)
        leaders = max(chains, times(self.leaders))
        firms = max(leaders + 1, times(self.firms))
        # The ratio is exactly 1 where nothing is scaled.
        served = self.station_capacity * ((self.stations * firms) / (self.firms * stations) if stations else 1.0)
        return replace(
            self,
            chains=chains,
            leaders=leaders,
            firms=firms,
            chain_heads=times(self.chain_heads),
            counties=times(self.counties),
            county_names=self.county_names[: times(self.counties)],
            sectors=min(times(self.sectors), MOST_SECTORS),
            stations=stations,
            station_capacity=min(served, MOST_CASES),
            chain_names=self.chain_names[:chains],
        )

    def fitted(self, firms: int, chains: int, counties: int | None = None, taken: Collection[str] = ()) -> Region:
        """Return the region with its institutions in proportion to a network that is not its own: at least one where there was one.

        Stations are in proportion to firms, and their capacity per firm stays exactly the same. Chain heads are in proportion to chains,
        because each organises one. Counties are in proportion to firms too, so a county has as many firms as in the region, and as many
        stations, which serve only their county unless they are online. (With all counties of a province, most firms of a small network
        would be in counties without a station.) If the network says in which counties its firms are, these are the counties. Awareness,
        officers, fees and the loan rate are shares and prices, and the one regulator samples per 1,000 firms: they do not change.

        Parameters
        ----------
        firms, chains : int
            Of the network.
        counties : int, optional
            Of the network, if it has any of its own.
        taken : collection of str
            Those of `INSTITUTIONS` that do not change, because they were set for this network.
        """
        from dataclasses import replace

        def times(count: int, one: int, other: int, most: int) -> int:
            return min(max(min(count, 1), round(count * one / other)), most)

        stations = self.stations if "stations" in taken else times(self.stations, firms, self.firms, MOST_STATIONS)
        if "stations" in taken or not stations:
            served = 1.0
        else:
            served = (self.stations * firms) / (self.firms * stations)  # exactly 1 where the network has as many firms
        fitted_figures: dict[str, Any] = {
            "stations": stations,
            "station_capacity": min(self.station_capacity * served, MOST_CASES),
            "chain_heads": times(self.chain_heads, chains, self.chains, MOST_UNITS),
            "counties": counties or times(self.counties, firms, self.firms, MOST_UNITS),
        }
        changed = {name: value for name, value in fitted_figures.items() if name not in taken}
        changed["county_names"] = self.county_names[: int(changed.get("counties", self.counties))]
        return replace(self, **changed)

    def of_chains(self, named: Sequence[NamedChain]) -> Region:
        """Return the region with these chains and no others: their firms and leaders, and institutions in proportion.

        A chain without a number of firms of its own has as many as a chain of the region. Counties stay.
        """
        from dataclasses import replace

        firms = sum(chain.firms or max(round(self.firms / self.chains), chain.leaders + 1) for chain in named)
        part = self.fitted(firms, len(named), taken=("counties",))
        return replace(
            part,
            chains=len(named),
            leaders=sum(chain.leaders for chain in named),
            firms=firms,
            sectors=max(1, round(self.sectors * len(named) / self.chains)),
            chain_names=tuple(chain.label for chain in named),
        )

    def names_of_chains(self, named: Sequence[NamedChain] = ()) -> tuple[str, ...]:
        """Return the names of all its chains: first those chosen by their names, then those that it names, then numbers."""
        given = list(dict.fromkeys([*(chain.label for chain in named), *self.chain_names]))
        return numbered(given[: self.chains], self.chains, "Chain")

    def names_of_counties(self, named: Sequence[NamedChain] = ()) -> tuple[str, ...]:
        """Return the names of all its counties: those that it names, then the homes of named chains that it does not name, then numbers."""
        homes = (chain.county for chain in named if chain.county)
        return numbered(list(dict.fromkeys([*self.county_names, *homes]))[: self.counties], self.counties, "County")

    def network(self, streams: Streams, named: Sequence[NamedChain] = ()) -> SupplyNetwork:
        """Generate the region's supply network from its figures and from published statistics; named chains come first."""
        return synthetic(
            Synthetic(
                firms=self.firms,
                chains=self.chains,
                leaders=self.leaders,
                sectors=self.sectors,
                median_revenue=self.median_revenue,
                chain_names=self.names_of_chains(named),
            ),
            streams,
            named,
        )


def numbered(names: Collection[str], number: int, what: str) -> tuple[str, ...]:
    """Return so many names: those given, then numbers of what they are names of."""
    return (*names, *(f"{what} {k}" for k in range(len(names) + 1, number + 1)))


def populate(world: World, regions: Sequence[Region], named: Sequence[NamedChain] = ()) -> None:
    """Give firms, stations, chain heads, lenders and regulators of one region or several their state at the start.

    Sizes come from the network, where it has them, else from its steady state; capabilities, counties and knowledge of stations are
    drawn by place. Open problems start at their expected number, and links at the ratings that the
    first defects would give, so that little changes in the burn-in. What the network knows of the quality of firms stands above what
    is drawn (see `sim.build.fitted_start`).
    """
    world.region_names = tuple(region.label for region in regions)
    _place_firms(world, regions, named)
    for k, chain in enumerate(named):
        world.chains.problem_mix[k] = chain.problem_mix
    draw_traits(world, np.arange(world.firms.n))
    _seed_products(world)
    set_traits(world)
    _seed_problems(world)
    set_problems(world)
    _seed_certificates(world)
    set_certificates(world)
    for k, region in enumerate(regions):
        _seed_stations(world, k, region)
        heads, chains = np.flatnonzero(world.chain_heads.region == k), np.flatnonzero(world.chains.region == k)
        world.chain_heads.chain[heads] = chains[np.arange(heads.size) % chains.size]
    world.lenders.rate[:] = [region.loan_rate for region in regions]
    world.lenders.ceiling[:] = world.parameters.credit_ceiling


def _place_firms(world: World, regions: Sequence[Region], named: Sequence[NamedChain]) -> None:
    firms, links, network, p = world.firms, world.links, world.network, world.parameters
    firms.chain[:], firms.tier[:], firms.sector[:] = network.chain, network.tier, network.sector
    firms.is_leader, firms.final_demand = network.leader, network.final_demand
    firms.steady_orders = firms.orders = firms.output = network.steady_orders()
    revenue = 12.0 * firms.steady_orders
    by_revenue = (revenue >= p.medium_from).astype(int) + (revenue >= p.large_from)
    firms.size_class = by_revenue if network.size is None else np.where(network.size >= 0, network.size, by_revenue)
    if network.county is None:
        _settle_counties(world, regions, named)
    else:
        firms.county[:] = network.county
        world.county_names = numbered(network.counties, int(firms.county.max(initial=0)) + 1, "County")
        world.county_region = np.zeros(max(len(world.county_names), regions[0].counties), dtype=np.int64)
    firms.knows_stations = world.draw("knows the standing stations", firms) < np.array([r.awareness for r in regions])[firms.region]
    firms.cqo = world.draw("has an officer", firms) < np.array([r.officers for r in regions])[firms.region]
    links.supplier, links.customer, links.slot = network.supplier, network.customer, network.slot
    links.value_share, links.essential = network.value_share, network.essential


def _settle_counties(world: World, regions: Sequence[Region], named: Sequence[NamedChain]) -> None:
    """Give counties their names and every firm its county; the counties of one region follow those of the one before.

    Named chains are the first ones of the first region.
    """
    firms = world.firms
    home, clustering = np.zeros(world.chains.n, dtype=np.int64), np.zeros(world.chains.n)
    names, homes = _homes(regions[0], named)
    home[: len(homes)], clustering[: len(named)] = homes, [chain.clustering for chain in named]
    counties = np.array([region.counties for region in regions])
    u = world.draw("county", firms)
    place = _counties(u, counties[firms.region], home[firms.chain], clustering[firms.chain])
    firms.county[:] = place + (np.cumsum(counties) - counties)[firms.region]
    world.county_region = np.repeat(np.arange(counties.size), counties)
    of_regions = [names, *(_homes(region, ())[0] for region in regions[1:])]
    world.county_names = of_region_names(regions, of_regions)


def of_region_names(regions: Sequence[Region], names: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the names of what regions have, one after the other; where there are several regions, each name begins with the region's."""
    if len(regions) == 1:
        return tuple(names[0])
    return tuple(f"{region.label} · {name}" for region, here in zip(regions, names, strict=True) for name in here)


def _homes(region: Region, named: Sequence[NamedChain]) -> tuple[tuple[str, ...], list[int]]:
    """Return the names of the counties, and the county in which each named chain is at home.

    A county that the region does not name gets the place of the next one without a name.
    """
    names = region.names_of_counties(named)
    return names, [names.index(chain.county) if chain.county in names else k % region.counties for k, chain in enumerate(named)]


def _counties(u: Floats, counties: Ints, home: Ints, clustering: Floats) -> Ints:
    """Turn uniforms into counties: a share of firms is at home, the others are anywhere, at home too. All of shape (n,)."""
    rest = np.where(u < clustering, 0.0, (u - clustering) / np.where(clustering < 1.0, 1.0 - clustering, 1.0))
    return np.where(u < clustering, home, np.floor(rest * counties).astype(np.int64))


def _seed_products(world: World) -> None:
    """Start with the product ages that follow from the hazard of renewal."""
    firms, p = world.firms, world.parameters
    # Months since the last renewal are geometric in the long run; at hazard 0 all products are old.
    u = world.draw("age of the product", firms)
    age = np.minimum(np.log1p(-u) / np.log1p(-max(p.renewal_hazard, 1e-9)), 1e6)
    firms.output_since_renewal = np.floor(age)
    firms.learning = learning_multiplier(world)


def _seed_problems(world: World) -> None:
    """Start with the expected numbers of problems and common problems that follow from the hazards."""
    firms, chains, p = world.firms, world.chains, world.parameters
    stock = problem_arrivals(world) * months_to_solve(world)[:, None]
    firms.open_problems = poisson(world.draw("problems at the start", firms, 4), stock)
    rates = p.common_cause_hazard + p.common_cause_end
    at_work = p.common_cause_hazard / rates if rates > 0 else 0.0
    chains.cause = world.draw("common cause at the start", chains, 4) < at_work
    # A firm that has renewed its product since the cause began does not have the problem.
    exposed = p.common_cause_exposure * p.common_cause_end / max(p.common_cause_end + p.renewal_hazard, 1e-12)
    firms.common_problems[:] = chains.cause[firms.chain] & (world.draw("common problem at the start", firms, 4) < exposed)
    world.counts["problems opened"] += int(firms.open_problems.sum() + firms.common_problems.sum())


def _seed_certificates(world: World) -> None:
    """Give some firms certificates, of any age."""
    firms, p = world.firms, world.parameters
    firms.certified = world.draw("has a certificate", firms) < p.certificate_start
    left = 1 + np.floor(world.draw("age of the certificate", firms) * p.certificate_months)
    firms.certificate_left = np.where(firms.certified, left, 0)


def _seed_stations(world: World, number: int, region: Region) -> None:
    """Give the standing stations of a region, which has a number, their counties and what they offer."""
    stations = world.stations
    rows = np.flatnonzero(stations.region == number)
    place = np.arange(rows.size)
    counties = np.flatnonzero(world.county_region == number)
    firms_there = np.bincount(world.firms.county, minlength=world.county_region.size)[counties]
    busiest = counties[np.argsort(-firms_there, kind="stable")]
    stations.online[rows] = place < round(region.station_online * rows.size)
    stations.county[rows] = busiest[place % busiest.size]
    stations.offers[rows] = True
    stations.competence[rows] = region.station_competence
    stations.capacity[rows] = region.station_capacity
    stations.fee[rows] = region.station_fee
