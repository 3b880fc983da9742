"""The model is a Mesa model: agents on demand behave as Mesa's own, and cost nothing without observation."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
import weakref
from typing import ClassVar

import mesa
import numpy as np
import pytest

from agents import ChainHead, ChainLeader, Column, Firm, Lender, MemberFirm, Population, QIStation, Regulator, Row
from sim import ChiefQualityOfficer, OneStopStations, StrongchainModel
from sim.instruments import StrongChainLoans
from sim.invariants import check_invariants
from tests.support.worlds import differing, eventful, random_network, world

#: A column that differs between rows, and a value it can be set to, by class of agents.
COLUMN = {
    ChainLeader: ("orders", 7.0),
    MemberFirm: ("capability", 0.25),
    QIStation: ("capacity", 3.0),
    ChainHead: ("awards", 2.0),
    Lender: ("rate", 0.05),
    Regulator: ("sampled", 11),
}
COPIES = {"pickle": lambda model: pickle.loads(pickle.dumps(model)), "deepcopy": copy.deepcopy}


class Workshop(MemberFirm):
    """A researcher's member firm: one more property, and state of its own."""

    mood: float = 0.0

    @property
    def problems(self) -> int:
        return int(self.open_problems.sum())

    def cheer(self, by: float = 1.0) -> None:
        self.mood += by


class WorkshopModel(StrongchainModel):
    """A researcher's model in which every firm is a workshop."""

    kinds: ClassVar = {**StrongchainModel.kinds, "firms": lambda firms: [Workshop] * firms.n}


@pytest.fixture(scope="module")
def model() -> StrongchainModel:
    """A model of the sample region after some months; tests only read it."""
    made = StrongchainModel(rng=1, burn_in=3)
    made.run(6)
    return made


def views(model: StrongchainModel) -> list[Row]:
    """The agent objects of a model that are alive in memory."""
    gc.collect()
    return [thing for thing in gc.get_objects() if issubclass(type(thing), Row) and thing.__dict__.get("model") is model]


def column_of(model: StrongchainModel, agents, name: str) -> np.ndarray:
    """Entries of a column at the rows of some agents of one population."""
    return getattr(getattr(model, agents[0].population), name)[[agent.row for agent in agents]]


# -- Mesa's idioms ---------------------------------------------------------------------------------


def test_the_model_has_every_kind_of_agent(model):
    assert set(model.agent_types) == set(model.agents_by_type) == set(COLUMN)
    assert len(model.agents) == sum(len(agents) for agents in model.agents_by_type.values())
    assert len(model.agents_by_type[ChainLeader]) + len(model.agents_by_type[MemberFirm]) == model.firms.n
    assert {cls.population for cls in COLUMN} == set(model.kinds)


@pytest.mark.parametrize("cls", COLUMN, ids=lambda cls: cls.__name__)
def test_get_map_and_agg_read_the_column(model, cls):
    name, _ = COLUMN[cls]
    agents = model.agents_by_type[cls]
    expected = column_of(model, agents, name)
    assert np.array_equal(agents.get(name), expected)
    assert np.array_equal(agents.map(lambda agent: getattr(agent, name)), expected)
    assert agents.agg(name, np.sum) == pytest.approx(expected.sum() if expected.ndim == 1 else expected.sum(axis=None))
    assert agents.get([name, "row"])[0][1] == agents[0].row
    assert agents.get("no_such", handle_missing="default", default_value=None) == [None] * len(agents)


@pytest.mark.parametrize("cls", COLUMN, ids=lambda cls: cls.__name__)
def test_set_writes_the_column_at_the_agents_alone(sample_model, cls):
    name, value = COLUMN[cls]
    agents = sample_model.agents_by_type[cls]
    column = getattr(getattr(sample_model, cls.population), name)
    others = np.ones(len(column), dtype=bool)
    others[agents.get("row")] = False
    before = column[others].copy()
    assert agents.set(name, value) is agents
    assert (column_of(sample_model, agents, name) == value).all()
    assert np.array_equal(column[others], before)


