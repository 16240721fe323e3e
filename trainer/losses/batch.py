"""What a loss reads, what it gives back, and how it gets from one number a token to one number.

There are three ways of averaging, which weigh long answers differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from ...errors import UsageError

Aggregation = Literal["sequence_mean", "token_mean", "constant"]
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Sampled answers of B sequences, padded to T tokens; what stands under a false ``mask`` is never read.

    All log-probabilities are those of the distribution that was sampled: logits divided by the temperature. They
    are float32 or float64: differences of log-probabilities drown in the rounding of bfloat16.

    Attributes:
        policy: [B, T], log-probabilities of the tokens under the policy in training, with gradient.
        old: [B, T], the same under the policy as it was when the answers were made.
        mask: [B, T], true where a token is trained.
        advantages: [B] or [B, T], how much better than expected; for ``awr`` and ``gmpo`` the weights themselves.
        reference: [B, T], under the frozen reference; needed if the divergence from it is weighed.
        sampler: [B, T], as the engine that sampled reported them; needed for its correction.
    """

    policy: Tensor
    old: Tensor
    mask: Tensor
    advantages: Tensor
    reference: Tensor | None = None
    sampler: Tensor | None = None

    def cleaned(self) -> TokenBatch:
        """Return the batch with a boolean mask and zeros under it, so that padding may hold anything, even NaN."""
        mask = self.mask.bool()

        def clean(values: Tensor) -> Tensor:
            # Before any arithmetic: the gradient of NaN * 0 is NaN, that of an unread element is 0.
            return torch.where(mask, values, 0.0)

        trained = mask.any(dim=1)
        advantages = self.advantages.to(self.policy)  # Rewards are float64: a float32 loss must not become that.
        return TokenBatch(
            policy=clean(self.policy),
            old=clean(self.old),
            mask=mask,
            advantages=torch.where(trained, advantages, 0.0) if advantages.dim() == 1 else clean(advantages),
            reference=None if self.reference is None else clean(self.reference),
            sampler=None if self.sampler is None else clean(self.sampler),
        )

    @property
    def token_advantages(self) -> Tensor:
        """The advantages as [B, 1] or [B, T]."""
        return self.advantages.unsqueeze(1) if self.advantages.dim() == 1 else self.advantages


@dataclass(frozen=True, slots=True)
class Totals:
    """What means are divided by: the trained tokens and sequences of a whole optimizer step, over all ranks.

    With the totals of the step the losses of its micro-batches add up to the loss of the step, however it is cut.
    """

    tokens: int
    sequences: int

    @classmethod
    def of(cls, mask: Tensor) -> Totals:
        """Count a mask [B, T]; a sequence without a trained token does not count."""
        trained = mask.bool()
        return cls(int(trained.sum()), int(trained.any(dim=1).sum()))

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.tokens + other.tokens, self.sequences + other.sequences)


@dataclass(frozen=True, slots=True)
class Surrogate:
    """What a policy loss says of every token, before any mean.

    Attributes:
        values: [B, T], to be minimised.
        marks: [B, T] or [B], booleans to be reported as shares of the tokens or of the sequences.
    """

    values: Tensor
    marks: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LossValue:
    """A loss to call ``backward`` on, and scalars to log; like the loss they add up over micro-batches."""

    value: Tensor
    statistics: Mapping[str, Tensor]


def aggregate(
    values: Tensor, mask: Tensor, how: Aggregation, totals: Totals, max_length: int | None = None
) -> Tensor:
    """Average [B, T] values over the tokens of a boolean mask.

    Args:
        values: [B, T] or [B, 1].
        mask: [B, T].
        how: ``sequence_mean`` is the mean over sequences of the mean over their tokens (GRPO, GSPO);
            ``token_mean`` the mean over all tokens (DAPO); ``constant`` the sum over tokens divided by
            sequences · ``max_length``, which does not depend on how long the answers came out (Dr.GRPO).
        totals: what the step holds in all; an empty step gives 0.
        max_length: the longest answer allowed, for ``constant``.

    Raises:
        UsageError: ``constant`` without ``max_length``.
    """
    masked = torch.where(mask, values, 0.0)
    if how == "sequence_mean":
        lengths = mask.sum(dim=1).clamp(min=1)
        return (masked.sum(dim=1) / lengths).sum() / max(totals.sequences, 1)
    if how == "token_mean":
        return masked.sum() / max(totals.tokens, 1)
    if max_length is None:
        raise UsageError("aggregation 'constant' needs max_length, the longest answer allowed in tokens")
    return masked.sum() / (max(totals.sequences, 1) * max_length)


def share(marks: Tensor, mask: Tensor, totals: Totals) -> Tensor:
    """Return the share of trained tokens (``marks`` [B, T]) or of trained sequences ([B]) that are marked."""
    if marks.dim() == 1:
        return (marks & mask.any(dim=1)).sum() / max(totals.sequences, 1)
    return (marks & mask).sum() / max(totals.tokens, 1)
