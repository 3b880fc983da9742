"""Every parameter is declared once, in full, and refuses what it is not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import MISSING, fields

import pytest

from experiments.configuration.schema import mirror, restore
from sim import INSTRUMENTS, FromFile, InputOutput, Parameters, Region, Synthetic
from sim.build.reading.listing import check_settings
from sim.parameters import ParameterError, declared, parameter
from tests.support.breaches import rule_over


def read(**values: object) -> None:
    """Check how a network file is read, without one."""
    check_settings(FromFile(**{"path": "chain.csv", **values}))


#: Name of a settings dataclass → its class, what checks values, and where a user types them.
CLASSES: dict[str, tuple[type, Callable[..., object], str]] = {
    "parameters": (Parameters, Parameters, "parameters."),
    "region": (Region, Region, "region."),
    "synthetic": (Synthetic, Synthetic, "network."),
    "file": (FromFile, read, "network."),
    "input_output": (InputOutput, InputOutput, "network."),
    **{key: (cls, cls, f"instruments.{key}.") for key, cls in INSTRUMENTS.items()},
}
#: Limited by each other as well, as leaders are by firms.
LIMITED = {
    f"{name}.{figure}" for name in ("region", "synthetic", "input_output") for figure in ("chains", "leaders", "firms", "tier_shares")
}
#: What in a source says that the figure has none.
CONFESSION = re.compile(r"\bassumption\b|\bconvention\b", re.IGNORECASE)


#: Every declared number of the model, as (class name, field).
EVERY = [(name, f) for name, (cls, _, _) in CLASSES.items() for f in declared(cls)]


def path(name: str, f) -> str:
    """What a declared number is called."""
    return f"{name}.{f.name}"


def entries(f) -> tuple[object, ...]:
    """The default as a tuple of numbers."""
    return f.default if isinstance(f.default, tuple) else (f.default,)


def whole(f) -> bool:
    """Whether only whole numbers are legal."""
    return str(f.type).startswith(("int", "tuple[int"))


def with_first(f, value: object) -> object:
    """The default with its first entry replaced."""
    return (value, *f.default[1:]) if isinstance(f.default, tuple) else value


def refusal(check: Callable[..., object], **values: object) -> str:
    """The refusal of values."""
    with pytest.raises(ValueError) as refused:
        check(**values)
    return str(refused.value)


# -- declared in full ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSES)
def test_every_number_is_declared(name):
    cls = CLASSES[name][0]
    numbers = [f for f in fields(cls) if f.default is not MISSING and any(type(v) in (int, float) for v in entries(f))]
    assert numbers
    bare = [f.name for f in numbers if "range" not in f.metadata]
    assert not bare, f"{name} has numbers without a range: {', '.join(bare)}"


@rule_over(EVERY, path)
def test_a_number_has_range_unit_source_confidence_and_meaning(name, f):
    low, high = f.metadata["range"]
    assert math.isfinite(low) and math.isfinite(high) and low < high
    assert f.metadata["confidence"] in {"S", "D", "R", "N"}
    for what in ("unit", "source", "meaning"):
        assert f.metadata[what].strip(), f"{name}.{f.name} has no {what}"
    assert "\n" not in f.metadata["meaning"]


@rule_over(EVERY, path)
def test_a_default_lies_in_its_range(name, f):
    low, high = f.metadata["range"]
    for number in entries(f):
        assert number is None or low <= number <= high
        assert number is None or not whole(f) or number == int(number)
        assert number is not None or "None" in str(f.type)


@rule_over(EVERY, path)
def test_an_assumption_says_so(name, f):
    """N means that nothing was found; then, and only then, the source says that it is an assumption or a convention."""
    confessed = bool(CONFESSION.search(f.metadata["source"]))
    assert confessed == (f.metadata["confidence"] == "N"), f"{name}.{f.name}: {f.metadata['confidence']}, {f.metadata['source']!r}"


def test_a_declaration_knows_four_confidences():
    with pytest.raises(ValueError, match="S, D, R, N"):
        parameter(1.0, 0.0, 2.0, "1", "a source", "X", "meaning")


# -- refused -------------------------------------------------------------------------------------------


@rule_over(EVERY, path)
def test_a_wrong_value_is_refused_with_its_name_range_and_unit(name, f):
    _, check, where = CLASSES[name]
    low, high = f.metadata["range"]
    wrong = [low - 1, 2 * abs(high) + 1, math.nan, math.inf, -math.inf]
    wrong += ["much", [1.0]] if name != "synthetic" else []
    wrong += [low + 0.5] if whole(f) and high > low + 1 else []
    for value in wrong:
        message = refusal(check, **{f.name: with_first(f, value)})
        assert f"{where}{f.name}" in message
        assert f"{low:g}" in message and f"{high:g}" in message
        assert f.metadata["unit"] == "1" or f.metadata["unit"] in message


@rule_over([case for case in EVERY if path(*case) not in LIMITED], path)
def test_both_ends_of_a_range_are_legal(name, f):
    for value in f.metadata["range"]:
        CLASSES[name][1](**{f.name: tuple(type(v)(value) for v in f.default) if isinstance(f.default, tuple) else value})


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in {"synthetic", "file"}])
def test_several_wrong_values_are_all_named(name):
    _, check, where = CLASSES[name]
    numbers = [f for f in declared(CLASSES[name][0])]
    message = refusal(check, **{f.name: with_first(f, 2 * abs(f.metadata["range"][1]) + 1) for f in numbers})
    for f in numbers:
        assert f"{where}{f.name} is" in message


@pytest.mark.parametrize(
    "name", [name for name, (cls, _, _) in CLASSES.items() if any(isinstance(f.default, tuple) for f in declared(cls))]
)
def test_a_tuple_of_another_length_is_refused(name):
    cls, check, where = CLASSES[name]
    for f in declared(cls):
        if isinstance(f.default, tuple) and not str(f.type).endswith("...]"):
            assert f"{where}{f.name}" in refusal(check, **{f.name: f.default[1:]})


def test_a_wrong_value_is_a_parameter_error():
    with pytest.raises(ParameterError, match=r"^parameters\.latent_share is 0\.95; it must lie in 0 … 0\.9 \(share\)$"):
        Parameters(latent_share=0.95)


@pytest.mark.parametrize("name", CLASSES)
def test_what_hydra_is_given_is_what_comes_back(name):
    """The unfrozen copy that Hydra writes into has the same fields and defaults."""
    cls = CLASSES[name][0]
    copy = mirror(cls)()
    assert restore(cls, {f.name: getattr(copy, f.name) for f in fields(cls)}) == cls()
