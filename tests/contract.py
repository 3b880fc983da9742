"""The contract of instruments: what holds for every one of them, whatever it does.

`check_instrument` runs all checks on one class, in the manner of scikit-learn's
`check_estimator`. Use it for an instrument of your own::

    from tests.contract import check_instrument

    check_instrument(MyInstrument)

Every check is a function of the class alone that raises AssertionError, so that a test suite
can also run them one by one (see `CHECKS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import lru_cache

import numpy as np

from agents.firm import SIZE_CLASSES
from sim.instruments import TARGETING, Instrument
from sim.invariants import check_invariants
from sim.model import StrongchainModel
from sim.parameters import ParameterError, Parameters
from tests.worlds import differing, eventful, numeric, random_network, region, world

__all__ = ["CHECKS", "check_instrument"]

MONTHS = 10
SCENE = random_network(20, firms=80, leaders=4, chains=2)
PLACE = region(80, leaders=4, counties=3, awareness=0.3, officers=0.2)
#: Weathers in which an instrument has to keep the contract: by default, and where firms give up, rewire, recall and borrow all the time.
CALM, STORMY = Parameters(), eventful()
CHINESE = re.compile("[\u4e00-\u9fff]")
#: A fact of the collected documents, a publication with its year, an address, or the confession.
SOURCE = re.compile(r"\bF\d{3}\b|\(\d{4}\)|https?://|assumption", re.IGNORECASE)
#: What changes when government alone pays, for an instrument without effect: no firm's cash, and so no decision.
BOOKKEEPING = {"balance", "record", "firms.government_cost", "chain_heads.spent", "chain_heads.awards"}


def full(cls: type[Instrument], **levers: object) -> Instrument:
    """Return the instrument at a dose that small worlds notice, at a one-off cost."""
    dose = numeric(cls)[cls.dose]
    strong = min(dose.metadata["range"][1], 50.0 * (dose.default or 1.0))
    return cls(**{"unit_cost": 1_000.0, "reach": 0.5, cls.dose: strong, **levers})


def scene(*instruments: Instrument, weather: Parameters = CALM) -> StrongchainModel:
    """Make a world of 80 firms, two standing stations and some officers under a policy, in which every law is checked."""
    return world(SCENE, weather, instruments, region=PLACE, check=True)


def run(*instruments: Instrument, months: int = MONTHS, weather: Parameters = CALM) -> StrongchainModel:
    """Run the scene under a policy."""
    model = scene(*instruments, weather=weather)
    model.run(months)
    return model


@lru_cache
def without(months: int = MONTHS, weather: Parameters = CALM) -> StrongchainModel:
    """Run the scene without any policy, once for all checks, which only read it."""
    return run(months=months, weather=weather)


def spent_by_month(
    instrument: Instrument, months: int = MONTHS, weather: Parameters = CALM
) -> tuple[StrongchainModel, list[float], list[float], list[float]]:
    """Run month by month: the model, what the programme spent, what the books say, what stands beside the firms."""
    model = scene(instrument, weather=weather)
    programme = model.programmes[instrument.key]
    spent, booked, noted = [], [], []
    for _ in range(months):
        before = programme.spent
        model.step()
        spent.append(programme.spent - before)
        booked.append(model.books.paid("government", instrument.key))
        noted.append(float(model.firms.government_cost.sum()))
    return model, spent, booked, noted


def taken_on_each_month(cls: type[Instrument], **levers: object) -> list[tuple[list[int], list[int]]]:
    """Run in the storm: for each month the rows taken on, and all that could be, in the order in which they should come."""
    chosen: list[int] = []

    def apply(self: Instrument, model: StrongchainModel, month: int, rows: np.ndarray) -> None:
        chosen.extend(rows.tolist())
        cls.apply(self, model, month, rows)

    instrument = full(type(cls.__name__, (cls,), {"apply": apply}), **levers)
    model = scene(instrument, weather=STORMY)
    programme, tie = model.programmes[cls.key], model.streams.uniform(f"{cls.key}: whom first", 0, model.firms.n)
    months = []
    for _ in range(MONTHS):
        chosen.clear()
        model.month += 1
        open_to = np.setdiff1d(np.flatnonzero(instrument.eligible(model)), programme.reached)
        model.month -= 1
        score = TARGETING[instrument.targeting](model)
        order = sorted(open_to.tolist(), key=lambda row: (-score[row], tie[row], row))
        model.step()
        months.append((chosen.copy(), order))
    return months


def close(a: float, b: float) -> bool:
    """Whether two sums of money are equal to rounding."""
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)


# -- what it says of itself ------------------------------------------------------------------------


def check_it_names_a_practice_and_a_source(cls: type[Instrument]) -> None:
    text = cls.__doc__ or ""
    assert CHINESE.search(cls.practice), f"{cls.key}: the practice {cls.practice!r} is not in Chinese"
    assert CHINESE.search(text), f"{cls.key}: the docstring names no practice in Chinese"
    assert SOURCE.search(text), f"{cls.key}: the docstring gives neither a source nor the word assumption"


def check_every_lever_is_declared(cls: type[Instrument]) -> None:
    for f in fields(cls):
        about = f.metadata
        assert f.default is not MISSING, f"{f.name} has no default"
        if "choices" in about:
            assert about["meaning"], f"{f.name} has no meaning"
            continue
        assert "range" in about, f"{f.name} is declared neither with a range nor with choices"
        low, high = about["range"]
        assert low <= high
        assert all(about[what] for what in ("unit", "source", "meaning")), f"{f.name} lacks unit, source or meaning"
        assert about["confidence"] in "SDRN", f"{f.name} has no confidence"
        for number in f.default if isinstance(f.default, tuple) else (f.default,):
            assert number is None or low <= number <= high, f"the default of {f.name} lies outside its range"


def check_its_dose_is_a_lever_from_0(cls: type[Instrument]) -> None:
    assert numeric(cls)[cls.dose].metadata["range"][0] == 0.0, f"{cls.dose} is the dose and must reach down to 0"
    assert cls().level == getattr(cls(), cls.dose)


def refuse(cls: type[Instrument], name: str, value: object, says: str) -> None:
    try:
        cls(**{name: value})
    except ParameterError as refused:
        assert f"instruments.{cls.key}.{name} " in str(refused), f"refusal of {name}={value!r} does not name the lever: {refused}"
        assert says in str(refused), f"refusal of {name}={value!r} does not say what would be right: {refused}"
    else:
        raise AssertionError(f"{name}={value!r} is accepted")


def check_levers_out_of_range_are_refused(cls: type[Instrument]) -> None:
    for name, f in numeric(cls).items():
        low, high = f.metadata["range"]
        for wrong in (low - 1, 2 * high + 1, float("nan"), "much"):
            value = (wrong, *f.default[1:]) if isinstance(f.default, tuple) else wrong
            refuse(cls, name, value, f"{low:g} … {high:g}")
        if isinstance(f.default, tuple):
            refuse(cls, name, f.default[1:], f"{len(f.default)} numbers")
        if str(f.type).startswith("int"):
            refuse(cls, name, low + 0.5, "whole number")


def check_unknown_choices_are_refused(cls: type[Instrument]) -> None:
    for f in fields(cls):
        if "choices" in f.metadata:
            value = ("no such",) if isinstance(f.default, tuple) else "no such"
            refuse(cls, f.name, value, ", ".join(f.metadata["choices"]))


def check_its_settings_are_a_value(cls: type[Instrument]) -> None:
    instrument = full(cls)
    assert instrument == full(cls)
    assert hash(instrument) == hash(full(cls))
    try:
        instrument.budget = 1.0  # type: ignore[misc]
    except AttributeError:
        return
    raise AssertionError("a lever can be changed behind the model's back; make the dataclass frozen")


# -- when it does nothing --------------------------------------------------------------------------


def check_dose_0_changes_no_bit(cls: type[Instrument]) -> None:
    for weather in (CALM, STORMY):
        off = run(full(cls, **{cls.dose: 0.0}), weather=weather)
        assert differing(off, without(weather=weather)) == []
        assert off.programmes[cls.key].spent == 0.0


def check_window_in_the_future_changes_no_bit_before(cls: type[Instrument]) -> None:
    for weather in (CALM, STORMY):
        waiting = run(full(cls, start=6, government_share=1.0), months=5, weather=weather)
        assert differing(waiting, without(5, weather)) == []
        waiting.step()
        changed = set(differing(waiting, without(6, weather))) - BOOKKEEPING
        assert changed, "nothing happens when the window opens"


def check_window_of_no_length_changes_no_bit(cls: type[Instrument]) -> None:
    for weather in (CALM, STORMY):
        assert differing(run(full(cls, length=0), weather=weather), without(weather=weather)) == []


def check_it_does_something(cls: type[Instrument]) -> None:
    # At government's cost: what firms pay changes their cash, their decisions and in time everything, effect or not.
    changed = set(differing(run(full(cls, government_share=1.0)), without())) - BOOKKEEPING
    assert changed, "at full dose it changes nothing but the books"


# -- money -----------------------------------------------------------------------------------------


def check_costs_are_booked(cls: type[Instrument]) -> None:
    for share, weather in ((1.0, CALM), (0.4, CALM), (0.0, CALM), (0.4, STORMY)):
        model, spent, booked, noted = spent_by_month(full(cls, government_share=share), weather=weather)
        for month, (programme, books, firms) in enumerate(zip(spent, booked, noted, strict=True), start=1):
            assert close(programme, books), f"month {month}: spent {programme}, booked {books}"
            assert close(programme, firms), f"month {month}: spent {programme}, {firms} stand beside the firms"
        assert close(sum(booked), model.programmes[cls.key].spent)
        assert close(model.record.series("government_cost").sum(), model.programmes[cls.key].spent)
        assert close(float(model.chain_heads.spent.sum()), model.programmes[cls.key].spent)


def check_what_firms_pay_leaves_their_cash(cls: type[Instrument]) -> None:
    """Firms that are taken on pay their part of the one-off cost, out of their own cash, and nobody pays it twice."""
    unit_cost, share = 1_000.0, 0.4
    free, shared = scene(full(cls, government_share=1.0)), scene(full(cls, government_share=share))
    for model in (free, shared):
        model.month += 1
        model._turn_page()
        model.programmes[cls.key].deliver(model)
    chosen = shared.programmes[cls.key].reached
    assert chosen.size
    assert np.array_equal(free.programmes[cls.key].reached, chosen)
    due = np.zeros(shared.firms.n)
    due[chosen] = (1.0 - share) * unit_cost
    for column, sign in (("cash", -1.0), ("earnings", -1.0), ("prevention", 1.0)):
        changed = getattr(shared.firms, column) - getattr(free.firms, column)
        scale = np.abs(getattr(free.firms, column)).max()
        assert np.allclose(changed, sign * due, rtol=0.0, atol=1e-12 * scale + 1e-9), f"{column} of the firms is not what they paid"
    assert close(shared.books.paid("firms", cls.key) - free.books.paid("firms", cls.key), float(due.sum()))
    for model in (free, shared):
        check_invariants(model)


def check_it_never_spends_more_than_its_budget(cls: type[Instrument]) -> None:
    unlimited = run(full(cls), weather=STORMY).programmes[cls.key].spent
    for budget in (0.0, 1e-9, 1.0, 999.99, 2_500.0, 0.1 * unlimited, 0.5 * unlimited, unlimited, 2.0 * unlimited):
        programme = run(full(cls, budget=budget), weather=STORMY).programmes[cls.key]
        assert programme.spent <= budget * (1 + 1e-12), f"spent {programme.spent} of {budget}"
        assert programme.left >= 0.0
    assert close(programme.spent, unlimited), "a budget that does not bind changes what is spent"
    assert run(full(cls, budget=4.0, unit_cost=1e-320), months=2).programmes[cls.key].spent <= 4.0


def check_budget_that_does_not_bind_changes_no_bit(cls: type[Instrument]) -> None:
    for weather in (CALM, STORMY):
        assert differing(run(full(cls, budget=1e15), weather=weather), run(full(cls), weather=weather)) == []


# -- whom, how many, when --------------------------------------------------------------------------


def check_awards_are_counted(cls: type[Instrument]) -> None:
    for weather in (CALM, STORMY):
        model = run(full(cls, ramp=4), weather=weather)
        programme = model.programmes[cls.key]
        assert [month for month, _ in programme.awards] == list(range(1, MONTHS + 1))
        assert programme.reached.size + programme.gone == sum(firms for _, firms in programme.awards)
        assert np.unique(programme.reached).size == programme.reached.size, "a firm was taken on twice"
        assert close(float(model.chain_heads.awards.sum()), programme.reached.size + programme.gone)


def check_firms_that_give_up_are_let_go(cls: type[Instrument]) -> None:
    """An entrant in the place of a firm that was taken on is not taken on by inheritance."""
    model = scene(full(cls), weather=STORMY)
    programme = model.programmes[cls.key]
    for _ in range(MONTHS):
        before, gone, awarded = programme.reached, programme.gone, len(programme.awards)
        model.step()
        exited = np.flatnonzero(model.firms.exited)
        assert not np.isin(programme.reached, exited).any(), "a place in which a firm gave up is still among those taken on"
        assert np.isin(before, [*programme.reached, *exited]).all(), "a firm that lives was let go"
        (_, chosen) = programme.awards[awarded]
        let_go = before.size + chosen - programme.reached.size
        assert programme.gone - gone == let_go, f"{let_go} were let go in month {model.month}, which is not counted"
    assert programme.gone, "no firm that was taken on gave up"


def check_it_acts_only_in_its_window(cls: type[Instrument]) -> None:
    start, length = 3, 4
    for weather in (CALM, STORMY):
        model, spent, _, _ = spent_by_month(full(cls, start=start, length=length), weather=weather)
        assert [month for month, _ in model.programmes[cls.key].awards] == list(range(start, start + length))
        outside = [amount for month, amount in enumerate(spent, start=1) if not start <= month < start + length]
        assert not any(outside), f"spent {outside} outside its window"


def check_capacity_limits_awards_of_a_month(cls: type[Instrument]) -> None:
    for capacity in (0, 2):
        awards = run(full(cls, monthly_capacity=capacity), weather=STORMY).programmes[cls.key].awards
        assert all(firms <= capacity for _, firms in awards)
        assert sum(firms for _, firms in awards) == capacity * MONTHS


def check_ramp_holds_reach_back(cls: type[Instrument]) -> None:
    able = int(full(cls).eligible(scene()).sum())
    ramped = np.cumsum([firms for _, firms in run(full(cls, ramp=5, reach=0.8)).programmes[cls.key].awards])
    assert ramped[-1] > 0
    # Some eligible firms may come and go; the full reach is what it would be at once, to a firm or two.
    assert (ramped[:5] <= 0.8 * able * np.arange(1, 6) / 5 + 2).all()
    assert ramped[4] >= 0.8 * able - 2


def check_sizes_are_respected(cls: type[Instrument]) -> None:
    for size in range(len(SIZE_CLASSES)):
        model = run(full(cls, sizes=(SIZE_CLASSES[size],)), months=3, weather=STORMY)
        assert (model.firms.size_class[model.programmes[cls.key].reached] == size).all()


def check_targeting_takes_the_highest_scores_first(cls: type[Instrument]) -> None:
    """Every month anew, among those that could then be taken on; ties by a draw that is the same in every month."""
    for rule in TARGETING:
        for levers in ({"reach": 0.3}, {"reach": 1.0, "monthly_capacity": 3}):
            taken_on = taken_on_each_month(cls, targeting=rule, **levers)
            assert sum(len(chosen) for chosen, _ in taken_on) >= 9
            for month, (chosen, order) in enumerate(taken_on, start=1):
                assert chosen == order[: len(chosen)], f"{rule}, month {month}: took on {chosen}, not the first of {order}"


def check_random_targeting_is_nested(cls: type[Instrument]) -> None:
    """At the start; later on, who could be taken on depends on what the programme did."""

    def reached(share: float) -> set[int]:
        return set(run(full(cls, targeting="random", reach=share), months=1).programmes[cls.key].reached.tolist())

    assert reached(0.3) < reached(0.6), "who is reached at 0.3 is not reached at 0.6"


# -- laws ------------------------------------------------------------------------------------------


def check_same_key_same_bits(cls: type[Instrument]) -> None:
    for weather in (CALM, STORMY):
        assert differing(run(full(cls), weather=weather), run(full(cls), weather=weather)) == []


def check_laws_hold_at_the_ends_of_every_lever(cls: type[Instrument]) -> None:
    small = random_network(21, firms=40)
    for name, f in numeric(cls).items():
        for end in f.metadata["range"]:
            value = (end,) * len(f.default) if isinstance(f.default, tuple) else end
            for budget in (None, 20_000.0):
                levers = {"budget": budget, "length": 3, name: value}
                world(small, STORMY, (full(cls, **levers),), burn_in=1, check=True).run(5)


CHECKS: tuple[Callable[[type[Instrument]], None], ...] = (
    check_it_names_a_practice_and_a_source,
    check_every_lever_is_declared,
    check_its_dose_is_a_lever_from_0,
    check_levers_out_of_range_are_refused,
    check_unknown_choices_are_refused,
    check_its_settings_are_a_value,
    check_dose_0_changes_no_bit,
    check_window_in_the_future_changes_no_bit_before,
    check_window_of_no_length_changes_no_bit,
    check_it_does_something,
    check_costs_are_booked,
    check_what_firms_pay_leaves_their_cash,
    check_it_never_spends_more_than_its_budget,
    check_budget_that_does_not_bind_changes_no_bit,
    check_awards_are_counted,
    check_firms_that_give_up_are_let_go,
    check_it_acts_only_in_its_window,
    check_capacity_limits_awards_of_a_month,
    check_ramp_holds_reach_back,
    check_sizes_are_respected,
    check_targeting_takes_the_highest_scores_first,
    check_random_targeting_is_nested,
    check_same_key_same_bits,
    check_laws_hold_at_the_ends_of_every_lever,
)


def check_instrument(cls: type[Instrument]) -> None:
    """Check that an instrument class keeps the contract; raises AssertionError that says what it breaks."""
    for check in CHECKS:
        try:
            check(cls)
        except AssertionError as broken:
            raise AssertionError(f"{cls.__name__} breaks the contract, {check.__name__.replace('_', ' ')}: {broken}") from broken
