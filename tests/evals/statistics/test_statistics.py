"""Properties of the statistics: symmetry, invariance, agreement with SciPy, edges."""

import json
import random
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from functools import partial
from itertools import combinations
from math import inf, nan, sqrt

import numpy as np
import pytest
from evalkit.evals import statistics
from evalkit.evals.statistics import (
    avg_at_k,
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    bootstrap_interval,
    bradley_terry,
    clustered_mean,
    cohen_kappa,
    compare_scores,
    design_effect,
    detectable_effect,
    fleiss_kappa,
    flips,
    holm,
    kendall,
    krippendorff_alpha,
    macro_average,
    maj_at_k,
    mcnemar,
    mean_interval,
    micro_average,
    minimal_detectable_effect,
    paired_bootstrap,
    paired_t,
    pass_at_k,
    pass_hat_k,
    pooled_standard_error,
    rank_models,
    rank_ranges_from_intervals,
    rank_ranges_from_wins,
    sample_size,
    sign_flip,
    spearman,
    style_difference,
    variance_components,
    wilson,
    win_rate,
)
from evalkit.evals.statistics.estimate import critical_value
from evalkit.evals.statistics.significance import tango_bounds
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, xlogy

near = pytest.approx
shares = st.floats(0, 1, allow_nan=False).map(lambda x: round(x, 6))
clustered_scores = st.lists(st.tuples(shares, st.integers(0, 6)), min_size=1, max_size=40)
clustered_pairs = st.lists(
    st.tuples(shares, shares, st.integers(0, 9))
    | st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0]), st.integers(0, 30)),
    min_size=1,
    max_size=40,
)
clustered_verdicts = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 6)), min_size=1, max_size=40)
p_values = st.lists(st.floats(0, 1), max_size=12)


