"""Ranks with their uncertainty: ranges of ranks from significant differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from .estimate import Bounds, Clusters, Estimate, Values, as_floats
from .means import mean_interval
from .multiplicity import holm
from .proportions import clopper_pearson
from .significance import PairedComparison, compare_scores, mcnemar


@dataclass(frozen=True, slots=True)
class RankRange:
    """The places a model may hold, 1 being the top."""

    best: int
    worst: int


def rank_ranges_from_intervals(low: Values, high: Values) -> list[RankRange]:
    """Rank by intervals: best = 1 + #{j: low_j > high_i}, worst = m − #{j: high_j < low_i}.

    The rule of Chatbot Arena (Chiang et al. 2024, arXiv 2403.04132, on approximate rankings). Intervals of single
    models overlap more than differences are uncertain, so this tells fewer models apart than `rank_models`.

    Raises:
        ValueError: lengths differ, or a low end lies above its high end.
    """
    lows, highs = as_floats(low, "low"), as_floats(high, "high")
    if len(lows) != len(highs) or bool((lows > highs).any()):
        raise ValueError("each model needs a low end that is not above its high end")
    return rank_ranges_from_wins((lows[:, np.newaxis] > highs[np.newaxis, :]).tolist())


def rank_ranges_from_wins(beats: Sequence[Sequence[bool | int]]) -> list[RankRange]:
    """Rank by tests: best = 1 + number significantly better, worst = m − number significantly worse.

    Args:
        beats: ``beats[i][j]`` says that model i is significantly better than model j.

    Raises:
        ValueError: the table is not square.
    """
    if any(len(row) != len(beats) for row in beats):
        raise ValueError("who beats whom is a square table")
    table = np.array(beats, dtype=bool).reshape(len(beats), len(beats))
    better, worse = table.sum(axis=0), table.sum(axis=1)
    return [RankRange(1 + int(b), len(beats) - int(w)) for b, w in zip(better, worse, strict=True)]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models of a ranking: their comparison and its p-value adjusted for all pairs of the ranking."""

    first: str
    second: str
    comparison: PairedComparison
    adjusted_p: float
    significant: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """Models told apart as far as the data allows; ``ranges`` and ``pairs`` keep the order of the names given."""

    ranges: Mapping[str, RankRange]
    pairs: tuple[Pair, ...]
    alpha: float


def rank_models(
    scores: Mapping[str, Values],
    clusters: Clusters | None = None,
    *,
    bounds: Bounds | None = (0.0, 1.0),
    alpha: float = 0.05,
) -> Ranking:
    """Compare all pairs on their common samples (`compare_scores`), adjust by Holm, and compute rank ranges.

    Args:
        scores: for each model, its scores on the same n samples in the same order.
        clusters: the cluster of each sample; ``None`` when each stands alone.
        bounds: the least and the greatest possible score; ``None`` when there are none.
        alpha: the chance of any false distinction among all pairs.

    Raises:
        ValueError: lengths differ, there are no observations, a score is out of bounds, or ``alpha`` is outside
            (0, 1).
    """
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha lies strictly between 0 and 1, got {alpha!r}")
    names = list(scores)
    named = list(combinations(range(len(names)), 2))
    rows = [as_floats(scores[name], name) for name in names]
    comparisons = [
        compare_scores(rows[i], rows[j], clusters, bounds=bounds, confidence=1 - alpha) for i, j in named
    ]
    adjusted = holm([comparison.p_value for comparison in comparisons])
    beats = np.zeros((len(names), len(names)), dtype=bool)
    pairs = []
    for (i, j), comparison, p_value in zip(named, comparisons, adjusted, strict=True):
        mean = comparison.difference.value
        assert mean is not None
        significant = p_value <= alpha and mean != 0
        if significant:
            beats[(i, j) if mean > 0 else (j, i)] = True
        pairs.append(Pair(names[i], names[j], comparison, p_value, significant))
    ranges = dict(zip(names, rank_ranges_from_wins(beats.tolist()), strict=True))
    return Ranking(ranges, tuple(pairs), alpha)


@dataclass(frozen=True, slots=True)
class WinRate:
    """Share of wins, a tie counting half; ``p_value`` is the sign test's, ties left out."""

    rate: Estimate
    p_value: float


def win_rate(wins: int, ties: int, losses: int, *, confidence: float = 0.95) -> WinRate:
    """Estimate the win rate (w + t/2) / n of independent battles.

    Given the number of ties, the interval is Clopper and Pearson's of the wins among the other battles: it leaves
    out 1/2 exactly where the sign test's p is below 1 − ``confidence``. For several battles about one question use
    `means.mean_interval` over 1, 0.5 and 0 by cluster.

    Raises:
        ValueError: a count is negative or no whole number.
    """
    if not all(count >= 0 and float(count).is_integer() for count in (wins, ties, losses)):
        raise ValueError("battles are counted in whole numbers from 0 up")
    rate = mean_interval(np.repeat([1.0, 0.5, 0.0], [wins, ties, losses]), confidence=confidence)
    decided = clopper_pearson(wins, wins + losses, confidence=confidence)
    if decided.low is not None and decided.high is not None:
        low, high = ((ties / 2 + decided.n * end) / rate.n for end in (decided.low, decided.high))
        rate = replace(rate, low=low, high=high, method="clopper-pearson given ties")
    return WinRate(rate, mcnemar(wins, losses).exact)
