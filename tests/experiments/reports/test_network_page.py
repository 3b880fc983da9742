"""The page of a whole network: nothing from outside, no name that acts as HTML, and of a large network it says what it shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from experiments.languages.wording import use_language
from experiments.reports import network_page as pages
from experiments.runs.measure import MapPicture
from tests.support.worlds import random_network, region, world

ABOUT = {"id": "ab12cd34ef56"}
BAD = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&首席质量官"


def picture(firms: int = 40) -> MapPicture:
    return MapPicture.of(world(random_network(3, firms=firms, leaders=2, chains=2), region=region(firms), burn_in=1))


def data(page: str) -> dict:
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_holds_every_firm_and_link_and_asks_for_nothing_outside_itself():
    of = picture()
    page = pages.network_page(of, ABOUT, "nothing")
    held = data(page)
    assert len(held["firms"]) == 40 and len(held["links"]) == of.supplier.size
    assert f"All 40 firms, and all {of.supplier.size} links." in page
    assert held["firms"][0]["name"] == of.table["firm"].iloc[0]
    assert sum(sum(firm["loss"]) for firm in held["firms"]) == pytest.approx(of.map.total / 1e6, abs=1e-5 * 120)
    assert "default-src 'none'" in page and not re.search(r"(src|href)\s*=", page.split("<script id=")[0])
    assert set(re.findall(r"https?://[^\"]+", page)) == {"http://www.w3.org/2000/svg"}  # the name of SVG, which nobody asks for


def test_no_name_acts_as_html():
    of = picture()
    names = of.names.astype("U200")
    first = names == of.table["firm"].iloc[0]
    names[first] = BAD
    page = pages.network_page(replace(of, names=names, table=of.table.replace({"firm": {of.table["firm"].iloc[0]: BAD}})), ABOUT, BAD)
    assert page.count("<script") == 2 and "<img" not in page and "alert(1)</script>" not in page
    assert data(page)["firms"][0]["name"] == BAD
    assert "innerHTML" not in page


def test_of_a_large_network_the_page_shows_the_firms_with_most_loss_and_says_so(monkeypatch):
    monkeypatch.setattr(pages, "MOST_FIRMS", 10)
    of = picture()
    page = pages.network_page(of, ABOUT, "nothing")
    share = np.sort(of.map.by_firm)[::-1][:10].sum() / of.map.total
    assert f"Shown are 10 of 40 firms: those in which most loss begins, {100 * share:.0f} % of it in all" in page
    held = data(page)
    assert [firm["name"] for firm in held["firms"]] == list(of.table["firm"].head(10))
    assert all(max(a, b) < 10 for a, b, _ in held["links"])
    with use_language("zh"):
        assert "共 40 家企业，显示其中损失最大的 10 家" in pages.network_page(of, ABOUT, "nothing")
