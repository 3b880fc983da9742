"""What is written down: outcomes, groups, and the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.firm import SIZE_CLASSES
from sim.build.region import Region
from sim.instruments import ChiefQualityOfficer, OneStopStations
from sim.model import MONTH, StrongchainModel
from sim.outcomes import HEADLINE, OUTCOMES
from sim.parameters import ParameterError
from sim.record import GROUPINGS, Record
from tests.support.worlds import bits, line, network, parameters, random_network, region, world

BY = ("chain", "tier", "size")
POLICY = (ChiefQualityOfficer(pay_subsidy=0.5), OneStopStations(per_1000_firms=100.0, fee=0.0, reach=1.0))
SUMS = [key for key, outcome in OUTCOMES.items() if outcome.bottom is None]
RATIOS = [key for key, outcome in OUTCOMES.items() if outcome.bottom is not None]


@pytest.fixture(scope="module")
def model():
    made = world(1, instruments=POLICY, record=BY)
    made.run(6)
    return made


def groups(model, by):
    return [name for grouping, name in model.record.groups if grouping == by]


# -- groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("key", SUMS)
def test_groups_of_a_sum_add_up_to_the_total(model, key, by):
    parts = sum(model.record.series(key, by, group) for group in groups(model, by))
    assert parts == pytest.approx(model.record.series(key), rel=1e-12)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("key", RATIOS)
def test_total_ratio_lies_between_those_of_its_groups(model, key, by):
    parts = np.array([model.record.series(key, by, group) for group in groups(model, by)])
    total = model.record.series(key)
    some = np.isfinite(total)
    slack = 1e-12 * np.abs(total[some]).max(initial=1.0)
    assert (np.nanmin(parts[:, some], axis=0) <= total[some] + slack).all()
    assert (np.nanmax(parts[:, some], axis=0) >= total[some] - slack).all()


@pytest.mark.parametrize("key", RATIOS)
def test_ratio_of_a_group_is_the_ratio_of_its_sums(model, key):
    outcome, label = OUTCOMES[key], model.firms.chain
    top, bottom = outcome.top(model), outcome.bottom(model)
    for chain, name in enumerate(model.network.chains):
        of_chain = label == chain
        expected = top[of_chain].sum() / bottom[of_chain].sum() if bottom[of_chain].sum() > 0 else np.nan
        assert model.record.series(key, "chain", name)[-1] == pytest.approx(expected, nan_ok=True)


def test_ratio_over_months_is_the_ratio_of_the_months_sums():
    made = StrongchainModel(rng=4, burn_in=2, record=["size"], outcomes=["pass_rate", "cases_served"])
    good = sampled = served = 0
    for _ in range(6):
        made.run(1)
        good, sampled = good + int((made.firms.sampled & ~made.firms.failed).sum()), sampled + int(made.firms.sampled.sum())
        served += int(made.firms.cases_served.sum())
    assert made.record.mean(6)[0, 0] == pytest.approx(good / sampled, rel=1e-14)
    assert made.record.mean(6)[1, 0] == pytest.approx(served / 6, rel=1e-14)
    assert made.record.in_all()[1, 0] == served
    assert np.isnan(made.record.in_all()[0, 0])  # a pass rate has no sum


def test_groups_are_chains_tiers_and_sizes(model):
    assert groups(model, "total") == ["total"]
    assert groups(model, "chain") == list(model.network.chains)
    assert groups(model, "tier") == [str(tier) for tier in range(world(1).firms.tier.max() + 1)]  # those when recording began
    assert groups(model, "size") == list(SIZE_CLASSES)


def test_firms_that_reach_no_leader_are_a_tier_of_their_own():
    made = world(network({("a", "leader"): 0.5, ("idle", "shed"): 0.5}, {"leader": 1e6}), record=["tier"])
    assert groups(made, "tier") == ["none", "0", "1"]


def test_groups_without_a_firm_count_nothing():
    """At any position of the empty group in the list."""
    links = random_network(2)
    links.chain[:] = 1
    made = world(links, parameters(medium_from=0.0, large_from=1e12), record=["chain", "size"])
    made.run(2)
    for by, group in (("chain", "chain 0"), ("size", "small"), ("size", "large")):
        assert made.record.series("output", by, group).tolist() == [0.0, 0.0]
        assert np.isnan(made.record.series("own_dpu", by, group)).all()
    assert (made.record.series("output", "size", "medium") == made.record.series("output")).all()


def test_total_is_kept_once_and_always():
    assert world(line(2), record=["total", "size", "size"]).record.groups == (
        ("total", "total"),
        *(("size", name) for name in SIZE_CLASSES),
    )
    assert world(line(2)).record.groups == (("total", "total"),)


def test_grouping_changes_no_total(model):
    plain = world(1, instruments=POLICY)
    plain.run(6)
    assert plain.record.values[:, :, 0].tobytes() == model.record.values[:, :, 0].tobytes()


# -- table -----------------------------------------------------------------------------------------


def test_table_has_a_row_for_every_month_outcome_and_group(model):
    table = model.record.table()
    assert list(table.columns) == ["month", "by", "group", "outcome", "value"]
    assert len(table) == 6 * len(OUTCOMES) * len(model.record.groups)
    assert not table.duplicated(["month", "by", "group", "outcome"]).any()
    assert table["month"].unique().tolist() == [1, 2, 3, 4, 5, 6]


def test_table_says_what_the_series_say(model):
    table = model.record.table()
    for key, by, group in (
        (HEADLINE, "total", "total"),
        ("output", "size", "small"),
        ("own_dpu", "tier", "1"),
        ("copq", "chain", "chain 1"),
    ):
        rows = table[(table["outcome"] == key) & (table["by"] == by) & (table["group"] == group)]
        assert rows["value"].to_numpy().tobytes() == model.record.series(key, by, group).tobytes()


def test_some_outcomes_can_be_kept_alone(model):
    partial = world(1, instruments=POLICY, outcomes=["output", HEADLINE])
    partial.run(6)
    assert partial.record.outcomes == ("output", HEADLINE)
    assert len(partial.record.table()) == 12
    assert (partial.record.series(HEADLINE) == model.record.series(HEADLINE)).all()


def test_record_of_no_month_is_empty():
    made = world(line(2), record=BY)
    assert len(made.record.table()) == 0
    assert np.isnan(made.field_dpu)


# -- refusals --------------------------------------------------------------------------------------


def test_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="no outcome 'dpu'; there are field_dpu, "):
        world(line(2), outcomes=["output", "dpu"])


def test_unknown_grouping_is_refused():
    with pytest.raises(ValueError, match=f"no grouping 'street'; there are {', '.join(GROUPINGS)}"):
        world(line(2), record=["street"])


def test_fifths_are_the_firms_by_their_own_defects_when_the_record_begins():
    firms = StrongchainModel(rng=3, burn_in=6, record=["quantile"])
    order = np.argsort(firms.firms.own_dpu, kind="stable")
    output = firms.firms.output.copy()
    assert firms.record.groups == (("total", "total"), *(("quantile", str(k)) for k in range(1, 6)))
    firms.record.write(firms)
    for k, part in enumerate(np.array_split(order, 5)):
        assert firms.record.series("output", "quantile", str(k + 1))[-1] == pytest.approx(output[part].sum())


def test_another_grouping_changes_no_bit_of_the_others():
    one, other = (StrongchainModel(rng=3, burn_in=2, record=by) for by in (("tier",), ("tier", "quantile")))
    for each in (one, other):
        each.run(3)
    np.testing.assert_array_equal(one.record.values, other.record.values[:, :, : len(one.record.groups)])


def test_fewer_than_five_firms_make_fewer_groups():
    assert [name for by, name in world(line(2), record=["quantile"]).record.groups if by == "quantile"] == ["1", "3"]


def test_series_that_is_not_kept_is_refused(model):
    with pytest.raises(ValueError):
        model.record.series("dpu")
    with pytest.raises(ValueError):
        model.record.series(HEADLINE, "chain", "chain 9")


# -- outcomes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", OUTCOMES)
def test_outcome_is_declared_in_full(key):
    outcome = OUTCOMES[key]
    assert outcome.key == key
    assert outcome.unit
    assert outcome.formula
    assert outcome.label
    assert any("\u4e00" <= sign <= "\u9fff" for sign in outcome.label_zh)
    assert outcome.better in {"lower", "higher", ""}
    assert outcome.direction == {"lower": -1, "higher": 1, "": 0}[outcome.better]


def test_flows_are_sums_of_what_happens_in_a_month():
    """Their totals over a run have a meaning; stocks, shares and means have none."""
    flows = {key for key, outcome in OUTCOMES.items() if outcome.is_flow}
    assert flows == {
        "cases_filed", "cases_served", "cases_solved", "cases_withdrawn", *(key for key in OUTCOMES if key.startswith("cases_served_")),
        "field_defects", "firm_quality_cost", "society_quality_cost",
        "recalls", "recalls_traced", "investment", "loans", "exits", "output", "government_cost", "firm_cost",
    }  # fmt: skip
    assert {"cases_waiting", "strong_chain_debt"} <= set(SUMS) - flows


def test_no_two_outcomes_share_a_label():
    assert len({outcome.label for outcome in OUTCOMES.values()}) == len(OUTCOMES)
    assert len({outcome.label_zh for outcome in OUTCOMES.values()}) == len(OUTCOMES)


@pytest.mark.parametrize("key", OUTCOMES)
def test_outcome_is_finite_unless_its_divisor_is_0(key):
    made = world(3, parameters(random_samples=1.0), instruments=POLICY, region=region(30))
    for _ in range(4):
        made.step()
        outcome = OUTCOMES[key]
        empty = outcome.bottom is not None and outcome.bottom(made).sum() == 0
        assert outcome.top(made).shape == (30,)
        assert np.isnan(made.record.latest(key)) if empty else np.isfinite(made.record.latest(key))


def test_no_sample_gives_no_pass_rate():
    made = world(3, parameters(random_samples=0.0))
    made.step()
    assert np.isnan(made.pass_rate)


def test_headline_is_what_users_get():
    """Weighted with what users ordered a month ago."""
    made = world(1)
    sold = made.firms.final_demand.copy()
    made.run(2)
    firms = made.firms
    assert not np.array_equal(sold, firms.final_demand)
    ordered = made.firms.users_ordered.copy()
    made.run(1)
    assert made.field_dpu == pytest.approx(ordered @ (firms.out_detectable + firms.out_latent) / ordered.sum(), rel=1e-12)
    assert OUTCOMES[HEADLINE].direction == -1


def test_last_total_of_every_outcome_can_be_read_off_the_model(model):
    for key in OUTCOMES:
        assert getattr(model, key) == pytest.approx(model.record.series(key)[-1], nan_ok=True)


def test_name_that_is_no_outcome_is_no_attribute(model):
    with pytest.raises(AttributeError, match="no attribute 'field_dp'"):
        _ = model.field_dp


def test_charge_back_nets_out_in_the_chain():
    made = world(4)
    made.run(3)
    assert made.firms.charged.sum() == pytest.approx(made.firms.recovered.sum())
    internal, external = made.internal_failure, made.external_failure
    assert made.charged > 0
    assert made.copq == pytest.approx(internal + external)


def test_cases_of_the_record_are_those_counted_since_its_start(model):
    received, served = model.counts["cases received"], model.counts["cases served"]
    fresh = world(1, record=BY)
    assert model.record.series("cases_filed").sum() == received - fresh.counts["cases received"]
    assert model.record.series("cases_served").sum() == served - fresh.counts["cases served"]
    assert model.record.latest("cases_waiting") == model.stations.queue.sum()


# -- the month -------------------------------------------------------------------------------------


def test_schedule_lists_the_phases_with_a_line_each():
    listed = StrongchainModel.schedule()
    assert [entry.split(":")[0] for entry in listed] == [phase.__name__ for phase in MONTH]
    assert all(len(entry.split(": ", 1)[1]) > 10 for entry in listed)


def test_writing_a_record_changes_nothing_in_the_world(model):
    before = bits(model)
    Record(model, BY).write(model)
    assert bits(model) == before


def test_counties_appear_by_their_names_and_add_up():
    """Those of a region first by their names, then by number; those of a network by its own."""
    model = StrongchainModel(Region(county_names=("Datong", "Jinzhong")), rng=3, burn_in=2, record=["county"])
    model.run(1)
    groups = [name for by, name in model.record.groups if by == "county"]
    assert groups == ["Datong", "Jinzhong", "County 3", "County 4"] == list(model.county_names)
    in_counties = [model.record.series("output", "county", name)[-1] for name in groups]
    assert sum(in_counties) == pytest.approx(model.record.series("output")[-1])
    assert in_counties[1] == pytest.approx(model.firms.output[model.firms.county == 1].sum())
    given = replace(line(2), county=np.array([0, 1]), counties=("east", "west"))
    assert [name for by, name in world(given, record=["county"]).record.groups if by == "county"][:2] == ["east", "west"]


def test_names_of_counties_are_those_of_a_region_and_no_more():
    assert Region(counties=3, county_names=("a", "b")).scaled(0.34).county_names == ("a",)
    for wrong in (("a", "a"), ("a", "b", "c", "d", "e")):
        with pytest.raises(ParameterError, match=r"region\.county_names is .*at most 4 different names"):
            Region(county_names=wrong)
        with pytest.raises(ParameterError, match=r"region\.chain_names is .*at most 4 different names"):
            Region(chain_names=wrong)
