"""Settings: from typed words and YAML to validated dataclasses, and from these to worlds.

The dataclasses of `sim` are the schema: each is mirrored once, unfrozen, so that Hydra can
write into it; what comes back is built into the frozen original, which checks its ranges.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import MISSING, DictConfig, OmegaConf

from agents.columns import nearest
from sim import FromFile, Instrument, Parameters, Region, StrongchainModel, SupplyNetwork, Synthetic
from sim.build.from_file import from_file
from sim.instruments import INSTRUMENTS
from sim.record import GROUPINGS

__all__ = [
    "CONFIG",
    "LIMITS",
    "Arm",
    "Settings",
    "SettingsError",
    "WorldSettings",
    "check_name",
    "compose_settings",
    "read_settings",
    "register",
]

#: Name of the main configuration.
CONFIG = "strongchain"
#: joblib's backends that need nothing installed.
BACKENDS = ("loky", "multiprocessing", "threading", "sequential")
#: Firms to which a region is scaled down unless `scale` says otherwise.
DEFAULT_FIRMS = 2_000


#: Ranges of the whole numbers at the top level.
LIMITS = {"months": (1, 12_000), "replicates": (1, 1_000_000), "burn_in": (0, 12_000), "window": (1, 12_000), "seed": (0, 2**128)}


class SettingsError(ValueError):
    """Settings that contradict each other: which, and what would be right."""


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


# -- the schema Hydra sees ------------------------------------------------------------------------


@dataclass
class Study:
    """Which study runs, and between which arms."""

    kind: str = "compare"
    reference: str = "nothing"
    arms: Any = None  # dict of lists of overrides; a dict would be a closed set of keys to Hydra


@dataclass
class Parallel:
    """How runs are spread over processes: a joblib backend and a number of workers (-1: all cores)."""

    backend: str = "loky"
    workers: int = -1


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
        ("months", int, field(default=60)),
        ("replicates", int, field(default=20)),
        ("seed", int, field(default=1)),
        ("burn_in", int, field(default=60)),
        ("window", int, field(default=12)),
        ("scale", float | None, field(default=None)),
        ("check", bool, field(default=False)),
        ("by", list[str], field(default_factory=lambda: ["tier", "size"])),
        ("region", region, field(default_factory=region)),
        ("network", Any, field(default=MISSING)),
        ("parameters", parameters, field(default_factory=parameters)),
        ("instruments", instruments, field(default_factory=instruments)),
        ("study", Study, field(default_factory=Study)),
        ("parallel", Parallel, field(default_factory=Parallel)),
    ]
    return dataclasses.make_dataclass("Schema", rows)


def register() -> None:
    """Tell Hydra of the schema, the networks and every registered instrument."""
    store = ConfigStore.instance()
    store.store(name="schema", node=_schema())
    store.store(group="network", name="region", node={"kind": "region"})
    for kind, cls in (("synthetic", Synthetic), ("file", FromFile)):
        store.store(group="network", name=kind, node=mirror(cls, extra=[("kind", str, field(default=kind))]))
    for key in INSTRUMENTS:
        store.store(group="instruments", name=key, node={"active": True}, package=f"instruments.{key}")


# -- what the program works with --------------------------------------------------------------------


@dataclass(frozen=True)
class WorldSettings:
    """All that makes a world before any policy: what arms can share a burn-in by."""

    region: Region
    network: SupplyNetwork | Synthetic | None
    parameters: Parameters
    burn_in: int

    @property
    def firms(self) -> int:
        """How many firms it has."""
        match self.network:
            case SupplyNetwork():
                return self.network.n_firms
            case Synthetic():
                return self.network.firms
        return self.region.firms

    def build(self, key: tuple[int, int], record: Sequence[str] = (), check: bool = False) -> StrongchainModel:
        """Build the world of one replicate and let it burn in."""
        return StrongchainModel(self.region, self.network, self.parameters, key=key, burn_in=self.burn_in, record=record, check=check)


@dataclass(frozen=True)
class Arm:
    """One policy in one world, under a name."""

    name: str
    world: WorldSettings
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True)
class Settings:
    """Everything a study needs, checked."""

    name: str
    months: int
    replicates: int
    seed: int
    window: int
    by: tuple[str, ...]
    check: bool
    world: WorldSettings
    instruments: tuple[Instrument, ...]
    study: Study
    parallel: Parallel
    resolved: dict[str, Any]


@lru_cache(maxsize=16)
def _read_file(values: str, state: tuple[tuple[int, int], ...]) -> SupplyNetwork:
    """Read a network file once for all arms that name it; `state` is the size and time of its files."""
    return from_file(restore(FromFile, json.loads(values)))


def _network(values: dict[str, Any]) -> SupplyNetwork | Synthetic | None:
    kind = values.pop("kind", "region")
    if kind == "region":
        return None
    if kind == "synthetic":
        return cast(Synthetic, restore(Synthetic, values))
    if not values.get("path"):
        raise SettingsError("network.path is not set; give the CSV file of the links: network.path=chain.csv (docs/networks.md)")
    if values.get("filter") is not None and not isinstance(values["filter"], dict):
        raise SettingsError(f"network.filter is {values['filter']!r}; it must give columns their values: 'network.filter={{chain: 36}}'")
    files = [Path(values[name]) for name in ("path", "nodes") if values.get(name)]
    return _read_file(json.dumps(values), tuple((p.stat().st_size, p.stat().st_mtime_ns) if p.is_file() else (0, 0) for p in files))


def read_settings(config: DictConfig) -> Settings:
    """Check a composed configuration and turn it into settings.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        One line: what, where, and what would be right.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    resolved = copy.deepcopy(plain)
    check_name(plain["name"], "name")
    for key, (low, high) in LIMITS.items():
        if not low <= plain[key] <= high:
            raise SettingsError(f"{key} is {plain[key]}; it must lie in {low} … {high:,}")
    if plain["window"] > plain["months"]:
        raise SettingsError(
            f"window is {plain['window']} but the run has {plain['months']} months; effects are means over the last window months"
        )
    for by in plain["by"]:
        if by not in GROUPINGS:
            raise SettingsError(f"by names {by!r}; firms are grouped by {', '.join(GROUPINGS)}{nearest(by, GROUPINGS)}")
    if plain["parallel"]["workers"] == 0 or plain["parallel"]["backend"] not in BACKENDS:
        raise SettingsError(
            f"parallel is {plain['parallel']}; workers must be 1 or more, or -1 for every core, "
            f"and the backend one of {', '.join(BACKENDS)}"
        )
    arms = plain["study"]["arms"]
    listed = isinstance(arms, dict) and all(isinstance(words, list) and all(isinstance(w, str) for w in words) for words in arms.values())
    if arms is not None and not listed:
        raise SettingsError(f"study.arms is {arms!r}; it must give each arm a list of overrides: {{half: ['instruments.cqo.reach=0.5']}}")
    region = restore(Region, plain["region"])
    scale = plain["scale"]
    if scale is not None and not 0 < scale <= 100:
        raise SettingsError(f"scale is {scale}; it must be above 0 and at most 100 (1 is the region as published)")
    region = region.scaled(min(1.0, DEFAULT_FIRMS / region.firms) if scale is None else scale)
    active = []
    for key, levers in plain["instruments"].items():
        if levers.pop("active"):
            active.append(restore(INSTRUMENTS[key], levers))
    base = WorldSettings(region, _network(dict(plain["network"])), restore(Parameters, plain["parameters"]), plain["burn_in"])
    return Settings(
        plain["name"], plain["months"], plain["replicates"], plain["seed"], plain["window"], tuple(plain["by"]), plain["check"],
        base, tuple(active), Study(**plain["study"]), Parallel(**plain["parallel"]), resolved,
    )  # fmt: skip


