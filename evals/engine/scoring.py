"""Scores completions: async scorers on the event loop, plain ones in worker processes that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Self

import orjson

from ...errors import RunError
from ...files import encode
from ...tasks.base import BaseTask
from ...tasks.types import Completion, Context, Sample, Score, Status
from ..records.plan import PlannedTask
from .scored_answer import ScoredAnswer, examine

DEADLINE_SECONDS = 60.0
STARTING_SECONDS = 300.0
LINE_LIMIT = 256 * 2**20


class ScoringWorker:
    """One scoring process for one task; started on first use, restarted after it died or hung."""

    def __init__(self, task_name: str, seed: int, deadline: float) -> None:
        self._command = (sys.executable, "-m", "evalkit.evals.engine.scoring_worker", task_name, str(seed))
        self._deadline = deadline
        self._process: asyncio.subprocess.Process | None = None

    async def score(self, sample: Sample, completion: Completion) -> ScoredAnswer:
        """Score in the process; retried once if the process dies, not if it hangs.

        The deadline is for scoring: opening the task in a new process, which may load dictionaries, has its own.
        """
        request = encode({"sample": sample, "completion": completion}) + b"\n"
        for _ in range(2):
            seconds, late = STARTING_SECONDS, "the scoring process did not start"
            try:
                process = await asyncio.wait_for(self._started(), seconds)
                seconds, late = self._deadline, "no verdict"
                line = await asyncio.wait_for(_exchange(process, request), seconds)
            except TimeoutError:
                await self.stop()
                return _failed(Status.TIMEOUT, f"{late} within {seconds:g} s")
            except (OSError, asyncio.IncompleteReadError, ValueError):
                line = b""
            if line:
                reply = orjson.loads(line)
                if "error" in reply:
                    return _failed(Status.SCORER_ERROR, reply["error"])
                return ScoredAnswer(Score.from_json(reply["score"]), reply["answer"], reply["language"])
            await self.stop()
        return _failed(Status.SCORER_ERROR, "the scoring process died twice on this sample")

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            # A session of its own: Ctrl-C in the terminal must not kill scorers while the run drains.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
            assert self._process.stdout is not None
            await self._process.stdout.readline()
        return self._process

    async def stop(self) -> None:
        """Kill the process, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _exchange(process: asyncio.subprocess.Process, request: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request)
    await process.stdin.drain()
    return await process.stdout.readline()


class Scorer:
    """Scores the completions of one task; use as an async context manager.

    Args:
        task: the task; if its ``score`` is a coroutine function it runs here, else in ``workers`` processes.
        task_name: what `open_task` finds it by, in the worker too.
        context: passed to the scorer; a worker process gets only its seed.
    """

    def __init__(
        self, task: BaseTask, task_name: str, *, context: Context, workers: int, deadline: float = DEADLINE_SECONDS
    ) -> None:
        self._task = task
        self._context = context
        self._is_async = inspect.iscoroutinefunction(task.score)
        self._idle: asyncio.LifoQueue[ScoringWorker] = asyncio.LifoQueue()
        self._workers = [ScoringWorker(task_name, context.seed, deadline) for _ in range(workers)]
        for worker in self._workers:
            self._idle.put_nowait(worker)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        for worker in self._workers:
            await worker.stop()

    async def score(self, sample: Sample, completion: Completion) -> ScoredAnswer:
        """Return the score; a failure on this sample is a score without a value, never an exception.

        Raises:
            RunError: the judge cannot continue (its budget is spent, its file cannot be written).
        """
        if self._is_async:
            try:
                verdict = self._task.score(sample, completion, self._context)
                assert inspect.isawaitable(verdict)
                return ScoredAnswer(await verdict, *await asyncio.to_thread(examine, self._task, completion))
            except RunError:  # the budget is spent, the disk is full: no fault of this sample
                raise
            except Exception as error:
                reason = f"the scorer of '{self._task.name}' raised {type(error).__name__}: {error}"
                return _failed(Status.SCORER_ERROR, reason[:2000])
        worker = await self._idle.get()
        try:
            return await worker.score(sample, completion)
        finally:
            self._idle.put_nowait(worker)


def _failed(status: Status, reason: str) -> ScoredAnswer:
    return ScoredAnswer(Score(None, status, explanation=reason))


@contextlib.asynccontextmanager
async def open_scorers(
    tasks: Sequence[PlannedTask], context: Context, workers: int | None = None
) -> AsyncIterator[dict[str, Scorer]]:
    """Open a scorer for each task, by the task's name; half of the cores score if ``workers`` is not given."""
    count = workers or max(1, (os.cpu_count() or 1) // 2)
    async with contextlib.AsyncExitStack() as stack:
        yield {
            planned.task.name: await stack.enter_async_context(
                Scorer(planned.task, planned.registered_as, context=context, workers=count)
            )
            for planned in tasks
        }
