"""Settings: from typed words and YAML to validated dataclasses, and from these to worlds.

The dataclasses of `sim` are the schema: each is mirrored once, unfrozen, so that Hydra can
write into it; what comes back is built into the frozen original, which checks its ranges.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import re
import typing
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial, reduce
from operator import getitem
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import MISSING, DictConfig, OmegaConf

from agents.columns import nearest
from experiments.declarations import TOP, networks
from sim import FromFile, Instrument, Parameters, Region, StrongchainModel, SupplyNetwork, Synthetic
from sim.build.from_file import from_file
from sim.instruments import INSTRUMENTS
from sim.plausible import field_and_entry, plausible_sets, with_values

__all__ = [
    "ARM_KEYS",
    "CONFIG",
    "Arm",
    "Parallel",
    "Settings",
    "SettingsError",
    "Study",
    "Task",
    "WorldSettings",
    "check_name",
    "compose_settings",
    "idle_lever",
    "no_arm",
    "read_arm",
    "read_settings",
    "register",
    "too_few",
    "too_short",
]

#: Name of the main configuration.
CONFIG = "strongchain"
#: The parts of a configuration that an arm has for itself.
ARM_KEYS = ("region", "network", "parameters", "instruments", "scale", "burn_in")
#: Firms to which a region is scaled down unless `scale` says otherwise.
DEFAULT_FIRMS = 2_000


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
    """Which study runs, between which arms, and how sure it is to be.

    Attributes
    ----------
    kind, reference : str
    arms : dict of str to list of str, optional
        Overrides by arm.
    correction : str
        How p-values are corrected for many comparisons, as `experiments.declarations` lists them.
    half_width : float, optional
        Half-width of the 95 % interval of the effect on the headline that is asked for, as a share of the reference's
        level: replicates are added until every arm has it, or `cap` is reached.
    cap : int
        Most replicates then.
    ranges, points, cuts, judged, each
        Of calibration and validation, as `experiments.declarations` tells.
    """

    kind: str = "compare"
    reference: str = "nothing"
    arms: Any = None  # a dict would be a closed set of keys to Hydra
    correction: str = "none"
    half_width: float | None = None
    cap: int = 200
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
    for name, values in plausible_sets().items():
        chosen = dataclasses.asdict(with_values(Parameters(), values))
        store.store(group="parameters", name=name, node={field: chosen[field] for field, _ in map(field_and_entry, values)})
    for key in INSTRUMENTS:
        store.store(group="instruments", name=key, node={"active": True}, package=f"instruments.{key}")


# -- what the program works with --------------------------------------------------------------------


@dataclass(frozen=True)
class WorldSettings:
    """All that makes a world before any policy: what arms can share a burn-in by.

    `files` are hashes of the files that it was read from, by their names as given.
    """

    region: Region
    network: SupplyNetwork | Synthetic | None
    parameters: Parameters
    burn_in: int
    files: tuple[tuple[str, str], ...] = ()

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
    """One policy in one world, under a name; `configuration` is what it was read from, resolved."""

    name: str
    world: WorldSettings
    instruments: tuple[Instrument, ...]
    configuration: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Task:
    """What every run of a study does, whatever its arm.

    Attributes
    ----------
    months, window : int
        Months of a run, and how many of the last ones means are over.
    by : tuple of str
        Groupings besides the total.
    check : bool
        Whether every invariant is checked after every month.
    save : tuple of str
        What is kept besides totals: groups in the table of runs, series by month, firms at the end.
    """

    months: int
    window: int = 12
    by: tuple[str, ...] = ()
    check: bool = False
    save: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything a study needs, checked."""

    name: str
    replicates: int
    seed: int
    task: Task
    quiet: bool
    world: WorldSettings
    instruments: tuple[Instrument, ...]
    study: Study
    parallel: Parallel
    resolved: dict[str, Any]


@lru_cache(maxsize=16)
def _read_file(values: str, files: tuple[tuple[str, str], ...]) -> SupplyNetwork:
    """Read a network file once for all arms that name it, as long as its bytes stay the same."""
    return from_file(restore(FromFile, json.loads(values)))


