"""Flows of loss by tier and chain: what enters a node leaves it, whatever the network; stored tables make the same map again."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.analysis.flows import flows_of, links_table, picture_of_tables
from experiments.runs.measure import MapPicture
from sim import SupplyNetwork
from tests.support.worlds import network, parameters, random_network, region, world


def picture(built: SupplyNetwork, **other) -> MapPicture:
    return MapPicture.of(world(built, region=region(built.n_firms), burn_in=2, **other))


@pytest.mark.parametrize(
    "built",
    [
        random_network(1, firms=8, leaders=2),
        random_network(2, firms=300, leaders=20, chains=20),
        random_network(3, firms=1, leaders=1, chains=1),
        network({("b", "A"): 0.4}, {"A": 1e6, "alone": 1e6}),
        network({("b", "A"): 0.4, ("x", "y"): 0.3, ("y", "x"): 0.3}, {"A": 1e6}),
    ],
    ids=["small", "twenty chains", "one firm", "a leader without suppliers", "firms that reach no leader"],
)
def test_what_enters_a_node_leaves_it(built):
    of = picture(built)
    flows = flows_of(of)
    entered = flows.begins.sum(axis=1) + flows.between.sum(axis=0)
    left = flows.between.sum(axis=1) + flows.to_users
    assert of.map.total > 0.0 and flows.begins.sum() == pytest.approx(of.map.total, rel=1e-9) == flows.to_users.sum()
    assert entered == pytest.approx(left, rel=1e-8, abs=1e-9 * of.map.total)
    assert flows.error < 1e-9 and (flows.between >= 0.0).all() and not np.diag(flows.between).any()


def test_an_imbalance_would_be_seen():
    flows = flows_of(picture(random_network(1, firms=8, leaders=2)))
    flows.to_users[flows.to_users.argmax()] *= 1.5
    assert flows.error > 0.01


def test_many_chains_share_the_last_place_and_the_others_keep_the_order_of_their_loss():
    of = picture(random_network(2, firms=300, leaders=20, chains=20))
    flows = flows_of(of, 6)
    by_chain = of.table.groupby("chain")["loss (CNY/month)"].sum().sort_values(ascending=False)
    assert list(flows.names) == list(by_chain.index[:5]) and flows.lumped == 15 and flows.chain.max() == 5
    shown = np.bincount(flows.chain, weights=flows.begins.sum(axis=1))
    assert shown[:5] == pytest.approx(by_chain.iloc[:5].to_numpy())
    assert flows_of(of, 20).lumped == 0


def test_tiers_with_hardly_any_loss_are_counted_in_the_one_before_them():
    """The far supplier makes a hundredth of a hundredth of what the leader sells."""
    flows = flows_of(picture(network({("b", "A"): 0.4, ("c", "b"): 1e-6}, {"A": 1e6})))
    assert flows.tier.max() == 1 and flows.deeper
    assert not flows_of(picture(network({("b", "A"): 0.4}, {"A": 1e6}))).deeper


def test_without_loss_there_is_no_flow():
    flows = flows_of(picture(random_network(1, firms=8), parameters=parameters(field_cost=0.0)))
    assert not flows.begins.any() and not flows.between.any() and not flows.to_users.any() and flows.error == 0.0


def test_the_tables_of_a_map_make_it_again():
    of = picture(random_network(2, firms=120, leaders=5, chains=3))
    again = picture_of_tables(of.table, links_table(of))
    assert again.map.total == pytest.approx(of.map.total, rel=1e-9)
    first, second = flows_of(of), flows_of(again)
    assert first.names == second.names and np.array_equal(first.tier, second.tier)
    assert second.between == pytest.approx(first.between, rel=1e-9, abs=1e-9 * of.map.total)
    strange = links_table(of).assign(supplier="nobody")
    with pytest.raises(ValueError, match="a firm that the quality map does not have"):
        picture_of_tables(of.table, strange)
