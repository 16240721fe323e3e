"""Paired tests of two models on the same questions, by cluster.

First minus second throughout: a positive difference favours the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, sqrt

import numpy as np

from .estimate import (
    Bounds,
    Clusters,
    Distribution,
    Estimate,
    Floats,
    Seed,
    Values,
    as_floats,
    as_pair,
    as_shares,
    critical_value,
    group,
)
from .means import clustered_mean
from .power import detectable_effect

_EXACT_CLUSTERS = 20  # 2^19 sign patterns up to symmetry, a few milliseconds
_CELLS = 2_000_000
_BESIDE = 1e-9
_NO_SPREAD = 1e-12  # rounding leaves errors of this size where differences in [−1, 1] have none


@dataclass(frozen=True, slots=True)
class PairedT:
    """A paired t (or z) test.

    ``statistic`` is ``None`` when the differences do not vary between clusters. ``unpaired_se`` is what the error
    would be without pairing and ``correlation`` Pearson's over observations: together, what pairing gained.
    """

    difference: Estimate
    statistic: float | None
    p_value: float
    unpaired_se: float | None
    correlation: float | None


def paired_t(
    first: Values,
    second: Values,
    clusters: Clusters | None = None,
    *,
    confidence: float = 0.95,
    distribution: Distribution = "t",
) -> PairedT:
    """Test the mean paired difference against 0 by d / SE(d), SE clustered (CR1), C−1 degrees of freedom.

    Miller 2024 (arXiv 2411.00640, on comparing models): SE² = SE_A² + SE_B² − 2 Cov(a, b)/n, which is the
    variance of the differences themselves. With one cluster there is no evidence: p = 1. Where all clusters differ
    by exactly the same amount the statistic would be infinite; the sign-flip test's 2^(1−C) stands in (and 1 for
    no difference).

    Args:
        first: n scores.
        second: n scores of the same samples in the same order.
        clusters: the cluster of each; ``None`` when each observation is independent.
        confidence: of the interval of the difference.
        distribution: ``t``, or ``normal`` for the large-sample form.

    Raises:
        ValueError: lengths differ or there are no observations.
    """
    one, two = as_pair(first, second)
    if len(one) == 0:
        raise ValueError("nothing to compare: no observations")
    difference = clustered_mean(one - two, clusters, confidence=confidence, distribution=distribution)
    statistic, p_value = _t_test(difference, distribution, float(np.abs(one - two).max()))
    error, other_error = clustered_mean(one, clusters).se, clustered_mean(two, clusters).se
    unpaired = None if error is None or other_error is None else hypot(error, other_error)
    varies = one.min() < one.max() and two.min() < two.max()
    correlation = float(np.corrcoef(one, two)[0, 1]) if varies else None
    return PairedT(difference, statistic, p_value, unpaired, correlation)


def _t_test(difference: Estimate, distribution: Distribution, scale: float) -> tuple[float | None, float]:
    from scipy.special import ndtr, stdtr

    assert difference.value is not None
    if difference.se is None:
        return None, 1.0
    rounding = 1e-12 * scale
    if difference.se <= rounding:
        return None, 1.0 if abs(difference.value) <= rounding else 2.0 ** (1 - difference.clusters)
    statistic = difference.value / difference.se
    tail = ndtr(-abs(statistic)) if distribution == "normal" else stdtr(difference.clusters - 1, -abs(statistic))
    return statistic, float(2 * tail)


@dataclass(frozen=True, slots=True)
class Flips:
    """How the verdicts on the same samples agree: the 2 x 2 table of two models' right and wrong answers."""

    both_right: int
    first_only: int
    second_only: int
    both_wrong: int


def flips(first: Values, second: Values) -> Flips:
    """Count the flips between two rows of scores that are all 0 or 1.

    Raises:
        ValueError: lengths differ, or a score is neither 0 nor 1.
    """
    one, two = as_pair(first, second)
    if not (_binary(one) and _binary(two)):
        raise ValueError("flips are counted between scores that are 0 or 1")
    counts = np.bincount((2 * one + two).astype(np.int64), minlength=4)
    return Flips(int(counts[3]), int(counts[2]), int(counts[1]), int(counts[0]))


def _binary(values: Floats) -> bool:
    return bool(((values == 0.0) | (values == 1.0)).all())


@dataclass(frozen=True, slots=True)
class McNemar:
    """P-values of McNemar's test; ``chi_square`` has the continuity correction, ``None`` without any flip."""

    exact: float
    mid: float
    chi_square: float | None


