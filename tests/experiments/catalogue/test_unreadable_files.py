"""One file of the configuration that cannot be read hides no other in lists and explanations."""

from __future__ import annotations

import shutil

import pytest

from experiments.catalogue.portfolios import portfolios
from experiments.commands import verbs
from experiments.configuration import files
from experiments.configuration.preflight import preflight
from experiments.configuration.settings import SettingsError

BAD = {
    "no settings": b"- a\n- b\n",
    "a number": b"3\n",
    "an unknown setting": b"nonsense: 3\n",
    "a wrong type": "median_revenue: é\n".encode(),
    "a key twice": b"firms: 3\nfirms: 4\n",
    "a merge of nothing": b"<<: x\n",
    "no UTF-8": b"\xff\xfe\x00firms: 3\n",
    "nested": b"[" * 3_000,
    "a list of instruments": b"instruments: [cqo]\nportfolio: 3\n",
}


@pytest.fixture
def configs(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    shutil.copytree(files.CONFIGS, folder)
    monkeypatch.setattr(files, "CONFIGS", folder)
    portfolios.cache_clear()
    yield folder
    portfolios.cache_clear()


@pytest.mark.study
@pytest.mark.parametrize(
    "content", [pytest.param(BAD[name], marks=pytest.mark.full) if name == "nested" else BAD[name] for name in BAD], ids=BAD
)
def test_lists_and_explanations_go_on(configs, content, capsys):
    for group in ("region", "policy", "experiment"):
        (configs / group / "bad.yaml").write_bytes(content)
    for arguments in (["regions"], ["policies"], ["experiments"], ["explain", "cqo"]):
        capsys.readouterr()
        assert verbs.main(arguments) == 0
        printed = capsys.readouterr()
        assert len(printed.out.splitlines()) > 3
        for line in printed.err.splitlines():
            assert line.startswith("warning: configs/") and "bad.yaml cannot be read and is left out: " in line
    if content == BAD["no UTF-8"]:
        with pytest.raises(SettingsError, match=r"configs/region/bad\.yaml: cannot be read"):
            preflight(["region=bad"])


def test_a_file_that_stands_for_a_billion_values_is_refused_at_once(configs):
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]", *(f"{n}: &{n} [{','.join([f'*{m}'] * 9)}]" for m, n in zip("abcdefgh", "bcdefghi", strict=True))]
    (configs / "policy" / "laughs.yaml").write_text("# @package _global_\n" + "\n".join(lines), encoding="utf-8")
    with pytest.raises(SettingsError, match="laughs.yaml refers to a part of itself"):
        preflight(["region=sample"])
