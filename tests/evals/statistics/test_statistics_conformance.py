"""The expected numbers of `stats/stats_vectors.json`, each at its stated tolerance."""

import json
import re
from collections.abc import Callable
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evalkit.evals import statistics

pytestmark = pytest.mark.conformance

CHECKS: dict[str, Callable[[Any, Any, Callable[[Any], Any]], None]] = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


@pytest.fixture(scope="module")
def document(vector_file: Callable[[str], Path]) -> dict[str, Any]:
    return json.loads(vector_file("stats/stats_vectors.json").read_text(encoding="utf-8"))


def bounds(estimate: statistics.Estimate) -> list[float | None]:
    return [estimate.low, estimate.high]


def estimate(mean: float, se: float, n: int) -> statistics.Estimate:
    return statistics.Estimate(mean, None, None, se, n, n)


@check
def mean_se(inputs, expected, near):
    plain = statistics.clustered_mean(inputs["x"])
    normal = statistics.clustered_mean(inputs["x"], distribution="normal")
    population = statistics.clustered_mean(inputs["x"], correction="CR0")
    assert plain.value == near(expected["mean"])
    assert plain.se == near(expected["se"])
    assert population.se == near(expected["se_population"])
    assert bounds(normal) == near(expected["ci95_normal"])
    assert bounds(plain) == near(expected["ci95_t"])


@check
def clustered_se(inputs, expected, near):
    values, clusters = inputs["y"], inputs["cluster"]
    robust = statistics.clustered_mean(values, clusters)
    assert robust.value == near(expected["mean"])
    assert statistics.clustered_mean(values).se == near(expected["se_naive"])
    assert statistics.clustered_mean(values, clusters, correction="CR0").se == near(expected["se_cluster_cr0"])
    assert robust.se == near(expected["se_cluster_cr1"])
    assert statistics.design_effect(values, clusters) == near(expected["design_effect_cr0"])
    assert bounds(robust) == near(expected["ci95_t_cr1_df_c_minus_1"])


@check
def avg_at_k(inputs, expected, near):
    scores = inputs["scores"]
    n, k = len(scores), len(scores[0])
    mean = statistics.avg_at_k(scores)
    assert mean.value == near(expected["avg_at_k"])
    assert mean.se == near(expected["se_question_means"])
    flat = [x for row in scores for x in row]
    by_question = statistics.clustered_mean(flat, [q for q, row in enumerate(scores) for _ in row])
    assert by_question.se == near(expected["se_question_means"])
    # What pooling the answers would claim: the vector is there to be avoided.
    wrong = statistics.clustered_mean(flat, correction="CR0").se
    assert wrong == near(expected["se_wrong_pooled_binomial"])
    parts = statistics.variance_components(scores)
    assert parts.within == near(expected["mean_within_var"])
    assert parts.between == near(expected["between_var"])
    assert parts.between / n + parts.within / (n * k) == near(expected["var_of_mean_decomposed"])


@check
def paired_difference(inputs, expected, near):
    a, b = inputs["a"], inputs["b"]
    t = statistics.paired_t(a, b)
    z = statistics.paired_t(a, b, distribution="normal")
    assert t.difference.value == near(expected["diff"])
    assert t.difference.se == near(expected["se_paired"])
    assert t.unpaired_se == near(expected["se_unpaired"])
    assert t.correlation == near(expected["corr"])
    assert z.statistic == near(expected["z"])
    assert z.p_value == near(expected["p_normal_two_sided"])
    assert t.p_value == near(expected["t_p_two_sided"])
    assert bounds(z.difference) == near(expected["ci95_normal"])
    counted = statistics.flips(a, b)
    table = (counted.both_right, counted.first_only, counted.second_only, counted.both_wrong)
    assert table == tuple(expected["flips"][key] for key in ("both_right", "a_only", "b_only", "both_wrong"))


@check
def paired_clustered(inputs, expected, near):
    found = statistics.paired_t(inputs["a"], inputs["b"], inputs["cluster"])
    assert found.difference.se == near(expected["se_cr1"])


@check
def mcnemar(inputs, expected, near):
    for row in expected:
        found = statistics.mcnemar(row["b"], row["c"])
        assert found.exact == near(row["p_exact"])
        assert found.mid == near(row["p_mid"])
        assert found.chi_square == (None if row["p_chi2_cc"] is None else near(row["p_chi2_cc"]))


@check
def sign_flip_exact(inputs, expected, near):
    found = statistics.sign_flip(inputs["d"])
    assert found.exact
    assert found.p_value == near(expected["p_two_sided"])


@check
def bootstrap_exact_n5(inputs, expected, near):
    d = inputs["d"]
    found = statistics.paired_bootstrap(d, [0.0] * len(d), resamples="all")
    assert len(d) ** len(d) == expected["n_resamples"]
    assert found.mean == near(expected["boot_mean"])
    assert found.difference.se == near(expected["boot_se"])
    assert bounds(found.difference) == near([expected["pct_2.5"], expected["pct_97.5"]])
    assert found.at_most_zero == near(expected["share_le_0"])


