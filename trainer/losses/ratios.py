"""Importance ratios ρ = π/π_old, the ways to keep them from running away, and those to the sampler.

A sampler's probabilities may differ from the trainer's (another engine, another precision): see `Correction`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ...errors import UsageError

Level = Literal["token", "sequence"]
Mode = Literal["truncate", "mask"]

LIMIT = 20.0
"""Log-ratios are held within ±LIMIT: e^20 is far outside any trust region, and squares of it still fit float32."""


def bounded(log_ratio: Tensor) -> Tensor:
    """Hold log-ratios within ±`LIMIT`; the gradient is zero beyond."""
    return log_ratio.clamp(-LIMIT, LIMIT)


def ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """Return e^(numerator - denominator), log-probabilities being given."""
    return torch.exp(bounded(numerator - denominator))


def mean_log_ratio(policy: Tensor, old: Tensor, mask: Tensor) -> Tensor:
    """Return [B, 1]: the mean over a sequence's tokens of log ρ; its exponential is GSPO's ratio."""
    total = torch.where(mask, policy - old, 0.0).sum(dim=1, keepdim=True)
    return bounded(total / mask.sum(dim=1, keepdim=True).clamp(min=1))


def clipped_objective(
    ratios: Tensor, advantages: Tensor, clip_low: float, clip_high: float, dual_clip: float | None = None
) -> tuple[Tensor, Tensor]:
    """Return PPO's pessimistic objective and where the clip decides it.

    min(ρA, clip(ρ, 1-ε_low, 1+ε_high)A) (Schulman et al. 2017, arXiv:1707.06347). With ``dual_clip`` c > 1 it is
    at least cA where A < 0 (Ye et al. 2020, arXiv:1912.09729).

    Args:
        ratios: [B, T] or [B, 1].
        advantages: a shape that broadcasts with it.
        clip_low: ε_low ≥ 0.
        clip_high: ε_high ≥ 0.
        dual_clip: c, or None for none.
    """
    free = ratios * advantages
    held = ratios.clamp(1 - clip_low, 1 + clip_high) * advantages
    objective = torch.minimum(free, held)
    decided = held < free
    if dual_clip is not None:
        floor = dual_clip * advantages
        raised = (advantages < 0) & (objective < floor)
        objective = torch.where(raised, floor.expand_as(objective), objective)
        decided = decided | raised
    return objective, decided


@dataclass(frozen=True, slots=True)
class Correction:
    """Importance weights π_old/π_sampler for the policy term of a loss.

    ``level`` is that of the ratio: of each token, or the product over a sequence (which leaves any bound soon in
    long answers). ``truncate`` holds ratios within [``minimum``, ``maximum``]; ``mask`` sets those outside to 0.
    The weights are right only for plain sampling: top-p, top-k and min-p sample from another distribution.

    Raises:
        UsageError: an unknown level or mode, or bounds that are no interval around 1.
    """

    level: Level = "token"
    mode: Mode = "truncate"
    maximum: float = 2.0
    minimum: float = 0.0

    def __post_init__(self) -> None:
        for field, value, known in (("level", self.level, get_args(Level)), ("mode", self.mode, get_args(Mode))):
            if value not in known:
                raise UsageError(f"sampler correction: {field} is one of {', '.join(known)}, not {value!r}")
        if not 0 <= self.minimum <= 1 <= self.maximum:
            raise UsageError(
                f"sampler correction: 0 <= minimum <= 1 <= maximum is needed, got {self.minimum} and {self.maximum}"
            )

    def weights(self, old: Tensor, sampler: Tensor, mask: Tensor) -> Tensor:
        """Return the weights [B, T], without gradient and 0 under a false mask."""
        with torch.no_grad():
            log_ratios = torch.where(mask, old - sampler, 0.0)
            if self.level == "sequence":
                log_ratios = log_ratios.sum(dim=1, keepdim=True)
            ratios = ratio(log_ratios, torch.zeros_like(log_ratios)).expand_as(old)
            if self.mode == "truncate":
                weights = ratios.clamp(self.minimum, self.maximum)
            else:
                weights = torch.where((ratios >= self.minimum) & (ratios <= self.maximum), ratios, 0.0)
            return torch.where(mask, weights, 0.0)
