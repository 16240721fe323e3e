"""Answers and likelihoods by a `CausalLM` in batches, row by row reproducible.

In float32, logits computed in a batch differ in the sixth digit from those computed alone: the order of sums
follows the shape of the batch, and the padding. That tips a draw only when it was that close; so every draw says
whether rounding could have changed it (`draws`), and one in some hundreds is decided again from the row's tokens
alone, which no batch can change. The same request therefore gets the same answer in any batch.
Half-precision rounding is far too coarse for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....errors import ModelError
from ..base import Sampling
from .draws import at_tokens, draw, gumbel_noise, request_generator, rounding_tolerance

if TYPE_CHECKING:
    import torch

    from .causal_lm import CausalLM, Continuation

MEASURED_LOGITS = 1 << 27
"""Logits held at once when likelihoods are measured: half a gigabyte in float32."""


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt to be continued by at most ``room`` tokens.

    ``stopped`` looks at the tokens generated so far and says whether a stop string has appeared.
    """

    tokens: tuple[int, ...]
    room: int
    sampling: Sampling
    stopped: Callable[[Sequence[int]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """New tokens, without the end-of-text token, and why they end: ``stop`` or ``length``."""

    tokens: tuple[int, ...]
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Tokens to read, and alternatives for what their last positions predict (see `likelihood.ScoredTokens`)."""

    inputs: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]


def generate(
    lm: CausalLM,
    requests: Sequence[Request],
    finish: Callable[[int, Generated], None],
    abandoned: Callable[[int], bool] = lambda index: False,
) -> None:
    """Continue all prompts, calling ``finish(i, generated)`` as soon as each one ends.

    Rows that end, or that are abandoned, leave the batch at once.

    Raises:
        ModelError: the logits are NaN.
    """
    import torch

    from .causal_lm import Continuation

    rows = [Continuation(request.room, request.stopped) for request in requests]
    generators = [_generator(request, lm.device) for request in requests]

    def step(logits: torch.Tensor, live: list[int]) -> tuple[torch.Tensor, list[bool]]:
        tokens = [
            _next_token(lm, requests[index], rows[index].tokens, own, generators[index])
            for index, own in zip(live, logits, strict=True)
        ]
        for index, token in zip(live, tokens, strict=True):
            rows[index].take(token, lm.stop_tokens)
            if rows[index].finish_reason:
                finish(index, _generated(rows[index], lm.stop_tokens))
        going_on = [not rows[index].finish_reason and not abandoned(index) for index in live]
        return torch.tensor(tokens, device=lm.device), going_on

    with torch.inference_mode():
        lm.decode([request.tokens for request in requests], step)


def measure_likelihoods(lm: CausalLM, questions: Sequence[Likelihoods]) -> list[list[tuple[float, bool]]]:
    """Return, for all targets of each question, their log-probability and whether they are the greedy tokens.

    Raises:
        ModelError: the logits are NaN.
    """
    import torch

    with torch.inference_mode():
        logits, _ = lm.forward(*lm.padded([question.inputs for question in questions]), keep=_longest(questions))
        return [
            [_measure_row(lm, row, targets) for targets in question.targets]
            for row, question in zip(logits, questions, strict=True)
        ]


def rows_at_once(lm: CausalLM, questions: Sequence[Likelihoods]) -> int:
    """Return how many of these questions fit into memory at once."""
    vocabulary = int(lm.model.config.get_text_config().vocab_size)
    return max(1, MEASURED_LOGITS // (_longest(questions) * vocabulary))


def _longest(questions: Sequence[Likelihoods]) -> int:
    return max(len(targets) for question in questions for targets in question.targets)


def _measure_row(lm: CausalLM, logits: torch.Tensor, targets: tuple[int, ...]) -> tuple[float, bool]:
    import torch

    wanted = torch.tensor(targets, device=lm.device)
    logits = logits[-len(targets) :].float()
    if bool(logits.isnan().any()):
        raise _no_number(lm)
    greedy = bool((logits.argmax(-1) == wanted).all())
    return float(at_tokens(logits.log_softmax(-1), wanted).sum()), greedy


def _generator(request: Request, device: torch.device) -> torch.Generator | None:
    if request.sampling.temperature == 0:
        return None
    return request_generator(request.sampling.seed, request.tokens, device)


def _next_token(
    lm: CausalLM, request: Request, new: list[int], logits: torch.Tensor, generator: torch.Generator | None
) -> int:
    sampling = request.sampling
    noise = None if generator is None else gumbel_noise(logits.shape[-1], generator)

    def decide(logits: torch.Tensor, tolerance: float) -> tuple[int, bool]:
        if bool(logits.max().isnan()):
            raise _no_number(lm)
        return draw(
            logits, temperature=sampling.temperature, top_p=sampling.top_p, noise=noise, tolerance=tolerance
        )

    if not lm.batch_invariant:
        return decide(logits.float(), 0.0)[0]
    token, certain = decide(logits, rounding_tolerance(logits))
    if certain:
        return token
    # From nothing but the row's own tokens.
    return decide(lm.last_logits([[*request.tokens, *new]])[0], 0.0)[0]


def _generated(row: Continuation, stop_tokens: frozenset[int]) -> Generated:
    ended = row.tokens[-1] in stop_tokens
    return Generated(tuple(row.tokens[:-1] if ended else row.tokens), row.finish_reason)


def _no_number(lm: CausalLM) -> ModelError:
    return ModelError(f"the model's logits are NaN or infinite in {lm.model.dtype}: try dtype=float32", fatal=True)
