"""Every law over long runs of many random worlds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import StrongchainModel
from sim.instruments import ChiefQualityOfficer, OneStopStations, StrongChainLoans
from sim.parameters import Parameters, declared
from tests.support.size import at_size
from tests.support.worlds import (
    Events,
    any_parameters,
    differing,
    eventful,
    hold,
    networks,
    policies,
    random_network,
    region,
    regions,
    world,
)

pytestmark = pytest.mark.verification

ALL = (
    ChiefQualityOfficer(pay_subsidy=0.3),
    OneStopStations(per_1000_firms=30.0),
    StrongChainLoans(reach=1.0, guarantee=0.5, score_least=0.2),
)
#: Years of the long runs.
YEARS = at_size(6, 20)
slow = settings(max_examples=at_size(8, 300), deadline=None, suppress_health_check=list(HealthCheck))


@slow
@given(networks(most=40), any_parameters(most=12), regions(), policies(), st.integers(0, 2**32))
def test_every_law_holds_for_five_years_in_any_world(some, p, place, policy, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        world(some, p, policy, region=place, rng=seed, burn_in=3, check=True).run(60)


@slow
@given(networks(most=40), any_parameters(most=6, calm=False), st.integers(0, 2**32))
def test_every_law_holds_for_five_years_where_much_happens(some, p, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        world(some, p, ALL, rng=seed, burn_in=3, check=True).run(60)


@pytest.mark.parametrize("name", [f.name for f in declared(Parameters)][:: at_size(12, 1)])
def test_every_law_holds_at_both_ends_of_every_parameter(name):
    """Numbers of a tuple all at once; the rest as where much happens."""
    f = next(f for f in declared(Parameters) if f.name == name)
    for end in f.metadata["range"]:
        value = int(end) if str(f.type).startswith("int") else float(end)
        p = eventful(**{name: (value,) * len(f.default) if isinstance(f.default, tuple) else value})
        world(random_network(2, firms=40), p, ALL, burn_in=3, check=True).run(36)


@pytest.mark.parametrize("seed", range(at_size(1, 5)))
def test_many_years_of_a_region_in_which_everything_happens(seed):
    """300 firms on the sample region's network; at the end the frozen month leads to the fixed point."""
    model = StrongchainModel(parameters=eventful(), instruments=ALL, rng=seed, burn_in=12, check=True)
    events = Events().watch(model, YEARS * 12)
    assert events.exits == events.entries > 0.1 * YEARS * model.firms.n
    assert events.recalls > 2 * YEARS
    assert model.counts["suppliers replaced"] > 50 * YEARS
    assert (model.lenders.written_off > 0).all() and events.to_lenders > 0
    # Neither run-away growth nor the death of the economy, whatever happens to single firms.
    output = model.record.series("output")
    assert 0.2 * output[0] < output[-12:].mean() < 5.0 * output[0]
    hold(model)
    held = model.firms.out_detectable + model.firms.out_latent
    assert held == pytest.approx(model.steady_state(), rel=1e-9, abs=1e-15)


def test_many_calm_years_with_and_without_observation():
    """The default parameters; observation of agents, maps and books month by month leaves the same bits."""
    blind, seen = (StrongchainModel(instruments=ALL, rng=3, burn_in=12, check=looks) for looks in (False, True))
    for _ in range(YEARS * 12):
        blind.step()
        seen.agents.do("step")
        seen.quality_map()
        assert seen.transaction_flow_matrix()["sum"].abs().max() <= 1e-6
        sheet = seen.balance_sheet()
        size = float(np.abs(sheet.to_numpy()).max())
        assert sheet.loc[["deposits", "loans", "strong-chain loans"], "sum"].abs().max() <= 1e-9 * size
        seen.step()
    assert differing(blind, seen) == []


@pytest.mark.parametrize("chains", at_size([4], [1, 4]))
def test_large_worlds_in_which_firms_come_and_go(chains):
    """3,000 firms: more than so many that few are drawn for one by one."""
    given_network = random_network(5, firms=3_000, leaders=12, chains=chains)
    model = world(given_network, eventful(fortune_spread=(0.2, 0.2, 0.2)), ALL, region=region(3_000, leaders=12, chains=chains), check=True)
    events = Events().watch(model, 60)
    assert 0 < events.exits and events.recalls and model.counts["suppliers replaced"]
