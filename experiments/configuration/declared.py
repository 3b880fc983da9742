"""Everything that can be set, and where it is declared: behind the checks, the lists, the completion and the docs alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any

__all__ = ["CONFIGS", "TOP", "VERBS", "Top", "declared_at", "declaring", "fields_by_path", "groups", "networks", "options_in_files"]

#: Where the configuration files lie.
CONFIGS = Path(__file__).resolve().parents[2] / "configs"
#: What can be typed after ``strongchain`` instead of settings, and what follows it.
VERBS = {
    "results": "[FOLDER]",
    "rerun": "FOLDER [--replicate N] [--arm NAME]",
    "regions": "",
    "policies": "",
    "instruments": "",
    "experiments": "",
    "parameters": "[WORD]",
    "explain": "WORD",
    "completion": "bash|zsh",
    "help": "[WORD]",
}


@dataclass(frozen=True)
class Top:
    """A setting of the study itself, which no dataclass of the world declares.

    Attributes
    ----------
    default : Any
        None stands for "none".
    unit, meaning : str
    legal : str
        What is legal, in a table.
    must, holds : str and function
        What a value must do, after "it must", and whether it does.
    choices : tuple of str
        The values there are, if they can be counted.
    limits : tuple of int, optional
        Range of a whole number.
    """

    default: Any
    unit: str
    meaning: str
    legal: str
    must: str = ""
    holds: Callable[[Any], bool] = lambda value: True
    choices: tuple[str, ...] = ()
    limits: tuple[int, int] | None = None

    def wrong(self, path: str, value: Any) -> str:
        """Say what is wrong with a value of this setting; nothing if it will do."""
        if self.holds(value):
            return ""
        from agents.spelling import nearest

        if not isinstance(self.default, tuple):
            return f"{path} is {value!r}; it must {self.must}{nearest(str(value), self.choices)}"
        if not isinstance(value, list | tuple):
            return f"{path}={value}: it must {self.must}; type '{path}=[{value}]'"
        other = next(one for one in value if one not in self.choices)
        return f"{path} names {other!r}; it must {self.must}{nearest(str(other), self.choices)}"


@dataclass(frozen=True)
class Options(Top):
    """A setting that lists options of a group, read when asked: regions, say, or policies."""

    group: str = ""

    def wrong(self, path: str, value: Any) -> str:
        """Say which options there are not, or are there twice."""
        from agents.spelling import nearest

        options = groups()[self.group]
        if not isinstance(value, list | tuple):
            return f"{path}={value}: it must be a list of names; type '{path}=[{value}]'"
        for name in value:
            if name not in options:
                return f"{path} names {name!r}; there is {', '.join(options)}{nearest(str(name), options)}"
        twice = [name for k, name in enumerate(value) if name in value[:k]]
        return f"{path} names {twice[0]!r} twice; once is enough" if twice else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(default: int, low: int, high: int, unit: str, meaning: str) -> Top:
    legal = f"{low} … {high:,}" if high < 1e12 else f"{low} … 2^{high.bit_length() - 1}"

    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Top(default, unit, meaning, legal, f"be a whole number in {legal}", holds, limits=(low, high))


def _share(high: float, meaning: str, of: str) -> Top:
    def holds(value: Any) -> bool:
        return value is None or (_is_number(value) and 0 < value <= high)

    return Top(None, "1", meaning, f"above 0 … {high:g}", f"be above 0 and at most {high:g} ({of}), or null", holds)


def _yes(meaning: str) -> Top:
    return Top(False, "1", meaning, "true, false", "be true or false", lambda value: isinstance(value, bool), ("true", "false"))


def _text(default: str, meaning: str) -> Top:
    return Top(default, "1", meaning, "a text", "be a text", lambda value: isinstance(value, str) and bool(value.strip()))


def _one(default: str, choices: tuple[str, ...], meaning: str) -> Top:
    return Top(default, "1", meaning, ", ".join(choices), f"be one of {', '.join(choices)}", lambda value: value in choices, choices)


def _several(default: tuple[str, ...], choices: tuple[str, ...], meaning: str) -> Top:
    def holds(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(one in choices for one in value)

    return Top(default, "1", meaning, ", ".join(choices), f"be a list of some of {', '.join(choices)}", holds, choices)


#: Every setting of the study itself, by its path.
TOP = {
    "months": _whole(60, 1, 12_000, "months", "months of a run, after the burn-in"),
    "replicates": _whole(20, 1, 1_000_000, "runs", "runs of every arm, each with luck of its own that the arms share"),
    "seed": _whole(1, 0, 2**128, "1", "where the luck of all replicates comes from"),
    "burn_in": _whole(60, 0, 12_000, "months", "months before month 1, without any programme"),
    "window": _whole(12, 1, 12_000, "months", "effects are means over so many last months; over all where `months` is less"),
    "scale": _share(100, "multiple of the region's counts; none scales it down to about 2,000 firms", "1 is the region as published"),
    "check": _yes("whether every invariant is checked after every month"),
    "quiet": _yes("whether a study prints nothing but mistakes and where its results are, as logs want it"),
    "by": _several(("tier", "size"), ("total", "chain", "tier", "size"), "groups of firms for which effects are told apart"),
    "save": _several((), ("groups", "series", "firms"), "what is kept of every run besides totals"),
    "portfolio.key": _text("custom", "name of the portfolio; no run depends on it"),
    "portfolio.label": _text("A portfolio of one's own", "what reports call the portfolio"),
    "portfolio.label_zh": _text("自选组合", "the same in Chinese"),
    "portfolio.sources": Top(None, "1", "where the values of a portfolio come from, by instrument and lever", "a line by lever"),
    "name": Top(None, "1", "folder below results/; the time of day by default", "a plain name"),
    "study.kind": _one("compare", ("compare", "exchange", "calibration", "validation"), "which study runs"),
    "study.reference": Top("nothing", "1", "arm that the others are compared with", "an arm"),
    "study.arms": Top(None, "1", "arms by name, each a list of overrides; none is nothing, each instrument alone, all", "lists"),
    "study.correction": _one(
        "none", ("none", "holm", "bh", "bonferroni"), "how p-values of the headline outcomes are corrected for many comparisons"
    ),
    "study.half_width": _share(
        1, "half-width of the headline's interval to reach by adding replicates; none adds none", "a share of the reference's level"
    ),
    "study.cap": _whole(200, 2, 1_000_000, "runs", "most replicates of an arm when they are added for `study.half_width`"),
    "study.budget": Top(
        None, "CNY per 1,000 firms and year", "what government spends in every arm with programmes; none leaves levers as they are",
        "above 0 … 1e12", "be above 0 and at most 1e12, or null", lambda value: value is None or (_is_number(value) and 0 < value <= 1e12),
    ),
    "study.split": Top(
        None, "1", "share of the budget by arm and instrument, where it is not spread evenly", "shares that sum to 1",
        "give arms their shares, {both: {cqo: 0.4, stewards: 0.6}}, or be null",
        lambda value: value is None or (isinstance(value, dict) and all(isinstance(shares, dict) for shares in value.values())),
    ),
    "study.length": Top(
        None, "months", "months after which every programme ends that has no length of its own; none lets it go on", "1 … 12,000",
        "be a whole number in 1 … 12,000, or null", lambda value: value is None or (isinstance(value, int) and value is not True
        and 1 <= value <= 12_000),
    ),
    "study.only": Top(
        (), "1", "arms that run, besides the reference and `study.beside`; none is all", "names of arms",
        "be a list of arms", lambda value: isinstance(value, list | tuple) and all(isinstance(one, str) for one in value),
    ),
    "study.beside": Top(None, "1", "second arm, besides the reference, that the others are compared with in a figure of its own", "an arm"),
    "study.regions": Options((), "1", "exchange: regions that every portfolio is tried in", "names of regions", group="region"),
    "study.policies": Options((), "1", "exchange: portfolios that are tried in every region", "names of policies", group="policy"),
    "study.searched": Top(None, "1", "calibration: parameters that are searched, and their ranges", "two numbers by parameter"),
    "study.ranges": Top(None, "1", "calibration: the same; instead of those that come with the study", "two numbers by parameter"),
    "study.points": _whole(160, 10, 100_000, "worlds", "calibration: points of every wave"),
    "study.cuts": Top(
        (2.0, 1.5, 1.0), "1", "calibration: largest implausibility left after each wave, one a wave", "numbers above 0",
        "be a list of numbers above 0, one a wave", lambda value: isinstance(value, list | tuple) and bool(value)
        and all(_is_number(one) and one > 0 for one in value),
    ),
    "study.judged": _whole(60, 1, 100_000, "sets", "calibration: sets that are judged on fresh luck"),
    "study.each": _whole(2, 1, 100_000, "runs", "calibration and validation: replicates of each set"),
    "parallel.backend": _one("loky", ("loky", "multiprocessing", "threading", "sequential"), "how runs are spread over processes"),
    "parallel.workers": Top(
        -1, "processes", "number of processes; -1 is one a core", "-1, 1 …", "be a whole number of 1 or more, or -1 for every core",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and (value == -1 or value >= 1),
    ),
}  # fmt: skip


def networks() -> dict[str, type]:
    """Kinds of network with settings of their own, and what declares these."""
    from sim import FromFile, InputOutput, Synthetic

    return {"synthetic": Synthetic, "file": FromFile, "input_output": InputOutput}


def declaring() -> Iterator[tuple[str, type]]:
    """Every dataclass of the world that declares settings, after the path that these lie under."""
    from sim import INSTRUMENTS, Parameters, Region

    yield "parameters", Parameters
    yield "region", Region
    yield from ((f"instruments.{key}", cls) for key, cls in INSTRUMENTS.items())
    yield from (("network", cls) for cls in networks().values())


def fields_by_path() -> dict[str, Field[Any]]:
    """Every setting that a dataclass of the world declares, by its path."""
    return {f"{prefix}.{f.name}": f for prefix, cls in declaring() for f in fields(cls)}


def declared_at(path: str) -> list[Field[Any]]:
    """Every declaration at a path: two kinds of network may have settings of one name, as a number of leaders or their names."""
    return [f for prefix, cls in declaring() for f in fields(cls) if f"{prefix}.{f.name}" == path]


def options_in_files(configs: Path) -> dict[str, tuple[str, ...]]:
    """Groups and their options as far as files under a folder of configurations give them."""
    folders = (folder for folder in configs.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
    return {"experiment": (), **{folder.name: tuple(path.stem for path in folder.glob("*.yaml")) for folder in folders}}


def groups() -> dict[str, tuple[str, ...]]:
    """Groups and their options: the files under configs/, and what the world registers."""
    from sim import INSTRUMENTS
    from sim.data.plausible import plausible_sets

    found = options_in_files(CONFIGS)
    registered = {"network": ("region", *networks()), "instruments": tuple(INSTRUMENTS), "parameters": tuple(plausible_sets())}
    return {name: tuple(sorted(options)) for name, options in sorted({**found, **registered}.items())}