@pytest.mark.parametrize("cls", COLUMN, ids=lambda cls: cls.__name__)
def test_do_and_shuffle_do_visit_each_agent_once(model, cls):
    agents = model.agents_by_type[cls]
    in_order, shuffled = [], []
    assert agents.do(lambda agent: in_order.append(agent.row)) is agents
    agents.shuffle_do(lambda agent: shuffled.append(agent.row))
    assert in_order == sorted(in_order) == sorted(shuffled) == agents.get("row")
    agents.do("step")  # Mesa's own method, which does nothing here
    agents.shuffle_do("step")


@pytest.mark.parametrize("cls", COLUMN, ids=lambda cls: cls.__name__)
def test_select_sort_and_groupby(model, cls):
    agents = model.agents_by_type[cls]
    assert agents.select(lambda agent: agent.row == agents[0].row).get("row") == [agents[0].row]
    assert len(agents.select(at_most=1)) == 1
    assert agents.sort("row", ascending=False).get("row") == sorted(agents.get("row"), reverse=True)
    parity = agents.groupby(lambda agent: agent.row % 2)
    assert sum(parity.count().values()) == sum(parity.map(len).values()) == len(agents)
    assert set(agents.groupby("alive").count()) == {True}


def test_all_agents_at_once_and_base_classes(model):
    assert model.agents.select(agent_type=Firm).get("row") == list(range(model.firms.n))
    assert model.agents.groupby("population").count() == {kind: getattr(model, kind).n for kind in model.kinds}
    assert model.agents.agg("unique_id", max) == len(model.agents)
    by_tier = model.agents.select(agent_type=Firm).groupby("tier")
    assert by_tier.count() == dict(zip(*(part.tolist() for part in np.unique(model.firms.tier, return_counts=True)), strict=True))


def test_how_an_agent_describes_itself(loop_model):
    """Properties and methods of the classes rest on the network and the columns."""
    firm = {agent.name: agent for agent in loop_model.agents.select(agent_type=Firm)}
    assert list(firm) == list("ABcdefgh")
    assert [firm[name].row for name in "cd"] == firm["A"].suppliers
    assert {"ABcdefgh"[row] for row in firm["c"].customers} == {"A", "g"}
    far = firm["h"]
    assert far.size in ("small", "medium", "large")
    assert far.copq == pytest.approx(far.internal_failure + far.external_failure + far.charged - far.recovered)
    heads = loop_model.agents_by_type[ChainHead]
    assert sum(sum(counts.values()) for counts in heads.map("problem_list")) == (
        loop_model.firms.open_problems.sum() + loop_model.firms.common_problems.sum()
    )
    assert all(0.0 < share <= 1.0 for _, share in heads[0].weak_links(3))
    (regulator,) = loop_model.agents_by_type[Regulator]
    assert 0.0 <= regulator.pass_rate <= 1.0
    assert all(wait >= 0.0 for wait in loop_model.agents_by_type[QIStation].get("mean_wait"))


def test_unique_ids_are_unique_and_start_at_one_in_every_model(loop_network):
    for _ in range(2):
        model = StrongchainModel(network=loop_network, rng=1, burn_in=0)
        assert sorted(model.agents.get("unique_id")) == list(range(1, len(model.agents) + 1))


def test_agents_cannot_be_replaced_wholesale(model):
    with pytest.raises(AttributeError, match="Mesa's own"):
        model.agents = []


# -- data collection -------------------------------------------------------------------------------


def test_data_collector_follows_the_model_and_its_agents(sample_model):
    collector = mesa.DataCollector(
        model_reporters={"dpu": "field_dpu", "steady": sample_model.steady_state, "alive": lambda model: int(model.firms.alive.sum())},
        agent_reporters={"kind": "population", "name": lambda agent: getattr(agent, "name", None)},
        agenttype_reporters={Firm: {"orders": "orders", "skills": "capability"}, QIStation: {"queue": "queue"}},
    )
    skills, row = [], 20
    for _ in range(3):
        sample_model.step()
        collector.collect(sample_model)
        skills.append(sample_model.firms.capability[row].copy())
        sample_model.firms.capability[:] *= 0.9
    totals = collector.get_model_vars_dataframe()
    assert totals["dpu"].tolist() == sample_model.record.series("field_dpu").tolist()
    assert totals["steady"][2].shape == (sample_model.firms.n,)
    agents = collector.get_agent_vars_dataframe()
    assert len(agents) == 3 * len(sample_model.agents) and set(agents["kind"]) == set(sample_model.kinds)
    firms = collector.get_agenttype_vars_dataframe(Firm)
    assert len(firms) == 3 * sample_model.firms.n
    watched = next(agent for agent in sample_model.agents.select(agent_type=Firm) if agent.row == row)
    history = firms.xs(watched.unique_id, level="AgentID")["skills"].tolist()
    assert np.array_equal(history, skills)  # each month as it was then


