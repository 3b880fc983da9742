"""A supply network from a researcher's own file.

`sim.build.reading.listing` reads what the file says. The rules here fill in what is missing.
The network's `notes` say which of them were used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from agents.columns import Floats, Ints
from agents.spelling import nearest
from sim.build.reading.listing import FromFile, check_settings, listed, read_listing
from sim.build.reading.quality import GROUPS, QUALITY_COLUMNS, starting_quality
from sim.build.reading.quoted import some
from sim.network.checks import check_network
from sim.network.fixed_points import NetworkError, contracts, fixed_point, offending_loop, spectral_radius
from sim.network.network import SupplyNetwork
from sim.network.starting_quality import StartingQuality
from sim.sums import add_up

__all__ = ["MOST_MATERIAL", "FromFile", "from_file"]

MOST_MATERIAL = 0.95
"""Cap on a firm's computed material share: with no value added, defects would travel on for ever undiluted."""

TOO_DEAR = "a price is too large to be written; lower the units of an input, or the cost or price of a firm"
"""Said where units × prices add up, firm after firm, to more than a computer's largest number."""

MARKET = -1
"""Stands for the users where links to them are collapsed like any other."""


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # an error names numbers that are not finite
def from_file(settings: FromFile) -> SupplyNetwork:
    """Read a supply network, and fill in by rule what the file does not give.

    The rules, in the order in which they are applied:

    units
        Missing: one unit of each input. The given units must be possible: if on a loop of given units one unit of a good needs
        one or more units of itself, no prices can make this possible, and the file is refused.
    price
        Of a stage: as given; else cost added at the stage + Σ units × price of its suppliers. On a
        network with loops that is the linear system ``p = c + Uᵀp``, solved by iteration.
    collapsing
        A stage of a collapsed kind is taken out: its suppliers supply its customers. Units
        (and value shares) are multiplied along each path and added over paths. Users of a
        collapsed stage count as users of the last real firms before it. The cost added at a
        collapsed stage stays in the prices of its customers.
    value share
        As given; else, where `value` says what a customer pays its suppliers a year, the `material_share`, divided over its
        inputs by value (a blank counts as the median of that customer's others); else units × supplier's price / customer's
        price; else (no costs) the `material_share`, divided over the inputs by units. Computed shares of one customer that
        add up to more than `MOST_MATERIAL` are scaled to it; given shares are never changed.
    leader
        As named in `leaders`; else as marked; else the firms that sell to users: they have final demand, sell
        through a collapsed stage without real customers, or have suppliers and no customer.
    final demand
        Demand × price (price 1 where no costs are known), scaled so that the median firm
        with orders has `median_revenue`, unless `keep_scale`. Missing: what a leader buys by `value`, divided by the `material_share`;
        without values, the same for each leader.
    size
        As given; else by yearly revenue, as in every network.
    quality
        As given, see `sim.build.fitted_start`; what is not given is drawn from the distribution of the region.
    chain
        As given; else each leader is its own chain, and another firm belongs to the chain that
        takes most of its output by value, directly and through other firms.
    sector
        As given (on a link: of the supplier's good); else the kind; else one sector for all firms.
    essential
        Missing: no. Through a collapsed stage: if both its links are.

    A product may have 110 parts. Counted per part, it would have the defects of 110 units. But
    defects arise in proportion to work, and there is less work in a cheap screw than in an
    engine. So defects are counted per *normalised* unit, which has the price 1; a customer's unit
    contains as many of them as the value share says. The parts of one product then share its value,
    whatever their number. Along a chain, the paths from a part to the user add up to the part's share
    in the value of the product, never to more than this value.

    The leaders come first among the firms, then the others in order of first appearance.

    Parameters
    ----------
    settings : FromFile

    Returns
    -------
    SupplyNetwork
        Checked; `notes` says which rules were applied.

    Raises
    ------
    NetworkError
        One line: what is wrong, in which file, row and column, and what would be right.
    """
    check_settings(settings)
    notes: list[str] = []
    stages, links = read_listing(settings, notes)
    bought = _bought(links, len(stages), notes)
    _refuse_units(stages, links)
    price = _prices(stages, links, notes)
    links, basis = _shares(stages, links, price, notes)
    links, sells = _collapse(settings, stages, links, price, notes)
    leader = _leaders(settings, stages, sells, links, notes)
    links = _normalise(settings, links, basis, price, notes)
    demand = _demand(settings, stages, leader, sells, bought, notes)

    real = np.flatnonzero(~stages["collapsed"].to_numpy())
    order = real[np.argsort(~leader[real], kind="stable")]
    place = np.full(len(stages), -1)
    place[order] = np.arange(order.size)
    file, stages = stages.attrs["file"], stages.iloc[order]
    county, counties = _counties(stages)
    network = SupplyNetwork.build(
        names=stages["name"].to_numpy(dtype=np.str_),
        supplier=place[links["supplier"]],
        customer=place[links["customer"]],
        value_share=links["share"],
        leader=leader[order],
        final_demand=demand[order],
        unit_cost=price[order],
        units=links["units"],
        essential=links["essential"],
        county=county,
        counties=counties,
        size=_sizes(stages, notes),
        quality=_quality(stages, notes),
    )
    # The next two rules need the steady state, which is a fixed point: first refuse a network without one.
    _check(network, file)
    sectors, sector = _sectors(stages, notes)
    chains, chain = _chains(stages, network, notes)
    network = replace(network, chain=chain, chains=chains, sector=sector, sectors=sectors, final_demand=_scaled(settings, network, notes))
    return replace(network, notes=tuple(notes + _check(network, file)))


