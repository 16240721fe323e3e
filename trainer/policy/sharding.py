"""Weights spread over the processes, for a model that does not fit one device: ``sharding: full`` in a recipe.

Each process keeps its part of every block; a block is gathered when it computes and let go of after (FSDP2, torch's
``fully_shard``). Embeddings, the output layer and the adapters stay whole everywhere. A block is gathered by a
collective call, so all ranks have to compute equally often: one that has nothing left to do runs dummy passes
(`in_step`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from ...errors import ModelError
from .parallel import any_rank, world

T = TypeVar("T")


def shard(model: Any, device: str) -> None:
    """Spread the blocks of a model on the CPU over the processes' devices, one after the other.

    No device ever holds more than the parts and one whole block.

    Args:
        model: of transformers, with its adapters on.
        device: ``cpu`` or a CUDA device.

    Raises:
        ModelError: the model does not name its blocks.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    names = set(getattr(model.get_base_model(), "_no_split_modules", None) or ())
    blocks = [module for module in model.modules() if type(module).__name__ in names]
    if not blocks:
        raise ModelError(
            "sharding: this model does not name its blocks (_no_split_modules); set 'sharding: none'", fatal=True
        )
    mesh = init_device_mesh(device.partition(":")[0], (world()[1],))
    for block in blocks:
        adapters = {parameter for name, parameter in block.named_parameters() if "lora_" in name}
        fully_shard(block, mesh=mesh, reshard_after_forward=True, ignored_params=adapters)
    model.to(device)


@contextlib.contextmanager
def in_step(idle: Callable[[], None], *, sharded: bool) -> Iterator[Callable[[], None]]:
    """Keep all processes computing equally often inside the block.

    Yields what to call before each piece of computing. At the end of the block this process waits for the others
    and calls ``idle``, which must gather the same weights as a piece does, as often as they still compute.
    """
    if not sharded:
        yield lambda: None
        return
    yield _take_turn
    while any_rank(busy=False):
        idle()


def in_turns(items: Iterable[T], idle: Callable[[], None], *, sharded: bool) -> Iterator[T]:
    """Go through items, a piece of computing each, in step with the other processes."""
    with in_step(idle, sharded=sharded) as turn:
        for item in items:
            turn()
            yield item


def _take_turn() -> None:
    any_rank(busy=True)