def test_data_collector_of_totals_builds_no_agent(sample_model):
    collector = mesa.DataCollector(model_reporters={"dpu": "field_dpu", "steady": sample_model.steady_state})
    sample_model.step()
    collector.collect(sample_model)
    assert not sample_model.agents_built


# -- observation costs nothing unless it is used, and changes nothing ---------------------------------


@pytest.mark.study
def test_a_run_without_observation_builds_no_agent():
    model = StrongchainModel(rng=1, burn_in=3, instruments=[OneStopStations(per_1000_firms=20.0, length=2)])
    model.run(4)
    model.leave("firms", 17)
    model.quality_map()
    assert model.agents_built is False
    assert views(model) == []
    assert len(model.agents) == len(views(model))
    assert model.agents_built is True


def test_observation_changes_no_bit(loop_network):
    blind, seen = (StrongchainModel(network=loop_network, rng=1, burn_in=3) for _ in range(2))
    for _ in range(6):
        blind.step()
        seen.agents.shuffle_do("step")
        seen.step()
    assert differing(blind, seen) == []


def test_two_models_at_once_are_independent(loop_network):
    def model_of(seed: int) -> StrongchainModel:
        return StrongchainModel(network=loop_network, rng=seed, burn_in=3)

    alone = model_of(1)
    alone.run(6)
    first, second = model_of(1), model_of(2)
    for _ in range(6):
        first.step()
        second.step()
        second.agents.set("pos", (0, 0))
    second.agents_by_type[MemberFirm].set("capability", 0.0)
    assert differing(alone, first) == []
    assert first.agents_built is False


@pytest.mark.parametrize("look", [False, True], ids=["unseen", "seen"])
def test_a_model_is_freed_after_use(look):
    model = StrongchainModel(rng=1, burn_in=0)
    if look:
        model.agents_by_type[MemberFirm].do("step")
        copy.deepcopy(model).step()
    model.step()
    gone = [weakref.ref(model), weakref.ref(model.firms)]
    del model
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_no_warning_from_mesa_or_numpy():
    """On every Mesa that we allow: looking, collecting, removing, copying."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = StrongchainModel(rng=1, burn_in=1)
        collector = mesa.DataCollector(model_reporters={"dpu": "field_dpu"}, agent_reporters={"alive": "alive"})
        for _ in range(2):
            model.step()
            collector.collect(model)
        model.agents.shuffle_do("step")
        model.agents_by_type[MemberFirm][0].remove()
        for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            copied.step()
        model.remove_all_agents()


# -- live views ------------------------------------------------------------------------------------


def test_agent_and_column_are_one(loop_model):
    """What is written through the agent is in the column, and the other way round."""
    firm = next(iter(loop_model.agents_by_type[MemberFirm]))
    firm.orders = 12.5
    assert loop_model.firms.orders[firm.row] == 12.5
    loop_model.firms.orders = 3.0
    assert firm.orders == 3.0 and isinstance(firm.orders, float)
    firm.cqo = True
    assert loop_model.firms.cqo[firm.row] and firm.cqo is True
    firm.capability = [0.1, 0.2, 0.3, 0.4]
    assert loop_model.firms.capability[firm.row].tolist() == [0.1, 0.2, 0.3, 0.4]
    loop_model.firms.capability[firm.row, 2] = 0.9
    assert firm.capability.tolist() == [0.1, 0.2, 0.9, 0.4]


def test_entries_that_were_read_stay_and_refuse_to_be_written_into(loop_model):
    """No agent's history changes afterwards, and no write is lost silently."""
    firm = next(iter(loop_model.agents_by_type[MemberFirm]))
    read = firm.capability
    before = read.copy()
    loop_model.firms.capability[firm.row] = 0.0
    assert np.array_equal(read, before)
    with pytest.raises(ValueError, match="read-only"):
        firm.capability[2] = 0.5
    firm.capability = firm.capability + 0.5
    assert (loop_model.firms.capability[firm.row] == 0.5).all()


