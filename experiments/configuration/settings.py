"""Settings: from typed overrides and YAML to validated dataclasses, and from these to worlds."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf, open_dict

from agents.characters import unfit
from agents.spelling import nearest
from experiments.configuration import files
from experiments.configuration.composed import composed, without_hydra
from experiments.configuration.declared import SWITCHED, chosen_as_a_whole, networks, registered
from experiments.configuration.own_place import own_places, without_own_stations
from experiments.configuration.own_policies import own_policies
from experiments.configuration.rules import SettingsError, check_rules
from experiments.configuration.schema import restore
from experiments.configuration.study import (
    KINDS,
    CalibrationStudy,
    CompareStudy,
    ExchangeStudy,
    Figures,
    FollowStudy,
    General,
    Parallel,
    Portfolio,
    Study,
    ValidationStudy,
)
from experiments.languages.wording import HERE, language_in, languages, say
from experiments.shells import typed
from experiments.waiting import slow
from sim import Across, InputOutput, Instrument, Parameters, Region, StrongchainModel, SupplyNetwork, Synthetic
from sim.build.chain import NamedChain
from sim.build.from_file import from_file
from sim.build.input_output import SectorEconomy, read_economy
from sim.build.reading.content import content
from sim.build.reading.listing import check_settings
from sim.build.region import INSTITUTIONS, of_region_names
from sim.instruments import INSTRUMENTS, TAKEN_ON
from sim.places import indices_of
from sim.shocks import SHOCKS, Shock

__all__ = [
    "ARM_KEYS",
    "NO_LISTS",
    "Arm",
    "CompareStudy",
    "Parallel",
    "Settings",
    "SettingsError",
    "Study",
    "Task",
    "WorldSettings",
    "are_lists",
    "check_name",
    "compose_settings",
    "idle_setting",
    "institutions",
    "marked",
    "named_arms",
    "no_arm",
    "not_of_an_arm",
    "of_kind",
    "read_arm",
    "read_settings",
    "refuse_idle_settings",
    "settings_of",
    "too_few",
    "too_short",
]

S = TypeVar("S", CompareStudy, ExchangeStudy, CalibrationStudy, ValidationStudy, FollowStudy)

#: The parts of a configuration that an arm has for itself.
ARM_KEYS = ("region", "across", "chain", "network", "parameters", "instruments", "shocks", "scale", "burn_in")
#: Those of them that a manifest of an older version does not have.
SINCE = ("chain", "shocks")
#: What the overrides of an arm can begin with; all else holds for the whole study.
ARM_OVERRIDES = (*ARM_KEYS, "policy")
#: What arms must be.
NO_LISTS = 'arms are lists of overrides; write "study.arms={half: [instruments.cqo.reach=0.5]}"'
#: Bytes of a network's files that are read in a second, roughly: for forecasts.
READ_IN_A_SECOND = 120_000
#: Firms to which a region is scaled down unless `scale` says otherwise.
DEFAULT_FIRMS = 2_000
#: Institutions that are counted before a run whose network is not the region's own.
COUNTED = ("stations", "chain_heads", "counties")
#: Where each number comes from.
IN_PROPORTION, AS_TYPED, OF_THE_FILE, OF_THE_REGION = "in proportion", "as typed", "as in the file", "as in the region"


# -- what the program works with --------------------------------------------------------------------


@dataclass(frozen=True)
class WorldSettings:
    """Everything that makes a world before any policy; arms with equal ones share a burn-in.

    `beside` are the regions in the world beside the first one; none at all where the region was not chosen in a list, whose luck then does
    not hang on its name. `named` are the chains that were chosen by their names.
    `files` are the names of the files that it was read from, as typed, each with the hash of its bytes.
    """

    region: Region
    network: SupplyNetwork | Synthetic | SectorEconomy | None
    parameters: Parameters
    burn_in: int
    files: tuple[tuple[str, str], ...] = ()
    named: tuple[NamedChain, ...] = ()
    beside: tuple[Region, ...] | None = None
    across: Across | None = None

    @property
    def regions(self) -> tuple[Region, ...]:
        """Its regions."""
        return (self.region, *(self.beside or ()))

    @property
    def chains(self) -> int:
        """How many chains it has."""
        match self.network:
            case SupplyNetwork():
                return len(self.network.chains)
            case Synthetic():
                return self.network.chains
            case SectorEconomy():
                return self.network.chains
        return sum(region.chains for region in self.regions)

    @property
    def firms(self) -> int:
        """How many firms it has."""
        match self.network:
            case SupplyNetwork():
                return self.network.n_firms
            case Synthetic() | SectorEconomy():
                return self.network.firms
        return sum(region.firms for region in self.regions)

    def build(self, key: tuple[int, int], record: Sequence[str] = (), check: bool = False) -> StrongchainModel:
        """Build the world of one replicate and let it burn in."""
        return StrongchainModel(
            self.region if self.beside is None else self.regions,
            self.network,
            self.parameters,
            key=key,
            burn_in=self.burn_in,
            record=record,
            check=check,
            chains=self.named,
            across=self.across,
        )


@dataclass(frozen=True)
class Arm:
    """One policy in one world, with a name, and its shocks; `configuration` is the resolved configuration that it was read from."""

    name: str
    world: WorldSettings
    instruments: tuple[Instrument, ...]
    configuration: dict[str, Any] = field(default_factory=dict, compare=False)
    shocks: tuple[Shock, ...] = ()

    def begin(self, model: StrongchainModel) -> None:
        """Put its policy in place in a world, and announce its shocks."""
        model.adopt(self.instruments)
        model.shock(*self.shocks)


@dataclass(frozen=True)
class Task:
    """What every run of a study does, whatever its arm.

    Attributes
    ----------
    months, window : int
        Months of a run, and how many of the last ones means are over.
    by : tuple of str
        Groupings in addition to the total.
    check : bool
        Whether every invariant is checked after every month.
    save : tuple of str
        What is kept in addition to totals: groups in the table of runs, series by month, firms at the end.
    """

    months: int
    window: int = 12
    by: tuple[str, ...] = ()
    check: bool = False
    save: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything a study needs, checked.

    `notes` say what the study does in another way than it was asked to, and `resolved` holds what is done; `drawn` is whether figures and a
    report are made after the runs, which the expected time includes.
    """

    name: str
    replicates: int
    seed: int
    task: Task
    quiet: bool
    language: str
    world: WorldSettings
    instruments: tuple[Instrument, ...]
    shocks: tuple[Shock, ...]
    study: Study
    parallel: Parallel
    resolved: dict[str, Any]
    notes: tuple[str, ...] = ()
    drawn: bool = False


