"""The schema that Hydra sees: the dataclasses of `sim`, each mirrored once, unfrozen, so that Hydra can write into it.

What comes back is built into the frozen original (`restore`), which checks its ranges.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from experiments.configuration.declared import TOP, networks
from sim import Parameters, Region
from sim.data.plausible import field_and_entry, plausible_sets, with_values
from sim.instruments import INSTRUMENTS

__all__ = ["Parallel", "Portfolio", "Study", "mirror", "register", "restore"]


def mirror(cls: type, extra: Sequence[tuple[str, Any, Any]] = ()) -> type:
    """Return an unfrozen dataclass with the fields of another, plus some of one's own.

    A dictionary that is empty by default becomes "anything, none so far": Hydra would take it
    for a closed set of keys, and refuse every key.
    """
    hints = typing.get_type_hints(cls)
    rows: list[tuple[str, Any, Any]] = list(extra)
    for f in dataclasses.fields(cls):
        if f.default_factory is dict:
            hints[f.name], default = Any, field(default=None)
        elif f.default_factory is not dataclasses.MISSING:
            default = field(default_factory=f.default_factory)
        elif isinstance(f.default, tuple):
            default = field(default_factory=partial(list, f.default))
        else:
            default = field(default=MISSING if f.default is dataclasses.MISSING else f.default)
        rows.append((f.name, hints[f.name], default))
    return dataclasses.make_dataclass(cls.__name__, rows)


def restore(cls: type, values: dict[str, Any]) -> Any:
    """Build a settings dataclass from plain values: what `mirror` changed is changed back."""
    empty = {f.name for f in dataclasses.fields(cls) if f.default_factory is dict}
    values = {key: {} if key in empty and value is None else value for key, value in values.items()}
    tuples = {f.name for f in dataclasses.fields(cls) if str(f.type).startswith("tuple")}
    return cls(**{key: tuple(value) if key in tuples and value is not None else value for key, value in values.items()})


@dataclass
class Study:
    """Which study runs, between which arms, and how sure it is to be.

    Attributes
    ----------
    kind, reference : str
    arms : dict of str to list of str, optional
        Overrides by arm.
    correction : str
        How p-values of the headline outcomes are corrected for many comparisons, as `experiments.configuration.declared` lists them.
    half_width : float, optional
        Half-width of the 95 % interval of the effect on the headline that is asked for, as a share of the reference's
        level: replicates are added until every arm has it, or `cap` is reached.
    cap : int
        Most replicates then.
    budget : float, optional
        CNY per 1,000 firms and year that government spends in every arm with programmes.
    split : dict of str to dict of str to float, optional
        By arm, the share of the budget for each instrument; evenly where an arm is not named.
    length : int, optional
        Months after which programmes end.
    only : list of str
        Arms that run, with the reference; none is all.
    beside : str, optional
        A second arm that the others are compared with.
    regions, policies : list of str
        Of an exchange.
    searched, ranges, points, cuts, judged, each
        Of calibration and validation, as `experiments.configuration.declared` tells.
    """

    kind: str = "compare"
    reference: str = "nothing"
    arms: Any = None  # a dict would be a closed set of keys to Hydra
    correction: str = "none"
    half_width: float | None = None
    cap: int = 200
    budget: float | None = None
    split: Any = None
    length: int | None = None
    only: list[str] = field(default_factory=list)
    beside: str | None = None
    regions: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)
    searched: Any = None
    ranges: Any = None
    points: int = TOP["study.points"].default
    cuts: list[float] = field(default_factory=lambda: list(TOP["study.cuts"].default))
    judged: int = TOP["study.judged"].default
    each: int = TOP["study.each"].default


@dataclass
class Parallel:
    """How runs are spread over processes: a joblib backend and a number of workers (-1: all cores)."""

    backend: str = "loky"
    workers: int = -1


@dataclass
class Portfolio:
    """What a portfolio of instruments is called, and where its levers' values come from. No run depends on it.

    Attributes
    ----------
    key, label, label_zh : str
    sources : dict of str to str, optional
        By instrument and by lever (``instruments.cqo``, ``instruments.cqo.reach``): ids of the facts, how they were read and
        their words in 「」, or the word "assumption".
    """

    key: str = TOP["portfolio.key"].default
    label: str = TOP["portfolio.label"].default
    label_zh: str = TOP["portfolio.label_zh"].default
    sources: Any = None  # a dict would be a closed set of keys to Hydra


def _instruments() -> Any:
    rows = [
        (key, (node := mirror(cls, extra=[("active", bool, field(default=False))])), field(default_factory=node))
        for key, cls in INSTRUMENTS.items()
    ]
    return dataclasses.make_dataclass("Instruments", rows)


def _schema() -> Any:
    region, parameters, instruments = mirror(Region), mirror(Parameters), _instruments()
    rows: list[tuple[str, Any, Any]] = [
        ("name", str, field(default="${now:%Y-%m-%d_%H-%M-%S}")),
        ("months", int, field(default=TOP["months"].default)),
        ("replicates", int, field(default=TOP["replicates"].default)),
        ("seed", int, field(default=TOP["seed"].default)),
        ("burn_in", int, field(default=TOP["burn_in"].default)),
        ("window", int, field(default=TOP["window"].default)),
        ("scale", float | None, field(default=None)),
        ("check", bool, field(default=False)),
        ("quiet", bool, field(default=False)),
        ("by", list[str], field(default_factory=lambda: ["tier", "size"])),
        ("save", list[str], field(default_factory=list)),
        ("region", region, field(default_factory=region)),
        ("network", Any, field(default=MISSING)),
        ("parameters", parameters, field(default_factory=parameters)),
        ("instruments", instruments, field(default_factory=instruments)),
        ("portfolio", Portfolio, field(default_factory=Portfolio)),
        ("study", Study, field(default_factory=Study)),
        ("parallel", Parallel, field(default_factory=Parallel)),
    ]
    return dataclasses.make_dataclass("Schema", rows)


def register() -> None:
    """Tell Hydra of the schema, the networks and every registered instrument."""
    _register(tuple(INSTRUMENTS.items()))


@lru_cache(maxsize=1)
def _register(instruments: tuple[tuple[str, type], ...]) -> None:
    """Tell Hydra, once for the same instruments: an arm is composed in half the time."""
    store = ConfigStore.instance()
    store.store(name="schema", node=_schema())
    store.store(group="network", name="region", node={"kind": "region"})
    for kind, cls in networks().items():
        store.store(group="network", name=kind, node=mirror(cls, extra=[("kind", str, field(default=kind))]))
    for name, values in plausible_sets().items():
        chosen = dataclasses.asdict(with_values(Parameters(), values))
        store.store(group="parameters", name=name, node={field: chosen[field] for field, _ in map(field_and_entry, values)})
    for key, _ in instruments:
        store.store(group="instruments", name=key, node={"active": True}, package=f"instruments.{key}")
