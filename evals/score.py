"""``evalkit score``: verdicts on answers made elsewhere; no model is called."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ..files import AnyPath, encode, replacing
from ..judges.spec import JudgeSpec
from ..tasks.records import Record, read_records
from ..tasks.registry import open_task
from ..tasks.types import Completion, Context, Sample, Score, Task
from .engine.results import measure_metric
from .engine.scorer_context import open_scorer_context
from .judging.opening import VERDICTS, check_judges, open_judging
from .models.base import ModelOptions
from .models.reasoning import split_reasoning
from .records.results import MetricResults

ID_FIELDS = ("id", "key", "question_id", "prompt")
"""How a line of a response file may say which sample it answers, the first that is there."""

AT_ONCE = 64


@dataclass(slots=True)
class ScoreReport:
    """Results of scoring a file."""

    lines: int = 0
    metrics: list[MetricResults] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Response:
    """One line of a response file, joined to its sample."""

    line: int
    id: Any
    sample: Sample
    answers: tuple[str, ...]


def score(
    task: str,
    responses: AnyPath,
    *,
    output: AnyPath,
    samples: AnyPath | None = None,
    seed: int = 0,
    drop_reasoning: bool = False,
    sandbox: str = "auto",
    unsafe_code: bool = False,
    judge: JudgeSpec | Sequence[str] = (),
    judge_api_key: str | None = None,
    **judging: Any,
) -> ScoreReport:
    """Score a JSONL file of answers into a JSONL file of verdicts, line for line in the same order.

    Each input line is ``{"id", "response"}`` or ``{"id", "responses": […]}``: the answers to the turns of a sample
    that has turns, else several answers to one prompt (the value is then their mean). The sample is found by ``id``
    (or ``key``, ``question_id``) or by the exact ``prompt``. Output lines are ``{"id", "value", "status", "parts",
    "explanation"}``. The whole input is checked before anything is written. Answers are scored as they stand;
    ``drop_reasoning`` takes thoughts out first, as a run does (see `split_thoughts`). What judges say is kept
    beside the output, in ``OUTPUT.verdicts.jsonl``: the same command asks them nothing twice. `JudgeSpec.of` reads
    ``judge`` and ``judging``.

    Raises:
        UsageError: an unknown task, or a judge is needed and not named.
        InputError: a line cannot be used (names file, line and field); an id that no sample has.
        RunError: the output cannot be written.
    """
    responses, output = Path(responses), Path(output)
    chosen = open_task(task)
    if samples is None:
        chosen = open_task(chosen.stand_in or task)
        known = list(chosen.samples(split="test", limit=None, seed=seed))
    else:
        known = list(chosen.read(Path(samples)))
    spec = JudgeSpec.of(judge, **judging)
    check_judges(spec, [chosen])
    report = ScoreReport()
    joined = list(_join(responses, known, Path(samples or chosen.name)))
    report.warnings = _irregularities(responses, joined, known)
    verdicts = output.with_name(f"{output.name}.{VERDICTS}")

    async def score_all(file: BinaryIO) -> list[tuple[str, Score]]:
        async with (
            open_judging(spec, [chosen], verdicts, ModelOptions(api_key=judge_api_key), seed=seed) as opened,
            open_scorer_context(
                [chosen], seed=seed, judge=opened, sandbox=sandbox, unsafe_code=unsafe_code
            ) as context,
        ):
            return await _score_all(chosen, joined, drop_reasoning, context, report, file)

    with replacing(output) as file:
        scored = asyncio.run(score_all(file))
    report.lines = len(joined)
    report.metrics = [MetricResults(**measure_metric(metric, scored)) for metric in chosen.metrics]
    return report


async def _score_all(
    task: Task, joined: list[Response], drop_reasoning: bool, context: Context, report: ScoreReport, file: BinaryIO
) -> list[tuple[str, Score]]:
    scored: list[tuple[str, Score]] = []

    async def verdicts(response: Response) -> list[Score]:
        answers = _completions(response, drop_reasoning)
        return [await _score(task, response.sample, answer, context) for answer in answers]

    for some in (joined[start : start + AT_ONCE] for start in range(0, len(joined), AT_ONCE)):
        for response, found in zip(some, await asyncio.gather(*map(verdicts, some)), strict=True):
            scored += [(response.sample.id, verdict) for verdict in found]
            line = _combine(found)
            report.statuses[line["status"]] += 1
            file.write(encode({"id": response.id, **line}) + b"\n")
    return scored


def _join(path: Path, samples: list[Sample], source: Path) -> Iterator[Response]:
    by_id = {sample.id: sample for sample in samples}
    by_prompt = {sample.prompt: sample for sample in samples}
    for record in read_records(path):
        name = next((field for field in ID_FIELDS if field in record), None)
        if name is None:
            raise record.error('no \'id\' field; a line is {"id": …, "response": …}')
        value = record[name]
        sample = by_prompt.get(value) if name == "prompt" else by_id.get(str(value))
        if sample is None:
            shown = str(value) if len(str(value)) <= 60 else str(value)[:60] + "…"
            raise record.error(
                f"no sample of {source} has the {name} '{shown}'; remove the line or give the matching --samples"
            )
        yield Response(
            record.number,
            sample.metadata.get("key", sample.id) if name == "prompt" else value,
            sample,
            _answers(record),
        )


def _answers(record: Record) -> tuple[str, ...]:
    if "responses" in record:
        answers = record["responses"]
        if not isinstance(answers, list) or not answers or not all(isinstance(item, str) for item in answers):
            raise record.error("'responses' must be a list of at least one string")
        return tuple(answers)
    if "response" not in record:
        raise record.error("no 'response' field")
    if not isinstance(record["response"], str):
        raise record.error(f"'response' must be a string, not {type(record['response']).__name__}")
    return (record["response"],)


def _irregularities(path: Path, joined: list[Response], samples: list[Sample]) -> list[str]:
    lines: dict[str, list[int]] = {}
    for response in joined:
        lines.setdefault(response.sample.id, []).append(response.line)
    warnings = []
    repeated = {id: numbers for id, numbers in lines.items() if len(numbers) > 1}
    if repeated:
        id, numbers = next(iter(repeated.items()))
        warnings.append(
            f"{path}: {len(repeated)} ids occur more than once (first: '{id}', on lines"
            f" {', '.join(map(str, numbers))}); every line is scored"
        )
    missing = [sample.id for sample in samples if sample.id not in lines]
    if missing:
        warnings.append(
            f"{path}: {len(missing)} of {len(samples)} samples have no response (first: '{missing[0]}')"
        )
    return warnings


def _completions(response: Response, drop_reasoning: bool) -> list[Completion]:
    answers = [Completion(text) for text in response.answers]
    if drop_reasoning:
        answers = [split_reasoning(answer) for answer in answers]
    if not response.sample.turns:
        return answers
    return [Completion(answers[-1].text, turns=tuple(answer.text for answer in answers))]


async def _score(task: Task, sample: Sample, completion: Completion, context: Context) -> Score:
    verdict = task.score(sample, completion, context)
    return verdict if isinstance(verdict, Score) else await verdict


def _combine(verdicts: list[Score]) -> dict[str, Any]:
    if len(verdicts) == 1:
        return verdicts[0].as_json()
    values = [verdict.value for verdict in verdicts if verdict.value is not None]
    worst = next((verdict.status for verdict in verdicts if verdict.status != "ok"), verdicts[0].status)
    return {
        "value": sum(values) / len(values) if values else None,
        "status": worst.value,
        "parts": {"samples": [verdict.as_json() for verdict in verdicts]},
        "explanation": "",
    }
