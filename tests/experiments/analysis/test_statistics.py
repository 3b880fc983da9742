"""Statistics against closed forms, published values, scipy, and simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from experiments.analysis.statistics import (
    BOOTSTRAP_SEED,
    FEWEST,
    RESAMPLES,
    Intervals,
    adjusted_p_values,
    bootstrap_intervals,
    further_replicates,
    mean_intervals,
    p_values,
    ratio_intervals,
    replicates_needed,
    shown_intervals,
    variance_ratios,
)

ALIKE = {"rtol": 1e-9, "atol": 1e-12}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def covers(intervals: Intervals, truth: float) -> float:
    """Share of the intervals that hold the truth."""
    return float(np.mean((intervals.low <= truth) & (truth <= intervals.high)))


def with_moments(mean: tuple[float, float], error: tuple[float, float], n: int) -> tuple[NDArray, NDArray]:
    """Two uncorrelated samples of exactly these means and standard errors."""
    raw = rng().normal(size=(n, 2))
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), raw]))
    x, y = (basis[:, 1 + k] * error[k] * np.sqrt(n * (n - 1)) + mean[k] for k in range(2))
    return x, y


# -- bootstrap -------------------------------------------------------------------------------------------


def test_the_bootstrap_is_what_its_definition_says():
    """Resample by resample: the studentised mean of the values drawn so often."""
    x = rng(1).exponential(size=25)
    students = []
    for counts in rng(BOOTSTRAP_SEED).multinomial(25, np.full(25, 1 / 25), RESAMPLES):
        drawn = np.repeat(x, counts)
        students.append((drawn.mean() - x.mean()) / stats.sem(drawn))
    students.sort()
    got = bootstrap_intervals(x)
    np.testing.assert_allclose(got.low, x.mean() - students[1949] * stats.sem(x), **ALIKE)  # 50th from above
    np.testing.assert_allclose(got.high, x.mean() - students[49] * stats.sem(x), **ALIKE)
    assert got.mean == pytest.approx(x.mean()) and got.n == 25


def test_a_column_has_the_same_bootstrap_alone_among_others_and_again():
    x = rng(2).exponential(size=(30, 300))  # more than a block
    x[3, 5:9] = np.nan
    together = bootstrap_intervals(x)
    for column in (0, 4, 5, 8, 299):
        alone = bootstrap_intervals(x[:, column])
        bare = bootstrap_intervals(x[~np.isnan(x[:, column]), column])
        np.testing.assert_allclose([part[column] for part in together], alone, **ALIKE)
        np.testing.assert_allclose(alone, bare, **ALIKE)
    np.testing.assert_array_equal(together.low, bootstrap_intervals(x).low)
    shaped = bootstrap_intervals(x.reshape(30, 3, 100))
    np.testing.assert_array_equal(shaped.high, together.high.reshape(3, 100))


def test_the_bootstrap_follows_units_and_direction():
    x = rng(3).lognormal(size=40)
    plain, scaled, turned = bootstrap_intervals(x), bootstrap_intervals(1e-6 * x + 7.0), bootstrap_intervals(-x)
    np.testing.assert_allclose((scaled.low, scaled.high), (1e-6 * plain.low + 7.0, 1e-6 * plain.high + 7.0), rtol=1e-9)
    np.testing.assert_allclose((turned.low, turned.high), (-plain.high, -plain.low), rtol=1e-9)


def test_the_bootstrap_has_no_interval_for_degenerate_samples():
    too_few, even, missing = rng().normal(size=FEWEST - 1), np.full(30, 0.1), np.full(30, np.nan)
    lone = np.r_[np.zeros(29), 1.0]  # four of ten resamples hold it never
    for values in (too_few, even, missing, lone):
        got = bootstrap_intervals(values)
        assert np.isnan(got.low) and np.isnan(got.high)
    assert np.isnan(bootstrap_intervals(np.empty((1, 3))).low).all()


@pytest.mark.parametrize(
    ("draw", "truth", "n"),
    [("lognormal", np.exp(0.5), 20), ("exponential", 1.0, 20), ("exponential", 1.0, 50)],
)
def test_the_bootstrap_covers_better_where_values_are_skewed(draw, truth, n):
    x = getattr(rng(4), draw)(size=(n, 3000))
    shown, _ = shown_intervals(x)
    assert covers(shown, truth) > covers(mean_intervals(x), truth)
    assert covers(bootstrap_intervals(x), truth) > {"lognormal": 0.90, "exponential": 0.93}[draw]


@pytest.mark.parametrize("n", [10, 20, 100])
def test_intervals_shown_for_normal_values_have_their_nominal_coverage(n):
    x = rng(5).normal(size=(n, 4000))
    shown, skewed = shown_intervals(x)
    assert 0.94 < covers(shown, 0.0) < 0.96
    assert skewed.mean() < (0.35 if n == 10 else 0.1)


def test_skewness_decides_which_interval_is_shown():
    x = np.concatenate([rng(6).exponential(size=(40, 200)), rng(7).normal(size=(40, 200))], axis=1)
    shown, skewed = shown_intervals(x)
    np.testing.assert_array_equal(skewed, 25 * stats.skew(x, axis=0) ** 2 >= 40)
    assert 0 < skewed[:200].mean() < 1
    student, boot = mean_intervals(x), bootstrap_intervals(x)
    np.testing.assert_allclose(shown.low, np.where(skewed, np.minimum(boot.low, student.low), student.low), **ALIKE)
    np.testing.assert_allclose(shown.high, np.where(skewed, np.maximum(boot.high, student.high), student.high), **ALIKE)
    np.testing.assert_array_equal(shown.mean, student.mean)


@pytest.mark.parametrize("n", [10, 20, 50])
def test_zero_effects_with_long_tails_are_not_shown_to_differ_from_0(n):
    """Two arms that do the same differ symmetrically, yet a sample with one far value looks skewed."""
    rare = rng(26).normal(size=(n, 2000)) * (rng(27).random((n, 2000)) < 0.2)
    far = rng(28).lognormal(size=(n, 2000)) - rng(29).lognormal(size=(n, 2000))
    for x in (rare, far, rng(30).standard_t(2, (n, 2000))):
        shown, skewed = shown_intervals(x)
        assert skewed.mean() > 0.1
        assert covers(shown, 0.0) > 0.95
        assert ((p_values(x) < 0.05) | (shown.low <= 0.0) & (shown.high >= 0.0)).all()


@pytest.mark.parametrize("values", [[5.0], [1.0, 9.0], [0.0] * 12, [0.1] * 12, [np.nan] * 12, [0.0] * 29 + [1.0]])
def test_where_the_bootstrap_has_no_interval_students_is_shown(values):
    shown, skewed = shown_intervals(values)
    np.testing.assert_array_equal(shown, mean_intervals(values))
    assert not skewed


def test_one_skewed_outcome_without_further_axes():
    x = rng(8).lognormal(size=30)
    shown, skewed = shown_intervals(x)
    assert skewed and shown.high == pytest.approx(float(bootstrap_intervals(x).high), rel=1e-9)
    assert shown.low == mean_intervals(x).low


# -- multiple comparisons -------------------------------------------------------------------------------------


def test_p_values_are_students():
    x = rng(9).normal(0.3, 1.0, (12, 50))
    np.testing.assert_allclose(p_values(x), stats.ttest_1samp(x, 0.0).pvalue, **ALIKE)
    x[:4, :20] = np.nan
    np.testing.assert_allclose(p_values(x), stats.ttest_1samp(x, 0.0, nan_policy="omit").pvalue, **ALIKE)
    inside = (lambda intervals: (intervals.low <= 0.0) & (intervals.high >= 0.0))(mean_intervals(x))
    np.testing.assert_array_equal(p_values(x) >= 0.05, inside)


def test_p_values_without_spread():
    assert p_values(np.zeros(5)) == 1.0
    assert p_values(np.full(5, 2.0)) == 0.0
    assert np.isnan(p_values([3.0])) and np.isnan(p_values([np.nan, np.nan]))


#: Benjamini & Hochberg (1995), section 4.1: myocardial infarction, 15 comparisons.
PUBLISHED = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]


def test_the_published_example_of_many_comparisons():
    """The paper finds four at a false discovery rate of 5 %, and three by the stepwise familywise procedures."""
    assert (adjusted_p_values(PUBLISHED, "bh") <= 0.05).sum() == 4
    assert (adjusted_p_values(PUBLISHED) <= 0.05).sum() == 3
    np.testing.assert_allclose(adjusted_p_values(PUBLISHED, "bh")[:4], [0.0015, 0.003, 0.0095, 0.035625])
    np.testing.assert_allclose(adjusted_p_values(PUBLISHED)[:4], [0.0015, 0.0056, 0.0247, 0.114])


def test_adjusted_by_hand_in_any_order_and_shape():
    """0.01 to 0.05: by Holm 5 · 0.01, 4 · 0.02, 3 · 0.03, then never less; by Benjamini and Hochberg all 0.05."""
    p = np.array([[0.05, 0.02, np.nan], [0.01, 0.04, 0.03]])
    np.testing.assert_allclose(adjusted_p_values(p), [[0.09, 0.08, np.nan], [0.05, 0.09, 0.09]])
    np.testing.assert_allclose(adjusted_p_values(p, "bh"), [[0.05, 0.05, np.nan], [0.05, 0.05, 0.05]])


def test_bonferroni_multiplies_by_the_size_of_the_family():
    adjusted = adjusted_p_values([0.01, np.nan, 0.4, 0.02], "bonferroni")
    np.testing.assert_allclose(adjusted, [0.03, np.nan, 1.0, 0.06])


def test_adjusted_p_values_of_edge_cases():
    for method in ("holm", "bh", "bonferroni"):
        assert adjusted_p_values([], method).size == 0
        assert np.isnan(adjusted_p_values([np.nan], method)).all()
        assert adjusted_p_values(0.2, method) == 0.2
    assert (adjusted_p_values([0.6, 0.7]) == 1.0).all()
    with pytest.raises(ValueError, match="'holm', 'bh' or 'bonferroni'"):
        adjusted_p_values([0.1], "sidak")


def test_false_findings_are_as_rare_as_the_level_promises():
    """Twenty comparisons, of which four are real: chance of any false finding, share of false ones."""
    shift = np.repeat([1.5, 0.0], [4, 16])
    p = p_values(rng(10).normal(size=(15, 1500, 20)) + shift)
    holm = np.array([adjusted_p_values(row) <= 0.05 for row in p])
    bh = np.array([adjusted_p_values(row, "bh") <= 0.05 for row in p])
    assert holm[:, 4:].any(axis=1).mean() < 0.065
    assert (bh[:, 4:].sum(axis=1) / np.maximum(bh.sum(axis=1), 1)).mean() < 0.055
    assert (p[:, 4:] <= 0.05).any(axis=1).mean() > 0.5  # without a correction
    assert bh[:, :4].mean() >= holm[:, :4].mean() > 0.9


# -- ratios -------------------------------------------------------------------------------------------------


def test_a_published_ratio():
    """14 ± 3 over 7 ± 2, 10 degrees of freedom, level 90 %: the reference output of DCSTATS (D. Colquhoun)."""
    got = ratio_intervals(*with_moments((14.0, 7.0), (3.0, 2.0), 11), level=0.90)
    np.testing.assert_allclose((got.ratio, got.low, got.high), (2.0, 1.051413, 4.414296), rtol=1e-5)
    assert got.defined


def test_at_the_bounds_of_a_ratio_a_t_test_is_just_significant():
    x, y = rng(12).multivariate_normal([3.0, 2.0], [[1.0, 0.6], [0.6, 1.5]], (20, 40)).transpose(2, 0, 1)
    got = ratio_intervals(x, y)
    assert got.defined.all() and ((got.low < got.ratio) & (got.ratio < got.high)).all()
    for bound in (got.low, got.high):
        np.testing.assert_allclose(stats.ttest_1samp(x - bound * y, 0.0).pvalue, 0.05, rtol=1e-6)


def test_a_ratio_over_what_may_be_zero_is_not_defined():
    x, y = rng(13).normal(1.0, 1.0, (2, 10, 500))
    got, below = ratio_intervals(x, y), mean_intervals(y)
    np.testing.assert_array_equal(got.defined, (below.low > 0.0) | (below.high < 0.0))
    assert 0.1 < got.defined.mean() < 0.9
    for part in (got.ratio, got.low, got.high):
        np.testing.assert_array_equal(np.isnan(part), ~got.defined)


def test_intervals_of_ratios_have_their_nominal_coverage():
    x, y = rng(14).multivariate_normal([3.0, 2.0], [[4.0, -1.0], [-1.0, 1.0]], (12, 4000)).transpose(2, 0, 1)
    got = ratio_intervals(x, y)
    assert got.defined.mean() > 0.99
    assert 0.94 < ((got.low <= 1.5) & (1.5 <= got.high))[got.defined].mean() < 0.96


def test_ratios_of_degenerate_samples():
    exact = ratio_intervals([6.0, 6.0, 6.0], [3.0, 3.0, 3.0])
    np.testing.assert_allclose((exact.ratio, exact.low, exact.high), 2.0)
    free = ratio_intervals(np.zeros(5), np.arange(1.0, 6.0))
    np.testing.assert_allclose((free.ratio, free.low, free.high), 0.0, atol=1e-12)
    proportional = ratio_intervals(3.0 * np.arange(1.0, 6.0), np.arange(1.0, 6.0))
    np.testing.assert_allclose((proportional.low, proportional.high), 3.0, rtol=1e-6)
    for none in (([1.0], [1.0]), (np.ones(5), np.zeros(5)), ([np.nan] * 3, np.ones(3))):
        got = ratio_intervals(*none)
        assert not got.defined and np.isnan([got.ratio, got.low, got.high]).all()


def test_a_pair_without_its_other_half_is_left_out():
    x, y = rng(15).normal(5.0, 1.0, (2, 12))
    gaps, holes = x.copy(), y.copy()
    gaps[0], holes[1] = np.nan, np.nan
    np.testing.assert_allclose(ratio_intervals(gaps, holes), ratio_intervals(x[2:], y[2:]), rtol=1e-12)


# -- enough replicates? -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_replicates_needed_are_the_fewest(level):
    x = rng(16).normal(size=30)
    for half in (0.02, 0.11, 0.3, 0.7, 1.5, 20.0):
        n = np.arange(2, 30000)
        widths = stats.t.ppf(0.5 + level / 2, n - 1) * x.std(ddof=1) / np.sqrt(n)
        assert replicates_needed(x, half, level) == n[widths <= half][0]


def test_replicates_needed_of_degenerate_samples():
    x = np.column_stack([np.full(6, 4.0), np.arange(6.0), np.full(6, np.nan), np.r_[1.0, np.full(5, np.nan)]])
    np.testing.assert_array_equal(replicates_needed(x, 0.0), [2.0, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(replicates_needed(x, [1.0, np.nan, 1.0, 1.0]), [2.0, np.inf, np.nan, np.nan])
    assert np.isnan(replicates_needed([3.0], 1.0))
    assert replicates_needed(np.arange(6.0), 1e-6) > 1e13


def test_more_replicates_where_values_are_missing():
    whole = rng(17).normal(size=20)
    half_known = np.r_[whole, np.full(20, np.nan)]
    assert replicates_needed(half_known, 0.1) == 2 * replicates_needed(whole, 0.1)


def test_the_rule_starts_grows_and_ends():
    x = rng(18).normal(size=(400, 2))
    assert further_replicates(x[:0], 0.1, cap=100) == (False, 20, False)
    assert further_replicates(x[:5], 1e9, cap=100) == (False, 15, False)
    assert further_replicates(x[:5], 1e9, cap=8) == (False, 3, False)
    assert further_replicates(x[:20], 1e9, cap=100) == (True, 0, True)
    assert further_replicates(x[:20], 1e-9, cap=1000) == (False, 20, False)
    assert further_replicates(x[:20], 1e-9, cap=25) == (False, 5, False)
    assert further_replicates(x[:25], 1e-9, cap=25) == (True, 0, False)
    need = int(replicates_needed(x[:80], 0.2).max())
    assert further_replicates(x[:80], 0.2, cap=1000) == (False, max(need - 80, 20), False)


def test_the_most_demanding_outcome_decides():
    calm, wild = rng(19).normal(size=(2, 30)) * [[0.01], [1.0]]
    both = np.column_stack([calm, wild])
    assert further_replicates(calm, 0.1, cap=500).stop
    assert further_replicates(both, 0.1, cap=500) == further_replicates(wild, 0.1, cap=500)
    assert further_replicates(both, [0.1, 9.0], cap=500).stop


def test_the_rule_on_degenerate_samples():
    assert further_replicates(np.zeros(20), 0.0, cap=100) == (True, 0, True)
    assert further_replicates(np.full(20, np.nan), 0.1, cap=100) == (False, 5, False)
    assert further_replicates(np.full(100, np.nan), 0.1, cap=100) == (True, 0, False)
    never = np.column_stack([np.zeros(20), np.full(20, np.nan)])  # a group that no replicate has
    assert further_replicates(never, 0.1, cap=100).stop
    once = np.column_stack([np.zeros(20), np.r_[1.0, np.full(19, np.nan)]])
    assert further_replicates(once, 0.1, cap=100) == (False, 20, False)


@pytest.mark.study
@pytest.mark.parametrize("half_width", [0.2, 0.4])
def test_an_interval_after_stopping_still_covers(half_width):
    """Looking and stopping when it is narrow enough costs at most a little of the 95 %."""
    hits, used, wide = [], [], []
    for effects in rng(20).normal(size=(1500, 400)):
        n = 0
        while not (decision := further_replicates(effects[:n], half_width, cap=400)).stop:
            n += decision.further
        interval = mean_intervals(effects[:n])
        hits.append(interval.low <= 0.0 <= interval.high)
        used.append(n)
        wide.append(interval.high - interval.low > 2.0 * half_width)
    assert 0.935 < np.mean(hits) < 0.965
    assert not any(wide)
    known = (stats.norm.ppf(0.975) / half_width) ** 2
    assert known < np.mean(used) < 1.35 * known  # compared with the number needed if the spread were known


# -- the gain of common random numbers ------------------------------------------------------------------------


def test_the_gain_by_an_identity():
    """(var x + var y) / var(x - y) = (1 + var(x + y) / var(x - y)) / 2."""
    x, y = rng(21).normal(size=(2, 15, 6))
    x += 2.0 * y
    np.testing.assert_allclose(variance_ratios(x, y).mean, (1 + (x + y).var(axis=0) / (x - y).var(axis=0)) / 2, rtol=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
def test_the_gain_is_one_over_one_less_the_correlation(correlation):
    base = rng(22).normal(size=(30, 500))
    treated = correlation * base + np.sqrt(1 - correlation**2) * rng(23).normal(size=(30, 500))
    truth, got = 1.0 / (1.0 - correlation), variance_ratios(treated, base)
    assert np.median(got.mean) == pytest.approx(truth, rel=0.06)
    assert 0.88 < covers(got, truth) < 0.97
    assert ((got.low < got.mean) & (got.mean < got.high)).all()


def test_a_gain_is_the_same_alone_and_with_gaps():
    x, y = rng(24).normal(size=(2, 20, 3))
    x += y
    x[0, 1], y[1, 1] = np.nan, np.nan
    together = variance_ratios(x, y)
    for column, rows in ((0, slice(0, None)), (1, slice(2, None))):
        np.testing.assert_allclose([part[column] for part in together], variance_ratios(x[rows, column], y[rows, column]), rtol=1e-9)
    np.testing.assert_array_equal(together, variance_ratios(x, y))


def test_gains_of_degenerate_samples():
    y = rng(25).normal(size=12)
    same = variance_ratios(y, y)
    assert np.isinf(same.mean) and np.isnan([same.low, same.high]).all()
    still = variance_ratios(np.zeros(12), np.ones(12))
    assert np.isnan([still.mean, still.low, still.high]).all()
    three = variance_ratios(y[:3], -y[:3])
    assert three.mean == pytest.approx(0.5) and np.isnan([three.low, three.high]).all() and three.n == 3
    calm = variance_ratios(y, np.zeros(12))  # the reference never varies
    assert calm.mean == 1.0
    one = variance_ratios([1.0], [2.0])
    assert np.isnan(one.mean) and one.n == 1
