"""Intervals for a proportion of independent successes."""

from __future__ import annotations

from math import sqrt

from .estimate import Estimate, critical_value


def wilson_bounds(proportion: float, trials: float, critical: float) -> tuple[float, float]:
    """Return Wilson's interval for a proportion of a (possibly fractional, effective) number of trials.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n) (Wilson 1927, JASA 22, 209-212; recommended by Brown, Cai and
    DasGupta 2001, Statistical Science 16, §4); ``critical`` is z, or t where the number of trials is an estimate.
    """
    z = critical
    shrink = 1 + z * z / trials
    centre = (proportion + z * z / (2 * trials)) / shrink
    margin = z * sqrt(proportion * (1 - proportion) / trials + (z / (2 * trials)) ** 2) / shrink
    # The bounds are 0 and 1 exactly at p = 0 and p = 1, and never pass p, but for rounding.
    low = 0.0 if proportion == 0.0 else min(max(0.0, centre - margin), proportion)
    high = 1.0 if proportion == 1.0 else max(min(1.0, centre + margin), proportion)
    return low, high


def wilson(successes: int, trials: int, *, confidence: float = 0.95) -> Estimate:
    """Estimate a proportion with Wilson's interval, see `wilson_bounds`.

    Raises:
        ValueError: not 0 ≤ successes ≤ trials.
    """
    return _estimate(successes, trials, confidence, "wilson")


def clopper_pearson(successes: int, trials: int, *, confidence: float = 0.95) -> Estimate:
    """Estimate a proportion with the "exact" interval that never covers less than its nominal share.

    The ends are quantiles of Beta(k, n−k+1) and Beta(k+1, n−k) (Clopper and Pearson 1934, Biometrika 26).

    Raises:
        ValueError: not 0 ≤ successes ≤ trials.
    """
    return _estimate(successes, trials, confidence, "clopper-pearson")


def jeffreys(successes: int, trials: int, *, confidence: float = 0.95) -> Estimate:
    """Estimate a proportion with equal-tailed quantiles of Beta(k + 1/2, n − k + 1/2).

    The posterior under Jeffreys' prior (Brown, Cai and DasGupta 2001, Statistical Science 16, §4.1.2), without
    their change at k = 0 and k = n.

    Raises:
        ValueError: not 0 ≤ successes ≤ trials.
    """
    return _estimate(successes, trials, confidence, "jeffreys")


def _estimate(successes: int, trials: int, confidence: float, method: str) -> Estimate:
    if not 0 <= successes <= trials:
        raise ValueError(f"successes lie between 0 and the trials, got {successes} of {trials}")
    if trials == 0:
        return Estimate(None, None, None, None, 0, 0, confidence)
    share = successes / trials
    error = sqrt(share * (1 - share) / (trials - 1)) if trials > 1 else None
    if method == "wilson":
        low, high = wilson_bounds(share, trials, critical_value(confidence))
    else:
        low, high = _beta_bounds(successes, trials, confidence, method)
    return Estimate(share, low, high, error, trials, trials, confidence, method)


def _beta_bounds(successes: int, trials: int, confidence: float, method: str) -> tuple[float, float]:
    from scipy.special import betaincinv

    tail, failures = (1 - confidence) / 2, trials - successes
    if method == "jeffreys":
        low, high = betaincinv(successes + 0.5, failures + 0.5, [tail, 1 - tail])
        return float(low), float(high)
    return (
        float(betaincinv(successes, failures + 1, tail)) if successes else 0.0,
        float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0,
    )
