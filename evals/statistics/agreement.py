"""Agreement of raters: Cohen's, Fleiss' and Krippendorff's coefficients, and rank correlations.

A coefficient is ``None`` where it is undefined: only one category was used, so agreement by chance is
certain. `bootstrap.bootstrap_interval` over the rated units gives the intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from math import atanh, sqrt, tanh
from typing import Any, Literal

import numpy as np

from .estimate import Estimate, Floats, Values, as_pair, critical_value

Level = Literal["nominal", "ordinal", "interval", "ratio"]


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    weights: Literal["none", "linear", "quadratic"] = "none",
    categories: Sequence[Hashable] | None = None,
) -> float | None:
    """Return κ = 1 − Σ w·observed / Σ w·expected of two raters.

    Weights are 1 for any disagreement (Cohen 1960), or |i − j| or (i − j)² for the i-th and j-th category (Cohen
    1968, Psychological Bulletin 70).

    Args:
        first: the first rater's category for each unit.
        second: the second rater's.
        weights: how disagreement is counted.
        categories: all categories in order; by default those that occur, sorted. It matters for weights, where a
            category that nobody used still is a step.

    Raises:
        ValueError: lengths differ, there are no units, or a rating is not among ``categories``.
    """
    if len(first) != len(second) or len(first) == 0:
        raise ValueError(f"two raters of the same units are needed, got {len(first)} and {len(second)} ratings")
    ordered: list[Any] = sorted({*first, *second}, key=_order) if categories is None else list(categories)
    index = {category: at for at, category in enumerate(ordered)}
    strange = next((rating for rating in (*first, *second) if rating not in index), None)
    if strange is not None:
        raise ValueError(f"the rating {strange!r} is not among the categories")
    size = len(ordered)
    cells = [index[a] * size + index[b] for a, b in zip(first, second, strict=True)]
    observed = np.bincount(cells, minlength=size * size).reshape(size, size) / len(first)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    steps = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    penalty = {"none": (steps > 0).astype(float), "linear": steps.astype(float), "quadratic": steps**2.0}[weights]
    chance = float((penalty * expected).sum())
    return 1 - float((penalty * observed).sum()) / chance if chance > 0 else None


def _order(category: Any) -> tuple[bool, Any]:
    """Sort numbers by size and anything else by its text, so that mixed categories have an order too."""
    number = isinstance(category, int | float | np.number)
    return (False, category) if number else (True, str(category))


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float | None:
    """Return Fleiss' κ of any raters, the same number for each unit (Fleiss 1971, Psychological Bulletin 76).

    Args:
        ratings: for each unit, its categories, one a rater.

    Raises:
        ValueError: no units, fewer than two raters, or units with different numbers of ratings.
    """
    raters = len(ratings[0]) if ratings else 0
    if raters < 2 or any(len(unit) != raters for unit in ratings):
        raise ValueError("Fleiss' kappa needs units with the same number of ratings, at least two")
    counts = [Counter(unit) for unit in ratings]
    agreement = sum(count * (count - 1) for unit in counts for count in unit.values()) / (raters * (raters - 1))
    used = Counter(rating for unit in ratings for rating in unit)
    chance = sum((count / (len(ratings) * raters)) ** 2 for count in used.values())
    return (agreement / len(ratings) - chance) / (1 - chance) if len(used) > 1 else None


def krippendorff_alpha(ratings: Sequence[Sequence[Any]], *, level: Level = "nominal") -> float | None:
    """Return α = 1 − D_observed / D_expected for any number of raters and any missing ratings.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": coincidences of ratings within units, and the
    squared difference that suits the level of measurement.

    Args:
        ratings: for each rater, a rating of each unit, ``None`` (or NaN) where there is none; hashable for
            ``nominal``, numbers otherwise.
        level: ``nominal``, ``ordinal``, ``interval``, or ``ratio`` (numbers from 0 up).

    Raises:
        ValueError: raters have rated different numbers of units.
    """
    if len({len(rater) for rater in ratings}) > 1:
        raise ValueError("each rater needs one entry for each unit; a missing rating is None")
    units = [
        # NaN alone differs from itself.
        [rating for rating in unit if rating is not None and rating == rating]  # noqa: PLR0124
        for unit in zip(*ratings, strict=True)
    ]
    units = [unit for unit in units if len(unit) > 1]
    ordered = sorted({rating for unit in units for rating in unit}, key=_order)
    index = {category: at for at, category in enumerate(ordered)}
    counts = np.zeros((len(units), len(ordered)))
    for row, unit in enumerate(units):
        for rating in unit:
            counts[row, index[rating]] += 1
    pairable = 1 / (counts.sum(axis=1) - 1)
    coincidences = (counts * pairable[:, np.newaxis]).T @ counts - np.diag(pairable @ counts)
    totals = counts.sum(axis=0)
    difference = _DIFFERENCES[level](totals, ordered)
    expected = float(totals @ difference @ totals)
    if expected == 0:
        return None
    return 1 - (float(totals.sum()) - 1) * float((coincidences * difference).sum()) / expected


def _nominal(totals: Floats, categories: list[Any]) -> Floats:
    return 1.0 - np.eye(len(categories))


def _ordinal(totals: Floats, categories: list[Any]) -> Floats:
    middle = np.cumsum(totals) - totals / 2
    return np.square(np.subtract.outer(middle, middle))


def _interval(totals: Floats, categories: list[Any]) -> Floats:
    numbers = np.array(categories, dtype=np.float64)
    return np.square(np.subtract.outer(numbers, numbers))


def _ratio(totals: Floats, categories: list[Any]) -> Floats:
    numbers = np.array(categories, dtype=np.float64)
    sums = np.add.outer(numbers, numbers)
    return np.square(np.subtract.outer(numbers, numbers) / np.where(sums == 0, 1.0, sums))


_DIFFERENCES: dict[Level, Callable[[Floats, list[Any]], Floats]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
    "ratio": _ratio,
}


def spearman(first: Values, second: Values, *, confidence: float = 0.95) -> Estimate:
    """Estimate Spearman's rank correlation, ties at their mean rank.

    The interval is tanh(atanh r ± z √((1 + r²/2) / (n − 3))) (Bonett and Wright 2000, Psychometrika 65,
    23-28); ``se`` is (1 − r²) times that root. A perfect correlation has no finite atanh: the inner end is then
    that of the next value which n untied ranks can show, 1 − 12 / (n(n² − 1)). Coverage is rough below n = 25
    or above |r| = 0.9; `bootstrap.bootstrap_interval` is the alternative.

    Returns:
        The estimate: without a value when a row does not vary, without an interval below 4 observations.

    Raises:
        ValueError: lengths differ or a number is not finite.
    """
    value, n = _correlation(first, second, "spearman")
    critical = critical_value(confidence)
    if value is None or n < 4:
        return Estimate(value, None, None, None, n, n, confidence)
    root = sqrt((1 + value**2 / 2) / (n - 3))
    nearest = 1 - 12 / (n * (n * n - 1))
    inside = min(nearest, max(-nearest, value))
    low = -1.0 if value <= -nearest else tanh(atanh(inside) - critical * root)
    high = 1.0 if value >= nearest else tanh(atanh(inside) + critical * root)
    return Estimate(value, low, high, (1 - value**2) * root, n, n, confidence, "fisher z")


def kendall(first: Values, second: Values) -> float | None:
    """Return Kendall's τ-b (Kendall 1945, Biometrika 33), ``None`` when a row does not vary.

    Raises:
        ValueError: lengths differ or a number is not finite.
    """
    return _correlation(first, second, "kendall")[0]


def _correlation(first: Values, second: Values, kind: Literal["spearman", "kendall"]) -> tuple[float | None, int]:
    one, two = as_pair(first, second)
    if len(one) < 2 or one.min() == one.max() or two.min() == two.max():
        return None, len(one)
    from scipy import stats

    if kind == "kendall":
        return float(stats.kendalltau(one, two).statistic), len(one)
    ranks, other = (stats.rankdata(row) - (len(row) + 1) / 2 for row in (one, two))
    return float(ranks @ other) / sqrt(float(ranks @ ranks) * float(other @ other)), len(one)
