"""Means of clustered observations, with intervals that stay inside [0, 1].

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

from .estimate import Clusters, Distribution, Estimate, Groups, Values, as_floats, critical_value, group
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

    Nothing is assumed about the range, so the interval may leave [0, 1]; for scores use `mean_interval`.

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


def mean_interval(values: Values, clusters: Clusters | None = None, *, confidence: float = 0.95) -> Estimate:
    """Estimate the mean of scores in [0, 1]; several observations of one cluster are not independent.

    The value is the mean over observations and ``se`` is CR1 (`standard_error`). The interval is

    - for values that are all 0 or 1, Wilson's. When clusters hold several observations, n is replaced by the
      effective n = n / deff · (t_{n−1} / t_{C−1})², at most n: the design effect and the degrees-of-freedom
      adjustment of Korn and Graubard (1998, "Confidence intervals for proportions with small expected number of
      positive counts", Survey Methodology 24), put into Wilson's formula;
    - for graded values, m ± t_{C−1} · SE, cut off at 0 and 1;
    - where nothing varies, or there is one cluster, no variance can be estimated. Wilson's with n = C is used:
      a variable in [0, 1] with mean m has at most the variance m(1−m), so this errs on the wide side instead of
      claiming certainty.

    Args:
        values: n numbers in [0, 1]; leave out what was not measured.
        clusters: the cluster (usually the sample id) of each; ``None`` when each stands alone.
        confidence: the interval's nominal coverage.

    Returns:
        The estimate. Without observations every number in it is ``None``; with one cluster only ``se`` is.

    Raises:
        ValueError: lengths differ, a value is not in [0, 1], or ``confidence`` is outside (0, 1).
    """
    observed = as_floats(values)
    if len(observed) and (observed.min() < 0.0 or observed.max() > 1.0):
        at = int(np.flatnonzero((observed < 0.0) | (observed > 1.0))[0])
        raise ValueError(f"values lie in [0, 1], values[{at}] is {observed[at]}")
    plain = clustered_mean(observed, clusters, confidence=confidence)
    if plain.value is None:
        return plain
    if plain.se is None or observed.min() == observed.max():
        return _wilson(plain, plain.clusters)
    if bool(((observed == 0.0) | (observed == 1.0)).all()):
        return _wilson(plain, _effective_size(plain))
    if plain.se < _NO_SPREAD:
        return _wilson(plain, plain.clusters)
    assert plain.low is not None
    assert plain.high is not None
    return replace(plain, low=max(0.0, plain.low), high=min(1.0, plain.high))


def _wilson(plain: Estimate, size: float) -> Estimate:
    assert plain.value is not None
    low, high = wilson_bounds(plain.value, size, plain.confidence)
    method = "wilson" if plain.clusters == plain.n else "clustered wilson"
    return replace(plain, low=low, high=high, method=method)


def _effective_size(plain: Estimate) -> float:
    """The number of independent observations that would give a proportion the same error, at most n."""
    assert plain.value is not None
    assert plain.se is not None
    if plain.clusters == plain.n or plain.se < _NO_SPREAD:
        return plain.n
    independent = plain.value * (1 - plain.value) / (plain.n - 1)
    degrees = critical_value(plain.confidence, plain.n - 1) / critical_value(plain.confidence, plain.clusters - 1)
    return min(plain.n, plain.n * independent / plain.se**2 * degrees**2)


def macro_average(estimates: Sequence[Estimate], *, confidence: float = 0.95) -> Estimate:
    """Average over tasks, each counting the same: SE = √(Σ SE_t²) / T, normal interval.

    The tasks' samples are taken to be independent of each other.

    Raises:
        ValueError: no estimates, or one without a finite value.
    """
    return _weighted(estimates, [1.0] * len(estimates), confidence)


def micro_average(estimates: Sequence[Estimate], *, confidence: float = 0.95) -> Estimate:
    """Average over all observations of all tasks, tasks being strata: SE = √(Σ (n_t SE_t)²) / n, normal interval.

    Raises:
        ValueError: no estimates, one without a finite value, or no observations.
    """
    return _weighted(estimates, [float(one.n) for one in estimates], confidence)


def _weighted(estimates: Sequence[Estimate], weights: Sequence[float], confidence: float) -> Estimate:
    if not estimates or any(one.value is None for one in estimates):
        raise ValueError("an average needs at least one estimate, each with a value; leave out unmeasured tasks")
    if sum(weights) <= 0:
        raise ValueError("an average needs observations to weigh the tasks by")
    share = np.asarray(weights) / sum(weights)
    value = float(share @ as_floats([one.value for one in estimates if one.value is not None], "estimates"))
    n, clusters = sum(one.n for one in estimates), sum(one.clusters for one in estimates)
    if any(one.se is None for one in estimates):
        return Estimate(value, None, None, None, n, clusters, confidence)
    error = float(np.linalg.norm(share * np.array([one.se for one in estimates], dtype=np.float64)))
    margin = critical_value(confidence) * error
    return Estimate(value, value - margin, value + margin, error, n, clusters, confidence, "normal")


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
