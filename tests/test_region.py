"""Regions: what they say of a place, where it was read, and that the world built from them has it."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from experiments.settings import compose_settings, read_settings
from sim import Region, StrongchainModel
from sim.parameters import ParameterError, declared

ROOT = Path(__file__).resolve().parent.parent
REGIONS = {path.stem: path for path in sorted((ROOT / "configs" / "region").glob("*.yaml"))}
#: The collected facts; their documents lie outside the repository.
FACTS = Path(os.environ.get("STRONGCHAIN_FACTS") or ROOT.parent / "shared" / "facts" / "regions.csv")
FACT = re.compile(r"\bF\d{3}\b")
OFFICIAL = re.compile(r"\bofficial\b")
LIAONING = {"chains": 16, "leaders": 24, "firms": 1755, "chain_heads": 20, "stations": 30}
#: Places of which a region may cite facts that are not its own: the figure says so itself.
BORROWED = {"F050": "Guangdong", "F051": "Guangdong"}
PLACES = {"liaoning": "Liaoning"}


def region(key: str) -> Region:
    """A region as its file describes it."""
    return read_settings(compose_settings([f"region={key}", "scale=1"])).world.region


def facts() -> dict[str, dict[str, str]]:
    if not FACTS.is_file():
        pytest.skip(f"the collected facts are not here ({FACTS}); STRONGCHAIN_FACTS=FILE says where they are")
    with FACTS.open(encoding="utf-8-sig", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def liaoning() -> StrongchainModel:
    return StrongchainModel(region("liaoning"), burn_in=0)


# -- the files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", REGIONS)
def test_a_file_makes_a_region_of_its_name(key):
    assert region(key).key == key


def test_liaoning_has_its_published_structure():
    built = region("liaoning")
    assert {name: getattr(built, name) for name in LIAONING} == LIAONING


@pytest.mark.parametrize("key", [key for key in REGIONS if key != "sample"])
def test_every_figure_of_a_real_region_has_a_source(key):
    sources = region(key).sources
    for f in declared(Region):
        source = sources.get(f.name, "")
        assert FACT.search(source) or "assumption" in source or OFFICIAL.search(source), f"{key}.{f.name} has no source: {source!r}"


@pytest.mark.parametrize("key", [key for key in REGIONS if key != "sample"])
def test_a_cited_fact_exists_is_of_the_region_and_has_the_value(key):
    known, built = facts(), region(key)
    for name, source in built.sources.items():
        cited = FACT.findall(source)
        for fact in cited:
            assert fact in known, f"{key}.{name} cites {fact}, which is no fact"
            place = BORROWED.get(fact, PLACES[key])
            assert place in known[fact]["place"], f"{key}.{name} cites {fact}, which is of {known[fact]['place']}"
            assert fact not in BORROWED or place in source, f"{key}.{name} cites a fact of {place} without saying so"
        values = [float(known[fact]["value"]) for fact in cited]
        if len(cited) == 1:
            assert values[0] == getattr(built, name), f"{key}.{name} is {getattr(built, name)}, but {cited[0]} says {values[0]:g}"
        elif cited:
            assert "/" in source and len(cited) == 2
            assert values[0] / values[1] == pytest.approx(getattr(built, name), rel=0.01)


def test_the_sample_says_that_it_is_invented():
    for f in declared(Region):
        assert getattr(region("sample"), f.name) == f.default
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
    model = StrongchainModel(region(key).scaled(0.1), burn_in=0)
    assert not model.stations.programme.any()
    assert not model.programmes


# -- other sizes ---------------------------------------------------------------------------------------


def test_a_tenth_of_liaoning_has_a_tenth_of_everything():
    small = region("liaoning").scaled(0.1)
    assert (small.chains, small.leaders, small.firms, small.chain_heads, small.stations) == (2, 2, 176, 2, 3)
    model = StrongchainModel(small, burn_in=0)
    assert (model.firms.n, int(model.firms.is_leader.sum()), model.chains.n, model.stations.n, model.chain_heads.n) == (176, 2, 2, 3, 2)


@pytest.mark.parametrize("key", REGIONS)
@pytest.mark.parametrize("scale", [1e-6, 0.01, 0.1, 0.5, 1.0, 3.0])
def test_a_scaled_region_is_a_region(key, scale):
    """At least one of each where there was one; nothing else changes."""
    whole = region(key)
    part = whole.scaled(scale)
    counts = {"chains", "leaders", "firms", "chain_heads", "counties", "stations"}
    for f in fields(Region):
        if f.name in counts:
            assert getattr(part, f.name) >= min(1, getattr(whole, f.name))
        else:
            assert getattr(part, f.name) == getattr(whole, f.name)
    assert part.chains <= part.leaders < part.firms
    if scale == 1.0:
        assert part == whole


def test_nothing_is_scaled_up_from_none():
    assert Region(stations=0, chain_heads=0).scaled(0.5).stations == Region(stations=0, chain_heads=0).scaled(0.5).chain_heads == 0


def test_names_of_chains_are_scaled_with_them():
    named = Region(chain_names=("robots", "ships", "steel", "food"))
    assert named.scaled(0.5).chain_names == ("robots", "ships")


# -- contradictions --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"chains": 5, "leaders": 4}, "every chain needs a leader"),
        ({"firms": 6, "leaders": 6}, "the leaders are among the firms"),
        ({"firms": 3, "leaders": 6}, "the leaders are among the firms"),
        ({"sources": {"chain": "assumption"}}, "'chain', which is no figure of a region"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(figures, says):
    with pytest.raises(ParameterError, match=r"^region\.") as refused:
        Region(**figures)
    assert says in str(refused.value)
