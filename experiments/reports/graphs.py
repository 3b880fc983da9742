"""The network of a study with its quality map as GraphML and GEXF, for programs such as Gephi, yEd, igraph and Cytoscape."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import networkx as nx

from experiments.analysis.flows import LINKS
from experiments.analysis.results import Comparison
from experiments.runs.files import update_sums, write_whole
from experiments.runs.measure import MapPicture
from sim.attribution.quality_map import BY_CAUSE, LOSS, MARGINAL, TO_USERS

__all__ = ["FOLDER", "graph_of", "write_graphs"]

#: Folder below that of the study, and the kinds of file.
FOLDER = "graphs"
KINDS = ("graphml", "gexf")
#: Columns of the quality map that say what a firm is.
OF_FIRMS = ("chain", "sector", "tier", "size", "share")


def _key(column: str) -> str:
    """Return the name of an attribute: that of the column, without its unit."""
    return column.partition(" (")[0].replace(" ", "_")


def graph_of(picture: MapPicture) -> nx.DiGraph:
    """Return the network as a graph, with an edge from each supplier to its customer. Losses are in CNY a month, marginal ones per DPU."""
    graph = nx.DiGraph()
    amounts = [*BY_CAUSE, TO_USERS, MARGINAL]
    columns = [column for column in (*OF_FIRMS, *amounts, LOSS) if column in picture.table]
    for name, *values in picture.table[["firm", *columns]].itertuples(index=False, name=None):
        graph.add_node(str(name), **{_key(column): _plain(value) for column, value in zip(columns, values, strict=True)})
    ends = zip(picture.names[picture.supplier], picture.names[picture.customer], strict=True)
    of_links = zip(picture.map.link_loss.tolist(), picture.map.link_begun.tolist(), strict=True)
    for (supplier, customer), (loss, begun) in zip(ends, of_links, strict=True):
        graph.add_edge(str(supplier), str(customer), **{_key(LINKS[2]): loss, _key(LINKS[3]): begun})
    return graph


def _plain(value: Any) -> Any:
    """Return a number of NumPy's as one of Python's, which is what the formats know."""
    return value.item() if hasattr(value, "item") else value


def write_graphs(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the network of every arm that has a map, in both formats, and list the checksums: the first replicate at the end of its run.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        That of the study.

    Returns
    -------
    list of Path
        The files; none if no arm has a map.
    """
    into = folder / FOLDER
    paths = []
    for arm, picture in comparison.maps.items():
        graph = graph_of(picture)
        into.mkdir(exist_ok=True)
        for kind in KINDS:
            path = into / f"network_{arm}.{kind}"
            data = io.BytesIO()
            (nx.write_graphml if kind == "graphml" else nx.write_gexf)(graph, data)
            # The day of writing is left out, so that the same study gives the same bytes.
            write_whole(path, re.sub(rb' ?lastmodifieddate="[^"]*"', b"", data.getvalue()))
            update_sums(folder, f"{FOLDER}/{path.name}")
            paths.append(path)
    return paths
