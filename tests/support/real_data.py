"""Where real data lies that tests may use and the project does not ship."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.places import ROOT


def real_data(*parts: str) -> Path:
    """Return the path of real data, or skip the test where it is absent.

    The folder is the environment variable ``STRONGCHAIN_DATA``, or ``../shared/data`` next to the repository.
    """
    root = Path(os.environ.get("STRONGCHAIN_DATA") or ROOT.parent / "shared" / "data")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not here; set STRONGCHAIN_DATA to the folder that holds it")
    return path
