"""Named chains: their leaders, firms, tiers, kinds of problem and county are those that were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from sim.attribution.quality_map import quality_map
from sim.build.chain import NamedChain
from sim.build.region import Region
from sim.model import StrongchainModel
from sim.month.problems import problem_pressure
from sim.parameters import ParameterError
from tests.support.worlds import bits

LONG = NamedChain(key="long", label="Long", leaders=2, firms=120, tier_shares=(0.1, 0.2, 0.3, 0.4), county="Qingxu", clustering=0.7)
SHORT = NamedChain(key="short", label="Short", leaders=3, firms=60, tier_shares=(0.8, 0.2), problem_mix=(2.0, 1.0, 0.5, 0.0))
SHAPE = Region(firms=300, chains=4, leaders=6, counties=5, county_names=("Datong",))


def world(named: tuple[NamedChain, ...], region: Region = SHAPE) -> StrongchainModel:
    return StrongchainModel(region, rng=2, burn_in=2, chains=named)


@pytest.fixture(scope="module")
def model() -> StrongchainModel:
    """Two chains alone, as a region has them."""
    named = (LONG, SHORT)
    return world(named, SHAPE.of_chains(named))


def test_a_region_of_named_chains_has_their_firms_and_leaders_and_institutions_in_proportion():
    part = Region(firms=3_000, chains=10, leaders=25, stations=30, chain_heads=10, sectors=20).of_chains((LONG, SHORT))
    assert (part.chains, part.leaders, part.firms, part.stations, part.chain_heads, part.sectors) == (2, 5, 180, 2, 2, 4)
    assert part.chain_names == ("Long", "Short")
    assert part.stations * part.station_capacity / part.firms == pytest.approx(30 * 2.0 / 3_000)
    plain = NamedChain(key="plain", label="Plain")
    assert Region(firms=3_000, chains=10, leaders=25).of_chains((plain,)).firms == 300, "as many as a chain of the region has"


def test_leaders_firms_and_tiers_are_those_of_the_chain(model):
    firms = model.firms
    assert model.network.chains == ("Long", "Short")
    assert np.bincount(firms.chain[firms.is_leader]).tolist() == [2, 3]
    assert np.bincount(firms.chain)[0] == pytest.approx(120, abs=4 * np.sqrt(180 * 2 / 3 / 3))
    for k, chain in enumerate((LONG, SHORT)):
        members = model.network.tier[(model.network.chain == k) & ~model.network.leader]
        shares = np.bincount(members, minlength=6)[1 : len(chain.tier_shares) + 1] / members.size
        assert shares == pytest.approx(np.array(chain.tier_shares) / sum(chain.tier_shares), abs=1.0 / members.size)


def test_firms_cluster_in_the_county_of_their_chain(model):
    """A county that the region does not name takes the place of the next one; the chain without one is spread."""
    assert model.county_names == ("Datong", "Qingxu", "County 3", "County 4", "County 5")
    for k, share in ((0, 0.7 + 0.3 / 5), (1, 1 / 5)):
        there = model.firms.county[model.firms.chain == k] == 1
        assert there.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / there.size))


def test_kinds_of_problem_arise_as_often_as_the_chain_says(model):
    plain = model.chains.problem_mix.copy()
    mixed = problem_pressure(model)
    model.chains.problem_mix[:] = 1.0
    alike = problem_pressure(model)
    model.chains.problem_mix[:] = plain
    assert np.array_equal(mixed, alike * np.array([LONG.problem_mix, SHORT.problem_mix])[model.firms.chain])
    assert model.firms.problems_opened[model.firms.chain == 1].size


def test_chains_with_names_come_first_and_the_others_are_alike():
    model = world((LONG,))
    assert model.network.chains == ("Long", "Chain 2", "Chain 3", "Chain 4")
    leaders = np.bincount(model.firms.chain[model.firms.is_leader], minlength=4)
    assert leaders.tolist() == [2, 2, 1, 1]
    others = np.bincount(model.firms.chain, minlength=4)[1:]
    assert others == pytest.approx(60, abs=4 * np.sqrt(60))


def test_without_named_chains_no_bit_is_different():
    assert bits(world(())) == bits(StrongchainModel(SHAPE, rng=2, burn_in=2))


def test_loss_begins_where_a_chain_has_its_firms():
    """In the long chain further from users than in the short one, in every replicate tried."""
    for seed in range(3):
        shares = []
        for chain in (LONG, SHORT):
            made = StrongchainModel(SHAPE.of_chains((chain,)), rng=seed, burn_in=6, chains=(chain,))
            loss = quality_map(made).by_firm
            shares.append(loss[made.network.tier >= 2].sum() / loss.sum())
        assert shares[0] > shares[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"leaders": 0}, r"chain\.a\.leaders is 0"),
        ({"clustering": 1.5}, r"chain\.a\.clustering is 1\.5"),
        ({"problem_mix": (1.0, 2.0)}, r"chain\.a\.problem_mix is \(1\.0, 2\.0\); it must be 4 numbers"),
        ({"tier_shares": (0.0, 0.0)}, r"chain\.a\.tier_shares is .*at least one entry must be above 0"),
        ({"makes": ("cars",)}, r"chain\.a\.makes names 1 goods; it must name 6"),
        ({"firms": 2}, r"chain\.a\.firms is 2, not more than its 2 leaders"),
        ({"sources": {"leeders": "x"}}, r"chain\.a\.sources names 'leeders'"),
    ],
)
def test_a_mistake_in_a_chain_is_named(wrong, said):
    with pytest.raises(ParameterError, match=said):
        NamedChain(key="a", label="A", **wrong)
