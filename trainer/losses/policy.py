"""Policy losses token by token, to be minimised; `table` names them and says how each is averaged.

Notation: ρ_t = π/π_old of token t, A its advantage, L the sequence's trained tokens, sg what takes no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import UsageError
from .batch import Surrogate, TokenBatch
from .ratios import bounded, clipped_objective, mean_log_ratio, ratio


def clipped(
    batch: TokenBatch, *, clip_low: float = 0.2, clip_high: float = 0.2, dual_clip: float | None = None
) -> Surrogate:
    """-min(ρA, clip(ρ, 1-ε_low, 1+ε_high)A): PPO, GRPO, Dr.GRPO, DAPO (see `ratios.clipped_objective`)."""
    ratios = ratio(batch.policy, batch.old)
    objective, decided = clipped_objective(ratios, batch.token_advantages, clip_low, clip_high, dual_clip)
    return Surrogate(-objective, {"clip_fraction": decided})


def sequence_clipped(batch: TokenBatch, *, clip_low: float = 3e-4, clip_high: float = 4e-4) -> Surrogate:
    """GSPO (arXiv:2507.18071): the clipped objective of s = exp(mean_t log ρ_t), one ratio a sequence."""
    ratios = torch.exp(mean_log_ratio(batch.policy, batch.old, batch.mask))
    objective, decided = clipped_objective(ratios, batch.token_advantages, clip_low, clip_high)
    marked = (decided & batch.mask).any(dim=1)
    return Surrogate((-objective).expand_as(batch.policy), {"clip_fraction": marked})


def capped(batch: TokenBatch, *, ratio_cap: float = 5.0, ratio_floor: float = 0.0) -> Surrogate:
    """CISPO (arXiv:2506.13585): -sg(clip(ρ, floor, cap)) A log π; clipped tokens keep their gradient.

    ``ratio_cap`` and ``ratio_floor`` bound ρ itself, not its distance from 1.
    """
    ratios = ratio(batch.policy, batch.old).detach()
    weight = ratios.clamp(ratio_floor, ratio_cap)
    return Surrogate(-weight * batch.token_advantages * batch.policy, {"clip_fraction": ratios > ratio_cap})


def geometric(batch: TokenBatch, *, clip: float = 0.4) -> Surrogate:
    """Geometric-mean policy optimization (arXiv:2507.20673): -A exp(mean_t e_t).

    e_t is log ρ_t held pessimistically within ±``clip``: from above where A > 0, from below elsewhere.

    Raises:
        UsageError: the advantages are [B, T]; a geometric mean has one a sequence.
    """
    if batch.advantages.dim() != 1:
        raise UsageError("gmpo-geo takes one advantage a sequence, [B]; these are one a token")
    advantages = batch.token_advantages
    log_ratios = bounded(batch.policy - batch.old)
    held = log_ratios.clamp(-clip, clip)
    pessimistic = torch.where(advantages > 0, torch.minimum(log_ratios, held), torch.maximum(log_ratios, held))
    marked = pessimistic.detach() != log_ratios.detach()
    lengths = batch.mask.sum(dim=1, keepdim=True).clamp(min=1)
    mean = torch.where(batch.mask, pessimistic, 0.0).sum(dim=1, keepdim=True) / lengths
    values: Tensor = -advantages * torch.exp(mean)
    return Surrogate(values.expand_as(batch.policy), {"clip_fraction": marked})


def likelihood(batch: TokenBatch) -> Surrogate:
    """-log π: supervised learning of answers that were not sampled; advantages are not read."""
    return Surrogate(-batch.policy)


def weighted_likelihood(batch: TokenBatch) -> Surrogate:
    """-ω log π: REINFORCE with ω = A, weighted regression with ω from `advantages.regression_weights`."""
    return Surrogate(-batch.token_advantages * batch.policy)
