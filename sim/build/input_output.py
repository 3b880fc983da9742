"""A supply network of firms made from an input-output table of sectors.

The table says what sectors buy of each other; which firm of a sector buys of which is drawn, with the degree
statistics of observed networks, as in `sim.build.synthetic`. Added up to sectors again, the firms give back the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.columns import Floats, Ints
from agents.streams import Streams, normal
from sim.build.drawing import LARGEST_PART, by_slot, expected_customers, fitted_power, pareto_counts
from sim.build.sectors.balancing import Balance
from sim.build.sectors.links import covered, first_customers, place_firms, shared_out, suppliers
from sim.build.sectors.sector_table import SectorTable, read_sector_table
from sim.network.fixed_points import NetworkError, fixed_point
from sim.network.network import SupplyNetwork
from sim.parameters import ParameterError, check_ranges, parameter
from sim.sums import add_up

__all__ = ["InputOutput", "SectorEconomy", "aggregated", "input_output", "read_economy"]


RELIEFS = 20  # rounds in which links are added for firms that would have to buy more than they can


@dataclass(frozen=True, kw_only=True)
class InputOutput:
    """Settings of a network made from an input-output table.

    Attributes
    ----------
    path : str
        CSV of flows: the first row and column hold the sectors' codes, the row's sector supplies the column's.
    sectors_path : str
        CSV of sectors: ``code``, ``gross_output``, and more (see `read_sector_table`). Empty stands for the file beside
        `path` with ``_sectors`` in its name instead of a last ``_Z`` (``china_Z.csv``, ``china_sectors.csv``).
    keep, drop : tuple of str
        Codes of the sectors to keep (all, if empty), and to leave out of these.
    chain_sectors : tuple of str
        Codes of the sectors that chains are named after; empty takes the `chains` that sell most to users.
    domestic : bool
        Whether imports are taken out of the table.
    encoding : str
        "auto" (UTF-8 with or without its mark, then GB18030) or the name of an encoding.

    Raises
    ------
    ParameterError
        Names every setting, its value and the legal range.
    """

    path: str = ""
    sectors_path: str = ""
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    chain_sectors: tuple[str, ...] = ()
    domestic: bool = False
    encoding: str = "auto"
    firms: int = parameter(2_000, 2, 2_000_000, "firms", "assumption", "N", "firms, leaders included")
    least_firms: int = parameter(3, 1, 10_000, "firms", "assumption", "N", "fewest firms of a sector")
    chains: int = parameter(4, 1, 1_000, "chains", "assumption", "N", "industrial chains, where `chain_sectors` names none")
    leaders: int = parameter(20, 1, 100_000, "firms", "assumption", "N", "chain leaders, dealt out to the chains in turn")
    coverage: float = parameter(
        0.99, 0.5, 1.0, "share", "assumption", "N", "share of a sector's purchases of which each supplying sector gets a link at least"
    )
    mean_suppliers: float = parameter(5.0, 1.0, 50.0, "links/firm", "Japan: about 5 M links of 1 M firms", "S",
                                      "links per firm; more where `coverage` needs them")  # fmt: skip
    supplier_tail: float = parameter(
        1.35, 1.05, 5.0, "1", "Japan 1.35-1.37, Dutch banks 1.44-1.77", "S", "tail exponent (CCDF) of the number of suppliers sought"
    )
    customer_tail: float = parameter(
        1.35, 1.05, 5.0, "1", "Japan 1.25-1.46, Dutch banks 1.28-1.31", "S", "tail exponent (CCDF) of the appeal to customers"
    )
    degree_correlation: float = parameter(
        0.5, 0.0, 0.99, "1", "assumption", "N", "correlation (Gaussian copula) of suppliers sought with appeal to customers"
    )
    material_spread: float = parameter(
        0.1, 0.0, 0.5, "CNY/CNY", "assumption", "N", "standard deviation of inputs per output between the firms of a sector, as aimed at"
    )
    order_spread: float = parameter(
        1.0, 0.0, 3.0, "ln", "assumption", "N", "spread of the orders of customers, and of users, at one supplier"
    )
    size_elasticity: float = parameter(
        1.0, 0.0, 2.0, "1", "0.77 Belgium, 1.10-1.14 Estonia, 1.2 Costa Rica", "S", "d ln sales / d ln customers over all firms"
    )
    median_revenue: float = parameter(
        15e6, 1e3, 1e12, "CNY/year", "assumption", "N", "sales of the median firm, to which final demand is scaled"
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be built of any table."""
        check_ranges(self, "network.")
        chains = len(self.chain_sectors) or self.chains
        if not chains <= self.leaders <= self.firms:
            raise ParameterError(
                f"network.leaders is {self.leaders}; it must lie between the number of chains, {chains}, as each needs one, "
                f"and the number of firms, {self.firms}"
            )

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read, as they are called."""
        path = Path(self.path)
        head, sign, tail = path.name.rpartition("_Z")
        beside = str(path.with_name(f"{head}_sectors{tail}")) if sign else ""
        return tuple(name for name in (self.path, self.sectors_path or beside) if name)


@dataclass(frozen=True, eq=False)
class SectorEconomy:
    """What a network is made from: a table that has been read, and settings that name no file any more."""

    settings: InputOutput
    table: SectorTable

    @property
    def firms(self) -> int:
        """How many firms its networks have."""
        return self.settings.firms

    @property
    def chains(self) -> int:
        """How many chains they have."""
        return len(self.settings.chain_sectors) or self.settings.chains

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the table, whatever network is made from it."""
        return self.table.notes


