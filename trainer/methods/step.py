"""From weighted answers to new weights: what every method that learns from answers shares.

The maths is in `losses`; here it meets the model. Means divide by the counts of the whole step, over all
micro-batches and ranks, so the gradient does not depend on how the work was cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..losses import Loss, TokenBatch, Totals
from ..policy.model import POLICY, REFERENCE, Policy
from ..policy.parallel import rank_share, sum_counts, sum_gradients
from ..policy.sharding import in_turns
from ..recipe.fields import Recipe
from ..recipe.reading import loss_of
from ..records.log import component_means
from ..rollouts.records import Answer


@dataclass(frozen=True, slots=True)
class Row:
    """An answer to be learned from; ``fresh`` when the policy that sampled it is the one at hand."""

    prompt: tuple[int, ...]
    answer: Answer
    advantage: float
    fresh: bool

    @property
    def width(self) -> int:
        """Tokens of prompt and answer."""
        return len(self.prompt) + len(self.answer.tokens)


def learn_from(
    policy: Policy, optimizer: Any, parts: Sequence[Sequence[Row]], recipe: Recipe, step: int
) -> dict[str, float]:
    """Go through the minibatches of a step as often as the recipe says; return the means of what is logged."""
    found: list[Mapping[str, float]] = []
    for _ in range(recipe.objective.epochs):
        found += [update(policy, optimizer, rank_share(rows), recipe, step) for rows in parts if rows]
    return component_means(found)


def update(policy: Policy, optimizer: Any, rows: Sequence[Row], recipe: Recipe, step: int) -> dict[str, float]:
    """Do one optimizer step on these answers (this rank's part of them) and return what there is to log.

    A gradient that is not finite changes nothing and is reported as ``bad_gradient``.
    """
    loss = loss_of(recipe, step)
    batches = _micro_batches(rows, recipe.optimizer.micro_batch)
    own = Totals(sum(len(row.answer.tokens) for row in rows), len(rows))
    totals = sum_counts(own, policy.device)
    statistics: dict[str, float] = {"loss": 0.0, "entropy": 0.0}
    optimizer.zero_grad(set_to_none=False)
    for batch in in_turns(batches, partial(_idle, policy, recipe), sharded=policy.sharded):
        for name, value in _add_gradient(policy, batch, loss, totals, recipe).items():
            statistics[name] = statistics.get(name, 0.0) + value
    parameters = list(policy.trainable(POLICY).values())
    statistics = sum_gradients(parameters, statistics, policy.device)
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, recipe.optimizer.gradient_clip))
    statistics["gradient_norm"] = norm
    if math.isfinite(norm):
        optimizer.step()
    else:
        statistics["bad_gradient"] = 1.0
    optimizer.zero_grad(set_to_none=False)
    return statistics


def _add_gradient(
    policy: Policy, batch: Sequence[Row], loss: Loss, totals: Totals, recipe: Recipe
) -> dict[str, float]:
    """Add a micro-batch's gradient to that of the step and return its part of what there is to log.

    Nothing of it outlives the call: the next one is to find its memory free.
    """
    reference = _reference(policy, batch, recipe) if recipe.objective.kl_weight > 0 else None
    values = _values(policy, batch, recipe)
    sampler = _sampled(batch, values.mask, values.log_probabilities.dtype)
    fresh = torch.tensor([row.fresh for row in batch], device=policy.device)[:, None]
    tokens = TokenBatch(
        policy=values.log_probabilities,
        # Computed a moment ago by the same weights: the ratio is 1 to the last bit.
        old=torch.where(fresh, values.log_probabilities.detach(), sampler),
        mask=values.mask,
        advantages=torch.tensor([row.advantage for row in batch], dtype=torch.float64, device=policy.device),
        reference=reference,
        sampler=sampler,
    )
    found = loss(tokens, totals)
    found.value.backward()
    entropy = torch.where(values.mask, values.entropies, 0.0).sum() / max(totals.tokens, 1)
    own = {"loss": found.value.detach(), "entropy": entropy, **found.statistics}
    return {name: float(value) for name, value in own.items()}


def _idle(policy: Policy, recipe: Recipe) -> None:
    """Run a dummy micro-batch, whose gradient is 0, so that all ranks join the collective."""
    token = policy.pad_token
    row = Row((token,), Answer((token,), (0.0,), "length"), advantage=0.0, fresh=True)
    if recipe.objective.kl_weight > 0:
        _reference(policy, [row], recipe)
    (_values(policy, [row], recipe).log_probabilities.sum() * 0.0).backward()


def _micro_batches(rows: Sequence[Row], size: int) -> list[list[Row]]:
    """Cut rows of like length together, which saves padding."""
    ordered = sorted(rows, key=lambda row: -row.width)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _values(policy: Policy, batch: Sequence[Row], recipe: Recipe) -> Any:
    return policy.token_values(
        [row.prompt for row in batch],
        [row.answer.tokens for row in batch],
        temperature=recipe.sampling.temperature,
        chunk=recipe.optimizer.logit_chunk,
    )


def _reference(policy: Policy, batch: Sequence[Row], recipe: Recipe) -> Tensor:
    with policy.fixed(REFERENCE):
        found: Tensor = _values(policy, batch, recipe).log_probabilities
    return found


def _sampled(batch: Sequence[Row], mask: Tensor, dtype: torch.dtype) -> Tensor:
    flat = [value for row in batch for value in row.answer.log_probabilities]
    values = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return values.masked_scatter(mask, torch.tensor(flat, dtype=dtype, device=mask.device))
