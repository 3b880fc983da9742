"""Instruments: the contract that all of them keep, and the mechanism of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from sim.instruments import (
    INSTRUMENTS,
    TARGETING,
    Assessment,
    ChiefQualityOfficer,
    Instrument,
    OneStopStations,
    Programme,
    StrongChainLoans,
    Theme,
    instrument,
)
from sim.month.problems import solving_hazard
from sim.month.services import perceived_value, serve_cases
from sim.parameters import ParameterError, parameter
from tests.support.contract import (
    CHECKS,
    OF_DELIVERY,
    OF_INSTRUMENT,
    check_doses_shown_rise_and_hold_the_default,
    check_firms_that_give_up_are_let_go,
    check_instrument,
    check_it_does_something,
    check_its_labels_are_written,
    check_what_its_effect_hinges_on_is_a_setting,
    failures,
)
from tests.support.worlds import differing, eventful, line, parameters, random_network, region, world

CHINESE = re.compile("[\u4e00-\u9fff]")

# -- the contract ----------------------------------------------------------------------------------


def unregistered(cls, dose="reach"):
    """Give an instrument what `instrument` gives it, without entering it among those of the package."""
    cls = instrument("trial", dose=dose)(cls)
    del INSTRUMENTS["trial"]
    return cls


@dataclass(frozen=True, kw_only=True)
class Sound(Instrument):
    """Raises standards (试点); an assumption."""

    step: float = parameter(0.1, 0.0, 1.0, "share", "assumption", "N", "of what is missing")

    def apply(self, world, month, chosen):
        world.firms.capability[chosen, 2] += self.step * (1.0 - world.firms.capability[chosen, 2])


def checked(check):
    return check.__name__.removeprefix("check_")


@pytest.mark.study
@pytest.mark.parametrize("check", OF_INSTRUMENT, ids=checked)
@pytest.mark.parametrize("cls", INSTRUMENTS.values(), ids=INSTRUMENTS.keys())
def test_contract(cls, check):
    check(cls)


@pytest.mark.full
@pytest.mark.parametrize("check", OF_DELIVERY, ids=checked)
@pytest.mark.parametrize("cls", INSTRUMENTS.values(), ids=INSTRUMENTS.keys())
def test_contract_on_delivery(cls, check):
    """In the fast tests the correct instrument below represents all of them."""
    check(cls)


@pytest.mark.study
@pytest.mark.parametrize("check", CHECKS, ids=checked)
def test_a_correct_instrument_passes_the_contract(check):
    check(unregistered(Sound))


@dataclass(frozen=True, kw_only=True)
class Undocumented(Sound):
    pass


@dataclass(frozen=True, kw_only=True)
class Undeclared(Sound):
    """Raises standards (试点); an assumption."""

    strength: float = field(default=1.0)


@dataclass(frozen=True, kw_only=True)
class Idle(Sound):
    """Does nothing (试点); an assumption."""

    def apply(self, world, month, chosen):
        pass


@dataclass(frozen=True, kw_only=True)
class Unreproducible(Sound):
    """Draws random numbers of its own (试点); an assumption."""

    def apply(self, world, month, chosen):
        world.firms.absorptive[chosen] = np.random.default_rng().random(chosen.size)


@dataclass(frozen=True, kw_only=True)
class Generous(Sound):
    """Pays past its own account (试点); an assumption."""

    def apply(self, world, month, chosen):
        super().apply(world, month, chosen)
        world.books.pay("government", "households", self.key, 7.0)


@dataclass(frozen=True, kw_only=True)
class Imaginary(Sound):
    """Books a grant that reaches no account (试点); an assumption."""

    def apply(self, world, month, chosen):
        super().apply(world, month, chosen)
        world.books.pay("government", "members", "grants", 7.0)


@dataclass(frozen=True, kw_only=True)
class Hasty(Sound):
    """Takes the firms' part of the cost a second time (试点); an assumption."""

    def apply(self, world, month, chosen):
        super().apply(world, month, chosen)
        again = np.zeros(world.firms.n)
        again[chosen] = (1.0 - self.government_share) * self.unit_cost
        world.firms_pay("households", "handling", again)


