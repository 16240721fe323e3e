"""Rewards for other trainers: samples as JSON text, scoring from any thread or event loop."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import orjson

from ....errors import InputError, RunError, UsageError
from ....evals.engine.scoring import DEADLINE_SECONDS
from ....evals.models.reasoning import split_reasoning
from ....files import encode
from ....tasks.registry import open_task
from ....tasks.types import Completion, Sample
from ...recipe.fields import RewardSpec
from ..mix import OpenJudge, Reward, RewardPart, Rewards, open_reward

COLUMN = "evalkit_sample"
"""The column of a dataset that carries the whole sample as JSON."""


def encode_sample(sample: Sample) -> str:
    """Return a sample as the JSON text that a dataset row carries."""
    return encode(sample).decode()


def decode_sample(value: Any) -> Sample:
    """Return the sample that a dataset row carried.

    Raises:
        InputError: it is not the text that `encode_sample` wrote.
    """
    try:
        return Sample.from_json(orjson.loads(value))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(
            f"'{COLUMN}' is not an evalkit sample ({type(error).__name__}: {error});"
            " make the dataset with the rows of the same adapter"
        ) from None


def chat_samples(
    task_name: str, *, split: str, limit: int | None, seed: int
) -> Iterator[tuple[Sample, list[dict[str, str]]]]:
    """Yield a task's samples with their chats, for the rows of a dataset.

    Raises:
        UsageError: an unknown task or split, or samples that are no single chat.
    """
    for sample in open_task(task_name).samples(split=split, limit=limit, seed=seed):
        if "skip" in sample.metadata:
            continue
        if sample.turns or sample.continuations:
            raise UsageError(f"{task_name}: sample '{sample.id}' is not a single chat, as training needs")
        yield sample, [message.as_json() for message in sample.messages]


def answer_of(completion: Any, *, truncated: bool = False) -> Completion:
    """Return an answer as a scorer sees it: what was thought split off.

    Args:
        completion: a text, or the chat messages of an answer (``{"role", "content"}``, the content a text or its
            parts), whose last one by the assistant counts.
        truncated: whether it was cut off at the token limit.
    """
    reason = "length" if truncated else None
    return split_reasoning(Completion(_text(completion), finish_reason=reason))


def _text(completion: Any) -> str:
    if isinstance(completion, str):
        return completion
    for message in reversed(completion or []):
        role, content = _field(message, "role"), _field(message, "content")
        if role in (None, "assistant"):
            if isinstance(content, str):
                return content
            return "".join(str(_field(part, "text") or "") for part in content or [])
    return ""


def _field(message: Any, name: str) -> Any:
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)


class RewardBridge:
    """A reward that any thread and any event loop can ask; its workers live in a loop of its own.

    It starts when first asked, in each process anew: it may be pickled and forked.
    """

    def __init__(
        self,
        spec: RewardSpec,
        *,
        seed: int = 0,
        workers: int = 1,
        deadline: float = DEADLINE_SECONDS,
        judge: OpenJudge | None = None,
    ) -> None:
        self.parts: tuple[RewardPart, ...] = open_reward(spec)
        self._spec = spec if isinstance(spec, str) else dict(spec)
        self._options: dict[str, Any] = {"seed": seed, "workers": workers, "deadline": deadline, "judge": judge}
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(RewardBridge, self._spec, **self._options), ()

    @property
    def name(self) -> str:
        """The parts' names, as a Python identifier."""
        joined = "_".join(part.task.name for part in self.parts)
        return "".join(letter if letter.isalnum() else "_" for letter in joined)

    def score(self, answers: Sequence[tuple[Sample, Completion]]) -> list[Reward]:
        """Score answers and wait for it."""
        return self._submit(answers).result()

    async def score_async(self, answers: Sequence[tuple[Sample, Completion]]) -> list[Reward]:
        """Score answers without blocking the caller's event loop."""
        return await asyncio.wrap_future(self._submit(answers))

    def close(self) -> None:
        """Kill the workers; the next call starts new ones."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.finalizer()

    def _submit(self, answers: Sequence[tuple[Sample, Completion]]) -> Future[list[Reward]]:
        with self._lock:
            if self._running is None or self._running.process != os.getpid():
                self._running = _Running(Rewards(self.parts, **self._options))
            running = self._running
        return asyncio.run_coroutine_threadsafe(running.rewards.score_all(answers), running.loop)


class _Running:
    """Rewards that are open in a thread with an event loop."""

    def __init__(self, rewards: Rewards) -> None:
        self.rewards = rewards
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self.loop.run_forever, name="evalkit-rewards", daemon=True)
        thread.start()
        # Runs at interpreter exit as well: a worker that hangs would outlive its parent.
        self.finalizer = weakref.finalize(self, _stop, rewards, self.loop, thread, self.process)
        try:
            asyncio.run_coroutine_threadsafe(rewards.__aenter__(), self.loop).result()
        except BaseException:
            self.finalizer()
            raise


def _stop(rewards: Rewards, loop: asyncio.AbstractEventLoop, thread: threading.Thread, process: int) -> None:
    if process != os.getpid():
        return  # A fork has neither the thread nor the right to kill its parent's workers.
    asyncio.run_coroutine_threadsafe(_abandon(rewards), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _abandon(rewards: Rewards) -> None:
    """Give up what is being scored, then close: a worker that is only now starting must not be forgotten."""
    unfinished = asyncio.all_tasks() - {asyncio.current_task()}
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)
    await rewards.__aexit__()


def number_of(reward: Reward, unscored: float | None) -> float:
    """Return a reward for a trainer that cannot leave an answer out.

    Args:
        reward: what the answer earned.
        unscored: the score of an answer that could not be scored; None raises instead.

    Raises:
        RunError: the answer could not be scored, and ``unscored`` is None.
    """
    if reward.value is not None:
        return reward.value
    if unscored is not None:
        return unscored
    raise RunError(
        f"an answer could not be scored ({reward.why_unscored}), and this trainer cannot leave it out:"
        " fix the scorer, or set unscored=NUMBER as its score"
    )