@lru_cache(maxsize=16)
def _read_file(kind: str, values: str, files: tuple[tuple[str, str], ...]) -> SupplyNetwork | SectorEconomy:
    """Read the files of a network once for all arms that use them, as long as their bytes stay the same."""
    settings = restore(networks()[kind], json.loads(values))
    size = sum(os.path.getsize(path) for path, _ in files)
    with slow("waiting.network", megabytes=size / 1e6, seconds=size / READ_IN_A_SECOND):
        network = read_economy(settings) if isinstance(settings, InputOutput) else from_file(settings)
    if _hashes([path for path, _ in files], settings.most_megabytes) != files:
        raise SettingsError(
            f"{' or '.join(path for path, _ in files)} changed while it was read; run this again when no program writes to it"
        )
    return network


def _hashes(paths: Sequence[str], most_megabytes: int) -> tuple[tuple[str, str], ...]:
    """Return the names of files, each with the hash of its bytes."""
    return tuple((path, hashlib.sha256(content(path, most_megabytes)).hexdigest()) for path in paths)


def _network(values: dict[str, Any]) -> tuple[SupplyNetwork | Synthetic | SectorEconomy | None, tuple[tuple[str, str], ...]]:
    """Return the network, or how to make it, and hashes of the files that it is read from."""
    kind = values.pop("kind", "region")
    if kind == "region":
        return None, ()
    if kind == "synthetic":
        return cast(Synthetic, restore(Synthetic, values)), ()
    if kind == "file" and not values.get("path"):
        raise SettingsError("network.path is not set; give the CSV file of the links: network.path=chain.csv (docs/guide/networks.md)")
    if values.get("filter") is not None and not isinstance(values["filter"], dict):
        raise SettingsError(f"network.filter is {values['filter']!r}; it must give columns their values: " + '"network.filter={chain: 36}"')
    settings = restore(networks()[kind], values)
    if isinstance(settings, InputOutput):
        names = settings.files
    else:
        check_settings(settings)
        names = tuple(name for name in (settings.path, settings.nodes) if name)
    # One that does not exist is named where it is read.
    files = _hashes([str(Path(name)) for name in names if os.path.isfile(name)], settings.most_megabytes)
    return _read_file(kind, json.dumps(values), files), files