def _check(network: SupplyNetwork, file: str) -> list[str]:
    """Return the warnings about a network, or refuse it with a message that names the file."""
    try:
        return [finding.message for finding in check_network(network, strict=True)]
    except NetworkError as wrong:
        raise NetworkError(f"{file}: {wrong}") from None


# -- the rules -------------------------------------------------------------------------------


def _matrix(links: pd.DataFrame, weight: NDArray[Any], n: int) -> sparse.csr_array:
    """Return one number per link as CSR with customers as rows."""
    return sparse.csr_array((weight, (links["customer"], links["supplier"])), shape=(n, n))


def _loop(stages: pd.DataFrame, bill: sparse.csr_array) -> str:
    names = [str(name) for name in stages["name"].iloc[offending_loop(sparse.csr_array(bill.T))]]
    return " → ".join([*names[:8], *(["…"] if len(names) > 8 else []), names[0]])


def _refuse_units(stages: pd.DataFrame, links: pd.DataFrame) -> None:
    """Refuse given units with which one unit of a good needs one or more units of itself.

    Prices cancel along a loop: the product of the value shares on it is that of the units. Each firm adds value
    only if this product is below 1, whatever the prices. A link without units is not checked, because a small number is possible.
    """
    bill = _matrix(links, np.where(links["stated"], links["units"], 0.0), len(stages))
    bill.eliminate_zeros()
    if contracts(bill) or spectral_radius(bill) < 1.0 - 1e-9:
        return
    rows = offending_loop(sparse.csr_array(bill.T))
    product = float(np.prod([bill[customer, supplier] for supplier, customer in zip(rows, np.roll(rows, -1), strict=True)]))
    takes = f"{product:,.6g} of itself, the product of the units round the loop"
    if product < 1.0 - 1e-9:
        takes += ", and with other loops that cross it 1 or more"
    raise NetworkError(
        f"{stages.attrs['links']}: a unit of {str(stages['name'].iloc[rows[0]])!r} takes {takes}: {_loop(stages, bill)}; "
        "no prices can make that true: lower the units on the loop until it is below 1"
    )


