"""Common random numbers: an agent that draws more, enters, leaves or is added shifts no draw of another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from agents.streams import Streams, replicate_keys
from sim import ChiefQualityOfficer, OneStopStations, StrongchainModel, SupplyNetwork
from sim.instruments import StrongChainLoans
from sim.month.money import price_class
from sim.parameters import Parameters
from tests.support.worlds import Events, differing, eventful, network, parameters, random_network, world

POLICY = (
    ChiefQualityOfficer(pay_subsidy=0.2),
    OneStopStations(per_1000_firms=100.0, start=3),
    StrongChainLoans(reach=1.0, score_least=0.2),
)
#: Nothing rare happens, or firms give up, enter, change suppliers, recall and borrow all the time.
WEATHER = pytest.mark.parametrize("weather", [Parameters(), eventful()], ids=["calm", "eventful"])


class Placebo:
    """A programme that draws every month, in bulk and singly, and does nothing else."""

    def __init__(self, decision: str = "placebo") -> None:
        self.decision = decision
        self.drawn = 0

    def deliver(self, world) -> None:
        self.drawn += world.draw(self.decision, world.firms, 4).size
        self.drawn += world.streams.uniform_at(self.decision, world.month, world.firms.n + 5).size
        world.random.random(), world.rng.random()  # no draw depends on Mesa's own generators either

    def give_up(self, world, rows, lost) -> None:
        pass


class Diary(Streams):
    """Streams that note every draw by its address; `notes` maps (decision, month, slot) to the draws."""

    def __init__(self, streams: Streams) -> None:
        super().__init__(streams.key, streams.rename)
        self.notes: dict[tuple[str, int, int], list[np.ndarray]] = defaultdict(list)

    def uniform(self, decision, month, n, slot=0):
        drawn = super().uniform(decision, month, n, slot)
        self.notes[decision, month, slot].append(drawn)
        return drawn


def same_draws(notes, address) -> bool:
    """Whether all that several diaries note at an address are the same bits, for the places that they share."""
    first, *others = (drawn for diary in notes for drawn in diary[address])
    return all(np.array_equal(first[: other.size], other[: first.size]) for other in others)


def kept_diary(model: StrongchainModel) -> dict[tuple[str, int, int], list[np.ndarray]]:
    """Make a model note its draws."""
    model.streams = Diary(model.streams)
    return model.streams.notes


def with_a_hermit() -> SupplyNetwork:
    """Two leaders with suppliers on one chain; a third, in row 2, alone on another."""
    links = {("s", "A"): 0.4, ("t", "A"): 0.2, ("t", "B"): 0.3, ("u", "s"): 0.3, ("s", "u"): 0.1}
    columns = {"chain": [0, 0, 1, 0, 0, 0], "chains": ["all", "hermit's"], "sector": [0, 0, 1, 0, 0, 0], "sectors": ["a", "hermit's"]}
    return network(links, {"A": 2e6, "B": 1e6, "C": 40e6}, **columns)


def everything_happens(model: StrongchainModel, months: int = 24) -> None:
    """Run, and make sure that firms gave up, suppliers were replaced and products recalled."""
    before = model.counts["suppliers replaced"]
    events = Events().watch(model, months)
    assert events.exits and events.recalls and model.counts["suppliers replaced"] > before


def bankrupt(model: StrongchainModel, row: int) -> None:
    """Let a member lose more than it can ever bear, and run until it gives up."""
    model.firms.cash[row] -= 1e12
    model.books.pay("members", "outside", "a catastrophe", 1e12)
    for _ in range(model.parameters.distress_months):
        model.step()
    assert model.firms.exited[row]


# -- placebos ----------------------------------------------------------------------------------------


@WEATHER
@pytest.mark.parametrize("policy", [(), POLICY], ids=["no policy", "all instruments"])
def test_a_placebo_that_draws_changes_no_bit(policy, weather):
    """Not even with the name of a decision that the model makes, of an entrant say."""
    plain = world(3, weather, policy)
    decisions = ("placebo", "problem arises", "capability of the firm", "candidate", "fortune")
    treated = [world(3, weather, policy) for _ in decisions]
    for model, placebo in zip(treated, map(Placebo, decisions), strict=True):
        model.programmes = {"placebo": placebo, **model.programmes, "again": placebo}
        model.run(24)
        assert placebo.drawn > 0
    if weather == eventful():
        everything_happens(plain)
    else:
        plain.run(24)
    assert [differing(plain, model) for model in treated] == [[]] * len(decisions)


def test_another_name_of_a_decision_changes_only_its_own_draws():
    """Which products are sampled affects the sampling and nothing else, where a failed sample costs nothing and teaches nothing."""
    harmless = eventful(random_samples=20.0, fine=0.0, rectification_cost=0.0, risk_failed=1.0)
    without_problems = replace(harmless, problem_rate=(0.0,) * 4, common_cause_hazard=0.0)
    plain, renamed = (world(random_network(4, firms=60), without_problems) for _ in range(2))
    renamed.streams.rename["product sampled"] = "product sampled otherwise"
    for model in (plain, renamed):
        everything_happens(model)
    touched = set(differing(plain, renamed))
    assert {"firms.sampled", "firms.failed_month", "regulators.failed"} <= touched
    assert touched <= {"firms.sampled", "firms.failed", "firms.failed_month", "regulators.sampled", "regulators.failed", "record"}

    def series(model):
        return {key: model.record.series(key).tobytes() for key in model.record.outcomes}

    changed = {key for key in series(plain) if series(plain)[key] != series(renamed)[key]}
    assert changed == {"pass_rate"}


@pytest.mark.parametrize("decision", ["fortune", "relation ends", "recall", "reviews its quality"])
def test_another_name_of_a_decision_shifts_no_other_draw(decision):
    """Other firms give up, enter and change suppliers then, but every other decision draws the same numbers."""
    plain, renamed = (world(6, eventful(recall_rate=10.0), POLICY) for _ in range(2))
    renamed.streams.rename[decision] = f"{decision} otherwise"
    notes = [kept_diary(model) for model in (plain, renamed)]
    for model in (plain, renamed):
        everything_happens(model)
    assert "links.supplier" in differing(plain, renamed)
    unlike = {address[0] for address in notes[0].keys() & notes[1].keys() if not same_draws(notes, address)}
    assert unlike == {decision}


def test_another_name_of_a_decision_that_was_made_changes_nothing_until_it_is_made_again():
    """What is drawn at the start is not drawn again, except for entrants."""
    plain, late = (world(4, parameters(cash_limit=24.0)) for _ in range(2))
    late.streams.rename["absorptive capacity"] = "absorptive capacity otherwise"
    for model in (plain, late):
        model.run(6)
    assert differing(plain, late) == []
    for model in (plain, late):
        bankrupt(model, 7)
    assert np.flatnonzero(plain.firms.absorptive != late.firms.absorptive).tolist() == [7]


# -- more stations -----------------------------------------------------------------------------------


def test_stations_that_no_firm_can_use_change_no_firm():
    plain, with_stations = world(5), world(5)
    with_stations.stations.grow(7)  # of capacity 0
    for model in (plain, with_stations):
        model.run(24)
    assert with_stations.stations.queue[-7:].sum() == 0
    assert all(name.startswith("stations.") for name in differing(plain, with_stations))
    kept = slice(0, plain.stations.n)
    assert all(
        np.array_equal(getattr(plain.stations, name), getattr(with_stations.stations, name)[kept]) for name in plain.stations.columns
    )


@WEATHER
def test_a_policy_shifts_no_draw(weather):
    """Decisions of both worlds draw the same numbers; the policy only adds decisions of its own."""
    plain, treated = world(6, weather), world(6, weather, POLICY)
    notes = [kept_diary(model) for model in (plain, treated)]
    for model in (plain, treated):
        model.run(24)
    assert differing(plain, treated) != []
    shared = notes[0].keys() & notes[1].keys()
    monthly = {"problem arises", "problem solved", "product renewal", "case solved", "fortune", "recall", "bank approves"}
    assert {decision for decision, _, _ in shared} >= monthly
    if weather == eventful():
        assert {decision for decision, _, _ in shared} >= {"candidate", "view of a candidate", "capability of the firm", "size of a recall"}
    assert all(same_draws(notes, address) for address in shared)


# -- entry and exit ----------------------------------------------------------------------------------


@WEATHER
def test_a_firm_that_leaves_changes_no_draw_of_the_others(weather):
    stays, leaves = world(7, weather), world(7, weather)
    notes = [kept_diary(model) for model in (stays, leaves)]
    leaves.leave("firms", 11)
    for model in (stays, leaves):
        model.run(12)
    shared = notes[0].keys() & notes[1].keys()
    assert len(shared) > 100
    assert all(same_draws(notes, address) for address in shared)


def alone(model: StrongchainModel) -> StrongchainModel:
    """Close the stations of a model, which the hermit would share with the others."""
    for row in range(model.stations.n):
        model.leave("stations", row)
    return model


#: Every firm is sampled, so that it does not matter which other firms could be sampled.
ALL_SAMPLED = {"random_samples": 1e6, "targeted_samples": 1e6}


def test_a_firm_without_relations_leaves_no_trace_on_the_others():
    """Alone on its chain, in its sector and size class, without a link or a station in common."""
    stays, leaves = (alone(world(with_a_hermit(), parameters(**ALL_SAMPLED))) for _ in range(2))
    assert np.flatnonzero(stays.firms.size_class == stays.firms.size_class[2]).tolist() == [2]
    leaves.leave("firms", 2)
    for model in (stays, leaves):
        model.run(24)
    others = np.arange(stays.firms.n) != 2
    for name, column in stays.firms.columns.items():
        one, other = (getattr(model.firms, name)[others] for model in (stays, leaves))
        # What all users pay is split in one place between those here and those abroad, which may round otherwise.
        tolerance = 1e-12 * np.abs(stays.firms.sales).max() if column.unit.startswith("CNY") else 0.0
        assert np.allclose(one, other, rtol=0.0, atol=tolerance), name
    touched = {name.split(".")[0] for name in differing(stays, leaves)}
    assert touched <= {"firms", "counts", "balance", "record", "regulators", "classes", "lenders"}
    its_class = price_class(stays)[2]
    assert np.flatnonzero(stays.classes.quality_cost != leaves.classes.quality_cost).tolist() == [its_class]


def test_a_link_that_is_added_leaves_the_random_numbers_of_all_other_links():
    """Also where its supplier comes before those of its customer's other links, so that all later rows move."""
    given = random_network(3)
    added = SupplyNetwork.build(
        given.names,
        [*given.supplier, 0],
        [*given.customer, given.n_firms - 1],
        [*given.value_share, 1e-6],
        given.leader,
        given.final_demand,
        slot=[*given.slot, given.slot[given.customer == given.n_firms - 1].max(initial=-1) + 1],
    )
    plain, more = (StrongchainModel(network=source, rng=5, burn_in=0) for source in (given, added))
    row = {(a, b): k for k, (a, b) in enumerate(zip(more.links.supplier, more.links.customer, strict=True))}
    same = np.array([row[a, b] for a, b in zip(plain.links.supplier, plain.links.customer, strict=True)])
    assert more.links.n == plain.links.n + 1
    assert not np.array_equal(same, np.arange(same.size)), "no row moved"
    for decision, turns in (("relation ends", 0), ("candidate", 3)):
        assert np.array_equal(plain.draw_for_links(decision, turns=turns), more.draw_for_links(decision, turns=turns)[same])
        assert np.array_equal(plain.draw_for_links(decision, np.array([2, 0]), turns), plain.draw_for_links(decision, turns=turns)[[2, 0]])
    every = plain.draw_for_links("relation ends")
    assert np.unique(every).size == every.size, "two links share their luck"


