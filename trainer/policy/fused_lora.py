"""PEFT's LoRA layers with their product added in one operation."""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora.layer import Linear, LoraVariant
from torch import Tensor


class FusedProduct(LoraVariant):  # type: ignore[misc]  # PEFT comes without types
    """y + s · B(A(x)), as PEFT computes it, without the two tensors of y's size that it makes on the way."""

    @staticmethod
    def forward(module: Any, *, active_adapter: str, x: Tensor, result: Tensor, **_: Any) -> Tensor:
        """Return the layer's output with an adapter's product added; ``result`` is what it gives without."""
        narrow = module.lora_A[active_adapter](module.lora_dropout[active_adapter](x))
        widening, scale = module.lora_B[active_adapter], module.scaling[active_adapter]
        if narrow.dtype != result.dtype or widening.bias is not None:
            return result + widening(narrow) * scale
        flat = torch.addmm(result.flatten(0, -2), narrow.flatten(0, -2), widening.weight.t(), alpha=scale)
        return flat.view(result.shape)


def fuse_products(model: Any) -> None:
    """Have a model's plain LoRA layers compute that way, with all adapters that they have."""
    for module in model.modules():
        if type(module) is Linear:
            for adapter in module.lora_A:
                module.lora_variant.setdefault(adapter, FusedProduct())
