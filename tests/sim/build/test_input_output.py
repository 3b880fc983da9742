"""A network made from an input-output table gives the table back, and a bad table is refused with the place and the remedy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.streams import Streams, replicate_keys
from experiments.pages.evidence.multipliers import figure, firm_multipliers, page, sector_multipliers, simulated_multipliers
from sim import InputOutput, NetworkError, StrongchainModel, SupplyNetwork
from sim.build.input_output import SectorEconomy, aggregated, input_output, read_economy
from sim.network.checks import check_network
from sim.parameters import ParameterError
from tests.support.real_data import real_data

KEYS = replicate_keys(3, 2)
#: Four sectors that buy of each other and of themselves; flows and gross outputs in one unit.
FLOWS = """code,A,B,C,D
A,10,40,5,1
B,5,30,60,20
C,5,20,40,80
D,10,10,15,30
"""
SECTORS = "code,name,gross_output,IM\nA,Farming,100,20\nB,Materials,200,0\nC,Parts,250,30\nD,Machines,300,10\n"
#: Rows and columns as above.
A = np.array([[10, 40, 5, 1], [5, 30, 60, 20], [5, 20, 40, 80], [10, 10, 15, 30]]) / [100.0, 200.0, 250.0, 300.0]
SMALL = {"firms": 120, "leaders": 6, "chains": 2, "coverage": 1.0}


def written(folder: Path, flows: str | bytes = FLOWS, sectors: str | bytes = SECTORS) -> Path:
    """Write a table into a folder and return the path of its flows."""
    for name, text in (("table_Z.csv", flows), ("table_sectors.csv", sectors)):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "table_Z.csv"


def economy(folder: Path, flows: str = FLOWS, sectors: str = SECTORS, **values: object) -> SectorEconomy:
    """Read a table of a test's own."""
    return read_economy(InputOutput(path=str(written(folder, flows, sectors)), **{**SMALL, **values}))


def network_of(source: SectorEconomy, key: tuple[int, int] = KEYS[0]) -> SupplyNetwork:
    return input_output(source, Streams(key))


def same(one: SupplyNetwork, other: SupplyNetwork) -> bool:
    columns = ("names", "supplier", "customer", "value_share", "final_demand", "chain", "sector", "leader")
    return all(np.array_equal(getattr(one, column), getattr(other, column)) for column in columns)


def coefficients(network: SupplyNetwork) -> np.ndarray:
    flows, output = aggregated(network)
    return flows / output


# -- what comes back -----------------------------------------------------------------------------------


def test_a_table_is_read_unchanged(tmp_path):
    table = economy(tmp_path).table
    assert table.codes == ("A", "B", "C", "D")
    assert table.names == ("Farming", "Materials", "Parts", "Machines")
    assert np.allclose(table.coefficients, A)
    assert np.allclose(table.output, [100, 200, 250, 300])
    assert np.allclose(table.users, [44, 85, 105, 235])
    assert np.allclose(table.multipliers, np.linalg.inv(np.eye(4) - A).sum(axis=0))


@pytest.mark.parametrize("key", KEYS)
def test_firms_added_up_to_sectors_give_the_table_back(tmp_path, key):
    network = network_of(economy(tmp_path), key)
    output = aggregated(network)[1]
    assert np.allclose(coefficients(network), A, atol=1e-4)
    assert np.allclose(output / output.sum(), np.array([100, 200, 250, 300]) / 850.0, rtol=1e-4)
    assert not check_network(network, strict=True)
    assert network.material_share.max() < 0.951
    assert np.median(network.steady_orders()) == pytest.approx(15e6 / 12)


def test_a_firms_own_coefficients_are_not_its_sectors(tmp_path):
    """Otherwise every firm would need suppliers everywhere: only the sums are the table's."""
    network = network_of(economy(tmp_path))
    of_sector = np.bincount(network.customer[network.sector[network.supplier] == 1], minlength=network.n_firms)
    assert (of_sector == 0).any() and (of_sector > 1).any()


def test_numbers_of_firms_follow_outputs_with_a_minimum_in_every_sector(tmp_path):
    assert np.bincount(network_of(economy(tmp_path)).sector).tolist() == [14, 28, 35, 43]
    assert np.bincount(network_of(economy(tmp_path, least_firms=25)).sector).tolist() == [25, 25, 32, 38]


