"""A key-value cache that grows in place, where that of transformers is copied whole for every token."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import DynamicLayer

LEAST_ROOM = 64


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers comes without types
    """A layer whose keys and values [B, H, T, D] are the front of buffers with room behind them."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.lazy_initialization(layer.keys, layer.values)
        self.keys, self.values = layer.keys, layer.values
        self._buffers: dict[str, Tensor] = {}

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Append the states of new tokens; return all of them."""
        self.keys = self._appended("keys", self.keys, key_states)
        self.values = self._appended("values", self.values, value_states)
        return self.keys, self.values

    def _appended(self, name: str, held: Tensor, new: Tensor) -> Tensor:
        before, after = held.shape[-2], held.shape[-2] + new.shape[-2]
        buffer = self._buffers.get(name)
        # What is held lies elsewhere once rows were selected from it.
        if buffer is None or buffer.data_ptr() != held.data_ptr() or buffer.shape[-2] < after:
            buffer = held.new_empty((*held.shape[:-2], after + max(LEAST_ROOM, after // 4), held.shape[-1]))
            buffer[..., :before, :] = held
            self._buffers[name] = buffer
        buffer[..., before:after, :] = new
        return buffer[..., :after, :]


def grow_in_place(cache: Any) -> None:
    """Exchange the layers of a cache that hold every token, once they hold some; those of other kinds stay.

    So does a cache of a model's own kind, without layers.
    """
    if not hasattr(cache, "layers"):
        return
    cache.layers = [
        GrowingLayer(layer) if type(layer) is DynamicLayer and layer.is_initialized else layer
        for layer in cache.layers
    ]
