"""Streaming observations in compact columns, so that memory stays small for runs of any length."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..statistics import bootstrap_interval, mean_interval

BOOTSTRAPS = 200
NOTHING = {"value": None, "low": None, "high": None, "se": None, "observations": 0, "samples": 0}


class Rows:
    """The (sample, epoch) of each row, in the order in which the rows came."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._samples = array("q")
        self._epochs = array("q")

    def add(self, sample: str, epoch: int) -> int:
        """Count one row and return its number."""
        self._samples.append(self._numbers.setdefault(sample, len(self._numbers)))
        self._epochs.append(epoch)
        return len(self._samples) - 1

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rank = np.empty(len(self._numbers), np.int64)
        for place, sample in enumerate(sorted(self._numbers)):
            rank[self._numbers[sample]] = place
        samples = rank[np.asarray(self._samples, np.int64)] if self._samples else np.empty(0, np.int64)
        order = np.lexsort((np.asarray(self._epochs, np.int64), samples))
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return places, samples

    def sorted(self, rows: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the order of some rows by (sample, epoch), and their samples in that order, as numbers.

        Rows come in the order in which they were finished; sums must not depend on it.
        """
        places, samples = self._places
        numbers = np.asarray(rows, np.int64)
        order = np.argsort(places[numbers], kind="stable")
        return order, samples[numbers[order]]


class Series:
    """Observations with the rows that they come from; ``aggregate`` is set for a metric that is not a mean.

    ``bounds`` are the least and the greatest possible value of an observation, for an aggregate of its number; None
    where there are none.
    """

    def __init__(
        self,
        bounds: tuple[float, float] | None = (0.0, 1.0),
        aggregate: Callable[[Sequence[Any]], float] | None = None,
    ) -> None:
        self._bounds, self._aggregate = bounds, aggregate
        self._values: Any = array("d") if aggregate is None else []
        self._rows = array("q")

    def add(self, row: int, value: Any) -> None:
        """Add one observation of a row."""
        self._values.append(value)
        self._rows.append(row)

    def estimate(self, rows: Rows) -> dict[str, Any]:
        """Return value, 95 % interval, standard error and counts; the rows of one sample form a cluster.

        Raises:
            ValueError: a value, or the number of an aggregate, is not finite or out of bounds.
        """
        if not self._values:
            return dict(NOTHING)
        order, clusters = rows.sorted(self._rows)
        if self._aggregate is not None:
            values: Any = [self._values[at] for at in order]
            statistic = _tolerant(self._aggregate, values)
            estimate = bootstrap_interval(
                statistic, len(values), clusters.tolist(), bounds=self._bounds, resamples=BOOTSTRAPS
            )
        else:
            values = np.asarray(self._values)[order]
            estimate = mean_interval(values, clusters.tolist(), bounds=self._bounds)
        return {
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "se": estimate.se,
            "observations": len(values),
            "samples": len(np.unique(clusters)),
        }


def _tolerant(
    aggregate: Callable[[Sequence[Any]], float], values: Sequence[Any]
) -> Callable[[Iterable[int]], float | None]:
    def of_some(positions: Iterable[int]) -> float | None:
        try:
            number = aggregate([values[at] for at in positions])
        except (ArithmeticError, ValueError):
            return None
        return number if isfinite(number) else None

    return of_some