def test_an_entrant_inherits_the_random_numbers_of_its_place():
    """Any firm in a place draws the same numbers there, and all others draw as they would have. (No other firm enters with it here.)"""
    stays, changes = world(9), world(9)
    notes = [kept_diary(model) for model in (stays, changes)]
    bankrupt(changes, 11)
    changes.run(12)
    stays.run(12 + changes.parameters.distress_months)
    assert changes.firms.entered[11] == changes.parameters.distress_months and stays.firms.entered[11] < 0
    shared = notes[0].keys() & notes[1].keys()
    months = {month for decision, month, _ in shared if decision == "problem arises"}
    assert months == set(range(1, stays.month + 1))
    assert all(same_draws(notes, address) for address in shared)
    entered = {decision for decision, month, _ in notes[1].keys() - notes[0].keys() if month == changes.firms.entered[11]}
    traits = {"capability of the firm", "capability of a kind", "absorptive capacity", "base defects"}
    assert entered == {*traits, "entrant knows the standing stations"}


def test_an_entrant_is_the_same_firm_under_every_policy():
    """Its traits depend on its place and the month only; another month brings another entrant."""
    plain, treated, later = world(8), world(8, instruments=POLICY), world(8)
    later.step()
    for model in (plain, treated, later):
        bankrupt(model, 11)
    for name in ("capability", "absorptive", "base_dpu"):
        born = [getattr(model.firms, name)[11] for model in (plain, treated, later)]
        assert np.array_equal(born[0], born[1]), name
        assert not np.array_equal(born[0], born[2]), name