def test_per_agent_research_code_changes_the_columns(loop_model):
    members = loop_model.agents_by_type[MemberFirm]
    leaders = loop_model.firms.absorptive[loop_model.firms.is_leader].copy()

    def train(firm: MemberFirm, by: float) -> None:
        firm.absorptive = min(1.0, firm.absorptive + by)

    expected = np.minimum(1.0, loop_model.firms.absorptive[~loop_model.firms.is_leader] + 0.2)
    members.do(train, 0.2)
    assert np.array_equal(loop_model.firms.absorptive[~loop_model.firms.is_leader], expected)
    assert np.array_equal(loop_model.firms.absorptive[loop_model.firms.is_leader], leaders)


def test_per_agent_code_in_a_programme_equals_the_same_on_columns(loop_network):
    class Own:
        def give_up(self, world, rows, lost):
            """Nothing is owed to firms that give up."""

    class ByAgent(Own):
        def deliver(self, world):
            world.agents_by_type[MemberFirm].do(lambda firm: setattr(firm, "absorptive", 0.9 * firm.absorptive))

    class ByColumn(Own):
        def deliver(self, world):
            world.firms.absorptive = np.where(world.firms.is_leader, 1.0, 0.9) * world.firms.absorptive

    models = [StrongchainModel(network=loop_network, rng=1, burn_in=3) for _ in range(2)]
    for model, programme in zip(models, (ByAgent(), ByColumn()), strict=True):
        model.programmes["own"] = programme
        model.run(4)
    assert differing(*models) == []


def test_a_subclass_of_a_researcher(loop_network):
    model = WorkshopModel(network=loop_network, rng=1, burn_in=3)
    shops = model.agents_by_type[Workshop]
    assert len(shops) == loop_network.n_firms
    assert shops.get("problems") == model.firms.open_problems.sum(axis=1).tolist()
    shops.do("cheer", by=2.0)
    shops[0].mood = 5.0
    assert shops.get("mood") == [5.0] + [2.0] * (len(shops) - 1)
    with pytest.raises(AttributeError, match="mod"):
        shops[0].mod = 1.0
    copied = pickle.loads(pickle.dumps(model))
    assert copied.agents_by_type[Workshop].get("mood") == shops.get("mood")


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "right"), [("ordres", "orders"), ("capabilty", "capability"), ("open_problem", "open_problems")])
def test_a_typo_is_refused_with_the_nearest_name(loop_model, wrong, right):
    firm = next(iter(loop_model.agents_by_type[MemberFirm]))
    for thing in (firm, loop_model.firms):
        with pytest.raises(AttributeError, match=f"no .*'{wrong}'; did you mean '{right}'"):
            setattr(thing, wrong, 1.0)
        with pytest.raises(AttributeError, match=f"no .*'{wrong}'; did you mean '{right}'"):
            getattr(thing, wrong)
    with pytest.raises(AttributeError, match=f"did you mean '{right}'"):
        loop_model.agents_by_type[MemberFirm].set(wrong, 1.0)


def test_an_agent_cannot_be_killed_by_assignment(loop_model):
    """The model would not settle what it leaves behind."""
    with pytest.raises(AttributeError, match=r"agent\.remove\(\)"):
        loop_model.agents_by_type[MemberFirm].set("alive", False)
    assert loop_model.firms.alive.all()


def test_a_computed_property_cannot_be_assigned(loop_model):
    with pytest.raises(AttributeError):
        next(iter(loop_model.agents_by_type[MemberFirm])).copq = 0.0


def test_a_researchers_own_column(loop_model):
    """It works on agents that were built before it, is copied with the model and grows with the population."""
    agents = loop_model.agents_by_type[QIStation]
    loop_model.stations.add_column("morale", Column("float64", "1", "how the staff feels", start=0.5))
    loop_model.stations.add_column("shifts", Column("int64", "h", "hours by kind", width=4, start=8))
    assert agents.get("morale") == [0.5, 0.5] and agents[0].shifts.tolist() == [8] * 4
    agents[1].morale = 0.75
    assert loop_model.stations.morale.tolist() == [0.5, 0.75]
    loop_model.step()
    copied = pickle.loads(pickle.dumps(loop_model))
    copied.stations.grow(1)
    assert copied.stations.morale.tolist() == [0.5, 0.75, 0.5] and copied.stations.shifts.shape == (3, 4)