def read_economy(settings: InputOutput) -> SectorEconomy:
    """Read the table, and refuse it where the settings ask for what it cannot give.

    Raises
    ------
    NetworkError
        One line: what is wrong, in which file, row and column, and what would be right.
    """
    if not settings.path:
        raise NetworkError("network.path is not set; give the CSV file of the flows between sectors: network.path=table_Z.csv")
    if len(settings.files) < 2:
        raise NetworkError(
            "network.sectors_path is not set; give the CSV file of the sectors (columns code, gross_output), or end the name of "
            "network.path in _Z.csv and that of the other file beside it in _sectors.csv"
        )
    path, sectors = settings.files
    table = read_sector_table(path, sectors, settings.keep, settings.drop, settings.domestic, settings.encoding)
    economy = SectorEconomy(replace(settings, path="", sectors_path="", encoding="auto"), table)
    firms = _numbers_of_firms(settings, table)
    for chain, k in enumerate(_chain_sectors(settings, table)):
        wanted = len(range(chain, settings.leaders, len(settings.chain_sectors) or settings.chains))
        if wanted > firms[k]:
            raise NetworkError(
                f"network.leaders is {settings.leaders}: {wanted} of them in sector {table.codes[k]!r}, which has {firms[k]} firms; "
                "ask for fewer leaders or more firms"
            )
    return economy


def input_output(source: InputOutput | SectorEconomy, streams: Streams) -> SupplyNetwork:
    """Make a network from an input-output table; the same replicate key gives the same bits.

    The rules, in the order in which they are applied:

    numbers of firms
        In proportion to the sector's gross output (or to the column ``firms`` of the list of sectors), at least `least_firms`.
    suppliers and customers
        How many suppliers a firm seeks and how much it appeals to customers are Pareto, as in `sim.build.synthetic`.
    links
        Every firm finds a customer first: its sector in proportion to what sectors buy of the firm's own, the
        firm in it by the suppliers that it seeks. Then every sector's purchases, laid end to end as supplying sectors
        and again as buying firms, give a link to each pair that meets, so that what the sector buys can be shared
        out; supplying sectors of the last ``1 - coverage`` of it get none, nor does a sector that would supply its own only
        firm. The slots that are left go to supplying sectors by the technical coefficients, to firms by appeal.
    sales to users
        Of a sector, as the table says; a firm's part of it goes as orders of other customers do, by the number of its customers
        and luck. So firms everywhere sell to users, and not the chain leaders alone.
    flows
        Of a link, at first, by the number of the supplier's customers and luck; then balanced by turns (RAS [1]_) to what
        the customer can buy out of its sales, and to what the table says of the pair of sectors, the latter last.
        Value share = flow / the customer's sales. The power of the number of customers is fitted so
        that sales of firms rise with it by `size_elasticity`.
        Where a firm would then have to buy more than `LARGEST_MATERIAL_SHARE` of its sales, its largest supplier gets
        another customer, the firm of the same sector with most room; and the flows are balanced anew.
    leaders and chains
        A chain is named after a sector: one of `chain_sectors`, or of the `chains` sectors that sell most to users. Its leaders are
        the firms of that sector that sell most to users. Any other firm belongs to the chain whose leaders take most of
        its output, directly and through other firms.

    What cannot be met at once: firms of few suppliers buy from few sectors, so that a firm's own coefficients are not
    its sector's; only their sums are. Pairs of sectors without a link count as sold to users and bought outside; so
    the largest deviation is that of the coefficients that `coverage` leaves out, and at 1 every pair has a link, at the cost of
    more links than asked for. A firm never supplies itself, so that where one firm makes most of what its sector buys of
    itself, the others cannot take it all: their purchases are cut. The notes of the network say how much is missing. In
    small sectors degrees are bounded by the few firms there are. A few firms may have no path to a chain leader, only to users.

    Parameters
    ----------
    source : InputOutput or SectorEconomy
        Settings, of which the files are read; or what was read before.
    streams : Streams
        The replicate's luck, addressed as in `sim.build.synthetic`.

    Returns
    -------
    SupplyNetwork
        Leaders first.

    References
    ----------
    .. [1] Miller & Blair (2009), Input-Output Analysis, 2nd ed., ch. 7.
    """
    economy = read_economy(source) if isinstance(source, InputOutput) else source
    s, table, n = economy.settings, economy.table, economy.firms
    sector = place_firms(streams, _numbers_of_firms(s, table))
    supplier, customer, weight = _links(s, streams, table, sector)
    bought = normal(streams.uniform("network: material share", 0, n)) * s.material_spread
    luck = np.exp(s.order_spread * normal(streams.uniform("network: orders of users", 0, n)))
    customers = np.bincount(supplier, minlength=n).astype(np.float64)
    sold = customers > 0
    balance = Balance(table, sector, supplier, customer, bought)

    def traded(power: float) -> tuple[Floats, Floats]:
        size = np.maximum(customers, 1.0) ** power
        return balance.settle(weight * size[supplier], luck * size)

    def log_sales(power: float) -> Floats:
        flow, users = traded(power)
        return np.log(users + add_up(supplier, flow, n))[sold]

    power = fitted_power(np.log(customers[sold]), s.size_elasticity, log_sales)
    flow, users = traded(power)
    for _ in range(RELIEFS):
        link, other = balance.relieved(flow, users)
        if not link.size:
            break
        supplier, customer = np.concatenate([supplier, supplier[link]]), np.concatenate([customer, other])
        weight = np.concatenate([weight, weight[link]])
        balance = Balance(table, sector, supplier, customer, bought)
        flow, users = traded(power)
    return _named(s, table, sector, supplier, customer, balance.shares(flow, users), users)


