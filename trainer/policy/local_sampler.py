"""Sampling many answers to each prompt: a key-value cache, each prompt read once, each answer with its own seed.

An answer's draws come from its seed alone, not from the batch that it happens to stand in; in float32 rounding can
still tip a draw that was closer than the sixth digit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import ModelError
from .key_values import grow_in_place
from .model import POLICY, Policy, Tokens
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
    found: dict[int, list[Sampled]] = {}
    with policy.fixed(adapter), in_step(policy.idle, sharded=policy.sharded) as turn:
        for start in range(0, len(order), at_once):
            chosen = order[start : start + at_once]
            rows = _continue(
                policy, [prompts[place] for place in chosen], [seeds[place] for place in chosen],
                max_tokens, temperature, turn,
            )  # fmt: skip
            for number, place in enumerate(chosen):
                found[place] = rows[number * copies : (number + 1) * copies]
    return [found[place] for place in range(len(prompts))]


@dataclass(slots=True)
class _Row:
    room: int
    tokens: list[int]
    log_probabilities: list[float]
    finish_reason: str = ""


def _continue(
    policy: Policy,
    prompts: Sequence[Tokens],
    seeds: Sequence[Sequence[str]],
    max_tokens: int,
    temperature: float,
    turn: Callable[[], None],
) -> list[Sampled]:
    rows = []
    for prompt, own in zip(prompts, seeds, strict=True):
        room = min(max_tokens, policy.context - len(prompt))
        rows += [_Row(room, [], []) for _ in own]
    # One number a row and a token, whatever becomes of the others.
    numbers = torch.stack([_uniforms(seed, max_tokens) for own in seeds for seed in own]).to(policy.device)
    inputs, mask = policy.padded(prompts)
    turn()
    logits, cache = policy.forward(inputs, mask, keep=1, use_cache=True)
    copies = torch.arange(len(prompts), device=policy.device).repeat_interleave(len(seeds[0]))
    # Named after beam search, but the one selection of rows that every kind of cache layer has.
    cache.reorder_cache(copies)
    grow_in_place(cache)
    logits, mask = logits[copies], mask[copies]
    live = list(range(len(rows)))
    while live:
        drawn = [rows[place] for place in live]
        tokens = _draw(logits[:, -1], numbers[live, len(drawn[0].tokens)], temperature)
        _take(drawn, *tokens, policy.stop_tokens)
        kept = [place for place, row in enumerate(live) if not rows[row].finish_reason]
        if not kept:
            break
        inputs = tokens[0][:, None]
        if len(kept) < len(live):
            chosen = torch.tensor(kept, device=policy.device)
            live = [live[place] for place in kept]
            cache.reorder_cache(chosen)
            inputs, mask = inputs[chosen], mask[chosen]
        mask = torch.cat([mask, mask.new_ones(len(live), 1)], dim=1)
        turn()
        logits, cache = policy.forward(inputs, mask, cache, keep=1, use_cache=True)
    return [Sampled(tuple(row.tokens), tuple(row.log_probabilities), row.finish_reason) for row in rows]


def _draw(logits: Tensor, numbers: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Draw a token for each row of logits [B, V] by inverting the distribution function at the row's number.

    Returns:
        The tokens [B] and their log-probabilities [B].
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    distribution = torch.log_softmax(logits / (temperature or 1.0), dim=-1)
    if bool(distribution[:, 0].isnan().any()):
        raise ModelError(
            "the model's logits are not numbers: try ',dtype=float32' or a lower learning rate", fatal=True
        )
    if temperature == 0:
        tokens = distribution.argmax(dim=-1)
    else:
        mass = distribution.exp().cumsum(dim=-1, dtype=torch.float64)
        # Right of equal entries: a token without any probability is never drawn.
        tokens = torch.searchsorted(mass, (numbers * mass[:, -1])[:, None], right=True).squeeze(-1)
        tokens = tokens.clamp(max=logits.shape[-1] - 1)
    return tokens, distribution.gather(-1, tokens[:, None]).squeeze(-1)


def _take(rows: Sequence[_Row], tokens: Tensor, log_probabilities: Tensor, stop_tokens: frozenset[int]) -> None:
    for row, token, value in zip(rows, tokens.tolist(), log_probabilities.tolist(), strict=True):
        row.tokens.append(token)
        row.log_probabilities.append(value)
        if token in stop_tokens:
            row.finish_reason = "stop"
        elif len(row.tokens) >= row.room:
            row.finish_reason = "length"


def seed_number(seed: str) -> int:
    """Return the number in [0, 2⁶³) that a seed's text stands for."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") >> 1


def _uniforms(seed: str, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed_number(seed))
    return torch.rand(count, generator=generator, dtype=torch.float64)