@pytest.mark.parametrize("taken", ["capacity", "alive", "grow", "n", "kind", "row", "model", "unique_id", "remove", "random"])
def test_a_user_defined_column_must_not_hide_another_name(loop_model, taken):
    with pytest.raises(ValueError, match=f"already have '{taken}'"):
        loop_model.stations.add_column(taken, Column("float64", "1", "a name that is taken"))


# -- populations that grow ---------------------------------------------------------------------------


def test_grow_appends_fresh_rows_and_keeps_the_others():
    things = Population("things", {"size": Column("float64", "1", "a size", start=2.0), "marks": Column("int32", "1", "marks", width=3)}, 2)
    things.size[:] = [5.0, 6.0]
    things.marks[1] = 9
    assert things.grow(2).tolist() == [2, 3]
    assert (things.n, len(things)) == (4, 4)
    assert things.size.tolist() == [5.0, 6.0, 2.0, 2.0]
    assert things.marks.tolist() == [[0] * 3, [9] * 3, [0] * 3, [0] * 3]
    assert things.alive.all() and things.marks.dtype == np.int32


def test_added_rows_appear_as_agents_and_old_views_stay_live(loop_model):
    old = loop_model.agents_by_type[QIStation][0]
    rows = loop_model.stations.grow(2)
    loop_model.appear("stations", rows)
    assert loop_model.agents_by_type[QIStation].get("row") == [0, 1, *rows.tolist()]
    old.capacity = 99.0
    assert loop_model.stations.capacity.tolist() == [99.0, 0.25, 0.0, 0.0]
    assert len(set(loop_model.agents.get("unique_id"))) == len(loop_model.agents)


# -- copies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [False, True], ids=["unseen", "seen"])
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_a_copy_goes_on_to_the_same_bits_and_leaves_the_original_alone(loop_network, copied, look):
    model = StrongchainModel(network=loop_network, rng=1, burn_in=3, instruments=[OneStopStations(per_1000_firms=100.0, start=4)])
    model.run(2)
    if look:
        assert len(model.agents)
    untouched, other = copied(model), copied(model)
    assert other.agents_built is look
    other.run(5)
    assert (other.month, other.steps) == (7, 7)
    assert differing(model, untouched) == [] and model.month == 2
    model.run(5)
    assert differing(model, other) == []


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_agents_of_a_copy_are_views_of_the_copy(loop_model, copied):
    before = len(loop_model.agents)
    other = copied(loop_model)
    assert len(other.agents) == before and set(other.agents_by_type) == set(loop_model.agents_by_type)
    for agent in other.agents:
        assert agent.model is other and agent._rows is getattr(other, agent.population)
    kept = loop_model.firms.orders.copy()
    other.agents.select(agent_type=Firm).set("orders", -1.0)
    assert (other.firms.orders == -1.0).all() and np.array_equal(loop_model.firms.orders, kept)
    other.agents_by_type[MemberFirm][0].remove()
    assert (len(other.agents), len(loop_model.agents)) == (before - 1, before)
    assert loop_model.firms.alive.all()


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_ids_stay_unique_when_a_copy_gains_agents(loop_model, copied):
    assert len(loop_model.agents)
    other = copied(loop_model)
    other.appear("stations", other.stations.grow(3))
    ids = other.agents.get("unique_id")
    assert len(set(ids)) == len(ids)


# -- entry and exit --------------------------------------------------------------------------------


def bankrupt(model: StrongchainModel, row: int) -> None:
    """Let a member lose more than it can ever bear, and run until it gives up."""
    model.firms.cash[row] -= 1e12
    model.books.pay("members", "outside", "a catastrophe", 1e12)
    model.run(model.parameters.distress_months)
    assert model.firms.exited[row]