def _check_sources(sources: dict[str, str], instruments: dict[str, Any]) -> None:
    """Raise if a portfolio has a source for what is neither an instrument nor a lever."""
    known = [f"instruments.{key}{end}" for key, levers in instruments.items() for end in ("", *(f".{lever}" for lever in levers))]
    for path in sources:
        if path not in known:
            raise SettingsError(f"portfolio.sources names {path!r}, which is neither an instrument nor a lever{nearest(path, known)}")


def _named(chosen: dict[str, Any], network: object) -> tuple[NamedChain, ...]:
    """Return the chains that were chosen by their names, in the order of their keys."""
    if chosen and network is not None:
        keys = ",".join(chosen)
        raise SettingsError(f"chain={keys}: a chain is generated, and the firms of this network are given; leave out one of them")
    for key, values in chosen.items():
        for name in values if isinstance(values, dict) else ():
            known = [f"chain.{key}.{f.name}" for f in dataclasses.fields(NamedChain)]
            if (path := f"chain.{key}.{name}") not in known:
                raise SettingsError(f"{path}: there is no setting {path!r}{nearest(path, known)}")
        if not isinstance(values, dict) or not values.get("label"):
            raise SettingsError(f"chain.{key} is set, but chain {key!r} is not chosen; type chain={key}")
    return tuple(restore(NamedChain, chosen[key]) for key in sorted(chosen))


def _check_reported(reported: dict[str, str]) -> None:
    """Raise if a portfolio reports what no programme counts."""
    known = [f"{key}.{count}" for key, cls in INSTRUMENTS.items() for count in (TAKEN_ON[0], *cls.counted)]
    for path in reported:
        if path not in known:
            raise SettingsError(f"portfolio.reported names {path!r}, which no programme counts{nearest(path, known)}")


def read_arm(name: str, configuration: dict[str, Any]) -> Arm:
    """Check the part of a resolved configuration that makes an arm (`ARM_KEYS`), and turn it into one.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        One line: what, where, and what would be right.
    """
    own: dict[str, Any] = {key: copy.deepcopy(configuration[key]) for key in ARM_KEYS if key not in (*SINCE, "across")}
    own |= {key: copy.deepcopy(configuration.get(key)) for key in SINCE}
    if configuration.get("beside") is not None:  # of one region nothing can cross a border
        own |= {"across": copy.deepcopy(configuration["across"]), "beside": list(map(_names_within_counts, configuration["beside"]))}
    own["region"] = _names_within_counts(own["region"])
    if "portfolio" in configuration:  # what it is called: no part of what is built
        own["portfolio"] = copy.deepcopy(configuration["portfolio"])
        _check_sources(own["portfolio"]["sources"] or {}, own["instruments"])
        _check_reported(own["portfolio"]["reported"] or {})
    if "policy_files" in configuration:
        own["policy_files"] = dict(configuration["policy_files"])
    check_rules(General, own)
    plain = copy.deepcopy(own)
    beside = own.get("beside")
    regions = [restore(Region, figures) for figures in (plain["region"], *(plain.get("beside") or ()))]
    _check_regions(regions)
    region, scale = regions[0], plain["scale"]
    active = tuple(restore(INSTRUMENTS[key], levers) for key, levers in plain["instruments"].items() if levers.pop("active"))
    shocks = tuple(restore(SHOCKS[key], values) for key, values in (plain["shocks"] or {}).items() if values.pop("active"))
    network, files = _network(dict(plain["network"]))
    named = _named(plain["chain"] or {}, network)
    if beside and network is not None:
        raise SettingsError(f"region=[{','.join(one.key for one in regions)}]: a network that is given has one region; name one region")
    if plain["network"]["kind"] != "file":
        own_names = _OwnNames.of(regions, named)
        active, shocks = tuple(map(own_names.put_into, active)), tuple(map(own_names.put_into, shocks))
    across = restore(Across, plain["across"]) if beside else None
    world = WorldSettings(
        region, network, restore(Parameters, plain["parameters"]), plain["burn_in"], files, named, None if beside is None else (), across
    )
    if network is None:
        regions = [region.of_chains(named) if named else region, *regions[1:]]
        times = min(1.0, DEFAULT_FIRMS / sum(one.firms for one in regions)) if scale is None else scale
        region, *others = (one.scaled(times) for one in regions)
        world = dataclasses.replace(world, beside=None if beside is None else tuple(others))
    else:
        region = _fitted(world, own, configuration.get("institutions") or {})
    world = dataclasses.replace(world, region=region)
    _check_places(world, (*active, *shocks))
    return Arm(name, world, active, own, shocks)


