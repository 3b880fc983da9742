"""Random numbers: any draw can be made alone, in any order, anywhere; what is drawn is turned into counts by inversion."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

import agents.streams
from agents.streams import Streams, binomial, decision_key, normal, poisson, replicate_keys

WORD = 2**64
LAST = 1.0 - 2.0**-53  # the largest uniform there is
#: (counter, key, words) published with Random123 for philox4x64-10.
KNOWN_ANSWERS = {
    "zeros": (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    "ones": (
        (WORD - 1,) * 4,
        (WORD - 1,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    "pi": (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
}

any_word = st.integers(0, WORD - 1)
keys = st.tuples(any_word, any_word)
months = st.integers(-600, 600)
slots = st.integers(0, 1000)
uniforms = st.floats(0.0, LAST) | st.sampled_from([0.0, 0.5, LAST])
chances = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.5, 1.0])


def alone(function, u: float, *parameters: float) -> int:
    """A count for one uniform."""
    return int(function(np.array([u]), *(np.array([value]) for value in parameters))[0])


# -- the source ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS.values(), ids=KNOWN_ANSWERS.keys())
def test_published_known_answers_of_philox(monkeypatch, counter, key, answer):
    """The address is the counter: block of places, month, decision, slot; the replicate is the key."""
    block, month, decision, slot = counter
    monkeypatch.setattr(agents.streams, "decision_key", lambda name: decision)
    assert tuple(Streams(key)._bits("any", month, slot, block).random_raw(4).tolist()) == answer


def test_known_answer_as_uniforms(monkeypatch):
    """Places 0 … 3 of the all-zero address hold the first 53 bits of the published words."""
    monkeypatch.setattr(agents.streams, "decision_key", lambda name: 0)
    _, key, answer = KNOWN_ANSWERS["zeros"]
    expected = [(word >> 11) * 2.0**-53 for word in answer]
    assert Streams(key).uniform("any", 0, 4).tolist() == expected
    assert Streams(key).uniform_at("any", 0, [3, 1, 0, 2]).tolist() == [expected[place] for place in (3, 1, 0, 2)]


def test_decision_keys_are_fixed_for_ever():
    """A changed key would change every result that was ever published."""
    assert decision_key("product renewal") == 8242549303082455176
    assert len({decision_key(f"decision {k}") for k in range(1000)}) == 1000


# -- a draw belongs to its address -----------------------------------------------------------------


@given(keys, months, slots, st.integers(1, 40), st.integers(0, 400))
def test_added_places_leave_every_other_draw_as_it_is(key, month, slot, n, added):
    streams = Streams(key)
    assert np.array_equal(streams.uniform("a", month, n + added, slot)[:n], streams.uniform("a", month, n, slot))


@given(keys, months, slots, st.lists(st.integers(0, 300), max_size=30))
def test_a_draw_alone_equals_the_draw_in_a_batch(key, month, slot, places):
    """In any order, any number, with repetition."""
    streams = Streams(key)
    batch = streams.uniform("a", month, 301, slot)
    assert np.array_equal(streams.uniform_at("a", month, places, slot), batch[np.array(places, dtype=int)])
    for place in places[:3]:
        assert streams.uniform_at("a", month, place, slot) == batch[place]


def test_many_draws_alone_equal_those_one_by_one():
    """More than a few are computed together, by formulas of our own; NumPy's generator judges them."""
    streams = Streams((7, WORD - 1))
    places = np.random.default_rng(1).integers(0, 10**6, 200)
    for slot in (0, 3, 2**40):
        one_by_one = [streams.uniform_at("a", -3, [place], slot)[0] for place in places]
        assert np.array_equal(streams.uniform_at("a", -3, places, slot), one_by_one)


@given(keys, months, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 900)), max_size=40), st.integers(1, 3))
def test_draws_of_places_with_slots(key, month, pairs, turns):
    """Slots of many places and of few are drawn in different ways; each has the bits of its address."""
    streams = Streams(key)
    crowd = np.arange(700)  # slot 0 has many places
    places = np.concatenate([crowd, np.array([p for p, _ in pairs], dtype=np.int64)])
    slots = np.concatenate([np.zeros(700, dtype=np.int64), np.array([s for _, s in pairs], dtype=np.int64)])
    drawn = streams.uniform_of_slots("a", month, places, slots, turns)
    assert drawn.shape == (turns, places.size)
    for turn in range(turns):
        assert np.array_equal(drawn[turn, :700], streams.uniform("a", month, 700, turn * 2**32))
        for k in range(700, min(places.size, 705)):
            assert drawn[turn, k] == streams.uniform_at("a", month, [places[k]], int(slots[k]) + turn * 2**32)[0]


