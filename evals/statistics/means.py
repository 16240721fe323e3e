"""Means of clustered observations, with intervals that stay inside the bounds of their scale.

Several answers to one question, or several instructions in one prompt, rise and fall together. Counting them as
independent makes the error bars too short (Miller 2024, "Adding Error Bars to Evals", arXiv 2411.00640, on
clustered standard errors); here they form a cluster, and only clusters count as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Literal

import numpy as np

from .estimate import (
    Bounds,
    Clusters,
    Distribution,
    Estimate,
    Groups,
    Values,
    as_floats,
    as_shares,
    critical_value,
    group,
)
from .proportions import wilson_bounds

Correction = Literal["CR0", "CR1"]
_NO_SPREAD = 1e-12  # rounding leaves errors of this size where values in [0, 1] have none


def standard_error(groups: Groups, correction: Correction = "CR1") -> float | None:
    """Return the cluster-robust standard error of the mean over observations.

    CR0² = Σ_c (Σ_{i in c} (x_i − m))² / n² is the linearised variance of the ratio Σ sums / Σ sizes (Miller 2024,
    arXiv 2411.00640, clustered standard errors; Liang and Zeger 1986). CR1² = CR0² · C/(C−1) is the small-sample
    form for C clusters (Cameron and Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference", §VI). With
    one observation a cluster CR1 is the plain s/√n.

    Returns:
        The error, or ``None`` with fewer than two clusters (CR0: with none).
    """
    count = len(groups.sums)
    if count < (1 if correction == "CR0" else 2):
        return None
    uncorrected = float(np.sqrt(np.square(groups.residuals).sum())) / float(groups.sizes.sum())
    return uncorrected if correction == "CR0" else uncorrected * sqrt(count / (count - 1))


def clustered_mean(
    values: Values,
    clusters: Clusters | None = None,
    *,
    confidence: float = 0.95,
    correction: Correction = "CR1",
    distribution: Distribution = "t",
) -> Estimate:
    """Estimate the mean of any numbers: m ± t_{C−1} · SE, with the error of `standard_error`.

    Nothing is assumed about the range, so the interval may leave any bounds; for scores use `mean_interval`.

    Args:
        values: n finite numbers.
        clusters: the cluster of each; ``None`` when each observation is independent.
        confidence: the interval's nominal coverage.
        correction: the small-sample factor, see `standard_error`.
        distribution: ``t`` with C−1 degrees of freedom, or ``normal``.

    Returns:
        The estimate; its value is ``None`` without observations, its interval with a single cluster.

    Raises:
        ValueError: lengths differ, a value is not finite, or ``confidence`` is outside (0, 1).
    """
    observed = as_floats(values)
    groups = group(observed, clusters)
    n, count = len(observed), len(groups.sums)
    critical = critical_value(confidence, None if distribution == "normal" else max(count - 1, 1))
    if n == 0:
        return Estimate(None, None, None, None, 0, 0, confidence)
    mean, error = groups.mean, standard_error(groups, correction)
    if error is None or count < 2:
        return Estimate(mean, None, None, error, n, count, confidence)
    margin = critical * error
    method = distribution if count == n else f"clustered {distribution}"
    return Estimate(mean, mean - margin, mean + margin, error, n, count, confidence, method)


def design_effect(values: Values, clusters: Clusters | None) -> float | None:
    """Return by how much clustering multiplies the variance of the mean: CR0² / (population variance / n).

    1 when observations are independent; up to the cluster size when a cluster's members always agree (Kish 1965,
    "Survey Sampling", §8.2). ``None`` when the values do not vary.

    Raises:
        ValueError: lengths differ or a value is not finite.
    """
    observed = as_floats(values)
    if len(observed) == 0 or observed.min() == observed.max():
        return None
    error = standard_error(group(observed, clusters), "CR0")
    assert error is not None
    return error**2 / (float(observed.var()) / len(observed))


def mean_interval(
    values: Values,
    clusters: Clusters | None = None,
    *,
    bounds: Bounds | None = (0.0, 1.0),
    confidence: float = 0.95,
) -> Estimate:
    """Estimate the mean of scores; several observations of one cluster are not independent.

    The value is the mean over observations and ``se`` is CR1 (`standard_error`). The interval is Wilson's, on the
    scale from the lower bound to the upper, for the mean m there and an effective number of observations:

    - n where every value is a bound and stands alone, which are Bernoulli trials;
    - otherwise m(1 − m) / SE², the number of such trials with the same error, and t_{C−1} in place of z: the
      score interval of a mean whose variance is φ·m(1 − m), φ being estimated (quasi-likelihood: Wedderburn 1974,
      Biometrika 61; for clustered proportions the design effect of Korn and Graubard 1998, Survey Methodology 24).
      Verdicts in clusters are at most n. Near a bound the spread in SE is that of the data and of 2 / (1 + e²)
      further observations at the bounds, e = C·min(m, 1 − m): where fewer than a few observations at the other
      bound would make up the mean, rare ones may not have been seen. The weight was chosen by simulation
      (``bench/coverage_intervals.py``);
    - C where nothing varies, or there is one cluster, as no variance can be estimated: a variable in [0, 1] with
      mean m has at most the variance m(1 − m), so this errs on the wide side instead of claiming certainty.

    Without bounds it is m ± t_{C−1}·SE (`clustered_mean`).

    Args:
        values: n numbers; leave out what was not measured.
        clusters: the cluster (usually the sample id) of each; ``None`` when each stands alone.
        bounds: the least and the greatest possible value; ``None`` when there are none.
        confidence: the interval's nominal coverage.

    Returns:
        The estimate. Without observations every number in it is ``None``; with one cluster only ``se`` is, and
        without bounds the interval.

    Raises:
        ValueError: lengths differ, a value is out of bounds, or ``confidence`` is outside (0, 1).
    """
    observed = as_floats(values)
    if bounds is None:
        return clustered_mean(observed, clusters, confidence=confidence)
    shares = as_shares(observed, bounds)
    plain = clustered_mean(shares, clusters, confidence=confidence)
    if plain.value is None:
        return plain
    is_binary = bool(((shares == 0.0) | (shares == 1.0)).all())
    is_alone = plain.clusters == plain.n
    share = min(max(plain.value, 0.0), 1.0)
    z = critical_value(confidence)
    if is_binary and is_alone:
        low, high = wilson_bounds(share, plain.n, z)
    elif plain.se is None or plain.se < _NO_SPREAD or share in (0.0, 1.0):
        low, high = wilson_bounds(share, plain.clusters, z)
    else:
        trials = _effective_trials(share, plain.se, plain.clusters)
        if is_binary:
            trials = min(trials, plain.n)
        low, high = wilson_bounds(share, trials, critical_value(confidence, plain.clusters - 1))
    method = "wilson" if is_binary and is_alone else "effective wilson"
    scaled = replace(plain, low=low, high=high, method=method).scaled(bounds[1] - bounds[0], bounds[0])
    return replace(scaled, value=group(observed, None).mean)  # not rounded twice


def _effective_trials(share: float, error: float, clusters: int) -> float:
    """Return the number of independent trials that would give a proportion this standard error."""
    unseen = 2 / (1 + (clusters * min(share, 1 - share)) ** 2)
    shrunk = (clusters * share + unseen / 2) / (clusters + unseen)
    variance = clusters * error**2  # of one cluster
    pooled = (variance * (clusters - 1) + unseen * shrunk * (1 - shrunk)) / (clusters - 1 + unseen)
    return clusters * share * (1 - share) / pooled


def macro_average(estimates: Sequence[Estimate]) -> Estimate:
    """Average over tasks, each counting the same: SE = √(Σ SE_t²) / T, the interval of `_weighted`.

    The tasks' samples are taken to be independent of each other.

    Raises:
        ValueError: no estimates, or one without a finite value.
    """
    return _weighted(estimates, [1.0] * len(estimates))


def micro_average(estimates: Sequence[Estimate]) -> Estimate:
    """Average over all observations of all tasks, tasks being strata: SE = √(Σ (n_t SE_t)²) / n.

    Raises:
        ValueError: no estimates, one without a finite value, or no observations.
    """
    return _weighted(estimates, [float(one.n) for one in estimates])


def _weighted(estimates: Sequence[Estimate], weights: Sequence[float]) -> Estimate:
    """Average with weights w; the ends lie √Σ (w_t·(m_t − end_t))² from the mean.

    "Square and add" (Newcombe 1998, Statistics in Medicine 17, 873-890; for any estimates: Zou and Donner 2008,
    Statistics in Medicine 27, 1693-1702): it stays inside the bounds of the tasks and never has the width 0.
    There is no interval where a task has none.
    """
    if not estimates or any(one.value is None for one in estimates):
        raise ValueError("an average needs at least one estimate, each with a value; leave out unmeasured tasks")
    if sum(weights) <= 0:
        raise ValueError("an average needs observations to weigh the tasks by")
    share = np.asarray(weights) / sum(weights)
    columns = np.array([(one.value, one.low, one.high, one.se) for one in estimates], dtype=np.float64)
    means, lows, highs, errors = columns.T  # NaN stands for None
    value = float(share @ as_floats(means, "estimates"))
    below, above, error = (float(np.linalg.norm(share * side)) for side in (means - lows, highs - means, errors))
    n, clusters = sum(one.n for one in estimates), sum(one.clusters for one in estimates)
    low, high, se = (None if np.isnan(x) else x for x in (value - below, value + above, error))
    method = "none" if low is None or high is None else "square and add"
    return Estimate(value, low, high, se, n, clusters, estimates[0].confidence, method)


def pooled_standard_error(estimates: Sequence[Estimate]) -> float:
    """Return lm-eval's error of a group: √(Σ (n_t−1) n_t SE_t² / (n−T) / n), for tables that must match its own.

    It treats the tasks as one sample with a common variance; `micro_average` is the error to report.

    Raises:
        ValueError: a standard error is missing, or there is one observation a task or fewer.
    """
    n, tasks = sum(one.n for one in estimates), len(estimates)
    if n <= tasks or any(one.se is None for one in estimates):
        raise ValueError("pooling needs standard errors and more than one observation a task")
    squares = sum((one.n - 1) * one.n * one.se**2 for one in estimates if one.se is not None)
    return sqrt(squares / (n - tasks) / n)