def mcnemar(first_only: int, second_only: int) -> McNemar:
    """Test whether flips go one way more often, from the two discordant counts b and c.

    exact = min(1, 2 P[X ≤ min(b, c)]) with X ~ Binomial(b + c, 1/2) (McNemar 1947, Psychometrika 12); mid-p
    subtracts P[X = min(b, c)], less conservative at small counts (Fagerland, Lydersen and Laake 2013, BMC Medical
    Research Methodology 13:91); chi-square is (|b − c| − 1)²/(b + c) (Edwards 1948). It takes one verdict a
    question; with several, use `sign_flip` by cluster.

    Raises:
        ValueError: a count is negative or no whole number.
    """
    if not all(count >= 0 and float(count).is_integer() for count in (first_only, second_only)):
        raise ValueError("flips are counted in whole numbers from 0 up")
    total, fewer = first_only + second_only, min(first_only, second_only)
    if total == 0:
        return McNemar(1.0, 1.0, None)
    from scipy.special import bdtr, chdtrc, gammaln

    both_tails = 2 * float(bdtr(fewer, total, 0.5))
    log_mass = gammaln(total + 1) - gammaln(fewer + 1) - gammaln(total - fewer + 1) - total * np.log(2)
    chi_square = (abs(first_only - second_only) - 1) ** 2 / total
    mid = 1.0 if first_only == second_only else both_tails - float(np.exp(log_mass))
    return McNemar(min(1.0, both_tails), mid, float(chdtrc(1, chi_square)))


@dataclass(frozen=True, slots=True)
class SignFlip:
    """A sign-flip permutation test: two-sided ``p_value``, and whether all sign patterns were counted."""

    p_value: float
    exact: bool


def sign_flip(
    differences: Values, clusters: Clusters | None = None, *, resamples: int = 10_000, seed: Seed = 0
) -> SignFlip:
    """Test paired differences against symmetry around 0, each cluster's sum keeping or flipping its sign.

    p = share of the 2^C sign patterns with |T*| ≥ |T|, T the sum, the observed pattern and ties included (Fisher
    1935, "The Design of Experiments", §21; Pitman 1937). Exact with up to 20 clusters that differ from 0; beyond,
    (1 + #) / (resamples + 1) over random patterns (Phipson and Smyth 2010, Statistical Applications in Genetics and
    Molecular Biology 9:39). The result does not depend on the order of the observations.

    Raises:
        ValueError: lengths differ, a difference is not finite, or no resamples are allowed.
    """
    if resamples < 1:
        raise ValueError(f"at least one resample is needed, got {resamples}")
    sums = group(as_floats(differences, "differences"), clusters).sums
    sizes = -np.sort(-np.abs(sums))  # the largest first: the order of clusters leaves no trace
    # Sums that are equal in exact arithmetic may differ by rounding, and ties count.
    bar = float(np.abs(sums.sum()) - 1e-12 * sizes.sum())
    moved = int((sizes > 0).sum())
    if moved <= _EXACT_CLUSTERS:
        return SignFlip(_exact_share(sizes[:moved], bar), exact=True)
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // len(sizes))
    reached = 0
    for start in range(0, resamples, block):
        shape = (min(block, resamples - start), len(sizes))
        signs = 2.0 * generator.integers(0, 2, size=shape, dtype=np.int8) - 1.0
        reached += int((np.abs(signs @ sizes) >= bar).sum())
    return SignFlip((1 + reached) / (resamples + 1), exact=False)