def aggregated(network: SupplyNetwork) -> tuple[Floats, Floats]:
    """Add a network up to its sectors: flows, shape (k, k), row supplies column, and outputs, shape (k,), CNY a month."""
    k, orders = len(network.sectors), network.steady_orders()
    flow = network.value_share * orders[network.customer]
    pair = network.sector[network.supplier] * k + network.sector[network.customer]
    return add_up(pair, flow, k * k).reshape(k, k), add_up(network.sector, orders, k)


def _numbers_of_firms(s: InputOutput, table: SectorTable) -> Ints:
    """Deal the firms out to the sectors, shape (k,): the fewest to each, the rest by weight and largest remainders."""
    k = len(table.codes)
    if s.firms < k * s.least_firms:
        raise NetworkError(
            f"network.firms is {s.firms}; {k} sectors of {s.least_firms} firms or more (network.least_firms) need {k * s.least_firms}: "
            "raise it, or keep fewer sectors"
        )
    few = np.zeros(k, dtype=np.bool_)
    while True:
        left = s.firms - s.least_firms * int(few.sum())
        ideal = np.where(few, 0.0, table.weight) * (left / max(float(table.weight[~few].sum()), 1e-300))
        fewer = few | (ideal < s.least_firms)
        if (fewer == few).all():
            break
        few = fewer
    count = np.where(few, s.least_firms, np.floor(ideal)).astype(np.int64)
    order = np.argsort(np.where(few, np.inf, np.floor(ideal) - ideal), kind="stable")
    count[order[: s.firms - int(count.sum())]] += 1
    return count


def _chain_sectors(s: InputOutput, table: SectorTable) -> Ints:
    """Return the sectors that chains are named after, the largest seller to users first, or as named."""
    for code in s.chain_sectors:
        if code not in table.codes:
            raise NetworkError(f"network.chain_sectors names {code!r}, which is no sector that is kept; there are {', '.join(table.codes)}")
    if len(set(s.chain_sectors)) < len(s.chain_sectors):
        raise NetworkError("network.chain_sectors names a sector twice; name each once")
    chosen = [table.codes.index(code) for code in s.chain_sectors] or np.argsort(-table.users, kind="stable")[: s.chains]
    if len(s.chain_sectors) == 0 and s.chains > len(table.codes):
        raise NetworkError(f"network.chains is {s.chains}, more than the {len(table.codes)} sectors that are kept; ask for fewer")
    for k in chosen:
        if table.users[k] <= 0:
            raise NetworkError(
                f"sector {table.codes[k]!r} sells nothing to users, so it can lead no chain; name others in network.chain_sectors"
            )
    return np.asarray(chosen, dtype=np.int64)


