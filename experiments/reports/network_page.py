"""The whole network as a page of its own: one HTML file that asks for nothing outside itself, with every firm to look at.

Of a large network it shows the firms in which most loss begins, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from experiments.analysis.arms import names_of_arms
from experiments.figures.style import CAUSE_STYLES
from experiments.languages.wording import label, say, spoken
from experiments.runs.files import write_whole
from experiments.runs.measure import MapPicture
from sim.attribution.quality_map import CAUSES

__all__ = ["MOST_FIRMS", "MOST_LINKS", "network_page", "network_page_name", "write_network_page"]

#: Firms and links that a browser shows without delay.
MOST_FIRMS, MOST_LINKS = 2_000, 20_000
#: Words of the page that its script writes.
WORDS = (
    "tier", "chain", "size", "begins", "arrives", "users", "suppliers", "customers", "none", "more", "nothing_found",
)  # fmt: skip


def network_page_name(arm: str) -> str:
    """Return the name of the file of an arm's network."""
    return f"network_{arm}.html"


def network_page(picture: MapPicture, about: Mapping[str, Any], arm: str) -> str:
    """Return the page of a network: firms by tier, and for each what begins there, its suppliers and its customers.

    Parameters
    ----------
    picture : MapPicture
    about : dict
        The study's manifest.
    arm : str
        Whose network it is.
    """
    data = _data(picture)
    firms, links = picture.tier.size, picture.supplier.size
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("network.html").render(
        say=say,
        language=spoken().code,
        arm=names_of_arms(about).get(arm, arm),
        study=about["id"],
        shows=say(
            "network_text.shows",
            (len(data["firms"]), firms),
            (len(data["links"]), links),
            _share(picture),
        ),
        causes=[(say(f"figures.causes.{cause}"), CAUSE_STYLES[cause][0]) for cause in CAUSES],
        data=_script(data),
    )


def write_network_page(picture: MapPicture, about: Mapping[str, Any], arm: str, folder: Path) -> None:
    """Write the page of a network into the folder of its study."""
    write_whole(folder / network_page_name(arm), network_page(picture, about, arm).encode())


def _data(picture: MapPicture) -> dict[str, Any]:
    """Return what the page shows: firms, largest loss first, and links between them; losses a month, in the unit of tables."""
    of_map = picture.map
    rows = np.argsort(-of_map.by_firm, kind="stable")[:MOST_FIRMS]
    at = np.full(picture.tier.size, -1, dtype=np.int64)
    at[rows] = np.arange(rows.size)
    described = picture.table.set_index("firm").loc[picture.names[rows]]
    arrives = np.bincount(picture.customer, weights=of_map.carried, minlength=picture.tier.size)
    suppliers, customers = (np.bincount(end, minlength=picture.tier.size) for end in (picture.customer, picture.supplier))
    firms = [
        {
            "name": label(str(picture.names[row])),
            "tier": int(picture.tier[row]),
            "chain": label(str(chain)),
            "size": say(f"flows.sizes.{size}"),
            "loss": _in_units(of_map.loss[row]),
            "arrives": _in_units(arrives[row]),
            "users": _in_units(of_map.to_users[row]),
            "suppliers": int(suppliers[row]),
            "customers": int(customers[row]),
        }
        for row, chain, size in zip(rows, described["chain"], described["size"], strict=True)
    ]
    between = np.flatnonzero((at[picture.supplier] >= 0) & (at[picture.customer] >= 0))
    kept = between[np.argsort(-of_map.link_loss[between], kind="stable")][:MOST_LINKS]
    links = [[int(at[picture.supplier[k]]), int(at[picture.customer[k]]), _in_units(of_map.link_loss[k])] for k in kept]
    tiers = {int(tier): say("figures.group", "tier", "none" if tier < 0 else str(tier)) for tier in np.unique(picture.tier[rows])}
    colours = [CAUSE_STYLES[cause][0] for cause in CAUSES]
    causes = [say(f"figures.causes.{cause}") for cause in CAUSES]
    words = {name: say(f"network_page.{name}") for name in WORDS}
    return {"firms": firms, "links": links, "tiers": tiers, "colours": colours, "causes": causes, "words": words,
            "total": _in_units(of_map.total)}  # fmt: skip


def _share(picture: MapPicture) -> float:
    """Return the share of all loss that begins in the firms shown."""
    begun = np.sort(picture.map.by_firm)[::-1]
    return float(begun[:MOST_FIRMS].sum() / begun.sum()) if begun.any() else 1.0


def _in_units(loss: Any) -> Any:
    """Round CNY to 10 CNY, in the unit of sums of money in tables: a page of thousands of firms stays small."""
    return np.round(np.round(np.asarray(loss) / 10.0) * 10.0 / spoken().money_unit, 5).tolist()


def _script(data: Mapping[str, Any]) -> Markup:
    """Write data into a page so that no name in it can end the element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