def check_name(name: str, what: str) -> None:
    """Raise if a name cannot be that of a file in the results: it must neither lead elsewhere nor be illegal somewhere."""
    if not name.strip() or name in {".", ".."} or set(name) & set('/\\:*?"<>|'):
        raise SettingsError(f'{what} is {name!r}; it must be a plain name without any of / \\ : * ? " < > |')


def refuse_idle_levers(config: DictConfig, overrides: Sequence[str]) -> None:
    """Raise if a lever was typed of an instrument that is not active: it would change nothing."""
    for override in overrides:
        path = override.lstrip("+~").split("=", 1)[0].split(".")
        if (
            path[0] == "instruments"
            and len(path) == 3
            and path[1] in INSTRUMENTS
            and path[2] != "active"
            and not config.instruments[path[1]].active
        ):
            on = [key for key in INSTRUMENTS if config.instruments[key].active]
            raise SettingsError(
                f"{override}: the instrument {path[1]} is not active, so the lever would change nothing; "
                f"type 'instruments=[{','.join([*on, path[1]])}]' as well"
            )


def compose_settings(overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration from overrides, inside a running job or outside."""
    if GlobalHydra.instance().is_initialized():
        return compose(config_name=CONFIG, overrides=list(overrides))
    register()
    with initialize_config_module("configs", version_base="1.3"):
        return compose(config_name=CONFIG, overrides=["name=notebook", *overrides])
