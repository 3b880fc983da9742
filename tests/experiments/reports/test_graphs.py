"""Networks as GraphML and GEXF: what is exported is what the tables say, and the same study gives the same bytes."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from experiments import compare, load
from experiments.commands import verbs
from experiments.commands.verification import problems
from experiments.reports.comparison import present
from experiments.reports.graphs import graph_of, write_graphs

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    typed = ("region=sample", "region.firms=40", "scale=1", "months=2", "window=1", "burn_in=2", "replicates=2", "parallel=serial")
    result = compare(*typed, "instruments=[cqo]")
    where = tmp_path_factory.mktemp("graphs") / "study"
    present(result, where, figures=False)
    return where


def test_the_graph_has_every_firm_and_link_with_its_loss(folder):
    comparison = load(folder)
    picture = comparison.maps["nothing"]
    graph = graph_of(picture)
    assert graph.number_of_nodes() == picture.tier.size and graph.number_of_edges() == picture.supplier.size
    assert [graph.nodes[name]["loss"] for name in picture.names] == pytest.approx(picture.table["loss (CNY/month)"].to_list())
    first = (picture.names[picture.supplier[0]], picture.names[picture.customer[0]])
    assert graph.edges[first]["loss"] == pytest.approx(picture.map.link_loss[0])
    assert {"chain", "sector", "tier", "size"} <= set(graph.nodes[first[0]])


def test_files_are_read_by_other_programs_and_repeat_to_the_byte(folder, capsys):
    assert verbs.main(["export", str(folder)]) == 0
    assert "4 files (GraphML and GEXF)" in capsys.readouterr().out
    written = {path.name: path.read_bytes() for path in (folder / "graphs").iterdir()}
    assert set(written) == {f"network_{arm}.{kind}" for arm in ("nothing", "cqo") for kind in ("graphml", "gexf")}
    for read, kind in ((nx.read_graphml, "graphml"), (nx.read_gexf, "gexf")):
        graph = read(folder / "graphs" / f"network_cqo.{kind}")
        there = graph_of(load(folder).maps["cqo"])
        assert set(graph.nodes) == set(there.nodes) and set(graph.edges) == set(there.edges)
        assert np.isclose(sum(loss for _, loss in graph.nodes(data="loss")), sum(loss for _, loss in there.nodes(data="loss")))
    write_graphs(load(folder), folder)
    assert {path.name: path.read_bytes() for path in (folder / "graphs").iterdir()} == written
    assert list(problems(folder)) == [], "their checksums are listed"


def test_what_cannot_be_exported_gets_one_line(tmp_path, capsys):
    for typed, said in ((["export"], "strongchain export results/NAME"), (["export", str(tmp_path)], str(tmp_path))):
        assert verbs.main(typed) == 1
        assert said in (error := capsys.readouterr().err) and len(error.strip().splitlines()) == 1
