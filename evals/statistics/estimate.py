"""Common types: `Estimate`, seeds, and observations grouped into clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Values = Sequence[float] | Floats
Clusters = Sequence[Hashable]
Seed = int | np.random.Generator
"""A seed, or a generator that continues from its state: the only source of randomness here."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number measured on ``n`` observations in ``clusters`` independent groups, with its interval.

    ``None`` stands for what the data cannot tell: ``value`` when there are no observations, ``se`` when there is
    a single cluster, ``low`` and ``high`` when no valid interval exists. ``se`` is the standard error of
    ``value``. ``method`` names how the interval was made, for captions (``wilson``, ``clustered t``, …).
    """

    value: float | None
    low: float | None
    high: float | None
    se: float | None
    n: int
    clusters: int
    confidence: float = 0.95
    method: str = "none"

    def scaled(self, factor: float, offset: float = 0.0) -> Estimate:
        """Return the estimate of ``factor * x + offset``; a negative factor swaps the ends of the interval."""

        def move(x: float | None) -> float | None:
            return None if x is None else factor * x + offset

        low, high = (self.low, self.high) if factor >= 0 else (self.high, self.low)
        se = None if self.se is None else abs(factor) * self.se
        return replace(self, value=move(self.value), low=move(low), high=move(high), se=se)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Groups:
    """Observations summed by cluster: ``sums[c]`` and ``sizes[c]``, clusters in order of first appearance."""

    sums: Floats
    sizes: Floats

    @property
    def mean(self) -> float:
        """The mean over observations: a ratio of two sums over clusters."""
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def residuals(self) -> Floats:
        """Each cluster's sum of deviations from the mean."""
        return self.sums - self.mean * self.sizes


def as_floats(values: Values, name: str = "values") -> Floats:
    """Return the numbers as one row of finite floats.

    Raises:
        ValueError: the shape is not (n,), or a number is NaN or infinite (a missing score must be left out).
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a flat sequence of numbers, got the shape {array.shape}")
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{name}[{at}] is {array[at]}; leave out what was not measured")
    return array


def as_pair(first: Values, second: Values) -> tuple[Floats, Floats]:
    """Return two rows of finite floats of equal length.

    Raises:
        ValueError: the lengths differ, or see `as_floats`.
    """
    one, two = as_floats(first, "first"), as_floats(second, "second")
    if len(one) != len(two):
        raise ValueError(f"a paired comparison needs equal lengths, got {len(one)} and {len(two)}")
    return one, two


def cluster_codes(clusters: Clusters | None, count: int) -> tuple[Integers, int]:
    """Number the clusters 0, 1, … in order of first appearance; ``None`` makes every observation its own.

    Raises:
        ValueError: there is not exactly one cluster name for each of the ``count`` observations.
    """
    if clusters is None:
        return np.arange(count), count
    if len(clusters) != count:
        raise ValueError(f"each observation needs its cluster: {count} observations, {len(clusters)} clusters")
    # A dict, for np.unique would make the sample 1 and the sample "1" one and the same.
    seen: dict[Hashable, int] = {}
    codes = np.fromiter((seen.setdefault(name, len(seen)) for name in clusters), np.int64, count)
    return codes, len(seen)


def group(values: Floats, clusters: Clusters | None) -> Groups:
    """Sum observations by cluster."""
    codes, count = cluster_codes(clusters, len(values))
    return Groups(
        np.bincount(codes, weights=values, minlength=count).astype(np.float64),
        np.bincount(codes, minlength=count).astype(np.float64),
    )


def critical_value(confidence: float, degrees: float | None = None) -> float:
    """Return the two-sided quantile of the t distribution, or of the normal when ``degrees`` is ``None``.

    Raises:
        ValueError: ``confidence`` is not strictly between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence lies strictly between 0 and 1, got {confidence!r}")
    tail = 0.5 + confidence / 2
    if degrees is None:
        return NormalDist().inv_cdf(tail)
    from scipy.special import stdtrit

    return float(stdtrit(degrees, tail))


Distribution = Literal["t", "normal"]

Bounds = tuple[float, float]
"""The least and the greatest possible value of an observation."""


def as_shares(values: Floats, bounds: Bounds, name: str = "values") -> Floats:
    """Return the values as shares of the way from the lower bound to the upper.

    Raises:
        ValueError: a value is out of bounds, or the bounds are not finite and ascending.
    """
    least, most = bounds
    if not -np.inf < least < most < np.inf:
        raise ValueError(f"bounds are two finite numbers, the lower one first, got {bounds}")
    outside = np.flatnonzero((values < least) | (values > most))
    if len(outside):
        raise ValueError(f"values lie in [{least:g}, {most:g}], {name}[{outside[0]}] is {values[outside[0]]}")
    return values if bounds == (0.0, 1.0) else (values - least) / (most - least)