def test_an_entrant_is_another_agent_in_the_place(loop_model):
    """The agent of the firm that gave up is gone, and changes to it affect no other."""
    old = next(agent for agent in loop_model.agents_by_type[MemberFirm] if agent.row == 5)
    others = [agent for agent in loop_model.agents if agent is not old]
    bankrupt(loop_model, 5)
    new = next(agent for agent in loop_model.agents_by_type[MemberFirm] if agent.row == 5)
    assert new is not old and type(new) is type(old)
    assert new.unique_id > max(agent.unique_id for agent in others)
    assert old not in loop_model.agents and old not in loop_model.agents_by_type[MemberFirm]
    assert len(loop_model.agents) == len(others) + 1 and all(agent in loop_model.agents for agent in others)
    old.remove()
    assert new in loop_model.agents and new.alive
    assert new.entered == loop_model.month and new.exited and new.distress == 0 and not new.cqo
    loop_model.run(12)  # checked month by month
    new.remove()
    assert not loop_model.firms.alive[5] and new not in loop_model.agents


def test_entrants_without_observation_build_no_agents(loop_network):
    model = StrongchainModel(network=loop_network, rng=1, burn_in=3)
    bankrupt(model, 5)
    assert not model.agents_built and views(model) == []
    assert sorted(agent.row for agent in model.agents.select(agent_type=Firm)) == list(range(model.firms.n))


def test_observation_changes_no_bit_where_firms_come_and_go():
    """An observer sees one agent per place, with an id that no other agent ever had."""
    blind, seen = (world(random_network(3, firms=40), eventful(), burn_in=1) for _ in range(2))
    ids = dict(zip(*(seen.agents.select(agent_type=Firm).get(name) for name in ("unique_id", "row")), strict=True))
    exits = 0
    for _ in range(24):
        blind.step()
        seen.agents.shuffle_do("step")
        seen.step()
        exits += int(seen.firms.exited.sum())
        firms = seen.agents.select(agent_type=Firm)
        assert sorted(firms.get("row")) == list(range(40))
        for agent in firms:
            assert ids.setdefault(agent.unique_id, agent.row) == agent.row
    assert len(ids) == 40 + exits
    assert exits > 5
    assert differing(blind, seen) == []


def test_data_collector_distinguishes_entrants_from_their_predecessors(loop_model):
    collector = mesa.DataCollector(agenttype_reporters={MemberFirm: {"row": "row", "cash": "cash", "entered": "entered"}})
    collector.collect(loop_model)
    bankrupt(loop_model, 5)
    collector.collect(loop_model)
    members = collector.get_agenttype_vars_dataframe(MemberFirm).reset_index()
    place = members[members["row"] == 5]
    assert place["AgentID"].nunique() == 2
    assert place["entered"].tolist() == [-1_000_000, loop_model.month]
    assert members.groupby("Step")["row"].nunique().tolist() == [6, 6]


def test_agents_know_their_new_relations():
    model = world(random_network(3, firms=40), eventful(), burn_in=1)
    agents = {agent.row: agent for agent in model.agents.select(agent_type=Firm)}
    before = {row: agent.suppliers for row, agent in agents.items()}
    model.run(12)
    agents = {agent.row: agent for agent in model.agents.select(agent_type=Firm)}
    assert any(agents[row].suppliers != suppliers for row, suppliers in before.items())
    links = model.links
    for row, agent in agents.items():
        assert sorted(agent.suppliers) == sorted(links.supplier[links.customer == row].tolist())
        assert sorted(agent.customers) == sorted(links.customer[links.supplier == row].tolist())


def test_how_lender_and_regulator_describe_themselves():
    model = world(random_network(3, firms=40), eventful(targeted_samples=1_000.0), burn_in=1)
    model.run(24)
    ((lender,), (regulator,)) = (model.agents_by_type[cls] for cls in (Lender, Regulator))
    assert lender.loss_rate == pytest.approx(model.lenders.written_off.sum() / model.lenders.granted.sum())
    assert 0.0 < lender.loss_rate < 1.0
    assert 0.0 < regulator.targeted_fail_rate <= 1.0
    assert regulator.recalls > 0