def _check_places(world: WorldSettings, named_by: Sequence[Instrument | Shock]) -> None:
    """Raise if an instrument or a shock names a chain or county that there is not, where the names are known before a world is built."""
    counties = of_region_names(world.regions, [one.names_of_counties(world.named) for one in world.regions])
    match world.network:
        case None:
            chains = of_region_names(world.regions, [one.names_of_chains(world.named) for one in world.regions])
        case SupplyNetwork():
            chains = world.network.chains
            counties = world.network.counties if world.network.county is not None else counties
        case Synthetic():
            chains = tuple(world.network.chain_names or (f"Chain {k + 1}" for k in range(world.network.chains)))
        case _:
            return
    for one in named_by:
        where = f"{'instruments' if isinstance(one, Instrument) else 'shocks'}.{one.key}"
        indices_of(getattr(one, "chains", ()), chains, f"{where}.chains", "chain")
        indices_of(getattr(one, "counties", ()), counties, f"{where}.counties", "county")
        for places in (getattr(one, "waves", None) or {}).values():
            indices_of(places, [*chains, *counties], f"{where}.waves", "chain or county")


@dataclass(frozen=True)
class _OwnNames:
    """What firms, chains and counties are called in a generated network, in whatever language, or by which key, they were typed."""

    own: dict[str, str]
    forms: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, regions: Sequence[Region], named: Sequence[NamedChain]) -> _OwnNames:
        """Return the names of regions and of chains that were chosen by their names."""
        labels = [language_in(HERE / code).label for code in languages()]
        names = [name for region in regions for name in (*region.chain_names, *region.county_names)]
        own = {label(name): name for label in labels for name in names}
        own |= {called: chain.label for chain in named for called in (chain.key, chain.label_zh)}
        own |= {label(chain.county): chain.county for label in labels for chain in named if chain.county}
        kinds = ("Firm", "Leader", "Chain", "County")
        return cls(own, tuple((kind, re.escape(label(f"{kind} 1")).replace("1", r"(\d+)")) for label in labels for kind in kinds))

    def __call__(self, name: str) -> str:
        """Return what the network calls what was typed; a name that nothing goes by stays as it is, and is refused later."""
        numbered = ((kind, re.fullmatch(form, name)) for kind, form in self.forms)
        return self.own.get(name) or next((f"{kind} {match[1]}" for kind, match in numbered if match), name)

    def put_into(self, one: Any) -> Any:
        """Return a shock or an instrument with its firms, chains and counties called so."""
        changed: dict[str, Any] = {}
        for name in {"firm", "firms", "chains", "counties"} & {f.name for f in dataclasses.fields(one)}:
            value = getattr(one, name)
            changed[name] = self(value) if isinstance(value, str) else tuple(map(self, value))
        if waves := getattr(one, "waves", None):
            changed["waves"] = {month: tuple(map(self, places)) for month, places in waves.items()}
        return dataclasses.replace(one, **changed)


def _check_regions(regions: Sequence[Region]) -> None:
    """Raise if a region is named twice."""
    keys = [region.key for region in regions]
    if twice := next((key for key in keys if keys.count(key) > 1), ""):
        raise SettingsError(f"region=[{','.join(keys)}] names {twice} twice; name each region once")


