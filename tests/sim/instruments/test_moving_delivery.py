"""Help that moves: firms leave and join, places come in turn, and what would change nothing changes no bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim import Region, StrongchainModel
from sim.attribution.quality_map import quality_map
from sim.instruments import INSTRUMENTS, ChiefQualityOfficer, Instrument, QualityMapping, Stewards, StrongChainLoans, SupplierDevelopment
from sim.instruments.programme import LEFT, _largest_remainder
from sim.parameters import ParameterError

PLACE = Region(chains=4, counties=4, county_names=("Datong", "Jinzhong"), chain_names=("Hydrogen", "Goat milk"))
MONTHS = 8


def run(*policy: Instrument, months: int = MONTHS, check: bool = True) -> StrongchainModel:
    model = StrongchainModel(PLACE, rng=5, burn_in=3, instruments=policy, check=check)
    model.run(months)
    return model


def same(one: StrongchainModel, other: StrongchainModel) -> bool:
    """Whether two runs have the same state and the same series, bit for bit."""
    columns = all(
        np.array_equal(getattr(getattr(one, kind), name), getattr(getattr(other, kind), name))
        for kind in ("firms", "links", "stations", "chains", "lenders")
        for name in getattr(one, kind).columns
    )
    return columns and np.array_equal(one.record.values, other.record.values, equal_nan=True)


# -- what changes nothing ---------------------------------------------------------------------------------


@pytest.mark.study
@pytest.mark.parametrize("key", sorted(INSTRUMENTS))
def test_a_long_tenure_one_wave_for_all_and_a_new_choice_at_full_reach_change_no_bit(key):
    cls = INSTRUMENTS[key]
    half, whole = cls(), cls(reach=1.0)
    every = {1: tuple(run(months=0).network.chains)}
    assert same(run(half), run(replace(half, tenure=MONTHS + 1)))
    assert same(run(half), run(replace(half, waves=every)))
    assert same(run(whole), run(replace(whole, rechoose=2)))
    off = replace(half, **{cls.dose: type(half.level)(0)}) if cls.dose not in ("elements",) else half
    assert same(run(off), run(replace(off, tenure=2, rechoose=3)))


# -- leaving and joining ----------------------------------------------------------------------------------


def test_tenure_ends_help_and_gives_turns_to_all():
    policy = Stewards(reach=0.25, tenure=2, unit_cost=100.0)
    model = run(policy, months=2)
    first = set(model.programmes["stewards"].reached.tolist())
    model.run(2)
    programme = model.programmes["stewards"]
    second = set(programme.reached.tolist())
    assert len(first) + model.programmes["stewards"].gone >= 75 and not first & second, "those who had their turn come last"
    model.run(4)
    assert len(first | second | set(programme.reached.tolist())) > 200
    assert programme.counts[LEFT[0]] > 200
    joined = sum(firms for _, firms in programme.awards)
    assert joined == programme.reached.size + programme.counts[LEFT[0]] + programme.gone
    visits = Stewards().visits * Stewards().visit_cost
    assert programme.spent == pytest.approx(100.0 * joined + visits * 75 * 8, rel=0.02)  # a place in which a firm gives up is filled later


def test_who_has_nothing_left_leaves():
    model = run(Stewards(reach=1.0, until_done=True), months=1, check=False)
    programme = model.programmes["stewards"]
    taken_on = programme.reached.size
    model.firms.open_problems[:] = 0
    model.firms.open_problems[programme.reached[:10], 2] = 5
    model.step()
    assert programme.counts[LEFT[0]] == taken_on - 10 and (programme.since == 1).all()
    model.step()
    assert 10 < programme.reached.size < 200, "others come back when problems arise"


def test_a_new_choice_lets_the_neediest_in_and_costs_are_paid_again_only_by_newcomers():
    policy = Stewards(reach=0.2, rechoose=3, targeting="largest", unit_cost=1_000.0, visits=0.0625)
    model = run(policy, months=3)
    programme = model.programmes["stewards"]
    before = programme.reached.copy()
    model.firms.output[:] = model.firms.output[::-1].copy()
    model.step()
    after = programme.reached
    stayed = np.isin(before, after).sum()
    assert after.size == before.size and 0 < programme.counts[LEFT[0]] == before.size - stayed
    assert np.isin(after[programme.since == 4], before).sum() == 0
    assert programme.counts["firms taken on"] == before.size + programme.counts[LEFT[0]]


def test_capacity_limits_how_many_change_places():
    model = run(Stewards(reach=0.2, rechoose=1, targeting="largest", monthly_capacity=60), months=2)
    slow = run(Stewards(reach=0.2, rechoose=1, targeting="largest", monthly_capacity=7), months=12)
    programme = slow.programmes["stewards"]
    slow.firms.output[:] = slow.firms.output[::-1].copy()
    left = programme.counts[LEFT[0]]
    slow.step()
    assert programme.counts[LEFT[0]] - left == 7 and programme.reached.size == 60 == model.programmes["stewards"].reached.size


def test_what_is_lent_ends_and_what_was_taught_stays():
    officers = run(ChiefQualityOfficer(reach=0.3, tenure=2, pay_subsidy=0.5), months=2)
    subsidised = np.flatnonzero(officers.firms.cqo_subsidy > 0)
    officers.step()
    assert subsidised.size and not officers.firms.cqo_subsidy[subsidised].any() and officers.firms.cqo[subsidised].mean() > 0.8
    loans = run(StrongChainLoans(reach=0.3, tenure=3), months=3)
    lined = np.flatnonzero(loans.firms.programme_line > 0)
    loans.step()
    assert lined.size and not loans.firms.programme_line[lined].any() and not loans.firms.guaranteed[lined].any()
    mapped = run(QualityMapping(reach=0.3, tenure=1), months=1)
    seen = np.flatnonzero(mapped.firms.mapped > 0)
    mapped.step()
    assert seen.size and not mapped.firms.mapped[seen].any()


# -- places ---------------------------------------------------------------------------------------------


def test_nobody_outside_the_chosen_chains_and_counties_is_taken_on():
    model = run(SupplierDevelopment(reach=1.0, chains=("hydrogen", "goat_milk"), counties=("Datong",)))
    reached = model.programmes["supplier_development"].reached
    assert reached.size and set(model.firms.chain[reached]) <= {0, 1} and set(model.firms.county[reached]) == {0}


def test_waves_open_places_in_turn_and_each_has_its_quota():
    waves = {1: ("Datong",), 4: ("Jinzhong", "County 3")}
    model = run(Stewards(reach=0.5, waves=waves), months=3)
    programme, county = model.programmes["stewards"], model.firms.county
    assert set(county[programme.reached]) == {0} and programme.reached.size == (county == 0).sum() // 2
    model.run(3)
    assert set(county[programme.reached]) == {0, 1, 2}
    open_to = np.isin(county, [0, 1, 2])
    assert programme.reached.size + programme.gone >= open_to.sum() // 2 > programme.reached.size - 1
    assert abs((county[programme.reached] == 0).sum() - (county == 0).sum() / 2) <= 1


def test_a_ramp_begins_with_each_wave():
    model = run(Stewards(reach=1.0, ramp=4, waves={1: ("Datong",), 5: ("Jinzhong",)}), months=5)
    programme, county = model.programmes["stewards"], model.firms.county
    assert (county[programme.reached] == 0).sum() == (county == 0).sum()
    assert (county[programme.reached] == 1).sum() == pytest.approx((county == 1).sum() / 4, abs=1)


@pytest.mark.parametrize(("parts", "whole"), [([1.5, 1.5], [2, 1]), ([0.4, 0.4, 0.4], [1, 0, 0]), ([2.0, 3.0], [2, 3]), ([0.2], [0])])
def test_what_is_over_goes_to_the_largest_fractions(parts, whole):
    assert _largest_remainder(np.array(parts)).tolist() == whole


# -- need ---------------------------------------------------------------------------------------------


def test_need_is_marginal_loss_times_the_problems_that_the_help_is_for():
    model = StrongchainModel(PLACE, rng=5, burn_in=3)
    model.firms.mapped[:] = 1.0  # no doubt
    wanted = quality_map(model).marginal * model.firms.open_problems.sum(axis=1)
    assert np.array_equal(Stewards(targeting="need").scores(model), wanted)
    testing = INSTRUMENTS["testing_services"](targeting="need").scores(model)
    assert np.array_equal(testing, quality_map(model).marginal * model.firms.open_problems[:, 3])
    chosen = run(Stewards(targeting="need", reach=0.1, rechoose=2))
    assert chosen.programmes["stewards"].counts[LEFT[0]] > 0


# -- visits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("problems", "competence", "wanted"), [(1.0, 0.6, 0.6), (2.0, 0.85, 1.7), (6.0, 1.0, 6.0), (1.5, 1.0, 1.5)])
def test_a_visit_solves_several_problems_where_firms_have_them(problems, competence, wanted):
    model = run(Stewards(reach=1.0, visits=1.0, problems=problems, competence=competence), months=0, check=False)
    model.firms.open_problems[:] = [3, 2, 2, 1]
    before = model.firms.open_problems.copy()
    programme = model.programmes["stewards"]
    model.month = 1
    programme.deliver(model)
    solved = before - model.firms.open_problems
    assert programme.counts["visits"] == 300 and programme.counts["problems solved"] == solved.sum()
    assert solved.sum() / 300 == pytest.approx(wanted, abs=0.1) and (model.firms.open_problems >= 0).all()
    if problems == 6.0:
        assert (model.firms.open_problems == [1, 0, 0, 1]).all() or (model.firms.open_problems.sum(axis=1) == 2).all()


def test_no_visit_is_lost_on_a_kind_of_which_the_firm_has_no_problem():
    model = run(Stewards(reach=1.0, visits=2.0, competence=1.0), months=0, check=False)
    model.firms.open_problems[:] = [0, 3, 0, 0]
    model.month = 1
    model.programmes["stewards"].deliver(model)
    assert (model.firms.open_problems == [0, 1, 0, 0]).all()


# -- mistakes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levers", "said"),
    [
        ({"tenure": 0}, r"instruments\.awards\.tenure is 0; it must be a whole number in 1 … 10000"),
        ({"targeting": "need"}, r"awards\.targeting is need, but this instrument is for no kind of open problem"),
        ({"until_done": True}, r"awards\.until_done is true, but this instrument is for no kind"),
        ({"targeting": "neediest"}, "awards.targeting is 'neediest'; it must be one of .*need"),
        ({"waves": {0: ("A",)}}, "awards.waves has a wave in month 0"),
        ({"waves": {1: "A"}}, "awards.waves.1 is 'A'; it must be a list of names"),
        ({"waves": {1: ("A",), 2: ("A",)}}, "awards.waves names 'A' twice"),
        ({"waves": ["A"]}, "it must give each month its places"),
    ],
)
def test_a_wrong_lever_gets_one_line(levers, said):
    with pytest.raises(ParameterError, match=said):
        INSTRUMENTS["awards"](**levers)


@pytest.mark.parametrize(
    ("levers", "said"),
    [
        ({"chains": ("hydrogin",)}, "stewards.chains names 'hydrogin', but there is no such chain; did you mean 'Hydrogen'"),
        ({"counties": ("Datung",)}, "stewards.counties names 'Datung', but there is no such county; did you mean 'Datong'"),
        ({"waves": {1: ("Datung",)}}, "stewards.waves names 'Datung', but there is no such chain or county; did you mean 'Datong'"),
    ],
)
def test_an_unknown_place_is_named_with_the_nearest_one(levers, said):
    with pytest.raises(ParameterError, match=said):
        run(Stewards(**levers), months=1)
