"""Power analysis: the smallest detectable difference, and the sample size that a difference needs.

Miller 2024 ("Adding Error Bars to Evals", arXiv 2411.00640, on power analysis): the paired difference of two models
has the variance (ω² + σ²_A/K_A + σ²_B/K_B) / n, where ω² is the variance over questions of the difference between
the models' expected scores, σ² the mean variance of one model's score over repeated answers to one question, and K
the number of answers drawn to each question. `repeated.variance_components` estimates them.
"""

from __future__ import annotations

from math import inf, sqrt
from statistics import NormalDist


def sample_size(
    effect: float,
    *,
    between: float,
    within_first: float = 0.0,
    within_second: float = 0.0,
    attempts_first: int = 1,
    attempts_second: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Return how many questions are needed to see ``effect``: (z_{α/2} + z_β)² (ω² + σ²_A/K_A + σ²_B/K_B) / δ².

    Args:
        effect: the difference δ > 0 of mean scores to be seen, in the scores' own units.
        between: ω².
        within_first: σ²_A, of the first model's repeated answers.
        within_second: σ²_B.
        attempts_first: K_A, answers to each question.
        attempts_second: K_B.
        alpha: the two-sided significance level.
        power: the probability of seeing the effect, above ``alpha``.

    Returns:
        The number before it is rounded up.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not 0 < effect < inf:
        raise ValueError(f"the effect to be seen is positive, got {effect!r}")
    variance = _variance(between, within_first, within_second, attempts_first, attempts_second)
    return _quantiles(alpha, power) ** 2 * variance / effect**2


def minimal_detectable_effect(
    questions: int,
    *,
    between: float,
    within_first: float = 0.0,
    within_second: float = 0.0,
    attempts_first: int = 1,
    attempts_second: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """Return the smallest difference that ``questions`` can see: `sample_size` solved for the effect.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not questions >= 1:
        raise ValueError(f"at least one question is needed, got {questions!r}")
    variance = _variance(between, within_first, within_second, attempts_first, attempts_second)
    return detectable_effect(sqrt(variance / questions), alpha=alpha, power=power)


def detectable_effect(standard_error: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest difference seen with probability ``power`` at this error: (z_{α/2} + z_β) · SE.

    Report it beside a non-significant result.

    Raises:
        ValueError: an argument is out of its range.
    """
    if not 0 <= standard_error < inf:
        raise ValueError(f"a standard error is finite and not negative, got {standard_error!r}")
    return _quantiles(alpha, power) * standard_error


def _variance(between: float, first: float, second: float, attempts_first: int, attempts_second: int) -> float:
    if not all(0 <= variance < inf for variance in (between, first, second)):
        raise ValueError("variances are finite and not negative")
    if min(attempts_first, attempts_second) < 1:
        raise ValueError("each question is answered at least once by each model")
    return between + first / attempts_first + second / attempts_second


def _quantiles(alpha: float, power: float) -> float:
    if not 0.0 < alpha < power < 1.0:
        raise ValueError(f"0 < alpha < power < 1 must hold, got alpha {alpha!r} and power {power!r}")
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
