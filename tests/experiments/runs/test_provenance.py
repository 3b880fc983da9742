"""What a manifest says of versions, wherever the code comes from."""

from __future__ import annotations

import importlib.metadata
import tomllib

import pytest

from experiments.runs.provenance import version
from tests.support.places import ROOT


def test_a_clone_that_is_not_installed_has_the_version_of_its_own_declaration(monkeypatch):
    def not_installed(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", not_installed)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert version("strongchain") == declared
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        version("numpy")
