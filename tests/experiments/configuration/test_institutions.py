"""Institutions with a network that is not the region's own: in proportion to it, or as they were typed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from experiments import compare, load, world
from experiments.configuration import files
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import WorldSettings, compose_settings, institutions, marked, read_arm, read_settings
from experiments.studies.compare import arms_of
from experiments.studies.rerun import main, read_study
from sim import Region, SupplyNetwork, Synthetic

pytestmark = pytest.mark.study  # configurations are composed, each in a fifth of a second

QUICK = ("months=2", "burn_in=2", "replicates=2", "parallel=serial")
MADE = ("region=nanping", "network=synthetic", "network.firms=300", "network.chains=4")


@pytest.fixture
def chain(tmp_path) -> Path:
    """300 firms behind four leaders, and no county."""
    rows = [f"f{k},{f'L{k % 4}' if k < 60 else f'f{k % 60}'}" for k in range(296)]
    path = tmp_path / "chain.csv"
    path.write_text("\n".join(["supplier,customer", *rows]) + "\n", encoding="utf-8")
    return path


def world_of(*overrides: str) -> WorldSettings:
    return read_settings(compose_settings(preflight(overrides))).world


def counts(region: Region) -> tuple[int, int, int]:
    return region.stations, region.chain_heads, region.counties


@pytest.mark.parametrize("network", ["file", "synthetic"])
def test_a_network_gets_institutions_in_proportion_to_its_firms_and_chains(network, chain):
    """Nanping: 5 stations and 10 counties of 220 firms, a chain head of one chain."""
    overrides = MADE if network == "synthetic" else ("region=nanping", "network=file", f"network.path={chain}")
    made = world_of(*overrides)
    assert (made.firms, made.chains) == (300, 4)
    assert counts(made.region) == (7, 4, 14)
    assert made.region.station_capacity * 7 / 300 == pytest.approx(14.5 * 5 / 220, rel=1e-12)


def test_the_world_has_the_numbers_that_are_stated():
    model = world(*MADE, "network.leaders=6", "burn_in=0")
    assert (model.stations.n, model.chain_heads.n, int(model.firms.county.max()) + 1) == (7, 4, 14)


@pytest.mark.study
def test_the_regions_own_network_and_one_of_its_size_change_nothing():
    assert counts(world_of("region=nanping").region) == (5, 1, 10)
    same = world_of("region=sample", "network=synthetic").region
    assert same == world_of("region=sample").region and same.station_capacity == 2.0


@pytest.mark.study
def test_what_is_typed_is_taken_as_typed():
    typed = world_of(*MADE, "region.stations=5", "region.counties=3").region
    assert counts(typed) == (5, 4, 3), "even the region's own number"
    assert typed.station_capacity == 14.5, "how many cases a station serves goes with how many there are"
    assert world_of(*MADE, "region={stations: 7}").region.stations == 7
    none = world_of(*MADE, "region.stations=0").region
    assert none.stations == 0
    assert world_of(*MADE, "region.station_capacity=9").region.station_capacity == 9.0


def test_what_an_experiment_sets_is_taken_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text("# @package _global_\nmonths: 6\nregion: {stations: 8}\n", encoding="utf-8")
    config = compose_settings(MADE)
    config.region.stations = 8  # as Hydra composes it
    with monkeypatch.context() as patch:
        patch.setattr(files, "CONFIGS", tmp_path)
        noted = marked(config, ["+experiment=mine", *MADE])
    assert counts(read_settings(noted).world.region) == (8, 4, 14)


def test_what_is_typed_for_one_arm_holds_for_that_arm():
    overrides = [*MADE[:2], "study.arms={nothing: ['instruments=[]'], more: ['region.stations=9'], own: ['network=region']}"]
    arms = {arm.name: arm.world.region for arm in arms_of(read_settings(compose_settings(overrides)), overrides)}
    assert [arms[name].stations for name in ("nothing", "more", "own")] == [7, 9, 5]


def test_counties_are_those_of_the_file_where_it_has_any(tmp_path):
    links, firms = tmp_path / "links.csv", tmp_path / "firms.csv"
    links.write_text("supplier,customer\na,L\nb,L\n", encoding="utf-8")
    firms.write_text("firm,county\nL,east\na,west\nb,north\n", encoding="utf-8")
    overrides = ("region=nanping", "network=file", f"network.path={links}", f"network.nodes={firms}", "instruments=[]")
    settings = read_settings(compose_settings(overrides))
    assert counts(settings.world.region) == (1, 1, 3)
    [arm] = arms_of(settings, overrides)
    assert institutions(arm) == (
        "institutions for 3 firms and 1 chain, in proportion to Nanping: 1 station, 1 chain head, 3 counties (as in the file); "
        "to change them, set region.stations, region.chain_heads, region.counties"
    )


def test_a_region_fits_any_network_and_keeps_its_ranges():
    whole = Region(firms=100, chains=1, leaders=1, stations=50, chain_heads=9, counties=10)
    assert counts(whole.fitted(1, 1)) == (1, 9, 1)
    huge = whole.fitted(2_000_000, 2_000_000)
    assert counts(huge) == (100_000, 10_000, 10_000)
    assert Region(stations=0, chain_heads=0).fitted(30, 1).stations == 0
    assert whole.fitted(100, 1) == whole


# -- printed, stored and run again-----------------------------------------------------------------------


@pytest.mark.study
def test_the_numbers_are_printed_before_the_run_and_stored_and_a_rerun_has_them(chain, tmp_path, capsys):
    overrides = ("region=nanping", "network=file", f"network.path={chain}", "instruments=[one_stop_stations]", "region.stations=7")
    comparison = compare(*QUICK, *overrides, progress=True)
    message = (
        "institutions for 300 firms and 4 chains, in proportion to Nanping: 7 stations (as typed), 4 chain heads, 14 counties; "
        "to change them, set region.stations, region.chain_heads, region.counties"
    )
    assert message in " ".join(capsys.readouterr().out.split())
    assert message in comparison.manifest["notes"]
    for one in (comparison.manifest["configuration"], *comparison.manifest["arms"].values()):
        assert [one["region"][name] for name in ("stations", "chain_heads", "counties", "station_capacity")] == [7, 4, 14, 14.5]
    comparison.save(tmp_path / "study")
    _, arms, _ = read_study(tmp_path / "study")
    assert {counts(arm.world.region) for arm in arms} == {(7, 4, 14)}
    assert main([str(tmp_path / "study")]) == 0
    again = load(tmp_path / "study_rerun")
    assert message in again.manifest["notes"]
    pd.testing.assert_frame_equal(again.runs, load(tmp_path / "study").runs)


def test_an_arm_read_again_from_its_own_configuration_is_the_same():
    overrides = (*MADE, "instruments=[]")
    [arm] = arms_of(read_settings(compose_settings(overrides)), overrides)
    again = read_arm(arm.name, arm.configuration)
    assert again.world == arm.world and again.configuration == arm.configuration
    assert isinstance(again.world.network, Synthetic) and not isinstance(again.world.network, SupplyNetwork)