@check
def bootstrap_seeded(inputs, expected, near):
    a, b = inputs["a"], inputs["b"]
    found = statistics.paired_bootstrap(a, b, resamples=inputs["B"], seed=inputs["seed"])
    assert bounds(found.difference) == near(expected["pct_ci95"])
    assert found.difference.se == near(expected["boot_se"])
    for key, value in expected.items():
        if named := re.fullmatch(r"bca_ci95_scipy_(\d+)_seed(\d+)", key):
            resamples, seed = map(int, named.groups())
            bca = statistics.paired_bootstrap(a, b, resamples=resamples, seed=seed, interval="bca")
            assert bounds(bca.difference) == near(value)


@check
def binomial_ci95(inputs, expected, near):
    for row in expected:
        k, n = row["k"], row["n"]
        for name in ("wilson", "clopper_pearson", "jeffreys"):
            assert bounds(getattr(statistics, name)(k, n)) == near(row[name])
        assert bounds(statistics.mean_interval([1.0] * k + [0.0] * (n - k))) == near(row["wilson"])


@check
def pass_at_k(inputs, expected, near):
    for row in expected:
        n, c, k = row["n"], row["c"], row["k"]
        assert statistics.pass_at_k(n, c, k) == near(row["pass_at_k"])
        assert statistics.pass_hat_k(n, c, k) == near(row["pass_hat_k"])
        top, _, bottom = row["pass_at_k_fraction"].partition("/")
        assert statistics.pass_at_k(n, c, k) == int(top) / int(bottom or 1)
        # The plug-in form is what the unbiased one replaces; they agree for one draw.
        plugin = 1 - (1 - statistics.pass_at_k(n, c, 1)) ** k
        assert plugin == near(row["biased_plugin"])


@check
def pass_at_k_dataset(inputs, expected, near):
    values = [statistics.pass_at_k(inputs["n"], c, inputs["k"]) for c in inputs["c"]]
    found = statistics.mean_interval(values)
    assert found.value == near(expected["mean"])
    assert found.se == near(expected["se_over_problems"])


@check
def multiple_testing(inputs, expected, near):
    p = inputs["p"]
    assert statistics.holm(p) == near(expected["holm"])
    assert statistics.benjamini_hochberg(p) == near(expected["bh"])
    assert statistics.benjamini_yekutieli(p) == near(expected["by"])
    assert statistics.bonferroni(p) == near(expected["bonferroni"])


def battles(wins: list[list[float]], names: list[str]) -> tuple[list[str], list[str], list[float], list[float]]:
    rows = [
        (names[i], names[j], 1.0, count) for i, row in enumerate(wins) for j, count in enumerate(row) if count > 0
    ]
    first, second, outcomes, weights = zip(*rows, strict=True)
    return list(first), list(second), list(outcomes), list(weights)


@check
def bradley_terry(inputs, expected, near):
    names = inputs["names"]
    first, second, outcomes, weights = battles(inputs["wins"], names)
    robust = statistics.bradley_terry(first, second, outcomes, weights=weights)
    fisher = statistics.bradley_terry(first, second, outcomes, weights=weights, interval="fisher")
    at = [robust.names.index(name) for name in names]
    elo = robust.elo(float(inputs["anchor"].removeprefix("mean ")))
    assert [robust.strengths[i] for i in at] == near(expected["strength_geomean1"])
    assert [robust.abilities[i].value for i in at] == near(expected["theta_sum0"])
    assert [elo[i].value for i in at] == near(expected["elo"])
    assert [fisher.abilities[i].se for i in at] == near(expected["se_theta_fisher"])
    assert [robust.abilities[i].se for i in at] == near(expected["se_theta_sandwich_hc0"])
    for i, interval in zip(at, expected["elo_ci95_sandwich"], strict=True):
        assert bounds(elo[i]) == near(interval)
    for key, value in expected.items():
        if named := re.fullmatch(r"p_(\w+)_beats_(\w+)", key):
            assert robust.probability(*named.groups()) == near(value)


@check
def bradley_terry_ties(inputs, expected, near):
    wins = inputs["wins_half_ties"]
    names = [f"model {i:02}" for i in range(len(wins))]
    first, second, outcomes, weights = battles(wins, names)
    fitted = statistics.bradley_terry(first, second, outcomes, weights=weights)
    assert [ability.value for ability in fitted.abilities] == near(expected["theta_sum0"])
    assert list(fitted.strengths) == near(expected["strength_geomean1"])
    # The note tells how many battles were ties: as ties they give the same ratings.
    found = re.fullmatch(r"(\w)-(\w): (\d+) wins, (\d+) losses, (\d+) ties", inputs["note"])
    assert found, f"how many ties? {inputs['note']!r}"
    i, j = (ord(letter) - ord("A") for letter in found.groups()[:2])
    won, lost, tied = map(int, found.groups()[2:])
    assert (won + tied / 2, lost + tied / 2) == (wins[i][j], wins[j][i])
    kept = [at for at in range(len(first)) if {first[at], second[at]} != {names[i], names[j]}]
    with_ties = statistics.bradley_terry(
        [first[at] for at in kept] + [names[i]] * 3,
        [second[at] for at in kept] + [names[j]] * 3,
        [outcomes[at] for at in kept] + [1.0, 0.0, 0.5],
        weights=[weights[at] for at in kept] + [won, lost, tied],
    )
    assert [ability.value for ability in with_ties.abilities] == near(expected["theta_sum0"])