def _prices(stages: pd.DataFrame, links: pd.DataFrame, notes: list[str]) -> Floats:
    """Return the price of one unit of each stage, CNY, shape (stages,); 1 everywhere if there are no costs."""
    given, cost = stages["price"].to_numpy(), stages["cost"].to_numpy()
    if not (np.isfinite(given).any() or np.isfinite(cost).any()):
        return np.ones(len(stages))
    free = ~np.isfinite(given)
    if missing := int((free & ~np.isfinite(cost)).sum()):
        notes.append(f"neither cost nor price is given of {missing} stages: they add no cost")
    if free.any():
        notes.append("price = cost added at the stage + Σ units × price of its suppliers")
    bill = _matrix(links, links["units"].to_numpy() * free[links["customer"]], len(stages))
    if spectral_radius(bill) >= 1.0 - 1e-9:
        problem = "have no finite price: a unit of each takes a unit or more of itself; lower the units on that loop"
        raise NetworkError(f"goods on the loop {_loop(stages, bill)} {problem}, or give a price to a firm on it")
    # A smaller tolerance than for orders: it is relative to the largest price, and small prices must be precise too.
    file = stages.attrs["file"]
    price = fixed_point(bill, np.where(free, np.nan_to_num(cost), given), 1e-14, refuse=lambda: NetworkError(f"{file}: {TOO_DEAR}"))
    if worthless := int((price <= 0).sum()):
        notes.append(
            f"{worthless} stages have a price of 0 (no cost, and inputs without cost): their customers' value shares of them are 0"
        )
    return price


def _bought(links: pd.DataFrame, n: int, notes: list[str]) -> Floats:
    """Fill blank values of customers that have others, and return what each stage buys, CNY a year, shape (stages,); 0 without values."""
    value = links["value"]
    if value.isna().all():
        return np.zeros(n)
    filled = value.fillna(value.groupby(links["customer"]).transform("median"))
    if missing := int((value.isna() & filled.notna()).sum()):
        notes.append(f"value is not given on {missing} links: the median of that customer's others")
    links["value"] = filled
    return add_up(links["customer"].to_numpy(), filled.fillna(0.0).to_numpy(), n)


def _sizes(stages: pd.DataFrame, notes: list[str]) -> Ints | None:
    """Return the classes of size, -1 where none is given, shape (n,); None if none is given at all."""
    sizes = stages["size"].to_numpy(dtype=np.int64)
    if not (sizes >= 0).any():
        return None
    if missing := int((sizes < 0).sum()):
        notes.append(f"size is not given of {missing} firms: by their yearly revenue in the model")
    return sizes


def _quality(stages: pd.DataFrame, notes: list[str]) -> StartingQuality | None:
    """Return the quality figures of the firms; None if none is given."""
    quality = starting_quality({key: stages[key].to_numpy(dtype=np.float64) for key in QUALITY_COLUMNS})
    n = len(stages)
    if quality is None:
        notes.append("quality is not given of any firm: all of it is drawn from the distribution of the region (an assumption)")
        return None
    given = quality.given()
    for key in (key for key in GROUPS if given[key]):
        notes.append(f"{key} is given of {given[key]} of {n} firms")
    if without := int((np.isnan(quality.first_pass_yield) & np.isnan(quality.returns)).sum()):
        notes.append(
            f"own defects of {without} firms, of which neither first_pass_yield nor returns is given, are drawn from the distribution of "
            "the region (an assumption)"
        )
    for key in (key for key in GROUPS[2:] if given[key] < n):
        notes.append(f"{key} of {n - given[key]} firms is drawn from the distribution of the region (an assumption)")
    return quality


def _shares(stages: pd.DataFrame, links: pd.DataFrame, price: Floats, notes: list[str]) -> tuple[pd.DataFrame, NDArray[np.str_]]:
    """Return links with value shares, and for each stage their source: "given", "value", "price" or "units".

    Shares by value are those of what a customer buys: they add up to 1.
    """
    n, supplier, customer = len(stages), links["supplier"].to_numpy(), links["customer"].to_numpy()
    units, given = links["units"].to_numpy(), links["value_share"].to_numpy()
    basis = np.full(n, "units")
    if stages[["price", "cost"]].notna().to_numpy().any():
        basis[price > 0] = "price"
    value = links["value"].to_numpy()
    basis[customer[np.isfinite(value)]] = "value"
    basis[customer[np.isfinite(given)]] = "given"
    # With units alone the shares are only weights; if some stages have given shares, the weights add up to 1 for each customer.
    whole = add_up(customer, units, n) if (basis != "units").any() else np.ones(n)
    worth = np.divide(units * price[supplier], price[customer], out=np.zeros(units.size), where=price[customer] > 0)
    kind = basis[customer]
    paid = add_up(customer, np.nan_to_num(value), n)[customer]
    bought = np.divide(value, paid, out=np.zeros(units.size), where=paid > 0)
    share = np.select([kind == "given", kind == "value", kind == "price"], [given, bought, worth], units / whole[customer])
    buyers = np.unique(customer)
    for source, rule in (("given", "as given"), ("price", "units × supplier's price / customer's price")):
        if count := int((basis[buyers] == source).sum()):
            notes.append(f"value shares of {count} stages: {rule}")
    return links.assign(share=share), basis


