"""Resources opened for scorers: the judge and the sandbox that tasks need."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable

from ...errors import UsageError
from ...tasks.base import BaseTask
from ...tasks.types import Context, Judge


@contextlib.asynccontextmanager
async def open_scorer_context(
    tasks: Iterable[BaseTask],
    *,
    seed: int = 0,
    judge: Judge | None = None,
    sandbox: str = "auto",
    unsafe_code: bool = False,
) -> AsyncIterator[Context]:
    """Open what the tasks need, and close it at the end.

    Args:
        tasks: those whose scorers will be called.
        seed: of everything random.
        judge: an open judge, if there is one.
        sandbox: ``auto`` for the strongest that works here, or its name.
        unsafe_code: allow programs to run without isolation, where nothing better works or ``unsafe`` is named.

    Raises:
        UsageError: a task needs a judge and none is given, or a sandbox and none works here.
    """
    needs = {need: task.name for task in tasks for need in task.needs}
    if "judge" in needs and judge is None:
        raise UsageError(
            f"{needs['judge']} is graded by a model: name one with --judge, as"
            " openai:NAME (any OpenAI-compatible server), hf:PATH, or replay:FILE (stored verdicts)"
        )
    async with contextlib.AsyncExitStack() as stack:
        place = None
        if "sandbox" in needs:
            from ..sandbox import open_sandbox

            place = await stack.enter_async_context(open_sandbox(sandbox, unsafe=unsafe_code))
        yield Context(seed=seed, judge=judge, sandbox=place)
