"""A causal language model of transformers on batches of token rows, for evaluation and training.

Rows are padded on the left, so that all of a batch go on at the same place, and positions count what is no padding.
The model is read in three ways: `CausalLM.decode` continues prompts with a key-value cache, `CausalLM.token_values`
tells how likely given answers are (with gradient where that is on), and `CausalLM.hidden_states` gives what the
output layer would read, for other heads. Whether gradients are kept is the caller's choice (``torch.no_grad``).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ....errors import ModelError
from .draws import at_tokens, log_distribution, precise
from .key_values import grow_in_place

Tokens = Sequence[int]
Step = Callable[[Tensor, list[int]], tuple[Tensor, list[bool]]]
"""Takes the logits [R, V] of what comes next and the numbers of the R rows that they belong to; returns the rows'
tokens [R] and which of them go on."""


@dataclass(slots=True)
class Continuation:
    """An answer as it grows by at most ``room`` tokens, its end-of-text token included.

    ``stopped`` looks at the tokens so far and says whether they end here. ``finish_reason`` is ``stop`` or
    ``length``, and empty until one of them holds.
    """

    room: int
    stopped: Callable[[Tokens], bool] | None = None
    tokens: list[int] = field(default_factory=list)
    finish_reason: str = ""

    def take(self, token: int, stop_tokens: frozenset[int]) -> None:
        """Append a token, and end if it is the last."""
        self.tokens.append(token)
        if token in stop_tokens or (self.stopped is not None and self.stopped(self.tokens)):
            self.finish_reason = "stop"
        elif len(self.tokens) >= self.room:
            self.finish_reason = "length"


@dataclass(frozen=True, slots=True)
class TokenValues:
    """Log-probabilities and entropies [B, T] of answers' tokens, and the mask of those that there are."""

    log_probabilities: Tensor
    entropies: Tensor
    mask: Tensor


