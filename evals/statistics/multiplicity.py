"""Adjusted p-values for multiple tests, in the order given; compare them with α as usual."""

from __future__ import annotations

import numpy as np

from .estimate import Floats, Values, as_floats


def bonferroni(p_values: Values) -> list[float]:
    """Adjust for m looks by min(1, m·p): bounds the chance of any false finding, crudely; prefer `holm`.

    Raises:
        ValueError: a p-value is not in [0, 1].
    """
    p = _checked(p_values)
    return [float(x) for x in np.minimum(1.0, len(p) * p)]


def holm(p_values: Values) -> list[float]:
    """Adjust so that the chance of any false finding stays below α, whatever the dependence.

    p_(i) becomes max_{j ≤ i} min(1, (m−j+1) p_(j)) (Holm 1979, Scandinavian Journal of Statistics 6, 65-70).

    Raises:
        ValueError: a p-value is not in [0, 1].
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.arange(len(p), 0, -1) * p[order])
    return _restored(stepped, order)


def benjamini_hochberg(p_values: Values) -> list[float]:
    """Adjust so that at most a share α of the findings is false on average, for independent or positive looks.

    p_(i) becomes min_{j ≥ i} m p_(j) / j (Benjamini and Hochberg 1995, JRSS B 57, 289-300).

    Raises:
        ValueError: a p-value is not in [0, 1].
    """
    return _step_up(_checked(p_values), 1.0)


def benjamini_yekutieli(p_values: Values) -> list[float]:
    """Adjust as `benjamini_hochberg`, for any dependence: times Σ 1/i.

    (Benjamini and Yekutieli 2001, Annals of Statistics 29, Theorem 1.3.)

    Raises:
        ValueError: a p-value is not in [0, 1].
    """
    p = _checked(p_values)
    return _step_up(p, float((1 / np.arange(1, len(p) + 1)).sum()))


def _step_up(p: Floats, factor: float) -> list[float]:
    order = np.argsort(p, kind="stable")
    raised = factor * len(p) * p[order] / np.arange(1, len(p) + 1)
    return _restored(np.minimum.accumulate(raised[::-1])[::-1], order)


def _restored(adjusted: Floats, order: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[float]:
    result = np.empty(len(adjusted))
    result[order] = np.minimum(1.0, adjusted)
    return [float(x) for x in result]


def _checked(p_values: Values) -> Floats:
    p = as_floats(p_values, "p_values")
    if len(p) and (p.min() < 0.0 or p.max() > 1.0):
        raise ValueError("p-values lie in [0, 1]")
    return p
