"""``evalkit validate TASK``: gold answers must score 1 and garbage 0; no model is called."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import UsageError
from ..files import AnyPath
from ..tasks.base import BaseTask
from ..tasks.types import Completion, Sample, Score
from .engine.scorer_context import open_scorer_context
from .engine.scoring import open_scorers
from .records.plan import PlannedTask, plan_tasks
from .records.spec import RunSpec

# Texts that cannot be the right answer to any sample.
GARBAGE = ("", " \n", "…?!", "абракадабра щъыь", "qwzx vbnm " * 50, "🙂🙂🙂", "<think>", "\\boxed{}", "Ответ:")
CHECKED_AT_ONCE = 64


@dataclass(slots=True)
class Validation:
    """Results of validating a scorer: counts of answers, and messages about unexpected scores."""

    gold: int = 0
    wrong: int = 0
    without_gold: int = 0
    surprises: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Trial:
    sample: Sample
    completion: Completion
    kind: str


def validate(
    task_name: str,
    *,
    data: AnyPath | None = None,
    limit: int | None = None,
    seed: int = 0,
    sandbox: str = "auto",
    unsafe_code: bool = False,
) -> Validation:
    """Show a task's scorer the gold answer of each sample, and wrong ones.

    A gold answer must have the value 1. The task's own ``wrong`` answers must have less than 1; a task without them
    is shown garbage, which must have 0.

    Raises:
        UsageError: an unknown task, or one that has no gold answers (a judge grades it, say).
        InputError: the data cannot be used.
    """
    given = {task_name: str(data)} if data is not None else {}
    spec = RunSpec.of(model="replay:", tasks=(task_name,), data=given, limit=limit, seed=seed)
    (planned,) = plan_tasks(spec)
    if planned.task.gold is None:
        raise UsageError(
            f"{planned.task.name} has no gold answers: "
            + ("it is graded by a judge" if "judge" in planned.task.needs else "define its method gold(sample)")
        )
    return asyncio.run(_validate(planned, sandbox, unsafe_code))


async def _validate(planned: PlannedTask, sandbox: str, unsafe_code: bool) -> Validation:
    found = Validation()
    async with (
        open_scorer_context([planned.task], sandbox=sandbox, unsafe_code=unsafe_code) as context,
        open_scorers([planned], context) as scorers,
    ):
        scorer = scorers[planned.task.name]

        async def check(trial: _Trial) -> None:
            _compare(found, trial, (await scorer.score(trial.sample, trial.completion)).score)

        waiting: set[asyncio.Task[None]] = set()
        for trial in _trials(planned.task, planned.samples(), found):
            waiting.add(asyncio.create_task(check(trial)))
            if len(waiting) >= CHECKED_AT_ONCE:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*waiting)
    found.surprises.sort()
    return found


def _trials(task: BaseTask, samples: Iterator[Sample], found: Validation) -> Iterator[_Trial]:
    assert task.gold is not None
    for sample in samples:
        gold = task.gold(sample)
        if gold is None:
            found.without_gold += 1
            continue
        yield _Trial(sample, gold, "gold")
        if task.wrong is not None:
            for completion in task.wrong(sample):
                yield _Trial(sample, completion, "wrong")
        else:
            for text in GARBAGE:
                yield _Trial(sample, Completion(text, turns=tuple(text for _ in sample.turns)), "garbage")


def _compare(found: Validation, trial: _Trial, score: Score) -> None:
    if trial.kind == "gold":
        found.gold += 1
        as_expected = score.value == 1
    else:
        found.wrong += 1
        as_expected = score.value is not None and (score.value < 1 if trial.kind == "wrong" else score.value == 0)
    if not as_expected:
        text = " ".join(trial.completion.text.split())[:60]
        found.surprises.append(
            f"{trial.sample.id}: the {trial.kind} answer {text!r} has {score.value} ({score.status})"
            + (f": {' '.join(score.explanation.split())[:120]}" if score.explanation else "")
        )