@dataclass(frozen=True, kw_only=True)
class Costly(Idle):
    """Costs firms money and does nothing (试点); an assumption."""

    government_share: float = parameter(0.0, 0.0, 1.0, "share", "assumption", "N", "share that government bears")


@dataclass(frozen=True, kw_only=True)
class Greedy(Sound):
    """Raises standards beyond 1 (试点); an assumption."""

    def apply(self, world, month, chosen):
        world.firms.capability[chosen, 2] += 1.0


@dataclass(frozen=True, kw_only=True)
class Early(Sound):
    """Acts ahead of its window (试点); an assumption."""

    def runs(self, month):
        return month >= 1


@pytest.mark.study
@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (Undocumented, "names no practice|neither a source"),
        (Undeclared, "strength is declared neither"),
        (Idle, "window in the future.*nothing happens"),
        (Costly, "window in the future.*nothing happens"),
        (Unreproducible, "no bit|same bits"),
        (Generous, "costs are booked"),
        (Imaginary, "members hold .* by the books"),
        (Hasty, "cash of the firms is not what they paid"),
        (Early, "window"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_contract_detects_a_broken_instrument(broken, expected):
    with pytest.raises(AssertionError, match=expected):
        check_instrument(unregistered(broken))


@pytest.mark.parametrize(
    ("careless", "expected"),
    [
        (lambda programme, world, rows, lost: None, "still among those taken on"),
        (lambda programme, world, rows, lost: setattr(programme, "reached", programme.reached[:0]), "is not counted"),
    ],
)
def test_contract_detects_a_programme_that_keeps_or_loses_the_wrong_firms(monkeypatch, careless, expected):
    monkeypatch.setattr(Programme, "give_up", careless)
    with pytest.raises(AssertionError, match=expected):
        check_firms_that_give_up_are_let_go(unregistered(Sound))


@dataclass(frozen=True, kw_only=True)
class Lending(Idle):
    """Lends too little to change any firm's behaviour (试点); an assumption."""

    def act(self, world, programme, rows):
        world.lend("sharper_fine", rows, 1e-30)


@dataclass(frozen=True, kw_only=True)
class LendingFirst(Idle):
    """Lends other programmes what is too little to hasten them (试点); an assumption."""

    first: ClassVar[bool] = True

    def act(self, world, programme, rows):
        world.lend("effort", rows, 1e-30)


@pytest.mark.parametrize("mere", [Lending, LendingFirst])
def test_a_loan_that_changes_no_behaviour_is_no_effect(mere):
    with pytest.raises(AssertionError, match="nothing but the books and what it lends"):
        check_it_does_something(unregistered(mere))


def test_what_hastens_another_programme_does_something():
    check_it_does_something(Assessment)


def test_each_failure_has_a_line(monkeypatch):
    def sound(cls):
        """Hold."""

    def check_it_is_blue(cls):
        raise AssertionError("it is green")

    def check_it_runs(cls):
        return cls.no_such_thing

    monkeypatch.setattr("experiments.contract.checks.CHECKS", (sound, check_it_is_blue, check_it_runs))
    blue, runs = failures(Sound)
    assert blue == "check it is blue: it is green"
    assert runs.startswith("check it runs: AttributeError: ")


def test_contract_runs_under_the_laws():
    with pytest.raises(AssertionError, match="state is legal"):
        check_instrument(unregistered(Greedy))


@pytest.mark.parametrize(
    ("check", "wrong", "expected"),
    [
        (check_its_labels_are_written, {"label": ""}, "trial: label is empty"),
        (check_its_labels_are_written, {"label_zh": " "}, "trial: label_zh is empty"),
        (check_what_its_effect_hinges_on_is_a_setting, {"hinges_on": "instruments.trial.stop"}, "did you mean 'instruments.trial.step'"),
        (check_doses_shown_rise_and_hold_the_default, {"doses_shown": (0.5, 0.25)}, "do not rise"),
        (check_doses_shown_rise_and_hold_the_default, {"doses_shown": (0.25, 1.0)}, "lack the default, 0.5"),
        (check_doses_shown_rise_and_hold_the_default, {"doses_shown": (0.5, 2.0)}, "leave the range of the dose, above 0 … 1"),
        (check_doses_shown_rise_and_hold_the_default, {"doses_shown": (0.0, 0.5)}, "leave the range of the dose"),
    ],
)
def test_contract_names_what_is_wrong_in_the_declarations_of_a_class(check, wrong, expected):
    cls = unregistered(type("Wrong", (Sound,), wrong))
    with pytest.raises(AssertionError, match=expected):
        check(cls)


@pytest.mark.parametrize("cls", INSTRUMENTS.values(), ids=INSTRUMENTS.keys())
def test_an_instrument_of_the_package_says_all_of_itself_in_its_own_file(cls):
    """Defaults are for users' own instruments; a Chinese label is Chinese."""
    assert {"label", "label_zh", "theme", "hinges_on", "doses_shown"} <= cls.__dict__["__annotations__"].keys()
    assert CHINESE.search(cls.label_zh) and not CHINESE.search(cls.label)


def test_a_user_defined_instrument_has_default_declarations():
    own = unregistered(type("Own", (Sound,), {}))
    assert (own.label, own.label_zh, own.theme) == ("trial", "trial", Theme.OTHER)
    assert own.hinges_on == "instruments.trial.reach"
    assert own.doses_shown == (0.125, 0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    ("kind", "default", "most", "shown"),
    [
        (float, 1.0, 60.0, (0.25, 0.5, 1.0, 2.0, 4.0)),
        (float, 0.0, 16.0, (1.0, 2.0, 4.0, 8.0, 16.0)),
        (int, 3, 10, (1.0, 2.0, 3.0, 6.0)),
    ],
)
def test_doses_shown_go_by_default_from_a_quarter_of_the_default_to_four_times_of_it(kind, default, most, shown):
    lever = parameter(default, 0, most, "1", "assumption", "N", "how much")
    cls = dataclass(frozen=True, kw_only=True)(type("Own", (Sound,), {"much": lever, "__annotations__": {"much": kind.__name__}}))
    assert unregistered(cls, dose="much").doses_shown == shown


def test_dose_that_is_no_lever_is_refused():
    with pytest.raises(TypeError, match="no lever 'strength'"):
        instrument("trial", dose="strength")(Sound)


@pytest.mark.parametrize("levers", [{"per_1000_firms": (1.0, 2.0)}, {"elements": 1}, {"elements": (1, 1, 0.5, 1)}])
def test_numbers_of_the_wrong_shape_are_refused(levers):
    with pytest.raises(ParameterError, match=f"one_stop_stations.{next(iter(levers))} is "):
        OneStopStations(**levers)


def test_targeting_rules_are_those_of_the_design():
    assert set(TARGETING) == {"random", "worst_first", "best_first", "quality_map", "largest", "smallest"}


def test_largest_and_smallest_are_opposites():
    model = world(3)
    assert (TARGETING["largest"](model) == -TARGETING["smallest"](model)).all()
    assert TARGETING["worst_first"](model).argmax() == (model.firms.out_detectable + model.firms.out_latent).argmax()


def test_spending_past_the_budget_is_refused_before_it_is_booked():
    model = world(3, instruments=(ChiefQualityOfficer(budget=10.0),))
    with pytest.raises(ValueError, match="cannot spend 30.0 CNY; 10.0 are left"):
        model.programmes["cqo"].spend(model, "households", np.full(model.firms.n, 1.0))
    assert model.books.paid("government") == 0.0
    assert not model.firms.government_cost.any()


def test_one_instrument_shifts_no_draw_of_another():
    """Stations that no firm knows or may use leave the run of the officers as it was, except for their cost."""
    officers = ChiefQualityOfficer()
    shut = OneStopStations(per_1000_firms=100.0, reach=0.0)
    alone, both = world(4, instruments=(officers,)), world(4, instruments=(officers, shut))
    alone.run(8)
    both.run(8)
    changed = {name for name in differing(alone, both) if not name.startswith("stations.")}
    assert changed - {"balance"} == {"record", "firms.government_cost", "chain_heads.spent"}


def test_new_policy_ends_what_the_old_one_kept_up():
    loans = StrongChainLoans(reach=1.0, score_least=0.0)
    model = world(5, eventful(), (ChiefQualityOfficer(pay_subsidy=0.5), OneStopStations(per_1000_firms=100.0), loans))
    model.run(4)
    assert model.firms.cqo_subsidy.any()
    assert model.firms.programme_line.any() and model.firms.interest_borne.any()
    assert (model.stations.programme & model.stations.alive).any()
    model.adopt(())
    assert not model.firms.cqo_subsidy.any()
    for column in ("programme_line", "guaranteed", "rate_discount", "interest_borne"):
        assert not getattr(model.firms, column).any(), column
    owed = model.firms.programme_debt.sum()
    assert owed > 0.0, "what is owed stays owed"
    assert not (model.stations.programme & model.stations.alive).any()
    model.check = True
    model.run(3)
    assert not any(why in INSTRUMENTS for _, _, why in model.books.month)
    assert 0.0 < model.firms.programme_debt.sum() < owed


# -- chief quality officers ------------------------------------------------------------------------


def test_officer_makes_time_run_faster_for_solving():
    model = world(6)
    model.firms.cqo = False
    without = solving_hazard(model)
    model.firms.cqo = True
    pace = 1.0 + model.parameters.cqo_solving
    assert (solving_hazard(model) > without).all()
    assert np.log1p(-solving_hazard(model)) == pytest.approx(pace * np.log1p(-without))


def test_officer_sees_more_of_what_a_problem_costs():
    model = world(6, parameters(cqo_solving=0.0))
    model.firms.cqo = False
    without = perceived_value(model)
    model.firms.cqo = True
    p = model.parameters
    assert without.any()
    assert perceived_value(model) == pytest.approx(without * p.cqo_visibility / p.visibility)


def test_officer_lowers_open_problems():
    with_officers, without = world(7, instruments=(ChiefQualityOfficer(reach=1.0),)), world(7)
    with_officers.run(24)
    without.run(24)
    assert with_officers.open_problems < without.open_problems


#: No officer is dropped or lost, none is cheaper because its firm is small, and no firm gives up.
KEEP = parameters(dropping=0.0, officer_loss=0.0, cqo_pay_most=1.0, cash_limit=24.0)


def test_officers_are_paid_and_stay_after_the_programme():
    model = world(8, KEEP, (ChiefQualityOfficer(reach=1.0, length=2),))
    model.run(5)
    assert model.firms.cqo.all()
    assert model.cqo_share == 1.0
    p = model.parameters
    pay = p.cqo_pay * np.asarray(p.cqo_part_time)[model.firms.size_class]
    for payer, of_payer in (("leaders", model.firms.is_leader), ("members", ~model.firms.is_leader)):
        assert model.books.month[payer, "households", "chief quality officers"] == pytest.approx(pay[of_payer].sum())
    assert model.books.paid("government", "cqo") == 0.0


def test_officers_that_do_not_pay_are_dropped_and_their_firms_are_not_enrolled_again():
    model = world(8, parameters(officer_saving=0.0, dropping=0.5, cash_limit=24.0), (ChiefQualityOfficer(reach=1.0, length=2),))
    model.run(24)
    assert model.cqo_share < 0.1
    assert sum(firms for _, firms in model.programmes["cqo"].awards) == model.programmes["cqo"].reached.size <= model.firms.n


def test_subsidised_pay_is_split_between_firm_and_government():
    model = world(8, KEEP, (ChiefQualityOfficer(reach=1.0, pay_subsidy=0.4, unit_cost=0.0),))
    model.run(3)
    p = model.parameters
    pay = p.cqo_pay * np.asarray(p.cqo_part_time)[model.firms.size_class]
    taken_on = pay[model.programmes["cqo"].reached].sum()
    assert taken_on > 0.0
    assert model.books.month["government", "households", "cqo"] == pytest.approx(0.4 * taken_on)
    assert model.books.paid("firms", "chief quality officers") == pytest.approx(pay.sum() - 0.4 * taken_on)


def test_subsidies_end_with_the_budget_and_firms_pay_in_full():
    free = ChiefQualityOfficer(reach=1.0, pay_subsidy=1.0, unit_cost=0.0)
    rich = world(9, KEEP, (free,))
    rich.run(3)
    monthly = rich.books.paid("government", "cqo")
    model = world(9, KEEP, (ChiefQualityOfficer(reach=1.0, pay_subsidy=1.0, unit_cost=0.0, budget=2.5 * monthly),))
    paid = []
    for _ in range(8):
        model.step()
        paid.append(model.books.paid("government", "cqo"))
        assert (model.firms.cqo_subsidy > 0).sum() == (model.firms.government_cost > 0).sum()
    assert paid[:2] == pytest.approx([monthly, monthly])
    assert 0.4 * monthly <= paid[2] <= 0.5 * monthly or paid[2] + paid[3] <= 0.5 * monthly
    smallest = model.parameters.cqo_pay * min(model.parameters.cqo_part_time)
    assert model.programmes["cqo"].left < smallest
    assert paid[-1] == 0.0
    assert not model.firms.cqo_subsidy.any()


# -- stations --------------------------------------------------------------------------------------


def desk(firms=6, problems=1, capacity=1.0, competence=1.0, fee=0.0, stations=1, **values):
    """Firms with a number of metrology problems each, all of which know one station at the start of month 1."""
    model = world(line(firms), parameters(**values), region=region(firms, stations=stations, counties=2), burn_in=0)
    model.firms.open_problems = model.firms.common_problems = 0
    model.firms.open_problems[:, 1] = problems
    model.counts["problems opened"], model.counts["problems closed"] = firms * problems, 0
    model.firms.knows_stations, model.firms.cqo, model.firms.county = True, False, 0
    model.stations.capacity, model.stations.competence, model.stations.fee = capacity, competence, fee
    model.stations.online, model.stations.county = False, 0
    return model


def month(model, times=1):
    """A month of service alone."""
    for _ in range(times):
        model.month += 1
        model._turn_page()
        serve_cases(model)


def served(model, months):
    """Cases served in each of some months."""
    out = []
    for _ in range(months):
        month(model)
        out.append(int(model.firms.cases_served.sum()))
    return out


def test_capacity_binds():
    model = desk(10, problems=5, capacity=3.0)
    assert served(model, 5) == [3] * 5
    assert model.stations.queue[0] == 7  # the rest of the ten waits; firms that were served file again


def test_no_more_cases_than_problems_are_served():
    assert served(desk(3, problems=1, capacity=50.0), 3) == [3, 0, 0]


def test_fractional_capacity_serves_two_and_three_in_turn():
    assert served(desk(30, problems=5, capacity=2.5), 6) == [2, 3, 2, 3, 2, 3]


def test_capacity_below_one_serves_every_few_months():
    assert served(desk(6, problems=5, capacity=0.25, patience=100.0), 8) == [0, 0, 0, 1, 0, 0, 0, 1]


def test_queue_is_served_in_order_of_arrival():
    model = desk(5, problems=0, capacity=0.125, patience=100.0)
    for firm in (3, 0, 4, 1, 2):  # one a month
        model.firms.open_problems[firm, 1] = 1
        month(model)
    model.stations.capacity = 1.0
    order = []
    for _ in range(5):
        month(model)
        order.extend(np.flatnonzero(model.firms.cases_served).tolist())
    assert order == [3, 0, 4, 1, 2]
    assert model.stations.waited[0] == 5 * 5  # each waited five months


def test_cases_of_one_month_are_served_by_the_draw_and_not_by_the_row():
    first = set()
    for seed in range(8):
        model = desk(6)
        model.streams = type(model.streams)((seed, 1))
        month(model)
        first.add(int(model.firms.cases_served.argmax()))
    assert len(first) > 1


def test_waiting_beyond_patience_withdraws_and_may_file_again():
    model = desk(4, capacity=0.01, patience=3.0)
    counted = []
    for _ in range(7):
        month(model)
        counted.append((int(model.firms.cases_filed.sum()), int(model.firms.cases_withdrawn.sum())))
    assert counted == [(4, 0), (0, 0), (0, 0), (4, 4), (0, 0), (0, 0), (4, 4)]
    assert model.stations.withdrawn[0] == 8


def test_case_is_withdrawn_once_the_problem_has_been_solved_without_it():
    model = desk(4, capacity=0.01)
    month(model)
    model.firms.open_problems[2, 1] = 0
    month(model)
    assert model.firms.cases_withdrawn.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(("above", "cases"), [(1 - 1e-9, 4), (1 + 1e-9, 0)])
def test_a_fee_above_the_value_of_the_help_keeps_firms_away(above, cases):
    model = desk(4, competence=0.6)
    model.firms.external_failure, model.firms.before_final = 1e5, 0.1
    model.firms.internal_failure = model.firms.charged = model.firms.recovered = 0.0
    model.firms.capability[:, 0], model.firms.out_latent = 0.4, 0.05
    worth = perceived_value(model)
    assert worth == pytest.approx(worth[0])
    model.stations.fee = above * 0.6 * worth.min()
    month(model)
    assert model.firms.cases_filed.sum() == cases


def test_firms_that_feel_no_damage_pay_for_nothing():
    model = desk(4, fee=0.01)
    model.firms.external_failure = model.firms.internal_failure = model.firms.charged = 0.0
    month(model)
    assert not model.firms.cases_filed.any()


def test_fees_are_paid_by_the_firms_served():
    model = desk(6, capacity=2.0, fee=50.0)
    model.firms.external_failure, model.firms.before_final = 1e6, 0.1
    model.firms.cash = cash = 1_000.0
    month(model)
    fees = 50.0 * model.firms.cases_served
    assert fees.sum() == 100.0
    assert model.firms.prevention.tolist() == fees.tolist()
    assert model.firms.cash.tolist() == (cash - fees).tolist()
    led = fees[model.firms.is_leader].sum()
    by_sector = {("leaders", "stations", "service fees"): led, ("members", "stations", "service fees"): 100.0 - led}
    assert model.books.month == {entry: amount for entry, amount in by_sector.items() if amount}


def test_only_firms_that_know_a_station_file():
    model = desk(6, capacity=9.0)
    model.firms.knows_stations = [True, False, True, False, False, False]
    month(model)
    assert model.firms.cases_filed.tolist() == [1, 0, 1, 0, 0, 0]


def test_programme_stations_are_known_to_firms_the_programme_reached_alone():
    model = desk(6, capacity=9.0)
    model.stations.programme = True
    model.firms.knows_programme = [False, True, False, False, True, False]
    month(model)
    assert model.firms.cases_filed.tolist() == [0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(("online", "filed"), [(False, [1, 1, 0, 0]), (True, [1, 1, 1, 1])])
def test_station_serves_its_county_or_online_every_county(online, filed):
    model = desk(4, capacity=9.0)
    model.firms.county = [0, 0, 1, 1]
    model.stations.online = online
    month(model)
    assert model.firms.cases_filed.tolist() == filed


def test_station_answers_only_the_elements_it_offers():
    model = desk(4, capacity=9.0)
    model.stations.offers = [[True, False, True, True]]
    month(model)
    assert not model.firms.cases_filed.any()


def test_station_without_capacity_receives_no_case():
    model = desk(4, capacity=0.0)
    month(model)
    assert not model.firms.cases_filed.any()


def test_firm_files_one_case_a_month_its_most_numerous_kind_first():
    model = desk(2, capacity=0.01)
    model.firms.open_problems[:] = [[1, 3, 0, 2], [0, 1, 4, 0]]
    for filed in ([1, 2], [3, 1]):
        before = model.firms.case_station >= 0
        month(model)
        new = (model.firms.case_station >= 0) & ~before
        assert np.argwhere(new).tolist() == [[0, filed[0]], [1, filed[1]]]


@pytest.mark.parametrize("competence", [0.0, 1.0])
def test_competence_decides_what_is_solved(competence):
    model = desk(8, problems=2, capacity=99.0, competence=competence)
    month(model, 2)
    assert model.stations.served[0] == 16
    assert model.stations.solved[0] == 16 * competence
    assert model.firms.open_problems.sum() == 16 * (1 - competence)


def test_more_competence_solves_the_same_cases_and_others():
    solved = []
    for competence in (0.2, 0.5, 0.9):
        model = desk(40, capacity=99.0, competence=competence)
        month(model)
        solved.append(model.firms.cases_solved > 0)
    assert (solved[0] <= solved[1]).all()
    assert (solved[1] <= solved[2]).all()
    assert solved[0].sum() < solved[2].sum()


def test_solved_case_leaves_capability_of_its_kind_behind():
    model = desk(8, capacity=99.0, competence=0.5, service_learning=0.2)
    before = model.firms.capability.copy()
    month(model)
    solved = model.firms.cases_solved > 0
    assert solved.any()
    assert not solved.all()
    gain = 0.2 * model.firms.absorptive * (1 - before[:, 1])
    assert model.firms.capability[:, 1] - before[:, 1] == pytest.approx(np.where(solved, gain, 0.0))
    assert (model.firms.capability[:, [0, 2, 3]] == before[:, [0, 2, 3]]).all()


def test_firms_go_rather_where_the_queue_is_short():
    model = desk(200, capacity=1.0, stations=2, patience=100.0)
    model.stations.queue[0] = 19  # the month before
    model.stations.received[0] = 19
    month(model)
    assert model.stations.received[1] > 4 * (model.stations.received[0] - 19)


def test_more_capacity_solves_more():
    """Without any other station (a slow one nearby can also cost: a firm that waits there waits nowhere else)."""

    def solved(capacity):
        further = OneStopStations(per_1000_firms=100.0, reach=1.0, capacity=capacity, fee=0.0)
        model = world(10, instruments=(further,), region=region(30, stations=0))
        model.run(18)
        return model.record.series("cases_solved").sum()

    by_capacity = [solved(capacity) for capacity in (0.0, 0.2, 0.5, 4.0)]
    assert by_capacity[0] == 0.0
    assert (np.diff(by_capacity) > 0).all()


def test_closing_withdraws_who_still_waits():
    crowded = OneStopStations(per_1000_firms=40.0, reach=1.0, capacity=0.1, fee=0.0, length=3, online_share=1.0)
    model = world(11, instruments=(crowded,), region=region(30, stations=0), check=True)
    model.run(3)
    waiting = int(model.stations.queue.sum())
    assert waiting > 0
    model.step()
    assert int(model.firms.cases_withdrawn.sum()) == waiting
    assert not model.stations.queue.any()
    assert not model.stations.alive.any()
    model.run(3)
    assert not model.firms.cases_filed.any()


def test_stations_are_set_up_along_the_ramp():
    model = world(
        random_network(12, firms=100), instruments=(OneStopStations(per_1000_firms=80.0, ramp=4),), region=region(100, stations=1)
    )
    standing = []
    for _ in range(6):
        model.step()
        standing.append(int((model.stations.programme & model.stations.alive).sum()))
    assert standing == [2, 4, 6, 8, 8, 8]
    assert model.stations.n == 9
    assert model.stations.online[1:].sum() == 4


def test_stations_that_cannot_be_kept_up_stand_idle():
    budget = 2 * 300_000.0 + 3 * 40_000.0
    kept = OneStopStations(per_1000_firms=50.0, budget=budget)
    model = world(random_network(12, firms=40), instruments=(kept,), region=region(40, stations=0), check=True)
    open_ = []
    for _ in range(4):
        model.step()
        open_.append(int((model.stations.capacity > 0).sum()))
    assert open_ == [2, 1, 0, 0]
    assert model.programmes["one_stop_stations"].left == 0.0


def test_agents_of_new_stations_appear():
    model = world(13, instruments=(OneStopStations(per_1000_firms=100.0, start=2),))
    before = len(model.agents)
    model.run(2)
    assert len(model.agents) == before + 3
    model.agents.select(lambda agent: getattr(agent, "programme", False)).do("remove")
    assert len(model.agents) == before
