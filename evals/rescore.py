"""New scores for stored answers: ``evalkit rescore``, and ``evalkit judge RUN``."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..files import AnyPath, replacing, write_json
from ..judges.spec import JudgeSpec
from ..tasks.types import Context, Judge, Sample, Status
from .engine.results import summarize, write_summary
from .engine.scorer_context import open_scorer_context
from .engine.scoring import Scorer, open_scorers
from .judging.billing import Billing
from .judging.canaries import SHARE, check_share, grade_again, grade_canaries, warning_of
from .judging.forecast import forecast_of
from .judging.opening import VERDICTS, check_judges, open_judging, stored_judge
from .models.base import ModelOptions
from .records.manifest import MANIFEST, Manifest, prices_as_json, read_manifest
from .records.plan import PlannedTask, plan_tasks
from .records.results import Results
from .records.rows import ROWS, SampleRow, ScoredCandidate, encode, read_rows
from .records.spec import RunSpec
from .studies.people import settled_by_people

ROWS_AT_ONCE = 256
Rescored = tuple[Results, Results]
"""The results before and after."""


def rescore(directory: AnyPath, *, sandbox: str = "auto") -> Rescored:
    """Score a run's answers again with the tasks as they are now; return the results before and after.

    No model is called: what judges said is read again by the parser as it is now. Where a judge would be prompted
    in other words today (more of an answer is neutralised), the stored verdict stays.

    Raises:
        InputError: the directory is not a run.
        UsageError: a task is not installed, its data has changed since, or a judge's form has.
    """
    directory = Path(directory)
    before = summarize(directory)
    manifest = read_manifest(directory)
    spec = manifest.spec_again()
    planned = _planned_again(directory, spec, manifest)
    with stored_judge(directory, manifest.judge) as judge:
        canaries = partial(grade_again, planned, directory)
        asyncio.run(_rescore(directory, planned, spec.seed, judge, sandbox, canaries, offline=True))
    return before, _finished(directory, manifest.changed(tasks=[task.identity() for task in planned]))


def judge_again(
    directory: AnyPath,
    output: AnyPath,
    *,
    judge: JudgeSpec | Sequence[str],
    canaries: float = SHARE,
    api_key: str | None = None,
    timeout: float = 600.0,
    budget: str | None = None,
    notify: Callable[[str], None] = lambda line: None,
    **judging: Any,
) -> Rescored:
    """Have another judge grade a run's answers, into a run directory of its own; return the results of both.

    Run it again after an interruption: verdicts that were given are not asked for again. ``judge`` and ``judging``
    are read by `JudgeSpec.of`, ``canaries`` are those of `run.RunOptions`.

    Raises:
        InputError: the directory is not a run.
        UsageError: no task of it is graded by a judge, or see `rescore`.
        ModelError, RunError: the judge cannot be opened, or its budget is spent.
    """
    check_share(canaries)
    directory, output = Path(directory), Path(output)
    before = summarize(directory)
    manifest = read_manifest(directory)
    spec = manifest.spec_again().model_copy(update={"judge": JudgeSpec.of(judge, **judging)})
    planned = _planned_again(directory, spec, manifest)
    tasks = [item.task for item in planned]
    check_judges(spec.judge, tasks)
    if output.resolve() == directory.resolve():
        raise UsageError(
            f"{output} is the run itself: give another --output, so that both sets of verdicts are kept"
        )
    output.mkdir(parents=True, exist_ok=True)
    if not (output / ROWS).exists():
        shutil.copyfile(directory / ROWS, output / ROWS)
    billing = Billing.open(budget)
    options = ModelOptions(api_key=api_key, timeout=timeout)

    async def grade() -> dict[str, Any]:
        async with open_judging(
            spec.judge, tasks, output / VERDICTS, options, billing.judge, seed=spec.seed
        ) as opened:
            billing.count_spent(output, answers=False)
            assert opened is not None
            notify(forecast_of(opened, planned, spec.epochs, canaries, billing.judge_prices))
            wanted = partial(grade_canaries, planned, output, share=canaries, epochs=spec.epochs, seed=spec.seed)
            await _rescore(output, planned, spec.seed, opened, "auto", wanted, offline=False)
            return dict(opened.identity)

    identity = asyncio.run(grade())
    changed = manifest.changed(
        name=output.name,
        spec=spec.model_dump(mode="json"),
        judge=identity,
        judge_prices=prices_as_json(billing.judge_prices),
    )
    notify(f"{output}: graded by {', '.join(spec.judge.models)}")
    after = _finished(output, changed)
    if warning := warning_of(after.canaries):
        notify(warning)
    return before, after


def _planned_again(directory: Path, spec: RunSpec, manifest: Manifest) -> list[PlannedTask]:
    planned = plan_tasks(spec)
    for task, recorded in zip(planned, manifest.tasks, strict=True):
        if task.sha256 != recorded.data.sha256:
            raise UsageError(f"the data of {task.task.name} has changed since {directory} was made")
    return planned


def _finished(directory: Path, manifest: Manifest) -> Results:
    write_json(directory / MANIFEST, manifest.as_json())
    return write_summary(directory)


async def _rescore(
    directory: Path,
    planned: Sequence[PlannedTask],
    seed: int,
    judge: Judge | None,
    sandbox: str,
    canaries: Callable[[Context], Awaitable[None]],
    *,
    offline: bool,
) -> None:
    samples = {task.task.name: {sample.id: sample for sample in task.samples()} for task in planned}
    rows = read_rows(directory)
    settle = settled_by_people(directory)
    with replacing(directory / ROWS) as file:
        async with (
            open_scorer_context(
                [item.task for item in planned], seed=seed, judge=judge, sandbox=sandbox
            ) as context,
            open_scorers(planned, context) as scorers,
        ):
            while some := list(islice(rows, ROWS_AT_ONCE)):
                for row in await asyncio.gather(*(_again(row, samples, scorers, offline) for row in some)):
                    file.write(encode(settle(row)))
            await canaries(context)


async def _again(
    row: SampleRow, samples: dict[str, dict[str, Sample]], scorers: dict[str, Scorer], offline: bool
) -> SampleRow:
    if row.completion is None:
        return row
    sample, scorer = samples[row.task][row.id], scorers[row.task]
    scored = await scorer.score(sample, row.completion)
    if offline and scored.score.status is Status.JUDGE_ERROR:
        return row  # no verdict is stored for the prompt as it would be today: what was paid for stays
    candidates = tuple([await _candidate_again(candidate, sample, scorer) for candidate in row.candidates])
    return replace(row, score=scored.score, answer=scored.answer, language=scored.language, candidates=candidates)


async def _candidate_again(candidate: ScoredCandidate, sample: Sample, scorer: Scorer) -> ScoredCandidate:
    scored = await scorer.score(sample, candidate.completion)
    return replace(candidate, score=scored.score, answer=scored.answer)
