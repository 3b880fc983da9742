"""Files as they are kept: whole or not at all, and with a checksum of every byte."""

from __future__ import annotations

import os
import random

import pytest

from experiments.runs.files import (
    SUMS,
    Damaged,
    damages,
    read_regular,
    sealed,
    sums_of,
    unsealed,
    update_sums,
    write_sums,
    write_whole,
    written_whole,
)


def test_a_link_at_the_name_of_a_file_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "foreign").write_bytes(b"thesis")
    (tmp_path / "table.csv").symlink_to(tmp_path / "foreign")
    write_whole(tmp_path / "table.csv", b"ours")
    assert (tmp_path / "foreign").read_bytes() == b"thesis"
    assert not (tmp_path / "table.csv").is_symlink() and (tmp_path / "table.csv").read_bytes() == b"ours"


def test_a_file_that_fails_half_way_is_not_there(tmp_path):
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "a") as part:
        part.write_bytes(b"half")
        raise ZeroDivisionError
    with written_whole(tmp_path / "b"):
        pass  # nothing was to be written
    assert not list(tmp_path.iterdir())


def test_a_pipe_is_not_waited_for_and_a_large_file_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no regular file"):
        read_regular(tmp_path / "pipe", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(ValueError, match="it must have at most 10"):
        read_regular(tmp_path / "large", 10)
    assert read_regular(tmp_path / "large", 11) == b"x" * 11


def test_every_bit_of_a_sealed_file_and_its_name_count():
    whole = sealed(b"what was measured", "a")
    assert unsealed(whole, "a") == b"what was measured"
    with pytest.raises(Damaged, match="another name"):
        unsealed(whole, "b")
    for at in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[at // 8] ^= 1 << at % 8
        with pytest.raises(Damaged):
            unsealed(bytes(damaged), "a")


def test_what_changed_in_a_folder_is_listed(tmp_path):
    for name in ("a.csv", "质量.csv", "0/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    write_sums(tmp_path, {"manifest.json": b"{}"})
    assert set(sums_of(tmp_path)) == {"a.csv", "质量.csv", "0/b.csv", "manifest.json"}
    assert not damages(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"b.csv")
    (tmp_path / "0" / "b.csv").unlink()
    assert damages(tmp_path) == [f"{tmp_path / '0/b.csv'} is missing", f"{tmp_path / 'a.csv'} was changed or damaged"]
    assert damages(tmp_path, ("质量.csv",)) == []
    (tmp_path / "new.csv").touch()
    assert damages(tmp_path, ("new.csv",)) == [f"{tmp_path / 'new.csv'} is not in {SUMS}"]


def test_a_file_that_is_written_again_is_listed_again(tmp_path):
    (tmp_path / "report.html").write_bytes(b"first")
    update_sums(tmp_path, "report.html")
    assert not (tmp_path / SUMS).exists(), "a folder without a list gets none"
    write_sums(tmp_path, {"manifest.json": b"{}"})
    (tmp_path / "report.html").write_bytes(b"in Chinese")
    assert damages(tmp_path)
    update_sums(tmp_path, "report.html")
    assert not damages(tmp_path)


def test_every_bit_of_the_list_counts(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a")
    (tmp_path / "b.csv").write_bytes(b"b")
    write_sums(tmp_path, {})
    whole = (tmp_path / SUMS).read_bytes()
    draw = random.Random(3)
    for at in draw.sample(range(8 * len(whole)), 300):
        damaged = bytearray(whole)
        damaged[at // 8] ^= 1 << at % 8
        (tmp_path / SUMS).write_bytes(damaged)
        assert damages(tmp_path), f"bit {at}"


@pytest.mark.parametrize("name", ["../foreign", "/etc/hosts", "a/../../b", "a/b/c"])
def test_a_list_names_nothing_outside_its_folder(tmp_path, name):
    (tmp_path / SUMS).write_text(f"{'0' * 64}  {name}\n", encoding="utf-8")
    assert damages(tmp_path) == [f"{tmp_path / SUMS} was changed or damaged"]


def test_a_list_that_is_missing_is_said(tmp_path):
    assert damages(tmp_path) == [f"{tmp_path / SUMS} is missing"]
