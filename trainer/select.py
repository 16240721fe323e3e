"""Rejection sampling: of answers that were sampled and scored, the best ones as chats to learn from.

They come from evaluations (``samples.jsonl``) or trainings (``answers.jsonl``), so nothing is sampled or scored
again; what comes out is what the method ``sft`` reads (`chats`). Prompts that overlap with an evaluation are
refused.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ..errors import EvalkitError, InputError, RunError, UsageError
from ..evals.records.manifest import read_manifest
from ..evals.records.rows import read_rows
from ..evals.records.training import AnswerRow, read_training
from ..files import AnyPath, Paths, paths_of, write_lines
from ..tasks.text.thoughts import CLOSING, OPENING
from .data.contamination import evaluated_texts, find_overlaps, overlaps_line
from .data.prompts import open_families
from .recipe.reading import saved_recipe
from .records.log import Notify


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scored answer: whose prompt it answers, the prompt's messages, its text, score and reason to end."""

    task: str
    sample: str
    messages: tuple[Mapping[str, str], ...]
    text: str
    score: float | None
    finish_reason: str | None

    @property
    def prompt(self) -> str:
        """What is asked, as one text."""
        return "\n".join(message["content"] for message in self.messages)


def select(
    runs: Paths,
    output: AnyPath,
    *,
    min_score: float = 1.0,
    per_prompt: int = 1,
    against: Mapping[str, str] | None = None,
    seed: int = 0,
    notify: Notify = lambda line: None,
) -> Path:
    """Write the best answers to each prompt as JSON lines and return the file.

    Of answers that differ in spaces alone one counts; ties go to the shorter answer, then to a seeded hash.
    An answer that was cut off at the token limit is never chosen: it would teach the model not to stop.

    Args:
        runs: folders of evaluations or trainings.
        output: the file.
        min_score: the lowest score that is good enough.
        per_prompt: at most so many answers to a prompt.
        against: tasks, with their data file or an empty text, whose prompts must not be among the chosen, besides
            the test splits of the runs' own tasks.
        seed: of the chance.
        notify: called with each user-facing message.

    Raises:
        InputError: a folder is neither, or what it trained on cannot be read.
        UsageError: ``per_prompt`` is below 1, an unknown task, or an evaluation of a task's own test prompts.
        RunError: chosen prompts stand in an evaluation, or no answer is good enough.
    """
    if per_prompt < 1:
        raise UsageError(f"--per-prompt is a number >= 1, not {per_prompt}")
    runs, output = paths_of(runs), Path(output)
    counts: Counter[str] = Counter()
    good: dict[str, dict[str, Candidate]] = defaultdict(dict)
    prompts, tasks = set(), set()
    for directory in runs:
        own_tasks, candidates = _open(directory)
        tasks |= own_tasks
        for one in candidates:
            counts["answers"] += 1
            prompts.add(one.prompt)
            kind = _why_not(one, min_score)
            if not kind and " ".join(one.text.split()) in good[one.prompt]:
                kind = "repeated"
            if kind:
                counts[kind] += 1
            else:
                good[one.prompt][" ".join(one.text.split())] = one
    chosen = [
        one
        for some in good.values()
        for one in heapq.nsmallest(per_prompt, some.values(), key=lambda one: _order(one, seed))
    ]
    notify(
        f"{counts['answers']} answers to {len(prompts)} prompts: {len(chosen)} chosen, to"
        f" {len({one.prompt for one in chosen})} of them; {counts['low']} score below {min_score:g},"
        f" {counts['unscored']} have no score, {counts['cut']} are cut off or empty,"
        f" {counts['repeated']} repeat another"
    )
    if not chosen:
        raise RunError(
            f"no answer scores {min_score:g} or more: nothing was written. Lower --min-score, or sample more"
        )
    _refuse_evaluated(chosen, tasks, against or {}, notify)
    write_lines(output, map(_chat, chosen))
    return output


