"""From weighted answers to new weights: what every method that learns from answers shares.

The maths is in `losses`; here it meets the model. Means divide by the counts of the whole step, over all
micro-batches and ranks, so the gradient does not depend on how the work was cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.optim import Optimizer

from ...evals.models.hf.causal_lm import TokenValues
from ..losses import Loss, TokenBatch, Totals
from ..policy.model import POLICY, REFERENCE, Policy
from ..policy.parallel import rank_share, sum_counts, sum_gradients
from ..policy.sharding import in_turns
from ..recipe.fields import Recipe
from ..recipe.kinds import LossRecipe, loss_of
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
    policy: Policy, optimizer: Optimizer, parts: Sequence[Sequence[Row]], recipe: LossRecipe, step: int
) -> dict[str, float]:
    """Go through the minibatches of a step as often as the recipe says; return the means of what is logged."""
    updates: list[Mapping[str, float]] = []
    for _ in range(recipe.objective.epochs):
        updates += [update(policy, optimizer, rank_share(rows), recipe, step) for rows in parts if rows]
    return component_means(updates)


def update(
    policy: Policy, optimizer: Optimizer, rows: Sequence[Row], recipe: LossRecipe, step: int
) -> dict[str, float]:
    """Do one optimizer step on these answers (this rank's part of them) and return what there is to log."""
    own = Totals(sum(len(row.answer.tokens) for row in rows), len(rows))
    totals = sum_counts(own, policy.device)
    learn = partial(_add_gradient, policy, loss_of(recipe, step), totals, recipe)
    batches = micro_batches(rows, recipe.optimizer.micro_batch)
    turns = in_turns(batches, partial(_idle, policy, recipe), sharded=policy.sharded)
    return optimizer_step(policy, POLICY, optimizer, map(learn, turns), recipe.optimizer.gradient_clip)


def optimizer_step(
    policy: Policy, adapter: str, optimizer: Optimizer, parts: Iterable[Mapping[str, float]], clip: float
) -> dict[str, float]:
    """Do one optimizer step of an adapter and return what there is to log.

    A gradient that is not finite changes nothing and is reported as ``bad_gradient``.

    Args:
        policy: the model.
        adapter: whose parameters ``optimizer`` has.
        optimizer: of the adapter.
        parts: taken one by one, each adds its micro-batch's gradient and returns its part of what there is to log.
        clip: the largest norm of the gradient.
    """
    statistics: dict[str, float] = {}
    optimizer.zero_grad(set_to_none=False)
    for part in parts:
        for name, value in part.items():
            statistics[name] = statistics.get(name, 0.0) + value
    parameters = list(policy.trainable(adapter).values())
    statistics = sum_gradients(parameters, statistics, policy.device)
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, clip))
    statistics["gradient_norm"] = norm
    if math.isfinite(norm):
        optimizer.step()
    else:
        statistics["bad_gradient"] = 1.0
    optimizer.zero_grad(set_to_none=False)
    return statistics


def _add_gradient(
    policy: Policy, loss: Loss, totals: Totals, recipe: LossRecipe, batch: Sequence[Row]
) -> dict[str, float]:
    """Add a micro-batch's gradient to that of the step and return its part of what there is to log.

    Nothing of it outlives the call: the next one is to find its memory free.
    """
    reference = reference_values(policy, batch, recipe) if recipe.kl_weight > 0 else None
    values = token_values(policy, batch, recipe)
    sampler = _sampler_values(batch, values.mask, values.log_probabilities.dtype)
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
    result = loss(tokens, totals)
    result.value.backward()
    entropy = torch.where(values.mask, values.entropies, 0.0).sum() / max(totals.tokens, 1)
    own = {"loss": result.value.detach(), "entropy": entropy, **result.statistics}
    return {name: float(value) for name, value in own.items()}


def _idle(policy: Policy, recipe: LossRecipe) -> None:
    """Run a dummy micro-batch, whose gradient is 0, so that all ranks join the collective."""
    token = policy.pad_token
    row = Row((token,), Answer((token,), (0.0,), "length"), advantage=0.0, fresh=True)
    if recipe.kl_weight > 0:
        reference_values(policy, [row], recipe)
    (token_values(policy, [row], recipe).log_probabilities.sum() * 0.0).backward()


def micro_batches(rows: Sequence[Row], size: int) -> list[list[Row]]:
    """Cut rows of like length together, which saves padding."""
    ordered = sorted(rows, key=lambda row: -row.width)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def token_values(policy: Policy, rows: Sequence[Row], recipe: Recipe) -> TokenValues:
    """Return what the active adapter says of the tokens of answers, with gradient."""
    return policy.token_values(
        [row.prompt for row in rows],
        [row.answer.tokens for row in rows],
        temperature=recipe.sampling.temperature,
        chunk=recipe.optimizer.logit_chunk,
    )


def reference_values(policy: Policy, rows: Sequence[Row], recipe: Recipe) -> Tensor:
    """Return the log-probabilities [B, T] of the tokens of answers under the frozen reference."""
    with policy.fixed(REFERENCE):
        return token_values(policy, rows, recipe).log_probabilities


def _sampler_values(batch: Sequence[Row], mask: Tensor, dtype: torch.dtype) -> Tensor:
    flat = [value for row in batch for value in row.answer.log_probabilities]
    values = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return values.masked_scatter(mask, torch.tensor(flat, dtype=dtype, device=mask.device))
