"""The columns against plain Mesa agents: two implementations of one month must agree in every column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agents import Population
from agents.help import Help
from agents.lender import STRONG_CHAIN
from sim import ChiefQualityOfficer, OneStopStations, Parameters, StrongchainModel, SupplyNetwork
from sim.build.region import Region
from sim.instruments import StrongChainLoans
from sim.month.credit import grant
from tests.reference_model.inversions import binomial_count, normal_value, poisson_count
from tests.reference_model.model import TwinModel
from tests.support.size import at_size

pytestmark = pytest.mark.study

#: What shocks write; without them it stays 0.
SHOCKED = {"shock_defects", "shock_latent", "demand_lost", "outage", "shortfall"}
#: Columns that agents do not hold: who lives where, and cases, which are compared as such; and what only other instruments,
#: or shocks, change.
NOT_HELD = {
    "firms": {"alive", "case_station", "case_month", "case_tie", "latent", "mapped", "region", *SHOCKED, *Help.declared},
    "links": {"alive", "supplier", "customer"},
    "stations": {"alive", "region"},
    "lenders": {"alive", "number"},
    "regulators": {"alive"},
    "chain_heads": {"alive", "region"},
}
#: Sums in another order differ by rounding; a difference of nearly equal numbers (what goods-in catches, say, as what
#: arrives less what passes) does so on the scale of those: of one for defects and shares, of a year's sales of the largest firm for money.
RELATIVE, OF_SCALE = 1e-9, 1e-13


def random_network(
    seed: int,
    firms: int,
    leaders: int,
    chains: int,
    density: float,
    cyclic: bool,
    material: float,
    sectors: int = 1,
    essential: float = 0.0,
) -> SupplyNetwork:
    """Draw links at random, acyclic or between any two firms; some members have no customer, some also sell to users."""
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
        sector=random.integers(0, sectors, firms),
        sectors=[f"sector {s}" for s in range(sectors)],
        essential=random.random(supplier.size) < essential,
    )


def number(low: float, high: float, *corners: float) -> st.SearchStrategy[float]:
    """Draw a number from a range, often one of its ends."""
    inside = st.floats(low, high, allow_subnormal=False)
    return st.sampled_from(corners) | inside if corners else inside


#: A corner is left out where rounding alone would decide what happens: a bar at the mean itself, no capacity to spare,
#: four capabilities that are one, a limit at an overdraft of nothing.
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        # own defects, inspection, cost of quality
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
        "copq_scale": number(0.0, 4.0, 1.0),
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
        # traits of firms
        "capability_spread": number(0.1, 2.0),
        "capability_common": number(0.0, 0.95, 0.0),
        "absorptive_mean": number(0.0, 1.0, 0.0, 1.0),
        "base_dpu_spread": number(0.0, 1.5, 0.0),
        "entrant_shift": number(-3.0, 3.0, 0.0),
        # decisions
        "review_hazard": number(0.1, 1.0, 1.0),
        "horizon": number(0.0, 240.0, 240.0),
        "invest_fixed": number(0.0, 1e5, 0.0),
        "invest_share": number(0.0, 0.02, 0.0),
        "invest_step": number(0.0, 1.0, 1.0),
        "judgement": number(0.0, 2.0, 0.0),
        "reserve": number(0.0, 5.0, 0.0),
        "approval": st.tuples(*[number(0.0, 1.0, 0.0, 1.0)] * 3),
        "approval_signal": number(0.0, 1.0, 0.0, 1.0),
        "credit_ceiling": number(0.0, 1.0, 0.0),
        "loan_term": number(1.0, 60.0, 1.0),
        "certificate_cost": number(0.0, 1e5, 0.0),
        "certificate_months": st.integers(1, 6),
        "certificate_worth": number(0.0, 0.1, 0.0),
        "certificate_substance": number(0.0, 1.0, 0.0, 1.0),
        "certificate_loss": number(0.0, 1.0, 0.0, 1.0),
        "officer_saving": number(0.0, 1.0, 1.0),
        "cqo_pay": number(0.0, 20_000.0, 0.0),
        "cqo_pay_most": number(0.0, 0.1, 0.0, 1.0),
        "adoption_alone": number(0.0, 0.3, 0.0),
        "adoption_imitation": number(0.0, 1.0, 0.0, 1.0),
        "officer_loss": number(0.0, 0.3, 0.0),
        "dropping": number(0.0, 1.0, 0.0, 1.0),
        # learning and loss
        "problem_learning": number(0.0, 1.0, 0.0, 1.0),
        "spillover": number(0.0, 1.0, 0.0, 1.0),
        "relation_share": number(0.0, 1.0, 0.0, 1.0),
        "practice_decay": number(0.0, 0.5, 0.0),
        "officer_keeps": number(0.0, 1.0, 0.0, 1.0),
        "diffusion": number(0.0, 0.5, 0.0),
        # money
        "margin": number(0.0, 0.2, 0.0),
        "outside_materials": number(0.0, 1.0, 0.0, 1.0),
        "least_cost": number(0.0, 0.3, 0.0),
        "stock_most": number(0.0, 3.0, 0.0),
        "working_capital": number(0.0, 0.4, 0.0),
        "cash_start": number(0.0, 3.0, 0.0),
        "cash_least": number(0.0, 1.0, 0.0),
        "cash_most": number(0.1, 4.0),
        "payout": number(0.0, 1.0, 0.0, 1.0),
        "fortune_spread": st.tuples(*[number(0.0, 0.5, 0.0)] * 3),
        "fortune_memory": number(0.0, 0.999, 0.0),
        "cash_limit": number(0.01, 0.5),
        "distress_months": st.integers(1, 3),
        # relations
        "qualification_bar": number(1.05, 3.0),
        "development_months": st.integers(0, 6),
        "development_attention": number(1.0, 20.0),
        "development_cost": number(0.0, 0.2, 0.0),
        "relation_end": number(0.0, 1.0, 0.0, 1.0),
        "candidates": st.integers(0, 6),
        "view_noise": number(0.0, 3.0, 0.0),
        "certified_noise": number(0.0, 1.0, 0.0, 1.0),
        "caution": number(0.0, 3.0, 0.0),
        "switching": number(0.0, 1.0, 0.0),
        "orphan_demand": number(0.0, 0.9, 0.0),
        "spare_capacity": number(0.02, 10.0),
        # the market and oversight
        "quality_elasticity": number(0.0, 5.0, 0.0),
        "whole_elasticity": number(0.0, 1.0, 0.0, 1.0),
        "brand_memory": number(0.0, 0.99, 0.0),
        "demand_speed": number(0.0, 1.0, 0.0, 1.0),
        "recall_rate": number(0.0, 20.0, 0.0, 20.0),
        "recall_size": number(0.001, 1.0, 1.0),
        "recall_tail": number(0.2, 5.0),
        "recall_cost": number(0.0, 2.0, 0.0),
        "recall_liability": number(0.0, 24.0, 0.0),
        "recall_shock": number(0.0, 2.0, 0.0),
        "collective_share": number(0.0, 1.0, 0.0, 1.0),
        "reputation_memory": number(0.0, 0.99, 0.0),
        "random_samples": number(0.0, 1_500.0, 0.0),
        "targeted_samples": number(0.0, 1_500.0, 0.0),
        "risk_size": st.tuples(*[number(0.0, 10.0, 0.0)] * 3),
        "risk_failed": number(1.0, 50.0),
        "risk_signal": number(0.0, 1.0, 0.0),
        "risk_months": st.integers(0, 6),
        "fine": number(0.0, 1.0, 0.0),
        "rectification_cost": number(0.0, 0.5, 0.0),
    },
).map(lambda drawn: Parameters(**drawn))
PROGRAMMES: dict[str, tuple[Any, ...]] = {
    "none": (),
    "officers": (ChiefQualityOfficer(pay_subsidy=0.25, unit_cost=3_000.0),),
    "stations": (OneStopStations(per_1000_firms=100.0, capacity=1.5, elements=(1, 0, 1, 1)),),
    "loans": (StrongChainLoans(reach=0.8, score_least=0.0, tiers=3, ceiling=1e6, guarantee=0.6),),
}
PROGRAMMES["all"] = PROGRAMMES["officers"] + PROGRAMMES["stations"] + PROGRAMMES["loans"]


@st.composite
def worlds(draw: st.DrawFn, leaving: bool) -> StrongchainModel:
    """Draw a small world in which programmes have acted, a station may have left, and, on request, firms have left for good."""
    firms, stations = draw(st.integers(3, 40)), draw(st.sampled_from([0, 1, 3, 6]))
    leaders = draw(st.integers(1, min(firms - 1, 4)))
    parameters = draw(PARAMETERS)
    cyclic = draw(st.booleans())
    network = random_network(
        draw(st.integers(0, 2**32 - 1)),
        firms,
        leaders,
        draw(st.integers(1, 3)),
        density=draw(st.floats(0.5, 4.0)),
        cyclic=cyclic,
        # Below 1, orders never grow round a loop. Where there is none firms may buy more than they sell; a loop would let orders grow.
        material=draw(st.floats(0.1, 0.95)) / (1.0 + parameters.scrap_share) if cyclic else draw(st.floats(0.1, 2.0)),
        sectors=draw(st.integers(1, 3)),
        essential=draw(st.sampled_from([0.0, 0.2])),
    )
    region = Region(
        counties=draw(st.integers(1, 3)),
        chain_heads=draw(st.integers(0, 4)),
        stations=stations,
        station_capacity=draw(st.sampled_from([0.0, 0.4, 1.0, 2.5, 100.0])),
        station_competence=draw(number(0.0, 1.0, 1.0)),
        station_online=draw(st.sampled_from([0.0, 0.5, 1.0])),
        station_fee=draw(st.sampled_from([0.0, 100.0, 1_000.0, 20_000.0])),
        awareness=draw(number(0.0, 1.0, 1.0)),
        officers=draw(number(0.0, 1.0, 0.0)),
    )
    model = StrongchainModel(
        region,
        network,
        parameters,
        instruments=PROGRAMMES[draw(st.sampled_from(list(PROGRAMMES)))],
        rng=draw(st.integers(0, 1000)),
        burn_in=draw(st.sampled_from([0, 5])),
    )
    model.run(2)  # firms are taken on in the first month, support flows from the second on
    if draw(st.booleans()):
        by_hand(model)
    for gone in draw(st.lists(st.integers(1, firms - 1), unique=True, min_size=1, max_size=2)) if leaving else ():
        model.leave("firms", gone)
    if draw(st.booleans()) and stations > 1:
        model.leave("stations", 0)
    return model


def by_hand(model: StrongchainModel) -> None:
    """Set states that rarely occur otherwise: users who change their choice, better suppliers, all kinds of credit lines and discounts."""
    random, firms, links = np.random.default_rng(0), model.firms, model.links
    links.relief = random.random(links.n)
    firms.final_demand *= random.uniform(0.5, 3.0, firms.n)
    sales = firms.usual_output * firms.price
    firms.programme_line = random.uniform(0.0, 2.0, firms.n) * sales
    firms.rate_discount, firms.guaranteed = random.uniform(0.0, 0.1, firms.n), random.random(firms.n)
    firms.interest_borne = random.uniform(0.0, 0.01, firms.n) * sales
    grant(model, STRONG_CHAIN, np.where(random.random(firms.n) < 0.5, random.random(firms.n) * firms.programme_line, 0.0))


def assert_columns_agree(population: Population, rows: NDArray[np.int64], agents: Sequence[Any], money: float) -> None:
    """Compare columns with the state of agents: counts and flags exactly, numbers up to rounding."""
    if not agents:
        return
    for name in population.columns.keys() - NOT_HELD[population.kind]:
        assert hasattr(agents[0], name), f"{population.kind}.{name} is new: write it into the twin, or name it in NOT_HELD"
        columns, twins = getattr(population, name)[rows], np.array([getattr(agent, name) for agent in agents])
        scale = money if population.columns[name].unit in ("CNY", "CNY/month") else 1.0
        if columns.dtype.kind == "f":
            np.testing.assert_allclose(twins, columns, rtol=RELATIVE, atol=OF_SCALE * scale, err_msg=f"{population.kind}.{name}")
        else:
            np.testing.assert_array_equal(twins, columns, err_msg=f"{population.kind}.{name}")


def assert_money_agrees(model: StrongchainModel, twin: TwinModel) -> None:
    """Compare the accounts, payment by payment, up to rounding relative to the largest sum and to all payments."""
    paid, theirs = model.books.month, twin.books.month
    most = max(paid.values(), default=0.0)
    for key in sorted(paid.keys() | theirs.keys()):
        np.testing.assert_allclose(theirs.get(key, 0.0), paid.get(key, 0.0), rtol=RELATIVE, atol=OF_SCALE * most, err_msg=str(key))
    assert twin.books.balance.keys() == model.books.balance.keys()
    for sector, held in model.books.balance.items():
        np.testing.assert_allclose(twin.books.balance[sector], held, rtol=RELATIVE, atol=12.0 * OF_SCALE * most, err_msg=sector)


def assert_agree(model: StrongchainModel, twin: TwinModel) -> None:
    """Compare the whole state: every column, the links, the accounts, and the counts of events."""
    firms, money = list(twin.by_place.values()), 12.0 * float(model.firms.output.max())
    places, links = np.array(list(twin.by_place)), np.array([link.row for link in twin.links], dtype=np.int64)
    np.testing.assert_array_equal(np.flatnonzero(model.firms.alive), places)
    np.testing.assert_array_equal(model.links.supplier[links], np.array([link.supplier.place for link in twin.links]))
    assert_columns_agree(model.firms, places, firms, money)
    assert_columns_agree(model.links, links, twin.links, money)
    assert_columns_agree(model.stations, np.array(list(twin.by_row)), twin.stations, money)
    assert_columns_agree(model.lenders, np.array([0]), [twin.bank], money * len(firms))
    assert_columns_agree(model.regulators, np.array([0]), [twin.regulator], money)
    assert_columns_agree(model.chain_heads, np.arange(model.chain_heads.n), twin.support.heads, money)
    np.testing.assert_allclose(twin.quality_cost, model.classes.quality_cost, rtol=RELATIVE, atol=OF_SCALE)

    assert not any(getattr(model.firms, name).any() for name in (*Help.declared, "mapped")), "the twin has no instrument that lends"
    np.testing.assert_array_equal(model.firms.latent[places], model.parameters.latent_share)

    at, since, tie = model.firms.case_station, model.firms.case_month, model.firms.case_tie
    columns = {(i, k): (at[i, k], since[i, k], tie[i, k]) for i, k in np.argwhere(at >= 0).tolist()}
    assert columns == {(firm.place, kind): (c.station.row, c.month, c.tie) for firm in firms for kind, c in firm.cases.items()}
    np.testing.assert_array_equal(model.chains.cause, np.array(twin.causes))
    assert twin.counts == model.counts
    assert_money_agrees(model, twin)


def take_on_nobody(model: StrongchainModel) -> None:
    """Let programmes continue for the firms that they have reached, and reach no others: the twin does not choose firms."""
    for programme in model.programmes.values():
        programme.instrument = replace(programme.instrument, monthly_capacity=0)  # type: ignore[attr-defined]


def run_both(model: StrongchainModel, months: int) -> TwinModel:
    """Run a model and its twin side by side and compare them every month."""
    take_on_nobody(model)
    twin = TwinModel(model)
    for _ in range(months):
        model.step()
        twin.step()
        assert_agree(model, twin)
    return twin


#: To shrink a world of a hundred numbers would take many minutes.
DRAWN = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@DRAWN
@given(worlds(leaving=False))
def test_random_small_worlds_agree(model: StrongchainModel) -> None:
    """Every column of every firm, link and station, and every payment, month by month, on random networks and parameters."""
    run_both(model, months=12)


@settings(DRAWN, max_examples=at_size(15, 60))
@given(worlds(leaving=True))
def test_the_dead_make_no_difference(model: StrongchainModel) -> None:
    """The same with firms that have left for good: they are in the columns, but not in the twin."""
    run_both(model, months=12)


#: Events that must occur in the larger world, in addition to those that the model counts.
EVENTS = (
    "investments paid by cash", "investments paid by banks", "investments paid by strong-chain loans", "guarantees called",
    "drawn on the line", "exits of members", "exits of leaders", "officers hired", "officers lost", "first certificates",
    "certificates renewed", "certificates lost", "on the list", "off the list", "no capacity left", "recalls traced to suppliers",
)  # fmt: skip


def test_a_larger_world_agrees() -> None:
    """300 firms on a cyclic network for two years, with all programmes at work; every event occurs."""
    network = random_network(7, firms=300, leaders=20, chains=4, density=3.0, cyclic=True, material=0.6, sectors=5, essential=0.1)
    model = StrongchainModel(
        Region(stations=4, awareness=0.5, counties=3),
        network,
        Parameters(
            review_hazard=0.2,
            approval=(0.2, 0.2, 0.2),
            reserve=1.55,
            cash_start=1.0,
            cash_limit=0.1,
            distress_months=2,
            working_capital=0.1,
            fortune_spread=(0.2, 0.2, 0.2),
            officer_loss=0.02,
            adoption_imitation=0.1,
            certificate_months=12,
            certificate_worth=0.01,
            qualification_bar=1.5,
            development_months=4,
            relation_end=0.05,
            spare_capacity=0.1,
            recall_rate=5.0,
            traceability=0.6,
            common_cause_hazard=0.05,
            targeted_samples=200.0,
            risk_failed=20.0,
            risk_months=3,
        ),
        instruments=(
            ChiefQualityOfficer(reach=0.3, pay_subsidy=0.5),
            OneStopStations(per_1000_firms=10.0, capacity=2.5),
            StrongChainLoans(reach=0.8, line_share=0.3, score_least=0.5),
        ),
        rng=3,
        burn_in=12,
    )
    model.run(2)
    failed = int(model.regulators.targeted_failed[0])
    twin = run_both(model, months=24)
    assert all(happens > 100 for event, happens in twin.counts.items() if event != "changes refused"), twin.counts
    assert not [event for event in EVENTS if not twin.happened[event]], twin.happened
    assert twin.regulator.targeted_failed > failed
    assert all(station.solved for station in twin.stations)


def test_refused_changes_agree() -> None:
    """Firms that buy more than they sell: changes that close loops are refused where orders might grow, and made elsewhere."""
    network = random_network(2, firms=40, leaders=3, chains=2, density=6.0, cyclic=False, material=1.8)
    parameters = Parameters(relation_end=0.1, candidates=6, spare_capacity=10.0, scrap_share=0.3, false_alarm=0.5)
    twin = run_both(StrongchainModel(Region(stations=0), network, parameters, rng=3, burn_in=3), months=24)
    assert twin.counts["changes refused"] > 0 < twin.counts["suppliers replaced"]


def test_snapshot_is_the_model() -> None:
    """Before any month of its own the twin equals the model, and running it does not change the model."""
    model = StrongchainModel(Region(stations=2), random_network(1, 30, 2, 2, 2.0, True, 0.5), rng=1, burn_in=6)
    twin = TwinModel(model)
    orders = model.firms.orders.copy()
    assert_agree(model, twin)
    for place, firm in twin.by_place.items():
        assert {link.supplier.place for link in firm.buys} == set(model.network.suppliers_of(place).tolist())
        assert {link.customer.place for link in firm.sells} == set(model.network.customers_of(place).tolist())
    for _ in range(6):
        twin.step()
    np.testing.assert_array_equal(model.firms.orders, orders)
    assert model.month == 0


def test_own_inversions_against_known_quantiles() -> None:
    """The twin's Poisson, binomial and normal are SciPy's quantile functions (a third implementation)."""
    from scipy import stats

    for u in np.linspace(0.001, 0.999, 97).tolist():
        np.testing.assert_allclose(normal_value(u), stats.norm.ppf(u), rtol=1e-12, atol=1e-14)
        for mean in (0.0, 0.02, 0.7, 4.0, 11.0):
            assert poisson_count(u, mean) == max(0, stats.poisson.ppf(u, mean) if mean else 0)
        for n, p in ((0, 0.5), (1, 0.3), (5, 0.0), (5, 0.07), (9, 0.6), (4, 1.0)):
            assert binomial_count(u, n, p) == max(0, stats.binom.ppf(u, n, p))
