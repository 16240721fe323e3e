"""Bootstrap intervals that resample whole clusters, from a seed.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap": the percentile interval (§13.3) and BCa (§14.3);
resampling clusters instead of observations: Davison and Hinkley 1997, "Bootstrap Methods", §3.8; expanded
percentiles: Hesterberg 2015, "What Teachers Should Know About the Bootstrap", The American Statistician 69.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np

from .estimate import (
    Bounds,
    Clusters,
    Estimate,
    Floats,
    Groups,
    Integers,
    Seed,
    Values,
    as_floats,
    as_pair,
    as_shares,
    cluster_codes,
    critical_value,
    group,
)
from .proportions import wilson_bounds

_CELLS = 2_000_000  # of one block of resamples, so that memory stays small however many there are
_ENUMERABLE = 7  # 7^7 = 823,543 resamples
_NO_SPREAD = 1e-12  # rounding leaves differences of this relative size between equal numbers


@dataclass(frozen=True, slots=True)
class PairedBootstrap:
    """The bootstrap of a paired difference, first minus second.

    ``difference`` has the observed mean, the bootstrap's standard error and interval; ``mean`` is the mean of the
    resampled means and ``at_most_zero`` the share of them that is not above 0.
    """

    difference: Estimate
    mean: float
    at_most_zero: float


def paired_bootstrap(
    first: Values,
    second: Values,
    clusters: Clusters | None = None,
    *,
    resamples: int | Literal["all"] = 10_000,
    seed: Seed = 0,
    confidence: float = 0.95,
    interval: Literal["percentile", "bca"] = "percentile",
) -> PairedBootstrap:
    """Resample clusters of paired observations and take quantiles of the mean difference.

    The r-th resample is row r of ``numpy.random.default_rng(seed).integers(0, C, size=(resamples, C))`` over the C
    clusters in order of appearance. Quantiles interpolate linearly.

    Args:
        first: n scores.
        second: n scores of the same samples in the same order.
        clusters: the cluster of each; ``None`` when each observation is independent.
        resamples: how many, or ``all`` C^C of them, for at most 7 clusters.
        seed: seed or generator.
        confidence: the interval's nominal coverage.
        interval: ``percentile``, or ``bca`` (corrected for bias and skewness, the acceleration by leaving out one
            cluster at a time; the percentile interval where either is undefined).

    Returns:
        The bootstrap; its difference has no error and interval with a single cluster.

    Raises:
        ValueError: lengths differ, there are no observations, fewer than 2 resamples, or too many clusters to take
            all resamples.
    """
    one, two = as_pair(first, second)
    critical_value(confidence)
    if len(one) == 0:
        raise ValueError("nothing to resample: no observations")
    difference = one - two
    groups = group(difference, clusters)
    means = np.concatenate([_means(groups, drawn) for drawn in _draws(len(groups.sums), resamples, seed)])
    tails = _bca_tails(groups, means, confidence) if interval == "bca" else None
    low, high = np.quantile(means, tails or ((1 - confidence) / 2, (1 + confidence) / 2))
    rounding = 1e-12 * float(np.abs(difference).max())
    n, count = len(difference), len(groups.sums)
    estimate = Estimate(groups.mean, None, None, None, n, count, confidence)
    if count > 1:
        error = float(means.std(ddof=0 if resamples == "all" else 1))
        method = "bootstrap, BCa" if tails else "bootstrap"
        estimate = Estimate(groups.mean, float(low), float(high), error, n, count, confidence, method)
    return PairedBootstrap(estimate, float(means.mean()), float((means <= rounding).mean()))


def bootstrap_interval(
    statistic: Callable[[Integers], float | None],
    observations: int,
    clusters: Clusters | None = None,
    *,
    bounds: Bounds | None = None,
    resamples: int = 2000,
    seed: Seed = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Estimate any statistic, resampling whole clusters; ``se`` is the standard deviation of the resamples.

    Without bounds the ends are expanded percentiles (Hesterberg 2015): of the probability Φ(−t_{C−1}·√(C/(C−1))) in
    each tail for C clusters, so that for a mean of normal numbers the interval is about m ± t·s/√C; the plain
    percentiles are too narrow by both factors. The quantile of probability q of R resamples is the one of rank
    q·(R + 1), which has the right expected coverage for few of them. The interval suits any scale: exp(x) has the
    exponentials of the ends of x, but for interpolation.

    With bounds it is Wilson's, on the scale from the lower bound to the upper, as of a mean v with this error
    (`means.mean_interval`): of v(1 − v) / se² trials, with t_{C−1}, or the normal quantile for verdicts, that is,
    where a single cluster has a value at a bound or none (F1; not looked up for more clusters than resamples, where
    both quantiles are nearly equal). Resamples cannot tell how rare is what no observation shows; where they do not
    vary, or v is a bound, the trials are the clusters that have the value v by themselves (for F1 = 1 the positive
    ones: F1 does not count negatives), or all clusters where none has, with the normal quantile.

    Args:
        statistic: takes the positions of the observations of one resample, repeats included, and returns a number,
            or ``None`` where it is undefined; such resamples are left out.
        observations: how many observations there are.
        clusters: the cluster of each; ``None`` when each observation is independent.
        bounds: the least and the greatest possible value of the statistic; ``None`` when there are none.
        resamples: how many.
        seed: seed or generator.
        confidence: the interval's nominal coverage.

    Returns:
        The estimate; without an interval where fewer than half of the resamples define the statistic, with a
        single cluster, or where a statistic without bounds does not vary, as its spread cannot be told.

    Raises:
        ValueError: lengths differ, fewer than 2 resamples, or the statistic is not finite or out of bounds.
    """
    critical_value(confidence)
    codes, count = cluster_codes(clusters, observations)
    value = statistic(np.arange(observations)) if observations else None
    bare = Estimate(value, None, None, None, observations, count, confidence)
    if value is None or count < 2:
        return bare
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    drawn = (row for block in _draws(count, resamples, seed) for row in block)
    if count < observations:
        drawn = (np.concatenate([members[cluster] for cluster in row]) for row in drawn)
    found = [statistic(row) for row in drawn]
    defined = as_floats([x for x in found if x is not None], "statistic of the resamples")
    if 2 * len(defined) < resamples or len(defined) < 2:
        return bare
    error = float(defined.std(ddof=1))
    varies = error > _NO_SPREAD * float(np.abs(defined).max())
    if bounds is not None:
        least, width = bounds[0], bounds[1] - bounds[0]
        share = float(as_shares(as_floats([value]).round(12), bounds)[0])
        is_inside = varies and 0.0 < share < 1.0
        alone = [statistic(some) for some in members] if count <= resamples or not is_inside else []
        known = {one for one in alone if one is not None}
        if is_inside:
            trials = share * (1 - share) * (width / error) ** 2
            critical = critical_value(confidence, None if known and known <= set(bounds) else count - 1)
        else:
            alike = sum(one is not None and abs(one - value) <= _NO_SPREAD * width for one in alone)
            trials, critical = alike or count, critical_value(confidence)
        low, high = (least + width * end for end in wilson_bounds(share, trials, critical))
        return Estimate(value, low, high, error, observations, count, confidence, "effective wilson")
    if not varies:
        return Estimate(value, None, None, error, observations, count, confidence)
    tail = NormalDist().cdf(-critical_value(confidence, count - 1) * sqrt(count / (count - 1)))
    low, high = np.quantile(defined, (tail, 1 - tail), method="weibull")
    return Estimate(value, float(low), float(high), error, observations, count, confidence, "bootstrap")