def test_an_entrant_gets_as_much_of_a_draw_as_all_at_once():
    """Draws for some places alone are those of the whole column."""
    streams = world(8).streams
    assert np.array_equal(streams.uniform("base defects", 5, 40)[:30], streams.uniform("base defects", 5, 30))
    assert streams.uniform_at("base defects", 5, 29) == streams.uniform("base defects", 5, 30)[29]
    many = world(random_network(1, firms=1200, leaders=4))
    rows = np.array([3, 1100])  # few enough of so many to be drawn one by one
    for slots in (0, 4):
        assert np.array_equal(many.draw_for("base defects", many.firms, rows, slots), many.draw("base defects", many.firms, slots)[rows])


# -- the same again ----------------------------------------------------------------------------------


@WEATHER
@pytest.mark.parametrize("policy", [(), POLICY], ids=["no policy", "all instruments"])
def test_the_same_seed_gives_the_same_bits(policy, weather):
    settings = {"parameters": weather, "instruments": policy, "record": ("chain", "tier", "size"), "burn_in": 12}
    first, second = (StrongchainModel(rng=5, **settings) for _ in range(2))
    first.run(24)
    for _ in range(24):
        second.step()
        second.quality_map()  # observing the world uses no draw
        second.steady_state()
        second.balance_sheet()
        second.transaction_flow_matrix()
    assert differing(first, second) == []


def test_a_policy_is_a_set():
    """Instruments in another order give the same bits."""
    one, other = (world(6, eventful(), policy) for policy in (POLICY, POLICY[::-1]))
    for model in (one, other):
        everything_happens(model)
    assert differing(one, other) == []


def test_another_seed_gives_another_world(loop_network):
    one, other = (StrongchainModel(network=loop_network, rng=seed, burn_in=3) for seed in (1, 2))
    assert {"firms.capability", "firms.base_dpu"} <= set(differing(one, other))


def test_a_replicate_is_its_key_and_the_first_is_that_of_the_seed(loop_network):
    by_seed = StrongchainModel(network=loop_network, rng=3, burn_in=3)
    by_key = StrongchainModel(network=loop_network, rng=99, key=replicate_keys(3, 5)[0], burn_in=3)
    for model in (by_seed, by_key):
        model.run(6)
    assert differing(by_seed, by_key) == []
