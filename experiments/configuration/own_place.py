"""A place's own portfolio replaces what stands in its region: the stations that it reports are built once, not twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import yaml  # type: ignore[import-untyped]

from experiments.configuration.files import CONFIGS

__all__ = ["own_places", "standing", "without_own_stations"]


@cache
def standing(region: str) -> int | None:
    """Return how many stations stand in a region of ``configs/region`` by its own file; nothing for any other region."""
    path = CONFIGS / "region" / f"{region}.yaml"
    if not region.isidentifier() or not path.is_file():
        return None
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    return int(written["stations"]) if "stations" in written else None


def own_places(configurations: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the regions of arms that have the portfolio of the region itself with its stations, on the region's own network."""
    found = set()
    for own in configurations:
        brings = own["instruments"]["one_stop_stations"]["active"] and own["network"]["kind"] == "region"
        place = str((own.get("portfolio") or {}).get("key", ""))
        if brings and place in {region["key"] for region in _regions(own)}:
            found.add(place)
    return found


def without_own_stations(configuration: dict[str, Any], places: Iterable[str]) -> dict[str, Any] | None:
    """Return the configuration of an arm without the stations that stand in its region, if its region is one of these places.

    Nothing where there is nothing to change: in another region, or where another number of stations than that of its file was set.
    """
    without = [{**region, "stations": 0} if _stand_twice(region, places) else region for region in _regions(configuration)]
    if without == _regions(configuration):
        return None
    changed = {**configuration, "region": without[0]}
    return {**changed, "beside": without[1:]} if configuration.get("beside") is not None else changed


def _stand_twice(region: Mapping[str, Any], places: Iterable[str]) -> bool:
    """Whether the stations of a region's own file stand in it, and one of these portfolios sets them up."""
    return bool(region["key"] in places and region["stations"] and region["stations"] == standing(region["key"]))


def _regions(configuration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the figures of all regions of a configuration."""
    return [configuration["region"], *(configuration.get("beside") or ())]
