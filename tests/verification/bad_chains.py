"""Mutated files of links, firms, stages and sectors, read by a study that is typed, or by the rerun of a study that was made before."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from experiments.runs.files import SUMS
from tests.support.fuzzing import TINY, Desk, Try
from tests.support.mutations import mutated_bytes, mutated_rows, nasty, quoted

__all__ = ["chain_tries"]

LINKS = """supplier,customer,units,value_share,sector,essential
seat,car,1,0.05,interior,yes
foam,seat,2,0.2,chemicals,no
engine,car,1,0.2,engines,1
block,engine,1,0.3,castings,0
steel,block,3,0.2,steel,
steel,seat,1,0.1,steel,
缸体,engine,1,0.05,castings,是
"""
FIRMS = """firm,chain,sector,county,leader,kind,cost,price,demand
car,cars,assembly,north,yes,Manuf,50000,120000,100
seat,cars,interior,north,no,Manuf,900,2000,
foam,cars,chemicals,south,no,Manuf,100,200,
engine,cars,engines,south,no,Manuf,9000,20000,
block,cars,castings,north,no,Manuf,2000,4000,
steel,cars,steel,west,no,Proc,300,700,10
缸体,cars,castings,west,no,Dist,400,900,
"""
STAGES = """firm,kind,cost,demand,up_stages
car,Retail,10,100,seat,1,engine,1
seat,Manuf,5,,foam,2
engine,Manuf,8,,block,1
foam,Part,1,
block,Part,2,
"""
FLOWS = """code,A,B,C
A,10,40,5
B,5,30,20
C,3,8,12
"""
SECTORS = """code,name,gross_output,firms,IM
A,Farming,100,50,10
B,机械,200,30,5
C,Services,150,90,0
"""
#: Names of these files that figures and reports show.
SHOWN = {
    "car",
    "seat",
    "foam",
    "engine",
    "block",
    "steel",
    "cars",
    "assembly",
    "engines",
    "castings",
    "north",
    "south",
    "Farming",
    "机械",
    "A",
}
#: Names that a figure, a page of HTML, a template or a spreadsheet may take for what it must do.
LABELS = (
    "$a_{b$", "$\\frac{1}{0}$", "$$", "$x$", "\\$5_{", "a_b^c", "<script>alert(1)</script>", "</td></table>", "&amp;", "{{ 7*7 }}",
    "{% raw %}", "%s", "${oc.env:SECRET_TOKEN}", "=1+1", "\u202eabc", "\u2066x", "\x1b[2J", "\U0001f600", "x" * 300, "a/b", "..",
    "nothing", "total", "nan", "1e5",
)  # fmt: skip
#: Settings of a network from a file, and values for them in part wrong.
OF_FILES = {
    "format": ("auto", "edges", "stages", "csv"),
    "encoding": (
        "auto",
        "utf-8",
        "gb18030",
        "utf-16",
        "latin-1",
        "idna",
        "rot13",
        "base64",
        "zip",
        "punycode",
        "undefined",
        "unicode_escape",
        "x" * 5_000,
    ),
    "collapse": (["Dist"], ["Proc", "Manuf"], ["Retail"], [], ["none"]),
    "leaders": (["car"], ["foam", "steel"], ["nobody"], ["car", "car"], [""]),
    "filter": ({"sector": "steel"}, {"chain": ["cars", "x"]}, {"nothing": 1}, {"supplier": "seat"}, {"": ""}),
    "columns": ({"supplier": "customer"}, {"units": "value_share"}, {"customer": "supplier"}, {"sector": "nowhere"}, {"odd": "units"}),
    "node_columns": ({"firm": "chain"}, {"cost": "price", "price": "cost"}, {"demand": "sector"}, {"leader": "demand"}),
    "material_share": (0.05, 0.95),
    "median_revenue": (1e3, 1e12),
    "keep_scale": (True, False),
}
OF_SECTORS = {
    "keep": (["A"], ["A", "B"], ["Z"], ["A", "A"]),
    "drop": (["A"], ["A", "B", "C"], ["Z"]),
    "chain_sectors": (["B"], ["C", "A"], ["Z"], ["A", "A"]),
    "domestic": (True, False),
    "firms": (2, 6, 30, 40),
    "least_firms": (1, 3, 10_000),
    "leaders": (1, 2, 30),
    "chains": (1, 3, 4),
    "mean_suppliers": (1.0, 50.0),
    "coverage": (0.5, 1.0),
    "size_elasticity": (0.0, 2.0),
    "encoding": OF_FILES["encoding"],
}
SMALL = [*TINY[2:], "name=study"]
BY_FILE = [*SMALL, "network=file", "network.path=chain.csv"]
BY_SECTORS = [
    *SMALL,
    "network=input_output",
    "network.path=flows.csv",
    "network.sectors_path=sectors.csv",
    "network.firms=30",
    "network.leaders=4",
    "network.chains=2",
]


def _made(desk: Desk, arguments: list[str], files: dict[str, bytes]) -> dict[str, bytes]:
    """Run a study of sound files, and return what a rerun of it needs."""
    made = desk.run(Try(arguments, files, left=True))
    assert made.status == 0 and not made.wrong, (made.stderr, made.wrong)
    return {name: raw for name, raw in made.left.items() if "/" not in name}


def chain_tries(desk: Desk) -> Any:
    """Return what makes a try from random numbers: one of thirty is typed as a whole, in part with its figures; reruns take less time."""
    of_files = _made(desk, BY_FILE, {"desk/chain.csv": LINKS.encode()})
    of_sectors = _made(desk, BY_SECTORS, {"desk/flows.csv": FLOWS.encode(), "desk/sectors.csv": SECTORS.encode()})

    def make(draw: random.Random) -> Try:
        told: list[str] = []
        form = draw.choice(("links", "links and firms", "links and firms", "stages", "sectors", "sectors"))
        told.append(form)
        settings: dict[str, Any] = {}
        if form == "sectors":
            files = {"flows.csv": FLOWS, "sectors.csv": SECTORS}
        elif form == "stages":
            files = {"chain.csv": STAGES}
        else:
            files = {"chain.csv": LINKS} | ({"firms.csv": FIRMS} if "firms" in form else {})
            settings |= {"nodes": "firms.csv"} if "firms" in form else {}
        typed = draw.random() < 1 / 30
        drawn = typed and draw.random() < 0.3
        broken = draw.choice(list(files))
        raw = {name: mutated_rows(text, draw, told) if name == broken else text.encode() for name, text in files.items()}
        if drawn:
            told = ["names that figures and reports show"]
            raw = _relabelled(files, draw)
        elif draw.random() < 0.25:
            known = OF_SECTORS if form == "sectors" else OF_FILES
            name = draw.choice(list(known))
            settings[name] = draw.choice(known[name])
            told.append(f"network.{name}")
        elsewhere = draw.choice(
            ("a b.csv", "链.csv", "a,b.csv", "a'b.csv", "a=b.csv", "${x}.csv", "$(id).csv", "a\nb.csv", "[a].csv", "..csv", "%s.csv")
        )
        if draw.random() < 0.08:
            first = next(iter(raw))
            raw[elsewhere] = raw.pop(first)
            settings["path"] = elsewhere
            told.append("another name of the file")
        elif draw.random() < 0.04:
            settings["path"] = draw.choice(
                (".", "..", "nowhere", "link.txt", "results", "/dev/null", "/dev/zero", "/proc/self/environ", nasty(draw)[:4000])
            )
            told.append("a path that is no file of links")
        written = {f"desk/{name}": content for name, content in raw.items()}
        if typed:
            chosen = [f"network.{name}={_typed(value)}" for name, value in settings.items() if name != "path"]
            path = [f"network.path={settings['path']}"] if "path" in settings else []
            whole = BY_SECTORS if form == "sectors" else BY_FILE
            kept = [argument for argument in whole if argument.split("=")[0] not in {one.split("=")[0] for one in [*chosen, *path]}]
            return Try([*kept, *chosen, *path], written, told=["typed", *told], drawn=drawn)
        study = dict(of_sectors if form == "sectors" else of_files)
        about = json.loads(study["manifest.json"])
        _set(about, settings)
        if draw.random() < 0.02:
            study["manifest.json"] = mutated_bytes(study["manifest.json"], draw, told)
        else:
            study["manifest.json"] = json.dumps(about).encode()
        listed = sorted((name, hashlib.sha256(content).hexdigest()) for name, content in study.items() if name != SUMS)
        study[SUMS] = "".join(f"{checksum}  {name}\n" for name, checksum in listed).encode()
        return Try(
            ["rerun", "results/study"],
            written | {f"desk/results/study/{name}": content for name, content in study.items()},
            told=["rerun", *told],
        )

    return make


def _relabelled(files: dict[str, str], draw: random.Random) -> dict[str, bytes]:
    """Give firms, chains, sectors and counties strange names, the same in every file."""
    names = sorted({cell for text in files.values() for line in text.splitlines()[1:] for cell in line.split(",")} & SHOWN)
    new = dict(zip(draw.sample(names, k=min(4, len(names))), draw.sample(LABELS, k=4), strict=False))
    return {
        name: "".join(",".join(quoted(new.get(cell, cell)) for cell in line.split(",")) + "\n" for line in text.splitlines()).encode()
        for name, text in files.items()
    }


def _typed(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_typed(inner)}" for name, inner in value.items()) + "}"
    return f"[{','.join(value)}]" if isinstance(value, list) else str(value)


def _set(about: Any, settings: dict[str, Any]) -> None:
    """Put settings into every network of a manifest."""
    for inner in about.values() if isinstance(about, dict) else about if isinstance(about, list) else ():
        if isinstance(inner, dict) and inner.get("kind") in {"file", "input_output"}:
            inner |= settings
        _set(inner, settings)
