"""The synthetic network has the figures that observed production networks have, and moves with its settings."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from agents.streams import Streams, replicate_keys
from sim.build.synthetic import Synthetic, synthetic
from sim.network.checks import check_network
from sim.network.network import SupplyNetwork
from sim.network.topology import assortativity, customers, mean_clustering, size_elasticity, suppliers, tail_exponent

KEYS = replicate_keys(7, 3)
SMALL = Synthetic(firms=2_000, leaders=40)
LARGE = Synthetic(firms=20_000, leaders=400)
CASES = [(SMALL, key) for key in KEYS] + [(LARGE, KEYS[0])]
NAMES = ["2000-a", "2000-b", "2000-c", "20000-a"]


@cache
def network_of(settings: Synthetic, key: tuple[int, int] = KEYS[0]) -> SupplyNetwork:
    return synthetic(settings, Streams(key))


@pytest.fixture(params=CASES, ids=NAMES)
def network(request: pytest.FixtureRequest) -> SupplyNetwork:
    return network_of(*request.param)


def largest_loop(network: SupplyNetwork) -> int:
    """Size of the largest strongly connected part: 1 if the network is acyclic."""
    return int(np.bincount(connected_components(network.by_customer, connection="strong")[1]).max())


def test_degrees(network: SupplyNetwork) -> None:
    assert network.n_links / network.n_firms == pytest.approx(5.0, rel=0.1)
    assert 1.2 < tail_exponent(suppliers(network)) < 1.6
    assert 1.2 < tail_exponent(customers(network)) < 1.6


def test_degree_tails_follow_their_parameters() -> None:
    steep = network_of(replace(SMALL, supplier_tail=2.2))
    assert tail_exponent(suppliers(steep)) > tail_exponent(suppliers(network_of(SMALL))) + 0.4
    steep = network_of(replace(SMALL, customer_tail=2.2))
    assert tail_exponent(customers(steep)) > tail_exponent(customers(network_of(SMALL))) + 0.4


@pytest.mark.parametrize("mean", [3.0, 8.0])
def test_mean_degree_follows_its_parameter(mean: float) -> None:
    drawn = network_of(replace(SMALL, mean_suppliers=mean))
    assert drawn.n_links / drawn.n_firms == pytest.approx(mean, rel=0.1)


def test_hubs_deal_with_small_firms(network: SupplyNetwork) -> None:
    assert -0.25 < assortativity(network) < -0.02


def test_clustering_is_low(network: SupplyNetwork) -> None:
    assert mean_clustering(network) < 0.15


def test_sales_rise_with_customers(network: SupplyNetwork) -> None:
    assert 0.8 < size_elasticity(network) < 1.3


@pytest.mark.parametrize("target", [0.6, 1.4])
def test_elasticity_follows_its_parameter(target: float) -> None:
    assert size_elasticity(network_of(replace(SMALL, size_elasticity=target))) == pytest.approx(target, abs=0.1)


def test_every_firm_reaches_a_leader_by_the_tiers_planned(network: SupplyNetwork) -> None:
    members = network.n_firms - network.leader.sum()
    planned = np.array(SMALL.tier_shares) * members
    assert network.leader[: network.leader.sum()].all()
    assert network.tier.min() == 0
    assert np.bincount(network.tier)[1:] == pytest.approx(planned, abs=1.0)


def test_shares_of_links(network: SupplyNetwork) -> None:
    crosses = network.chain[network.supplier] != network.chain[network.customer]
    assert crosses.mean() == pytest.approx(0.2, abs=0.07)
    inside = ~crosses
    sectors = network.sector[network.supplier] != network.sector[network.customer]
    assert sectors[inside].mean() == pytest.approx(0.5, abs=0.05)
    lateral = network.tier[network.supplier] <= network.tier[network.customer]
    assert lateral.mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_shared_suppliers_follow_their_parameter(share: float) -> None:
    drawn = network_of(replace(SMALL, shared_suppliers=share))
    assert (drawn.chain[drawn.supplier] != drawn.chain[drawn.customer]).mean() == pytest.approx(share, abs=0.1)


def test_loops_come_from_lateral_links_alone() -> None:
    assert largest_loop(network_of(SMALL)) > 0.2 * SMALL.firms
    straight = network_of(replace(SMALL, lateral=0.0))
    assert largest_loop(straight) == 1
    assert np.all(straight.tier[straight.supplier] == straight.tier[straight.customer] + 1)
    assert straight.tier.max() == len(SMALL.tier_shares)


def test_value_shares_leave_value_added(network: SupplyNetwork) -> None:
    buys = suppliers(network) > 0
    assert check_network(network, strict=True) == []
    assert network.material_share.max() < 1.0
    assert network.material_share[buys].mean() == pytest.approx(0.54, abs=0.02)
    assert np.median(network.steady_orders()) * 12.0 == pytest.approx(15e6)


def test_the_key_decides_every_bit() -> None:
    first, again, other = (synthetic(SMALL, Streams(key)) for key in (KEYS[0], KEYS[0], KEYS[1]))
    for f in fields(SupplyNetwork):
        value, same = getattr(first, f.name), getattr(again, f.name)
        assert value.tobytes() == same.tobytes() if isinstance(value, np.ndarray) else value == same
    assert not np.array_equal(first.supplier[:1000], other.supplier[:1000])
    assert not np.array_equal(first.final_demand, other.final_demand)


@pytest.mark.parametrize(
    "settings",
    [
        Synthetic(),
        Synthetic(firms=2, chains=1, leaders=1),
        Synthetic(firms=3, chains=3, leaders=3),
        Synthetic(firms=30, chains=10, leaders=10),
        Synthetic(firms=200, chains=7, leaders=9, sectors=3),
        Synthetic(tier_shares=(1.0,), lateral=0.0),
        Synthetic(tier_shares=(0.5, 0.0, 0.5)),
        Synthetic(cross_sector=0.0, shared_suppliers=0.0),
        Synthetic(mean_suppliers=50.0, lateral=0.5, material_spread=0.5, order_spread=3.0),
    ],
    ids=["default", "smallest", "leaders-only", "tiny", "more-chains-than-sectors", "one-tier", "empty-tier", "closed-chains", "dense"],
)
@pytest.mark.parametrize("key", KEYS)
def test_any_legal_settings_make_a_clean_network(settings: Synthetic, key: tuple[int, int]) -> None:
    network = network_of(settings, key)
    assert network.n_firms == settings.firms
    assert check_network(network, strict=True) == []
    assert network.tier.min() >= 0


def test_names() -> None:
    network = network_of(Synthetic(chains=2, sectors=2, chain_names=("cars", "ships"), sector_names=("steel", "glass")))
    assert (network.chains, network.sectors) == (("cars", "ships"), ("steel", "glass"))
    assert network_of(Synthetic()).chains[0] == "Chain 1"
    assert network_of(Synthetic()).names[[0, 6]].tolist() == ["Leader 1", "Firm 00001"]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"leaders": 301}, "leaders is 301.*300"),
        ({"leaders": 3}, "leaders is 3.*chains, 4"),
        ({"firms": -5}, "firms is -5.*2 … 2e"),
        ({"firms": 2.5}, "firms is 2.5.*whole number"),
        ({"mean_suppliers": -1.0}, "mean_suppliers is -1.0.*1 … 50"),
        ({"shared_suppliers": 1.5}, "shared_suppliers is 1.5.*0 … 0.9"),
        ({"lateral": -0.1}, "lateral is -0.1.*0 … 0.5"),
        ({"customer_tail": 1.0}, "customer_tail is 1.0.*1.05 … 5"),
        ({"supplier_tail": float("nan")}, "supplier_tail is nan.*1.05 … 5"),
        ({"material_share": 1.0}, "material_share is 1.0.*0.05 … 0.9"),
        ({"tier_shares": (0.5, -0.1)}, "tier_shares is .*0 … 1"),
        ({"tier_shares": (0.0,)}, "tier_shares is .*above 0"),
        ({"tier_shares": ()}, "tier_shares is .*above 0"),
        ({"chain_names": ("a", "b")}, "chain_names is .*4 different names"),
    ],
)
def test_bad_settings_are_refused(wrong: dict, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Synthetic(**wrong)


def test_every_setting_is_documented() -> None:
    for f in fields(Synthetic):
        if f.name not in ("chain_names", "sector_names"):
            assert set(f.metadata) == {"range", "unit", "source", "confidence", "meaning"}
            assert f.metadata["confidence"] in "SDRN"
            assert (f.metadata["confidence"] == "N") == f.metadata["source"].startswith("assumption")
