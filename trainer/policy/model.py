"""A frozen model with LoRA adapters: the policy in training, its reference, and perhaps a critic.

The reference is a frozen copy of the policy's adapter, so that it costs no second model; it starts as the policy
does, which for a fresh adapter is the model without any.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...errors import MissingExtraError, ModelError, UsageError
from ..recipe.fields import Lora
from .base_model import BaseModel, device_of, load_base
from .parallel import world
from .sharding import shard

if TYPE_CHECKING:
    from ...evals.models.hf.chat_template import ChatTemplate

POLICY = "default"
"""PEFT saves the adapter of this name the way that everybody loads one."""
REFERENCE = "reference"
CRITIC = "critic"

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class TokenValues:
    """Log-probabilities and entropies [B, T] of answers' tokens, and the mask of those that there are."""

    log_probabilities: Tensor
    entropies: Tensor
    mask: Tensor


class Policy:
    """The model with its adapters; one is active at a time (`using`), the policy's unless said otherwise."""

    def __init__(
        self,
        model: Any,
        *,
        template: ChatTemplate,
        context: int,
        stop_tokens: frozenset[int],
        pad_token: int,
        sharded: bool = False,
    ) -> None:
        self.model = model
        self.sharded = sharded
        self.template = template
        self.context = context
        self.stop_tokens = stop_tokens
        self.pad_token = pad_token
        self.device = model.device
        self._reference_is_bare = False
        base = model.get_base_model()
        self._takes_positions = "position_ids" in inspect.signature(base.forward).parameters
        self._takes_logits_to_keep = "logits_to_keep" in inspect.signature(base.forward).parameters
        self._body = getattr(base, base.base_model_prefix, None)
        self._head = base.get_output_embeddings()
        # In training mode a model would drop out by its own configuration too; it is to stay as it evaluates.
        model.eval()
        self._head_is_plain = self._is_head_plain()
        self._learning = [
            module
            for name, module in model.named_modules()
            if "lora_dropout" in name or getattr(module, "gradient_checkpointing", False)
        ]
        self._learn(True)

    def trainable(self, adapter: str = POLICY) -> dict[str, Tensor]:
        """Return an adapter's parameters by their names without the adapter's."""
        mark = f".{adapter}."
        return {
            name.replace(mark, "."): parameter
            for name, parameter in self.model.named_parameters()
            if mark in name and "lora_" in name
        }

    def copy_adapter(self, source: str, target: str) -> None:
        """Copy one adapter's numbers into another."""
        self.load_adapter(target, self.trainable(source))

    def load_adapter(self, adapter: str, tensors: Mapping[str, Tensor]) -> None:
        """Set an adapter's numbers.

        Raises:
            ModelError: they are another adapter's.
        """
        own = self.trainable(adapter)
        if own.keys() != tensors.keys() or any(own[name].shape != tensors[name].shape for name in own):
            raise ModelError(f"the saved adapter '{adapter}' is not of the shape that the recipe asks for")
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(tensors[name])
        if adapter == REFERENCE:
            # A product with zeros adds nothing: that reference is the bare model, and leaving it out saves work.
            self._reference_is_bare = not any(bool(own[name].any()) for name in own if "lora_B" in name)

    @contextlib.contextmanager
    def using(self, adapter: str) -> Iterator[None]:
        """Compute with another adapter inside the block."""
        if adapter == REFERENCE and self._reference_is_bare:
            with self.model.disable_adapter():
                yield
            return
        self.model.set_adapter(adapter)
        try:
            yield
        finally:
            self.model.set_adapter(POLICY)

    @contextlib.contextmanager
    def fixed(self, adapter: str = POLICY) -> Iterator[None]:
        """Compute with an adapter as it is: no gradient, no dropout."""
        self._learn(False)
        try:
            with torch.no_grad(), self.using(adapter):
                yield
        finally:
            self._learn(True)

    def save(self, folder: Path) -> None:
        """Save the policy's adapter as PEFT does, for Transformers, vLLM and ``evalkit run``."""
        self.model.save_pretrained(str(folder), selected_adapters=[POLICY])

    def forward(
        self, inputs: Tensor, mask: Tensor, cache: Any = None, *, keep: int = 0, use_cache: bool = False
    ) -> tuple[Tensor, Any]:
        """Return the logits of the last ``keep`` positions (all for 0), and the cache."""
        arguments = self._arguments(inputs, mask) | {"past_key_values": cache, "use_cache": use_cache}
        if self._takes_logits_to_keep:
            arguments["logits_to_keep"] = keep
        output = self.model(input_ids=inputs, attention_mask=mask, **arguments)
        return output.logits[:, -keep:], output.past_key_values

    def idle(self) -> None:
        """Compute something that does not matter, for others that compute something that does (see `sharding`)."""
        self.forward(*self.padded([[self.pad_token]]), keep=1)

    def padded(self, rows: Sequence[Tokens]) -> tuple[Tensor, Tensor]:
        """Return token ids [B, T] padded on the left, and their mask."""
        longest = max(map(len, rows))
        inputs = [[self.pad_token] * (longest - len(row)) + list(row) for row in rows]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        return torch.tensor(inputs, device=self.device), torch.tensor(mask, device=self.device)

    def token_values(
        self, prompts: Sequence[Tokens], answers: Sequence[Tokens], *, temperature: float, chunk: int
    ) -> TokenValues:
        """Compute how likely answers are under the active adapter, with gradient where that is on.

        The distribution is the tempered one, logits divided by ``temperature``, from which answers are sampled. No
        more than ``chunk`` tokens have their logits in memory at once.

        Args:
            prompts: B of them.
            answers: one for each, not empty.
            temperature: above 0.
            chunk: tokens.
        """
        width, length = max(map(len, prompts)), max(map(len, answers))
        inputs, attention = self.padded(prompts)
        ends = [[*answer, *[self.pad_token] * (length - len(answer))] for answer in answers]
        marks = [[1] * len(answer) + [0] * (length - len(answer)) for answer in answers]
        targets = torch.tensor(ends, device=self.device)
        mask = torch.tensor(marks, device=self.device)
        # The last token predicts nothing that is asked for.
        inputs = torch.cat([inputs, targets], dim=1)[:, :-1]
        attention = torch.cat([attention, mask], dim=1)[:, :-1]
        trained = mask.bool()
        values, entropies = self._of_tokens(inputs, attention, width, trained, targets[trained], temperature, chunk)
        empty = torch.zeros(trained.shape, dtype=values.dtype, device=self.device)
        return TokenValues(empty.masked_scatter(trained, values), empty.masked_scatter(trained, entropies), trained)

    def last_logits(self, rows: Sequence[Tokens]) -> Tensor:
        """Return the logits [B, V] of what comes after each row, in float32 or better."""
        inputs, mask = self.padded(rows)
        return _precise(self.forward(inputs, mask, keep=1)[0][:, -1])

    def _of_tokens(
        self,
        inputs: Tensor,
        attention: Tensor,
        width: int,
        trained: Tensor,
        targets: Tensor,
        temperature: float,
        chunk: int,
    ) -> tuple[Tensor, Tensor]:
        if self._head_is_plain:
            output = self._body(  # type: ignore[misc]
                input_ids=inputs, attention_mask=attention, use_cache=False, **self._arguments(inputs, attention)
            )
            states = output[0][:, width - 1 :][trained]
        else:
            logits, _ = self.forward(inputs, attention, keep=trained.shape[1])
            states = logits[trained]
        if self._head_is_plain:
            frozen = (self._head.weight.detach(), None if self._head.bias is None else self._head.bias.detach())
            return _HeadValues.apply(states, *frozen, targets, temperature, chunk)  # type: ignore[no-any-return]
        parts = []
        for start in range(0, len(targets), chunk):
            arguments = (states[start : start + chunk], targets[start : start + chunk], temperature)
            parts.append(_measured(*arguments))
        return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])

    def _arguments(self, inputs: Tensor, mask: Tensor) -> dict[str, Any]:
        if not self._takes_positions:
            return {}
        positions = (mask.cumsum(-1) - 1).clamp_min(0)
        return {"position_ids": positions[:, -inputs.shape[1] :]}

    def _learn(self, on: bool) -> None:
        for module in self._learning:
            module.training = on

    def _is_head_plain(self) -> bool:
        """Tell whether logits are the output layer's and nothing more (no caps, no scales)."""
        if self._body is None or not isinstance(self._head, torch.nn.Linear):
            return False
        inputs = torch.tensor([[min(self.pad_token, 1), 2, 3]], device=self.device)
        mask = torch.ones_like(inputs)
        with torch.no_grad():
            logits, _ = self.forward(inputs, mask)
            states = self._body(input_ids=inputs, attention_mask=mask, use_cache=False)[0]
            return bool(torch.allclose(self._head(states), logits, rtol=1e-3, atol=1e-3))


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
            logits = _precise(torch.nn.functional.linear(states[start : start + chunk], weight, bias))
            distribution = torch.log_softmax(logits.div_(temperature), dim=-1)
            values.append(distribution.gather(-1, chosen[:, None]).squeeze(-1))
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


