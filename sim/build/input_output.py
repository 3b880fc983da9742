"""A supply network of firms made from an input-output table of sectors.

The table says what sectors buy from each other. Which firm buys from which is random, with the degree
statistics of observed networks, as in `sim.build.synthetic`. Summed over sectors, the firms give the table again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from agents.characters import in_normal_form
from agents.columns import Floats, Ints
from agents.streams import Streams, normal
from sim.build.drawing import LARGEST_PART, expected_customers, fitted_power, pareto_counts
from sim.build.reading.content import DEFAULTS, Reading
from sim.build.sectors.balancing import Balance
from sim.build.sectors.links import covered, first_customers, place_firms, shared_out, suppliers
from sim.build.sectors.sector_table import SectorTable, read_sector_table
from sim.network.fixed_points import NetworkError, fixed_point
from sim.network.network import SupplyNetwork
from sim.parameters import ParameterError, check_ranges, parameter
from sim.sums import add_up

__all__ = ["InputOutput", "SectorEconomy", "aggregated", "input_output", "read_economy"]


RELIEFS = 20  # rounds that add links for firms that would have to buy more than they can


@dataclass(frozen=True, kw_only=True)
class InputOutput(Reading):
    """Settings of a network made from an input-output table.

    Attributes
    ----------
    path : str
        CSV of flows: the first row and column hold the codes of the sectors; the sector of the row supplies that of the column.
    sectors_path : str
        CSV of sectors: ``code``, ``gross_output``, and more (see `read_sector_table`). If empty, it is the file in the folder of
        `path` with ``_sectors`` in its name in place of the last ``_Z`` (``china_Z.csv``, ``china_sectors.csv``).
    keep, drop : tuple of str
        Codes of the sectors to keep (all, if empty), and to leave out of these.
    chain_sectors : tuple of str
        Codes of the sectors whose leaders lead the chains; if empty, the `chains` sectors that sell most to users.
    domestic : bool
        Whether imports are taken out of the table.

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
    firms: int = parameter(2_000, 2, 2_000_000, "firms", "assumption", "N", "firms, leaders included")
    least_firms: int = parameter(3, 1, 10_000, "firms", "assumption", "N", "smallest number of firms of a sector")
    chains: int = parameter(4, 1, 1_000, "chains", "assumption", "N", "industrial chains, where `chain_sectors` names none")
    leaders: int = parameter(20, 1, 100_000, "firms", "assumption", "N", "chain leaders; each chain in turn gets one until all are placed")
    coverage: float = parameter(
        0.99, 0.5, 1.0, "share", "assumption", "N", "share of a sector's purchases whose supplying sectors each get at least one link"
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
        0.1, 0.0, 0.5, "CNY/CNY", "assumption", "N", "wanted standard deviation of inputs per output between the firms of a sector"
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
        """Refuse settings for which no network can be built from any table."""
        check_ranges(self, "network.")
        chains = len(self.chain_sectors) or self.chains
        if not chains <= self.leaders <= self.firms:
            raise ParameterError(
                f"network.leaders is {self.leaders}; it must lie between the number of chains, {chains}, as each needs one, "
                f"and the number of firms, {self.firms}"
            )

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that are read."""
        path = Path(self.path)
        head, sign, tail = path.name.rpartition("_Z")
        default = str(path.with_name(f"{head}_sectors{tail}")) if sign else ""
        return tuple(name for name in (self.path, self.sectors_path or default) if name)


@dataclass(frozen=True, eq=False)
class SectorEconomy:
    """The basis of a network: a table that has been read, and settings without files."""

    settings: InputOutput
    table: SectorTable

    @property
    def firms(self) -> int:
        """Number of firms in its networks."""
        return self.settings.firms

    @property
    def chains(self) -> int:
        """Number of chains in its networks."""
        return len(self.settings.chain_sectors) or self.settings.chains

    @property
    def notes(self) -> tuple[str, ...]:
        """Changes that were made to the table, the same for every network made from it."""
        return self.table.notes


def read_economy(settings: InputOutput) -> SectorEconomy:
    """Read the table, and refuse it if it cannot meet the settings.

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
            "network.path in _Z.csv and that of the other file in its folder in _sectors.csv"
        )
    path, sectors = settings.files
    codes = {name: in_normal_form(getattr(settings, name)) for name in ("keep", "drop", "chain_sectors")}
    settings = replace(settings, **codes)
    table = read_sector_table(path, sectors, settings.keep, settings.drop, settings.domestic, settings)
    # The network does not depend on where its table was and how it was written.
    economy = SectorEconomy(replace(settings, path="", sectors_path="", **asdict(DEFAULTS)), table)
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
        The number of suppliers that a firm seeks and its appeal to customers are Pareto, as in `sim.build.synthetic`.
    links
        First, every firm gets a customer: a sector in proportion to what sectors buy from the firm's own, and a
        firm of that sector by the suppliers that it seeks. Then, for every sector, its purchases are laid on a line twice: divided by
        supplying sector, and divided by buying firm. Each pair that overlaps gets a link, so that the purchases can be divided between
        the firms. Supplying sectors of the last ``1 - coverage`` of the purchases get no link; nor does a sector of one firm from
        itself. The free slots go to supplying sectors by the technical coefficients, and to firms by appeal.
    sales to users
        Of a sector, as in the table. A firm's part of it depends on the number of its customers and on a random
        factor, like the orders of other customers. So firms of all sectors sell to users, not only the chain leaders.
    flows
        Of a link, at first by the number of the supplier's customers and a random factor. Then flows are balanced in turns (RAS [1]_) to
        what the customer can buy from its sales, and to the table's flow between the two sectors; the table comes last.
        Value share = flow / the customer's sales. The power of the number of customers is fitted so
        that sales of firms rise with it by `size_elasticity`.
        If a firm would then have to buy more than `LARGEST_MATERIAL_SHARE` of its sales, its largest supplier gets
        another customer, the firm of the same sector that can buy most in addition, and the flows are balanced again.
    leaders and chains
        A chain has the name of a sector: one of `chain_sectors`, or of the `chains` sectors that sell most to users. Its leaders are
        the firms of that sector that sell most to users. Any other firm belongs to the chain whose leaders take most of
        its output, directly and through other firms.

    Not everything can be met at once. A firm with few suppliers buys from few sectors, so the coefficients of one firm differ from
    those of its sector; only their sums agree. Flows between sectors without a link count as sold to users and bought outside. So
    the largest deviation is that of the coefficients that `coverage` leaves out; with `coverage` = 1 every pair has a link, but there are
    more links than wanted. A firm never supplies itself. So if one firm makes most of what its sector buys from
    itself, the other firms cannot buy it all, and their purchases are cut. The notes of the network say how much is missing. In
    small sectors the small number of firms limits the degrees. Some firms may have a path to users, but none to a chain leader.

    Parameters
    ----------
    source : InputOutput or SectorEconomy
        Settings, whose files are read; or a table that was read before.
    streams : Streams
        The replicate's random numbers, addressed as in `sim.build.synthetic`.

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
    user_orders = np.exp(s.order_spread * normal(streams.uniform("network: orders of users", 0, n)))
    customers = np.bincount(supplier, minlength=n).astype(np.float64)
    sold = customers > 0
    balance = Balance(table, sector, supplier, customer, bought)

    def traded(power: float) -> tuple[Floats, Floats]:
        size = np.maximum(customers, 1.0) ** power
        return balance.settle(weight * size[supplier], user_orders * size)

    def log_sales(power: float) -> Floats:
        flow, users = traded(power)
        return np.log(users + add_up(supplier, flow, n))[sold]

    power = fitted_power(np.log(customers[sold]), s.size_elasticity, log_sales)
    flow, users = traded(power)
    for _ in range(RELIEFS):
        link, new_customer = balance.relieved(flow, users)
        if not link.size:
            break
        supplier, customer = np.concatenate([supplier, supplier[link]]), np.concatenate([customer, new_customer])
        weight = np.concatenate([weight, weight[link]])
        balance = Balance(table, sector, supplier, customer, bought)
        flow, users = traded(power)
    return _named(s, table, sector, supplier, customer, balance.shares(flow, users), users)


