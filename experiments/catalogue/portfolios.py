"""The portfolios of instruments in configs/policy: which instruments each portfolio activates, with which levers, from which sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from experiments.configuration.files import each_file
from experiments.languages.wording import say

__all__ = ["EMPTY", "Portfolio", "portfolios", "read_portfolio"]

#: Files of the group that hold no instruments.
EMPTY = ("custom", "none")


@dataclass(frozen=True)
class Portfolio:
    """One file of configs/policy.

    Attributes
    ----------
    key, label, label_zh : str
    instruments : tuple of str
        Those that it switches on.
    levers : dict of str to Any
        The values that it sets, by path (``instruments.cqo.reach``).
    sources : dict of str to str
        By the path of an instrument or a lever.
    reported : dict of str to str
        What the place reports to have delivered, by instrument and count (``one_stop_stations.stations``).
    about : str
        What the head of the file says.
    """

    key: str
    label: str
    label_zh: str
    instruments: tuple[str, ...]
    levers: Mapping[str, Any]
    sources: Mapping[str, str]
    reported: Mapping[str, str]
    about: str

    @property
    def paths(self) -> list[str]:
        """Everything that needs a source: each active instrument, then its levers."""
        others = [path for path in self.levers if path.split(".")[1] not in self.instruments]
        ours = [[f"instruments.{key}", *(path for path in self.levers if path.split(".")[1] == key)] for key in self.instruments]
        return [*(path for paths in ours for path in paths), *others]

    @property
    def unsourced(self) -> list[str]:
        """Instruments and levers without a source."""
        return [path for path in self.paths if not str(self.sources.get(path, "")).strip()]


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        yield from _leaves(value, f"{prefix}.{name}") if isinstance(value, dict) else [(f"{prefix}.{name}", value)]


def read_portfolio(path: Path) -> Portfolio:
    """Read one file of configs/policy; nothing is checked here."""
    text = path.read_text(encoding="utf-8")
    written = yaml.safe_load(text) or {}
    named = written.get("portfolio") or {}
    switched = next((entry["override /instruments"] for entry in written.get("defaults") or () if "override /instruments" in entry), ())
    comments = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#") and "@package" not in line]
    return Portfolio(
        str(named.get("key", path.stem)),
        named.get("label", path.stem),
        named.get("label_zh", ""),
        tuple(switched or ()),
        dict(_leaves(written.get("instruments") or {}, "instruments")),
        dict(named.get("sources") or {}),
        dict(named.get("reported") or {}),
        " ".join(comments),
    )


@lru_cache(maxsize=1)
def portfolios() -> tuple[Portfolio, ...]:
    """Every portfolio of configs/policy that holds instruments."""
    return tuple(one for one in each_file("policy", _checked) if one is not None)


def _checked(path: Path) -> Portfolio | None:
    """Read a portfolio that holds instruments, as far as lists show it; nothing for one that holds none."""
    if path.stem in EMPTY:
        return None
    one = read_portfolio(path)
    texts = (one.label, one.label_zh, *one.instruments, *one.sources.values(), *one.reported.values())
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(path, str) for path in one.unsourced):
        raise ValueError(say("explain.no_settings"))
    return one