def _precise(logits: Tensor) -> Tensor:
    """Differences of log-probabilities drown in half precision."""
    return logits if logits.dtype == torch.float64 else logits.float()


def _measured(logits: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    distribution = torch.log_softmax(_precise(logits) / temperature, dim=-1)
    with torch.no_grad():
        entropies = -(distribution.exp() * distribution).sum(dim=-1)
    return distribution.gather(-1, targets[:, None]).squeeze(-1), entropies


def open_policy(
    base: BaseModel, lora: Lora, *, seed: int, critic: bool, gradient_checkpointing: bool, sharded: bool = False
) -> Policy:
    """Load a model and put its adapters on: policy and reference, and a critic if wanted.

    With ``sharded`` the model's weights are spread over the processes, if there are several.

    Raises:
        MissingExtraError: torch, transformers or peft is not installed.
        ModelError: the weights or the adapter cannot be loaded.
        UsageError: the model has no such layers as the adapter is to be on.
    """
    try:
        from peft import LoraConfig, PeftModel, get_peft_model

        from .fused_lora import fuse_products
    except ImportError:
        raise MissingExtraError("train") from None
    sharded = sharded and world()[1] > 1
    loaded, template, context = load_base(base, on_cpu=sharded)
    plain = loaded.decoder.model
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT warns of second adapters, which are meant
        if base.adapter is None:
            try:
                model = get_peft_model(plain, config, adapter_name=POLICY)
            except ValueError as error:
                raise UsageError(f"field 'lora.targets': {error}") from None
        else:
            model = PeftModel.from_pretrained(plain, str(base.adapter), adapter_name=POLICY, is_trainable=True)
            config = model.peft_config[POLICY]
        model.add_adapter(REFERENCE, config)
        if critic:
            model.add_adapter(CRITIC, config)
    fuse_products(model)
    if gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.set_adapter(POLICY)
    if sharded:
        shard(model, device_of(base))
    policy = Policy(
        model,
        template=template,
        context=context,
        stop_tokens=loaded.decoder.stop_tokens,
        pad_token=loaded.decoder.pad_token,
        sharded=sharded,
    )
    policy.copy_adapter(POLICY, REFERENCE)
    return policy
