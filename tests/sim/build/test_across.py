"""Several regions in one world: alone and beside another one alike where nothing crosses the border, and what crosses it."""

from __future__ import annotations

import numpy as np
import pytest

from sim import Region, StrongchainModel
from sim.build.across import Across
from sim.instruments import INSTRUMENTS
from sim.month.relations import view_of_candidates
from sim.month.services import _stations_seen
from sim.parameters import ParameterError

SOUTH = Region(key="south", label="South", stations=3)
NORTH = Region(
    key="north",
    label="North",
    firms=400,
    leaders=8,
    chains=5,
    counties=6,
    stations=2,
    awareness=0.4,
    officers=0.2,
    loan_rate=0.05,
    sectors=15,
)
CLOSED = Across(links=0.0, recognition=0.0)
#: Columns that count from the first row of the world.
PLACES = {"chain", "sector", "county", "region", "supplier", "customer", "case_station"}


def rows_of(model: StrongchainModel, population: str, number: int) -> np.ndarray:
    """Rows of one region in a population of a world with several."""
    rows = getattr(model, population)
    if population == "links":
        return np.flatnonzero(model.firms.region[rows.customer] == number)
    if population == "classes":
        return np.arange(6 * number, 6 * number + 6)
    if population in ("lenders", "regulators"):
        return np.array([number])
    return np.flatnonzero(rows.region == number)


@pytest.mark.study
@pytest.mark.parametrize("order", [(SOUTH, NORTH), (NORTH, SOUTH)])
def test_regions_with_nothing_between_them_are_as_each_alone_under_every_instrument(order):
    policy = [cls() for cls in INSTRUMENTS.values()]
    alone = [StrongchainModel([region], rng=4, burn_in=24, instruments=policy) for region in order]
    both = StrongchainModel(order, rng=4, burn_in=24, instruments=policy, across=CLOSED, record=["region"])
    for model in (both, *alone):
        model.run(24)
    compared = 0
    for population in ("firms", "links", "chains", "stations", "chain_heads", "lenders", "regulators", "classes"):
        for number, model in enumerate(alone):
            rows = rows_of(both, population, number)
            for name in getattr(model, population).columns.keys() - PLACES:
                here, there = getattr(getattr(both, population), name)[rows], getattr(getattr(model, population), name)
                if here.dtype.kind == "f":
                    np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-9, err_msg=f"{population}.{name}")
                else:
                    np.testing.assert_array_equal(here, there, err_msg=f"{population}.{name}")
                compared += 1
    assert compared > 300
    for programme in both.programmes.values():
        its = alone[programme.region].programmes[programme.instrument.key]
        assert programme.delivered(both) == its.delivered(alone[programme.region])
        assert programme.spent == pytest.approx(its.spent, rel=1e-9)
    for number, model in enumerate(alone):
        for outcome in model.record.outcomes:
            here, there = both.record.series(outcome, "region", order[number].label), model.record.series(outcome)
            np.testing.assert_allclose(here, there, rtol=1e-9, atol=1e-9, err_msg=outcome)


def test_a_region_has_the_same_luck_beside_any_other_and_another_one_than_under_another_name():
    one, other, renamed = (
        StrongchainModel(regions, rng=4, burn_in=0)
        for regions in ([SOUTH], [NORTH, SOUTH], [Region(key="elsewhere", label="Elsewhere", stations=3)])
    )
    n = SOUTH.firms
    here = one.draw("any", one.firms)
    assert np.array_equal(here, other.draw("any", other.firms)[-n:]) and not np.array_equal(here, renamed.draw("any", renamed.firms))
    whole = other.draw("any", other.firms, 4)
    some = np.array([3, NORTH.firms - 1, NORTH.firms, NORTH.firms + 7])
    assert np.array_equal(other.draw_for("any", other.firms, some[2:3], 4), whole[some[2:3]])  # few are drawn one by one
    assert np.array_equal(other.draw_for("any", other.firms, some, 4), whole[some])
    assert not np.array_equal(whole[:n], whole[NORTH.firms :])
    both = other.draw_for_links("any")
    of_north = other.links.customer < NORTH.firms
    assert np.array_equal(both[of_north], StrongchainModel([NORTH], rng=4, burn_in=0).draw_for_links("any")[: of_north.sum()])


def test_links_come_from_another_region_and_a_larger_share_includes_those_of_a_smaller_one():
    few, many = (StrongchainModel([SOUTH, NORTH], rng=4, burn_in=0, across=Across(links=share)) for share in (0.1, 0.5))
    crossed = []
    for model in (few, many):
        network, region = model.network, model.firms.region
        crosses = region[network.supplier] != region[network.customer]
        crossed.append(set(zip(network.customer[crosses].tolist(), network.slot[crosses].tolist(), strict=True)))
        closed = StrongchainModel([SOUTH, NORTH], rng=4, burn_in=0, across=CLOSED).network
        assert np.array_equal(network.tier[network.supplier[crosses]] > 0, np.ones(crosses.sum(), dtype=bool))
        assert (np.bincount(network.supplier, minlength=700) > 0)[np.unique(closed.supplier)].all()  # nobody loses all its customers
    assert crossed[0] < crossed[1]
    assert len(crossed[0]) / few.links.n == pytest.approx(0.08, abs=0.03)
    few.run(3)
    assert few.field_dpu > 0


def test_recognition_opens_stations_and_tells_customers_of_certificates():
    shut, half, wide = (StrongchainModel([SOUTH, NORTH], rng=4, burn_in=0, across=Across(recognition=r)) for r in (0.0, 0.5, 1.0))
    seen = []
    for model in (shut, half, wide):
        model.stations.online[:] = True
        _, reach = _stations_seen(model)
        abroad = np.repeat(model.county_region, 4)[:, None] != model.stations.region
        seen.append((reach & abroad).sum())
        assert (reach & ~abroad).any()
    assert seen[0] == 0 < seen[2] and seen[0] <= seen[1] <= seen[2]
    link = np.flatnonzero(shut.firms.region[shut.links.customer] == 0)[:1]
    candidate = np.array([[NORTH.firms + SOUTH.firms - 1]])
    views = []
    for model in (shut, half, wide):
        model.firms.certified[candidate] = True
        views.append(view_of_candidates(model, link, candidate)[0, 0])
    assert len(set(views)) == 3
    for model in (shut, wide):
        model.firms.certified[candidate] = False
    assert view_of_candidates(shut, link, candidate) == pytest.approx(view_of_candidates(wide, link, candidate))


def test_books_balance_and_laws_hold_with_everything_across():
    model = StrongchainModel(
        [SOUTH, NORTH],
        rng=2,
        burn_in=6,
        check=True,
        instruments=[cls() for cls in INSTRUMENTS.values()],
        across=Across(links=0.5, recognition=1.0),
    )
    model.run(6)
    assert {name.partition(": ")[2] for name in model.programmes} == {"South", "North"}
    assert model.county_names[:2] == ("South · County 1", "South · County 2") and model.network.chains[4] == "North · Chain 1"


def test_what_is_wrong_is_said():
    with pytest.raises(ParameterError, match="region.key 'south' is that of two regions"):
        StrongchainModel([SOUTH, SOUTH], burn_in=0)
    with pytest.raises(ParameterError, match=r"across\.recognition is 2"):
        Across(recognition=2.0)
    with pytest.raises(ValueError, match="a network that is given has one region"):
        StrongchainModel([SOUTH, NORTH], network=StrongchainModel(burn_in=0).network, burn_in=0)
