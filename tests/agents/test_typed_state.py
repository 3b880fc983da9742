"""The state is typed: a checker and an editor know every column, and the array that it is."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from agents import ChainHeads, Column, Firms, Flags, Floats, Help, Indices, Ints, Lenders, Population, Regulators, Stations, column
from sim.world import Chains, Links, PriceClasses
from tests.support.places import ROOT

POPULATIONS = (Firms, Help, Stations, ChainHeads, Lenders, Regulators, Links, Chains, PriceClasses)
DTYPES = {Floats: "float64", Flags: "bool", Ints: "int64", Indices: "int32"}


# -- what a class declares ---------------------------------------------------------------------------


@pytest.mark.parametrize("population", POPULATIONS, ids=lambda each: each.__name__)
def test_every_column_has_a_type_and_every_array_the_dtype_of_its_type(population: type[Population]):
    hints = get_type_hints(population)
    arrays = {name: hint for name, hint in hints.items() if hint in DTYPES}
    assert set(arrays) == {"alive", *population.declared}
    rows = population("them", n=3)
    assert list(rows.columns) == ["alive", *population.declared]
    for name, declaration in rows.columns.items():
        array = getattr(rows, name)
        assert declaration.dtype == DTYPES[arrays[name]] == array.dtype.name, name
        assert array.shape == ((3,) if declaration.width == 1 else (3, declaration.width)), name
        assert array.flags.f_contiguous and (array == declaration.start).all(), name
        assert declaration.unit and declaration.meaning, name


def test_a_model_holds_the_classes_that_declare_its_state(loop_model):
    kinds = {"firms": Firms, "stations": Stations, "chain_heads": ChainHeads, "lenders": Lenders, "regulators": Regulators}
    kinds |= {"links": Links, "chains": Chains, "classes": PriceClasses}
    assert {name: type(rows) for name, rows in vars(loop_model).items() if isinstance(rows, Population)} == kinds
    assert all(getattr(loop_model, name).kind == name for name in kinds)


def test_help_comes_after_what_is_the_firms_own():
    own, lent = [name for name in Firms.declared if name not in Help.declared], list(Help.declared)
    assert list(Firms.declared) == own + lent and own[0] == "chain" and lent[0] == "insight"
    assert all(declaration.monthly and declaration.dtype == "float64" for declaration in Help.declared.values())


def test_a_column_is_read_from_the_instance_alone():
    """Nothing of its name in the class: no look-up is slower for it, and a name that is wrong is refused."""
    for population in POPULATIONS:
        assert not [name for name in population.declared if hasattr(population, name)]


# -- user-defined classes ----------------------------------------------------------------------------


class Shops(Population):
    size: Floats = column("1", "a size", start=2.0)
    marks: Indices = column("1", "marks", width=3)


class Outlets(Shops):
    open: Flags = column("1", "lets people in", start=True)
    size: Floats = column("1", "a size", start=5.0)


def test_a_class_has_the_columns_of_its_base_after_its_own():
    assert list(Outlets.declared) == ["open", "size", "marks"] and list(Shops.declared) == ["size", "marks"]
    assert Outlets("outlets", n=1).size.tolist() == [5.0] and Shops("shops", n=1).size.tolist() == [2.0]
    longer = Outlets("outlets", {"rent": Column("int64", "CNY/month", "rent")}, 2)
    longer.rent = 7
    assert list(longer.columns) == ["alive", "open", "size", "marks", "rent"] and longer.rent.tolist() == [7, 7]
    assert "rent" not in Outlets.declared


def test_a_column_without_a_type_or_a_type_without_a_column_is_refused():
    with pytest.raises(TypeError, match=r"Untyped\.size: .*Floats"):
        type("Untyped", (Population,), {"size": column("1", "a size")})
    with pytest.raises(TypeError, match=r"Plain\.size: .*Floats"):
        type("Plain", (Population,), {"size": column("1", "a size"), "__annotations__": {"size": float}})
    with pytest.raises(TypeError, match=r"Bare\.size: .*column"):
        type("Bare", (Population,), {"__annotations__": {"size": Floats}})
    with pytest.raises(ValueError, match="already have 'grow'"):
        type("Taken", (Population,), {"grow": column("1", "a name that is taken"), "__annotations__": {"grow": Floats}})("them", n=1)


# -- what a checker makes of it ----------------------------------------------------------------------

SNIPPET = """
from agents import Firms
from sim.world import World

def look(firms: Firms, world: World) -> None:
    reveal_type(firms.cqo)
    reveal_type(firms.insight)
    reveal_type(world.links.age)
    reveal_type(world.stations.county)
    firms.cqos
    world.firms.capabilty[:, 0] = 1.0
    firms.outptu = firms.output
    firms.cash = 0.0
    firms.cash[:] = 0.0
    firms.cash = firms.sales - firms.dividends
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> list[str]:
    """What mypy says of the snippet, line by line."""
    api: Any = pytest.importorskip("mypy.api", reason="mypy is not installed: it comes with the tools of `make check`")
    file = tmp_path_factory.mktemp("typed") / "snippet.py"
    file.write_text(SNIPPET, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # where its settings are, and agents and sim
        out, err, _ = api.run(["--no-error-summary", "--show-error-codes", "--hide-error-context", str(file)])
    assert not err, err
    return out.splitlines()


def report_on(line: str, report: list[str]) -> str:
    """What mypy reports on a line of the snippet."""
    number = 1 + [each.strip() for each in SNIPPET.splitlines()].index(line)
    return "\n".join(each for each in report if f"snippet.py:{number}: " in each)


@pytest.mark.study  # mypy reads the whole project
@pytest.mark.parametrize(
    ("name", "entry"),
    [("firms.cqo", "bool"), ("firms.insight", "float64"), ("world.links.age", "_64Bit"), ("world.stations.county", "_32Bit")],
)
def test_a_checker_knows_the_array_of_a_column(report, name, entry):
    revealed = report_on(f"reveal_type({name})", report)
    assert "numpy.ndarray[" in revealed and entry in revealed


@pytest.mark.parametrize(
    ("line", "name"),
    [("firms.cqos", "cqos"), ("world.firms.capabilty[:, 0] = 1.0", "capabilty"), ("firms.outptu = firms.output", "outptu")],
)
def test_a_checker_refuses_a_name_that_is_no_column(report, line, name):
    assert f'"Firms" has no attribute "{name}"' in report_on(line, report) and "[attr-defined]" in report_on(line, report)


def test_a_checker_refuses_what_is_no_array_in_place_of_one(report):
    assert "[assignment]" in report_on("firms.cash = 0.0", report)
    assert not report_on("firms.cash[:] = 0.0", report) and not report_on("firms.cash = firms.sales - firms.dividends", report)
