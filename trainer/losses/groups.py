"""Rewards of several answers to the same prompt: the groups that advantages are taken in.

A reward is NaN where nothing was measured (`reward_tensor` makes it from None). Such an answer is no zero: it takes
no part in its group's mean and spread, its advantage is 0, and `usable` takes it out of training.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MAX_UNSCORED = 0.25


def reward_tensor(values: Sequence[float | None]) -> Tensor:
    """Return rewards as a float64 tensor [B], NaN for None."""
    return torch.tensor([torch.nan if value is None else value for value in values], dtype=torch.float64)


def scored(rewards: Tensor) -> Tensor:
    """Tell which rewards [B] were measured."""
    return ~torch.isnan(rewards)


def group_count(marks: Tensor, groups: Tensor) -> Tensor:
    """Return [B]: how many of a row's group are marked."""
    return _group_sum(marks.double(), groups)


def group_mean(values: Tensor, groups: Tensor) -> Tensor:
    """Return [B]: the mean of the measured values of each row's group, NaN in a group that has none."""
    measured = scored(values)
    lowest = _group_minimum(torch.where(measured, values, torch.inf), groups)
    # From the lowest up: the mean of equal values is then that value, with no rounding to be amplified later.
    excess = torch.where(measured, values - lowest, 0.0)
    return lowest + _group_sum(excess, groups) / _group_sum(measured.to(values.dtype), groups)


def group_variance(values: Tensor, groups: Tensor, *, ddof: int) -> Tensor:
    """Return [B]: the variance of the measured values of each row's group, divided by their number - ``ddof``.

    A group with no more than ``ddof`` measured values has variance 0.
    """
    measured = scored(values)
    deviation = torch.where(measured, values - group_mean(values, groups), 0.0)
    count = _group_sum(measured.to(values.dtype), groups)
    return _group_sum(deviation.square(), groups) / (count - ddof).clamp(min=1)


def usable(rewards: Tensor, groups: Tensor, *, max_unscored: float = MAX_UNSCORED) -> Tensor:
    """Tell which answers may be trained on: measured, in a group of which at most ``max_unscored`` is not.

    Args:
        rewards: [B], NaN where nothing was measured.
        groups: [B], integers that name the prompt.
        max_unscored: the largest share of a group without a measurement.

    Returns:
        [B] booleans, to be multiplied into the token mask.
    """
    measured = scored(rewards)
    share = group_count(~measured, groups) / group_count(torch.ones_like(measured), groups)
    return measured & (share <= max_unscored)


def informative(rewards: Tensor, groups: Tensor, *, tolerance: float = 1e-6) -> Tensor:
    """Tell [B] which answers are in a group whose measured rewards differ (standard deviation ≥ ``tolerance``).

    Where all answers are equally good or bad there is nothing to learn. Ask it of rewards without length shaping:
    the shaping tells tied answers apart.
    """
    return group_variance(rewards, groups, ddof=0).sqrt() >= tolerance


def _group_sum(values: Tensor, groups: Tensor) -> Tensor:
    names, index = torch.unique(groups, return_inverse=True)
    return values.new_zeros(len(names)).index_add_(0, index, values)[index]


def _group_minimum(values: Tensor, groups: Tensor) -> Tensor:
    names, index = torch.unique(groups, return_inverse=True)
    return values.new_full((len(names),), torch.inf).scatter_reduce_(0, index, values, "amin")[index]
