"""Tokens from logits, by seeds, in two ways; and the logarithm of the distribution that they are drawn from.

An evaluation's answer is not to depend on the batch, so `draw` says whether rounding could have changed a token. It
is the Gumbel-max trick: ``argmax(logits + temperature * g)`` with ``g`` standard Gumbel noise has the distribution
``softmax(logits / temperature)``. The noise depends on the request alone, so a draw depends on nothing but its
logits; and because it is an argmax, how close it was is a plain difference that can be compared with the size of
rounding errors.

A rollout keeps the log-probability of what was drawn and is not drawn again; `draw_at` inverts the distribution
function at a number from the answer's seed, for all rows of a batch at once.
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


def seed_number(seed: str) -> int:
    """Return the number in [0, 2⁶³) that a seed's text stands for."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") >> 1


def uniform_numbers(seed: str, count: int) -> torch.Tensor:
    """Return the ``count`` numbers in [0, 1) of a seed's text, in float64 on the CPU."""
    import torch

    generator = torch.Generator().manual_seed(seed_number(seed))
    return torch.rand(count, generator=generator, dtype=torch.float64)


def request_generator(seed: int | None, tokens: Sequence[int], device: torch.device) -> torch.Generator:
    """Return the random source of one request: the same for the same seed and prompt, fresh when there is no seed.

    The prompt is part of it, or the prompts of one run would all meet the same noise.
    """
    import torch

    generator = torch.Generator(device=device)
    if seed is None:
        generator.seed()
        return generator
    return generator.manual_seed(seed_number(f"{seed}:{','.join(map(str, tokens))}"))


def gumbel_noise(size: int, generator: torch.Generator) -> torch.Tensor:
    """Return ``size`` standard Gumbel numbers, in float64: float32 yields exact zeros often enough to matter."""
    import torch

    exponential = torch.empty(size, dtype=torch.float64, device=generator.device).exponential_(generator=generator)
    return -exponential.clamp_min(1e-300).log()


def precise(logits: torch.Tensor) -> torch.Tensor:
    """Return logits in float32 or better: differences of log-probabilities drown in half precision."""
    import torch

    return logits if logits.dtype == torch.float64 else logits.float()


def log_distribution(logits: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """Return log softmax(logits / temperature) over the last dimension, in float32 or better."""
    return (precise(logits) / temperature).log_softmax(-1)


def at_tokens(distribution: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return of distributions [..., V] what each gives its token [...]."""
    return distribution.gather(-1, tokens[..., None]).squeeze(-1)


def draw_at(logits: torch.Tensor, numbers: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw a token for each row by inverting the distribution function at the row's number.

    Args:
        logits: [B, V].
        numbers: [B], in [0, 1), float64.
        temperature: of the distribution; 0 takes the most probable tokens (with log-probabilities at 1).

    Returns:
        The tokens [B] and their log-probabilities [B], NaN where the logits are no numbers.
    """
    import torch

    distribution = log_distribution(logits, temperature or 1.0)
    if temperature == 0:
        tokens = distribution.argmax(dim=-1)
    else:
        mass = distribution.exp().cumsum(dim=-1, dtype=torch.float64)
        # Right of equal entries: a token without any probability is never drawn.
        tokens = torch.searchsorted(mass, (numbers * mass[:, -1])[:, None], right=True).squeeze(-1)
        tokens = tokens.clamp(max=logits.shape[-1] - 1)
    return tokens, at_tokens(distribution, tokens)


def draw(
    logits: torch.Tensor, *, temperature: float, top_p: float | None, noise: torch.Tensor | None, tolerance: float
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