def aggregated(network: SupplyNetwork) -> tuple[Floats, Floats]:
    """Sum a network over its sectors: flows, shape (k, k), row supplies column, and outputs, shape (k,), CNY a month."""
    k, orders = len(network.sectors), network.steady_orders()
    flow = network.value_share * orders[network.customer]
    pair = network.sector[network.supplier] * k + network.sector[network.customer]
    return add_up(pair, flow, k * k).reshape(k, k), add_up(network.sector, orders, k)


def _numbers_of_firms(s: InputOutput, table: SectorTable) -> Ints:
    """Number of firms of each sector, shape (k,): at least `least_firms`, the others by weight and largest remainders."""
    k = len(table.codes)
    if s.firms < k * s.least_firms:
        raise NetworkError(
            f"network.firms is {s.firms}; {k} sectors of {s.least_firms} firms or more (network.least_firms) need {k * s.least_firms}: "
            "raise it, or keep fewer sectors"
        )
    at_minimum = np.zeros(k, dtype=np.bool_)
    while True:
        left = s.firms - s.least_firms * int(at_minimum.sum())
        ideal = np.where(at_minimum, 0.0, table.weight) * (left / max(float(table.weight[~at_minimum].sum()), 1e-300))
        now_at_minimum = at_minimum | (ideal < s.least_firms)
        if (now_at_minimum == at_minimum).all():
            break
        at_minimum = now_at_minimum
    count = np.where(at_minimum, s.least_firms, np.floor(ideal)).astype(np.int64)
    order = np.argsort(np.where(at_minimum, np.inf, np.floor(ideal) - ideal), kind="stable")
    count[order[: s.firms - int(count.sum())]] += 1
    return count


