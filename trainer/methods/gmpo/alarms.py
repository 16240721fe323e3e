"""When a critic is no longer trusted: its AUROC is too low, or its scores are inflated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CriticReport:
    """How a critic's scores compare with the checker's on the same answers.

    Attributes:
        count: answers that both scored.
        auroc: the chance that of two answers the critic puts the one above that the checker finds better, ties
            counting half (with a checker that says right or wrong the area under the ROC curve); None when the
            checker tells none apart.
        brier: mean of (r - y)².
        inflation: mean of r - y.
    """

    count: int
    auroc: float | None
    brier: float
    inflation: float


def compare_critic(scores: Sequence[float], targets: Sequence[float]) -> CriticReport:
    """Compare a critic's scores with a checker's, both within [0, 1]; memory is quadratic in their number.

    Raises:
        ValueError: nothing to compare, or different numbers of scores.
    """
    r, y = np.asarray(scores, dtype=float), np.asarray(targets, dtype=float)
    if r.size == 0 or r.shape != y.shape:
        raise ValueError(f"a critic is compared on the same answers: {r.size} scores, {y.size} targets")
    return CriticReport(r.size, _concordance(r, y), float(np.mean((r - y) ** 2)), float(np.mean(r - y)))


def alarms(report: CriticReport, *, min_auroc: float = 0.6, max_inflation: float = 0.15) -> list[str]:
    """Return the reasons to freeze policy updates, empty when the critic may go on."""
    reasons = []
    if report.auroc is not None and report.auroc < min_auroc:
        reasons.append(f"the critic tells good answers from bad with AUROC {report.auroc:.2f} < {min_auroc:g}")
    if report.inflation > max_inflation:
        reasons.append(f"the critic's scores exceed the checker's by {report.inflation:.2f} > {max_inflation:g}")
    return reasons


def _concordance(scores: NDArray[np.float64], targets: NDArray[np.float64]) -> float | None:
    better = targets[:, None] > targets[None, :]
    if not better.any():
        return None
    gap = scores[:, None] - scores[None, :]
    return float(np.mean((gap[better] > 0) + 0.5 * (gap[better] == 0)))
