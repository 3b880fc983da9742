"""The schema that Hydra sees: the dataclasses of `sim`, each mirrored once, unfrozen, so that Hydra can write into it.

What comes back is built into the frozen original (`restore`), which checks its ranges.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import lru_cache, partial
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from experiments.configuration.declared import networks
from experiments.configuration.study import KINDS, Figures, General, Parallel, Portfolio, as_configured
from sim import Across, Parameters, Region
from sim.data.plausible import field_and_entry, plausible_sets, with_values
from sim.instruments import INSTRUMENTS
from sim.shocks import SHOCKS

__all__ = ["mirror", "register", "restore"]


def mirror(cls: type, extra: Sequence[tuple[str, Any, Any]] = ()) -> type:
    """Return an unfrozen dataclass with the fields of another, plus some of one's own.

    A dictionary that is empty by default, or none, becomes "anything, none so far": Hydra would take it
    for a closed set of keys, and refuse every key.
    """
    hints = typing.get_type_hints(cls)
    rows: list[tuple[str, Any, Any]] = list(extra)
    for f in dataclasses.fields(cls):
        if f.default_factory is dict or (f.default is None and "dict" in str(f.type)):
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
    types = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    return cls(**{key: _as(types.get(key, ""), value) for key, value in values.items()})


def _as(kind: str, value: Any) -> Any:
    """Return a value as the type of its field wants it: YAML has lists for tuples, and 1 for 1.0."""
    if kind.startswith("float") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind.startswith("tuple") and isinstance(value, list):
        return tuple(_as(kind.removeprefix("tuple["), entry) for entry in value)
    return value


def _switched(name: str, register: Mapping[str, type]) -> Any:
    """Every class of a register, each present and inactive: a list of the group switches on."""
    rows = [
        (key, (node := mirror(cls, extra=[("active", bool, field(default=False))])), field(default_factory=node))
        for key, cls in register.items()
    ]
    return dataclasses.make_dataclass(name, rows)


def _schema() -> Any:
    region, across, parameters = mirror(Region), mirror(Across), mirror(Parameters)
    instruments, shocks = _switched("Instruments", INSTRUMENTS), _switched("Shocks", SHOCKS)
    portfolio, parallel, figures = mirror(Portfolio), mirror(Parallel), mirror(Figures)
    rows: list[tuple[str, Any, Any]] = [
        ("region", region, field(default_factory=region)),
        ("across", across, field(default_factory=across)),
        ("chain", Any, field(default=None)),
        ("network", Any, field(default=MISSING)),
        ("parameters", parameters, field(default_factory=parameters)),
        ("instruments", instruments, field(default_factory=instruments)),
        ("shocks", shocks, field(default_factory=shocks)),
        ("portfolio", portfolio, field(default_factory=portfolio)),
        ("study", Any, field(default=MISSING)),
        ("parallel", parallel, field(default_factory=parallel)),
        ("figures", figures, field(default_factory=figures)),
    ]
    return dataclasses.make_dataclass("Schema", rows, bases=(mirror(General),))


def register() -> None:
    """Tell Hydra of the schema, the networks and every registered instrument and shock."""
    _register(tuple(INSTRUMENTS.items()), tuple(SHOCKS))


@lru_cache(maxsize=1)
def _register(instruments: tuple[tuple[str, type], ...], shocks: tuple[str, ...]) -> None:
    """Tell Hydra, once for the same instruments and shocks: an arm is composed in half the time."""
    store = ConfigStore.instance()
    store.store(name="schema", node=_schema())
    store.store(group="network", name="region", node={"kind": "region"})
    for kind, cls in networks().items():
        store.store(group="network", name=kind, node=mirror(cls, extra=[("kind", str, field(default=kind))]))
    for kind, settings in KINDS.items():
        # Plain values, no schema: a setting of another kind gets our own answer (`settings.idle_setting`), not Hydra's.
        store.store(group="study", name=kind, node=as_configured(settings))
    for name, values in plausible_sets().items():
        chosen = dataclasses.asdict(with_values(Parameters(), values))
        store.store(group="parameters", name=name, node={field: chosen[field] for field, _ in map(field_and_entry, values)})
    for key, _ in instruments:
        store.store(group="instruments", name=key, node={"active": True}, package=f"instruments.{key}")
    for key in shocks:
        store.store(group="shocks", name=key, node={"active": True}, package=f"shocks.{key}")
