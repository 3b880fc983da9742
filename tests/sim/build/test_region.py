"""Regions: that the world built from one has its figures, and what a scaled one keeps. Where figures were read: test_regions.py."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from experiments.configuration.settings import compose_settings, read_settings
from sim import Region, StrongchainModel
from sim.parameters import ParameterError, declared
from tests.support.places import ROOT

REGIONS = {path.stem: path for path in sorted((ROOT / "configs" / "region").glob("*.yaml"))}
LIAONING = {"chains": 16, "leaders": 24, "firms": 1755, "chain_heads": 20, "stations": 0}


@cache
def region(key: str) -> Region:
    """A region as its file describes it."""
    return read_settings(compose_settings([f"region={key}", "scale=1"])).world.region


@pytest.fixture(scope="module")
def liaoning() -> StrongchainModel:
    """With the 30 stations of its policy standing."""
    return StrongchainModel(replace(region("liaoning"), stations=30), burn_in=0)


# -- the files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", REGIONS)
def test_a_file_makes_a_region_of_its_name(key):
    assert region(key).key == key


def test_liaoning_has_its_published_structure():
    built = region("liaoning")
    assert {name: getattr(built, name) for name in LIAONING} == LIAONING


def test_the_sample_says_that_it_is_invented():
    sample = region("sample")
    for f in declared(Region):
        assert getattr(sample, f.name) == f.default
        assert f.metadata["confidence"] != "N" or "assumption" in f.metadata["source"]


# -- the world -----------------------------------------------------------------------------------------


def test_the_world_of_liaoning_has_its_numbers(liaoning):
    assert liaoning.firms.n == 1755
    assert liaoning.firms.is_leader.sum() == 24
    assert liaoning.stations.n == 30
    assert liaoning.chain_heads.n == 20
    assert liaoning.chains.n == len(liaoning.network.chains) == 16


def test_every_chain_of_liaoning_has_a_leader_a_member_and_a_head(liaoning):
    firms = liaoning.firms
    assert set(firms.chain[firms.is_leader]) == set(firms.chain[~firms.is_leader]) == set(range(16))
    assert set(liaoning.chain_heads.chain) == set(range(16))


def test_the_world_of_liaoning_has_its_shares(liaoning):
    """Drawn shares lie within four standard errors of what the region says."""
    place, firms, stations = liaoning.region, liaoning.firms, liaoning.stations
    for share, drawn in ((place.awareness, firms.knows_stations), (place.officers, firms.cqo)):
        assert drawn.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / firms.n))
    assert stations.online.sum() == round(place.station_online * 30)
    assert set(firms.county) <= set(range(place.counties))
    assert np.all(stations.capacity == place.station_capacity) and np.all(stations.fee == place.station_fee)
    assert np.all(stations.competence == place.station_competence)
    assert np.median(12 * liaoning.network.steady_orders()) == pytest.approx(place.median_revenue, rel=1e-6)


@pytest.mark.parametrize("key", REGIONS)
def test_no_standing_station_belongs_to_a_programme(key):
    whole = region(key)
    model = StrongchainModel(whole.scaled(min(1.0, 200 / whole.firms)), burn_in=0)
    assert not model.stations.programme.any()
    assert not model.programmes


# -- other sizes ---------------------------------------------------------------------------------------


def test_a_tenth_of_liaoning_has_a_tenth_of_everything():
    small = region("liaoning").scaled(0.1)
    assert (small.chains, small.leaders, small.firms, small.chain_heads, small.stations) == (2, 2, 176, 2, 0)
    model = StrongchainModel(small, burn_in=0)
    assert (model.firms.n, int(model.firms.is_leader.sum()), model.chains.n, model.stations.n, model.chain_heads.n) == (176, 2, 2, 0, 2)


@pytest.mark.parametrize("key", REGIONS)
@pytest.mark.parametrize("scale", [1e-6, 0.01, 0.1, 0.5, 1.0, 3.0])
def test_a_scaled_region_is_a_region(key, scale):
    """At least one of each where there was one; as many cases served per firm; nothing else changes."""
    whole = region(key)
    part = whole.scaled(scale)
    counts = {"chains", "leaders", "firms", "chain_heads", "counties", "sectors", "stations"}
    for f in fields(Region):
        if f.name in counts:
            assert getattr(part, f.name) >= min(1, getattr(whole, f.name))
        elif f.name == "county_names":
            assert part.county_names == whole.county_names[: part.counties]
        elif f.name == "chain_names":
            assert part.chain_names == whole.chain_names[: part.chains]
        elif f.name != "station_capacity":
            assert getattr(part, f.name) == getattr(whole, f.name)
    served = [one.stations * one.station_capacity / one.firms for one in (part, whole)]
    assert served[0] == pytest.approx(served[1], rel=1e-12)
    assert part.chains <= part.leaders < part.firms
    if scale == 1.0:
        assert part == whole


@pytest.mark.parametrize("key", REGIONS)
@pytest.mark.parametrize("scale", [0.1, 0.3, 0.5])
def test_a_scaled_region_keeps_its_structure(key, scale):
    """What there is to a chain stays as much as a whole number of chains, and of what there is, allow."""
    whole = region(key)
    part = whole.scaled(scale)
    for name in ("firms", "leaders", "sectors"):
        kept = [getattr(one, name) / one.chains for one in (part, whole)]
        # Both counts are off by half at most, or lifted to one.
        loose = 1.0 / (2.0 * min(whole.chains * scale, getattr(whole, name) * scale)) if whole.chains * scale >= 1 else np.inf
        assert kept[0] == pytest.approx(kept[1], rel=2.5 * loose)
    if whole.sectors == whole.chains:
        assert part.sectors == part.chains  # one home sector a chain


def test_a_scaled_figure_stays_within_its_range():
    large = Region(sectors=800, stations=3, station_capacity=9_000.0).scaled(1.5)
    assert (large.sectors, large.stations) == (1_000, 4)
    assert Region(sectors=800, stations=3, station_capacity=9_000.0, firms=400).scaled(0.4).station_capacity == 10_000.0


def test_a_count_of_0_stays_0_at_any_scale():
    assert Region(stations=0, chain_heads=0).scaled(0.5).stations == Region(stations=0, chain_heads=0).scaled(0.5).chain_heads == 0


def test_names_of_chains_are_scaled_with_them():
    named = Region(chain_names=("robots", "ships", "steel", "food"))
    assert named.scaled(0.5).chain_names == ("robots", "ships")


# -- contradictions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"chains": 5, "leaders": 4}, "every chain needs a leader"),
        ({"firms": 6, "leaders": 6}, "the leaders are among the firms"),
        ({"firms": 3, "leaders": 6}, "the leaders are among the firms"),
        ({"sources": {"chain": "assumption"}}, "'chain', which is no figure of a region"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(figures, expected):
    with pytest.raises(ParameterError, match=r"^region\.") as refused:
        Region(**figures)
    assert expected in str(refused.value)
