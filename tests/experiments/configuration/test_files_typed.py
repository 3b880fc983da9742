"""A network from a file as it is typed: its runs count by what was read, and its file must stay as it is meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

import experiments.configuration.settings as configuration
from experiments.configuration.preflight import check_overrides
from experiments.configuration.settings import Arm, SettingsError, compose_settings, read_settings
from experiments.runs.store import run_keys
from sim import NetworkError
from sim.build.from_file import from_file

CHAIN = "supplier,customer\n南通一厂,无锡铸造\n无锡铸造,上海整车\n"


def keys(path: Path, *others: str) -> list[list[str]]:
    """The keys of the runs of a chain."""
    overrides, mistakes = check_overrides(["network=file", f"network.path={path}", *others])
    assert not mistakes
    settings = read_settings(compose_settings(overrides))
    return run_keys([Arm("base", settings.world, ())], [(1, 2)], settings.task)


@pytest.mark.study
def test_runs_do_not_depend_on_bounds_nor_on_the_name_of_a_file_nor_on_whether_its_encoding_was_typed(tmp_path):
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    for path in (one, other):
        path.write_bytes(CHAIN.encode("gb18030"))
    first = keys(one)
    assert keys(other) == keys(one, "network.encoding=gbk") == keys(one, "network.most_rows=10", "network.most_megabytes=1") == first
    other.write_bytes(CHAIN.replace("一", "二").encode("gb18030"))
    assert keys(other) != first


def test_bounds_are_kept_before_the_bytes_of_a_file_are_counted(tmp_path):
    path = tmp_path / "chain.csv"
    path.write_text(CHAIN + "," * 1_000_000, encoding="utf-8")
    with pytest.raises(NetworkError, match=r"chain\.csv has 1\.0 MB, .* raise network\.most_megabytes"):
        keys(path, "network.most_megabytes=1")


def test_a_file_that_changes_while_it_is_read_is_refused_in_one_line(tmp_path, monkeypatch):
    path = tmp_path / "chain.csv"
    path.write_text(CHAIN, encoding="utf-8")

    def reading(settings):
        network = from_file(settings)
        path.write_text(CHAIN + "南通一厂,上海整车\n", encoding="utf-8")
        return network

    with monkeypatch.context() as patch:
        patch.setattr(configuration, "from_file", reading)
        with pytest.raises(SettingsError, match=r"chain\.csv changed while it was read; run this again") as caught:
            keys(path)
    assert "\n" not in str(caught.value)
    assert keys(path)
