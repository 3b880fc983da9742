"""Common random numbers: who draws more, comes, goes or is added shifts nobody else's luck."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from agents.streams import Streams, replicate_keys
from sim import ChiefQualityOfficer, OneStopStations, StrongchainModel, SupplyNetwork
from tests.worlds import differing, network, parameters, random_network, world

POLICY = (ChiefQualityOfficer(), OneStopStations(per_1000_firms=100.0, start=3))


class Placebo:
    """A programme that draws every month, in bulk and singly, and does nothing else."""

    def __init__(self, decision: str = "placebo") -> None:
        self.decision = decision
        self.drawn = 0

    def deliver(self, world) -> None:
        self.drawn += world.draw(self.decision, world.firms, 4).size
        self.drawn += world.streams.uniform_at(self.decision, world.month, world.firms.n + 5).size
        world.random.random(), world.rng.random()  # Mesa's own generators are nobody's luck either

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


def kept_diary(model: StrongchainModel) -> dict[tuple[str, int, int], list[np.ndarray]]:
    """Make a model note its draws."""
    model.streams = Diary(model.streams)
    return model.streams.notes


def with_a_hermit() -> SupplyNetwork:
    """Two leaders with suppliers on one chain; a third, in row 2, alone on another."""
    links = {("s", "A"): 0.4, ("t", "A"): 0.2, ("t", "B"): 0.3, ("u", "s"): 0.3, ("s", "u"): 0.1}
    return network(links, {"A": 2e6, "B": 1e6, "C": 3e6}, chain=[0, 0, 1, 0, 0, 0], chains=["all", "hermit's"])


# -- placebos ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [(), POLICY], ids=["no policy", "both instruments"])
def test_a_placebo_that_draws_changes_no_bit(policy):
    """Not even with the name of a decision that the model makes."""
    plain = world(3, instruments=policy)
    treated = [world(3, instruments=policy) for _ in range(2)]
    for model, placebo in zip(treated, (Placebo(), Placebo("problem arises")), strict=True):
        model.programmes = {"placebo": placebo, **model.programmes, "again": placebo}
        model.run(24)
        assert placebo.drawn > 0
    plain.run(24)
    assert [differing(plain, model) for model in treated] == [[], []]


def test_another_name_of_a_decision_changes_its_luck_alone():
    """Which products are sampled shows in the sampling and in nothing else."""
    plain, renamed = (world(random_network(4, firms=60), parameters(random_samples=20)) for _ in range(2))
    renamed.streams.rename["product sampled"] = "product sampled otherwise"
    for model in (plain, renamed):
        model.run(24)
    touched = set(differing(plain, renamed))
    assert "firms.sampled" in touched
    assert touched <= {"firms.sampled", "firms.failed", "regulators.sampled", "regulators.failed", "record"}

    def series(model):
        return {key: model.record.series(key).tobytes() for key in model.record.outcomes}

    changed = {key for key in series(plain) if series(plain)[key] != series(renamed)[key]}
    assert changed == {"pass_rate"}


def test_another_name_of_a_decision_that_was_made_changes_nothing():
    """What is drawn once, at the start, is not drawn again."""
    plain, late = world(4), world(4)
    late.streams.rename["absorptive capacity"] = "absorptive capacity otherwise"
    for model in (plain, late):
        model.run(6)
    assert differing(plain, late) == []


# -- more stations -----------------------------------------------------------------------------------


def test_stations_that_nobody_can_use_change_no_firm():
    plain, more = world(5), world(5)
    more.stations.grow(7)  # of capacity 0
    for model in (plain, more):
        model.run(24)
    assert more.stations.queue[-7:].sum() == 0
    assert all(name.startswith("stations.") for name in differing(plain, more))
    kept = slice(0, plain.stations.n)
    assert all(np.array_equal(getattr(plain.stations, name), getattr(more.stations, name)[kept]) for name in plain.stations.columns)


def test_a_policy_shifts_nobodys_luck():
    """Whatever both worlds draw, they draw alike; the policy only adds decisions of its own."""
    plain, treated = world(6), world(6, instruments=POLICY)
    notes = [kept_diary(model) for model in (plain, treated)]
    for model in (plain, treated):
        model.run(24)
    assert differing(plain, treated) != []
    shared = notes[0].keys() & notes[1].keys()
    assert {decision for decision, _, _ in shared} >= {"problem arises", "problem solved", "product renewal", "case solved"}
    assert all(np.array_equal(notes[0][address][0], notes[1][address][0]) for address in shared)


# -- entry and exit ----------------------------------------------------------------------------------


def test_a_firm_that_leaves_changes_no_draw_of_the_others():
    stays, leaves = world(7), world(7)
    notes = [kept_diary(model) for model in (stays, leaves)]
    leaves.leave("firms", 11)
    for model in (stays, leaves):
        model.run(12)
    shared = notes[0].keys() & notes[1].keys()
    assert len(shared) > 100
    assert all(np.array_equal(notes[0][address][0], notes[1][address][0]) for address in shared)


def test_a_firm_without_relations_leaves_no_trace_on_the_others():
    """Alone on its chain, without a link or a station in common."""
    stays, leaves = (world(with_a_hermit()) for _ in range(2))
    for model in (stays, leaves):
        for row in range(model.stations.n):
            model.leave("stations", row)
    leaves.leave("firms", 2)
    for model in (stays, leaves):
        model.run(24)
    others = np.arange(stays.firms.n) != 2
    for name in stays.firms.columns:
        assert np.array_equal(getattr(stays.firms, name)[others], getattr(leaves.firms, name)[others]), name
    assert {name.split(".")[0] for name in differing(stays, leaves)} <= {"firms", "counts", "balance", "record", "regulators"}


def test_an_entrant_inherits_the_luck_of_its_place():
    streams = world(8).streams
    assert np.array_equal(streams.uniform("problem arises", 5, 40)[:30], streams.uniform("problem arises", 5, 30))
    assert streams.uniform_at("problem arises", 5, 29) == streams.uniform("problem arises", 5, 30)[29]


# -- the same again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [(), POLICY], ids=["no policy", "both instruments"])
def test_the_same_seed_gives_the_same_bits(policy):
    first, second = (StrongchainModel(rng=5, instruments=policy, record=("chain", "tier", "size")) for _ in range(2))
    first.run(24)
    for _ in range(24):
        second.step()
        second.quality_map()  # looking at the world uses up no luck
        second.steady_state()
    assert differing(first, second) == []


def test_another_seed_gives_another_world(loop_network):
    one, other = (StrongchainModel(network=loop_network, rng=seed, burn_in=3) for seed in (1, 2))
    assert {"firms.capability", "firms.base_dpu"} <= set(differing(one, other))


def test_a_replicate_is_its_key_and_the_first_is_that_of_the_seed(loop_network):
    by_seed = StrongchainModel(network=loop_network, rng=3, burn_in=3)
    by_key = StrongchainModel(network=loop_network, rng=99, key=replicate_keys(3, 5)[0], burn_in=3)
    for model in (by_seed, by_key):
        model.run(6)
    assert differing(by_seed, by_key) == []
