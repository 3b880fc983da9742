"""Published chains of real companies run: every law holds, and policies can be compared on them."""

from __future__ import annotations

import numpy as np
import pytest

from experiments import compare
from sim import ChiefQualityOfficer, FromFile, OneStopStations, StrongchainModel
from sim.instruments import StrongChainLoans
from tests.support.real_data import real_data
from tests.support.worlds import Events, eventful

WILLEMS = (1, 3, 6, 9, 13, 17, 21, 26, 31, 36)
SMALL = ("battery", "bulldozer", "chemicals", "cutlery", "digital_camera", "fast_food", "fast_toys", "food", "semiconductors", "toys")
POLICY = (
    ChiefQualityOfficer(pay_subsidy=0.3),
    OneStopStations(per_1000_firms=30.0),
    StrongChainLoans(reach=1.0, guarantee=0.5, score_least=0.0),
)
#: Years in the default suite, and ten by `make verify`: fewer for the chains of Willems, which are larger.
MONTHS = pytest.mark.parametrize("months", [60, pytest.param(120, marks=pytest.mark.verification)])
MONTHS_OF_LARGE = pytest.mark.parametrize("months", [36, pytest.param(120, marks=pytest.mark.verification)])


def runs(network: FromFile, months: int) -> None:
    """Run years in which firms give up, enter, change suppliers, recall, borrow and fail to pay back; then look at the map."""
    model = StrongchainModel(network=network, parameters=eventful(), instruments=POLICY, rng=1, burn_in=6, check=True)
    events = Events().watch(model, months)
    assert events.exits == events.entries > model.firms.n * months / 240
    if model.links.n > 12:  # in the smallest no other firm of the same tier could take over
        assert model.counts["suppliers replaced"] > model.links.n * months / 240
    assert events.recalls > 0
    assert (model.lenders.written_off > 0).all()
    assert events.to_lenders > 0.5 * model.lenders.written_off[0, 1]
    assert model.counts["cases served"] > 0
    assert 0.0 < model.field_dpu < 2.0
    quality_map = model.quality_map()
    assert quality_map.error < 1e-9
    assert quality_map.total > 0.0


@MONTHS_OF_LARGE
@pytest.mark.parametrize("chain", WILLEMS)
def test_a_chain_of_willems_runs_under_every_law(chain: int, months: int) -> None:
    path = real_data("willems2008", "edges.csv")
    runs(FromFile(path=str(path), columns={"supplier": "source", "customer": "target"}, filter={"chain": chain}), months)


@MONTHS
@pytest.mark.parametrize("name", SMALL)
def test_a_small_chain_runs_under_every_law(name: str, months: int) -> None:
    path = real_data("snc_small", f"{name}.csv")
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    cost = "cost" if "cost" in header else "cost_rate"
    runs(FromFile(path=str(path), node_columns={"firm": "stage_id", "cost": cost, "demand": "ext_demand_mean"}), months)


@pytest.mark.full
def test_chain_36_is_compared_over_five_years_from_its_edges_alone() -> None:
    path = real_data("willems2008", "edges.csv")
    overrides = ["network=file", f"network.path='{path}'", "network.filter={chain: 36}"]
    overrides += ["network.columns.supplier=source", "network.columns.customer=target", "months=60", "replicates=8", "by=[]"]
    comparison = compare(*overrides)
    assert list(comparison.maps) == ["nothing", "cqo", "one_stop_stations", "strong_chain_loans", "all"]
    assert comparison.maps["nothing"].names.size == 1451
    assert all(picture.map.error < 1e-9 for picture in comparison.maps.values())
    # On common random numbers eight replicates are enough to see officers and stations lower the firms' non-conformity, and loans taken up.
    for arm in ("cqo", "one_stop_stations", "all"):
        assert comparison.effect(arm, "nonconformity")["effect_high"] < 0.0
    for arm, lends in (("cqo", False), ("strong_chain_loans", True), ("all", True)):
        debt = comparison.effect(arm, "strong_chain_debt")
        assert debt["effect_low"] > 0.0 if lends else debt["effect"] == 0.0
    assert np.isfinite(comparison.series["level"][comparison.series["outcome"] == "field_dpu"]).all()
