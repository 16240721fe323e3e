"""Runs the work: generation and scoring overlap, memory use is constant, and completions are saved before scoring.

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
from dataclasses import dataclass, replace

from ...errors import ModelError, RunError
from ...tasks.types import Completion, Context, Message, Sample, Score, Status
from ..models.base import LikelihoodModel, Model, Sampling
from ..records.plan import PlannedTask
from ..records.rows import SampleRow, ScoredCandidate
from ..records.spec import RunSpec
from ..records.store import RunStore, answer_key
from ..solvers import Ask, Solution, measure_likelihoods, open_solver, solve
from ..solvers.conversation import final_text
from .progress import Tally, View, silent_view
from .scored_answer import ScoredAnswer
from .scoring import Scorer, open_scorers

FAILURES_IN_A_ROW = 20


@dataclass(frozen=True, slots=True)
class Work:
    """A unit of work: one sample of a task in one epoch."""

    planned: PlannedTask
    sample: Sample
    epoch: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Work with its solution, or with the error that prevented one."""

    work: Work
    solution: Solution | None
    error: str = ""


async def execute(
    spec: RunSpec,
    tasks: Sequence[PlannedTask],
    model: Model,
    store: RunStore,
    *,
    context: Context,
    concurrency: int,
    make_view: Callable[[Tally], View] = silent_view,
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
        async with open_scorers(tasks, context) as scorers, _stop_on_interrupt(run), _ticking(run):
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
        self.solver = open_solver(spec.solver)
        self.model = model
        self.store = store
        self.tally = tally
        self.view = view
        self.failure: Exception | None = None
        self.failures_in_a_row = 0

    async def go(self, work: Iterator[Work], scorers: dict[str, Scorer], concurrency: int) -> None:
        answered: asyncio.Queue[Answered | None] = asyncio.Queue(maxsize=2 * concurrency)
        self.slots = asyncio.Semaphore(concurrency)
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
                solution = await self._solve(item)
            except ModelError as error:
                self._count_failure(error)
                if self.failure is None:
                    await answered.put(Answered(item, None, str(error)))
            except RunError as error:
                self.stop(error)
            else:
                self.failures_in_a_row = 0
                await answered.put(Answered(item, solution))

    def _count_failure(self, error: ModelError) -> None:
        self.failures_in_a_row += 1
        if error.fatal:
            self.stop(error)
        elif self.failures_in_a_row >= FAILURES_IN_A_ROW:
            self.stop(ModelError(f"{self.failures_in_a_row} requests in a row failed, the last with: {error}"))

    async def _solve(self, item: Work) -> Solution:
        sample, task = item.sample, item.planned.task
        if sample.continuations:
            return Solution(await self._measure_and_keep(sample))
        seed = f"{self.spec.seed} {task.name} {sample.id} {item.epoch}"
        return await solve(
            sample, self.solver, self._asker(item), seed=seed, final_answer=task.final_answer or final_text
        )

    def _asker(self, item: Work) -> Ask:
        async def ask(messages: Sequence[Message], *, draw: int = 0, greedy: bool = False) -> Completion:
            sampling = self.spec.sampling(
                max_tokens=item.planned.task.max_tokens,
                wanted=item.sample.sampling,
                epoch=item.epoch,
                draw=draw,
                drafts=1 if greedy else self.solver.drafts,
            )
            if greedy:
                sampling = replace(sampling, temperature=0.0)
            return await self._ask_and_keep(messages, sampling, (item.epoch, draw))

        return ask

    async def _ask_and_keep(
        self, messages: Sequence[Message], sampling: Sampling, draw: tuple[int, int]
    ) -> Completion:
        key = answer_key(self.model.identity, [message.as_json() for message in messages], sampling.as_json(), draw)
        kept = self.store.kept_answer(key)
        if kept is not None:
            return kept
        async with self.slots:
            completion = await self.model.generate(messages, sampling)
        self.store.keep_answer(key, completion)
        return completion

    async def _measure_and_keep(self, sample: Sample) -> Completion:
        chat = [message.as_json() for message in sample.messages]
        key = answer_key(self.model.identity, chat, sample.continuations, sample.sampling)
        kept = self.store.kept_answer(key)
        if kept is not None:
            return kept
        assert isinstance(self.model, LikelihoodModel)
        started = time.perf_counter()
        measured = await measure_likelihoods(sample, self.model)
        completion = Completion("", latency=time.perf_counter() - started, loglikelihoods=measured)
        self.store.keep_answer(key, completion)
        return completion

    async def _score(self, answered: asyncio.Queue[Answered | None], scorers: dict[str, Scorer]) -> None:
        while (item := await answered.get()) is not None:
            try:
                row = await finish(item, scorers[item.work.planned.task.name])
                self.store.append(row)
            except RunError as error:
                self.stop(error)
                continue
            self.tally.add(row.score.status.value, row.usage.completion_tokens if row.usage else None)

    def stop(self, failure: Exception) -> None:
        """Stop taking new work; requests in flight finish and are saved. Only the first failure is kept."""
        if self.failure is None:
            self.failure = failure


async def finish(item: Answered, scorer: Scorer) -> SampleRow:
    """Score an answer and the candidates that it was made of, each text once, and return the row."""
    started = time.perf_counter()
    if item.solution is None:
        return _row(item, ScoredAnswer(Score(None, Status.API_ERROR, explanation=item.error)), (), 0.0)
    sample, solution = item.work.sample, item.solution
    candidates = tuple([await scorer.score(sample, candidate) for candidate in solution.candidates])
    if solution.chosen is None:
        scored = await scorer.score(sample, solution.completion)
    else:
        scored = candidates[solution.chosen]
    return _row(item, scored, candidates, time.perf_counter() - started)


def _row(item: Answered, scored: ScoredAnswer, verdicts: Sequence[ScoredAnswer], seconds: float) -> SampleRow:
    work, sample, solution = item.work, item.work.sample, item.solution
    pairs = zip(() if solution is None else solution.candidates, verdicts, strict=True)
    candidates = tuple(ScoredCandidate(one, verdict.score, verdict.answer) for one, verdict in pairs)
    return SampleRow(
        task=work.planned.task.name,
        id=sample.id,
        epoch=work.epoch,
        messages=(*sample.messages, *(Message("user", turn) for turn in sample.turns)),
        continuations=sample.continuations,
        target=sample.target,
        sampling=sample.sampling,
        completion=None if solution is None else solution.completion,
        score=scored.score,
        answer=scored.answer,
        language=scored.language,
        scored_s=round(seconds, 6),
        metadata=sample.metadata,
        chosen=solution.chosen if solution is not None and candidates else None,
        candidates=candidates,
    )


@contextlib.asynccontextmanager
async def _ticking(run: _Run) -> AsyncIterator[None]:
    """Update the view every second, also while nothing finishes."""

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
        run.stop(RunError("interrupted: all answers are saved; run the same command again to resume"))
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
