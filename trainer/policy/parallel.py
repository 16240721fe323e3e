"""Several processes that train one adapter, started by ``torchrun``; with one process these functions do nothing.

Adapters are replicated; groups are dealt out, sampled, gathered again, and dealt out to be learned from. The only
traffic of a step is one flat tensor of gradients and the groups themselves (and, when they are sharded, the weights
of the model: see `sharding`).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed
from torch import Tensor

from ...errors import RunError
from ..losses import Totals

T = TypeVar("T")

# Sampling and scoring take what they take, and some ranks have less to do; a rank that is gone is noticed at once.
_PATIENCE = timedelta(days=1)
_FAILED, _ENDED = "evalkit/failed", "evalkit/ended"
_FAREWELL = 2.0
_LOST = ("gloo", "nccl", "connection", "store")


@contextlib.contextmanager
def process_group() -> Iterator[None]:
    """Work with the other processes that ``torchrun`` started, if it did (it sets ``WORLD_SIZE``).

    They succeed or fail together: the process that fails first raises its error, the others exit silently with
    code 1. A nested block does nothing.

    Raises:
        RunError: a peer process was killed or crashed.
        SystemExit: a peer process reported its error.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or torch.distributed.is_initialized():
        yield
        return
    _join()
    try:
        yield
    except Exception as error:
        if not _fails_first():
            raise SystemExit(1) from None
        if isinstance(error, RuntimeError) and any(mark in str(error).lower() for mark in _LOST):
            rank, size = world()
            reason = str(error).partition("\n")[0][:200]
            raise RunError(
                f"process {rank + 1} of {size} lost a peer, which was killed or crashed; the sampled answers"
                f" are kept, and the same command resumes ({reason})"
            ) from error
        raise


def _join() -> None:
    # Objects and flags travel between CPUs, gradients between GPUs where there are any.
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(own_gpu())
    store = torch.distributed.PrefixStore("evalkit", _store())
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_PATIENCE)
    atexit.register(torch.distributed.destroy_process_group)


@functools.cache
def _store() -> Any:
    return next(iter(torch.distributed.rendezvous("env://")))[0]


def _fails_first() -> bool:
    own = os.environ["RANK"]
    try:
        first = bool(_store().compare_set(_FAILED, "", own) == own.encode())
        _store().add(_ENDED, 1)
        if own == "0" and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
            # This process keeps the store: those that fail for the same reason are to find it.
            deadline = time.monotonic() + _FAREWELL
            while _store().add(_ENDED, 0) < world()[1] and time.monotonic() < deadline:
                time.sleep(0.02)
        return first
    except RuntimeError:
        # The process that kept the store is gone: killed, for it would have waited for nobody to say why it failed.
        return True


def own_gpu() -> int:
    """Return the number of the GPU of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def world() -> tuple[int, int]:
    """Return this process's number and how many there are."""
    if not torch.distributed.is_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def rank_share(items: Sequence[T]) -> list[T]:
    """Return this rank's share of the items."""
    rank, size = world()
    return list(items[rank::size])


def all_gather(items: Sequence[T]) -> list[T]:
    """Return the results of all processes in the order that `rank_share` dealt them from."""
    _, size = world()
    if size == 1:
        return list(items)
    parts: list[Any] = [None] * size
    torch.distributed.all_gather_object(parts, list(items))
    return [parts[place % size][place // size] for place in range(sum(map(len, parts)))]


def broadcast(item: T) -> T:
    """Return the first rank's item on all ranks."""
    if world()[1] == 1:
        return item
    items = [item]
    torch.distributed.broadcast_object_list(items)
    return items[0]


def any_rank(busy: bool) -> bool:
    """Tell whether ``busy`` is true on any rank."""
    flag = torch.tensor([int(busy)])
    torch.distributed.all_reduce(flag)
    return bool(flag.item())


def sum_counts(own: Totals, device: Any) -> Totals:
    """Return the counts of all processes together."""
    if world()[1] == 1:
        return own
    counts = torch.tensor([own.tokens, own.sequences], dtype=torch.int64, device=device)
    torch.distributed.all_reduce(counts)
    return Totals(int(counts[0]), int(counts[1]))


def sum_gradients(parameters: Sequence[Tensor], statistics: Mapping[str, float], device: Any) -> dict[str, float]:
    """Add up the gradients of all processes in place, and the statistics, in one flat tensor."""
    if world()[1] == 1:
        return dict(statistics)
    # A rank without answers has fewer statistics than the others.
    parts: list[Any] = [None] * world()[1]
    torch.distributed.all_gather_object(parts, list(statistics))
    names = sorted({name for part in parts for name in part})
    gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
    flat = torch.cat([gradient.flatten().double() for gradient in gradients])
    extra = torch.tensor([statistics.get(name, 0.0) for name in names], dtype=torch.float64, device=device)
    flat = torch.cat([flat, extra])
    torch.distributed.all_reduce(flat)
    start = 0
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = flat[start : start + gradient.numel()].view_as(gradient).to(gradient.dtype)
        start += gradient.numel()
    return dict(zip(names, flat[start:].tolist(), strict=True))