def _network(values: dict[str, Any]) -> tuple[SupplyNetwork | Synthetic | None, tuple[tuple[str, str], ...]]:
    """Return the network, or how to make it, and hashes of the files that it is read from."""
    kind = values.pop("kind", "region")
    if kind == "region":
        return None, ()
    if kind == "synthetic":
        return cast(Synthetic, restore(Synthetic, values)), ()
    if not values.get("path"):
        raise SettingsError("network.path is not set; give the CSV file of the links: network.path=chain.csv (docs/networks.md)")
    if values.get("filter") is not None and not isinstance(values["filter"], dict):
        raise SettingsError(f"network.filter is {values['filter']!r}; it must give columns their values: 'network.filter={{chain: 36}}'")
    paths = [Path(values[name]) for name in ("path", "nodes") if values.get(name)]
    files = tuple((str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths if path.is_file())
    return _read_file(json.dumps(values), files), files


def _check(configuration: dict[str, Any], paths: Iterable[str]) -> None:
    """Raise if a setting of the study itself is wrong."""
    for path in paths:
        if said := TOP[path].wrong(path, reduce(getitem, path.split("."), configuration)):
            raise SettingsError(said)


def read_arm(name: str, configuration: dict[str, Any]) -> Arm:
    """Check the part of a resolved configuration that makes an arm (`ARM_KEYS`), and turn it into one.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        One line: what, where, and what would be right.
    """
    mine = {key: copy.deepcopy(configuration[key]) for key in ARM_KEYS}
    _check(mine, [path for path in TOP if path in ARM_KEYS])
    plain = copy.deepcopy(mine)
    region, scale = restore(Region, plain["region"]), plain["scale"]
    region = region.scaled(min(1.0, DEFAULT_FIRMS / region.firms) if scale is None else scale)
    active = tuple(restore(INSTRUMENTS[key], levers) for key, levers in plain["instruments"].items() if levers.pop("active"))
    network, files = _network(dict(plain["network"]))
    return Arm(name, WorldSettings(region, network, restore(Parameters, plain["parameters"]), plain["burn_in"], files), active, mine)


def read_settings(config: DictConfig) -> Settings:
    """Check a composed configuration and turn it into settings.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        One line: what, where, and what would be right.
    """
    plain = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    check_name(plain["name"], "name")
    _check(plain, TOP)
    study = plain["study"]
    if said := too_short(plain["months"], plain["window"]) or too_few(plain["replicates"], study["half_width"], study["cap"]):
        raise SettingsError(said)
    arms = study["arms"]
    listed = isinstance(arms, dict) and all(isinstance(words, list) and all(isinstance(w, str) for w in words) for words in arms.values())
    if arms is not None and not listed:
        raise SettingsError(f"study.arms is {arms!r}; it must give each arm a list of overrides: {{half: ['instruments.cqo.reach=0.5']}}")
    task = Task(plain["months"], plain["window"], tuple(plain["by"]), plain["check"], tuple(dict.fromkeys(plain["save"])))
    base = read_arm("", plain)
    return Settings(
        plain["name"], plain["replicates"], plain["seed"], task, plain["quiet"],
        base.world, base.instruments, Study(**study), Parallel(**plain["parallel"]), plain,
    )  # fmt: skip


def too_short(months: int, window: int) -> str:
    """Say where a window is longer than the run; nothing if it fits."""
    return f"window is {window} but the run has {months} months; effects are means over the last window months" if window > months else ""


def too_few(replicates: int, half_width: float | None, cap: int) -> str:
    """Say where fewer replicates are allowed than come first, if a half-width is asked for; nothing if they are enough."""
    if half_width is None or cap >= replicates:
        return ""
    return f"study.cap is {cap}, less than the {replicates} replicates that come first; raise it"


def no_arm(reference: object, names: Sequence[str]) -> str:
    """Say that the reference is no arm; nothing if it is one."""
    if reference in names:
        return ""
    return f"study.reference is {reference!r}, which is no arm; arms: {', '.join(names)}{nearest(str(reference), names)}"


def check_name(name: str, what: str) -> None:
    """Raise if a name cannot be that of a file in the results: it must neither lead elsewhere nor be illegal on some system."""
    if not name.strip() or name in {".", ".."} or set(name) & set('/\\:*?"<>|'):
        why = 'it must be a plain name without any of / \\ : * ? " < > |'
    elif any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in name):
        why = "it must hold no line break, tab or other control character"
    elif len(name) > 100 or len(name.encode()) > 240:
        why = f"it has {len(name)} characters; it must have at most 100, or 80 Chinese ones"
    elif name != name.strip() or name.endswith("."):
        why = "it must not begin or end with a blank, nor end with a dot"
    elif re.fullmatch(r"(con|prn|aux|nul|(com|lpt)[1-9])(\..*)?", name.casefold()):
        why = "Windows keeps it for a device; choose another name"
    else:
        return
    raise SettingsError(f"{what} is {name!r}; {why}")


def idle_lever(config: DictConfig, path: str) -> str:
    """Say why a setting would change nothing: its instrument is not active, or its network of another kind; nothing if it counts."""
    group, _, rest = path.partition(".")
    name, _, lever = rest.partition(".")
    if group == "instruments" and name in INSTRUMENTS and lever not in {"", "active"} and not config.instruments[name].active:
        active = [key for key in INSTRUMENTS if config.instruments[key].active]
        return f"{name} is not active, so the lever would change nothing; type 'instruments=[{','.join([*active, name])}]' as well"
    kinds = [kind for kind, cls in networks().items() if name in {f.name for f in dataclasses.fields(cls)}]
    if group == "network" and kinds and config.network.kind not in kinds:
        return f"belongs to another kind of network; type network={kinds[0]} as well"
    return ""


def refuse_idle_levers(config: DictConfig, overrides: Sequence[str]) -> None:
    """Raise if anything typed would change nothing in a composed configuration; one with arms leaves that to each of them."""
    if config.study.arms is not None:
        return
    typed = ((word, word.lstrip("+~").split("=", 1)[0]) for word in overrides)
    if said := [f"{word}: {idle}" for word, path in typed if (idle := idle_lever(config, path))]:
        raise SettingsError("; ".join(said))


def compose_settings(overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration from overrides, inside a running job or outside."""
    if GlobalHydra.instance().is_initialized():
        return compose(config_name=CONFIG, overrides=list(overrides))
    register()
    with initialize_config_module("configs", version_base="1.3"):
        return compose(config_name=CONFIG, overrides=["name=notebook", *overrides])
