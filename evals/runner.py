"""The run itself: generation and scoring overlap, memory stays flat, and nothing that was paid for is lost.

::

    work ──▶ `concurrency` askers ──▶ bounded queue ──▶ scorers ──▶ one writer (samples.jsonl)
                     │ answers.jsonl, before anything else

One event loop; the askers pull from one shared iterator, so samples are read only as fast as they are answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ModelError, RunError
from ..tasks.types import Completion, Message, Sample, Score, Status
from .models.base import Model, Sampling
from .plan import PlannedTask
from .progress import SilentView, Tally, View
from .scoring import Scorer, open_scorers
from .solvers import single
from .spec import RunSpec
from .store import RunStore, answer_key

FAILURES_IN_A_ROW = 20


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do: a sample of a task in an epoch."""

    planned: PlannedTask
    sample: Sample
    epoch: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Work with its completion, or with the reason why there is none."""

    work: Work
    completion: Completion | None
    error: str = ""


async def execute(
    spec: RunSpec,
    tasks: Sequence[PlannedTask],
    model: Model,
    store: RunStore,
    *,
    concurrency: int,
    make_view: Callable[[Tally], View] = lambda tally: SilentView(),
) -> Tally:
    """Do all work that the store does not have yet.

    A request that fails costs its sample (status ``api_error``); Ctrl-C and a fatal failure stop taking new work,
    finish what is in flight, and raise.

    Raises:
        ModelError: no request can succeed any more (everything answered so far is saved).
        RunError: interrupted, or the disk is full.
    """
    total = sum(planned.shard_size for planned in tasks) * spec.epochs
    tally = Tally(total=total, resumed=len(store.done))
    run = _Run(spec, model, store, tally, make_view(tally))
    try:
        async with open_scorers(tasks, spec.seed) as scorers, _stop_on_interrupt(run), _ticking(run):
            await run.go(iter(_work(tasks, spec.epochs, store)), scorers, concurrency)
    finally:
        run.view.close(tally)
    if run.failure is not None:
        raise run.failure
    return tally


def _work(tasks: Sequence[PlannedTask], epochs: int, store: RunStore) -> Iterator[Work]:
    for planned in tasks:
        for sample in planned.samples():
            for epoch in range(epochs):
                if (planned.task.name, sample.id, epoch) not in store.done:
                    yield Work(planned, sample, epoch)


class _Run:
    """The state that askers, scorers and the writer share."""

    def __init__(self, spec: RunSpec, model: Model, store: RunStore, tally: Tally, view: View) -> None:
        self.spec = spec
        self.model = model
        self.store = store
        self.tally = tally
        self.view = view
        self.failure: Exception | None = None
        self.failures_in_a_row = 0

    async def go(self, work: Iterator[Work], scorers: dict[str, Scorer], concurrency: int) -> None:
        answered: asyncio.Queue[Answered | None] = asyncio.Queue(maxsize=2 * concurrency)
        async with asyncio.TaskGroup() as group:
            scoring = [group.create_task(self._score(answered, scorers)) for _ in range(concurrency)]
            async with asyncio.TaskGroup() as askers:
                for _ in range(concurrency):
                    askers.create_task(self._ask(work, answered))
            for _ in scoring:
                await answered.put(None)

    async def _ask(self, work: Iterator[Work], answered: asyncio.Queue[Answered | None]) -> None:
        for item in work:
            if self.failure is not None:
                return
            try:
                completion = await single(item.sample, self._asker(item))
            except ModelError as error:
                self._count_failure(error)
                if self.failure is None:
                    await answered.put(Answered(item, None, str(error)))
            except RunError as error:
                self.stop(error)
            else:
                self.failures_in_a_row = 0
                await answered.put(Answered(item, completion))

    def _count_failure(self, error: ModelError) -> None:
        self.failures_in_a_row += 1
        if error.fatal:
            self.stop(error)
        elif self.failures_in_a_row >= FAILURES_IN_A_ROW:
            self.stop(ModelError(f"{self.failures_in_a_row} requests in a row failed, the last with: {error}"))

    def _asker(self, item: Work) -> Callable[[Sequence[Message]], Any]:
        sampling = self.spec.sampling(
            max_tokens=item.planned.task.max_tokens, wanted=item.sample.sampling, epoch=item.epoch
        )

        async def ask(messages: Sequence[Message]) -> Completion:
            return await self._ask_and_keep(messages, sampling, item.epoch)

        return ask

    async def _ask_and_keep(self, messages: Sequence[Message], sampling: Sampling, epoch: int) -> Completion:
        key = answer_key(
            self.model.identity, [message.as_json() for message in messages], sampling.as_json(), epoch
        )
        kept = self.store.kept_answer(key)
        if kept is not None:
            return kept
        completion = await self.model.generate(messages, sampling)
        self.store.keep_answer(key, completion)
        return completion

    async def _score(self, answered: asyncio.Queue[Answered | None], scorers: dict[str, Scorer]) -> None:
        while (item := await answered.get()) is not None:
            started = time.perf_counter()
            if item.completion is None:
                score = Score(None, Status.API_ERROR, explanation=item.error)
            else:
                score = await scorers[item.work.planned.task.name].score(item.work.sample, item.completion)
            try:
                self.store.append(row(item, score, time.perf_counter() - started))
            except RunError as error:
                self.stop(error)
                continue
            usage = item.completion.usage if item.completion is not None else None
            self.tally.add(score.status.value, usage.completion_tokens if usage else None)

    def stop(self, failure: Exception) -> None:
        """Take no new work; what is in flight is finished and saved. The first reason wins."""
        if self.failure is None:
            self.failure = failure


def row(item: Answered, score: Score, scored_s: float) -> dict[str, Any]:
    """Return the line of ``samples.jsonl`` for one finished (task, sample, epoch)."""
    work, completion = item.work, item.completion
    turns = [Message("user", turn) for turn in work.sample.turns]
    return {
        "task": work.planned.task.name,
        "id": work.sample.id,
        "epoch": work.epoch,
        "messages": [message.as_json() for message in (*work.sample.messages, *turns)],
        "completion": None
        if completion is None
        else {
            "text": completion.text,
            "reasoning": completion.reasoning,
            "finish_reason": completion.finish_reason,
            "turns": completion.turns,
            "loglikelihoods": completion.loglikelihoods,
        },
        "score": score.as_json(),
        "usage": None if completion is None else completion.usage,
        "timing": {"latency": None if completion is None else completion.latency, "scored_s": round(scored_s, 6)},
        "metadata": work.sample.metadata,
    }


@contextlib.asynccontextmanager
async def _ticking(run: _Run) -> AsyncIterator[None]:
    """Let the view show that time goes by, also while nothing is finished."""

    async def tick() -> None:
        while True:
            run.view.update(run.tally)
            await asyncio.sleep(1.0)

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()


@contextlib.asynccontextmanager
async def _stop_on_interrupt(run: _Run) -> AsyncIterator[None]:
    """Turn the first Ctrl-C into an orderly stop; a second one is the usual KeyboardInterrupt."""
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        run.stop(RunError("interrupted: everything answered is saved; run the same command again to finish"))
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
    except (NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
