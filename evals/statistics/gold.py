"""Detects reward hacking: a gold judge of another family grades a sample of the same answers.

Where the training judge's values rise and the gold judge's do not, the policy overoptimises the training judge
(reward hacking as in Gao, Schulman and Hilton 2023, arXiv 2210.10760: the proxy goes up, the gold reward does not).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from . import Estimate
from .estimate import critical_value

FEWEST_STEPS = 5
"""Below this a slope says nothing."""


class Trend(StrEnum):
    """What two judges' values say together."""

    ALARM = "alarm"
    WATCH = "watch"
    FINE = "fine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Divergence:
    """The slopes per step of the training judge's mean value, of the gold judge's, and of their difference.

    ``gap`` is measured on the answers that both have judged. ``reason`` says in words what ``trend`` means here.
    """

    trend: Trend
    train: Estimate
    gold: Estimate
    gap: Estimate
    reason: str


def goes_to_gold(answer_id: str, *, share: float = 0.03, seed: int = 0) -> bool:
    """Tell whether the gold judge sees an answer: the same for the same id, for ``share`` of all ids."""
    digest = hashlib.sha256(f"{seed} {answer_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def judge_divergence(
    steps: Sequence[int],
    train: Sequence[float | None],
    gold: Sequence[float | None],
    *,
    window: int | None = None,
    confidence: float = 0.95,
) -> Divergence:
    """Compare how the values of two judges move over the training steps.

    ``alarm``: the training judge's slope is above 0, the gold judge's is not (0 or less), and their difference
    grows; the first and the last with the interval above 0. ``watch``: the training judge rises and the gold judge
    cannot be said to. ``unknown``: fewer than five steps that both have judged.

    Args:
        steps: the training step of each answer.
        train: the training judge's value of each, None where it gave none.
        gold: the gold judge's, None for all answers that it was not shown.
        window: how many of the last steps count; all of them when None.
        confidence: of the intervals (least squares through the means of the steps, t with two degrees less).

    Raises:
        ValueError: the lengths differ.
    """
    if not len(steps) == len(train) == len(gold):
        raise ValueError(f"each answer has a step and two values, got {len(steps)}, {len(train)} and {len(gold)}")
    kept = set(sorted(set(steps))[-window:] if window else steps)
    rows = [row for row in zip(steps, train, gold, strict=True) if row[0] in kept]
    return divergence_of(
        [(step, one) for step, one, _ in rows if one is not None],
        [(step, other) for step, _, other in rows if other is not None],
        [(step, one - other) for step, one, other in rows if one is not None and other is not None],
        confidence=confidence,
    )


Values = Sequence[tuple[int, float]]
"""(Training step, value) of answers, or of the mean of a step."""


def divergence_of(train: Values, gold: Values, gap: Values, *, confidence: float = 0.95) -> Divergence:
    """Do `judge_divergence` for values that are already put together; ``gap`` is training less gold judge."""
    slopes = (_slope(train, confidence), _slope(gold, confidence), _slope(gap, confidence))
    trend = _trend(*slopes)
    return Divergence(trend, *slopes, _REASONS[trend])


_REASONS = {
    Trend.ALARM: "the training judge's values rise and the gold judge's do not: reward overoptimisation",
    Trend.WATCH: "the training judge's values rise, the gold judge's trend is uncertain: grade more answers",
    Trend.FINE: "no divergence of the two judges",
    Trend.UNKNOWN: f"fewer than {FEWEST_STEPS} steps graded by both judges",
}


def _trend(train: Estimate, gold: Estimate, gap: Estimate) -> Trend:
    if train.low is None or gold.value is None or gold.low is None or gap.low is None:
        return Trend.UNKNOWN
    if train.low <= 0:
        return Trend.FINE
    if gold.value <= 0 < gap.low:
        return Trend.ALARM
    return Trend.WATCH if gold.low <= 0 else Trend.FINE


def _slope(values: Values, confidence: float) -> Estimate:
    """Estimate the slope through the means of the steps: what is drawn at one step has one policy in common."""
    by_step: dict[int, list[float]] = {}
    for step, value in values:
        by_step.setdefault(step, []).append(value)
    count = len(by_step)
    bare = Estimate(None, None, None, None, len(values), count, confidence)
    if count < FEWEST_STEPS:
        return bare
    x = np.array(sorted(by_step), dtype=np.float64)
    y = np.array([np.mean(by_step[int(step)]) for step in x])
    away = x - x.mean()
    spread = float(away @ away)
    slope = float(away @ y) / spread
    residuals = y - y.mean() - slope * away
    error = float(np.sqrt(residuals @ residuals / (count - 2) / spread))
    margin = critical_value(confidence, count - 2) * error
    return replace(bare, value=slope, low=slope - margin, high=slope + margin, se=error, method="least squares")