def _chat(one: Candidate) -> dict[str, Any]:
    answer = {"role": "assistant", "content": one.text}
    return {"id": one.sample, "task": one.task, "score": one.score, "messages": [*one.messages, answer]}


def _why_not(one: Candidate, min_score: float) -> str:
    if one.score is None:
        return "unscored"
    if one.finish_reason == "length" or not one.text.strip():
        return "cut"
    return "" if one.score >= min_score else "low"


def _order(one: Candidate, seed: int) -> tuple[float, int, str]:
    return -(one.score or 0.0), len(one.text), hashlib.sha256(f"{seed}/{one.text}".encode()).hexdigest()


def _open(directory: Path) -> tuple[set[str], Iterator[Candidate]]:
    """Return the tasks that a folder asked, and its answers."""
    if (directory / "manifest.json").is_file():
        return _of_evaluation(directory)
    if (directory / "recipe.json").is_file():
        return _of_training(directory)
    raise InputError(
        f"{directory} is neither a run of evalkit nor a training: it has no manifest.json or recipe.json"
    )


def _of_evaluation(directory: Path) -> tuple[set[str], Iterator[Candidate]]:
    tasks = read_manifest(directory).tasks
    for task in tasks:
        if task.data.path is None:
            raise UsageError(
                f"{directory} evaluated {task.name} on its test prompts, which must not be trained on: run it on"
                f" training prompts (--data {task.registered_as}=FILE), or select from a training"
            )
    return {task.registered_as for task in tasks}, _single_answers(directory)


def _single_answers(directory: Path) -> Iterator[Candidate]:
    """Yield the answers of an evaluation; conversations of several turns and choices are left out."""
    for row in read_rows(directory):
        completion = row.completion
        if completion is None or len(completion.turns) > 1 or row.continuations:
            continue
        thought = f"{OPENING}\n{completion.reasoning.strip()}\n{CLOSING}\n\n" if completion.reasoning else ""
        text = thought + completion.text if completion.text.strip() else ""
        messages = tuple(message.as_json() for message in row.messages)
        yield Candidate(row.task, row.id, messages, text, row.score.value, completion.finish_reason)


def _of_training(directory: Path) -> tuple[set[str], Iterator[Candidate]]:
    recipe = saved_recipe(orjson.loads((directory / "recipe.json").read_bytes())["recipe"])
    for name, source in recipe.sources.items():
        if source.is_evaluated:
            raise UsageError(
                f"{directory}: prompts '{name}' are the test prompts of {source.task}, which must not be trained on"
            )
    messages = {
        (name, sample.id): tuple(message.as_json() for message in sample.messages)
        for name, family in open_families(recipe).items()
        for sample in family.samples
    }

    def answers() -> Iterator[Candidate]:
        for row in read_training(directory, AnswerRow):
            key = row.family, row.id
            if key not in messages:
                raise InputError(f"{directory}: prompt '{row.id}' of '{row.family}' is no longer in its task")
            yield Candidate(row.family, row.id, messages[key], row.text, row.reward, row.finish_reason)

    return {source.task for source in recipe.sources.values()}, answers()


def _refuse_evaluated(
    chosen: Sequence[Candidate], tasks: set[str], against: Mapping[str, str], notify: Notify
) -> None:
    evaluated: dict[str, str] = {}
    for task in sorted(tasks - against.keys()):
        try:
            evaluated |= evaluated_texts([task])
        except EvalkitError as error:
            notify(f"WARNING: not compared with the test prompts of {task} ({error}); --against names them")
    for task, file in against.items():
        evaluated |= evaluated_texts([task], {task: file} if file else {})
    overlaps = find_overlaps({f"{one.task}/{one.sample}": one.prompt for one in chosen}, evaluated)
    if overlaps:
        raise RunError(
            f"{len(overlaps)} of {len(evaluated)} evaluation prompts overlap with the chosen; nothing was written:"
            f" {overlaps_line(overlaps)}. Sample answers to other prompts"
        )
    notify(f"no chosen prompt overlaps with the {len(evaluated)} evaluation prompts")
