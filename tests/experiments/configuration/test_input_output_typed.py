"""A network from an input-output table as it is typed: chosen, checked before anything starts, identified by the bytes of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import compare
from experiments.configuration.preflight import check_overrides
from experiments.configuration.settings import compose_settings, read_settings
from experiments.runs.store import run_keys
from sim import NetworkError
from sim.build.input_output import SectorEconomy
from tests.sim.build.test_input_output import FLOWS, SECTORS, written

pytestmark = pytest.mark.study  # configurations are composed, each in a fifth of a second

KEYS = [(1, 2)]


def overrides(path: Path, *others: str) -> list[str]:
    """The overrides for a small table."""
    chosen = ["network=input_output", f"network.path={path}", "network.firms=60", "network.chains=2", "network.leaders=4", *others]
    readable, mistakes = check_overrides(chosen)
    assert not mistakes
    return readable


def keys(path: Path) -> list[list[str]]:
    settings = read_settings(compose_settings(overrides(path)))
    return run_keys([_arm(settings)], KEYS, settings.task)


def _arm(settings):
    from experiments.configuration.settings import Arm

    return Arm("base", settings.world, ())


def test_the_network_is_read_as_typed(tmp_path):
    path = written(tmp_path)
    world = read_settings(compose_settings(overrides(path, "network.keep=[A,B,C]", "network.domestic=true"))).world
    assert isinstance(world.network, SectorEconomy)
    assert world.network.table.codes == ("A", "B", "C")
    assert world.firms == 60
    assert [Path(name).name for name, _ in world.files] == ["table_Z.csv", "table_sectors.csv"]


@pytest.mark.parametrize("folder", ["省 投入产出", "a,b"])
def test_chinese_names_blanks_and_commas_just_work(tmp_path, folder):
    (tmp_path / folder).mkdir()
    path = written(tmp_path / folder)
    sectors = path.with_name("部门 表,1.csv")
    path.with_name("table_sectors.csv").rename(sectors)
    world = read_settings(compose_settings(overrides(path, f"network.sectors_path={sectors}"))).world
    assert world.network.table.codes == ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("network.path=missing_Z.csv", "there is no file 'missing_Z.csv'"),
        ("network.sectors_path=missing.csv", "there is no file 'missing.csv'"),
        ("network.chain_sector=[A]", "did you mean 'network.chain_sectors'"),
        ("network.coverage=2", "network.coverage is 2; it must lie in 0.5 … 1 (share)"),
        ("network.domestic=perhaps", "network.domestic is 'perhaps'; it must be true or false"),
        ("network.tier_shares=[1]", "type network=synthetic, or leave the setting out"),
        ("network=input_outputs", "did you mean 'input_output'"),
    ],
)
def test_mistakes_are_reported_before_anything_starts(word, expected):
    _, mistakes = check_overrides([*(["network=input_output"] if not word.startswith("network=") else []), word])
    assert any(expected in mistake for mistake in mistakes), mistakes


@pytest.mark.study
def test_a_byte_of_either_file_makes_other_runs_and_a_name_does_not(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    first = keys(written(tmp_path / "one"))
    assert keys(written(tmp_path / "other")) == first
    assert keys(written(tmp_path / "one", FLOWS + "\n")) != first
    assert keys(written(tmp_path / "one", FLOWS, SECTORS + "\n")) != first
    assert keys(written(tmp_path / "one")) == first


def test_a_missing_file_of_sectors_is_reported_before_anything_starts(tmp_path):
    path = written(tmp_path)
    (tmp_path / "table_sectors.csv").unlink()
    with pytest.raises(NetworkError, match=r"there is no file .*table_sectors\.csv"):
        read_settings(compose_settings(overrides(path)))


def test_policies_are_compared_on_it(tmp_path):
    path = written(tmp_path, FLOWS.replace("A,10,40,5,1", "A,10,70,15,20"))
    chosen = overrides(
        path, "region=sample", "instruments=[cqo]", "months=6", "window=3", "replicates=2", "burn_in=2", "parallel.backend=sequential"
    )
    comparison = compare(*chosen, keep=None)
    assert {"nothing", "cqo"} <= set(comparison.manifest["arms"])
    assert any("raised to 0" in note for note in comparison.manifest["network_notes"])
    assert len(comparison.manifest["input_files"]) == 2
