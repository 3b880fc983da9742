"""Published chains of real companies run: every law holds, and policies can be compared on them."""

from __future__ import annotations

import numpy as np
import pytest
from realdata import real_data

from experiments import compare
from sim import ChiefQualityOfficer, FromFile, OneStopStations, StrongchainModel

WILLEMS = (1, 3, 6, 9, 13, 17, 21, 26, 31, 36)
SMALL = ("battery", "bulldozer", "chemicals", "cutlery", "digital_camera", "fast_food", "fast_toys", "food", "semiconductors", "toys")
POLICY = (ChiefQualityOfficer(), OneStopStations())


def runs(network: FromFile) -> None:
    model = StrongchainModel(network=network, instruments=POLICY, rng=1, burn_in=6, check=True)
    model.run(12)
    assert 0.0 < model.field_dpu < 2.0
    found = model.quality_map()
    assert found.error < 1e-9
    assert found.total > 0.0


@pytest.mark.parametrize("chain", WILLEMS)
def test_a_chain_of_willems_runs_under_every_law(chain: int) -> None:
    path = real_data("willems2008", "edges.csv")
    runs(FromFile(path=str(path), columns={"supplier": "source", "customer": "target"}, filter={"chain": chain}))


@pytest.mark.parametrize("name", SMALL)
def test_a_small_chain_runs_under_every_law(name: str) -> None:
    path = real_data("snc_small", f"{name}.csv")
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    cost = "cost" if "cost" in header else "cost_rate"
    runs(FromFile(path=str(path), node_columns={"firm": "stage_id", "cost": cost, "demand": "ext_demand_mean"}))


def test_chain_36_is_compared_over_five_years_from_its_edges_alone() -> None:
    path = real_data("willems2008", "edges.csv")
    words = ["network=file", f"network.path='{path}'", "network.filter={chain: 36}"]
    words += ["network.columns.supplier=source", "network.columns.customer=target", "months=60", "replicates=3", "by=[]"]
    found = compare(*words)
    assert list(found.maps) == ["nothing", "cqo", "one_stop_stations", "all"]
    assert found.maps["nothing"].names.size == 1451
    assert all(picture.map.error < 1e-9 for picture in found.maps.values())
    # On common luck three replicates are enough to see both instruments lower the firms' non-conformity.
    for arm in ("cqo", "one_stop_stations", "all"):
        assert found.effect(arm, "nonconformity")["effect_high"] < 0.0
    assert np.isfinite(found.series["level"][found.series["outcome"] == "field_dpu"]).all()