def _chain_sectors(s: InputOutput, table: SectorTable) -> Ints:
    """Return the sectors whose leaders lead the chains: as named, or those that sell most to users, the largest first."""
    for code in s.chain_sectors:
        if code not in table.codes:
            raise NetworkError(f"network.chain_sectors names {code!r}, which is not a kept sector; there are {', '.join(table.codes)}")
    if len(set(s.chain_sectors)) < len(s.chain_sectors):
        raise NetworkError("network.chain_sectors names a sector twice; name each once")
    chosen = [table.codes.index(code) for code in s.chain_sectors] or np.argsort(-table.users, kind="stable")[: s.chains]
    if len(s.chain_sectors) == 0 and s.chains > len(table.codes):
        raise NetworkError(f"network.chains is {s.chains}, more than the {len(table.codes)} sectors that are kept; ask for fewer")
    for k in chosen:
        if table.users[k] <= 0:
            raise NetworkError(
                f"sector {table.codes[k]!r} sells nothing to users, so it cannot lead a chain; name others in network.chain_sectors"
            )
    return np.asarray(chosen, dtype=np.int64)


def _links(s: InputOutput, streams: Streams, table: SectorTable, sector: Ints) -> tuple[Ints, Ints, Floats]:
    """Place the links: supplier, customer, and random factor of the orders, each of shape (m,)."""
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
    required = np.bincount(first[supplying], minlength=n) + np.bincount(buyer, minlength=n)
    buys = (share.sum(axis=0) > 0)[sector]
    sought = pareto_counts(rank, s.supplier_tail, s.mean_suppliers * n, LARGEST_PART * n, fewest=np.maximum(required, 1))
    free_slots = np.where(buys, sought - required, 0)
    customer, slot, supplier = suppliers(streams, share, sector, expected, first, (buyer, wanted), free_slots)

    early = streams.uniform("network: order of first customer", 0, n)[supplying]
    deviation = normal(np.concatenate([early, streams.uniform_of_slots("network: order", 0, customer, slot)[0]]))
    return np.concatenate([supplying, supplier]), np.concatenate([first[supplying], customer]), np.exp(s.order_spread * deviation)


def _named(s: InputOutput, table: SectorTable, sector: Ints, supplier: Ints, customer: Ints, share: Floats, users: Floats) -> SupplyNetwork:
    """Choose leaders, give firms names and chains, and scale the purchases of users to CNY a month."""
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
    """Say how much the network differs from the table."""
    flows, output = aggregated(network)
    coefficients = table.coefficients
    missing = 1.0 - (flows / output * table.output).sum() / table.flows.sum()
    worst = np.abs(flows / output - coefficients).max()
    proportion = (output / output.sum()) / (table.output / table.output.sum()) - 1.0
    notes = [
        "network of an input-output table: flows between sectors are those of the table; links and sizes of firms are random",
        f"technical coefficients of the table are met within {worst:.2g}, with {100.0 * missing:.2g} % of its flows missing; outputs of "
        f"sectors are in proportion within {100.0 * np.abs(proportion).max():.2g} %",
    ]
    if lost := int((network.tier < 0).sum()):
        notes.append(f"{lost} firms sell to no chain leader: they belong to {network.chains[0]!r}, the first chain")
    return notes