def test_no_places_with_slots_are_no_draws():
    empty = np.zeros(0, dtype=np.int64)
    assert Streams((1, 2)).uniform_of_slots("a", 1, empty, empty, 2).shape == (2, 0)


def test_a_negative_place_or_slot_is_refused():
    many = np.arange(100)
    for places, slots in ((many - 1, many * 7), (many[:3] - 1, many[:3])):
        with pytest.raises(ValueError, match="negative place or slot"):
            Streams((1, 2))._alone("a", 1, places, slots)


@given(keys, months, st.integers(1, 30), st.integers(1, 6))
def test_slots_are_draws_of_their_own(key, month, n, count):
    streams = Streams(key)
    together = streams.uniforms("a", month, n, count)
    assert together.shape == (n, count)
    for slot in range(count):
        assert np.array_equal(together[:, slot], streams.uniform("a", month, n, slot))


@given(keys, st.lists(st.tuples(st.sampled_from("abc"), months, slots), min_size=2, max_size=8))
def test_what_was_drawn_before_does_not_matter(key, addresses):
    streams = Streams(key)
    drawn = [streams.uniform(decision, month, 5, slot) for decision, month, slot in addresses]
    again = [streams.uniform(decision, month, 5, slot) for decision, month, slot in reversed(addresses)]
    assert np.array_equal(drawn, again[::-1])
    assert np.array_equal(Streams(key).uniform(*addresses[-1][:2], 5, addresses[-1][2]), drawn[-1])


#: Names of decisions, Chinese too; of all characters there are, hypothesis would make a table first, which takes seconds.
names = st.text("ab z,0年链质量")


@settings(max_examples=40)
@given(st.tuples(keys, names, months, slots), st.tuples(keys, names, months, slots))
def test_different_addresses_have_different_draws(one, other):
    """Another replicate, decision, month (of the burn-in too) or slot: all five draws differ."""
    assume(one != other)

    def draw(address):
        key, decision, month, slot = address
        return Streams(key).uniform(decision, month, 5, slot)

    assert (draw(one) != draw(other)).all()


@pytest.mark.parametrize("part", ["replicate", "decision", "month", "slot"])
def test_neighbouring_addresses_are_uncorrelated(part):
    base = {"replicate": (1, 2), "decision": "a", "month": 0, "slot": 0}
    next_to_it = {"replicate": (2, 2), "decision": "b", "month": -1, "slot": 1}

    def draw(replicate, decision, month, slot):
        return Streams(replicate).uniform(decision, month, 20_000, slot)

    r = np.corrcoef(draw(**base), draw(**{**base, part: next_to_it[part]}))[0, 1]
    assert abs(r) < 4.0 / np.sqrt(20_000)


@given(months, slots)
def test_numbers_of_numpy_address_the_same_draws(month, slot):
    streams = Streams((1, 2))
    assert np.array_equal(streams.uniform("a", np.int64(month), 3, np.int64(slot)), streams.uniform("a", month, 3, slot))


@pytest.mark.parametrize("address", [{"places": [-1]}, {"places": [0], "slot": -1}, {"places": [0], "slot": WORD}])
def test_an_invalid_address_is_refused(address):
    with pytest.raises(ValueError, match="no draw of 'a'"):
        Streams((1, 2)).uniform_at("a", 1, **address)


@pytest.mark.parametrize("address", [{"month": 1.5}, {"month": 1, "slot": 0.5}])
def test_fractions_of_months_and_slots_are_refused(address):
    with pytest.raises(TypeError):
        Streams((1, 2)).uniform("a", n=3, **address)


def test_no_places_are_no_draws():
    assert Streams((1, 2)).uniform("a", 1, 0).shape == (0,)
    assert Streams((1, 2)).uniforms("a", 1, 0, 4).shape == (0, 4)
    assert Streams((1, 2)).uniform_at("a", 1, np.empty((0, 3), dtype=int)).shape == (0, 3)


def test_shape_of_places_is_kept():
    places = np.arange(6).reshape(2, 3)
    assert np.array_equal(Streams((1, 2)).uniform_at("a", 1, places).ravel(), Streams((1, 2)).uniform("a", 1, 6))