@pytest.mark.parametrize("look", [False, True], ids=["unseen", "seen"])
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_a_copy_goes_on_to_the_same_bits_where_firms_come_and_go(copied, look):
    policy = (ChiefQualityOfficer(pay_subsidy=0.2), OneStopStations(per_1000_firms=50.0), StrongChainLoans(score_least=0.0))
    model = world(random_network(3, firms=40), eventful(), policy, burn_in=1)
    model.run(6)
    assert not look or len(model.agents)
    other = copied(model)
    for each in (model, other):
        each.run(12)
    assert (model.firms.entered > 6).any() and model.counts["suppliers replaced"]
    assert differing(model, other) == []
    assert other.agents_built is look


# -- leaving ---------------------------------------------------------------------------------------


def test_a_firm_that_is_removed_leaves_a_settled_world(loop_model):
    firms, links = loop_model.firms, loop_model.links
    waiting = np.flatnonzero((firms.case_station >= 0).any(axis=1))
    firm = next(agent for agent in loop_model.agents if agent.population == "firms" and agent.row == waiting[0])
    cases = int((firms.case_station[firm.row] >= 0).sum())
    withdrawn = loop_model.counts["cases withdrawn"]
    firm.remove()
    assert firm not in loop_model.agents and firm not in loop_model.agents_by_type[type(firm)]
    assert not firm.alive
    of_firm = (links.supplier == firm.row) | (links.customer == firm.row)
    assert of_firm.any() and (links.value_share[of_firm] == 0.0).all() and (links.value_share[~of_firm] > 0.0).all()
    assert loop_model.counts["cases withdrawn"] == withdrawn + cases
    assert firm.open_problems.sum() == firm.common_problems.sum() == 0
    check_invariants(loop_model)
    loop_model.run(12)  # checked month by month
    assert firm.output == firm.orders == 0.0 and not firm.sampled


def test_a_station_that_is_removed_sends_its_queue_home(loop_model):
    station = max(loop_model.agents_by_type[QIStation], key=lambda agent: agent.queue)
    queue, withdrawn = station.queue, station.withdrawn
    assert queue > 0
    station.remove()
    assert station.queue == 0 and station.withdrawn == withdrawn + queue
    assert not (loop_model.firms.case_station == station.row).any()
    check_invariants(loop_model)
    served = station.served
    loop_model.run(12)
    assert station.served == served and station.queue == 0


@pytest.mark.parametrize("cls", COLUMN, ids=lambda cls: cls.__name__)
def test_any_agent_can_leave_and_the_months_go_on(loop_model, cls):
    agent = loop_model.agents_by_type[cls][0]
    number = len(loop_model.agents)
    agent.remove()
    agent.remove()  # a second time changes nothing
    assert len(loop_model.agents) == number - 1
    assert not getattr(loop_model, cls.population).alive[agent.row]
    loop_model.run(3)


def test_all_firms_can_leave_one_after_another(loop_model):
    for firm in loop_model.agents.select(agent_type=Firm).shuffle():
        firm.remove()
        loop_model.step()
    assert not loop_model.firms.alive.any()
    assert not loop_model.agents.select(agent_type=Firm)


def test_an_agent_that_the_model_removes_is_gone_for_observers(loop_model):
    loop_model.leave("firms", 3)  # before any observation
    assert 3 not in loop_model.agents.select(agent_type=Firm).get("row")
    loop_model.leave("firms", 4)  # after
    assert sorted(loop_model.agents.select(agent_type=Firm).get("row")) == [0, 1, 2, 5, 6, 7]
    assert len(loop_model.agents) == sum(len(agents) for agents in loop_model.agents_by_type.values())


def test_removal_is_the_same_with_and_without_observation(loop_model):
    unseen = copy.deepcopy(loop_model)
    unseen.leave("firms", 5)
    next(agent for agent in loop_model.agents_by_type[MemberFirm] if agent.row == 5).remove()
    for model in (unseen, loop_model):
        model.run(6)
    assert differing(unseen, loop_model) == []


@pytest.mark.parametrize("look", [False, True], ids=["unseen", "seen"])
def test_remove_all_agents_empties_the_world(loop_model, look):
    assert not look or len(loop_model.agents)
    loop_model.remove_all_agents()
    assert len(loop_model.agents) == 0
    assert not loop_model.firms.alive.any() and not loop_model.stations.alive.any()