def _exact_share(sizes: Floats, bar: float) -> float:
    """Share of all sign patterns whose sum reaches the bar; the first sign is fixed, by symmetry."""
    totals = sizes[:1]
    for size in sizes[1:]:
        totals = np.concatenate([totals + size, totals - size])
    return float((np.abs(totals) >= bar).mean()) if len(totals) else 1.0


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two models on the same samples.

    ``wins``, ``ties`` and ``losses`` count observations from the first's side. ``p_value`` is of the test whose
    inversion is the interval: the interval leaves out 0 where it is below 1 − ``confidence``, and only there.
    ``detectable`` is the difference that would have been seen with 80 % power at the 5 % level, ``None`` when the
    differences do not vary.
    """

    difference: Estimate
    wins: int
    ties: int
    losses: int
    p_value: float
    detectable: float | None


def compare_scores(
    first: Values,
    second: Values,
    clusters: Clusters | None = None,
    *,
    bounds: Bounds | None = (0.0, 1.0),
    confidence: float = 0.95,
) -> PairedComparison:
    """Compare two models by the mean paired difference.

    For scores with bounds the interval and p-value are Tango's score test (`tango_bounds`) of the discordant shares
    b and c, the differences' positive and negative parts on the scale from −1 to 1:

    - where every score is a bound and stands alone, of the n samples: p is then McNemar's (1947, Psychometrika 12)
      without continuity correction;
    - otherwise, with t_{C−1} in place of z, of the effective number (b + c − (b − c)²) / SE² that has the standard
      error of the differences, as in `means.mean_interval`: near 0 this is the paired t-test;
    - of the C clusters where the differences do not vary.

    Without bounds it is `paired_t`. For many comparisons at once, `ranking.rank_models`.

    Args:
        first: n scores.
        second: n scores of the same samples in the same order.
        clusters: the cluster of each; ``None`` when each observation is independent.
        bounds: the least and the greatest possible score; ``None`` when there are none.
        confidence: of the interval.

    Raises:
        ValueError: lengths differ, there are no observations, or a score is out of bounds.
    """
    one, two = as_pair(first, second)
    if len(one) == 0:
        raise ValueError("nothing to compare: no observations")
    difference = one - two
    if bounds is None:
        tested = paired_t(one, two, clusters, confidence=confidence)
        estimate, p_value = tested.difference, tested.p_value
    else:
        shares = as_shares(one, bounds, "first"), as_shares(two, bounds, "second")
        estimate, p_value = _score_test(*shares, clusters, confidence)
        estimate = replace(estimate.scaled(bounds[1] - bounds[0]), value=group(difference, None).mean)
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    detectable = detectable_effect(estimate.se) if estimate.se else None
    return PairedComparison(estimate, wins, len(one) - wins - losses, losses, p_value, detectable)


def _score_test(one: Floats, two: Floats, clusters: Clusters | None, confidence: float) -> tuple[Estimate, float]:
    from scipy.special import ndtr, stdtr

    groups = group(one - two, clusters)
    plain = clustered_mean(one - two, clusters, confidence=confidence)
    first_only = float(np.maximum(groups.sums, 0).sum() / groups.sizes.sum())
    second_only = float(np.maximum(-groups.sums, 0).sum() / groups.sizes.sum())
    discordant = first_only + second_only
    spread = discordant - (first_only - second_only) ** 2
    trials, degrees = float(plain.clusters), None
    is_alone = plain.clusters == plain.n
    if not (is_alone and _binary(one) and _binary(two)) and plain.se and plain.se > _NO_SPREAD:
        trials, degrees = spread / plain.se**2, plain.clusters - 1
    low, high = tango_bounds(first_only, second_only, trials, critical_value(confidence, degrees))
    statistic = abs(first_only - second_only) * sqrt(trials / discordant) if discordant else 0.0
    tail = ndtr(-statistic) if degrees is None else stdtr(degrees, -statistic)
    return replace(plain, low=low, high=high, method="tango" if degrees is None else "effective tango"), float(
        2 * tail
    )


def tango_bounds(first_only: float, second_only: float, trials: float, critical: float) -> tuple[float, float]:
    """Return the score interval of the difference of two paired proportions.

    The ends are the differences δ at which (b − c − δ)² n = z² (2q + δ(1 − δ)), with q, the share that only the
    second has, at its maximum likelihood given δ (Tango 1998, Statistics in Medicine 17, 891-908; recommended by
    Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33, 2850-2875). They lie in [−1, 1], and apart.

    Args:
        first_only: b, the share of pairs in which only the first is right.
        second_only: c, that in which only the second is.
        trials: n, the (possibly effective) number of pairs.
        critical: z, or t where the number of pairs is an estimate.
    """
    from scipy.optimize import brentq

    observed = first_only - second_only

    def excess(difference: float) -> float:
        linear = (2 - observed) * difference - first_only - second_only
        root = sqrt(max(linear**2 + 8 * second_only * difference * (1 - difference), 0.0))
        variance = (root - linear) / 2 + difference * (1 - difference)
        return (observed - difference) ** 2 * trials - critical**2 * variance

    def end(bound: float, inside: float) -> float:
        # Without discordant pairs the observed difference is a root too, but not the end.
        if excess(bound) <= 0 or excess(inside) >= 0:
            return bound if excess(bound) <= 0 else observed
        return float(brentq(excess, bound, inside, xtol=1e-12))

    return end(-1.0, max(observed - _BESIDE, -1.0)), end(1.0, min(observed + _BESIDE, 1.0))
