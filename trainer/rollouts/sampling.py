"""Dynamic sampling within a budget: prompts whose answers are all equally good teach nothing and are replaced.

DAPO (arXiv:2503.14476) samples until a batch is full. Here a step has a limited number of waves; what is left over
is kept for the next step, and a step that stays short trains on what it has or is skipped, but never ends the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..recipe.fields import Rollouts
from .records import Group

Outcome = Literal["full", "short", "skip"]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a step trains on, what it leaves to the next one, and how it came out."""

    train: tuple[Group, ...]
    surplus: tuple[Group, ...]
    outcome: Outcome


def fresh_enough(budget: Rollouts, surplus: Sequence[Group], step: int) -> tuple[Group, ...]:
    """Return the kept groups that are not too old for this step."""
    return tuple(group for group in surplus if step - group.step <= budget.max_age)


def next_wave(budget: Rollouts, *, have: int, waves: int, asked: int, informative: int) -> int:
    """Return how many prompts to sample next, 0 to stop.

    Args:
        budget: the limits.
        have: informative groups at hand, those kept from before included.
        waves: waves sampled in this step.
        asked: prompts sampled in this step.
        informative: how many of those gave informative groups.
    """
    missing = budget.groups - have
    if missing <= 0 or waves > budget.extra_waves:
        return 0
    if waves == 0:
        return missing
    # As if two more prompts had been asked, one with success: a first wave without any says little.
    rate = (informative + 1) / (asked + 2)
    return min(math.ceil(missing / rate), budget.groups)


def settle(budget: Rollouts, groups: Sequence[Group]) -> Batch:
    """Divide informative groups, oldest first, into what is trained now and what is kept.

    A step with fewer than ``min_share`` of the groups (or none) is skipped and keeps them all.
    """
    ordered = sorted(groups, key=lambda group: group.step)
    short = len(ordered) < budget.groups
    if not ordered or (short and len(ordered) < budget.min_share * budget.groups):
        return Batch((), _limited(budget, ordered), "skip")
    train, rest = ordered[: budget.groups], ordered[budget.groups :]
    return Batch(tuple(train), _limited(budget, rest), "short" if short else "full")


def _limited(budget: Rollouts, groups: Sequence[Group]) -> tuple[Group, ...]:
    if budget.max_surplus is None:
        return tuple(groups)
    return tuple(groups[max(0, len(groups) - budget.max_surplus) :])