def test_a_column_of_firms_goes_before_outputs(tmp_path):
    sectors = "code,gross_output,firms\nA,100,500\nB,200,100\nC,250,100\nD,300,300\n"
    network = network_of(economy(tmp_path, sectors=sectors))
    assert np.bincount(network.sector).tolist() == [60, 12, 12, 36]
    assert np.allclose(coefficients(network), A, atol=1e-3)


def test_leaders_are_the_largest_sellers_to_users_of_their_sector(tmp_path):
    network = network_of(economy(tmp_path))
    assert network.chains == ("Machines", "Parts")
    for chain, sector in ((0, 3), (1, 2)):
        of_sector = network.sector == sector
        leads = network.leader & of_sector
        assert leads.sum() == 3
        assert (network.chain[leads] == chain).all()
        assert network.final_demand[leads].min() >= network.final_demand[of_sector & ~leads].max()
    assert not network.leader[network.sector < 2].any()


def test_chains_can_be_named_after_other_sectors(tmp_path):
    network = network_of(economy(tmp_path, chain_sectors=("A", "B")))
    assert network.chains == ("Farming", "Materials")
    assert set(network.sector[network.leader]) == {0, 1}


def test_a_chain_is_the_one_that_takes_most(tmp_path):
    network = network_of(economy(tmp_path))
    inverse = np.linalg.inv(np.eye(network.n_firms) - network.by_supplier.toarray())
    taken = np.stack([inverse @ np.where(network.leader & (network.chain == c), network.final_demand, 0.0) for c in (0, 1)])
    assert (network.chain[~network.leader] == taken.argmax(axis=0)[~network.leader]).all()


def test_same_key_same_bits_another_key_another_network(tmp_path):
    source = economy(tmp_path)
    assert same(network_of(source), network_of(source))
    assert same(network_of(source), input_output(InputOutput(path=str(tmp_path / "table_Z.csv"), **SMALL), Streams(KEYS[0])))
    assert not same(network_of(source), network_of(source, KEYS[1]))


def test_sectors_that_are_dropped_count_as_users(tmp_path):
    for chosen in ({"keep": ("B", "C")}, {"drop": ("A", "D")}):
        source = economy(tmp_path, **chosen)
        assert source.table.codes == ("B", "C")
        assert np.allclose(source.table.users, [200 - 90, 250 - 60])
        assert np.allclose(coefficients(network_of(source)), A[1:3, 1:3], atol=1e-4)


def test_imports_are_taken_out_on_request(tmp_path):
    source = economy(tmp_path, domestic=True)
    share = np.array([100 / 120, 1.0, 250 / 280, 300 / 310])
    assert np.allclose(source.table.coefficients, A * share[:, None])
    assert np.allclose(source.table.output, [100, 200, 250, 300])


def test_users_never_take_less_than_nothing(tmp_path):
    """Where imports exceed what users take, outputs give way, and the notes say so."""
    source = economy(tmp_path, FLOWS.replace("A,10,40,5,1", "A,10,70,15,20"), chain_sectors=("D", "C"))
    assert source.table.users[0] == 0.0
    assert source.table.output[0] > 100.0
    assert "raised to 0" in source.table.notes[0] and "sector A" in source.table.notes[0]
    network = network_of(source)
    assert np.allclose(coefficients(network), source.table.coefficients, atol=1e-3)


def test_pairs_that_are_not_covered_are_missing_and_noted(tmp_path):
    network = network_of(economy(tmp_path, coverage=0.9))
    gone = (coefficients(network) == 0) & (A > 0)
    assert gone.any()
    assert np.allclose(coefficients(network)[~gone], A[~gone], atol=1e-4)
    assert "of its flows missing" in network.notes[-1]


def test_firm_multipliers_are_leontiefs(tmp_path):
    network = network_of(economy(tmp_path))
    inverse = np.linalg.inv(np.eye(network.n_firms) - network.by_supplier.toarray())
    assert np.allclose(firm_multipliers(network), inverse.sum(axis=0))


def test_users_multipliers_add_up_to_all_output(tmp_path):
    """Whatever the links: final demand times multiplier, over all firms, is what all firms make."""
    network = network_of(economy(tmp_path))
    of_sectors = sector_multipliers(network, network.final_demand)
    demand = np.bincount(network.sector, network.final_demand)
    assert (demand * of_sectors).sum() == pytest.approx(network.steady_orders().sum())


