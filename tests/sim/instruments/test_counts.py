"""What programmes deliver is counted: by every instrument, in every run, in the tables and in the report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from agents.lender import STRONG_CHAIN
from experiments.analysis.results import Comparison, collect
from experiments.configuration.settings import CompareStudy, Task
from experiments.reports.elements import Picture, Section
from experiments.reports.findings import findings
from experiments.reports.sections import results
from experiments.runs.measure import Run, measure
from experiments.runs.store import Store
from sim.instruments import INSTRUMENTS, TAKEN_ON, OneStopStations, StrongChainLoans
from sim.model import StrongchainModel
from tests.experiments.reports.test_report import LOWER, study
from tests.support.worlds import eventful, random_network, region, world

MONTHS = 8
#: Levers under which something is delivered in a small world within a few months.
EAGER = {"consortia": {"delay": 2, "projects": 24.0, "success": 1.0}, "strong_chain_loans": {"score_least": 0.0}}


@cache
def policed() -> StrongchainModel:
    """An eventful small world with every instrument at work."""
    instruments = tuple(cls(**{"reach": 1.0, **EAGER.get(key, {})}) for key, cls in INSTRUMENTS.items())
    place = region(60, stations=1, counties=2, awareness=0.5)
    model = world(random_network(4, firms=60), eventful(common_cause_hazard=0.2), instruments, region=place)
    model.run(MONTHS)
    return model


@pytest.mark.parametrize("key", INSTRUMENTS)
def test_every_instrument_counts_what_it_delivers_in_its_own_units(key):
    counts = policed().programmes[key].delivered(policed())
    assert set(counts) == {TAKEN_ON[0], *INSTRUMENTS[key].counted}, "counts and what they mean differ"
    assert INSTRUMENTS[key].counted, "nothing of its own is counted"
    assert all(isinstance(count, int) and count >= 0 for count in counts.values())
    assert any(counts[name] for name in INSTRUMENTS[key].counted), f"nothing is delivered: {counts}"
    assert counts[TAKEN_ON[0]] == sum(firms for _, firms in policed().programmes[key].awards)


def test_counting_is_reading():
    assert policed().programmes["one_stop_stations"].delivered(policed()) == policed().programmes["one_stop_stations"].delivered(policed())


def test_loans_and_cases_are_those_of_the_programme_alone():
    model = policed()
    loans = model.programmes["strong_chain_loans"].delivered(model)
    assert loans["CNY lent"] == round(model.lenders.granted[0, STRONG_CHAIN])
    assert 0 < loans["loans"] <= model.firms.n * MONTHS
    funded = model.stations.programme
    assert model.stations.served[~funded].sum() > 0
    cases = model.programmes["one_stop_stations"].delivered(model)
    assert cases["cases served"] == model.stations.served[funded].sum() > cases["problems solved"] == model.stations.solved[funded].sum()


def test_a_new_programme_starts_at_0():
    stations = OneStopStations(per_1000_firms=100.0, reach=1.0, fee=0.0)
    model = world(5, instruments=(stations, StrongChainLoans(reach=1.0)))
    model.run(6)
    before = model.programmes["one_stop_stations"].delivered(model)["cases served"]
    model.adopt((stations,))
    assert model.programmes["one_stop_stations"].delivered(model) == dict.fromkeys((TAKEN_ON[0], *OneStopStations.counted), 0)
    model.run(2)
    after = model.programmes["one_stop_stations"].delivered(model)["cases served"]
    assert before > 0
    assert before + after == model.stations.served[model.stations.programme].sum()


@pytest.fixture(scope="module")
def run() -> Run:
    model = world(5, instruments=(OneStopStations(per_1000_firms=100.0, reach=1.0, fee=0.0), StrongChainLoans(reach=0.0)))
    return measure(model, "a", 0, Task(4, 2))


def test_counts_are_kept_with_a_run(run, tmp_path):
    assert run.counts["one_stop_stations"]["stations"] == 3
    assert set(run.counts["strong_chain_loans"].values()) == {0}
    Store(tmp_path).put("k", run)
    back = Store(tmp_path).get("k", "a", 0)
    assert back is not None and back.counts == run.counts


def test_counts_are_tables_and_nothing_counted_is_an_empty_one():
    def counted(arm: str, replicate: int, cases: int) -> Run:
        base = world(5)
        base.run(2)
        measured = measure(base, arm, replicate, Task(2, 1))
        return Run(**{**vars(measured), "counts": {"one_stop_stations": {"cases served": cases}} if arm == "a" else {}})

    runs = [counted(arm, k, cases) for k, cases in enumerate((4, 6, 11)) for arm in ("nothing", "a")]
    comparison = collect(runs, {}, CompareStudy())
    assert comparison.counts[["arm", "instrument", "count"]].to_numpy().tolist() == [["a", "one_stop_stations", "cases served"]]
    row = comparison.counts.iloc[0]
    assert (row["mean"], row["sd"], row["replicates"]) == (7.0, pytest.approx(np.std([4, 6, 11], ddof=1)), 3)
    assert row["mean_low"] < 7.0 < row["mean_high"]
    assert row["meaning"] == OneStopStations.counted["cases served"]
    columns = comparison.runs.set_index("arm")["count_of_one_stop_stations: cases served"]
    assert columns["a"].tolist() == [4, 6, 11]
    assert columns["nothing"].tolist() == [0, 0, 0]
    assert collect([one for one in runs if one.arm == "nothing"], {}, CompareStudy()).counts.empty


@pytest.mark.study
def test_report_states_what_was_delivered(monkeypatch):
    monkeypatch.setattr("experiments.reports.elements.Pictures.draw", lambda self, figure, alt, name="": Picture("", alt, True))

    def delivered(comparison: Comparison) -> list[Section]:
        return [section for section in results(comparison, findings(comparison)) if section.key == "delivered"]

    comparison = study({"all": LOWER}, replicates=3)
    assert delivered(comparison) == [], "a section on nothing"
    counts = [("all", "cqo", "officers appointed", "of them", 12.25, 11.0, 13.5), ("all", "cqo", "prizes", "", 0.0, 0.0, 0.0)]
    table = pd.DataFrame([(*row, 1.0, 3) for row in counts], columns=comparison.counts.columns)
    (section,) = delivered(replace(comparison, counts=table))
    assert section.tables[0].rows[0] == ("chief quality officers", "officers appointed", "of them", "12.2", "11 to 13.5")
    assert "The count is 0 for prizes (chief quality officers)." in section.says
    alone = study({}, "policy=none", replicates=3)
    assert delivered(replace(alone, counts=table)) == [], "the reference has no programme"
