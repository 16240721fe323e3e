"""Requests that arrive one by one, answered in batches by a worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from ....errors import ModelError

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Sequence[Item], Callable[[int, "Answer | ModelError"], None], Callable[[int], bool]], None]
"""Answers a batch, in the worker thread: calls ``finish(i, answer)`` as soon as item i is answered (or has failed),
and may skip items that are ``abandoned(i)``."""

GATHER_SECONDS = 0.01
"""How long the first request waits for others to batch with: concurrent requests arrive milliseconds apart."""


@dataclass(slots=True, eq=False)
class _Job(Generic[Item, Answer]):
    item: Item
    length: int
    room: int
    future: asyncio.Future[Answer]


class Batcher(Generic[Item, Answer]):
    """Queues requests and hands them to ``work`` in batches of similar length.

    A batch has at most ``rows`` requests and at most ``tokens`` tokens after padding to its longest prompt and its
    longest answer (a request that exceeds this alone is a batch of its own). The oldest waiting request is always
    in the next batch, together with those nearest to it in length.
    """

    def __init__(self, work: Work[Item, Answer], *, thread: Executor, rows: int, tokens: int) -> None:
        self._work = work
        self._thread = thread
        self._rows = rows
        self._tokens = tokens
        self._waiting: list[_Job[Item, Answer]] = []
        self._serving: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, item: Item, *, length: int, room: int = 0) -> Answer:
        """Wait for the answer to one item of ``length`` tokens that may be answered with ``room`` tokens."""
        if self._closed:
            raise ModelError("the model is closed", fatal=True)
        job = _Job[Item, Answer](item, length, room, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await job.future

    async def close(self) -> None:
        """Cancel waiting and running requests."""
        self._closed = True
        for job in self._waiting:
            job.future.cancel()
        self._waiting.clear()
        if self._serving is not None:
            await self._serving

    async def _serve(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            self._waiting = [job for job in self._waiting if not job.future.done()]
            chosen = choose_batch(
                [(job.length, job.room) for job in self._waiting], rows=self._rows, tokens=self._tokens
            )
            batch = [self._waiting[index] for index in chosen]
            self._waiting = [job for index, job in enumerate(self._waiting) if index not in set(chosen)]
            if batch:
                await self._answer(batch)

    async def _answer(self, batch: Sequence[_Job[Item, Answer]]) -> None:
        loop = asyncio.get_running_loop()

        def finish(index: int, answer: Answer | ModelError) -> None:
            loop.call_soon_threadsafe(_resolve, batch[index].future, answer)

        def abandoned(index: int) -> bool:
            return self._closed or batch[index].future.cancelled()

        items = [job.item for job in batch]
        try:
            await loop.run_in_executor(self._thread, self._work, items, finish, abandoned)
        except Exception as error:
            for job in batch:
                _resolve(job.future, ModelError(f"{type(error).__name__}: {error}"))
        else:
            # Answers reach the loop through callbacks that are queued before this coroutine is woken.
            for job in batch:
                job.future.cancel()


def choose_batch(sizes: Sequence[tuple[int, int]], *, rows: int, tokens: int) -> list[int]:
    """Return the indices of the next batch: the first request and those nearest to it in prompt length.

    Args:
        sizes: (prompt tokens, answer tokens at most) of the waiting requests, oldest first.
        rows: requests in a batch, at most.
        tokens: rows x (longest prompt + longest answer), at most, unless one request alone exceeds it.
    """
    if not sizes:
        return []
    first = sizes[0][0]
    by_nearness = sorted(range(len(sizes)), key=lambda index: (abs(sizes[index][0] - first), index))
    chosen: list[int] = []
    longest = room = 0
    for index in by_nearness[:rows]:
        longest, room = max(longest, sizes[index][0]), max(room, sizes[index][1])
        if chosen and (len(chosen) + 1) * (longest + room) > tokens:
            break
        chosen.append(index)
    return sorted(chosen, key=lambda index: sizes[index][0])


def _resolve(future: asyncio.Future[Answer], answer: Answer | ModelError) -> None:
    if future.done():
        return
    if isinstance(answer, ModelError):
        future.set_exception(answer)
    else:
        future.set_result(answer)