def test_the_page_of_multipliers_has_every_sector_and_the_figure_too(tmp_path):
    source = economy(tmp_path)
    multipliers = simulated_multipliers(source, 2)
    assert multipliers.shape == (2, 3, 4)
    assert np.abs(multipliers[:, 0].mean(axis=0) / source.table.multipliers - 1.0).max() < 0.1
    text = page(source, multipliers, multipliers, "a test")
    assert all(f"| {code} | {value:.3f} |" in text for code, value in zip("ABCD", source.table.multipliers, strict=True))
    assert len(figure(source.table.multipliers, multipliers[:, 0]).axes[0].lines[1].get_xdata()) == 4


@pytest.mark.parametrize("encode", [lambda text: b"\xef\xbb\xbf" + text.encode(), lambda text: text.encode("gb18030"), str.encode])
def test_encodings_and_order_of_rows_change_nothing(tmp_path, encode):
    head, *rows = FLOWS.replace("A", "甲").splitlines()
    flows = encode("\n".join([head, *rows[::-1]]) + "\n")
    source = read_economy(InputOutput(path=str(written(tmp_path, flows, encode(SECTORS.replace("\nA,", "\n甲,")))), **SMALL))
    assert source.table.codes[0] == "甲"
    assert np.allclose(source.table.coefficients, A)


# -- what is refused -----------------------------------------------------------------------------------

