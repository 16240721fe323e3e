"""Opens the judge of a run: its models, their billing, and the cache of verdicts beside the answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...files import read_shared_journal
from ...judges.spec import JudgeSpec
from ...tasks.base import BaseTask
from ...tasks.types import Completion, Judge, Message, Usage
from ..costs.prices import Ledger, Price
from ..models.base import Model, ModelOptions, Sampling
from ..models.open import open_model

VERDICTS = "verdicts.jsonl"
Pay = Callable[[Model, str], Model]
"""Returns a model whose requests are paid from the run's budget, if it has one; also takes its model string."""


class GradingModel:
    """Adapter from a model to the interface that judges call."""

    def __init__(self, model: Model) -> None:
        self.name: str = model.name
        self.identity: Mapping[str, Any] = model.identity
        self.concurrency: int = model.concurrency
        self._model = model

    async def ask(self, messages: Sequence[Message], sampling: Mapping[str, Any]) -> Completion:
        """Answer one chat.

        Raises:
            ModelError: no answer was obtained.
        """
        return await self._model.generate(messages, Sampling(**sampling))


def check_judges(spec: JudgeSpec, tasks: Sequence[BaseTask]) -> None:
    """Check that a judge is named if and only if a task needs one.

    Raises:
        UsageError: it is missing, or not needed.
    """
    graded = [task.name for task in tasks if "judge" in task.needs]
    if graded and not spec.models:
        raise UsageError(
            f"{', '.join(graded)}: a model must grade the answers. Name one with --judge: openai:NAME with"
            " --judge-base-url (any OpenAI-compatible server), hf:PATH or another model string, or replay:FILE"
            " (stored verdicts)"
        )
    if spec.models and not graded:
        raise UsageError("--judge: none of the tasks is graded by a model")


@contextlib.asynccontextmanager
async def open_judge_models(
    spec: JudgeSpec, options: ModelOptions, pay: Pay = lambda model, name: model
) -> AsyncIterator[list[Model]]:
    """Open the models of a judge, to be paid from the run's budget; ``options`` are theirs but for the address.

    Raises:
        UsageError, ModelError: a model cannot be opened.
    """
    options = replace(options, base_url=spec.base_url)
    async with contextlib.AsyncExitStack() as stack:
        models = []
        for name in spec.models:
            model = await asyncio.to_thread(open_model, name, options)
            stack.push_async_callback(model.close)
            models.append(pay(model, name))
        yield models


@contextlib.asynccontextmanager
async def open_judging(
    spec: JudgeSpec,
    tasks: Sequence[BaseTask],
    verdicts: Path,
    options: ModelOptions,
    pay: Pay = lambda model, name: model,
    *,
    seed: int = 0,
) -> AsyncIterator[Judge | None]:
    """Open the judge of some tasks, None if none is named; its answers are cached in the file ``verdicts``.

    ``options`` are those of the judges' models, but for the address; ``seed`` is the judge's.

    Raises:
        UsageError, ModelError: a model cannot be opened.
        RunError: the file cannot be written.
    """
    if not spec.models:
        yield None
        return
    from ...judges.cache import VerdictCache
    from ...judges.open import open_judge_of

    forms = {form for task in tasks for form in task.forms}
    async with open_judge_models(spec, options, pay) as models:
        with contextlib.closing(VerdictCache(verdicts)) as cache:
            graders = [GradingModel(model) for model in models]
            yield open_judge_of(spec, graders, cache=cache, seed=seed, forms=forms or None)


@contextlib.contextmanager
def stored_judge(directory: Path, identity: Mapping[str, Any] | None) -> Iterator[Judge | None]:
    """Open the judge of a finished run: it answers from ``verdicts.jsonl`` alone, without model calls.

    Raises:
        UsageError: a form has changed since, so that the stored answers do not apply.
    """
    if identity is None:
        yield None
        return
    from ...judges.cache import VerdictCache
    from ...judges.open import reopen_judge

    with contextlib.closing(VerdictCache(directory / VERDICTS)) as cache:
        yield reopen_judge(identity, cache)


def ledger_of(directory: Path, prices: Mapping[str, Price | None]) -> Ledger:
    """Return what the judges of a run have used and cost; ``prices`` are by the name of the judge's model."""
    ledger = Ledger()
    for _, said in read_shared_journal(directory / VERDICTS):
        with contextlib.suppress(LookupError, TypeError):
            ledger.add(Usage(**said["completion"]["usage"]), prices.get(said["judge"]))
    return ledger