@given(st.sampled_from("abc"), months)
def test_renaming_changes_the_named_decision_alone(decision, month):
    plain, renamed = Streams((1, 2)), Streams((1, 2), rename={"b": "another b"})
    same = np.array_equal(plain.uniform(decision, month, 9), renamed.uniform(decision, month, 9))
    assert same is (decision != "b")
    assert np.array_equal(renamed.uniform("b", month, 9), plain.uniform("another b", month, 9))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda streams: pickle.loads(pickle.dumps(streams))], ids=["deepcopy", "pickle"])
def test_copies_draw_the_same_random_numbers(copied):
    streams = Streams((1, 2), rename={"b": "c"})
    assert np.array_equal(copied(streams).uniform("b", 3, 9), streams.uniform("b", 3, 9))


@pytest.mark.parametrize("key", [(1,), (1, 2, 3), (-1, 0), (0, WORD)])
def test_an_invalid_key_is_refused(key):
    with pytest.raises(ValueError, match="two words of 64 bits"):
        Streams(key)


# -- replicates ------------------------------------------------------------------------------------


@given(st.integers(0, 2**64), st.integers(0, 20), st.integers(0, 20))
def test_the_first_replicates_stay_when_there_are_more(seed, first, added):
    assert replicate_keys(seed, first + added)[:first] == replicate_keys(seed, first)


def test_replicates_of_neighbouring_seeds_share_nothing():
    made = [key for seed in range(200) for key in replicate_keys(seed, 20)]
    assert len(set(made)) == len(made)
    assert len({word for key in made for word in key}) == 2 * len(made)
    Streams(made[0])


@pytest.mark.study
def test_draws_do_not_depend_on_the_hash_seed_of_python():
    """Another process, whose `hash` of a string is another, draws the same."""
    code = (
        "from agents.streams import *; key = replicate_keys(7, 3)[2]; "
        "print(key, decision_key('质量'), Streams(key).uniform('质量', -3, 5, 2).tobytes().hex())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True, encoding="utf-8"
    ).stdout
    key = replicate_keys(7, 3)[2]
    assert printed.strip() == f"{key} {decision_key('质量')} {Streams(key).uniform('质量', -3, 5, 2).tobytes().hex()}"


# -- inversions ------------------------------------------------------------------------------------


def is_inverse(count: int, u: float, cumulative) -> bool:
    """Whether a count is the smallest whose cumulative probability exceeds u, to rounding."""
    return cumulative(count) >= u - 1e-12 and (count == 0 or cumulative(count - 1) <= u + 1e-12)


@settings(max_examples=300)
@given(uniforms, st.floats(0.0, 60.0) | st.floats(60.0, 5e5) | st.sampled_from([0.0, 1e-300, 50.0, 499.9, 500.1, 745.2, 800.0]))
def test_poisson_inverts_its_distribution(u, mean):
    assert is_inverse(alone(poisson, u, mean), u, lambda k: stats.poisson.cdf(k, mean))


@settings(max_examples=300)
@given(uniforms, st.integers(0, 30) | st.integers(30, 5000), chances)
def test_binomial_inverts_its_distribution(u, n, p):
    count = alone(binomial, u, n, p)
    assert 0 <= count <= n
    assert is_inverse(count, u, lambda k: stats.binom.cdf(k, n, p))


def test_counts_of_a_large_batch_equal_those_of_scipy():
    r = np.random.default_rng(1)
    u, mean, n, p = r.random(20_000), 10.0 ** r.uniform(-3, 3.5, 20_000), r.integers(0, 2_000, 20_000), r.random(20_000)
    assert np.array_equal(poisson(u, mean), stats.poisson.ppf(u, mean))
    assert np.array_equal(binomial(u, n, p), stats.binom.ppf(u, n, p))
    assert np.allclose(normal(u), stats.norm.ppf(u), rtol=0.0, atol=1e-9)


@given(uniforms, uniforms)
def test_normal_rises_with_u(u, v):
    low, high = normal(np.array(sorted([u, v])))
    assert low <= high and np.isfinite([low, high]).all()


@given(st.floats(1e-6, 0.5))
def test_normal_is_odd_about_one_half(u):
    below, above = normal(np.array([u, 1.0 - u]))
    assert below == pytest.approx(-above, abs=1e-8)


@settings(max_examples=200)
@given(st.floats(0.0, 1.0 - 1e-9), st.floats(0.0, 1.0 - 1e-9), st.floats(0.0, 2000.0), st.floats(0.0, 2000.0))
def test_poisson_rises_with_u_and_with_the_mean(u, v, mean, other):
    low, high = sorted([u, v])
    assert alone(poisson, low, mean) <= alone(poisson, high, mean)
    assume(mean == other or abs(mean - other) > 1e-9)
    assert alone(poisson, u, min(mean, other)) <= alone(poisson, u, max(mean, other))