def _links(s: InputOutput, streams: Streams, table: SectorTable, sector: Ints) -> tuple[Ints, Ints, Floats]:
    """Place the links: supplier, customer, and luck of the orders, each of shape (m,)."""
    n, k = sector.size, len(table.codes)
    rank = np.sort(streams.uniform("network: suppliers sought", 0, n))  # 0 seeks most
    u = streams.uniform("network: customers expected", 0, n)
    expected = expected_customers(rank, u, s.mean_suppliers, s.customer_tail, s.degree_correlation)
    share = covered(table.coefficients, s.coverage, np.bincount(sector, minlength=k))
    sought = pareto_counts(rank, s.supplier_tail, s.mean_suppliers * n, LARGEST_PART * n)
    first = first_customers(streams, share * table.output, sector, sought)
    supplying = np.flatnonzero(first >= 0)

    buyer, wanted = shared_out(streams, share, sector, expected**s.size_elasticity)
    met = np.isin(buyer * k + wanted, first[supplying] * k + sector[supplying])
    buyer, wanted = buyer[~met], wanted[~met]
    given = np.bincount(first[supplying], minlength=n) + np.bincount(buyer, minlength=n)
    buys = (share.sum(axis=0) > 0)[sector]
    sought = pareto_counts(rank, s.supplier_tail, s.mean_suppliers * n, LARGEST_PART * n, least=np.maximum(given, 1))
    more = np.where(buys, sought - given, 0)
    customer, slot, supplier = suppliers(streams, share, sector, expected, first, (buyer, wanted), more)

    early = streams.uniform("network: order of first customer", 0, n)[supplying]
    luck = normal(np.concatenate([early, by_slot(streams, "network: order", customer, slot)]))
    return np.concatenate([supplying, supplier]), np.concatenate([first[supplying], customer]), np.exp(s.order_spread * luck)


def _named(s: InputOutput, table: SectorTable, sector: Ints, supplier: Ints, customer: Ints, share: Floats, users: Floats) -> SupplyNetwork:
    """Choose leaders, give firms names and chains, and scale what users buy to CNY a month."""
    n, heads = sector.size, _chain_sectors(s, table)
    chain = np.full(n, -1)
    for c, k in enumerate(heads):
        rows = np.flatnonzero(sector == k)
        chosen = rows[np.argsort(-users[rows], kind="stable")]
        chain[chosen[: len(range(c, s.leaders, heads.size))]] = c
    order = np.argsort(chain < 0, kind="stable")
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    leader = chain[order] >= 0
    network = SupplyNetwork.build(
        [f"Leader {k + 1}" for k in range(s.leaders)] + [f"Firm {k + 1:05d}" for k in range(n - s.leaders)],
        place[supplier],
        place[customer],
        share,
        leader,
        users[order],
        chain=chain[order],
        sector=sector[order],
        chains=[table.names[k] for k in heads],
        sectors=table.names,
    )
    orders = network.steady_orders()
    network = replace(network, final_demand=network.final_demand * (s.median_revenue / 12.0 / float(np.median(orders))))
    sources = np.where(leader, network.final_demand, 0.0)[:, None] * (network.chain[:, None] == np.arange(heads.size))
    taken = fixed_point(network.by_supplier, sources)
    chain = np.where(leader, network.chain, np.where(taken.any(axis=1), taken.argmax(axis=1), 0))
    return replace(network, chain=chain, notes=(*table.notes, *_notes(network, table)))


def _notes(network: SupplyNetwork, table: SectorTable) -> list[str]:
    """Say how far the network is from the table."""
    flows, output = aggregated(network)
    coefficients = table.coefficients
    missing = 1.0 - (flows / output * table.output).sum() / table.flows.sum()
    worst = np.abs(flows / output - coefficients).max()
    proportion = (output / output.sum()) / (table.output / table.output.sum()) - 1.0
    notes = [
        "network of an input-output table: flows between sectors are the table's; links, sizes of firms and their luck are drawn",
        f"technical coefficients of the table are met within {worst:.2g}, with {100.0 * missing:.2g} % of its flows missing; outputs of "
        f"sectors are in proportion within {100.0 * np.abs(proportion).max():.2g} %",
    ]
    if lost := int((network.tier < 0).sum()):
        notes.append(f"{lost} firms from which no chain leader takes anything: counted to {network.chains[0]!r}, the first chain")
    return notes
