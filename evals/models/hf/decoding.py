"""Batched generation and scoring with a transformers model, row by row reproducible.

In float32, logits computed in a batch differ in the sixth digit from those computed alone: the order of sums
follows the shape of the batch, and the padding. That tips a draw only when it was that close; so every draw says
whether rounding could have changed it (`draws`), and one in some hundreds is decided again from the row's tokens
alone, which no batch can change. The same request therefore gets the same answer in whatever company it is asked.
Half-precision rounding is far too coarse for that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ....errors import ModelError
from ..base import Sampling
from .draws import draw, gumbel_noise, request_generator, rounding_tolerance

if TYPE_CHECKING:
    import torch

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
    """Tokens to read, and alternatives for what their last positions predict (see `likelihood.Scored`)."""

    inputs: tuple[int, ...]
    targets: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class _Row:
    index: int
    request: Request
    generator: torch.Generator | None
    new: list[int] = field(default_factory=list)

    def finished(self, token: int, stop_tokens: frozenset[int]) -> str | None:
        """Take the next token and return the reason to end here, if there is one."""
        if token in stop_tokens:
            return "stop"
        self.new.append(token)
        if self.request.stopped is not None and self.request.stopped(self.new):
            return "stop"
        return "length" if len(self.new) >= self.request.room else None


class Decoder:
    """A causal language model of transformers with the little state that generation needs.

    ``batch_invariant`` says whether answers are independent of the batch (float32 and float64).

    Raises:
        ModelError: the architecture keeps its state in another way than a key-value cache.
    """

    def __init__(self, model: Any, *, stop_tokens: frozenset[int], pad_token: int) -> None:
        import torch

        base = model.get_base_model() if hasattr(model, "peft_config") else model
        accepted = inspect.signature(base.forward).parameters
        if "past_key_values" not in accepted:
            raise ModelError(
                f"{type(base).__name__} has no key-value cache, which hf: needs: serve it with vllm: or openai:",
                fatal=True,
            )
        self.model = model
        self.stop_tokens = stop_tokens
        self.pad_token = pad_token
        self.device = model.device
        self.batch_invariant = model.dtype in (torch.float32, torch.float64)
        self._takes_positions = "position_ids" in accepted
        self._takes_logits_to_keep = "logits_to_keep" in accepted

    def generate(
        self,
        requests: Sequence[Request],
        finish: Callable[[int, Generated], None],
        abandoned: Callable[[int], bool] = lambda index: False,
    ) -> None:
        """Continue all prompts, calling ``finish(i, generated)`` as soon as each one ends.

        Rows that end, or that are abandoned, leave the batch at once.

        Raises:
            ModelError: the model computes no numbers (NaN).
        """
        import torch

        rows = [_Row(index, request, self._generator(request)) for index, request in enumerate(requests)]
        with torch.inference_mode():
            inputs, mask = self._left_padded([request.tokens for request in requests])
            cache = None
            while rows:
                logits, cache = self._forward(inputs, mask, cache, keep=1)
                tokens = [self._next(row, logits[place, -1]) for place, row in enumerate(rows)]
                going_on = []
                for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
                    reason = row.finished(token, self.stop_tokens)
                    if reason is not None:
                        finish(row.index, Generated(tuple(row.new), reason))
                    elif not abandoned(row.index):
                        going_on.append(place)
                inputs = torch.tensor(tokens, device=self.device)[:, None]
                if len(going_on) < len(rows):
                    rows = [rows[place] for place in going_on]
                    inputs, mask = inputs[going_on], mask[going_on]
                    if rows:
                        # Named after beam search, but the one selection of rows that every kind of cache layer has.
                        cache.reorder_cache(torch.tensor(going_on, device=self.device))
                mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)

    def measure(self, questions: Sequence[Likelihoods]) -> list[list[tuple[float, bool]]]:
        """Return, for all targets of each question, their log-probability and whether they are the greedy tokens.

        Raises:
            ModelError: the model computes no numbers (NaN).
        """
        import torch

        with torch.inference_mode():
            inputs, mask = self._left_padded([question.inputs for question in questions])
            logits, _ = self._forward(inputs, mask, None, keep=_longest_target(questions), use_cache=False)
            return [
                [self._measure_row(row, targets) for targets in question.targets]
                for row, question in zip(logits, questions, strict=True)
            ]

    def rows_at_once(self, questions: Sequence[Likelihoods]) -> int:
        """Return how many of these questions fit into memory at once."""
        vocabulary = int(self.model.config.get_text_config().vocab_size)
        return max(1, MEASURED_LOGITS // (_longest_target(questions) * vocabulary))

    def _measure_row(self, logits: torch.Tensor, targets: tuple[int, ...]) -> tuple[float, bool]:
        import torch

        wanted = torch.tensor(targets, device=self.device)
        logits = logits[-len(targets) :].float()
        if bool(logits.isnan().any()):
            raise self._no_number()
        greedy = bool((logits.argmax(-1) == wanted).all())
        chosen = logits.log_softmax(-1).gather(-1, wanted[:, None])
        return float(chosen.sum()), greedy

    def _generator(self, request: Request) -> torch.Generator | None:
        if request.sampling.temperature == 0:
            return None
        return request_generator(request.sampling.seed, request.tokens, self.device)

    def _next(self, row: _Row, logits: torch.Tensor) -> int:
        sampling = row.request.sampling
        noise = None if row.generator is None else gumbel_noise(logits.shape[-1], row.generator)

        def decide(logits: torch.Tensor, tolerance: float) -> tuple[int, bool]:
            if bool(logits.max().isnan()):
                raise self._no_number()
            return draw(
                logits, temperature=sampling.temperature, top_p=sampling.top_p, noise=noise, tolerance=tolerance
            )

        if not self.batch_invariant:
            return decide(logits.float(), 0.0)[0]
        token, certain = decide(logits, rounding_tolerance(logits))
        if certain:
            return token
        return decide(self._logits_alone([*row.request.tokens, *row.new]), 0.0)[0]

    def _logits_alone(self, tokens: Sequence[int]) -> torch.Tensor:
        """Compute the logits after these tokens from nothing but them."""
        inputs, mask = self._left_padded([tokens])
        logits, _ = self._forward(inputs, mask, None, keep=1, use_cache=False)
        last: torch.Tensor = logits[0, -1]
        return last

    def _left_padded(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        longest = max(map(len, rows))
        inputs = [[self.pad_token] * (longest - len(row)) + list(row) for row in rows]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        return torch.tensor(inputs, device=self.device), torch.tensor(mask, device=self.device)

    def _forward(
        self, inputs: torch.Tensor, mask: torch.Tensor, cache: Any, *, keep: int, use_cache: bool = True
    ) -> tuple[torch.Tensor, Any]:
        arguments: dict[str, Any] = {"past_key_values": cache, "use_cache": use_cache}
        if self._takes_positions:
            positions = (mask.cumsum(-1) - 1).clamp_min(0)
            arguments["position_ids"] = positions[:, -inputs.shape[1] :]
        if self._takes_logits_to_keep:
            arguments["logits_to_keep"] = keep
        output = self.model(input_ids=inputs, attention_mask=mask, **arguments)
        return output.logits, output.past_key_values

    def _no_number(self) -> ModelError:
        return ModelError(
            f"the model's logits are not numbers in {self.model.dtype}: try dtype=float32", fatal=True
        )


def _longest_target(questions: Sequence[Likelihoods]) -> int:
    return max(len(targets) for question in questions for targets in question.targets)
