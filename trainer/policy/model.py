"""A frozen model with LoRA adapters: the policy in training, its reference, and perhaps a critic.

The reference is a frozen copy of the policy's adapter, so that it costs no second model; it starts as the policy
does, which for a fresh adapter is the model without any.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...errors import MissingExtraError, ModelError, UsageError
from ...evals.models.hf.causal_lm import CausalLM
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


class Policy(CausalLM):
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
        super().__init__(model, stop_tokens=stop_tokens, pad_token=pad_token)
        self.sharded = sharded
        self.template = template
        self.context = context
        self._reference_is_bare = False
        # In training mode a model would drop out by its own configuration too; it is to stay as it evaluates.
        model.eval()
        # To be found out while nothing drops out.
        _ = self._head_is_plain
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
            raise ModelError(
                f"the saved adapter '{adapter}' does not match the recipe's 'lora' (rank, targets): restore these"
                " settings, or train in a new directory"
            )
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

    def idle(self) -> None:
        """Run a dummy pass so that all ranks join the collective (see `sharding`)."""
        self.forward(*self.padded([[self.pad_token]]), keep=1)

    def _learn(self, on: bool) -> None:
        for module in self._learning:
            module.training = on


def open_policy(
    base: BaseModel,
    lora: Lora,
    *,
    seed: int,
    adapters: Sequence[str] = (),
    gradient_checkpointing: bool = False,
    sharded: bool = False,
) -> Policy:
    """Load a model and put its adapters on: policy and reference, and such further ``adapters`` as are wanted.

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
    plain = loaded.lm.model
    config = LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=lora.targets,
        task_type="CAUSAL_LM",
    )  # fmt: skip
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
        for name in (REFERENCE, *adapters):
            model.add_adapter(name, config)
    fuse_products(model)
    if gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.set_adapter(POLICY)
    if sharded:
        shard(model, device_of(base))
    policy = Policy(
        model, template=template, context=context, stop_tokens=loaded.lm.stop_tokens,
        pad_token=loaded.lm.pad_token, sharded=sharded,
    )  # fmt: skip
    policy.copy_adapter(POLICY, REFERENCE)
    return policy