def _names_within_counts(region: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a region: where fewer chains or counties were asked for than its documents name, the first keep their names."""
    cut = {}
    for names, count in (("chain_names", "chains"), ("county_names", "counties")):
        if isinstance(region[names], list) and isinstance(region[count], int) and region[count] > 0:
            cut[names] = region[names][: region[count]]
    return region | cut


def _fitted(world: WorldSettings, configuration: dict[str, Any], taken: Mapping[str, str]) -> Region:
    """Return the region with its institutions in proportion to a network that is not its own, except for those that are taken unchanged.

    The numbers that are used, and where each is from, go into the configuration of the arm, which fits nothing when it is read again.
    """
    network = world.network
    own = int(network.county.max()) + 1 if isinstance(network, SupplyNetwork) and network.county is not None else None
    region = world.region.fitted(world.firms, world.chains, own, taken)
    how = {name: IN_PROPORTION for name in INSTITUTIONS} | ({} if own is None else {"counties": OF_THE_FILE})
    if "stations" in taken:
        how["station_capacity"] = OF_THE_REGION  # how many cases a station serves goes with how many stations there are
    configuration["institutions"] = how | {name: source for name, source in taken.items() if name in how}
    configuration["region"] |= {name: getattr(region, name) for name in INSTITUTIONS}
    return region


def institutions(arm: Arm) -> str:
    """Say in a line how many institutions an arm has; empty if its network is that of its region."""
    how, region = arm.configuration.get("institutions"), arm.world.region
    if not how:
        return ""
    counts = [(name, getattr(region, name), "" if how[name] == IN_PROPORTION else how[name]) for name in COUNTED]
    in_proportion = IN_PROPORTION in {how[name] for name in COUNTED}
    return say("notes.institutions", arm.world.firms, arm.world.chains, counts, region if in_proportion else None)


def read_settings(config: DictConfig) -> Settings:
    """Check a composed configuration and turn it into settings.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        One line: what, where, and what would be right.
    """
    return settings_of(cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)))


def settings_of(plain: dict[str, Any]) -> Settings:
    """Check a resolved configuration, which is changed into what is done, and turn it into settings.

    Raises
    ------
    SettingsError, ParameterError, NetworkError
        One line: what, where, and what would be right.
    """
    check_name(plain["name"], "name")
    check_rules(General, plain)
    check_rules(Portfolio, plain["portfolio"], "portfolio.")
    check_rules(Parallel, plain["parallel"], "parallel.")
    check_rules(Figures, plain["figures"], "figures.")
    study = _study(plain["study"])
    if isinstance(study, CompareStudy) and (mistake := too_few(plain["replicates"], study.half_width, study.cap)):
        raise SettingsError(mistake)
    notes = [mistake] if (mistake := too_short(plain["months"], plain["window"])) else []
    plain["window"] = min(plain["window"], plain["months"])  # tables, figures and reports show the window that is used
    task = Task(plain["months"], plain["window"], tuple(plain["by"]), plain["check"], tuple(dict.fromkeys(plain["save"])))
    base = read_arm("", plain)
    if changed := without_own_stations(base.configuration, own_places([base.configuration])):
        base = read_arm("", {**plain, **changed})
    plain |= {key: base.configuration[key] for key in ("region", "beside", "institutions") if key in base.configuration}
    return Settings(
        plain["name"], plain["replicates"], plain["seed"], task, plain["quiet"], plain["language"],
        base.world, base.instruments, base.shocks, study, Parallel(**plain["parallel"]), plain, tuple(notes),
    )  # fmt: skip


def _study(values: dict[str, Any]) -> Study:
    """Return the settings of the kind of study that values name."""
    kind = values["kind"]
    if kind not in KINDS:
        raise SettingsError(f"study.kind is {kind!r}; choose from {', '.join(KINDS)}{nearest(str(kind), KINDS)}")
    given = {name: value for name, value in values.items() if name != "kind"}
    for name in given:
        if wrong := _of_another_kind("study", kind, name):
            raise SettingsError(f"study.{name}: {wrong}")
        if name not in (known := [f.name for f in dataclasses.fields(KINDS[kind])]):
            raise SettingsError(f"there is no setting 'study.{name}'{nearest(name, known)}")
    study = cast(Study, restore(KINDS[kind], given))
    if isinstance(study, CompareStudy) and study.arms is not None and not are_lists(study.arms):
        raise SettingsError(f"study.arms is {study.arms!r}: {NO_LISTS}")
    return study


def of_kind(settings: Settings, kind: type[S]) -> S:
    """Return the settings of the study, which must be of one kind.

    Raises
    ------
    SettingsError
        If another kind of study was chosen.
    """
    if not isinstance(settings.study, kind):
        other = settings.study.kind
        raise SettingsError(
            f"study={other} is chosen, and only study={kind.kind} can run here; in a terminal type strongchain study={other}"
        )
    return settings.study


def not_of_an_arm(arm: str, override: str) -> str:
    """Say that an arm cannot set what an override sets, because this holds for the whole study; empty if it can."""
    key = re.split(r"[.=@]", override.lstrip("+~"), maxsplit=1)[0]
    if key in ARM_OVERRIDES:
        return ""
    return f"study.arms.{arm} sets {key}; an arm can set {', '.join(ARM_OVERRIDES)}: type what holds for the whole study outside the arms"


def are_lists(arms: object) -> bool:
    """Whether arms are what they must be: a list of overrides by name."""
    lists = arms.values() if isinstance(arms, dict) else [None]
    return all(isinstance(overrides, list) and all(isinstance(override, str) for override in overrides) for overrides in lists)


def too_short(months: int, window: int) -> str:
    """Say that means are over all months if the window is longer than the run; empty if it is not."""
    if window <= months:
        return ""
    return say("notes.too_short", months, window)


def too_few(replicates: int, half_width: float | None, cap: int) -> str:
    """Say that the cap is lower than the number of replicates at the start; empty if it is not, or if no half-width is asked for."""
    if half_width is None or cap >= replicates:
        return ""
    return f"study.cap is {cap}, less than replicates={replicates}; raise study.cap, or lower replicates"


def no_arm(reference: object, names: Sequence[str], setting: str = "study.reference") -> str:
    """Say that a setting names an arm that does not exist; empty if the arm exists."""
    if reference in names:
        return ""
    return f"{setting} is {reference!r}, but there is no such arm; the arms are {', '.join(names)}{nearest(str(reference), names)}"


def named_arms(reference: object, second_reference: object, only: Sequence[object]) -> list[tuple[str, object]]:
    """Pair the settings that name arms with the arms that they name."""
    return [
        ("study.reference", reference),
        *(("study.only", arm) for arm in only),
        *([("study.second_reference", second_reference)] if second_reference is not None else []),
    ]


def check_name(name: str, what: str) -> None:
    """Raise if a name cannot be the name of a file in the results: it must not lead to another folder, and be legal on every system."""
    if not name.strip() or name in {".", ".."} or set(name) & set('/\\:*?"<>|'):
        why = 'it must be a plain name without any of / \\ : * ? " < > |'
    elif invisible := unfit(name):
        why = f"{invisible}; delete it"
    elif len(name) > 100 or len(name.encode()) > 240:
        why = f"it has {len(name)} characters; it must have at most 100, or 80 Chinese ones"
    elif name != name.strip() or name.endswith("."):
        why = "it must not begin or end with a blank, nor end with a dot"
    elif re.fullmatch(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[1-9¹²³])\s*(\..*)?", name.casefold()):
        why = "Windows keeps it for a device; choose another name"
    else:
        return
    raise SettingsError(f"{what} is {name!r}; {why}")


def _of_another_kind(group: str, chosen: str, name: str) -> str:
    """Say which kind of network or study a setting belongs to, if it is not the chosen one; empty if it is."""
    homes = [kind for kind, cls in chosen_as_a_whole()[group].items() if name in {f.name for f in dataclasses.fields(cls)}]
    if not homes or chosen in homes:
        return ""
    belongs = " or ".join(f"{group}={home}" for home in homes)
    return f"this setting belongs to {belongs}, but {group}={chosen} is chosen; type {group}={homes[0]}, or leave the setting out"


def idle_setting(config: DictConfig, path: str) -> str:
    """Say why a setting would change nothing in a composed configuration; empty if it has an effect.

    Its instrument or its shock is not active, its network or study is of another kind, or it scales a region whose network is not used.
    """
    group, _, rest = path.partition(".")
    name, _, lever = rest.partition(".")
    if group in SWITCHED and name in registered()[group] and lever not in {"", "active"} and not config[group][name].active:
        active = [key for key in registered()[group] if config[group][key].active]
        chosen = typed(f"{group}=[{','.join([*active, name])}]")
        what = "lever" if group == "instruments" else "setting"
        return f"{name} is not active, so the {what} would change nothing; to activate it, type {chosen}"
    if group == "across" and not config.get("beside"):
        return "it is for what crosses the borders of several regions, and one region is chosen; type region=[jiangsu,anhui]"
    if path == "scale" and config.network.kind != "region":
        kind = config.network.kind
        return f"scale is for the firms of a region, but network={kind} brings its own firms; leave scale out, or type network=region"
    return _of_another_kind(group, config[group].kind, name) if group in chosen_as_a_whole() and name else ""


def refuse_idle_settings(config: DictConfig, overrides: Sequence[str]) -> None:
    """Raise if anything typed would change nothing in a composed configuration; one with arms leaves that to each of them."""
    if config.study.get("arms") is not None:
        return
    typed = ((override, override.lstrip("+~").split("=", 1)[0]) for override in overrides)
    if idle := [f"{override}: {why}" for override, path in typed if (why := idle_setting(config, path))]:
        raise SettingsError("; ".join(idle))


def compose_settings(overrides: Sequence[str]) -> DictConfig:
    """Compose a configuration from overrides, inside a running job or outside, and check it as a whole (`composed`)."""
    named = overrides if GlobalHydra.instance().is_initialized() else ["name=notebook", *overrides]
    return marked(without_hydra(composed(named)), overrides)


def marked(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Note in a composed configuration what its values do not show: the file of a policy, and which institutions were set.

    Institutions that were set for a network which is not the region's own are taken as they stand, even where the region has the same
    number. What was typed counts, and what an experiment's file says.
    """
    if (several := _regions_listed(overrides)) is not None:
        first, *others = (compose_settings([_one_region(override, key) for override in overrides]).region for key in several)
        with open_dict(config):
            config.region, config.beside = first, others
    if own := own_policies(overrides):
        with open_dict(config):
            config.policy_files = own
    typed = [name for name in _figures_set(overrides) if name in INSTITUTIONS]
    if typed and config.network.kind != "region":
        with open_dict(config):
            config.institutions = dict.fromkeys(typed, AS_TYPED)
    return config


def _regions_listed(overrides: Sequence[str]) -> list[str] | None:
    """Return the regions of which the last choice is a list, ``region=[jiangsu,anhui]``; nothing where it is none.

    Hydra would lay their figures over each other.
    """
    chosen = next((text for key, _, text in (o.partition("=") for o in reversed(overrides)) if key == "region" and text[:1] != "{"), "")
    if not chosen.startswith("["):
        return None
    if not (keys := [key.strip().strip("\"'") for key in chosen.strip("[]").split(",") if key.strip()]):
        raise SettingsError("region=[] names no region; write region=[jiangsu,anhui], or leave it out")
    return keys


def _one_region(override: str, key: str) -> str:
    """Return an override, with one region in place of a list of them."""
    return f"region={key}" if override.startswith("region=[") else override


def _figures_set(overrides: Sequence[str]) -> Iterator[str]:
    """Names of the figures of a region that overrides set, one by one or as a dictionary, or an experiment that they choose."""
    for override in overrides:
        key, _, text = override.lstrip("+~").partition("=")
        if key.startswith("region."):
            yield key.removeprefix("region.")
        elif key == "region" and text.lstrip().startswith("{"):
            yield from re.findall(r"[{,]\s*['\"]?(\w+)['\"]?\s*:", text)
        elif key == "experiment" and (path := files.CONFIGS / "experiment" / f"{text}.yaml").is_file():
            written = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
            region = written.get("region") if isinstance(written, dict) else None
            yield from map(str, region if isinstance(region, dict) else ())
