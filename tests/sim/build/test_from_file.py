"""Networks from files: every rule by hand, every bad input by its message, real chains where they are at hand."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from sim.build.from_file import FromFile, from_file
from sim.build.reading.table import read_number, read_table
from sim.network.checks import check_network
from sim.network.fixed_points import NetworkError, spectral_radius
from sim.network.network import SupplyNetwork
from tests.support.real_data import real_data


@pytest.fixture
def save(tmp_path: Path):
    def write(text: str | bytes, name: str = "chain.csv", encoding: str = "utf-8") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return str(path)

    return write


def links(network: SupplyNetwork, of: str = "value_share") -> dict[tuple[str, str], float]:
    ends = zip(network.names[network.supplier], network.names[network.customer], strict=True)
    return {(str(j), str(i)): float(x) for (j, i), x in zip(ends, getattr(network, of), strict=True)}


def firms(network: SupplyNetwork, of: str) -> dict[str, float]:
    return {str(name): value for name, value in zip(network.names, getattr(network, of).tolist(), strict=True)}


def refused(*expected: str, **given) -> str:
    """Assert that the file is refused in one line that holds each of the expected parts."""
    with pytest.raises(NetworkError) as caught:
        from_file(FromFile(**given))
    message = str(caught.value)
    assert "\n" not in message
    for part in expected:
        assert part in message, message
    return message


EDGES = "supplier,customer\nsteel,gear\nsteel,motor\ngear,car\nmotor,car\n"

# -- rules -----------------------------------------------------------------------------------


def test_edges_only(save) -> None:
    network = from_file(FromFile(path=save(EDGES)))
    assert network.names.tolist() == ["car", "steel", "gear", "motor"]
    assert network.leader.tolist() == [True, False, False, False]
    assert links(network) == pytest.approx(
        {("steel", "gear"): 0.55, ("steel", "motor"): 0.55, ("gear", "car"): 0.275, ("motor", "car"): 0.275}
    )
    # Nothing physical is known, so units are value shares.
    assert links(network, "units") == pytest.approx(links(network))
    assert not network.essential.any()
    assert (network.chains, network.sectors, network.county) == (("car",), ("sector",), None)
    assert np.median(network.steady_orders()) * 12 == pytest.approx(15e6)
    assert any("0.55 is split" in note for note in network.notes)
    assert any("units are not given on 4 of 4" in note for note in network.notes)


def test_units_split_the_material_share(save) -> None:
    network = from_file(FromFile(path=save("supplier,customer,units\nbolt,car,3\ncab,car,1\n"), material_share=0.8, median_revenue=1.2e6))
    assert links(network) == pytest.approx({("bolt", "car"): 0.6, ("cab", "car"): 0.2})
    assert links(network, "units") == {("bolt", "car"): 3.0, ("cab", "car"): 1.0}
    assert np.median(network.steady_orders()) == pytest.approx(1e5)


NODES = "firm,cost,demand\nsteel,2,\ngear,3,\nmotor,10,\ncar,20,100\n"


def test_prices_and_value_shares_by_hand(save) -> None:
    edges = save("supplier,customer,units\nsteel,gear,1\nsteel,motor,5\ngear,car,4\nmotor,car,1\n")
    network = from_file(FromFile(path=edges, nodes=save(NODES, "firms.csv"), keep_scale=True))
    # gear 3 + 2 = 5; motor 10 + 5·2 = 20; car 20 + 4·5 + 20 = 60
    assert firms(network, "unit_cost") == pytest.approx({"steel": 2, "gear": 5, "motor": 20, "car": 60})
    assert links(network) == pytest.approx(
        {("steel", "gear"): 2 / 5, ("steel", "motor"): 10 / 20, ("gear", "car"): 20 / 60, ("motor", "car"): 20 / 60}
    )
    assert links(network, "units") == {("steel", "gear"): 1, ("steel", "motor"): 5, ("gear", "car"): 4, ("motor", "car"): 1}
    assert firms(network, "final_demand") == pytest.approx({"car": 6000, "steel": 0, "gear": 0, "motor": 0})
    # The paths from steel to the user add up to steel's share in the value of a car: 9 units of 2 in 60.
    assert firms(network, "unit_cost")["car"] * network.steady_orders()[1] / 6000 == pytest.approx(9 * 2)


def test_given_price_and_given_value_shares_win(save) -> None:
    nodes = save("firm,cost,price,demand\nore,1,,\ngear,1,8,\ncar,2,,1\n", "firms.csv")
    network = from_file(FromFile(path=save("supplier,customer,units\nore,gear,2\ngear,car,1\n"), nodes=nodes))
    assert firms(network, "unit_cost") == {"ore": 1, "gear": 8, "car": 10}
    assert links(network) == pytest.approx({("ore", "gear"): 0.25, ("gear", "car"): 0.8})
    network = from_file(FromFile(path=save("supplier,customer,value_share\nore,gear,0.98\ngear,car,0.4\n"), nodes=nodes))
    assert links(network) == {("ore", "gear"): 0.98, ("gear", "car"): 0.4}
    assert links(network, "units")["gear", "car"] == pytest.approx(0.4 * 10 / 8)


def test_little_value_added_is_capped_and_noted(save) -> None:
    nodes = save("firm,cost\na,1\nb,0\nc,1\n", "firms.csv")
    network = from_file(FromFile(path=save("supplier,customer\na,b\nb,c\n"), nodes=nodes))
    assert links(network) == pytest.approx({("a", "b"): 0.95, ("b", "c"): 0.5})
    assert links(network, "units") == {("a", "b"): 1.0, ("b", "c"): 1.0}
    assert any("1 firms add almost no value" in note for note in network.notes)


def test_stages_without_any_price(save) -> None:
    nodes = save("firm,cost\na,0\nb,0\nc,1\n", "firms.csv")
    network = from_file(FromFile(path=save("supplier,customer\na,b\nb,c\n"), nodes=nodes))
    assert links(network) == pytest.approx({("a", "b"): 0.55, ("b", "c"): 0.0})
    assert any("2 stages have a price of 0" in note for note in network.notes)


def test_cyclic_file(save) -> None:
    text = "supplier,customer,units\npower,steel,0.5\nsteel,power,0.2\nsteel,car,3\n"
    network = from_file(FromFile(path=save(text), nodes=save("firm,cost\npower,1\nsteel,4\ncar,10\n", "firms.csv")))
    # p = 1 + 0.2 s, s = 4 + 0.5 p  →  s = 5, p = 2
    assert firms(network, "unit_cost") == pytest.approx({"power": 2, "steel": 5, "car": 25})
    assert links(network) == pytest.approx({("power", "steel"): 0.2, ("steel", "power"): 0.5, ("steel", "car"): 0.6})
    assert spectral_radius(network.by_customer) == pytest.approx(np.sqrt(0.1))
    assert network.leader.sum() == 1


COLLAPSE = "supplier,customer,units\npart,ship,2\nship,maker,3\npart,maker,1\nmaker,depot,1\ndepot,shop,1\nmaker,shop,2\n"
COLLAPSE_NODES = "firm,kind,cost,demand\npart,Part,5,\nship,Trans,1,\nmaker,Manuf,12,\ndepot,Dist,7,\nshop,Retail,0,10\n"


def test_collapsing_by_hand(save) -> None:
    network = from_file(
        FromFile(path=save(COLLAPSE), nodes=save(COLLAPSE_NODES, "n.csv"), collapse=("Trans", "Dist", "Retail"), keep_scale=True)
    )
    assert network.names.tolist() == ["maker", "part"]
    # ship 1 + 2·5 = 11; maker 12 + 3·11 + 5 = 50, of which 2·3 + 1 = 7 parts of 5: carriage stays in the price.
    assert firms(network, "unit_cost") == {"maker": 50, "part": 5}
    assert links(network, "units") == {("part", "maker"): 7}
    assert links(network) == pytest.approx({("part", "maker"): 35 / 50})
    # A shop sells 10, each of 1 maker's unit through the depot and 2 directly.
    assert firms(network, "final_demand") == pytest.approx({"maker": 10 * 3 * 50, "part": 0})
    assert network.sectors == ("Manuf", "Part")


def test_collapsing_without_costs_or_demand(save) -> None:
    nodes = save("firm,kind\npart,P\nship,T\nmaker,P\ndepot,T\nshop,T\n", "n.csv")
    network = from_file(FromFile(path=save(COLLAPSE + "part,shop,1\n"), nodes=nodes, collapse=("T",)))
    assert firms(network, "leader") == {"part": True, "maker": True}
    assert links(network) == pytest.approx({("part", "maker"): 0.55})
    demand = firms(network, "final_demand")
    assert demand["part"] == pytest.approx(demand["maker"])


def test_collapsing_given_value_shares_multiplies_them(save) -> None:
    text = "supplier,customer,value_share,essential\na,t,0.8,yes\nt,b,0.5,yes\nt,c,0.5,no\nb,c,0.1,no\n"
    nodes = save("firm,kind\na,F\nb,F\nc,F\nt,T\n", "n.csv")
    network = from_file(FromFile(path=save(text), nodes=nodes, collapse=("T",)))
    assert links(network) == pytest.approx({("a", "b"): 0.4, ("a", "c"): 0.4, ("b", "c"): 0.1})
    assert links(network, "essential") == {("a", "b"): 1, ("a", "c"): 0, ("b", "c"): 0}


def test_leaders_by_name_by_column_and_by_rule(save) -> None:
    path = save(EDGES)
    assert firms(from_file(FromFile(path=path, leaders=("gear", "car"))), "leader") == {"gear": 1, "car": 1, "steel": 0, "motor": 0}
    nodes = save("firm,leader\nsteel,\ngear,0\nmotor,是\ncar,No\n", "firms.csv")
    assert from_file(FromFile(path=path, nodes=nodes)).names[0] == "motor"
    assert from_file(FromFile(path=path, nodes=nodes, leaders=("car",))).names[0] == "car"
    # A firm with final demand sells to users, whichever other firms buy from it.
    nodes = save("firm,demand\nsteel,0\ngear,3\nmotor,\ncar,1\n", "firms.csv")
    network = from_file(FromFile(path=path, nodes=nodes, keep_scale=True))
    assert firms(network, "final_demand") == {"gear": 3, "car": 1, "steel": 0, "motor": 0}


def test_a_firm_in_no_link_is_no_leader(save) -> None:
    network = from_file(FromFile(path=save(EDGES), nodes=save("firm\nsteel\ngear\nlonely\nmotor\ncar\n", "firms.csv")))
    assert network.names.tolist() == ["car", "steel", "gear", "lonely", "motor"]
    assert network.leader.sum() == 1
    assert any("'lonely'" in note for note in network.notes)


def test_chain_that_takes_most_by_value(save) -> None:
    text = "supplier,customer,value_share\nore,steel,0.5\nsteel,car,0.6\nsteel,boat,0.1\nwood,boat,0.3\n"
    network = from_file(FromFile(path=save(text)))
    assert {name: network.chains[c] for name, c in firms(network, "chain").items()} == {
        "car": "car", "boat": "boat", "ore": "car", "steel": "car", "wood": "boat",
    }  # fmt: skip
    nodes = save(
        "firm,chain,sector,county\nore,,mine,east\nsteel,metal,,west\nwood,,,east\ncar,metal,assembly,east\nboat,water,,west\n", "f.csv"
    )
    network = from_file(FromFile(path=save(text), nodes=nodes))
    assert {name: network.chains[c] for name, c in firms(network, "chain").items()} == {
        "car": "metal", "boat": "water", "ore": "metal", "steel": "metal", "wood": "water",
    }  # fmt: skip
    assert {name: network.sectors[c] for name, c in firms(network, "sector").items()} == {
        "car": "assembly", "boat": "sector", "ore": "mine", "steel": "sector", "wood": "sector",
    }  # fmt: skip
    assert firms(network, "county") == {"car": 0, "boat": 1, "ore": 0, "steel": 1, "wood": 0} and network.counties == ("east", "west")


def test_sector_and_essential_of_links(save) -> None:
    text = "supplier,customer,sector,essential\nsteel,gear,metal,yes\nsteel,car,metal,\ngear,car,parts,N\n"
    network = from_file(FromFile(path=save(text)))
    assert {name: network.sectors[c] for name, c in firms(network, "sector").items()} == {
        "car": "sector",
        "steel": "metal",
        "gear": "parts",
    }
    assert links(network, "essential") == {("steel", "gear"): 1, ("steel", "car"): 0, ("gear", "car"): 0}


def test_filter_takes_values_and_lists(save) -> None:
    path = save("chain,supplier,customer\n1,a,b\n36,c,d\n36,e,d\n7,f,g\n")
    nodes = save("firm,chain\na,1\nb,1\nc,36\nd,36\ne,36\nf,7\ng,7\n", "firms.csv")
    assert set(from_file(FromFile(path=path, filter={"chain": 36})).names) == {"c", "d", "e"}
    network = from_file(FromFile(path=path, nodes=nodes, filter={"chain": ["1", 36]}))
    assert set(network.names) == {"a", "b", "c", "d", "e"}
    assert set(network.chains) == {"1", "36"}


def test_stage_list(save) -> None:
    text = 'stage,cost,demand,up_stages\ncar,20,"1,000",gear,4,motor,1,,\nsteel,2,\ngear,3,,steel,1\nmotor,10,,steel,5\n'
    network = from_file(FromFile(path=save(text), node_columns={"firm": "stage"}, keep_scale=True))
    assert firms(network, "unit_cost") == pytest.approx({"car": 60, "steel": 2, "gear": 5, "motor": 20})
    assert firms(network, "final_demand")["car"] == pytest.approx(60_000)
    other = from_file(
        FromFile(path=save(text.replace("up_stages", "上游")), node_columns={"firm": "stage"}, keep_scale=True, format="stages")
    )
    assert links(other) == links(network)


def test_chinese_names_blanks_and_encodings(save) -> None:
    text = "供应商,客户,数量\n 钢厂 ,齿轮 厂,2\n齿轮 厂,整车厂,1\n"
    columns = {"supplier": "供应商", "customer": "客户", "units": "数量"}
    seen = []
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        path = save(text, f"我的 数据/供应 链 {encoding}.csv", encoding)
        seen.append(from_file(FromFile(path=path, columns=columns)))
    for network in (*seen, from_file(FromFile(path=path, columns=columns, encoding="gb18030"))):
        assert network.names.tolist() == ["整车厂", "钢厂", "齿轮 厂"]
        assert links(network, "units")["钢厂", "齿轮 厂"] == 2.0


def test_blank_rows_and_windows_line_ends(save) -> None:
    text = 'supplier,customer,note,,\r\n\r\n"steel, plain",gear,"two\r\nlines",,\r\n,,,,\r\ngear,car,,\r\n'
    network = from_file(FromFile(path=save(text)))
    assert network.names.tolist() == ["car", "steel, plain", "gear"]
    assert read_table(save(text)).row.tolist() == [3, 5]


def test_settings_as_hydra_gives_them(save) -> None:
    typed = {"path": save("chain,source,target\n36,a,b\n1,c,d\n"), "filter": {"chain": [36]}, "leaders": ["b"]}
    config = OmegaConf.merge(OmegaConf.structured(FromFile), typed, {"columns": {"supplier": "source", "customer": "target"}})
    for form in (OmegaConf.to_object(config), config):
        assert from_file(form).names.tolist() == ["b", "a"]


@pytest.mark.study
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_order_of_rows_decides_only_the_order_of_firms(data, tmp_path_factory) -> None:
    n = data.draw(st.integers(3, 9))
    pairs = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=2, max_size=20, unique=True))
    rows = [(f"f{min(p)}", f"f{max(p)}", data.draw(st.integers(1, 5))) for p in pairs if p[0] != p[1]]
    rows = list({row[:2]: row for row in rows}.values()) or [("f0", "f1", 1)]
    kinds = [(f"f{i}", data.draw(st.sampled_from(["A", "B", "T"])) if i else "A", data.draw(st.integers(0, 9)), i % 3) for i in range(n)]
    folder = tmp_path_factory.mktemp("order")

    def load(rows, kinds):
        for name, header, content in (("e.csv", "supplier,customer,units", rows), ("n.csv", "firm,kind,cost,county", kinds)):
            with (folder / name).open("w", newline="") as file:
                csv.writer(file).writerows([header.split(","), *content])
        try:
            return from_file(FromFile(path=str(folder / "e.csv"), nodes=str(folder / "n.csv"), collapse=("T",)))
        except NetworkError as error:
            return re.sub(r"row \d+|'f\d+'", "", str(error))

    one, other = load(rows, kinds), load(data.draw(st.permutations(rows)), data.draw(st.permutations(kinds)))
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    for of in ("value_share", "units", "essential"):
        assert links(other, of) == pytest.approx(links(one, of))
    for of in ("leader", "final_demand", "unit_cost", "county", "tier"):
        assert firms(other, of) == pytest.approx(firms(one, of))
    for of, labels in (("chain", "chains"), ("sector", "sectors")):
        named = [{name: getattr(net, labels)[k] for name, k in firms(net, of).items()} for net in (one, other)]
        assert named[0] == named[1]


# -- bad input -------------------------------------------------------------------------------


def test_missing_files(save, tmp_path) -> None:
    save(EDGES, "chain.csv")
    refused("there is no file", "chian.csv", "its folder holds 'chain.csv'", path=str(tmp_path / "chian.csv"))
    refused("nor a folder", "starts at", path=str(tmp_path / "no" / "chain.csv"))
    refused("is a folder", "'chain.csv'", path=str(tmp_path))
    refused("there is no file", "nodes.csv", path=str(tmp_path / "chain.csv"), nodes=str(tmp_path / "nodes.csv"))
    refused("network.path is empty")


def test_missing_columns(save) -> None:
    path = save("source,target\na,b\n")
    refused("chain.csv has no column 'supplier'", "'source', 'target'", "network.columns.supplier", path=path)
    refused("'cliet'", "network.columns.customer", path=path, columns={"supplier": "source", "customer": "cliet"})
    refused("'n'", "network.columns.units", path=path, columns={"supplier": "source", "customer": "target", "units": "n"})
    refused("network.columns has no 'suplier'", "did you mean 'supplier'?", path=path, columns={"suplier": "source"})
    refused("separated by commas", "';'", path=save("supplier;customer\na;b\n"))
    refused("n.csv has no column 'firm'", "network.node_columns.firm", path=save(EDGES), nodes=save("stage\na\n", "n.csv"))
    refused("has no column 'chain'", "network.filter", path=path, filter={"chain": 1})


def test_misspelt_columns(save) -> None:
    path = save("supplier,customer,unit,essental\na,b,2,yes\n")
    refused("chain.csv: the header has 'unit' → 'units', 'essental' → 'essential'",
            "set network.columns.units=unit network.columns.essential=essental;", path=path)  # fmt: skip
    network = from_file(FromFile(path=path, columns={"units": "unit", "essential": "essental"}))
    assert (network.units.tolist(), network.essential.tolist()) == ([2.0], [1])
    for word in ("UNITS", "unit", "untis", "units2"):
        refused(f"{word!r} (did you mean 'units'?)", path=save(f"supplier,customer,{word}\na,b,2\n"))
    refused("'Value Share' (did you mean 'value_share'?)", path=save("supplier,customer,Value Share\na,b,0.2\n"))
    refused("n.csv: the header has 'demnad' (did you mean 'demand'?)", "network.node_columns.demand=demnad",
            path=save(EDGES), nodes=save("firm,demnad\nsteel,\ngear,\nmotor,\ncar,1\n", "n.csv"))  # fmt: skip
    refused("'costs' (did you mean 'cost'?)", path=save("firm,costs,up_stages\ncar,1,a,1\na,1\n"))


def test_columns_that_are_not_read_are_listed(save) -> None:
    def notes(**given) -> list[str]:
        return [note for note in from_file(FromFile(**given)).notes if "not read" in note]

    path = save("year,supplier,customer,units,unit,stated_share,备注\n1,a,b,2,kg,0.5,x\n")
    near = "chain.csv: column 'stated_share' is not read; did you mean 'value_share'?"
    assert notes(path=path) == [near, "chain.csv: not read: 'year', 'unit', '备注'"]
    assert notes(path=path, filter={"year": 1}) == [near, "chain.csv: not read: 'unit', '备注'"]
    assert notes(path=path, columns={"value_share": "stated_share"}) == ["chain.csv: not read: 'year', 'unit', '备注'"]
    nodes = save("firm,year,电话\na,1,3\nb,1,3\n", "n.csv")
    assert notes(path=save("year,supplier,customer\n1,a,b\n"), nodes=nodes, filter={"year": 1}) == ["n.csv: not read: '电话'"]
    assert notes(path=save("firm,cost,lead_time,up_stages\ncar,1,4,a,1\na,1,\n")) == [
        "chain.csv: column 'lead_time' is not read; did you mean 'leader'?"
    ]
    assert notes(path=save(EDGES)) == []


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("-1", "must be"), ("nan", "is not a number"), ("inf", "is not a number"), ("1e999", "too large"), ("two", "is not a number"),
        ("1_000", "is not a number"), ("１２", "is not a number"), ("3 kg", "is not a number"), ('"1,23"', "is not a number"),
        ("0", "above 0"),
    ],
)  # fmt: skip
def test_bad_numbers(save, cell, what) -> None:
    refused("chain.csv, row 3, column 'units'", what, path=save(f"supplier,customer,units\na,b,1\nb,c,{cell}\n"))


def test_numbers_that_are_fine() -> None:
    cells = {"1": 1, "1.5": 1.5, ".5": 0.5, "5.": 5, "+2": 2, "1e3": 1000, "1,234.5": 1234.5, "12,345,678": 12345678}
    assert {cell: read_number(cell) for cell in cells} == cells
    assert np.isnan(read_number(""))


def test_bad_numbers_of_firms(save) -> None:
    path = save(EDGES)
    for column in ("cost", "price", "demand"):
        refused(f"n.csv, row 2, column '{column}'", "must be", path=path, nodes=save(f"firm,{column}\nsteel,-1\n", "n.csv"))
    refused("row 2, column 'value_share'", "at most 1", path=save("supplier,customer,value_share\na,b,55\n"))
    text = "supplier,customer,value_share\na,b,0.5\nc,b,\n"
    refused("row 3: link 'c' → 'b' has no value share", "all of them or none", path=save(text))


@pytest.mark.filterwarnings("error")
def test_numbers_too_large_to_count_with(save) -> None:
    path, limit = save(EDGES), "1e308 is too large; it must be"
    for column in ("cost", "price", "demand"):
        nodes = save(f"firm,{column}\nsteel,1\ngear,1\nmotor,1\ncar,1e308\n", "n.csv")
        refused(f"n.csv, row 5, column '{column}': {limit}", "at most 1e+15", path=path, nodes=nodes)
    refused(f"chain.csv, row 2, column 'units': {limit}", path=save("supplier,customer,units\na,b,1e308\n"))
    refused(f"chain.csv, row 2, column 'up_stages': {limit}", path=save("firm,up_stages\nb,a,1e308\na\n"))
    # Each number is within its range, and only what comes of them is not.
    long = save("supplier,customer,units\n" + "".join(f"f{k},f{k + 1},1e15\n" for k in range(30)))
    costs = save("firm,kind,cost\n" + "".join(f"f{k},{'T' if 0 < k < 29 else 'F'},1\n" for k in range(31)), "n.csv")
    refused("n.csv: a price is too large", "lower the units", path=long, nodes=costs)
    kinds = save("firm,kind\n" + "".join(f"f{k},{'T' if 0 < k < 29 else 'F'}\n" for k in range(31)), "n.csv")
    refused("n.csv: ", "must be a finite number", path=long, nodes=kinds, collapse=("T",))
    prices = save("firm,price,demand\na,1e-320,\nb,1e15,1\n", "n.csv")
    refused("n.csv: units of", "is inf", path=save("supplier,customer,value_share\na,b,0.5\n"), nodes=prices)


def test_unknown_firms(save) -> None:
    path = save(EDGES)
    refused("chain.csv, row 5, column 'supplier': firm 'motor' is not in n.csv", "did you mean 'moter'?", path=path,
            nodes=save("firm\nsteel\ngear\nmoter\ncar\n", "n.csv"))  # fmt: skip
    refused("network.leaders names 'cat'", "did you mean 'car'?", path=path, leaders=("cat",))
    refused("'cat'", path=path, leaders="cat")
    refused("n.csv, row 3", "'lonely' is in no link", path=path, leaders=("lonely",),
            nodes=save("firm\nsteel\nlonely\ngear\nmotor\ncar\n", "n.csv"))  # fmt: skip
    refused("row 3, column 'firm': 'a' is already in row 2", "network.filter", path=path, nodes=save("firm\na\na\n", "n.csv"))
    refused("row 2, column 'customer'", "blank", path=save("supplier,customer\na,\n"))


def test_links_that_cannot_be(save) -> None:
    refused("row 3: link 'b' → 'b'", "leave it out", path=save("supplier,customer\na,b\nb,b\n"))
    refused("row 5: link 'a' → 'b' is already in row 2", "add the two up", path=save("supplier,customer\na,b\n\nb,c\na,b\n"))
    refused("row 3, sector: 'a' is in 'y' here and in 'x' before", path=save("supplier,customer,sector\na,b,x\na,c,y\n"))


def test_files_without_rows(save) -> None:
    refused("chain.csv is empty", path=save(""))
    refused("chain.csv is empty", path=save("\ufeff\n\n"))
    refused("header only", path=save("supplier,customer\n"))
    path = save("chain,supplier,customer\n1,a,b\n2,c,d\n")
    refused("network.filter leaves no row", "no 'chain' is '36'", "there are '1', '2'", path=path, filter={"chain": 36})


def test_files_that_are_no_text(save) -> None:
    refused("chain.csv, row 2", "NUL", path=save(b"supplier,customer\na,b\0c\n"))
    refused("chain.csv, row 2 is neither UTF-8 nor GB18030", path=save(b"supplier,customer\n\xff\xfe,b\n"))
    refused("workbook", "save it as .xlsx", path=save(b"PK\x03\x04....", "chain.xlsx"))
    path = save("supplier,customer\n钢厂,整车厂\n", encoding="gb18030")
    refused("row 2 is not in utf-8", "network.encoding=auto", path=path, encoding="utf-8")
    for name in ("utf-9", "base64"):
        refused(f"network.encoding={name!r} is no text encoding", path=path, encoding=name)


def test_rows_of_the_wrong_length(save) -> None:
    refused("chain.csv, row 3 has 3 cells, but the header has 2", "quote", path=save("supplier,customer\na,b\nb,c,d\n"))
    refused("chain.csv, row 2 has 1 cells, but the header has 2", path=save("supplier,customer\na\n"))
    refused("row 3 cannot be split", "close every quote", path=save('supplier,customer\na,b\n"b,c\n'))
    refused("header names column 'supplier' 2 times", path=save("supplier,supplier\na,b\n"))
    refused("a column without a name", path=save("supplier,,customer\na,,b\n"))


def test_bad_stage_lists(save) -> None:
    head = "firm,cost,up_stages\ncar,1,"
    refused("row 2, column 'up_stages'", "3 cells do not make pairs", path=save(head + "a,1,b\na,1\nb,1\n"))
    refused("row 2, column 'up_stages'", "'x' is not a number", path=save(head + "a,x\na,1\n"))
    refused("row 2, column 'up_stages'", "above 0", path=save(head + "a,0\na,1\n"))
    refused("row 2, column 'up_stages'", "quantity of 'a' is blank", path=save(head + "a,,b,1\na,1\nb,1\n"))
    refused("row 2, column 'up_stages': firm 'aa' is not in chain.csv", "did you mean", path=save(head + "aa,1\naaa,1\n"))
    refused("row 2: link 'a' → 'car' is already in row 2", path=save(head + "a,1,a,2\na,1\n"))
    refused("leave network.nodes empty", path=save(head + "a,1\na,1\n"), nodes=save("firm\na\n", "n.csv"))
    refused("no row has an upstream stage", "pairs", path=save("firm,up_stages\ncar\na\n"))


def test_yes_or_no(save) -> None:
    refused("row 2, column 'essential'", "'maybe' is neither yes nor no", path=save("supplier,customer,essential\na,b,maybe\n"))
    refused("n.csv, row 3, column 'leader'", "'x'", path=save("supplier,customer\na,b\n"), nodes=save("firm,leader\na,\nb,x\n", "n.csv"))


def test_networks_that_would_explode(save) -> None:
    text = "supplier,customer,value_share\na,b,0.9\nb,a,0.9\na,c,0.9\nc,a,0.9\nb,d,0.1\n"
    assert re.search(r"loop (a → [bc] → a|[bc] → a → [bc])", refused("value shares", path=save(text)))
    nodes = save("firm,cost\na,1\nb,1\nc,1\n", "n.csv")
    refused("finite price", "lower the units", path=save("supplier,customer\na,b\nb,a\nb,c\n"), nodes=nodes)
    refused("no chain leader stands out", "network.leaders", path=save("supplier,customer\na,b\nb,a\n"))


@pytest.mark.parametrize("firms", ["", "firm,price\na,3\nb,5\nc,9\n", "firm,cost\na,1\nb,1\nc,1\n"], ids=["alone", "prices", "costs"])
def test_units_of_which_one_takes_one_or_more_of_itself_are_refused_and_the_loop_is_named(save, firms) -> None:
    nodes = save(firms, "n.csv") if firms else ""
    head = "supplier,customer,units\n"
    message = refused("chain.csv: a unit of ", "no prices can make that true", path=save(head + "b,a,50\na,b,50\nb,c,1\n"), nodes=nodes)
    assert re.search(r"'[ab]' takes 2,500 of itself, the product of the units round the loop: (a → b → a|b → a → b);", message)
    refused(" takes 1 of itself", "lower the units", path=save(head + "b,a,4\na,b,0.25\nb,c,1\n"), nodes=nodes)


def test_loops_that_cross_each_other_are_refused_together(save) -> None:
    text = "supplier,customer,units\nb,a,1\na,b,0.6\nc,a,1\na,c,0.6\na,d,1\n"
    refused("takes 0.6 of itself", "with other loops that cross it 1 or more", "lower the units", path=save(text))


def test_value_shares_excuse_no_units_that_cannot_be(save) -> None:
    text = "supplier,customer,units,value_share\nb,a,50,0.2\na,b,50,0.2\nb,c,1,0.3\n"
    refused("takes 2,500 of itself", path=save(text))


@pytest.mark.parametrize(
    "text",
    [
        "supplier,customer,units\nsteel,power,0.001\npower,steel,500\nsteel,car,900\n",
        "supplier,customer,units\nb,a,2\na,b,0.49\nb,c,1\n",
        "supplier,customer\nb,a\na,b\nb,c\n",
        "supplier,customer,units\nb,a,\na,b,\nb,c,7\n",
        "supplier,customer,units\nb,a,50\na,b,\nb,c,7\n",
    ],
    ids=["steel and power", "below 1", "no units", "none on the loop", "some on the loop"],
)
def test_loops_that_prices_can_make_true_are_read(save, text) -> None:
    """Units that are not given are filled by rule, and another number of them would do."""
    network = from_file(FromFile(path=save(text)))
    assert network.n_firms == 3 and network.n_links == 3


def test_bad_collapsing_and_demand(save) -> None:
    path = save("supplier,customer\na,t\nt,u\nu,b\n")
    refused("network.collapse needs the kinds", "network.nodes", path=path, collapse=("T",))
    refused("n.csv has no column 'kind'", "network.node_columns.kind", path=path, collapse="T", nodes=save("firm\na\nt\nu\nb\n", "n.csv"))
    refused("leaves no firm", "'T'", path=path, collapse=("T",), nodes=save("firm,kind\na,T\nt,T\nu,T\nb,T\n", "n.csv"))
    nodes = save("firm,kind,leader\na,F,\nt,T,yes\nu,T,\nb,F,\n", "n.csv")
    refused("n.csv, row 3: chain leader 't'", "network.collapse", path=path, collapse="T", nodes=nodes)
    text = "supplier,customer\na,t\nt,u\nu,t\nu,b\n"
    refused("network.collapse", "loop", path=save(text), collapse="T", nodes=save("firm,kind\na,F\nt,T\nu,T\nb,F\n", "n.csv"))
    text = "supplier,customer\na,t\nt,a\na,b\n"
    refused("'a' supplies itself", path=save(text), collapse="T", nodes=save("firm,kind\na,F\nt,T\nb,F\n", "n.csv"))
    path = save("supplier,customer\na,b\na,c\n")
    refused("n.csv, row 4, column 'demand'", "'c' sells nothing", path=path, nodes=save("firm,demand\na,\nb,1\nc,\n", "n.csv"))
    refused("network.keep_scale needs demand", path=path, keep_scale=True)
    refused("n.csv, row 3", "'b' has no county", path=path, nodes=save("firm,county\na,x\nb,\nc,y\n", "n.csv"))


def test_settings_out_of_range(save) -> None:
    refused("network.material_share is 1.0; it must lie in 0.05 … 0.95", path=save(EDGES), material_share=1.0)
    refused("network.median_revenue is nan", path=save(EDGES), median_revenue=float("nan"))
    refused("network.format=xml", path=save(EDGES), format="xml")


# -- size and real chains --------------------------------------------------------------------


@pytest.mark.study
def test_a_large_file_is_read(save) -> None:
    rng = np.random.default_rng(1)
    customer = np.repeat(np.arange(1, 20_000), 3)
    supplier = (customer[:, None] - 1 - rng.integers(0, np.minimum(customer, 500))[:, None]).ravel()
    ends = np.unique(np.column_stack([supplier, customer]), axis=0)
    path = save("supplier,customer\n" + "".join(f"f{j},f{i}\n" for j, i in ends))
    network = from_file(FromFile(path=path, leaders=tuple(f"f{i}" for i in range(19_900, 20_000))))
    assert network.n_links == len(ends)


WILLEMS = (1, 3, 6, 9, 13, 17, 21, 26, 31, 36)
STAGES = {"firm": "stage", "kind": "stage_class", "cost": "stage_cost", "demand": "avg_demand"}


def sound(network: SupplyNetwork) -> SupplyNetwork:
    assert all(finding.level == "warning" for finding in check_network(network, strict=False))
    assert network.material_share.max() <= 0.95 + 1e-12
    assert (network.tier >= 0).all()
    assert np.isfinite(network.steady_orders()).all()
    return network


@pytest.mark.parametrize("chain", WILLEMS)
def test_willems_chains(chain) -> None:
    edges = {"path": str(real_data("willems2008", "edges.csv")), "columns": {"supplier": "source", "customer": "target"}}
    nodes = {"nodes": str(real_data("willems2008", "nodes.csv")), "node_columns": STAGES}
    plain = sound(from_file(FromFile(**edges, filter={"chain": chain})))
    whole = sound(from_file(FromFile(**edges, **nodes, filter={"chain": chain})))
    assert set(whole.names) == set(plain.names)
    assert links(whole).keys() == links(plain).keys()
    if chain == 36:
        assert (plain.n_firms, plain.n_links) == (1451, 4812)
    firm = sound(from_file(FromFile(**edges, **nodes, filter={"chain": chain}, collapse=("Trans", "Dist", "Retail"))))
    assert set(firm.sectors) <= {"Part", "Manuf"}
    assert set(firm.names) <= set(whole.names)


SMALL = ("battery", "bulldozer", "chemicals", "cutlery", "digital_camera", "fast_food", "fast_toys", "food", "semiconductors", "toys")


@pytest.mark.parametrize("name", SMALL)
def test_small_stage_lists(name) -> None:
    path = real_data("snc_small", f"{name}.csv")
    cost = "cost_rate" if "cost_rate" in path.read_text(encoding="utf-8").split("\n")[0] else "cost"
    columns = {"firm": "stage_id", "cost": cost, "demand": "ext_demand_mean"}
    network = sound(from_file(FromFile(path=str(path), node_columns=columns)))
    assert network.leader.any()