@check
def rank_range_from_ci(inputs, expected, near):
    found = statistics.rank_ranges_from_intervals(inputs["lower"], inputs["upper"])
    assert [r.best for r in found] == expected["best"]
    assert [r.worst for r in found] == expected["worst"]


@check
def rank_range_from_tests(inputs, expected, near):
    found = statistics.rank_ranges_from_wins(inputs["i_significantly_beats_j"])
    assert [r.best for r in found] == expected["best"]
    assert [r.worst for r in found] == expected["worst"]


@check
def cohen_kappa(inputs, expected, near):
    first, second = inputs["r1"], inputs["r2"]
    assert statistics.cohen_kappa(first, second) == near(expected["unweighted"])
    assert statistics.cohen_kappa(first, second, weights="linear") == near(expected["linear"])
    assert statistics.cohen_kappa(first, second, weights="quadratic") == near(expected["quadratic"])
    agreed = [float(a == b) for a, b in zip(first, second, strict=True)]
    assert statistics.mean_interval(agreed).value == near(expected["raw_agreement"])


@check
def krippendorff_alpha(inputs, expected, near):
    ratings = inputs["ratings_raters_by_units_null_is_missing"]
    for level, value in expected.items():
        assert statistics.krippendorff_alpha(ratings, level=level) == near(value)


@check
def fleiss_kappa(inputs, expected, near):
    assert statistics.fleiss_kappa(inputs["ratings_units_by_raters"]) == near(expected["kappa"])


@check
def aggregate_tasks(inputs, expected, near):
    tasks = [estimate(*row) for row in zip(inputs["mean"], inputs["se"], inputs["n"], strict=True)]
    macro, micro = statistics.macro_average(tasks), statistics.micro_average(tasks)
    assert (macro.value, macro.se) == near((expected["macro_mean"], expected["macro_se"]))
    assert (micro.value, micro.se) == near((expected["micro_mean"], expected["micro_se_stratified"]))
    assert statistics.pooled_standard_error(tasks) == near(expected["lm_eval_pooled_se"])


@check
def power(inputs, expected, near):
    levels = {"alpha": inputs["alpha"], "power": inputs["power"]}
    variances = {
        "between": inputs["omega2"],
        "within_first": inputs["sigma2_a"],
        "within_second": inputs["sigma2_b"],
        "attempts_first": inputs["k_a"],
        "attempts_second": inputs["k_b"],
    }
    needed = statistics.sample_size(inputs["delta"], **variances, **levels)
    assert needed == near(expected["n"])
    assert ceil(needed) == expected["n_ceil"]
    for key, value in expected.items():
        if named := re.fullmatch(r"mde_n(\d+)", key):
            n = int(named[1])
            assert statistics.minimal_detectable_effect(n, **variances, **levels) == near(value)
            total = variances["between"] + inputs["sigma2_a"] / inputs["k_a"] + inputs["sigma2_b"] / inputs["k_b"]
            assert statistics.detectable_effect(sqrt(total / n), **levels) == near(value)
        elif named := re.fullmatch(r"n_with_sigma2_(\d+)_(\d+)_k(\d+)", key):
            top, bottom, k = map(int, named.groups())
            repeated = variances | dict.fromkeys(("within_first", "within_second"), top / bottom)
            repeated |= dict.fromkeys(("attempts_first", "attempts_second"), k)
            assert statistics.sample_size(inputs["delta"], **repeated, **levels) == near(value)


@check
def rank_correlation(inputs, expected, near):
    a, b = inputs["a"], inputs["b"]
    assert statistics.kendall(a, b) == near(expected["kendall_tau_b"])
    assert statistics.spearman(a, b).value == near(expected["spearman"])


@check
def win_rate_ties(inputs, expected, near):
    found = statistics.win_rate(inputs["wins"], inputs["ties"], inputs["losses"])
    assert found.rate.value == near(expected["win_rate"])
    assert found.rate.se == near(expected["se"])
    assert found.p_value == near(expected["sign_test_p_no_ties"])


@pytest.mark.parametrize("name", CHECKS)
def test_vector(document, name):
    if name not in document["vectors"]:
        pytest.skip(f"this file of vectors has no {name}")
    vector = document["vectors"][name]

    def near(value):
        return pytest.approx(value, abs=vector["tol"], rel=0)

    CHECKS[name](vector["inputs"], vector["expected"], near)


def test_every_vector_has_a_check(document):
    if unknown := sorted(set(document["vectors"]) - set(CHECKS)):
        pytest.skip(f"nothing here knows how to check {', '.join(unknown)}")


def test_normal_quantile(document):
    if "z975" not in document:
        pytest.skip("this file of vectors has no z975")
    wide = statistics.clustered_mean([0.0, 1.0], distribution="normal")
    assert np.subtract(wide.high, wide.value) / wide.se == pytest.approx(document["z975"], abs=1e-12)