def _collapse(
    settings: FromFile, stages: pd.DataFrame, links: pd.DataFrame, price: Floats, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take out stages that are not firms.

    Returns the links between real firms, and the sales of each real firm to users (index stage; units
    and ``share``, here CNY). Users are treated as one more customer: their demand goes back along the same paths.
    """
    collapsed, n = stages["collapsed"].to_numpy(), len(stages)
    stated = links[["supplier", "customer", "units", "share", "essential", "counted"]]
    demand = stages["demand"].to_numpy()
    if np.isfinite(demand).any():
        outlet = np.flatnonzero(demand > 0)
        wanted = demand[outlet]
    else:
        outlet = np.setdiff1d(np.flatnonzero(collapsed), stated["supplier"])
        wanted = np.ones(outlet.size)
    sold = {"supplier": outlet, "customer": MARKET, "units": wanted, "share": wanted * price[outlet], "essential": False, "counted": True}
    paths = pd.concat([stated, pd.DataFrame(sold)], ignore_index=True)
    inner = stated[collapsed[stated["supplier"]] & collapsed[stated["customer"]]]
    pattern = _matrix(inner, np.ones(len(inner)), n)
    if spectral_radius(pattern) > 0:
        raise NetworkError(f"network.collapse: {_loop(stages, pattern)} pass goods round in a loop; leave one of their kinds in")
    through = collapsed[paths["supplier"]]
    paths, onward = paths[~through], paths[through]
    ends = collapsed[paths["customer"]] & (paths["customer"] != MARKET)
    while ends.any():
        joined = paths[ends].merge(onward, left_on="customer", right_on="supplier", suffixes=("", "_on"))
        for number in ("units", "share"):
            joined[number] *= joined[f"{number}_on"]
        joined["essential"] &= joined["essential_on"]
        joined["customer"] = joined["customer_on"]
        paths = pd.concat([paths[~ends], joined[paths.columns]], ignore_index=True)
        rule = {"units": "sum", "share": "sum", "essential": "any", "counted": "any"}
        paths = paths.groupby(["supplier", "customer"], sort=False, as_index=False).agg(rule)
        ends = collapsed[paths["customer"]] & (paths["customer"] != MARKET)
    for firm in paths["supplier"][paths["supplier"] == paths["customer"]][:1]:
        problem = "supplies itself through collapsed stages; leave out the link by which its goods return"
        raise NetworkError(f"network.collapse: {stages['name'].iloc[firm]!r} {problem}, or leave those stages in")
    if collapsed.all():
        raise NetworkError(f"network.collapse={listed(settings.collapse)} leaves no firm; kinds are {some(stages['kind'])}")
    if collapsed.any():
        notes.append(f"{int(collapsed.sum())} stages of the kinds {some(stages['kind'][collapsed])} are no firms: goods pass through them")
        sources = int((collapsed & ~np.isin(np.arange(n), links["customer"])).sum())
        if sources:
            notes.append(f"{sources} of them have no supplier: what they bring is left out, and counts as cost of their customers")
    market = paths["customer"] == MARKET
    return paths[~market], paths[market].set_index("supplier")[["units", "share"]]


def _leaders(settings: FromFile, stages: pd.DataFrame, sells: pd.DataFrame, links: pd.DataFrame, notes: list[str]) -> NDArray[np.bool_]:
    """Return which stages are chain leaders, shape (stages,)."""
    named, linked, collapsed = listed(settings.leaders), stages["linked"].to_numpy(), stages["collapsed"].to_numpy()
    known = set(stages["name"])
    for name in named:
        if name not in known:
            raise NetworkError(f"network.leaders names {name!r}, which is not in {stages.attrs['file']}{nearest(name, stages['name'])}")
    leader = stages["name"].isin(named).to_numpy() if named else stages["marked"].to_numpy()
    for i in np.flatnonzero(leader & (collapsed | ~linked))[:1]:
        why = "is of a kind that network.collapse removes" if collapsed[i] else "is in no link"
        raise NetworkError(f"{stages['where'].iloc[i]}: chain leader {stages['name'].iloc[i]!r} {why}; give it a supplier, or name another")
    if leader.any():
        return leader
    rows = np.arange(len(stages))
    leader = linked & ~collapsed & (np.isin(rows, sells.index) | ~np.isin(rows, links["supplier"]))
    if not leader.any():
        raise NetworkError(
            f"{stages.attrs['file']}: every firm sells to another one, so no chain leader stands out; "
            "name one or more in network.leaders, or in a column network.node_columns.leader"
        )
    notes.append(f"{int(leader.sum())} chain leaders: the firms that sell to users or from which no other firm buys")
    return leader


def _normalise(settings: FromFile, links: pd.DataFrame, basis: NDArray[np.str_], price: Floats, notes: list[str]) -> pd.DataFrame:
    """Return links with computed value shares that leave value added, and with units computed from them where no units are known."""
    supplier, customer, share = (links[name].to_numpy() for name in ("supplier", "customer", "share"))
    units, kind = links["units"].to_numpy(), basis[customer]
    total = add_up(customer, units, basis.size)[customer]
    share = np.where(kind == "units", settings.material_share * units / total, share)
    share = np.where(kind == "value", settings.material_share * share, share)
    if paid := np.unique(customer[kind == "value"]).size:
        notes.append(f"value shares of {paid} firms: {settings.material_share:g} is split over the inputs by value")
    if split := np.unique(customer[kind == "units"]).size:
        notes.append(
            f"value shares of {split} firms: no costs and no shares, so {settings.material_share:g} is split over the inputs by units"
        )
    total = add_up(customer, share, basis.size)[customer]
    over = (kind == "price") & (total > MOST_MATERIAL)
    if over.any():
        most = total[over].max()
        notes.append(
            f"{np.unique(customer[over]).size} firms add almost no value (inputs up to {most:.3g} of price): scaled to {MOST_MATERIAL}"
        )
        share = np.where(over, share * MOST_MATERIAL / np.where(over, total, 1.0), share)
    ratio = np.divide(price[customer], price[supplier], out=np.ones(share.size), where=price[supplier] > 0)
    physical = links["counted"].to_numpy(dtype=np.bool_) | (kind == "price")
    return links.assign(share=share, units=np.where(physical, units, share * ratio))


def _demand(
    settings: FromFile, stages: pd.DataFrame, leader: NDArray[np.bool_], sells: pd.DataFrame, bought: Floats, notes: list[str]
) -> Floats:
    """Return final demand of each stage, CNY a month before scaling, shape (stages,)."""
    if stages["demand"].isna().all():
        if (bought[leader] > 0).any():
            without = leader & (bought <= 0)
            usual = float(np.median(bought[leader & (bought > 0)]))
            notes.append("final demand is not given: what each chain leader buys by value, divided by the material share")
            if without.any():
                notes.append(f"{int(without.sum())} chain leaders buy nothing by value: as much as the median of the others")
            return np.where(leader, np.where(without, usual, bought) / settings.material_share / 12.0, 0.0)
        if settings.keep_scale:
            raise NetworkError("network.keep_scale needs demand, and the file gives none; name its column in network.node_columns.demand")
        notes.append("final demand is not given: the same for each chain leader")
        return leader.astype(np.float64)
    demand = sells["share"].reindex(range(len(stages)), fill_value=0.0).to_numpy(dtype=np.float64)
    for i in np.flatnonzero(leader & (demand <= 0))[:1]:
        column, where = settings.node_columns.get("demand", "demand"), stages["where"].iloc[i]
        problem = f"chain leader {stages['name'].iloc[i]!r} sells nothing to users; give it, or a stage it sells through, a demand above 0"
        raise NetworkError(f"{where}, column {column!r}: {problem}")
    if other_sellers := int(((demand > 0) & ~leader).sum()):
        notes.append(f"{other_sellers} firms that are not chain leaders also sell to users")
    return demand


def _scaled(settings: FromFile, network: SupplyNetwork, notes: list[str]) -> Floats:
    """Return final demand in CNY a month, shape (n,)."""
    if settings.keep_scale:
        return network.final_demand
    orders = network.steady_orders()
    notes.append(f"final demand is scaled: the median firm with orders sells {settings.median_revenue:g} CNY a year")
    return network.final_demand * (settings.median_revenue / 12.0 / float(np.median(orders[orders > 0])))


def _counties(stages: pd.DataFrame) -> tuple[Ints | None, tuple[str, ...]]:
    """Return county indices, shape (n,), or None, and their names: whole numbers have none, names are numbered in sorted order."""
    county = stages["county"].to_numpy()
    if not (county != "").any():
        return None, ()
    for i in np.flatnonzero(county == "")[:1]:
        raise NetworkError(
            f"{stages['where'].iloc[i]}: {stages['name'].iloc[i]!r} has no county, but other firms have; give all of them or none"
        )
    if all(str(cell).isascii() and str(cell).isdigit() and len(cell) < 10 for cell in county):
        return np.asarray(county, dtype=np.int64), ()
    names, index = np.unique(county.astype(np.str_), return_inverse=True)
    return index, tuple(map(str, names))


def _sectors(stages: pd.DataFrame, notes: list[str]) -> tuple[tuple[str, ...], Ints]:
    """Return the names of the sectors in order of first appearance, and the index of each firm's."""
    given, kind = stages["sector"], stages["kind"]
    sector = given.mask(given == "", kind)
    if (given == "").any():
        notes.append("sector is not given of all firms: the kind is used, or else one sector for all others")
    index, names = pd.factorize(sector.mask(sector == "", "sector"))
    return tuple(str(name) for name in names), index


def _chains(stages: pd.DataFrame, network: SupplyNetwork, notes: list[str]) -> tuple[tuple[str, ...], Ints]:
    """Return the names of the chains in order of first appearance, and the index of each firm's."""
    own = stages["chain"].mask((stages["chain"] == "") & network.leader, stages["name"]).to_numpy(dtype=object)
    names = [name for name in pd.unique(own) if name]
    if not (own == "").any():
        index = {name: c for c, name in enumerate(names)}
        return tuple(names), np.array([index[name] for name in own], dtype=np.int64)
    number = {name: c for c, name in enumerate(names)}
    chain = np.array([number.get(name, -1) for name in own], dtype=np.int64)
    open_rows = np.flatnonzero(chain < 0)
    notes.append(f"chain of {open_rows.size} firms: the one that takes most of their output by value")
    demand = np.where(network.leader, network.final_demand, 0.0)
    sales = add_up(chain[network.leader], demand[network.leader], len(names))
    best, winner = np.zeros(network.n_firms), np.full(network.n_firms, -1)
    # In the order of names, and a tie goes to the first, so that the order of rows in the file has no effect.
    by_name = sorted(range(len(names)), key=names.__getitem__)
    width = max(1, 4_000_000 // network.n_firms)
    for first in range(0, len(by_name), width):
        block = np.array(by_name[first : first + width])
        sources = demand[:, None] * (network.leader[:, None] & (chain[:, None] == block))
        for c, taken in zip(block, fixed_point(network.by_supplier, sources).T, strict=True):
            larger = taken > best * (1.0 + 1e-9)
            best[larger], winner[larger] = taken[larger], c
    chain[open_rows] = winner[open_rows]
    if lost := int((chain < 0).sum()):
        largest = next(c for c in by_name if sales[c] >= sales.max() * (1.0 - 1e-9))
        notes.append(f"{lost} firms sell to no chain: they belong to {names[largest]!r}, the largest")
        chain[chain < 0] = largest
    return tuple(names), chain
