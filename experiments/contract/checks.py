"""The contract of instruments: rules that hold for every instrument of any kind.

`failures` lists the rules that a class breaks, in the manner of scikit-learn's `check_estimator`. Use it for an instrument of your own::

    from experiments.contract import failures

    failures(MyInstrument)  # nothing if it keeps the contract

Every check is a function of the class alone that raises AssertionError, so that a test suite can also run them one by one (see `CHECKS`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from agents.firm import SIZE_CLASSES
from agents.help import Help
from agents.spelling import nearest
from experiments.contract.scenes import (
    CALM,
    MONTHS,
    STORMY,
    differing,
    full,
    numeric,
    programme_of,
    random_network,
    run,
    scene,
    spent_by_month,
    taken_on_each_month,
    without,
    world,
)
from sim.instruments import TARGETING, Delivery, Instrument, Stewards
from sim.invariants import check_invariants
from sim.parameters import ParameterError, Parameters

__all__ = ["BOOKKEEPING", "CHECKS", "OF_DELIVERY", "OF_INSTRUMENT", "check_instrument", "failures"]

CHINESE = re.compile("[\u4e00-\u9fff]")
#: A fact of the collected documents, a publication with its year, an address, or the word assumption.
SOURCE = re.compile(r"\bF\d{3}\b|\(\d{4}\)|https?://|assumption", re.IGNORECASE)
#: What an instrument without effect changes when government pays everything: no firm's cash, and so no decision.
BOOKKEEPING = {"balance", "record", "firms.government_cost", "chain_heads.spent", "chain_heads.awards"}
#: Help that firms get for one month, and what visits show about them: it has no effect unless it is used.
LENT = {f"firms.{name}" for name in Help.declared} | {"firms.mapped"}
#: The programme with which an instrument that serves other programmes is tried: it grows slowly, and uses the quality map.
SLOW = Stewards(reach=0.3, visits=4.0, competence=1.0, ramp=8, monthly_capacity=3, targeting="quality_map")


def _close(a: float, b: float) -> bool:
    """Whether two sums of money are equal to rounding."""
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)


# -- what it declares ----------------------------------------------------------------------------


def check_it_names_a_practice_and_a_source(cls: type[Instrument]) -> None:
    """The docstring names the practice in Chinese, and a source or the word assumption."""
    text = cls.__doc__ or ""
    assert CHINESE.search(text), f"{cls.key}: the docstring names no practice in Chinese"
    assert SOURCE.search(text), f"{cls.key}: the docstring gives neither a source nor the word assumption"


def check_its_labels_are_written(cls: type[Instrument]) -> None:
    """It has a label in English and one in Chinese; the second may be the same where there is no Chinese one."""
    for name, text in (("label", cls.label), ("label_zh", cls.label_zh)):
        assert text.strip(), f"{cls.key}: {name} is empty"


def check_what_its_effect_hinges_on_is_a_setting(cls: type[Instrument]) -> None:
    """The assumption on which its effect depends most is a lever of its own or a parameter of the model."""
    levers = {f"instruments.{cls.key}.{f.name}" for f in fields(cls)}
    known = levers | {f"parameters.{f.name}" for f in fields(Parameters)}
    close = nearest(cls.hinges_on, known)
    assert cls.hinges_on in known, f"{cls.key}: hinges_on is {cls.hinges_on!r}; it must be a lever of its own or a parameter{close}"


def check_doses_shown_rise_and_hold_the_default(cls: type[Instrument]) -> None:
    """The doses shown rise from above 0, hold the default dose (unless that is 0), and lie within the range of the dose."""
    doses, default = cls.doses_shown, cls().level
    low, high = numeric(cls)[cls.dose].metadata["range"]
    assert doses and list(doses) == sorted(set(doses)), f"{cls.key}: doses_shown {doses} do not rise"
    assert default in (0.0, *doses), f"{cls.key}: doses_shown {doses} lack the default, {default:g}"
    assert low < doses[0] and doses[-1] <= high, f"{cls.key}: doses_shown {doses} leave the range of the dose, above {low:g} … {high:g}"


def check_every_lever_is_declared(cls: type[Instrument]) -> None:
    """Every lever that is a number has a default within its range, a unit, a source, a meaning and a confidence; all others a meaning."""
    for f in fields(cls):
        about = f.metadata
        assert f.default is not MISSING, f"{f.name} has no default"
        numbers = [entry for entry in (f.default if isinstance(f.default, tuple) else (f.default,)) if not isinstance(entry, bool | str)]
        if "range" not in about and ("choices" in about or not any(isinstance(entry, int | float) for entry in numbers)):
            assert about.get("meaning"), f"{f.name} has no meaning"
            continue
        assert "range" in about, f"{f.name} is declared neither with a range nor with choices"
        low, high = about["range"]
        assert low <= high
        assert all(about[what] for what in ("unit", "source", "meaning")), f"{f.name} lacks unit, source or meaning"
        assert about["confidence"] in "SDRN", f"{f.name} has no confidence"
        for number in f.default if isinstance(f.default, tuple) else (f.default,):
            assert number is None or low <= number <= high, f"the default of {f.name} lies outside its range"


def check_its_dose_is_a_lever_from_0(cls: type[Instrument]) -> None:
    """The dose is a lever whose range begins at 0."""
    assert numeric(cls)[cls.dose].metadata["range"][0] == 0.0, f"{cls.dose} is the dose and must reach down to 0"
    assert cls().level == getattr(cls(), cls.dose)


def _refuse(cls: type[Instrument], name: str, value: Any, allowed: str) -> None:
    """Raise unless a value of a lever is refused as it should be."""
    try:
        levers: dict[str, Any] = {name: value}
        cls(**levers)
    except ParameterError as error:
        assert f"instruments.{cls.key}.{name} " in str(error), f"refusal of {name}={value!r} does not name the lever: {error}"
        assert allowed in str(error), f"refusal of {name}={value!r} does not say what would be right: {error}"
    else:
        raise AssertionError(f"{name}={value!r} is accepted")


def check_levers_out_of_range_are_refused(cls: type[Instrument]) -> None:
    """A value out of range is refused in a line that says where and what would be right."""
    for name, f in numeric(cls).items():
        low, high = f.metadata["range"]
        for wrong in (low - 1, 2 * high + 1, float("nan"), "much"):
            value = (wrong, *f.default[1:]) if isinstance(f.default, tuple) else wrong
            _refuse(cls, name, value, f"{low:g} … {high:g}")
        if isinstance(f.default, tuple):
            _refuse(cls, name, f.default[1:], f"{len(f.default)} numbers")
        if str(f.type).startswith("int"):
            _refuse(cls, name, low + 0.5, "whole number")


def check_unknown_choices_are_refused(cls: type[Instrument]) -> None:
    """A choice that does not exist is refused, too."""
    for f in fields(cls):
        if "choices" in f.metadata:
            value = ("no such",) if isinstance(f.default, tuple) else "no such"
            _refuse(cls, f.name, value, ", ".join(f.metadata["choices"]))


def check_its_settings_cannot_change(cls: type[Instrument]) -> None:
    """Two with the same levers are equal, and no lever can be changed later."""
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
    """At dose 0 a run equals one without the instrument, to the bit."""
    for weather in (CALM, STORMY):
        off = run(full(cls, **{cls.dose: 0.0}), weather=weather)
        assert differing(off, without(weather=weather)) == []
        assert programme_of(off, cls).spent == 0.0


def check_window_in_the_future_changes_no_bit_before(cls: type[Instrument]) -> None:
    """Before its window a run equals one without the instrument, to the bit; when the window opens, something happens."""
    for weather in (CALM, STORMY):
        waiting = run(full(cls, start=6, government_share=1.0), months=5, weather=weather)
        assert differing(waiting, without(5, weather)) == []
        waiting.step()
        changed = set(differing(waiting, without(6, weather))) - BOOKKEEPING
        assert changed, "nothing happens when the window opens"


def check_window_of_no_length_changes_no_bit(cls: type[Instrument]) -> None:
    """With a window of length 0 a run equals one without the instrument."""
    for weather in (CALM, STORMY):
        assert differing(run(full(cls, length=0), weather=weather), without(weather=weather)) == []


def check_it_does_something(cls: type[Instrument]) -> None:
    """At full dose, and at government's cost, it changes more than the books and what is lent to firms for a month.

    What firms pay would change their cash, their decisions and in time everything, effect or not. An instrument that serves other
    programmes is tried with one that grows slowly and uses the quality map.
    """
    companions = (SLOW,) if cls.first else ()
    for weather in (CALM, STORMY):
        alone = run(SLOW, weather=weather) if cls.first else without(weather=weather)
        if set(differing(run(*companions, full(cls, government_share=1.0), weather=weather), alone)) - BOOKKEEPING - LENT:
            return
    raise AssertionError("at full dose it changes nothing but the books and what it lends")


# -- money -----------------------------------------------------------------------------------------


def check_costs_are_booked(cls: type[Instrument]) -> None:
    """What it spends is in the books, and is recorded for the firms and for the chain heads."""
    for share, weather in ((1.0, CALM), (0.4, CALM), (0.0, CALM), (0.4, STORMY)):
        model, spent, booked, by_firms = spent_by_month(full(cls, government_share=share), weather=weather)
        for month, (programme, books, firms) in enumerate(zip(spent, booked, by_firms, strict=True), start=1):
            assert _close(programme, books), f"month {month}: spent {programme}, booked {books}"
            assert _close(programme, firms), f"month {month}: spent {programme}, {firms} are recorded for firms"
        assert _close(sum(booked), programme_of(model, cls).spent)
        assert _close(model.record.series("government_cost").sum(), programme_of(model, cls).spent)
        assert _close(float(model.chain_heads.spent.sum()), programme_of(model, cls).spent)


def check_what_firms_pay_leaves_their_cash(cls: type[Instrument]) -> None:
    """Firms that are taken on pay their part of the one-off cost, from their own cash, and no part is paid twice."""
    unit_cost, share = 1_000.0, 0.4
    free, shared = scene(full(cls, government_share=1.0)), scene(full(cls, government_share=share))
    for model in (free, shared):
        model.month += 1
        model._turn_page()
        programme_of(model, cls).deliver(model)
    chosen = programme_of(shared, cls).reached
    assert chosen.size
    assert np.array_equal(programme_of(free, cls).reached, chosen)
    due = np.zeros(shared.firms.n)
    due[chosen] = (1.0 - share) * unit_cost
    for column, sign in (("cash", -1.0), ("earnings", -1.0), ("prevention", 1.0)):
        changed = getattr(shared.firms, column) - getattr(free.firms, column)
        scale = np.abs(getattr(free.firms, column)).max()
        assert np.allclose(changed, sign * due, rtol=0.0, atol=1e-12 * scale + 1e-9), f"{column} of the firms is not what they paid"
    assert _close(shared.books.paid("firms", cls.key) - free.books.paid("firms", cls.key), float(due.sum()))
    for model in (free, shared):
        check_invariants(model)


def check_it_never_spends_more_than_its_budget(cls: type[Instrument]) -> None:
    """No budget of any size is overdrawn."""
    unlimited = programme_of(run(full(cls), weather=STORMY), cls).spent
    for budget in (0.0, 1e-9, 1.0, 999.99, 2_500.0, 0.1 * unlimited, 0.5 * unlimited, unlimited, 2.0 * unlimited):
        programme = programme_of(run(full(cls, budget=budget), weather=STORMY), cls)
        assert programme.spent <= budget * (1 + 1e-12), f"spent {programme.spent} of {budget}"
        assert programme.left >= 0.0
    assert _close(programme.spent, unlimited), "a budget that does not bind changes what is spent"
    assert programme_of(run(full(cls, budget=4.0, unit_cost=1e-320), months=2), cls).spent <= 4.0


def check_budget_that_does_not_bind_changes_no_bit(cls: type[Instrument]) -> None:
    """A budget larger than what is spent changes nothing."""
    for weather in (CALM, STORMY):
        assert differing(run(full(cls, budget=1e15), weather=weather), run(full(cls), weather=weather)) == []


# -- whom, how many, when --------------------------------------------------------------------------


def check_awards_are_counted(cls: type[Instrument]) -> None:
    """Firms that are taken on are counted, and none is taken on twice."""
    for weather in (CALM, STORMY):
        model = run(full(cls, ramp=4), weather=weather)
        programme = programme_of(model, cls)
        assert [month for month, _ in programme.awards] == list(range(1, MONTHS + 1))
        assert programme.reached.size + programme.gone == sum(firms for _, firms in programme.awards)
        assert np.unique(programme.reached).size == programme.reached.size, "a firm was taken on twice"
        assert _close(float(model.chain_heads.awards.sum()), programme.reached.size + programme.gone)


def check_firms_that_give_up_are_let_go(cls: type[Instrument]) -> None:
    """When a firm that was taken on gives up, the entrant in its place is not taken on with it."""
    model = scene(full(cls), weather=STORMY)
    programme = programme_of(model, cls)
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
    """It takes on firms and spends in its window alone."""
    start, length = 3, 4
    for weather in (CALM, STORMY):
        model, spent, _, _ = spent_by_month(full(cls, start=start, length=length), weather=weather)
        assert [month for month, _ in programme_of(model, cls).awards] == list(range(start, start + length))
        outside = [amount for month, amount in enumerate(spent, start=1) if not start <= month < start + length]
        assert not any(outside), f"spent {outside} outside its window"


def check_capacity_limits_awards_of_a_month(cls: type[Instrument]) -> None:
    """It takes on no more firms in a month than its capacity."""
    for capacity in (0, 2):
        awards = programme_of(run(full(cls, monthly_capacity=capacity), weather=STORMY), cls).awards
        assert all(firms <= capacity for _, firms in awards)
        assert sum(firms for _, firms in awards) == capacity * MONTHS


def check_ramp_holds_reach_back(cls: type[Instrument]) -> None:
    """Along the ramp it reaches the share of that month, and the whole at the end."""
    able = int(full(cls).eligible(scene()).sum())
    ramped = np.cumsum([firms for _, firms in programme_of(run(full(cls, ramp=5, reach=0.8)), cls).awards])
    assert ramped[-1] > 0
    # Some eligible firms may come and go; the full reach is what it would be at once, to a firm or two.
    assert (ramped[:5] <= 0.8 * able * np.arange(1, 6) / 5 + 2).all()
    later = scene()
    later.run(5)
    assert ramped[4] >= 0.8 * min(able, int(full(cls).eligible(later).sum())) - 2


def check_sizes_are_respected(cls: type[Instrument]) -> None:
    """It takes on firms of eligible sizes alone."""
    for size in range(len(SIZE_CLASSES)):
        model = run(full(cls, sizes=(SIZE_CLASSES[size],)), months=3, weather=STORMY)
        assert (model.firms.size_class[programme_of(model, cls).reached] == size).all()


def check_targeting_takes_the_highest_scores_first(cls: type[Instrument]) -> None:
    """In every month, among the firms that could then be taken on; ties are decided by a draw that is the same in all months."""
    for rule in TARGETING:
        for levers in ({"reach": 0.3}, {"reach": 1.0, "monthly_capacity": 3}):
            taken_on = taken_on_each_month(cls, targeting=rule, **levers)
            assert sum(len(chosen) for chosen, _ in taken_on) >= 9
            for month, (chosen, order) in enumerate(taken_on, start=1):
                assert chosen == order[: len(chosen)], f"{rule}, month {month}: took on {chosen}, not the first of {order}"


def check_random_targeting_is_nested(cls: type[Instrument]) -> None:
    """At the start a larger reach takes on all firms of a smaller one; later this depends on what the programme did."""

    def reached(share: float) -> set[int]:
        return set(programme_of(run(full(cls, targeting="random", reach=share), months=1), cls).reached.tolist())

    assert reached(0.3) < reached(0.6), "who is reached at 0.3 is not reached at 0.6"


# -- laws ------------------------------------------------------------------------------------------


def check_same_key_same_bits(cls: type[Instrument]) -> None:
    """The same random numbers give the same bits."""
    for weather in (CALM, STORMY):
        assert differing(run(full(cls), weather=weather), run(full(cls), weather=weather)) == []


def _laws_hold_at_the_ends(cls: type[Instrument], levers: Iterable[str]) -> None:
    """Run in the storm, all laws checked: each lever at the low end of its range with a budget, at the high end without one."""
    small = random_network(21, firms=40)
    known = numeric(cls)
    for name in levers:
        f = known[name]
        for end, budget in zip(f.metadata["range"], (20_000.0, None), strict=True):
            value = (end,) * len(f.default) if isinstance(f.default, tuple) else end
            given: dict[str, Any] = {"budget": budget, "length": 3, name: value}
            world(small, STORMY, (full(cls, **given),), burn_in=1, check=True).run(5)


def check_laws_hold_at_the_ends_of_its_own_levers(cls: type[Instrument]) -> None:
    """The laws of the model hold at both ends of every lever that it alone has, and of its reach."""
    _laws_hold_at_the_ends(cls, ["reach", *(name for name in numeric(cls) if name not in numeric(Delivery))])


def check_laws_hold_at_the_ends_of_the_levers_of_delivery(cls: type[Instrument]) -> None:
    """The laws of the model hold at both ends of every lever that all instruments have."""
    _laws_hold_at_the_ends(cls, [name for name in numeric(cls) if name in numeric(Delivery)])


#: Checks of what an instrument does in its own way.
OF_INSTRUMENT: tuple[Callable[[type[Instrument]], None], ...] = (
    check_it_names_a_practice_and_a_source,
    check_its_labels_are_written,
    check_what_its_effect_hinges_on_is_a_setting,
    check_doses_shown_rise_and_hold_the_default,
    check_every_lever_is_declared,
    check_its_dose_is_a_lever_from_0,
    check_levers_out_of_range_are_refused,
    check_unknown_choices_are_refused,
    check_its_settings_cannot_change,
    check_dose_0_changes_no_bit,
    check_window_in_the_future_changes_no_bit_before,
    check_window_of_no_length_changes_no_bit,
    check_it_does_something,
    check_costs_are_booked,
    check_what_firms_pay_leaves_their_cash,
    check_same_key_same_bits,
    check_laws_hold_at_the_ends_of_its_own_levers,
)
#: Checks of what all instruments inherit from `Delivery` and `Programme`: one instrument that changes nothing of these is enough.
OF_DELIVERY: tuple[Callable[[type[Instrument]], None], ...] = (
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
    check_laws_hold_at_the_ends_of_the_levers_of_delivery,
)
CHECKS = (*OF_INSTRUMENT, *OF_DELIVERY)


def check_instrument(cls: type[Instrument]) -> None:
    """Check that an instrument class keeps the contract; raise an AssertionError with the first rule that it breaks."""
    for check in CHECKS:
        try:
            check(cls)
        except AssertionError as broken:
            raise AssertionError(f"{cls.__name__} breaks the contract, {_breach(check, broken)}") from broken


def failures(cls: type[Instrument]) -> list[str]:
    """Return the rules of the contract that an instrument class breaks, one line each; empty if it keeps the contract.

    It takes some 15 seconds. Any other error in a check counts as well, for example a column that does not exist.
    """
    breaches = []
    for check in CHECKS:
        try:
            check(cls)
        except Exception as broken:  # a user's code can raise any error
            breaches.append(_breach(check, broken if isinstance(broken, AssertionError) else f"{type(broken).__name__}: {broken}"))
    return breaches


def _breach(check: Callable[[type[Instrument]], None], reason: object) -> str:
    return f"{check.__name__.replace('_', ' ')}: {reason}"