def unzip(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def numbers(estimate):
    return estimate.value, estimate.low, estimate.high, estimate.se


class TestMeanInterval:
    def test_no_observations(self):
        empty = mean_interval([], [])
        assert numbers(empty) == (None, None, None, None)
        assert (empty.n, empty.clusters) == (0, 0)

    @pytest.mark.parametrize(
        ("value", "low", "high"), [(0.0, 0.0, 0.7935), (1.0, 0.2065, 1.0), (0.5, 0.0546, 0.9454)]
    )
    def test_one_observation_says_little(self, value, low, high):
        one = mean_interval([value], ["a"])
        assert (one.value, one.se) == (value, None)
        assert (one.low, one.high) == near((low, high), abs=1e-4)

    @pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
    def test_equal_values_leave_doubt(self, value):
        few, many = mean_interval([value] * 5), mean_interval([value] * 500)
        assert few.se == near(0, abs=1e-12)
        assert few.low <= value <= few.high
        assert few.high - few.low > many.high - many.low > 0

    def test_one_cluster_counts_as_one_observation(self):
        verdicts = mean_interval([1.0, 0.0, 1.0, 1.0], ["a"] * 4)
        assert (verdicts.value, verdicts.se, verdicts.n, verdicts.clusters) == (0.75, None, 4, 1)
        assert verdicts.high - verdicts.low > 0.7

    def test_all_right_counts_clusters_not_observations(self):
        assert mean_interval([1.0] * 30, [i // 3 for i in range(30)]).low == wilson(10, 10).low

    def test_names_that_look_alike_are_different_clusters(self):
        assert mean_interval([0.1, 0.2, 0.3], [1, "1", 2]).clusters == 3

    def test_clusters_that_balance_out_claim_no_more_than_independence(self):
        balanced = mean_interval([1.0, 0.0] * 10, [i // 2 for i in range(20)])
        assert balanced.high - balanced.low > wilson(10, 20).high - wilson(10, 20).low
        graded = mean_interval([0.8, 0.2] * 10, [i // 2 for i in range(20)])
        assert graded.high - graded.low > 0.3

    @pytest.mark.parametrize("bad", [1.0000001, -0.1, nan, inf])
    def test_refuses_what_is_not_a_score(self, bad):
        with pytest.raises(ValueError, match=r"values"):
            mean_interval([0.5, bad], ["a", "b"])

    def test_refuses_unequal_lengths(self):
        with pytest.raises(ValueError, match="2 observations, 1 clusters"):
            mean_interval([0.5, 0.5], ["a"])

    @pytest.mark.parametrize("confidence", [0, 1, 95])
    def test_refuses_confidence(self, confidence):
        with pytest.raises(ValueError, match="confidence"):
            mean_interval([0.5, 0.7], confidence=confidence)

    @given(clustered_scores | clustered_verdicts)
    def test_interval_holds_the_mean_and_stays_inside(self, rows):
        values, clusters = unzip(rows)
        found = mean_interval(values, clusters)
        assert found.value == near(np.mean(values))
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1
        assert found.high > found.low or found.method.endswith("t")

    @given(clustered_scores | clustered_verdicts, st.randoms(use_true_random=False))
    def test_order_and_names_do_not_matter(self, rows, shuffler):
        shuffled = list(rows)
        shuffler.shuffle(shuffled)
        values, clusters = unzip(rows)
        other_values, other_clusters = unzip(shuffled)
        found = mean_interval(values, clusters)
        other = mean_interval(other_values, [f"sample-{name}" for name in other_clusters])
        assert numbers(found) == near(numbers(other), abs=1e-9)

    @given(clustered_scores | clustered_verdicts)
    def test_mirrored_scores_have_the_mirrored_interval(self, rows):
        values, clusters = unzip(rows)
        found, mirror = mean_interval(values, clusters), mean_interval([1 - x for x in values], clusters)
        assert numbers(mirror)[:3] == near((1 - found.value, 1 - found.high, 1 - found.low), abs=1e-9)

    @given(st.lists(st.booleans(), min_size=1, max_size=60))
    def test_independent_verdicts_are_wilsons(self, verdicts):
        found = mean_interval(verdicts, range(len(verdicts)))
        assert numbers(found) == near(numbers(wilson(sum(verdicts), len(verdicts))))

    @given(st.lists(st.booleans(), min_size=3, max_size=20), st.integers(2, 4))
    def test_repeating_every_answer_teaches_nothing(self, verdicts, times):
        once = mean_interval(verdicts)
        again = mean_interval(verdicts * times, list(range(len(verdicts))) * times)
        assert (again.value, again.se) == near((once.value, once.se), abs=1e-12)
        assert again.high - again.low >= once.high - once.low - 1e-12

    @given(st.lists(shares, min_size=2, max_size=40))
    def test_single_clusters_have_the_plain_error(self, values):
        assert mean_interval(values, range(len(values))).se == near(stats.sem(values), abs=1e-12)

    @given(clustered_scores)
    def test_wider_with_more_confidence(self, rows):
        values, clusters = unzip(rows)
        narrow, wide = (mean_interval(values, clusters, confidence=c) for c in (0.8, 0.99))
        assert wide.low <= narrow.low
        assert narrow.high <= wide.high


def coverage(draw, truth, simulations):
    hits = 0
    for _ in range(simulations):
        found = draw()
        hits += found.low <= truth <= found.high
    return hits / simulations


@pytest.mark.exhaustive
class TestCoverageOfOthers:
    """What ``bench/coverage_intervals.py``, of which `test_coverage` is a part, does not measure."""

    @pytest.mark.parametrize("interval", ["percentile", "bca"])
    def test_paired_bootstrap_by_cluster(self, interval):
        generator = np.random.default_rng(13)
        names = [i // 3 for i in range(150)]

        def draw():
            d = np.repeat(generator.normal(0.2, 1, 50), 3) + generator.normal(0, 0.5, 150)
            found = paired_bootstrap(d, np.zeros(150), names, resamples=400, seed=generator, interval=interval)
            return found.difference

        assert 0.91 <= coverage(draw, 0.2, 600) <= 0.975

    def test_spearman(self):
        generator = np.random.default_rng(17)
        truth = 6 / np.pi * np.arcsin(0.5 / 2)  # of the bivariate normal with correlation 0.5

        def draw():
            x, y = generator.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 60).T
            return spearman(x, y)

        assert 0.93 <= coverage(draw, truth, 1500) <= 0.975

    def test_ratings_by_question(self):
        generator = np.random.default_rng(23)
        theta = {"a": -0.4, "b": 0.4}
        questions = [i // 4 for i in range(240)]

        def draw(clusters):
            # Half of the questions favour one model, half the other: battles about one are not independent.
            tilt = np.repeat(generator.choice([-1.5, 1.5], 60), 4)
            won = generator.random(240) < 1 / (1 + np.exp(theta["b"] - theta["a"] + tilt))
            battles = ["a"] * 240, ["b"] * 240, won * 1.0
            return bradley_terry(*battles, clusters=clusters, interval="clustered").abilities[0]

        truth = logit(expit([-0.8 - 1.5, -0.8 + 1.5]).mean()) / 2
        assert 0.92 <= coverage(lambda: draw(questions), truth, 500) <= 0.98
        assert coverage(lambda: draw(None), truth, 500) < 0.85


class TestClusteredMean:
    @given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
    def test_is_scipys_when_nothing_is_clustered(self, values):
        found = clustered_mean(values)
        assert found.se == near(stats.sem(values), rel=1e-9, abs=1e-9)
        if found.se > 1e-6:
            low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
            assert (found.low, found.high) == near((low, high), rel=1e-7, abs=1e-7)

    @given(clustered_scores, st.floats(-3, 3), st.floats(-5, 5))
    def test_moves_with_the_scale(self, rows, factor, offset):
        values, clusters = unzip(rows)
        moved = clustered_mean([factor * x + offset for x in values], clusters)
        assert numbers(moved) == near(numbers(clustered_mean(values, clusters).scaled(factor, offset)), abs=1e-9)

    def test_one_cluster_has_no_interval(self):
        assert numbers(clustered_mean([0.2, 0.8], ["a", "a"])) == (0.5, None, None, None)
        assert clustered_mean([], correction="CR0").value is None

    def test_refuses_a_table(self):
        with pytest.raises(ValueError, match="flat"):
            clustered_mean([[0.1], [0.2]])

    def test_design_effect_is_the_cluster_size_when_members_agree(self):
        values = [0.0, 1.0, 1.0, 0.0, 1.0]
        assert design_effect(np.repeat(values, 4), np.repeat(range(5), 4).tolist()) == near(4)
        assert design_effect(values, None) == near(1)
        assert design_effect([0.5, 0.5], None) is None

    def test_averages_need_values(self):
        unmeasured = mean_interval([])
        for average in (macro_average, micro_average):
            with pytest.raises(ValueError, match="leave out"):
                average([unmeasured])
            with pytest.raises(ValueError, match="at least one"):
                average([])
        average = macro_average([mean_interval([1.0]), mean_interval([0.0, 0.5])])
        assert (average.value, average.se) == (0.625, None)
        assert macro_average([clustered_mean([1.0]), mean_interval([0.0, 0.5])]).low is None

    def test_an_average_of_perfect_tasks_is_not_certain_and_stays_inside(self):
        found = macro_average([mean_interval([1.0] * 20), mean_interval([1.0] * 30)])
        assert (found.value, found.high) == (1.0, 1.0)
        # Two halves, each as far below as its own interval: square and add.
        assert found.low == near(1 - sqrt((1 - wilson(20, 20).low) ** 2 + (1 - wilson(30, 30).low) ** 2) / 2)
        with pytest.raises(ValueError, match="more than one observation"):
            pooled_standard_error([mean_interval([1.0])])


class TestEstimate:
    def test_is_frozen_and_turns_into_json(self):
        found = mean_interval([0.0, 1.0, 1.0])
        assert json.loads(json.dumps(found.as_json()))["method"] == "wilson"
        with pytest.raises(FrozenInstanceError):
            found.value = 1.0

    def test_a_negative_factor_swaps_the_ends(self):
        found = mean_interval([0.1, 0.2, 0.9]).scaled(-2, 1)
        assert found.low < found.value < found.high
        assert found.se > 0


class TestProportions:
    @given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
    def test_scipy_agrees(self, counted, confidence):
        k, n = counted
        test = stats.binomtest(k, n)
        for ours, name in ((wilson, "wilson"), (statistics.clopper_pearson, "exact")):
            found, theirs = ours(k, n, confidence=confidence), test.proportion_ci(confidence, name)
            assert (found.low, found.high) == near((theirs.low, theirs.high), abs=1e-9)

    @given(st.integers(1, 100).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_mirrored(self, counted):
        k, n = counted
        for interval in (wilson, statistics.clopper_pearson, statistics.jeffreys):
            found, mirror = interval(k, n), interval(n - k, n)
            assert (mirror.low, mirror.high) == near((1 - found.high, 1 - found.low), abs=1e-9)

    def test_edges(self):
        assert wilson(0, 0).value is None
        assert (wilson(0, 5).low, wilson(5, 5).high) == (0.0, 1.0)
        for k, n in ((-1, 5), (6, 5), (0, -1)):
            with pytest.raises(ValueError, match="successes"):
                wilson(k, n)


class TestPairedTests:
    @given(st.lists(st.tuples(shares, shares), min_size=2, max_size=30))
    def test_t_is_scipys_when_nothing_is_clustered(self, rows):
        a, b = unzip(rows)
        d = np.subtract(a, b)
        if np.ptp(d) > 1e-5:
            theirs = stats.ttest_rel(a, b)
            found = paired_t(a, b)
            assert (found.statistic, found.p_value) == near((theirs.statistic, theirs.pvalue), rel=1e-6, abs=1e-9)

    @given(st.lists(st.tuples(shares, shares, st.integers(0, 5)), min_size=1, max_size=30))
    def test_swapping_the_models_swaps_the_sign(self, rows):
        a, b, clusters = unzip(rows)
        one, two = paired_t(a, b, clusters), paired_t(b, a, clusters)
        assert one.p_value == near(two.p_value)
        assert one.difference.value == near(-two.difference.value)
        assert sign_flip(np.subtract(a, b), clusters) == sign_flip(np.subtract(b, a), clusters)
        forth, back = compare_scores(a, b, clusters), compare_scores(b, a, clusters)
        assert (forth.wins, forth.ties, forth.losses) == (back.losses, back.ties, back.wins)
        assert forth.p_value == back.p_value

    def test_the_variance_identity(self):
        generator = np.random.default_rng(0)
        a = generator.random(50)
        b = 0.6 * a + 0.4 * generator.random(50)
        found = paired_t(a, b)
        covariance = np.cov(a, b)[0, 1]
        assert found.difference.se**2 == near(found.unpaired_se**2 - 2 * covariance / 50)
        assert found.difference.se < found.unpaired_se
        assert found.correlation == near(np.corrcoef(a, b)[0, 1])

    def test_without_variation(self):
        same = paired_t([0.5, 0.7], [0.5, 0.7])
        assert (same.p_value, same.statistic) == (1.0, None)
        shifted = paired_t([0.3] * 5, [0.2] * 5)
        assert shifted.p_value == 2**-4 == near(sign_flip([0.1] * 5).p_value)
        assert paired_t([1.0, 1.0], [0.0, 0.0], ["a", "a"]).p_value == 1.0
        assert shifted.correlation is None

    def test_refuses_nothing_and_unequal_lengths(self):
        for test in (paired_t, compare_scores, paired_bootstrap):
            with pytest.raises(ValueError, match="no observations"):
                test([], [])
            with pytest.raises(ValueError, match="equal lengths"):
                test([1.0], [1.0, 0.0])

    @given(st.integers(0, 60), st.integers(0, 60))
    def test_mcnemar_is_the_binomial_test(self, b, c):
        found = mcnemar(b, c)
        if b + c:
            assert found.exact == near(stats.binomtest(b, b + c).pvalue, abs=1e-12)
        assert found == mcnemar(c, b)
        assert 0 < found.mid <= found.exact <= 1

    def test_mcnemar_refuses_negative_counts(self):
        with pytest.raises(ValueError, match="from 0 up"):
            mcnemar(-1, 2)

    @given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=18))
    def test_sign_flip_of_verdicts_is_mcnemar(self, rows):
        a, b = unzip(rows)
        counted = flips(a, b)
        found = sign_flip(np.subtract(a, b, dtype=float))
        assert found.exact
        assert found.p_value == near(mcnemar(counted.first_only, counted.second_only).exact)
        compared = compare_scores(a, b)
        assert (compared.difference.method, compared.wins, compared.losses) == (
            "tango",
            counted.first_only,
            counted.second_only,
        )
        if discordant := counted.first_only + counted.second_only:
            statistic = (counted.first_only - counted.second_only) ** 2 / discordant
            assert compared.p_value == near(stats.chi2.sf(statistic, 1))  # McNemar's, without correction

    @given(clustered_pairs, st.sampled_from([(0.0, 1.0), (1.0, 10.0), (0.0, 7.0), None]))
    def test_an_interval_leaves_out_0_where_p_is_below_the_level_and_only_there(self, rows, bounds):
        a, b, clusters = unzip(rows)
        if bounds:
            a, b = ([bounds[0] + x * (bounds[1] - bounds[0]) for x in side] for side in (a, b))
        found = compare_scores(a, b, clusters, bounds=bounds)
        difference = found.difference
        assert difference.value == near(np.mean(np.subtract(a, b)), abs=1e-9)
        if difference.low is None or difference.low == difference.high:
            assert bounds is None
            return
        if abs(found.p_value - 0.05) > 1e-9:
            assert (not difference.low <= 0 <= difference.high) == (found.p_value < 0.05)
        assert difference.low <= difference.value + 1e-9
        assert difference.value - 1e-9 <= difference.high
        if bounds:
            assert bounds[0] - bounds[1] <= difference.low < difference.high <= bounds[1] - bounds[0]

    def test_tango_of_a_published_table(self):
        """Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33: the airways of 21 children, twice."""
        low, high = tango_bounds(1 / 21, 7 / 21, 21, critical_value(0.95))
        assert (low, high) == near((-0.517, -0.026), abs=5e-4)

    @given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
    def test_tango_inverts_the_score_test(self, b, c, ties):
        """At its ends the score statistic, with the likelihood maximised numerically, is the critical value."""
        n = max(b + c + ties, 1)
        for end in tango_bounds(b / n, c / n, n, critical_value(0.95)):
            if abs(end) > 1 - 1e-6:
                continue

            def against(q, end=end):
                return -(xlogy(b, q + end) + xlogy(c, q) + xlogy(n - b - c, 1 - end - 2 * q))

            limits = max(0.0, -end), (1 - end) / 2
            q = minimize_scalar(against, bounds=limits, method="bounded", options={"xatol": 1e-10}).x
            statistic = (b - c - n * end) ** 2 / (n * (2 * q + end * (1 - end)))
            assert statistic == near(critical_value(0.95) ** 2, rel=1e-3)

    @given(st.lists(st.integers(-20, 20), min_size=2, max_size=9))
    def test_sign_flip_is_scipys_permutation_test(self, d):
        theirs = stats.permutation_test((d,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
        assert sign_flip(d).p_value == near(theirs)
        assert sign_flip([x / 10 for x in d]).p_value == near(theirs)

    def test_sampled_sign_flips_approach_the_exact_share(self):
        d = np.random.default_rng(1).normal(0.3, 1, 20)
        exact = sign_flip(d)
        # A cluster more takes it past what is enumerated, and one this small changes nothing else.
        sampled = sign_flip([*d, 1e-9], resamples=40_000)
        assert (exact.exact, sampled.exact) == (True, False)
        assert sampled.p_value == near(exact.p_value, abs=4 * sqrt(exact.p_value / 40_000))

    def test_sampled_sign_flips_repeat_and_ignore_the_order(self):
        d = np.random.default_rng(2).normal(0.2, 1, 200)
        assert sign_flip(d, seed=5) == sign_flip(d[::-1], seed=5)
        assert sign_flip(d, seed=5) != sign_flip(d, seed=6)
        assert sign_flip(d, resamples=9).p_value >= 0.1

    def test_sign_flip_without_differences(self):
        assert sign_flip([0.0] * 30) == statistics.SignFlip(1.0, exact=True)
        with pytest.raises(ValueError, match="at least one resample"):
            sign_flip([1.0], resamples=0)

    def test_flips_are_of_verdicts(self):
        with pytest.raises(ValueError, match="0 or 1"):
            flips([0.5], [1.0])

    @pytest.mark.parametrize("test", [paired_t, partial(compare_scores, bounds=(-20.0, 20.0))])
    def test_false_alarms_stay_at_the_level(self, test):
        """Nothing differs, answers of one question agree: 5 % of the clustered tests may say otherwise."""
        generator = np.random.default_rng(29)
        names = [i // 4 for i in range(60)]
        alarms = blind = 0
        for _ in range(600):
            d = np.repeat(generator.normal(0, 1, 15), 4) + generator.normal(0, 0.5, 60)
            alarms += test(d, np.zeros(60), names).p_value <= 0.05
            blind += paired_t(d, np.zeros(60)).p_value <= 0.05
        assert 0.025 <= alarms / 600 <= 0.075
        assert blind / 600 > 0.2

    def test_what_a_comparison_could_have_seen(self):
        found = compare_scores([0.1, 0.5, 0.9, 0.4], [0.2, 0.5, 0.7, 0.4])
        assert found.difference.method == "effective tango"
        assert found.detectable == near(detectable_effect(found.difference.se))
        assert compare_scores([0.5, 0.5], [0.5, 0.5]).detectable is None


class TestBootstrap:
    @pytest.mark.parametrize("interval", ["percentile", "BCa"])
    def test_is_scipys(self, interval):
        d = np.random.default_rng(4).exponential(size=25) - 0.7
        theirs = stats.bootstrap((d,), np.mean, n_resamples=3000, method=interval, rng=np.random.default_rng(9))
        found = paired_bootstrap(d, np.zeros(25), resamples=3000, seed=9, interval=interval.lower())
        assert (found.difference.low, found.difference.high) == near(tuple(theirs.confidence_interval), abs=1e-12)
        assert found.difference.se == near(theirs.standard_error)

    def test_resampled_in_blocks_as_in_one(self):
        d = np.random.default_rng(5).normal(size=3000)
        drawn = np.random.default_rng(8).integers(0, 3000, size=(1500, 3000))
        low, high = np.quantile(d[drawn].mean(axis=1), [0.025, 0.975])
        found = paired_bootstrap(d, np.zeros(3000), resamples=1500, seed=8).difference
        assert (found.low, found.high) == near((low, high), abs=1e-12)

    def test_error_of_clusters(self):
        generator = np.random.default_rng(6)
        names = [i // 3 for i in range(300)]
        d = np.repeat(generator.normal(size=100), 3) + generator.normal(size=300)
        bootstrapped = paired_bootstrap(d, np.zeros(300), names, resamples=20_000)
        assert bootstrapped.difference.se == near(clustered_mean(d, names, correction="CR0").se, rel=0.03)
        again = bootstrap_interval(lambda at: float(d[at].mean()), 300, names, resamples=20_000)
        assert (again.value, again.se) == near((bootstrapped.difference.value, bootstrapped.difference.se))

    def test_all_resamples_have_the_closed_form_error(self):
        d = [0.3, -0.2, 0.9, 0.1]
        assert paired_bootstrap(d, [0.0] * 4, resamples="all").difference.se == near(np.std(d) / 2)
        with pytest.raises(ValueError, match="too many resamples"):
            paired_bootstrap([0.0] * 8, [1.0] * 8, resamples="all")

    def test_one_cluster_has_no_interval(self):
        assert numbers(paired_bootstrap([1.0, 0.5], [0.0, 0.0], "aa").difference) == (0.75, None, None, None)
        assert bootstrap_interval(lambda at: 1.0, 3, "aaa").low is None

    def test_bca_of_constant_differences_is_the_percentile_interval(self):
        found = paired_bootstrap([0.5] * 9, [0.25] * 9, interval="bca").difference
        assert (found.low, found.high, found.method) == (0.25, 0.25, "bootstrap")

    def test_undefined_resamples_are_left_out(self):
        ratings = np.array([1, 1, 2, 2, 1, 2])
        found = bootstrap_interval(lambda at: cohen_kappa(ratings[at], ratings[at]), 6, resamples=200)
        assert (found.value, found.low, found.high) == (1.0, None, None)
        mostly = bootstrap_interval(lambda at: 1.0 if 0 in at and 1 in at and 2 in at else None, 3, resamples=200)
        assert (mostly.value, mostly.low) == (1.0, None)
        assert bootstrap_interval(lambda at: 1.0, 0).value is None
        with pytest.raises(ValueError, match="two resamples"):
            bootstrap_interval(lambda at: 1.0, 3, resamples=1)

    def test_percentiles_are_expanded_by_t_and_by_the_sample_size(self):
        d = np.random.default_rng(10).normal(size=12)
        found = bootstrap_interval(lambda at: float(d[at].mean()), 12, resamples=20_000)
        exact = clustered_mean(d)
        assert (found.low, found.high) == near((exact.low, exact.high), abs=0.2 * exact.se)
        plain = paired_bootstrap(d, np.zeros(12), resamples=20_000).difference
        assert found.high - found.low > 1.1 * (plain.high - plain.low)

    @given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30))
    def test_with_bounds_it_contains_the_value_and_is_never_certain(self, verdicts):
        found = f1_interval(verdicts)
        if found.low is not None:
            assert 0.0 <= found.low <= found.value <= found.high <= 1.0
            assert found.high - found.low > 0.05

    def test_all_verdicts_right_are_as_many_trials_as_positives(self):
        exact = wilson(14, 14)
        found = f1_interval([(True, True)] * 14 + [(False, False)] * 6)
        assert (found.value, found.low, found.high, found.se) == (1.0, near(exact.low), 1.0, 0.0)

    def test_one_score_of_all_is_no_certainty(self):
        found = bootstrap_interval(
            lambda at: float(np.full(20, 0.5)[at].mean()), 20, bounds=(0.0, 1.0), resamples=50
        )
        exact = wilson(10, 20)
        assert (found.low, found.high) == near((exact.low, exact.high))
        unbounded = bootstrap_interval(lambda at: 0.5, 20, resamples=50)
        assert (unbounded.value, unbounded.low, unbounded.high) == (0.5, None, None)

    def test_out_of_bounds_is_an_error_but_rounding_is_none(self):
        with pytest.raises(ValueError, match=r"values lie in \[0, 1\]"):
            bootstrap_interval(lambda at: 1.5, 3, bounds=(0.0, 1.0))
        assert bootstrap_interval(lambda at: 1.0 + 4e-16, 3, bounds=(0.0, 1.0), resamples=20).high == 1.0

    def test_covers_f1_and_perplexity(self):
        generator, runs, n = np.random.default_rng(11), 200, 12
        gold = generator.random((runs, n)) < 0.5
        said = gold ^ (generator.random((runs, n)) < 0.15)
        losses = generator.gamma(4.0, 0.5, (runs, n))
        of_f1 = [f1_interval(list(zip(*both, strict=True))) for both in zip(gold, said, strict=True)]
        of_perplexity = [
            bootstrap_interval(lambda at, row=row: float(np.exp(row[at].mean())), n, resamples=200)
            for row in losses
        ]
        for found, truth in ((of_f1, 0.85), (of_perplexity, np.exp(2.0))):
            assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.92


def f1_interval(verdicts):
    gold, said = np.array(verdicts, dtype=float).T

    def f1(at):
        total = gold[at].sum() + said[at].sum()
        return 2 * float((gold * said)[at].sum()) / float(total) if total else None

    return bootstrap_interval(f1, len(gold), bounds=(0.0, 1.0), resamples=200)


class TestMultiplicity:
    @given(p_values)
    def test_order_of_strictness(self, p):
        columns = zip(p, benjamini_hochberg(p), holm(p), bonferroni(p), strict=True)
        for raw, bh, stepped, crude in columns:
            assert raw <= bh + 1e-15
            assert bh <= stepped + 1e-12
            assert stepped <= crude <= 1

    @given(p_values)
    def test_scipy_agrees(self, p):
        if p:
            assert benjamini_hochberg(p) == near(list(stats.false_discovery_control(p)))
            assert benjamini_yekutieli(p) == near(list(stats.false_discovery_control(p, method="by")))

    @pytest.mark.parametrize("adjust", [holm, benjamini_hochberg, benjamini_yekutieli, bonferroni])
    @given(p=p_values, shuffler=st.randoms(use_true_random=False))
    def test_order_does_not_matter(self, adjust, p, shuffler):
        order = list(range(len(p)))
        shuffler.shuffle(order)
        adjusted = adjust(p)
        assert adjust([p[at] for at in order]) == near([adjusted[at] for at in order])
        assert all(a <= b for (_, a), (_, b) in combinations(sorted(zip(p, adjusted, strict=True)), 2))

    def test_refuses_what_is_no_probability(self):
        for bad in (-0.1, 1.1, nan):
            with pytest.raises(ValueError, match=r"p.values"):
                holm([0.5, bad])


attempts = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


class TestRepeated:
    @given(attempts)
    def test_pass_at_k_counts_subsets(self, drawn):
        n, c, k = drawn
        subsets = list(combinations([True] * c + [False] * (n - c), k))
        assert pass_at_k(n, c, k) == near(sum(map(any, subsets)) / len(subsets))
        assert pass_hat_k(n, c, k) == near(sum(map(all, subsets)) / len(subsets))
        assert pass_at_k(n, c, k) == near(1 - pass_hat_k(n, n - c, k))

    def test_pass_at_k_is_exact_for_many_attempts(self):
        assert pass_at_k(10_000, 1, 5_000) == 0.5
        assert pass_at_k(10_000, 5_000, 5_000) == 1.0

    @pytest.mark.parametrize(("n", "c", "k"), [(5, 6, 1), (5, -1, 1), (5, 2, 6), (5, 2, 0), (0, 0, 1)])
    def test_pass_at_k_refuses(self, n, c, k):
        for function in (pass_at_k, pass_hat_k):
            with pytest.raises(ValueError, match="between"):
                function(n, c, k)

    @given(
        st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=1, max_size=9),
        st.sets(st.sampled_from("abcd")),
        st.data(),
    )
    def test_maj_at_k_counts_subsets(self, answers, right, data):
        k = data.draw(st.integers(1, len(answers)))

        def vote(subset):
            counts = {answer: subset.count(answer) for answer in subset if answer is not None}
            leaders = [answer for answer, count in counts.items() if count == max(counts.values())]
            return sum(answer in right for answer in leaders) / len(leaders) if leaders else 0.0

        subsets = [vote(subset) for subset in combinations(answers, k)]
        found = maj_at_k(answers, [answer in right for answer in answers], k)
        assert found == near(sum(subsets) / len(subsets))
        if k == len(answers):
            assert found == maj_at_k(answers, [answer in right for answer in answers])

    def test_maj_at_1_is_the_mean(self):
        answers = ["4", "4", None, "5", "6"]
        assert maj_at_k(answers, [True, True, False, False, False], 1) == 0.4

    def test_maj_at_k_of_many_different_answers(self):
        answers = [str(i) for i in range(64)]
        assert maj_at_k(answers, [i == 0 for i in range(64)], 32) == near(1 / 64)

    def test_maj_at_k_refuses(self):
        with pytest.raises(ValueError, match="both correct and wrong"):
            maj_at_k(["4", "4"], [True, False])
        with pytest.raises(ValueError, match="needs its verdict"):
            maj_at_k(["4"], [])
        with pytest.raises(ValueError, match="between"):
            maj_at_k([], [])

    def test_avg_at_k_counts_each_question_once(self):
        found = avg_at_k([[1.0], [0.0, 0.0, 0.0], [0.5, 1.0]])
        assert (found.value, found.n) == (near(1.75 / 3), 3)
        with pytest.raises(ValueError, match=r"scores\[1\] is empty"):
            avg_at_k([[1.0], []])

    def test_variance_components_are_found(self):
        generator = np.random.default_rng(31)
        abilities = generator.normal(0.5, 0.2, 4000)
        parts = variance_components(generator.normal(abilities[:, np.newaxis], 0.3, (4000, 5)))
        assert (parts.between, parts.within) == near((0.04, 0.09), rel=0.05)
        assert variance_components([[0.0, 1.0], [1.0, 0.0]]).between == 0.0
        with pytest.raises(ValueError, match="at least two"):
            variance_components([[0.0, 1.0]])


class TestRanking:
    @given(st.lists(st.tuples(shares, shares).map(sorted), min_size=1, max_size=8))
    def test_ranges_are_places(self, intervals):
        low, high = unzip(intervals)
        ranges = rank_ranges_from_intervals(low, high)
        assert all(1 <= r.best <= r.worst <= len(intervals) for r in ranges)
        assert min(r.best for r in ranges) == 1
        assert max(r.worst for r in ranges) == len(intervals)

    def test_refuses_crooked_tables(self):
        with pytest.raises(ValueError, match="square"):
            rank_ranges_from_wins([[0, 1], [0]])
        with pytest.raises(ValueError, match="low end"):
            rank_ranges_from_intervals([0.5], [0.4])
        assert rank_ranges_from_wins([]) == []

    @pytest.mark.parametrize("graded", [False, True])
    def test_clear_differences_are_told_apart(self, graded):
        generator = np.random.default_rng(37)
        chances = {"good": 0.8, "also good": 0.79, "bad": 0.3}
        draw = (
            (lambda p: generator.beta(8 * p, 8 * (1 - p), 200)) if graded else (lambda p: generator.random(200) < p)
        )
        ranking = rank_models({name: draw(p) for name, p in chances.items()})
        places = {name: (r.best, r.worst) for name, r in ranking.ranges.items()}
        assert places == {"good": (1, 2), "also good": (1, 2), "bad": (3, 3)}
        assert [pair.significant for pair in ranking.pairs] == [False, True, True]
        methods = {pair.comparison.difference.method for pair in ranking.pairs}
        assert methods == {"effective tango" if graded else "tango"}

    def test_alone_as_compared_together(self):
        generator = np.random.default_rng(41)
        scores = {name: generator.random(15) for name in "abc"}
        ranking = rank_models(scores)
        for pair in ranking.pairs:
            assert compare_scores(scores[pair.first], scores[pair.second]) == pair.comparison
        assert [pair.adjusted_p for pair in ranking.pairs] == holm([p.comparison.p_value for p in ranking.pairs])

    def test_equal_models_are_rarely_told_apart(self):
        """Of ten equal models, Holm's 45 tests see any difference in at most 5 % of leaderboards."""
        generator = np.random.default_rng(43)
        false = sum(
            any(
                pair.significant
                for pair in rank_models({str(i): generator.random(80) < 0.6 for i in range(10)}).pairs
            )
            for _ in range(60)
        )
        assert false <= 6

    def test_many_models_can_still_differ(self):
        """A p-value has no floor that could not survive the adjustment for 190 pairs."""
        generator = np.random.default_rng(47)
        scores = {str(i): generator.random(60) * (0.2 if i == 0 else 1.0) for i in range(20)}
        assert rank_models(scores).ranges["0"].best == 20

    def test_one_model_and_none(self):
        assert rank_models({"only": [0.5, 1.0]}).ranges == {"only": statistics.RankRange(1, 1)}
        assert rank_models({}).pairs == ()
        with pytest.raises(ValueError, match="alpha"):
            rank_models({}, alpha=5)

    def test_win_rate(self):
        found = win_rate(3, 1, 0)
        assert (found.rate.value, found.p_value) == (0.875, 0.25)
        assert win_rate(0, 0, 0).rate.value is None
        assert win_rate(0, 9, 0).rate.low < 0.5 < win_rate(0, 9, 0).rate.high

    @given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 40))
    def test_a_win_rates_interval_agrees_with_its_p(self, wins, ties, losses):
        found = win_rate(wins, ties, losses)
        if wins + ties + losses and abs(found.p_value - 0.05) > 1e-9:
            assert (not found.rate.low <= 0.5 <= found.rate.high) == (found.p_value < 0.05)
            assert 0 <= found.rate.low <= found.rate.value <= found.rate.high <= 1
        with pytest.raises(ValueError, match="from 0 up"):
            win_rate(1, -1, 0)


def random_battles(generator, theta, count, style=None):
    names = sorted(theta)
    pairs = [generator.choice(names, 2, replace=False).tolist() for _ in range(count)]
    first, second = unzip(pairs)
    logits = np.array([theta[a] - theta[b] for a, b in pairs]) + (0 if style is None else style)
    return first, second, (generator.random(count) < 1 / (1 + np.exp(-logits))) * 1.0


THETA = {"a": -0.7, "b": 0.0, "c": 0.7}


class TestBradleyTerry:
    def test_two_models_are_the_log_odds(self):
        fitted = bradley_terry(["x"] * 10, ["y"] * 10, [1.0] * 7 + [0.0] * 3)
        assert fitted.abilities[0].value == near(np.log(7 / 3) / 2)
        assert fitted.probability("x", "y") == near(0.7)
        assert fitted.probability("y", "x") == near(0.3)
        # Var(log odds) = 1/w + 1/l, and each of the two thetas is half of it.
        assert fitted.abilities[0].se == near(sqrt(1 / 7 + 1 / 3) / 2)

    def test_swapping_sides_changes_nothing(self):
        generator = np.random.default_rng(53)
        features = style_difference(generator.integers(0, 90, (400, 2)), generator.integers(0, 90, (400, 2)))
        first, second, outcomes = random_battles(generator, THETA, 400, features[:, 0])
        flip = generator.random(400) < 0.5
        swapped_first = [b if f else a for a, b, f in zip(first, second, flip, strict=True)]
        swapped_second = [a if f else b for a, b, f in zip(first, second, flip, strict=True)]
        one = bradley_terry(first, second, outcomes, style=features)
        two = bradley_terry(
            swapped_first,
            swapped_second,
            np.where(flip, 1 - outcomes, outcomes),
            style=np.where(flip[:, np.newaxis], -features, features),
        )
        for ours, theirs in zip(one.abilities + one.style, two.abilities + two.style, strict=True):
            assert numbers(ours) == near(numbers(theirs), abs=1e-9)

    def test_ratings_sum_to_nothing_and_elo_to_its_centre(self):
        fitted = bradley_terry(*random_battles(np.random.default_rng(59), THETA, 300))
        assert sum(ability.value for ability in fitted.abilities) == near(0, abs=1e-9)
        assert np.mean([rating.value for rating in fitted.elo(1500)]) == near(1500)
        assert np.prod(fitted.strengths) == near(1)

    def test_style_control_separates_length_from_ability(self):
        generator = np.random.default_rng(61)
        names = list(THETA)
        pairs = [generator.choice(names, 2, replace=False).tolist() for _ in range(6000)]
        tokens = {"a": 400, "b": 100, "c": 100}
        lengths = [[generator.poisson(tokens[name]) for name in pair] for pair in pairs]
        features = style_difference(*[np.array(lengths)[:, [side]] for side in (0, 1)])
        logits = np.array([THETA[a] - THETA[b] for a, b in pairs]) + 3.0 * features[:, 0]
        outcomes = (generator.random(6000) < 1 / (1 + np.exp(-logits))) * 1.0
        first, second = unzip(pairs)
        plain = bradley_terry(first, second, outcomes)
        controlled = bradley_terry(first, second, outcomes, style=features)
        assert plain.abilities[0].value > plain.abilities[1].value  # the wordy model looks better than it is
        assert [x.value for x in controlled.abilities] == near(list(THETA.values()), abs=0.35)
        assert controlled.style[0].low < 3.0 < controlled.style[0].high

    def test_weights_stand_for_battles(self):
        first, second, outcomes = ["x", "x", "y"], ["y", "y", "z"], [1.0, 0.0, 1.0]
        weights = [4, 2, 3]
        first, second, outcomes = [*first, "y"], [*second, "z"], [*outcomes, 0.0]
        weights.append(1)
        expanded = [np.repeat(column, weights).tolist() for column in (first, second, outcomes)]
        for interval in ("sandwich", "fisher", "clustered"):
            weighted = bradley_terry(first, second, outcomes, weights=weights, interval=interval)
            full = bradley_terry(*expanded, interval=interval)
            for ours, theirs in zip(weighted.abilities, full.abilities, strict=True):
                assert numbers(ours) == near(numbers(theirs))
                assert ours.n == theirs.n

    def test_sandwich_of_repeated_battles_knows_they_are_one(self):
        first, second, outcomes = random_battles(np.random.default_rng(67), THETA, 200)
        once = bradley_terry(first, second, outcomes)
        names = list(range(200)) * 3
        again = bradley_terry(first * 3, second * 3, np.tile(outcomes, 3), clusters=names)
        assert [x.se for x in again.abilities] == near([x.se for x in once.abilities])
        assert again.abilities[0].clusters == once.abilities[0].clusters

    def test_clustered_is_the_sandwich_with_few_clusters_in_mind(self):
        battles = random_battles(np.random.default_rng(71), THETA, 30)
        clusters = [i // 2 for i in range(30)]
        few, robust = (bradley_terry(*battles, clusters=clusters, interval=x) for x in ("clustered", "sandwich"))
        for ours, plain in zip(few.abilities, robust.abilities, strict=True):
            assert ours.se == near(plain.se * sqrt(15 / 14))
            assert ours.high - ours.value == near(stats.t.ppf(0.975, 14) * ours.se)

    @pytest.mark.parametrize("questions", [1, 3, 40])
    @pytest.mark.parametrize(("outcome", "ridge"), [(0.5, 0.0), (1.0, 0.1), (0.0, 0.1)])
    def test_all_tied_or_all_one_way_is_not_certain(self, questions, outcome, ridge):
        names = [i % questions for i in range(40)]
        battles = ["x"] * 40, ["y"] * 40, [outcome] * 40
        fitted = bradley_terry(*battles, clusters=names, interval="clustered", ridge=ridge)
        for ability in fitted.abilities:
            assert ability.high - ability.low > 0.5
            assert (ability.low < 0 < ability.high) == (outcome == 0.5) or questions < 40

    def test_ratings_that_do_not_exist(self):
        with pytest.raises(ValueError, match=r"'x' won every battle; pass ridge"):
            bradley_terry(["x", "x", "y"], ["y", "y", "x"], [1.0, 1.0, 0.0])
        with pytest.raises(ValueError, match="'z' lost every battle"):
            bradley_terry(["x", "x", "x"], ["y", "y", "z"], [1.0, 0.0, 1.0])
        apart = (["a", "a", "c", "c"], ["b", "b", "d", "d"], [1.0, 0.0, 1.0, 0.0])
        with pytest.raises(ValueError, match="fall into groups"):
            bradley_terry(*apart)
        with pytest.raises(ValueError, match="style column"):
            bradley_terry(["a", "a"], ["b", "b"], [1.0, 0.0], style=[[1.0, 2.0], [1.0, 2.0]])
        shrunk = bradley_terry(["x"] * 5, ["y"] * 5, [1.0] * 5, ridge=0.1)
        assert 0 < shrunk.abilities[0].value < 5
        assert [x.value for x in bradley_terry(*apart, ridge=0.1).abilities] == near([0] * 4, abs=1e-9)

    def test_refuses(self):
        with pytest.raises(ValueError, match="itself"):
            bradley_terry(["a"], ["a"], [1.0])
        with pytest.raises(ValueError, match="outcomes lie"):
            bradley_terry(["a"], ["b"], [2.0])
        with pytest.raises(ValueError, match="each battle needs"):
            bradley_terry(["a"], ["b", "c"], [1.0])
        with pytest.raises(ValueError, match="each battle needs"):
            bradley_terry([], [], [])
        with pytest.raises(ValueError, match="nor all 0"):
            bradley_terry(["a"], ["b"], [1.0], weights=[0.0])
        with pytest.raises(ValueError, match="style is a table"):
            bradley_terry(["a", "b"], ["b", "a"], [1.0, 1.0], style=[1.0, 2.0])
        with pytest.raises(ValueError, match="one shape"):
            style_difference([1, 2], [3, 4])
        with pytest.raises(ValueError, match="from 0 up"):
            style_difference([[-1.0]], [[2.0]])


ratings = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=30)


class TestAgreement:
    @given(ratings, st.sampled_from(["none", "linear", "quadratic"]))
    def test_kappa_is_symmetric_and_at_most_one(self, rows, weights):
        a, b = unzip(rows)
        found = cohen_kappa(a, b, weights=weights)
        assert found == cohen_kappa(b, a, weights=weights) or found == near(cohen_kappa(b, a, weights=weights))
        assert found is None or found <= 1
        assert cohen_kappa(a, a, weights=weights) == (1.0 if len(set(a)) > 1 else None)

    @given(ratings)
    def test_quadratic_kappa_is_lins_concordance(self, rows):
        a, b = unzip(rows)
        spread = np.var(a) + np.var(b) + (np.mean(a) - np.mean(b)) ** 2
        found = cohen_kappa(a, b, weights="quadratic", categories=range(1, 6))
        if spread > 0:
            assert found == near(2 * np.cov(a, b, ddof=0)[0, 1] / spread, abs=1e-9)

    def test_unused_categories_are_steps(self):
        a, b = [1, 1, 3, 3], [1, 3, 3, 1]
        assert cohen_kappa(a, b, weights="quadratic") == cohen_kappa(
            a, b, weights="quadratic", categories=[1, 2, 3]
        )
        a, b = [1, 2, 5, 5], [2, 1, 5, 1]
        assert cohen_kappa(a, b, weights="linear") != cohen_kappa(a, b, weights="linear", categories=range(1, 6))

    def test_kappa_refuses(self):
        with pytest.raises(ValueError, match="same units"):
            cohen_kappa([1], [1, 2])
        with pytest.raises(ValueError, match="'tie' is not among"):
            cohen_kappa(["win"], ["tie"], categories=["win", "loss"])

    def test_mixed_categories_have_an_order(self):
        assert cohen_kappa([1, "tie", 2], [1, "tie", 2]) == 1.0

    @given(ratings)
    def test_fleiss_of_two_raters_is_scotts_pi(self, rows):
        a, b = unzip(rows)
        joint = [*a, *b]
        chance = sum((joint.count(x) / len(joint)) ** 2 for x in set(joint))
        agreed = np.mean(np.equal(a, b))
        found = fleiss_kappa(rows)
        assert found == (None if len(set(joint)) == 1 else near((agreed - chance) / (1 - chance)))

    @given(ratings)
    def test_nominal_alpha_corrects_scotts_pi(self, rows):
        """Krippendorff 2011: alpha differs from pi by the size of the sample alone."""
        pi = fleiss_kappa(rows)
        found = krippendorff_alpha(unzip(rows))
        assert found == (None if pi is None else near(pi + (1 - pi) / (2 * len(rows)), abs=1e-12))

    @pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
    @given(rows=ratings)
    def test_alpha_ignores_order_and_lone_ratings(self, level, rows):
        a, b = unzip(rows)
        found = krippendorff_alpha([a, b], level=level)
        assert krippendorff_alpha([b[::-1], a[::-1]], level=level) == near(found)
        assert krippendorff_alpha([[*a, 9], [*b, None]], level=level) == found
        assert krippendorff_alpha([[*a, 9], [*b, nan]], level=level) == found
        if level == "interval" and found is not None:
            assert krippendorff_alpha([[3 * x - 7 for x in a], [3 * x - 7 for x in b]], level=level) == near(found)
        if level == "ratio":
            assert krippendorff_alpha([[10 * x for x in a], [10 * x for x in b]], level=level) == near(found)
        if level == "ordinal":
            assert krippendorff_alpha([[x**3 for x in a], [x**3 for x in b]], level=level) == near(found)

    def test_alpha_edges(self):
        assert krippendorff_alpha([[1, 1], [1, 1]]) is None
        assert krippendorff_alpha([[1, None], [None, 2]]) is None
        assert krippendorff_alpha([]) is None
        assert krippendorff_alpha([["да", "нет"], ["да", "нет"]]) == 1.0
        assert krippendorff_alpha([[0, 0, 1], [0, 1, 1]], level="ratio") is not None
        with pytest.raises(ValueError, match="one entry for each unit"):
            krippendorff_alpha([[1, 2], [1]])

    def test_fleiss_refuses(self):
        for bad in ([], [[1]], [[1, 2], [1]]):
            with pytest.raises(ValueError, match="same number"):
                fleiss_kappa(bad)

    def test_spearman_of_bonett(self):
        """The worked example of the authors' own R package, statpsych, for ci.spear."""
        y = [21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19]
        x = [67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51]
        assert numbers(spearman(y, x)) == near((0.8699639, 0.5840951, 0.9638297, 0.08241326), abs=1e-6)

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=20))
    def test_rank_correlations_are_scipys(self, rows):
        a, b = unzip(rows)
        found = spearman(a, b)
        if len(set(a)) > 1 and len(set(b)) > 1:
            assert found.value == near(stats.spearmanr(a, b).statistic, abs=1e-12)
            assert -1 <= found.low <= found.value <= found.high <= 1
            assert kendall(a, b) == near(stats.kendalltau(a, b).statistic)
            mirror = spearman(a, [-x for x in b])
            assert (mirror.low, mirror.high) == near((-found.high, -found.low))
        else:
            assert found.value is None
            assert kendall(a, b) is None

    def test_perfect_correlation_of_few_leaves_doubt(self):
        few, many = (spearman(range(n), range(n)) for n in (5, 50))
        assert few.value == few.high == 1.0
        assert few.low < many.low < 1
        assert numbers(spearman([1, 2, 3], [1, 2, 3]))[1:3] == (None, None)


class TestPower:
    variances = st.floats(0.001, 1)

    @given(st.floats(0.005, 0.5), variances, variances, variances, st.integers(1, 16), st.integers(1, 16))
    def test_size_and_effect_are_inverse(self, effect, between, first, second, k, m):
        settings = {
            "between": between,
            "within_first": first,
            "within_second": second,
            "attempts_first": k,
            "attempts_second": m,
        }
        needed = sample_size(effect, **settings)
        assert minimal_detectable_effect(max(1, int(np.ceil(needed))), **settings) <= effect + 1e-12 or needed < 1
        assert sample_size(effect / 2, **settings) == near(4 * needed)

    def test_the_effect_is_seen_as_often_as_promised(self):
        generator = np.random.default_rng(73)
        effect = minimal_detectable_effect(
            120, between=0.04, within_first=0.09, within_second=0.09, attempts_first=3
        )
        spread = sqrt(0.04 + 0.09 / 3 + 0.09)
        seen = sum(
            paired_t(generator.normal(effect, spread, 120), np.zeros(120)).p_value <= 0.05 for _ in range(1500)
        )
        assert seen / 1500 == near(0.8, abs=0.03)

    def test_refuses(self):
        for call in (
            lambda: sample_size(0, between=1),
            lambda: sample_size(0.1, between=-1),
            lambda: sample_size(0.1, between=1, attempts_first=0),
            lambda: sample_size(0.1, between=1, alpha=0.9),
            lambda: minimal_detectable_effect(0, between=1),
            lambda: detectable_effect(-1),
        ):
            with pytest.raises(ValueError):
                call()


UNMEASURED = statistics.Estimate(0.5, None, None, None, 0, 0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: statistics.sample_size(nan, between=0.1),
        lambda: statistics.sample_size(0.1, between=nan),
        lambda: statistics.minimal_detectable_effect(nan, between=0.1),
        lambda: statistics.minimal_detectable_effect(10, between=inf),
        lambda: statistics.detectable_effect(nan),
        lambda: statistics.mcnemar(1.5, 2),
        lambda: statistics.mcnemar(nan, 1),
        lambda: statistics.win_rate(1.5, 0, 2),
        lambda: statistics.macro_average([replace(UNMEASURED, value=nan)]),
        lambda: statistics.micro_average([UNMEASURED]),
        lambda: statistics.bootstrap_interval(lambda places: nan, 3),
        lambda: statistics.mean_interval([nan]),
        lambda: statistics.compare_scores([nan], [1.0]),
        lambda: statistics.rank_models({"a": [nan], "b": [0.0]}),
        lambda: statistics.holm([nan]),
    ],
)
def test_what_is_no_number_is_refused(call):
    with pytest.raises(ValueError, match=r".{20}"):
        call()


def test_public_names_are_exported_and_documented():
    for name in statistics.__all__:
        assert getattr(statistics, name).__doc__ or name == "Seed"


def test_scipy_is_imported_only_when_needed():
    code = "import sys, evalkit.evals.statistics; print([m for m in sys.modules if m.startswith('scipy')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_numbers_do_not_depend_on_the_global_generators():
    values = np.random.default_rng(79).normal(0.1, 1, 100)

    def measure():
        ranking = rank_models({"a": values, "b": values[::-1], "c": values**2}, bounds=None)
        return sign_flip(values), paired_bootstrap(values, values**2), ranking

    first = measure()
    random.seed(5)
    np.random.seed(5)
    assert measure() == first
