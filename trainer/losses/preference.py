"""Losses of preference learning, on log-probabilities of whole answers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ...errors import UsageError
from .batch import LossValue


def answer_log_probability(tokens: Tensor, mask: Tensor) -> Tensor:
    """Sum the log-probabilities [B, T] of an answer's tokens to [B]; what stands under the mask is not read."""
    return torch.where(mask.bool(), tokens, 0.0).sum(dim=1)


def direct_preference(
    chosen: Tensor,
    rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    *,
    beta: float = 0.1,
    label_smoothing: float = 0.0,
    total: int | None = None,
) -> LossValue:
    """Direct preference optimization (Rafailov et al. 2023, arXiv:2305.18290).

    -mean[(1-ε) log σ(h) + ε log σ(-h)], h = β (log π/π_ref of the chosen answer - that of the rejected one).

    Args:
        chosen: [N], log-probabilities of the chosen answers under the policy, with gradient.
        rejected: [N], of the rejected answers.
        reference_chosen: [N], under the frozen reference.
        reference_rejected: [N].
        beta: β > 0; the smaller, the farther the policy may go from the reference.
        label_smoothing: ε in [0, 0.5), the share of labels taken to be wrong.
        total: pairs of the whole optimizer step over all ranks; by default N.

    Raises:
        UsageError: β or ε is out of range.
    """
    _positive("beta", beta)
    if not 0 <= label_smoothing < 0.5:
        raise UsageError(f"direct preference: label_smoothing lies in [0, 0.5), got {label_smoothing!r}")
    margin = beta * ((chosen - reference_chosen) - (rejected - reference_rejected))
    losses = -(1 - label_smoothing) * logsigmoid(margin) - label_smoothing * logsigmoid(-margin)
    count = max(len(chosen) if total is None else total, 1)
    statistics = {"accuracy": (margin > 0).sum() / count, "margin": margin.detach().sum() / count}
    return LossValue(losses.sum() / count, statistics)


def kahneman_tversky(
    policy: Tensor,
    reference: Tensor,
    desirable: Tensor,
    divergence: Tensor,
    *,
    beta: float = 0.1,
    desirable_weight: float = 1.0,
    undesirable_weight: float = 1.0,
    total: int | None = None,
) -> LossValue:
    """Kahneman-Tversky optimization (Ethayarajh et al. 2024, arXiv:2402.01306): answers that are good or bad alone.

    The mean of λ_D (1 - σ(β(r - z))) for desirable and λ_U (1 - σ(β(z - r))) for undesirable answers, with
    r = log π/π_ref and z = max(0, divergence), which takes no gradient.

    Args:
        policy: [N], log-probabilities of the answers under the policy, with gradient.
        reference: [N], under the frozen reference.
        desirable: [N], booleans.
        divergence: a scalar, the mean of log π/π_ref over answers put to prompts that they do not belong to.
        beta: β > 0.
        desirable_weight: λ_D.
        undesirable_weight: λ_U; λ_D n_D / (λ_U n_U) between 1 and 4/3 is advised.
        total: answers of the whole optimizer step over all ranks; by default N.

    Raises:
        UsageError: β is out of range.
    """
    _positive("beta", beta)
    gain = policy - reference - divergence.detach().clamp(min=0)
    value = torch.where(
        desirable.bool(),
        desirable_weight * (1 - torch.sigmoid(beta * gain)),
        undesirable_weight * (1 - torch.sigmoid(-beta * gain)),
    )
    count = max(len(policy) if total is None else total, 1)
    return LossValue(value.sum() / count, {"gain": gain.detach().sum() / count})


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise UsageError(f"preference learning: {name} is a number > 0, not {value!r}")
