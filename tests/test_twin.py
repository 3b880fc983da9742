"""The columns against plain Mesa agents: two implementations of one month must agree, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents import Population
from sim import ChiefQualityOfficer, OneStopStations, Parameters, StrongchainModel, SupplyNetwork
from sim.build.region import Region
from tests.twin import TwinModel, binomial_count, poisson_count

#: Columns that agents do not hold: what never changes in a month, and cases, which are compared as such.
NOT_HELD = {
    "firms": {"alive", "tier", "sector", "natural", "case_station", "case_month", "case_tie"},
    "links": {"alive", "supplier", "customer", "essential"},
    "stations": {"alive", "extent"},
}
#: Sums in another order differ by rounding; a difference of nearly equal numbers (what goods-in catches, say, as what
#: arrives less what passes) does so on the scale of those: of one for defects and shares, of the largest output for money.
RELATIVE, OF_SCALE = 1e-9, 1e-13


def random_network(seed: int, firms: int, leaders: int, chains: int, density: float, cyclic: bool, material: float) -> SupplyNetwork:
    """Draw links at random, acyclic or from anybody to anybody; some members supply nobody, a few also sell to users."""
    random = np.random.default_rng(seed)
    wanted = max(firms - leaders, round(density * firms))
    one, other = random.integers(0, firms, (2, 4 * wanted))
    ends = np.unique(np.stack([one, other] if cyclic else [np.maximum(one, other), np.minimum(one, other)]), axis=1)
    ends = ends[:, ends[0] != ends[1]]
    supplier, customer = ends[:, np.sort(random.permutation(ends.shape[1])[:wanted])]
    weight = random.exponential(size=supplier.size)
    share = weight / np.bincount(customer, weight, minlength=firms)[customer] * (material * random.uniform(0.3, 1.0, firms))[customer]
    leads = np.arange(firms) < leaders
    demand = np.where(leads | (random.random(firms) < 0.1), random.lognormal(15.0, 1.5, firms), 0.0)
    return SupplyNetwork.build(
        [f"firm {i}" for i in range(firms)],
        supplier,
        customer,
        share,
        leads,
        demand,
        chain=random.integers(0, chains, firms),
        chains=[f"chain {c}" for c in range(chains)],
    )


def number(low: float, high: float, *corners: float) -> st.SearchStrategy[float]:
    """Draw a number of a range, rather often one of its corners."""
    inside = st.floats(low, high, allow_subnormal=False)
    return st.sampled_from(corners) | inside if corners else inside


PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "management_effect": number(0.0, 4.0, 0.0),
        "severity": number(0.0, 0.2, 0.0),
        "latent_share": number(0.0, 0.9, 0.0, 0.9),
        "renewal_hazard": number(0.0, 0.5, 0.0),
        "renewal_peak": number(1.0, 5.0, 1.0),
        "learning_exponent": number(0.0, 1.0, 0.0),
        "learning_scale": number(0.1, 20.0),
        "interface_dpu": number(0.0, 0.5, 0.0),
        "detection_low": number(0.0, 1.0, 0.0, 1.0),
        "detection_high": number(0.0, 1.0, 0.0, 1.0),
        "metrology_loss": number(0.0, 1.0, 0.0, 1.0),
        "false_alarm": number(0.0, 0.5, 0.0, 0.5),
        "incoming_cost": number(0.001, 0.1, 0.0),
        "incoming_failure": number(0.0, 2.0, 0.0),
        "final_cost": number(0.001, 0.1, 0.0),
        "final_failure": number(0.0, 2.0, 0.0),
        "kp_width": number(0.05, 3.0, 0.0),
        "rating_weight": number(0.0, 1.0, 0.0, 1.0),
        "line_visibility": number(0.05, 1.0, 0.05, 1.0),
        "scrap_share": number(0.0, 1.0, 0.0, 1.0),
        "rework_cost": number(0.0, 2.0, 0.0),
        "return_cost": number(0.0, 2.0, 0.0),
        "field_cost": number(0.0, 10.0, 0.0),
        "traceability": number(0.0, 1.0, 0.0, 1.0),
        "prevention_rate": number(0.0, 0.1, 0.0),
        "problem_rate": st.tuples(*[number(0.0, 0.6, 0.0)] * 4),
        "solving_low": number(0.01, 0.9, 0.001),
        "solving_high": number(0.1, 0.99, 0.001),
        "cqo_solving": number(0.0, 3.0, 0.0),
        "common_cause_hazard": number(0.0, 0.5, 0.0, 1.0),
        "common_cause_exposure": number(0.0, 1.0, 0.0, 1.0),
        "common_cause_end": number(0.0, 0.5, 0.0, 1.0),
        "visibility": number(0.0, 1.0, 0.0),
        "patience": st.integers(0, 8),
        "service_learning": number(0.0, 1.0, 0.0, 1.0),
        "random_samples": number(0.0, 60.0, 0.0),
    },
).map(lambda drawn: Parameters(**drawn))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[StrongchainModel, float]:
    """Draw a small world in which programmes have acted, firms and stations have left, and what its stations go on costing."""
    firms, stations = draw(st.integers(3, 40)), draw(st.sampled_from([0, 1, 3, 6]))
    leaders = draw(st.integers(1, min(firms - 1, 4)))
    parameters = draw(PARAMETERS)
    network = random_network(
        draw(st.integers(0, 2**32 - 1)),
        firms,
        leaders,
        draw(st.integers(1, 3)),
        density=draw(st.floats(0.5, 4.0)),
        cyclic=draw(st.booleans()),
        material=draw(st.floats(0.1, 0.95)) / (1.0 + parameters.scrap_share),  # so that orders never grow round a loop
    )
    region = Region(
        counties=draw(st.integers(1, 3)),
        stations=stations,
        station_capacity=draw(st.sampled_from([0.0, 0.4, 1.0, 2.5, 100.0])),
        station_competence=draw(number(0.0, 1.0, 1.0)),
        station_online=draw(st.sampled_from([0.0, 0.5, 1.0])),
        station_fee=draw(st.sampled_from([0.0, 100.0, 1_000.0, 20_000.0])),
        awareness=draw(number(0.0, 1.0, 1.0)),
        officers=draw(number(0.0, 1.0, 0.0)),
    )
    programmes: dict[str, Any] = {
        "none": (),
        "officers": (ChiefQualityOfficer(pay_subsidy=0.25, unit_cost=3_000.0),),
        "stations": (OneStopStations(per_1000_firms=100.0, capacity=1.5, elements=(1, 0, 1, 1)),),
    }
    programmes["both"] = programmes["officers"] + programmes["stations"]
    model = StrongchainModel(
        region,
        network,
        parameters,
        instruments=programmes[draw(st.sampled_from(list(programmes)))],
        rng=draw(st.integers(0, 1000)),
        burn_in=draw(st.sampled_from([0, 5])),
    )
    # No instrument teaches suppliers yet: relations that were improved are made by hand.
    if draw(st.booleans()):
        model.links.relief = np.random.default_rng(0).random(model.links.n)
    model.run(2)  # firms are taken on in the first month, subsidies flow from the second on
    # No user changes demand yet either: without a jump nobody would ever ship less than users ask for.
    if draw(st.booleans()):
        model.firms.final_demand *= np.random.default_rng(1).uniform(0.5, 3.0, firms)
    # Who was taken on stays, and so do a programme's stations: else others would be taken on in their place.
    free = set(range(leaders, firms)).difference(*(programme.reached.tolist() for programme in model.programmes.values()))  # type: ignore[attr-defined]
    for gone in draw(st.lists(st.sampled_from(sorted(free)), unique=True, max_size=2)) if len(free) > 2 else ():
        model.leave("firms", gone)
    if draw(st.booleans()) and stations > 1:
        model.leave("stations", 0)
    return model, station_support(model)


def station_support(model: StrongchainModel) -> float:
    """CNY that a programme paid this month for the stations it has set up: from the books, once nothing new is set up."""
    return model.books.month.get(("government", "stations", "one_stop_stations"), 0.0)


def assert_columns_agree(population: Population, rows: NDArray[np.int64], agents: Sequence[Any], money: float) -> None:
    """Compare columns with what agents hold: counts and marks exactly, numbers to rounding."""
    for name in population.columns.keys() - NOT_HELD[population.kind]:
        assert hasattr(agents[0], name), f"{population.kind}.{name} is new: write it into the twin, or name it in NOT_HELD"
        columns, twins = getattr(population, name)[rows], np.array([getattr(agent, name) for agent in agents])
        scale = money if population.columns[name].unit.startswith("CNY/month") else 1.0
        if columns.dtype.kind == "f":
            np.testing.assert_allclose(twins, columns, rtol=RELATIVE, atol=OF_SCALE * scale, err_msg=f"{population.kind}.{name}")
        else:
            np.testing.assert_array_equal(twins, columns, err_msg=f"{population.kind}.{name}")


def assert_agree(model: StrongchainModel, twin: TwinModel) -> None:
    """Compare all that lives: every column of firms, links, stations and chains, and the counts of events."""
    firms, money = list(twin.by_place.values()), float(model.firms.output.max())
    places, links = np.array(list(twin.by_place)), np.array([link.row for link in twin.links], dtype=np.int64)
    np.testing.assert_array_equal(np.flatnonzero(model.firms.alive), places)
    assert_columns_agree(model.firms, places, firms, money)
    if twin.links:
        assert_columns_agree(model.links, links, twin.links, money)
    if twin.stations:
        assert_columns_agree(model.stations, np.array(list(twin.by_row)), twin.stations, money)

    at, since, tie = model.firms.case_station, model.firms.case_month, model.firms.case_tie
    columns = {(i, k): (at[i, k], since[i, k], tie[i, k]) for i, k in np.argwhere(at >= 0).tolist()}
    assert columns == {(firm.place, kind): (c.station.row, c.month, c.tie) for firm in firms for kind, c in firm.cases.items()}
    np.testing.assert_array_equal(model.chains.cause, np.array(twin.causes))
    assert twin.counts == model.counts
    assert (twin.samples, twin.samples_failed) == (model.regulators.sampled[0], model.regulators.failed[0])


def run_both(model: StrongchainModel, support: float, months: int) -> TwinModel:
    """Run a model and its twin side by side and compare them every month."""
    twin = TwinModel(model, support)
    awards = sum(firms for programme in model.programmes.values() for _, firms in programme.awards)  # type: ignore[attr-defined]
    for _ in range(months):
        model.step()
        twin.step()
        assert_agree(model, twin)
    later = sum(firms for programme in model.programmes.values() for _, firms in programme.awards)  # type: ignore[attr-defined]
    assert later == awards, "a programme took on firms after the snapshot, which the twin does not do"
    return twin


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(worlds())
def test_random_small_worlds_agree(world: tuple[StrongchainModel, float]) -> None:
    """Every column of every firm, link and station, month by month, on random networks and parameters."""
    run_both(*world, months=12)


def test_a_larger_world_agrees() -> None:
    """300 firms on a cyclic network for two years, with both programmes at work: and much happens in them."""
    network = random_network(7, firms=300, leaders=6, chains=4, density=3.0, cyclic=True, material=0.6)
    model = StrongchainModel(
        Region(stations=4, awareness=0.5, counties=3),
        network,
        instruments=(ChiefQualityOfficer(reach=0.3, pay_subsidy=0.5), OneStopStations(per_1000_firms=10.0, capacity=2.5)),
        rng=3,
        burn_in=12,
    )
    model.run(2)
    twin = run_both(model, station_support(model), months=24)
    assert all(twin.counts[event] > 100 for event in twin.counts), twin.counts
    assert all(station.solved for station in twin.stations)


def test_snapshot_is_the_model() -> None:
    """Before any month of its own the twin equals the model, and running it does not touch the model."""
    model = StrongchainModel(Region(stations=2), random_network(1, 30, 2, 2, 2.0, True, 0.5), rng=1, burn_in=6)
    twin = TwinModel(model)
    orders = model.firms.orders.copy()
    for place, firm in twin.by_place.items():
        assert firm.capability == model.firms.capability[place].tolist()
        assert {link.supplier.place for link in firm.buys.values()} == set(model.network.suppliers_of(place).tolist())
        assert {link.customer.place for link in firm.sells.values()} == set(model.network.customers_of(place).tolist())
    for _ in range(6):
        twin.step()
    np.testing.assert_array_equal(model.firms.orders, orders)
    assert model.month == 0


def test_own_inversions_against_known_quantiles() -> None:
    """The twin's Poisson and binomial are SciPy's quantile functions (a third implementation)."""
    from scipy import stats

    for u in np.linspace(0.001, 0.999, 97).tolist():
        for mean in (0.0, 0.02, 0.7, 4.0, 11.0):
            assert poisson_count(u, mean) == max(0, stats.poisson.ppf(u, mean) if mean else 0)
        for n, p in ((0, 0.5), (1, 0.3), (5, 0.0), (5, 0.07), (9, 0.6), (4, 1.0)):
            assert binomial_count(u, n, p) == max(0, stats.binom.ppf(u, n, p))