BAD: dict[str, tuple[str, str, dict[str, object], list[str]]] = {
    "no row": (FLOWS.replace("D,10,10,15,30\n", ""), SECTORS, {}, ["table_Z.csv, column 'D'", "square (3 × 4)"]),
    "no column": (FLOWS.replace("A,B,C,D", "A,B,C,E"), SECTORS, {}, ["table_Z.csv, row 5, column 'code'", "'D' has no column", "square"]),
    "a row twice": (FLOWS + "A,1,1,1,1\n", SECTORS, {}, ["table_Z.csv, row 6", "'A' is already in row 2"]),
    "a column twice": (FLOWS.replace("A,B,C,D", "A,B,C,C"), SECTORS, {}, ["table_Z.csv, row 1", "'C' 2 times"]),
    "a negative flow": (FLOWS.replace("A,10,40", "A,10,-40"), SECTORS, {}, ["table_Z.csv, row 2, column 'B'", "-40 must be 0 or more"]),
    "no number": (FLOWS.replace("A,10,40", "A,10,much"), SECTORS, {}, ["table_Z.csv, row 2, column 'B'", "'much' is not a number"]),
    "too much bought": (
        FLOWS.replace("D,10", "D,90"),
        SECTORS,
        {},
        ["table_Z.csv, column 'A'", "1.1 of the sector's", "below 1", "one unit"],
    ),
    "one column": ("code\nA\n", SECTORS, {}, ["table_Z.csv has one column", "separated by commas"]),
    "an unknown sector": (FLOWS, SECTORS + "E,More,5,0\n", {}, ["table_sectors.csv, row 6, column 'code'", "'E' is not in table_Z.csv"]),
    "a sector without row": (FLOWS, SECTORS.replace("D,Machines,300,10\n", ""), {}, ["table_sectors.csv has no row for sector 'D'"]),
    "a sector twice": (FLOWS, SECTORS + "D,More,5,0\n", {}, ["table_sectors.csv, row 6", "'D' is already in row 5"]),
    "no output": (
        FLOWS,
        SECTORS.replace("A,Farming,100", "A,Farming,0"),
        {},
        ["table_sectors.csv, row 2, column 'gross_output'", "above 0"],
    ),
    "blank output": (FLOWS, SECTORS.replace("A,Farming,100", "A,Farming,"), {}, ["row 2, column 'gross_output'", "has no output"]),
    "a wrong header": (
        FLOWS,
        SECTORS.replace("gross_output", "gross output"),
        {},
        ["no column 'gross_output'", "did you mean 'gross output'"],
    ),
    "no firm": (FLOWS, "code,gross_output,firms\nA,100,0\nB,200,1\nC,250,1\nD,300,1\n", {}, ["row 2, column 'firms'", "above 0"]),
    "no imports": (FLOWS, SECTORS.replace("IM", "imports"), {"domestic": True}, ["table_sectors.csv has no column 'IM'"]),
    "keep": (FLOWS, SECTORS, {"keep": ("A", "X")}, ["network.keep names 'X'", "there are 'A', 'B'"]),
    "drop": (FLOWS, SECTORS, {"drop": ("a",)}, ["network.drop names 'a'"]),
    "nothing left": (FLOWS, SECTORS, {"drop": ("A", "B", "C", "D")}, ["leave no sector"]),
    "a chain's sector": (FLOWS, SECTORS, {"chain_sectors": ("X",)}, ["network.chain_sectors names 'X'"]),
    "a chain's sector twice": (FLOWS, SECTORS, {"chain_sectors": ("A", "A")}, ["names a sector twice"]),
    "too many chains": (FLOWS, SECTORS, {"chains": 5}, ["network.chains is 5", "4 sectors"]),
    "too few firms": (FLOWS, SECTORS, {"firms": 10}, ["network.firms is 10", "need 12"]),
    "too many leaders": (FLOWS, SECTORS, {"leaders": 100, "firms": 120}, ["network.leaders is 100", "50 of them in sector 'D'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_in_one_line(tmp_path, case):
    flows, sectors, values, expected = BAD[case]
    with pytest.raises(NetworkError) as refused:
        economy(tmp_path, flows, sectors, **values)
    message = str(refused.value)
    assert "\n" not in message
    for part in expected:
        assert part in message


def test_files_are_missing_or_not_named(tmp_path):
    path = written(tmp_path)
    with pytest.raises(NetworkError, match=r"network\.path is not set"):
        read_economy(InputOutput())
    with pytest.raises(NetworkError, match=r"there is no file .*other_Z\.csv"):
        read_economy(InputOutput(path=str(tmp_path / "other_Z.csv")))
    (tmp_path / "table_sectors.csv").rename(tmp_path / "other.csv")
    with pytest.raises(NetworkError, match=r"there is no file .*table_sectors\.csv"):
        read_economy(InputOutput(path=str(path)))
    path.rename(tmp_path / "flows.csv")
    with pytest.raises(NetworkError, match=r"network\.sectors_path is not set"):
        read_economy(InputOutput(path=str(tmp_path / "flows.csv")))
    economy = read_economy(InputOutput(path=str(tmp_path / "flows.csv"), sectors_path=str(tmp_path / "other.csv"), **SMALL))
    assert np.allclose(economy.table.coefficients, A)


def test_a_setting_out_of_range_is_refused():
    with pytest.raises(ParameterError, match=r"network\.coverage is 2; it must lie in 0\.5 … 1 \(share\)"):
        InputOutput(coverage=2)
    with pytest.raises(ParameterError, match=r"network\.leaders is 1; it must lie between the number of chains, 4"):
        InputOutput(leaders=1)


# -- a published table ---------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["42", "135"])
def china(request):
    path = real_data("china_io_2007", f"china2007_{request.param}_Z.csv")
    return read_economy(InputOutput(path=str(path)))


@pytest.mark.parametrize("key", KEYS)
def test_chinas_table_comes_back(china, key):
    network = network_of(china, key)
    output = aggregated(network)[1]
    table = china.table
    assert not [finding for finding in check_network(network, strict=True)]
    assert network.n_firms == 2_000
    assert np.abs(coefficients(network) - table.coefficients).max() < 0.02  # more than 0.1 % only where a sector has a handful of firms
    assert np.abs(coefficients(network) - table.coefficients).sum() < 0.015 * table.coefficients.sum()
    assert np.abs(output / output.sum() / (table.output / table.output.sum()) - 1.0).max() < 0.03


def test_chinas_domestic_outputs_are_in_proportion_to_the_published_ones():
    path = real_data("china_io_2007", "china2007_42_Z.csv")
    source = read_economy(InputOutput(path=str(path), domestic=True))
    output = aggregated(network_of(source))[1]
    assert np.allclose(output / output.sum(), source.table.published / source.table.published.sum(), rtol=1e-3)


def test_a_world_of_chinas_table_runs_under_every_law(china):
    model = StrongchainModel(network=replace(china, settings=replace(china.settings, firms=600)), rng=1, burn_in=0, check=True)
    model.run(6)
    assert 0.0 < model.field_dpu < 1.0
    assert model.quality_map().error < 1e-9