@settings(max_examples=200)
@given(st.floats(0.0, 1.0 - 1e-9), st.floats(0.0, 1.0 - 1e-9), st.integers(0, 1000), st.integers(0, 1000), chances, chances)
def test_binomial_rises_with_u_with_n_and_with_p(u, v, n, other_n, p, other_p):
    low, high = sorted([u, v])
    assert alone(binomial, low, n, p) <= alone(binomial, high, n, p)
    assert alone(binomial, u, min(n, other_n), p) <= alone(binomial, u, max(n, other_n), p)
    assume(p == other_p or abs(p - other_p) > 1e-9)
    assert alone(binomial, u, n, min(p, other_p)) <= alone(binomial, u, n, max(p, other_p))


@pytest.mark.parametrize("u", [0.0, 0.5, LAST])
def test_what_is_impossible_never_happens_and_what_is_certain_always(u):
    assert alone(poisson, u, 0.0) == 0
    assert alone(binomial, u, 0, 0.5) == 0
    assert alone(binomial, u, 7, 0.0) == 0
    assert alone(binomial, u, 7, 1.0) == alone(binomial, max(u, 1e-9), 7, LAST) == 7


def test_the_ends_of_the_unit_interval_stay_finite():
    """The extremes are those of a double below 1: some 8.2 standard deviations."""
    assert -8.3 < normal(np.array([0.0]))[0] < -8.2 < 0.0 == normal(np.array([0.5]))[0] < 8.1 < normal(np.array([LAST]))[0] < 8.3
    for mean, low, high in ((50.0, 110, 130), (400.0, 560, 600), (1000.0, 1260, 1290)):
        assert 0 <= alone(poisson, 0.0, mean) < 0.8 * mean
        assert low < alone(poisson, LAST, mean) < high
    assert alone(binomial, 0.0, 1000, 0.5) < 380
    assert 620 < alone(binomial, LAST, 1000, 0.5) < 640


def test_shapes_are_kept_and_parameters_broadcast():
    u = Streams((1, 2)).uniforms("a", 1, 6, 4)
    mean, p = np.full((6, 1), 2.0), np.full((6, 1), 0.3)
    for count in (poisson(u, mean), poisson(u, 700.0), binomial(u, np.arange(4), p), binomial(u, 2000, 0.5)):
        assert count.shape == u.shape and count.dtype == np.int64
    assert poisson(np.empty(0), np.empty(0)).shape == (0,)
    assert binomial(np.empty((0, 4)), 3, 0.5).shape == (0, 4)
    assert poisson(np.array(0.5), np.array(2.0)).shape == ()


def test_inversions_leave_their_input_alone():
    u, mean, n, p = np.full(3, 0.7), np.array([1.0, 30.0, 900.0]), np.array([3, 40, 3000]), np.array([0.2, 0.5, 0.9])
    kept = [part.copy() for part in (u, mean, n, p)]
    normal(u), poisson(u, mean), binomial(u, n, p)
    assert all(np.array_equal(a, b) for a, b in zip((u, mean, n, p), kept, strict=True))


# -- distributions ---------------------------------------------------------------------------------


def test_uniforms_and_normals_have_their_distributions():
    u = Streams(replicate_keys(1, 1)[0]).uniform("sanity", 1, 50_000)
    assert u.min() >= 0.0 and u.max() < 1.0
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert stats.kstest(normal(u), "norm").pvalue > 1e-3


@pytest.mark.parametrize("mean", [0.08, 3.0, 50.0, 600.0])
def test_counts_have_their_moments(mean):
    u = Streams(replicate_keys(2, 1)[0]).uniform("sanity", 1, 50_000)
    count = poisson(u, np.full(u.shape, mean))
    assert count.mean() == pytest.approx(mean, abs=4.0 * np.sqrt(mean / u.size))
    assert count.var() == pytest.approx(mean, rel=0.05)
    trials = binomial(u, np.full(u.shape, 20), np.full(u.shape, 0.3))
    observed = np.bincount(trials, minlength=21)
    expected = stats.binom.pmf(np.arange(21), 20, 0.3) * u.size
    common = expected > 5
    assert stats.chisquare(observed[common], expected[common] * observed[common].sum() / expected[common].sum()).pvalue > 1e-3
