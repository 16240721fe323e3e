"""Sampling many answers to each prompt, in this process: each prompt is read once, each answer has its own seed.

An answer's draws come from its seed alone, not from the batch that it happens to stand in; in float32 rounding can
still tip a draw that was closer than the sixth digit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import ModelError
from ...evals.models.hf.causal_lm import Continuation, Tokens
from ...evals.models.hf.draws import draw_at, uniform_numbers
from .model import POLICY, Policy
from .sharding import in_step


@dataclass(frozen=True, slots=True)
class Sampled:
    """New tokens with their log-probabilities, and why they end: ``stop`` or ``length``."""

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    finish_reason: str


def generate(
    policy: Policy,
    prompts: Sequence[Tokens],
    seeds: Sequence[Sequence[str]],
    *,
    max_tokens: int,
    temperature: float,
    batch: int = 64,
    adapter: str = POLICY,
) -> list[list[Sampled]]:
    """Continue each prompt as often as it has seeds.

    Args:
        policy: the model.
        prompts: token ids.
        seeds: for each prompt the same number of texts, one an answer.
        max_tokens: of an answer, its end-of-text token included; the context may leave less.
        temperature: logits are divided by it; 0 takes the most probable token (with log-probabilities at 1).
        batch: answers at once.
        adapter: whose answers.

    Raises:
        ModelError: the model computes no numbers.
    """
    copies = len(seeds[0]) if seeds else 0
    # The longest first: should memory run out, then at once; and rows of a batch are of like length.
    order = sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))
    at_once = max(1, batch // max(1, copies))
    answers: dict[int, list[Sampled]] = {}
    with policy.fixed(adapter), in_step(policy.idle, sharded=policy.sharded) as turn:
        for start in range(0, len(order), at_once):
            places = order[start : start + at_once]
            rows = _continue(
                policy, [prompts[place] for place in places], [seeds[place] for place in places],
                max_tokens, temperature, turn,
            )  # fmt: skip
            for number, place in enumerate(places):
                answers[place] = rows[number * copies : (number + 1) * copies]
    return [answers[place] for place in range(len(prompts))]


def _continue(
    policy: Policy,
    prompts: Sequence[Tokens],
    seeds: Sequence[Sequence[str]],
    max_tokens: int,
    temperature: float,
    turn: Callable[[], None],
) -> list[Sampled]:
    rooms = [min(max_tokens, policy.context - len(prompt)) for prompt in prompts]
    rows = [Continuation(room) for room, own in zip(rooms, seeds, strict=True) for _ in own]
    log_probabilities: list[list[float]] = [[] for _ in rows]
    # One number a row and a token, whatever becomes of the others.
    numbers = torch.stack([uniform_numbers(seed, max_tokens) for own in seeds for seed in own]).to(policy.device)

    def step(logits: Tensor, live: list[int]) -> tuple[Tensor, list[bool]]:
        tokens, values = draw_at(logits, numbers[live, len(rows[live[0]].tokens)], temperature)
        if bool(values.isnan().any()):
            raise ModelError(
                "the model's logits are NaN or infinite: try ',dtype=float32' or a lower learning rate", fatal=True
            )
        for index, token, value in zip(live, tokens.tolist(), values.tolist(), strict=True):
            rows[index].take(token, policy.stop_tokens)
            log_probabilities[index].append(value)
        return tokens, [not rows[index].finish_reason for index in live]

    policy.decode(prompts, step, copies=len(seeds[0]), turn=turn)
    return [
        Sampled(tuple(row.tokens), tuple(values), row.finish_reason)
        for row, values in zip(rows, log_probabilities, strict=True)
    ]