def _draws(count: int, resamples: int | Literal["all"], seed: Seed) -> Iterator[Integers]:
    """Yield blocks of resamples, one a row; the blocks' sizes do not change what is drawn."""
    if resamples == "all":
        if count > _ENUMERABLE:
            raise ValueError(f"{count} clusters have too many resamples to take all; at most {_ENUMERABLE} do not")
        yield np.indices((count,) * count).reshape(count, -1).T
        return
    if resamples < 2:
        raise ValueError(f"at least two resamples are needed, got {resamples}")
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // count)
    for start in range(0, resamples, block):
        yield generator.integers(0, count, size=(min(block, resamples - start), count))


def _means(groups: Groups, drawn: Integers) -> Floats:
    means: Floats = groups.sums[drawn].sum(axis=1) / groups.sizes[drawn].sum(axis=1)
    return means


def _bca_tails(groups: Groups, means: Floats, confidence: float) -> tuple[float, float] | None:
    """Return the two probabilities whose quantiles bound the BCa interval, ``None`` where it is undefined."""
    count, normal = len(groups.sums), NormalDist()
    rounding = 1e-12 * float(np.abs(means).max())
    below = (means < groups.mean - rounding).mean() / 2 + (means <= groups.mean + rounding).mean() / 2
    if count < 2 or not 0.0 < below < 1.0:
        return None
    without = (groups.sums.sum() - groups.sums) / (groups.sizes.sum() - groups.sizes)
    spread = without.mean() - without
    squares = float(np.square(spread).sum())
    if squares <= count * rounding**2:
        return None
    acceleration = float((spread**3).sum()) / (6 * squares**1.5)
    bias, z = normal.inv_cdf(float(below)), critical_value(confidence)
    low, high = (bias + (bias + s) / (1 - acceleration * (bias + s)) for s in (-z, z))
    return normal.cdf(low), normal.cdf(high)
