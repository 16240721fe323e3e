"""Rubrics as rewards: weighted criteria, and rubric dropout against overfitting to the rubric.

The reward of an answer is the weighted share of criteria that it meets, as in "Rubrics as Rewards" (arXiv
2507.17746)::

    (sum of w_j c_j over criteria - sum of w_j c_j over pitfalls) / sum of w_j over criteria

where ``c_j`` in [0, 1] is the degree to which criterion j is met, with the weights of `WEIGHTS`; clipped at 0.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Importance(StrEnum):
    """How much a criterion matters; a pitfall is a fault, whose weight is subtracted."""

    ESSENTIAL = "essential"
    IMPORTANT = "important"
    OPTIONAL = "optional"
    PITFALL = "pitfall"


WEIGHTS: Final[Mapping[Importance, float]] = {
    Importance.ESSENTIAL: 1.0,
    Importance.IMPORTANT: 0.7,
    Importance.OPTIONAL: 0.3,
    Importance.PITFALL: 0.9,
}
"""The weights of arXiv 2507.17746; those of pitfalls are subtracted."""

FEWEST: Final = 3
"""Rubric dropout keeps at least this many criteria."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One item of a rubric."""

    name: str
    importance: Importance

    @property
    def weight(self) -> float:
        """The weight of the criterion; positive for a pitfall too."""
        return WEIGHTS[self.importance]


PROOF: Final = (
    Criterion("correctness", Importance.ESSENTIAL),
    Criterion("completeness", Importance.ESSENTIAL),
    Criterion("rigour", Importance.IMPORTANT),
    Criterion("structure", Importance.OPTIONAL),
    Criterion("cases", Importance.IMPORTANT),
    Criterion("final_answer", Importance.ESSENTIAL),
)
"""The six criteria of a proof."""


def rubric_reward(rubric: Sequence[Criterion], met: Mapping[str, float | None]) -> float | None:
    """Return the reward, in [0, 1].

    Args:
        rubric: the criteria; at least one must not be a pitfall.
        met: the degree to which each is met, in [0, 1], by name. A missing criterion does not apply. If one is
            ``None`` (could not be judged), the reward is None.

    Raises:
        ValueError: a value is outside [0, 1], or only pitfalls apply.
    """
    judged = [(criterion, met[criterion.name]) for criterion in rubric if criterion.name in met]
    earned = possible = 0.0
    for criterion, value in judged:
        if value is None:
            return None
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"criterion '{criterion.name}': {value!r} is outside [0, 1]")
        if criterion.importance is Importance.PITFALL:
            earned -= criterion.weight * value
        else:
            earned += criterion.weight * value
            possible += criterion.weight
    if possible == 0:
        raise ValueError("a rubric needs at least one applicable criterion that is not a pitfall")
    return min(1.0, max(0.0, earned / possible))


def drop_criteria(
    rubric: Sequence[Criterion], *, fraction: float, example: str, step: int, seed: int = 0
) -> tuple[Criterion, ...]:
    """Return the criteria used at one training step, in the rubric's order (rubric dropout).

    ``max(3, n - floor(fraction * n))`` of the ``n`` are kept (all if there are fewer than three), at least one of
    them not a pitfall if the rubric has such. The choice depends only on the example, the step and the seed, so
    that all rollouts of one prompt are scored by the same criteria. A fraction of 0.3 to 0.5 is usual (arXiv
    2608.11669).

    Raises:
        ValueError: the fraction is outside [0, 1).
    """
    if not 0.0 <= fraction < 1.0:
        raise ValueError(f"the fraction of criteria to drop must be in [0, 1), got {fraction!r}")
    kept = min(len(rubric), max(FEWEST, len(rubric) - math.floor(fraction * len(rubric))))
    ranked = sorted(range(len(rubric)), key=lambda index: _rank(seed, example, step, index))
    chosen = ranked[:kept]
    if chosen and all(rubric[index].importance is Importance.PITFALL for index in chosen):
        rest = (index for index in ranked if rubric[index].importance is not Importance.PITFALL)
        chosen = [*chosen[:-1], next(rest, chosen[-1])]
    return tuple(rubric[index] for index in sorted(chosen))


def _rank(seed: int, example: str, step: int, index: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{step}\n{index}\n{example}".encode("utf-8", "surrogatepass")).digest()
