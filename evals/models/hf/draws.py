"""One token from one row of logits, and whether rounding could have changed it.

Sampling is the Gumbel-max trick: ``argmax(logits + temperature * g)`` with ``g`` standard Gumbel noise has the
distribution ``softmax(logits / temperature)``. The noise depends on the request alone, so a draw depends on nothing
but its logits; and because it is an argmax, how close it was is a plain difference that can be compared with the
size of rounding errors.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ROUNDING_ULPS = 512
"""Logits of one prompt computed alone and in a batch differ by less than this many float32 epsilons of the largest
logit: 30 were measured on a 135M model, and the more layers the more."""


def rounding_tolerance(logits: torch.Tensor) -> float:
    """Return how far batching may move the difference of two of these logits."""
    import torch

    # Logits that a model masks (-1e4, -inf) say nothing about the scale of the others.
    scale = float(logits.clamp_min(-100.0).abs().max())
    ulp: float = torch.finfo(logits.dtype).eps
    return ROUNDING_ULPS * ulp * scale


def request_generator(seed: int | None, tokens: Sequence[int], device: torch.device) -> torch.Generator:
    """Return the random source of one request: the same for the same seed and prompt, fresh when there is no seed.

    The prompt is part of it, or the prompts of one run would all meet the same noise.
    """
    import torch

    generator = torch.Generator(device=device)
    if seed is None:
        generator.seed()
        return generator
    digest = hashlib.sha256(f"{seed}:{','.join(map(str, tokens))}".encode()).digest()
    return generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def gumbel_noise(size: int, generator: torch.Generator) -> torch.Tensor:
    """Return ``size`` standard Gumbel numbers, in float64: float32 yields exact zeros often enough to matter."""
    import torch

    exponential = torch.empty(size, dtype=torch.float64, device=generator.device).exponential_(generator=generator)
    return -exponential.clamp_min(1e-300).log()


def draw(
    logits: torch.Tensor,
    *,
    temperature: float,
    top_p: float | None,
    noise: torch.Tensor | None,
    tolerance: float,
) -> tuple[int, bool]:
    """Draw a token.

    Args:
        logits: float32 or float64 of shape (vocabulary,).
        temperature: of the distribution; not used without noise.
        top_p: keep the most probable tokens up to this mass: a token is kept when the tokens before it weigh less.
        noise: Gumbel noise of the same shape; ``None`` takes the most probable token.
        tolerance: how far any difference of two logits may be off; 0 when they are taken as exact.

    Returns:
        The token, and whether no error within the tolerance could have led to another one.
    """
    if noise is None:
        values, kept = logits.clone(), None
    else:
        values = logits + temperature * noise
        whole = top_p is None or top_p >= 1
        kept = None if whole else _Nucleus(logits / temperature, top_p or 0.0, tolerance / temperature)
    chosen, best = -1, 0.0
    while True:
        token = int(values.argmax())
        value = float(values[token])
        if chosen >= 0 and (value < best - tolerance or value == -float("inf")):
            return chosen, True
        certainly_in, certainly_out = (True, False) if kept is None else kept.holds(token)
        values[token] = -float("inf")
        if certainly_out:
            continue
        if chosen >= 0 or not certainly_in:
            return (chosen if chosen >= 0 else token), False
        chosen, best = token, value


class _Nucleus:
    """The most probable tokens up to a mass, with a margin for what rounding can do to order and mass."""

    def __init__(self, scaled: torch.Tensor, top_p: float, tolerance: float) -> None:
        self.scaled = scaled.double()
        self.probabilities = self.scaled.softmax(-1)
        self.top_p = top_p
        self.tolerance = tolerance
        self.mass_error = math.expm1(tolerance)

    def holds(self, token: int) -> tuple[bool, bool]:
        """Return whether the token is in for certain, and whether it is out for certain."""
        own = self.scaled[token]
        heavier = float(self.probabilities[self.scaled > own + self.tolerance].sum())
        if self.tolerance == 0:
            return heavier < self.top_p, heavier >= self.top_p
        rivals = self.scaled >= own - self.tolerance
        rivals[token] = False
        heavier_perhaps = float(self.probabilities[rivals].sum())
        return heavier_perhaps + self.mass_error < self.top_p, heavier - self.mass_error >= self.top_p
