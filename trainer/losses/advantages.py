"""Advantages: how much better an answer is than was to be expected of its prompt.

Every estimator takes ``rewards`` [B] (NaN where nothing was measured) and ``groups`` [B] (which prompt). It returns
[B] in the rewards' type; an unmeasured answer, or one with nobody to compare with, has advantage 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from ...errors import UsageError, nearest
from .groups import group_count, group_mean, group_variance, scored

Estimator = Callable[[Tensor, Tensor], Tensor]


def centred(rewards: Tensor, groups: Tensor) -> Tensor:
    """R - mean of the group (Dr.GRPO, arXiv:2503.20783)."""
    return torch.where(scored(rewards), rewards - group_mean(rewards, groups), 0.0)


def group_zscore(rewards: Tensor, groups: Tensor, *, ddof: int = 1, epsilon: float = 1e-4) -> Tensor:
    """(r - mean) / (standard deviation + ε), both of the group (GRPO, arXiv:2402.03300).

    The paper says only "std"; the defaults are those of TRL. A group of one has advantage 0.
    """
    deviation = group_variance(rewards, groups, ddof=ddof).sqrt()
    return _divided(centred(rewards, groups), deviation + epsilon)


def batch_scaled(rewards: Tensor, groups: Tensor, *, ddof: int = 1, epsilon: float = 1e-4) -> Tensor:
    """(r - mean of the group) / (standard deviation of all rewards + ε) (Lite PPO, arXiv:2508.08221)."""
    everyone = torch.zeros_like(groups)
    deviation = group_variance(rewards, everyone, ddof=ddof).sqrt()
    return _divided(centred(rewards, groups), deviation + epsilon)


def rloo(rewards: Tensor, groups: Tensor) -> Tensor:
    """R - mean of the *other* answers of the group = n/(n-1) · (r - mean) (RLOO, arXiv:2402.14740)."""
    count = group_count(scored(rewards), groups).to(rewards.dtype)
    return centred(rewards, groups) * count / (count - 1).clamp(min=1)


def reinforce_baseline(
    rewards: Tensor, groups: Tensor, *, lengths: Tensor | None = None, ddof: int = 0, epsilon: float = 0.0
) -> Tensor:
    """REINFORCE++-baseline (arXiv:2501.03262): r - mean of the group, then a z-score over the whole batch.

    Args:
        rewards: [B].
        groups: [B].
        lengths: [B], trained tokens of each answer: the batch's mean and deviation are then over tokens instead of
            over answers.
        ddof: 0 or 1, for the batch's deviation.
        epsilon: added to the deviation; a batch without any deviation has advantages 0.
    """
    advantages = centred(rewards, groups)
    weights = scored(rewards).to(rewards.dtype)
    if lengths is not None:
        weights = weights * lengths
    total = weights.sum()
    mean = (weights * advantages).sum() / total.clamp(min=1)
    variance = (weights * (advantages - mean).square()).sum() / (total - ddof).clamp(min=1)
    return torch.where(scored(rewards), _divided(advantages - mean, variance.sqrt() + epsilon), 0.0)


def _divided(advantages: Tensor, spread: Tensor) -> Tensor:
    """Divide, 0 where nothing is spread and ε is 0: there all are equal."""
    return torch.where(spread > 0, advantages / spread, 0.0)


Normalization = Literal["none", "group", "centred"]


def regression_weights(
    advantages: Tensor,
    groups: Tensor,
    *,
    temperature: float | Tensor = 1.0,
    maximum: float = 20.0,
    normalization: Normalization = "none",
) -> Tensor:
    """Weights of advantage-weighted regression: w = min(exp(A/τ), w_max) (Peng et al. 2019, arXiv:1910.00177).

    Args:
        advantages: [B], NaN where nothing was measured.
        groups: [B].
        temperature: τ > 0, one number or [B].
        maximum: w_max.
        normalization: ``none``: w; ``group``: w / mean of the group; ``centred``: w - mean of the group, which has
            the same expected gradient on the policy's own answers and less variance, and is exactly 0 in a tie
            (for answers of another policy it is no regression: use the others).

    Returns:
        [B], 0 where nothing was measured.
    """
    # exp of the bounded exponent: e^(large) is inf, and inf - inf would be NaN where it is centred.
    ceiling = torch.log(torch.as_tensor(maximum, dtype=advantages.dtype))
    exponents = torch.minimum(advantages / temperature, ceiling)
    weights = torch.exp(exponents)
    if normalization == "group":
        weights = weights / group_mean(weights, groups)
    elif normalization == "centred":
        weights = weights - group_mean(weights, groups)
    return torch.where(scored(advantages), weights, 0.0)


def effective_sample_size(weights: Tensor) -> float:
    """Return (Σw)² / Σw², the number of equally weighted answers that would say as much; 0 for no weights."""
    squares = float(weights.square().sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


ESTIMATORS: Mapping[str, Callable[..., Tensor]] = {
    "group": group_zscore,
    "centred": centred,
    "batch": batch_scaled,
    "rloo": rloo,
    "reinforce-baseline": reinforce_baseline,
}


def open_estimator(name: str, **options: Any) -> Estimator:
    """Return the advantage estimator of that name with its options bound.

    Raises:
        UsageError: no such estimator or option (the nearest are given).
    """
    if name not in ESTIMATORS:
        raise UsageError(f"unknown advantage estimator '{name}'.{nearest(name, ESTIMATORS)}")
    known = ESTIMATORS[name].__kwdefaults__ or {}
    for key in options:
        if key not in known:
            raise UsageError(f"advantage estimator '{name}' has no option '{key}'.{nearest(key, known)}")
    return partial(ESTIMATORS[name], **options)