class CausalLM:
    """A causal language model of transformers, possibly with adapters, and its batched operations.

    ``batch_invariant``: rounding is fine enough (float32, float64) for answers that no batch can change.

    Raises:
        ModelError: the architecture keeps its state in another way than a key-value cache.
    """

    def __init__(self, model: Any, *, stop_tokens: frozenset[int], pad_token: int) -> None:
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
        self._body = getattr(base, base.base_model_prefix, None)
        self._head = base.get_output_embeddings()

    def padded(self, rows: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        """Return token ids [B, T] padded on the left, and their mask."""
        longest = max(map(len, rows))
        inputs = [[self.pad_token] * (longest - len(row)) + list(row) for row in rows]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        return torch.tensor(inputs, device=self.device), torch.tensor(mask, device=self.device)

    def forward(
        self, inputs: Tensor, mask: Tensor, cache: Any = None, *, keep: int = 0, use_cache: bool = False
    ) -> tuple[Tensor, Any]:
        """Return the logits of the last ``keep`` positions (all for 0), and the cache.

        Args:
            inputs: token ids [B, T], those after the cache's.
            mask: [B, tokens in the cache + T], 0 for padding.
            cache: what an earlier call returned for the tokens before.
            keep: positions.
            use_cache: whether to fill a cache.
        """
        arguments = self._positions(inputs, mask) | {"past_key_values": cache, "use_cache": use_cache}
        if self._takes_logits_to_keep:
            arguments["logits_to_keep"] = keep
        output = self.model(input_ids=inputs, attention_mask=mask, **arguments)
        return output.logits[:, -keep:], output.past_key_values

    def last_logits(self, rows: Sequence[Tokens]) -> Tensor:
        """Return the logits [B, V] of what comes after each row, in float32 or better."""
        inputs, mask = self.padded(rows)
        return precise(self.forward(inputs, mask, keep=1)[0][:, -1])

    def hidden_states(self, inputs: Tensor, mask: Tensor, chosen: Tensor) -> Tensor:
        """Return what the output layer reads at N chosen positions, [N, H], row by row.

        Args:
            inputs: token ids [B, T].
            mask: [B, T], 0 for padding.
            chosen: [B, T], true at N positions.

        Raises:
            ModelError: the model does not say what is below its output layer.
        """
        if self._body is None:
            raise ModelError("this model gives no access to its hidden states", fatal=True)
        arguments = self._positions(inputs, mask)
        output = self._body(input_ids=inputs, attention_mask=mask, use_cache=False, **arguments)
        states: Tensor = output[0][chosen]
        return states

    def decode(
        self, prompts: Sequence[Tokens], step: Step, *, copies: int = 1, turn: Callable[[], None] = lambda: None
    ) -> None:
        """Read each prompt once, then go on with ``copies`` rows of it, a token at a time, until all have ended.

        Rows that end leave the batch at once.

        Args:
            prompts: token ids; the rows of prompt p have the numbers from ``p * copies``.
            step: chooses the tokens.
            copies: rows for each prompt.
            turn: called before each forward pass.
        """
        inputs, mask = self.padded(prompts)
        turn()
        logits, cache = self.forward(inputs, mask, keep=1, use_cache=True)
        live = list(range(len(prompts) * copies))
        if copies > 1:
            fanned = torch.arange(len(prompts), device=self.device).repeat_interleave(copies)
            # Named after beam search, but the one selection of rows that every kind of cache layer has.
            cache.reorder_cache(fanned)
            logits, mask = logits[fanned], mask[fanned]
        grow_in_place(cache)
        while True:
            tokens, going_on = step(logits[:, -1], live)
            if not any(going_on):
                return
            inputs = tokens[:, None]
            if not all(going_on):
                kept = [place for place, on in enumerate(going_on) if on]
                live = [live[place] for place in kept]
                chosen = torch.tensor(kept, device=self.device)
                cache.reorder_cache(chosen)
                inputs, mask = inputs[chosen], mask[chosen]
            mask = torch.cat([mask, mask.new_ones(len(live), 1)], dim=1)
            turn()
            logits, cache = self.forward(inputs, mask, cache, keep=1, use_cache=True)

    def token_values(
        self, prompts: Sequence[Tokens], answers: Sequence[Tokens], *, temperature: float, chunk: int
    ) -> TokenValues:
        """Compute how likely answers are, with gradient where that is on.

        The distribution is the tempered one, logits divided by ``temperature``, from which answers are sampled. No
        more than ``chunk`` tokens have their logits in memory at once.

        Args:
            prompts: B of them.
            answers: one for each, not empty.
            temperature: above 0.
            chunk: tokens.
        """
        length = max(map(len, answers))
        inputs, attention = self.padded(prompts)
        ends = [[*answer, *[self.pad_token] * (length - len(answer))] for answer in answers]
        marks = [[1] * len(answer) + [0] * (length - len(answer)) for answer in answers]
        targets = torch.tensor(ends, device=self.device)
        mask = torch.tensor(marks, device=self.device)
        # The last token predicts nothing that is asked for.
        inputs = torch.cat([inputs, targets], dim=1)[:, :-1]
        attention = torch.cat([attention, mask], dim=1)[:, :-1]
        trained = mask.bool()
        values, entropies = self._of_tokens(inputs, attention, trained, targets[trained], temperature, chunk)
        empty = torch.zeros(trained.shape, dtype=values.dtype, device=self.device)
        return TokenValues(empty.masked_scatter(trained, values), empty.masked_scatter(trained, entropies), trained)

    def _of_tokens(
        self, inputs: Tensor, attention: Tensor, trained: Tensor, targets: Tensor, temperature: float, chunk: int
    ) -> tuple[Tensor, Tensor]:
        if self._head_is_plain:
            chosen = torch.zeros(inputs.shape, dtype=torch.bool, device=self.device)
            chosen[:, -trained.shape[1] :] = trained
            states = self.hidden_states(inputs, attention, chosen)
            frozen = (self._head.weight.detach(), None if self._head.bias is None else self._head.bias.detach())
            return _HeadValues.apply(states, *frozen, targets, temperature, chunk)  # type: ignore[no-any-return]
        logits = self.forward(inputs, attention, keep=trained.shape[1])[0][trained]
        parts = [
            _values_of(logits[start : start + chunk], targets[start : start + chunk], temperature)
            for start in range(0, len(targets), chunk)
        ]
        return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])

    def _positions(self, inputs: Tensor, mask: Tensor) -> dict[str, Any]:
        if not self._takes_positions:
            return {}
        positions = (mask.cumsum(-1) - 1).clamp_min(0)
        return {"position_ids": positions[:, -inputs.shape[1] :]}

    @functools.cached_property
    def _head_is_plain(self) -> bool:
        """Whether logits are the output layer's and nothing more (no caps, no scales)."""
        if self._body is None or not isinstance(self._head, torch.nn.Linear):
            return False
        inputs = torch.tensor([[min(self.pad_token, 1), 2, 3]], device=self.device)
        mask = torch.ones_like(inputs)
        with torch.no_grad():
            logits, _ = self.forward(inputs, mask)
            states = self.hidden_states(inputs, mask, mask.bool())
            return bool(torch.allclose(self._head(states), logits[0], rtol=1e-3, atol=1e-3))


class _HeadValues(torch.autograd.Function):  # type: ignore[misc]  # torch comes without types
    """Log-probabilities and entropies of tokens from hidden states [N, H], through a frozen output layer.

    With logits z = W h / T and p = softmax(z), the gradient of log p_y with respect to h is (W_y - pᵀW) / T. It is
    computed along with the value, so that neither logits nor probabilities outlive their chunk, and nothing is
    computed twice. Entropies have no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        temperature: float,
        chunk: int,
    ) -> tuple[Tensor, Tensor]:
        values, entropies, slopes = [], [], []
        for start in range(0, len(targets), chunk):
            chosen = targets[start : start + chunk]
            logits = precise(torch.nn.functional.linear(states[start : start + chunk], weight, bias))
            distribution = torch.log_softmax(logits.div_(temperature), dim=-1)
            values.append(at_tokens(distribution, chosen))
            probabilities = torch.exp(distribution, out=logits)
            entropies.append(-torch.linalg.vecdot(probabilities, distribution))
            if ctx.needs_input_grad[0]:
                slopes.append((weight[chosen] - probabilities.to(weight.dtype) @ weight).div_(temperature))
        if slopes:
            ctx.save_for_backward(torch.cat(slopes))
        entropy = torch.cat(entropies)
        ctx.mark_non_differentiable(entropy)
        return torch.cat(values), entropy

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return (slopes * gradients[0][:, None].to(slopes.dtype), None, None, None, None, None)


def _values_of(logits: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    distribution = log_distribution(logits, temperature)
    with torch.no_grad():
        entropies = -(distribution.exp() * distribution).sum(dim=-1)
    return at_tokens(distribution, targets), entropies
