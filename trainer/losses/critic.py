"""Generative-model policy optimization: what a generative critic's scores say, and how the critic learns.

The critic reads a prompt, an answer and the true answer, writes an explanation and then one of eleven grid tokens,
0 … 10. Its score is read from the probabilities of those tokens, never parsed from text:

    r   = Σ_k p_k k/10                          `expected_score`
    b   = mean of r over the prompt's answers   (over the recent past for a prompt with one answer)
    A   = r - b
    σ²  = mean of A² over the prompt's answers, shrunk towards its recent mean v: (n0 v + K σ²) / (n0 + K)
    τ   = clip(κ σ, τ_min, τ_max)               so that A/τ does not depend on the scale of r
    w   = min(exp(A/τ), w_max)
    ω   = w, or w - mean of w over the prompt's answers

and the policy minimises -mean(ω log π), the loss ``gmpo`` of `table`. The critic minimises the cross-entropy of p
to the score y that a checker gave the same answer (`critic_loss`) plus β times its divergence from what it was
(`critic_divergence`): without a checker it must stay frozen, since actor and critic would agree on r = 1 for
everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...errors import UsageError
from .advantages import regression_weights
from .groups import group_count, group_mean, group_variance, scored

GRID = 11


def expected_score(logits: Tensor) -> Tensor:
    """Return Σ_k p_k k/(n-1) ∈ [0, 1] of [..., n] logits of the grid tokens, differentiable."""
    return torch.softmax(logits, dim=-1) @ torch.linspace(0, 1, logits.shape[-1], dtype=logits.dtype).to(logits)


def two_hot(targets: Tensor, size: int = GRID) -> Tensor:
    """Spread numbers [...] within [0, 1] over the two nearest points of the grid, so that the mean is kept.

    Returns:
        [..., size] probabilities; a target on the grid has a single one.
    """
    position = targets.clamp(0, 1) * (size - 1)
    lower = position.floor().clamp(max=size - 2)
    upper_share = (position - lower).unsqueeze(-1)
    points = torch.arange(size, device=targets.device)
    at_lower = points == lower.unsqueeze(-1)
    at_upper = points == lower.unsqueeze(-1) + 1
    return torch.where(at_lower, 1 - upper_share, 0.0) + torch.where(at_upper, upper_share, 0.0)


def critic_loss(logits: Tensor, targets: Tensor, total: int | None = None) -> Tensor:
    """Return the mean cross-entropy of the critic's grid to the checker's scores.

    Args:
        logits: [N, n], of the grid tokens.
        targets: [N], the checker's scores within [0, 1], NaN where it gave none: such rows do not count.
        total: how many rows have a target in the whole optimizer step; by default in these.
    """
    anchored = scored(targets)
    count = int(anchored.sum()) if total is None else total
    target = two_hot(torch.where(anchored, targets, 0.0).to(logits.dtype), logits.shape[-1])
    entropy = -(target * torch.log_softmax(logits, dim=-1)).sum(dim=-1)
    return torch.where(anchored, entropy, 0.0).sum() / max(count, 1)


def critic_divergence(logits: Tensor, initial: Tensor, total: int | None = None) -> Tensor:
    """Return the mean of KL(p ‖ p_0) = Σ_k p_k log(p_k / p_0k), how far the critic's grid went from its beginning.

    Args:
        logits: [N, n], of the grid tokens.
        initial: [N, n], of the critic before any training.
        total: rows of the whole optimizer step; by default N.
    """
    now = torch.log_softmax(logits, dim=-1)
    divergences = (now.exp() * (now - torch.log_softmax(initial, dim=-1))).sum(dim=-1)
    return divergences.sum() / max(len(logits) if total is None else total, 1)


def explanation_advantages(scores: Tensor, targets: Tensor) -> Tensor:
    """Return R - mean R with R = 1 - (r - y)²: how much nearer than its fellows an explanation led to the checker.

    Args:
        scores: [N, M], r after each of the M explanations of an answer, without gradient.
        targets: [N], the checker's y within [0, 1].

    Returns:
        [N, M], each row with mean 0.
    """
    earned = 1 - (scores.detach() - targets[:, None]) ** 2
    return earned - earned.mean(dim=-1, keepdim=True)


def explanation_loss(
    log_probabilities: Tensor, mask: Tensor, advantages: Tensor, total: int | None = None
) -> Tensor:
    """Return -mean(A log π) over the tokens of explanations that the critic itself has just written (REINFORCE).

    Args:
        log_probabilities: [B, T], with gradient, under the temperature that they were sampled at.
        mask: [B, T], which tokens there are.
        advantages: [B], of `explanation_advantages`.
        total: tokens of the whole optimizer step; by default those of these rows.
    """
    count = int(mask.sum()) if total is None else total
    weighted = torch.where(mask, advantages.to(log_probabilities)[:, None] * log_probabilities, 0.0)
    return -weighted.sum() / max(count, 1)


def blend(scores: Tensor, targets: Tensor, share: float) -> Tensor:
    """Return (1-α) r + α y where the checker gave y, and r elsewhere.

    Args:
        scores: [B], the critic's r.
        targets: [B], the checker's y, NaN for none.
        share: α ∈ [0, 1].
    """
    return torch.where(scored(targets), (1 - share) * scores + share * targets, scores)


@dataclass(frozen=True, slots=True)
class Memory:
    """Recent mean and variance of the critic's scores: exponential averages, part of a checkpoint.

    ``mean`` and ``variance`` are None before the first update.
    """

    mean: float | None = None
    variance: float | None = None
    decay: float = 0.99

    def updated(self, mean: float, variance: float) -> Memory:
        """Return the memory after a step with these averages."""
        if self.mean is None or self.variance is None:
            return Memory(mean, variance, self.decay)
        keep = self.decay
        return Memory(keep * self.mean + (1 - keep) * mean, keep * self.variance + (1 - keep) * variance, keep)


@dataclass(frozen=True, slots=True)
class Weighing:
    """How scores become weights; the names are those of this module's formulas.

    Attributes:
        temperature: a fixed τ, or None for κσ.
        kappa: κ.
        minimum: τ_min, which keeps the noise of a nearly tied group from being amplified.
        maximum: τ_max.
        prior: n0, how many answers the recent variance counts for.
        max_weight: w_max.
        mode: ``centred`` for answers of the policy itself, ``pure`` for those of another.
    """

    temperature: float | None = None
    kappa: float = 1.0
    minimum: float = 0.1
    maximum: float = 1.0
    prior: float = 0.0
    max_weight: float = 20.0
    mode: Literal["pure", "centred"] = "centred"

    def __post_init__(self) -> None:
        if self.temperature is not None and not self.temperature > 0:
            raise UsageError(f"gmpo: temperature is a number > 0 or null, not {self.temperature!r}")
        for name, value in (("kappa", self.kappa), ("max_weight", self.max_weight)):
            if not value > 0:
                raise UsageError(f"gmpo: {name} is a number > 0, not {value!r}")
        if not self.prior >= 0:
            raise UsageError(f"gmpo: prior is a number >= 0, not {self.prior!r}")
        if not 0 < self.minimum <= self.maximum:
            raise UsageError(f"gmpo: 0 < minimum <= maximum is needed, got {self.minimum!r} and {self.maximum!r}")
        if self.mode not in ("pure", "centred"):
            raise UsageError(f"gmpo: mode is pure or centred, not {self.mode!r}")


@dataclass(frozen=True, slots=True)
class CriticSignal:
    """What the critic's scores say of each answer, [B] each, to be logged sample by sample.

    ``coefficients`` (ω) go into the loss ``gmpo`` as its advantages.
    """

    baselines: Tensor
    advantages: Tensor
    variances: Tensor
    temperatures: Tensor
    weights: Tensor
    coefficients: Tensor
    memory: Memory


def weigh(
    scores: Tensor, groups: Tensor, weighing: Weighing | None = None, memory: Memory | None = None
) -> CriticSignal:
    """Turn the critic's scores into weights.

    Args:
        scores: [B], r within [0, 1], without gradient; NaN where the critic could not be read.
        groups: [B], which prompt.
        weighing: the settings.
        memory: of the steps before; the signal has the one after.
    """
    weighing, memory = weighing or Weighing(), memory or Memory()
    scores = scores.detach()
    measured = scored(scores)
    count = group_count(measured, groups).to(scores.dtype)
    baselines = group_mean(scores, groups)
    if memory.mean is not None:
        baselines = torch.where(count > 1, baselines, memory.mean)
    advantages = scores - baselines
    variances = group_variance(scores, groups, ddof=0)
    temperatures = _temperatures(variances, count, weighing, memory)
    weights, centred = (
        regression_weights(
            advantages, groups, temperature=temperatures, maximum=weighing.max_weight, normalization=normalization
        )
        for normalization in ("none", "centred")
    )
    if bool(measured.any()):
        memory = memory.updated(float(scores[measured].mean()), float(variances[measured].mean()))
    coefficients = weights if weighing.mode == "pure" else centred
    return CriticSignal(baselines, advantages, variances, temperatures, weights, coefficients, memory)


def _temperatures(variances: Tensor, count: Tensor, weighing: Weighing, memory: Memory) -> Tensor:
    if weighing.temperature is not None:
        return torch.full_like(variances, weighing.temperature)
    if memory.variance is not None and weighing.prior > 0:
        variances = (weighing.prior * memory.variance + count * variances) / (weighing.prior + count)
    return (weighing.kappa * variances.sqrt()).clamp(weighing.minimum, weighing.maximum)
